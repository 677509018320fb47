//! The embedded engine against the suite, and what is its own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use guestlist_store::suite::{self, Place};
use guestlist_store::{EmbeddedStore, OpenOptions};

fn place(options: OpenOptions) -> Place {
    let directory = tempfile::tempdir().unwrap();
    Place::lasting(move || Arc::new(EmbeddedStore::open_with(directory.path(), &options).unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_embedded_engine_keeps_the_contract() {
    let report = suite::run(|| place(OpenOptions::default())).await;
    report.assert();
    assert!(
        report.passed.len() >= 100,
        "only {} cases ran",
        report.passed.len()
    );
}

/// With a checkpoint after almost every change.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_embedded_engine_keeps_the_contract_between_checkpoints() {
    suite::run(|| place(OpenOptions::default().checkpoint(4)))
        .await
        .assert();
}

#[expect(dead_code, reason = "used by the tests that follow")]
fn files(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}
