//! For whom an invite is, and within which bounds it can be used.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::world::{Engine, Reply, World, check, engines, invite_of};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// An invite to read a document, with more members.
fn invite_with(more: &Value) -> Value {
    let mut invite = invite_of(&["Authress:ReadResource"], &["docs/1"]);
    for (name, value) in more.as_object().unwrap() {
        invite[name] = value.clone();
    }
    invite
}

async fn made(world: &World, more: &Value) -> String {
    world.invite(&world.owner, &invite_with(more)).await
}

async fn accept(world: &World, credential: &str, id: &str) -> Reply {
    let target = format!("/v1/invites/{id}");
    world.send(credential, "PATCH", &target, None).await
}

#[tokio::test]
async fn an_invite_for_a_user_is_for_nobody_else() {
    for engine in engines() {
        let world = World::new(engine).await;
        let id = made(&world, &json!({"invitee": {"userId": "ann"}})).await;
        let reply = accept(&world, &world.token("bob"), &id).await.expect(403);
        assert_eq!(reply.code(), "InviteNotForYou");
        let title = reply.json()["title"].as_str().unwrap().to_owned();
        assert!(title.contains("an***"), "{title}");
        assert!(!world.may("bob", "docs/1", "read").await);
        accept(&world, &world.token("ann"), &id).await.expect(200);
        assert!(world.may("ann", "docs/1", "read").await);
    }
}

#[tokio::test]
async fn an_invite_for_an_address_is_for_who_signs_in_with_it_verified() {
    let world = World::new(Engine::Memory).await;
    let id = made(
        &world,
        &json!({"invitee": {"email": "Ann.Lee@Example.com"}}),
    )
    .await;
    for other in [
        world.token("ann"),
        world.token_with_email("ann", "annlee@example.com"),
        world.token_with_email("ann", "ann.lee+x@example.com"),
        world.token_with_email("ann", "ann.lee@example.com.evil.test"),
        world.token_with_email("ann", "bob@example.com"),
    ] {
        let reply = accept(&world, &other, &id).await.expect(403);
        assert_eq!(reply.code(), "InviteNotForYou");
        let title = reply.json()["title"].as_str().unwrap().to_owned();
        assert!(
            title.contains("a***@example.com") && !title.contains("lee"),
            "{title}"
        );
    }
    // A stranger without the id learns nothing of it.
    let guess = format!("{}x", &id[..id.len() - 1]);
    accept(&world, &world.token("ann"), &guess)
        .await
        .expect(404);
    let ann = world.token_with_email("oidc|7", "ANN.LEE@example.com");
    accept(&world, &ann, &id).await.expect(200);
    assert!(world.may("oidc|7", "docs/1", "read").await);
    // Again, and without the address: it was accepted, and nothing changes.
    accept(&world, &ann, &id).await.expect(200);
    accept(&world, &world.token("oidc|7"), &id)
        .await
        .expect(200);
}

#[tokio::test]
async fn domains_and_issuers_restrict_whole_and_exactly() {
    let world = World::new(Engine::Memory).await;
    let restrictions = json!({"restrictions": {"emailDomains": ["example.com", "example.org"]}});
    let id = made(&world, &restrictions).await;
    for address in [
        "a@evil-example.com",
        "a@mail.example.com",
        "a@example.com.evil.test",
    ] {
        let token = world.token_with_email("ann", address);
        let reply = accept(&world, &token, &id).await.expect(403);
        assert_eq!(reply.code(), "InviteNotForYou", "{address}");
    }
    accept(&world, &world.token("ann"), &id).await.expect(403);
    let token = world.token_with_email("ann", "a@EXAMPLE.org");
    accept(&world, &token, &id).await.expect(200);
    let issuer = json!({"restrictions": {"issuer": "https://login.example"}});
    let id = made(&world, &issuer).await;
    accept(&world, &world.token("bob"), &id).await.expect(403);
    let own = json!({"restrictions": {"issuer": "http://guestlist.test"}});
    let id = made(&world, &own).await;
    accept(&world, &world.token("bob"), &id).await.expect(200);
}

#[tokio::test]
async fn an_invite_can_begin_later() {
    let world = World::new(Engine::Memory).await;
    let begins = "2026-01-03T03:04:05.678Z";
    let id = made(&world, &json!({"restrictions": {"notBefore": begins}})).await;
    let reply = accept(&world, &world.token("ann"), &id).await.expect(404);
    assert_eq!(reply.code(), "InviteNotYetValid");
    world.clock.advance(DAY - 1);
    accept(&world, &world.token("ann"), &id).await.expect(404);
    world.clock.advance(1);
    accept(&world, &world.token("ann"), &id).await.expect(200);
}

#[tokio::test]
async fn d28_of_many_at_once_exactly_so_many_gain() {
    for engine in engines() {
        for most in [1_usize, 2, 5] {
            let world = Arc::new(World::new(engine).await);
            for round in 0..4 {
                let mut body = invite_of(&["Authress:ReadResource"], &[&format!("docs/{round}")]);
                body["restrictions"] = json!({"maxUses": most});
                let id = world.invite(&world.owner, &body).await;
                let users = (0..24).map(|user| {
                    let (world, id) = (Arc::clone(&world), id.clone());
                    tokio::spawn(async move {
                        let token = world.token(&format!("user-{user}"));
                        (user, accept(&world, &token, &id).await)
                    })
                });
                let users: Vec<_> = users.collect();
                let mut winners = Vec::new();
                for user in users {
                    match user.await.unwrap() {
                        (user, reply) if reply.status == 200 => winners.push(user),
                        (_, reply) => {
                            let code = if most == 1 {
                                "InviteAlreadyAccepted"
                            } else {
                                "InviteExhausted"
                            };
                            assert_eq!((reply.status, reply.code().as_str()), (404, code));
                        }
                    }
                }
                assert_eq!(winners.len(), most);
                for user in 0..24 {
                    let resource = format!("docs/{round}");
                    let may = world.may(&format!("user-{user}"), &resource, "read").await;
                    assert_eq!(may, winners.contains(&user));
                }
                // Who has used it may say so again.
                let token = world.token(&format!("user-{}", winners[0]));
                accept(&world, &token, &id).await.expect(200);
            }
        }
    }
}

#[tokio::test]
async fn links_for_several_never_administer() {
    let world = World::new(Engine::Memory).await;
    world.role("ro_gives", &[("x", true, true, false)]).await;
    world.role("ro_reads", &[("x", true, false, false)]).await;
    for (role, resource) in [
        ("ro_gives", "docs/1"),
        ("Authress:Owner", "docs/1"),
        ("Authress:ReadResource", "*"),
        ("ro_reads", "*"),
        ("ro_reads", "Authress:Roles"),
        ("ro_none", "docs/1"),
    ] {
        let mut body = invite_of(&[role], &[resource]);
        body["restrictions"] = json!({"maxUses": 2});
        let reply = world
            .own("POST", "/v1/invites", Some(&body))
            .await
            .expect(400);
        assert_eq!(
            reply.json()["path"],
            "restrictions.maxUses",
            "{role} {resource}"
        );
    }
    for (more, path) in [
        (
            json!({"invitee": {"userId": "ann"}}),
            "restrictions.maxUses",
        ),
        (
            json!({"conflictResolutionStrategy": "UNSAFE_FORCE_MERGE"}),
            "conflictResolutionStrategy",
        ),
        (
            json!({"conflictResolutionStrategy": "REPLACE_RECORD_DATA"}),
            "conflictResolutionStrategy",
        ),
    ] {
        let mut body = invite_with(&more);
        body["restrictions"] = json!({"maxUses": 2});
        let reply = world
            .own("POST", "/v1/invites", Some(&body))
            .await
            .expect(400);
        assert_eq!(reply.json()["path"], path, "{more}");
    }
    // A role that is given more later suspends it.
    let mut body = invite_of(&["ro_reads"], &["docs/1"]);
    body["restrictions"] = json!({"maxUses": 2});
    let id = world.invite(&world.owner, &body).await;
    let wider = json!({"name": "n", "permissions": [
        {"action": "x", "allow": true, "grant": true, "delegate": false}]});
    world
        .own("PUT", "/v1/roles/ro_reads", Some(&wider))
        .await
        .expect(200);
    let reply = accept(&world, &world.token("ann"), &id).await.expect(403);
    assert_eq!(reply.code(), "InviteNoLongerValid");
}

#[tokio::test]
async fn malformed_terms_are_refused_with_the_place() {
    let world = World::new(Engine::Memory).await;
    for (more, path) in [
        (json!({"invitee": {}}), "invitee"),
        (
            json!({"invitee": {"userId": "a", "email": "a@b.c"}}),
            "invitee",
        ),
        (json!({"invitee": {"phone": "1"}}), "invitee"),
        (json!({"invitee": {"email": "no"}}), "invitee"),
        (json!({"invitee": {"userId": "sc_1"}}), "invitee.userId"),
        (
            json!({"restrictions": {"requireMfa": true}}),
            "restrictions",
        ),
        (
            json!({"restrictions": {"maxUses": 0}}),
            "restrictions.maxUses",
        ),
        (
            json!({"restrictions": {"maxUses": 1001}}),
            "restrictions.maxUses",
        ),
        (
            json!({"restrictions": {"notBefore": "2026-02-02T03:04:05Z"}}),
            "restrictions.notBefore",
        ),
        (
            json!({"restrictions": {"emailDomains": vec!["a.b"; 21]}}),
            "restrictions.emailDomains",
        ),
    ] {
        let reply = world
            .own("POST", "/v1/invites", Some(&invite_with(&more)))
            .await;
        let found = reply.expect(400).json()["path"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(found.starts_with(path), "{more}: {found}");
    }
    // What SDKs send for what they were not given.
    let nothing = invite_with(&json!({"invitee": null, "restrictions": null, "tags": null}));
    let made = world
        .own("POST", "/v1/invites", Some(&nothing))
        .await
        .expect(201)
        .json();
    assert_eq!(made["invitee"], Value::Null);
    assert_eq!(made["restrictions"], Value::Null);
}

#[tokio::test]
async fn only_what_the_issuer_verified_counts() {
    // A token that a service client had made says what the account likes: nobody verified it.
    let world = World::new(Engine::Memory).await;
    let id = made(&world, &json!({"invitee": {"email": "ann@example.com"}})).await;
    let claims = json!({"defaultClaims": {"defaultAccessTokenClaims":
        {"email": "ann@example.com", "email_verified": true}}});
    let target = "/v1/users/eve/token-configuration";
    world.own("PUT", target, Some(&claims)).await.expect(200);
    let client = json!({"name": "maker", "options": {"grantTokenGeneration": true}});
    let client = world
        .own("POST", "/v1/clients", Some(&client))
        .await
        .expect(201)
        .json();
    let keys = format!(
        "/v1/clients/{}/access-keys",
        client["clientId"].as_str().unwrap()
    );
    let key = world.own("POST", &keys, None).await.expect(201).json();
    let key = key["accessKey"].as_str().unwrap();
    let everything =
        json!({"statements": [{"roles": ["Authress:Owner"], "resources": [{"resourceUri": "*"}]}]});
    let target = "/v1/users/eve/tokens";
    let token = world.send(key, "POST", target, Some(&everything)).await;
    let token = token.expect(201).json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let own = check("eve", "docs/1", "read");
    world.send(&token, "GET", &own, None).await.expect(404);
    let reply = accept(&world, &token, &id).await.expect(403);
    assert_eq!(reply.code(), "InviteNotForYou");
}
