//! Clients that connect and then do nothing, or too little, or too much.

use std::time::Duration;

use guestlist_server::addresses::TrustedProxies;
use guestlist_server::limits::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Server, endless, get, in_time, read_answer, read_to_end, status_of};

const SHORT: Duration = Duration::from_millis(200);

/// Waits until the server ends the connection.
async fn until_closed(stream: &mut TcpStream) {
    assert_eq!(read_to_end(stream).await, "");
}

/// Whether the connection still answers.
async fn is_open(stream: &mut TcpStream, rest_of_request: &str) -> bool {
    stream.write_all(rest_of_request.as_bytes()).await.is_ok()
        && read_answer(stream).await.is_some()
}

async fn connected_with(server: &Server, bytes: &str) -> TcpStream {
    let mut stream = server.connect().await;
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

async fn idle(server: &Server) -> TcpStream {
    let mut stream = connected_with(server, &get("/first")).await;
    assert_eq!(read_answer(&mut stream).await.unwrap().0, 200);
    stream
}

/// What a slow client has sent, and what would make a request of it.
const SHAPES: [(&str, &str); 4] = [
    ("", "GET / HTTP/1.1\r\nHost: t\r\n\r\n"),
    ("G", "ET / HTTP/1.1\r\nHost: t\r\n\r\n"),
    ("GET / HTTP/1.1\r\nHost: t\r\nx: ", "y\r\n\r\n"),
    ("\r\n\r\n", "GET / HTTP/1.1\r\nHost: t\r\n\r\n"),
];

#[tokio::test]
async fn d01_silent_and_half_sent_heads_are_closed() {
    let strict = Server::start(Limits {
        header_time: SHORT,
        ..endless()
    })
    .await;
    let lax = Server::start(endless()).await;
    for (sent, rest) in SHAPES {
        let mut control = connected_with(&lax, sent).await;
        let mut stream = connected_with(&strict, sent).await;
        until_closed(&mut stream).await;
        // The control: without our limits, nothing closes such a connection.
        assert!(is_open(&mut control, rest).await, "{sent:?}");
    }
    assert!(strict.begun().is_empty());
}

#[tokio::test]
async fn d01_a_dripping_head_is_closed() {
    let server = Server::start(Limits {
        header_time: SHORT,
        ..endless()
    })
    .await;
    let first = connected_with(&server, "GET / HTTP/1.1\r\nx: ").await;
    let mut second = idle(&server).await;
    second.write_all(b"GET / HTTP/1.1\r\nx: ").await.unwrap();
    for mut stream in [first, second] {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        in_time(async {
            let mut byte = [0];
            loop {
                tokio::select! {
                    read = stream.read(&mut byte) => {
                        assert!(!matches!(read, Ok(1..)), "nothing to answer");
                        break;
                    }
                    _ = ticks.tick() => {
                        if stream.write_all(b"y").await.is_err() {
                            break;
                        }
                    }
                }
            }
        })
        .await;
    }
}

#[tokio::test]
async fn d01_an_idle_connection_is_closed_after_its_own_time() {
    let strict = Server::start(Limits {
        idle_time: SHORT,
        ..endless()
    })
    .await;
    let lax = Server::start(Limits {
        header_time: SHORT,
        ..endless()
    })
    .await;
    let mut stream = idle(&strict).await;
    let mut control = idle(&lax).await;
    until_closed(&mut stream).await;
    // The control: the time for a head does not count while none has begun.
    let mut silent = lax.connect().await;
    until_closed(&mut silent).await;
    assert!(is_open(&mut control, &get("/second")).await);
}

#[tokio::test]
async fn a_handler_may_take_longer_than_a_head() {
    let server = Server::start(Limits {
        header_time: SHORT,
        idle_time: SHORT,
        ..endless()
    })
    .await;
    let mut slow = connected_with(&server, &get("/held")).await;
    let mut silent = server.connect().await;
    until_closed(&mut silent).await;
    let mut silent = server.connect().await;
    until_closed(&mut silent).await;
    server.handled.held.add_permits(1);
    assert_eq!(read_answer(&mut slow).await.unwrap().0, 200);
    until_closed(&mut slow).await;
}

/// Waits until there is a place for one more connection, that is until another was closed.
async fn until_a_place_is_free(server: &Server) {
    in_time(async {
        while status_of(&server.get("/is-there-a-place").await) != 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn d01_a_client_that_does_not_take_its_answer_is_dropped() {
    let server = Server::start(Limits {
        connections: 1,
        write_time: SHORT,
        ..endless()
    })
    .await;
    let mut stream = connected_with(&server, &get("/large")).await;
    until_a_place_is_free(&server).await;
    let mut read = Vec::new();
    let _ = in_time(stream.read_to_end(&mut read)).await;
    assert!(read.len() < server.handled.large, "it was all sent");
}

#[tokio::test]
async fn d01_taking_a_little_of_an_answer_now_and_then_gains_nothing() {
    let server = Server::start(Limits {
        connections: 1,
        write_time: SHORT,
        ..endless()
    })
    .await;
    let mut stream = connected_with(&server, &get("/large")).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let nibble = async {
        let mut some = [0; 1024];
        loop {
            ticks.tick().await;
            let _ = stream.read(&mut some).await;
        }
    };
    tokio::select! {
        () = nibble => {}
        () = until_a_place_is_free(&server) => {}
    }
}

#[tokio::test]
async fn a_client_that_takes_its_answer_gets_all_of_it() {
    let server = Server::start(endless()).await;
    let answer = server.get("/large").await;
    assert!(answer.len() > server.handled.large);
}

#[tokio::test]
async fn d04_connections_are_bounded_in_all() {
    let server = Server::start(Limits {
        connections: 3,
        ..endless()
    })
    .await;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(idle(&server).await);
    }
    assert_eq!(server.get("/a").await, "", "a fourth was served");
    drop(open.pop());
    until_a_place_is_free(&server).await;
    for stream in &mut open {
        assert!(is_open(stream, &get("/b")).await, "others do not suffer");
    }
}

#[tokio::test]
async fn d04_connections_are_bounded_by_address_except_for_trusted_proxies() {
    let limits = Limits {
        connections_per_address: 1,
        ..endless()
    };
    let server = Server::start(limits.clone()).await;
    let held = idle(&server).await;
    assert_eq!(server.get("/a").await, "", "a second was served");
    drop(held);
    until_a_place_is_free(&server).await;

    let proxies = TrustedProxies::new(["127.0.0.0/8"]).unwrap();
    let server = Server::start(Limits { proxies, ..limits }).await;
    let _held = idle(&server).await;
    assert_eq!(status_of(&server.get("/a").await), 200);
}

#[tokio::test]
async fn d11_a_panic_is_answered_and_harms_nobody() {
    let server = Server::start(endless()).await;
    let mut bystander = connected_with(&server, &get("/held")).await;
    let mut stream = server.connect().await;
    let mut ids = std::collections::HashSet::new();
    for path in ["/panic", "/panic-later", "/panic"] {
        stream.write_all(get(path).as_bytes()).await.unwrap();
        let (status, body) = read_answer(&mut stream).await.unwrap();
        assert_eq!(status, 500);
        assert!(!body.contains("secret"), "{body}");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["errorCode"], "InternalError");
        assert!(ids.insert(body["errorId"].as_str().unwrap().to_owned()));
    }
    assert!(is_open(&mut stream, &get("/after")).await);
    server.handled.held.add_permits(1);
    assert_eq!(read_answer(&mut bystander).await.unwrap().0, 200);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(endless()).await;
    let requests: String = (0..50).map(|number| get(&format!("/{number}"))).collect();
    let answers = server.exchange(requests).await;
    let order: Vec<_> = answers.match_indices("GET /").map(|(at, _)| at).collect();
    assert_eq!(order.len(), 50);
    assert_eq!(
        server.begun(),
        (0..50).map(|n| format!("/{n}")).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_client_that_has_closed_its_side_is_answered() {
    let server = Server::start(endless()).await;
    let mut stream = connected_with(&server, &get("/held")).await;
    stream.shutdown().await.unwrap();
    in_time(async {
        while server.begun().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    server.handled.held.add_permits(1);
    assert_eq!(read_answer(&mut stream).await.unwrap().0, 200);
}
