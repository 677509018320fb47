//! JSON Web Tokens: the one place that says whether a token is valid (RFC 7515, 7519, 8725).
//!
//! There is one way to a [`Verified`] token: [`Unverified::read`], choose a key by what the token
//! says of itself, [`Unverified::verify`]. The signature is checked by `jsonwebtoken`; its own
//! checks of claims are not used, because they read the clock of the machine and let through
//! missing and mistyped claims, `crit`, and foreign types.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guestlist_api::times::Timestamp;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use crate::token_claims;

/// Bytes of the longest token that is looked at.
pub const LONGEST: usize = 8 * 1024;
/// Milliseconds that clocks may differ.
pub const LEEWAY: i64 = 60_000;
/// Characters of a key id.
pub const KEY_ID_LENGTH: usize = 256;
/// Audiences of a token.
const AUDIENCES: usize = 100;
/// The latest second a claim may name: the end of the year 9999.
const LATEST_SECOND: i64 = 253_402_300_799;

/// The algorithms that are accepted: asymmetric ones only. A key has one of them for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    EdDsa,
    Es256,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
}

impl Algorithm {
    /// By its name in RFC 7518 §3.1 and RFC 8037 §3.1, which are compared exactly.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "EdDSA" => Some(Self::EdDsa),
            "ES256" => Some(Self::Es256),
            "RS256" => Some(Self::Rs256),
            "RS384" => Some(Self::Rs384),
            "RS512" => Some(Self::Rs512),
            "PS256" => Some(Self::Ps256),
            _ => None,
        }
    }

    const fn known_to_jsonwebtoken(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Rs384 => jsonwebtoken::Algorithm::RS384,
            Self::Rs512 => jsonwebtoken::Algorithm::RS512,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
        }
    }
}

/// A public key with its id and its one algorithm.
#[derive(Clone)]
pub struct VerifyingKey {
    key_id: String,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl VerifyingKey {
    /// `key` must fit the algorithm; whoever makes it has checked that it is strong enough.
    pub(crate) fn new(key_id: String, algorithm: Algorithm, key: DecodingKey) -> Self {
        Self {
            key_id,
            algorithm,
            key,
        }
    }

    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "VerifyingKey({:?})", self.algorithm)
    }
}

/// Why a token is not valid: for the log. The caller learns 401 and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    #[error("the token is longer than 8 KiB")]
    TooLong,
    #[error("not a token of three parts")]
    NotThreeParts,
    #[error("not strict base64url")]
    Encoding,
    #[error("the header is no JSON object without duplicate members")]
    Header,
    #[error("the payload is no JSON object without duplicate members")]
    Payload,
    #[error("the algorithm is missing or not accepted")]
    Algorithm,
    #[error("the type of the token is not one of an access token")]
    Type,
    #[error("the header names extensions that must be understood")]
    Critical,
    #[error("the header brings its own key or says where to get it")]
    BringsItsKey,
    #[error("the header names no key, or not with a short text")]
    KeyId,
    #[error("the claim {0} is missing or of the wrong type")]
    Claim(&'static str),
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the token was issued in the future")]
    IssuedInTheFuture,
    #[error("the token is valid for longer than allowed")]
    TooLongLived,
    #[error("the token is of another issuer")]
    Issuer,
    #[error("the token is for another audience")]
    Audience,
    #[error("the key has another id or another algorithm")]
    WrongKey,
    #[error("the signature does not fit")]
    Signature,
}

/// What a valid token must say.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// The `iss`, compared exactly.
    pub issuer: &'a str,
    /// One of these must be among the `aud`, compared exactly; `None` accepts any.
    pub audiences: Option<&'a [&'a str]>,
    /// Milliseconds from `iat` to `exp` at most (from now to `exp` if there is no `iat`).
    pub longest_life: i64,
}

/// A token that has the form of one. Nothing it says is proved: it only serves to choose the key.
pub struct Unverified<'a> {
    signed: &'a str,
    signature: &'a str,
    algorithm: Algorithm,
    key_id: String,
    claims: Claims,
}

struct Claims {
    issuer: String,
    subject: String,
    audiences: Vec<String>,
    expires: i64,
    issued: Option<i64>,
    not_before: Option<i64>,
    all: Map<String, Value>,
}

/// A token whose signature and claims hold.
pub struct Verified<'a> {
    claims: &'a Claims,
}

impl<'a> Unverified<'a> {
    /// Reads a token in compact form. Its size is bounded before anything is decoded.
    pub fn read(token: &'a str) -> Result<Self, TokenRefused> {
        if token.len() > LONGEST {
            return Err(TokenRefused::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenRefused::NotThreeParts)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenRefused::NotThreeParts)?;
        let parts = [header, payload, signature];
        if parts
            .iter()
            .any(|part| part.is_empty() || part.contains('.'))
        {
            return Err(TokenRefused::NotThreeParts);
        }
        decode(signature)?;
        let header = token_claims::object(&decode(header)?).map_err(|_| TokenRefused::Header)?;
        let (algorithm, key_id) = read_header(&header)?;
        let payload = token_claims::object(&decode(payload)?).map_err(|_| TokenRefused::Payload)?;
        Ok(Self {
            signed,
            signature,
            algorithm,
            key_id,
            claims: Claims::read(payload)?,
        })
    }

    pub fn issuer(&self) -> &str {
        &self.claims.issuer
    }

    pub fn subject(&self) -> &str {
        &self.claims.subject
    }

    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Whether a policy could hold, before a key is looked for: it spares work for what is refused
    /// anyway, and proves nothing.
    pub fn check_claims(&self, policy: &Policy<'_>, now: Timestamp) -> Result<(), TokenRefused> {
        self.claims.check(policy, now.milliseconds())
    }

    /// Checks everything: that the token was signed by the key with the key's own algorithm, and
    /// that its claims satisfy the policy now.
    pub fn verify(
        &self,
        key: &VerifyingKey,
        policy: &Policy<'_>,
        now: Timestamp,
    ) -> Result<Verified<'_>, TokenRefused> {
        self.check_claims(policy, now)?;
        if self.algorithm != key.algorithm || self.key_id != key.key_id {
            return Err(TokenRefused::WrongKey);
        }
        let fits = jsonwebtoken::crypto::verify(
            self.signature,
            self.signed.as_bytes(),
            &key.key,
            key.algorithm.known_to_jsonwebtoken(),
        );
        if !matches!(fits, Ok(true)) {
            return Err(TokenRefused::Signature);
        }
        Ok(Verified {
            claims: &self.claims,
        })
    }
}

/// Strict base64url: no padding, no other alphabet, no spare bits, no white space (RFC 7515 §2).
fn decode(part: &str) -> Result<Vec<u8>, TokenRefused> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenRefused::Encoding)
}

fn read_header(header: &Map<String, Value>) -> Result<(Algorithm, String), TokenRefused> {
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    let algorithm = text("alg")
        .and_then(Algorithm::from_name)
        .ok_or(TokenRefused::Algorithm)?;
    // No extension is understood here, so any list is too much; an empty one is malformed.
    if header.contains_key("crit") {
        return Err(TokenRefused::Critical);
    }
    let foreign = ["jku", "jwk", "x5u", "x5c"];
    if foreign.iter().any(|name| header.contains_key(*name)) {
        return Err(TokenRefused::BringsItsKey);
    }
    // Encrypted, compressed or unencoded content is no access token.
    let other = ["enc", "zip", "b64"];
    if other.iter().any(|name| header.contains_key(*name)) {
        return Err(TokenRefused::Type);
    }
    if header.contains_key("typ") {
        let accepted = text("typ").is_some_and(|kind| {
            kind.eq_ignore_ascii_case("JWT") || kind.eq_ignore_ascii_case("at+jwt")
        });
        if !accepted {
            return Err(TokenRefused::Type);
        }
    }
    let key_id = text("kid").filter(|id| !id.is_empty() && id.len() <= KEY_ID_LENGTH);
    Ok((algorithm, key_id.ok_or(TokenRefused::KeyId)?.to_owned()))
}

impl Claims {
    fn read(all: Map<String, Value>) -> Result<Self, TokenRefused> {
        let text = |name: &'static str| {
            all.get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(ToOwned::to_owned)
                .ok_or(TokenRefused::Claim(name))
        };
        Ok(Self {
            issuer: text("iss")?,
            subject: text("sub")?,
            audiences: audiences(all.get("aud")).ok_or(TokenRefused::Claim("aud"))?,
            expires: second(&all, "exp")?.ok_or(TokenRefused::Claim("exp"))?,
            issued: second(&all, "iat")?,
            not_before: second(&all, "nbf")?,
            all,
        })
    }

    fn check(&self, policy: &Policy<'_>, now: i64) -> Result<(), TokenRefused> {
        if now >= self.expires.saturating_add(LEEWAY) {
            return Err(TokenRefused::Expired);
        }
        let latest_start = now.saturating_add(LEEWAY);
        if self.not_before.is_some_and(|start| start > latest_start) {
            return Err(TokenRefused::NotYetValid);
        }
        if self.issued.is_some_and(|issued| issued > latest_start) {
            return Err(TokenRefused::IssuedInTheFuture);
        }
        let longest = match self.issued {
            Some(_) => policy.longest_life,
            None => policy.longest_life.saturating_add(LEEWAY),
        };
        if self.expires.saturating_sub(self.issued.unwrap_or(now)) > longest {
            return Err(TokenRefused::TooLongLived);
        }
        if self.issuer != policy.issuer {
            return Err(TokenRefused::Issuer);
        }
        let meant = policy.audiences.is_none_or(|ours| {
            self.audiences
                .iter()
                .any(|audience| ours.contains(&audience.as_str()))
        });
        if meant {
            Ok(())
        } else {
            Err(TokenRefused::Audience)
        }
    }
}

/// A text or a list of texts, none of them empty.
fn audiences(claim: Option<&Value>) -> Option<Vec<String>> {
    let one = |value: &Value| {
        value
            .as_str()
            .filter(|text| !text.is_empty())
            .map(ToOwned::to_owned)
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

/// A whole, non-negative number of seconds, in milliseconds. What is there with another type is
/// refused and never taken for absent.
fn second(all: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, TokenRefused> {
    let Some(value) = all.get(name) else {
        return Ok(None);
    };
    let seconds = value.as_i64().ok_or(TokenRefused::Claim(name))?;
    if (0..=LATEST_SECOND).contains(&seconds) {
        Ok(Some(seconds * 1000))
    } else {
        Err(TokenRefused::Claim(name))
    }
}

impl Verified<'_> {
    pub fn issuer(&self) -> &str {
        &self.claims.issuer
    }

    pub fn subject(&self) -> &str {
        &self.claims.subject
    }

    pub fn audiences(&self) -> &[String] {
        &self.claims.audiences
    }

    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.all.get(name).and_then(Value::as_str)
    }

    /// Whether a claim is `true`: the text "true" is not.
    pub fn is_true(&self, name: &str) -> bool {
        self.claims.all.get(name).and_then(Value::as_bool) == Some(true)
    }

    /// The first moment at which the token is no longer accepted, leeway included.
    pub fn ends(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.claims.expires).plus(LEEWAY)
    }

    /// The first moment at which the token is accepted, leeway included: a clock that is set back
    /// must not keep it valid.
    pub fn begins(&self) -> Timestamp {
        let start = self.claims.not_before.max(self.claims.issued);
        Timestamp::from_milliseconds(start.unwrap_or(0)).plus(-LEEWAY)
    }
}

/// A token is a bearer secret, so nothing of it is printed.
impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Unverified(…)")
    }
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Verified(…)")
    }
}
