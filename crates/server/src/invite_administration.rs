//! What is done with invites by reference: changed, renewed, withdrawn many at once. Extensions of
//! ours.

use guestlist_api::ids::InviteReference;
use guestlist_api::invite_lists::{InviteRenewal, InviteRevocation, InviteRevocations};
use guestlist_api::invites::InviteRequest;
use guestlist_api::times::UnmodifiedSince;
use guestlist_rules::changes::{Facet, Seen};
use guestlist_rules::invite_administration::{self as rules, may_revoke};
use guestlist_rules::invites::{self, StoredInvite};
use guestlist_rules::refusals::Refusal as Rule;
use guestlist_store::Selection;
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::invite_lists::{by_reference, has_tag, read_tag, reference_of, summary};
use crate::invites::{RANDOM, answer, regenerated, waiting};
use crate::listing::walk;
use crate::pepper::Purpose;
use crate::refusal::Refusal;

/// Invites withdrawn by one request at most.
const MOST: usize = 200;

/// PUT `/v1/invites/{reference}`.
pub async fn update_invite(
    ask: Ask<'_>,
    reference: &str,
    request: InviteRequest,
    unmodified_since: Option<UnmodifiedSince>,
) -> Result<Answer, Refusal> {
    let reference = &reference_of(reference)?;
    let invite = ask
        .change(|| {
            let request = request.clone();
            async move {
                let seen = by_reference(ask, reference).await?;
                let decided =
                    ask.decide(|facts| rules::update(facts, &seen, request, unmodified_since));
                decided.map(|(changes, invite)| Decided::Change(changes, invite))
            }
        })
        .await?;
    let state = ask.decide(|facts| Ok(invite.state(facts)))?;
    Answer::json(StatusCode::OK, &summary(ask, &invite, state)).map_err(Refusal::from)
}

/// POST `/v1/invites/{reference}/renewals`: the invite with its new id, which only this answer has.
pub async fn renew_invite(
    ask: Ask<'_>,
    reference: &str,
    renewal: Option<InviteRenewal>,
) -> Result<Answer, Refusal> {
    let reference = &reference_of(reference)?;
    let random: [u8; RANDOM] = ask.app.entropy.bytes()?;
    let secret = &regenerated(reference, &random)?;
    let expiry_time = renewal.and_then(|renewal| renewal.expiry_time);
    let hash = ask.app.pepper.hash(Purpose::InviteSecret, secret.reveal());
    let invite = ask
        .change(|| {
            let hash = hash.clone();
            async move {
                let seen = by_reference(ask, reference).await?;
                let waiting = waiting(ask, &seen.value).await?;
                let waiting = waiting.as_ref();
                let decided =
                    ask.decide(|facts| rules::renew(facts, &seen, hash, expiry_time, waiting));
                decided.map(|(changes, invite)| Decided::Change(changes, invite))
            }
        })
        .await?;
    Answer::json(StatusCode::CREATED, &answer(ask, secret.clone(), &invite)).map_err(Refusal::from)
}

/// POST `/v1/invites/revocations`: withdraws the pending invites that fit and that the caller may
/// withdraw, each by a change of its own.
pub async fn revoke_invites(ask: Ask<'_>, revocation: InviteRevocation) -> Result<Answer, Refusal> {
    let tag = revocation
        .tag
        .as_deref()
        .map(|text| read_tag(text).ok_or_else(|| Refusal::malformed("tag", "must be name=value")));
    let tag = tag.transpose()?;
    let by = revocation.inviter_user_id.as_ref();
    let whom = revocation.invitee.as_ref();
    let resource = revocation.resource_uri.as_ref();
    if by.is_none() && whom.is_none() && resource.is_none() && tag.is_none() {
        return Err(Refusal::malformed(
            "body",
            "say which: inviterUserId, invitee, resourceUri or tag",
        ));
    }
    let selection = match (whom, by) {
        (Some(whom), _) => Selection::Equal(Facet::Invitee, whom.key()),
        (None, Some(by)) => Selection::Equal(Facet::Inviter, by.to_string()),
        (None, None) => Selection::All,
    };
    let fits = |invite: &StoredInvite| {
        invite.ended(ask.now).is_none()
            && by.is_none_or(|wanted| wanted.principal() == invite.inviter.principal())
            && whom.is_none_or(|wanted| invite.terms.invitee.as_ref() == Some(wanted))
            && resource.is_none_or(|uri| invite.is_on(uri))
            && tag.as_ref().is_none_or(|tag| has_tag(invite, tag))
            && ask.decide(|facts| may_revoke(facts, invite)).is_ok()
    };
    let mut revoked = Vec::new();
    let mut after: Option<String> = None;
    let more = loop {
        let room = MOST - revoked.len();
        let (found, next) = walk(ask, &selection, after.as_deref(), room, fits).await?;
        for seen in found {
            let reference = seen.value.reference;
            if revoke(ask, &reference).await? {
                revoked.push(reference);
            }
        }
        match next {
            None => break false,
            Some(_) if revoked.len() >= MOST => break true,
            Some(next) => after = Some(next),
        }
    };
    Answer::json(StatusCode::OK, &InviteRevocations { revoked, more }).map_err(Refusal::from)
}

/// Whether it was still there to withdraw.
async fn revoke(ask: Ask<'_>, reference: &InviteReference) -> Result<bool, Refusal> {
    let done = ask
        .change(|| async move {
            let Some(seen) = ask.see::<StoredInvite>(reference.as_str()).await? else {
                return Ok(Decided::Nothing(()));
            };
            let waiting = waiting(ask, &seen.value).await?;
            let changes = ask.decide(|facts| invites::delete(facts, &seen, waiting.as_ref()))?;
            Ok(Decided::Change(changes, ()))
        })
        .await;
    match done {
        Ok(()) => Ok(true),
        // Somebody was quicker.
        Err(Refusal::Rule(
            Rule::InviteUnusable(_) | Rule::NotFound(_) | Rule::Forbidden { .. },
        )) => Ok(false),
        Err(other) => Err(other),
    }
}

/// DELETE `/v1/invites/{reference}`.
pub async fn delete_by_reference(
    ask: Ask<'_>,
    reference: &InviteReference,
) -> Result<Answer, Refusal> {
    ask.change(|| async move {
        let seen: Seen<StoredInvite> = by_reference(ask, reference).await?;
        let waiting = waiting(ask, &seen.value).await?;
        let changes = ask.decide(|facts| invites::delete(facts, &seen, waiting.as_ref()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}
