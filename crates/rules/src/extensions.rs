//! Extensions: a third party's application with its service client, made and deleted as one.

use guestlist_api::applications::{ApplicationName, SessionType};
use guestlist_api::clients::ClientOptions;
use guestlist_api::extensions::ExtensionRequest;
use guestlist_api::ids::{ApplicationId, ClientId, ExtensionId, UserId};
use guestlist_api::limits;
use guestlist_api::text::{Name, Tags};
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::applications::StoredApplication;
use crate::authority::{Ability, require, require_plainly};
use crate::changes::{Changes, Kind, Seen, Stored};
use crate::clients::{StoredClient, check_limits, without_client};
use crate::facts::Facts;
use crate::refusals::{Noun, Refusal};

/// An extension as it is stored. Its redirect URLs are the application's, its rate limits the
/// client's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredExtension {
    pub extension_id: ExtensionId,
    pub name: Option<Name>,
    pub application_id: ApplicationId,
    pub client_id: ClientId,
    pub tags: Tags,
    pub created_time: Timestamp,
    pub created_by: UserId,
    pub last_updated: Timestamp,
}

impl Stored for StoredExtension {
    const KIND: Kind = Kind::Extension;

    fn id(&self) -> String {
        self.extension_id.to_string()
    }
}

/// An extension with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    pub extension: StoredExtension,
    /// Not there if it cannot be found, which no operation brings about.
    pub application: Option<StoredApplication>,
    /// Not there if it was deleted as a service client.
    pub client: Option<StoredClient>,
}

/// The same as it was seen.
#[derive(Debug, Clone, Copy)]
pub struct SeenWhole<'a> {
    pub extension: Option<&'a Seen<StoredExtension>>,
    pub application: Option<&'a Seen<StoredApplication>>,
    pub client: Option<&'a Seen<StoredClient>>,
}

/// Ids for a new extension.
#[derive(Debug, Clone)]
pub struct Fresh {
    pub extension_id: ExtensionId,
    pub application_id: ApplicationId,
    pub client_id: ClientId,
}

fn subject(extension: &ExtensionId) -> String {
    format!("extension/{extension}")
}

/// Makes an extension with its application and its service client. The client has no key, no options
/// and no access, so that it is no way to more than the caller has.
pub fn create(
    facts: Facts<'_>,
    request: ExtensionRequest,
    fresh: Fresh,
) -> Result<(Changes, Whole), Refusal> {
    let basis = require_plainly(facts, Ability::CreateExtension)?;
    check_limits(&request.client.rate_limits, "client.rateLimits")?;
    let data = json!({ "applicationId": fresh.application_id, "clientId": fresh.client_id });
    let application = StoredApplication {
        application_id: fresh.application_id.clone(),
        name: application_name(request.name.as_ref(), &fresh.extension_id)?,
        redirect_urls: request.application.redirect_urls.into_vec(),
        session_type: SessionType::default(),
        audiences: Vec::new(),
        tags: Tags::default(),
        extension_id: Some(fresh.extension_id.clone()),
        created_time: facts.now,
        created_by: facts.who().clone(),
        last_updated: facts.now,
    };
    let client = StoredClient {
        client_id: fresh.client_id.clone(),
        created_time: facts.now,
        created_by: facts.who().clone(),
        name: request.name.clone(),
        options: ClientOptions::default(),
        rate_limits: request.client.rate_limits.into_vec(),
        tags: Tags::default(),
        keys: Vec::new(),
        tokens_valid_from: None,
    };
    let extension = StoredExtension {
        extension_id: fresh.extension_id,
        name: request.name,
        application_id: fresh.application_id,
        client_id: fresh.client_id,
        tags: request.tags,
        created_time: facts.now,
        created_by: facts.who().clone(),
        last_updated: facts.now,
    };
    let subject = subject(&extension.extension_id);
    let mut changes = facts.changes("extension.created", subject, data);
    changes.expect.extend(basis);
    changes.create(&extension)?;
    changes.create(&application)?;
    changes.create(&client)?;
    let whole = Whole {
        extension,
        application: Some(application),
        client: Some(client),
    };
    Ok((changes, whole))
}

/// The name of an extension's application: that of the extension, as far as it may be that long.
fn application_name(name: Option<&Name>, id: &ExtensionId) -> Result<ApplicationName, Refusal> {
    let text = name.map_or(id.as_str(), Name::as_str);
    let short: String = text.chars().take(limits::SHORT_NAME_LENGTH).collect();
    ApplicationName::parse(&short).map_err(|reason| Refusal::invalid("name", reason.to_string()))
}

/// Replaces what is said of an extension, of its application and of its client's rate limits.
pub fn update(
    facts: Facts<'_>,
    extension_id: &ExtensionId,
    request: ExtensionRequest,
    existing: SeenWhole<'_>,
) -> Result<(Changes, Whole), Refusal> {
    let basis = require(facts, Ability::UpdateExtension(extension_id))?;
    let seen = existing
        .extension
        .ok_or(Refusal::NotFound(Noun::Extension))?;
    check_limits(&request.client.rate_limits, "client.rateLimits")?;
    let now = facts.now.max(seen.value.last_updated.plus(1));
    let mut changes = facts.changes("extension.updated", subject(extension_id), json!({}));
    changes.expect.extend(basis);
    let name = application_name(request.name.as_ref(), extension_id)?;
    let application = existing.application.map(|seen| StoredApplication {
        name,
        redirect_urls: request.application.redirect_urls.into_vec(),
        last_updated: facts.now.max(seen.value.last_updated.plus(1)),
        ..seen.value.clone()
    });
    if let Some((seen, application)) = existing.application.zip(application.as_ref()) {
        changes.replace(seen.mark, application)?;
    }
    if existing.client.is_none() && !request.client.rate_limits.is_empty() {
        return Err(Refusal::NotFound(Noun::Client));
    }
    let client = existing.client.map(|seen| StoredClient {
        name: request.name.clone(),
        rate_limits: request.client.rate_limits.into_vec(),
        ..seen.value.clone()
    });
    if let Some((seen, client)) = existing.client.zip(client.as_ref()) {
        changes.replace(seen.mark, client)?;
    }
    let extension = StoredExtension {
        name: request.name,
        tags: request.tags,
        last_updated: now,
        ..seen.value.clone()
    };
    changes.replace(seen.mark, &extension)?;
    let whole = Whole {
        extension,
        application,
        client,
    };
    Ok((changes, whole))
}

/// Deletes an extension with its application, its service client and the client's keys. Records that
/// name the client stay and give nothing to anybody, since ids are never used again.
pub fn delete(
    facts: Facts<'_>,
    extension_id: &ExtensionId,
    existing: SeenWhole<'_>,
) -> Result<Changes, Refusal> {
    let mut basis = require(facts, Ability::UpdateExtension(extension_id))?;
    let seen = existing
        .extension
        .ok_or(Refusal::NotFound(Noun::Extension))?;
    if existing.client.is_some() {
        basis.extend(without_client(facts, &seen.value.client_id)?);
    }
    let mut changes = facts.changes("extension.deleted", subject(extension_id), json!({}));
    changes.expect.extend(basis);
    changes.remove(seen);
    if let Some(application) = existing.application {
        changes.remove(application);
    }
    if let Some(client) = existing.client {
        changes.remove(client);
    }
    Ok(changes)
}
