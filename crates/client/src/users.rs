//! Users (contract §1.14).

use guestlist_api::ids::{TenantId, UserId};
use guestlist_api::paging::Pagination;
use guestlist_api::users::{UserIdentity, UserIdentityCollection};
use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::pages::{Page, PageQuery, Pages};
use crate::paths::Path;
use crate::transport::Request;

/// The operations on users. From [`Client::users`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use guestlist_client::api::ids::UserId;
///
/// let users = client.users();
/// let alice: UserId = "alice".parse()?;
/// let known = users.get_user(&alice).await?;
/// assert_eq!(known.user_id, alice);
///
/// // Takes her out of every record and group, and voids the invites she made.
/// users.delete_user(&alice).await?;
/// assert!(users.get_user(&alice).await.is_err_and(|error| error.is_not_found()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Users<'a> {
    pub(crate) client: &'a Client,
}

impl Users<'_> {
    /// One page of the known users: our server knows those whom a record in force or a group names.
    ///
    /// # Errors
    ///
    /// Refused (403) without `READ` on `Authress:Users`; (400) if the cursor is not one of this list.
    pub async fn get_users(self, query: &PageQuery) -> Result<UserIdentityCollection, Error> {
        let request = Request::get(Path::new(ALL)).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(UserIdentityCollection::NAME)
    }

    /// All known users.
    pub fn list(self) -> Pages<UserIdentity> {
        Pages::new::<UserIdentityCollection>(self.client, Path::new(ALL), Vec::new())
    }

    /// Reads a user. Everybody may read themself.
    ///
    /// # Errors
    ///
    /// Refused (404) if the user is not known.
    pub async fn get_user(self, user: &UserId) -> Result<UserIdentity, Error> {
        let request = Request::get(one(user));
        self.client.send(request).await?.decode("a user")
    }

    /// Deletes a user: records and groups name them no more, and the invites that they made and
    /// nobody has used are void. Our server has done it when it answers.
    ///
    /// # Errors
    ///
    /// Refused (404) if nothing names the user; (409 `LastOwner`) if nobody would be left who owns
    /// the account; (503 `Unfinished`) if more names the user than one request takes away: then a
    /// part is done, and calling it again goes on.
    pub async fn delete_user(self, user: &UserId) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, one(user));
        self.client.send(request).await.map(drop)
    }
}

const ALL: &str = "/v1/users";

fn one(user: &UserId) -> Path {
    Path::new(ALL).id(user.as_str())
}

impl Page for UserIdentityCollection {
    type Item = UserIdentity;
    const NAME: &'static str = "a list of users";

    fn into_parts(self) -> (Vec<UserIdentity>, Option<Pagination>) {
        (self.users, self.pagination)
    }
}

impl Pages<UserIdentity> {
    /// Only users with this text in their id, in any case.
    pub fn filter(self, filter: impl Into<String>) -> Self {
        self.parameter("filter", filter.into())
    }

    /// Only users who were put into this tenant, whether anything else names them or not.
    pub fn tenant(self, tenant: &TenantId) -> Self {
        self.parameter("tenantId", tenant.to_string())
    }
}
