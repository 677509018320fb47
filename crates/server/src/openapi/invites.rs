//! The operations on invites and their bodies.

use guestlist_api::limits;
use http::Method;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Type};

use super::codes::{
    FORBIDDEN, IDEMPOTENCY_KEY_REUSED, INSUFFICIENT_GRANT_ACCESS, INVALID_INVITE_ACCEPTOR,
    INVITE_NO_LONGER_VALID, INVITE_NOT_FOR_YOU, INVITE_RENEWED, LAST_OWNER, OF_AN_UNUSABLE_INVITE,
};
use super::description::{Description, Tag};
use super::invite_lists::closed;
use super::parameters;
use super::shapes::{
    Named, boolean, duration, list_of, object, of, optional_list, or_null, string, text,
};

const ONE: &str = "/v1/invites/{inviteId}";

pub(super) fn create() -> Description {
    Description::new(Method::POST, "/v1/invites", Tag::Invites, "Make an invite")
        .about(
            "The caller must be able to give everything the invite holds. Whoever is told its id \
             may accept it, once.",
        )
        .with([
            parameters::idempotency_key(),
            parameters::access_duration(),
            parameters::approval(),
        ])
        .takes("InviteRequest")
        .answers(201, "The invite, with the id to pass on.", "Invite")
        .refuses([
            FORBIDDEN,
            INSUFFICIENT_GRANT_ACCESS,
            INVITE_RENEWED,
            IDEMPOTENCY_KEY_REUSED,
        ])
}

pub(super) fn get() -> Description {
    Description::new(
        Method::GET,
        ONE,
        Tag::Invites,
        "Read an invite that can still be accepted",
    )
    .about("For whoever made it and for readers of all invites.")
    .with([parameters::path("inviteId", "InviteId")])
    .answers(200, "The invite.", "Invite")
    .refuses([FORBIDDEN])
    .refuses(OF_AN_UNUSABLE_INVITE.iter().copied())
}

pub(super) fn respond() -> Description {
    let answer = AnyOfBuilder::new()
        .item(of("Account"))
        .item(ObjectBuilder::new().schema_type(Type::Null));
    Description::new(Method::PATCH, ONE, Tag::Invites, "Accept an invite")
        .about(
            "The caller, who is the invited person, receives what the invite holds. Repeating it \
             changes nothing. Whoever made the invite must still be able to give what it holds.",
        )
        .with([parameters::path("inviteId", "InviteId")])
        .may_take("InviteResponse")
        .answers_with(
            200,
            "The account the caller now has access to; `null` for a client library that can read \
             nothing else.",
            answer,
        )
        .answers_with(
            202,
            "It must be approved, and nothing is given yet: the access request that asks for it, \
             which is also answered when the request is repeated until somebody answers it. `null` \
             for a client library that can read nothing else.",
            AnyOfBuilder::new()
                .item(of("AccessRequest"))
                .item(ObjectBuilder::new().schema_type(Type::Null)),
        )
        .refuses([
            FORBIDDEN,
            INVITE_NOT_FOR_YOU,
            INVITE_NO_LONGER_VALID,
            INVALID_INVITE_ACCEPTOR,
            LAST_OWNER,
        ])
        .refuses(OF_AN_UNUSABLE_INVITE.iter().copied())
}

pub(super) fn delete() -> Description {
    Description::new(Method::DELETE, ONE, Tag::Invites, "Withdraw an invite")
        .about("What was accepted stays: access is taken away by changing the access record.")
        .with([parameters::path("inviteId", "InviteId")])
        .answers_nothing(204, "It cannot be accepted any more.")
        .refuses([FORBIDDEN])
        .refuses(OF_AN_UNUSABLE_INVITE.iter().copied())
}

pub(super) fn schemas() -> Vec<Named> {
    vec![
        ("ConflictResolutionStrategy", strategy()),
        ("InviteStatement", statement(false)),
        ("InviteStatementRequest", statement(true)),
        ("InviteGrant", grant()),
        ("InviteApproval", approval()),
        ("Invite", invite()),
        ("InviteRequest", request()),
        (
            "InviteResponse",
            object()
                .description(Some("Nothing needs to be said to accept."))
                .property(
                    "response",
                    or_null(string().enum_values(Some(["ACCEPT", "DECLINE"]))),
                )
                .property("reason", or_null(text(1, limits::INVITE_REASON_LENGTH)))
                .into(),
        ),
    ]
}

fn strategy() -> RefOr<Schema> {
    string()
        .description(Some(
            "What to do when what the invite holds cannot be added to the person's record without \
             anybody else gaining something: make another record, add it all the same, put it in \
             the place of what the record held, or change nothing.",
        ))
        .enum_values(Some([
            "GENERATE_NEW_RECORD",
            "UNSAFE_FORCE_MERGE",
            "REPLACE_RECORD_DATA",
            "SKIP_CHANGES",
        ]))
        .into()
}

fn statement(sent: bool) -> RefOr<Schema> {
    let base = object()
        .description(Some("Roles on resources for the person who accepts."))
        .property("roles", list_of(1, limits::STATEMENT_ROLES, "RoleId"))
        .property(
            "resources",
            list_of(1, limits::STATEMENT_RESOURCES, "Resource"),
        )
        .required("roles")
        .required("resources");
    if !sent {
        return base.into();
    }
    base.property("users", optional_list(0, "User"))
        .property("groups", optional_list(0, "LinkedGroup"))
        .into()
}

fn grant() -> RefOr<Schema> {
    object()
        .description(Some(
            "How what an invite holds is given. With `accessDuration`, from 5 minutes to 10 years as \
             in P30D (ISO 8601), access ends so long after the invite was accepted.",
        ))
        .property("accessDuration", or_null(duration("5 minutes to 10 years.")))
        .additional_properties(Some(closed()))
        .into()
}

fn approval() -> RefOr<Schema> {
    object()
        .description(Some(
            "With `required`, accepting gives nothing yet: it opens an access request, and whoever \
             approves that gives what the invite holds. Not for an invite that can be used several \
             times. `requestId` is the one that waits, and is not read in requests.",
        ))
        .property("required", or_null(boolean()))
        .property("requestId", or_null(of("RequestId")))
        .additional_properties(Some(closed()))
        .into()
}

fn invite() -> RefOr<Schema> {
    object()
        .property("inviteId", of("InviteId"))
        .property(
            "statements",
            list_of(0, limits::STATEMENTS, "InviteStatement"),
        )
        .property(
            "conflictResolutionStrategy",
            of("ConflictResolutionStrategy"),
        )
        .property("expiryTime", of("Timestamp"))
        .property("linkedUserId", of("LinkedUserId"))
        .property("defaultLoginTenantId", of("TenantId"))
        .property("tenantId", of("TenantId"))
        .property("reference", of("InviteReference"))
        .property("invitee", of("Invitee"))
        .property("restrictions", of("InviteRestrictions"))
        .property("grant", of("InviteGrant"))
        .property("approval", of("InviteApproval"))
        .property("tags", of("Tags"))
        .property("links", of("Links"))
        .required("inviteId")
        .required("statements")
        .required("conflictResolutionStrategy")
        .required("expiryTime")
        .required("links")
        .into()
}

fn request() -> RefOr<Schema> {
    object()
        .description(Some(
            "`expiryTime` is 5 minutes to 30 days from now and 7 days unless given; choosing \
             another time needs a permission of its own, and so does an invite without statements. \
             `tenantId` is the older name of `defaultLoginTenantId`.",
        ))
        .property(
            "statements",
            optional_list(limits::STATEMENTS, "InviteStatementRequest"),
        )
        .property(
            "conflictResolutionStrategy",
            or_null(of("ConflictResolutionStrategy")),
        )
        .property("expiryTime", or_null(of("Timestamp")))
        .property("linkedUserId", or_null(of("LinkedUserId")))
        .property("defaultLoginTenantId", or_null(of("TenantId")))
        .property("tenantId", or_null(of("TenantId")))
        .property("invitee", or_null(of("Invitee")))
        .property("restrictions", or_null(of("InviteRestrictions")))
        .property("grant", or_null(of("InviteGrant")))
        .property("approval", or_null(of("InviteApproval")))
        .property("tags", or_null(of("TagsRequest")))
        .examples([json!({
            "statements": [{
                "roles": ["ro_editor"],
                "resources": [{ "resourceUri": "/documents/doc_1" }],
            }],
        })])
        .into()
}
