//! Labels of objects as arguments and as text.

use std::str::FromStr;

use guestlist_api::text::Tags;

use crate::exits::Failure;

/// A label as an argument: `team=billing`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    name: String,
    value: String,
}

impl FromStr for Tag {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or("a tag is NAME=VALUE")?;
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl Tag {
    /// Its name and its value.
    pub(crate) fn parts(&self) -> (&str, &str) {
        (&self.name, &self.value)
    }
}

/// All labels that were given.
pub(crate) fn tags(given: &[Tag]) -> Result<Tags, Failure> {
    let mut tags = Tags::new();
    for Tag { name, value } in given {
        tags = tags.with(name, value)?;
    }
    Ok(tags)
}

/// One label a line.
pub(crate) fn words(tags: &Tags) -> String {
    let words: Vec<String> = tags
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    words.join("\n")
}
