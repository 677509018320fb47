//! The token endpoint: a token for the secret of a service client, and everything that gets none.

use std::fmt::Write as _;

use guestlist_server::settings::Settings;
use serde_json::{Value, json};

use crate::world::{ACCOUNT, Engine, Reply, World};

const TOKENS: &str = "/api/authentication/oauth/tokens";

/// A service client, the id of its key, and its secret.
async fn client(world: &World, more: &Value) -> [String; 3] {
    let mut client = json!({"name": "c", "options": {"grantUserPermissionsAccess": true}});
    if let (Some(all), Some(more)) = (client.as_object_mut(), more.as_object()) {
        all.extend(more.clone());
    }
    let made = world.own("POST", "/v1/clients", Some(&client)).await;
    let id = made.expect(201).json()["clientId"]
        .as_str()
        .unwrap()
        .to_owned();
    let keys = format!("/v1/clients/{id}/access-keys");
    let key = world.own("POST", &keys, None).await.expect(201).json();
    let text = |name: &str| key[name].as_str().unwrap().to_owned();
    assert_eq!(text("clientSecret"), text("accessKey"));
    [id, text("keyId"), text("clientSecret")]
}

async fn ask(world: &World, body: &Value) -> Reply {
    world.send("", "POST", TOKENS, Some(body)).await
}

fn request(client: &str, secret: &str) -> Value {
    json!({"client_id": client, "client_secret": secret, "grant_type": "client_credentials"})
}

fn check() -> String {
    crate::world::check("ann", "projects/42", "documents:read")
}

#[tokio::test]
async fn a_secret_gets_the_token_that_its_client_could_have_signed() {
    let world = World::new(Engine::Memory).await;
    let [id, key, secret] = client(&world, &json!({})).await;
    let made = ask(&world, &request(&id, &secret)).await.expect(200);
    assert_eq!(
        made.header("content-type").as_deref(),
        Some("application/json")
    );
    assert_eq!(made.header("cache-control").as_deref(), Some("no-store"));
    let made = made.json();
    assert_eq!(made["token_type"], "Bearer");
    let token = made["access_token"].as_str().unwrap();
    let read = guestlist_server::tokens::Unverified::read(token).unwrap();
    assert_eq!((read.key_id(), read.subject()), (key.as_str(), id.as_str()));
    assert!(read.issuer().ends_with(&format!("/v1/clients/{id}")));
    // The client's own key set verifies it.
    let set = format!("/v1/clients/{id}/.well-known/openid-configuration/jwks");
    let set = world.send("", "GET", &set, None).await.expect(200);
    let keys = guestlist_server::jwks::Keys::read(set.text.as_bytes(), &mut |_| ()).unwrap();
    let audience = format!("{ACCOUNT}.accounts.authress.io");
    let policy = guestlist_server::tokens::Policy {
        issuer: read.issuer(),
        audiences: Some(&[audience.as_str()]),
        longest_life: made["expires_in"].as_i64().unwrap() * 1000,
    };
    let verifying = keys.get(&key).unwrap();
    read.verify(verifying, &policy, world.clock.now()).unwrap();
    world.send(token, "GET", &check(), None).await.expect(404);
    // It ends with the key.
    let target = format!("/v1/clients/{id}/access-keys/{key}");
    world.own("DELETE", &target, None).await.expect(204);
    world.send(token, "GET", &check(), None).await.expect(401);
    ask(&world, &request(&id, &secret)).await.expect(401);
}

#[tokio::test]
async fn it_takes_what_the_sdks_send_and_the_form_of_the_standard() {
    let world = World::new(Engine::Memory).await;
    let [id, _, secret] = client(&world, &json!({})).await;
    let mut bodies = vec![request(&id, &secret)];
    for grant in [Value::Null, json!("")] {
        let mut body = request(&id, &secret);
        body["grant_type"] = grant;
        body["username"] = Value::Null;
        bodies.push(body);
    }
    for body in &bodies {
        ask(&world, body).await.expect(200);
        // Whatever else the request has for a credential.
        for bearer in ["undefined", "bad"] {
            let reply = world.send(bearer, "POST", TOKENS, Some(body)).await;
            reply.expect(200);
        }
    }
    let mut encoded = String::new();
    for byte in secret.bytes() {
        write!(encoded, "%{byte:02x}").unwrap();
    }
    for (form, status) in [
        (
            format!("grant_type=client_credentials&client_id={id}&client_secret={encoded}"),
            200,
        ),
        (format!("client_secret={encoded}&client_id={id}"), 200),
        (format!("client_secret={encoded}"), 400),
        (format!("client_id={id}"), 400),
        (
            format!("client_id={id}&client_secret={encoded}&client_id={id}"),
            400,
        ),
        (format!("client_id={id}&client_secret=%ff"), 400),
        (String::new(), 400),
        ("\"text\"".to_owned(), 400),
    ] {
        let length = form.len();
        let reply = world
            .raw(
                format!(
                    "POST {TOKENS} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
                     Content-Type: application/x-www-form-urlencoded\r\n\
                     Content-Length: {length}\r\n\r\n{form}"
                )
                .as_bytes(),
            )
            .await;
        assert_eq!(reply.status, status, "{form}: {}", reply.text);
        assert!(status == 200 || !reply.text.contains(&secret), "{form}");
    }
}

#[tokio::test]
async fn the_client_may_stand_in_http_basic() {
    use base64::Engine as _;
    let world = World::new(Engine::Memory).await;
    let [id, _, secret] = client(&world, &json!({})).await;
    let basic = |text: String| {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        format!("Basic {encoded}")
    };
    let escaped = secret
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3d");
    let whole = basic(format!("{id}:{secret}"));
    let form = "grant_type=client_credentials";
    let wrong = basic(format!("{id}:{secret}x"));
    let both = format!("{form}&client_id={id}&client_secret=x");
    for (authorization, body, status) in [
        (whole.clone(), form, 200),
        (basic(format!("{id}:{escaped}")), form, 200),
        (whole.replace("Basic", "bAsIc"), form, 200),
        (whole.clone(), "", 200),
        (whole.clone(), &format!("{form}&client_id={id}"), 200),
        (whole.clone(), &format!("{form}&client_id=sc_other"), 400),
        (whole.clone(), &both, 400),
        (whole.clone(), "grant_type=password", 501),
        (format!("{whole}\r\nAuthorization: {whole}"), form, 400),
        ("Basic %%%".to_owned(), form, 400),
        (basic("no colon".to_owned()), form, 400),
        (wrong, form, 401),
        (basic(format!("sc_unknown:{secret}")), form, 401),
    ] {
        let length = body.len();
        let request = format!(
            "POST {TOKENS} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
             Authorization: {authorization}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let reply = world.raw(request.as_bytes()).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.text);
        let challenge = reply.header("www-authenticate");
        let is_basic = challenge.is_some_and(|scheme| scheme.starts_with("Basic "));
        assert_eq!(is_basic, status == 401, "{body}");
        assert!(!reply.text.contains(&secret));
        let error = reply.json()["error"].clone();
        let expected = match status {
            400 => json!("invalid_request"),
            401 => json!("invalid_client"),
            _ => Value::Null,
        };
        assert_eq!(error, expected, "{body}");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_without_a_word_on_what_is_wrong() {
    let world = World::new(Engine::Memory).await;
    let [id, key, secret] = client(&world, &json!({})).await;
    let [other, _, others] = client(&world, &json!({})).await;
    let private = secret.rsplit('.').next().unwrap();
    let before = world.app.revision();
    let wrong = [
        (id.as_str(), "wrong".to_owned()),
        (&id, String::new()),
        (&id, secret[..secret.len() - 1].to_owned()),
        (&id, others.clone()),
        (&other, secret.clone()),
        ("sc_unknown", secret.clone()),
        ("no client at all", secret.clone()),
        (&id, format!("{id}.{key}.acc-other.{private}")),
        (&id, format!("{id}.nokey.{ACCOUNT}.{private}")),
    ];
    let mut said = Vec::new();
    for (client, secret) in &wrong {
        let reply = ask(&world, &request(client, secret)).await.expect(401);
        assert!(!reply.text.contains(private), "{}", reply.text);
        said.push((reply.code(), reply.json()["title"].clone()));
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(world.app.revision(), before);
}

#[tokio::test]
async fn whoever_guesses_secrets_is_held_up_and_the_client_counts_its_requests() {
    let world = World::new(Engine::Memory).await;
    let limits = json!({"rateLimits": [{"duration": "PT1H", "quota": 2}]});
    let [id, _, secret] = client(&world, &limits).await;
    for status in [200, 200, 429] {
        let reply = ask(&world, &request(&id, &secret)).await;
        assert_eq!(reply.status, status, "{}", reply.text);
    }
    let [id, _, secret] = client(&world, &json!({})).await;
    let mut refused = 0;
    loop {
        let reply = ask(&world, &request(&id, "wrong")).await;
        if reply.status == 429 {
            break;
        }
        assert_eq!(reply.status, 401, "{}", reply.text);
        refused += 1;
        assert!(refused < 1_000, "guesses are never held up");
    }
    // The right one is not looked at either: nobody learns that it is right.
    ask(&world, &request(&id, &secret)).await.expect(429);
}

#[tokio::test]
async fn other_grants_are_not_there_and_say_so() {
    let world = World::new(Engine::Memory).await;
    let [id, _, secret] = client(&world, &json!({})).await;
    for (grant, status) in [
        ("authorization_code", 501),
        ("password", 501),
        ("refresh_token", 501),
        ("CLIENT_CREDENTIALS", 400),
    ] {
        let mut body = request(&id, &secret);
        body["grant_type"] = json!(grant);
        let reply = ask(&world, &body).await;
        assert_eq!(reply.status, status, "{grant}: {}", reply.text);
        if status == 400 {
            assert_eq!(reply.json()["error"], "unsupported_grant_type");
        }
        // What else is missing is of no interest then.
        let alone = ask(&world, &json!({"grant_type": grant})).await;
        assert_eq!(alone.status, status, "{grant}: {}", alone.text);
    }
    let without = json!({"client_id": id, "grant_type": "client_credentials"});
    assert_eq!(
        ask(&world, &without).await.expect(400).json()["path"],
        "client_secret"
    );
}

#[tokio::test]
async fn secrets_are_not_taken_where_access_keys_must_not_be_sent() {
    let off = |settings: &mut Settings| settings.raw_access_keys = false;
    let world = World::with(Engine::Memory, off).await;
    let secret = world.owner.clone();
    let id = secret.split('.').next().unwrap();
    ask(&world, &request(id, &secret)).await.expect(401);
}
