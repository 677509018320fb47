//! What users may do (contract §1.13).

use guestlist_api::actions::Action;
use guestlist_api::ids::UserId;
use guestlist_api::paging::Pagination;
use guestlist_api::records::Resource;
use guestlist_api::resources::ResourceUri;
use guestlist_api::users::{
    Allowed, CollectionConfiguration, Explanation, PermissionCollection, UserResourcesCollection,
    UserRoleCollection,
};
use serde::de::IgnoredAny;

use crate::client::Client;
use crate::error::{DecodingError, Error};
use crate::pages::{Page, PageQuery, Pages, Parameters};
use crate::paths::Path;
use crate::transport::Request;

/// Questions about users. From [`Client::user_permissions`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use guestlist_client::UserResourcesQuery;
/// use guestlist_client::api::resources::ResourceUri;
///
/// let (alice, action) = ("alice".parse()?, "documents:read".parse()?);
/// let permissions = client.user_permissions();
/// assert!(permissions.is_allowed(&alice, &"projects/42".parse()?, &action).await?);
///
/// let projects: ResourceUri = "projects".parse()?;
/// let below = UserResourcesQuery::new().resource_uri(projects).permission(action);
/// let mut resources = permissions.list_user_resources(&alice, &below);
/// while let Some(resource) = resources.try_next().await? {
///     println!("{}", resource.resource_uri);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct UserPermissions<'a> {
    pub(crate) client: &'a Client,
}

/// Which resources of a user to list.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct UserResourcesQuery {
    page: PageQuery,
    collection: Option<ResourceUri>,
    configuration: Option<CollectionConfiguration>,
    permission: Option<Action>,
}

impl UserResourcesQuery {
    /// Those at the top level.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those below this resource.
    pub fn resource_uri(mut self, collection: impl Into<ResourceUri>) -> Self {
        self.collection = Some(collection.into());
        self
    }

    /// Those one segment below, which is the default, or all below.
    pub fn collection_configuration(mut self, configuration: CollectionConfiguration) -> Self {
        self.configuration = Some(configuration);
        self
    }

    /// Those on which the user may do this.
    pub fn permission(mut self, action: impl Into<Action>) -> Self {
        self.permission = Some(action.into());
        self
    }

    /// Items of a page at most: 1 to 20.
    pub fn limit(mut self, limit: u16) -> Self {
        self.page = self.page.limit(limit);
        self
    }

    /// The page after the one that answered this cursor.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.page = self.page.cursor(cursor);
        self
    }

    fn parameters(&self) -> Parameters {
        let mut parameters = self.page.parameters();
        if let Some(collection) = &self.collection {
            parameters.push(("resourceUri", collection.as_str().to_owned()));
        }
        if let Some(configuration) = self.configuration {
            let word = match configuration {
                CollectionConfiguration::TopLevelOnly => "TOP_LEVEL_ONLY",
                CollectionConfiguration::IncludeNested => "INCLUDE_NESTED",
            };
            parameters.push(("collectionConfiguration", word.to_owned()));
        }
        if let Some(permission) = &self.permission {
            parameters.push(("permissions", permission.as_str().to_owned()));
        }
        parameters
    }
}

impl UserPermissions<'_> {
    /// Asks whether a user may do something.
    ///
    /// # Errors
    ///
    /// Refused (404) if not: see [`is_allowed`](Self::is_allowed). Refused (403) if the caller may
    /// not ask. [`Error::Decoding`] if the answer is neither empty nor JSON.
    pub async fn authorize_user(
        self,
        user: &UserId,
        resource: &ResourceUri,
        action: &Action,
    ) -> Result<(), Error> {
        let request = Request::get(check(user, resource, action));
        let answer = self.client.send(request).await?;
        // A web site that has one page for every path must not say yes to everything.
        answer
            .decode_any::<IgnoredAny>("an answer to a permission check")
            .map(drop)
    }

    /// The same with "no" as an answer.
    ///
    /// # Errors
    ///
    /// Refused (403) if the caller may not ask.
    pub async fn is_allowed(
        self,
        user: &UserId,
        resource: &ResourceUri,
        action: &Action,
    ) -> Result<bool, Error> {
        let asked = self.authorize_user(user, resource, action).await;
        unless_refused(asked).map(|yes| yes.is_some())
    }

    /// Why a user may do something; `None` if they may not. Only our server can say.
    ///
    /// Of several reasons it is always the same one as long as the documents are the same:
    /// [`Explanation`] says which. The ids of what the caller may not read are absent.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use guestlist_client::{Client, Credentials};
    /// # let server = guestlist_server::testing::TestServer::start().await?;
    /// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
    /// let (user, resource) = ("alice".parse()?, "projects/42/specs".parse()?);
    /// let questions = client.user_permissions();
    /// let because = questions
    ///     .explain_permission(&user, &resource, &"documents:read".parse()?)
    ///     .await?
    ///     .ok_or("she may not")?;
    /// assert_eq!(because.resource_uri.as_str(), "projects/42");
    /// assert_eq!(because.role_id.ok_or("no right to read it")?.as_str(), "ro_manager");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Refused (403) if the caller may not ask. [`Error::Decoding`] if the server says yes and not
    /// why, as other servers do.
    pub async fn explain_permission(
        self,
        user: &UserId,
        resource: &ResourceUri,
        action: &Action,
    ) -> Result<Option<Explanation>, Error> {
        let request =
            Request::get(check(user, resource, action)).query(&[("explain", "true".to_owned())]);
        let Some(answer) = unless_refused(self.client.send(request).await)? else {
            return Ok(None);
        };
        match answer.decode_any::<Allowed>("a reason")? {
            Some(Allowed {
                because: Some(because),
            }) => Ok(Some(because)),
            Some(Allowed { because: None }) | None => Err(Error::Decoding(DecodingError {
                expected: "a reason",
                member: Some("because".to_owned()),
            })),
        }
    }

    /// What a user may do with a resource.
    ///
    /// # Errors
    ///
    /// Refused (404) if nothing; (403) if the caller may not ask.
    pub async fn get_user_permissions_for_resource(
        self,
        user: &UserId,
        resource: &ResourceUri,
    ) -> Result<PermissionCollection, Error> {
        let path = of(user)
            .then("resources")
            .id(resource.as_str())
            .then("permissions");
        let answer = self.client.send(Request::get(path)).await?;
        answer.decode("a list of permissions")
    }

    /// The roles given to a user on exactly this resource, not on what is above it.
    ///
    /// # Errors
    ///
    /// Refused (404) if there are none; (403) if the caller may not ask.
    pub async fn get_user_roles_for_resource(
        self,
        user: &UserId,
        resource: &ResourceUri,
    ) -> Result<UserRoleCollection, Error> {
        let path = of(user)
            .then("resources")
            .id(resource.as_str())
            .then("roles");
        let answer = self.client.send(Request::get(path)).await?;
        answer.decode("a list of roles of a user")
    }

    /// One page of the resources a user has access to.
    ///
    /// # Errors
    ///
    /// Refused (403) if the caller may not ask.
    pub async fn get_user_resources(
        self,
        user: &UserId,
        query: &UserResourcesQuery,
    ) -> Result<UserResourcesCollection, Error> {
        let request = Request::get(of(user).then("resources")).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(UserResourcesCollection::NAME)
    }

    /// All resources a user has access to.
    pub fn list_user_resources(self, user: &UserId, query: &UserResourcesQuery) -> Pages<Resource> {
        let path = of(user).then("resources");
        Pages::new::<UserResourcesCollection>(self.client, path, query.parameters())
    }
}

fn of(user: &UserId) -> Path {
    Path::new("/v1/users").id(user.as_str())
}

/// The path of a permission check.
fn check(user: &UserId, resource: &ResourceUri, action: &Action) -> Path {
    of(user)
        .then("resources")
        .id(resource.as_str())
        .then("permissions")
        .id(action.as_str())
}

/// `None` for a check that says no.
fn unless_refused<T>(asked: Result<T, Error>) -> Result<Option<T>, Error> {
    match asked {
        Ok(yes) => Ok(Some(yes)),
        // This one says that the URL of the server is wrong, and nothing about the user.
        Err(error) if error.error_code() == Some("NoSuchPath") => Err(error),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

impl Page for UserResourcesCollection {
    type Item = Resource;
    const NAME: &'static str = "a list of resources";

    fn into_parts(self) -> (Vec<Resource>, Option<Pagination>) {
        (self.resources, self.pagination)
    }
}
