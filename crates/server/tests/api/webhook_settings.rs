//! What is said of webhooks: read back, refused, bounded, and by whom it may be said.

use serde_json::json;

use crate::world::{Engine, World, engines};

#[tokio::test]
async fn what_is_said_of_a_webhook_is_read_back_without_its_secret() {
    for engine in engines() {
        let world = World::new(engine).await;
        let body = json!({"url": "https://hooks.example/x?token=y", "eventTypes": ["invite.*"],
            "enabled": false, "description": "the shop"});
        let made = world
            .own("POST", "/v1/webhooks", Some(&body))
            .await
            .expect(201)
            .json();
        assert!(made["webhookId"].as_str().unwrap().starts_with("whk_"));
        let target = format!("/v1/webhooks/{}", made["webhookId"].as_str().unwrap());
        let read = world.own("GET", &target, None).await.expect(200).json();
        let mut expected = made.clone();
        assert!(expected.as_object_mut().unwrap().remove("secret").is_some());
        assert_eq!(read, expected);
        assert_eq!(read["createdTime"], "2026-01-02T03:04:05.678Z");
        let list = world
            .own("GET", "/v1/webhooks?filter=SHOP", None)
            .await
            .json();
        assert_eq!(list["webhooks"], json!([read]));
        let list = world
            .own("GET", "/v1/webhooks?filter=other", None)
            .await
            .json();
        assert_eq!(list["webhooks"], json!([]));
        // What is left out is gone, but for whether it is enabled.
        let body = json!({"url": "https://hooks.example/y"});
        let changed = world
            .own("PUT", &target, Some(&body))
            .await
            .expect(200)
            .json();
        assert_eq!(changed["enabled"], false);
        assert_eq!(changed["eventTypes"], json!([]));
        assert!(changed.get("description").is_none() && changed.get("secret").is_none());
        for (path, bad) in [
            (
                "eventTypes[1]",
                json!({"url": "https://a.example", "eventTypes": ["invite.*", "invite.acepted"]}),
            ),
            (
                "eventTypes[0]",
                json!({"url": "https://a.example", "eventTypes": ["webhook.progressed"]}),
            ),
            (
                "eventTypes[0]",
                json!({"url": "https://a.example", "eventTypes": ["invites"]}),
            ),
            ("url", json!({"url": "hooks"})),
        ] {
            for (method, target) in [("POST", "/v1/webhooks"), ("PUT", target.as_str())] {
                let refused = world.own(method, target, Some(&bad)).await.expect(400);
                assert_eq!(refused.json()["path"], path, "{bad}");
            }
        }
    }
}

#[tokio::test]
async fn there_are_twenty_webhooks_at_most() {
    let world = World::new(Engine::Memory).await;
    let body = json!({"url": "https://hooks.example/", "enabled": false});
    let make = async || world.own("POST", "/v1/webhooks", Some(&body)).await;
    for _ in 0..19 {
        make().await.expect(201);
    }
    let last = make().await.expect(201).json();
    assert_eq!(make().await.expect(422).code(), "TooManyWebhooks");
    let target = format!("/v1/webhooks/{}", last["webhookId"].as_str().unwrap());
    world.own("DELETE", &target, None).await.expect(204);
    make().await.expect(201);
}

#[tokio::test]
async fn who_has_events_sent_must_be_able_to_read_them() {
    let world = World::new(Engine::Memory).await;
    world.role("ro_all", &[("*", true, false, false)]).await;
    world.role("ro_read", &[("READ", true, false, false)]).await;
    world
        .give("rec_1", "half", &["ro_all"], &["Authress:Webhooks"])
        .await;
    world
        .give("rec_2", "whole", &["ro_all"], &["Authress:Webhooks"])
        .await;
    world
        .give("rec_3", "whole", &["ro_read"], &["Authress:Events"])
        .await;
    let off = json!({"url": "https://hooks.example/", "enabled": false});
    let refused = world
        .as_user("half", "POST", "/v1/webhooks", Some(&off))
        .await;
    let title = refused.expect(403).json()["title"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(title.contains("READ on Authress:Events"), "{title}");
    let made = world
        .as_user("whole", "POST", "/v1/webhooks", Some(&off))
        .await;
    let made = made.expect(201).json();
    let target = &format!("/v1/webhooks/{}", made["webhookId"].as_str().unwrap());
    let described = json!({"url": "https://hooks.example/", "description": "x"});
    world
        .as_user("half", "PUT", target, Some(&described))
        .await
        .expect(200);
    for (what, more) in [
        (
            "enabling",
            json!({"url": "https://hooks.example/", "enabled": true}),
        ),
        ("another URL", json!({"url": "https://hooks.example/2"})),
        (
            "other events",
            json!({"url": "https://hooks.example/", "eventTypes": ["role.*"]}),
        ),
    ] {
        let refused = world.as_user("half", "PUT", target, Some(&more)).await;
        assert_eq!(refused.status, 403, "{what}: {}", refused.text);
        let allowed = world.as_user("whole", "PUT", target, Some(&more)).await;
        assert_eq!(allowed.status, 200, "{what}: {}", allowed.text);
        world
            .as_user("whole", "PUT", target, Some(&off))
            .await
            .expect(200);
    }
    let replay = json!({"after": 0});
    let path = &format!("{target}/replay");
    world
        .as_user("half", "POST", path, Some(&replay))
        .await
        .expect(403);
    world
        .as_user("whole", "POST", path, Some(&replay))
        .await
        .expect(204);
}
