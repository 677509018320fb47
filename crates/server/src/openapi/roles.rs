//! The operations on roles and their bodies.

use guestlist_api::limits;
use http::Method;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::codes::{BUILT_IN_ROLE, FORBIDDEN, NOT_FOUND, ROLE_ALREADY_EXISTS};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, boolean, description, list, list_of, name, object, of, or_null, page};

const ALL: &str = "/v1/roles";
const ONE: &str = "/v1/roles/{roleId}";

pub(super) fn create() -> Description {
    Description::new(Method::POST, ALL, Tag::Roles, "Make a role")
        .takes("RoleRequest")
        .answers(
            200,
            "The role, for a client library that takes only this status.",
            "Role",
        )
        .answers(201, "The role.", "Role")
        .refuses([FORBIDDEN, ROLE_ALREADY_EXISTS])
}

pub(super) fn get_all() -> Description {
    Description::new(Method::GET, ALL, Tag::Roles, "List roles")
        .about("The built-in ones stand first.")
        .with(parameters::list(limits::LARGE_PAGE))
        .with([parameters::filter()])
        .answers(200, "A page.", "RoleCollection")
        .refuses([FORBIDDEN])
}

pub(super) fn get() -> Description {
    Description::new(Method::GET, ONE, Tag::Roles, "Read a role")
        .with([parameters::path("roleId", "RoleId")])
        .answers(200, "The role.", "Role")
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn update() -> Description {
    Description::new(Method::PUT, ONE, Tag::Roles, "Replace a role")
        .about("Its holders gain and lose at once what it gains and loses.")
        .with([parameters::path("roleId", "RoleId")])
        .takes("RoleRequest")
        .answers(200, "The role.", "Role")
        .refuses([FORBIDDEN, BUILT_IN_ROLE, NOT_FOUND])
}

pub(super) fn delete() -> Description {
    Description::new(Method::DELETE, ONE, Tag::Roles, "Delete a role")
        .about("Access records that name it stay and give nothing through it.")
        .with([parameters::path("roleId", "RoleId")])
        .answers_nothing(204, "It is gone.")
        .refuses([FORBIDDEN, BUILT_IN_ROLE, NOT_FOUND])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("Permission", permission()),
        ("Role", role()),
        ("RoleRequest", request()),
        (
            "RoleCollection",
            page("A page of roles.", "roles", "Role").into(),
        ),
    ]
}

fn permission() -> RefOr<Schema> {
    object()
        .description(Some("What a role says about one action."))
        .property("action", of("Action"))
        .property("allow", boolean().description(Some("May do it.")))
        .property(
            "grant",
            boolean().description(Some("May give others the right to do it.")),
        )
        .property(
            "delegate",
            boolean().description(Some(
                "May give others the right to do it and to pass that right on.",
            )),
        )
        .required("action")
        .required("allow")
        .required("grant")
        .required("delegate")
        .into()
}

fn role() -> RefOr<Schema> {
    object()
        .property("roleId", of("RoleId"))
        .property("name", name())
        .property("description", description())
        .property("permissions", list("Permission"))
        .required("roleId")
        .required("name")
        .required("permissions")
        .into()
}

fn request() -> RefOr<Schema> {
    object()
        .description(Some(
            "Ids that begin with `Authress:` belong to the built-in roles. In an update `roleId` \
             may be left out.",
        ))
        .property("roleId", or_null(of("RoleId")))
        .property("name", name())
        .property("description", or_null(description()))
        .property(
            "permissions",
            list_of(0, limits::ROLE_PERMISSIONS, "Permission"),
        )
        .required("name")
        .required("permissions")
        .examples([json!({
            "roleId": "ro_editor",
            "name": "Editor",
            "permissions": [
                { "action": "documents:*", "allow": true, "grant": false, "delegate": false },
            ],
        })])
        .into()
}
