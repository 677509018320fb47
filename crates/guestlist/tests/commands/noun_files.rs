//! Objects from files: what a file may say, what it was made from, and how mistakes are told.

use guestlist_server::testing::TestServer;

use crate::program::Person;

async fn owner() -> (TestServer, Person) {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    (server, owner)
}

#[tokio::test]
async fn a_file_of_one_object_does_not_become_another() {
    let (_server, owner) = owner().await;
    let client = |name: &str| {
        let made = owner.run(&["client", "create", "--name", name, "--json"]);
        let made = made.expect(0);
        let id = made.json()["clientId"].as_str().unwrap().to_owned();
        (id, owner.file(&format!("{name}.json"), &made.stdout))
    };
    let (first, first_file) = client("first");
    let (second, second_file) = client("second");
    owner
        .run(&["client", "edit", &first, "-f", &second_file])
        .expect(2)
        .saying(&format!(
            "second.json: clientId: this is the client {second}"
        ));
    let shown = owner.run(&["client", "show", &first, "--json"]).expect(0);
    assert_eq!(shown.json()["name"], "first");
    owner
        .run(&["client", "edit", &first, "-f", &first_file])
        .expect(0);
    // Of the others the server sees it.
    for (noun, id, text) in [
        (
            "role",
            "ro_viewer",
            "roleId: ro_editor\nname: A\npermissions: []\n",
        ),
        (
            "record",
            "rec_sample",
            "recordId: rec_x\nname: A\nstatements: [{roles: [ro_viewer], resources: [{resourceUri: a}]}]\n",
        ),
    ] {
        let file = owner.file("other.yaml", text);
        owner
            .run(&[noun, "edit", id, "-f", &file])
            .expect(2)
            .saying(&format!("must be {id}"));
    }
}

/// `show --yaml > file`, and somebody else changes the object before `edit -f file`.
#[tokio::test]
async fn a_file_made_before_a_change_does_not_undo_it() {
    let (_server, owner) = owner().await;
    owner
        .say("group create grp_team --name Team --user bob")
        .expect(0);
    owner
        .say("record create rec_team --name Team --group grp_team --role ro_viewer --on a")
        .expect(0);
    for (noun, id) in [("group", "grp_team"), ("record", "rec_team")] {
        let show = || owner.run(&[noun, "show", id, "--yaml"]).expect(0).stdout;
        let edit = |text: &str| {
            let file = owner.file("edited.yaml", text);
            owner.run(&[noun, "edit", id, "-f", &file])
        };
        let named = |text: &str, name: &str| text.replace("name: Team", &format!("name: {name}"));
        let stale = show();
        edit(&named(&stale, "Theirs")).expect(0);
        edit(&named(&stale, "Mine")).expect(5).saying("lastUpdated");
        assert!(show().contains("name: Theirs"), "{noun}");
        // Whoever takes the member out means it.
        let without: Vec<&str> = stale
            .lines()
            .filter(|line| !line.starts_with("lastUpdated:"))
            .collect();
        edit(&named(&without.join("\n"), "Mine")).expect(0);
        assert!(show().contains("name: Mine"), "{noun}");
    }
}

#[tokio::test]
async fn a_mistake_is_told_with_file_line_and_member() {
    let (_server, owner) = owner().await;
    for (text, expected) in [
        (
            "name: A\npermisions: []\n",
            "member permisions here at line 2",
        ),
        (
            "name: A\npermissions:\n- action: a\n  allow: true\n  grant: false\n  delegate: false\n  deny: true\n",
            "member permissions[0].deny here at line 7",
        ),
        (
            "name: A\npermissions:\n- action: a\n  allow: 12\n",
            "permissions[0].allow: invalid type: integer `12`, expected a boolean at line 4",
        ),
        (
            "name: A\nname: B\npermissions: []\n",
            "duplicate field `name`",
        ),
        ("{\"name\": \"A\",", "at line 2 column 1"),
        (
            "name: A\npermissions: []\n---\nname: B\npermissions: []\n",
            "more than one document",
        ),
        ("", "missing field `name`"),
    ] {
        let file = owner.file("role.yaml", text);
        let told = owner.run(&["role", "create", "ro_x", "--name", "A", "-f", &file]);
        told.expect(2).saying("cannot be used with");
        let told = owner.run(&["role", "create", "-f", &file]).expect(2);
        assert!(told.stderr.contains("role.yaml: "), "{}", told.stderr);
        assert!(
            told.stderr.contains(expected),
            "{expected}: {}",
            told.stderr
        );
        let told = owner
            .run_with(&["role", "create", "-f", "-"], text)
            .expect(2);
        assert!(told.stderr.contains("standard input: "), "{}", told.stderr);
    }
    owner
        .run(&["group", "create", "grp_x", "--name", "a\nb"])
        .expect(2)
        .saying("'--name <NAME>': must not contain control characters");
}

#[tokio::test]
async fn members_that_only_answers_have_may_stay() {
    let (_server, owner) = owner().await;
    owner.say("group create grp_a --name A --tag a=b").expect(0);
    for (noun, id) in [
        ("record", "rec_sample"),
        ("group", "grp_a"),
        ("role", "ro_viewer"),
    ] {
        for format in ["--json", "--yaml"] {
            let shown = owner.run(&[noun, "show", id, format]).expect(0).stdout;
            owner
                .run_with(&[noun, "edit", id, "-f", "-"], &shown)
                .expect(0);
        }
    }
}
