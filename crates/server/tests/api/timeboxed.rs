//! Access that ends at an instant: by records and by invites, on every engine.

use serde_json::{Value, json};

use crate::world::{Engine, World, engines, invite_of, record_of};

const DAY: i64 = 24 * 60 * 60 * 1000;
const WRITE: &str = "documents:write";

/// A day after the world began.
const TOMORROW: &str = "2026-01-03T03:04:05.678Z";

fn timed(duration: &str) -> Value {
    let mut invite = invite_of(&["ro_editor"], &["projects/42"]);
    invite["grant"] = json!({"accessDuration": duration});
    invite
}

async fn accept(world: &World, user: &str, id: &str) {
    let target = format!("/v1/invites/{id}");
    let body = json!({});
    let reply = world.as_user(user, "PATCH", &target, Some(&body)).await;
    reply.expect(200);
}

#[tokio::test]
async fn a_statement_ends_at_its_instant_and_not_before() {
    for engine in engines() {
        let world = World::new(engine).await;
        let mut record = record_of("rec_timed", "bob", &["ro_editor"], &["projects/42"]);
        record["statements"][0]["expiryTime"] = json!(TOMORROW);
        let made = world.own("POST", "/v1/records", Some(&record)).await;
        assert_eq!(
            made.expect(201).json()["statements"][0]["expiryTime"],
            TOMORROW
        );
        world.clock.advance(DAY - 1);
        assert!(world.may("bob", "projects/42", WRITE).await);
        world.clock.advance(1);
        assert!(!world.may("bob", "projects/42", WRITE).await);
        world.clock.advance(-DAY);
        assert!(!world.may("bob", "projects/42", WRITE).await);
        world.clock.advance(DAY);
        // What was read can be sent back, and brings nothing back.
        let read = world.own("GET", "/v1/records/rec_timed", None).await;
        let read = read.expect(200).json();
        assert_eq!(read["statements"][0]["expiryTime"], TOMORROW);
        world
            .own("PUT", "/v1/records/rec_timed", Some(&read))
            .await
            .expect(202);
        let again = world.own("GET", "/v1/records/rec_timed", None).await;
        assert_eq!(again.json()["statements"], read["statements"]);
        assert!(!world.may("bob", "projects/42", WRITE).await);
    }
}

#[tokio::test]
async fn access_by_an_invite_ends_so_long_after_it_was_accepted() {
    for engine in engines() {
        let world = World::new(engine).await;
        let alice = world.token("alice");
        let id = world.invite(&alice, &timed("P1D")).await;
        let target = format!("/v1/invites/{id}");
        let read = world.send(&alice, "GET", &target, None).await;
        assert_eq!(read.json()["grant"]["accessDuration"], "P1D");
        world.clock.advance(DAY / 2);
        accept(&world, "bob", &id).await;
        world.clock.advance(DAY - 1);
        assert!(world.may("bob", "projects/42", WRITE).await);
        // Accepted again, it is answered as before, and lasts no longer.
        accept(&world, "bob", &id).await;
        world.clock.advance(1);
        assert!(!world.may("bob", "projects/42", WRITE).await);
        accept(&world, "bob", &id).await;
        assert!(!world.may("bob", "projects/42", WRITE).await);
        let events = world.events().await;
        let said = events
            .iter()
            .map(|event| &event["data"]["accessExpiryTime"])
            .find(|said| !said.is_null());
        assert_eq!(said.unwrap(), "2026-01-03T15:04:05.678Z");
    }
}

#[tokio::test]
async fn the_header_says_the_same_as_the_body() {
    let world = World::new(Engine::Memory).await;
    let alice = world.token("alice");
    let plain = invite_of(&["ro_editor"], &["projects/42"]);
    let header = |value| [("Guestlist-Access-Duration", value)];
    for (body, value, status) in [
        (&plain, "P1D", 201),
        (&timed("P1D"), "P1D", 201),
        (&timed("P2D"), "P1D", 400),
        (&plain, "1 day", 400),
        (&plain, "PT4M59S", 400),
        (&plain, "P3651D", 400),
    ] {
        let made = world
            .send_with(&alice, "POST", "/v1/invites", &header(value), Some(body))
            .await;
        assert_eq!(made.status, status, "{value}");
        if status == 201 {
            assert_eq!(made.json()["grant"]["accessDuration"], "P1D");
        }
    }
    for bad in ["PT4M59S", "P3651D", "x"] {
        let body = timed(bad);
        let made = world.send(&alice, "POST", "/v1/invites", Some(&body));
        assert_eq!(made.await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn longer_access_is_never_shortened_and_shorter_is_lengthened() {
    for engine in engines() {
        let world = World::new(engine).await;
        for duration in ["P2D", "P1D"] {
            let id = world.invite(&world.token("alice"), &timed(duration)).await;
            accept(&world, "bob", &id).await;
        }
        world.clock.advance(DAY);
        assert!(world.may("bob", "projects/42", WRITE).await);
        let id = world.invite(&world.token("alice"), &timed("P3D")).await;
        accept(&world, "bob", &id).await;
        world.clock.advance(DAY);
        assert!(world.may("bob", "projects/42", WRITE).await);
        world.clock.advance(2 * DAY);
        assert!(!world.may("bob", "projects/42", WRITE).await);
        let endless = invite_of(&["ro_editor"], &["projects/42"]);
        let id = world.invite(&world.token("alice"), &endless).await;
        accept(&world, "bob", &id).await;
        let id = world.invite(&world.token("alice"), &timed("P1D")).await;
        accept(&world, "bob", &id).await;
        world.clock.advance(2 * DAY);
        assert!(world.may("bob", "projects/42", WRITE).await);
    }
}

#[tokio::test]
async fn nobody_gives_what_outlives_their_own_right() {
    for engine in engines() {
        let world = World::new(engine).await;
        let roles = ["ro_lead"];
        world
            .role("ro_lead", &[("documents", true, true, true)])
            .await;
        world
            .role("ro_scribe", &[(WRITE, true, false, false)])
            .await;
        let mut record = record_of("rec_erin", "erin", &roles, &["projects/42"]);
        record["statements"][0]["expiryTime"] = json!(TOMORROW);
        let made = world.own("POST", "/v1/records", Some(&record)).await;
        made.expect(201);
        let erin = world.token("erin");
        let mut invite = invite_of(&["ro_scribe"], &["projects/42"]);
        let made = world.send(&erin, "POST", "/v1/invites", Some(&invite));
        assert_eq!(made.await.status, 403);
        invite["grant"] = json!({"accessDuration": "P2D"});
        let made = world.send(&erin, "POST", "/v1/invites", Some(&invite));
        assert_eq!(made.await.status, 403);
        invite["grant"] = json!({"accessDuration": "PT12H"});
        let id = world.invite(&erin, &invite).await;
        let other = world.invite(&erin, &invite).await;
        accept(&world, "bob", &id).await;
        assert!(world.may("bob", "projects/42", WRITE).await);
        // Accepted later, what it gives would outlive the inviter's right.
        world.clock.advance(DAY / 2 + 1);
        let target = format!("/v1/invites/{other}");
        let body = json!({});
        let late = world.as_user("carol", "PATCH", &target, Some(&body)).await;
        assert!(late.status >= 400);
        assert!(!world.may("carol", "projects/42", WRITE).await);
    }
}

#[tokio::test]
async fn what_ended_stays_ended_after_a_restart() {
    let world = World::new(Engine::Embedded).await;
    let alice = world.token("alice");
    for (user, duration) in [("bob", "P1D"), ("carol", "P3D")] {
        let id = world.invite(&alice, &timed(duration)).await;
        accept(&world, user, &id).await;
    }
    world.clock.advance(DAY);
    let world = world.restart().await;
    assert!(!world.may("bob", "projects/42", WRITE).await);
    assert!(world.may("carol", "projects/42", WRITE).await);
    world.clock.advance(2 * DAY);
    assert!(!world.may("carol", "projects/42", WRITE).await);
}

#[tokio::test]
async fn an_owner_whose_ownership_ends_is_not_the_last_one() {
    let world = World::new(Engine::Memory).await;
    let records = world.own("GET", "/v1/records", None).await.expect(200);
    let records = records.json();
    let owning = records["records"]
        .as_array()
        .unwrap()
        .iter()
        .find(|record| {
            record["statements"][0]["roles"][0] == "Authress:Owner"
                && record["statements"][0]["resources"][0]["resourceUri"] == "*"
        });
    let id = owning.unwrap()["recordId"].as_str().unwrap().to_owned();
    let target = format!("/v1/records/{id}");
    let mut other = record_of("rec_other", &world.owner_id, &["Authress:Owner"], &["*"]);
    other["statements"][0]["expiryTime"] = json!(TOMORROW);
    let made = world.own("POST", "/v1/records", Some(&other)).await;
    made.expect(201);
    let gone = world.own("DELETE", &target, None).await;
    assert!(gone.status >= 400);
    other["statements"][0]["expiryTime"] = Value::Null;
    let changed = world
        .own("PUT", "/v1/records/rec_other", Some(&other))
        .await;
    changed.expect(202);
    // The control: it goes once the other ownership does not end.
    world.own("DELETE", &target, None).await.expect(204);
}

#[tokio::test]
async fn reads_of_what_is_held_say_until_when() {
    for engine in engines() {
        let world = World::new(engine).await;
        let mut record = record_of("rec_timed", "bob", &["ro_editor"], &["projects/42"]);
        record["statements"][0]["expiryTime"] = json!(TOMORROW);
        let made = world.own("POST", "/v1/records", Some(&record)).await;
        made.expect(201);
        let path = "/v1/users/bob/resources/projects%2F42";
        let read = |what: &'static str| {
            let world = &world;
            async move {
                let target = format!("{path}/{what}");
                world.own("GET", &target, None).await.expect(200).json()
            }
        };
        let roles = json!([{"roleId": "ro_editor", "expiryTime": TOMORROW}]);
        assert_eq!(read("roles").await["roles"], roles);
        for held in read("permissions").await["permissions"].as_array().unwrap() {
            assert_eq!(held["expiryTime"], TOMORROW, "{held}");
        }
        let target = format!("/v1/users/bob/resources/projects%2F42/permissions/{WRITE}");
        let why = format!("{target}?explain=true");
        let why = world.own("GET", &why, None).await.expect(200).json();
        assert_eq!(why["because"]["expiryTime"], TOMORROW);
        // The same for ever, by another record: nothing ends any more.
        let endless = record_of("rec_endless", "bob", &["ro_editor"], &["projects/42"]);
        let made = world.own("POST", "/v1/records", Some(&endless)).await;
        made.expect(201);
        for held in read("permissions").await["permissions"].as_array().unwrap() {
            assert!(held.get("expiryTime").is_none(), "{held}");
        }
        let both = json!([
            {"roleId": "ro_editor"},
            {"roleId": "ro_editor", "expiryTime": TOMORROW},
        ]);
        assert_eq!(read("roles").await["roles"], both);
    }
}
