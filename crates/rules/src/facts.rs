//! What every decision is given: who holds what, who asks, when, and under which request id.

use guestlist_api::ids::UserId;
use guestlist_api::times::Timestamp;
use serde_json::Value;

use crate::caller::{Caller, CallerKind};
use crate::changes::{Changes, Event};
use crate::grants::Grants;

/// The facts of one request.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    pub grants: &'a Grants,
    pub caller: &'a Caller,
    pub now: Timestamp,
    pub request_id: &'a str,
    /// Whether a service client of this id exists. A record may name one that was deleted.
    pub client_exists: &'a dyn Fn(&str) -> bool,
}

impl<'a> Facts<'a> {
    pub fn who(&self) -> &'a UserId {
        &self.caller.user_id
    }

    pub fn is_user(&self) -> bool {
        match self.caller.kind {
            CallerKind::User { .. } => true,
            CallerKind::Client { .. } => false,
        }
    }

    /// Whether somebody can still act under this principal: ids of users are not known in advance,
    /// those of service clients are.
    pub fn is_alive(&self, principal: &str) -> bool {
        !principal.starts_with("sc_") || (self.client_exists)(principal)
    }

    /// Empty changes with their event.
    pub fn changes(&self, event: &str, subject: String, data: Value) -> Changes {
        Changes::new(Event {
            kind: event.to_owned(),
            time: self.now.milliseconds(),
            actor: self.caller.user_id.to_string(),
            request_id: self.request_id.to_owned(),
            subject,
            data,
        })
    }
}
