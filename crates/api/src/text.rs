//! Bounded text and lists: the shapes that several nouns share.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::str::FromStr;

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

impl<const MIN: usize, const MAX: usize> FromStr for Text<MIN, MAX> {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }
}

impl<const MIN: usize, const MAX: usize> TryFrom<&str> for Text<MIN, MAX> {
    type Error = Malformed;

    fn try_from(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
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

/// What is a value already cannot be malformed: lets functions take values and texts alike.
impl From<Infallible> for Malformed {
    fn from(never: Infallible) -> Self {
        match never {}
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

    /// A list of one item: `MIN` is at most 1 wherever this is called.
    pub(crate) fn one(item: T) -> Self {
        Self(vec![item])
    }

    /// The same list with one more item, for composing a request. `MAX` is not looked at here: a
    /// server refuses a list that is too long, and says so.
    pub(crate) fn with(mut self, item: T) -> Self {
        self.0.push(item);
        self
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
    /// No tags.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more tag, or with another value for it.
    ///
    /// # Errors
    ///
    /// If the name or the value is too long, or there are more than 100.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self, Malformed> {
        Text::<1, { limits::TAG_LENGTH }>::parse(name)?;
        Text::<0, { limits::TAG_LENGTH }>::parse(value)?;
        self.0.insert(name.to_owned(), value.to_owned());
        if self.0.len() > limits::TAGS {
            return Err(Malformed::new(format!(
                "must have at most {} tags",
                limits::TAGS
            )));
        }
        Ok(self)
    }

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

/// A word of a closed list, as an answer has it: a newer server, or another one, may use words that
/// are not known here. Written it is that word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum OpenEnum<T> {
    Known(T),
    /// The word as it was answered.
    Unknown(String),
}

impl<T> OpenEnum<T> {
    /// The word, if it is one of the list.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}

impl<T> From<T> for OpenEnum<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T: Default> Default for OpenEnum<T> {
    fn default() -> Self {
        Self::Known(T::default())
    }
}

impl<T: PartialEq> PartialEq<T> for OpenEnum<T> {
    fn eq(&self, other: &T) -> bool {
        self.known() == Some(other)
    }
}

/// The word itself, as it goes over the wire.
impl<T: Serialize> fmt::Display for OpenEnum<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value) => match serde_json::to_value(value) {
                Ok(serde_json::Value::String(word)) => formatter.write_str(&word),
                Ok(_) | Err(_) => Err(fmt::Error),
            },
            Self::Unknown(word) => formatter.write_str(word),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for OpenEnum<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let known = de::value::StrDeserializer::<de::value::Error>::new(&word);
        Ok(T::deserialize(known).map_or_else(|_| Self::Unknown(word.clone()), Self::Known))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::RecordStatus;

    #[test]
    fn words_that_are_not_known_are_kept() {
        type Status = OpenEnum<RecordStatus>;
        for (word, known) in [
            ("ACTIVE", Some(RecordStatus::Active)),
            ("DELETED", Some(RecordStatus::Deleted)),
            ("active", None),
            ("", None),
        ] {
            let written = format!("\"{word}\"");
            let status: Status = serde_json::from_str(&written).unwrap();
            assert_eq!(status.known(), known.as_ref());
            assert_eq!(status.to_string(), word);
            assert_eq!(serde_json::to_string(&status).unwrap(), written);
        }
        assert!(serde_json::from_str::<Status>("1").is_err());
        assert_eq!(Status::default(), RecordStatus::Active);
    }

    #[test]
    fn tags_are_composed_within_their_bounds() {
        let tags = Tags::new().with("team", "docs").unwrap();
        let tags = tags.with("team", "web").unwrap();
        assert_eq!(tags.iter().collect::<Vec<_>>(), [("team", "web")]);
        assert!(Tags::new().with("", "a").is_err());
        assert!(Tags::new().with("a", &"b".repeat(129)).is_err());
        let all = (0..limits::TAGS).try_fold(Tags::new(), |tags, number| {
            tags.with(&number.to_string(), "")
        });
        assert!(all.unwrap().with("one more", "").is_err());
    }
}
