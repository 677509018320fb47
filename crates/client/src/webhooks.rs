//! Webhooks: URLs to which events are sent. Only our server has them.

use guestlist_api::ids::WebhookId;
use guestlist_api::paging::Pagination;
use guestlist_api::webhooks::{
    CreatedWebhook, Delivery, DeliveryCollection, RotatedWebhookSecret, Webhook, WebhookCollection,
    WebhookReplay, WebhookRequest,
};
use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::pages::{Page, PageQuery, Pages};
use crate::paths::Path;
use crate::transport::Request;

/// The operations on webhooks. From [`Client::webhooks`]. What arrives is verified with
/// [`verify_webhook`](crate::verify_webhook).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use guestlist_client::api::text::Bounded;
/// use guestlist_client::api::webhooks::WebhookRequest;
///
/// let mut shop = WebhookRequest::new("https://shop.example/guestlist".parse()?);
/// shop.event_types = Bounded::new(vec!["invite.*".parse()?])?;
/// # shop.enabled = Some(false);
/// let made = client.webhooks().create_webhook(&shop).await?;
/// // Keep it: it is never answered again.
/// let secret = made.secret.reveal();
/// # assert!(secret.starts_with("whsec_"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Webhooks<'a> {
    pub(crate) client: &'a Client,
}

impl Webhooks<'_> {
    /// Makes a webhook, and tells its secret this once.
    ///
    /// # Errors
    ///
    /// Refused (403) without `CREATE` on `Authress:Webhooks` and `READ` on `Authress:Events`; (400)
    /// for a URL that may not be reached; (422 `TooManyWebhooks`) if there are twenty.
    pub async fn create_webhook(self, webhook: &WebhookRequest) -> Result<CreatedWebhook, Error> {
        let request = Request::new(Method::POST, Path::new(ALL)).body(webhook)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Reads a webhook, without its secret.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn get_webhook(self, id: &WebhookId) -> Result<Webhook, Error> {
        self.client.send(Request::get(one(id))).await?.decode(ONE)
    }

    /// Puts this in the place of all that is said of a webhook. Its secret and its place in the log
    /// stay. The last write wins.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none; (403) if events are to be sent that were not, and the caller
    /// may not read them.
    pub async fn update_webhook(
        self,
        id: &WebhookId,
        webhook: &WebhookRequest,
    ) -> Result<Webhook, Error> {
        let request = Request::new(Method::PUT, one(id)).body(webhook)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Deletes a webhook: nothing is sent any more.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn delete_webhook(self, id: &WebhookId) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, one(id));
        self.client.send(request).await.map(drop)
    }

    /// Gives a webhook another secret, which is told this once. The one before it signs beside it for
    /// 24 hours.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn rotate_secret(self, id: &WebhookId) -> Result<RotatedWebhookSecret, Error> {
        let request = Request::new(Method::POST, one(id).then("secret"));
        self.client.send(request).await?.decode("a secret")
    }

    /// The last attempts, newest first, and how far it is.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn get_deliveries(self, id: &WebhookId) -> Result<DeliveryCollection, Error> {
        let request = Request::get(one(id).then("deliveries"));
        self.client
            .send(request)
            .await?
            .decode("a list of deliveries")
    }

    /// Goes on with the first event after this revision: 0 sends all of them again, the newest
    /// revision passes over those there are.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none; (400) for a revision that is not there yet; (403) without
    /// `READ` on `Authress:Events`.
    pub async fn replay(self, id: &WebhookId, after: u64) -> Result<(), Error> {
        let request = Request::new(Method::POST, one(id).then("replay"));
        let request = request.body(&WebhookReplay { after })?;
        self.client.send(request).await.map(drop)
    }

    /// Sends a test event, enabled or not, and tells what became of it: up to 10 seconds.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none; (503 `Busy`) while another test is under way.
    pub async fn test(self, id: &WebhookId) -> Result<Delivery, Error> {
        let request = Request::new(Method::POST, one(id).then("test"));
        self.client.send(request).await?.decode("a delivery")
    }

    /// One page of the webhooks the caller may read.
    ///
    /// # Errors
    ///
    /// Refused (400) if the cursor is not one of this list.
    pub async fn get_webhooks(self, query: &PageQuery) -> Result<WebhookCollection, Error> {
        let request = Request::get(Path::new(ALL)).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(WebhookCollection::NAME)
    }

    /// All webhooks the caller may read.
    pub fn list(self) -> Pages<Webhook> {
        Pages::new::<WebhookCollection>(self.client, Path::new(ALL), Vec::new())
    }
}

const ALL: &str = "/v1/webhooks";
const ONE: &str = "a webhook";

fn one(id: &WebhookId) -> Path {
    Path::new(ALL).id(id.as_str())
}

impl Page for WebhookCollection {
    type Item = Webhook;
    const NAME: &'static str = "a list of webhooks";

    fn into_parts(self) -> (Vec<Webhook>, Option<Pagination>) {
        (self.webhooks, self.pagination)
    }
}

impl Pages<Webhook> {
    /// Only webhooks with this text in their id, URL or description, in any case.
    pub fn filter(self, filter: impl Into<String>) -> Self {
        self.parameter("filter", filter.into())
    }
}
