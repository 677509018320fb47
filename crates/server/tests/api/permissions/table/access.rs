//! Who may give, see and take access: invites, records, groups, roles, and what users hold.

use super::{
    Expected, Holds, PUBLIC, Row, SHOWN, anybody, free, gives, may, named, passes_on, plainly, row,
};

const GIVES: [Holds; 2] = [gives("x:read", "things/1"), gives("x", "things")];
const ASKS: &str =
    "to be that user; or {exact}; or to be a client with `grantUserPermissionsAccess`";
const ADMINISTERED: &str = "{exact}, or to be its administrator";
const RECORD: &str = r#"{"recordId": "rec_new", "name": "n", "users": [{"userId": "u"}],
    "statements": [{"roles": ["ro_x"], "resources": [{"resourceUri": "things/1"}]}]}"#;
const SAME_RECORD: &str = r#"{"recordId": "rec_x", "name": "n", "users": [{"userId": "holder"}],
    "statements": [{"roles": ["ro_x"], "resources": [{"resourceUri": "things/1"}]}]}"#;
const INVITE: &str =
    r#"{"statements": [{"roles": ["ro_x"], "resources": [{"resourceUri": "things/1"}]}]}"#;
const BATCH: &str = r#"{"invites": [{"statements": [{"roles": ["ro_x"], "resources": [{"resourceUri": "things/1"}]}]}]}"#;
const GROUP: &str = r#"{"groupId": "grp_new", "name": "n", "users": [], "admins": []}"#;
const SAME_GROUP: &str = r#"{"name": "n", "users": [], "admins": []}"#;
const ROLE: &str = r#"{"roleId": "ro_new", "name": "n", "permissions": []}"#;
const SAME_ROLE: &str = r#"{"name": "n", "permissions": []}"#;
const READ_USER: [Holds; 2] = [
    may("READ", "Authress:UserPermissions/{userId}"),
    may("UserPermissions", "Authress:UserPermissions"),
];

pub(super) const INVITES: &[Row] = &[
    row(
        "createInvite",
        "POST /v1/invites",
        "the [grant ceiling](#the-grant-ceiling) for what it gives. `Invites:Create` on `Authress:Invites` to choose an `expiryTime` other than the default, or to make one without statements",
        GIVES,
        INVITE,
        plainly(201),
    ),
    row(
        "getInvite",
        "GET /v1/invites/{inviteId}",
        "to have made it, or {exact}",
        [
            may("Invites:Read", "Authress:Invites/{reference}"),
            may("Invites", "Authress:Invites"),
        ],
        "",
        named(200),
    ),
    free(
        "respondToInvite",
        "PATCH /v1/invites/{inviteId}",
        "to be a person (not a service client) who knows the whole id",
        // The owner is a service client.
        Expected {
            owner: 403,
            ..anybody(200)
        },
    ),
    row(
        "deleteInvite",
        "DELETE /v1/invites/{inviteId}",
        "to have made it, or {exact}",
        [
            may("Invites:Delete", "Authress:Invites/{reference}"),
            may("Invites", "Authress:Invites"),
        ],
        "",
        named(204),
    ),
];

/// Those that the published API does not have.
pub(super) const MORE_INVITES: &[Row] = &[
    Row {
        body: BATCH,
        ..free(
            "createInvites",
            "POST /v1/invites/batch",
            "nothing; makes what you may make one by one",
            anybody(200),
        )
    },
    free("getInvites", "GET /v1/invites", SHOWN, anybody(200)),
    Row {
        body: INVITE,
        ..free(
            "updateInvite",
            "PUT /v1/invites/{inviteId}",
            "to have made it, or `Invites:Update` on `Authress:Invites/{reference}`; and the ceiling for all it holds then",
            by_reference(200),
        )
    },
    free(
        "renewInvite",
        "POST /v1/invites/{inviteId}/renewals",
        "to have made it, or `Invites:Update` on `Authress:Invites/{reference}`; and the ceiling for all it holds",
        by_reference(201),
    ),
    row(
        "getInviteEvents",
        "GET /v1/invites/{inviteId}/events",
        "to have made it, to be the one it is for, or {exact}",
        [
            may("Invites:Read", "Authress:Invites/{reference}"),
            may("Invites", "Authress:Invites"),
        ],
        "",
        Expected {
            neighbour: 404,
            ..named(200)
        },
    ),
    free(
        "getInviteEffect",
        "POST /v1/invites/{inviteId}/effect",
        "to know the whole id, or to be able to read it by its reference; for another user, `READ` on `Authress:UserPermissions/{userId}` and to be able to read the invite",
        anybody(200),
    ),
    row(
        "getInviteAcceptances",
        "GET /v1/invites/{inviteId}/acceptances",
        "to have made it, or {exact}",
        [
            may("Invites:Read", "Authress:Invites/{reference}"),
            may("Invites", "Authress:Invites"),
        ],
        "",
        Expected {
            neighbour: 404,
            ..named(200)
        },
    ),
    row(
        "undoInvite",
        "DELETE /v1/invites/{inviteId}/grants",
        "to have made it and still be able to give what it holds; or {exact}, and the right to change each record from which something is taken",
        [
            may("Invites:Delete", "Authress:Invites/{reference}"),
            may("Invites", "Authress:Invites"),
        ],
        "",
        Expected {
            neighbour: 404,
            ..named(200)
        },
    ),
    Row {
        body: r#"{"resourceUri": "things/1"}"#,
        ..free(
            "revokeInvites",
            "POST /v1/invites/revocations",
            "nothing; withdraws what you may withdraw one by one",
            anybody(200),
        )
    },
    row(
        "getUserInvites",
        "GET /v1/users/{userId}/invites",
        "to be that user, or {exact}",
        [
            may("Invites:Read", "Authress:Invites"),
            may("Invites", "Authress:Invites"),
        ],
        "",
        named(200),
    ),
    free(
        "getInviteStatistics",
        "GET /v1/invites/statistics",
        SHOWN,
        anybody(200),
    ),
    row(
        "getInviteSettings",
        "GET /v1/settings/invites",
        "{exact}",
        [
            may("READ", "Authress:Configuration"),
            may("Configuration", "Authress:Configuration"),
        ],
        "",
        plainly(200),
    ),
    row(
        "setInviteSettings",
        "PUT /v1/settings/invites",
        "{exact}",
        [
            may("UPDATE", "Authress:Configuration"),
            may("Configuration", "Authress:Configuration"),
        ],
        r#"{"lostAuthority": "REVOKE"}"#,
        plainly(200),
    ),
    Row {
        body: HOLDER,
        ..free(
            "previewInvite",
            "POST /v1/invites/previews",
            "to know the whole id; no token",
            PUBLIC,
        )
    },
    Row {
        body: HOLDER,
        ..free(
            "declineInvite",
            "POST /v1/invites/declines",
            "to know the whole id; no token",
            PUBLIC_CHANGE,
        )
    },
    Row {
        body: HOLDER,
        ..free(
            "reportInviteLeak",
            "POST /v1/invites/report-leak",
            "to know the whole id; no token",
            PUBLIC_CHANGE,
        )
    },
];

const HOLDER: &str = r#"{"inviteId": "{inviteId}"}"#;
const PUBLIC_CHANGE: Expected = Expected {
    nobody: 204,
    ..anybody(204)
};

/// Nothing tells whether there is such an invite.
const fn by_reference(done: u16) -> Expected {
    Expected {
        nobody: 401,
        stranger: 404,
        neighbour: 404,
        holders: None,
        owner: done,
    }
}

pub(super) const RECORDS: &[Row] = &[
    row(
        "createRecord",
        "POST /v1/records",
        "the ceiling for all it gives",
        GIVES,
        RECORD,
        plainly(201),
    ),
    free("getRecords", "GET /v1/records", SHOWN, anybody(200)),
    row(
        "getRecord",
        "GET /v1/records/{recordId}",
        ADMINISTERED,
        [
            may("READ", "Authress:AccessRecords/{recordId}"),
            may("AccessRecords", "Authress:AccessRecords"),
        ],
        "",
        named(200),
    ),
    row(
        "updateRecord",
        "PUT /v1/records/{recordId}",
        "{exact}, or to be its administrator; and the ceiling for what is *added*",
        [
            may("UPDATE", "Authress:AccessRecords/{recordId}"),
            may("AccessRecords", "Authress:AccessRecords"),
        ],
        SAME_RECORD,
        named(202),
    ),
    row(
        "deleteRecord",
        "DELETE /v1/records/{recordId}",
        ADMINISTERED,
        [
            may("UPDATE", "Authress:AccessRecords/{recordId}"),
            may("AccessRecords", "Authress:AccessRecords"),
        ],
        "",
        named(204),
    ),
];

/// Without a configuration, so that only what the caller holds decides.
const CLAIM: &str = r#"{"collectionResource": "rooms", "resourceId": "1"}"#;

pub(super) const CLAIMS: &[Row] = &[row(
    "createClaim",
    "POST /v1/claims",
    "the collection to be configured for claims; or to be able to pass on `*` on the resource",
    [passes_on("*", "rooms"), passes_on("*", "*")],
    CLAIM,
    plainly(201),
)];

/// What takes away: to allow something also needs the right to give it.
const CONFIGURATION: &str = r#"{"permissions": [{"action": "CLAIM", "allow": false}]}"#;

pub(super) const RESOURCES: &[Row] = &[
    free(
        "getPermissionedResources",
        "GET /v1/resources",
        SHOWN,
        anybody(200),
    ),
    row(
        "getPermissionedResource",
        "GET /v1/resources/{resourceUri}",
        "{exact}; or to be able to give `*` on the resource or on `Authress:ResourcePermissions/{resourceUri}`",
        [
            may("READ", "Authress:ResourcePermissions/{resourceUri}"),
            may("ResourcePermissions", "Authress:ResourcePermissions"),
        ],
        "",
        named(200),
    ),
    row(
        "updatePermissionedResource",
        "PUT /v1/resources/{resourceUri}",
        "to be able to give `*` on the resource or on `Authress:ResourcePermissions/{resourceUri}`; and the [grant ceiling](#the-grant-ceiling) for what it newly allows",
        [
            gives("*", "Authress:ResourcePermissions/{resourceUri}"),
            gives("*", "Authress:ResourcePermissions"),
        ],
        CONFIGURATION,
        plainly(200),
    ),
];

pub(super) const GROUPS: &[Row] = &[
    row(
        "createGroup",
        "POST /v1/groups",
        "{exact}; the ceiling for what records already give that group, if it has members",
        [
            may("CREATE", "Authress:Groups"),
            may("Groups", "Authress:Groups"),
        ],
        GROUP,
        plainly(201),
    ),
    free("getGroups", "GET /v1/groups", SHOWN, anybody(200)),
    row(
        "getGroup",
        "GET /v1/groups/{groupId}",
        ADMINISTERED,
        [
            may("READ", "Authress:Groups/{groupId}"),
            may("Groups", "Authress:Groups"),
        ],
        "",
        named(200),
    ),
    row(
        "updateGroup",
        "PUT /v1/groups/{groupId}",
        "{exact}, or to be its administrator; to add members, the ceiling for what records give the group",
        [
            may("UPDATE", "Authress:Groups/{groupId}"),
            may("Groups", "Authress:Groups"),
        ],
        SAME_GROUP,
        named(200),
    ),
    row(
        "deleteGroup",
        "DELETE /v1/groups/{groupId}",
        ADMINISTERED,
        [
            may("UPDATE", "Authress:Groups/{groupId}"),
            may("Groups", "Authress:Groups"),
        ],
        "",
        named(204),
    ),
];

pub(super) const ROLES: &[Row] = &[
    row(
        "createRole",
        "POST /v1/roles",
        "{exact}",
        [
            may("CREATE", "Authress:Roles"),
            may("Roles", "Authress:Roles"),
        ],
        ROLE,
        plainly(201),
    ),
    row(
        "getRoles",
        "GET /v1/roles",
        "{exact}",
        [
            may("READ", "Authress:Roles"),
            may("Roles", "Authress:Roles"),
        ],
        "",
        plainly(200),
    ),
    row(
        "getRole",
        "GET /v1/roles/{roleId}",
        "{exact}",
        [
            may("READ", "Authress:Roles/{roleId}"),
            may("Roles", "Authress:Roles"),
        ],
        "",
        named(200),
    ),
    row(
        "updateRole",
        "PUT /v1/roles/{roleId}",
        "{exact}",
        [
            may("UPDATE", "Authress:Roles/{roleId}"),
            may("Roles", "Authress:Roles"),
        ],
        SAME_ROLE,
        named(200),
    ),
    row(
        "deleteRole",
        "DELETE /v1/roles/{roleId}",
        "{exact}",
        [
            may("UPDATE", "Authress:Roles/{roleId}"),
            may("Roles", "Authress:Roles"),
        ],
        "",
        named(204),
    ),
];

/// Nothing here tells whether a user is known, so it is 403 for strangers too.
const UPDATE_USER: [Holds; 2] = [
    may("UPDATE", "Authress:Users/{userId}"),
    may("Users", "Authress:Users"),
];

/// A request for a token of a user.
pub(in super::super) const LIMITED: &str =
    r#"{"statements": [{"roles": ["ro_x"], "resources": [{"resourceUri": "things/1"}]}]}"#;

pub(super) const USERS: &[Row] = &[
    row(
        "authorizeUser",
        "GET /v1/users/{userId}/resources/{resourceUri}/permissions/{permission}",
        ASKS,
        READ_USER,
        "",
        plainly(200),
    ),
    row(
        "getUserPermissionsForResource",
        "GET /v1/users/{userId}/resources/{resourceUri}/permissions",
        ASKS,
        READ_USER,
        "",
        plainly(200),
    ),
    row(
        "getUserRolesForResource",
        "GET /v1/users/{userId}/resources/{resourceUri}/roles",
        ASKS,
        READ_USER,
        "",
        plainly(200),
    ),
    row(
        "getUserResources",
        "GET /v1/users/{userId}/resources",
        ASKS,
        READ_USER,
        "",
        plainly(200),
    ),
    row(
        "getResourceUsers",
        "GET /v1/resources/{resourceUri}/users",
        "{exact}; or to be able to give `*` on the resource or on `Authress:ResourcePermissions/{resourceUri}`",
        [
            may("READ", "Authress:UserPermissions"),
            may("UserPermissions", "Authress:UserPermissions"),
        ],
        "",
        plainly(200),
    ),
    row(
        "getUsers",
        "GET /v1/users",
        "{exact}",
        [
            may("READ", "Authress:Users"),
            may("Users", "Authress:Users"),
        ],
        "",
        plainly(200),
    ),
    row(
        "getUser",
        "GET /v1/users/{userId}",
        "to be that user, or {exact}",
        [
            may("READ", "Authress:Users/{userId}"),
            may("Users", "Authress:Users"),
        ],
        "",
        named(200),
    ),
    row(
        "deleteUser",
        "DELETE /v1/users/{userId}",
        "{exact}",
        [
            may("UPDATE", "Authress:Users/{userId}"),
            may("Users", "Authress:Users"),
        ],
        "",
        named(202),
    ),
    Row {
        body: LIMITED,
        ..free(
            "requestUserToken",
            "POST /v1/users/{userId}/tokens",
            "to be a service client with `grantTokenGeneration`; nothing else suffices, not even to own the account",
            Expected {
                nobody: 401,
                stranger: 403,
                neighbour: 403,
                holders: None,
                owner: 403,
            },
        )
    },
    row(
        "disableUserToken",
        "DELETE /v1/users/{userId}/tokens/{tokenId}",
        "to be the client that made it, or the user; or {exact}",
        UPDATE_USER,
        "",
        named(204),
    ),
    row(
        "setUserTokenConfiguration",
        "PUT /v1/users/{userId}/token-configuration",
        "{exact}",
        UPDATE_USER,
        "{}",
        named(200),
    ),
];

const REQUEST: &str = r#"{"access": {"users": [{"userId": "holder"}],
    "statements": [{"roles": ["ro_x"], "resources": [{"resourceUri": "things/1"}]}]}}"#;
const READ_REQUEST: [Holds; 2] = [
    may("AccessRequests:Read", "Authress:AccessRequests/{requestId}"),
    may("AccessRequests", "Authress:AccessRequests"),
];
const UPDATE_REQUEST: [Holds; 2] = [
    may(
        "AccessRequests:Update",
        "Authress:AccessRequests/{requestId}",
    ),
    may("AccessRequests", "Authress:AccessRequests"),
];

pub(super) const REQUESTS: &[Row] = &[
    row(
        "createRequest",
        "POST /v1/requests",
        "nothing to ask for yourself; for others, the ceiling for all it asks for",
        GIVES,
        REQUEST,
        Expected {
            stranger: 422,
            neighbour: 422,
            ..named(201)
        },
    ),
    free("getRequests", "GET /v1/requests", SHOWN, anybody(200)),
    row(
        "getRequest",
        "GET /v1/requests/{requestId}",
        "to have made it, or {exact}",
        READ_REQUEST,
        "",
        named(200),
    ),
    // To deny: to approve also needs the right to give.
    row(
        "respondToAccessRequest",
        "PATCH /v1/requests/{requestId}",
        "{exact}; to approve, also the ceiling for all it asks for",
        UPDATE_REQUEST,
        r#"{"status": "DENIED"}"#,
        named(200),
    ),
    row(
        "deleteRequest",
        "DELETE /v1/requests/{requestId}",
        "to have made it, or {exact}",
        UPDATE_REQUEST,
        "",
        named(204),
    ),
];
