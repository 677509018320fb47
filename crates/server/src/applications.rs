//! Applications that users sign in to (contract §1.5).

use guestlist_api::applications::{
    Application, ApplicationCollection, ApplicationRequest, RedirectUrl,
};
use guestlist_api::ids::ApplicationId;
use guestlist_api::limits;
use guestlist_rules::applications::{self as rules, StoredApplication};
use guestlist_rules::authority::{Ability, holds, require};
use guestlist_rules::changes::Seen;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::listing::{Listing, contains};
use crate::query::Query;
use crate::refusal::Refusal;

/// POST `/v1/applications`.
pub async fn create_application(
    ask: Ask<'_>,
    request: ApplicationRequest,
) -> Result<Answer, Refusal> {
    let fresh: ApplicationId = ask.app.fresh_id("app_")?;
    let application = ask
        .change(|| {
            let (request, fresh) = (request.clone(), fresh.clone());
            async move {
                let decided = ask.decide(|facts| rules::create(facts, request, fresh));
                decided.map(|(changes, application)| Decided::Change(changes, application))
            }
        })
        .await?;
    Answer::json(StatusCode::CREATED, &answer(application)).map_err(Refusal::from)
}

/// GET `/v1/applications`: those the caller may read.
pub async fn get_applications(ask: Ask<'_>, query: &Query<'_>) -> Result<Answer, Refusal> {
    let listing = Listing::read(ask, query, "applications", limits::LARGE_PAGE, &[])?;
    let filter = listing.filter.as_deref();
    let (found, next) = listing
        .documents(ask, |application: &StoredApplication| {
            let readable = ask.decide(|facts| {
                let ability = Ability::ReadApplication(&application.application_id);
                Ok(holds(facts.grants, facts.who(), ability).is_some())
            });
            readable.unwrap_or(false) && matches(application, filter)
        })
        .await?;
    let applications = found.into_iter().map(|seen| answer(seen.value)).collect();
    let (pagination, links) = listing.page(ask, "/v1/applications", next)?;
    let page = ApplicationCollection {
        applications,
        pagination,
        links,
    };
    Answer::json(StatusCode::OK, &page).map_err(Refusal::from)
}

fn matches(application: &StoredApplication, filter: Option<&str>) -> bool {
    let own = [
        application.application_id.as_str(),
        application.name.as_str(),
    ];
    let urls = application.redirect_urls.iter().map(RedirectUrl::as_str);
    let labels = application.tags.iter().map(|(_, tag)| tag);
    contains(filter, own.into_iter().chain(urls).chain(labels))
}

/// GET `/v1/applications/{applicationId}`.
pub async fn get_application(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = parse(id)?;
    ask.decide(|facts| require(facts, Ability::ReadApplication(&id)))?;
    let seen: Option<Seen<StoredApplication>> = ask.see(id.as_str()).await?;
    let application = seen
        .ok_or(Refusal::Rule(Rule::NotFound(Noun::Application)))?
        .value;
    Answer::json(StatusCode::OK, &answer(application)).map_err(Refusal::from)
}

/// PUT `/v1/applications/{applicationId}`.
pub async fn update_application(
    ask: Ask<'_>,
    id: &str,
    request: ApplicationRequest,
) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    let application = ask
        .change(|| {
            let request = request.clone();
            async move {
                let existing = ask.see(id.as_str()).await?;
                let decided =
                    ask.decide(|facts| rules::update(facts, id, request, existing.as_ref()));
                decided.map(|(changes, application)| Decided::Change(changes, application))
            }
        })
        .await?;
    Answer::json(StatusCode::OK, &answer(application)).map_err(Refusal::from)
}

/// DELETE `/v1/applications/{applicationId}`.
pub async fn delete_application(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    ask.change(|| async move {
        let existing = ask.see(id.as_str()).await?;
        let changes = ask.decide(|facts| rules::delete(facts, id, existing.as_ref()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// An id that no application can have is the id of no application.
fn parse(id: &str) -> Result<ApplicationId, Refusal> {
    id.parse()
        .map_err(|_| Rule::NotFound(Noun::Application).into())
}

fn answer(application: StoredApplication) -> Application {
    Application {
        application_id: application.application_id,
        name: application.name,
        redirect_urls: application.redirect_urls,
        session_type: application.session_type.into(),
        audiences: application.audiences,
        created_time: Some(application.created_time),
        last_updated: Some(application.last_updated),
        tags: application.tags,
    }
}
