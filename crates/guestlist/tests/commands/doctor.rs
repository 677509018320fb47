//! What the doctor finds, and what it advises.

use guestlist_client::{Client, Credentials};
use guestlist_server::testing::TestServer;
use serde_json::{Value, json};

use crate::fake_server::{FakeServer, Reply};
use crate::program::Person;

/// How a check ended and what was found, if it was made.
fn finding(report: &Value, check: &str) -> Option<(String, String)> {
    let checks = report["checks"].as_array().unwrap();
    let finding = checks.iter().find(|finding| finding["check"] == check)?;
    let text = |member: &str| finding[member].as_str().unwrap_or_default().to_owned();
    Some((
        text("state"),
        format!("{} | {}", text("found"), text("advice")),
    ))
}

#[track_caller]
fn expect(report: &Value, check: &str, state: &str, says: &str) {
    let (found_state, text) = finding(report, check).unwrap_or_else(|| panic!("{check}: {report}"));
    assert_eq!(found_state, state, "{check}: {text}");
    assert!(text.contains(says), "{check}: {says:?} is not in {text}");
}

fn examine(person: &Person, more: &[&str], code: i32) -> Value {
    let words = [&["doctor", "--json", "--timeout", "5"], more].concat();
    person.run(&words).expect(code).json()
}

#[tokio::test]
async fn nothing_is_wrong() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::start_in(data.path()).await.unwrap();
    let owner = Person::owner(&server);
    let report = examine(&owner, &["--data", data.path().to_str().unwrap()], 0);
    assert_eq!(report["problems"], 0, "{report}");
    expect(&report, "server", "ok", "GUESTLIST_URL");
    expect(&report, "credential from", "ok", "GUESTLIST_KEY");
    expect(&report, "answer", "ok", "a Guestlist server");
    expect(&report, "clock", "ok", "agrees");
    expect(&report, "signed in", "ok", server.account_id().as_str());
    expect(&report, "may", "ok", "everything");
    expect(&report, "health", "ok", "ready, at revision");
    expect(&report, "version", "ok", env!("CARGO_PKG_VERSION"));
    expect(&report, "secrets", "ok", "all there");

    let alice = Person::user(&server, "alice");
    let shown = alice.run(&["doctor"]).expect(0);
    assert!(shown.stdout.contains("as alice"), "{}", shown.stdout);
    assert!(
        shown.stdout.contains("nothing in the administration"),
        "{}",
        shown.stdout
    );
    assert!(
        shown.stdout.ends_with("Nothing is wrong.\n"),
        "{}",
        shown.stdout
    );
    let token = server.token("alice").unwrap();
    let (_, signature) = token.rsplit_once('.').unwrap();
    let secret = server.owner_key().rsplit('.').next().unwrap();
    assert!(!shown.stdout.contains(signature) && !report.to_string().contains(secret));
}

#[tokio::test]
async fn a_credential_of_somewhere_else_deleted_or_misplaced() {
    let (server, other) = (
        TestServer::start().await.unwrap(),
        TestServer::start().await.unwrap(),
    );
    let at = |key: &str| {
        Person::new()
            .with("GUESTLIST_URL", server.url())
            .with("GUESTLIST_KEY", key)
    };
    let wrong = examine(&at(other.owner_key()), &[], 1);
    expect(&wrong, "signed in", "problem", "of another server");

    let owner = Credentials::access_key(server.owner_key()).unwrap();
    let client = Client::new(server.url(), owner).unwrap();
    let clients = client.service_clients();
    let request = guestlist_api::clients::ClientRequest::new().name("Other".parse().unwrap());
    let made = clients.create_client(&request).await.unwrap();
    let request = guestlist_api::clients::AccessKeyRequest::new();
    let key = clients
        .request_access_key(&made.client_id, &request)
        .await
        .unwrap();
    let text = key.access_key.as_ref().unwrap().reveal().to_owned();
    // The control: before it is deleted, nothing is wrong with it.
    expect(
        &examine(&at(&text), &[], 0),
        "signed in",
        "ok",
        made.client_id.as_str(),
    );
    clients
        .delete_access_key(&made.client_id, &key.key_id)
        .await
        .unwrap();
    let deleted = examine(&at(&text), &[], 1);
    expect(&deleted, "credential", "ok", made.client_id.as_str());
    expect(&deleted, "signed in", "problem", "deleted");
    assert!(
        !deleted
            .to_string()
            .contains(text.rsplit('.').next().unwrap())
    );

    let broken = examine(&at("sc_1.key_1"), &[], 1);
    expect(&broken, "credential", "problem", "four parts");
    expect(&broken, "signed in", "not-checked", "no usable credential");
    let misplaced = examine(&at(&server.token("alice").unwrap()), &[], 1);
    expect(&misplaced, "credential", "problem", "GUESTLIST_TOKEN");
    let raw = Person::new()
        .with("GUESTLIST_URL", server.url())
        .with("GUESTLIST_TOKEN", server.owner_key());
    expect(
        &examine(&raw, &[], 0),
        "credential",
        "warning",
        "--key-file",
    );
    let nobody = Person::new().with("GUESTLIST_URL", server.url());
    expect(
        &examine(&nobody, &[], 1),
        "credential from",
        "problem",
        "guestlist login",
    );
    // {"exp":1}
    let ended = Person::new()
        .with("GUESTLIST_URL", server.url())
        .with("GUESTLIST_TOKEN", "e30.eyJleHAiOjF9.c2ln");
    expect(
        &examine(&ended, &[], 1),
        "credential",
        "problem",
        "has ended",
    );
}

#[tokio::test]
async fn what_shadows_what() {
    let server = TestServer::start().await.unwrap();
    let person = Person::owner(&server);
    person.file(
        ".config/guestlist/profiles.toml",
        "default = \"prod\"\n[profile.prod]\nurl = \"http://127.0.0.1:1\"\nkey-file = \"k\"\n",
    );
    let report = examine(&person, &[], 0);
    expect(
        &report,
        "server",
        "warning",
        "default profile prod is not used",
    );
    let named = examine(&person, &["--profile", "prod"], 0);
    expect(&named, "server", "warning", "though the profile prod is of");
    expect(
        &named,
        "credential from",
        "warning",
        "goes before the profile's key-file",
    );
    let both = person.with("GUESTLIST_TOKEN", "x");
    let report = examine(&both, &[], 0);
    expect(
        &report,
        "credential from",
        "warning",
        "goes before GUESTLIST_TOKEN",
    );
    let unknown = examine(&both, &["--profile", "test"], 1);
    expect(&unknown, "server", "problem", "prod");

    let token = both.file("open.token", &server.token("alice").unwrap());
    let report = examine(&both, &["--token-file", &token], 0);
    expect(&report, "credential file", "warning", "chmod 600");
    let missing = examine(&both, &["--token-file", "absent"], 1);
    expect(&missing, "credential", "problem", "absent");
    both.file(".config/guestlist/profiles.toml", "default = 1");
    expect(
        &examine(&both, &[], 1),
        "profiles",
        "problem",
        "profiles.toml",
    );
}

#[test]
fn no_way_to_a_server() {
    let person = Person::new().with("GUESTLIST_TOKEN", "x");
    let nobody = examine(&person, &["--url", "http://127.0.0.1:1"], 1);
    expect(&nobody, "connection", "problem", "Is the server running");
    expect(&nobody, "clock", "not-checked", "does not answer");
    let name = examine(&person, &["--url", "https://no-such-host.invalid"], 1);
    expect(&name, "name", "problem", "no-such-host.invalid");
    let plain = examine(&person, &["--url", "http://no-such-host.invalid"], 1);
    expect(&plain, "encryption", "warning", "https://");
    let nonsense = examine(&person, &["--url", "nonsense"], 1);
    expect(&nonsense, "server", "ok", "nonsense");
    assert!(nonsense["problems"].as_u64().unwrap() > 0);
    let unnamed = examine(&person, &[], 1);
    expect(&unnamed, "server", "problem", "--url");
    let proxy = Person::new()
        .with("GUESTLIST_TOKEN", "x")
        .with("HTTP_PROXY", "http://user:password@127.0.0.1:1");
    let proxied = examine(&proxy, &["--url", "http://no-such-host.invalid"], 1);
    expect(&proxied, "proxy", "ok", "127.0.0.1:1, from HTTP_PROXY");
    expect(&proxied, "answer", "problem", "by the proxy 127.0.0.1:1");
    assert!(!proxied.to_string().contains("password"), "{proxied}");
}

#[test]
fn something_else_listens_there() {
    let at = |server: &FakeServer| {
        Person::new()
            .with("GUESTLIST_URL", &server.url())
            .with("GUESTLIST_TOKEN", "x")
    };
    let other = FakeServer::start(|_| Reply {
        status: 200,
        headers: vec![("Server", "nginx".to_owned())],
        body: "<html>".to_owned(),
    });
    let report = examine(&at(&other), &[], 1);
    expect(&report, "answer", "problem", "no Guestlist server");
    let moved = FakeServer::start(|_| {
        Reply::json(301, &json!({})).with("Location", "https://new.example.com")
    });
    let report = examine(&at(&moved), &[], 1);
    expect(
        &report,
        "answer",
        "problem",
        "redirects to https://new.example.com",
    );
    let busy = FakeServer::start(|_| Reply::json(503, &json!({})));
    expect(
        &examine(&at(&busy), &[], 1),
        "answer",
        "problem",
        "status 503",
    );
    // HTTP where TLS was meant.
    let url = other.url().replace("http://", "https://");
    let report = examine(&at(&other), &["--url", &url], 1);
    expect(&report, "answer", "problem", "TLS");
}

#[test]
fn a_clock_that_is_wrong_is_told() {
    // Ten years ago; our own clock may be anything but that.
    let server = FakeServer::start(|asked| {
        let body = match asked.path.as_str() {
            "/.well-known/openid-configuration" => json!({ "issuer": "i", "jwks_uri": "k" }),
            "/v1/accounts" => json!({ "accounts": [{ "accountId": "acc-1", "links": {} }] }),
            "/readyz" => json!({ "status": "ready", "revision": 7 }),
            "/openapi.json" => json!({ "info": { "version": "9.9.0" } }),
            _ => json!({}),
        };
        Reply::json(200, &body)
            .with("Date", "Fri, 01 Jan 2016 00:00:00 GMT")
            .with("Guestlist-Revision", "7")
    });
    let person = Person::new()
        .with("GUESTLIST_URL", &server.url())
        .with("GUESTLIST_TOKEN", "x");
    let report = examine(&person, &[], 0);
    expect(&report, "clock", "warning", "days ahead of");
    expect(&report, "clock", "warning", "NTP");
    expect(&report, "version", "warning", "the server is 9.9.0");
    let shown = person.run(&["doctor"]).expect(0);
    assert!(shown.stdout.contains("warnings."), "{}", shown.stdout);
}
