//! Webhooks of a server that is killed again and again: nothing is left out, and the order stays.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};

use serde_json::{Value, json};

use crate::http::PATIENCE;
use crate::server::Server;

/// The URL of a receiver, and the ids of the roles that it is told of.
fn receiver() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // A sender that is killed leaves a request half sent.
            if let Some(event) = event(&mut stream) {
                let role = event["subject"]["id"].as_str().unwrap().to_owned();
                if tell.send(role).is_err() {
                    return;
                }
                let _written = stream.write_all(b"HTTP/1.1 204 X\r\n\r\n");
            }
        }
    });
    (url, told)
}

fn event(stream: &mut TcpStream) -> Option<Value> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        let body = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(event) = body.and_then(|end| serde_json::from_slice(&bytes[end + 4..]).ok()) {
            return Some(event);
        }
    }
}

fn make_role(server: &Server, owner: &str, number: usize) {
    let role = json!({"roleId": format!("ro_{number:04}"), "name": "x", "permissions": []});
    server.send(owner, "POST", "/v1/roles", &role).expect(201);
}

/// Up to which revision is delivered, and the newest one.
fn progress(server: &Server, owner: &str, deliveries: &str) -> (u64, u64) {
    let page = server.send(owner, "GET", deliveries, &Value::Null).json();
    let revision = |member: &str| page[member].as_u64().unwrap();
    (revision("deliveredRevision"), revision("lastRevision"))
}

#[test]
fn r32_kill_9_between_deliveries_leaves_none_out() {
    const KILLS: usize = 5;
    const EACH: usize = 40;
    let directory = tempfile::tempdir().unwrap();
    let (url, told) = receiver();
    let mut server = Server::new(directory.path(), &["--dev"]);
    let owner = server.owner();
    let body = json!({"url": url, "eventTypes": ["role.created"]});
    let made = server.send(&owner, "POST", "/v1/webhooks", &body);
    let deliveries = format!(
        "/v1/webhooks/{}/deliveries",
        made.expect(201).member("webhookId")
    );
    let mut seen = BTreeSet::new();
    let take = |seen: &mut BTreeSet<String>| {
        let role = told.recv_timeout(PATIENCE).unwrap();
        // What comes for the first time comes in its order.
        if !seen.contains(&role) {
            assert_eq!(role, format!("ro_{:04}", seen.len()));
            seen.insert(role);
        }
    };
    for round in 0..KILLS {
        for number in 0..EACH {
            make_role(&server, &owner, round * EACH + number);
        }
        // Somewhere in the middle of what is sent.
        while seen.len() < round * EACH + EACH / 2 {
            take(&mut seen);
        }
        server.kill();
        server = Server::new(directory.path(), &["--dev"]);
    }
    while seen.len() < KILLS * EACH {
        take(&mut seen);
    }
    let newest = progress(&server, &owner, &deliveries).1;
    let mut asked = 0..10_000;
    assert!(asked.any(|_| progress(&server, &owner, &deliveries).0 >= newest));
    // A kill costs repetitions and nothing else: after an end in good order there are none.
    server.stop();
    // What the last server sent again may still lie here, if the one before it had sent all of it.
    for role in told.try_iter() {
        assert!(seen.contains(&role), "{role}");
    }
    let server = Server::new(directory.path(), &["--dev"]);
    make_role(&server, &owner, KILLS * EACH);
    let next = told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(next, format!("ro_{:04}", KILLS * EACH));
}
