//! Linked token issuers (contract §1.4).

use guestlist_api::identities::{Identity, IdentityCollection, IdentityRequest, IssuerText};
use guestlist_rules::authority::{Ability, require_plainly};
use guestlist_rules::changes::Kind;
use guestlist_rules::identities::{self as rules, Link, StoredIdentity};
use guestlist_rules::refusals::Refusal as Rule;
use guestlist_store::Selection;
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::refusal::Refusal;

/// Linked issuers at most: the answer has no pages (contract §2.2).
const MOST: usize = 1_000;

/// GET `/v1/identities`.
pub async fn get_account_identities(ask: Ask<'_>) -> Result<Answer, Refusal> {
    ask.decide(|facts| require_plainly(facts, Ability::ReadConfiguration))?;
    let found = ask
        .app
        .store
        .list(Kind::Identity, &Selection::All, None, MOST)
        .await?;
    let identities = found
        .into_iter()
        .map(|seen| seen.value.read::<StoredIdentity>().map(answer))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Rule::from)?;
    Answer::json(StatusCode::OK, &IdentityCollection { identities }).map_err(Refusal::from)
}

fn answer(identity: StoredIdentity) -> Identity {
    Identity {
        issuer: identity.issuer,
        audience: identity.audience,
        user_id_expression: identity.user_id_expression,
    }
}

/// POST `/v1/identities`: links an issuer by its name or by a token of it.
pub async fn delegate_authentication(
    ask: Ask<'_>,
    request: IdentityRequest,
) -> Result<Answer, Refusal> {
    // Asked before anything is fetched: an issuer is contacted only for those who may link one.
    ask.decide(|facts| require_plainly(facts, Ability::UpdateConfiguration))?;
    let link = link(ask, request).await?;
    ask.change(|| {
        let link = link.clone();
        async move {
            let key = StoredIdentity::key(&link.issuer, &link.audience);
            let existing = ask.see(&key).await?;
            let changes = ask.decide(|facts| rules::link(facts, link, existing.as_ref()))?;
            Ok(Decided::Change(changes, ()))
        }
    })
    .await?;
    Ok(Answer::empty(StatusCode::CREATED))
}

async fn link(ask: Ask<'_>, request: IdentityRequest) -> Result<Link, Refusal> {
    let user_id_expression = request.user_id_expression.unwrap_or_default();
    let (issuer, audience) = match (request.issuer, request.jwt) {
        (Some(issuer), _) => {
            let audience = request.preferred_audience.ok_or_else(|| {
                Refusal::malformed(
                    "preferredAudience",
                    "say which audience the tokens must have; * accepts those made for any \
                     application of the issuer",
                )
            })?;
            ask.app
                .callers
                .check_issuer(&issuer)
                .map_err(|reason| Refusal::Issuer {
                    reason: reason.to_string(),
                })?;
            (issuer, audience)
        }
        (None, Some(jwt)) => by_token(ask, jwt.as_str(), request.preferred_audience).await?,
        (None, None) => {
            let reason = "send issuer, or jwt with a valid token of the issuer";
            return Err(Refusal::malformed("issuer", reason));
        }
    };
    Ok(Link {
        issuer,
        audience,
        user_id_expression,
    })
}

/// The issuer and the audience of a sample token, once its signature is verified.
async fn by_token(
    ask: Ask<'_>,
    jwt: &str,
    preferred: Option<IssuerText>,
) -> Result<(IssuerText, IssuerText), Refusal> {
    let sample = ask
        .app
        .callers
        .verify_sample(jwt)
        .await
        .map_err(|reason| Refusal::malformed("jwt", reason))?;
    let audience = match (preferred, sample.audiences.as_slice()) {
        (Some(preferred), _) if preferred.as_str() == "*" => preferred,
        (Some(preferred), audiences) if audiences.contains(&preferred) => preferred,
        (Some(_), _) => {
            let reason = "is not an audience of the token";
            return Err(Refusal::malformed("preferredAudience", reason));
        }
        (None, [only]) => only.clone(),
        (None, _) => {
            let reason = "the token has several audiences; say which one tokens must have";
            return Err(Refusal::malformed("preferredAudience", reason));
        }
    };
    Ok((sample.issuer, audience))
}
