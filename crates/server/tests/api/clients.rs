//! Service clients and their access keys through the API: made, used, listed and revoked.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::fake_issuer::SigningKey;
use crate::world::{ACCOUNT, Engine, START, World, check, engines};

/// What stands before the key in a public key in SPKI DER (RFC 8410).
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Makes a client and returns its id.
async fn client(world: &World) -> String {
    let reply = world
        .own("POST", "/v1/clients", Some(&json!({"name": "c"})))
        .await;
    reply.expect(201).json()["clientId"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Makes an access key: its id and the whole key.
async fn key(world: &World, client: &str) -> (String, String) {
    let target = format!("/v1/clients/{client}/access-keys");
    let made = world.own("POST", &target, None).await.expect(201).json();
    let text = |member: &str| made[member].as_str().unwrap().to_owned();
    (text("keyId"), text("accessKey"))
}

/// What an SDK does with an access key before it signs.
fn signing_key(access_key: &str) -> SigningKey {
    let parts: Vec<&str> = access_key.split('.').collect();
    assert_eq!(parts.len(), 4);
    let der = STANDARD.decode(parts[3]).unwrap();
    assert_eq!(der.len(), 48, "PKCS#8 version 1");
    SigningKey::from_seed(parts[1], &der[16..])
}

/// The public half of a key in SPKI DER.
fn spki(key: &SigningKey) -> Vec<u8> {
    let jwk = key.jwk();
    let x = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    [SPKI.as_slice(), &x].concat()
}

/// A token as the JavaScript SDK builds it, and one as the Python SDK does.
fn tokens(access_key: &SigningKey, client: &str, origin: &str) -> [String; 2] {
    let now = START / 1000;
    let claims = json!({"aud": format!("{ACCOUNT}.accounts.authress.io"),
        "iss": format!("{origin}/v1/clients/{client}"), "sub": client, "client_id": client,
        "iat": now, "exp": now + 86_400});
    let (mut javascript, mut python) = (claims.clone(), claims);
    javascript["scope"] = json!("openid");
    python["scopes"] = json!("openId");
    let kid = &access_key.key_id;
    let header = |typ: &str| json!({"alg": "EdDSA", "kid": kid, "typ": typ}).to_string();
    [("at+jwt", javascript), ("JWT", python)]
        .map(|(typ, claims)| access_key.token_of(&header(typ), &claims.to_string()))
}

/// What a credential is answered when its holder asks about themselves.
async fn status(world: &World, credential: &str, client: &str) -> u16 {
    let target = check(client, "p/1", "documents:read");
    world.send(credential, "GET", &target, None).await.status
}

#[tokio::test]
async fn a_client_acts_with_its_key_in_every_form() {
    for engine in engines() {
        let world = World::new(engine).await;
        let id = client(&world).await;
        assert!(id.starts_with("sc_") && !id.contains('.'), "{id}");
        let (key_id, access_key) = key(&world, &id).await;
        assert!(access_key.starts_with(&format!("{id}.{key_id}.{ACCOUNT}.")));
        world.give("rec_1", &id, &["ro_viewer"], &["p/1"]).await;
        assert_eq!(status(&world, &access_key, &id).await, 200);
        let signing = signing_key(&access_key);
        for origin in [
            "http://guestlist.test",
            "http://127.0.0.1:8888",
            "https://acc-world.api.authress.io",
            "https://h.example/path",
        ] {
            for token in tokens(&signing, &id, origin) {
                assert_eq!(status(&world, &token, &id).await, 200, "{origin}");
            }
        }
        // Another account's, another client's, a changed one.
        let foreign = access_key.replace(ACCOUNT, "acc-other");
        let strange = access_key.replace(&id, "sc_other");
        let [token, _] = tokens(&SigningKey::ed25519(&key_id, 9), &id, "http://h");
        for bad in [foreign, strange, token] {
            assert_eq!(status(&world, &bad, &id).await, 401);
        }
    }
}

#[tokio::test]
async fn a_client_has_five_keys_at_most() {
    for engine in engines() {
        let world = World::new(engine).await;
        let id = client(&world).await;
        let target = format!("/v1/clients/{id}/access-keys");
        let owner = world.owner.clone();
        // Seven at once: five at most are made, whatever the order. Who kept being overtaken is
        // told that nothing was done.
        let post = || world.send(&owner, "POST", &target, None);
        let mut made = 0;
        for reply in join_all((0..7).map(|_| post())).await {
            match (reply.status, reply.code().as_str()) {
                (201, "") => made += 1,
                (422, "TooManyAccessKeys") | (503, "Busy") => {}
                other => panic!("{other:?}"),
            }
        }
        for _ in made..5 {
            post().await.expect(201);
        }
        let sixth = post().await.expect(422);
        assert_eq!(sixth.code(), "TooManyAccessKeys");
        let read = world
            .own("GET", &format!("/v1/clients/{id}"), None)
            .await
            .json();
        let keys = read["verificationKeys"].as_array().unwrap();
        assert_eq!(keys.len(), 5);
        let first = keys[0]["keyId"].as_str().unwrap();
        world
            .own("DELETE", &format!("{target}/{first}"), None)
            .await
            .expect(204);
        world
            .own("DELETE", &format!("{target}/{first}"), None)
            .await
            .expect(404);
        post().await.expect(201);
        post().await.expect(422);
    }
}

#[tokio::test]
async fn the_secret_of_a_key_is_told_once_and_never_again() {
    let world = World::new(Engine::Memory).await;
    let id = client(&world).await;
    let target = format!("/v1/clients/{id}/access-keys");
    let made = world.own("POST", &target, None).await.expect(201).json();
    assert_eq!(made["clientSecret"], made["accessKey"]);
    let private = made["accessKey"]
        .as_str()
        .unwrap()
        .rsplit('.')
        .next()
        .unwrap()
        .to_owned();
    let mut told = String::new();
    for target in [
        format!("/v1/clients/{id}"),
        "/v1/clients".to_owned(),
        format!("/v1/clients/{id}/.well-known/openid-configuration/jwks"),
    ] {
        let _ = write!(
            told,
            "{}",
            world.own("GET", &target, None).await.expect(200).text
        );
    }
    let _ = write!(told, "{}", json!(world.events().await));
    assert!(told.contains(made["keyId"].as_str().unwrap()));
    assert!(!told.contains(&private));
    // The public half is listed only for keys that were handed in.
    let read = world
        .own("GET", &format!("/v1/clients/{id}"), None)
        .await
        .json();
    let listed = &read["verificationKeys"][0];
    let members: Vec<&String> = listed.as_object().unwrap().keys().collect();
    assert_eq!(members, ["clientId", "generationDate", "keyId"]);
    assert_eq!(listed["clientId"], json!(id));
}

#[tokio::test]
async fn a_public_key_of_ones_own_is_kept_byte_for_byte() {
    let world = World::new(Engine::Memory).await;
    let id = client(&world).await;
    world.give("rec_1", &id, &["ro_viewer"], &["p/1"]).await;
    let target = format!("/v1/clients/{id}/access-keys");
    let own = SigningKey::ed25519("unknown yet", 41);
    let mut texts = vec![
        STANDARD.encode(spki(&own)),
        URL_SAFE_NO_PAD.encode(spki(&own)),
    ];
    texts.dedup();
    for text in &texts {
        let body = json!({"publicKey": text});
        let made = world
            .own("POST", &target, Some(&body))
            .await
            .expect(201)
            .json();
        assert_eq!(made["publicKey"], json!(text));
        assert!(made.get("accessKey").is_none() && made.get("clientSecret").is_none());
        let key_id = made["keyId"].as_str().unwrap();
        let read = world
            .own("GET", &format!("/v1/clients/{id}"), None)
            .await
            .json();
        let keys = read["verificationKeys"].as_array().unwrap();
        let listed = keys.iter().find(|key| key["keyId"] == key_id).unwrap();
        assert_eq!(listed["publicKey"], json!(text));
        // It signs with its own key under the id it was told; the raw key never comes here.
        let signing = SigningKey::ed25519(key_id, 41);
        for token in tokens(&signing, &id, "http://guestlist.test") {
            assert_eq!(status(&world, &token, &id).await, 200);
        }
        let mut pkcs8 = vec![
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22,
            0x04, 0x20,
        ];
        pkcs8.extend([41; 32]);
        let raw = format!("{id}.{key_id}.{ACCOUNT}.{}", STANDARD.encode(pkcs8));
        assert_eq!(status(&world, &raw, &id).await, 401);
    }
    let mut small = SPKI.to_vec();
    small.extend([0; 32]);
    for bad in [
        "not a key".to_owned(),
        "-----BEGIN PUBLIC KEY-----".to_owned(),
        STANDARD.encode(&spki(&own)[..43]),
        STANDARD.encode([spki(&own), vec![0]].concat()),
        STANDARD.encode(small),
        "A".repeat(257),
    ] {
        let body = json!({"publicKey": bad});
        let reply = world.own("POST", &target, Some(&body)).await.expect(400);
        assert_eq!(reply.json()["path"], "publicKey", "{bad}");
    }
    // What some SDKs send for none makes a key here.
    for none in [
        json!({}),
        json!({"publicKey": ""}),
        json!({"publicKey": null}),
        Value::Null,
    ] {
        let made = world.own("POST", &target, Some(&none)).await;
        if made.status == 422 {
            break;
        }
        assert!(made.expect(201).json()["accessKey"].is_string(), "{none}");
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_with_the_next_request() {
    for engine in engines() {
        let world = World::new(engine).await;
        let id = client(&world).await;
        world.give("rec_1", &id, &["ro_viewer"], &["p/1"]).await;
        let (key_id, access_key) = key(&world, &id).await;
        let (_, other) = key(&world, &id).await;
        let tokens = tokens(&signing_key(&access_key), &id, "http://h");
        let credentials = [&access_key, &tokens[0], &tokens[1]];
        for credential in credentials {
            // Twice: the second is answered from what is remembered.
            assert_eq!(status(&world, credential, &id).await, 200);
            assert_eq!(status(&world, credential, &id).await, 200);
        }
        let target = format!("/v1/clients/{id}/access-keys/{key_id}");
        world.own("DELETE", &target, None).await.expect(204);
        for credential in credentials {
            assert_eq!(status(&world, credential, &id).await, 401);
        }
        assert_eq!(status(&world, &other, &id).await, 200);
    }
}

#[tokio::test]
async fn a_deleted_client_is_nobody_and_its_id_is_never_used_again() {
    for engine in engines() {
        let world = World::new(engine).await;
        let id = client(&world).await;
        world.give("rec_1", &id, &["ro_viewer"], &["p/1"]).await;
        let (_, access_key) = key(&world, &id).await;
        let [token, _] = tokens(&signing_key(&access_key), &id, "http://h");
        let jwks = format!("/v1/clients/{id}/.well-known/openid-configuration/jwks");
        for credential in [&access_key, &token] {
            assert_eq!(status(&world, credential, &id).await, 200);
        }
        let target = format!("/v1/clients/{id}");
        world.own("DELETE", &target, None).await.expect(204);
        for credential in [&access_key, &token] {
            assert_eq!(status(&world, credential, &id).await, 401);
        }
        let keys = world.send("", "GET", &jwks, None).await.expect(200).json();
        assert_eq!(keys, json!({"keys": []}));
        for (method, body) in [
            ("GET", None),
            ("PUT", Some(json!({"name": "n"}))),
            ("DELETE", None),
        ] {
            let reply = world.own(method, &target, body.as_ref()).await.expect(404);
            assert_eq!(reply.code(), "NotFound", "{method}");
        }
        let keys = format!("{target}/access-keys");
        world.own("POST", &keys, None).await.expect(404);
        // Asking for an id does not give it.
        let body = json!({"clientId": id, "name": "again"});
        let made = world
            .own("POST", "/v1/clients", Some(&body))
            .await
            .expect(201);
        assert_ne!(made.json()["clientId"], json!(id));
    }
}

#[tokio::test]
async fn the_keys_of_a_client_are_public_as_verifiers_fetch_them() {
    let world = World::new(Engine::Memory).await;
    let id = client(&world).await;
    let (key_id, access_key) = key(&world, &id).await;
    let target = format!("/v1/clients/{id}/.well-known/openid-configuration/jwks");
    let expected = json!({"keys": [signing_key(&access_key).jwk()]});
    for query in [
        "",
        &format!("?kid={key_id}"),
        "?kid=none&iss=127.0.0.1:8888",
    ] {
        for credential in ["", "undefined", "not.a.token"] {
            let reply = world
                .send(credential, "GET", &format!("{target}{query}"), None)
                .await;
            let reply = reply.expect(200);
            assert_eq!(reply.json(), expected, "{query}");
            assert_eq!(reply.header("content-type").unwrap(), "application/json");
        }
    }
    let members = reply_members(&expected["keys"][0]);
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
    let unknown = "/v1/clients/sc_none/.well-known/openid-configuration/jwks";
    let reply = world.send("", "GET", unknown, None).await.expect(200);
    assert_eq!(reply.json(), json!({"keys": []}));
    let own = world
        .send(
            "",
            "GET",
            "/.well-known/openid-configuration/jwks?kid=x",
            None,
        )
        .await;
    let own = own.expect(200).json();
    assert_eq!(reply_members(&own["keys"][0]), members);
    let discovery = world
        .send("", "GET", "/.well-known/openid-configuration", None)
        .await;
    let discovery = discovery.expect(200).json();
    assert_eq!(discovery["issuer"], "http://guestlist.test");
    assert_eq!(
        discovery["jwks_uri"],
        "http://guestlist.test/.well-known/openid-configuration/jwks"
    );
    for member in ["authorization_endpoint", "token_endpoint"] {
        assert!(discovery[member].is_string(), "{member}");
    }
}

/// The names of an object's members, each of which is a text.
fn reply_members(value: &Value) -> Vec<String> {
    let members = value.as_object().unwrap();
    assert!(members.values().all(Value::is_string), "{value}");
    members.keys().cloned().collect()
}

#[tokio::test]
async fn raw_keys_can_be_turned_off() {
    let world = World::with(Engine::Memory, |settings| settings.raw_access_keys = false).await;
    let target = format!("/v1/clients/{}", world.owner_id);
    world.own("GET", &target, None).await.expect(401);
    let signing = signing_key(&world.owner);
    for token in tokens(&signing, &world.owner_id, "http://guestlist.test") {
        world.send(&token, "GET", &target, None).await.expect(200);
    }
}

#[tokio::test]
async fn clients_are_made_changed_and_listed() {
    for engine in engines() {
        let world = World::new(engine).await;
        let body = json!({"clientId": "", "createdTime": "0001-01-01T00:00:00Z", "name": "Ünïcode",
            "options": {"grantUserPermissionsAccess": true}, "tags": {"a": "b"},
            "rateLimits": [{"duration": "PT5M", "quota": 1000}], "verificationKeys": null});
        let made = world
            .own("POST", "/v1/clients", Some(&body))
            .await
            .expect(201)
            .json();
        assert_eq!(made["name"], "Ünïcode");
        assert_eq!(made["createdTime"], "2026-01-02T03:04:05.678Z");
        assert_eq!(
            made["options"],
            json!({"grantUserPermissionsAccess": true, "grantTokenGeneration": false})
        );
        assert_eq!(made["verificationKeys"], json!([]));
        let id = made["clientId"].as_str().unwrap();
        let target = format!("/v1/clients/{id}");
        let read = world.own("GET", &target, None).await.expect(200).json();
        assert_eq!(read, made);
        // A whole client that was read may be put back; keys are not changed by it.
        let (key_id, _) = key(&world, id).await;
        let put = world
            .own("PUT", &target, Some(&read))
            .await
            .expect(200)
            .json();
        assert_eq!(put["verificationKeys"][0]["keyId"], json!(key_id));
        let bare = world
            .own("PUT", &target, Some(&json!({})))
            .await
            .expect(200)
            .json();
        assert!(bare.get("name").is_none() && bare.get("tags").is_none());
        assert_eq!(bare["options"]["grantUserPermissionsAccess"], false);
        // What one SDK sends for members that were not set.
        let null = json!({"clientId": null, "name": null, "options": null, "rateLimits": null,
            "tags": null});
        let off = world
            .own("PUT", &target, Some(&null))
            .await
            .expect(200)
            .json();
        assert_eq!(off, bare);
        for (member, value) in [
            ("name", json!("x".repeat(129))),
            ("options", json!({"grantTokenGeneration": "yes"})),
            ("rateLimits", json!([{"duration": "PT2M", "quota": 1}])),
            (
                "rateLimits",
                json!([{"duration": "PT5M", "quota": 100}, {"duration": "PT1H", "quota": 100}]),
            ),
            ("tags", json!({"a": []})),
        ] {
            let bad = json!({member: value});
            let reply = world.own("PUT", &target, Some(&bad)).await.expect(400);
            assert!(
                reply.json()["path"].as_str().unwrap().starts_with(member),
                "{}",
                reply.text
            );
        }
    }
}

#[tokio::test]
async fn clients_are_listed_in_pages_and_by_filter() {
    for engine in engines() {
        let world = World::new(engine).await;
        for _ in 0..22 {
            client(&world).await;
        }
        let first = world
            .own("GET", "/v1/clients", None)
            .await
            .expect(200)
            .json();
        assert_eq!(first["clients"].as_array().unwrap().len(), 20);
        let cursor = first["pagination"]["next"]["cursor"].as_str().unwrap();
        let next = world
            .own("GET", &format!("/v1/clients?cursor={cursor}"), None)
            .await;
        let next = next.expect(200).json();
        assert_eq!(
            next["clients"].as_array().unwrap().len(),
            3,
            "with the owner's"
        );
        assert!(next.get("pagination").is_none());
        let body = json!({"name": "Night watch"});
        world
            .own("POST", "/v1/clients", Some(&body))
            .await
            .expect(201);
        for (filter, count) in [("NIGHT+w", 1), (world.owner_id.as_str(), 1), ("nobody", 0)] {
            let target = format!("/v1/clients?filter={filter}");
            let page = world.own("GET", &target, None).await.expect(200).json();
            assert_eq!(page["clients"].as_array().unwrap().len(), count, "{filter}");
        }
    }
}

#[tokio::test]
async fn an_option_that_is_taken_away_is_gone_with_the_next_request() {
    let world = World::new(Engine::Memory).await;
    let id = client(&world).await;
    let (_, access_key) = key(&world, &id).await;
    let target = check("alice", "projects/42", "documents:read");
    let ask = async || world.send(&access_key, "GET", &target, None).await.status;
    assert_eq!(ask().await, 403);
    for (may, status) in [(true, 200), (false, 403)] {
        let body = json!({"options": {"grantUserPermissionsAccess": may}});
        world
            .own("PUT", &format!("/v1/clients/{id}"), Some(&body))
            .await
            .expect(200);
        assert_eq!(ask().await, status);
    }
}

#[tokio::test]
async fn a_client_is_read_and_changed_by_who_may() {
    let world = World::new(Engine::Memory).await;
    let id = client(&world).await;
    let target = format!("/v1/clients/{id}");
    world
        .role("ro_reader", &[("READ", true, false, false)])
        .await;
    world
        .give(
            "rec_1",
            "dave",
            &["ro_reader"],
            &[&format!("Authress:ServiceClients/{id}")],
        )
        .await;
    let dave = world.token("dave");
    world.send(&dave, "GET", &target, None).await.expect(200);
    let list = world
        .send(&dave, "GET", "/v1/clients", None)
        .await
        .expect(200)
        .json();
    assert_eq!(list["clients"].as_array().unwrap().len(), 1);
    let keys = format!("{target}/access-keys");
    for (method, target, body) in [
        ("PUT", target.as_str(), Some(json!({"name": "n"}))),
        ("DELETE", target.as_str(), None),
        ("POST", keys.as_str(), None),
        ("POST", "/v1/clients", Some(json!({"name": "n"}))),
    ] {
        let reply = world.send(&dave, method, target, body.as_ref()).await;
        assert_eq!(reply.expect(403).code(), "Forbidden", "{method} {target}");
        let status = if target == "/v1/clients" { 403 } else { 404 };
        let reply = world
            .as_user("mallory", method, target, body.as_ref())
            .await;
        reply.expect(status);
    }
    let unknown = world.send(&dave, "GET", "/v1/clients/sc_none", None).await;
    unknown.expect(403);
    let list = world.as_user("mallory", "GET", "/v1/clients", None).await;
    assert_eq!(list.expect(200).json()["clients"], json!([]));
}
