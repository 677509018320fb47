//! A node whose clock is ten minutes off beside one whose clock is right: the log keeps the order of
//! commits, what one revokes the other denies, and a clock that is fast ends things too early.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use guestlist_server::assembly;
use guestlist_server::clock::Clock;
use guestlist_server::entropy::Entropy;
use guestlist_server::limits::Limits;
use guestlist_server::settings::Settings;
use guestlist_server::startup;
use guestlist_store::Migrate;
use guestlist_store::suite::cluster::ClusterOptions;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::http::{Call, Connection, Reply};
use crate::place::{BOUND, Place, SCHEMA, block_on, cluster, whole_log};
use crate::server::{invite_of, record_of, text_of};

const OFF: i64 = 10 * 60_000;

/// A node in this process, with a clock that stands still so far from the machine's.
struct Off {
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
}

impl Off {
    fn by(milliseconds: i64, data: PathBuf, store: String) -> Self {
        let (tell, told) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let running = thread::spawn(move || {
            block_on(live(milliseconds, &data, &store, &tell, ended));
        });
        Self {
            address: told.recv_timeout(BOUND).unwrap(),
            end: Some(end),
            running: Some(running),
        }
    }
}

impl Drop for Off {
    fn drop(&mut self) {
        drop(self.end.take());
        let _ended = self.running.take().map(JoinHandle::join);
    }
}

async fn live(
    milliseconds: i64,
    data: &Path,
    store: &str,
    tell: &mpsc::Sender<SocketAddr>,
    ended: oneshot::Receiver<()>,
) {
    let store = guestlist_store::open(store, Migrate::Check).await.unwrap();
    let clock = Clock::still(Clock::system().now());
    clock.advance(milliseconds);
    let entropy = Entropy::system();
    let secrets = startup::secrets(store.as_ref(), data, &clock, &entropy).await;
    let account = startup::account(store.as_ref(), &clock, &entropy, data, None, true).await;
    let settings = Settings {
        account_id: account.unwrap().account_id,
        public_url: "http://guestlist.test".to_owned(),
        development: true,
        raw_access_keys: true,
        allowed_origins: Vec::new(),
        trusted_proxies: Vec::new(),
        private_issuers: false,
        limits: Limits::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = assembly::build(settings, store, secrets.unwrap(), clock, entropy);
    let app = app.await.unwrap();
    tell.send(address).unwrap();
    let shutdown = async {
        let _told = ended.await;
    };
    assembly::run(app, listener, shutdown, Duration::ZERO)
        .await
        .unwrap();
}

/// A request at a node, after it has taken in a revision.
fn send(
    node: SocketAddr,
    credential: &str,
    method: &str,
    target: &str,
    body: &Value,
    least: &str,
) -> Reply {
    let call = Call {
        credential,
        method,
        target,
        headers: &[("Guestlist-Min-Revision", least)],
        body: &text_of(body),
    };
    Connection::open(node).unwrap().call(call).unwrap()
}

fn revision_of(reply: &Reply) -> String {
    reply.header("guestlist-revision").unwrap()
}

fn token(node: SocketAddr, user: &str) -> String {
    let body = json!({ "userId": user });
    let reply = send(node, "", "POST", "/v1/dev/tokens", &body, "0");
    reply.expect(200).member("accessToken")
}

const READ: &str = "/v1/users/someone/resources/shared/permissions/documents:read";

/// Both write in turns; what one revokes, the other denies.
fn they_agree(nodes: [SocketAddr; 2], owner: &str) {
    for turn in 0..20 {
        let (here, there) = (nodes[turn % 2], nodes[(turn + 1) % 2]);
        let id = format!("turn-{turn}");
        let record = record_of(&id, "someone", "ro_viewer", "shared");
        let given = send(here, owner, "POST", "/v1/records", &record, "0").expect(201);
        let given = revision_of(&given);
        send(there, owner, "GET", READ, &Value::Null, &given).expect(200);
        let target = format!("/v1/records/{id}");
        let revoked = send(here, owner, "DELETE", &target, &Value::Null, "0").expect(204);
        let revoked = revision_of(&revoked);
        send(there, owner, "GET", READ, &Value::Null, &revoked).expect(404);
    }
}

/// An invite that a node makes, with less than ten minutes to live by the machine's clock.
fn short_invite(node: SocketAddr, owner: &str) -> (String, String) {
    let mut body = invite_of("ro_viewer", "short");
    let expiry = Clock::system().now().plus(OFF / 4 * 3);
    body["expiryTime"] = serde_json::to_value(expiry).unwrap();
    let made = send(node, owner, "POST", "/v1/invites", &body, "0").expect(201);
    let target = format!("/v1/invites/{}", made.member("inviteId"));
    (target, revision_of(&made))
}

#[test]
fn a_node_whose_clock_is_off_agrees_with_the_others() {
    let Some(cluster) = cluster(&ClusterOptions::default().without_fsync()) else {
        return;
    };
    let address = cluster.address_of(SCHEMA);
    let mut place = Place::new();
    let right = place.node(&address);
    let owner = right.owner();
    let fast = Off::by(OFF, place.new_data(), address.clone());
    let slow = Off::by(-OFF, place.new_data(), address.clone());
    they_agree([right.address, fast.address], &owner);
    they_agree([right.address, slow.address], &owner);
    they_agree([fast.address, slow.address], &owner);
    // Chained and without gaps, whatever the times.
    let log = whole_log(&address);
    assert!(log.len() > 120, "{} events", log.len());
    let times = log.iter().map(|line| line.event.time);
    assert!(!times.is_sorted(), "the clocks did not differ");

    let bob = token(right.address, "bob");
    let (target, made) = short_invite(right.address, &owner);
    let early = send(fast.address, &bob, "PATCH", &target, &Value::Null, &made).expect(404);
    assert_eq!(early.json()["errorCode"], "InviteExpired", "{}", early.text);
    send(right.address, &bob, "PATCH", &target, &Value::Null, &made).expect(200);
    // A token that a fast clock made is not good yet, and one of a slow clock is older than it is.
    let own = "/v1/users/carol/resources/shared/permissions/documents:read";
    let of_fast = token(fast.address, "carol");
    send(right.address, &of_fast, "GET", own, &Value::Null, "0").expect(401);
    let of_slow = token(slow.address, "carol");
    send(right.address, &of_slow, "GET", own, &Value::Null, "0").expect(404);
}
