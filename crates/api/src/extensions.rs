//! Extensions: the applications of third parties, each with a service client (contract §2.2
//! Extension).

use serde::{Deserialize, Serialize};

use crate::applications::{RedirectUrl, RedirectUrls};
use crate::clients::ClientRateLimit;
use crate::ids::{ApplicationId, ClientId, ExtensionId};
use crate::paging::{CollectionLinks, Links, Pagination, absent_on_the_last_page};
use crate::text::{Bounded, Malformed, Name, Tags, absent_if_empty, default_if_null};
use crate::times::Timestamp;

/// The application of an extension, as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtensionApplication {
    pub application_id: ApplicationId,
    #[serde(default, deserialize_with = "default_if_null")]
    pub redirect_urls: Vec<RedirectUrl>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: Links,
}

/// The service client of an extension, as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtensionClient {
    pub client_id: ClientId,
    #[serde(default, deserialize_with = "default_if_null")]
    pub rate_limits: Vec<ClientRateLimit>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: Links,
}

/// An extension as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Extension {
    pub extension_id: ExtensionId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<ExtensionApplication>,
    /// Our server always has it; some SDKs cannot read `null` here (contract §10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ExtensionClient>,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// What is said of an extension's application.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtensionApplicationRequest {
    #[serde(default, deserialize_with = "default_if_null")]
    pub redirect_urls: RedirectUrls,
}

/// What is said of an extension's service client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtensionClientRequest {
    #[serde(default, deserialize_with = "default_if_null")]
    pub rate_limits: Bounded<ClientRateLimit, 0, 1>,
}

/// An extension as it is written. Read-only members are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtensionRequest {
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<Name>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub application: ExtensionApplicationRequest,
    #[serde(default, deserialize_with = "default_if_null")]
    pub client: ExtensionClientRequest,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

impl ExtensionRequest {
    /// An extension of which nothing is said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this name.
    #[must_use]
    pub fn name(mut self, name: Name) -> Self {
        self.name = Some(name);
        self
    }

    /// One more URL to which users may be sent. At most 100, which the server checks.
    #[must_use]
    pub fn redirect_url(mut self, url: RedirectUrl) -> Self {
        self.application.redirect_urls = self.application.redirect_urls.with(url);
        self
    }

    /// With a limit to the requests of its client. At most one, which the server checks.
    #[must_use]
    pub fn rate_limit(mut self, rate_limit: ClientRateLimit) -> Self {
        self.client.rate_limits = self.client.rate_limits.with(rate_limit);
        self
    }

    /// These labels in place of those it has.
    #[must_use]
    pub fn tags(mut self, tags: Tags) -> Self {
        self.tags = tags;
        self
    }
}

impl Extension {
    /// The same as a request: for changing what was read.
    ///
    /// # Errors
    ///
    /// If a list is longer than a request may have it, which our server never answers.
    pub fn to_request(&self) -> Result<ExtensionRequest, Malformed> {
        let application = self.application.as_ref();
        let urls = application.map(|application| application.redirect_urls.clone());
        let client = self.client.as_ref();
        let limits = client.map(|client| client.rate_limits.clone());
        Ok(ExtensionRequest {
            name: self.name.clone(),
            application: ExtensionApplicationRequest {
                redirect_urls: Bounded::new(urls.unwrap_or_default())?,
            },
            client: ExtensionClientRequest {
                rate_limits: Bounded::new(limits.unwrap_or_default())?,
            },
            tags: self.tags.clone(),
        })
    }
}

/// A page of extensions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionCollection {
    pub extensions: Vec<Extension>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}
