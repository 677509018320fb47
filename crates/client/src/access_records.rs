//! Access records and claims (contract §1.1).

use guestlist_api::claims::ClaimRequest;
use guestlist_api::ids::RecordId;
use guestlist_api::paging::Pagination;
use guestlist_api::records::{
    AccessRecord, AccessRecordCollection, AccessRecordRequest, RecordStatus,
};
use guestlist_api::times::Timestamp;
use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::pages::{Page, PageQuery, Pages, Parameters};
use crate::paths::Path;
use crate::transport::{IF_UNMODIFIED_SINCE, Request};

/// The operations on access records. From [`Client::access_records`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use guestlist_client::api::ids::UserId;
/// use guestlist_client::api::records::{AccessRecordRequest, Statement};
///
/// let records = client.access_records();
/// let editors = Statement::new(["ro_editor"], ["projects/42", "projects/43"])?;
/// let bob: UserId = "bob".parse()?;
/// let made = records
///     .create_record(&AccessRecordRequest::new("Editors", [editors])?.user(bob))
///     .await?;
///
/// // Changed only if nobody else has changed it meanwhile.
/// let carol: UserId = "carol".parse()?;
/// let changed = made.to_request()?.user(carol);
/// records
///     .update_record(&made.record_id, &changed, made.last_updated)
///     .await?;
///
/// let mut all = records.list().filter("editors");
/// while let Some(record) = all.try_next().await? {
///     println!("{}: {}", record.record_id, record.name);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct AccessRecords<'a> {
    pub(crate) client: &'a Client,
}

/// Which page of the records to get.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct RecordQuery {
    page: PageQuery,
    status: Option<RecordStatus>,
}

impl RecordQuery {
    /// The first page of the records that are in force.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records of this status.
    pub fn status(mut self, status: RecordStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Items of the page at most: 1 to 20.
    pub fn limit(mut self, limit: u16) -> Self {
        self.page = self.page.limit(limit);
        self
    }

    /// The page after the one that answered this cursor.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.page = self.page.cursor(cursor);
        self
    }

    /// Only records with this text in their id, name or other text, in any case.
    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.page = self.page.filter(filter);
        self
    }

    fn parameters(&self) -> Parameters {
        let mut parameters = self.page.parameters();
        if let Some(status) = self.status {
            parameters.push(("status", word(status).to_owned()));
        }
        parameters
    }
}

const fn word(status: RecordStatus) -> &'static str {
    match status {
        RecordStatus::Active => "ACTIVE",
        RecordStatus::Deleted => "DELETED",
    }
}

impl AccessRecords<'_> {
    /// Claims a resource that is nobody's: the caller owns it then, by the built-in owner role.
    ///
    /// # Errors
    ///
    /// Refused (409 `AlreadyClaimed`) if somebody has access to it or to something below it, the caller
    /// included if they claimed it; (403) if the collection is not configured for claims.
    pub async fn create_claim(self, claim: &ClaimRequest) -> Result<(), Error> {
        let request = Request::new(Method::POST, Path::new("/v1/claims")).body(claim)?;
        self.client.send(request).await.map(drop)
    }

    /// Makes a record. The id of a deleted one can be taken again.
    ///
    /// # Errors
    ///
    /// Refused (409 `AccessRecordAlreadyExists`) if there is a record with its id; (403) if it would
    /// give more than the caller may give.
    pub async fn create_record(self, record: &AccessRecordRequest) -> Result<AccessRecord, Error> {
        let request = Request::new(Method::POST, Path::new(RECORDS)).body(record)?;
        self.client.send(request).await?.decode(RECORD)
    }

    /// Reads a record, a deleted one too.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn get_record(self, id: &RecordId) -> Result<AccessRecord, Error> {
        let request = Request::get(one(id));
        self.client.send(request).await?.decode(RECORD)
    }

    /// Puts this in the place of the whole record. It answers nothing: read the record again for its
    /// new `last_updated`.
    ///
    /// With the `last_updated` that was read as `expected`, a record that changed meanwhile is not
    /// overwritten.
    ///
    /// # Errors
    ///
    /// Refused (412 `PreconditionFailed`) if it changed since `expected`; (403) if it would give more
    /// than the caller may give.
    pub async fn update_record(
        self,
        id: &RecordId,
        record: &AccessRecordRequest,
        expected: Option<Timestamp>,
    ) -> Result<(), Error> {
        let mut request = Request::new(Method::PUT, one(id)).body(record)?;
        if let Some(expected) = expected {
            request = request.header(IF_UNMODIFIED_SINCE, &expected.to_string())?;
        }
        self.client.send(request).await.map(drop)
    }

    /// Deletes a record: it grants nothing from then on, and can still be read.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none; (409 `LastOwner`) if nobody would be left who owns the account.
    pub async fn delete_record(self, id: &RecordId) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, one(id));
        self.client.send(request).await.map(drop)
    }

    /// One page of the records the caller may read.
    ///
    /// # Errors
    ///
    /// Refused (400) if the cursor is not one of this list.
    pub async fn get_records(self, query: &RecordQuery) -> Result<AccessRecordCollection, Error> {
        let request = Request::get(Path::new(RECORDS)).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(AccessRecordCollection::NAME)
    }

    /// All records the caller may read: those in force, unless [`Pages::status`] says otherwise.
    pub fn list(self) -> Pages<AccessRecord> {
        Pages::new::<AccessRecordCollection>(self.client, Path::new(RECORDS), Vec::new())
    }
}

const RECORDS: &str = "/v1/records";
const RECORD: &str = "an access record";

fn one(id: &RecordId) -> Path {
    Path::new(RECORDS).id(id.as_str())
}

impl Page for AccessRecordCollection {
    type Item = AccessRecord;
    const NAME: &'static str = "a list of access records";

    fn into_parts(self) -> (Vec<AccessRecord>, Option<Pagination>) {
        (self.records, self.pagination)
    }
}

impl Pages<AccessRecord> {
    /// Only records with this text in their id, name or other text, in any case.
    pub fn filter(self, filter: impl Into<String>) -> Self {
        self.parameter("filter", filter.into())
    }

    /// Records of this status.
    pub fn status(self, status: RecordStatus) -> Self {
        self.parameter("status", word(status).to_owned())
    }
}
