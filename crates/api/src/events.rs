//! The event log as it is read: what changed, when, by whom, in the order it happened (an extension).
//!
//! An event never holds a secret: an invite is named by its reference, an access key by its id.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::chain::{CanonicalEvent, ChainHash, HashedParts};
use crate::ids::{EventId, RecordId, UserId};
use crate::resources::ResourceUri;
use crate::text::OpenEnum;
use crate::times::Timestamp;

/// A page of the event log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventCollection {
    /// Those after the revision that was named, oldest first. Revisions have no gaps.
    pub events: Vec<Event>,
    /// The newest revision that the server has: a reader whose last event is older is behind. If it
    /// is smaller than the revision that was named, the server has lost what the reader has seen
    /// (it was restored from a backup), or is itself behind another.
    pub last_revision: u64,
    /// The hash of that newest revision: kept somewhere else, it shows later that nothing up to it
    /// was changed. Absent from servers that do not chain their events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_hash: Option<ChainHash>,
}

/// One committed change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its place in the log, counting from 1: what to go on after.
    pub revision: u64,
    /// The same each time the event is read or delivered, so that repetitions can be told. After a
    /// restored backup revisions are used again, ids are not.
    pub event_id: EventId,
    pub event_type: EventType,
    pub event_time: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What it happened to.
    pub subject: Subject,
    /// The `X-Request-Id` of the request that did it; absent for what the server did by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Details, by type.
    pub data: EventData,
    /// The hash of this event and all before it ([`chain`](crate::chain)). Absent from what is not
    /// in the log (`webhook.tested`), and from servers that do not chain their events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<ChainHash>,
}

impl Event {
    /// What of it is hashed. Not its id and not the kind of its actor, which follow from the rest.
    pub fn canonical(&self) -> CanonicalEvent {
        CanonicalEvent::new(&HashedParts {
            actor: self.actor.id.as_str(),
            data: &serde_json::Value::Object(self.data.0.clone()),
            time: self.event_time,
            event_type: self.event_type.as_str(),
            request_id: self.request_id.as_deref().unwrap_or_default(),
            subject_kind: self.subject.kind.as_str(),
            subject_id: &self.subject.id,
        })
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub kind: ActorKind,
    pub id: UserId,
}

/// What something happened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    pub kind: SubjectKind,
    /// Its id; of an invite the reference, of an identity the issuer.
    pub id: String,
}

/// An enumeration that newer servers may have more members of: those are kept as their text.
macro_rules! open_enumeration {
    ($(#[$meta:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$about])* $variant,)*
            /// One that this version does not know.
            Other(String),
        }

        impl $name {
            /// Every one that this version knows.
            pub const KNOWN: &[Self] = &[$(Self::$variant),*];

            /// The text on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(|text| Self::from(text.as_str()))
            }
        }
    };
}

open_enumeration!(
    /// What kind of principal did something.
    ActorKind {
        /// A person, by a token of a linked issuer.
        User = "user",
        /// A service client.
        Client = "client",
        /// The server itself, at its first start.
        Service = "service",
    }
);

open_enumeration!(
    /// What kind of object something happened to.
    SubjectKind {
        AccessRequest = "access-request",
        Account = "account",
        Application = "application",
        Client = "client",
        Connection = "connection",
        Extension = "extension",
        Group = "group",
        Identity = "identity",
        Invite = "invite",
        Record = "record",
        Resource = "resource",
        Role = "role",
        /// What the account decided: `invites`.
        Settings = "settings",
        Tenant = "tenant",
        User = "user",
        Webhook = "webhook",
    }
);

open_enumeration!(
    /// What happened, as `noun.verb`.
    EventType {
        /// What was asked for was given, in the record that the details name.
        AccessRequestApproved = "access-request.approved",
        AccessRequestCreated = "access-request.created",
        AccessRequestDeleted = "access-request.deleted",
        AccessRequestDenied = "access-request.denied",
        /// The server was started for the first time.
        AccountCreated = "account.created",
        AccountUpdated = "account.updated",
        ApplicationCreated = "application.created",
        ApplicationDeleted = "application.deleted",
        ApplicationUpdated = "application.updated",
        ClientCreated = "client.created",
        ClientDeleted = "client.deleted",
        /// A service client got an access key.
        ClientKeyCreated = "client.key-created",
        ClientKeyDeleted = "client.key-deleted",
        ClientUpdated = "client.updated",
        ConnectionCreated = "connection.created",
        ConnectionDeleted = "connection.deleted",
        ConnectionUpdated = "connection.updated",
        ExtensionCreated = "extension.created",
        ExtensionDeleted = "extension.deleted",
        ExtensionUpdated = "extension.updated",
        GroupCreated = "group.created",
        GroupDeleted = "group.deleted",
        GroupUpdated = "group.updated",
        /// A token issuer was linked, or linked anew.
        IdentityLinked = "identity.linked",
        /// Somebody could not accept an invite; the details have the error code they were told.
        InviteAcceptFailed = "invite.accept-failed",
        InviteAccepted = "invite.accepted",
        /// Somebody accepted an invite, and the access request that the details name asks that it be
        /// approved. Nothing is given yet.
        InviteApprovalRequested = "invite.approval-requested",
        /// What somebody accepted was approved and given: told in the place of `invite.accepted` and
        /// `access-request.approved`.
        InviteApproved = "invite.approved",
        /// Several invites were made by one request, all or none; the details have the reference of
        /// each.
        InviteBatchCreated = "invite.batch-created",
        InviteCreated = "invite.created",
        /// Whoever it was for, or held its id, does not want it.
        InviteDeclined = "invite.declined",
        /// What somebody accepted was not approved, and the invite has ended: told in the place of
        /// `access-request.denied`.
        InviteDenied = "invite.denied",
        /// An invite for several people was used as often as it may be.
        InviteExhausted = "invite.exhausted",
        /// The time of an invite that nobody used is over. Told within seconds, and not what makes
        /// it so.
        InviteExpired = "invite.expired",
        /// Somebody who held the id looked what the invite is, for the first time.
        InvitePreviewed = "invite.previewed",
        /// It got another id and more time.
        InviteRenewed = "invite.renewed",
        /// Whoever made it can give again what it holds.
        InviteResumed = "invite.resumed",
        /// Whoever made it cannot give any more what it holds. Told within seconds, and not what
        /// makes it so.
        InviteSuspended = "invite.suspended",
        /// The access that it gave to somebody was taken back.
        InviteUndone = "invite.undone",
        /// What it holds or says was replaced.
        InviteUpdated = "invite.updated",
        /// An invite was withdrawn, before or after it was accepted.
        InviteRevoked = "invite.revoked",
        RecordCreated = "record.created",
        RecordDeleted = "record.deleted",
        RecordUpdated = "record.updated",
        /// Somebody made a resource their own, in the record that the details name.
        ResourceClaimed = "resource.claimed",
        /// It was said what everybody may do with a resource.
        ResourceConfigured = "resource.configured",
        RoleCreated = "role.created",
        RoleDeleted = "role.deleted",
        RoleUpdated = "role.updated",
        /// The account decided something: what, the subject says.
        SettingsUpdated = "settings.updated",
        TenantCreated = "tenant.created",
        TenantDeleted = "tenant.deleted",
        TenantUpdated = "tenant.updated",
        /// A user was put into a tenant.
        TenantUserLinked = "tenant.user-linked",
        /// It was said what the tokens of a user say.
        UserTokenConfigured = "user.token-configured",
        /// A service client made a token for a user.
        UserTokenCreated = "user.token-created",
        UserTokenDisabled = "user.token-disabled",
        /// The last of what named a user, as far as it was known, names them no more.
        UserDeleted = "user.deleted",
        /// A part of what named a user names them no more.
        UserDeletionContinued = "user.deletion-continued",
        WebhookCreated = "webhook.created",
        WebhookDeleted = "webhook.deleted",
        /// The server disabled a webhook whose receiver is gone, or failed for too long.
        WebhookDisabled = "webhook.disabled",
        /// What was delivered was written down. It is sent to no webhook: it would never end.
        WebhookProgressed = "webhook.progressed",
        /// Events are sent from another revision on.
        WebhookReplayed = "webhook.replayed",
        /// A webhook got another secret.
        WebhookSecretRotated = "webhook.secret-rotated",
        /// A test delivery. It is only ever sent, and is not in the log.
        WebhookTested = "webhook.tested",
        WebhookUpdated = "webhook.updated",
    }
);

impl EventType {
    /// Whether it is sent to webhooks: all but what delivering itself writes down.
    pub fn is_delivered(&self) -> bool {
        *self != Self::WebhookProgressed
    }
}

/// Whether somebody gained or lost access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccessOperation {
    Added,
    Removed,
}

/// That an access record began or ceased to give somebody something on a resource: a member of
/// `access` in the details of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessChange {
    pub record_id: RecordId,
    pub user_id: UserId,
    pub resource_uri: ResourceUri,
    pub operation: OpenEnum<AccessOperation>,
}

/// The details of an event: a JSON object whose members depend on the type of the event. Members
/// that a reader does not know are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventData(serde_json::Map<String, serde_json::Value>);

impl EventData {
    /// What `value` is written as, if that is an object (or nothing at all).
    ///
    /// # Errors
    ///
    /// It is written as something else.
    pub fn of<T: Serialize>(value: &T) -> Result<Self, serde_json::Error> {
        let value = serde_json::to_value(value)?;
        Ok(serde_json::from_value::<Option<Self>>(value)?.unwrap_or_default())
    }

    /// The whole as a type of the reader's own.
    ///
    /// # Errors
    ///
    /// It does not have the members that the type needs.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(serde_json::Value::Object(self.0.clone()))
    }

    /// A member that is text: `reference`, `recordId`, `inviter`, `outcome`, `keyId` and the like.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.0.get(member)?.as_str()
    }

    /// The names of its members.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_does_not_know_is_kept() {
        let text = r#"{"revision":3,"eventId":"evt_00000000000000000000000000000001","eventType":"planet.discovered","eventTime":"2026-01-02T03:04:05.678Z","actor":{"kind":"robot","id":"r2"},"subject":{"kind":"planet","id":"x/y"},"data":{"moons":[1,2]}}"#;
        let event: Event = serde_json::from_str(text).unwrap();
        assert_eq!(
            event.event_type,
            EventType::Other("planet.discovered".to_owned())
        );
        assert_eq!(event.subject.kind.as_str(), "planet");
        assert_eq!(event.data.members().collect::<Vec<_>>(), ["moons"]);
        assert_eq!(serde_json::to_string(&event).unwrap(), text);
    }

    #[test]
    fn every_known_type_is_a_noun_and_a_verb_in_lower_case_and_reads_as_itself() {
        for known in EventType::KNOWN {
            let (noun, verb) = known.as_str().split_once('.').unwrap();
            let is_word = |text: &str| {
                text.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            };
            assert!(is_word(noun) && is_word(verb), "{known}");
            assert!(
                SubjectKind::KNOWN.contains(&SubjectKind::from(noun)),
                "{known}"
            );
            assert_eq!(EventType::from(known.as_str()), *known);
        }
    }

    #[test]
    fn details_are_an_object_or_nothing() {
        #[derive(Debug, Serialize, Deserialize, PartialEq)]
        struct Key {
            id: String,
        }
        let key = Key { id: "a".to_owned() };
        let data = EventData::of(&key).unwrap();
        assert_eq!(data.text("id"), Some("a"));
        assert_eq!(data.read::<Key>().unwrap(), key);
        assert!(EventData::of(&()).unwrap().is_empty());
        assert!(EventData::of(&[1]).is_err());
        assert!(EventData::of(&"text").is_err());
    }
}
