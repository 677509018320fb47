//! Why the token endpoint makes no token, in the words of RFC 6749 §5.2.

use http::StatusCode;

use super::{BAD_REQUEST, ForCaller};
use crate::caller::NotIdentified;

/// An error of the token endpoint.
#[derive(Debug)]
pub enum NoToken {
    /// There is no such client, or it has another secret.
    Client {
        reason: NotIdentified,
        /// The client stood in HTTP Basic.
        basic: bool,
    },
    /// Something of the request is missing or not what it must be.
    Request { place: &'static str, reason: String },
    /// There is no such grant.
    Grant,
}

impl NoToken {
    pub fn request(place: &'static str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Request { place, reason }
    }

    /// Its code in the standard.
    pub(super) const fn error(&self) -> &'static str {
        match self {
            Self::Client { .. } => "invalid_client",
            Self::Request { .. } => "invalid_request",
            Self::Grant => "unsupported_grant_type",
        }
    }

    pub(super) fn for_caller(&self) -> ForCaller {
        let malformed = |place: &str, reason: &str| {
            let title = format!("InvalidRequest: {place}: {reason}");
            ForCaller::new(StatusCode::BAD_REQUEST, BAD_REQUEST, title).at(place)
        };
        match self {
            Self::Client { .. } => ForCaller::new(
                StatusCode::UNAUTHORIZED,
                "Unauthorized",
                "There is no such service client with that secret. Send its id and its access key.",
            ),
            Self::Request { place, reason } => malformed(place, reason),
            Self::Grant => malformed("grant_type", "must be client_credentials"),
        }
    }
}
