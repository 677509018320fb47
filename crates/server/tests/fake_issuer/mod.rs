//! An issuer of tokens on loopback for tests: discovery, keys, every kind of bad answer, and counts
//! of what was fetched. It mints any token, also wrong ones.
//!
//! A test file that does not use all of it includes it with
//! `#[expect(dead_code, reason = "…")] mod fake_issuer;`.

mod keys;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) use keys::SigningKey;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the issuer answers.
#[derive(Clone)]
pub(crate) enum Reply {
    Json(Value),
    Status(u16),
    Html,
    /// Nothing, until the issuer is dropped or the asker goes away.
    Hang,
    /// This, followed by ten megabytes of white space.
    Large(Value),
    Redirect(String),
    /// This, but only when [`FakeIssuer::release`] is called.
    Held(Value),
}

/// A running issuer. It stops when dropped.
pub(crate) struct FakeIssuer {
    name: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    discovery: Mutex<Reply>,
    keys: Mutex<Reply>,
    discovery_fetches: AtomicUsize,
    key_fetches: AtomicUsize,
    connections: AtomicUsize,
    released: watch::Sender<bool>,
}

impl FakeIssuer {
    /// An issuer `http://127.0.0.1:{port}` with these keys.
    pub(crate) async fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let name = format!("http://{}", listener.local_addr().unwrap());
        let discovery = json!({
            "issuer": name,
            "jwks_uri": format!("{name}/keys"),
            "authorization_endpoint": format!("{name}/authorize"),
        });
        let shared = Arc::new(Shared {
            discovery: Mutex::new(Reply::Json(discovery)),
            keys: Mutex::new(Reply::Status(404)),
            discovery_fetches: AtomicUsize::new(0),
            key_fetches: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            released: watch::channel(false).0,
        });
        let server = tokio::spawn(serve(listener, shared.clone()));
        let issuer = Self {
            name,
            shared,
            server,
        };
        issuer.rotate(keys);
        issuer
    }

    /// The `iss` of its tokens.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Publishes these keys and no others.
    pub(crate) fn rotate(&self, keys: &[&SigningKey]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        self.answer_keys(Reply::Json(json!({ "keys": keys })));
    }

    pub(crate) fn answer_keys(&self, reply: Reply) {
        *self.shared.keys.lock().unwrap() = reply;
    }

    pub(crate) fn answer_discovery(&self, reply: Reply) {
        *self.shared.discovery.lock().unwrap() = reply;
    }

    /// Lets held answers go out, from now on.
    pub(crate) fn release(&self) {
        self.shared.released.send_replace(true);
    }

    pub(crate) fn key_fetches(&self) -> usize {
        self.shared.key_fetches.load(Ordering::SeqCst)
    }

    pub(crate) fn discovery_fetches(&self) -> usize {
        self.shared.discovery_fetches.load(Ordering::SeqCst)
    }

    /// Connections of any kind.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for FakeIssuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(answer(stream, shared.clone()));
    }
}

/// One request, one answer, and the connection is closed. Errors mean that the asker went away.
async fn answer(mut stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16 * 1024 {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let path = head.split(' ').nth(1)?;
    let reply = match path {
        "/.well-known/openid-configuration" => {
            shared.discovery_fetches.fetch_add(1, Ordering::SeqCst);
            shared.discovery.lock().unwrap().clone()
        }
        "/keys" | "/.well-known/openid-configuration/jwks" => {
            shared.key_fetches.fetch_add(1, Ordering::SeqCst);
            shared.keys.lock().unwrap().clone()
        }
        _ => Reply::Status(404),
    };
    let (status, more, body) = match reply {
        Reply::Json(value) => (200, String::new(), value.to_string()),
        Reply::Status(status) => (status, String::new(), String::new()),
        Reply::Html => (200, String::new(), "<html>sorry</html>".to_owned()),
        Reply::Redirect(place) => (302, format!("Location: {place}\r\n"), String::new()),
        Reply::Large(value) => {
            let padding = " ".repeat(10 << 20);
            (200, String::new(), format!("{value}{padding}"))
        }
        Reply::Held(value) => {
            let mut released = shared.released.subscribe();
            released.wait_for(|released| *released).await.ok()?;
            (200, String::new(), value.to_string())
        }
        Reply::Hang => {
            // Reading ends when the asker closes the connection.
            stream.read_u8().await.ok()?;
            return None;
        }
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\nConnection: close\r\n\
         {more}Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}
