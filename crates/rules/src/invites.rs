//! Invites: making, reading, withdrawing and accepting them.

use guestlist_api::ids::{
    InviteReference, LinkedUserId, RecordId, RequestId, RoleId, TenantId, UserId,
};
use guestlist_api::invite_lists::{InviteChange, InviteMoment};
use guestlist_api::invite_terms::AccessDuration;
use guestlist_api::invites::{ConflictResolutionStrategy, InviteRequest, InviteStatement};
use guestlist_api::limits;
use guestlist_api::records::Statement;
use guestlist_api::text::Tags;
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::accepting::{Effect, Places, effect};
use crate::access_requests::StoredAccessRequest;
use crate::authority::{Ability, Basis, holds, refuse, require_plainly};
use crate::ceiling::{TimedGift, may_hand_out_until};
use crate::changes::{
    Changes, Document, Expect, Facet, Kind, Mark, Seen, Stored, sortable, sortable_back,
};
use crate::facts::Facts;
use crate::invite_administration::may_hold;
use crate::invite_approvals::{Awaiting, Need, ask, check_uses, close, need, rely_on_settings};
use crate::invite_notices::Notices;
use crate::invite_settings::StoredInviteSettings;
use crate::invite_terms::{Terms, is_for_several};
use crate::records::StoredRecord;
use crate::refusals::{InviteUnusable, Refusal};

/// Where an invite stands. Expired, suspended and not yet valid are predicates, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InviteStatus {
    Pending,
    /// Somebody accepted it and nothing is given yet; [`StoredInvite::awaiting`] says who.
    AwaitingApproval,
    Accepted,
    Declined,
    Revoked,
    Exhausted,
}

/// An invite as it is stored: the secret only as a keyed hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredInvite {
    pub reference: InviteReference,
    /// The keyed hash of the whole id.
    pub secret_hash: String,
    pub statements: Vec<InviteStatement>,
    pub conflict_resolution_strategy: ConflictResolutionStrategy,
    pub inviter: UserId,
    pub created_time: Timestamp,
    pub expiry_time: Timestamp,
    pub linked_user_id: Option<LinkedUserId>,
    pub default_login_tenant_id: Option<TenantId>,
    pub status: InviteStatus,
    /// Why it came to its final state, for people.
    pub status_reason: Option<String>,
    /// When it came to its final state.
    pub responded_time: Option<Timestamp>,
    pub max_uses: u32,
    pub uses: u32,
    /// Withdrawn after it was accepted: nothing is taken back, but it is not shown any more.
    pub withdrawn: bool,
    /// For whom it is, and from when on.
    #[serde(default)]
    pub terms: Terms,
    #[serde(default)]
    pub tags: Tags,
    /// How long after it was accepted what it gives ends; absent if it does not.
    #[serde(default)]
    pub access_duration: Option<AccessDuration>,
    /// When it was last written; absent in invites of before this was kept.
    #[serde(default)]
    pub last_updated: Option<Timestamp>,
    /// What happened to it: the first and the last lines.
    #[serde(default)]
    pub history: Vec<InviteMoment>,
    /// What was told of it that nobody did.
    #[serde(default)]
    pub notices: Notices,
    /// Whether whoever made it wants that accepting it is approved.
    #[serde(default)]
    pub approval_required: bool,
    /// What waits for approval.
    #[serde(default)]
    pub awaiting: Option<Awaiting>,
}

impl Stored for StoredInvite {
    const KIND: Kind = Kind::Invite;

    fn id(&self) -> String {
        self.reference.to_string()
    }

    fn facets(&self) -> Vec<(Facet, String)> {
        let created = self.created_time.milliseconds();
        let mut facets = vec![
            (Facet::Inviter, self.inviter.to_string()),
            (Facet::Expires, sortable(self.expiry_time.milliseconds())),
            (Facet::Created, sortable(created)),
            (Facet::CreatedLast, sortable_back(created)),
        ];
        let invitee = self.terms.invitee.as_ref();
        facets.extend(invitee.map(|invitee| (Facet::Invitee, invitee.key())));
        facets.extend(self.live().map(|ends| (Facet::Live, ends)));
        facets
    }
}

/// How what an invite held became access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// The person had no record; one was made under their id.
    Created,
    /// Added to the person's record without anybody else gaining.
    Merged,
    /// A record of its own under a random id.
    Generated,
    /// Added although others gained too.
    ForceMerged,
    /// Put in the place of what the record held.
    Replaced,
    /// Nothing was granted: `SKIP_CHANGES`.
    Skipped,
    /// The invite held no statements.
    Nothing,
}

/// Who used an invite, and exactly what that added: the provenance of access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredAcceptance {
    pub reference: InviteReference,
    pub user_id: UserId,
    pub time: Timestamp,
    pub outcome: Outcome,
    /// The record that was written, or that gave all of it already; if any.
    pub record_id: Option<RecordId>,
    /// The statements the record gained for this user and did not hold before.
    pub added: Vec<Statement>,
    /// When it was taken back, if it was. The acceptance stays: the invite gives nothing again.
    #[serde(default)]
    pub undone_time: Option<Timestamp>,
}

impl StoredAcceptance {
    /// The document id of the acceptance of an invite by a user.
    pub fn key(reference: &InviteReference, user: &UserId) -> String {
        format!("{reference}/{user}")
    }

    /// Whether this gave the user exactly this role on exactly this resource (in its canonical form)
    /// in this record.
    pub fn gave(&self, record: &RecordId, role: &RoleId, resource: &str) -> bool {
        self.undone_time.is_none()
            && self.record_id.as_ref() == Some(record)
            && self.added.iter().any(|statement| {
                let mut resources = statement.resources.iter();
                statement.roles.contains(role)
                    && resources.any(|named| named.resource_uri.canonical() == resource)
            })
    }
}

impl Stored for StoredAcceptance {
    const KIND: Kind = Kind::Acceptance;

    fn id(&self) -> String {
        Self::key(&self.reference, &self.user_id)
    }

    fn facets(&self) -> Vec<(Facet, String)> {
        vec![
            (Facet::Parent, self.reference.to_string()),
            (Facet::Principal, self.user_id.to_string()),
        ]
    }
}

/// What an `Idempotency-Key` stands for, so that a repeated request gets the first answer.
///
/// The secret of the invite is not in it: it is derived again from the key, which only the caller
/// has, this salt, and the pepper, which is not in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredIdempotencyKey {
    /// A keyed hash of the caller and the key.
    pub key_hash: String,
    /// A hash of what was asked for.
    pub request_hash: String,
    pub salt: String,
    pub reference: InviteReference,
    pub expiry_time: Timestamp,
}

impl Stored for StoredIdempotencyKey {
    const KIND: Kind = Kind::IdempotencyKey;

    fn id(&self) -> String {
        self.key_hash.clone()
    }

    fn facets(&self) -> Vec<(Facet, String)> {
        vec![(Facet::Expires, sortable(self.expiry_time.milliseconds()))]
    }
}

/// What only the server can make: the ids, and the hash of the secret.
#[derive(Debug, Clone)]
pub struct FreshInvite {
    pub reference: InviteReference,
    pub secret_hash: String,
}

/// An idempotency key to write with what it stands for.
pub struct Remember {
    pub key: StoredIdempotencyKey,
    /// The mark of the same key from a time that is over.
    pub expired: Option<Mark>,
}

/// How much an explicit expiry may differ from the default and still count as it: clients echo it.
const ECHO: i64 = 60_000;

pub(crate) fn subject(reference: &InviteReference) -> String {
    format!("invite/{reference}")
}

/// Makes an invite.
///
/// If the caller sent an idempotency key, it is written with the invite: they can only come
/// together.
pub fn create(
    facts: Facts<'_>,
    request: InviteRequest,
    fresh: FreshInvite,
    remember: Option<Remember>,
) -> Result<(Changes, StoredInvite), Refusal> {
    let tenant = tenant(&request)?;
    let mut basis = Basis::new();
    let expiry_time = match request.expiry_time {
        None => facts.now.plus(limits::INVITE_LIFETIME),
        Some(given) => chosen_expiry(facts, given, &mut basis)?,
    };
    let terms = Terms::of(&request, expiry_time)?;
    let restrictions = request.restrictions.as_ref();
    let max_uses = restrictions.map_or(1, |restrictions| restrictions.max_uses.get());
    let approval = request.approval.as_ref();
    let approval_required = approval.is_some_and(|approval| approval.required);
    check_uses(approval_required, max_uses)?;
    let access_duration = request
        .grant
        .clone()
        .and_then(|grant| grant.access_duration);
    let until = access_until(access_duration.as_ref(), facts.now);
    basis.extend(may_hold(facts, &request, max_uses, until)?);
    let invite = StoredInvite {
        reference: fresh.reference,
        secret_hash: fresh.secret_hash,
        statements: request.statements.into_vec(),
        conflict_resolution_strategy: request.conflict_resolution_strategy,
        inviter: facts.who().clone(),
        created_time: facts.now,
        expiry_time,
        linked_user_id: request.linked_user_id,
        default_login_tenant_id: tenant,
        status: InviteStatus::Pending,
        status_reason: None,
        responded_time: None,
        max_uses,
        uses: 0,
        withdrawn: false,
        terms,
        tags: request.tags,
        access_duration,
        last_updated: None,
        history: Vec::new(),
        notices: Notices::default(),
        approval_required,
        awaiting: None,
    };
    let invite = StoredInvite {
        last_updated: Some(facts.now),
        ..invite.after(InviteChange::Created, facts.now, Some(facts.who()), None)
    };
    let data = json!({ "reference": invite.reference, "expiryTime": invite.expiry_time });
    let mut changes = facts.changes("invite.created", subject(&invite.reference), data);
    changes.expect.extend(basis);
    changes.create(&invite)?;
    self::remember(&mut changes, remember)?;
    Ok((changes, invite))
}

/// Writes an idempotency key, if there is one, with what it stands for.
pub(crate) fn remember(changes: &mut Changes, key: Option<Remember>) -> Result<(), Refusal> {
    if let Some(Remember { key, expired }) = key {
        match expired {
            Some(mark) => changes.replace(mark, &key)?,
            None => changes.create(&key)?,
        }
    }
    Ok(())
}

pub(crate) fn tenant(request: &InviteRequest) -> Result<Option<TenantId>, Refusal> {
    match (&request.default_login_tenant_id, &request.tenant_id) {
        (Some(name), Some(older)) if name != older => Err(Refusal::invalid(
            "tenantId",
            "is the older name of defaultLoginTenantId; send one of them, or the same value",
        )),
        (name, older) => Ok(name.clone().or_else(|| older.clone())),
    }
}

/// An expiry that the caller chose: within bounds, and only by those who may choose unless it is
/// the default.
pub(crate) fn chosen_expiry(
    facts: Facts<'_>,
    given: Timestamp,
    basis: &mut Basis,
) -> Result<Timestamp, Refusal> {
    let lifetime = given.milliseconds() - facts.now.milliseconds();
    if !(limits::INVITE_LIFETIME_LEAST..=limits::INVITE_LIFETIME_MOST).contains(&lifetime) {
        return Err(Refusal::invalid(
            "expiryTime",
            "must be 5 minutes to 30 days from now",
        ));
    }
    if (lifetime - limits::INVITE_LIFETIME).abs() > ECHO {
        basis.extend(require_plainly(facts, Ability::ChooseInviteExpiry)?);
    }
    Ok(given)
}

/// What statements give, until an instant if it ends.
pub(crate) fn gifts(
    statements: &[InviteStatement],
    until: Option<Timestamp>,
) -> impl Iterator<Item = TimedGift<'_>> {
    statements.iter().flat_map(move |statement| {
        statement.roles.iter().flat_map(move |role| {
            statement
                .resources
                .iter()
                .map(move |resource| ((role, &resource.resource_uri), until))
        })
    })
}

/// When access that begins now ends; `None` if it does not.
pub(crate) fn access_until(duration: Option<&AccessDuration>, now: Timestamp) -> Option<Timestamp> {
    duration.map(|duration| {
        let milliseconds = i64::try_from(duration.seconds().saturating_mul(1000));
        now.plus(milliseconds.unwrap_or(i64::MAX))
    })
}

impl StoredInvite {
    /// When access ends that it gives to whoever accepts it now; `None` if it does not.
    pub(crate) fn access_until(&self, now: Timestamp) -> Option<Timestamp> {
        access_until(self.access_duration.as_ref(), now)
    }

    /// Why nobody can use it any more, if so. The instant of the expiry is already too late.
    pub fn unusable(&self, now: Timestamp) -> Option<InviteUnusable> {
        match self.status {
            InviteStatus::Accepted => Some(InviteUnusable::AlreadyAccepted),
            InviteStatus::Declined => Some(InviteUnusable::Declined),
            InviteStatus::Revoked => Some(InviteUnusable::Revoked),
            InviteStatus::Exhausted => Some(InviteUnusable::Exhausted),
            InviteStatus::Pending | InviteStatus::AwaitingApproval if now >= self.expiry_time => {
                Some(InviteUnusable::Expired)
            }
            InviteStatus::AwaitingApproval => Some(InviteUnusable::AwaitingApproval),
            InviteStatus::Pending => None,
        }
    }

    /// Why it has ended, if it has: nobody can use it, and no approval is to come.
    pub fn ended(&self, now: Timestamp) -> Option<InviteUnusable> {
        self.unusable(now)
            .filter(|reason| *reason != InviteUnusable::AwaitingApproval)
    }
}

/// Whether the caller may know of the invite, used or not: its maker, or a reader of invites.
pub fn may_read(facts: Facts<'_>, invite: &StoredInvite) -> Result<(), Refusal> {
    may(facts, invite, Ability::ReadInvite(&invite.reference)).map(drop)
}

/// Whether the caller, who holds the secret, may read the invite: one who may know of it, as long
/// as it has not ended.
pub fn read(facts: Facts<'_>, invite: &StoredInvite) -> Result<(), Refusal> {
    may_read(facts, invite)?;
    invite
        .ended(facts.now)
        .map_or(Ok(()), |reason| Err(Refusal::InviteUnusable(reason)))
}

pub(crate) fn may(
    facts: Facts<'_>,
    invite: &StoredInvite,
    ability: Ability<'_>,
) -> Result<Basis, Refusal> {
    if invite.inviter.principal() == facts.who().principal() {
        return Ok(Basis::new());
    }
    holds(facts.grants, facts.who(), ability).ok_or_else(|| refuse(facts, ability))
}

/// Withdraws an invite. One that was accepted stays accepted: access is taken away by changing the
/// record. `waiting` is the access request that it waits for.
pub fn delete(
    facts: Facts<'_>,
    seen: &Seen<StoredInvite>,
    waiting: Option<&Seen<StoredAccessRequest>>,
) -> Result<Changes, Refusal> {
    let invite = &seen.value;
    let basis = may(facts, invite, Ability::DeleteInvite(&invite.reference))?;
    let withdrawn = match invite.status {
        InviteStatus::Pending | InviteStatus::AwaitingApproval => StoredInvite {
            status: InviteStatus::Revoked,
            status_reason: Some(format!("withdrawn by {}", facts.who())),
            responded_time: Some(facts.now),
            awaiting: None,
            ..invite.after(InviteChange::Revoked, facts.now, Some(facts.who()), None)
        },
        InviteStatus::Accepted | InviteStatus::Declined | InviteStatus::Exhausted
            if !invite.withdrawn =>
        {
            StoredInvite {
                withdrawn: true,
                ..invite.after(InviteChange::Revoked, facts.now, Some(facts.who()), None)
            }
        }
        InviteStatus::Accepted
        | InviteStatus::Declined
        | InviteStatus::Exhausted
        | InviteStatus::Revoked => return Err(Refusal::InviteUnusable(InviteUnusable::Revoked)),
    };
    let data = json!({ "reference": invite.reference });
    let mut changes = facts.changes("invite.revoked", subject(&invite.reference), data);
    changes.expect.extend(basis);
    changes.replace(seen.mark, &withdrawn)?;
    close(&mut changes, facts.now, Some(facts.who()), waiting)?;
    Ok(changes)
}

/// What accepting needs to know besides the invite.
pub struct Acceptor<'a> {
    /// Whether the caller accepted this invite before.
    pub accepted_before: bool,
    /// The record under the caller's id, if there is one, deleted ones too.
    pub record: Option<&'a Seen<StoredRecord>>,
    /// The id of that record, see [`crate::accepting::record_id_of`].
    pub record_id: RecordId,
    /// A random id, should another record be needed.
    pub fresh_record_id: RecordId,
}

/// What comes of it that somebody accepts an invite.
pub enum Accepting {
    /// They did so before: nothing changes, and access that was taken away since does not come back.
    Before,
    Gives(Changes),
    /// It must be approved: this asks for it.
    Asks(Changes, Box<StoredAccessRequest>),
    /// They accepted before, and this waits for approval.
    Waits(RequestId),
}

/// Accepts an invite for the caller, who holds its secret.
///
/// The inviter must still be able to give what it holds, at this moment; the change is conditional
/// on everything that says so. `fresh_request_id` is a random id, should it have to be approved.
pub fn accept(
    facts: Facts<'_>,
    seen: &Seen<StoredInvite>,
    acceptor: &Acceptor<'_>,
    settings: Option<&Seen<StoredInviteSettings>>,
    fresh_request_id: RequestId,
) -> Result<Accepting, Refusal> {
    if !facts.is_user() {
        return Err(Refusal::AcceptorNotAUser);
    }
    if acceptor.accepted_before {
        return Ok(Accepting::Before);
    }
    let invite = &seen.value;
    if let Some(awaiting) = &invite.awaiting
        && invite.awaits_for(facts.who())
        && invite.ended(facts.now).is_none()
    {
        return Ok(Accepting::Waits(awaiting.request_id.clone()));
    }
    let basis = may_accept(facts, invite)?;
    let places = Places {
        own: acceptor.record_id.clone(),
        fresh: acceptor.fresh_record_id.clone(),
    };
    // Nothing is asked for that could not be given.
    let effect = effect(facts, invite, acceptor.record, places)?;
    let need = need(facts, invite, settings);
    match need {
        Need::Approval | Need::SecondPerson => {
            let (changes, request) = ask(facts, seen, basis, need, fresh_request_id)?;
            Ok(Accepting::Asks(changes, Box::new(request)))
        }
        Need::None => {
            let how = ("invite.accepted", None);
            let (mut changes, _) = settle(facts, facts, how, seen, acceptor, effect)?;
            changes.expect.extend(basis);
            rely_on_settings(&mut changes, settings);
            Ok(Accepting::Gives(changes))
        }
    }
}

/// Writes what an accept does: the invite used, the acceptance and the record. `facts` are those of
/// whoever does it, `theirs` those of whoever accepts; `how` is the event, and the access request
/// that was approved.
pub(crate) fn settle(
    facts: Facts<'_>,
    theirs: Facts<'_>,
    how: (&str, Option<&RequestId>),
    seen: &Seen<StoredInvite>,
    acceptor: &Acceptor<'_>,
    effect: Effect,
) -> Result<(Changes, Option<RecordId>), Refusal> {
    let invite = &seen.value;
    let acceptance = StoredAcceptance {
        reference: invite.reference.clone(),
        user_id: theirs.who().clone(),
        time: theirs.now,
        outcome: effect.outcome,
        record_id: place(&effect, acceptor.record),
        added: effect.added,
        undone_time: None,
    };
    let used = used(theirs, invite);
    let mut data = json!({
        "reference": invite.reference,
        "inviter": invite.inviter,
        "outcome": acceptance.outcome,
        "recordId": acceptance.record_id,
    });
    let (event, request_id) = how;
    if let Some(members) = data.as_object_mut() {
        if let Some(until) = invite.access_until(theirs.now) {
            members.insert("accessExpiryTime".to_owned(), json!(until));
        }
        if let Some(request_id) = request_id {
            members.insert("requestId".to_owned(), json!(request_id));
            members.insert("userId".to_owned(), json!(acceptance.user_id));
        }
    }
    let mut changes = facts.changes(event, subject(&invite.reference), data);
    changes.expect.extend(effect.basis);
    let replaced = acceptor.record.filter(|_| effect.replaces);
    if let Some(record) = &effect.record {
        changes.tell_access(replaced.map(|seen| &seen.value), Some(record));
    }
    changes.replace(seen.mark, &used)?;
    changes.create(&acceptance)?;
    write_record(
        &mut changes,
        effect.record.as_ref(),
        effect.replaces,
        acceptor.record,
        &acceptor.record_id,
    )?;
    Ok((changes, acceptance.record_id))
}

/// The record in which the person has what they accepted: also if it was there already, since the
/// invite stands for it when whatever gave it is undone.
fn place(effect: &Effect, own: Option<&Seen<StoredRecord>>) -> Option<RecordId> {
    let record = match effect.outcome {
        Outcome::Merged | Outcome::ForceMerged => own.map(|seen| &seen.value),
        Outcome::Created
        | Outcome::Generated
        | Outcome::Replaced
        | Outcome::Skipped
        | Outcome::Nothing => effect.record.as_ref(),
    };
    record.map(|record| record.record_id.clone())
}

/// What it rests on that the caller may accept the invite at this moment: it can be used, it is for
/// them, and whoever made it could still give what it holds.
pub(crate) fn may_accept(facts: Facts<'_>, invite: &StoredInvite) -> Result<Basis, Refusal> {
    if let Some(reason) = invite.unusable(facts.now) {
        return Err(Refusal::InviteUnusable(reason));
    }
    if invite.begins_after(facts.now) {
        return Err(Refusal::InviteUnusable(InviteUnusable::NotYetValid));
    }
    invite.terms.admit(facts)?;
    backing(facts, invite)
}

/// What it rests on that whoever made the invite could give at this moment what it holds.
pub(crate) fn backing(facts: Facts<'_>, invite: &StoredInvite) -> Result<Basis, Refusal> {
    if invite.max_uses > 1 && is_for_several(facts.grants, &invite.statements).is_err() {
        // A role was given more since: nobody may be made an administrator by a link.
        return Err(Refusal::InviteSuspended);
    }
    let standing = facts
        .standing(invite.inviter.principal())
        .ok_or(Refusal::InviteSuspended)?;
    let given = gifts(&invite.statements, invite.access_until(facts.now));
    let mut basis = may_hand_out_until(facts.grants, &invite.inviter, given)
        .map_err(|_| Refusal::InviteSuspended)?;
    basis.extend(standing);
    Ok(basis)
}

/// The invite after one more use.
fn used(facts: Facts<'_>, invite: &StoredInvite) -> StoredInvite {
    let uses = invite.uses.saturating_add(1);
    let status = match (uses >= invite.max_uses, invite.max_uses) {
        (false, _) => InviteStatus::Pending,
        (true, 1) => InviteStatus::Accepted,
        (true, _) => InviteStatus::Exhausted,
    };
    StoredInvite {
        status,
        responded_time: (status != InviteStatus::Pending).then_some(facts.now),
        uses,
        awaiting: None,
        ..invite.after(InviteChange::Accepted, facts.now, Some(facts.who()), None)
    }
}

/// Writes the record under the condition that the person's record is still what was decided on,
/// also when another record is written or none.
fn write_record(
    changes: &mut Changes,
    record: Option<&StoredRecord>,
    replaces: bool,
    seen: Option<&Seen<StoredRecord>>,
    own: &RecordId,
) -> Result<(), Refusal> {
    let expect = seen.map_or(Expect::Absent, |seen| Expect::At(seen.mark));
    changes.rely_on(Kind::AccessRecord, own.to_string(), expect);
    if let Some(record) = record {
        if !replaces && record.record_id != *own {
            changes.rely_on(Kind::AccessRecord, record.id(), Expect::Absent);
        }
        changes.write.push(Document::of(record)?);
    }
    Ok(())
}

/// What a remembered key stands for, if it answers this request.
///
/// # Errors
///
/// [`Refusal::IdempotencyKeyReused`] if the key stands for another request.
pub fn repeated<'a>(
    now: Timestamp,
    remembered: Option<&'a StoredIdempotencyKey>,
    request_hash: &str,
) -> Result<Option<&'a StoredIdempotencyKey>, Refusal> {
    match remembered.filter(|key| now < key.expiry_time) {
        Some(key) if key.request_hash != request_hash => Err(Refusal::IdempotencyKeyReused),
        known => Ok(known),
    }
}
