//! What users hold: permissions, roles and resources (contract §1.13, §2.2).

use serde::{Deserialize, Serialize};

use crate::accounts::{AccountReference, absent_if_unnamed};
use crate::ids::{RoleId, UserId};
use crate::paging::{CollectionLinks, Pagination, absent_on_the_last_page};
use crate::records::Resource;
use crate::roles::Permission;
use crate::text::default_if_null;

/// The answer of a permission check that says yes: SDKs look at the status only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {}

/// A user's permissions on one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PermissionCollection {
    #[serde(
        default,
        deserialize_with = "absent_if_unnamed",
        skip_serializing_if = "Option::is_none"
    )]
    pub account: Option<AccountReference>,
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
    #[serde(
        default,
        deserialize_with = "absent_if_unnamed",
        skip_serializing_if = "Option::is_none"
    )]
    pub account: Option<AccountReference>,
    pub user_id: UserId,
    #[serde(default, deserialize_with = "default_if_null")]
    pub resources: Vec<Resource>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
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
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}
