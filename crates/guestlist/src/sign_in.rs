//! A sign-in at an OpenID provider: its tokens in a file, renewed when the time comes.

use std::fs;
use std::path::{Path, PathBuf};

use guestlist_api::clients::AccessKeyText;
use guestlist_api::times::Timestamp;
use guestlist_client::Credentials;
use guestlist_server::clock::Clock;
use serde::{Deserialize, Serialize};

use crate::exits::Failure;
use crate::file_lock;
use crate::openid_provider::{Answer, Endpoints, Provider, SafeUrl, Tokens};
use crate::secret_input;
use crate::token_claims::Claims;

/// Milliseconds before its end from which a token is not used any more: it has to arrive.
const RENEWED_BEFORE: i64 = 30_000;

/// Which of a provider's tokens the server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TokenKind {
    AccessToken,
    IdToken,
}

/// The file's content. Secrets are in it, so there is no Debug.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignIn {
    pub(crate) issuer: String,
    client_id: String,
    token_endpoint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<String>,
    kind: TokenKind,
    token: AccessKeyText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<AccessKeyText>,
}

impl SignIn {
    /// What a provider has just given; `None` if it gave no such token.
    pub(crate) fn new(
        issuer: &SafeUrl,
        client_id: &str,
        endpoints: &Endpoints,
        tokens: &Tokens,
        kind: TokenKind,
    ) -> Option<Self> {
        let token = chosen(tokens, kind)?;
        Some(Self {
            issuer: issuer.as_str().trim_end_matches('/').to_owned(),
            client_id: client_id.to_owned(),
            token_endpoint: endpoints.token.as_str().to_owned(),
            revocation_endpoint: endpoints
                .revocation
                .as_ref()
                .map(|endpoint| endpoint.as_str().to_owned()),
            kind,
            expires: end(&token, tokens, kind),
            token,
            refresh_token: tokens.refresh_token.clone(),
        })
    }

    pub(crate) fn token(&self) -> &AccessKeyText {
        &self.token
    }

    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    pub(crate) fn can_be_renewed(&self) -> bool {
        self.refresh_token.is_some()
    }

    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::local(format!(
                "cannot read the sign-in in {}: {error}",
                path.display()
            ))
            .hint("Sign in again with `guestlist login`.")
        })?;
        // What serde says would quote the content.
        serde_json::from_str(&text).map_err(|_| {
            Failure::local(format!("{} does not hold a sign-in", path.display()))
                .hint("Sign in again with `guestlist login`.")
        })
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| Failure::local(format!("cannot write the sign-in: {error}")))?;
        secret_input::write_private(path, &text)
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        self.expires
            .is_none_or(|end| now.plus(RENEWED_BEFORE) < end)
    }

    fn ended(&self) -> Failure {
        Failure::denied(format!("the sign-in at {} has ended", self.issuer))
            .hint("Sign in again with `guestlist login`.")
    }

    /// The same with tokens of now. A refresh token is good once at many providers, so nobody else
    /// may do this at the same time.
    async fn renewed(&self) -> Result<Self, Failure> {
        let refresh_token = self.refresh_token.as_ref().ok_or_else(|| self.ended())?;
        let endpoint = SafeUrl::parse(&self.token_endpoint)
            .map_err(|reason| Failure::local(format!("the stored endpoint {reason}")))?;
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.reveal()),
            ("client_id", self.client_id.as_str()),
        ];
        let tokens: Tokens = match Provider::new()?.post(&endpoint, &form).await {
            Answer::Given(tokens) => tokens,
            Answer::Refused(error) if error.error == "invalid_grant" => return Err(self.ended()),
            Answer::Refused(error) => {
                return Err(Failure::denied(format!(
                    "{} does not renew the sign-in: {}",
                    self.issuer,
                    error.told()
                )));
            }
            Answer::None(reason) => {
                return Err(Failure::unavailable(format!(
                    "the sign-in has to be renewed at {}: {reason}",
                    self.issuer
                )));
            }
        };
        let token = chosen(&tokens, self.kind).ok_or_else(|| self.ended())?;
        Ok(Self {
            expires: end(&token, &tokens, self.kind),
            token,
            refresh_token: tokens
                .refresh_token
                .clone()
                .or_else(|| self.refresh_token.clone()),
            ..self.clone()
        })
    }

    /// Tells the provider that it is over (RFC 7009); false if it could not be told.
    pub(crate) async fn revoke(&self) -> bool {
        let (Some(endpoint), Some(token)) = (&self.revocation_endpoint, &self.refresh_token) else {
            return false;
        };
        let (Ok(provider), Ok(endpoint)) = (Provider::new(), SafeUrl::parse(endpoint)) else {
            return false;
        };
        let form = [
            ("token", token.reveal()),
            ("token_type_hint", "refresh_token"),
            ("client_id", self.client_id.as_str()),
        ];
        provider.accepts(&endpoint, &form).await
    }
}

fn chosen(tokens: &Tokens, kind: TokenKind) -> Option<AccessKeyText> {
    match kind {
        TokenKind::AccessToken => Some(tokens.access_token.clone()),
        TokenKind::IdToken => tokens.id_token.clone(),
    }
}

/// The end that the token itself names, or for access tokens what was said along with it.
fn end(token: &AccessKeyText, tokens: &Tokens, kind: TokenKind) -> Option<Timestamp> {
    let said = match kind {
        TokenKind::AccessToken => tokens.expires_in,
        TokenKind::IdToken => None,
    };
    let said = said.map(|seconds| Clock::system().now().plus(seconds.saturating_mul(1000)));
    let named = Claims::of(token.reveal()).and_then(|claims| claims.ends());
    match (said, named) {
        (Some(said), Some(named)) => Some(said.min(named)),
        (said, named) => said.or(named),
    }
}

/// Credentials that are read from the file, and renewed there.
pub(crate) fn credentials(path: PathBuf) -> Credentials {
    Credentials::provider(move || {
        let path = path.clone();
        async move { token(&path).await }
    })
}

async fn token(path: &Path) -> Result<String, Failure> {
    let clock = Clock::system();
    let stored = SignIn::read(path)?;
    if stored.is_fresh(clock.now()) {
        return Ok(stored.token.reveal().to_owned());
    }
    let _lock = file_lock::lock(path).await?;
    // Another command may have renewed it while this one waited.
    let stored = SignIn::read(path)?;
    if stored.is_fresh(clock.now()) {
        return Ok(stored.token.reveal().to_owned());
    }
    let renewed = stored.renewed().await?;
    renewed.write(path)?;
    Ok(renewed.token.reveal().to_owned())
}
