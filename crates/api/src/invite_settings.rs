//! What an account decides about all its invites. Ours: the published API has nothing like it.

use serde::{Deserialize, Serialize};

use crate::text::{absent_if_empty, default_if_null};
use crate::times::Timestamp;

/// What becomes of an invite whose inviter may no longer give what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LostAuthority {
    /// Nobody can accept it until the inviter may give that again.
    #[default]
    Suspend,
    /// It is withdrawn within seconds, for good. Until then nobody can accept it either.
    Revoke,
}

/// Which invites must be approved that do not say so themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalSettings {
    /// Those that give something on `*`, every action, the right to give something on, or something
    /// on the service's own resources: by somebody else than whoever made the invite and whoever
    /// accepted it.
    #[serde(default, deserialize_with = "default_if_null")]
    pub required_for_risk: bool,
}

/// The settings, as they are read and as they replace the former ones. A member that is left out is as
/// in an account that never set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteSettings {
    #[serde(default, deserialize_with = "default_if_null")]
    pub lost_authority: LostAuthority,
    #[serde(default, deserialize_with = "default_if_null")]
    pub approval: ApprovalSettings,
    /// When they were last set; absent if they never were. Not read in requests, so that what was
    /// read can be sent back.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_updated: Option<Timestamp>,
}
