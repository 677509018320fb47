//! Access requests (contract §1.2).

use guestlist_api::access_requests::{
    AccessRequest, AccessRequestAnswer, AccessRequestCollection, AccessRequestResponse,
    AccessRequestStatus, NewAccessRequest,
};
use guestlist_api::ids::RequestId;
use guestlist_api::paging::Pagination;
use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::pages::{Page, PageQuery, Pages};
use crate::paths::Path;
use crate::transport::Request;

/// The operations on access requests. From [`Client::access_requests`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// # let bob = client.with_credentials(Credentials::token(server.token("bob")?));
/// use guestlist_client::api::access_requests::{AccessRequestAnswer, NewAccessRequest};
/// use guestlist_client::api::ids::UserId;
/// use guestlist_client::api::records::Statement;
///
/// let who: UserId = "bob".parse()?;
/// let wanted = Statement::new(["Authress:ReadResource"], ["projects/7"])?;
/// let asked = bob.access_requests().create_request(&NewAccessRequest::new(who, [wanted])?).await?;
///
/// // Somebody who may give it says yes.
/// let requests = client.access_requests();
/// requests.respond_to_access_request(&asked.request_id, AccessRequestAnswer::Approved).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct AccessRequests<'a> {
    pub(crate) client: &'a Client,
}

impl AccessRequests<'_> {
    /// Asks for access. Everybody may ask for themself.
    ///
    /// # Errors
    ///
    /// Refused (422 `NotAskable`) if a role is not there, or if it is for others and the caller could
    /// not give it to them; (422 `TooManyOpenRequests`) if a person has 100 that nobody has answered;
    /// (429) if a person asks too often.
    pub async fn create_request(self, request: &NewAccessRequest) -> Result<AccessRequest, Error> {
        let request = Request::new(Method::POST, Path::new(ALL)).body(request)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// One page of the requests the caller may read: their own, and others with the permission.
    ///
    /// # Errors
    ///
    /// Refused (400) if the cursor is not one of this list.
    pub async fn get_requests(
        self,
        status: Option<AccessRequestStatus>,
        query: &PageQuery,
    ) -> Result<AccessRequestCollection, Error> {
        let mut parameters = query.parameters();
        parameters.extend(status.map(|status| ("status", word(status).to_owned())));
        let request = Request::get(Path::new(ALL)).query(&parameters);
        self.client
            .send(request)
            .await?
            .decode(AccessRequestCollection::NAME)
    }

    /// All requests the caller may read.
    pub fn list(self) -> Pages<AccessRequest> {
        Pages::new::<AccessRequestCollection>(self.client, Path::new(ALL), Vec::new())
    }

    /// Reads a request, answered and deleted ones too.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none, or the caller may not know of it.
    pub async fn get_request(self, id: &RequestId) -> Result<AccessRequest, Error> {
        self.client.send(Request::get(one(id))).await?.decode(ONE)
    }

    /// Approves or denies a request. Its first answer stands; the same answer again changes nothing.
    ///
    /// What is approved is given in a record of its own, under the caller's authority at that moment.
    ///
    /// # Errors
    ///
    /// Refused (403 `InsufficientGrantAccess`) if the caller may not give what they approve; (409
    /// `AnsweredOtherwise`) if it was answered otherwise; (422 `NotAskable`) if a role is gone.
    pub async fn respond_to_access_request(
        self,
        id: &RequestId,
        status: AccessRequestAnswer,
    ) -> Result<AccessRequest, Error> {
        let request =
            Request::new(Method::PATCH, one(id)).body(&AccessRequestResponse { status })?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Takes a request back. What was approved stays given.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn delete_request(self, id: &RequestId) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, one(id));
        self.client.send(request).await.map(drop)
    }
}

const ALL: &str = "/v1/requests";
const ONE: &str = "an access request";

fn one(id: &RequestId) -> Path {
    Path::new(ALL).id(id.as_str())
}

const fn word(status: AccessRequestStatus) -> &'static str {
    match status {
        AccessRequestStatus::Open => "OPEN",
        AccessRequestStatus::Approved => "APPROVED",
        AccessRequestStatus::Denied => "DENIED",
        AccessRequestStatus::Deleted => "DELETED",
    }
}

impl Page for AccessRequestCollection {
    type Item = AccessRequest;
    const NAME: &'static str = "a list of access requests";

    fn into_parts(self) -> (Vec<AccessRequest>, Option<Pagination>) {
        (self.records, self.pagination)
    }
}

impl Pages<AccessRequest> {
    /// Only requests in this state; all but deleted ones unless said.
    pub fn status(self, status: AccessRequestStatus) -> Self {
        self.parameter("status", word(status).to_owned())
    }
}
