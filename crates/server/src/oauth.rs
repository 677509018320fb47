//! The token endpoint: a token of a service client for its secret (RFC 6749 §4.4, contract §1.7).
//!
//! The token is the one that the client could have signed itself with the same key: it is verified
//! by the client's own key set, and ends with the key. The other grants come with signing in.

use std::borrow::Cow;
use std::net::IpAddr;

use guestlist_api::clients::AccessKeyText;
use guestlist_api::oauth::{OAuthTokenRequest, OAuthTokenResponse};
use guestlist_api::user_tokens::TokenText;
use guestlist_store::StoreError;
use http::{HeaderValue, StatusCode};

use crate::answer::Answer;
use crate::app::App;
use crate::body;
use crate::caller::NoClientToken;
use crate::query::Query;
use crate::refusal::Refusal;

/// POST `/api/authentication/oauth/tokens`.
///
/// A wrong secret is refused like a wrong credential of any other request, and counted like one.
pub fn request_token(app: &App, body: &[u8], address: IpAddr) -> Result<Answer, Refusal> {
    let request = read(body)?;
    match request.grant_type.as_deref() {
        Some("client_credentials") | None => {}
        Some("authorization_code" | "password") => return Err(Refusal::NotBuilt("sign-in")),
        Some(_) => {
            return Err(Refusal::malformed(
                "grant_type",
                "must be client_credentials",
            ));
        }
    }
    let Some(secret) = &request.client_secret else {
        return Err(Refusal::malformed(
            "client_secret",
            "must be the access key of the service client",
        ));
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
            Refusal::NotIdentified(reason)
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

/// JSON, which all SDKs send, or the form of RFC 6749 §4.4.2, which other libraries send.
fn read(body: &[u8]) -> Result<OAuthTokenRequest, Refusal> {
    let nothing = || Refusal::malformed("body", "send client_id, client_secret and grant_type");
    if body.trim_ascii_start().starts_with(b"{") {
        return body::parse(body)?.ok_or_else(nothing);
    }
    let text = str::from_utf8(body).map_err(|_| nothing())?;
    let form = Query::new(Some(text)).map_err(|_| nothing())?;
    let member = |name: &'static str| {
        let value = form.get(name).map_err(|_| {
            Refusal::malformed(name, "must be given once, as UTF-8 that is percent-encoded")
        })?;
        Ok::<_, Refusal>(value.filter(|value| !value.is_empty()))
    };
    let secret = member("client_secret")?;
    Ok(OAuthTokenRequest {
        client_id: member("client_id")?.ok_or_else(nothing)?.into_owned(),
        client_secret: secret.map(|secret| AccessKeyText::new(secret.into_owned())),
        grant_type: member("grant_type")?.map(Cow::into_owned),
    })
}
