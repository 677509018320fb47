//! The operations that say what users hold, and their bodies.

use guestlist_api::limits;
use http::Method;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::schema::Schema;

use super::codes::{FORBIDDEN, NOT_FOUND};
use super::description::{Description, Tag, extension};
use super::parameters;
use super::shapes::{Named, boolean, list, object, of, page, string};

const OF_USER: &str = "/v1/users/{userId}/resources";

fn user_and_resource() -> [Parameter; 2] {
    [
        parameters::path("userId", "UserId"),
        parameters::path("resourceUri", "ResourceUri"),
    ]
}

pub(super) fn authorize() -> Description {
    let path = "/v1/users/{userId}/resources/{resourceUri}/permissions/{permission}";
    Description::new(Method::GET, path, Tag::Permissions, "Check a permission")
        .about("200 is yes and 404 is no; 403 means that the caller may not ask.")
        .with(user_and_resource())
        .with([
            parameters::path("permission", "Action"),
            parameters::further(parameters::query(
                "explain",
                "Whether a yes says why.",
                boolean().default(Some(json!(false))),
            )),
        ])
        .answers(200, "The user may do it.", "Allowed")
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn get_permissions() -> Description {
    let path = "/v1/users/{userId}/resources/{resourceUri}/permissions";
    Description::new(
        Method::GET,
        path,
        Tag::Permissions,
        "Read a user's permissions on a resource",
    )
    .with(user_and_resource())
    .answers(200, "At least one permission.", "PermissionCollection")
    .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn get_roles() -> Description {
    let path = "/v1/users/{userId}/resources/{resourceUri}/roles";
    Description::new(
        Method::GET,
        path,
        Tag::Permissions,
        "Read a user's roles on a resource",
    )
    .about("Only those given on exactly this resource.")
    .with(user_and_resource())
    .answers(200, "At least one role.", "UserRoleCollection")
    .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn get_resources() -> Description {
    let nested = string()
        .enum_values(Some(["TOP_LEVEL_ONLY", "INCLUDE_NESTED"]))
        .default(Some(json!("TOP_LEVEL_ONLY")));
    Description::new(
        Method::GET,
        OF_USER,
        Tag::Permissions,
        "List a user's resources",
    )
    .with([
        parameters::path("userId", "UserId"),
        parameters::query(
            "resourceUri",
            "Only resources below this.",
            of("ResourceUri"),
        ),
        parameters::query(
            "permissions",
            "Only where the user may do this.",
            of("Action"),
        ),
        parameters::query(
            "collectionConfiguration",
            "Only what lies directly below `resourceUri`, or everything below it.",
            nested,
        ),
    ])
    .with(parameters::list(limits::PAGE))
    .answers(200, "A page.", "UserResourcesCollection")
    .refuses([FORBIDDEN])
}

pub(super) fn get_users() -> Description {
    let path = "/v1/resources/{resourceUri}/users";
    Description::new(
        Method::GET,
        path,
        Tag::Permissions,
        "List a resource's users",
    )
    .about(
        "Those with access given on exactly this resource; with `permission`, everybody who may do \
         that on it, whatever gives it to them, in the order of their ids.",
    )
    .with([
        parameters::path("resourceUri", "ResourceUri"),
        parameters::further(parameters::query(
            "permission",
            "Everybody who may do this. Their `roles` are then those that allow it.",
            of("Action"),
        )),
    ])
    .with(parameters::list(limits::PAGE))
    .answers(200, "A page.", "ResourceUsersCollection")
    .refuses([FORBIDDEN])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        (
            "Allowed",
            object()
                .description(Some("Yes: the status says it all."))
                .property("because", of("Explanation"))
                .into(),
        ),
        ("Explanation", explanation()),
        ("UserPermission", permission()),
        ("PermissionCollection", permissions()),
        (
            "UserRole",
            object()
                .property("roleId", of("RoleId"))
                .property("expiryTime", of("Timestamp"))
                .required("roleId")
                .into(),
        ),
        ("UserRoleCollection", roles()),
        (
            "UserResourcesCollection",
            page(
                "A page of the resources a user has access to.",
                "resources",
                "Resource",
            )
            .property("account", of("AccountReference"))
            .property("userId", of("UserId"))
            .required("account")
            .required("userId")
            .into(),
        ),
        (
            "ResourceUsersCollection",
            page(
                "A page of the users of a resource.",
                "users",
                "UserRoleCollection",
            )
            .into(),
        ),
    ]
}

fn explanation() -> RefOr<Schema> {
    object()
        .description(Some(
            "Why, if `explain` was sent. Of several reasons it is one that names the user rather \
             than a group; of these one on the resource nearest to the root; and of these the least \
             by the texts of resource, record, group, role and action. An id that the caller may not \
             read is absent. `public` is there and true if nobody was given it and the resource is \
             configured as `PUBLIC`.",
        ))
        .property("recordId", of("RecordId"))
        .property("roleId", of("RoleId"))
        .property("public", boolean())
        .property("resourceUri", of("ResourceUri"))
        .property("action", of("Action"))
        .property("groupId", of("GroupId"))
        .property("inviteReference", of("InviteReference"))
        .property("acceptedTime", of("Timestamp"))
        .property("expiryTime", of("Timestamp"))
        .required("resourceUri")
        .required("action")
        .extensions(Some(extension()))
        .into()
}

fn permission() -> RefOr<Schema> {
    object()
        .description(Some(
            "What a user may do with one action. `expiryTime` is there if a part of it ends: until \
             then all of it holds.",
        ))
        .property("action", of("Action"))
        .property("allow", boolean())
        .property("grant", boolean())
        .property("delegate", boolean())
        .property("expiryTime", of("Timestamp"))
        .required("action")
        .required("allow")
        .required("grant")
        .required("delegate")
        .into()
}

fn permissions() -> RefOr<Schema> {
    object()
        .property("account", of("AccountReference"))
        .property("userId", of("UserId"))
        .property("permissions", list("UserPermission"))
        .required("account")
        .required("userId")
        .required("permissions")
        .into()
}

fn roles() -> RefOr<Schema> {
    object()
        .property("userId", of("UserId"))
        .property("roles", list("UserRole"))
        .required("userId")
        .required("roles")
        .into()
}
