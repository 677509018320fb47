//! Bodies that are too long, too slow, encoded or broken off.

use std::time::Duration;

use guestlist_server::limits::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Server, endless, get, in_time, read_answer, read_to_end, status_of};

const MIB: usize = 1024 * 1024;

fn post(fields: &str, body: &str) -> String {
    format!("POST /a HTTP/1.1\r\nHost: test\r\n{fields}\r\n{body}")
}

fn with_length(body: &str) -> String {
    post(&format!("Content-Length: {}\r\n", body.len()), body)
}

fn chunked(body: &str) -> String {
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    post("Transfer-Encoding: chunked\r\n", &chunks)
}

/// JSON of exactly so many bytes.
fn json(bytes: usize) -> String {
    format!("\"{}\"", "x".repeat(bytes - 2))
}

#[tokio::test]
async fn d02_bodies_are_bounded_with_and_without_a_length() {
    let server = Server::start(endless()).await;
    for encode in [with_length, chunked] {
        assert_eq!(status_of(&server.exchange(encode(&json(MIB))).await), 200);
        assert_eq!(
            status_of(&server.exchange(encode(&json(MIB + 1))).await),
            413
        );
    }
}

#[tokio::test]
async fn d02_an_announced_length_is_refused_before_the_body_is_sent() {
    let server = Server::start(endless()).await;
    for fields in [
        "Content-Length: 1048577\r\n",
        "Content-Length: 1048577\r\nExpect: 100-continue\r\n",
        "Content-Length: 9223372036854775807\r\n",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(post(fields, "").as_bytes()).await.unwrap();
        let (status, _) = read_answer(&mut stream).await.unwrap();
        assert_eq!(status, 413, "{fields}");
    }
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_continue() {
    let server = Server::start(endless()).await;
    let mut stream = server.connect().await;
    let head = post("Content-Length: 4\r\nExpect: 100-continue\r\n", "");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    in_time(stream.read_exact(&mut interim)).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"true").await.unwrap();
    let (status, body) = read_answer(&mut stream).await.unwrap();
    assert_eq!((status, &*body), (200, "POST /a 4"));
}

#[tokio::test]
async fn d02_encoded_bodies_are_refused() {
    let server = Server::start(endless()).await;
    for encoding in ["gzip", "br", "deflate", "gzip, identity"] {
        let fields = format!("Content-Length: 4\r\nContent-Encoding: {encoding}\r\n");
        let answer = server.exchange(post(&fields, "\x1f\x08ab")).await;
        assert_eq!(status_of(&answer), 415, "{encoding}");
    }
    let fields = "Content-Length: 4\r\nContent-Encoding: identity\r\n";
    assert_eq!(status_of(&server.exchange(post(fields, "true")).await), 200);
}

#[tokio::test]
async fn the_type_of_a_body_does_not_matter() {
    let server = Server::start(endless()).await;
    for kind in [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        ";;;",
    ] {
        let fields = format!("Content-Type: {kind}\r\nContent-Length: 4\r\n");
        assert_eq!(
            status_of(&server.exchange(post(&fields, "true")).await),
            200,
            "{kind}"
        );
        let fields = format!("Content-Type: {kind}\r\nContent-Length: 0\r\n");
        assert_eq!(
            status_of(&server.exchange(post(&fields, "")).await),
            200,
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_body_that_ends_early_is_not_taken_for_a_whole_one() {
    let server = Server::start(endless()).await;
    let whole = "[1,2,3]";
    for request in [
        post("Content-Length: 20\r\n", whole),
        post(
            "Transfer-Encoding: chunked\r\n",
            &format!("7\r\n{whole}\r\n"),
        ),
        post("Transfer-Encoding: chunked\r\n", &format!("9\r\n{whole}")),
    ] {
        let answer = server.exchange(&request).await;
        assert!(
            matches!(status_of(&answer), 0 | 400),
            "{request:?} -> {answer:?}"
        );
    }
}

#[tokio::test]
async fn d06_what_is_not_json_is_refused() {
    let server = Server::start(endless()).await;
    let deep = "[".repeat(10_000);
    for body in [
        &*deep,
        "{\"a\":1,\"a\":2}",
        "1e400",
        "\"\\ud800\"",
        "\u{feff}1",
        "1 1",
        "{",
    ] {
        let answer = server.exchange(with_length(body)).await;
        assert_eq!(status_of(&answer), 400, "{body:.40}");
    }
}

/// Writes a byte at a time for as long as the server takes them; what it answered.
async fn drip(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    in_time(async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        loop {
            tokio::select! {
                read = stream.read_buf(&mut answer) => {
                    if !matches!(read, Ok(1..)) {
                        break;
                    }
                }
                _ = ticks.tick() => {
                    if stream.write_all(b" ").await.is_err() {
                        break;
                    }
                }
            }
        }
    })
    .await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn d01_a_dripping_body_is_given_up() {
    let server = Server::start(Limits {
        body_time: Duration::from_millis(200),
        linger_time: Duration::from_millis(200),
        ..endless()
    })
    .await;
    for fields in [
        "Content-Length: 100000\r\n",
        "Transfer-Encoding: chunked\r\n",
    ] {
        let first = if fields.starts_with('T') {
            "fff\r\n"
        } else {
            ""
        };
        let mut stream = server.connect().await;
        stream
            .write_all(post(fields, first).as_bytes())
            .await
            .unwrap();
        assert_eq!(status_of(&drip(&mut stream).await), 408, "{fields}");
    }
}

#[tokio::test]
async fn an_answer_before_the_body_can_be_read_by_a_client_that_is_still_sending() {
    let server = Server::start(endless()).await;
    let mut stream = server.connect().await;
    let head = format!("POST /unread HTTP/1.1\r\nHost: t\r\nContent-Length: {MIB}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let (status, body) = read_answer(&mut stream).await.unwrap();
    assert_eq!((status, &*body), (200, "unread"));
    let piece = vec![b'x'; 64 * 1024];
    for _ in 0..16 {
        in_time(stream.write_all(&piece))
            .await
            .expect("the server resets the connection");
    }
}

#[tokio::test]
async fn control_without_lingering_such_a_client_is_reset() {
    let server = Server::start(Limits {
        linger_bytes: 0,
        ..endless()
    })
    .await;
    let mut stream = server.connect().await;
    let head = format!("POST /unread HTTP/1.1\r\nHost: t\r\nContent-Length: {MIB}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    read_answer(&mut stream).await.unwrap();
    let piece = vec![b'x'; 64 * 1024];
    in_time(async { while stream.write_all(&piece).await.is_ok() {} }).await;
}

#[tokio::test]
async fn a_small_body_that_nobody_read_does_not_end_the_connection() {
    let server = Server::start(endless()).await;
    let mut stream = server.connect().await;
    let request = "POST /unread HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\ntrue";
    for _ in 0..3 {
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(read_answer(&mut stream).await.unwrap().0, 200);
    }
    stream.write_all(get("/next").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(status_of(&read_to_end(&mut stream).await), 200);
}
