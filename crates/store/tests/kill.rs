//! `kill -9` at random moments under concurrent writes: nothing acknowledged is lost, nothing is
//! half-written, and the log has no gap.
//!
//! A kill proves that changes are whole, and little of durability: the page cache outlives the
//! process. For that see `power_cut.rs`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it counted"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use guestlist_store::suite::Dice;
use guestlist_store::suite::ledger::{self, Fault};
use guestlist_store::{EmbeddedStore, Store};

/// Kills in the normal run; `GUESTLIST_KILLS` asks for more.
const KILLS: u64 = 200;
/// Kills on the same directory before a new one is taken.
const LIVES: u64 = 10;

fn kills() -> u64 {
    let asked = std::env::var_os("GUESTLIST_KILLS");
    asked.map_or(KILLS, |text| text.to_str().unwrap().parse().unwrap())
}

/// Starts the ledger, kills it after so many acknowledgements (or after some loops without one),
/// and gives what it acknowledged: the number of each revision.
fn live_and_die(directory: &Path, dice: &mut Dice, lies: bool) -> BTreeMap<u64, u64> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_store-ledger"));
    command
        .arg(directory)
        .args(["tasks=8", "checkpoint=50"])
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = BTreeMap::new();
    let mut note = |line: String| {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["opened", _] => {}
            ["done", number, revision] => {
                acknowledged.insert(revision.parse().unwrap(), number.parse().unwrap());
            }
            _ => panic!("the ledger said {line:?}"),
        }
    };
    if dice.below(8) == 0 {
        // Somewhere in the start.
        for _ in 0..dice.below(3_000_000) {
            std::hint::spin_loop();
        }
    } else {
        let lived = 1 + dice.below(80);
        told.by_ref()
            .take(usize::try_from(lived).unwrap())
            .for_each(|line| note(line.unwrap()));
        for _ in 0..dice.below(300_000) {
            std::hint::spin_loop();
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // The pipe keeps what was told before the end. A last line may be cut.
    for line in told {
        note(line.unwrap());
    }
    if lies {
        // The control: a change is told that was never asked for.
        let newest = acknowledged.keys().last().copied().unwrap_or(0);
        acknowledged.insert(newest + 1000, 1_000_000);
    }
    acknowledged
}

fn look(directory: &Path, acknowledged: &BTreeMap<u64, u64>) -> Result<u64, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(directory).unwrap());
        let newest = ledger::verify(&store, acknowledged).await?;
        store.close().await?;
        Ok(newest.0)
    })
}

/// Kills so many times; gives the number of acknowledged changes, and every fault.
fn kill_often(seed: u64, times: u64, lies: bool) -> (usize, Vec<Fault>) {
    let mut dice = Dice(seed);
    let (mut count, mut faults) = (0, Vec::new());
    let mut life = 0;
    while life < times {
        let directory = tempfile::tempdir().unwrap();
        let mut acknowledged = BTreeMap::new();
        for _ in 0..LIVES.min(times - life) {
            life += 1;
            acknowledged.extend(live_and_die(directory.path(), &mut dice, lies));
            if let Err(fault) = look(directory.path(), &acknowledged) {
                println!("seed {seed:#x}, life {life}: {fault:?}");
                faults.push(fault);
            }
        }
        count += acknowledged.len();
    }
    (count, faults)
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    let half = kills().div_ceil(2);
    let threads = [0x5eed_0001, 0x5eed_0002]
        .map(|seed| std::thread::spawn(move || kill_often(seed, half, false)));
    let mut count = 0;
    for thread in threads {
        let (acknowledged, faults) = thread.join().unwrap();
        assert_eq!(faults, []);
        count += acknowledged;
    }
    println!(
        "{} kills, {count} acknowledged changes, none lost",
        half * 2
    );
    assert!(count > 1000, "only {count} changes were acknowledged");
}

/// The control: an acknowledgement that is not kept is found.
#[test]
fn a_lost_acknowledgement_is_found() {
    let (_, faults) = kill_often(0x5eed_0003, 2, true);
    assert!(faults.iter().all(|fault| matches!(fault, Fault::Lost(_))) && faults.len() == 2);
}
