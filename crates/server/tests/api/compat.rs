//! What unmodified SDKs rely on: shapes, statuses, header fields, aliases and switches (contract §10).

use serde_json::{Value, json};

use crate::world::{Engine, Reply, World, invite_of, record_of};

const JAVASCRIPT: &str = "Authress SDK; Javascript; 3.2.5; app";
const PYTHON: &str = "Authress SDK; Python; 3.1.112; app";
const RUST: &str = "Authress SDK; Rust; ;";
const TERRAFORM: &str = "Authress SDK; Terraform; 1.0;";
const KOTLIN: &str = "Authress SDK; Kotlin; ;";
const TYPED: &str = "application/links+json";

/// A world with one of everything.
async fn furnished() -> World {
    let world = World::new(Engine::Memory).await;
    let group = json!({"groupId": "grp_1", "name": "Group", "users": [{"userId": "bob"}],
        "admins": [{"userId": "erin"}], "tags": {"a": "b"}});
    world
        .own("POST", "/v1/groups", Some(&group))
        .await
        .expect(201);
    let mut record = record_of("rec_1", "bob", &["ro_viewer"], &["projects/42"]);
    record["description"] = json!("About");
    record["tags"] = json!({"a": "b"});
    record["groups"] = json!([{"groupId": "grp_1"}]);
    record["admins"] = json!([{"userId": "erin"}]);
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    world
        .give(
            "rec_2",
            "bob",
            &["ro_editor"],
            &["projects/42/a", "projects/43"],
        )
        .await;
    world
}

/// An answer with what SDKs see of it.
fn seen(reply: &Reply) -> Value {
    json!({"status": reply.status, "contentType": reply.header("content-type"),
        "cacheControl": reply.header("cache-control"), "body": reply.json()})
}

/// What is asked in the snapshot of whole answers, in this order.
fn asked() -> Vec<(&'static str, &'static str, Option<Value>)> {
    vec![
        ("GET", "/v1/records/rec_1", None),
        ("GET", "/v1/records?limit=1", None),
        (
            "PUT",
            "/v1/records/rec_2",
            Some(record_of("rec_2", "bob", &["ro_editor"], &["projects/43"])),
        ),
        ("DELETE", "/v1/records/rec_2", None),
        ("GET", "/v1/records?status=DELETED", None),
        ("GET", "/v1/groups/grp_1", None),
        ("GET", "/v1/groups", None),
        (
            "PUT",
            "/v1/groups/grp_1",
            Some(json!({"name": "Group", "users": [{"userId": "bob"}], "admins": []})),
        ),
        ("GET", "/v1/roles?limit=1", None),
        ("GET", "/v1/roles/Authress:Owner", None),
        ("GET", "/v1/roles/ro_editor", None),
        (
            "POST",
            "/v1/roles",
            Some(json!({"name": "New", "permissions": []})),
        ),
        ("POST", "/v1/clients", Some(json!({"name": "New"}))),
        ("GET", "/v1/clients?limit=1", None),
        ("GET", "/v1/accounts", None),
        ("GET", "/v1/identities", None),
        (
            "POST",
            "/v1/invites",
            Some(invite_of(&["ro_viewer"], &["projects/42"])),
        ),
        (
            "GET",
            "/v1/users/bob/resources/projects%2F42/permissions/documents:read",
            None,
        ),
        (
            "GET",
            "/v1/users/bob/resources/projects%2F42/permissions",
            None,
        ),
        ("GET", "/v1/users/bob/resources/projects%2F42/roles", None),
        ("GET", "/v1/users/bob/resources?resourceUri=projects", None),
        ("GET", "/v1/resources/projects%2F42/users?limit=1", None),
        (
            "GET",
            "/v1/users/bob/resources/elsewhere/permissions/documents:read",
            None,
        ),
        ("GET", "/v1/records/rec_none", None),
        (
            "POST",
            "/v1/records",
            Some(json!({"name": "n", "statements": [{"roles": [7], "resources": []}]})),
        ),
        (
            "POST",
            "/v1/tenants",
            Some(json!({"tenantId": "acme", "data": {"name": "Acme"}, "domains": []})),
        ),
        ("GET", "/v1/tenants", None),
        ("PATCH", "/api/session", None),
        ("GET", "/nothing", None),
    ]
}

#[tokio::test]
async fn whole_answers() {
    let world = furnished().await;
    let owner = world.owner_id.clone();
    let mut answers = serde_json::Map::new();
    for (method, target, body) in asked() {
        // A request id of the caller's own, so that an errorId is known.
        let header = [("X-Request-Id", "req-1")];
        let credential = &world.owner;
        let reply = world
            .send_with(credential, method, target, &header, body.as_ref())
            .await;
        let name = format!("{method} {target}").replace(&owner, "{owner}");
        answers.insert(name, seen(&reply));
    }
    insta::assert_json_snapshot!("whole_answers", answers);
}

#[tokio::test]
async fn a_key_and_its_client_are_answered_whole() {
    let world = furnished().await;
    let made = world
        .own("POST", "/v1/clients", Some(&json!({"name": "New"})))
        .await
        .expect(201);
    let id = made.json()["clientId"].as_str().unwrap().to_owned();
    let keys = format!("/v1/clients/{id}/access-keys");
    let handed =
        json!({"publicKey": "MCowBQYDK2VwAyEAipXT25p9XHZoFLinuJC03/RTWAcYjd3/kklS7JWlauk="});
    let first = world.own("POST", &keys, None).await;
    let second = world.own("POST", &keys, Some(&handed)).await;
    let client = world.own("GET", &format!("/v1/clients/{id}"), None).await;
    let answers = [&made, &first, &second, &client].map(seen);
    insta::assert_json_snapshot!("key_and_client", answers);
}

/// A request by the owner under a `User-Agent`.
async fn by(world: &World, agent: &str, method: &str, target: &str, body: Option<&Value>) -> Reply {
    let header = [("User-Agent", agent)];
    world
        .send_with(&world.owner, method, target, &header, body)
        .await
}

#[tokio::test]
async fn the_three_switches_by_user_agent() {
    let world = furnished().await;
    for (number, agent) in [JAVASCRIPT, PYTHON, RUST, TERRAFORM, KOTLIN, "curl/8", ""]
        .into_iter()
        .enumerate()
    {
        let role = json!({"roleId": format!("ro_new{number}"), "name": "n", "permissions": []});
        let made = by(&world, agent, "POST", "/v1/roles", Some(&role)).await;
        assert_eq!(
            made.status,
            if agent == TERRAFORM { 200 } else { 201 },
            "{agent}"
        );
        let accounts = by(&world, agent, "GET", "/v1/accounts", None)
            .await
            .expect(200)
            .json();
        assert_eq!(
            accounts["accounts"].is_array(),
            agent == JAVASCRIPT,
            "{agent}"
        );
        let invite = world
            .invite(
                &world.token("alice"),
                &invite_of(&["ro_viewer"], &["projects/42"]),
            )
            .await;
        let header = [("User-Agent", agent)];
        let target = format!("/v1/invites/{invite}");
        let token = world.token("carol");
        let accepted = world
            .send_with(&token, "PATCH", &target, &header, None)
            .await
            .expect(200);
        assert_eq!(accepted.header("content-type").unwrap(), TYPED);
        if agent == RUST {
            assert_eq!(accepted.text, "null");
        } else {
            assert_eq!(
                accepted.json()["accountId"],
                crate::world::ACCOUNT,
                "{agent}"
            );
        }
    }
}

#[tokio::test]
async fn a_slash_behind_a_collection_and_post_for_put_are_understood() {
    let world = furnished().await;
    for collection in [
        "records",
        "groups",
        "roles",
        "clients",
        "accounts",
        "identities",
        "tenants",
    ] {
        let with = world
            .own("GET", &format!("/v1/{collection}/"), None)
            .await
            .expect(200);
        let without = world
            .own("GET", &format!("/v1/{collection}"), None)
            .await
            .expect(200);
        assert_eq!(with.json(), without.json(), "{collection}");
    }
    let record = record_of("rec_1", "carol", &["ro_viewer"], &["projects/42"]);
    let updated = world
        .own("POST", "/v1/records/rec_1", Some(&record))
        .await
        .expect(202);
    assert_eq!(
        (updated.text.as_str(), updated.header("content-type")),
        ("", None)
    );
    assert!(world.may("carol", "projects/42", "documents:read").await);
    let group = json!({"name": "n", "users": [], "admins": []});
    let updated = world
        .own("POST", "/v1/groups/grp_1", Some(&group))
        .await
        .expect(200);
    assert_eq!(updated.json()["name"], "n");
    // Roles and clients are updated with PUT alone; HEAD goes wherever GET does.
    for (target, allow) in [
        ("/v1/roles/ro_editor", "GET, HEAD, PUT, DELETE"),
        ("/v1/clients/sc_1", "GET, HEAD, PUT, DELETE"),
    ] {
        let reply = world.own("POST", target, Some(&group)).await.expect(405);
        assert_eq!(reply.header("allow").unwrap(), allow, "{target}");
        assert_eq!(reply.code(), "MethodNotAllowed");
    }
    for (target, allow) in [
        ("/v1/records", "GET, HEAD, POST"),
        ("/v1/records/rec_1", "GET, HEAD, POST, PUT, DELETE"),
        ("/v1/invites", "GET, HEAD, POST"),
        ("/v1/invites/x", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/v1/accounts", "GET, HEAD"),
        ("/v1/users/u/resources", "GET, HEAD"),
        ("/v1/resources/p/users", "GET, HEAD"),
        ("/v1/clients/sc_1/access-keys", "POST"),
    ] {
        let reply = world.own("OPTIONS", target, None).await.expect(405);
        assert_eq!(reply.header("allow").unwrap(), allow, "{target}");
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let world = furnished().await;
    for target in [
        "/v1/records/rec_1",
        "/v1/records",
        "/v1/records/rec_none",
        "/v1/users/bob/resources/projects%2F42/permissions/documents:read",
        "/healthz",
    ] {
        let get = world.own("GET", target, None).await;
        let head = world.own("HEAD", target, None).await;
        assert_eq!(head.status, get.status, "{target}");
        assert_eq!(head.text, "", "{target}");
        for name in ["content-type", "content-length", "guestlist-revision"] {
            assert_eq!(head.header(name), get.header(name), "{target} {name}");
        }
    }
}

#[tokio::test]
async fn every_typed_answer_says_it_is_json_and_every_refusal_is_a_problem() {
    let world = furnished().await;
    for (method, target, status, kind) in [
        ("GET", "/v1/records", 200, Some(TYPED)),
        (
            "GET",
            "/v1/users/bob/resources/projects%2F42/permissions/documents:read",
            200,
            Some(TYPED),
        ),
        (
            "GET",
            "/.well-known/openid-configuration",
            200,
            Some("application/json"),
        ),
        ("DELETE", "/v1/records/rec_2", 204, None),
        (
            "GET",
            "/v1/records/rec_none",
            404,
            Some("application/problem+json"),
        ),
        ("GET", "/api/session", 501, Some("application/problem+json")),
        (
            "POST",
            "/v1/accounts",
            405,
            Some("application/problem+json"),
        ),
        (
            "GET",
            "/v1/records/%zz",
            400,
            Some("application/problem+json"),
        ),
    ] {
        // What SDKs ask for is never a reason to refuse.
        for accept in ["*/*", TYPED, "text/html"] {
            if status == 204 && accept != "*/*" {
                continue;
            }
            let header = [("Accept", accept)];
            let reply = world
                .send_with(&world.owner, method, target, &header, None)
                .await;
            let reply = reply.expect(status);
            assert_eq!(
                reply.header("content-type").as_deref(),
                kind,
                "{method} {target}"
            );
            assert_eq!(
                reply.header("cache-control").unwrap(),
                "no-store",
                "{method} {target}"
            );
            if status >= 400 {
                let problem = reply.json();
                for member in ["title", "errorCode", "errorId", "type"] {
                    assert!(problem[member].is_string(), "{target} {member}");
                }
                assert_eq!(problem["status"], status);
                assert_eq!(problem["type"], format!("/problems/{}", reply.code()));
            }
        }
    }
}

#[tokio::test]
async fn a_body_counts_whatever_its_type_says() {
    let world = furnished().await;
    let record = record_of("rec_new", "u", &["ro_viewer"], &["p/1"]);
    for (number, kind) in [
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        let mut record = record.clone();
        record["recordId"] = json!(format!("rec_new{number}"));
        let header: &[(&str, &str)] = if kind.is_empty() {
            &[]
        } else {
            &[("Content-Type", kind)]
        };
        let reply = world
            .send_with(&world.owner, "POST", "/v1/records", header, Some(&record))
            .await;
        reply.expect(201);
        // A type without a body, as on every GET of one SDK.
        let reply = world
            .send_with(&world.owner, "GET", "/v1/records/rec_1", header, None)
            .await;
        reply.expect(200);
        let keys = format!("/v1/clients/{}/access-keys", world.owner_id);
        world
            .send_with(&world.owner, "POST", &keys, header, None)
            .await
            .expect(201);
    }
    // Members that nobody knows are ignored, wherever they are.
    let mut odd = record.clone();
    odd["surplus"] = json!({"a": [1]});
    odd["statements"][0]["surplus"] = json!(true);
    odd["users"][0]["surplus"] = Value::Null;
    let made = world
        .own("POST", "/v1/records", Some(&odd))
        .await
        .expect(201)
        .json();
    assert!(!made.to_string().contains("surplus"));
    let unknown = "/v1/records?surplus=1&surplus=2&earliestCacheTime=x";
    world.own("GET", unknown, None).await.expect(200);
    for none in [None, Some(Value::Null)] {
        for target in [
            "/v1/records",
            "/v1/groups",
            "/v1/roles",
            "/v1/identities",
            "/v1/invites",
        ] {
            let reply = world.own("POST", target, none.as_ref()).await.expect(400);
            assert_eq!(reply.code(), "InvalidRequest", "{target}");
        }
    }
    for text in ["[]", "7", "\"x\"", "{", "{\"name\":\"a\",\"name\":\"b\"}"] {
        let length = text.len();
        let request = format!(
            "POST /v1/records HTTP/1.1\r\nHost: guestlist.test\r\nAuthorization: Bearer {}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{text}",
            world.owner
        );
        let reply = world.raw(request.as_bytes()).await.expect(400);
        assert_eq!(reply.code(), "InvalidRequest", "{text}");
    }
}

/// All `lastUpdated` that an object is answered with, change after change.
async fn times(world: &World, target: &str, body: &Value) -> Vec<String> {
    let mut times = Vec::new();
    for _ in 0..20 {
        world.own("PUT", target, Some(body)).await;
        let read = world.own("GET", target, None).await.expect(200).json();
        times.push(read["lastUpdated"].as_str().unwrap().to_owned());
    }
    times
}

#[tokio::test]
async fn last_updated_has_milliseconds_and_always_grows() {
    let world = furnished().await;
    let record = record_of("rec_1", "bob", &["ro_viewer"], &["p/1"]);
    let group = json!({"name": "n", "users": [], "admins": []});
    for (target, body) in [("/v1/records/rec_1", &record), ("/v1/groups/grp_1", &group)] {
        // The clock stands still; then it is set back.
        let mut all = times(&world, target, body).await;
        world.clock.advance(-60_000);
        all.extend(times(&world, target, body).await);
        world.clock.advance(120_000);
        all.extend(times(&world, target, body).await);
        world.clock.advance(-60_000);
        assert!(all.is_sorted_by(|one, other| one < other), "{all:?}");
        for time in &all {
            let shape: String = time
                .chars()
                .map(|character| {
                    if character.is_ascii_digit() {
                        '0'
                    } else {
                        character
                    }
                })
                .collect();
            assert_eq!(shape, "0000-00-00T00:00:00.000Z");
        }
        assert_eq!(
            all.last().unwrap(),
            "2026-01-02T03:05:05.697Z",
            "the clock leads when it can"
        );
    }
}

#[tokio::test]
async fn links_are_absolute_and_lead_to_the_same() {
    let world = World::with(Engine::Memory, |settings| {
        settings.public_url = "https://auth.example.com".to_owned();
    })
    .await;
    world
        .give("rec_A:1|~", "bob", &["ro_viewer"], &["p/1"])
        .await;
    let group = json!({"groupId": "grp_1", "name": "n", "users": [], "admins": []});
    world
        .own("POST", "/v1/groups", Some(&group))
        .await
        .expect(201);
    for target in [
        "/v1/records/rec_A:1%7C~",
        "/v1/records?filter=a+b%2Fc%26limit%3D1&status=ACTIVE&limit=2",
        "/v1/groups/grp_1",
        "/v1/groups",
        "/v1/roles?limit=2",
        "/v1/clients",
        "/v1/accounts/acc-world",
        "/v1/users/a%2Fb%20c/resources?resourceUri=p%2F%2A&collectionConfiguration=INCLUDE_NESTED",
        "/v1/resources/p%2F1%2F%2A/users?limit=3",
    ] {
        let first = world.own("GET", target, None).await.expect(200).json();
        let own = first["links"]["self"]["href"].as_str().unwrap();
        let path = own.strip_prefix("https://auth.example.com").unwrap();
        let second = world.own("GET", path, None).await.expect(200).json();
        assert_eq!(second, first, "{target} {own}");
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_a_revision() {
    let world = furnished().await;
    let owner = world.owner.clone();
    let revision = world.app.revision();
    for (credential, target, status) in [
        (owner.as_str(), "/v1/records", 200),
        (owner.as_str(), "/v1/records/rec_none", 404),
        ("", "/v1/records", 401),
        ("", "/healthz", 200),
        ("", "/nothing", 404),
        ("", "/v1/records//x", 400),
    ] {
        let header = [("X-Request-Id", "my-id_1:2.3")];
        let own = world
            .send_with(credential, "GET", target, &header, None)
            .await
            .expect(status);
        assert_eq!(
            own.header("x-request-id").unwrap(),
            "my-id_1:2.3",
            "{target}"
        );
        let first = world
            .send(credential, "GET", target, None)
            .await
            .expect(status);
        let second = world
            .send(credential, "GET", target, None)
            .await
            .expect(status);
        let ids = [&first, &second].map(|reply| reply.header("x-request-id").unwrap());
        assert_ne!(ids[0], ids[1]);
        if status >= 400 {
            assert_eq!(first.json()["errorId"], json!(ids[0]));
        }
        assert_eq!(
            first.header("guestlist-revision").unwrap(),
            revision.to_string()
        );
        // One that could forge a line of a log is not taken.
        for unsafe_id in ["a b", "\u{e4}", &"a".repeat(65)] {
            let header = [("X-Request-Id", unsafe_id)];
            let reply = world
                .send_with(credential, "GET", target, &header, None)
                .await;
            assert_ne!(reply.header("x-request-id").unwrap(), unsafe_id);
        }
    }
    // A change is in the revision its answer tells.
    let record = record_of("rec_new", "u", &["ro_viewer"], &["p/1"]);
    let made = world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
    assert_eq!(
        made.header("guestlist-revision").unwrap(),
        (revision.0 + 1).to_string()
    );
    // The event names the request that made it.
    let header = [("X-Request-Id", "req-77")];
    world
        .send_with(&owner, "DELETE", "/v1/records/rec_new", &header, None)
        .await
        .expect(204);
    let events = world.events().await;
    assert_eq!(events.last().unwrap()["requestId"], "req-77");
    assert_eq!(events.last().unwrap()["actor"], json!(world.owner_id));
}

async fn with_origin() -> World {
    World::with(Engine::Memory, |settings| {
        settings.allowed_origins = vec!["https://app.example.com".to_owned()];
    })
    .await
}

#[tokio::test]
async fn pages_of_listed_origins_are_told_what_they_may_send() {
    let world = with_origin().await;
    let preflight = async |origin: &str, target: &str| {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "PUT"),
            (
                "Access-Control-Request-Headers",
                "authorization,if-unmodified-since",
            ),
        ];
        world.send_with("", "OPTIONS", target, &headers, None).await
    };
    for target in ["/v1/records/rec_1", "/v1/invites", "/v1/users/u/resources"] {
        let reply = preflight("https://app.example.com", target)
            .await
            .expect(204);
        assert_eq!(
            reply.header("access-control-allow-origin").unwrap(),
            "https://app.example.com"
        );
        let methods = reply.header("access-control-allow-methods").unwrap();
        let headers = reply
            .header("access-control-allow-headers")
            .unwrap()
            .to_lowercase();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            assert!(methods.contains(method), "{method}");
        }
        for header in [
            "authorization",
            "content-type",
            "if-unmodified-since",
            "x-powered-by",
            "idempotency-key",
        ] {
            assert!(headers.contains(header), "{header}");
        }
        let other = preflight("https://evil.example.com", target)
            .await
            .expect(204);
        assert!(other.header("access-control-allow-origin").is_none());
    }
}

#[tokio::test]
async fn pages_of_listed_origins_may_call_and_no_others() {
    let world = with_origin().await;
    let owner = world.owner.clone();
    for (origin, allowed) in [
        ("https://app.example.com", true),
        ("https://evil.example.com", false),
        ("null", false),
    ] {
        for (credential, target) in [
            (owner.as_str(), "/v1/records"),
            ("", "/v1/records"),
            ("", "/nothing"),
        ] {
            let reply = world
                .send_with(credential, "GET", target, &[("Origin", origin)], None)
                .await;
            let told = reply.header("access-control-allow-origin");
            assert_eq!(
                told.as_deref(),
                allowed.then_some(origin),
                "{origin} {target}"
            );
            assert_eq!(reply.header("vary").unwrap(), "Origin");
            if allowed {
                let exposed = reply.header("access-control-expose-headers").unwrap();
                assert!(exposed.contains("Guestlist-Revision") && exposed.contains("X-Request-Id"));
            }
        }
    }
}
