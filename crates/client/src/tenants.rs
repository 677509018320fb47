//! Tenants and their users (contract §1.12).

use guestlist_api::ids::{TenantId, UserId};
use guestlist_api::paging::Pagination;
use guestlist_api::tenants::{Tenant, TenantCollection, TenantRequest, TenantUser};
use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::pages::{Page, PageQuery, Pages};
use crate::paths::Path;
use crate::transport::Request;

/// The operations on tenants. From [`Client::tenants`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use guestlist_client::api::tenants::{TenantName, TenantRequest};
///
/// let acme = TenantRequest::new()
///     .tenant_id("acme".parse()?)
///     .name(TenantName::parse("Acme")?);
/// let tenants = client.tenants();
/// let acme = tenants.create_tenant(&acme).await?;
/// tenants.link_tenant_user(&acme.tenant_id, &"bob".parse()?).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Tenants<'a> {
    pub(crate) client: &'a Client,
}

impl Tenants<'_> {
    /// Makes a tenant.
    ///
    /// # Errors
    ///
    /// Refused (409 `TenantAlreadyExists`) if there is one with its id; (403) without `CREATE` on
    /// `Authress:Tenants`.
    pub async fn create_tenant(self, tenant: &TenantRequest) -> Result<Tenant, Error> {
        let request = Request::new(Method::POST, Path::new(ALL)).body(tenant)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Reads a tenant.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn get_tenant(self, id: &TenantId) -> Result<Tenant, Error> {
        self.client.send(Request::get(one(id))).await?.decode(ONE)
    }

    /// Puts this in the place of all that is said of a tenant. The last write wins.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn update_tenant(
        self,
        id: &TenantId,
        tenant: &TenantRequest,
    ) -> Result<Tenant, Error> {
        let request = Request::new(Method::PUT, one(id)).body(tenant)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Deletes a tenant. Its users belong to none from then on.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn delete_tenant(self, id: &TenantId) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, one(id));
        self.client.send(request).await.map(drop)
    }

    /// One page of the tenants the caller may read.
    ///
    /// # Errors
    ///
    /// Refused (400) if the cursor is not one of this list.
    pub async fn get_tenants(self, query: &PageQuery) -> Result<TenantCollection, Error> {
        let request = Request::get(Path::new(ALL)).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(TenantCollection::NAME)
    }

    /// All tenants the caller may read.
    pub fn list(self) -> Pages<Tenant> {
        Pages::new::<TenantCollection>(self.client, Path::new(ALL), Vec::new())
    }

    /// Puts a user into a tenant, and out of the one they are in.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is no such tenant; (403) if the user is in another one that the caller
    /// may not change.
    pub async fn link_tenant_user(self, id: &TenantId, user: &UserId) -> Result<(), Error> {
        let body = TenantUser {
            user_id: user.clone(),
        };
        let path = one(id).then("users");
        let request = Request::new(Method::PATCH, path).body(&body)?;
        self.client.send(request).await.map(drop)
    }
}

const ALL: &str = "/v1/tenants";
const ONE: &str = "a tenant";

fn one(id: &TenantId) -> Path {
    Path::new(ALL).id(id.as_str())
}

impl Page for TenantCollection {
    type Item = Tenant;
    const NAME: &'static str = "a list of tenants";

    fn into_parts(self) -> (Vec<Tenant>, Option<Pagination>) {
        (self.tenants, self.pagination)
    }
}

impl Pages<Tenant> {
    /// Only tenants with this text in their id, name, lookup identifier or domains, in any case.
    pub fn filter(self, filter: impl Into<String>) -> Self {
        self.parameter("filter", filter.into())
    }
}
