//! The statements of one change, inside the transaction of its group.

use guestlist_api::chain::{CanonicalEvent, ChainHash};
use guestlist_rules::changes::{Changes, Document, Event, Expect, Facet, Kind, Mark};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Result, params};

use super::reading::unsigned;
use crate::StoreError;
use crate::chain::Head;

/// The parts of a change as they are stored. Made by the caller, so that the one thread that writes
/// does not spend its time on it.
pub(super) struct Texts {
    event: String,
    /// What of the event is hashed.
    canonical: CanonicalEvent,
    touched: String,
    /// One for each written document.
    facets: Vec<String>,
}

impl Texts {
    pub(super) fn of(changes: &Changes) -> std::result::Result<Self, StoreError> {
        let written = changes
            .write
            .iter()
            .map(|document| (document.kind, &document.id));
        let deleted = changes.delete.iter().map(|(kind, id)| (*kind, id));
        let touched: Vec<(Kind, &String)> = written.chain(deleted).collect();
        let facets = changes
            .write
            .iter()
            .map(|document| serde_json::to_string(&document.facets));
        let texts = || -> serde_json::Result<Self> {
            Ok(Self {
                event: serde_json::to_string(&changes.event)?,
                canonical: changes.event.canonical(),
                touched: serde_json::to_string(&touched)?,
                facets: facets.collect::<serde_json::Result<_>>()?,
            })
        };
        texts().map_err(|error| StoreError::Unavailable(Some(Box::new(error))))
    }
}

/// What a change does when it is tried.
pub(super) enum Tried {
    /// Its statements were carried out; the log ends here now.
    Written(Head),
    /// Nothing was: this expectation does not hold.
    Conflict {
        kind: Kind,
        id: String,
        expected: Expect,
    },
}

/// A row of `documents`, without its body.
struct Row {
    number: i64,
    mark: Mark,
    facets: String,
}

/// Compares every expectation, and writes if all hold, behind the newest line of the log.
pub(super) fn try_change(
    connection: &Connection,
    newest: Head,
    changes: &Changes,
    texts: &Texts,
) -> Result<Tried> {
    // What was looked up for an expectation is not looked up again for the write.
    let mut seen: Vec<(Kind, &str, Option<Row>)> = Vec::with_capacity(changes.expect.len());
    for (kind, id, expected) in &changes.expect {
        let row = find(connection, *kind, id)?;
        let holds = match expected {
            Expect::At(mark) => row.as_ref().is_some_and(|row| row.mark == *mark),
            Expect::Absent => row.is_none(),
        };
        if !holds {
            return Ok(Tried::Conflict {
                kind: *kind,
                id: id.clone(),
                expected: *expected,
            });
        }
        seen.push((*kind, id, row));
    }
    let head = newest.followed_by(&texts.canonical);
    let revision = signed(head.revision.0)?;
    let mut row_of = |kind: Kind, id: &str| -> Result<Option<Row>> {
        match seen
            .iter()
            .position(|(other, name, _)| *other == kind && *name == id)
        {
            Some(position) => Ok(seen.swap_remove(position).2),
            None => find(connection, kind, id),
        }
    };
    for (document, facets) in changes.write.iter().zip(&texts.facets) {
        match row_of(document.kind, &document.id)? {
            None => insert(connection, revision, document, facets)?,
            Some(row) => replace(connection, revision, document, facets, &row)?,
        }
    }
    for (kind, id) in &changes.delete {
        if let Some(row) = row_of(*kind, id)? {
            delete(connection, *kind, id, &row)?;
        }
    }
    connection.prepare_cached(INSERT_EVENT)?.execute(params![
        revision,
        texts.event,
        texts.touched,
        head.hash.as_bytes()
    ])?;
    Ok(Tried::Written(head))
}

pub(super) const INSERT_EVENT: &str =
    "INSERT INTO events (revision, event, touched, hash) VALUES (?1, ?2, ?3, ?4)";

fn find(connection: &Connection, kind: Kind, id: &str) -> Result<Option<Row>> {
    connection
        .prepare_cached("SELECT number, mark, facets FROM documents WHERE kind = ?1 AND id = ?2")?
        .query_row(params![kind.name(), id], |row| {
            Ok(Row {
                number: row.get(0)?,
                mark: Mark(unsigned(row, 1)?),
                facets: row.get(2)?,
            })
        })
        .optional()
}

pub(super) fn insert(
    connection: &Connection,
    revision: i64,
    document: &Document,
    facets: &str,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO documents (kind, id, mark, facets, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            document.kind.name(),
            document.id,
            revision,
            facets,
            document.body
        ])?;
    for (facet, value) in &document.facets {
        insert_facet(connection, document.kind, &document.id, *facet, value)?;
    }
    Ok(())
}

fn replace(
    connection: &Connection,
    revision: i64,
    document: &Document,
    facets: &str,
    row: &Row,
) -> Result<()> {
    connection
        .prepare_cached("UPDATE documents SET mark = ?2, facets = ?3, body = ?4 WHERE number = ?1")?
        .execute(params![row.number, revision, facets, document.body])?;
    if row.facets == facets {
        return Ok(());
    }
    move_facets(connection, document, &row.facets)
}

/// Indexes a document by its facets instead of by those that it had.
fn move_facets(connection: &Connection, document: &Document, old: &str) -> Result<()> {
    let old = stored_facets(old)?;
    for (facet, value) in old.iter().filter(|pair| !document.facets.contains(pair)) {
        delete_facet(connection, document.kind, &document.id, *facet, value)?;
    }
    for (facet, value) in document.facets.iter().filter(|pair| !old.contains(pair)) {
        insert_facet(connection, document.kind, &document.id, *facet, value)?;
    }
    Ok(())
}

/// Gives a document other facets, and leaves its body and its mark.
pub(super) fn refacet(
    connection: &Connection,
    document: &Document,
    number: i64,
    old: &str,
) -> Result<()> {
    let facets = serde_json::to_string(&document.facets)
        .map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))?;
    if facets == old {
        return Ok(());
    }
    connection
        .prepare_cached("UPDATE documents SET facets = ?2 WHERE number = ?1")?
        .execute(params![number, facets])?;
    move_facets(connection, document, old)
}

fn delete(connection: &Connection, kind: Kind, id: &str, row: &Row) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM documents WHERE number = ?1")?
        .execute(params![row.number])?;
    for (facet, value) in stored_facets(&row.facets)? {
        delete_facet(connection, kind, id, facet, &value)?;
    }
    Ok(())
}

fn insert_facet(
    connection: &Connection,
    kind: Kind,
    id: &str,
    facet: Facet,
    value: &str,
) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO facets (kind, facet, value, id) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![kind.name(), facet.name(), value, id])?;
    Ok(())
}

fn delete_facet(
    connection: &Connection,
    kind: Kind,
    id: &str,
    facet: Facet,
    value: &str,
) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM facets WHERE kind = ?1 AND facet = ?2 AND value = ?3 AND id = ?4",
        )?
        .execute(params![kind.name(), facet.name(), value, id])?;
    Ok(())
}

/// SQLite has no unsigned integers.
pub(super) fn signed(revision: u64) -> Result<i64> {
    i64::try_from(revision).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

/// The column `documents.facets`.
pub(super) fn stored_facets(text: &str) -> Result<Vec<(Facet, String)>> {
    parse(text)
}

/// The column `events.event`.
pub(super) fn stored_event(text: &str) -> Result<Event> {
    parse(text)
}

/// The column `events.hash`.
pub(super) fn stored_hash(row: &rusqlite::Row<'_>, column: usize) -> Result<ChainHash> {
    row.get(column).map(ChainHash::from_bytes)
}

/// The column `events.touched`.
pub(super) fn stored_touched(text: &str) -> Result<Vec<(Kind, String)>> {
    parse(text)
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}
