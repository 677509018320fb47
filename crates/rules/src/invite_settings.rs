//! What the account decides about all its invites, and withdrawing those that have lost their ground
//! where it so decides.

use guestlist_api::invite_lists::{InviteChange, InviteReason};
use guestlist_api::invite_settings::{ApprovalSettings, InviteSettings, LostAuthority};
use guestlist_api::text::Malformed;
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authority::{Ability, require_plainly};
use crate::changes::{Changes, Expect, Kind, Seen, Stored};
use crate::facts::Facts;
use crate::invites::{InviteStatus, StoredInvite, subject};
use crate::refusals::Refusal;

/// Their id: there is one account, so there is one document.
pub const ID: &str = "invites";

/// Why such an invite was withdrawn.
const REASON: &str = "whoever made it may no longer give what it holds";

/// The settings as they are stored. There is no document until somebody sets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredInviteSettings {
    #[serde(default)]
    pub lost_authority: LostAuthority,
    #[serde(default)]
    pub approval: ApprovalSettings,
    pub last_updated: Timestamp,
}

impl Stored for StoredInviteSettings {
    const KIND: Kind = Kind::InviteSettings;

    fn id(&self) -> String {
        ID.to_owned()
    }
}

/// The settings as they are answered, also of an account that never set them.
pub fn answered(seen: Option<&Seen<StoredInviteSettings>>) -> InviteSettings {
    seen.map_or_else(InviteSettings::default, |seen| InviteSettings {
        lost_authority: seen.value.lost_authority,
        approval: seen.value.approval,
        last_updated: Some(seen.value.last_updated),
    })
}

/// Reads the settings.
pub fn may_read(facts: Facts<'_>) -> Result<(), Refusal> {
    require_plainly(facts, Ability::ReadConfiguration).map(drop)
}

/// Replaces the settings.
pub fn set(
    facts: Facts<'_>,
    request: InviteSettings,
    existing: Option<&Seen<StoredInviteSettings>>,
) -> Result<(Changes, InviteSettings), Refusal> {
    let basis = require_plainly(facts, Ability::UpdateConfiguration)?;
    let before = existing.map(|seen| seen.value.last_updated.plus(1));
    let next = StoredInviteSettings {
        lost_authority: request.lost_authority,
        approval: request.approval,
        last_updated: before.map_or(facts.now, |least| facts.now.max(least)),
    };
    let data = json!({ "lostAuthority": next.lost_authority, "approval": next.approval });
    let mut changes = facts.changes("settings.updated", format!("settings/{ID}"), data);
    changes.expect.extend(basis);
    match existing {
        Some(seen) => changes.replace(seen.mark, &next)?,
        None => changes.create(&next)?,
    }
    let answer = InviteSettings {
        lost_authority: next.lost_authority,
        approval: next.approval,
        last_updated: Some(next.last_updated),
    };
    Ok((changes, answer))
}

/// Withdraws an invite whose inviter may no longer give what it holds, if the account decided so. That
/// it is suspended was told before: see [`notice`](crate::invite_notices::notice).
pub(crate) fn withdrawn(
    facts: Facts<'_>,
    settings: Option<&Seen<StoredInviteSettings>>,
    seen: &Seen<StoredInvite>,
) -> Result<Option<Changes>, Refusal> {
    let Some(settings) = settings else {
        return Ok(None);
    };
    match settings.value.lost_authority {
        LostAuthority::Suspend => return Ok(None),
        LostAuthority::Revoke => {}
    }
    let invite = &seen.value;
    let reason: InviteReason = REASON
        .parse()
        .map_err(|reason: Malformed| Refusal::TooLarge {
            reason: reason.to_string(),
        })?;
    let mut next = invite.after(InviteChange::Revoked, facts.now, None, Some(reason));
    next.status = InviteStatus::Revoked;
    next.status_reason = Some(REASON.to_owned());
    next.responded_time = Some(facts.now);
    next.awaiting = None;
    let data = json!({
        "reference": invite.reference,
        "inviter": invite.inviter,
        "reason": REASON,
    });
    let mut changes = facts.changes("invite.revoked", subject(&invite.reference), data);
    // Not by what was decided otherwise meanwhile.
    changes.rely_on(Kind::InviteSettings, ID, Expect::At(settings.mark));
    changes.replace(seen.mark, &next)?;
    Ok(Some(changes))
}
