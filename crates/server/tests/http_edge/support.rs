//! A listener with a small handler behind it, and clients that write raw bytes.
//!
//! Every wait has a bound of its own, `PATIENCE`, which is far longer than what is waited for.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use guestlist_server::edge_error::EdgeError;
use guestlist_server::limits::Limits;
use guestlist_server::listener::{self, Peer};
use guestlist_server::paths::Path;
use guestlist_server::query::Query;
use guestlist_server::{body, head};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Long enough that no test ever waits for one of these.
pub(crate) fn endless() -> Limits {
    const HOUR: Duration = Duration::from_hours(1);
    Limits {
        header_time: HOUR,
        body_time: HOUR,
        write_time: HOUR,
        idle_time: HOUR,
        drain_time: HOUR,
        ..Limits::default()
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) handled: Arc<Handled>,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<()>,
}

/// What the handler has seen, and what tests let it wait for.
pub(crate) struct Handled {
    limits: Limits,
    pub(crate) begun: Mutex<Vec<String>>,
    pub(crate) answered: Mutex<Vec<String>>,
    /// A request for `/held` waits for a permit of this.
    pub(crate) held: Semaphore,
    /// How many bytes `/large` answers with.
    pub(crate) large: usize,
}

impl Server {
    pub(crate) async fn start(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Handled {
            limits: limits.clone(),
            begun: Mutex::default(),
            answered: Mutex::default(),
            held: Semaphore::new(0),
            large: 64 * 1024 * 1024,
        });
        let (stop, told_to_stop) = oneshot::channel();
        let handler = {
            let seen = Arc::clone(&seen);
            move |request, _: Peer| answer(Arc::clone(&seen), request)
        };
        let shutdown = async {
            told_to_stop.await.ok();
        };
        let ended = tokio::spawn(listener::serve(listener, limits, handler, shutdown));
        Self {
            address,
            handled: seen,
            stop: Some(stop),
            ended,
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a connection of their own and reads all that comes back until its end.
    pub(crate) async fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        // The server may have closed before it has read everything.
        let _ = stream.write_all(bytes.as_ref()).await;
        let _ = stream.shutdown().await;
        read_to_end(&mut stream).await
    }

    pub(crate) async fn get(&self, path: &str) -> String {
        self.exchange(get(path)).await
    }

    pub(crate) fn begin_to_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub(crate) async fn ended(self) {
        in_time(self.ended).await.unwrap();
    }

    pub(crate) fn begun(&self) -> Vec<String> {
        self.handled.begun.lock().unwrap().clone()
    }
}

/// The answer to a request: 200 with its path and body, or the status a server might choose.
async fn answer(handled: Arc<Handled>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    handled.begun.lock().unwrap().push(path.clone());
    assert!(path != "/panic", "a secret in a panic");
    let answer = match act(&handled, &path, request).await {
        Ok(bytes) => Response::new(Full::new(bytes)),
        Err(error) => {
            let mut answer = Response::new(Full::from(error.to_string()));
            *answer.status_mut() = status(&error);
            answer
        }
    };
    handled.answered.lock().unwrap().push(path);
    answer
}

async fn act(
    handled: &Handled,
    path: &str,
    request: Request<Incoming>,
) -> Result<Bytes, EdgeError> {
    head::check(&request, &handled.limits)?;
    Path::split(path)?;
    Query::new(request.uri().query())?;
    match path {
        "/held" => handled.held.acquire().await.unwrap().forget(),
        "/panic-later" => {
            tokio::task::yield_now().await;
            panic!("a secret in a panic");
        }
        "/large" => return Ok(Bytes::from(vec![b'x'; handled.large])),
        "/unread" => return Ok(Bytes::from_static(b"unread")),
        _ => {}
    }
    let (parts, incoming) = request.into_parts();
    let body = body::read(&parts.headers, incoming, &handled.limits).await?;
    body::parse::<serde_json::Value>(&body)?;
    Ok(Bytes::from(format!(
        "{} {path} {}",
        parts.method,
        body.len()
    )))
}

fn status(error: &EdgeError) -> StatusCode {
    match error {
        EdgeError::MalformedPath(_)
        | EdgeError::AmbiguousPath
        | EdgeError::BadHost(_)
        | EdgeError::BadTarget
        | EdgeError::BodyIncomplete
        | EdgeError::MalformedJson(_)
        | EdgeError::MalformedQuery(_) => StatusCode::BAD_REQUEST,
        EdgeError::UriTooLong { .. } => StatusCode::URI_TOO_LONG,
        EdgeError::HeadersTooLarge { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        EdgeError::UnknownExpectation => StatusCode::EXPECTATION_FAILED,
        EdgeError::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        EdgeError::BodyTimeout { .. } => StatusCode::REQUEST_TIMEOUT,
        EdgeError::UnsupportedEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        EdgeError::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
    }
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")
}

pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it did not happen in time")
}

/// Everything until the connection ends, by a close or a reset.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = in_time(stream.read_to_end(&mut bytes)).await;
    String::from_utf8(bytes).unwrap()
}

/// Reads one answer with a `Content-Length` and returns its status and body.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> Option<(u16, String)> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return Some((status_of(head), body.to_owned()));
            }
        }
        if in_time(stream.read_buf(&mut bytes)).await.ok()? == 0 {
            return None;
        }
    }
}

/// The status of the first answer; 0 if there was none.
pub(crate) fn status_of(answer: &str) -> u16 {
    answer
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| answer.strip_prefix("HTTP/1.0 "))
        .and_then(|rest| rest.get(..3))
        .map_or(0, |status| status.parse().unwrap())
}
