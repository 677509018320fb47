//! Service clients and their access keys (contract §2.2 Client, ClientAccessKey).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, KeyId};
use crate::limits;
use crate::paging::{CollectionLinks, Pagination, absent_on_the_last_page};
use crate::text::{Bounded, Malformed, Name, Tags, Text, absent_if_empty, default_if_null};
use crate::times::Timestamp;

/// What a client may do besides what records give it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientOptions {
    /// May ask for the permissions of any user.
    #[serde(default)]
    pub grant_user_permissions_access: bool,
    /// May make tokens in the name of users.
    #[serde(default)]
    pub grant_token_generation: bool,
}

/// How many requests a client may make in a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRateLimit {
    /// An ISO 8601 duration: `PT0S`, `PT5M`, `PT1H`, `P1D` or `P1M`.
    pub duration: RateLimitDuration,
    /// 100, 1000, 100000 or 1000000 requests, or no limit.
    #[serde(default)]
    pub quota: Option<u32>,
}

/// The times a rate limit may be counted over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RateLimitDuration {
    #[serde(rename = "PT0S")]
    None,
    #[serde(rename = "PT5M")]
    FiveMinutes,
    #[serde(rename = "PT1H")]
    Hour,
    #[serde(rename = "P1D")]
    Day,
    #[serde(rename = "P1M")]
    Month,
}

/// A public key as its owner sent it: base64 (or base64url) of SPKI DER, kept byte for byte.
pub type PublicKeyText = Text<1, { limits::PUBLIC_KEY_LENGTH }>;

/// An access key as it is listed: without any secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationKey {
    pub key_id: KeyId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Only for keys whose public half was handed in: a client compares it with what it sent, and
    /// an older SDK cannot read standard base64 (contract §2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<PublicKeyText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_date: Option<Timestamp>,
}

/// A service client as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    pub client_id: ClientId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub options: ClientOptions,
    #[serde(
        default,
        deserialize_with = "default_if_null",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub rate_limits: Vec<ClientRateLimit>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub verification_keys: Vec<VerificationKey>,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// A service client as it is written. Read-only members are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientRequest {
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<Name>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub options: ClientOptions,
    #[serde(default, deserialize_with = "default_if_null")]
    pub rate_limits: Bounded<ClientRateLimit, 0, 1>,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

impl ClientRequest {
    /// A client without a name and without options.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this name.
    #[must_use]
    pub fn name(mut self, name: Name) -> Self {
        self.name = Some(name);
        self
    }

    /// With these options in place of those it has.
    #[must_use]
    pub fn options(mut self, options: ClientOptions) -> Self {
        self.options = options;
        self
    }

    /// With a limit to its requests. At most one, which the server checks.
    #[must_use]
    pub fn rate_limit(mut self, rate_limit: ClientRateLimit) -> Self {
        self.rate_limits = self.rate_limits.with(rate_limit);
        self
    }

    /// These labels in place of those it has.
    #[must_use]
    pub fn tags(mut self, tags: Tags) -> Self {
        self.tags = tags;
        self
    }
}

impl Client {
    /// The same as a request: for changing what was read.
    ///
    /// # Errors
    ///
    /// If it has more rate limits than a request may have.
    pub fn to_request(&self) -> Result<ClientRequest, Malformed> {
        Ok(ClientRequest {
            name: self.name.clone(),
            options: self.options,
            rate_limits: Bounded::new(self.rate_limits.clone())?,
            tags: self.tags.clone(),
        })
    }
}

/// A page of service clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientCollection {
    pub clients: Vec<Client>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}

/// A request for an access key: nothing, or the public half of a key the caller keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessKeyRequest {
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub public_key: Option<PublicKeyText>,
}

impl AccessKeyRequest {
    /// A key that the server makes, and tells once.
    pub fn new() -> Self {
        Self::default()
    }

    /// The public half of a key the caller keeps: base64 of SPKI DER, Ed25519.
    #[must_use]
    pub fn public_key(mut self, public_key: PublicKeyText) -> Self {
        self.public_key = Some(public_key);
        self
    }
}

/// An access key in the answer that makes it: the only time its secret is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessKey {
    pub key_id: KeyId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_date: Option<Timestamp>,
    /// The text that the caller handed in, as it was. Absent if the server made the key: older
    /// Python SDKs refuse the base64 alphabet here (contract §2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<PublicKeyText>,
    /// `{clientId}.{keyId}.{accountId}.{base64 of PKCS#8}`; absent if the caller keeps the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key: Option<AccessKeyText>,
    /// The same, under the name older SDKs read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<AccessKeyText>,
}

/// The text of an access key. A secret: it has no comparison and prints nothing.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccessKeyText(String);

impl AccessKeyText {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself: for the answer that hands it out and the file that keeps it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessKeyText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccessKeyText(…)")
    }
}
