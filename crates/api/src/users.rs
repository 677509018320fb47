//! What users hold: permissions, roles and resources (contract §1.13, §2.2).

use serde::{Deserialize, Serialize};

use crate::accounts::AccountReference;
use crate::ids::{RoleId, UserId};
use crate::paging::{CollectionLinks, Pagination};
use crate::records::Resource;
use crate::roles::Permission;

/// The answer of a permission check that says yes: SDKs look at the status only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {}

/// A user's permissions on one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PermissionCollection {
    pub account: AccountReference,
    pub user_id: UserId,
    pub permissions: Vec<Permission>,
}

/// A role held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserRole {
    pub role_id: RoleId,
}

/// A user's roles on exactly one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserRoleCollection {
    pub user_id: UserId,
    pub roles: Vec<UserRole>,
}

/// A page of the resources a user has access to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserResourcesCollection {
    pub account: AccountReference,
    pub user_id: UserId,
    pub resources: Vec<Resource>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    pub links: CollectionLinks,
}

/// Which resources to list below the one asked about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CollectionConfiguration {
    /// Those exactly one segment below.
    #[default]
    TopLevelOnly,
    /// All below.
    IncludeNested,
}

/// A page of the users with explicit access to exactly one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceUsersCollection {
    pub users: Vec<UserRoleCollection>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    pub links: CollectionLinks,
}
