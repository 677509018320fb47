//! A server that does what its script says: it shows what really arrives, and how often.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guestlist_client::{Builder, Client, Credentials};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What to do with a request once it has arrived in full.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Answer with these bytes and close the connection.
    Answer(String),
    /// Close the connection without an answer.
    Close,
    /// Never answer, and keep the connection.
    Hang,
}

/// An answer with a status, header lines and a body.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Step {
    let length = body.len();
    Step::Answer(format!(
        "HTTP/1.1 {status} Said\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    ))
}

/// A refusal of our server.
pub(crate) fn refusal(status: u16, code: &str) -> Step {
    let body = format!(
        r#"{{"type":"/problems/{code}","title":"Because.","status":{status},"errorCode":"{code}","errorId":"r-1"}}"#
    );
    answer(status, "", &body)
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Arrived {
    /// `GET /v1/roles`.
    pub(crate) fn line(&self) -> &str {
        self.head
            .lines()
            .next()
            .and_then(|line| line.strip_suffix(" HTTP/1.1"))
            .unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

pub(crate) struct Scripted {
    pub(crate) url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    more: Arc<Notify>,
    running: JoinHandle<()>,
}

impl Scripted {
    /// Does these steps, and the last one for all further requests.
    pub(crate) async fn start(steps: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let steps: VecDeque<Step> = steps.into_iter().collect();
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let more = Arc::new(Notify::new());
        let running = tokio::spawn(serve(
            listener,
            steps,
            Arc::clone(&arrived),
            Arc::clone(&more),
        ));
        Self {
            url,
            arrived,
            more,
            running,
        }
    }

    /// A client of it that is quick to give up.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> Builder {
        Client::builder(&self.url, Credentials::token("a-token"))
            .timeout(Duration::from_secs(20))
            .retries(3)
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.arrived().len()
    }

    /// Waits until so many requests have arrived.
    pub(crate) async fn wait_for(&self, count: usize) {
        let patience = Duration::from_secs(30);
        tokio::time::timeout(patience, async {
            while self.count() < count {
                self.more.notified().await;
            }
        })
        .await
        .unwrap();
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn serve(
    listener: TcpListener,
    mut steps: VecDeque<Step>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    more: Arc<Notify>,
) {
    let mut kept = Vec::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let Some(request) = read(&mut stream).await else {
            continue;
        };
        arrived.lock().unwrap().push(request);
        more.notify_one();
        let step = match steps.len() {
            1 => steps[0].clone(),
            _ => steps.pop_front().unwrap(),
        };
        match step {
            Step::Answer(text) => {
                stream.write_all(text.as_bytes()).await.unwrap();
                let _closed = stream.shutdown().await;
            }
            Step::Close => {}
            Step::Hang => kept.push(stream),
        }
    }
}

/// A whole request; `None` if the connection ended before.
async fn read(stream: &mut TcpStream) -> Option<Arrived> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let request = Arrived {
                head: head.to_owned(),
                body: body.to_owned(),
            };
            let length = request.header("content-length").unwrap_or("0");
            if body.len() >= length.parse::<usize>().unwrap() {
                return Some(request);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
