//! A database whose history is no longer the one that was followed: the engine ends, rather than
//! answer from a future that no longer exists.

use std::sync::Arc;

use guestlist_rules::changes::Revision;
use guestlist_store::{Applied, Store, StoreError};

use crate::{Heard, PATIENCE, done, open, operator, shared, writing};

/// Writes three changes, lets an operator do something, and gives two stores that followed before.
async fn after(sql: &str) -> Option<[Arc<dyn Store>; 2]> {
    let cluster = shared()?;
    let address = cluster.new_address();
    let stores = [open(&address).await, open(&address).await];
    let heard = Heard::of(&stores[1]).await;
    for id in ["a", "b", "c"] {
        done(&stores[0], writing(id, "1")).await;
    }
    heard.up_to(&stores[1], Revision(3)).await;
    let client = operator(cluster, &address).await;
    client.batch_execute(sql).await.unwrap();
    Some(stores)
}

/// Each of the stores has stopped, and takes no write.
async fn both_stop(stores: [Arc<dyn Store>; 2]) {
    for store in stores {
        let stopped = tokio::time::timeout(PATIENCE, store.stopped()).await;
        assert!(stopped.is_ok(), "the store goes on");
        let answer = store.apply(writing("d", "1")).await;
        assert!(matches!(answer, Err(StoreError::Stopped)), "{answer:?}");
    }
}

/// The control: an operator who changes nothing of the history stops no one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_history_that_stays_stops_no_one() {
    let sql = "UPDATE guestlist_head SET writer = '\\x00112233445566778899aabbccddeeff'";
    let Some(stores) = after(sql).await else {
        return;
    };
    for store in &stores {
        for _ in 0..3 {
            let applied = store.apply(writing("d", "1")).await.unwrap();
            assert!(matches!(applied, Applied::Done(_)), "{applied:?}");
        }
    }
    assert_eq!(stores[0].revision().await.unwrap(), Revision(9));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_went_back_stops_the_nodes() {
    let sql = "UPDATE guestlist_head SET revision = 2,
                 hash = (SELECT hash FROM guestlist_events WHERE revision = 2);
               DELETE FROM guestlist_events WHERE revision > 2;
               DELETE FROM guestlist_recent_changes WHERE revision > 2";
    let Some(stores) = after(sql).await else {
        return;
    };
    both_stop(stores).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_history_of_the_same_length_stops_the_nodes() {
    let sql =
        "UPDATE guestlist_head SET hash = (SELECT hash FROM guestlist_events WHERE revision = 1)";
    let Some(stores) = after(sql).await else {
        return;
    };
    both_stop(stores).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_line_that_does_not_follow_stops_the_nodes() {
    let sql = "INSERT INTO guestlist_events
                 SELECT 4, event, touched, hash FROM guestlist_events WHERE revision = 3;
               INSERT INTO guestlist_recent_changes
                 SELECT 4, writer, payload FROM guestlist_recent_changes WHERE revision = 3;
               UPDATE guestlist_head SET revision = 4";
    let Some(stores) = after(sql).await else {
        return;
    };
    both_stop(stores).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_for_which_nothing_is_kept_any_more_stops() {
    let sql = "UPDATE guestlist_head SET revision = 5;
               INSERT INTO guestlist_recent_changes
                 SELECT 5, writer, payload FROM guestlist_recent_changes WHERE revision = 3;
               INSERT INTO guestlist_events
                 SELECT 5, event, touched, hash FROM guestlist_events WHERE revision = 3";
    let Some(stores) = after(sql).await else {
        return;
    };
    both_stop(stores).await;
}
