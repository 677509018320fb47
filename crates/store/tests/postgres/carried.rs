//! A store that moves from one engine to another: the same bytes, or nothing.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use guestlist_rules::changes::{Document, Facet, Kind, Revision};
use guestlist_store::suite::ledger;
use guestlist_store::{
    EmbeddedStore, Existing, ExportFile, PostgresAddress, PostgresStore, Progress, Store,
    TransferError, export,
};

use crate::{Heard, creating, done, open, operator, shared, writing};

fn on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

/// Work that blocks, off the threads that run tasks.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn exported(address: &str) -> Result<Vec<u8>, TransferError> {
    let address: PostgresAddress = address.parse().unwrap();
    beside(move || {
        let mut bytes = Vec::new();
        PostgresStore::export(&address, "0.1.0", &mut bytes, &mut on).map(|_| bytes)
    })
    .await
}

async fn imported(
    address: &str,
    bytes: &[u8],
    watch: fn(Progress) -> ControlFlow<()>,
) -> Result<(), TransferError> {
    let (address, file): (PostgresAddress, File) = (address.parse().unwrap(), file_of(bytes));
    beside(move || {
        let mut file = ExportFile::check(file, &mut on).unwrap();
        PostgresStore::import(&address, &mut file, &mut { watch })
    })
    .await
}

/// An embedded store with many changes, as an export.
async fn embedded(directory: &Path) -> Vec<u8> {
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(directory).unwrap());
    for number in 1..=1200 {
        done(&store, ledger::change(number)).await;
    }
    // Every kind, in an order of names that differs from that of the declaration.
    let mut change = writing("a", "{}");
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Account) {
        for id in ["b", "A", "\u{e9}\"\\ü"] {
            change.write.push(Document {
                kind,
                id: id.to_owned(),
                facets: Facet::ALL.map(|facet| (facet, format!("{id}\t"))).to_vec(),
                body: br#"{"z":"\u00e9\n","a":1.0,"b":1e2}"#.to_vec(),
            });
        }
    }
    done(&store, change).await;
    let mut bytes = Vec::new();
    export(directory, "0.1.0", &mut bytes, &mut on).unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_moves_up_and_back_and_stays_the_same_bytes() {
    let Some(cluster) = shared() else { return };
    let directory = tempfile::tempdir().unwrap();
    let bytes = embedded(directory.path()).await;
    let address = cluster.new_address();
    imported(&address, &bytes, on).await.unwrap();
    assert!(exported(&address).await.unwrap() == bytes);
    // Nodes go on where the other engine ended.
    let (one, two) = (open(&address).await, open(&address).await);
    let heard = Heard::of(&two).await;
    assert_eq!(done(&one, ledger::change(1201)).await, Revision(1202));
    heard.up_to(&two, Revision(1202)).await;
    assert_eq!(heard.revisions(), [1202]);
    // And back.
    let bytes = exported(&address).await.unwrap();
    let back = tempfile::tempdir().unwrap();
    let file = ExportFile::check(file_of(&bytes), &mut on).unwrap();
    file.import(back.path(), Existing::Keep, &[], &mut on)
        .unwrap();
    let mut again = Vec::new();
    export(back.path(), "0.1.0", &mut again, &mut on).unwrap();
    assert!(again == bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_not_carried_wholly_leaves_nothing() {
    let Some(cluster) = shared() else { return };
    let directory = tempfile::tempdir().unwrap();
    let bytes = embedded(directory.path()).await;
    let address = cluster.new_address();
    let broken_off = |progress| {
        if let Progress::Importing { done: 2000.., .. } = progress {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    let outcome = imported(&address, &bytes, broken_off).await;
    assert!(
        matches!(outcome, Err(TransferError::Store(_))),
        "{outcome:?}"
    );
    let store = open(&address).await;
    assert_eq!(store.revision().await.unwrap(), Revision(0));
    assert!(store.get(Kind::Invite, "a").await.unwrap().is_none());
    done(&store, creating("b", "{}")).await;
    let outcome = imported(&address, &bytes, on).await;
    assert!(
        matches!(outcome, Err(TransferError::NotEmpty { .. })),
        "{outcome:?}"
    );
    assert_eq!(store.revision().await.unwrap(), Revision(1));
    // A log that somebody changed is not exported.
    let client = operator(cluster, &address).await;
    let sql = "UPDATE guestlist_events SET event = decode(replace(
                 encode(event, 'escape'), '\"user\"', '\"eve\"'), 'escape')";
    client.batch_execute(sql).await.unwrap();
    let outcome = exported(&address).await.map(|bytes| bytes.len());
    let text = outcome.unwrap_err().to_string();
    assert!(text.contains("does not follow"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_export_of_a_writing_database_is_of_one_moment() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let store = open(&address).await;
    done(&store, ledger::change(1)).await;
    let writer = Arc::clone(&store);
    let going_on = tokio::spawn(async move {
        for number in 2..=400 {
            done(&writer, ledger::change(number)).await;
        }
    });
    let mut newest = 0;
    while !going_on.is_finished() {
        let bytes = exported(&address).await.unwrap();
        // Documents and log are compared here.
        let file = ExportFile::check(file_of(&bytes), &mut on).unwrap();
        assert!(file.header().revision >= newest);
        newest = file.header().revision;
    }
    going_on.await.unwrap();
    assert!(newest > 1);
}
