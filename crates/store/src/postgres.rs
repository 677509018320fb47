//! The engine for several nodes: one PostgreSQL database, which every node writes and follows.
//!
//! All writers move the one row of the head, so that commits are serial and the log has no gaps;
//! each node reads what the others wrote from the log and tells its followers, in order. What is
//! distributed is the database's work, and nothing here replicates anything. Why it is so:
//! `docs/decisions/0019-postgresql.md`.

mod address;
mod batch;
mod carrying;
mod change;
mod committing;
mod connecting;
mod duty;
mod failure;
mod judging;
mod passwords;
mod reading;
mod rows;
mod schema;
mod statements;
mod tailing;
mod telling;
mod tls;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use guestlist_rules::changes::{Changes, Document, Kind, Revision, Seen};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

pub use self::address::{PostgresAddress, PostgresAddressError};
use self::change::Texts;
use self::connecting::{Connector, Purpose, Session};
use self::duty::Duty;
use self::failure::Failure;
use self::reading::Readers;
use self::schema::Unready;
pub use self::schema::{Migrate, Migrated, PostgresOpenError};
use self::tailing::{Kept, Tail};
use self::telling::{Condition, Shared};
use self::writer::{Choices, Job, Message, Writer};
use crate::admission::admit;
use crate::{Applied, Freshness, Logged, Position, Selection, Store, StoreError, Subscriber};

/// How many changes wait for the task that writes; further callers wait to be let in.
const QUEUE: usize = 1024;
/// How many KiB of changes wait for it, and are under way: 64 MiB.
const ROOM: u32 = 64 << 10;
/// How long a caller waits to be let in. Once a change is in the queue its outcome is waited for:
/// giving up then would leave it unknown.
const ADMISSION: Duration = Duration::from_secs(10);

/// How long an end waits until the other nodes can be told of it.
const LEAVING: Duration = Duration::from_secs(2);

/// The store in a database.
pub struct PostgresStore {
    connector: Arc<Connector>,
    queue: Mutex<Option<mpsc::Sender<Message>>>,
    room: Arc<Semaphore>,
    shared: Arc<Shared>,
    readers: Readers,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// The tasks that follow and notify.
    beside: [JoinHandle<()>; 2],
}

/// What a start chooses.
#[derive(Debug, Clone, Copy, Default)]
pub struct PostgresOptions {
    migrate: Migrate,
    kept: Kept,
    choices: Choices,
}

impl PostgresOptions {
    /// What to do about older tables.
    #[must_use]
    pub fn migrate(mut self, migrate: Migrate) -> Self {
        self.migrate = migrate;
        self
    }

    /// How many of the newest changes are kept for nodes that lag, however new they are.
    #[cfg(feature = "suite")]
    #[must_use]
    pub fn most_kept(mut self, most: u64) -> Self {
        self.kept = Kept { least: most, most };
        self
    }

    /// How long the outcome of a commit that was cut off is looked for.
    #[cfg(feature = "suite")]
    #[must_use]
    pub fn finding_out(mut self, longest: Duration) -> Self {
        self.choices.finding_out = longest;
        self
    }

    /// Writes as a node does that has just met another one.
    #[cfg(feature = "suite")]
    #[must_use]
    pub fn always_locking(mut self) -> Self {
        self.choices.always_locks = true;
        self
    }
}

impl PostgresStore {
    /// Connects to the database, and makes the tables if there are none. Its tasks live in the
    /// runtime of the caller, which needs time and I/O enabled.
    pub async fn open(
        address: &PostgresAddress,
        options: PostgresOptions,
    ) -> Result<Self, PostgresOpenError> {
        let connector = Arc::new(Connector::new(address.clone()));
        let told = |failure: &Failure| refused(address, failure);
        let (session, _migrated) = ready(&connector, options.migrate).await?;
        let rows = session.query(statements::HEAD, &[]).await;
        let base = rows
            .and_then(|rows| rows::base(&rows))
            .map_err(|failure| told(&failure))?;
        drop(session);
        let duty = Duty::new().map_err(|failure| told(&failure))?;
        let shared = Arc::new(Shared::new(base, duty));
        let (queue, received) = mpsc::channel(QUEUE);
        let writer = Writer::new(
            Arc::clone(&connector),
            Arc::clone(&shared),
            received,
            options.choices,
        );
        let tail = Tail {
            connector: Arc::clone(&connector),
            shared: Arc::clone(&shared),
            kept: options.kept,
        };
        let notifying = tailing::notify(Arc::clone(&connector), Arc::clone(&shared));
        let home = connector.home().clone();
        Ok(Self {
            connector: Arc::clone(&connector),
            queue: Mutex::new(Some(queue)),
            room: Arc::new(Semaphore::new(usize::try_from(ROOM).unwrap_or(usize::MAX))),
            readers: Readers::new(connector),
            writer: Mutex::new(Some(home.spawn(writer.run()))),
            beside: [home.spawn(tail.run()), home.spawn(notifying)],
            shared,
        })
    }

    /// Brings the tables up to date, or only looks at them. Nodes may go on meanwhile.
    pub async fn migrate(
        address: &PostgresAddress,
        migrate: Migrate,
    ) -> Result<Migrated, PostgresOpenError> {
        let connector = Arc::new(Connector::new(address.clone()));
        let (_session, migrated) = ready(&connector, migrate).await?;
        Ok(migrated)
    }

    /// A place in the queue of the task that writes.
    async fn place(&self) -> Result<mpsc::OwnedPermit<Message>, StoreError> {
        if self.shared.is_stopped() {
            return Err(StoreError::Stopped);
        }
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let queue = queue.ok_or(StoreError::Stopped)?;
        match tokio::time::timeout(ADMISSION, queue.reserve_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_closed)) => Err(StoreError::Stopped),
            Err(elapsed) => Err(StoreError::Unavailable(Some(elapsed.into()))),
        }
    }

    /// Room in the queue for so many bytes. A change is never larger than all the room.
    async fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, StoreError> {
        let unavailable = |error| StoreError::Unavailable(Some(error));
        let wanted = u32::try_from(bytes >> 10).unwrap_or(ROOM).clamp(1, ROOM);
        let waiting = Arc::clone(&self.room).acquire_many_owned(wanted);
        match tokio::time::timeout(ADMISSION, waiting).await {
            Ok(room) => room.map_err(|closed| unavailable(closed.into())),
            Err(elapsed) => Err(unavailable(elapsed.into())),
        }
    }

    fn end_queue(&self) -> Option<JoinHandle<()>> {
        drop(
            self.queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        self.writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn end_beside(&self) {
        for task in &self.beside {
            task.abort();
        }
        self.readers.close();
    }
}

fn refused(address: &PostgresAddress, failure: &Failure) -> PostgresOpenError {
    PostgresOpenError::Database {
        address: address.to_string(),
        reason: failure.to_string(),
    }
}

/// A connection to a database whose tables are those of this version.
async fn ready(
    connector: &Arc<Connector>,
    migrate: Migrate,
) -> Result<(Session, Migrated), PostgresOpenError> {
    let address = connector.address();
    let told = |failure: &Failure| refused(address, failure);
    let session = connector
        .connect(Purpose::Migration, None)
        .await
        .map_err(|failure| told(&failure))?;
    if let (Some(schema), Migrate::Auto) = (&address.schema, migrate) {
        schema::make_schema(&session, schema)
            .await
            .map_err(|failure| told(&failure))?;
    }
    match schema::prepare(&session, migrate).await {
        Ok(migrated) => Ok((session, migrated)),
        Err(Unready::Version(error)) => Err(error),
        Err(Unready::Failed(failure)) => Err(told(&failure)),
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Seen<Document>>, StoreError> {
        self.readers.get(kind, id).await
    }

    async fn list(
        &self,
        kind: Kind,
        selection: &Selection,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<Seen<Document>>, StoreError> {
        self.readers.list(kind, selection, after, limit).await
    }

    async fn apply(&self, changes: Changes) -> Result<Applied, StoreError> {
        admit(&changes)?;
        let texts = Texts::of(&changes)?;
        let room = self.room(texts.bytes).await?;
        let place = self.place().await?;
        let (answer, outcome) = oneshot::channel();
        place.send(Message::Apply(Job {
            changes: Arc::new(changes),
            texts,
            _room: room,
            answer,
        }));
        // Without an answer the task that writes has failed in the middle of something.
        outcome.await.unwrap_or(Err(StoreError::Unknown(None)))
    }

    async fn events_after(
        &self,
        revision: Revision,
        limit: usize,
    ) -> Result<Vec<Logged>, StoreError> {
        self.readers.events_after(revision, limit).await
    }

    async fn revision(&self) -> Result<Revision, StoreError> {
        self.readers.revision().await
    }

    async fn follow(
        &self,
        kinds: &[Kind],
        each: &mut (dyn FnMut(Seen<Document>) + Send),
        sink: Subscriber,
    ) -> Result<Revision, StoreError> {
        let joining = self.shared.followers.join(sink);
        let revision = self
            .readers
            .snapshot(kinds, each)
            .await
            .map_err(|failure| failure.answer())?;
        joining.finish(revision)?;
        Ok(revision)
    }

    fn freshness(&self) -> Option<Freshness> {
        Some(self.shared.freshness())
    }

    fn is_on_duty(&self) -> bool {
        self.shared.duty.is_held()
    }

    async fn caught_up_to(&self, revision: Revision, within: Duration) -> Result<bool, StoreError> {
        if self.shared.freshness().revision >= revision {
            return Ok(true);
        }
        let told = self.shared.told(revision);
        Ok(tokio::time::timeout(within, told).await.is_ok())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let place = self.place().await?;
        let (answer, outcome) = oneshot::channel();
        place.send(Message::Ping(answer));
        match tokio::time::timeout(ADMISSION, outcome).await {
            Ok(answer) => answer.unwrap_or(Err(StoreError::Stopped)),
            Err(elapsed) => Err(StoreError::Unavailable(Some(elapsed.into()))),
        }
    }

    async fn close(&self) -> Result<(), StoreError> {
        let Some(writer) = self.end_queue() else {
            return Ok(());
        };
        // A panic of that task has been told by its last words, and all its changes answered.
        let _ended = writer.await;
        self.end_beside();
        if self.shared.duty.is_held() {
            let leaving = Tail::leave(&self.connector, &self.shared);
            let _late = tokio::time::timeout(LEAVING, leaving).await;
        }
        Ok(())
    }

    async fn stopped(&self) {
        let mut condition = self.shared.condition();
        if condition
            .wait_for(|now| *now == Condition::Stopped)
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
    }
}

/// What was accepted is still finished by the task that writes.
impl Drop for PostgresStore {
    fn drop(&mut self) {
        drop(self.end_queue());
        self.end_beside();
    }
}
