//! Who accepted an invite, and taking back what it gave: with our server only.

use guestlist_api::ids::{InviteReference, UserId};
use guestlist_api::invite_grants::{InviteAcceptance, InviteAcceptanceCollection, InviteUndoing};
use guestlist_api::paging::Pagination;
use http::Method;

use crate::error::Error;
use crate::invites::Invites;
use crate::pages::{Page, Pages};
use crate::paths::Path;
use crate::transport::Request;

impl Invites<'_> {
    /// Who accepted an invite, when, and exactly what that gave.
    pub fn acceptances(self, reference: &InviteReference) -> Pages<InviteAcceptance> {
        let path = one(reference).then("acceptances");
        Pages::new::<InviteAcceptanceCollection>(self.client, path, Vec::new())
    }

    /// Takes back exactly what an invite gave, from one user or from all; with `dry_run`, only says
    /// what would be taken. 200 acceptances at once; the answer says whether the same request goes
    /// on.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use guestlist_client::{Client, Credentials};
    /// # let server = guestlist_server::testing::TestServer::start().await?;
    /// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
    /// let mut invites = client.invites().list();
    /// while let Some(invite) = invites.try_next().await? {
    ///     client.invites().undo_invite(&invite.reference, None, true).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Refused (404, 403) if the caller may not; (409) if nobody would own the account; (503) if only
    /// part of it is done.
    pub async fn undo_invite(
        self,
        reference: &InviteReference,
        user: Option<&UserId>,
        dry_run: bool,
    ) -> Result<InviteUndoing, Error> {
        let mut query = vec![("dryRun", dry_run.to_string())];
        query.extend(user.map(|user| ("userId", user.to_string())));
        let path = one(reference).then("grants");
        let request = Request::new(Method::DELETE, path).query(&query);
        self.client
            .send(request)
            .await?
            .decode("what was taken back")
    }
}

fn one(reference: &InviteReference) -> Path {
    Path::new("/v1/invites").id(reference.as_str())
}

impl Page for InviteAcceptanceCollection {
    type Item = InviteAcceptance;
    const NAME: &'static str = "a list of uses of an invite";

    fn into_parts(self) -> (Vec<InviteAcceptance>, Option<Pagination>) {
        (self.acceptances, self.pagination)
    }
}
