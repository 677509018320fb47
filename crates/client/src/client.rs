//! The client: where the server is, who calls, and how patient to be.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::access_records::AccessRecords;
use crate::access_requests::AccessRequests;
use crate::accounts::Accounts;
use crate::applications::Applications;
use crate::connections::Connections;
use crate::credentials::Credentials;
use crate::error::{ConfigurationError, Error};
use crate::events::Events;
use crate::extensions::Extensions;
use crate::groups::Groups;
use crate::invites::Invites;
use crate::resource_permissions::ResourcePermissions;
use crate::roles::Roles;
use crate::server::Server;
use crate::service_clients::ServiceClients;
use crate::tenants::Tenants;
use crate::transport::{self, Answer, Request};
use crate::user_permissions::UserPermissions;
use crate::user_tokens::UserTokens;
use crate::users::Users;
use crate::verifier::TokenVerifier;
use crate::webhooks::Webhooks;

/// How long a call may take in all.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest that can be set, so that no clock overflows: a year.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(365 * 24);
/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection is kept without a request: less than the 60 seconds after which common
/// proxies close it, and our server's 75. A write that is sent into a closing connection has an
/// unknown outcome.
const IDLE: Duration = Duration::from_secs(45);
/// How often a request is sent again.
const RETRIES: u32 = 3;
/// Bytes of an answer: a page of 20 records of 100 KB, and room for what is around them.
const ANSWER_LIMIT: usize = 8 * 1024 * 1024;

/// A client of one server, for one caller.
///
/// Cheap to clone; clones share connections, the signed token and the [revision](Client::revision).
/// It needs a Tokio runtime.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use std::time::Duration;
///
/// let patient = Client::builder(server.url(), Credentials::access_key(server.owner_key())?)
///     .timeout(Duration::from_mins(1))
///     .retries(5)
///     .user_agent("my-app/1.2")
///     .build()?;
/// patient.accounts().get_accounts().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Shared>);

pub(crate) struct Shared {
    /// The URL of the server without a slash at its end.
    pub(crate) base: String,
    pub(crate) credentials: Credentials,
    pub(crate) http: reqwest::Client,
    pub(crate) settings: Settings,
    /// The highest revision seen and one more; 0 for none.
    seen: Arc<AtomicU64>,
}

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) timeout: Duration,
    pub(crate) retries: u32,
    pub(crate) answer_limit: usize,
    connect_timeout: Duration,
    user_agent: String,
}

impl Shared {
    pub(crate) fn revision(&self) -> Option<u64> {
        self.seen.load(Ordering::Acquire).checked_sub(1)
    }

    pub(crate) fn saw(&self, revision: u64) {
        self.seen
            .fetch_max(revision.saturating_add(1), Ordering::AcqRel);
    }
}

impl Client {
    /// A client with the usual time limits: [`Client::builder`] has the rest.
    ///
    /// `url` is `http://…` or `https://…`, perhaps with a port and a path under which the server is
    /// reached. With `http` whoever is in between can read the tokens that are sent, a proxy that the
    /// environment names (`HTTP_PROXY`) too.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if the URL is not one of these.
    pub fn new(url: &str, credentials: Credentials) -> Result<Self, Error> {
        Self::builder(url, credentials).build()
    }

    /// A client with other time limits.
    pub fn builder(url: &str, credentials: Credentials) -> Builder {
        Builder {
            url: url.to_owned(),
            credentials,
            settings: Settings {
                timeout: TIMEOUT,
                retries: RETRIES,
                answer_limit: ANSWER_LIMIT,
                connect_timeout: CONNECT_TIMEOUT,
                user_agent: concat!("guestlist-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            },
        }
    }

    /// A client of the same server for another caller. The two share connections and the
    /// [revision](Self::revision), so that one reads what the other has written.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use guestlist_client::{Client, Credentials};
    /// # let server = guestlist_server::testing::TestServer::start().await?;
    /// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
    /// # let token_of_bob = server.token("bob")?;
    /// let bob = client.with_credentials(Credentials::token(token_of_bob));
    /// bob.accounts().get_accounts().await?;
    /// assert_eq!(bob.revision(), client.revision());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_credentials(&self, credentials: Credentials) -> Self {
        Self(Arc::new(Shared {
            base: self.0.base.clone(),
            credentials,
            http: self.0.http.clone(),
            settings: self.0.settings.clone(),
            seen: Arc::clone(&self.0.seen),
        }))
    }

    /// Invites: access for somebody who has no account yet.
    pub fn invites(&self) -> Invites<'_> {
        Invites { client: self }
    }

    /// Access records: who has which roles on which resources.
    pub fn access_records(&self) -> AccessRecords<'_> {
        AccessRecords { client: self }
    }

    /// Roles: named lists of permissions.
    pub fn roles(&self) -> Roles<'_> {
        Roles { client: self }
    }

    /// Access requests: somebody asks for access, somebody else says yes or no.
    pub fn access_requests(&self) -> AccessRequests<'_> {
        AccessRequests { client: self }
    }

    /// Groups of users.
    pub fn groups(&self) -> Groups<'_> {
        Groups { client: self }
    }

    /// Service clients and their access keys.
    pub fn service_clients(&self) -> ServiceClients<'_> {
        ServiceClients { client: self }
    }

    /// Tokens that service clients make for users.
    pub fn user_tokens(&self) -> UserTokens<'_> {
        UserTokens { client: self }
    }

    /// Applications: what users sign in to.
    pub fn applications(&self) -> Applications<'_> {
        Applications { client: self }
    }

    /// Extensions: applications of third parties, each with a service client.
    pub fn extensions(&self) -> Extensions<'_> {
        Extensions { client: self }
    }

    /// Connections: identity providers by which users sign in.
    pub fn connections(&self) -> Connections<'_> {
        Connections { client: self }
    }

    /// Tenants: partitions of users.
    pub fn tenants(&self) -> Tenants<'_> {
        Tenants { client: self }
    }

    /// The account and its linked token issuers.
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts { client: self }
    }

    /// What users may do.
    pub fn user_permissions(&self) -> UserPermissions<'_> {
        UserPermissions { client: self }
    }

    /// The users that are known.
    pub fn users(&self) -> Users<'_> {
        Users { client: self }
    }

    /// Who may do something with a resource.
    pub fn resource_permissions(&self) -> ResourcePermissions<'_> {
        ResourcePermissions { client: self }
    }

    /// The event log: what changed, when and by whom. Only our server has it.
    pub fn events(&self) -> Events<'_> {
        Events { client: self }
    }

    /// Webhooks: URLs to which events are sent. Only our server has them.
    pub fn webhooks(&self) -> Webhooks<'_> {
        Webhooks { client: self }
    }

    /// What the server says of itself: its health, its keys, its description.
    pub fn server(&self) -> Server<'_> {
        Server { client: self }
    }

    /// Verifies tokens that callers send to an application. Make it once and keep it, or clones of
    /// it: each that is made here asks for keys of its own.
    pub fn verifier(&self) -> TokenVerifier {
        TokenVerifier::new(self.clone())
    }

    /// The URL of the server, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.0.base
    }

    /// Who calls.
    pub fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    /// The newest change that the server has told of, `Guestlist-Revision`; `None` as long as it has
    /// told of none, and for servers that never do.
    ///
    /// Whatever this client reads later is at least as new: reads carry `Guestlist-Min-Revision`.
    pub fn revision(&self) -> Option<u64> {
        self.0.revision()
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.0.settings.timeout
    }

    pub(crate) async fn send(&self, request: Request) -> Result<Answer, Error> {
        transport::send(&self.0, request).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("url", &self.0.base)
            .field("credentials", &self.0.credentials)
            .finish_non_exhaustive()
    }
}

/// A client that is being put together.
#[derive(Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct Builder {
    url: String,
    credentials: Credentials,
    settings: Settings,
}

impl Builder {
    /// How long a call may take in all, with everything that is sent again and the waiting in
    /// between: 30 seconds unless set, a year at most.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// How long making a connection may take: 5 seconds unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// How often a request is sent again at most, where that is safe: 3 times unless set.
    ///
    /// Sent again are, after a growing random wait and not before the server's `Retry-After`: any
    /// request if there was no connection, or if the server says that nothing was done (429, and 503
    /// with such a code); reads, and the creation of invites (which has an idempotency key), also if
    /// the connection broke or the server failed. Other writes whose outcome is not known are never
    /// sent again: see [`Error::outcome_unknown`].
    pub fn retries(mut self, retries: u32) -> Self {
        self.settings.retries = retries;
        self
    }

    /// How many bytes an answer may have: 8 MiB unless set.
    pub fn answer_limit(mut self, bytes: usize) -> Self {
        self.settings.answer_limit = bytes;
        self
    }

    /// What to send as `User-Agent`: this crate and its version unless set.
    pub fn user_agent(mut self, user_agent: &str) -> Self {
        user_agent.clone_into(&mut self.settings.user_agent);
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if the URL is not `http://…` or `https://…` with a host, has a user,
    /// a query or a fragment, or if the user agent is not visible ASCII.
    pub fn build(self) -> Result<Client, Error> {
        let base = base(&self.url)?;
        let settings = self.settings;
        let http = reqwest::Client::builder()
            .user_agent(settings.user_agent.as_str())
            .connect_timeout(settings.connect_timeout.min(settings.timeout))
            .pool_idle_timeout(IDLE)
            // Credentials go nowhere but to the server that was named.
            .redirect(reqwest::redirect::Policy::none())
            // retries.rs alone says what is sent again.
            .retry(reqwest::retry::never())
            .referer(false)
            .build()
            .map_err(|_| {
                ConfigurationError::new(
                    "connections cannot be set up: the user agent must be visible ASCII, and the \
                     system must have a store of trusted certificates",
                )
            })?;
        Ok(Client(Arc::new(Shared {
            base,
            credentials: self.credentials,
            http,
            settings,
            seen: Arc::default(),
        })))
    }
}

fn base(url: &str) -> Result<String, ConfigurationError> {
    let malformed = || {
        ConfigurationError::new(
            "the URL of the server must be http://… or https://…, without a user, a query or a \
             fragment",
        )
    };
    let parsed = reqwest::Url::parse(url.trim()).map_err(|_| malformed())?;
    let plain = matches!(parsed.scheme(), "http" | "https")
        && parsed.has_host()
        && parsed.username().is_empty()
        && parsed.password().is_none()
        && parsed.query().is_none()
        && parsed.fragment().is_none();
    if plain {
        Ok(parsed.as_str().trim_end_matches('/').to_owned())
    } else {
        Err(malformed())
    }
}
