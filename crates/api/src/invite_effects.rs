//! What accepting an invite would do, told before anybody does it. Extensions of ours.

use serde::{Deserialize, Serialize};

use crate::ids::{GroupId, RecordId, RoleId, UserId};
use crate::invite_grants::InviteOutcome;
use crate::resources::ResourceUri;
use crate::roles::Permission;
use crate::text::{OpenEnum, absent_if_empty};

/// For whom to tell the effect; the caller, unless given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteEffectRequest {
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub user_id: Option<UserId>,
}

/// Something about an invite that whoever sends or accepts it should look at twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RiskFlag {
    /// It gives something on `*`.
    Everything,
    /// It gives every action.
    AllActions,
    /// It gives the right to give something on.
    GrantsAccess,
    /// It gives something on the service's own resources, or reaches them.
    ServiceResources,
    /// Others than the one who accepts gain or lose.
    OthersAffected,
    /// It gives the right to give something on to whoever holds it.
    BearerAdmin,
}

impl RiskFlag {
    pub const ALL: [Self; 6] = [
        Self::Everything,
        Self::AllActions,
        Self::GrantsAccess,
        Self::ServiceResources,
        Self::OthersAffected,
        Self::BearerAdmin,
    ];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everything => "EVERYTHING",
            Self::AllActions => "ALL_ACTIONS",
            Self::GrantsAccess => "GRANTS_ACCESS",
            Self::ServiceResources => "SERVICE_RESOURCES",
            Self::OthersAffected => "OTHERS_AFFECTED",
            Self::BearerAdmin => "BEARER_ADMIN",
        }
    }
}

/// Permissions by a role on a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EffectiveGrant {
    pub resource_uri: ResourceUri,
    pub role_id: RoleId,
    pub permissions: Vec<Permission>,
}

/// A role on a resource, without what it permits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedGrant {
    pub resource_uri: ResourceUri,
    pub role_id: RoleId,
}

/// What accepting an invite would do at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteEffect {
    /// For whom it is told; absent for somebody who holds nothing yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Why the invite cannot be accepted by them now: the code that accepting is refused with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    pub outcome: OpenEnum<InviteOutcome>,
    /// The record that would be written, unless its id is drawn then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<RecordId>,
    /// What they would be able to do or give that they are not now.
    pub gains: Vec<EffectiveGrant>,
    /// What the invite holds and they hold already.
    pub already_held: Vec<EffectiveGrant>,
    /// What a record of theirs holds and would not any more.
    pub replaced: Vec<NamedGrant>,
    /// Others whom the record names, and who would gain or lose with them.
    pub other_users: Vec<UserId>,
    pub other_groups: Vec<GroupId>,
    pub risk_flags: Vec<RiskFlag>,
    /// Whether accepting it would give nothing until somebody approves: because whoever made it wants
    /// it so, or because the account does for what has such flags.
    #[serde(default)]
    pub approval_required: bool,
}
