//! Power cuts: a real run of the store is recorded call by call, and replayed up to every point on
//! a disk that forgets whatever was not synced. Nothing acknowledged may be lost, nothing may be
//! half-written, and the store must open on every state (trust R02).
//!
//! `kill -9` cannot show this: the page cache outlives a process. The control is the same run with
//! `synchronous=NORMAL`, in which acknowledged changes must be found lost.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it counted"
)]

mod disk;
mod trace;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};

use guestlist_rules::changes::Revision;
use guestlist_store::suite::Dice;
use guestlist_store::suite::ledger::{self, Fault};
use guestlist_store::{Applied, EmbeddedStore, Store};

use crate::disk::{Disk, Image, Survives, lay_out};
use crate::trace::{Happened, Reader};

/// Crash states in the normal run; `GUESTLIST_CRASH_STATES` asks for more.
const STATES: usize = 3000;

const CALLS: &str =
    "trace=openat,pwrite64,write,fallocate,ftruncate,fsync,fdatasync,rename,unlink,close";

/// The directory after a power cut, and what had been acknowledged by then.
struct Crash {
    image: Image,
    acknowledged: BTreeMap<u64, u64>,
}

/// What was found in all states.
#[derive(Default)]
struct Findings {
    states: usize,
    lost: Vec<String>,
    damaged: Vec<String>,
}

fn states() -> usize {
    let asked = std::env::var_os("GUESTLIST_CRASH_STATES");
    asked.map_or(STATES, |text| text.to_str().unwrap().parse().unwrap())
}

/// Without strace there is nothing to replay: that is said, and is a failure where tests count.
fn is_missing_strace() -> bool {
    let found = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status();
    if found.is_ok_and(|status| status.success()) {
        return false;
    }
    println!("SKIPPED: strace is not installed, so no power cut can be replayed");
    assert_ne!(
        std::env::var_os("CI").as_deref(),
        Some("true".as_ref()),
        "strace is missing"
    );
    true
}

/// A place that is fast to write to: what is checked there was cut off long before.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    tempfile::tempdir_in(parent).unwrap()
}

/// Two sessions of the ledger in a new directory: first start, checkpoints, close, second start.
fn record(changes: u64, more: &[&str]) -> Vec<Happened> {
    let home = tempfile::tempdir().unwrap();
    let directory: PathBuf = home.path().join("data");
    std::fs::create_dir(&directory).unwrap();
    let output = home.path().join("trace");
    let status = Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-xx",
            "-s",
            "10000000",
            "-e",
            CALLS,
            "-e",
            "signal=none",
            "-o",
        ])
        .arg(&output)
        .arg(env!("CARGO_BIN_EXE_store-ledger"))
        .arg(&directory)
        .args([
            "tasks=3",
            "sessions=2",
            "checkpoint=120",
            &format!("changes={changes}"),
        ])
        .args(more)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    Reader::read(&directory, &std::fs::read_to_string(&output).unwrap())
}

/// Cuts the power after everything that happened, often enough to give so many states.
fn cut_everywhere(happened: &[Happened], wanted: usize, crashes: &mpsc::SyncSender<Crash>) {
    let is_point = |one: &&Happened| {
        !matches!(
            one,
            Happened::SyncBegan { .. } | Happened::DirectorySyncBegan { .. }
        )
    };
    let points = happened.iter().filter(is_point).count();
    let mut point = 0;
    let mut dice = Dice(0x5eed);
    let mut disk = Disk::default();
    let mut acknowledged = BTreeMap::new();
    let mut kinds = Survives::ALL.iter().cycle();
    for one in happened {
        if let Happened::Told(line) = one {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["done", number, revision] => {
                    acknowledged.insert(revision.parse().unwrap(), number.parse().unwrap());
                }
                other => assert_eq!(other[0], "opened", "the ledger said {line:?}"),
            }
        }
        if !disk.takes(one) {
            continue;
        }
        // Spread evenly, whether there are more states or more points.
        let states = (point + 1) * wanted / points - point * wanted / points;
        point += 1;
        for survives in kinds.by_ref().take(states) {
            let image = disk.cut(*survives, &mut dice);
            crashes
                .send(Crash {
                    image,
                    acknowledged: acknowledged.clone(),
                })
                .unwrap();
        }
    }
}

/// Opens a state, compares it, writes one more change, and lets SQLite check the file.
fn look(crash: &Crash) -> Result<(), Fault> {
    let scratch = scratch();
    lay_out(scratch.path(), &crash.image);
    let damaged = |text: String| Fault::Damaged(text);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let opened = EmbeddedStore::open(scratch.path());
        let store: Arc<dyn Store> = Arc::new(opened.map_err(|it| damaged(it.to_string()))?);
        let newest = ledger::verify(&store, &crash.acknowledged).await?;
        let applied = store.apply(ledger::change(1_000_000)).await?;
        if applied != Applied::Done(Revision(newest.0 + 1)) {
            return Err(damaged(format!("after {newest} came {applied:?}")));
        }
        Ok(store.close().await?)
    })?;
    let connection = rusqlite::Connection::open(scratch.path().join("guestlist.db")).unwrap();
    let verdict: rusqlite::Result<String> =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0));
    match verdict {
        Ok(text) if text == "ok" => Ok(()),
        other => Err(damaged(format!("integrity: {other:?}"))),
    }
}

/// Makes every state of a recorded run and looks at each, two at a time.
fn replay(happened: &[Happened], wanted: usize) -> Findings {
    let (crashes, received) = mpsc::sync_channel::<Crash>(8);
    let received = Mutex::new(received);
    let findings = Mutex::new(Findings::default());
    let work = || {
        loop {
            let crash = received.lock().unwrap().recv();
            let Ok(crash) = crash else { break };
            let found = look(&crash);
            let mut findings = findings.lock().unwrap();
            findings.states += 1;
            match found {
                Ok(()) => {}
                Err(Fault::Lost(text)) => findings.lost.push(text),
                Err(Fault::Damaged(text)) => findings.damaged.push(text),
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
        cut_everywhere(happened, wanted, &crashes);
        drop(crashes);
    });
    findings.into_inner().unwrap()
}

#[test]
fn r02_a_power_cut_loses_nothing_acknowledged() {
    if is_missing_strace() {
        return;
    }
    let happened = record(90, &[]);
    let syncs = happened
        .iter()
        .filter(|one| matches!(one, Happened::SyncEnded { .. }))
        .count();
    let told = happened
        .iter()
        .filter(|one| matches!(one, Happened::Told(_)))
        .count();
    let findings = replay(&happened, states());
    println!(
        "{} things happened, {syncs} of them syncs, {told} lines told; {} states, {} lost, {} damaged",
        happened.len(),
        findings.states,
        findings.lost.len(),
        findings.damaged.len()
    );
    assert_eq!((findings.lost, findings.damaged), (vec![], vec![]));
    assert!(
        told >= 150 && findings.states >= 2000,
        "{told} told, {} states",
        findings.states
    );
}

/// The control: a store that does not wait for the disk is found out.
#[test]
fn r02_without_the_sync_changes_are_lost() {
    if is_missing_strace() {
        return;
    }
    let findings = replay(&record(20, &["normal"]), 100);
    println!("{} states, {} lost", findings.states, findings.lost.len());
    assert!(
        findings.lost.len() > findings.states / 10,
        "{} found",
        findings.lost.len()
    );
    assert_eq!(findings.damaged, Vec::<String>::new());
}
