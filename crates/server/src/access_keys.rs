//! Access keys of service clients: making one, taking one in, and knowing one that is shown.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guestlist_api::clients::{AccessKeyText, PublicKeyText};
use guestlist_api::ids::{AccountId, ClientId, KeyId};
use guestlist_api::text::Malformed;
use guestlist_api::times::Timestamp;
use guestlist_rules::clients::StoredKey;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use zeroize::Zeroizing;

use crate::ed25519::{PKCS8_LENGTH, PrivateKey, PublicKey};
use crate::entropy::{Entropy, NoEntropy};
use crate::user_token_key::{CannotSign, Claims};

/// Characters of a key id that is made here.
const KEY_ID_LENGTH: usize = 16;
/// Characters of the longest access key: three ids, 64 characters of base64, three dots.
const LONGEST: usize = 3 * guestlist_api::limits::ID_LENGTH + 64 + 3;

/// A key that was just made: what is stored, and what only its owner may see.
pub struct NewKey {
    pub stored: StoredKey,
    /// `{clientId}.{keyId}.{accountId}.{base64 of PKCS#8}` (contract §3.1).
    pub secret: AccessKeyText,
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// Makes a key pair for a client.
pub fn make(
    entropy: &Entropy,
    client: &ClientId,
    account: &AccountId,
    now: Timestamp,
) -> Result<NewKey, NotMade> {
    let key_id = fresh_key_id(entropy)?;
    let private = PrivateKey::generate(entropy)?;
    let encoded = Zeroizing::new(STANDARD.encode(private.pkcs8().as_slice()));
    let secret = format!("{client}.{key_id}.{account}.{}", encoded.as_str());
    Ok(NewKey {
        stored: StoredKey {
            key_id,
            generation_date: now,
            public_key: PublicKeyText::parse(&private.public().spki_text())?,
            handed_in: false,
        },
        secret: AccessKeyText::new(secret),
    })
}

/// Takes in the public half of a key that its owner keeps. The text is kept byte for byte.
pub fn take_in(
    entropy: &Entropy,
    public_key: PublicKeyText,
    now: Timestamp,
) -> Result<StoredKey, NotMade> {
    PublicKey::from_spki_text(&public_key)?;
    Ok(StoredKey {
        key_id: fresh_key_id(entropy)?,
        generation_date: now,
        public_key,
        handed_in: true,
    })
}

fn fresh_key_id(entropy: &Entropy) -> Result<KeyId, NotMade> {
    Ok(entropy.text(KEY_ID_LENGTH)?.parse()?)
}

/// A whole access key that came as a bearer (contract §3.3), not yet known to be anybody's.
pub struct RawKey {
    pub client_id: ClientId,
    pub key_id: KeyId,
    pub account_id: AccountId,
    /// As it was shown: deriving the public half costs as much as a signature, so that is left
    /// until it is known whose key it should be.
    der: Zeroizing<Vec<u8>>,
}

impl RawKey {
    /// Reads the four parts; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut parts = text.split('.');
        let client_id = parts.next()?.parse().ok()?;
        let key_id = parts.next()?.parse().ok()?;
        let account_id = parts.next()?.parse().ok()?;
        let der = Zeroizing::new(STANDARD.decode(parts.next()?).ok()?);
        if parts.next().is_some() || der.len() != PKCS8_LENGTH {
            return None;
        }
        Some(Self {
            client_id,
            key_id,
            account_id,
            der,
        })
    }

    /// Signs a token with it, as its owner would (contract §3.2).
    pub fn sign(&self, claims: &Claims<'_>) -> Result<String, CannotSign> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.key_id.to_string());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(&self.der))
            .map_err(|_| CannotSign)
    }

    /// Whether it is the private half of this public key.
    pub fn belongs_to(&self, public: &PublicKey) -> bool {
        PrivateKey::from_pkcs8(&self.der).is_ok_and(|private| private.public().is(public))
    }
}

impl fmt::Debug for RawKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RawKey({}.{}.…)", self.client_id, self.key_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sc_probe001.k001.acc-probe1.MC4CAQAwBQYDK2VwBCIEIPTf3jcni8JCKQTkR1XPR8ICm/5GfAkYSCP4TwLA9gTK";

    fn made() -> NewKey {
        let client = "sc_1".parse().unwrap();
        let account = "acc-1".parse().unwrap();
        let now = Timestamp::from_milliseconds(0);
        make(&Entropy::seeded(1), &client, &account, now).unwrap()
    }

    #[test]
    fn a_made_key_has_four_parts_and_fits_its_public_half() {
        let made = made();
        let parts: Vec<&str> = made.secret.reveal().split('.').collect();
        assert_eq!(parts[0], "sc_1");
        assert_eq!(parts[1], made.stored.key_id.as_str());
        assert_eq!(parts[2], "acc-1");
        assert_eq!(parts[3].len(), 64);
        assert_eq!(made.stored.public_key.as_str().len(), 60);
        assert!(!made.stored.handed_in);
        let raw = RawKey::parse(made.secret.reveal()).unwrap();
        let public = PublicKey::from_spki_text(&made.stored.public_key).unwrap();
        assert!(raw.belongs_to(&public));
        assert!(!RawKey::parse(KEY).unwrap().belongs_to(&public));
    }

    #[test]
    fn a_public_key_that_is_handed_in_is_kept_byte_for_byte() {
        for text in [
            "MCowBQYDK2VwAyEAipXT25p9XHZoFLinuJC03/RTWAcYjd3/kklS7JWlauk=",
            "MCowBQYDK2VwAyEAipXT25p9XHZoFLinuJC03_RTWAcYjd3_kklS7JWlauk",
        ] {
            let handed = PublicKeyText::parse(text).unwrap();
            let now = Timestamp::from_milliseconds(0);
            let stored = take_in(&Entropy::seeded(1), handed, now).unwrap();
            assert_eq!(stored.public_key.as_str(), text);
            assert!(stored.handed_in);
        }
        let bad = PublicKeyText::parse("not a key").unwrap();
        let refused = take_in(&Entropy::seeded(1), bad, Timestamp::from_milliseconds(0));
        assert!(matches!(refused, Err(NotMade::Malformed(_))));
    }

    #[test]
    fn only_four_whole_parts_are_an_access_key() {
        assert!(RawKey::parse(KEY).is_some());
        for bad in [
            String::new(),
            "....".to_owned(),
            KEY.replace("k001.", ""),
            format!("{KEY}."),
            format!("{KEY}.x"),
            KEY.strip_suffix('K').unwrap().to_owned(),
            format!("{KEY}="),
            KEY.replace('/', "_"),
            KEY.replace("sc_probe001", "sc probe"),
            KEY.replace("sc_probe001", ""),
            format!("{}{KEY}", "a".repeat(5000)),
        ] {
            assert!(RawKey::parse(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn s05_access_keys_print_no_secret() {
        let raw = RawKey::parse(KEY).unwrap();
        assert_eq!(format!("{raw:?}"), "RawKey(sc_probe001.k001.…)");
        assert_eq!(format!("{:?}", made().secret), "AccessKeyText(…)");
    }
}
