//! What is told of invites that nobody did, and of what somebody tried with them.

use std::time::Duration;

use guestlist_rules::changes::{Changes, Document, Event, Kind};
use guestlist_rules::invites::{InviteStatus, StoredInvite};
use guestlist_server::invite_notices::{Look, tell};
use guestlist_store::Applied;
use serde_json::{Value, json};

use crate::world::{Engine, World, engines, invite_of, record_of};

const DAY: i64 = 24 * 60 * 60 * 1000;

fn reads() -> Value {
    invite_of(&["Authress:ReadResource"], &["docs/1"])
}

/// An invite by alice, who owns the documents.
async fn by_alice(world: &World, invite: &Value) -> String {
    let owns = record_of("rec_alice", "alice", &["Authress:Owner"], &["docs"]);
    let made = world.own("PUT", "/v1/records/rec_alice", Some(&owns)).await;
    assert!(made.status < 300 || made.status == 404, "{}", made.text);
    if made.status == 404 {
        let made = world.own("POST", "/v1/records", Some(&owns)).await;
        made.expect(201);
    }
    world.invite(&world.token("alice"), invite).await
}

async fn accept(world: &World, user: &str, id: &str, status: u16) {
    let target = format!("/v1/invites/{id}");
    world
        .as_user(user, "PATCH", &target, None)
        .await
        .expect(status);
}

async fn told(world: &World) -> usize {
    tell(&world.app, Look::AtAll).await.ok().unwrap()
}

async fn history(world: &World, id: &str) -> Vec<Value> {
    let target = format!("/v1/invites/{}/events", &id[4..16]);
    let found = world.own("GET", &target, None).await.expect(200).json();
    found["events"].as_array().unwrap().clone()
}

async fn changes(world: &World, id: &str) -> Vec<String> {
    let moments = history(world, id).await.into_iter();
    moments
        .map(|moment| moment["change"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn that_an_invite_expired_is_told_once() {
    for engine in engines() {
        let world = World::new(engine).await;
        let id = by_alice(&world, &reads()).await;
        let used = by_alice(&world, &reads()).await;
        accept(&world, "bob", &used, 200).await;
        world.clock.advance(7 * DAY - 1);
        assert_eq!(told(&world).await, 0);
        world.clock.advance(1);
        assert_eq!(tell(&world.app, Look::AtEnded).await.ok(), Some(1));
        assert_eq!(told(&world).await, 0);
        assert_eq!(world.count("invite.expired").await, 1);
        assert_eq!(changes(&world, &id).await, ["CREATED", "EXPIRED"]);
        // Renewed, it can expire again.
        let renew = format!("/v1/invites/{}/renewals", &id[4..16]);
        let alice = world.token("alice");
        let renewed = world.send(&alice, "POST", &renew, None).await;
        renewed.expect(201);
        assert_eq!(told(&world).await, 0);
        world.clock.advance(7 * DAY);
        assert_eq!(told(&world).await, 1);
        assert_eq!(world.count("invite.expired").await, 2);
        let events = world.events().await;
        let event = events
            .iter()
            .rfind(|event| event["type"] == "invite.expired");
        let event = event.unwrap();
        assert_eq!(event["actor"], "Authress:Service");
        assert_eq!(event["data"]["inviter"], "alice");
        assert_eq!(event["subject"], format!("invite/{}", &id[4..16]));
    }
}

#[tokio::test]
async fn that_an_invite_is_used_up_is_told_once() {
    for engine in engines() {
        let world = World::new(engine).await;
        let mut invite = reads();
        invite["restrictions"] = json!({"maxUses": 2});
        let id = by_alice(&world, &invite).await;
        accept(&world, "bob", &id, 200).await;
        assert_eq!(told(&world).await, 0);
        accept(&world, "carol", &id, 200).await;
        assert_eq!(told(&world).await, 1);
        assert_eq!(told(&world).await, 0);
        assert_eq!(world.count("invite.exhausted").await, 1);
        // It is not told as expired later.
        world.clock.advance(8 * DAY);
        assert_eq!(told(&world).await, 0);
    }
}

#[tokio::test]
async fn suspended_and_resumed_are_told_as_authority_goes_and_comes() {
    for engine in engines() {
        let world = World::new(engine).await;
        let id = by_alice(&world, &reads()).await;
        assert_eq!(told(&world).await, 0);
        let taken = record_of("rec_alice", "alice", &["Authress:ReadResource"], &["docs"]);
        let put = |record: Value| {
            let world = &world;
            async move {
                let reply = world.own("PUT", "/v1/records/rec_alice", Some(&record));
                assert!(reply.await.status < 300);
            }
        };
        put(taken).await;
        assert_eq!(told(&world).await, 1);
        assert_eq!(told(&world).await, 0);
        // What was told is not what decides.
        put(record_of(
            "rec_alice",
            "alice",
            &["Authress:Owner"],
            &["docs"],
        ))
        .await;
        accept(&world, "bob", &id, 200).await;
        assert_eq!(told(&world).await, 0);
        let second = by_alice(&world, &reads()).await;
        put(record_of(
            "rec_alice",
            "alice",
            &["Authress:ReadResource"],
            &["docs"],
        ))
        .await;
        assert_eq!(told(&world).await, 1);
        accept(&world, "bob", &second, 403).await;
        put(record_of(
            "rec_alice",
            "alice",
            &["Authress:Owner"],
            &["docs"],
        ))
        .await;
        assert_eq!(told(&world).await, 1);
        assert_eq!(
            changes(&world, &second).await,
            ["CREATED", "SUSPENDED", "ACCEPT_FAILED", "RESUMED"]
        );
        assert_eq!(world.count("invite.suspended").await, 2);
        assert_eq!(world.count("invite.resumed").await, 1);
        accept(&world, "bob", &second, 200).await;
    }
}

#[tokio::test]
async fn refused_accepts_are_told_with_what_was_answered_and_not_without_end() {
    for engine in engines() {
        let world = World::new(engine).await;
        let mut invite = reads();
        invite["invitee"] = json!({"userId": "bob"});
        let id = by_alice(&world, &invite).await;
        // Whoever does not hold it leaves no trace.
        let wrong = format!("{}x{}", &id[..20], &id[21..]);
        accept(&world, "mallory", &wrong, 404).await;
        assert_eq!(world.count("invite.accept-failed").await, 0);
        for _ in 0..15 {
            accept(&world, "mallory", &id, 403).await;
        }
        assert_eq!(world.count("invite.accept-failed").await, 10);
        let moments = history(&world, &id).await;
        let failed = moments.last().unwrap();
        assert_eq!(failed["change"], "ACCEPT_FAILED");
        assert_eq!(failed["userId"], "mallory");
        assert_eq!(failed["reason"], "InviteNotForYou");
        // Nothing of it is in the way of the one for whom it is, nor of whoever read it before.
        accept(&world, "bob", &id, 200).await;
        accept(&world, "bob", &id, 200).await;
        assert_eq!(world.count("invite.accept-failed").await, 10);
    }
}

#[tokio::test]
async fn the_first_preview_is_told() {
    for engine in engines() {
        let world = World::new(engine).await;
        let id = by_alice(&world, &reads()).await;
        let body = json!({ "inviteId": id });
        let before = history(&world, &id).await.len();
        for _ in 0..3 {
            let preview = world.send("", "POST", "/v1/invites/previews", Some(&body));
            preview.await.expect(200);
        }
        assert_eq!(world.count("invite.previewed").await, 1);
        assert_eq!(history(&world, &id).await.len(), before + 1);
        let reference = &id[4..16];
        let target = format!("/v1/invites/{reference}");
        let shown = world.own("GET", &target, None).await;
        let shown = shown.expect(200).json();
        assert_eq!(shown["lastUpdated"], shown["createdTime"]);
    }
}

#[tokio::test]
async fn a_running_server_tells_by_itself() {
    let world = World::with(Engine::Memory, |settings| {
        settings.limits.notice_pause = Duration::from_millis(1);
    })
    .await;
    let id = by_alice(&world, &reads()).await;
    world.clock.advance(7 * DAY);
    let after = world.app.revision().0;
    let feed = format!("/v1/events?after={after}&wait=20");
    let events = world.own("GET", &feed, None).await.expect(200).json();
    assert_eq!(events["events"][0]["eventType"], "invite.expired");
    assert_eq!(events["events"][0]["subject"]["id"], id[4..16]);
}

/// What alice may give is taken from her, or given again.
async fn give_alice(world: &World, role: &str) {
    let record = record_of("rec_alice", "alice", &[role], &["docs"]);
    let put = world.own("PUT", "/v1/records/rec_alice", Some(&record));
    assert!(put.await.status < 300);
}

#[tokio::test]
async fn an_account_may_have_the_invites_of_leavers_withdrawn() {
    for engine in engines() {
        let world = World::new(engine).await;
        let settings = "/v1/settings/invites";
        let unset = world.own("GET", settings, None).await.expect(200).json();
        assert_eq!(
            unset,
            json!({"lostAuthority": "SUSPEND", "approval": {"requiredForRisk": false}})
        );
        let suspended = by_alice(&world, &reads()).await;
        let used = by_alice(&world, &reads()).await;
        accept(&world, "bob", &used, 200).await;
        // Another inviter, who loses nothing.
        let stays = world.invite(&world.owner, &reads()).await;
        give_alice(&world, "Authress:ReadResource").await;
        assert_eq!(told(&world).await, 1);
        // It takes those that are suspended already, and only those.
        let body = json!({"lostAuthority": "REVOKE", "lastUpdated": "2001-01-01T00:00:00Z"});
        let set = world.own("PUT", settings, Some(&body)).await.expect(200);
        assert_eq!(set.json()["lostAuthority"], "REVOKE");
        let read = world.own("GET", settings, None).await.expect(200);
        assert_eq!(read.json(), set.json());
        assert_eq!(told(&world).await, 1);
        assert_eq!(told(&world).await, 0);
        assert_eq!(
            changes(&world, &suspended).await,
            ["CREATED", "SUSPENDED", "REVOKED"]
        );
        let moments = history(&world, &suspended).await;
        let reason = "whoever made it may no longer give what it holds";
        assert_eq!(moments[2]["reason"], reason);
        assert_eq!(world.count("invite.revoked").await, 1);
        assert_eq!(world.count("settings.updated").await, 1);
        // For good: authority that returns does not bring it back.
        give_alice(&world, "Authress:Owner").await;
        assert_eq!(told(&world).await, 0);
        accept(&world, "carol", &suspended, 404).await;
        accept(&world, "carol", &stays, 200).await;
        // What is left out is as if it was never set.
        let reset = world.own("PUT", settings, Some(&json!({}))).await;
        assert_eq!(reset.expect(200).json()["lostAuthority"], "SUSPEND");
        let unknown = json!({"lostAuthority": "FORGET"});
        let refused = world.own("PUT", settings, Some(&unknown)).await;
        assert_eq!(refused.expect(400).json()["errorCode"], "InvalidRequest");
    }
}

async fn withdraw_of_leavers(world: &World) {
    let body = json!({"lostAuthority": "REVOKE"});
    let set = world.own("PUT", "/v1/settings/invites", Some(&body)).await;
    set.expect(200);
}

#[tokio::test]
async fn an_invite_is_withdrawn_only_if_it_is_still_suspended_when_looked_at_again() {
    for engine in engines() {
        let world = World::new(engine).await;
        withdraw_of_leavers(&world).await;
        let returns = by_alice(&world, &reads()).await;
        give_alice(&world, "Authress:ReadResource").await;
        assert_eq!(told(&world).await, 1);
        assert_eq!(changes(&world, &returns).await, ["CREATED", "SUSPENDED"]);
        // Authority came back before the second look: nothing is lost.
        give_alice(&world, "Authress:Owner").await;
        assert_eq!(told(&world).await, 1);
        assert_eq!(told(&world).await, 0);
        let resumed = ["CREATED", "SUSPENDED", "RESUMED"];
        assert_eq!(changes(&world, &returns).await, resumed);
        // It goes again: what was told of the first time does not count.
        give_alice(&world, "Authress:ReadResource").await;
        assert_eq!(told(&world).await, 1);
        assert_eq!(world.count("invite.revoked").await, 0);
        assert_eq!(told(&world).await, 1);
        assert_eq!(world.count("invite.revoked").await, 1);
        assert_eq!(told(&world).await, 0);
    }
}

#[tokio::test]
async fn nothing_is_withdrawn_while_memory_misses_a_change() {
    for is_behind in [false, true] {
        let world = World::new(Engine::Memory).await;
        withdraw_of_leavers(&world).await;
        let id = by_alice(&world, &reads()).await;
        give_alice(&world, "Authress:ReadResource").await;
        assert_eq!(told(&world).await, 1);
        if is_behind {
            // A role that nobody can read: it might be the one that gives alice everything.
            let mut unreadable = Changes::new(Event {
                kind: "role.updated".to_owned(),
                time: 0,
                actor: "test".to_owned(),
                request_id: String::new(),
                subject: "role/ro_broken".to_owned(),
                data: Value::Null,
            });
            unreadable.write.push(Document {
                kind: Kind::Role,
                id: "ro_broken".to_owned(),
                facets: Vec::new(),
                body: b"{}".to_vec(),
            });
            let applied = world.app.store.apply(unreadable).await.unwrap();
            assert!(matches!(applied, Applied::Done(_)));
        }
        assert_eq!(world.app.is_behind(), is_behind);
        assert_eq!(told(&world).await, usize::from(!is_behind));
        let stored = world.app.store.get(Kind::Invite, &id[4..16]).await;
        let stored: StoredInvite = stored.unwrap().unwrap().value.read().unwrap();
        let expected = if is_behind {
            InviteStatus::Pending
        } else {
            InviteStatus::Revoked
        };
        assert_eq!(stored.status, expected);
    }
}

#[tokio::test]
async fn a_suspension_ends_whichever_way_authority_returns() {
    for engine in engines() {
        let world = World::new(engine).await;
        world
            .role("ro_give", &[("docs:read", true, true, false)])
            .await;
        let invite = invite_of(&["ro_read"], &["docs/1"]);
        world
            .role("ro_read", &[("docs:read", true, false, false)])
            .await;
        let group = json!({"groupId": "grp_a", "name": "a", "users": [{"userId": "alice"}]});
        world
            .own("POST", "/v1/groups", Some(&group))
            .await
            .expect(201);
        let mut record = record_of("rec_a", "nobody", &["ro_give"], &["docs"]);
        record["users"] = json!([]);
        record["statements"][0]["groups"] = json!([{"groupId": "grp_a"}]);
        world
            .own("POST", "/v1/records", Some(&record))
            .await
            .expect(201);
        let alice = world.token("alice");
        let id = world.invite(&alice, &invite).await;
        let target = format!("/v1/invites/{}", &id[4..16]);
        let status = || async {
            let found = world.own("GET", &target, None).await.expect(200);
            found.json()["status"].as_str().unwrap().to_owned()
        };
        let put = |target: &'static str, body: Value| {
            let world = &world;
            async move {
                let reply = world.own("PUT", target, Some(&body)).await;
                assert!(reply.status < 300, "{}", reply.text);
            }
        };
        assert_eq!(status().await, "PENDING");
        // Out of the group, and in again.
        let mut left = group.clone();
        left["users"] = json!([]);
        put("/v1/groups/grp_a", left).await;
        assert_eq!(status().await, "SUSPENDED");
        accept(&world, "bob", &id, 403).await;
        put("/v1/groups/grp_a", group).await;
        assert_eq!(status().await, "PENDING");
        // The role gives less, and as much again.
        let role = |grant: bool| {
            let permission =
                json!({"action": "docs:read", "allow": true, "grant": grant, "delegate": false});
            json!({"roleId": "ro_give", "name": "ro_give", "permissions": [permission]})
        };
        put("/v1/roles/ro_give", role(false)).await;
        assert_eq!(status().await, "SUSPENDED");
        put("/v1/roles/ro_give", role(true)).await;
        assert_eq!(status().await, "PENDING");
        // The record is gone, and another one gives the same.
        let gone = world.own("DELETE", "/v1/records/rec_a", None).await;
        assert!(gone.status < 300);
        assert_eq!(status().await, "SUSPENDED");
        let again = record_of("rec_b", "alice", &["ro_give"], &["docs/1"]);
        world
            .own("POST", "/v1/records", Some(&again))
            .await
            .expect(201);
        assert_eq!(status().await, "PENDING");
        accept(&world, "bob", &id, 200).await;
    }
}
