//! What headers say of an invite, for clients whose models have no such members.

use guestlist_api::invite_terms::{AccessDuration, InviteApproval, InviteGrant};
use guestlist_api::invites::InviteRequest;
use http::HeaderMap;

use crate::refusal::Refusal;

const ACCESS_DURATION: &str = "Guestlist-Access-Duration";
const APPROVAL: &str = "Guestlist-Approval";

/// The headers of a request that makes, rehearses or replaces invites. They hold for each invite of
/// it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct InviteHeaders {
    access_duration: Option<AccessDuration>,
    approval: Option<InviteApproval>,
}

impl InviteHeaders {
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        Ok(Self {
            access_duration: access_duration(headers)?,
            approval: approval(headers)?,
        })
    }

    /// Puts it into an invite. A duration that the body has must be the same; approval is only ever
    /// added.
    pub(crate) fn put_into(&self, request: &mut InviteRequest) -> Result<(), Refusal> {
        if let Some(duration) = &self.access_duration {
            let said = request.grant.as_ref();
            if said.is_some_and(|grant| grant.access_duration.as_ref() != Some(duration)) {
                let reason = "must be the same as grant.accessDuration, if both are sent";
                return Err(Refusal::malformed(ACCESS_DURATION, reason));
            }
            request.grant = InviteGrant::of(Some(duration.clone()));
        }
        if let Some(approval) = &self.approval {
            request.approval = Some(approval.clone());
        }
        Ok(())
    }

    /// As text, to tell a request from another that was sent under the same idempotency key.
    pub(crate) fn told_apart(&self) -> Option<(String, bool)> {
        let duration = self.access_duration.as_ref().map(ToString::to_string);
        (*self != Self::default()).then(|| (duration.unwrap_or_default(), self.approval.is_some()))
    }
}

fn access_duration(headers: &HeaderMap) -> Result<Option<AccessDuration>, Refusal> {
    let mut values = headers.get_all(ACCESS_DURATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Refusal::malformed(ACCESS_DURATION, "must be sent once"));
    }
    let text = value.to_str().unwrap_or_default();
    let parsed = text
        .parse()
        .map_err(|reason| Refusal::malformed(ACCESS_DURATION, reason))?;
    Ok(Some(parsed))
}

fn approval(headers: &HeaderMap) -> Result<Option<InviteApproval>, Refusal> {
    let mut said = None;
    for value in headers.get_all(APPROVAL) {
        if value.as_bytes() != b"required" {
            return Err(Refusal::malformed(APPROVAL, "must be required"));
        }
        said = Some(InviteApproval::REQUIRED);
    }
    Ok(said)
}
