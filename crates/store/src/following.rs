//! Who is told of committed changes, and how a snapshot and what comes after it are joined.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guestlist_rules::changes::{Committed, Revision};

use crate::{StoreError, Subscriber};

/// How many changes wait for a follower that is still reading its snapshot. One that is slower than
/// this gives up, rather than that the writer waits or the memory fills.
const MOST_WAITING: usize = 65_536;

/// The subscribers of a store.
#[derive(Default)]
pub(crate) struct Followers {
    all: Mutex<Vec<Arc<Follower>>>,
}

/// One subscriber. It is registered before its snapshot is taken, so that nothing is missed; what
/// the snapshot holds already is left out, so that nothing comes twice.
struct Follower {
    sink: Subscriber,
    progress: Mutex<Progress>,
}

enum Progress {
    /// The snapshot is being read: changes wait here.
    Reading(Vec<Committed>),
    /// Everything after this revision is handed on at once.
    Live(Revision),
    /// Gave up, or was dropped while it was reading.
    Gone,
}

/// A follower that reads its snapshot. When it is dropped before [`Joining::finish`], the sink is
/// never called.
pub(crate) struct Joining {
    follower: Arc<Follower>,
}

impl Followers {
    /// Registers a sink; changes that are committed from now on wait for it.
    pub(crate) fn join(&self, sink: Subscriber) -> Joining {
        let progress = Mutex::new(Progress::Reading(Vec::new()));
        let follower = Arc::new(Follower { sink, progress });
        lock(&self.all).push(Arc::clone(&follower));
        Joining { follower }
    }

    /// Tells everyone, in the order they came. Called by the one writer, in the order of revisions.
    pub(crate) fn tell(&self, committed: &Committed) {
        // A sink is called without the list being locked, so that it can start another follower.
        let all: Vec<Arc<Follower>> = lock(&self.all).clone();
        let mut gone = false;
        for follower in &all {
            gone |= follower.tell(committed) == Told::Gone;
        }
        if gone {
            lock(&self.all).retain(|follower| !follower.is_gone());
        }
    }
}

#[derive(PartialEq, Eq)]
enum Told {
    Kept,
    Gone,
}

impl Follower {
    fn tell(&self, committed: &Committed) -> Told {
        let mut progress = lock(&self.progress);
        match &mut *progress {
            Progress::Reading(waiting) if waiting.len() < MOST_WAITING => {
                waiting.push(committed.clone());
                Told::Kept
            }
            Progress::Reading(_) => {
                *progress = Progress::Gone;
                Told::Gone
            }
            Progress::Live(from) => {
                if committed.revision > *from {
                    (self.sink)(committed);
                }
                Told::Kept
            }
            Progress::Gone => Told::Gone,
        }
    }

    fn is_gone(&self) -> bool {
        matches!(*lock(&self.progress), Progress::Gone)
    }
}

impl Joining {
    /// Hands on what was committed after the snapshot, and from then on everything at once. The
    /// writer waits meanwhile.
    pub(crate) fn finish(self, snapshot: Revision) -> Result<(), StoreError> {
        let mut progress = lock(&self.follower.progress);
        let Progress::Reading(waiting) = &*progress else {
            return Err(StoreError::Unavailable(Some(
                "the snapshot was read too slowly to keep up with the changes".into(),
            )));
        };
        for committed in waiting
            .iter()
            .filter(|committed| committed.revision > snapshot)
        {
            (self.follower.sink)(committed);
        }
        *progress = Progress::Live(snapshot);
        Ok(())
    }
}

impl Drop for Joining {
    fn drop(&mut self) {
        let mut progress = lock(&self.follower.progress);
        if matches!(*progress, Progress::Reading(_)) {
            *progress = Progress::Gone;
        }
    }
}

/// Only a sink can panic under these locks. Each is left as it was, and the writer stops.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
