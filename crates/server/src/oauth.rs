//! The token endpoint: a token of a service client for its secret (RFC 6749 §4.4, contract §1.7).
//!
//! The token is the one that the client could have signed itself with the same key: it is verified
//! by the client's own key set, and ends with the key. The other grants come with signing in.

use std::borrow::Cow;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use guestlist_api::clients::AccessKeyText;
use guestlist_api::oauth::{OAuthTokenRequest, OAuthTokenResponse};
use guestlist_api::text::absent_if_empty;
use guestlist_api::user_tokens::TokenText;
use guestlist_store::StoreError;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::app::App;
use crate::body;
use crate::caller::NoClientToken;
use crate::percent;
use crate::query::Query;
use crate::refusal::{NoToken, Refusal};

/// POST `/api/authentication/oauth/tokens`.
///
/// A wrong secret is refused like a wrong credential of any other request, and counted like one.
pub fn request_token(
    app: &App,
    headers: &HeaderMap,
    body: &[u8],
    address: IpAddr,
) -> Result<Answer, Refusal> {
    match grant(body)?.as_deref() {
        Some("client_credentials") | None => {}
        Some("authorization_code" | "refresh_token" | "password") => {
            return Err(Refusal::NotBuilt("sign-in"));
        }
        Some(_) => return Err(NoToken::Grant.into()),
    }
    let basic = basic(headers)?;
    let is_basic = basic.is_some();
    let request = read(body, basic)?;
    let Some(secret) = &request.client_secret else {
        let reason = "must be the access key of the service client";
        return Err(NoToken::request("client_secret", reason).into());
    };
    if app.is_behind() {
        return Err(StoreError::Stopped.into());
    }
    let now = app.clock.now();
    app.limiters.before_credentials(address, now)?;
    let made = app
        .callers
        .client_token(&request.client_id, secret.reveal());
    let (caller, token) = made.map_err(|reason| match reason {
        NoClientToken::NotIdentified(reason) => {
            app.limiters.failed_credentials(address, now);
            let basic = is_basic;
            Refusal::from(NoToken::Client { reason, basic })
        }
        NoClientToken::CannotSign(error) => error.into(),
    })?;
    app.known_callers().count_request(&caller, now)?;
    let answer = OAuthTokenResponse {
        access_token: TokenText::new(token.access_token),
        token_type: Some("Bearer".to_owned()),
        expires_in: Some(token.expires_in),
    };
    let mut answer = Answer::json(StatusCode::OK, &answer)?;
    answer.content_type = Some(HeaderValue::from_static("application/json"));
    Ok(answer)
}

/// Which grant is asked for; decided before anything else, as what else is needed depends on it.
fn grant(body: &[u8]) -> Result<Option<String>, Refusal> {
    if is_json(body) {
        let asked: Option<GrantAsked> = body::parse(body).map_err(unreadable)?;
        return Ok(asked.and_then(|asked| asked.grant_type));
    }
    let form = Form::read(body)?;
    Ok(form.member("grant_type")?.map(Cow::into_owned))
}

#[derive(Deserialize)]
struct GrantAsked {
    #[serde(default, deserialize_with = "absent_if_empty")]
    grant_type: Option<String>,
}

fn is_json(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{")
}

fn unreadable(error: impl std::fmt::Display) -> Refusal {
    NoToken::request("body", error.to_string()).into()
}

/// A client and its secret in HTTP Basic (RFC 6749 §2.3.1, RFC 7617).
struct Basic {
    client_id: String,
    client_secret: AccessKeyText,
}

/// `None` for every other scheme: what else the request has for a credential is not looked at.
fn basic(headers: &HeaderMap) -> Result<Option<Basic>, Refusal> {
    let refused = |reason: &str| Refusal::from(NoToken::request("Authorization", reason));
    let mut found = None;
    for value in headers.get_all(AUTHORIZATION) {
        let Some((scheme, encoded)) = value.to_str().ok().and_then(|text| text.split_once(' '))
        else {
            continue;
        };
        if !scheme.eq_ignore_ascii_case("basic") {
            continue;
        }
        if found.is_some() {
            return Err(refused("must be sent once"));
        }
        let wrong = || refused("must be the base64 of the client's id, a colon and its secret");
        let decoded = Zeroizing::new(STANDARD.decode(encoded.trim()).map_err(|_| wrong())?);
        let text = str::from_utf8(&decoded).map_err(|_| wrong())?;
        let (id, secret) = text.split_once(':').ok_or_else(wrong)?;
        // Both are encoded once more (RFC 6749 §2.3.1). Some libraries do not, and no id and no access
        // key has a space, so `+` is itself.
        let part = |part| percent::decode(part).map_err(|_| wrong());
        found = Some(Basic {
            client_id: part(id)?.into_owned(),
            client_secret: AccessKeyText::new(part(secret)?.into_owned()),
        });
    }
    Ok(found)
}

/// JSON, which all SDKs send, or the form of RFC 6749 §4.4.2, which other libraries send; the client in
/// one of the body and HTTP Basic, never in both.
fn read(body: &[u8], basic: Option<Basic>) -> Result<OAuthTokenRequest, Refusal> {
    let mut request = if is_json(body) {
        let parsed = body::parse(body).map_err(unreadable)?;
        parsed.ok_or_else(nothing)?
    } else {
        Form::read(body)?.request(basic.as_ref())?
    };
    let Some(Basic {
        client_id,
        client_secret,
    }) = basic
    else {
        return Ok(request);
    };
    if request.client_secret.is_some() || request.client_id != client_id {
        let reason = "the client is in Authorization: send it and its secret in one place";
        return Err(NoToken::request("client_secret", reason).into());
    }
    request.client_secret = Some(client_secret);
    Ok(request)
}

fn nothing() -> Refusal {
    NoToken::request("body", "send client_id, client_secret and grant_type").into()
}

/// The form of RFC 6749 §4.4.2.
struct Form<'a>(Query<'a>);

impl<'a> Form<'a> {
    fn read(body: &'a [u8]) -> Result<Self, Refusal> {
        let text = str::from_utf8(body).map_err(|_| nothing())?;
        Query::new(Some(text)).map(Self).map_err(|_| nothing())
    }

    fn member(&self, name: &'static str) -> Result<Option<Cow<'a, str>>, Refusal> {
        let reason = "must be given once, as UTF-8 that is percent-encoded";
        let value = self.0.get(name);
        let value = value.map_err(|_| NoToken::request(name, reason))?;
        Ok(value.filter(|value| !value.is_empty()))
    }

    fn request(&self, basic: Option<&Basic>) -> Result<OAuthTokenRequest, Refusal> {
        let secret = self.member("client_secret")?;
        let named = self.member("client_id")?.map(Cow::into_owned);
        let named = named.or_else(|| basic.map(|basic| basic.client_id.clone()));
        Ok(OAuthTokenRequest {
            client_id: named.ok_or_else(nothing)?,
            client_secret: secret.map(|secret| AccessKeyText::new(secret.into_owned())),
            grant_type: self.member("grant_type")?.map(Cow::into_owned),
        })
    }
}
