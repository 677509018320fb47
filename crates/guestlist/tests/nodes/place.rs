//! Nodes of one installation: the same secrets, the same database, and what the database holds.

use std::fs;
use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use guestlist_server::startup::SECRET_FILES;
use guestlist_store::suite::cluster::{self, Cluster, ClusterOptions};
use guestlist_store::{Head, Logged, PostgresOptions, PostgresStore, Store as _};
use serde_json::Value;

use crate::http::Reply;
use crate::server::{Server, serve};

/// What has not come by then never will.
pub(crate) const BOUND: Duration = Duration::from_mins(1);

/// The tables of all these tests, in their clusters.
pub(crate) const SCHEMA: &str = "nodes";

/// A cluster for one test; a test ends where PostgreSQL is not installed.
pub(crate) fn cluster(options: &ClusterOptions) -> Option<Cluster> {
    cluster::own_or_skip(options).unwrap_or_else(|why| panic!("{why}"))
}

/// Where the nodes of a test keep their files.
pub(crate) struct Place {
    directory: tempfile::TempDir,
    nodes: usize,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            nodes: 0,
        }
    }

    fn data(&self, node: usize) -> PathBuf {
        self.directory.path().join(format!("node{node}"))
    }

    /// The directory of a new node, with the secrets of the first.
    pub(crate) fn new_data(&mut self) -> PathBuf {
        let data = self.data(self.nodes);
        if self.nodes > 0 {
            fs::create_dir(&data).unwrap();
            for file in SECRET_FILES.iter().chain(&["owner-access-key"]) {
                fs::copy(self.data(0).join(file), data.join(file)).unwrap();
            }
        }
        self.nodes += 1;
        data
    }

    /// A node that is ready. The first makes the account.
    pub(crate) fn node(&mut self, address: &str) -> Server {
        let data = self.new_data();
        Server::new(&data, &arguments(address))
    }

    /// The same node once more, after its end.
    pub(crate) fn again(&self, node: usize, address: &str) -> Server {
        Server::new(&self.data(node), &arguments(address))
    }

    /// What a start of a new node says that must fail.
    #[track_caller]
    pub(crate) fn refused(&mut self, address: &str, says: &[&str]) -> String {
        let mut command = serve(&self.new_data());
        command.args(arguments(address));
        crate::server::refused(command, says)
    }
}

fn arguments(address: &str) -> [&str; 5] {
    [
        "--dev",
        "--public-url",
        "http://guestlist.test",
        "--store",
        address,
    ]
}

/// Asks again until it is so.
#[expect(
    clippy::disallowed_methods,
    reason = "what happens in other processes is asked for again, within a bound"
)]
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < BOUND, "not within the bound: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
    began.elapsed()
}

/// `/readyz`, whatever it answers.
pub(crate) fn readiness(server: &Server) -> Reply {
    server.send("", "GET", "/readyz", &Value::Null)
}

/// Why a node is not ready.
#[track_caller]
pub(crate) fn why_not_ready(server: &Server) -> String {
    readiness(server).expect(503).member("errorCode")
}

/// What a node says that cannot write, or has not known for long whether it is up to date.
pub(crate) const CUT_OFF: [&str; 2] = ["StorageUnavailable", "NotUpToDate"];

/// How far a node has followed the log.
pub(crate) fn revision(server: &Server) -> u64 {
    let reply = server.send("", "GET", "/healthz", &Value::Null).expect(200);
    reply.json()["revision"].as_u64().unwrap()
}

/// Whether a node lets a user read something, from its memory.
pub(crate) fn may_read(server: &Server, owner: &str, user: &str, resource: &str) -> bool {
    let target = format!("/v1/users/{user}/resources/{resource}/permissions/documents:read");
    match server.send(owner, "GET", &target, &Value::Null).status {
        200 => true,
        404 => false,
        status => panic!("{target}: {status}"),
    }
}

/// Runs what needs a runtime.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

/// The log of the database, past all nodes; without gaps and chained as it must be.
pub(crate) fn whole_log(address: &str) -> Vec<Logged> {
    block_on(async {
        let address = address.parse().unwrap();
        let store = PostgresStore::open(&address, PostgresOptions::default()).await;
        let store = store.unwrap();
        let mut head = Head::START;
        let mut log = Vec::new();
        loop {
            let lines = store.events_after(head.revision, 1000).await.unwrap();
            if lines.is_empty() {
                return log;
            }
            for line in lines {
                head = head.followed_by(&line.event.canonical());
                assert_eq!((line.revision, line.hash), (head.revision, head.hash));
                log.push(line);
            }
        }
    })
}

/// Statements of the database's operator.
pub(crate) fn operate(cluster: &Cluster, sql: &str) -> Vec<String> {
    block_on(async {
        let (client, connection) =
            tokio_postgres::connect(&cluster.plain_address(), tokio_postgres::NoTls)
                .await
                .unwrap();
        let running = tokio::spawn(connection);
        let answers = client.simple_query(sql).await.unwrap();
        drop(client);
        running.await.unwrap().unwrap();
        let first = |answer| {
            let tokio_postgres::SimpleQueryMessage::Row(row) = answer else {
                return None;
            };
            row.get(0).map(str::to_owned)
        };
        answers.into_iter().filter_map(first).collect()
    })
}
