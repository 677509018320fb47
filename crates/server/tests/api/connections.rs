//! Connections through the API: what is written is read back, but for the secret, which only the
//! server can read again.

use guestlist_rules::changes::Kind;
use guestlist_rules::connections::StoredConnection;
use guestlist_server::sealing::Sealed;
use serde_json::{Value, json};

use crate::world::{Engine, World, engines};

const SECRET: &str = "canary-of-the-provider-0123456789";

fn connection(id: &str) -> Value {
    json!({
        "connectionId": id,
        "type": "OAUTH2",
        "authenticationUrl": "https://login.example/authorize",
        "tokenUrl": "https://login.example/token",
        "issuerUrl": "https://login.example/",
        "providerCertificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "clientId": "client.of@provider",
        "clientSecretId": "1",
        "userDataConfiguration": {"location": "CHE"},
        "data": {
            "developerAccountId": "dev",
            "name": "Acme",
            "supportedContentType": "application/x-www-form-urlencoded",
            "oidcUserEndpointUrl": "https://login.example/user",
            "userIdExpression": "acme|{sub}",
            "trustIdentityUserId": false,
        },
        "defaultConnectionProperties": {"scope": "openid", "prompt": "login"},
        "conditions": {
            "requireBusinessAccount": true,
            "authenticationLeewayDuration": "PT5M",
        },
        "tenantConfiguration": {"assignmentType": "TRUSTED_DOMAIN_FALLBACK"},
        "linkingConfiguration": {"type": "EXPLICIT"},
        "tags": {"team": "identity"},
    })
}

fn with_secret(id: &str) -> Value {
    let mut body = connection(id);
    body["clientSecret"] = json!(SECRET);
    body
}

async fn made(world: &World, id: &str) -> Value {
    let body = with_secret(id);
    let reply = world.own("POST", "/v1/connections", Some(&body)).await;
    let reply = reply.expect(201);
    assert!(!reply.text.contains(SECRET), "{}", reply.text);
    reply.json()
}

/// The secret as only the server can read it.
async fn secret(world: &World, id: &str) -> Option<String> {
    let seen = world.app.store.get(Kind::Connection, id).await.unwrap()?;
    let body = String::from_utf8(seen.value.body.clone()).unwrap();
    assert!(!body.contains(SECRET), "{body}");
    let stored: StoredConnection = seen.value.read().unwrap();
    let sealed = stored.sealed_secret?;
    let key = &world.app.sealing_key;
    let opened = key.open(Sealed::ConnectionSecret, id, &sealed.0).unwrap();
    Some(opened.as_str().to_owned())
}

#[tokio::test]
async fn what_is_said_of_a_connection_is_read_back_without_its_secret() {
    for engine in engines() {
        let world = World::new(engine).await;
        let answered = made(&world, "con_1").await;
        let mut expected = connection("con_1");
        expected["hasClientSecret"] = json!(true);
        expected["createdTime"] = json!("2026-01-02T03:04:05.678Z");
        expected["lastUpdated"] = json!("2026-01-02T03:04:05.678Z");
        assert_eq!(answered, expected);
        let target = "/v1/connections/con_1";
        let read = world.own("GET", target, None).await.expect(200);
        assert_eq!(read.json(), expected);
        let list = world.own("GET", "/v1/connections/", None).await.expect(200);
        assert_eq!(list.json()["connections"], json!([expected]));
        assert!(!list.text.contains(SECRET) && !read.text.contains(SECRET));
        assert_eq!(secret(&world, "con_1").await.as_deref(), Some(SECRET));
        for event in world.events().await {
            assert!(!event.to_string().contains(SECRET), "{event}");
        }
        world.own("DELETE", target, None).await.expect(204);
        for (method, body) in [("GET", None), ("PUT", Some(&expected)), ("DELETE", None)] {
            let reply = world.own(method, target, body).await.expect(404);
            assert_eq!(reply.code(), "NotFound", "{method}");
        }
    }
}

#[tokio::test]
async fn a_secret_that_is_not_sent_stays_for_the_same_provider_only() {
    let world = World::new(Engine::Memory).await;
    let read = made(&world, "con_1").await;
    let target = "/v1/connections/con_1";
    // As a client does that reads, changes and writes back.
    let mut changed = read.clone();
    changed["data"]["name"] = json!("Acme Ltd");
    changed["clientSecret"] = json!("");
    let put = world.own("PUT", target, Some(&changed)).await.expect(200);
    assert_eq!(put.json()["hasClientSecret"], true);
    assert!(put.json()["lastUpdated"].as_str() > read["lastUpdated"].as_str());
    assert_eq!(secret(&world, "con_1").await.as_deref(), Some(SECRET));
    // Somebody who may change a connection does not get its secret sent to a place of theirs.
    for member in ["authenticationUrl", "tokenUrl", "issuerUrl", "clientId"] {
        for value in [json!("https://evil.example/x"), Value::Null] {
            let mut elsewhere = connection("con_1");
            elsewhere[member] = value;
            let reply = world.own("PUT", target, Some(&elsewhere)).await.expect(400);
            assert_eq!(reply.json()["path"], "clientSecret", "{member}");
        }
    }
    assert_eq!(secret(&world, "con_1").await.as_deref(), Some(SECRET));
    // With a secret of its own the new provider is taken.
    let mut other = connection("con_1");
    other["tokenUrl"] = json!("https://other.example/token");
    other["clientSecret"] = json!("another-secret");
    world.own("PUT", target, Some(&other)).await.expect(200);
    assert_eq!(
        secret(&world, "con_1").await.as_deref(),
        Some("another-secret")
    );
    // Another type begins without one.
    let saml = json!({"type": "SAML2"});
    let put = world.own("PUT", target, Some(&saml)).await.expect(200);
    assert_eq!(put.json()["hasClientSecret"], false);
    assert_eq!(secret(&world, "con_1").await, None);
}

#[tokio::test]
async fn the_secret_of_one_connection_is_of_no_use_in_another() {
    let world = World::new(Engine::Memory).await;
    made(&world, "con_1").await;
    let seen = world.app.store.get(Kind::Connection, "con_1").await;
    let stored: StoredConnection = seen.unwrap().unwrap().value.read().unwrap();
    let sealed = stored.sealed_secret.unwrap().0;
    let key = &world.app.sealing_key;
    assert!(key.open(Sealed::ConnectionSecret, "con_1", &sealed).is_ok());
    assert!(
        key.open(Sealed::ConnectionSecret, "con_2", &sealed)
            .is_err()
    );
}

#[tokio::test]
async fn a_connection_has_a_made_id_or_one_that_is_free() {
    let world = World::new(Engine::Memory).await;
    for body in [
        json!({}),
        json!({"connectionId": ""}),
        json!({"connectionId": null}),
    ] {
        let reply = world
            .own("POST", "/v1/connections", Some(&body))
            .await
            .expect(201);
        let id = reply.json()["connectionId"].as_str().unwrap().to_owned();
        assert!(id.starts_with("con_") && id.len() == 20, "{id}");
        assert_eq!(reply.json()["type"], "OAUTH2");
    }
    made(&world, "acme:1.x").await;
    let again = world
        .own("POST", "/v1/connections", Some(&connection("acme:1.x")))
        .await;
    assert_eq!(again.expect(409).code(), "ConnectionAlreadyExists");
    assert_eq!(secret(&world, "acme:1.x").await.as_deref(), Some(SECRET));
    let target = "/v1/connections/acme%3A1.x";
    let other = world.own("PUT", target, Some(&connection("other"))).await;
    assert_eq!(other.expect(400).json()["path"], "connectionId");
}

#[tokio::test]
async fn what_a_connection_cannot_have_is_refused_with_its_place() {
    let world = World::new(Engine::Memory).await;
    for (path, member, value) in [
        ("type", "type", json!("OAUTH3")),
        ("connectionId", "connectionId", json!("..")),
        ("tokenUrl", "tokenUrl", json!("login.example")),
        (
            "authenticationUrl",
            "authenticationUrl",
            json!("javascript:alert(1)"),
        ),
        ("clientSecret", "clientSecret", json!(SECRET.repeat(70))),
        ("clientSecret", "clientSecret", json!([SECRET])),
        ("providerCertificate", "providerCertificate", json!("\u{0}")),
        ("data.name", "data", json!({"name": "a".repeat(65)})),
        ("data", "data", json!(["a"])),
        (
            "conditions.authenticationLeewayDuration",
            "conditions",
            json!({"authenticationLeewayDuration": "PT2H"}),
        ),
        (
            "tenantConfiguration.assignmentType",
            "tenantConfiguration",
            json!({"assignmentType": "NONE"}),
        ),
        (
            "defaultConnectionProperties",
            "defaultConnectionProperties",
            json!({"scope": "a".repeat(385)}),
        ),
    ] {
        let mut body = with_secret("con_1");
        body[member] = value;
        let reply = world
            .own("POST", "/v1/connections", Some(&body))
            .await
            .expect(400);
        assert_eq!(reply.json()["path"], path, "{}", reply.text);
        assert!(!reply.text.contains("canary"), "{}", reply.text);
    }
}

#[tokio::test]
async fn the_rust_sdk_is_told_only_types_that_it_knows() {
    let world = World::new(Engine::Memory).await;
    for (kind, told) in [
        ("OAUTH2", true),
        ("SAML2", true),
        ("WebAuthN", true),
        ("PASSWORD", false),
        ("OPENID-LEGACY", false),
    ] {
        let id = format!("con_{kind}");
        let body = json!({"connectionId": id, "type": kind});
        let reply = world
            .own("POST", "/v1/connections", Some(&body))
            .await
            .expect(201);
        assert_eq!(reply.json()["type"], kind);
        let target = format!("/v1/connections/{id}");
        let agent = [("User-Agent", "Authress SDK; Rust; ;")];
        let owner = &world.owner;
        let read = world.send_with(owner, "GET", &target, &agent, None).await;
        let kind = read.expect(200).json()["type"].clone();
        assert_eq!(kind.is_string(), told, "{id}");
    }
}

#[tokio::test]
async fn a_tenant_takes_the_connection_with_it_that_is_its_own() {
    let world = World::new(Engine::Memory).await;
    let tenant = |id: &str, connection: &str| json!({"tenantId": id, "connection": {"connectionId": connection}});
    let there = async |id: &str| {
        world
            .own("GET", &format!("/v1/connections/{id}"), None)
            .await
            .status
    };
    for id in ["con_own", "con_shared"] {
        made(&world, id).await;
    }
    for (id, connection) in [
        ("own", "con_own"),
        ("one", "con_shared"),
        ("two", "con_shared"),
        ("dangling", "con_none"),
    ] {
        let body = tenant(id, connection);
        world
            .own("POST", "/v1/tenants", Some(&body))
            .await
            .expect(201);
    }
    world
        .own("DELETE", "/v1/tenants/own", None)
        .await
        .expect(204);
    assert_eq!(there("con_own").await, 404);
    world
        .own("DELETE", "/v1/tenants/one", None)
        .await
        .expect(204);
    assert_eq!(there("con_shared").await, 200, "another tenant has it");
    world
        .own("DELETE", "/v1/tenants/two", None)
        .await
        .expect(204);
    assert_eq!(there("con_shared").await, 404);
    world
        .own("DELETE", "/v1/tenants/dangling", None)
        .await
        .expect(204);
}

/// To name a connection is no way to delete one that the caller may not change.
#[tokio::test]
async fn a_tenant_does_not_take_the_connection_of_others_with_it() {
    let world = World::new(Engine::Memory).await;
    made(&world, "con_foreign").await;
    let tenant = json!({"tenantId": "foreign", "connection": {"connectionId": "con_foreign"}});
    world
        .own("POST", "/v1/tenants", Some(&tenant))
        .await
        .expect(201);
    world
        .role("ro_update", &[("UPDATE", true, false, false)])
        .await;
    world
        .give(
            "rec_t",
            "beth",
            &["ro_update"],
            &["Authress:Tenants/foreign"],
        )
        .await;
    let target = "/v1/tenants/foreign";
    let refused = world
        .as_user("beth", "DELETE", target, None)
        .await
        .expect(403);
    assert!(
        refused.text.contains("Authress:Connections/con_foreign"),
        "{}",
        refused.text
    );
    assert_eq!(
        world
            .own("GET", "/v1/connections/con_foreign", None)
            .await
            .status,
        200
    );
    world
        .as_user("beth", "PUT", target, Some(&json!({})))
        .await
        .expect(200);
    world
        .as_user("beth", "DELETE", target, None)
        .await
        .expect(204);
    assert_eq!(
        world
            .own("GET", "/v1/connections/con_foreign", None)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn connections_are_listed_in_pages_and_by_filter() {
    let world = World::new(Engine::Memory).await;
    for number in 0..3 {
        let mut body = with_secret(&format!("con_{number}"));
        body["data"]["name"] = json!(format!("Name {number}"));
        world
            .own("POST", "/v1/connections", Some(&body))
            .await
            .expect(201);
    }
    let first = world
        .own("GET", "/v1/connections?limit=2", None)
        .await
        .expect(200)
        .json();
    assert_eq!(first["connections"].as_array().unwrap().len(), 2);
    let cursor = first["pagination"]["next"]["cursor"].as_str().unwrap();
    let target = format!("/v1/connections?limit=2&cursor={cursor}");
    let second = world.own("GET", &target, None).await.expect(200).json();
    assert_eq!(second["connections"][0]["connectionId"], "con_2");
    let found = world
        .own("GET", "/v1/connections?filter=NAME%201", None)
        .await
        .expect(200)
        .json();
    assert_eq!(found["connections"][0]["connectionId"], "con_1");
    // A filter is no way to guess a secret.
    let guessed = world
        .own("GET", "/v1/connections?filter=canary", None)
        .await
        .expect(200);
    assert_eq!(guessed.json()["connections"], json!([]));
}

#[tokio::test]
async fn a_secret_survives_a_restart() {
    let world = World::new(Engine::Embedded).await;
    let answered = made(&world, "con_1").await;
    let world = world.restart().await;
    let read = world
        .own("GET", "/v1/connections/con_1", None)
        .await
        .expect(200);
    assert_eq!(read.json(), answered);
    assert_eq!(secret(&world, "con_1").await.as_deref(), Some(SECRET));
}

#[tokio::test]
async fn what_users_get_by_signing_in_is_not_there_yet() {
    let world = World::new(Engine::Memory).await;
    made(&world, "con_1").await;
    for user in ["alice", "a/b", "a%2Fb"] {
        let target = format!("/v1/connections/con_1/users/{user}/credentials");
        let reply = world.own("GET", &target, None).await.expect(501);
        assert!(
            reply.text.contains("signing in through a connection"),
            "{}",
            reply.text
        );
    }
}
