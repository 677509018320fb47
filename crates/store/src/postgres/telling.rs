//! How far this process knows the log, and that its followers hear each line once and in order,
//! whether this process wrote it or another one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guestlist_rules::changes::{Changes, Committed, Revision};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::duty::Duty;
use super::rows::{Base, Writer};
use crate::Freshness;
use crate::chain::Head;
use crate::following::Followers;

/// Whether the engine works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Open,
    /// After a failure: the process must be started again.
    Stopped,
}

/// What the tasks of one store share.
pub(super) struct Shared {
    pub(super) followers: Followers,
    known: Mutex<Known>,
    freshness: watch::Sender<Freshness>,
    condition: watch::Sender<Condition>,
    pub(super) duty: Duty,
    /// Wakes the task that follows the log.
    pub(super) wake: Arc<Notify>,
    /// The newest revision that this process wrote, for the other nodes.
    pub(super) written: watch::Sender<Revision>,
}

struct Known {
    /// The newest line that the followers heard of.
    head: Head,
    /// Who wrote it, if that is known.
    writer: Option<Writer>,
}

/// The log is not the one that was followed so far.
#[derive(Debug, thiserror::Error)]
pub(super) enum Rift {
    #[error(
        "the database is at revision {found}, and this node has already seen {known}: it has lost \
         acknowledged changes (a fail-over to a server that lagged, or an older backup)"
    )]
    WentBack { known: Revision, found: Revision },
    #[error(
        "revision {0} of the database is not the one that this node has seen: it holds another \
         history"
    )]
    Replaced(Revision),
    #[error(
        "this node was left behind: what follows revision {0} is no longer kept for it; started \
         again, it reads everything anew"
    )]
    LeftBehind(Revision),
    #[error("revision {0} was written in a way that this version cannot read: {1}")]
    Unreadable(Revision, String),
    #[error("a task of the store has failed")]
    Panic,
}

impl Shared {
    pub(super) fn new(base: Base, duty: Duty) -> Self {
        let freshness = Freshness {
            revision: base.head.revision,
            confirmed: Instant::now(),
        };
        Self {
            followers: Followers::default(),
            known: Mutex::new(Known {
                head: base.head,
                writer: Some(base.writer),
            }),
            freshness: watch::channel(freshness).0,
            condition: watch::channel(Condition::Open).0,
            duty,
            wake: Arc::new(Notify::new()),
            written: watch::channel(base.head.revision).0,
        }
    }

    /// Only a follower can panic under this lock, and then the store stops.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest line that the followers heard of.
    pub(super) fn head(&self) -> Head {
        self.known().head
    }

    /// The same with its writer, if that is known: what a writer may hope to find unchanged.
    pub(super) fn base(&self) -> Option<Base> {
        let known = self.known();
        let head = known.head;
        known.writer.map(|writer| Base { head, writer })
    }

    /// Tells the followers of a line, unless they have heard of it. The lines before it must have
    /// been told.
    pub(super) fn tell(&self, head: Head, changes: Arc<Changes>) -> Result<(), Rift> {
        let mut known = self.known();
        if head.revision <= known.head.revision {
            if head.revision == known.head.revision && head.hash != known.head.hash {
                return Err(Rift::Replaced(head.revision));
            }
            return Ok(());
        }
        if head.revision.0 != known.head.revision.0 + 1 {
            return Err(Rift::LeftBehind(known.head.revision));
        }
        self.followers.tell(&Committed {
            revision: head.revision,
            changes,
        });
        *known = Known { head, writer: None };
        drop(known);
        self.freshness
            .send_modify(|fresh| fresh.revision = head.revision);
        Ok(())
    }

    /// Notes what the head of the database was at a moment, after all its lines were told.
    pub(super) fn confirm(&self, base: Base, moment: Instant) {
        let mut known = self.known();
        if known.head == base.head {
            known.writer = Some(base.writer);
        }
        let is_newest = known.head.revision >= base.head.revision;
        drop(known);
        if is_newest {
            self.freshness
                .send_modify(|fresh| fresh.confirmed = fresh.confirmed.max(moment));
        }
    }

    /// Notes that this process wrote the newest line, and that others have to hear of it.
    pub(super) fn own(&self, base: Base) {
        let mut known = self.known();
        if known.head == base.head {
            known.writer = Some(base.writer);
        }
        drop(known);
        self.written.send_replace(base.head.revision);
    }

    /// Whether a head of the database may follow the lines that were told.
    pub(super) fn check(told: Head, found: Head) -> Result<(), Rift> {
        if found.revision < told.revision {
            return Err(Rift::WentBack {
                known: told.revision,
                found: found.revision,
            });
        }
        if found.revision == told.revision && found.hash != told.hash {
            return Err(Rift::Replaced(told.revision));
        }
        Ok(())
    }

    pub(super) fn freshness(&self) -> Freshness {
        *self.freshness.borrow()
    }

    /// Waits until the followers have heard of a revision.
    pub(super) async fn told(&self, revision: Revision) {
        let mut freshness = self.freshness.subscribe();
        self.wake.notify_one();
        // The sender is in the same place: it is never gone.
        let _gone = freshness.wait_for(|fresh| fresh.revision >= revision).await;
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.condition.borrow() == Condition::Stopped
    }

    /// Ends the store for good.
    pub(super) fn stop(&self, rift: &Rift) {
        if !self.is_stopped() {
            tracing::error!(%rift, "the store has stopped");
        }
        self.condition.send_replace(Condition::Stopped);
    }

    pub(super) fn condition(&self) -> watch::Receiver<Condition> {
        self.condition.subscribe()
    }
}

/// Ends the store for good when a task ends by a panic: a follower may have missed something.
pub(super) struct StopOnPanic(pub(super) Arc<Shared>);

impl Drop for StopOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop(&Rift::Panic);
        }
    }
}
