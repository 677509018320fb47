//! Webhooks: URLs to which events are sent, signed by the Standard Webhooks scheme (an extension).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::events::{AccessChange, AccessOperation, Event, EventType};
use crate::ids::{EventId, RecordId, UserId, WebhookId};
use crate::limits;
use crate::paging::{CollectionLinks, Pagination, absent_on_the_last_page};
use crate::resources::ResourceUri;
use crate::text::{Bounded, Description, Malformed, OpenEnum, Text, default_if_null};
use crate::times::Timestamp;

/// Header field of a delivery: the id of its event, the same each time it is sent.
pub const ID_HEADER: &str = "webhook-id";
/// Header field of a delivery: when this attempt was made, in seconds since the Unix epoch.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// Header field of a delivery: its signatures, each `v1,` and base64, with spaces between them.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// Where events are sent: an absolute URL in visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct WebhookUrl(Text<1, { limits::WEBHOOK_URL_LENGTH }>);

impl WebhookUrl {
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for WebhookUrl {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let parsed = Text::parse(text)?;
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible || rest.is_none_or(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Err(Malformed::new(
                "must be a URL that begins with https://, in visible ASCII characters",
            ));
        }
        Ok(Self(parsed))
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for WebhookUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A type of event (`invite.accepted`), or all of a noun (`invite.*`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct EventPattern(String);

impl EventPattern {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an event of this type is meant.
    pub fn matches(&self, event_type: &str) -> bool {
        match self.0.strip_suffix('*') {
            // It ends in a full stop, so that `invite.*` does not mean `invites.x`.
            Some(noun) => event_type.starts_with(noun),
            None => self.0 == event_type,
        }
    }

    /// Whether this version has an event that is meant and is sent.
    pub fn is_known(&self) -> bool {
        EventType::KNOWN
            .iter()
            .any(|known| known.is_delivered() && self.matches(known.as_str()))
    }
}

impl FromStr for EventPattern {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let is_word = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        };
        let parts = text.split_once('.');
        let fits = text.len() <= limits::ID_LENGTH
            && parts.is_some_and(|(noun, verb)| is_word(noun) && (verb == "*" || is_word(verb)));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                "must be a type of event (invite.accepted) or all of a noun (invite.*)",
            ))
        }
    }
}

impl fmt::Display for EventPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Which events are sent: any of these; all if there is none.
pub type EventPatterns = Bounded<EventPattern, 0, { limits::WEBHOOK_EVENT_TYPES }>;

/// The key under which deliveries are signed: `whsec_` and the base64 of 24 to 64 bytes (Standard
/// Webhooks). It has no comparison and prints nothing.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct WebhookSecret(String);

impl WebhookSecret {
    /// The secret itself: for whoever verifies what arrives.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The base64 of the key, without its prefix.
    pub fn encoded(&self) -> &str {
        self.0.strip_prefix(PREFIX).unwrap_or(&self.0)
    }
}

/// Before each secret, so that a leaked one is found.
const PREFIX: &str = "whsec_";

impl FromStr for WebhookSecret {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new("must be whsec_ and the base64 of 24 to 64 bytes");
        let encoded = text.strip_prefix(PREFIX).ok_or_else(malformed)?;
        let letters = encoded.trim_end_matches('=');
        let fits = encoded.len() % 4 == 0
            && encoded.len() - letters.len() <= 2
            && (32..=88).contains(&encoded.len())
            && (24..=64).contains(&(letters.len() * 3 / 4))
            && letters
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(malformed())
        }
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookSecret(…)")
    }
}

impl<'de> Deserialize<'de> for WebhookSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// In which form events are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WebhookFormat {
    /// As the log has them, each whole.
    #[default]
    Event,
    /// As [`AccessChanged`], the form of the hosted service; only those that tell of access.
    AccessChanged,
}

/// That access changed, in the form of the hosted service (semantics §9.8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessChanged {
    pub event_id: EventId,
    pub triggered_by: AccessTrigger,
    /// Up to 100; a test delivery has none.
    pub changes: Vec<AccessChangedItem>,
}

/// What changed access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessTrigger {
    /// The access record; of several that one event changes the first. Absent in a test delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<RecordId>,
    /// The revision of the change: greater for each later one.
    pub version: u64,
}

/// What one user gained or lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessChangedItem {
    pub user_id: UserId,
    pub resource_uri: ResourceUri,
    pub operation: OpenEnum<AccessOperation>,
}

impl AccessChanged {
    /// The same event in this form.
    pub fn of(event: &Event) -> Self {
        /// The details of events that tell of access.
        #[derive(Default, Deserialize)]
        struct Told {
            #[serde(default)]
            access: Vec<AccessChange>,
        }
        let told: Told = event.data.read().unwrap_or_default();
        let record_id = told.access.first().map(|change| change.record_id.clone());
        let changes = told.access.into_iter().map(|change| AccessChangedItem {
            user_id: change.user_id,
            resource_uri: change.resource_uri,
            operation: change.operation,
        });
        Self {
            event_id: event.event_id.clone(),
            triggered_by: AccessTrigger {
                record_id,
                version: event.revision,
            },
            changes: changes.collect(),
        }
    }
}

/// Why the server itself disabled a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DisabledReason {
    /// The receiver answered 410.
    Gone,
    /// One event could not be delivered for 24 hours.
    Failing,
}

/// A webhook as it is answered. It never holds its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    pub webhook_id: WebhookId,
    pub url: WebhookUrl,
    /// Which events are sent; all if there is none.
    pub event_types: EventPatterns,
    #[serde(default)]
    pub format: OpenEnum<WebhookFormat>,
    pub enabled: bool,
    /// Why the server disabled it; absent if it is enabled, or if somebody else did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<OpenEnum<DisabledReason>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    pub created_time: Timestamp,
    pub last_updated: Timestamp,
}

impl Webhook {
    /// What is written to leave it as it is.
    pub fn to_request(&self) -> WebhookRequest {
        WebhookRequest {
            url: self.url.clone(),
            event_types: self.event_types.clone(),
            format: self.format.known().copied(),
            enabled: Some(self.enabled),
            description: self.description.clone(),
        }
    }
}

/// A webhook as it is written. Read-only members are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookRequest {
    pub url: WebhookUrl,
    #[serde(default, deserialize_with = "default_if_null")]
    pub event_types: EventPatterns,
    /// [`WebhookFormat::Event`] for a new one, and as it is for another, unless it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<WebhookFormat>,
    /// Yes for a new one, and as it is for another, unless it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
}

impl WebhookRequest {
    /// A webhook for every event.
    pub fn new(url: WebhookUrl) -> Self {
        Self {
            url,
            event_types: EventPatterns::default(),
            format: None,
            enabled: None,
            description: None,
        }
    }
}

/// A webhook that was just made, and its secret, which is never answered again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreatedWebhook {
    #[serde(flatten)]
    pub webhook: Webhook,
    pub secret: WebhookSecret,
}

/// A new secret, which is never answered again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RotatedWebhookSecret {
    pub secret: WebhookSecret,
    /// Until then deliveries are signed with the secret before it too.
    pub previous_secret_expires: Timestamp,
}

/// A page of webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookCollection {
    pub webhooks: Vec<Webhook>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default)]
    pub links: CollectionLinks,
}

/// From where on events are sent (again).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookReplay {
    /// The next event sent is the first after this revision; 0 means all of them, the newest
    /// revision none of those that are there.
    pub after: u64,
}

/// Why an attempt had no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryError {
    /// There was no answer in time.
    Timeout,
    /// There was no connection: the name is unknown, nobody listens, or TLS failed.
    NotConnected,
    /// The connection ended before the answer.
    ConnectionLost,
    /// The URL leads to an address that may not be reached.
    AddressNotAllowed,
    /// The secret cannot be decrypted: the server's sealing key is another one. Rotate it.
    SecretUnreadable,
}

/// One attempt to deliver an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The event's place in the log; 0 for a test, which has none.
    pub revision: u64,
    pub event_id: EventId,
    pub event_type: EventType,
    /// When the attempt ended.
    pub time: Timestamp,
    /// Which attempt for this event it was, counting from 1.
    pub attempt: u32,
    /// Whether the receiver answered 2xx in time.
    pub delivered: bool,
    /// What the receiver answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<OpenEnum<DeliveryError>>,
}

/// The last attempts of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryCollection {
    /// Newest first, 100 at most.
    pub deliveries: Vec<Delivery>,
    /// All events up to this revision were delivered, or were not to be sent.
    pub delivered_revision: u64,
    /// The newest revision that the server has.
    pub last_revision: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_absolute_and_of_visible_characters() {
        for good in ["https://a.example", "http://localhost:9000/x?token=y"] {
            assert_eq!(good.parse::<WebhookUrl>().unwrap().as_str(), good);
        }
        let long = format!("https://{}", "a".repeat(limits::WEBHOOK_URL_LENGTH));
        for bad in [
            "",
            "a.example",
            "ftp://a.example",
            "https://",
            "https:///x",
            "https://a b",
            "https://ü.example",
            &long,
        ] {
            assert!(bad.parse::<WebhookUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn patterns_mean_a_type_or_a_noun() {
        let matches =
            |pattern: &str, event: &str| pattern.parse::<EventPattern>().unwrap().matches(event);
        assert!(matches("invite.accepted", "invite.accepted"));
        assert!(!matches("invite.accepted", "invite.created"));
        assert!(matches("invite.*", "invite.created"));
        assert!(!matches("invite.*", "invites.created"));
        assert!(!matches("access-request.*", "account.created"));
        for bad in [
            "",
            "*",
            "invite",
            "invite.",
            ".x",
            "*.x",
            "invite.a*",
            "Invite.x",
            "a.b.c",
        ] {
            assert!(bad.parse::<EventPattern>().is_err(), "{bad}");
        }
        for (pattern, known) in [
            ("invite.*", true),
            ("webhook.*", true),
            ("invite.accepted", true),
            ("invite.acepted", false),
            ("planet.*", false),
            ("webhook.progressed", false),
        ] {
            let pattern: EventPattern = pattern.parse().unwrap();
            assert_eq!(pattern.is_known(), known, "{pattern}");
        }
    }

    #[test]
    fn secrets_have_their_prefix_and_length_and_print_nothing() {
        let good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let secret: WebhookSecret = good.parse().unwrap();
        assert_eq!(secret.reveal(), good);
        assert_eq!(Some(secret.encoded()), good.strip_prefix("whsec_"));
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
        for bad in [
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==",
        ] {
            assert!(bad.parse::<WebhookSecret>().is_err(), "{bad}");
        }
    }
}
