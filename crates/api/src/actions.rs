//! Actions of permissions: `documents:read`, compared without regard to case.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::limits;
use crate::text::Malformed;

/// What may be done: parts separated by `:`, any of which may be `*`.
///
/// Kept as it was written, compared in lower case (contract §2.1). A trailing `:*` adds nothing:
/// `documents` and `documents:*` are the same action, and both imply `documents:read`.
#[derive(Debug, Clone)]
pub struct Action {
    text: String,
    /// Lower case, without the trailing `*`. Empty for `*` itself.
    compared: String,
}

impl Action {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether whoever may do this may also do `other`.
    pub fn covers(&self, other: &Self) -> bool {
        if self.compared.is_empty() || self.compared == other.compared {
            return true;
        }
        if other.compared.is_empty() {
            return false;
        }
        let mut asked = other.compared.split(':');
        self.compared.split(':').all(|held| {
            asked
                .next()
                .is_some_and(|asked| held == asked || held == "*")
        })
    }

    /// Lower case, without a trailing `*`: equal for actions that mean the same.
    pub fn canonical(&self) -> &str {
        &self.compared
    }
}

impl FromStr for Action {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() || text.len() > limits::ACTION_LENGTH {
            return Err(Malformed::new(format!(
                "an action must have 1 to {} characters",
                limits::ACTION_LENGTH
            )));
        }
        let part = |part: &str| {
            part == "*"
                || !part.is_empty()
                    && part
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        if !text.split(':').all(part) {
            return Err(Malformed::new(
                "an action must be parts of A-Z a-z 0-9 - _ separated by :, each of which may be *",
            ));
        }
        let lower = text.to_ascii_lowercase();
        let compared = match lower.as_str() {
            "*" => String::new(),
            other => other.strip_suffix(":*").unwrap_or(other).to_owned(),
        };
        Ok(Self {
            text: text.to_owned(),
            compared,
        })
    }
}

impl TryFrom<&str> for Action {
    type Error = Malformed;

    fn try_from(text: &str) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<&Action> for Action {
    fn from(value: &Action) -> Self {
        value.clone()
    }
}

impl PartialEq for Action {
    fn eq(&self, other: &Self) -> bool {
        self.compared == other.compared
    }
}

impl Eq for Action {}

impl PartialOrd for Action {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Action {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.compared.cmp(&other.compared)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(text: &str) -> Action {
        text.parse().unwrap()
    }

    #[test]
    fn the_published_pattern_decides_what_is_an_action() {
        for good in ["*", "read", "READ:*", "*:x", "a:*:b", "a-b_c:1"] {
            assert!(good.parse::<Action>().is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in [
            "", "a::b", "a:", ":a", "a.b", "a*", "a b", "ä", "a\0", &long,
        ] {
            assert!(bad.parse::<Action>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_parent_implies_its_children() {
        let asked = action("documents:flat-documents:read");
        for held in [
            "*",
            "documents",
            "documents:*",
            "documents:flat-documents:*",
            "documents:flat-documents:read",
            "DOCUMENTS:Flat-Documents:READ",
            "*:flat-documents",
            "documents:*:read",
            "*:*:read",
        ] {
            assert!(action(held).covers(&asked), "{held}");
        }
        for held in [
            "read",
            "documents:read",
            "*:read",
            "documents:flat-documents:read:x",
        ] {
            assert!(!action(held).covers(&asked), "{held}");
        }
    }

    #[test]
    fn a_wildcard_that_is_asked_for_needs_one_that_is_held() {
        assert!(!action("read").covers(&action("*")));
        assert!(action("*").covers(&action("*")));
        assert!(action("*:*").covers(&action("*:read")));
        assert!(!action("a:b").covers(&action("a:*:c")));
        assert!(action("read").covers(&action("read:*")));
        assert!(action("read:*").covers(&action("read")));
    }

    #[test]
    fn case_is_kept_and_not_compared() {
        assert_eq!(action("Read").as_str(), "Read");
        assert_eq!(action("Read"), action("READ:*"));
        assert!(action("a") < action("B"));
    }
}
