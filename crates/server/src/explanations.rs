//! Why somebody may do something, as far as whoever asks may read what it rests on: an extension.

use guestlist_api::actions::Action;
use guestlist_api::ids::UserId;
use guestlist_api::resources::ResourceUri;
use guestlist_api::users::{Allowed, Explanation};
use guestlist_rules::caller::CallerKind;
use guestlist_rules::changes::{Facet, Seen};
use guestlist_rules::grants;
use guestlist_rules::invites::{StoredAcceptance, StoredInvite};
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_rules::{invites, users};
use guestlist_store::Selection;
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::listing::walk;
use crate::refusal::Refusal;

/// "Yes" to a permission check, with the reason.
pub async fn explain(
    ask: Ask<'_>,
    user: &UserId,
    resource: &ResourceUri,
    action: &Action,
) -> Result<Answer, Refusal> {
    let (found, may_read) = ask.decide(|facts| {
        // Its reasons are nothing that such a token was made for.
        if let CallerKind::Limited { .. } = facts.caller.kind {
            return Err(users::limited());
        }
        users::may_ask(facts, user)?;
        let found = facts.grants.explain(user, resource, action);
        let found = found.ok_or(Rule::NotFound(Noun::Resource))?;
        let may_read = users::may_read_reason(facts, &found.because);
        Ok((found, may_read))
    })?;
    let acceptance = acceptance(ask, user, &found).await?;
    let because = found.because;
    let because = Explanation {
        record_id: may_read.record.then_some(because.record),
        role_id: may_read.role.then_some(because.role),
        resource_uri: found.resource,
        action: found.action,
        group_id: because.group.filter(|_| may_read.group),
        accepted_time: acceptance.as_ref().map(|acceptance| acceptance.time),
        invite_reference: acceptance.map(|acceptance| acceptance.reference),
    };
    let allowed = Allowed {
        because: Some(because),
    };
    Answer::json(StatusCode::OK, &allowed).map_err(Refusal::from)
}

/// The acceptance by which the user got what was found, if the caller may read its invite.
///
/// Looked up among the acceptances of this user alone. Of several it is the last: each holds only
/// what the record did not hold before. For a user with more acceptances than one walk looks at,
/// the last cannot be told, and there is none.
async fn acceptance(
    ask: Ask<'_>,
    user: &UserId,
    found: &grants::Explanation,
) -> Result<Option<StoredAcceptance>, Refusal> {
    let because = &found.because;
    if because.group.is_some() {
        // Invites give nothing to groups.
        return Ok(None);
    }
    let selection = Selection::Equal(Facet::Principal, user.principal().to_owned());
    let (gave, more) = walk(
        ask,
        &selection,
        None,
        usize::MAX,
        |acceptance: &StoredAcceptance| {
            acceptance.gave(&because.record, &because.role, found.resource.canonical())
        },
    )
    .await?;
    if more.is_some() {
        return Ok(None);
    }
    // Ids begin with the reference, so of two at one instant it is always the same.
    let last = gave.into_iter().max_by_key(|seen| seen.value.time);
    let Some(Seen {
        value: acceptance, ..
    }) = last
    else {
        return Ok(None);
    };
    let invite: Option<Seen<StoredInvite>> = ask.see(acceptance.reference.as_str()).await?;
    let Some(invite) = invite else {
        return Ok(None);
    };
    match ask.decide(|facts| invites::may_read(facts, &invite.value)) {
        Ok(()) => Ok(Some(acceptance)),
        Err(Refusal::Rule(Rule::Forbidden { .. } | Rule::NotFound(_))) => Ok(None),
        Err(other) => Err(other),
    }
}
