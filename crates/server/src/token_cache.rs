//! Bearers that were verified, so that a signature is checked once and not with every request.
//!
//! A hit never outlives what was verified: the times of the token, the moment at which keys of
//! issuers must be looked at again, and the standing of its client or issuer are checked each time.

use std::fmt;
use std::hash::Hasher;
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::SharedSeed;
use foldhash::quality::FoldHasher;
use guestlist_api::times::Timestamp;
use guestlist_rules::caller::Caller;
use hashbrown::HashTable;
use zeroize::Zeroizing;

use crate::entropy::{Entropy, NoEntropy};
use crate::known_callers::Standing;

/// Parts with a lock each. A power of two.
const SHARDS: usize = 16;
/// Bytes an entry is taken to have besides its token: its place in the table, the allocations, and
/// a caller of its own.
const OVERHEAD: usize = 320;

/// Verified bearers, bounded by bytes.
pub struct TokenCache {
    /// Drawn once per process, so that nobody can choose tokens that fall on one another.
    seed: u64,
    shared_seed: SharedSeed,
    shards: Vec<RwLock<Shard>>,
    /// Bytes of one shard at most.
    room: usize,
}

#[derive(Default)]
struct Shard {
    table: HashTable<Entry>,
    bytes: usize,
}

struct Entry {
    hash: u64,
    token: Zeroizing<Box<str>>,
    proof: Proof,
}

/// What was proved about a bearer, and for how long that is good.
#[derive(Clone)]
pub struct Proof {
    pub caller: Arc<Caller>,
    /// From this moment (for clocks that are set back) …
    pub begins: Timestamp,
    /// … until before this one, and …
    pub ends: Timestamp,
    /// … only as long as this holds.
    pub standing: Standing,
}

impl Proof {
    fn holds(&self, now: Timestamp) -> bool {
        self.begins <= now && now < self.ends && self.standing.holds()
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        self.token.len() + OVERHEAD
    }
}

impl TokenCache {
    /// A cache of at most about `bytes` bytes.
    pub fn new(bytes: usize, entropy: &Entropy) -> Result<Self, NoEntropy> {
        let seed = u64::from_be_bytes(entropy.bytes()?);
        let shared_seed = SharedSeed::from_u64(u64::from_be_bytes(entropy.bytes()?));
        Ok(Self {
            seed,
            shared_seed,
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            room: bytes / SHARDS,
        })
    }

    fn hash(&self, token: &[u8]) -> u64 {
        let mut hasher = FoldHasher::with_seed(self.seed, &self.shared_seed);
        hasher.write(token);
        hasher.finish()
    }

    fn shard(&self, hash: u64) -> Option<&RwLock<Shard>> {
        // The table itself uses the lowest and the highest bits.
        self.shards.get((hash >> 32) as usize % SHARDS)
    }

    /// Who showed this bearer before, if that is still good.
    ///
    /// The whole 64-bit hash is compared before the token. Since its seed is secret, a guess that
    /// shares a beginning with a token is told apart no later than any other guess.
    pub fn get(&self, token: &[u8], now: Timestamp) -> Option<Arc<Caller>> {
        let hash = self.hash(token);
        let shard = self.shard(hash)?;
        let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
        let entry = shard.table.find(hash, |entry| {
            entry.hash == hash && entry.token.as_bytes() == token
        })?;
        entry.proof.holds(now).then(|| entry.proof.caller.clone())
    }

    /// Remembers a bearer that was just verified.
    pub fn insert(&self, token: &str, proof: Proof, now: Timestamp) {
        let entry = Entry {
            hash: self.hash(token.as_bytes()),
            token: Zeroizing::new(token.into()),
            proof,
        };
        if entry.bytes() > self.room || !entry.proof.holds(now) {
            return;
        }
        let Some(shard) = self.shard(entry.hash) else {
            return;
        };
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        shard.remove(entry.hash, token);
        shard.make_room(entry.bytes(), self.room, now);
        shard.bytes += entry.bytes();
        let hash = entry.hash;
        shard.table.insert_unique(hash, entry, |entry| entry.hash);
    }

    /// Bytes and number of what is remembered, for metrics.
    pub fn size(&self) -> (usize, usize) {
        let mut size = (0, 0);
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            size.0 += shard.bytes;
            size.1 += shard.table.len();
        }
        size
    }
}

impl Shard {
    fn remove(&mut self, hash: u64, token: &str) {
        let same = |entry: &Entry| entry.hash == hash && **entry.token == *token;
        if let Ok(found) = self.table.find_entry(hash, same) {
            let (entry, _) = found.remove();
            self.bytes -= entry.bytes();
        }
    }

    /// Drops what is no longer good, and if that is not enough, an eighth of the rest: whichever
    /// comes first in the order of the seeded hashes, which is as good as any.
    fn make_room(&mut self, needed: usize, room: usize, now: Timestamp) {
        if self.bytes + needed <= room {
            return;
        }
        self.table.retain(|entry| entry.proof.holds(now));
        self.bytes = self.table.iter().map(Entry::bytes).sum();
        if self.bytes + needed <= room {
            return;
        }
        let goal = (room - room / 8).saturating_sub(needed);
        let mut bytes = self.bytes;
        self.table.retain(|entry| {
            let keep = bytes <= goal;
            if !keep {
                bytes -= entry.bytes();
            }
            keep
        });
        self.bytes = bytes;
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenCache(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_rules::caller::CallerKind;

    fn cache(bytes: usize) -> TokenCache {
        TokenCache::new(bytes, &Entropy::seeded(1)).unwrap()
    }

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(milliseconds)
    }

    fn proof(user: &str) -> Proof {
        Proof {
            caller: Arc::new(Caller {
                user_id: user.parse().unwrap(),
                kind: CallerKind::User {
                    issuer: guestlist_api::text::Text::parse("i").unwrap(),
                    verified_email: None,
                },
            }),
            begins: at(100),
            ends: at(200),
            standing: Standing::new(),
        }
    }

    #[test]
    fn a_proof_is_good_within_its_times_and_while_its_standing_holds() {
        let cache = cache(1 << 20);
        let proof = proof("u");
        cache.insert("token", proof.clone(), at(150));
        for (time, found) in [(99, false), (100, true), (199, true), (200, false)] {
            assert_eq!(cache.get(b"token", at(time)).is_some(), found, "{time}");
        }
        assert!(cache.get(b"tokeN", at(150)).is_none());
        assert!(cache.get(b"toke", at(150)).is_none());
        proof.standing.end();
        assert!(cache.get(b"token", at(150)).is_none());
    }

    #[test]
    fn the_newest_proof_replaces_the_former() {
        let cache = cache(1 << 20);
        cache.insert("token", proof("a"), at(150));
        cache.insert("token", proof("b"), at(150));
        assert_eq!(cache.size(), (5 + OVERHEAD, 1));
        let found = cache.get(b"token", at(150)).unwrap();
        assert_eq!(found.user_id.as_str(), "b");
    }

    #[test]
    fn it_never_grows_beyond_its_bytes_and_keeps_working() {
        let room = 64 * 1024;
        let cache = cache(room);
        for count in 0..5000 {
            let token = format!("token-{count}");
            cache.insert(&token, proof("u"), at(150));
            assert!(cache.get(token.as_bytes(), at(150)).is_some());
            assert!(cache.size().0 <= room);
        }
        let counted: usize = (0..5000)
            .filter(|count| {
                cache
                    .get(format!("token-{count}").as_bytes(), at(150))
                    .is_some()
            })
            .count();
        assert_eq!(counted, cache.size().1);
        assert!(counted > 100, "{counted}");
    }

    #[test]
    fn what_has_ended_makes_room_first() {
        let cache = cache(16 * 10 * (OVERHEAD + 10));
        for count in 0..1000 {
            cache.insert(&format!("old-{count}"), proof("u"), at(150));
        }
        let later = Proof {
            ends: at(1000),
            ..proof("u")
        };
        for count in 0..40 {
            cache.insert(&format!("new-{count}"), later.clone(), at(300));
        }
        let kept = (0..40).filter(|count| {
            cache
                .get(format!("new-{count}").as_bytes(), at(300))
                .is_some()
        });
        assert!(kept.count() >= 35);
    }

    #[test]
    fn what_is_larger_than_its_room_is_not_remembered() {
        let cache = cache(16 * 1000);
        cache.insert(&"x".repeat(2000), proof("u"), at(150));
        assert_eq!(cache.size(), (0, 0));
    }
}
