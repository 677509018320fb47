//! The embedded engine against the suite, and what is its own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use guestlist_rules::changes::{Changes, Document, Event, Kind, Revision};
use guestlist_store::suite::{self, Place, ledger};
use guestlist_store::{Applied, EmbeddedStore, OpenOptions, Selection, Store, StoreError};
use rusqlite::Connection;

fn place(options: OpenOptions) -> Place {
    let directory = tempfile::tempdir().unwrap();
    Place::lasting(move || Arc::new(EmbeddedStore::open_with(directory.path(), &options).unwrap()))
}

fn change(id: &str, body: usize) -> Changes {
    let mut change = Changes::new(Event {
        kind: "test.written".to_owned(),
        time: 0,
        actor: String::new(),
        request_id: String::new(),
        subject: String::new(),
        data: serde_json::Value::Null,
    });
    let (kind, id) = (Kind::Role, id.to_owned());
    change.write.push(Document {
        kind,
        id,
        facets: Vec::new(),
        body: vec![b'x'; body],
    });
    change
}

/// Applies many changes at once, so that they share groups.
async fn apply_all(
    store: &Arc<dyn Store>,
    changes: impl IntoIterator<Item = Changes>,
) -> Vec<Result<Applied, StoreError>> {
    let tasks: Vec<_> = changes
        .into_iter()
        .map(|change| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.apply(change).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_embedded_engine_keeps_the_contract() {
    let report = suite::run(|| place(OpenOptions::default())).await;
    report.assert();
    assert!(
        report.passed.len() >= 100,
        "only {} cases ran",
        report.passed.len()
    );
}

/// With a checkpoint after almost every change.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_embedded_engine_keeps_the_contract_between_checkpoints() {
    suite::run(|| place(OpenOptions::default().checkpoint(4)))
        .await
        .assert();
}

/// A group that cannot be written is tried change by change.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bad_change_does_not_harm_its_neighbours() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(directory.path()).unwrap();
    store.apply(change("bad", 10)).await.unwrap();
    store.close().await.unwrap();
    let database = Connection::open(directory.path().join("guestlist.db")).unwrap();
    database
        .execute_batch("UPDATE documents SET facets = 'not JSON'")
        .unwrap();
    drop(database);

    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(directory.path()).unwrap());
    let changes = (0..200).map(|number| match number % 20 {
        7 => change("bad", 10),
        _ => change(&format!("good-{number}"), 10),
    });
    let outcomes = apply_all(&store, changes).await;
    let bad = outcomes
        .iter()
        .filter(|it| matches!(it, Err(StoreError::Damaged(_))))
        .count();
    let good = outcomes
        .iter()
        .filter(|it| matches!(it, Ok(Applied::Done(_))))
        .count();
    assert_eq!((bad, good), (10, 190));
    let log = store.events_after(Revision(1), 1000).await.unwrap();
    let revisions: Vec<u64> = log.iter().map(|line| line.revision.0).collect();
    assert_eq!(revisions, (2..=191).collect::<Vec<u64>>());
    assert!(matches!(
        store.get(Kind::Role, "bad").await,
        Err(StoreError::Damaged(_))
    ));
    store.ping().await.unwrap();
}

/// Statements, and not only commits, find no room; what is deleted makes room again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r05_a_database_at_its_largest_size_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let options = OpenOptions::default().most_pages(60);
    let store: Arc<dyn Store> =
        Arc::new(EmbeddedStore::open_with(directory.path(), &options).unwrap());
    let changes = (0..64).map(|number| change(&format!("big-{number:02}"), 9000));
    let outcomes = apply_all(&store, changes).await;
    let full = outcomes
        .iter()
        .filter(|it| matches!(it, Err(StoreError::Full(_))))
        .count();
    let done = outcomes
        .iter()
        .filter(|it| matches!(it, Ok(Applied::Done(_))))
        .count();
    assert!(
        full > 0 && done > 0 && full + done == 64,
        "{full} full, {done} done"
    );
    assert_eq!(
        store.revision().await.unwrap(),
        Revision(u64::try_from(done).unwrap())
    );
    let kept = store
        .list(Kind::Role, &Selection::All, None, 100)
        .await
        .unwrap();
    assert_eq!(kept.len(), done);

    let mut room = change("small", 10);
    room.delete.extend(
        kept.into_iter()
            .take(3)
            .map(|seen| (Kind::Role, seen.value.id)),
    );
    assert!(matches!(store.apply(room).await, Ok(Applied::Done(_))));
    store.ping().await.unwrap();
    assert!(matches!(
        store.apply(change("another", 9000)).await,
        Ok(Applied::Done(_))
    ));
}

/// The log is emptied although reads never pause.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_write_ahead_log_stays_small() {
    let directory = tempfile::tempdir().unwrap();
    let options = OpenOptions::default().checkpoint(100);
    let store: Arc<dyn Store> =
        Arc::new(EmbeddedStore::open_with(directory.path(), &options).unwrap());
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                loop {
                    store
                        .list(Kind::Invite, &Selection::All, None, 50)
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for part in 0..40 {
        let numbers = 100 * part + 1..100 * part + 101;
        for outcome in apply_all(&store, numbers.map(ledger::change)).await {
            assert!(matches!(outcome, Ok(Applied::Done(_))), "{outcome:?}");
        }
    }
    for reader in readers {
        reader.abort();
    }
    let length = |name: &str| directory.path().join(name).metadata().unwrap().len();
    assert!(
        length("guestlist.db") > 4 << 20,
        "too little was written to show anything"
    );
    assert!(
        length("guestlist.db-wal") < 10 << 20,
        "{}",
        length("guestlist.db-wal")
    );
    ledger::verify(&store, &BTreeMap::new()).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(length("guestlist.db-wal"), 0);
}

/// A follower that missed something must not be left behind unnoticed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_subscriber_that_panics_stops_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(directory.path()).unwrap());
    let sink = Arc::new(|_: &_| std::panic::panic_any("on purpose"));
    store.follow(&[], &mut |_| {}, sink).await.unwrap();
    let outcome = store.apply(change("a", 10)).await;
    assert!(
        matches!(outcome, Err(StoreError::Unknown(_))),
        "{outcome:?}"
    );
    store.stopped().await;
    let outcome = store.apply(change("b", 10)).await;
    assert!(matches!(outcome, Err(StoreError::Stopped)), "{outcome:?}");
    assert!(matches!(store.ping().await, Err(StoreError::Stopped)));
    assert!(store.get(Kind::Role, "a").await.unwrap().is_some());
    drop(store);
    let store = EmbeddedStore::open(directory.path()).unwrap();
    assert!(store.get(Kind::Role, "a").await.unwrap().is_some());
    assert!(store.get(Kind::Role, "b").await.unwrap().is_none());
}

/// A subscriber may own the store it listens to.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_handle_may_be_dropped_by_the_writer() {
    let directory = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(directory.path()).unwrap());
    let handle = std::sync::Mutex::new(Some(Arc::clone(&store)));
    let sink = Arc::new(move |_: &_| drop(handle.lock().unwrap().take()));
    store.follow(&[], &mut |_| {}, sink).await.unwrap();
    store.apply(change("a", 10)).await.unwrap();
}
