//! A change as it is stored: its line of the log, and what other nodes read of it.

use guestlist_api::chain::CanonicalEvent;
use guestlist_rules::changes::{Changes, Document, Event, Expect, Facet, Kind};
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::rows::{json, known_documents, known_facets};
use crate::StoreError;
use crate::admission::size;

/// The parts of a change as they are stored. Made by the caller, so that the one task that writes
/// does not spend its time on it.
pub(super) struct Texts {
    pub(super) event: Vec<u8>,
    /// What of the event is hashed.
    pub(super) canonical: CanonicalEvent,
    pub(super) touched: Vec<u8>,
    pub(super) payload: Vec<u8>,
    /// One for each written document.
    pub(super) facets: Vec<Vec<u8>>,
    /// How much is sent for it, about.
    pub(super) bytes: usize,
}

impl Texts {
    pub(super) fn of(changes: &Changes) -> Result<Self, StoreError> {
        let texts = || -> serde_json::Result<Self> {
            let written = changes
                .write
                .iter()
                .map(|document| (document.kind, &document.id));
            let deleted = changes.delete.iter().map(|(kind, id)| (*kind, id));
            let touched: Vec<(Kind, &String)> = written.chain(deleted).collect();
            let facets = changes
                .write
                .iter()
                .map(|document| serde_json::to_vec(&document.facets));
            Ok(Self {
                event: serde_json::to_vec(&changes.event)?,
                canonical: changes.event.canonical(),
                touched: serde_json::to_vec(&touched)?,
                payload: payload(changes)?,
                facets: facets.collect::<serde_json::Result<_>>()?,
                bytes: changes.write.iter().map(size).sum(),
            })
        };
        texts().map_err(|error| StoreError::Unavailable(Some(Box::new(error))))
    }
}

/// What begins a payload, in JSON; the bodies follow it, in the order of `write`. Kinds and facets
/// are names, because a later release may know more of them.
#[derive(Serialize, Deserialize)]
struct Header {
    expect: Vec<(String, String, Expect)>,
    write: Vec<Written>,
    delete: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    kind: String,
    id: String,
    facets: Vec<(String, String)>,
    /// Of the body, in bytes.
    length: usize,
}

/// The length of the header in 4 bytes (big-endian), the header, the bodies. The event is not in
/// it: it stands in the log.
fn payload(changes: &Changes) -> serde_json::Result<Vec<u8>> {
    let named = |kind: &Kind, id: &String| (kind.name().to_owned(), id.clone());
    let expect = changes.expect.iter().map(|(kind, id, expect)| {
        let (kind, id) = named(kind, id);
        (kind, id, *expect)
    });
    let write = changes.write.iter().map(|document| Written {
        kind: document.kind.name().to_owned(),
        id: document.id.clone(),
        facets: named_facets(&document.facets),
        length: document.body.len(),
    });
    let delete = changes.delete.iter().map(|(kind, id)| named(kind, id));
    let header = serde_json::to_vec(&Header {
        expect: expect.collect(),
        write: write.collect(),
        delete: delete.collect(),
    })?;
    let length = u32::try_from(header.len()).map_err(serde::ser::Error::custom)?;
    let mut payload = length.to_be_bytes().to_vec();
    payload.extend(header);
    for document in &changes.write {
        payload.extend(&document.body);
    }
    Ok(payload)
}

fn named_facets(facets: &[(Facet, String)]) -> Vec<(String, String)> {
    let named = |(facet, value): &(Facet, String)| (facet.name().to_owned(), value.clone());
    facets.iter().map(named).collect()
}

/// The change of a payload and an event, without documents of kinds that are not known.
pub(super) fn changes(event: Event, payload: &[u8]) -> Result<Changes, Failure> {
    let short = || Failure::damaged("a recent change is shorter than it says");
    let (length, rest) = payload.split_first_chunk::<4>().ok_or_else(short)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(Failure::damaged)?;
    let (header, mut bodies) = rest.split_at_checked(length).ok_or_else(short)?;
    let header: Header = json(header)?;
    let mut changes = Changes::new(event);
    let expected = |(kind, id, expect): (String, String, Expect)| {
        Kind::from_name(&kind).map(|kind| (kind, id, expect))
    };
    changes.expect = header.expect.into_iter().filter_map(expected).collect();
    changes.delete = known_documents(header.delete);
    for written in header.write {
        let (body, rest) = bodies.split_at_checked(written.length).ok_or_else(short)?;
        bodies = rest;
        if let Some(kind) = Kind::from_name(&written.kind) {
            changes.write.push(Document {
                kind,
                id: written.id,
                facets: known_facets(written.facets),
                body: body.to_vec(),
            });
        }
    }
    if !bodies.is_empty() {
        return Err(Failure::damaged("a recent change is longer than it says"));
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use guestlist_rules::changes::Mark;

    use super::*;

    #[test]
    fn a_change_is_read_as_it_was_written() {
        let event = Event {
            kind: "test.written".to_owned(),
            time: 1,
            actor: "é".to_owned(),
            request_id: String::new(),
            subject: "role/a".to_owned(),
            data: serde_json::json!({ "a": "\0" }),
        };
        let mut change = Changes::new(event.clone());
        assert_eq!(
            changes(event.clone(), &payload(&change).unwrap()).unwrap(),
            change
        );
        for body in [b"".as_slice(), b"\0\xff{}", b"{\"a\":1}"] {
            change.write.push(Document {
                kind: Kind::Role,
                id: format!("r{}", change.write.len()),
                facets: vec![(Facet::Status, "A\u{1}".to_owned())],
                body: body.to_vec(),
            });
        }
        change.delete.push((Kind::Invite, "i".to_owned()));
        let at = |mark| (Kind::Invite, "i".to_owned(), Expect::At(Mark(mark)));
        change.expect = vec![at(7), (Kind::Role, "r".to_owned(), Expect::Absent)];
        let stored = payload(&change).unwrap();
        assert_eq!(changes(event.clone(), &stored).unwrap(), change);
        let shorter = stored.split_last().unwrap().1;
        assert!(changes(event.clone(), shorter).is_err());
        let longer = [stored.as_slice(), b"x"].concat();
        assert!(changes(event, &longer).is_err());
    }
}
