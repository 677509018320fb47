//! Backups of a database that another process writes, and what is refused as a backup.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use guestlist_store::suite::ledger::{self, Fault};
use guestlist_store::{
    BackedUp, BackupError, BackupFile, Contents, EmbeddedStore, Existing, Progress, Store, backup,
};
use rusqlite::Connection;

/// How long the server may take for its next acknowledgement before it counts as stopped.
const PATIENCE: Duration = Duration::from_secs(30);

fn on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn take(directory: &Path, file: &Path, existing: Existing) -> Result<BackedUp, BackupError> {
    backup(directory, file, existing, &mut on)
}

fn check(file: &Path) -> Result<Contents, BackupError> {
    BackupFile::check(file, &mut on).map(|file| file.contents().clone())
}

/// What a running ledger acknowledged: the number of each revision.
#[derive(Default)]
struct Told {
    acknowledged: Mutex<BTreeMap<u64, u64>>,
    more: Condvar,
}

impl Told {
    fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Waits until more than so many changes are acknowledged.
    fn wait_for_more_than(&self, count: usize) -> usize {
        let guard = self.acknowledged.lock().unwrap();
        let wait = |now: &mut BTreeMap<u64, u64>| now.len() <= count;
        let (guard, waited) = self.more.wait_timeout_while(guard, PATIENCE, wait).unwrap();
        assert!(!waited.timed_out(), "the server has stopped writing");
        guard.len()
    }
}

/// A process that writes all the time.
struct Server {
    child: Child,
    told: Arc<Told>,
    reader: Option<JoinHandle<()>>,
}

impl Server {
    fn start(directory: &Path, checkpoint: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_store-ledger"))
            .arg(directory)
            .args(["tasks=8", checkpoint])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = Arc::new(Told::default());
        let noted = Arc::clone(&told);
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let words: Vec<&str> = line.split(' ').collect();
                match words.as_slice() {
                    ["opened", _] => {}
                    ["done", number, revision] => {
                        let mut acknowledged = noted.acknowledged.lock().unwrap();
                        acknowledged.insert(revision.parse().unwrap(), number.parse().unwrap());
                        noted.more.notify_all();
                    }
                    _ => panic!("the ledger said {line:?}"),
                }
            }
        });
        Self {
            child,
            told,
            reader: Some(reader),
        }
    }

    /// Kills it and gives everything it acknowledged.
    fn end(mut self) -> BTreeMap<u64, u64> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        self.told.acknowledged.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Opens a file as the database of a new directory and compares it with what was acknowledged.
fn look(file: &Path, acknowledged: &BTreeMap<u64, u64>) -> Result<u64, Fault> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::copy(file, directory.path().join("guestlist.db")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let opened = EmbeddedStore::open(directory.path());
        let opened = opened.map_err(|error| Fault::Damaged(error.to_string()))?;
        let store: Arc<dyn Store> = Arc::new(opened);
        Ok(ledger::verify(&store, acknowledged).await?.0)
    })
}

#[test]
fn a_backup_of_a_writing_server_is_what_it_acknowledged_up_to_one_moment() {
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = home.path().join("backup.db");
    // Checkpoints are due all the time: they are what a backup could be in the way of.
    let server = Server::start(data.path(), "checkpoint=50");
    let told = Arc::clone(&server.told);
    told.wait_for_more_than(1200);
    let before = *told
        .acknowledged
        .lock()
        .unwrap()
        .keys()
        .next_back()
        .unwrap();
    let mut steps = 0;
    let mut last = (0, 0);
    let mut watch = |progress| {
        if let Progress::Copying { done, all } = progress {
            assert!(done > last.0 && done <= all, "{progress:?} after {last:?}");
            last = (done, all);
            steps += 1;
        }
        // In the middle of everything, under the lock that the backup holds, the server goes on.
        told.wait_for_more_than(told.count());
        ControlFlow::Continue(())
    };
    let made = backup(data.path(), &file, Existing::Keep, &mut watch).unwrap();
    assert!(steps > 1 && last.0 == last.1, "{steps} steps, {last:?}");
    let revision = made.contents.revision().0;
    told.wait_for_more_than(usize::try_from(revision).unwrap() + 1);
    let mut acknowledged = server.end();
    // Everything acknowledged before is in it, and something after it is not.
    assert!(before <= revision && acknowledged.len() > usize::try_from(revision).unwrap());
    let beyond = acknowledged.split_off(&(revision + 1));
    assert_eq!(look(&file, &acknowledged), Ok(revision));
    // The control: what came later is found missing.
    let (revision, number) = beyond.into_iter().next().unwrap();
    acknowledged.insert(revision, number);
    assert!(matches!(look(&file, &acknowledged), Err(Fault::Lost(_))));
}

/// The control of the test above: a plain copy of the file lacks what is in the write-ahead log.
#[test]
fn a_plain_copy_of_the_database_of_a_writing_server_is_found_wanting() {
    let (data, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = home.path().join("copy.db");
    let server = Server::start(data.path(), "checkpoint=100000");
    server.told.wait_for_more_than(100);
    let acknowledged = server.end();
    std::fs::copy(data.path().join("guestlist.db"), &file).unwrap();
    assert!(look(&file, &acknowledged).is_err());
}

/// A directory with the changes 1 to `last`, closed.
async fn made(last: u64) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(directory.path()).unwrap();
    for number in 1..=last {
        store.apply(ledger::change(number)).await.unwrap();
    }
    store.close().await.unwrap();
    directory
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = directory.read_dir().unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn a_backup_is_one_file_for_its_owner_alone() {
    let (data, home) = (made(30).await, tempfile::tempdir().unwrap());
    // A name that a URI would read otherwise.
    let file = home.path().join("of today? 100%41 #1.db");
    let backed_up = take(data.path(), &file, Existing::Keep).unwrap();
    assert_eq!(entries(home.path()), [file.as_path()]);
    let metadata = file.metadata().unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(metadata.len(), backed_up.bytes);
    let contents = check(&file).unwrap();
    assert_eq!(contents, backed_up.contents);
    assert_eq!((contents.events, contents.revision().0), (30, 30));
    assert_eq!(contents.documents["invite"], 30);
    assert_eq!(contents.documents["acceptance"], 30 - 9);
    assert_eq!(
        contents.all_documents(),
        30 + 21 + contents.documents["access-record"]
    );
    assert_eq!(contents.hash.len(), 64);
    // Looking at it leaves nothing beside it.
    assert_eq!(entries(home.path()), [file.as_path()]);
}

#[tokio::test]
async fn equal_contents_have_an_equal_hash_and_other_contents_another() {
    let (data, home) = (made(10).await, tempfile::tempdir().unwrap());
    let [one, other] = ["one", "other"].map(|name| home.path().join(name));
    let first = take(data.path(), &one, Existing::Keep).unwrap();
    take(data.path(), &other, Existing::Keep).unwrap();
    let change = |change: &str| {
        let database = Connection::open(&other).unwrap();
        database.execute(change, []).unwrap()
    };
    change("VACUUM");
    assert_eq!(check(&other).unwrap(), first.contents);
    for text in [
        "UPDATE documents SET body = CAST(body || ' ' AS BLOB) WHERE number = 1",
        "UPDATE documents SET mark = 2 WHERE number = 1",
        "UPDATE events SET event = event || ' ' WHERE revision = 2",
        "UPDATE events SET touched = touched || ' ' WHERE revision = 2",
    ] {
        assert_eq!(change(text), 1, "{text}");
        let changed = check(&other).unwrap();
        assert_ne!(changed.hash, first.contents.hash, "{text}");
        std::fs::copy(&one, &other).unwrap();
    }
}

#[tokio::test]
async fn a_file_that_is_there_is_not_overwritten_unless_told() {
    let (data, home) = (made(5).await, tempfile::tempdir().unwrap());
    let file = home.path().join("backup.db");
    take(data.path(), &file, Existing::Keep).unwrap();
    let before = std::fs::read(&file).unwrap();
    let store = EmbeddedStore::open(data.path()).unwrap();
    store.apply(ledger::change(6)).await.unwrap();
    let refused = take(data.path(), &file, Existing::Keep).unwrap_err();
    assert!(matches!(refused, BackupError::Exists(_)), "{refused}");
    assert!(std::fs::read(&file).unwrap() == before);
    let again = take(data.path(), &file, Existing::Replace).unwrap();
    assert_eq!(again.contents.events, 6);
    assert_eq!(check(&file).unwrap(), again.contents);
    // Not even then is anything but an older backup overwritten.
    let other = home.path().join("thesis.txt");
    std::fs::write(&other, "a thesis").unwrap();
    let refused = take(data.path(), &other, Existing::Replace).unwrap_err();
    assert!(matches!(refused, BackupError::NotABackup(_)), "{refused}");
    let itself = data.path().join("guestlist.db");
    let refused = take(data.path(), &itself, Existing::Replace).unwrap_err();
    assert!(matches!(refused, BackupError::Itself(_)), "{refused}");
    // A name of the directory that the file of another backup must not take.
    let log = data.path().join("guestlist.db-wal");
    let refused = take(data.path(), &log, Existing::Replace).unwrap_err();
    assert!(matches!(refused, BackupError::NotABackup(_)), "{refused}");
    // An empty file makes room, but not a device, which seems empty too.
    let device = home.path().join("device");
    std::os::unix::fs::symlink("/dev/null", &device).unwrap();
    let refused = take(data.path(), &device, Existing::Replace).unwrap_err();
    assert!(matches!(refused, BackupError::NotABackup(_)), "{refused}");
    assert!(device.is_symlink());
    assert_eq!(std::fs::read(&other).unwrap(), b"a thesis");
    assert_eq!(entries(home.path()).len(), 3);
}

/// As scripts write them by joining `/backup/` and `/name`.
#[tokio::test]
async fn a_path_may_have_slashes_too_many() {
    let (data, home) = (made(5).await, tempfile::tempdir().unwrap());
    let file = PathBuf::from(format!("/{}//backup.db", home.path().display()));
    let made = take(data.path(), &file, Existing::Keep).unwrap();
    assert_eq!(check(&file).unwrap(), made.contents);
}

#[tokio::test]
async fn a_backup_that_is_broken_off_leaves_nothing() {
    let (data, home) = (made(400).await, tempfile::tempdir().unwrap());
    let file = home.path().join("backup.db");
    let mut most = 0;
    let mut reports = |_| {
        most += 1;
        ControlFlow::Continue(())
    };
    backup(data.path(), &file, Existing::Keep, &mut reports).unwrap();
    assert!(most >= 4, "{most}");
    for end in 1..=most {
        let file = home.path().join("broken off.db");
        let mut left = end;
        let mut watch = |_| {
            left -= 1;
            if left == 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let refused = backup(data.path(), &file, Existing::Keep, &mut watch).unwrap_err();
        assert!(matches!(refused, BackupError::Cancelled), "{refused}");
        assert_eq!(entries(home.path()).len(), 1);
    }
}

#[tokio::test]
async fn what_cannot_be_backed_up_is_told() {
    let home = tempfile::tempdir().unwrap();
    let nothing = take(home.path(), &home.path().join("a"), Existing::Keep).unwrap_err();
    assert!(
        nothing
            .to_string()
            .contains("there is no database of Guestlist"),
        "{nothing}"
    );
    assert_eq!(entries(home.path()).len(), 0);
    let data = made(3).await;
    let nowhere = home.path().join("nowhere/backup.db");
    let refused = take(data.path(), &nowhere, Existing::Keep).unwrap_err();
    assert!(matches!(refused, BackupError::File { .. }), "{refused}");
    // A database that is damaged itself gives no backup, and says so.
    Connection::open(data.path().join("guestlist.db"))
        .unwrap()
        .execute_batch("DELETE FROM events WHERE revision = 2")
        .unwrap();
    let refused = take(data.path(), &home.path().join("b"), Existing::Keep).unwrap_err();
    assert!(matches!(refused, BackupError::Damaged { .. }), "{refused}");
    assert_eq!(entries(home.path()).len(), 0);
}

#[tokio::test]
async fn what_does_not_hold_together_is_no_backup() {
    let (data, home) = (made(40).await, tempfile::tempdir().unwrap());
    let (good, bad) = (home.path().join("good.db"), home.path().join("bad.db"));
    take(data.path(), &good, Existing::Keep).unwrap();
    check(&good).unwrap();
    for damage in [
        "DELETE FROM events WHERE revision = 7",
        "DELETE FROM events WHERE revision = 40",
        "DELETE FROM events WHERE revision = 1",
        "UPDATE events SET revision = 0 WHERE revision = 1",
        "UPDATE documents SET mark = 41 WHERE number = 1",
        "DELETE FROM facets WHERE rowid_of = 1",
        "INSERT INTO facets VALUES ('invite', 'status', 'x', 'y')",
        "UPDATE facets SET value = value || 'x'",
        "UPDATE documents SET facets = 'no JSON' WHERE number = 1",
    ] {
        std::fs::copy(&good, &bad).unwrap();
        let damage = damage.replace(
            "WHERE rowid_of = 1",
            "WHERE (kind, facet, value, id) IN (SELECT * FROM facets LIMIT 1)",
        );
        let database = Connection::open(&bad).unwrap();
        assert!(database.execute(&damage, []).unwrap() > 0);
        drop(database);
        let refused = check(&bad).unwrap_err();
        assert!(
            matches!(refused, BackupError::Damaged { .. }),
            "{damage}: {refused}"
        );
    }
}

/// Every page, so that no part of the file is trusted.
#[tokio::test]
async fn a_file_with_a_damaged_page_is_no_backup() {
    let (data, home) = (made(60).await, tempfile::tempdir().unwrap());
    let (good, bad) = (home.path().join("good.db"), home.path().join("bad.db"));
    let contents = take(data.path(), &good, Existing::Keep).unwrap().contents;
    let bytes = std::fs::read(&good).unwrap();
    let pages = bytes.len() / 4096;
    let mut found = 0;
    for page in 0..pages {
        let mut damaged = bytes.clone();
        damaged[page * 4096..][..4096].fill(0x5a);
        std::fs::write(&bad, damaged).unwrap();
        match check(&bad) {
            Err(BackupError::Damaged { .. } | BackupError::NotABackup(_)) => found += 1,
            // The page of a body that is longer than a page: nothing but the hash can tell.
            Ok(other) => assert_ne!(other, contents),
            Err(other) => panic!("page {page}: {other}"),
        }
    }
    assert!(found > pages / 2, "{found} of {pages}");
    for length in [
        1,
        100,
        4095,
        4096,
        bytes.len() / 2,
        bytes.len() - 4096,
        bytes.len() - 1,
    ] {
        std::fs::write(&bad, &bytes[..length]).unwrap();
        let refused = check(&bad).unwrap_err();
        assert!(
            matches!(
                refused,
                BackupError::Damaged { .. } | BackupError::NotABackup(_)
            ),
            "{length}: {refused}"
        );
    }
}

#[tokio::test]
async fn what_is_no_backup_is_refused_and_left_alone() {
    let (data, home) = (made(3).await, tempfile::tempdir().unwrap());
    let file = home.path().join("file.db");
    let change = |text: &str| {
        Connection::open(&file)
            .unwrap()
            .execute_batch(text)
            .unwrap();
    };
    take(data.path(), &file, Existing::Keep).unwrap();
    change("UPDATE schema SET version = 7");
    let before = std::fs::read(&file).unwrap();
    let refused = check(&file).unwrap_err();
    assert!(
        matches!(
            refused,
            BackupError::Newer {
                found: 7,
                known: 3,
                ..
            }
        ),
        "{refused}"
    );
    assert!(refused.to_string().contains("newer Guestlist"), "{refused}");
    assert!(std::fs::read(&file).unwrap() == before);
    change("UPDATE schema SET version = 2; PRAGMA application_id = 5");
    assert!(matches!(check(&file), Err(BackupError::NotABackup(_))));
    change("PRAGMA application_id = 0");
    assert!(matches!(check(&file), Err(BackupError::NotABackup(_))));
    for text in ["", "words"] {
        std::fs::write(&file, text).unwrap();
        assert!(
            matches!(check(&file), Err(BackupError::NotABackup(_))),
            "{text}"
        );
    }
    assert!(matches!(
        check(home.path()),
        Err(BackupError::NotABackup(_))
    ));
    assert!(matches!(
        check(&home.path().join("none")),
        Err(BackupError::File { .. })
    ));
    // The database of a server that was killed: without its log it would be an older state.
    let live = tempfile::tempdir().unwrap();
    let server = Server::start(live.path(), "checkpoint=3000");
    server.told.wait_for_more_than(5);
    server.end();
    let refused = check(&live.path().join("guestlist.db")).unwrap_err();
    assert!(matches!(refused, BackupError::NotSettled(_)), "{refused}");
    // But a backup of it has everything.
    let acknowledged = take(live.path(), &home.path().join("live.db"), Existing::Keep);
    assert!(acknowledged.unwrap().contents.events > 5);
}
