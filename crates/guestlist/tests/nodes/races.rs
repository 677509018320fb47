//! Two nodes race 64 accepts each for the same invite: one person gains, and is told so by one node.

use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier};
use std::thread;

use guestlist_store::suite::cluster::ClusterOptions;

use crate::http::{Call, Connection};
use crate::place::{BOUND, Place, SCHEMA, cluster, may_read, revision, until, whole_log};
use crate::server::{Server, invite_of};

/// Rounds in the normal run; `GUESTLIST_ROUNDS` asks for more.
const ROUNDS: usize = 60;
/// People at each node.
const RACERS: usize = 64;

fn rounds() -> usize {
    let asked = std::env::var_os("GUESTLIST_ROUNDS");
    asked.map_or(ROUNDS, |text| text.to_str().unwrap().parse().unwrap())
}

/// A person at a node, who accepts one invite after the other, each when all begin.
struct Racer {
    address: SocketAddr,
    user: String,
    token: String,
    invites: Receiver<String>,
    start: Arc<Barrier>,
    told: Sender<(String, String)>,
}

impl Racer {
    fn run(self) {
        let mut connection = Connection::open(self.address);
        for invite in self.invites {
            self.start.wait();
            let target = format!("/v1/invites/{invite}");
            let call = Call {
                credential: &self.token,
                method: "PATCH",
                target: &target,
                ..Call::default()
            };
            let reply = match &mut connection {
                Ok(connection) => connection.call(call).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            let outcome = match reply {
                Ok(reply) if reply.status == 200 => "accepted".to_owned(),
                Ok(reply) => reply.json()["errorCode"].to_string(),
                Err(error) => error,
            };
            if self.told.send((self.user.clone(), outcome)).is_err() {
                return;
            }
        }
    }
}

/// Who won, of all who race for an invite.
fn winner(told: &Receiver<(String, String)>, round: usize) -> String {
    let mut winners = Vec::new();
    for _ in 0..2 * RACERS {
        let (user, outcome) = told.recv_timeout(BOUND).unwrap();
        match outcome.trim_matches('"') {
            "accepted" => winners.push(user),
            // Whoever had no turn for long is told that nothing was done.
            "InviteAlreadyAccepted" | "Busy" => {}
            other => panic!("round {round}: {user}: {other}"),
        }
    }
    assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
    winners.remove(0)
}

/// Lets two nodes race; who won each round.
fn race(nodes: &[Server; 2], owner: &str) -> Vec<String> {
    let start = Arc::new(Barrier::new(2 * RACERS));
    let (tell, told) = mpsc::channel();
    let mut invites = Vec::new();
    for (number, node) in nodes.iter().enumerate() {
        for racer in 0..RACERS {
            let user = format!("racer{number}-{racer}");
            let (invite, next) = mpsc::channel();
            invites.push(invite);
            let racer = Racer {
                address: node.address,
                token: node.token(&user),
                user,
                invites: next,
                start: Arc::clone(&start),
                told: tell.clone(),
            };
            thread::spawn(move || racer.run());
        }
    }
    let round = |round: usize| {
        let invite = invite_of("ro_viewer", &format!("race-{round}"));
        let made = nodes[round % 2].send(owner, "POST", "/v1/invites", &invite);
        let id = made.expect(201).member("inviteId");
        for racer in &invites {
            racer.send(id.clone()).unwrap();
        }
        winner(&told, round)
    };
    (0..rounds()).map(round).collect()
}

#[test]
fn of_64_at_each_of_two_nodes_one_gains() {
    let Some(cluster) = cluster(&ClusterOptions::default().without_fsync()) else {
        return;
    };
    let address = cluster.address_of(SCHEMA);
    let mut place = Place::new();
    let nodes = [place.node(&address), place.node(&address)];
    let owner = nodes[0].owner();
    let winners = race(&nodes, &owner);
    let log = whole_log(&address);
    let accepted = log.iter().filter(|it| it.event.kind == "invite.accepted");
    assert_eq!(accepted.count(), winners.len(), "each is accepted once");
    let newest = log.last().unwrap().revision.0;
    for node in &nodes {
        until("a node has followed the log", || revision(node) >= newest);
        for (round, winner) in winners.iter().enumerate() {
            let resource = format!("race-{round}");
            assert!(may_read(node, &owner, winner, &resource));
            let loser = &winners[(round + 1) % winners.len()];
            let both = winner == loser;
            assert_eq!(may_read(node, &owner, loser, &resource), both);
        }
    }
    let at_second = winners.iter().filter(|it| it.starts_with("racer1"));
    let at_second = at_second.count();
    assert!(
        0 < at_second && at_second < winners.len(),
        "one node always won"
    );
    println!(
        "{} rounds, {at_second} won at the second node",
        winners.len()
    );
}
