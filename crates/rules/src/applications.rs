//! Applications that users sign in to.

use guestlist_api::applications::{
    ApplicationAudience, ApplicationName, ApplicationRequest, RedirectUrl, SessionType,
};
use guestlist_api::ids::{ApplicationId, ExtensionId, UserId};
use guestlist_api::text::Tags;
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authority::{Ability, require, require_plainly};
use crate::changes::{Changes, Kind, Seen, Stored};
use crate::facts::Facts;
use crate::refusals::{Noun, Refusal};

/// An application as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredApplication {
    pub application_id: ApplicationId,
    pub name: ApplicationName,
    pub redirect_urls: Vec<RedirectUrl>,
    pub session_type: SessionType,
    pub audiences: Vec<ApplicationAudience>,
    pub tags: Tags,
    /// The extension it belongs to, if it was made with one.
    pub extension_id: Option<ExtensionId>,
    pub created_time: Timestamp,
    pub created_by: UserId,
    pub last_updated: Timestamp,
}

impl Stored for StoredApplication {
    const KIND: Kind = Kind::Application;

    fn id(&self) -> String {
        self.application_id.to_string()
    }
}

fn subject(application: &ApplicationId) -> String {
    format!("application/{application}")
}

/// Makes an application.
pub fn create(
    facts: Facts<'_>,
    request: ApplicationRequest,
    fresh: ApplicationId,
) -> Result<(Changes, StoredApplication), Refusal> {
    let basis = require_plainly(facts, Ability::CreateApplication)?;
    let application = StoredApplication {
        application_id: fresh,
        name: request.name,
        redirect_urls: request.redirect_urls.into_vec(),
        session_type: request.session_type.unwrap_or_default(),
        audiences: request.audiences.into_vec(),
        tags: request.tags,
        extension_id: None,
        created_time: facts.now,
        created_by: facts.who().clone(),
        last_updated: facts.now,
    };
    let subject = subject(&application.application_id);
    let mut changes = facts.changes("application.created", subject, json!({}));
    changes.expect.extend(basis);
    changes.create(&application)?;
    Ok((changes, application))
}

/// Replaces what is said of an application.
pub fn update(
    facts: Facts<'_>,
    application_id: &ApplicationId,
    request: ApplicationRequest,
    existing: Option<&Seen<StoredApplication>>,
) -> Result<(Changes, StoredApplication), Refusal> {
    let basis = require(facts, Ability::UpdateApplication(application_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Application))?;
    let application = StoredApplication {
        name: request.name,
        redirect_urls: request.redirect_urls.into_vec(),
        session_type: request.session_type.unwrap_or_default(),
        audiences: request.audiences.into_vec(),
        tags: request.tags,
        last_updated: facts.now.max(seen.value.last_updated.plus(1)),
        ..seen.value.clone()
    };
    let subject = subject(application_id);
    let mut changes = facts.changes("application.updated", subject, json!({}));
    changes.expect.extend(basis);
    changes.replace(seen.mark, &application)?;
    Ok((changes, application))
}

/// Deletes an application. That of an extension goes with its extension only.
pub fn delete(
    facts: Facts<'_>,
    application_id: &ApplicationId,
    existing: Option<&Seen<StoredApplication>>,
) -> Result<Changes, Refusal> {
    let basis = require(facts, Ability::UpdateApplication(application_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Application))?;
    if seen.value.extension_id.is_some() {
        return Err(Refusal::ApplicationInUse);
    }
    let subject = subject(application_id);
    let mut changes = facts.changes("application.deleted", subject, json!({}));
    changes.expect.extend(basis);
    changes.remove(seen);
    Ok(changes)
}
