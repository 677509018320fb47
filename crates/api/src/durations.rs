//! Spans of time as the wire writes them: ISO 8601, as in `PT24H`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::text::Malformed;

/// Characters of the longest duration that is read.
const LONGEST: usize = 32;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Seconds of the units before and after the `T`, in the order in which they must come. A month has
/// 30 days and a year 365: such a duration is a length and not a date.
const DATE_UNITS: [(char, u64); 4] = [
    ('Y', 365 * DAY),
    ('M', 30 * DAY),
    ('W', 7 * DAY),
    ('D', DAY),
];
const TIME_UNITS: [(char, u64); 3] = [('H', HOUR), ('M', MINUTE), ('S', 1)];

/// A duration of `LEAST` to `MOST` seconds. It is written as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsoDuration<const LEAST: u64, const MOST: u64> {
    text: String,
    seconds: u64,
}

impl<const LEAST: u64, const MOST: u64> IsoDuration<LEAST, MOST> {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub const fn seconds(&self) -> u64 {
        self.seconds
    }
}

impl<const LEAST: u64, const MOST: u64> FromStr for IsoDuration<LEAST, MOST> {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let seconds = seconds(text).ok_or_else(|| {
            Malformed::new("must be a duration in whole units, as in PT24H or P30D (ISO 8601)")
        })?;
        if seconds < LEAST || seconds > MOST {
            return Err(Malformed::new(format!(
                "must be {LEAST} to {MOST} seconds, but is {seconds}"
            )));
        }
        Ok(Self {
            text: text.to_owned(),
            seconds,
        })
    }
}

/// The length of a duration; `None` if it is not one, or longer than can be counted.
fn seconds(text: &str) -> Option<u64> {
    if text.len() > LONGEST {
        return None;
    }
    let rest = text.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None if rest.is_empty() => return None,
        None => (rest, ""),
    };
    sum(date, &DATE_UNITS)?.checked_add(sum(time, &TIME_UNITS)?)
}

/// Numbers with their units, each unit once and in order.
fn sum(mut text: &str, units: &[(char, u64)]) -> Option<u64> {
    let mut total: u64 = 0;
    for (unit, seconds) in units {
        let Some((number, rest)) = text.split_once(*unit) else {
            continue;
        };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: u64 = number.parse().ok()?;
        total = total.checked_add(number.checked_mul(*seconds)?)?;
        text = rest;
    }
    text.is_empty().then_some(total)
}

impl<const LEAST: u64, const MOST: u64> fmt::Display for IsoDuration<LEAST, MOST> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl<const LEAST: u64, const MOST: u64> Serialize for IsoDuration<LEAST, MOST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, const LEAST: u64, const MOST: u64> Deserialize<'de> for IsoDuration<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_units_in_order() {
        for (text, expected) in [
            ("PT24H", DAY),
            ("P1D", DAY),
            ("P30D", 30 * DAY),
            ("P1M", 30 * DAY),
            ("PT1M", 60),
            ("P1W", 7 * DAY),
            (
                "P1Y2M3W4DT5H6M7S",
                365 * DAY + 60 * DAY + 25 * DAY + 5 * HOUR + 6 * 60 + 7,
            ),
            ("PT0S", 0),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for bad in [
            "",
            "P",
            "PT",
            "P1DT",
            "1D",
            "P1",
            "P1H",
            "PT1D",
            "PT1M1H",
            "P-1D",
            "P1.5D",
            "P 1D",
            "p1d",
            "P1DT1",
            "PT99999999999999999999S",
            "P99999999999999999Y",
            "P1DT1HT1M",
            "P+1D",
            "P\u{661}D",
        ] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_duration_keeps_its_text_and_its_bounds() {
        type Life = IsoDuration<60, 86_400>;
        let life: Life = serde_json::from_str("\"PT1440M\"").unwrap();
        assert_eq!(life.seconds(), 86_400);
        assert_eq!(serde_json::to_string(&life).unwrap(), "\"PT1440M\"");
        assert!("PT59S".parse::<Life>().is_err());
        assert!("PT86401S".parse::<Life>().is_err());
    }
}
