//! What became of many invites, in numbers: for those who may read them, and for operators.

use serde_json::{Value, json};

use crate::world::{Engine, World, engines, invite_of};

const HOUR: i64 = 60 * 60 * 1000;
const PATH: &str = "/v1/invites/statistics";

/// Alice makes four invites, ben one; three are accepted, by four people.
async fn lively(engine: Engine) -> World {
    let world = World::new(engine).await;
    world
        .give("rec_a", "alice", &["Authress:Owner"], &["docs"])
        .await;
    world
        .give("rec_b", "ben", &["Authress:Owner"], &["docs"])
        .await;
    let (alice, ben) = (world.token("alice"), world.token("ben"));
    let invite = |role: &str, more: Value| {
        let mut invite = invite_of(&[role], &["docs/1"]);
        let members = more.as_object().unwrap().clone();
        invite.as_object_mut().unwrap().extend(members);
        invite
    };
    let accept = |user: &'static str, id: String, status: u16| {
        let world = &world;
        async move {
            let target = format!("/v1/invites/{id}");
            world
                .as_user(user, "PATCH", &target, None)
                .await
                .expect(status);
        }
    };
    let two = json!({"restrictions": {"maxUses": 2}, "tags": {"team": "red"}});
    let two = world
        .invite(&alice, &invite("Authress:ReadResource", two))
        .await;
    let domains = json!({"restrictions": {"emailDomains": ["example.com", "example.org"]}});
    world
        .invite(&alice, &invite("Authress:ReadResource", domains))
        .await;
    let email = json!({"invitee": {"email": "x@example.com"}});
    let refused = world.invite(&alice, &invite("Authress:Owner", email)).await;
    let previewed = world
        .invite(&alice, &invite("Authress:Owner", json!({})))
        .await;
    let of_ben = world
        .invite(&ben, &invite("Authress:Owner", json!({})))
        .await;
    world.clock.advance(HOUR);
    accept("u1", two.clone(), 200).await;
    world.clock.advance(HOUR);
    accept("u2", two, 200).await;
    accept("u3", of_ben, 200).await;
    accept("u3", refused, 403).await;
    let holder = json!({"inviteId": previewed});
    let preview = world.send("", "POST", "/v1/invites/previews", Some(&holder));
    preview.await.expect(200);
    world.clock.advance(HOUR);
    accept("u4", previewed, 200).await;
    world
}

async fn ask(world: &World, query: &str) -> Value {
    let target = format!("{PATH}{query}");
    world.own("GET", &target, None).await.expect(200).json()
}

#[tokio::test]
async fn invites_are_counted_by_what_became_of_them() {
    for engine in engines() {
        let world = lively(engine).await;
        let all = ask(&world, "").await;
        let expected = json!({
            "invites": 5,
            "people": 6,
            "previewed": 1,
            "refused": 1,
            "accepted": 3,
            "accepts": 4,
            "byStatus": {"PENDING": 2, "ACCEPTED": 2, "EXHAUSTED": 1},
            "secondsToAccept": {"median": 7_200, "ninetieth": 10_800, "longest": 10_800},
        });
        assert_eq!(all["total"], expected);
        assert!(all.get("groups").is_none() && all.get("incomplete").is_none());
        let grouped = ask(&world, "?groupBy=inviter").await;
        assert_eq!(grouped["total"], expected);
        let names = |grouped: &Value| -> Vec<(String, u64)> {
            let groups = grouped["groups"].as_array().unwrap().iter();
            groups
                .map(|group| {
                    let name = group["name"].as_str().unwrap().to_owned();
                    (name, group["invites"].as_u64().unwrap())
                })
                .collect()
        };
        let is = |found: Vec<(String, u64)>, wanted: &[(&str, u64)]| {
            let wanted: Vec<_> = wanted
                .iter()
                .map(|(name, n)| ((*name).to_owned(), *n))
                .collect();
            assert_eq!(found, wanted);
        };
        is(names(&grouped), &[("alice", 4), ("ben", 1)]);
        let roles = ask(&world, "?groupBy=role").await;
        let wanted = [("Authress:Owner", 3), ("Authress:ReadResource", 2)];
        is(names(&roles), &wanted);
        let domains = ask(&world, "?groupBy=domain").await;
        is(names(&domains), &[("example.com", 2), ("example.org", 1)]);
        // What narrows the list narrows this.
        let tagged = ask(&world, "?tag=team%3Dred").await;
        assert_eq!(tagged["total"]["invites"], 1);
        let pending = ask(&world, "?status=PENDING&inviterUserId=alice").await;
        assert_eq!(pending["total"]["invites"], 2);
        assert!(pending["total"].get("secondsToAccept").is_none());
        world.clock.advance(8 * 24 * HOUR);
        let later = ask(&world, "").await;
        assert_eq!(later["total"]["byStatus"]["EXPIRED"], 2);
        world.clock.advance(30 * 24 * HOUR);
        assert_eq!(ask(&world, "").await["total"]["invites"], 0);
        let since = ask(&world, "?createdAfter=2020-01-01T00:00:00Z").await;
        assert_eq!(since["total"]["invites"], 5);
        let until = ask(&world, "?createdBefore=2020-01-01T00:00:00Z").await;
        assert_eq!(until["total"]["invites"], 0);
        let refused = world
            .own("GET", &format!("{PATH}?groupBy=colour"), None)
            .await;
        assert_eq!(refused.expect(400).code(), "InvalidRequest");
    }
}

#[tokio::test]
async fn only_what_the_caller_may_read_is_counted() {
    let world = lively(Engine::Memory).await;
    let count = |user: &'static str| {
        let world = &world;
        async move {
            let found = world.as_user(user, "GET", PATH, None).await.expect(200);
            found.json()["total"]["invites"].as_u64().unwrap()
        }
    };
    assert_eq!(count("alice").await, 4);
    assert_eq!(count("ben").await, 1);
    assert_eq!(count("u1").await, 0);
    world
        .role("ro_see", &[("Invites:Read", true, false, false)])
        .await;
    world
        .give("rec_c", "cleo", &["ro_see"], &["Authress:Invites"])
        .await;
    assert_eq!(count("cleo").await, 5);
}

#[tokio::test]
async fn operators_see_what_happened_to_invites() {
    for engine in engines() {
        let world = lively(engine).await;
        let page = world
            .send("", "GET", "/metrics", None)
            .await
            .expect(200)
            .text;
        for line in [
            "guestlist_invite_events_total{event=\"created\"} 5",
            "guestlist_invite_events_total{event=\"accepted\"} 4",
            "guestlist_invite_events_total{event=\"accept-failed\"} 1",
            "guestlist_invite_events_total{event=\"previewed\"} 1",
            "guestlist_invite_accept_seconds_bucket{le=\"3600\"} 1",
            "guestlist_invite_accept_seconds_bucket{le=\"21600\"} 4",
            "guestlist_invite_accept_seconds_bucket{le=\"+Inf\"} 4",
            "guestlist_invite_accept_seconds_sum 28800",
            "guestlist_invite_accept_seconds_count 4",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }
}
