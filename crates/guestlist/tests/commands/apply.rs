//! An account made to match a folder: apply and diff.

use std::fmt::Write as _;
use std::path::Path;

use guestlist_server::testing::TestServer;
use serde_json::{Value, json};

use crate::between::Between;
use crate::program::Person;
use crate::pseudo_terminal::PseudoTerminal;

pub(crate) const ROLES: &str = "\
kind: Role
roleId: ro_reader
name: Reader
permissions: [{action: 'notes:read', allow: true, grant: false, delegate: false}]
---
kind: Role
roleId: ro_writer
name: Writer
description: Writes notes
permissions: [{action: notes, allow: true, grant: false, delegate: false}]
";
pub(crate) const GROUPS: &str = r#"{"kind": "Group", "groupId": "grp_writers", "name": "Writers",
    "users": [{"userId": "carol"}, {"userId": "dave"}], "tags": {"team": "notes"}}"#;
pub(crate) const CLIENTS: &str =
    "kind: Client\nname: Robot\noptions: {grantUserPermissionsAccess: true}\n";
pub(crate) const IDENTITIES: &str =
    "kind: Identity\nissuer: http://127.0.0.1:9999\npreferredAudience: notes\n";
pub(crate) const RECORDS: &str = "\
kind: Record
recordId: rec_writers
name: Writers of all notes
groups: [{groupId: grp_writers}]
statements: [{roles: [ro_writer], resources: [{resourceUri: notes}, {resourceUri: 'notes/*'}]}]
---
kind: Record
recordId: rec_readers
name: Readers
statements:
- {roles: [ro_reader], resources: [{resourceUri: notes/1}], users: [{userId: erin}]}
";

pub(crate) async fn server() -> TestServer {
    TestServer::start().await.unwrap()
}

/// The owner, with the manifests above in `access/`.
pub(crate) fn owner(server: &TestServer) -> Person {
    let owner = Person::owner(server);
    owner.file("access/roles.yaml", ROLES);
    owner.file("access/people/groups.json", GROUPS);
    owner.file("access/clients.yml", CLIENTS);
    owner.file("access/identities.yaml", IDENTITIES);
    owner.file("access/records.yaml", RECORDS);
    owner.file("access/README.md", "kind: Nothing");
    owner.file("access/.hidden/x.yaml", "kind: Nothing");
    owner
}

/// Operations and ids of a plan's steps.
pub(crate) fn steps(plan: &Value) -> Vec<String> {
    let steps = plan["steps"].as_array().unwrap().iter();
    let text = |step: &Value, member: &str| step[member].as_str().unwrap().to_owned();
    steps
        .map(|step| format!("{} {}", text(step, "operation"), text(step, "id")))
        .collect()
}

pub(crate) fn outcomes(applied: &Value) -> Vec<&str> {
    let steps = applied["steps"].as_array().unwrap().iter();
    steps
        .map(|step| step["outcome"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_folder_is_shown_made_and_then_without_differences() {
    let server = server().await;
    let owner = owner(&server);
    let shown = owner
        .say("diff -f access")
        .expect(1)
        .saying("+ role ro_reader  roles.yaml")
        .saying("+ record rec_readers  records.yaml (document 2)")
        .saying("statements: ro_reader on notes/1 for erin")
        .saying("7 to create, 0 to change, 0 to delete, 0 unchanged.")
        .saying("Left alone, in no manifest: 3 roles (ro_editor, ro_manager, ro_viewer);");
    let dry = owner.say("apply -f access --dry-run").expect(0);
    assert_eq!(dry.stdout, shown.stdout);
    owner
        .say("apply -f access")
        .expect(2)
        .saying("say it with --yes");
    owner.say("role show ro_reader").expect(3);

    owner
        .say("apply -f access --yes")
        .expect(0)
        .saying("Done: 7 created, 0 changed, 0 deleted.");
    owner.say("check carol notes/7 notes:write").expect(0);
    owner.say("check erin notes/1 notes:read").expect(0);
    owner
        .say("diff -f access")
        .expect(0)
        .saying("Nothing to do: 7 objects are as the manifests say.");
    let again = owner.say("apply -f access --yes --json").expect(0).json();
    assert_eq!(steps(&again), Vec::<String>::new());
    assert_eq!(again["unchanged"], 7);
}

#[tokio::test]
async fn what_was_changed_by_hand_is_mended() {
    let server = server().await;
    let owner = owner(&server);
    owner.say("apply -f access --yes").expect(0);
    let edit = |noun: &str, id: &str, from: &str, to: &str| {
        let shown = owner.run(&[noun, "show", id, "--yaml"]).expect(0);
        let text = shown.stdout.replace(from, to);
        owner
            .run_with(&[noun, "edit", id, "-f", "-"], &text)
            .expect(0);
    };
    edit("group", "grp_writers", "- userId: dave\n", "");
    edit("role", "ro_reader", "name: Reader", "name: Changed");
    owner.say("record delete rec_readers --yes").expect(0);
    let found = owner.say("diff -f access --json").expect(1).json();
    let expected = [
        "change ro_reader",
        "change grp_writers",
        "create rec_readers",
    ];
    assert_eq!(steps(&found), expected);
    assert_eq!(
        found["steps"][0]["differences"],
        json!([{"member": "name", "before": "Changed", "after": "Reader"}])
    );
    assert_eq!(
        found["steps"][1]["differences"],
        json!([{"member": "users", "added": ["dave"], "removed": []}])
    );
    let mended = owner.say("apply -f access --yes --json").expect(0).json();
    assert_eq!(outcomes(&mended), ["done", "done", "done"]);
    owner.say("check dave notes/7 notes:write").expect(0);
    owner.say("diff -f access").expect(0);
}

#[tokio::test]
async fn what_is_in_no_manifest_goes_only_with_prune() {
    let server = server().await;
    let owner = owner(&server);
    let made = owner.say("client create --name Old --json").expect(0);
    let made = made.json();
    let old = made["clientId"].as_str().unwrap();
    // Somebody has accepted an invite.
    let invite = Person::user(&server, "alice")
        .say("invite create --role ro_editor --on projects/42 --json")
        .expect(0)
        .json();
    Person::user(&server, "bob")
        .run_with(
            &["invite", "accept", "-"],
            invite["inviteId"].as_str().unwrap(),
        )
        .expect(0);
    owner.say("apply -f access --yes").expect(0);

    let pruned = owner.say("apply -f access --prune --yes --json").expect(0);
    let pruned = pruned.json();
    let deleted = [
        "delete rec_sample",
        &format!("delete {old}"),
        "delete ro_manager",
        "delete ro_viewer",
    ];
    assert_eq!(steps(&pruned), deleted);
    assert_eq!(pruned["left"][0]["ids"], json!(["bob"]));
    assert_eq!(pruned["left"][0]["madeByInvites"], true);
    // The owner's own client, what makes it the owner, and what the invite gave.
    let kept = pruned["kept"].as_array().unwrap();
    assert_eq!(kept.len(), 3, "{kept:?}");
    Person::user(&server, "bob")
        .say("check bob projects/42 documents:write")
        .expect(0);
    owner.run(&["client", "show", old]).expect(3);
    owner.say("diff -f access --prune").expect(0);

    let invited = owner
        .say("apply -f access --prune --prune-invited --yes --json")
        .expect(0);
    assert_eq!(steps(&invited.json()), ["delete bob", "delete ro_editor"]);
    owner
        .say("diff -f access --prune-invited")
        .expect(2)
        .saying("--prune");
}

#[tokio::test]
async fn nobody_takes_away_their_own_access_unawares() {
    let server = server().await;
    let owner = Person::owner(&server);
    owner.say("pull access").expect(0);
    let mine = owner.home.path().join("access/records/rec_owner.yaml");
    let text = std::fs::read_to_string(&mine).unwrap();
    let less = text.replace("Authress:Owner", "Authress:ReadResource");
    assert_ne!(text, less);
    std::fs::write(&mine, less).unwrap();
    for line in ["apply -f access --yes", "diff -f access --json"] {
        owner
            .say(line)
            .expect(2)
            .saying("take away your own access: CREATE on Authress:")
            .saying("nobody would own the account any more")
            .saying("Nothing was changed.");
    }
    // With another owner it may be done, if it is said.
    let bob = "\
kind: Record
recordId: rec_bob
name: Bob
users: [{userId: bob}]
statements: [{roles: ['Authress:Owner'], resources: [{resourceUri: '*'}]}]
";
    owner.file("access/records/bob.yaml", bob);
    owner.say("apply -f access --yes").expect(2);
    let allowed = owner
        .say("apply -f access --yes --allow-losing-access --json")
        .expect(0)
        .json();
    assert_eq!(steps(&allowed), ["create rec_bob", "change rec_owner"]);
    assert_eq!(outcomes(&allowed), ["done", "done"]);
    owner.say("apply -f access --yes").expect(0);
    let new = bob.replace("rec_bob", "rec_new");
    owner.file("access/records/new.yaml", &new);
    owner
        .say("apply -f access --yes")
        .expect(4)
        .saying("record rec_new: ");
    // A person is known by their token.
    let bob = Person::user(&server, "bob");
    bob.file("one.yaml", ROLES);
    let pruned = bob.say("diff -f one.yaml --prune --json").expect(1).json();
    assert_eq!(pruned["kept"][0]["id"], "rec_bob");
}

#[tokio::test]
async fn mistakes_in_manifests_are_told_before_anything_is_asked() {
    let server = server().await;
    let owner = owner(&server);
    let group = "kind: Group\ngroupId: grp_x\nname: X\nusers: [{userid: a}]\n";
    owner.file("access/z.yaml", &format!("---\n{ROLES}---\n{group}"));
    // Nothing listens there.
    let unheard = Person::new().with("GUESTLIST_URL", "http://127.0.0.1:9");
    let folder = owner.home.path().join("access");
    unheard
        .run(&["diff", "-f", folder.to_str().unwrap()])
        .expect(2)
        .saying("z.yaml: the role ro_reader is already in roles.yaml")
        .saying("z.yaml (document 2): the role ro_writer is already in roles.yaml (document 2)")
        .saying("z.yaml (document 3): there is no member users[0].userid; did you mean userId?");
    unheard
        .say("diff --json -f missing.yaml")
        .expect(7)
        .saying("missing.yaml");
    std::fs::create_dir(unheard.home.path().join("empty")).unwrap();
    unheard
        .say("apply -f empty --prune --yes")
        .expect(2)
        .saying("there are no manifests in empty");
    // What only the account can tell.
    owner.file("b.yaml", &RECORDS.replace("ro_reader", "ro_viwer"));
    let role = "b.yaml (document 2): statements[0].roles[0]: there is no role ro_viwer; did you mean ro_viewer?";
    owner.say("apply -f b.yaml --yes").expect(2).saying(role);
    owner
        .say("apply -f access/roles.yaml --json")
        .expect(2)
        .saying("a program cannot be asked");
}

#[tokio::test]
async fn manifests_come_from_standard_input_and_from_several_places() {
    let server = server().await;
    let owner = owner(&server);
    owner
        .run_with(&["apply", "-f", "-", "--yes"], ROLES)
        .expect(0);
    let applied = owner
        .say("apply -f access/people -f access/records.yaml --yes --json")
        .expect(0);
    assert_eq!(
        steps(&applied.json()),
        [
            "create grp_writers",
            "create rec_readers",
            "create rec_writers"
        ]
    );
}

#[tokio::test]
async fn whoever_may_only_write_some_kinds_applies_those() {
    let server = server().await;
    let owner = owner(&server);
    // May make groups, and neither read roles nor identities.
    let clerk = "\
kind: Role
roleId: ro_clerk
name: Clerk
permissions:
- {action: READ, allow: true, grant: false, delegate: false}
- {action: CREATE, allow: true, grant: false, delegate: false}
---
kind: Record
recordId: rec_clerk
name: Clerk
users: [{userId: clerk}]
statements: [{roles: [ro_clerk], resources: [{resourceUri: 'Authress:Groups'}]}]
";
    owner
        .run_with(&["apply", "-f", "-", "--yes"], clerk)
        .expect(0);
    let clerk = Person::user(&server, "clerk");
    clerk.file("groups.json", GROUPS);
    clerk.file("roles.yaml", ROLES);
    clerk.say("apply -f groups.json --yes").expect(0);
    clerk.say("diff -f groups.json").expect(0);
    clerk
        .say("diff -f roles.yaml")
        .expect(4)
        .saying("reading the roles: ");
}

#[tokio::test]
async fn many_objects_take_few_requests() {
    let server = server().await;
    let owner = Person::owner(&server);
    let mut text = String::new();
    for number in 0..500 {
        let _ = write!(
            text,
            "kind: Record\nrecordId: rec_{number:03}\nname: Number {number}\n\
             users: [{{userId: user{number}}}]\n\
             statements: [{{roles: [ro_viewer], resources: [{{resourceUri: things/{number}}}]}}]\n\
             ---\n"
        );
    }
    owner.file("many.yaml", &text);
    let between = Between::new(server.url(), |_| {});
    let url = &between.url;
    owner
        .say(&format!("apply -f many.yaml --yes --url {url}"))
        .expect(0);
    // One for each record that is made, and pages to read what is there.
    let made = between.requests();
    let posts = made.iter().filter(|line| line.starts_with("POST ")).count();
    assert_eq!(posts, 500);
    assert!(made.len() - posts < 10, "{}", made.len() - posts);
    owner
        .say(&format!("diff -f many.yaml --url {url}"))
        .expect(0);
    let read = between.requests().len() - made.len();
    assert!((25..40).contains(&read), "{read}");
}

/// What docs/CLI.md shows.
#[tokio::test]
async fn the_example_of_the_documentation_can_be_applied() {
    let server = server().await;
    let owner = Person::owner(&server);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/access");
    let example = example.to_str().unwrap();
    owner
        .run(&["apply", "-f", example, "--yes"])
        .expect(0)
        .saying("Done: 6 created");
    owner.run(&["diff", "-f", example]).expect(0);
    for (question, code) in [
        ("maria documents/handbook documents:write", 0),
        ("maria documents/handbook documents:delete", 1),
        ("sam documents/handbook documents:write", 1),
        ("sam documents/handbook documents:read", 0),
    ] {
        owner.say(&format!("check {question}")).expect(code);
    }
    owner
        .say("record delete rec_handbook_readers --yes")
        .expect(0);
    let again = owner.run(&["diff", "-f", example, "--json"]).expect(1);
    assert_eq!(steps(&again.json()), ["create rec_handbook_readers"]);
}

#[tokio::test]
async fn on_a_terminal_the_plan_is_shown_in_colours_and_somebody_is_asked() {
    let server = server().await;
    let owner = owner(&server);
    for (answer, code, there) in [("n\n", 130, 3), ("y\n", 0, 0)] {
        let mut terminal = PseudoTerminal::open();
        let mut child = owner
            .command(&["apply", "-f", "access", "--no-pager"])
            .env("TERM", "xterm")
            .stdin(terminal.side())
            .stdout(terminal.side())
            .stderr(terminal.side())
            .spawn()
            .unwrap();
        let asked = terminal.until(&format!("Apply this to {}? [y/N] ", server.url()));
        assert!(
            asked.contains("\u{1b}[32m+ role ro_reader  roles.yaml\u{1b}[0m"),
            "{asked}"
        );
        terminal.type_in(answer);
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let done = terminal.whole().contains("Done: 7 created");
        assert_eq!(done, code == 0);
        owner.say("role show ro_reader").expect(there);
    }
}
