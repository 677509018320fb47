//! The users that are known: by what names them, in pages, in order, and no service clients.

use serde_json::{Value, json};

use crate::world::{Engine, World, encode, engines, record_of};

async fn ids(world: &World, query: &str) -> Vec<String> {
    let page = world
        .own("GET", &format!("/v1/users{query}"), None)
        .await
        .expect(200);
    let users = page.json()["users"].as_array().unwrap().clone();
    let id = |user: &Value| user["userId"].as_str().unwrap().to_owned();
    users.iter().map(id).collect()
}

/// Everybody, page by page.
async fn all(world: &World, limit: usize, filter: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut target = format!("/v1/users?limit={limit}&filter={filter}");
    loop {
        let page = world.own("GET", &target, None).await.expect(200).json();
        for user in page["users"].as_array().unwrap() {
            found.push(user["userId"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["links"]["next"]["href"].as_str() else {
            assert!(page["pagination"].is_null());
            return found;
        };
        next.strip_prefix("http://guestlist.test")
            .unwrap()
            .clone_into(&mut target);
    }
}

/// One user for each way to be named.
async fn furnished(engine: Engine) -> World {
    let world = World::new(engine).await;
    let record = json!({
        "recordId": "rec_1",
        "name": "n",
        "admins": [{"userId": "an-admin"}],
        "statements": [{
            "roles": ["Authress:ReadResource"],
            "resources": [{"resourceUri": "shelf"}],
            "users": [{"userId": "of/a|statement"}, {"userId": "sc_other"}],
        }],
    });
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    world
        .give(
            "rec_2",
            "of-a-record",
            &["Authress:ReadResource"],
            &["shelf"],
        )
        .await;
    let group = json!({"groupId": "grp_1", "name": "n", "users": [{"userId": "a-member"}],
        "admins": [{"userId": "leads"}]});
    world
        .own("POST", "/v1/groups", Some(&group))
        .await
        .expect(201);
    world
}

#[tokio::test]
async fn whoever_is_named_by_a_record_or_a_group_is_known_while_they_are() {
    for engine in engines() {
        let world = furnished(engine).await;
        let everybody = [
            "a-member",
            "alice",
            "an-admin",
            "leads",
            "of-a-record",
            "of/a|statement",
        ];
        assert_eq!(ids(&world, "").await, everybody);
        for user in everybody {
            let target = format!("/v1/users/{}", encode(user));
            let read = world.own("GET", &target, None).await.expect(200);
            let expected = json!({"userId": user, "linkedIdentities": []});
            assert_eq!(read.json(), expected);
        }
        for unknown in [
            "nobody",
            "A-member",
            "sc_other",
            &world.owner_id,
            "Authress:Service",
        ] {
            let target = format!("/v1/users/{}", encode(unknown));
            let reply = world.own("GET", &target, None).await.expect(404);
            assert_eq!(reply.code(), "NotFound", "{unknown}");
        }
        world
            .own("DELETE", "/v1/records/rec_1", None)
            .await
            .expect(204);
        world
            .own("DELETE", "/v1/groups/grp_1", None)
            .await
            .expect(204);
        assert_eq!(ids(&world, "").await, ["alice", "of-a-record"]);
        world.own("GET", "/v1/users/leads", None).await.expect(404);
        if engine.keeps() {
            let world = world.restart().await;
            assert_eq!(ids(&world, "").await, ["alice", "of-a-record"]);
        }
    }
}

#[tokio::test]
async fn the_list_comes_in_pages_and_by_a_part_of_the_id() {
    let world = World::new(Engine::Memory).await;
    let users: Vec<Value> = (0..250)
        .map(|number| json!({"userId": format!("user-{:03}", number * 7 % 250)}))
        .collect();
    let record = json!({"recordId": "rec_1", "name": "n", "users": users,
        "statements": record_of("", "", &["Authress:ReadResource"], &["shelf"])["statements"]});
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    let expected: Vec<String> = std::iter::once("alice".to_owned())
        .chain((0..250).map(|number| format!("user-{number:03}")))
        .collect();
    for limit in [1, 7, 100, 1_000] {
        assert_eq!(all(&world, limit, "").await, expected, "{limit}");
    }
    assert_eq!(ids(&world, "").await.len(), 100);
    assert_eq!(all(&world, 3, "USER-01").await, expected[11..21]);
    assert_eq!(ids(&world, "?filter=nobody").await, Vec::<String>::new());
    // Nobody belongs to a tenant that is not there.
    for unknown in ["t1", "a%20b", "%2F"] {
        let query = format!("?tenantId={unknown}");
        assert_eq!(ids(&world, &query).await, Vec::<String>::new());
    }
    assert_eq!(
        ids(&world, "?tenantId=undefined&filter=null&limit=2")
            .await
            .len(),
        2
    );
    // A user who comes between two pages is where they belong.
    let first = world.own("GET", "/v1/users?limit=2", None).await.json();
    world
        .give("rec_2", "user-000a", &["Authress:ReadResource"], &["shelf"])
        .await;
    let cursor = first["pagination"]["next"]["cursor"].as_str().unwrap();
    let second = ids(&world, &format!("?limit=2&cursor={cursor}")).await;
    assert_eq!(second, ["user-000a", "user-001"]);
    for bad in ["?limit=0", "?limit=x", "?cursor=x"] {
        world
            .own("GET", &format!("/v1/users{bad}"), None)
            .await
            .expect(400);
    }
}

#[tokio::test]
async fn everybody_may_read_themself_and_nobody_else() {
    let world = World::new(Engine::Memory).await;
    world
        .give("rec_1", "alice", &["Authress:ReadResource"], &["shelf"])
        .await;
    for user in ["alice", "stranger"] {
        let target = format!("/v1/users/{user}");
        let read = world.as_user(user, "GET", &target, None).await.expect(200);
        assert_eq!(read.json()["userId"], user);
    }
    world
        .as_user("stranger", "GET", "/v1/users/alice", None)
        .await
        .expect(404);
    // A service client is no user, of itself neither.
    let own = format!("/v1/users/{}", world.owner_id);
    world.own("GET", &own, None).await.expect(404);
    world.own("DELETE", &own, None).await.expect(404);
    assert!(world.may(&world.owner_id, "x", "y").await);
}

#[tokio::test]
async fn the_users_of_a_tenant_are_those_who_were_put_into_it() {
    for engine in engines() {
        let world = World::new(engine).await;
        for tenant in ["acme", "other"] {
            let body = json!({"tenantId": tenant});
            let made = world.own("POST", "/v1/tenants", Some(&body)).await;
            made.expect(201);
        }
        let link = async |tenant: &str, user: &str| {
            let body = json!({"userId": user});
            let target = format!("/v1/tenants/{tenant}/users");
            let reply = world.own("PATCH", &target, Some(&body)).await;
            reply.expect(204);
        };
        for number in 0..5 {
            link("acme", &format!("user-{number}")).await;
        }
        link("other", "user-2").await;
        link("other", "bob").await;
        let of_acme = ["user-0", "user-1", "user-3", "user-4"];
        assert_eq!(ids(&world, "?tenantId=acme").await, of_acme);
        assert_eq!(ids(&world, "?tenantId=other").await, ["bob", "user-2"]);
        assert_eq!(ids(&world, "?tenantId=acme&filter=R-3").await, ["user-3"]);
        assert_eq!(all(&world, 1, "&tenantId=acme").await, of_acme);
        let target = "/v1/users?tenantId=acme";
        let reply = world.as_user("user-0", "GET", target, None).await;
        reply.expect(403);
        // Those of a tenant that was deleted are not in the one that is made under its id.
        world
            .own("DELETE", "/v1/tenants/acme", None)
            .await
            .expect(204);
        assert_eq!(ids(&world, "?tenantId=acme").await, Vec::<String>::new());
        let body = json!({"tenantId": "acme"});
        world
            .own("POST", "/v1/tenants", Some(&body))
            .await
            .expect(201);
        assert_eq!(ids(&world, "?tenantId=acme").await, Vec::<String>::new());
        link("acme", "user-1").await;
        assert_eq!(ids(&world, "?tenantId=acme").await, ["user-1"]);
    }
}
