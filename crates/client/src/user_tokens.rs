//! Tokens that service clients make for users (contract §1.14).

use guestlist_api::ids::{UserId, UserTokenId};
use guestlist_api::user_tokens::{TokenRequest, UserToken, UserTokenConfiguration};
use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::paths::Path;
use crate::transport::Request;

/// The operations on tokens of users. From [`Client::user_tokens`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let owner = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use guestlist_client::api::clients::{AccessKeyRequest, ClientOptions, ClientRequest};
/// use guestlist_client::api::invites::InviteStatement;
/// use guestlist_client::api::user_tokens::TokenRequest;
///
/// // A service client to which this power was given.
/// let maker = ClientRequest::new().options(ClientOptions {
///     grant_token_generation: true,
///     ..ClientOptions::default()
/// });
/// let clients = owner.service_clients();
/// let maker = clients.create_client(&maker).await?.client_id;
/// let key = clients.request_access_key(&maker, &AccessKeyRequest::new()).await?;
/// let key = key.access_key.ok_or("the server made the key")?;
/// let maker = Client::new(owner.url(), Credentials::access_key(key.reveal())?)?;
///
/// // Whoever has this token may ask what Alice may do on one project, and nothing else.
/// let limits = InviteStatement::new(["ro_viewer"], ["projects/42"])?;
/// let alice = "alice".parse()?;
/// let token = maker
///     .user_tokens()
///     .request_user_token(&alice, &TokenRequest::new([limits])?)
///     .await?;
/// let bearer = owner.with_credentials(Credentials::token(token.token.reveal()));
/// let (project, read) = ("projects/42".parse()?, "documents:read".parse()?);
/// bearer.user_permissions().is_allowed(&alice, &project, &read).await?;
/// maker.user_tokens().disable_user_token(&alice, &token.token_id).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct UserTokens<'a> {
    pub(crate) client: &'a Client,
}

impl UserTokens<'_> {
    /// Makes a token for a user. It is told once.
    ///
    /// # Errors
    ///
    /// Refused (403) for all but service clients with `grantTokenGeneration`; (400) for a role that
    /// does not exist, or a time that is too far; (413) if the token would be too long.
    pub async fn request_user_token(
        self,
        user: &UserId,
        request: &TokenRequest,
    ) -> Result<UserToken, Error> {
        let request = Request::new(Method::POST, one(user).then("tokens")).body(request)?;
        self.client.send(request).await?.decode("a token")
    }

    /// Disables a token: it is refused from the next request on.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none, or it is disabled already.
    pub async fn disable_user_token(self, user: &UserId, token: &UserTokenId) -> Result<(), Error> {
        let path = one(user).then("tokens").id(token.as_str());
        let request = Request::new(Method::DELETE, path);
        self.client.send(request).await.map(drop)
    }

    /// Says what the tokens say that are made for a user from now on.
    ///
    /// # Errors
    ///
    /// Refused (403, 404) without `UPDATE` on `Authress:Users/{userId}`.
    pub async fn set_user_token_configuration(
        self,
        user: &UserId,
        configuration: &UserTokenConfiguration,
    ) -> Result<UserTokenConfiguration, Error> {
        let path = one(user).then("token-configuration");
        let request = Request::new(Method::PUT, path).body(configuration)?;
        let answer = self.client.send(request).await?;
        answer.decode("what the tokens of a user say")
    }
}

fn one(user: &UserId) -> Path {
    Path::new("/v1/users").id(user.as_str())
}
