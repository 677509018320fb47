//! Tenants and what else concerns how users sign in: their whole lives, output and exit codes.

use guestlist_server::testing::TestServer;
use serde_json::json;

use crate::program::Person;

async fn owner() -> (TestServer, Person) {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    (server, owner)
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
