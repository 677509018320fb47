//! Service clients and their access keys.

use guestlist_api::actions::Action;
use guestlist_api::clients::{ClientOptions, ClientRateLimit, ClientRequest, PublicKeyText};
use guestlist_api::ids::{ClientId, KeyId, UserId};
use guestlist_api::limits;
use guestlist_api::resources::ResourceUri;
use guestlist_api::text::{Name, Tags};
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authority::{Ability, Basis, holds, require, require_plainly, surviving_owner};
use crate::ceiling::may_share;
use crate::changes::{Changes, Kind, Seen, Stored};
use crate::facts::Facts;
use crate::grants::Because;
use crate::refusals::{Noun, Refusal};

/// A service client as it is stored, with its keys: one document, so that no race can give it more
/// keys than allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredClient {
    pub client_id: ClientId,
    pub created_time: Timestamp,
    pub created_by: UserId,
    pub name: Option<Name>,
    pub options: ClientOptions,
    pub rate_limits: Vec<ClientRateLimit>,
    pub tags: Tags,
    pub keys: Vec<StoredKey>,
    /// Tokens of users that it made before this are refused: since it may make none, or lost a key,
    /// by which others may have made them.
    #[serde(default)]
    pub tokens_valid_from: Option<Timestamp>,
}

impl StoredClient {
    /// The same after what it made for users is no longer to be believed.
    fn without_tokens(self, now: Timestamp) -> Self {
        // One made within the same millisecond is refused too: what is in doubt ends.
        let tokens_valid_from = Some(now.plus(1));
        Self {
            tokens_valid_from,
            ..self
        }
    }
}

/// The public half of an access key. The private half is never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredKey {
    pub key_id: KeyId,
    pub generation_date: Timestamp,
    /// base64 of SPKI DER, byte for byte as it was handed in (standard base64 if made here).
    pub public_key: PublicKeyText,
    /// Whether the client made the key itself: the raw key then never comes here, and is not
    /// accepted as a bearer.
    pub handed_in: bool,
}

impl Stored for StoredClient {
    const KIND: Kind = Kind::Client;

    fn id(&self) -> String {
        self.client_id.to_string()
    }
}

fn subject(client: &ClientId) -> String {
    format!("client/{client}")
}

/// Makes a service client without keys.
pub fn create(
    facts: Facts<'_>,
    request: ClientRequest,
    fresh: ClientId,
) -> Result<(Changes, StoredClient), Refusal> {
    let mut basis = require_plainly(facts, Ability::CreateClient)?;
    check_limits(&request.rate_limits, "rateLimits")?;
    basis.extend(may_set_options(
        facts,
        ClientOptions::default(),
        request.options,
    )?);
    let client = StoredClient {
        client_id: fresh,
        created_time: facts.now,
        created_by: facts.who().clone(),
        name: request.name,
        options: request.options,
        rate_limits: request.rate_limits.into_vec(),
        tags: request.tags,
        keys: Vec::new(),
        tokens_valid_from: None,
    };
    let mut changes = facts.changes("client.created", subject(&client.client_id), json!({}));
    changes.expect.extend(basis);
    changes.create(&client)?;
    Ok((changes, client))
}

/// Refuses a limit that allows nothing.
pub(crate) fn check_limits(limits: &[ClientRateLimit], path: &str) -> Result<(), Refusal> {
    let nothing = limits.iter().position(|limit| limit.quota == Some(0));
    match nothing {
        Some(place) => Err(Refusal::invalid(
            format!("{path}[{place}].quota"),
            "must be at least 1; delete the client or its keys to stop it",
        )),
        None => Ok(()),
    }
}

/// Options are powers too, so they fall under the ceiling: to let a client read everybody's
/// permissions one must be able to give that, and to let it speak for users one must be able to give
/// everything.
fn may_set_options(
    facts: Facts<'_>,
    before: ClientOptions,
    after: ClientOptions,
) -> Result<Basis, Refusal> {
    let mut basis = Basis::new();
    if after.grant_user_permissions_access && !before.grant_user_permissions_access {
        basis.extend(gives_reading(facts).ok_or(Refusal::InsufficientGrantAccess)?);
    }
    if after.grant_token_generation && !before.grant_token_generation {
        basis.extend(owns_everything(facts).ok_or(Refusal::InsufficientGrantAccess)?);
    }
    Ok(basis)
}

/// What the right to let others read everybody's permissions rests on.
fn gives_reading(facts: Facts<'_>) -> Option<Basis> {
    let read: Action = "READ".parse().ok()?;
    let all: ResourceUri = "Authress:UserPermissions".parse().ok()?;
    let because = facts
        .grants
        .may_give(facts.who(), false, &read, &all, false)?;
    Some(facts.grants.relied(&because))
}

/// What owning the whole account rests on.
pub(crate) fn owns_everything(facts: Facts<'_>) -> Option<Basis> {
    let everything: ResourceUri = "*".parse().ok()?;
    let any: Action = "*".parse().ok()?;
    let because = facts
        .grants
        .may_give(facts.who(), true, &any, &everything, true)?;
    Some(facts.grants.relied(&because))
}

/// Replaces what is said of a client; its keys stay.
pub fn update(
    facts: Facts<'_>,
    client_id: &ClientId,
    request: ClientRequest,
    existing: Option<&Seen<StoredClient>>,
) -> Result<(Changes, StoredClient), Refusal> {
    let mut basis = require(facts, Ability::UpdateClient(client_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Client))?;
    check_limits(&request.rate_limits, "rateLimits")?;
    basis.extend(may_set_options(facts, seen.value.options, request.options)?);
    let client = StoredClient {
        name: request.name,
        options: request.options,
        rate_limits: request.rate_limits.into_vec(),
        tags: request.tags,
        ..seen.value.clone()
    };
    let before = seen.value.options.grant_token_generation;
    let client = if before && !client.options.grant_token_generation {
        client.without_tokens(facts.now)
    } else {
        client
    };
    let mut changes = facts.changes("client.updated", subject(client_id), json!({}));
    changes.expect.extend(basis);
    changes.replace(seen.mark, &client)?;
    Ok((changes, client))
}

/// Deletes a client and its keys. Records that name it stay and give nothing to anybody, since ids
/// are never used again.
pub fn delete(
    facts: Facts<'_>,
    client_id: &ClientId,
    existing: Option<&Seen<StoredClient>>,
) -> Result<Changes, Refusal> {
    let mut basis = require(facts, Ability::UpdateClient(client_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Client))?;
    basis.extend(without_client(facts, client_id)?);
    let mut changes = facts.changes("client.deleted", subject(client_id), json!({}));
    changes.expect.extend(basis);
    changes.remove(seen);
    Ok(changes)
}

/// Refuses that the last owner of the account can act no more; otherwise what it rests on that one
/// can.
pub(crate) fn without_client(facts: Facts<'_>, client_id: &ClientId) -> Result<Basis, Refusal> {
    let lost = |principal: &str, _: &Because| principal == client_id.as_str();
    let owners = facts.grants.owners();
    if !owners.iter().any(|(owner, because)| lost(owner, because)) {
        return Ok(Basis::new());
    }
    surviving_owner(facts, &lost).ok_or(Refusal::LastOwner)
}

/// Adds an access key to a client.
///
/// Whoever makes a key can act as the client, so besides the right to update it they must be able
/// to give everything it is given, and to change everything it administers.
pub fn add_key(
    facts: Facts<'_>,
    client_id: &ClientId,
    key: StoredKey,
    existing: Option<&Seen<StoredClient>>,
) -> Result<(Changes, StoredClient), Refusal> {
    let mut basis = require(facts, Ability::CreateAccessKey(client_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Client))?;
    if facts.who().principal() != client_id.as_str() {
        basis.extend(may_act_as(facts, &seen.value)?);
    }
    if seen.value.keys.len() >= limits::CLIENT_KEYS {
        return Err(Refusal::TooManyKeys);
    }
    let data = json!({ "keyId": key.key_id });
    let mut client = seen.value.clone();
    client.keys.push(key);
    let mut changes = facts.changes("client.key-created", subject(client_id), data);
    changes.expect.extend(basis);
    changes.replace(seen.mark, &client)?;
    Ok((changes, client))
}

/// What the right to act as a client rests on: to give what it is given and what its options allow,
/// and to change what it administers.
fn may_act_as(facts: Facts<'_>, client: &StoredClient) -> Result<Basis, Refusal> {
    let id = client.client_id.as_str();
    let mut basis = may_set_options(facts, ClientOptions::default(), client.options)?;
    let given = facts.grants.statements_of_principal(id);
    basis.extend(may_share(facts.grants, facts.who(), &given)?);
    let (records, groups) = facts.grants.administered_by(id);
    let updates = records
        .iter()
        .map(Ability::UpdateRecord)
        .chain(groups.iter().map(Ability::UpdateGroup));
    for ability in updates {
        let held = holds(facts.grants, facts.who(), ability);
        basis.extend(held.ok_or(Refusal::InsufficientGrantAccess)?);
    }
    Ok(basis)
}

/// Removes an access key: what it signed is refused from the next request on.
pub fn remove_key(
    facts: Facts<'_>,
    client_id: &ClientId,
    key_id: &KeyId,
    existing: Option<&Seen<StoredClient>>,
) -> Result<Changes, Refusal> {
    let mut basis = require(facts, Ability::DeleteAccessKey(client_id, key_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Client))?;
    let mut client = seen.value.clone();
    client.keys.retain(|key| key.key_id != *key_id);
    if client.keys.len() == seen.value.keys.len() {
        return Err(Refusal::NotFound(Noun::AccessKey));
    }
    if client.keys.is_empty() {
        // A client without keys can act no more than one that was deleted.
        basis.extend(without_client(facts, client_id)?);
    }
    let client = client.without_tokens(facts.now);
    let data = json!({ "keyId": key_id });
    let mut changes = facts.changes("client.key-deleted", subject(client_id), data);
    changes.expect.extend(basis);
    changes.replace(seen.mark, &client)?;
    Ok(changes)
}
