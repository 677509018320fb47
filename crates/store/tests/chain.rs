//! The chain of the event log in a database: made for one that has none, kept by backups, and what
//! is noticed when somebody changes it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use guestlist_rules::changes::Revision;
use guestlist_store::suite::ledger;
use guestlist_store::{
    Applied, BackupFile, EmbeddedStore, Existing, Logged, Progress, Store, backup, export,
};
use rusqlite::Connection;

/// More than are read at a time when a database is brought up to date.
const MANY: u64 = 1_100;

fn on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

async fn fill(directory: &Path, changes: u64) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(directory).unwrap());
    let tasks: Vec<_> = (1..=changes)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.apply(ledger::change(number)).await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), Applied::Done(_)));
    }
    store
}

fn execute(directory: &Path, statements: &str) {
    let connection = Connection::open(directory.join("guestlist.db")).unwrap();
    connection.execute_batch(statements).unwrap();
}

/// What the first version of the tables was.
const WITHOUT_HASHES: &str = "ALTER TABLE events DROP COLUMN hash; UPDATE schema SET version = 1";

async fn log(store: &Arc<dyn Store>) -> Vec<Logged> {
    store.events_after(Revision(0), usize::MAX).await.unwrap()
}

/// What an export of a directory is, or why there is none.
fn exported(directory: &Path) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    export(directory, "1.2.3", &mut out, &mut on).map_err(|error| error.to_string())?;
    Ok(out)
}

#[tokio::test]
async fn a_database_without_hashes_gets_those_that_it_would_have_had() {
    let data = tempfile::tempdir().unwrap();
    let store = fill(data.path(), MANY).await;
    let before = log(&store).await;
    store.close().await.unwrap();
    let bytes = exported(data.path()).unwrap();
    execute(data.path(), WITHOUT_HASHES);
    // As it is, it is exported with the same hash of its newest event.
    assert!(exported(data.path()).unwrap() == bytes);
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(data.path()).unwrap());
    assert!(log(&store).await == before);
    store.apply(ledger::change(MANY + 1)).await.unwrap();
    ledger::verify(&store, &BTreeMap::new()).await.unwrap();
    store.close().await.unwrap();
    exported(data.path()).unwrap();
}

#[tokio::test]
async fn a_database_that_cannot_be_chained_stays_as_it_is() {
    let data = tempfile::tempdir().unwrap();
    fill(data.path(), 5).await.close().await.unwrap();
    for damage in [
        "DELETE FROM events WHERE revision = 3",
        "UPDATE events SET event = 'x' WHERE revision = 4",
    ] {
        let copy = tempfile::tempdir().unwrap();
        let file = copy.path().join("guestlist.db");
        std::fs::copy(data.path().join("guestlist.db"), &file).unwrap();
        execute(copy.path(), WITHOUT_HASHES);
        execute(copy.path(), damage);
        assert!(EmbeddedStore::open(copy.path()).is_err(), "{damage}");
        let connection = Connection::open(&file).unwrap();
        let count = |query| -> i64 { connection.query_row(query, [], |row| row.get(0)).unwrap() };
        assert_eq!(count("SELECT version FROM schema"), 1);
        let columns = "SELECT count(*) FROM pragma_table_info('events') WHERE name = 'hash'";
        assert_eq!(count(columns), 0);
    }
}

#[tokio::test]
async fn a_backup_without_hashes_is_restored_and_then_chained() {
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = fill(data.path(), 30).await;
    let before = log(&store).await;
    store.close().await.unwrap();
    execute(data.path(), WITHOUT_HASHES);
    let file = home.path().join("old.db");
    let made = backup(data.path(), &file, Existing::Keep, &mut on).unwrap();
    assert_eq!(made.contents.schema, 1);
    assert_eq!(
        Some(made.contents.head),
        before.last().map(|line| line.hash)
    );
    let restored = home.path().join("restored");
    let checked = BackupFile::check(&file, &mut on).unwrap();
    checked
        .restore(&restored, Existing::Keep, &[], &mut on)
        .unwrap();
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&restored).unwrap());
    assert!(log(&store).await == before);
}

#[tokio::test]
async fn an_event_that_somebody_changed_is_noticed_and_its_revision_told() {
    let data = tempfile::tempdir().unwrap();
    fill(data.path(), 9).await.close().await.unwrap();
    let changed = |statements: &str| {
        let copy = tempfile::tempdir().unwrap();
        let file = copy.path().join("guestlist.db");
        std::fs::copy(data.path().join("guestlist.db"), &file).unwrap();
        execute(copy.path(), statements);
        let target = copy.path().join("backup.db");
        let made = backup(copy.path(), &target, Existing::Keep, &mut on);
        let checked = BackupFile::check(&file, &mut on);
        [
            exported(copy.path()).map(drop),
            made.map(drop).map_err(|error| error.to_string()),
            checked.map(drop).map_err(|error| error.to_string()),
        ]
    };
    // The controls: nothing changed, and what is not hashed.
    for kept in [
        "SELECT 1",
        "UPDATE events SET touched = '[]' WHERE revision = 5",
        "UPDATE events SET event = ' ' || event WHERE revision = 5",
    ] {
        for outcome in changed(kept) {
            assert_eq!(outcome, Ok(()), "{kept}");
        }
    }
    for (statements, revision) in [
        (
            "UPDATE events SET event = replace(event, '\"ledger\"', '\"leger\"') WHERE revision = 5",
            5,
        ),
        (
            "UPDATE events SET event = replace(event, '\"time\":0', '\"time\":1') WHERE revision = 1",
            1,
        ),
        ("UPDATE events SET hash = zeroblob(32) WHERE revision = 9", 9),
        ("UPDATE events SET hash = NULL WHERE revision = 2", 2),
        ("UPDATE events SET hash = x'00' WHERE revision = 2", 2),
        (
            "CREATE TEMP TABLE kept AS SELECT * FROM events WHERE revision IN (3, 4);
             UPDATE events SET event = (SELECT event FROM kept WHERE kept.revision = 7 - events.revision),
                               hash = (SELECT hash FROM kept WHERE kept.revision = 7 - events.revision)
             WHERE revision IN (3, 4)",
            3,
        ),
    ] {
        for outcome in changed(statements) {
            let refused = outcome.unwrap_err();
            let expected = format!("the hash of revision {revision} is not that of");
            assert!(refused.contains(&expected), "{statements}: {refused}");
        }
    }
}

#[tokio::test]
async fn a_log_whose_newest_hash_is_missing_takes_no_more_lines() {
    let data = tempfile::tempdir().unwrap();
    fill(data.path(), 3).await.close().await.unwrap();
    execute(
        data.path(),
        "UPDATE events SET hash = NULL WHERE revision = 3",
    );
    assert!(EmbeddedStore::open(data.path()).is_err());
}
