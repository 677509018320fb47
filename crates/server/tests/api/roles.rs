//! Roles through the API: the built-in ones, and what editing a role changes at once.

use serde_json::{Value, json};

use crate::world::{Engine, World, engines, invite_of};

const BUILT_IN: [&str; 4] = [
    "Authress:Owner",
    "Authress:Admin",
    "Authress:ReadResource",
    "Authress:AuthenticateUser",
];

fn role_of(id: &str, actions: &[&str]) -> Value {
    let permissions: Vec<Value> = actions
        .iter()
        .map(|action| json!({"action": action, "allow": true, "grant": false, "delegate": false}))
        .collect();
    json!({"roleId": id, "name": id, "permissions": permissions})
}

async fn put(world: &World, id: &str, role: &Value, status: u16) -> Value {
    let target = format!("/v1/roles/{id}");
    let reply = world.own("PUT", &target, Some(role)).await;
    reply.expect(status).json()
}

/// The ids of all pages of a list.
async fn ids(world: &World, query: &str) -> (Vec<String>, Vec<usize>) {
    let mut target = format!("/v1/roles{query}");
    let (mut ids, mut pages) = (Vec::new(), Vec::new());
    loop {
        let page = world.own("GET", &target, None).await.expect(200).json();
        let roles = page["roles"].as_array().unwrap();
        pages.push(roles.len());
        ids.extend(
            roles
                .iter()
                .map(|role| role["roleId"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["links"]["next"]["href"].as_str() else {
            assert!(page.get("pagination").is_none());
            return (ids, pages);
        };
        next.strip_prefix("http://guestlist.test")
            .unwrap()
            .clone_into(&mut target);
        assert!(pages.len() < 300, "it must come to an end");
    }
}

#[tokio::test]
async fn built_in_roles_are_listed_first_and_cannot_be_changed() {
    let world = World::new(Engine::Memory).await;
    let (all, _) = ids(&world, "").await;
    assert_eq!(all[..4], BUILT_IN);
    assert_eq!(all[4..], ["ro_editor", "ro_manager", "ro_viewer"]);
    for id in BUILT_IN {
        let target = format!("/v1/roles/{id}");
        let read = world.own("GET", &target, None).await.expect(200).json();
        assert_eq!(read["roleId"], id);
        for (method, body) in [("PUT", Some(&read)), ("DELETE", None)] {
            let reply = world.own(method, &target, body).await.expect(403);
            assert_eq!(reply.code(), "BuiltInRole", "{method} {id}");
        }
        let again = world.own("GET", &target, None).await.expect(200).json();
        assert_eq!(again, read);
    }
    for id in [
        "Authress:Owner",
        "Authress:Mine",
        "authress:owner",
        "AUTHRESS:X",
    ] {
        let role = role_of(id, &["read"]);
        let reply = world
            .own("POST", "/v1/roles", Some(&role))
            .await
            .expect(400);
        assert_eq!(reply.json()["path"], "roleId", "{id}");
    }
    world
        .own("GET", "/v1/roles/authress:owner", None)
        .await
        .expect(404);
}

#[tokio::test]
async fn actions_come_back_as_they_were_written_and_are_compared_in_lower_case() {
    let world = World::new(Engine::Memory).await;
    let written = ["Documents:Read", "*:x", "SHARE:*", "a-b_c:1"];
    let mut role = role_of("ro_a.b-c:d@e_1", &written);
    role["permissions"][1] =
        json!({"action": "*:x", "allow": false, "grant": true, "delegate": true});
    role["description"] = json!("what it is for");
    let made = world
        .own("POST", "/v1/roles", Some(&role))
        .await
        .expect(201)
        .json();
    assert_eq!(made, role);
    let read = world
        .own("GET", "/v1/roles/ro_a.b-c:d@e_1", None)
        .await
        .expect(200);
    assert_eq!(read.json(), role);
    world
        .give("rec_1", "bob", &["ro_a.b-c:d@e_1"], &["p/1"])
        .await;
    for (action, may) in [
        ("documents:read", true),
        ("DOCUMENTS:READ", true),
        ("documents:read:title", true),
        ("share", true),
        ("Share:Link", true),
        ("documents", false),
        ("q:x", false),
        ("*", false),
    ] {
        assert_eq!(world.may("bob", "p/1", action).await, may, "{action}");
    }
    // Of no permission nothing is left out: SDKs need all four members.
    let none = json!({"roleId": "ro_none", "name": "n", "permissions": []});
    let made = world
        .own("POST", "/v1/roles", Some(&none))
        .await
        .expect(201)
        .json();
    assert_eq!(made, none);
}

#[tokio::test]
async fn malformed_roles_say_where() {
    let world = World::new(Engine::Memory).await;
    let permission =
        |action: &str| json!({"action": action, "allow": true, "grant": false, "delegate": false});
    for (member, value, path) in [
        ("roleId", json!("ro x"), "roleId"),
        ("roleId", json!("a".repeat(65)), "roleId"),
        ("name", json!(""), "name"),
        ("description", json!("x".repeat(1025)), "description"),
        ("permissions", Value::Null, "permissions"),
        (
            "permissions",
            json!([{"action": "read", "allow": true}]),
            "permissions[0].grant",
        ),
        (
            "permissions",
            json!([permission("read"), permission("a::b")]),
            "permissions[1].action",
        ),
        (
            "permissions",
            json!([permission("a.b")]),
            "permissions[0].action",
        ),
        (
            "permissions",
            json!([permission("a*")]),
            "permissions[0].action",
        ),
        (
            "permissions",
            json!(vec![permission("read"); 101]),
            "permissions",
        ),
    ] {
        let mut role = role_of("ro_1", &["read"]);
        role[member] = value;
        let reply = world
            .own("POST", "/v1/roles", Some(&role))
            .await
            .expect(400);
        assert_eq!(reply.code(), "InvalidRequest");
        assert_eq!(reply.json()["path"], path, "{}", reply.text);
    }
    world.own("GET", "/v1/roles/ro_1", None).await.expect(404);
}

#[tokio::test]
async fn editing_a_role_is_in_force_at_once() {
    for engine in engines() {
        let world = World::new(engine).await;
        let role = role_of("ro_1", &["read"]);
        world
            .own("POST", "/v1/roles", Some(&role))
            .await
            .expect(201);
        let taken = world
            .own("POST", "/v1/roles", Some(&role))
            .await
            .expect(409);
        assert_eq!(taken.code(), "RoleAlreadyExists");
        world.give("rec_1", "bob", &["ro_1"], &["p/1"]).await;
        assert!(world.may("bob", "p/1", "read").await);
        let other = role_of("ro_1", &["write"]);
        assert_eq!(put(&world, "ro_1", &other, 200).await, other);
        assert!(!world.may("bob", "p/1", "read").await);
        assert!(world.may("bob", "p/1", "write").await);
        let mut renamed = other.clone();
        renamed["roleId"] = json!("ro_2");
        assert_eq!(put(&world, "ro_1", &renamed, 400).await["path"], "roleId");
        renamed.as_object_mut().unwrap().remove("roleId");
        put(&world, "ro_1", &renamed, 200).await;
        put(&world, "ro_none", &role_of("ro_none", &["read"]), 404).await;
        world
            .own("GET", "/v1/roles/ro_none", None)
            .await
            .expect(404);
    }
}

#[tokio::test]
async fn a_deleted_role_gives_nothing_and_records_keep_its_name() {
    for engine in engines() {
        let world = World::new(engine).await;
        world.role("ro_1", &[("read", true, false, false)]).await;
        world
            .give("rec_1", "bob", &["ro_1", "ro_viewer"], &["p/1"])
            .await;
        let record = world.own("GET", "/v1/records/rec_1", None).await.json();
        world
            .own("DELETE", "/v1/roles/ro_1", None)
            .await
            .expect(204);
        assert!(!world.may("bob", "p/1", "read").await);
        assert!(
            world.may("bob", "p/1", "documents:read").await,
            "the other role stays"
        );
        let after = world.own("GET", "/v1/records/rec_1", None).await.json();
        assert_eq!(after, record, "untouched");
        for method in ["GET", "DELETE"] {
            world.own(method, "/v1/roles/ro_1", None).await.expect(404);
        }
        // What names it already may be put back; new records may not name it.
        world
            .own("PUT", "/v1/records/rec_1", Some(&record))
            .await
            .expect(202);
        let new = crate::world::record_of("rec_2", "bob", &["ro_1"], &["p/1"]);
        let reply = world
            .own("POST", "/v1/records", Some(&new))
            .await
            .expect(400);
        assert_eq!(reply.json()["path"], "statements[0].roles[0]");
        let roles = "/v1/users/bob/resources/p%2F1/roles";
        let held = world.own("GET", roles, None).await.expect(200).json();
        assert_eq!(held["roles"], json!([{"roleId": "ro_viewer"}]));
        // Made anew it counts again, as it now is.
        world.role("ro_1", &[("write", true, false, false)]).await;
        assert!(world.may("bob", "p/1", "write").await);
        assert!(!world.may("bob", "p/1", "read").await);
    }
}

#[tokio::test]
async fn making_a_role_anew_that_records_still_name_is_an_update_of_it() {
    let world = World::new(Engine::Memory).await;
    world
        .role("ro_author", &[("CREATE", true, false, false)])
        .await;
    world
        .give("rec_1", "erin", &["ro_author"], &["Authress:Roles"])
        .await;
    world.role("ro_1", &[("read", true, false, false)]).await;
    world.role("ro_2", &[("read", true, false, false)]).await;
    world.give("rec_2", "erin", &["ro_1"], &["vault"]).await;
    world.give("rec_3", "erin", &["ro_2"], &["vault"]).await;
    for role in ["ro_1", "ro_2"] {
        world
            .own("DELETE", &format!("/v1/roles/{role}"), None)
            .await
            .expect(204);
    }
    world
        .own("DELETE", "/v1/records/rec_3", None)
        .await
        .expect(204);
    let post = async |id: &str| {
        let role = role_of(id, &["open"]);
        world
            .as_user("erin", "POST", "/v1/roles", Some(&role))
            .await
    };
    let reply = post("ro_1").await.expect(403);
    assert_eq!(reply.code(), "Forbidden");
    assert!(!world.may("erin", "vault", "open").await);
    // That a deleted record names a role is of no consequence.
    post("ro_2").await.expect(201);
    post("ro_new").await.expect(201);
    assert!(!world.may("erin", "vault", "open").await);
    // Whoever may update it may make it anew.
    world
        .role("ro_keeper", &[("UPDATE", true, false, false)])
        .await;
    world
        .give("rec_4", "erin", &["ro_keeper"], &["Authress:Roles/ro_1"])
        .await;
    post("ro_1").await.expect(201);
    assert!(world.may("erin", "vault", "open").await);
}

#[tokio::test]
async fn an_invite_with_a_deleted_role_waits_for_it() {
    let world = World::new(Engine::Memory).await;
    let invite = world
        .invite(
            &world.token("alice"),
            &invite_of(&["ro_editor"], &["projects/42"]),
        )
        .await;
    world
        .own("DELETE", "/v1/roles/ro_editor", None)
        .await
        .expect(204);
    let target = format!("/v1/invites/{invite}");
    let reply = world.as_user("bob", "PATCH", &target, None).await;
    assert_eq!(reply.expect(403).code(), "InviteNoLongerValid");
    let role = role_of("ro_editor", &["documents:write"]);
    world
        .own("POST", "/v1/roles", Some(&role))
        .await
        .expect(201);
    world
        .as_user("bob", "PATCH", &target, None)
        .await
        .expect(200);
    assert!(world.may("bob", "projects/42", "documents:write").await);
}

#[tokio::test]
async fn more_than_a_hundred_roles_come_in_pages() {
    let world = World::new(Engine::Memory).await;
    // Also ids that sort before those of the built-in roles.
    for number in 0..130 {
        let prefix = if number % 2 == 0 { "A1" } else { "ro_n" };
        world
            .role(
                &format!("{prefix}{number:03}"),
                &[("read", true, false, false)],
            )
            .await;
    }
    let (all, pages) = ids(&world, "").await;
    assert_eq!(pages, [100, 37]);
    assert_eq!(all[..4], BUILT_IN);
    assert!(all[4..].is_sorted());
    assert_eq!(all.len(), 137);
    for limit in [1, 2, 3, 4, 5, 7, 50] {
        let (same, pages) = ids(&world, &format!("?limit={limit}")).await;
        assert_eq!(same, all, "{limit}");
        let (last, others) = pages.split_last().unwrap();
        assert!(
            others.iter().all(|page| *page == limit),
            "{limit} {pages:?}"
        );
        assert!((1..=limit).contains(last), "{limit} {pages:?}");
    }
    let (more, pages) = ids(&world, "?limit=1000000").await;
    assert_eq!((more, pages), (all, vec![100, 37]));
}

#[tokio::test]
async fn roles_are_found_by_id_name_description_and_action() {
    let world = World::new(Engine::Memory).await;
    let mut role = role_of("ro_1", &["Invoices:Pay"]);
    role["name"] = json!("Treasurer");
    role["description"] = json!("Pays what is due");
    world
        .own("POST", "/v1/roles", Some(&role))
        .await
        .expect(201);
    for (filter, expected) in [
        ("RO_1", vec!["ro_1"]),
        ("treasur", vec!["ro_1"]),
        ("is+DUE", vec!["ro_1"]),
        ("invoices:p", vec!["ro_1"]),
        ("authress:", BUILT_IN.to_vec()),
        ("Authress:O", vec!["Authress:Owner"]),
        ("own", vec!["Authress:Owner"]),
        ("nothing-like-it", vec![]),
    ] {
        for limit in [1, 100] {
            let (found, _) = ids(&world, &format!("?filter={filter}&limit={limit}")).await;
            assert_eq!(found, expected, "{filter} {limit}");
        }
    }
}
