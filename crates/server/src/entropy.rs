//! Randomness: the only place that draws it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;

/// Where random bytes come from.
#[derive(Debug, Clone)]
pub struct Entropy(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    /// The same bytes for the same seed, for tests.
    Seeded {
        key: Arc<hmac::Key>,
        counter: Arc<AtomicU64>,
    },
}

/// The system gave no random bytes. Nothing can be made without them.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoEntropy;

impl Entropy {
    /// The random source of the operating system.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// Bytes that anybody who knows the seed can tell in advance: for tests, never for a server.
    pub fn seeded(seed: u64) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes());
        Self(Source::Seeded {
            key: Arc::new(key),
            counter: Arc::new(AtomicU64::new(0)),
        })
    }

    pub fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "this is the randomness")]
            Source::System => getrandom::fill(bytes).map_err(|_| NoEntropy),
            Source::Seeded { key, counter } => {
                for chunk in bytes.chunks_mut(32) {
                    let count = counter.fetch_add(1, Ordering::SeqCst);
                    let block = hmac::sign(key, &count.to_be_bytes());
                    for (to, from) in chunk.iter_mut().zip(block.as_ref()) {
                        *to = *from;
                    }
                }
                Ok(())
            }
        }
    }

    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], NoEntropy> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Text of `length` characters of A-Z a-z 0-9, each of which carries 5.9 bits.
    pub fn text(&self, length: usize) -> Result<String, NoEntropy> {
        const ALPHABET: &[u8; 62] =
            b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut text = String::with_capacity(length);
        while text.len() < length {
            let block: [u8; 64] = self.bytes()?;
            let characters = block.iter().filter(|byte| **byte < 248).filter_map(|byte| {
                ALPHABET
                    .get(usize::from(byte % 62))
                    .copied()
                    .map(char::from)
            });
            text.extend(characters.take(length - text.len()));
        }
        Ok(text)
    }
}
