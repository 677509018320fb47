//! Who may do something with a resource, and what everybody may do with it (contract §1.9).

use guestlist_api::actions::Action;
use guestlist_api::paging::Pagination;
use guestlist_api::resource_configurations::{
    PermissionedResource, PermissionedResourceCollection, PermissionedResourceRequest,
};
use guestlist_api::resources::ResourceUri;
use guestlist_api::users::{ResourceUsersCollection, UserRoleCollection};
use http::Method;

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

impl ResourcePermissions<'_> {
    /// One page of the configured resources: those whose configuration the caller may read.
    ///
    /// # Errors
    ///
    /// Refused (400) if the cursor is not one of this list.
    pub async fn get_permissioned_resources(
        self,
        query: &PageQuery,
    ) -> Result<PermissionedResourceCollection, Error> {
        let request = Request::get(Path::new(ALL)).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(PermissionedResourceCollection::NAME)
    }

    /// All of them.
    pub fn list_permissioned_resources(self) -> Pages<PermissionedResource> {
        Pages::new::<PermissionedResourceCollection>(self.client, Path::new(ALL), Vec::new())
    }

    /// What everybody may do with a resource: what is configured on exactly that.
    ///
    /// # Errors
    ///
    /// Refused (404) if nothing is.
    pub async fn get_permissioned_resource(
        self,
        resource: &ResourceUri,
    ) -> Result<PermissionedResource, Error> {
        let answer = self.client.send(Request::get(one(resource))).await?;
        answer.decode("the configuration of a resource")
    }

    /// Says what everybody may do with a resource, in the place of what was said before. The last write
    /// wins.
    ///
    /// # Errors
    ///
    /// Refused (403) if the caller may not, or may not give what is newly allowed; (400) if the resource
    /// has wildcards or is one of the server's own.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use guestlist_client::{Client, Credentials};
    /// # let server = guestlist_server::testing::TestServer::start().await?;
    /// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
    /// use guestlist_client::api::claims::ClaimRequest;
    /// use guestlist_client::api::resource_configurations::{
    ///     ConfiguredAction, PermissionedResourceRequest,
    /// };
    ///
    /// let claims = PermissionedResourceRequest::new(ConfiguredAction::Claim, true);
    /// client
    ///     .resource_permissions()
    ///     .update_permissioned_resource(&"rooms".parse()?, &claims)
    ///     .await?;
    /// let room = ClaimRequest::new("rooms".parse()?, "42".parse()?);
    /// client.access_records().create_claim(&room).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_permissioned_resource(
        self,
        resource: &ResourceUri,
        configuration: &PermissionedResourceRequest,
    ) -> Result<(), Error> {
        let request = Request::new(Method::PUT, one(resource)).body(configuration)?;
        self.client.send(request).await.map(drop)
    }
}

const ALL: &str = "/v1/resources";

fn one(resource: &ResourceUri) -> Path {
    Path::new(ALL).id(resource.as_str())
}

fn of(resource: &ResourceUri) -> Path {
    one(resource).then("users")
}

impl Page for PermissionedResourceCollection {
    type Item = PermissionedResource;
    const NAME: &'static str = "a list of configured resources";

    fn into_parts(self) -> (Vec<PermissionedResource>, Option<Pagination>) {
        (self.resources, self.pagination)
    }
}

impl Pages<PermissionedResource> {
    /// Only resources with this text in their URI, in any case.
    pub fn filter(self, filter: impl Into<String>) -> Self {
        self.parameter("filter", filter.into())
    }
}

impl Page for ResourceUsersCollection {
    type Item = UserRoleCollection;
    const NAME: &'static str = "a list of users of a resource";

    fn into_parts(self) -> (Vec<UserRoleCollection>, Option<Pagination>) {
        (self.users, self.pagination)
    }
}
