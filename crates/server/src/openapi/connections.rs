//! The operations on connections and their bodies.

use guestlist_api::limits;
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};

use super::codes::{CONNECTION_ALREADY_EXISTS, FORBIDDEN, NOT_FOUND};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, boolean, duration, object, of, or_null, page, string, text};

const ALL: &str = "/v1/connections";
const ONE: &str = "/v1/connections/{connectionId}";

pub(super) fn create() -> Description {
    Description::new(Method::POST, ALL, Tag::Connections, "Make a connection")
        .about("Its `clientSecret` is encrypted and never answered.")
        .takes("ConnectionRequest")
        .answers(201, "The connection.", "Connection")
        .refuses([FORBIDDEN, CONNECTION_ALREADY_EXISTS])
}

pub(super) fn get_all() -> Description {
    Description::new(Method::GET, ALL, Tag::Connections, "List connections")
        .about("Those that the caller may read. A page may be shorter than asked for.")
        .with(parameters::list(limits::LARGE_PAGE))
        .with([parameters::filter()])
        .answers(200, "A page.", "ConnectionCollection")
}

pub(super) fn get() -> Description {
    Description::new(Method::GET, ONE, Tag::Connections, "Read a connection")
        .with([parameters::path("connectionId", "ConnectionId")])
        .answers(200, "The connection.", "Connection")
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn update() -> Description {
    Description::new(
        Method::PUT,
        ONE,
        Tag::Connections,
        "Replace what is said of a connection",
    )
    .about(
        "Without `clientSecret` the kept one stays; it must be sent again when the provider \
         changes: `authenticationUrl`, `tokenUrl`, `issuerUrl` or `clientId`. With another `type` \
         and no `clientSecret` there is none any more.",
    )
    .with([parameters::path("connectionId", "ConnectionId")])
    .takes("ConnectionRequest")
    .answers(200, "The connection.", "Connection")
    .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn delete() -> Description {
    Description::new(Method::DELETE, ONE, Tag::Connections, "Delete a connection")
        .about("Tenants that name it stay.")
        .with([parameters::path("connectionId", "ConnectionId")])
        .answers_nothing(204, "It and its secret are gone.")
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("ConnectionUserDataConfiguration", user_data()),
        ("ConnectionData", data()),
        ("ConnectionProperties", properties()),
        ("ConnectionConditions", conditions()),
        (
            "ConnectionTenantConfiguration",
            choice("assignmentType", &["DEFAULT", "TRUSTED_DOMAIN_FALLBACK"]),
        ),
        (
            "ConnectionLinkingConfiguration",
            choice("type", &["EXPLICIT", "AUTOMATIC"]),
        ),
        ("Connection", connection()),
        ("ConnectionRequest", request()),
        (
            "ConnectionCollection",
            page("A page of connections.", "connections", "Connection").into(),
        ),
    ]
}

fn user_data() -> RefOr<Schema> {
    let location = string()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some(
            "The country, as three letters, in which what is known of users must stay.",
        ));
    object().property("location", location).into()
}

fn choice(member: &str, words: &[&str]) -> RefOr<Schema> {
    let word = string().enum_values(Some(words.iter().copied()));
    object().property(member, or_null(word)).into()
}

fn url(most: usize) -> ObjectBuilder {
    string()
        .min_length(Some(1))
        .max_length(Some(most))
        .pattern(Some(r"^https?://[!-.0-~][!-~]*$"))
}

fn data() -> RefOr<Schema> {
    object()
        .property(
            "developerAccountId",
            or_null(text(1, limits::SECRET_ID_LENGTH)),
        )
        .property("name", or_null(text(1, limits::SHORT_NAME_LENGTH)))
        .property(
            "supportedContentType",
            or_null(string().enum_values(Some([
                "application/json",
                "application/x-www-form-urlencoded",
            ]))),
        )
        .property(
            "oidcUserEndpointUrl",
            or_null(url(limits::CONNECTION_TEXT_LENGTH)),
        )
        .property(
            "userIdExpression",
            or_null(text(1, limits::USER_ID_EXPRESSION_LENGTH)),
        )
        .property("trustIdentityUserId", or_null(boolean()))
        .into()
}

fn properties() -> RefOr<Schema> {
    let value = text(0, limits::CONNECTION_PROPERTY_LENGTH)
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    let name = text(1, limits::CONNECTION_TEXT_LENGTH);
    object()
        .description(Some(
            "What is sent along to the provider: `scope`, and whatever else it knows.",
        ))
        .property_names(Some(Schema::Object(name.build())))
        .additional_properties(Some(AdditionalProperties::RefOr(value.into())))
        .max_properties(Some(limits::CONNECTION_PROPERTIES))
        .into()
}

fn conditions() -> RefOr<Schema> {
    object()
        .property("requireBusinessAccount", or_null(boolean()))
        .property(
            "authenticationLeewayDuration",
            or_null(duration("How old a sign-in may be: a minute to an hour.")),
        )
        .into()
}

/// The members of a connection in a request and in an answer.
fn members() -> ObjectBuilder {
    let kind = string()
        .enum_values(Some([
            "OAUTH2",
            "SAML2",
            "WebAuthN",
            "PASSWORD",
            "OPENID-LEGACY",
        ]))
        .description(Some("`OAUTH2` unless given."));
    let certificate = string()
        .min_length(Some(1))
        .max_length(Some(limits::CERTIFICATE_LENGTH))
        .pattern(Some(
            r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$",
        ));
    let short = || text(1, limits::CONNECTION_TEXT_LENGTH);
    object()
        .property("type", or_null(kind))
        .property(
            "authenticationUrl",
            or_null(url(limits::AUTHENTICATION_URL_LENGTH)),
        )
        .property("tokenUrl", or_null(url(limits::CONNECTION_TEXT_LENGTH)))
        .property("issuerUrl", or_null(short()))
        .property("providerCertificate", or_null(certificate))
        .property(
            "clientId",
            or_null(short().description(Some("As which this server is known to the provider."))),
        )
        .property("clientSecretId", or_null(text(1, limits::SECRET_ID_LENGTH)))
        .property(
            "userDataConfiguration",
            or_null(of("ConnectionUserDataConfiguration")),
        )
        .property("data", or_null(of("ConnectionData")))
        .property(
            "defaultConnectionProperties",
            or_null(of("ConnectionProperties")),
        )
        .property("conditions", or_null(of("ConnectionConditions")))
        .property(
            "tenantConfiguration",
            or_null(of("ConnectionTenantConfiguration")),
        )
        .property(
            "linkingConfiguration",
            or_null(of("ConnectionLinkingConfiguration")),
        )
}

fn connection() -> RefOr<Schema> {
    let kept = boolean().description(Some("Whether a client secret is kept. An extension."));
    members()
        .description(Some("A connection, without its secret."))
        .property("connectionId", of("ConnectionId"))
        .property("hasClientSecret", kept)
        .property("createdTime", of("Timestamp"))
        .property("lastUpdated", of("Timestamp"))
        .property("tags", of("Tags"))
        .required("connectionId")
        .required("hasClientSecret")
        .required("createdTime")
        .required("lastUpdated")
        .into()
}

fn request() -> RefOr<Schema> {
    let secret = string()
        .min_length(Some(1))
        .max_length(Some(limits::CLIENT_SECRET_LENGTH))
        .description(Some("Encrypted where it is kept, and never answered."));
    members()
        .description(Some(
            "The server makes an id if it is left out. In an update `connectionId` may be left out.",
        ))
        .property("connectionId", or_null(of("ConnectionId")))
        .property("clientSecret", or_null(secret))
        .property("tags", of("TagsRequest"))
        .into()
}
