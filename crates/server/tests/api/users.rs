//! What users hold, through the API: checks, permissions, roles, resources, and who holds a resource.

use serde_json::{Value, json};

use crate::world::{Engine, World, check, encode, engines, record_of, statement};

/// The resources that a user holds, as one page answers them.
async fn resources(world: &World, user: &str, query: &str) -> Vec<String> {
    let target = format!("/v1/users/{}/resources?{query}", encode(user));
    let page = world.own("GET", &target, None).await.expect(200).json();
    assert_eq!(page["userId"], user);
    let found = page["resources"].as_array().unwrap().iter();
    found
        .map(|resource| resource["resourceUri"].as_str().unwrap().to_owned())
        .collect()
}

const NESTED: &str = "collectionConfiguration=INCLUDE_NESTED";
const TOP: &str = "collectionConfiguration=TOP_LEVEL_ONLY";

#[tokio::test]
async fn wildcards_in_lists_are_as_published() {
    let world = World::new(Engine::Memory).await;
    let held = [
        "resources/001",
        "resources/002/sub-resource/*",
        "resources/003/sub-resource/003",
        "other/1",
    ];
    world.give("rec_1", "bob", &["ro_viewer"], &held).await;
    world.give("rec_2", "zoe", &["ro_viewer"], &["*"]).await;
    let nested = format!("resourceUri=/resources/*&{NESTED}");
    assert_eq!(resources(&world, "bob", &nested).await, held[..3]);
    assert_eq!(resources(&world, "zoe", &nested).await, ["/resources/*"]);
    // Wildcards inside filter on both sides.
    let middle = format!("resourceUri=resources/*/sub-resource/*&{NESTED}");
    assert_eq!(
        resources(&world, "bob", &middle).await,
        [
            "resources/001/sub-resource/*",
            "resources/002/sub-resource/*",
            "resources/003/sub-resource/003"
        ]
    );
    assert_eq!(
        resources(&world, "zoe", &middle).await,
        ["resources/*/sub-resource/*"]
    );
    // Parts of names never match.
    for part in ["resource", "resources/00", "resources/003/sub"] {
        assert!(
            resources(&world, "bob", &format!("resourceUri={part}&{NESTED}"))
                .await
                .is_empty(),
            "{part}"
        );
    }
}

#[tokio::test]
async fn a_collection_is_listed_one_level_deep_or_whole() {
    for engine in engines() {
        let world = World::new(engine).await;
        let held = [
            "Collection/resource_1",
            "/Collection/resource_2/",
            "Collection/namespaces/ns/resources/resource_1",
            "Elsewhere",
            "Elsewhere/below",
        ];
        world.give("rec_1", "bob", &["ro_viewer"], &held).await;
        let direct = ["Collection/resource_1", "Collection/resource_2"];
        let all = [
            "Collection/namespaces/ns/resources/resource_1",
            "Collection/resource_1",
            "Collection/resource_2",
        ];
        for collection in [
            "Collection",
            "/Collection",
            "Collection/",
            "Collection/*",
            "%2FCollection%2F*",
        ] {
            let listed = resources(&world, "bob", &format!("resourceUri={collection}")).await;
            assert_eq!(listed, direct, "{collection}");
            let listed = resources(&world, "bob", &format!("resourceUri={collection}&{TOP}")).await;
            assert_eq!(listed, direct, "{collection}");
            let listed =
                resources(&world, "bob", &format!("resourceUri={collection}&{NESTED}")).await;
            assert_eq!(listed, all, "{collection}");
        }
        // Without a collection: what stands at the top, or everything.
        for absent in [
            "",
            "resourceUri=",
            "resourceUri=undefined",
            "resourceUri=null",
        ] {
            assert_eq!(
                resources(&world, "bob", absent).await,
                ["Elsewhere"],
                "{absent}"
            );
            let whole = resources(&world, "bob", &format!("{absent}&{NESTED}")).await;
            assert_eq!(whole.len(), 5, "{absent}");
        }
        // Who holds only what is above holds all of it, which is answered as such, when asked for.
        world
            .give("rec_2", "carol", &["ro_viewer"], &["Collection"])
            .await;
        assert!(
            resources(&world, "carol", "resourceUri=Collection/deep")
                .await
                .is_empty()
        );
        let above = resources(
            &world,
            "carol",
            &format!("resourceUri=Collection/deep&{NESTED}"),
        )
        .await;
        assert_eq!(above, ["Collection/deep/*"]);
        assert!(resources(&world, "nobody", NESTED).await.is_empty());
    }
}

#[tokio::test]
async fn a_list_of_resources_is_narrowed_to_what_may_be_done() {
    let world = World::new(Engine::Memory).await;
    world
        .role("ro_granter", &[("documents:write", false, true, false)])
        .await;
    world
        .give("rec_1", "bob", &["ro_viewer"], &["d/read"])
        .await;
    world
        .give("rec_2", "bob", &["ro_editor"], &["d/write"])
        .await;
    world
        .give("rec_3", "bob", &["ro_granter"], &["d/grant"])
        .await;
    for (permissions, expected) in [
        ("", vec!["d/grant", "d/read", "d/write"]),
        (
            "permissions=undefined",
            vec!["d/grant", "d/read", "d/write"],
        ),
        ("permissions=documents:read", vec!["d/read", "d/write"]),
        ("permissions=DOCUMENTS:Write", vec!["d/write"]),
        ("permissions=documents:write:title", vec!["d/write"]),
        ("permissions=documents", vec![]),
        ("permissions=*", vec![]),
        ("permissions=share", vec![]),
    ] {
        let found = resources(&world, "bob", &format!("resourceUri=d&{permissions}")).await;
        assert_eq!(found, expected, "{permissions}");
    }
    for (parameter, bad) in [
        ("permissions", "a..b"),
        ("permissions", "read,write"),
        ("resourceUri", "a//b"),
        ("resourceUri", "a b"),
        ("collectionConfiguration", "ALL"),
        ("limit", "0"),
        ("cursor", "x"),
    ] {
        let target = format!("/v1/users/bob/resources?{parameter}={}", encode(bad));
        let reply = world.own("GET", &target, None).await.expect(400);
        assert_eq!(reply.json()["path"], parameter, "{bad}");
    }
}

#[tokio::test]
async fn a_list_of_resources_comes_in_pages() {
    let world = World::new(Engine::Memory).await;
    let held: Vec<String> = (0..45).map(|number| format!("d/{number:02}")).collect();
    let names: Vec<&str> = held.iter().map(String::as_str).collect();
    world
        .give("rec_1", "google-oauth2|1/2@x+y", &["ro_viewer"], &names)
        .await;
    let user = encode("google-oauth2|1/2@x+y");
    for limit in [20, 7, 1000] {
        let mut target = format!("/v1/users/{user}/resources?resourceUri=d&limit={limit}");
        let mut found = Vec::new();
        loop {
            let page = world.own("GET", &target, None).await.expect(200).json();
            let resources = page["resources"].as_array().unwrap();
            assert!(resources.len() <= limit.min(20));
            found.extend(
                resources
                    .iter()
                    .map(|item| item["resourceUri"].as_str().unwrap().to_owned()),
            );
            let own = page["links"]["self"]["href"].as_str().unwrap();
            assert!(
                own.starts_with(&format!("http://guestlist.test/v1/users/{user}/resources?")),
                "{own}"
            );
            let Some(cursor) = page["pagination"]["next"]["cursor"].as_str() else {
                break;
            };
            assert!(
                cursor
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            );
            let next = page["links"]["next"]["href"].as_str().unwrap();
            assert!(
                next.contains(cursor) && next.contains("resourceUri=d"),
                "{next}"
            );
            next.strip_prefix("http://guestlist.test")
                .unwrap()
                .clone_into(&mut target);
        }
        assert_eq!(found, held, "{limit}");
        // A cursor is good for its user, its collection and its caller alone.
        let target = target.replace("resourceUri=d&", "resourceUri=e&");
        world.own("GET", &target, None).await.expect(400);
        world
            .own("GET", &target.replace(&user, "bob"), None)
            .await
            .expect(400);
    }
}

async fn permissions(world: &World, user: &str, resource: &str) -> (u16, Value) {
    let (user, resource) = (encode(user), encode(resource));
    let target = format!("/v1/users/{user}/resources/{resource}/permissions");
    let reply = world.own("GET", &target, None).await;
    (reply.status, reply.json())
}

#[tokio::test]
async fn permissions_of_all_records_are_merged_with_their_flags() {
    let world = World::new(Engine::Memory).await;
    world
        .role(
            "ro_a",
            &[
                ("read", true, false, false),
                ("Share:*", true, false, false),
            ],
        )
        .await;
    world
        .role(
            "ro_b",
            &[("READ", false, true, false), ("write", false, false, true)],
        )
        .await;
    world
        .role(
            "ro_c",
            &[("share", false, true, false), ("idle", false, false, false)],
        )
        .await;
    world.give("rec_1", "bob", &["ro_a"], &["p"]).await;
    world
        .give("rec_2", "bob", &["ro_b", "ro_c"], &["p/1"])
        .await;
    let flags = |action: &str, allow: bool, grant: bool, delegate: bool| json!({"action": action, "allow": allow, "grant": grant, "delegate": delegate});
    let (status, body) = permissions(&world, "bob", "p/1/deep").await;
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({"account": {"accountId": crate::world::ACCOUNT}, "userId": "bob", "permissions": [
            flags("READ", true, true, false),
            flags("Share:*", true, true, false),
            flags("write", false, false, true),
        ]})
    );
    // What is only above is inherited; what is below is not.
    let (_, body) = permissions(&world, "bob", "p").await;
    assert_eq!(
        body["permissions"],
        json!([
            flags("read", true, false, false),
            flags("Share:*", true, false, false)
        ])
    );
    for (user, resource) in [
        ("bob", "q"),
        ("bob", "*"),
        ("bob", "p1"),
        ("carol", "p"),
        ("bob", "P"),
    ] {
        let (status, body) = permissions(&world, user, resource).await;
        assert_eq!(
            (status, &body["errorCode"]),
            (404, &json!("NotFound")),
            "{user} {resource}"
        );
    }
    world.give("rec_3", "carol", &["ro_c"], &["q/*"]).await;
    assert_eq!(
        permissions(&world, "carol", "q").await.0,
        404,
        "below is not the thing itself"
    );
    let (status, body) = permissions(&world, "carol", "q/*").await;
    assert_eq!(
        (status, &body["permissions"]),
        (200, &json!([flags("share", false, true, false)]))
    );
}

#[tokio::test]
async fn roles_are_those_given_on_exactly_the_resource_each_time_they_are() {
    let world = World::new(Engine::Memory).await;
    let group =
        json!({"groupId": "grp_1", "name": "g", "users": [{"userId": "bob"}], "admins": []});
    world
        .own("POST", "/v1/groups", Some(&group))
        .await
        .expect(201);
    world
        .give("rec_1", "bob", &["ro_viewer", "ro_editor"], &["/p/1/"])
        .await;
    world.give("rec_2", "bob", &["ro_viewer"], &["p/1"]).await;
    world
        .give("rec_3", "bob", &["ro_manager"], &["p", "p/*", "p/1/x", "*"])
        .await;
    let mut record = record_of("rec_4", "x", &["ro_viewer"], &["p/1"]);
    record["users"] = json!([]);
    record["groups"] = json!([{"groupId": "grp_1"}]);
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    let roles = async |user: &str, resource: &str| {
        let target = format!("/v1/users/{user}/resources/{}/roles", encode(resource));
        let reply = world.own("GET", &target, None).await;
        (reply.status, reply.json())
    };
    let role = |id: &str| json!({"roleId": id});
    for resource in ["p/1", "/p/1", "p/1/"] {
        let (status, body) = roles("bob", resource).await;
        assert_eq!(status, 200);
        assert_eq!(
            body,
            json!({"userId": "bob", "roles": [
            role("ro_editor"), role("ro_viewer"), role("ro_viewer"), role("ro_viewer")]})
        );
    }
    assert_eq!(
        roles("bob", "p/*").await.1["roles"],
        json!([role("ro_manager")])
    );
    for (user, resource) in [("bob", "p/2"), ("bob", "p/1/x/y"), ("carol", "p/1")] {
        let (status, body) = roles(user, resource).await;
        assert_eq!(
            (status, &body["errorCode"]),
            (404, &json!("NotFound")),
            "{resource}"
        );
    }
}

#[tokio::test]
async fn the_users_of_a_resource_are_those_named_on_it() {
    for engine in engines() {
        let world = World::new(engine).await;
        let group = json!({"groupId": "grp_1", "name": "g", "admins": [{"userId": "erin"}],
            "users": [{"userId": "bob"}, {"userId": "carol"}]});
        world
            .own("POST", "/v1/groups", Some(&group))
            .await
            .expect(201);
        world
            .give("rec_1", "bob", &["ro_viewer", "ro_editor"], &["p/1"])
            .await;
        world.give("rec_2", "bob", &["ro_viewer"], &["/p/1"]).await;
        world
            .give("rec_3", "above", &["ro_viewer"], &["p", "p/*", "*"])
            .await;
        world
            .give("rec_4", "below", &["ro_viewer"], &["p/1/x"])
            .await;
        let record = json!({"recordId": "rec_5", "name": "n", "statements": [
            {"roles": ["ro_manager"], "resources": [{"resourceUri": "p/1"}], "groups": [{"groupId": "grp_1"}]},
            {"roles": ["ro_viewer"], "resources": [{"resourceUri": "p/2"}], "users": [{"userId": "other"}]}]});
        world
            .own("POST", "/v1/records", Some(&record))
            .await
            .expect(201);
        let users = async |resource: &str| {
            let target = format!("/v1/resources/{}/users", encode(resource));
            world.own("GET", &target, None).await.expect(200).json()["users"].clone()
        };
        let role = |id: &str| json!({"roleId": id});
        let expected = json!([
            {"userId": "bob", "roles": [role("ro_editor"), role("ro_manager"), role("ro_viewer")]},
            {"userId": "carol", "roles": [role("ro_manager")]},
        ]);
        for resource in ["p/1", "/p/1/"] {
            assert_eq!(users(resource).await, expected, "{resource}");
        }
        assert_eq!(
            users("p/*").await,
            json!([{"userId": "above", "roles": [role("ro_viewer")]}])
        );
        assert_eq!(users("p/9").await, json!([]));
        // Through the group only while it is there.
        world
            .own("DELETE", "/v1/groups/grp_1", None)
            .await
            .expect(204);
        world
            .own("DELETE", "/v1/records/rec_2", None)
            .await
            .expect(204);
        assert_eq!(
            users("p/1").await,
            json!([
            {"userId": "bob", "roles": [role("ro_editor"), role("ro_viewer")]}])
        );
    }
}

#[tokio::test]
async fn the_users_of_a_resource_come_in_pages() {
    let world = World::new(Engine::Memory).await;
    let all: Vec<String> = (0..45)
        .map(|number| format!("user {number:02}|/@"))
        .collect();
    let mut record = record_of("rec_1", "x", &["ro_viewer"], &["p/1"]);
    record["users"] = all.iter().map(|user| json!({"userId": user})).collect();
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    for limit in [20, 7, 1] {
        let mut target = format!("/v1/resources/p%2F1/users?limit={limit}");
        let mut found = Vec::new();
        loop {
            let page = world.own("GET", &target, None).await.expect(200).json();
            let users = page["users"].as_array().unwrap();
            assert!(users.len() <= limit);
            found.extend(
                users
                    .iter()
                    .map(|user| user["userId"].as_str().unwrap().to_owned()),
            );
            let Some(next) = page["links"]["next"]["href"].as_str() else {
                break;
            };
            next.strip_prefix("http://guestlist.test")
                .unwrap()
                .clone_into(&mut target);
        }
        assert_eq!(found, all, "{limit}");
    }
}

#[tokio::test]
async fn who_may_list_the_users_of_a_resource() {
    let world = World::new(Engine::Memory).await;
    world
        .role("ro_reader", &[("READ", true, false, false)])
        .await;
    world.role("ro_giver", &[("*", false, true, false)]).await;
    world
        .give(
            "rec_1",
            "dave",
            &["ro_reader"],
            &["Authress:UserPermissions"],
        )
        .await;
    world.give("rec_2", "erin", &["ro_giver"], &["p/1"]).await;
    world
        .give(
            "rec_3",
            "fred",
            &["ro_giver"],
            &["Authress:ResourcePermissions/p"],
        )
        .await;
    world.give("rec_4", "gina", &["ro_viewer"], &["p/1"]).await;
    for (user, one, other) in [
        ("dave", 200, 200),
        ("erin", 200, 403),
        ("fred", 200, 200),
        ("gina", 403, 403),
        ("mallory", 403, 403),
    ] {
        for (resource, status) in [("p%2F1", one), ("p%2F2", other)] {
            let target = format!("/v1/resources/{resource}/users");
            world
                .as_user(user, "GET", &target, None)
                .await
                .expect(status);
        }
    }
}

#[tokio::test]
async fn a_check_says_yes_no_or_that_it_may_not_be_asked() {
    for engine in engines() {
        let world = World::new(engine).await;
        let user = "google-oauth2|1095/36@x+y";
        world
            .give("rec_1", user, &["ro_viewer"], &["/orgs/a/docs/*"])
            .await;
        let target = check(user, "/orgs/a/docs/1", "documents:read");
        let yes = world.own("GET", &target, None).await.expect(200);
        assert_eq!(yes.text, "{}");
        assert_eq!(yes.header("cache-control").unwrap(), "no-store");
        let no = world
            .own("GET", &check(user, "/orgs/a/docs", "documents:read"), None)
            .await;
        assert_eq!(no.expect(404).code(), "NotFound");
        // Slashes that are not encoded, as two SDKs send them.
        let raw = "/v1/users/google-oauth2|1095/36@x+y/resources/%2Forgs%2Fa%2Fdocs%2F*/permissions/documents:read";
        world.own("GET", raw, None).await.expect(200);
        // About oneself without any right; about others only with one, existing or not.
        world.as_user(user, "GET", &target, None).await.expect(200);
        for other in [user, "nobody"] {
            let target = check(other, "/orgs/a/docs/1", "documents:read");
            let reply = world
                .as_user("mallory", "GET", &target, None)
                .await
                .expect(403);
            assert_eq!(reply.code(), "Forbidden", "{other}");
        }
        for (bad, path) in [
            ("/v1/users/a%23b/resources/p/permissions/read", "userId"),
            (
                "/v1/users/a/resources/p%2F%2Fq/permissions/read",
                "resourceUri",
            ),
            ("/v1/users/a/resources/p/permissions/a..b", "permission"),
        ] {
            let reply = world.own("GET", bad, None).await.expect(400);
            assert_eq!(reply.json()["path"], path);
        }
    }
}

#[tokio::test]
async fn statements_of_one_record_do_not_mix_in_lists() {
    let world = World::new(Engine::Memory).await;
    let mut record = json!({"recordId": "rec_1", "name": "n", "statements": [
        statement(&["ro_viewer"], &["a/1"]), statement(&["ro_editor"], &["b/1"])]});
    record["statements"][0]["users"] = json!([{"userId": "bob"}]);
    record["statements"][1]["users"] = json!([{"userId": "carol"}]);
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    assert_eq!(resources(&world, "bob", NESTED).await, ["a/1"]);
    assert_eq!(resources(&world, "carol", NESTED).await, ["b/1"]);
}
