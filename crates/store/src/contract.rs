//! The trait [`Store`] and what every engine promises.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use guestlist_api::chain::ChainHash;
use guestlist_rules::changes::{
    Changes, Committed, Document, Event, Expect, Facet, Kind, Revision, Seen,
};
use tokio::time::Instant;

/// Called for every committed change, in the order of revisions. Must be quick and must not block.
pub type Subscriber = Arc<dyn Fn(&Committed) + Send + Sync>;

/// Which documents of a kind to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All of the kind, in the byte order of ids.
    All,
    /// Those whose facet has this value, in the byte order of ids.
    Equal(Facet, String),
    /// Those whose facet lies in `from..until` (bytes), in the order of (value, id).
    Between(Facet, String, String),
}

/// Where a page begins: after this document. `value` is the facet's value for
/// [`Selection::Between`], and empty otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub value: String,
    pub id: String,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// Durable, at this revision.
    Done(Revision),
    /// Nothing was written: this expectation no longer holds.
    Conflict {
        kind: Kind,
        id: String,
        expected: Expect,
    },
}

/// A line of the event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    pub revision: Revision,
    pub event: Event,
    /// The documents the change wrote or deleted.
    pub touched: Vec<(Kind, String)>,
    /// Of the event and all before it.
    pub hash: ChainHash,
}

/// Why a store could not answer. Nothing was written, except after [`StoreError::Unknown`].
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room for the write. Reads go on; writes work again when there is room.
    #[error("no space left for the store")]
    Full(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
    /// The store cannot be reached or read just now.
    #[error("the store did not answer")]
    Unavailable(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
    /// The write may or may not have happened, wholly. An engine that keeps its own files takes no
    /// more writes until it is opened again (an fsync that failed once is never trusted to have
    /// worked later), and then shows which it was. An engine on a database goes on when the database
    /// answers again: a write that was still under way has then happened before all later ones, or
    /// never happens.
    #[error("the outcome of the write is not known")]
    Unknown(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
    /// The engine has stopped taking writes after an earlier failure.
    #[error("the store takes no more writes until the server is started again")]
    Stopped,
    /// What is stored is not what this version writes.
    #[error("the store holds something this version cannot read: {0}")]
    Damaged(String),
}

/// How far the subscribers of this process have followed a log that others write too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// The newest revision that they were called for (or that they began after).
    pub revision: Revision,
    /// When that was last known to be the newest revision of all: what was committed before this
    /// moment, they have been called for.
    pub confirmed: Instant,
}

impl Freshness {
    /// How long ago it was last known that nothing is missing.
    pub fn age(&self) -> Duration {
        self.confirmed.elapsed()
    }
}

/// A place that keeps documents and an event log.
///
/// # Contract
///
/// 1. **All or nothing.** `apply` writes everything a [`Changes`] names, and its event, or nothing.
///    A future that is dropped before it finished leaves all or nothing behind, never a part.
/// 2. **Conditional.** A change is applied only if each of its expectations holds at that moment,
///    in one serial order of all changes: also for documents it does not write. A document that is
///    written without an expectation is written whatever was there before; one that is deleted may
///    be absent. A document is named at most once among `write` and `delete`.
/// 3. **Durable.** When `apply` answers [`Applied::Done`], the change survives a killed process and
///    a power cut (except in engines that say they keep nothing).
/// 4. **Gap-free log.** Each applied change takes the next [`Revision`], counting from 1; a
///    conflict takes none. The mark of each written document is that revision.
/// 5. **Reads see what was acknowledged.** A `get`, `list`, `follow` or `events_after` that begins
///    after an `apply` was answered sees it.
/// 6. **Subscribers first.** When `apply` answers `Done`, every subscriber of this process has been
///    called for this and all earlier revisions, in order, each once. The same holds when it answers
///    `Conflict`, for the change that caused the conflict.
/// 7. **Bounded.** `list` and `events_after` return at most `limit`; a change is at most a few MiB.
/// 8. **Bytes.** Ids, facet values and bodies are kept byte for byte; order is byte order; nothing
///    is folded, trimmed or normalised.
/// 9. **Breaches are refused.** A change that names a document twice, an id that is empty, too long
///    or has a NUL, or a change that is too large is answered [`StoreError::Unavailable`] with the
///    reason, and nothing is written. After `close`, every `apply` is answered
///    [`StoreError::Stopped`].
/// 10. **Chained log.** The hash of a line is the SHA-256 of its event's
///     [link](guestlist_api::chain::CanonicalEvent::link) to the hash of the line before it. It is
///     written with the line and never computed anew.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The document, if there is one.
    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Seen<Document>>, StoreError>;

    /// A page of documents.
    async fn list(
        &self,
        kind: Kind,
        selection: &Selection,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<Seen<Document>>, StoreError>;

    /// Applies a change, see the contract.
    async fn apply(&self, changes: Changes) -> Result<Applied, StoreError>;

    /// The log after a revision, oldest first.
    async fn events_after(
        &self,
        revision: Revision,
        limit: usize,
    ) -> Result<Vec<Logged>, StoreError>;

    /// The newest revision.
    async fn revision(&self) -> Result<Revision, StoreError>;

    /// Calls `each` for every document of the kinds as of one moment, and then subscribes `sink` to
    /// everything that is committed after that moment: nothing is missed and nothing comes twice.
    /// `sink` is called only after the last `each`. Returns the revision of that moment.
    async fn follow(
        &self,
        kinds: &[Kind],
        each: &mut (dyn FnMut(Seen<Document>) + Send),
        sink: Subscriber,
    ) -> Result<Revision, StoreError>;

    /// How far this process has followed what other processes write. `None` where no other process
    /// writes: then nothing is ever missing.
    fn freshness(&self) -> Option<Freshness> {
        None
    }

    /// Whether this process is the one among several that does what one is to do for all. It changes in
    /// time: when that process ends or does not answer, another is. For a moment there may be none, and
    /// after a halt of a process two.
    fn is_on_duty(&self) -> bool {
        // Nobody else is there.
        true
    }

    /// Waits until the subscribers of this process have been called for this revision and all
    /// before it. Gives false if that took longer than `within`, or if there is no such revision yet.
    async fn caught_up_to(&self, revision: Revision, within: Duration) -> Result<bool, StoreError> {
        // Without other processes they are called before an `apply` is answered.
        match tokio::time::timeout(within, self.revision()).await {
            Ok(newest) => Ok(newest? >= revision),
            Err(_elapsed) => Ok(false),
        }
    }

    /// Whether the store can take a write now.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Finishes what was accepted and takes no more writes.
    async fn close(&self) -> Result<(), StoreError>;

    /// Resolves when the engine has stopped for good after a failure; the server then ends, so that
    /// it is started again on what is really on the disk.
    async fn stopped(&self);
}
