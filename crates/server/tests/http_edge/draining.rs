//! The end of a server: what was begun is answered, and nothing waits for ever.

use std::process::Command;
use std::time::Duration;

use guestlist_server::limits::Limits;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Server, endless, get, in_time, read_answer, read_to_end, status_of};

async fn until(condition: impl Fn() -> bool) {
    in_time(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn idle_and_silent_connections_end_at_once() {
    let mut server = Server::start(endless()).await;
    let mut silent = server.connect().await;
    let mut idle = server.connect().await;
    idle.write_all(get("/a").as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut idle).await.unwrap().0, 200);
    let mut after_a_body = server.connect().await;
    let post = "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\ntrue";
    after_a_body.write_all(post.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut after_a_body).await.unwrap().0, 200);
    server.begin_to_stop();
    let address = server.address;
    server.ended().await;
    for stream in [&mut silent, &mut idle, &mut after_a_body] {
        assert_eq!(read_to_end(stream).await, "");
    }
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_request_in_flight_is_answered_and_then_the_connection_ends() {
    let mut server = Server::start(endless()).await;
    let mut stream = server.connect().await;
    stream.write_all(get("/held").as_bytes()).await.unwrap();
    until(|| !server.begun().is_empty()).await;
    server.begin_to_stop();
    let refused = server.address;
    in_time(async { while TcpStream::connect(refused).await.is_ok() {} }).await;
    server.handled.held.add_permits(1);
    let answer = read_to_end(&mut stream).await;
    assert_eq!(status_of(&answer), 200, "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    server.ended().await;
}

#[tokio::test]
async fn a_body_on_its_way_is_still_read() {
    let mut server = Server::start(endless()).await;
    let mut stream = server.connect().await;
    let head = "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\ntr";
    stream.write_all(head.as_bytes()).await.unwrap();
    until(|| !server.begun().is_empty()).await;
    server.begin_to_stop();
    stream.write_all(b"ue").await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.ends_with("POST /a 4"), "{answer}");
    server.ended().await;
}

#[tokio::test]
async fn what_takes_longer_than_the_drain_time_is_dropped() {
    let mut server = Server::start(Limits {
        drain_time: Duration::from_millis(100),
        ..endless()
    })
    .await;
    let mut stream = server.connect().await;
    stream.write_all(get("/held").as_bytes()).await.unwrap();
    until(|| !server.begun().is_empty()).await;
    server.begin_to_stop();
    assert_eq!(read_to_end(&mut stream).await, "");
    server.ended().await;
}

/// Sends requests on one connection after another until the server is gone; how many were answered.
async fn hammer(address: std::net::SocketAddr, client: usize) -> Vec<String> {
    let mut answered = Vec::new();
    while let Ok(mut stream) = TcpStream::connect(address).await {
        for number in 0..20 {
            let path = format!("/{client}-{}-{number}", answered.len());
            if stream.write_all(get(&path).as_bytes()).await.is_err() {
                break;
            }
            match read_answer(&mut stream).await {
                Some((200, _)) => answered.push(path),
                Some(other) => panic!("{other:?}"),
                None => break,
            }
        }
    }
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_that_was_executed_is_answered() {
    for _ in 0..10 {
        let mut server = Server::start(endless()).await;
        let clients: Vec<_> = (0..16)
            .map(|client| tokio::spawn(hammer(server.address, client)))
            .collect();
        until(|| server.begun().len() > 500).await;
        server.begin_to_stop();
        let mut answered = Vec::new();
        for client in clients {
            answered.extend(in_time(client).await.unwrap());
        }
        let mut begun = server.begun();
        begun.sort();
        answered.sort();
        assert_eq!(begun, answered);
        server.ended().await;
    }
}

/// Run by the next test in a process of its own, which may open few files.
#[tokio::test]
#[ignore = "needs a process with few file descriptors"]
async fn with_few_file_descriptors() {
    let server = Server::start(endless()).await;
    let mut open = Vec::new();
    // Each connection takes a descriptor on either side, so the last ones wait in the queue.
    while let Ok(stream) = TcpStream::connect(server.address).await {
        open.push(stream);
        assert!(open.len() < 1000, "descriptors do not run out");
    }
    assert!(open.len() > 5);
    open.clear();
    in_time(async {
        loop {
            if let Ok(mut stream) = TcpStream::connect(server.address).await {
                let _ = stream.write_all(get("/after").as_bytes()).await;
                if read_answer(&mut stream)
                    .await
                    .is_some_and(|(status, _)| status == 200)
                {
                    break;
                }
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    server.get("/again").await;
}

#[test]
fn d04_a_server_out_of_file_descriptors_recovers() {
    let this = std::env::current_exe().unwrap();
    let name = "draining::with_few_file_descriptors";
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 48 && exec \"$0\" --ignored --exact \"$1\""])
        .arg(this)
        .arg(name)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("1 passed"), "{printed}");
}
