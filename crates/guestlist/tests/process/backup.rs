//! `backup` and `restore`: a running server in one file, and that file as a server again.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::full_disk::Disk;
use crate::http::Call;
use crate::server::{Ended, Server, invite_of, record_of, run, text_of};

/// `guestlist` with arguments, without anything from the environment.
fn guestlist(arguments: &[&str], paths: &[&Path]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guestlist"));
    command.env_clear().args(arguments).args(paths);
    command
}

fn backup(data: &Path, file: &Path, more: &[&str]) -> Ended {
    let mut command = guestlist(&["backup", "--json", "--data"], &[data, file]);
    command.args(more);
    run(command)
}

fn restore(data: &Path, file: &Path, more: &[&str]) -> Ended {
    let mut command = guestlist(&["restore", "--json", "--data"], &[data, file]);
    command.args(more);
    run(command)
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

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A record and an invite of the owner, and the secret of the invite.
fn write_something(server: &Server) -> String {
    let owner = server.owner();
    let record = record_of("rec_a", "alice", "ro_viewer", "projects/1");
    server
        .send(&owner, "POST", "/v1/records", &record)
        .expect(201);
    let invite = invite_of("ro_viewer", "projects/2");
    let reply = server.send(&owner, "POST", "/v1/invites", &invite);
    reply.expect(201).member("inviteId")
}

#[test]
fn a_backup_of_a_running_server_is_that_server_again() {
    let home = tempfile::tempdir().unwrap();
    let [data, file, secrets, again] =
        ["data", "backup.db", "safe/secrets", "again"].map(|name| home.path().join(name));
    let server = Server::new(&data, &["--dev"]);
    let invite = write_something(&server);
    let owner = server.owner();
    let made = done(&backup(
        &data,
        &file,
        &["--secrets", secrets.to_str().unwrap()],
    ));
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&secrets), 0o700);
    assert_eq!(made["bytes"], fs::metadata(&file).unwrap().len());
    assert_eq!(made["documents"]["invite"], 1);
    assert_eq!(made["events"], made["lastRevision"]);
    assert_eq!(made["keepSeparately"], json!([]));
    for name in ["pepper", "user-token-key", "sealing-key"] {
        let secret = fs::read(data.join(name)).unwrap();
        assert_eq!(fs::read(secrets.join(name)).unwrap(), secret);
        assert_eq!(mode(&secrets.join(name)), 0o600);
        // In the file there is nothing of it.
        let file = fs::read(&file).unwrap();
        assert!(!file.windows(16).any(|part| part == &secret[..16]));
    }
    // The server goes on, and what it writes now is not in the backup.
    let later = record_of("rec_b", "bob", "ro_viewer", "projects/1");
    server
        .send(&owner, "POST", "/v1/records", &later)
        .expect(201);
    server.stop();

    let restored = done(&restore(
        &again,
        &file,
        &["--secrets", secrets.to_str().unwrap()],
    ));
    for same in ["documents", "events", "lastRevision", "hash", "schema"] {
        assert_eq!(restored[same], made[same], "{same}");
    }
    let server = Server::new(&again, &["--dev"]);
    server
        .send(&owner, "GET", "/v1/records/rec_a", &Value::Null)
        .expect(200);
    server
        .send(&owner, "GET", "/v1/records/rec_b", &Value::Null)
        .expect(404);
    // The pepper is the right one: the invite can be accepted.
    let body = text_of(&Value::Null);
    let accepted = server.call(Call {
        credential: &server.token("carol"),
        method: "PATCH",
        target: &format!("/v1/invites/{invite}"),
        body: &body,
        ..Call::default()
    });
    accepted.expect(200);
    server.stop();
}

#[test]
fn people_are_told_what_is_not_in_the_backup() {
    let home = tempfile::tempdir().unwrap();
    let (data, file) = (home.path().join("data"), home.path().join("backup.db"));
    Server::new(&data, &[]).stop();
    let ended = run(guestlist(&["backup", "--data"], &[&data, &file]));
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("Hash"), "{}", ended.stdout);
    for name in ["pepper", "user-token-key", "sealing-key"] {
        let path = data.join(name);
        assert!(
            ended.stderr.contains(path.to_str().unwrap()),
            "{}",
            ended.stderr
        );
    }
    let quiet = home.path().join("quiet.db");
    let ended = run(guestlist(
        &["backup", "--quiet", "--data"],
        &[&data, &quiet],
    ));
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_backup_overwrites_nothing_by_accident() {
    let home = tempfile::tempdir().unwrap();
    let [data, file, secrets] = ["data", "backup.db", "secrets"].map(|name| home.path().join(name));
    refused(&backup(&data, &file, &[]), 3, "no database of Guestlist");
    Server::new(&data, &[]).stop();
    done(&backup(&data, &file, &[]));
    refused(&backup(&data, &file, &[]), 5, "--force");
    done(&backup(&data, &file, &["--force"]));
    let other = home.path().join("other");
    fs::write(&other, "other").unwrap();
    refused(&backup(&data, &other, &["--force"]), 5, "not a backup");
    refused(
        &backup(&data, &data.join("guestlist.db"), &["--force"]),
        5,
        "in the way",
    );
    // Secrets of another server are never overwritten.
    fs::create_dir(&secrets).unwrap();
    fs::write(secrets.join("pepper"), "another").unwrap();
    fs::set_permissions(secrets.join("pepper"), Permissions::from_mode(0o600)).unwrap();
    let with_secrets = ["--force", "--secrets", secrets.to_str().unwrap()];
    refused(&backup(&data, &file, &with_secrets), 5, "is another one");
    assert_eq!(fs::read(secrets.join("pepper")).unwrap(), b"another");
    assert_eq!(fs::read(&other).unwrap(), b"other");
}

#[test]
fn a_restore_is_refused_before_anything_is_touched() {
    let home = tempfile::tempdir().unwrap();
    let [data, file, again] = ["data", "backup.db", "again"].map(|name| home.path().join(name));
    let server = Server::new(&data, &[]);
    done(&backup(&data, &file, &[]));
    refused(
        &restore(&data, &file, &["--replace"]),
        5,
        "in use by another",
    );
    server.stop();
    refused(&restore(&data, &file, &[]), 5, "--replace");
    // Without its pepper the data could not be served.
    refused(&restore(&again, &file, &[]), 7, "pepper is missing");
    assert!(!again.exists());
    let nowhere = home.path().join("nowhere");
    let wrong = ["--secrets", nowhere.to_str().unwrap()];
    refused(&restore(&again, &file, &wrong), 7, "pepper is missing");
    assert!(!again.exists() && !nowhere.exists());
    let mut bytes = fs::read(&file).unwrap();
    bytes[4096..8192].fill(0xff);
    fs::write(home.path().join("damaged.db"), bytes).unwrap();
    let damaged = home.path().join("damaged.db");
    refused(&restore(&data, &damaged, &["--replace"]), 2, "is damaged");
    refused(
        &restore(&data, &data.join("pepper"), &["--replace"]),
        2,
        "not a backup",
    );
    assert!(!data.join("replaced-1").exists());
    let restored = done(&restore(&data, &file, &["--replace"]));
    let kept = data.join("replaced-1");
    assert_eq!(restored["replaced"], kept.to_str().unwrap());
    assert!(kept.join("guestlist.db").exists());
    Server::new(&data, &[]).stop();
}

#[test]
fn a_full_disk_leaves_nothing_half_made() {
    let Some(disk) = Disk::new("64k") else {
        println!("SKIPPED: no file system can be mounted here, so none is full");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let [data, file] = ["data", "backup.db"].map(|name| home.path().join(name));
    let server = Server::new(&data, &["--dev"]);
    write_more(&server);
    let full = disk.path().join("backup.db");
    refused(&backup(&data, &full, &[]), 7, "no storage space");
    assert_eq!(disk.path().read_dir().unwrap().count(), 0);
    server.stop();
    done(&backup(&data, &file, &[]));
    for name in ["pepper", "user-token-key"] {
        fs::copy(data.join(name), disk.path().join(name)).unwrap();
    }
    let ended = restore(disk.path(), &file, &[]);
    assert_eq!(ended.status.code(), Some(7), "{}", ended.stderr);
    let left = ["guestlist.lock", "pepper", "user-token-key"];
    let entries = disk.path().read_dir().unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(
        names.collect::<BTreeSet<_>>(),
        BTreeSet::from(left.map(str::to_owned))
    );
    // With room, both work.
    disk.grow("8m");
    done(&backup(&data, &full, &[]));
    done(&restore(disk.path(), &file, &[]));
}

/// More than fits on the small disk.
fn write_more(server: &Server) {
    let owner = server.owner();
    for number in 0..60 {
        let resource = format!("projects/{number}/{}", "x".repeat(100));
        let record = json!({
            "name": "large",
            "users": [{ "userId": "alice" }],
            "statements": [{ "roles": ["ro_viewer"], "resources": [{ "resourceUri": resource }] }],
        });
        server
            .send(&owner, "POST", "/v1/records", &record)
            .expect(201);
    }
}
