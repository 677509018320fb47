//! A01: every operation as nobody, as a stranger, as somebody with another right, and as the owner.
//!
//! The list is held against the operations of the server: one that is missing here fails the test.

use std::collections::BTreeSet;

use guestlist_server::operations::Operation;
use serde_json::{Value, json};

use crate::world::{Engine, World, invite_of, record_of};

/// What each of them gets.
struct Expected {
    operation: Operation,
    method: &'static str,
    target: String,
    body: Option<Value>,
    nobody: u16,
    /// Signed in, with nothing in the account.
    stranger: u16,
    /// With a right on something else of the service.
    neighbour: u16,
    owner: u16,
}

/// Ids that the server has made.
struct Made {
    invite: String,
    /// The path of an access request.
    request: String,
    application: String,
    extension: String,
}

/// A world with one of everything.
async fn furnished() -> (World, Made) {
    let world = World::new(Engine::Memory).await;
    world.role("ro_x", &[("x:read", true, false, false)]).await;
    world
        .role("ro_reader", &[("READ", true, false, false)])
        .await;
    world
        .give(
            "rec_neighbour",
            "neighbour",
            &["ro_reader"],
            &["Authress:Elsewhere"],
        )
        .await;
    let record = record_of("rec_x", "holder", &["ro_x"], &["things/1"]);
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    let group = json!({"groupId": "grp_x", "name": "x", "users": [], "admins": []});
    world
        .own("POST", "/v1/groups", Some(&group))
        .await
        .expect(201);
    world
        .own("POST", "/v1/tenants", Some(&json!({"tenantId": "t1"})))
        .await
        .expect(201);
    let connection = json!({"connectionId": "con_1"});
    world
        .own("POST", "/v1/connections", Some(&connection))
        .await
        .expect(201);
    let (named, bare) = (json!({"name": "n"}), json!({}));
    let made = world.own("POST", "/v1/applications", Some(&named));
    let application = made.await.expect(201).json()["applicationId"].clone();
    let made = world.own("POST", "/v1/extensions", Some(&bare));
    let extension = made.await.expect(201).json()["extensionId"].clone();
    let invite = world
        .invite(&world.owner, &invite_of(&["ro_x"], &["things/1"]))
        .await;
    let asked = json!({"access": {"users": [{"userId": "holder"}],
        "statements": invite_of(&["ro_x"], &["things/1"])["statements"]}});
    let request = world
        .own("POST", "/v1/requests", Some(&asked))
        .await
        .expect(201);
    let request = format!(
        "/v1/requests/{}",
        request.json()["requestId"].as_str().unwrap()
    );
    let made = Made {
        invite,
        request,
        application: application.as_str().unwrap().to_owned(),
        extension: extension.as_str().unwrap().to_owned(),
    };
    (world, made)
}

#[expect(
    clippy::too_many_lines,
    reason = "one table, one entry for each operation"
)]
fn table(world: &World, made: &Made) -> Vec<Expected> {
    use Operation as O;
    let record = record_of("rec_new", "u", &["ro_x"], &["things/1"]);
    let same = record_of("rec_x", "holder", &["ro_x"], &["things/1"]);
    let role = json!({"roleId": "ro_new", "name": "n", "permissions": []});
    let own_role = json!({"name": "n", "permissions": []});
    let group = json!({"groupId": "grp_new", "name": "n", "users": [], "admins": []});
    let own_group = json!({"name": "n", "users": [], "admins": []});
    let client = json!({"name": "n"});
    let owner = &world.owner_id;
    let given = invite_of(&["ro_x"], &["things/1"]);
    let asked = json!({"access":
        {"users": [{"userId": "u"}], "statements": given["statements"]}});
    let identity = json!({"issuer": "http://127.0.0.1:9999", "preferredAudience": "x"});
    let of_holder = "/v1/users/holder/resources";
    let entry = |operation, method, target: &str, body: Option<&Value>, statuses: [u16; 4]| {
        let [nobody, stranger, neighbour, owner] = statuses;
        let (target, body) = (target.to_owned(), body.cloned());
        Expected {
            operation,
            method,
            target,
            body,
            nobody,
            stranger,
            neighbour,
            owner,
        }
    };
    let client_path = format!("/v1/clients/{owner}");
    let invite_path = format!("/v1/invites/{}", made.invite);
    let request = made.request.as_str();
    let application = format!("/v1/applications/{}", made.application);
    let extension = format!("/v1/extensions/{}", made.extension);
    let named = json!({"name": "n"});
    let read_check = format!("{of_holder}/things%2F1/permissions/x:read");
    let read_permissions = format!("{of_holder}/things%2F1/permissions");
    let read_roles = format!("{of_holder}/things%2F1/roles");
    let keys = format!("{client_path}/access-keys");
    let key = format!("{keys}/key_unknown");
    let jwks = format!("{client_path}/.well-known/openid-configuration/jwks");
    let account = format!("/v1/accounts/{}", crate::world::ACCOUNT);
    vec![
        entry(
            O::CreateInvite,
            "POST",
            "/v1/invites",
            Some(&given),
            [401, 403, 403, 201],
        ),
        entry(
            O::GetInvite,
            "GET",
            &invite_path,
            None,
            [401, 404, 403, 200],
        ),
        // Whoever holds the secret may accept, once: here the stranger is first.
        entry(
            O::RespondToInvite,
            "PATCH",
            &invite_path,
            None,
            [401, 200, 404, 403],
        ),
        entry(
            O::DeleteInvite,
            "DELETE",
            &invite_path,
            None,
            [401, 404, 403, 204],
        ),
        entry(
            O::CreateRecord,
            "POST",
            "/v1/records",
            Some(&record),
            [401, 403, 403, 201],
        ),
        entry(
            O::GetRecords,
            "GET",
            "/v1/records",
            None,
            [401, 200, 200, 200],
        ),
        entry(
            O::GetRecord,
            "GET",
            "/v1/records/rec_x",
            None,
            [401, 404, 403, 200],
        ),
        entry(
            O::UpdateRecord,
            "PUT",
            "/v1/records/rec_x",
            Some(&same),
            [401, 404, 403, 202],
        ),
        entry(
            O::DeleteRecord,
            "DELETE",
            "/v1/records/rec_x",
            None,
            [401, 404, 403, 204],
        ),
        entry(
            O::CreateRequest,
            "POST",
            "/v1/requests",
            Some(&asked),
            [401, 422, 422, 201],
        ),
        entry(
            O::GetRequests,
            "GET",
            "/v1/requests",
            None,
            [401, 200, 200, 200],
        ),
        entry(O::GetRequest, "GET", request, None, [401, 404, 403, 200]),
        entry(
            O::RespondToAccessRequest,
            "PATCH",
            request,
            Some(&json!({"status": "APPROVED"})),
            [401, 404, 403, 200],
        ),
        entry(
            O::DeleteRequest,
            "DELETE",
            request,
            None,
            [401, 404, 403, 204],
        ),
        entry(
            O::CreateGroup,
            "POST",
            "/v1/groups",
            Some(&group),
            [401, 403, 403, 201],
        ),
        entry(
            O::GetGroups,
            "GET",
            "/v1/groups",
            None,
            [401, 200, 200, 200],
        ),
        entry(
            O::GetGroup,
            "GET",
            "/v1/groups/grp_x",
            None,
            [401, 404, 403, 200],
        ),
        entry(
            O::UpdateGroup,
            "PUT",
            "/v1/groups/grp_x",
            Some(&own_group),
            [401, 404, 403, 200],
        ),
        entry(
            O::DeleteGroup,
            "DELETE",
            "/v1/groups/grp_x",
            None,
            [401, 404, 403, 204],
        ),
        entry(
            O::CreateRole,
            "POST",
            "/v1/roles",
            Some(&role),
            [401, 403, 403, 201],
        ),
        entry(O::GetRoles, "GET", "/v1/roles", None, [401, 403, 403, 200]),
        entry(
            O::GetRole,
            "GET",
            "/v1/roles/ro_x",
            None,
            [401, 404, 403, 200],
        ),
        entry(
            O::UpdateRole,
            "PUT",
            "/v1/roles/ro_x",
            Some(&own_role),
            [401, 404, 403, 200],
        ),
        entry(
            O::DeleteRole,
            "DELETE",
            "/v1/roles/ro_x",
            None,
            [401, 404, 403, 204],
        ),
        entry(
            O::CreateClient,
            "POST",
            "/v1/clients",
            Some(&client),
            [401, 403, 403, 201],
        ),
        entry(
            O::GetClients,
            "GET",
            "/v1/clients",
            None,
            [401, 200, 200, 200],
        ),
        entry(
            O::GetClient,
            "GET",
            &client_path,
            None,
            [401, 404, 403, 200],
        ),
        entry(
            O::UpdateClient,
            "PUT",
            &client_path,
            Some(&client),
            [401, 404, 403, 200],
        ),
        entry(
            O::RequestAccessKey,
            "POST",
            &keys,
            None,
            [401, 404, 403, 201],
        ),
        entry(
            O::DeleteAccessKey,
            "DELETE",
            &key,
            None,
            [401, 404, 403, 404],
        ),
        // The owner may not delete the last owner.
        entry(
            O::DeleteClient,
            "DELETE",
            &client_path,
            None,
            [401, 404, 403, 409],
        ),
        entry(
            O::AuthorizeUser,
            "GET",
            &read_check,
            None,
            [401, 403, 403, 200],
        ),
        entry(
            O::GetUserPermissionsForResource,
            "GET",
            &read_permissions,
            None,
            [401, 403, 403, 200],
        ),
        entry(
            O::GetUserRolesForResource,
            "GET",
            &read_roles,
            None,
            [401, 403, 403, 200],
        ),
        entry(
            O::GetUserResources,
            "GET",
            of_holder,
            None,
            [401, 403, 403, 200],
        ),
        entry(
            O::GetResourceUsers,
            "GET",
            "/v1/resources/things%2F1/users",
            None,
            [401, 403, 403, 200],
        ),
        entry(
            O::GetResourceUsers,
            "GET",
            "/v1/resources/things%2F1/users?permission=x:read",
            None,
            [401, 403, 403, 200],
        ),
        entry(
            O::AuthorizeUser,
            "GET",
            &format!("{read_check}?explain=true"),
            None,
            [401, 403, 403, 200],
        ),
        entry(O::GetUsers, "GET", "/v1/users", None, [401, 403, 403, 200]),
        entry(
            O::GetUser,
            "GET",
            "/v1/users/holder",
            None,
            [401, 404, 403, 200],
        ),
        entry(
            O::DeleteUser,
            "DELETE",
            "/v1/users/holder",
            None,
            [401, 404, 403, 202],
        ),
        entry(
            O::GetEvents,
            "GET",
            "/v1/events",
            None,
            [401, 403, 403, 200],
        ),
        entry(
            O::GetAccounts,
            "GET",
            "/v1/accounts",
            None,
            [401, 200, 200, 200],
        ),
        entry(O::GetAccount, "GET", &account, None, [401, 404, 403, 200]),
        entry(
            O::GetAccountIdentities,
            "GET",
            "/v1/identities",
            None,
            [401, 403, 403, 200],
        ),
        entry(
            O::DelegateAuthentication,
            "POST",
            "/v1/identities",
            Some(&identity),
            [401, 403, 403, 201],
        ),
        // Only service clients to whom it was given make tokens, and that was given to nobody here.
        entry(
            O::RequestUserToken,
            "POST",
            "/v1/users/u/tokens",
            Some(&given),
            [401, 403, 403, 403],
        ),
        entry(
            O::DisableUserToken,
            "DELETE",
            "/v1/users/u/tokens/tok_unknown",
            None,
            [401, 404, 403, 404],
        ),
        entry(
            O::SetUserTokenConfiguration,
            "PUT",
            "/v1/users/u/token-configuration",
            Some(&json!({})),
            [401, 404, 403, 200],
        ),
        entry(
            O::SetUserTokenConfiguration,
            "PUT",
            "/v1/users/u",
            Some(&json!({})),
            [401, 404, 403, 200],
        ),
        entry(
            O::CreateApplication,
            "POST",
            "/v1/applications",
            Some(&named),
            [401, 403, 403, 201],
        ),
        entry(
            O::GetApplications,
            "GET",
            "/v1/applications",
            None,
            [401, 200, 200, 200],
        ),
        entry(
            O::GetApplication,
            "GET",
            &application,
            None,
            [401, 404, 403, 200],
        ),
        entry(
            O::UpdateApplication,
            "PUT",
            &application,
            Some(&named),
            [401, 404, 403, 200],
        ),
        entry(
            O::DeleteApplication,
            "DELETE",
            &application,
            None,
            [401, 404, 403, 204],
        ),
        entry(
            O::CreateExtension,
            "POST",
            "/v1/extensions",
            Some(&json!({})),
            [401, 403, 403, 201],
        ),
        entry(
            O::GetExtensions,
            "GET",
            "/v1/extensions",
            None,
            [401, 200, 200, 200],
        ),
        entry(
            O::GetExtension,
            "GET",
            &extension,
            None,
            [401, 404, 403, 200],
        ),
        entry(
            O::UpdateExtension,
            "PUT",
            &extension,
            Some(&json!({})),
            [401, 404, 403, 200],
        ),
        entry(
            O::DeleteExtension,
            "DELETE",
            &extension,
            None,
            [401, 404, 403, 204],
        ),
        entry(
            O::CreateConnection,
            "POST",
            "/v1/connections",
            Some(&json!({})),
            [401, 403, 403, 201],
        ),
        entry(
            O::GetConnections,
            "GET",
            "/v1/connections",
            None,
            [401, 200, 200, 200],
        ),
        entry(
            O::GetConnection,
            "GET",
            "/v1/connections/con_1",
            None,
            [401, 404, 403, 200],
        ),
        entry(
            O::UpdateConnection,
            "PUT",
            "/v1/connections/con_1",
            Some(&json!({})),
            [401, 404, 403, 200],
        ),
        entry(
            O::DeleteConnection,
            "DELETE",
            "/v1/connections/con_1",
            None,
            [401, 404, 403, 204],
        ),
        entry(
            O::CreateTenant,
            "POST",
            "/v1/tenants",
            Some(&json!({})),
            [401, 403, 403, 201],
        ),
        entry(
            O::GetTenants,
            "GET",
            "/v1/tenants",
            None,
            [401, 200, 200, 200],
        ),
        entry(
            O::GetTenant,
            "GET",
            "/v1/tenants/t1",
            None,
            [401, 404, 403, 200],
        ),
        entry(
            O::UpdateTenant,
            "PUT",
            "/v1/tenants/t1",
            Some(&json!({})),
            [401, 404, 403, 200],
        ),
        entry(
            O::LinkTenantUser,
            "PATCH",
            "/v1/tenants/t1/users",
            Some(&json!({"userId": "u"})),
            [401, 404, 403, 204],
        ),
        entry(
            O::DeleteTenant,
            "DELETE",
            "/v1/tenants/t1",
            None,
            [401, 404, 403, 204],
        ),
        entry(
            O::GetOpenIdConfiguration,
            "GET",
            "/.well-known/openid-configuration",
            None,
            [200, 200, 200, 200],
        ),
        entry(
            O::GetUserTokenKeys,
            "GET",
            "/.well-known/openid-configuration/jwks",
            None,
            [200, 200, 200, 200],
        ),
        entry(
            O::GetClientTokenKeys,
            "GET",
            &jwks,
            None,
            [200, 200, 200, 200],
        ),
        entry(
            O::RequestToken,
            "POST",
            "/api/authentication/oauth/tokens",
            Some(&json!({"client_id": "sc_1", "client_secret": "wrong"})),
            [401, 401, 401, 401],
        ),
        entry(
            O::CreateDevelopmentToken,
            "POST",
            "/v1/dev/tokens",
            Some(&json!({"userId": "u"})),
            [200, 200, 200, 200],
        ),
        entry(O::GetHealth, "GET", "/healthz", None, [200, 200, 200, 200]),
        entry(
            O::GetReadiness,
            "GET",
            "/readyz",
            None,
            [200, 200, 200, 200],
        ),
        entry(O::GetMetrics, "GET", "/metrics", None, [200, 200, 200, 200]),
        entry(
            O::GetOpenApi,
            "GET",
            "/openapi.json",
            None,
            [200, 200, 200, 200],
        ),
        entry(
            O::GetDocumentation,
            "GET",
            "/docs",
            None,
            [200, 200, 200, 200],
        ),
    ]
}

#[tokio::test]
async fn a01_every_operation_as_nobody_stranger_neighbour_and_owner() {
    let (first, made) = furnished().await;
    let listed: BTreeSet<String> = table(&first, &made)
        .iter()
        .map(|entry| entry.operation.name())
        .collect();
    let all: BTreeSet<String> = Operation::ALL
        .iter()
        .map(|operation| operation.name())
        .collect();
    assert_eq!(listed, all, "every operation belongs into the table");
    let count = table(&first, &made).len();
    drop(first);
    for number in 0..count {
        // A world of its own for each: what one operation deletes, another needs.
        let (world, made) = furnished().await;
        let entry = &table(&world, &made)[number];
        let (nobody, stranger) = (String::new(), world.token("stranger"));
        let (neighbour, owner) = (world.token("neighbour"), world.owner.clone());
        for (who, credential, status) in [
            ("nobody", &nobody, entry.nobody),
            ("stranger", &stranger, entry.stranger),
            ("neighbour", &neighbour, entry.neighbour),
            ("owner", &owner, entry.owner),
        ] {
            let before = world.app.revision();
            let reply = world
                .send(credential, entry.method, &entry.target, entry.body.as_ref())
                .await;
            assert_eq!(
                reply.status, status,
                "{:?} as {who}: {}",
                entry.operation, reply.text
            );
            if status >= 400 {
                assert_eq!(
                    world.app.revision(),
                    before,
                    "{:?} as {who}",
                    entry.operation
                );
                for member in ["title", "errorCode", "errorId"] {
                    assert!(
                        reply.json()[member].is_string(),
                        "{:?} {member}",
                        entry.operation
                    );
                }
            }
            if status == 401 {
                assert_eq!(reply.header("www-authenticate").as_deref(), Some("Bearer"));
            }
        }
    }
}

#[tokio::test]
async fn t01_credentials_count_only_in_the_authorization_header() {
    let world = World::new(Engine::Memory).await;
    let token = world.token("alice");
    for (header, status) in [
        (String::new(), 401),
        ("Authorization: Basic YTpi\r\n".to_owned(), 401),
        ("Authorization: Bearer\r\n".to_owned(), 401),
        ("Authorization: Bearer \r\n".to_owned(), 401),
        (format!("Cookie: authorization={token}\r\n"), 401),
        (format!("Authorization: bearer {token}\r\n"), 200),
    ] {
        let target = format!("/v1/accounts?access_token={token}");
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: h\r\n{header}Connection: close\r\n\r\n");
        let reply = world.raw(request.as_bytes()).await;
        assert_eq!(reply.status, status, "{header}");
    }
}

#[tokio::test]
async fn t24_of_two_authorization_lines_the_first_counts() {
    let world = World::new(Engine::Memory).await;
    let (alice, owner) = (world.token("alice"), world.owner.clone());
    let target = crate::world::check("alice", "projects/42", "documents:read");
    let send = |first: String, second: String| {
        format!(
            "GET {target} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {first}\r\n\
             Authorization: Bearer {second}\r\nConnection: close\r\n\r\n"
        )
    };
    let user_first = send(alice.clone(), owner.clone());
    world.raw(user_first.as_bytes()).await.expect(200);
    let bad_first = send("bad".to_owned(), owner.clone());
    world.raw(bad_first.as_bytes()).await.expect(401);
    let good_first = send(owner, "bad".to_owned());
    world.raw(good_first.as_bytes()).await.expect(200);
}

#[tokio::test]
async fn what_is_not_built_says_so() {
    let world = World::new(Engine::Memory).await;
    for (method, target) in [
        ("POST", "/v1/claims"),
        ("GET", "/v1/resources"),
        ("PUT", "/v1/resources/a%2Fb"),
        ("GET", "/v1/connections/con_1/users/u/credentials"),
        ("POST", "/v1/applications/app_1/users/u/delegation"),
        ("POST", "/api/authentication"),
        ("PATCH", "/api/session"),
        ("GET", "/?client_id=ext_1&code_challenge=x"),
    ] {
        let reply = world.own(method, target, None).await.expect(501);
        assert_eq!(reply.code(), "NotImplemented");
    }
    for target in ["/", "/v2/invites", "/v1", "/V1/invites", "/v1/nothing"] {
        world.own("GET", target, None).await.expect(404);
    }
    let reply = world.own("PUT", "/v1/invites", None).await.expect(405);
    assert_eq!(reply.header("allow").as_deref(), Some("POST"));
}

#[tokio::test]
async fn development_tokens_exist_only_in_development() {
    let world = World::with(Engine::Memory, |settings| settings.development = false).await;
    let body = json!({"userId": "alice"});
    world
        .send("", "POST", "/v1/dev/tokens", Some(&body))
        .await
        .expect(404);
    let world = World::new(Engine::Memory).await;
    let reply = world
        .send("", "POST", "/v1/dev/tokens", Some(&body))
        .await
        .expect(200)
        .json();
    assert!(reply["expiresIn"].as_i64().unwrap() > 0);
    let token = reply["accessToken"].as_str().unwrap();
    world
        .send(token, "GET", "/v1/accounts", None)
        .await
        .expect(200);
    for reserved in ["sc_x", "SC_x", "Authress:Service", "authress:x", "", "a\nb"] {
        let body = json!({"userId": reserved});
        world
            .send("", "POST", "/v1/dev/tokens", Some(&body))
            .await
            .expect(400);
    }
}
