//! Applications that users sign in to (contract §1.5).

use guestlist_api::applications::{Application, ApplicationCollection, ApplicationRequest};
use guestlist_api::ids::ApplicationId;
use guestlist_api::paging::Pagination;
use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::pages::{Page, PageQuery, Pages};
use crate::paths::Path;
use crate::transport::Request;

/// The operations on applications. From [`Client::applications`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use guestlist_client::api::applications::ApplicationRequest;
///
/// let shop = ApplicationRequest::new("Shop")?.redirect_url("https://shop.example".parse()?);
/// let shop = client.applications().create_application(&shop).await?;
/// assert!(shop.application_id.as_str().starts_with("app_"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Applications<'a> {
    pub(crate) client: &'a Client,
}

impl Applications<'_> {
    /// Makes an application.
    ///
    /// # Errors
    ///
    /// Refused (403) without `CREATE` on `Authress:Applications`.
    pub async fn create_application(
        self,
        application: &ApplicationRequest,
    ) -> Result<Application, Error> {
        let request = Request::new(Method::POST, Path::new(ALL)).body(application)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Reads an application.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn get_application(self, id: &ApplicationId) -> Result<Application, Error> {
        self.client.send(Request::get(one(id))).await?.decode(ONE)
    }

    /// Puts this in the place of all that is said of an application. The last write wins.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn update_application(
        self,
        id: &ApplicationId,
        application: &ApplicationRequest,
    ) -> Result<Application, Error> {
        let request = Request::new(Method::PUT, one(id)).body(application)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Deletes an application.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none; (409 `ApplicationInUse`) if it belongs to an extension.
    pub async fn delete_application(self, id: &ApplicationId) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, one(id));
        self.client.send(request).await.map(drop)
    }

    /// One page of the applications the caller may read.
    ///
    /// # Errors
    ///
    /// Refused (400) if the cursor is not one of this list.
    pub async fn get_applications(self, query: &PageQuery) -> Result<ApplicationCollection, Error> {
        let request = Request::get(Path::new(ALL)).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(ApplicationCollection::NAME)
    }

    /// All applications the caller may read.
    pub fn list(self) -> Pages<Application> {
        Pages::new::<ApplicationCollection>(self.client, Path::new(ALL), Vec::new())
    }
}

const ALL: &str = "/v1/applications";
const ONE: &str = "an application";

fn one(id: &ApplicationId) -> Path {
    Path::new(ALL).id(id.as_str())
}

impl Page for ApplicationCollection {
    type Item = Application;
    const NAME: &'static str = "a list of applications";

    fn into_parts(self) -> (Vec<Application>, Option<Pagination>) {
        (self.applications, self.pagination)
    }
}

impl Pages<Application> {
    /// Only applications with this text in their id, name, redirect URLs or labels, in any case.
    pub fn filter(self, filter: impl Into<String>) -> Self {
        self.parameter("filter", filter.into())
    }
}
