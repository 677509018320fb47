//! The bodies of users and what else concerns who has access.

use guestlist_api::access_requests::{
    AccessRequest, AccessRequestCollection, AccessRequestStatus, AccessTemplate,
};
use guestlist_api::claims::{ClaimRequest, ClaimResponse};
use guestlist_api::ids::UserId;
use guestlist_api::resource_configurations::{
    ConfiguredAction, PermissionedResource, PermissionedResourceCollection,
    PermissionedResourceRequest, ResourcePermission,
};
use guestlist_api::users::{
    LinkedConnection, LinkedIdentity, UserIdentity, UserIdentityCollection,
};
use serde_json::Value;

use super::{Reads, id, links, page, reads, statement, value};

fn user_identity() -> UserIdentity {
    let text = |text: &str| Some(text.to_owned());
    UserIdentity {
        user_id: id("user 1"),
        name: text("User"),
        picture: text("https://guestlist.example/user.png"),
        email: text("user@guestlist.example"),
        linked_identities: vec![LinkedIdentity {
            connection: LinkedConnection {
                connection_id: "con_1".to_owned(),
                user_id: "1".to_owned(),
            },
        }],
    }
}

fn access_request() -> AccessRequest {
    AccessRequest {
        request_id: id("req_1"),
        status: AccessRequestStatus::Open.into(),
        last_updated: Some(id("2026-01-02T03:04:05.678Z")),
        access: AccessTemplate {
            users: vec![id::<UserId>("user 1").into()],
            statements: vec![statement()],
        },
        tags: serde_json::from_value(serde_json::json!({"name": "value"})).unwrap(),
        invite_reference: Some(id("0123456789AB")),
        links: links(),
    }
}

/// Every answer with all of its members.
pub(super) fn answers() -> Vec<(&'static str, Value)> {
    let (pagination, links) = page();
    let users = UserIdentityCollection {
        users: vec![user_identity()],
        pagination,
        links,
    };
    let (pagination, links) = page();
    let requests = AccessRequestCollection {
        records: vec![access_request()],
        pagination,
        links,
    };
    vec![
        ("AccessRequest", value(access_request())),
        ("AccessRequestCollection", value(requests)),
        ("UserIdentity", value(user_identity())),
        ("UserIdentityCollection", value(users)),
        ("ClaimResponse", value(ClaimResponse::default())),
        ("ResourcePermission", value(public())),
        ("PermissionedResource", value(configuration())),
        ("PermissionedResourceCollection", value(configured())),
    ]
}

fn public() -> ResourcePermission {
    ResourcePermission {
        action: ConfiguredAction::Public,
        allow: true,
    }
}

fn configuration() -> PermissionedResource {
    PermissionedResource {
        resource_uri: Some(id("documents/1")),
        permissions: vec![public()],
    }
}

fn configured() -> PermissionedResourceCollection {
    let (pagination, links) = page();
    PermissionedResourceCollection {
        resources: vec![configuration()],
        pagination,
        links,
    }
}

/// Every body that is sent, with all of its members.
pub(super) fn requests() -> Vec<(&'static str, Value, Reads)> {
    vec![
        (
            "ClaimRequest",
            value(ClaimRequest::new(id("documents"), id("1"))),
            reads::<ClaimRequest>,
        ),
        (
            "PermissionedResourceRequest",
            value(configuration().to_request().unwrap()),
            reads::<PermissionedResourceRequest>,
        ),
    ]
}

/// Answers without any member that may be absent.
pub(super) fn bare_answers() -> Vec<(&'static str, Value)> {
    vec![("UserIdentity", value(UserIdentity::new(id("user 1"))))]
}
