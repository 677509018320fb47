//! Service clients and their access keys (contract §1.11).

use guestlist_api::clients::{
    AccessKey, AccessKeyRequest, Client as ServiceClient, ClientCollection, ClientRequest,
};
use guestlist_api::ids::{ClientId, KeyId};
use guestlist_api::paging::Pagination;
use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::pages::{Page, PageQuery, Pages};
use crate::paths::Path;
use crate::transport::Request;

/// The operations on service clients. From [`Client::service_clients`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use guestlist_client::api::clients::{AccessKeyRequest, ClientRequest};
/// use guestlist_client::api::text::Name;
///
/// let clients = client.service_clients();
/// let ci = ClientRequest::new().name(Name::parse("Continuous integration")?);
/// let ci = clients.create_client(&ci).await?;
/// let key = clients
///     .request_access_key(&ci.client_id, &AccessKeyRequest::new())
///     .await?;
/// // This is the only time it is told.
/// let secret = key.access_key.ok_or("the server made the key")?;
/// let ci = Client::new(client.url(), Credentials::access_key(secret.reveal())?)?;
/// # ci.accounts().get_accounts().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ServiceClients<'a> {
    pub(crate) client: &'a Client,
}

impl ServiceClients<'_> {
    /// Makes a service client, without keys.
    ///
    /// # Errors
    ///
    /// Refused (403) without `CREATE` on `Authress:ServiceClients`.
    pub async fn create_client(self, client: &ClientRequest) -> Result<ServiceClient, Error> {
        let request = Request::new(Method::POST, Path::new(ALL)).body(client)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Reads a service client.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn get_client(self, id: &ClientId) -> Result<ServiceClient, Error> {
        self.client.send(Request::get(one(id))).await?.decode(ONE)
    }

    /// Puts this in the place of the client's name, options, rate limits and tags. Its keys stay.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none; (403) if the options say more than the caller may give.
    pub async fn update_client(
        self,
        id: &ClientId,
        client: &ClientRequest,
    ) -> Result<ServiceClient, Error> {
        let request = Request::new(Method::PUT, one(id)).body(client)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Deletes a service client. Its keys are refused from the next request on.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none; (409 `LastOwner`) if nobody would be left who owns the account.
    pub async fn delete_client(self, id: &ClientId) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, one(id));
        self.client.send(request).await.map(drop)
    }

    /// One page of the service clients the caller may read.
    ///
    /// # Errors
    ///
    /// Refused (400) if the cursor is not one of this list.
    pub async fn get_clients(self, query: &PageQuery) -> Result<ClientCollection, Error> {
        let request = Request::get(Path::new(ALL)).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(ClientCollection::NAME)
    }

    /// All service clients the caller may read.
    pub fn list(self) -> Pages<ServiceClient> {
        Pages::new::<ClientCollection>(self.client, Path::new(ALL), Vec::new())
    }

    /// Makes an access key, or takes the public half of a key of the caller's own. The private half
    /// of a made key is in this answer and nowhere else.
    ///
    /// # Errors
    ///
    /// Refused (422 `TooManyAccessKeys`) if the client has five; (403) if records give the client
    /// more than the caller may give.
    pub async fn request_access_key(
        self,
        id: &ClientId,
        key: &AccessKeyRequest,
    ) -> Result<AccessKey, Error> {
        let request = Request::new(Method::POST, one(id).then("access-keys")).body(key)?;
        self.client.send(request).await?.decode("an access key")
    }

    /// Deletes an access key. It is refused from the next request on.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn delete_access_key(self, id: &ClientId, key: &KeyId) -> Result<(), Error> {
        let path = one(id).then("access-keys").id(key.as_str());
        let request = Request::new(Method::DELETE, path);
        self.client.send(request).await.map(drop)
    }
}

const ALL: &str = "/v1/clients";
const ONE: &str = "a service client";

fn one(id: &ClientId) -> Path {
    Path::new(ALL).id(id.as_str())
}

impl Page for ClientCollection {
    type Item = ServiceClient;
    const NAME: &'static str = "a list of service clients";

    fn into_parts(self) -> (Vec<ServiceClient>, Option<Pagination>) {
        (self.clients, self.pagination)
    }
}

impl Pages<ServiceClient> {
    /// Only service clients with this text in their id, name or other text, in any case.
    pub fn filter(self, filter: impl Into<String>) -> Self {
        self.parameter("filter", filter.into())
    }
}
