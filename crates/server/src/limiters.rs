//! What is counted and how much of it is too much.

use std::net::IpAddr;

use guestlist_api::ids::UserId;
use guestlist_api::times::Timestamp;

use crate::addresses::AddressBlock;
use crate::rate::{Limiter, Quota, RetryAfter};
use crate::refusal::Refusal;

/// Failed credentials of one address: a program with a stale token finds out at once; a guesser of
/// Ed25519 signatures has no use for 300.
const FAILED_CREDENTIALS: Quota = Quota {
    burst: 300,
    interval: 100,
};
/// Failed attempts at invites, of one address and of one principal. An invite has 256 bits, so this
/// only keeps the noise down.
const FAILED_INVITES: Quota = Quota {
    burst: 60,
    interval: 1_000,
};
/// The same of all principals at one address: many people can stand behind one.
const FAILED_INVITES_OF_ADDRESS: Quota = Quota {
    burst: 600,
    interval: 100,
};
/// Access requests of one person. Anybody with a token can make them, and each is a write.
const ACCESS_REQUESTS: Quota = Quota {
    burst: 120,
    interval: 30_000,
};
/// Claims of one person. Programs make one for each thing that the person makes with them.
const CLAIMS: Quota = Quota {
    burst: 1_000,
    interval: 1_000,
};
/// Addresses or principals that are remembered.
const KEYS: usize = 100_000;

/// Failed attempts: by address for credentials, by address and by principal for invites; and access
/// requests and claims by principal. Nothing else that succeeds is counted.
pub struct Limiters {
    credentials: Limiter<AddressBlock>,
    invites_by_address: Limiter<AddressBlock>,
    invites_by_principal: Limiter<UserId>,
    access_requests: Limiter<UserId>,
    claims: Limiter<UserId>,
}

impl Default for Limiters {
    fn default() -> Self {
        Self {
            credentials: Limiter::new(FAILED_CREDENTIALS, KEYS),
            invites_by_address: Limiter::new(FAILED_INVITES_OF_ADDRESS, KEYS),
            invites_by_principal: Limiter::new(FAILED_INVITES, KEYS),
            access_requests: Limiter::new(ACCESS_REQUESTS, KEYS),
            claims: Limiter::new(CLAIMS, KEYS),
        }
    }
}

impl Limiters {
    /// Refuses an address that keeps sending bad credentials, before any signature is looked at.
    pub fn before_credentials(&self, address: IpAddr, now: Timestamp) -> Result<(), Refusal> {
        self.credentials
            .peek(&address.into(), now)
            .map_err(too_many)
    }

    pub fn failed_credentials(&self, address: IpAddr, now: Timestamp) {
        let _counted = self.credentials.check(&address.into(), now);
    }

    /// Refuses one who keeps guessing invites.
    pub fn before_invite(
        &self,
        address: IpAddr,
        who: &UserId,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.invites_by_address
            .peek(&address.into(), now)
            .map_err(too_many)?;
        self.invites_by_principal.peek(who, now).map_err(too_many)
    }

    /// The same for somebody of whom nothing is known but the address.
    pub fn before_invite_of_address(&self, address: IpAddr, now: Timestamp) -> Result<(), Refusal> {
        self.invites_by_address
            .peek(&address.into(), now)
            .map_err(too_many)
    }

    pub fn failed_invite_of_address(&self, address: IpAddr, now: Timestamp) {
        let _counted = self.invites_by_address.check(&address.into(), now);
    }

    /// Counts an access request of a person, or refuses one too many.
    pub fn access_request(&self, who: &UserId, now: Timestamp) -> Result<(), Refusal> {
        self.access_requests.check(who, now).map_err(too_many_made)
    }

    /// Counts a claim of a person, or refuses one too many.
    pub fn claim(&self, who: &UserId, now: Timestamp) -> Result<(), Refusal> {
        self.claims.check(who, now).map_err(too_many_made)
    }

    pub fn failed_invite(&self, address: IpAddr, who: &UserId, now: Timestamp) {
        let _counted = self.invites_by_address.check(&address.into(), now);
        let _counted = self.invites_by_principal.check(who, now);
    }
}

fn too_many(wait: RetryAfter) -> Refusal {
    Refusal::TooMany {
        seconds: wait.seconds(),
    }
}

fn too_many_made(wait: RetryAfter) -> Refusal {
    Refusal::TooManyMade {
        seconds: wait.seconds(),
    }
}
