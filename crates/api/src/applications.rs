//! Applications that users sign in to (contract §2.2 Application).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::ids::ApplicationId;
use crate::limits;
use crate::paging::{CollectionLinks, Pagination, absent_on_the_last_page};
use crate::text::{Bounded, Malformed, OpenEnum, Tags, Text, absent_if_empty, default_if_null};
use crate::times::Timestamp;

/// The name of an application.
pub type ApplicationName = Text<1, { limits::SHORT_NAME_LENGTH }>;
/// Who an application's tokens are for.
pub type ApplicationAudience = Text<1, { limits::APPLICATION_AUDIENCE_LENGTH }>;
/// The redirect URLs of an application as they are sent.
pub type RedirectUrls = Bounded<RedirectUrl, 0, { limits::REDIRECT_URLS }>;
/// The audiences of an application as they are sent.
pub type ApplicationAudiences = Bounded<ApplicationAudience, 0, { limits::APPLICATION_AUDIENCES }>;

/// Schemes that run or show what stands in the URL itself, or a file of the user's machine.
const NOT_TO_REDIRECT_TO: [&str; 6] = ["javascript", "data", "vbscript", "blob", "file", "about"];

/// Where users may be sent after they signed in: an absolute URL without a fragment (RFC 6749
/// §3.1.2). Its scheme may be one of an application's own (RFC 8252 §7.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RedirectUrl(String);

impl RedirectUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RedirectUrl {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || {
            Malformed::new(format!(
                "must be an absolute URL of at most {} visible ASCII characters without a \
                 fragment, as in https://app.example.com",
                limits::REDIRECT_URL_LENGTH
            ))
        };
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.len() > limits::REDIRECT_URL_LENGTH || !visible || text.contains('#') {
            return Err(malformed());
        }
        let (scheme, rest) = text.split_once(':').ok_or_else(malformed)?;
        let scheme = scheme.to_ascii_lowercase();
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        // `localhost:3000` is no URL, although it begins like one.
        let is_path = rest.starts_with('/');
        let has_host = rest
            .strip_prefix("//")
            .is_some_and(|host| !host.is_empty() && !host.starts_with(['/', '?']));
        // `https://a.example@evil.example` is a URL of evil.example, and `https://*` one of anybody.
        let authority = rest.strip_prefix("//").unwrap_or_default();
        let authority = authority.split(['/', '?', '\\']).next().unwrap_or_default();
        let is_misleading =
            authority.contains('@') || authority.trim_matches(['*', '.']).is_empty();
        let is_web = matches!(scheme.as_str(), "http" | "https");
        if !is_scheme || !is_path || (is_web && (!has_host || is_misleading)) {
            return Err(malformed());
        }
        if NOT_TO_REDIRECT_TO.contains(&scheme.as_str()) {
            return Err(Malformed::new(format!("must not have the scheme {scheme}")));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RedirectUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RedirectUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// How many sessions a user may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SessionType {
    SingleSession,
    #[default]
    MultiSession,
}

/// An application as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    pub application_id: ApplicationId,
    pub name: ApplicationName,
    #[serde(default, deserialize_with = "default_if_null")]
    pub redirect_urls: Vec<RedirectUrl>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub session_type: OpenEnum<SessionType>,
    #[serde(
        default,
        deserialize_with = "default_if_null",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub audiences: Vec<ApplicationAudience>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<Timestamp>,
    /// Always there: SDKs need it (contract §2.2).
    #[serde(default)]
    pub tags: Tags,
}

/// An application as it is written. Read-only members are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationRequest {
    pub name: ApplicationName,
    #[serde(default, deserialize_with = "default_if_null")]
    pub redirect_urls: RedirectUrls,
    /// `MULTI_SESSION` unless given.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub session_type: Option<SessionType>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub audiences: ApplicationAudiences,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

impl ApplicationRequest {
    /// An application with this name.
    ///
    /// # Errors
    ///
    /// If the name is not what it must be.
    pub fn new(name: &str) -> Result<Self, Malformed> {
        Ok(Self {
            name: ApplicationName::parse(name)?,
            redirect_urls: RedirectUrls::default(),
            session_type: None,
            audiences: ApplicationAudiences::default(),
            tags: Tags::default(),
        })
    }

    /// One more URL to which users may be sent. At most 100, which the server checks.
    #[must_use]
    pub fn redirect_url(mut self, url: RedirectUrl) -> Self {
        self.redirect_urls = self.redirect_urls.with(url);
        self
    }

    /// How many sessions a user may have.
    #[must_use]
    pub fn session_type(mut self, session_type: SessionType) -> Self {
        self.session_type = Some(session_type);
        self
    }

    /// One more audience of its tokens. At most 10, which the server checks.
    #[must_use]
    pub fn audience(mut self, audience: ApplicationAudience) -> Self {
        self.audiences = self.audiences.with(audience);
        self
    }

    /// These labels in place of those it has.
    #[must_use]
    pub fn tags(mut self, tags: Tags) -> Self {
        self.tags = tags;
        self
    }
}

impl Application {
    /// The same as a request: for changing what was read.
    ///
    /// # Errors
    ///
    /// If a list is longer than a request may have it, which our server never answers.
    pub fn to_request(&self) -> Result<ApplicationRequest, Malformed> {
        Ok(ApplicationRequest {
            name: self.name.clone(),
            redirect_urls: Bounded::new(self.redirect_urls.clone())?,
            session_type: self.session_type.known().copied(),
            audiences: Bounded::new(self.audiences.clone())?,
            tags: self.tags.clone(),
        })
    }
}

/// A page of applications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationCollection {
    pub applications: Vec<Application>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_go_to_absolute_urls_that_run_nothing() {
        for good in [
            "https://app.example.com",
            "http://localhost:3000/callback?a=b",
            "com.example.app:/callback",
            "myapp://callback",
            "https://*.example.com/",
        ] {
            assert!(good.parse::<RedirectUrl>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "app.example.com",
            "localhost:3000",
            "//app.example.com",
            "https:",
            "https:/app",
            "https://",
            "https:///a",
            "https://?a",
            "https://a#b",
            "https://a b",
            "https://ü",
            "1a://b",
            "javascript:alert(1)",
            "JavaScript://%0aalert(1)",
            "data:/text",
            "file:///etc/passwd",
            &format!("https://a/{}", "b".repeat(1024)),
        ] {
            assert!(bad.parse::<RedirectUrl>().is_err(), "{bad}");
        }
    }
}
