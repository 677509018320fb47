//! The operations on users and their bodies.

use guestlist_api::limits;
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, Schema};

use super::codes::{FORBIDDEN, LAST_OWNER, NOT_FOUND, UNFINISHED};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, object, of, page, string};

const ALL: &str = "/v1/users";
const ONE: &str = "/v1/users/{userId}";

pub(super) fn get_all() -> Description {
    let tenant = "Only users of this tenant.";
    Description::new(Method::GET, ALL, Tag::Users, "List the known users")
        .about(
            "A user is known while an access record in force or a group names them, as a member \
             or as an administrator. A page may be shorter than asked for.",
        )
        .with(parameters::list(limits::LARGE_PAGE))
        .with([
            parameters::filter(),
            parameters::query("tenantId", tenant, of("TenantId")),
        ])
        .answers(200, "A page.", "UserIdentityCollection")
        .refuses([FORBIDDEN])
}

pub(super) fn get() -> Description {
    Description::new(Method::GET, ONE, Tag::Users, "Read a user")
        .about("Every user may read themself, known or not.")
        .with([parameters::path("userId", "UserId")])
        .answers(200, "The user.", "UserIdentity")
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn delete() -> Description {
    Description::new(Method::DELETE, ONE, Tag::Users, "Delete a user")
        .about(
            "Records and groups do not name the user any more, and the invites that the user made \
             and nobody has used are void. It is done when it is answered. If so much names the \
             user that it does not fit into one request, or the server ends in the middle, send it \
             again.",
        )
        .with([parameters::path("userId", "UserId")])
        .answers_nothing(202, "Nothing names the user any more.")
        .refuses([FORBIDDEN, NOT_FOUND, LAST_OWNER, UNFINISHED])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("UserIdentity", user()),
        (
            "UserIdentityCollection",
            page("A page of users.", "users", "UserIdentity").into(),
        ),
    ]
}

fn user() -> RefOr<Schema> {
    let connection = object()
        .property("connectionId", string())
        .property("userId", string())
        .required("connectionId")
        .required("userId");
    let linked = object()
        .property("connection", connection)
        .required("connection");
    object()
        .description(Some(
            "A user. The server keeps nothing of what tokens say of a person, so it tells no more \
             than the id.",
        ))
        .property("userId", of("UserId"))
        .property("name", string())
        .property("picture", string())
        .property("email", string())
        .property("linkedIdentities", ArrayBuilder::new().items(linked))
        .required("userId")
        .required("linkedIdentities")
        .into()
}
