//! Who is not known, and what is not there: credentials that do not count, and what is not built.

use serde_json::json;

use crate::world::{Engine, World};

#[tokio::test]
async fn t01_credentials_count_only_in_the_authorization_header() {
    let world = World::new(Engine::Memory).await;
    let token = world.token("alice");
    for (header, status) in [
        (String::new(), 401),
        ("Authorization: Basic YTpi\r\n".to_owned(), 401),
        ("Authorization: Bearer\r\n".to_owned(), 401),
        ("Authorization: Bearer \r\n".to_owned(), 401),
        (format!("Cookie: authorization={token}\r\n"), 401),
        (format!("Authorization: bearer {token}\r\n"), 200),
    ] {
        let target = format!("/v1/accounts?access_token={token}");
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: h\r\n{header}Connection: close\r\n\r\n");
        let reply = world.raw(request.as_bytes()).await;
        assert_eq!(reply.status, status, "{header}");
    }
}

#[tokio::test]
async fn t24_of_two_authorization_lines_the_first_counts() {
    let world = World::new(Engine::Memory).await;
    let (alice, owner) = (world.token("alice"), world.owner.clone());
    let target = crate::world::check("alice", "projects/42", "documents:read");
    let send = |first: String, second: String| {
        format!(
            "GET {target} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {first}\r\n\
             Authorization: Bearer {second}\r\nConnection: close\r\n\r\n"
        )
    };
    let user_first = send(alice.clone(), owner.clone());
    world.raw(user_first.as_bytes()).await.expect(200);
    let bad_first = send("bad".to_owned(), owner.clone());
    world.raw(bad_first.as_bytes()).await.expect(401);
    let good_first = send(owner, "bad".to_owned());
    world.raw(good_first.as_bytes()).await.expect(200);
}

#[tokio::test]
async fn what_is_not_built_says_so() {
    let world = World::new(Engine::Memory).await;
    for (method, target) in [
        ("GET", "/v1/connections/con_1/users/u/credentials"),
        ("POST", "/v1/applications/app_1/users/u/delegation"),
        ("POST", "/api/authentication"),
        ("PATCH", "/api/session"),
        ("GET", "/?client_id=ext_1&code_challenge=x"),
    ] {
        let reply = world.own(method, target, None).await.expect(501);
        assert_eq!(reply.code(), "NotImplemented");
    }
    for target in ["/", "/v2/invites", "/v1", "/V1/invites", "/v1/nothing"] {
        world.own("GET", target, None).await.expect(404);
    }
    let reply = world.own("PUT", "/v1/invites", None).await.expect(405);
    assert_eq!(reply.header("allow").as_deref(), Some("GET, HEAD, POST"));
}

#[tokio::test]
async fn development_tokens_exist_only_in_development() {
    let world = World::with(Engine::Memory, |settings| settings.development = false).await;
    let body = json!({"userId": "alice"});
    world
        .send("", "POST", "/v1/dev/tokens", Some(&body))
        .await
        .expect(404);
    let world = World::new(Engine::Memory).await;
    let reply = world
        .send("", "POST", "/v1/dev/tokens", Some(&body))
        .await
        .expect(200)
        .json();
    assert!(reply["expiresIn"].as_i64().unwrap() > 0);
    let token = reply["accessToken"].as_str().unwrap();
    world
        .send(token, "GET", "/v1/accounts", None)
        .await
        .expect(200);
    for reserved in ["sc_x", "SC_x", "Authress:Service", "authress:x", "", "a\nb"] {
        let body = json!({"userId": reserved});
        world
            .send("", "POST", "/v1/dev/tokens", Some(&body))
            .await
            .expect(400);
    }
}
