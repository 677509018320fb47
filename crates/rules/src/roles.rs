//! Roles: the built-in ones and those of the account.

use guestlist_api::ids::RoleId;
use guestlist_api::roles::Permission;
use guestlist_api::text::{Description, Name};
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};

use crate::changes::{Kind, Stored};

/// A role as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredRole {
    pub role_id: RoleId,
    pub name: Name,
    pub description: Option<Description>,
    pub permissions: Vec<Permission>,
    pub last_updated: Timestamp,
}

impl Stored for StoredRole {
    const KIND: Kind = Kind::Role;

    fn id(&self) -> String {
        self.role_id.to_string()
    }
}
