//! Reads: a few connections, each query on one of them, and snapshots on connections of their own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use guestlist_rules::changes::{Document, Kind, Revision, Seen};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::types::ToSql;

use super::committing::newest;
use super::connecting::{Connector, Parameters, Purpose, Session, limited};
use super::failure::{Failure, Reach};
use super::rows::{document, logged};
use super::statements as sql;
use crate::{Logged, Position, Selection, StoreError};

/// How many queries run at a time.
const CONNECTIONS: usize = 8;
/// How long a query waits for its turn.
const TURN: Duration = Duration::from_secs(10);
/// How often a query is tried: a connection may have ended while no one used it.
const TRIES: usize = 2;

/// The connections that only read.
pub(super) struct Readers {
    connector: Arc<Connector>,
    idle: Mutex<Vec<Session>>,
    turns: Semaphore,
}

/// A connection in use. It goes back also when the read is dropped: what is still under way on it
/// is answered to no one, and the next query comes after it.
struct Lent<'a> {
    readers: &'a Readers,
    session: Option<Session>,
    _turn: SemaphorePermit<'a>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take()
            && !session.is_closed()
        {
            self.readers.idle().push(session);
        }
    }
}

impl Readers {
    pub(super) fn new(connector: Arc<Connector>) -> Self {
        Self {
            connector,
            idle: Mutex::default(),
            turns: Semaphore::new(CONNECTIONS),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn lend(&self) -> Result<Lent<'_>, Failure> {
        let turn = tokio::time::timeout(TURN, self.turns.acquire()).await;
        let turn = turn
            .map_err(|_elapsed| Failure::new(Reach::Busy, "all connections are in use"))?
            .map_err(|closed| Failure::new(Reach::Busy, closed))?;
        let idle = self.idle().pop().filter(|session| !session.is_closed());
        let session = match idle {
            Some(session) => session,
            None => self.connector.connect(Purpose::Short, None).await?,
        };
        Ok(Lent {
            readers: self,
            session: Some(session),
            _turn: turn,
        })
    }

    /// Runs a query, again on a new connection if the first one had ended.
    async fn rows(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<tokio_postgres::Row>, Failure> {
        let mut tried = 1;
        loop {
            let mut lent = self.lend().await?;
            let Some(session) = &lent.session else {
                return Err(Failure::elapsed());
            };
            match session.query(sql, parameters).await {
                Ok(rows) => return Ok(rows),
                Err(failure) if failure.reach == Reach::Lost => {
                    lent.session = None;
                    // Others that were idle as long have ended too.
                    self.close();
                    if tried == TRIES {
                        return Err(failure);
                    }
                    tried += 1;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Closes the connections that no query uses.
    pub(super) fn close(&self) {
        self.idle().clear();
    }

    pub(super) async fn get(
        &self,
        kind: Kind,
        id: &str,
    ) -> Result<Option<Seen<Document>>, StoreError> {
        let parameters: [&(dyn ToSql + Sync); 2] = [&kind.name().as_bytes(), &id.as_bytes()];
        let rows = self.rows(sql::GET, &parameters).await;
        let found = rows.and_then(|rows| rows.first().map(|row| document(kind, row)).transpose());
        found.map_err(|failure| failure.answer())
    }

    pub(super) async fn list(
        &self,
        kind: Kind,
        selection: &Selection,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<Seen<Document>>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let name = kind.name().as_bytes();
        let last = after.map_or("", |position| position.id.as_str());
        let id = last.as_bytes();
        let rows = match selection {
            Selection::All => self.rows(sql::LIST_ALL, &[&name, &id, &limit]).await,
            Selection::Equal(facet, value) => {
                let (facet, value) = (facet.name().as_bytes(), value.as_bytes());
                self.rows(sql::LIST_EQUAL, &[&name, &facet, &value, &id, &limit])
                    .await
            }
            Selection::Between(facet, from, until) => {
                let passed = after.map(|position| (position.value.as_str(), last));
                let (value, id) = passed.unwrap_or_default().max((from, ""));
                let (facet, until) = (facet.name().as_bytes(), until.as_bytes());
                let (value, id) = (value.as_bytes(), id.as_bytes());
                let parameters: [&(dyn ToSql + Sync); 6] =
                    [&name, &facet, &value, &id, &until, &limit];
                self.rows(sql::LIST_BETWEEN, &parameters).await
            }
        };
        let documents = rows.and_then(|rows| rows.iter().map(|row| document(kind, row)).collect());
        documents.map_err(|failure| failure.answer())
    }

    pub(super) async fn events_after(
        &self,
        revision: Revision,
        limit: usize,
    ) -> Result<Vec<Logged>, StoreError> {
        let after = i64::try_from(revision.0).unwrap_or(i64::MAX);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.rows(sql::EVENTS_AFTER, &[&after, &limit]).await;
        let lines = rows.and_then(|rows| rows.iter().map(logged).collect());
        lines.map_err(|failure| failure.answer())
    }

    pub(super) async fn revision(&self) -> Result<Revision, StoreError> {
        let rows = self.rows(sql::HEAD, &[]).await;
        let head = rows.and_then(|rows| super::rows::base(&rows));
        head.map(|base| base.head.revision)
            .map_err(|failure| failure.answer())
    }

    /// Hands over the documents of these kinds as of one moment, as they come, and gives the revision
    /// of that moment. It has a connection of its own, because it may take long.
    pub(super) async fn snapshot(
        &self,
        kinds: &[Kind],
        each: &mut (dyn FnMut(Seen<Document>) + Send),
    ) -> Result<Revision, Failure> {
        let session = self.connector.connect(Purpose::Snapshot, None).await?;
        session
            .run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        // The first statement fixes the moment for the whole transaction.
        let revision = newest(&session).await?;
        let statement = session.prepared(sql::SNAPSHOT).await?;
        for kind in kinds {
            let rows = session
                .client
                .query_raw(&statement, [kind.name().as_bytes()]);
            let mut rows = std::pin::pin!(limited(rows).await?);
            while let Some(row) = limited(rows.try_next()).await? {
                each(document(*kind, &row)?);
            }
        }
        session.run("COMMIT").await?;
        Ok(revision)
    }
}
