//! `kill -9` of one node in the midst of its writes, again and again, while another goes on.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use guestlist_store::suite::{Dice, ledger};

use crate::{Heard, done, open, shared};

/// How often a node is killed.
const KILLS: u64 = 12;
/// The numbers of each life of a node.
const RANGE: u64 = 1_000_000;

/// Lives as a node until so many changes were acknowledged, and is killed; gives those and what
/// came in the meantime.
fn live_and_die(address: &str, first: u64, lived: usize) -> BTreeMap<u64, u64> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_store-ledger"))
        .args([address, "tasks=8", &format!("first={first}")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = BTreeMap::new();
    let mut note = |line: String| {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["opened", _] => {}
            ["done", number, revision] => {
                acknowledged.insert(revision.parse().unwrap(), number.parse().unwrap());
            }
            _ => panic!("the node said {line:?}"),
        }
    };
    told.by_ref()
        .take(lived + 1)
        .for_each(|line| note(line.unwrap()));
    child.kill().unwrap();
    child.wait().unwrap();
    told.for_each(|line| note(line.unwrap()));
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_is_killed_loses_nothing_and_holds_nobody_up() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let store = open(&address).await;
    let heard = Heard::of(&store).await;
    let ends = Arc::new(AtomicBool::new(false));
    let (other, until) = (Arc::clone(&store), Arc::clone(&ends));
    let going_on = tokio::spawn(async move {
        let mut acknowledged = BTreeMap::new();
        let mut number = 1;
        while !until.load(Ordering::SeqCst) {
            // Fails where the killed node would hold the others up for longer than their patience.
            let revision = done(&other, ledger::change(number)).await;
            acknowledged.insert(revision.0, number);
            number += 1;
        }
        acknowledged
    });
    let mut acknowledged = tokio::task::spawn_blocking(move || {
        let mut dice = Dice(0x5eed_0004);
        let mut acknowledged = BTreeMap::new();
        for life in 1..=KILLS {
            let lived = usize::try_from(1 + dice.below(120)).unwrap();
            acknowledged.extend(live_and_die(&address, life * RANGE, lived));
        }
        acknowledged
    })
    .await
    .unwrap();
    ends.store(true, Ordering::SeqCst);
    let of_the_other = going_on.await.unwrap();
    assert!(acknowledged.len() > 200 && of_the_other.len() > 50);
    acknowledged.extend(of_the_other);
    let newest = ledger::verify(&store, &acknowledged).await.unwrap();
    heard.up_to(&store, newest).await;
    assert_eq!(heard.revisions(), (1..=newest.0).collect::<Vec<u64>>());
    // The control: an acknowledgement that is not kept is found.
    acknowledged.insert(newest.0 + 1, 1);
    let found = ledger::verify(&store, &acknowledged).await;
    assert!(matches!(found, Err(ledger::Fault::Lost(_))), "{found:?}");
}
