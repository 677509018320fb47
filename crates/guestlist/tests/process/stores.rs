//! `store copy` and `migrate`: a running server moves to a database.

use std::path::Path;
use std::process::Command;

use guestlist_store::suite::cluster::{Cluster, shared_or_skip};
use serde_json::{Value, json};

use crate::server::{Ended, Server, invite_of, record_of, run, serve};

/// The cluster of this process; a test ends where there is none.
fn cluster() -> Option<&'static Cluster> {
    shared_or_skip().unwrap()
}

fn guestlist(arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guestlist"));
    command.env_clear().args(arguments).arg("--json");
    run(command)
}

#[track_caller]
fn done(ended: &Ended) -> Value {
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// A node on a database, with the secrets of a data directory.
fn node(home: &Path, name: &str, secrets: &Path, address: &str) -> Server {
    let data = home.join(name);
    std::fs::create_dir(&data).unwrap();
    for file in [
        "pepper",
        "sealing-key",
        "user-token-key",
        "owner-access-key",
    ] {
        std::fs::copy(secrets.join(file), data.join(file)).unwrap();
    }
    let mut command = serve(&data);
    // The name that all nodes have: it is the issuer of their tokens.
    command.args(["--dev", "--public-url", "http://nodes.test"]);
    command.args(["--store", address]);
    Server::start(command, &data)
}

#[test]
fn a_running_server_moves_to_a_database_and_nothing_is_lost() {
    let Some(cluster) = cluster() else { return };
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let (address, from) = (cluster.new_address(), data.to_str().unwrap());
    let old = Server::new(&data, &["--dev"]);
    let owner = old.owner();
    let record = record_of("rec_a", "alice", "ro_viewer", "projects/1");
    old.send(&owner, "POST", "/v1/records", &record).expect(201);
    let invite = invite_of("ro_editor", "projects/42");
    let made = old.send(&owner, "POST", "/v1/invites", &invite);
    let id = made.expect(201).member("inviteId");
    let copy = ["store", "copy", "--from", from, "--to", &address];
    let copied = done(&guestlist(&[&copy[..], &["--retire"]].concat()));
    assert_eq!(
        (&copied["retired"], &copied["documents"]["invite"]),
        (&json!(true), &json!(1))
    );
    // The old one goes on reading, and takes nothing that the database would not have.
    let target = "/v1/records/rec_a";
    old.send(&owner, "GET", target, &Value::Null).expect(200);
    let later = record_of("rec_b", "bob", "ro_viewer", "projects/1");
    let refused = old.send(&owner, "POST", "/v1/records", &later).expect(503);
    assert_eq!(refused.member("errorCode"), "StorageUnavailable");
    // Both nodes are the old server: its keys, its invites, its revisions.
    let nodes = ["one", "two"].map(|name| node(home.path(), name, &data, &address));
    for node in &nodes {
        node.send(&owner, "GET", target, &Value::Null).expect(200);
    }
    let bob = nodes[0].token("bob");
    let accept = format!("/v1/invites/{id}");
    nodes[0]
        .send(&bob, "PATCH", &accept, &Value::Null)
        .expect(200);
    nodes[1]
        .send(&bob, "PATCH", &accept, &Value::Null)
        .expect(200);
    let carol = nodes[1].token("carol");
    let lost = nodes[1].send(&carol, "PATCH", &accept, &Value::Null);
    assert_eq!(
        lost.expect(404).member("errorCode"),
        "InviteAlreadyAccepted"
    );
    let feed = format!("/v1/events?after={}&limit=9", copied["lastRevision"]);
    let events = nodes[1]
        .send(&owner, "GET", &feed, &Value::Null)
        .expect(200);
    assert!(events.text.contains("invite.accepted"), "{}", events.text);
    // Not a second time, and not into what is used.
    let again = guestlist(&copy);
    assert_eq!(again.status.code(), Some(5), "{}", again.stderr);
    old.send(&owner, "POST", "/v1/records", &later).expect(503);
    let revived = guestlist(&["store", "revive", "--data", from]);
    assert_eq!(revived.status.code(), Some(0), "{}", revived.stderr);
    old.send(&owner, "POST", "/v1/records", &later).expect(201);
    old.stop();
    for node in nodes {
        node.stop();
    }
}

#[test]
fn tables_are_made_when_they_are_asked_for() {
    let Some(cluster) = cluster() else { return };
    let home = tempfile::tempdir().unwrap();
    let address = cluster.new_address();
    let migrate = ["migrate", "--store", &address];
    let looked = guestlist(&[&migrate[..], &["--check"]].concat());
    assert_eq!(looked.status.code(), Some(1), "{}", looked.stderr);
    assert!(
        looked.stderr.contains("guestlist migrate"),
        "{}",
        looked.stderr
    );
    let mut start = serve(&home.path().join("data"));
    start.args(["--store", &address, "--migrate", "check"]);
    let refused = run(start);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        refused.stderr.contains("guestlist migrate"),
        "{}",
        refused.stderr
    );
    let made = done(&guestlist(&migrate));
    assert_eq!(made["from"], 0);
    let looked = done(&guestlist(&[&migrate[..], &["--check"]].concat()));
    assert_eq!((&looked["from"], &looked["to"]), (&made["to"], &made["to"]));
}

#[test]
fn a_node_with_secrets_of_its_own_does_not_start() {
    let Some(cluster) = cluster() else { return };
    let home = tempfile::tempdir().unwrap();
    let address = cluster.new_address();
    let [one, other] = ["one", "other"].map(|name| home.path().join(name));
    let start = |data: &Path| {
        let mut command = serve(data);
        command.args(["--store", &address]);
        command
    };
    let first = Server::start(start(&one), &one);
    let owner = first.owner();
    // As two that are started at once on an empty database do: each makes its own.
    let elsewhere = Server::new(&other, &[]);
    elsewhere.stop();
    let refused = run(start(&other));
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        refused
            .stderr
            .contains("is not the secret that this store was written with"),
        "{}",
        refused.stderr
    );
    for file in ["pepper", "sealing-key", "user-token-key"] {
        std::fs::copy(one.join(file), other.join(file)).unwrap();
    }
    let second = Server::start(start(&other), &other);
    let accounts = second.send(&owner, "GET", "/v1/accounts", &Value::Null);
    accounts.expect(200);
    first.stop();
    second.stop();
}
