//! Verifies the tokens that callers send to an application (RFC 7515, 7519, 8725).
//!
//! The signature is checked by `jsonwebtoken`; its checks of claims are not used, because they let
//! through missing and mistyped claims, `crit`, and foreign types.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guestlist_api::ids::UserId;
use guestlist_api::times::Timestamp;
use jsonwebtoken::Algorithm;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::client::Client;
use crate::clock;
use crate::error::{DecodingError, Error};
use crate::keys::{self, JsonWebKeySet, VerifyingKey};
use crate::paths::Path;
use crate::transport::Request;

/// Bytes of the longest token that is looked at.
const LONGEST: usize = 8 * 1024;
/// Seconds that clocks may differ.
const LEEWAY: i64 = 60;
/// The latest second a claim may name: the end of the year 9999.
const LATEST: i64 = 253_402_300_799;
/// Audiences of a token.
const AUDIENCES: usize = 100;
/// How long keys are used before they are asked for again.
const FRESH: Duration = Duration::from_hours(1);
/// How long keys are used while they cannot be had again.
const STALE: Duration = Duration::from_hours(24);
/// Between two requests for keys at least: a token with an unknown key id costs its sender nothing.
const PAUSE: Duration = Duration::from_secs(30);
/// The same as long as there are no keys at all.
const SHORT_PAUSE: Duration = Duration::from_secs(1);

/// Verifies tokens of users with the keys of the server, found by discovery.
///
/// Cheap to clone; clones share the keys. Keys are asked for with the first token, again after an
/// hour, and again for a token with an unknown key id, though at most every 30 seconds. If the server
/// cannot be reached they are used for up to a day.
///
/// Accepted are tokens that the server itself signs for users. Tokens of service clients are signed
/// with keys of their own, and are refused.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// # let token = server.token("bob")?;
/// use guestlist_client::TokenError;
///
/// let verifier = client.verifier();
/// let caller = verifier.verify(&token).await?;
/// assert_eq!(caller.user_id().as_str(), "bob");
///
/// let forged = token.replace('.', ".e30");
/// assert!(matches!(verifier.verify(&forged).await, Err(TokenError::Invalid(_))));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenVerifier {
    client: Client,
    audiences: Vec<String>,
    issuer: Option<String>,
    keys: Arc<RwLock<Option<Arc<Found>>>>,
    /// When keys were last asked for. Held while they are.
    asked: Arc<Mutex<Option<Instant>>>,
}

/// What discovery and the key set said.
struct Found {
    issuer: String,
    keys: BTreeMap<String, VerifyingKey>,
    at: Instant,
}

/// What discovery answers, as far as it is needed here (OpenID Connect Discovery 1.0 §3).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct OpenIdConfiguration {
    /// The `iss` of the server's tokens.
    pub issuer: String,
    /// Where its public keys are.
    pub jwks_uri: String,
}

/// Why a token was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It is not good. The caller should be told 401 and nothing of the reason.
    #[error("the token is not valid: {0}")]
    Invalid(InvalidToken),
    /// The keys of the server cannot be had, so nothing is known of the token.
    #[error("the keys of the server cannot be had")]
    Unavailable(#[source] Error),
    /// The keys of the server could not be had a moment ago. They are asked for again soon.
    #[error("the keys of the server could not be had a moment ago")]
    NotYetAgain,
}

/// What is wrong with a token: for the log of the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// It is not a signed JSON Web Token in compact form, or longer than 8 KiB.
    #[error("it is not a signed JSON Web Token of at most 8 KiB")]
    Malformed,
    /// Its header asks for something that is not accepted.
    #[error("its header has {0}")]
    Header(&'static str),
    /// A claim is missing or is not of its type.
    #[error("its claim {0} is missing or not what it must be")]
    Claim(&'static str),
    /// It has ended.
    #[error("it has expired")]
    Expired,
    /// It begins, or was issued, in the future.
    #[error("it is not valid yet")]
    NotYetValid,
    /// Another server issued it.
    #[error("it is of another issuer")]
    Issuer,
    /// It is meant for another application.
    #[error("it is for another audience")]
    Audience,
    /// The server has no such key, or it is for another algorithm.
    #[error("the server has no such key for this algorithm")]
    UnknownKey,
    /// It was not signed with that key.
    #[error("its signature does not fit")]
    Signature,
}

impl From<InvalidToken> for TokenError {
    fn from(reason: InvalidToken) -> Self {
        Self::Invalid(reason)
    }
}

/// A token whose signature and claims hold. It does not keep the token itself.
#[derive(Clone)]
pub struct VerifiedToken {
    user_id: UserId,
    issuer: String,
    audiences: Vec<String>,
    expires: Timestamp,
    claims: BTreeMap<String, Value>,
}

impl VerifiedToken {
    /// Who calls: `sub`.
    pub fn user_id(&self) -> &UserId {
        &self.user_id
    }

    /// Who says so: `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whom it is for: `aud`.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// When it ends: `exp`, without leeway.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Another claim; `None` if it is missing or of another type.
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        T::deserialize(self.claims.get(name)?).ok()
    }
}

/// Claims are personal data and are not printed.
impl fmt::Debug for VerifiedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerifiedToken")
            .field("user_id", &self.user_id)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl TokenVerifier {
    /// For the audience of the account, if the client has an access key, and for none otherwise.
    pub(crate) fn new(client: Client) -> Self {
        let account = client.credentials().account_id();
        let audiences = account
            .map(|account| format!("{account}.accounts.authress.io"))
            .into_iter()
            .collect();
        Self {
            client,
            audiences,
            issuer: None,
            keys: Arc::default(),
            asked: Arc::default(),
        }
    }

    /// Also accepts tokens for this audience. Without any, every token is refused: the tokens of a
    /// server are for many applications. Our server's are for `{accountId}.accounts.authress.io`,
    /// which is set already if the client has an access key.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts tokens of this issuer only, and keys only if discovery names the same one. Otherwise
    /// it is the one that discovery names.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        // What was found for any issuer is not what this one was asked to find.
        self.keys = Arc::default();
        self.asked = Arc::default();
        self
    }

    /// Checks a token as it came in `Authorization: Bearer …`, without `Bearer `.
    ///
    /// Its header must have an accepted algorithm (EdDSA, ES256, RS256, RS384, RS512, PS256) and a
    /// key id, and the key must be for that algorithm. `iss`, `aud`, `sub` and `exp` must be there.
    /// Clocks may differ by 60 seconds.
    ///
    /// # Errors
    ///
    /// [`TokenError::Invalid`] if the token is not good, the others if that cannot be said.
    pub async fn verify(&self, token: &str) -> Result<VerifiedToken, TokenError> {
        let token = Unverified::read(token)?;
        token.claims.check_times(clock::seconds())?;
        token.claims.check_audience(&self.audiences)?;
        let found = self.found(&token).await?;
        if token.claims.issuer != found.issuer {
            return Err(InvalidToken::Issuer.into());
        }
        let key = found
            .keys
            .get(&token.key_id)
            .filter(|key| key.algorithm == token.algorithm)
            .ok_or(InvalidToken::UnknownKey)?;
        let fits = jsonwebtoken::crypto::verify(
            token.signature,
            token.signed.as_bytes(),
            &key.key,
            key.algorithm,
        );
        if !matches!(fits, Ok(true)) {
            return Err(InvalidToken::Signature.into());
        }
        Ok(VerifiedToken {
            user_id: token.claims.user_id,
            issuer: token.claims.issuer,
            audiences: token.claims.audiences,
            expires: Timestamp::from_milliseconds(token.claims.expires * 1000),
            claims: token.claims.all,
        })
    }

    /// Keys that may be used for this token.
    async fn found(&self, token: &Unverified<'_>) -> Result<Arc<Found>, TokenError> {
        let suits = |found: &Arc<Found>| {
            found.at.elapsed() < FRESH && found.keys.contains_key(&token.key_id)
        };
        if let Some(found) = self.known().filter(suits) {
            return Ok(found);
        }
        // One asks, the others wait for what it gets; but not where older keys will do, because a
        // server that is silent would hold all of them up.
        let older = |found: &Arc<Found>| {
            found.at.elapsed() < STALE && found.keys.contains_key(&token.key_id)
        };
        let mut asked = match (self.asked.try_lock(), self.known().filter(older)) {
            (Ok(asked), _) => asked,
            (Err(_), Some(found)) => return Ok(found),
            (Err(_), None) => self.asked.lock().await,
        };
        let known = self.known();
        if let Some(found) = known.as_ref().filter(|found| suits(found)) {
            return Ok(Arc::clone(found));
        }
        let usable = known.filter(|found| found.at.elapsed() < STALE);
        let pause = if usable.is_some() { PAUSE } else { SHORT_PAUSE };
        if asked.is_some_and(|at| at.elapsed() < pause) {
            return usable.ok_or(TokenError::NotYetAgain);
        }
        // Also before: asking may be given up by whoever waits for it.
        *asked = Some(Instant::now());
        let outcome = self.ask().await;
        // Those who waited meanwhile do not ask a silent server one after another.
        *asked = Some(Instant::now());
        match outcome {
            Ok(found) => {
                let found = Arc::new(found);
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) =
                    Some(Arc::clone(&found));
                Ok(found)
            }
            Err(error) => usable.ok_or(TokenError::Unavailable(error)),
        }
    }

    fn known(&self) -> Option<Arc<Found>> {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn ask(&self) -> Result<Found, Error> {
        let configuration = self.client.server().get_open_id_configuration().await?;
        if let Some(issuer) = &self.issuer
            && *issuer != configuration.issuer
        {
            return Err(unexpected("discovery of the issuer that was set", "issuer"));
        }
        // Keys come from the server that was named, under the name by which it is reached here.
        let place = [configuration.issuer.as_str(), self.client.url()]
            .iter()
            .find_map(|origin| {
                let rest = configuration
                    .jwks_uri
                    .strip_prefix(origin.trim_end_matches('/'))?;
                rest.starts_with('/').then(|| rest.to_owned())
            })
            .ok_or_else(|| {
                unexpected("discovery of a server that keeps its own keys", "jwks_uri")
            })?;
        let request = Request::get(Path::new(&place)).without_credentials();
        let set: JsonWebKeySet = self.client.send(request).await?.decode("a key set")?;
        Ok(Found {
            issuer: configuration.issuer,
            keys: set.verifying(),
            at: Instant::now(),
        })
    }
}

fn unexpected(expected: &'static str, member: &str) -> Error {
    Error::Decoding(DecodingError {
        expected,
        member: Some(member.to_owned()),
    })
}

impl fmt::Debug for TokenVerifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenVerifier")
            .field("client", &self.client)
            .field("audiences", &self.audiences)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// A token that has the form of one. Nothing it says is proved.
struct Unverified<'a> {
    signed: &'a str,
    signature: &'a str,
    algorithm: Algorithm,
    key_id: String,
    claims: Claims,
}

struct Claims {
    issuer: String,
    user_id: UserId,
    audiences: Vec<String>,
    expires: i64,
    starts: i64,
    all: BTreeMap<String, Value>,
}

impl<'a> Unverified<'a> {
    fn read(token: &'a str) -> Result<Self, InvalidToken> {
        let parts = |text: &'a str| text.rsplit_once('.').ok_or(InvalidToken::Malformed);
        if token.len() > LONGEST {
            return Err(InvalidToken::Malformed);
        }
        let (signed, signature) = parts(token)?;
        let (header, payload) = parts(signed)?;
        if signature.is_empty() {
            return Err(InvalidToken::Malformed);
        }
        decode(signature)?;
        let (algorithm, key_id) = read_header(&members(header)?)?;
        Ok(Self {
            signed,
            signature,
            algorithm,
            key_id,
            claims: Claims::read(members(payload)?)?,
        })
    }
}

/// Strict base64url: no padding, no spare bits, no white space (RFC 7515 §2).
fn decode(part: &str) -> Result<Vec<u8>, InvalidToken> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| InvalidToken::Malformed)
}

fn members(part: &str) -> Result<BTreeMap<String, Value>, InvalidToken> {
    let object: Object =
        serde_json::from_slice(&decode(part)?).map_err(|_| InvalidToken::Malformed)?;
    Ok(object.0)
}

fn read_header(header: &BTreeMap<String, Value>) -> Result<(Algorithm, String), InvalidToken> {
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    let algorithm = text("alg")
        .and_then(keys::algorithm)
        .ok_or(InvalidToken::Header("no accepted algorithm"))?;
    let refused = [
        ("crit", "extensions that must be understood"),
        ("jku", "a key of its own"),
        ("jwk", "a key of its own"),
        ("x5u", "a key of its own"),
        ("x5c", "a key of its own"),
        ("enc", "encrypted content"),
        ("zip", "compressed content"),
        ("b64", "content that is not encoded"),
    ];
    for (name, what) in refused {
        if header.contains_key(name) {
            return Err(InvalidToken::Header(what));
        }
    }
    let access =
        |kind: &str| kind.eq_ignore_ascii_case("JWT") || kind.eq_ignore_ascii_case("at+jwt");
    if header.contains_key("typ") && !text("typ").is_some_and(access) {
        return Err(InvalidToken::Header("a type that is not an access token's"));
    }
    let key_id = text("kid").filter(|id| !id.is_empty() && id.len() <= keys::KEY_ID_LENGTH);
    let key_id = key_id.ok_or(InvalidToken::Header("no key id"))?;
    Ok((algorithm, key_id.to_owned()))
}

impl Claims {
    fn read(all: BTreeMap<String, Value>) -> Result<Self, InvalidToken> {
        let text = |name: &'static str| {
            all.get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .ok_or(InvalidToken::Claim(name))
        };
        let user_id = text("sub")?
            .parse()
            .map_err(|_| InvalidToken::Claim("sub"))?;
        let starts = [second(&all, "nbf")?, second(&all, "iat")?];
        Ok(Self {
            issuer: text("iss")?.to_owned(),
            user_id,
            audiences: audiences(all.get("aud")).ok_or(InvalidToken::Claim("aud"))?,
            expires: second(&all, "exp")?.ok_or(InvalidToken::Claim("exp"))?,
            starts: starts.into_iter().flatten().max().unwrap_or(0),
            all,
        })
    }

    fn check_times(&self, now: i64) -> Result<(), InvalidToken> {
        if now >= self.expires.saturating_add(LEEWAY) {
            return Err(InvalidToken::Expired);
        }
        if self.starts > now.saturating_add(LEEWAY) {
            return Err(InvalidToken::NotYetValid);
        }
        Ok(())
    }

    fn check_audience(&self, ours: &[String]) -> Result<(), InvalidToken> {
        let meant = |audience: &String| ours.contains(audience);
        if self.audiences.iter().any(meant) {
            Ok(())
        } else {
            Err(InvalidToken::Audience)
        }
    }
}

/// A text or a list of texts, none of them empty.
fn audiences(claim: Option<&Value>) -> Option<Vec<String>> {
    let one = |value: &Value| {
        let text = value.as_str().filter(|text| !text.is_empty())?;
        Some(text.to_owned())
    };
    match claim? {
        text @ Value::String(_) => Some(vec![one(text)?]),
        Value::Array(list) if !list.is_empty() && list.len() <= AUDIENCES => {
            list.iter().map(one).collect()
        }
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            None
        }
    }
}

/// A whole number of seconds. What is there with another type is refused and never taken for absent.
fn second(all: &BTreeMap<String, Value>, name: &'static str) -> Result<Option<i64>, InvalidToken> {
    let Some(value) = all.get(name) else {
        return Ok(None);
    };
    value
        .as_i64()
        .filter(|second| (0..=LATEST).contains(second))
        .map(Some)
        .ok_or(InvalidToken::Claim(name))
}

/// An object in which no member is there twice, so that no two readers see different things in it.
struct Object(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object without duplicate members")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member is there twice"));
                    }
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
