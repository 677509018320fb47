"""Every operation that this SDK has, the method that calls it, and a call for servers that lack it."""

from authress.models.access_request import AccessRequest
from authress.models.access_request_response import AccessRequestResponse
from authress.models.access_template import AccessTemplate
from authress.models.claim_request import ClaimRequest
from authress.models.connection import Connection
from authress.models.extension import Extension
from authress.models.o_auth_token_request import OAuthTokenRequest
from authress.models.permissioned_resource import PermissionedResource
from authress.models.resource import Resource
from authress.models.resource_permission import ResourcePermission
from authress.models.statement import Statement
from authress.models.tenant import Tenant
from authress.models.tenant_user import TenantUser
from authress.models.user import User


class Operation:
    """A method of one of the client's APIs; `arguments` are good for one call, where one was written down."""

    def __init__(self, api, method, *arguments, **named):
        self.api = api
        self.method = method
        self.arguments = arguments
        self.named = named

    def call(self, client):
        return getattr(getattr(client, self.api), self.method)(*self.arguments, **self.named)


def _statement():
    return Statement(roles=["Authress:ReadResource"], resources=[Resource(resource_uri="/docs/1")])


def _request():
    access = AccessTemplate(users=[User(user_id="asks")], statements=[_statement()])
    return AccessRequest(request_id="ignored", access=access)


def _application():
    from authress.models.application_request import ApplicationRequest

    return ApplicationRequest(name="app", redirect_urls=["https://app.example/"])


_PUBLIC = PermissionedResource(permissions=[ResourcePermission(action="CLAIM", allow=True)])
_TOKEN = OAuthTokenRequest(client_id="sc_1", client_secret="x", grant_type="client_credentials")

OPERATIONS = {
    "createClaim": Operation("access_records", "create_claim", ClaimRequest(collection_resource="rooms", resource_id="1")),
    "createRecord": Operation("access_records", "create_record"),
    "getRecords": Operation("access_records", "get_records"),
    "getRecord": Operation("access_records", "get_record"),
    "updateRecord": Operation("access_records", "update_record"),
    "deleteRecord": Operation("access_records", "delete_record"),
    "createRequest": Operation("access_records", "create_request", _request()),
    "getRequests": Operation("access_records", "get_requests"),
    "getRequest": Operation("access_records", "get_request", "req_1"),
    "respondToAccessRequest": Operation(
        "access_records", "respond_to_access_request", "req_1", AccessRequestResponse(status="APPROVED")
    ),
    "deleteRequest": Operation("access_records", "delete_request", "req_1"),
    "createInvite": Operation("invites", "create_invite"),
    "getInvite": Operation("invites", "get_invite"),
    "respondToInvite": Operation("invites", "respond_to_invite"),
    "deleteInvite": Operation("invites", "delete_invite"),
    "getAccounts": Operation("accounts", "get_accounts"),
    "getAccount": Operation("accounts", "get_account"),
    "getAccountIdentities": Operation("accounts", "get_account_identities"),
    "delegateAuthentication": Operation("accounts", "delegate_authentication"),
    "delegateUserLogin": Operation("applications", "delegate_user_login", "app_1", "somebody"),
    "createConnection": Operation("connections", "create_connection", Connection()),
    "getConnections": Operation("connections", "get_connections"),
    "getConnection": Operation("connections", "get_connection", "con_1"),
    "updateConnection": Operation("connections", "update_connection", "con_1", Connection()),
    "deleteConnection": Operation("connections", "delete_connection", "con_1"),
    "getConnectionCredentials": Operation("connections", "get_connection_credentials", "con_1", "a|b/c"),
    "createExtension": Operation("extensions", "create_extension", Extension(name="ext")),
    "getExtensions": Operation("extensions", "get_extensions"),
    "getExtension": Operation("extensions", "get_extension", "ext_1"),
    "updateExtension": Operation("extensions", "update_extension", "ext_1", Extension(name="ext")),
    "deleteExtension": Operation("extensions", "delete_extension", "ext_1"),
    "login": Operation(
        "extensions", "login", client_id="ext_1", code_challenge="x", redirect_uri="https://app.example/"
    ),
    "requestToken": Operation("extensions", "request_token", _TOKEN),
    "createGroup": Operation("groups", "create_group"),
    "getGroups": Operation("groups", "get_groups"),
    "getGroup": Operation("groups", "get_group"),
    "updateGroup": Operation("groups", "update_group"),
    "deleteGroup": Operation("groups", "delete_group"),
    "getPermissionedResources": Operation("resource_permissions", "get_permissioned_resources"),
    "getPermissionedResource": Operation("resource_permissions", "get_permissioned_resource", "/rooms"),
    "updatePermissionedResource": Operation("resource_permissions", "update_permissioned_resource", "/rooms", _PUBLIC),
    "getResourceUsers": Operation("resource_permissions", "get_resource_users"),
    "createRole": Operation("roles", "create_role"),
    "getRoles": Operation("roles", "get_roles"),
    "getRole": Operation("roles", "get_role"),
    "updateRole": Operation("roles", "update_role"),
    "deleteRole": Operation("roles", "delete_role"),
    "createClient": Operation("service_clients", "create_client"),
    "getClients": Operation("service_clients", "get_clients"),
    "getClient": Operation("service_clients", "get_client"),
    "updateClient": Operation("service_clients", "update_client"),
    "deleteClient": Operation("service_clients", "delete_client"),
    "requestAccessKey": Operation("service_clients", "request_access_key"),
    "deleteAccessKey": Operation("service_clients", "delete_access_key"),
    "createTenant": Operation("tenants", "create_tenant", Tenant(tenant_id="tenant-1")),
    "getTenants": Operation("tenants", "get_tenants"),
    "getTenant": Operation("tenants", "get_tenant", "tenant-1"),
    "updateTenant": Operation("tenants", "update_tenant", "tenant-1", Tenant(tenant_id="tenant-1")),
    "deleteTenant": Operation("tenants", "delete_tenant", "tenant-1"),
    "linkTenantUser": Operation("tenants", "link_tenant_user", "tenant-1", TenantUser(user_id="somebody")),
    "authorizeUser": Operation("user_permissions", "authorize_user"),
    "getUserPermissionsForResource": Operation("user_permissions", "get_user_permissions_for_resource"),
    "getUserRolesForResource": Operation("user_permissions", "get_user_roles_for_resource"),
    "getUserResources": Operation("user_permissions", "get_user_resources"),
    "getUsers": Operation("users", "get_users"),
    "getUser": Operation("users", "get_user", "google-oauth2|1095/36@x+y"),
    "deleteUser": Operation("users", "delete_user", "google-oauth2|1095/36@x+y"),
}

# What a release adds is known only where its models are there.
try:
    OPERATIONS |= {
        "createApplication": Operation("applications", "create_application", _application()),
        "getApplications": Operation("applications", "get_applications"),
        "getApplication": Operation("applications", "get_application", "app_1"),
        "updateApplication": Operation("applications", "update_application", "app_1", _application()),
        "deleteApplication": Operation("applications", "delete_application", "app_1"),
    }
except ImportError:
    pass

# Reached by `verify_token` and not by a method of their own.
BY_VERIFYING = ("getUserTokenKeys", "getClientTokenKeys")


def unmapped(client):
    """What this table and the SDK do not have in common, in words; nothing if all is in order."""
    client = client.unwatched
    mapped = {(operation.api, operation.method) for operation in OPERATIONS.values()}
    there = set()
    for api in vars(type(client)):
        if api.startswith("_") or not isinstance(vars(type(client))[api], property):
            continue
        for method in dir(getattr(client, api)):
            if not method.startswith("_") and not method.endswith("_with_http_info") and method != "api_client":
                there.add((api, method))
    absent = [f"{api}.{method} is not in this SDK" for api, method in mapped - there]
    return sorted(absent + [f"{api}.{method} is in no table" for api, method in there - mapped])
