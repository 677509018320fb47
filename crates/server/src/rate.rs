//! How often somebody may do something: a bucket of tokens for each key, in bounded memory.
//!
//! A bucket is one number: the time at which it will be full again (the generic cell rate algorithm,
//! ITU-T I.371). A bucket that is full is the same as none, so it can be dropped at any time. The
//! `governor` crate has the same algorithm, but reads a clock of its own and never bounds the number
//! of its keys.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use guestlist_api::times::Timestamp;

/// Whole seconds after which one more attempt is allowed; at least 1 (`Retry-After`, RFC 9110
/// §10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter(u64);

impl RetryAfter {
    pub const fn seconds(self) -> u64 {
        self.0
    }

    pub(crate) fn milliseconds(wait: i64) -> Self {
        Self(u64::try_from(wait).unwrap_or(0).div_ceil(1000).max(1))
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// So many at once, then one more in each interval.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    /// At least 1.
    pub burst: u32,
    /// Milliseconds until one token is back; at least 1.
    pub interval: u32,
}

/// Buckets for keys of one kind: addresses, or principals, or both.
///
/// A key is kept as 64 bits of a keyed hash, so that a bucket costs the same for any key; two keys
/// share a bucket with a probability of 2⁻⁶⁴.
pub struct Limiter<K> {
    quota: Quota,
    most_keys: usize,
    hasher: RandomState,
    /// When each bucket will be full, in milliseconds since the Unix epoch.
    full_at: Mutex<HashMap<u64, i64>>,
    keys: PhantomData<fn(&K)>,
}

impl<K: Hash> Limiter<K> {
    /// Remembers at most so many keys (about 20 bytes each). When there are more, those whose
    /// buckets are nearest to full are forgotten.
    pub fn new(quota: Quota, most_keys: usize) -> Self {
        Self {
            quota,
            most_keys: most_keys.max(1),
            hasher: RandomState::new(),
            full_at: Mutex::new(HashMap::new()),
            keys: PhantomData,
        }
    }

    /// Takes a token out of the key's bucket, or says when there will be one.
    pub fn check(&self, key: &K, now: Timestamp) -> Result<(), RetryAfter> {
        self.take(key, 1, now)
    }

    /// The same for several tokens: all of them or none. More than a full bucket has are as many as
    /// it has, since otherwise no wait would ever be enough.
    pub fn take(&self, key: &K, tokens: u32, now: Timestamp) -> Result<(), RetryAfter> {
        let now = now.milliseconds();
        let key = self.hasher.hash_one(key);
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let known = buckets.get_mut(&key);
        let known = known.map(|full_at| {
            // No bucket needs longer to fill: if this one does, the clock was set back.
            *full_at = (*full_at).min(now.saturating_add(self.capacity()));
            *full_at
        });
        let full_at = self.after(known, tokens, now)?;
        if buckets.len() >= self.most_keys && !buckets.contains_key(&key) {
            self.forget_some(&mut buckets, now);
        }
        buckets.insert(key, full_at);
        Ok(())
    }

    /// Whether `check` would refuse, without taking a token. For limits on failures, which are asked
    /// before an attempt and charged after it failed.
    pub fn peek(&self, key: &K, now: Timestamp) -> Result<(), RetryAfter> {
        let key = self.hasher.hash_one(key);
        let buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        self.after(buckets.get(&key).copied(), 1, now.milliseconds())
            .map(drop)
    }

    /// Puts tokens back that were taken for nothing.
    pub fn give_back(&self, key: &K, tokens: u32, now: Timestamp) {
        let key = self.hasher.hash_one(key);
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(full_at) = buckets.get_mut(&key) else {
            return;
        };
        *full_at = full_at.saturating_sub(self.time(tokens));
        if *full_at <= now.milliseconds() {
            buckets.remove(&key);
        }
    }

    /// How many tokens the key's bucket has, and in how many seconds it will be full.
    pub fn left(&self, key: &K, now: Timestamp) -> (u32, u64) {
        let now = now.milliseconds();
        let key = self.hasher.hash_one(key);
        let buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = buckets.get(&key).map_or(0, |full_at| full_at - now);
        let missing = missing.clamp(0, self.capacity());
        let left = (self.capacity() - missing) / i64::from(self.quota.interval.max(1));
        let seconds = u64::try_from(missing).unwrap_or(0).div_ceil(1000);
        (u32::try_from(left).unwrap_or(u32::MAX), seconds)
    }

    /// Milliseconds in which an empty bucket fills.
    fn capacity(&self) -> i64 {
        self.time(self.quota.burst.max(1))
    }

    /// Milliseconds until so many tokens are back.
    fn time(&self, tokens: u32) -> i64 {
        let tokens = tokens.min(self.quota.burst.max(1));
        i64::from(self.quota.interval.max(1)) * i64::from(tokens)
    }

    /// When the bucket will be full if so many tokens are taken now.
    fn after(&self, full_at: Option<i64>, tokens: u32, now: i64) -> Result<i64, RetryAfter> {
        let capacity = self.capacity();
        let full_at = full_at
            .unwrap_or(now)
            .clamp(now, now.saturating_add(capacity));
        let after = full_at.saturating_add(self.time(tokens));
        let wait = after - now - capacity;
        if wait > 0 {
            return Err(RetryAfter::milliseconds(wait));
        }
        Ok(after)
    }

    /// Makes room: all full buckets, and a tenth of the others if that was not enough.
    fn forget_some(&self, buckets: &mut HashMap<u64, i64>, now: i64) {
        buckets.retain(|_, full_at| *full_at > now);
        let room = self.most_keys.div_ceil(10);
        if buckets.len() + room <= self.most_keys {
            return;
        }
        let mut times: Vec<i64> = buckets.values().copied().collect();
        let (_, threshold, _) = times.select_nth_unstable(room.min(buckets.len()) - 1);
        let threshold = *threshold;
        let mut left = room;
        buckets.retain(|_, full_at| {
            let forget = left > 0 && *full_at <= threshold;
            left -= usize::from(forget);
            !forget
        });
    }

    /// How many buckets are remembered.
    pub fn keys(&self) -> usize {
        self.full_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

impl<K> fmt::Debug for Limiter<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Limiter")
            .field("quota", &self.quota)
            .field("most_keys", &self.most_keys)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::HeaderMap;

    use super::*;
    use crate::addresses::{AddressBlock, TrustedProxies};

    const QUOTA: Quota = Quota {
        burst: 3,
        interval: 1000,
    };

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(1_800_000_000_000 + milliseconds)
    }

    #[test]
    fn a_burst_then_one_in_each_interval() {
        let limiter = Limiter::new(QUOTA, 10);
        for _ in 0..3 {
            assert_eq!(limiter.check(&"a", at(0)), Ok(()));
        }
        assert_eq!(limiter.check(&"a", at(0)), Err(RetryAfter(1)));
        assert_eq!(limiter.check(&"a", at(999)), Err(RetryAfter(1)));
        assert_eq!(limiter.check(&"b", at(999)), Ok(()));
        assert_eq!(limiter.check(&"a", at(1000)), Ok(()));
        assert_eq!(limiter.check(&"a", at(1000)), Err(RetryAfter(1)));
        for _ in 0..3 {
            assert_eq!(limiter.check(&"a", at(10_000)), Ok(()));
        }
        assert!(limiter.check(&"a", at(10_000)).is_err());
    }

    #[test]
    fn the_wait_that_is_told_is_enough_and_not_too_long() {
        let slow = Quota {
            burst: 1,
            interval: 90_500,
        };
        let limiter = Limiter::new(slow, 10);
        assert_eq!(limiter.check(&1, at(0)), Ok(()));
        let wait = limiter.check(&1, at(0)).unwrap_err();
        assert_eq!(wait.seconds(), 91);
        assert_eq!(limiter.check(&1, at(91_000)), Ok(()));
    }

    #[test]
    fn peeking_takes_nothing() {
        let limiter = Limiter::new(QUOTA, 10);
        for _ in 0..10 {
            assert_eq!(limiter.peek(&1, at(0)), Ok(()));
        }
        for _ in 0..3 {
            assert_eq!(limiter.check(&1, at(0)), Ok(()));
        }
        assert_eq!(limiter.peek(&1, at(0)), Err(RetryAfter(1)));
    }

    #[test]
    fn several_are_taken_together_or_not_at_all_and_can_be_given_back() {
        let limiter = Limiter::new(QUOTA, 10);
        assert_eq!(limiter.left(&1, at(0)), (3, 0));
        assert_eq!(limiter.take(&1, 2, at(0)), Ok(()));
        assert_eq!(limiter.left(&1, at(0)), (1, 2));
        assert_eq!(limiter.take(&1, 2, at(0)), Err(RetryAfter(1)));
        assert_eq!(limiter.take(&1, 3, at(500)), Err(RetryAfter(2)));
        assert_eq!(limiter.left(&1, at(500)), (1, 2));
        limiter.give_back(&1, 1, at(500));
        assert_eq!(limiter.take(&1, 2, at(500)), Ok(()));
        limiter.give_back(&1, 2, at(500));
        limiter.give_back(&1, 100, at(500));
        assert_eq!(limiter.keys(), 0, "no more than it ever had");
        assert_eq!(limiter.take(&1, 100, at(500)), Ok(()));
        assert_eq!(limiter.left(&1, at(500)), (0, 3));
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let limiter = Limiter::new(QUOTA, 10);
        for _ in 0..3 {
            assert_eq!(limiter.check(&1, at(3_600_000)), Ok(()));
        }
        assert_eq!(limiter.check(&1, at(0)), Err(RetryAfter(1)));
        assert_eq!(limiter.check(&1, at(999)), Err(RetryAfter(1)));
        assert_eq!(limiter.check(&1, at(1_000)), Ok(()));
    }

    #[test]
    fn keys_are_bounded_and_the_emptiest_buckets_survive() {
        let limiter = Limiter::new(QUOTA, 100);
        for _ in 0..3 {
            assert_eq!(limiter.check(&0_u32, at(0)), Ok(()));
        }
        for key in 1..100_000 {
            assert_eq!(limiter.check(&key, at(0)), Ok(()));
            assert!(limiter.keys() <= 100);
        }
        assert!(
            limiter.check(&0, at(0)).is_err(),
            "rotating keys must not free a spent one"
        );
    }

    #[test]
    fn full_buckets_are_the_first_to_be_forgotten() {
        let limiter = Limiter::new(QUOTA, 100);
        for key in 0..100_u32 {
            assert_eq!(limiter.check(&key, at(0)), Ok(()));
        }
        assert_eq!(limiter.check(&1000, at(1000)), Ok(()));
        assert_eq!(limiter.keys(), 1);
    }

    #[test]
    fn d08_rotating_x_forwarded_for_stays_in_one_bucket() {
        let limiter = Limiter::new(QUOTA, 1000);
        let nobody = TrustedProxies::default();
        let peer: IpAddr = "203.0.113.7".parse().unwrap();
        let attempt = |proxies: &TrustedProxies, number: u8| {
            let mut headers = HeaderMap::new();
            headers.insert(
                "x-forwarded-for",
                format!("198.51.100.{number}").parse().unwrap(),
            );
            let client = proxies.client(peer, &headers);
            limiter.check(&AddressBlock::from(client), at(0)).is_ok()
        };
        let allowed = (0..100).filter(|number| attempt(&nobody, *number)).count();
        assert_eq!(allowed, 3);
        // The control: were the peer a trusted proxy, each entry would be a client of its own.
        let trusted = TrustedProxies::new(["203.0.113.7"]).unwrap();
        let allowed = (0..100).filter(|number| attempt(&trusted, *number)).count();
        assert_eq!(allowed, 100);
    }
}
