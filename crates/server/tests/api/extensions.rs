//! Extensions through the API: made and deleted as one with their applications and service clients.

use serde_json::{Value, json};

use crate::world::{Engine, World, engines};

fn extension() -> Value {
    json!({
        "name": "Weather",
        "application": {"redirectUrls": ["https://weather.example"]},
        "client": {"rateLimits": [{"duration": "PT1H", "quota": 1000}]},
        "tags": {"by": "weather"},
    })
}

async fn made(world: &World) -> Value {
    let body = extension();
    let reply = world.own("POST", "/v1/extensions", Some(&body)).await;
    reply.expect(201).json()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).unwrap().as_str().unwrap()
}

#[tokio::test]
async fn an_extension_has_an_application_and_a_client() {
    for engine in engines() {
        let world = World::new(engine).await;
        let answered = made(&world).await;
        let id = text(&answered, "/extensionId");
        let application = text(&answered, "/application/applicationId");
        let client = text(&answered, "/client/clientId");
        assert!(id.starts_with("ext_"), "{id}");
        assert!(application.starts_with("app_") && client.starts_with("sc_"));
        let links =
            |path: String| json!({"self": {"href": format!("http://guestlist.test{path}")}});
        let mut expected = extension();
        expected["extensionId"] = json!(id);
        expected["createdTime"] = json!("2026-01-02T03:04:05.678Z");
        expected["application"]["applicationId"] = json!(application);
        expected["application"]["links"] = links(format!("/v1/applications/{application}"));
        expected["client"]["clientId"] = json!(client);
        expected["client"]["links"] = links(format!("/v1/clients/{client}"));
        assert_eq!(answered, expected);
        let target = format!("/v1/extensions/{id}");
        let read = world.own("GET", &target, None).await.expect(200).json();
        assert_eq!(read, expected);
        let list = world
            .own("GET", "/v1/extensions/", None)
            .await
            .expect(200)
            .json();
        assert_eq!(list["extensions"], json!([expected]));
        // Both are there on their own, too.
        let one = world
            .own("GET", &format!("/v1/applications/{application}"), None)
            .await;
        let one = one.expect(200).json();
        assert_eq!(one["name"], "Weather");
        assert_eq!(one["redirectUrls"], json!(["https://weather.example"]));
        let one = world
            .own("GET", &format!("/v1/clients/{client}"), None)
            .await
            .expect(200);
        assert_eq!(
            one.json()["rateLimits"],
            json!([{"duration": "PT1H", "quota": 1000}])
        );
        // What was read is sent back; then less.
        let put = world
            .own("PUT", &target, Some(&read))
            .await
            .expect(200)
            .json();
        assert_eq!(put, expected);
        let bare = world
            .own("PUT", &target, Some(&json!({})))
            .await
            .expect(200)
            .json();
        assert_eq!(bare["application"]["redirectUrls"], json!([]));
        assert_eq!(bare["client"]["rateLimits"], json!([]));
        assert!(bare.get("name").is_none() && bare.get("tags").is_none());
        assert_eq!(world.count("extension.created").await, 1);
        assert_eq!(
            world.count("client.created").await,
            0,
            "one change, one event"
        );
    }
}

/// As the Go SDK sends it: read-only members with empty values.
#[tokio::test]
async fn empty_read_only_members_are_ignored() {
    let world = World::new(Engine::Memory).await;
    let body = json!({
        "extensionId": "",
        "createdTime": "0001-01-01T00:00:00Z",
        "application": null,
        "client": {"clientId": ""},
    });
    let reply = world
        .own("POST", "/v1/extensions", Some(&body))
        .await
        .expect(201);
    assert!(text(&reply.json(), "/client/clientId").starts_with("sc_"));
}

#[tokio::test]
async fn the_client_of_an_extension_calls_until_the_extension_is_deleted() {
    let world = World::new(Engine::Memory).await;
    let answered = made(&world).await;
    let client = text(&answered, "/client/clientId");
    let keys = format!("/v1/clients/{client}/access-keys");
    let key = world.own("POST", &keys, None).await.expect(201).json();
    let key = text(&key, "/accessKey").to_owned();
    world
        .send(&key, "GET", "/v1/accounts", None)
        .await
        .expect(200);
    world
        .give("rec_weather", client, &["ro_viewer"], &["weather"])
        .await;
    assert!(world.may(client, "weather/1", "documents:read").await);
    let target = format!("/v1/extensions/{}", text(&answered, "/extensionId"));
    world.own("DELETE", &target, None).await.expect(204);
    world
        .send(&key, "GET", "/v1/accounts", None)
        .await
        .expect(401);
    let application = text(&answered, "/application/applicationId");
    for gone in [
        target.clone(),
        format!("/v1/applications/{application}"),
        format!("/v1/clients/{client}"),
    ] {
        world.own("GET", &gone, None).await.expect(404);
    }
    world.own("DELETE", &target, None).await.expect(404);
}

#[tokio::test]
async fn the_application_goes_with_its_extension_only_and_the_client_may_go_before() {
    let world = World::new(Engine::Memory).await;
    let answered = made(&world).await;
    let application = format!(
        "/v1/applications/{}",
        text(&answered, "/application/applicationId")
    );
    let refused = world.own("DELETE", &application, None).await.expect(409);
    assert_eq!(refused.code(), "ApplicationInUse");
    let client = format!("/v1/clients/{}", text(&answered, "/client/clientId"));
    world.own("DELETE", &client, None).await.expect(204);
    let target = format!("/v1/extensions/{}", text(&answered, "/extensionId"));
    let read = world.own("GET", &target, None).await.expect(200).json();
    assert_eq!(read["client"]["clientId"], answered["client"]["clientId"]);
    assert_eq!(read["client"]["rateLimits"], json!([]));
    world.own("PUT", &target, Some(&read)).await.expect(200);
    // Nothing says that there is a limit where nothing could keep it.
    let refused = world
        .own("PUT", &target, Some(&extension()))
        .await
        .expect(404);
    assert!(refused.text.contains("service client"), "{}", refused.text);
    world.own("DELETE", &target, None).await.expect(204);
    world.own("GET", &application, None).await.expect(404);
}

#[tokio::test]
async fn the_last_owner_is_not_deleted_as_an_extension() {
    let world = World::new(Engine::Memory).await;
    let answered = made(&world).await;
    let client = text(&answered, "/client/clientId");
    let keys = format!("/v1/clients/{client}/access-keys");
    let key = world.own("POST", &keys, None).await.expect(201).json();
    let key = text(&key, "/accessKey").to_owned();
    world
        .give("rec_ext_owner", client, &["Authress:Owner"], &["*"])
        .await;
    // It becomes the only owner, and is asked to end itself.
    world
        .send(&key, "DELETE", "/v1/records/rec_owner", None)
        .await
        .expect(204);
    let target = format!("/v1/extensions/{}", text(&answered, "/extensionId"));
    let refused = world.send(&key, "DELETE", &target, None).await.expect(409);
    assert_eq!(refused.code(), "LastOwner");
    world
        .send(&key, "GET", "/v1/accounts", None)
        .await
        .expect(200);
}

#[tokio::test]
async fn extensions_survive_a_restart() {
    let world = World::new(Engine::Embedded).await;
    let answered = made(&world).await;
    let world = world.restart().await;
    let target = format!("/v1/extensions/{}", text(&answered, "/extensionId"));
    let read = world.own("GET", &target, None).await.expect(200);
    assert_eq!(read.json(), answered);
}
