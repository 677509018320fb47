//! A fail-over to a replica in mid-flight: with synchronous replication nothing is lost, and without
//! it no node answers from a future that no longer exists.

use guestlist_store::suite::cluster::{Cluster, ClusterOptions, Ending};

use crate::http::Connection;
use crate::load::{Ledger, Load, Told, make_record, nothing_is_lost, summary};
use crate::place::{Place, SCHEMA, cluster, may_read, operate, revision, until};
use crate::proxy::{Mode, Proxy};
use crate::server::Server;

/// The address of two hosts, of which one takes writes.
fn address_of(first: u16, second: u16) -> String {
    format!("postgres://guestlist@127.0.0.1:{first},127.0.0.1:{second}/postgres?schema={SCHEMA}")
}

/// Waits until a replica streams.
fn until_streaming(primary: &Cluster, state: &str) {
    until("the replica follows", || {
        let states = operate(primary, "SELECT sync_state FROM pg_stat_replication");
        states.iter().any(|it| it == state)
    });
}

#[test]
fn a_fail_over_to_a_synchronous_replica_loses_nothing() {
    let synchronous = ClusterOptions::default().setting("synchronous_standby_names=*");
    let Some(primary) = cluster(&synchronous) else {
        return;
    };
    let replica = Cluster::make(&ClusterOptions::default().replica_of(&primary)).unwrap();
    until_streaming(&primary, "sync");
    let address = address_of(primary.port(), replica.port());
    let mut place = Place::new();
    let nodes = [place.node(&address), place.node(&address)];
    let owner = nodes[0].owner();
    let loads: Vec<Load> = ["a", "b"]
        .iter()
        .zip(&nodes)
        .map(|(name, node)| Load::at(node, &owner, name, 4))
        .collect();
    for load in &loads {
        load.writes_go_on(50);
    }
    primary.end(Ending::Killed).unwrap();
    replica.promote().unwrap();
    let mut ledger = Ledger::new();
    for load in &loads {
        load.checks_go_on(20);
        let took = load.writes_go_on(1);
        println!("writes again {took:?} after the promotion");
        load.writes_go_on(50);
    }
    for load in loads {
        ledger.extend(load.end());
    }
    let [one, two] = &nodes;
    let address = replica.address_of(SCHEMA);
    nothing_is_lost(&address, &[one, two], &owner, &ledger);
    println!("{}", summary(&ledger));
}

/// Makes records at a node, which must be acknowledged.
fn make(node: &Server, owner: &str, name: &str, number: usize) -> Ledger {
    let mut connection = Connection::open(node.address).unwrap();
    let mut ledger = Ledger::new();
    for number in 0..number {
        let id = format!("{name}-{number}");
        make_record(&mut connection, owner, &id)
            .unwrap()
            .expect(201);
        ledger.insert(id, Told::Done);
    }
    ledger
}

/// The control of the fail-over above: what an asynchronous replica did not have is lost, which the
/// nodes that have seen it notice. One finds fewer changes than it knows, the other as many and more
/// of another history.
#[test]
fn a_node_that_has_seen_a_lost_future_ends() {
    let Some(primary) = cluster(&ClusterOptions::default()) else {
        return;
    };
    let replica = Cluster::make(&ClusterOptions::default().replica_of(&primary)).unwrap();
    until_streaming(&primary, "async");
    let late = Proxy::before(primary.port());
    let address = address_of(primary.port(), replica.port());
    let mut place = Place::new();
    let early = place.node(&address);
    let owner = early.owner();
    let late_address = address_of(late.port, replica.port());
    let late_node = place.node(&late_address);
    let mut kept = make(&early, &owner, "kept", 5);
    // Everything so far reaches the replica, and nothing after it.
    let newest = operate(&primary, "SELECT pg_current_wal_lsn()").remove(0);
    let sql = format!("SELECT pg_last_wal_replay_lsn() >= '{newest}'");
    until("the replica has all", || operate(&replica, &sql) == ["t"]);
    replica.end(Ending::Fast).unwrap();
    make(&early, &owner, "lost", 5);
    let seen = revision(&early);
    until("both have seen it", || revision(&late_node) == seen);
    assert!(may_read(&late_node, &owner, "someone", "lost-0"));
    late.set(Mode::Silent);
    primary.end(Ending::Killed).unwrap();
    assert!(may_read(&early, &owner, "someone", "lost-0"));
    replica.start().unwrap();
    replica.promote().unwrap();
    let (status, log) = early.wait();
    assert!(!status.success(), "{log}");
    assert!(log.contains("it has lost acknowledged changes"), "{log}");
    // Another history grows beyond what the other node has seen.
    let early = place.again(0, &address);
    assert!(!may_read(&early, &owner, "someone", "lost-0"));
    kept.extend(make(&early, &owner, "new", 8));
    assert!(revision(&early) > seen);
    late.set(Mode::Cut);
    let (status, log) = late_node.wait();
    assert!(!status.success(), "{log}");
    assert!(log.contains("it holds another history"), "{log}");
    let late_node = place.again(1, &late_address);
    let address = replica.address_of(SCHEMA);
    nothing_is_lost(&address, &[&early, &late_node], &owner, &kept);
}
