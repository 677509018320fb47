//! What can be wrong with a request before anybody knows what it asks for.
//!
//! Meaning and safe text only: the status of each is chosen in `refusal.rs`. No text here repeats a
//! value the client sent, apart from names of parameters and members, cut short.

use std::fmt;

use crate::paths::MalformedPath;
use crate::query::MalformedQuery;
use crate::rate::RetryAfter;

/// Why the edge turned a request away. The text says what to do and may be shown to the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EdgeError {
    /// The path is not one this server can take apart safely.
    #[error("{0}")]
    MalformedPath(#[from] MalformedPath),
    /// The path can be read in two ways, as a user id or a resource contains a keyword of the API.
    #[error(
        "the path can be read in more than one way; percent-encode the slashes inside the user id and the resource URI"
    )]
    AmbiguousPath,
    /// The request target is longer than `allowed` bytes.
    #[error("the request target has {length} bytes; at most {allowed} are accepted")]
    UriTooLong { length: usize, allowed: usize },
    /// There are more header fields or longer ones than accepted.
    #[error("the header fields have {length} bytes; at most {allowed} are accepted")]
    HeadersTooLarge { length: usize, allowed: usize },
    /// HTTP/1.1 needs exactly one `Host` (RFC 9112 §3.2).
    #[error("{0}")]
    BadHost(BadHost),
    /// The request target is neither a path nor an absolute URL (`CONNECT`, for example).
    #[error("the request target must be a path, beginning with /")]
    BadTarget,
    /// An expectation other than `100-continue` (RFC 9110 §10.1.1).
    #[error("the only expectation this server can meet is 100-continue")]
    UnknownExpectation,
    /// The body is longer than `allowed` bytes.
    #[error("the request body has more than {allowed} bytes")]
    BodyTooLarge { allowed: usize },
    /// The body did not arrive in time.
    #[error("the request body did not arrive within {seconds} seconds")]
    BodyTimeout { seconds: u64 },
    /// The connection broke, or the framing was wrong, before the body was complete.
    #[error("the request body ended before it was complete")]
    BodyIncomplete,
    /// The body is compressed or otherwise encoded.
    #[error("the request body must be sent without Content-Encoding")]
    UnsupportedEncoding,
    /// The body is not JSON, or not the JSON this operation takes.
    #[error("{0}")]
    MalformedJson(MalformedJson),
    /// A parameter of the query string.
    #[error("{0}")]
    MalformedQuery(#[from] MalformedQuery),
    /// The caller did something too often.
    #[error("too many requests; try again in {0} seconds")]
    TooManyRequests(RetryAfter),
}

/// What is wrong with `Host`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadHost {
    Missing,
    Several,
    Malformed,
}

impl fmt::Display for BadHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Missing => "an HTTP/1.1 request needs a Host header field",
            Self::Several => "the request has more than one Host header field",
            Self::Malformed => "the Host header field is not a host name with an optional port",
        })
    }
}

/// Why a body could not be read as what the operation takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedJson {
    /// The offending member, as in `statements[0].roles[1]`; empty for the body as a whole.
    pub path: String,
    /// What is wrong with it, without the value that was sent.
    pub reason: String,
}

impl fmt::Display for MalformedJson {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(formatter, "the request body is not valid: {}", self.reason)
        } else {
            write!(
                formatter,
                "the member {} is not valid: {}",
                self.path, self.reason
            )
        }
    }
}

/// A name the client chose, fit to be repeated in an answer and in the log.
///
/// No name of the API is longer than `LONGEST`, and none of our secrets is shorter, so that one that
/// was sent in the place of a name is not repeated.
pub(crate) fn shortened(name: &str) -> String {
    const LONGEST: usize = 40;
    const SHOWN: usize = 12;
    cut(name, LONGEST, SHOWN)
}

/// The place of a member, as in `statements[0].roles[1]`: its first names, each shortened.
pub(crate) fn shortened_path(path: &str) -> String {
    const DEPTH: usize = 8;
    let mut names: Vec<String> = path.split('.').take(DEPTH).map(shortened).collect();
    if path.split('.').nth(DEPTH).is_some() {
        names.push("…".to_owned());
    }
    names.join(".")
}

/// A sentence about what the client sent, of a bounded length.
pub(crate) fn shortened_sentence(text: &str) -> String {
    const LONGEST: usize = 120;
    cut(text, LONGEST, LONGEST)
}

/// The first characters, if there are more than the longest; no control characters.
fn cut(text: &str, longest: usize, shown: usize) -> String {
    let long = text.chars().nth(longest).is_some();
    let mut kept: String = text
        .chars()
        .take(if long { shown } else { longest })
        .map(|character| {
            if character.is_control() {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect();
    if long {
        kept.push('…');
    }
    kept
}
