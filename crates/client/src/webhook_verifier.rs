//! Verifies what arrives at a webhook's receiver, by the Standard Webhooks scheme.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use guestlist_api::events::Event;
use guestlist_api::times::Timestamp;
use guestlist_api::webhooks::{
    AccessChanged, ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, WebhookSecret,
};
use http::HeaderMap;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::DecodingError;

/// How far the time of a message may be from the receiver's, as Standard Webhooks recommends: five
/// minutes.
pub const WEBHOOK_TOLERANCE: Duration = Duration::from_mins(5);

/// Signatures that are looked at: our server sends three at most.
const SIGNATURES: usize = 16;

/// A message that was signed with the secret, not long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedWebhook<'a> {
    id: &'a str,
    time: Timestamp,
    body: &'a [u8],
}

impl VerifiedWebhook<'_> {
    /// The same each time the event is sent: pass over those that were seen before.
    pub const fn id(&self) -> &str {
        self.id
    }

    /// When this attempt was made, in whole seconds.
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// The event.
    ///
    /// # Errors
    ///
    /// The body is no event: whoever has the secret signed something else.
    pub fn event(&self) -> Result<Event, DecodingError> {
        self.decode("an event")
    }

    /// What a webhook of the form [`WebhookFormat::AccessChanged`] sends.
    ///
    /// # Errors
    ///
    /// The body is something else: the webhook has the other form.
    ///
    /// [`WebhookFormat::AccessChanged`]: guestlist_api::webhooks::WebhookFormat::AccessChanged
    pub fn access_changed(&self) -> Result<AccessChanged, DecodingError> {
        self.decode("a change of access")
    }

    fn decode<T: DeserializeOwned>(&self, expected: &'static str) -> Result<T, DecodingError> {
        serde_json::from_slice(self.body).map_err(|_| DecodingError {
            expected,
            member: None,
        })
    }
}

/// Why a message is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidWebhook {
    /// A header field is missing, is there twice, or is not what it must be.
    #[error("its header field {0} is missing or not what it must be")]
    Header(&'static str),
    /// It was sent too long ago: perhaps by somebody who has kept it.
    #[error("it is too old")]
    TooOld,
    /// It was sent in the future: one of the two clocks is wrong.
    #[error("its time is in the future")]
    TooNew,
    /// No signature was made with this secret for this id, time and body.
    #[error("no signature of it was made with this secret")]
    Signature,
    /// The secret is not base64 behind its prefix.
    #[error("the secret is malformed")]
    Secret,
}

/// Says whether a message was signed with the secret, within the tolerance of `now`
/// ([`WEBHOOK_TOLERANCE`] as a rule). `body` is what was received, byte for byte.
///
/// Signatures are compared in constant time. A message that was kept and sent again within the
/// tolerance is believed: remember the ids of that time.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use guestlist_client::api::times::Timestamp;
/// use guestlist_client::{WEBHOOK_TOLERANCE, verify_webhook};
///
/// # let mut headers = http::HeaderMap::new();
/// # headers.insert("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".parse()?);
/// # headers.insert("webhook-timestamp", "1614265330".parse()?);
/// # let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
/// # headers.insert("webhook-signature", signature.parse()?);
/// # let body = br#"{"test": 2432232314}"#;
/// # let now = Timestamp::from_milliseconds(1_614_265_331_000);
/// let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse()?;
/// let message = verify_webhook(&secret, &headers, body, now, WEBHOOK_TOLERANCE)?;
/// assert_eq!(message.id(), "msg_p5jXN8AQM9LWM0D4loKWxJek");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`InvalidWebhook`]: answer 401 and do nothing.
pub fn verify_webhook<'a>(
    secret: &WebhookSecret,
    headers: &'a HeaderMap,
    body: &'a [u8],
    now: Timestamp,
    tolerance: Duration,
) -> Result<VerifiedWebhook<'a>, InvalidWebhook> {
    let id = field(headers, ID_HEADER)?;
    let timestamp = field(headers, TIMESTAMP_HEADER)?;
    let signatures = field(headers, SIGNATURE_HEADER)?;
    let milliseconds = timestamp
        .parse::<i64>()
        .ok()
        .and_then(|seconds| seconds.checked_mul(1000))
        .ok_or(InvalidWebhook::Header(TIMESTAMP_HEADER))?;
    let tolerance = i64::try_from(tolerance.as_millis()).unwrap_or(i64::MAX);
    let age = now.milliseconds().saturating_sub(milliseconds);
    if age > tolerance {
        return Err(InvalidWebhook::TooOld);
    }
    if age < tolerance.saturating_neg() {
        return Err(InvalidWebhook::TooNew);
    }
    let key = STANDARD.decode(secret.encoded());
    let key = Zeroizing::new(key.map_err(|_| InvalidWebhook::Secret)?);
    let key = DecodingKey::from_secret(&key);
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    let is_good = |signature: &str| {
        let tag = signature
            .strip_prefix("v1,")
            .and_then(|tag| STANDARD.decode(tag).ok());
        tag.is_some_and(|tag| {
            let tag = URL_SAFE_NO_PAD.encode(tag);
            // HMAC-SHA256, compared in constant time.
            jsonwebtoken::crypto::verify(&tag, &signed, &key, Algorithm::HS256).unwrap_or(false)
        })
    };
    if signatures.split(' ').take(SIGNATURES).any(is_good) {
        Ok(VerifiedWebhook {
            id,
            time: Timestamp::from_milliseconds(milliseconds),
            body,
        })
    } else {
        Err(InvalidWebhook::Signature)
    }
}

/// The one field of this name.
fn field<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, InvalidWebhook> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value
            .to_str()
            .ok()
            .filter(|value| !value.is_empty())
            .ok_or(InvalidWebhook::Header(name)),
        (None | Some(_), _) => Err(InvalidWebhook::Header(name)),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    /// The example of the Standard Webhooks libraries.
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const TIME: i64 = 1_614_265_330;

    fn headers() -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (ID_HEADER, "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            (TIMESTAMP_HEADER, "1614265330"),
            (SIGNATURE_HEADER, SIGNATURE),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers
    }

    fn verify(secret: &str, headers: &HeaderMap, body: &[u8], now: i64) -> Option<InvalidWebhook> {
        let secret = secret.parse().unwrap();
        let now = Timestamp::from_milliseconds(now);
        verify_webhook(&secret, headers, body, now, WEBHOOK_TOLERANCE).err()
    }

    fn with(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = headers();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn the_published_example_is_good_for_five_minutes_each_way() {
        let at = |milliseconds| verify(SECRET, &headers(), BODY, TIME * 1000 + milliseconds);
        let most = 5 * 60 * 1000;
        for fine in [0, -most, most, 999] {
            assert_eq!(at(fine), None, "{fine}");
        }
        assert_eq!(at(most + 1), Some(InvalidWebhook::TooOld));
        assert_eq!(at(-most - 1), Some(InvalidWebhook::TooNew));
        assert_eq!(at(i64::MAX - TIME * 1000), Some(InvalidWebhook::TooOld));
    }

    #[test]
    fn s02_whatever_is_changed_is_refused() {
        let now = TIME * 1000;
        let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx";
        let signature = Some(InvalidWebhook::Signature);
        assert_eq!(verify(other, &headers(), BODY, now), signature);
        for place in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[place] ^= 1;
            assert_eq!(verify(SECRET, &headers(), &body, now), signature, "{place}");
        }
        assert_eq!(verify(SECRET, &headers(), &BODY[1..], now), signature);
        for (name, value) in [
            (ID_HEADER, "msg_p5jXN8AQM9LWM0D4loKWxJel"),
            (TIMESTAMP_HEADER, "1614265331"),
            (SIGNATURE_HEADER, "v1,"),
            (SIGNATURE_HEADER, "v1,g0hM9SsE"),
            (
                SIGNATURE_HEADER,
                "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
            (
                SIGNATURE_HEADER,
                "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
            (
                SIGNATURE_HEADER,
                "v1,g0hM9SsE+OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
        ] {
            assert_eq!(
                verify(SECRET, &with(name, value), BODY, now),
                signature,
                "{value}"
            );
        }
        for name in [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER] {
            let missing = Some(InvalidWebhook::Header(name));
            let mut without = headers();
            without.remove(name);
            assert_eq!(verify(SECRET, &without, BODY, now), missing);
            assert_eq!(verify(SECRET, &with(name, ""), BODY, now), missing);
            let mut twice = headers();
            twice.append(name, HeaderValue::from_static("1"));
            assert_eq!(verify(SECRET, &twice, BODY, now), missing);
        }
        for time in ["now", "1614265330.5", "9223372036854775807"] {
            let malformed = Some(InvalidWebhook::Header(TIMESTAMP_HEADER));
            assert_eq!(
                verify(SECRET, &with(TIMESTAMP_HEADER, time), BODY, now),
                malformed
            );
        }
    }

    #[test]
    fn s02_one_good_signature_among_several_is_enough() {
        let other = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let now = TIME * 1000;
        for both in [
            format!("{other} {SIGNATURE}"),
            format!("v2,x {SIGNATURE} {other}"),
        ] {
            assert_eq!(
                verify(SECRET, &with(SIGNATURE_HEADER, &both), BODY, now),
                None
            );
        }
        let many = format!("{}{SIGNATURE}", format!("{other} ").repeat(SIGNATURES));
        let refused = verify(SECRET, &with(SIGNATURE_HEADER, &many), BODY, now);
        assert_eq!(refused, Some(InvalidWebhook::Signature));
    }
}
