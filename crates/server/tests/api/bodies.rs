//! Bodies that are JSON, but not of the kind that the API describes.

use serde_json::{Value, json};

use crate::world::{Engine, World};

/// The path and the title of a refusal of a body.
async fn refused(world: &World, method: &str, target: &str, body: &Value) -> (String, String) {
    let before = world.events().await.len();
    let reply = world.own(method, target, Some(body)).await.expect(400);
    assert_eq!(world.events().await.len(), before, "{target} {body}");
    let told = reply.json();
    let text = |member: &str| told[member].as_str().unwrap_or_default().to_owned();
    (text("path"), text("title"))
}

async fn all_refused(world: &World, cases: &[(&str, &str, Value, &str)]) {
    for (method, target, body, path) in cases {
        let (told, title) = refused(world, method, target, body).await;
        assert_eq!(&told, path, "{target} {body}: {title}");
        let says = title.contains("expected an object, not an array");
        assert!(says, "{target} {body}: {title}");
    }
}

#[tokio::test]
async fn an_array_is_never_taken_for_an_object() {
    let world = World::new(Engine::Memory).await;
    let resource = json!({ "resourceUri": "a" });
    let statement = json!([["Authress:Owner"], [resource]]);
    let part = json!({ "roles": ["Authress:Owner"], "resources": [["a"]] });
    let permission = json!(["a:b", true, false, false]);
    let cases = [
        ("POST", "/v1/invites", json!([[]]), ""),
        (
            "POST",
            "/v1/invites",
            json!({ "statements": [statement] }),
            "statements[0]",
        ),
        (
            "POST",
            "/v1/invites",
            json!({ "statements": [part] }),
            "statements[0].resources[0]",
        ),
        (
            "POST",
            "/v1/records",
            json!({ "name": "n", "users": [["u"]] }),
            "users[0]",
        ),
        (
            "POST",
            "/v1/groups",
            json!({ "name": "n", "users": [["u"]] }),
            "users[0]",
        ),
        (
            "POST",
            "/v1/roles",
            json!({ "permissions": [permission] }),
            "permissions[0]",
        ),
        (
            "POST",
            "/v1/identities",
            json!([null, "https://issuer.example", "app"]),
            "",
        ),
        ("POST", "/v1/dev/tokens", json!(["alice"]), ""),
    ];
    all_refused(&world, &cases).await;
}

#[tokio::test]
async fn nor_is_it_where_every_member_may_be_absent() {
    let world = World::new(Engine::Memory).await;
    let body = json!({ "name": "Worker" });
    let made = world
        .own("POST", "/v1/clients", Some(&body))
        .await
        .expect(201);
    let client = format!("/v1/clients/{}", made.json()["clientId"].as_str().unwrap());
    let keys = format!("{client}/access-keys");
    let limits = json!({ "rateLimits": [["PT5M", 100]] });
    let cases = [
        ("PUT", client.as_str(), json!([null, null]), ""),
        ("PUT", &client, json!([]), ""),
        (
            "PUT",
            &client,
            json!({ "options": [true, true] }),
            "options",
        ),
        ("PUT", &client, limits, "rateLimits[0]"),
        ("POST", &keys, json!([null]), ""),
        ("POST", "/v1/clients", json!(["Worker"]), ""),
    ];
    all_refused(&world, &cases).await;
}

#[tokio::test]
async fn an_object_is_never_taken_for_a_word() {
    let world = World::new(Engine::Memory).await;
    let body = json!({
        "statements": [{ "roles": ["Authress:Owner"], "resources": [{ "resourceUri": "a" }] }],
        "conflictResolutionStrategy": { "SKIP_CHANGES": null },
    });
    let (path, title) = refused(&world, "POST", "/v1/invites", &body).await;
    assert_eq!(path, "conflictResolutionStrategy");
    assert!(
        title.contains("expected a string, not an object"),
        "{title}"
    );
}
