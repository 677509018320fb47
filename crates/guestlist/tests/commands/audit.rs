//! `guestlist audit`: a log that is exported and verified, and everything that somebody could do to
//! it in between.

use guestlist_client::api::events::{Event, EventCollection};
use guestlist_server::testing::TestServer;
use serde_json::{Value, json};

use crate::fake_server::{FakeServer, Reply};
use crate::program::{Ended, Person, is_private};

/// A server that has done something, its owner, and the whole log as they exported it.
async fn exported() -> (TestServer, Person, Vec<String>) {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    for number in 0..5 {
        let role = format!("role create ro_{number} --name r --allow documents:read");
        owner.say(&role).expect(0);
    }
    let made = owner.say("audit export all.ndjson --json").expect(0).json();
    let text = std::fs::read_to_string(owner.home.path().join("all.ndjson")).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(made["events"], 6);
    assert_eq!(made["lastRevision"], 6);
    assert_eq!(made["lastHash"], hash_of(&lines[5]));
    (server, owner, lines)
}

fn hash_of(line: &str) -> String {
    let line: Value = serde_json::from_str(line).unwrap();
    line["hash"].as_str().unwrap().to_owned()
}

/// What became of lines, with these arguments.
fn verify(person: &Person, lines: &[String], arguments: &str) -> Ended {
    person.file("given.ndjson", &(lines.join("\n") + "\n"));
    let line = format!("audit verify given.ndjson --json {arguments}");
    person.say(line.trim_end())
}

#[tokio::test]
async fn a_log_is_exported_and_verified_by_what_was_kept() {
    let (_server, owner, lines) = exported().await;
    assert!(is_private(&owner.home.path().join("all.ndjson")));
    let last = hash_of(&lines[5]);
    // Whoever verifies needs no server, and nothing of the owner's.
    let auditor = Person::new();
    let verdict = verify(&auditor, &lines, "").expect(0).json();
    assert_eq!(
        verdict,
        json!({"intact": true, "events": 6, "lastRevision": 6, "lastHash": last, "heads": []})
    );
    let kept = hash_of(&lines[2]);
    let heads = format!("--head {last} --head {kept}");
    let verdict = verify(&auditor, &lines, &heads).expect(0).json();
    assert_eq!(
        verdict["heads"],
        json!([{"hash": last, "revision": 6}, {"hash": kept, "revision": 3}])
    );
    let said = auditor.say("audit verify given.ndjson").expect(0);
    assert!(said.stdout.contains("Unbroken") && said.stdout.contains(&last));
    // From a pipe as well.
    let printed = owner.say("audit export -").expect(0);
    assert!(printed.stderr.contains(&last), "{}", printed.stderr);
    let printed_lines: Vec<&str> = printed.stdout.lines().collect();
    assert_eq!(printed_lines, lines);
    let words = ["audit", "verify", "-", "--head", last.as_str()];
    auditor.run_with(&words, &printed.stdout).expect(0);
}

#[tokio::test]
async fn whatever_was_changed_is_told_with_the_first_broken_revision() {
    let (_server, owner, lines) = exported().await;
    let broken = |changed: &[String], arguments: &str| {
        let verdict = verify(&owner, changed, arguments).expect(1).json();
        assert_eq!(verdict["intact"], false);
        assert!(verdict["problem"].is_string());
        verdict["brokenRevision"].as_u64()
    };
    let with = |place: usize, from: &str, to: &str| {
        let mut changed = lines.clone();
        assert!(lines[place].contains(from), "{}", lines[place]);
        changed[place] = lines[place].replacen(from, to, 1);
        broken(&changed, "")
    };
    assert_eq!(with(3, "role.created", "role.deleted"), Some(4));
    assert_eq!(
        with(
            3,
            "\"subject\":{\"id\":\"ro_2",
            "\"subject\":{\"id\":\"ro_9"
        ),
        Some(4)
    );
    assert_eq!(with(0, "Authress:Service", "mallory"), Some(1));
    assert_eq!(with(5, "\"eventTime\":\"2", "\"eventTime\":\"1"), Some(6));
    assert_eq!(with(4, "\"hash\":\"", "\"hash\":\"x"), Some(5));
    assert_eq!(with(4, &hash_of(&lines[4]), &hash_of(&lines[3])), Some(5));
    assert_eq!(with(2, "\"revision\":3", "\"revision\":4"), Some(3));
    // Another text of the same says nothing else, but who reads it may read something else.
    assert_eq!(
        with(2, ":{\"actor\"", ":{\"actor\":\"mallory\",\"actor\""),
        Some(3)
    );
    assert_eq!(with(2, ":{\"actor\"", ": {\"actor\""), Some(3));
    let mut shorter = lines.clone();
    shorter.remove(2);
    assert_eq!(broken(&shorter, ""), Some(3));
    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    assert_eq!(broken(&swapped, ""), Some(2));
    let mut more = lines.clone();
    more.push(lines[5].clone());
    assert_eq!(broken(&more, ""), Some(7));
}

#[tokio::test]
async fn what_only_a_kept_hash_can_show() {
    let (_server, owner, lines) = exported().await;
    let (first, last) = (hash_of(&lines[2]), hash_of(&lines[5]));
    // The end is cut off: the rest holds together.
    verify(&owner, &lines[..4], "").expect(0);
    verify(&owner, &lines[..4], &format!("--head {first}")).expect(0);
    let verdict = verify(&owner, &lines[..4], &format!("--head {last}")).expect(1);
    let verdict = verdict.json();
    assert_eq!(verdict["heads"], json!([{"hash": last, "revision": null}]));
    assert_eq!(verdict["lastRevision"], 4);
    // Another log, made from the beginning.
    let (_other, _, others) = exported().await;
    verify(&owner, &others, "").expect(0);
    verify(&owner, &others, &format!("--head {last}")).expect(1);
}

#[tokio::test]
async fn a_part_of_the_log_goes_on_from_the_hash_before_it() {
    let (_server, owner, lines) = exported().await;
    let made = owner.say("audit export part.ndjson --after 2 --json");
    let made = made.expect(0).json();
    assert_eq!((&made["after"], &made["events"]), (&json!(2), &json!(4)));
    assert_eq!(made["afterHash"], hash_of(&lines[1]));
    let text = std::fs::read_to_string(owner.home.path().join("part.ndjson")).unwrap();
    let part: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(part, lines[2..]);
    verify(&owner, &part, "").expect(2).saying("--after-hash");
    let right = format!("--after-hash {}", hash_of(&lines[1]));
    verify(&owner, &part, &right).expect(0);
    // The hash that was kept may be the one before.
    let kept = format!("{right} --head {}", hash_of(&lines[1]));
    verify(&owner, &part, &kept).expect(0);
    let wrong = format!("--after-hash {}", hash_of(&lines[0]));
    let verdict = verify(&owner, &part, &wrong).expect(1).json();
    assert_eq!(verdict["brokenRevision"], 3);
    verify(&owner, &lines, &right).expect(1);
    for after in [6, 7, u64::MAX] {
        let line = format!("audit export none.ndjson --after {after}");
        owner.say(&line).expect(3);
    }
    assert!(!owner.home.path().join("none.ndjson").exists());
}

#[tokio::test]
async fn what_is_no_audit_export_is_refused_and_files_are_kept() {
    let (server, owner, _) = exported().await;
    owner
        .say("audit export all.ndjson")
        .expect(5)
        .saying("--force");
    owner.say("audit export all.ndjson --force").expect(0);
    let other = owner.file("notes.txt", "mine");
    owner.say("audit export notes.txt --force").expect(5);
    assert_eq!(std::fs::read_to_string(other).unwrap(), "mine");
    owner.say("audit verify notes.txt").expect(2);
    owner.file("empty.ndjson", "");
    owner.say("audit verify empty.ndjson").expect(2);
    owner.say("audit verify nothing.ndjson").expect(3);
    owner.say("audit verify all.ndjson --head 12ab").expect(2);
    // Who may not read the log gets no file.
    let nobody = Person::user(&server, "nobody");
    nobody.say("audit export mine.ndjson").expect(4);
    let left = nobody.home.path().read_dir().unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().contains("ndjson")),
        "{left:?}"
    );
}

/// A server that answers these events, page by page.
fn telling(events: Vec<Event>) -> FakeServer {
    FakeServer::start(move |asked| {
        let query = asked
            .path
            .split_once("after=")
            .map_or("0", |(_, rest)| rest);
        let after = query.split('&').next().unwrap_or_default();
        let after: usize = after.parse().unwrap();
        let page = EventCollection {
            events: events.iter().skip(after).take(2).cloned().collect(),
            last_revision: events.len() as u64,
            last_hash: None,
        };
        Reply::json(200, &serde_json::to_value(page).unwrap())
    })
}

#[tokio::test]
async fn a_server_whose_log_is_broken_gives_no_export() {
    let (server, owner, _) = exported().await;
    let events = owner.say("events list --all --json").expect(0).json();
    let events: Vec<Event> = serde_json::from_value(events).unwrap();
    drop(server);
    let export = |events: Vec<Event>| {
        let fake = telling(events);
        let auditor = Person::new().with("GUESTLIST_URL", &fake.url());
        let ended = auditor.say("audit export all.ndjson");
        assert_eq!(
            auditor.home.path().join("all.ndjson").exists(),
            ended.code == Some(0)
        );
        ended
    };
    // The control.
    export(events.clone()).expect(0);
    let mut altered = events.clone();
    altered[3].actor.id = "mallory".parse().unwrap();
    export(altered).expect(1).saying("revision 4 is broken");
    let mut without = events.clone();
    without[3].hash = None;
    export(without).expect(2).saying("does not chain");
    let mut shorter = events;
    shorter.remove(3);
    export(shorter)
        .expect(1)
        .saying("revision 5 stands where revision 4 belongs");
}
