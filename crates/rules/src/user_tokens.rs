//! Tokens that service clients make for users: who may make one, what it lets its bearer do, and when
//! it is over.

use guestlist_api::actions::Action;
use guestlist_api::ids::{ClientId, RoleId, UserId, UserTokenId};
use guestlist_api::invites::InviteStatement;
use guestlist_api::resources::ResourceUri;
use guestlist_api::times::Timestamp;
use guestlist_api::user_tokens::{TokenClaims, TokenRequest, UserTokenConfiguration};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authority::{Ability, Basis, holds, refuse, require};
use crate::built_in::OWNER;
use crate::caller::CallerKind;
use crate::changes::{Changes, Expect, Facet, Kind, Mark, Seen, Stored};
use crate::coverage::covers;
use crate::facts::Facts;
use crate::grants::Grants;
use crate::refusals::{Noun, Refusal};
use crate::tenants::{StoredTenant, StoredTenantUser};

/// Milliseconds a token of a user lives unless its tenant says less, and at most.
const LIFE: i64 = 24 * 60 * 60 * 1000;
/// Milliseconds it lives at least.
const LIFE_LEAST: i64 = 60 * 1000;

/// A token of a user as it is stored: never the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredUserToken {
    pub token_id: UserTokenId,
    pub user_id: UserId,
    /// Who made it. It is good only as long as that client is there and may make tokens.
    pub client_id: ClientId,
    pub statements: Vec<InviteStatement>,
    pub created_time: Timestamp,
    pub expires: Timestamp,
    pub disabled: Option<Timestamp>,
}

impl Stored for StoredUserToken {
    const KIND: Kind = Kind::UserToken;

    fn id(&self) -> String {
        self.token_id.to_string()
    }

    fn facets(&self) -> Vec<(Facet, String)> {
        vec![(Facet::Principal, self.user_id.principal().to_owned())]
    }
}

impl StoredUserToken {
    /// Whether it has neither been disabled nor ended.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.disabled.is_none() && now < self.expires
    }

    /// Whether it gives all that the user has: one of its statements is the owner's role on
    /// everything.
    pub fn is_unlimited(&self) -> bool {
        self.statements.iter().any(|statement| {
            let owner = |role: &RoleId| role.as_str() == OWNER;
            let mut resources = statement.resources.iter();
            statement.roles.iter().any(owner)
                && resources.any(|resource| resource.resource_uri.canonical() == "*")
        })
    }
}

/// What the tokens of a user say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredTokenConfiguration {
    pub user_id: UserId,
    pub access_token_claims: TokenClaims,
    pub last_updated: Timestamp,
}

impl Stored for StoredTokenConfiguration {
    const KIND: Kind = Kind::TokenConfiguration;

    fn id(&self) -> String {
        self.user_id.to_string()
    }
}

fn subject(user: &UserId) -> String {
    format!("user/{user}")
}

/// What a token of a user depends on besides who asks.
#[derive(Debug, Clone, Copy)]
pub struct OfUser<'a> {
    pub link: Option<&'a Seen<StoredTenantUser>>,
    /// The tenant that the link names, as it is now.
    pub tenant: Option<&'a Seen<StoredTenant>>,
    /// What tokens of the user say besides.
    pub configuration: Option<&'a Seen<StoredTokenConfiguration>>,
}

impl<'a> OfUser<'a> {
    /// The tenant that the user belongs to.
    pub fn tenant(&self) -> Option<&'a Seen<StoredTenant>> {
        let (link, tenant) = self.link.zip(self.tenant)?;
        link.value.is_of(&tenant.value).then_some(tenant)
    }

    /// Milliseconds that a token may live.
    fn life(&self) -> i64 {
        let tenant = self.tenant().map(|tenant| &tenant.value);
        let lives = tenant.and_then(|tenant| tenant.token_configuration.as_ref());
        let duration = lives.and_then(|lives| lives.access_token_duration.as_ref());
        let seconds = duration.and_then(|duration| i64::try_from(duration.seconds()).ok());
        seconds.map_or(LIFE, |seconds| seconds.saturating_mul(1000).min(LIFE))
    }
}

/// Makes a token of a user. Only a service client that was given this power may, since it is the
/// power to speak for anybody.
pub fn make(
    facts: Facts<'_>,
    user_id: &UserId,
    request: &TokenRequest,
    fresh: UserTokenId,
    of_user: OfUser<'_>,
) -> Result<(Changes, StoredUserToken), Refusal> {
    let client_id = may_make(facts)?;
    if !user_id.is_person() {
        return Err(Refusal::invalid(
            "userId",
            "must be a person: nobody speaks for a service client",
        ));
    }
    let roles = check_roles(facts.grants, request)?;
    let expires = expires(facts.now, request, of_user.life())?;
    let token = StoredUserToken {
        token_id: fresh,
        user_id: user_id.clone(),
        client_id,
        statements: request.statements.to_vec(),
        created_time: facts.now,
        expires,
        disabled: None,
    };
    let data = json!({ "tokenId": token.token_id, "expires": expires });
    let mut changes = facts.changes("user.token-created", subject(user_id), data);
    changes.expect.extend(roles);
    // What the token says rests on these as they are, and on those that are not there.
    let at = |mark: Option<Mark>| mark.map_or(Expect::Absent, Expect::At);
    let link = of_user.link.map(|seen| seen.mark);
    changes.rely_on(Kind::TenantUser, user_id.as_str(), at(link));
    let configuration = of_user.configuration.map(|seen| seen.mark);
    changes.rely_on(
        Kind::TokenConfiguration,
        user_id.as_str(),
        at(configuration),
    );
    if let Some(link) = of_user.link {
        let tenant = of_user.tenant.map(|seen| seen.mark);
        changes.rely_on(Kind::Tenant, link.value.tenant_id.as_str(), at(tenant));
    }
    changes.create(&token)?;
    Ok((changes, token))
}

fn may_make(facts: Facts<'_>) -> Result<ClientId, Refusal> {
    match &facts.caller.kind {
        CallerKind::Client { client_id, options } if options.grant_token_generation => {
            Ok(client_id.clone())
        }
        CallerKind::Client { .. } | CallerKind::User { .. } | CallerKind::Limited { .. } => {
            Err(Refusal::Forbidden {
                needs: "a service client with the option grantTokenGeneration".to_owned(),
            })
        }
    }
}

/// A role that does not exist gives nothing now, and might give anything later.
fn check_roles(grants: &Grants, request: &TokenRequest) -> Result<Basis, Refusal> {
    let mut basis = Basis::new();
    for (number, statement) in request.statements.iter().enumerate() {
        for (place, role) in statement.roles.iter().enumerate() {
            let known = grants.role(role).ok_or_else(|| {
                Refusal::invalid(
                    format!("statements[{number}].roles[{place}]"),
                    format!("there is no role {role}"),
                )
            })?;
            let mark = known.mark.map(Expect::At);
            basis.extend(mark.map(|at| (Kind::Role, role.to_string(), at)));
        }
    }
    Ok(basis)
}

fn expires(now: Timestamp, request: &TokenRequest, life: i64) -> Result<Timestamp, Refusal> {
    let (path, asked) = match (request.expires, request.expiry_time) {
        (Some(old), Some(new)) if old != new => {
            return Err(Refusal::invalid(
                "expires",
                "must be the same as expiryTime, its newer name",
            ));
        }
        (Some(expires), _) => ("expires", expires),
        (None, Some(expires)) => ("expiryTime", expires),
        (None, None) => return Ok(now.plus(life)),
    };
    if asked < now.plus(LIFE_LEAST.min(life)) || asked > now.plus(life) {
        let seconds = life / 1000;
        return Err(Refusal::invalid(
            path,
            format!("must be a minute to {seconds} seconds from now"),
        ));
    }
    Ok(asked)
}

/// Disables a token: it is refused from the next request on. Whoever made it may, the user
/// themselves, and whoever may change the user.
pub fn disable(
    facts: Facts<'_>,
    user_id: &UserId,
    existing: Option<&Seen<StoredUserToken>>,
) -> Result<Changes, Refusal> {
    let good = existing.filter(|seen| {
        seen.value.disabled.is_none() && seen.value.user_id.principal() == user_id.principal()
    });
    let own = good.is_some_and(|seen| {
        let who = facts.who().principal();
        who == seen.value.client_id.as_str() || who == user_id.principal()
    });
    let ability = Ability::UpdateUser(user_id);
    let basis = if own {
        Basis::new()
    } else {
        holds(facts.grants, facts.who(), ability).ok_or_else(|| refuse(facts, ability))?
    };
    let seen = good.ok_or(Refusal::NotFound(Noun::UserToken))?;
    let token = StoredUserToken {
        disabled: Some(facts.now),
        ..seen.value.clone()
    };
    let data = json!({ "tokenId": token.token_id });
    let mut changes = facts.changes("user.token-disabled", subject(user_id), data);
    changes.expect.extend(basis);
    changes.replace(seen.mark, &token)?;
    Ok(changes)
}

/// Says what the tokens that are made for a user from now on say.
pub fn configure(
    facts: Facts<'_>,
    user_id: &UserId,
    request: UserTokenConfiguration,
    existing: Option<&Seen<StoredTokenConfiguration>>,
) -> Result<(Changes, StoredTokenConfiguration), Refusal> {
    let basis = require(facts, Ability::UpdateUser(user_id))?;
    if !user_id.is_person() {
        return Err(Refusal::invalid(
            "userId",
            "must be a person: service clients sign their own tokens",
        ));
    }
    let configuration = StoredTokenConfiguration {
        user_id: user_id.clone(),
        access_token_claims: request.default_claims.default_access_token_claims,
        last_updated: facts.now,
    };
    // Without the claims: the log keeps for good what was once said of people.
    let mut changes = facts.changes("user.token-configured", subject(user_id), json!({}));
    changes.expect.extend(basis);
    match existing {
        Some(seen) => changes.replace(seen.mark, &configuration)?,
        None => changes.create(&configuration)?,
    }
    Ok((changes, configuration))
}

/// Whether statements that limit a token let its bearer do this, with roles as they are now. What the
/// user holds is another question.
pub fn within(
    grants: &Grants,
    statements: &[InviteStatement],
    resource: &ResourceUri,
    action: &Action,
) -> bool {
    statements.iter().any(|statement| {
        statement.roles.iter().any(|role| {
            let Some(role) = grants.role(role) else {
                return false;
            };
            let built_in = role.mark.is_none();
            let allows = role
                .permissions
                .iter()
                .any(|held| held.allow && held.action.covers(action));
            allows
                && statement
                    .resources
                    .iter()
                    .any(|held| covers(&held.resource_uri, built_in, resource, false))
        })
    })
}
