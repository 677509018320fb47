//! What an import carries: the kinds of documents, in the order in which they are carried.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A kind of document. What others name comes before them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ValueEnum,
)]
#[serde(rename_all = "camelCase")]
pub(super) enum Kind {
    Roles,
    Clients,
    Groups,
    Records,
    Identities,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [
        Self::Roles,
        Self::Clients,
        Self::Groups,
        Self::Records,
        Self::Identities,
    ];

    /// "role".
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Roles => "role",
            Self::Clients => "service client",
            Self::Groups => "group",
            Self::Records => "record",
            Self::Identities => "identity",
        }
    }

    /// "roles".
    pub(super) const fn nouns(self) -> &'static str {
        match self {
            Self::Roles => "roles",
            Self::Clients => "service clients",
            Self::Groups => "groups",
            Self::Records => "records",
            Self::Identities => "identities",
        }
    }
}
