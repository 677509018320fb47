//! What is sent again and what never is: counted where it arrives.

use std::time::Duration;

use guestlist_client::api::groups::GroupRequest;
use guestlist_client::api::invites::InviteRequest;
use guestlist_client::{Client, Credentials, Error};
use tokio::net::TcpListener;

use crate::scripted::{Scripted, Step, answer, refusal};
use crate::setup::editor;

const ROLE: &str = r#"{"roleId":"ro_a","name":"A","permissions":[]}"#;
const INVITE: &str = r#"{"inviteId":"abc","statements":[]}"#;
const RECORD: &str = r#"{"recordId":"rec_a","name":"A","statements":[]}"#;

/// Sends every write that has no idempotency key; `write` says which.
async fn write(client: &Client, write: usize) -> Result<(), Error> {
    let record = editor("rec_a", "bob", "projects/1");
    let id = "rec_a".parse().unwrap();
    let records = client.access_records();
    match write {
        0 => records.create_record(&record).await.map(drop),
        1 => records.update_record(&id, &record, None).await,
        2 => {
            let read = Some("2026-01-02T03:04:05.678Z".parse().unwrap());
            records.update_record(&id, &record, read).await
        }
        3 => records.delete_record(&id).await,
        4 => {
            let id = "inv-1".parse().unwrap();
            client.invites().respond_to_invite(&id).await.map(drop)
        }
        5 => {
            let group = GroupRequest::new("A").unwrap();
            client.groups().create_group(&group).await.map(drop)
        }
        other => panic!("there is no write {other}"),
    }
}

const WRITES: usize = 6;

/// A read.
async fn read(client: &Client) -> Result<(), Error> {
    let id = "ro_a".parse().unwrap();
    client.roles().get_role(&id).await.map(drop)
}

#[tokio::test]
async fn a_write_whose_outcome_is_unknown_is_sent_once() {
    let failures = [
        Step::Close,
        answer(500, "", ""),
        answer(502, "", "<html>"),
        answer(503, "", ""),
        answer(504, "", ""),
        refusal(503, "OutcomeUnknown"),
        Step::Answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"cut".to_owned()),
    ];
    for failure in failures {
        for which in 0..WRITES {
            let server = Scripted::start([failure.clone()]).await;
            let error = write(&server.client(), which).await.unwrap_err();
            assert!(error.outcome_unknown(), "{which} {failure:?} {error:?}");
            assert!(error.to_string().contains("is not known"), "{error}");
            assert_eq!(server.count(), 1, "{which} {failure:?}");
        }
        // The control: the same failure is got over where repeating is safe.
        let server = Scripted::start([failure.clone(), answer(200, "", ROLE)]).await;
        read(&server.client()).await.unwrap();
        assert_eq!(server.count(), 2, "{failure:?}");
    }
}

#[tokio::test]
async fn a_write_that_was_turned_away_is_sent_again() {
    let refusals = [
        refusal(503, "Busy"),
        refusal(503, "StorageUnavailable"),
        refusal(429, "TooManyRequests"),
        answer(429, "", ""),
    ];
    for refused in refusals {
        for which in 0..WRITES {
            let server = Scripted::start([refused.clone(), answer(200, "", "{}")]).await;
            // Not every answer is what it must be, but it arrived.
            let outcome = write(&server.client(), which).await;
            assert!(matches!(outcome, Ok(()) | Err(Error::Decoding(_))));
            assert_eq!(server.count(), 2, "{which} {refused:?}");
        }
    }
}

#[tokio::test]
async fn a_read_is_sent_again_as_often_as_was_said_and_no_more() {
    for retries in [0, 1, 3] {
        let server = Scripted::start([Step::Close]).await;
        let client = server.builder().retries(retries).build().unwrap();
        let error = read(&client).await;
        let error = error.unwrap_err();
        assert!(matches!(error, Error::Transport(_)));
        assert!(!error.outcome_unknown());
        assert_eq!(server.count(), usize::try_from(retries).unwrap() + 1);
    }
}

#[tokio::test]
async fn what_would_be_refused_again_is_not_sent_again() {
    for status in [400, 401, 403, 404, 409, 412, 413, 422, 501, 507] {
        let server = Scripted::start([refusal(status, "Why")]).await;
        let client = server.client();
        assert_eq!(read(&client).await.unwrap_err().status(), Some(status));
        assert_eq!(server.count(), 1, "{status}");
    }
}

#[tokio::test]
async fn making_an_invite_is_repeated_with_the_same_key_and_body() {
    let steps = [Step::Close, answer(500, "", ""), answer(201, "", INVITE)];
    let server = Scripted::start(steps).await;
    let client = server.client();
    let invites = client.invites();
    invites.create_invite(&InviteRequest::new()).await.unwrap();
    invites.create_invite(&InviteRequest::new()).await.unwrap();
    let arrived = server.arrived();
    let keys: Vec<&str> = arrived
        .iter()
        .map(|request| request.header("idempotency-key").unwrap())
        .collect();
    let [first, second, third, other] = keys.as_slice() else {
        panic!("{keys:?}");
    };
    assert!(first == second && second == third && third != other);
    assert_eq!(first.len(), 32);
    assert_eq!(arrived[0].body, arrived[2].body);
}

#[tokio::test]
async fn a_caller_may_give_the_key() {
    let server = Scripted::start([answer(201, "", INVITE)]).await;
    let client = server.client();
    let invite = InviteRequest::new();
    let made = client.invites().create_invite_once(&invite, "order-7");
    made.await.unwrap();
    let arrived = server.arrived();
    assert_eq!(arrived[0].header("idempotency-key"), Some("order-7"));
    let refused = client.invites().create_invite_once(&invite, "a\nb").await;
    assert!(matches!(refused, Err(Error::Configuration(_))));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn no_connection_is_told_apart_from_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::builder(&url, Credentials::none())
        .retries(0)
        .build()
        .unwrap();
    let error = write(&client, 0).await.unwrap_err();
    assert!(!error.outcome_unknown(), "{error}");
    let Error::Transport(error) = error else {
        panic!("{error}");
    };
    assert!(error.is_connect() && !error.is_timeout() && !error.is_too_large());
}

#[tokio::test]
async fn the_time_limit_holds_for_the_whole_call() {
    let server = Scripted::start([answer(503, "", ""), Step::Hang]).await;
    let client = server
        .builder()
        .timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let error = read(&client).await;
    let error = error.unwrap_err();
    assert!(error.is_timeout() && !error.outcome_unknown(), "{error}");
    assert_eq!(server.count(), 2);

    let server = Scripted::start([Step::Hang]).await;
    let client = server
        .builder()
        .timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    let error = write(&client, 3).await.unwrap_err();
    assert!(error.is_timeout() && error.outcome_unknown(), "{error}");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_wait_longer_than_the_time_that_is_left_is_not_begun() {
    let busy = answer(429, "Retry-After: 3600\r\n", "");
    let server = Scripted::start([busy]).await;
    let error = read(&server.client()).await.unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.status, 429);
    assert_eq!(refusal.retry_after, Some(Duration::from_hours(1)));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn no_length_of_time_is_too_long_for_the_clock() {
    let busy = format!("Retry-After: {}\r\n", u64::MAX);
    let server = Scripted::start([answer(429, &busy, "")]).await;
    let error = read(&server.client()).await.unwrap_err();
    let wait = error.refusal().unwrap().retry_after;
    assert_eq!(wait, Some(Duration::from_secs(u64::MAX)));
    assert_eq!(server.count(), 1);

    let server = Scripted::start([answer(200, "", RECORD)]).await;
    let for_ever = server.builder().timeout(Duration::MAX).build().unwrap();
    let records = for_ever.access_records();
    records.get_record(&"rec_a".parse().unwrap()).await.unwrap();
}

#[tokio::test]
async fn retry_after_may_be_a_date() {
    let date = "Retry-After: Wed, 01 Jan 9000 00:00:00 GMT\r\n";
    let server = Scripted::start([answer(429, date, "")]).await;
    let error = read(&server.client()).await.unwrap_err();
    let wait = error.refusal().unwrap().retry_after.unwrap();
    assert!(wait > Duration::from_hours(24 * 365 * 1000), "{wait:?}");
    let past = "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n";
    let server = Scripted::start([answer(429, past, ""), answer(200, "", RECORD)]).await;
    let record = server.client();
    let record = record.access_records();
    record.get_record(&"rec_a".parse().unwrap()).await.unwrap();
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_call_that_is_dropped_is_not_sent_again() {
    let server = Scripted::start([Step::Hang]).await;
    let client = server.client();
    let call = tokio::spawn(async move { write(&client, 3).await });
    server.wait_for(1).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(server.count(), 1);
}
