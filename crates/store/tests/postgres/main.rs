//! The engine on PostgreSQL against the suite, and what is its own: several nodes, and a database
//! that fails. Each test has a schema of its own in a cluster that this process makes.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod carried;
mod cut_off;
mod failures;
mod history;
mod killed;
mod nodes;
mod protected;
mod proxy;
mod schemas;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use guestlist_rules::changes::{Changes, Committed, Document, Event, Expect, Kind, Revision};
use guestlist_store::suite::cluster::{self, Cluster};
use guestlist_store::suite::{self, Place};
use guestlist_store::{
    Applied, Logged, PostgresAddress, PostgresOptions, PostgresStore, Store, StoreError,
};
use tokio_postgres::{Client, NoTls};

/// How long anything may take before a test counts as failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// The cluster of this process; a test ends where there is none.
fn shared() -> Option<&'static Cluster> {
    cluster::shared_or_skip().unwrap_or_else(|why| panic!("{why}"))
}

async fn open(address: &str) -> Arc<dyn Store> {
    open_with(address, PostgresOptions::default()).await
}

async fn open_with(address: &str, options: PostgresOptions) -> Arc<dyn Store> {
    let address: PostgresAddress = address.parse().unwrap();
    Arc::new(PostgresStore::open(&address, options).await.unwrap())
}

/// A connection of an operator, in the schema of an address.
async fn operator(cluster: &Cluster, address: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(&cluster.plain_address(), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let schema = address.split("schema=").nth(1).unwrap();
    client
        .batch_execute(&format!("SET search_path TO {schema}"))
        .await
        .unwrap();
    client
}

/// Asks until the answer is yes, within a bound.
async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, asking).await;
    waited.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}

/// What a follower heard.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Committed>>>);

impl Heard {
    /// Follows from the beginning of an empty store.
    async fn of(store: &Arc<dyn Store>) -> Self {
        let heard = Self::default();
        let sink = heard.clone();
        let told = move |committed: &Committed| sink.0.lock().unwrap().push(committed.clone());
        store
            .follow(&[], &mut |_| {}, Arc::new(told))
            .await
            .unwrap();
        heard
    }

    fn revisions(&self) -> Vec<u64> {
        let heard = self.0.lock().unwrap();
        heard.iter().map(|committed| committed.revision.0).collect()
    }

    /// Waits for a revision and gives all that was heard.
    async fn up_to(&self, store: &Arc<dyn Store>, revision: Revision) -> Vec<Committed> {
        let caught_up = store.caught_up_to(revision, PATIENCE).await.unwrap();
        assert!(caught_up, "{revision} was not heard of");
        self.0.lock().unwrap().clone()
    }
}

fn event(subject: &str) -> Event {
    Event {
        kind: "test.written".to_owned(),
        time: 1_700_000_000_000,
        actor: "user".to_owned(),
        request_id: "request".to_owned(),
        subject: format!("invite/{subject}"),
        data: serde_json::json!({ "from": "test" }),
    }
}

/// Writes one document.
fn writing(id: &str, body: &str) -> Changes {
    let mut changes = Changes::new(event(id));
    changes.write.push(Document {
        kind: Kind::Invite,
        id: id.to_owned(),
        facets: Vec::new(),
        body: body.into(),
    });
    changes
}

/// Writes one document that must not be there yet.
fn creating(id: &str, body: &str) -> Changes {
    let mut changes = writing(id, body);
    changes
        .expect
        .push((Kind::Invite, id.to_owned(), Expect::Absent));
    changes
}

async fn done(store: &Arc<dyn Store>, changes: Changes) -> Revision {
    match store.apply(changes).await {
        Ok(Applied::Done(revision)) => revision,
        other => panic!("{other:?}"),
    }
}

async fn whole_log(store: &Arc<dyn Store>) -> Vec<Logged> {
    let mut log: Vec<Logged> = Vec::new();
    loop {
        let newest = log.last().map(|line| line.revision).unwrap_or_default();
        let page = store.events_after(newest, 5000).await.unwrap();
        if page.is_empty() {
            return log;
        }
        log.extend(page);
    }
}

/// A place of its own in the shared cluster.
fn place(cluster: &Cluster, options: PostgresOptions) -> Place {
    let address = cluster.new_address();
    Place::lasting(move || {
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| runtime.block_on(open_with(&address, options)))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_engine_on_postgresql_keeps_the_contract() {
    let Some(cluster) = shared() else { return };
    let report = suite::run(|| place(cluster, PostgresOptions::default())).await;
    report.assert();
    assert!(
        report.passed.len() >= 100,
        "only {} cases ran",
        report.passed.len()
    );
}

/// On the other way, which a node takes that has met others.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_engine_on_postgresql_keeps_the_contract_under_the_lock() {
    let Some(cluster) = shared() else { return };
    let options = PostgresOptions::default().always_locking();
    suite::run(|| place(cluster, options)).await.assert();
}

/// One bad change does not fail its neighbours: an index of PostgreSQL takes no value of this size.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bad_change_does_not_harm_its_neighbours() {
    let Some(cluster) = shared() else { return };
    let store = open(&cluster.new_address()).await;
    let mut dice = suite::Dice(7);
    let mut tasks = Vec::new();
    for number in 0..200_u32 {
        let mut change = creating(&format!("d-{number}"), "1");
        if number % 20 == 7 {
            let value = (0..9000).map(|_| char::from(b'!' + u8::try_from(dice.below(90)).unwrap()));
            let facet = (guestlist_rules::changes::Facet::Inviter, value.collect());
            change.write[0].facets.push(facet);
        }
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move { store.apply(change).await }));
    }
    let (mut good, mut bad) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(Applied::Done(_)) => good += 1,
            Err(StoreError::Unavailable(_)) => bad += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((good, bad), (190, 10));
    assert_eq!(store.revision().await.unwrap(), Revision(190));
    store.ping().await.unwrap();
}

/// A follower that missed something must not be left behind unnoticed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_subscriber_that_panics_stops_the_store() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let store = open(&address).await;
    let sink = Arc::new(|_: &_| std::panic::panic_any("on purpose"));
    store.follow(&[], &mut |_| {}, sink).await.unwrap();
    let outcome = store.apply(writing("a", "1")).await;
    assert!(
        matches!(outcome, Err(StoreError::Unknown(_) | StoreError::Stopped)),
        "{outcome:?}"
    );
    tokio::time::timeout(PATIENCE, store.stopped())
        .await
        .unwrap();
    let outcome = store.apply(writing("b", "1")).await;
    assert!(matches!(outcome, Err(StoreError::Stopped)), "{outcome:?}");
    assert!(matches!(store.ping().await, Err(StoreError::Stopped)));
    let store = open(&address).await;
    assert!(store.get(Kind::Invite, "a").await.unwrap().is_some());
    assert!(store.get(Kind::Invite, "b").await.unwrap().is_none());
}

/// A subscriber may own the store it listens to.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_handle_may_be_dropped_by_the_writer() {
    let Some(cluster) = shared() else { return };
    let store = open(&cluster.new_address()).await;
    let handle = Mutex::new(Some(Arc::clone(&store)));
    let sink = Arc::new(move |_: &_| drop(handle.lock().unwrap().take()));
    store.follow(&[], &mut |_| {}, sink).await.unwrap();
    done(&store, writing("a", "1")).await;
}

/// The freshness grows although nothing is written, and does not while the database is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_knows_how_fresh_it_is() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let (one, two) = (open(&address).await, open(&address).await);
    let begin = two.freshness().unwrap();
    until("the freshness is confirmed", || async {
        two.freshness().unwrap().confirmed > begin.confirmed
    })
    .await;
    let revision = done(&one, writing("a", "1")).await;
    assert_eq!(one.freshness().unwrap().revision, revision);
    assert!(two.caught_up_to(revision, PATIENCE).await.unwrap());
    assert_eq!(two.freshness().unwrap().revision, revision);
    let next = Revision(revision.0 + 1);
    assert!(
        !two.caught_up_to(next, Duration::from_millis(10))
            .await
            .unwrap()
    );
}
