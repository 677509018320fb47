//! Pages of a list and the links beside them.

use serde::{Deserialize, Serialize};

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// An absolute URL.
    pub href: String,
}

/// The link of an object to itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    #[serde(rename = "self")]
    pub own: Link,
}

/// The links of a page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionLinks {
    #[serde(rename = "self")]
    pub own: Link,
    /// The next page, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Link>,
}

/// How to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pagination {
    pub next: PaginationNext,
}

/// What to pass as `cursor` to get the next page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaginationNext {
    /// Opaque; good for this caller and this list only.
    pub cursor: String,
}
