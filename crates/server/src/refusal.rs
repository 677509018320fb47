//! Every "no" on its way out: the only place that chooses a status code, and the words a caller gets.
//!
//! What the caller is told and what the log is told are different types, so that the inside of the
//! server cannot slip out. `docs/API.md` has the same table for readers.

mod headers;
mod nouns;
mod token;

use std::fmt;

use bytes::Bytes;
use guestlist_api::invite_batches::RefusedRow;
use guestlist_api::problems::Problem;
use guestlist_rules::refusals::{Approver, InviteUnusable, Noun, Refusal as Rule};
use guestlist_store::StoreError;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

use self::nouns::{not_found, taken};
pub use self::token::NoToken;
use crate::access_keys::NotMade;
use crate::answer::NotWritable;
use crate::caller::NotIdentified;
use crate::cursors::NotSealed;
use crate::edge_error::EdgeError;
use crate::entropy::NoEntropy;
use crate::invite_budget::UsedUp;
use crate::panics::Panicked;
use crate::paths::MalformedPath;
use crate::query::MalformedQuery;
use crate::rate::RetryAfter;
use crate::sealing;
use crate::user_token_key::CannotSign;

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub enum Refusal {
    /// A rule says no.
    Rule(Rule),
    /// The request is not one that can be read.
    Edge(EdgeError),
    /// A value in the path or the query is not what it must be.
    Malformed {
        place: String,
        reason: String,
    },
    /// Nobody knows who asks.
    NotIdentified(NotIdentified),
    /// The token endpoint makes no token.
    NoToken(NoToken),
    /// This node has not taken in the revision that the request names.
    NotReached {
        wanted: u64,
        newest: u64,
    },
    /// This node does not know whether it misses what other nodes wrote.
    Stale {
        seconds: u64,
    },
    /// There is no such path.
    NoSuchPath,
    /// The path has other methods.
    NoSuchMethod(Vec<Method>),
    /// The hosted API has it and this server does not yet.
    NotBuilt(&'static str),
    /// A cursor that was not made for this caller and list.
    BadCursor,
    /// Too many failed attempts.
    TooMany {
        seconds: u64,
    },
    /// A person made too many access requests or claims.
    TooManyMade {
        seconds: u64,
    },
    /// Too many people were invited.
    TooManyInvited(UsedUp),
    /// The service client has made as many requests as its rate limit allows.
    RateLimited {
        seconds: u64,
    },
    /// Rows of a batch that is made as a whole or not at all.
    BatchRefused(Vec<RefusedRow>),
    /// What the decision rested on kept changing.
    Busy,
    /// Too much for one request: part of it is done, and the same request goes on with the rest.
    Unfinished,
    /// A token issuer did not answer, or is not one that may be asked.
    Issuer {
        reason: String,
    },
    /// The server is about to end.
    Draining,
    Store(StoreError),
    Entropy(NoEntropy),
    NotWritable(NotWritable),
    CannotSign(CannotSign),
    /// A defect: the handler panicked.
    Panicked(Panicked),
    NotSealed(NotSealed),
    NotEncrypted(sealing::NotSealed),
}

macro_rules! from {
    ($($error:ty => $variant:ident),* $(,)?) => {$(
        impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self::$variant(error.into())
            }
        }
    )*};
}

from! {
    Rule => Rule,
    EdgeError => Edge,
    NotIdentified => NotIdentified,
    NoToken => NoToken,
    StoreError => Store,
    NoEntropy => Entropy,
    NotWritable => NotWritable,
    CannotSign => CannotSign,
    NotSealed => NotSealed,
    sealing::NotSealed => NotEncrypted,
    MalformedPath => Edge,
    MalformedQuery => Edge,
}

impl From<RetryAfter> for Refusal {
    fn from(wait: RetryAfter) -> Self {
        Self::RateLimited {
            seconds: wait.seconds(),
        }
    }
}

impl From<NotMade> for Refusal {
    fn from(reason: NotMade) -> Self {
        match reason {
            NotMade::NoEntropy(error) => Self::Entropy(error),
            NotMade::Malformed(reason) => Self::malformed("publicKey", reason),
        }
    }
}

/// What a caller is told: nothing of the inside.
pub struct ForCaller {
    pub status: StatusCode,
    pub code: &'static str,
    pub title: String,
    pub path: Option<String>,
}

impl ForCaller {
    fn new(status: StatusCode, code: &'static str, title: impl Into<String>) -> Self {
        Self {
            status,
            code,
            title: title.into(),
            path: None,
        }
    }

    fn at(self, path: impl Into<String>) -> Self {
        Self {
            path: Some(path.into()),
            ..self
        }
    }
}

/// What the log is told: the whole chain of causes.
pub struct ForLog<'a>(&'a Refusal);

/// Seconds after which a client whose rate limit is used up may ask again, however long it has to
/// wait.
const LONGEST_RETRY_AFTER: u64 = 60;

const BAD_REQUEST: &str = "InvalidRequest";

impl Refusal {
    pub fn malformed(place: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self::Malformed {
            place: place.into(),
            reason: reason.to_string(),
        }
    }

    pub fn for_log(&self) -> ForLog<'_> {
        ForLog(self)
    }

    /// Whether the fault is the server's, so that its log says so loudly.
    pub fn is_fault(&self) -> bool {
        match self {
            Self::Store(_)
            | Self::Entropy(_)
            | Self::NotWritable(_)
            | Self::CannotSign(_)
            | Self::NotSealed(_)
            | Self::NotEncrypted(_)
            | Self::Panicked(_) => true,
            Self::Rule(rule) => matches!(rule, Rule::Unreadable(_)),
            Self::Edge(_)
            | Self::Malformed { .. }
            | Self::NotIdentified(_)
            | Self::NoToken(_)
            | Self::NotReached { .. }
            | Self::Stale { .. }
            | Self::NoSuchPath
            | Self::NoSuchMethod(_)
            | Self::NotBuilt(_)
            | Self::BadCursor
            | Self::TooMany { .. }
            | Self::TooManyMade { .. }
            | Self::TooManyInvited(_)
            | Self::RateLimited { .. }
            | Self::BatchRefused(_)
            | Self::Busy
            | Self::Unfinished
            | Self::Issuer { .. }
            | Self::Draining => false,
        }
    }

    /// The table.
    #[expect(
        clippy::too_many_lines,
        reason = "a table with an entry for each refusal"
    )]
    pub fn for_caller(&self) -> ForCaller {
        use StatusCode as S;
        match self {
            Self::Rule(rule) => rule_for_caller(rule),
            Self::Edge(edge) => edge_for_caller(edge),
            Self::Malformed { place, reason } => ForCaller::new(
                S::BAD_REQUEST,
                BAD_REQUEST,
                format!("InvalidRequest: {place}: {reason}"),
            )
            .at(place),
            Self::NotIdentified(_) => ForCaller::new(
                S::UNAUTHORIZED,
                "Unauthorized",
                "The request has no valid credentials. Send Authorization: Bearer with a token of \
                 a linked issuer or of a service client that has not expired.",
            ),
            Self::NoToken(refused) => refused.for_caller(),
            Self::NotReached { wanted, newest } => ForCaller::new(
                S::SERVICE_UNAVAILABLE,
                "RevisionNotReached",
                format!(
                    "This node has come to revision {newest}, not yet to {wanted}. Nothing was \
                     done; ask again, or another node."
                ),
            ),
            Self::Stale { seconds } => ForCaller::new(
                S::SERVICE_UNAVAILABLE,
                "NotUpToDate",
                format!(
                    "For {seconds} seconds this node has not known whether it misses changes of \
                     others. Ask another one."
                ),
            ),
            Self::NoSuchPath => {
                ForCaller::new(S::NOT_FOUND, "NoSuchPath", "There is nothing at this path.")
            }
            Self::NoSuchMethod(_) => ForCaller::new(
                S::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "This path has other methods; Allow lists them.",
            ),
            Self::NotBuilt(what) => ForCaller::new(
                S::NOT_IMPLEMENTED,
                "NotImplemented",
                format!("Guestlist does not have {what} yet. Nothing was done."),
            ),
            Self::BadCursor => bad_cursor(),
            Self::TooMany { seconds } => ForCaller::new(
                S::TOO_MANY_REQUESTS,
                "TooManyRequests",
                format!("Too many failed requests. Try again in {seconds} seconds."),
            ),
            Self::TooManyMade { seconds } => ForCaller::new(
                S::TOO_MANY_REQUESTS,
                "TooManyRequests",
                format!(
                    "Too many access requests or claims were made. Try again in {seconds} seconds."
                ),
            ),
            // One text for all of the budgets: whom others invited is not for the caller to know.
            Self::TooManyInvited(used_up) => ForCaller::new(
                S::TOO_MANY_REQUESTS,
                "TooManyRequests",
                format!(
                    "Too many people were invited. Nothing was made; try again in {} seconds.",
                    used_up.seconds
                ),
            ),
            Self::RateLimited { seconds } => ForCaller::new(
                S::TOO_MANY_REQUESTS,
                "TooManyRequests",
                format!(
                    "The service client has made as many requests as its rate limit allows. It may \
                     go on in {seconds} seconds."
                ),
            ),
            Self::BatchRefused(rows) => ForCaller::new(
                S::UNPROCESSABLE_ENTITY,
                "BatchRefused",
                format!(
                    "{} of the invites cannot be made, so none was; refusedRows says which and why.",
                    rows.len()
                ),
            ),
            Self::Busy => ForCaller::new(
                S::SERVICE_UNAVAILABLE,
                "Busy",
                "Others kept changing what this request needs. Nothing was done; try again.",
            ),
            Self::Unfinished => ForCaller::new(
                S::SERVICE_UNAVAILABLE,
                "Unfinished",
                "Part of this is done, and the rest is not. Send the same request again to go on.",
            ),
            Self::Issuer { reason } => ForCaller::new(
                S::BAD_REQUEST,
                "IssuerNotUsable",
                format!("The issuer cannot be linked: {reason}"),
            ),
            Self::Draining => ForCaller::new(
                S::SERVICE_UNAVAILABLE,
                "ShuttingDown",
                "The server is shutting down. Nothing was done; try again.",
            ),
            Self::Store(error) => store_for_caller(error),
            Self::Entropy(_)
            | Self::NotWritable(_)
            | Self::CannotSign(_)
            | Self::NotSealed(_)
            | Self::NotEncrypted(_)
            | Self::Panicked(_) => internal(),
        }
    }

    /// The rows of a batch for which all of it is refused.
    fn token_error(&self) -> Option<String> {
        if let Self::NoToken(refused) = self {
            Some(refused.error().to_owned())
        } else {
            None
        }
    }

    fn refused_rows(&self) -> &[RefusedRow] {
        if let Self::BatchRefused(rows) = self {
            rows
        } else {
            &[]
        }
    }

    /// The answer.
    pub fn into_response(self, request_id: &str) -> Response<Full<Bytes>> {
        let told = self.for_caller();
        let problem = Problem {
            kind: format!("/problems/{}", told.code),
            title: told.title,
            status: told.status.as_u16(),
            error_code: told.code.to_owned(),
            error_id: request_id.to_owned(),
            detail: None,
            error: self.token_error(),
            path: told.path,
            refused_rows: self.refused_rows().to_vec(),
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = told.status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers::insert(&self, headers);
        response
    }
}

fn bad_cursor() -> ForCaller {
    ForCaller::new(
        StatusCode::BAD_REQUEST,
        BAD_REQUEST,
        "InvalidRequest: cursor: is not one that this list gave to this caller; begin without a \
         cursor",
    )
    .at("cursor")
}

fn edge_for_caller(edge: &EdgeError) -> ForCaller {
    use StatusCode as S;
    let invalid = |text: String| {
        ForCaller::new(
            S::BAD_REQUEST,
            BAD_REQUEST,
            format!("InvalidRequest: {text}"),
        )
    };
    let with = |status, code| ForCaller::new(status, code, sentence(&edge.to_string()));
    match edge {
        EdgeError::MalformedJson(malformed) => {
            let told = invalid(edge.to_string());
            if malformed.path.is_empty() {
                told
            } else {
                told.at(&malformed.path)
            }
        }
        EdgeError::MalformedPath(_)
        | EdgeError::AmbiguousPath
        | EdgeError::BadHost(_)
        | EdgeError::BadTarget
        | EdgeError::BodyIncomplete
        | EdgeError::MalformedQuery(_) => invalid(edge.to_string()),
        EdgeError::UriTooLong { .. } => with(S::URI_TOO_LONG, "UriTooLong"),
        EdgeError::HeadersTooLarge { .. } => {
            with(S::REQUEST_HEADER_FIELDS_TOO_LARGE, "HeadersTooLarge")
        }
        EdgeError::UnknownExpectation => with(S::EXPECTATION_FAILED, "UnknownExpectation"),
        EdgeError::BodyTooLarge { .. } => with(S::PAYLOAD_TOO_LARGE, "TooLarge"),
        EdgeError::BodyTimeout { .. } => with(S::REQUEST_TIMEOUT, "BodyTimeout"),
        EdgeError::UnsupportedEncoding => {
            with(S::UNSUPPORTED_MEDIA_TYPE, "UnsupportedContentEncoding")
        }
        EdgeError::TooManyRequests(_) => with(S::TOO_MANY_REQUESTS, "TooManyRequests"),
    }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}

impl fmt::Display for ForLog<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source: &dyn std::error::Error = match self.0 {
            Refusal::Edge(error) => error,
            Refusal::NotIdentified(error)
            | Refusal::NoToken(NoToken::Client { reason: error, .. }) => error,
            Refusal::Store(error) => error,
            Refusal::Entropy(error) => error,
            Refusal::NotWritable(error) => error,
            Refusal::CannotSign(error) => error,
            Refusal::Panicked(panicked) => {
                return write!(formatter, "panicked: {}", panicked.message());
            }
            Refusal::NotSealed(error) => error,
            Refusal::NotEncrypted(error) => error,
            Refusal::Rule(Rule::Unreadable(document)) => &document.0,
            told @ (Refusal::Rule(_)
            | Refusal::NoToken(_)
            | Refusal::NotReached { .. }
            | Refusal::Stale { .. }
            | Refusal::Malformed { .. }
            | Refusal::NoSuchPath
            | Refusal::NoSuchMethod(_)
            | Refusal::NotBuilt(_)
            | Refusal::BadCursor
            | Refusal::TooMany { .. }
            | Refusal::TooManyMade { .. }
            | Refusal::TooManyInvited(_)
            | Refusal::RateLimited { .. }
            | Refusal::BatchRefused(_)
            | Refusal::Busy
            | Refusal::Unfinished
            | Refusal::Issuer { .. }
            | Refusal::Draining) => return formatter.write_str(&told.for_caller().title),
        };
        write!(formatter, "{source}")?;
        let mut cause = source.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

fn internal() -> ForCaller {
    ForCaller::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "InternalError",
        "Something went wrong in the server. Tell its operator the errorId; the log has the rest.",
    )
}

#[expect(
    clippy::too_many_lines,
    reason = "one table, one arm for each way to refuse"
)]
fn rule_for_caller(rule: &Rule) -> ForCaller {
    use StatusCode as S;
    match rule {
        Rule::NotFound(noun) => not_found(*noun),
        Rule::Forbidden { needs } => ForCaller::new(
            S::FORBIDDEN,
            "Forbidden",
            format!("The caller may not do this. It needs {needs}."),
        ),
        // The title is the published one; which permission is missing would tell what roles hold.
        Rule::InsufficientGrantAccess => ForCaller::new(
            S::FORBIDDEN,
            "InsufficientGrantAccess",
            "User does not have sufficient access to grant permissions to resources",
        ),
        Rule::Invalid { path, reason } => ForCaller::new(
            S::BAD_REQUEST,
            BAD_REQUEST,
            format!("InvalidRequest: {path}: {reason}"),
        )
        .at(path),
        Rule::NotAskable { path, reason } => ForCaller::new(
            S::UNPROCESSABLE_ENTITY,
            "NotAskable",
            format!("This cannot be asked for: {path}: {reason}"),
        )
        .at(path),
        Rule::TooManyOpenRequests => ForCaller::new(
            S::UNPROCESSABLE_ENTITY,
            "TooManyOpenRequests",
            "The caller has a hundred access requests that nobody has answered, the most there can \
             be. Take one back first.",
        ),
        Rule::AnsweredOtherwise => ForCaller::new(
            S::CONFLICT,
            "AnsweredOtherwise",
            "The access request was answered otherwise before, and that stands. What was approved \
             is taken away by changing the access record.",
        ),
        Rule::SecondPersonRequired(approver) => ForCaller::new(
            S::FORBIDDEN,
            "SecondPersonRequired",
            match approver {
                Approver::Invited => {
                    "Somebody else than whoever accepted the invite must approve it."
                }
                Approver::Inviter => {
                    "The account wants that somebody else than whoever made the invite approves \
                     what it holds."
                }
                Approver::Program => {
                    "The account wants that a second person approves what the invite holds: a user, \
                     not a service client. Ask somebody who signs in to approve it."
                }
            },
        ),
        Rule::NothingToApprove(reason) => ForCaller::new(
            S::CONFLICT,
            "NothingToApprove",
            format!(
                "The invite that this belongs to does not wait for approval any more ({}). Nothing \
                 was given.",
                unusable_code(*reason)
            ),
        ),
        Rule::Taken(noun) => taken(*noun),
        Rule::AlreadyClaimed => ForCaller::new(
            S::CONFLICT,
            "AlreadyClaimed",
            "Somebody has access to this resource, or to something below it, already. Choose \
             another one, or ask who has it.",
        ),
        Rule::Outdated => ForCaller::new(
            S::PRECONDITION_FAILED,
            "PreconditionFailed",
            "It changed since it was read. Read it again, apply the change to that, and send its \
             lastUpdated.",
        ),
        Rule::TooLarge { reason } => ForCaller::new(
            S::PAYLOAD_TOO_LARGE,
            "TooLarge",
            format!("Too large: {reason}."),
        ),
        Rule::BuiltInRole => ForCaller::new(
            S::FORBIDDEN,
            "BuiltInRole",
            "Built-in roles cannot be changed or deleted. Make a role of your own instead.",
        ),
        Rule::TooManyKeys => ForCaller::new(
            S::UNPROCESSABLE_ENTITY,
            "TooManyAccessKeys",
            "The client has five access keys, the most there can be. Delete one first.",
        ),
        Rule::TooManyWebhooks => ForCaller::new(
            S::UNPROCESSABLE_ENTITY,
            "TooManyWebhooks",
            "The account has twenty webhooks, the most there can be. Delete one first.",
        ),
        Rule::InviteUnusable(reason) => ForCaller {
            code: unusable_code(*reason),
            ..not_found(Noun::Invite)
        },
        Rule::InviteNotForYou { expected } => ForCaller::new(
            S::FORBIDDEN,
            "InviteNotForYou",
            format!(
                "This invite is for {expected}. Sign in as that, or ask whoever invited you for \
                 another. It was not used."
            ),
        ),
        Rule::InviteSuspended => ForCaller::new(
            S::FORBIDDEN,
            "InviteNoLongerValid",
            "Whoever made this invite may no longer give what it holds. It was not used; ask them \
             or an administrator.",
        ),
        Rule::AcceptorNotAUser => ForCaller::new(
            S::FORBIDDEN,
            "InvalidInviteAcceptor",
            "An invite is accepted with the token of the invited person, not with that of a \
             service client. It was not used.",
        ),
        Rule::IdempotencyKeyReused => ForCaller::new(
            S::UNPROCESSABLE_ENTITY,
            "IdempotencyKeyReused",
            "This Idempotency-Key was sent with another request. Use a new one for each request.",
        ),
        Rule::InviteRenewed => ForCaller::new(
            S::CONFLICT,
            "InviteRenewed",
            "The invite that was made under this Idempotency-Key was renewed: the id that this would \
             answer is dead. Renew it once more by its reference to get an id.",
        ),
        Rule::ApplicationInUse => ForCaller::new(
            S::CONFLICT,
            "ApplicationInUse",
            "The application belongs to an extension. Delete the extension: the application goes \
             with it.",
        ),
        Rule::LastOwner => ForCaller::new(
            S::CONFLICT,
            "LastOwner",
            "Nobody would be left who owns the account. Give Authress:Owner on * to somebody else \
             first.",
        ),
        Rule::Unreadable(_) => internal(),
    }
}

fn unusable_code(reason: InviteUnusable) -> &'static str {
    match reason {
        InviteUnusable::Expired => "InviteExpired",
        InviteUnusable::Revoked => "InviteRevoked",
        InviteUnusable::Declined => "InviteDeclined",
        InviteUnusable::AlreadyAccepted => "InviteAlreadyAccepted",
        InviteUnusable::Exhausted => "InviteExhausted",
        InviteUnusable::NotYetValid => "InviteNotYetValid",
        InviteUnusable::AwaitingApproval => "ApprovalPending",
    }
}

fn store_for_caller(error: &StoreError) -> ForCaller {
    match error {
        StoreError::Full(_) => ForCaller::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "StorageFull",
            "The server has no room left to write. Nothing was done; its operator must make room.",
        ),
        StoreError::Unavailable(_) | StoreError::Stopped => ForCaller::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "StorageUnavailable",
            "The server cannot reach its storage. Nothing was done; try again.",
        ),
        StoreError::Unknown(_) => ForCaller::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "OutcomeUnknown",
            "The server cannot tell whether this was done. Read it again, or repeat the request \
             with the same Idempotency-Key.",
        ),
        StoreError::Damaged(_) => internal(),
    }
}
