//! Every operation that some official SDK or the published interface has, by subject.

/// What operations are about, and the operations: their name in the SDKs, and the request.
pub(crate) struct Subject {
    pub(crate) title: &'static str,
    pub(crate) operations: &'static [(&'static str, &'static str)],
}

pub(crate) const SUBJECTS: &[Subject] = &[
    Subject {
        title: "Invites",
        operations: &[
            ("createInvite", "POST /v1/invites"),
            ("getInvite", "GET /v1/invites/{inviteId}"),
            ("respondToInvite", "PATCH /v1/invites/{inviteId}"),
            ("deleteInvite", "DELETE /v1/invites/{inviteId}"),
        ],
    },
    Subject {
        title: "Access records and claims",
        operations: &[
            ("createRecord", "POST /v1/records"),
            ("getRecords", "GET /v1/records"),
            ("getRecord", "GET /v1/records/{recordId}"),
            ("updateRecord", "PUT /v1/records/{recordId}"),
            ("deleteRecord", "DELETE /v1/records/{recordId}"),
            ("createClaim", "POST /v1/claims"),
        ],
    },
    Subject {
        title: "Access requests",
        operations: &[
            ("createRequest", "POST /v1/requests"),
            ("getRequests", "GET /v1/requests"),
            ("getRequest", "GET /v1/requests/{requestId}"),
            ("respondToAccessRequest", "PATCH /v1/requests/{requestId}"),
            ("deleteRequest", "DELETE /v1/requests/{requestId}"),
        ],
    },
    Subject {
        title: "Groups",
        operations: &[
            ("createGroup", "POST /v1/groups"),
            ("getGroups", "GET /v1/groups"),
            ("getGroup", "GET /v1/groups/{groupId}"),
            ("updateGroup", "PUT /v1/groups/{groupId}"),
            ("deleteGroup", "DELETE /v1/groups/{groupId}"),
        ],
    },
    Subject {
        title: "Roles",
        operations: &[
            ("createRole", "POST /v1/roles"),
            ("getRoles", "GET /v1/roles"),
            ("getRole", "GET /v1/roles/{roleId}"),
            ("updateRole", "PUT /v1/roles/{roleId}"),
            ("deleteRole", "DELETE /v1/roles/{roleId}"),
        ],
    },
    Subject {
        title: "Resources",
        operations: &[
            ("getPermissionedResources", "GET /v1/resources"),
            ("getPermissionedResource", "GET /v1/resources/{resourceUri}"),
            (
                "updatePermissionedResource",
                "PUT /v1/resources/{resourceUri}",
            ),
            ("getResourceUsers", "GET /v1/resources/{resourceUri}/users"),
        ],
    },
    Subject {
        title: "What users hold",
        operations: &[
            (
                "authorizeUser",
                "GET /v1/users/{userId}/resources/{resourceUri}/permissions/{permission}",
            ),
            (
                "getUserPermissionsForResource",
                "GET /v1/users/{userId}/resources/{resourceUri}/permissions",
            ),
            (
                "getUserRolesForResource",
                "GET /v1/users/{userId}/resources/{resourceUri}/roles",
            ),
            ("getUserResources", "GET /v1/users/{userId}/resources"),
        ],
    },
    Subject {
        title: "Users",
        operations: &[
            ("getUsers", "GET /v1/users"),
            ("getUser", "GET /v1/users/{userId}"),
            ("deleteUser", "DELETE /v1/users/{userId}"),
            (
                "setUserTokenConfiguration",
                "PUT /v1/users/{userId}/token-configuration",
            ),
            ("requestUserToken", "POST /v1/users/{userId}/tokens"),
            (
                "disableUserToken",
                "DELETE /v1/users/{userId}/tokens/{tokenId}",
            ),
        ],
    },
    Subject {
        title: "Service clients",
        operations: &[
            ("createClient", "POST /v1/clients"),
            ("getClients", "GET /v1/clients"),
            ("getClient", "GET /v1/clients/{clientId}"),
            ("updateClient", "PUT /v1/clients/{clientId}"),
            ("deleteClient", "DELETE /v1/clients/{clientId}"),
            (
                "requestAccessKey",
                "POST /v1/clients/{clientId}/access-keys",
            ),
            (
                "deleteAccessKey",
                "DELETE /v1/clients/{clientId}/access-keys/{keyId}",
            ),
        ],
    },
    Subject {
        title: "The account, its issuers, and keys",
        operations: &[
            ("getAccounts", "GET /v1/accounts"),
            ("getAccount", "GET /v1/accounts/{accountId}"),
            ("getAccountIdentities", "GET /v1/identities"),
            ("delegateAuthentication", "POST /v1/identities"),
            (
                "getOpenIdConfiguration",
                "GET /.well-known/openid-configuration",
            ),
            (
                "getUserTokenKeys",
                "GET /.well-known/openid-configuration/jwks",
            ),
            (
                "getClientTokenKeys",
                "GET /v1/clients/{clientId}/.well-known/openid-configuration/jwks",
            ),
        ],
    },
    Subject {
        title: "Tenants",
        operations: &[
            ("createTenant", "POST /v1/tenants"),
            ("getTenants", "GET /v1/tenants"),
            ("getTenant", "GET /v1/tenants/{tenantId}"),
            ("updateTenant", "PUT /v1/tenants/{tenantId}"),
            ("deleteTenant", "DELETE /v1/tenants/{tenantId}"),
            ("linkTenantUser", "PATCH /v1/tenants/{tenantId}/users"),
        ],
    },
    Subject {
        title: "Connections",
        operations: &[
            ("createConnection", "POST /v1/connections"),
            ("getConnections", "GET /v1/connections"),
            ("getConnection", "GET /v1/connections/{connectionId}"),
            ("updateConnection", "PUT /v1/connections/{connectionId}"),
            ("deleteConnection", "DELETE /v1/connections/{connectionId}"),
            (
                "getConnectionCredentials",
                "GET /v1/connections/{connectionId}/users/{userId}/credentials",
            ),
        ],
    },
    Subject {
        title: "Applications",
        operations: &[
            ("createApplication", "POST /v1/applications"),
            ("getApplications", "GET /v1/applications"),
            ("getApplication", "GET /v1/applications/{applicationId}"),
            ("updateApplication", "PUT /v1/applications/{applicationId}"),
            (
                "deleteApplication",
                "DELETE /v1/applications/{applicationId}",
            ),
            (
                "delegateUserLogin",
                "POST /v1/applications/{applicationId}/users/{userId}/delegation",
            ),
        ],
    },
    Subject {
        title: "Extensions",
        operations: &[
            ("createExtension", "POST /v1/extensions"),
            ("getExtensions", "GET /v1/extensions"),
            ("getExtension", "GET /v1/extensions/{extensionId}"),
            ("updateExtension", "PUT /v1/extensions/{extensionId}"),
            ("deleteExtension", "DELETE /v1/extensions/{extensionId}"),
        ],
    },
    Subject {
        title: "Sign-in",
        operations: &[
            ("requestToken", "POST /api/authentication/oauth/tokens"),
            ("login", "GET /"),
            (
                "updateAuthenticationRequest",
                "PATCH /api/authentication/{authenticationRequestId}",
            ),
        ],
    },
];
