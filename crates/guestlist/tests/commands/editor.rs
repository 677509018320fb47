//! `edit` with an editor that is a script: saved, corrected, refused, unchanged.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use guestlist_server::testing::TestServer;

use crate::between::Between;
use crate::program::{Ended, Person};

/// How long to wait for a request.
const PATIENCE: Duration = Duration::from_secs(20);

/// The owner with an editor that runs these lines of shell; `$1` is the file.
fn with_editor(server: &TestServer, script: &str) -> Person {
    let owner = Person::owner(server);
    let path = owner.file("editor", &format!("#!/bin/sh\nset -e\n{script}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    owner.with("EDITOR", &path)
}

fn edit(person: &Person) -> Ended {
    person.run(&["group", "edit", "grp_team"])
}

async fn with_a_group() -> TestServer {
    let server = TestServer::start().await.unwrap();
    Person::owner(&server)
        .run(&[
            "group", "create", "grp_team", "--name", "Team", "--user", "bob",
        ])
        .expect(0);
    server
}

fn name(server: &TestServer) -> String {
    let shown = Person::owner(server)
        .run(&["group", "show", "grp_team", "--json"])
        .expect(0);
    shown.json()["name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_edited_is_saved() {
    let server = with_a_group().await;
    edit(&with_editor(
        &server,
        "sed -i 's/^name: Team/name: Crew/' \"$1\"",
    ))
    .expect(0);
    assert_eq!(name(&server), "Crew");
}

#[tokio::test]
async fn what_was_not_changed_is_not_sent() {
    let server = with_a_group().await;
    let ended = edit(&with_editor(&server, "touch \"$1\"")).expect(0);
    assert!(ended.stderr.contains("Nothing changed"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_mistake_brings_the_editor_back_with_the_reason() {
    let server = with_a_group().await;
    let script = "if grep -q '^# error:' \"$1\"; then sed -i 's/^nam: /name: /' \"$1\"; \
                  cp \"$1\" \"$HOME/second\"; else sed -i 's/^name: Team/nam: Crew/' \"$1\"; fi";
    let person = with_editor(&server, script);
    edit(&person).expect(0);
    assert_eq!(name(&server), "Crew");
    let second = std::fs::read_to_string(person.home.path().join("second")).unwrap();
    assert!(second.starts_with("# error: "), "{second}");
}

#[tokio::test]
async fn a_mistake_that_stays_ends_with_the_text_kept() {
    let server = with_a_group().await;
    let script = "sed -i 's/^name: Team/nam: Crew/' \"$1\"";
    let ended = edit(&with_editor(&server, script)).expect(2);
    assert_eq!(name(&server), "Team");
    let kept = kept(&ended);
    assert!(
        std::fs::read_to_string(&kept)
            .unwrap()
            .contains("nam: Crew")
    );
    std::fs::remove_file(kept).unwrap();
}

/// The file that a message names.
fn kept(ended: &Ended) -> String {
    let (_, after) = ended.stderr.split_once("is in ").expect(&ended.stderr);
    after.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_change_of_somebody_else_is_not_overwritten() {
    let server = with_a_group().await;
    let other = format!(
        "sed -i 's/^name: Team/name: Mine/' \"$1\"\n\
         printf 'groupId: grp_team\\nname: Theirs\\n' | {} group edit grp_team -f - >/dev/null 2>&1",
        env!("CARGO_BIN_EXE_guestlist")
    );
    let ended = edit(&with_editor(&server, &other)).expect(5);
    assert_eq!(name(&server), "Theirs");
    let kept = kept(&ended);
    assert!(
        std::fs::read_to_string(&kept)
            .unwrap()
            .contains("name: Mine")
    );
    std::fs::remove_file(kept).unwrap();
}

#[tokio::test]
async fn an_editor_that_fails_or_is_missing_saves_nothing() {
    let server = with_a_group().await;
    edit(&with_editor(&server, "exit 1")).expect(7);
    let none = Person::owner(&server).with("EDITOR", "no-such-editor");
    let ended = edit(&none).expect(7);
    assert!(ended.stderr.contains("no-such-editor"), "{}", ended.stderr);
    assert_eq!(name(&server), "Team");
}

#[tokio::test]
async fn what_is_no_text_is_kept() {
    let server = with_a_group().await;
    let ended = edit(&with_editor(&server, "printf '\\377' >> \"$1\"")).expect(7);
    let kept = kept(&ended);
    assert_eq!(std::fs::read(&kept).unwrap().last(), Some(&0xff));
    std::fs::remove_file(kept).unwrap();
}

#[tokio::test]
async fn an_emptied_file_changes_nothing() {
    let server = with_a_group().await;
    let ended = edit(&with_editor(&server, "printf '# only this\\n' > \"$1\"")).expect(0);
    assert!(
        ended.stderr.contains("nothing was changed"),
        "{}",
        ended.stderr
    );
    assert_eq!(name(&server), "Team");
}

#[tokio::test]
async fn the_file_is_private_tells_what_cannot_be_changed_and_goes_away() {
    let server = with_a_group().await;
    let script = "stat -c %a \"$1\" > \"$HOME/mode\"; cp \"$1\" \"$HOME/text\"; echo \"$1\" > \"$HOME/path\"";
    let person = with_editor(&server, script);
    edit(&person).expect(0);
    let read = |name: &str| std::fs::read_to_string(person.home.path().join(name)).unwrap();
    assert_eq!(read("mode").trim(), "600");
    let text = read("text");
    assert!(text.starts_with("# The group grp_team."), "{text}");
    assert!(text.contains("\n#   lastUpdated: "), "{text}");
    assert!(text.contains("\nname: Team\n"), "{text}");
    assert!(!std::path::Path::new(read("path").trim()).exists());
}

/// Roles and clients have no condition that the server could check.
#[tokio::test]
async fn roles_and_clients_are_compared_before_they_are_saved() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    let client = owner.say("client create --name Mail --json").expect(0);
    let client = client.json()["clientId"].as_str().unwrap().to_owned();
    for (noun, id, theirs) in [
        ("role", "ro_viewer", "{name: Theirs, permissions: []}"),
        ("client", &client, "{name: Theirs}"),
    ] {
        let program = env!("CARGO_BIN_EXE_guestlist");
        let mine = "sed -i 's/^name: .*/name: Mine/' \"$1\"";
        let other =
            format!("{mine}\necho '{theirs}' | {program} {noun} edit {id} -f - > /dev/null 2>&1");
        let show = || {
            let shown = owner.run(&[noun, "show", id, "--json"]).expect(0).json();
            shown["name"].as_str().unwrap().to_owned()
        };
        with_editor(&server, mine)
            .run(&[noun, "edit", id])
            .expect(0);
        assert_eq!(show(), "Mine");
        let ended = with_editor(&server, &format!("{other}\nsed -i 's/Mine/Again/' \"$1\""))
            .run(&[noun, "edit", id])
            .expect(5);
        assert_eq!(show(), "Theirs");
        std::fs::remove_file(kept(&ended)).unwrap();
    }
}

/// Ctrl-C while it is being saved: the server does not get to see the change until it is too late.
#[tokio::test]
async fn an_interrupt_leaves_what_was_written() {
    let server = with_a_group().await;
    let (release, held) = mpsc::channel::<()>();
    let (reached, at_the_write) = mpsc::channel();
    let (held, reached) = (Mutex::new(held), Mutex::new(reached));
    let between = Between::new(server.url(), move |request| {
        if request.starts_with("PUT ") {
            let _told = reached.lock().unwrap().send(());
            let _released = held.lock().unwrap().recv_timeout(PATIENCE);
        }
    });
    let person = with_editor(&server, "sed -i 's/^name: Team/name: Crew/' \"$1\"")
        .with("GUESTLIST_URL", &between.url);
    let child = person
        .command(&["group", "edit", "grp_team"])
        .spawn()
        .unwrap();
    at_the_write.recv_timeout(PATIENCE).unwrap();
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let output = child.wait_with_output().unwrap();
    drop(release);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    let (_, after) = said.split_once("is in ").expect(&said);
    let kept = after.split(';').next().unwrap();
    assert!(std::fs::read_to_string(kept).unwrap().contains("Crew"));
    std::fs::remove_file(kept).unwrap();
}

#[tokio::test]
async fn what_was_written_stays_when_the_editor_fails() {
    let server = with_a_group().await;
    let ended = edit(&with_editor(
        &server,
        "sed -i 's/^name: Team/name: Crew/' \"$1\"; exit 1",
    ))
    .expect(7);
    let written = kept(&ended);
    assert!(
        std::fs::read_to_string(&written)
            .unwrap()
            .contains("name: Crew")
    );
    std::fs::remove_file(written).unwrap();
    // The second time, when what was written the first time could not be read.
    let script =
        "if grep -q '^# error:' \"$1\"; then exit 1; fi; sed -i 's/^name: Team/nam: Crew/' \"$1\"";
    let ended = edit(&with_editor(&server, script)).expect(7);
    let written = kept(&ended);
    assert!(
        std::fs::read_to_string(&written)
            .unwrap()
            .contains("nam: Crew")
    );
    std::fs::remove_file(written).unwrap();
    let ended = edit(&with_editor(&server, "exit 1")).expect(7);
    assert!(!ended.stderr.contains("is in "), "{}", ended.stderr);
}
