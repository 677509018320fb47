//! The id of a request: what ties an answer to the lines of the log.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;

use crate::entropy::{Entropy, NoEntropy};
use crate::limits::REQUEST_ID_LENGTH;

/// Up to 64 characters of `A-Z a-z 0-9 . _ : -`: safe in a log, a header field and a URL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    text: [u8; REQUEST_ID_LENGTH],
    length: u8,
}

impl RequestId {
    fn new(text: &[u8]) -> Option<Self> {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._:-".contains(byte);
        if text.is_empty() || !text.iter().all(allowed) {
            return None;
        }
        let mut id = Self {
            text: [0; REQUEST_ID_LENGTH],
            length: u8::try_from(text.len()).ok()?,
        };
        id.text.get_mut(..text.len())?.copy_from_slice(text);
        Some(id)
    }

    pub fn as_str(&self) -> &str {
        let text = self
            .text
            .get(..usize::from(self.length))
            .unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RequestId({})", self.as_str())
    }
}

/// Makes request ids: 16 random characters for the process (95 bits), then a count. They are unique,
/// not secret, and cost no system call each.
#[derive(Debug)]
pub struct RequestIds {
    process: [u8; 16],
    count: AtomicU64,
}

impl RequestIds {
    pub fn new(entropy: &Entropy) -> Result<Self, NoEntropy> {
        let text = entropy.text(16)?;
        let mut process = [b'0'; 16];
        for (to, from) in process.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        Ok(Self {
            process,
            count: AtomicU64::new(0),
        })
    }

    /// The client's `X-Request-Id`, if there is exactly one and it is safe; else a new one.
    pub fn for_request(&self, headers: &HeaderMap) -> RequestId {
        let mut given = headers.get_all("x-request-id").iter();
        match (given.next(), given.next()) {
            (Some(given), None) => RequestId::new(given.as_bytes()),
            (None | Some(_), _) => None,
        }
        .unwrap_or_else(|| self.next())
    }

    /// A new one.
    pub fn next(&self) -> RequestId {
        const LENGTH: u8 = 16 + 1 + 16;
        let mut id = RequestId {
            text: [0; REQUEST_ID_LENGTH],
            length: LENGTH,
        };
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let digits = (0..16).rev().map(|digit| {
            let value = count >> (digit * 4) & 0xf;
            char::from_digit(u32::try_from(value).unwrap_or(0), 16).map_or(b'0', |c| c as u8)
        });
        let made = self.process.iter().copied().chain([b'-']).chain(digits);
        for (to, from) in id.text.iter_mut().zip(made) {
            *to = from;
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn ids(seed: u64) -> RequestIds {
        RequestIds::new(&Entropy::seeded(seed)).unwrap()
    }

    fn given(values: &[&[u8]]) -> RequestId {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(
                "x-request-id",
                http::HeaderValue::from_bytes(value).unwrap(),
            );
        }
        ids(1).for_request(&headers)
    }

    #[test]
    fn safe_ids_of_clients_are_kept() {
        for id in ["a", "8c1f-00:1_2.3", &"x".repeat(64)] {
            assert_eq!(given(&[id.as_bytes()]).as_str(), id);
        }
    }

    #[test]
    fn l01_others_are_replaced() {
        let made = ids(1).next();
        let long = "x".repeat(65);
        let huge = "x".repeat(10_000);
        let unsafe_ids: [&[u8]; 8] = [
            b"",
            b"a b",
            b"a\tb",
            b"\x1b[31m".get(1..).unwrap(),
            b"\"quoted\"",
            b"gr\xc3\xbcn",
            long.as_bytes(),
            huge.as_bytes(),
        ];
        for id in unsafe_ids {
            assert_eq!(given(&[id]), made, "{}", String::from_utf8_lossy(id));
        }
        assert_eq!(given(&[b"a", b"a"]), made);
        assert_eq!(given(&[]), made);
    }

    #[test]
    fn made_ids_are_acceptable_and_differ() {
        let one = ids(1);
        let other = ids(2);
        let mut seen = HashSet::new();
        for _ in 0..1000 {
            for id in [one.next(), other.next()] {
                assert_eq!(RequestId::new(id.as_str().as_bytes()), Some(id));
                assert!(seen.insert(id.to_string()), "{id}");
            }
        }
    }
}
