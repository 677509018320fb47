//! What can go wrong with a call, told apart by what the caller can do about it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use guestlist_api::problems::Problem;

/// Why a call gave no answer.
///
/// No variant prints a token, an access key or the id of an invite.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use guestlist_client::Error;
///
/// match client.roles().get_role(&"ro_nobody_made".parse()?).await {
///     Ok(role) => println!("{}", role.name),
///     Err(error) if error.is_not_found() => println!("there is no such role"),
///     Err(Error::Refused(refusal)) => {
///         println!("{} ({:?})", refusal.title(), refusal.error_code());
///     }
///     Err(error) if error.outcome_unknown() => println!("read it again before repeating"),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server said no.
    #[error(transparent)]
    Refused(Refusal),
    /// No answer arrived.
    #[error(transparent)]
    Transport(TransportError),
    /// An answer arrived that is not what it must be. What was asked for has been done.
    #[error(transparent)]
    Decoding(DecodingError),
    /// There is no usable token to send.
    #[error(transparent)]
    Credentials(CredentialsError),
    /// The client, or what it was asked to send, is not usable. Nothing was sent.
    #[error(transparent)]
    Configuration(ConfigurationError),
    /// The server's event log ends before what was read of it.
    #[error(transparent)]
    LostEvents(LostEvents),
}

impl Error {
    /// The refusal, if the server said no.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Transport(_)
            | Self::Decoding(_)
            | Self::Credentials(_)
            | Self::Configuration(_)
            | Self::LostEvents(_) => None,
        }
    }

    /// The HTTP status, if the server said no.
    pub fn status(&self) -> Option<u16> {
        self.refusal().map(|refusal| refusal.status)
    }

    /// The stable code of the refusal, if the server said no and gave one.
    pub fn error_code(&self) -> Option<&str> {
        self.refusal().and_then(Refusal::error_code)
    }

    /// Whether the server says that it is not there, or that the caller may not know (404). For a
    /// permission check this is "no".
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// Whether the time was up before there was an answer.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Transport(error) if error.is_timeout())
    }

    /// Whether a change may or may not have been made: read it again before repeating it.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.outcome_unknown(),
            Self::Transport(error) => error.outcome_unknown(),
            Self::Decoding(_)
            | Self::Credentials(_)
            | Self::Configuration(_)
            | Self::LostEvents(_) => false,
        }
    }
}

/// The server said no: an answer with a status other than 2xx.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The body, if it was one (contract §4.1). Other servers than ours leave members out.
    pub problem: Option<Box<Problem>>,
    /// How long to wait before trying again, if the server says so (RFC 9110 §10.2.3).
    pub retry_after: Option<Duration>,
    /// The id of the request, to find it in the server's log.
    pub request_id: Option<String>,
    pub(crate) changes: bool,
}

/// Codes with which a server that fails says that it changed nothing.
const NOTHING_DONE: [&str; 5] = [
    "Busy",
    "StorageUnavailable",
    "StorageFull",
    "NotImplemented",
    "ShuttingDown",
];

impl Refusal {
    /// A stable code for programs.
    pub fn error_code(&self) -> Option<&str> {
        let code = self.problem.as_ref()?.error_code.as_str();
        (!code.is_empty()).then_some(code)
    }

    /// One sentence for a person.
    pub fn title(&self) -> &str {
        let title = self.problem.as_ref().map(|problem| problem.title.as_str());
        match title {
            Some(title) if !title.is_empty() => title,
            Some(_) | None => by_status(self.status),
        }
    }

    /// The offending member of the request, if the server names one.
    pub fn path(&self) -> Option<&str> {
        self.problem.as_ref()?.path.as_deref()
    }

    /// Whether the server says that it did nothing, so that the same request may be sent again.
    pub(crate) fn says_nothing_was_done(&self) -> bool {
        self.status == 429
            || self
                .error_code()
                .is_some_and(|code| NOTHING_DONE.contains(&code))
    }

    /// Whether a change may or may not have been made: the server failed without saying that it
    /// did nothing.
    pub fn outcome_unknown(&self) -> bool {
        self.changes && self.status >= 500 && !self.says_nothing_was_done()
    }
}

/// What a status means where the server says nothing more.
const fn by_status(status: u16) -> &'static str {
    match status {
        300..=399 => {
            "the server redirects elsewhere; credentials are not sent along: use the address it \
             redirects to"
        }
        400 => "the request is not what it must be",
        401 => "the credentials are missing or not valid",
        402 => "the account's plan does not allow this",
        403 => "this is not allowed",
        404 => "there is no such thing, or you may not know of it",
        409 => "it exists already, or changed meanwhile",
        412 => "it changed since it was read",
        413 => "the request is too large",
        429 => "too many requests: wait before trying again",
        502..=504 => "the server cannot be reached at this moment",
        500 | 501 | 505..=599 => "the server failed",
        _ => "the server refused without a reason",
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (status {}", self.title(), self.status)?;
        if let Some(code) = self.error_code() {
            write!(formatter, ", {code}")?;
        }
        if let Some(id) = &self.request_id {
            write!(formatter, ", request {id}")?;
        }
        formatter.write_str(")")?;
        if self.outcome_unknown() {
            formatter.write_str(UNKNOWN)?;
        }
        Ok(())
    }
}

impl StdError for Refusal {}

const UNKNOWN: &str = "; whether the change was made is not known: read it again before repeating";

/// No answer arrived.
#[derive(Debug)]
pub struct TransportError {
    pub(crate) reason: NoAnswer,
    pub(crate) timed_out: bool,
    /// Whether the request was one that changes something.
    pub(crate) changes: bool,
    pub(crate) source: Option<reqwest::Error>,
}

/// How far a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// There was no connection, so the server has seen nothing.
    NotConnected,
    /// The connection ended, or the time was up, before the whole answer was there.
    Interrupted,
    /// The answer is longer than it may be.
    TooLarge,
}

impl TransportError {
    /// Whether the time was up.
    pub fn is_timeout(&self) -> bool {
        self.timed_out
    }

    /// Whether no connection could be made, so that the server has seen nothing.
    pub fn is_connect(&self) -> bool {
        self.reason == NoAnswer::NotConnected
    }

    /// Whether the answer was longer than [`Builder::answer_limit`](crate::Builder::answer_limit).
    pub fn is_too_large(&self) -> bool {
        self.reason == NoAnswer::TooLarge
    }

    /// Whether a change may or may not have been made: read it again before repeating it.
    pub fn outcome_unknown(&self) -> bool {
        self.changes && !self.is_connect()
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match (self.reason, self.timed_out) {
            (NoAnswer::NotConnected, true) => "no connection to the server in time",
            (NoAnswer::NotConnected, false) => "no connection to the server",
            (NoAnswer::Interrupted, true) => "no answer of the server in time",
            (NoAnswer::Interrupted, false) => "the connection ended before the answer",
            (NoAnswer::TooLarge, _) => "the answer of the server is too large",
        })?;
        if self.outcome_unknown() {
            formatter.write_str(UNKNOWN)?;
        }
        Ok(())
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_ref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

/// An answer that is not what it must be. Nothing of it is kept, because it may hold a secret.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the answer of the server is not {expected}{}", at(.member.as_deref()))]
pub struct DecodingError {
    pub(crate) expected: &'static str,
    pub(crate) member: Option<String>,
}

fn at(member: Option<&str>) -> String {
    member
        .map(|member| format!(": {member} is missing or not what it must be"))
        .unwrap_or_default()
}

impl DecodingError {
    /// What was expected: "an invite".
    pub fn expected(&self) -> &str {
        self.expected
    }

    /// The member that could not be read: `statements[0].roles`.
    pub fn member(&self) -> Option<&str> {
        self.member.as_deref()
    }
}

/// There is no usable token to send.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct CredentialsError {
    pub(crate) reason: &'static str,
    #[source]
    pub(crate) source: Option<Box<dyn StdError + Send + Sync>>,
}

impl From<CredentialsError> for Error {
    fn from(error: CredentialsError) -> Self {
        Self::Credentials(error)
    }
}

impl CredentialsError {
    pub(crate) const fn new(reason: &'static str) -> Self {
        Self {
            reason,
            source: None,
        }
    }
}

/// The server's event log ends before what was read of it: the server was restored from a backup,
/// and revisions stand for other changes now.
///
/// Read again what was learned from the events, and go on after `last_revision`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the server's event log ends at revision {last_revision}, but {after} was read before: the \
     server was restored from a backup; read anew what you keep, and go on after {last_revision}"
)]
#[non_exhaustive]
pub struct LostEvents {
    /// The last revision that was read.
    pub after: u64,
    /// The last revision that the server has.
    pub last_revision: u64,
}

/// The client, or what it was asked to send, is not usable. Nothing was sent.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct ConfigurationError {
    pub(crate) reason: String,
}

impl ConfigurationError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

impl From<ConfigurationError> for Error {
    fn from(error: ConfigurationError) -> Self {
        Self::Configuration(error)
    }
}
