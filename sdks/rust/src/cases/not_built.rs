//! A call of every operation that servers may lack: what is not built is refused as such, and no
//! answer is made up. What is built has cases of its own.

use authress::models::{AccessRequestResponse, ClaimRequest};

use crate::cases::connections::connection;
use crate::cases::extensions::extension;
use crate::cases::requests::request;
use crate::cases::resources::claims;
use crate::cases::tenants::tenant;
use crate::report::Report;
use crate::world::{AWKWARD_USER, World};

pub async fn run(world: &World, report: &mut Report) {
    access(world, report).await;
    sign_in(world, report).await;
}

async fn access(world: &World, report: &mut Report) {
    let id = |text: &str| text.to_owned();
    let user = || AWKWARD_USER.to_owned();
    let records = &world.owner.access_records;
    let resources = &world.owner.resource_permissions;
    let users = &world.owner.users;
    let claim = ClaimRequest::new(id("rooms"), id("1"));
    let response = AccessRequestResponse::default();
    let uri = || id("/rooms");
    report
        .not_built("createClaim", records.create_claim(claim))
        .await;
    report
        .not_built("createRequest", records.create_request(request("u", "/a")))
        .await;
    report
        .not_built("getRequests", records.get_requests(None))
        .await;
    report
        .not_built("getRequest", records.get_request(id("req_1")))
        .await;
    report
        .not_built(
            "respondToAccessRequest",
            records.respond_to_access_request(id("req_1"), response),
        )
        .await;
    report
        .not_built("deleteRequest", records.delete_request(id("req_1")))
        .await;
    report
        .not_built(
            "getPermissionedResources",
            resources.get_permissioned_resources(),
        )
        .await;
    report
        .not_built(
            "getPermissionedResource",
            resources.get_permissioned_resource(uri()),
        )
        .await;
    report
        .not_built(
            "updatePermissionedResource",
            resources.update_permissioned_resource(uri(), claims()),
        )
        .await;
    report.not_built("getUsers", users.get_users(None)).await;
    report.not_built("getUser", users.get_user(user())).await;
    report
        .not_built("deleteUser", users.delete_user(user()))
        .await;
}

async fn sign_in(world: &World, report: &mut Report) {
    let id = |text: &str| text.to_owned();
    let tenants = &world.owner.tenants;
    let connections = &world.owner.connections;
    let extensions = &world.owner.extensions;
    let credentials = connections.get_connection_credentials(id("con_1"), AWKWARD_USER.to_owned());
    let delegate = world
        .owner
        .applications
        .delegate_user_login(id("app_1"), AWKWARD_USER.to_owned());
    report
        .not_built("createTenant", tenants.create_tenant(tenant("t", "n")))
        .await;
    report.not_built("getTenants", tenants.get_tenants()).await;
    report
        .not_built("getTenant", tenants.get_tenant(id("t")))
        .await;
    report
        .not_built(
            "updateTenant",
            tenants.update_tenant(id("t"), tenant("t", "n")),
        )
        .await;
    report
        .not_built("deleteTenant", tenants.delete_tenant(id("t")))
        .await;
    report
        .not_built(
            "createConnection",
            connections.create_connection(connection(None)),
        )
        .await;
    report
        .not_built("getConnections", connections.get_connections())
        .await;
    report
        .not_built("getConnection", connections.get_connection(id("con_1")))
        .await;
    report
        .not_built(
            "updateConnection",
            connections.update_connection(id("con_1"), connection(None)),
        )
        .await;
    report
        .not_built(
            "deleteConnection",
            connections.delete_connection(id("con_1")),
        )
        .await;
    report
        .not_built("getConnectionCredentials", credentials)
        .await;
    report.not_built("delegateUserLogin", delegate).await;
    report
        .not_built(
            "createExtension",
            extensions.create_extension(extension("n")),
        )
        .await;
    report
        .not_built("getExtensions", extensions.get_extensions())
        .await;
    report
        .not_built("getExtension", extensions.get_extension(id("ext_1")))
        .await;
    report
        .not_built(
            "updateExtension",
            extensions.update_extension(id("ext_1"), extension("n")),
        )
        .await;
    report
        .not_built("deleteExtension", extensions.delete_extension(id("ext_1")))
        .await;
}
