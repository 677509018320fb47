//! Rows 1 to 10: who may accept.

use serde_json::{Value, json};

use crate::by_hand::reference;
use crate::steps::{DAY, Linked, accept, made, reads, refused};
use crate::world::{Engine, Reply, World, record_of};

/// Tries an id in a minute of its own, so that nobody is slowed down.
async fn guess(world: &World, id: &str) -> Reply {
    world.clock.advance(2_000);
    accept(world, &world.token("mallory"), id).await
}

#[tokio::test]
async fn d01_a_changed_id_is_no_id_and_all_are_answered_alike() {
    let world = World::new(Engine::Memory).await;
    let id = made(&world, "docs/1", &json!({})).await;
    let other = made(&world, "docs/2", &json!({})).await;
    let revision = world.app.revision();
    let mut guesses = Vec::new();
    // Every character changed, in four ways.
    for (place, character) in id.char_indices() {
        for change in ['0', 'Z', '_', '.'] {
            if change != character {
                let mut changed = id.clone();
                changed.replace_range(place..=place, &change.to_string());
                guesses.push(changed);
            }
        }
    }
    assert!(guesses.len() >= 256, "{}", guesses.len());
    for length in [0, 3, 4, 16, 17, 60, id.len() - 1] {
        guesses.push(format!("{}x", &id[..length]));
    }
    guesses.push(format!("{id}0"));
    guesses.push(format!("{id}.{id}"));
    guesses.push(format!("{}{}", &id[..17], &other[17..]));
    guesses.push("eyJhbGciOiJub25lIn0.eyJpbnZpdGVJZCI6IngifQ.".to_owned());
    let mut answers = Vec::new();
    for id in &guesses {
        let reply = guess(&world, id).await;
        refused(&reply, 404, "NotFound");
        answers.push(reply.anonymous());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(world.app.revision(), revision, "nothing was written");
    guess(&world, &id).await.expect(200);
}

#[tokio::test]
async fn d02_an_address_that_nobody_verified_is_no_address() {
    let world = World::new(Engine::Memory).await;
    let linked = Linked::new(&world).await;
    let id = made(&world, "docs/1", &json!({"invitee": {"email": "a@x.test"}})).await;
    for verified in [json!(false), json!("true"), json!(1), Value::Null] {
        let claims = json!({"email": "a@x.test", "email_verified": verified});
        let token = linked.token("ann", &claims);
        let reply = accept(&world, &token, &id).await;
        refused(&reply, 403, "InviteNotForYou");
        assert!(!reply.text.contains("a@x.test"), "{}", reply.text);
        let inbox = world.send(&token, "GET", "/v1/users/ann/invites", None);
        assert_eq!(inbox.await.expect(200).json()["invites"], json!([]));
        assert!(!world.may("ann", "docs/1", "read").await);
    }
    let claims = json!({"email": "a@x.test", "email_verified": true});
    let token = linked.token("ann", &claims);
    let inbox = world.send(&token, "GET", "/v1/users/ann/invites", None);
    assert_eq!(
        inbox.await.expect(200).json()["invites"][0]["reference"],
        json!(reference(&id))
    );
    accept(&world, &token, &id).await.expect(200);
    assert!(world.may("ann", "docs/1", "read").await);
}

#[tokio::test]
async fn d03_who_accepts_what_is_not_read_from_the_body() {
    let world = World::new(Engine::Memory).await;
    let id = made(&world, "docs/1", &json!({})).await;
    let body = json!({
        "email": "eve@x.test", "userId": "eve", "roles": ["Authress:Owner"], "tenantId": "t",
        "statements": [{"roles": ["Authress:Owner"], "resources": [{"resourceUri": "*"}]}],
        "maxUses": 9, "inviteId": id, "status": "PENDING",
    });
    let preview = json!({"inviteId": id, "userId": "eve", "statements": body["statements"]});
    world
        .send("", "POST", "/v1/invites/previews", Some(&preview))
        .await
        .expect(200);
    let target = format!("/v1/invites/{id}");
    world
        .as_user("bob", "PATCH", &target, Some(&body))
        .await
        .expect(200);
    let record = world.own("GET", "/v1/records/bob", None).await.json();
    let stored = &reads("docs/1")["statements"];
    assert_eq!(record["statements"][0]["resources"], stored[0]["resources"]);
    assert_eq!(record["statements"][0]["roles"], stored[0]["roles"]);
    assert_eq!(record["statements"].as_array().unwrap().len(), 1);
    assert_eq!(record["users"], json!([{"userId": "bob"}]));
    assert!(world.may("bob", "docs/1", "read").await);
    assert!(!world.may("bob", "docs/2", "read").await);
    assert!(!world.may("eve", "docs/1", "read").await);
}

#[tokio::test]
async fn d04_accepting_signs_nobody_in_and_finds_no_account_by_address() {
    let world = World::new(Engine::Memory).await;
    // Somebody has this address already, and access.
    let victim = world.token_with_email("victim", "v@x.test");
    let first = made(&world, "docs/1", &json!({"invitee": {"email": "v@x.test"}})).await;
    accept(&world, &victim, &first).await.expect(200);
    let id = made(&world, "docs/2", &json!({})).await;
    let body = json!({"email": "v@x.test", "userId": "victim"});
    let target = format!("/v1/invites/{id}");
    // Without a token nothing is accepted, whatever the body says.
    world
        .send("", "PATCH", &target, Some(&body))
        .await
        .expect(401);
    let reply = world
        .as_user("bob", "PATCH", &target, Some(&body))
        .await
        .expect(200);
    assert_eq!(reply.header("set-cookie"), None);
    for word in ["token", "session", "code"] {
        assert!(!reply.text.to_lowercase().contains(word), "{}", reply.text);
    }
    assert!(world.may("bob", "docs/2", "read").await);
    assert!(!world.may("victim", "docs/2", "read").await);
    assert!(!world.may("bob", "docs/1", "read").await);
}

#[tokio::test]
async fn d05_a_domain_is_that_domain_and_no_other() {
    let world = World::new(Engine::Memory).await;
    let linked = Linked::new(&world).await;
    let domains = json!({"restrictions": {"emailDomains": ["x.com"]}});
    let id = made(&world, "docs/1", &domains).await;
    for address in [
        "a@y.com",
        "a@mail.x.com",
        "a@evil-x.com",
        "a@x.com.evil.test",
        "a@x.com.",
        "a@x.co",
        "a@х.com",
        "a@xn--x-xtb.com",
        "x.com@y.com",
        "\"a@x.com\"@y.com",
        "a@y.com@x.com",
        "a@[x.com]",
        "a@x.com\u{200b}",
        "a@ｘ.com",
    ] {
        let claims = json!({"email": address, "email_verified": true});
        let reply = accept(&world, &linked.token("ann", &claims), &id).await;
        refused(&reply, 403, "InviteNotForYou");
    }
    assert!(!world.may("ann", "docs/1", "read").await);
    let claims = json!({"email": "a@X.com", "email_verified": true});
    accept(&world, &linked.token("ann", &claims), &id)
        .await
        .expect(200);
}

#[tokio::test]
async fn d06_an_invite_for_one_is_not_used_by_another() {
    let world = World::new(Engine::Memory).await;
    for invitee in [json!({"userId": "ann"}), json!({"email": "ann@x.test"})] {
        let id = made(&world, "docs/1", &json!({"invitee": invitee})).await;
        let bob = world.token_with_email("bob", "bob@x.test");
        refused(&accept(&world, &bob, &id).await, 403, "InviteNotForYou");
        // Nor by the public half, which everybody may know.
        refused(
            &accept(&world, &bob, &reference(&id)).await,
            404,
            "NotFound",
        );
        let target = format!("/v1/invites/{}", reference(&id));
        let invite = world.own("GET", &target, None).await.expect(200).json();
        assert_eq!(invite["status"], "PENDING");
        assert!(!world.may("bob", "docs/1", "read").await);
        let ann = world.token_with_email("ann", "ann@x.test");
        accept(&world, &ann, &id).await.expect(200);
    }
}

#[tokio::test]
async fn d07_the_client_holds_no_state_of_an_invite() {
    let world = World::new(Engine::Memory).await;
    let id = made(&world, "docs/1", &json!({})).await;
    let target = format!("/v1/invites/{id}");
    let given = json!({"inviteId": id});
    let replies = [
        world.own("GET", &target, None).await.expect(200),
        world
            .send("", "POST", "/v1/invites/previews", Some(&given))
            .await
            .expect(200),
        world
            .as_user("bob", "PATCH", &target, None)
            .await
            .expect(200),
        world.own("DELETE", &target, None).await.expect(204),
    ];
    for reply in &replies {
        assert_eq!(reply.header("set-cookie"), None, "{}", reply.head);
    }
    // All that the first answer had in its head, sent again by somebody else.
    let headers: Vec<(&str, &str)> = replies[2]
        .head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| !["content-length", "connection"].contains(name))
        .chain([("Cookie", "invite=accepted; inviteId=1")])
        .collect();
    let carol = world.token("carol");
    let again = world
        .send_with(&carol, "PATCH", &target, &headers, None)
        .await;
    again.expect(404);
    assert!(!world.may("carol", "docs/1", "read").await);
}

#[tokio::test]
async fn d08_an_invite_id_is_good_for_nothing_else() {
    let world = World::new(Engine::Memory).await;
    let id = made(&world, "docs/1", &json!({})).await;
    // As a credential.
    world
        .send(&id, "GET", "/v1/accounts", None)
        .await
        .expect(401);
    accept(&world, &id, &id).await.expect(401);
    // As the name of something else.
    for noun in [
        "records", "roles", "groups", "clients", "tenants", "requests",
    ] {
        let target = format!("/v1/{noun}/{id}");
        world.own("GET", &target, None).await.expect(404);
    }
    // Other secrets as an invite id.
    for secret in [world.token("bob"), world.owner.clone()] {
        let reply = accept(&world, &world.token("bob"), &secret).await;
        assert!(matches!(reply.status, 400 | 404), "{}", reply.status);
    }
    // In another installation.
    let elsewhere = World::new(Engine::Memory).await;
    made(&elsewhere, "docs/9", &json!({})).await;
    let foreign = elsewhere
        .invite(
            &elsewhere.token("alice"),
            &crate::world::invite_of(&["ro_editor"], &["projects/42"]),
        )
        .await;
    let reply = accept(&world, &world.token("bob"), &foreign).await;
    refused(&reply, 404, "NotFound");
    accept(&world, &world.token("bob"), &id).await.expect(200);
}

#[tokio::test]
async fn d09_an_invite_changes_nobody_who_is_there_already() {
    let world = World::new(Engine::Memory).await;
    let record = record_of("victim", "victim", &["Authress:ReadResource"], &["own"]);
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    let before = world.own("GET", "/v1/records/victim", None).await.json();
    let id = made(&world, "docs/1", &json!({"linkedUserId": "victim"})).await;
    accept(&world, &world.token("mallory"), &id)
        .await
        .expect(200);
    let after = world.own("GET", "/v1/records/victim", None).await.json();
    assert_eq!(after, before);
    assert!(world.may("mallory", "docs/1", "read").await);
    assert!(!world.may("mallory", "own", "read").await);
    assert!(!world.may("victim", "docs/1", "read").await);
}

#[tokio::test]
async fn d10_the_account_cannot_write_the_address_of_a_person() {
    let world = World::new(Engine::Memory).await;
    let id = made(
        &world,
        "docs/1",
        &json!({"invitee": {"email": "ann@x.test"}}),
    )
    .await;
    // What the account says of eve is in the tokens that it makes for her, and proves nothing.
    let claims = json!({"defaultClaims": {"defaultAccessTokenClaims":
        {"email": "ann@x.test", "email_verified": true}}});
    world
        .own("PUT", "/v1/users/eve/token-configuration", Some(&claims))
        .await
        .expect(200);
    let client = json!({"name": "maker", "options": {"grantTokenGeneration": true}});
    let client = world.own("POST", "/v1/clients", Some(&client)).await.json();
    let keys = format!(
        "/v1/clients/{}/access-keys",
        client["clientId"].as_str().unwrap()
    );
    let key = world.own("POST", &keys, None).await.expect(201).json();
    let everything = crate::world::invite_of(&["Authress:Owner"], &["*"]);
    let key = key["accessKey"].as_str().unwrap();
    let token = world
        .send(key, "POST", "/v1/users/eve/tokens", Some(&everything))
        .await
        .expect(201)
        .json();
    let reply = accept(&world, token["token"].as_str().unwrap(), &id).await;
    refused(&reply, 403, "InviteNotForYou");
    // Who had the address and has another one now is somebody else.
    let linked = Linked::new(&world).await;
    let changed = json!({"email": "ann.new@x.test", "email_verified": true});
    let reply = accept(&world, &linked.token("ann", &changed), &id).await;
    refused(&reply, 403, "InviteNotForYou");
    let ann = json!({"email": "ann@x.test", "email_verified": true});
    accept(&world, &linked.token("ann", &ann), &id)
        .await
        .expect(200);
}

/// No row of its own: those who guess are slowed down, and no holder of an id notices.
#[tokio::test]
async fn guessing_is_slowed_down_and_stops_no_holder() {
    let world = World::new(Engine::Memory).await;
    let id = made(&world, "docs/1", &json!({})).await;
    let mallory = world.token("mallory");
    let guess = format!("{}x", &id[..id.len() - 1]);
    let mut told = Vec::new();
    for _ in 0..70 {
        told.push(accept(&world, &mallory, &guess).await.status);
    }
    assert_eq!((told[0], told[69]), (404, 429));
    accept(&world, &world.token("bob"), &id).await.expect(200);
    world.clock.advance(DAY);
    assert_eq!(
        accept(&world, &world.token("mallory"), &guess).await.status,
        404
    );
}
