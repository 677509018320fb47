//! Several nodes on one database: no line is skipped, and of many that try one wins.

use std::sync::Arc;
use std::time::Duration;

use guestlist_rules::changes::{Document, Expect, Facet, Kind, Mark, Revision};
use guestlist_store::suite::cluster::Cluster;
use guestlist_store::{Applied, Head, Logged, PostgresOptions};
use tokio::sync::Barrier;
use tokio_postgres::Client;

use crate::{Heard, creating, done, open, open_with, operator, shared, until, whole_log, writing};

/// Eight tasks on three nodes write, and each of the nodes hears what the log says, line by line.
async fn eight_writers_and_three_followers(cluster: &Cluster, changes: u64) {
    let address = cluster.new_address();
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let store = open(&address).await;
        let heard = Heard::of(&store).await;
        nodes.push((store, heard));
    }
    let mut tasks = Vec::new();
    for task in 0..8_u64 {
        let store = Arc::clone(&nodes[usize::try_from(task).unwrap() % 3].0);
        tasks.push(tokio::spawn(async move {
            for number in 0..changes / 8 {
                done(&store, creating(&format!("{task}-{number}"), "{}")).await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let log = whole_log(&nodes[0].0).await;
    assert_eq!(log.len(), usize::try_from(changes).unwrap());
    let mut head = Head::START;
    for line in &log {
        head = head.followed_by(&line.event.canonical());
        assert_eq!((line.revision, line.hash), (head.revision, head.hash));
    }
    for (store, heard) in &nodes {
        let lines = heard.up_to(store, Revision(changes)).await;
        assert_eq!(lines.len(), log.len());
        for (told, line) in lines.iter().zip(&log) {
            assert_eq!(told.revision, line.revision);
            assert_eq!(told.changes.event, line.event);
            let touched = told.changes.write.iter().map(|it| (it.kind, it.id.clone()));
            assert_eq!(touched.collect::<Vec<_>>(), line.touched);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_follower_of_any_node_skips_a_line() {
    let Some(cluster) = shared() else { return };
    eight_writers_and_three_followers(cluster, 4_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes minutes"]
async fn no_follower_of_any_node_skips_one_of_100_000_lines() {
    let Some(cluster) = shared() else { return };
    eight_writers_and_three_followers(cluster, 100_000).await;
}

/// Does within a transaction what a node does for revision 2, and does not end it.
async fn write_line_two(held: &Client, first: &Logged) {
    let before = Head {
        revision: first.revision,
        hash: first.hash,
    };
    let after = before.followed_by(&first.event.canonical());
    let hash = after.hash.as_bytes().as_slice();
    held.batch_execute("BEGIN").await.unwrap();
    let moved = "UPDATE guestlist_head SET revision = 2, hash = $1";
    let event = "INSERT INTO guestlist_events
         SELECT 2, event, touched, $1 FROM guestlist_events WHERE revision = 1";
    let recent = "INSERT INTO guestlist_recent_changes
         SELECT 2, writer, payload FROM guestlist_recent_changes WHERE revision = 1";
    assert_eq!(held.execute(moved, &[&hash]).await.unwrap(), 1);
    assert_eq!(held.execute(event, &[&hash]).await.unwrap(), 1);
    assert_eq!(held.execute(recent, &[]).await.unwrap(), 1);
}

/// A transaction that was begun earlier and commits later, as another node may have it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_open_transaction_is_never_overtaken() {
    let Some(cluster) = shared() else { return };
    for commits in [true, false] {
        let address = cluster.new_address();
        let (one, two) = (open(&address).await, open(&address).await);
        done(&one, writing("first", "1")).await;
        let heard = Heard::of(&two).await;
        let held = operator(cluster, &address).await;
        let watching = operator(cluster, &address).await;
        let first = &whole_log(&one).await[0];
        write_line_two(&held, first).await;
        let mut later = Vec::new();
        for (number, store) in [&one, &two, &one, &two].into_iter().enumerate() {
            let store = Arc::clone(store);
            let change = creating(&format!("later-{number}"), "1");
            later.push(tokio::spawn(async move { done(&store, change).await }));
        }
        until("both nodes wait for the open transaction", || async {
            let waiting =
                "SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                 JOIN pg_stat_activity a ON a.pid = l.pid
                 WHERE c.relname = 'guestlist_head' AND a.wait_event_type = 'Lock'
                   AND c.relnamespace = current_schema()::regnamespace";
            let row = watching.query_one(waiting, &[]).await.unwrap();
            row.get::<_, i64>(0) >= 2
        })
        .await;
        assert!(heard.revisions().is_empty());
        assert!(later.iter().all(|task| !task.is_finished()));
        held.batch_execute(if commits { "COMMIT" } else { "ROLLBACK" })
            .await
            .unwrap();
        for task in later {
            task.await.unwrap();
        }
        let newest = one.revision().await.unwrap();
        assert_eq!(newest, Revision(if commits { 6 } else { 5 }));
        for store in [&one, &two] {
            assert!(
                store
                    .caught_up_to(newest, Duration::from_secs(30))
                    .await
                    .unwrap()
            );
        }
        assert_eq!(heard.revisions(), (2..=newest.0).collect::<Vec<u64>>());
        let log = whole_log(&two).await;
        assert_eq!(log.len(), usize::try_from(newest.0).unwrap());
    }
}

/// Sixty-four on each of two nodes try the same at once, many times.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_nodes_that_race_one_wins() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let nodes = [open(&address).await, open(&address).await];
    let mut mark: Option<Mark> = None;
    for round in 0..30 {
        let start = Arc::new(Barrier::new(128));
        let mut tasks = Vec::new();
        for racer in 0..128_usize {
            let (store, start) = (Arc::clone(&nodes[racer % 2]), Arc::clone(&start));
            let mut change = writing("prize", &racer.to_string());
            let expect = mark.map_or(Expect::Absent, Expect::At);
            change
                .expect
                .push((Kind::Invite, "prize".to_owned(), expect));
            tasks.push(tokio::spawn(async move {
                start.wait().await;
                match store.apply(change).await.unwrap() {
                    Applied::Done(revision) => {
                        // What was acknowledged is seen on the other node at once.
                        Some((racer, revision))
                    }
                    Applied::Conflict { .. } => None,
                }
            }));
        }
        let mut winners = Vec::new();
        for task in tasks {
            winners.extend(task.await.unwrap());
        }
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        let (racer, revision) = winners[0];
        for store in &nodes {
            let seen = store.get(Kind::Invite, "prize").await.unwrap().unwrap();
            assert_eq!(seen.value.body, racer.to_string().into_bytes());
            assert_eq!(seen.mark, Mark(revision.0));
        }
        mark = Some(Mark(revision.0));
    }
    assert_eq!(nodes[0].revision().await.unwrap(), Revision(30));
}

/// What one node acknowledged, the other's followers have heard once it has caught up with it; and
/// a conflict is answered only after what caused it was told.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revocation_carried_to_another_node_holds_there() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let (one, two) = (open(&address).await, open(&address).await);
    let heard = Heard::of(&two).await;
    for round in 0..300_u64 {
        let id = format!("grant-{round}");
        let given = done(&one, creating(&id, "given")).await;
        let mut change = writing(&id, "revoked");
        change
            .expect
            .push((Kind::Invite, id.clone(), Expect::At(Mark(given.0))));
        let revoked = done(&one, change).await;
        if round % 2 == 0 {
            let caught_up = two.caught_up_to(revoked, Duration::from_secs(30)).await;
            assert!(caught_up.unwrap());
        } else {
            let mut late = writing(&id, "used");
            late.expect
                .push((Kind::Invite, id.clone(), Expect::At(Mark(given.0))));
            let applied = two.apply(late).await.unwrap();
            assert!(matches!(applied, Applied::Conflict { .. }), "{applied:?}");
        }
        let newest = heard.revisions().last().copied();
        assert!(newest >= Some(revoked.0), "{newest:?} of {revoked}");
    }
}

/// Clocks, chance and threads differ; what one node writes the other reads byte for byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_node_hears_the_whole_change() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let (one, two) = (open(&address).await, open(&address).await);
    let heard = Heard::of(&two).await;
    let first = done(&one, writing("a", "\0\u{ff}é")).await;
    let mut change = writing("b", "2");
    change.delete.push((Kind::Invite, "a".to_owned()));
    change
        .expect
        .push((Kind::Invite, "a".to_owned(), Expect::At(Mark(first.0))));
    let large = "x".repeat(3 << 20);
    let changes = [writing("a", "\0\u{ff}é"), change, writing("c", &large)];
    done(&one, changes[1].clone()).await;
    let newest = done(&one, changes[2].clone()).await;
    let told = heard.up_to(&two, newest).await;
    let told: Vec<_> = told.iter().map(|it| (*it.changes).clone()).collect();
    assert_eq!(told, changes);
}

/// Changes that arrive together share a transaction, and its one round trip.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_writers_do_not_cost_64_commits() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let store = open(&address).await;
    let mut tasks = Vec::new();
    for task in 0..64 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            for number in 0..20 {
                done(&store, creating(&format!("{task}-{number}"), "1")).await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let client = operator(cluster, &address).await;
    let groups = "SELECT count(DISTINCT writer) FROM guestlist_recent_changes";
    let groups: i64 = client.query_one(groups, &[]).await.unwrap().get(0);
    assert!(groups <= 64 * 20 / 8, "{groups} transactions");
}

/// What every node has long heard is dropped, and no node misses it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn recent_changes_are_not_kept_for_ever() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let options = PostgresOptions::default().most_kept(100);
    let store = open_with(&address, options).await;
    let heard = Heard::of(&store).await;
    let client = operator(cluster, &address).await;
    let mut newest = Revision(0);
    for number in 0..300 {
        newest = done(&store, creating(&number.to_string(), "1")).await;
    }
    until("old lines are dropped", || async {
        let count = "SELECT count(*), max(revision) FROM guestlist_recent_changes";
        let row = client.query_one(count, &[]).await.unwrap();
        (row.get::<_, i64>(0), row.get::<_, i64>(1)) == (100, 300)
    })
    .await;
    heard.up_to(&store, newest).await;
    assert_eq!(whole_log(&store).await.len(), 300);
    // A node that starts now reads the documents, and needs none of what was dropped.
    let late = open(&address).await;
    let heard = Heard::of(&late).await;
    let newest = done(&store, creating("late", "1")).await;
    heard.up_to(&late, newest).await;
    assert_eq!(heard.revisions(), [newest.0]);
}

/// While nodes of the next release take the places of those of this one, these meet kinds, facets
/// and columns that they do not know.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_later_release_writes_stops_no_node() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let (one, two) = (open(&address).await, open(&address).await);
    let heard = Heard::of(&two).await;
    let mut change = writing("a", "1");
    change.write[0]
        .facets
        .push((Facet::Inviter, "u".to_owned()));
    change.write.push(Document {
        kind: Kind::Role,
        ..change.write[0].clone()
    });
    done(&one, change).await;
    heard.up_to(&two, Revision(1)).await;
    let client = operator(cluster, &address).await;
    let before = &whole_log(&one).await[0];
    let later = "ALTER TABLE guestlist_documents ADD COLUMN zodiac BYTEA;
         UPDATE guestlist_documents SET facets = '[[\"zodiac\",\"u\"]]';
         UPDATE guestlist_recent_changes SET payload = decode(replace(replace(
           encode(payload, 'escape'), 'role', 'rule'), 'inviter', 'zodiacs'), 'escape');
         UPDATE guestlist_events SET touched = decode(replace(
           encode(touched, 'escape'), 'role', 'rule'), 'escape')";
    client.batch_execute(later).await.unwrap();
    write_line_two(&client, before).await;
    client.batch_execute("COMMIT").await.unwrap();
    let told = heard.up_to(&two, Revision(2)).await;
    let written = &told[1].changes.write;
    assert_eq!(written.len(), 1);
    assert_eq!(
        (written[0].kind, written[0].facets.len()),
        (Kind::Invite, 0)
    );
    let log = whole_log(&two).await;
    assert_eq!(log[1].touched, [(Kind::Invite, "a".to_owned())]);
    let seen = two.get(Kind::Invite, "a").await.unwrap().unwrap();
    assert_eq!(
        (seen.value.facets.len(), seen.value.body),
        (0, b"1".to_vec())
    );
    done(&two, writing("a", "2")).await;
}

/// Of several nodes one is on duty, and when it ends another is, soon.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_node_is_on_duty_and_then_another() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let nodes = [open(&address).await, open(&address).await];
    let holder = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if let Some(holder) = nodes.iter().position(|node| node.is_on_duty()) {
                return holder;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let holder = holder.await.unwrap();
    let other = &nodes[1 - holder];
    assert!(!other.is_on_duty());
    nodes[holder].close().await.unwrap();
    assert!(!nodes[holder].is_on_duty());
    let taken = tokio::time::timeout(Duration::from_secs(30), async {
        while !other.is_on_duty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    taken.await.unwrap();
}
