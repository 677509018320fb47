//! What every decision is given: who holds what, who asks, when, and under which request id.

use guestlist_api::ids::UserId;
use guestlist_api::times::Timestamp;
use serde_json::Value;

use crate::authority::Basis;
use crate::caller::{Caller, CallerKind};
use crate::changes::{Changes, Event, Expect, Kind, Mark};
use crate::grants::Grants;

/// The facts of one request.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    pub grants: &'a Grants,
    pub caller: &'a Caller,
    pub now: Timestamp,
    pub request_id: &'a str,
    /// The mark of a service client, if there is one of this id. A record may name one that was
    /// deleted.
    pub client_mark: &'a dyn Fn(&str) -> Option<Mark>,
    /// Whether a service client has an access key, without which it cannot call.
    pub client_has_key: &'a dyn Fn(&str) -> bool,
}

impl<'a> Facts<'a> {
    pub fn who(&self) -> &'a UserId {
        &self.caller.user_id
    }

    pub fn is_user(&self) -> bool {
        match self.caller.kind {
            CallerKind::User { .. } => true,
            CallerKind::Client { .. } | CallerKind::Limited { .. } => false,
        }
    }

    /// What it rests on that this principal still exists; `None` if it does not. Ids of users are
    /// not known in advance, those of service clients are.
    pub fn standing(&self, principal: &str) -> Option<Basis> {
        if !principal.starts_with("sc_") {
            return Some(Basis::new());
        }
        let mark = (self.client_mark)(principal)?;
        Some(vec![(Kind::Client, principal.to_owned(), Expect::At(mark))])
    }

    /// What it rests on that this principal can call; `None` if it cannot.
    pub fn can_call(&self, principal: &str) -> Option<Basis> {
        let standing = self.standing(principal)?;
        (standing.is_empty() || (self.client_has_key)(principal)).then_some(standing)
    }

    /// Changes with their event and nothing to write yet. They rest on the caller: a service client
    /// that is deleted meanwhile changes nothing any more.
    pub fn changes(&self, event: &str, subject: String, data: Value) -> Changes {
        let mut changes = Changes::new(Event {
            kind: event.to_owned(),
            time: self.now.milliseconds(),
            actor: self.caller.user_id.to_string(),
            request_id: self.request_id.to_owned(),
            subject,
            data,
        });
        if let CallerKind::Client { client_id, .. } = &self.caller.kind {
            // No document has mark 0, so a client that is gone makes a conflict.
            let mark = (self.client_mark)(client_id.as_str()).unwrap_or(Mark(0));
            changes.rely_on(Kind::Client, client_id.as_str(), Expect::At(mark));
        }
        changes
    }
}
