//! Questions on the command line: may somebody, who may, and what may somebody do.

use guestlist_server::testing::TestServer;

use crate::fake_server::{FakeServer, Reply};
use crate::program::Person;

/// Bob, with an invite that he accepted.
async fn invited() -> (TestServer, Person, String) {
    let server = TestServer::start().await.unwrap();
    let (alice, bob) = (Person::user(&server, "alice"), Person::user(&server, "bob"));
    let create = [
        "invite",
        "create",
        "--role",
        "ro_editor",
        "--on",
        "projects/42",
    ];
    let id = alice.run(&create).expect(0).stdout;
    bob.run_with(&["invite", "accept", "-"], &id).expect(0);
    let reference = id.split('_').nth(1).unwrap().to_owned();
    (server, bob, reference)
}

#[tokio::test]
async fn a_check_is_answered_by_its_exit_code() {
    let (server, bob, reference) = invited().await;
    let owner = Person::owner(&server);
    for person in [&bob, &owner] {
        let yes = person.run(&["check", "bob", "projects/42/x", "documents:write"]);
        assert_eq!(yes.expect(0).stdout, "yes\n");
        let no = person
            .run(&["check", "bob", "projects/43", "documents:write"])
            .expect(1);
        assert_eq!((no.stdout.as_str(), no.stderr.as_str()), ("no\n", ""));
    }
    let no = owner
        .run(&["check", "bob", "projects/43", "x", "--json"])
        .expect(1);
    assert_eq!(no.json()["allowed"], false);

    let why = ["check", "bob", "projects/42", "documents:write", "--why"];
    let why = owner.run(&why).expect(0);
    for text in [
        "yes",
        "bob",
        "ro_editor",
        "projects/42",
        "documents:write",
        &reference,
    ] {
        assert!(why.stdout.contains(text), "{text}: {}", why.stdout);
    }
    let why = [
        "check",
        "bob",
        "projects/42",
        "documents:write",
        "--why",
        "--json",
    ];
    let because = owner.run(&why).expect(0).json()["because"].clone();
    assert_eq!(because["inviteReference"], reference.as_str());
    // Bob may not read the record: he is told that he is not told.
    let hidden = bob.run(&["check", "bob", "projects/42", "documents:write", "--why"]);
    let hidden = hidden.expect(0);
    assert!(
        hidden.stdout.contains("you may not read it"),
        "{}",
        hidden.stdout
    );
    owner
        .run(&["check", "bob", "projects/43", "x", "--why"])
        .expect(1);

    // "No" is not what somebody who may not ask is told.
    let denied = bob
        .run(&["check", "alice", "projects/42", "documents:write"])
        .expect(4);
    assert!(
        denied.stderr.contains("Authress:UserPermissions"),
        "{}",
        denied.stderr
    );
    bob.run(&["check", "bob", "a*", "x"]).expect(2);
}

#[tokio::test]
async fn who_may_and_what_somebody_may() {
    let (server, bob, _) = invited().await;
    let owner = Person::owner(&server);
    let users = owner.run(&["who-can", "documents:write", "projects/42/x", "--json"]);
    let users = users.expect(0).json();
    let names: Vec<&str> = users
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["userId"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"alice") && names.contains(&"bob"),
        "{names:?}"
    );
    let table = owner
        .run(&["who-can", "documents:write", "projects/42"])
        .expect(0);
    assert!(table.stdout.contains("ro_manager"), "{}", table.stdout);
    bob.run(&["who-can", "documents:write", "projects/42"])
        .expect(4);

    let held = bob.run(&["what-can", "bob", "--json"]).expect(0).json();
    assert_eq!(held[0]["resourceUri"], "projects/42");
    assert_eq!(held[0]["roles"][0], "ro_editor");
    assert_eq!(held[0]["permissions"].as_array().unwrap().len(), 2);
    let below = bob.run(&[
        "what-can",
        "bob",
        "--under",
        "projects",
        "--action",
        "documents:read",
    ]);
    assert!(below.expect(0).stdout.contains("projects/42"));
    for none in [
        &["what-can", "bob", "--under", "other"][..],
        &["what-can", "bob", "--action", "documents:burn"],
        &[
            "what-can", "bob", "--under", "projects", "--action", "comments",
        ],
    ] {
        let none = bob.run(&[none, &["--json"]].concat()).expect(0);
        assert_eq!(none.json(), serde_json::json!([]));
    }
    bob.run(&["what-can", "alice"]).expect(4);
}

#[tokio::test]
async fn many_resources_are_listed_in_order_and_as_many_as_asked() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    let resources: Vec<String> = (0..45).map(|number| format!("many/{number:02}")).collect();
    let grant = format!("ro_viewer on {}", resources.join(","));
    let id = owner
        .run(&["invite", "create", "--grant", &grant])
        .expect(0)
        .stdout;
    let carol = Person::user(&server, "carol");
    carol.run_with(&["invite", "accept", "-"], &id).expect(0);
    let held = carol.run(&["what-can", "carol", "--json"]).expect(0).json();
    let found: Vec<&str> = held
        .as_array()
        .unwrap()
        .iter()
        .map(|held| held["resourceUri"].as_str().unwrap())
        .collect();
    assert_eq!(found, resources);
    let some = carol
        .run(&["what-can", "carol", "--limit", "7", "--json"])
        .expect(0);
    assert_eq!(some.json().as_array().unwrap().len(), 7);
    assert!(some.stderr.contains("more than these 7"), "{}", some.stderr);
}

/// A server that knows nothing of our questions answers others, which must not be believed.
#[test]
fn another_server_is_not_believed_about_who_may() {
    let server = FakeServer::start(|asked| match asked.path.as_str() {
        "/v1/accounts" => Reply::json(
            200,
            &serde_json::json!({ "accounts": [{ "accountId": "acc-1", "links": {} }] }),
        ),
        path if path.contains("/permissions/") => Reply::json(200, &serde_json::json!({})),
        _ => Reply::json(200, &serde_json::json!({ "users": [], "links": {} })),
    });
    let person = Person::new()
        .with("GUESTLIST_URL", &server.url())
        .with("GUESTLIST_TOKEN", "any");
    let refused = person.run(&["who-can", "read", "x"]).expect(2);
    assert!(
        refused.stderr.contains("no Guestlist server"),
        "{}",
        refused.stderr
    );
    let why = person
        .run(&["check", "ann", "x", "read", "--why"])
        .expect(0);
    assert!(why.stderr.contains("not why"), "{}", why.stderr);
}
