//! Linked issuers through the API, to the invite that a person of a linked issuer accepts.

use serde_json::{Value, json};

use crate::fake_issuer::{FakeIssuer, Reply, SigningKey};
use crate::world::{Engine, START, World, check, engines, invite_of};

const AUDIENCE: &str = "https://app.example";

async fn issuer() -> (FakeIssuer, SigningKey) {
    let key = SigningKey::ed25519("k1", 3);
    (FakeIssuer::start(&[&key]).await, key)
}

fn claims(issuer: &FakeIssuer, subject: &str) -> Value {
    let now = START / 1000;
    json!({"iss": issuer.name(), "sub": subject, "aud": AUDIENCE, "iat": now, "exp": now + 3600})
}

async fn link(world: &World, body: &Value) -> crate::world::Reply {
    world.own("POST", "/v1/identities", Some(body)).await
}

async fn listed(world: &World) -> Value {
    let reply = world.own("GET", "/v1/identities", None).await.expect(200);
    reply.json()["identities"].clone()
}

/// What a token is answered when the user asks about themselves.
async fn status(world: &World, token: &str, user: &str) -> u16 {
    let target = check(user, "projects/42", "documents:write");
    world.send(token, "GET", &target, None).await.status
}

#[tokio::test]
async fn a_user_of_a_linked_issuer_accepts_an_invite() {
    for engine in engines() {
        let world = World::new(engine).await;
        let (issuer, key) = issuer().await;
        let invite = world
            .invite(
                &world.token("alice"),
                &invite_of(&["ro_editor"], &["projects/42"]),
            )
            .await;
        let target = format!("/v1/invites/{invite}");
        let token = key.token(&claims(&issuer, "110/95"));
        // Nobody before the issuer is linked.
        world.send(&token, "PATCH", &target, None).await.expect(401);
        let body = json!({"issuer": issuer.name(), "preferredAudience": AUDIENCE,
            "userIdExpression": "google-oauth2|{sub}"});
        let linked = link(&world, &body).await.expect(201);
        assert_eq!(linked.text, "");
        let user = "google-oauth2|110/95";
        assert_eq!(status(&world, &token, user).await, 404);
        world
            .send(&token, "PATCH", &target, Some(&json!({})))
            .await
            .expect(200);
        assert_eq!(status(&world, &token, user).await, 200);
        assert!(world.may(user, "projects/42", "documents:write").await);
        assert!(!world.may("110/95", "projects/42", "documents:write").await);
        // Again it is the same person; for another it is used up.
        world.send(&token, "PATCH", &target, None).await.expect(200);
        let other = key.token(&claims(&issuer, "other"));
        let reply = world.send(&other, "PATCH", &target, None).await;
        assert_eq!(reply.expect(404).code(), "InviteAlreadyAccepted");
        let accepted = world.events().await;
        let accepted: Vec<_> = accepted
            .iter()
            .filter(|event| event["type"] == "invite.accepted")
            .collect();
        assert_eq!(accepted.len(), 1);
        assert_eq!(accepted[0]["actor"], user);
    }
}

#[tokio::test]
async fn an_issuer_is_linked_by_name_for_an_audience() {
    let world = World::new(Engine::Memory).await;
    let (issuer, key) = issuer().await;
    let name = issuer.name();
    let without = link(&world, &json!({"issuer": name})).await.expect(400);
    assert_eq!(without.json()["path"], "preferredAudience");
    assert_eq!(listed(&world).await, json!([]));
    // As one SDK sends it, with everything else empty.
    let body = json!({"issuer": name, "preferredAudience": AUDIENCE, "jwt": null, "userIdExpression": "{sub}"});
    link(&world, &body).await.expect(201);
    let identity = json!({"issuer": name, "audience": AUDIENCE, "userIdExpression": "{sub}"});
    assert_eq!(listed(&world).await, json!([identity]));
    assert_eq!(
        issuer.connections(),
        0,
        "nothing is fetched until a token comes"
    );
    assert_eq!(
        status(&world, &key.token(&claims(&issuer, "u")), "u").await,
        404
    );
    for audience in [
        json!("https://other.example"),
        json!(format!("{AUDIENCE}/")),
        json!("*"),
        json!([]),
    ] {
        let mut wrong = claims(&issuer, "u");
        wrong["aud"] = audience.clone();
        assert_eq!(
            status(&world, &key.token(&wrong), "u").await,
            401,
            "{audience}"
        );
    }
    // Any audience must be asked for.
    let any = json!({"issuer": name, "preferredAudience": "*", "userIdExpression": "any|{sub}"});
    link(&world, &any).await.expect(201);
    let mut other = claims(&issuer, "u");
    other["aud"] = json!("https://other.example");
    assert_eq!(status(&world, &key.token(&other), "any|u").await, 404);
    assert_eq!(
        status(&world, &key.token(&claims(&issuer, "u")), "u").await,
        404
    );
    assert_eq!(listed(&world).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_issuer_is_linked_by_a_sample_token() {
    let world = World::new(Engine::Memory).await;
    let (issuer, key) = issuer().await;
    let sample = key.token(&claims(&issuer, "u"));
    link(&world, &json!({"jwt": sample})).await.expect(201);
    let identity =
        json!({"issuer": issuer.name(), "audience": AUDIENCE, "userIdExpression": "{sub}"});
    assert_eq!(listed(&world).await, json!([identity]));
    assert_eq!(status(&world, &sample, "u").await, 404);
    // Of several audiences one must be chosen, and it must be one of them.
    let mut several = claims(&issuer, "u");
    several["aud"] = json!(["https://b", "https://c"]);
    let several = key.token(&several);
    for (preferred, status) in [
        (Value::Null, 400),
        (json!("https://d"), 400),
        (json!("https://b"), 201),
        (json!("*"), 201),
    ] {
        let body = json!({"jwt": several, "preferredAudience": preferred});
        let reply = link(&world, &body).await.expect(status);
        if status == 400 {
            assert_eq!(reply.json()["path"], "preferredAudience", "{preferred}");
        }
    }
    let audiences: Vec<Value> = listed(&world)
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|identity| identity["audience"].clone())
        .collect();
    assert_eq!(audiences, ["*", AUDIENCE, "https://b"]);
}

#[tokio::test]
async fn a_sample_token_that_proves_nothing_links_nothing() {
    let world = World::new(Engine::Memory).await;
    let (issuer, key) = issuer().await;
    let strange = SigningKey::ed25519("k1", 4);
    let unknown = SigningKey::ed25519("k2", 3);
    let good = claims(&issuer, "u");
    let mut expired = good.clone();
    expired["exp"] = json!(START / 1000 - 61);
    let mut elsewhere = good.clone();
    elsewhere["iss"] = json!("http://10.0.0.1");
    for bad in [
        strange.token(&good),
        unknown.token(&good),
        key.token(&expired),
        key.token(&elsewhere),
        "not.a.token".to_owned(),
        "x".to_owned(),
    ] {
        let reply = link(&world, &json!({"jwt": bad})).await.expect(400);
        assert_eq!(reply.json()["path"], "jwt", "{}", reply.text);
        // What was sent is not sent back.
        assert!(bad.len() < 20 || !reply.text.contains(&bad[..20]));
    }
    issuer.answer_keys(Reply::Status(500));
    link(
        &world,
        &json!({"jwt": SigningKey::ed25519("k3", 3).token(&good)}),
    )
    .await
    .expect(400);
    let neither = link(&world, &json!({"preferredAudience": "x"}))
        .await
        .expect(400);
    assert_eq!(neither.json()["path"], "issuer");
    link(&world, &json!({"issuer": "", "jwt": ""}))
        .await
        .expect(400);
    world.own("POST", "/v1/identities", None).await.expect(400);
    assert_eq!(listed(&world).await, json!([]));
    assert_eq!(world.count("identity.linked").await, 0);
}

#[tokio::test]
async fn issuers_that_may_not_be_asked_are_refused() {
    let world = World::new(Engine::Memory).await;
    for refused in [
        "http://example.com",
        "http://10.0.0.1",
        "https://10.0.0.1",
        "https://169.254.169.254",
        "https://user@example.com",
        "https://example.com?x=1",
        "https://example.com#x",
        "https://example.com:22",
        "ftp://example.com",
        "example.com",
        "file:///etc/passwd",
    ] {
        let body = json!({"issuer": refused, "preferredAudience": "x"});
        let reply = link(&world, &body).await.expect(400);
        assert_eq!(reply.code(), "IssuerNotUsable", "{refused}");
    }
    for (member, value) in [
        ("issuer", json!("https://ex\u{e4}mple.com")),
        ("issuer", json!(format!("https://{}.com", "a".repeat(240)))),
        ("preferredAudience", json!("caf\u{e9}")),
        ("userIdExpression", json!("no claim")),
        ("userIdExpression", json!("{")),
        ("userIdExpression", json!("{sub}".repeat(30))),
    ] {
        let mut body = json!({"issuer": "https://example.com", "preferredAudience": "x"});
        body[member] = value.clone();
        let reply = link(&world, &body).await.expect(400);
        let code = reply.code();
        assert!(
            reply.json()["path"] == member || code == "IssuerNotUsable",
            "{member} {value} {}",
            reply.text
        );
    }
    assert_eq!(listed(&world).await, json!([]));
    // Without development, http is for nobody.
    let world = World::with(Engine::Memory, |settings| settings.development = false).await;
    let (issuer, key) = issuer().await;
    let body = json!({"issuer": issuer.name(), "preferredAudience": AUDIENCE});
    assert_eq!(
        link(&world, &body).await.expect(400).code(),
        "IssuerNotUsable"
    );
    let sample = key.token(&claims(&issuer, "u"));
    link(&world, &json!({"jwt": sample})).await.expect(400);
    assert_eq!(issuer.connections(), 0);
}

#[tokio::test]
async fn linking_again_replaces_how_user_ids_are_made() {
    for engine in engines() {
        let world = World::new(engine).await;
        let (issuer, key) = issuer().await;
        let token = key.token(&claims(&issuer, "u"));
        for (expression, user) in [("{sub}", "u"), ("a|{sub}", "a|u"), ("{sub}@b", "u@b")] {
            let body = json!({"issuer": issuer.name(), "preferredAudience": AUDIENCE,
                "userIdExpression": expression});
            link(&world, &body).await.expect(201);
            link(&world, &body).await.expect(201);
            // The same token is another user with the next request.
            assert_eq!(status(&world, &token, user).await, 404, "{expression}");
            assert_eq!(status(&world, &token, "somebody-else").await, 403);
            let identity = json!({"issuer": issuer.name(), "audience": AUDIENCE, "userIdExpression": expression});
            assert_eq!(listed(&world).await, json!([identity]));
        }
        let events = world.events().await;
        let subjects: Vec<&Value> = events
            .iter()
            .filter(|event| event["type"] == "identity.linked")
            .map(|event| &event["subject"])
            .collect();
        assert_eq!(
            subjects,
            vec![&json!(format!("identity/{}", issuer.name())); 6]
        );
    }
}

#[tokio::test]
async fn issuers_are_linked_and_listed_by_who_may() {
    let world = World::new(Engine::Memory).await;
    let (issuer, key) = issuer().await;
    world
        .role("ro_reader", &[("READ", true, false, false)])
        .await;
    world
        .give("rec_1", "dave", &["ro_reader"], &["Authress:Configuration"])
        .await;
    let sample = key.token(&claims(&issuer, "u"));
    for (user, listing) in [("dave", 200), ("mallory", 403)] {
        world
            .as_user(user, "GET", "/v1/identities", None)
            .await
            .expect(listing);
        for body in [
            json!({"jwt": sample}),
            json!({"issuer": issuer.name(), "preferredAudience": "x"}),
        ] {
            let reply = world
                .as_user(user, "POST", "/v1/identities", Some(&body))
                .await;
            assert_eq!(reply.expect(403).code(), "Forbidden", "{user}");
        }
    }
    assert_eq!(
        issuer.connections(),
        0,
        "nothing is fetched for those who may not link"
    );
    // A user of an issuer is no service client, whatever the token says.
    link(&world, &json!({"jwt": sample})).await.expect(201);
    for reserved in [
        world.owner_id.as_str(),
        "sc_x",
        "Authress:ServiceClients/x",
        "AUTHRESS:y",
    ] {
        let token = key.token(&claims(&issuer, reserved));
        world
            .send(&token, "GET", "/v1/accounts", None)
            .await
            .expect(401);
    }
}
