//! Bounded text and lists: the shapes that several nouns share.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::{self, DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::limits;

/// Text of `MIN` to `MAX` characters without control characters (line feeds and tabs are allowed
/// inside descriptions and nowhere else).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

/// The name of a record, role, group or client.
pub type Name = Text<1, { limits::NAME_LENGTH }>;
/// A description; may be empty and may have several lines.
pub type Description = Text<0, { limits::DESCRIPTION_LENGTH }>;

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let length = text.chars().count();
        if length < MIN || length > MAX {
            return Err(Malformed::new(format!(
                "must have {MIN} to {MAX} characters, but has {length}"
            )));
        }
        let lines_allowed = MAX == limits::DESCRIPTION_LENGTH;
        let control = |character: char| {
            character.is_control() && !(lines_allowed && matches!(character, '\n' | '\r' | '\t'))
        };
        if text.chars().any(control) {
            return Err(Malformed::new("must not contain control characters"));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Display for Text<MIN, MAX> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

/// Why a text is not the value it should be: a sentence that says what it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

impl Malformed {
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// A list of `MIN` to `MAX` items. Reading stops at the first item too many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Bounded<T, const MIN: usize, const MAX: usize>(Vec<T>);

impl<T, const MIN: usize, const MAX: usize> Bounded<T, MIN, MAX> {
    pub fn new(items: Vec<T>) -> Result<Self, Malformed> {
        let count = items.len();
        if count < MIN || count > MAX {
            return Err(Malformed::new(format!(
                "must have {MIN} to {MAX} items, but has {count}"
            )));
        }
        Ok(Self(items))
    }

    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> Default for Bounded<T, 0, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MIN: usize, const MAX: usize> Deref for Bounded<T, MIN, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>, const MIN: usize, const MAX: usize> Deserialize<'de>
    for Bounded<T, MIN, MAX>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const MIN: usize, const MAX: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MIN: usize, const MAX: usize> Visitor<'de>
            for Items<T, MIN, MAX>
        {
            type Value = Vec<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a list of {MIN} to {MAX} items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = sequence.next_element()? {
                    if items.len() == MAX {
                        return Err(de::Error::custom(format!(
                            "must have {MIN} to {MAX} items, but has more"
                        )));
                    }
                    items.push(item);
                }
                Ok(items)
            }
        }

        let items = deserializer.deserialize_seq(Items::<T, MIN, MAX>(PhantomData))?;
        Self::new(items).map_err(de::Error::custom)
    }
}

/// Labels of the caller's own, shown and never interpreted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        type TagName = Text<1, { limits::TAG_LENGTH }>;
        type TagValue = Text<0, { limits::TAG_LENGTH }>;
        let given = Option::<BTreeMap<String, Option<TagValue>>>::deserialize(deserializer)?;
        let mut tags = BTreeMap::new();
        for (name, value) in given.unwrap_or_default() {
            TagName::parse(&name)
                .map_err(|reason| de::Error::custom(format!("the name of a tag {reason}")))?;
            if let Some(value) = value {
                tags.insert(name, value.as_str().to_owned());
            }
        }
        if tags.len() > limits::TAGS {
            return Err(de::Error::custom(format!(
                "must have at most {} tags",
                limits::TAGS
            )));
        }
        Ok(Self(tags))
    }
}

/// Reads an optional member for which `null`, `""` and the zero time mean "absent": some SDKs
/// cannot leave a member out (contract §0.2 rules 6 and 7).
pub fn absent_if_empty<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    if text.is_empty() || text == "0001-01-01T00:00:00Z" {
        return Ok(None);
    }
    let value = de::value::StringDeserializer::<D::Error>::new(text);
    T::deserialize(value).map(Some)
}

/// Reads a member for which `null` means the default (an empty list, no tags).
pub fn default_if_null<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
