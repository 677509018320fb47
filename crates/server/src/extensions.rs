//! Extensions with their applications and service clients (contract §1.7).

use guestlist_api::extensions::{
    Extension, ExtensionApplication, ExtensionClient, ExtensionCollection, ExtensionRequest,
};
use guestlist_api::ids::ExtensionId;
use guestlist_api::limits;
use guestlist_rules::applications::StoredApplication;
use guestlist_rules::authority::{Ability, holds, require};
use guestlist_rules::changes::Seen;
use guestlist_rules::clients::StoredClient;
use guestlist_rules::extensions::{self as rules, Fresh, SeenWhole, StoredExtension, Whole};
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::listing::{Listing, contains};
use crate::query::Query;
use crate::refusal::Refusal;

/// POST `/v1/extensions`.
pub async fn create_extension(ask: Ask<'_>, request: ExtensionRequest) -> Result<Answer, Refusal> {
    let fresh = Fresh {
        extension_id: ask.app.fresh_id("ext_")?,
        application_id: ask.app.fresh_id("app_")?,
        client_id: ask.app.fresh_id("sc_")?,
    };
    let whole = ask
        .change(|| {
            let (request, fresh) = (request.clone(), fresh.clone());
            async move {
                let decided = ask.decide(|facts| rules::create(facts, request, fresh));
                decided.map(|(changes, whole)| Decided::Change(changes, whole))
            }
        })
        .await?;
    Answer::json(StatusCode::CREATED, &answer(ask, whole)).map_err(Refusal::from)
}

/// GET `/v1/extensions`: those the caller may read.
pub async fn get_extensions(ask: Ask<'_>, query: &Query<'_>) -> Result<Answer, Refusal> {
    let listing = Listing::read(ask, query, "extensions", limits::PAGE, &[])?;
    let filter = listing.filter.as_deref();
    let (found, next) = listing
        .documents(ask, |extension: &StoredExtension| {
            let readable = ask.decide(|facts| {
                let ability = Ability::ReadExtension(&extension.extension_id);
                Ok(holds(facts.grants, facts.who(), ability).is_some())
            });
            readable.unwrap_or(false) && matches(extension, filter)
        })
        .await?;
    let mut extensions = Vec::with_capacity(found.len());
    for seen in found {
        let parts = Parts::of(ask, Some(seen)).await?;
        extensions.extend(parts.whole().map(|whole| answer(ask, whole)));
    }
    let (pagination, links) = listing.page(ask, "/v1/extensions", next)?;
    let page = ExtensionCollection {
        extensions,
        pagination,
        links,
    };
    Answer::json(StatusCode::OK, &page).map_err(Refusal::from)
}

fn matches(extension: &StoredExtension, filter: Option<&str>) -> bool {
    let name = extension.name.as_ref().map_or("", |name| name.as_str());
    let own = [
        extension.extension_id.as_str(),
        extension.application_id.as_str(),
        extension.client_id.as_str(),
        name,
    ];
    let labels = extension.tags.iter().map(|(_, tag)| tag);
    contains(filter, own.into_iter().chain(labels))
}

/// GET `/v1/extensions/{extensionId}`.
pub async fn get_extension(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = parse(id)?;
    ask.decide(|facts| require(facts, Ability::ReadExtension(&id)))?;
    let whole = Parts::see(ask, &id).await?.whole();
    let whole = whole.ok_or(Refusal::Rule(Rule::NotFound(Noun::Extension)))?;
    Answer::json(StatusCode::OK, &answer(ask, whole)).map_err(Refusal::from)
}

/// PUT `/v1/extensions/{extensionId}`.
pub async fn update_extension(
    ask: Ask<'_>,
    id: &str,
    request: ExtensionRequest,
) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    let whole = ask
        .change(|| {
            let request = request.clone();
            async move {
                let parts = Parts::see(ask, id).await?;
                let decided =
                    ask.decide(|facts| rules::update(facts, id, request, parts.as_seen()));
                decided.map(|(changes, whole)| Decided::Change(changes, whole))
            }
        })
        .await?;
    Answer::json(StatusCode::OK, &answer(ask, whole)).map_err(Refusal::from)
}

/// DELETE `/v1/extensions/{extensionId}`.
pub async fn delete_extension(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    ask.change(|| async move {
        let parts = Parts::see(ask, id).await?;
        let changes = ask.decide(|facts| rules::delete(facts, id, parts.as_seen()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// An extension and what belongs to it, as it is stored.
struct Parts {
    extension: Option<Seen<StoredExtension>>,
    application: Option<Seen<StoredApplication>>,
    client: Option<Seen<StoredClient>>,
}

impl Parts {
    async fn see(ask: Ask<'_>, id: &ExtensionId) -> Result<Self, Refusal> {
        let extension = ask.see(id.as_str()).await?;
        Self::of(ask, extension).await
    }

    async fn of(ask: Ask<'_>, extension: Option<Seen<StoredExtension>>) -> Result<Self, Refusal> {
        let Some(seen) = extension else {
            return Ok(Self {
                extension: None,
                application: None,
                client: None,
            });
        };
        Ok(Self {
            application: ask.see(seen.value.application_id.as_str()).await?,
            client: ask.see(seen.value.client_id.as_str()).await?,
            extension: Some(seen),
        })
    }

    const fn as_seen(&self) -> SeenWhole<'_> {
        SeenWhole {
            extension: self.extension.as_ref(),
            application: self.application.as_ref(),
            client: self.client.as_ref(),
        }
    }

    fn whole(self) -> Option<Whole> {
        Some(Whole {
            extension: self.extension?.value,
            application: self.application.map(|seen| seen.value),
            client: self.client.map(|seen| seen.value),
        })
    }
}

/// An id that no extension can have is the id of no extension.
fn parse(id: &str) -> Result<ExtensionId, Refusal> {
    id.parse()
        .map_err(|_| Rule::NotFound(Noun::Extension).into())
}

fn answer(ask: Ask<'_>, whole: Whole) -> Extension {
    let extension = whole.extension;
    let application = whole.application.map(|application| ExtensionApplication {
        links: ask.links(&format!("/v1/applications/{}", application.application_id)),
        application_id: application.application_id,
        redirect_urls: application.redirect_urls,
    });
    // Its id is answered also if the client was deleted: some SDKs cannot do without.
    let client = ExtensionClient {
        links: ask.links(&format!("/v1/clients/{}", extension.client_id)),
        client_id: extension.client_id,
        rate_limits: whole
            .client
            .map(|client| client.rate_limits)
            .unwrap_or_default(),
    };
    Extension {
        extension_id: extension.extension_id,
        name: extension.name,
        created_time: Some(extension.created_time),
        application,
        client: Some(client),
        tags: extension.tags,
    }
}
