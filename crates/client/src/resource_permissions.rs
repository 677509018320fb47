//! Who may do something with a resource (contract §1.9).

use guestlist_api::actions::Action;
use guestlist_api::paging::Pagination;
use guestlist_api::resources::ResourceUri;
use guestlist_api::users::{ResourceUsersCollection, UserRoleCollection};

use crate::client::Client;
use crate::error::Error;
use crate::pages::{Page, PageQuery, Pages};
use crate::paths::Path;
use crate::transport::Request;

/// Questions about resources. From [`Client::resource_permissions`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// let questions = client.resource_permissions();
/// let mut users = questions.list_resource_users(&"projects/42".parse()?);
/// while let Some(user) = users.try_next().await? {
///     println!("{} has {:?}", user.user_id, user.roles);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ResourcePermissions<'a> {
    pub(crate) client: &'a Client,
}

impl ResourcePermissions<'_> {
    /// One page of the users with access to exactly this resource, members of groups included, and
    /// the roles they have there.
    ///
    /// # Errors
    ///
    /// Refused (403) if the caller may not ask.
    pub async fn get_resource_users(
        self,
        resource: &ResourceUri,
        query: &PageQuery,
    ) -> Result<ResourceUsersCollection, Error> {
        let request = Request::get(of(resource)).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(ResourceUsersCollection::NAME)
    }

    /// All of them.
    pub fn list_resource_users(self, resource: &ResourceUri) -> Pages<UserRoleCollection> {
        Pages::new::<ResourceUsersCollection>(self.client, of(resource), Vec::new())
    }

    /// One page of everybody who may do something with a resource, whatever gives it to them: by any
    /// record, on the resource or above it, by wildcards and by groups. Their roles are those that
    /// allow it; the order is that of the bytes of user ids. Only our server can say: others answer
    /// as if [`get_resource_users`](Self::get_resource_users) had been asked.
    ///
    /// # Errors
    ///
    /// Refused (403) if the caller may not ask; (413) if more are named on the resource and above it
    /// than can be looked at.
    pub async fn get_users_who_can(
        self,
        resource: &ResourceUri,
        action: &Action,
        query: &PageQuery,
    ) -> Result<ResourceUsersCollection, Error> {
        let mut parameters = query.parameters();
        parameters.push(("permission", action.as_str().to_owned()));
        let request = Request::get(of(resource)).query(&parameters);
        self.client
            .send(request)
            .await?
            .decode(ResourceUsersCollection::NAME)
    }

    /// All of them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use guestlist_client::{Client, Credentials};
    /// # let server = guestlist_server::testing::TestServer::start().await?;
    /// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
    /// let questions = client.resource_permissions();
    /// let mut users =
    ///     questions.list_users_who_can(&"projects/42".parse()?, &"documents:read".parse()?);
    /// while let Some(user) = users.try_next().await? {
    ///     println!("{} by {:?}", user.user_id, user.roles);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_users_who_can(
        self,
        resource: &ResourceUri,
        action: &Action,
    ) -> Pages<UserRoleCollection> {
        let parameters = vec![("permission", action.as_str().to_owned())];
        Pages::new::<ResourceUsersCollection>(self.client, of(resource), parameters)
    }
}

fn of(resource: &ResourceUri) -> Path {
    Path::new("/v1/resources")
        .id(resource.as_str())
        .then("users")
}

impl Page for ResourceUsersCollection {
    type Item = UserRoleCollection;
    const NAME: &'static str = "a list of users of a resource";

    fn into_parts(self) -> (Vec<UserRoleCollection>, Option<Pagination>) {
        (self.users, self.pagination)
    }
}
