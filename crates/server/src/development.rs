//! Tokens for any user on request: for trying things out, with `--dev` and never without.

use guestlist_api::ids::UserId;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::app::App;
use crate::body;
use crate::refusal::Refusal;
use crate::user_tokens::LIFETIME;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenRequest {
    user_id: UserId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    access_token: String,
    expires_in: i64,
}

/// POST `/v1/dev/tokens`.
pub fn create_token(app: &App, body: &[u8]) -> Result<Answer, Refusal> {
    if !app.settings.development {
        return Err(Refusal::NoSuchPath);
    }
    let request: TokenRequest = body::parse(body)?
        .ok_or_else(|| Refusal::malformed("body", "send {\"userId\": \"…\"}"))?;
    let reserved = request.user_id.as_str().to_ascii_lowercase();
    if reserved.starts_with("sc_") || reserved.starts_with("authress:") {
        let reason = "must not read like a service client or a part of the service";
        return Err(Refusal::malformed("userId", reason));
    }
    let audience = format!("{}.accounts.authress.io", app.settings.account_id);
    let issuer = &app.settings.public_url;
    let access_token =
        app.user_tokens.sign(issuer, &audience, &request.user_id, app.clock.now())?;
    let token = Token { access_token, expires_in: LIFETIME };
    Answer::json(StatusCode::OK, &token).map_err(Refusal::from)
}
