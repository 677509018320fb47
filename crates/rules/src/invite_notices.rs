//! What is told of invites though nobody did it: that one expired, was used up, was suspended or can
//! be used again; and what somebody tried: previews, and accepts that were refused.
//!
//! None of it decides anything. Whether an invite can be used is judged when somebody uses it, and
//! stays so where nothing is ever told. Only an account that wants it so has its suspended invites
//! withdrawn here.

use guestlist_api::invite_lists::InviteChange;
use guestlist_api::limits;
use guestlist_api::text::Malformed;
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::access_requests::StoredAccessRequest;
use crate::changes::{Changes, Event, Seen, sortable};
use crate::facts::Facts;
use crate::invite_approvals::close;
use crate::invite_settings::{StoredInviteSettings, withdrawn};
use crate::invites::{InviteStatus, StoredInvite, subject};
use crate::refusals::Refusal;

/// What was told of an invite already, so that it is told once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Notices {
    /// Somebody who held its secret looked what it is.
    pub previewed: bool,
    /// It expired, or was used up.
    pub ended: bool,
    /// It is suspended.
    pub suspended: bool,
    /// Accepts that were refused, as far as they are counted.
    pub failures: u32,
}

impl StoredInvite {
    /// Where it stands among those of which something may have to be told: when it ends. `None` once
    /// nothing more can happen to it by itself.
    pub fn live(&self) -> Option<String> {
        if self.notices.ended {
            return None;
        }
        match self.status {
            InviteStatus::Pending | InviteStatus::AwaitingApproval => {
                Some(sortable(self.expiry_time.milliseconds()))
            }
            // It has ended.
            InviteStatus::Exhausted => Some(sortable(i64::MIN)),
            InviteStatus::Accepted | InviteStatus::Declined | InviteStatus::Revoked => None,
        }
    }
}

/// What is to be told of an invite now, if anything. `waiting` is the access request that it waits
/// for, which is closed when nothing can come of it any more.
pub fn notice(
    facts: Facts<'_>,
    settings: Option<&Seen<StoredInviteSettings>>,
    seen: &Seen<StoredInvite>,
    waiting: Option<&Seen<StoredAccessRequest>>,
) -> Result<Option<Changes>, Refusal> {
    let invite = &seen.value;
    let known = invite.notices;
    let close = |mut changes: Changes| {
        close(&mut changes, facts.now, None, waiting)?;
        Ok(Some(changes))
    };
    let (change, notices) = match invite.status {
        InviteStatus::Exhausted if !known.ended => (InviteChange::Exhausted, ended(known)),
        InviteStatus::Pending | InviteStatus::AwaitingApproval
            if facts.now >= invite.expiry_time && !known.ended =>
        {
            let (change, notices) = (InviteChange::Expired, ended(known));
            return close(by_nobody(facts.now, "", seen, change, notices)?);
        }
        InviteStatus::Pending | InviteStatus::AwaitingApproval
            if facts.now < invite.expiry_time =>
        {
            let suspended = !invite.is_backed(facts);
            // Only after a look that told of it: whoever gives authority back meanwhile, or a node that
            // saw half of a change of several steps, ends no invite for good.
            if suspended && known.suspended {
                return match withdrawn(facts, settings, seen)? {
                    Some(changes) => close(changes),
                    None => Ok(None),
                };
            }
            if suspended == known.suspended {
                return Ok(None);
            }
            let change = if suspended {
                InviteChange::Suspended
            } else {
                InviteChange::Resumed
            };
            (change, Notices { suspended, ..known })
        }
        InviteStatus::Pending
        | InviteStatus::AwaitingApproval
        | InviteStatus::Exhausted
        | InviteStatus::Accepted
        | InviteStatus::Declined
        | InviteStatus::Revoked => return Ok(None),
    };
    by_nobody(facts.now, "", seen, change, notices).map(Some)
}

const fn ended(known: Notices) -> Notices {
    Notices {
        ended: true,
        suspended: false,
        ..known
    }
}

/// Somebody who holds the secret, and whom nobody knows, looked what the invite is. `None` if
/// somebody did so before.
pub fn previewed(
    now: Timestamp,
    request_id: &str,
    seen: &Seen<StoredInvite>,
) -> Result<Option<Changes>, Refusal> {
    let known = seen.value.notices;
    if known.previewed {
        return Ok(None);
    }
    let notices = Notices {
        previewed: true,
        ..known
    };
    by_nobody(now, request_id, seen, InviteChange::Previewed, notices).map(Some)
}

/// The caller, who holds the secret or is the one for whom it is, could not accept the invite. `None`
/// if so many could not that no more are told.
pub fn accept_failed(
    facts: Facts<'_>,
    seen: &Seen<StoredInvite>,
    error_code: &str,
) -> Result<Option<Changes>, Refusal> {
    let known = seen.value.notices;
    if known.failures >= limits::INVITE_FAILURES {
        return Ok(None);
    }
    let reason = error_code.parse();
    let reason = reason.map_err(|reason: Malformed| Refusal::TooLarge {
        reason: reason.to_string(),
    })?;
    let mut next = seen.value.noted(
        InviteChange::AcceptFailed,
        facts.now,
        Some(facts.who()),
        Some(reason),
    );
    next.notices.failures += 1;
    let reference = &seen.value.reference;
    let data = json!({ "reference": reference, "errorCode": error_code });
    let mut changes = facts.changes("invite.accept-failed", subject(reference), data);
    changes.replace(seen.mark, &next)?;
    Ok(Some(changes))
}

fn by_nobody(
    now: Timestamp,
    request_id: &str,
    seen: &Seen<StoredInvite>,
    change: InviteChange,
    notices: Notices,
) -> Result<Changes, Refusal> {
    let reference = &seen.value.reference;
    let mut next = seen.value.noted(change, now, None, None);
    next.notices = notices;
    let mut changes = Changes::new(Event {
        kind: format!("invite.{}", verb(change)),
        time: now.milliseconds(),
        actor: crate::caller::SERVICE.to_owned(),
        request_id: request_id.to_owned(),
        subject: subject(reference),
        data: json!({ "reference": reference, "inviter": seen.value.inviter }),
    });
    changes.replace(seen.mark, &next)?;
    Ok(changes)
}

/// The second half of the type of the event.
const fn verb(change: InviteChange) -> &'static str {
    match change {
        InviteChange::Created => "created",
        InviteChange::Updated => "updated",
        InviteChange::Renewed => "renewed",
        InviteChange::Accepted => "accepted",
        InviteChange::Declined => "declined",
        InviteChange::Revoked | InviteChange::LeakReported => "revoked",
        InviteChange::Previewed => "previewed",
        InviteChange::AcceptFailed => "accept-failed",
        InviteChange::Expired => "expired",
        InviteChange::Exhausted => "exhausted",
        InviteChange::Suspended => "suspended",
        InviteChange::Resumed => "resumed",
        InviteChange::ApprovalRequested => "approval-requested",
        InviteChange::ApprovalWithdrawn => "approval-withdrawn",
        InviteChange::Approved => "approved",
        InviteChange::Denied => "denied",
    }
}
