//! Rows 21 to 27 and 31: expiry, withdrawal, renewal and repetition.

use serde_json::{Value, json};

use crate::by_hand::reference;
use crate::steps::{DAY, accept, history, made, reads, refused};
use crate::world::{Engine, World, engines};

#[tokio::test]
async fn d21_an_invite_ends_in_its_millisecond_though_nobody_clears_up() {
    // The task that looks for what has ended rests for a day in these worlds.
    for engine in engines() {
        let world = World::new(engine).await;
        let ids = [
            made(&world, "docs/1", &json!({})).await,
            made(&world, "docs/1", &json!({})).await,
        ];
        world.clock.advance(7 * DAY - 1);
        accept(&world, &world.token("bob"), &ids[0])
            .await
            .expect(200);
        world.clock.advance(1);
        let reply = accept(&world, &world.token("carol"), &ids[1]).await;
        refused(&reply, 404, "InviteExpired");
        assert!(!world.may("carol", "docs/1", "read").await);
    }
}

#[tokio::test]
async fn d22_an_invite_that_ended_is_not_used_by_any_way() {
    let world = World::new(Engine::Memory).await;
    let id = made(&world, "docs/1", &json!({"invitee": {"userId": "ann"}})).await;
    world.clock.advance(7 * DAY);
    let ann = world.token("ann");
    for name in [id.clone(), reference(&id)] {
        for body in [json!({}), json!({"response": "ACCEPT"}), Value::Null] {
            let target = format!("/v1/invites/{name}");
            let reply = world.send(&ann, "PATCH", &target, Some(&body)).await;
            refused(&reply, 404, "InviteExpired");
        }
    }
    let inbox = world
        .send(&ann, "GET", "/v1/users/ann/invites", None)
        .await
        .expect(200);
    assert_eq!(inbox.json()["invites"], json!([]));
    let given = json!({"inviteId": id});
    let previews = "/v1/invites/previews";
    let preview = world.send("", "POST", previews, Some(&given)).await;
    refused(&preview, 404, "InviteExpired");
    // To decline it is too late as well, and brings nothing back.
    for way in ["declines", "report-leak"] {
        let target = format!("/v1/invites/{way}");
        world
            .send("", "POST", &target, Some(&given))
            .await
            .expect(204);
    }
    accept(&world, &ann, &id).await.expect(404);
    assert!(!world.may("ann", "docs/1", "read").await);
}

#[tokio::test]
async fn d24_no_invite_is_for_ever_and_those_of_a_deleted_user_are_void() {
    let world = World::new(Engine::Memory).await;
    for (expiry, status) in [
        ("2026-02-01T03:04:05.678Z", 201),
        ("2026-02-01T03:04:05.679Z", 400),
        ("2027-01-02T03:04:05.678Z", 400),
        ("9999-12-31T23:59:59.999Z", 400),
        ("2026-01-02T03:04:05.678Z", 400),
    ] {
        let mut body = reads("docs/1");
        body["expiryTime"] = json!(expiry);
        let reply = world.own("POST", "/v1/invites", Some(&body)).await;
        assert_eq!(reply.status, status, "{expiry}");
    }
    // Hoarded for the day after: made by whoever leaves, and for them.
    for record in ["rec_bob", "rec_dave"] {
        let user = &record[4..];
        world
            .give(record, user, &["Authress:Owner"], &["docs"])
            .await;
    }
    let by = world.invite(&world.token("bob"), &reads("docs/1")).await;
    let to = made(&world, "docs/1", &json!({"invitee": {"userId": "bob"}})).await;
    let other = world.invite(&world.token("dave"), &reads("docs/1")).await;
    world.own("DELETE", "/v1/users/bob", None).await.expect(202);
    let (eve, bob) = (world.token("eve"), world.token("bob"));
    refused(&accept(&world, &eve, &by).await, 404, "InviteRevoked");
    refused(&accept(&world, &bob, &to).await, 404, "InviteRevoked");
    assert!(!world.may("bob", "docs/1", "read").await);
    accept(&world, &eve, &other).await.expect(200);
}

#[tokio::test]
async fn d25_withdrawn_by_any_way_is_withdrawn_at_once() {
    for engine in engines() {
        let world = World::new(engine).await;
        for way in ["id", "reference", "bulk", "leak", "decline"] {
            let more = json!({"tags": {"way": way}});
            let id = made(&world, "docs/1", &more).await;
            let given = json!({"inviteId": id});
            match way {
                "id" | "reference" => {
                    let name = if way == "id" {
                        id.clone()
                    } else {
                        reference(&id)
                    };
                    let target = format!("/v1/invites/{name}");
                    world.own("DELETE", &target, None).await.expect(204);
                }
                "bulk" => {
                    let body = json!({"tag": "way=bulk"});
                    let found = world
                        .own("POST", "/v1/invites/revocations", Some(&body))
                        .await
                        .expect(200)
                        .json();
                    assert_eq!(found["revoked"], json!([reference(&id)]));
                }
                "leak" => {
                    world
                        .send("", "POST", "/v1/invites/report-leak", Some(&given))
                        .await
                        .expect(204);
                }
                _ => {
                    world
                        .send("", "POST", "/v1/invites/declines", Some(&given))
                        .await
                        .expect(204);
                }
            }
            let code = if way == "decline" {
                "InviteDeclined"
            } else {
                "InviteRevoked"
            };
            let reply = accept(&world, &world.token("bob"), &id).await;
            refused(&reply, 404, code);
            assert!(!world.may("bob", "docs/1", "read").await, "{way}");
        }
        let kept = made(&world, "docs/1", &json!({})).await;
        accept(&world, &world.token("bob"), &kept).await.expect(200);
    }
}

#[tokio::test]
async fn d26_what_is_over_tells_nothing_of_whom_it_was_for() {
    let world = World::new(Engine::Memory).await;
    let previews = "/v1/invites/previews";
    let ann = world.token_with_email("ann", "ann.lee@x.test");
    for end in ["accepted", "revoked", "declined", "expired", "renewed"] {
        let more = json!({"invitee": {"email": "ann.lee@x.test"}});
        let id = made(&world, "docs/secret-project", &more).await;
        let given = json!({"inviteId": id});
        let target = format!("/v1/invites/{id}");
        // The control: it is told as long as it can be used.
        let preview = world.send("", "POST", previews, Some(&given)).await;
        assert!(preview.expect(200).text.contains("a***@x.test"));
        world.own("GET", &target, None).await.expect(200);
        match end {
            "accepted" => drop(accept(&world, &ann, &id).await.expect(200)),
            "revoked" => drop(world.own("DELETE", &target, None).await.expect(204)),
            "declined" => {
                let declines = "/v1/invites/declines";
                world
                    .send("", "POST", declines, Some(&given))
                    .await
                    .expect(204);
            }
            "expired" => world.clock.advance(7 * DAY),
            _ => {
                let renewals = format!("/v1/invites/{}/renewals", reference(&id));
                world.own("POST", &renewals, None).await.expect(201);
            }
        }
        for reply in [
            world.own("GET", &target, None).await,
            world.send("", "POST", previews, Some(&given)).await,
            world.as_user("eve", "GET", &target, None).await,
            accept(&world, &world.token("eve"), &id).await,
        ] {
            assert_eq!(reply.status, 404, "{end} {}", reply.text);
            for word in ["lee", "x.test", "secret-project", "ReadResource"] {
                assert!(!reply.text.contains(word), "{end} {}", reply.text);
            }
        }
    }
}

#[tokio::test]
async fn d27_a_renewed_invite_has_one_id_and_those_for_a_person_go_together() {
    for engine in engines() {
        let world = World::new(engine).await;
        let more = json!({"invitee": {"email": "bob@x.test"}});
        let old = made(&world, "docs/1", &more).await;
        let renewals = format!("/v1/invites/{}/renewals", reference(&old));
        let new = world.own("POST", &renewals, None).await.expect(201).json();
        let new = new["inviteId"].as_str().unwrap().to_owned();
        assert_ne!(new, old);
        let bob = world.token_with_email("bob", "bob@x.test");
        refused(&accept(&world, &bob, &old).await, 404, "NotFound");
        let second = made(&world, "docs/2", &more).await;
        let others = made(&world, "docs/2", &json!({"invitee": {"email": "c@x.test"}})).await;
        let body = json!({"invitee": {"email": "BOB@X.test"}});
        let found = world
            .own("POST", "/v1/invites/revocations", Some(&body))
            .await
            .expect(200)
            .json();
        assert_eq!(found["revoked"].as_array().unwrap().len(), 2);
        for id in [&new, &second] {
            refused(&accept(&world, &bob, id).await, 404, "InviteRevoked");
        }
        let carol = world.token_with_email("carol", "c@x.test");
        accept(&world, &carol, &others).await.expect(200);
    }
}

#[tokio::test]
async fn d31_what_is_sent_again_is_done_once() {
    for engine in engines() {
        let world = World::new(engine).await;
        // An accept whose answer was lost, five times again.
        let id = made(&world, "docs/1", &json!({})).await;
        let bob = world.token("bob");
        let mut answers = Vec::new();
        for _ in 0..6 {
            answers.push(accept(&world, &bob, &id).await.expect(200).text);
        }
        answers.dedup();
        assert_eq!(answers.len(), 1);
        assert_eq!(world.count("invite.accepted").await, 1);
        assert_eq!(
            history(&world, &reference(&id)).await,
            ["CREATED", "ACCEPTED"]
        );
        let record = world.own("GET", "/v1/records/bob", None).await.json();
        assert_eq!(record["statements"].as_array().unwrap().len(), 1);
        // Invites under one key, and without.
        let post = async |key: &str, body: &Value| {
            let headers = [("Idempotency-Key", key)];
            let headers = if key.is_empty() {
                &[][..]
            } else {
                &headers[..]
            };
            let owner = &world.owner;
            world
                .send_with(owner, "POST", "/v1/invites", headers, Some(body))
                .await
        };
        let first = post("k", &reads("docs/1")).await.expect(201).json();
        let again = post("k", &reads("docs/1")).await.expect(201).json();
        assert_eq!(first, again);
        post("k", &reads("docs/2")).await.expect(422);
        let one = post("", &reads("docs/1")).await.expect(201).json();
        let two = post("", &reads("docs/1")).await.expect(201).json();
        assert_ne!(one["inviteId"], two["inviteId"]);
    }
}
