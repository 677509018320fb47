//! What became of many invites, in numbers. Ours: the published API has nothing like it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::invite_lists::InviteState;
use crate::times::Timestamp;

/// By what invites are told apart. An invite of several roles counts for each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InviteGrouping {
    /// Who made them.
    Inviter,
    /// What they give.
    Role,
    /// The domain of the e-mail address that they are for, or those that are allowed. Invites for a
    /// user id or for anybody count for none.
    Domain,
}

impl InviteGrouping {
    pub const ALL: [Self; 3] = [Self::Inviter, Self::Role, Self::Domain];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inviter => "inviter",
            Self::Role => "role",
            Self::Domain => "domain",
        }
    }
}

/// How long it took from making an invite to the first person who accepted it, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteDelays {
    /// Half of them took no longer (nearest rank).
    pub median: u64,
    /// Nine of ten took no longer (nearest rank).
    pub ninetieth: u64,
    pub longest: u64,
}

/// What became of some invites.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteFunnel {
    /// How many were made.
    pub invites: u64,
    /// How many people could accept them.
    pub people: u64,
    /// Those of which somebody who held the id looked what they are.
    pub previewed: u64,
    /// Those that somebody could not accept.
    pub refused: u64,
    /// Those that somebody accepted.
    pub accepted: u64,
    /// How many people accepted.
    pub accepts: u64,
    /// Where they stand now; only what there is.
    pub by_status: BTreeMap<InviteState, u64>,
    /// Absent if nobody accepted any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_to_accept: Option<InviteDelays>,
}

/// What became of the invites of one inviter, role or domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteGroup {
    pub name: String,
    #[serde(flatten)]
    pub funnel: InviteFunnel,
}

/// What became of the invites that were made in a time, as far as the caller may read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteStatistics {
    /// Made at this instant or later,
    pub created_after: Timestamp,
    /// and before this one.
    pub created_before: Timestamp,
    pub total: InviteFunnel,
    /// Most invites first; absent if they were not to be told apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<InviteGroup>,
    /// There are more groups than are told.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more_groups: bool,
    /// There are more invites than were looked at: ask for a shorter time.
    #[serde(default, skip_serializing_if = "is_false")]
    pub incomplete: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}
