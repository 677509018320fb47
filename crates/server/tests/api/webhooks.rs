//! Webhooks: what is sent where, in which order, how often, signed how, and what is never sent.

use std::time::Duration;

use guestlist_server::settings::Settings;
use serde_json::{Value, json};

use crate::webhook_receiver::{Act, Receiver};
use crate::world::{Engine, Reply, START, World, engines, invite_of, record_of};

/// What has not come about by then never will.
const BOUND: Duration = Duration::from_secs(30);
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Failed attempts are repeated at once.
fn impatient(settings: &mut Settings) {
    settings.limits.webhooks.first_pause = Duration::from_millis(1);
    settings.limits.webhooks.longest_pause = Duration::from_millis(2);
}

/// What was delivered is written down at once.
fn scrupulous(settings: &mut Settings) {
    impatient(settings);
    settings.limits.webhooks.save_count = 1;
}

/// A webhook for some events, and its secret.
async fn hook(world: &World, url: &str, types: &[&str]) -> (String, String) {
    let body = json!({"url": url, "eventTypes": types});
    let made = world.own("POST", "/v1/webhooks", Some(&body)).await;
    let made = made.expect(201).json();
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    (
        format!("/v1/webhooks/{}", text("webhookId")),
        text("secret"),
    )
}

async fn role(world: &World, id: &str) {
    world.role(id, &[("x", true, false, false)]).await;
}

async fn deliveries(world: &World, target: &str) -> Value {
    let target = format!("{target}/deliveries");
    world.own("GET", &target, None).await.expect(200).json()
}

/// Asks until the answer is as it should be.
async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, found).await.unwrap()
}

/// Waits until so many attempts are known, and answers them, oldest first.
async fn attempts(world: &World, target: &str, count: usize) -> Vec<Value> {
    until(async || {
        let mut all = deliveries(world, target).await["deliveries"]
            .as_array()
            .unwrap()
            .clone();
        all.reverse();
        (all.len() >= count).then_some(all)
    })
    .await
}

#[tokio::test]
async fn events_are_sent_in_their_order_signed_and_as_the_feed_has_them() {
    for engine in engines() {
        let world = World::new(engine).await;
        role(&world, "ro_before").await;
        let mut receiver = Receiver::new().await;
        let (_, secret) = hook(&world, &receiver.url, &[]).await;
        for number in 0..5 {
            role(&world, &format!("ro_{number}")).await;
        }
        let feed = world.own("GET", "/v1/events?after=2", None).await.json();
        for expected in feed["events"].as_array().unwrap() {
            let sent = receiver.next().await;
            assert_eq!(sent.event(), *expected, "{engine:?}");
            assert_eq!(sent.id(), expected["eventId"].as_str().unwrap());
            assert_eq!(sent.path, "/hook");
            assert_eq!(sent.headers["content-type"], "application/json");
            assert_eq!(sent.headers["user-agent"], "Guestlist");
            let seconds: i64 = sent.headers["webhook-timestamp"].parse().unwrap();
            assert_eq!(seconds, START / 1000);
            assert_eq!(sent.signatures(&secret), (1, 1));
            let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
            assert_eq!(sent.signatures(other), (0, 1), "the control");
        }
        assert!(receiver.is_idle());
    }
}

#[tokio::test]
async fn a_webhook_gets_the_events_it_names_and_no_others() {
    let world = World::new(Engine::Memory).await;
    let mut receiver = Receiver::new().await;
    let types = ["invite.*", "role.deleted", "record.created"];
    hook(&world, &receiver.url, &types).await;
    role(&world, "ro_x").await;
    role(&world, "ro_y").await;
    let id = world
        .invite(&world.owner, &invite_of(&["ro_x"], &["x/1"]))
        .await;
    world.give("rec_x", "bob", &["ro_x"], &["x/1"]).await;
    let target = format!("/v1/invites/{id}");
    world.own("DELETE", &target, None).await.expect(204);
    world
        .own("DELETE", "/v1/roles/ro_y", None)
        .await
        .expect(204);
    assert_eq!(
        receiver.types(4).await,
        [
            "invite.created",
            "record.created",
            "invite.revoked",
            "role.deleted"
        ]
    );
}

#[tokio::test]
async fn who_wants_to_know_of_invites_that_are_made_is_told_of_batches_too() {
    let world = World::new(Engine::Memory).await;
    let mut receiver = Receiver::new().await;
    hook(&world, &receiver.url, &["invite.created"]).await;
    role(&world, "ro_x").await;
    let invite = invite_of(&["ro_x"], &["x/1"]);
    let batch = json!({"mode": "atomic", "invites": [invite, invite]});
    let made = world.own("POST", "/v1/invites/batch", Some(&batch)).await;
    let made = made.expect(200).json();
    let id = made["results"][0]["invite"]["inviteId"].as_str().unwrap();
    let target = format!("/v1/invites/{id}");
    world.own("DELETE", &target, None).await.expect(204);
    world.invite(&world.owner, &invite).await;
    assert_eq!(
        receiver.types(2).await,
        ["invite.batch-created", "invite.created"]
    );
}

#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
#[tokio::test]
async fn changes_of_access_are_sent_in_the_form_of_the_hosted_service() {
    for engine in engines() {
        let world = World::new(engine).await;
        let mut receiver = Receiver::new().await;
        let body = json!({"url": receiver.url, "format": "ACCESS_CHANGED"});
        let made = world.own("POST", "/v1/webhooks", Some(&body)).await;
        assert_eq!(made.expect(201).json()["format"], "ACCESS_CHANGED");
        role(&world, "ro_untold").await;
        let mut record = record_of(
            "rec_1",
            "bob",
            &["ro_editor"],
            &["projects/1", "projects/2"],
        );
        let made = world.own("POST", "/v1/records", Some(&record)).await;
        made.expect(201);
        let change = |user: &str, resource: &str, operation: &str| json!({"userId": user, "resourceUri": resource, "operation": operation});
        let sent = receiver.next().await.event();
        assert_eq!(sent["eventId"].as_str().unwrap().get(..4), Some("evt_"));
        assert_eq!(sent["triggeredBy"]["recordId"], "rec_1");
        let first = sent["triggeredBy"]["version"].as_u64().unwrap();
        assert_eq!(
            sent["changes"],
            json!([
                change("bob", "projects/1", "ADDED"),
                change("bob", "projects/2", "ADDED")
            ])
        );
        // Another role on the same is not told; another resource and another user are.
        record["statements"][0]["roles"] = json!(["ro_viewer"]);
        let put = async |record: &Value| {
            let reply = world.own("PUT", "/v1/records/rec_1", Some(record)).await;
            assert!(reply.status < 300, "{}", reply.text);
        };
        put(&record).await;
        record["statements"][0]["resources"] = json!([{"resourceUri": "projects/2"}]);
        record["users"] = json!([{"userId": "bob"}, {"userId": "carol"}]);
        put(&record).await;
        let sent = receiver.next().await.event();
        assert!(sent["triggeredBy"]["version"].as_u64().unwrap() > first);
        assert_eq!(
            sent["changes"],
            json!([
                change("bob", "projects/1", "REMOVED"),
                change("carol", "projects/2", "ADDED")
            ])
        );
        // By an invite, and taken back.
        let id = world
            .invite(
                &world.token("alice"),
                &invite_of(&["ro_editor"], &["projects/42"]),
            )
            .await;
        let target = format!("/v1/invites/{id}");
        world
            .as_user("dave", "PATCH", &target, None)
            .await
            .expect(200);
        let sent = receiver.next().await.event();
        assert_eq!(
            sent["changes"],
            json!([change("dave", "projects/42", "ADDED")])
        );
        let undo = format!("/v1/invites/{}/grants", &id[4..16]);
        world.own("DELETE", &undo, None).await.expect(200);
        let sent = receiver.next().await.event();
        assert_eq!(
            sent["changes"],
            json!([change("dave", "projects/42", "REMOVED")])
        );
        world
            .own("DELETE", "/v1/users/carol", None)
            .await
            .expect(202);
        let sent = receiver.next().await.event();
        assert_eq!(
            sent["changes"],
            json!([change("carol", "projects/2", "REMOVED")])
        );
        world
            .own("DELETE", "/v1/records/rec_1", None)
            .await
            .expect(204);
        let sent = receiver.next().await.event();
        assert_eq!(
            sent["changes"],
            json!([change("bob", "projects/2", "REMOVED")])
        );
        assert!(receiver.is_idle());
    }
}

#[tokio::test]
async fn an_event_tells_of_a_hundred_changes_of_access_at_most() {
    let world = World::new(Engine::Memory).await;
    let resources: Vec<String> = (0..100).map(|number| format!("r/{number}")).collect();
    let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
    let mut record = record_of("rec_1", "u0", &["ro_editor"], &resources);
    let made = world.own("POST", "/v1/records", Some(&record)).await;
    made.expect(201);
    let told = |event: &Value| event["data"]["access"].as_array().map_or(0, Vec::len);
    let last = world.events().await.pop().unwrap();
    assert_eq!(told(&last), 100);
    assert!(last["data"].get("moreAccess").is_none());
    for (users, count) in [(2, 100), (250, 0)] {
        let users: Vec<Value> = (0..users)
            .map(|number| json!({"userId": format!("u{number}")}))
            .collect();
        record["users"] = json!(users);
        let reply = world.own("PUT", "/v1/records/rec_1", Some(&record)).await;
        assert!(reply.status < 300, "{}", reply.text);
        let last = world.events().await.pop().unwrap();
        assert_eq!(
            told(&last),
            count,
            "what is too much to compare is not told"
        );
        assert_eq!(last["data"].get("moreAccess").is_some(), count == 0);
    }
}

#[tokio::test]
async fn a_failed_event_is_sent_again_before_the_next_one() {
    let world = World::with(Engine::Embedded, impatient).await;
    let mut receiver = Receiver::new().await;
    receiver.will([
        Act::Answer(500),
        Act::HangUp,
        Act::Answer(404),
        Act::Answer(200),
    ]);
    let (target, secret) = hook(&world, &receiver.url, &["role.*"]).await;
    role(&world, "ro_1").await;
    role(&world, "ro_2").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let sent = receiver.next().await;
        assert_eq!(sent.signatures(&secret), (1, 1));
        ids.push((sent.id().to_owned(), sent.event()["subject"]["id"].clone()));
    }
    assert!(ids[..4].iter().all(|sent| *sent == ids[0]), "{ids:?}");
    assert_eq!((&ids[0].1, &ids[4].1), (&json!("ro_1"), &json!("ro_2")));
    let all = attempts(&world, &target, 5).await;
    let told: Vec<Value> = all
        .iter()
        .map(|one| {
            json!([
                one["attempt"],
                one["delivered"],
                one["status"],
                one["error"]
            ])
        })
        .collect();
    assert_eq!(
        json!(told),
        json!([
            [1, false, 500, null],
            [2, false, null, "CONNECTION_LOST"],
            [3, false, 404, null],
            [4, true, 200, null],
            [1, true, 204, null],
        ])
    );
    let page = deliveries(&world, &target).await;
    let revision = |value: &Value| value.as_u64().unwrap();
    assert!(revision(&page["deliveredRevision"]) >= revision(&all[4]["revision"]));
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was() {
    let world = World::with(Engine::Embedded, impatient).await;
    let mut receiver = Receiver::new().await;
    let (target, secret) = hook(&world, &receiver.url, &["role.*"]).await;
    role(&world, "ro_1").await;
    receiver.next().await;
    receiver.will([Act::Stall]);
    role(&world, "ro_2").await;
    role(&world, "ro_3").await;
    assert_eq!(receiver.next().await.event()["subject"]["id"], "ro_2");
    // What is under way is given up, and what was delivered is known.
    let world = world.restart_with(impatient).await;
    receiver.given_up().await;
    for id in ["ro_2", "ro_3"] {
        let sent = receiver.next().await;
        assert_eq!(sent.event()["subject"]["id"], id);
        assert_eq!(sent.signatures(&secret), (1, 1));
    }
    assert_eq!(attempts(&world, &target, 3).await.len(), 3);
}

#[tokio::test]
async fn what_is_written_of_deliveries_is_sent_to_nobody_and_has_an_end() {
    for engine in engines() {
        let world = World::with(engine, scrupulous).await;
        let (mut first, mut second) = (Receiver::new().await, Receiver::new().await);
        let (one, _) = hook(&world, &first.url, &[]).await;
        let (two, _) = hook(&world, &second.url, &["role.*"]).await;
        for number in 0..5 {
            role(&world, &format!("ro_{number}")).await;
        }
        let types = first.types(7).await;
        assert_eq!(
            types[..3],
            ["webhook.created", "webhook.created", "role.created"]
        );
        assert_eq!(second.types(5).await, ["role.created"; 5]);
        // Both have come to the end of the log, so whatever could be sent has been sent.
        until(async || {
            let mut at_end = true;
            for target in [&one, &two] {
                let page = deliveries(&world, target).await;
                at_end &= page["deliveredRevision"] == page["lastRevision"];
            }
            at_end.then_some(())
        })
        .await;
        let written = world.count("webhook.progressed").await;
        assert!((2..=12).contains(&written), "{written}");
        assert!(first.is_idle() && second.is_idle());
    }
}

#[tokio::test]
async fn a_rotated_secret_signs_beside_the_new_one_for_a_day() {
    let world = World::new(Engine::Memory).await;
    let mut receiver = Receiver::new().await;
    let (target, old) = hook(&world, &receiver.url, &["role.*"]).await;
    let target = format!("{target}/secret");
    let rotated = world.own("POST", &target, None).await.expect(201).json();
    let new = rotated["secret"].as_str().unwrap().to_owned();
    assert_ne!(new, old);
    assert_eq!(rotated["previousSecretExpires"], "2026-01-03T03:04:05.678Z");
    world.clock.advance(DAY - 1);
    role(&world, "ro_1").await;
    let sent = receiver.next().await;
    assert_eq!(sent.signatures(&new), (1, 2));
    assert_eq!(sent.signatures(&old), (1, 2));
    world.clock.advance(1);
    role(&world, "ro_2").await;
    let sent = receiver.next().await;
    assert_eq!(sent.signatures(&new), (1, 1));
    assert_eq!(sent.signatures(&old), (0, 1));
    // However often it is rotated, the header stays short.
    for _ in 0..5 {
        world.own("POST", &target, None).await.expect(201);
    }
    role(&world, "ro_3").await;
    assert_eq!(receiver.next().await.signatures(&new), (0, 3));
}

#[tokio::test]
async fn what_is_disabled_sends_nothing_from_that_answer_on() {
    let world = World::with(Engine::Memory, impatient).await;
    let mut receiver = Receiver::new().await;
    receiver.will([Act::Stall]);
    let (target, _) = hook(&world, &receiver.url, &["role.*"]).await;
    role(&world, "ro_1").await;
    receiver.next().await;
    let mut body = json!({"url": receiver.url, "eventTypes": ["role.*"], "enabled": false});
    world.own("PUT", &target, Some(&body)).await.expect(200);
    receiver.given_up().await;
    role(&world, "ro_2").await;
    // Somebody else's deliveries show that time has passed.
    let mut other = Receiver::new().await;
    let (other_target, _) = hook(&world, &other.url, &["role.*"]).await;
    role(&world, "ro_3").await;
    other.next().await;
    assert!(receiver.is_idle());
    // Nothing is lost: it goes on where it was.
    body["enabled"] = json!(true);
    world.own("PUT", &target, Some(&body)).await.expect(200);
    for id in ["ro_1", "ro_2", "ro_3"] {
        assert_eq!(receiver.next().await.event()["subject"]["id"], id);
    }
    receiver.will([Act::Stall]);
    role(&world, "ro_4").await;
    receiver.next().await;
    other.next().await;
    world.own("DELETE", &target, None).await.expect(204);
    receiver.given_up().await;
    role(&world, "ro_5").await;
    other.next().await;
    assert!(receiver.is_idle());
    for (method, path) in [("GET", ""), ("GET", "/deliveries"), ("POST", "/test")] {
        let gone = world.own(method, &format!("{target}{path}"), None).await;
        gone.expect(404);
    }
    world.own("GET", &other_target, None).await.expect(200);
    // Nothing of it is left in the store either.
    let id = target.rsplit('/').next().unwrap();
    for kind in guestlist_rules::changes::Kind::ALL {
        assert!(world.app.store.get(kind, id).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_receiver_that_is_gone_ends_the_webhook() {
    let world = World::with(Engine::Embedded, impatient).await;
    let mut receiver = Receiver::new().await;
    receiver.will([Act::Answer(410)]);
    let (target, _) = hook(&world, &receiver.url, &["role.*"]).await;
    role(&world, "ro_1").await;
    receiver.next().await;
    let disabled = until(async || {
        let webhook = world.own("GET", &target, None).await.json();
        (webhook["enabled"] == false).then_some(webhook)
    })
    .await;
    assert_eq!(disabled["disabledReason"], "GONE");
    assert_eq!(world.count("webhook.disabled").await, 1);
    let body = json!({"url": receiver.url, "eventTypes": ["role.*"], "enabled": true});
    let enabled = world.own("PUT", &target, Some(&body)).await.expect(200);
    assert!(enabled.json().get("disabledReason").is_none());
    assert_eq!(receiver.next().await.event()["subject"]["id"], "ro_1");
}

#[tokio::test]
async fn an_event_that_fails_for_a_day_ends_the_webhook() {
    let world = World::with(Engine::Memory, impatient).await;
    let mut receiver = Receiver::new().await;
    receiver.will(vec![Act::Answer(503); 10_000]);
    let (target, _) = hook(&world, &receiver.url, &["role.*"]).await;
    role(&world, "ro_1").await;
    receiver.next().await;
    // From the end of the first attempt on.
    attempts(&world, &target, 1).await;
    let counted = async |state: &str| {
        let page = world.own("GET", "/metrics", None).await.text;
        page.contains(&format!("guestlist_webhooks{{state=\"{state}\"}} 1\n"))
    };
    assert!(counted("failing").await && !counted("disabled").await);
    world.clock.advance(DAY - 1);
    let count = attempts(&world, &target, 3).await.len();
    attempts(&world, &target, count + 2).await;
    let webhook = world.own("GET", &target, None).await.json();
    assert_eq!(webhook["enabled"], true, "the control");
    world.clock.advance(1);
    let disabled = until(async || {
        let webhook = world.own("GET", &target, None).await.json();
        (webhook["enabled"] == false).then_some(webhook)
    })
    .await;
    assert_eq!(disabled["disabledReason"], "FAILING");
    assert!(counted("disabled").await && !counted("failing").await);
}

#[tokio::test]
async fn s01_redirects_are_not_followed() {
    let world = World::with(Engine::Memory, impatient).await;
    let (mut receiver, mut elsewhere) = (Receiver::new().await, Receiver::new().await);
    receiver.will([Act::Redirect(elsewhere.url.clone())]);
    let (target, _) = hook(&world, &receiver.url, &["role.*"]).await;
    role(&world, "ro_1").await;
    let first = receiver.next().await;
    assert_eq!(receiver.next().await.id(), first.id());
    let all = attempts(&world, &target, 2).await;
    assert_eq!(
        (&all[0]["status"], &all[0]["delivered"]),
        (&json!(307), &json!(false))
    );
    assert!(elsewhere.is_idle());
}

#[tokio::test]
async fn s01_what_leads_inside_is_refused_when_saved_and_when_sent() {
    let world = World::with(Engine::Embedded, |settings| {
        impatient(settings);
        settings.development = false;
    })
    .await;
    for url in [
        "http://hooks.example/",
        "http://127.0.0.1:9000/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://0x7f.1/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://user:password@hooks.example/",
        "https://hooks.example:25/",
        "https://hooks.example/#x",
        "file:///etc/passwd",
        "hooks.example",
    ] {
        let body = json!({"url": url});
        let refused = world.own("POST", "/v1/webhooks", Some(&body)).await;
        assert_eq!(refused.expect(400).json()["path"], "url", "{url}");
    }
    let (target, _) = hook(&world, "https://hooks.example:8443/x?token=y", &["role.*"]).await;
    let body = json!({"url": "https://127.0.0.1/"});
    world.own("PUT", &target, Some(&body)).await.expect(400);
    world.own("DELETE", &target, None).await.expect(204);
    // One that was saved when it was allowed.
    let world = world.restart_with(impatient).await;
    let mut receiver = Receiver::new().await;
    let (target, _) = hook(&world, &receiver.url, &["role.*"]).await;
    role(&world, "ro_1").await;
    receiver.next().await;
    let world = world
        .restart_with(|settings| {
            impatient(settings);
            settings.development = false;
        })
        .await;
    role(&world, "ro_2").await;
    let refused = until(async || {
        let page = deliveries(&world, &target).await;
        let newest = page["deliveries"][0].clone();
        (newest["delivered"] == false).then_some(newest)
    })
    .await;
    assert_eq!(refused["error"], "ADDRESS_NOT_ALLOWED");
    assert!(receiver.is_idle());
}

#[tokio::test]
async fn a_slow_receiver_holds_up_nobody_else() {
    let world = World::new(Engine::Embedded).await;
    let (mut slow, mut quick) = (Receiver::new().await, Receiver::new().await);
    slow.will([Act::Stall]);
    let (target, _) = hook(&world, &slow.url, &["role.*"]).await;
    hook(&world, &quick.url, &["role.*"]).await;
    for number in 0..20 {
        role(&world, &format!("ro_{number}")).await;
    }
    slow.next().await;
    assert_eq!(quick.types(20).await.len(), 20);
    assert!(slow.is_idle());
    world.own("GET", &target, None).await.expect(200);
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_in_time_is_tried_again() {
    let world = World::with(Engine::Memory, |settings| {
        impatient(settings);
        settings.limits.webhooks.attempt = Duration::from_millis(50);
    })
    .await;
    let mut receiver = Receiver::new().await;
    receiver.will([Act::Stall]);
    let (target, _) = hook(&world, &receiver.url, &["role.*"]).await;
    role(&world, "ro_1").await;
    receiver.next().await;
    receiver.given_up().await;
    let all = attempts(&world, &target, 1).await;
    assert_eq!(all[0]["error"], "TIMEOUT");
    // Until one is in time.
    until(async || {
        let page = deliveries(&world, &target).await;
        (page["deliveries"][0]["delivered"] == true).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_replay_sends_again_or_passes_over() {
    let world = World::with(Engine::Embedded, impatient).await;
    let mut receiver = Receiver::new().await;
    for number in 1..=3 {
        role(&world, &format!("ro_{number}")).await;
    }
    let (target, _) = hook(&world, &receiver.url, &["role.*"]).await;
    let replay = async |world: &World, after: u64| -> Reply {
        let body = json!({ "after": after });
        world
            .own("POST", &format!("{target}/replay"), Some(&body))
            .await
    };
    replay(&world, 0).await.expect(204);
    assert_eq!(receiver.types(3).await, ["role.created"; 3]);
    replay(&world, 3).await.expect(204);
    assert_eq!(receiver.next().await.event()["subject"]["id"], "ro_3");
    // The same place a second time, and after a restart.
    replay(&world, 3).await.expect(204);
    assert_eq!(receiver.next().await.event()["subject"]["id"], "ro_3");
    // What fails is passed over.
    receiver.will(vec![Act::Answer(500); 1_000]);
    role(&world, "ro_4").await;
    receiver.next().await;
    replay(&world, world.app.revision().0).await.expect(204);
    receiver.will([]);
    role(&world, "ro_5").await;
    until(async || (receiver.next().await.event()["subject"]["id"] == "ro_5").then_some(())).await;
    let ahead = replay(&world, world.app.revision().0 + 100).await;
    assert_eq!(ahead.expect(400).json()["path"], "after");
}

#[tokio::test]
async fn a_test_is_sent_at_once_and_is_not_in_the_log() {
    let world = World::new(Engine::Memory).await;
    let mut receiver = Receiver::new().await;
    let body = json!({"url": receiver.url, "enabled": false});
    let made = world.own("POST", "/v1/webhooks", Some(&body)).await.json();
    let target = format!("/v1/webhooks/{}", made["webhookId"].as_str().unwrap());
    let test = async || world.own("POST", &format!("{target}/test"), None).await;
    let before = world.app.revision();
    let outcome = test().await.expect(200).json();
    let sent = receiver.next().await;
    assert_eq!(sent.kind(), "webhook.tested");
    assert_eq!(sent.event()["revision"], 0);
    assert_eq!(sent.event()["subject"]["id"], made["webhookId"]);
    assert_eq!(sent.signatures(made["secret"].as_str().unwrap()), (1, 1));
    assert_eq!(outcome["eventId"], sent.id());
    assert_eq!(
        (&outcome["delivered"], &outcome["status"]),
        (&json!(true), &json!(204))
    );
    receiver.will([Act::Answer(500), Act::HangUp]);
    assert_eq!(test().await.expect(200).json()["status"], 500);
    assert_eq!(test().await.expect(200).json()["error"], "CONNECTION_LOST");
    assert_eq!(world.app.revision(), before);
    assert_eq!(deliveries(&world, &target).await["deliveries"][2], outcome);
}

/// Whether a file holds the bytes.
fn holds(directory: &std::path::Path, needle: &[u8]) -> bool {
    std::fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, needle);
        }
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

#[tokio::test]
async fn no_secret_is_stored_told_or_sent() {
    let mut world = World::with(Engine::Embedded, scrupulous).await;
    let mut receiver = Receiver::new().await;
    let (target, first) = hook(&world, &receiver.url, &[]).await;
    let rotated = world
        .own("POST", &format!("{target}/secret"), None)
        .await
        .json();
    let second = rotated["secret"].as_str().unwrap().to_owned();
    role(&world, "ro_x").await;
    let invite = world
        .invite(&world.owner, &invite_of(&["ro_x"], &["x/1"]))
        .await;
    let client = world
        .own("POST", "/v1/clients", Some(&json!({"name": "c"})))
        .await
        .json();
    let keys = format!(
        "/v1/clients/{}/access-keys",
        client["clientId"].as_str().unwrap()
    );
    let key = world.own("POST", &keys, None).await.expect(201).json();
    let key = key["accessKey"].as_str().unwrap().to_owned();
    world
        .own("POST", &format!("{target}/test"), None)
        .await
        .expect(200);
    // All seven, wherever the test came in between.
    let mut sent = String::new();
    for _ in 0..7 {
        sent.push_str(&String::from_utf8(receiver.next().await.body).unwrap());
    }
    let mut told = world.own("GET", "/v1/events?limit=1000", None).await.text;
    for target in ["/v1/webhooks", &target, &format!("{target}/deliveries")] {
        told.push_str(&world.own("GET", target, None).await.text);
    }
    assert!(told.contains("webhook.secret-rotated") && sent.contains("webhook.tested"));
    let (invite, key) = (&invite[17..], key.split('.').nth(3).unwrap());
    let (first, second) = (&first[6..], &second[6..]);
    for secret in [first, second, invite, key] {
        assert!(!told.contains(secret) && !sent.contains(secret));
    }
    // Nor the address of the receiver, which may hold a secret of its own, outside of what is read.
    assert!(!sent.contains("/hook"));
    world.stop().await;
    let directory = world.directory.path();
    assert!(holds(directory, b"webhook.secret-rotated"), "the control");
    for secret in [first, second, invite] {
        assert!(!holds(directory, secret.as_bytes()));
    }
}
