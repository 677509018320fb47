//! Access records: who may write them, and what a write does.

use guestlist_api::ids::{RecordId, UserId};
use guestlist_api::records::{LinkedGroup, RecordStatus, Statement, User};
use guestlist_api::text::{Description, Name, Tags};
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};

use crate::changes::{Facet, Kind, Stored};

/// An access record as it is stored.
///
/// A deleted record keeps its content so that it can be read; it grants nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredRecord {
    pub record_id: RecordId,
    pub name: Name,
    pub description: Option<Description>,
    pub users: Vec<User>,
    pub admins: Vec<User>,
    pub groups: Vec<LinkedGroup>,
    pub statements: Vec<Statement>,
    pub tags: Tags,
    pub status: RecordStatus,
    pub created_by: UserId,
    pub last_updated: Timestamp,
}

impl Stored for StoredRecord {
    const KIND: Kind = Kind::AccessRecord;

    fn id(&self) -> String {
        self.record_id.to_string()
    }

    fn facets(&self) -> Vec<(Facet, String)> {
        let status = match self.status {
            RecordStatus::Active => "ACTIVE",
            RecordStatus::Deleted => "DELETED",
        };
        vec![(Facet::Status, status.to_owned())]
    }
}
