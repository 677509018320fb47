//! What is done with invites by those who do not use them: found by reference, changed, renewed,
//! withdrawn; and declined, or given up by whoever holds the secret.

use guestlist_api::ids::UserId;
use guestlist_api::invite_lists::{InviteChange, InviteMoment, InviteReason, InviteState};
use guestlist_api::invites::InviteRequest;
use guestlist_api::limits;
use guestlist_api::records::Resource;
use guestlist_api::resources::ResourceUri;
use guestlist_api::times::{Timestamp, UnmodifiedSince};
use serde_json::json;

use crate::access_requests::StoredAccessRequest;
use crate::authority::{Ability, Basis, holds, refuse};
use crate::ceiling::may_hand_out_until;
use crate::changes::{Changes, Event, Seen};
use crate::facts::Facts;
use crate::invite_approvals::{check_uses, close};
use crate::invite_notices::Notices;
use crate::invite_terms::{Terms, is_for_several};
use crate::invites::{
    InviteStatus, StoredInvite, access_until, chosen_expiry, gifts, may, subject, tenant,
};
use crate::refusals::{InviteUnusable, Refusal};

impl StoredInvite {
    /// Where it stands now. Suspended, expired and scheduled are told by the facts of the moment.
    pub fn state(&self, facts: Facts<'_>) -> InviteState {
        match self.status {
            InviteStatus::Accepted => InviteState::Accepted,
            InviteStatus::Exhausted => InviteState::Exhausted,
            InviteStatus::Declined => InviteState::Declined,
            InviteStatus::Revoked => InviteState::Revoked,
            InviteStatus::Pending | InviteStatus::AwaitingApproval
                if facts.now >= self.expiry_time =>
            {
                InviteState::Expired
            }
            InviteStatus::Pending | InviteStatus::AwaitingApproval if !self.is_backed(facts) => {
                InviteState::Suspended
            }
            InviteStatus::AwaitingApproval => InviteState::AwaitingApproval,
            InviteStatus::Pending if self.begins_after(facts.now) => InviteState::Scheduled,
            InviteStatus::Pending => InviteState::Pending,
        }
    }

    /// Whether the inviter could give now what it holds.
    pub(crate) fn is_backed(&self, facts: Facts<'_>) -> bool {
        facts.standing(self.inviter.principal()).is_some()
            && may_hand_out_until(
                facts.grants,
                &self.inviter,
                gifts(&self.statements, self.access_until(facts.now)),
            )
            .is_ok()
            && (self.max_uses == 1 || is_for_several(facts.grants, &self.statements).is_ok())
    }

    pub(crate) fn begins_after(&self, now: Timestamp) -> bool {
        let begins = self.terms.not_before;
        begins.is_some_and(|instant| now < instant)
    }

    /// When it was last written, for conditions.
    pub fn last_updated(&self) -> Timestamp {
        self.last_updated
            .or(self.responded_time)
            .unwrap_or(self.created_time)
    }

    /// The same after something happened to it. The history keeps its first line and the last ones.
    pub(crate) fn after(
        &self,
        change: InviteChange,
        time: Timestamp,
        user_id: Option<&UserId>,
        reason: Option<InviteReason>,
    ) -> Self {
        let time = time.max(self.last_updated().plus(1));
        let mut next = self.noted(change, time, user_id, reason);
        next.last_updated = Some(time);
        next
    }

    /// The same with a line more in its history, and otherwise as it was: whoever read it can still
    /// change it.
    pub(crate) fn noted(
        &self,
        change: InviteChange,
        time: Timestamp,
        user_id: Option<&UserId>,
        reason: Option<InviteReason>,
    ) -> Self {
        let mut next = self.clone();
        next.history.push(InviteMoment {
            change,
            time,
            user_id: user_id.cloned(),
            reason,
        });
        if next.history.len() > limits::INVITE_MOMENTS {
            next.history.remove(1);
        }
        next
    }

    /// What happened to it, oldest first. Of invites that were made before there was a history, what
    /// can be told.
    pub fn moments(&self) -> Vec<InviteMoment> {
        let begun = self.history.first().map(|moment| moment.change);
        let made = InviteMoment {
            change: InviteChange::Created,
            time: self.created_time,
            user_id: Some(self.inviter.clone()),
            reason: None,
        };
        let first = (begun != Some(InviteChange::Created)).then_some(made);
        first
            .into_iter()
            .chain(self.history.iter().cloned())
            .collect()
    }

    /// Whether it gives something on exactly this resource.
    pub fn is_on(&self, resource: &ResourceUri) -> bool {
        let mut statements = self.statements.iter();
        statements.any(|statement| {
            let mut resources = statement.resources.iter();
            resources.any(|named: &Resource| named.resource_uri == *resource)
        })
    }
}

/// The right to change an invite: its maker's, and of those who may update invites.
fn may_update(facts: Facts<'_>, invite: &StoredInvite) -> Result<Basis, Refusal> {
    may(facts, invite, Ability::UpdateInvite(&invite.reference))
}

fn is_unmodified(
    invite: &StoredInvite,
    unmodified_since: Option<UnmodifiedSince>,
) -> Result<(), Refusal> {
    match unmodified_since {
        Some(since) if !since.holds(invite.last_updated()) => Err(Refusal::Outdated),
        Some(_) | None => Ok(()),
    }
}

/// Replaces what a pending invite holds and says. Whoever changes it stands for all of it from then
/// on: their authority is what counts, now and when it is accepted.
pub fn update(
    facts: Facts<'_>,
    seen: &Seen<StoredInvite>,
    request: InviteRequest,
    unmodified_since: Option<UnmodifiedSince>,
) -> Result<(Changes, StoredInvite), Refusal> {
    let invite = &seen.value;
    let mut basis = may_update(facts, invite)?;
    if let Some(reason) = invite.unusable(facts.now) {
        return Err(Refusal::InviteUnusable(reason));
    }
    is_unmodified(invite, unmodified_since)?;
    let expiry_time = match request.expiry_time {
        // What was read can be sent back: the same instant needs no right to choose one.
        Some(given) if given != invite.expiry_time => chosen_expiry(facts, given, &mut basis)?,
        Some(_) | None => invite.expiry_time,
    };
    let terms = Terms::of(&request, expiry_time)?;
    let max_uses = request
        .restrictions
        .as_ref()
        .map_or(1, |restrictions| restrictions.max_uses.get());
    if max_uses <= invite.uses {
        return Err(Refusal::invalid(
            "restrictions.maxUses",
            format!("must be more than {}: so often it was used", invite.uses),
        ));
    }
    let access_duration = match &request.grant {
        Some(grant) => grant.access_duration.clone(),
        // Clients that do not know the member must not make access endless by sending back the rest.
        None => invite.access_duration.clone(),
    };
    // The same for the approval of it.
    let approval = request.approval.as_ref();
    let approval_required = approval.map_or(invite.approval_required, |approval| approval.required);
    check_uses(approval_required, max_uses)?;
    let until = access_until(access_duration.as_ref(), facts.now);
    basis.extend(may_hold(facts, &request, max_uses, until)?);
    let tenant = tenant(&request)?;
    let next = StoredInvite {
        statements: request.statements.into_vec(),
        conflict_resolution_strategy: request.conflict_resolution_strategy,
        inviter: facts.who().clone(),
        expiry_time,
        linked_user_id: request.linked_user_id,
        default_login_tenant_id: tenant,
        tags: request.tags,
        max_uses,
        terms,
        access_duration,
        approval_required,
        ..invite.after(InviteChange::Updated, facts.now, Some(facts.who()), None)
    };
    let data = json!({ "reference": invite.reference, "expiryTime": next.expiry_time });
    let mut changes = facts.changes("invite.updated", subject(&invite.reference), data);
    changes.expect.extend(basis);
    changes.replace(seen.mark, &next)?;
    Ok((changes, next))
}

/// What it rests on that the caller may make an invite of all this.
pub(crate) fn may_hold(
    facts: Facts<'_>,
    request: &InviteRequest,
    max_uses: u32,
    until: Option<Timestamp>,
) -> Result<Basis, Refusal> {
    let mut basis = Basis::new();
    if request.statements.is_empty() {
        // Such an invite gives nothing, so no ceiling would stop a stranger from making them.
        let ability = Ability::ChooseInviteExpiry;
        basis.extend(crate::authority::require_plainly(facts, ability)?);
    }
    if max_uses > 1 {
        is_for_several(facts.grants, &request.statements)?;
    }
    let given = gifts(&request.statements, until);
    let held = may_hand_out_until(facts.grants, facts.who(), given).map_err(|reason| {
        reason.at(request.statements.iter().map(|statement| &*statement.roles))
    })?;
    basis.extend(held);
    Ok(basis)
}

/// Gives an invite another secret and another time to live. The old secret is dead with the same
/// change. Also for one that expired, was declined or suspended; not for one that was withdrawn or
/// used, nor while it awaits approval. Whoever renews it stands for what it holds. `waiting` is the
/// access request that it waited for when it expired.
pub fn renew(
    facts: Facts<'_>,
    seen: &Seen<StoredInvite>,
    secret_hash: String,
    expiry_time: Option<Timestamp>,
    waiting: Option<&Seen<StoredAccessRequest>>,
) -> Result<(Changes, StoredInvite), Refusal> {
    let invite = &seen.value;
    let mut basis = may_update(facts, invite)?;
    match invite.status {
        InviteStatus::Pending | InviteStatus::Declined => {}
        InviteStatus::AwaitingApproval if facts.now >= invite.expiry_time => {}
        InviteStatus::AwaitingApproval => return Err(unusable(InviteUnusable::AwaitingApproval)),
        InviteStatus::Accepted => return Err(unusable(InviteUnusable::AlreadyAccepted)),
        InviteStatus::Revoked => return Err(unusable(InviteUnusable::Revoked)),
        InviteStatus::Exhausted => return Err(unusable(InviteUnusable::Exhausted)),
    }
    let expiry_time = match expiry_time {
        None => facts.now.plus(limits::INVITE_LIFETIME),
        Some(given) => chosen_expiry(facts, given, &mut basis)?,
    };
    if invite.statements.is_empty() {
        let ability = Ability::ChooseInviteExpiry;
        basis.extend(crate::authority::require_plainly(facts, ability)?);
    }
    if invite.max_uses > 1 {
        is_for_several(facts.grants, &invite.statements)?;
    }
    let given = gifts(&invite.statements, invite.access_until(facts.now));
    let held = may_hand_out_until(facts.grants, facts.who(), given);
    basis.extend(held.map_err(Refusal::from)?);
    let next = StoredInvite {
        secret_hash,
        expiry_time,
        inviter: facts.who().clone(),
        status: InviteStatus::Pending,
        status_reason: None,
        responded_time: None,
        notices: Notices::default(),
        awaiting: None,
        ..invite.after(InviteChange::Renewed, facts.now, Some(facts.who()), None)
    };
    let data = json!({ "reference": invite.reference, "expiryTime": expiry_time });
    let mut changes = facts.changes("invite.renewed", subject(&invite.reference), data);
    changes.expect.extend(basis);
    changes.replace(seen.mark, &next)?;
    close(&mut changes, facts.now, Some(facts.who()), waiting)?;
    Ok((changes, next))
}

const fn unusable(reason: InviteUnusable) -> Refusal {
    Refusal::InviteUnusable(reason)
}

/// Whether the caller may withdraw the invite.
pub fn may_revoke(facts: Facts<'_>, invite: &StoredInvite) -> Result<Basis, Refusal> {
    may(facts, invite, Ability::DeleteInvite(&invite.reference))
}

/// Whether the caller may know of the invite by its reference: whoever made it, for whom it is, and
/// those who may read, update or withdraw it.
pub fn may_see(facts: Facts<'_>, invite: &StoredInvite) -> Result<(), Refusal> {
    if is_invitee(facts, invite) || invite.inviter.principal() == facts.who().principal() {
        return Ok(());
    }
    let reference = &invite.reference;
    let abilities = [
        Ability::ReadInvite(reference),
        Ability::UpdateInvite(reference),
        Ability::DeleteInvite(reference),
    ];
    let mut abilities = abilities.into_iter();
    abilities
        .any(|ability| holds(facts.grants, facts.who(), ability).is_some())
        .then_some(())
        .ok_or_else(|| refuse(facts, Ability::ReadInvite(reference)))
}

/// Whether the invite is for the caller by name, as their token proves: such an invite is in their
/// inbox, and needs no secret.
pub fn is_invitee(facts: Facts<'_>, invite: &StoredInvite) -> bool {
    invite.terms.invitee.is_some() && invite.terms.admit(facts).is_ok()
}

/// Whether the caller may list the invites that are for somebody else.
pub fn may_read_inbox(facts: Facts<'_>, user: &UserId) -> Result<(), Refusal> {
    if facts.who().principal() == user.principal() {
        return Ok(());
    }
    let ability = Ability::ReadInvites;
    holds(facts.grants, facts.who(), ability)
        .map(drop)
        .ok_or_else(|| refuse(facts, ability))
}

/// The caller, for whom the invite is, says that they do not want it.
pub fn decline(
    facts: Facts<'_>,
    seen: &Seen<StoredInvite>,
    waiting: Option<&Seen<StoredAccessRequest>>,
    reason: Option<InviteReason>,
) -> Result<Option<Changes>, Refusal> {
    if !facts.is_user() {
        return Err(Refusal::AcceptorNotAUser);
    }
    let invite = &seen.value;
    if invite.status == InviteStatus::Declined {
        return Ok(None);
    }
    if let Some(reason) = invite.ended(facts.now) {
        return Err(Refusal::InviteUnusable(reason));
    }
    invite.terms.admit(facts)?;
    let who = facts.who();
    let next = declined(invite, facts.now, Some(who), reason);
    let data = json!({ "reference": invite.reference });
    let mut changes = facts.changes("invite.declined", subject(&invite.reference), data);
    changes.replace(seen.mark, &next)?;
    close(&mut changes, facts.now, Some(who), waiting)?;
    Ok(Some(changes))
}

/// An invite for several is only declined for oneself, which changes nothing of it but its history.
fn declined(
    invite: &StoredInvite,
    now: Timestamp,
    who: Option<&UserId>,
    reason: Option<InviteReason>,
) -> StoredInvite {
    let next = invite.after(InviteChange::Declined, now, who, reason.clone());
    if invite.max_uses > 1 {
        return next;
    }
    StoredInvite {
        status: InviteStatus::Declined,
        status_reason: reason.map(|reason| reason.as_str().to_owned()),
        responded_time: Some(now),
        awaiting: None,
        ..next
    }
}

/// What whoever holds a secret does without signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByHolder {
    Decline,
    /// Possession proves the right to end it.
    ReportLeak,
}

/// Somebody who holds the secret, and whom nobody knows, gives the invite up. `None` if there is
/// nothing left to end: the answer must not tell.
pub fn give_up(
    now: Timestamp,
    request_id: &str,
    seen: &Seen<StoredInvite>,
    waiting: Option<&Seen<StoredAccessRequest>>,
    how: ByHolder,
    reason: Option<InviteReason>,
) -> Result<Option<Changes>, Refusal> {
    let invite = &seen.value;
    if invite.ended(now).is_some() {
        return Ok(None);
    }
    let (kind, next) = match how {
        ByHolder::Decline => ("invite.declined", declined(invite, now, None, reason)),
        ByHolder::ReportLeak => {
            let next = StoredInvite {
                status: InviteStatus::Revoked,
                status_reason: Some("reported as leaked".to_owned()),
                responded_time: Some(now),
                awaiting: None,
                ..invite.after(InviteChange::LeakReported, now, None, reason)
            };
            ("invite.revoked", next)
        }
    };
    let mut changes = Changes::new(Event {
        kind: kind.to_owned(),
        time: now.milliseconds(),
        actor: crate::caller::SERVICE.to_owned(),
        request_id: request_id.to_owned(),
        subject: subject(&invite.reference),
        data: json!({ "reference": invite.reference, "by": "holder" }),
    });
    changes.replace(seen.mark, &next)?;
    close(&mut changes, now, None, waiting)?;
    Ok(Some(changes))
}
