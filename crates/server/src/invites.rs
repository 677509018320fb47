//! The four operations on invites (contract §1.3).

use guestlist_api::ids::{InviteReference, InviteSecret, RecordId, RequestId, UserId};
use guestlist_api::invite_lists::{InviteAnswer, InviteResponse};
use guestlist_api::invite_terms::{InviteApproval, InviteGrant, InviteRestrictions};
use guestlist_api::invites::{Invite, InviteRequest};
use guestlist_api::limits;
use guestlist_rules::accepting::record_id_of;
use guestlist_rules::access_requests::StoredAccessRequest;
use guestlist_rules::changes::{Kind, Seen};
use guestlist_rules::invite_administration::{decline, is_invitee};
use guestlist_rules::invites::{
    self as rules, Acceptor, FreshInvite, Remember, StoredAcceptance, StoredIdempotencyKey,
    StoredInvite,
};
use guestlist_rules::records::StoredRecord;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use http::StatusCode;

use crate::accounts;
use crate::answer::Answer;
use crate::app::App;
use crate::ask::{Ask, Decided, Library};
use crate::digests::digest;
use crate::invite_administration::delete_by_reference;
use crate::invite_budget::{Invited, Purse};
use crate::invite_lists::{by_reference, get_by_reference};
use crate::invite_notices::note_refused;
use crate::invite_settings::settings;
use crate::pepper::Purpose;
use crate::refusal::Refusal;

/// Random bytes that make an invite id: enough although some are passed over.
pub(crate) const RANDOM: usize = 256;

/// POST `/v1/invites`.
pub async fn create_invite(
    ask: Ask<'_>,
    request: InviteRequest,
    idempotency_key: Option<&str>,
) -> Result<Answer, Refusal> {
    let purse = &Purse::new(ask);
    let made = make_invite(ask, request, idempotency_key, purse).await;
    if !made.as_ref().is_ok_and(|made| made.is_new) {
        purse.give_back();
    }
    let made = made?;
    let answer = Answer::json(StatusCode::CREATED, &answer(ask, made.secret, &made.invite))?;
    let budget = &ask.app.invite_budget;
    Ok(budget.tell(&ask.caller.user_id, ask.now, answer))
}

async fn make_invite(
    ask: Ask<'_>,
    request: InviteRequest,
    idempotency_key: Option<&str>,
    purse: &Purse<'_>,
) -> Result<Made, Refusal> {
    let random: [u8; RANDOM] = ask.app.entropy.bytes()?;
    let fresh = secret_from(&random)?;
    ask.change(|| {
        let request = request.clone();
        let fresh = fresh.clone();
        async move {
            match idempotency_key {
                None => made(ask, request, fresh, None, (purse, 1)),
                Some(key) => made_once(ask, request, key, purse).await,
            }
        }
    })
    .await
}

pub(crate) fn secret_from(random: &[u8]) -> Result<InviteSecret, Refusal> {
    InviteSecret::generate(random).ok_or(Refusal::Entropy(crate::entropy::NoEntropy))
}

/// Another secret for an invite.
pub(crate) fn regenerated(
    reference: &InviteReference,
    random: &[u8],
) -> Result<InviteSecret, Refusal> {
    let secret = InviteSecret::regenerate(reference, random);
    secret.ok_or(Refusal::Entropy(crate::entropy::NoEntropy))
}

/// Whether this is the secret of the invite. In constant time.
pub(crate) fn is_secret(app: &App, invite: &StoredInvite, secret: &InviteSecret) -> bool {
    let pepper = &app.pepper;
    pepper.matches(Purpose::InviteSecret, secret.reveal(), &invite.secret_hash)
}

/// An invite with its secret.
pub(crate) struct Made {
    pub(crate) secret: InviteSecret,
    pub(crate) invite: StoredInvite,
    /// Not one that was made before under the same idempotency key.
    pub(crate) is_new: bool,
}

pub(crate) fn made(
    ask: Ask<'_>,
    request: InviteRequest,
    secret: InviteSecret,
    remember: Option<Remember>,
    (purse, row): (&Purse<'_>, u32),
) -> Result<Decided<Made>, Refusal> {
    let fresh = fresh(ask, &secret);
    let invited = Invited::by(&request);
    let (changes, invite) = ask.decide(|facts| rules::create(facts, request, fresh, remember))?;
    purse.pay(row, invited)?;
    let is_new = true;
    let made = Made {
        secret,
        invite,
        is_new,
    };
    Ok(Decided::Change(changes, made))
}

pub(crate) fn fresh(ask: Ask<'_>, secret: &InviteSecret) -> FreshInvite {
    FreshInvite {
        reference: secret.reference(),
        secret_hash: ask.app.pepper.hash(Purpose::InviteSecret, secret.reveal()),
    }
}

/// Under what an idempotency key of the caller is kept.
pub(crate) fn key_hash(ask: Ask<'_>, key: &str) -> String {
    let caller = ask.caller.user_id.as_str();
    let text = format!("{}:{caller}{key}", caller.len());
    ask.app.pepper.hash(Purpose::IdempotencyKey, &text)
}

/// Makes an invite under an idempotency key, or finds the one that was made under it.
///
/// The secret is derived from the key, which only the caller has, so that it can be answered again
/// without being stored.
async fn made_once(
    ask: Ask<'_>,
    request: InviteRequest,
    key: &str,
    purse: &Purse<'_>,
) -> Result<Decided<Made>, Refusal> {
    let pepper = &ask.app.pepper;
    let caller = ask.caller.user_id.as_str();
    let key_hash = key_hash(ask, key);
    let body = serde_json::to_string(&request).map_err(crate::answer::NotWritable::from)?;
    let request_hash = pepper.hash(Purpose::IdempotentBody, &body);
    let derive = |salt: &str| {
        let parts = [caller, key, salt];
        secret_from(&pepper.derive(Purpose::InviteSecret, &parts, RANDOM))
    };
    let remembered: Option<Seen<StoredIdempotencyKey>> = ask.see(&key_hash).await?;
    let known = remembered.as_ref().map(|seen| &seen.value);
    if let Some(first) = rules::repeated(ask.now, known, &request_hash)? {
        let invite = ask.see::<StoredInvite>(first.reference.as_str()).await?;
        let invite = invite.ok_or(Refusal::Rule(Rule::NotFound(Noun::Invite)))?;
        let secret = derive(&first.salt)?;
        if !is_secret(ask.app, &invite.value, &secret) {
            return Err(Refusal::Rule(Rule::InviteRenewed));
        }
        return Ok(Decided::Nothing(Made {
            secret,
            invite: invite.value,
            is_new: false,
        }));
    }
    let salt = ask.app.entropy.text(22)?;
    let secret = derive(&salt)?;
    let key = StoredIdempotencyKey {
        key_hash,
        request_hash,
        salt,
        reference: secret.reference(),
        expiry_time: ask.now.plus(limits::IDEMPOTENCY_KEY_LIFETIME),
    };
    let expired = remembered.map(|seen| seen.mark);
    let remember = Some(Remember { key, expired });
    made(ask, request, secret, remember, (purse, 1))
}

/// GET `/v1/invites/{inviteId}`; with a reference, for those who administer it.
pub async fn get_invite(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    if let Ok(reference) = id.parse() {
        return get_by_reference(ask, &reference).await;
    }
    let (secret, seen) = find(ask, id).await?;
    ask.decide(|facts| rules::read(facts, &seen.value))?;
    Answer::json(StatusCode::OK, &answer(ask, secret, &seen.value)).map_err(Refusal::from)
}

/// DELETE `/v1/invites/{inviteId}`, or with a reference.
pub async fn delete_invite(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    if let Ok(reference) = id.parse() {
        return delete_by_reference(ask, &reference).await;
    }
    ask.change(|| async move {
        let (_, seen) = find(ask, id).await?;
        let waiting = waiting(ask, &seen.value).await?;
        let changes = ask.decide(|facts| rules::delete(facts, &seen, waiting.as_ref()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// PATCH `/v1/invites/{inviteId}`: the caller accepts, or declines. With a reference for the one for
/// whom it is by name.
pub async fn respond_to_invite(
    ask: Ask<'_>,
    id: &str,
    response: InviteResponse,
) -> Result<Answer, Refusal> {
    // Made before anything is written, so that nothing can fail once the invite is accepted.
    let answer = accepted(ask).await?;
    let fresh: RecordId = ask.app.fresh_id("rec_")?;
    let drawn: RequestId = ask.app.fresh_id("")?;
    let responded = ask.change(|| {
        let (fresh, drawn, response) = (fresh.clone(), &drawn, response.clone());
        async move {
            let seen = find_to_respond(ask, id).await?;
            match response.response {
                InviteAnswer::Accept => {
                    let accepted = accept(ask, &seen, fresh, drawn).await;
                    if let Err(refusal) = &accepted {
                        note_refused(ask, &seen, refusal).await;
                    }
                    accepted
                }
                InviteAnswer::Decline => {
                    let waiting = waiting(ask, &seen.value).await?;
                    let changes = ask
                        .decide(|facts| decline(facts, &seen, waiting.as_ref(), response.reason))?;
                    Ok(changes.map_or(Decided::Nothing(None), |changes| {
                        Decided::Change(changes, None)
                    }))
                }
            }
        }
    });
    match responded.await? {
        None => Ok(answer),
        Some(request) => asked(ask, *request),
    }
}

/// What an accept is answered with that must be approved: the access request, but for the library
/// that can read nothing but `null` here.
fn asked(ask: Ask<'_>, request: StoredAccessRequest) -> Result<Answer, Refusal> {
    let answer = match ask.library {
        Library::Rust => Answer::json(StatusCode::ACCEPTED, &()),
        Library::JavaScript | Library::Terraform | Library::Other => Answer::json(
            StatusCode::ACCEPTED,
            &crate::access_requests::answer(ask, request),
        ),
    };
    answer.map_err(Refusal::from)
}

/// The access request that an invite waits for.
pub(crate) async fn waiting(
    ask: Ask<'_>,
    invite: &StoredInvite,
) -> Result<Option<Seen<StoredAccessRequest>>, Refusal> {
    match &invite.awaiting {
        Some(awaiting) => ask.see(awaiting.request_id.as_str()).await,
        None => Ok(None),
    }
}

async fn find_to_respond(ask: Ask<'_>, id: &str) -> Result<Seen<StoredInvite>, Refusal> {
    let Ok(reference) = id.parse() else {
        return find(ask, id).await.map(|(_, seen)| seen);
    };
    let seen = by_reference(ask, &reference).await?;
    // Who may read an invite may not therefore use it.
    if ask.decide(|facts| Ok(is_invitee(facts, &seen.value)))? {
        Ok(seen)
    } else {
        Err(Refusal::Rule(Rule::NotFound(Noun::Invite)))
    }
}

/// What an accept is answered with: the account, but for the library that can read nothing but
/// `null` here (contract §1.3).
async fn accepted(ask: Ask<'_>) -> Result<Answer, Refusal> {
    match ask.library {
        Library::Rust => Answer::json(StatusCode::OK, &()).map_err(Refusal::from),
        Library::JavaScript | Library::Terraform | Library::Other => {
            let account = accounts::account(ask).await?;
            Answer::json(StatusCode::OK, &account).map_err(Refusal::from)
        }
    }
}

/// What the rules need to know of who accepts.
pub(crate) struct Accepting {
    record_id: RecordId,
    record: Option<Seen<StoredRecord>>,
    accepted_before: bool,
}

impl Accepting {
    pub(crate) async fn see(
        ask: Ask<'_>,
        reference: &InviteReference,
        who: &UserId,
    ) -> Result<Self, Refusal> {
        let record_id =
            record_id_of(who, digest).map_err(|reason| Refusal::malformed("sub", reason))?;
        let key = StoredAcceptance::key(reference, who);
        let before = ask.app.store.get(Kind::Acceptance, &key).await?;
        Ok(Self {
            record: ask.see(record_id.as_str()).await?,
            record_id,
            accepted_before: before.is_some(),
        })
    }

    pub(crate) fn acceptor(&self, fresh_record_id: RecordId) -> Acceptor<'_> {
        Acceptor {
            accepted_before: self.accepted_before,
            record: self.record.as_ref(),
            record_id: self.record_id.clone(),
            fresh_record_id,
        }
    }
}

/// Accepts; the access request if it must be approved.
async fn accept(
    ask: Ask<'_>,
    seen: &Seen<StoredInvite>,
    fresh_record_id: RecordId,
    drawn: &RequestId,
) -> Result<Decided<Option<Box<StoredAccessRequest>>>, Refusal> {
    let who = &ask.caller.user_id;
    let reference = &seen.value.reference;
    // The id says which invite it is of, also to those who do not read `inviteReference`.
    let fresh_request_id = format!("req_invite_{reference}_{drawn}").parse();
    let fresh_request_id =
        fresh_request_id.map_err(|_| Refusal::Entropy(crate::entropy::NoEntropy))?;
    let accepting = Accepting::see(ask, reference, who).await?;
    let settings = settings(ask).await?;
    let decided = ask.decide(|facts| {
        let acceptor = accepting.acceptor(fresh_record_id);
        rules::accept(facts, seen, &acceptor, settings.as_ref(), fresh_request_id)
    })?;
    match decided {
        rules::Accepting::Before => Ok(Decided::Nothing(None)),
        rules::Accepting::Gives(changes) => Ok(Decided::Change(changes, None)),
        rules::Accepting::Asks(changes, request) => {
            ask.app.limiters.access_request(who, ask.now)?;
            Ok(Decided::Change(changes, Some(request)))
        }
        rules::Accepting::Waits(id) => {
            let request: Option<Seen<StoredAccessRequest>> = ask.see(id.as_str()).await?;
            let request = request.ok_or(Refusal::Rule(Rule::NotFound(Noun::AccessRequest)))?;
            Ok(Decided::Nothing(Some(Box::new(request.value))))
        }
    }
}

/// The invite of a secret. A text that is no invite id, an unknown reference and a wrong secret are
/// all the same to the caller.
async fn find(ask: Ask<'_>, id: &str) -> Result<(InviteSecret, Seen<StoredInvite>), Refusal> {
    let unknown = || Refusal::Rule(Rule::NotFound(Noun::Invite));
    let secret: InviteSecret = id.parse().map_err(|_| unknown())?;
    let seen: Option<Seen<StoredInvite>> = ask.see(secret.reference().as_str()).await?;
    let seen = seen.ok_or_else(unknown)?;
    if ask.app.pepper.matches(
        Purpose::InviteSecret,
        secret.reveal(),
        &seen.value.secret_hash,
    ) {
        Ok((secret, seen))
    } else {
        Err(unknown())
    }
}

pub(crate) fn answer(ask: Ask<'_>, secret: InviteSecret, invite: &StoredInvite) -> Invite {
    let links = ask.links(&format!("/v1/invites/{}", secret.reveal()));
    Invite {
        invite_id: secret.into(),
        statements: invite.statements.clone(),
        conflict_resolution_strategy: invite.conflict_resolution_strategy.into(),
        expiry_time: Some(invite.expiry_time),
        linked_user_id: invite.linked_user_id.clone(),
        default_login_tenant_id: invite.default_login_tenant_id.clone(),
        tenant_id: invite.default_login_tenant_id.clone(),
        reference: Some(invite.reference.clone()),
        invitee: invite.terms.invitee.clone(),
        restrictions: restrictions(invite),
        grant: InviteGrant::of(invite.access_duration.clone()),
        approval: approval(invite),
        tags: invite.tags.clone(),
        links,
    }
}

/// Only what restricts it: an invite without restrictions is answered as everybody's is.
fn restrictions(invite: &StoredInvite) -> Option<InviteRestrictions> {
    let restrictions = invite.terms.restrictions(invite.max_uses);
    (restrictions != InviteRestrictions::default()).then_some(restrictions)
}

/// Only of an invite that must be approved, or waits for it.
pub(crate) fn approval(invite: &StoredInvite) -> Option<InviteApproval> {
    let waiting = invite.awaiting.as_ref();
    (invite.approval_required || waiting.is_some()).then(|| InviteApproval {
        required: true,
        request_id: waiting.map(|awaiting| awaiting.request_id.clone()),
    })
}
