//! The requests of the C# SDK: a token signed with the access key, hexadecimal digits in lower case,
//! explicit nulls and empty lists of groups, POST to update, and a body where none is needed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Credentials, Replayed, Sdk, Sender, ask, by_person, send};
use crate::fake_issuer::SigningKey;
use crate::world::{ACCOUNT, START, World};

pub(super) const SDK: Sdk = Sdk {
    name: "C#",
    write,
    requests: &[RECORDS, GROUPS, INVITES, USERS, REQUESTS, CLIENTS, LINKED],
    lacks: &[
        "createRole",
        "getRoles",
        "getRole",
        "updateRole",
        "deleteRole",
        "getInvite",
        "getUserRolesForResource",
        "getResourceUsers",
        "getPermissionedResources",
        "getPermissionedResource",
        "updatePermissionedResource",
        "getUsers",
        "getUser",
        "deleteUser",
        "setUserTokenConfiguration",
        "requestUserToken",
        "disableUserToken",
        "createTenant",
        "getTenants",
        "getTenant",
        "updateTenant",
        "deleteTenant",
        "linkTenantUser",
        "createConnection",
        "getConnections",
        "getConnection",
        "updateConnection",
        "deleteConnection",
        "getConnectionCredentials",
        "createApplication",
        "getApplications",
        "getApplication",
        "updateApplication",
        "deleteApplication",
        "delegateUserLogin",
        "createExtension",
        "getExtensions",
        "getExtension",
        "updateExtension",
        "deleteExtension",
        "login",
        "requestToken",
        "updateAuthenticationRequest",
        "getOpenIdConfiguration",
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

/// A token as this SDK makes it of the owner's access key (contract §3.2).
pub(super) fn signed(world: &World) -> String {
    let parts: Vec<&str> = world.owner.split('.').collect();
    let der = STANDARD.decode(parts[3]).unwrap();
    let key = SigningKey::from_seed(parts[1], &der[der.len() - 32..]);
    let now = START / 1000;
    let header = json!({"alg": "EdDSA", "kid": parts[1], "typ": "at+jwt"});
    let claims = json!({
        "iss": format!("https://guestlist.test/v1/clients/{}", parts[0]),
        "aud": format!("{ACCOUNT}.accounts.authress.io"),
        "sub": parts[0], "client_id": parts[0],
        "iat": now, "nbf": now - 600, "exp": now + 24 * 3600,
        "scopes": "openid",
    });
    key.token_of(&header.to_string(), &claims.to_string())
}

fn write(replayed: &Replayed, line: &str, credentials: &Credentials) -> String {
    let bearer = match replayed.sender {
        Sender::Owner => &credentials.signed,
        Sender::Person => &credentials.person,
    };
    let mut request = format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1:18106\r\nUser-Agent: Authress SDK; C#; 2.0.0;\r\n\
         Authorization: Bearer {bearer}\r\n{}Connection: close\r\n",
        replayed.headers
    );
    if replayed.body.is_some() {
        request.push_str("Content-Type: application/json; charset=utf-8\r\nContent-Length: {length}\r\n\r\n{body}");
    } else {
        request.push_str("\r\n");
    }
    request
}

const RECORDS: &[Replayed] = &[
    send(
        "createRecord",
        "POST /v1/records",
        r#"{"recordId":null,"name":"n","account":null,"users":[{"userId":"u1"}],"admins":null,"groups":[],"statements":[{"roles":["Authress:Owner"],"resources":[{"resourceUri":"/a/1"}],"users":null,"groups":[]}],"links":null}"#,
        201,
        "AccessRecord",
    ),
    ask(
        "getRecord",
        "GET /v1/records/{recordId}",
        200,
        "AccessRecord",
    ),
    ask(
        "getRecords",
        "GET /v1/records?status=ACTIVE",
        200,
        "AccessRecordCollection",
    ),
    send(
        "updateRecord",
        "POST /v1/records/{recordId}",
        r#"{"recordId":"{recordId}","name":"n","account":null,"users":[{"userId":"u1"}],"admins":null,"groups":[],"statements":[{"roles":["Authress:Owner"],"resources":[{"resourceUri":"/a/1"}],"users":null,"groups":[]}],"links":null}"#,
        202,
        "",
    ),
    // Users at the level of statements, with the empty lists that are always there.
    send(
        "updateRecord",
        "POST /v1/records/{recordId}",
        r#"{"recordId":"{recordId}","name":"n","account":null,"users":[],"admins":null,"groups":[],"statements":[{"roles":["Authress:Owner"],"resources":[{"resourceUri":"/a/1"}],"users":[{"userId":"u1"}],"groups":[]}],"links":null}"#,
        202,
        "",
    ),
    by_person(send(
        "createClaim",
        "POST /v1/claims",
        r#"{"collectionResource":"rooms","resourceId":"1"}"#,
        403,
        "",
    )),
];

const GROUPS: &[Replayed] = &[
    send(
        "createGroup",
        "POST /v1/groups",
        r#"{"groupId":null,"name":"n","users":[{"userId":"u1"}],"admins":[],"lastUpdated":null,"links":null}"#,
        201,
        "Group",
    ),
    ask("getGroup", "GET /v1/groups/{groupId}", 200, "Group"),
    ask(
        "getGroups",
        "GET /v1/groups?limit=20",
        200,
        "GroupCollection",
    ),
    Replayed {
        headers: "If-Unmodified-Since: 2026-01-02T03:04:05.6780000+00:00\r\n",
        ..send(
            "updateGroup",
            "POST /v1/groups/{groupId}",
            r#"{"groupId":"{groupId}","name":"n","users":[{"userId":"u1"}],"admins":[],"lastUpdated":null,"links":null}"#,
            200,
            "Group",
        )
    },
    ask("deleteGroup", "DELETE /v1/groups/{groupId}", 204, ""),
];

const INVITES: &[Replayed] = &[
    send(
        "createInvite",
        "POST /v1/invites",
        r#"{"statements":[{"roles":["Authress:ReadResource"],"resources":[{"resourceUri":"/orgs/a|b/*"}]}]}"#,
        201,
        "Invite",
    ),
    by_person(send(
        "respondToInvite",
        "PATCH /v1/invites/{inviteId}",
        "{}",
        200,
        "Account",
    )),
    ask("deleteInvite", "DELETE /v1/invites/{inviteId}", 204, ""),
];

const USERS: &[Replayed] = &[
    ask(
        "authorizeUser",
        "GET /v1/users/google-oauth2%7c1095%2f36%40x%2by/resources/%2forgs%2fa%2fdocs%2f*%3ad%7e1/permissions/READ%3a*",
        200,
        "",
    ),
    ask(
        "authorizeUser",
        "GET /v1/users/nobody/resources/%2forgs%2fa/permissions/READ%3a*",
        404,
        "",
    ),
    ask(
        "getUserPermissionsForResource",
        "GET /v1/users/google-oauth2%7c1095%2f36%40x%2by/resources/%2forgs%2fa/permissions",
        200,
        "PermissionCollection",
    ),
    ask(
        "getUserResources",
        "GET /v1/users/google-oauth2%7c1095%2f36%40x%2by/resources?resourceUri=%2forgs%2f*&collectionConfiguration=INCLUDE_NESTED",
        200,
        "UserResourcesCollection",
    ),
    ask(
        "getUserResources",
        "GET /v1/users/google-oauth2%7c1095%2f36%40x%2by/resources?collectionConfiguration=TOP_LEVEL_ONLY",
        200,
        "UserResourcesCollection",
    ),
];

const REQUESTS: &[Replayed] = &[
    by_person(send(
        "createRequest",
        "POST /v1/requests",
        r#"{"access":{"users":[{"userId":"person"}],"statements":[{"roles":["Authress:ReadResource"],"resources":[{"resourceUri":"/a/1"}],"users":null,"groups":[]}]}}"#,
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
        "GET /v1/requests?status=OPEN",
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
        r#"{"clientId":null,"createdTime":null,"name":"n","options":null,"verificationKeys":null}"#,
        201,
        "Client",
    ),
    send(
        "updateClient",
        "PUT /v1/clients/{clientId}",
        r#"{"clientId":"{clientId}","createdTime":null,"name":"n","options":null,"verificationKeys":null}"#,
        200,
        "Client",
    ),
    send(
        "requestAccessKey",
        "POST /v1/clients/{clientId}/access-keys",
        "{}",
        201,
        "ClientAccessKey",
    ),
    ask("getClient", "GET /v1/clients/{clientId}", 200, "Client"),
    ask("getClients", "GET /v1/clients", 200, "ClientCollection"),
    // Its verifier asks for keys, with its own token.
    ask(
        "getClientTokenKeys",
        "GET /v1/clients/{clientId}/.well-known/openid-configuration/jwks",
        200,
        "",
    ),
    ask(
        "getUserTokenKeys",
        "GET /.well-known/openid-configuration/jwks",
        200,
        "",
    ),
    ask(
        "deleteAccessKey",
        "DELETE /v1/clients/{clientId}/access-keys/{keyId}",
        204,
        "",
    ),
    ask("deleteClient", "DELETE /v1/clients/{clientId}", 204, ""),
    ask("deleteRecord", "DELETE /v1/records/{recordId}", 204, ""),
];

const LINKED: &[Replayed] = &[
    ask("getAccounts", "GET /v1/accounts", 200, "AccountCollection"),
    ask("getAccount", "GET /v1/accounts/{accountId}", 200, "Account"),
    send(
        "delegateAuthentication",
        "POST /v1/identities",
        r#"{"jwt":null,"issuer":"http://127.0.0.1:9999","preferredAudience":"x"}"#,
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
