//! What became of the access that invites gave: who accepted them, and taking it back. Extensions of
//! ours.

use serde::{Deserialize, Serialize};

use crate::ids::{RecordId, UserId};
use crate::paging::{CollectionLinks, Links, Pagination, absent_on_the_last_page};
use crate::records::Statement;
use crate::text::{OpenEnum, default_if_null};
use crate::times::Timestamp;

/// How what an invite held became access.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InviteOutcome {
    /// The person had no record; one was made under their id.
    Created,
    /// Added to the person's record without anybody else gaining.
    Merged,
    /// A record of its own under a random id.
    Generated,
    /// Added although others gained too.
    ForceMerged,
    /// Put in the place of what the record held.
    Replaced,
    /// Nothing was granted: `SKIP_CHANGES`.
    Skipped,
    /// The invite held no statements.
    #[default]
    Nothing,
}

/// One use of an invite, and exactly what it gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteAcceptance {
    pub user_id: UserId,
    pub time: Timestamp,
    pub outcome: OpenEnum<InviteOutcome>,
    /// The record that was written, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<RecordId>,
    /// What the record gave the person from then on, and had not given them before.
    pub added: Vec<Statement>,
    /// When it was taken back, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_time: Option<Timestamp>,
}

/// A page of the uses of an invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteAcceptanceCollection {
    pub acceptances: Vec<InviteAcceptance>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}

/// What was taken back from one person, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteUndone {
    pub user_id: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<RecordId>,
    /// What the record does not give any more.
    pub taken: Vec<Statement>,
    /// What stays because the person accepted another invite that gives it too.
    pub kept: Vec<Statement>,
    /// Whether nothing was left in the record, so that it was deleted.
    pub record_deleted: bool,
}

/// What taking back the access that an invite gave came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteUndoing {
    /// Whether nothing was written: this is what would be.
    pub dry_run: bool,
    pub undone: Vec<InviteUndone>,
    /// Whether there may be more: the same request goes on.
    pub more: bool,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: Links,
}
