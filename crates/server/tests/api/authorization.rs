//! The attack list on authorization (rows A03 to A20): nobody gets more than they were given.

use std::sync::Arc;
use std::time::Duration;

use guestlist_rules::changes::{Changes, Document, Event, Kind};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::{Engine, World, check, encode, engines, invite_of, record_of, statement};

#[tokio::test]
async fn a03_members_that_are_not_the_callers_to_set_are_ignored() {
    let world = World::new(Engine::Memory).await;
    let mut record = record_of("rec_a03", "u", &["ro_viewer"], &["p/1"]);
    for (member, value) in [
        ("accountId", json!("acc-other")),
        ("account", json!({"accountId": "acc-other"})),
        ("createdBy", json!("mallory")),
        ("status", json!("DELETED")),
        ("lastUpdated", json!("2001-01-01T00:00:00.000Z")),
        ("capacity", json!(0.99)),
        ("links", json!({"self": {"href": "https://evil.example"}})),
        ("__proto__", json!({"admin": true})),
        ("surprise", json!([1, 2, 3])),
    ] {
        record[member] = value;
    }
    let made = world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201)
        .json();
    assert_eq!(made["account"]["accountId"], crate::world::ACCOUNT);
    assert_eq!(made["status"], "ACTIVE");
    assert_eq!(made["lastUpdated"], "2026-01-02T03:04:05.678Z");
    assert_eq!(made["capacity"], 0.01);
    assert_eq!(
        made["links"]["self"]["href"],
        "http://guestlist.test/v1/records/rec_a03"
    );
    assert!(made.get("surprise").is_none() && made.get("createdBy").is_none());
}

#[tokio::test]
async fn a04_records_fall_under_the_same_ceiling_as_invites() {
    let world = World::new(Engine::Memory).await;
    let alice = world.token("alice");
    let fine = record_of("rec_1", "bob", &["ro_editor"], &["projects/42/documents"]);
    world
        .send(&alice, "POST", "/v1/records", Some(&fine))
        .await
        .expect(201);
    for (roles, resource) in [
        ("ro_editor", "projects/43"),
        ("ro_manager", "projects/42"),
        ("Authress:Owner", "*"),
    ] {
        let record = record_of("rec_2", "bob", &[roles], &[resource]);
        let reply = world
            .send(&alice, "POST", "/v1/records", Some(&record))
            .await
            .expect(403);
        assert_eq!(reply.code(), "InsufficientGrantAccess");
        world
            .own("GET", "/v1/records/rec_2", None)
            .await
            .expect(404);
    }
}

#[tokio::test]
async fn a04_an_update_is_judged_by_what_it_adds() {
    let world = World::new(Engine::Memory).await;
    // Alice administers a record that gives more than she could give.
    let mut record = record_of("rec_1", "bob", &["Authress:Owner"], &["vault"]);
    record["statements"]
        .as_array_mut()
        .unwrap()
        .push(statement(&["ro_viewer"], &["projects/42"]));
    record["admins"] = json!([{"userId": "alice"}]);
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    let alice = world.token("alice");
    let put = |body: Value| {
        let (world, alice) = (&world, alice.clone());
        async move {
            world
                .send(&alice, "PUT", "/v1/records/rec_1", Some(&body))
                .await
                .status
        }
    };
    // Writing back what is there, renaming and taking away need no right to give.
    assert_eq!(put(record.clone()).await, 202);
    let mut renamed = record.clone();
    renamed["name"] = json!("another name");
    assert_eq!(put(renamed).await, 202);
    // A further user would gain the vault.
    let mut wider = record.clone();
    wider["users"]
        .as_array_mut()
        .unwrap()
        .push(json!({"userId": "carol"}));
    assert_eq!(put(wider).await, 403);
    // So would a group.
    let mut grouped = record.clone();
    grouped["groups"] = json!([{"groupId": "grp_1"}]);
    assert_eq!(put(grouped).await, 403);
    // Moving bob's name to the statements is no gain, another name there is.
    let mut moved = record.clone();
    moved["users"] = json!([]);
    moved["statements"][0]["users"] = json!([{"userId": "bob"}]);
    moved["statements"][1]["users"] = json!([{"userId": "bob"}]);
    assert_eq!(put(moved.clone()).await, 202);
    moved["statements"][0]["users"] = json!([{"userId": "alice"}]);
    assert_eq!(put(moved.clone()).await, 403);
    // Within her own rights she may add.
    moved["statements"][0]["users"] = json!([{"userId": "bob"}]);
    moved["statements"][1]["users"] = json!([{"userId": "bob"}, {"userId": "carol"}]);
    assert_eq!(put(moved).await, 202);
    let less = record_of("rec_1", "bob", &["ro_viewer"], &["projects/42"]);
    assert_eq!(put(less).await, 202);
    // She is no administrator of it any more.
    assert_eq!(put(record).await, 404);
}

#[tokio::test]
async fn a05_a_group_is_no_way_around_the_ceiling() {
    let world = World::new(Engine::Memory).await;
    let group = json!({"groupId": "grp_1", "name": "g", "users": [{"userId": "bob"}],
        "admins": [{"userId": "alice"}]});
    world
        .own("POST", "/v1/groups", Some(&group))
        .await
        .expect(201);
    let mut record = record_of("rec_1", "x", &["Authress:Owner"], &["vault"]);
    record["users"] = json!([]);
    record["groups"] = json!([{"groupId": "grp_1"}]);
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    assert!(world.may("bob", "vault/1", "open").await);
    // Alice administers the group, but what it gives is not hers to give.
    let mut with_alice = group.clone();
    with_alice["users"]
        .as_array_mut()
        .unwrap()
        .push(json!({"userId": "alice"}));
    let alice = world.token("alice");
    let reply = world
        .send(&alice, "PUT", "/v1/groups/grp_1", Some(&with_alice))
        .await;
    assert_eq!(reply.expect(403).code(), "InsufficientGrantAccess");
    // Removing is.
    let mut empty = group.clone();
    empty["users"] = json!([]);
    world
        .send(&alice, "PUT", "/v1/groups/grp_1", Some(&empty))
        .await
        .expect(200);
    assert!(!world.may("bob", "vault/1", "open").await);
    // A group made under an id that a record names already is judged as well.
    let mut waiting = record_of("rec_2", "x", &["Authress:Owner"], &["vault"]);
    waiting["users"] = json!([]);
    waiting["groups"] = json!([{"groupId": "grp_waiting"}]);
    world
        .own("POST", "/v1/records", Some(&waiting))
        .await
        .expect(201);
    world
        .role("ro_founder", &[("CREATE", true, false, false)])
        .await;
    world
        .give("rec_3", "alice", &["ro_founder"], &["Authress:Groups"])
        .await;
    let squatted = json!({"groupId": "grp_waiting", "name": "g", "users": [{"userId": "alice"}],
        "admins": []});
    world
        .send(&alice, "POST", "/v1/groups", Some(&squatted))
        .await
        .expect(403);
    let harmless = json!({"groupId": "grp_other", "name": "g", "users": [{"userId": "alice"}],
        "admins": []});
    world
        .send(&alice, "POST", "/v1/groups", Some(&harmless))
        .await
        .expect(201);
}

#[tokio::test]
async fn a05_an_access_key_falls_under_the_ceiling() {
    let world = World::new(Engine::Memory).await;
    world
        .role(
            "ro_keys",
            &[
                ("UPDATE", true, false, false),
                ("CREATE", true, false, false),
            ],
        )
        .await;
    world
        .give("rec_1", "alice", &["ro_keys"], &["Authress:ServiceClients"])
        .await;
    let alice = world.token("alice");
    // With a key of the owner she would be the owner.
    let keys = format!("/v1/clients/{}/access-keys", world.owner_id);
    let reply = world.send(&alice, "POST", &keys, None).await.expect(403);
    assert_eq!(reply.code(), "InsufficientGrantAccess");
    // A client that holds nothing is hers to make keys for.
    let body = json!({"name": "mine"});
    let client = world
        .send(&alice, "POST", "/v1/clients", Some(&body))
        .await
        .expect(201)
        .json();
    let keys = format!(
        "/v1/clients/{}/access-keys",
        client["clientId"].as_str().unwrap()
    );
    world.send(&alice, "POST", &keys, None).await.expect(201);
    // What a client administers is within reach of whoever has its key.
    let group = json!({"groupId": "grp_k", "name": "k", "users": [],
        "admins": [{"userId": client["clientId"]}]});
    world
        .own("POST", "/v1/groups", Some(&group))
        .await
        .expect(201);
    world.send(&alice, "POST", &keys, None).await.expect(403);
    world
        .own("DELETE", "/v1/groups/grp_k", None)
        .await
        .expect(204);
    let mut record = record_of("rec_k", "u", &["ro_viewer"], &["p/1"]);
    record["admins"] = json!([{"userId": client["clientId"]}]);
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    world.send(&alice, "POST", &keys, None).await.expect(403);
    world
        .own("DELETE", "/v1/records/rec_k", None)
        .await
        .expect(204);
    world.send(&alice, "POST", &keys, None).await.expect(201);
    // Options are powers as well.
    for option in ["grantUserPermissionsAccess", "grantTokenGeneration"] {
        let mut options = json!({"name": "n", "options": {}});
        options["options"][option] = json!(true);
        world
            .send(&alice, "POST", "/v1/clients", Some(&options))
            .await
            .expect(403);
        let id = client["clientId"].as_str().unwrap();
        let target = format!("/v1/clients/{id}");
        world
            .send(&alice, "PUT", &target, Some(&options))
            .await
            .expect(403);
        world.own("PUT", &target, Some(&options)).await.expect(200);
    }
    world.send(&alice, "POST", &keys, None).await.expect(403);
}

#[tokio::test]
async fn a08_a_custom_role_on_everything_does_not_reach_the_service_itself() {
    let world = World::new(Engine::Memory).await;
    world.role("ro_all", &[("*", true, true, true)]).await;
    world.give("rec_1", "bob", &["ro_all"], &["*"]).await;
    assert!(world.may("bob", "anything/at/all", "whatever").await);
    assert!(!world.may("bob", "Authress:Roles/ro_1", "READ").await);
    let bob = world.token("bob");
    world.send(&bob, "GET", "/v1/roles", None).await.expect(403);
    world
        .send(&bob, "GET", &check("carol", "x", "read"), None)
        .await
        .expect(403);
    // Nor may he appoint an owner, although his role on * covers everything on * by its letters.
    let record = record_of("rec_2", "bob", &["Authress:Owner"], &["*"]);
    world
        .send(&bob, "POST", "/v1/records", Some(&record))
        .await
        .expect(403);
    let invite = invite_of(&["Authress:Owner"], &["*"]);
    world
        .send(&bob, "POST", "/v1/invites", Some(&invite))
        .await
        .expect(403);
}

#[tokio::test]
async fn a09_malformed_resources_are_400_everywhere() {
    let world = World::new(Engine::Memory).await;
    let deep = ["a"; 16].join("/");
    let long = "a".repeat(513);
    for resource in [
        "a*",
        "**",
        "/",
        "//",
        "/a//b",
        "*a",
        "a/../b",
        "authress:roles/x",
        &deep,
        &long,
    ] {
        let invite = invite_of(&["ro_viewer"], &[resource]);
        let reply = world
            .own("POST", "/v1/invites", Some(&invite))
            .await
            .expect(400);
        assert_eq!(
            reply.json()["path"],
            "statements[0].resources[0].resourceUri"
        );
        let record = record_of("rec_1", "u", &["ro_viewer"], &[resource]);
        world
            .own("POST", "/v1/records", Some(&record))
            .await
            .expect(400);
        world
            .own("GET", &check("u", resource, "read"), None)
            .await
            .expect(400);
        let target = format!("/v1/users/u/resources?resourceUri={}", encode(resource));
        world.own("GET", &target, None).await.expect(400);
    }
}

#[tokio::test]
async fn a10_nothing_can_be_named_to_look_like_the_service() {
    let world = World::new(Engine::Memory).await;
    for resource in [
        "authress:roles/x",
        "AUTHRESS:Roles",
        "\u{ff21}uthress:Roles",
        "Authress :Roles",
        "Authress:\u{200b}x",
    ] {
        world
            .own("GET", &check("u", resource, "READ"), None)
            .await
            .expect(400);
    }
    for id in ["Authress:Mine", "authress:mine", "AUTHRESS:x"] {
        let role = json!({"roleId": id, "name": "n", "permissions": []});
        let reply = world
            .own("POST", "/v1/roles", Some(&role))
            .await
            .expect(400);
        assert_eq!(reply.json()["path"], "roleId");
    }
    for id in ["Authress:Owner", "Authress:Admin"] {
        let role = json!({"name": "n", "permissions": []});
        let target = format!("/v1/roles/{}", encode(id));
        let reply = world.own("PUT", &target, Some(&role)).await.expect(403);
        assert_eq!(reply.code(), "BuiltInRole");
        world.own("DELETE", &target, None).await.expect(403);
        world.own("GET", &target, None).await.expect(200);
    }
}

#[tokio::test]
async fn a11_ids_that_look_alike_are_not_alike() {
    let world = World::new(Engine::Memory).await;
    world.give("rec_1", "u1", &["ro_viewer"], &["p/1"]).await;
    assert!(world.may("u1", "p/1", "documents:read").await);
    assert!(!world.may("U1", "p/1", "documents:read").await);
    assert!(!world.may("u1", "P/1", "documents:read").await);
    for user in ["u1%20", "%20u1", "u1%0A", "%C3%A9", "e%CC%81"] {
        let target = format!("/v1/users/{user}/resources/p%2F1/permissions/documents:read");
        world.own("GET", &target, None).await.expect(400);
    }
    world.role("Admin", &[("x", true, false, false)]).await;
    world.own("GET", "/v1/roles/admin", None).await.expect(404);
}

#[tokio::test]
async fn a12_what_a_check_may_ask() {
    let world = World::new(Engine::Memory).await;
    world.give("rec_1", "u", &["ro_viewer"], &["p/1"]).await;
    for (action, allowed) in [
        ("documents:read", true),
        ("DOCUMENTS:Read", true),
        ("documents:read:*", true),
        ("documents:*", false),
        ("*", false),
        ("read", false),
        ("unknown", false),
    ] {
        assert_eq!(world.may("u", "p/1", action).await, allowed, "{action}");
    }
    let long = "a".repeat(65);
    for action in ["a::b", "a:", "a.b", "a*", "ä", &long] {
        world
            .own("GET", &check("u", "p/1", action), None)
            .await
            .expect(400);
    }
    world
        .own("GET", "/v1/users/u/resources/p/permissions/a%00", None)
        .await
        .expect(400);
    // A wildcard in the resource asks for all of it at once.
    assert!(world.may("u", "p/1/*", "documents:read").await);
    assert!(!world.may("u", "p/*", "documents:read").await);
}

#[tokio::test]
async fn a13_who_may_ask_about_whom() {
    let world = World::new(Engine::Memory).await;
    world.give("rec_1", "u", &["ro_viewer"], &["p/1"]).await;
    let own = check("u", "p/1", "documents:read");
    world.as_user("u", "GET", &own, None).await.expect(200);
    world
        .as_user("u", "GET", &check("u", "p/2", "documents:read"), None)
        .await
        .expect(404);
    for target in [
        own.as_str(),
        "/v1/users/u/resources/p%2F1/permissions",
        "/v1/users/u/resources/p%2F1/roles",
        "/v1/users/u/resources",
        "/v1/users/nobody-at-all/resources",
    ] {
        let reply = world.as_user("v", "GET", target, None).await.expect(403);
        assert_eq!(reply.code(), "Forbidden");
    }
    world
        .role("ro_reader", &[("READ", true, false, false)])
        .await;
    world
        .give(
            "rec_2",
            "v",
            &["ro_reader"],
            &["Authress:UserPermissions/u"],
        )
        .await;
    world.as_user("v", "GET", &own, None).await.expect(200);
    world
        .as_user("v", "GET", &check("w", "p/1", "x"), None)
        .await
        .expect(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a15_a_check_that_begins_after_a_revocation_was_answered_says_no() {
    for engine in engines() {
        let world = Arc::new(World::new(engine).await);
        let record = record_of("rec_1", "u", &["ro_viewer"], &["p/1"]);
        // Others keep asking meanwhile, so that whatever could be remembered is.
        let asking = Arc::clone(&world);
        let (end, mut ended) = tokio::sync::oneshot::channel::<()>();
        let others = tokio::spawn(async move {
            while ended.try_recv().is_err() {
                asking.may("u", "p/1/documents/2", "documents:read").await;
            }
        });
        for _ in 0..50 {
            world
                .own("POST", "/v1/records", Some(&record))
                .await
                .expect(201);
            assert!(world.may("u", "p/1", "documents:read").await);
            world
                .own("DELETE", "/v1/records/rec_1", None)
                .await
                .expect(204);
            assert!(!world.may("u", "p/1", "documents:read").await);
        }
        end.send(()).unwrap();
        others.await.unwrap();
    }
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one walk and every way to forge its cursors"
)]
async fn a17_cursors_and_limits() {
    let world = World::new(Engine::Memory).await;
    for number in 0..45 {
        world
            .give(
                &format!("rec_{number:03}"),
                "u",
                &["ro_viewer"],
                &[&format!("p/{number}")],
            )
            .await;
    }
    let mut seen = Vec::new();
    let mut target = "/v1/records?limit=20".to_owned();
    let first_cursor = loop {
        let page = world.own("GET", &target, None).await.expect(200).json();
        for record in page["records"].as_array().unwrap() {
            seen.push(record["recordId"].as_str().unwrap().to_owned());
        }
        let Some(cursor) = page["pagination"]["next"]["cursor"].as_str() else {
            break target;
        };
        let next = page["links"]["next"]["href"].as_str().unwrap();
        assert_eq!(
            next,
            format!("http://guestlist.test/v1/records?limit=20&cursor={cursor}")
        );
        target = format!("/v1/records?limit=20&cursor={cursor}");
    };
    assert_eq!(seen.len(), 47, "with the owner's and the sample");
    assert!(seen.is_sorted());
    let cursor = first_cursor.rsplit_once("cursor=").unwrap().1.to_owned();
    let tampered = format!("A{}", &cursor[1..]);
    let truncated = cursor[..cursor.len() - 2].to_owned();
    for bad in [tampered.as_str(), &truncated, "x", "e30"] {
        let reply = world
            .own("GET", &format!("/v1/records?cursor={bad}"), None)
            .await;
        assert_eq!(reply.expect(400).code(), "InvalidRequest");
    }
    // Another caller's, and that of another list or filter.
    let foreign = format!("/v1/records?cursor={cursor}");
    world
        .as_user("alice", "GET", &foreign, None)
        .await
        .expect(400);
    world
        .own("GET", &format!("/v1/groups?cursor={cursor}"), None)
        .await
        .expect(400);
    world
        .own(
            "GET",
            &format!("/v1/records?filter=x&cursor={cursor}"),
            None,
        )
        .await
        .expect(400);
    for (limit, status) in [
        ("0", 400),
        ("-1", 400),
        ("x", 400),
        ("1000000000", 200),
        ("1", 200),
    ] {
        world
            .own("GET", &format!("/v1/records?limit={limit}"), None)
            .await
            .expect(status);
    }
    world
        .own("GET", "/v1/records?limit=1&limit=2", None)
        .await
        .expect(400);
    // Nobody sees records they may not read.
    let list = world
        .as_user("alice", "GET", "/v1/records", None)
        .await
        .expect(200)
        .json();
    assert_eq!(list["records"], json!([]));
}

#[tokio::test]
async fn a18_of_two_updates_of_the_same_version_one_is_outdated() {
    for engine in engines() {
        let world = Arc::new(World::new(engine).await);
        world.give("rec_1", "u", &["ro_viewer"], &["p/1"]).await;
        let mut winners = 0;
        for _ in 0..20 {
            let record = world.own("GET", "/v1/records/rec_1", None).await.json();
            let version = record["lastUpdated"].as_str().unwrap().to_owned();
            let header = [("If-Unmodified-Since", version.as_str())];
            let owner = world.owner.clone();
            let (one, other) = tokio::join!(
                world.send_with(&owner, "PUT", "/v1/records/rec_1", &header, Some(&record)),
                world.send_with(&owner, "PUT", "/v1/records/rec_1", &header, Some(&record)),
            );
            let mut statuses = [one.status, other.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [202, 412]);
            winners += 1;
        }
        assert_eq!(winners, 20);
    }
}

#[tokio::test]
async fn a19_the_last_owner_stays() {
    let world = World::new(Engine::Memory).await;
    let record = world.own("GET", "/v1/records/rec_owner", None).await.json();
    let owner_client = format!("/v1/clients/{}", world.owner_id);
    let mut demoted = record.clone();
    demoted["statements"][0]["roles"] = json!(["ro_viewer"]);
    let mut emptied = record.clone();
    emptied["users"] = json!([]);
    let mut dead = record.clone();
    dead["users"] = json!([{"userId": "sc_never_was"}]);
    for body in [&demoted, &emptied, &dead] {
        let reply = world
            .own("PUT", "/v1/records/rec_owner", Some(body))
            .await
            .expect(409);
        assert_eq!(reply.code(), "LastOwner");
    }
    world
        .own("DELETE", "/v1/records/rec_owner", None)
        .await
        .expect(409);
    world.own("DELETE", &owner_client, None).await.expect(409);
    let key = world.owner.split('.').nth(1).unwrap();
    let last_key = format!("{owner_client}/access-keys/{key}");
    let reply = world.own("DELETE", &last_key, None).await.expect(409);
    assert_eq!(reply.code(), "LastOwner");
    // With a second owner, through a group, the first can go; then that one is the last.
    let group =
        json!({"groupId": "grp_o", "name": "o", "users": [{"userId": "zoe"}], "admins": []});
    world
        .own("POST", "/v1/groups", Some(&group))
        .await
        .expect(201);
    let mut second = record_of("rec_second", "x", &["Authress:Owner"], &["*"]);
    second["users"] = json!([]);
    second["groups"] = json!([{"groupId": "grp_o"}]);
    world
        .own("POST", "/v1/records", Some(&second))
        .await
        .expect(201);
    world
        .own("DELETE", "/v1/records/rec_owner", None)
        .await
        .expect(204);
    let zoe = world.token("zoe");
    for (method, target, body) in [
        ("DELETE", "/v1/groups/grp_o", None),
        (
            "PUT",
            "/v1/groups/grp_o",
            Some(json!({"name": "o", "users": [], "admins": []})),
        ),
        ("DELETE", "/v1/records/rec_second", None),
    ] {
        let reply = world.send(&zoe, method, target, body.as_ref()).await;
        assert_eq!(reply.expect(409).code(), "LastOwner", "{method} {target}");
    }
}

#[tokio::test]
async fn a19_two_owners_who_remove_each_other_at_once_leave_one() {
    for engine in engines() {
        for _ in 0..15 {
            let world = World::new(engine).await;
            for name in ["one", "other"] {
                world
                    .give(&format!("rec_{name}"), name, &["Authress:Owner"], &["*"])
                    .await;
            }
            world
                .own("DELETE", "/v1/records/rec_owner", None)
                .await
                .expect(204);
            let (one, other) = (world.token("one"), world.token("other"));
            let (first, second) = tokio::join!(
                world.send(&one, "DELETE", "/v1/records/rec_other", None),
                world.send(&other, "DELETE", "/v1/records/rec_one", None),
            );
            let done = usize::from(first.status == 204) + usize::from(second.status == 204);
            assert_eq!(done, 1, "{engine:?} {} {}", first.status, second.status);
        }
    }
}

/// Neither of the two who remove is an owner, so nothing but the survivor ties the changes together.
#[tokio::test]
async fn a19_administrators_who_remove_two_owners_at_once_leave_one() {
    for engine in engines() {
        for _ in 0..15 {
            let world = World::new(engine).await;
            for (name, role) in [
                ("one", "Authress:Owner"),
                ("other", "Authress:Owner"),
                ("first", "Authress:Admin"),
                ("second", "Authress:Admin"),
            ] {
                world
                    .give(&format!("rec_{name}"), name, &[role], &["*"])
                    .await;
            }
            world
                .own("DELETE", "/v1/records/rec_owner", None)
                .await
                .expect(204);
            let (one, other) = (world.token("first"), world.token("second"));
            let (first, second) = tokio::join!(
                world.send(&one, "DELETE", "/v1/records/rec_other", None),
                world.send(&other, "DELETE", "/v1/records/rec_one", None),
            );
            let mut statuses = [first.status, second.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [204, 409], "{engine:?}");
        }
    }
}

#[tokio::test]
async fn a20_what_is_too_large_is_refused() {
    let world = World::new(Engine::Memory).await;
    let users: Vec<Value> = (0..1001)
        .map(|n| json!({"userId": format!("u{n}")}))
        .collect();
    let mut record = record_of("rec_1", "u", &["ro_viewer"], &["p/1"]);
    record["users"] = json!(users);
    let reply = world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(400);
    assert_eq!(reply.json()["path"], "users");
    let statements: Vec<Value> = (0..101)
        .map(|n| statement(&["ro_viewer"], &[&format!("p/{n}")]))
        .collect();
    let mut record = record_of("rec_1", "u", &["ro_viewer"], &["p/1"]);
    record["statements"] = json!(statements);
    let reply = world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(400);
    assert_eq!(reply.json()["path"], "statements");
    // Within every number and still more than 100 KB.
    let long: Vec<String> = (0..100)
        .map(|n| format!("{}{n}", "r".repeat(120)))
        .collect();
    let resources: Vec<&str> = long.iter().map(String::as_str).collect();
    let statements: Vec<Value> = (0..10)
        .map(|_| statement(&["ro_viewer"], &resources))
        .collect();
    record["statements"] = json!(statements);
    let reply = world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(413);
    assert_eq!(reply.code(), "TooLarge");
    // The largest that fits is made, read, and checked.
    let mut fits = record_of("rec_1", "u", &["ro_viewer"], &resources);
    fits["users"] = json!(
        (0..1000)
            .map(|n| json!({"userId": format!("u{n}")}))
            .collect::<Vec<_>>()
    );
    world
        .own("POST", "/v1/records", Some(&fits))
        .await
        .expect(201);
    assert!(world.may("u999", &long[99], "documents:read").await);
}

#[tokio::test]
async fn a_request_with_very_many_combinations_is_refused_and_not_judged_for_minutes() {
    let world = World::new(Engine::Memory).await;
    let ids: Vec<String> = (0..100).map(|n| format!("r{n}")).collect();
    for id in &ids {
        world
            .role(id, &[(&format!("a:{id}"), true, false, false)])
            .await;
    }
    let roles: Vec<&str> = ids.iter().map(String::as_str).collect();
    let paths: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let resources: Vec<&str> = paths.iter().map(String::as_str).collect();
    let statements: Vec<Value> = (0..10)
        .map(|n| {
            let own: Vec<String> = resources.iter().map(|path| format!("{n}/{path}")).collect();
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            statement(&roles, &own)
        })
        .collect();
    let invite = json!({"statements": statements});
    world
        .own("POST", "/v1/invites", Some(&invite))
        .await
        .expect(413);
}

#[tokio::test]
async fn a04_a_role_that_gives_nothing_yet_is_judged_as_everything() {
    let world = World::new(Engine::Memory).await;
    let flags = [("later", false, false, false)];
    world.role("ro_empty", &[]).await;
    world.role("ro_idle", &flags).await;
    for role in ["ro_empty", "ro_idle"] {
        let record = record_of("rec_1", "stranger", &[role], &["*"]);
        world
            .as_user("stranger", "POST", "/v1/records", Some(&record))
            .await
            .expect(403);
        let invite = invite_of(&[role], &["projects/42"]);
        world
            .as_user("stranger", "POST", "/v1/invites", Some(&invite))
            .await
            .expect(403);
        world
            .as_user("alice", "POST", "/v1/invites", Some(&invite))
            .await
            .expect(403);
        world
            .own("POST", "/v1/invites", Some(&invite))
            .await
            .expect(201);
    }
}

#[tokio::test]
async fn a05_linking_an_issuer_takes_the_power_over_everything() {
    let world = World::new(Engine::Memory).await;
    world.role("ro_conf", &[("UPDATE", true, true, true)]).await;
    world
        .give("rec_1", "conf", &["ro_conf"], &["Authress:Configuration"])
        .await;
    world
        .give("rec_2", "admin", &["Authress:Admin"], &["*"])
        .await;
    let link = json!({"issuer": "http://127.0.0.1:9999", "preferredAudience": "x"});
    for user in ["conf", "admin"] {
        let reply = world
            .as_user(user, "POST", "/v1/identities", Some(&link))
            .await
            .expect(403);
        assert_eq!(reply.code(), "InsufficientGrantAccess");
    }
    world
        .own("POST", "/v1/identities", Some(&link))
        .await
        .expect(201);
}

#[tokio::test]
async fn d10_a_page_looks_at_a_bounded_number_of_records_however_many_there_are() {
    let world = World::new(Engine::Memory).await;
    for number in 0..1_050 {
        let id = format!("rec_{number:04}");
        world.give(&id, "u", &["ro_viewer"], &["p/1"]).await;
    }
    // A stranger sees none of them, and is told so in pieces.
    let first = world
        .as_user("stranger", "GET", "/v1/records", None)
        .await
        .expect(200)
        .json();
    assert_eq!(first["records"], json!([]));
    let cursor = first["pagination"]["next"]["cursor"].as_str().unwrap();
    let target = format!("/v1/records?limit=20&cursor={cursor}");
    let second = world
        .as_user("stranger", "GET", &target, None)
        .await
        .expect(200)
        .json();
    assert_eq!(second["records"], json!([]));
    assert!(second.get("pagination").is_none());
}

#[tokio::test]
async fn a05_to_read_is_not_to_let_others_read() {
    let world = World::new(Engine::Memory).await;
    world.role("ro_read", &[("READ", true, false, false)]).await;
    world
        .role("ro_make", &[("CREATE", true, false, false)])
        .await;
    world
        .give(
            "rec_1",
            "alice",
            &["ro_read"],
            &["Authress:UserPermissions"],
        )
        .await;
    world
        .give("rec_2", "alice", &["ro_make"], &["Authress:ServiceClients"])
        .await;
    let client = json!({"name": "n", "options": {"grantUserPermissionsAccess": true}});
    world
        .as_user("alice", "POST", "/v1/clients", Some(&client))
        .await
        .expect(403);
    world
        .role("ro_share", &[("READ", false, true, false)])
        .await;
    world
        .give(
            "rec_3",
            "alice",
            &["ro_share"],
            &["Authress:UserPermissions"],
        )
        .await;
    world
        .as_user("alice", "POST", "/v1/clients", Some(&client))
        .await
        .expect(201);
}

#[tokio::test]
async fn a19_a_client_without_keys_is_no_owner_that_could_stay() {
    let world = World::new(Engine::Memory).await;
    let body = json!({"name": "n"});
    let client = world
        .own("POST", "/v1/clients", Some(&body))
        .await
        .expect(201)
        .json();
    let id = client["clientId"].as_str().unwrap();
    world
        .give("rec_second", id, &["Authress:Owner"], &["*"])
        .await;
    world
        .own("DELETE", "/v1/records/rec_owner", None)
        .await
        .expect(409);
    let keys = format!("/v1/clients/{id}/access-keys");
    world.own("POST", &keys, None).await.expect(201);
    world
        .own("DELETE", "/v1/records/rec_owner", None)
        .await
        .expect(204);
}

/// The head of a request whose body comes later, in two parts.
async fn begin(world: &World, credential: &str, target: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {credential}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{}",
        body.len(),
        &body[..1],
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Until the server has read the head and knows who asks, so that the rest is really late.
    tokio::time::sleep(Duration::from_millis(200)).await;
    stream
}

async fn finish(mut stream: TcpStream, body: &str) -> u16 {
    stream.write_all(&body.as_bytes()[1..]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a07_a_key_that_is_revoked_while_the_body_comes_does_nothing_any_more() {
    let world = World::new(Engine::Memory).await;
    let client = json!({"name": "n"});
    let client = world
        .own("POST", "/v1/clients", Some(&client))
        .await
        .expect(201)
        .json();
    let id = client["clientId"].as_str().unwrap();
    let keys = format!("/v1/clients/{id}/access-keys");
    let key = world.own("POST", &keys, None).await.expect(201).json();
    let secret = key["accessKey"].as_str().unwrap();
    world.give("rec_1", id, &["Authress:Owner"], &["*"]).await;
    let body = record_of("rec_2", "mallory", &["Authress:Owner"], &["*"]).to_string();
    // In time, it does what it says.
    let other = record_of("rec_3", "u", &["ro_viewer"], &["p"]).to_string();
    let stream = begin(&world, secret, "/v1/records", &other).await;
    assert_eq!(finish(stream, &other).await, 201);
    let stream = begin(&world, secret, "/v1/records", &body).await;
    let target = format!("{keys}/{}", key["keyId"].as_str().unwrap());
    world.own("DELETE", &target, None).await.expect(204);
    assert_eq!(finish(stream, &body).await, 401);
    world
        .own("GET", "/v1/records/rec_2", None)
        .await
        .expect(404);
}

#[tokio::test]
async fn a_server_that_missed_a_change_decides_nothing_any_more() {
    let world = World::new(Engine::Memory).await;
    assert!(world.may("alice", "projects/42", "documents:read").await);
    let event = Event {
        kind: "role.updated".to_owned(),
        time: 0,
        actor: "test".to_owned(),
        request_id: String::new(),
        subject: "role/ro_manager".to_owned(),
        data: Value::Null,
    };
    let mut changes = Changes::new(event);
    changes.write.push(Document {
        kind: Kind::Role,
        id: "ro_manager".to_owned(),
        facets: Vec::new(),
        body: b"{}".to_vec(),
    });
    world.app.store.apply(changes).await.unwrap();
    let target = check("alice", "projects/42", "documents:read");
    let reply = world.own("GET", &target, None).await.expect(503);
    assert_eq!(reply.code(), "StorageUnavailable");
}
