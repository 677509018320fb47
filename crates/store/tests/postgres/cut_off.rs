//! A node whose connection is cut in the middle of something: the outcome is found out, not guessed.

use std::sync::Arc;
use std::time::Duration;

use guestlist_rules::changes::{Kind, Revision};
use guestlist_store::suite::cluster::Cluster;
use guestlist_store::{Applied, PostgresOptions, Store, StoreError};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::proxy::{Mode, Proxy};
use crate::{Heard, creating, done, open, open_with, operator, shared, until, whole_log, writing};

/// A node behind a network that can be cut, one beside it, and an operator.
struct Scene {
    proxy: Proxy,
    far: Arc<dyn Store>,
    near: Arc<dyn Store>,
    heard: Heard,
    operator: Client,
}

async fn scene(cluster: &Cluster, options: PostgresOptions) -> Scene {
    let near_address = cluster.new_address();
    let near = open(&near_address).await;
    let proxy = Proxy::before(cluster.port()).await;
    let schema = near_address.split("schema=").nth(1).unwrap();
    let far = open_with(&cluster.tcp_address_of(schema, proxy.port), options).await;
    let heard = Heard::of(&far).await;
    done(&far, creating("before", "1")).await;
    Scene {
        operator: operator(cluster, &near_address).await,
        proxy,
        far,
        near,
        heard,
    }
}

impl Scene {
    fn applying(&self, id: &str) -> JoinHandle<Result<Applied, StoreError>> {
        let (store, change) = (Arc::clone(&self.far), creating(id, "1"));
        tokio::spawn(async move { store.apply(change).await })
    }

    async fn revision(&self) -> i64 {
        let row = self
            .operator
            .query_one("SELECT revision FROM guestlist_head", &[])
            .await;
        row.unwrap().get(0)
    }

    /// Everything that was written was heard once, in order, and is in the log.
    async fn is_whole(&self, newest: u64) {
        self.heard.up_to(&self.far, Revision(newest)).await;
        let all: Vec<u64> = (1..=newest).collect();
        assert_eq!(self.heard.revisions(), all);
        let log = whole_log(&self.near).await;
        let log: Vec<u64> = log.iter().map(|line| line.revision.0).collect();
        assert_eq!(log, all);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_whose_answer_is_lost_is_found() {
    let Some(cluster) = shared() else { return };
    let scene = scene(cluster, PostgresOptions::default()).await;
    scene.proxy.set(Mode::NoAnswers);
    let applying = scene.applying("a");
    until("it is committed", || async { scene.revision().await == 2 }).await;
    scene.proxy.set(Mode::Cut);
    scene.proxy.set(Mode::Pass);
    let applied = applying.await.unwrap().unwrap();
    assert_eq!(applied, Applied::Done(Revision(2)));
    scene.is_whole(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_write_that_never_arrived_is_written_once() {
    let Some(cluster) = shared() else { return };
    let scene = scene(cluster, PostgresOptions::default()).await;
    scene.proxy.set(Mode::Silent);
    let applying = scene.applying("a");
    until("it is on its way", || async {
        scene.proxy.withheld() > 500
    })
    .await;
    assert_eq!(scene.revision().await, 1);
    scene.proxy.set(Mode::Cut);
    scene.proxy.set(Mode::Pass);
    let applied = applying.await.unwrap().unwrap();
    assert_eq!(applied, Applied::Done(Revision(2)));
    scene.is_whole(2).await;
}

/// The network delivers it when it has long been written again: it finds another writer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_transaction_that_arrives_late_writes_nothing() {
    let Some(cluster) = shared() else { return };
    let scene = scene(cluster, PostgresOptions::default()).await;
    scene.proxy.hold_the_next();
    let applied = scene.applying("a").await.unwrap().unwrap();
    assert_eq!(applied, Applied::Done(Revision(2)));
    assert_eq!(scene.proxy.held(), 1);
    let said = scene.proxy.release().await;
    assert!(
        said.windows(8).any(|part| part == b"UPDATE 0"),
        "the late transaction was not tried: {}",
        String::from_utf8_lossy(&said)
    );
    done(&scene.far, creating("b", "1")).await;
    scene.is_whole(3).await;
}

/// The database stays unreachable: that is said, and later writes go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_outcome_that_cannot_be_found_out_is_unknown_and_later_writes_go_on() {
    let Some(cluster) = shared() else { return };
    let options = PostgresOptions::default().finding_out(Duration::from_millis(300));
    let scene = scene(cluster, options).await;
    scene.proxy.set(Mode::NoAnswers);
    let applying = scene.applying("a");
    until("it is committed", || async { scene.revision().await == 2 }).await;
    scene.proxy.set(Mode::Cut);
    let waiting = scene.applying("b");
    let outcome = applying.await.unwrap();
    assert!(
        matches!(outcome, Err(StoreError::Unknown(_))),
        "{outcome:?}"
    );
    let outcome = waiting.await.unwrap();
    assert!(
        matches!(outcome, Err(StoreError::Unavailable(_))),
        "{outcome:?}"
    );
    assert!(matches!(
        scene.far.ping().await,
        Err(StoreError::Unavailable(_))
    ));
    scene.proxy.set(Mode::Pass);
    until("writes go on", || async {
        scene.far.apply(writing("c", "1")).await.is_ok()
    })
    .await;
    let seen = scene.far.get(Kind::Invite, "a").await.unwrap();
    assert!(seen.is_some());
    assert!(scene.far.get(Kind::Invite, "b").await.unwrap().is_none());
    scene.far.ping().await.unwrap();
    scene.is_whole(3).await;
}

/// One node is cut off; the other goes on, and the first knows that it is not fresh.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_is_cut_off_does_not_hold_up_the_others() {
    let Some(cluster) = shared() else { return };
    let scene = scene(cluster, PostgresOptions::default()).await;
    scene.proxy.set(Mode::Silent);
    let applying = scene.applying("cut-off");
    let stale = scene.far.freshness().unwrap();
    for number in 0..50 {
        done(&scene.near, creating(&number.to_string(), "1")).await;
    }
    let fresh = scene.far.freshness().unwrap();
    assert_eq!(fresh.revision, stale.revision);
    let newest = Revision(51);
    let waited = scene
        .far
        .caught_up_to(newest, Duration::from_millis(50))
        .await;
    assert!(!waited.unwrap());
    scene.proxy.set(Mode::Cut);
    scene.proxy.set(Mode::Pass);
    let applied = applying.await.unwrap().unwrap();
    assert_eq!(applied, Applied::Done(Revision(52)));
    until("the node is fresh again", || async {
        scene.far.freshness().unwrap().confirmed > fresh.confirmed
    })
    .await;
    scene.is_whole(52).await;
}

/// All connections of all nodes end again and again while they write.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_that_an_operator_ends_lose_nothing() {
    let Some(cluster) = shared() else { return };
    let scene = scene(cluster, PostgresOptions::default()).await;
    let mut tasks = Vec::new();
    for task in 0..6 {
        let node = if task % 2 == 0 {
            &scene.far
        } else {
            &scene.near
        };
        let node = Arc::clone(node);
        tasks.push(tokio::spawn(async move {
            let mut written = Vec::new();
            for number in 0..60 {
                let id = format!("{task}-{number}");
                match node.apply(creating(&id, "1")).await {
                    Ok(Applied::Done(revision)) => written.push((id, revision)),
                    // Refused before it was tried: a new connection was ended as well.
                    Err(StoreError::Unavailable(_)) => {}
                    other => panic!("{id}: {other:?}"),
                }
            }
            written
        }));
    }
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE application_name = 'guestlist' AND pid IN
           (SELECT pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
            WHERE c.relnamespace = current_schema()::regnamespace)";
    let mut ended = 0;
    while !tasks.iter().all(JoinHandle::is_finished) {
        let row = scene.operator.query_one(end, &[]).await.unwrap();
        ended += row.get::<_, i64>(0);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let mut written = Vec::new();
    for task in tasks {
        written.extend(task.await.unwrap());
    }
    assert!(ended > 10, "only {ended} connections were ended");
    let log = whole_log(&scene.near).await;
    assert_eq!(log.len(), written.len() + 1);
    for (id, revision) in written {
        let line = &log[usize::try_from(revision.0).unwrap() - 1];
        assert_eq!(line.touched, [(Kind::Invite, id)]);
    }
    scene.is_whole(u64::try_from(log.len()).unwrap()).await;
}
