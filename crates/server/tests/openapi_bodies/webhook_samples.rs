//! The bodies of webhooks, with all of their members.

use guestlist_api::events::EventType;
use guestlist_api::text::Text;
use guestlist_api::webhooks::{
    CreatedWebhook, Delivery, DeliveryCollection, DeliveryError, DisabledReason,
    RotatedWebhookSecret, Webhook, WebhookCollection, WebhookFormat, WebhookReplay, WebhookRequest,
    WebhookSecret,
};
use serde_json::Value;

use crate::samples::{Reads, id, page, reads, value};

fn webhook() -> Webhook {
    Webhook {
        webhook_id: id("whk_1"),
        url: "https://hooks.example/a".parse().unwrap(),
        event_types: serde_json::from_str(r#"["invite.*"]"#).unwrap(),
        format: WebhookFormat::AccessChanged.into(),
        enabled: false,
        disabled_reason: Some(DisabledReason::Gone.into()),
        description: Some(Text::parse("About").unwrap()),
        created_time: id("2026-01-02T03:04:05.678Z"),
        last_updated: id("2026-01-02T03:04:05.678Z"),
    }
}

fn bare_webhook() -> Webhook {
    Webhook {
        disabled_reason: None,
        description: None,
        ..webhook()
    }
}

fn secret() -> WebhookSecret {
    id("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
}

fn delivery() -> Delivery {
    Delivery {
        revision: 7,
        event_id: id("evt_1"),
        event_type: EventType::InviteAccepted,
        time: id("2026-01-02T03:04:05.678Z"),
        attempt: 1,
        delivered: false,
        status: Some(500),
        error: Some(DeliveryError::Timeout.into()),
    }
}

fn bare_delivery() -> Delivery {
    Delivery {
        status: None,
        error: None,
        ..delivery()
    }
}

pub(super) fn answers() -> Vec<(&'static str, Value)> {
    let (pagination, links) = page();
    let page = WebhookCollection {
        webhooks: vec![webhook()],
        pagination,
        links,
    };
    let created = CreatedWebhook {
        webhook: webhook(),
        secret: secret(),
    };
    let rotated = RotatedWebhookSecret {
        secret: secret(),
        previous_secret_expires: id("2026-01-02T03:04:05.678Z"),
    };
    let deliveries = DeliveryCollection {
        deliveries: vec![delivery()],
        delivered_revision: 6,
        last_revision: 7,
    };
    vec![
        ("Webhook", value(webhook())),
        ("CreatedWebhook", value(created)),
        ("WebhookCollection", value(page)),
        ("RotatedWebhookSecret", value(rotated)),
        ("Delivery", value(delivery())),
        ("DeliveryCollection", value(deliveries)),
    ]
}

/// Every body that is sent, with all of its members.
pub(super) fn requests() -> Vec<(&'static str, Value, Reads)> {
    vec![
        (
            "WebhookRequest",
            value(webhook().to_request()),
            reads::<WebhookRequest>,
        ),
        (
            "WebhookReplay",
            value(WebhookReplay { after: 7 }),
            reads::<WebhookReplay>,
        ),
    ]
}

/// Answers without any member that may be absent.
pub(super) fn bare_answers() -> Vec<(&'static str, Value)> {
    let created = CreatedWebhook {
        webhook: bare_webhook(),
        secret: secret(),
    };
    vec![
        ("Webhook", value(bare_webhook())),
        ("CreatedWebhook", value(created)),
        ("Delivery", value(bare_delivery())),
    ]
}
