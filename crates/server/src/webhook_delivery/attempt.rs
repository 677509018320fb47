//! One attempt: an event, signed by the Standard Webhooks scheme, and what became of it.

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use guestlist_api::events::Event;
use guestlist_api::ids::{EventId, WebhookId};
use guestlist_api::times::Timestamp;
use guestlist_api::webhooks::{
    AccessChanged, Delivery, DeliveryError, ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER,
    WebhookFormat,
};
use guestlist_rules::connections::SealedSecret;
use guestlist_rules::webhooks::StoredWebhook;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::app::App;
use crate::outgoing::{NoAnswer, OutgoingError};
use crate::sealing::{Sealed, SealingKey};

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver answered with this status.
    Answered(u16),
    Failed(DeliveryError),
}

impl Outcome {
    /// Redirects are not followed, so they are no delivery either.
    pub(super) const fn is_delivered(self) -> bool {
        matches!(self, Self::Answered(200..=299))
    }

    /// The receiver does not want any more.
    pub(super) const fn is_gone(self) -> bool {
        matches!(self, Self::Answered(410))
    }

    /// What is remembered of it.
    pub(super) fn delivery(self, event: &Event, time: Timestamp, attempt: u32) -> Delivery {
        let (status, error) = match self {
            Self::Answered(status) => (Some(status), None),
            Self::Failed(error) => (None, Some(error.into())),
        };
        Delivery {
            revision: event.revision,
            event_id: event.event_id.clone(),
            event_type: event.event_type.clone(),
            time,
            attempt,
            delivered: self.is_delivered(),
            status,
            error,
        }
    }
}

/// Sends an event once.
pub(super) async fn send(app: &App, webhook: &StoredWebhook, event: &Event) -> Outcome {
    let now = app.clock.now();
    let body = match webhook.format {
        WebhookFormat::Event => serde_json::to_vec(event),
        WebhookFormat::AccessChanged => serde_json::to_vec(&AccessChanged::of(event)),
    };
    let Ok(body) = body else {
        // Never: every event is an object with texts for names.
        return Outcome::Failed(DeliveryError::ConnectionLost);
    };
    let signing = Signing {
        sealing_key: &app.sealing_key,
        webhook_id: &webhook.webhook_id,
        event_id: &event.event_id,
        seconds: now.milliseconds().div_euclid(1000),
        body: &body,
    };
    let headers = match signing.headers(webhook.signing(now)) {
        Ok(headers) => headers,
        Err(error) => return Outcome::Failed(error),
    };
    let outgoing = app.webhooks.outgoing();
    match outgoing.post(webhook.url.as_str(), headers, body).await {
        Ok(status) => Outcome::Answered(status),
        Err(error) => Outcome::Failed(class(&error)),
    }
}

/// The words of an error may hold the URL, which may hold a secret of the receiver: only its class
/// goes on from here.
fn class(error: &OutgoingError) -> DeliveryError {
    match error.class() {
        NoAnswer::NotAllowed => DeliveryError::AddressNotAllowed,
        NoAnswer::TimedOut => DeliveryError::Timeout,
        NoAnswer::NotConnected => DeliveryError::NotConnected,
        NoAnswer::Broken => DeliveryError::ConnectionLost,
    }
}

/// What is signed, and with what.
struct Signing<'a> {
    sealing_key: &'a SealingKey,
    webhook_id: &'a WebhookId,
    event_id: &'a EventId,
    seconds: i64,
    body: &'a [u8],
}

impl Signing<'_> {
    /// The header fields of the attempt, with a signature for each secret.
    fn headers<'s>(
        &self,
        secrets: impl Iterator<Item = &'s SealedSecret>,
    ) -> Result<HeaderMap, DeliveryError> {
        let signatures = secrets
            .map(|secret| self.signature(secret))
            .collect::<Option<Vec<_>>>()
            .filter(|signatures| !signatures.is_empty())
            .ok_or(DeliveryError::SecretUnreadable)?
            .join(" ");
        let fields = [
            (ID_HEADER, self.event_id.to_string()),
            (TIMESTAMP_HEADER, self.seconds.to_string()),
            (SIGNATURE_HEADER, signatures),
        ];
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in fields {
            // Ids, numbers and base64 are visible ASCII.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        Ok(headers)
    }

    fn signature(&self, sealed: &SealedSecret) -> Option<String> {
        let secret = self
            .sealing_key
            .open(Sealed::WebhookSecret, self.webhook_id.as_str(), &sealed.0)
            .ok()?;
        let key = Zeroizing::new(STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?);
        let mut context = Context::with_key(&Key::new(HMAC_SHA256, &key));
        context.update(self.event_id.as_str().as_bytes());
        context.update(b".");
        context.update(self.seconds.to_string().as_bytes());
        context.update(b".");
        context.update(self.body);
        Some(format!("v1,{}", STANDARD.encode(context.sign())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Entropy;

    /// The example of the Standard Webhooks libraries.
    #[test]
    fn the_published_example_is_signed_as_published() {
        let directory = tempfile::tempdir().unwrap();
        let entropy = Entropy::seeded(1);
        let path = directory.path().join("sealing-key");
        let sealing_key = SealingKey::load_or_create(&path, &entropy).unwrap();
        let webhook_id: WebhookId = "whk_1".parse().unwrap();
        let seal = |secret| {
            let id = webhook_id.as_str();
            let sealed = sealing_key.seal(Sealed::WebhookSecret, id, secret, &entropy);
            SealedSecret(sealed.unwrap())
        };
        let event_id: EventId = "msg_p5jXN8AQM9LWM0D4loKWxJek".parse().unwrap();
        let signing = Signing {
            sealing_key: &sealing_key,
            webhook_id: &webhook_id,
            event_id: &event_id,
            seconds: 1_614_265_330,
            body: br#"{"test": 2432232314}"#,
        };
        let first = seal("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let headers = signing.headers([&first].into_iter()).unwrap();
        assert_eq!(headers[SIGNATURE_HEADER], expected);
        assert_eq!(headers[TIMESTAMP_HEADER], "1614265330");
        assert_eq!(headers[ID_HEADER], "msg_p5jXN8AQM9LWM0D4loKWxJek");
        let second = seal("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let both = signing.headers([&second, &first].into_iter()).unwrap();
        let both = both[SIGNATURE_HEADER].to_str().unwrap().to_owned();
        let (new, old) = both.split_once(' ').unwrap();
        assert!(new.starts_with("v1,") && new != old);
        assert_eq!(old, expected);
        let none = signing.headers(std::iter::empty());
        assert_eq!(none.unwrap_err(), DeliveryError::SecretUnreadable);
        let foreign = SealedSecret("1.AAAA.AAAA".to_owned());
        let unreadable = signing.headers([&first, &foreign].into_iter());
        assert_eq!(unreadable.unwrap_err(), DeliveryError::SecretUnreadable);
    }
}
