//! Tenants (contract §1.12).

use guestlist_api::ids::{Domain, TenantId, TenantLookupIdentifier};
use guestlist_api::limits;
use guestlist_api::tenants::{
    Tenant, TenantCollection, TenantConnection, TenantData, TenantDomain, TenantName,
    TenantRequest, TenantUser,
};
use guestlist_rules::authority::{Ability, holds, require};
use guestlist_rules::changes::{Facet, Kind, Seen};
use guestlist_rules::connections::StoredConnection;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_rules::tenants::{self as rules, Fresh, Linked, StoredTenant, StoredTenantUser};
use guestlist_store::Selection;
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::listing::{Listing, contains};
use crate::query::Query;
use crate::refusal::Refusal;

/// Characters of what tells a tenant from a former one under the same id.
const INCARNATION_LENGTH: usize = 16;

/// POST `/v1/tenants`.
pub async fn create_tenant(ask: Ask<'_>, request: TenantRequest) -> Result<Answer, Refusal> {
    let fresh_id: TenantId = ask.app.fresh_id("ten_")?;
    let incarnation = ask.app.entropy.text(INCARNATION_LENGTH)?;
    let tenant = ask
        .change(|| {
            let request = request.clone();
            let fresh = Fresh {
                tenant_id: fresh_id.clone(),
                incarnation: incarnation.clone(),
            };
            async move {
                let id = request.tenant_id.as_ref().unwrap_or(&fresh.tenant_id);
                let existing = ask.see(id.as_str()).await?;
                let decided =
                    ask.decide(|facts| rules::create(facts, request, fresh, existing.as_ref()));
                decided.map(|(changes, tenant)| Decided::Change(changes, tenant))
            }
        })
        .await?;
    Answer::json(StatusCode::CREATED, &answer(tenant)).map_err(Refusal::from)
}

/// GET `/v1/tenants`: those the caller may read.
pub async fn get_tenants(ask: Ask<'_>, query: &Query<'_>) -> Result<Answer, Refusal> {
    let listing = Listing::read(ask, query, "tenants", limits::LARGE_PAGE, &[])?;
    let filter = listing.filter.as_deref();
    let (found, next) = listing
        .documents(ask, |tenant: &StoredTenant| {
            let readable = ask.decide(|facts| {
                let ability = Ability::ReadTenant(&tenant.tenant_id);
                Ok(holds(facts.grants, facts.who(), ability).is_some())
            });
            readable.unwrap_or(false) && matches(tenant, filter)
        })
        .await?;
    let tenants = found.into_iter().map(|seen| answer(seen.value)).collect();
    let (pagination, links) = listing.page(ask, "/v1/tenants", next)?;
    let page = TenantCollection {
        tenants,
        pagination,
        links,
    };
    Answer::json(StatusCode::OK, &page).map_err(Refusal::from)
}

fn matches(tenant: &StoredTenant, filter: Option<&str>) -> bool {
    let lookup = tenant.lookup_identifier.as_ref();
    let optional = [
        tenant.name.as_ref().map(TenantName::as_str),
        lookup.map(TenantLookupIdentifier::as_str),
    ];
    let domains = tenant.domains.iter().map(Domain::as_str);
    contains(
        filter,
        [tenant.tenant_id.as_str()]
            .into_iter()
            .chain(optional.into_iter().flatten())
            .chain(domains),
    )
}

/// GET `/v1/tenants/{tenantId}`.
pub async fn get_tenant(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = parse(id)?;
    ask.decide(|facts| require(facts, Ability::ReadTenant(&id)))?;
    let seen: Option<Seen<StoredTenant>> = ask.see(id.as_str()).await?;
    let tenant = seen
        .ok_or(Refusal::Rule(Rule::NotFound(Noun::Tenant)))?
        .value;
    Answer::json(StatusCode::OK, &answer(tenant)).map_err(Refusal::from)
}

/// PUT `/v1/tenants/{tenantId}`.
pub async fn update_tenant(
    ask: Ask<'_>,
    id: &str,
    request: TenantRequest,
) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    let tenant = ask
        .change(|| {
            let request = request.clone();
            async move {
                let existing = ask.see(id.as_str()).await?;
                let decided =
                    ask.decide(|facts| rules::update(facts, id, request, existing.as_ref()));
                decided.map(|(changes, tenant)| Decided::Change(changes, tenant))
            }
        })
        .await?;
    Answer::json(StatusCode::OK, &answer(tenant)).map_err(Refusal::from)
}

/// DELETE `/v1/tenants/{tenantId}`.
pub async fn delete_tenant(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    ask.change(|| async move {
        let existing = ask.see(id.as_str()).await?;
        let connection = own_connection(ask, existing.as_ref()).await?;
        let changes =
            ask.decide(|facts| rules::delete(facts, id, existing.as_ref(), connection.as_ref()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// The connection of a tenant that no other tenant has.
///
/// One that names it while this one is deleted is left with a connection that is not there, as if
/// the connection had been deleted on its own.
async fn own_connection(
    ask: Ask<'_>,
    tenant: Option<&Seen<StoredTenant>>,
) -> Result<Option<Seen<StoredConnection>>, Refusal> {
    let Some(id) = tenant.and_then(|tenant| tenant.value.connection_id.as_ref()) else {
        return Ok(None);
    };
    let by_connection = Selection::Equal(Facet::Connection, id.to_string());
    let store = &ask.app.store;
    let named_by = store.list(Kind::Tenant, &by_connection, None, 2).await?;
    if named_by.len() > 1 {
        return Ok(None);
    }
    ask.see(id.as_str()).await
}

/// PATCH `/v1/tenants/{tenantId}/users`.
pub async fn link_tenant_user(
    ask: Ask<'_>,
    id: &str,
    request: TenantUser,
) -> Result<Answer, Refusal> {
    let id = &parse(id)?;
    let user = &request.user_id;
    ask.change(|| async move {
        let existing = ask.see(id.as_str()).await?;
        let link: Option<Seen<StoredTenantUser>> = ask.see(user.as_str()).await?;
        let tenant = match &link {
            Some(link) => ask.see(link.value.tenant_id.as_str()).await?,
            None => None,
        };
        let linked = Linked {
            link: link.as_ref(),
            tenant: tenant.as_ref(),
        };
        let changes =
            ask.decide(|facts| rules::link_user(facts, id, user, existing.as_ref(), linked))?;
        Ok(match changes {
            Some(changes) => Decided::Change(changes, ()),
            None => Decided::Nothing(()),
        })
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// An id that no tenant can have is the id of no tenant.
fn parse(id: &str) -> Result<TenantId, Refusal> {
    id.parse().map_err(|_| Rule::NotFound(Noun::Tenant).into())
}

fn answer(tenant: StoredTenant) -> Tenant {
    let domains = tenant.domains.into_iter();
    Tenant {
        tenant_id: tenant.tenant_id,
        tenant_lookup_identifier: tenant.lookup_identifier,
        data: tenant.name.map(|name| TenantData { name: Some(name) }),
        domains: domains.map(|domain| TenantDomain { domain }).collect(),
        connection: tenant.connection_id.map(|id| TenantConnection {
            connection_id: Some(id),
        }),
        token_configuration: tenant.token_configuration,
        created_time: Some(tenant.created_time),
    }
}
