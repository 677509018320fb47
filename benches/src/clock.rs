//! Time: the only file here that reads a clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time since some moment.
#[derive(Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "measuring is the purpose")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// The time since the start, or since it was last asked.
    pub fn lap(&mut self) -> Duration {
        let now = Self::start();
        let lap = now.0.duration_since(self.0);
        *self = now;
        lap
    }
}

/// Seconds since the Unix epoch, for the claims of a token.
#[expect(clippy::disallowed_methods, reason = "tokens must be of this moment")]
pub fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
