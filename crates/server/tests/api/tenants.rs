//! Tenants through the API: what is written is read back, and a user belongs to one.

use serde_json::{Value, json};

use crate::world::{Engine, World, encode, engines};

fn tenant(id: &str) -> Value {
    json!({
        "tenantId": id,
        "tenantLookupIdentifier": "acme.sub",
        "data": {"name": "Acme"},
        "domains": [{"domain": "acme.example"}, {"domain": "acme.test"}],
        "connection": {"connectionId": "con_acme"},
        "tokenConfiguration": {"accessTokenDuration": "PT1H", "sessionDuration": "P90D"},
    })
}

async fn made(world: &World, id: &str) -> Value {
    let body = tenant(id);
    world
        .own("POST", "/v1/tenants", Some(&body))
        .await
        .expect(201)
        .json()
}

/// The tenant a user belongs to, as it is stored.
async fn tenant_of(world: &World, user: &str) -> Option<String> {
    let kind = guestlist_rules::changes::Kind::TenantUser;
    let seen = world.app.store.get(kind, user).await.unwrap()?;
    let link: guestlist_rules::tenants::StoredTenantUser = seen.value.read().unwrap();
    let kind = guestlist_rules::changes::Kind::Tenant;
    let tenant = world.app.store.get(kind, link.tenant_id.as_str()).await;
    let tenant = tenant.unwrap()?.value.read().unwrap();
    link.is_of(&tenant).then(|| link.tenant_id.into_string())
}

async fn link(world: &World, credential: &str, id: &str, user: &str) -> u16 {
    let target = format!("/v1/tenants/{}/users", encode(id));
    let body = json!({"userId": user});
    let reply = world.send(credential, "PATCH", &target, Some(&body)).await;
    reply.status
}

#[tokio::test]
async fn what_is_said_of_a_tenant_is_read_back() {
    for engine in engines() {
        let world = World::new(engine).await;
        let answered = made(&world, "acme:eu.1").await;
        let mut expected = tenant("acme:eu.1");
        expected["createdTime"] = json!("2026-01-02T03:04:05.678Z");
        assert_eq!(answered, expected);
        let target = "/v1/tenants/acme%3Aeu.1";
        let read = world.own("GET", target, None).await.expect(200).json();
        assert_eq!(read, expected);
        // What a client read can be sent back whole.
        let put = world.own("PUT", target, Some(&read)).await.expect(200);
        assert_eq!(put.json(), expected);
        // What is left out is not set any more.
        let put = world.own("PUT", target, Some(&json!({}))).await.expect(200);
        let bare = json!({"tenantId": "acme:eu.1", "createdTime": "2026-01-02T03:04:05.678Z"});
        assert_eq!(put.json(), bare);
        world.own("DELETE", target, None).await.expect(204);
        for (method, body) in [("GET", None), ("PUT", Some(&bare)), ("DELETE", None)] {
            let reply = world.own(method, target, body).await.expect(404);
            assert_eq!(reply.code(), "NotFound", "{method}");
        }
        let kinds = ["tenant.created", "tenant.updated", "tenant.deleted"];
        for (kind, count) in kinds.into_iter().zip([1, 2, 1]) {
            assert_eq!(world.count(kind).await, count, "{kind}");
        }
    }
}

#[tokio::test]
async fn a_tenant_has_a_made_id_or_one_that_is_free() {
    let world = World::new(Engine::Memory).await;
    for absent in [json!(""), Value::Null] {
        let body = json!({"tenantId": absent});
        let reply = world.own("POST", "/v1/tenants", Some(&body)).await;
        let id = reply.expect(201).json()["tenantId"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(id.starts_with("ten_") && id.len() == 20, "{id}");
    }
    made(&world, "acme").await;
    let again = world
        .own("POST", "/v1/tenants", Some(&tenant("acme")))
        .await;
    assert_eq!(again.expect(409).code(), "TenantAlreadyExists");
    let other = world
        .own("PUT", "/v1/tenants/acme", Some(&tenant("other")))
        .await;
    assert_eq!(other.expect(400).json()["path"], "tenantId");
    world
        .own("PUT", "/v1/tenants/other", Some(&tenant("other")))
        .await
        .expect(404);
}

#[tokio::test]
async fn what_a_tenant_cannot_have_is_refused_with_its_place() {
    let world = World::new(Engine::Memory).await;
    let domains: Vec<Value> = (0..11)
        .map(|n| json!({"domain": format!("d{n}")}))
        .collect();
    for (path, member, value) in [
        ("tenantId", "tenantId", json!("..")),
        ("tenantId", "tenantId", json!("a/b")),
        ("tenantId", "tenantId", json!("a".repeat(129))),
        (
            "tenantLookupIdentifier",
            "tenantLookupIdentifier",
            json!("a b"),
        ),
        ("data.name", "data", json!({"name": "a".repeat(65)})),
        (
            "domains[0].domain",
            "domains",
            json!([{"domain": "ACME.example"}]),
        ),
        ("domains", "domains", json!(domains)),
        (
            "connection.connectionId",
            "connection",
            json!({"connectionId": "a/b"}),
        ),
        (
            "tokenConfiguration.accessTokenDuration",
            "tokenConfiguration",
            json!({"accessTokenDuration": "PT59S"}),
        ),
        (
            "tokenConfiguration.accessTokenDuration",
            "tokenConfiguration",
            json!({"accessTokenDuration": "PT24H1S"}),
        ),
        (
            "tokenConfiguration.sessionDuration",
            "tokenConfiguration",
            json!({"sessionDuration": "P91D"}),
        ),
    ] {
        let mut body = tenant("acme");
        body[member] = value;
        let reply = world
            .own("POST", "/v1/tenants", Some(&body))
            .await
            .expect(400);
        assert_eq!(reply.json()["path"], path, "{}", reply.text);
    }
}

#[tokio::test]
async fn a_user_belongs_to_one_tenant() {
    for engine in engines() {
        let world = World::new(engine).await;
        made(&world, "acme").await;
        made(&world, "beta").await;
        let owner = world.owner.clone();
        assert_eq!(link(&world, &owner, "acme", "alice|1/2").await, 204);
        assert_eq!(
            tenant_of(&world, "alice|1/2").await.as_deref(),
            Some("acme")
        );
        let before = world.app.revision();
        assert_eq!(link(&world, &owner, "acme", "alice|1/2").await, 204);
        assert_eq!(world.app.revision(), before, "once more changes nothing");
        assert_eq!(link(&world, &owner, "beta", "alice|1/2").await, 204);
        assert_eq!(
            tenant_of(&world, "alice|1/2").await.as_deref(),
            Some("beta")
        );
        assert_eq!(link(&world, &owner, "gamma", "alice|1/2").await, 404);
        for machine in [world.owner_id.as_str(), "SC_x", "authress:x"] {
            assert_eq!(
                link(&world, &owner, "acme", machine).await,
                400,
                "{machine}"
            );
        }
        let bare = json!({});
        let reply = world
            .own("PATCH", "/v1/tenants/acme/users", Some(&bare))
            .await;
        assert_eq!(reply.expect(400).json()["path"], "userId");
        assert_eq!(world.count("tenant.user-linked").await, 2);
    }
}

#[tokio::test]
async fn users_of_a_deleted_tenant_do_not_belong_to_the_next_of_its_id() {
    let world = World::new(Engine::Memory).await;
    made(&world, "acme").await;
    let owner = world.owner.clone();
    assert_eq!(link(&world, &owner, "acme", "alice").await, 204);
    world
        .own("DELETE", "/v1/tenants/acme", None)
        .await
        .expect(204);
    assert_eq!(tenant_of(&world, "alice").await, None);
    made(&world, "acme").await;
    assert_eq!(tenant_of(&world, "alice").await, None);
    assert_eq!(link(&world, &owner, "acme", "alice").await, 204);
    assert_eq!(tenant_of(&world, "alice").await.as_deref(), Some("acme"));
}

#[tokio::test]
async fn nobody_takes_a_user_out_of_a_tenant_they_cannot_change() {
    let world = World::new(Engine::Memory).await;
    made(&world, "acme").await;
    made(&world, "beta").await;
    world
        .role("ro_update", &[("UPDATE", true, false, false)])
        .await;
    world
        .give(
            "rec_beta",
            "beth",
            &["ro_update"],
            &["Authress:Tenants/beta"],
        )
        .await;
    let owner = world.owner.clone();
    assert_eq!(link(&world, &owner, "acme", "alice").await, 204);
    let beth = world.token("beth");
    assert_eq!(link(&world, &beth, "beta", "carol").await, 204);
    let body = json!({"userId": "alice"});
    let refused = world
        .send(&beth, "PATCH", "/v1/tenants/beta/users", Some(&body))
        .await;
    // Which tenant the user is in is not for another customer to know.
    assert!(
        !refused.clone().expect(403).text.contains("acme"),
        "{}",
        refused.text
    );
    assert_eq!(tenant_of(&world, "alice").await.as_deref(), Some("acme"));
    world
        .give(
            "rec_both",
            "beth",
            &["ro_update"],
            &["Authress:Tenants/acme"],
        )
        .await;
    assert_eq!(link(&world, &beth, "beta", "alice").await, 204);
}

#[tokio::test]
async fn tenants_are_listed_in_pages_and_by_filter() {
    let world = World::new(Engine::Memory).await;
    for number in 0..5 {
        let mut body = tenant(&format!("t{number}"));
        body["domains"] = json!([{"domain": format!("d{number}.example")}]);
        world
            .own("POST", "/v1/tenants", Some(&body))
            .await
            .expect(201);
    }
    let ids = |page: &Value| -> Vec<String> {
        let tenants = page["tenants"].as_array().unwrap().iter();
        tenants
            .map(|one| one["tenantId"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = world
        .own("GET", "/v1/tenants?limit=3", None)
        .await
        .expect(200)
        .json();
    assert_eq!(ids(&first), ["t0", "t1", "t2"]);
    let cursor = first["pagination"]["next"]["cursor"].as_str().unwrap();
    let target = format!("/v1/tenants/?limit=3&cursor={cursor}");
    let second = world.own("GET", &target, None).await.expect(200).json();
    assert_eq!(ids(&second), ["t3", "t4"]);
    assert!(second.get("pagination").is_none());
    let found = world
        .own("GET", "/v1/tenants?filter=D3.EX", None)
        .await
        .expect(200);
    assert_eq!(ids(&found.json()), ["t3"]);
}

#[tokio::test]
async fn tenants_survive_a_restart() {
    let world = World::new(Engine::Embedded).await;
    let answered = made(&world, "acme").await;
    let owner = world.owner.clone();
    assert_eq!(link(&world, &owner, "acme", "alice").await, 204);
    let world = world.restart().await;
    let read = world.own("GET", "/v1/tenants/acme", None).await.expect(200);
    assert_eq!(read.json(), answered);
    assert_eq!(tenant_of(&world, "alice").await.as_deref(), Some("acme"));
}
