//! Engines that are made awkward: one that lets others go first, one that fails at a step, and as
//! controls one that forgets conditions and one that writes half.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use guestlist_rules::changes::{Changes, Document, Kind, Revision, Seen};
use guestlist_store::{Applied, Logged, Position, Selection, Store, StoreError, Subscriber};
use tokio::sync::Notify;

/// Whether an engine keeps its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conditions {
    Kept,
    /// The control: every change is written, whatever it rested on.
    Forgotten,
}

/// An engine that lets others go first, before and after each look and each write, by dice.
pub(crate) struct Shuffled {
    inner: Arc<dyn Store>,
    conditions: Conditions,
    /// Numbers that are the same every time (xorshift64).
    dice: Mutex<u64>,
    conflicts: AtomicU64,
}

impl Shuffled {
    pub(crate) fn new(inner: Arc<dyn Store>, conditions: Conditions) -> Self {
        Self {
            inner,
            conditions,
            dice: Mutex::new(0x5eed_0030),
            conflicts: AtomicU64::new(0),
        }
    }

    /// How often something had changed between a look and a write.
    pub(crate) fn conflicts(&self) -> u64 {
        self.conflicts.load(Ordering::Relaxed)
    }

    pub(crate) async fn let_others_go(&self) {
        let steps = {
            let mut dice = self.dice.lock().unwrap();
            *dice ^= *dice << 13;
            *dice ^= *dice >> 7;
            *dice ^= *dice << 17;
            *dice % 4
        };
        for _ in 0..steps {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl Store for Shuffled {
    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Seen<Document>>, StoreError> {
        self.let_others_go().await;
        let seen = self.inner.get(kind, id).await;
        self.let_others_go().await;
        seen
    }

    async fn list(
        &self,
        kind: Kind,
        selection: &Selection,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<Seen<Document>>, StoreError> {
        self.inner.list(kind, selection, after, limit).await
    }

    async fn apply(&self, mut changes: Changes) -> Result<Applied, StoreError> {
        self.let_others_go().await;
        if self.conditions == Conditions::Forgotten {
            changes.expect.clear();
        }
        let applied = self.inner.apply(changes).await;
        if matches!(applied, Ok(Applied::Conflict { .. })) {
            self.conflicts.fetch_add(1, Ordering::Relaxed);
        }
        self.let_others_go().await;
        applied
    }

    async fn events_after(
        &self,
        revision: Revision,
        limit: usize,
    ) -> Result<Vec<Logged>, StoreError> {
        self.inner.events_after(revision, limit).await
    }

    async fn revision(&self) -> Result<Revision, StoreError> {
        self.inner.revision().await
    }

    async fn follow(
        &self,
        kinds: &[Kind],
        each: &mut (dyn FnMut(Seen<Document>) + Send),
        sink: Subscriber,
    ) -> Result<Revision, StoreError> {
        self.inner.follow(kinds, each, sink).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }

    async fn stopped(&self) {
        self.inner.stopped().await;
    }
}

/// What goes wrong with one call of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The store does not answer, and nothing was written.
    Unavailable,
    /// The disk is full, and nothing was written.
    Full,
    /// It is not known whether it was written: it was not.
    LostBefore,
    /// It is not known whether it was written: it was.
    LostAfter,
    /// Something else was written in between.
    Conflict,
    /// The caller goes away, before the call or after it.
    GoneBefore,
    GoneAfter,
    /// The control: half of the change is written.
    Half,
}

/// The call that goes wrong, of the task that runs within [`FAULTS`].
pub(crate) struct Faults {
    pub(crate) fault: Fault,
    /// Counted from 0.
    pub(crate) step: u64,
    pub(crate) calls: AtomicU64,
    /// Told when the caller goes away.
    pub(crate) gone: Notify,
}

impl Faults {
    pub(crate) fn at(step: u64, fault: Fault) -> Arc<Self> {
        Arc::new(Self {
            fault,
            step,
            calls: AtomicU64::new(0),
            gone: Notify::new(),
        })
    }

    /// Whether the step was reached at all.
    pub(crate) fn struck(&self) -> bool {
        self.calls.load(Ordering::Relaxed) > self.step
    }
}

tokio::task_local! {
    /// What goes wrong for this task, and for no other.
    pub(crate) static FAULTS: Arc<Faults>;
}

/// The fault of the call that is made now, if it is its turn.
fn fault() -> Option<(Fault, Arc<Faults>)> {
    let faults = FAULTS.try_with(Arc::clone).ok()?;
    let call = faults.calls.fetch_add(1, Ordering::Relaxed);
    (call == faults.step).then(|| (faults.fault, faults))
}

async fn go_away<T>(faults: &Faults) -> T {
    faults.gone.notify_one();
    std::future::pending().await
}

/// An engine that fails as [`FAULTS`] says.
pub(crate) struct Faulty {
    inner: Arc<dyn Store>,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl Store for Faulty {
    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Seen<Document>>, StoreError> {
        let Some((fault, faults)) = fault() else {
            return self.inner.get(kind, id).await;
        };
        match fault {
            Fault::Unavailable | Fault::Full | Fault::LostBefore | Fault::LostAfter => {
                Err(StoreError::Unavailable(None))
            }
            Fault::GoneBefore => go_away(&faults).await,
            Fault::GoneAfter => {
                let _seen = self.inner.get(kind, id).await;
                go_away(&faults).await
            }
            // They are faults of writing.
            Fault::Conflict | Fault::Half => self.inner.get(kind, id).await,
        }
    }

    async fn list(
        &self,
        kind: Kind,
        selection: &Selection,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<Seen<Document>>, StoreError> {
        if fault().is_some() {
            return Err(StoreError::Unavailable(None));
        }
        self.inner.list(kind, selection, after, limit).await
    }

    async fn apply(&self, mut changes: Changes) -> Result<Applied, StoreError> {
        let Some((fault, faults)) = fault() else {
            return self.inner.apply(changes).await;
        };
        match fault {
            Fault::Unavailable => Err(StoreError::Unavailable(None)),
            Fault::Full => Err(StoreError::Full(None)),
            Fault::LostBefore => Err(StoreError::Unknown(None)),
            Fault::LostAfter => {
                self.inner.apply(changes).await?;
                Err(StoreError::Unknown(None))
            }
            Fault::Conflict => {
                let (kind, id, expected) = changes.expect.swap_remove(0);
                Ok(Applied::Conflict { kind, id, expected })
            }
            Fault::GoneBefore => go_away(&faults).await,
            Fault::GoneAfter => {
                self.inner.apply(changes).await?;
                go_away(&faults).await
            }
            Fault::Half => {
                changes.write.truncate(1);
                self.inner.apply(changes).await?;
                Err(StoreError::Unknown(None))
            }
        }
    }

    async fn events_after(
        &self,
        revision: Revision,
        limit: usize,
    ) -> Result<Vec<Logged>, StoreError> {
        self.inner.events_after(revision, limit).await
    }

    async fn revision(&self) -> Result<Revision, StoreError> {
        self.inner.revision().await
    }

    async fn follow(
        &self,
        kinds: &[Kind],
        each: &mut (dyn FnMut(Seen<Document>) + Send),
        sink: Subscriber,
    ) -> Result<Revision, StoreError> {
        self.inner.follow(kinds, each, sink).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }

    async fn stopped(&self) {
        self.inner.stopped().await;
    }
}
