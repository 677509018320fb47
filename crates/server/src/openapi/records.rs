//! The operations on access records and their bodies.

use guestlist_api::limits;
use http::Method;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use super::codes::{
    FORBIDDEN, INSUFFICIENT_GRANT_ACCESS, LAST_OWNER, NOT_FOUND, PRECONDITION_FAILED,
    RECORD_ALREADY_EXISTS,
};
use super::description::{Description, Tag};
use super::parameters;
use super::shapes::{
    Named, description, list, list_of, name, object, of, optional_list, or_null, page, string,
};

const ALL: &str = "/v1/records";
const ONE: &str = "/v1/records/{recordId}";

pub(super) fn create() -> Description {
    Description::new(Method::POST, ALL, Tag::Records, "Make an access record")
        .about(
            "The caller must be able to give everything the record gives. The id of a deleted \
             record can be used again.",
        )
        .takes("AccessRecordRequest")
        .answers(201, "The record, which is in force.", "AccessRecord")
        .refuses([FORBIDDEN, INSUFFICIENT_GRANT_ACCESS, RECORD_ALREADY_EXISTS])
}

pub(super) fn get_all() -> Description {
    let status = string()
        .enum_values(Some(["ACTIVE", "DELETED"]))
        .default(Some(json!("ACTIVE")));
    Description::new(Method::GET, ALL, Tag::Records, "List access records")
        .about("Those that the caller may read. A page may be shorter than asked for.")
        .with(parameters::list(limits::PAGE))
        .with([
            parameters::filter(),
            parameters::query("status", "Those in force or those deleted.", status),
        ])
        .answers(200, "A page.", "AccessRecordCollection")
}

pub(super) fn get() -> Description {
    Description::new(Method::GET, ONE, Tag::Records, "Read an access record")
        .about("Deleted ones can be read too.")
        .with([parameters::path("recordId", "RecordId")])
        .answers(200, "The record.", "AccessRecord")
        .refuses([FORBIDDEN, NOT_FOUND])
}

pub(super) fn update() -> Description {
    Description::new(Method::PUT, ONE, Tag::Records, "Replace an access record")
        .about("What the record newly gives, the caller must be able to give.")
        .with([
            parameters::path("recordId", "RecordId"),
            parameters::if_unmodified_since(),
        ])
        .takes("AccessRecordRequest")
        .answers_nothing(202, "It is in force.")
        .refuses([FORBIDDEN, INSUFFICIENT_GRANT_ACCESS, NOT_FOUND])
        .refuses([LAST_OWNER, PRECONDITION_FAILED])
}

pub(super) fn delete() -> Description {
    Description::new(
        Method::DELETE,
        ONE,
        Tag::Records,
        "Take an access record out of force",
    )
    .with([parameters::path("recordId", "RecordId")])
    .answers_nothing(204, "It grants nothing any more and can still be read.")
    .refuses([FORBIDDEN, NOT_FOUND, LAST_OWNER])
}

/// A member of a list that is an object around an id.
fn around(what: &str, member: &str, component: &str) -> RefOr<Schema> {
    object()
        .description(Some(what))
        .property(member, of(component))
        .required(member)
        .into()
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        (
            "User",
            around("A user named in a record or group.", "userId", "UserId"),
        ),
        (
            "LinkedGroup",
            around("A group named in a record.", "groupId", "GroupId"),
        ),
        (
            "Resource",
            around("A resource.", "resourceUri", "ResourceUri"),
        ),
        ("Statement", statement(false)),
        ("StatementRequest", statement(true)),
        ("AccessRecord", record()),
        ("AccessRecordRequest", request()),
        (
            "AccessRecordCollection",
            page("A page of access records.", "records", "AccessRecord").into(),
        ),
    ]
}

fn statement(sent: bool) -> RefOr<Schema> {
    let people = |most, item| {
        if sent {
            optional_list(most, item)
        } else {
            list_of(0, most, item)
        }
    };
    object()
        .description(Some(
            "Roles on resources, and for whom unless the record says for whom.",
        ))
        .property("roles", list_of(1, limits::STATEMENT_ROLES, "RoleId"))
        .property(
            "resources",
            list_of(1, limits::STATEMENT_RESOURCES, "Resource"),
        )
        .property("users", people(limits::STATEMENT_USERS, "User"))
        .property("groups", people(limits::STATEMENT_GROUPS, "LinkedGroup"))
        .property(
            "expiryTime",
            if sent {
                or_null(of("Timestamp"))
            } else {
                of("Timestamp")
            },
        )
        .required("roles")
        .required("resources")
        .into()
}

fn record() -> RefOr<Schema> {
    let capacity = ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(0))
        .maximum(Some(1))
        .description(Some("How full the record is: 1 is 100 KB."));
    object()
        .property("recordId", of("RecordId"))
        .property("name", name())
        .property("description", description())
        .property("capacity", capacity)
        .property("lastUpdated", of("Timestamp"))
        .property("status", string().enum_values(Some(["ACTIVE", "DELETED"])))
        .property("account", of("AccountReference"))
        .property("users", list("User"))
        .property("admins", list("User"))
        .property("groups", list("LinkedGroup"))
        .property("statements", list_of(1, limits::STATEMENTS, "Statement"))
        .property("tags", of("Tags"))
        .property("links", of("Links"))
        .required("recordId")
        .required("name")
        .required("capacity")
        .required("lastUpdated")
        .required("status")
        .required("account")
        .required("users")
        .required("admins")
        .required("groups")
        .required("statements")
        .required("links")
        .into()
}

fn request() -> RefOr<Schema> {
    object()
        .description(Some(
            "Users and groups stand at the record or at its statements, not at both. In an update \
             `recordId` may be left out.",
        ))
        .property("recordId", or_null(of("RecordId")))
        .property("name", name())
        .property("description", or_null(description()))
        .property("users", optional_list(limits::RECORD_USERS, "User"))
        .property("admins", optional_list(limits::ADMINS, "User"))
        .property(
            "groups",
            optional_list(limits::RECORD_GROUPS, "LinkedGroup"),
        )
        .property(
            "statements",
            list_of(1, limits::STATEMENTS, "StatementRequest"),
        )
        .property("tags", of("TagsRequest"))
        .required("name")
        .required("statements")
        .examples([json!({
            "name": "Editors of doc_1",
            "users": [{ "userId": "google-oauth2|1095" }],
            "statements": [{
                "roles": ["ro_editor"],
                "resources": [{ "resourceUri": "/documents/doc_1" }],
            }],
        })])
        .into()
}
