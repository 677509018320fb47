//! Tenants and what else concerns how users sign in: their whole lives, output and exit codes.

use guestlist_server::testing::TestServer;
use serde_json::json;

use crate::program::{Person, is_private};

async fn owner() -> (TestServer, Person) {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    (server, owner)
}

/// Whoever has this credential.
fn calling(server: &TestServer, variable: &str, credential: &str) -> Person {
    Person::new()
        .with("GUESTLIST_URL", server.url())
        .with(variable, credential)
}

#[tokio::test]
async fn a_tenant_is_made_listed_shown_changed_and_deleted() {
    let (_server, owner) = owner().await;
    let made = owner
        .say("tenant create acme --name Acme --domain acme.example --lookup acme --connection con_1 --token-duration PT1H --json")
        .expect(0);
    let mut made = made.json();
    assert!(made["createdTime"].is_string());
    made["createdTime"] = json!(null);
    assert_eq!(
        made,
        json!({"tenantId": "acme", "tenantLookupIdentifier": "acme", "data": {"name": "Acme"},
            "domains": [{"domain": "acme.example"}], "connection": {"connectionId": "con_1"},
            "tokenConfiguration": {"accessTokenDuration": "PT1H"}, "createdTime": null})
    );
    owner.say("tenant create acme").expect(5);
    owner
        .say("tenant create b --token-duration PT25H")
        .expect(2);
    let list = owner.say("tenant list --filter ACME.EX").expect(0);
    let lines: Vec<&str> = list.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", list.stdout);
    assert!(lines[0].starts_with("TENANT") && lines[1].contains("acme.example"));
    owner
        .say("tenant link acme bob alice")
        .expect(0)
        .saying("alice belongs");
    owner.say("tenant link acme sc_1").expect(2);
    owner.say("tenant link other bob").expect(3);
    let yaml = owner.say("tenant show acme --yaml").expect(0);
    let changed = yaml.stdout.replace("name: Acme", "name: Acme Ltd");
    owner
        .run_with(&["tenant", "edit", "acme", "-f", "-"], &changed)
        .expect(0);
    let shown = owner.say("tenant show acme").expect(0);
    assert!(shown.stdout.contains("Acme Ltd"), "{}", shown.stdout);
    owner.say("tenant delete acme --yes").expect(0);
    owner.say("tenant show acme").expect(3);
}

#[tokio::test]
async fn a_connection_is_made_listed_shown_changed_and_deleted_and_its_secret_never_told() {
    const SECRET: &str = "canary-of-the-provider";
    let (_server, owner) = owner().await;
    let secret = owner.file("acme.secret", &format!("{SECRET}\n"));
    let made = owner
        .run(&[
            "connection",
            "create",
            "con_acme",
            "--type",
            "oauth2",
            "--token-url",
            "https://login.acme.example/token",
            "--client-id",
            "our.client",
            "--client-secret-file",
            &secret,
            "--tag",
            "team=identity",
            "--json",
        ])
        .expect(0);
    assert_eq!(made.json()["hasClientSecret"], true);
    owner.say("connection create con_acme").expect(5);
    owner.say("connection create --type other").expect(2);
    let shown = owner.say("connection show con_acme").expect(0);
    assert!(shown.stdout.contains("kept, encrypted"), "{}", shown.stdout);
    let list = owner.say("connection list --filter OUR.CLIENT").expect(0);
    assert!(list.stdout.contains("con_acme"), "{}", list.stdout);
    // What was shown can be given back; the secret stays.
    let yaml = owner.say("connection show con_acme --yaml").expect(0);
    let kept = owner.run_with(&["connection", "edit", "con_acme", "-f", "-"], &yaml.stdout);
    let kept = kept.expect(0);
    let elsewhere = yaml.stdout.replace("login.acme", "evil");
    let elsewhere = owner.file("elsewhere.yaml", &elsewhere);
    owner
        .run(&["connection", "edit", "con_acme", "-f", &elsewhere])
        .expect(2)
        .saying("clientSecret");
    let moved = owner.run(&[
        "connection",
        "edit",
        "con_acme",
        "-f",
        &elsewhere,
        "--client-secret-file",
        &secret,
    ]);
    let moved = moved.expect(0);
    for ended in [&made, &shown, &list, &yaml, &kept, &moved] {
        assert!(!ended.stdout.contains(SECRET), "{}", ended.stdout);
        assert!(!ended.stderr.contains(SECRET), "{}", ended.stderr);
    }
    owner.say("connection delete con_acme --yes").expect(0);
    owner.say("connection show con_acme").expect(3);
}

#[tokio::test]
async fn an_application_is_made_listed_shown_changed_and_deleted() {
    let (_server, owner) = owner().await;
    let made = owner
        .say("application create --name Shop --redirect-url https://shop.example --sessions single --audience shop --tag team=shop --json")
        .expect(0)
        .json();
    let id = made["applicationId"].as_str().unwrap();
    assert_eq!(made["sessionType"], "SINGLE_SESSION");
    owner
        .say("application create --name A --redirect-url localhost:3000")
        .expect(2);
    let list = owner.say("application list --filter SHOP.EX").expect(0);
    assert!(list.stdout.contains(id), "{}", list.stdout);
    let yaml = owner
        .say(&format!("application show {id} --yaml"))
        .expect(0);
    let changed = yaml.stdout.replace("name: Shop", "name: Store");
    owner
        .run_with(&["application", "edit", id, "-f", "-"], &changed)
        .expect(0);
    let shown = owner.say(&format!("application show {id}")).expect(0);
    assert!(shown.stdout.contains("Store"), "{}", shown.stdout);
    let other = owner
        .say("application create --name Other --json")
        .expect(0);
    let other = owner.file("other.json", &other.stdout);
    owner
        .run(&["application", "edit", id, "-f", &other])
        .expect(2)
        .saying("applicationId: this is the application");
    owner
        .say(&format!("application delete {id} --yes"))
        .expect(0);
    owner.say(&format!("application show {id}")).expect(3);
}

#[tokio::test]
async fn an_extension_is_made_listed_shown_changed_and_deleted() {
    let (_server, owner) = owner().await;
    let made = owner
        .say("extension create --name Weather --redirect-url https://weather.example --rate-limit 1000/1h --json")
        .expect(0)
        .json();
    let id = made["extensionId"].as_str().unwrap();
    let client = made["client"]["clientId"].as_str().unwrap();
    assert_eq!(
        made["client"]["rateLimits"],
        json!([{"duration": "PT1H", "quota": 1000}])
    );
    owner.say("extension create --rate-limit 1000").expect(2);
    let shown = owner.say(&format!("client show {client}")).expect(0);
    assert!(shown.stdout.contains("1000/1h"), "{}", shown.stdout);
    let list = owner.say("extension list --filter weather").expect(0);
    assert!(
        list.stdout.contains(id) && list.stdout.contains(client),
        "{}",
        list.stdout
    );
    let application = made["application"]["applicationId"].as_str().unwrap();
    owner
        .say(&format!("application delete {application} --yes"))
        .expect(5);
    let yaml = owner.say(&format!("extension show {id} --yaml")).expect(0);
    let changed = yaml.stdout.replace("quota: 1000", "quota: 100");
    owner
        .run_with(&["extension", "edit", id, "-f", "-"], &changed)
        .expect(0);
    let shown = owner.say(&format!("extension show {id}")).expect(0);
    assert!(shown.stdout.contains("100/1h"), "{}", shown.stdout);
    owner.say(&format!("extension delete {id} --yes")).expect(0);
    owner.say(&format!("client show {client}")).expect(3);
}

#[tokio::test]
async fn a_token_of_a_user_is_made_by_a_machine_and_disabled() {
    let (server, owner) = owner().await;
    owner
        .say("token create ann --role ro_viewer --on projects/42")
        .expect(4)
        .saying("grantTokenGeneration");
    let made = owner
        .say("client create --option grant-token-generation --json")
        .expect(0);
    let client = made.json()["clientId"].as_str().unwrap().to_owned();
    let key = owner
        .say(&format!("key create {client} --json"))
        .expect(0)
        .json();
    let maker = calling(&server, "GUESTLIST_KEY", key["accessKey"].as_str().unwrap());
    maker.say("token create ann --role ro_viewer").expect(2);
    maker
        .say("token create ann --everything --role ro_viewer --on a")
        .expect(2);
    maker
        .say("token create ann --role ro_viewer --on projects/42 --expires 25h")
        .expect(2);
    let claims = owner.file(
        "claims.yaml",
        "defaultClaims:\n  defaultAccessTokenClaims:\n    plan: gold\n",
    );
    let said = owner
        .run(&["token", "configure", "ann", "-f", &claims])
        .expect(0);
    assert!(said.stdout.contains("plan: \"gold\""), "{}", said.stdout);
    let made = maker
        .say("token create ann --role ro_viewer --on projects/42,projects/43 --expires 1h --json")
        .expect(0)
        .json();
    let token = made["token"].as_str().unwrap();
    let bearer = calling(&server, "GUESTLIST_TOKEN", token);
    bearer.say("check ann projects/42 documents:read").expect(1);
    owner
        .say("record create --name Ann --user ann --role ro_editor --on projects/42")
        .expect(0);
    bearer.say("check ann projects/42 documents:read").expect(0);
    bearer
        .say("check ann projects/42 documents:write")
        .expect(1);
    bearer.say("account show").expect(4);
    let id = made["tokenId"].as_str().unwrap();
    maker.say(&format!("token disable ann {id}")).expect(0);
    bearer.say("check ann projects/42 documents:read").expect(4);
    maker.say(&format!("token disable ann {id}")).expect(3);
    // Into a file: then it is said nowhere else.
    let out = maker.home.path().join("ann.token");
    let kept = maker.run(&[
        "token",
        "create",
        "ann",
        "--everything",
        "--out",
        "ann.token",
    ]);
    let kept = kept.expect(0);
    let token = std::fs::read_to_string(&out).unwrap();
    assert!(is_private(&out));
    assert!(!kept.stdout.contains(token.trim()) && !kept.stderr.contains(token.trim()));
    let bearer = calling(&server, "GUESTLIST_TOKEN", token.trim());
    bearer.say("what-can ann").expect(0);
}

#[tokio::test]
async fn an_access_key_is_exchanged_for_a_token() {
    let (server, owner) = owner().await;
    let key = owner.file("owner.key", server.owner_key());
    let said = owner
        .run(&["token", "exchange", "--client-key-file", &key])
        .expect(0);
    let bearer = calling(&server, "GUESTLIST_TOKEN", said.stdout.trim());
    bearer.say("account show").expect(0);
    assert!(!said.stderr.contains(said.stdout.trim()));
    for (name, wrong, code) in [("a", "not a key", 2), ("b", "sc_1.k.acc-1.AAAA", 4)] {
        let file = owner.file(name, wrong);
        let said = owner.run(&["token", "exchange", "--client-key-file", &file]);
        let said = said.expect(code);
        assert!(!said.stderr.contains("AAAA"), "{}", said.stderr);
    }
}
