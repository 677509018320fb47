//! Records, roles, groups, clients, keys and issuers: their whole lives, output and exit codes.

use guestlist_server::testing::TestServer;
use serde_json::json;

use crate::program::{Person, is_private};

async fn server() -> TestServer {
    TestServer::start().await.unwrap()
}

#[tokio::test]
async fn a_role_is_made_listed_shown_changed_and_deleted() {
    let server = server().await;
    let owner = Person::owner(&server);
    let made = owner
        .run(&[
            "role",
            "create",
            "ro_notes",
            "--name",
            "Notes",
            "--description",
            "May read notes",
            "--allow",
            "notes:read",
            "--grant",
            "NOTES:READ",
            "--allow",
            "notes:list",
            "--json",
        ])
        .expect(0);
    assert_eq!(
        made.json(),
        json!({"roleId": "ro_notes", "name": "Notes", "description": "May read notes",
            "permissions": [
                {"action": "notes:list", "allow": true, "grant": false, "delegate": false},
                {"action": "notes:read", "allow": true, "grant": true, "delegate": false}]})
    );
    let list = owner.run(&["role", "list", "--filter", "notes"]).expect(0);
    let lines: Vec<&str> = list.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", list.stdout);
    assert!(lines[0].starts_with("ROLE") && lines[1].starts_with("ro_notes  Notes"));
    assert!(list.stderr.is_empty());
    let shown = owner.run(&["role", "show", "ro_notes"]).expect(0);
    assert!(
        shown.stdout.contains("notes:read (allow, grant)"),
        "{}",
        shown.stdout
    );
    let yaml = owner.run(&["role", "show", "ro_notes", "--yaml"]).expect(0);
    let changed = yaml.stdout.replace("name: Notes", "name: All notes");
    owner
        .run_with(&["role", "edit", "ro_notes", "-f", "-"], &changed)
        .expect(0);
    let shown = owner.run(&["role", "show", "ro_notes", "--json"]).expect(0);
    assert_eq!(shown.json()["name"], "All notes");
    let unasked = owner.run(&["role", "delete", "ro_notes"]).expect(2);
    assert!(unasked.stderr.contains("--yes"), "{}", unasked.stderr);
    owner.run(&["role", "delete", "ro_notes", "-y"]).expect(0);
    owner.run(&["role", "show", "ro_notes"]).expect(3);
}

#[tokio::test]
async fn a_record_and_a_group_give_access_until_they_are_deleted() {
    let server = server().await;
    let owner = Person::owner(&server);
    owner
        .run(&[
            "group",
            "create",
            "grp_team",
            "--name",
            "Team",
            "--user",
            "google|1/2",
            "--admin",
            "alice",
            "--tag",
            "team=billing",
        ])
        .expect(0);
    owner
        .run(&[
            "record",
            "create",
            "rec_team",
            "--name",
            "Team",
            "--group",
            "grp_team",
            "--role",
            "ro_editor",
            "--on",
            "projects/42",
            "--on",
            "projects/7",
            "--quiet",
        ])
        .expect(0);
    let shown = owner.run(&["record", "show", "rec_team"]).expect(0);
    assert!(
        shown
            .stdout
            .contains("ro_editor on projects/42, projects/7"),
        "{}",
        shown.stdout
    );
    let group = owner
        .run(&["group", "show", "grp_team", "--json"])
        .expect(0);
    assert_eq!(group.json()["users"][0]["userId"], "google|1/2");
    assert_eq!(group.json()["tags"]["team"], "billing");
    owner
        .run(&["record", "delete", "rec_team", "--yes"])
        .expect(0);
    let deleted = owner
        .run(&["record", "list", "--status", "deleted", "--json"])
        .expect(0);
    assert_eq!(deleted.json()[0]["recordId"], "rec_team");
    owner
        .run(&["group", "delete", "grp_team", "--yes"])
        .expect(0);
    assert!(
        owner
            .run(&["group", "list"])
            .expect(0)
            .stderr
            .contains("There are none")
    );
}

#[tokio::test]
async fn a_key_is_told_once_or_written_where_only_its_owner_reads_it() {
    let server = server().await;
    let owner = Person::owner(&server);
    let client = owner
        .run(&["client", "create", "--name", "Billing", "--json"])
        .expect(0)
        .json();
    let id = client["clientId"].as_str().unwrap();
    let path = owner.home.path().join("billing.key");
    let out = path.to_str().unwrap();
    let made = owner.run(&["key", "create", id, "--out", out]).expect(0);
    let key = std::fs::read_to_string(&path).unwrap();
    assert!(is_private(&path));
    assert!(!made.stdout.contains(key.trim()) && !made.stderr.contains(key.trim()));
    let mine = Person::new()
        .with("GUESTLIST_URL", server.url())
        .run(&["account", "show", "--json", "--key-file", out])
        .expect(0);
    assert_eq!(mine.json()[0]["accountId"], server.account_id().as_str());
    // An existing file is left alone, and no key is made.
    owner.run(&["key", "create", id, "--out", out]).expect(7);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), key);
    // Alone on standard output, so that it can be piped somewhere.
    let alone = owner.run(&["key", "create", id]).expect(0).stdout;
    assert_eq!(alone.lines().count(), 1, "{alone}");
    assert!(alone.starts_with(&format!("{id}.")), "{alone}");
    let told = owner.run(&["key", "create", id, "--json"]).expect(0).json();
    assert!(told["accessKey"].as_str().unwrap().starts_with(id));
    let keys = owner.run(&["key", "list", id, "--json"]).expect(0).json();
    assert_eq!(keys.as_array().unwrap().len(), 3);
    let key_id = told["keyId"].as_str().unwrap();
    owner.run(&["key", "delete", id, key_id, "-y"]).expect(0);
    // Of a key that somebody keeps, there is nothing to tell.
    let public = owner.file(
        "public.txt",
        "MCowBQYDK2VwAyEAipXT25p9XHZoFLinuJC03/RTWAcYjd3/kklS7JWlauk=\n",
    );
    let kept = ["key", "create", id, "--public-key", &public, "--json"];
    let kept = owner.run(&kept).expect(0).json();
    assert_eq!(kept.get("accessKey").or(kept.get("clientSecret")), None);
    owner
        .run(&["key", "list", id])
        .expect(0)
        .saying("handed in");
    // A key for nobody leaves no file behind.
    let nowhere = owner.home.path().join("none.key");
    owner
        .run(&[
            "key",
            "create",
            "sc_none",
            "--out",
            nowhere.to_str().unwrap(),
        ])
        .expect(3);
    assert!(!nowhere.exists());
}

#[tokio::test]
async fn an_issuer_is_linked_from_its_name() {
    let server = server().await;
    let owner = Person::owner(&server);
    owner
        .run(&[
            "identity",
            "link",
            "--issuer",
            "http://127.0.0.1:19999",
            "--audience",
            "guestlist",
            "--user-id",
            "test|{sub}",
        ])
        .expect(0);
    let list = owner.run(&["identity", "list", "--json"]).expect(0).json();
    let linked = list.as_array().unwrap().iter().any(|identity| {
        identity["issuer"] == "http://127.0.0.1:19999"
            && identity["userIdExpression"] == "test|{sub}"
    });
    assert!(linked, "{list}");
}

#[tokio::test]
async fn exit_codes_tell_what_went_wrong() {
    let server = server().await;
    let owner = Person::owner(&server);
    let mallory = Person::user(&server, "mallory");
    owner.run(&["role", "show", "ro_none"]).expect(3);
    mallory
        .run(&["role", "create", "ro_x", "--name", "X", "--allow", "x"])
        .expect(4);
    owner
        .run(&["role", "create", "ro_editor", "--name", "X", "--allow", "x"])
        .expect(5);
    owner.run(&["role", "show", "not an id"]).expect(2);
    owner
        .run(&[
            "role",
            "create",
            "ro_y",
            "--name",
            "Y",
            "--allow",
            "not an action",
        ])
        .expect(2);
    Person::new()
        .with("GUESTLIST_URL", "http://127.0.0.1:1")
        .run(&["role", "list", "--timeout", "2"])
        .expect(6);
    Person::new().run(&["role", "list"]).expect(2);
    let file = owner.file("role.yaml", "name: Y\npermisions: []\n");
    let refused = owner.run(&["role", "create", "-f", &file]).expect(2);
    assert!(refused.stderr.contains("role.yaml"), "{}", refused.stderr);
    owner
        .run(&["role", "create", "-f", "missing.yaml"])
        .expect(7);
    // Programs get the same as an object.
    let refused = mallory
        .run(&[
            "role", "create", "ro_x", "--name", "X", "--allow", "x", "--json",
        ])
        .expect(4);
    let error: serde_json::Value = serde_json::from_str(refused.stderr.trim()).unwrap();
    assert_eq!(error["error"]["exitCode"], 4);
    assert_eq!(error["error"]["status"], 403);
    assert!(
        error["error"]["errorId"]
            .as_str()
            .is_some_and(|id| !id.is_empty())
    );
    assert!(refused.stdout.is_empty());
}

#[tokio::test]
async fn a_secret_is_on_no_argument_and_in_no_message() {
    let server = server().await;
    let secret = "sc_a.key_b.acc-c.bm90IGEga2V5IG5vdCBhIGtleQ==";
    let person = Person::new().with("GUESTLIST_URL", server.url());
    let file = person.file("bad.key", secret);
    for ended in [
        person.run(&["role", "list", "--key-file", &file]).expect(4),
        person
            .run_with(&["role", "list", "--key-file", "-"], secret)
            .expect(4),
        Person::new()
            .with("GUESTLIST_URL", server.url())
            .with("GUESTLIST_KEY", secret)
            .run(&["role", "list"])
            .expect(4),
    ] {
        assert!(!ended.stderr.contains("bm90"), "{}", ended.stderr);
    }
    let open = person.run(&["account", "show", "--key-file", &file]);
    assert!(open.stderr.contains("chmod 600"), "{}", open.stderr);
}

#[tokio::test]
async fn standard_input_is_one_thing_only() {
    let server = server().await;
    let person = Person::new().with("GUESTLIST_URL", server.url());
    let both = person
        .run_with(
            &["role", "create", "-f", "-", "--key-file", "-"],
            server.owner_key(),
        )
        .expect(2);
    assert!(both.stderr.contains("two things"), "{}", both.stderr);
}

#[tokio::test]
async fn what_everybody_may_do_is_configured_and_something_is_claimed() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    owner.say("resource show rooms").expect(3);
    owner.say("resource configure rooms").expect(2);
    owner
        .say("resource configure rooms --claim perhaps")
        .expect(2);
    owner
        .say("resource configure rooms/* --claim allow")
        .expect(2);
    owner
        .say("resource configure rooms --claim allow")
        .expect(0)
        .saying("Configured rooms");
    // What is not said stays.
    let configured = owner.say("resource configure rooms --public deny --json");
    let expected = json!({"resourceUri": "rooms", "permissions": [
        {"action": "CLAIM", "allow": true}, {"action": "PUBLIC", "allow": false}]});
    assert_eq!(configured.expect(0).json(), expected);
    assert_eq!(
        owner.say("resource show /rooms --json").expect(0).json(),
        expected
    );
    let list = owner.say("resource list --filter ROOM").expect(0);
    let lines: Vec<&str> = list.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", list.stdout);
    assert!(lines[0].starts_with("RESOURCE") && lines[1].contains("deny"));
    let claimed = owner.say("claim rooms 1 --json").expect(0);
    assert_eq!(claimed.json(), json!({"resourceUri": "rooms/1"}));
    owner.say("claim rooms 1").expect(5);
    owner.say("claim rooms 1/2").expect(2);
    let file = r#"{"permissions": [{"action": "PUBLIC", "allow": true}]}"#;
    owner
        .run_with(&["resource", "configure", "rooms", "-f", "-"], file)
        .expect(0);
    let why = owner.say("check zoe rooms/9 read --why").expect(0);
    assert!(why.stdout.contains("Everybody"), "{}", why.stdout);
    owner.say("check zoe rooms/9 write").expect(1);
}
