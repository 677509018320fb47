//! Users (contract §1.14), what they hold (§1.13), and who holds something on a resource (§1.9).

use guestlist_api::accounts::AccountReference;
use guestlist_api::actions::Action;
use guestlist_api::ids::{RoleId, TenantId, UserId};
use guestlist_api::limits;
use guestlist_api::records::Resource;
use guestlist_api::resources::ResourceUri;
use guestlist_api::users::{
    CollectionConfiguration, PermissionCollection, ResourceUsersCollection, UserIdentity,
    UserIdentityCollection, UserPermission, UserResourcesCollection, UserRole, UserRoleCollection,
};
use guestlist_rules::changes::{Facet, Seen};
use guestlist_rules::grants::Looked;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_rules::tenants::{StoredTenant, StoredTenantUser};
use guestlist_rules::users as rules;
use guestlist_store::Selection;
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::explanations::explain;
use crate::listing::{Listing, Next, contains, given};
use crate::query::Query;
use crate::refusal::Refusal;

/// Names looked at while the index is held: about a millisecond.
const NAMES_OF_A_STEP: usize = 10_000;

/// Names looked at for one page of known users at most. The page may then be shorter than asked for
/// and still have a next one.
const NAMES_OF_A_PAGE: usize = 200_000;

/// Reads a value of the path.
pub fn parse<T>(place: &str, text: &str) -> Result<T, Refusal>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|reason| Refusal::malformed(place, reason))
}

/// GET `/v1/users`: the users that are known, in steps between which others are answered.
pub async fn get_users(ask: Ask<'_>, query: &Query<'_>) -> Result<Answer, Refusal> {
    let listing = Listing::read(ask, query, "users", limits::LARGE_PAGE, &["tenantId"])?;
    ask.decide(rules::may_list)?;
    let (users, next) = match given(query, "tenantId")? {
        Some(tenant) => of_tenant(ask, &listing, &tenant).await?,
        None => known(ask, &listing).await?,
    };
    let users = users.into_iter().map(UserIdentity::new).collect();
    let (pagination, links) = listing.page(ask, "/v1/users", next)?;
    let page = UserIdentityCollection {
        users,
        pagination,
        links,
    };
    Answer::json(StatusCode::OK, &page).map_err(Refusal::from)
}

/// A page of the users who were put into a tenant, whether anything else names them or not.
async fn of_tenant(
    ask: Ask<'_>,
    listing: &Listing,
    tenant: &str,
) -> Result<(Vec<UserId>, Next), Refusal> {
    let tenant: Option<Seen<StoredTenant>> = match tenant.parse::<TenantId>() {
        Ok(id) => ask.see(id.as_str()).await?,
        Err(_) => None,
    };
    // Nobody belongs to a tenant that is not there.
    let Some(tenant) = tenant else {
        return Ok((Vec::new(), None));
    };
    let selection = Selection::Equal(Facet::Parent, tenant.value.tenant_id.to_string());
    let filter = listing.filter.as_deref();
    let (found, next) = listing
        .selected(ask, &selection, |link: &StoredTenantUser| {
            link.is_of(&tenant.value) && contains(filter, [link.user_id.as_str()])
        })
        .await?;
    let users = found.into_iter().map(|seen| seen.value.user_id);
    Ok((users.collect(), next))
}

/// A page of the users that records and groups name.
async fn known(ask: Ask<'_>, listing: &Listing) -> Result<(Vec<UserId>, Next), Refusal> {
    while ask.app.grants().sort_users(NAMES_OF_A_STEP) == Looked::InPart {
        tokio::task::yield_now().await;
    }
    let filter = listing.filter.as_deref();
    let wanted = |id: &str| rules::is_person(id) && contains(filter, [id]);
    let mut users: Vec<UserId> = Vec::new();
    let mut next = listing.after().map(ToOwned::to_owned);
    let mut left = NAMES_OF_A_PAGE;
    while left > 0 {
        let step = left.min(NAMES_OF_A_STEP);
        let limit = listing.limit + 1 - users.len();
        let found = ask.decide(|facts| {
            rules::may_list(facts)?;
            Ok(facts
                .grants
                .known_users(next.as_deref(), limit, step, &wanted))
        })?;
        users.extend(found.users);
        next = found.last;
        if next.is_none() || users.len() > listing.limit {
            break;
        }
        left -= step;
        tokio::task::yield_now().await;
    }
    let next = cut(&mut users, listing.limit, UserId::to_string).or(next);
    Ok((users, next))
}

/// GET `/v1/users/{userId}`.
pub fn get_user(ask: Ask<'_>, user: &str) -> Result<Answer, Refusal> {
    let user: UserId = parse("userId", user)?;
    ask.decide(|facts| rules::may_read_user(facts, &user))?;
    Answer::json(StatusCode::OK, &UserIdentity::new(user)).map_err(Refusal::from)
}

/// GET `/v1/users/{userId}/resources/{resourceUri}/permissions/{permission}`.
pub async fn authorize_user(
    ask: Ask<'_>,
    user: &str,
    resource: &str,
    action: &str,
    query: &Query<'_>,
) -> Result<Answer, Refusal> {
    let user: UserId = parse("userId", user)?;
    let resource: ResourceUri = parse("resourceUri", resource)?;
    let action: Action = parse("permission", action)?;
    match given(query, "explain")?.as_deref() {
        None | Some("false") => {}
        Some("true") => return explain(ask, &user, &resource, &action).await,
        Some(_) => return Err(Refusal::malformed("explain", "must be true or false")),
    }
    ask.decide(|facts| {
        rules::may_ask(facts, &user)?;
        if rules::may_do(facts, &user, &resource, &action) {
            Ok(Answer::yes())
        } else {
            Err(Rule::NotFound(Noun::Resource))
        }
    })
}

/// GET `/v1/users/{userId}/resources/{resourceUri}/permissions`.
pub fn get_user_permissions(ask: Ask<'_>, user: &str, resource: &str) -> Result<Answer, Refusal> {
    let user_id: UserId = parse("userId", user)?;
    let resource: ResourceUri = parse("resourceUri", resource)?;
    let permissions = ask.decide(|facts| {
        rules::may_ask(facts, &user_id)?;
        let permissions = facts.grants.permissions(&user_id, &resource);
        if permissions.is_empty() {
            Err(Rule::NotFound(Noun::Resource))
        } else {
            Ok(permissions)
        }
    })?;
    let permissions = permissions
        .into_iter()
        .map(|held| UserPermission {
            permission: held.permission,
            expiry_time: held.ends,
        })
        .collect();
    let account = Some(AccountReference {
        account_id: ask.account_id().clone(),
    });
    Answer::json(
        StatusCode::OK,
        &PermissionCollection {
            account,
            user_id,
            permissions,
        },
    )
    .map_err(Refusal::from)
}

/// GET `/v1/users/{userId}/resources/{resourceUri}/roles`.
pub fn get_user_roles(ask: Ask<'_>, user: &str, resource: &str) -> Result<Answer, Refusal> {
    let user_id: UserId = parse("userId", user)?;
    let resource: ResourceUri = parse("resourceUri", resource)?;
    let roles = ask.decide(|facts| {
        rules::may_ask(facts, &user_id)?;
        let roles = facts.grants.explicit_roles(&user_id, &resource);
        if roles.is_empty() {
            Err(Rule::NotFound(Noun::Resource))
        } else {
            Ok(roles)
        }
    })?;
    let roles = roles
        .into_iter()
        .map(|(role_id, expiry_time)| UserRole {
            role_id,
            expiry_time,
        })
        .collect();
    Answer::json(StatusCode::OK, &UserRoleCollection { user_id, roles }).map_err(Refusal::from)
}

/// GET `/v1/users/{userId}/resources`.
pub fn get_user_resources(ask: Ask<'_>, user: &str, query: &Query<'_>) -> Result<Answer, Refusal> {
    let user_id: UserId = parse("userId", user)?;
    let collection: Option<ResourceUri> = given(query, "resourceUri")?
        .map(|text| parse("resourceUri", &text))
        .transpose()?;
    let action: Option<Action> = given(query, "permissions")?
        .map(|text| parse("permissions", &text))
        .transpose()?;
    let configuration = match given(query, "collectionConfiguration")?.as_deref() {
        None | Some("TOP_LEVEL_ONLY") => CollectionConfiguration::TopLevelOnly,
        Some("INCLUDE_NESTED") => CollectionConfiguration::IncludeNested,
        Some(_) => {
            let reason = "must be TOP_LEVEL_ONLY or INCLUDE_NESTED";
            return Err(Refusal::malformed("collectionConfiguration", reason));
        }
    };
    let list = format!("resources of {user_id}");
    let narrowing = ["resourceUri", "permissions", "collectionConfiguration"];
    let listing = Listing::read(ask, query, &list, limits::PAGE, &narrowing)?;
    let nested = configuration == CollectionConfiguration::IncludeNested;
    let mut found = ask.decide(|facts| {
        rules::may_ask(facts, &user_id)?;
        let (collection, action) = (collection.as_ref(), action.as_ref());
        let after = listing.after();
        Ok(facts.grants.resources(
            &user_id,
            collection,
            nested,
            action,
            after,
            listing.limit + 1,
        ))
    })?;
    let next = cut(&mut found, listing.limit, |resource| {
        resource.canonical().to_owned()
    });
    let resources = found
        .into_iter()
        .map(|resource_uri| Resource { resource_uri })
        .collect();
    let path = format!("/v1/users/{}/resources", encode(user));
    let (pagination, links) = listing.page(ask, &path, next)?;
    let account = Some(AccountReference {
        account_id: ask.account_id().clone(),
    });
    let page = UserResourcesCollection {
        account,
        user_id,
        resources,
        pagination,
        links,
    };
    Answer::json(StatusCode::OK, &page).map_err(Refusal::from)
}

/// Users with the roles they are listed for, and what the next page begins after.
type UsersOfPage = (Vec<(UserId, Vec<RoleId>)>, Next);

/// GET `/v1/resources/{resourceUri}/users`: those named on it; with `permission`, everybody who may
/// do that (an extension).
pub async fn get_resource_users(
    ask: Ask<'_>,
    resource: &str,
    query: &Query<'_>,
) -> Result<Answer, Refusal> {
    let resource_uri: ResourceUri = parse("resourceUri", resource)?;
    let action: Option<Action> = given(query, "permission")?
        .map(|text| parse("permission", &text))
        .transpose()?;
    let list = format!("users of {}", resource_uri.canonical());
    let listing = Listing::read(ask, query, &list, limits::PAGE, &["permission"])?;
    let (found, next) = match action {
        Some(action) => who_may(ask, &resource_uri, &action, &listing).await?,
        None => named_on(ask, &resource_uri, &listing)?,
    };
    let users = found
        .into_iter()
        .map(|(user_id, roles)| UserRoleCollection {
            user_id,
            roles: roles
                .into_iter()
                .map(|role_id| UserRole {
                    role_id,
                    expiry_time: None,
                })
                .collect(),
        })
        .collect();
    let path = format!("/v1/resources/{}/users", encode(resource));
    let (pagination, links) = listing.page(ask, &path, next)?;
    Answer::json(
        StatusCode::OK,
        &ResourceUsersCollection {
            users,
            pagination,
            links,
        },
    )
    .map_err(Refusal::from)
}

fn named_on(
    ask: Ask<'_>,
    resource: &ResourceUri,
    listing: &Listing,
) -> Result<UsersOfPage, Refusal> {
    let mut found = ask.decide(|facts| {
        rules::may_list_users(facts, resource)?;
        let after = listing.after();
        Ok(facts.grants.users_of(resource, after, listing.limit + 1))
    })?;
    let next = cut(&mut found, listing.limit, |(user, _)| user.to_string());
    Ok((found, next))
}

/// Everybody who may do something, in steps between which others are answered.
async fn who_may(
    ask: Ask<'_>,
    resource: &ResourceUri,
    action: &Action,
    listing: &Listing,
) -> Result<UsersOfPage, Refusal> {
    let mut search = ask.decide(|facts| {
        rules::may_list_users(facts, resource)?;
        let after = listing.after();
        let grants = facts.grants;
        Ok(grants.who_may(resource, action, after, listing.limit + 1))
    })?;
    let mut left = ask.app.limits.names;
    while ask
        .app
        .grants()
        .look(&mut search, left.min(NAMES_OF_A_STEP))
        == Looked::InPart
    {
        left = left.saturating_sub(NAMES_OF_A_STEP);
        if left == 0 {
            let reason = "too many are given something on this resource or above it to look at \
                          all of them; ask about one below, or check user by user"
                .to_owned();
            return Err(Rule::TooLarge { reason }.into());
        }
        tokio::task::yield_now().await;
    }
    let mut users = search.users();
    let next = cut(&mut users, listing.limit, UserId::to_string);
    // What changed between the steps is in force: who is answered may do it at this one moment, and
    // whoever asks may still ask.
    let found = ask.decide(|facts| {
        rules::may_list_users(facts, resource)?;
        let users = users.into_iter().map(|user| {
            let roles = facts.grants.roles_that_allow(&user, resource, action);
            (user, roles)
        });
        Ok(users.filter(|(_, roles)| !roles.is_empty()).collect())
    })?;
    Ok((found, next))
}

/// Cuts what was read one beyond the page, and says what the next page begins after.
fn cut<T>(items: &mut Vec<T>, limit: usize, name: impl Fn(&T) -> String) -> Option<String> {
    if items.len() <= limit {
        return None;
    }
    items.truncate(limit);
    items.last().map(name)
}

/// A path member with everything but letters, digits and `-._~` escaped (RFC 3986 §2.3).
pub(crate) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
