//! Roles: named lists of permissions (contract §2.2 Role).

use serde::{Deserialize, Serialize};

use crate::actions::Action;
use crate::ids::RoleId;
use crate::limits;
use crate::paging::{CollectionLinks, Pagination, absent_on_the_last_page};
use crate::text::{Bounded, Description, Malformed, Name, absent_if_empty, default_if_null};

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

impl Permission {
    /// May do this, and give nothing of it to others.
    pub fn allow(action: impl Into<Action>) -> Self {
        Self {
            action: action.into(),
            allow: true,
            grant: false,
            delegate: false,
        }
    }

    /// Also may give others the right to do it.
    #[must_use]
    pub fn and_grant(mut self) -> Self {
        self.grant = true;
        self
    }

    /// Also may give others the right to do it and to pass that right on.
    #[must_use]
    pub fn and_delegate(mut self) -> Self {
        self.delegate = true;
        self
    }
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

impl RoleRequest {
    /// A role with this name and no permissions yet.
    ///
    /// # Errors
    ///
    /// If the name is not what it must be.
    pub fn new(name: &str) -> Result<Self, Malformed> {
        Ok(Self {
            role_id: None,
            name: Name::parse(name)?,
            description: None,
            permissions: Bounded::default(),
        })
    }

    /// Under this id: `ro_…` by custom.
    #[must_use]
    pub fn role_id(mut self, role_id: RoleId) -> Self {
        self.role_id = Some(role_id);
        self
    }

    /// What it is for.
    #[must_use]
    pub fn description(mut self, description: Description) -> Self {
        self.description = Some(description);
        self
    }

    /// One more permission. At most 100, which the server checks.
    #[must_use]
    pub fn permission(mut self, permission: Permission) -> Self {
        self.permissions = self.permissions.with(permission);
        self
    }
}

impl Role {
    /// The same as a request: for changing what was read.
    ///
    /// # Errors
    ///
    /// If it has more permissions than a request may have.
    pub fn to_request(&self) -> Result<RoleRequest, Malformed> {
        Ok(RoleRequest {
            role_id: Some(self.role_id.clone()),
            name: self.name.clone(),
            description: self.description.clone(),
            permissions: Bounded::new(self.permissions.clone())?,
        })
    }
}

/// A page of roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleCollection {
    pub roles: Vec<Role>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}
