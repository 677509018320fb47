//! The operations on access requests and their bodies.

use guestlist_api::limits;
use http::Method;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::codes::{
    ANSWERED_OTHERWISE, FORBIDDEN, INSUFFICIENT_GRANT_ACCESS, INVITE_NO_LONGER_VALID, LAST_OWNER,
    NOT_ASKABLE, NOT_FOUND, NOTHING_TO_APPROVE, SECOND_PERSON_REQUIRED, TOO_MANY_OPEN_REQUESTS,
};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{Named, list, list_of, object, of, page, string};

const ALL: &str = "/v1/requests";
const ONE: &str = "/v1/requests/{requestId}";

pub(super) fn create() -> Description {
    Description::new(Method::POST, ALL, Tag::Requests, "Ask for access")
        .about(
            "Gives nothing. Everybody may ask for themself; for others, whoever could give it to \
             them.",
        )
        .takes("NewAccessRequest")
        .answers(201, "The request, open.", "AccessRequest")
        .refuses([NOT_ASKABLE, TOO_MANY_OPEN_REQUESTS])
}

pub(super) fn get_all() -> Description {
    let status = "Only requests of this status; otherwise all but deleted ones.";
    Description::new(Method::GET, ALL, Tag::Requests, "List access requests")
        .about("Those that the caller may read. A page may be shorter than asked for.")
        .with(parameters::list(limits::PAGE))
        .with([parameters::query("status", status, status_words())])
        .answers(200, "A page.", "AccessRequestCollection")
}

pub(super) fn get() -> Description {
    Description::new(Method::GET, ONE, Tag::Requests, "Read an access request")
        .with([parameters::path("requestId", "RequestId")])
        .answers(200, "The request.", "AccessRequest")
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn respond() -> Description {
    Description::new(Method::PATCH, ONE, Tag::Requests, "Approve or deny")
        .about(
            "Approving gives what is asked for, in an access record of its own, under the \
             authority of whoever approves. The first answer stands; the same one again changes \
             nothing. Of what somebody accepted by an invite (`inviteReference`): gives it as \
             accepting gives it, if whoever made the invite still may too; denying ends the invite.",
        )
        .with([parameters::path("requestId", "RequestId")])
        .takes("AccessRequestResponse")
        .answers(200, "The request.", "AccessRequest")
        .refuses([FORBIDDEN, INSUFFICIENT_GRANT_ACCESS, NOT_FOUND])
        .refuses([ANSWERED_OTHERWISE, NOT_ASKABLE])
        .refuses([SECOND_PERSON_REQUIRED, NOTHING_TO_APPROVE])
        .refuses([INVITE_NO_LONGER_VALID, LAST_OWNER])
}

pub(super) fn delete() -> Description {
    Description::new(
        Method::DELETE,
        ONE,
        Tag::Requests,
        "Take back an access request",
    )
    .about("What was approved stays given: access is taken away by changing the record.")
    .with([parameters::path("requestId", "RequestId")])
    .answers_nothing(204, "It cannot be approved any more.")
    .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("AccessRequest", request()),
        ("AccessTemplate", access(false)),
        ("NewAccessRequest", new_request()),
        ("WantedAccess", access(true)),
        (
            "AccessRequestResponse",
            object()
                .property("status", string().enum_values(Some(["APPROVED", "DENIED"])))
                .required("status")
                .into(),
        ),
        (
            "AccessRequestCollection",
            page("A page of access requests.", "records", "AccessRequest").into(),
        ),
    ]
}

fn status_words() -> RefOr<Schema> {
    string()
        .enum_values(Some(["OPEN", "APPROVED", "DENIED", "DELETED"]))
        .into()
}

fn request() -> RefOr<Schema> {
    object()
        .property("requestId", of("RequestId"))
        .property("status", status_words())
        .property("lastUpdated", of("Timestamp"))
        .property("access", of("AccessTemplate"))
        .property("tags", of("Tags"))
        .property("inviteReference", of("InviteReference"))
        .property("links", of("Links"))
        .required("requestId")
        .required("status")
        .required("lastUpdated")
        .required("access")
        .required("links")
        .into()
}

fn access(sent: bool) -> RefOr<Schema> {
    let (users, statements) = if sent {
        (
            list_of(1, limits::ACCESS_REQUEST_USERS, "User"),
            list_of(1, limits::STATEMENTS, "StatementRequest"),
        )
    } else {
        (list("User"), list("Statement"))
    };
    object()
        .description(Some(
            "Roles on resources, all of it for the same users. The statements name no users and \
             groups of their own.",
        ))
        .property("users", users)
        .property("statements", statements)
        .required("users")
        .required("statements")
        .into()
}

fn new_request() -> RefOr<Schema> {
    object()
        .property("access", of("WantedAccess"))
        .property("tags", of("TagsRequest"))
        .required("access")
        .examples([json!({
            "access": {
                "users": [{ "userId": "google-oauth2|1095" }],
                "statements": [{
                    "roles": ["ro_editor"],
                    "resources": [{ "resourceUri": "/documents/doc_1" }],
                }],
            },
        })])
        .into()
}
