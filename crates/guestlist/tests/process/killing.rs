//! `kill -9` of the server under load: what was acknowledged over HTTP is there, and no change is
//! there by half.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::{self, Sender};
use std::thread;

use serde_json::Value;

use crate::http::{Call, Connection, Reply};
use crate::server::{Server, invite_of, record_of, text_of};

/// Kills in the normal run; `GUESTLIST_KILLS` asks for more.
const KILLS: u64 = 15;
const CLIENTS: u64 = 4;

fn kills() -> u64 {
    let asked = std::env::var_os("GUESTLIST_KILLS");
    asked.map_or(KILLS, |text| text.to_str().unwrap().parse().unwrap())
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

/// What a client was told of its things: asked for only, or acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Asked,
    Done,
}

/// An invite, and whether it was accepted, as far as its client knows.
#[derive(Debug)]
struct Invite {
    id: String,
    resource: String,
    accepted: Option<Told>,
}

/// What one client was told.
#[derive(Debug, Default)]
struct Ledger {
    invites: Vec<Invite>,
    /// Records by their ids, and whether they were deleted.
    records: BTreeMap<String, Option<Told>>,
}

/// Makes and accepts invites, and makes and deletes records, until the server is gone.
fn live(address: SocketAddr, owner: &str, user: &str, name: &str, told: &Sender<()>) -> Ledger {
    let mut ledger = Ledger::default();
    let Ok(mut connection) = Connection::open(address) else {
        return ledger;
    };
    let mut call = |credential: &str, method: &str, target: &str, body: &Value| -> Option<Reply> {
        let body = text_of(body);
        let call = Call {
            credential,
            method,
            target,
            body: &body,
            ..Call::default()
        };
        let reply = connection.call(call).ok()?;
        let _listening = told.send(());
        Some(reply)
    };
    for number in 0.. {
        let id = format!("{name}-{number}");
        let Some(made) = call(owner, "POST", "/v1/invites", &invite_of("ro_editor", &id)) else {
            break;
        };
        let invite = made.expect(201).member("inviteId");
        let target = format!("/v1/invites/{invite}");
        ledger.invites.push(Invite {
            id: invite,
            resource: id.clone(),
            accepted: Some(Told::Asked),
        });
        let Some(accepted) = call(user, "PATCH", &target, &Value::Null) else {
            break;
        };
        accepted.expect(200);
        ledger.invites.last_mut().unwrap().accepted = Some(Told::Done);
        let record = record_of(&id, "someone", "ro_viewer", &id);
        let Some(made) = call(owner, "POST", "/v1/records", &record) else {
            break;
        };
        made.expect(201);
        ledger.records.insert(id.clone(), None);
        if number % 3 == 0 {
            ledger.records.insert(id.clone(), Some(Told::Asked));
            let Some(deleted) = call(owner, "DELETE", &format!("/v1/records/{id}"), &Value::Null)
            else {
                break;
            };
            deleted.expect(204);
            ledger.records.insert(id, Some(Told::Done));
        }
    }
    ledger
}

/// Compares what a client was told with what the server has; gives every difference.
fn compare(server: &Server, owner: &str, user: &str, ledger: &Ledger) -> Vec<String> {
    let mut connection = Connection::open(server.address).unwrap();
    let mut faults = Vec::new();
    let mut get = |credential: &str, target: &str| {
        let call = Call {
            credential,
            method: "GET",
            target,
            ..Call::default()
        };
        connection.call(call).unwrap()
    };
    for invite in &ledger.invites {
        let seen = get(owner, &format!("/v1/invites/{}", invite.id));
        let is_accepted = seen.json()["errorCode"] == "InviteAlreadyAccepted";
        let resource = &invite.resource;
        let target = format!("/v1/users/{user}/resources/{resource}/permissions/documents:write");
        let granted = get(owner, &target).status == 200;
        let whole = match (seen.status, is_accepted) {
            (200, false) => !granted && invite.accepted != Some(Told::Done),
            (404, true) => granted && invite.accepted.is_some(),
            _ => false,
        };
        if !whole {
            faults.push(format!(
                "{invite:?}: {} {is_accepted} {granted}",
                seen.status
            ));
        }
    }
    for (id, deleted) in &ledger.records {
        let seen = get(owner, &format!("/v1/records/{id}"));
        let status = seen.json()["status"].as_str().map(str::to_owned);
        let kept = match deleted {
            None => status.as_deref() == Some("ACTIVE"),
            Some(Told::Asked) => seen.status == 200 || seen.status == 404,
            Some(Told::Done) => status.as_deref() != Some("ACTIVE"),
        };
        if !kept {
            faults.push(format!(
                "record {id}: {deleted:?}, but {} {}",
                seen.status, seen.text
            ));
        }
    }
    faults
}

#[test]
fn r01_kill_9_under_load_loses_nothing_and_halves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let mut dice = Dice(0x5eed);
    let (mut acknowledged, mut ledgers) = (0, Vec::new());
    let mut server = Server::new(data, &["--dev", "--public-url", "http://guestlist.test"]);
    let owner = server.owner();
    let users: Vec<String> = (0..CLIENTS)
        .map(|client| server.token(&format!("user{client}")))
        .collect();
    for kill in 0..kills() {
        let address = server.address;
        let (told, heard) = mpsc::channel();
        let clients: Vec<_> = (0..CLIENTS)
            .zip(&users)
            .map(|(client, user)| {
                let (owner, user, told) = (owner.clone(), user.clone(), told.clone());
                let name = format!("k{kill}-c{client}");
                thread::spawn(move || live(address, &owner, &user, &name, &told))
            })
            .collect();
        let lived = 1 + dice.below(60);
        for _ in 0..lived {
            heard.recv().unwrap();
        }
        for _ in 0..dice.below(200_000) {
            std::hint::spin_loop();
        }
        server.kill();
        drop(told);
        acknowledged += lived + u64::try_from(heard.iter().count()).unwrap();
        let told: Vec<Ledger> = clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect();
        server = Server::new(data, &["--dev", "--public-url", "http://guestlist.test"]);
        for (client, ledger) in told.into_iter().enumerate() {
            let user = format!("user{client}");
            assert_eq!(
                compare(&server, &owner, &user, &ledger),
                Vec::<String>::new()
            );
            ledgers.push((user, ledger));
        }
    }
    // What came after did not harm what was before.
    for (user, ledger) in &ledgers {
        assert_eq!(compare(&server, &owner, user, ledger), Vec::<String>::new());
    }
    println!("{} kills, {acknowledged} answers, none lost", kills());
    the_control(&server, &owner, ledgers);
}

/// The control: each lie in a ledger is found.
fn the_control(server: &Server, owner: &str, ledgers: Vec<(String, Ledger)>) {
    let mut ledgers = ledgers.into_iter();
    let Some((user, mut ledger)) = ledgers.find(|(_, ledger)| !ledger.invites.is_empty()) else {
        panic!("no invite was made");
    };
    ledger.invites.truncate(1);
    ledger.records.clear();
    let unused = server.send(
        owner,
        "POST",
        "/v1/invites",
        &invite_of("ro_editor", "never"),
    );
    ledger.invites.push(Invite {
        id: unused.expect(201).member("inviteId"),
        resource: "never".to_owned(),
        accepted: Some(Told::Done),
    });
    let lost = format!("inv_{}", "0".repeat(63));
    ledger.invites.push(Invite {
        id: lost,
        resource: "lost".to_owned(),
        accepted: None,
    });
    ledger.records.insert("lost".to_owned(), None);
    ledger
        .records
        .insert("rec_owner".to_owned(), Some(Told::Done));
    assert_eq!(compare(server, owner, &user, &ledger).len(), 4);
}
