//! Invites that were written before they had all their facets are listed as those that are written
//! now: in a database that is opened, in a backup that is restored, and in an export that is imported.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use guestlist_rules::changes::{Changes, Document, Event, Facet, Kind, Mark, sortable};
use guestlist_rules::invites::StoredInvite;
use guestlist_store::{
    BackupFile, EmbeddedStore, Existing, ExportFile, Progress, Selection, Store, backup, export,
};
use rusqlite::Connection;
use serde_json::{Value, json};

/// More than are read at a time when a database is brought up to date.
const MANY: u64 = 600;

/// What the first version of the tables and of invites was.
const FIRST: &str = "ALTER TABLE events DROP COLUMN hash;
    DELETE FROM facets WHERE facet NOT IN ('inviter', 'expires');
    UPDATE documents SET facets = (
        SELECT json_group_array(json_array(facet, value) ORDER BY facet DESC) FROM facets
        WHERE facets.kind = documents.kind AND facets.id = documents.id
    ) WHERE kind = 'invite';
    UPDATE schema SET version = 1";

fn on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The body of an invite with the members that the first version wrote, and for whom it is.
fn body(number: u64) -> Value {
    json!({
        "reference": format!("inv{number:09}"),
        "secretHash": "x",
        "statements": [],
        "conflictResolutionStrategy": "GENERATE_NEW_RECORD",
        "inviter": "alice",
        "createdTime": "2026-01-02T00:00:00.000Z",
        "expiryTime": "2026-01-09T00:00:00.000Z",
        "linkedUserId": null,
        "defaultLoginTenantId": null,
        "status": if number.is_multiple_of(2) { "PENDING" } else { "ACCEPTED" },
        "statusReason": null,
        "respondedTime": null,
        "maxUses": 1,
        "uses": 0,
        "withdrawn": false,
        "terms": { "invitee": { "userId": "bob" } },
    })
}

fn change(number: u64) -> Changes {
    let body = body(number);
    let invite: StoredInvite = serde_json::from_value(body.clone()).unwrap();
    let mut changes = Changes::new(Event {
        kind: "invite.created".to_owned(),
        time: 1,
        actor: "alice".to_owned(),
        request_id: String::new(),
        subject: format!("invite/{}", invite.reference),
        data: Value::Null,
    });
    let document = Document::of(&invite).unwrap();
    changes.write.push(Document {
        body: serde_json::to_vec(&body).unwrap(),
        ..document
    });
    changes
}

/// A directory as the first version left it, with one invite that nobody can read.
async fn first_version(directory: &Path) {
    let store = EmbeddedStore::open(directory).unwrap();
    for number in 1..=MANY {
        store.apply(change(number)).await.unwrap();
    }
    let mut unreadable = change(MANY + 1);
    for document in &mut unreadable.write {
        document.body = b"{}".to_vec();
    }
    store.apply(unreadable).await.unwrap();
    store.close().await.unwrap();
    let connection = Connection::open(directory.join("guestlist.db")).unwrap();
    connection.execute_batch(FIRST).unwrap();
    let left = "SELECT count(*) FROM facets WHERE facet IN ('live', 'invitee', 'created')";
    let left: i64 = connection.query_row(left, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

fn all_of(facet: Facet) -> Selection {
    Selection::Between(facet, sortable(i64::MIN), sortable(i64::MAX))
}

/// The invites of a selection, each with its mark.
async fn listed(store: &EmbeddedStore, selection: &Selection) -> Vec<(String, Mark)> {
    let found = store.list(Kind::Invite, selection, None, 10_000).await;
    let found = found.unwrap().into_iter();
    found
        .map(|seen| (seen.value.id, seen.mark))
        .collect::<Vec<_>>()
}

async fn check(directory: &Path) {
    let store = EmbeddedStore::open(directory).unwrap();
    let every = |step: usize| {
        let numbers = (1..=MANY).skip(step - 1).step_by(step);
        numbers.map(|number| (format!("inv{number:09}"), Mark(number)))
    };
    let all: Vec<_> = every(1).collect();
    assert_eq!(listed(&store, &all_of(Facet::Created)).await, all);
    assert_eq!(listed(&store, &all_of(Facet::CreatedLast)).await, all);
    let live: Vec<_> = every(2).collect();
    assert_eq!(listed(&store, &all_of(Facet::Live)).await, live);
    let for_bob = Selection::Equal(Facet::Invitee, "user:bob".to_owned());
    assert_eq!(listed(&store, &for_bob).await, all);
    // What was there before is there still, also of the one that cannot be read.
    let expires = listed(&store, &all_of(Facet::Expires)).await;
    assert_eq!(expires.len(), all.len() + 1);
    store.close().await.unwrap();
    // Every facet is indexed, and no other is.
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("check.db");
    backup(directory, &file, Existing::Keep, &mut on).unwrap();
}

#[tokio::test]
async fn an_older_database_gets_the_facets_of_its_invites_when_it_is_opened() {
    let data = tempfile::tempdir().unwrap();
    first_version(data.path()).await;
    check(data.path()).await;
    // And again, when there is nothing to do.
    check(data.path()).await;
}

#[tokio::test]
async fn a_restored_backup_of_an_older_database_has_the_facets() {
    let home = tempfile::tempdir().unwrap();
    let (data, file) = (home.path().join("data"), home.path().join("old.db"));
    first_version(&data).await;
    let made = backup(&data, &file, Existing::Keep, &mut on).unwrap();
    assert_eq!(made.contents.schema, 1);
    let restored = home.path().join("restored");
    let checked = BackupFile::check(&file, &mut on).unwrap();
    checked
        .restore(&restored, Existing::Keep, &[], &mut on)
        .unwrap();
    check(&restored).await;
}

#[tokio::test]
async fn an_import_of_an_older_export_has_the_facets() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    first_version(&data).await;
    let mut bytes = Vec::new();
    export(&data, "1.2.3", &mut bytes, &mut on).unwrap();
    assert!(
        !String::from_utf8(bytes.clone())
            .unwrap()
            .contains("\"live\"")
    );
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let imported = home.path().join("imported");
    let checked = ExportFile::check(file, &mut on).unwrap();
    checked
        .import(&imported, Existing::Keep, &[], &mut on)
        .unwrap();
    check(&imported).await;
}
