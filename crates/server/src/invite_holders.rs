//! What whoever holds the id of an invite may do without signing in: look what it is, decline it, say
//! that it leaked. Extensions of ours.
//!
//! The id stands in the body, so that no log of requests has it. Anything but a right id is answered
//! alike.

use std::net::IpAddr;

use guestlist_api::accounts::AccountReference;
use guestlist_api::ids::InviteSecret;
use guestlist_api::invite_lists::{InviteHolder, InvitePreview, Inviter};
use guestlist_api::invite_terms::Invitee;
use guestlist_api::times::Timestamp;
use guestlist_rules::access_requests::StoredAccessRequest;
use guestlist_rules::changes::{Kind, Seen};
use guestlist_rules::invite_administration::{ByHolder, give_up};
use guestlist_rules::invite_notices::previewed;
use guestlist_rules::invites::StoredInvite;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_store::Applied;
use http::StatusCode;

use crate::answer::Answer;
use crate::app::App;
use crate::body;
use crate::invite_notices::not_noted;
use crate::invites::is_secret;
use crate::refusal::Refusal;

/// How often it is tried again when the invite changed meanwhile.
const ATTEMPTS: usize = 10;

/// Who asks: nobody that is known.
#[derive(Clone, Copy)]
pub struct Holder<'a> {
    pub app: &'a App,
    pub address: IpAddr,
    pub request_id: &'a str,
}

fn read(bytes: &[u8]) -> Result<InviteHolder, Refusal> {
    let parsed = body::parse(bytes)?;
    parsed.ok_or_else(|| Refusal::malformed("body", "send {\"inviteId\": \"…\"}"))
}

impl Holder<'_> {
    /// The invite of a whole id. Those who keep naming ones that are not there are slowed down.
    async fn find(&self, holder: &InviteHolder) -> Result<Seen<StoredInvite>, Refusal> {
        let now = self.app.clock.now();
        let limiters = &self.app.limiters;
        limiters.before_invite_of_address(self.address, now)?;
        let found = self.look_up(holder).await;
        if matches!(found, Err(Refusal::Rule(Rule::NotFound(_)))) {
            limiters.failed_invite_of_address(self.address, now);
        }
        found
    }

    async fn look_up(&self, holder: &InviteHolder) -> Result<Seen<StoredInvite>, Refusal> {
        let unknown = || Refusal::Rule(Rule::NotFound(Noun::Invite));
        let secret: InviteSecret = holder.invite_id.reveal().parse().map_err(|_| unknown())?;
        let reference = secret.reference();
        let store = &self.app.store;
        let seen = store.get(Kind::Invite, reference.as_str()).await?;
        let seen = seen.ok_or_else(unknown)?;
        let value: StoredInvite = seen.value.read().map_err(Rule::from)?;
        if !is_secret(self.app, &value, &secret) {
            return Err(unknown());
        }
        Ok(Seen {
            value,
            mark: seen.mark,
        })
    }

    /// The access request that the invite waits for.
    async fn waiting(
        &self,
        invite: &StoredInvite,
    ) -> Result<Option<Seen<StoredAccessRequest>>, Refusal> {
        let Some(awaiting) = &invite.awaiting else {
            return Ok(None);
        };
        let id = awaiting.request_id.as_str();
        let seen = self.app.store.get(Kind::AccessRequest, id).await?;
        let Some(seen) = seen else {
            return Ok(None);
        };
        Ok(Some(Seen {
            value: seen.value.read().map_err(Rule::from)?,
            mark: seen.mark,
        }))
    }

    /// POST `/v1/invites/previews`.
    pub async fn preview(self, bytes: &[u8]) -> Result<Answer, Refusal> {
        let seen = self.find(&read(bytes)?).await?;
        let now = self.app.clock.now();
        if let Some(reason) = seen.value.unusable(now) {
            return Err(Refusal::Rule(Rule::InviteUnusable(reason)));
        }
        self.note_previewed(&seen, now).await;
        let invite = seen.value;
        let preview = InvitePreview {
            account: AccountReference {
                account_id: self.app.settings.account_id.clone(),
            },
            inviter: Inviter {
                user_id: invite.inviter,
            },
            expiry_time: invite.expiry_time,
            not_before: invite.terms.not_before,
            invitee: invite.terms.invitee.as_ref().map(Invitee::masked),
            issuer: invite.terms.issuer,
            email_domains: invite.terms.email_domains,
            default_login_tenant_id: invite.default_login_tenant_id,
        };
        Answer::json(StatusCode::OK, &preview).map_err(Refusal::from)
    }

    /// Tells of the first preview. Whoever looks is answered the same whether it can be told or not.
    async fn note_previewed(&self, seen: &Seen<StoredInvite>, now: Timestamp) {
        let noted = match previewed(now, self.request_id, seen) {
            Ok(None) => return,
            Ok(Some(changes)) => self.app.store.apply(changes).await.map_err(Refusal::from),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = noted {
            not_noted(&error);
        }
    }

    /// POST `/v1/invites/declines` and `/v1/invites/report-leak`. What has ended already is answered
    /// like what ends now.
    pub async fn give_up(self, bytes: &[u8], how: ByHolder) -> Result<Answer, Refusal> {
        let holder = read(bytes)?;
        for _ in 0..ATTEMPTS {
            let seen = self.find(&holder).await?;
            let now = self.app.clock.now();
            let reason = holder.reason.clone();
            let waiting = self.waiting(&seen.value).await?;
            let waiting = waiting.as_ref();
            let Some(changes) = give_up(now, self.request_id, &seen, waiting, how, reason)? else {
                return Ok(Answer::empty(StatusCode::NO_CONTENT));
            };
            match self.app.store.apply(changes).await? {
                Applied::Done(_) => return Ok(Answer::empty(StatusCode::NO_CONTENT)),
                Applied::Conflict { .. } => {}
            }
        }
        Err(Refusal::Busy)
    }
}
