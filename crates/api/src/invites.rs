//! Invites: access for somebody who has no account yet (contract §2.2 Invite, semantics §4).

use serde::{Deserialize, Serialize};

use crate::ids::{InviteSecret, LinkedUserId, RoleId, TenantId};
use crate::limits;
use crate::paging::Links;
use crate::records::{LinkedGroup, Resource, User};
use crate::text::{Bounded, absent_if_empty, default_if_null};
use crate::times::Timestamp;

/// What to do when what the invite holds cannot be added to the person's record without anybody
/// else gaining something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConflictResolutionStrategy {
    /// Make another record under a random id.
    #[default]
    GenerateNewRecord,
    /// Add it all the same.
    UnsafeForceMerge,
    /// Put the invite's content in the place of the record's.
    ReplaceRecordData,
    /// Change nothing; the invite counts as used.
    SkipChanges,
}

/// Roles on resources for the person who accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteStatement {
    pub roles: Bounded<RoleId, 1, { limits::STATEMENT_ROLES }>,
    pub resources: Bounded<Resource, 1, { limits::STATEMENT_RESOURCES }>,
    /// Must be absent or empty: who it is for is not known yet.
    #[serde(default, deserialize_with = "default_if_null", skip_serializing)]
    pub users: Bounded<User, 0, 0>,
    /// Must be absent or empty.
    #[serde(default, deserialize_with = "default_if_null", skip_serializing)]
    pub groups: Bounded<LinkedGroup, 0, 0>,
}

/// An invite as it is answered: only ever to somebody who holds its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    pub invite_id: InviteSecret,
    pub statements: Vec<InviteStatement>,
    pub conflict_resolution_strategy: ConflictResolutionStrategy,
    pub expiry_time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked_user_id: Option<LinkedUserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_login_tenant_id: Option<TenantId>,
    /// The older name of `defaultLoginTenantId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    pub links: Links,
}

/// An invite as it is made. Members that are not listed are ignored, read-only ones too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteRequest {
    #[serde(default, deserialize_with = "default_if_null")]
    pub statements: Bounded<InviteStatement, 0, { limits::STATEMENTS }>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub conflict_resolution_strategy: ConflictResolutionStrategy,
    /// 7 days from now unless given; 5 minutes to 30 days from now.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub expiry_time: Option<Timestamp>,
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub linked_user_id: Option<LinkedUserId>,
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub default_login_tenant_id: Option<TenantId>,
    /// The older name of `defaultLoginTenantId`; if both are given they must agree.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub tenant_id: Option<TenantId>,
}
