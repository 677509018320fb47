//! A service client's access key, and the token that the SDKs make from it.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// Bytes of an Ed25519 private key in PKCS#8 (RFC 8410), of which the last 32 are the seed.
const PKCS8: usize = 48;
const PKCS8_HEAD: usize = 16;
/// Seconds that a token is good for, as in the SDKs.
const LIFETIME: u64 = 86_400;

/// A token for a day, as the SDKs build it from `{client}.{key}.{account}.{private key}`.
///
/// # Errors
///
/// The file cannot be read or holds no access key.
pub(crate) fn token(file: &Path, now: u64) -> Result<String> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    let parts: Vec<&str> = text.trim().split('.').collect();
    let [client, key_id, account, private] = parts.as_slice() else {
        anyhow::bail!("{} does not hold a four-part access key", file.display());
    };
    let der = STANDARD.decode(private)?;
    ensure!(der.len() == PKCS8, "the private key is not Ed25519 PKCS#8");
    let seed = der.get(PKCS8_HEAD..).context("no seed")?;
    let pair = Ed25519KeyPair::from_seed_unchecked(seed)
        .map_err(|_| anyhow::anyhow!("the private key is not a seed"))?;
    let header = json!({"alg": "EdDSA", "kid": key_id, "typ": "at+jwt"});
    let claims = json!({
        "aud": format!("{account}.accounts.authress.io"),
        "iss": format!("https://{account}.api.authress.io/v1/clients/{client}"),
        "sub": client, "client_id": client, "iat": now, "exp": now + LIFETIME, "scope": "openid",
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes()));
    Ok(format!("{signed}.{signature}"))
}
