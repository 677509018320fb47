//! What is done with invites by those who do not use them, and by who holds their ids.

use serde_json::{Value, json};

use crate::world::{Engine, Reply, World, engines, invite_of};

const DAY: i64 = 24 * 60 * 60 * 1000;

fn reference(id: &str) -> String {
    id[4..16].to_owned()
}

fn reads(resource: &str) -> Value {
    invite_of(&["Authress:ReadResource"], &[resource])
}

async fn by_alice(world: &World) -> String {
    world
        .give("rec_alice", "alice", &["Authress:Owner"], &["docs"])
        .await;
    world.invite(&world.token("alice"), &reads("docs/1")).await
}

async fn renew(world: &World, credential: &str, id: &str, body: Option<&Value>) -> Reply {
    let target = format!("/v1/invites/{}/renewals", reference(id));
    world.send(credential, "POST", &target, body).await
}

async fn accept(world: &World, user: &str, id: &str) -> Reply {
    world
        .as_user(user, "PATCH", &format!("/v1/invites/{id}"), None)
        .await
}

async fn history(world: &World, id: &str) -> Vec<String> {
    let target = format!("/v1/invites/{}/events", reference(id));
    let found = world.own("GET", &target, None).await.expect(200).json();
    let events = found["events"].as_array().unwrap().iter();
    events
        .map(|event| event["change"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn renewing_kills_the_old_id_and_begins_anew() {
    for engine in engines() {
        let world = World::new(engine).await;
        let old = by_alice(&world).await;
        world.clock.advance(8 * DAY);
        accept(&world, "bob", &old).await.expect(404);
        let renewed = renew(&world, &world.token("alice"), &old, None)
            .await
            .expect(201)
            .json();
        let new = renewed["inviteId"].as_str().unwrap().to_owned();
        assert_eq!(reference(&new), reference(&old));
        assert_ne!(new, old);
        assert_eq!(renewed["expiryTime"], "2026-01-17T03:04:05.678Z");
        let dead = accept(&world, "bob", &old).await.expect(404);
        assert_eq!(
            dead.code(),
            "NotFound",
            "nothing is told to who holds the old one"
        );
        accept(&world, "bob", &new).await.expect(200);
        assert!(world.may("bob", "docs/1", "read").await);
        let reply = renew(&world, &world.token("alice"), &new, None)
            .await
            .expect(404);
        assert_eq!(reply.code(), "InviteAlreadyAccepted");
        assert_eq!(
            history(&world, &new).await,
            ["CREATED", "ACCEPT_FAILED", "RENEWED", "ACCEPTED"]
        );
    }
}

#[tokio::test]
async fn only_who_may_give_what_it_holds_renews_it() {
    let world = World::new(Engine::Memory).await;
    let id = by_alice(&world).await;
    renew(&world, &world.token("stranger"), &id, None)
        .await
        .expect(404);
    world
        .role(
            "ro_updates",
            &[
                ("Invites:Read", true, false, false),
                ("Invites:Update", true, false, false),
            ],
        )
        .await;
    world
        .give("rec_admin", "admin", &["ro_updates"], &["Authress:Invites"])
        .await;
    let reply = renew(&world, &world.token("admin"), &id, None)
        .await
        .expect(403);
    assert_eq!(reply.code(), "InsufficientGrantAccess");
    // Declined invites are renewed too; withdrawn ones are not.
    let decline = json!({"response": "DECLINE"});
    let target = format!("/v1/invites/{id}");
    world
        .as_user("bob", "PATCH", &target, Some(&decline))
        .await
        .expect(200);
    let body = json!({"expiryTime": "2026-01-09T03:04:05.678Z"});
    let renewed = renew(&world, &world.token("alice"), &id, Some(&body))
        .await
        .expect(201)
        .json();
    let id = renewed["inviteId"].as_str().unwrap().to_owned();
    let far = json!({"expiryTime": "2026-01-20T03:04:05.678Z"});
    renew(&world, &world.token("alice"), &id, Some(&far))
        .await
        .expect(403);
    let target = format!("/v1/invites/{}", reference(&id));
    world.own("DELETE", &target, None).await.expect(204);
    let reply = renew(&world, &world.token("alice"), &id, None)
        .await
        .expect(404);
    assert_eq!(reply.code(), "InviteRevoked");
    // Who lost the authority can renew nothing.
    let other = world.invite(&world.token("alice"), &reads("docs/2")).await;
    world
        .own("DELETE", "/v1/records/rec_alice", None)
        .await
        .expect(204);
    let reply = renew(&world, &world.token("alice"), &other, None)
        .await
        .expect(403);
    assert_eq!(reply.code(), "InsufficientGrantAccess");
}

#[tokio::test]
async fn a_pending_invite_is_changed_under_its_id() {
    let world = World::new(Engine::Memory).await;
    let id = by_alice(&world).await;
    let target = format!("/v1/invites/{}", reference(&id));
    let alice = world.token("alice");
    let before = world
        .send(&alice, "GET", &target, None)
        .await
        .expect(200)
        .json();
    let mut changed = reads("docs/2");
    changed["tags"] = json!({"team": "blue"});
    let since = before["lastUpdated"].as_str().unwrap().to_owned();
    let headers = [("If-Unmodified-Since", since.as_str())];
    let reply = world
        .send_with(&alice, "PUT", &target, &headers, Some(&changed))
        .await;
    let after = reply.expect(200).json();
    assert_eq!(after["tags"], json!({"team": "blue"}));
    assert_eq!(after["expiryTime"], before["expiryTime"]);
    let stale = world
        .send_with(&alice, "PUT", &target, &headers, Some(&changed))
        .await;
    stale.expect(412);
    // What was read can be sent back.
    world
        .send(&alice, "PUT", &target, Some(&after))
        .await
        .expect(200);
    let reply = world
        .send(&alice, "PUT", &target, Some(&reads("elsewhere")))
        .await
        .expect(403);
    assert_eq!(reply.code(), "InsufficientGrantAccess");
    world
        .as_user("stranger", "PUT", &target, Some(&changed))
        .await
        .expect(404);
    accept(&world, "bob", &id).await.expect(200);
    assert!(world.may("bob", "docs/2", "read").await);
    assert!(!world.may("bob", "docs/1", "read").await);
    world
        .send(&alice, "PUT", &target, Some(&changed))
        .await
        .expect(404);
    assert_eq!(
        history(&world, &id).await,
        ["CREATED", "UPDATED", "UPDATED", "ACCEPTED"]
    );
}

#[tokio::test]
async fn an_invite_is_declined_by_whom_it_is_for() {
    for engine in engines() {
        let world = World::new(engine).await;
        let id = by_alice(&world).await;
        let target = format!("/v1/invites/{id}");
        for body in [
            json!({"response": "MAYBE"}),
            json!({"response": 1}),
            json!({"response": "DECLINE", "reason": "x".repeat(257)}),
        ] {
            world
                .as_user("bob", "PATCH", &target, Some(&body))
                .await
                .expect(400);
        }
        let decline = json!({"response": "DECLINE", "reason": "wrong project"});
        world
            .own("PATCH", &target, Some(&decline))
            .await
            .expect(403);
        world
            .as_user("bob", "PATCH", &target, Some(&decline))
            .await
            .expect(200);
        // Again, and by who would accept now.
        world
            .as_user("bob", "PATCH", &target, Some(&decline))
            .await
            .expect(200);
        let reply = accept(&world, "bob", &id).await.expect(404);
        assert_eq!(reply.code(), "InviteDeclined");
        assert!(!world.may("bob", "docs/1", "read").await);
        let events = world.events().await;
        let event = events
            .iter()
            .find(|event| event["type"] == "invite.declined")
            .unwrap();
        assert_eq!(event["actor"], "bob");
        assert_eq!(world.count("invite.declined").await, 1);
    }
}

#[tokio::test]
async fn what_says_nothing_accepts() {
    let world = World::new(Engine::Memory).await;
    for body in [
        json!({}),
        json!({"response": null}),
        json!({"response": "ACCEPT"}),
        json!(null),
        json!([]),
    ] {
        let id = world.invite(&world.owner, &reads("docs/1")).await;
        let target = format!("/v1/invites/{id}");
        world
            .as_user("bob", "PATCH", &target, Some(&body))
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn who_holds_the_id_needs_no_account_to_look_decline_or_report() {
    for engine in engines() {
        let world = World::new(engine).await;
        let post = async |what: &str, body: &Value| {
            let target = format!("/v1/invites/{what}");
            world.send("", "POST", &target, Some(body)).await
        };
        let id = world
            .invite(&world.owner, &{
                let mut body = reads("docs/1");
                body["invitee"] = json!({"email": "ann@example.com"});
                body
            })
            .await;
        let preview = post("previews", &json!({"inviteId": id}))
            .await
            .expect(200)
            .json();
        assert_eq!(
            preview,
            json!({
                "account": {"accountId": "acc-world"},
                "inviter": {"userId": world.owner_id},
                "expiryTime": "2026-01-09T03:04:05.678Z",
                "invitee": "a***@example.com",
            })
        );
        // Anything but a right id is answered alike.
        let mut refusals = Vec::new();
        let mut wrong = id.clone();
        let flipped = if wrong.ends_with('0') { '1' } else { '0' };
        wrong.pop();
        wrong.push(flipped);
        for unknown in [wrong.as_str(), "inv_", "x", &reference(&id)] {
            for what in ["previews", "declines", "report-leak"] {
                let reply = post(what, &json!({"inviteId": unknown})).await.expect(404);
                refusals.push(reply.anonymous());
            }
        }
        refusals.dedup();
        assert_eq!(refusals.len(), 1, "{refusals:?}");
        post("previews", &json!({})).await.expect(400);
        let declined = json!({"inviteId": id, "reason": "not mine"});
        post("declines", &declined).await.expect(204);
        post("declines", &declined).await.expect(204);
        let reply = post("previews", &json!({"inviteId": id})).await.expect(404);
        assert_eq!(reply.code(), "InviteDeclined");
        let leaked = world.invite(&world.owner, &reads("docs/1")).await;
        post("report-leak", &json!({"inviteId": leaked}))
            .await
            .expect(204);
        let reply = accept(&world, "bob", &leaked).await.expect(404);
        assert_eq!(reply.code(), "InviteRevoked");
        assert_eq!(
            history(&world, &leaked).await,
            ["CREATED", "LEAK_REPORTED", "ACCEPT_FAILED"]
        );
        // What was accepted is not undone by who holds the id.
        let used = world.invite(&world.owner, &reads("docs/2")).await;
        accept(&world, "bob", &used).await.expect(200);
        post("report-leak", &json!({"inviteId": used}))
            .await
            .expect(204);
        assert!(world.may("bob", "docs/2", "read").await);
    }
}

#[tokio::test]
async fn many_are_withdrawn_at_once_by_who_may() {
    let world = World::new(Engine::Memory).await;
    world
        .give("rec_alice", "alice", &["Authress:Owner"], &["docs"])
        .await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let body = reads(&format!("docs/{number}"));
        ids.push(world.invite(&world.token("alice"), &body).await);
    }
    let owners = world.invite(&world.owner, &reads("docs/1")).await;
    accept(&world, "bob", &ids[4]).await.expect(200);
    let revoke = async |credential: &str, body: &Value| {
        world
            .send(credential, "POST", "/v1/invites/revocations", Some(body))
            .await
    };
    for nothing in [
        json!({}),
        json!({"reason": "x"}),
        json!({"tag": "x"}),
        json!({"everything": true}),
    ] {
        revoke(&world.owner, &nothing).await.expect(400);
    }
    let none = revoke(&world.token("stranger"), &json!({"inviterUserId": "alice"}))
        .await
        .expect(200)
        .json();
    assert_eq!(none, json!({"revoked": [], "more": false}));
    let by_resource = json!({"inviterUserId": "alice", "resourceUri": "/docs/1"});
    let found = revoke(&world.token("alice"), &by_resource)
        .await
        .expect(200)
        .json();
    assert_eq!(found["revoked"], json!([reference(&ids[1])]));
    let found = revoke(&world.owner, &json!({"inviterUserId": "alice"}))
        .await
        .expect(200)
        .json();
    assert_eq!(found["revoked"].as_array().unwrap().len(), 3);
    accept(&world, "carol", &ids[0]).await.expect(404);
    accept(&world, "carol", &owners).await.expect(200);
    assert!(
        world.may("bob", "docs/4", "read").await,
        "what was accepted stays"
    );
}

#[tokio::test]
async fn d30_an_invite_is_either_withdrawn_or_accepted() {
    for engine in engines() {
        let world = std::sync::Arc::new(World::new(engine).await);
        for round in 0..40 {
            let resource = format!("docs/{round}");
            let id = world.invite(&world.owner, &reads(&resource)).await;
            let (one, other) = (std::sync::Arc::clone(&world), std::sync::Arc::clone(&world));
            let (first, second) = (id.clone(), id.clone());
            let accepting = tokio::spawn(async move { accept(&one, "bob", &first).await.status });
            let withdrawing = tokio::spawn(async move {
                let target = format!("/v1/invites/{}", reference(&second));
                other.own("DELETE", &target, None).await.status
            });
            let (accepted, withdrawn) = (accepting.await.unwrap(), withdrawing.await.unwrap());
            assert_eq!(withdrawn, 204);
            assert!(matches!(accepted, 200 | 404), "{accepted}");
            assert_eq!(world.may("bob", &resource, "read").await, accepted == 200);
        }
    }
}
