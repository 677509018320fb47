//! Pages of a list and the links beside them.

use serde::{Deserialize, Deserializer, Serialize};

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// An absolute URL.
    pub href: String,
}

/// The link of an object to itself. Other servers leave it out, or have `null` for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    #[serde(rename = "self", default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Link>,
}

/// The links of a page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionLinks {
    #[serde(rename = "self", default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Link>,
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

/// Reads `pagination` of an answer, where no `next`, and one without a cursor, mean that there is no
/// further page (contract §1.0).
pub fn absent_on_the_last_page<'de, D>(deserializer: D) -> Result<Option<Pagination>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    struct Given {
        #[serde(default)]
        next: Option<Next>,
    }
    #[derive(Deserialize)]
    struct Next {
        #[serde(default)]
        cursor: Option<String>,
    }
    let given = Option::<Given>::deserialize(deserializer)?;
    let cursor = given.and_then(|given| given.next?.cursor);
    Ok(cursor
        .filter(|cursor| !cursor.is_empty())
        .map(|cursor| Pagination {
            next: PaginationNext { cursor },
        }))
}
