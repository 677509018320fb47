//! Ed25519 keys in the forms they come in: SPKI, PKCS#8, and the parts of a JWK (RFC 8410, 8037).

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use guestlist_api::clients::PublicKeyText;
use guestlist_api::text::Malformed;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::entropy::{Entropy, NoEntropy};

/// What stands before the 32 bytes of the key in a SubjectPublicKeyInfo (RFC 8410 §4).
const SPKI_START: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// What stands before the 32 bytes of the seed in PKCS#8 version 1 (RFC 8410 §7).
const PKCS8_START: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// Bytes of a key in PKCS#8 version 1.
pub const PKCS8_LENGTH: usize = 48;

/// The y-coordinates of the points of order 1, 2, 4 and 8, little-endian, without the sign bit.
/// Signatures under such a key can be made by anybody.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    small(1),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    near_prime(0xec),
    near_prime(0xed),
    near_prime(0xee),
];

const fn small(value: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    let [first, ..] = &mut bytes;
    *first = value;
    bytes
}

const fn near_prime(lowest: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    let [first, .., last] = &mut bytes;
    *first = lowest;
    *last = 0x7f;
    bytes
}

/// A public key that is not one of the few under which anybody can sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key of 32 bytes; `None` for another length or a point of small order.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 32] = bytes.try_into().ok()?;
        let mut unsigned = bytes;
        let [.., last] = &mut unsigned;
        *last &= 0x7f;
        (!SMALL_ORDER.contains(&unsigned)).then_some(Self(bytes))
    }

    /// Reads base64 or base64url of SPKI DER, with or without padding.
    pub fn from_spki_text(text: &PublicKeyText) -> Result<Self, Malformed> {
        let malformed = || {
            Malformed::new(
                "must be an Ed25519 public key: base64 of its SubjectPublicKeyInfo in DER, 44 bytes",
            )
        };
        let standard: String = text
            .as_str()
            .chars()
            .map(|character| match character {
                '-' => '+',
                '_' => '/',
                other => other,
            })
            .collect();
        let lenient =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
        let der = engine.decode(standard).map_err(|_| malformed())?;
        let key = der.strip_prefix(&SPKI_START).ok_or_else(malformed)?;
        Self::from_bytes(key).ok_or_else(malformed)
    }

    /// Standard base64 of SPKI DER: 60 characters.
    pub fn spki_text(&self) -> String {
        STANDARD.encode([SPKI_START.as_slice(), &self.0].concat())
    }

    /// The `x` of a JWK: base64url, 43 characters.
    pub fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Comparison that takes the same time wherever the difference lies.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// A private key. It is wiped when dropped, and it is not printed.
pub struct PrivateKey {
    seed: Zeroizing<[u8; 32]>,
    public: PublicKey,
}

/// Bytes that are no private key.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("not an Ed25519 private key in PKCS#8 version 1")]
pub struct NotAKey;

impl PrivateKey {
    pub fn generate(entropy: &Entropy) -> Result<Self, NoEntropy> {
        loop {
            let mut seed = Zeroizing::new([0; 32]);
            entropy.fill(seed.as_mut_slice())?;
            // No seed is known to give a key of small order; the loop is there to need no panic.
            if let Ok(key) = Self::from_seed(seed) {
                return Ok(key);
            }
        }
    }

    fn from_seed(seed: Zeroizing<[u8; 32]>) -> Result<Self, NotAKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(|_| NotAKey)?;
        let public = PublicKey::from_bytes(pair.public_key().as_ref()).ok_or(NotAKey)?;
        Ok(Self { seed, public })
    }

    /// Reads the 48 bytes that [`Self::pkcs8`] writes, and nothing else.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, NotAKey> {
        let seed = der.strip_prefix(&PKCS8_START).ok_or(NotAKey)?;
        let seed: [u8; 32] = seed.try_into().map_err(|_| NotAKey)?;
        Self::from_seed(Zeroizing::new(seed))
    }

    /// PKCS#8 version 1: what `openssl genpkey -algorithm ed25519 -outform DER` writes.
    pub fn pkcs8(&self) -> Zeroizing<[u8; PKCS8_LENGTH]> {
        let mut der = Zeroizing::new([0; PKCS8_LENGTH]);
        let parts = PKCS8_START.iter().chain(self.seed.iter());
        for (to, from) in der.iter_mut().zip(parts) {
            *to = *from;
        }
        der
    }

    pub const fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED_TEXT: &str = "MC4CAQAwBQYDK2VwBCIEIPTf3jcni8JCKQTkR1XPR8ICm/5GfAkYSCP4TwLA9gTK";
    const PUBLIC_TEXT: &str = "MCowBQYDK2VwAyEAipXT25p9XHZoFLinuJC03/RTWAcYjd3/kklS7JWlauk=";

    #[test]
    fn keys_made_elsewhere_are_read() {
        let der = STANDARD.decode(SEED_TEXT).unwrap();
        let key = PrivateKey::from_pkcs8(&der).unwrap();
        assert_eq!(key.public().spki_text(), PUBLIC_TEXT);
        assert_eq!(
            key.public().x(),
            "ipXT25p9XHZoFLinuJC03_RTWAcYjd3_kklS7JWlauk"
        );
        assert_eq!(STANDARD.encode(key.pkcs8().as_slice()), SEED_TEXT);
    }

    #[test]
    fn public_keys_are_read_in_every_base64() {
        let key = PublicKey::from_spki_text(&PublicKeyText::parse(PUBLIC_TEXT).unwrap()).unwrap();
        let url_safe = PUBLIC_TEXT.replace('/', "_").replace('+', "-");
        for text in [
            PUBLIC_TEXT.trim_end_matches('=').to_owned(),
            url_safe.clone(),
            url_safe.trim_end_matches('=').to_owned(),
        ] {
            let text = PublicKeyText::parse(&text).unwrap();
            assert_eq!(PublicKey::from_spki_text(&text).unwrap(), key);
        }
    }

    #[test]
    fn t17_keys_under_which_anybody_can_sign_are_refused() {
        for y in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut bytes = y;
                bytes[31] |= sign;
                assert_eq!(PublicKey::from_bytes(&bytes), None);
            }
        }
        assert!(PublicKey::from_bytes(&small(3)).is_some());
    }

    #[test]
    fn other_keys_and_forms_are_refused() {
        let der = STANDARD.decode(SEED_TEXT).unwrap();
        assert!(PrivateKey::from_pkcs8(&der[..47]).is_err());
        assert!(PrivateKey::from_pkcs8(&[der.as_slice(), &[0]].concat()).is_err());
        assert!(PrivateKey::from_pkcs8(&[0; 48]).is_err());
        for bad in [
            "MC4CAQAw",
            SEED_TEXT,
            "====",
            "MCowBQYDK2VwAyEAipXT25p9XHZo",
        ] {
            let text = PublicKeyText::parse(bad).unwrap();
            assert!(PublicKey::from_spki_text(&text).is_err(), "{bad}");
        }
    }

    #[test]
    fn s05_private_keys_print_nothing() {
        let key = PrivateKey::generate(&Entropy::seeded(1)).unwrap();
        assert_eq!(format!("{key:?}"), "PrivateKey(…)");
    }
}
