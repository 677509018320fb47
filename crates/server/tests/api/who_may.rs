//! Everybody who may do something on a resource: as the check says, in pages, for those who may ask.

use serde_json::{Value, json};

use crate::world::{Engine, World, encode, engines, record_of};

/// Everybody who may do an action on a resource, page by page.
async fn who_may(world: &World, resource: &str, action: &str, limit: usize) -> Vec<Value> {
    let mut target = format!(
        "/v1/resources/{}/users?permission={}&limit={limit}",
        encode(resource),
        encode(action)
    );
    let mut all = Vec::new();
    loop {
        let page = world.own("GET", &target, None).await.expect(200).json();
        let users = page["users"].as_array().unwrap();
        assert!(users.len() <= limit);
        all.extend(users.iter().cloned());
        let Some(next) = page["links"]["next"]["href"].as_str() else {
            return all;
        };
        next.strip_prefix("http://guestlist.test")
            .unwrap()
            .clone_into(&mut target);
    }
}

fn user(id: &str, roles: &[&str]) -> Value {
    let roles: Vec<Value> = roles.iter().map(|role| json!({"roleId": role})).collect();
    json!({"userId": id, "roles": roles})
}

/// Access of every kind to `p/1`, and some that is not.
async fn furnish(world: &World) {
    let group = json!({"groupId": "grp_1", "name": "g", "admins": [{"userId": "erin"}],
        "users": [{"userId": "bob"}, {"userId": "carol"}]});
    world
        .own("POST", "/v1/groups", Some(&group))
        .await
        .expect(201);
    let mut record = record_of("rec_g", "x", &["ro_manager"], &["p"]);
    record["users"] = json!([]);
    record["groups"] = json!([{"groupId": "grp_1"}]);
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    world
        .give("rec_1", "bob", &["ro_viewer", "ro_editor"], &["p/1"])
        .await;
    world.give("rec_2", "below", &["ro_viewer"], &["p/*"]).await;
    world.give("rec_3", "every", &["ro_editor"], &["*"]).await;
    world
        .give("rec_4", "middle", &["ro_viewer"], &["*/1"])
        .await;
    world
        .give("rec_5", "deeper", &["ro_editor"], &["p/1/x"])
        .await;
    world.give("rec_6", "other", &["ro_editor"], &["q"]).await;
    let granter = [("documents", false, true, true)];
    world.role("ro_granter", &granter).await;
    world
        .give("rec_7", "granter", &["ro_granter"], &["p/1"])
        .await;
}

#[tokio::test]
async fn everybody_is_listed_whatever_gives_it_to_them() {
    for engine in engines() {
        let world = World::new(engine).await;
        furnish(&world).await;
        let owner = user(&world.owner_id, &["Authress:Owner"]);
        let read = who_may(&world, "/p/1/", "Documents:read", 20).await;
        assert_eq!(
            read,
            [
                user("below", &["ro_viewer"]),
                user("bob", &["ro_editor", "ro_manager", "ro_viewer"]),
                user("carol", &["ro_manager"]),
                user("every", &["ro_editor"]),
                user("middle", &["ro_viewer"]),
                owner.clone(),
            ]
        );
        for limit in [1, 2, 5] {
            assert_eq!(who_may(&world, "p/1", "documents:read", limit).await, read);
        }
        assert_eq!(
            who_may(&world, "p/1", "documents:write", 20).await,
            [
                user("bob", &["ro_editor", "ro_manager"]),
                user("carol", &["ro_manager"]),
                user("every", &["ro_editor"]),
                owner.clone(),
            ]
        );
        assert_eq!(
            who_may(&world, "p/1", "documents", 20).await,
            [
                user("bob", &["ro_manager"]),
                user("carol", &["ro_manager"]),
                owner.clone()
            ]
        );
        assert_eq!(
            who_may(&world, "Authress:Roles/x", "READ", 20).await,
            std::slice::from_ref(&owner)
        );
        // In force at once, also through roles and groups.
        world
            .own("DELETE", "/v1/groups/grp_1", None)
            .await
            .expect(204);
        world
            .own("DELETE", "/v1/roles/ro_editor", None)
            .await
            .expect(204);
        assert_eq!(who_may(&world, "p/1", "documents:write", 20).await, [owner]);
    }
}

#[tokio::test]
async fn without_an_action_the_list_is_as_it_was() {
    let world = World::new(Engine::Memory).await;
    world.give("rec_1", "bob", &["ro_viewer"], &["p/1"]).await;
    world.give("rec_2", "above", &["ro_viewer"], &["p"]).await;
    for query in ["", "?permission=", "?permission=undefined"] {
        let target = format!("/v1/resources/p%2F1/users{query}");
        let page = world.own("GET", &target, None).await.expect(200).json();
        assert_eq!(page["users"], json!([user("bob", &["ro_viewer"])]));
        assert_eq!(
            page["links"]["self"]["href"],
            "http://guestlist.test/v1/resources/p%2F1/users?limit=20"
        );
    }
    for bad in ["a..b", "read,write", "%20"] {
        let target = format!("/v1/resources/p%2F1/users?permission={bad}");
        let reply = world.own("GET", &target, None).await.expect(400);
        assert_eq!(reply.json()["path"], "permission", "{bad}");
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_action_alone() {
    let world = World::new(Engine::Memory).await;
    let mut record = record_of("rec_1", "x", &["ro_viewer"], &["p/1"]);
    record["users"] = (0..5)
        .map(|number| json!({"userId": format!("u{number}")}))
        .collect();
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    let first = "/v1/resources/p%2F1/users?limit=2";
    let page = world
        .own("GET", &format!("{first}&permission=documents:read"), None)
        .await
        .expect(200)
        .json();
    let cursor = page["pagination"]["next"]["cursor"].as_str().unwrap();
    let next = format!("{first}&cursor={cursor}");
    for (query, status) in [
        ("&permission=documents:read", 200),
        ("&permission=documents:write", 400),
        ("", 400),
    ] {
        world
            .own("GET", &format!("{next}{query}"), None)
            .await
            .expect(status);
    }
}

#[tokio::test]
async fn what_is_too_much_to_look_at_is_refused_and_harms_nobody() {
    let world = World::with(Engine::Memory, |settings| settings.limits.names = 50).await;
    let mut record = record_of("rec_1", "x", &["ro_viewer"], &["p/1"]);
    record["users"] = (0..60)
        .map(|number| json!({"userId": format!("u{number}")}))
        .collect();
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    let target = |resource: &str| {
        let resource = encode(resource);
        format!("/v1/resources/{resource}/users?permission=documents:read&limit=2")
    };
    let refused = world.own("GET", &target("p/1"), None).await.expect(413);
    assert_eq!(refused.code(), "TooLarge");
    world.own("GET", &target("p/2"), None).await.expect(200);
    assert!(world.may("u59", "p/1", "documents:read").await);
}

#[tokio::test]
async fn who_may_ask_who_may_do_something() {
    let world = World::new(Engine::Memory).await;
    world
        .role("ro_reader", &[("READ", true, false, false)])
        .await;
    world.role("ro_giver", &[("*", false, true, false)]).await;
    let readers = "Authress:UserPermissions";
    world
        .give("rec_1", "dave", &["ro_reader"], &[readers])
        .await;
    world.give("rec_2", "erin", &["ro_giver"], &["p/1"]).await;
    let rules = "Authress:ResourcePermissions/p";
    world.give("rec_3", "fred", &["ro_giver"], &[rules]).await;
    world.give("rec_4", "gina", &["ro_manager"], &["p/1"]).await;
    for (user, one, other) in [
        ("dave", 200, 200),
        ("erin", 200, 403),
        ("fred", 200, 200),
        ("gina", 403, 403),
        ("mallory", 403, 403),
    ] {
        for (resource, status) in [("p%2F1", one), ("p%2F2", other)] {
            let target = format!("/v1/resources/{resource}/users?permission=documents:read");
            world
                .as_user(user, "GET", &target, None)
                .await
                .expect(status);
        }
    }
}

/// Random numbers that are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

#[tokio::test]
async fn whoever_is_listed_may_and_whoever_may_is_listed() {
    const USERS: [&str; 5] = ["u1", "u2", "U1", "u 3", "sc_1"];
    const ROLES: [&str; 4] = [
        "ro_viewer",
        "ro_editor",
        "ro_manager",
        "Authress:ReadResource",
    ];
    const HELD: [&str; 9] = [
        "a",
        "a/b",
        "a/*",
        "*",
        "*/b",
        "a/*/c",
        "n:x",
        "n:*",
        "Authress:Roles",
    ];
    const ASKED: [&str; 8] = [
        "a",
        "a/b",
        "a/b/c",
        "a/*",
        "n:x",
        "n:x:y/b",
        "b",
        "Authress:Roles/r",
    ];
    const ACTIONS: [&str; 4] = ["documents:read", "documents:write", "documents", "read"];
    let world = World::new(Engine::Memory).await;
    let mut numbers = Numbers(7);
    for number in 0..2 {
        let users: Vec<Value> = (0..2)
            .map(|_| json!({"userId": numbers.one(&USERS)}))
            .collect();
        let group = json!({"groupId": format!("grp_{number}"), "name": "g", "admins": [],
            "users": users});
        let _made = world.own("POST", "/v1/groups", Some(&group)).await;
    }
    let (mut yes, mut no) = (0, 0);
    for round in 0..12 {
        let mut record = record_of(
            &format!("rec_{round}"),
            numbers.one(&USERS),
            &[numbers.one(&ROLES)],
            &[numbers.one(&HELD), numbers.one(&HELD)],
        );
        if numbers.below(3) == 0 {
            let group = format!("grp_{}", numbers.below(2));
            record["groups"] = json!([{"groupId": group}]);
        }
        let made = world.own("POST", "/v1/records", Some(&record)).await;
        assert!(matches!(made.status, 201 | 400), "{}", made.text);
        for _ in 0..3 {
            let (resource, action) = (numbers.one(&ASKED), numbers.one(&ACTIONS));
            let listed = who_may(&world, resource, action, 1 + numbers.below(4)).await;
            for one in USERS.into_iter().chain([world.owner_id.as_str()]) {
                let is_listed = listed.iter().any(|user| user["userId"] == one);
                let may = world.may(one, resource, action).await;
                assert_eq!(is_listed, may, "{one} {action} {resource}");
                if may {
                    yes += 1;
                } else {
                    no += 1;
                }
            }
        }
    }
    assert!(yes > 20 && no > 20, "{yes} {no}");
}
