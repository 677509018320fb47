//! The operations on groups and their bodies.

use guestlist_api::limits;
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::codes::{
    FORBIDDEN, GROUP_ALREADY_EXISTS, INSUFFICIENT_GRANT_ACCESS, LAST_OWNER, NOT_FOUND,
    PRECONDITION_FAILED,
};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, list, name, object, of, optional_list, or_null, page, string};

const ALL: &str = "/v1/groups";
const ONE: &str = "/v1/groups/{groupId}";

pub(super) fn create() -> Description {
    Description::new(Method::POST, ALL, Tag::Groups, "Make a group")
        .takes("GroupRequest")
        .answers(201, "The group.", "Group")
        .refuses([FORBIDDEN, INSUFFICIENT_GRANT_ACCESS, GROUP_ALREADY_EXISTS])
}

pub(super) fn get_all() -> Description {
    Description::new(Method::GET, ALL, Tag::Groups, "List groups")
        .about("Those that the caller may read. A page may be shorter than asked for.")
        .with(parameters::list(limits::PAGE))
        .with([parameters::filter()])
        .answers(200, "A page.", "GroupCollection")
}

pub(super) fn get() -> Description {
    Description::new(Method::GET, ONE, Tag::Groups, "Read a group")
        .with([parameters::path("groupId", "GroupId")])
        .answers(200, "The group.", "Group")
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn update() -> Description {
    Description::new(Method::PUT, ONE, Tag::Groups, "Replace a group")
        .about(
            "Who is added gains what access records give the group, so the caller must be able to \
             give that.",
        )
        .with([
            parameters::path("groupId", "GroupId"),
            parameters::if_unmodified_since(),
        ])
        .takes("GroupRequest")
        .answers(200, "The group.", "Group")
        .refuses([FORBIDDEN, INSUFFICIENT_GRANT_ACCESS, NOT_FOUND])
        .refuses([LAST_OWNER, PRECONDITION_FAILED])
}

pub(super) fn delete() -> Description {
    Description::new(Method::DELETE, ONE, Tag::Groups, "Delete a group")
        .about("Its members lose what access records give it.")
        .with([parameters::path("groupId", "GroupId")])
        .answers_nothing(204, "It is gone.")
        .refuses([FORBIDDEN, NOT_FOUND, LAST_OWNER])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("Group", group()),
        ("GroupRequest", request()),
        (
            "GroupCollection",
            page("A page of groups.", "groups", "Group").into(),
        ),
    ]
}

fn group() -> RefOr<Schema> {
    object()
        .property("groupId", of("GroupId"))
        .property("name", name())
        .property("users", list("User"))
        .property("admins", list("User"))
        .property("lastUpdated", of("Timestamp"))
        .property("tags", of("Tags"))
        .property("links", of("Links"))
        .required("groupId")
        .required("name")
        .required("users")
        .required("admins")
        .required("lastUpdated")
        .required("links")
        .into()
}

/// The id of a group to be made; records may name groups that are not there under any id.
fn chosen_id() -> RefOr<Schema> {
    string()
        .min_length(Some(5))
        .max_length(Some(limits::ID_LENGTH))
        .pattern(Some("^grp_[A-Za-z0-9_-]+$"))
        .into()
}

fn request() -> RefOr<Schema> {
    object()
        .description(Some(
            "The id of a new group begins with `grp_`; the server makes one if it is left out. In \
             an update `groupId` may be left out.",
        ))
        .property("groupId", or_null(chosen_id()))
        .property("name", name())
        .property("users", optional_list(limits::GROUP_USERS, "User"))
        .property("admins", optional_list(limits::ADMINS, "User"))
        .property("tags", of("TagsRequest"))
        .required("name")
        .into()
}
