//! A database without room: for connections, and on its disk.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use guestlist_store::suite::cluster::{Cluster, ClusterOptions, Ending};
use serde_json::json;

use crate::http::{Connection, Reply};
use crate::load::{Load, Told, faults, make_record, nothing_is_lost, summary, told};
use crate::place::{
    CUT_OFF, Place, SCHEMA, cluster, operate, readiness, until, whole_log, why_not_ready,
};
use crate::proxy::{Mode, Proxy};
use crate::server::Server;

/// A connection to the database that does nothing; `None` when there is no room for it.
fn idle(port: u16) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let parameters = b"\0\x03\0\0user\0guestlist\0database\0postgres\0\0";
    let length = u32::try_from(parameters.len() + 4).unwrap();
    stream.write_all(&length.to_be_bytes()).ok()?;
    stream.write_all(parameters).ok()?;
    let mut kind = [0];
    stream.read_exact(&mut kind).ok()?;
    // `R`: authenticated; `E`: an error.
    (kind == *b"R").then_some(stream)
}

#[test]
fn a_database_without_room_for_connections_is_said_and_got_over() {
    let few = ClusterOptions::default().setting("max_connections=15");
    let Some(cluster) = cluster(&few) else { return };
    let proxy = Proxy::before(cluster.port());
    let address = cluster.tcp_address_of(SCHEMA, proxy.port);
    let mut place = Place::new();
    let node = place.node(&address);
    let owner = node.owner();
    let load = Load::at(&node, &owner, "a", 4);
    load.writes_go_on(50);
    proxy.set(Mode::Cut);
    // The last of the node's connections may take a moment to end.
    let mut taken = Vec::new();
    until("all connections are taken", || {
        taken.extend(idle(cluster.port()));
        taken.len() >= 15
    });
    assert!(idle(cluster.port()).is_none());
    proxy.set(Mode::Pass);
    load.writes_are_refused(20);
    load.checks_go_on(50);
    assert!(CUT_OFF.contains(&why_not_ready(&node).as_str()));
    place.refused(&address, &["too many clients"]);
    drop(taken);
    load.writes_go_on(50);
    until("the node is ready", || readiness(&node).status == 200);
    let ledger = load.end();
    nothing_is_lost(&address, &[&node], &owner, &ledger);
    println!("{}", summary(&ledger));
    let log = node.stop();
    assert!(log.contains("too many clients"), "{log}");
}

/// A file system of a given size that the database may use, taken away at the end.
struct Disk(PathBuf);

impl Disk {
    /// Over an empty directory, in the name of whom the database runs as. `None` where nobody may
    /// mount one.
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    fn over(directory: &Path, size: &str, cluster: &Cluster) -> Option<Self> {
        let options = format!("size={size},mode=0700");
        if !mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], directory) {
            let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
            assert!(!in_ci, "a test run in CI must be able to mount a tmpfs");
            println!("SKIPPED: mounting a tmpfs needs root");
            return None;
        }
        let disk = Self(directory.to_owned());
        let owner = fs::metadata(cluster.root()).unwrap();
        chown(directory, Some(owner.uid()), Some(owner.gid())).unwrap();
        Some(disk)
    }

    fn grow(&self, size: &str) {
        assert!(mount(&["-o", &format!("remount,size={size}")], &self.0));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _status = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], place: &Path) -> bool {
    let mount = Command::new("mount").args(arguments).arg(place).output();
    mount.is_ok_and(|mount| mount.status.success())
}

/// Makes large records until there is no room; how many were made, and what was told of the next.
fn fill(node: &Server, owner: &str) -> (usize, Reply) {
    // Nothing that gets smaller when it is packed.
    let mixed = |number: u64| format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let uri = |number: u64| {
        let parts: String = (0..7).map(|part| mixed(number * 7 + part)).collect();
        json!({ "resourceUri": parts })
    };
    for number in 0..2000 {
        let first = u64::try_from(number).unwrap() * 100;
        let resources: Vec<_> = (first..first + 100).map(uri).collect();
        let record = json!({
            "recordId": format!("large-{number}"),
            "name": "large",
            "users": [{ "userId": "someone" }],
            "statements": [{ "roles": ["ro_viewer"], "resources": resources }],
        });
        let reply = node.send(owner, "POST", "/v1/records", &record);
        if reply.status != 201 {
            return (number, reply);
        }
    }
    panic!("the disk never became full")
}

#[test]
fn a_full_disk_of_the_database_refuses_writes_and_nothing_else() {
    let Some(cluster) = cluster(&ClusterOptions::default()) else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::over(directory.path(), "16m", &cluster) else {
        return;
    };
    let path = directory.path().display();
    operate(
        &cluster,
        &format!("CREATE TABLESPACE small LOCATION '{path}'"),
    );
    operate(
        &cluster,
        "ALTER DATABASE postgres SET default_tablespace = small",
    );
    let address = cluster.address_of(SCHEMA);
    let mut place = Place::new();
    let nodes = [place.node(&address), place.node(&address)];
    let owner = nodes[0].owner();
    let (made, refused) = fill(&nodes[0], &owner);
    assert_eq!(refused.expect(507).json()["errorCode"], "StorageFull");
    let load = Load::at(&nodes[1], &owner, "small", 2);
    load.writes_are_refused(10);
    load.checks_go_on(50);
    // A small write may still find room: what the first node was refused is large.
    let refused = readiness(&nodes[0]).expect(507);
    assert_eq!(refused.json()["errorCode"], "StorageFull");
    disk.grow("64m");
    load.writes_go_on(50);
    let mut ledger = load.end();
    ledger.extend((0..made).map(|number| (format!("large-{number}"), Told::Done)));
    ledger.insert(format!("large-{made}"), Told::Nothing);
    let mut connection = Connection::open(nodes[0].address).unwrap();
    make_record(&mut connection, &owner, "last")
        .unwrap()
        .expect(201);
    for node in &nodes {
        until("the node is ready", || readiness(node).status == 200);
    }
    let log = whole_log(&address);
    assert_eq!(faults(&log, &ledger), Vec::<String>::new());
    ledger.retain(|id, _| !id.starts_with("large-"));
    let [one, two] = &nodes;
    nothing_is_lost(&address, &[one, two], &owner, &ledger);
    println!("full after {made} large records; {}", summary(&ledger));
}

/// PostgreSQL ends all its connections when it cannot write its own log, and itself if it cannot then
/// recover.
#[test]
fn a_full_disk_that_ends_the_database_is_got_over() {
    let Some(cluster) = cluster(&ClusterOptions::default().setting("min_wal_size=32MB")) else {
        return;
    };
    let log = cluster.root().join("data/pg_wal");
    let kept = cluster.root().join("data/kept_wal");
    cluster.end(Ending::Fast).unwrap();
    fs::rename(&log, &kept).unwrap();
    fs::create_dir(&log).unwrap();
    let Some(disk) = Disk::over(&log, "56m", &cluster) else {
        return;
    };
    let copied = Command::new("cp")
        .arg("-a")
        .arg(kept.join("."))
        .arg(&log)
        .status();
    assert!(copied.unwrap().success());
    cluster.start().unwrap();
    // Nothing of the log is given back.
    operate(
        &cluster,
        "SELECT pg_create_physical_replication_slot('kept', true)",
    );
    let address = cluster.address_of(SCHEMA);
    let mut place = Place::new();
    let nodes = [place.node(&address), place.node(&address)];
    let owner = nodes[0].owner();
    let load = Load::at(&nodes[1], &owner, "small", 2);
    load.writes_go_on(20);
    let (made, refused) = fill(&nodes[0], &owner);
    // Whoever was cut off in the middle of a commit cannot know.
    let last = told(&refused.expect(503));
    load.writes_are_refused(20);
    load.checks_go_on(50);
    for node in &nodes {
        assert!(CUT_OFF.contains(&why_not_ready(node).as_str()));
    }
    disk.grow("256m");
    until("the database is back", || {
        if cluster.has_ended().unwrap() {
            cluster.start().unwrap();
        }
        readiness(&nodes[0]).status == 200
    });
    load.writes_go_on(50);
    for node in &nodes {
        until("the node is ready", || readiness(node).status == 200);
    }
    let mut ledger = load.end();
    ledger.extend((0..made).map(|number| (format!("large-{number}"), Told::Done)));
    ledger.insert(format!("large-{made}"), last);
    let log = whole_log(&address);
    assert_eq!(faults(&log, &ledger), Vec::<String>::new());
    println!("ended after {made} large records; {}", summary(&ledger));
    cluster.end(Ending::Fast).unwrap();
}
