//! Roles: named lists of permissions (contract §2.2 Role).

use serde::{Deserialize, Serialize};

use crate::actions::Action;
use crate::ids::RoleId;
use crate::limits;
use crate::paging::{CollectionLinks, Pagination};
use crate::text::{Bounded, Description, Name, absent_if_empty};

/// What a role says about one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    pub action: Action,
    /// May do it.
    pub allow: bool,
    /// May give others the right to do it.
    pub grant: bool,
    /// May give others the right to do it and to pass that right on.
    pub delegate: bool,
}

/// A role as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    pub role_id: RoleId,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    pub permissions: Vec<Permission>,
}

/// A role as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleRequest {
    /// Made by the server if absent.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub role_id: Option<RoleId>,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    pub permissions: Bounded<Permission, 0, { limits::ROLE_PERMISSIONS }>,
}

/// A page of roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleCollection {
    pub roles: Vec<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    pub links: CollectionLinks,
}
