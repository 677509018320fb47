//! Resource URIs: parsed in linear time, kept as they were written, compared in canonical form.
//!
//! The published pattern is deliberately not used as it stands: it backtracks, and it lets through
//! `a*`, `**` and `/`, which would silently read as "everything" (semantics §1).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::limits;
use crate::text::Malformed;

/// The namespace of the service's own resources.
pub const RESERVED: &str = "Authress";

/// A path of 1 to 15 segments, of which any may hold wildcards.
///
/// Equality and order are those of the canonical form (no leading and no trailing `/`); the text is
/// kept as the caller wrote it, because programs compare what they get back with what they sent.
#[derive(Debug, Clone)]
pub struct ResourceUri {
    text: String,
    /// Where the canonical form lies in `text`.
    start: usize,
    end: usize,
    shape: Shape,
}

/// What a resource URI covers when it stands in a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `*`: every resource.
    Everything,
    /// No wildcard: the resource and everything below it.
    Exact,
    /// `X/*` with no other wildcard: everything below `X`, not `X` itself.
    Below,
    /// Wildcards elsewhere.
    Pattern,
}

impl ResourceUri {
    /// As the caller wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Without a leading and a trailing `/`.
    pub fn canonical(&self) -> &str {
        self.text.get(self.start..self.end).unwrap_or_default()
    }

    pub fn shape(&self) -> Shape {
        self.shape
    }

    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.canonical().split('/')
    }

    /// For [`Shape::Below`]: what it is below.
    pub fn parent_of_wildcard(&self) -> Option<&str> {
        match self.shape {
            Shape::Below => self.canonical().strip_suffix("/*"),
            Shape::Everything | Shape::Exact | Shape::Pattern => None,
        }
    }

    /// Whether any part of it is a wildcard.
    pub fn has_wildcard(&self) -> bool {
        self.shape != Shape::Exact
    }

    /// Whether it lies in the namespace of the service itself (`Authress:…`).
    pub fn is_reserved(&self) -> bool {
        is_reserved(self.canonical())
    }
}

/// Whether a canonical resource lies in the namespace of the service itself.
pub fn is_reserved(canonical: &str) -> bool {
    canonical
        .strip_prefix(RESERVED)
        .is_some_and(|rest| rest.starts_with(':'))
}

impl FromStr for ResourceUri {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() || text.len() > limits::RESOURCE_URI_LENGTH {
            return Err(Malformed::new(format!(
                "a resource URI must have 1 to {} characters",
                limits::RESOURCE_URI_LENGTH
            )));
        }
        let start = usize::from(text.starts_with('/'));
        let inner = text.get(start..).unwrap_or_default();
        let canonical = inner.strip_suffix('/').unwrap_or(inner);
        let mut count = 0;
        for segment in canonical.split('/') {
            count += 1;
            check_segment(segment)?;
        }
        if count > limits::RESOURCE_URI_SEGMENTS {
            return Err(Malformed::new(format!(
                "a resource URI must have at most {} segments",
                limits::RESOURCE_URI_SEGMENTS
            )));
        }
        check_namespace(canonical)?;
        if canonical == "*" && text != "*" {
            return Err(Malformed::new(
                "a resource URI that means every resource is written * alone",
            ));
        }
        let shape = shape_of(canonical);
        let end = start + canonical.len();
        Ok(Self {
            shape,
            start,
            end,
            text: text.to_owned(),
        })
    }
}

fn check_segment(segment: &str) -> Result<(), Malformed> {
    if segment.is_empty() {
        return Err(Malformed::new(
            "a resource URI must not have empty segments (//)",
        ));
    }
    if segment == "." || segment == ".." {
        return Err(Malformed::new(
            "a resource URI must not have the segments . or ..",
        ));
    }
    for (position, part) in segment.split(':').enumerate() {
        if part == "*" {
            continue;
        }
        if part.is_empty() && position == 0 {
            return Err(Malformed::new(
                "a segment of a resource URI must not begin with :",
            ));
        }
        if part.len() > limits::RESOURCE_URI_PART_LENGTH {
            return Err(Malformed::new(format!(
                "a part of a resource URI must have at most {} characters",
                limits::RESOURCE_URI_PART_LENGTH
            )));
        }
        if part.contains('*') {
            return Err(Malformed::new(
                "a * in a resource URI must be a whole segment or a whole part between colons",
            ));
        }
        if !part.bytes().all(is_allowed) {
            return Err(Malformed::new(
                "a resource URI must have only the characters A-Z a-z 0-9 - _ . + = ~ | @ : / *",
            ));
        }
    }
    Ok(())
}

/// Nobody may park data next to the reserved namespace under a name that reads like it.
fn check_namespace(canonical: &str) -> Result<(), Malformed> {
    let first = canonical.split(['/', ':']).next().unwrap_or_default();
    let has_colon = canonical
        .get(first.len()..)
        .is_some_and(|rest| rest.starts_with(':'));
    if has_colon && first != RESERVED && first.eq_ignore_ascii_case(RESERVED) {
        return Err(Malformed::new(
            "the service's own resources are written Authress:…",
        ));
    }
    Ok(())
}

fn shape_of(canonical: &str) -> Shape {
    if canonical == "*" {
        return Shape::Everything;
    }
    if !canonical.contains('*') {
        return Shape::Exact;
    }
    match canonical.strip_suffix("/*") {
        Some(parent) if !parent.contains('*') => Shape::Below,
        Some(_) | None => Shape::Pattern,
    }
}

const fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'=' | b'~' | b'|' | b'@')
}

impl TryFrom<&str> for ResourceUri {
    type Error = Malformed;

    fn try_from(text: &str) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<&ResourceUri> for ResourceUri {
    fn from(value: &ResourceUri) -> Self {
        value.clone()
    }
}

impl PartialEq for ResourceUri {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Eq for ResourceUri {}

impl PartialOrd for ResourceUri {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourceUri {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.canonical().cmp(other.canonical())
    }
}

impl Hash for ResourceUri {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical().hash(state);
    }
}

impl fmt::Display for ResourceUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Serialize for ResourceUri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ResourceUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<ResourceUri, Malformed> {
        text.parse()
    }

    #[test]
    fn the_forms_of_the_contract_are_accepted() {
        for (text, shape) in [
            ("*", Shape::Everything),
            ("/organizations/org_a/documents/doc_1", Shape::Exact),
            ("Resources/", Shape::Exact),
            ("/organizations/*/documents/*", Shape::Pattern),
            ("documents/*", Shape::Below),
            ("/documents/*/", Shape::Below),
            ("namespace:*", Shape::Pattern),
            ("Authress:Roles/ro_1", Shape::Exact),
            ("Authress:*", Shape::Pattern),
            ("Authress:", Shape::Exact),
            ("a:b:c/d.e+f=g~h|i@j", Shape::Exact),
            ("*/x", Shape::Pattern),
        ] {
            assert_eq!(parse(text).unwrap().shape(), shape, "{text}");
        }
    }

    #[test]
    fn a09_malformed_resources_are_refused() {
        let long_part = "a".repeat(129);
        let long = format!("{}/b", "a/".repeat(256));
        let deep = ["a"; 16].join("/");
        for text in [
            "",
            "/",
            "//",
            "a*",
            "*a",
            "**",
            "/*b",
            "a//b",
            "/a//b",
            "a//",
            "//a",
            "a/**",
            "a b",
            "a%2Fb",
            "a?b",
            "a#b",
            "ä",
            "a\0",
            "a/./b",
            "a/../b",
            "..",
            ".",
            ":a",
            "a/:b",
            "/*",
            "*/",
            "/*/",
            "\u{ff21}uthress:Roles",
            "Authress:\u{200b}x",
            "authress:roles/x",
            "AUTHRESS:Roles",
            "a,b",
            "a'b",
            "a(b)",
            &long_part,
            &long,
            &deep,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&"a".repeat(128)).is_ok());
        assert!(parse(&["a"; 15].join("/")).is_ok());
        assert!(parse("authress/x").is_ok());
    }

    #[test]
    fn text_is_kept_and_comparison_is_canonical() {
        let written = parse("/a/b/").unwrap();
        assert_eq!(written.as_str(), "/a/b/");
        assert_eq!(written.canonical(), "a/b");
        assert_eq!(written, parse("a/b").unwrap());
        assert_ne!(parse("a/B").unwrap(), parse("a/b").unwrap());
        assert_ne!(parse("a/b/*").unwrap(), parse("a/b").unwrap());
        assert_eq!(parse("/a/b/*").unwrap().parent_of_wildcard(), Some("a/b"));
    }

    proptest! {
        #[test]
        fn whatever_parses_stays_within_its_limits(text in "[a*:/.|@ %]{0,40}") {
            if let Ok(uri) = parse(&text) {
                prop_assert!(uri.segments().count() <= limits::RESOURCE_URI_SEGMENTS);
                prop_assert!(uri.segments().all(|segment| !segment.is_empty()));
                prop_assert_eq!(parse(uri.canonical()).unwrap(), uri);
            }
        }
    }

    #[test]
    fn d07_a_hostile_text_of_full_length_is_read_at_once() {
        // Linear by construction: each byte is looked at a fixed number of times.
        let text = format!("{}!", "a:".repeat(255));
        assert!(parse(&text).is_err());
    }
}
