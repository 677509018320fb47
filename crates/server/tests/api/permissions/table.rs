//! Who may do what: every operation, what it needs, and what each kind of caller is answered.
//!
//! This one table is tried cell by cell, and writes the columns on permissions of docs/API.md.

/// Something a caller holds: a permission of a role, on a resource.
#[derive(Clone, Copy)]
pub(super) struct Holds {
    pub(super) action: &'static str,
    /// Places in braces are filled as those of the path are.
    pub(super) on: &'static str,
    /// Whether it is the right to give the permission to others, rather than the permission.
    pub(super) to_give: bool,
}

const fn may(action: &'static str, on: &'static str) -> Holds {
    Holds {
        action,
        on,
        to_give: false,
    }
}

const fn gives(action: &'static str, on: &'static str) -> Holds {
    Holds {
        action,
        on,
        to_give: true,
    }
}

/// An operation.
pub(super) struct Row {
    pub(super) operation: &'static str,
    pub(super) request: &'static str,
    /// What docs/API.md says; `{exact}` stands for the permission. Empty for the server's own
    /// operations, which its tables do not have.
    pub(super) needs: &'static str,
    /// The permission that is exactly enough, and one whose action and resource are above it.
    pub(super) holds: Option<[Holds; 2]>,
    pub(super) body: &'static str,
    pub(super) expected: Expected,
}

/// The statuses that the callers are answered with.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    pub(super) nobody: u16,
    /// Signed in, with nothing in the account.
    pub(super) stranger: u16,
    /// With a permission on something else of the service.
    pub(super) neighbour: u16,
    /// With the exact permission, and with one above it; nothing where there is no such permission.
    pub(super) holders: Option<[u16; 2]>,
    pub(super) owner: u16,
}

/// For what is named by the path: strangers must not learn whether it is there.
const fn named(done: u16) -> Expected {
    Expected {
        nobody: 401,
        stranger: 404,
        neighbour: 403,
        holders: Some([done, done]),
        owner: done,
    }
}

/// For what names nothing that could be missing.
const fn plainly(done: u16) -> Expected {
    Expected {
        stranger: 403,
        ..named(done)
    }
}

/// For what everybody who is known may do.
const fn anybody(done: u16) -> Expected {
    Expected {
        nobody: 401,
        stranger: done,
        neighbour: done,
        holders: None,
        owner: done,
    }
}

const PUBLIC: Expected = Expected {
    nobody: 200,
    ..anybody(200)
};

/// An operation that needs a permission.
const fn row(
    operation: &'static str,
    request: &'static str,
    needs: &'static str,
    holds: [Holds; 2],
    body: &'static str,
    expected: Expected,
) -> Row {
    Row {
        operation,
        request,
        needs,
        holds: Some(holds),
        body,
        expected,
    }
}

/// An operation that no permission is needed for.
const fn free(
    operation: &'static str,
    request: &'static str,
    needs: &'static str,
    expected: Expected,
) -> Row {
    Row {
        operation,
        request,
        needs,
        holds: None,
        body: "",
        expected,
    }
}

const GIVES: [Holds; 2] = [gives("x:read", "things/1"), gives("x", "things")];
const ASKS: &str =
    "to be that user; or {exact}; or to be a client with `grantUserPermissionsAccess`";
const SHOWN: &str = "nothing; shows what you may read";
const ADMINISTERED: &str = "{exact}, or to be its administrator";

const RECORD: &str = r#"{"recordId": "rec_new", "name": "n", "users": [{"userId": "u"}],
    "statements": [{"roles": ["ro_x"], "resources": [{"resourceUri": "things/1"}]}]}"#;
const SAME_RECORD: &str = r#"{"recordId": "rec_x", "name": "n", "users": [{"userId": "holder"}],
    "statements": [{"roles": ["ro_x"], "resources": [{"resourceUri": "things/1"}]}]}"#;
const INVITE: &str =
    r#"{"statements": [{"roles": ["ro_x"], "resources": [{"resourceUri": "things/1"}]}]}"#;
const GROUP: &str = r#"{"groupId": "grp_new", "name": "n", "users": [], "admins": []}"#;
const SAME_GROUP: &str = r#"{"name": "n", "users": [], "admins": []}"#;
const ROLE: &str = r#"{"roleId": "ro_new", "name": "n", "permissions": []}"#;
const SAME_ROLE: &str = r#"{"name": "n", "permissions": []}"#;
const NAME: &str = r#"{"name": "n"}"#;
const IDENTITY: &str = r#"{"issuer": "http://127.0.0.1:9999", "preferredAudience": "x"}"#;

const READ_USER: [Holds; 2] = [
    may("READ", "Authress:UserPermissions/{userId}"),
    may("UserPermissions", "Authress:UserPermissions"),
];
const READ_CONFIGURATION: [Holds; 2] = [
    may("READ", "Authress:Configuration"),
    may("Configuration", "Authress:Configuration"),
];

pub(super) const TABLE: &[&[Row]] = &[
    INVITES, RECORDS, GROUPS, ROLES, CLIENTS, USERS, ACCOUNT, SERVER,
];

const INVITES: &[Row] = &[
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

const RECORDS: &[Row] = &[
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

const GROUPS: &[Row] = &[
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

const ROLES: &[Row] = &[
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

const CLIENTS: &[Row] = &[
    row(
        "createClient",
        "POST /v1/clients",
        "{exact}; for its options, see [the ceiling](#the-grant-ceiling)",
        [
            may("CREATE", "Authress:ServiceClients"),
            may("ServiceClients", "Authress:ServiceClients"),
        ],
        NAME,
        plainly(201),
    ),
    free("getClients", "GET /v1/clients", SHOWN, anybody(200)),
    row(
        "getClient",
        "GET /v1/clients/{clientId}",
        "{exact}",
        [
            may("READ", "Authress:ServiceClients/{clientId}"),
            may("ServiceClients", "Authress:ServiceClients"),
        ],
        "",
        named(200),
    ),
    row(
        "updateClient",
        "PUT /v1/clients/{clientId}",
        "{exact}; for options that are added, the ceiling",
        [
            may("UPDATE", "Authress:ServiceClients/{clientId}"),
            may("ServiceClients", "Authress:ServiceClients"),
        ],
        NAME,
        named(200),
    ),
    row(
        "deleteClient",
        "DELETE /v1/clients/{clientId}",
        "{exact}",
        [
            may("UPDATE", "Authress:ServiceClients/{clientId}"),
            may("ServiceClients", "Authress:ServiceClients"),
        ],
        "",
        named(204),
    ),
    row(
        "requestAccessKey",
        "POST /v1/clients/{clientId}/access-keys",
        "{exact}, the ceiling for all that records give the client, and `UPDATE` on every record and group the client administers",
        [
            may("UPDATE", "Authress:ServiceClients/{clientId}/access-keys"),
            may("ServiceClients", "Authress:ServiceClients/{clientId}"),
        ],
        "",
        named(201),
    ),
    row(
        "deleteAccessKey",
        "DELETE /v1/clients/{clientId}/access-keys/{keyId}",
        "{exact}",
        [
            may(
                "UPDATE",
                "Authress:ServiceClients/{clientId}/access-keys/{keyId}",
            ),
            may("ServiceClients", "Authress:ServiceClients/{clientId}"),
        ],
        "",
        named(204),
    ),
];

/// Nothing here tells whether a user is known, so it is 403 for strangers too.
const USERS: &[Row] = &[
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
];

const ACCOUNT: &[Row] = &[
    row(
        "getEvents",
        "GET /v1/events",
        "{exact}",
        [
            may("READ", "Authress:Events"),
            may("Events", "Authress:Events"),
        ],
        "",
        plainly(200),
    ),
    free(
        "getAccounts",
        "GET /v1/accounts",
        "any valid caller",
        anybody(200),
    ),
    row(
        "getAccount",
        "GET /v1/accounts/{accountId}",
        "{exact}",
        READ_CONFIGURATION,
        "",
        named(200),
    ),
    row(
        "getAccountIdentities",
        "GET /v1/identities",
        "{exact}",
        READ_CONFIGURATION,
        "",
        plainly(200),
    ),
    row(
        "delegateAuthentication",
        "POST /v1/identities",
        "{exact}, and to be able to give `Authress:Owner` on `*`: whoever says which tokens are believed can become anybody",
        [
            may("UPDATE", "Authress:Configuration"),
            may("Configuration", "Authress:Configuration"),
        ],
        IDENTITY,
        // The permission alone is not enough.
        Expected {
            holders: Some([403, 403]),
            ..plainly(201)
        },
    ),
    free(
        "getOpenIdConfiguration",
        "GET /.well-known/openid-configuration",
        "nothing",
        PUBLIC,
    ),
    free(
        "getUserTokenKeys",
        "GET /.well-known/openid-configuration/jwks",
        "nothing",
        PUBLIC,
    ),
    free(
        "getClientTokenKeys",
        "GET /v1/clients/{clientId}/.well-known/openid-configuration/jwks",
        "nothing",
        PUBLIC,
    ),
];

const SERVER: &[Row] = &[
    Row {
        body: r#"{"userId": "u"}"#,
        ..free("createDevelopmentToken", "POST /v1/dev/tokens", "", PUBLIC)
    },
    free("getHealth", "GET /healthz", "", PUBLIC),
    free("getReadiness", "GET /readyz", "", PUBLIC),
    free("getMetrics", "GET /metrics", "", PUBLIC),
    free("getOpenApi", "GET /openapi.json", "", PUBLIC),
    free("getDocumentation", "GET /docs", "", PUBLIC),
];
