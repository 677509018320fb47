//! Claims: somebody makes a resource that is nobody's their own (contract §1.1 `createClaim`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::limits;
use crate::resources::ResourceUri;
use crate::text::Malformed;

/// A claim: the resource is `{collectionResource}/{resourceId}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimRequest {
    pub collection_resource: CollectionResource,
    pub resource_id: ResourceId,
}

/// The collection in which something is claimed: a resource URI without wildcards, of at most 128
/// characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CollectionResource(ResourceUri);

/// What is claimed in a collection: one segment without wildcards, of at most 128 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ResourceId(String);

/// The answer: nothing is said of it, but SDKs read some JSON object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimResponse {}

impl ClaimRequest {
    pub fn new(collection_resource: CollectionResource, resource_id: ResourceId) -> Self {
        Self {
            collection_resource,
            resource_id,
        }
    }

    /// What is claimed.
    ///
    /// # Errors
    ///
    /// It would have more segments than a resource URI may have.
    pub fn resource_uri(&self) -> Result<ResourceUri, Malformed> {
        let collection = self.collection_resource.0.as_str();
        let collection = collection.strip_suffix('/').unwrap_or(collection);
        format!("{collection}/{}", self.resource_id.0).parse()
    }
}

impl CollectionResource {
    pub const fn resource_uri(&self) -> &ResourceUri {
        &self.0
    }
}

impl FromStr for CollectionResource {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        check_length(text)?;
        let uri: ResourceUri = text.parse()?;
        if uri.has_wildcard() {
            return Err(Malformed::new("must have no wildcard (*)"));
        }
        Ok(Self(uri))
    }
}

impl ResourceId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ResourceId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        check_length(text)?;
        if text.contains(['/', '*']) {
            return Err(Malformed::new(
                "must be one segment of a resource URI, without / and *",
            ));
        }
        // Whatever a segment must not be is refused with the reason.
        text.parse::<ResourceUri>()?;
        Ok(Self(text.to_owned()))
    }
}

fn check_length(text: &str) -> Result<(), Malformed> {
    if text.is_empty() || text.len() > limits::CLAIM_PART_LENGTH {
        return Err(Malformed::new(format!(
            "must have 1 to {} characters",
            limits::CLAIM_PART_LENGTH
        )));
    }
    Ok(())
}

impl fmt::Display for ResourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for CollectionResource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for CollectionResource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for ResourceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimed(collection: &str, id: &str) -> Result<ResourceUri, Malformed> {
        ClaimRequest::new(collection.parse()?, id.parse()?).resource_uri()
    }

    #[test]
    fn a_claim_joins_its_parts_with_one_slash() {
        for (collection, joined) in [
            ("rooms", "rooms/1"),
            ("/rooms", "/rooms/1"),
            ("/rooms/", "/rooms/1"),
            ("a:b/c|d", "a:b/c|d/1"),
        ] {
            assert_eq!(claimed(collection, "1").unwrap().as_str(), joined);
        }
    }

    #[test]
    fn what_is_claimed_is_one_plain_segment_of_a_plain_collection() {
        for (collection, id) in [
            ("*", "1"),
            ("rooms/*", "1"),
            ("rooms:*", "1"),
            ("", "1"),
            ("/", "1"),
            ("a//b", "1"),
            ("..", "1"),
            ("rooms", "*"),
            ("rooms", "a:*"),
            ("rooms", "1/2"),
            ("rooms", "1/"),
            ("rooms", "/1"),
            ("rooms", ".."),
            ("rooms", "."),
            ("rooms", ""),
            ("rooms", ":a"),
            ("rooms", "a b"),
            ("rooms", "a%2Fb"),
        ] {
            assert!(claimed(collection, id).is_err(), "{collection} {id}");
        }
        let long = "a".repeat(limits::CLAIM_PART_LENGTH);
        assert!(claimed(&long, &long).is_ok());
        assert!(claimed(&format!("{long}b"), "1").is_err());
        assert!(claimed("rooms", &format!("{long}b")).is_err());
        let deep = vec!["a"; limits::RESOURCE_URI_SEGMENTS].join("/");
        assert!(claimed(&deep, "1").is_err());
    }
}
