//! Reads: a few connections that can only read, each query on a thread that may block.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use guestlist_rules::changes::{Document, Kind, Mark, Revision, Seen};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use tokio::sync::{Semaphore, mpsc};

use super::change::{stored_event, stored_facets, stored_hash, stored_touched};
use super::failure::of_read;
use super::schema::open_reader;
use crate::chain::Head;
use crate::{Logged, Position, Selection, StoreError};

/// How many queries run at a time.
const CONNECTIONS: usize = 4;
/// How long a query waits for its turn.
const TURN: Duration = Duration::from_secs(10);
/// How many documents of a snapshot are handed over at a time.
const BATCH: usize = 256;

/// The connections that only read.
#[derive(Clone)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        let idle = Arc::new(Mutex::new(Vec::with_capacity(CONNECTIONS)));
        Self {
            path,
            idle,
            turns: Arc::new(Semaphore::new(CONNECTIONS)),
        }
    }

    /// Runs a query. When the future is dropped, the query still ends and gives its turn back.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, StoreError> {
        let turn = tokio::time::timeout(TURN, Arc::clone(&self.turns).acquire_owned());
        let turn = turn
            .await
            .map_err(|elapsed| StoreError::Unavailable(Some(elapsed.into())))?;
        let readers = self.clone();
        let work = move || {
            let _turn = turn;
            let connection = readers.take()?;
            let answer = query(&connection);
            // One that failed is not kept: the next read begins with a fresh one.
            if answer.is_ok() {
                readers
                    .idle
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(connection);
            }
            answer
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(answer) => answer.map_err(of_read),
            Err(error) => Err(StoreError::Unavailable(Some(error.into()))),
        }
    }

    fn take(&self) -> Result<Connection> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        idle.map_or_else(|| open_reader(&self.path), Ok)
    }

    /// Closes the connections that no query uses.
    pub(super) fn close(&self) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Sends the documents of these kinds, as of one moment, and then the revision of that moment.
    /// Ends early when no one listens any more. It has a connection of its own, because it may take
    /// long: other reads do not wait for it.
    pub(super) fn snapshot(&self, kinds: &[Kind]) -> mpsc::Receiver<Part> {
        let (parts, received) = mpsc::channel(2);
        let (path, kinds) = (self.path.clone(), kinds.to_vec());
        tokio::task::spawn_blocking(move || {
            let last = match send_snapshot(&path, &kinds, &parts) {
                Ok(revision) => Part::End(revision),
                Err(error) => Part::Failed(of_read(error)),
            };
            // No one listens any more: then no one needs to know.
            drop(parts.blocking_send(last));
        });
        received
    }
}

/// A part of a snapshot.
pub(super) enum Part {
    Documents(Vec<Seen<Document>>),
    End(Revision),
    Failed(StoreError),
}

fn send_snapshot(
    path: &std::path::Path,
    kinds: &[Kind],
    parts: &mpsc::Sender<Part>,
) -> Result<Revision> {
    let mut connection = open_reader(path)?;
    let transaction = connection.transaction()?;
    // The first statement fixes the moment for the whole transaction.
    let revision = revision(&transaction)?;
    for kind in kinds {
        let mut statement = transaction
            .prepare("SELECT id, mark, facets, body FROM documents WHERE kind = ?1 ORDER BY id")?;
        let mut rows = statement.query(params![kind.name()])?;
        let mut batch = Vec::with_capacity(BATCH);
        while let Some(row) = rows.next()? {
            batch.push(document(*kind, row)?);
            if batch.len() == BATCH
                && parts
                    .blocking_send(Part::Documents(std::mem::take(&mut batch)))
                    .is_err()
            {
                return Ok(revision);
            }
        }
        if !batch.is_empty() && parts.blocking_send(Part::Documents(batch)).is_err() {
            return Ok(revision);
        }
    }
    Ok(revision)
}

pub(super) fn get(connection: &Connection, kind: Kind, id: &str) -> Result<Option<Seen<Document>>> {
    connection
        .prepare_cached("SELECT id, mark, facets, body FROM documents WHERE kind = ?1 AND id = ?2")?
        .query_row(params![kind.name(), id], |row| document(kind, row))
        .optional()
}

pub(super) fn list(
    connection: &Connection,
    kind: Kind,
    selection: &Selection,
    after: Option<&Position>,
    limit: usize,
) -> Result<Vec<Seen<Document>>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let last = after.map_or("", |position| position.id.as_str());
    match selection {
        Selection::All => connection
            .prepare_cached(
                "SELECT id, mark, facets, body FROM documents
                 WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            )?
            .query_map(params![kind.name(), last, limit], |row| document(kind, row))?
            .collect(),
        Selection::Equal(facet, value) => connection
            .prepare_cached(
                "SELECT d.id, d.mark, d.facets, d.body
                 FROM facets f CROSS JOIN documents d ON d.kind = f.kind AND d.id = f.id
                 WHERE f.kind = ?1 AND f.facet = ?2 AND f.value = ?3 AND f.id > ?4
                 ORDER BY f.id LIMIT ?5",
            )?
            .query_map(
                params![kind.name(), facet.name(), value, last, limit],
                |row| document(kind, row),
            )?
            .collect(),
        Selection::Between(facet, from, until) => {
            let passed = after.map(|position| (position.value.as_str(), last));
            let (value, id) = passed.unwrap_or_default().max((from, ""));
            connection
                .prepare_cached(
                    "SELECT d.id, d.mark, d.facets, d.body
                     FROM facets f CROSS JOIN documents d ON d.kind = f.kind AND d.id = f.id
                     WHERE f.kind = ?1 AND f.facet = ?2 AND (f.value, f.id) > (?3, ?4)
                       AND f.value < ?5
                     ORDER BY f.value, f.id LIMIT ?6",
                )?
                .query_map(
                    params![kind.name(), facet.name(), value, id, until, limit],
                    |row| document(kind, row),
                )?
                .collect()
        }
    }
}

pub(super) fn events_after(
    connection: &Connection,
    revision: Revision,
    limit: usize,
) -> Result<Vec<Logged>> {
    let after = i64::try_from(revision.0).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "SELECT revision, event, touched, hash FROM events
             WHERE revision > ?1 ORDER BY revision LIMIT ?2",
        )?
        .query_map(params![after, limit], |row| {
            Ok(Logged {
                revision: Revision(unsigned(row, 0)?),
                event: stored_event(row.get_ref(1)?.as_str()?)?,
                touched: stored_touched(row.get_ref(2)?.as_str()?)?,
                hash: stored_hash(row, 3)?,
            })
        })?
        .collect()
}

pub(super) fn revision(connection: &Connection) -> Result<Revision> {
    connection
        .prepare_cached("SELECT coalesce(max(revision), 0) FROM events")?
        .query_row([], |row| unsigned(row, 0).map(Revision))
}

/// Where the log ends.
pub(super) fn head(connection: &Connection) -> Result<Head> {
    let newest = connection
        .prepare("SELECT revision, hash FROM events ORDER BY revision DESC LIMIT 1")?
        .query_row([], |row| {
            Ok(Head {
                revision: Revision(unsigned(row, 0)?),
                hash: stored_hash(row, 1)?,
            })
        })
        .optional()?;
    Ok(newest.unwrap_or_default())
}

/// A row of id, mark, facets, body.
fn document(kind: Kind, row: &Row<'_>) -> Result<Seen<Document>> {
    let facets = stored_facets(row.get_ref(2)?.as_str()?)?;
    let value = Document {
        kind,
        id: row.get(0)?,
        facets,
        body: row.get(3)?,
    };
    Ok(Seen {
        value,
        mark: Mark(unsigned(row, 1)?),
    })
}

/// SQLite has no unsigned integers; revisions and marks are never negative.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}
