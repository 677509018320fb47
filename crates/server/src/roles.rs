//! Roles (contract §1.10).

use guestlist_api::ids::RoleId;
use guestlist_api::limits;
use guestlist_api::roles::{Role, RoleCollection, RoleRequest};
use guestlist_rules::authority::{Ability, require, require_plainly};
use guestlist_rules::built_in;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_rules::roles::{self as rules, StoredRole};
use guestlist_store::Selection;
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided, Library};
use crate::listing::{Listing, contains, walk};
use crate::query::Query;
use crate::refusal::Refusal;

/// POST `/v1/roles`.
pub async fn create_role(ask: Ask<'_>, request: RoleRequest) -> Result<Answer, Refusal> {
    let fresh: RoleId = ask.app.fresh_id("ro_")?;
    let role = ask
        .change(|| {
            let (request, fresh) = (request.clone(), fresh.clone());
            async move {
                let id = request.role_id.as_ref().unwrap_or(&fresh);
                let existing = ask.see(id.as_str()).await?;
                let decided =
                    ask.decide(|facts| rules::create(facts, request, fresh, existing.as_ref()));
                decided.map(|(changes, role)| Decided::Change(changes, role))
            }
        })
        .await?;
    let status = match ask.library {
        // It takes exactly 200 for success (contract §7.1).
        Library::Terraform => StatusCode::OK,
        Library::JavaScript | Library::Rust | Library::Other => StatusCode::CREATED,
    };
    Answer::json(status, &answer(role)).map_err(Refusal::from)
}

/// GET `/v1/roles`: the built-in ones first.
pub async fn get_roles(ask: Ask<'_>, query: &Query<'_>) -> Result<Answer, Refusal> {
    ask.decide(|facts| require_plainly(facts, Ability::ListRoles))?;
    let listing = Listing::read(ask, query, "roles", limits::LARGE_PAGE, &[])?;
    let filter = listing.filter.as_deref();
    // No stored role has the id of a built-in one, so a position says which of the two it is in.
    let mut built_in: Vec<Role> = built_in::roles().collect();
    let position = listing.after();
    let passed = position.map(|after| {
        built_in
            .iter()
            .position(|role| role.role_id.as_str() == after)
    });
    let (skipped, stored_after) = match passed {
        None => (0, None),
        Some(Some(number)) => (number + 1, None),
        Some(None) => (built_in.len(), position),
    };
    built_in.drain(..skipped);
    built_in.retain(|role| matches(role, filter));
    let mut roles = built_in;
    let next = if roles.len() > listing.limit {
        roles.truncate(listing.limit);
        roles.last().map(|role| role.role_id.to_string())
    } else {
        let limit = listing.limit - roles.len();
        let wanted = |role: &StoredRole| matches(&answer(role.clone()), filter);
        let (stored, next) = walk(ask, &Selection::All, stored_after, limit, wanted).await?;
        roles.extend(stored.into_iter().map(|seen| answer(seen.value)));
        next
    };
    let (pagination, links) = listing.page(ask, "/v1/roles", next)?;
    Answer::json(
        StatusCode::OK,
        &RoleCollection {
            roles,
            pagination,
            links,
        },
    )
    .map_err(Refusal::from)
}

fn matches(role: &Role, filter: Option<&str>) -> bool {
    let description = role.description.as_ref().map_or("", |text| text.as_str());
    let actions = role
        .permissions
        .iter()
        .map(|permission| permission.action.as_str());
    contains(
        filter,
        [role.role_id.as_str(), role.name.as_str(), description]
            .into_iter()
            .chain(actions),
    )
}

/// GET `/v1/roles/{roleId}`.
pub async fn get_role(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id: RoleId = id
        .parse()
        .map_err(|_| Refusal::Rule(Rule::NotFound(Noun::Role)))?;
    ask.decide(|facts| require(facts, Ability::ReadRole(&id)))?;
    let role = if let Some(role) = built_in::roles().find(|role| role.role_id == id) {
        role
    } else {
        let seen = ask.see::<StoredRole>(id.as_str()).await?;
        answer(seen.ok_or(Refusal::Rule(Rule::NotFound(Noun::Role)))?.value)
    };
    Answer::json(StatusCode::OK, &role).map_err(Refusal::from)
}

/// PUT `/v1/roles/{roleId}`.
pub async fn update_role(ask: Ask<'_>, id: &str, request: RoleRequest) -> Result<Answer, Refusal> {
    let id: RoleId = id
        .parse()
        .map_err(|_| Refusal::Rule(Rule::NotFound(Noun::Role)))?;
    let id = &id;
    let role = ask
        .change(|| {
            let request = request.clone();
            async move {
                let existing = ask.see(id.as_str()).await?;
                let decided =
                    ask.decide(|facts| rules::update(facts, id, request, existing.as_ref()));
                decided.map(|(changes, role)| Decided::Change(changes, role))
            }
        })
        .await?;
    Answer::json(StatusCode::OK, &answer(role)).map_err(Refusal::from)
}

/// DELETE `/v1/roles/{roleId}`.
pub async fn delete_role(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let id: RoleId = id
        .parse()
        .map_err(|_| Refusal::Rule(Rule::NotFound(Noun::Role)))?;
    let id = &id;
    ask.change(|| async move {
        let existing = ask.see(id.as_str()).await?;
        let changes = ask.decide(|facts| rules::delete(facts, id, existing.as_ref()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn answer(role: StoredRole) -> Role {
    Role {
        role_id: role.role_id,
        name: role.name,
        description: role.description,
        permissions: role.permissions,
    }
}
