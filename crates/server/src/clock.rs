//! The clock: the only place that reads the time of day.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use guestlist_api::times::Timestamp;

/// Where the time comes from.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    /// Milliseconds since the Unix epoch, moved by hand.
    Still(Arc<AtomicI64>),
}

impl Clock {
    /// The clock of the machine.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until it is moved, for tests. Clones share the time.
    pub fn still(start: Timestamp) -> Self {
        Self(Source::Still(Arc::new(AtomicI64::new(
            start.milliseconds(),
        ))))
    }

    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "this is the clock")]
            Source::System => Timestamp::from_milliseconds(jiff::Timestamp::now().as_millisecond()),
            Source::Still(time) => Timestamp::from_milliseconds(time.load(Ordering::SeqCst)),
        }
    }

    /// Moves a still clock; the clock of the machine is not moved.
    pub fn advance(&self, milliseconds: i64) {
        match &self.0 {
            Source::System => {}
            Source::Still(time) => {
                time.fetch_add(milliseconds, Ordering::SeqCst);
            }
        }
    }
}
