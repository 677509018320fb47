//! Rows 12 to 20: what may be granted.

use serde_json::{Value, json};

use crate::by_hand::reference;
use crate::steps::{accept, made, reads, refused};
use crate::world::{Engine, World, engines, invite_of, record_of, statement};

const CEILING: &str = "InsufficientGrantAccess";

/// Makes a client with a key.
async fn client(world: &World) -> (String, String) {
    let body = json!({"name": "n"});
    let made = world.own("POST", "/v1/clients", Some(&body)).await.json();
    let id = made["clientId"].as_str().unwrap().to_owned();
    let keys = format!("/v1/clients/{id}/access-keys");
    let key = world.own("POST", &keys, None).await.expect(201).json();
    (id, key["accessKey"].as_str().unwrap().to_owned())
}

/// Roles by what they say of two actions: may do it, may give it.
async fn roles(world: &World) {
    for (id, permissions) in [
        ("ro_r", vec![("x:r", true, false, false)]),
        ("ro_w", vec![("x:w", true, false, false)]),
        ("ro_rg", vec![("x:r", true, true, false)]),
        ("ro_wd", vec![("x:w", false, false, true)]),
        (
            "ro_rw",
            vec![("x:r", true, false, false), ("x:w", true, false, false)],
        ),
        ("ro_all", vec![("*", true, true, true)]),
    ] {
        world.role(id, &permissions).await;
    }
}

/// What a role needs to be given, by action, and what holding it lets one give: the naive model.
fn naive(held: &str, given: &str) -> bool {
    match held {
        "ro_all" => true,
        "ro_rg" => given == "ro_r",
        // To delegate is to give to others without having it.
        "ro_wd" => given == "ro_w",
        _ => false,
    }
}

#[tokio::test]
async fn d12_nobody_invites_to_more_than_they_may_give_and_nothing_is_given_before_the_accept() {
    let world = World::new(Engine::Memory).await;
    roles(&world).await;
    let all = ["ro_r", "ro_w", "ro_rg", "ro_wd", "ro_rw", "ro_all"];
    let places = ["a", "a/b", "b"];
    let (mut made, mut refusals) = (0, 0);
    for held in all {
        let inviter = format!("holder-of-{held}");
        let record = format!("rec_{held}");
        world.give(&record, &inviter, &[held], &["a"]).await;
        let token = world.token(&inviter);
        for given in ["ro_r", "ro_w", "ro_rw"] {
            for place in places {
                let body = invite_of(&[given], &[place]);
                let reply = world.send(&token, "POST", "/v1/invites", Some(&body)).await;
                let may = naive(held, given) && place != "b";
                let expected = if may { 201 } else { 403 };
                assert_eq!(reply.status, expected, "{held} gives {given} on {place}");
                if !may {
                    assert_eq!(reply.code(), CEILING);
                    refusals += 1;
                    continue;
                }
                made += 1;
                let action = if given == "ro_w" { "x:w" } else { "x:r" };
                assert!(!world.may("bob", place, action).await, "before the accept");
                let id = reply.json()["inviteId"].as_str().unwrap().to_owned();
                accept(&world, &world.token("bob"), &id).await.expect(200);
                assert!(world.may("bob", place, action).await);
                let target = format!("/v1/invites/{}/grants", reference(&id));
                world.own("DELETE", &target, None).await.expect(200);
            }
        }
    }
    assert!(made > 5 && refusals > 20, "{made} {refusals}");
}

#[tokio::test]
async fn d13_a_service_client_invites_to_no_more_than_it_may_give() {
    let world = World::new(Engine::Memory).await;
    roles(&world).await;
    let (id, key) = client(&world).await;
    let body = invite_of(&["ro_r"], &["a"]);
    let bare = world.send(&key, "POST", "/v1/invites", Some(&body)).await;
    refused(&bare, 403, CEILING);
    world.give("rec_client", &id, &["ro_r"], &["a"]).await;
    let holding = world.send(&key, "POST", "/v1/invites", Some(&body)).await;
    refused(&holding, 403, CEILING);
    world.give("rec_giving", &id, &["ro_rg"], &["a"]).await;
    let invite = world.invite(&key, &body).await;
    let wider = invite_of(&["ro_rg"], &["a"]);
    let wider = world.send(&key, "POST", "/v1/invites", Some(&wider)).await;
    refused(&wider, 403, CEILING);
    // Nor does a client take what is for people.
    refused(
        &accept(&world, &key, &invite).await,
        403,
        "InvalidInviteAcceptor",
    );
    accept(&world, &world.token("bob"), &invite)
        .await
        .expect(200);
}

#[tokio::test]
async fn d14_every_way_to_make_an_invite_has_the_same_ceiling() {
    let world = World::new(Engine::Memory).await;
    roles(&world).await;
    world.give("rec_ann", "ann", &["ro_rg"], &["a"]).await;
    let ann = world.token("ann");
    let mine = world.invite(&ann, &invite_of(&["ro_r"], &["a"])).await;
    let target = format!("/v1/invites/{}", reference(&mine));
    for (roles, places, status) in [
        (["ro_r"], ["a"], true),
        (["ro_w"], ["a"], false),
        (["ro_rw"], ["a"], false),
        (["ro_all"], ["a"], false),
        (["ro_r"], ["b"], false),
        (["ro_r"], ["*"], false),
        (["Authress:Owner"], ["Authress:AccessRecords"], false),
    ] {
        let body = invite_of(&roles, &places);
        for (method, way, ok) in [
            ("POST", "/v1/invites".to_owned(), 201),
            ("POST", "/v1/invites?dryRun=true".to_owned(), 200),
            ("PUT", target.clone(), 200),
        ] {
            let reply = world.send(&ann, method, &way, Some(&body)).await;
            let expected = if status { ok } else { 403 };
            assert_eq!(
                reply.status, expected,
                "{method} {way} {roles:?} {places:?}"
            );
            if !status {
                assert_eq!(reply.code(), CEILING);
            }
        }
        // A batch judges each row so.
        for mode in ["bestEffort", "atomic"] {
            let batch = json!({"mode": mode, "invites": [body]});
            let reply = world
                .send(&ann, "POST", "/v1/invites/batch", Some(&batch))
                .await;
            let answer = reply.json();
            if status {
                assert_eq!((reply.status, &answer["accepted"]), (200, &json!(1)));
                continue;
            }
            let row = match mode {
                "atomic" => &answer["refusedRows"][0],
                _ => &answer["results"][0],
            };
            assert_eq!(row["refusal"]["errorCode"], CEILING, "{mode} {answer}");
        }
    }
    // What another made is renewed and changed by those who could make it.
    let role = [
        ("Invites:Read", true, false, false),
        ("Invites:Update", true, false, false),
    ];
    world.role("ro_clerk", &role).await;
    world
        .give("rec_clerk", "clerk", &["ro_clerk"], &["Authress:Invites"])
        .await;
    let clerk = world.token("clerk");
    let renewing = format!("{target}/renewals");
    let reply = world.send(&clerk, "POST", &renewing, None).await;
    refused(&reply, 403, CEILING);
    let body = invite_of(&["ro_r"], &["a"]);
    let reply = world.send(&clerk, "PUT", &target, Some(&body)).await;
    refused(&reply, 403, CEILING);
    world.send(&ann, "POST", &renewing, None).await.expect(201);
}

#[tokio::test]
async fn d16_an_inviter_who_lost_the_authority_gives_nothing() {
    for engine in engines() {
        let world = World::new(engine).await;
        roles(&world).await;
        world.give("rec_ann", "ann", &["ro_all"], &["a"]).await;
        let record = world.own("GET", "/v1/records/rec_ann", None).await.json();
        let invite = invite_of(&["ro_all"], &["a"]);
        let id = world.invite(&world.token("ann"), &invite).await;
        let bob = world.token("bob");
        let target = format!("/v1/invites/{}", reference(&id));
        // Taken away, and narrowed.
        let mut narrowed = record.clone();
        narrowed["statements"] = json!([statement(&["ro_rg"], &["a"])]);
        for lost in ["DELETE", "PUT"] {
            let body = (lost == "PUT").then_some(&narrowed);
            let status = if lost == "PUT" { 202 } else { 204 };
            world
                .own(lost, "/v1/records/rec_ann", body)
                .await
                .expect(status);
            refused(&accept(&world, &bob, &id).await, 403, "InviteNoLongerValid");
            let seen = world.own("GET", &target, None).await.expect(200).json();
            assert_eq!(seen["status"], "SUSPENDED");
            assert!(!world.may("bob", "a", "x:r").await);
            let back = if lost == "PUT" {
                world.own("PUT", "/v1/records/rec_ann", Some(&record)).await
            } else {
                world.own("POST", "/v1/records", Some(&record)).await
            };
            assert!(matches!(back.status, 201 | 202), "{}", back.text);
        }
        accept(&world, &bob, &id).await.expect(200);
        assert!(world.may("bob", "a", "x:r").await);
    }
}

#[tokio::test]
async fn d17_a_role_that_grew_is_judged_as_it_is_now() {
    let world = World::new(Engine::Memory).await;
    roles(&world).await;
    world.give("rec_ann", "ann", &["ro_rg"], &["a"]).await;
    let id = world
        .invite(&world.token("ann"), &invite_of(&["ro_r"], &["a"]))
        .await;
    let bob = world.token("bob");
    let role = world.own("GET", "/v1/roles/ro_r", None).await.json();
    let mut grown = role.clone();
    let more = json!({"action": "x:w", "allow": true, "grant": false, "delegate": false});
    grown["permissions"].as_array_mut().unwrap().push(more);
    let target = "/v1/roles/ro_r";
    world.own("PUT", target, Some(&grown)).await.expect(200);
    refused(&accept(&world, &bob, &id).await, 403, "InviteNoLongerValid");
    world.own("PUT", target, Some(&role)).await.expect(200);
    accept(&world, &bob, &id).await.expect(200);
    assert!(world.may("bob", "a", "x:r").await);
    assert!(!world.may("bob", "a", "x:w").await);
}

#[tokio::test]
async fn d18_an_invite_is_worth_nothing_in_another_installation() {
    let mut worlds = Vec::new();
    for _ in 0..3 {
        let world = World::new(Engine::Memory).await;
        // The worlds draw alike: each goes on from another place.
        world.app.entropy.text(100 * worlds.len()).unwrap();
        let several = json!({"restrictions": {"maxUses": 9}});
        let id = made(&world, "docs/1", &several).await;
        worlds.push((world, id));
    }
    for (here, (world, _)) in worlds.iter().enumerate() {
        for (there, (_, id)) in worlds.iter().enumerate() {
            let user = format!("u{there}");
            let reply = accept(world, &world.token(&user), id).await;
            let is_own = here == there;
            assert_eq!(
                reply.status,
                if is_own { 200 } else { 404 },
                "{}",
                reply.text
            );
            assert_eq!(world.may(&user, "docs/1", "read").await, is_own);
        }
    }
}

#[tokio::test]
async fn d19_what_does_not_exist_is_not_given_now_or_later() {
    let world = World::new(Engine::Memory).await;
    let gives = [("x:r", true, true, false), ("x:w", true, false, false)];
    world.role("ro_gives", &gives).await;
    world.give("rec_ann", "ann", &["ro_gives"], &["docs"]).await;
    let narrow = [("x:r", true, false, false)];
    world.role("ro_later", &narrow).await;
    let ann = world.token("ann");
    let unknown = invite_of(&["ro_unknown"], &["docs/1"]);
    let reply = world
        .send(&ann, "POST", "/v1/invites", Some(&unknown))
        .await;
    refused(&reply, 400, "InvalidRequest");
    let id = world
        .invite(&ann, &invite_of(&["ro_later"], &["docs/1"]))
        .await;
    let bob = world.token("bob");
    let deleting = async || {
        let deleted = world.own("DELETE", "/v1/roles/ro_later", None).await;
        assert!(deleted.status < 300, "{}", deleted.text);
    };
    deleting().await;
    refused(&accept(&world, &bob, &id).await, 403, "InviteNoLongerValid");
    // Made again under the same id, with what nobody judged.
    world.role("ro_later", &[("x:w", true, false, false)]).await;
    refused(&accept(&world, &bob, &id).await, 403, "InviteNoLongerValid");
    assert!(!world.may("bob", "docs/1", "x:w").await);
    deleting().await;
    world.role("ro_later", &narrow).await;
    accept(&world, &bob, &id).await.expect(200);
    assert!(world.may("bob", "docs/1", "x:r").await);
}

#[tokio::test]
async fn d20_merging_by_force_is_for_those_who_own_the_record_and_lets_nobody_else_gain() {
    let shared = async |world: &World| {
        let mut record = record_of("bob", "bob", &["Authress:ReadResource"], &["theirs"]);
        record["users"] = json!([{"userId": "bob"}, {"userId": "carol"}]);
        world
            .own("POST", "/v1/records", Some(&record))
            .await
            .expect(201);
    };
    let with = |strategy: &str| {
        let mut body = reads("docs/1");
        body["conflictResolutionStrategy"] = json!(strategy);
        body
    };
    for strategy in ["UNSAFE_FORCE_MERGE", "REPLACE_RECORD_DATA"] {
        let world = World::new(Engine::Memory).await;
        shared(&world).await;
        world
            .give("rec_ann", "ann", &["Authress:Owner"], &["docs"])
            .await;
        let id = world.invite(&world.token("ann"), &with(strategy)).await;
        let reply = accept(&world, &world.token("bob"), &id).await;
        refused(&reply, 403, "InviteNoLongerValid");
        assert!(!world.may("carol", "docs/1", "read").await, "{strategy}");
        // Never for a link that several can use.
        let mut several: Value = with(strategy);
        several["restrictions"] = json!({"maxUses": 2});
        let reply = world.own("POST", "/v1/invites", Some(&several)).await;
        refused(&reply, 400, "InvalidRequest");
    }
    for (strategy, bob, carol) in [
        ("GENERATE_NEW_RECORD", true, false),
        ("REPLACE_RECORD_DATA", true, false),
        ("SKIP_CHANGES", false, false),
        // The control: whoever owns the record may say so.
        ("UNSAFE_FORCE_MERGE", true, true),
    ] {
        let world = World::new(Engine::Memory).await;
        shared(&world).await;
        let id = world.invite(&world.owner, &with(strategy)).await;
        accept(&world, &world.token("bob"), &id).await.expect(200);
        assert_eq!(world.may("bob", "docs/1", "read").await, bob, "{strategy}");
        let gained = world.may("carol", "docs/1", "read").await;
        assert_eq!(gained, carol, "{strategy}");
    }
}
