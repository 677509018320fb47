//! Tenants, and which users belong to one.

use guestlist_api::ids::{ConnectionId, Domain, TenantId, TenantLookupIdentifier, UserId};
use guestlist_api::tenants::{AuthenticationTokenConfiguration, TenantName, TenantRequest};
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authority::{Ability, Basis, holds, require, require_plainly};
use crate::changes::{Changes, Expect, Facet, Kind, Seen, Stored};
use crate::connections::StoredConnection;
use crate::facts::Facts;
use crate::refusals::{Noun, Refusal};

/// A tenant as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredTenant {
    pub tenant_id: TenantId,
    /// Drawn when the tenant was made. Users are linked with it, so that those of a tenant that was
    /// deleted do not belong to another one that is made under its id.
    pub incarnation: String,
    pub lookup_identifier: Option<TenantLookupIdentifier>,
    pub name: Option<TenantName>,
    pub domains: Vec<Domain>,
    /// It need not exist: nobody signs in by one that does not.
    pub connection_id: Option<ConnectionId>,
    pub token_configuration: Option<AuthenticationTokenConfiguration>,
    pub created_time: Timestamp,
    pub created_by: UserId,
}

/// Which tenant a user belongs to: one at most, since the id of the document is the user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredTenantUser {
    pub user_id: UserId,
    pub tenant_id: TenantId,
    /// That of the tenant.
    pub incarnation: String,
    pub linked_time: Timestamp,
    pub linked_by: UserId,
}

impl Stored for StoredTenant {
    const KIND: Kind = Kind::Tenant;

    fn id(&self) -> String {
        self.tenant_id.to_string()
    }

    fn facets(&self) -> Vec<(Facet, String)> {
        let connection = self.connection_id.iter();
        connection
            .map(|id| (Facet::Connection, id.to_string()))
            .collect()
    }
}

impl Stored for StoredTenantUser {
    const KIND: Kind = Kind::TenantUser;

    fn id(&self) -> String {
        self.user_id.to_string()
    }

    fn facets(&self) -> Vec<(Facet, String)> {
        vec![(Facet::Parent, self.tenant_id.to_string())]
    }
}

impl StoredTenantUser {
    /// Whether the user belongs to this tenant, and not to a former one of its id.
    pub fn is_of(&self, tenant: &StoredTenant) -> bool {
        self.tenant_id == tenant.tenant_id && self.incarnation == tenant.incarnation
    }
}

fn subject(tenant: &TenantId) -> String {
    format!("tenant/{tenant}")
}

/// Ids that may be needed.
pub struct Fresh {
    pub tenant_id: TenantId,
    pub incarnation: String,
}

/// Makes a tenant under the id that was asked for, or under a fresh one.
pub fn create(
    facts: Facts<'_>,
    request: TenantRequest,
    fresh: Fresh,
    existing: Option<&Seen<StoredTenant>>,
) -> Result<(Changes, StoredTenant), Refusal> {
    let basis = require_plainly(facts, Ability::CreateTenant)?;
    if existing.is_some() {
        return Err(Refusal::Taken(Noun::Tenant));
    }
    let tenant = StoredTenant {
        tenant_id: request.tenant_id.clone().unwrap_or(fresh.tenant_id),
        incarnation: fresh.incarnation,
        lookup_identifier: None,
        name: None,
        domains: Vec::new(),
        connection_id: None,
        token_configuration: None,
        created_time: facts.now,
        created_by: facts.who().clone(),
    };
    let tenant = described(tenant, request);
    let mut changes = facts.changes("tenant.created", subject(&tenant.tenant_id), json!({}));
    changes.expect.extend(basis);
    changes.create(&tenant)?;
    Ok((changes, tenant))
}

/// The tenant as the request says; what it leaves out is not set.
fn described(tenant: StoredTenant, request: TenantRequest) -> StoredTenant {
    let domains = request.domains.into_vec();
    StoredTenant {
        lookup_identifier: request.tenant_lookup_identifier,
        name: request.data.and_then(|data| data.name),
        domains: domains.into_iter().map(|domain| domain.domain).collect(),
        connection_id: request
            .connection
            .and_then(|connection| connection.connection_id),
        token_configuration: request.token_configuration,
        ..tenant
    }
}

/// Replaces what is said of a tenant. Its users stay.
pub fn update(
    facts: Facts<'_>,
    tenant_id: &TenantId,
    request: TenantRequest,
    existing: Option<&Seen<StoredTenant>>,
) -> Result<(Changes, StoredTenant), Refusal> {
    let basis = require(facts, Ability::UpdateTenant(tenant_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Tenant))?;
    if request
        .tenant_id
        .as_ref()
        .is_some_and(|given| given != tenant_id)
    {
        return Err(Refusal::invalid(
            "tenantId",
            format!("must be {tenant_id}, as in the path"),
        ));
    }
    let tenant = described(seen.value.clone(), request);
    let mut changes = facts.changes("tenant.updated", subject(tenant_id), json!({}));
    changes.expect.extend(basis);
    changes.replace(seen.mark, &tenant)?;
    Ok((changes, tenant))
}

/// Deletes a tenant, and the connection that no other tenant has: whoever may not change that must
/// take it from the tenant first. Its users belong to none from then on.
pub fn delete(
    facts: Facts<'_>,
    tenant_id: &TenantId,
    existing: Option<&Seen<StoredTenant>>,
    connection: Option<&Seen<StoredConnection>>,
) -> Result<Changes, Refusal> {
    let mut basis = require(facts, Ability::UpdateTenant(tenant_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Tenant))?;
    let mut data = json!({});
    if let Some(connection) = connection {
        let id = &connection.value.connection_id;
        // Otherwise naming somebody else's connection would be a way to delete it.
        basis.extend(require(facts, Ability::UpdateConnection(id))?);
        data = json!({ "connectionId": id });
    }
    let mut changes = facts.changes("tenant.deleted", subject(tenant_id), data);
    changes.expect.extend(basis);
    changes.remove(seen);
    if let Some(connection) = connection {
        changes.remove(connection);
    }
    Ok(changes)
}

/// What is known of a user who is to be put into a tenant.
#[derive(Debug, Clone, Copy)]
pub struct Linked<'a> {
    /// Where the user was put before, if anywhere.
    pub link: Option<&'a Seen<StoredTenantUser>>,
    /// The tenant of that name as it is now.
    pub tenant: Option<&'a Seen<StoredTenant>>,
}

/// Puts a user into a tenant, and out of the one they are in: a user belongs to one. Whoever takes a
/// user out of a tenant must be able to change that one too. `None` if there is nothing to do.
pub fn link_user(
    facts: Facts<'_>,
    tenant_id: &TenantId,
    user_id: &UserId,
    existing: Option<&Seen<StoredTenant>>,
    linked: Linked<'_>,
) -> Result<Option<Changes>, Refusal> {
    let mut basis = require(facts, Ability::UpdateTenant(tenant_id))?;
    let seen = existing.ok_or(Refusal::NotFound(Noun::Tenant))?;
    if !user_id.is_person() {
        return Err(Refusal::invalid(
            "userId",
            "must be a person: service clients belong to no tenant",
        ));
    }
    if let Some((link, tenant)) = linked.link.zip(linked.tenant)
        && link.value.is_of(&tenant.value)
    {
        if tenant.value.tenant_id == *tenant_id {
            return Ok(None);
        }
        basis.extend(may_take_from(facts, &tenant.value.tenant_id)?);
        basis.push((Kind::Tenant, tenant.value.id(), Expect::At(tenant.mark)));
    }
    let link = StoredTenantUser {
        user_id: user_id.clone(),
        tenant_id: tenant_id.clone(),
        incarnation: seen.value.incarnation.clone(),
        linked_time: facts.now,
        linked_by: facts.who().clone(),
    };
    let data = json!({ "userId": user_id });
    let mut changes = facts.changes("tenant.user-linked", subject(tenant_id), data);
    changes.expect.extend(basis);
    changes.rely_on(Kind::Tenant, seen.value.id(), Expect::At(seen.mark));
    match linked.link {
        Some(former) => changes.replace(former.mark, &link)?,
        None => changes.create(&link)?,
    }
    Ok(Some(changes))
}

/// Which tenant it is, is not told: it may be another customer's.
fn may_take_from(facts: Facts<'_>, tenant: &TenantId) -> Result<Basis, Refusal> {
    holds(facts.grants, facts.who(), Ability::UpdateTenant(tenant)).ok_or_else(|| {
        Refusal::Forbidden {
            needs: "UPDATE on the tenant that the user is in".to_owned(),
        }
    })
}
