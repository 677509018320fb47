//! An error of the disk at every call in turn, and a full disk at every write in turn: what was
//! acknowledged stays, nothing is half-written; after an error the store takes no more writes, and
//! after a full disk it goes on (trust R04, R05).
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it counted"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use guestlist_store::suite::ledger::{self, Fault};
use guestlist_store::{EmbeddedStore, Store};

/// Changes of one run. Few, because every call of it is made to fail once.
const CHANGES: &str = "changes=7";

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

/// What a run said.
#[derive(Debug)]
struct Told {
    lines: Vec<String>,
    /// Whether the call that was to fail was made at all.
    injected: bool,
}

impl Told {
    fn acknowledged(&self) -> BTreeMap<u64, u64> {
        let words = self
            .lines
            .iter()
            .map(|line| line.split(' ').collect::<Vec<_>>());
        words
            .filter(|words| words[0] == "done")
            .map(|words| (words[2].parse().unwrap(), words[1].parse().unwrap()))
            .collect()
    }

    /// The first words of the lines about changes.
    fn outcomes(&self) -> Vec<&str> {
        let known = ["done", "full", "unknown", "unavailable", "stopped"];
        let words = self.lines.iter().filter_map(|line| line.split(' ').next());
        words.filter(|word| known.contains(word)).collect()
    }

    fn has(&self, line: &str) -> bool {
        self.lines.iter().any(|other| other == line)
    }

    fn is_unopened(&self) -> bool {
        self.lines
            .iter()
            .any(|line| line.starts_with("unopened") || line == "unreadable")
    }
}

/// Runs the ledger with something that strace does to its calls.
fn run(directory: &Path, injection: &str, more: &[&str]) -> Told {
    let home = tempfile::tempdir().unwrap();
    let trace = home.path().join("trace");
    let calls = injection.split(':').next().unwrap();
    let output = Command::new("strace")
        .args(["-f", "--seccomp-bpf", "-qq", "-s", "0", "-e", "signal=none"])
        .args([
            "-e",
            &format!("trace={calls}"),
            "-e",
            &format!("inject={injection}"),
            "-o",
        ])
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_store-ledger"))
        .arg(directory)
        .args(["tasks=1", "checkpoint=24", CHANGES])
        .args(more)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let injected = std::fs::read_to_string(&trace)
        .unwrap()
        .contains("(INJECTED)");
    let told = Told { lines, injected };
    assert!(!told.has("hangs"), "{injection}: {told:?}");
    told
}

/// Opens the store again without faults.
fn look(directory: &Path, acknowledged: &BTreeMap<u64, u64>) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let opened = EmbeddedStore::open(directory);
        let opened = opened.map_err(|error| Fault::Damaged(error.to_string()))?;
        let store: Arc<dyn Store> = Arc::new(opened);
        ledger::verify(&store, acknowledged).await?;
        store.apply(ledger::change(1_000_000)).await?;
        Ok(store.close().await?)
    })
}

/// Makes the calls fail in turn, until a run makes no call of that number, in two threads. Gives
/// how many were made to fail.
fn each_in_turn(injection: &str, more: &[&str], judge: impl Fn(u64, &Told) + Sync) -> u64 {
    let next = AtomicU64::new(1);
    let count = AtomicU64::new(0);
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            assert!(number < 5000, "the run does not end");
            let directory = tempfile::tempdir().unwrap();
            let told = run(
                directory.path(),
                &format!("{injection}:when={number}"),
                more,
            );
            let kept = look(directory.path(), &told.acknowledged());
            assert_eq!(kept, Ok(()), "{injection} {number}: {told:?}");
            if !told.injected {
                assert_eq!(told.outcomes(), ["done"; 7], "{told:?}");
                break;
            }
            count.fetch_add(1, Ordering::Relaxed);
            judge(number, &told);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let count = count.into_inner();
    println!("{injection}: {count} calls were made to fail");
    count
}

/// Done as long as the disk works; then at most one that is not known; then nothing more. Counts
/// the outcomes that were not known.
fn stops(injection: &str, number: u64, told: &Told, unknown: &AtomicU64) {
    if told.is_unopened() {
        return;
    }
    let outcomes = told.outcomes();
    let failed = outcomes.iter().position(|outcome| *outcome != "done");
    let Some(failed) = failed else {
        // It failed in a checkpoint after the last change, or in the one of the close.
        return;
    };
    let (first, later) = (outcomes[failed], &outcomes[failed + 1..]);
    let context = format!("{injection} {number}: {told:?}");
    assert!(
        ["unknown", "unavailable", "stopped"].contains(&first),
        "{context}"
    );
    unknown.fetch_add(u64::from(first == "unknown"), Ordering::Relaxed);
    assert!(
        later.iter().all(|outcome| *outcome == "stopped"),
        "{context}"
    );
    assert!(told.has("stop told, reads go on"), "{context}");
}

#[test]
fn r04_a_failed_sync_stops_the_store() {
    if is_missing_strace() {
        return;
    }
    let unknown = AtomicU64::new(0);
    for call in ["fsync", "fdatasync"] {
        let injection = format!("{call}:error=EIO");
        each_in_turn(&injection, &[], |number, told| {
            stops(&injection, number, told, &unknown);
        });
    }
    assert!(unknown.into_inner() > 4, "hardly a commit met an error");
}

#[test]
fn r04_a_failed_write_stops_the_store() {
    if is_missing_strace() {
        return;
    }
    let unknown = AtomicU64::new(0);
    for call in ["pwrite64", "ftruncate"] {
        let injection = format!("{call}:error=EIO");
        let count = each_in_turn(&injection, &[], |number, told| {
            stops(&injection, number, told, &unknown);
        });
        // How many there are depends on how changes group into commits; without any, nothing was
        // tried.
        assert!(
            count > if call == "pwrite64" { 50 } else { 0 },
            "only {count} calls failed"
        );
    }
    assert!(unknown.into_inner() > 10, "hardly a commit met an error");
}

#[test]
fn r05_a_full_disk_does_not_stop_the_store() {
    if is_missing_strace() {
        return;
    }
    let count = each_in_turn("pwrite64:error=ENOSPC", &[], |number, told| {
        if told.is_unopened() {
            return;
        }
        // Room is made, or the change alone is refused: the run goes on to its end.
        let outcomes = told.outcomes();
        let known = outcomes
            .iter()
            .all(|outcome| ["done", "full"].contains(outcome));
        assert!(known && outcomes.len() == 7, "{number}: {told:?}");
    });
    assert!(count > 80, "only {count} calls failed");
}

#[test]
fn r05_a_disk_that_stays_full_refuses_and_reads_go_on() {
    if is_missing_strace() {
        return;
    }
    for number in [30, 60, 90, 120] {
        let directory = tempfile::tempdir().unwrap();
        let told = run(
            directory.path(),
            &format!("pwrite64:error=ENOSPC:when={number}+"),
            &["changes=40"],
        );
        let outcomes = told.outcomes();
        assert!(outcomes.contains(&"full"), "{number}: {told:?}");
        let known = outcomes
            .iter()
            .all(|outcome| ["done", "full"].contains(outcome));
        assert!(known, "{number}: {told:?}");
        assert_eq!(look(directory.path(), &told.acknowledged()), Ok(()));
    }
}

#[test]
fn r05_a_disk_that_was_full_for_a_while_is_written_again() {
    if is_missing_strace() {
        return;
    }
    for number in [30, 50, 70] {
        let directory = tempfile::tempdir().unwrap();
        let injection = format!("pwrite64:error=ENOSPC:when={number}..{}", number + 5);
        let told = run(directory.path(), &injection, &["changes=40"]);
        let outcomes = told.outcomes();
        let full = outcomes
            .iter()
            .filter(|outcome| **outcome == "full")
            .count();
        assert!(
            full > 0 && outcomes.last() == Some(&"done"),
            "{number}: {told:?}"
        );
        assert_eq!(look(directory.path(), &told.acknowledged()), Ok(()));
    }
}

/// The control: a store that acknowledges what failed is found out.
#[test]
fn r04_a_swallowed_error_is_found() {
    if is_missing_strace() {
        return;
    }
    let mut found = 0;
    for number in [40, 60, 80] {
        let directory = tempfile::tempdir().unwrap();
        let injection = format!("pwrite64:error=EIO:when={number}");
        let told = run(directory.path(), &injection, &["lie"]);
        match look(directory.path(), &told.acknowledged()) {
            Ok(()) => {}
            Err(Fault::Lost(_)) => found += 1,
            Err(Fault::Damaged(text)) => panic!("{number}: {text}"),
        }
    }
    assert!(found > 0);
}
