//! Connections: identity providers by which users sign in (contract §2.2 Connection).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::durations::IsoDuration;
use crate::ids::ConnectionId;
use crate::limits;
use crate::paging::{CollectionLinks, Pagination, absent_on_the_last_page};
use crate::text::{Malformed, OpenEnum, Tags, Text, absent_if_empty, default_if_null};
use crate::times::Timestamp;

/// How a provider signs users in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectionType {
    #[default]
    #[serde(rename = "OAUTH2")]
    OAuth2,
    #[serde(rename = "SAML2")]
    Saml2,
    #[serde(rename = "WebAuthN")]
    WebAuthN,
    #[serde(rename = "PASSWORD")]
    Password,
    #[serde(rename = "OPENID-LEGACY")]
    OpenIdLegacy,
}

/// A URL of a provider, with `https` or `http`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ProviderUrl<const MAX: usize>(Text<1, MAX>);

impl<const MAX: usize> ProviderUrl<MAX> {
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl<const MAX: usize> FromStr for ProviderUrl<MAX> {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let parsed = Text::parse(text)?;
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible || rest.is_none_or(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Err(Malformed::new(
                "must be a URL that begins with https:// or http://, in visible ASCII characters",
            ));
        }
        Ok(Self(parsed))
    }
}

impl<const MAX: usize> fmt::Display for ProviderUrl<MAX> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for ProviderUrl<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// Where a provider lets users sign in.
pub type AuthenticationUrl = ProviderUrl<{ limits::AUTHENTICATION_URL_LENGTH }>;
/// Another URL of a provider.
pub type EndpointUrl = ProviderUrl<{ limits::CONNECTION_TEXT_LENGTH }>;
/// A short text about a connection.
pub type ConnectionText = Text<1, { limits::CONNECTION_TEXT_LENGTH }>;
/// What people call a connection.
pub type ConnectionName = Text<1, { limits::SHORT_NAME_LENGTH }>;
/// Which of several secrets of a client it is.
pub type ClientSecretId = Text<1, { limits::SECRET_ID_LENGTH }>;

/// The certificate of a provider: text of several lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ProviderCertificate(String);

impl ProviderCertificate {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProviderCertificate {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let foreign =
            |character: char| character.is_control() && !matches!(character, '\n' | '\r' | '\t');
        let length = text.chars().count();
        if length == 0 || length > limits::CERTIFICATE_LENGTH || text.chars().any(foreign) {
            return Err(Malformed::new(format!(
                "must have 1 to {} characters and no control characters but line feeds",
                limits::CERTIFICATE_LENGTH
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for ProviderCertificate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// The secret of a client at its provider. It has no comparison and prints nothing.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// The secret itself: for sending it to the server, and for encrypting it there.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientSecret {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let length = text.chars().count();
        if length == 0 || length > limits::CLIENT_SECRET_LENGTH {
            return Err(Malformed::new(format!(
                "must have 1 to {} characters",
                limits::CLIENT_SECRET_LENGTH
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientSecret(…)")
    }
}

impl<'de> Deserialize<'de> for ClientSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// The country, as three letters of ISO 3166-1, in which what is known of users must stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DataLocation {
    Zaf,
    Hkg,
    Ind,
    Jpn,
    Kor,
    Sgp,
    Aus,
    Idn,
    Can,
    Deu,
    Che,
    Swe,
    Ita,
    Irl,
    Gbr,
    Fra,
    Isr,
    Bhr,
    Are,
    Bra,
    Usa,
}

/// Where what is known of users is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionUserDataConfiguration {
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub location: Option<OpenEnum<DataLocation>>,
}

/// The media type in which a provider takes requests for tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SupportedContentType {
    #[serde(rename = "application/json")]
    Json,
    #[serde(rename = "application/x-www-form-urlencoded")]
    Form,
}

/// More about a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionData {
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub developer_account_id: Option<Text<1, { limits::SECRET_ID_LENGTH }>>,
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<ConnectionName>,
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub supported_content_type: Option<SupportedContentType>,
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub oidc_user_endpoint_url: Option<EndpointUrl>,
    /// How a user id is made from what the provider tells.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub user_id_expression: Option<Text<1, { limits::USER_ID_EXPRESSION_LENGTH }>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_identity_user_id: Option<bool>,
}

/// What is sent along when a user is sent to a provider: `scope`, and whatever else it knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ConnectionProperties(BTreeMap<String, String>);

impl ConnectionProperties {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more, or with another value for it.
    ///
    /// # Errors
    ///
    /// If the name or the value is too long, or there are more than 50.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self, Malformed> {
        Text::<1, { limits::CONNECTION_TEXT_LENGTH }>::parse(name)?;
        Text::<0, { limits::CONNECTION_PROPERTY_LENGTH }>::parse(value)?;
        self.0.insert(name.to_owned(), value.to_owned());
        if self.0.len() > limits::CONNECTION_PROPERTIES {
            return Err(Malformed::new(format!(
                "must have at most {} properties",
                limits::CONNECTION_PROPERTIES
            )));
        }
        Ok(self)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<'de> Deserialize<'de> for ConnectionProperties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A property that is null is none.
        let given = BTreeMap::<String, Option<String>>::deserialize(deserializer)?;
        given
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name, value)))
            .try_fold(Self::new(), |all, (name, value)| all.with(&name, &value))
            .map_err(de::Error::custom)
    }
}

/// Who may sign in, and how old a sign-in may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionConditions {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_business_account: Option<bool>,
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub authentication_leeway_duration: Option<LeewayDuration>,
}

/// A minute to an hour.
pub type LeewayDuration =
    IsoDuration<{ limits::TOKEN_DURATION_LEAST }, { limits::LEEWAY_DURATION_MOST }>;

/// How users who sign in come into a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AssignmentType {
    Default,
    TrustedDomainFallback,
}

/// How users who sign in come into a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionTenantConfiguration {
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub assignment_type: Option<AssignmentType>,
}

/// How the identities of one person at several providers are linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LinkingType {
    Explicit,
    Automatic,
}

/// How the identities of one person at several providers are linked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionLinkingConfiguration {
    #[serde(
        rename = "type",
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub kind: Option<LinkingType>,
}

/// Makes a type with the members that a connection has in a request, in an answer and in store, and
/// with further ones. Written into each rather than flattened into it, so that a member that cannot
/// be read is named by its whole path.
macro_rules! connection {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$about:meta])* pub $member:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// `OAUTH2` unless given.
            #[serde(
                rename = "type",
                default,
                deserialize_with = "absent_if_empty",
                skip_serializing_if = "Option::is_none"
            )]
            pub kind: Option<ConnectionType>,
            /// Where users sign in.
            #[serde(
                default,
                deserialize_with = "absent_if_empty",
                skip_serializing_if = "Option::is_none"
            )]
            pub authentication_url: Option<AuthenticationUrl>,
            /// Where codes are exchanged for tokens.
            #[serde(
                default,
                deserialize_with = "absent_if_empty",
                skip_serializing_if = "Option::is_none"
            )]
            pub token_url: Option<EndpointUrl>,
            /// The `iss` of its tokens, or the entity id.
            #[serde(
                default,
                deserialize_with = "absent_if_empty",
                skip_serializing_if = "Option::is_none"
            )]
            pub issuer_url: Option<ConnectionText>,
            /// What its signatures are verified with.
            #[serde(
                default,
                deserialize_with = "absent_if_empty",
                skip_serializing_if = "Option::is_none"
            )]
            pub provider_certificate: Option<ProviderCertificate>,
            /// The client as which this server is known to the provider: not a service client.
            #[serde(
                default,
                deserialize_with = "absent_if_empty",
                skip_serializing_if = "Option::is_none"
            )]
            pub client_id: Option<ConnectionText>,
            #[serde(
                default,
                deserialize_with = "absent_if_empty",
                skip_serializing_if = "Option::is_none"
            )]
            pub client_secret_id: Option<ClientSecretId>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub user_data_configuration: Option<ConnectionUserDataConfiguration>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub data: Option<ConnectionData>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub default_connection_properties: Option<ConnectionProperties>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub conditions: Option<ConnectionConditions>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub tenant_configuration: Option<ConnectionTenantConfiguration>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub linking_configuration: Option<ConnectionLinkingConfiguration>,
            $($(#[$about])* pub $member: $type,)*
        }

        impl $name {
            /// The same with these settings in place of those it has.
            #[must_use]
            pub fn with_settings(mut self, settings: ConnectionSettings) -> Self {
                self.kind = settings.kind;
                self.authentication_url = settings.authentication_url;
                self.token_url = settings.token_url;
                self.issuer_url = settings.issuer_url;
                self.provider_certificate = settings.provider_certificate;
                self.client_id = settings.client_id;
                self.client_secret_id = settings.client_secret_id;
                self.user_data_configuration = settings.user_data_configuration;
                self.data = settings.data;
                self.default_connection_properties = settings.default_connection_properties;
                self.conditions = settings.conditions;
                self.tenant_configuration = settings.tenant_configuration;
                self.linking_configuration = settings.linking_configuration;
                self
            }

            /// What is said of it besides its id, its labels and its secret.
            #[must_use]
            pub fn settings(&self) -> ConnectionSettings {
                ConnectionSettings {
                    kind: self.kind.clone(),
                    authentication_url: self.authentication_url.clone(),
                    token_url: self.token_url.clone(),
                    issuer_url: self.issuer_url.clone(),
                    provider_certificate: self.provider_certificate.clone(),
                    client_id: self.client_id.clone(),
                    client_secret_id: self.client_secret_id.clone(),
                    user_data_configuration: self.user_data_configuration.clone(),
                    data: self.data.clone(),
                    default_connection_properties: self.default_connection_properties.clone(),
                    conditions: self.conditions.clone(),
                    tenant_configuration: self.tenant_configuration.clone(),
                    linking_configuration: self.linking_configuration.clone(),
                }
            }
        }
    };
}

connection!(
    /// What is said of a connection, besides its id, its labels and its secret.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct ConnectionSettings {}
);

connection!(
    /// A connection as it is answered. It never holds the client's secret.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Connection {
        pub connection_id: ConnectionId,
        /// Whether a secret is kept. Other servers do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub has_client_secret: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub created_time: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub last_updated: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "Tags::is_empty")]
        pub tags: Tags,
    }
);

connection!(
    /// A connection as it is written. Read-only members are ignored.
    #[derive(Debug, Clone, Default, Serialize, Deserialize)]
    pub struct ConnectionRequest {
        /// Made by the server if absent.
        #[serde(
            default,
            deserialize_with = "absent_if_empty",
            skip_serializing_if = "Option::is_none"
        )]
        pub connection_id: Option<ConnectionId>,
        /// If it is absent in an update, the one that is kept stays.
        #[serde(
            default,
            deserialize_with = "absent_if_empty",
            skip_serializing_if = "Option::is_none"
        )]
        pub client_secret: Option<ClientSecret>,
        #[serde(default, skip_serializing_if = "Tags::is_empty")]
        pub tags: Tags,
    }
);

impl ConnectionRequest {
    /// A connection of this kind.
    pub fn new(kind: ConnectionType) -> Self {
        Self {
            kind: Some(kind),
            ..Self::default()
        }
    }

    /// Under this id.
    #[must_use]
    pub fn connection_id(mut self, connection_id: ConnectionId) -> Self {
        self.connection_id = Some(connection_id);
        self
    }

    /// With the client as which this server is known to the provider, and its secret.
    #[must_use]
    pub fn client(mut self, client_id: ConnectionText, secret: ClientSecret) -> Self {
        self.client_id = Some(client_id);
        self.client_secret = Some(secret);
        self
    }

    /// These labels in place of those it has.
    #[must_use]
    pub fn tags(mut self, tags: Tags) -> Self {
        self.tags = tags;
        self
    }
}

impl Connection {
    /// A connection of which nothing is said.
    pub fn new(connection_id: ConnectionId) -> Self {
        let bare = ConnectionSettings::default();
        Self {
            kind: bare.kind,
            authentication_url: bare.authentication_url,
            token_url: bare.token_url,
            issuer_url: bare.issuer_url,
            provider_certificate: bare.provider_certificate,
            client_id: bare.client_id,
            client_secret_id: bare.client_secret_id,
            user_data_configuration: bare.user_data_configuration,
            data: bare.data,
            default_connection_properties: bare.default_connection_properties,
            conditions: bare.conditions,
            tenant_configuration: bare.tenant_configuration,
            linking_configuration: bare.linking_configuration,
            connection_id,
            has_client_secret: None,
            created_time: None,
            last_updated: None,
            tags: Tags::default(),
        }
    }

    /// The same as a request, without the secret: for changing what was read.
    pub fn to_request(&self) -> ConnectionRequest {
        ConnectionRequest {
            connection_id: Some(self.connection_id.clone()),
            tags: self.tags.clone(),
            ..ConnectionRequest::default()
        }
        .with_settings(self.settings())
    }
}

/// A page of connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionCollection {
    pub connections: Vec<Connection>,
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
    fn s05_a_secret_prints_nothing() {
        let secret: ClientSecret = "canary".parse().unwrap();
        let request = ConnectionRequest::new(ConnectionType::OAuth2)
            .client(Text::parse("c").unwrap(), secret);
        assert!(!format!("{request:?}").contains("canary"));
    }

    #[test]
    fn urls_of_providers_are_absolute() {
        for good in ["https://a", "http://127.0.0.1:8080/x?y#z"] {
            assert!(good.parse::<EndpointUrl>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "//a",
            "https://",
            "https:///a",
            "ftp://a",
            "javascript:x",
            "https://a b",
            "https://ü",
        ] {
            assert!(bad.parse::<EndpointUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_empty_member_is_an_absent_one() {
        let text = r#"{"connectionId":"","type":"","clientSecret":null,"tokenUrl":"","data":null,"linkingConfiguration":{"type":null}}"#;
        let request: ConnectionRequest = serde_json::from_str(text).unwrap();
        assert_eq!(request.connection_id, None);
        assert!(request.client_secret.is_none());
        assert_eq!(request.kind, None);
    }
}
