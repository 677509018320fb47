//! The operations on service clients and access keys and their bodies.

use guestlist_api::limits;
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, Schema, SchemaType, Type};

use super::codes::{
    FORBIDDEN, INSUFFICIENT_GRANT_ACCESS, LAST_OWNER, NOT_FOUND, TOO_MANY_ACCESS_KEYS,
};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{
    Named, boolean, integer, list, name, object, of, optional_list, or_null, page, string, text,
};

const ALL: &str = "/v1/clients";
const ONE: &str = "/v1/clients/{clientId}";

pub(super) fn create() -> Description {
    Description::new(Method::POST, ALL, Tag::Clients, "Make a service client")
        .about("It has no access key yet.")
        .takes("ClientRequest")
        .answers(201, "The client.", "Client")
        .refuses([FORBIDDEN, INSUFFICIENT_GRANT_ACCESS])
}

pub(super) fn get_all() -> Description {
    Description::new(Method::GET, ALL, Tag::Clients, "List service clients")
        .about("Those that the caller may read. A page may be shorter than asked for.")
        .with(parameters::list(limits::PAGE))
        .with([parameters::further_filter()])
        .answers(200, "A page.", "ClientCollection")
}

pub(super) fn get() -> Description {
    Description::new(Method::GET, ONE, Tag::Clients, "Read a service client")
        .with([parameters::path("clientId", "ClientId")])
        .answers(200, "The client.", "Client")
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn update() -> Description {
    Description::new(
        Method::PUT,
        ONE,
        Tag::Clients,
        "Replace what is said of a service client",
    )
    .about("Its access keys stay.")
    .with([parameters::path("clientId", "ClientId")])
    .takes("ClientRequest")
    .answers(200, "The client.", "Client")
    .refuses([FORBIDDEN, INSUFFICIENT_GRANT_ACCESS, NOT_FOUND])
}

pub(super) fn delete() -> Description {
    Description::new(
        Method::DELETE,
        ONE,
        Tag::Clients,
        "Delete a service client and its keys",
    )
    .with([parameters::path("clientId", "ClientId")])
    .answers_nothing(204, "It is gone. Its id is never used again.")
    .refuses([FORBIDDEN, NOT_FOUND, LAST_OWNER])
}

pub(super) fn request_key() -> Description {
    let path = "/v1/clients/{clientId}/access-keys";
    Description::new(
        Method::POST,
        path,
        Tag::Clients,
        "Make an access key, or hand one in",
    )
    .about(
        "Without `publicKey` the server makes a key pair, and this answer is the only place \
             where the private half is. A client has at most five keys.",
    )
    .with([parameters::path("clientId", "ClientId")])
    .may_take("AccessKeyRequest")
    .answers(201, "The key.", "AccessKey")
    .refuses([
        FORBIDDEN,
        INSUFFICIENT_GRANT_ACCESS,
        NOT_FOUND,
        TOO_MANY_ACCESS_KEYS,
    ])
}

pub(super) fn delete_key() -> Description {
    let path = "/v1/clients/{clientId}/access-keys/{keyId}";
    Description::new(Method::DELETE, path, Tag::Clients, "Delete an access key")
        .about("What it signed is not accepted any more.")
        .with([
            parameters::path("clientId", "ClientId"),
            parameters::path("keyId", "KeyId"),
        ])
        .answers_nothing(204, "It is gone.")
        .refuses([FORBIDDEN, NOT_FOUND, LAST_OWNER])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("ClientOptions", options()),
        ("ClientRateLimit", rate_limit()),
        ("VerificationKey", verification_key()),
        ("Client", client()),
        ("ClientRequest", request()),
        (
            "ClientCollection",
            page("A page of service clients.", "clients", "Client").into(),
        ),
        (
            "AccessKeyRequest",
            object().property("publicKey", or_null(public_key())).into(),
        ),
        ("AccessKey", access_key()),
    ]
}

fn public_key() -> RefOr<Schema> {
    text(1, limits::PUBLIC_KEY_LENGTH)
        .description(Some("An Ed25519 public key: base64 of SPKI DER."))
        .into()
}

fn options() -> RefOr<Schema> {
    object()
        .description(Some(
            "What a client may do besides what access records give it.",
        ))
        .property(
            "grantUserPermissionsAccess",
            boolean().description(Some("May ask for the permissions of any user.")),
        )
        .property(
            "grantTokenGeneration",
            boolean().description(Some("May make tokens in the name of users.")),
        )
        .into()
}

fn rate_limit() -> RefOr<Schema> {
    let quota = integer()
        .schema_type(SchemaType::from_iter([Type::Integer, Type::Null]))
        .minimum(Some(1))
        .maximum(Some(u32::MAX))
        .description(Some("Requests in that time; `null` for no limit."));
    object()
        .description(Some(
            "How many requests a client may make in a time; `PT0S` for no limit.",
        ))
        .property(
            "duration",
            string().enum_values(Some(["PT0S", "PT5M", "PT1H", "P1D", "P1M"])),
        )
        .property("quota", quota)
        .required("duration")
        .into()
}

fn verification_key() -> RefOr<Schema> {
    object()
        .description(Some("An access key without its secret."))
        .property("keyId", of("KeyId"))
        .property("clientId", of("ClientId"))
        .property("publicKey", public_key())
        .property("generationDate", of("Timestamp"))
        .required("keyId")
        .required("clientId")
        .required("generationDate")
        .into()
}

fn client() -> RefOr<Schema> {
    let rate_limits = ArrayBuilder::new()
        .items(of("ClientRateLimit"))
        .max_items(Some(1));
    object()
        .property("clientId", of("ClientId"))
        .property("createdTime", of("Timestamp"))
        .property("name", name())
        .property("options", of("ClientOptions"))
        .property("rateLimits", rate_limits)
        .property(
            "verificationKeys",
            list("VerificationKey").max_items(Some(limits::CLIENT_KEYS)),
        )
        .property("tags", of("Tags"))
        .required("clientId")
        .required("createdTime")
        .required("options")
        .required("verificationKeys")
        .into()
}

fn request() -> RefOr<Schema> {
    object()
        .property("name", or_null(name()))
        .property("options", or_null(of("ClientOptions")))
        .property("rateLimits", optional_list(1, "ClientRateLimit"))
        .property("tags", of("TagsRequest"))
        .into()
}

fn access_key() -> RefOr<Schema> {
    object()
        .property("keyId", of("KeyId"))
        .property("clientId", of("ClientId"))
        .property("generationDate", of("Timestamp"))
        .property("publicKey", public_key())
        .property(
            "accessKey",
            string().description(Some(
                "The key to configure a client library with. A secret, told once; absent if the \
                 public half was handed in.",
            )),
        )
        .property(
            "clientSecret",
            string().description(Some("The same under its older name.")),
        )
        .required("keyId")
        .required("clientId")
        .required("generationDate")
        .into()
}
