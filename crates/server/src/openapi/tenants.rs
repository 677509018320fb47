//! The operations on tenants and their bodies.

use guestlist_api::limits;
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema};

use super::codes::{FORBIDDEN, NOT_FOUND, TENANT_ALREADY_EXISTS};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{
    Named, duration, list, object, of, optional_list, or_null, page, string, text,
};

const ALL: &str = "/v1/tenants";
const ONE: &str = "/v1/tenants/{tenantId}";

pub(super) fn create() -> Description {
    Description::new(Method::POST, ALL, Tag::Tenants, "Make a tenant")
        .takes("TenantRequest")
        .answers(201, "The tenant.", "Tenant")
        .refuses([FORBIDDEN, TENANT_ALREADY_EXISTS])
}

pub(super) fn get_all() -> Description {
    Description::new(Method::GET, ALL, Tag::Tenants, "List tenants")
        .about("Those that the caller may read. A page may be shorter than asked for.")
        .with(parameters::list(limits::LARGE_PAGE))
        .with([parameters::filter()])
        .answers(200, "A page.", "TenantCollection")
}

pub(super) fn get() -> Description {
    Description::new(Method::GET, ONE, Tag::Tenants, "Read a tenant")
        .with([parameters::path("tenantId", "TenantId")])
        .answers(200, "The tenant.", "Tenant")
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn update() -> Description {
    Description::new(
        Method::PUT,
        ONE,
        Tag::Tenants,
        "Replace what is said of a tenant",
    )
    .about("Its users stay.")
    .with([parameters::path("tenantId", "TenantId")])
    .takes("TenantRequest")
    .answers(200, "The tenant.", "Tenant")
    .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn delete() -> Description {
    Description::new(Method::DELETE, ONE, Tag::Tenants, "Delete a tenant")
        .about(
            "The connection that no other tenant has is deleted with it. Its users belong to none \
             from then on.",
        )
        .with([parameters::path("tenantId", "TenantId")])
        .answers_nothing(204, "It is gone.")
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn link_user() -> Description {
    let path = "/v1/tenants/{tenantId}/users";
    Description::new(
        Method::PATCH,
        path,
        Tag::Tenants,
        "Put a user into a tenant",
    )
    .about(
        "A user belongs to one tenant: they leave the one they were in, which the caller must \
             be able to change too.",
    )
    .with([parameters::path("tenantId", "TenantId")])
    .takes("TenantUser")
    .answers_nothing(204, "The user belongs to the tenant.")
    .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("TenantData", data()),
        ("TenantDomain", domain()),
        ("TenantConnection", connection()),
        ("AuthenticationTokenConfiguration", token_configuration()),
        ("Tenant", tenant()),
        ("TenantRequest", request()),
        (
            "TenantCollection",
            page("A page of tenants.", "tenants", "Tenant").into(),
        ),
        (
            "TenantUser",
            object()
                .property("userId", of("UserId"))
                .required("userId")
                .into(),
        ),
    ]
}

fn data() -> RefOr<Schema> {
    object()
        .property("name", or_null(text(1, limits::SHORT_NAME_LENGTH)))
        .into()
}

fn domain() -> RefOr<Schema> {
    let domain = string()
        .description(Some("The domain of e-mail addresses."))
        .min_length(Some(1))
        .max_length(Some(limits::DOMAIN_LENGTH))
        .pattern(Some("^[a-z0-9.-]+$"));
    object()
        .property("domain", domain)
        .required("domain")
        .into()
}

fn connection() -> RefOr<Schema> {
    object()
        .description(Some(
            "How its users sign in. The connection need not be there yet.",
        ))
        .property("connectionId", or_null(of("ConnectionId")))
        .into()
}

fn token_configuration() -> RefOr<Schema> {
    object()
        .property(
            "accessTokenDuration",
            or_null(duration(
                "How long a token of its users lives: a minute to 24 hours.",
            )),
        )
        .property(
            "sessionDuration",
            or_null(duration("How long a session lives: a minute to 90 days.")),
        )
        .into()
}

fn members(tenant: ObjectBuilder) -> ObjectBuilder {
    tenant
        .property("data", or_null(of("TenantData")))
        .property("connection", or_null(of("TenantConnection")))
        .property(
            "tokenConfiguration",
            or_null(of("AuthenticationTokenConfiguration")),
        )
}

fn tenant() -> RefOr<Schema> {
    members(object())
        .property("tenantId", of("TenantId"))
        .property("tenantLookupIdentifier", of("TenantLookupIdentifier"))
        .property("domains", list("TenantDomain"))
        .property("createdTime", of("Timestamp"))
        .required("tenantId")
        .required("createdTime")
        .into()
}

fn request() -> RefOr<Schema> {
    members(object())
        .description(Some(
            "The server makes an id if it is left out. In an update `tenantId` may be left out.",
        ))
        .property("tenantId", or_null(of("TenantId")))
        .property(
            "tenantLookupIdentifier",
            or_null(of("TenantLookupIdentifier")),
        )
        .property(
            "domains",
            optional_list(limits::TENANT_DOMAINS, "TenantDomain"),
        )
        .into()
}
