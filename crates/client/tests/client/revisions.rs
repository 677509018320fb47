//! Reading one's own writes: revisions that were seen and are asked for.

use guestlist_client::Credentials;
use guestlist_client::api::invites::InviteRequest;

use crate::scripted::{Scripted, answer};
use crate::setup::{editor, server};

const ROLE: &str = r#"{"roleId":"ro_a","name":"A","permissions":[]}"#;

#[tokio::test]
async fn the_highest_revision_is_asked_for_by_reads_alone() {
    let steps = [
        answer(200, "Guestlist-Revision: 7\r\n", ROLE),
        answer(403, "Guestlist-Revision: 9\r\n", ""),
        answer(200, "Guestlist-Revision: 8\r\n", ROLE),
        answer(200, "Guestlist-Revision: x\r\n", ROLE),
        answer(201, "", r#"{"inviteId":"a","statements":[]}"#),
    ];
    let server = Scripted::start(steps).await;
    let client = server.client();
    let role = "ro_a".parse().unwrap();
    let mut seen = vec![client.revision()];
    for _ in 0..4 {
        let _answered = client.roles().get_role(&role).await;
        seen.push(client.clone().revision());
    }
    assert_eq!(seen, [None, Some(7), Some(9), Some(9), Some(9)]);
    client
        .invites()
        .create_invite(&InviteRequest::new())
        .await
        .unwrap();
    let asked: Vec<Option<String>> = server
        .arrived()
        .iter()
        .map(|request| request.header("guestlist-min-revision").map(str::to_owned))
        .collect();
    let asked: Vec<Option<&str>> = asked.iter().map(Option::as_deref).collect();
    assert_eq!(asked, [None, Some("7"), Some("9"), Some("9"), None]);
}

#[tokio::test]
async fn another_caller_asks_for_what_the_first_has_seen_with_a_token_of_its_own() {
    let server = Scripted::start([answer(200, "Guestlist-Revision: 7\r\n", ROLE)]).await;
    let client = server.client();
    let bob = client.with_credentials(Credentials::token("token-of-bob"));
    let role = "ro_a".parse().unwrap();
    client.roles().get_role(&role).await.unwrap();
    bob.roles().get_role(&role).await.unwrap();
    let asked = &server.arrived()[1];
    assert_eq!(asked.header("guestlist-min-revision"), Some("7"));
    assert_eq!(asked.header("authorization"), Some("Bearer token-of-bob"));
}

/// `after` says it for itself. And a server that was restored from a backup would wait for a
/// revision that it has lost, in place of telling so.
#[tokio::test]
async fn the_event_log_is_not_asked_for_the_newest_revision() {
    let steps = [
        answer(200, "Guestlist-Revision: 7\r\n", ROLE),
        answer(200, "", r#"{"events":[],"lastRevision":3}"#),
    ];
    let server = Scripted::start(steps).await;
    let client = server.client();
    let role = "ro_a".parse().unwrap();
    client.roles().get_role(&role).await.unwrap();
    client.events().get_events(7, 10).await.unwrap();
    assert_eq!(server.arrived()[1].header("guestlist-min-revision"), None);
}

#[tokio::test]
async fn a_server_that_tells_no_revision_is_asked_for_none() {
    let server = Scripted::start([answer(200, "", ROLE)]).await;
    let client = server.client();
    for _ in 0..2 {
        let role = "ro_a".parse().unwrap();
        client.roles().get_role(&role).await.unwrap();
    }
    assert_eq!(client.revision(), None);
    for request in server.arrived() {
        assert_eq!(request.header("guestlist-min-revision"), None);
    }
}

#[tokio::test]
async fn a_real_server_counts_each_change() {
    let (_server, owner) = server().await;
    assert_eq!(owner.revision(), None);
    let mut last = 0;
    for id in ["rec_1", "rec_2", "rec_3"] {
        let request = editor(id, "bob", "projects/1");
        owner
            .access_records()
            .create_record(&request)
            .await
            .unwrap();
        let revision = owner.revision().unwrap();
        assert!(revision > last);
        last = revision;
        owner
            .access_records()
            .get_record(&id.parse().unwrap())
            .await
            .unwrap();
    }
}
