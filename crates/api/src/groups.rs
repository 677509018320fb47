//! Groups of users (contract §2.2 Group).

use serde::{Deserialize, Serialize};

use crate::ids::GroupId;
use crate::limits;
use crate::paging::{CollectionLinks, Links, Pagination};
use crate::records::User;
use crate::text::{Bounded, Name, Tags, absent_if_empty, default_if_null};
use crate::times::Timestamp;

/// A group as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub group_id: GroupId,
    pub name: Name,
    pub users: Vec<User>,
    pub admins: Vec<User>,
    /// When it last changed: the value for `If-Unmodified-Since`.
    pub last_updated: Timestamp,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    pub links: Links,
}

/// A group as it is written. Read-only members are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupRequest {
    /// Made by the server if absent; begins with `grp_`.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub group_id: Option<GroupId>,
    pub name: Name,
    #[serde(default, deserialize_with = "default_if_null")]
    pub users: Bounded<User, 0, { limits::GROUP_USERS }>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub admins: Bounded<User, 0, { limits::ADMINS }>,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// A page of groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCollection {
    pub groups: Vec<Group>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    pub links: CollectionLinks,
}
