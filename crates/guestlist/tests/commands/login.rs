//! Signing in and out: keys, tokens, the owner's key, an OpenID provider; and profiles.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use guestlist_client::{Client, Credentials};
use guestlist_server::testing::TestServer;
use serde_json::{Value, json};

use crate::fake_provider::{FakeProvider, provider};
use crate::program::{Ended, Person, is_private};

fn directory(person: &Person) -> PathBuf {
    person.home.path().join(".config/guestlist")
}

fn profiles(person: &Person) -> String {
    std::fs::read_to_string(directory(person).join("profiles.toml")).unwrap_or_default()
}

/// The part of a key that is secret.
fn secret_of(key: &str) -> &str {
    key.trim().rsplit('.').next().unwrap()
}

#[track_caller]
fn tells_nothing(ended: &Ended, secret: &str) {
    assert!(!ended.stdout.contains(secret), "{}", ended.stdout);
    assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
}

/// A key of another client of a server, and how to delete it.
async fn client_key(server: &TestServer) -> (Client, guestlist_api::clients::AccessKey) {
    let owner = Credentials::access_key(server.owner_key()).unwrap();
    let client = Client::new(server.url(), owner).unwrap();
    let request = guestlist_api::clients::ClientRequest::new().name("Other".parse().unwrap());
    let made = client
        .service_clients()
        .create_client(&request)
        .await
        .unwrap();
    let key = client
        .service_clients()
        .request_access_key(
            &made.client_id,
            &guestlist_api::clients::AccessKeyRequest::new(),
        )
        .await
        .unwrap();
    (client, key)
}

#[tokio::test]
async fn a_key_is_tried_kept_and_forgotten() {
    let server = TestServer::start().await.unwrap();
    let person = Person::new();
    let login = ["login", "--url", server.url(), "--key-file", "-"];
    let told = person.run_with(&login, server.owner_key()).expect(0);
    assert!(
        told.stdout.contains(server.account_id().as_str()),
        "{}",
        told.stdout
    );
    let secret = secret_of(server.owner_key());
    tells_nothing(&told, secret);
    let file = directory(&person).join("default.key");
    assert!(is_private(&file));
    let mode = std::fs::metadata(directory(&person))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(!profiles(&person).contains(secret));
    // It is the first one, so it is used from now on.
    person.run(&["account", "show"]).expect(0);

    // Another server does not come under the same name by accident.
    let other = TestServer::start().await.unwrap();
    let login = ["login", "--url", other.url(), "--key-file", "-"];
    let refused = person.run_with(&login, other.owner_key()).expect(2);
    assert!(
        refused.stderr.contains("--profile NAME"),
        "{}",
        refused.stderr
    );
    let login = [
        "login",
        "--url",
        other.url(),
        "--key-file",
        "-",
        "--profile",
        "other",
        "--json",
    ];
    let told = person.run_with(&login, other.owner_key()).expect(0);
    assert_eq!(told.json()["default"], false);
    assert!(told.stderr.contains("profile use other"), "{}", told.stderr);
    let account = |person: &Person| {
        let account = person.run(&["account", "show", "--json"]).expect(0).json();
        account[0]["accountId"].as_str().unwrap().to_owned()
    };
    assert_eq!(account(&person), server.account_id().as_str());
    person.run(&["profile", "use", "other"]).expect(0);
    assert_eq!(account(&person), other.account_id().as_str());

    let list = person.run(&["profile", "list", "--json"]).expect(0).json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[1]["default"], true);
    assert_eq!(list[1]["signsInWith"], "access key");

    person.run(&["logout", "--profile", "default"]).expect(0);
    assert!(!file.exists());
    person
        .run(&["account", "show", "--profile", "default"])
        .expect(4);
    person.run(&["profile", "remove", "other"]).expect(0);
    assert!(!directory(&person).join("other.key").exists());
    assert!(
        !profiles(&person).contains("other"),
        "{}",
        profiles(&person)
    );
    person.run(&["profile", "use", "other"]).expect(2);
}

#[tokio::test]
async fn what_the_server_does_not_accept_is_not_kept() {
    let (server, other) = (
        TestServer::start().await.unwrap(),
        TestServer::start().await.unwrap(),
    );
    let person = Person::new();
    let (client, key) = client_key(&server).await;
    let text = key.access_key.as_ref().unwrap().reveal().to_owned();
    client
        .service_clients()
        .delete_access_key(key.client_id.as_ref().unwrap(), &key.key_id)
        .await
        .unwrap();
    let login = ["login", "--url", server.url(), "--key-file", "-"];
    // Of another server; deleted; no key at all; the wrong kind.
    for (credential, code) in [
        (other.owner_key(), 4),
        (text.as_str(), 4),
        ("nonsense", 4),
        ("", 2),
    ] {
        let refused = person.run_with(&login, credential).expect(code);
        if !credential.is_empty() {
            tells_nothing(&refused, secret_of(credential));
        }
    }
    let login = ["login", "--url", server.url(), "--token-file", "-"];
    person.run_with(&login, "nonsense").expect(4);
    let nobody = [
        "login",
        "--url",
        "http://127.0.0.1:1",
        "--key-file",
        "-",
        "--timeout",
        "2",
    ];
    person.run_with(&nobody, server.owner_key()).expect(6);
    assert_eq!(profiles(&person), "");
    assert!(!directory(&person).exists());
    // The control.
    let login = ["login", "--url", server.url(), "--token-file", "-"];
    person
        .run_with(&login, &server.token("alice").unwrap())
        .expect(0);
    assert!(profiles(&person).contains("token-file"));
}

#[test]
fn without_a_way_the_ways_are_told() {
    let person = Person::new();
    let told = person.run(&["login"]).expect(2);
    for way in [
        "--key-file",
        "--token-file",
        "--local",
        "--issuer",
        "no sign-in page",
    ] {
        assert!(told.stderr.contains(way), "{way}: {}", told.stderr);
    }
    for wrong in [
        &[
            "login",
            "--local",
            "--issuer",
            "https://x.example",
            "--client-id",
            "a",
        ][..],
        &["login", "--issuer", "https://x.example"],
        &[
            "login",
            "--issuer",
            "http://x.example",
            "--client-id",
            "a",
            "--url",
            "http://a",
        ],
        &["login", "--local", "--profile", "../x"],
        &["login", "--key-file", "x"],
    ] {
        let code = person.run(wrong).code;
        assert!(matches!(code, Some(2 | 7)), "{wrong:?}: {code:?}");
    }
}

#[tokio::test]
async fn the_owner_of_a_server_on_this_machine_needs_no_key_at_hand() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start_in(data.path()).await.unwrap();
    let person = Person::new();
    let path = data.path().to_str().unwrap();
    let login = ["login", "--local", "--data", path, "--url", server.url()];
    person.run(&login).expect(0);
    person.run(&["account", "show"]).expect(0);
    // The key stays where it is, and where it is the server's.
    assert!(profiles(&person).contains("owner-access-key"));
    assert!(!profiles(&person).contains(secret_of(server.owner_key())));
    let left = person.run(&["logout"]).expect(0);
    assert!(left.stderr.contains("stays"), "{}", left.stderr);
    assert!(data.path().join("owner-access-key").exists());
    person.run(&["account", "show"]).expect(4);
    let empty = tempfile::tempdir().unwrap();
    let login = ["login", "--local", "--data", empty.path().to_str().unwrap()];
    let refused = person.run(&login).expect(7);
    assert!(refused.stderr.contains("--data"), "{}", refused.stderr);
}

fn device<'a>(server: &'a TestServer, issuer: &'a str) -> Vec<&'a str> {
    vec![
        "login",
        "--url",
        server.url(),
        "--issuer",
        issuer,
        "--client-id",
        "cli",
    ]
}

fn tokens(token: &str, lifetime: i64, refresh: &str) -> Value {
    json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": lifetime,
        "refresh_token": refresh,
    })
}

fn stored(person: &Person) -> Value {
    let text = std::fs::read_to_string(sign_in_file(person)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn sign_in_file(person: &Person) -> PathBuf {
    directory(person).join("default.sign-in")
}

#[tokio::test]
async fn a_person_signs_in_on_another_device() {
    let server = TestServer::start().await.unwrap();
    let provider = provider(json!({}));
    let token = server.token("alice").unwrap();
    provider
        .then_error("authorization_pending")
        .then(200, tokens(&token, 3600, "refresh-1"));
    let person = Person::new();
    let url = provider.url();
    let mut words = device(&server, &url);
    words.extend(["--audience", "guestlist", "--quiet"]);
    let told = person.run(&words).expect(0);
    // Also if quiet: without the code nobody could go on.
    assert!(told.stderr.contains("WDJB-MJHT"), "{}", told.stderr);
    assert!(told.stderr.contains("/activate"), "{}", told.stderr);
    assert!(told.stdout.contains("alice"), "{}", told.stdout);
    for secret in [token.as_str(), "refresh-1", "device-code-secret"] {
        tells_nothing(&told, secret);
        assert!(!profiles(&person).contains(secret));
    }
    assert!(is_private(&sign_in_file(&person)));

    let asked = &provider.forms("/device")[0].form;
    assert_eq!(asked["client_id"], "cli");
    assert_eq!(asked["scope"], "openid offline_access");
    assert_eq!(asked["audience"], "guestlist");
    let polls = provider.forms("/token");
    assert_eq!(polls.len(), 2);
    assert_eq!(polls[0].form["device_code"], "device-code-secret");
    let grant = &polls[0].form["grant_type"];
    assert_eq!(grant, "urn:ietf:params:oauth:grant-type:device_code");

    person.run(&["account", "show"]).expect(0);
    assert_eq!(provider.renewals(), 0);
    let doctor = person.run(&["doctor"]).expect(0);
    assert!(doctor.stdout.contains("as alice"), "{}", doctor.stdout);
    tells_nothing(&doctor, &token);

    let left = person.run(&["logout"]).expect(0);
    assert!(left.stderr.contains("was told"), "{}", left.stderr);
    assert_eq!(provider.forms("/revoke")[0].form["token"], "refresh-1");
    assert!(!sign_in_file(&person).exists());
}

#[tokio::test]
async fn a_token_that_has_ended_is_renewed_once_by_whoever_is_first() {
    let server = TestServer::start().await.unwrap();
    let provider = provider(json!({}));
    let token = server.token("alice").unwrap();
    provider.then(200, tokens(&token, 1, "refresh-1"));
    let person = Person::new();
    let url = provider.url();
    person.run(&device(&server, &url)).expect(0);
    // Spending a refresh token twice is answered with invalid_grant by this provider.
    provider.then(200, tokens(&token, 3600, "refresh-2"));
    let started: Vec<_> = (0..4)
        .map(|_| person.command(&["account", "show"]).spawn().unwrap())
        .collect();
    for child in started {
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
    }
    assert_eq!(provider.renewals(), 1);
    assert_eq!(stored(&person)["refreshToken"], "refresh-2");
    assert!(is_private(&sign_in_file(&person)));

    // A provider that gives no new refresh token means the old one to go on.
    make_stale(&person);
    let mut renewed = tokens(&token, 3600, "");
    renewed.as_object_mut().unwrap().remove("refresh_token");
    provider.then(200, renewed);
    person.run(&["account", "show"]).expect(0);
    assert_eq!(stored(&person)["refreshToken"], "refresh-2");

    // The provider is not there: that is no reason to sign in again.
    make_stale(&person);
    provider.then(503, json!({}));
    let unavailable = person.run(&["account", "show"]).expect(6);
    assert!(
        unavailable.stderr.contains("renewed"),
        "{}",
        unavailable.stderr
    );
    assert_eq!(stored(&person)["refreshToken"], "refresh-2");

    // The provider has had enough.
    let over = person.run(&["account", "show"]).expect(4);
    assert!(over.stderr.contains("has ended"), "{}", over.stderr);
    assert!(over.stderr.contains("guestlist login"), "{}", over.stderr);
    tells_nothing(&over, "refresh-2");
}

/// As if the token had ended.
fn make_stale(person: &Person) {
    let mut sign_in = stored(person);
    sign_in["expires"] = json!("2020-01-01T00:00:00.000Z");
    std::fs::write(sign_in_file(person), sign_in.to_string()).unwrap();
}

#[tokio::test]
async fn the_id_token_is_taken_if_it_is_the_one_the_server_knows() {
    let server = TestServer::start().await.unwrap();
    let provider = provider(json!({}));
    let mut given = tokens("opaque", 3600, "refresh-1");
    given["id_token"] = json!(server.token("alice").unwrap());
    provider.then(200, given);
    let person = Person::new();
    let url = provider.url();
    person.run(&device(&server, &url)).expect(0);
    assert_eq!(stored(&person)["kind"], "id-token");
    person.run(&["account", "show"]).expect(0);
}

#[tokio::test]
async fn a_sign_in_that_comes_to_nothing_leaves_nothing() {
    let server = TestServer::start().await.unwrap();
    let refused = |provider: &FakeProvider, code: i32, says: &str| {
        let person = Person::new();
        let url = provider.url();
        let ended = person.run(&device(&server, &url)).expect(code);
        assert!(ended.stderr.contains(says), "{says}: {}", ended.stderr);
        assert!(!directory(&person).exists());
    };
    let denied = provider(json!({}));
    denied.then_error("access_denied");
    refused(&denied, 4, "you refused");
    let expired = provider(json!({}));
    expired.then_error("expired_token");
    refused(&expired, 4, "code has expired");
    let strange = provider(json!({}));
    strange.then(
        400,
        json!({ "error": "invalid_client", "error_description": "no \u{1b}[31m" }),
    );
    refused(&strange, 4, "invalid_client");
    // Whom the server does not believe: the issuer that must be linked is named.
    let unknown = provider(json!({}));
    let elsewhere = TestServer::start().await.unwrap();
    unknown.then(200, tokens(&elsewhere.token("alice").unwrap(), 3600, "r"));
    refused(&unknown, 4, elsewhere.url());
    let opaque = provider(json!({}));
    opaque.then(200, tokens("opaque", 3600, "r"));
    refused(&opaque, 4, "no JWTs");

    let without = provider(json!({ "device_authorization_endpoint": null }));
    refused(&without, 6, "does not offer the device grant");
    let other = provider(json!({ "issuer": "https://other.example" }));
    refused(&other, 6, "https://other.example");
    let unsafe_one = provider(json!({ "token_endpoint": "http://other.example/token" }));
    refused(&unsafe_one, 6, "https://");
    let none = provider(json!({ "token_endpoint": null }));
    refused(&none, 6, "no OpenID configuration");
}

#[tokio::test]
async fn signing_in_anew_replaces_what_was_there() {
    let server = TestServer::start().await.unwrap();
    let person = Person::new();
    let key = ["login", "--url", server.url(), "--key-file", "-"];
    person.run_with(&key, server.owner_key()).expect(0);
    let token = ["login", "--token-file", "-"];
    let told = person
        .run_with(&token, &server.token("alice").unwrap())
        .expect(0);
    assert!(
        told.stdout.contains("then sign in again"),
        "{}",
        told.stdout
    );
    let exists = |name: &str| Path::exists(&directory(&person).join(name));
    assert!(exists("default.token") && !exists("default.key"));
    let broken = directory(&person).join("profiles.toml");
    std::fs::write(&broken, "default = 1").unwrap();
    person.run(&["profile", "list"]).expect(2);
}

/// The variable may have been set for something else, and a token that is sent away is given away.
#[tokio::test]
async fn what_a_profile_keeps_is_sent_to_its_server_only() {
    let (server, other) = (
        TestServer::start().await.unwrap(),
        TestServer::start().await.unwrap(),
    );
    let person = Person::new();
    let key = person.file("owner.key", server.owner_key());
    person
        .run(&[
            "login",
            "--profile",
            "mine",
            "--url",
            server.url(),
            "--key-file",
            &key,
        ])
        .expect(0);
    person
        .run(&["account", "show", "--profile", "mine"])
        .expect(0);
    let refused = person
        .run(&["account", "show", "--profile", "mine", "--url", other.url()])
        .expect(2);
    assert!(
        refused.stderr.contains("is not sent to"),
        "{}",
        refused.stderr
    );
    // With a credential of its own it is just another server; with the same URL, the same one.
    let same = format!("{}/", server.url());
    person
        .run(&["account", "show", "--profile", "mine", "--url", &same])
        .expect(0);
    person
        .run(&[
            "account",
            "show",
            "--profile",
            "mine",
            "--url",
            other.url(),
            "--key-file",
            &key,
        ])
        .expect(4);
}
