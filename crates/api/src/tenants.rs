//! Tenants: partitions of users, usually one for each business customer (contract §2.2 Tenant).

use serde::{Deserialize, Serialize};

use crate::durations::IsoDuration;
use crate::ids::{ConnectionId, Domain, TenantId, TenantLookupIdentifier, UserId};
use crate::limits;
use crate::paging::{CollectionLinks, Pagination, absent_on_the_last_page};
use crate::text::{Bounded, Malformed, Text, absent_if_empty, default_if_null};
use crate::times::Timestamp;

/// The name of a tenant.
pub type TenantName = Text<1, { limits::SHORT_NAME_LENGTH }>;
/// How long an access token lives.
pub type AccessTokenDuration =
    IsoDuration<{ limits::TOKEN_DURATION_LEAST }, { limits::TOKEN_DURATION_MOST }>;
/// How long a session lives.
pub type SessionDuration =
    IsoDuration<{ limits::TOKEN_DURATION_LEAST }, { limits::SESSION_DURATION_MOST }>;

/// What a tenant is called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantData {
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<TenantName>,
}

/// A domain whose e-mail addresses belong to a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantDomain {
    pub domain: Domain,
}

/// How the users of a tenant sign in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantConnection {
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub connection_id: Option<ConnectionId>,
}

/// How long the tokens and sessions of a tenant's users live.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticationTokenConfiguration {
    /// `PT24H` unless given; a minute to 24 hours.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub access_token_duration: Option<AccessTokenDuration>,
    /// `P30D` unless given; a minute to 90 days.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub session_duration: Option<SessionDuration>,
}

/// The domains of a tenant as they are sent.
pub type TenantDomains = Bounded<TenantDomain, 0, { limits::TENANT_DOMAINS }>;

/// A tenant as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    pub tenant_id: TenantId,
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub tenant_lookup_identifier: Option<TenantLookupIdentifier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<TenantData>,
    #[serde(
        default,
        deserialize_with = "default_if_null",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub domains: Vec<TenantDomain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<TenantConnection>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_configuration: Option<AuthenticationTokenConfiguration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_time: Option<Timestamp>,
}

/// A tenant as it is written. Read-only members are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantRequest {
    /// Made by the server if absent.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub tenant_id: Option<TenantId>,
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub tenant_lookup_identifier: Option<TenantLookupIdentifier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<TenantData>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub domains: TenantDomains,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<TenantConnection>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_configuration: Option<AuthenticationTokenConfiguration>,
}

impl TenantRequest {
    /// A tenant of which nothing is said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Under this id.
    #[must_use]
    pub fn tenant_id(mut self, tenant_id: TenantId) -> Self {
        self.tenant_id = Some(tenant_id);
        self
    }

    /// With this name.
    #[must_use]
    pub fn name(mut self, name: TenantName) -> Self {
        self.data = Some(TenantData { name: Some(name) });
        self
    }

    /// What an application names it by when it begins a sign-in.
    #[must_use]
    pub fn tenant_lookup_identifier(mut self, identifier: TenantLookupIdentifier) -> Self {
        self.tenant_lookup_identifier = Some(identifier);
        self
    }

    /// One more domain whose addresses belong to it. At most 10, which the server checks.
    #[must_use]
    pub fn domain(mut self, domain: Domain) -> Self {
        self.domains = self.domains.with(TenantDomain { domain });
        self
    }

    /// The connection by which its users sign in.
    #[must_use]
    pub fn connection(mut self, connection_id: ConnectionId) -> Self {
        let connection_id = Some(connection_id);
        self.connection = Some(TenantConnection { connection_id });
        self
    }

    /// How long the tokens and sessions of its users live.
    #[must_use]
    pub fn token_configuration(mut self, lives: AuthenticationTokenConfiguration) -> Self {
        self.token_configuration = Some(lives);
        self
    }
}

impl Tenant {
    /// The same as a request: for changing what was read.
    ///
    /// # Errors
    ///
    /// If it has more domains than a request may have, which our server never answers.
    pub fn to_request(&self) -> Result<TenantRequest, Malformed> {
        Ok(TenantRequest {
            tenant_id: Some(self.tenant_id.clone()),
            tenant_lookup_identifier: self.tenant_lookup_identifier.clone(),
            data: self.data.clone(),
            domains: Bounded::new(self.domains.clone())?,
            connection: self.connection.clone(),
            token_configuration: self.token_configuration.clone(),
        })
    }
}

/// A page of tenants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantCollection {
    pub tenants: Vec<Tenant>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}

/// A user who is put into a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantUser {
    pub user_id: UserId,
}
