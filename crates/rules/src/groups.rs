//! Groups: a record that names a group grants to its members.

use guestlist_api::ids::GroupId;
use guestlist_api::records::User;
use guestlist_api::text::{Name, Tags};
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};

use crate::changes::{Kind, Stored};

/// A group as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredGroup {
    pub group_id: GroupId,
    pub name: Name,
    pub users: Vec<User>,
    pub admins: Vec<User>,
    pub tags: Tags,
    pub last_updated: Timestamp,
}

impl Stored for StoredGroup {
    const KIND: Kind = Kind::Group;

    fn id(&self) -> String {
        self.group_id.to_string()
    }
}
