//! What a decision asks the store to do: what must still hold, what to write, and what to tell.

use std::fmt;
use std::sync::Arc;

use guestlist_api::chain::{CanonicalEvent, HashedParts};
use guestlist_api::times::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A position in the event log. The log has no gaps: each committed [`Changes`] takes the next one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The version of a document: the revision that last wrote it. A document that was deleted and made
/// again has another mark, so an old condition never holds by accident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(pub u64);

/// What a document is. Its name is stored, so a name is never changed and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Account,
    AccessRecord,
    AccessRequest,
    Acceptance,
    Application,
    Client,
    Connection,
    Extension,
    Group,
    IdempotencyKey,
    Identity,
    Invite,
    InviteSettings,
    ResourceConfiguration,
    Role,
    Tenant,
    TenantUser,
    TokenConfiguration,
    UserToken,
    Webhook,
    WebhookProgress,
}

impl Kind {
    pub const ALL: [Self; 21] = [
        Self::Account,
        Self::AccessRecord,
        Self::AccessRequest,
        Self::Acceptance,
        Self::Application,
        Self::Client,
        Self::Connection,
        Self::Extension,
        Self::Group,
        Self::IdempotencyKey,
        Self::Identity,
        Self::Invite,
        Self::InviteSettings,
        Self::ResourceConfiguration,
        Self::Role,
        Self::Tenant,
        Self::TenantUser,
        Self::TokenConfiguration,
        Self::UserToken,
        Self::Webhook,
        Self::WebhookProgress,
    ];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::AccessRecord => "access-record",
            Self::AccessRequest => "access-request",
            Self::Acceptance => "acceptance",
            Self::Application => "application",
            Self::Client => "client",
            Self::Connection => "connection",
            Self::Extension => "extension",
            Self::Group => "group",
            Self::IdempotencyKey => "idempotency-key",
            Self::Identity => "identity",
            Self::Invite => "invite",
            Self::InviteSettings => "invite-settings",
            Self::ResourceConfiguration => "resource-configuration",
            Self::Role => "role",
            Self::Tenant => "tenant",
            Self::TenantUser => "tenant-user",
            Self::TokenConfiguration => "token-configuration",
            Self::UserToken => "user-token",
            Self::Webhook => "webhook",
            Self::WebhookProgress => "webhook-progress",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// An indexed attribute of a document. Its name is stored; values are compared byte by byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Facet {
    /// Access records: `ACTIVE` or `DELETED`. Access requests: `OPEN` or what became of them.
    Status,
    /// Invites: the principal who made it.
    Inviter,
    /// Invites and idempotency keys: the instant they end, as [`sortable`] milliseconds.
    Expires,
    /// Acceptances: the invite's reference. Users of tenants: the tenant.
    Parent,
    /// Acceptances: who accepted. Tokens: whose they are. Access requests: who asked.
    Principal,
    /// Access requests that nobody has answered: who asked.
    OpenBy,
    /// Tenants: the connection by which their users sign in.
    Connection,
    /// Invites that are for somebody by name: whom.
    Invitee,
    /// Invites to which something may happen by itself: the instant they end, as [`sortable`]
    /// milliseconds.
    Live,
    /// Invites: the instant they were made, as [`sortable`] milliseconds.
    Created,
    /// Invites: the same as [`sortable_back`] milliseconds, as lists go forwards only.
    CreatedLast,
}

impl Facet {
    pub const ALL: [Self; 11] = [
        Self::Status,
        Self::Inviter,
        Self::Expires,
        Self::Parent,
        Self::Principal,
        Self::OpenBy,
        Self::Connection,
        Self::Invitee,
        Self::Live,
        Self::Created,
        Self::CreatedLast,
    ];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Inviter => "inviter",
            Self::Expires => "expires",
            Self::Parent => "parent",
            Self::Principal => "principal",
            Self::OpenBy => "open-by",
            Self::Connection => "connection",
            Self::Invitee => "invitee",
            Self::Live => "live",
            Self::Created => "created",
            Self::CreatedLast => "created-last",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|facet| facet.name() == name)
    }
}

/// Milliseconds as text whose byte order is the order in time.
pub fn sortable(milliseconds: i64) -> String {
    format!("{:020}", i128::from(milliseconds) - i128::from(i64::MIN))
}

/// Milliseconds as text whose byte order goes back in time.
pub fn sortable_back(milliseconds: i64) -> String {
    format!("{:020}", i128::from(i64::MAX) - i128::from(milliseconds))
}

/// A stored object: engines know no more of it than this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub kind: Kind,
    /// Unique within its kind; compared byte by byte (case matters, no Unicode folding). At most
    /// 512 bytes, never empty, no NUL.
    pub id: String,
    /// Attributes to list by. One value per facet.
    pub facets: Vec<(Facet, String)>,
    /// JSON.
    pub body: Vec<u8>,
}

/// A value as it was read, with the mark that a later write may insist on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<T> {
    pub value: T,
    pub mark: Mark,
}

impl<T> Seen<T> {
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Seen<U> {
        Seen {
            value: change(self.value),
            mark: self.mark,
        }
    }
}

/// What must hold at the moment of the write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Expect {
    /// The document is there and was last written at this mark.
    At(Mark),
    /// There is no such document.
    Absent,
}

/// What happened, for the audit trail, webhooks and other nodes. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// What happened, as `noun.verb`: `invite.accepted`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When, in milliseconds since the Unix epoch.
    pub time: i64,
    /// Who did it: a user id or client id; `Authress:Service` for the server itself.
    pub actor: String,
    /// The request that did it; empty for the server itself.
    pub request_id: String,
    /// Whom or what it happened to, as `kind/id`.
    pub subject: String,
    /// Details by kind of event.
    pub data: serde_json::Value,
}

impl Event {
    /// The published kind and the id of the subject; `None` where it is not `kind/id`.
    pub fn published_subject(&self) -> Option<(&str, &str)> {
        let (noun, id) = self.subject.split_once('/')?;
        Some((published(noun), id))
    }

    /// What of it is hashed: what is published of it, so that who reads it can compute the same.
    pub fn canonical(&self) -> CanonicalEvent {
        let (subject_kind, subject_id) = self.published_subject().unwrap_or((&self.subject, ""));
        CanonicalEvent::new(&HashedParts {
            actor: &self.actor,
            data: &self.data,
            time: Timestamp::from_milliseconds(self.time),
            event_type: published(&self.kind),
            request_id: &self.request_id,
            subject_kind,
            subject_id,
        })
    }
}

/// The published name of a kind of event or subject: access records are stored under a longer one.
pub fn published(stored: &str) -> &str {
    let short = stored.strip_prefix("access-");
    short
        .filter(|short| *short == "record" || short.starts_with("record."))
        .unwrap_or(stored)
}

/// One change, all or nothing: it is written only if every expectation still holds.
///
/// A rule lists in `expect` also what it relied on without writing it (the record and the role that
/// gave the authority), so that a revocation can never race with what the authority was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    pub expect: Vec<(Kind, String, Expect)>,
    pub write: Vec<Document>,
    pub delete: Vec<(Kind, String)>,
    /// Exactly one: nothing is changed without a line in the log, and each line is one change.
    pub event: Event,
}

/// A change that is durable, as subscribers of a store receive it.
#[derive(Debug, Clone)]
pub struct Committed {
    pub revision: Revision,
    pub changes: Arc<Changes>,
}

/// A value that is kept as a [`Document`].
pub trait Stored: Serialize + DeserializeOwned {
    const KIND: Kind;
    fn id(&self) -> String;
    fn facets(&self) -> Vec<(Facet, String)> {
        Vec::new()
    }
}

/// A document does not hold what its kind promises: written by a newer version, or damaged.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the stored {kind:?} {id:?} cannot be read: {reason}")]
pub struct Unreadable {
    pub kind: Kind,
    pub id: String,
    pub reason: String,
}

impl Document {
    /// The stored form of a value.
    pub fn of<T: Stored>(value: &T) -> Result<Self, Unreadable> {
        let body = serde_json::to_vec(value).map_err(|error| Unreadable {
            kind: T::KIND,
            id: value.id(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            kind: T::KIND,
            id: value.id(),
            facets: value.facets(),
            body,
        })
    }

    /// The value, if the body is one of its kind.
    pub fn read<T: Stored>(&self) -> Result<T, Unreadable> {
        serde_json::from_slice(&self.body).map_err(|error| Unreadable {
            kind: self.kind,
            id: self.id.clone(),
            reason: error.to_string(),
        })
    }
}

impl Changes {
    pub fn new(event: Event) -> Self {
        Self {
            expect: Vec::new(),
            write: Vec::new(),
            delete: Vec::new(),
            event,
        }
    }

    /// Writes a new document; a conflict if its id is taken.
    pub fn create<T: Stored>(&mut self, value: &T) -> Result<(), Unreadable> {
        self.expect.push((T::KIND, value.id(), Expect::Absent));
        self.write.push(Document::of(value)?);
        Ok(())
    }

    /// Replaces a document; a conflict if it is no longer the one that was seen.
    pub fn replace<T: Stored>(&mut self, seen: Mark, value: &T) -> Result<(), Unreadable> {
        self.expect.push((T::KIND, value.id(), Expect::At(seen)));
        self.write.push(Document::of(value)?);
        Ok(())
    }

    /// Deletes a document; a conflict if it is no longer the one that was seen.
    pub fn remove<T: Stored>(&mut self, seen: &Seen<T>) {
        self.expect
            .push((T::KIND, seen.value.id(), Expect::At(seen.mark)));
        self.delete.push((T::KIND, seen.value.id()));
    }

    /// Insists on something this change does not write.
    pub fn rely_on(&mut self, kind: Kind, id: impl Into<String>, expect: Expect) {
        let condition = (kind, id.into(), expect);
        if !self.expect.contains(&condition) {
            self.expect.push(condition);
        }
    }
}
