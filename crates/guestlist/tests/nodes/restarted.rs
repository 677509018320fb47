//! A database that ends and starts again under load: writes are refused in words, checks go on, and
//! the nodes recover by themselves.

use guestlist_store::suite::cluster::{ClusterOptions, Ending};

use crate::load::{Ledger, Load, nothing_is_lost, summary};
use crate::place::{CUT_OFF, Place, SCHEMA, cluster, readiness, until, why_not_ready};

#[test]
fn a_database_that_ends_and_starts_under_load_loses_nothing() {
    let Some(cluster) = cluster(&ClusterOptions::default()) else {
        return;
    };
    let address = cluster.address_of(SCHEMA);
    let mut place = Place::new();
    let nodes = [place.node(&address), place.node(&address)];
    let owner = nodes[0].owner();
    let mut ledger = Ledger::new();
    for (number, ending) in [Ending::Fast, Ending::Crash, Ending::Killed]
        .into_iter()
        .enumerate()
    {
        let loads: Vec<Load> = ["a", "b"]
            .iter()
            .zip(&nodes)
            .map(|(name, node)| Load::at(node, &owner, &format!("{name}{number}"), 4))
            .collect();
        for load in &loads {
            load.writes_go_on(50);
        }
        cluster.end(ending).unwrap();
        for (load, node) in loads.iter().zip(&nodes) {
            load.writes_are_refused(20);
            load.checks_go_on(50);
            assert!(CUT_OFF.contains(&why_not_ready(node).as_str()));
        }
        cluster.start().unwrap();
        for (load, node) in loads.iter().zip(&nodes) {
            let took = load.writes_go_on(1);
            println!("{ending:?}: writes again {took:?} after the start");
            load.writes_go_on(50);
            until("the node is ready", || readiness(node).status == 200);
            let known = readiness(node).expect(200).json()["confirmedSecondsAgo"].as_f64();
            assert!(known.is_some_and(|seconds| seconds < 10.0), "{known:?}");
        }
        for load in loads {
            ledger.extend(load.end());
        }
    }
    let [one, two] = &nodes;
    nothing_is_lost(&address, &[one, two], &owner, &ledger);
    println!("{}", summary(&ledger));
}
