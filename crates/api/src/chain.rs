//! The chain of the event log: the exact bytes that stand for an event, and the hash that stands for
//! an event and all before it.
//!
//! The hash of revision *n* is the SHA-256 of [`CanonicalEvent::link`], which holds the hash of
//! revision *n* - 1. Deliberately absent: the SHA-256 itself, which whoever stores or verifies brings.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Number, Value};

use crate::text::Malformed;
use crate::times::Timestamp;

/// What every hashed text begins with: another form of it would have another name.
const NAME: &str = "guestlist-audit-1";

/// The hash of an event and of all events before it: 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainHash([u8; Self::BYTES]);

impl ChainHash {
    /// The bytes of a SHA-256.
    pub const BYTES: usize = 32;
    /// What stands before revision 1: zeros.
    pub const START: Self = Self([0; Self::BYTES]);

    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl FromStr for ChainHash {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed =
            || Malformed::new("the hash of an event must have 64 hexadecimal digits in lower case");
        let mut digits = text.bytes().map(|digit| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        });
        let mut bytes = [0; Self::BYTES];
        for byte in &mut bytes {
            let (high, low) = (digits.next().flatten(), digits.next().flatten());
            let (Some(high), Some(low)) = (high, low) else {
                return Err(malformed());
            };
            *byte = high << 4 | low;
        }
        if digits.next().is_some() {
            return Err(malformed());
        }
        Ok(Self(bytes))
    }
}

impl Serialize for ChainHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChainHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// What of an event is hashed.
#[derive(Debug, Clone, Copy)]
pub struct HashedParts<'a> {
    /// The id of whoever did it, as it was written down.
    pub actor: &'a str,
    /// The details; nothing at all is the same as an empty object.
    pub data: &'a Value,
    pub time: Timestamp,
    /// The published type.
    pub event_type: &'a str,
    /// Empty for what the server did by itself.
    pub request_id: &'a str,
    pub subject_kind: &'a str,
    pub subject_id: &'a str,
}

/// An event as the bytes that are hashed: JSON without spaces, with the members of every object in
/// the order of their names in bytes.
///
/// It is what Python writes with `json.dumps(event, sort_keys=True, separators=(",", ":"),
/// ensure_ascii=False)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalEvent(String);

impl CanonicalEvent {
    pub fn new(parts: &HashedParts<'_>) -> Self {
        let time = parts.time.to_string();
        let mut text = String::with_capacity(256);
        text.push_str("{\"actor\":");
        push_text(&mut text, parts.actor);
        text.push_str(",\"data\":");
        if parts.data.is_null() {
            text.push_str("{}");
        } else {
            push_value(&mut text, parts.data);
        }
        for (name, value) in [
            (",\"eventTime\":", time.as_str()),
            (",\"eventType\":", parts.event_type),
            (",\"requestId\":", parts.request_id),
            (",\"subject\":{\"id\":", parts.subject_id),
            (",\"kind\":", parts.subject_kind),
        ] {
            text.push_str(name);
            push_text(&mut text, value);
        }
        text.push_str("}}");
        Self(text)
    }

    /// The JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes whose SHA-256 is the hash of this event, at this place of the log:
    /// `guestlist-audit-1`, the hash of the event before ([`ChainHash::START`] for revision 1), the
    /// revision and the event, with a line feed between each two.
    pub fn link(&self, previous: ChainHash, revision: u64) -> Vec<u8> {
        format!("{NAME}\n{previous}\n{revision}\n{}", self.0).into_bytes()
    }
}

impl fmt::Display for CanonicalEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The members, for reading one that was written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Members {
    actor: String,
    data: Map<String, Value>,
    event_time: Timestamp,
    event_type: String,
    request_id: String,
    subject: SubjectMembers,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectMembers {
    id: String,
    kind: String,
}

/// Only exactly what would be written: there is one text for each event.
impl FromStr for CanonicalEvent {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let members: Members =
            serde_json::from_str(text).map_err(|_| Malformed::new("it is not an event"))?;
        let canonical = Self::new(&HashedParts {
            actor: &members.actor,
            data: &Value::Object(members.data),
            time: members.event_time,
            event_type: &members.event_type,
            request_id: &members.request_id,
            subject_kind: &members.subject.kind,
            subject_id: &members.subject.id,
        });
        if canonical.0 == text {
            return Ok(canonical);
        }
        Err(Malformed::new(
            "the event is not in the form that is hashed",
        ))
    }
}

fn push_value(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => push_number(text, number),
        Value::String(string) => push_text(text, string),
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                push_value(text, item);
            }
            text.push(']');
        }
        Value::Object(members) => push_members(text, members),
    }
}

/// Sorted here: whether a `Map` is depends on a feature that any other crate may turn on.
fn push_members(text: &mut String, members: &Map<String, Value>) {
    let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    text.push('{');
    for (place, (name, value)) in sorted.into_iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        push_text(text, name);
        text.push(':');
        push_value(text, value);
    }
    text.push('}');
}

/// A number with a fraction or an exponent has the fewest digits that give it, and an exponent of two
/// digits or more where that is below -4 or above 15. Not as `serde_json` writes it: that has changed
/// from one of its versions to another.
fn push_number(text: &mut String, number: &Number) {
    let fraction = number.as_f64().filter(|_| number.is_f64());
    let scientific = fraction.map(|fraction| format!("{fraction:e}"));
    let parts = scientific.as_deref().and_then(|text| text.split_once('e'));
    let Some((mantissa, exponent)) = parts else {
        text.push_str(&number.to_string());
        return;
    };
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits.replace('.', "")),
        None => ("", mantissa.replace('.', "")),
    };
    text.push_str(sign);
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let before = usize::try_from(exponent + 1).unwrap_or_default();
    match exponent {
        -4..0 => {
            text.push_str("0.");
            text.extend((exponent..-1).map(|_| '0'));
            text.push_str(&digits);
        }
        0..16 => {
            let all = format!("{digits:0<before$}");
            let (whole, rest) = all.split_at_checked(before).unwrap_or((&all, ""));
            text.push_str(whole);
            text.push('.');
            text.push_str(if rest.is_empty() { "0" } else { rest });
        }
        _ => {
            let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
            text.push_str(first);
            if !rest.is_empty() {
                text.push('.');
                text.push_str(rest);
            }
            let sign = if exponent < 0 { "-" } else { "+" };
            text.extend(["e", sign, &format!("{:02}", exponent.unsigned_abs())]);
        }
    }
}

/// Escaped is only what JSON (RFC 8259 §7) does not allow as it is, in its short form if it has one.
fn push_text(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\0'..='\u{1f}' => {
                text.extend(["\\u", &format!("{:04x}", u32::from(character))]);
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parts(data: &Value) -> HashedParts<'_> {
        HashedParts {
            actor: "alice",
            data,
            time: Timestamp::from_milliseconds(1_767_323_045_678),
            event_type: "record.updated",
            request_id: "",
            subject_kind: "record",
            subject_id: "rec_1",
        }
    }

    fn written(data: &Value) -> String {
        CanonicalEvent::new(&parts(data)).to_string()
    }

    #[test]
    fn an_event_has_one_text_for_good() {
        // Made by Python's `json.dumps`, and written down: what was hashed must not change with a
        // new version.
        let data = json!({
            "z": [1, -1, u64::MAX, i64::MIN, true, null, {}, []],
            "a": { "b": "\u{0}\u{1f}\u{7f}\"\\/\n\r\t\u{8}\u{c}", "A": "\u{e9}\u{2028}\u{1f39f}" },
            "\u{e9}": "", "": 0, "f": [0.5, 1.0, -0.0, 1.5e300, 5e-324],
        });
        let expected = concat!(
            "{\"actor\":\"alice\",\"data\":{\"\":0,\"a\":{\"A\":\"\u{e9}\u{2028}\u{1f39f}\",\"b\":\"",
            "\\u0000\\u001f\u{7f}\\\"\\\\/\\n\\r\\t\\b\\f\"},\"f\":[0.5,1.0,-0.0,1.5e+300,5e-324],",
            "\"z\":[1,-1,18446744073709551615,-9223372036854775808,true,null,{},[]],\"\u{e9}\":\"\"},",
            r#""eventTime":"2026-01-02T03:04:05.678Z","eventType":"record.updated","requestId":"","#,
            r#""subject":{"id":"rec_1","kind":"record"}}"#,
        );
        assert_eq!(written(&data), expected);
        assert_eq!(
            expected.parse::<CanonicalEvent>().unwrap().as_str(),
            expected
        );
        assert_eq!(written(&Value::Null), written(&json!({})));
    }

    #[test]
    fn fractions_are_as_python_has_them() {
        for (number, expected) in [
            (0.0, "0.0"),
            (-0.1, "-0.1"),
            (0.000_123, "0.000123"),
            (0.0001, "0.0001"),
            (0.000_012_3, "1.23e-05"),
            (1e-5, "1e-05"),
            (12.25, "12.25"),
            (123_456_789_012_345.0, "123456789012345.0"),
            (1e15, "1000000000000000.0"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            (1e16, "1e+16"),
            (-1.234_5e16, "-1.2345e+16"),
            (1e22, "1e+22"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        ] {
            let mut text = String::new();
            push_value(&mut text, &json!(number));
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn a_link_is_four_lines() {
        let event = CanonicalEvent::new(&parts(&Value::Null));
        let link = event.link(ChainHash::START, 7);
        let expected = format!("guestlist-audit-1\n{}\n7\n{event}", "0".repeat(64));
        assert_eq!(link, expected.as_bytes());
    }

    #[test]
    fn every_part_is_hashed_and_none_can_take_what_is_anothers() {
        let (data, other) = (json!({"a": "b"}), json!({"a": "c"}));
        let changes: [fn(&mut HashedParts<'_>); 7] = [
            |parts| parts.actor = "bob",
            |parts| parts.time = parts.time.plus(1),
            |parts| parts.event_type = "record.created",
            |parts| parts.request_id = "r",
            |parts| parts.subject_kind = "role",
            |parts| parts.subject_id = "rec_2",
            |parts| (parts.subject_kind, parts.subject_id) = ("record/rec", "1"),
        ];
        let mut all = vec![written(&data), written(&other)];
        for change in changes {
            let mut parts = parts(&data);
            change(&mut parts);
            all.push(CanonicalEvent::new(&parts).to_string());
        }
        all.sort_unstable();
        let many = all.len();
        all.dedup();
        assert_eq!(all.len(), many);
    }

    #[test]
    fn only_the_text_that_is_hashed_is_read() {
        let text = written(&json!({"a": 1, "b": "x"}));
        assert!(text.parse::<CanonicalEvent>().is_ok());
        for (from, to) in [
            (r#"{"actor":"#, r#"{ "actor":"#),
            (r#"{"a":1,"b":"x"}"#, r#"{"b":"x","a":1}"#),
            (r#""a":1"#, r#""a":0,"a":1"#),
            (r#""a":1"#, r#""a":1e0"#),
            (r#""x""#, r#""\u0078""#),
            (r#"{"a":1,"b":"x"}"#, "null"),
            ("678Z", "678+00:00"),
            (r#""requestId":"","#, ""),
            (r#""kind":"#, r#""more":1,"kind":"#),
        ] {
            assert!(text.contains(from), "{from}");
            let changed = text.replacen(from, to, 1);
            assert!(changed.parse::<CanonicalEvent>().is_err(), "{changed}");
        }
    }

    #[test]
    fn a_hash_is_read_as_it_is_written_and_in_no_other_way() {
        let text = "00ff".repeat(16);
        let hash: ChainHash = text.parse().unwrap();
        assert_eq!(hash.to_string(), text);
        assert_eq!(ChainHash::START.to_string(), "0".repeat(64));
        let quoted = format!("\"{text}\"");
        assert_eq!(serde_json::from_str::<ChainHash>(&quoted).unwrap(), hash);
        assert_eq!(serde_json::to_string(&hash).unwrap(), quoted);
        let (short, long) = ("0".repeat(63), format!("{text}0"));
        let (upper, other) = (text.to_uppercase(), text.replace('f', "\u{e9}"));
        for wrong in ["", "00", &short, &long, &upper, &other] {
            assert!(wrong.parse::<ChainHash>().is_err(), "{wrong}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// What is stored, what is answered and what is read of that have one text, fractions too.
        #[test]
        fn what_was_written_and_read_has_the_same_text(data in any_json()) {
            let mut text = String::new();
            push_value(&mut text, &data);
            let stored: Value = serde_json::from_str(&data.to_string()).unwrap();
            let mut again = String::new();
            push_value(&mut again, &stored);
            prop_assert_eq!(&again, &text);
            // And the text says the same.
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), data);
        }
    }
}
