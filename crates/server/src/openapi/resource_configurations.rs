//! The operations on resource configurations and their bodies.

use guestlist_api::limits;
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema};

use super::codes::{FORBIDDEN, INSUFFICIENT_GRANT_ACCESS, NOT_FOUND};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, boolean, list, object, of, or_null, page, string};

const ALL: &str = "/v1/resources";
const ONE: &str = "/v1/resources/{resourceUri}";

pub(super) fn get_all() -> Description {
    Description::new(
        Method::GET,
        ALL,
        Tag::Resources,
        "List the configured resources",
    )
    .about("Those whose configuration the caller may read. A page may be shorter than asked for.")
    .with(parameters::list(limits::LARGE_PAGE))
    .with([parameters::filter()])
    .answers(200, "A page.", "PermissionedResourceCollection")
}

pub(super) fn get() -> Description {
    Description::new(
        Method::GET,
        ONE,
        Tag::Resources,
        "Read what everybody may do with a resource",
    )
    .about("Only what is configured on exactly this resource.")
    .with([parameters::path("resourceUri", "ResourceUri")])
    .answers(200, "The configuration.", "PermissionedResource")
    .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn update() -> Description {
    Description::new(
        Method::PUT,
        ONE,
        Tag::Resources,
        "Say what everybody may do with a resource",
    )
    .about(
        "Replaces what was said before. What is newly allowed the caller must be able to give: the \
         built-in owner role for `CLAIM`, the built-in reader role for `PUBLIC`.",
    )
    .with([parameters::path("resourceUri", "ResourceUri")])
    .takes("PermissionedResourceRequest")
    .answers_nothing(200, "It is in force.")
    .refuses([FORBIDDEN, INSUFFICIENT_GRANT_ACCESS])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("ResourcePermission", permission()),
        ("PermissionedResource", configuration()),
        ("PermissionedResourceRequest", request()),
        (
            "PermissionedResourceCollection",
            page(
                "A page of configured resources.",
                "resources",
                "PermissionedResource",
            )
            .into(),
        ),
    ]
}

fn permission() -> RefOr<Schema> {
    let action = string()
        .description(Some(
            "`CLAIM`: everybody may claim what lies directly below and is nobody's. `PUBLIC`: \
             everybody may read the resource and what is below it.",
        ))
        .enum_values(Some(["CLAIM", "PUBLIC"]));
    object()
        .property("action", action)
        .property("allow", boolean())
        .required("action")
        .required("allow")
        .into()
}

fn configuration() -> RefOr<Schema> {
    object()
        .property("resourceUri", of("ResourceUri"))
        .property("permissions", list("ResourcePermission"))
        .required("resourceUri")
        .required("permissions")
        .into()
}

fn request() -> RefOr<Schema> {
    let permissions = ArrayBuilder::new()
        .items(of("ResourcePermission"))
        .min_items(Some(1))
        .max_items(Some(limits::RESOURCE_PERMISSIONS));
    let request: ObjectBuilder = object()
        .description(Some(
            "Each action is said at most once. `resourceUri` may be left out. A resource with \
             wildcards cannot be configured, nor one of the service's own (`Authress:…`).",
        ))
        .property("resourceUri", or_null(of("ResourceUri")))
        .property("permissions", permissions)
        .required("permissions");
    request.into()
}
