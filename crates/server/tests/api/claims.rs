//! Claims through the API: the first to claim a resource that is nobody's owns it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::world::{Engine, Reply, World, encode, engines, invite_of};

async fn configure(world: &World, collection: &str, allow: bool) {
    let body = json!({"permissions": [{"action": "CLAIM", "allow": allow}]});
    let target = format!("/v1/resources/{}", encode(collection));
    world.own("PUT", &target, Some(&body)).await.expect(200);
}

fn claim_of(collection: &str, id: &str) -> Value {
    json!({"collectionResource": collection, "resourceId": id})
}

async fn claim(world: &World, user: &str, collection: &str, id: &str) -> Reply {
    let body = claim_of(collection, id);
    world.as_user(user, "POST", "/v1/claims", Some(&body)).await
}

#[tokio::test]
async fn the_first_to_claim_owns_it() {
    for engine in engines() {
        let world = World::new(engine).await;
        configure(&world, "rooms", true).await;
        let reply = claim(&world, "ann", "/rooms/", "1").await.expect(201);
        assert_eq!(reply.json(), json!({}));
        assert!(world.may("ann", "rooms/1", "anything").await);
        assert!(world.may("ann", "rooms/1/below", "anything").await);
        for beyond in ["rooms", "rooms/2", "rooms/10", "*"] {
            assert!(!world.may("ann", beyond, "anything").await, "{beyond}");
        }
        // The same caller again, and anybody else.
        for user in ["ann", "bob"] {
            let before = world.app.revision();
            let reply = claim(&world, user, "rooms", "1").await.expect(409);
            assert_eq!(reply.code(), "AlreadyClaimed");
            assert_eq!(world.app.revision(), before);
        }
        assert!(!world.may("bob", "rooms/1", "read").await);
        // An owner gives others access.
        let invite = invite_of(&["Authress:ReadResource"], &["rooms/1"]);
        let invite = world.invite(&world.token("ann"), &invite).await;
        let target = format!("/v1/invites/{invite}");
        let accepted = world.as_user("bob", "PATCH", &target, None).await;
        accepted.expect(200);
        assert!(world.may("bob", "rooms/1", "read").await);
        let events = world.events().await;
        let event = events
            .iter()
            .find(|event| event["type"] == "resource.claimed");
        let event = event.unwrap();
        assert_eq!(event["subject"], "resource/rooms/1");
        assert_eq!(event["actor"], "ann");
        let record = event["data"]["recordId"].as_str().unwrap();
        assert!(record.starts_with("claim:"), "{record}");
        let target = format!("/v1/records/{}", encode(record));
        let record = world.own("GET", &target, None).await.expect(200).json();
        assert_eq!(record["users"], json!([{"userId": "ann"}]));
        assert_eq!(record["admins"], json!([]));
        if engine.keeps() {
            let world = world.restart().await;
            claim(&world, "bob", "rooms", "1").await.expect(409);
            claim(&world, "bob", "rooms", "2").await.expect(201);
        }
    }
}

#[tokio::test]
async fn only_collections_that_are_configured_are_claimed_in() {
    let world = World::new(Engine::Memory).await;
    let refused = async |collection: &str, id: &str| {
        let reply = claim(&world, "ann", collection, id).await.expect(403);
        assert_eq!(reply.code(), "Forbidden");
    };
    refused("rooms", "1").await;
    configure(&world, "rooms", true).await;
    // What is above, below or beside it is not it.
    refused("rooms/1", "a").await;
    refused("room", "1").await;
    refused("Rooms", "1").await;
    claim(&world, "ann", "rooms", "1").await.expect(201);
    configure(&world, "rooms", false).await;
    refused("rooms", "2").await;
    let public = json!({"permissions": [{"action": "PUBLIC", "allow": true}]});
    let target = "/v1/resources/rooms";
    world.own("PUT", target, Some(&public)).await.expect(200);
    refused("rooms", "2").await;
    // Whoever could give everything on it needs no configuration: to be an administrator who
    // cannot pass that on is not enough, since an owner can.
    world
        .give("rec_1", "admin", &["Authress:Admin"], &["rooms"])
        .await;
    claim(&world, "admin", "rooms", "2").await.expect(403);
    world
        .give("rec_2", "owner", &["Authress:Owner"], &["rooms"])
        .await;
    claim(&world, "owner", "rooms", "2").await.expect(201);
    claim(&world, "owner", "halls", "2").await.expect(403);
    world.send("", "POST", "/v1/claims", None).await.expect(401);
    let body = claim_of("rooms", "3");
    world
        .own("POST", "/v1/claims", Some(&body))
        .await
        .expect(201);
    assert!(world.may(&world.owner_id, "rooms/3", "x").await);
}

#[tokio::test]
async fn what_is_somebodys_cannot_be_claimed() {
    let world = World::new(Engine::Memory).await;
    configure(&world, "rooms", true).await;
    let group =
        json!({"groupId": "grp_1", "name": "g", "users": [{"userId": "ann"}], "admins": []});
    world
        .own("POST", "/v1/groups", Some(&group))
        .await
        .expect(201);
    let reader = ["Authress:ReadResource"];
    for (number, held) in ["rooms/a", "rooms/b/below", "rooms/c/*", "rooms/d/*/x"]
        .iter()
        .enumerate()
    {
        world
            .give(&format!("rec_{number}"), "bob", &reader, &[held])
            .await;
    }
    let mut of_group = crate::world::record_of("rec_g", "ann", &reader, &["rooms/g"]);
    of_group["users"] = json!([]);
    of_group["groups"] = json!([{"groupId": "grp_1"}]);
    world
        .own("POST", "/v1/records", Some(&of_group))
        .await
        .expect(201);
    for id in ["a", "b", "c", "d", "g"] {
        let reply = claim(&world, "ann", "rooms", id).await.expect(409);
        assert_eq!(reply.code(), "AlreadyClaimed", "{id}");
    }
    // What others hold above it, beside it, or on everything like it does not count, nor does what the
    // caller holds.
    for (number, held) in ["rooms", "rooms/*", "*/f", "rooms/f-1", "rooms/f.x", "*"]
        .iter()
        .enumerate()
    {
        world
            .give(&format!("rec_above_{number}"), "bob", &reader, &[held])
            .await;
    }
    world
        .give("rec_own", "ann", &reader, &["rooms/f", "rooms/f/x"])
        .await;
    claim(&world, "ann", "rooms", "f").await.expect(201);
    // It is nobody's any more when the record is gone.
    world
        .own("DELETE", "/v1/records/rec_0", None)
        .await
        .expect(204);
    claim(&world, "ann", "rooms", "a").await.expect(201);
}

#[tokio::test]
async fn a_claim_that_was_taken_away_can_be_made_again() {
    let world = World::new(Engine::Memory).await;
    configure(&world, "rooms", true).await;
    claim(&world, "ann", "rooms", "1").await.expect(201);
    let events = world.events().await;
    let record = events.last().unwrap()["data"]["recordId"]
        .as_str()
        .unwrap()
        .to_owned();
    let target = format!("/v1/records/{}", encode(&record));
    world.own("DELETE", &target, None).await.expect(204);
    assert!(!world.may("ann", "rooms/1", "x").await);
    claim(&world, "bob", "rooms", "1").await.expect(201);
    assert!(world.may("bob", "rooms/1", "x").await);
    assert!(
        !world.may("ann", "rooms/1", "x").await,
        "nothing old comes back"
    );
    // A user who is deleted owns nothing.
    world.own("DELETE", "/v1/users/bob", None).await.expect(202);
    claim(&world, "ann", "rooms", "1").await.expect(201);
}

#[tokio::test]
async fn of_many_at_once_one_owns_it() {
    for engine in engines() {
        let world = Arc::new(World::new(engine).await);
        configure(&world, "rooms", true).await;
        for round in 0..5 {
            let id = format!("{round}");
            let claims: Vec<_> = (0..16)
                .map(|user| {
                    let (world, id) = (Arc::clone(&world), id.clone());
                    tokio::spawn(async move {
                        let reply = claim(&world, &format!("user-{user}"), "rooms", &id).await;
                        (user, reply.status)
                    })
                })
                .collect();
            let mut winners = Vec::new();
            for claim in claims {
                match claim.await.unwrap() {
                    (user, 201) => winners.push(user),
                    (_, status) => assert_eq!(status, 409),
                }
            }
            assert_eq!(winners.len(), 1, "{winners:?}");
            for user in 0..16 {
                let may = world
                    .may(&format!("user-{user}"), &format!("rooms/{id}"), "x")
                    .await;
                assert_eq!(may, winners == [user]);
            }
        }
    }
}

#[tokio::test]
async fn an_id_that_somebody_took_before_does_not_stand_in_the_way() {
    let world = Arc::new(World::new(Engine::Memory).await);
    configure(&world, "rooms", true).await;
    claim(&world, "ann", "rooms", "1").await.expect(201);
    let record = world.events().await.last().unwrap()["data"]["recordId"].clone();
    let record = record.as_str().unwrap();
    let target = format!("/v1/records/{}", encode(record));
    world.own("DELETE", &target, None).await.expect(204);
    // Under the id that the claim would have.
    world
        .give(record, "mallory", &["Authress:Owner"], &["mallorys"])
        .await;
    let claims: Vec<_> = (0..8)
        .map(|user| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let reply = claim(&world, &format!("user-{user}"), "rooms", "1").await;
                reply.status
            })
        })
        .collect();
    let mut made = 0;
    for claim in claims {
        made += usize::from(claim.await.unwrap() == 201);
    }
    assert_eq!(made, 1);
    let kept = world.own("GET", &target, None).await.expect(200).json();
    assert_eq!(kept["users"], json!([{"userId": "mallory"}]));
    assert!(world.may("mallory", "mallorys", "x").await);
    assert!(!world.may("mallory", "rooms/1", "x").await);
}

#[tokio::test]
async fn malformed_claims_are_refused_with_the_place() {
    let world = World::new(Engine::Memory).await;
    let deep = vec!["a"; 15].join("/");
    for (body, path) in [
        (json!({}), "collectionResource"),
        (claim_of("rooms/*", "1"), "collectionResource"),
        (claim_of("*", "1"), "collectionResource"),
        (claim_of("", "1"), "collectionResource"),
        (claim_of("a//b", "1"), "collectionResource"),
        (claim_of("a/../b", "1"), "collectionResource"),
        (claim_of(&"a".repeat(129), "1"), "collectionResource"),
        (claim_of(&deep, "1"), "collectionResource"),
        (claim_of("Authress:Roles", "ro_1"), "collectionResource"),
        (claim_of("authress:Roles", "ro_1"), "collectionResource"),
        (claim_of("rooms", "*"), "resourceId"),
        (claim_of("rooms", "1/2"), "resourceId"),
        (claim_of("rooms", ".."), "resourceId"),
        (claim_of("rooms", ""), "resourceId"),
        (claim_of("rooms", "a b"), "resourceId"),
        (claim_of("rooms", "a\n"), "resourceId"),
        (claim_of("rooms", &"a".repeat(129)), "resourceId"),
        (
            json!({"collectionResource": "rooms", "resourceId": 1}),
            "resourceId",
        ),
    ] {
        let reply = world
            .own("POST", "/v1/claims", Some(&body))
            .await
            .expect(400);
        let found = reply.json()["path"].as_str().unwrap_or_default().to_owned();
        assert_eq!(found, path, "{body}");
    }
}

#[tokio::test]
async fn a_person_who_claims_without_end_is_slowed_down() {
    let world = World::new(Engine::Memory).await;
    for _ in 0..1_000 {
        let body = claim_of("rooms", "1");
        world
            .as_user("eve", "POST", "/v1/claims", Some(&body))
            .await
            .expect(403);
    }
    let reply = claim(&world, "eve", "rooms", "1").await.expect(429);
    assert!(reply.header("retry-after").is_some());
    claim(&world, "bob", "rooms", "1").await.expect(403);
    let body = claim_of("rooms", "1");
    world
        .own("POST", "/v1/claims", Some(&body))
        .await
        .expect(201);
}

#[tokio::test]
async fn what_is_configured_cannot_be_claimed_away_nor_left_behind() {
    let world = World::new(Engine::Memory).await;
    configure(&world, "rooms", true).await;
    // A collection in a collection is in use although nobody is named on it.
    configure(&world, "rooms/lobby", true).await;
    claim(&world, "mallory", "rooms", "lobby").await.expect(409);
    // What somebody allowed everybody before they went must not meet the next owner.
    claim(&world, "mallory", "rooms", "1").await.expect(201);
    let open = json!({"permissions": [{"action": "PUBLIC", "allow": true}]});
    let below = "/v1/resources/rooms%2F1%2Fprivate";
    let reply = world.as_user("mallory", "PUT", below, Some(&open)).await;
    reply.expect(200);
    world
        .own("DELETE", "/v1/users/mallory", None)
        .await
        .expect(202);
    let reply = claim(&world, "ann", "rooms", "1").await.expect(409);
    assert_eq!(reply.code(), "AlreadyClaimed");
    configure(&world, "rooms/1/private", false).await;
    claim(&world, "ann", "rooms", "1").await.expect(201);
    assert!(!world.may("mallory", "rooms/1/private/x", "read").await);
}

#[tokio::test]
async fn who_owns_it_cannot_claim_it_again_by_another_id() {
    let world = World::new(Engine::Memory).await;
    configure(&world, "rooms", true).await;
    claim(&world, "ann", "rooms", "1").await.expect(201);
    let record = world.events().await.last().unwrap()["data"]["recordId"].clone();
    let record = record.as_str().unwrap();
    let target = format!("/v1/records/{}", encode(record));
    world.own("DELETE", &target, None).await.expect(204);
    world
        .give(record, "mallory", &["Authress:Owner"], &["mallorys"])
        .await;
    claim(&world, "ann", "rooms", "1").await.expect(201);
    for _ in 0..3 {
        claim(&world, "ann", "rooms", "1").await.expect(409);
    }
    // A claim whose record is for nobody any more is nobody's.
    claim(&world, "bob", "rooms", "2").await.expect(201);
    let record = world.events().await.last().unwrap()["data"]["recordId"].clone();
    let target = format!("/v1/records/{}", encode(record.as_str().unwrap()));
    let mut emptied = world.own("GET", &target, None).await.expect(200).json();
    emptied["users"] = json!([]);
    world.own("PUT", &target, Some(&emptied)).await.expect(202);
    claim(&world, "ann", "rooms", "2").await.expect(201);
    assert!(world.may("ann", "rooms/2", "x").await && !world.may("bob", "rooms/2", "x").await);
}
