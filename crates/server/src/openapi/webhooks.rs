//! The operations on webhooks and their bodies.

use guestlist_api::limits;
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};

use super::codes::{FORBIDDEN, NOT_FOUND, TOO_MANY_WEBHOOKS};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{
    Named, boolean, description, integer, list, object, of, or_null, page, string,
};

const ALL: &str = "/v1/webhooks";
const ONE: &str = "/v1/webhooks/{webhookId}";

fn on(method: Method, path: &'static str, summary: &'static str) -> Description {
    Description::new(method, path, Tag::Webhooks, summary).extension()
}

fn on_one(method: Method, path: &'static str, summary: &'static str) -> Description {
    on(method, path, summary)
        .with([parameters::path("webhookId", "WebhookId")])
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn create() -> Description {
    on(Method::POST, ALL, "Make a webhook")
        .about("Its `secret` is answered this once. It begins with what comes after it.")
        .takes("WebhookRequest")
        .answers(201, "The webhook, and its secret.", "CreatedWebhook")
        .refuses([FORBIDDEN, TOO_MANY_WEBHOOKS])
}

pub(super) fn get_all() -> Description {
    on(Method::GET, ALL, "List webhooks")
        .about("Those that the caller may read.")
        .with(parameters::list(limits::LARGE_PAGE))
        .with([parameters::filter()])
        .answers(200, "A page.", "WebhookCollection")
}

pub(super) fn get() -> Description {
    on_one(Method::GET, ONE, "Read a webhook").answers(200, "The webhook.", "Webhook")
}

pub(super) fn update() -> Description {
    on_one(Method::PUT, ONE, "Replace what is said of a webhook")
        .about("What is under way ends at once. Its secret and its place in the log stay.")
        .takes("WebhookRequest")
        .answers(200, "The webhook.", "Webhook")
}

pub(super) fn delete() -> Description {
    on_one(Method::DELETE, ONE, "Delete a webhook").answers_nothing(
        204,
        "It and its secrets are gone, and nothing is sent any more.",
    )
}

pub(super) fn rotate_secret() -> Description {
    let path = "/v1/webhooks/{webhookId}/secret";
    on_one(Method::POST, path, "Give a webhook another secret")
        .about("The one before it signs beside it for 24 hours.")
        .answers(201, "The secret, this once.", "RotatedWebhookSecret")
}

pub(super) fn get_deliveries() -> Description {
    let path = "/v1/webhooks/{webhookId}/deliveries";
    on_one(Method::GET, path, "Read the last attempts of a webhook").answers(
        200,
        "The last attempts.",
        "DeliveryCollection",
    )
}

pub(super) fn replay() -> Description {
    let path = "/v1/webhooks/{webhookId}/replay";
    on_one(Method::POST, path, "Send events again, or pass them over")
        .takes("WebhookReplay")
        .answers_nothing(204, "Sending goes on from there.")
}

pub(super) fn test() -> Description {
    let path = "/v1/webhooks/{webhookId}/test";
    on_one(Method::POST, path, "Send a test event")
        .about(
            "Waits for the outcome. The event is of type `webhook.tested`, has revision 0 and is \
             not in the log. One at a time: another one meanwhile is refused with `Busy`.",
        )
        .answers(200, "What became of it.", "Delivery")
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("WebhookId", id()),
        ("WebhookSecret", secret()),
        ("Webhook", webhook().into()),
        (
            "CreatedWebhook",
            webhook()
                .property("secret", of("WebhookSecret"))
                .required("secret")
                .into(),
        ),
        ("WebhookRequest", request()),
        ("RotatedWebhookSecret", rotated()),
        (
            "WebhookCollection",
            page("A page of webhooks.", "webhooks", "Webhook").into(),
        ),
        ("WebhookReplay", replay_request()),
        ("Delivery", delivery()),
        ("DeliveryCollection", deliveries()),
    ]
}

fn id() -> RefOr<Schema> {
    string()
        .description(Some("A webhook: `whk_…`."))
        .min_length(Some(1))
        .max_length(Some(limits::ID_LENGTH))
        .pattern(Some("^[A-Za-z0-9_-]+$"))
        .into()
}

fn secret() -> RefOr<Schema> {
    string()
        .description(Some(
            "The key under which deliveries are signed: `whsec_` and base64 (Standard Webhooks).",
        ))
        .pattern(Some("^whsec_[A-Za-z0-9+/]{32,88}={0,2}$"))
        .into()
}

fn url() -> ObjectBuilder {
    string()
        .description(Some(
            "Where events are sent, by https and to a public address. Redirects are not followed.",
        ))
        .max_length(Some(limits::WEBHOOK_URL_LENGTH))
        .pattern(Some(r"^https?://[!-.0-~][!-~]*$"))
}

fn event_types() -> ArrayBuilder {
    let pattern = string().pattern(Some(r"^[a-z-]+\.([a-z-]+|\*)$"));
    ArrayBuilder::new()
        .description(Some(
            "Which events are sent: types (`invite.accepted`) or all of a noun (`invite.*`). All \
             if there is none.",
        ))
        .items(pattern)
        .max_items(Some(limits::WEBHOOK_EVENT_TYPES))
}

fn webhook() -> ObjectBuilder {
    let reason = string()
        .description(Some(
            "Why the server disabled it: `GONE` (the receiver answered 410) or `FAILING` (one event \
             could not be delivered for 24 hours).",
        ))
        .enum_values(Some(["GONE", "FAILING"]));
    object()
        .property("webhookId", of("WebhookId"))
        .property("url", url())
        .property("eventTypes", event_types())
        .property("format", format())
        .property("enabled", boolean())
        .property("disabledReason", reason)
        .property("description", description())
        .property("createdTime", of("Timestamp"))
        .property("lastUpdated", of("Timestamp"))
        .required("webhookId")
        .required("url")
        .required("eventTypes")
        .required("format")
        .required("enabled")
        .required("createdTime")
        .required("lastUpdated")
}

fn format() -> ObjectBuilder {
    string()
        .description(Some(
            "In which form events are sent: `EVENT`, each as the log has it, or `ACCESS_CHANGED`, the \
             form of the hosted service, only those that tell who gained or lost access.",
        ))
        .enum_values(Some(["EVENT", "ACCESS_CHANGED"]))
}

fn request() -> RefOr<Schema> {
    let enabled = boolean().description(Some(
        "Yes for a new one, and as it is for another, unless it is said.",
    ));
    let types = event_types().schema_type(SchemaType::from_iter([Type::Array, Type::Null]));
    object()
        .property("url", url())
        .property("eventTypes", types)
        .property("format", or_null(format()))
        .property("enabled", or_null(enabled))
        .property("description", or_null(description()))
        .required("url")
        .into()
}

fn rotated() -> RefOr<Schema> {
    object()
        .property("secret", of("WebhookSecret"))
        .property("previousSecretExpires", of("Timestamp"))
        .required("secret")
        .required("previousSecretExpires")
        .into()
}

fn revision(what: &str) -> RefOr<Schema> {
    integer().minimum(Some(0)).description(Some(what)).into()
}

fn replay_request() -> RefOr<Schema> {
    let after = revision(
        "The next event sent is the first after this revision. 0 means all; the newest revision, \
         none of those that are there.",
    );
    object().property("after", after).required("after").into()
}

fn delivery() -> RefOr<Schema> {
    let error = string()
        .description(Some("Why there is no answer."))
        .enum_values(Some([
            "TIMEOUT",
            "NOT_CONNECTED",
            "CONNECTION_LOST",
            "ADDRESS_NOT_ALLOWED",
            "SECRET_UNREADABLE",
        ]));
    object()
        .description(Some("One attempt to deliver an event."))
        .property(
            "revision",
            revision("The event's place in the log; 0 for a test."),
        )
        .property("eventId", string().max_length(Some(limits::ID_LENGTH)))
        .property("eventType", string())
        .property("time", of("Timestamp"))
        .property("attempt", integer().minimum(Some(1)))
        .property(
            "delivered",
            boolean().description(Some("Whether the receiver answered 2xx in time.")),
        )
        .property(
            "status",
            integer().description(Some("What the receiver answered.")),
        )
        .property("error", error)
        .required("revision")
        .required("eventId")
        .required("eventType")
        .required("time")
        .required("attempt")
        .required("delivered")
        .into()
}

fn deliveries() -> RefOr<Schema> {
    object()
        .property("deliveries", list("Delivery"))
        .property(
            "deliveredRevision",
            revision("All events up to here were delivered, or were not to be sent."),
        )
        .property(
            "lastRevision",
            revision("The newest revision that the server has."),
        )
        .required("deliveries")
        .required("deliveredRevision")
        .required("lastRevision")
        .into()
}
