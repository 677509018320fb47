//! Each kind of error, and that it says what a caller needs.

use guestlist_client::api::ids::RecordId;
use guestlist_client::{Client, Credentials, Error};

use crate::scripted::{Scripted, answer};
use crate::setup::{editor, server, user};

fn record() -> RecordId {
    "rec_none".parse().unwrap()
}

#[test]
fn clients_and_their_calls_may_go_to_other_threads() {
    fn may_go<T: Send>(value: T) -> T {
        value
    }
    fn may_be_shared<T: Send + Sync>() {}
    may_be_shared::<Client>();
    may_be_shared::<Credentials>();
    may_be_shared::<Error>();
    may_be_shared::<guestlist_client::TokenVerifier>();
    let client = Client::new("http://127.0.0.1:9", Credentials::none()).unwrap();
    let id = record();
    drop(may_go(client.access_records().get_record(&id)));
    let mut pages = may_go(client.access_records().list());
    drop(may_go(pages.try_next()));
    drop(may_go(client.verifier().verify("a")));
    drop(may_go(client.events().follow(0)));
}

#[tokio::test]
async fn a_refusal_has_all_that_the_server_said() {
    let (_server, owner) = server().await;
    let error = owner.access_records().get_record(&record()).await;
    let error = error.unwrap_err();
    assert!(error.is_not_found() && !error.outcome_unknown() && !error.is_timeout());
    assert_eq!(error.error_code(), Some("NotFound"));
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.status, 404);
    let problem = refusal.problem.as_ref().unwrap();
    assert_eq!(problem.status, 404);
    assert_eq!(refusal.request_id.as_ref(), Some(&problem.error_id));
    let text = error.to_string();
    assert!(text.starts_with(refusal.title()), "{text}");
    assert!(text.contains("404, NotFound, request "), "{text}");

    let good = editor("rec_a", "bob", "projects/1");
    let mut bad = serde_json::to_value(good).unwrap();
    bad["statements"][0]["roles"][0] = "ro_none".into();
    let bad = serde_json::from_value(bad).unwrap();
    let error = owner.access_records().create_record(&bad).await;
    let error = error.unwrap_err();
    assert_eq!(error.error_code(), Some("InvalidRequest"));
    let path = error.refusal().unwrap().path().unwrap();
    assert_eq!(path, "statements[0].roles[0]");
}

#[tokio::test]
async fn callers_are_told_apart() {
    let (server, _owner) = server().await;
    let nobody = Client::new(server.url(), Credentials::none()).unwrap();
    let error = nobody.roles().list().try_next().await.unwrap_err();
    assert_eq!(error.status(), Some(401));
    let wrong = Credentials::token("eyJh.eyJh.eyJh");
    let wrong = Client::new(server.url(), wrong).unwrap();
    let error = wrong.roles().list().try_next().await.unwrap_err();
    assert_eq!(error.status(), Some(401));
    let stranger = user(&server, "stranger");
    let error = stranger.roles().list().try_next().await.unwrap_err();
    assert_eq!(error.status(), Some(403));
}

#[tokio::test]
async fn refusals_of_other_servers_are_understood_as_far_as_they_go() {
    let cases = [
        (
            r#"{"title":"No.","errorCode":"conflict"}"#,
            "No.",
            Some("conflict"),
        ),
        (r#"{"errorCode":null}"#, "this is not allowed", None),
        ("", "this is not allowed", None),
        ("<html>403</html>", "this is not allowed", None),
        ("[1]", "this is not allowed", None),
    ];
    for (body, title, code) in cases {
        let server = Scripted::start([answer(403, "", body)]).await;
        let client = server.client();
        let error = client.access_records().get_record(&record()).await;
        let error = error.unwrap_err();
        assert_eq!(error.refusal().unwrap().title(), title);
        assert_eq!(error.error_code(), code);
        assert_eq!(error.status(), Some(403));
    }
}

#[tokio::test]
async fn an_unreadable_answer_names_the_place_and_quotes_nothing() {
    let cases = [
        ("", None),
        ("<html>", None),
        (r#"{"recordId":"rec_a","name":"A","statements":[]} x"#, None),
        (r#"{"name":"A","statements":[]}"#, None),
        (
            r#"{"recordId":"rec_a","name":"A","statements":[{"roles":["ro_a","s e c r e t"],"resources":[]}]}"#,
            Some("statements[0].roles[1]"),
        ),
    ];
    for (body, member) in cases {
        let server = Scripted::start([answer(200, "", body)]).await;
        let client = server.client();
        let error = client.access_records().get_record(&record()).await;
        let error = error.unwrap_err();
        let Error::Decoding(decoding) = &error else {
            panic!("{error}");
        };
        assert_eq!(decoding.expected(), "an access record");
        assert_eq!(decoding.member(), member, "{body}");
        assert!(!format!("{error} {error:?}").contains("s e c r e t"));
        assert_eq!(server.count(), 1, "it would be the same again");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read() {
    let long = " ".repeat(2000);
    let said = answer(200, "", &long);
    let chunked = crate::scripted::Step::Answer(format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n7d0\r\n{long}\r\n0\r\n\r\n"
    ));
    for step in [said, chunked] {
        let server = Scripted::start([step]).await;
        let client = server.builder().answer_limit(1999).build().unwrap();
        let error = client.access_records().get_record(&record()).await;
        let Error::Transport(error) = error.unwrap_err() else {
            panic!("it was read");
        };
        assert!(error.is_too_large() && !error.is_timeout());
        assert_eq!(server.count(), 1);
        // The control: one byte more is allowed, and then it is only not a record.
        let client = server.builder().answer_limit(2000).build().unwrap();
        let error = client.access_records().get_record(&record()).await;
        assert!(matches!(error, Err(Error::Decoding(_))));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Scripted::start([answer(200, "", "{}")]).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: {}/v1/records/rec_none\r\n", elsewhere.url);
        let server = Scripted::start([answer(status, &location, "")]).await;
        let client = server.client();
        let error = client.access_records().get_record(&record()).await;
        let error = error.unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert!(error.to_string().contains("redirects"), "{error}");
        assert_eq!(server.count(), 1);
        assert!(server.arrived()[0].header("authorization").is_some());
    }
    assert_eq!(elsewhere.count(), 0);
    // The control: the place it points to would have answered.
    let client = elsewhere.client();
    let answered = client.access_records().get_record(&record()).await;
    assert!(matches!(answered, Err(Error::Decoding(_))));
    assert_eq!(elsewhere.count(), 1);
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_before_anything_is_sent() {
    for url in [
        "",
        "localhost:8080",
        "ftp://localhost",
        "https://user:secret@host",
        "https://host/?a=b",
        "https://host/#a",
        "unix:/run/guestlist",
    ] {
        let error = Client::new(url, Credentials::none()).unwrap_err();
        assert!(matches!(error, Error::Configuration(_)), "{url}");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
    for (url, kept) in [
        ("http://localhost:8080///", "http://localhost:8080"),
        ("https://host/guestlist/", "https://host/guestlist"),
        (" https://HOST ", "https://host"),
    ] {
        let client = Client::new(url, Credentials::none()).unwrap();
        assert_eq!(client.url(), kept);
    }
    let builder = Client::builder("https://host", Credentials::none()).user_agent("a\nb");
    assert!(matches!(builder.build(), Err(Error::Configuration(_))));
}

#[tokio::test]
async fn a_provider_is_asked_for_each_request_and_its_failure_is_an_error_of_its_own() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let server = Scripted::start([answer(200, "", r#"{"identities":[]}"#)]).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let provider = Credentials::provider(move || {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            if number < 2 {
                Ok(format!("token-{number}"))
            } else {
                Err(std::io::Error::other("signed out"))
            }
        }
    });
    let client = Client::new(&server.url, provider).unwrap();
    for _ in 0..2 {
        client.accounts().get_account_identities().await.unwrap();
    }
    let error = client.accounts().get_account_identities().await;
    let error = error.unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error}");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "signed out");
    let sent: Vec<String> = server
        .arrived()
        .iter()
        .map(|request| request.header("authorization").unwrap().to_owned())
        .collect();
    assert_eq!(sent, ["Bearer token-0", "Bearer token-1"]);
}

#[tokio::test]
async fn a_token_that_cannot_be_sent_is_an_error_of_the_credentials() {
    for token in ["", " ", "a b", "a\nb", "ä"] {
        let client = Client::new("http://127.0.0.1:9", Credentials::token(token)).unwrap();
        let error = client.accounts().get_account_identities().await;
        assert!(matches!(error, Err(Error::Credentials(_))), "{token:?}");
    }
}

#[test]
fn access_keys_that_are_none_are_refused() {
    let pkcs8 = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
    let good = format!("sc_1.key_1.acc-1.{pkcs8}");
    let credentials = Credentials::access_key(&format!(" {good}\n")).unwrap();
    assert_eq!(credentials.client_id().unwrap().as_str(), "sc_1");
    assert_eq!(credentials.account_id().unwrap().as_str(), "acc-1");
    for bad in [
        "",
        "sc_1",
        "sc_1.key_1.acc-1",
        "sc_1.key_1.acc-1.",
        "sc_1.key_1.acc-1.AAAA",
        "sc 1.key_1.acc-1.AAAA",
        "eyJhIjoiYiJ9",
        &format!("{good}.x"),
        &format!("sc_1.key_1..{pkcs8}"),
        &good.replace("MC4C", "MC4D"),
    ] {
        let error = Credentials::access_key(bad).unwrap_err();
        assert!(matches!(error, Error::Credentials(_)), "{bad}");
        assert!(!error.to_string().contains("J1hsZ3v"));
    }
}
