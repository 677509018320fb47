//! Deleting a user: nothing names them any more, and what they offered to others is void.
//!
//! A user may be named by more than one change can hold, so it is done in parts. Each part is a
//! change of its own with its own conditions; whoever repeats it goes on where it ended.

use guestlist_api::access_requests::AccessRequestStatus;
use guestlist_api::ids::UserId;
use guestlist_api::invite_lists::InviteChange;
use guestlist_api::records::{RecordStatus, Statement, User};
use guestlist_api::text::Bounded;
use guestlist_api::times::Timestamp;
use serde_json::json;

use crate::access_requests::StoredAccessRequest;
use crate::authority::{Ability, Basis, require, surviving_owner};
use crate::changes::{Changes, Mark, Seen};
use crate::facts::Facts;
use crate::groups::StoredGroup;
use crate::invites::{InviteStatus, StoredInvite};
use crate::records::{StoredRecord, names};
use crate::refusals::{Noun, Refusal};
use crate::tenants::StoredTenantUser;
use crate::user_tokens::{StoredTokenConfiguration, StoredUserToken};
use crate::users::is_person;

/// Documents that name the user, as they were seen.
#[derive(Debug, Default)]
pub struct Part {
    pub records: Vec<Seen<StoredRecord>>,
    pub groups: Vec<Seen<StoredGroup>>,
    /// Invites that the user made, that are for them by id, or that they accepted and that await
    /// approval.
    pub invites: Vec<Seen<StoredInvite>>,
    /// Access requests that the user made, that ask for the user, or that their invites wait for.
    pub requests: Vec<Seen<StoredAccessRequest>>,
    /// Tokens that were made for the user.
    pub tokens: Vec<Seen<StoredUserToken>>,
    /// What the user's tokens say.
    pub configuration: Option<Seen<StoredTokenConfiguration>>,
    /// The tenant that the user belongs to.
    pub tenant: Option<Seen<StoredTenantUser>>,
    /// Nothing else that names the user is known.
    pub is_last: bool,
}

/// What the caller's right to delete a user rests on.
///
/// # Errors
///
/// [`Refusal::LastOwner`] if nobody else who can call owns the account.
pub fn may_delete(facts: Facts<'_>, user: &UserId) -> Result<Basis, Refusal> {
    let mut basis = require(facts, Ability::DeleteUser(user))?;
    if !is_person(user.as_str()) {
        return Err(Refusal::NotFound(Noun::User));
    }
    let is_them = |principal: &str| principal == user.principal();
    let owners = facts.grants.owners();
    if owners.iter().any(|(principal, _)| is_them(principal)) {
        let others = surviving_owner(facts, &|principal, _| is_them(principal));
        basis.extend(others.ok_or(Refusal::LastOwner)?);
    }
    Ok(basis)
}

/// Takes the user out of a part of what names them. `None` if nothing of it does any more.
pub fn delete(facts: Facts<'_>, user: &UserId, part: &Part) -> Result<Option<Changes>, Refusal> {
    let basis = may_delete(facts, user)?;
    let records = part.records.iter();
    let records: Vec<_> = records
        .filter_map(|seen| Some((seen, record_without(facts, &seen.value, user)?)))
        .collect();
    let groups = part.groups.iter();
    let groups: Vec<_> = groups
        .filter_map(|seen| Some((seen.mark, group_without(facts, &seen.value, user)?)))
        .collect();
    let invites = part.invites.iter();
    let invites: Vec<_> = invites
        .filter_map(|seen| Some((seen.mark, voided(facts, &seen.value, user)?)))
        .collect();
    let requests = part.requests.iter();
    let requests: Vec<_> = requests
        .filter_map(|seen| {
            let is_void = is_void(&seen.value, &invites);
            Some((
                seen.mark,
                request_without(facts, &seen.value, user, is_void)?,
            ))
        })
        .collect();
    let tokens = part.tokens.iter();
    let tokens: Vec<_> = tokens
        .filter_map(|seen| Some((seen.mark, disabled(facts, &seen.value, user)?)))
        .collect();
    let data = json!({
        "records": records.iter().map(|(_, record)| &record.record_id).collect::<Vec<_>>(),
        "groups": groups.iter().map(|(_, group)| &group.group_id).collect::<Vec<_>>(),
        "invites": invites.iter().map(|(_, invite)| &invite.reference).collect::<Vec<_>>(),
        "requests": requests.iter().map(|(_, request)| &request.request_id).collect::<Vec<_>>(),
        "tokens": tokens.iter().map(|(_, token)| &token.token_id).collect::<Vec<_>>(),
    });
    let event = if part.is_last {
        "user.deleted"
    } else {
        "user.deletion-continued"
    };
    let mut changes = facts.changes(event, format!("user/{user}"), data);
    changes.expect.extend(basis);
    for (seen, record) in &records {
        changes.tell_access(Some(&seen.value), Some(record));
        changes.replace(seen.mark, record)?;
    }
    for (mark, group) in &groups {
        changes.replace(*mark, group)?;
    }
    for (mark, invite) in &invites {
        changes.replace(*mark, invite)?;
    }
    for (mark, request) in &requests {
        changes.replace(*mark, request)?;
    }
    for (mark, token) in &tokens {
        changes.replace(*mark, token)?;
    }
    if let Some(configuration) = &part.configuration {
        changes.remove(configuration);
    }
    if let Some(tenant) = &part.tenant {
        changes.remove(tenant);
    }
    let is_needed = !changes.write.is_empty() || !changes.delete.is_empty();
    Ok(is_needed.then_some(changes))
}

/// The token, good for nothing any more; `None` if it is not one of the user, or is so already.
fn disabled(facts: Facts<'_>, token: &StoredUserToken, user: &UserId) -> Option<StoredUserToken> {
    (token.is_usable(facts.now) && token.user_id.principal() == user.principal()).then(|| {
        StoredUserToken {
            disabled: Some(facts.now),
            ..token.clone()
        }
    })
}

fn after(facts: Facts<'_>, last_updated: Timestamp) -> Timestamp {
    facts.now.max(last_updated.plus(1))
}

fn without(users: &[User], user: &UserId) -> Vec<User> {
    let others = users.iter();
    others
        .filter(|named| named.user_id.principal() != user.principal())
        .cloned()
        .collect()
}

/// The record without the user; `None` if it does not name them. A record that names nobody at all
/// then is deleted: nobody could be given anything by it, and nobody could find it.
fn record_without(facts: Facts<'_>, record: &StoredRecord, user: &UserId) -> Option<StoredRecord> {
    if !record.names(user) && !record.is_admin(user) {
        return None;
    }
    let statements = record.statements.iter().map(|statement| {
        // Fewer users than there were are never too many.
        let users = Bounded::new(without(&statement.users, user)).unwrap_or_default();
        Statement {
            users,
            ..statement.clone()
        }
    });
    let mut left = StoredRecord {
        users: without(&record.users, user),
        admins: without(&record.admins, user),
        statements: statements.collect(),
        last_updated: after(facts, record.last_updated),
        ..record.clone()
    };
    let for_nobody =
        |statement: &Statement| statement.users.is_empty() && statement.groups.is_empty();
    if !left.names_principals() && left.admins.is_empty() && left.statements.iter().all(for_nobody)
    {
        left.status = RecordStatus::Deleted;
    }
    Some(left)
}

fn group_without(facts: Facts<'_>, group: &StoredGroup, user: &UserId) -> Option<StoredGroup> {
    (names(&group.users, user) || names(&group.admins, user)).then(|| StoredGroup {
        users: without(&group.users, user),
        admins: without(&group.admins, user),
        last_updated: after(facts, group.last_updated),
        ..group.clone()
    })
}

/// The invite withdrawn; `None` if it cannot be used anyway, or has nothing to do with the user.
fn voided(facts: Facts<'_>, invite: &StoredInvite, user: &UserId) -> Option<StoredInvite> {
    if invite.ended(facts.now).is_some() {
        return None;
    }
    let reason = if invite.inviter.principal() == user.principal() {
        "whoever made it was deleted"
    } else if invite.terms.is_for(user) {
        "whom it was for was deleted"
    } else if invite.awaits_for(user) {
        "whoever accepted it was deleted"
    } else {
        return None;
    };
    Some(StoredInvite {
        status: InviteStatus::Revoked,
        awaiting: None,
        status_reason: Some(reason.to_owned()),
        responded_time: Some(facts.now),
        ..invite.after(
            InviteChange::Revoked,
            facts.now,
            Some(facts.who()),
            reason.parse().ok(),
        )
    })
}

/// Whether the invite that a request belongs to is one of these.
fn is_void(request: &StoredAccessRequest, voided: &[(Mark, StoredInvite)]) -> bool {
    let of = request.invite.as_ref();
    of.is_some_and(|of| {
        let mut voided = voided.iter();
        voided.any(|(_, invite)| invite.reference == of.reference)
    })
}

/// The open request without the user; taken back if they made it, if it asks for nobody else, or if
/// the invite it belongs to is void.
fn request_without(
    facts: Facts<'_>,
    request: &StoredAccessRequest,
    user: &UserId,
    is_void: bool,
) -> Option<StoredAccessRequest> {
    if is_void && request.status == AccessRequestStatus::Open {
        return Some(request.at(facts, AccessRequestStatus::Deleted));
    }
    if !request.concerns(user) {
        return None;
    }
    let own = request.requester.principal() == user.principal();
    let users = without(&request.users, user);
    if own || users.is_empty() {
        return Some(request.at(facts, AccessRequestStatus::Deleted));
    }
    Some(StoredAccessRequest {
        users,
        last_updated: after(facts, request.last_updated),
        ..request.clone()
    })
}
