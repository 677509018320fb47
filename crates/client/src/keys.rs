//! JSON Web Key Sets (RFC 7517), and which of their keys verify what.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

/// Keys of a set that are kept; further ones are ignored.
const MOST_KEYS: usize = 100;
/// Characters of a key id.
pub(crate) const KEY_ID_LENGTH: usize = 256;
/// Bytes of an RSA modulus (RFC 7518 §3.3; above this, checking one signature takes too long).
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// Public keys, as a server answers them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct JsonWebKeySet {
    /// The keys that could be read.
    #[serde(deserialize_with = "readable")]
    pub keys: Vec<JsonWebKey>,
}

/// A public key. Which members there are depends on its type (RFC 7518 §6, RFC 8037 §2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct JsonWebKey {
    /// `OKP`, `EC` or `RSA`.
    pub kty: String,
    /// The id of the key.
    pub kid: Option<String>,
    /// The one algorithm it is for.
    pub alg: Option<String>,
    /// `sig` for signatures.
    #[serde(rename = "use")]
    pub purpose: Option<String>,
    /// The curve: `Ed25519`, `P-256`.
    pub crv: Option<String>,
    /// A coordinate of the point.
    pub x: Option<String>,
    /// The other coordinate.
    pub y: Option<String>,
    /// The modulus.
    pub n: Option<String>,
    /// The exponent.
    pub e: Option<String>,
}

/// A set may hold keys of kinds that are not known here.
fn readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<JsonWebKey>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entry {
        Key(Box<JsonWebKey>),
        Other(IgnoredAny),
    }
    let entries = Vec::<Entry>::deserialize(deserializer)?;
    let keys = entries.into_iter().filter_map(|entry| match entry {
        Entry::Key(key) => Some(*key),
        Entry::Other(_) => None,
    });
    Ok(keys.take(MOST_KEYS).collect())
}

/// A key and the one algorithm it verifies.
#[derive(Clone)]
pub(crate) struct VerifyingKey {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

/// The algorithms that are accepted: asymmetric ones only (RFC 7518 §3.1, RFC 8037 §3.1).
pub(crate) fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "EdDSA" => Some(Algorithm::EdDSA),
        "ES256" => Some(Algorithm::ES256),
        "RS256" => Some(Algorithm::RS256),
        "RS384" => Some(Algorithm::RS384),
        "RS512" => Some(Algorithm::RS512),
        "PS256" => Some(Algorithm::PS256),
        _ => None,
    }
}

impl JsonWebKeySet {
    /// The usable keys by id. Of two with the same id the first counts.
    pub(crate) fn verifying(&self) -> BTreeMap<String, VerifyingKey> {
        let mut keys = BTreeMap::new();
        for key in &self.keys {
            let id = key
                .kid
                .as_ref()
                .filter(|id| !id.is_empty() && id.len() <= KEY_ID_LENGTH);
            if let (Some(id), Some(verifying)) = (id, key.verifying()) {
                keys.entry(id.clone()).or_insert(verifying);
            }
        }
        keys
    }
}

impl JsonWebKey {
    fn verifying(&self) -> Option<VerifyingKey> {
        if self
            .purpose
            .as_ref()
            .is_some_and(|purpose| purpose != "sig")
        {
            return None;
        }
        let named = match &self.alg {
            Some(name) => Some(algorithm(name)?),
            None => None,
        };
        let bytes = |member: &Option<String>| URL_SAFE_NO_PAD.decode(member.as_ref()?).ok();
        let (algorithm, key) = match (self.kty.as_str(), self.crv.as_deref(), named) {
            ("OKP", Some("Ed25519"), None | Some(Algorithm::EdDSA)) => {
                let x = bytes(&self.x).filter(|x| x.len() == 32)?;
                (Algorithm::EdDSA, DecodingKey::from_ed_der(&x))
            }
            ("EC", Some("P-256"), None | Some(Algorithm::ES256)) => {
                let x = bytes(&self.x).filter(|x| x.len() == 32)?;
                let y = bytes(&self.y).filter(|y| y.len() == 32)?;
                let point = [[4].as_slice(), x.as_slice(), y.as_slice()].concat();
                (Algorithm::ES256, DecodingKey::from_ec_der(&point))
            }
            // A key has one algorithm, and not whichever a token names: without `alg` it is the one
            // that every issuer must have (OpenID Connect Core §15.1).
            ("RSA", _, named) => {
                let named = named.unwrap_or(Algorithm::RS256);
                if matches!(named, Algorithm::EdDSA | Algorithm::ES256) {
                    return None;
                }
                let modulus = bytes(&self.n)?;
                let start = modulus.iter().position(|byte| *byte != 0)?;
                let modulus = modulus.get(start..)?;
                if !RSA_BYTES.contains(&modulus.len()) {
                    return None;
                }
                let exponent = bytes(&self.e).filter(|e| e.len() <= 8 && *e != [1])?;
                (
                    named,
                    DecodingKey::from_rsa_raw_components(modulus, &exponent),
                )
            }
            _ => return None,
        };
        Some(VerifyingKey { algorithm, key })
    }
}
