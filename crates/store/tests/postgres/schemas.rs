//! The tables: made once however many nodes start, and never by a program that does not know them.

use guestlist_rules::changes::Revision;
use guestlist_store::suite::ledger;
use guestlist_store::{
    Applied, Migrate, PostgresAddress, PostgresOpenError, PostgresOptions, PostgresStore,
};

use crate::{done, open, operator, shared, writing};

/// The version of the tables that this program writes.
const NEWEST: i64 = 2;

async fn error(address: &str, migrate: Migrate) -> PostgresOpenError {
    let address: PostgresAddress = address.parse().unwrap();
    let options = PostgresOptions::default().migrate(migrate);
    let opened = PostgresStore::open(&address, options).await;
    opened.err().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_at_once_make_the_tables_once() {
    let Some(cluster) = shared() else { return };
    for _ in 0..5 {
        let address = cluster.new_address();
        let starts = (0..8).map(|_| {
            let address = address.clone();
            tokio::spawn(async move { open(&address).await })
        });
        let starts: Vec<_> = starts.collect();
        let mut nodes = Vec::new();
        for start in starts {
            nodes.push(start.await.unwrap());
        }
        for (number, node) in nodes.iter().enumerate() {
            let revision = done(node, writing(&number.to_string(), "1")).await;
            assert_eq!(revision.0, u64::try_from(number).unwrap() + 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_check_changes_nothing() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let found = error(&address, Migrate::Check).await;
    assert!(
        matches!(
            found,
            PostgresOpenError::Older {
                found: 0,
                needed: NEWEST
            }
        ),
        "{found}"
    );
    assert!(found.to_string().contains("guestlist migrate"), "{found}");
    let schema = address.split("schema=").nth(1).unwrap();
    let client = operator(cluster, &address).await;
    let schemas = "SELECT count(*) FROM information_schema.schemata WHERE schema_name = $1";
    let count: i64 = client.query_one(schemas, &[&schema]).await.unwrap().get(0);
    assert_eq!(count, 0);
    let parsed: PostgresAddress = address.parse().unwrap();
    let migrated = PostgresStore::migrate(&parsed, Migrate::Auto)
        .await
        .unwrap();
    assert_eq!((migrated.from, migrated.to), (0, NEWEST));
    let migrated = PostgresStore::migrate(&parsed, Migrate::Check)
        .await
        .unwrap();
    assert_eq!((migrated.from, migrated.to), (NEWEST, NEWEST));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_newer_schema_is_refused_and_left_alone() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let running = open(&address).await;
    let client = operator(cluster, &address).await;
    client
        .batch_execute("UPDATE guestlist_schema SET version = 99")
        .await
        .unwrap();
    for migrate in [Migrate::Auto, Migrate::Check] {
        let found = error(&address, migrate).await;
        assert!(
            matches!(
                found,
                PostgresOpenError::Newer {
                    found: 99,
                    known: NEWEST
                }
            ),
            "{found}"
        );
    }
    // Nodes of the previous release go on while those of the next one start.
    done(&running, writing("a", "1")).await;
    let version = client
        .query_one("SELECT version FROM guestlist_schema", &[])
        .await
        .unwrap();
    assert_eq!(version.get::<_, i64>(0), 99);
}

/// Tables of the first version, which knew of no duty, with something in them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn older_tables_are_brought_forward_with_what_they_hold() {
    let Some(cluster) = shared() else { return };
    let address = cluster.new_address();
    let before = open(&address).await;
    for number in 1..=20 {
        let applied = before.apply(ledger::change(number)).await.unwrap();
        assert!(matches!(applied, Applied::Done(_)), "{applied:?}");
    }
    before.close().await.unwrap();
    let client = operator(cluster, &address).await;
    let first = "DROP TABLE guestlist_duty; UPDATE guestlist_schema SET version = 1";
    client.batch_execute(first).await.unwrap();
    let found = error(&address, Migrate::Check).await;
    assert!(
        matches!(
            found,
            PostgresOpenError::Older {
                found: 1,
                needed: NEWEST
            }
        ),
        "{found}"
    );
    let after = open(&address).await;
    let acknowledged = (1..=20).map(|number| (number, number)).collect();
    ledger::verify(&after, &acknowledged).await.unwrap();
    let applied = after.apply(ledger::change(21)).await.unwrap();
    assert_eq!(applied, Applied::Done(Revision(21)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_is_not_there_is_named_without_its_password() {
    let Some(cluster) = shared() else { return };
    let port = cluster.port();
    let address = format!("postgres://guestlist:hunter2@127.0.0.1:{port}/missing");
    let found = error(&address, Migrate::Auto).await;
    let text = format!("{found} {found:?}");
    assert!(
        text.contains("127.0.0.1/missing") && text.contains("does not exist"),
        "{text}"
    );
    assert!(!text.contains("hunter2"), "{text}");
}
