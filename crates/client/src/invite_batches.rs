//! Batches of invites: extensions of ours.

use guestlist_api::invite_batches::{InviteBatch, InviteBatchRequest};
use http::Method;
use serde::Serialize;

use crate::error::Error;
use crate::invites::{Invites, fresh_key};
use crate::paths::Path;
use crate::transport::Request;

const BATCH: &str = "/v1/invites/batch";

impl Invites<'_> {
    /// Makes 1 to 1,000 invites by one request: as many as can be made, or all or none.
    ///
    /// The answer tells what became of each, and is the only place where their ids can be read. An
    /// idempotency key is made and sent along, so that the request can be repeated without inviting
    /// anybody twice. The answer to a thousand can take seconds: see
    /// [`Builder::timeout`](crate::Builder::timeout).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use guestlist_client::{Client, Credentials};
    /// # let server = guestlist_server::testing::TestServer::start().await?;
    /// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
    /// use guestlist_client::api::invite_batches::{BatchMode, BatchOutcome, InviteBatchRequest};
    /// use guestlist_client::api::invite_terms::Invitee;
    /// use guestlist_client::api::invites::{InviteRequest, InviteStatement};
    /// use guestlist_client::api::text::Bounded;
    ///
    /// let editor = InviteStatement::new(["ro_editor"], ["projects/42"])?;
    /// let mut invites = Vec::new();
    /// for address in ["ann@example.com", "bob@example.com"] {
    ///     let invite = InviteRequest::new().statement(editor.clone());
    ///     invites.push(invite.invitee(Invitee::Email(address.parse()?)));
    /// }
    /// let batch = InviteBatchRequest {
    ///     mode: BatchMode::BestEffort,
    ///     invites: Bounded::new(invites)?,
    /// };
    /// let made = client.invites().create_invites(&batch).await?;
    /// for result in &made.results {
    ///     match &result.outcome {
    ///         BatchOutcome::Invite(invite) => println!("{}: {}", result.row, invite.invite_id),
    ///         BatchOutcome::Refusal(refusal) => println!("{}: {}", result.row, refusal.title),
    ///         BatchOutcome::Effect(_) => {}
    ///     }
    /// }
    /// assert_eq!((made.accepted, made.refused), (2, 0));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Refused (422 `BatchRefused`) if all were to be made and some cannot be; which and why is in the
    /// problem's `refused_rows`.
    pub async fn create_invites<T: Serialize>(
        self,
        batch: &InviteBatchRequest<T>,
    ) -> Result<InviteBatch, Error> {
        self.create_invites_once(batch, &fresh_key()?).await
    }

    /// The same with an idempotency key of the caller: 1 to 255 visible ASCII characters. For 24
    /// hours the same key and the same batch get the same invites; rows that were refused are judged
    /// again.
    ///
    /// # Errors
    ///
    /// Refused (422 `IdempotencyKeyReused`) if the key was used for something else.
    pub async fn create_invites_once<T: Serialize>(
        self,
        batch: &InviteBatchRequest<T>,
        idempotency_key: &str,
    ) -> Result<InviteBatch, Error> {
        let request = Request::new(Method::POST, Path::new(BATCH))
            .body(batch)?
            .idempotent(idempotency_key)?;
        self.client
            .send(request)
            .await?
            .decode("a batch of invites")
    }

    /// What each invite of a batch would do, without making any.
    ///
    /// # Errors
    ///
    /// Refused (400) if it is no batch. What is refused of single invites is in the answer.
    pub async fn try_invites<T: Serialize>(
        self,
        batch: &InviteBatchRequest<T>,
    ) -> Result<InviteBatch, Error> {
        let request = Request::new(Method::POST, Path::new(BATCH)).body(batch)?;
        let request = request.query(&[("dryRun", "true".to_owned())]);
        self.client
            .send(request)
            .await?
            .decode("a batch of invites")
    }
}
