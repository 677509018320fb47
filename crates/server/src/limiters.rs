//! What is counted and how much of it is too much.

use std::net::IpAddr;

use guestlist_api::ids::UserId;
use guestlist_api::times::Timestamp;

use crate::limits;
use crate::rate::Limiter;
use crate::refusal::Refusal;

/// Failed attempts: by address for credentials, by address and by principal for invites. What
/// succeeds is never counted.
pub struct Limiters {
    credentials: Limiter<IpAddr>,
    invites_by_address: Limiter<IpAddr>,
    invites_by_principal: Limiter<String>,
}

impl Default for Limiters {
    fn default() -> Self {
        Self {
            credentials: Limiter::new(limits::FAILED_CREDENTIALS),
            invites_by_address: Limiter::new(limits::FAILED_INVITES),
            invites_by_principal: Limiter::new(limits::FAILED_INVITES),
        }
    }
}

impl Limiters {
    /// Refuses an address that keeps sending bad credentials, before any signature is looked at.
    pub fn before_credentials(&self, address: IpAddr, now: Timestamp) -> Result<(), Refusal> {
        self.credentials.peek(&address, now).map_err(too_many)
    }

    pub fn failed_credentials(&self, address: IpAddr, now: Timestamp) {
        self.credentials.count(&address, now);
    }

    /// Refuses one who keeps guessing invites.
    pub fn before_invite(
        &self,
        address: IpAddr,
        who: &UserId,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.invites_by_address.peek(&address, now).map_err(too_many)?;
        self.invites_by_principal.peek(who.as_str(), now).map_err(too_many)
    }

    pub fn failed_invite(&self, address: IpAddr, who: &UserId, now: Timestamp) {
        self.invites_by_address.count(&address, now);
        self.invites_by_principal.count(who.as_str(), now);
    }
}

fn too_many(seconds: u64) -> Refusal {
    Refusal::TooMany { seconds: seconds.max(1) }
}
