//! The engine for one machine: SQLite in one directory, with nothing to set up.
//!
//! One thread writes and makes the changes that arrive together durable together; reads go beside
//! it. After an error of the disk it takes no more writes, because an fsync that failed once is
//! never trusted to have worked later; reads go on until the server ends.

mod backup;
mod change;
mod checkpoint;
mod contents;
mod exporting;
mod facets;
mod failure;
mod holding;
mod importing;
mod placing;
mod reading;
mod restore;
mod schema;
mod writer;

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use guestlist_rules::changes::{Changes, Document, Kind, Revision, Seen};
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use self::backup::tell;
pub use self::backup::{BackedUp, BackupError, Existing, backup};
use self::change::Texts;
use self::checkpoint::Checkpoints;
pub use self::contents::{Contents, Progress};
pub(crate) use self::contents::{ROWS, Watch};
pub use self::exporting::export;
pub use self::holding::HeldWrites;
pub use self::importing::ExportFile;
use self::reading::{Part, Readers};
pub use self::restore::{BackupFile, Restored, refuse_in_use};
use self::writer::{Condition, Job, Message, Writer};
use crate::admission::admit;
use crate::following::Followers;
use crate::{Applied, Logged, Position, Selection, Store, StoreError, Subscriber};

const LOCK_FILE: &str = "guestlist.lock";
/// How many changes wait for the thread that writes; further callers wait to be let in.
const QUEUE: usize = 1024;
/// How long a caller waits to be let in. Once a change is in the queue its outcome is waited for:
/// giving up then would leave it unknown.
const ADMISSION: Duration = Duration::from_secs(10);
/// Frames of the write-ahead log (4 KiB each) after which it is copied into the database.
const CHECKPOINT: u32 = 3000;

/// Why a directory could not be opened as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{path} cannot be used: {error}", path = path.display())]
    Directory {
        path: PathBuf,
        #[source]
        error: io::Error,
    },
    #[error(
        "{path} is in use by another Guestlist process; stop it, or choose another directory",
        path = path.display()
    )]
    InUse { path: PathBuf },
    #[error(
        "the database was written by a newer Guestlist (schema {found}, this one knows {known}); \
         start the newer version, nothing was changed"
    )]
    Newer { found: i64, known: u32 },
    #[error("{path} is a database, but not one of Guestlist; nothing was changed", path = path.display())]
    Foreign { path: PathBuf },
    #[error(
        "the file system of {path} does not carry SQLite's write-ahead log (a network drive?); \
         choose a directory on a local disk",
        path = path.display()
    )]
    NoWriteAheadLog { path: PathBuf },
    #[error(
        "this program was linked with SQLite {version}, which can damage databases; \
         3051003 (3.51.3) is the oldest that is accepted"
    )]
    OldLibrary { version: i32 },
    #[error("the database cannot be opened: {0}")]
    Database(#[from] rusqlite::Error),
}

/// How much a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// Every commit is on the disk before it is answered.
    Full,
    /// Loses acknowledged changes at a power cut: the control of the power-cut test.
    #[cfg(feature = "suite")]
    Normal,
}

/// What only tests choose; the server takes the default.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    synchronous: Synchronous,
    checkpoint: u32,
    most_pages: Option<u32>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            checkpoint: CHECKPOINT,
            most_pages: None,
        }
    }
}

#[cfg(feature = "suite")]
impl OpenOptions {
    #[must_use]
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Frames of the write-ahead log after which it is copied into the database.
    #[must_use]
    pub fn checkpoint(mut self, frames: u32) -> Self {
        self.checkpoint = frames;
        self
    }

    /// The largest size of the database, in pages of 4 KiB: a disk that is full.
    #[must_use]
    pub fn most_pages(mut self, pages: u32) -> Self {
        self.most_pages = Some(pages);
        self
    }
}

/// The store in a directory. Needs a tokio runtime with time enabled.
pub struct EmbeddedStore {
    queue: Mutex<Option<mpsc::Sender<Message>>>,
    condition: watch::Receiver<Condition>,
    readers: Readers,
    followers: Arc<Followers>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl EmbeddedStore {
    /// Opens the store in this directory, and makes both if there is none. Takes the time of a few
    /// reads and writes of the disk.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        Self::open_with(directory, &OpenOptions::default())
    }

    /// Opens the store with choices of a test.
    pub fn open_with(directory: &Path, options: &OpenOptions) -> Result<Self, OpenError> {
        let lock = prepare(directory)?;
        let connection = schema::open_writer(directory, options)?;
        let newest = reading::head(&connection)?;
        let (queue, received) = mpsc::channel(QUEUE);
        let (changed, condition) = watch::channel(Condition::Open);
        let followers = Arc::new(Followers::default());
        let checkpoints = Checkpoints::every(options.checkpoint);
        let told = Arc::clone(&followers);
        let writer = Writer::new(connection, newest, told, changed, checkpoints);
        let work = move || {
            writer.run(received);
            // Held until the connection is closed.
            drop(lock);
        };
        let thread = std::thread::Builder::new()
            .name("store writer".to_owned())
            .spawn(work)
            .map_err(|error| OpenError::Directory {
                path: directory.to_owned(),
                error,
            })?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            condition,
            readers: Readers::new(directory.join(schema::FILE)),
            followers,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// A place in the queue of the thread that writes.
    async fn place(&self) -> Result<mpsc::OwnedPermit<Message>, StoreError> {
        if *self.condition.borrow() == Condition::Stopped {
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

    fn end_queue(&self) -> Option<JoinHandle<()>> {
        drop(
            self.queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        self.thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Seen<Document>>, StoreError> {
        let id = id.to_owned();
        self.readers
            .read(move |connection| reading::get(connection, kind, &id))
            .await
    }

    async fn list(
        &self,
        kind: Kind,
        selection: &Selection,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<Seen<Document>>, StoreError> {
        let (selection, after) = (selection.clone(), after.cloned());
        let query = move |connection: &_| {
            reading::list(connection, kind, &selection, after.as_ref(), limit)
        };
        self.readers.read(query).await
    }

    async fn apply(&self, changes: Changes) -> Result<Applied, StoreError> {
        admit(&changes)?;
        let texts = Texts::of(&changes)?;
        let place = self.place().await?;
        let (answer, outcome) = oneshot::channel();
        place.send(Message::Apply(Job {
            changes: Arc::new(changes),
            texts,
            answer,
        }));
        // Without an answer the thread that writes has failed in the middle of something.
        outcome.await.unwrap_or(Err(StoreError::Unknown(None)))
    }

    async fn events_after(
        &self,
        revision: Revision,
        limit: usize,
    ) -> Result<Vec<Logged>, StoreError> {
        self.readers
            .read(move |connection| reading::events_after(connection, revision, limit))
            .await
    }

    async fn revision(&self) -> Result<Revision, StoreError> {
        self.readers.read(reading::revision).await
    }

    async fn follow(
        &self,
        kinds: &[Kind],
        each: &mut (dyn FnMut(Seen<Document>) + Send),
        sink: Subscriber,
    ) -> Result<Revision, StoreError> {
        let joining = self.followers.join(sink);
        let mut snapshot = self.readers.snapshot(kinds);
        while let Some(part) = snapshot.recv().await {
            match part {
                Part::Documents(documents) => documents.into_iter().for_each(&mut *each),
                Part::Failed(error) => return Err(error),
                Part::End(revision) => {
                    joining.finish(revision)?;
                    return Ok(revision);
                }
            }
        }
        Err(StoreError::Unavailable(Some(
            "the snapshot ended early".into(),
        )))
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
        let Some(thread) = self.end_queue() else {
            return Ok(());
        };
        self.readers.close();
        // A panic of that thread has been told by its last words, and all its changes answered.
        match tokio::task::spawn_blocking(|| thread.join()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(StoreError::Unavailable(Some(error.into()))),
        }
    }

    async fn stopped(&self) {
        let mut condition = self.condition.clone();
        if condition
            .wait_for(|now| *now == Condition::Stopped)
            .await
            .is_err()
        {
            // Closed in good order: it will never have stopped.
            std::future::pending::<()>().await;
        }
    }
}

/// Finishes what was accepted, so that the directory can be opened again at once.
impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        let Some(thread) = self.end_queue() else {
            return;
        };
        self.readers.close();
        // A subscriber may own the last handle: a thread cannot wait for itself.
        if thread.thread().id() != std::thread::current().id() {
            drop(thread.join());
        }
    }
}

/// The lock of a directory. It ends with the process at the latest.
struct DirectoryLock(File);

impl Drop for DirectoryLock {
    /// Closing the file would not be enough while a process that was just forked still has a copy.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the lock of the store was not given back");
        }
    }
}

/// Makes the directory and takes its lock.
fn prepare(directory: &Path) -> Result<DirectoryLock, OpenError> {
    let failed = |error| OpenError::Directory {
        path: directory.to_owned(),
        error,
    };
    make_durable(directory).map_err(failed)?;
    let mut options = File::options();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let lock = options
        .create(true)
        .truncate(false)
        .write(true)
        .open(directory.join(LOCK_FILE))
        .map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(OpenError::InUse {
                path: directory.to_owned(),
            });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let lock = DirectoryLock(lock);
    // A restore that was broken off when its files were complete.
    placing::finish(directory).map_err(failed)?;
    Ok(lock)
}

/// Makes the directory, and what leads to it, and makes that durable: SQLite does it for its files
/// in their directory, but not for the directory in its own.
fn make_durable(directory: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = directory
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
        .collect();
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(directory)?;
    for made in missing {
        let parent = made.parent().filter(|path| !path.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}
