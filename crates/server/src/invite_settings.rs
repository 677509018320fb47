//! What the account decides about all its invites. Ours.

use guestlist_api::invite_settings::InviteSettings;
use guestlist_rules::changes::Seen;
use guestlist_rules::invite_settings::{self as rules, ID, StoredInviteSettings};
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::refusal::Refusal;

/// GET `/v1/settings/invites`.
pub async fn get_invite_settings(ask: Ask<'_>) -> Result<Answer, Refusal> {
    ask.decide(rules::may_read)?;
    let seen = settings(ask).await?;
    Answer::json(StatusCode::OK, &rules::answered(seen.as_ref())).map_err(Refusal::from)
}

/// PUT `/v1/settings/invites`.
pub async fn set_invite_settings(ask: Ask<'_>, request: InviteSettings) -> Result<Answer, Refusal> {
    let set = ask
        .change(|| async move {
            let existing = settings(ask).await?;
            let decided = ask.decide(|facts| rules::set(facts, request, existing.as_ref()));
            decided.map(|(changes, set)| Decided::Change(changes, set))
        })
        .await?;
    Answer::json(StatusCode::OK, &set).map_err(Refusal::from)
}

/// The settings, if they were ever set.
pub(crate) async fn settings(ask: Ask<'_>) -> Result<Option<Seen<StoredInviteSettings>>, Refusal> {
    ask.see(ID).await
}
