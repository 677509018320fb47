//! Connections: identity providers, and the secrets by which they know this server.

use guestlist_api::connections::{ConnectionRequest, ConnectionSettings};
use guestlist_api::ids::{ConnectionId, UserId};
use guestlist_api::text::Tags;
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authority::{Ability, require, require_plainly};
use crate::changes::{Changes, Kind, Seen, Stored};
use crate::facts::Facts;
use crate::refusals::{Noun, Refusal};

/// A connection as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredConnection {
    pub connection_id: ConnectionId,
    pub settings: ConnectionSettings,
    /// Encrypted under a key that is not in the store, for this connection alone.
    pub sealed_secret: Option<SealedSecret>,
    pub tags: Tags,
    pub created_time: Timestamp,
    pub created_by: UserId,
    pub last_updated: Timestamp,
}

/// A secret in its encrypted form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedSecret(pub String);

impl Stored for StoredConnection {
    const KIND: Kind = Kind::Connection;

    fn id(&self) -> String {
        self.connection_id.to_string()
    }
}

fn subject(connection: &ConnectionId) -> String {
    format!("connection/{connection}")
}

/// The id that a new connection gets: needed to encrypt its secret before anything is decided.
pub fn id_of(request: &ConnectionRequest, fresh: ConnectionId) -> ConnectionId {
    request.connection_id.clone().unwrap_or(fresh)
}

/// Makes a connection. `sealed` is the secret of the request, encrypted for this id.
pub fn create(
    facts: Facts<'_>,
    connection_id: ConnectionId,
    request: &ConnectionRequest,
    sealed: Option<SealedSecret>,
    existing: Option<&Seen<StoredConnection>>,
) -> Result<(Changes, StoredConnection), Refusal> {
    let basis = require_plainly(facts, Ability::CreateConnection)?;
    if existing.is_some() {
        return Err(Refusal::Taken(Noun::Connection));
    }
    let connection = StoredConnection {
        connection_id,
        settings: request.settings(),
        sealed_secret: sealed,
        tags: request.tags.clone(),
        created_time: facts.now,
        created_by: facts.who().clone(),
        last_updated: facts.now,
    };
    let subject = subject(&connection.connection_id);
    let mut changes = facts.changes("connection.created", subject, json!({}));
    changes.expect.extend(basis);
    changes.create(&connection)?;
    Ok((changes, connection))
}

/// Replaces what is said of a connection. A secret that is not sent stays, since nobody can read it
/// to send it back: but never for another provider, who would be told it at the next sign-in.
pub fn update(
    facts: Facts<'_>,
    connection_id: &ConnectionId,
    request: &ConnectionRequest,
    sealed: Option<SealedSecret>,
    existing: Option<&Seen<StoredConnection>>,
) -> Result<(Changes, StoredConnection), Refusal> {
    let basis = require(facts, Ability::UpdateConnection(connection_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Connection))?;
    if request
        .connection_id
        .as_ref()
        .is_some_and(|given| given != connection_id)
    {
        return Err(Refusal::invalid(
            "connectionId",
            format!("must be {connection_id}, as in the path"),
        ));
    }
    let settings = request.settings();
    let sealed_secret = match (sealed, &seen.value.sealed_secret) {
        (Some(sealed), _) => Some(sealed),
        (None, None) => None,
        (None, Some(kept)) => kept_secret(&seen.value.settings, &settings, kept)?,
    };
    let connection = StoredConnection {
        settings,
        sealed_secret,
        tags: request.tags.clone(),
        last_updated: facts.now.max(seen.value.last_updated.plus(1)),
        ..seen.value.clone()
    };
    let subject = subject(connection_id);
    let mut changes = facts.changes("connection.updated", subject, json!({}));
    changes.expect.extend(basis);
    changes.replace(seen.mark, &connection)?;
    Ok((changes, connection))
}

/// The secret that stays. A connection of another type has another way to prove itself and begins
/// without one.
fn kept_secret(
    before: &ConnectionSettings,
    after: &ConnectionSettings,
    kept: &SealedSecret,
) -> Result<Option<SealedSecret>, Refusal> {
    if before.kind.unwrap_or_default() != after.kind.unwrap_or_default() {
        return Ok(None);
    }
    let told_to = |settings: &ConnectionSettings| {
        (
            settings.authentication_url.clone(),
            settings.token_url.clone(),
            settings.issuer_url.clone(),
            settings.client_id.clone(),
        )
    };
    if told_to(before) == told_to(after) {
        return Ok(Some(kept.clone()));
    }
    Err(Refusal::invalid(
        "clientSecret",
        "must be sent again when authenticationUrl, tokenUrl, issuerUrl or clientId changes: the \
         kept one is for the provider as it was",
    ))
}

/// Deletes a connection and its secret. Tenants that name it stay, and nobody signs in by it.
pub fn delete(
    facts: Facts<'_>,
    connection_id: &ConnectionId,
    existing: Option<&Seen<StoredConnection>>,
) -> Result<Changes, Refusal> {
    let basis = require(facts, Ability::UpdateConnection(connection_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Connection))?;
    let subject = subject(connection_id);
    let mut changes = facts.changes("connection.deleted", subject, json!({}));
    changes.expect.extend(basis);
    changes.remove(seen);
    Ok(changes)
}
