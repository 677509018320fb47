//! Resource configurations (contract §1.9).

use guestlist_api::limits;
use guestlist_api::resource_configurations::{
    PermissionedResource, PermissionedResourceCollection, PermissionedResourceRequest,
};
use guestlist_api::resources::ResourceUri;
use guestlist_rules::changes::Seen;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_rules::resource_configurations::{
    self as rules, StoredResourceConfiguration, is_configurable,
};
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::listing::{Listing, contains};
use crate::query::Query;
use crate::refusal::Refusal;
use crate::users::parse;

/// GET `/v1/resources`: those whose configuration the caller may read.
pub async fn get_permissioned_resources(
    ask: Ask<'_>,
    query: &Query<'_>,
) -> Result<Answer, Refusal> {
    let listing = Listing::read(ask, query, "resources", limits::LARGE_PAGE, &[])?;
    let filter = listing.filter.as_deref();
    let (found, next) = listing
        .documents(ask, |configuration: &StoredResourceConfiguration| {
            let resource = &configuration.resource_uri;
            let readable = ask.decide(|facts| rules::may_read(facts, resource));
            readable.is_ok() && contains(filter, [resource.as_str()])
        })
        .await?;
    let resources = found.into_iter().map(|seen| answer(seen.value)).collect();
    let (pagination, links) = listing.page(ask, "/v1/resources", next)?;
    let page = PermissionedResourceCollection {
        resources,
        pagination,
        links,
    };
    Answer::json(StatusCode::OK, &page).map_err(Refusal::from)
}

/// GET `/v1/resources/{resourceUri}`.
pub async fn get_permissioned_resource(ask: Ask<'_>, resource: &str) -> Result<Answer, Refusal> {
    let resource: ResourceUri = parse("resourceUri", resource)?;
    ask.decide(|facts| rules::may_read(facts, &resource))?;
    let seen: Option<Seen<StoredResourceConfiguration>> = ask.see(resource.canonical()).await?;
    let configuration = seen
        .ok_or(Refusal::Rule(Rule::NotFound(Noun::ResourceConfiguration)))?
        .value;
    Answer::json(StatusCode::OK, &answer(configuration)).map_err(Refusal::from)
}

/// PUT `/v1/resources/{resourceUri}`. Nothing is answered but that it is done.
pub async fn update_permissioned_resource(
    ask: Ask<'_>,
    resource: &str,
    request: PermissionedResourceRequest,
) -> Result<Answer, Refusal> {
    let resource: &ResourceUri = &parse("resourceUri", resource)?;
    ask.change(|| {
        let request = request.clone();
        async move {
            let existing = configuration(ask, resource).await?;
            let decided =
                ask.decide(|facts| rules::update(facts, resource, request, existing.as_ref()));
            decided.map(|(changes, _)| Decided::Change(changes, ()))
        }
    })
    .await?;
    Ok(Answer::empty(StatusCode::OK))
}

/// What is configured on a resource.
pub async fn configuration(
    ask: Ask<'_>,
    resource: &ResourceUri,
) -> Result<Option<Seen<StoredResourceConfiguration>>, Refusal> {
    // The id of a document has room for no more than a resource that can be configured.
    if !is_configurable(resource) {
        return Ok(None);
    }
    ask.see(resource.canonical()).await
}

fn answer(configuration: StoredResourceConfiguration) -> PermissionedResource {
    PermissionedResource {
        resource_uri: Some(configuration.resource_uri),
        permissions: configuration.permissions,
    }
}
