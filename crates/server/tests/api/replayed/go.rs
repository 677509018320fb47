//! The requests of the Go SDK: bodies with the zero value of everything that was not set, keys in the
//! order of the alphabet, the access key as it is, and a user's token in a line before it.

use std::fmt::Write as _;

use super::{Credentials, Replayed, Sdk, Sender, ask, by_person, send};

pub(super) const SDK: Sdk = Sdk {
    name: "Go",
    write,
    requests: &[
        ROLES, GROUPS, RECORDS, INVITES, USERS, RESOURCES, REQUESTS, CLIENTS, ACCOUNT, SIGN_IN,
    ],
    lacks: &[
        "createApplication",
        "getApplications",
        "getApplication",
        "updateApplication",
        "deleteApplication",
        "linkTenantUser",
        "setUserTokenConfiguration",
        "requestUserToken",
        "disableUserToken",
        "updateAuthenticationRequest",
        // It verifies no tokens.
        "getOpenIdConfiguration",
        "getUserTokenKeys",
        "getClientTokenKeys",
        // Ours.
        "getEvents",
        "createWebhook",
        "getWebhooks",
        "getWebhook",
        "updateWebhook",
        "deleteWebhook",
        "rotateWebhookSecret",
        "getWebhookDeliveries",
        "replayWebhook",
        "testWebhook",
        "createDevelopmentToken",
        "getHealth",
        "getReadiness",
        "getMetrics",
        "getOpenApi",
        "getDocumentation",
    ],
};

fn write(replayed: &Replayed, line: &str, credentials: &Credentials) -> String {
    let mut request = format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1:18105\r\nUser-Agent: Authress SDK; Go; 0.0.0; probe\r\n"
    );
    let is_get = line.starts_with("GET ") || line.starts_with("DELETE ");
    if replayed.body.is_some() {
        request.push_str("Content-Length: {length}\r\n");
    } else if !is_get {
        request.push_str("Content-Length: 0\r\n");
    }
    if !replayed.model.is_empty() {
        request.push_str("Accept: application/links+json\r\n");
    }
    if replayed.sender == Sender::Person {
        let _ = write!(request, "Authorization: Bearer {}\r\n", credentials.person);
    }
    let _ = write!(request, "Authorization: Bearer {}\r\n", credentials.key);
    if replayed.body.is_some() {
        request.push_str("Content-Type: application/json\r\n");
    }
    request.push_str(replayed.headers);
    // The SDK keeps its connection; the end of it is how this test tells the end of the answer.
    request.push_str("Accept-Encoding: gzip\r\nConnection: close\r\n\r\n");
    if replayed.body.is_some() {
        request.push_str("{body}");
    }
    request
}

const ROLES: &[Replayed] = &[
    send(
        "createRole",
        "POST /v1/roles",
        r#"{"name":"n","permissions":[{"action":"READ:*","allow":true,"delegate":true,"grant":true}],"roleId":"ro_x"}"#,
        201,
        "Role",
    ),
    send(
        "updateRole",
        "PUT /v1/roles/ro_x",
        r#"{"name":"n","permissions":[{"action":"READ:*","allow":true,"delegate":true,"grant":true}],"roleId":"ro_x"}"#,
        200,
        "Role",
    ),
    ask("getRole", "GET /v1/roles/ro_x", 200, "Role"),
    ask("getRoles", "GET /v1/roles?limit=20", 200, "RoleCollection"),
];

const GROUPS: &[Replayed] = &[
    send(
        "createGroup",
        "POST /v1/groups",
        r#"{"admins":[],"groupId":"grp_x","name":"n","users":[{"userId":"u1"}]}"#,
        201,
        "Group",
    ),
    ask("getGroup", "GET /v1/groups/grp_x", 200, "Group"),
    ask(
        "getGroups",
        "GET /v1/groups?limit=20",
        200,
        "GroupCollection",
    ),
    Replayed {
        headers: "If-Unmodified-Since: 2026-01-02T03:04:05Z\r\n",
        ..send(
            "updateGroup",
            "PUT /v1/groups/grp_x",
            r#"{"admins":[],"groupId":"grp_x","name":"n","users":[{"userId":"u1"}]}"#,
            200,
            "Group",
        )
    },
    ask("deleteGroup", "DELETE /v1/groups/grp_x", 204, ""),
];

const NAMES_U1: &str = r#"{"name":"n","statements":[{"resources":[{"resourceUri":"/a/1"}],"roles":["Authress:Owner"]}],"users":[{"userId":"u1"}]}"#;

const RECORDS: &[Replayed] = &[
    send(
        "createRecord",
        "POST /v1/records",
        NAMES_U1,
        201,
        "AccessRecord",
    ),
    ask(
        "getRecord",
        "GET /v1/records/{recordId}",
        200,
        "AccessRecord",
    ),
    Replayed {
        headers: "If-Unmodified-Since: 2026-01-02T03:04:05Z\r\n",
        ..send(
            "updateRecord",
            "PUT /v1/records/{recordId}",
            r#"{"name":"n","statements":[{"resources":[{"resourceUri":"/a/1"}],"roles":["Authress:Owner"]}],"users":[{"userId":"u1"}]}"#,
            202,
            "",
        )
    },
    ask(
        "getRecords",
        "GET /v1/records?filter=x+y&limit=20",
        200,
        "AccessRecordCollection",
    ),
    // As captured; the cursor is nobody's.
    ask(
        "getRecords",
        "GET /v1/records?cursor=a%2Fb%2Bc%3D&filter=x+y&limit=20",
        400,
        "",
    ),
    ask("deleteRecord", "DELETE /v1/records/{recordId}", 204, ""),
];

const INVITES: &[Replayed] = &[
    send(
        "createInvite",
        "POST /v1/invites",
        r#"{"defaultLoginTenantId":"","inviteId":"","linkedUserId":"","statements":[{"resources":[{"resourceUri":"/orgs/a|b/*"}],"roles":["ro_x"]}]}"#,
        201,
        "Invite",
    ),
    ask("getInvite", "GET /v1/invites/{inviteId}", 200, "Invite"),
    ask(
        "getInvite",
        "GET /v1/invites/inv%2F1%7C2:3~4%2A5%206",
        404,
        "",
    ),
    by_person(ask(
        "respondToInvite",
        "PATCH /v1/invites/{inviteId}",
        200,
        "Account",
    )),
    ask("deleteInvite", "DELETE /v1/invites/{inviteId}", 204, ""),
    ask("deleteInvite", "DELETE /v1/invites/inv_123", 404, ""),
];

const USERS: &[Replayed] = &[
    ask(
        "authorizeUser",
        "GET /v1/users/google-oauth2%7C1095%2F36@x+y/resources/%2Forgs%2Fa%2Fdocs%2F%2A:d~1/permissions/READ:%2A",
        200,
        "",
    ),
    ask(
        "authorizeUser",
        "GET /v1/users/nobody/resources/%2Forgs%2Fa%2Fdocs%2F%2A:d~1/permissions/READ:%2A",
        404,
        "",
    ),
    // As captured; no resource has a space.
    ask(
        "authorizeUser",
        "GET /v1/users/google-oauth2%7C1095%2F36@x+y/resources/%2Forgs%2Fa%20b%2Fdocs%2F%2A:d~1/permissions/READ:%2A",
        400,
        "",
    ),
    ask(
        "getUserPermissionsForResource",
        "GET /v1/users/google-oauth2%7C1095%2F36@x+y/resources/%2Forgs%2Fa%2F%2A:d~1/permissions",
        200,
        "PermissionCollection",
    ),
    ask(
        "getUserRolesForResource",
        "GET /v1/users/google-oauth2%7C1095%2F36@x+y/resources/%2Forgs/roles",
        200,
        "UserRoleCollection",
    ),
    ask(
        "getUserResources",
        "GET /v1/users/google-oauth2%7C1095%2F36@x+y/resources?collectionConfiguration=INCLUDE_NESTED&limit=20&resourceUri=%2Forgs%2F%2A",
        200,
        "UserResourcesCollection",
    ),
    ask(
        "getResourceUsers",
        "GET /v1/resources/%2Forgs/users?limit=20",
        200,
        "ResourceUsersCollection",
    ),
    ask(
        "getUsers",
        "GET /v1/users?limit=100",
        200,
        "UserIdentityCollection",
    ),
    ask(
        "getUser",
        "GET /v1/users/google-oauth2%7C1095%2F36@x+y",
        200,
        "UserIdentity",
    ),
    // Somebody must name the user who is deleted next.
    send(
        "createRecord",
        "POST /v1/records",
        NAMES_U1,
        201,
        "AccessRecord",
    ),
    ask("deleteUser", "DELETE /v1/users/u1", 202, ""),
];

const RESOURCES: &[Replayed] = &[
    send(
        "updatePermissionedResource",
        "PUT /v1/resources/%2Frooms",
        r#"{"permissions":[{"action":"CLAIM","allow":true}]}"#,
        200,
        "",
    ),
    ask(
        "getPermissionedResource",
        "GET /v1/resources/%2Frooms",
        200,
        "PermissionedResource",
    ),
    ask(
        "getPermissionedResources",
        "GET /v1/resources",
        200,
        "PermissionedResourceCollection",
    ),
    by_person(send(
        "createClaim",
        "POST /v1/claims",
        r#"{"collectionResource":"rooms","resourceId":"1"}"#,
        201,
        "",
    )),
];

const REQUESTS: &[Replayed] = &[
    by_person(send(
        "createRequest",
        "POST /v1/requests",
        r#"{"access":{"statements":[{"resources":[{"resourceUri":"/a/1"}],"roles":["ro_x"]}],"users":[{"userId":"person"}]},"requestId":""}"#,
        201,
        "AccessRequest",
    )),
    ask(
        "getRequest",
        "GET /v1/requests/{requestId}",
        200,
        "AccessRequest",
    ),
    ask(
        "getRequests",
        "GET /v1/requests?limit=20&status=OPEN",
        200,
        "AccessRequestCollection",
    ),
    send(
        "respondToAccessRequest",
        "PATCH /v1/requests/{requestId}",
        r#"{"status":"APPROVED"}"#,
        200,
        "AccessRequest",
    ),
    ask("deleteRequest", "DELETE /v1/requests/{requestId}", 204, ""),
];

const CLIENTS: &[Replayed] = &[
    send(
        "createClient",
        "POST /v1/clients",
        r#"{"clientId":"","createdTime":"0001-01-01T00:00:00Z","name":"n"}"#,
        201,
        "Client",
    ),
    send(
        "updateClient",
        "PUT /v1/clients/{clientId}",
        r#"{"clientId":"","createdTime":"0001-01-01T00:00:00Z","name":"n"}"#,
        200,
        "Client",
    ),
    ask(
        "requestAccessKey",
        "POST /v1/clients/{clientId}/access-keys",
        201,
        "ClientAccessKey",
    ),
    ask("getClient", "GET /v1/clients/{clientId}", 200, "Client"),
    ask(
        "getClients",
        "GET /v1/clients?limit=20",
        200,
        "ClientCollection",
    ),
    send(
        "requestToken",
        "POST /api/authentication/oauth/tokens",
        r#"{"client_id":"{clientId}","client_secret":"{clientSecret}","grant_type":"client_credentials"}"#,
        200,
        "OAuthTokenResponse",
    ),
    ask(
        "deleteAccessKey",
        "DELETE /v1/clients/{clientId}/access-keys/{keyId}",
        204,
        "",
    ),
    ask("deleteClient", "DELETE /v1/clients/{clientId}", 204, ""),
    ask("deleteRole", "DELETE /v1/roles/ro_x", 204, ""),
];

const ACCOUNT: &[Replayed] = &[
    ask("getAccounts", "GET /v1/accounts", 200, "AccountCollection"),
    ask("getAccount", "GET /v1/accounts/{accountId}", 200, "Account"),
    send(
        "delegateAuthentication",
        "POST /v1/identities",
        r#"{"issuer":"http://127.0.0.1:9999","preferredAudience":"x"}"#,
        201,
        "",
    ),
    ask(
        "getAccountIdentities",
        "GET /v1/identities",
        200,
        "IdentityCollection",
    ),
];

const SIGN_IN: &[Replayed] = &[
    send(
        "createTenant",
        "POST /v1/tenants",
        r#"{"data":{"name":"n"},"tenantId":"tenant-1"}"#,
        201,
        "Tenant",
    ),
    ask("getTenant", "GET /v1/tenants/tenant-1", 200, "Tenant"),
    ask("getTenants", "GET /v1/tenants", 200, "TenantCollection"),
    send(
        "updateTenant",
        "PUT /v1/tenants/tenant-1",
        r#"{"data":{"name":"n"},"tenantId":"tenant-1"}"#,
        200,
        "Tenant",
    ),
    ask("deleteTenant", "DELETE /v1/tenants/tenant-1", 204, ""),
    send(
        "createConnection",
        "POST /v1/connections",
        r#"{"authenticationUrl":"https://provider.example/authorize","clientId":"c","clientSecret":"s","connectionId":"con_1","tokenUrl":"https://provider.example/token","type":"OAUTH2"}"#,
        201,
        "Connection",
    ),
    ask(
        "getConnection",
        "GET /v1/connections/con_1",
        200,
        "Connection",
    ),
    ask(
        "getConnections",
        "GET /v1/connections",
        200,
        "ConnectionCollection",
    ),
    send(
        "updateConnection",
        "PUT /v1/connections/con_1",
        r#"{"authenticationUrl":"https://provider.example/authorize","clientId":"c","connectionId":"con_1","tokenUrl":"https://provider.example/token","type":"OAUTH2"}"#,
        200,
        "Connection",
    ),
    ask(
        "getConnectionCredentials",
        "GET /v1/connections/con_1/users/google-oauth2%7C1095%2F36@x+y/credentials",
        404,
        "",
    ),
    ask("deleteConnection", "DELETE /v1/connections/con_1", 204, ""),
    send(
        "createExtension",
        "POST /v1/extensions",
        r#"{"createdTime":"0001-01-01T00:00:00Z","extensionId":"","name":"n"}"#,
        201,
        "Extension",
    ),
    ask(
        "getExtension",
        "GET /v1/extensions/{extensionId}",
        200,
        "Extension",
    ),
    ask(
        "getExtensions",
        "GET /v1/extensions",
        200,
        "ExtensionCollection",
    ),
    send(
        "updateExtension",
        "PUT /v1/extensions/{extensionId}",
        r#"{"createdTime":"0001-01-01T00:00:00Z","extensionId":"","name":"n"}"#,
        200,
        "Extension",
    ),
    ask(
        "deleteExtension",
        "DELETE /v1/extensions/{extensionId}",
        204,
        "",
    ),
    ask(
        "delegateUserLogin",
        "POST /v1/applications/app_1/users/google-oauth2%7C1095%2F36@x+y/delegation",
        404,
        "",
    ),
    ask(
        "login",
        "GET /?client_id=ext_1&code_challenge=x&code_challenge_method=S256&redirect_uri=https%3A%2F%2Fapp.example%2F",
        404,
        "",
    ),
];
