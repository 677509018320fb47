//! What no command does, whatever it is about: misread standard input, say more than it should, end in
//! a way that is not documented.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;

use guestlist_server::testing::TestServer;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::program::Person;

async fn server() -> TestServer {
    TestServer::start().await.unwrap()
}

#[tokio::test]
async fn the_credential_of_a_profile_is_sent_to_no_other_server() {
    let (server, other) = (server().await, server().await);
    let person = Person::new();
    let key = person.file("key", server.owner_key());
    let login = ["login", "--profile", "prod", "--url", server.url()];
    person
        .run(&[&login[..], &["--key-file", &key]].concat())
        .expect(0);
    let show = |arguments: &[&str]| person.run(&[&["account", "show"], arguments].concat());
    show(&["--profile", "prod"]).expect(0);
    let own = format!("{}/", server.url());
    show(&["--profile", "prod", "--url", &own]).expect(0);
    let elsewhere = ["--profile", "prod", "--url", other.url()];
    let refused = show(&elsewhere).expect(2);
    assert!(
        refused.stderr.contains("is not sent to"),
        "{}",
        refused.stderr
    );
    let other_key = person.file("other", other.owner_key());
    show(&[&elsewhere[..], &["--key-file", &other_key]].concat()).expect(0);
}

#[tokio::test]
async fn standard_input_is_one_thing_only() {
    let server = server().await;
    let person = Person::new().with("GUESTLIST_URL", server.url());
    for command in [
        &["role", "create", "-f", "-"][..],
        &["key", "create", "sc_a", "--public-key", "-"],
        &["identity", "link", "--sample-token", "-"],
    ] {
        let ended = person.run_with(
            &[command, &["--key-file", "-"]].concat(),
            server.owner_key(),
        );
        let ended = ended.expect(2);
        assert!(
            ended.stderr.contains("two things at once"),
            "{}",
            ended.stderr
        );
    }
}

#[tokio::test]
async fn arguments_that_cannot_be_read_are_told_to_programs_as_an_object() {
    let person = Person::new();
    let ended = person.run(&["--json", "role", "show", "a/b"]).expect(2);
    let error: serde_json::Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(error["error"]["exitCode"], 2);
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("invalid value 'a/b'"), "{message}");
}

/// Where there is one: a device that takes nothing.
#[tokio::test]
async fn a_standard_error_that_takes_nothing_changes_no_exit_code() {
    let server = server().await;
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return;
    };
    let owner = Person::owner(&server);
    let mut command = owner.command(&["role", "show", "ro_none"]);
    let ended = command.stderr(full.try_clone().unwrap()).status().unwrap();
    assert_eq!(ended.code(), Some(3));
    let create = ["role", "create", "ro_notes", "--name", "Notes"];
    let mut command = owner.command(&create);
    let ended = command.stderr(full).output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert!(
        String::from_utf8(ended.stdout)
            .unwrap()
            .contains("ro_notes")
    );
}

/// A terminal that nobody's signals come from: what is typed into its first half can be read from the
/// second.
fn terminal() -> (File, File) {
    let near: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&near).unwrap();
    unlockpt(&near).unwrap();
    let name = ptsname(&near, Vec::new()).unwrap();
    let far = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    (File::from(near), far)
}

#[tokio::test]
async fn an_interrupt_ends_a_question() {
    let server = server().await;
    let person = Person::owner(&server);
    person
        .run(&["role", "create", "ro_notes", "--name", "Notes"])
        .expect(0);
    for (typed, code) in [("\u{3}", 130), ("n\n", 130), ("yex\u{7f}s\n", 0)] {
        let (mut near, far) = terminal();
        let mut command = person.command(&["role", "delete", "ro_notes"]);
        command
            .stdin(Stdio::from(far.try_clone().unwrap()))
            .stderr(Stdio::from(far.try_clone().unwrap()));
        let mut child = command.spawn().unwrap();
        wait_for_question(&mut near);
        near.write_all(typed.as_bytes()).unwrap();
        let ended = tokio::task::spawn_blocking(move || child.wait());
        let ended = tokio::time::timeout(Duration::from_secs(20), ended).await;
        // Whatever it waits for, it must not wait for ever.
        near.write_all(b"\n").unwrap();
        assert_eq!(
            ended.unwrap().unwrap().unwrap().code(),
            Some(code),
            "{typed:?}"
        );
        drop(far);
    }
}

/// What is typed before it would be thrown away.
fn wait_for_question(near: &mut File) {
    use std::io::Read as _;
    let mut shown = Vec::new();
    let mut byte = [0];
    while !shown.ends_with(b"[y/N] ") {
        near.read_exact(&mut byte).unwrap();
        shown.push(byte[0]);
    }
}

#[tokio::test]
async fn the_pager_gets_colours_only_where_there_are_to_be_any() {
    let server = server().await;
    for (no_color, coloured) in [("", true), ("1", false)] {
        let person = Person::owner(&server)
            .with("TERM", "xterm")
            .with("NO_COLOR", no_color)
            .with("PAGER", "cat > paged");
        let (near, far) = terminal();
        let size = Winsize {
            ws_row: 2,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&near, size).unwrap();
        let mut command = person.command(&["role", "list"]);
        let ended = command.stdout(Stdio::from(far)).status().unwrap();
        assert_eq!(ended.code(), Some(0));
        let paged = std::fs::read_to_string(person.home.path().join("paged")).unwrap();
        assert!(paged.contains("Authress:Owner"), "{paged}");
        assert_eq!(paged.contains('\u{1b}'), coloured, "{paged:?}");
    }
}
