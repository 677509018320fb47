//! Limits to the requests of service clients as arguments and as text.

use std::str::FromStr;

use guestlist_api::clients::{ClientRateLimit, RateLimitDuration};

/// A limit as an argument: `1000/1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimit {
    quota: u32,
    duration: RateLimitDuration,
}

/// How the times are written.
const TIMES: [(&str, RateLimitDuration); 4] = [
    ("5m", RateLimitDuration::FiveMinutes),
    ("1h", RateLimitDuration::Hour),
    ("1d", RateLimitDuration::Day),
    ("1mo", RateLimitDuration::Month),
];

impl FromStr for RateLimit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a rate limit is REQUESTS/TIME with 5m, 1h, 1d or 1mo, as in 1000/1h";
        let (quota, time) = text.split_once('/').ok_or(FORM)?;
        let (_, duration) = TIMES.iter().find(|(name, _)| *name == time).ok_or(FORM)?;
        Ok(Self {
            quota: quota.parse().map_err(|_| FORM)?,
            duration: *duration,
        })
    }
}

impl From<RateLimit> for ClientRateLimit {
    fn from(limit: RateLimit) -> Self {
        Self {
            duration: limit.duration,
            quota: Some(limit.quota),
        }
    }
}

/// Limits as they are shown, one a line.
pub(crate) fn words(limits: &[ClientRateLimit]) -> String {
    let words = limits.iter().map(|limit| {
        let time = TIMES.iter().find(|(_, time)| *time == limit.duration);
        match (limit.quota, time) {
            (Some(quota), Some((time, _))) => format!("{quota}/{time}"),
            (None, _) | (_, None) => "none".to_owned(),
        }
    });
    words.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_they_are_shown() {
        for text in ["100/5m", "1000/1h", "100000/1d", "1000000/1mo"] {
            let limit: RateLimit = text.parse().unwrap();
            assert_eq!(words(&[limit.into()]), text);
        }
        for bad in [
            "", "100", "100/", "/1h", "100/2h", "-1/1h", "x/1h", "100/1H",
        ] {
            assert!(bad.parse::<RateLimit>().is_err(), "{bad}");
        }
    }
}
