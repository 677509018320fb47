//! An export of a store and the store that an import makes of it: the same bytes again, and every
//! other file refused before anything is touched.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs::File;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use guestlist_rules::changes::{Changes, Document, Event, Facet, Kind};
use guestlist_store::suite::ledger;
use guestlist_store::{
    EmbeddedStore, Existing, ExportFile, Progress, Store, TransferError, backup, export,
};

fn on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn event() -> Event {
    Event {
        kind: "test.done".to_owned(),
        time: 1,
        actor: "\"quoted\"\u{1}\u{2028}\u{1f600}".to_owned(),
        request_id: String::new(),
        subject: "a/b".to_owned(),
        data: serde_json::json!({"z": 1.5e300, "a": [null, u64::MAX, -0.0]}),
    }
}

/// A document of every kind, with every facet and texts that JSON has to escape.
fn every_kind() -> Changes {
    let mut changes = Changes::new(event());
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Account) {
        for id in ["b", "a", "A", "\u{e9}\"\\ü\n", "Authress|user/1"] {
            let facets = Facet::ALL.map(|facet| (facet, format!("{id}\t{}", facet.name())));
            changes.write.push(Document {
                kind,
                id: id.to_owned(),
                facets: facets.to_vec(),
                // The order of members and the forms of numbers are kept.
                body: br#"{"z":"\u00e9\n","a":1.0,"b":1e2,"n":{"value":"}"}}"#.to_vec(),
            });
        }
    }
    changes.write.push(Document {
        kind: Kind::Account,
        id: "account".to_owned(),
        facets: Vec::new(),
        body:
            br#"{"accountId":"acc_test1","name":"Test","createdTime":"2026-01-01T00:00:00.000Z"}"#
                .to_vec(),
    });
    changes
}

async fn filled(directory: &Path) -> EmbeddedStore {
    let store = EmbeddedStore::open(directory).unwrap();
    for number in 1..=20 {
        store.apply(ledger::change(number)).await.unwrap();
    }
    store.apply(every_kind()).await.unwrap();
    store
}

fn exported(directory: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    export(directory, "1.2.3", &mut out, &mut on).unwrap();
    out
}

fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn import(bytes: &[u8], directory: &Path) -> Result<Option<PathBuf>, TransferError> {
    ExportFile::check(file_of(bytes), &mut on)?.import(directory, Existing::Keep, &[], &mut on)
}

#[tokio::test]
async fn an_export_becomes_a_store_that_exports_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let store = filled(&data).await;
    let bytes = exported(&data);
    let original = backup(&data, &home.path().join("one.db"), Existing::Keep, &mut on).unwrap();
    let checked = ExportFile::check(file_of(&bytes), &mut on).unwrap();
    assert_eq!(checked.header().account.as_deref(), Some("acc_test1"));
    assert_eq!(checked.header().product, "1.2.3");
    assert_eq!(checked.end().events, 21);
    for kind in Kind::ALL {
        let least = if kind == Kind::Account { 1 } else { 5 };
        assert!(checked.end().documents[kind.name()] >= least, "{kind:?}");
    }
    drop(store);
    let again = home.path().join("again");
    assert_eq!(import(&bytes, &again).unwrap(), None);
    assert!(exported(&again) == bytes);
    // Row for row, and not only as far as an export shows it.
    let copy = backup(&again, &home.path().join("two.db"), Existing::Keep, &mut on).unwrap();
    assert_eq!(copy.contents, original.contents);
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&again).unwrap());
    let next = store.apply(ledger::change(1000)).await.unwrap();
    assert!(format!("{next:?}").contains("22"), "{next:?}");
}

#[tokio::test]
async fn a_store_that_holds_nothing_is_exported_too() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    drop(EmbeddedStore::open(&data).unwrap());
    let bytes = exported(&data);
    assert_eq!(str::from_utf8(&bytes).unwrap().lines().count(), 2);
    let again = home.path().join("again");
    import(&bytes, &again).unwrap();
    assert!(exported(&again) == bytes);
}

/// Lines with a last one that agrees with them.
fn signed(lines: &[String], end: &str) -> Vec<u8> {
    let mut text = lines.join("\n") + "\n";
    let hash = digest(&SHA256, text.as_bytes());
    let pairs = hash.as_ref().iter();
    let pairs: Vec<String> = pairs.map(|byte| format!("{byte:02x}")).collect();
    let (before, _) = end.split_once("\"sha256\":").unwrap();
    text.extend([before, "\"sha256\":\"", &pairs.concat(), "\"}}\n"]);
    text.into_bytes()
}

/// Another document in the first place.
fn put(lines: &mut [String], kind: &str, id: &str) {
    lines[1] =
        format!("{{\"kind\":\"{kind}\",\"id\":\"{id}\",\"mark\":1,\"facets\":[],\"value\":{{}}}}");
}

/// What is refused although its SHA-256 is right, and by which words.
fn refused_lines(lines: &[String], end: &str) -> Vec<(&'static str, Vec<u8>)> {
    let documents = lines
        .iter()
        .filter(|line| line.starts_with("{\"kind\""))
        .count();
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut changed = lines.to_vec();
        change(&mut changed);
        signed(&changed, end)
    };
    vec![
        ("not in their order", with(&|lines| lines.swap(1, 2))),
        ("comes twice", with(&|lines| lines[2] = lines[1].clone())),
        ("says that it holds", with(&|lines| drop(lines.remove(3)))),
        (
            "revision 2 stands where",
            with(&|lines| lines.swap(documents + 1, documents + 2)),
        ),
        (
            "after the event log",
            with(&|lines| {
                let moved = lines.remove(documents);
                lines.push(moved);
            }),
        ),
        (
            "newer",
            with(&|lines| lines[0] = lines[0].replace("\"version\":2", "\"version\":3,\"more\":3")),
        ),
        (
            "not an export",
            with(&|lines| lines[0] = lines[0].replace("guestlist-export", "other")),
        ),
        (
            "its account or its revision",
            with(&|lines| lines[0] = lines[0].replace("acc_test1", "acc_test2")),
        ),
        (
            "no kind of document \"later-kind\"",
            with(&|lines| put(lines, "later-kind", "a")),
        ),
        (
            "no facet \"later\"",
            with(&|lines| lines[1] = lines[1].replace("[\"status\",", "[\"later\",")),
        ),
        (
            "line 2: it is not in the form",
            with(&|lines| lines[1] = lines[1].replacen(':', ": ", 1)),
        ),
        (
            "line 2: it cannot be read",
            with(&|lines| lines[1].truncate(40)),
        ),
        (
            "not in the event log",
            with(&|lines| lines[1] = lines[1].replace("\"mark\":", "\"mark\":9")),
        ),
        ("is empty", with(&|lines| put(lines, "acceptance", ""))),
    ]
}

/// The last line without the hash of the newest event.
fn headless(end: &str) -> String {
    let (before, rest) = end.split_once("\"head\":\"").unwrap();
    let (_, after) = rest.split_once("\",").unwrap();
    format!("{before}{after}")
}

/// What is refused although its SHA-256 is right, because the event log is not the one that its last
/// line tells of.
fn refused_heads(lines: &[String], end: &str) -> Vec<(&'static str, Vec<u8>)> {
    let with = |from: &str, to: &str| {
        let mut changed = lines.to_vec();
        let line = changed.last_mut().unwrap();
        assert!(line.contains(from), "{line}");
        *line = line.replace(from, to);
        signed(&changed, end)
    };
    let mut older = lines.to_vec();
    older[0] = older[0].replace("\"version\":2", "\"version\":1");
    let broken = "the hash of its newest event is";
    vec![
        (broken, with("\"time\":1,", "\"time\":2,")),
        (broken, with("test.done", "test.gone")),
        (broken, with("1.5e+300", "1.6e+300")),
        (broken, signed(&older, end)),
        ("does not tell the hash", signed(lines, &headless(end))),
    ]
}

#[tokio::test]
async fn what_is_no_whole_export_touches_nothing() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    drop(filled(&data).await);
    let bytes = exported(&data);
    let text = String::from_utf8(bytes.clone()).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let end = lines.pop().unwrap();
    // The control: what is made by the test as it makes the others is an export.
    assert!(signed(&lines, &end) == bytes);
    let mut cases = refused_lines(&lines, &end);
    cases.extend(refused_heads(&lines, &end));
    cases.push((
        "should be",
        text.replacen("\"z\":", "\"y\":", 1).into_bytes(),
    ));
    cases.push(("comes after the last one", [&bytes[..], b"\n"].concat()));
    cases.push(("not an export", Vec::new()));
    cases.push(("not an export", b"SQLite format 3\0\n".to_vec()));
    let directory = home.path().join("new");
    for (says, bytes) in cases {
        let refused = import(&bytes, &directory).unwrap_err().to_string();
        assert!(refused.contains(says), "{says}: {refused}");
        assert!(!directory.exists(), "{says}");
    }
    // Cut off anywhere: after the first line that is told.
    let first = lines[0].len() + 1;
    for length in (1..bytes.len()).step_by(7).chain([bytes.len() - 1]) {
        let refused = import(&bytes[..length], &directory).unwrap_err();
        if length >= first {
            assert!(matches!(refused, TransferError::CutOff { .. }), "{refused}");
        }
        assert!(!directory.exists());
    }
    // A byte that is another one, anywhere.
    for place in (0..bytes.len()).step_by(11) {
        let mut altered = bytes.clone();
        altered[place] ^= 1;
        import(&altered, &directory).unwrap_err();
        assert!(!directory.exists());
    }
    import(&bytes, &directory).unwrap();
}

#[tokio::test]
async fn an_export_of_the_first_form_is_taken_in_and_chained() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    drop(filled(&data).await);
    let bytes = exported(&data);
    let text = String::from_utf8(bytes.clone()).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let end = headless(&lines.pop().unwrap());
    lines[0] = lines[0].replace("\"version\":2", "\"version\":1");
    let older = signed(&lines, &end);
    let checked = ExportFile::check(file_of(&older), &mut on).unwrap();
    assert_eq!(checked.header().version, 1);
    assert_eq!(checked.end().head, None);
    let again = home.path().join("again");
    import(&older, &again).unwrap();
    // The hashes are those that the original has.
    assert!(exported(&again) == bytes);
}

#[tokio::test]
async fn an_import_that_is_broken_off_or_finds_a_database_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let store = filled(&data).await;
    let bytes = exported(&data);
    let refused = import(&bytes, &data).unwrap_err().to_string();
    assert!(refused.contains("in use"), "{refused}");
    store.close().await.unwrap();
    let refused = import(&bytes, &data).unwrap_err().to_string();
    assert!(refused.contains("holds a database already"), "{refused}");
    assert!(exported(&data) == bytes);
    let directory = home.path().join("new");
    let mut ends = 0;
    loop {
        let mut left = ends;
        let mut watch = |_| {
            if left == 0 {
                return ControlFlow::Break(());
            }
            left -= 1;
            ControlFlow::Continue(())
        };
        let export = ExportFile::check(file_of(&bytes), &mut on).unwrap();
        let imported = export.import(&directory, Existing::Keep, &[], &mut watch);
        if imported.is_ok() {
            break;
        }
        ends += 1;
        assert!(!directory.join("guestlist.db").exists());
        assert!(!directory.join("restore.partial").exists());
    }
    assert!(ends > 2, "nothing was broken off");
    assert!(exported(&directory) == bytes);
}
