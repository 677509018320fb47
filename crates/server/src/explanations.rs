//! Why somebody may do something, as far as whoever asks may read what it rests on: an extension.

use guestlist_api::actions::Action;
use guestlist_api::ids::UserId;
use guestlist_api::resources::ResourceUri;
use guestlist_api::users::{Allowed, Explanation};
use guestlist_rules::caller::CallerKind;
use guestlist_rules::changes::{Facet, Seen};
use guestlist_rules::grants::{self, Public};
use guestlist_rules::invites;
use guestlist_rules::invites::{StoredAcceptance, StoredInvite};
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_rules::users::{self, MayRead};
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
    let found = ask.decide(|facts| {
        // Its reasons are nothing that such a token was made for.
        if let CallerKind::Limited { .. } = facts.caller.kind {
            return Err(users::limited());
        }
        users::may_ask(facts, user)?;
        let Some(found) = facts.grants.explain(user, resource, action) else {
            let public = facts.grants.public(resource, action);
            return public
                .map(Reason::Public)
                .ok_or(Rule::NotFound(Noun::Resource));
        };
        let may_read = users::may_read_reason(facts, &found.because);
        Ok(Reason::Held(found, may_read))
    })?;
    let because = match found {
        Reason::Held(found, may_read) => held(ask, user, found, may_read).await?,
        Reason::Public(public) => everybody(public),
    };
    let allowed = Allowed {
        because: Some(because),
    };
    Answer::json(StatusCode::OK, &allowed).map_err(Refusal::from)
}

/// What a yes rests on.
enum Reason {
    Held(grants::Explanation, MayRead),
    Public(Public),
}

/// Whoever may ask is told of a configuration: it says nothing of anybody.
fn everybody(public: Public) -> Explanation {
    Explanation {
        record_id: None,
        role_id: None,
        public: true,
        resource_uri: public.resource,
        action: public.action,
        group_id: None,
        accepted_time: None,
        invite_reference: None,
        expiry_time: None,
    }
}

async fn held(
    ask: Ask<'_>,
    user: &UserId,
    found: grants::Explanation,
    may_read: MayRead,
) -> Result<Explanation, Refusal> {
    let acceptance = acceptance(ask, user, &found).await?;
    let because = found.because;
    Ok(Explanation {
        public: false,
        record_id: may_read.record.then_some(because.record),
        role_id: may_read.role.then_some(because.role),
        resource_uri: found.resource,
        action: found.action,
        group_id: because.group.filter(|_| may_read.group),
        accepted_time: acceptance.as_ref().map(|acceptance| acceptance.time),
        invite_reference: acceptance.map(|acceptance| acceptance.reference),
        expiry_time: found.expiry_time,
    })
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
