//! Who accepted an invite, and taking back what it gave. Extensions of ours.

use guestlist_api::ids::UserId;
use guestlist_api::invite_grants::{
    InviteAcceptance, InviteAcceptanceCollection, InviteOutcome, InviteUndoing, InviteUndone,
};
use guestlist_api::limits;
use guestlist_rules::changes::{Facet, Seen};
use guestlist_rules::invite_administration::may_revoke;
use guestlist_rules::invites::{Outcome, StoredAcceptance, StoredInvite, may_read};
use guestlist_rules::records::StoredRecord;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_rules::undoing::{Other, Undoing, Undone, standing, undo};
use guestlist_store::Selection;
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::invite_lists::{by_reference, reference_of};
use crate::listing::{Listing, given, walk};
use crate::query::Query;
use crate::refusal::Refusal;
use crate::users::parse;

/// Acceptances that one request undoes at most.
const MOST: usize = 200;

/// GET `/v1/invites/{reference}/acceptances`: for whoever made the invite or may read it.
pub async fn get_invite_acceptances(
    ask: Ask<'_>,
    reference: &str,
    query: &Query<'_>,
) -> Result<Answer, Refusal> {
    let reference = reference_of(reference)?;
    let seen = by_reference(ask, &reference).await?;
    // Whom it is for may know of it, but not of who else used it.
    ask.decide(|facts| may_read(facts, &seen.value))?;
    let path = format!("/v1/invites/{reference}/acceptances");
    let listing = Listing::read(ask, query, &path, limits::PAGE, &[])?;
    let selection = Selection::Equal(Facet::Parent, reference.to_string());
    let (found, next) = listing.selected(ask, &selection, |_| true).await?;
    let acceptances = found.into_iter().map(|seen| acceptance(seen.value));
    let acceptances = acceptances.collect();
    let (pagination, links) = listing.page(ask, &path, next)?;
    let page = InviteAcceptanceCollection {
        acceptances,
        pagination,
        links,
    };
    Answer::json(StatusCode::OK, &page).map_err(Refusal::from)
}

fn acceptance(stored: StoredAcceptance) -> InviteAcceptance {
    InviteAcceptance {
        user_id: stored.user_id,
        time: stored.time,
        outcome: outcome(stored.outcome).into(),
        record_id: stored.record_id,
        added: stored.added,
        undone_time: stored.undone_time,
    }
}

/// DELETE `/v1/invites/{reference}/grants`: each acceptance by a change of its own. Whether the caller
/// may is asked for all of them before the first is written.
pub async fn undo_invite(
    ask: Ask<'_>,
    reference: &str,
    query: &Query<'_>,
) -> Result<Answer, Refusal> {
    let reference = reference_of(reference)?;
    let dry_run = match given(query, "dryRun")?.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Refusal::malformed("dryRun", "must be true or false")),
    };
    let user: Option<UserId> = given(query, "userId")?
        .map(|text| parse("userId", &text))
        .transpose()?;
    let seen = by_reference(ask, &reference).await?;
    ask.decide(|facts| may_revoke(facts, &seen.value))?;
    let selection = Selection::Equal(Facet::Parent, reference.to_string());
    let is_wanted = |acceptance: &StoredAcceptance| {
        acceptance.undone_time.is_none()
            && user
                .as_ref()
                .is_none_or(|user| user.principal() == acceptance.user_id.principal())
    };
    let (mut undone, mut more) = (Vec::new(), false);
    let mut found: Vec<Seen<StoredAcceptance>> = Vec::new();
    let mut after = None;
    while !more {
        let room = MOST - found.len();
        let (step, next) = walk(ask, &selection, after.as_deref(), room, is_wanted).await?;
        found.extend(step);
        match next {
            None => break,
            Some(_) if found.len() >= MOST => more = true,
            Some(next) => after = Some(next),
        }
    }
    for acceptance in &found {
        let ids = (reference.as_str(), &acceptance.value);
        undone.extend(decided(ask, ids).await?.map(|(_, undone)| undone));
    }
    if !dry_run {
        undone.clear();
        for acceptance in &found {
            let ids = (reference.as_str(), &acceptance.value);
            undone.extend(written(ask, ids, undone.is_empty()).await?);
        }
    }
    let undoing = InviteUndoing {
        dry_run,
        undone,
        more,
        links: ask.links(&format!("/v1/invites/{reference}/grants")),
    };
    Answer::json(StatusCode::OK, &undoing).map_err(Refusal::from)
}

type Ids<'a> = (&'a str, &'a StoredAcceptance);

async fn written(
    ask: Ask<'_>,
    ids: Ids<'_>,
    is_first: bool,
) -> Result<Option<InviteUndone>, Refusal> {
    let written = ask
        .change(|| async move {
            Ok(match decided(ask, ids).await? {
                None => Decided::Nothing(None),
                Some((changes, undone)) => Decided::Change(changes, Some(undone)),
            })
        })
        .await;
    match written {
        // Earlier ones are done.
        Err(Refusal::Busy) if !is_first => Err(Refusal::Unfinished),
        outcome => outcome,
    }
}

/// What undoing one acceptance comes to now; `None` if somebody else did it meanwhile.
async fn decided(
    ask: Ask<'_>,
    (reference, listed): Ids<'_>,
) -> Result<Option<(guestlist_rules::changes::Changes, InviteUndone)>, Refusal> {
    let missing = || Refusal::Rule(Rule::NotFound(Noun::Invite));
    let invite: Seen<StoredInvite> = ask.see(reference).await?.ok_or_else(missing)?;
    let key = StoredAcceptance::key(&listed.reference, &listed.user_id);
    let Some(acceptance) = ask.see::<StoredAcceptance>(&key).await? else {
        return Ok(None);
    };
    let mut record: Option<Seen<StoredRecord>> = None;
    if let Some(id) = &acceptance.value.record_id {
        record = ask.see(id.as_str()).await?;
    }
    let others = match &record {
        Some(record) => others(ask, &acceptance.value, &record.value).await?,
        None => Vec::new(),
    };
    let undoing = Undoing {
        invite: &invite,
        acceptance: &acceptance,
        record: record.as_ref(),
        others: &others,
    };
    let decided = ask.decide(|facts| undo(facts, &undoing))?;
    Ok(decided.map(|(changes, undone)| {
        let Undone {
            taken,
            kept,
            record_deleted,
        } = undone;
        let StoredAcceptance {
            user_id, record_id, ..
        } = acceptance.value;
        let undone = InviteUndone {
            user_id,
            record_id,
            taken,
            kept,
            record_deleted,
        };
        (changes, undone)
    }))
}

/// Acceptances of other invites into the same record: by the person, and, as they lose with them what
/// was forced into a record of several, by the others whom the record names.
async fn others(
    ask: Ask<'_>,
    own: &StoredAcceptance,
    record: &StoredRecord,
) -> Result<Vec<Other>, Refusal> {
    let mut users = vec![own.user_id.clone()];
    if own.outcome == Outcome::ForceMerged {
        let named = record.users.iter().map(|user| user.user_id.clone());
        users.extend(named.filter(|user| *user != own.user_id));
    }
    let is_other = |acceptance: &StoredAcceptance| {
        acceptance.record_id.as_ref() == Some(&record.record_id)
            && (acceptance.reference != own.reference || acceptance.user_id != own.user_id)
    };
    let mut found = Vec::new();
    for user in users {
        let selection = Selection::Equal(Facet::Principal, user.to_string());
        let mut after = None;
        loop {
            let (step, next) =
                walk(ask, &selection, after.as_deref(), usize::MAX, is_other).await?;
            found.extend(step);
            after = next;
            if after.is_none() {
                break;
            }
        }
    }
    let mut others = Vec::new();
    for acceptance in standing(own, found) {
        let reference = acceptance.value.reference.as_str();
        let invite: Option<Seen<StoredInvite>> = ask.see(reference).await?;
        // What another invite gave for a time is not what is held without an end.
        let endless = invite.filter(|seen| seen.value.access_duration.is_none());
        let statements = endless
            .map(|seen| seen.value.statements)
            .unwrap_or_default();
        others.push(Other {
            acceptance,
            statements,
        });
    }
    Ok(others)
}

pub(crate) const fn outcome(outcome: Outcome) -> InviteOutcome {
    match outcome {
        Outcome::Created => InviteOutcome::Created,
        Outcome::Merged => InviteOutcome::Merged,
        Outcome::Generated => InviteOutcome::Generated,
        Outcome::ForceMerged => InviteOutcome::ForceMerged,
        Outcome::Replaced => InviteOutcome::Replaced,
        Outcome::Skipped => InviteOutcome::Skipped,
        Outcome::Nothing => InviteOutcome::Nothing,
    }
}
