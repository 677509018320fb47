//! Two nodes on one database: what one has answered holds on the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use guestlist_rules::changes::{Changes, Document, Kind, Revision, Seen};
use guestlist_server::freshness::WhenStale;
use guestlist_server::settings::Settings;
use guestlist_store::suite::Dice;
use guestlist_store::{
    Applied, Freshness, Logged, MemoryStore, Position, Selection, Store, StoreError, Subscriber,
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::webhook_receiver::Receiver;
use crate::world::{Engine, Reply, World, check, encode, engines, exchange, invite_of};

/// Trials of a normal run; `GUESTLIST_TRIALS` says how many more there are to be.
#[expect(
    clippy::disallowed_methods,
    reason = "a setting of the tests, not of the server"
)]
fn trials(normal: u64) -> u64 {
    let said = std::env::var("GUESTLIST_TRIALS").ok();
    said.map_or(normal, |said| said.parse().unwrap())
}

/// Two nodes, where there is PostgreSQL.
async fn two(change: impl Fn(&mut Settings)) -> Option<(World, World)> {
    if !engines().contains(&Engine::Postgres) {
        return None;
    }
    let one = World::with(Engine::Postgres, &change).await;
    let other = one.beside(&change).await;
    Some((one, other))
}

fn revision(reply: &Reply) -> u64 {
    reply.header("guestlist-revision").unwrap().parse().unwrap()
}

async fn from(world: &World, target: &str, least: &str) -> Reply {
    let headers = [("Guestlist-Min-Revision", least)];
    let owner = &world.owner;
    world.send_with(owner, "GET", target, &headers, None).await
}

/// A request as bytes, for tasks that have no world.
fn request(world: &World, method: &str, target: &str, more: &str, body: &str) -> Vec<u8> {
    let (owner, length) = (&world.owner, body.len());
    format!(
        "{method} {target} HTTP/1.1\r\nHost: guestlist.test\r\nAuthorization: Bearer {owner}\r\n\
         {more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_was_revoked_on_one_node_is_never_allowed_on_the_other() {
    const LANES: u64 = 8;
    let Some((one, other)) = two(|settings| settings.limits.invite_budget = 0).await else {
        return;
    };
    let mut lanes = JoinSet::new();
    for lane in 0..LANES {
        let (user, resource) = (format!("user{lane}"), format!("docs/{lane}"));
        let record = json!({
            "recordId": format!("rec_{lane}"),
            "name": "x",
            "users": [{"userId": user}],
            "statements": [{"roles": ["ro_editor"], "resources": [{"resourceUri": resource}]}],
        })
        .to_string();
        let give = request(&one, "POST", "/v1/records", "", &record);
        let revoke = request(&one, "DELETE", &format!("/v1/records/rec_{lane}"), "", "");
        let target = check(&user, &resource, "documents:read");
        let asks = request(&other, "GET", &target, "MIN", "");
        let asks = String::from_utf8(asks).unwrap();
        let (writer, reader) = (one.address, other.address);
        let mut dice = Dice(lane + 1);
        lanes.spawn(async move {
            let ask = async |least: u64| {
                let least = format!("Guestlist-Min-Revision: {least}\r\n");
                let asked = asks.replacen("MIN", &least, 1);
                exchange(reader, asked.as_bytes()).await
            };
            for _ in 0..trials(1_000) / LANES {
                let given = exchange(writer, &give).await.expect(201);
                ask(revision(&given)).await.expect(200);
                let revoked = exchange(writer, &revoke).await.expect(204);
                if dice.below(2) == 0 {
                    tokio::time::sleep(Duration::from_micros(dice.below(3_000))).await;
                }
                ask(revision(&revoked)).await.expect(404);
            }
        });
    }
    while let Some(lane) = lanes.join_next().await {
        lane.unwrap();
    }
}

/// The control: without a revision the other node does answer by what was before.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn without_its_revision_a_revocation_is_sometimes_not_known_yet() {
    let Some((one, other)) = two(|_| {}).await else {
        return;
    };
    let target = check("bob", "docs/1", "documents:read");
    for _ in 0..5_000 {
        one.give("rec_1", "bob", &["ro_editor"], &["docs/1"]).await;
        let given = revision(&one.own("GET", &target, None).await.expect(200));
        from(&other, &target, &given.to_string()).await.expect(200);
        one.own("DELETE", "/v1/records/rec_1", None)
            .await
            .expect(204);
        if other.own("GET", &target, None).await.status == 200 {
            return;
        }
    }
    panic!("the other node always knew at once, so nothing was tried");
}

#[tokio::test]
async fn a_revision_that_does_not_come_is_waited_for_in_bounds_and_nothing_is_done() {
    let brief = |settings: &mut Settings| {
        settings.limits.freshness.wait = Duration::from_millis(50);
    };
    let world = World::with(Engine::Memory, brief).await;
    let target = check("alice", "projects/42", "documents:write");
    let now = revision(&world.own("GET", &target, None).await);
    for least in [0, 1, now] {
        from(&world, &target, &least.to_string()).await.expect(200);
    }
    let refused = from(&world, &target, &(now + 1).to_string()).await;
    assert_eq!(refused.code(), "RevisionNotReached");
    assert!(refused.header("retry-after").is_none());
    refused.expect(503);
    let huge = u64::MAX.to_string();
    from(&world, &target, &huge).await.expect(503);
    for malformed in ["", "x", "-1", "+1", "1.5", "99999999999999999999", "1, 2"] {
        from(&world, &target, malformed).await.expect(400);
    }
    let twice = [
        ("Guestlist-Min-Revision", "1"),
        ("Guestlist-Min-Revision", "1"),
    ];
    let twice = world.send_with(&world.owner, "GET", &target, &twice, None);
    twice.await.expect(400);
    // A write waits as well, and is not done if it waited in vain.
    let role = json!({"roleId": "ro_late", "name": "x", "permissions": []});
    let later = [("Guestlist-Min-Revision", huge.as_str())];
    let late = world.send_with(&world.owner, "POST", "/v1/roles", &later, Some(&role));
    late.await.expect(503);
    world
        .own("GET", "/v1/roles/ro_late", None)
        .await
        .expect(404);
}

/// Of 64 people at each of two nodes who accept the same invite, one has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn of_two_nodes_that_race_for_an_invite_one_wins() {
    const RACERS: usize = 64;
    let Some((one, other)) = two(|settings| settings.limits.invite_budget = 0).await else {
        return;
    };
    let tokens: Vec<String> = (0..2 * RACERS)
        .map(|number| one.token(&format!("racer{number}")))
        .collect();
    for round in 0..trials(20) {
        let resource = format!("docs/{round}");
        let invite = invite_of(&["Authress:ReadResource"], &[&resource]);
        let id = one.invite(&one.owner, &invite).await;
        let mut racing = JoinSet::new();
        for (number, token) in tokens.iter().enumerate() {
            let address = if number % 2 == 0 {
                one.address
            } else {
                other.address
            };
            let request = format!(
                "PATCH /v1/invites/{id} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n\
                 Content-Length: 0\r\nConnection: close\r\n\r\n"
            );
            racing.spawn(async move { exchange(address, request.as_bytes()).await });
        }
        let mut outcomes: BTreeMap<(u16, String), usize> = BTreeMap::new();
        while let Some(reply) = racing.join_next().await {
            let reply = reply.unwrap();
            *outcomes.entry((reply.status, reply.code())).or_default() += 1;
        }
        let lost = (404, "InviteAlreadyAccepted".to_owned());
        let expected = [((200, String::new()), 1), (lost, 2 * RACERS - 1)];
        assert_eq!(outcomes, BTreeMap::from(expected), "round {round}");
        let holders = format!("/v1/resources/{}/users", encode(&resource));
        let holders = other.own("GET", &holders, None).await.expect(200).json();
        let readers = holders["users"].as_array().unwrap().iter();
        let winners = readers.filter(|user| user["userId"].as_str().unwrap().starts_with("racer"));
        assert_eq!(winners.count(), 1, "{holders}");
    }
}

#[tokio::test]
async fn a_node_tells_how_fresh_it_is() {
    let Some((one, other)) = two(|_| {}).await else {
        return;
    };
    for node in [&one, &other] {
        let ready = node
            .send("", "GET", "/readyz", None)
            .await
            .expect(200)
            .json();
        let age = ready["confirmedSecondsAgo"].as_f64().unwrap();
        assert!((0.0..10.0).contains(&age), "{ready}");
        let metrics = node.send("", "GET", "/metrics", None).await.expect(200);
        assert!(metrics.text.contains("\nguestlist_freshness_seconds 0."));
    }
    let alone = World::new(Engine::Memory).await;
    let ready = alone.send("", "GET", "/readyz", None).await.expect(200);
    assert!(ready.json().get("confirmedSecondsAgo").is_none());
}

/// Of two nodes one delivers; when it ends, the other goes on where it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn webhooks_are_delivered_by_one_node_and_then_by_the_other() {
    let Some((mut one, other)) = two(|settings| settings.private_issuers = true).await else {
        return;
    };
    let mut receiver = Receiver::new().await;
    let hook = json!({"url": receiver.url, "eventTypes": ["role.created"]});
    one.own("POST", "/v1/webhooks", Some(&hook))
        .await
        .expect(201);
    let role = |id: &str| json!({"roleId": id, "name": id, "permissions": []});
    for number in 0..10 {
        let node = if number % 2 == 0 { &one } else { &other };
        let role = role(&format!("ro_{number}"));
        node.own("POST", "/v1/roles", Some(&role)).await.expect(201);
    }
    assert_eq!(receiver.types(10).await, ["role.created"; 10]);
    one.stop().await;
    one.app.store.close().await.unwrap();
    for number in 10..20 {
        let role = role(&format!("ro_{number}"));
        other
            .own("POST", "/v1/roles", Some(&role))
            .await
            .expect(201);
    }
    assert_eq!(receiver.types(10).await, ["role.created"; 10]);
    // Nothing came twice: the next that comes is the next that happens.
    let deleted = json!({"url": receiver.url, "eventTypes": ["role.deleted"]});
    let made = other.own("POST", "/v1/webhooks", Some(&deleted)).await;
    made.expect(201);
    other
        .own("DELETE", "/v1/roles/ro_1", None)
        .await
        .expect(204);
    assert_eq!(receiver.types(1).await, ["role.deleted"]);
}

/// A store that has not known for a minute whether it misses something.
struct Cut(MemoryStore);

#[async_trait]
impl Store for Cut {
    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Seen<Document>>, StoreError> {
        self.0.get(kind, id).await
    }

    async fn list(
        &self,
        kind: Kind,
        selection: &Selection,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<Seen<Document>>, StoreError> {
        self.0.list(kind, selection, after, limit).await
    }

    async fn apply(&self, changes: Changes) -> Result<Applied, StoreError> {
        self.0.apply(changes).await
    }

    async fn events_after(
        &self,
        revision: Revision,
        limit: usize,
    ) -> Result<Vec<Logged>, StoreError> {
        self.0.events_after(revision, limit).await
    }

    async fn revision(&self) -> Result<Revision, StoreError> {
        self.0.revision().await
    }

    async fn follow(
        &self,
        kinds: &[Kind],
        each: &mut (dyn FnMut(Seen<Document>) + Send),
        sink: Subscriber,
    ) -> Result<Revision, StoreError> {
        self.0.follow(kinds, each, sink).await
    }

    fn freshness(&self) -> Option<Freshness> {
        let now = tokio::time::Instant::now();
        Some(Freshness {
            revision: Revision(1),
            confirmed: now.checked_sub(Duration::from_mins(1)).unwrap_or(now),
        })
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.0.close().await
    }

    async fn stopped(&self) {
        self.0.stopped().await;
    }
}

#[tokio::test]
async fn a_node_that_may_miss_something_is_not_ready_and_refuses_if_it_is_told_to() {
    for (when, status) in [(WhenStale::Answer, 200), (WhenStale::Refuse, 503)] {
        let store = Arc::new(Cut(MemoryStore::new()));
        let directory = tempfile::tempdir().unwrap();
        let world = World::at(store, directory, |settings| {
            settings.limits.freshness.when_stale = when;
        })
        .await;
        let ready = world.send("", "GET", "/readyz", None).await.expect(503);
        assert_eq!(ready.code(), "NotUpToDate");
        world.send("", "GET", "/healthz", None).await.expect(200);
        let target = check("alice", "projects/42", "documents:write");
        let reply = world.own("GET", &target, None).await.expect(status);
        if status == 503 {
            assert_eq!(reply.code(), "NotUpToDate");
        }
    }
}
