//! Webhooks, from making one to verifying what it sends.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use guestlist_client::api::events::EventType;
use guestlist_client::api::text::{Bounded, Description};
use guestlist_client::api::times::Timestamp;
use guestlist_client::api::webhooks::WebhookRequest;
use guestlist_client::{InvalidWebhook, PageQuery, WEBHOOK_TOLERANCE, verify_webhook};
use http::{HeaderMap, HeaderName};

use crate::setup::server;

/// What has not come by then never will.
const BOUND: Duration = Duration::from_secs(30);

struct Message {
    headers: HeaderMap,
    body: Vec<u8>,
}

/// A receiver that answers 200, its URL, and what it was sent.
fn receiver() -> (String, mpsc::Receiver<Message>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = Vec::new();
            let message = loop {
                let mut buffer = [0; 4096];
                let count = stream.read(&mut buffer).unwrap();
                bytes.extend_from_slice(&buffer[..count]);
                if let Some(message) = parse(&bytes) {
                    break message;
                }
                assert!(count > 0, "the request ended in the middle");
            };
            let _written = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            if tell.send(message).is_err() {
                return;
            }
        }
    });
    (url, told)
}

fn parse(bytes: &[u8]) -> Option<Message> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut headers = HeaderMap::new();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").unwrap();
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, value.parse().unwrap());
    }
    let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
    let body = bytes[end + 4..].to_vec();
    (body.len() == length).then_some(Message { headers, body })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a receiver has the machine's clock, as the server has"
)]
fn now() -> Timestamp {
    Timestamp::from_milliseconds(jiff::Timestamp::now().as_millisecond())
}

#[tokio::test]
async fn a_webhook_is_made_tested_changed_rotated_replayed_and_deleted() {
    let (_server, owner) = server().await;
    let webhooks = owner.webhooks();
    let (url, messages) = receiver();
    let mut request = WebhookRequest::new(url.parse().unwrap());
    request.event_types = Bounded::new(vec!["account.*".parse().unwrap()]).unwrap();
    request.description = Some(Description::parse("the shop").unwrap());
    let made = webhooks.create_webhook(&request).await.unwrap();
    let id = &made.webhook.webhook_id;
    assert!(made.webhook.enabled);
    assert!(!format!("{made:?}").contains(made.secret.encoded()));

    let tested = webhooks.test(id).await.unwrap();
    assert!(tested.delivered);
    let message = messages.recv_timeout(BOUND).unwrap();
    let now = now();
    let verify = |secret, message: &Message| {
        let (headers, body) = (&message.headers, &message.body);
        let verified = verify_webhook(secret, headers, body, now, WEBHOOK_TOLERANCE)?;
        assert_eq!(verified.id(), verified.event().unwrap().event_id.as_str());
        Ok::<_, InvalidWebhook>(verified.event().unwrap())
    };
    let event = verify(&made.secret, &message).unwrap();
    assert_eq!(event.event_type, EventType::WebhookTested);
    assert_eq!(event.event_id, tested.event_id);

    let rotated = webhooks.rotate_secret(id).await.unwrap();
    webhooks.replay(id, 0).await.unwrap();
    let message = messages.recv_timeout(BOUND).unwrap();
    for secret in [&made.secret, &rotated.secret] {
        let event = verify(secret, &message).unwrap();
        assert_eq!(
            (event.revision, event.event_type),
            (1, EventType::AccountCreated)
        );
    }
    let mut other = message;
    other.body.push(b' ');
    let refused = verify_webhook(
        &made.secret,
        &other.headers,
        &other.body,
        now,
        WEBHOOK_TOLERANCE,
    );
    assert_eq!(refused.unwrap_err(), InvalidWebhook::Signature);

    let mut off = webhooks.get_webhook(id).await.unwrap().to_request();
    off.enabled = Some(false);
    let changed = webhooks.update_webhook(id, &off).await.unwrap();
    assert!(!changed.enabled);
    assert_eq!(webhooks.get_webhook(id).await.unwrap(), changed);
    let deliveries = webhooks.get_deliveries(id).await.unwrap();
    assert!(deliveries.last_revision >= deliveries.delivered_revision);
    let oldest = deliveries.deliveries.last().unwrap();
    assert_eq!(*oldest, tested);
    let page = webhooks.get_webhooks(&PageQuery::new()).await.unwrap();
    assert_eq!(page.webhooks, std::slice::from_ref(&changed));
    let listed = webhooks.list().filter("SHOP").try_collect().await.unwrap();
    assert_eq!(listed, [changed]);
    webhooks.delete_webhook(id).await.unwrap();
    let gone = webhooks.get_webhook(id).await.unwrap_err();
    assert!(gone.is_not_found());
}
