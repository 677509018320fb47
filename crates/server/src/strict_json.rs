//! JSON in which nothing is ambiguous: checked as a whole, before any type looks at its part of it.
//!
//! serde alone lets a member that a type does not know be given twice, be a number out of range or
//! hold half a surrogate pair, and it builds whatever is sent. This pass builds nothing but the names
//! of the objects it is inside of.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::edge_error::shortened;
use crate::limits::{JSON_MEMBERS, JSON_VALUES};

/// Checks that a text is one JSON value (RFC 8259) whose objects give no member twice (RFC 7493
/// §2.3), nested at most 127 deep, of a bounded number of values.
pub(crate) fn check(text: &[u8]) -> Result<(), serde_path_to_error::Error<serde_json::Error>> {
    let values = Cell::new(0);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let checked = Value { seen: &values }
        .deserialize(tracked)
        .and_then(|()| deserializer.end());
    checked.map_err(|error| serde_path_to_error::Error::new(track.path(), error))
}

/// Any JSON value.
#[derive(Clone, Copy)]
struct Value<'c> {
    /// How many values there were so far.
    seen: &'c Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.seen.set(self.seen.get() + 1);
        if self.seen.get() > JSON_VALUES {
            let reason = format!("there are more than {JSON_VALUES} values");
            return Err(de::Error::custom(reason));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key_seed(Name)? {
            if names.len() >= JSON_MEMBERS {
                let reason = format!("an object has more than {JSON_MEMBERS} members");
                return Err(de::Error::custom(reason));
            }
            if names.contains(&name) {
                let name = shortened(&name);
                return Err(de::Error::custom(format!(
                    "the member {name} is given twice"
                )));
            }
            names.insert(name);
            members.next_value_seed(self)?;
        }
        Ok(())
    }
}

/// The name of a member, borrowed from the text where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
