//! A network that is cut between one node and the database, silently, while the others go on.

use guestlist_store::suite::cluster::ClusterOptions;

use crate::http::Connection;
use crate::load::{Ledger, Load, Told, make_record, nothing_is_lost, summary, told};
use crate::place::{CUT_OFF, Place, SCHEMA, cluster, may_read, readiness, until, why_not_ready};
use crate::proxy::{Mode, Proxy};

#[test]
fn a_node_cut_off_says_so_and_writes_nothing_twice() {
    let Some(cluster) = cluster(&ClusterOptions::default()) else {
        return;
    };
    let direct = cluster.address_of(SCHEMA);
    let proxy = Proxy::before(cluster.port());
    let mut place = Place::new();
    let other = place.node(&direct);
    let node = place.node(&cluster.tcp_address_of(SCHEMA, proxy.port));
    let owner = other.owner();
    let mut ledger = Ledger::new();
    for (round, mode) in [Mode::Silent, Mode::Cut].into_iter().enumerate() {
        let beside = Load::at(&other, &owner, &format!("beside{round}"), 2);
        let load = Load::at(&node, &owner, &format!("cut{round}"), 4);
        load.writes_go_on(50);
        proxy.set(mode);
        beside.writes_go_on(50);
        // It answers from what it knew, and does not know what the others write.
        load.checks_go_on(50);
        load.writes_are_refused(8);
        assert!(CUT_OFF.contains(&why_not_ready(&node).as_str()));
        let id = format!("unseen{round}");
        let mut connection = Connection::open(other.address).unwrap();
        make_record(&mut connection, &owner, &id)
            .unwrap()
            .expect(201);
        assert!(may_read(&other, &owner, "someone", &id));
        assert!(!may_read(&node, &owner, "someone", &id));
        // Somebody insists, all through the cut.
        let insisted = format!("insisted{round}");
        let mut connection = Connection::open(node.address).unwrap();
        let reply = make_record(&mut connection, &owner, &insisted).unwrap();
        assert_ne!(told(&reply), Told::Done);
        until("the node says that it may be behind", || {
            why_not_ready(&node) == "NotUpToDate"
        });
        proxy.set(Mode::Pass);
        until("the node writes again", || {
            let reply = make_record(&mut connection, &owner, &insisted).unwrap();
            reply.status == 409 || told(&reply) == Told::Done
        });
        ledger.insert(insisted, Told::Done);
        ledger.insert(id, Told::Done);
        load.writes_go_on(50);
        until("the node is ready", || readiness(&node).status == 200);
        ledger.extend(load.end());
        ledger.extend(beside.end());
    }
    nothing_is_lost(&direct, &[&node, &other], &owner, &ledger);
    println!("{}", summary(&ledger));
}
