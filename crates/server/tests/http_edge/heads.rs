//! Request heads as an attacker writes them, over a real socket.

use std::fmt::Write;

use tokio::io::AsyncWriteExt;

use crate::support::{Server, endless, get, read_to_end, status_of};

/// A request with exactly so many header fields.
fn with_fields(count: usize) -> String {
    let mut request = String::from("GET / HTTP/1.1\r\nHost: test\r\n");
    for number in 1..count {
        write!(request, "x-{number}: 1\r\n").unwrap();
    }
    request + "\r\n"
}

/// A request whose header fields have exactly so many bytes.
fn with_block(bytes: usize) -> String {
    let padding = bytes - "host: test\r\n".len() - "x: \r\n".len();
    format!(
        "GET / HTTP/1.1\r\nHost: test\r\nx: {}\r\n\r\n",
        "y".repeat(padding)
    )
}

/// A target of exactly so many bytes.
fn target(bytes: usize) -> String {
    format!("/{}", "a".repeat(bytes - 1))
}

#[tokio::test]
async fn d03_header_fields_are_bounded_in_number_and_size() {
    let server = Server::start(endless()).await;
    assert_eq!(status_of(&server.exchange(with_fields(100)).await), 200);
    assert_eq!(status_of(&server.exchange(with_fields(101)).await), 431);
    assert_eq!(status_of(&server.exchange(with_fields(500)).await), 431);
    assert_eq!(
        status_of(&server.exchange(with_block(16 * 1024)).await),
        200
    );
    assert_eq!(
        status_of(&server.exchange(with_block(16 * 1024 + 1)).await),
        431
    );
    assert_eq!(
        status_of(&server.exchange(with_block(1024 * 1024)).await),
        431
    );
}

#[tokio::test]
async fn d03_targets_are_bounded() {
    let server = Server::start(endless()).await;
    assert_eq!(status_of(&server.get(&target(8 * 1024)).await), 200);
    assert_eq!(status_of(&server.get(&target(8 * 1024 + 1)).await), 414);
    assert_eq!(
        status_of(&server.get(&format!("/?{}", target(8 * 1024 - 1))).await),
        414
    );
    assert_eq!(status_of(&server.get(&target(20 * 1024)).await), 414);
    // Longer than the buffer for a whole head: the parser gives up before it knows what is too long.
    assert_eq!(status_of(&server.get(&target(70_000)).await), 431);
}

#[tokio::test]
async fn p09_hosts_and_targets() {
    let server = Server::start(endless()).await;
    let cases = [
        ("GET /a HTTP/1.1\r\nHost: test\r\n\r\n", 200),
        ("GET /a HTTP/1.1\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        ("GET /a HTTP/1.0\r\n\r\n", 200),
        ("GET /a HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET  /a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", 417),
        (
            "GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
            200,
        ),
        ("G\0T /a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\nHost: a\r\nx: a\0b\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\nHost: a\r\nx: a\rb\r\n\r\n", 400),
    ];
    for (request, expected) in cases {
        let answer = server.exchange(request).await;
        assert_eq!(status_of(&answer), expected, "{request:?} -> {answer:?}");
    }
}

#[tokio::test]
async fn p09_an_absolute_target_is_its_path() {
    let server = Server::start(endless()).await;
    let answer = server
        .exchange("GET http://evil.example/v1/roles?limit=1 HTTP/1.1\r\nHost: test\r\n\r\n")
        .await;
    assert!(answer.ends_with("GET /v1/roles 0"), "{answer}");
}

#[tokio::test]
async fn p09_no_header_field_changes_the_method_or_the_path() {
    let server = Server::start(endless()).await;
    let answer = server
        .exchange(
            "GET /v1/roles HTTP/1.1\r\nHost: test\r\nX-Original-URL: /admin\r\nX-Rewrite-URL: /admin\r\n\
             X-HTTP-Method-Override: DELETE\r\nX-HTTP-Method: DELETE\r\nX-Method-Override: DELETE\r\n\r\n",
        )
        .await;
    assert!(answer.ends_with("GET /v1/roles 0"), "{answer}");
    assert_eq!(server.begun(), ["/v1/roles"]);
}

#[tokio::test]
async fn bytes_that_the_rust_sdk_sends_raw_are_accepted() {
    let server = Server::start(endless()).await;
    for path in [
        "/a|b",
        "/a\"b",
        "/{a}",
        "/a\\b",
        "/a@x+y*'()!;,=:~",
        "/grün",
    ] {
        assert_eq!(status_of(&server.get(path).await), 200, "{path}");
    }
    for path in ["/a\tb", "/a\u{7f}b"] {
        assert_eq!(status_of(&server.get(path).await), 400, "{path:?}");
    }
}

/// What is sent, and the paths that may be handled.
const SMUGGLING: [(&str, &[&str]); 16] = [
    // Two lengths: the chunks count (RFC 9112 §6.3), and the connection is not used again.
    (
        "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &["/a"],
    ),
    (
        "POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        &["/a"],
    ),
    (
        "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n",
        &[],
    ),
    (
        "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: +0\r\n\r\n",
        &[],
    ),
    (
        "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 0x0\r\n\r\n",
        &[],
    ),
    (
        "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 0, 44\r\n\r\n",
        &[],
    ),
    (
        "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n",
        &[],
    ),
    (
        "POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        &[],
    ),
    (
        "POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        &[],
    ),
    (
        "POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        &[],
    ),
    (
        "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[],
    ),
    (
        "POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        &["/a"],
    ),
    (
        "POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        &["/a"],
    ),
    (
        "POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n",
        &["/a"],
    ),
    (
        "GET /a HTTP/1.1\r\nHost: t\r\nx: a\r\n folded: b\r\n\r\n",
        &[],
    ),
    ("GET /a HTTP/1.1\r\nHost: t\r\n x: a\r\n\r\n", &[]),
];

#[tokio::test]
async fn p10_no_second_request_is_smuggled_in() {
    for (shape, handled) in SMUGGLING {
        let server = Server::start(endless()).await;
        let answer = server
            .exchange(format!("{shape}{}", get("/smuggled")))
            .await;
        assert_eq!(server.begun(), handled, "{shape:?} -> {answer:?}");
        let ok = answer.matches("HTTP/1.1 200").count();
        assert!(ok <= 1, "{shape:?} -> {answer:?}");
        assert!(
            matches!(status_of(&answer), 0 | 200 | 400),
            "{shape:?} -> {answer:?}"
        );
    }
}

#[tokio::test]
async fn p10_control_an_honest_second_request_is_handled() {
    let server = Server::start(endless()).await;
    let first = "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 7\r\n\r\n[1,\n2]\n";
    server.exchange(format!("{first}{}", get("/second"))).await;
    assert_eq!(server.begun(), ["/a", "/second"]);
}

#[tokio::test]
async fn p10_a_chunked_request_is_the_last_on_its_connection() {
    let server = Server::start(endless()).await;
    let first = "POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let answer = server
        .exchange(format!("{first}{}", get("/smuggled")))
        .await;
    assert_eq!(server.begun(), ["/a"]);
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn p10_bare_line_feeds_are_refused_in_every_head_of_a_connection() {
    let shapes = [
        "GET /a HTTP/1.1\nHost: t\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: t\n\r\n",
        "GET /a HTTP/1.1\r\nHost: t\r\n\n",
        "GET /a HTTP/1.1\r\nx: y\nContent-Length: 44\r\nHost: t\r\n\r\n",
        "\nGET /a HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /a HTTP/1.1\nHost: t\n\n",
    ];
    let with_a_body = "POST /first HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n[1\n]\n";
    for shape in shapes {
        for (before, begun) in [
            (String::new(), vec![]),
            (get("/first"), vec!["/first"]),
            (with_a_body.to_owned(), vec!["/first"]),
        ] {
            let server = Server::start(endless()).await;
            let sent = format!("{before}{shape}{}", get("/smuggled"));
            let answer = server.exchange(&sent).await;
            assert_eq!(server.begun(), begun, "{sent:?} -> {answer:?}");
            assert_eq!(
                answer.matches("HTTP/1.1 400").count(),
                1,
                "{sent:?} -> {answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_request_that_comes_byte_by_byte_is_handled() {
    let server = Server::start(endless()).await;
    let mut stream = server.connect().await;
    let requests = "\r\nPOST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n[1\n]\n".repeat(3);
    for byte in requests.as_bytes() {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    stream.shutdown().await.unwrap();
    let answers = read_to_end(&mut stream).await;
    assert_eq!(answers.matches("POST /a 5").count(), 3, "{answers}");
}
