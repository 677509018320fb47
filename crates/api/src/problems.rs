//! The body of every refusal: what SDKs read, and RFC 9457.

use serde::{Deserialize, Serialize};

use crate::invite_batches::RefusedRow;
use crate::text::default_if_null;

/// Why a request was refused (contract §4.1, RFC 9457).
///
/// Our server sends every member that is not optional; other servers send fewer, which are then
/// empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// `/problems/{errorCode}`.
    #[serde(rename = "type", default, deserialize_with = "default_if_null")]
    pub kind: String,
    /// One sentence for a person: what went wrong and what to do.
    #[serde(default, deserialize_with = "default_if_null")]
    pub title: String,
    /// The HTTP status.
    #[serde(default, deserialize_with = "default_if_null")]
    pub status: u16,
    /// A stable code for programs.
    #[serde(default, deserialize_with = "default_if_null")]
    pub error_code: String,
    /// The id of the request, to find it in the server's log.
    #[serde(default, deserialize_with = "default_if_null")]
    pub error_id: String,
    /// More about this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The offending member of the request body: `statements[0].roles[1]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Of the token endpoint alone: the error code of RFC 6749 §5.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The rows of a batch for which none of it was done.
    #[serde(
        default,
        deserialize_with = "default_if_null",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub refused_rows: Vec<RefusedRow>,
}
