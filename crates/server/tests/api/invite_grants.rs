//! Who accepted an invite, and taking back exactly what it gave.

use serde_json::{Value, json};

use crate::world::{Engine, Reply, World, engines, invite_of, statement};

fn reads(resource: &str) -> Value {
    invite_of(&["Authress:ReadResource"], &[resource])
}

fn with_strategy(strategy: &str, resource: &str) -> Value {
    let mut body = reads(resource);
    body["conflictResolutionStrategy"] = strategy.into();
    body
}

fn reference(id: &str) -> String {
    id[4..16].to_owned()
}

async fn accept(world: &World, user: &str, id: &str) {
    world
        .as_user(user, "PATCH", &format!("/v1/invites/{id}"), None)
        .await
        .expect(200);
}

async fn undo_as(world: &World, credential: &str, id: &str, query: &str) -> Reply {
    let target = format!("/v1/invites/{}/grants{query}", reference(id));
    world.send(credential, "DELETE", &target, None).await
}

async fn undo(world: &World, id: &str) -> Value {
    undo_as(world, &world.owner, id, "")
        .await
        .expect(200)
        .json()
}

async fn acceptances(world: &World, id: &str) -> Vec<Value> {
    let target = format!("/v1/invites/{}/acceptances", reference(id));
    let found = world.own("GET", &target, None).await.expect(200).json();
    found["acceptances"].as_array().unwrap().clone()
}

async fn record(world: &World, id: &str) -> Value {
    let target = format!("/v1/records/{id}");
    world.own("GET", &target, None).await.expect(200).json()
}

/// What was taken, by role and resource.
fn taken(undoing: &Value) -> Vec<String> {
    let undone = undoing["undone"].as_array().unwrap().iter();
    undone
        .flat_map(|one| one["taken"].as_array().unwrap())
        .map(|statement| statement["resources"][0]["resourceUri"].to_string())
        .collect()
}

#[tokio::test]
async fn what_made_a_record_is_taken_and_the_record_with_it() {
    for engine in engines() {
        let world = World::new(engine).await;
        let id = world.invite(&world.owner, &reads("docs/1")).await;
        accept(&world, "bob", &id).await;
        let found = acceptances(&world, &id).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["userId"], "bob");
        assert_eq!(found[0]["outcome"], "CREATED");
        assert_eq!(found[0]["recordId"], "bob");
        assert_eq!(found[0]["undoneTime"], Value::Null);

        let before = world.events().await.len();
        let dry = undo_as(&world, &world.owner, &id, "?dryRun=true").await;
        let dry = dry.expect(200).json();
        assert_eq!(dry["dryRun"], true);
        assert_eq!(taken(&dry), ["\"docs/1\""]);
        assert_eq!(world.events().await.len(), before, "nothing was written");
        assert!(world.may("bob", "docs/1", "read").await);

        let done = undo(&world, &id).await;
        assert_eq!(done["undone"], dry["undone"]);
        assert_eq!(done["undone"][0]["recordDeleted"], true);
        assert!(!world.may("bob", "docs/1", "read").await);
        assert_eq!(record(&world, "bob").await["status"], "DELETED");
        let event = world.events().await.pop().unwrap();
        assert_eq!(event["type"], "invite.undone");
        assert!(acceptances(&world, &id).await[0]["undoneTime"].is_string());

        assert_eq!(undo(&world, &id).await["undone"], json!([]));
        assert_eq!(world.events().await.len(), before + 1);
        // Who used it cannot use it again to get it back.
        accept(&world, "bob", &id).await;
        assert!(!world.may("bob", "docs/1", "read").await);
    }
}

#[tokio::test]
async fn what_was_held_before_or_by_others_stays() {
    for engine in engines() {
        for strategy in [
            "GENERATE_NEW_RECORD",
            "UNSAFE_FORCE_MERGE",
            "REPLACE_RECORD_DATA",
            "SKIP_CHANGES",
        ] {
            let world = World::new(engine).await;
            let shared = json!({
                "recordId": "bob",
                "name": "shared",
                "users": [{"userId": "bob"}, {"userId": "carol"}],
                "statements": [statement(&["Authress:ReadResource"], &["docs/1"])],
            });
            world
                .own("POST", "/v1/records", Some(&shared))
                .await
                .expect(201);
            let body = with_strategy(strategy, "docs/2");
            let id = world.invite(&world.owner, &body).await;
            accept(&world, "bob", &id).await;
            let gives = strategy != "SKIP_CHANGES";
            assert_eq!(
                world.may("bob", "docs/2", "read").await,
                gives,
                "{strategy}"
            );
            let forced = strategy == "UNSAFE_FORCE_MERGE";
            assert_eq!(world.may("carol", "docs/2", "read").await, forced);
            let before = world.may("bob", "docs/1", "read").await;
            undo(&world, &id).await;
            assert!(!world.may("bob", "docs/2", "read").await, "{strategy}");
            assert!(!world.may("carol", "docs/2", "read").await, "{strategy}");
            assert_eq!(
                world.may("bob", "docs/1", "read").await,
                before,
                "{strategy}"
            );
        }
    }
}

#[tokio::test]
async fn what_another_invite_gives_too_stays_until_that_is_undone() {
    for engine in engines() {
        let world = World::new(engine).await;
        let first = world.invite(&world.owner, &reads("docs/1")).await;
        let both = json!({"statements": [
            statement(&["Authress:ReadResource"], &["docs/1"]),
            statement(&["Authress:ReadResource"], &["docs/2"]),
        ]});
        let second = world.invite(&world.owner, &both).await;
        accept(&world, "bob", &first).await;
        accept(&world, "bob", &second).await;
        let done = undo(&world, &first).await;
        assert_eq!(taken(&done), [""; 0]);
        assert_eq!(done["undone"][0]["kept"].as_array().unwrap().len(), 1);
        assert!(world.may("bob", "docs/1", "read").await);
        let done = undo(&world, &second).await;
        assert_eq!(taken(&done).len(), 2);
        assert!(!world.may("bob", "docs/1", "read").await);
        assert!(!world.may("bob", "docs/2", "read").await);
    }
}

#[tokio::test]
async fn a_record_that_was_edited_since_keeps_what_others_were_given() {
    let world = World::new(Engine::Memory).await;
    let id = world.invite(&world.owner, &reads("docs/1")).await;
    accept(&world, "bob", &id).await;
    let edited = json!({
        "name": "edited",
        "users": [{"userId": "bob"}, {"userId": "carol"}],
        "statements": [
            statement(&["Authress:ReadResource"], &["docs/1"]),
            statement(&["Authress:ReadResource"], &["docs/3"]),
        ],
    });
    world
        .own("PUT", "/v1/records/bob", Some(&edited))
        .await
        .expect(202);
    undo(&world, &id).await;
    assert!(!world.may("bob", "docs/1", "read").await);
    assert!(world.may("carol", "docs/1", "read").await);
    assert!(world.may("bob", "docs/3", "read").await);
    assert!(world.may("carol", "docs/3", "read").await);
}

#[tokio::test]
async fn one_of_several_people_can_be_chosen() {
    let world = World::new(Engine::Memory).await;
    let mut body = reads("docs/1");
    body["restrictions"] = json!({"maxUses": 3});
    let id = world.invite(&world.owner, &body).await;
    accept(&world, "bob", &id).await;
    accept(&world, "carol", &id).await;
    let only = undo_as(&world, &world.owner, &id, "?userId=bob").await;
    assert_eq!(taken(&only.expect(200).json()).len(), 1);
    assert!(!world.may("bob", "docs/1", "read").await);
    assert!(world.may("carol", "docs/1", "read").await);
}

#[tokio::test]
async fn who_made_it_may_as_long_as_they_could_give_it() {
    for engine in engines() {
        let world = World::new(engine).await;
        world
            .give("rec_alice", "alice", &["Authress:Owner"], &["docs"])
            .await;
        let alice = world.token("alice");
        let id = world.invite(&alice, &reads("docs/1")).await;
        let other = world.invite(&alice, &reads("docs/2")).await;
        accept(&world, "bob", &id).await;
        accept(&world, "bob", &other).await;
        for stranger in ["stranger", "bob"] {
            let stranger = world.token(stranger);
            undo_as(&world, &stranger, &id, "").await.expect(404);
            let target = format!("/v1/invites/{}/acceptances", reference(&id));
            world
                .send(&stranger, "GET", &target, None)
                .await
                .expect(404);
        }
        assert_eq!(
            taken(&undo_as(&world, &alice, &id, "").await.expect(200).json()).len(),
            1
        );
        world
            .own("DELETE", "/v1/records/rec_alice", None)
            .await
            .expect(204);
        undo_as(&world, &alice, &other, "").await.expect(404);
        assert!(world.may("bob", "docs/2", "read").await);
    }
}

#[tokio::test]
async fn what_a_deleted_record_held_keeps_nothing_that_was_given_since() {
    for engine in engines() {
        let world = World::new(engine).await;
        let before = world.invite(&world.owner, &reads("docs/1")).await;
        accept(&world, "bob", &before).await;
        world
            .own("DELETE", "/v1/records/bob", None)
            .await
            .expect(204);
        world.clock.advance(1);
        let since = world.invite(&world.owner, &reads("docs/1")).await;
        accept(&world, "bob", &since).await;
        world.clock.advance(1);
        // Merged into the record that is there now.
        let merged = world.invite(&world.owner, &reads("docs/2")).await;
        accept(&world, "bob", &merged).await;
        let undone = undo(&world, &since).await;
        assert_eq!(undone["undone"][0]["kept"], json!([]));
        assert_eq!(undone["undone"][0]["taken"].as_array().unwrap().len(), 1);
        assert!(!world.may("bob", "docs/1", "read").await);
        assert!(world.may("bob", "docs/2", "read").await);
    }
}

#[tokio::test]
async fn an_invite_that_added_nothing_stands_for_what_it_gives_too() {
    for engine in engines() {
        let world = World::new(engine).await;
        let mut ids = Vec::new();
        for _ in 0..2 {
            let id = world.invite(&world.owner, &reads("docs/1")).await;
            accept(&world, "bob", &id).await;
            ids.push(id);
        }
        assert_eq!(acceptances(&world, &ids[1]).await[0]["added"], json!([]));
        let undone = undo(&world, &ids[0]).await;
        assert_eq!(taken(&undone), [""; 0]);
        assert_eq!(undone["undone"][0]["kept"].as_array().unwrap().len(), 1);
        assert!(world.may("bob", "docs/1", "read").await);
        let undone = undo(&world, &ids[1]).await;
        assert_eq!(taken(&undone).len(), 1);
        assert!(!world.may("bob", "docs/1", "read").await);
    }
}
