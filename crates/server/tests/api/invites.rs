//! The life of an invite, through the API, on every engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::world::{self, Engine, World, engines, invite_of, record_of};
use guestlist_rules::changes::Kind;
use serde_json::{Value, json};
use tokio::sync::Barrier;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// A world in which alice manages `projects/42` and can invite to it.
async fn world(engine: Engine) -> World {
    World::new(engine).await
}

fn editor() -> Value {
    invite_of(&["ro_editor"], &["projects/42"])
}

#[tokio::test]
async fn an_invite_gives_exactly_what_it_holds() {
    for engine in engines() {
        let world = world(engine).await;
        let alice = world.token("alice");
        let created = world
            .send(&alice, "POST", "/v1/invites", Some(&editor()))
            .await
            .expect(201);
        let invite = created.json();
        assert_eq!(invite["statements"][0]["roles"][0], "ro_editor");
        assert_eq!(invite["conflictResolutionStrategy"], "GENERATE_NEW_RECORD");
        assert_eq!(invite["expiryTime"], "2026-01-09T03:04:05.678Z");
        let id = invite["inviteId"].as_str().unwrap().to_owned();
        assert_eq!(
            invite["links"]["self"]["href"],
            format!("http://guestlist.test/v1/invites/{id}")
        );
        let target = format!("/v1/invites/{id}");
        let read = world.send(&alice, "GET", &target, None).await.expect(200);
        assert_eq!(read.json(), invite);

        assert!(!world.may("bob", "projects/42", "documents:write").await);
        let accepted = world
            .as_user("bob", "PATCH", &target, Some(&json!({})))
            .await
            .expect(200);
        assert_eq!(accepted.json()["accountId"], world::ACCOUNT);
        assert!(world.may("bob", "projects/42", "documents:write").await);
        assert!(
            world
                .may("bob", "projects/42/documents/1", "documents:read")
                .await
        );
        assert!(!world.may("bob", "projects/42", "documents:delete").await);
        assert!(!world.may("bob", "projects/43", "documents:write").await);
        assert!(!world.may("carol", "projects/42", "documents:write").await);

        let record = world
            .own("GET", "/v1/records/bob", None)
            .await
            .expect(200)
            .json();
        assert_eq!(record["users"], json!([{"userId": "bob"}]));
        assert_eq!(record["admins"], json!([]));
        assert_eq!(world.count("invite.accepted").await, 1);
    }
}

#[tokio::test]
async fn a_body_that_is_empty_or_absent_accepts() {
    let world = world(Engine::Memory).await;
    for (user, body) in [
        ("bob", None),
        ("carol", Some(json!({}))),
        ("dave", Some(Value::Null)),
    ] {
        let id = world.invite(&world.token("alice"), &editor()).await;
        world
            .as_user(user, "PATCH", &format!("/v1/invites/{id}"), body.as_ref())
            .await
            .expect(200);
        assert!(
            world.may(user, "projects/42", "documents:write").await,
            "{user}"
        );
    }
}

#[tokio::test]
async fn i01_one_of_64_users_who_race_for_an_invite_gets_it() {
    for engine in engines() {
        let world = Arc::new(world(engine).await);
        let id = world.invite(&world.token("alice"), &editor()).await;
        let barrier = Arc::new(Barrier::new(64));
        let mut racers = Vec::new();
        for number in 0..64 {
            let (world, barrier) = (Arc::clone(&world), Arc::clone(&barrier));
            let target = format!("/v1/invites/{id}");
            racers.push(tokio::spawn(async move {
                let user = format!("racer{number}");
                let token = world.token(&user);
                barrier.wait().await;
                let reply = world.send(&token, "PATCH", &target, Some(&json!({}))).await;
                (user, reply.status, reply.code())
            }));
        }
        let mut outcomes: BTreeMap<(u16, String), Vec<String>> = BTreeMap::new();
        for racer in racers {
            let (user, status, code) = racer.await.unwrap();
            outcomes.entry((status, code)).or_default().push(user);
        }
        assert_eq!(outcomes.len(), 2, "{engine:?} {outcomes:?}");
        let winners = &outcomes[&(200, String::new())];
        assert_eq!(winners.len(), 1, "{engine:?}");
        assert_eq!(
            outcomes[&(404, "InviteAlreadyAccepted".to_owned())].len(),
            63
        );
        let mut holders = 0;
        for number in 0..64 {
            let may = world
                .may(&format!("racer{number}"), "projects/42", "documents:read")
                .await;
            holders += usize::from(may);
        }
        assert_eq!(holders, 1);
        assert!(
            world
                .may(&winners[0], "projects/42", "documents:read")
                .await
        );
        assert_eq!(world.count("invite.accepted").await, 1);
        let list = world
            .own("GET", "/v1/records?filter=racer", None)
            .await
            .json();
        assert_eq!(list["records"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn i02_the_same_user_a_hundred_times_is_one_acceptance() {
    for engine in engines() {
        let world = Arc::new(world(engine).await);
        let id = world.invite(&world.token("alice"), &editor()).await;
        let mut requests = Vec::new();
        for _ in 0..100 {
            let (world, target) = (Arc::clone(&world), format!("/v1/invites/{id}"));
            requests.push(tokio::spawn(async move {
                world.as_user("bob", "PATCH", &target, None).await.status
            }));
        }
        for request in requests {
            assert_eq!(request.await.unwrap(), 200);
        }
        assert_eq!(world.count("invite.accepted").await, 1);
        let list = world
            .own("GET", "/v1/records?filter=bob", None)
            .await
            .json();
        assert_eq!(list["records"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn i03_accepting_again_does_not_bring_back_what_was_taken_away() {
    for engine in engines() {
        let world = world(engine).await;
        let id = world.invite(&world.token("alice"), &editor()).await;
        let target = format!("/v1/invites/{id}");
        world
            .as_user("bob", "PATCH", &target, None)
            .await
            .expect(200);
        world
            .own("DELETE", "/v1/records/bob", None)
            .await
            .expect(204);
        assert!(!world.may("bob", "projects/42", "documents:read").await);
        let revision = world.app.revision();
        world
            .as_user("bob", "PATCH", &target, None)
            .await
            .expect(200);
        assert!(!world.may("bob", "projects/42", "documents:read").await);
        assert_eq!(world.app.revision(), revision, "nothing was written");
    }
}

#[tokio::test]
async fn i04_expiry_is_exact_to_the_millisecond() {
    for engine in engines() {
        let world = world(engine).await;
        let first = world.invite(&world.token("alice"), &editor()).await;
        let second = world.invite(&world.token("alice"), &editor()).await;
        world.clock.advance(7 * DAY - 1);
        world
            .as_user("bob", "PATCH", &format!("/v1/invites/{first}"), None)
            .await
            .expect(200);
        world.clock.advance(1);
        let target = format!("/v1/invites/{second}");
        let late = world
            .as_user("carol", "PATCH", &target, None)
            .await
            .expect(404);
        assert_eq!(late.code(), "InviteExpired");
        let read = world
            .as_user("alice", "GET", &target, None)
            .await
            .expect(404);
        assert_eq!(read.code(), "InviteExpired");
        world.clock.advance(1);
        world
            .as_user("carol", "PATCH", &target, None)
            .await
            .expect(404);
        assert!(!world.may("carol", "projects/42", "documents:read").await);
        // Whoever accepted in time is still answered kindly.
        world
            .as_user("bob", "PATCH", &format!("/v1/invites/{first}"), None)
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn i08_every_invite_that_cannot_be_used_looks_the_same() {
    let world = world(Engine::Memory).await;
    let alice = world.token("alice");
    let used = world.invite(&alice, &editor()).await;
    world
        .as_user("dave", "PATCH", &format!("/v1/invites/{used}"), None)
        .await
        .expect(200);
    let deleted = world.invite(&alice, &editor()).await;
    world
        .send(&alice, "DELETE", &format!("/v1/invites/{deleted}"), None)
        .await
        .expect(204);
    let expired = world.invite(&alice, &editor()).await;
    world.clock.advance(8 * DAY);
    let live = world.invite(&world.token("alice"), &editor()).await;
    let wrong_secret = {
        // Another genuine secret under the reference of a live invite, with its checksum right.
        let body = format!("{}{}", &live[..17], &used[17..60]);
        with_checksum(&body)
    };
    let unknown = with_checksum(&format!("inv_AAAAAAAAAAAA_{}", &used[17..60]));
    let wrong_checksum = format!("{}000000", &live[..61]);
    let mut titles = Vec::new();
    for (id, code) in [
        (used.as_str(), "InviteAlreadyAccepted"),
        (&deleted, "InviteRevoked"),
        (&expired, "InviteExpired"),
        (&wrong_secret, "NotFound"),
        (&unknown, "NotFound"),
        (&wrong_checksum, "NotFound"),
        ("nonsense", "NotFound"),
        (&live[..66], "NotFound"),
    ] {
        let reply = world
            .as_user("bob", "PATCH", &format!("/v1/invites/{id}"), None)
            .await;
        let reply = reply.expect(404);
        assert_eq!(reply.code(), code, "{id}");
        let mut body = reply.anonymous();
        body["errorCode"] = Value::Null;
        body["type"] = Value::Null;
        titles.push(body.to_string());
    }
    titles.dedup();
    assert_eq!(titles.len(), 1, "{titles:?}");
}

/// An id with a right checksum, as anybody can make one.
fn with_checksum(body: &str) -> String {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut checksum = [b'0'; 6];
    for place in checksum.iter_mut().rev() {
        *place = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    format!("{body}_{}", String::from_utf8_lossy(&checksum))
}

#[tokio::test]
async fn i17_a_service_client_cannot_accept_and_does_not_use_it_up() {
    let world = world(Engine::Memory).await;
    let id = world.invite(&world.token("alice"), &editor()).await;
    let target = format!("/v1/invites/{id}");
    let reply = world.own("PATCH", &target, None).await.expect(403);
    assert_eq!(reply.code(), "InvalidInviteAcceptor");
    world
        .as_user("bob", "PATCH", &target, None)
        .await
        .expect(200);
}

#[tokio::test]
async fn a06_an_inviter_who_lost_the_right_cannot_give_any_more() {
    for engine in engines() {
        let world = world(engine).await;
        let id = world.invite(&world.token("alice"), &editor()).await;
        let target = format!("/v1/invites/{id}");
        let sample = world
            .own("GET", "/v1/records/rec_sample", None)
            .await
            .json();
        world
            .own("DELETE", "/v1/records/rec_sample", None)
            .await
            .expect(204);
        let refused = world
            .as_user("bob", "PATCH", &target, None)
            .await
            .expect(403);
        assert_eq!(refused.code(), "InviteNoLongerValid");
        assert!(!world.may("bob", "projects/42", "documents:read").await);
        // It is suspended, not used: when the right comes back it works.
        world
            .own("POST", "/v1/records", Some(&sample))
            .await
            .expect(201);
        world
            .as_user("bob", "PATCH", &target, None)
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn a06_a_role_that_was_widened_is_judged_as_it_is_now() {
    let world = world(Engine::Memory).await;
    let id = world.invite(&world.token("alice"), &editor()).await;
    let target = format!("/v1/invites/{id}");
    let role = world.own("GET", "/v1/roles/ro_editor", None).await.json();
    let mut wider = role.clone();
    wider["permissions"]
        .as_array_mut()
        .unwrap()
        .push(json!({"action": "billing:pay", "allow": true, "grant": false, "delegate": false}));
    world
        .own("PUT", "/v1/roles/ro_editor", Some(&wider))
        .await
        .expect(200);
    world
        .as_user("bob", "PATCH", &target, None)
        .await
        .expect(403);
    world
        .own("PUT", "/v1/roles/ro_editor", Some(&role))
        .await
        .expect(200);
    world
        .as_user("bob", "PATCH", &target, None)
        .await
        .expect(200);
    assert!(!world.may("bob", "projects/42", "billing:pay").await);
}

#[tokio::test]
async fn a04_nobody_invites_to_more_than_they_hold() {
    let world = world(Engine::Memory).await;
    let alice = world.token("alice");
    for (roles, resources) in [
        (["ro_editor"], ["projects/43"]),
        (["ro_editor"], ["projects"]),
        (["ro_editor"], ["projects/*"]),
        (["ro_editor"], ["*"]),
        (["ro_manager"], ["projects/42"]),
        (["Authress:Owner"], ["projects/42"]),
        (["Authress:Owner"], ["Authress:Roles"]),
    ] {
        let body = invite_of(&roles, &resources);
        let reply = world
            .send(&alice, "POST", "/v1/invites", Some(&body))
            .await
            .expect(403);
        assert_eq!(reply.code(), "InsufficientGrantAccess");
        assert_eq!(
            reply.json()["title"],
            "User does not have sufficient access to grant permissions to resources"
        );
    }
    // Holding without the right to give is not enough.
    world
        .give("rec_eve", "eve", &["ro_editor"], &["projects/42"])
        .await;
    world
        .as_user("eve", "POST", "/v1/invites", Some(&editor()))
        .await
        .expect(403);
    assert_eq!(world.count("invite.created").await, 0);
}

#[tokio::test]
async fn malformed_invites_say_where() {
    let world = world(Engine::Memory).await;
    let good = editor();
    let soon = "2026-01-02T03:09:05.677Z";
    let late = "2026-02-01T03:04:05.679Z";
    for (path, member, value) in [
        (
            "statements[0].roles[0]",
            "/statements/0/roles",
            json!(["ro_missing"]),
        ),
        ("statements[0].roles", "/statements/0/roles", json!([])),
        (
            "statements[0].roles[0]",
            "/statements/0/roles",
            json!(["no spaces"]),
        ),
        (
            "statements[0].resources[0].resourceUri",
            "/statements/0/resources",
            json!([{"resourceUri": "a//b"}]),
        ),
        (
            "statements[0].users",
            "/statements/0/users",
            json!([{"userId": "u"}]),
        ),
        ("expiryTime", "/expiryTime", json!(soon)),
        ("expiryTime", "/expiryTime", json!(late)),
        ("expiryTime", "/expiryTime", json!("tomorrow")),
        (
            "conflictResolutionStrategy",
            "/conflictResolutionStrategy",
            json!("MERGE"),
        ),
        (
            "defaultLoginTenantId",
            "/defaultLoginTenantId",
            json!("a b"),
        ),
    ] {
        let mut body = good.clone();
        match member.rsplit_once('/') {
            Some((parent, name)) => {
                body.pointer_mut(parent).unwrap()[name] = value;
            }
            None => unreachable!(),
        }
        let reply = world
            .own("POST", "/v1/invites", Some(&body))
            .await
            .expect(400);
        assert_eq!(reply.code(), "InvalidRequest");
        assert_eq!(reply.json()["path"], path, "{}", reply.text);
    }
    let mut both = good.clone();
    both["tenantId"] = json!("one");
    both["defaultLoginTenantId"] = json!("two");
    let reply = world
        .own("POST", "/v1/invites", Some(&both))
        .await
        .expect(400);
    assert_eq!(reply.json()["path"], "tenantId");
    world.own("POST", "/v1/invites", None).await.expect(400);
    assert_eq!(world.count("invite.created").await, 0);
}

#[tokio::test]
async fn what_stock_sdks_send_empty_is_as_good_as_absent() {
    let world = world(Engine::Memory).await;
    let mut body = editor();
    for (name, value) in [
        ("inviteId", json!("")),
        ("linkedUserId", json!("")),
        ("defaultLoginTenantId", json!("")),
        ("tenantId", Value::Null),
        ("expiryTime", Value::Null),
        ("conflictResolutionStrategy", Value::Null),
        ("email", json!("x@example.com")),
        ("expires", json!("whatever")),
    ] {
        body[name] = value;
    }
    body["statements"][0]["users"] = json!([]);
    body["statements"][0]["groups"] = Value::Null;
    let reply = world
        .own("POST", "/v1/invites", Some(&body))
        .await
        .expect(201)
        .json();
    assert!(reply.get("linkedUserId").is_none());
    assert!(reply.get("email").is_none());
    let mut tenant = editor();
    tenant["tenantId"] = json!("acme");
    let reply = world
        .own("POST", "/v1/invites", Some(&tenant))
        .await
        .expect(201)
        .json();
    assert_eq!(reply["defaultLoginTenantId"], "acme");
    assert_eq!(reply["tenantId"], "acme");
}

#[tokio::test]
async fn only_who_may_choose_an_expiry_chooses_one() {
    let world = world(Engine::Memory).await;
    let mut body = editor();
    body["expiryTime"] = json!("2026-01-03T03:04:05.678Z");
    let alice = world.token("alice");
    let refused = world
        .send(&alice, "POST", "/v1/invites", Some(&body))
        .await
        .expect(403);
    assert_eq!(refused.code(), "Forbidden");
    assert!(
        refused.text.contains("Invites:Create on Authress:Invites"),
        "{}",
        refused.text
    );
    let made = world
        .own("POST", "/v1/invites", Some(&body))
        .await
        .expect(201)
        .json();
    assert_eq!(made["expiryTime"], "2026-01-03T03:04:05.678Z");
    // A client that echoes the default needs no right to choose.
    body["expiryTime"] = json!("2026-01-09T03:05:05.678Z");
    world
        .send(&alice, "POST", "/v1/invites", Some(&body))
        .await
        .expect(201);
    world
        .role("ro_chooser", &[("Invites:Create", true, false, false)])
        .await;
    world
        .give(
            "rec_chooser",
            "alice",
            &["ro_chooser"],
            &["Authress:Invites"],
        )
        .await;
    body["expiryTime"] = json!("2026-01-03T03:04:05.678Z");
    world
        .send(&alice, "POST", "/v1/invites", Some(&body))
        .await
        .expect(201);
}

#[tokio::test]
async fn who_may_read_and_withdraw_an_invite() {
    let world = world(Engine::Memory).await;
    let id = world.invite(&world.token("alice"), &editor()).await;
    let target = format!("/v1/invites/{id}");
    // Knowing the id is not enough to read it; to somebody with nothing here it does not exist.
    world.as_user("bob", "GET", &target, None).await.expect(404);
    world
        .as_user("bob", "DELETE", &target, None)
        .await
        .expect(404);
    world
        .role("ro_reader", &[("READ", true, false, false)])
        .await;
    world
        .give("rec_carol", "carol", &["ro_reader"], &["Authress:Roles"])
        .await;
    world
        .as_user("carol", "GET", &target, None)
        .await
        .expect(403);
    world
        .as_user("carol", "DELETE", &target, None)
        .await
        .expect(403);
    world.own("GET", &target, None).await.expect(200);
    world
        .as_user("alice", "DELETE", &target, None)
        .await
        .expect(204);
    let gone = world
        .as_user("alice", "GET", &target, None)
        .await
        .expect(404);
    assert_eq!(gone.code(), "InviteRevoked");
    world
        .as_user("alice", "DELETE", &target, None)
        .await
        .expect(404);
    let refused = world
        .as_user("bob", "PATCH", &target, None)
        .await
        .expect(404);
    assert_eq!(refused.code(), "InviteRevoked");
}

#[tokio::test]
async fn withdrawing_an_accepted_invite_takes_nothing_back() {
    let world = world(Engine::Memory).await;
    let id = world.invite(&world.token("alice"), &editor()).await;
    let target = format!("/v1/invites/{id}");
    world
        .as_user("bob", "PATCH", &target, None)
        .await
        .expect(200);
    world
        .as_user("alice", "DELETE", &target, None)
        .await
        .expect(204);
    assert!(world.may("bob", "projects/42", "documents:read").await);
    world
        .as_user("bob", "PATCH", &target, None)
        .await
        .expect(200);
}

#[tokio::test]
async fn i17_a_repeated_post_with_a_key_is_one_invite() {
    for engine in engines() {
        let world = Arc::new(world(engine).await);
        let mut requests = Vec::new();
        for _ in 0..20 {
            let world = Arc::clone(&world);
            requests.push(tokio::spawn(async move {
                let key = [("Idempotency-Key", "order-1")];
                let token = world.token("alice");
                let reply = world
                    .send_with(&token, "POST", "/v1/invites", &key, Some(&editor()))
                    .await;
                reply.expect(201).json()
            }));
        }
        let mut answers = Vec::new();
        for request in requests {
            answers.push(request.await.unwrap());
        }
        answers.dedup();
        assert_eq!(answers.len(), 1);
        assert_eq!(world.count("invite.created").await, 1);
        let key = [("Idempotency-Key", "order-1")];
        let other = invite_of(&["ro_viewer"], &["projects/42"]);
        let alice = world.token("alice");
        let reply = world
            .send_with(&alice, "POST", "/v1/invites", &key, Some(&other))
            .await;
        assert_eq!(reply.expect(422).code(), "IdempotencyKeyReused");
        // Another caller's key of the same text is another key.
        let owner = world.owner.clone();
        let reply = world
            .send_with(&owner, "POST", "/v1/invites", &key, Some(&other))
            .await;
        assert_ne!(reply.expect(201).json()["inviteId"], answers[0]["inviteId"]);
        // Renewed, the first id is dead, and it is not answered as if it were not.
        let renew = format!(
            "/v1/invites/{}/renewals",
            answers[0]["reference"].as_str().unwrap()
        );
        let renewed = world.send(&alice, "POST", &renew, None).await;
        let renewed = renewed.expect(201).json();
        let reply = world
            .send_with(&alice, "POST", "/v1/invites", &key, Some(&editor()))
            .await;
        assert_eq!(reply.expect(409).code(), "InviteRenewed");
        // The invite works, and after a day the key is forgotten.
        let id = renewed["inviteId"].as_str().unwrap();
        world
            .as_user("bob", "PATCH", &format!("/v1/invites/{id}"), None)
            .await
            .expect(200);
        world.clock.advance(DAY);
        let alice = world.token("alice");
        let again = world
            .send_with(&alice, "POST", "/v1/invites", &key, Some(&other))
            .await;
        assert_ne!(again.expect(201).json()["inviteId"], answers[0]["inviteId"]);
        // Two equal requests without a key are two invites on purpose.
        let one = world.invite(&alice, &editor()).await;
        assert_ne!(one, world.invite(&alice, &editor()).await);
    }
}

/// Bob has a record under his own id that names others too, so no merge is safe.
async fn with_shared_record(world: &World) {
    let mut shared = record_of("bob", "bob", &["ro_viewer"], &["projects/7"]);
    shared["users"]
        .as_array_mut()
        .unwrap()
        .push(json!({"userId": "carol"}));
    world
        .own("POST", "/v1/records", Some(&shared))
        .await
        .expect(201);
}

fn with_strategy(strategy: &str) -> Value {
    let mut body = editor();
    body["conflictResolutionStrategy"] = json!(strategy);
    body
}

#[tokio::test]
async fn a_safe_merge_adds_to_the_persons_record_whatever_the_strategy() {
    for strategy in [
        "GENERATE_NEW_RECORD",
        "UNSAFE_FORCE_MERGE",
        "REPLACE_RECORD_DATA",
        "SKIP_CHANGES",
    ] {
        let world = world(Engine::Memory).await;
        world
            .give("bob", "bob", &["ro_viewer"], &["projects/7"])
            .await;
        let id = world.invite(&world.owner, &with_strategy(strategy)).await;
        world
            .as_user("bob", "PATCH", &format!("/v1/invites/{id}"), None)
            .await
            .expect(200);
        let record = world.own("GET", "/v1/records/bob", None).await.json();
        assert_eq!(
            record["statements"].as_array().unwrap().len(),
            2,
            "{strategy}"
        );
        assert!(world.may("bob", "projects/42", "documents:write").await);
        assert!(world.may("bob", "projects/7", "documents:read").await);
    }
}

#[tokio::test]
async fn generate_new_record_leaves_the_shared_record_alone() {
    let world = world(Engine::Memory).await;
    with_shared_record(&world).await;
    let before = world.own("GET", "/v1/records/bob", None).await.json();
    let id = world
        .invite(&world.owner, &with_strategy("GENERATE_NEW_RECORD"))
        .await;
    world
        .as_user("bob", "PATCH", &format!("/v1/invites/{id}"), None)
        .await
        .expect(200);
    assert_eq!(
        world.own("GET", "/v1/records/bob", None).await.json(),
        before
    );
    assert!(world.may("bob", "projects/42", "documents:write").await);
    assert!(!world.may("carol", "projects/42", "documents:write").await);
    let records = world
        .own("GET", "/v1/records?filter=invite%20access", None)
        .await
        .json();
    let generated = records["records"][0]["recordId"].as_str().unwrap();
    assert!(
        generated.starts_with("rec_") && generated.len() > 16,
        "{generated}"
    );
}

#[tokio::test]
async fn unsafe_force_merge_lets_all_of_the_record_gain() {
    let world = world(Engine::Memory).await;
    with_shared_record(&world).await;
    let id = world
        .invite(&world.owner, &with_strategy("UNSAFE_FORCE_MERGE"))
        .await;
    world
        .as_user("bob", "PATCH", &format!("/v1/invites/{id}"), None)
        .await
        .expect(200);
    assert!(world.may("carol", "projects/42", "documents:write").await);
    assert!(world.may("bob", "projects/42", "documents:write").await);
}

#[tokio::test]
async fn replace_record_data_puts_the_invite_in_the_place_of_all() {
    let world = world(Engine::Memory).await;
    with_shared_record(&world).await;
    let id = world
        .invite(&world.owner, &with_strategy("REPLACE_RECORD_DATA"))
        .await;
    world
        .as_user("bob", "PATCH", &format!("/v1/invites/{id}"), None)
        .await
        .expect(200);
    assert!(world.may("bob", "projects/42", "documents:write").await);
    assert!(!world.may("bob", "projects/7", "documents:read").await);
    assert!(!world.may("carol", "projects/7", "documents:read").await);
}

#[tokio::test]
async fn skip_changes_uses_the_invite_up_and_changes_nothing() {
    let world = world(Engine::Memory).await;
    with_shared_record(&world).await;
    let before = world.own("GET", "/v1/records/bob", None).await.json();
    let id = world
        .invite(&world.owner, &with_strategy("SKIP_CHANGES"))
        .await;
    let target = format!("/v1/invites/{id}");
    world
        .as_user("bob", "PATCH", &target, None)
        .await
        .expect(200);
    assert_eq!(
        world.own("GET", "/v1/records/bob", None).await.json(),
        before
    );
    assert!(!world.may("bob", "projects/42", "documents:write").await);
    world
        .as_user("dave", "PATCH", &target, None)
        .await
        .expect(404);
}

#[tokio::test]
async fn i16_merging_by_force_needs_the_inviters_authority_over_the_record() {
    for strategy in ["UNSAFE_FORCE_MERGE", "REPLACE_RECORD_DATA"] {
        let world = world(Engine::Memory).await;
        with_shared_record(&world).await;
        let before = world.own("GET", "/v1/records/bob", None).await.json();
        let id = world
            .invite(&world.token("alice"), &with_strategy(strategy))
            .await;
        let target = format!("/v1/invites/{id}");
        let refused = world
            .as_user("bob", "PATCH", &target, None)
            .await
            .expect(403);
        assert_eq!(refused.code(), "InviteNoLongerValid", "{strategy}");
        assert_eq!(
            world.own("GET", "/v1/records/bob", None).await.json(),
            before
        );
        assert_eq!(world.count("invite.accepted").await, 0);
    }
}

#[tokio::test]
async fn i16_a_record_made_beforehand_under_the_persons_id_gets_no_hold_on_them() {
    let world = world(Engine::Memory).await;
    // Mallory administers a record under bob's id.
    let mut squatted = record_of("bob", "bob", &["ro_viewer"], &["projects/7"]);
    squatted["admins"] = json!([{"userId": "mallory"}]);
    world
        .own("POST", "/v1/records", Some(&squatted))
        .await
        .expect(201);
    let id = world.invite(&world.token("alice"), &editor()).await;
    world
        .as_user("bob", "PATCH", &format!("/v1/invites/{id}"), None)
        .await
        .expect(200);
    let record = world.own("GET", "/v1/records/bob", None).await.json();
    assert_eq!(
        record["statements"].as_array().unwrap().len(),
        1,
        "nothing was added to it"
    );
    assert!(world.may("bob", "projects/42", "documents:write").await);
}

#[tokio::test]
async fn a_deleted_record_of_the_person_is_not_revived() {
    let world = world(Engine::Memory).await;
    world
        .give("bob", "bob", &["ro_viewer"], &["projects/7"])
        .await;
    world
        .own("DELETE", "/v1/records/bob", None)
        .await
        .expect(204);
    let id = world.invite(&world.token("alice"), &editor()).await;
    world
        .as_user("bob", "PATCH", &format!("/v1/invites/{id}"), None)
        .await
        .expect(200);
    assert!(world.may("bob", "projects/42", "documents:write").await);
    assert!(!world.may("bob", "projects/7", "documents:read").await);
}

#[tokio::test]
async fn an_invite_without_statements_is_consumed_and_gives_nothing() {
    let world = world(Engine::Memory).await;
    let empty = json!({"statements": []});
    world
        .as_user("alice", "POST", "/v1/invites", Some(&empty))
        .await
        .expect(403);
    let id = world.invite(&world.owner, &empty).await;
    world
        .as_user("bob", "PATCH", &format!("/v1/invites/{id}"), None)
        .await
        .expect(200);
    world.own("GET", "/v1/records/bob", None).await.expect(404);
    world
        .as_user("carol", "PATCH", &format!("/v1/invites/{id}"), None)
        .await
        .expect(404);
}

#[tokio::test]
async fn awkward_user_ids_get_a_record_of_their_own() {
    let world = world(Engine::Memory).await;
    let long = "x".repeat(128);
    for user in [
        "google-oauth2|1095/36@x+y",
        "a b",
        "a~b",
        "A",
        "a",
        long.as_str(),
    ] {
        let id = world.invite(&world.token("alice"), &editor()).await;
        world
            .as_user(user, "PATCH", &format!("/v1/invites/{id}"), None)
            .await
            .expect(200);
        assert!(
            world.may(user, "projects/42", "documents:write").await,
            "{user}"
        );
    }
    let records = world
        .own("GET", "/v1/records?filter=invite%20access", None)
        .await
        .json();
    assert_eq!(records["records"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn i05_reading_an_invite_changes_nothing() {
    let world = world(Engine::Memory).await;
    let id = world.invite(&world.token("alice"), &editor()).await;
    let target = format!("/v1/invites/{id}");
    let revision = world.app.revision();
    for method in ["GET", "HEAD", "OPTIONS"] {
        for credential in ["", &world.token("alice"), &world.token("bob")] {
            for _ in 0..10 {
                world.send(credential, method, &target, None).await;
            }
        }
    }
    assert_eq!(world.app.revision(), revision);
    world
        .as_user("bob", "PATCH", &target, None)
        .await
        .expect(200);
}

#[tokio::test]
async fn i15_deleting_and_accepting_at_once_is_one_or_the_other() {
    for engine in engines() {
        let world = Arc::new(world(engine).await);
        for round in 0..50 {
            let id = world.invite(&world.token("alice"), &editor()).await;
            let target = format!("/v1/invites/{id}");
            let user = format!("u{round}");
            let (alice, acceptor) = (world.token("alice"), world.token(&user));
            let (deleted, accepted) = tokio::join!(
                world.send(&alice, "DELETE", &target, None),
                world.send(&acceptor, "PATCH", &target, None),
            );
            // Deleting after the accept answers 204 as well, and takes nothing back.
            assert_eq!(deleted.status, 204);
            let may = world.may(&user, "projects/42", "documents:read").await;
            assert_eq!(may, accepted.status == 200, "{}", accepted.status);
            let again = world.send(&acceptor, "PATCH", &target, None).await;
            assert_eq!(again.status == 200, may, "after 204 nobody accepts");
        }
    }
}

#[tokio::test]
async fn a07_a_right_that_is_revoked_at_the_same_time_is_never_used_afterwards() {
    for engine in engines() {
        let world = Arc::new(world(engine).await);
        let sample = world
            .own("GET", "/v1/records/rec_sample", None)
            .await
            .json();
        for round in 0..50 {
            let id = world.invite(&world.token("alice"), &editor()).await;
            let target = format!("/v1/invites/{id}");
            let user = format!("u{round}");
            let token = world.token(&user);
            let (revoked, accepted) = tokio::join!(
                world.own("DELETE", "/v1/records/rec_sample", None),
                world.send(&token, "PATCH", &target, None),
            );
            revoked.expect(204);
            let may = world.may(&user, "projects/42", "documents:read").await;
            assert_eq!(may, accepted.status == 200);
            let kinds: Vec<String> = world
                .events()
                .await
                .iter()
                .rev()
                .map(|event| event["type"].as_str().unwrap().to_owned())
                .filter(|kind| kind != "invite.accept-failed")
                .take(2)
                .collect();
            // In the log, an accept never stands behind the revocation of what allowed it.
            if may {
                assert_eq!(kinds, ["access-record.deleted", "invite.accepted"]);
            } else {
                assert_eq!(kinds[0], "access-record.deleted");
            }
            world
                .own("POST", "/v1/records", Some(&sample))
                .await
                .expect(201);
        }
    }
}

#[tokio::test]
async fn what_was_accepted_outlives_a_restart() {
    let world = world(Engine::Embedded).await;
    let id = world.invite(&world.token("alice"), &editor()).await;
    let waiting = world.invite(&world.token("alice"), &editor()).await;
    world
        .as_user("bob", "PATCH", &format!("/v1/invites/{id}"), None)
        .await
        .expect(200);
    let world = world.restart().await;
    assert!(world.may("bob", "projects/42", "documents:write").await);
    world
        .as_user("bob", "PATCH", &format!("/v1/invites/{id}"), None)
        .await
        .expect(200);
    world
        .as_user("carol", "PATCH", &format!("/v1/invites/{waiting}"), None)
        .await
        .expect(200);
    assert!(world.may("carol", "projects/42", "documents:write").await);
}

#[tokio::test]
async fn i09_nothing_comes_from_what_is_added_to_a_link() {
    let world = world(Engine::Memory).await;
    let id = world.invite(&world.token("alice"), &editor()).await;
    let target = format!("/v1/invites/{id}");
    for decoration in [
        "?role=ro_manager",
        "?statements=x&userId=eve&tenantId=t",
        "?email=a@b.c",
    ] {
        let fresh = world.invite(&world.token("alice"), &editor()).await;
        let body = json!({
            "userId": "eve", "email": "eve@example.com", "tenantId": "t",
            "statements": [{"roles": ["Authress:Owner"], "resources": [{"resourceUri": "*"}]}],
        });
        let target = format!("/v1/invites/{fresh}{decoration}");
        world
            .as_user("bob", "PATCH", &target, Some(&body))
            .await
            .expect(200);
    }
    assert!(world.may("bob", "projects/42", "documents:write").await);
    assert!(!world.may("bob", "projects/42", "documents:delete").await);
    assert!(!world.may("eve", "projects/42", "documents:write").await);
    for changed in [
        format!("{target}x"),
        format!("{target}%00"),
        format!("{target}/"),
        format!("/v1/invites/{}", id.to_uppercase()),
        format!("/v1/invites/{}", id.replacen("inv_", "", 1)),
    ] {
        let reply = world.as_user("carol", "PATCH", &changed, None).await;
        assert!(
            matches!(reply.status, 400 | 404),
            "{changed} {}",
            reply.status
        );
    }
    assert!(!world.may("carol", "projects/42", "documents:write").await);
    world
        .as_user("carol", "PATCH", &target, None)
        .await
        .expect(200);
}

#[tokio::test]
async fn i10_links_come_from_the_configured_url_and_never_from_a_request() {
    let world = world(Engine::Memory).await;
    let headers = [
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "gopher"),
        ("Forwarded", "host=evil.example;proto=https"),
        ("Origin", "https://evil.example"),
        ("X-Original-URL", "/v1/evil"),
    ];
    let alice = world.token("alice");
    let reply = world
        .send_with(&alice, "POST", "/v1/invites", &headers, Some(&editor()))
        .await;
    let text = reply.expect(201).text;
    assert!(
        text.contains("http://guestlist.test/v1/invites/") && !text.contains("evil"),
        "{text}"
    );
    let body = editor().to_string();
    let absolute = format!(
        "POST http://evil.example/v1/invites HTTP/1.1\r\nHost: evil.example\r\n\
         Authorization: Bearer {alice}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let text = world.raw(absolute.as_bytes()).await.expect(201).text;
    assert!(!text.contains("evil"), "{text}");
}

#[tokio::test]
async fn i16_a_record_that_does_not_name_the_person_is_never_merged_by_force() {
    for strategy in ["UNSAFE_FORCE_MERGE", "REPLACE_RECORD_DATA"] {
        let world = world(Engine::Memory).await;
        // A person whose user id happens to be the id of the owner's record.
        let before = world.own("GET", "/v1/records/rec_owner", None).await.json();
        let id = world.invite(&world.owner, &with_strategy(strategy)).await;
        let target = format!("/v1/invites/{id}");
        world
            .as_user("rec_owner", "PATCH", &target, None)
            .await
            .expect(200);
        assert_eq!(
            world.own("GET", "/v1/records/rec_owner", None).await.json(),
            before
        );
        assert!(
            world
                .may("rec_owner", "projects/42", "documents:write")
                .await
        );
        assert!(!world.may("rec_owner", "Authress:Roles/x", "UPDATE").await);
    }
}

#[tokio::test]
async fn many_invites_accepted_at_once_by_one_person_are_all_accepted() {
    for engine in engines() {
        let world = Arc::new(world(engine).await);
        let mut accepts = Vec::new();
        for number in 0..20 {
            let body = invite_of(&["ro_editor"], &[&format!("projects/42/{number}")]);
            let id = world.invite(&world.owner, &body).await;
            let world = Arc::clone(&world);
            accepts.push(tokio::spawn(async move {
                let target = format!("/v1/invites/{id}");
                world.as_user("bob", "PATCH", &target, None).await.status
            }));
        }
        for accept in accepts {
            assert_eq!(accept.await.unwrap(), 200, "{engine:?}");
        }
        for number in 0..20 {
            let resource = format!("projects/42/{number}");
            assert!(world.may("bob", &resource, "documents:write").await);
        }
    }
}

#[tokio::test]
async fn a06_what_a_deleted_client_promised_is_not_given() {
    for engine in engines() {
        let world = world(engine).await;
        let body = json!({"name": "n"});
        let client = world
            .own("POST", "/v1/clients", Some(&body))
            .await
            .expect(201)
            .json();
        let id = client["clientId"].as_str().unwrap();
        let keys = format!("/v1/clients/{id}/access-keys");
        let key = world.own("POST", &keys, None).await.expect(201).json();
        world
            .give("rec_1", id, &["ro_manager"], &["projects/42"])
            .await;
        let invite = world
            .invite(key["accessKey"].as_str().unwrap(), &editor())
            .await;
        world
            .own("DELETE", &format!("/v1/clients/{id}"), None)
            .await
            .expect(204);
        let target = format!("/v1/invites/{invite}");
        let refused = world
            .as_user("bob", "PATCH", &target, None)
            .await
            .expect(403);
        assert_eq!(refused.code(), "InviteNoLongerValid");
    }
}

/// What the acceptance of the newest accepted invite says it added, as role lists.
async fn added_by_the_last(world: &World) -> Value {
    let accepted = world.events().await;
    let accepted = accepted
        .iter()
        .rfind(|event| event["type"] == "invite.accepted")
        .unwrap();
    let key = format!("{}/bob", accepted["data"]["reference"].as_str().unwrap());
    let document = world
        .app
        .store
        .get(Kind::Acceptance, &key)
        .await
        .unwrap()
        .unwrap();
    let acceptance: Value = serde_json::from_slice(&document.value.body).unwrap();
    acceptance["added"].clone()
}

#[tokio::test]
async fn provenance_holds_what_was_added_and_nothing_that_was_there_before() {
    for strategy in [
        "GENERATE_NEW_RECORD",
        "UNSAFE_FORCE_MERGE",
        "REPLACE_RECORD_DATA",
    ] {
        let world = world(Engine::Memory).await;
        // Bob's record, which carol shares, gives him already half of what the invite holds.
        with_shared_record(&world).await;
        let mut body = with_strategy(strategy);
        let held = invite_of(&["ro_viewer"], &["projects/7"])["statements"][0].clone();
        body["statements"].as_array_mut().unwrap().push(held);
        let id = world.invite(&world.owner, &body).await;
        world
            .as_user("bob", "PATCH", &format!("/v1/invites/{id}"), None)
            .await
            .expect(200);
        let added = added_by_the_last(&world).await;
        let roles: Vec<&Value> = added
            .as_array()
            .unwrap()
            .iter()
            .map(|statement| &statement["roles"][0])
            .collect();
        if strategy == "GENERATE_NEW_RECORD" {
            // The new record gives both; it is another one.
            assert_eq!(roles, ["ro_editor", "ro_viewer"], "{strategy}");
        } else {
            assert_eq!(roles, ["ro_editor"], "{strategy}");
        }
        assert_eq!(added[0]["users"], json!([{"userId": "bob"}]));
    }
}
