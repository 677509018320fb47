//! Invites: making, reading, withdrawing and accepting them.

use guestlist_api::ids::{InviteReference, LinkedUserId, RecordId, TenantId, UserId};
use guestlist_api::invites::{ConflictResolutionStrategy, InviteStatement};
use guestlist_api::records::Statement;
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};

use crate::changes::{Facet, Kind, Stored, sortable};

/// Where an invite stands. Expired, suspended and not yet valid are predicates, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InviteStatus {
    Pending,
    Accepted,
    Declined,
    Revoked,
    Exhausted,
}

/// An invite as it is stored: the secret only as a keyed hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredInvite {
    pub reference: InviteReference,
    /// The keyed hash of the whole id.
    pub secret_hash: String,
    pub statements: Vec<InviteStatement>,
    pub conflict_resolution_strategy: ConflictResolutionStrategy,
    pub inviter: UserId,
    pub created_time: Timestamp,
    pub expiry_time: Timestamp,
    pub linked_user_id: Option<LinkedUserId>,
    pub default_login_tenant_id: Option<TenantId>,
    pub status: InviteStatus,
    /// Why it came to its final state, for people.
    pub status_reason: Option<String>,
    /// When it came to its final state.
    pub responded_time: Option<Timestamp>,
    pub max_uses: u32,
    pub uses: u32,
    /// Withdrawn after it was accepted: nothing is taken back, but it is not shown any more.
    pub withdrawn: bool,
}

impl Stored for StoredInvite {
    const KIND: Kind = Kind::Invite;

    fn id(&self) -> String {
        self.reference.to_string()
    }

    fn facets(&self) -> Vec<(Facet, String)> {
        vec![
            (Facet::Inviter, self.inviter.to_string()),
            (Facet::Expires, sortable(self.expiry_time.milliseconds())),
        ]
    }
}

/// How what an invite held became access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
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
    Nothing,
}

/// Who used an invite, and exactly what that added: the provenance of access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredAcceptance {
    pub reference: InviteReference,
    pub user_id: UserId,
    pub time: Timestamp,
    pub outcome: Outcome,
    /// The record that was written, if any.
    pub record_id: Option<RecordId>,
    /// The statements the record gained for this user and did not hold before.
    pub added: Vec<Statement>,
}

impl StoredAcceptance {
    /// The document id of the acceptance of an invite by a user.
    pub fn key(reference: &InviteReference, user: &UserId) -> String {
        format!("{reference}/{user}")
    }
}

impl Stored for StoredAcceptance {
    const KIND: Kind = Kind::Acceptance;

    fn id(&self) -> String {
        Self::key(&self.reference, &self.user_id)
    }

    fn facets(&self) -> Vec<(Facet, String)> {
        vec![
            (Facet::Parent, self.reference.to_string()),
            (Facet::Principal, self.user_id.to_string()),
        ]
    }
}

/// What an `Idempotency-Key` stands for, so that a repeated request gets the first answer.
///
/// The secret of the invite is not in it: it is derived again from the key, which only the caller
/// has, this salt, and the pepper, which is not in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredIdempotencyKey {
    /// A keyed hash of the caller and the key.
    pub key_hash: String,
    /// A hash of what was asked for.
    pub request_hash: String,
    pub salt: String,
    pub reference: InviteReference,
    pub expiry_time: Timestamp,
}

impl Stored for StoredIdempotencyKey {
    const KIND: Kind = Kind::IdempotencyKey;

    fn id(&self) -> String {
        self.key_hash.clone()
    }

    fn facets(&self) -> Vec<(Facet, String)> {
        vec![(Facet::Expires, sortable(self.expiry_time.milliseconds()))]
    }
}
