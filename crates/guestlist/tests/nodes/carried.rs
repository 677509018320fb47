//! A revision that one node returned, carried to another: what was revoked is never allowed there
//! afterwards, and what was given is known at once.
#![expect(
    clippy::disallowed_methods,
    reason = "how long another node takes is measured, and nothing depends on it"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use guestlist_store::suite::cluster::ClusterOptions;

use crate::http::{Call, Connection, Reply};
use crate::place::{Place, SCHEMA, cluster};
use crate::server::record_of;

/// Trials in the normal run; `GUESTLIST_TRIALS` asks for more.
const TRIALS: usize = 3_000;
const CLIENTS: usize = 6;
/// The longest random delay between a revocation and the check.
const LONGEST_DELAY: u64 = 3_000_000;

fn trials() -> usize {
    let asked = std::env::var_os("GUESTLIST_TRIALS");
    asked.map_or(TRIALS, |text| text.to_str().unwrap().parse().unwrap())
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// A client of one node.
struct Client {
    connection: Connection,
    owner: String,
}

impl Client {
    fn of(address: SocketAddr, owner: &str) -> Self {
        Self {
            connection: Connection::open(address).unwrap(),
            owner: owner.to_owned(),
        }
    }

    fn call(&mut self, method: &str, target: &str, body: &str, least: Option<&str>) -> Reply {
        let header = least.map(|revision| ("Guestlist-Min-Revision", revision));
        let call = Call {
            credential: &self.owner,
            method,
            target,
            headers: header.as_slice(),
            body,
        };
        self.connection.call(call).unwrap()
    }

    /// Gives somebody something; the revision that is returned.
    fn give(&mut self, id: &str) -> String {
        let record = record_of(id, "someone", "ro_viewer", id).to_string();
        let made = self.call("POST", "/v1/records", &record, None).expect(201);
        made.header("guestlist-revision").unwrap()
    }

    /// Takes it away; the revision that is returned.
    fn revoke(&mut self, id: &str) -> String {
        let gone = self.call("DELETE", &format!("/v1/records/{id}"), "", None);
        gone.expect(204).header("guestlist-revision").unwrap()
    }

    fn check(&mut self, id: &str, least: Option<&str>) -> u16 {
        let target = format!("/v1/users/someone/resources/{id}/permissions/documents:read");
        let reply = self.call("GET", &target, "", least);
        assert!([200, 404, 503].contains(&reply.status), "{}", reply.text);
        reply.status
    }
}

#[derive(Default)]
struct Counts {
    /// Answers without the revision that were of before: the control.
    of_before: AtomicUsize,
    allowed: AtomicUsize,
    denied: AtomicUsize,
    unanswered: AtomicUsize,
}

/// Gives at one node, revokes there, and asks at the other.
fn one_trial(here: &mut Client, there: &mut Client, id: &str, delay: Duration, counts: &Counts) {
    let given = here.give(id);
    // Sometimes it is known there before it is revoked.
    let known = there.check(id, Some(&given));
    assert_eq!(known, 200, "{id}");
    let revoked = here.revoke(id);
    let began = Instant::now();
    while began.elapsed() < delay {
        std::hint::spin_loop();
    }
    if there.check(id, None) == 200 {
        counts.of_before.fetch_add(1, Ordering::SeqCst);
    }
    let count = match there.check(id, Some(&revoked)) {
        200 => &counts.allowed,
        404 => &counts.denied,
        _ => &counts.unanswered,
    };
    count.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn what_was_revoked_is_never_allowed_where_the_revision_is_carried_to() {
    let Some(cluster) = cluster(&ClusterOptions::default().without_fsync()) else {
        return;
    };
    let address = cluster.address_of(SCHEMA);
    let mut place = Place::new();
    let nodes = [place.node(&address), place.node(&address)];
    let owner = nodes[0].owner();
    let counts = Arc::new(Counts::default());
    let each = trials().div_ceil(CLIENTS);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (one, two) = (&nodes[number % 2], &nodes[(number + 1) % 2]);
            let mut here = Client::of(one.address, &owner);
            let mut there = Client::of(two.address, &owner);
            let counts = Arc::clone(&counts);
            thread::spawn(move || {
                let mut dice = Dice(u64::try_from(number).unwrap());
                for trial in 0..each {
                    let id = format!("trial-{number}-{trial}");
                    // Half of them at once.
                    let longest = dice.below(2) * LONGEST_DELAY;
                    let delay = Duration::from_nanos(dice.below(longest + 1));
                    one_trial(&mut here, &mut there, &id, delay, &counts);
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    let of = |count: &AtomicUsize| count.load(Ordering::SeqCst);
    println!(
        "{} denied, {} unanswered, {} allowed; {} of before without the revision",
        of(&counts.denied),
        of(&counts.unanswered),
        of(&counts.allowed),
        of(&counts.of_before),
    );
    assert_eq!(of(&counts.allowed), 0);
    assert_eq!(of(&counts.denied) + of(&counts.unanswered), each * CLIENTS);
    assert!(of(&counts.denied) > each * CLIENTS / 2, "mostly unanswered");
    assert!(of(&counts.of_before) > 0, "the nodes were never apart");
}

#[test]
fn what_was_given_is_known_where_the_revision_is_carried_to() {
    let Some(cluster) = cluster(&ClusterOptions::default()) else {
        return;
    };
    let address = cluster.address_of(SCHEMA);
    let mut place = Place::new();
    let nodes = [place.node(&address), place.node(&address)];
    let owner = nodes[0].owner();
    let mut here = Client::of(nodes[0].address, &owner);
    let mut there = Client::of(nodes[1].address, &owner);
    let (mut waited, mut usual) = (Vec::new(), Vec::new());
    for number in 0..300 {
        let id = format!("given-{number}");
        let given = here.give(&id);
        let began = Instant::now();
        assert_eq!(there.check(&id, Some(&given)), 200, "{id}");
        waited.push(began.elapsed());
        let began = Instant::now();
        assert_eq!(there.check(&id, Some(&given)), 200, "{id}");
        usual.push(began.elapsed());
    }
    for (what, mut times) in [("with the lag", waited), ("without it", usual)] {
        times.sort_unstable();
        let (middle, late) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        println!("a check at the other node, {what}: p50 {middle:?}, p99 {late:?}");
    }
}
