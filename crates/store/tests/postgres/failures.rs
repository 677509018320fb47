//! A database that stops, starts, fails over, fills up or has no room for connections.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guestlist_rules::changes::{Kind, Revision};
use guestlist_store::suite::cluster::{self, Cluster, ClusterOptions, Ending};
use guestlist_store::suite::ledger;
use guestlist_store::{
    Applied, PostgresAddress, PostgresOptions, PostgresStore, Store, StoreError,
};
use tokio::task::JoinHandle;

use crate::{Heard, PATIENCE, creating, done, open, operator, shared, until, whole_log, writing};

/// A cluster of the test's own.
fn own(options: &ClusterOptions) -> Option<Cluster> {
    cluster::own_or_skip(options).unwrap_or_else(|why| panic!("{why}"))
}

/// Writers that go on until they are told to end, and what was acknowledged to them.
struct Load {
    ends: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<BTreeMap<u64, u64>>>,
    refused: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    fn on(nodes: &[Arc<dyn Store>]) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(Mutex::new(BTreeMap::new()));
        let refused = Arc::new(AtomicU64::new(0));
        let numbers = Arc::new(AtomicU64::new(1));
        let mut tasks = Vec::new();
        for task in 0..8 {
            let store = Arc::clone(&nodes[task % nodes.len()]);
            let (ends, acknowledged) = (Arc::clone(&ends), Arc::clone(&acknowledged));
            let (refused, numbers) = (Arc::clone(&refused), Arc::clone(&numbers));
            tasks.push(tokio::spawn(async move {
                while !ends.load(Ordering::SeqCst) {
                    let number = numbers.fetch_add(1, Ordering::SeqCst);
                    match store.apply(ledger::change(number)).await {
                        Ok(Applied::Done(revision)) => {
                            acknowledged.lock().unwrap().insert(revision.0, number);
                        }
                        Err(StoreError::Unavailable(_)) => {
                            refused.fetch_add(1, Ordering::SeqCst);
                            tokio::time::sleep(Duration::from_millis(2)).await;
                        }
                        // The server is back before the engine gives up looking.
                        other => panic!("{number}: {other:?}"),
                    }
                }
            }));
        }
        Self {
            ends,
            acknowledged,
            refused,
            tasks,
        }
    }

    fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Waits for so many more to be acknowledged.
    async fn goes_on(&self, more: usize) {
        let enough = self.count() + more;
        until("writes go on", || async { self.count() >= enough }).await;
    }

    async fn end(self) -> BTreeMap<u64, u64> {
        self.ends.store(true, Ordering::SeqCst);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.acknowledged.lock().unwrap().clone()
    }
}

/// Everything that was acknowledged is there, and everything that is there was heard.
async fn nothing_is_lost(nodes: &[(Arc<dyn Store>, Heard)], acknowledged: &BTreeMap<u64, u64>) {
    let newest = ledger::verify(&nodes[0].0, acknowledged).await.unwrap();
    for (node, heard) in nodes {
        heard.up_to(node, newest).await;
        assert_eq!(heard.revisions(), (1..=newest.0).collect::<Vec<u64>>());
        // A node that could not connect a moment ago tries again in the next.
        until("it takes writes", || async { node.ping().await.is_ok() }).await;
    }
}

async fn nodes(addresses: &[&str]) -> Vec<(Arc<dyn Store>, Heard)> {
    let mut nodes = Vec::new();
    for address in addresses {
        let store = open(address).await;
        let heard = Heard::of(&store).await;
        nodes.push((store, heard));
    }
    nodes
}

fn stores(nodes: &[(Arc<dyn Store>, Heard)]) -> Vec<Arc<dyn Store>> {
    nodes.iter().map(|(store, _)| Arc::clone(store)).collect()
}

/// Blocking work of the tests, beside the runtime.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Under load, in each of the ways a server can end. Its own default would let acknowledged commits
/// be lost: the engine does not take it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_ends_and_starts_loses_nothing_acknowledged() {
    let options = ClusterOptions::default()
        .setting("synchronous_commit=off")
        .setting("wal_writer_delay=10s");
    let Some(cluster) = own(&options).map(Arc::new) else {
        return;
    };
    let address = cluster.new_address();
    let nodes = nodes(&[&address, &address]).await;
    let load = Load::on(&stores(&nodes));
    for ending in [Ending::Fast, Ending::Crash, Ending::Killed] {
        load.goes_on(200).await;
        let refused = load.refused.load(Ordering::SeqCst);
        let server = Arc::clone(&cluster);
        beside(move || server.end(ending)).await.unwrap();
        until("writes are refused", || async {
            load.refused.load(Ordering::SeqCst) > refused
        })
        .await;
        let server = Arc::clone(&cluster);
        beside(move || server.start()).await.unwrap();
        load.goes_on(200).await;
    }
    let acknowledged = load.end().await;
    nothing_is_lost(&nodes, &acknowledged).await;

    // The control: with that default, what is acknowledged is lost.
    let client = operator(&cluster, &address).await;
    client
        .batch_execute("CREATE TABLE control (n INT); CHECKPOINT; INSERT INTO control VALUES (1)")
        .await
        .unwrap();
    let server = Arc::clone(&cluster);
    beside(move || server.end(Ending::Crash).and_then(|()| server.start()))
        .await
        .unwrap();
    let client = operator(&cluster, &address).await;
    let kept = client.query("SELECT n FROM control", &[]).await;
    assert!(kept.is_err() || kept.unwrap().is_empty());
}

/// The address of both servers.
fn both(primary: &Cluster, replica: &Cluster, schema: &str) -> String {
    let (one, two) = (primary.port(), replica.port());
    format!("postgres://guestlist@127.0.0.1:{one},127.0.0.1:{two}/postgres?schema={schema}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fail_over_to_a_synchronous_replica_loses_nothing_acknowledged() {
    let Some(primary) = own(&ClusterOptions::default()).map(Arc::new) else {
        return;
    };
    let options = ClusterOptions::default().replica_of(&primary);
    let replica = Arc::new(own(&options).unwrap());
    let client = operator(&primary, "schema=public").await;
    for sql in [
        "ALTER SYSTEM SET synchronous_standby_names = '*'",
        "SELECT pg_reload_conf()",
    ] {
        client.batch_execute(sql).await.unwrap();
    }
    let address = both(&primary, &replica, "guests");
    let nodes = nodes(&[&address, &address]).await;
    let load = Load::on(&stores(&nodes));
    load.goes_on(300).await;
    let (old, new) = (Arc::clone(&primary), Arc::clone(&replica));
    beside(move || old.end(Ending::Killed).and_then(|()| new.promote()))
        .await
        .unwrap();
    load.goes_on(300).await;
    let acknowledged = load.end().await;
    nothing_is_lost(&nodes, &acknowledged).await;
}

/// The replica that is promoted lacks what was acknowledged: no node answers from what was lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fail_over_that_loses_acknowledged_changes_stops_the_nodes() {
    let Some(primary) = own(&ClusterOptions::default()).map(Arc::new) else {
        return;
    };
    let options = ClusterOptions::default().replica_of(&primary);
    let replica = Arc::new(own(&options).unwrap());
    let address = both(&primary, &replica, "guests");
    let nodes = nodes(&[&address, &address]).await;
    let kept = done(&nodes[0].0, creating("kept", "1")).await;
    let client = operator(&replica, "schema=guests").await;
    until("the replica has it", || async {
        let row = client.query_one("SELECT revision FROM guestlist_head", &[]);
        row.await.unwrap().get::<_, i64>(0) == i64::try_from(kept.0).unwrap()
    })
    .await;
    let server = Arc::clone(&replica);
    beside(move || server.end(Ending::Fast)).await.unwrap();
    let lost = done(&nodes[0].0, creating("lost", "1")).await;
    for (node, heard) in &nodes {
        heard.up_to(node, lost).await;
    }
    let (old, new) = (Arc::clone(&primary), Arc::clone(&replica));
    beside(move || {
        old.end(Ending::Killed)?;
        new.start()?;
        new.promote()
    })
    .await
    .unwrap();
    for (node, _) in &nodes {
        let stopped = tokio::time::timeout(PATIENCE, node.stopped()).await;
        assert!(stopped.is_ok(), "a node goes on");
        let answer = node.apply(writing("a", "1")).await;
        assert!(matches!(answer, Err(StoreError::Stopped)), "{answer:?}");
    }
    // Started again, a node goes on from what there is.
    let node = open(&address).await;
    assert_eq!(node.revision().await.unwrap(), kept);
    assert_eq!(done(&node, creating("new", "1")).await, lost);
}

/// A full disk, as the server tells of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_disk_that_is_full_refuses_writes_until_there_is_room() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let store = open(&address).await;
    done(&store, creating("a", "1")).await;
    let client = operator(cluster, &address).await;
    let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
                  BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$;
                CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON guestlist_head
                  FOR EACH STATEMENT EXECUTE FUNCTION full_disk()";
    client.batch_execute(full).await.unwrap();
    let outcome = store.apply(creating("b", "1")).await;
    assert!(matches!(outcome, Err(StoreError::Full(_))), "{outcome:?}");
    let ping = store.ping().await;
    assert!(matches!(ping, Err(StoreError::Full(_))), "{ping:?}");
    assert!(store.get(Kind::Invite, "a").await.unwrap().is_some());
    client
        .batch_execute("DROP TRIGGER full_disk ON guestlist_head")
        .await
        .unwrap();
    store.ping().await.unwrap();
    assert_eq!(done(&store, creating("b", "1")).await, Revision(2));
}

/// A server that takes no more connections: a node that has its own goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_without_room_for_connections_is_said_and_got_over() {
    let options = ClusterOptions::default()
        .setting("max_connections=12")
        .setting("max_wal_senders=0")
        .setting("superuser_reserved_connections=0");
    let Some(cluster) = own(&options) else { return };
    let address = cluster.new_address();
    let store = open(&address).await;
    done(&store, creating("a", "1")).await;
    let mut hogs = Vec::new();
    loop {
        match tokio_postgres::connect(&cluster.plain_address(), tokio_postgres::NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                hogs.push(client);
            }
            Err(error) => {
                let code = error.code().map(tokio_postgres::error::SqlState::code);
                assert_eq!(code, Some("53300"));
                break;
            }
        }
    }
    done(&store, creating("b", "1")).await;
    let parsed: PostgresAddress = address.parse().unwrap();
    let second = PostgresStore::open(&parsed, PostgresOptions::default()).await;
    let text = second.err().unwrap().to_string();
    assert!(text.contains("too many clients"), "{text}");
    drop(hogs);
    until("a second node can start", || async {
        PostgresStore::open(&parsed, PostgresOptions::default())
            .await
            .is_ok()
    })
    .await;
    assert_eq!(whole_log(&store).await.len(), 2);
}

/// A node that was cut off while it held the head: the server ends its transaction in time, as the
/// settings of the node's own connections ask it to.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_holder_of_the_head_that_was_cut_off_is_got_over() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let store = open(&address).await;
    let holder = operator(cluster, &address).await;
    holder
        .batch_execute(
            "SET idle_in_transaction_session_timeout = 3000;
             BEGIN; SELECT 1 FROM guestlist_head FOR UPDATE",
        )
        .await
        .unwrap();
    assert_eq!(done(&store, creating("a", "1")).await, Revision(1));
    assert!(holder.batch_execute("COMMIT").await.is_err());
}

/// Transactions that meet others are tried again, and not for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn serialization_failures_are_tried_again_within_a_bound() {
    let Some(cluster) = shared() else { return };
    for (failures, code) in [(3, "40001"), (3, "40P01"), (1_000_000, "40001")] {
        let address = cluster.new_address();
        let store = open(&address).await;
        done(&store, creating("a", "1")).await;
        let client = operator(cluster, &address).await;
        // What a sequence has given stays given when the transaction is rolled back.
        let meeting = format!(
            "CREATE SEQUENCE tries;
             CREATE FUNCTION meet() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN IF nextval('tries') <= {failures} THEN
                 RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '{code}';
               END IF; RETURN NEW; END $$;
             CREATE TRIGGER meet BEFORE INSERT ON guestlist_events
               FOR EACH ROW EXECUTE FUNCTION meet()"
        );
        client.batch_execute(&meeting).await.unwrap();
        let outcome = store.apply(creating("b", "1")).await;
        let row = client.query_one("SELECT last_value FROM tries", &[]).await;
        let tries: i64 = row.unwrap().get(0);
        if failures == 3 {
            assert!(
                matches!(outcome, Ok(Applied::Done(Revision(2)))),
                "{outcome:?}"
            );
            assert_eq!(tries, 4);
        } else {
            assert!(
                matches!(outcome, Err(StoreError::Unavailable(_))),
                "{outcome:?}"
            );
            assert!(tries > 3 && tries < 100, "{tries}");
            client
                .batch_execute("DROP TRIGGER meet ON guestlist_events")
                .await
                .unwrap();
            assert_eq!(done(&store, creating("b", "1")).await, Revision(2));
        }
    }
}

/// A table that somebody has locked: every wait has an end, and nothing is left of it afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn waits_for_a_locked_table_end() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let store = open(&address).await;
    done(&store, creating("a", "1")).await;
    let client = operator(cluster, &address).await;
    client
        .batch_execute("BEGIN; LOCK TABLE guestlist_documents IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    // More than there are connections for reads.
    let reads: Vec<_> = (0..24)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.get(Kind::Invite, "a").await })
        })
        .collect();
    let outcome = tokio::time::timeout(PATIENCE, store.apply(creating("b", "1"))).await;
    let outcome = outcome.unwrap();
    assert!(
        matches!(outcome, Err(StoreError::Unavailable(_))),
        "{outcome:?}"
    );
    for read in reads {
        let outcome = tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
        assert!(
            matches!(outcome, Err(StoreError::Unavailable(_))),
            "{outcome:?}"
        );
    }
    client.batch_execute("ROLLBACK").await.unwrap();
    assert!(store.get(Kind::Invite, "a").await.unwrap().is_some());
    assert_eq!(done(&store, creating("b", "1")).await, Revision(2));
}
