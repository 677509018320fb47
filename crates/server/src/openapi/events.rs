//! The operation that reads the event log, and its bodies.

use guestlist_api::events::{ActorKind, EventType, SubjectKind};
use guestlist_api::limits;
use http::Method;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Schema};

use super::codes::FORBIDDEN;
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, integer, list, object, of, string};

pub(super) fn get() -> Description {
    let limit = integer()
        .minimum(Some(1))
        .default(Some(json!(limits::EVENTS_UNLESS_SAID)));
    let wait = integer().minimum(Some(0)).default(Some(json!(0)));
    let most = format!("Events at most; more than {0} means {0}.", limits::EVENTS);
    let longest = format!(
        "Seconds to wait if there is nothing after `after` yet; more than {0} means {0}. The answer \
         comes as soon as there is something. It comes early, without events, when the server ends \
         or when very many are waiting.",
        limits::EVENTS_WAIT
    );
    Description::new(
        Method::GET,
        "/v1/events",
        Tag::Events,
        "Follow the event log",
    )
    .about(
        "Oldest first. Go on with the `revision` of the last event as `after`; there is more at \
             once while that is less than `lastRevision`.",
    )
    .with([
        parameters::query(
            "after",
            "The revision after which to begin.",
            integer().minimum(Some(0)).default(Some(json!(0))),
        ),
        parameters::query("limit", &most, limit),
        parameters::query("wait", &longest, wait),
    ])
    .answers(200, "What came after.", "EventCollection")
    .refuses([FORBIDDEN])
    .extension()
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        (
            "EventCollection",
            object()
                .property("events", list("Event"))
                .property(
                    "lastRevision",
                    revision("The newest revision that the server has."),
                )
                .property("lastHash", of("EventHash"))
                .required("events")
                .required("lastRevision")
                .into(),
        ),
        ("Event", event()),
        ("EventHash", hash()),
        ("EventActor", actor()),
        ("EventSubject", subject()),
        ("EventData", data()),
    ]
}

fn revision(what: &str) -> RefOr<Schema> {
    integer().minimum(Some(0)).description(Some(what)).into()
}

fn event() -> RefOr<Schema> {
    let known = known(EventType::KNOWN.iter().map(EventType::as_str));
    object()
        .description(Some("One committed change. It never holds a secret."))
        .property(
            "revision",
            revision("Its place in the log, counting from 1."),
        )
        .property(
            "eventId",
            string()
                .description(Some("The same each time it is read, and no other event's."))
                .max_length(Some(limits::ID_LENGTH)),
        )
        .property(
            "eventType",
            string().description(Some(format!("One of {known}; later versions have more."))),
        )
        .property("eventTime", of("Timestamp"))
        .property("actor", of("EventActor"))
        .property("subject", of("EventSubject"))
        .property(
            "requestId",
            string().description(Some("The `X-Request-Id` of the request that did it.")),
        )
        .property("data", of("EventData"))
        .property("hash", of("EventHash"))
        .required("revision")
        .required("eventId")
        .required("eventType")
        .required("eventTime")
        .required("actor")
        .required("subject")
        .required("data")
        .into()
}

fn hash() -> RefOr<Schema> {
    string()
        .description(Some(
            "The SHA-256 of an event together with the hash of the event before it, so that it \
             stands for all up to there: `lastHash` for all up to `lastRevision`.",
        ))
        .pattern(Some("^[0-9a-f]{64}$"))
        .into()
}

fn known<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.map(|text| format!("`{text}`")).collect();
    texts.join(", ")
}

fn actor() -> RefOr<Schema> {
    let known = known(ActorKind::KNOWN.iter().map(ActorKind::as_str));
    object()
        .description(Some("Who did it."))
        .property(
            "kind",
            string().description(Some(format!("One of {known}."))),
        )
        .property("id", of("UserId"))
        .required("kind")
        .required("id")
        .into()
}

fn subject() -> RefOr<Schema> {
    let known = known(SubjectKind::KNOWN.iter().map(SubjectKind::as_str));
    object()
        .description(Some("What it happened to."))
        .property(
            "kind",
            string().description(Some(format!("One of {known}; later versions have more."))),
        )
        .property(
            "id",
            string().description(Some(
                "Its id; of an invite the reference, of an identity the issuer.",
            )),
        )
        .required("kind")
        .required("id")
        .into()
}

fn data() -> RefOr<Schema> {
    object()
        .description(Some("Details, by type of event; later versions have more."))
        .property("reference", of("InviteReference"))
        .property("expiryTime", of("Timestamp"))
        .property("inviter", of("UserId"))
        .property(
            "outcome",
            string().description(Some(
                "What accepting did: `CREATED`, `MERGED`, `GENERATED`, `FORCE_MERGED`, `REPLACED`, \
             `SKIPPED` or `NOTHING`.",
            )),
        )
        .property("recordId", super::shapes::or_null(of("RecordId")))
        .property("keyId", of("KeyId"))
        .property("issuer", string())
        .property("audience", string())
        .property("owner", of("ClientId"))
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true)))
        .into()
}
