//! Connections to identity providers (contract §1.6).

use guestlist_api::connections::{Connection, ConnectionCollection, ConnectionRequest};
use guestlist_api::ids::ConnectionId;
use guestlist_api::paging::Pagination;
use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::pages::{Page, PageQuery, Pages};
use crate::paths::Path;
use crate::transport::Request;

/// The operations on connections. From [`Client::connections`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use guestlist_client::api::connections::{ConnectionRequest, ConnectionType};
///
/// let mut acme = ConnectionRequest::new(ConnectionType::OAuth2)
///     .client("our-client".parse()?, "our-secret".parse()?);
/// acme.authentication_url = Some("https://login.acme.example/authorize".parse()?);
/// acme.token_url = Some("https://login.acme.example/token".parse()?);
/// let acme = client.connections().create_connection(&acme).await?;
/// // The secret is never answered.
/// assert_eq!(acme.has_client_secret, Some(true));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Connections<'a> {
    pub(crate) client: &'a Client,
}

impl Connections<'_> {
    /// Makes a connection.
    ///
    /// # Errors
    ///
    /// Refused (409 `ConnectionAlreadyExists`) if there is one with its id; (403) without `CREATE`
    /// on `Authress:Connections`.
    pub async fn create_connection(
        self,
        connection: &ConnectionRequest,
    ) -> Result<Connection, Error> {
        let request = Request::new(Method::POST, Path::new(ALL)).body(connection)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Reads a connection, without its secret.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn get_connection(self, id: &ConnectionId) -> Result<Connection, Error> {
        self.client.send(Request::get(one(id))).await?.decode(ONE)
    }

    /// Puts this in the place of all that is said of a connection. Without a secret the kept one
    /// stays. The last write wins.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none; (400) if the provider changes and no secret is sent.
    pub async fn update_connection(
        self,
        id: &ConnectionId,
        connection: &ConnectionRequest,
    ) -> Result<Connection, Error> {
        let request = Request::new(Method::PUT, one(id)).body(connection)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Deletes a connection and its secret.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn delete_connection(self, id: &ConnectionId) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, one(id));
        self.client.send(request).await.map(drop)
    }

    /// One page of the connections the caller may read.
    ///
    /// # Errors
    ///
    /// Refused (400) if the cursor is not one of this list.
    pub async fn get_connections(self, query: &PageQuery) -> Result<ConnectionCollection, Error> {
        let request = Request::get(Path::new(ALL)).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(ConnectionCollection::NAME)
    }

    /// All connections the caller may read.
    pub fn list(self) -> Pages<Connection> {
        Pages::new::<ConnectionCollection>(self.client, Path::new(ALL), Vec::new())
    }
}

const ALL: &str = "/v1/connections";
const ONE: &str = "a connection";

fn one(id: &ConnectionId) -> Path {
    Path::new(ALL).id(id.as_str())
}

impl Page for ConnectionCollection {
    type Item = Connection;
    const NAME: &'static str = "a list of connections";

    fn into_parts(self) -> (Vec<Connection>, Option<Pagination>) {
        (self.connections, self.pagination)
    }
}

impl Pages<Connection> {
    /// Only connections with this text in their id, name, issuer, client or labels, in any case.
    pub fn filter(self, filter: impl Into<String>) -> Self {
        self.parameter("filter", filter.into())
    }
}
