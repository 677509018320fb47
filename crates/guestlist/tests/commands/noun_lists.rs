//! Lists of objects, many deletions, and what a terminal shows of all that.

use std::process::Command;

use guestlist_server::testing::TestServer;
use serde_json::json;

use crate::fake_server::{FakeServer, Reply};
use crate::program::{Ended, Person};
use crate::pseudo_terminal::PseudoTerminal;

/// More than a page of 20.
const GROUPS: usize = 25;

async fn with_groups() -> (TestServer, Person) {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    for number in 0..GROUPS {
        owner
            .say(&format!(
                "group create grp_{number:02} --name Number-{number}"
            ))
            .expect(0);
    }
    (server, owner)
}

fn ids(ended: &Ended, member: &str) -> Vec<String> {
    let list = ended.json();
    let ids = list.as_array().unwrap().iter();
    ids.map(|item| item[member].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_list_goes_over_pages_up_to_its_limit() {
    let (_server, owner) = with_groups().await;
    let all = owner.say("group list --json").expect(0);
    let expected: Vec<String> = (0..GROUPS)
        .map(|number| format!("grp_{number:02}"))
        .collect();
    assert_eq!(ids(&all, "groupId"), expected);
    assert!(all.stderr.is_empty(), "{}", all.stderr);
    let most = owner.say("group list --json --limit 22").expect(0);
    assert_eq!(ids(&most, "groupId"), expected[..22]);
    assert!(
        most.stderr.contains("more than these 22"),
        "{}",
        most.stderr
    );
    // As many as there are is not fewer than there are.
    let exact = owner.say("group list --json --limit 25").expect(0);
    assert!(exact.stderr.is_empty(), "{}", exact.stderr);
    let all = owner.say("group list --json --all").expect(0);
    assert_eq!(ids(&all, "groupId").len(), GROUPS);
    owner.say("group list --limit 0").expect(2);
    owner.say("group list --limit 1 --all").expect(2);
}

#[tokio::test]
async fn lists_have_the_filters_of_the_api() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    for name in ["Billing", "Mail"] {
        owner.run(&["client", "create", "--name", name]).expect(0);
        let id = name.to_lowercase();
        owner
            .say(&format!("group create grp_{id} --name {name}"))
            .expect(0);
        owner
            .say(&format!("role create ro_{id} --name {name} --allow a"))
            .expect(0);
        owner
            .say(&format!(
                "record create rec_{id} --name {name} --role ro_{id} --on a"
            ))
            .expect(0);
    }
    for noun in ["client", "group", "role", "record"] {
        let list = owner.say(&format!("{noun} list --filter billing --json"));
        let list = list.expect(0).json();
        assert_eq!(list.as_array().unwrap().len(), 1, "{noun}: {list}");
        assert_eq!(list[0]["name"], "Billing");
    }
    owner.say("record delete rec_mail --yes").expect(0);
    let records = |status: &str| {
        let list = owner.say(&format!(
            "record list --filter mail --status {status} --json"
        ));
        ids(&list.expect(0), "recordId")
    };
    assert_eq!(records("deleted"), ["rec_mail"]);
    assert_eq!(records("active"), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_not_deleted_is_told() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    for id in ["grp_a", "grp_b", "grp_c"] {
        owner.say(&format!("group create {id} --name A")).expect(0);
    }
    let ended = owner
        .say("group delete grp_a grp_none grp_b grp_c --yes")
        .expect(3)
        .saying("Deleted the group grp_a.")
        .saying("cannot delete the group grp_none: ")
        .saying("Not deleted either: grp_b, grp_c.");
    assert!(ended.stdout.is_empty());
    owner.say("group show grp_b").expect(0);
    owner.say("group delete grp_b grp_c --yes").expect(0);
    owner.say("group show grp_c").expect(3);
}

/// Runs a command on a terminal; types the answer when it is asked this.
fn on_a_terminal(person: &Person, words: &[&str], asked: &str, answer: &str) -> (i32, String) {
    let mut terminal = PseudoTerminal::open();
    let mut child = person
        .command(words)
        .env("TERM", "xterm")
        .stdin(terminal.side())
        .stdout(terminal.side())
        .stderr(terminal.side())
        .spawn()
        .unwrap();
    terminal.until(asked);
    terminal.type_in(answer);
    let code = child.wait().unwrap().code().unwrap();
    (code, terminal.whole())
}

#[tokio::test]
async fn a_deletion_is_asked_about_on_a_terminal() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    owner.say("group create grp_a --name A").expect(0);
    owner.say("group create grp_b --name B").expect(0);
    let delete = ["group", "delete", "grp_a", "grp_b"];
    let question = "Delete the group grp_a, grp_b? [y/N] ";
    // Enter alone, and the end of the input, are no.
    for no in ["n\n", "\n", "yellow\n", "\u{4}"] {
        let (code, seen) = on_a_terminal(&owner, &delete, question, no);
        assert_eq!(code, 130, "{seen}");
        owner.say("group show grp_a").expect(0);
    }
    let (code, seen) = on_a_terminal(&owner, &delete, question, "yes\n");
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains("Deleted the group grp_b."), "{seen}");
    owner.say("group show grp_b").expect(3);
}

#[tokio::test]
async fn what_is_longer_than_the_terminal_goes_through_the_pager() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server).with("PAGER", "sed s/^/paged:/");
    let program = env!("CARGO_BIN_EXE_guestlist");
    for (words, rows, paged) in [
        ("role list", 5, true),
        ("role list", 50, false),
        ("role list --no-pager", 5, false),
        ("role show ro_viewer", 5, false),
    ] {
        let mut terminal = PseudoTerminal::open();
        // The program that has the terminal sets its size: the same shell then becomes ours.
        let line = format!("stty rows {rows} cols 100 && exec {program} {words}");
        let status =
            Command::new("sh")
                .args(["-c", &line])
                .env_clear()
                .envs(owner.command(&[]).get_envs().filter_map(|(name, value)| {
                    value.map(|value| (name.to_owned(), value.to_owned()))
                }))
                .env("TERM", "xterm")
                .stdin(terminal.side())
                .stdout(terminal.side())
                .stderr(terminal.side())
                .status();
        assert!(status.unwrap().success());
        terminal.until("ro_viewer");
        let seen = terminal.whole();
        assert_eq!(seen.contains("paged:"), paged, "{words}: {seen}");
    }
}

/// What is stored may have marks that turn the direction of writing; another server may answer
/// anything. Programs get it as it is, and in JSON no escape works.
#[tokio::test]
async fn names_that_would_deceive_are_inert_on_the_terminal() {
    let hostile = "a\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}31m\rb\u{202e}c\nro_admin";
    let role = json!({"roleId": "ro_evil", "name": "Evil", "permissions": [],
        "description": "title\u{202e}x\u{2066}\nro_admin"});
    let refusal = json!({"title": hostile, "errorCode": "RoleNotFound", "errorId": "e"});
    let fake = FakeServer::start(move |asked| {
        if asked.path.ends_with("ro_evil") {
            Reply::json(200, &role)
        } else {
            Reply::json(404, &refusal)
        }
    });
    let person = Person::new()
        .with("GUESTLIST_URL", &fake.url())
        .with("GUESTLIST_TOKEN", "a.b.c");
    let deceives = |text: &str| text.contains(['\u{1b}', '\u{7}', '\u{9b}', '\r', '\u{202e}']);
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    let name = "x\u{202e}y\u{2066}z";
    owner
        .run(&[
            "role",
            "create",
            "ro_turned",
            "--name",
            name,
            "--allow",
            "a",
        ])
        .expect(0);
    let list = owner.say("role list --filter turned").expect(0);
    assert!(
        list.stdout.contains("x\u{fffd}y\u{fffd}z"),
        "{}",
        list.stdout
    );
    let program = owner.say("role show ro_turned --json").expect(0);
    assert_eq!(program.json()["name"], name);
    for words in [["role", "show", "ro_evil"], ["role", "show", "ro_none"]] {
        let ended = person.run(&words);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("title"), "{said}");
        assert!(!deceives(&said), "{said:?}");
    }
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_failure() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    for words in [
        ["role", "list", "--json"].as_slice(),
        &["role", "list"],
        &["role", "show", "ro_viewer", "--yaml"],
    ] {
        let mut child = owner.command(words).spawn().unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        assert!(ended.stderr.is_empty(), "{ended:?}");
    }
    // Another reason not to be able to write is one.
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        let mut command = owner.command(&["role", "list"]);
        assert_eq!(command.stdout(full).status().unwrap().code(), Some(7));
    }
}
