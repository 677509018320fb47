//! Access records: who has which roles on which resources (contract §2.2 AccessRecord).

use serde::{Deserialize, Serialize};

use crate::accounts::AccountReference;
use crate::ids::{GroupId, RecordId, RoleId, UserId};
use crate::limits;
use crate::paging::{CollectionLinks, Links, Pagination};
use crate::resources::ResourceUri;
use crate::text::{Bounded, Description, Name, Tags, absent_if_empty, default_if_null};
use crate::times::Timestamp;

/// A user named in a record or group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub user_id: UserId,
}

/// A group named in a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkedGroup {
    pub group_id: GroupId,
}

/// A resource named in a statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    pub resource_uri: ResourceUri,
}

/// Roles on resources, and for whom unless the record itself says for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    pub roles: Bounded<RoleId, 1, { limits::STATEMENT_ROLES }>,
    pub resources: Bounded<Resource, 1, { limits::STATEMENT_RESOURCES }>,
    #[serde(
        default,
        deserialize_with = "default_if_null",
        skip_serializing_if = "is_empty"
    )]
    pub users: Bounded<User, 0, { limits::STATEMENT_USERS }>,
    #[serde(
        default,
        deserialize_with = "default_if_null",
        skip_serializing_if = "is_empty"
    )]
    pub groups: Bounded<LinkedGroup, 0, { limits::STATEMENT_GROUPS }>,
}

fn is_empty<T>(items: &[T]) -> bool {
    items.is_empty()
}

/// Whether a record is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordStatus {
    Active,
    /// Grants nothing; kept so that it can be read.
    Deleted,
}

/// An access record as it is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessRecord {
    pub record_id: RecordId,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// How full the record is, 0 to 1 of its 100 KB.
    pub capacity: f64,
    /// When it last changed: the value for `If-Unmodified-Since`.
    pub last_updated: Timestamp,
    pub status: RecordStatus,
    pub account: AccountReference,
    pub users: Vec<User>,
    pub admins: Vec<User>,
    pub groups: Vec<LinkedGroup>,
    pub statements: Vec<Statement>,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    pub links: Links,
}

/// An access record as it is written. Read-only members are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessRecordRequest {
    /// Made by the server if absent.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub record_id: Option<RecordId>,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub users: Bounded<User, 0, { limits::RECORD_USERS }>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub admins: Bounded<User, 0, { limits::ADMINS }>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub groups: Bounded<LinkedGroup, 0, { limits::RECORD_GROUPS }>,
    pub statements: Bounded<Statement, 1, { limits::STATEMENTS }>,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// A page of access records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessRecordCollection {
    pub records: Vec<AccessRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    pub links: CollectionLinks,
}
