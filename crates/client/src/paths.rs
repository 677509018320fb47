//! Targets of requests: ids and resource URIs as members of a path.

use crate::error::ConfigurationError;

/// A path under construction. Fixed members are given as they are, all others are encoded.
#[derive(Clone)]
pub(crate) struct Path {
    text: String,
    unusable: bool,
}

impl Path {
    /// A path that begins with a fixed text: `/v1/invites`.
    pub(crate) fn new(fixed: &str) -> Self {
        Self {
            text: fixed.to_owned(),
            unusable: false,
        }
    }

    /// One more member with everything encoded that is not unreserved (RFC 3986 §2.3). Slashes too:
    /// the server tells members apart before it decodes them.
    pub(crate) fn id(mut self, id: &str) -> Self {
        // These two are folded away by every URL parser, however they are encoded (WHATWG URL
        // §4.1), so they would name something else.
        self.unusable |= matches!(id, "" | "." | "..");
        self.text.push('/');
        self.text.push_str(&encoded(id));
        self
    }

    /// A fixed member: `permissions`.
    pub(crate) fn then(mut self, fixed: &str) -> Self {
        self.text.push('/');
        self.text.push_str(fixed);
        self
    }

    /// The whole path.
    pub(crate) fn as_str(&self) -> Result<&str, ConfigurationError> {
        if self.unusable {
            return Err(ConfigurationError::new(
                "an empty id, and the ids . and .., cannot be sent in a path",
            ));
        }
        Ok(&self.text)
    }
}

/// A member of a path as it is sent.
pub(crate) fn encoded(id: &str) -> String {
    let mut text = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            other => {
                text.push('%');
                text.push(hexadecimal(other >> 4));
                text.push(hexadecimal(other & 15));
            }
        }
    }
    text
}

fn hexadecimal(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}
