//! What accepting an invite would do is what it does.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::{Engine, World, encode, engines, invite_of, record_of};

async fn effect(world: &World, credential: &str, id: &str, body: &Value) -> Value {
    let target = format!("/v1/invites/{id}/effect");
    let reply = world.send(credential, "POST", &target, Some(body)).await;
    reply.expect(200).json()
}

/// The permissions of a user on a resource, by action: what may be done, given, and given on.
async fn permissions(world: &World, user: &str, resource: &str) -> BTreeMap<String, [bool; 3]> {
    let target = format!(
        "/v1/users/{}/resources/{}/permissions",
        encode(user),
        encode(resource)
    );
    let reply = world.own("GET", &target, None).await;
    let mut found = BTreeMap::new();
    if reply.status == 200 {
        for permission in reply.json()["permissions"].as_array().unwrap() {
            let action = permission["action"].as_str().unwrap().to_lowercase();
            let flags = ["allow", "grant", "delegate"].map(|flag| permission[flag] == true);
            found.insert(action, flags);
        }
    }
    found
}

#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
#[tokio::test]
async fn what_is_told_is_what_happens() {
    for engine in engines() {
        for strategy in [
            "GENERATE_NEW_RECORD",
            "UNSAFE_FORCE_MERGE",
            "REPLACE_RECORD_DATA",
            "SKIP_CHANGES",
        ] {
            for before in ["nothing", "own record", "shared record", "elsewhere"] {
                let world = World::new(engine).await;
                world
                    .role(
                        "ro_read",
                        &[
                            ("docs:read", true, false, false),
                            ("docs:list", true, true, false),
                        ],
                    )
                    .await;
                world
                    .role("ro_list", &[("docs:list", true, false, false)])
                    .await;
                match before {
                    "own record" => world.give("bob", "bob", &["ro_list"], &["docs/1"]).await,
                    "shared record" => {
                        let mut record = record_of("bob", "bob", &["ro_list"], &["docs/1"]);
                        record["users"] = json!([{"userId": "bob"}, {"userId": "carol"}]);
                        world
                            .own("POST", "/v1/records", Some(&record))
                            .await
                            .expect(201);
                    }
                    "elsewhere" => world.give("rec_1", "bob", &["ro_list"], &["docs"]).await,
                    _ => {}
                }
                let mut body = invite_of(&["ro_read"], &["docs/1", "docs/2"]);
                body["conflictResolutionStrategy"] = json!(strategy);
                let id = world.invite(&world.owner, &body).await;
                let revision = world.app.revision();
                let told = effect(&world, &world.token("bob"), &id, &json!({})).await;
                assert_eq!(world.app.revision(), revision, "nothing is written");
                let resources = ["docs/1", "docs/2"];
                let mut held = Vec::new();
                for resource in resources {
                    held.push(permissions(&world, "bob", resource).await);
                }
                let target = format!("/v1/invites/{id}");
                world
                    .as_user("bob", "PATCH", &target, None)
                    .await
                    .expect(200);
                let case = format!("{strategy} over {before}: {told:#}");
                for (resource, mut expected) in resources.into_iter().zip(held) {
                    for gain in told["gains"].as_array().unwrap() {
                        if gain["resourceUri"] != resource {
                            continue;
                        }
                        for permission in gain["permissions"].as_array().unwrap() {
                            let action = permission["action"].as_str().unwrap().to_owned();
                            let flags =
                                ["allow", "grant", "delegate"].map(|flag| permission[flag] == true);
                            let known = expected.entry(action).or_default();
                            // Nothing is told that was there before.
                            assert!(
                                known.iter().zip(flags).all(|(old, new)| !(*old && new)),
                                "{case}"
                            );
                            for (old, new) in known.iter_mut().zip(flags) {
                                *old |= new;
                            }
                        }
                    }
                    let after = permissions(&world, "bob", resource).await;
                    if told["outcome"] == "REPLACED" {
                        assert!(
                            after
                                .iter()
                                .all(|(action, flags)| expected[action] == *flags),
                            "{case}"
                        );
                    } else {
                        assert_eq!(after, expected, "{resource} {case}");
                    }
                }
                let outcome = world
                    .events()
                    .await
                    .iter()
                    .find(|event| event["type"] == "invite.accepted")
                    .map(|event| event["data"]["outcome"].clone());
                assert_eq!(outcome.as_ref(), Some(&told["outcome"]), "{case}");
                let others = told["otherUsers"] == json!(["carol"]);
                let affects = before == "shared record"
                    && (told["outcome"] == "FORCE_MERGED" || told["outcome"] == "REPLACED");
                assert_eq!(others, affects, "{case}");
                let again = effect(&world, &world.token("bob"), &id, &json!({})).await;
                assert_eq!(again["gains"], json!([]), "accepted once");
            }
        }
    }
}

#[tokio::test]
async fn a_dry_run_is_judged_like_the_real_one_and_writes_nothing() {
    let world = World::new(Engine::Memory).await;
    world
        .give("rec_alice", "alice", &["Authress:Owner"], &["docs"])
        .await;
    let revision = world.app.revision();
    let target = "/v1/invites?dryRun=true";
    let alice = world.token("alice");
    let owner_role = invite_of(&["Authress:Owner"], &["docs/1"]);
    let told = world
        .send(&alice, "POST", target, Some(&owner_role))
        .await
        .expect(200)
        .json();
    assert_eq!(told["outcome"], "CREATED");
    assert_eq!(told["gains"][0]["permissions"][0]["delegate"], true);
    assert_eq!(
        told["riskFlags"],
        json!(["ALL_ACTIONS", "GRANTS_ACCESS", "BEARER_ADMIN"])
    );
    assert_eq!(told["userId"], Value::Null);
    let elsewhere = invite_of(&["Authress:Owner"], &["elsewhere"]);
    let reply = world
        .send(&alice, "POST", target, Some(&elsewhere))
        .await
        .expect(403);
    assert_eq!(reply.code(), "InsufficientGrantAccess");
    let unknown = invite_of(&["ro_none"], &["docs/1"]);
    world
        .send(&alice, "POST", target, Some(&unknown))
        .await
        .expect(400);
    world
        .send(
            &alice,
            "POST",
            "/v1/invites?dryRun=perhaps",
            Some(&owner_role),
        )
        .await
        .expect(400);
    let everything = invite_of(&["Authress:Owner"], &["*"]);
    let told = world
        .own("POST", target, Some(&everything))
        .await
        .expect(200)
        .json();
    assert_eq!(
        told["riskFlags"],
        json!([
            "EVERYTHING",
            "ALL_ACTIONS",
            "GRANTS_ACCESS",
            "SERVICE_RESOURCES",
            "BEARER_ADMIN"
        ])
    );
    assert_eq!(world.app.revision(), revision);
    world
        .own("POST", "/v1/invites?dryRun=false", Some(&everything))
        .await
        .expect(201);
    assert!(world.app.revision() > revision);
}

#[tokio::test]
async fn what_somebody_holds_is_told_to_those_only_who_may_ask() {
    let world = World::new(Engine::Memory).await;
    world
        .give("rec_alice", "alice", &["Authress:Owner"], &["docs"])
        .await;
    world
        .give("rec_bob", "bob", &["Authress:ReadResource"], &["docs"])
        .await;
    let mut body = invite_of(&["Authress:ReadResource"], &["docs/1"]);
    body["invitee"] = json!({"userId": "bob"});
    let id = world.invite(&world.token("alice"), &body).await;
    let reference = &id[4..16];
    let of_bob = json!({"userId": "bob"});
    let target = format!("/v1/invites/{reference}/effect");
    // Who made the invite may read it, and still not ask what others hold.
    world
        .as_user("alice", "POST", &target, Some(&of_bob))
        .await
        .expect(403);
    world
        .as_user("stranger", "POST", &target, Some(&of_bob))
        .await
        .expect(404);
    world
        .as_user("stranger", "POST", &target, None)
        .await
        .expect(404);
    world.send("", "POST", &target, None).await.expect(401);
    let told = world
        .own("POST", &target, Some(&of_bob))
        .await
        .expect(200)
        .json();
    assert_eq!(told["gains"], json!([]));
    assert_eq!(told["alreadyHeld"].as_array().unwrap().len(), 1);
    let dry = world
        .as_user("alice", "POST", "/v1/invites?dryRun=true", Some(&body))
        .await;
    let dry = dry.expect(200).json();
    assert_eq!(
        (&dry["userId"], dry["gains"].as_array().unwrap().len()),
        (&Value::Null, 1)
    );
    // Bob asks by reference; somebody else who holds the id learns that it is not for them.
    let told = world
        .as_user("bob", "POST", &target, None)
        .await
        .expect(200)
        .json();
    assert_eq!(told["userId"], "bob");
    assert_eq!(told["errorCode"], Value::Null);
    let told = effect(&world, &world.token("carol"), &id, &json!({})).await;
    assert_eq!(told["errorCode"], "InviteNotForYou");
    // A secret that is not right is none.
    let wrong = format!("/v1/invites/{}/effect", id.replace(&id[17..20], "zzz"));
    world.as_user("bob", "POST", &wrong, None).await.expect(404);
    world
        .own("DELETE", "/v1/records/rec_alice", None)
        .await
        .expect(204);
    let told = effect(&world, &world.token("bob"), &id, &json!({})).await;
    assert_eq!(told["errorCode"], "InviteNoLongerValid");
}
