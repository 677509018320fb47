//! Points in time as the wire writes them: RFC 3339, UTC, milliseconds.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use jiff::fmt::rfc2822;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::text::Malformed;

/// Milliseconds since the Unix epoch, between the years 0001 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// 9999-12-30: a day before the last instant `jiff` can write.
const LATEST: i64 = 253_402_128_000_000;
/// 0001-01-02.
const EARLIEST: i64 = -62_135_510_400_000;

impl Timestamp {
    /// Times outside the years 0001 to 9999 become the nearest one inside.
    pub fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds.clamp(EARLIEST, LATEST))
    }

    pub const fn milliseconds(self) -> i64 {
        self.0
    }

    /// A moment so many milliseconds later.
    #[must_use]
    pub fn plus(self, milliseconds: i64) -> Self {
        Self::from_milliseconds(self.0.saturating_add(milliseconds))
    }
}

/// Whole milliseconds of it. What the wire cannot write becomes the nearest time that it can.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let milliseconds = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self::from_milliseconds(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => milliseconds(after),
            Err(before) => -milliseconds(before.duration()),
        })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_millisecond(self.0).map_err(|_| fmt::Error)?;
        write!(formatter, "{time:.3}")
    }
}

impl FromStr for Timestamp {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let time: jiff::Timestamp = text.parse().map_err(|_| {
            Malformed::new(
                "must be a time as in 2026-01-02T03:04:05.678Z (RFC 3339, with its time zone)",
            )
        })?;
        Ok(Self::from_milliseconds(time.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// The value of `If-Unmodified-Since`: an instant, and how exactly the caller knows it.
///
/// RFC 9110 §13.1.4 has an HTTP date; SDKs send RFC 3339 with anything from whole seconds to seven
/// decimals (contract §1.0). The comparison is made at the precision that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnmodifiedSince {
    seconds: i64,
    /// Milliseconds within the second, if the caller sent any.
    milliseconds: Option<i64>,
}

impl UnmodifiedSince {
    /// Whether something last changed at `time` is what the caller saw.
    pub fn holds(self, time: Timestamp) -> bool {
        let seconds = time.0.div_euclid(1000);
        let milliseconds = time.0.rem_euclid(1000);
        seconds == self.seconds && self.milliseconds.is_none_or(|sent| sent == milliseconds)
    }
}

impl FromStr for UnmodifiedSince {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || {
            Malformed::new(
                "If-Unmodified-Since must be the lastUpdated that was read \
                 (2026-01-02T03:04:05.678Z) or an HTTP date",
            )
        };
        let text = text.trim();
        if text.len() > 40 {
            return Err(malformed());
        }
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            let all = time.as_millisecond();
            let milliseconds = text.contains('.').then(|| all.rem_euclid(1000));
            return Ok(Self {
                seconds: all.div_euclid(1000),
                milliseconds,
            });
        }
        let time = rfc2822::DateTimeParser::new()
            .relaxed_weekday(true)
            .parse_timestamp(text)
            .map_err(|_| malformed())?;
        Ok(Self {
            seconds: time.as_second(),
            milliseconds: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_system_keep_their_milliseconds() {
        let time = |seconds, nanoseconds| Duration::new(seconds, nanoseconds);
        let after = SystemTime::UNIX_EPOCH + time(1_767_323_045, 678_999_999);
        assert_eq!(
            Timestamp::from(after).to_string(),
            "2026-01-02T03:04:05.678Z"
        );
        let before = SystemTime::UNIX_EPOCH - time(1, 500_000_000);
        assert_eq!(Timestamp::from(before).milliseconds(), -1_500);
        let late = SystemTime::UNIX_EPOCH + time(1 << 50, 0);
        assert_eq!(Timestamp::from(late).milliseconds(), LATEST);
    }

    #[test]
    fn times_are_written_with_milliseconds_and_z() {
        assert_eq!(
            Timestamp::from_milliseconds(0).to_string(),
            "1970-01-01T00:00:00.000Z"
        );
        let time: Timestamp = "2026-01-02T04:04:05.6789+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-01-02T03:04:05.678Z");
        assert!("2026-01-02T03:04:05".parse::<Timestamp>().is_err());
        assert_eq!(Timestamp::from_milliseconds(i64::MAX).to_string().len(), 24);
        assert_eq!(Timestamp::from_milliseconds(i64::MIN).to_string().len(), 24);
    }

    #[test]
    fn every_form_of_if_unmodified_since_that_sdks_send() {
        let time: Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
        for same in [
            "2026-01-02T03:04:05.678Z",
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05.6780000+00:00",
            "2026-01-02T03:04:05.6789999Z",
            "Fri, 02 Jan 2026 03:04:05 GMT",
        ] {
            assert!(
                same.parse::<UnmodifiedSince>().unwrap().holds(time),
                "{same}"
            );
        }
        for other in [
            "2026-01-02T03:04:05.677Z",
            "2026-01-02T03:04:05.000Z",
            "2026-01-02T03:04:06Z",
            "Fri, 02 Jan 2026 03:04:04 GMT",
        ] {
            assert!(
                !other.parse::<UnmodifiedSince>().unwrap().holds(time),
                "{other}"
            );
        }
        for malformed in ["", "yesterday", "2026-01-02", "0", "2026-01-02T03:04:05"] {
            assert!(malformed.parse::<UnmodifiedSince>().is_err(), "{malformed}");
        }
    }
}
