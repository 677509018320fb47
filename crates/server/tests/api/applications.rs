//! Applications through the API.

use serde_json::{Value, json};

use crate::world::{Engine, World, engines};

fn application() -> Value {
    json!({
        "name": "Shop",
        "redirectUrls": ["https://shop.example/callback", "com.example.shop:/callback"],
        "sessionType": "SINGLE_SESSION",
        "audiences": ["shop", "https://api.shop.example"],
        "tags": {"team": "shop"},
    })
}

async fn made(world: &World) -> Value {
    let body = application();
    let reply = world.own("POST", "/v1/applications", Some(&body)).await;
    reply.expect(201).json()
}

#[tokio::test]
async fn what_is_said_of_an_application_is_read_back() {
    for engine in engines() {
        let world = World::new(engine).await;
        let answered = made(&world).await;
        let id = answered["applicationId"].as_str().unwrap().to_owned();
        assert!(id.starts_with("app_") && id.len() == 20, "{id}");
        let mut expected = application();
        expected["applicationId"] = json!(id);
        expected["createdTime"] = json!("2026-01-02T03:04:05.678Z");
        expected["lastUpdated"] = json!("2026-01-02T03:04:05.678Z");
        assert_eq!(answered, expected);
        let target = format!("/v1/applications/{id}");
        let read = world.own("GET", &target, None).await.expect(200).json();
        assert_eq!(read, expected);
        // What a client read can be sent back whole; what is left out is not set.
        let put = world
            .own("PUT", &target, Some(&read))
            .await
            .expect(200)
            .json();
        assert_eq!(put["redirectUrls"], expected["redirectUrls"]);
        assert_ne!(put["lastUpdated"], expected["lastUpdated"]);
        let bare = world
            .own("PUT", &target, Some(&json!({"name": "Bare"})))
            .await;
        let bare = bare.expect(200).json();
        assert_eq!(bare["sessionType"], "MULTI_SESSION");
        assert_eq!(
            (&bare["redirectUrls"], &bare["tags"]),
            (&json!([]), &json!({}))
        );
        world.own("DELETE", &target, None).await.expect(204);
        for (method, body) in [("GET", None), ("PUT", Some(&read)), ("DELETE", None)] {
            let reply = world.own(method, &target, body).await.expect(404);
            assert_eq!(reply.code(), "NotFound", "{method}");
        }
    }
}

#[tokio::test]
async fn what_an_application_cannot_have_is_refused_with_its_place() {
    let world = World::new(Engine::Memory).await;
    for (path, member, value) in [
        ("name", "name", Value::Null),
        ("name", "name", json!("a".repeat(65))),
        (
            "redirectUrls[0]",
            "redirectUrls",
            json!(["javascript:alert(1)"]),
        ),
        (
            "redirectUrls[1]",
            "redirectUrls",
            json!(["https://a", "localhost:3000"]),
        ),
        (
            "redirectUrls",
            "redirectUrls",
            json!(vec!["https://a"; 101]),
        ),
        ("sessionType", "sessionType", json!("NO_SESSION")),
        ("audiences", "audiences", json!(vec!["a"; 11])),
    ] {
        let mut body = application();
        body[member] = value;
        let reply = world
            .own("POST", "/v1/applications", Some(&body))
            .await
            .expect(400);
        assert_eq!(reply.json()["path"], path, "{}", reply.text);
    }
}

#[tokio::test]
async fn applications_are_listed_by_filter_and_survive_a_restart() {
    let world = World::new(Engine::Embedded).await;
    let answered = made(&world).await;
    world
        .own("POST", "/v1/applications", Some(&json!({"name": "Other"})))
        .await
        .expect(201);
    let world = world.restart().await;
    for filter in [
        "SHOP.EXAMPLE/CALL",
        "shop",
        answered["applicationId"].as_str().unwrap(),
    ] {
        let target = format!("/v1/applications/?filter={filter}");
        let page = world.own("GET", &target, None).await.expect(200).json();
        assert_eq!(page["applications"], json!([answered]), "{filter}");
    }
    let page = world
        .own("GET", "/v1/applications?limit=1", None)
        .await
        .expect(200)
        .json();
    assert_eq!(page["applications"].as_array().unwrap().len(), 1);
    assert!(page["pagination"]["next"]["cursor"].is_string());
}

#[tokio::test]
async fn signing_users_in_to_the_applications_of_others_is_not_there_yet() {
    let world = World::new(Engine::Memory).await;
    let id = made(&world).await["applicationId"]
        .as_str()
        .unwrap()
        .to_owned();
    for user in ["alice", "a/b", "a%2Fb"] {
        let target = format!("/v1/applications/{id}/users/{user}/delegation");
        let reply = world.own("POST", &target, None).await.expect(501);
        assert!(
            reply.text.contains("signing users in to the applications"),
            "{}",
            reply.text
        );
    }
}
