//! The first start, every start after it, and the starts that must be refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::server::{Server, refused, serve};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn account_of(server: &Server) -> String {
    let reply = server.send(&server.owner(), "GET", "/v1/accounts", &Value::Null);
    let id = reply.expect(200).json()["accounts"]["accountId"].clone();
    id.as_str().unwrap().to_owned()
}

#[test]
fn the_first_start_makes_the_account_and_the_second_keeps_it() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("made/by/the/server");
    let mut server = Server::new(&data, &[]);
    let account = account_of(&server);
    assert!(account.starts_with("acc-"), "{account}");
    let key = server.owner();
    let said = server.stdout.so_far();
    assert_eq!(said.matches(&key).count(), 1, "{said}");
    assert!(
        said.contains(&account) && said.contains(&format!("{}", data.display())),
        "{said}"
    );
    assert_eq!(mode(&data), 0o700);
    for file in [
        "owner-access-key",
        "pepper",
        "user-token-key",
        "sealing-key",
        "guestlist.db",
        "guestlist.lock",
    ] {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
    assert!(!server.stop().contains(&key));

    let pepper = fs::read(data.join("pepper")).unwrap();
    let mut server = Server::new(&data, &[]);
    assert_eq!(account_of(&server), account);
    let said = server.stdout.so_far();
    assert!(said.contains(&account), "{said}");
    assert!(
        !said.contains(&key) && !said.contains("owner key"),
        "{said}"
    );
    server.stop();
    assert_eq!(fs::read(data.join("pepper")).unwrap(), pepper);

    // The key is wanted elsewhere: then it need not be kept here.
    fs::remove_file(data.join("owner-access-key")).unwrap();
    let server = Server::new(&data, &[]);
    server
        .send(&key, "GET", "/v1/accounts", &Value::Null)
        .expect(200);
    assert!(!data.join("owner-access-key").exists());
}

#[test]
fn an_account_id_is_taken_once() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let server = Server::new(data, &["--account-id", "acc-mine"]);
    assert_eq!(account_of(&server), "acc-mine");
    server.stop();
    let server = Server::new(data, &["--account-id", "acc-mine"]);
    assert_eq!(account_of(&server), "acc-mine");
    server.stop();
    let mut other = serve(data);
    other.args(["--account-id", "acc-other"]);
    refused(other, &["acc-mine", "acc-other", "leave --account-id out"]);
    let mut malformed = serve(data);
    malformed.args(["--account-id", "not an id"]);
    refused(malformed, &["--account-id"]);
}

#[test]
fn r08_a_second_process_on_the_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let first = Server::new(directory.path(), &[]);
    let place = directory.path().to_str().unwrap();
    refused(
        serve(directory.path()),
        &["in use by another Guestlist", place],
    );
    let owner = first.owner();
    first
        .send(&owner, "GET", "/v1/accounts", &Value::Null)
        .expect(200);
    first.kill();
    Server::new(directory.path(), &[]).stop();
}

#[test]
fn a_port_in_use_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let first = Server::new(directory.path(), &[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = crate::server::bare();
    let address = first.address.to_string();
    command
        .args(["--listen", &address, "--data"])
        .arg(elsewhere.path());
    refused(command, &["cannot listen on", &address]);
}

#[test]
fn s07_secrets_that_others_can_read_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    Server::new(data, &[]).stop();
    for file in [
        "pepper",
        "user-token-key",
        "sealing-key",
        "owner-access-key",
    ] {
        for exposed in [0o640, 0o604, 0o620] {
            let path = data.join(file);
            fs::set_permissions(&path, Permissions::from_mode(exposed)).unwrap();
            let shown = path.to_str().unwrap();
            refused(
                serve(data),
                &[shown, "chmod 600", &format!("{exposed:04o}")],
            );
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        }
    }
    Server::new(data, &[]).stop();
}

#[test]
fn s04_without_its_secrets_or_with_damaged_ones_it_does_not_start() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let server = Server::new(data, &[]);
    // From the first connection on the key of their secrets is needed.
    server
        .send(&server.owner(), "POST", "/v1/connections", &json!({}))
        .expect(201);
    server.stop();
    for (file, says) in [
        ("pepper", "a pepper"),
        ("user-token-key", "an Ed25519 private key"),
        ("sealing-key", "a sealing key"),
    ] {
        let path = data.join(file);
        let kept = fs::read(&path).unwrap();
        for damaged in [kept.get(1..).unwrap(), b"".as_slice(), b"not it".as_slice()] {
            fs::write(&path, damaged).unwrap();
            refused(
                serve(data),
                &[path.to_str().unwrap(), says, "restore it from a backup"],
            );
        }
        fs::remove_file(&path).unwrap();
        refused(
            serve(data),
            &[path.to_str().unwrap(), "restore it from a backup"],
        );
        assert!(!path.exists(), "a lost secret is never made anew");
        fs::write(&path, kept).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
    Server::new(data, &[]).stop();
}

/// Accounts that were made before there were connections have no key for their secrets.
#[test]
fn an_account_without_connections_gets_its_sealing_key_at_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    Server::new(data, &[]).stop();
    let key = data.join("sealing-key");
    let first = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    Server::new(data, &[]).stop();
    assert_eq!(mode(&key), 0o600);
    assert_ne!(fs::read(&key).unwrap(), first);
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a-file");
    fs::write(&file, "").unwrap();
    refused(serve(&file), &[file.to_str().unwrap()]);
    refused(serve(&file.join("below")), &[file.to_str().unwrap()]);
    let data = directory.path().join("foreign");
    fs::create_dir(&data).unwrap();
    fs::write(
        data.join("guestlist.db"),
        "this is no database, however long it may be",
    )
    .unwrap();
    refused(serve(&data), &["database"]);
    let kept = fs::read(data.join("guestlist.db")).unwrap();
    assert_eq!(kept, b"this is no database, however long it may be");
}

#[test]
fn a_memory_store_never_takes_the_place_of_an_embedded_one() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let server = Server::new(data, &[]);
    let owner = server.owner();
    server.stop();
    let mut memory = serve(data);
    memory.args(["--store", "memory"]);
    refused(memory, &["embedded store", data.to_str().unwrap()]);
    assert_eq!(Server::new(data, &[]).owner(), owner);
}
