//! Invites as those see them who do not hold their secrets: lists, by reference, and what became of
//! them. Extensions of ours.

use serde::{Deserialize, Serialize};

use crate::ids::{InviteReference, LinkedUserId, TenantId, UserId};
use crate::invite_terms::{InviteRestrictions, Invitee};
use crate::invites::{ConflictResolutionStrategy, InviteStatement};
use crate::limits;
use crate::paging::{CollectionLinks, Links, Pagination, absent_on_the_last_page};
use crate::text::{OpenEnum, Tags, Text, absent_if_empty, default_if_null};
use crate::times::Timestamp;

/// Where an invite stands at the moment of the answer.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InviteState {
    /// It can be used.
    #[default]
    Pending,
    /// It can be used from an instant on.
    Scheduled,
    /// Whoever made it could not give now what it holds. It can be used again when they can.
    Suspended,
    /// Somebody accepted it, and what it holds is given to them once that is approved.
    AwaitingApproval,
    Expired,
    /// It was used by the one person it was for.
    Accepted,
    /// It was used as often as it may be.
    Exhausted,
    Declined,
    Revoked,
}

impl InviteState {
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Scheduled,
        Self::Suspended,
        Self::AwaitingApproval,
        Self::Expired,
        Self::Accepted,
        Self::Exhausted,
        Self::Declined,
        Self::Revoked,
    ];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Scheduled => "SCHEDULED",
            Self::Suspended => "SUSPENDED",
            Self::AwaitingApproval => "AWAITING_APPROVAL",
            Self::Expired => "EXPIRED",
            Self::Accepted => "ACCEPTED",
            Self::Exhausted => "EXHAUSTED",
            Self::Declined => "DECLINED",
            Self::Revoked => "REVOKED",
        }
    }
}

/// The order of a list of invites.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InviteOrder {
    #[default]
    Reference,
    /// Those that end first come first.
    Expiry,
    /// Those that were made first come first.
    Created,
    /// Those that were made last come first.
    CreatedLast,
}

impl InviteOrder {
    pub const ALL: [Self; 4] = [
        Self::Reference,
        Self::Expiry,
        Self::Created,
        Self::CreatedLast,
    ];

    /// As it is written: the member to sort by, with `-` before it if backwards.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Expiry => "expiryTime",
            Self::Created => "createdTime",
            Self::CreatedLast => "-createdTime",
        }
    }
}

/// How often an invite was used, and how often it may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteUses {
    pub max: u32,
    pub accepted: u32,
}

/// Who made an invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inviter {
    pub user_id: UserId,
}

/// An invite without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteSummary {
    /// The public half of the id: what it is addressed by here. Also answered as `inviteId`, which
    /// typed SDKs need; it is not the secret, and nobody can accept the invite with it.
    pub reference: InviteReference,
    pub invite_id: InviteReference,
    pub status: OpenEnum<InviteState>,
    /// Why it came to its end, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    pub statements: Vec<InviteStatement>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub conflict_resolution_strategy: OpenEnum<ConflictResolutionStrategy>,
    pub inviter: Inviter,
    pub created_time: Timestamp,
    pub expiry_time: Timestamp,
    /// When it came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responded_time: Option<Timestamp>,
    /// For `If-Unmodified-Since`.
    pub last_updated: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitee: Option<Invitee>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub restrictions: InviteRestrictions,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<crate::invite_terms::InviteGrant>,
    /// Only if it must be approved, or waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<crate::invite_terms::InviteApproval>,
    pub uses: InviteUses,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked_user_id: Option<LinkedUserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_login_tenant_id: Option<TenantId>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub tags: Tags,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: Links,
}

/// A page of invites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteCollection {
    pub invites: Vec<InviteSummary>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}

/// What happened to an invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InviteChange {
    Created,
    Updated,
    Renewed,
    Accepted,
    Declined,
    Revoked,
    /// Whoever held the secret said that it is where it should not be.
    LeakReported,
    /// Somebody who held the secret looked what it is, for the first time since it was made or
    /// renewed.
    Previewed,
    /// Somebody could not accept it; the reason is the error code they were told.
    AcceptFailed,
    /// Its time is over.
    Expired,
    /// It was used as often as it may be.
    Exhausted,
    /// Whoever made it could not give any more what it holds.
    Suspended,
    /// They can again.
    Resumed,
    /// Somebody accepted it, and asks that this be approved.
    ApprovalRequested,
    /// What was asked was taken back: it can be accepted again.
    ApprovalWithdrawn,
    Approved,
    /// Somebody said no, and it has ended.
    Denied,
}

/// One line of the history of an invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteMoment {
    pub change: InviteChange,
    pub time: Timestamp,
    /// Who did it; absent for somebody who held the secret and did not sign in, and for what
    /// nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<InviteReason>,
}

/// The history of an invite, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteHistory {
    pub events: Vec<InviteMoment>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: Links,
}

/// Why somebody declines or withdraws an invite.
pub type InviteReason = Text<1, { limits::INVITE_REASON_LENGTH }>;

/// What somebody says to an invite. SDKs send nothing or `{}`: that accepts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InviteAnswer {
    #[default]
    Accept,
    Decline,
}

/// The body of a response to an invite.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteResponse {
    #[serde(default, deserialize_with = "default_if_null")]
    pub response: InviteAnswer,
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub reason: Option<InviteReason>,
}

/// A new life for an invite.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteRenewal {
    /// 7 days from now unless given.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub expiry_time: Option<Timestamp>,
}

/// Which invites to withdraw at once: those that fit all that is said, and something must be said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InviteRevocation {
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub inviter_user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitee: Option<Invitee>,
    /// That give something on exactly this resource.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub resource_uri: Option<crate::resources::ResourceUri>,
    /// With a tag of this name and value, as `name=value`.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub tag: Option<String>,
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub reason: Option<InviteReason>,
}

/// What was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteRevocations {
    pub revoked: Vec<InviteReference>,
    /// Whether there may be more: the same request goes on.
    pub more: bool,
}

/// The whole id of an invite in a body, so that it stands in no log of requests.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteHolder {
    pub invite_id: crate::ids::InviteId,
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub reason: Option<InviteReason>,
}

/// What the holder of an invite is told before they sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvitePreview {
    pub account: crate::accounts::AccountReference,
    pub inviter: Inviter,
    pub expiry_time: Timestamp,
    /// From when on it can be used, if not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// For whom it is, with most of it hidden; absent if it is for whoever holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitee: Option<String>,
    /// The token issuer by which to sign in, if it must be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<crate::identities::IssuerText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub email_domains: Vec<crate::ids::Domain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_login_tenant_id: Option<TenantId>,
}
