//! The end that was asked for: nothing acknowledged is lost, nothing accepted is dropped.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::thread;

use guestlist_rules::changes::Revision;
use guestlist_store::{EmbeddedStore, Store as _};
use serde_json::{Value, json};

use crate::http::{Call, Connection};
use crate::server::{Server, invite_of, record_of};

const ROUNDS: usize = 5;
const CLIENTS: usize = 8;

/// Makes invites and records on one connection until the server ends it, and gives the targets of
/// all that were answered.
fn write_until_the_end(
    address: SocketAddr,
    key: &str,
    name: &str,
    told: &Sender<()>,
) -> Vec<String> {
    let mut connection = Connection::open(address).unwrap();
    let mut done = Vec::new();
    for number in 0.. {
        let id = format!("{name}-{number}");
        let (target, body) = if number % 2 == 0 {
            ("/v1/invites", invite_of("Authress:Owner", &id))
        } else {
            (
                "/v1/records",
                record_of(&id, "someone", "Authress:Owner", &id),
            )
        };
        let call = Call {
            credential: key,
            method: "POST",
            target,
            body: &body.to_string(),
            ..Call::default()
        };
        let Ok(reply) = connection.call(call) else {
            break;
        };
        let reply = reply.expect(201).json();
        let made = reply["inviteId"]
            .as_str()
            .or(reply["recordId"].as_str())
            .unwrap();
        done.push(format!("{target}/{made}"));
        let _listening = told.send(());
    }
    done
}

fn newest_revision(data: &Path) -> Revision {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = EmbeddedStore::open(data).unwrap();
        let revision = store.revision().await.unwrap();
        store.close().await.unwrap();
        revision
    })
}

#[test]
fn r23_sigterm_under_load_answers_all_that_was_done_and_keeps_it() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let mut total = 0;
    Server::new(data, &[]).stop();
    for round in 0..ROUNDS {
        let before = newest_revision(data);
        let server = Server::new(data, &[]);
        let (address, key) = (server.address, server.owner());
        let (told, acknowledged) = mpsc::channel();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (key, told) = (key.clone(), told.clone());
                let name = format!("r{round}-c{client}");
                thread::spawn(move || write_until_the_end(address, &key, &name, &told))
            })
            .collect();
        // Connections that are only open must not hold the end up.
        let idle: Vec<_> = (0..CLIENTS)
            .map(|_| Connection::open(address).unwrap())
            .collect();
        for _ in 0..30 + 20 * round {
            acknowledged.recv().unwrap();
        }
        let log = server.stop();
        let made: Vec<String> = clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect();
        drop(idle);
        assert!(log.contains("shutting down"), "{log}");
        // All that was done was answered: as many changes as acknowledgements.
        let changes = newest_revision(data).0 - before.0;
        assert_eq!(changes, u64::try_from(made.len()).unwrap(), "round {round}");
        // All that was answered is there.
        let server = Server::new(data, &[]);
        let mut connection = Connection::open(server.address).unwrap();
        for target in &made {
            let call = Call {
                credential: &key,
                method: "GET",
                target,
                ..Call::default()
            };
            connection.call(call).unwrap().expect(200);
        }
        total += made.len();
        server.stop();
    }
    println!("{ROUNDS} ends under load, {total} acknowledged changes, none lost");
    assert!(total > 30 * ROUNDS);
}

fn readiness(server: &Server) -> (u16, Value) {
    let reply = server.send("", "GET", "/readyz", &Value::Null);
    (reply.status, reply.json()["errorCode"].clone())
}

#[test]
fn during_the_drain_delay_it_is_not_ready_and_still_answers() {
    let directory = tempfile::tempdir().unwrap();
    // Longer than the test waits for anything, so that only the second signal can end it.
    let mut server = Server::new(directory.path(), &["--drain-delay", "3600"]);
    let owner = server.owner();
    assert_eq!(readiness(&server).0, 200);
    server.signal("-TERM");
    server.stderr.until("shutting down").unwrap();
    // Readiness follows the line of the log at once, but in another task.
    while readiness(&server).0 == 200 {}
    assert_eq!(readiness(&server), (503, json!("ShuttingDown")));
    server.send("", "GET", "/healthz", &Value::Null).expect(200);
    let body = invite_of("Authress:Owner", "late");
    let made = server
        .send(&owner, "POST", "/v1/invites", &body)
        .expect(201);
    let late = format!("/v1/invites/{}", made.member("inviteId"));
    server.signal("-TERM");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("ended at once by a second signal"), "{log}");
    let server = Server::new(directory.path(), &[]);
    server.send(&owner, "GET", &late, &Value::Null).expect(200);
}

#[test]
fn the_drain_delay_ends_by_itself_and_an_interrupt_is_as_good() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::new(directory.path(), &["--drain-delay", "1"]);
    server.signal("-INT");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(
        log.contains("draining") && !log.contains("at once by"),
        "{log}"
    );
}
