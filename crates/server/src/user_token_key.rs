//! The server's own signing key for user tokens: its file, its JWKS, and what it signs.

use std::fmt;
use std::path::Path;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use guestlist_api::emails::EmailAddress;
use guestlist_api::ids::UserId;
use guestlist_api::invites::InviteStatement;
use guestlist_api::times::Timestamp;
use guestlist_api::user_tokens::TokenClaims;
use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::ed25519::PrivateKey;
use crate::entropy::Entropy;
use crate::jwks::{self, JsonWebKey, KeySet};
use crate::secret_files::{self, SecretFileError};
use crate::tokens::VerifyingKey;

/// Seconds a user token lives.
pub const LIFETIME: i64 = 60 * 60;

const PEM_START: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";

/// The key pair that signs user tokens. It prints nothing and is wiped when dropped.
pub struct UserTokenKey {
    signing: EncodingKey,
    verifying: VerifyingKey,
    public: JsonWebKey,
}

/// A key that cannot sign. It does not happen with keys made here.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the user token key cannot sign")]
pub struct CannotSign;

/// What a token of a user says (RFC 9068 §2.2). Times are seconds.
#[derive(Serialize)]
pub struct Claims<'a> {
    pub iss: &'a str,
    pub sub: &'a str,
    pub aud: Audience<'a>,
    pub iat: i64,
    pub exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<&'a str>,
    /// The service client that had it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<&'a str>,
    pub scope: &'a str,
    /// What it is limited to, for those who verify it themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statements: Option<&'a [InviteStatement]>,
    /// Claims of the account's own, none of which is one of these.
    #[serde(flatten)]
    pub further: Option<&'a TokenClaims>,
}

/// One audience or several (RFC 7519 §4.1.3).
#[derive(Serialize)]
#[serde(untagged)]
pub enum Audience<'a> {
    One(&'a str),
    Several([&'a str; 2]),
}

impl UserTokenKey {
    /// Reads the file (PEM of PKCS#8), or makes it (mode 0600) if there is none.
    pub fn load_or_create(path: &Path, entropy: &Entropy) -> Result<Self, SecretFileError> {
        if let Some(bytes) = secret_files::read(path)? {
            let key = from_pem(&bytes).ok_or_else(|| SecretFileError::Damaged {
                path: path.to_owned(),
                expected: "an Ed25519 private key (PEM of PKCS#8)",
            })?;
            return Ok(Self::new(&key));
        }
        let key = PrivateKey::generate(entropy)?;
        secret_files::write(path, to_pem(&key).as_bytes())?;
        Ok(Self::new(&key))
    }

    pub fn new(key: &PrivateKey) -> Self {
        let key_id = thumbprint(&key.public().x());
        Self {
            signing: EncodingKey::from_ed_der(key.pkcs8().as_slice()),
            verifying: jwks::ed25519(&key_id, key.public()),
            public: JsonWebKey::new(&key_id, key.public()),
        }
    }

    /// Signs an access token (RFC 9068) of a user, valid from now for [`LIFETIME`].
    pub fn sign(
        &self,
        issuer: &str,
        audience: &str,
        user: &UserId,
        email: Option<&EmailAddress>,
        now: Timestamp,
    ) -> Result<String, CannotSign> {
        let seconds = now.milliseconds().div_euclid(1000);
        let said = email.map(|email| {
            let said = serde_json::json!({ "email": email, "email_verified": true });
            serde_json::from_value::<TokenClaims>(said)
        });
        let said = said.transpose().map_err(|_| CannotSign)?;
        self.sign_claims(&Claims {
            iss: issuer,
            sub: user.as_str(),
            aud: Audience::One(audience),
            iat: seconds,
            exp: seconds + LIFETIME,
            jti: None,
            client_id: None,
            scope: "openid",
            statements: None,
            further: said.as_ref(),
        })
    }

    /// Signs an access token that says this.
    pub fn sign_claims(&self, claims: &Claims<'_>) -> Result<String, CannotSign> {
        let mut header = Header::new(jsonwebtoken::Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.public.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.signing).map_err(|_| CannotSign)
    }

    pub const fn verifying(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// What the server's own JWKS answers.
    pub fn key_set(&self) -> KeySet {
        KeySet {
            keys: vec![self.public.clone()],
        }
    }
}

impl fmt::Debug for UserTokenKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UserTokenKey(…)")
    }
}

fn to_pem(key: &PrivateKey) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(key.pkcs8().as_slice()));
    Zeroizing::new(format!("{PEM_START}\n{}\n{PEM_END}\n", encoded.as_str()))
}

fn from_pem(bytes: &[u8]) -> Option<PrivateKey> {
    let text = str::from_utf8(bytes).ok()?.trim();
    let encoded = text.strip_prefix(PEM_START)?.strip_suffix(PEM_END)?.trim();
    let der = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    PrivateKey::from_pkcs8(&der).ok()
}

/// The key id: the thumbprint of RFC 7638 with SHA-256, so that it follows from the key.
fn thumbprint(x: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::{Policy, Unverified};

    #[test]
    fn the_key_survives_a_restart_and_signs_what_its_key_set_verifies() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("user-token-key");
        let now = Timestamp::from_milliseconds(1_800_000_000_500);
        let first = UserTokenKey::load_or_create(&path, &Entropy::seeded(1)).unwrap();
        let user = "u|1".parse().unwrap();
        let token = first
            .sign("http://127.0.0.1:8888", "acc", &user, None, now)
            .unwrap();
        let second = UserTokenKey::load_or_create(&path, &Entropy::seeded(2)).unwrap();
        let set = serde_json::to_vec(&second.key_set()).unwrap();
        let keys = jwks::Keys::read(&set, &mut |_| ()).unwrap();
        let read = Unverified::read(&token).unwrap();
        let policy = Policy {
            issuer: "http://127.0.0.1:8888",
            audiences: Some(&["acc"]),
            longest_life: LIFETIME * 1000,
        };
        let key = keys.get(read.key_id()).unwrap();
        let verified = read.verify(key, &policy, now).unwrap();
        assert_eq!(verified.subject(), "u|1");
        assert_eq!(verified.text("scope"), Some("openid"));
    }

    #[test]
    fn the_thumbprint_is_the_one_of_rfc_8037() {
        assert_eq!(
            thumbprint("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn s07_a_key_file_that_is_damaged_or_exposed_stops_the_start() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("user-token-key");
        secret_files::write(&path, b"-----BEGIN PRIVATE KEY-----\nMC4C\n").unwrap();
        let refused = UserTokenKey::load_or_create(&path, &Entropy::seeded(1));
        assert!(matches!(refused, Err(SecretFileError::Damaged { .. })));
        let exposed = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&path, exposed).unwrap();
        let refused = UserTokenKey::load_or_create(&path, &Entropy::seeded(1));
        assert!(matches!(refused, Err(SecretFileError::Exposed { .. })));
    }

    #[test]
    fn s05_the_key_prints_nothing() {
        let key = PrivateKey::generate(&Entropy::seeded(1)).unwrap();
        assert_eq!(format!("{:?}", UserTokenKey::new(&key)), "UserTokenKey(…)");
    }
}
