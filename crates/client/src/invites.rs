//! Invites (contract §1.3).

use guestlist_api::access_requests::AccessRequest;
use guestlist_api::accounts::Account;
use guestlist_api::ids::InviteId;
use guestlist_api::invites::{Invite, InviteRequest};
use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::paths::Path;
use crate::transport::Request;

/// What comes of accepting an invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// What the invite holds was given, or was before. The account, if the server says it.
    Given(Option<Account>),
    /// Nothing was given yet: somebody else must approve this.
    AwaitsApproval(Box<AccessRequest>),
}

/// The operations on invites. From [`Client::invites`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use guestlist_client::api::invites::{InviteRequest, InviteStatement};
///
/// let editor = InviteStatement::new(["ro_editor"], ["projects/42"])?;
/// let invite = client
///     .invites()
///     .create_invite(&InviteRequest::new().statement(editor))
///     .await?;
/// // The id is a secret: it goes to the invited person, and is printed as its reference.
/// println!("made {}", invite.invite_id);
/// let link = format!("https://app.example/invites/{}", invite.invite_id.reveal());
///
/// let bob = Client::new(server.url(), Credentials::token(server.token("bob")?))?;
/// bob.invites().respond_to_invite(&invite.invite_id).await?;
/// # drop(link);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Invites<'a> {
    pub(crate) client: &'a Client,
}

impl Invites<'_> {
    /// Makes an invite.
    ///
    /// The answer is the only place where its id can be read; whoever has the id can accept.
    ///
    /// An idempotency key is made and sent along, so that the request can be repeated without making
    /// two invites. Other servers than ours may not know such keys: there, a repeated request can
    /// leave an invite whose id nobody has, and which expires unused.
    ///
    /// # Errors
    ///
    /// Refused (403) if it would give more than the caller may give.
    pub async fn create_invite(self, invite: &InviteRequest) -> Result<Invite, Error> {
        self.create_invite_once(invite, &fresh_key()?).await
    }

    /// The same with an idempotency key of the caller: 1 to 255 visible ASCII characters. For 24
    /// hours the same key and the same invite get the first answer, also in another process.
    ///
    /// # Errors
    ///
    /// Refused (422 `IdempotencyKeyReused`) if the key was used for another invite; (409
    /// `InviteRenewed`) if the invite that it made has another id since.
    pub async fn create_invite_once(
        self,
        invite: &InviteRequest,
        idempotency_key: &str,
    ) -> Result<Invite, Error> {
        let request = Request::new(Method::POST, Path::new("/v1/invites"))
            .body(invite)?
            .idempotent(idempotency_key)?;
        self.client.send(request).await?.decode("an invite")
    }

    /// Reads an invite that can still be used.
    ///
    /// # Errors
    ///
    /// Refused (404) if it was used, withdrawn, or has expired; the error code says which.
    pub async fn get_invite(self, id: &InviteId) -> Result<Invite, Error> {
        let request = Self::one(Method::GET, id);
        self.client.send(request).await?.decode("an invite")
    }

    /// Accepts an invite for the user whose token the caller sends. The account is `None` if the
    /// server does not say it, as for an invite that must be approved first: of that,
    /// [`accept_invite`](Self::accept_invite) tells.
    ///
    /// # Errors
    ///
    /// Refused (404) if it cannot be used any more; (403 `InviteNoLongerValid`) if whoever made it
    /// may no longer give what it holds; (403 `InvalidInviteAcceptor`) if the caller is a service
    /// client.
    pub async fn respond_to_invite(self, id: &InviteId) -> Result<Option<Account>, Error> {
        match self.accept_invite(id).await? {
            Accepted::Given(account) => Ok(account),
            Accepted::AwaitsApproval(_) => Ok(None),
        }
    }

    /// The same, and tells what came of it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use guestlist_client::{Client, Credentials};
    /// # let server = guestlist_server::testing::TestServer::start().await?;
    /// # let owner = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
    /// use guestlist_client::api::access_requests::AccessRequestAnswer;
    /// use guestlist_client::api::invites::{InviteRequest, InviteStatement};
    /// use guestlist_client::Accepted;
    ///
    /// let editor = InviteStatement::new(["Authress:ReadResource"], ["projects/42"])?;
    /// let invite = InviteRequest::new().statement(editor).approval_required();
    /// let invite = owner.invites().create_invite(&invite).await?;
    ///
    /// let bob = Client::new(server.url(), Credentials::token(server.token("bob")?))?;
    /// if let Accepted::AwaitsApproval(request) = bob.invites().accept_invite(&invite.invite_id).await? {
    ///     let id = request.request_id;
    ///     // Somebody else, who may give it, says yes.
    ///     let requests = owner.access_requests();
    ///     requests.respond_to_access_request(&id, AccessRequestAnswer::Approved).await?;
    /// }
    /// # assert!(matches!(bob.invites().accept_invite(&invite.invite_id).await?, Accepted::Given(_)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As those of [`respond_to_invite`](Self::respond_to_invite). Refused (404 `ApprovalPending`)
    /// if somebody else accepted it, which waits for approval.
    pub async fn accept_invite(self, id: &InviteId) -> Result<Accepted, Error> {
        let answer = self.client.send(Self::one(Method::PATCH, id)).await?;
        if answer.is_only_accepted() {
            let request = answer.decode("an access request")?;
            return Ok(Accepted::AwaitsApproval(Box::new(request)));
        }
        answer.decode_any("an account").map(Accepted::Given)
    }

    /// Withdraws an invite. Access that it gave stays.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is no such invite.
    pub async fn delete_invite(self, id: &InviteId) -> Result<(), Error> {
        let request = Self::one(Method::DELETE, id);
        self.client.send(request).await.map(drop)
    }

    fn one(method: Method, id: &InviteId) -> Request {
        Request::new(method, Path::new("/v1/invites").id(id.reveal())).secret(id.reveal())
    }
}

/// An idempotency key that nobody has.
pub(crate) fn fresh_key() -> Result<String, Error> {
    Ok(format!("{:016x}{:016x}", random()?, random()?))
}

fn random() -> Result<u64, Error> {
    getrandom::u64().map_err(|_| {
        crate::error::ConfigurationError::new("the system gives no random numbers").into()
    })
}
