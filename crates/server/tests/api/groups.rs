//! Groups through the API: members gain and lose what records give the group at once.

use serde_json::{Value, json};

use crate::world::{Engine, World, engines, record_of};

fn group_of(id: &str, users: &[&str]) -> Value {
    let users: Vec<Value> = users.iter().map(|user| json!({"userId": user})).collect();
    json!({"groupId": id, "name": id, "users": users, "admins": []})
}

/// Makes a group, and a record that gives it a role on `shelf`.
async fn shelf(world: &World, users: &[&str]) {
    world
        .own("POST", "/v1/groups", Some(&group_of("grp_1", users)))
        .await
        .expect(201);
    let mut record = record_of("rec_shelf", "x", &["ro_viewer"], &["shelf"]);
    record["users"] = json!([]);
    record["groups"] = json!([{"groupId": "grp_1"}]);
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
}

async fn reads(world: &World, user: &str) -> bool {
    world.may(user, "shelf/1", "documents:read").await
}

#[tokio::test]
async fn a_group_is_made_under_an_id_with_its_prefix_or_a_new_one() {
    let world = World::new(Engine::Memory).await;
    let made = world
        .own("POST", "/v1/groups", Some(&group_of("grp_a-B_1", &["bob"])))
        .await
        .expect(201)
        .json();
    assert_eq!(made["groupId"], "grp_a-B_1");
    let read = world
        .own("GET", "/v1/groups/grp_a-B_1", None)
        .await
        .expect(200);
    assert_eq!(read.json(), made);
    for absent in [json!(""), Value::Null] {
        let mut group = group_of("x", &[]);
        group["groupId"] = absent;
        let reply = world
            .own("POST", "/v1/groups", Some(&group))
            .await
            .expect(201);
        let id = reply.json()["groupId"].as_str().unwrap().to_owned();
        assert!(id.starts_with("grp_") && id.len() == 20, "{id}");
    }
    for bad in [
        "g",
        "grp",
        "grp_",
        "GRP_1",
        "group_1",
        "grp_a.b",
        "grp_a b",
        &format!("grp_{}", "a".repeat(61)),
    ] {
        let reply = world
            .own("POST", "/v1/groups", Some(&group_of(bad, &[])))
            .await
            .expect(400);
        assert_eq!(reply.json()["path"], "groupId", "{bad}");
    }
    for (member, value) in [
        ("name", json!("")),
        ("name", Value::Null),
        ("users", json!([{"userId": "a#b"}])),
        (
            "users",
            json!(
                (0..101)
                    .map(|n| json!({"userId": format!("u{n}")}))
                    .collect::<Vec<_>>()
            ),
        ),
        ("admins", json!("x")),
        ("tags", json!({"a": 1})),
    ] {
        let mut bad = group_of("grp_bad", &[]);
        bad[member] = value;
        let reply = world
            .own("POST", "/v1/groups", Some(&bad))
            .await
            .expect(400);
        assert!(
            reply.json()["path"].as_str().unwrap().starts_with(member),
            "{member} {}",
            reply.text
        );
    }
}

#[tokio::test]
async fn a_group_that_is_there_is_never_made_again() {
    let world = World::new(Engine::Memory).await;
    shelf(&world, &["bob"]).await;
    let reply = world
        .own("POST", "/v1/groups", Some(&group_of("grp_1", &["carol"])))
        .await
        .expect(409);
    assert_eq!(reply.code(), "GroupAlreadyExists");
    assert!(reads(&world, "bob").await);
    assert!(!reads(&world, "carol").await);
}

#[tokio::test]
async fn membership_is_in_force_at_once() {
    for engine in engines() {
        let world = World::new(engine).await;
        shelf(&world, &["bob"]).await;
        assert!(reads(&world, "bob").await);
        assert!(!reads(&world, "carol").await);
        let target = "/v1/groups/grp_1";
        let both = group_of("grp_1", &["bob", "carol"]);
        let put = world
            .own("PUT", target, Some(&both))
            .await
            .expect(200)
            .json();
        assert_eq!(put["users"], both["users"]);
        assert!(reads(&world, "carol").await);
        let other = group_of("grp_1", &["carol"]);
        // One SDK updates with POST.
        world.own("POST", target, Some(&other)).await.expect(200);
        assert!(!reads(&world, "bob").await);
        assert!(reads(&world, "carol").await);
        world.own("DELETE", target, None).await.expect(204);
        assert!(!reads(&world, "carol").await);
        for (method, body) in [("GET", None), ("PUT", Some(&other)), ("DELETE", None)] {
            let reply = world.own(method, target, body).await.expect(404);
            assert_eq!(reply.code(), "NotFound", "{method}");
        }
        // The record still names it; made anew it counts again.
        world
            .own("POST", "/v1/groups", Some(&group_of("grp_1", &["dave"])))
            .await
            .expect(201);
        assert!(reads(&world, "dave").await);
        assert!(!reads(&world, "carol").await);
    }
}

#[tokio::test]
async fn an_outdated_update_of_a_group_is_412() {
    for engine in engines() {
        let world = World::new(engine).await;
        shelf(&world, &["bob"]).await;
        let target = "/v1/groups/grp_1";
        let first = world.own("GET", target, None).await.expect(200).json();
        let version = |group: &Value| group["lastUpdated"].as_str().unwrap().to_owned();
        let put = async |since: &str, group: &Value| {
            let header = [("If-Unmodified-Since", since)];
            let owner = &world.owner;
            world
                .send_with(owner, "PUT", target, &header, Some(group))
                .await
        };
        // The C# form of what was read; then that is outdated, although the clock stands still.
        let sharp = version(&first).replace('Z', "0000+00:00");
        let second = put(&sharp, &first).await.expect(200).json();
        assert!(version(&second) > version(&first));
        let reply = put(&version(&first), &group_of("grp_1", &["carol"])).await;
        assert_eq!(reply.expect(412).code(), "PreconditionFailed");
        put("yesterday", &first).await.expect(400);
        assert!(!reads(&world, "carol").await);
        let third = put(&version(&second), &second).await.expect(200).json();
        assert!(version(&third) > version(&second));
    }
}

#[tokio::test]
async fn the_id_of_a_group_cannot_be_changed() {
    let world = World::new(Engine::Memory).await;
    shelf(&world, &["bob"]).await;
    let put = async |id: Value| {
        let mut body = group_of("x", &["bob"]);
        body["groupId"] = id;
        world.own("PUT", "/v1/groups/grp_1", Some(&body)).await
    };
    let reply = put(json!("grp_2")).await.expect(400);
    assert_eq!(reply.json()["path"], "groupId");
    for same in [json!("grp_1"), json!(""), Value::Null] {
        put(same).await.expect(200);
    }
    world.own("GET", "/v1/groups/grp_2", None).await.expect(404);
}

#[tokio::test]
async fn administrators_of_a_group_change_it_and_others_do_not() {
    let world = World::new(Engine::Memory).await;
    let mut group = group_of("grp_1", &["bob"]);
    group["admins"] = json!([{"userId": "erin"}]);
    world
        .own("POST", "/v1/groups", Some(&group))
        .await
        .expect(201);
    let erin = world.token("erin");
    let target = "/v1/groups/grp_1";
    world.send(&erin, "GET", target, None).await.expect(200);
    let mut more = group.clone();
    more["users"] = json!([{"userId": "bob"}, {"userId": "carol"}]);
    world
        .send(&erin, "PUT", target, Some(&more))
        .await
        .expect(200);
    for user in ["bob", "mallory"] {
        for (method, body) in [("GET", None), ("PUT", Some(&group)), ("DELETE", None)] {
            world.as_user(user, method, target, body).await.expect(404);
        }
        let new = group_of("grp_new", &[]);
        let reply = world.as_user(user, "POST", "/v1/groups", Some(&new)).await;
        assert_eq!(reply.expect(403).code(), "Forbidden");
        let list = world
            .as_user(user, "GET", "/v1/groups", None)
            .await
            .expect(200);
        assert_eq!(list.json()["groups"], json!([]));
    }
    let list = world
        .send(&erin, "GET", "/v1/groups", None)
        .await
        .expect(200)
        .json();
    assert_eq!(list["groups"][0]["groupId"], "grp_1");
    world.send(&erin, "DELETE", target, None).await.expect(204);
    world.send(&erin, "DELETE", target, None).await.expect(404);
}

#[tokio::test]
async fn groups_are_listed_in_pages_and_by_filter() {
    let world = World::new(Engine::Memory).await;
    for number in 0..25 {
        let user = format!("member{number}");
        let group = group_of(&format!("grp_{number:02}"), &[&user]);
        world
            .own("POST", "/v1/groups", Some(&group))
            .await
            .expect(201);
    }
    let ids = |page: &Value| -> Vec<String> {
        let groups = page["groups"].as_array().unwrap().iter();
        groups
            .map(|group| group["groupId"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = world
        .own("GET", "/v1/groups?limit=1000", None)
        .await
        .expect(200)
        .json();
    assert_eq!(ids(&first).len(), 20, "at most twenty");
    let cursor = first["pagination"]["next"]["cursor"].as_str().unwrap();
    let target = format!("/v1/groups?cursor={cursor}");
    let second = world.own("GET", &target, None).await.expect(200).json();
    assert_eq!(
        ids(&second),
        ["grp_20", "grp_21", "grp_22", "grp_23", "grp_24"]
    );
    assert!(second.get("pagination").is_none() && second["links"].get("next").is_none());
    for (filter, expected) in [("MEMBER7", 7..8), ("grp_1", 10..20), ("nobody", 0..0)] {
        let expected: Vec<String> = expected.map(|n| format!("grp_{n:02}")).collect();
        let target = format!("/v1/groups?filter={filter}");
        let page = world.own("GET", &target, None).await.expect(200).json();
        assert_eq!(ids(&page), expected, "{filter}");
    }
}

#[tokio::test]
async fn a_statement_may_name_a_group_of_its_own() {
    let world = World::new(Engine::Memory).await;
    world
        .own("POST", "/v1/groups", Some(&group_of("grp_1", &["bob"])))
        .await
        .expect(201);
    let mut record = record_of("rec_1", "x", &["ro_viewer"], &["a"]);
    record["users"] = json!([]);
    record["statements"][0]["groups"] = json!([{"groupId": "grp_1"}]);
    record["statements"].as_array_mut().unwrap().push(json!({
        "roles": ["ro_viewer"], "resources": [{"resourceUri": "b"}], "users": [{"userId": "carol"}]}));
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    for (user, a, b) in [("bob", true, false), ("carol", false, true)] {
        assert_eq!(world.may(user, "a", "documents:read").await, a, "{user}");
        assert_eq!(world.may(user, "b", "documents:read").await, b, "{user}");
    }
}
