//! A database that answers nothing for a while: all connections of a node wait, everything that needs
//! one ends within its time, and the rest goes on.

use std::sync::mpsc;
use std::thread;

use guestlist_store::suite::cluster::{Cluster, ClusterOptions};

use crate::http::{Call, Connection};
use crate::load::{Load, nothing_is_lost, summary};
use crate::place::{BOUND, Place, SCHEMA, block_on, cluster, readiness, until};

/// More than a node has connections.
const READERS: usize = 40;

/// Locks every document until it is dropped.
struct Lock {
    release: Option<tokio::sync::oneshot::Sender<()>>,
    holder: Option<thread::JoinHandle<()>>,
}

impl Lock {
    fn on(cluster: &Cluster) -> Self {
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        let (tell, told) = mpsc::channel();
        let address = cluster.plain_address();
        let holder = thread::spawn(move || {
            block_on(async {
                let tls = tokio_postgres::NoTls;
                let (client, connection) = tokio_postgres::connect(&address, tls).await.unwrap();
                tokio::spawn(connection);
                let lock = format!(
                    "BEGIN; LOCK TABLE {SCHEMA}.guestlist_documents IN ACCESS EXCLUSIVE MODE"
                );
                client.batch_execute(&lock).await.unwrap();
                tell.send(()).unwrap();
                let _dropped = released.await;
                client.batch_execute("ROLLBACK").await.unwrap();
            });
        });
        told.recv_timeout(BOUND).unwrap();
        Self {
            release: Some(release),
            holder: Some(holder),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        drop(self.release.take());
        let _ended = self.holder.take().map(thread::JoinHandle::join);
    }
}

#[test]
fn a_database_that_answers_nothing_is_waited_for_within_a_bound() {
    let Some(cluster) = cluster(&ClusterOptions::default()) else {
        return;
    };
    let address = cluster.address_of(SCHEMA);
    let mut place = Place::new();
    let node = place.node(&address);
    let owner = node.owner();
    let load = Load::at(&node, &owner, "a", 4);
    load.writes_go_on(50);
    let lock = Lock::on(&cluster);
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let (owner, address) = (owner.clone(), node.address);
            thread::spawn(move || {
                let call = Call {
                    credential: &owner,
                    method: "GET",
                    target: "/v1/records/a-0-0",
                    ..Call::default()
                };
                Connection::open(address).unwrap().call(call).unwrap()
            })
        })
        .collect();
    load.checks_go_on(200);
    for reader in readers {
        let refused = reader.join().unwrap().expect(503);
        assert_eq!(refused.json()["errorCode"], "StorageUnavailable");
    }
    load.writes_are_refused(4);
    load.checks_go_on(50);
    drop(lock);
    load.writes_go_on(50);
    until("the node is ready", || readiness(&node).status == 200);
    let ledger = load.end();
    nothing_is_lost(&address, &[&node], &owner, &ledger);
    println!("{}", summary(&ledger));
}
