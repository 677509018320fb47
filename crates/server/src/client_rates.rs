//! How many requests a service client has made of those its rate limit allows, in memory.
//!
//! One small counter for each client that has a limit, so it is bounded by what is stored. A start
//! of the server begins anew.

use std::sync::{Mutex, PoisonError};

use guestlist_api::clients::{ClientRateLimit, RateLimitDuration};
use guestlist_api::times::Timestamp;

use crate::rate::RetryAfter;

const MINUTE: i64 = 60 * 1000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What a client may do in a time, and what it has done.
///
/// The time begins with the first request after the last one ended: so a client that keeps to its
/// quota is never refused, and one that was refused knows when it may go on.
#[derive(Debug)]
pub struct Usage {
    quota: u32,
    /// Milliseconds.
    time: i64,
    counted: Mutex<Counted>,
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    /// Milliseconds since the Unix epoch.
    begins: i64,
    requests: u32,
}

impl Usage {
    /// The counter of a client; `None` if nothing limits it. `former` is that of the client as it was
    /// before, which goes on if the limit is the same.
    pub fn of(limits: &[ClientRateLimit], former: Option<&Self>) -> Option<Self> {
        let (quota, time) = limits.iter().find_map(limit)?;
        let same = former.filter(|former| former.quota == quota && former.time == time);
        let counted = same.map_or(
            Counted {
                begins: i64::MIN,
                requests: 0,
            },
            |former| {
                *former
                    .counted
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
            },
        );
        Some(Self {
            quota,
            time,
            counted: Mutex::new(counted),
        })
    }

    /// Counts a request, or says when the next one is allowed.
    pub fn count(&self, now: Timestamp) -> Result<(), RetryAfter> {
        let now = now.milliseconds();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = counted.begins.saturating_add(self.time);
        // A clock that was set back locks nobody out.
        if now >= ends || now < counted.begins {
            *counted = Counted {
                begins: now,
                requests: 0,
            };
        } else if counted.requests >= self.quota {
            return Err(RetryAfter::milliseconds(ends - now));
        }
        counted.requests += 1;
        Ok(())
    }
}

/// Requests and milliseconds; `None` for what limits nothing.
fn limit(limit: &ClientRateLimit) -> Option<(u32, i64)> {
    let time = match limit.duration {
        // In no time there are no requests to count.
        RateLimitDuration::None => return None,
        RateLimitDuration::FiveMinutes => 5 * MINUTE,
        RateLimitDuration::Hour => HOUR,
        RateLimitDuration::Day => DAY,
        RateLimitDuration::Month => 30 * DAY,
    };
    // A client that may do nothing at all could not even be given another limit by itself.
    Some((limit.quota?.max(1), time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(duration: RateLimitDuration, quota: u32, former: Option<&Usage>) -> Option<Usage> {
        let quota = Some(quota);
        Usage::of(&[ClientRateLimit { duration, quota }], former)
    }

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(1_800_000_000_000 + milliseconds)
    }

    #[test]
    fn a_quota_is_counted_from_the_first_request_on() {
        for (duration, time) in [
            (RateLimitDuration::FiveMinutes, 300_000),
            (RateLimitDuration::Hour, 3_600_000),
            (RateLimitDuration::Day, 86_400_000),
            (RateLimitDuration::Month, 2_592_000_000),
        ] {
            let usage = usage(duration, 3, None).unwrap();
            for moment in [0, 1, 2] {
                assert!(usage.count(at(moment)).is_ok());
            }
            let wait = usage.count(at(1_500)).unwrap_err().seconds();
            let seconds = u64::try_from(time / 1000).unwrap();
            assert_eq!(wait, seconds - 1, "the wait is enough and not too long");
            assert!(usage.count(at(time - 1)).is_err());
            for _ in 0..3 {
                assert!(usage.count(at(time)).is_ok());
            }
            assert!(usage.count(at(time)).is_err());
        }
    }

    #[test]
    fn what_limits_nothing_is_not_counted() {
        assert!(Usage::of(&[], None).is_none());
        assert!(usage(RateLimitDuration::None, 100, None).is_none());
        let unlimited = ClientRateLimit {
            duration: RateLimitDuration::Hour,
            quota: None,
        };
        assert!(Usage::of(&[unlimited], None).is_none());
    }

    #[test]
    fn a_client_that_changes_keeps_what_it_has_used_unless_its_limit_changes() {
        let former = usage(RateLimitDuration::Hour, 1, None).unwrap();
        assert!(former.count(at(0)).is_ok());
        let same = usage(RateLimitDuration::Hour, 1, Some(&former)).unwrap();
        assert!(same.count(at(0)).is_err());
        for other in [
            usage(RateLimitDuration::Hour, 2, Some(&former)),
            usage(RateLimitDuration::Day, 1, Some(&former)),
        ] {
            assert!(other.unwrap().count(at(0)).is_ok());
        }
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let usage = usage(RateLimitDuration::Month, 1, None).unwrap();
        assert!(usage.count(at(0)).is_ok());
        assert!(usage.count(at(0)).is_err());
        assert!(usage.count(at(-1)).is_ok());
    }
}
