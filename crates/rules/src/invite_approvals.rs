//! Approval of invites: who accepted asks by an access request, and what the invite holds is given
//! once somebody else who may give it says yes.
//!
//! What is given rests on both, at that moment: on whoever made the invite, as when it is accepted
//! without approval, and on whoever approves.

use std::sync::Arc;

use guestlist_api::access_requests::AccessRequestStatus;
use guestlist_api::ids::{InviteReference, RequestId, UserId};
use guestlist_api::invite_effects::RiskFlag;
use guestlist_api::invite_lists::{InviteChange, InviteReason};
use guestlist_api::records::{Statement, User};
use guestlist_api::text::{Bounded, Tags};
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::accepting::{Places, effect};
use crate::access_requests::StoredAccessRequest;
use crate::authority::Basis;
use crate::caller::{Caller, CallerKind};
use crate::ceiling::may_hand_out_until;
use crate::changes::{Changes, Expect, Kind, Seen};
use crate::facts::Facts;
use crate::invite_effects::risks;
use crate::invite_settings::{self, StoredInviteSettings};
use crate::invites::{Acceptor, InviteStatus, StoredInvite, backing, gifts, settle, subject};
use crate::records::added;
use crate::refusals::{Approver, InviteUnusable, Refusal};

/// Who accepted an invite, and the access request that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Awaiting {
    pub request_id: RequestId,
    pub user_id: UserId,
}

/// The invite that an access request belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfInvite {
    pub reference: InviteReference,
    /// Whether the account wanted, when it was asked, that whoever made the invite does not approve.
    pub second_person: bool,
}

/// What approving needs to know besides the access request.
pub struct Approving<'a> {
    pub invite: &'a Seen<StoredInvite>,
    /// What accepting would need to know, of whoever accepted.
    pub acceptor: Acceptor<'a>,
    pub settings: Option<&'a Seen<StoredInviteSettings>>,
}

/// Whether accepting an invite needs approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    None,
    /// By somebody else than whoever accepts.
    Approval,
    /// And by a person who is somebody else than whoever made it.
    SecondPerson,
}

/// What the account's rule looks at. What becomes of others, and whether whoever holds the id may
/// use it, is not in it: the first depends on records, the second adds to the right to give on.
const RISKS: [RiskFlag; 4] = [
    RiskFlag::Everything,
    RiskFlag::AllActions,
    RiskFlag::GrantsAccess,
    RiskFlag::ServiceResources,
];

/// Whether accepting the invite needs approval at this moment.
pub(crate) fn need(
    facts: Facts<'_>,
    invite: &StoredInvite,
    settings: Option<&Seen<StoredInviteSettings>>,
) -> Need {
    let for_risk = settings.is_some_and(|seen| seen.value.approval.required_for_risk);
    let risky = || {
        let flags = risks(facts, invite);
        RISKS.iter().any(|flag| flags.contains(flag))
    };
    if for_risk && risky() {
        Need::SecondPerson
    } else if invite.approval_required {
        Need::Approval
    } else {
        Need::None
    }
}

/// Makes a change rest on what the account decided about invites.
pub(crate) fn rely_on_settings(
    changes: &mut Changes,
    settings: Option<&Seen<StoredInviteSettings>>,
) {
    let expect = settings.map_or(Expect::Absent, |seen| Expect::At(seen.mark));
    changes.rely_on(Kind::InviteSettings, invite_settings::ID, expect);
}

/// Approval and several uses do not go together: one access request is for one person.
pub(crate) fn check_uses(approval_required: bool, max_uses: u32) -> Result<(), Refusal> {
    if approval_required && max_uses > 1 {
        return Err(Refusal::invalid(
            "approval.required",
            "must be false for an invite that can be used several times",
        ));
    }
    Ok(())
}

/// The caller accepts, and what the invite holds is asked for.
pub(crate) fn ask(
    facts: Facts<'_>,
    seen: &Seen<StoredInvite>,
    basis: Basis,
    need: Need,
    request_id: RequestId,
) -> Result<(Changes, StoredAccessRequest), Refusal> {
    let invite = &seen.value;
    if invite.max_uses > 1 {
        // The account decided after it was made that it must be approved.
        return Err(Refusal::InviteSuspended);
    }
    let statements = invite.statements.iter().map(|statement| Statement {
        roles: statement.roles.clone(),
        resources: statement.resources.clone(),
        users: Bounded::default(),
        groups: Bounded::default(),
        // When access ends counts from when it is given.
        expiry_time: None,
    });
    let who = facts.who();
    let request = StoredAccessRequest {
        request_id: request_id.clone(),
        users: vec![User {
            user_id: who.clone(),
        }],
        statements: statements.collect(),
        tags: Tags::default(),
        status: AccessRequestStatus::Open,
        requester: who.clone(),
        created_time: facts.now,
        last_updated: facts.now,
        answered_by: None,
        record_id: None,
        invite: Some(OfInvite {
            reference: invite.reference.clone(),
            second_person: need == Need::SecondPerson,
        }),
    };
    let next = StoredInvite {
        status: InviteStatus::AwaitingApproval,
        awaiting: Some(Awaiting {
            request_id,
            user_id: who.clone(),
        }),
        ..invite.after(InviteChange::ApprovalRequested, facts.now, Some(who), None)
    };
    let data = json!({
        "reference": invite.reference,
        "inviter": invite.inviter,
        "requestId": request.request_id,
    });
    let kind = "invite.approval-requested";
    let mut changes = facts.changes(kind, subject(&invite.reference), data);
    changes.expect.extend(basis);
    changes.replace(seen.mark, &next)?;
    changes.create(&request)?;
    Ok((changes, request))
}

/// Why the invite of a request cannot be given any more, if so.
fn void(request: &StoredAccessRequest, invite: &StoredInvite, now: Timestamp) -> Option<Refusal> {
    let reason = match invite.unusable(now) {
        Some(InviteUnusable::AwaitingApproval) if invite.awaits(&request.request_id) => {
            return None;
        }
        Some(reason) => reason,
        // It was renewed: what it says now was not asked for.
        None => InviteUnusable::Revoked,
    };
    Some(Refusal::NothingToApprove(reason))
}

impl StoredInvite {
    /// Whether this is the access request that it waits for.
    pub fn awaits(&self, request: &RequestId) -> bool {
        let waiting = self.awaiting.as_ref();
        waiting.is_some_and(|awaiting| awaiting.request_id == *request)
    }

    /// Whether it waits for approval of what this person accepted.
    pub(crate) fn awaits_for(&self, who: &UserId) -> bool {
        let waiting = self.awaiting.as_ref();
        waiting.is_some_and(|awaiting| awaiting.user_id.principal() == who.principal())
    }
}

/// Gives what was accepted, as if it had been accepted at this moment without approval.
pub(crate) fn approve(
    facts: Facts<'_>,
    seen: &Seen<StoredAccessRequest>,
    of: &OfInvite,
    mut basis: Basis,
    approving: Approving<'_>,
) -> Result<(Changes, StoredAccessRequest), Refusal> {
    let request = &seen.value;
    let invite = &approving.invite.value;
    if let Some(refusal) = void(request, invite, facts.now) {
        return Err(refusal);
    }
    let person = invite.awaiting.as_ref().map(|awaiting| &awaiting.user_id);
    let person = person.ok_or(Refusal::NothingToApprove(InviteUnusable::Revoked))?;
    check_approver(facts, invite, person, of, approving.settings)?;
    basis.extend(backing(facts, invite)?);
    let caller = Caller {
        user_id: person.clone(),
        // Nothing is done in their name that needs a right.
        kind: CallerKind::Limited {
            statements: Arc::new([]),
        },
    };
    let theirs = Facts {
        caller: &caller,
        ..facts
    };
    let acceptor = approving.acceptor;
    let places = Places {
        own: acceptor.record_id.clone(),
        fresh: acceptor.fresh_record_id.clone(),
    };
    let effect = effect(theirs, invite, acceptor.record, places)?;
    let until = invite.access_until(facts.now);
    let mut given: Vec<_> = gifts(&invite.statements, until).collect();
    if let Some(record) = &effect.record {
        // Others may gain too, by the strategy of the invite.
        let before = acceptor.record.filter(|_| effect.replaces);
        given.extend(added(before.map(|seen| &seen.value), record)?);
    }
    basis.extend(may_hand_out_until(facts.grants, facts.who(), given)?);
    let approved = Seen {
        mark: approving.invite.mark,
        value: invite.after(InviteChange::Approved, facts.now, Some(facts.who()), None),
    };
    let how = ("invite.approved", Some(&request.request_id));
    let (mut changes, record_id) = settle(facts, theirs, how, &approved, &acceptor, effect)?;
    changes.expect.extend(basis);
    rely_on_settings(&mut changes, approving.settings);
    let answered = StoredAccessRequest {
        record_id,
        ..request.at(facts, AccessRequestStatus::Approved)
    };
    changes.replace(seen.mark, &answered)?;
    Ok((changes, answered))
}

/// Nobody approves what they accepted; nor what they offered, where the account wants two, and then
/// no program does either.
fn check_approver(
    facts: Facts<'_>,
    invite: &StoredInvite,
    person: &UserId,
    of: &OfInvite,
    settings: Option<&Seen<StoredInviteSettings>>,
) -> Result<(), Refusal> {
    let approver = facts.who().principal();
    if approver == person.principal() {
        return Err(Refusal::SecondPersonRequired(Approver::Invited));
    }
    let two = of.second_person || need(facts, invite, settings) == Need::SecondPerson;
    if !two {
        return Ok(());
    }
    if approver == invite.inviter.principal() {
        return Err(Refusal::SecondPersonRequired(Approver::Inviter));
    }
    // Whose it is nobody can tell: it may be the inviter's.
    if !facts.is_user() {
        return Err(Refusal::SecondPersonRequired(Approver::Program));
    }
    Ok(())
}

/// Says no: nothing is given, and the invite has ended.
pub(crate) fn deny(
    facts: Facts<'_>,
    seen: &Seen<StoredAccessRequest>,
    basis: Basis,
    invite: &Seen<StoredInvite>,
) -> Result<(Changes, StoredAccessRequest), Refusal> {
    let request = &seen.value;
    let value = &invite.value;
    let denied = request.at(facts, AccessRequestStatus::Denied);
    let data = json!({ "reference": value.reference, "requestId": request.request_id });
    let mut changes = facts.changes("invite.denied", subject(&value.reference), data);
    changes.expect.extend(basis);
    if value.awaits(&request.request_id) {
        let reason = format!("approval was denied by {}", facts.who());
        let line: Option<InviteReason> = reason.parse().ok();
        let next = StoredInvite {
            status: InviteStatus::Revoked,
            status_reason: Some(reason),
            responded_time: Some(facts.now),
            awaiting: None,
            ..value.after(InviteChange::Denied, facts.now, Some(facts.who()), line)
        };
        changes.replace(invite.mark, &next)?;
    }
    changes.replace(seen.mark, &denied)?;
    Ok((changes, denied))
}

/// The invite of a request that is taken back: it can be accepted again. `None` if it does not wait
/// for that request any more.
pub(crate) fn reopened(
    facts: Facts<'_>,
    request: &StoredAccessRequest,
    invite: &StoredInvite,
) -> Option<StoredInvite> {
    let open = request.status == AccessRequestStatus::Open;
    (open && invite.awaits(&request.request_id)).then(|| StoredInvite {
        status: InviteStatus::Pending,
        awaiting: None,
        ..invite.after(
            InviteChange::ApprovalWithdrawn,
            facts.now,
            Some(facts.who()),
            None,
        )
    })
}

/// Closes the request that waited, in the change by which its invite waits for it no more.
pub(crate) fn close(
    changes: &mut Changes,
    now: Timestamp,
    by: Option<&UserId>,
    waiting: Option<&Seen<StoredAccessRequest>>,
) -> Result<(), Refusal> {
    let Some(seen) = waiting.filter(|seen| seen.value.status == AccessRequestStatus::Open) else {
        return Ok(());
    };
    let closed = StoredAccessRequest {
        status: AccessRequestStatus::Deleted,
        last_updated: now.max(seen.value.last_updated.plus(1)),
        answered_by: by.cloned(),
        ..seen.value.clone()
    };
    changes.replace(seen.mark, &closed)?;
    Ok(())
}
