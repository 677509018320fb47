//! `export` and `import`: a running server as lines of JSON, and those lines as a server again.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::http::Call;
use crate::server::{Ended, Server, invite_of, record_of, run, text_of};

/// `guestlist` with arguments, without anything from the environment.
fn guestlist(command: &str, data: &Path, file: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_guestlist"));
    program
        .env_clear()
        .args([command, "--json", "--data"])
        .args([data, file]);
    program
}

fn ended(command: &str, data: &Path, file: &Path, more: &[&str]) -> Ended {
    let mut program = guestlist(command, data, file);
    program.args(more);
    run(program)
}

#[track_caller]
fn done(ended: &Ended) -> Value {
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

#[track_caller]
fn refused(ended: &Ended, code: i32, says: &str) {
    assert_eq!(ended.status.code(), Some(code), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains(says), "{}", ended.stderr);
}

fn write_record(server: &Server, id: &str) {
    let record = record_of(id, "alice", "ro_viewer", "projects/1");
    server
        .send(&server.owner(), "POST", "/v1/records", &record)
        .expect(201);
}

#[test]
fn an_export_of_a_running_server_is_that_server_again() {
    let home = tempfile::tempdir().unwrap();
    let [data, file, again, other] =
        ["data", "all.ndjson", "again", "other"].map(|name| home.path().join(name));
    let server = Server::new(&data, &["--dev"]);
    let owner = server.owner();
    write_record(&server, "rec_a");
    let invite = invite_of("ro_viewer", "projects/2");
    let reply = server.send(&owner, "POST", "/v1/invites", &invite);
    let invite = reply.expect(201).member("inviteId");
    let made = done(&ended("export", &data, &file, &[]));
    let rights = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    assert_eq!(rights, 0o600);
    assert_eq!(made["bytes"], fs::metadata(&file).unwrap().len());
    assert_eq!(made["documents"]["invite"], 1);
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains(&invite), "the secret of an invite");
    its_log_is_verified(&file, &text, &made);
    write_record(&server, "rec_b");
    refused(&ended("import", &data, &file, &[]), 5, "in use");
    server.stop();
    refused(&ended("export", &data, &file, &[]), 5, "--force");
    refused(&ended("import", &again, &file, &[]), 7, "--secrets");
    // What belongs to `--from` is not passed over: it would be no dry run.
    let dry = ended("import", &again, &file, &["--dry-run"]);
    refused(&dry, 2, "cannot be used with");
    assert!(!again.exists());
    let secrets = ["--secrets", data.to_str().unwrap()];
    let imported = done(&ended("import", &again, &file, &secrets));
    for same in [
        "account",
        "documents",
        "events",
        "lastRevision",
        "lastHash",
        "sha256",
    ] {
        assert_eq!(imported[same], made[same], "{same}");
    }
    let exported = ended("export", &again, Path::new("-"), &[]);
    assert_eq!(exported.stdout, text);
    refused(&ended("import", &again, &file, &[]), 5, "--replace");

    // From standard input.
    let mut program = guestlist("import", &other, Path::new("-"));
    program.args(secrets).stdin(File::open(&file).unwrap());
    let output = program.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let exported = ended("export", &other, Path::new("-"), &[]);
    assert_eq!(exported.stdout, text);

    let server = Server::new(&again, &["--dev"]);
    for (record, status) in [("rec_a", 200), ("rec_b", 404)] {
        let target = format!("/v1/records/{record}");
        server
            .send(&owner, "GET", &target, &Value::Null)
            .expect(status);
    }
    let accepted = server.call(Call {
        credential: &server.token("carol"),
        method: "PATCH",
        target: &format!("/v1/invites/{invite}"),
        body: &text_of(&Value::Null),
        ..Call::default()
    });
    accepted.expect(200);
    server.stop();
}

/// Its event log leads to the hash that was told, and not if somebody changed it.
fn its_log_is_verified(file: &Path, text: &str, made: &Value) {
    let verify = |file: &Path, more: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_guestlist"));
        program
            .env_clear()
            .args(["audit", "verify", "--json"])
            .arg(file)
            .args(more);
        let ended = run(program);
        let verdict: Value = serde_json::from_str(&ended.stdout).unwrap_or_default();
        (ended.status.code(), verdict)
    };
    let last = made["lastHash"].as_str().unwrap();
    let (code, verdict) = verify(file, &["--head", last]);
    assert_eq!(code, Some(0), "{verdict}");
    assert_eq!(verdict["lastHash"], last);
    assert_eq!(verdict["heads"][0]["revision"], made["lastRevision"]);
    assert_eq!(verify(file, &["--head", &"ab".repeat(32)]).0, Some(1));
    assert_eq!(verify(file, &["--after-hash", last]).0, Some(2));
    let altered = file.with_extension("altered");
    fs::write(
        &altered,
        text.replacen("record.created", "record.deleted", 1),
    )
    .unwrap();
    let (code, verdict) = verify(&altered, &[]);
    assert_eq!(code, Some(1), "{verdict}");
    assert_eq!(verdict["intact"], false);
}

#[test]
fn an_export_is_of_one_moment_while_the_server_goes_on_writing() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let server = Server::new(&data, &["--dev"]);
    for number in 0..250 {
        write_record(&server, &format!("rec_{number}"));
    }
    // It stops in the middle: a pipe holds less than there is.
    let mut program = guestlist("export", &data, Path::new("-"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::with_capacity(1, program.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    let header: Value = serde_json::from_str(&first).unwrap();
    for number in 250..270 {
        write_record(&server, &format!("rec_{number}"));
    }
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(program.wait().unwrap().success());
    assert!(rest.len() > 128 << 10, "a pipe takes all of it at once");
    let end: Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    assert_eq!(end["end"]["events"], header["revision"]);
    assert_ne!(header["revision"], json!(0));
    for number in 0..270 {
        let there = rest.contains(&format!("\"id\":\"rec_{number}\""));
        assert_eq!(there, number < 250, "rec_{number}");
    }
    server.stop();
}
