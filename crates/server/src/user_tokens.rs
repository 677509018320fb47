//! Tokens that service clients make for users, and what the tokens of a user say (contract §1.14).

use guestlist_api::accounts::AccountReference;
use guestlist_api::ids::{UserId, UserTokenId};
use guestlist_api::user_tokens::{
    TokenRequest, TokenText, UserDefaultClaims, UserToken, UserTokenConfiguration,
};
use guestlist_rules::changes::Seen;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_rules::tenants::{StoredTenant, StoredTenantUser};
use guestlist_rules::user_tokens::{self as rules, OfUser, StoredTokenConfiguration};
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::refusal::Refusal;
use crate::tokens;
use crate::users::{encode, parse};

/// POST `/v1/users/{userId}/tokens`. The token is in this answer and nowhere else.
pub async fn request_user_token(
    ask: Ask<'_>,
    user: &str,
    request: TokenRequest,
) -> Result<Answer, Refusal> {
    let user_id: &UserId = &parse("userId", user)?;
    let fresh: UserTokenId = ask.app.fresh_id("tok_")?;
    let (request, fresh) = (&request, &fresh);
    let (token_id, token) = ask
        .change(|| async move {
            let seen = SeenOfUser::see(ask, user_id).await?;
            let (changes, stored) =
                ask.decide(|facts| rules::make(facts, user_id, request, fresh.clone(), seen.of()))?;
            let claims = seen.configuration.as_ref();
            let claims = claims.map(|seen| &seen.value.access_token_claims);
            let tenant = seen.of().tenant().map(|tenant| &tenant.value.tenant_id);
            let callers = &ask.app.callers;
            let token = callers.user_token(&stored, tenant, claims)?;
            // Before it is stored: one that nobody accepts is not to be made.
            if token.len() > tokens::LONGEST {
                return Err(too_long());
            }
            Ok(Decided::Change(changes, (stored.token_id, token)))
        })
        .await?;
    let path = format!("/v1/users/{}/tokens/{token_id}", encode(user));
    let answer = UserToken {
        account: Some(AccountReference {
            account_id: ask.account_id().clone(),
        }),
        user_id: user_id.clone(),
        token_id,
        token: TokenText::new(token),
        links: ask.links(&path),
    };
    Answer::json(StatusCode::CREATED, &answer).map_err(Refusal::from)
}

fn too_long() -> Refusal {
    Rule::TooLarge {
        reason:
            "the token would be longer than 8 KiB; name fewer or shorter statements, or claims \
                 of the user"
                .to_owned(),
    }
    .into()
}

/// DELETE `/v1/users/{userId}/tokens/{tokenId}`.
pub async fn disable_user_token(ask: Ask<'_>, user: &str, token: &str) -> Result<Answer, Refusal> {
    let user_id: &UserId = &parse("userId", user)?;
    // An id that no token can have is the id of no token.
    let token_id: UserTokenId = token
        .parse()
        .map_err(|_| Refusal::Rule(Rule::NotFound(Noun::UserToken)))?;
    let token_id = &token_id;
    ask.change(|| async move {
        let existing = ask.see(token_id.as_str()).await?;
        let changes = ask.decide(|facts| rules::disable(facts, user_id, existing.as_ref()))?;
        Ok(Decided::Change(changes, ()))
    })
    .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// PUT `/v1/users/{userId}/token-configuration`, and PUT `/v1/users/{userId}`, which the JavaScript
/// SDK sends.
pub async fn set_user_token_configuration(
    ask: Ask<'_>,
    user: &str,
    request: UserTokenConfiguration,
) -> Result<Answer, Refusal> {
    let user_id: &UserId = &parse("userId", user)?;
    let stored = ask
        .change(|| {
            let request = request.clone();
            async move {
                let existing = ask.see(user_id.as_str()).await?;
                let decided = ask
                    .decide(|facts| rules::configure(facts, user_id, request, existing.as_ref()));
                decided.map(|(changes, stored)| Decided::Change(changes, stored))
            }
        })
        .await?;
    let answer = UserTokenConfiguration {
        default_claims: UserDefaultClaims {
            default_access_token_claims: stored.access_token_claims,
        },
    };
    Answer::json(StatusCode::OK, &answer).map_err(Refusal::from)
}

/// What tokens of a user rest on, as it is stored.
struct SeenOfUser {
    link: Option<Seen<StoredTenantUser>>,
    tenant: Option<Seen<StoredTenant>>,
    configuration: Option<Seen<StoredTokenConfiguration>>,
}

impl SeenOfUser {
    async fn see(ask: Ask<'_>, user: &UserId) -> Result<Self, Refusal> {
        let link: Option<Seen<StoredTenantUser>> = ask.see(user.as_str()).await?;
        let tenant = match &link {
            Some(link) => ask.see(link.value.tenant_id.as_str()).await?,
            None => None,
        };
        let configuration = ask.see(user.as_str()).await?;
        Ok(Self {
            link,
            tenant,
            configuration,
        })
    }

    const fn of(&self) -> OfUser<'_> {
        OfUser {
            link: self.link.as_ref(),
            tenant: self.tenant.as_ref(),
            configuration: self.configuration.as_ref(),
        }
    }
}
