//! Extensions with their applications and service clients (contract §1.7).

use guestlist_api::extensions::{Extension, ExtensionCollection, ExtensionRequest};
use guestlist_api::ids::ExtensionId;
use guestlist_api::oauth::{OAuthTokenRequest, OAuthTokenResponse};
use guestlist_api::paging::Pagination;
use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::pages::{Page, PageQuery, Pages};
use crate::paths::Path;
use crate::transport::Request;

/// The operations on extensions. From [`Client::extensions`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use guestlist_client::api::clients::AccessKeyRequest;
/// use guestlist_client::api::extensions::ExtensionRequest;
/// use guestlist_client::api::text::Name;
///
/// let weather = ExtensionRequest::new()
///     .name(Name::parse("Weather")?)
///     .redirect_url("https://weather.example".parse()?);
/// let weather = client.extensions().create_extension(&weather).await?;
/// // Its service client is one like any other, and needs a key to call.
/// let machine = weather.client.ok_or("extensions have a client")?;
/// let key = client
///     .service_clients()
///     .request_access_key(&machine.client_id, &AccessKeyRequest::new())
///     .await?;
/// # assert!(key.access_key.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Extensions<'a> {
    pub(crate) client: &'a Client,
}

impl Extensions<'_> {
    /// Makes an extension with its application and its service client.
    ///
    /// # Errors
    ///
    /// Refused (403) without `CREATE` on `Authress:Extensions`.
    pub async fn create_extension(self, extension: &ExtensionRequest) -> Result<Extension, Error> {
        let request = Request::new(Method::POST, Path::new(ALL)).body(extension)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Reads an extension.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn get_extension(self, id: &ExtensionId) -> Result<Extension, Error> {
        self.client.send(Request::get(one(id))).await?.decode(ONE)
    }

    /// Puts this in the place of all that is said of an extension, of its application's URLs and of
    /// its client's rate limits. The last write wins.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none, or if there are rate limits and its client was deleted.
    pub async fn update_extension(
        self,
        id: &ExtensionId,
        extension: &ExtensionRequest,
    ) -> Result<Extension, Error> {
        let request = Request::new(Method::PUT, one(id)).body(extension)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Deletes an extension with its application, its service client and the client's keys.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none; (409 `LastOwner`) if its client is the last owner.
    pub async fn delete_extension(self, id: &ExtensionId) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, one(id));
        self.client.send(request).await.map(drop)
    }

    /// A token of a service client for its access key, from the server. [`Credentials::access_key`]
    /// does without: it signs by itself and sends no secret. This is for handing a token to a program
    /// that cannot.
    ///
    /// [`Credentials::access_key`]: crate::Credentials::access_key
    ///
    /// # Errors
    ///
    /// Refused (401) if the client or the secret is wrong, or access keys must not be sent there;
    /// (501) for another grant than `client_credentials`.
    pub async fn request_token(
        self,
        request: &OAuthTokenRequest,
    ) -> Result<OAuthTokenResponse, Error> {
        let path = Path::new("/api/authentication/oauth/tokens");
        let request = Request::new(Method::POST, path).body(request)?;
        self.client.send(request).await?.decode("a token")
    }

    /// One page of the extensions the caller may read.
    ///
    /// # Errors
    ///
    /// Refused (400) if the cursor is not one of this list.
    pub async fn get_extensions(self, query: &PageQuery) -> Result<ExtensionCollection, Error> {
        let request = Request::get(Path::new(ALL)).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(ExtensionCollection::NAME)
    }

    /// All extensions the caller may read.
    pub fn list(self) -> Pages<Extension> {
        Pages::new::<ExtensionCollection>(self.client, Path::new(ALL), Vec::new())
    }
}

const ALL: &str = "/v1/extensions";
const ONE: &str = "an extension";

fn one(id: &ExtensionId) -> Path {
    Path::new(ALL).id(id.as_str())
}

impl Page for ExtensionCollection {
    type Item = Extension;
    const NAME: &'static str = "a list of extensions";

    fn into_parts(self) -> (Vec<Extension>, Option<Pagination>) {
        (self.extensions, self.pagination)
    }
}

impl Pages<Extension> {
    /// Only extensions with this text in their id, name, application, client or labels, in any case.
    pub fn filter(self, filter: impl Into<String>) -> Self {
        self.parameter("filter", filter.into())
    }
}
