//! Changes that can be told apart, and the check that a store holds exactly what its log says.
//!
//! The tests that kill a process, cut the power or break the disk write these changes. Each is a
//! function of its number alone, so the whole content of a store follows from the order of numbers
//! in its log: whatever is missing, half-written or left over shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use guestlist_rules::changes::{
    Changes, Document, Event, Expect, Facet, Kind, Mark, Revision, Seen, sortable,
};

use crate::{Head, Logged, Selection, Store, StoreError};

/// The kinds that these changes write.
const KINDS: [Kind; 3] = [Kind::Invite, Kind::AccessRecord, Kind::Acceptance];
/// A page of a list.
const PAGE: usize = 500;

/// What a store does not hold, or holds wrongly.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// An acknowledged change is not there.
    Lost(String),
    /// The store is not what its log says, or cannot be read.
    Damaged(String),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Damaged(super::Failed::from(error).0)
    }
}

/// The change of a number. It creates two documents, rewrites one of sixteen others, and every
/// third deletes what an earlier one created; one in twenty is larger than several pages.
pub fn change(number: u64) -> Changes {
    let mut change = Changes::new(Event {
        kind: "ledger.changed".to_owned(),
        time: 0,
        actor: "ledger".to_owned(),
        request_id: format!("request-{number}"),
        subject: format!("invite/i-{number}"),
        data: number.into(),
    });
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let invite = format!("i-{spread:016x}-{number}");
    let length = if number % 20 == 7 {
        15_000
    } else {
        50 + spread % 800
    };
    let body = |seed: u64, length: u64| -> Vec<u8> {
        let length = usize::try_from(length).unwrap_or(0);
        let mut text = format!("{{\"n\":{number},\"s\":{seed},\"filled\":\"");
        let missing = length.saturating_sub(text.len() + 2);
        text.extend(std::iter::repeat_n('x', missing));
        (text + "\"}").into_bytes()
    };
    change
        .expect
        .push((Kind::Invite, invite.clone(), Expect::Absent));
    change.write.push(Document {
        kind: Kind::Invite,
        id: invite.clone(),
        facets: vec![
            (Facet::Inviter, format!("user-{}", spread % 7)),
            (
                Facet::Expires,
                sortable(i64::try_from(number % 1_000_000).unwrap_or(0)),
            ),
        ],
        body: body(1, length),
    });
    change.write.push(Document {
        kind: Kind::AccessRecord,
        id: format!("r-{}", spread % 16),
        facets: vec![(Facet::Status, format!("{}", number % 2))],
        body: body(2, 100 + spread % 300),
    });
    change.write.push(Document {
        kind: Kind::Acceptance,
        id: format!("a-{number}"),
        facets: vec![
            (Facet::Parent, invite),
            (Facet::Principal, format!("user-{}", number % 5)),
        ],
        body: body(3, 60),
    });
    if number.is_multiple_of(3) && number >= 6 {
        change
            .delete
            .push((Kind::Acceptance, format!("a-{}", number - 5)));
    }
    change
}

/// Checks that the log has no gap and is chained, that everything acknowledged (its revision and its number) is
/// in it, and that the documents and their facets are exactly those that the log leads to. Gives
/// the newest revision.
pub async fn verify(
    store: &Arc<dyn Store>,
    acknowledged: &BTreeMap<u64, u64>,
) -> Result<Revision, Fault> {
    let log = whole_log(store).await?;
    let mut model: BTreeMap<(Kind, String), Seen<Document>> = BTreeMap::new();
    let mut head = Head::START;
    for line in &log {
        head = head.followed_by(&line.event.canonical());
        if line.revision != head.revision {
            return Err(Fault::Damaged(format!(
                "{} stands at {}",
                line.revision, head.revision
            )));
        }
        if line.hash != head.hash {
            return Err(Fault::Damaged(format!(
                "the hash of {} does not follow",
                line.revision
            )));
        }
        replay(&mut model, line)?;
    }
    let newest = log.last().map(|line| line.revision).unwrap_or_default();
    if store.revision().await? != newest {
        return Err(Fault::Damaged(
            "the newest revision is not that of the log".to_owned(),
        ));
    }
    for (revision, number) in acknowledged {
        let line = usize::try_from(revision - 1)
            .ok()
            .and_then(|index| log.get(index));
        if line.and_then(|line| line.event.data.as_u64()) != Some(*number) {
            return Err(Fault::Lost(format!(
                "{number}, acknowledged at {revision}, of {newest}"
            )));
        }
    }
    for kind in KINDS {
        compare(store, kind, &model).await?;
    }
    Ok(newest)
}

async fn whole_log(store: &Arc<dyn Store>) -> Result<Vec<Logged>, StoreError> {
    let mut log: Vec<Logged> = Vec::new();
    loop {
        let newest = log.last().map(|line| line.revision).unwrap_or_default();
        let page = store.events_after(newest, PAGE).await?;
        if page.is_empty() {
            return Ok(log);
        }
        log.extend(page);
    }
}

fn replay(
    model: &mut BTreeMap<(Kind, String), Seen<Document>>,
    line: &Logged,
) -> Result<(), Fault> {
    let number = line.event.data.as_u64();
    let number = number.ok_or_else(|| Fault::Damaged(format!("{line:?} has no number")))?;
    let change = change(number);
    let written = change
        .write
        .iter()
        .map(|document| (document.kind, document.id.clone()));
    let touched: Vec<_> = written.chain(change.delete.iter().cloned()).collect();
    if line.event != change.event || line.touched != touched {
        return Err(Fault::Damaged(format!("the log says {line:?}")));
    }
    for document in change.write {
        let key = (document.kind, document.id.clone());
        model.insert(
            key,
            Seen {
                value: document,
                mark: Mark(line.revision.0),
            },
        );
    }
    for key in change.delete {
        model.remove(&key);
    }
    Ok(())
}

/// Compares the documents of a kind, and the rows of each facet, with those of the model.
async fn compare(
    store: &Arc<dyn Store>,
    kind: Kind,
    model: &BTreeMap<(Kind, String), Seen<Document>>,
) -> Result<(), Fault> {
    let expected: Vec<&Seen<Document>> = model
        .values()
        .filter(|seen| seen.value.kind == kind)
        .collect();
    let everything = usize::MAX;
    let found = store.list(kind, &Selection::All, None, everything).await?;
    if !found.iter().eq(expected.iter().copied()) {
        let found: BTreeSet<_> = found
            .iter()
            .map(|seen| (&seen.value.id, seen.mark))
            .collect();
        let expected: BTreeSet<_> = expected
            .iter()
            .map(|seen| (&seen.value.id, seen.mark))
            .collect();
        let differ: Vec<_> = found.symmetric_difference(&expected).take(5).collect();
        return Err(Fault::Damaged(format!("the {kind:?}s differ: {differ:?}")));
    }
    for facet in Facet::ALL {
        let mut expected: Vec<(&str, &str)> = expected
            .iter()
            .flat_map(|seen| {
                seen.value
                    .facets
                    .iter()
                    .map(|row| (row, seen.value.id.as_str()))
            })
            .filter(|((name, _), _)| *name == facet)
            .map(|((_, value), id)| (value.as_str(), id))
            .collect();
        expected.sort_unstable();
        let all = Selection::Between(facet, String::new(), "\u{10ffff}".to_owned());
        let found = store.list(kind, &all, None, everything).await?;
        let found = found.iter().map(|seen| seen.value.id.as_str());
        if !found.eq(expected.iter().map(|(_, id)| *id)) {
            return Err(Fault::Damaged(format!(
                "the rows of {facet:?} of {kind:?} differ"
            )));
        }
    }
    Ok(())
}
