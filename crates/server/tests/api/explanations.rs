//! Why somebody may do something: the reason, its invite, and who is shown what of it.

use serde_json::{Value, json};

use crate::world::{Engine, World, check, encode, engines, invite_of, record_of, statement};

/// The reason as somebody with this credential is told it.
async fn why(world: &World, credential: &str, user: &str, resource: &str, action: &str) -> Value {
    let target = format!("{}?explain=true", check(user, resource, action));
    let body = world
        .send(credential, "GET", &target, None)
        .await
        .expect(200)
        .json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    body["because"].clone()
}

#[tokio::test]
async fn a_yes_says_why_and_only_when_it_is_asked() {
    for engine in engines() {
        let world = World::new(engine).await;
        world
            .give("rec_1", "bob", &["ro_editor"], &["/orgs/a/"])
            .await;
        let target = check("bob", "orgs/a/docs/1", "Documents:Write:title");
        let because = why(
            &world,
            &world.owner,
            "bob",
            "orgs/a/docs/1",
            "Documents:Write:title",
        )
        .await;
        assert_eq!(
            because,
            json!({"recordId": "rec_1", "roleId": "ro_editor", "resourceUri": "orgs/a",
                "action": "documents:write"})
        );
        for plain in ["", "?explain=false", "?explain=", "?explain=undefined"] {
            let reply = world.own("GET", &format!("{target}{plain}"), None).await;
            assert_eq!(reply.expect(200).text, "{}", "{plain}");
        }
        for bad in ["1", "TRUE", "yes", "true&explain=true"] {
            let reply = world
                .own("GET", &format!("{target}?explain={bad}"), None)
                .await
                .expect(400);
            assert_eq!(reply.code(), "InvalidRequest", "{bad}");
        }
        // No, and not to be asked, are what they were.
        let explain = |user: &str, resource: &str| {
            format!("{}?explain=true", check(user, resource, "documents:read"))
        };
        for (user, resource) in [("bob", "orgs/b"), ("bob", "orgs"), ("nobody", "orgs/a")] {
            let no = world.own("GET", &explain(user, resource), None).await;
            assert_eq!(no.expect(404).code(), "NotFound");
        }
        let mallory = world.token("mallory");
        for user in ["bob", "nobody"] {
            let target = explain(user, "orgs/a");
            let reply = world.send(&mallory, "GET", &target, None).await;
            assert_eq!(reply.expect(403).code(), "Forbidden");
        }
    }
}

#[tokio::test]
async fn of_several_reasons_it_is_always_the_same() {
    for engine in engines() {
        let mut world = World::new(engine).await;
        let group = json!({"groupId": "grp_1", "name": "g", "admins": [],
            "users": [{"userId": "bob"}]});
        world
            .own("POST", "/v1/groups", Some(&group))
            .await
            .expect(201);
        let mut record = record_of("rec_0", "x", &["ro_manager"], &["p"]);
        record["users"] = json!([]);
        record["groups"] = json!([{"groupId": "grp_1"}]);
        world
            .own("POST", "/v1/records", Some(&record))
            .await
            .expect(201);
        let through_group = json!({"recordId": "rec_0", "roleId": "ro_manager",
            "resourceUri": "p", "action": "documents", "groupId": "grp_1"});
        let reason =
            async |world: &World| why(world, &world.owner, "bob", "p/1/x", "documents:read").await;
        assert_eq!(reason(&world).await, through_group);
        // Later and nearer: by name rather than through a group, near the root, least by text.
        let give = async |world: &World, record: &str, role: &str, resource: &str| {
            world.give(record, "bob", &[role], &[resource]).await;
        };
        give(&world, "rec_9", "ro_viewer", "p/1/x").await;
        assert_eq!(reason(&world).await["recordId"], "rec_9");
        give(&world, "rec_8", "ro_viewer", "p/*/x").await;
        assert_eq!(reason(&world).await["recordId"], "rec_8");
        give(&world, "rec_7", "ro_viewer", "p/*").await;
        assert_eq!(reason(&world).await["recordId"], "rec_7");
        give(&world, "rec_6", "ro_editor", "p").await;
        give(&world, "rec_5", "ro_viewer", "p").await;
        let least = json!({"recordId": "rec_5", "roleId": "ro_viewer", "resourceUri": "p",
            "action": "documents:read"});
        assert_eq!(reason(&world).await, least);
        if engine.keeps() {
            world = world.restart().await;
            assert_eq!(reason(&world).await, least);
        }
        for record in ["rec_5", "rec_6", "rec_7", "rec_8", "rec_9"] {
            world
                .own("DELETE", &format!("/v1/records/{record}"), None)
                .await
                .expect(204);
        }
        assert_eq!(reason(&world).await, through_group);
    }
}

#[tokio::test]
async fn ids_are_shown_to_those_who_may_read_what_they_name() {
    let world = World::new(Engine::Memory).await;
    world
        .role("ro_reader", &[("READ", true, false, false)])
        .await;
    let group = json!({"groupId": "grp_1", "name": "g", "admins": [{"userId": "groupie"}],
        "users": [{"userId": "bob"}]});
    world
        .own("POST", "/v1/groups", Some(&group))
        .await
        .expect(201);
    let mut record = record_of("rec_0", "x", &["ro_viewer"], &["p"]);
    record["users"] = json!([]);
    record["groups"] = json!([{"groupId": "grp_1"}]);
    record["admins"] = json!([{"userId": "recorder"}]);
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    for (number, user) in ["groupie", "recorder", "roler", "none", "all"]
        .into_iter()
        .enumerate()
    {
        let mut resources = vec!["Authress:UserPermissions"];
        match user {
            "roler" => resources.push("Authress:Roles/ro_viewer"),
            "all" => resources.extend([
                "Authress:Roles",
                "Authress:Groups/grp_1",
                "Authress:AccessRecords/rec_0",
            ]),
            _ => {}
        }
        world
            .give(&format!("rec_r{number}"), user, &["ro_reader"], &resources)
            .await;
    }
    for (user, shown) in [
        ("groupie", vec!["groupId"]),
        ("recorder", vec!["recordId"]),
        ("roler", vec!["roleId"]),
        ("none", vec![]),
        // Bob may ask about himself, and knows no more for it.
        ("bob", vec![]),
        ("all", vec!["recordId", "roleId", "groupId"]),
    ] {
        let token = world.token(user);
        let because = why(&world, &token, "bob", "p/1", "documents:read").await;
        assert_eq!(because["resourceUri"], "p");
        assert_eq!(because["action"], "documents:read");
        for member in ["recordId", "roleId", "groupId"] {
            assert_eq!(
                because.get(member).is_some(),
                shown.contains(&member),
                "{user} {member}"
            );
        }
    }
}

/// Makes an invite and has somebody accept it; its reference.
async fn accepted(world: &World, inviter: &str, by: &str, body: &Value) -> String {
    let id = world.invite(inviter, body).await;
    world
        .as_user(by, "PATCH", &format!("/v1/invites/{id}"), None)
        .await
        .expect(200);
    id.split('_').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn the_invite_behind_it_is_named() {
    for engine in engines() {
        let world = World::new(engine).await;
        let alice = world.token("alice");
        let viewer = invite_of(&["ro_viewer"], &["/projects/42/"]);
        let first = accepted(&world, &alice, "bob", &viewer).await;
        world.clock.advance(1000);
        let both = json!({"statements": [statement(&["ro_viewer", "ro_editor"], &["projects/42/a"]),
            statement(&["ro_viewer"], &["projects/42"])]});
        let second = accepted(&world, &alice, "bob", &both).await;
        let told = async |user: &str, resource: &str, action: &str| {
            why(&world, &world.owner, user, resource, action).await
        };
        // The second did not add what the first had given.
        assert_eq!(
            told("bob", "projects/42", "documents:read").await,
            json!({"recordId": "bob", "roleId": "ro_viewer", "resourceUri": "projects/42",
                "action": "documents:read", "inviteReference": first,
                "acceptedTime": "2026-01-02T03:04:05.678Z"})
        );
        let write = told("bob", "projects/42/a/b", "documents:write").await;
        assert_eq!(write["inviteReference"], json!(second));
        assert_eq!(write["acceptedTime"], "2026-01-02T03:04:06.678Z");
        // Whoever made the invite may know of it; whoever accepted it is not its reader.
        for (user, knows) in [("alice", true), ("bob", false)] {
            if user == "alice" {
                let permission = [("READ", true, false, false)];
                world.role("ro_reader", &permission).await;
                world
                    .give("rec_a", user, &["ro_reader"], &["Authress:UserPermissions"])
                    .await;
            }
            let token = world.token(user);
            let because = why(&world, &token, "bob", "projects/42", "documents:read").await;
            assert_eq!(because.get("inviteReference").is_some(), knows, "{user}");
            assert_eq!(because.get("acceptedTime").is_some(), knows, "{user}");
            assert!(because.get("recordId").is_none(), "{user}");
        }
        // The same role on the same resource by another record is not by the invite, and neither is
        // another's.
        world
            .give("aaa", "bob", &["ro_viewer"], &["projects/42"])
            .await;
        let by_hand = told("bob", "projects/42", "documents:read").await;
        assert_eq!(by_hand["recordId"], "aaa");
        assert!(by_hand.get("inviteReference").is_none());
        let mut record = record_of("bob", "bob", &["ro_viewer"], &["projects/42"]);
        record["users"] = json!([{"userId": "bob"}, {"userId": "carol"}]);
        world
            .own("PUT", "/v1/records/bob", Some(&record))
            .await
            .expect(202);
        let other = told("carol", "projects/42", "documents:read").await;
        assert_eq!(other["recordId"], "bob");
        assert!(other.get("inviteReference").is_none());
    }
}

#[tokio::test]
async fn what_was_taken_away_and_given_again_is_by_the_last_invite() {
    let world = World::new(Engine::Embedded).await;
    let body = invite_of(&["ro_viewer"], &["p/1"]);
    let first = accepted(&world, &world.owner, "bob", &body).await;
    let because = why(&world, &world.owner, "bob", "p/1", "documents:read").await;
    assert_eq!(because["inviteReference"], json!(first));
    world
        .own("DELETE", "/v1/records/bob", None)
        .await
        .expect(204);
    let target = format!("{}?explain=true", check("bob", "p/1", "documents:read"));
    world.own("GET", &target, None).await.expect(404);
    world.clock.advance(1);
    let second = accepted(&world, &world.owner, "bob", &body).await;
    let because = why(&world, &world.owner, "bob", "p/1", "documents:read").await;
    assert_eq!(because["inviteReference"], json!(second));
    // One that changed nothing is not the reason.
    world.clock.advance(1);
    accepted(&world, &world.owner, "bob", &body).await;
    let because = why(&world, &world.owner, "bob", "p/1", "documents:read").await;
    assert_eq!(because["inviteReference"], json!(second));
    // One that was withdrawn after it was accepted is still where it came from.
    let body = invite_of(&["ro_viewer"], &["p/2"]);
    let id = world.invite(&world.owner, &body).await;
    let target = format!("/v1/invites/{id}");
    world
        .as_user("bob", "PATCH", &target, None)
        .await
        .expect(200);
    world.own("DELETE", &target, None).await.expect(204);
    let because = why(&world, &world.owner, "bob", "p/2", "documents:read").await;
    assert_eq!(because["inviteReference"].as_str(), id.split('_').nth(1));
}

#[tokio::test]
async fn user_ids_and_resources_are_read_as_by_the_check() {
    let world = World::new(Engine::Memory).await;
    let user = "google-oauth2|1095/36@x+y";
    let body = invite_of(&["ro_viewer"], &["docs/a@b"]);
    let reference = accepted(&world, &world.owner, user, &body).await;
    let because = why(&world, &world.owner, user, "/docs/a@b/c", "documents:read").await;
    assert_eq!(because["inviteReference"], json!(reference));
    let raw = format!(
        "/v1/users/{user}/resources/{}/permissions/documents:read?explain=true",
        encode("/docs/a@b/c")
    );
    assert_eq!(
        world.own("GET", &raw, None).await.expect(200).json()["because"],
        because
    );
    // A client under both of its names.
    world
        .give(
            "rec_c",
            "Authress:ServiceClients/sc_1",
            &["ro_viewer"],
            &["p"],
        )
        .await;
    for name in ["sc_1", "Authress:ServiceClients/sc_1"] {
        let because = why(&world, &world.owner, name, "p", "documents:read").await;
        assert_eq!(because["recordId"], "rec_c", "{name}");
    }
}
