//! The event log through the client: pages, waiting, and following it past failures.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use guestlist_client::api::events::{ActorKind, EventType, SubjectKind};
use guestlist_client::api::roles::RoleRequest;
use guestlist_client::{Client, Credentials, Error};
use guestlist_server::testing::TestServer;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What has not come by then never will. Less than the longest wait.
const BOUND: Duration = Duration::from_secs(15);

fn owner(server: &TestServer) -> Client {
    let credentials = Credentials::access_key(server.owner_key()).unwrap();
    Client::new(server.url(), credentials).unwrap()
}

async fn make_role(client: &Client, id: &str) {
    let role = json!({"roleId": id, "name": id, "permissions":
        [{"action": "x", "allow": true, "grant": false, "delegate": false}]});
    let role: RoleRequest = serde_json::from_value(role).unwrap();
    client.roles().create_role(&role).await.unwrap();
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended() {
    let server = TestServer::start().await.unwrap();
    let client = owner(&server);
    for number in 0..5 {
        make_role(&client, &format!("ro_{number}")).await;
    }
    let mut after = 0;
    let mut subjects = Vec::new();
    loop {
        let page = client.events().get_events(after, 2).await.unwrap();
        assert_eq!(page.last_revision, 6);
        assert!(page.events.len() <= 2);
        let Some(last) = page.events.last() else {
            break;
        };
        after = last.revision;
        subjects.extend(page.events.into_iter().map(|event| event.subject.id));
    }
    assert_eq!(subjects[1..], ["ro_0", "ro_1", "ro_2", "ro_3", "ro_4"]);
    let refused = Client::new(
        server.url(),
        Credentials::token(server.token("alice").unwrap()),
    );
    let refused = refused.unwrap().events().get_events(0, 10).await;
    assert_eq!(refused.unwrap_err().status(), Some(403));
}

#[tokio::test]
async fn a_follower_gets_what_was_and_what_comes() {
    let server = TestServer::start().await.unwrap();
    let client = owner(&server);
    make_role(&client, "ro_0").await;
    let mut events = client.events().follow(1).page_size(1);
    let first = events.next_event().await.unwrap();
    assert_eq!(first.event_type, EventType::RoleCreated);
    assert_eq!(first.subject.kind, SubjectKind::Role);
    assert_eq!(first.actor.kind, ActorKind::Client);
    assert_eq!(events.revision(), 2);
    for number in 1..4 {
        // Whether the follower waits by then or asks later, it gets the event.
        let id = format!("ro_{number}");
        let both = async { tokio::join!(events.try_next(), make_role(&client, &id)) };
        let (event, ()) = tokio::time::timeout(BOUND, both).await.unwrap();
        assert_eq!(event.unwrap().unwrap().subject.id, id);
    }
    assert_eq!(events.revision(), 5);
}

#[tokio::test]
async fn a_wait_is_answered_by_the_next_event() {
    let server = TestServer::start().await.unwrap();
    let client = owner(&server);
    let wait = Duration::from_secs(20);
    let waiting = client.events();
    let both = async { tokio::join!(waiting.wait(1, 10, wait), make_role(&client, "ro_x")) };
    let (page, ()) = tokio::time::timeout(BOUND, both).await.unwrap();
    assert_eq!(page.unwrap().events[0].subject.id, "ro_x");
    let nothing = client.events().wait(2, 10, Duration::from_secs(1)).await;
    assert!(nothing.unwrap().events.is_empty());
}

/// Answers each connection with the next of these, or, for one that is empty, closes it.
async fn scripted(answers: Vec<String>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut answers = VecDeque::from(answers);
    let task = tokio::spawn(async move {
        let mut asked = Vec::new();
        while let Some(answer) = answers.pop_front() {
            let (mut stream, _) = listener.accept().await.unwrap();
            asked.push(target(&mut stream).await);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        asked
    });
    (url, task)
}

async fn target(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    head.split(' ').nth(1).unwrap().to_owned()
}

fn answer(status: u16, body: &serde_json::Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn page(revisions: &[u64], last: u64) -> String {
    let event = |revision: &u64| {
        json!({"revision": revision, "eventId": format!("evt_{revision}"),
            "eventType": "planet.discovered", "eventTime": "2026-01-02T03:04:05.678Z",
            "actor": {"kind": "robot", "id": "r2"}, "subject": {"kind": "planet", "id": "x"},
            "data": {"moons": 2}})
    };
    let events: Vec<_> = revisions.iter().map(event).collect();
    answer(200, &json!({"events": events, "lastRevision": last}))
}

fn patient(url: &str) -> Client {
    let builder = Client::builder(url, Credentials::token("t"));
    builder.retries(0).build().unwrap()
}

#[tokio::test]
async fn a_follower_goes_on_after_failures_where_it_was() {
    let failed = answer(
        503,
        &json!({"errorCode": "StorageUnavailable", "title": "x"}),
    );
    let (url, server) = scripted(vec![
        page(&[8, 9], 9),
        failed,
        // The connection ends before there is an answer.
        String::new(),
        page(&[10], 10),
    ])
    .await;
    let client = patient(&url);
    let mut events = client.events().follow(7);
    for revision in 8..=10 {
        let event = tokio::time::timeout(BOUND, events.next_event()).await;
        let event = event.unwrap().unwrap();
        assert_eq!(event.revision, revision);
        assert_eq!(event.event_type.as_str(), "planet.discovered");
        assert_eq!(event.data.members().collect::<Vec<_>>(), ["moons"]);
    }
    assert_eq!(
        server.await.unwrap(),
        [7, 9, 9, 9].map(|after| format!("/v1/events?after={after}&limit=100&wait=20"))
    );
}

#[tokio::test]
async fn what_does_not_pass_is_told_and_reading_on_goes_on_there() {
    let forbidden = answer(403, &json!({"errorCode": "Forbidden", "title": "x"}));
    let failed = answer(
        503,
        &json!({"errorCode": "StorageUnavailable", "title": "x"}),
    );
    let (url, server) = scripted(vec![
        forbidden,
        failed,
        page(&[1], 1),
        page(&[], 0),
        page(&[3], 3),
    ])
    .await;
    let client = patient(&url);
    let mut events = client.events().follow(0).failures(0);
    let told = events.next_event().await.unwrap_err();
    assert_eq!(told.status(), Some(403));
    let told = events.next_event().await.unwrap_err();
    assert_eq!(told.status(), Some(503));
    assert_eq!(events.next_event().await.unwrap().revision, 1);
    let told = events.next_event().await.unwrap_err();
    let Error::LostEvents(lost) = &told else {
        unreachable!("{told}");
    };
    assert_eq!((lost.after, lost.last_revision), (1, 0));
    let told = events.next_event().await.unwrap_err();
    assert!(matches!(told, Error::Decoding(_)), "2 was left out");
    assert_eq!(events.revision(), 1);
    server.await.unwrap();
}
