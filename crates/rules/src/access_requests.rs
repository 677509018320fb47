//! Access requests: who may ask for what, and what an answer does.
//!
//! Asking gives nothing. What is approved is given by whoever approves it, so the grant ceiling asks
//! what they may give at that moment; who asked, and when, makes no difference.

use guestlist_api::access_requests::{AccessRequestAnswer, AccessRequestStatus, NewAccessRequest};
use guestlist_api::ids::{RecordId, RequestId, RoleId, UserId};
use guestlist_api::records::{RecordStatus, Statement, User};
use guestlist_api::resources::ResourceUri;
use guestlist_api::text::{Description, Malformed, Name, Tags};
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authority::{Ability, Basis, holds, refuse};
use crate::ceiling::{NotGiven, may_hand_out};
use crate::changes::{Changes, Facet, Kind, Seen, Stored};
use crate::facts::Facts;
use crate::invite_approvals::{self, Approving, OfInvite, reopened};
use crate::invites::StoredInvite;
use crate::records::{StoredRecord, check_size, names};
use crate::refusals::{InviteUnusable, Noun, Refusal};

/// An access request as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredAccessRequest {
    pub request_id: RequestId,
    pub users: Vec<User>,
    pub statements: Vec<Statement>,
    pub tags: Tags,
    pub status: AccessRequestStatus,
    /// Who asked: not always one of the users.
    pub requester: UserId,
    pub created_time: Timestamp,
    pub last_updated: Timestamp,
    /// Who approved, denied or deleted it.
    pub answered_by: Option<UserId>,
    /// The record that gives what was approved.
    pub record_id: Option<RecordId>,
    /// The invite by which it was asked for, if it was.
    #[serde(default)]
    pub invite: Option<OfInvite>,
}

impl Stored for StoredAccessRequest {
    const KIND: Kind = Kind::AccessRequest;

    fn id(&self) -> String {
        self.request_id.to_string()
    }

    fn facets(&self) -> Vec<(Facet, String)> {
        let requester = self.requester.to_string();
        let mut facets = vec![
            (Facet::Status, status_word(self.status).to_owned()),
            (Facet::Principal, requester.clone()),
        ];
        if self.status == AccessRequestStatus::Open {
            facets.push((Facet::OpenBy, requester));
        }
        facets
    }
}

/// The word that a status is listed by.
pub const fn status_word(status: AccessRequestStatus) -> &'static str {
    match status {
        AccessRequestStatus::Open => "OPEN",
        AccessRequestStatus::Approved => "APPROVED",
        AccessRequestStatus::Denied => "DENIED",
        AccessRequestStatus::Deleted => "DELETED",
    }
}

/// Open requests that a person may have: more than anybody waits for, and a bound for what strangers
/// can make the server keep.
pub const OPEN_REQUESTS: usize = 100;

fn subject(request: &RequestId) -> String {
    format!("access-request/{request}")
}

impl StoredAccessRequest {
    fn is_by(&self, who: &UserId) -> bool {
        self.requester.principal() == who.principal()
    }

    /// Whether it is open, and this user made it or it asks for them.
    pub fn concerns(&self, who: &UserId) -> bool {
        let open = self.status == AccessRequestStatus::Open;
        open && (self.is_by(who) || names(&self.users, who))
    }

    fn gifts(&self) -> impl Iterator<Item = (&RoleId, &ResourceUri)> {
        self.statements.iter().flat_map(|statement| {
            statement.roles.iter().flat_map(|role| {
                let resources = statement.resources.iter();
                resources.map(move |resource| (role, &resource.resource_uri))
            })
        })
    }

    /// As another one that was written at this moment.
    pub(crate) fn at(&self, facts: Facts<'_>, status: AccessRequestStatus) -> Self {
        Self {
            status,
            last_updated: facts.now.max(self.last_updated.plus(1)),
            answered_by: Some(facts.who().clone()),
            ..self.clone()
        }
    }
}

/// Asks for access. `open` is how many open requests the caller has, up to [`OPEN_REQUESTS`]; two
/// that are made at once may pass it by one, which harms nobody.
pub fn create(
    facts: Facts<'_>,
    request: NewAccessRequest,
    request_id: RequestId,
    open: usize,
) -> Result<(Changes, StoredAccessRequest), Refusal> {
    let request = StoredAccessRequest {
        request_id,
        users: request.access.users.into_vec(),
        statements: request.access.statements.into_vec(),
        tags: request.tags,
        status: AccessRequestStatus::Open,
        requester: facts.who().clone(),
        created_time: facts.now,
        last_updated: facts.now,
        answered_by: None,
        record_id: None,
        invite: None,
    };
    check_statements(facts, &request.statements)?;
    let basis = may_ask_for(facts, &request)?;
    let record_id = record_id_of(&request.request_id)?;
    check_size(&record(facts, &request, record_id)?)?;
    if facts.is_user() && open >= OPEN_REQUESTS {
        return Err(Refusal::TooManyOpenRequests);
    }
    let subject = subject(&request.request_id);
    let mut changes = facts.changes("access-request.created", subject, json!({}));
    changes.expect.extend(basis);
    changes.create(&request)?;
    Ok((changes, request))
}

/// Statements are for the users of the request, and name roles that there are.
fn check_statements(facts: Facts<'_>, statements: &[Statement]) -> Result<(), Refusal> {
    for (number, statement) in statements.iter().enumerate() {
        if !statement.users.is_empty() || !statement.groups.is_empty() {
            return Err(Refusal::invalid(
                format!("access.statements[{number}]"),
                "must not name users or groups; access.users says for whom it is",
            ));
        }
        let unknown = |role: &RoleId| facts.grants.role(role).is_none();
        if let Some(place) = statement.roles.iter().position(unknown) {
            return Err(Refusal::NotAskable {
                path: format!("access.statements[{number}].roles[{place}]"),
                reason: "there is no such role".to_owned(),
            });
        }
    }
    Ok(())
}

/// Everybody may ask for themself; for others, whoever could give it to them.
fn may_ask_for(facts: Facts<'_>, request: &StoredAccessRequest) -> Result<Basis, Refusal> {
    let is_other = |user: &User| user.user_id.principal() != facts.who().principal();
    let Some(place) = request.users.iter().position(is_other) else {
        return Ok(Basis::new());
    };
    may_hand_out(facts.grants, facts.who(), request.gifts()).map_err(|reason| match reason {
        NotGiven::TooMuch => Refusal::NotAskable {
            path: format!("access.users[{place}]"),
            reason: "must be yourself: for others asks only who could give it to them".to_owned(),
        },
        other @ (NotGiven::UnknownRole(_) | NotGiven::TooMany) => other.into(),
    })
}

/// Whether the caller may read the request: whoever made it, and readers of requests.
pub fn may_read(facts: Facts<'_>, request: &StoredAccessRequest) -> Result<(), Refusal> {
    if request.is_by(facts.who()) {
        return Ok(());
    }
    let ability = Ability::ReadRequest(&request.request_id);
    holds(facts.grants, facts.who(), ability)
        .map(drop)
        .ok_or_else(|| refuse(facts, ability))
}

/// What approving needs to know besides the request.
pub struct Places<'a> {
    /// The record of [`record_id_of`], if there is one.
    pub existing: Option<&'a Seen<StoredRecord>>,
    /// A random id, should that one be somebody else's.
    pub fresh: RecordId,
    /// The invite of the request, if it belongs to one.
    pub invite: Option<Approving<'a>>,
}

impl<'a> Places<'a> {
    /// What belongs to a request of an invite.
    fn approving(self) -> Result<Approving<'a>, Refusal> {
        self.invite
            .ok_or(Refusal::NothingToApprove(InviteUnusable::Revoked))
    }
}

/// The id of the record that gives what was approved: `req:` and that of the request.
///
/// # Errors
///
/// It would be too long, which those of our requests never are.
pub fn record_id_of(request: &RequestId) -> Result<RecordId, Refusal> {
    format!("req:{request}")
        .parse()
        .map_err(|reason| impossible(&reason))
}

fn impossible(reason: &Malformed) -> Refusal {
    Refusal::TooLarge {
        reason: reason.to_string(),
    }
}

/// Approves or denies a request. Its first answer stands: `None` if it was answered alike before.
///
/// # Errors
///
/// [`Refusal::InsufficientGrantAccess`] if the caller may not give what they approve,
/// [`Refusal::AnsweredOtherwise`] if the request was answered otherwise. Of what somebody accepted:
/// [`Refusal::SecondPersonRequired`], [`Refusal::InviteSuspended`], [`Refusal::NothingToApprove`].
pub fn respond(
    facts: Facts<'_>,
    seen: &Seen<StoredAccessRequest>,
    answer: AccessRequestAnswer,
    places: Places<'_>,
) -> Result<Option<(Changes, StoredAccessRequest)>, Refusal> {
    let request = &seen.value;
    let ability = Ability::UpdateRequest(&request.request_id);
    let basis = holds(facts.grants, facts.who(), ability).ok_or_else(|| refuse(facts, ability))?;
    if let (AccessRequestStatus::Open, Some(of)) = (request.status, &request.invite) {
        let approving = places.approving()?;
        return match answer {
            AccessRequestAnswer::Approved => {
                invite_approvals::approve(facts, seen, of, basis, approving)
            }
            AccessRequestAnswer::Denied => {
                invite_approvals::deny(facts, seen, basis, approving.invite)
            }
        }
        .map(Some);
    }
    match (request.status, answer) {
        (AccessRequestStatus::Open, AccessRequestAnswer::Approved) => {
            approve(facts, seen, basis, places).map(Some)
        }
        (AccessRequestStatus::Open, AccessRequestAnswer::Denied) => {
            let denied = request.at(facts, AccessRequestStatus::Denied);
            let subject = subject(&request.request_id);
            let mut changes = facts.changes("access-request.denied", subject, json!({}));
            changes.expect.extend(basis);
            changes.replace(seen.mark, &denied)?;
            Ok(Some((changes, denied)))
        }
        (AccessRequestStatus::Approved, AccessRequestAnswer::Approved)
        | (AccessRequestStatus::Denied, AccessRequestAnswer::Denied) => Ok(None),
        (AccessRequestStatus::Approved, AccessRequestAnswer::Denied)
        | (AccessRequestStatus::Denied, AccessRequestAnswer::Approved) => {
            Err(Refusal::AnsweredOtherwise)
        }
        (AccessRequestStatus::Deleted, _) => Err(Refusal::NotFound(Noun::AccessRequest)),
    }
}

/// Gives what was asked for, under the caller's authority, in a record of its own.
fn approve(
    facts: Facts<'_>,
    seen: &Seen<StoredAccessRequest>,
    mut basis: Basis,
    places: Places<'_>,
) -> Result<(Changes, StoredAccessRequest), Refusal> {
    let request = &seen.value;
    let held = may_hand_out(facts.grants, facts.who(), request.gifts());
    basis.extend(held.map_err(|reason| match reason {
        NotGiven::UnknownRole(role) => Refusal::NotAskable {
            path: "status".to_owned(),
            reason: format!("cannot be APPROVED: there is no role {role} any more"),
        },
        other @ (NotGiven::TooMuch | NotGiven::TooMany) => other.into(),
    })?);
    // An open request has no record: one under its id that is in force is somebody else's, and is
    // left alone.
    let own = places
        .existing
        .is_none_or(|record| !record.value.is_active());
    let record_id = if own {
        record_id_of(&request.request_id)?
    } else {
        places.fresh
    };
    let mut record = record(facts, request, record_id)?;
    let approved = StoredAccessRequest {
        record_id: Some(record.record_id.clone()),
        ..request.at(facts, AccessRequestStatus::Approved)
    };
    let data = json!({ "requester": request.requester, "recordId": record.record_id });
    let subject = subject(&request.request_id);
    let mut changes = facts.changes("access-request.approved", subject, data);
    changes.expect.extend(basis);
    changes.replace(seen.mark, &approved)?;
    changes.tell_access(None, Some(&record));
    match places.existing.filter(|_| own) {
        Some(deleted) => {
            record.last_updated = record.last_updated.max(deleted.value.last_updated.plus(1));
            changes.replace(deleted.mark, &record)?;
        }
        None => changes.create(&record)?,
    }
    Ok((changes, approved))
}

/// The record that gives what is asked for. It has no administrators: who asked must not be able to
/// edit it.
fn record(
    facts: Facts<'_>,
    request: &StoredAccessRequest,
    record_id: RecordId,
) -> Result<StoredRecord, Refusal> {
    let name = format!("Access request {}", request.request_id);
    let description = format!(
        "Asked for by {}, approved by {}.",
        request.requester,
        facts.who()
    );
    Ok(StoredRecord {
        record_id,
        name: Name::parse(&name).map_err(|reason| impossible(&reason))?,
        description: Description::parse(&description).ok(),
        users: request.users.clone(),
        admins: Vec::new(),
        groups: Vec::new(),
        statements: request.statements.clone(),
        tags: Tags::default(),
        status: RecordStatus::Active,
        created_by: facts.who().clone(),
        last_updated: facts.now,
    })
}

/// Takes a request back. What was approved stays given: access is taken away by changing the record.
/// The invite of an open request, if it belongs to one, can be accepted again.
pub fn delete(
    facts: Facts<'_>,
    seen: &Seen<StoredAccessRequest>,
    invite: Option<&Seen<StoredInvite>>,
) -> Result<Changes, Refusal> {
    let request = &seen.value;
    let basis = if request.is_by(facts.who()) {
        Basis::new()
    } else {
        let ability = Ability::UpdateRequest(&request.request_id);
        holds(facts.grants, facts.who(), ability).ok_or_else(|| refuse(facts, ability))?
    };
    if request.status == AccessRequestStatus::Deleted {
        return Err(Refusal::NotFound(Noun::AccessRequest));
    }
    let deleted = request.at(facts, AccessRequestStatus::Deleted);
    let subject = subject(&request.request_id);
    let data = match &request.invite {
        Some(of) => json!({ "reference": of.reference }),
        None => json!({}),
    };
    let mut changes = facts.changes("access-request.deleted", subject, data);
    changes.expect.extend(basis);
    if let Some(invite) = invite
        && let Some(next) = reopened(facts, request, &invite.value)
    {
        changes.replace(invite.mark, &next)?;
    }
    changes.replace(seen.mark, &deleted)?;
    Ok(changes)
}
