//! Access requests: asking gives nothing, the first answer stands, and what is approved is given under
//! the authority of whoever approves, once.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::world::{Engine, World, encode, engines, statement};

const READER: &str = "Authress:ReadResource";

fn request_of(user: &str, roles: &[&str], resources: &[&str]) -> Value {
    json!({"access": {"users": [{"userId": user}], "statements": [statement(roles, resources)]}})
}

/// Asks, and returns the path of the request.
async fn ask(world: &World, user: &str, resource: &str) -> String {
    let body = request_of(user, &[READER], &[resource]);
    let made = world
        .as_user(user, "POST", "/v1/requests", Some(&body))
        .await;
    path_of(&made.expect(201).json())
}

fn path_of(request: &Value) -> String {
    format!("/v1/requests/{}", request["requestId"].as_str().unwrap())
}

fn answer(status: &str) -> Value {
    json!({"status": status})
}

/// Makes a user somebody who may approve and may give reading on a resource.
async fn approver(world: &World, user: &str, resource: &str) {
    world
        .role(
            "ro_approver",
            &[("AccessRequests:Update", true, false, false)],
        )
        .await;
    world
        .role(
            "ro_giver",
            &[("read", false, true, false), ("*:read", false, true, false)],
        )
        .await;
    let id = format!("rec_{user}");
    world
        .give(&id, user, &["ro_approver"], &["Authress:AccessRequests"])
        .await;
    world
        .give(&format!("{id}_gives"), user, &["ro_giver"], &[resource])
        .await;
}

/// That of an approved request, whose record is deleted and which is then taken back.
async fn what_was_answered_stays(world: &World, path: &str, approved: &Value) {
    let id = approved["requestId"].as_str().unwrap();
    // The same answer again changes nothing, and gives back nothing that was taken away.
    let record = encode(&format!("req:{id}"));
    world
        .own("DELETE", &format!("/v1/records/{record}"), None)
        .await
        .expect(204);
    let before = world.app.revision();
    let again = world.own("PATCH", path, Some(&answer("APPROVED"))).await;
    assert_eq!(again.expect(200).json(), *approved);
    let other = world
        .own("PATCH", path, Some(&answer("DENIED")))
        .await
        .expect(409);
    assert_eq!(other.code(), "AnsweredOtherwise");
    assert_eq!(world.app.revision(), before);
    assert!(!world.may("ann", "shelf/1", "read").await);
    world.as_user("ann", "DELETE", path, None).await.expect(204);
    let read = world.own("GET", path, None).await.expect(200).json();
    assert_eq!(read["status"], "DELETED");
    for status in ["APPROVED", "DENIED"] {
        world
            .own("PATCH", path, Some(&answer(status)))
            .await
            .expect(404);
    }
    world.as_user("ann", "DELETE", path, None).await.expect(404);
    let kinds: Vec<Value> = world
        .events()
        .await
        .iter()
        .map(|event| event["type"].clone())
        .collect();
    for kind in ["created", "approved", "deleted"] {
        assert!(
            kinds.contains(&json!(format!("access-request.{kind}"))),
            "{kinds:?}"
        );
    }
}

#[tokio::test]
async fn a_request_lives_from_asking_to_an_answer() {
    for engine in engines() {
        let world = World::new(engine).await;
        let mut body = request_of("ann", &[READER], &["/shelf/1/"]);
        body["tags"] = json!({"why": "I work there"});
        body["requestId"] = json!("chosen");
        body["status"] = json!("APPROVED");
        let made = world
            .as_user("ann", "POST", "/v1/requests", Some(&body))
            .await;
        let made = made.expect(201).json();
        let id = made["requestId"].as_str().unwrap();
        assert!(id.starts_with("req_") && id.len() == 20, "{id}");
        let path = path_of(&made);
        let expected = json!({
            "requestId": id,
            "status": "OPEN",
            "lastUpdated": "2026-01-02T03:04:05.678Z",
            "access": body["access"],
            "tags": body["tags"],
            "links": {"self": {"href": format!("http://guestlist.test{path}")}},
        });
        assert_eq!(made, expected);
        assert!(
            !world.may("ann", "shelf/1", "read").await,
            "asking gives nothing"
        );
        for reader in [world.token("ann"), world.owner.clone()] {
            let read = world.send(&reader, "GET", &path, None).await.expect(200);
            assert_eq!(read.json(), expected);
        }
        world.clock.advance(1_000);
        let approved = world.own("PATCH", &path, Some(&answer("APPROVED"))).await;
        let approved = approved.expect(200).json();
        assert_eq!(approved["status"], "APPROVED");
        assert_eq!(approved["lastUpdated"], "2026-01-02T03:04:06.678Z");
        assert!(world.may("ann", "shelf/1", "read").await);
        assert!(!world.may("ann", "shelf", "read").await);
        let record = encode(&format!("req:{id}"));
        let record = world
            .own("GET", &format!("/v1/records/{record}"), None)
            .await;
        let record = record.expect(200).json();
        assert_eq!(record["users"], json!([{"userId": "ann"}]));
        assert_eq!(record["admins"], json!([]));
        what_was_answered_stays(&world, &path, &approved).await;
    }
}

#[tokio::test]
async fn a_denied_request_gives_nothing_and_stays_denied() {
    let world = World::new(Engine::Memory).await;
    let path = ask(&world, "ann", "shelf/1").await;
    for _ in 0..2 {
        let denied = world
            .own("PATCH", &path, Some(&answer("DENIED")))
            .await
            .expect(200);
        assert_eq!(denied.json()["status"], "DENIED");
    }
    world
        .own("PATCH", &path, Some(&answer("APPROVED")))
        .await
        .expect(409);
    assert!(!world.may("ann", "shelf/1", "read").await);
    let path = ask(&world, "ann", "shelf/1").await;
    world
        .as_user("ann", "DELETE", &path, None)
        .await
        .expect(204);
    world
        .own("PATCH", &path, Some(&answer("APPROVED")))
        .await
        .expect(404);
    assert!(!world.may("ann", "shelf/1", "read").await);
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_said() {
    let world = World::new(Engine::Memory).await;
    let ann = world.token("ann");
    let post = async |body: &Value| world.send(&ann, "POST", "/v1/requests", Some(body)).await;
    let reply = post(&request_of("ann", &[READER, "ro_none"], &["a"]))
        .await
        .expect(422);
    assert_eq!(
        (reply.code().as_str(), &reply.json()["path"]),
        ("NotAskable", &json!("access.statements[0].roles[1]"))
    );
    let mut others = request_of("ann", &[READER], &["a"]);
    others["access"]["users"] = json!([{"userId": "ann"}, {"userId": "bob"}]);
    let reply = post(&others).await.expect(422);
    assert_eq!(reply.json()["path"], "access.users[1]");
    let mut inner = request_of("ann", &[READER], &["a"]);
    inner["access"]["statements"][0]["groups"] = json!([{"groupId": "grp_1"}]);
    let reply = post(&inner).await.expect(400);
    assert_eq!(reply.json()["path"], "access.statements[0]");
    for (pointer, value) in [
        ("/access", Value::Null),
        ("/access/users", json!([])),
        ("/access/statements", json!([])),
        ("/access/statements/0/roles", json!([])),
        ("/access/statements/0/resources/0/resourceUri", json!("a*")),
        ("/access/users/0/userId", json!("")),
    ] {
        let mut bad = request_of("ann", &[READER], &["a"]);
        *bad.pointer_mut(pointer).unwrap() = value;
        post(&bad).await.expect(400);
    }
    let roles = vec![READER; 100];
    let long: Vec<String> = (0..100)
        .map(|n| format!("{}/{n}", "a".repeat(120)))
        .collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    let mut large = request_of("ann", &roles, &long);
    let one = large["access"]["statements"][0].clone();
    large["access"]["statements"] = json!(vec![one; 10]);
    post(&large).await.expect(413);
    assert_eq!(world.count("access-request.created").await, 0);
    let path = ask(&world, "ann", "a").await;
    for bad in ["OPEN", "DELETED", "approved", ""] {
        world
            .own("PATCH", &path, Some(&answer(bad)))
            .await
            .expect(400);
    }
}

#[tokio::test]
async fn who_could_give_it_may_ask_for_others_and_nobody_else() {
    let world = World::new(Engine::Memory).await;
    approver(&world, "gives", "shelf").await;
    let body = request_of("bob", &[READER], &["shelf/1"]);
    let made = world
        .as_user("gives", "POST", "/v1/requests", Some(&body))
        .await
        .expect(201);
    let path = path_of(&made.json());
    // Whom it is for does not see it; whoever asked may take it back.
    world.as_user("bob", "GET", &path, None).await.expect(404);
    world.as_user("gives", "GET", &path, None).await.expect(200);
    let beyond = request_of("bob", &[READER], &["other"]);
    world
        .as_user("gives", "POST", "/v1/requests", Some(&beyond))
        .await
        .expect(422);
    world
        .own("POST", "/v1/requests", Some(&beyond))
        .await
        .expect(201);
    world
        .as_user("gives", "DELETE", &path, None)
        .await
        .expect(204);
}

#[tokio::test]
async fn approving_needs_the_right_to_answer_and_the_right_to_give() {
    let world = World::new(Engine::Memory).await;
    approver(&world, "approver", "shelf").await;
    let path = ask(&world, "ann", "shelf/1").await;
    // Whoever asked may read it, and no more.
    world
        .as_user("ann", "PATCH", &path, Some(&answer("APPROVED")))
        .await
        .expect(404);
    world
        .give(
            "rec_only",
            "answers",
            &["ro_approver"],
            &["Authress:AccessRequests"],
        )
        .await;
    let refused = world
        .as_user("answers", "PATCH", &path, Some(&answer("APPROVED")))
        .await;
    assert_eq!(refused.expect(403).code(), "InsufficientGrantAccess");
    world
        .give("rec_gives", "only-gives", &["ro_giver"], &["shelf"])
        .await;
    world
        .as_user("only-gives", "PATCH", &path, Some(&answer("APPROVED")))
        .await
        .expect(404);
    assert!(!world.may("ann", "shelf/1", "read").await);
    world
        .as_user("approver", "PATCH", &path, Some(&answer("APPROVED")))
        .await
        .expect(200);
    assert!(world.may("ann", "shelf/1", "read").await);
    // To deny, nothing needs to be given.
    let beyond = ask(&world, "ann", "elsewhere").await;
    world
        .as_user("approver", "PATCH", &beyond, Some(&answer("APPROVED")))
        .await
        .expect(403);
    world
        .as_user("approver", "PATCH", &beyond, Some(&answer("DENIED")))
        .await
        .expect(200);
}

#[tokio::test]
async fn roles_are_judged_as_they_are_when_somebody_approves() {
    let world = World::new(Engine::Memory).await;
    approver(&world, "approver", "shelf").await;
    // A role that is gone gives nothing that could be judged.
    world.role("ro_gone", &[("read", true, false, false)]).await;
    let body = request_of("ann", &["ro_gone"], &["shelf/2"]);
    let made = world
        .as_user("ann", "POST", "/v1/requests", Some(&body))
        .await
        .expect(201);
    world
        .own("DELETE", "/v1/roles/ro_gone", None)
        .await
        .expect(204);
    let path = path_of(&made.json());
    let reply = world
        .own("PATCH", &path, Some(&answer("APPROVED")))
        .await
        .expect(422);
    assert_eq!(reply.code(), "NotAskable");
    // A role that was widened is judged as it is now.
    world.role("ro_wide", &[("read", true, false, false)]).await;
    let body = request_of("ann", &["ro_wide"], &["shelf/3"]);
    let made = world
        .as_user("ann", "POST", "/v1/requests", Some(&body))
        .await
        .expect(201);
    let wider = json!({"name": "n", "permissions":
        [{"action": "*", "allow": true, "grant": false, "delegate": false}]});
    world
        .own("PUT", "/v1/roles/ro_wide", Some(&wider))
        .await
        .expect(200);
    let path = path_of(&made.json());
    world
        .as_user("approver", "PATCH", &path, Some(&answer("APPROVED")))
        .await
        .expect(403);
}

#[tokio::test]
async fn a_record_that_lies_in_the_way_is_left_alone() {
    let world = World::new(Engine::Memory).await;
    let path = ask(&world, "ann", "shelf/1").await;
    let id = path.rsplit('/').next().unwrap();
    let squatted = format!("req:{id}");
    world.give(&squatted, "mallory", &[READER], &["x"]).await;
    world
        .own("PATCH", &path, Some(&answer("APPROVED")))
        .await
        .expect(200);
    assert!(world.may("ann", "shelf/1", "read").await);
    assert!(world.may("mallory", "x", "read").await);
    assert!(!world.may("mallory", "shelf/1", "read").await);
    assert!(!world.may("ann", "x", "read").await);
}

#[tokio::test]
async fn lists_show_what_may_be_read_by_status_in_pages() {
    let world = World::new(Engine::Memory).await;
    let mut paths = Vec::new();
    for number in 0..5 {
        paths.push(ask(&world, "ann", &format!("shelf/{number}")).await);
        ask(&world, "bob", &format!("shelf/{number}")).await;
    }
    world
        .own("PATCH", &paths[0], Some(&answer("APPROVED")))
        .await
        .expect(200);
    world
        .own("PATCH", &paths[1], Some(&answer("DENIED")))
        .await
        .expect(200);
    world
        .as_user("ann", "DELETE", &paths[2], None)
        .await
        .expect(204);
    let count = async |credential: &str, query: &str| {
        let mut target = format!("/v1/requests?limit=2&{query}");
        let mut found = 0;
        loop {
            let page = world
                .send(credential, "GET", &target, None)
                .await
                .expect(200)
                .json();
            let records = page["records"].as_array().unwrap();
            assert!(records.len() <= 2);
            found += records.len();
            let Some(next) = page["links"]["next"]["href"].as_str() else {
                return found;
            };
            target = next
                .strip_prefix("http://guestlist.test")
                .unwrap()
                .to_owned();
        }
    };
    let (ann, owner) = (world.token("ann"), world.owner.clone());
    for (query, own, all) in [
        ("", 4, 9),
        ("status=OPEN", 2, 7),
        ("status=APPROVED", 1, 1),
        ("status=DENIED", 1, 1),
        ("status=DELETED", 1, 1),
        ("status=undefined", 4, 9),
    ] {
        assert_eq!(count(&ann, query).await, own, "{query}");
        assert_eq!(count(&owner, query).await, all, "{query}");
    }
    assert_eq!(count(&world.token("stranger"), "").await, 0);
    // Who takes part in the administration, but not in this, sees their own too.
    approver(&world, "carol", "shelf").await;
    ask(&world, "carol", "x").await;
    assert_eq!(count(&world.token("carol"), "").await, 1);
    world
        .own("GET", "/v1/requests?status=X", None)
        .await
        .expect(400);
}

#[tokio::test]
async fn of_two_approvers_at_once_one_gives_and_both_are_told_alike() {
    for round in 0..30 {
        let world = Arc::new(World::new(Engine::Memory).await);
        approver(&world, "one", "shelf").await;
        world
            .give(
                "rec_two",
                "two",
                &["ro_approver"],
                &["Authress:AccessRequests"],
            )
            .await;
        world
            .give("rec_two_gives", "two", &["ro_giver"], &["shelf"])
            .await;
        let path = ask(&world, "ann", "shelf/1").await;
        let second = if round % 2 == 0 { "APPROVED" } else { "DENIED" };
        let barrier = Arc::new(Barrier::new(2));
        let go = |who: &'static str, status: &'static str| {
            let (world, barrier, path) = (Arc::clone(&world), Arc::clone(&barrier), path.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                world
                    .as_user(who, "PATCH", &path, Some(&answer(status)))
                    .await
                    .status
            })
        };
        let (one, two) = (go("one", "APPROVED"), go("two", second));
        let mut statuses = [one.await.unwrap(), two.await.unwrap()];
        let approved = world.may("ann", "shelf/1", "read").await;
        assert_eq!(
            world.count("access-request.approved").await,
            usize::from(approved)
        );
        if second == "APPROVED" {
            assert_eq!(statuses, [200, 200]);
            assert!(approved);
        } else {
            assert_eq!(approved, statuses[0] == 200);
            assert_eq!(
                world.count("access-request.denied").await,
                usize::from(!approved)
            );
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 409]);
        }
    }
}

#[tokio::test]
async fn an_approver_who_loses_the_right_meanwhile_gives_nothing() {
    for _ in 0..30 {
        let world = Arc::new(World::new(Engine::Memory).await);
        approver(&world, "one", "shelf").await;
        let path = ask(&world, "ann", "shelf/1").await;
        let barrier = Arc::new(Barrier::new(2));
        let approving = {
            let (world, barrier) = (Arc::clone(&world), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                world
                    .as_user("one", "PATCH", &path, Some(&answer("APPROVED")))
                    .await
                    .status
            })
        };
        barrier.wait().await;
        world
            .own("DELETE", "/v1/records/rec_one_gives", None)
            .await
            .expect(204);
        let status = approving.await.unwrap();
        let events = world.events().await;
        let place = |kind: &str| events.iter().position(|event| event["type"] == kind);
        match (status, place("access-request.approved")) {
            // It came before the right was taken away.
            (200, Some(approved)) => assert!(Some(approved) < place("access-record.deleted")),
            (403, None) => assert!(!world.may("ann", "shelf/1", "read").await),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_strangers_can_leave_behind_is_bounded() {
    let world = World::new(Engine::Memory).await;
    for number in 0..100 {
        ask(&world, "ann", &format!("shelf/{number}")).await;
    }
    let body = request_of("ann", &[READER], &["more"]);
    let post = async || {
        world
            .as_user("ann", "POST", "/v1/requests", Some(&body))
            .await
    };
    assert_eq!(post().await.expect(422).code(), "TooManyOpenRequests");
    let mut refused = 1;
    let limited = loop {
        let reply = post().await;
        if reply.status == 429 {
            break reply;
        }
        refused += 1;
        assert!(refused < 100);
    };
    assert_eq!(limited.code(), "TooManyRequests");
    assert!(limited.header("retry-after").is_some());
    assert_eq!(world.count("access-request.created").await, 100);
    ask(&world, "bob", "shelf/1").await;
    // When one is answered there is room for another.
    world.clock.advance(60_000);
    assert_eq!(post().await.expect(422).code(), "TooManyOpenRequests");
    let list = world
        .as_user("ann", "GET", "/v1/requests?limit=1", None)
        .await
        .json();
    world
        .own(
            "PATCH",
            &path_of(&list["records"][0]),
            Some(&answer("DENIED")),
        )
        .await
        .expect(200);
    post().await.expect(201);
    // A service client is somebody who was given a key: it is not bounded so.
    for number in 0..130 {
        let body = request_of(&format!("user-{number}"), &[READER], &["shelf"]);
        world
            .own("POST", "/v1/requests", Some(&body))
            .await
            .expect(201);
    }
}

#[tokio::test]
async fn a_deleted_user_asks_for_nothing_and_nothing_is_asked_for_them() {
    let world = World::new(Engine::Memory).await;
    let own = ask(&world, "ann", "shelf/1").await;
    let answered = ask(&world, "ann", "shelf/2").await;
    world
        .own("PATCH", &answered, Some(&answer("DENIED")))
        .await
        .expect(200);
    let mut both = request_of("ann", &[READER], &["shelf/3"]);
    both["access"]["users"] = json!([{"userId": "ann"}, {"userId": "bob"}]);
    let both = world
        .own("POST", "/v1/requests", Some(&both))
        .await
        .expect(201)
        .json();
    let alone = request_of("ann", &[READER], &["shelf/4"]);
    let alone = world
        .own("POST", "/v1/requests", Some(&alone))
        .await
        .expect(201)
        .json();
    let other = ask(&world, "bob", "shelf/5").await;
    // Nothing but requests concerns her.
    world.own("DELETE", "/v1/users/ann", None).await.expect(202);
    let read = async |path: &str| world.own("GET", path, None).await.expect(200).json();
    assert_eq!(read(&own).await["status"], "DELETED");
    assert_eq!(read(&answered).await["status"], "DENIED");
    assert_eq!(read(&path_of(&alone)).await["status"], "DELETED");
    assert_eq!(read(&other).await["status"], "OPEN");
    let both = read(&path_of(&both)).await;
    assert_eq!(
        (&both["status"], &both["access"]["users"]),
        (&json!("OPEN"), &json!([{"userId": "bob"}]))
    );
    world
        .own("PATCH", &path_of(&both), Some(&answer("APPROVED")))
        .await
        .expect(200);
    assert!(!world.may("ann", "shelf/3", "read").await);
    assert!(world.may("bob", "shelf/3", "read").await);
    world.own("DELETE", "/v1/users/ann", None).await.expect(404);
}
