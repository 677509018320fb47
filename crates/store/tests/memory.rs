//! The memory engine against the suite, and the suite against engines with a planted fault.

use std::sync::Arc;

use guestlist_store::MemoryStore;
use guestlist_store::suite::broken::{BrokenStore, Fault};
use guestlist_store::suite::{self, Place};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_engine_keeps_the_contract() {
    let report = suite::run(|| Place::passing(|| Arc::new(MemoryStore::new()))).await;
    report.assert();
    assert!(
        report.passed.len() >= 100,
        "only {} cases ran",
        report.passed.len()
    );
}

/// The control: a suite that lets one of these pass proves nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_suite_finds_every_planted_fault() {
    let mut missed = Vec::new();
    for (fault, case) in Fault::ALL {
        let place = Place::passing(move || Arc::new(BrokenStore::new(fault)));
        match suite::run_one(case, place).await {
            Some(Err(why)) => println!("{fault:?} fails {case}: {why}"),
            found => missed.push(format!("{fault:?} in {case}: {found:?}")),
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
