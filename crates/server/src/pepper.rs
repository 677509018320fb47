//! The pepper: a server-wide secret outside the database, under which bearer secrets are hashed.
//!
//! Whoever has a copy of the database alone can neither use what is stored nor test a guess.

use std::fmt;
use std::path::Path;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::secret_files::{self, SecretFileError};

const LENGTH: usize = 32;
/// First byte of what is hashed, so that no hash is ever a piece of derived key material.
const HASHED: u8 = 1;
const DERIVED: u8 = 2;

/// What a hash is for: the same text has another hash for each. The names are part of what is
/// stored, so they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    InviteSecret,
    IdempotencyKey,
    IdempotentBody,
    Cursor,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::InviteSecret => "invite-secret",
            Self::IdempotencyKey => "idempotency-key",
            Self::IdempotentBody => "idempotent-body",
            Self::Cursor => "cursor",
        }
    }
}

/// The secret. It prints nothing and is wiped when dropped.
#[derive(Clone)]
pub struct Pepper(hmac::Key);

impl Pepper {
    /// Reads the file, or makes it (mode 0600) if there is none.
    pub fn load_or_create(path: &Path, entropy: &Entropy) -> Result<Self, SecretFileError> {
        if let Some(bytes) = secret_files::read(path)? {
            let bytes: &[u8; LENGTH] =
                bytes
                    .as_slice()
                    .try_into()
                    .map_err(|_| SecretFileError::Damaged {
                        path: path.to_owned(),
                        expected: "a pepper (32 bytes)",
                    })?;
            return Ok(Self::new(bytes));
        }
        let mut bytes = Zeroizing::new([0; LENGTH]);
        entropy.fill(bytes.as_mut_slice())?;
        secret_files::write(path, bytes.as_slice())?;
        Ok(Self::new(&bytes))
    }

    pub fn new(bytes: &[u8; LENGTH]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The keyed hash of a text: HMAC-SHA-256 in base64url, 43 characters.
    pub fn hash(&self, purpose: Purpose, text: &str) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&[HASHED]);
        context.update(purpose.name().as_bytes());
        context.update(&[0]);
        context.update(text.as_bytes());
        URL_SAFE_NO_PAD.encode(context.sign())
    }

    /// Whether `hash` is the keyed hash of the text, in a time that does not tell where they differ.
    pub fn matches(&self, purpose: Purpose, text: &str, hash: &str) -> bool {
        self.hash(purpose, text)
            .as_bytes()
            .ct_eq(hash.as_bytes())
            .into()
    }

    /// Bytes that nobody without the pepper can tell, and that are always the same for the same
    /// parts: the secret of an invite can be told again to whoever repeats the request that made
    /// it, without being stored. The counter mode of NIST SP 800-108 with HMAC-SHA-256.
    pub fn derive(&self, purpose: Purpose, parts: &[&str], length: usize) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(length + 32));
        let mut counter: u32 = 0;
        while bytes.len() < length {
            counter = counter.wrapping_add(1);
            let mut context = hmac::Context::with_key(&self.0);
            context.update(&[DERIVED]);
            context.update(&counter.to_be_bytes());
            context.update(purpose.name().as_bytes());
            context.update(&[0]);
            for part in parts {
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part.as_bytes());
            }
            bytes.extend_from_slice(context.sign().as_ref());
        }
        bytes.truncate(length);
        bytes
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pepper(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pepper_survives_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pepper");
        let first = Pepper::load_or_create(&path, &Entropy::seeded(1)).unwrap();
        let second = Pepper::load_or_create(&path, &Entropy::seeded(2)).unwrap();
        let hash = first.hash(Purpose::InviteSecret, "x");
        assert!(second.matches(Purpose::InviteSecret, "x", &hash));
        assert_eq!(hash.len(), 43);
        let other = Pepper::load_or_create(&directory.path().join("b"), &Entropy::seeded(2));
        assert!(!other.unwrap().matches(Purpose::InviteSecret, "x", &hash));
    }

    #[test]
    fn a_damaged_pepper_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pepper");
        secret_files::write(&path, b"short").unwrap();
        let refused = Pepper::load_or_create(&path, &Entropy::seeded(1));
        assert!(matches!(refused, Err(SecretFileError::Damaged { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"short");
    }

    #[test]
    fn each_purpose_and_each_text_has_its_own_hash() {
        let pepper = Pepper::new(&[7; 32]);
        let hash = pepper.hash(Purpose::InviteSecret, "a");
        assert!(!pepper.matches(Purpose::IdempotencyKey, "a", &hash));
        assert!(!pepper.matches(Purpose::InviteSecret, "b", &hash));
        assert!(!pepper.matches(Purpose::InviteSecret, "a", ""));
        assert!(!pepper.matches(Purpose::InviteSecret, "a", hash.get(..42).unwrap()));
    }

    #[test]
    fn derived_bytes_are_told_apart_by_their_parts() {
        let pepper = Pepper::new(&[7; 32]);
        let bytes = pepper.derive(Purpose::InviteSecret, &["ab", "c"], 300);
        assert_eq!(bytes.len(), 300);
        assert_eq!(
            bytes,
            pepper.derive(Purpose::InviteSecret, &["ab", "c"], 300)
        );
        assert_eq!(
            bytes[..31],
            pepper.derive(Purpose::InviteSecret, &["ab", "c"], 31)[..]
        );
        assert_ne!(
            bytes,
            pepper.derive(Purpose::InviteSecret, &["a", "bc"], 300)
        );
        assert_ne!(bytes, pepper.derive(Purpose::InviteSecret, &["abc"], 300));
        assert_ne!(bytes[..32], bytes[32..64]);
        let hash = URL_SAFE_NO_PAD.decode(pepper.hash(Purpose::InviteSecret, ""));
        assert_ne!(
            hash.unwrap(),
            pepper.derive(Purpose::InviteSecret, &[], 32).to_vec()
        );
    }

    #[test]
    fn s05_the_pepper_prints_nothing() {
        assert_eq!(format!("{:?}", Pepper::new(&[7; 32])), "Pepper(…)");
    }
}
