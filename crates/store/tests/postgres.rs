//! The engine on PostgreSQL against the suite, and what is its own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use guestlist_store::suite::cluster::{self, Cluster};
use guestlist_store::suite::{self, Place};
use guestlist_store::{PostgresAddress, PostgresOptions, PostgresStore, Store};

/// The cluster of this process; a test ends where there is none.
fn shared() -> Option<&'static Cluster> {
    cluster::shared_or_skip().unwrap_or_else(|why| panic!("{why}"))
}

async fn open(address: &str) -> Arc<dyn Store> {
    let address: PostgresAddress = address.parse().unwrap();
    Arc::new(
        PostgresStore::open(&address, PostgresOptions::default())
            .await
            .unwrap(),
    )
}

/// A place of its own in the shared cluster.
fn place(cluster: &Cluster) -> Place {
    let address = cluster.new_address();
    Place::lasting(move || {
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| runtime.block_on(open(&address)))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_engine_on_postgresql_keeps_the_contract() {
    let Some(cluster) = shared() else { return };
    let report = suite::run(|| place(cluster)).await;
    report.assert();
    assert!(
        report.passed.len() >= 100,
        "only {} cases ran",
        report.passed.len()
    );
}
