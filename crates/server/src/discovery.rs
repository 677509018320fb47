//! What verifiers of tokens fetch: discovery and key sets, public and never 401 (contract §1.16).

use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::answer::Answer;
use crate::app::App;
use crate::jwks::KeySet;
use crate::refusal::Refusal;

/// OpenID Connect discovery (OpenID Connect Discovery 1.0 §3).
#[derive(Serialize)]
struct Configuration<'a> {
    issuer: &'a str,
    jwks_uri: String,
    authorization_endpoint: String,
    token_endpoint: String,
    response_types_supported: [&'static str; 1],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
}

/// GET `/.well-known/openid-configuration`.
pub fn get_configuration(app: &App) -> Result<Answer, Refusal> {
    let issuer = app.settings.public_url.as_str();
    let configuration = Configuration {
        issuer,
        jwks_uri: format!("{issuer}/.well-known/openid-configuration/jwks"),
        authorization_endpoint: format!("{issuer}/api/authentication"),
        token_endpoint: format!("{issuer}/api/authentication/oauth/tokens"),
        response_types_supported: ["code"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["EdDSA"],
    };
    plain(&configuration)
}

/// GET `/.well-known/openid-configuration/jwks`: the keys of user tokens.
pub fn get_user_token_keys(app: &App) -> Result<Answer, Refusal> {
    plain(&app.callers.user_token_key().key_set())
}

/// GET `/v1/clients/{clientId}/.well-known/openid-configuration/jwks`: the keys of a client. A
/// client that does not exist has none.
pub fn get_client_token_keys(app: &App, id: &str) -> Result<Answer, Refusal> {
    let keys = match app.known_callers().client(id) {
        Some(client) => client.key_set(),
        None => KeySet { keys: Vec::new() },
    };
    plain(&keys)
}

/// Generic libraries expect plain JSON here.
fn plain<T: Serialize>(body: &T) -> Result<Answer, Refusal> {
    let mut answer = Answer::json(StatusCode::OK, body)?;
    answer.content_type = Some(HeaderValue::from_static("application/json"));
    Ok(answer)
}
