//! Groups of users (contract §2.2 Group).

use serde::{Deserialize, Serialize};

use crate::ids::GroupId;
use crate::limits;
use crate::paging::{CollectionLinks, Links, Pagination, absent_on_the_last_page};
use crate::records::User;
use crate::text::{Bounded, Malformed, Name, Tags, absent_if_empty, default_if_null};
use crate::times::Timestamp;

/// A group as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub group_id: GroupId,
    pub name: Name,
    #[serde(default, deserialize_with = "default_if_null")]
    pub users: Vec<User>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub admins: Vec<User>,
    /// When it last changed: the value for `If-Unmodified-Since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    #[serde(default, deserialize_with = "default_if_null")]
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

impl GroupRequest {
    /// A group with this name and nobody in it.
    ///
    /// # Errors
    ///
    /// If the name is not what it must be.
    pub fn new(name: &str) -> Result<Self, Malformed> {
        Ok(Self {
            group_id: None,
            name: Name::parse(name)?,
            users: Bounded::default(),
            admins: Bounded::default(),
            tags: Tags::default(),
        })
    }

    /// Under this id, which must begin with `grp_`.
    #[must_use]
    pub fn group_id(mut self, group_id: GroupId) -> Self {
        self.group_id = Some(group_id);
        self
    }

    /// One more member. At most 100, which the server checks.
    #[must_use]
    pub fn user(mut self, user: impl Into<User>) -> Self {
        self.users = self.users.with(user.into());
        self
    }

    /// Lets this user change the group. At most 100, which the server checks.
    #[must_use]
    pub fn admin(mut self, admin: impl Into<User>) -> Self {
        self.admins = self.admins.with(admin.into());
        self
    }

    /// These labels in place of those it has.
    #[must_use]
    pub fn tags(mut self, tags: Tags) -> Self {
        self.tags = tags;
        self
    }
}

impl Group {
    /// The same as a request: for changing what was read.
    ///
    /// # Errors
    ///
    /// If a list is longer than a request may have it, which our server never answers.
    pub fn to_request(&self) -> Result<GroupRequest, Malformed> {
        Ok(GroupRequest {
            group_id: Some(self.group_id.clone()),
            name: self.name.clone(),
            users: Bounded::new(self.users.clone())?,
            admins: Bounded::new(self.admins.clone())?,
            tags: self.tags.clone(),
        })
    }
}

/// A page of groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCollection {
    pub groups: Vec<Group>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}
