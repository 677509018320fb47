//! Who calls: access keys, which sign tokens; ready tokens; providers of tokens.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use guestlist_api::ids::{AccountId, ClientId, KeyId};
use http::HeaderValue;
use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::clock;
use crate::error::{CredentialsError, Error};

/// Seconds a signed token lives (contract §3.2).
const LIFETIME: i64 = 24 * 60 * 60;
/// Seconds before its end from which a new token is signed (contract §3.2).
const RENEWED_BEFORE: i64 = 60 * 60;

/// Who calls.
///
/// Cheap to clone. It prints no secret.
#[derive(Clone)]
pub struct Credentials(Kind);

#[derive(Clone)]
enum Kind {
    AccessKey(Arc<AccessKey>),
    Token(HeaderValue),
    Provider(Provider),
    None,
}

type Given = Result<String, Box<dyn StdError + Send + Sync>>;
type Provider = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Given> + Send>> + Send + Sync>;

/// The private key of a service client, and the token it signed last.
struct AccessKey {
    client_id: ClientId,
    key_id: KeyId,
    account_id: AccountId,
    key: EncodingKey,
    last: Mutex<Option<Signed>>,
}

struct Signed {
    issuer: String,
    header: HeaderValue,
    renewed_at: i64,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: String,
    sub: &'a str,
    client_id: &'a str,
    iat: i64,
    exp: i64,
    scope: &'a str,
}

impl Credentials {
    /// An access key of a service client: `{clientId}.{keyId}.{accountId}.{base64 of PKCS#8}`.
    ///
    /// The key itself is never sent. It signs tokens that live for 24 hours (EdDSA, contract §3.2),
    /// each of which is used until an hour before its end.
    ///
    /// # Errors
    ///
    /// If the text does not have these four parts, or the last one is not an Ed25519 private key.
    ///
    /// ```
    /// use guestlist_client::Credentials;
    ///
    /// assert!(Credentials::access_key("sc_1.key_1.acc-1").is_err());
    /// ```
    pub fn access_key(text: &str) -> Result<Self, Error> {
        let key = AccessKey::parse(text.trim())?;
        // A key that cannot sign is found out here and not with the first request.
        key.sign("https://localhost", clock::seconds())?;
        Ok(Self(Kind::AccessKey(Arc::new(key))))
    }

    /// A token that is sent as it is: of a user, or of a linked issuer. `Bearer ` in front of it
    /// makes no difference. It is not renewed; see [`Credentials::provider`].
    pub fn token(token: impl Into<String>) -> Self {
        let token = Zeroizing::new(token.into());
        // What cannot be sent is found out with the first request: most callers have nothing to do
        // about it here.
        Self(Kind::Token(
            bearer(&token).unwrap_or_else(|_| HeaderValue::from_static("")),
        ))
    }

    /// Something that gives a token whenever one is needed, once for each attempt to send. It should
    /// keep the token until shortly before its end. It has as long as the call may take.
    ///
    /// ```
    /// use guestlist_client::Credentials;
    ///
    /// async fn token_of_this_session() -> Result<String, std::io::Error> {
    ///     std::fs::read_to_string("/run/secrets/guestlist-token")
    /// }
    /// let credentials = Credentials::provider(token_of_this_session);
    /// ```
    pub fn provider<P, F, E>(provider: P) -> Self
    where
        P: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        Self(Kind::Provider(Arc::new(move || {
            let given = provider();
            Box::pin(async move { given.await.map_err(Into::into) })
        })))
    }

    /// Nobody: for what is public, as discovery and keys.
    pub fn none() -> Self {
        Self(Kind::None)
    }

    /// The service client, if these are its access key.
    pub fn client_id(&self) -> Option<&ClientId> {
        match &self.0 {
            Kind::AccessKey(key) => Some(&key.client_id),
            Kind::Token(_) | Kind::Provider(_) | Kind::None => None,
        }
    }

    /// The account, if these are an access key.
    pub fn account_id(&self) -> Option<&AccountId> {
        match &self.0 {
            Kind::AccessKey(key) => Some(&key.account_id),
            Kind::Token(_) | Kind::Provider(_) | Kind::None => None,
        }
    }

    /// A claim of the token that is text, such as `sub`: only read, not verified. `None` for access
    /// keys, for what is not a JWT, and if the provider gives no token.
    pub async fn token_claim(&self, name: &str) -> Option<String> {
        match &self.0 {
            Kind::Token(bearer) => claim(bearer.to_str().ok()?, name),
            Kind::Provider(provider) => claim(&Zeroizing::new(provider().await.ok()?), name),
            Kind::AccessKey(_) | Kind::None => None,
        }
    }

    /// What to send as `Authorization` to the server at `base`.
    pub(crate) async fn bearer(&self, base: &str) -> Result<Option<HeaderValue>, Error> {
        match &self.0 {
            Kind::AccessKey(key) => Ok(Some(key.bearer(base)?)),
            Kind::Token(token) if token.is_empty() => Err(CredentialsError::new(
                "the token is empty, or has characters that no token has",
            )
            .into()),
            Kind::Token(token) => Ok(Some(token.clone())),
            Kind::Provider(provider) => {
                let token = provider().await.map_err(|source| CredentialsError {
                    reason: "the provider gave no token",
                    source: Some(source),
                })?;
                let token = Zeroizing::new(token);
                Ok(Some(bearer(&token)?))
            }
            Kind::None => Ok(None),
        }
    }
}

fn claim(token: &str, name: &str) -> Option<String> {
    let payload = token.split('.').nth(1)?;
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    claims.get(name)?.as_str().map(str::to_owned)
}

fn bearer(token: &str) -> Result<HeaderValue, CredentialsError> {
    let refused =
        || CredentialsError::new("the token is empty, or has characters that no token has");
    let token = token.trim();
    let token = token.strip_prefix("Bearer ").unwrap_or(token);
    let visible = |byte: u8| byte.is_ascii_graphic();
    if token.is_empty() || !token.bytes().all(visible) {
        return Err(refused());
    }
    let text = Zeroizing::new(format!("Bearer {token}"));
    let mut value = HeaderValue::from_str(&text).map_err(|_| refused())?;
    value.set_sensitive(true);
    Ok(value)
}

impl AccessKey {
    fn parse(text: &str) -> Result<Self, CredentialsError> {
        if text.starts_with("eyJ") {
            return Err(CredentialsError::new(
                "this is a token, or an access key of the older form (base64 of JSON): use \
                 Credentials::token, or make a new access key",
            ));
        }
        let malformed = || {
            CredentialsError::new(
                "an access key is {clientId}.{keyId}.{accountId}.{base64 of an Ed25519 private \
                 key in PKCS#8}",
            )
        };
        let mut parts = text.split('.');
        let four = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        );
        let (Some(client), Some(key), Some(account), Some(private), None) = four else {
            return Err(malformed());
        };
        let lenient =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
        let private = Zeroizing::new(engine.decode(private).map_err(|_| malformed())?);
        Ok(Self {
            client_id: client.parse().map_err(|_| malformed())?,
            key_id: key.parse().map_err(|_| malformed())?,
            account_id: account.parse().map_err(|_| malformed())?,
            key: EncodingKey::from_ed_der(&private),
            last: Mutex::new(None),
        })
    }

    /// The token that was signed last, or a new one if it is too old.
    fn bearer(&self, base: &str) -> Result<HeaderValue, CredentialsError> {
        let issuer = format!("{}/v1/clients/{}", self.origin(base), self.client_id);
        let now = clock::seconds();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signed) = last.as_ref()
            && signed.issuer == issuer
            // A clock that was set back must not keep a token that is not valid yet.
            && (signed.renewed_at - LIFETIME..signed.renewed_at).contains(&now)
        {
            return Ok(signed.header.clone());
        }
        let header = bearer(&self.sign(&issuer, now)?)?;
        *last = Some(Signed {
            issuer,
            header: header.clone(),
            renewed_at: now + LIFETIME - RENEWED_BEFORE,
        });
        Ok(header)
    }

    /// The hosted service knows an account by one name, whichever of its names is called
    /// (contract §3.2).
    fn origin(&self, base: &str) -> String {
        let host = base
            .split_once("://")
            .map_or(base, |(_, rest)| rest)
            .split(['/', ':'])
            .next()
            .unwrap_or_default();
        if host == "authress.io" || host.ends_with(".authress.io") {
            format!("https://{}.api.authress.io", self.account_id)
        } else {
            base.to_owned()
        }
    }

    fn sign(&self, issuer: &str, now: i64) -> Result<String, CredentialsError> {
        let claims = Claims {
            iss: issuer,
            aud: format!("{}.accounts.authress.io", self.account_id),
            sub: self.client_id.as_str(),
            client_id: self.client_id.as_str(),
            iat: now,
            exp: now + LIFETIME,
            scope: "openid",
        };
        let mut header = Header::new(jsonwebtoken::Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.key_id.to_string());
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(|_| {
            CredentialsError::new(
                "the last part of the access key is not an Ed25519 private key in PKCS#8",
            )
        })
    }
}

/// Without any secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::AccessKey(key) => write!(formatter, "Credentials({})", key.client_id),
            Kind::Token(_) => formatter.write_str("Credentials(token)"),
            Kind::Provider(_) => formatter.write_str("Credentials(provider)"),
            Kind::None => formatter.write_str("Credentials(none)"),
        }
    }
}
