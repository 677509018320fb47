//! The sealing key: a server-wide secret outside the database, under which secrets are encrypted that
//! must be used again.
//!
//! What only has to be recognised is hashed instead; see `pepper.rs`. Whoever has a copy of the
//! database alone can read none of it, and cannot put the secret of one object into another.

use std::fmt;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::entropy::{Entropy, NoEntropy};
use crate::secret_files::{self, SecretFileError};

const LENGTH: usize = 32;
/// First part of what is stored, so that another way to encrypt can be told from this one.
const VERSION: &str = "1";

/// What a secret is. The names are part of what is encrypted, so they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// The secret of a connection's client at its provider.
    ConnectionSecret,
    /// The key under which the deliveries of a webhook are signed.
    WebhookSecret,
}

impl Sealed {
    const fn name(self) -> &'static str {
        match self {
            Self::ConnectionSecret => "connection-secret",
            Self::WebhookSecret => "webhook-secret",
        }
    }
}

/// Why something was not encrypted.
#[derive(Debug, thiserror::Error)]
pub enum NotSealed {
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    #[error("a secret could not be encrypted")]
    Failed,
}

/// What was stored was not encrypted here for this object, or was changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored secret cannot be decrypted")]
pub struct NotOpened;

/// The key. It prints nothing.
pub struct SealingKey(LessSafeKey);

impl SealingKey {
    /// Reads the file, or makes it (mode 0600) if there is none.
    pub fn load_or_create(path: &Path, entropy: &Entropy) -> Result<Self, SecretFileError> {
        let damaged = || SecretFileError::Damaged {
            path: path.to_owned(),
            expected: "a sealing key (32 bytes)",
        };
        if let Some(bytes) = secret_files::read(path)? {
            return Self::new(&bytes).ok_or_else(damaged);
        }
        let mut bytes = Zeroizing::new([0; LENGTH]);
        entropy.fill(bytes.as_mut_slice())?;
        secret_files::write(path, bytes.as_slice())?;
        Self::new(bytes.as_slice()).ok_or_else(damaged)
    }

    /// `None` unless there are 32 bytes.
    fn new(bytes: &[u8]) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, bytes).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    /// Encrypts a secret of an object (AES-256-GCM-SIV, RFC 8452), bound to what it is and to the
    /// object's id.
    pub fn seal(
        &self,
        what: Sealed,
        id: &str,
        secret: &str,
        entropy: &Entropy,
    ) -> Result<String, NotSealed> {
        let nonce: [u8; NONCE_LEN] = entropy.bytes()?;
        let mut bytes = secret.as_bytes().to_vec();
        let sealed = self.0.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            bound_to(what, id),
            &mut bytes,
        );
        if sealed.is_err() {
            // It may still be as it was.
            drop(Zeroizing::new(bytes));
            return Err(NotSealed::Failed);
        }
        let nonce = URL_SAFE_NO_PAD.encode(nonce);
        Ok(format!(
            "{VERSION}.{nonce}.{}",
            URL_SAFE_NO_PAD.encode(bytes)
        ))
    }

    /// The secret again.
    pub fn open(
        &self,
        what: Sealed,
        id: &str,
        sealed: &str,
    ) -> Result<Zeroizing<String>, NotOpened> {
        let mut parts = sealed.split('.');
        let parts = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(VERSION), Some(nonce), Some(bytes), None) = parts else {
            return Err(NotOpened);
        };
        let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| NotOpened);
        let nonce = Nonce::try_assume_unique_for_key(&decode(nonce)?).map_err(|_| NotOpened)?;
        let mut bytes = Zeroizing::new(decode(bytes)?);
        let opened = self.0.open_in_place(nonce, bound_to(what, id), &mut bytes);
        let text = str::from_utf8(opened.map_err(|_| NotOpened)?).map_err(|_| NotOpened)?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

/// Neither a name nor an id holds the byte between them.
fn bound_to(what: Sealed, id: &str) -> Aad<Vec<u8>> {
    Aad::from([what.name().as_bytes(), &[0], id.as_bytes()].concat())
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealingKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHAT: Sealed = Sealed::ConnectionSecret;

    fn key(byte: u8) -> SealingKey {
        SealingKey::new(&[byte; 32]).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_for_its_own_object_and_key_alone() {
        let entropy = Entropy::seeded(1);
        for secret in ["", "s", "gehe1m-ü", &"x".repeat(2048)] {
            let sealed = key(7).seal(WHAT, "con_1", secret, &entropy).unwrap();
            assert!(secret.len() < 2 || !sealed.contains(secret));
            let opened = key(7).open(WHAT, "con_1", &sealed).unwrap();
            assert_eq!(opened.as_str(), secret);
            assert!(key(7).open(WHAT, "con_2", &sealed).is_err());
            assert!(key(8).open(WHAT, "con_1", &sealed).is_err());
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_alike() {
        let entropy = Entropy::seeded(1);
        let seal = || key(7).seal(WHAT, "con_1", "secret", &entropy).unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let sealed = key(7)
            .seal(WHAT, "con_1", "secret", &Entropy::seeded(1))
            .unwrap();
        for place in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(key(7).open(WHAT, "con_1", &changed).is_err(), "{place}");
        }
        for bad in [
            "",
            "1",
            "1..",
            "1.AAAA.AAAA",
            "2.a.b",
            &format!("{sealed}.x"),
        ] {
            assert!(key(7).open(WHAT, "con_1", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_key_survives_a_restart_and_a_damaged_one_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sealing-key");
        let entropy = Entropy::seeded(1);
        let first = SealingKey::load_or_create(&path, &entropy).unwrap();
        let sealed = first.seal(WHAT, "con_1", "secret", &entropy).unwrap();
        let second = SealingKey::load_or_create(&path, &Entropy::seeded(2)).unwrap();
        assert_eq!(
            second.open(WHAT, "con_1", &sealed).unwrap().as_str(),
            "secret"
        );
        secret_files::write(&path, b"short").unwrap();
        let refused = SealingKey::load_or_create(&path, &entropy);
        assert!(matches!(refused, Err(SecretFileError::Damaged { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"short");
    }

    #[test]
    fn s05_the_key_prints_nothing() {
        assert_eq!(format!("{:?}", key(7)), "SealingKey(…)");
    }
}
