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
