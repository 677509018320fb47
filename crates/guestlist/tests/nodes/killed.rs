//! A node that is killed under load: nothing it acknowledged is lost, and the others go on.

use guestlist_store::suite::cluster::ClusterOptions;

use crate::load::{Ledger, Load, nothing_is_lost, summary};
use crate::place::{Place, SCHEMA, cluster};

const KILLS: usize = 4;

#[test]
fn a_node_killed_under_load_loses_nothing_and_the_others_go_on() {
    let Some(cluster) = cluster(&ClusterOptions::default()) else {
        return;
    };
    let address = cluster.address_of(SCHEMA);
    let mut place = Place::new();
    let mut killed = place.node(&address);
    let others = [place.node(&address), place.node(&address)];
    let owner = killed.owner();
    let loads: Vec<Load> = others
        .iter()
        .enumerate()
        .map(|(number, node)| Load::at(node, &owner, &format!("other{number}"), 2))
        .collect();
    let mut ledger = Ledger::new();
    for kill in 0..KILLS {
        let load = Load::at(&killed, &owner, &format!("killed{kill}"), 4);
        load.writes_go_on(50);
        killed.kill();
        for load in &loads {
            load.writes_go_on(20);
            load.checks_go_on(20);
        }
        ledger.extend(load.end());
        killed = place.again(0, &address);
    }
    for load in loads {
        ledger.extend(load.end());
    }
    let [one, two] = &others;
    nothing_is_lost(&address, &[&killed, one, two], &owner, &ledger);
    println!("{KILLS} kills: {}", summary(&ledger));
}
