//! Rate limits of service clients: enforced on every request, told with 429, and of each client its
//! own.

use serde_json::{Value, json};

use crate::world::{Engine, World};

/// Makes a client with a limit and a key.
async fn limited(world: &World, limits: &Value) -> (String, String) {
    let body = json!({"name": "Limited", "rateLimits": limits});
    let made = world
        .own("POST", "/v1/clients", Some(&body))
        .await
        .expect(201);
    let id = made.json()["clientId"].as_str().unwrap().to_owned();
    let keys = format!("/v1/clients/{id}/access-keys");
    let key = world.own("POST", &keys, None).await.expect(201).json();
    (id, key["accessKey"].as_str().unwrap().to_owned())
}

async fn calls(world: &World, key: &str, count: usize) {
    for number in 0..count {
        let reply = world.send(key, "GET", "/v1/accounts", None).await;
        assert_eq!(reply.status, 200, "call {number}: {}", reply.text);
    }
}

#[tokio::test]
async fn requests_beyond_the_quota_are_refused_until_the_time_is_over() {
    let world = World::new(Engine::Memory).await;
    let limits = json!([{"duration": "PT5M", "quota": 5}]);
    let (_, key) = limited(&world, &limits).await;
    let (_, other) = limited(&world, &limits).await;
    // What fails counts as well: it is work, too.
    world
        .send(&key, "GET", "/v1/records/rec_owner", None)
        .await
        .expect(404);
    calls(&world, &key, 4).await;
    let before = world.app.revision();
    let record = json!({"name": "n", "statements": []});
    let refused = world
        .send(&key, "POST", "/v1/records", Some(&record))
        .await
        .expect(429);
    assert_eq!(refused.code(), "TooManyRequests");
    assert_eq!(world.app.revision(), before);
    // It says how long; SDKs that sleep for it sleep a minute.
    assert!(refused.text.contains("in 300 seconds"), "{}", refused.text);
    assert_eq!(refused.header("retry-after").as_deref(), Some("60"));
    // Others are not concerned: another client, users, the owner, and what needs no caller.
    calls(&world, &other, 5).await;
    world
        .as_user("alice", "GET", "/v1/accounts", None)
        .await
        .expect(200);
    world.own("GET", "/v1/accounts", None).await.expect(200);
    world.clock.advance(299_999);
    let refused = world
        .send(&key, "GET", "/v1/accounts", None)
        .await
        .expect(429);
    assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
    world.clock.advance(1);
    calls(&world, &key, 5).await;
    world
        .send(&key, "GET", "/v1/accounts", None)
        .await
        .expect(429);
}

#[tokio::test]
async fn a_new_limit_is_in_force_at_once_and_what_was_used_stays_used() {
    let world = World::new(Engine::Memory).await;
    let (id, key) = limited(&world, &json!([{"duration": "PT1H", "quota": 3}])).await;
    let target = format!("/v1/clients/{id}");
    calls(&world, &key, 3).await;
    world
        .send(&key, "GET", "/v1/accounts", None)
        .await
        .expect(429);
    // Another name or another key is no new quota.
    let same = json!({"name": "Renamed", "rateLimits": [{"duration": "PT1H", "quota": 3}]});
    world.own("PUT", &target, Some(&same)).await.expect(200);
    world
        .own("POST", &format!("{target}/access-keys"), None)
        .await
        .expect(201);
    world
        .send(&key, "GET", "/v1/accounts", None)
        .await
        .expect(429);
    let more = json!({"rateLimits": [{"duration": "PT1H", "quota": 4}]});
    world.own("PUT", &target, Some(&more)).await.expect(200);
    calls(&world, &key, 4).await;
    world
        .send(&key, "GET", "/v1/accounts", None)
        .await
        .expect(429);
    world
        .own("PUT", &target, Some(&json!({})))
        .await
        .expect(200);
    calls(&world, &key, 20).await;
}

#[tokio::test]
async fn what_limits_nothing_is_no_limit_and_what_allows_nothing_is_refused() {
    let world = World::new(Engine::Memory).await;
    for limits in [
        json!([]),
        json!([{"duration": "PT0S", "quota": 100}]),
        json!([{"duration": "PT1H", "quota": null}]),
    ] {
        let (_, key) = limited(&world, &limits).await;
        calls(&world, &key, 10).await;
    }
    let nothing = json!({"rateLimits": [{"duration": "PT1H", "quota": 0}]});
    let refused = world
        .own("POST", "/v1/clients", Some(&nothing))
        .await
        .expect(400);
    assert_eq!(refused.json()["path"], "rateLimits[0].quota");
    let owner = format!("/v1/clients/{}", world.owner_id);
    world.own("PUT", &owner, Some(&nothing)).await.expect(400);
    let nothing = json!({"client": nothing});
    let refused = world
        .own("POST", "/v1/extensions", Some(&nothing))
        .await
        .expect(400);
    assert_eq!(refused.json()["path"], "client.rateLimits[0].quota");
}

#[tokio::test]
async fn the_limit_of_an_extension_is_that_of_its_client() {
    let world = World::new(Engine::Memory).await;
    let body = json!({"client": {"rateLimits": [{"duration": "P1D", "quota": 2}]}});
    let made = world
        .own("POST", "/v1/extensions", Some(&body))
        .await
        .expect(201)
        .json();
    let client = made["client"]["clientId"].as_str().unwrap();
    let keys = format!("/v1/clients/{client}/access-keys");
    let key = world.own("POST", &keys, None).await.expect(201).json();
    let key = key["accessKey"].as_str().unwrap();
    calls(&world, key, 2).await;
    world
        .send(key, "GET", "/v1/accounts", None)
        .await
        .expect(429);
    world.clock.advance(24 * 60 * 60 * 1000);
    calls(&world, key, 2).await;
}

#[tokio::test]
async fn a_limit_survives_a_restart_and_begins_anew() {
    let world = World::new(Engine::Embedded).await;
    let (_, key) = limited(&world, &json!([{"duration": "P1M", "quota": 2}])).await;
    calls(&world, &key, 2).await;
    world
        .send(&key, "GET", "/v1/accounts", None)
        .await
        .expect(429);
    let world = world.restart().await;
    calls(&world, &key, 2).await;
    world
        .send(&key, "GET", "/v1/accounts", None)
        .await
        .expect(429);
}
