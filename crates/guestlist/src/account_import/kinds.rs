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
    Extensions,
    Clients,
    Connections,
    Tenants,
    Applications,
    Groups,
    Records,
    ResourceConfigurations,
    Identities,
    AccessRequests,
}

impl Kind {
    pub(super) const ALL: [Self; 11] = [
        Self::Roles,
        Self::Extensions,
        Self::Clients,
        Self::Connections,
        Self::Tenants,
        Self::Applications,
        Self::Groups,
        Self::Records,
        Self::ResourceConfigurations,
        Self::Identities,
        Self::AccessRequests,
    ];

    /// "role".
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Roles => "role",
            Self::Extensions => "extension",
            Self::Clients => "service client",
            Self::Connections => "connection",
            Self::Tenants => "tenant",
            Self::Applications => "application",
            Self::Groups => "group",
            Self::Records => "record",
            Self::ResourceConfigurations => "resource configuration",
            Self::Identities => "identity",
            Self::AccessRequests => "access request",
        }
    }

    /// "roles".
    pub(super) const fn nouns(self) -> &'static str {
        match self {
            Self::Roles => "roles",
            Self::Extensions => "extensions",
            Self::Clients => "service clients",
            Self::Connections => "connections",
            Self::Tenants => "tenants",
            Self::Applications => "applications",
            Self::Groups => "groups",
            Self::Records => "records",
            Self::ResourceConfigurations => "resource configurations",
            Self::Identities => "identities",
            Self::AccessRequests => "access requests",
        }
    }
}
