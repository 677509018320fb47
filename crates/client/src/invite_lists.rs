//! What our server does with invites besides the published operations: lists, history, renewal,
//! declining, withdrawal of many, and what needs no account.

use guestlist_api::ids::{InviteId, InviteReference, UserId};
use guestlist_api::invite_effects::{InviteEffect, InviteEffectRequest};
use guestlist_api::invite_lists::{
    InviteAnswer, InviteCollection, InviteHistory, InviteHolder, InviteMoment, InviteOrder,
    InvitePreview, InviteReason, InviteRenewal, InviteResponse, InviteRevocation,
    InviteRevocations, InviteState, InviteSummary,
};
use guestlist_api::invite_terms::Invitee;
use guestlist_api::invites::{Invite, InviteRequest};
use guestlist_api::paging::Pagination;
use guestlist_api::resources::ResourceUri;
use guestlist_api::times::Timestamp;
use http::Method;

use crate::error::Error;
use crate::invites::Invites;
use crate::pages::{Page, PageQuery, Pages};
use crate::paths::Path;
use crate::transport::{IF_UNMODIFIED_SINCE, Request};

impl Invites<'_> {
    /// One page of the invites that the caller made or may read, in whatever state, without their
    /// secrets.
    ///
    /// # Errors
    ///
    /// Refused (400) if the cursor is not one of this list.
    pub async fn get_invites(self, query: &PageQuery) -> Result<InviteCollection, Error> {
        let request = Request::get(Path::new(ALL)).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(InviteCollection::NAME)
    }

    /// All of them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use guestlist_client::{Client, Credentials};
    /// # let server = guestlist_server::testing::TestServer::start().await?;
    /// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
    /// use guestlist_client::api::invite_lists::InviteState;
    ///
    /// let mut expired = client.invites().list().status(InviteState::Expired);
    /// while let Some(invite) = expired.try_next().await? {
    ///     client.invites().renew_invite(&invite.reference, None).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(self) -> Pages<InviteSummary> {
        Pages::new::<InviteCollection>(self.client, Path::new(ALL), Vec::new())
    }

    /// The invites that are for a user and can be used, now or later. For the caller themself also
    /// those that are for the e-mail address which their token proves; they are accepted by their
    /// reference.
    pub fn list_for(self, user: &UserId) -> Pages<InviteSummary> {
        let path = Path::new("/v1/users").id(user.as_str()).then("invites");
        Pages::new::<InviteCollection>(self.client, path, Vec::new())
    }

    /// Reads an invite by its reference, in whatever state.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none, or none that the caller may know of.
    pub async fn get_invite_by_reference(
        self,
        reference: &InviteReference,
    ) -> Result<InviteSummary, Error> {
        let request = Request::get(one(reference));
        self.client.send(request).await?.decode("an invite")
    }

    /// What happened to an invite, oldest first.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none, or none that the caller may know of.
    pub async fn get_invite_events(
        self,
        reference: &InviteReference,
    ) -> Result<Vec<InviteMoment>, Error> {
        let request = Request::get(one(reference).then("events"));
        let answer = self.client.send(request).await?;
        let history: InviteHistory = answer.decode("the history of an invite")?;
        Ok(history.events)
    }

    /// Replaces what a pending invite holds, under the same id; if it is given, only as long as the
    /// invite was last updated then.
    ///
    /// # Errors
    ///
    /// Refused (403) if it would give more than the caller may give; (412) if it changed meanwhile;
    /// (404) if it cannot be used any more.
    pub async fn update_invite(
        self,
        reference: &InviteReference,
        invite: &InviteRequest,
        unmodified_since: Option<Timestamp>,
    ) -> Result<InviteSummary, Error> {
        let mut request = Request::new(Method::PUT, one(reference)).body(invite)?;
        if let Some(time) = unmodified_since {
            request = request.header(IF_UNMODIFIED_SINCE, &time.to_string())?;
        }
        self.client.send(request).await?.decode("an invite")
    }

    /// Gives an invite another id and more time: 7 days unless it is said until when. The old id is
    /// dead at once; this answer is the only place where the new one can be read.
    ///
    /// # Errors
    ///
    /// Refused (404) if it was used or withdrawn; (403) if it holds more than the caller may give.
    pub async fn renew_invite(
        self,
        reference: &InviteReference,
        expiry_time: Option<Timestamp>,
    ) -> Result<Invite, Error> {
        let renewal = InviteRenewal { expiry_time };
        let path = one(reference).then("renewals");
        let request = Request::new(Method::POST, path).body(&renewal)?;
        self.client.send(request).await?.decode("an invite")
    }

    /// What making an invite would be answered and what accepting it would do, without making it.
    ///
    /// # Errors
    ///
    /// Those of [`create_invite`](Self::create_invite).
    pub async fn try_invite(self, invite: &InviteRequest) -> Result<InviteEffect, Error> {
        let request = Request::new(Method::POST, Path::new(ALL)).body(invite)?;
        let request = request.query(&[("dryRun", "true".to_owned())]);
        self.client.send(request).await?.decode(EFFECT)
    }

    /// What accepting an invite would do for the caller, who holds its id.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is no such invite.
    pub async fn get_invite_effect(self, id: &InviteId) -> Result<InviteEffect, Error> {
        let path = Path::new(ALL).id(id.reveal()).then("effect");
        let request = Request::new(Method::POST, path).secret(id.reveal());
        let request = request.body(&InviteEffectRequest::default())?;
        self.client.send(request).await?.decode(EFFECT)
    }

    /// What accepting an invite would do for a user.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none that the caller may know of; (403) if the caller may not ask what
    /// the user holds.
    pub async fn get_invite_effect_for(
        self,
        reference: &InviteReference,
        user: &UserId,
    ) -> Result<InviteEffect, Error> {
        let for_user = InviteEffectRequest {
            user_id: Some(user.clone()),
        };
        let path = one(reference).then("effect");
        let request = Request::new(Method::POST, path).body(&for_user)?;
        self.client.send(request).await?.decode(EFFECT)
    }

    /// Withdraws the invites that fit, 200 at most; the answer says whether the same request goes on.
    ///
    /// # Errors
    ///
    /// Refused (400) if nothing is said of which ones.
    pub async fn revoke_invites(
        self,
        which: &InviteRevocation,
    ) -> Result<InviteRevocations, Error> {
        let path = Path::new(ALL).then("revocations");
        let request = Request::new(Method::POST, path).body(which)?;
        self.client.send(request).await?.decode("withdrawn invites")
    }

    /// Declines an invite as the user whose token the caller sends.
    ///
    /// # Errors
    ///
    /// Refused (404) if it cannot be used any more; (403 `InviteNotForYou`) if it is for somebody
    /// else.
    pub async fn decline_invite(
        self,
        id: &InviteId,
        reason: Option<InviteReason>,
    ) -> Result<(), Error> {
        let response = InviteResponse {
            response: InviteAnswer::Decline,
            reason,
        };
        let path = Path::new(ALL).id(id.reveal());
        let request = Request::new(Method::PATCH, path)
            .secret(id.reveal())
            .body(&response)?;
        self.client.send(request).await.map(drop)
    }

    /// What an invite is, for whoever holds its id: without credentials, and without what it gives.
    ///
    /// # Errors
    ///
    /// Refused (404) if it cannot be used; (429) if too many unknown ids were asked about.
    pub async fn preview_invite(self, id: &InviteId) -> Result<InvitePreview, Error> {
        let request = held(id, "previews", None)?;
        self.client
            .send(request)
            .await?
            .decode("a preview of an invite")
    }

    /// Declines an invite as whoever holds its id, without credentials.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is no such invite.
    pub async fn decline_invite_as_holder(
        self,
        id: &InviteId,
        reason: Option<InviteReason>,
    ) -> Result<(), Error> {
        let request = held(id, "declines", reason)?;
        self.client.send(request).await.map(drop)
    }

    /// Says that the id of an invite is where it should not be: it is withdrawn. Without credentials,
    /// since whoever holds the id could use the invite.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is no such invite.
    pub async fn report_invite_leak(
        self,
        id: &InviteId,
        reason: Option<InviteReason>,
    ) -> Result<(), Error> {
        let request = held(id, "report-leak", reason)?;
        self.client.send(request).await.map(drop)
    }
}

const ALL: &str = "/v1/invites";
const EFFECT: &str = "the effect of an invite";

fn one(reference: &InviteReference) -> Path {
    Path::new(ALL).id(reference.as_str())
}

fn held(id: &InviteId, what: &'static str, reason: Option<InviteReason>) -> Result<Request, Error> {
    let holder = InviteHolder {
        invite_id: id.clone(),
        reason,
    };
    let request = Request::new(Method::POST, Path::new(ALL).then(what));
    request
        .without_credentials()
        .secret(id.reveal())
        .body(&holder)
}

impl Page for InviteCollection {
    type Item = InviteSummary;
    const NAME: &'static str = "a list of invites";

    fn into_parts(self) -> (Vec<InviteSummary>, Option<Pagination>) {
        (self.invites, self.pagination)
    }
}

impl Pages<InviteSummary> {
    /// Only invites that stand so at the moment of the answer.
    pub fn status(self, status: InviteState) -> Self {
        self.parameter("status", status.name().to_owned())
    }

    /// Only invites for this user or address.
    pub fn invitee(self, invitee: &Invitee) -> Self {
        self.parameter("invitee", invitee.key())
    }

    /// Only invites of this inviter.
    pub fn inviter(self, inviter: &UserId) -> Self {
        self.parameter("inviterUserId", inviter.to_string())
    }

    /// Only invites that give something on exactly this resource.
    pub fn resource(self, resource: &ResourceUri) -> Self {
        self.parameter("resourceUri", resource.as_str().to_owned())
    }

    /// Only invites with this tag.
    pub fn tag(self, name: &str, value: &str) -> Self {
        self.parameter("tag", format!("{name}={value}"))
    }

    /// In the order in which they end.
    pub fn by_expiry(self) -> Self {
        self.sorted(InviteOrder::Expiry)
    }

    /// In this order; unless it is said, by reference.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use guestlist_client::{Client, Credentials};
    /// # let server = guestlist_server::testing::TestServer::start().await?;
    /// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
    /// use guestlist_client::api::invite_lists::InviteOrder;
    ///
    /// let mut newest = client.invites().list().sorted(InviteOrder::CreatedLast);
    /// if let Some(invite) = newest.try_next().await? {
    ///     println!("{} was made last", invite.reference);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn sorted(self, order: InviteOrder) -> Self {
        self.parameter("sort", order.name().to_owned())
    }
}
