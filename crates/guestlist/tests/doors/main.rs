//! The same cases through every door: raw HTTP, the Rust client and the command line, on each engine.
//!
//! A case is a call by somebody, and what must come of it. The doors must agree with the table and,
//! member by member, with each other.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a door says what it does in its own way; the table of cases is where calls are added"
)]

mod calls;
mod command_line;
mod native;
mod raw;

use std::path::Path;

use guestlist_server::testing::TestServer;
use guestlist_store::suite::cluster::shared_or_skip;
use serde_json::Value;

use crate::calls::{Call, Came, Case, Who, cases};

/// A way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Raw,
    Native,
    CommandLine,
}

const DOORS: [Door; 3] = [Door::Raw, Door::Native, Door::CommandLine];

/// What a call came to, told in the same way by every door.
#[derive(Debug, Clone, PartialEq)]
struct Outcome {
    came: Came,
    /// What was answered, if it is data.
    data: Value,
}

/// The server, and what earlier calls of the same life have made.
struct Scene {
    server: TestServer,
    /// The id of the newest invite.
    invite: String,
    /// The id of the newest service client.
    client: String,
    /// The id of the newest access key, and the key itself.
    key: (String, String),
}

impl Scene {
    fn credential(&self, who: Who) -> Credential {
        match who {
            Who::Owner => Credential::Key(self.server.owner_key().to_owned()),
            Who::Machine => Credential::Key(self.key.1.clone()),
            Who::User(name) => Credential::Token(self.server.token(name).unwrap()),
            Who::Nobody => Credential::None,
        }
    }

    /// Keeps what later calls need.
    fn remember(&mut self, call: &Call, data: &Value) {
        let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
        match call {
            Call::CreateInvite { .. } if data["inviteId"].is_string() => {
                self.invite = text("inviteId");
            }
            Call::CreateClient { .. } if data["clientId"].is_string() => {
                self.client = text("clientId");
            }
            Call::CreateKey if data["accessKey"].is_string() => {
                self.key = (text("keyId"), text("accessKey"));
            }
            _ => {}
        }
    }
}

/// As whom to call.
enum Credential {
    Key(String),
    Token(String),
    None,
}

async fn go_through(door: Door, scene: &Scene, case: &Case) -> Outcome {
    let credential = scene.credential(case.who);
    match door {
        Door::Raw => raw::call(scene, &credential, &case.call).await,
        Door::Native => native::call(scene, &credential, &case.call).await,
        Door::CommandLine => command_line::call(scene, &credential, &case.call).await,
    }
}

/// Lives the whole table through one door; what was answered, without what differs each time.
async fn live(door: Door, server: TestServer) -> Vec<Value> {
    let mut scene = Scene {
        server,
        invite: String::new(),
        client: String::new(),
        key: Default::default(),
    };
    let mut told = Vec::new();
    for (number, case) in cases().iter().enumerate() {
        let outcome = go_through(door, &scene, case).await;
        assert_eq!(
            outcome.came, case.comes_to,
            "{door:?}, case {number}: {case:?}: {:?}",
            outcome.data
        );
        scene.remember(&case.call, &outcome.data);
        told.push(calls::steady(outcome.data));
    }
    told
}

async fn the_doors_agree(server: impl AsyncFn(&Path) -> TestServer) {
    let mut others: Option<Vec<Value>> = None;
    for door in DOORS {
        let directory = tempfile::tempdir().unwrap();
        let told = live(door, server(directory.path()).await).await;
        if let Some(others) = &others {
            for (number, (told, other)) in told.iter().zip(others).enumerate() {
                assert_eq!(
                    told,
                    other,
                    "{door:?}, case {number}: {:?}",
                    cases()[number]
                );
            }
        }
        others = Some(told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_leads_to_the_same_on_the_memory_store() {
    the_doors_agree(async |_: &Path| TestServer::start().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_leads_to_the_same_on_the_embedded_store() {
    the_doors_agree(async |path: &Path| TestServer::start_in(path).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_leads_to_the_same_on_postgresql() {
    let Some(cluster) = shared_or_skip().unwrap() else {
        return;
    };
    the_doors_agree(async |_: &Path| {
        let address = cluster.new_address();
        TestServer::start_at(&address).await.unwrap()
    })
    .await;
}
