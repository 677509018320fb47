//! What the server says of itself: its health, its keys, its description.

use std::fmt;

use guestlist_api::ids::{ClientId, UserId};
use http::Method;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::Error;
use crate::keys::JsonWebKeySet;
use crate::paths::Path;
use crate::transport::Request;
use crate::verifier::OpenIdConfiguration;

/// The server's own operations. From [`Client::server`].
///
/// All are public but none is part of the Authress API, except discovery and keys: other servers do
/// not have them. No credentials are sent.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// let ready = client.server().get_readiness().await?;
/// println!("{} at revision {:?}", ready.status, ready.revision);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Server<'a> {
    pub(crate) client: &'a Client,
}

/// The state of the server.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Health {
    /// `ok` or `ready`.
    pub status: String,
    /// The newest change it has taken in.
    #[serde(default)]
    pub revision: Option<u64>,
    /// When it was asked whether it is ready, of several nodes: seconds since it last knew that it
    /// misses no change of another.
    #[serde(default)]
    pub confirmed_seconds_ago: Option<f64>,
}

/// A token that a server in development makes for anybody.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DevelopmentToken {
    /// The token: a secret.
    pub access_token: String,
    /// Seconds until it ends.
    pub expires_in: u64,
}

/// Without the token.
impl fmt::Debug for DevelopmentToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DevelopmentToken")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenRequest<'a> {
    user_id: &'a UserId,
}

impl Server<'_> {
    /// Whether the process answers.
    ///
    /// # Errors
    ///
    /// If it does not.
    pub async fn get_health(self) -> Result<Health, Error> {
        self.get("/healthz", "the health of a server").await
    }

    /// Whether it can take requests: it can write, and is not ending.
    ///
    /// # Errors
    ///
    /// Refused (503) if it cannot.
    pub async fn get_readiness(self) -> Result<Health, Error> {
        self.get("/readyz", "the readiness of a server").await
    }

    /// Its metrics in the text format of Prometheus.
    ///
    /// # Errors
    ///
    /// If there is no answer.
    pub async fn get_metrics(self) -> Result<String, Error> {
        self.get_text("/metrics", "a text of metrics").await
    }

    /// The description of its interface: OpenAPI 3.1 in JSON.
    ///
    /// # Errors
    ///
    /// If there is no answer.
    pub async fn get_open_api(self) -> Result<String, Error> {
        self.get_text("/openapi.json", "an OpenAPI description")
            .await
    }

    /// Its issuer, and where its keys are.
    ///
    /// # Errors
    ///
    /// If there is no answer.
    pub async fn get_open_id_configuration(self) -> Result<OpenIdConfiguration, Error> {
        self.get(
            "/.well-known/openid-configuration",
            "an OpenID configuration",
        )
        .await
    }

    /// The keys that verify tokens of users.
    ///
    /// # Errors
    ///
    /// If there is no answer.
    pub async fn get_user_token_keys(self) -> Result<JsonWebKeySet, Error> {
        self.get("/.well-known/openid-configuration/jwks", "a key set")
            .await
    }

    /// The keys that verify tokens of a service client; none if there is no such client.
    ///
    /// # Errors
    ///
    /// If there is no answer.
    pub async fn get_client_token_keys(self, id: &ClientId) -> Result<JsonWebKeySet, Error> {
        let path = Path::new("/v1/clients")
            .id(id.as_str())
            .then(".well-known/openid-configuration/jwks");
        let request = Request::get(path).without_credentials();
        self.client.send(request).await?.decode("a key set")
    }

    /// Makes a token of any user. Only servers in development do.
    ///
    /// # Errors
    ///
    /// Refused (404 `NoSuchPath`) if it is not in development.
    pub async fn create_development_token(self, user: &UserId) -> Result<DevelopmentToken, Error> {
        let request = Request::new(Method::POST, Path::new("/v1/dev/tokens"))
            .without_credentials()
            .body(&TokenRequest { user_id: user })?;
        self.client.send(request).await?.decode("a token")
    }

    async fn get<T: serde::de::DeserializeOwned>(
        self,
        path: &str,
        expected: &'static str,
    ) -> Result<T, Error> {
        let request = Request::get(Path::new(path)).without_credentials();
        self.client.send(request).await?.decode(expected)
    }

    async fn get_text(self, path: &str, expected: &'static str) -> Result<String, Error> {
        let request = Request::get(Path::new(path)).without_credentials();
        self.client.send(request).await?.text(expected)
    }
}
