//! Tokens for any user on request: for trying things out, with `--dev` and never without.

use guestlist_api::emails::EmailAddress;
use guestlist_api::ids::UserId;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::app::App;
use crate::body;
use crate::caller::NoDevelopmentToken;
use crate::refusal::Refusal;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenRequest {
    user_id: UserId,
    /// An address that the token says is verified.
    #[serde(default)]
    email: Option<EmailAddress>,
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
    let request: TokenRequest =
        body::parse(body)?.ok_or_else(|| Refusal::malformed("body", "send {\"userId\": \"…\"}"))?;
    let token = match app
        .callers
        .development_token_with(&request.user_id, request.email.as_ref())
    {
        Ok(token) => token,
        Err(NoDevelopmentToken::NotInDevelopment) => return Err(Refusal::NoSuchPath),
        Err(NoDevelopmentToken::UserId(reason)) => {
            return Err(Refusal::malformed("userId", reason));
        }
        Err(NoDevelopmentToken::CannotSign(error)) => return Err(error.into()),
    };
    let token = Token {
        access_token: token.access_token,
        expires_in: token.expires_in,
    };
    Answer::json(StatusCode::OK, &token).map_err(Refusal::from)
}
