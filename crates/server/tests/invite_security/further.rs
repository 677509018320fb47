//! Rows 47 to 53: settings of invites, sizes, spellings and revoked access.

use serde_json::{Value, json};

use crate::by_hand::reference;
use crate::steps::{Linked, accept, made, reads, reads_with, refused};
use crate::world::{Engine, World, engines, invite_of};

#[tokio::test]
async fn d47_what_is_refused_when_made_is_refused_when_changed() {
    let world = World::new(Engine::Memory).await;
    world.role("ro_gives", &[("x", true, true, false)]).await;
    let id = made(&world, "docs/1", &json!({})).await;
    let changing = format!("/v1/invites/{}", reference(&id));
    let mut administering = invite_of(&["ro_gives"], &["docs/1"]);
    administering["restrictions"] = json!({"maxUses": 2});
    let forced = json!({"restrictions": {"maxUses": 2},
        "conflictResolutionStrategy": "UNSAFE_FORCE_MERGE"});
    for (body, path) in [
        (administering, "restrictions.maxUses"),
        (
            reads_with("docs/1", &json!({"restrictions": {"maxUses": 1_001}})),
            "restrictions.maxUses",
        ),
        (
            reads_with("docs/1", &json!({"restrictions": {"maxUses": 0}})),
            "restrictions.maxUses",
        ),
        (reads_with("docs/1", &forced), "conflictResolutionStrategy"),
        (
            reads_with("docs/1", &json!({"expiryTime": "2027-01-02T03:04:05Z"})),
            "expiryTime",
        ),
        (
            reads_with(
                "docs/1",
                &json!({"restrictions": {"emailDomains": ["no domain"]}}),
            ),
            "restrictions.emailDomains",
        ),
        (
            reads_with("docs/1", &json!({"restrictions": {"unknown": true}})),
            "restrictions",
        ),
        (
            reads_with("docs/1", &json!({"grant": {"accessDuration": "PT1S"}})),
            "grant",
        ),
        (invite_of(&["ro_unknown"], &["docs/1"]), "statements"),
    ] {
        for (method, target) in [
            ("POST", "/v1/invites"),
            ("POST", "/v1/invites?dryRun=true"),
            ("PUT", changing.as_str()),
        ] {
            let reply = world.own(method, target, Some(&body)).await;
            assert_eq!(reply.status, 400, "{method} {target} {body} {}", reply.text);
            let found = reply.json()["path"].as_str().unwrap_or_default().to_owned();
            assert!(found.starts_with(path), "{method} {body}: {found}");
        }
        let batch = json!({"invites": [body]});
        let reply = world.own("POST", "/v1/invites/batch", Some(&batch)).await;
        let row = reply.expect(200).json()["results"][0]["refusal"].clone();
        assert_eq!(row["status"], 400, "{body} {row}");
        let found = row["path"].as_str().unwrap_or_default();
        assert!(found.starts_with(path), "batch {body}: {found}");
    }
    // The control: what is allowed is allowed in all.
    let good = reads_with("docs/1", &json!({"restrictions": {"maxUses": 2}}));
    world
        .own("POST", "/v1/invites", Some(&good))
        .await
        .expect(201);
    world.own("PUT", &changing, Some(&good)).await.expect(200);
    let batch = json!({"invites": [good]});
    let reply = world.own("POST", "/v1/invites/batch", Some(&batch)).await;
    assert_eq!(reply.expect(200).json()["accepted"], 1);
}

#[tokio::test]
async fn d48_what_must_be_approved_gives_nothing_before() {
    for engine in engines() {
        let world = World::new(engine).await;
        let approval = json!({"approval": {"required": true}});
        let id = made(&world, "docs/1", &approval).await;
        let ann = world.token("ann");
        let asked = accept(&world, &ann, &id).await;
        assert_eq!(asked.status, 202, "{}", asked.text);
        let request = asked.json()["requestId"].as_str().unwrap().to_owned();
        assert!(!asked.text.contains(&id), "the request names no secret");
        // However often it is accepted, and by whomever.
        for user in ["ann", "ann", "bob"] {
            accept(&world, &world.token(user), &id).await;
            assert!(!world.may(user, "docs/1", "read").await, "{user}");
        }
        // Nor by the one who accepted, whatever right they have to approve.
        let role = [("AccessRequests", true, false, false)];
        world.role("ro_approves", &role).await;
        world
            .give(
                "rec_ann",
                "ann",
                &["ro_approves"],
                &["Authress:AccessRequests"],
            )
            .await;
        let target = format!("/v1/requests/{request}");
        let approve = json!({"status": "APPROVED"});
        let own = world.send(&ann, "PATCH", &target, Some(&approve)).await;
        assert_eq!(own.status, 403, "{}", own.text);
        // Nor by one who could not give it.
        world
            .give(
                "rec_bob",
                "bob",
                &["ro_approves"],
                &["Authress:AccessRequests"],
            )
            .await;
        let weak = world
            .send(&world.token("bob"), "PATCH", &target, Some(&approve))
            .await;
        refused(&weak, 403, "InsufficientGrantAccess");
        assert!(!world.may("ann", "docs/1", "read").await);
        // The control: by one who can.
        world
            .own("PATCH", &target, Some(&approve))
            .await
            .expect(200);
        assert!(world.may("ann", "docs/1", "read").await);
    }
}

#[tokio::test]
async fn d49_an_invite_for_people_of_one_issuer_is_for_no_other() {
    let world = World::new(Engine::Memory).await;
    let (right, other) = (Linked::new(&world).await, Linked::new(&world).await);
    let more = json!({"restrictions": {"issuer": right.issuer.name()}});
    let id = made(&world, "docs/1", &more).await;
    for token in [
        other.token("ann", &json!({})),
        other.token("ann", &json!({"azp": right.issuer.name(), "amr": ["mfa"]})),
        world.token("ann"),
    ] {
        let reply = accept(&world, &token, &id).await;
        refused(&reply, 403, "InviteNotForYou");
    }
    assert!(!world.may("ann", "docs/1", "read").await);
    let token = right.token("ann", &json!({}));
    accept(&world, &token, &id).await.expect(200);
    assert!(world.may("ann", "docs/1", "read").await);
}

#[tokio::test]
async fn d50_what_is_too_large_is_refused_and_harms_nothing() {
    let world = World::new(Engine::Memory).await;
    let revision = world.app.revision();
    let long = "x".repeat(5_000);
    let statements = |count: usize| vec![reads("docs/1")["statements"][0].clone(); count];
    let resources: Vec<String> = (0..2_000).map(|number| format!("docs/{number}")).collect();
    let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
    let roles: Vec<&str> = vec!["Authress:ReadResource"; 101];
    let tags: serde_json::Map<String, Value> = (0..101)
        .map(|number| (number.to_string(), json!("x")))
        .collect();
    for body in [
        json!({"statements": statements(101)}),
        invite_of(&roles, &["docs/1"]),
        invite_of(&["Authress:ReadResource"], &resources),
        reads(&long),
        reads_with("docs/1", &json!({"tags": tags})),
        reads_with("docs/1", &json!({"tags": {"a": long}})),
        reads_with(
            "docs/1",
            &json!({"invitee": {"email": format!("{long}@x.test")}}),
        ),
        reads_with("docs/1", &json!({"invitee": {"userId": long}})),
        reads_with(
            "docs/1",
            &json!({"restrictions": {"emailDomains": vec!["x.test"; 21]}}),
        ),
        reads_with("docs/1", &json!({"ignored": "x".repeat(1 << 20)})),
    ] {
        let reply = world.own("POST", "/v1/invites", Some(&body)).await;
        let code = reply.code();
        assert!(matches!(reply.status, 400 | 413), "{} {code}", reply.status);
        assert!(
            !code.is_empty() && reply.text.len() < 2_000,
            "{}",
            reply.text
        );
    }
    let id = made(&world, "docs/1", &json!({})).await;
    let decline = json!({"response": "DECLINE", "reason": long});
    let target = format!("/v1/invites/{id}");
    world
        .as_user("bob", "PATCH", &target, Some(&decline))
        .await
        .expect(400);
    assert_eq!(world.app.revision().0, revision.0 + 1, "only that one");
    accept(&world, &world.token("bob"), &id).await.expect(200);
}

#[tokio::test]
async fn d51_an_address_is_the_same_in_any_case_and_no_other_is() {
    let world = World::new(Engine::Memory).await;
    let linked = Linked::new(&world).await;
    let token = |address: &str| {
        let claims = json!({"email": address, "email_verified": true});
        linked.token("ann", &claims)
    };
    for (invited, signed_in, same) in [
        ("ann@x.test", "ANN@X.TEST", true),
        ("Ann.Lee@X.test", "ann.lee@x.test", true),
        ("ann@x.test", "ann+1@x.test", false),
        ("ann.lee@x.test", "annlee@x.test", false),
        // Not folded into another letter: the Turkish i, the long s, ß and the full width.
        ("iii@x.test", "ııı@x.test", false),
        ("iii@x.test", "İİİ@x.test", false),
        ("sss@x.test", "ſſſ@x.test", false),
        ("kkk@x.test", "\u{212a}kk@x.test", false),
        ("strasse@x.test", "straße@x.test", false),
        ("ann@x.test", "ａｎｎ@x.test", false),
        ("ann@x.test", "ann@ｘ.test", false),
    ] {
        let id = made(&world, "docs/1", &json!({"invitee": {"email": invited}})).await;
        let reply = accept(&world, &token(signed_in), &id).await;
        let expected = if same { 200 } else { 403 };
        assert_eq!(
            reply.status, expected,
            "{invited} {signed_in} {}",
            reply.text
        );
        // The list finds it in any case of its own, and by nothing else.
        let filter = crate::world::encode(&invited.to_uppercase());
        let target = format!("/v1/invites?invitee={filter}");
        let found = world.own("GET", &target, None).await.expect(200);
        assert!(found.text.contains(&reference(&id)), "{invited}");
    }
}

#[tokio::test]
async fn d53_what_is_taken_away_is_gone_with_the_next_request() {
    for engine in engines() {
        let world = World::new(engine).await;
        for way in ["record", "grants", "role", "user"] {
            world.clock.advance(1);
            world.role("ro_reads", &[("x:r", true, false, false)]).await;
            let body = invite_of(&["ro_reads"], &["docs/1"]);
            let id = world.invite(&world.owner, &body).await;
            accept(&world, &world.token("bob"), &id).await.expect(200);
            // Asked often, so that whatever remembers answers would remember it.
            for _ in 0..20 {
                assert!(world.may("bob", "docs/1", "x:r").await, "{way}");
            }
            let taken = match way {
                "record" => world.own("DELETE", "/v1/records/bob", None).await,
                "grants" => {
                    let target = format!("/v1/invites/{}/grants", reference(&id));
                    world.own("DELETE", &target, None).await
                }
                "role" => {
                    let body = json!({"name": "n", "permissions": [{"action": "x:other",
                        "allow": true, "grant": false, "delegate": false}]});
                    world.own("PUT", "/v1/roles/ro_reads", Some(&body)).await
                }
                _ => world.own("DELETE", "/v1/users/bob", None).await,
            };
            let may = world.may("bob", "docs/1", "x:r").await;
            assert!(taken.status < 300 && !may, "{way} {}", taken.text);
            let _record = world.own("DELETE", "/v1/records/bob", None).await;
            let role = world.own("DELETE", "/v1/roles/ro_reads", None).await;
            assert!(role.status < 300, "{}", role.text);
        }
    }
}
