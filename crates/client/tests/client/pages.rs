//! Lists of more than two pages, as streams and without; and lists that misbehave.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use guestlist_client::api::records::RecordStatus;
use guestlist_client::{Error, RecordQuery};

use crate::scripted::{Arrived, Scripted, Step, answer, refusal};
use crate::setup::{editor, server};

#[tokio::test]
async fn all_pages_are_read_in_order_and_nothing_twice() {
    let (_server, owner) = server().await;
    let records = owner.access_records();
    for number in 0..23 {
        let id = format!("rec_{number:02}");
        let request = editor(&id, "bob", "projects/1");
        records.create_record(&request).await.unwrap();
    }
    let mut pages = records.list().filter("rec_").page_size(5);
    let mut ids = Vec::new();
    while let Some(record) = pages.try_next().await.unwrap() {
        ids.push(record.record_id.to_string());
    }
    assert!(pages.try_next().await.unwrap().is_none(), "the end stays");
    let mine: Vec<&String> = ids.iter().filter(|id| id.as_str() < "rec_9").collect();
    assert_eq!(mine.len(), 23);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());

    let streamed: Vec<_> = records.list().filter("rec_").collect().await;
    let streamed: Vec<String> = streamed
        .into_iter()
        .map(|record| record.unwrap().record_id.to_string())
        .collect();
    assert_eq!(streamed, ids);
    let collected = records.list().filter("rec_").try_collect().await;
    assert_eq!(collected.unwrap().len(), ids.len());

    // One page after the other by hand.
    let mut query = RecordQuery::new().limit(9).filter("rec_");
    let mut sizes = Vec::new();
    loop {
        let page = records.get_records(&query).await.unwrap();
        sizes.push(page.records.len());
        let Some(next) = page.pagination else {
            break;
        };
        query = query.cursor(next.next.cursor);
    }
    assert_eq!(sizes.iter().sum::<usize>(), ids.len());
    assert!(sizes.len() > 2);
}

fn page(records: &[&str], pagination: &str) -> Step {
    let records: Vec<String> = records
        .iter()
        .map(|id| format!(r#"{{"recordId":"{id}","name":"A","statements":[]}}"#))
        .collect();
    let body = format!(r#"{{"records":[{}]{pagination}}}"#, records.join(","));
    answer(200, "", &body)
}

#[tokio::test]
async fn empty_pages_are_passed_over_and_parameters_stay() {
    let next = |cursor: &str| format!(r#","pagination":{{"next":{{"cursor":"{cursor}"}}}}"#);
    let steps = [
        page(&["rec_1"], &next("a/b+c=")),
        page(&[], &next("two")),
        page(&["rec_2"], r#","pagination":{"next":null},"links":null"#),
    ];
    let server = Scripted::start(steps).await;
    let client = server.client();
    let pages = client
        .access_records()
        .list()
        .page_size(9)
        .page_size(2)
        .filter("x y&z")
        .status(RecordStatus::Deleted);
    assert_eq!(server.count(), 0, "nothing is asked for yet");
    assert_eq!(pages.try_collect().await.unwrap().len(), 2);
    let arrived = server.arrived();
    let lines: Vec<&str> = arrived.iter().map(Arrived::line).collect();
    let same = "GET /v1/records?limit=2&filter=x+y%26z&status=DELETED";
    assert_eq!(
        lines,
        [
            same.to_owned(),
            format!("{same}&cursor=a%2Fb%2Bc%3D"),
            format!("{same}&cursor=two"),
        ]
    );
}

#[tokio::test]
async fn the_last_page_may_be_said_in_every_way() {
    for last in [
        "",
        r#","pagination":null"#,
        r#","pagination":{}"#,
        r#","pagination":{"next":null}"#,
        r#","pagination":{"next":{}}"#,
        r#","pagination":{"next":{"cursor":null}}"#,
        r#","pagination":{"next":{"cursor":""}}"#,
    ] {
        let server = Scripted::start([page(&["rec_1"], last)]).await;
        let client = server.client();
        let records = client.access_records().list().try_collect().await;
        assert_eq!(records.unwrap().len(), 1, "{last}");
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn an_error_ends_the_list() {
    let next = r#","pagination":{"next":{"cursor":"a"}}"#;
    let steps = [
        page(&["rec_1"], next),
        refusal(403, "Forbidden"),
        page(&["rec_2"], ""),
    ];
    let server = Scripted::start(steps).await;
    let client = server.client();
    let mut pages = client.access_records().list();
    assert!(pages.try_next().await.unwrap().is_some());
    assert_eq!(pages.try_next().await.unwrap_err().status(), Some(403));
    assert!(pages.try_next().await.unwrap().is_none());
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_cursor_that_does_not_move_on_is_an_error_and_no_endless_list() {
    let next = r#","pagination":{"next":{"cursor":"a"}}"#;
    let server = Scripted::start([page(&["rec_1"], next)]).await;
    let client = server.client();
    let error = client.access_records().list().try_collect().await;
    assert!(matches!(error, Err(Error::Decoding(_))));
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn cursors_that_go_round_in_a_circle_are_an_error_and_no_endless_list() {
    for length in 2..6 {
        let mut steps: Vec<_> = (0..60)
            .map(|number| {
                let cursor = number % length;
                let next = format!(r#","pagination":{{"next":{{"cursor":"{cursor}"}}}}"#);
                page(&["rec_1"], &next)
            })
            .collect();
        // Without the error the list would end here.
        steps.push(page(&["rec_1"], ""));
        let server = Scripted::start(steps).await;
        let client = server.client();
        let error = client.access_records().list().try_collect().await;
        assert!(matches!(error, Err(Error::Decoding(_))), "{length}");
    }
}

#[tokio::test]
async fn a_list_of_ever_more_empty_pages_ends_where_it_must() {
    let pages = (0..20).map(|number| {
        page(
            &[],
            &format!(r#","pagination":{{"next":{{"cursor":"{number}"}}}}"#),
        )
    });
    let server = Scripted::start(pages).await;
    let client = server.client();
    let mut records = client.access_records().list().page_limit(7);
    assert!(records.try_next().await.is_err());
    assert_eq!(server.arrived().len(), 7);
    // The control: a list of so many pages is read to its end.
    let pages = (0..6).map(|number| {
        page(
            &[],
            &format!(r#","pagination":{{"next":{{"cursor":"{number}"}}}}"#),
        )
    });
    let server = Scripted::start(pages.chain([page(&["rec_1"], "")])).await;
    let client = server.client();
    let records = client.access_records().list().page_limit(7);
    assert_eq!(records.try_collect().await.unwrap().len(), 1);
}

#[tokio::test]
async fn documents_are_answered_as_they_are_whatever_they_are() {
    let first = r#"{"records":[{"recordId":1},"text",null],"pagination":{"next":{"cursor":"2"}}}"#;
    let pages = [first, r#"{"records":null,"pagination":{"next":null}}"#];
    let server = Scripted::start(pages.map(|body| answer(200, "", body))).await;
    let documents = server.client().documents("/v1/records", "records");
    let documents = documents.try_collect().await.unwrap();
    assert_eq!(documents.len(), 3);
    for body in ["{}", "[]", r#"{"records":{}}"#, r#"{"records":[]} x"#] {
        let server = Scripted::start([answer(200, "", body)]).await;
        let documents = server.client().documents("/v1/records", "records");
        assert!(
            matches!(documents.try_collect().await, Err(Error::Decoding(_))),
            "{body}"
        );
    }
}
