//! Tokens that service clients make for users: who makes them, what they say, what they let their
//! bearer do, and how they end.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guestlist_server::jwks::Keys;
use guestlist_server::tokens::{Policy, Unverified};
use serde_json::{Value, json};

use crate::world::{ACCOUNT, Engine, START, World, check, engines, invite_of, statement};

const DAY: i64 = 24 * 60 * 60;
const PUBLIC_URL: &str = "http://guestlist.test";

/// A service client with options and a key.
async fn client(world: &World, options: &Value) -> (String, String) {
    let body = json!({"name": "Maker", "options": options});
    let made = world
        .own("POST", "/v1/clients", Some(&body))
        .await
        .expect(201);
    let id = made.json()["clientId"].as_str().unwrap().to_owned();
    let keys = format!("/v1/clients/{id}/access-keys");
    let key = world.own("POST", &keys, None).await.expect(201).json();
    (id, key["accessKey"].as_str().unwrap().to_owned())
}

async fn maker(world: &World) -> (String, String) {
    client(world, &json!({"grantTokenGeneration": true})).await
}

/// Ann may read and write `projects/42`; with this token her bearer may read `projects/42/docs`.
fn narrow() -> Value {
    json!({"statements": [statement(&["ro_viewer"], &["projects/42/docs"])]})
}

/// All that a user has.
fn wide() -> Value {
    json!({"statements": [statement(&["Authress:Owner"], &["*"])]})
}

/// A world in which Ann is an editor of a project.
async fn world(engine: Engine) -> World {
    let world = World::new(engine).await;
    world
        .give("rec_ann", "ann", &["ro_editor"], &["projects/42"])
        .await;
    world
}

/// Makes a token: its id and itself.
async fn made(world: &World, key: &str, user: &str, body: &Value) -> (String, String) {
    let target = format!("/v1/users/{user}/tokens");
    let made = world
        .send(key, "POST", &target, Some(body))
        .await
        .expect(201)
        .json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    assert_eq!(made["userId"], user);
    assert_eq!(made["account"]["accountId"], ACCOUNT);
    (text("tokenId"), text("token"))
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// What a check by the bearer of a token comes to.
async fn asks(world: &World, token: &str, resource: &str, action: &str) -> u16 {
    let target = check("ann", resource, action);
    world.send(token, "GET", &target, None).await.status
}

#[tokio::test]
async fn only_service_clients_to_whom_it_was_given_make_tokens() {
    let world = world(Engine::Memory).await;
    let (_, plain) = client(&world, &json!({"grantUserPermissionsAccess": true})).await;
    let (_, key) = maker(&world).await;
    let target = "/v1/users/ann/tokens";
    let ann = world.token("ann");
    for (who, credential, status) in [
        ("nobody", "", 401),
        ("a stranger", &world.token("mallory"), 403),
        ("the user", &ann, 403),
        ("the owner", &world.owner, 403),
        ("a client without the option", &plain, 403),
        ("a client with it", &key, 201),
    ] {
        let before = world.app.revision();
        let reply = world
            .send(credential, "POST", target, Some(&narrow()))
            .await;
        assert_eq!(reply.status, status, "{who}: {}", reply.text);
        assert_eq!(world.app.revision() == before, status != 201, "{who}");
        if status == 403 {
            assert!(
                reply.text.contains("grantTokenGeneration"),
                "{}",
                reply.text
            );
        }
    }
    // It is taken away with the option, from the next request on.
    let (id, key) = maker(&world).await;
    world
        .own("PUT", &format!("/v1/clients/{id}"), Some(&json!({})))
        .await
        .expect(200);
    world
        .send(&key, "POST", target, Some(&narrow()))
        .await
        .expect(403);
    // Nobody speaks for a machine or for the server.
    let (id, key) = maker(&world).await;
    for user in [id.as_str(), "SC_1", "Authress:Service", "authress:x"] {
        let target = format!("/v1/users/{user}/tokens");
        let refused = world
            .send(&key, "POST", &target, Some(&narrow()))
            .await
            .expect(400);
        assert_eq!(refused.json()["path"], "userId", "{user}");
    }
}

#[tokio::test]
async fn a_token_says_whose_it_is_and_its_key_is_in_the_key_set() {
    let world = world(Engine::Memory).await;
    let (maker, key) = maker(&world).await;
    let (id, token) = made(&world, &key, "ann", &narrow()).await;
    let seconds = START / 1000;
    assert_eq!(
        claims(&token),
        json!({
            "iss": PUBLIC_URL,
            "sub": "ann",
            "aud": PUBLIC_URL,
            "iat": seconds,
            "exp": seconds + DAY,
            "jti": id,
            "client_id": maker,
            "scope": "openid",
            "statements": narrow()["statements"],
        })
    );
    let set = world
        .send("", "GET", "/.well-known/openid-configuration/jwks", None)
        .await;
    let keys = Keys::read(set.expect(200).text.as_bytes(), &mut |_| ()).unwrap();
    let read = Unverified::read(&token).unwrap();
    let policy = Policy {
        issuer: PUBLIC_URL,
        audiences: None,
        longest_life: DAY * 1000,
    };
    let key = keys.get(read.key_id()).unwrap();
    assert_eq!(
        read.verify(key, &policy, world.clock.now())
            .unwrap()
            .subject(),
        "ann"
    );
    // What is told in an answer is written nowhere.
    for event in world.events().await {
        assert!(!event.to_string().contains(&token), "{event}");
    }
}

#[tokio::test]
async fn a_limited_token_asks_within_its_statements_and_does_nothing_else() {
    for engine in engines() {
        let world = world(engine).await;
        let (_, key) = maker(&world).await;
        let (_, token) = made(&world, &key, "ann", &narrow()).await;
        for (resource, action, status) in [
            ("projects/42/docs", "documents:read", 200),
            ("projects/42/docs/1", "documents:read", 200),
            // Ann may, but the token is not for that.
            ("projects/42/docs", "documents:write", 404),
            ("projects/42", "documents:read", 404),
            ("projects/42/*", "documents:read", 404),
            ("projects/43", "documents:read", 404),
        ] {
            assert_eq!(
                asks(&world, &token, resource, action).await,
                status,
                "{resource} {action}"
            );
        }
        assert!(world.may("ann", "projects/42", "documents:write").await);
        // Of others it learns nothing, and reasons neither.
        let other = check("bob", "projects/42/docs", "documents:read");
        world.send(&token, "GET", &other, None).await.expect(403);
        let why = format!(
            "{}?explain=true",
            check("ann", "projects/42/docs", "documents:read")
        );
        world.send(&token, "GET", &why, None).await.expect(403);
        let before = world.app.revision();
        let group = json!({"name": "n", "users": [], "admins": []});
        for (method, target, body) in [
            ("GET", "/v1/accounts", None),
            ("GET", "/v1/records", None),
            ("GET", "/v1/users/ann/resources", None),
            (
                "GET",
                "/v1/users/ann/resources/projects%2F42/permissions",
                None,
            ),
            ("GET", "/v1/users/ann/resources/projects%2F42/roles", None),
            ("GET", "/v1/resources/projects%2F42/users", None),
            ("GET", "/v1/events", None),
            ("POST", "/v1/groups", Some(&group)),
            (
                "POST",
                "/v1/invites",
                Some(&invite_of(&["ro_viewer"], &["projects/42/docs"])),
            ),
            ("POST", "/v1/users/ann/tokens", Some(&narrow())),
            ("DELETE", "/v1/users/ann/tokens/tok_1", None),
        ] {
            let refused = world.send(&token, method, target, body).await.expect(403);
            assert!(
                refused.text.contains("not limited to statements"),
                "{}",
                refused.text
            );
        }
        let owner = world.owner.clone();
        let invite = world
            .invite(&owner, &invite_of(&["ro_viewer"], &["x"]))
            .await;
        let after = world.app.revision();
        world
            .send(&token, "PATCH", &format!("/v1/invites/{invite}"), None)
            .await
            .expect(403);
        assert!(before.0 + 1 == after.0 && world.app.revision() == after);
    }
}

#[tokio::test]
async fn a_limited_token_of_an_owner_administers_nothing() {
    let world = world(Engine::Memory).await;
    world
        .give("rec_root", "root", &["Authress:Owner"], &["*"])
        .await;
    let (_, key) = maker(&world).await;
    let almost = json!({"statements": [
        statement(&["Authress:Owner"], &["Authress:*", "projects"]),
        statement(&["ro_editor"], &["*"]),
    ]});
    let (_, token) = made(&world, &key, "root", &almost).await;
    world
        .send(&token, "GET", "/v1/records", None)
        .await
        .expect(403);
    world
        .send(&token, "DELETE", "/v1/records/rec_ann", None)
        .await
        .expect(403);
    let own = check("root", "projects/1", "anything");
    world.send(&token, "GET", &own, None).await.expect(200);
}

#[tokio::test]
async fn a_token_follows_what_its_user_and_its_roles_have_now() {
    let world = world(Engine::Memory).await;
    world
        .role("ro_own", &[("documents:read", true, false, false)])
        .await;
    let (_, key) = maker(&world).await;
    let body = json!({"statements": [statement(&["ro_own"], &["projects/42"])]});
    let (_, token) = made(&world, &key, "ann", &body).await;
    assert_eq!(
        asks(&world, &token, "projects/42", "documents:read").await,
        200
    );
    let other = json!({"name": "n", "permissions":
        [{"action": "documents:write", "allow": true, "grant": false, "delegate": false}]});
    world
        .own("PUT", "/v1/roles/ro_own", Some(&other))
        .await
        .expect(200);
    assert_eq!(
        asks(&world, &token, "projects/42", "documents:read").await,
        404
    );
    assert_eq!(
        asks(&world, &token, "projects/42", "documents:write").await,
        200
    );
    world
        .own("DELETE", "/v1/records/rec_ann", None)
        .await
        .expect(204);
    assert_eq!(
        asks(&world, &token, "projects/42", "documents:write").await,
        404
    );
    // A role that is not there could be made later to mean anything.
    let unknown = json!({"statements": [statement(&["ro_own"], &["a"]), statement(&["ro_own", "ro_none"], &["a"])]});
    let target = "/v1/users/ann/tokens";
    let refused = world
        .send(&key, "POST", target, Some(&unknown))
        .await
        .expect(400);
    assert_eq!(refused.json()["path"], "statements[1].roles[1]");
}

#[tokio::test]
async fn a_token_with_everything_is_as_good_as_one_of_the_users_own() {
    let world = world(Engine::Memory).await;
    let (_, key) = maker(&world).await;
    let (_, token) = made(&world, &key, "carol", &wide()).await;
    let owner = world.owner.clone();
    let invite = world
        .invite(&owner, &invite_of(&["ro_viewer"], &["projects/7"]))
        .await;
    world
        .send(&token, "PATCH", &format!("/v1/invites/{invite}"), None)
        .await
        .expect(200);
    assert!(world.may("carol", "projects/7", "documents:read").await);
    world
        .send(&token, "GET", "/v1/users/carol/resources", None)
        .await
        .expect(200);
    // And no better: it gives what the user has, not what it says.
    world
        .send(&token, "GET", "/v1/events", None)
        .await
        .expect(403);
    let made = world
        .send(&token, "POST", "/v1/users/carol/tokens", Some(&narrow()))
        .await;
    made.expect(403);
}

#[tokio::test]
async fn a_token_is_disabled_by_those_whom_it_concerns_and_is_refused_at_once() {
    for engine in engines() {
        let world = world(engine).await;
        let (_, key) = maker(&world).await;
        let (_, other_maker) = maker(&world).await;
        world
            .role("ro_update", &[("UPDATE", true, false, false)])
            .await;
        world
            .give(
                "rec_admin",
                "admin",
                &["ro_update"],
                &["Authress:Users/ann"],
            )
            .await;
        let (_, kept) = made(&world, &key, "ann", &narrow()).await;
        let (ann, admin) = (world.token("ann"), world.token("admin"));
        for good in [&key, &ann, &admin, &world.owner] {
            let (id, token) = made(&world, &key, "ann", &narrow()).await;
            // Remembered, so that forgetting is what is tested.
            for _ in 0..2 {
                assert_eq!(
                    asks(&world, &token, "projects/42/docs", "documents:read").await,
                    200
                );
            }
            let target = format!("/v1/users/ann/tokens/{id}");
            for bad in [&world.token("mallory"), &other_maker] {
                world.send(bad, "DELETE", &target, None).await.expect(404);
            }
            world.send("", "DELETE", &target, None).await.expect(401);
            // Under another user's name it is not there.
            let wrong = format!("/v1/users/bob/tokens/{id}");
            world.own("DELETE", &wrong, None).await.expect(404);
            assert_eq!(
                asks(&world, &token, "projects/42/docs", "documents:read").await,
                200
            );
            world.send(good, "DELETE", &target, None).await.expect(204);
            assert_eq!(
                asks(&world, &token, "projects/42/docs", "documents:read").await,
                401
            );
            world.own("DELETE", &target, None).await.expect(404);
        }
        assert_eq!(
            asks(&world, &kept, "projects/42/docs", "documents:read").await,
            200
        );
        assert_eq!(world.count("user.token-disabled").await, 4);
    }
}

#[tokio::test]
async fn a_token_ends_with_the_client_that_made_it() {
    let world = world(Engine::Memory).await;
    let (id, key) = maker(&world).await;
    let (_, token) = made(&world, &key, "ann", &narrow()).await;
    let client = format!("/v1/clients/{id}");
    let may = async || asks(&world, &token, "projects/42/docs", "documents:read").await;
    assert_eq!(may().await, 200);
    // A change that does not concern it leaves it good; without the option it is not.
    let named = json!({"name": "N", "options": {"grantTokenGeneration": true}});
    world.own("PUT", &client, Some(&named)).await.expect(200);
    assert_eq!(may().await, 200);
    world
        .own("PUT", &client, Some(&json!({})))
        .await
        .expect(200);
    assert_eq!(may().await, 401);
    // It has ended for good: to set the option again does not bring it back.
    world.own("PUT", &client, Some(&named)).await.expect(200);
    assert_eq!(may().await, 401);
    world.clock.advance(1);
    let (_, token) = made(&world, &key, "ann", &narrow()).await;
    let may = async || asks(&world, &token, "projects/42/docs", "documents:read").await;
    assert_eq!(may().await, 200);
    world.own("DELETE", &client, None).await.expect(204);
    assert_eq!(may().await, 401);
}

#[tokio::test]
async fn a_token_lives_as_long_as_it_says_and_its_tenant_allows() {
    let world = world(Engine::Memory).await;
    let (_, key) = maker(&world).await;
    let target = "/v1/users/ann/tokens";
    let at = |seconds: i64| {
        let time = guestlist_api::times::Timestamp::from_milliseconds(START + seconds * 1000);
        json!(time.to_string())
    };
    let with = |name: &str, value: Value| {
        let mut body = narrow();
        body[name] = value;
        body
    };
    for name in ["expires", "expiryTime"] {
        for seconds in [60, 3_600, DAY] {
            let (_, token) = made(&world, &key, "ann", &with(name, at(seconds))).await;
            assert_eq!(claims(&token)["exp"], START / 1000 + seconds, "{name}");
        }
        for seconds in [-1, 0, 59, DAY + 1] {
            let body = with(name, at(seconds));
            let refused = world
                .send(&key, "POST", target, Some(&body))
                .await
                .expect(400);
            assert_eq!(refused.json()["path"], name, "{seconds}");
        }
        for absent in [json!(""), Value::Null] {
            made(&world, &key, "ann", &with(name, absent)).await;
        }
    }
    let mut both = with("expires", at(100));
    both["expiryTime"] = at(101);
    world
        .send(&key, "POST", target, Some(&both))
        .await
        .expect(400);
}

#[tokio::test]
async fn the_tenant_of_a_user_is_an_audience_and_says_how_long_tokens_live() {
    let world = world(Engine::Memory).await;
    let (_, key) = maker(&world).await;
    let target = "/v1/users/ann/tokens";
    let mut longer = narrow();
    let time = guestlist_api::times::Timestamp::from_milliseconds(START + 3_601_000);
    longer["expires"] = json!(time.to_string());
    let tenant = json!({"tenantId": "acme", "tokenConfiguration": {"accessTokenDuration": "PT1H"}});
    world
        .own("POST", "/v1/tenants", Some(&tenant))
        .await
        .expect(201);
    let user = json!({"userId": "ann"});
    world
        .own("PATCH", "/v1/tenants/acme/users", Some(&user))
        .await
        .expect(204);
    let (_, token) = made(&world, &key, "ann", &narrow()).await;
    assert_eq!(claims(&token)["exp"], START / 1000 + 3_600);
    assert_eq!(claims(&token)["aud"], PUBLIC_URL);
    let (_, token) = made(&world, &key, "ann", &wide()).await;
    assert_eq!(
        claims(&token)["aud"],
        json!([format!("{ACCOUNT}.accounts.authress.io"), "acme"])
    );
    world
        .send(&key, "POST", target, Some(&longer))
        .await
        .expect(400);
    assert_eq!(
        asks(&world, &token, "projects/42/docs", "documents:read").await,
        200
    );
    world.clock.advance(3_600_000 + 60_000);
    assert_eq!(
        asks(&world, &token, "projects/42/docs", "documents:read").await,
        401
    );
    // Who belongs to no tenant any more is in no audience.
    world
        .own("DELETE", "/v1/tenants/acme", None)
        .await
        .expect(204);
    let (_, token) = made(&world, &key, "ann", &wide()).await;
    assert!(claims(&token)["aud"].is_string());
}

#[tokio::test]
async fn further_claims_are_in_the_tokens_that_are_made_after_they_were_set() {
    let world = world(Engine::Memory).await;
    let (_, key) = maker(&world).await;
    let body = |claims: Value| json!({"defaultClaims": {"defaultAccessTokenClaims": claims}});
    let gold = json!({"plan": "gold", "seats": [1, {"a": null}]});
    for target in ["/v1/users/ann/token-configuration", "/v1/users/ann"] {
        let put = world
            .own("PUT", target, Some(&body(gold.clone())))
            .await
            .expect(200);
        assert_eq!(put.json(), body(gold.clone()));
        let (_, token) = made(&world, &key, "ann", &narrow()).await;
        assert_eq!(claims(&token)["plan"], "gold");
        assert_eq!(claims(&token)["seats"], gold["seats"]);
        assert_eq!(
            asks(&world, &token, "projects/42/docs", "documents:read").await,
            200
        );
        let (_, other) = made(&world, &key, "bob", &narrow()).await;
        assert!(claims(&other).get("plan").is_none());
        for bare in [json!({}), json!({"defaultClaims": null})] {
            world.own("PUT", target, Some(&bare)).await.expect(200);
            let (_, token) = made(&world, &key, "ann", &narrow()).await;
            assert!(claims(&token).get("plan").is_none());
        }
        // They are no way to be somebody else, or to live longer.
        for taken in [
            "sub",
            "iss",
            "aud",
            "exp",
            "jti",
            "client_id",
            "scope",
            "statements",
        ] {
            let claims = body(json!({taken: "x"}));
            let refused = world.own("PUT", target, Some(&claims)).await.expect(400);
            assert_eq!(
                refused.json()["path"],
                "defaultClaims.defaultAccessTokenClaims"
            );
        }
        world
            .as_user("ann", "PUT", target, Some(&body(gold.clone())))
            .await
            .expect(404);
    }
    let machine = format!("/v1/users/{}/token-configuration", world.owner_id);
    world
        .own("PUT", &machine, Some(&json!({})))
        .await
        .expect(400);
}

#[tokio::test]
async fn a_token_that_nobody_would_accept_is_not_made() {
    let world = world(Engine::Memory).await;
    let (_, key) = maker(&world).await;
    let long: Vec<String> = (0..20)
        .map(|n| format!("projects/{n}/{}", "a".repeat(128)))
        .collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    let body =
        json!({"statements": [statement(&["ro_viewer"], &long), statement(&["ro_viewer"], &long)]});
    let before = world.app.revision();
    let target = "/v1/users/ann/tokens";
    let refused = world
        .send(&key, "POST", target, Some(&body))
        .await
        .expect(413);
    assert!(
        refused.text.contains("longer than 8 KiB"),
        "{}",
        refused.text
    );
    assert_eq!(world.app.revision(), before);
    for bad in [
        json!({}),
        json!({"statements": []}),
        json!({"statements": [{"roles": [], "resources": []}]}),
    ] {
        world
            .send(&key, "POST", target, Some(&bad))
            .await
            .expect(400);
    }
    let with_users = json!({"statements": [
        {"roles": ["ro_viewer"], "resources": [{"resourceUri": "a"}], "users": [{"userId": "bob"}]}]});
    world
        .send(&key, "POST", target, Some(&with_users))
        .await
        .expect(400);
}

#[tokio::test]
async fn tokens_survive_a_restart_and_so_does_their_end() {
    let world = world(Engine::Embedded).await;
    let (_, key) = maker(&world).await;
    let (_, token) = made(&world, &key, "ann", &narrow()).await;
    let (id, disabled) = made(&world, &key, "ann", &narrow()).await;
    world
        .own("DELETE", &format!("/v1/users/ann/tokens/{id}"), None)
        .await
        .expect(204);
    let world = world.restart().await;
    assert_eq!(
        asks(&world, &token, "projects/42/docs", "documents:read").await,
        200
    );
    assert_eq!(
        asks(&world, &disabled, "projects/42/docs", "documents:read").await,
        401
    );
}

#[tokio::test]
async fn tokens_of_users_do_not_need_development() {
    let world = World::with(Engine::Memory, |settings| settings.development = false).await;
    world
        .give("rec_ann", "ann", &["ro_editor"], &["projects/42"])
        .await;
    let (_, key) = maker(&world).await;
    let (_, token) = made(&world, &key, "ann", &narrow()).await;
    assert_eq!(
        asks(&world, &token, "projects/42/docs", "documents:read").await,
        200
    );
    // Signed by the same key, but made for trying things out.
    let body = json!({"userId": "ann"});
    world
        .send("", "POST", "/v1/dev/tokens", Some(&body))
        .await
        .expect(404);
}

#[tokio::test]
async fn tokens_of_a_deleted_user_are_refused_and_what_they_said_is_forgotten() {
    for engine in engines() {
        let world = world(engine).await;
        let (_, key) = maker(&world).await;
        let tenant = json!({"tenantId": "acme"});
        let tenants = world.own("POST", "/v1/tenants", Some(&tenant)).await;
        tenants.expect(201);
        let user = json!({"userId": "ann"});
        let linked = world.own("PATCH", "/v1/tenants/acme/users", Some(&user));
        linked.await.expect(204);
        let said = json!({"defaultClaims": {"defaultAccessTokenClaims": {"plan": "gold"}}});
        let target = "/v1/users/ann/token-configuration";
        world.own("PUT", target, Some(&said)).await.expect(200);
        let (_, limited) = made(&world, &key, "ann", &narrow()).await;
        let (_, whole) = made(&world, &key, "ann", &wide()).await;
        let (_, other) = made(&world, &key, "bob", &wide()).await;
        assert_eq!(claims(&limited)["plan"], "gold");

        world.own("DELETE", "/v1/users/ann", None).await.expect(202);
        for token in [&limited, &whole] {
            let own = check("ann", "projects/42/docs", "documents:read");
            world.send(token, "GET", &own, None).await.expect(401);
        }
        let own = check("bob", "projects/42/docs", "documents:read");
        world.send(&other, "GET", &own, None).await.expect(404);
        // Nothing is left that another deletion could do.
        world.own("DELETE", "/v1/users/ann", None).await.expect(404);
        let (_, again) = made(&world, &key, "ann", &wide()).await;
        assert!(claims(&again).get("plan").is_none());
        assert_eq!(
            claims(&again)["aud"],
            format!("{ACCOUNT}.accounts.authress.io")
        );
    }
}

#[tokio::test]
async fn a_token_ends_with_a_key_of_the_client_that_made_it() {
    let world = world(Engine::Memory).await;
    let (id, key) = maker(&world).await;
    let keys = format!("/v1/clients/{id}/access-keys");
    let second = world.own("POST", &keys, None).await.expect(201).json();
    let (_, token) = made(&world, &key, "ann", &narrow()).await;
    let may = async |token: &str| asks(&world, token, "projects/42/docs", "documents:read").await;
    assert_eq!(may(&token).await, 200);
    // Whoever had the key may have made it.
    let target = format!("{keys}/{}", second["keyId"].as_str().unwrap());
    world.own("DELETE", &target, None).await.expect(204);
    assert_eq!(may(&token).await, 401);
    world.clock.advance(1);
    let (_, token) = made(&world, &key, "ann", &narrow()).await;
    assert_eq!(may(&token).await, 200);
}

#[tokio::test]
async fn tokens_say_nothing_of_what_their_user_may_do() {
    let world = world(Engine::Memory).await;
    for claim in [
        "roles",
        "groups",
        "entitlements",
        "acr",
        "amr",
        "authorization_details",
    ] {
        let mut said = json!({});
        said[claim] = json!(["admin"]);
        let body = json!({"defaultClaims": {"defaultAccessTokenClaims": said}});
        let target = "/v1/users/ann/token-configuration";
        world.own("PUT", target, Some(&body)).await.expect(400);
    }
}
