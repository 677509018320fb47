//! What accepting an invite would do, told without doing it. Extensions of ours.

use guestlist_api::ids::{InviteSecret, RecordId, UserId};
use guestlist_api::invite_effects::{InviteEffect, InviteEffectRequest};
use guestlist_api::invite_terms::Invitee;
use guestlist_api::invites::InviteRequest;
use guestlist_rules::caller::{Caller, CallerKind};
use guestlist_rules::changes::Seen;
use guestlist_rules::invite_effects::{Preview, preview};
use guestlist_rules::invites::{self as invites, FreshInvite, StoredInvite, may_read};
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_rules::users::may_ask;
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::invite_grants::outcome;
use crate::invite_lists::{by_reference, reference_of};
use crate::invite_settings::settings;
use crate::invites::{Accepting, RANDOM, is_secret};
use crate::refusal::Refusal;

/// POST `/v1/invites?dryRun=true`: everything that making the invite is judged by, and what it would
/// do, for whom it is or for somebody who holds nothing. Nothing is written.
pub async fn try_invite(ask: Ask<'_>, request: InviteRequest) -> Result<Answer, Refusal> {
    let effect = rehearsed(ask, request).await?;
    Answer::json(StatusCode::OK, &effect).map_err(Refusal::from)
}

/// What making an invite would do.
pub(crate) async fn rehearsed(
    ask: Ask<'_>,
    request: InviteRequest,
) -> Result<InviteEffect, Refusal> {
    let random: [u8; RANDOM] = ask.app.entropy.bytes()?;
    let secret = InviteSecret::generate(&random);
    let secret = secret.ok_or(Refusal::Entropy(crate::entropy::NoEntropy))?;
    let invitee = request.invitee.clone();
    let invite = ask.decide(|facts| {
        let fresh = FreshInvite {
            reference: secret.reference(),
            secret_hash: String::new(),
        };
        invites::create(facts, request, fresh, None).map(|(_, invite)| invite)
    })?;
    let named = match invitee {
        Some(Invitee::User(user)) => Some(user),
        Some(Invitee::Email(_)) | None => None,
    };
    // What somebody holds is told to those only who may ask.
    let named = named.filter(|user| ask.decide(|facts| may_ask(facts, user)).is_ok());
    effect(ask, &invite, named).await
}

/// POST `/v1/invites/{inviteId}/effect`: for the caller, or for a user of whom the caller may ask what
/// they hold.
pub async fn get_invite_effect(
    ask: Ask<'_>,
    id: &str,
    request: InviteEffectRequest,
) -> Result<Answer, Refusal> {
    let seen = find(ask, id).await?;
    let caller = &ask.caller.user_id;
    let is_person = matches!(ask.caller.kind, CallerKind::User { .. });
    let subject = match request.user_id {
        Some(user) if user.principal() != caller.principal() => {
            ask.decide(|facts| {
                may_read(facts, &seen.value)?;
                may_ask(facts, &user)
            })?;
            Some(user)
        }
        Some(_) | None => is_person.then(|| caller.clone()),
    };
    let effect = effect(ask, &seen.value, subject).await?;
    Answer::json(StatusCode::OK, &effect).map_err(Refusal::from)
}

/// By the whole id for whoever holds it, and by reference for those who may know of it.
async fn find(ask: Ask<'_>, id: &str) -> Result<Seen<StoredInvite>, Refusal> {
    let Ok(secret) = id.parse::<InviteSecret>() else {
        return by_reference(ask, &reference_of(id)?).await;
    };
    let seen: Option<Seen<StoredInvite>> = ask.see(secret.reference().as_str()).await?;
    seen.filter(|seen| is_secret(ask.app, &seen.value, &secret))
        .ok_or(Refusal::Rule(Rule::NotFound(Noun::Invite)))
}

async fn effect(
    ask: Ask<'_>,
    invite: &StoredInvite,
    subject: Option<UserId>,
) -> Result<InviteEffect, Refusal> {
    // Nobody has an id that was drawn just now.
    let nobody = || ask.app.fresh_id::<UserId>("nobody-");
    let user_id = subject.clone().map_or_else(nobody, Ok)?;
    let is_caller = user_id.principal() == ask.caller.user_id.principal();
    let other = Caller {
        user_id: user_id.clone(),
        kind: CallerKind::User {
            issuer: ask.app.callers.own_issuer().clone(),
            verified_email: None,
        },
    };
    let caller = if is_caller { ask.caller } else { &other };
    let accepting = Accepting::see(ask, &invite.reference, &user_id).await?;
    let settings = settings(ask).await?;
    let fresh_record_id: RecordId = ask.app.fresh_id("rec_")?;
    let told = Ask { caller, ..ask }.decide(|facts| {
        let acceptor = accepting.acceptor(fresh_record_id);
        preview(facts, invite, acceptor, settings.as_ref())
    })?;
    Ok(answer(told, subject))
}

fn answer(told: Preview, subject: Option<UserId>) -> InviteEffect {
    let code = |refusal: Rule| Refusal::Rule(refusal).for_caller().code.to_owned();
    // Of somebody who is not named it is not known whether the invite is for them.
    let refused = told
        .refused
        .filter(|refusal| subject.is_some() || !matches!(refusal, Rule::InviteNotForYou { .. }));
    InviteEffect {
        record_id: told.record_id.filter(|_| subject.is_some()),
        user_id: subject,
        error_code: refused.map(code),
        outcome: outcome(told.outcome).into(),
        gains: told.gains,
        already_held: told.already_held,
        replaced: told.replaced,
        other_users: told.other_users,
        other_groups: told.other_groups,
        risk_flags: told.risk_flags,
        approval_required: told.approval_required,
    }
}
