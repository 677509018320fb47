//! JSON Web Key Sets (RFC 7517): reading those of issuers, writing our own.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ed25519::PublicKey;
use crate::tokens::{Algorithm, KEY_ID_LENGTH, VerifyingKey};

/// Keys of a set that are kept; further ones are ignored.
pub const MOST_KEYS: usize = 100;
/// Bits of an RSA modulus (RFC 7518 §3.3; above this, checking one signature takes too long).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The usable keys of an issuer, by id.
#[derive(Debug, Default)]
pub struct Keys(HashMap<String, Arc<VerifyingKey>>);

/// What is not a JWK set at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON Web Key Set")]
pub struct NotAKeySet;

impl Keys {
    /// Reads a set. Keys that are of no use here (other types and uses, weak keys, no id) are left
    /// out; `ignored` is called with the reason for each that looks like a mistake.
    pub fn read(bytes: &[u8], ignored: &mut dyn FnMut(Unusable)) -> Result<Self, NotAKeySet> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_slice(bytes).map_err(|_| NotAKeySet)?;
        let mut keys = HashMap::new();
        for entry in set.keys {
            if keys.len() == MOST_KEYS {
                ignored(Unusable::TooMany);
                break;
            }
            match read_key(&entry) {
                Ok(key) => match keys.entry(key.key_id().to_owned()) {
                    Entry::Occupied(_) => ignored(Unusable::Duplicate),
                    Entry::Vacant(place) => {
                        place.insert(Arc::new(key));
                    }
                },
                Err(reason) => ignored(reason),
            }
        }
        Ok(Self(keys))
    }

    pub fn get(&self, key_id: &str) -> Option<&Arc<VerifyingKey>> {
        self.0.get(key_id)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Why a key of a set is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("the key is not for signatures")]
    OtherUse,
    #[error("the key has a type or an algorithm that is not accepted")]
    Unsupported,
    #[error("the key has no id, or a very long one")]
    NoId,
    #[error("another key of the set has the same id")]
    Duplicate,
    #[error("the members of the key do not make a key")]
    Malformed,
    #[error("the key is too weak or too large")]
    Weak,
    #[error("the set has more than 100 keys")]
    TooMany,
}

fn read_key(entry: &Value) -> Result<VerifyingKey, Unusable> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    if !for_signatures(entry) {
        return Err(Unusable::OtherUse);
    }
    let key_id = text("kid")
        .filter(|id| !id.is_empty() && id.len() <= KEY_ID_LENGTH)
        .ok_or(Unusable::NoId)?;
    let named = match entry.get("alg") {
        None | Some(Value::Null) => None,
        Some(name) => {
            let known = name.as_str().and_then(Algorithm::from_name);
            Some(known.ok_or(Unusable::Unsupported)?)
        }
    };
    let bytes = |name: &str| {
        let decoded = text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        decoded.ok_or(Unusable::Malformed)
    };
    let (algorithm, key) = match (text("kty"), text("crv"), named) {
        (Some("OKP"), Some("Ed25519"), None | Some(Algorithm::EdDsa)) => {
            let key = PublicKey::from_bytes(&bytes("x")?).ok_or(Unusable::Weak)?;
            (Algorithm::EdDsa, DecodingKey::from_ed_der(key.as_bytes()))
        }
        (Some("EC"), Some("P-256"), None | Some(Algorithm::Es256)) => {
            (Algorithm::Es256, p256_key(&bytes("x")?, &bytes("y")?)?)
        }
        // Some issuers leave `alg` out. A key still has one algorithm: the one every issuer must
        // have (OpenID Connect Core §15.1), and not whichever a token names.
        (Some("RSA"), _, None) => (Algorithm::Rs256, rsa_key(&bytes("n")?, &bytes("e")?)?),
        (
            Some("RSA"),
            _,
            Some(
                named @ (Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 | Algorithm::Ps256),
            ),
        ) => (named, rsa_key(&bytes("n")?, &bytes("e")?)?),
        _ => return Err(Unusable::Unsupported),
    };
    Ok(VerifyingKey::new(key_id.to_owned(), algorithm, key))
}

/// `use` and `key_ops` (RFC 7517 §4.2, §4.3) do not say otherwise.
fn for_signatures(entry: &Value) -> bool {
    let signs = match entry.get("use") {
        None | Some(Value::Null) => true,
        Some(purpose) => purpose.as_str() == Some("sig"),
    };
    let verifies = match entry.get("key_ops") {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.iter().any(|item| item.as_str() == Some("verify")),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => false,
    };
    signs && verifies
}

/// The uncompressed point; whether it lies on the curve is checked with each signature.
fn p256_key(x: &[u8], y: &[u8]) -> Result<DecodingKey, Unusable> {
    if x.len() != 32 || y.len() != 32 {
        return Err(Unusable::Malformed);
    }
    Ok(DecodingKey::from_ec_der(&[&[4], x, y].concat()))
}

fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Result<DecodingKey, Unusable> {
    let modulus = without_leading_zeros(modulus);
    let highest = modulus.first().ok_or(Unusable::Malformed)?;
    let bits = modulus.len() * 8 - highest.leading_zeros() as usize;
    let odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last % 2 == 1);
    let number = exponent
        .iter()
        .try_fold(0_u64, |number, byte| {
            number.checked_mul(256)?.checked_add(u64::from(*byte))
        })
        .ok_or(Unusable::Weak)?;
    let usable =
        RSA_BITS.contains(&bits) && odd(modulus) && odd(exponent) && (3..1 << 33).contains(&number);
    if usable {
        Ok(DecodingKey::from_rsa_raw_components(
            modulus,
            without_leading_zeros(exponent),
        ))
    } else {
        Err(Unusable::Weak)
    }
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let start = number.iter().position(|byte| *byte != 0);
    start
        .and_then(|start| number.get(start..))
        .unwrap_or_default()
}

/// The key of an access key or of the server, for [`crate::tokens`].
pub fn ed25519(key_id: &str, key: &PublicKey) -> VerifyingKey {
    VerifyingKey::new(
        key_id.to_owned(),
        Algorithm::EdDsa,
        DecodingKey::from_ed_der(key.as_bytes()),
    )
}

/// A key set as it is answered (contract §1.16).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct KeySet {
    pub keys: Vec<JsonWebKey>,
}

/// An Ed25519 key in a set. All values are texts, since some clients read a map of texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct JsonWebKey {
    pub kty: &'static str,
    pub crv: &'static str,
    pub alg: &'static str,
    #[serde(rename = "use")]
    pub purpose: &'static str,
    pub kid: String,
    pub x: String,
}

impl JsonWebKey {
    pub fn new(key_id: &str, key: &PublicKey) -> Self {
        Self {
            kty: "OKP",
            crv: "Ed25519",
            alg: "EdDSA",
            purpose: "sig",
            kid: key_id.to_owned(),
            x: key.x(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(keys: &Value) -> (Keys, Vec<Unusable>) {
        let mut ignored = Vec::new();
        let bytes = serde_json::to_vec(&json!({ "keys": keys })).unwrap();
        let keys = Keys::read(&bytes, &mut |reason| ignored.push(reason)).unwrap();
        (keys, ignored)
    }

    fn encoded(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn rsa(bits: usize, exponent: &[u8]) -> Value {
        let mut modulus = vec![0xff; bits / 8];
        modulus[0] = 0x80;
        json!({"kty": "RSA", "kid": "r", "n": encoded(&modulus), "e": encoded(exponent)})
    }

    const X: &str = "ipXT25p9XHZoFLinuJC03_RTWAcYjd3_kklS7JWlauk";

    #[test]
    fn our_own_set_is_written_as_clients_read_it_and_read_back() {
        let der = URL_SAFE_NO_PAD.decode(X).unwrap();
        let key = JsonWebKey::new("k001", &PublicKey::from_bytes(&der).unwrap());
        let value = serde_json::to_value(&key).unwrap();
        assert_eq!(
            value,
            json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k001", "x": X})
        );
        let (keys, ignored) = read(&json!([value]));
        assert_eq!(keys.get("k001").unwrap().algorithm(), Algorithm::EdDsa);
        assert_eq!(ignored, []);
    }

    #[test]
    fn each_key_has_one_algorithm() {
        let coordinate = encoded(&[1; 32]);
        for (key, expected) in [
            (rsa(2048, &[1, 0, 1]), Algorithm::Rs256),
            (
                json!({"kty": "EC", "crv": "P-256", "kid": "r", "x": coordinate, "y": coordinate}),
                Algorithm::Es256,
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "kid": "r", "x": X}),
                Algorithm::EdDsa,
            ),
        ] {
            let (keys, _) = read(&json!([key]));
            assert_eq!(keys.get("r").unwrap().algorithm(), expected);
        }
        let mut key = rsa(2048, &[1, 0, 1]);
        for (name, expected) in [
            ("RS384", Some(Algorithm::Rs384)),
            ("RS512", Some(Algorithm::Rs512)),
            ("PS256", Some(Algorithm::Ps256)),
            ("HS256", None),
            ("none", None),
            ("EdDSA", None),
            ("ES256", None),
            ("rs256", None),
        ] {
            key["alg"] = json!(name);
            let (keys, _) = read(&json!([key]));
            assert_eq!(keys.get("r").map(|key| key.algorithm()), expected, "{name}");
        }
    }

    #[test]
    fn t17_weak_keys_are_ignored_with_a_reason() {
        for weak in [
            rsa(512, &[1, 0, 1]),
            rsa(1024, &[1, 0, 1]),
            rsa(16384, &[1, 0, 1]),
            rsa(2048, &[1]),
            rsa(2048, &[0]),
            rsa(2048, &[2]),
            rsa(2048, &[1; 9]),
            json!({"kty": "OKP", "crv": "Ed25519", "kid": "r", "x": encoded(&[0; 32])}),
            json!({"kty": "OKP", "crv": "Ed25519", "kid": "r", "x": encoded(&[1; 31])}),
        ] {
            let (keys, ignored) = read(&json!([weak]));
            assert!(keys.is_empty());
            assert_eq!(ignored, [Unusable::Weak], "{weak}");
        }
        let (keys, _) = read(&json!([rsa(2048, &[3]), rsa(2048, &[0, 1, 0, 1])]));
        assert_eq!(keys.len(), 1);
    }

    #[test]
    fn t19_foreign_and_broken_keys_are_ignored_and_the_rest_is_used() {
        let good = json!({"kty": "OKP", "crv": "Ed25519", "kid": "good", "x": X});
        let (keys, ignored) = read(&json!([
            {"kty": "oct", "kid": "a", "k": "AAAA", "alg": "HS256"},
            {"kty": "oct", "kid": "a", "k": "AAAA"},
            {"kty": "OKP", "crv": "X25519", "kid": "a", "x": X},
            {"kty": "EC", "crv": "P-384", "kid": "a", "x": X, "y": X},
            {"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": X, "use": "enc"},
            {"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": X, "key_ops": ["encrypt"]},
            {"kty": "OKP", "crv": "Ed25519", "kid": 1, "x": X},
            {"kty": "OKP", "crv": "Ed25519", "x": X},
            {"kty": "EC", "crv": "P-256", "kid": "a", "x": X, "y": "AA"},
            {"kty": "unknown"},
            7,
            good,
            {"kty": "OKP", "crv": "Ed25519", "kid": "good", "x": X},
        ]));
        assert_eq!(keys.len(), 1);
        assert!(keys.get("good").is_some());
        assert_eq!(ignored.len(), 12);
        assert_eq!(ignored.last(), Some(&Unusable::Duplicate));
    }

    #[test]
    fn t19_what_is_no_key_set_is_refused_and_large_sets_are_cut() {
        for bad in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"keys":{}}"#,
            r#"{"keys":null}"#,
        ] {
            assert!(Keys::read(bad.as_bytes(), &mut |_| ()).is_err(), "{bad}");
        }
        let many: Vec<Value> = (0..1000)
            .map(|at| json!({"kty": "OKP", "crv": "Ed25519", "kid": at.to_string(), "x": X}))
            .collect();
        let (keys, ignored) = read(&json!(many));
        assert_eq!(keys.len(), MOST_KEYS);
        assert_eq!(ignored, [Unusable::TooMany]);
    }
}
