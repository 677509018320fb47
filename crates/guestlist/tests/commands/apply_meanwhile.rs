//! What happens while apply runs: others change things, and somebody interrupts.

use std::io::{BufRead as _, BufReader};
use std::process::Command;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use serde_json::Value;

use crate::apply::{GROUPS, RECORDS, ROLES, outcomes, owner, server, steps};
use crate::between::Between;
use crate::program::Person;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn what_changes_meanwhile_is_not_overwritten_and_a_second_run_does_the_rest() {
    let server = server().await;
    let owner = owner(&server);
    owner.say("apply -f access --yes").expect(0);
    let roles = ROLES.replace("name: Reader", "name: Changed");
    owner.file("access/roles.yaml", &roles);
    let groups = GROUPS.replace("dave", "frank");
    owner.file("access/people/groups.json", &groups);
    let records = RECORDS.replace("erin", "frank");
    owner.file("access/records.yaml", &records);

    // Somebody else changes the group when the role is written, which is after the plan.
    let other = Mutex::new(Some(Person::owner(&server)));
    let between = Between::new(server.url(), move |request| {
        if request.starts_with("PUT /v1/roles/ro_reader")
            && let Some(other) = other.lock().unwrap().take()
        {
            let group = GROUPS.replace(r#""kind": "Group", "#, "");
            let group = group.replace("Writers", "Authors");
            other
                .run_with(&["group", "edit", "grp_writers", "-f", "-"], &group)
                .expect(0);
        }
    });
    let url = &between.url;
    let refused = owner
        .say(&format!("apply -f access --yes --url {url}"))
        .expect(5)
        .saying("group grp_writers: it changed since the plan was made")
        .saying("1 of 3 steps were done.");
    let last = refused.stdout.lines().rev().take(3).map(str::trim);
    assert_eq!(
        last.collect::<Vec<_>>(),
        [
            "not done: change record rec_readers",
            "failed: change group grp_writers",
            "done: change role ro_reader"
        ]
    );
    let group = owner.say("group show grp_writers --json").expect(0);
    assert_eq!(group.json()["name"], "Authors");
    let rest = owner.say(&format!("apply -f access --yes --json --url {url}"));
    let rest = rest.expect(0).json();
    assert_eq!(steps(&rest), ["change grp_writers", "change rec_readers"]);
    owner.say("diff -f access").expect(0);
}

/// What is applied, and what somebody else does just before a request.
struct Case {
    manifest: &'static str,
    request: &'static str,
    /// Which request of these: the plan itself reads the identities once.
    nth: u32,
    by_hand: &'static str,
    expected: &'static str,
}

const CASES: [Case; 5] = [
    Case {
        manifest: "kind: Role\nroleId: ro_new\nname: New\npermissions: []\n",
        request: "POST /v1/roles",
        nth: 1,
        by_hand: "role create ro_new --name Theirs",
        expected: "role ro_new: There is a role with this id.",
    },
    Case {
        manifest: "kind: Role\nroleId: ro_viewer\nname: New\npermissions: []\n",
        request: "GET /v1/roles/ro_viewer",
        nth: 1,
        by_hand: "role delete ro_viewer --yes",
        expected: "role ro_viewer: it is no longer there",
    },
    Case {
        manifest: "kind: Client\nname: Robot\n",
        request: "GET /v1/clients?filter=Robot",
        nth: 1,
        by_hand: "client create --name Robot",
        expected: "is called so by now",
    },
    Case {
        manifest: "\
kind: Record
recordId: rec_sample
name: New
statements: [{roles: [ro_viewer], resources: [{resourceUri: a}]}]
",
        request: "PUT /v1/records/rec_sample",
        nth: 1,
        by_hand: "record delete rec_sample --yes",
        expected: "record rec_sample: it is no longer there",
    },
    Case {
        manifest: "kind: Identity\nissuer: http://127.0.0.1:9999\npreferredAudience: a\n",
        request: "GET /v1/identities",
        nth: 2,
        by_hand: "identity link --issuer http://127.0.0.1:9999 --audience a",
        expected: "identity http://127.0.0.1:9999 for a: it changed",
    },
];

/// Each kind of write with somebody else who was faster; the control is the same without them.
#[tokio::test]
async fn every_kind_of_step_notices_what_happened_meanwhile() {
    for case in &CASES {
        for interferes in [false, true] {
            let server = server().await;
            let owner = Person::owner(&server);
            owner.file("a.yaml", case.manifest);
            let other = Person::owner(&server);
            let count = Mutex::new(0);
            let between = Between::new(server.url(), move |seen| {
                if seen.starts_with(case.request) {
                    let mut count = count.lock().unwrap();
                    *count += 1;
                    if *count == case.nth && interferes {
                        other.say(case.by_hand).expect(0);
                    }
                }
            });
            let url = &between.url;
            let ended = owner.say(&format!("apply -f a.yaml --yes --url {url}"));
            if interferes {
                ended
                    .expect(5)
                    .saying(case.expected)
                    .saying("0 of 1 steps were done.");
            } else {
                ended.expect(0);
            }
        }
    }
}

#[tokio::test]
async fn what_is_to_be_deleted_must_be_as_it_was() {
    let server = server().await;
    let owner = owner(&server);
    owner.say("apply -f access --yes").expect(0);
    let other = Mutex::new(Some(Person::owner(&server)));
    let between = Between::new(server.url(), move |request| {
        if request.starts_with("GET /v1/records/rec_sample")
            && let Some(other) = other.lock().unwrap().take()
        {
            let record = other.say("record show rec_sample --yaml").expect(0).stdout;
            let record = record.replace("Alice", "Nobody");
            other
                .run_with(&["record", "edit", "rec_sample", "-f", "-"], &record)
                .expect(0);
        }
    });
    let line = format!("apply -f access --prune --yes --url {}", between.url);
    owner
        .say(&line)
        .expect(5)
        .saying("record rec_sample: it changed since the plan was made");
    owner.say("record show rec_sample").expect(0);
    // Now that this is known, it goes.
    owner.say(&line).expect(0);
    let gone = owner.say("record show rec_sample --json").expect(0);
    assert_eq!(gone.json()["status"], "DELETED");
}

#[tokio::test]
async fn interrupted_it_finishes_the_step_in_hand_and_says_how_far_it_came() {
    let server = server().await;
    let owner = owner(&server);
    let (tell_process, process) = mpsc::channel::<u32>();
    let (tell_noticed, noticed) = mpsc::channel::<()>();
    let waits = Mutex::new((process, noticed));
    // The third request to make something is held until the program has noticed the interruption.
    let between = Between::new(server.url(), move |request| {
        if request.starts_with("POST /v1/groups") {
            let waits = waits.lock().unwrap();
            let process = waits.0.recv_timeout(PATIENCE).unwrap();
            let sent = Command::new("kill")
                .args(["-INT", &process.to_string()])
                .status();
            assert!(sent.unwrap().success());
            waits.1.recv_timeout(PATIENCE).unwrap();
        }
    });
    let url = &between.url;
    let line = format!("apply -f access --yes --json --url {url}");
    let words: Vec<&str> = line.split(' ').collect();
    let mut child = owner.command(&words).spawn().unwrap();
    tell_process.send(child.id()).unwrap();
    let mut stderr = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.contains("finishing the step in hand") {
            tell_noticed.send(()).unwrap();
        }
        stderr.push_str(&line);
    }
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{stderr}");
    let applied: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let expected = ["done", "done", "done"].into_iter();
    let expected: Vec<&str> = expected.chain(["notDone"; 4]).collect();
    assert_eq!(outcomes(&applied), expected);
    assert!(stderr.contains("3 of 7 steps were done."), "{stderr}");
    owner.say("group show grp_writers").expect(0);
    owner.say("apply -f access --yes").expect(0);
    owner.say("diff -f access").expect(0);
}
