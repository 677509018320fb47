//! A receiver of webhooks on loopback that does what it is told, and tells what it was sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What has not come by then never will.
const BOUND: Duration = Duration::from_secs(30);

/// What it does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Answer(u16),
    Redirect(String),
    /// Closes the connection without an answer.
    HangUp,
    /// Never answers, and tells when the other end gave up.
    Stall,
}

/// What it was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    acts: Arc<Mutex<VecDeque<Act>>>,
    sent: mpsc::UnboundedReceiver<Sent>,
    given_up: mpsc::UnboundedReceiver<()>,
}

impl Receiver {
    /// One that answers 204 to what it was not told otherwise.
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let acts: Arc<Mutex<VecDeque<Act>>> = Arc::default();
        let (tell, sent) = mpsc::unbounded_channel();
        let (tell_end, given_up) = mpsc::unbounded_channel();
        let script = Arc::clone(&acts);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, tell, tell_end) =
                    (Arc::clone(&script), tell.clone(), tell_end.clone());
                tokio::spawn(serve(stream, script, tell, tell_end));
            }
        });
        Self {
            url,
            acts,
            sent,
            given_up,
        }
    }

    /// What it does with the next requests, in their order.
    pub(crate) fn will(&self, acts: impl IntoIterator<Item = Act>) {
        self.acts.lock().unwrap().extend(acts);
    }

    pub(crate) async fn next(&mut self) -> Sent {
        tokio::time::timeout(BOUND, self.sent.recv())
            .await
            .unwrap()
            .unwrap()
    }

    /// The types of the next events.
    pub(crate) async fn types(&mut self, count: usize) -> Vec<String> {
        let mut types = Vec::new();
        for _ in 0..count {
            types.push(self.next().await.kind());
        }
        types
    }

    /// Resolves when the sender closed a connection on which it is stalled.
    pub(crate) async fn given_up(&mut self) {
        tokio::time::timeout(BOUND, self.given_up.recv())
            .await
            .unwrap()
            .unwrap();
    }

    /// Whether everything that was sent has been looked at.
    pub(crate) fn is_idle(&mut self) -> bool {
        self.sent.try_recv().is_err()
    }
}

async fn serve(
    mut stream: TcpStream,
    script: Arc<Mutex<VecDeque<Act>>>,
    tell: mpsc::UnboundedSender<Sent>,
    tell_end: mpsc::UnboundedSender<()>,
) {
    let mut bytes = Vec::new();
    let sent = loop {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
        if let Some(sent) = parse(&bytes) {
            break sent;
        }
    };
    let act = script.lock().unwrap().pop_front();
    let _told = tell.send(sent);
    let answer = match act.unwrap_or(Act::Answer(204)) {
        Act::Answer(status) => format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"),
        Act::Redirect(to) => {
            format!("HTTP/1.1 307 X\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
        }
        Act::HangUp => return,
        Act::Stall => {
            let mut rest = [0; 1];
            let _ended = stream.read(&mut rest).await;
            let _told = tell_end.send(());
            return;
        }
    };
    let _written = stream.write_all(answer.as_bytes()).await;
    let _closed = stream.shutdown().await;
}

/// A request, once it is whole.
fn parse(bytes: &[u8]) -> Option<Sent> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.lines();
    let first = lines.next().unwrap();
    assert!(first.starts_with("POST "), "{first}");
    let headers: BTreeMap<String, String> = lines
        .map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        })
        .collect();
    let body = &bytes[end + 4..];
    let length: usize = headers["content-length"].parse().unwrap();
    (body.len() >= length).then(|| Sent {
        path: first.split(' ').nth(1).unwrap().to_owned(),
        headers,
        body: body.to_vec(),
    })
}

impl Sent {
    pub(crate) fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn kind(&self) -> String {
        self.event()["eventType"].as_str().unwrap().to_owned()
    }

    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// How many of its signatures were made with a secret, and how many there are.
    pub(crate) fn signatures(&self, secret: &str) -> (usize, usize) {
        let key = STANDARD
            .decode(secret.strip_prefix("whsec_").unwrap())
            .unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let mut signed =
            format!("{}.{}.", self.id(), self.headers["webhook-timestamp"]).into_bytes();
        signed.extend_from_slice(&self.body);
        let all: Vec<&str> = self.headers["webhook-signature"].split(' ').collect();
        let good = all.iter().filter(|signature| {
            let tag = STANDARD.decode(signature.strip_prefix("v1,").unwrap());
            hmac::verify(&key, &signed, &tag.unwrap()).is_ok()
        });
        (good.count(), all.len())
    }
}
