//! `events`: the log of a running server, as it is and as it grows.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

use serde_json::Value;

use crate::http::PATIENCE;
use crate::server::{Server, bare, free_address, record_of, run};

fn guestlist(url: &str, data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guestlist"));
    command
        .env_clear()
        .env("HOME", data)
        .args(["--url", url, "--key-file"])
        .arg(data.join("owner-access-key"))
        .args(arguments);
    command
}

fn write(server: &Server, number: u32) {
    let record = record_of(&format!("rec_{number}"), "alice", "ro_viewer", "projects/1");
    let reply = server.send(&server.owner(), "POST", "/v1/records", &record);
    reply.expect(201);
}

/// `events follow`, which always ends with its test.
struct Follower {
    child: Child,
    lines: Receiver<String>,
}

impl Follower {
    fn new(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| told.send(line))
        });
        Self { child, lines }
    }

    #[track_caller]
    fn event(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn events_are_listed_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let server = Server::new(data, &["--dev"]);
    for number in 1..=3 {
        write(&server, number);
    }
    let url = format!("http://{}", server.address);
    let list = |more: &[&str]| {
        let ended = run(guestlist(&url, data, &[&["events", "list"], more].concat()));
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        ended
    };
    let revisions = |more: &[&str]| -> Vec<u64> {
        let all: Value = serde_json::from_str(&list(&[more, &["--json"]].concat()).stdout).unwrap();
        let all = all.as_array().unwrap();
        all.iter()
            .map(|event| event["revision"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(revisions(&[]), [1, 2, 3, 4]);
    assert_eq!(revisions(&["--after", "2"]), [3, 4]);
    assert_eq!(revisions(&["--last", "1"]), [4]);
    assert_eq!(revisions(&["--last", "9"]), [1, 2, 3, 4]);
    assert_eq!(revisions(&["--limit", "2"]), [1, 2]);
    assert!(revisions(&["--after", "4"]).is_empty());
    let table = list(&["--limit", "2"]);
    assert!(table.stdout.contains("record.created"), "{}", table.stdout);
    assert!(table.stdout.contains("record/rec_1"), "{}", table.stdout);
    assert!(
        table.stderr.contains("--after 2 goes on"),
        "{}",
        table.stderr
    );
}

#[test]
fn events_are_followed_through_a_restart_until_an_interrupt() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let address = free_address();
    let start = || {
        let mut command = bare();
        command
            .args(["--dev", "--listen", &address.to_string(), "--data"])
            .arg(data);
        Server::start(command, data)
    };
    let server = start();
    let url = format!("http://{address}");
    let follow = ["events", "follow", "--json", "--after", "start"];
    let mut follower = Follower::new(guestlist(&url, data, &follow));
    let first = follower.event();
    assert_eq!(
        (&first["revision"], &first["eventType"]),
        (&1.into(), &"account.created".into())
    );
    write(&server, 1);
    assert_eq!(follower.event()["subject"]["id"], "rec_1");
    server.stop();
    let server = start();
    write(&server, 2);
    assert_eq!(follower.event()["revision"], 3);
    let process = follower.child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &process]).status();
    assert!(sent.unwrap().success());
    assert_eq!(follower.child.wait().unwrap().code(), Some(0));
}

#[test]
fn following_ends_when_nobody_reads_any_more() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let server = Server::new(data, &["--dev"]);
    let url = format!("http://{}", server.address);
    let follow = ["events", "follow", "--after", "0"];
    let mut command = guestlist(&url, data, &follow);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.contains("account.created"), "{line}");
    // Nothing more happens that could be written, and still it ends.
    drop(stdout);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_cannot_be_followed_is_told_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let server = Server::new(data, &["--dev"]);
    let url = format!("http://{}", server.address);
    let code = |command| run(command).status.code();
    assert_eq!(
        code(guestlist(&url, data, &["events", "follow", "--after", "x"])),
        Some(2)
    );
    std::fs::write(data.join("token"), server.token("stranger")).unwrap();
    let mut stranger = Command::new(env!("CARGO_BIN_EXE_guestlist"));
    stranger
        .env_clear()
        .env("HOME", data)
        .args(["--url", &url, "events", "follow", "--token-file"])
        .arg(data.join("token"));
    assert_eq!(code(stranger), Some(4));
    // A server that has lost what was read: it was restored from a backup.
    let ended = run(guestlist(
        &url,
        data,
        &["events", "follow", "--after", "99"],
    ));
    assert_eq!(ended.status.code(), Some(5), "{}", ended.stderr);
    let nobody = format!("http://{}", free_address());
    let refused = guestlist(&nobody, data, &["--timeout", "2", "events", "follow"]);
    assert_eq!(code(refused), Some(6));
}
