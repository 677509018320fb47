//! A backup put into a data directory: what is refused before anything is touched, and that a
//! restore that ends anywhere leaves the old state or the new one.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it counted"
)]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use guestlist_rules::changes::Revision;
use guestlist_store::suite::ledger;
use guestlist_store::{
    Applied, BackupError, BackupFile, EmbeddedStore, Existing, OpenError, Progress, Restored,
    Store, backup, refuse_in_use,
};
use rusqlite::Connection;
use tempfile::TempDir;

/// Changes of the database that is replaced, and of the one that replaces it. The numbers of the
/// latter differ, so that a mixture of both cannot go unnoticed.
const OLD: std::ops::RangeInclusive<u64> = 1..=60;
const NEW: std::ops::RangeInclusive<u64> = 101..=140;
/// A restore makes fewer calls than this.
const MOST_CALLS: usize = 1000;

fn on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn restore(
    file: &Path,
    directory: &Path,
    existing: Existing,
    companions: &[PathBuf],
) -> Result<Restored, BackupError> {
    BackupFile::check(file, &mut on)?.restore(directory, existing, companions, &mut on)
}

async fn fill(directory: &Path, numbers: std::ops::RangeInclusive<u64>) -> EmbeddedStore {
    let store = EmbeddedStore::open(directory).unwrap();
    for number in numbers {
        store.apply(ledger::change(number)).await.unwrap();
    }
    store
}

/// A backup of the new state.
async fn made(home: &Path) -> PathBuf {
    let file = home.join("backup.db");
    let data = tempfile::tempdir().unwrap();
    let store = fill(data.path(), NEW).await;
    backup(data.path(), &file, Existing::Keep, &mut on).unwrap();
    drop(store);
    file
}

/// Opens a directory as a server does, and gives its newest revision. Panics if the documents are
/// not exactly those that the numbers lead to.
async fn look(
    directory: &Path,
    numbers: impl FnOnce(u64) -> std::ops::RangeInclusive<u64>,
) -> Result<u64, String> {
    let store = EmbeddedStore::open(directory).map_err(|error| error.to_string())?;
    let store: Arc<dyn Store> = Arc::new(store);
    let newest = store.revision().await.map_err(|error| error.to_string())?;
    let expected: BTreeMap<u64, u64> = (1..).zip(numbers(newest.0)).collect();
    let verified = ledger::verify(&store, &expected).await;
    let newest = verified.map_err(|fault| format!("{fault:?}"))?.0;
    let after = store.apply(ledger::change(1000)).await;
    if !matches!(after, Ok(Applied::Done(revision)) if revision == Revision(newest + 1)) {
        return Err(format!("the next change became {after:?}"));
    }
    Ok(newest)
}

async fn look_for(directory: &Path, numbers: std::ops::RangeInclusive<u64>) {
    let expected = numbers.end() - numbers.start() + 1;
    assert_eq!(look(directory, |_| numbers).await, Ok(expected));
}

/// Every file with its bytes.
fn everything(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = directory.read_dir().unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| (path.clone(), std::fs::read(&path).unwrap_or_default()))
        .collect()
}

#[tokio::test]
async fn a_backup_becomes_the_database_of_a_new_directory() {
    let home = tempfile::tempdir().unwrap();
    let file = made(home.path()).await;
    let directory = home.path().join("new/data");
    let restored = restore(&file, &directory, Existing::Keep, &[]).unwrap();
    assert_eq!(restored.contents.events, 40);
    assert_eq!(restored.replaced, None);
    let rights = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(rights(&directory), 0o700);
    let database = directory.join("guestlist.db");
    assert_eq!(rights(&database), 0o600);
    assert_eq!(database.metadata().unwrap().len(), restored.bytes);
    let lock = directory.join("guestlist.lock");
    let left: Vec<PathBuf> = everything(&directory).into_keys().collect();
    assert_eq!(left, [database, lock]);
    look_for(&directory, NEW).await;
    // A backup of what was restored is the same backup, but for what was written since.
    let again = home.path().join("again.db");
    let made = backup(&directory, &again, Existing::Keep, &mut on).unwrap();
    assert_eq!(made.contents.events, 41);
}

#[tokio::test]
async fn a_database_that_is_there_stays_unless_told_and_is_kept_beside() {
    let home = tempfile::tempdir().unwrap();
    let file = made(home.path()).await;
    let directory = home.path().join("data");
    // Left behind as by a killed server: what it wrote is in its write-ahead log.
    let running = tempfile::tempdir().unwrap();
    let store = fill(running.path(), OLD).await;
    std::fs::create_dir(&directory).unwrap();
    for name in ["guestlist.db", "guestlist.db-wal"] {
        std::fs::copy(running.path().join(name), directory.join(name)).unwrap();
    }
    drop(store);
    let before = everything(&directory);
    let refused = restore(&file, &directory, Existing::Keep, &[]).unwrap_err();
    assert!(matches!(refused, BackupError::Occupied(_)), "{refused}");
    let mut after = everything(&directory);
    after.remove(&directory.join("guestlist.lock"));
    assert!(after == before);
    let restored = restore(&file, &directory, Existing::Replace, &[]).unwrap();
    let replaced = directory.join("replaced-1");
    assert_eq!(restored.replaced.as_ref(), Some(&replaced));
    look_for(&directory, NEW).await;
    look_for(&replaced, OLD).await;
    // And once more: every one of them is kept.
    let restored = restore(&file, &directory, Existing::Replace, &[]).unwrap();
    assert_eq!(restored.replaced, Some(directory.join("replaced-2")));
    look_for(&directory, NEW).await;
}

/// Needs the superuser; whoever else tests cannot get into the situation.
#[tokio::test]
async fn what_the_superuser_restores_belongs_to_the_owner_of_the_directory() {
    const SOMEBODY: u32 = 65_534;
    let home = tempfile::tempdir().unwrap();
    let file = made(home.path()).await;
    let pepper = home.path().join("pepper");
    std::fs::write(&pepper, "a pepper").unwrap();
    let data = tempfile::tempdir().unwrap();
    fill(data.path(), OLD).await.close().await.unwrap();
    std::fs::remove_file(data.path().join("guestlist.lock")).unwrap();
    let give = |path: &Path| chown(path, Some(SOMEBODY), Some(SOMEBODY));
    if give(data.path()).is_err() {
        return;
    }
    give(&data.path().join("guestlist.db")).unwrap();
    restore(&file, data.path(), Existing::Replace, &[pepper]).unwrap();
    let mut entries = 0;
    for entry in data.path().read_dir().unwrap().map(Result::unwrap) {
        let owner = entry.metadata().unwrap().uid();
        assert_eq!(owner, SOMEBODY, "{}", entry.path().display());
        entries += 1;
    }
    // The database, the lock, the pepper, and what was replaced.
    assert_eq!(entries, 4);
}

#[tokio::test]
async fn a_directory_that_a_server_holds_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let file = made(home.path()).await;
    let data = tempfile::tempdir().unwrap();
    refuse_in_use(data.path()).unwrap();
    assert!(everything(data.path()).is_empty());
    let store = fill(data.path(), OLD).await;
    let in_use =
        |error: &BackupError| matches!(error, BackupError::Directory(OpenError::InUse { .. }));
    assert!(refuse_in_use(data.path()).is_err_and(|error| in_use(&error)));
    let refused = restore(&file, data.path(), Existing::Replace, &[]);
    assert!(refused.is_err_and(|error| in_use(&error)));
    store.close().await.unwrap();
    refuse_in_use(data.path()).unwrap();
    restore(&file, data.path(), Existing::Replace, &[]).unwrap();
}

#[tokio::test]
async fn what_is_no_backup_touches_nothing() {
    let home = tempfile::tempdir().unwrap();
    let file = made(home.path()).await;
    let data = tempfile::tempdir().unwrap();
    fill(data.path(), OLD).await.close().await.unwrap();
    let before = everything(data.path());
    let nowhere = home.path().join("nowhere");
    for damage in [
        "UPDATE schema SET version = 9",
        "DELETE FROM events WHERE revision = 3",
        "PRAGMA application_id = 1",
    ] {
        let bad = home.path().join("bad.db");
        std::fs::copy(&file, &bad).unwrap();
        Connection::open(&bad)
            .unwrap()
            .execute_batch(damage)
            .unwrap();
        for directory in [data.path(), &nowhere] {
            restore(&bad, directory, Existing::Replace, &[]).unwrap_err();
        }
        assert!(everything(data.path()) == before, "{damage}");
        assert!(!nowhere.exists(), "{damage}");
    }
    // The file that was changed after it was checked, or that the disk reads differently.
    let checked = BackupFile::check(&file, &mut on).unwrap();
    Connection::open(&file)
        .unwrap()
        .execute_batch("UPDATE events SET touched = touched || ' ' WHERE revision = 5")
        .unwrap();
    let refused = checked.restore(data.path(), Existing::Replace, &[], &mut on);
    assert!(matches!(refused, Err(BackupError::Differs(_))));
    assert!(everything(data.path()) == before);
}

#[tokio::test]
async fn a_restore_that_is_broken_off_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let file = made(home.path()).await;
    let data = tempfile::tempdir().unwrap();
    fill(data.path(), OLD).await.close().await.unwrap();
    let before = everything(data.path());
    for end in 1.. {
        let mut left = end;
        let mut watch = |_| {
            left -= 1;
            if left == 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let checked = BackupFile::check(&file, &mut on).unwrap();
        if let Err(refused) = checked.restore(data.path(), Existing::Replace, &[], &mut watch) {
            assert!(matches!(refused, BackupError::Cancelled), "{refused}");
            assert!(everything(data.path()) == before);
        } else {
            assert!(end > 2, "nothing was broken off");
            break;
        }
    }
    look_for(data.path(), NEW).await;
}

#[tokio::test]
async fn companions_come_with_the_database_or_not_at_all() {
    let home = tempfile::tempdir().unwrap();
    let file = made(home.path()).await;
    let (secrets, data) = (home.path().join("secrets"), home.path().join("data"));
    std::fs::create_dir(&secrets).unwrap();
    let names = ["pepper", "key"];
    let companions = names.map(|name| secrets.join(name));
    for path in &companions {
        std::fs::write(path, path.to_str().unwrap()).unwrap();
    }
    let [pepper, key] = names.map(|name| data.join(name));
    std::fs::create_dir(&data).unwrap();
    std::fs::write(&pepper, "another").unwrap();
    let refused = restore(&file, &data, Existing::Keep, &companions).unwrap_err();
    assert!(matches!(refused, BackupError::Exists(_)), "{refused}");
    assert!(!key.exists() && !data.join("guestlist.db").exists());
    let restored = restore(&file, &data, Existing::Replace, &companions).unwrap();
    let replaced = restored.replaced.unwrap();
    assert_eq!(std::fs::read(replaced.join("pepper")).unwrap(), b"another");
    for (path, source) in [&pepper, &key].into_iter().zip(&companions) {
        assert_eq!(std::fs::read(path).unwrap(), std::fs::read(source).unwrap());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    // The same once more: what is equal is left in peace.
    let restored = restore(&file, &data, Existing::Replace, &companions).unwrap();
    assert!(!restored.replaced.unwrap().join("pepper").exists());
    let missing = [secrets.join("none")];
    let refused = restore(&file, &data, Existing::Replace, &missing).unwrap_err();
    assert!(matches!(refused, BackupError::File { .. }), "{refused}");
    look_for(&data, NEW).await;
}

/// Without strace nothing can be made to fail: that is said, and is a failure where tests count.
fn is_missing_strace() -> bool {
    let found = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status();
    if found.is_ok_and(|status| status.success()) {
        return false;
    }
    println!("SKIPPED: strace is not installed, so no call can be made to fail");
    assert_ne!(
        std::env::var_os("CI").as_deref(),
        Some("true".as_ref()),
        "strace is missing"
    );
    true
}

/// The calls that change something on the disk, or make it lasting.
const CALLS: [&str; 15] = [
    "openat",
    "mkdir",
    "rename",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "fchmod",
    "copy_file_range",
    "sendfile",
];

/// The two states, as files to start from.
struct States {
    home: TempDir,
    backup: PathBuf,
    export: PathBuf,
}

impl States {
    /// The old state is that of a killed server, with most of it in the write-ahead log.
    async fn make() -> Self {
        let home = tempfile::tempdir().unwrap();
        let backup = made(home.path()).await;
        let running = tempfile::tempdir().unwrap();
        let store = fill(running.path(), OLD).await;
        let old = home.path().join("old");
        std::fs::create_dir(&old).unwrap();
        for name in ["guestlist.db", "guestlist.db-wal", "guestlist.db-shm"] {
            std::fs::copy(running.path().join(name), old.join(name)).unwrap();
        }
        drop(store);
        let export = home.path().join("export.ndjson");
        let new = home.path().join("new");
        restore(&backup, &new, Existing::Keep, &[]).unwrap();
        let mut file = std::fs::File::create_new(&export).unwrap();
        guestlist_store::export(&new, "1.0.0", &mut file, &mut on).unwrap();
        Self {
            home,
            backup,
            export,
        }
    }

    fn fresh(&self) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        for entry in self.home.path().join("old").read_dir().unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), directory.path().join(entry.file_name())).unwrap();
        }
        directory
    }

    /// Restores with something that strace does; gives whether it did it.
    fn restore(&self, directory: &Path, injection: &str, more: &[&str]) -> bool {
        let trace = directory.with_extension("trace");
        let call = injection.split(':').next().unwrap();
        let output = Command::new("strace")
            .args(["-f", "-qq", "-s", "0"])
            .args(["-e", &format!("trace={call}")])
            .args(["-e", &format!("inject={injection}"), "-o"])
            .arg(&trace)
            .arg(env!("CARGO_BIN_EXE_store-restore"))
            .arg(if more == ["import"] {
                &self.export
            } else {
                &self.backup
            })
            .arg(directory)
            .args(more)
            // Where tests look for libraries: many calls at every start.
            .env_remove("LD_LIBRARY_PATH")
            .output()
            .unwrap();
        let traced = std::fs::read_to_string(&trace).unwrap();
        std::fs::remove_file(&trace).unwrap();
        !output.status.success() || traced.contains("(INJECTED)")
    }

    /// Makes one call after the other fail, until there is none left.
    async fn fail_everywhere(&self, fault: &str, more: &[&str]) -> Found {
        let mut found = Found::default();
        for call in CALLS {
            for number in 1..MOST_CALLS {
                let injection = format!("{call}:{fault}:when={number}");
                let directory = self.fresh();
                let injected = self.restore(directory.path(), &injection, more);
                let is_new = |newest| if newest == 40 { NEW } else { OLD };
                match look(directory.path(), is_new).await {
                    Ok(60) if injected => found.old += 1,
                    Ok(40) if more != ["naive"] => {
                        found.new += usize::from(injected);
                        look_for(&directory.path().join("replaced-1"), OLD).await;
                    }
                    other => {
                        found.neither.push(format!("{injection}: {other:?}"));
                        break;
                    }
                }
                assert!(!directory.path().join("restore.ready").exists());
                if !injected {
                    break;
                }
                // Whatever was left is no obstacle to the next restore.
                restore(&self.backup, directory.path(), Existing::Replace, &[]).unwrap();
                look_for(directory.path(), NEW).await;
                assert!(!directory.path().join("restore.partial").exists());
            }
        }
        found
    }
}

/// What was found after each failure.
#[derive(Debug, Default)]
struct Found {
    old: usize,
    new: usize,
    neither: Vec<String>,
}

#[tokio::test]
async fn a_restore_that_is_killed_at_any_call_leaves_the_old_state_or_the_new_one() {
    if is_missing_strace() {
        return;
    }
    let states = States::make().await;
    let found = states.fail_everywhere("signal=SIGKILL", &[]).await;
    println!("{found:?}");
    assert!(found.neither.is_empty(), "{found:#?}");
    assert!(found.old > 10 && found.new > 10, "{found:?}");
}

#[tokio::test]
async fn a_restore_with_an_error_at_any_call_leaves_the_old_state_or_the_new_one() {
    if is_missing_strace() {
        return;
    }
    let states = States::make().await;
    let found = states.fail_everywhere("error=EIO", &[]).await;
    println!("{found:?}");
    assert!(found.neither.is_empty(), "{found:#?}");
    assert!(found.old > 10 && found.new > 10, "{found:?}");
}

#[tokio::test]
async fn an_import_that_is_killed_at_any_call_leaves_the_old_state_or_the_new_one() {
    if is_missing_strace() {
        return;
    }
    let states = States::make().await;
    let found = states.fail_everywhere("signal=SIGKILL", &["import"]).await;
    println!("{found:?}");
    assert!(found.neither.is_empty(), "{found:#?}");
    assert!(found.old > 10 && found.new > 10, "{found:?}");
}

#[tokio::test]
async fn an_import_with_an_error_at_any_call_leaves_the_old_state_or_the_new_one() {
    if is_missing_strace() {
        return;
    }
    let states = States::make().await;
    let found = states.fail_everywhere("error=EIO", &["import"]).await;
    println!("{found:?}");
    assert!(found.neither.is_empty(), "{found:#?}");
    assert!(found.old > 10 && found.new > 10, "{found:?}");
}

/// The control: copying the file over the database is found out.
#[tokio::test]
async fn a_naive_restore_is_found_to_leave_neither() {
    if is_missing_strace() {
        return;
    }
    let states = States::make().await;
    let found = states.fail_everywhere("signal=SIGKILL", &["naive"]).await;
    assert!(!found.neither.is_empty());
}
