//! Rows as they are stored, and what they stand for.

use guestlist_api::chain::ChainHash;
use guestlist_rules::changes::{Document, Event, Facet, Kind, Mark, Revision, Seen};
use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::failure::Failure;
use crate::Logged;
use crate::chain::Head;

/// Who wrote a group: drawn anew for each, so that no two transactions are ever taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Writer([u8; 16]);

impl Writer {
    /// Before the first group.
    pub(super) const NONE: Self = Self([0; 16]);

    #[expect(
        clippy::disallowed_methods,
        reason = "it tells transactions apart, and nothing is decided by it"
    )]
    pub(super) fn draw() -> Result<Self, Failure> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| Failure::new(super::failure::Reach::Change, error.to_string()))?;
        Ok(Self(bytes))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The newest line of the log and who wrote it: what a writer must find unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) head: Head,
    pub(super) writer: Writer,
}

/// A column; the order of columns is that of the statement.
fn column<'a, T: FromSql<'a>>(row: &'a Row, number: usize) -> Result<T, Failure> {
    row.try_get(number).map_err(Failure::damaged)
}

fn unsigned(row: &Row, number: usize) -> Result<u64, Failure> {
    let value: i64 = column(row, number)?;
    u64::try_from(value).map_err(Failure::damaged)
}

pub(super) fn revision(row: &Row, number: usize) -> Result<Revision, Failure> {
    unsigned(row, number).map(Revision)
}

/// PostgreSQL has no unsigned integers.
pub(super) fn signed(revision: Revision) -> Result<i64, Failure> {
    i64::try_from(revision.0).map_err(Failure::damaged)
}

pub(super) fn hash(row: &Row, number: usize) -> Result<ChainHash, Failure> {
    let bytes: &[u8] = column(row, number)?;
    let bytes = bytes.try_into().map_err(Failure::damaged)?;
    Ok(ChainHash::from_bytes(bytes))
}

pub(super) fn writer(row: &Row, number: usize) -> Result<Writer, Failure> {
    let bytes: &[u8] = column(row, number)?;
    bytes.try_into().map(Writer).map_err(Failure::damaged)
}

/// A row of revision, hash, writer.
pub(super) fn base(rows: &[Row]) -> Result<Base, Failure> {
    let row = rows
        .first()
        .ok_or_else(|| Failure::damaged("the row of guestlist_head is missing"))?;
    let head = Head {
        revision: revision(row, 0)?,
        hash: hash(row, 1)?,
    };
    Ok(Base {
        head,
        writer: writer(row, 2)?,
    })
}

/// A row of id, mark, facets, body.
pub(super) fn document(kind: Kind, row: &Row) -> Result<Seen<Document>, Failure> {
    let mark = Mark(unsigned(row, 1)?);
    let value = Document {
        kind,
        id: text(row, 0)?,
        facets: known_facets(json(column(row, 2)?)?),
        body: column(row, 3)?,
    };
    Ok(Seen { value, mark })
}

/// A row of revision, event, touched, hash.
pub(super) fn logged(row: &Row) -> Result<Logged, Failure> {
    Ok(Logged {
        revision: revision(row, 0)?,
        event: json(column(row, 1)?)?,
        touched: known_documents(json(column(row, 2)?)?),
        hash: hash(row, 3)?,
    })
}

pub(super) fn text(row: &Row, number: usize) -> Result<String, Failure> {
    String::from_utf8(column(row, number)?).map_err(Failure::damaged)
}

/// Kind, id and mark.
pub(super) fn key_and_mark(row: &Row) -> Result<((Kind, String), i64), Failure> {
    let name = text(row, 0)?;
    let kind = Kind::from_name(&name)
        .ok_or_else(|| Failure::damaged(format!("{name} is no kind of document")))?;
    Ok(((kind, text(row, 1)?), column(row, 2)?))
}

/// A row of revision, hash, event, payload.
pub(super) struct Line {
    pub(super) head: Head,
    pub(super) event: Event,
    pub(super) payload: Vec<u8>,
}

pub(super) fn line(row: &Row) -> Result<Line, Failure> {
    let head = Head {
        revision: revision(row, 0)?,
        hash: hash(row, 1)?,
    };
    Ok(Line {
        head,
        event: json(column(row, 2)?)?,
        payload: column(row, 3)?,
    })
}

// While the nodes of a release take the places of those of the one before, these read what those
// write. What a release does not know, it has no part in: it is left out, and the node goes on.

/// Facets by name, without those of a later release.
pub(super) fn known_facets(named: Vec<(String, String)>) -> Vec<(Facet, String)> {
    let known = |(name, value): (String, String)| Some((Facet::from_name(&name)?, value));
    named.into_iter().filter_map(known).collect()
}

/// Documents by name, without those of a later release.
pub(super) fn known_documents(named: Vec<(String, String)>) -> Vec<(Kind, String)> {
    let known = |(name, id): (String, String)| Some((Kind::from_name(&name)?, id));
    named.into_iter().filter_map(known).collect()
}

pub(super) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(Failure::damaged)
}
