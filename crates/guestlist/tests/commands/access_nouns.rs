//! Users: their whole lives, output and exit codes.

use guestlist_server::testing::TestServer;
use serde_json::json;

use crate::program::Person;

#[tokio::test]
async fn users_are_listed_shown_and_deleted() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    for (id, user) in [("rec_1", "google|1/2"), ("rec_2", "zoe")] {
        owner
            .run(&[
                "record",
                "create",
                id,
                "--name",
                "n",
                "--user",
                user,
                "--role",
                "ro_viewer",
                "--on",
                "projects/7",
            ])
            .expect(0);
    }
    let listed = owner.run(&["user", "list", "--json"]).expect(0).json();
    let ids: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["userId"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["alice", "google|1/2", "zoe"]);
    let table = owner.run(&["user", "list", "--filter", "ZO"]).expect(0);
    let lines: Vec<&str> = table.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", table.stdout);
    assert!(lines[0].starts_with("USER") && lines[1].starts_with("zoe"));
    let shown = owner
        .run(&["user", "show", "google|1/2", "--json"])
        .expect(0);
    assert_eq!(
        shown.json(),
        json!({"userId": "google|1/2", "linkedIdentities": []})
    );
    owner
        .run(&["user", "delete", "zoe"])
        .expect(2)
        .saying("--yes");
    owner
        .run(&["user", "delete", "google|1/2", "zoe", "--yes"])
        .expect(0)
        .saying("Deleted the user zoe.");
    owner.run(&["user", "show", "zoe"]).expect(3);
    owner.run(&["user", "delete", "zoe", "-y"]).expect(3);
    owner
        .run(&["check", "zoe", "projects/7", "documents:read"])
        .expect(1);
    let stranger = Person::user(&server, "stranger");
    stranger.run(&["user", "list"]).expect(4);
    stranger.run(&["user", "show", "stranger"]).expect(0);
}

#[tokio::test]
async fn access_is_asked_for_given_denied_and_taken_back() {
    let server = TestServer::start().await.unwrap();
    let (owner, bob) = (Person::owner(&server), Person::user(&server, "bob"));
    let ask = |resource: &str| {
        let made = bob
            .run(&[
                "request",
                "create",
                "--user",
                "bob",
                "--role",
                "ro_viewer",
                "--on",
                resource,
                "--json",
            ])
            .expect(0);
        made.json()["requestId"].as_str().unwrap().to_owned()
    };
    let (yes, no, back) = (ask("projects/1"), ask("projects/2"), ask("projects/3"));
    let check = |resource: &str| ["check", "bob", resource, "documents:read"].map(str::to_owned);
    let may = |resource: &str, code| {
        let words = check(resource);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        owner.run(&words).expect(code);
    };
    may("projects/1", 1);
    bob.run(&["request", "approve", &yes]).expect(3);
    owner
        .run(&["request", "approve", &yes])
        .expect(0)
        .saying("Approved the access request");
    owner
        .run(&["request", "deny", &no])
        .expect(0)
        .saying("Denied the access request");
    may("projects/1", 0);
    may("projects/2", 1);
    owner
        .run(&["record", "show", &format!("req:{yes}")])
        .expect(0);
    owner.run(&["request", "deny", &yes]).expect(5);
    bob.run(&["request", "delete", &back])
        .expect(2)
        .saying("--yes");
    bob.run(&["request", "delete", &back, "--yes"]).expect(0);
    let list = bob.run(&["request", "list"]).expect(0);
    assert_eq!(list.stdout.lines().count(), 3, "{}", list.stdout);
    assert!(list.stdout.contains("ro_viewer on projects/1"));
    let denied = bob
        .run(&["request", "list", "--status", "denied", "--json"])
        .expect(0);
    assert_eq!(denied.json()[0]["requestId"], no.as_str());
    let shown = bob.run(&["request", "show", &back]).expect(0);
    assert!(shown.stdout.contains("DELETED"), "{}", shown.stdout);
}
