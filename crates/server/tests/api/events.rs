//! The event log as a feed: what it tells, whom, that it never tells a secret, and how a request
//! waits for what is to come.

use std::time::Duration;

use guestlist_api::chain::ChainHash;
use guestlist_api::events::Event;
use guestlist_api::ids::UserId;
use guestlist_store::Head;
use serde_json::{Value, json};

use crate::world::{Engine, Reply, World, engines, invite_of, record_of, statement};

/// Longer than any test.
const FOREVER: Duration = Duration::from_hours(1);
/// What has not come by then never will. Less than the longest wait.
const BOUND: Duration = Duration::from_secs(15);

/// All events, page by page.
async fn follow(world: &World, limit: usize) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let after = all
            .last()
            .map_or(0, |event| event["revision"].as_u64().unwrap());
        let target = format!("/v1/events?after={after}&limit={limit}");
        let page = world.own("GET", &target, None).await.expect(200).json();
        let events = page["events"].as_array().unwrap();
        assert!(events.len() <= limit);
        all.extend(events.iter().cloned());
        let last = all.last().unwrap()["revision"].as_u64().unwrap();
        assert_eq!(page["lastRevision"], world.app.revision().0);
        if last == page["lastRevision"] {
            return all;
        }
        assert_eq!(events.len(), limit, "a page is only short at the end");
    }
}

/// Something of everything, and every secret that was told on the way.
async fn live(world: &World) -> Vec<String> {
    let mut secrets = vec![world.owner.clone()];
    let own = async |method: &str, target: &str, body: Value| {
        let reply = world.own(method, target, Some(&body)).await;
        assert!(reply.status < 300, "{method} {target} {}", reply.text);
        reply.json()
    };
    world.role("ro_x", &[("x", true, false, false)]).await;
    own(
        "PUT",
        "/v1/roles/ro_x",
        json!({"name": "x", "permissions": []}),
    )
    .await;
    let group = json!({"groupId": "grp_x", "name": "x", "users": [], "admins": []});
    own("POST", "/v1/groups", group.clone()).await;
    own("PUT", "/v1/groups/grp_x", group).await;
    let record = record_of("rec_x", "bob", &["ro_x"], &["x/1"]);
    own("POST", "/v1/records", record.clone()).await;
    own("PUT", "/v1/records/rec_x", record).await;
    let client = own("POST", "/v1/clients", json!({"name": "c"})).await;
    let client = format!("/v1/clients/{}", client["clientId"].as_str().unwrap());
    own("PUT", &client, json!({"name": "d"})).await;
    let key = own("POST", &format!("{client}/access-keys"), json!({})).await;
    for member in ["accessKey", "clientSecret"] {
        secrets.extend(key[member].as_str().map(ToOwned::to_owned));
    }
    let key = format!("{client}/access-keys/{}", key["keyId"].as_str().unwrap());
    for strategy in [
        "GENERATE_NEW_RECORD",
        "UNSAFE_FORCE_MERGE",
        "REPLACE_RECORD_DATA",
        "SKIP_CHANGES",
    ] {
        let mut invite = invite_of(&["ro_x"], &["x/2"]);
        invite["conflictResolutionStrategy"] = json!(strategy);
        let id = world.invite(&world.owner, &invite).await;
        let target = format!("/v1/invites/{id}");
        let carol = world.token("carol");
        world.send(&carol, "PATCH", &target, None).await.expect(200);
        world.own("DELETE", &target, None).await.expect(204);
        secrets.push(id);
    }
    let headers = [("Idempotency-Key", "the-callers-own-key")];
    let body = invite_of(&["ro_x"], &["x/3"]);
    let made = world
        .send_with(&world.owner, "POST", "/v1/invites", &headers, Some(&body))
        .await
        .expect(201);
    let id = made.json()["inviteId"].as_str().unwrap().to_owned();
    let mallory = world.token("mallory");
    let target = format!("/v1/invites/{id}");
    world
        .send(&mallory, "DELETE", &target, None)
        .await
        .expect(404);
    world.own("DELETE", &target, None).await.expect(204);
    secrets.extend([id, "the-callers-own-key".to_owned(), world.token("carol")]);
    for gone in [
        key.as_str(),
        &client,
        "/v1/groups/grp_x",
        "/v1/records/rec_x",
        "/v1/roles/ro_x",
    ] {
        world.own("DELETE", gone, None).await.expect(204);
    }
    secrets
}

#[tokio::test]
async fn the_feed_tells_what_happened_in_its_order_on_every_engine() {
    let expected = [
        "account.created",
        "role.created",
        "role.updated",
        "group.created",
        "group.updated",
        "record.created",
        "record.updated",
        "client.created",
        "client.updated",
        "client.key-created",
        "invite.created",
        "invite.accepted",
        "invite.revoked",
        "invite.created",
        "invite.accepted",
        "invite.revoked",
        "invite.created",
        "invite.accepted",
        "invite.revoked",
        "invite.created",
        "invite.accepted",
        "invite.revoked",
        "invite.created",
        "invite.revoked",
        "client.key-deleted",
        "client.deleted",
        "group.deleted",
        "record.deleted",
        "role.deleted",
    ];
    for engine in engines() {
        let world = World::new(engine).await;
        live(&world).await;
        let all = follow(&world, 1000).await;
        let types: Vec<&str> = all
            .iter()
            .map(|event| event["eventType"].as_str().unwrap())
            .collect();
        assert_eq!(types, expected, "{engine:?}");
        for (number, event) in all.iter().enumerate() {
            assert_eq!(event["revision"], number + 1);
            assert_eq!(event["eventTime"], "2026-01-02T03:04:05.678Z");
            let noun = event["eventType"].as_str().unwrap().split('.').next();
            assert_eq!(event["subject"]["kind"].as_str(), noun);
        }
        assert_eq!(
            all[0]["actor"],
            json!({"kind": "service", "id": "Authress:Service"})
        );
        assert!(all[0].get("requestId").is_none());
        assert_eq!(all[5]["subject"], json!({"kind": "record", "id": "rec_x"}));
        let owner = json!({"kind": "client", "id": world.owner_id});
        assert_eq!(all[5]["actor"], owner);
        assert!(all[5]["requestId"].is_string());
        let reference = all[10]["subject"]["id"].as_str().unwrap();
        assert_eq!(reference.len(), 12);
        assert_eq!(all[11]["actor"], json!({"kind": "user", "id": "carol"}));
        assert_eq!(
            all[11]["data"],
            json!({"reference": reference, "inviter": world.owner_id, "outcome": "CREATED",
                "recordId": "carol", "access": [{"recordId": "carol", "userId": "carol",
                "resourceUri": "x/2", "operation": "ADDED"}]})
        );
        assert_eq!(all[9]["subject"], all[7]["subject"]);
        assert_eq!(all[9]["data"], all[24]["data"]);
        for limit in [1, 7, 29] {
            assert_eq!(follow(&world, limit).await, all, "{limit}");
        }
    }
}

#[tokio::test]
async fn every_event_has_the_hash_of_itself_and_all_before_it_on_every_engine() {
    for engine in engines() {
        let world = World::new(engine).await;
        live(&world).await;
        let events = follow(&world, 1000).await;
        let mut head = Head::START;
        for event in &events {
            let read: Event = serde_json::from_value(event.clone()).unwrap();
            head = head.followed_by(&read.canonical());
            assert_eq!(read.revision, head.revision.0);
            assert_eq!(read.hash, Some(head.hash), "{engine:?} {event}");
        }
        // Every page says where the log ends, however far it comes itself.
        let last = head.hash.to_string();
        let revision = head.revision.0;
        for after in [0, 3, revision - 1, revision, revision + 5] {
            for limit in [1, 1000] {
                let target = format!("/v1/events?after={after}&limit={limit}");
                let page = world.own("GET", &target, None).await.expect(200).json();
                assert_eq!(page["lastRevision"], revision, "{target}");
                assert_eq!(page["lastHash"], last, "{target}");
            }
        }
    }
}

#[tokio::test]
async fn an_event_keeps_its_id_when_the_server_is_started_again() {
    let world = World::new(Engine::Embedded).await;
    live(&world).await;
    let before = follow(&world, 1000).await;
    let world = world.restart().await;
    assert_eq!(follow(&world, 1000).await, before);
    let mut ids: Vec<&str> = before
        .iter()
        .map(|event| event["eventId"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), before.len());
}

/// Which of the secrets stand in a text, whole or in their secret part.
fn leaks<'a>(secrets: &'a [String], text: &str) -> Vec<&'a str> {
    let parts = secrets.iter().flat_map(|secret| {
        // Of an invite the third part of four, of an access key the last of four.
        let of_invite = secret
            .strip_prefix("inv_")
            .and_then(|rest| rest.split('_').nth(1));
        let of_key = secret.split('.').nth(3);
        [Some(secret.as_str()), of_invite, of_key]
    });
    parts
        .flatten()
        .filter(|part| text.contains(*part))
        .collect()
}

#[tokio::test]
async fn no_event_ever_holds_a_secret() {
    for engine in engines() {
        let world = World::new(engine).await;
        let secrets = live(&world).await;
        assert!(secrets.len() >= 8, "{secrets:?}");
        let text = world.own("GET", "/v1/events?limit=1000", None).await.text;
        assert_eq!(leaks(&secrets, &text), [""; 0]);
        // Nor what is kept of them.
        for hash in ["secretHash", "keyHash", "requestHash", "salt", "privateKey"] {
            assert!(!text.contains(hash), "{hash}");
        }
        for secret in &secrets {
            let control = format!("{text}{secret}");
            assert!(!leaks(&secrets, &control).is_empty(), "the control");
        }
        let part = secrets
            .iter()
            .find_map(|id| id.strip_prefix("inv_"))
            .unwrap();
        let part = part.split('_').nth(1).unwrap();
        assert!(!leaks(&secrets, part).is_empty(), "the control");
    }
}

#[tokio::test]
async fn who_may_read_the_feed() {
    let world = World::new(Engine::Memory).await;
    world
        .role("ro_reader", &[("READ", true, false, false)])
        .await;
    world
        .role("ro_scoped", &[("Events:Read", true, false, false)])
        .await;
    world.role("ro_giver", &[("READ", false, true, true)]).await;
    world.role("ro_all", &[("*", true, true, true)]).await;
    for (number, (user, role, resource, status)) in [
        ("exact", "ro_reader", "Authress:Events", 200),
        ("scoped", "ro_scoped", "Authress:Events", 200),
        ("owner", "Authress:Owner", "*", 200),
        ("builtin", "Authress:ReadResource", "*", 200),
        ("giver", "ro_giver", "Authress:Events", 403),
        ("elsewhere", "ro_reader", "Authress:AccessRecords", 403),
        ("below", "ro_reader", "Authress:Events/1", 403),
        ("everything", "ro_all", "*", 403),
        ("lookalike", "ro_reader", "Authress:events", 403),
    ]
    .into_iter()
    .enumerate()
    {
        world
            .give(&format!("rec_{number}"), user, &[role], &[resource])
            .await;
        let reply = world.as_user(user, "GET", "/v1/events", None).await;
        assert_eq!(reply.status, status, "{user}: {}", reply.text);
        // Nobody waits who may not read.
        if status == 403 {
            assert_eq!(reply.code(), "Forbidden");
            let newest = world.app.revision();
            let target = format!("/v1/events?after={newest}&wait=20");
            let reply = world.as_user(user, "GET", &target, None);
            let reply = tokio::time::timeout(BOUND, reply).await.unwrap();
            assert_eq!(reply.status, 403, "{user}");
        }
    }
    world
        .as_user("stranger", "GET", "/v1/events", None)
        .await
        .expect(403);
    world.send("", "GET", "/v1/events", None).await.expect(401);
}

#[tokio::test]
async fn parameters_are_numbers_within_limits() {
    let world = World::new(Engine::Memory).await;
    for (parameter, bad) in [
        ("after", "-1"),
        ("after", "x"),
        ("after", "18446744073709551616"),
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "ten"),
        ("wait", "-1"),
        ("wait", "1.5"),
    ] {
        let target = format!("/v1/events?{parameter}={bad}");
        let reply = world.own("GET", &target, None).await.expect(400);
        assert_eq!(reply.json()["path"], parameter, "{bad}");
    }
    for fine in [
        "after=&limit=undefined&wait=null",
        "limit=1001",
        "limit=18446744073709551615",
        "wait=0",
        // There is something, so it does not wait.
        "wait=18446744073709551615",
    ] {
        let target = format!("/v1/events?{fine}");
        let page = world.own("GET", &target, None).await.expect(200).json();
        assert_eq!(page["events"].as_array().unwrap().len(), 1, "{fine}");
    }
}

#[tokio::test]
async fn who_is_ahead_of_the_server_is_told_at_once() {
    let world = World::new(Engine::Memory).await;
    for after in [2_u64, 1_000_000, u64::MAX] {
        let target = format!("/v1/events?after={after}&wait=20");
        let reply = world.own("GET", &target, None);
        let reply = tokio::time::timeout(BOUND, reply)
            .await
            .unwrap()
            .expect(200);
        assert_nothing_new(reply.json());
    }
}

/// That there is nothing after revision 1, which is the newest.
fn assert_nothing_new(mut page: Value) {
    let members = page.as_object_mut().unwrap();
    let hash: ChainHash = members["lastHash"].as_str().unwrap().parse().unwrap();
    assert_ne!(hash, ChainHash::START);
    members.remove("lastHash");
    assert_eq!(page, json!({"events": [], "lastRevision": 1}));
}

/// A request that waits, in a task of its own; and the world goes on once it does wait.
async fn waiting(world: &World, credential: &str) -> tokio::task::JoinHandle<Reply> {
    let others = world.app.waits.len();
    let (address, credential) = (world.address, credential.to_owned());
    let target = format!("/v1/events?after={}&wait=20", world.app.revision());
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {credential}\r\n\
         Connection: close\r\n\r\n"
    );
    let task =
        tokio::spawn(async move { crate::world::exchange(address, request.as_bytes()).await });
    let begun = async {
        while world.app.waits.len() == others {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, begun).await.unwrap();
    task
}

async fn bounded<T>(task: tokio::task::JoinHandle<T>) -> T {
    tokio::time::timeout(BOUND, task).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_request_that_waits_is_answered_by_the_next_change() {
    for engine in engines() {
        let world = World::new(engine).await;
        let first = waiting(&world, &world.owner).await;
        let second = waiting(&world, &world.owner).await;
        world.role("ro_x", &[("x", true, false, false)]).await;
        for task in [first, second] {
            let page = bounded(task).await.expect(200).json();
            assert_eq!(page["events"].as_array().unwrap().len(), 1);
            assert_eq!(page["events"][0]["eventType"], "role.created");
            assert_eq!(page["lastRevision"], 2);
        }
        assert!(world.app.waits.is_empty());
    }
}

#[tokio::test]
async fn a_wait_ends_when_its_time_is_over() {
    let world = World::new(Engine::Memory).await;
    let reply = world
        .own("GET", "/v1/events?after=1&wait=1", None)
        .await
        .expect(200);
    assert_nothing_new(reply.json());
}

#[tokio::test]
async fn a_wait_ends_when_the_server_does() {
    let mut world = World::new(Engine::Memory).await;
    let task = waiting(&world, &world.owner).await;
    tokio::time::timeout(BOUND, world.stop()).await.unwrap();
    let page = bounded(task).await.expect(200).json();
    assert_nothing_new(page);
}

#[tokio::test]
async fn what_is_taken_away_during_a_wait_counts() {
    let world = World::new(Engine::Memory).await;
    world
        .role("ro_reader", &[("READ", true, false, false)])
        .await;
    world
        .give("rec_1", "dave", &["ro_reader"], &["Authress:Events"])
        .await;
    let body = json!({"name": "c"});
    let made = world.own("POST", "/v1/clients", Some(&body)).await;
    let client = made.expect(201).json()["clientId"]
        .as_str()
        .unwrap()
        .to_owned();
    world
        .give("rec_2", &client, &["ro_reader"], &["Authress:Events"])
        .await;
    let keys = format!("/v1/clients/{client}/access-keys");
    let key = world.own("POST", &keys, Some(&json!({}))).await.expect(201);
    let key = key.json();
    let (id, secret) = (
        key["keyId"].as_str().unwrap(),
        key["accessKey"].as_str().unwrap(),
    );

    let task = waiting(&world, &world.token("dave")).await;
    world
        .own("DELETE", "/v1/records/rec_1", None)
        .await
        .expect(204);
    bounded(task).await.expect(403);

    let task = waiting(&world, secret).await;
    world
        .own("DELETE", &format!("{keys}/{id}"), None)
        .await
        .expect(204);
    bounded(task).await.expect(401);
}

#[tokio::test]
async fn waits_are_limited_and_whoever_finds_no_place_is_answered_at_once() {
    let world = World::new(Engine::Memory).await;
    let newest = world.app.revision();
    let busy: UserId = world.owner_id.parse().unwrap();
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let (app, who) = (std::sync::Arc::clone(&world.app), busy.clone());
        tasks.push(tokio::spawn(async move {
            app.wait_for_change(&who, newest, FOREVER).await;
        }));
    }
    let all_wait = async {
        while world.app.waits.len() < 16 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, all_wait).await.unwrap();
    let target = format!("/v1/events?after={newest}&wait=20");
    let reply = world.own("GET", &target, None);
    let reply = tokio::time::timeout(BOUND, reply)
        .await
        .unwrap()
        .expect(200);
    assert_eq!(reply.json()["events"], json!([]));
    assert!(tasks.iter().all(|task| !task.is_finished()));
    // Others still find a place, and a change ends the waits of all, however long they were to be.
    let other: UserId = "other".parse().unwrap();
    let app = std::sync::Arc::clone(&world.app);
    tasks.push(tokio::spawn(async move {
        app.wait_for_change(&other, newest, FOREVER).await;
    }));
    let one_more = async {
        while world.app.waits.len() < 17 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, one_more).await.unwrap();
    world.role("ro_x", &[("x", true, false, false)]).await;
    for task in tasks {
        bounded(task).await;
    }
    assert!(world.app.waits.is_empty());
}

#[tokio::test]
async fn the_end_of_the_server_ends_every_wait() {
    let world = World::new(Engine::Memory).await;
    let (app, newest) = (std::sync::Arc::clone(&world.app), world.app.revision());
    let who: UserId = "dave".parse().unwrap();
    let task = tokio::spawn(async move {
        app.wait_for_change(&who, newest, FOREVER).await;
        app.wait_for_change(&who, newest, FOREVER).await;
    });
    let begun = async {
        while world.app.waits.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, begun).await.unwrap();
    world.app.draining.begin();
    // The second of the two begins when it has begun already.
    bounded(task).await;
}

#[tokio::test]
async fn whoever_reads_of_a_change_gets_answers_that_know_of_it() {
    let world = World::new(Engine::Embedded).await;
    for number in 0..20 {
        let task = waiting(&world, &world.owner).await;
        let mut record = record_of(&format!("rec_{number}"), "bob", &["ro_viewer"], &["x"]);
        record["statements"] = json!([statement(&["ro_viewer"], &[&format!("x/{number}")])]);
        let made = world.own("POST", "/v1/records", Some(&record));
        let told = async {
            bounded(task).await.expect(200);
            world
                .may("bob", &format!("x/{number}"), "documents:read")
                .await
        };
        let (made, knows) = tokio::join!(made, told);
        made.expect(201);
        assert!(knows, "{number}");
    }
}
