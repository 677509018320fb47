//! Roles (contract §1.10).

use guestlist_api::ids::RoleId;
use guestlist_api::paging::Pagination;
use guestlist_api::roles::{Role, RoleCollection, RoleRequest};
use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::pages::{Page, PageQuery, Pages};
use crate::paths::Path;
use crate::transport::Request;

/// The operations on roles. From [`Client::roles`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use guestlist_client::api::actions::Action;
/// use guestlist_client::api::roles::{Permission, RoleRequest};
///
/// let read: Action = "documents:read".parse()?;
/// let reader = RoleRequest::new("Reader")?
///     .role_id("ro_reader".parse()?)
///     .permission(Permission::allow(read).and_grant());
/// let role = client.roles().create_role(&reader).await?;
/// assert_eq!(role.role_id.as_str(), "ro_reader");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Roles<'a> {
    pub(crate) client: &'a Client,
}

impl Roles<'_> {
    /// Makes a role.
    ///
    /// # Errors
    ///
    /// Refused (409 `RoleAlreadyExists`) if there is one with its id; (403) without `CREATE` on
    /// `Authress:Roles`.
    pub async fn create_role(self, role: &RoleRequest) -> Result<Role, Error> {
        let request = Request::new(Method::POST, Path::new(ALL)).body(role)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Reads a role.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn get_role(self, id: &RoleId) -> Result<Role, Error> {
        self.client.send(Request::get(one(id))).await?.decode(ONE)
    }

    /// Puts this in the place of the whole role. Whoever holds it gains and loses at once.
    ///
    /// # Errors
    ///
    /// Refused (403 `BuiltInRole`) if it is a built-in one.
    pub async fn update_role(self, id: &RoleId, role: &RoleRequest) -> Result<Role, Error> {
        let request = Request::new(Method::PUT, one(id)).body(role)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Deletes a role. Records that name it stay, and it grants nothing.
    ///
    /// # Errors
    ///
    /// Refused (403 `BuiltInRole`) if it is a built-in one.
    pub async fn delete_role(self, id: &RoleId) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, one(id));
        self.client.send(request).await.map(drop)
    }

    /// One page of the roles.
    ///
    /// # Errors
    ///
    /// Refused (400) if the cursor is not one of this list.
    pub async fn get_roles(self, query: &PageQuery) -> Result<RoleCollection, Error> {
        let request = Request::get(Path::new(ALL)).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(RoleCollection::NAME)
    }

    /// All roles.
    pub fn list(self) -> Pages<Role> {
        Pages::new::<RoleCollection>(self.client, Path::new(ALL), Vec::new())
    }
}

const ALL: &str = "/v1/roles";
const ONE: &str = "a role";

fn one(id: &RoleId) -> Path {
    Path::new(ALL).id(id.as_str())
}

impl Page for RoleCollection {
    type Item = Role;
    const NAME: &'static str = "a list of roles";

    fn into_parts(self) -> (Vec<Role>, Option<Pagination>) {
        (self.roles, self.pagination)
    }
}

impl Pages<Role> {
    /// Only roles with this text in their id, name or other text, in any case.
    pub fn filter(self, filter: impl Into<String>) -> Self {
        self.parameter("filter", filter.into())
    }
}
