//! Time: the only file of the chores that reads a clock or sleeps; every wait has a limit.

use std::time::{Duration, Instant};

/// Measures how long a part took, and tells when its time is up.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "chores have no injected clock")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Asks again and again until there is an answer, at most for `limit`.
///
/// For another process's state, which has no event to wait for.
pub(crate) fn until<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let watch = Stopwatch::start();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if watch.elapsed() >= limit {
            return None;
        }
        pause(Duration::from_millis(25));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "another process's state has no event to wait for"
)]
fn pause(length: Duration) {
    std::thread::sleep(length);
}
