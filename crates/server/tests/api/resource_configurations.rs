//! Resource configurations through the API: what is written is read back, who may write it, and what
//! everybody may do then.

use serde_json::{Value, json};

use crate::world::{Engine, World, check, encode, engines};

fn permissions(claim: Option<bool>, public: Option<bool>) -> Value {
    let said = [("CLAIM", claim), ("PUBLIC", public)];
    let said = said.into_iter().filter_map(|(action, allow)| {
        let allow = allow?;
        Some(json!({"action": action, "allow": allow}))
    });
    json!({"permissions": said.collect::<Vec<_>>()})
}

fn target(resource: &str) -> String {
    format!("/v1/resources/{}", encode(resource))
}

async fn configure(world: &World, resource: &str, body: &Value) {
    let reply = world.own("PUT", &target(resource), Some(body)).await;
    assert_eq!(reply.expect(200).text, "");
}

async fn listed(world: &World, credential: &str, query: &str) -> Vec<String> {
    let list = format!("/v1/resources{query}");
    let page = world.send(credential, "GET", &list, None).await.expect(200);
    let page = page.json();
    let resources = page["resources"].as_array().unwrap().iter();
    let uris = resources.map(|one| one["resourceUri"].as_str().unwrap().to_owned());
    uris.collect()
}

#[tokio::test]
async fn what_is_configured_is_read_back_and_replaced() {
    for engine in engines() {
        let world = World::new(engine).await;
        let resource = "/rooms/1|x:2";
        world.own("GET", &target(resource), None).await.expect(404);
        configure(&world, resource, &permissions(Some(true), Some(false))).await;
        let read = world.own("GET", &target(resource), None).await.expect(200);
        let mut expected = permissions(Some(true), Some(false));
        expected["resourceUri"] = json!(resource);
        assert_eq!(read.json(), expected);
        // However it is written, and with what was read sent back whole.
        let other = "rooms/1|x:2/";
        let reply = world.own("PUT", &target(other), Some(&expected)).await;
        reply.expect(200);
        // Raw slashes mean the same.
        let raw = "/v1/resources/rooms/1%7Cx:2";
        let read = world.own("GET", raw, None).await.expect(200).json();
        assert_eq!(read["resourceUri"], other);
        configure(&world, resource, &permissions(None, Some(true))).await;
        let read = world.own("GET", raw, None).await.expect(200).json();
        assert_eq!(
            read["permissions"],
            permissions(None, Some(true))["permissions"]
        );
        // Nothing above it and nothing below it is configured.
        for near in ["rooms", "rooms/1|x:2/a"] {
            world.own("GET", &target(near), None).await.expect(404);
        }
        assert_eq!(world.count("resource.configured").await, 3);
        if engine.keeps() {
            let world = world.restart().await;
            assert_eq!(world.own("GET", raw, None).await.expect(200).json(), read);
            assert!(world.may("anybody", "rooms/1|x:2/a", "read").await);
        }
    }
}

#[tokio::test]
async fn what_cannot_be_configured_is_refused_with_the_place() {
    let world = World::new(Engine::Memory).await;
    for resource in [
        "*",
        "rooms/*",
        "rooms/*/x",
        "a:*",
        "Authress:Roles",
        "Authress:Roles/x",
    ] {
        let body = permissions(Some(true), None);
        let reply = world.own("PUT", &target(resource), Some(&body)).await;
        assert_eq!(
            reply.expect(400).json()["path"],
            "resourceUri",
            "{resource}"
        );
        world.own("GET", &target(resource), None).await.expect(404);
    }
    let claim = json!({"action": "CLAIM", "allow": true});
    for (body, path) in [
        (json!({}), "permissions"),
        (json!({"permissions": []}), "permissions"),
        (json!({"permissions": null}), "permissions"),
        (
            json!({"permissions": [claim, claim]}),
            "permissions[1].action",
        ),
        (
            json!({"permissions": [claim, {"action": "CLAIM", "allow": false}]}),
            "permissions[1].action",
        ),
        (
            json!({"permissions": [{"action": "ALLOW", "allow": true}]}),
            "permissions[0].action",
        ),
        (
            json!({"permissions": [{"action": "CLAIM"}]}),
            "permissions[0].allow",
        ),
        (
            json!({"permissions": [claim], "resourceUri": "other"}),
            "resourceUri",
        ),
        (
            json!({"permissions": vec![claim.clone(); 101]}),
            "permissions",
        ),
    ] {
        let reply = world.own("PUT", &target("rooms"), Some(&body)).await;
        let found = reply.expect(400).json()["path"]
            .as_str()
            .map(ToOwned::to_owned);
        assert_eq!(found.as_deref(), Some(path), "{body}");
    }
    for method in ["POST", "DELETE", "PATCH"] {
        let reply = world
            .own(
                method,
                &target("rooms"),
                Some(&permissions(Some(true), None)),
            )
            .await;
        let allowed = reply.clone().expect(405).header("allow");
        assert_eq!(allowed.as_deref(), Some("GET, HEAD, PUT"), "{method}");
    }
    assert_eq!(world.count("resource.configured").await, 0);
}

#[tokio::test]
async fn public_is_reading_for_everybody_and_nothing_else() {
    let world = World::new(Engine::Memory).await;
    let before = world.may("anybody", "square/1", "read").await;
    assert!(!before, "nothing is public unless it is configured");
    configure(&world, "/square", &permissions(Some(true), Some(true))).await;
    for (resource, action, may) in [
        ("square", "read", true),
        ("/square/", "READ", true),
        ("square/1/2", "read", true),
        ("square/1", "documents:read", true),
        ("square/*", "read", true),
        ("square/1", "update", false),
        ("square/1", "*", false),
        ("square/1", "documents:update", false),
        ("squares", "read", false),
        ("squar", "read", false),
        ("Square", "read", false),
        ("*", "read", false),
        ("*/1", "read", false),
        ("Authress:Roles", "read", false),
    ] {
        for user in ["anybody", "google|1", "sc_unknown"] {
            assert_eq!(
                world.may(user, resource, action).await,
                may,
                "{resource} {action}"
            );
        }
        let own = check("stranger", resource, action);
        let reply = world.as_user("stranger", "GET", &own, None).await;
        assert_eq!(reply.status == 200, may, "{resource} {action}");
    }
    // No list has it, and nobody can pass it on.
    for path in [
        "/v1/users/stranger/resources/square/permissions",
        "/v1/users/stranger/resources/square/roles",
    ] {
        world
            .as_user("stranger", "GET", path, None)
            .await
            .expect(404);
    }
    let nested = "/v1/users/stranger/resources?collectionConfiguration=INCLUDE_NESTED";
    let mine = world
        .as_user("stranger", "GET", nested, None)
        .await
        .expect(200);
    assert_eq!(mine.json()["resources"], json!([]));
    let invite = crate::world::invite_of(&["Authress:ReadResource"], &["square/1"]);
    let reply = world
        .as_user("stranger", "POST", "/v1/invites", Some(&invite))
        .await;
    assert_eq!(reply.expect(403).code(), "InsufficientGrantAccess");
    // It ends at once.
    configure(&world, "square", &permissions(None, Some(false))).await;
    assert!(!world.may("anybody", "square/1", "read").await);
    configure(&world, "square", &permissions(None, Some(true))).await;
    configure(&world, "square", &permissions(Some(true), None)).await;
    assert!(!world.may("anybody", "square/1", "read").await);
}

#[tokio::test]
async fn an_explanation_says_that_it_is_public() {
    let world = World::new(Engine::Memory).await;
    configure(&world, "/square/1", &permissions(None, Some(true))).await;
    configure(&world, "/square", &permissions(None, Some(true))).await;
    let target = format!("{}?explain=true", check("eve", "square/1/2", "docs:read"));
    let reply = world.as_user("eve", "GET", &target, None).await.expect(200);
    let expected = json!({"public": true, "resourceUri": "square", "action": "*:read"});
    assert_eq!(reply.json()["because"], expected);
    // Whoever was given it is told so.
    world.role("ro_x", &[("docs", true, false, false)]).await;
    world.give("rec_1", "eve", &["ro_x"], &["square/1/2"]).await;
    let reply = world.own("GET", &target, None).await.expect(200).json();
    assert_eq!(reply["because"]["recordId"], "rec_1");
    assert_eq!(reply["because"]["public"], Value::Null);
}

#[tokio::test]
async fn what_is_newly_allowed_the_caller_must_be_able_to_give() {
    let world = World::new(Engine::Memory).await;
    // May give everything to others, but not pass that on.
    world
        .give("rec_1", "admin", &["Authress:Admin"], &["rooms"])
        .await;
    world.role("ro_rules", &[("*", false, true, false)]).await;
    let rules = ["Authress:ResourcePermissions/rooms"];
    world.give("rec_2", "clerk", &["ro_rules"], &rules).await;
    world.role("ro_owns", &[("*", false, false, true)]).await;
    world
        .give("rec_3", "delegate", &["ro_owns"], &["rooms"])
        .await;
    world
        .role("ro_reads", &[("*:read", true, true, true)])
        .await;
    world
        .give("rec_4", "reader", &["ro_reads"], &["rooms"])
        .await;
    let (claim, public) = (permissions(Some(true), None), permissions(None, Some(true)));
    let neither = permissions(Some(false), Some(false));
    for (user, body, status, code) in [
        ("admin", &claim, 403, "InsufficientGrantAccess"),
        ("admin", &public, 200, ""),
        ("clerk", &claim, 403, "InsufficientGrantAccess"),
        ("clerk", &public, 403, "InsufficientGrantAccess"),
        ("clerk", &neither, 200, ""),
        ("delegate", &claim, 200, ""),
        ("delegate", &public, 200, ""),
        ("reader", &public, 403, "Forbidden"),
        ("stranger", &neither, 403, "Forbidden"),
    ] {
        configure(&world, "rooms", &neither).await;
        let before = world.app.revision();
        let reply = world
            .as_user(user, "PUT", &target("rooms"), Some(body))
            .await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code),
            "{user} {body}"
        );
        if status == 403 {
            assert_eq!(world.app.revision(), before);
        }
        // Elsewhere none of them may do anything.
        let elsewhere = target("halls");
        world
            .as_user(user, "PUT", &elsewhere, Some(body))
            .await
            .expect(403);
    }
    // What was allowed already stays, whoever changes the rest.
    configure(&world, "rooms", &claim).await;
    let both = permissions(Some(true), Some(true));
    let reply = world
        .as_user("admin", "PUT", &target("rooms"), Some(&both))
        .await;
    reply.expect(200);
    let reply = world
        .as_user("clerk", "PUT", &target("rooms"), Some(&both))
        .await;
    reply.expect(200);
}

#[tokio::test]
async fn the_list_shows_what_the_caller_may_read_in_pages() {
    let world = World::new(Engine::Memory).await;
    for number in 0..105 {
        let resource = format!("rooms/{number:03}");
        configure(&world, &resource, &permissions(Some(true), None)).await;
    }
    configure(&world, "halls", &permissions(None, Some(false))).await;
    let owner = &world.owner;
    assert_eq!(listed(&world, owner, "").await.len(), 100);
    assert_eq!(listed(&world, owner, "?filter=HALL").await, ["halls"]);
    let first = world.own("GET", "/v1/resources?limit=3", None).await.json();
    let cursor = first["pagination"]["next"]["cursor"].as_str().unwrap();
    let second = format!("?limit=2&cursor={cursor}");
    assert_eq!(
        listed(&world, owner, &second).await,
        ["rooms/002", "rooms/003"]
    );
    world
        .role("ro_reader", &[("READ", true, false, false)])
        .await;
    let one = ["Authress:ResourcePermissions/rooms/007"];
    world.give("rec_1", "reader", &["ro_reader"], &one).await;
    world
        .give(
            "rec_2",
            "owner-of-one",
            &["Authress:Owner"],
            &["/rooms/008"],
        )
        .await;
    assert_eq!(
        listed(&world, &world.token("reader"), "").await,
        ["rooms/007"]
    );
    assert_eq!(
        listed(&world, &world.token("owner-of-one"), "").await,
        ["rooms/008"]
    );
    assert!(
        listed(&world, &world.token("stranger"), "")
            .await
            .is_empty()
    );
    let read = world
        .as_user("reader", "GET", &target("rooms/007"), None)
        .await;
    read.expect(200);
    for (user, resource, status) in [
        ("reader", "rooms/008", 403),
        ("reader", "rooms/none", 403),
        ("stranger", "rooms/007", 404),
        ("stranger", "rooms/none", 404),
    ] {
        let reply = world.as_user(user, "GET", &target(resource), None).await;
        assert_eq!(reply.status, status, "{user} {resource}");
    }
}

#[tokio::test]
async fn a_limited_token_learns_what_is_public_within_its_statements_only() {
    let world = World::new(Engine::Memory).await;
    configure(&world, "square", &permissions(None, Some(true))).await;
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
    let body = crate::world::invite_of(&["Authress:ReadResource"], &["square/1"]);
    let key = key["accessKey"].as_str().unwrap();
    let made = world
        .send(key, "POST", "/v1/users/eve/tokens", Some(&body))
        .await;
    let made = made.expect(201).json();
    let token = made["token"].as_str().unwrap();
    for (resource, status) in [("square/1", 200), ("square/2", 404), ("square", 404)] {
        let target = check("eve", resource, "read");
        let reply = world.send(token, "GET", &target, None).await;
        assert_eq!(reply.status, status, "{resource} {}", reply.text);
    }
}
