//! Resource configurations: what holds for everybody on a resource, whoever they are (contract §1.9,
//! §2 `PermissionedResource`).

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::paging::{CollectionLinks, Pagination, absent_on_the_last_page};
use crate::resources::ResourceUri;
use crate::text::{Bounded, Malformed, absent_if_empty, default_if_null};

/// What can be configured. `ALLOW` and the like are no actions here (semantics §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConfiguredAction {
    /// Everybody may claim what lies directly below the resource and is nobody's yet.
    Claim,
    /// Everybody may read the resource and what is below it.
    Public,
}

/// Whether an action is allowed to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourcePermission {
    pub action: ConfiguredAction,
    pub allow: bool,
}

/// The permissions of a configuration as they are sent.
pub type ResourcePermissions = Bounded<ResourcePermission, 1, { limits::RESOURCE_PERMISSIONS }>;

/// A resource with its configuration, as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PermissionedResource {
    /// Which resource: the published model does not have it, so others may leave it out.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub resource_uri: Option<ResourceUri>,
    pub permissions: Vec<ResourcePermission>,
}

/// A configuration as it is written: it replaces the former one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PermissionedResourceRequest {
    /// As in the path, if it is there at all: programs send back what they read.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub resource_uri: Option<ResourceUri>,
    pub permissions: ResourcePermissions,
}

impl PermissionedResourceRequest {
    /// With one permission; [`Self::permission`] adds others.
    pub fn new(action: ConfiguredAction, allow: bool) -> Self {
        Self {
            resource_uri: None,
            permissions: Bounded::one(ResourcePermission { action, allow }),
        }
    }

    /// One more. Each action may be said once, which the server checks.
    #[must_use]
    pub fn permission(mut self, action: ConfiguredAction, allow: bool) -> Self {
        self.permissions = self.permissions.with(ResourcePermission { action, allow });
        self
    }
}

impl PermissionedResource {
    /// Whether it allows an action to everybody.
    pub fn allows(&self, action: ConfiguredAction) -> bool {
        let mut said = self.permissions.iter();
        said.any(|said| said.action == action && said.allow)
    }

    /// The same as a request: for changing what was read.
    ///
    /// # Errors
    ///
    /// If it has no permissions, or more than a request may have: our server never answers that.
    pub fn to_request(&self) -> Result<PermissionedResourceRequest, Malformed> {
        Ok(PermissionedResourceRequest {
            resource_uri: self.resource_uri.clone(),
            permissions: Bounded::new(self.permissions.clone())?,
        })
    }
}

/// A page of configured resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionedResourceCollection {
    pub resources: Vec<PermissionedResource>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}
