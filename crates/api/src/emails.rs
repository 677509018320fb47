//! E-mail addresses, as far as two of them must be told apart.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::ids::Domain;
use crate::limits;
use crate::text::Malformed;

/// An e-mail address in lower case: at most 254 ASCII characters, one `@`, and a domain behind it.
///
/// Addresses are compared without case and without anything else being folded: what stands before
/// the `@` means what its provider says it means, so `a.b+c@example.com` is not `ab@example.com`.
/// Addresses outside ASCII are refused, because letters of several alphabets look the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`, and behind it.
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once('@').unwrap_or((&self.0, ""))
    }

    /// The address with all but its first letter and its domain hidden: `a***@example.com`.
    pub fn masked(&self) -> String {
        let (local, domain) = self.parts();
        let first = local.chars().next();
        format!(
            "{}***@{domain}",
            first.map_or_else(String::new, String::from)
        )
    }
}

impl FromStr for EmailAddress {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || {
            Malformed::new(format!(
                "an e-mail address must have a name, @ and a domain, in at most {} ASCII characters",
                limits::EMAIL_LENGTH
            ))
        };
        if text.len() > limits::EMAIL_LENGTH || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed());
        }
        let text = text.to_ascii_lowercase();
        let (local, domain) = text.split_once('@').ok_or_else(malformed)?;
        let refused = |byte: u8| b"@,;:<>()[]\\\"".contains(&byte);
        let has_dot = domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.');
        let is_plain = !domain.contains("..") && domain.parse::<Domain>().is_ok();
        if local.is_empty() || local.bytes().any(refused) || !has_dot || !is_plain {
            return Err(malformed());
        }
        Ok(Self(text))
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_without_case_and_nothing_else_is_folded() {
        let address: EmailAddress = "Ann.B+c@Example.COM".parse().unwrap();
        assert_eq!(address.as_str(), "ann.b+c@example.com");
        assert_eq!(address.masked(), "a***@example.com");
        assert_ne!(address, "annb@example.com".parse().unwrap());
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        for text in [
            "",
            "a",
            "@",
            "a@",
            "@example.com",
            "a@b",
            "a@.com",
            "a@b.",
            "a@b..c",
            "a@b@c.d",
            "a b@c.d",
            "a@b.c\n",
            "<a@b.c>",
            "a,b@c.d",
            "ä@example.com",
            "a@exämple.com",
            "\u{430}@example.com",
            "\"a\"@b.c",
            &long,
        ] {
            assert!(text.parse::<EmailAddress>().is_err(), "{text:?}");
        }
    }
}
