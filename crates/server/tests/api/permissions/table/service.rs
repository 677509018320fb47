//! Who may set up the service: its clients, its account and issuers, and what signing in needs.

use super::{Expected, Holds, PUBLIC, Row, SHOWN, anybody, free, may, named, plainly, row};

pub(in crate::permissions) const NAME: &str = r#"{"name": "n"}"#;
const IDENTITY: &str = r#"{"issuer": "http://127.0.0.1:9999", "preferredAudience": "x"}"#;
pub(in crate::permissions) const TENANT: &str = r#"{"data": {"name": "n"}}"#;
pub(in crate::permissions) const CONNECTION: &str = r#"{"type": "OAUTH2", "clientId": "c",
    "authenticationUrl": "https://provider.example/authorize",
    "tokenUrl": "https://provider.example/token"}"#;
pub(in crate::permissions) const APPLICATION: &str =
    r#"{"name": "n", "redirectUrls": ["https://app.example/"]}"#;
/// Nobody listens there, and it is not asked: it is not enabled.
pub(in crate::permissions) const WEBHOOK: &str =
    r#"{"url": "http://127.0.0.1:65535/", "enabled": false}"#;
const READ_WEBHOOK: [Holds; 2] = [
    may("READ", "Authress:Webhooks/{webhookId}"),
    may("Webhooks", "Authress:Webhooks"),
];
const UPDATE_WEBHOOK: [Holds; 2] = [
    may("UPDATE", "Authress:Webhooks/{webhookId}"),
    may("Webhooks", "Authress:Webhooks"),
];
const READ_CONFIGURATION: [Holds; 2] = [
    may("READ", "Authress:Configuration"),
    may("Configuration", "Authress:Configuration"),
];

pub(super) const CLIENTS: &[Row] = &[
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

pub(super) const WEBHOOKS: &[Row] = &[
    row(
        "createWebhook",
        "POST /v1/webhooks",
        "{exact}, and `READ` on `Authress:Events`",
        [
            may("CREATE", "Authress:Webhooks"),
            may("Webhooks", "Authress:Webhooks"),
        ],
        WEBHOOK,
        // Neither of the two permissions is enough.
        Expected {
            holders: Some([403, 403]),
            ..plainly(201)
        },
    ),
    free("getWebhooks", "GET /v1/webhooks", SHOWN, anybody(200)),
    row(
        "getWebhook",
        "GET /v1/webhooks/{webhookId}",
        "{exact}",
        READ_WEBHOOK,
        "",
        named(200),
    ),
    row(
        "updateWebhook",
        "PUT /v1/webhooks/{webhookId}",
        "{exact}; to change its URL or its events, or to enable it, `READ` on `Authress:Events` too",
        UPDATE_WEBHOOK,
        WEBHOOK,
        named(200),
    ),
    row(
        "deleteWebhook",
        "DELETE /v1/webhooks/{webhookId}",
        "{exact}",
        UPDATE_WEBHOOK,
        "",
        named(204),
    ),
    row(
        "rotateWebhookSecret",
        "POST /v1/webhooks/{webhookId}/secret",
        "{exact}",
        UPDATE_WEBHOOK,
        "",
        named(201),
    ),
    row(
        "getWebhookDeliveries",
        "GET /v1/webhooks/{webhookId}/deliveries",
        "{exact}",
        READ_WEBHOOK,
        "",
        named(200),
    ),
    row(
        "replayWebhook",
        "POST /v1/webhooks/{webhookId}/replay",
        "{exact}, and `READ` on `Authress:Events`",
        UPDATE_WEBHOOK,
        r#"{"after": 1}"#,
        Expected {
            holders: Some([403, 403]),
            ..named(204)
        },
    ),
    row(
        "testWebhook",
        "POST /v1/webhooks/{webhookId}/test",
        "{exact}",
        UPDATE_WEBHOOK,
        "",
        named(200),
    ),
];

pub(super) const TENANTS: &[Row] = &[
    row(
        "createTenant",
        "POST /v1/tenants",
        "{exact}",
        [
            may("CREATE", "Authress:Tenants"),
            may("Tenants", "Authress:Tenants"),
        ],
        TENANT,
        plainly(201),
    ),
    free("getTenants", "GET /v1/tenants", SHOWN, anybody(200)),
    row(
        "getTenant",
        "GET /v1/tenants/{tenantId}",
        "{exact}",
        [
            may("READ", "Authress:Tenants/{tenantId}"),
            may("Tenants", "Authress:Tenants"),
        ],
        "",
        named(200),
    ),
    row(
        "updateTenant",
        "PUT /v1/tenants/{tenantId}",
        "{exact}",
        [
            may("UPDATE", "Authress:Tenants/{tenantId}"),
            may("Tenants", "Authress:Tenants"),
        ],
        TENANT,
        named(200),
    ),
    row(
        "deleteTenant",
        "DELETE /v1/tenants/{tenantId}",
        "{exact}",
        [
            may("UPDATE", "Authress:Tenants/{tenantId}"),
            may("Tenants", "Authress:Tenants"),
        ],
        "",
        named(204),
    ),
    row(
        "linkTenantUser",
        "PATCH /v1/tenants/{tenantId}/users",
        "{exact}, and on the tenant the user is in",
        [
            may("UPDATE", "Authress:Tenants/{tenantId}"),
            may("Tenants", "Authress:Tenants"),
        ],
        r#"{"userId": "u"}"#,
        named(204),
    ),
];

pub(super) const CONNECTIONS: &[Row] = &[
    row(
        "createConnection",
        "POST /v1/connections",
        "{exact}",
        [
            may("CREATE", "Authress:Connections"),
            may("Connections", "Authress:Connections"),
        ],
        CONNECTION,
        plainly(201),
    ),
    free("getConnections", "GET /v1/connections", SHOWN, anybody(200)),
    row(
        "getConnection",
        "GET /v1/connections/{connectionId}",
        "{exact}",
        [
            may("READ", "Authress:Connections/{connectionId}"),
            may("Connections", "Authress:Connections"),
        ],
        "",
        named(200),
    ),
    row(
        "updateConnection",
        "PUT /v1/connections/{connectionId}",
        "{exact}",
        [
            may("UPDATE", "Authress:Connections/{connectionId}"),
            may("Connections", "Authress:Connections"),
        ],
        CONNECTION,
        named(200),
    ),
    row(
        "deleteConnection",
        "DELETE /v1/connections/{connectionId}",
        "{exact}",
        [
            may("UPDATE", "Authress:Connections/{connectionId}"),
            may("Connections", "Authress:Connections"),
        ],
        "",
        named(204),
    ),
];

pub(super) const APPLICATIONS: &[Row] = &[
    row(
        "createApplication",
        "POST /v1/applications",
        "{exact}",
        [
            may("CREATE", "Authress:Applications"),
            may("Applications", "Authress:Applications"),
        ],
        APPLICATION,
        plainly(201),
    ),
    free(
        "getApplications",
        "GET /v1/applications",
        SHOWN,
        anybody(200),
    ),
    row(
        "getApplication",
        "GET /v1/applications/{applicationId}",
        "{exact}",
        [
            may("READ", "Authress:Applications/{applicationId}"),
            may("Applications", "Authress:Applications"),
        ],
        "",
        named(200),
    ),
    row(
        "updateApplication",
        "PUT /v1/applications/{applicationId}",
        "{exact}",
        [
            may("UPDATE", "Authress:Applications/{applicationId}"),
            may("Applications", "Authress:Applications"),
        ],
        APPLICATION,
        named(200),
    ),
    row(
        "deleteApplication",
        "DELETE /v1/applications/{applicationId}",
        "{exact}",
        [
            may("UPDATE", "Authress:Applications/{applicationId}"),
            may("Applications", "Authress:Applications"),
        ],
        "",
        named(204),
    ),
];

pub(super) const EXTENSIONS: &[Row] = &[
    row(
        "createExtension",
        "POST /v1/extensions",
        "{exact}",
        [
            may("CREATE", "Authress:Extensions"),
            may("Extensions", "Authress:Extensions"),
        ],
        NAME,
        plainly(201),
    ),
    free("getExtensions", "GET /v1/extensions", SHOWN, anybody(200)),
    row(
        "getExtension",
        "GET /v1/extensions/{extensionId}",
        "{exact}",
        [
            may("READ", "Authress:Extensions/{extensionId}"),
            may("Extensions", "Authress:Extensions"),
        ],
        "",
        named(200),
    ),
    row(
        "updateExtension",
        "PUT /v1/extensions/{extensionId}",
        "{exact}",
        [
            may("UPDATE", "Authress:Extensions/{extensionId}"),
            may("Extensions", "Authress:Extensions"),
        ],
        NAME,
        named(200),
    ),
    row(
        "deleteExtension",
        "DELETE /v1/extensions/{extensionId}",
        "{exact}",
        [
            may("UPDATE", "Authress:Extensions/{extensionId}"),
            may("Extensions", "Authress:Extensions"),
        ],
        "",
        named(204),
    ),
];

pub(super) const ACCOUNT: &[Row] = &[
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
    Row {
        // Whoever sends it, what counts is in the body, and this is nobody's.
        body: r#"{"client_id": "sc_1", "client_secret": "wrong"}"#,
        ..free(
            "requestToken",
            "POST /api/authentication/oauth/tokens",
            "nothing but the secret in the body",
            Expected {
                nobody: 401,
                stranger: 401,
                neighbour: 401,
                holders: None,
                owner: 401,
            },
        )
    },
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

pub(super) const SERVER: &[Row] = &[
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
