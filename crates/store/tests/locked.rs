//! Who may open a directory: one process at a time, no database of another kind or of a newer
//! version, and nobody but the owner of the files (trust R08, R27).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use guestlist_rules::changes::{Kind, Revision};
use guestlist_store::suite::ledger;
use guestlist_store::{Applied, EmbeddedStore, HeldWrites, OpenError, Store, StoreError};
use rusqlite::Connection;

const LEDGER: &str = env!("CARGO_BIN_EXE_store-ledger");

fn refusal(directory: &Path) -> OpenError {
    EmbeddedStore::open(directory).err().unwrap()
}

/// Makes a store and closes it, and gives its database.
async fn made(directory: &Path) -> Connection {
    let store = EmbeddedStore::open(directory).unwrap();
    store.apply(ledger::change(1)).await.unwrap();
    store.close().await.unwrap();
    Connection::open(directory.join("guestlist.db")).unwrap()
}

#[tokio::test]
async fn r08_a_second_handle_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(directory.path()).unwrap();
    let error = refusal(directory.path());
    assert!(matches!(error, OpenError::InUse { .. }));
    assert!(
        error
            .to_string()
            .contains("in use by another Guestlist process"),
        "{error}"
    );
    // Closing gives the directory free, although the handle is still there for reads.
    store.close().await.unwrap();
    let second = EmbeddedStore::open(directory.path()).unwrap();
    assert_eq!(
        second.apply(ledger::change(1)).await.unwrap(),
        Applied::Done(Revision(1))
    );
    drop(second);
    EmbeddedStore::open(directory.path()).unwrap();
}

#[tokio::test]
async fn r08_a_second_process_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(directory.path()).unwrap();
    let output = Command::new(LEDGER).arg(directory.path()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("in use by another Guestlist process"),
        "{said}"
    );
    // The refused one left the first in peace.
    assert_eq!(
        store.apply(ledger::change(1)).await.unwrap(),
        Applied::Done(Revision(1))
    );
}

#[tokio::test]
async fn r08_a_killed_process_holds_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(LEDGER);
    let mut child = command
        .arg(directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
    told.next().unwrap().unwrap();
    assert!(matches!(refusal(directory.path()), OpenError::InUse { .. }));
    child.kill().unwrap();
    child.wait().unwrap();
    EmbeddedStore::open(directory.path()).unwrap();
}

#[tokio::test]
async fn r27_a_newer_schema_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let database = made(directory.path()).await;
    database
        .execute_batch("UPDATE schema SET version = 7; PRAGMA journal_mode = delete;")
        .unwrap();
    drop(database);
    let file = directory.path().join("guestlist.db");
    let before = std::fs::read(&file).unwrap();
    let error = refusal(directory.path());
    assert!(
        matches!(error, OpenError::Newer { found: 7, known: 3 }),
        "{error}"
    );
    assert!(
        error.to_string().contains("written by a newer Guestlist"),
        "{error}"
    );
    assert!(
        std::fs::read(&file).unwrap() == before,
        "the file was changed"
    );
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("guestlist.db");
    Connection::open(&file)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (a)")
        .unwrap();
    let before = std::fs::read(&file).unwrap();
    assert!(matches!(
        refusal(directory.path()),
        OpenError::Foreign { .. }
    ));
    assert!(
        std::fs::read(&file).unwrap() == before,
        "the file was changed"
    );
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("guestlist.db");
    std::fs::write(
        &file,
        "this is not a database, but long enough to be looked at".repeat(99),
    )
    .unwrap();
    assert!(matches!(refusal(directory.path()), OpenError::Database(_)));
    let blocked = directory.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    assert!(matches!(refusal(&blocked), OpenError::Directory { .. }));
    assert!(matches!(
        refusal(&blocked.join("below")),
        OpenError::Directory { .. }
    ));
}

#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("new/data");
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&directory).unwrap());
    store.apply(ledger::change(1)).await.unwrap();
    store.get(Kind::Invite, "a").await.unwrap();
    let rights = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(rights(&directory), 0o700);
    let entries: Vec<_> = directory
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(entries.len(), 4, "{entries:?}");
    for path in entries {
        assert_eq!(rights(&path), 0o600, "{}", path.display());
    }
}

/// What carries a store elsewhere keeps a running one from writing, and from nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_held_and_reads_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    let store = EmbeddedStore::open(&path).unwrap();
    store.apply(ledger::change(1)).await.unwrap();
    let held = HeldWrites::hold(&path).unwrap();
    assert_eq!(held.revision().unwrap(), Revision(1));
    let refused = store.apply(ledger::change(2)).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    assert_eq!(store.revision().await.unwrap(), Revision(1));
    assert_eq!(store.events_after(Revision(0), 9).await.unwrap().len(), 1);
    // Many at once are refused at once: they do not wait one after the other.
    let many = (10..42).map(|number| store.apply(ledger::change(number)));
    let many = futures_util::future::join_all(many);
    let many = tokio::time::timeout(Duration::from_mins(1), many).await;
    for refused in many.unwrap() {
        assert!(
            matches!(refused, Err(StoreError::Unavailable(_))),
            "{refused:?}"
        );
    }
    drop(held);
    let done = Applied::Done(Revision(2));
    assert_eq!(store.apply(ledger::change(3)).await.unwrap(), done);
    // Retired, it takes no more, not even after it is opened again, until that is taken back.
    HeldWrites::hold(&path).unwrap().retire().unwrap();
    let refused = store.apply(ledger::change(4)).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    store.close().await.unwrap();
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&path).unwrap());
    let refused = store.apply(ledger::change(5)).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    ledger::verify(&store, &[(1, 1), (2, 3)].into())
        .await
        .unwrap();
    assert!(HeldWrites::hold(&path).unwrap().revive().unwrap());
    let done = Applied::Done(Revision(3));
    assert_eq!(store.apply(ledger::change(6)).await.unwrap(), done);
    assert!(!HeldWrites::hold(&path).unwrap().revive().unwrap());
}
