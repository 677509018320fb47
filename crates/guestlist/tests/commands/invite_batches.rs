//! Batches of invites on the command line: what is printed, what is not, and what running it again does.

use std::fmt::Write as _;

use guestlist_server::testing::TestServer;
use serde_json::json;

use crate::program::Person;

const TABLE: &str = "email,resource,roles\n\
    ann@example.com,projects/42,ro_editor\n\
    bob@example.com,projects/43,ro_editor\n\
    cay@example.com,projects/42,ro_editor\n";

fn id(line: &str) -> &str {
    line.rsplit('\t').next().unwrap()
}

#[tokio::test]
async fn what_can_be_made_is_made_and_the_rest_told_by_its_row() {
    let server = TestServer::start().await.unwrap();
    let alice = Person::user(&server, "alice");
    let file = alice.file("people.csv", TABLE);
    let command = ["invite", "batch", file.as_str()];
    let tried = alice
        .run(&[&command[..], &["--dry-run"]].concat())
        .expect(1);
    assert_eq!(tried.stdout.lines().count(), 2, "{}", tried.stdout);
    assert!(!tried.stdout.contains("inv_"), "{}", tried.stdout);
    let made = alice.run(&command).expect(1);
    let lines: Vec<&str> = made.stdout.lines().collect();
    assert!(
        lines[0].starts_with("1\tann@example.com\tinv_"),
        "{lines:?}"
    );
    assert!(
        lines[1].starts_with("3\tcay@example.com\tinv_"),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 2);
    for text in ["row 2: ", "2 of 3 invites were made", "1 of 3 rows"] {
        assert!(made.stderr.contains(text), "{text}: {}", made.stderr);
    }
    assert!(!made.stderr.contains(id(lines[0])), "{}", made.stderr);
    // The same again invites nobody; under another name it does.
    let again = alice.run(&command).expect(1);
    assert_eq!(again.stdout, made.stdout);
    let other = alice.run(&[&command[..], &["--key", "again"]].concat());
    assert_ne!(other.expect(1).stdout, made.stdout);
    let told = alice.run(&[&command[..], &["--json"]].concat()).expect(1);
    let told = told.json();
    assert_eq!(
        (&told["accepted"], &told["refused"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(told["results"][1]["row"], 2);
    let code = &told["results"][1]["refusal"]["errorCode"];
    assert_eq!(code, "InsufficientGrantAccess");
}

#[tokio::test]
async fn all_or_none() {
    let server = TestServer::start().await.unwrap();
    let alice = Person::user(&server, "alice");
    let atomic = ["invite", "batch", "-", "--format", "csv", "--atomic"];
    let refused = alice.run_with(&atomic, TABLE).expect(1);
    assert_eq!(refused.stdout.trim(), "");
    for text in ["row 2: ", "1 of 3 rows were refused, so no invite was made"] {
        assert!(refused.stderr.contains(text), "{text}: {}", refused.stderr);
    }
    let listed = alice.run(&["invite", "list", "--json"]).expect(0);
    assert!(!listed.stdout.contains("reference"), "{}", listed.stdout);
    let good = TABLE.replace("projects/43", "projects/42");
    let made = alice.run_with(&atomic, &good).expect(0);
    assert_eq!(made.stdout.lines().count(), 3);
    let last = made.stdout.lines().last().unwrap();
    alice.run_with(&["invite", "show", "-"], id(last)).expect(0);
}

#[tokio::test]
async fn more_than_a_thousand_go_in_several_requests() {
    let server = TestServer::start().await.unwrap();
    let alice = Person::user(&server, "alice");
    let mut lines = String::new();
    for number in 0..1_003 {
        let role = if number == 1_001 {
            "ro_nope"
        } else {
            "ro_editor"
        };
        let row = json!({
            "invitee": {"email": format!("u{number}@example.com")},
            "statements": [{"roles": [role], "resources": [{"resourceUri": "projects/42"}]}],
        });
        writeln!(lines, "{row}").unwrap();
    }
    let file = alice.file("people.ndjson", &lines);
    let made = alice.run(&["invite", "batch", &file]).expect(1);
    assert_eq!(made.stdout.lines().count(), 1_002);
    assert!(made.stderr.contains("row 1002: "), "{}", made.stderr);
    let last = made.stdout.lines().last().unwrap();
    assert!(last.starts_with("1003\tu1002@example.com\t"), "{last}");
    let again = alice.run(&["invite", "batch", &file]).expect(1);
    assert_eq!(again.stdout, made.stdout);
    let whole = alice.run(&["invite", "batch", &file, "--atomic"]).expect(2);
    assert!(whole.stderr.contains("at most 1000"), "{}", whole.stderr);
}

#[tokio::test]
async fn what_is_no_batch_is_not_sent() {
    let server = TestServer::start().await.unwrap();
    let alice = Person::user(&server, "alice");
    for (name, content, told) in [
        ("a.csv", "email,roles\na\n", "line 2: has 1 fields"),
        (
            "g.csv",
            "email,roles\na@b.example,a\n,a\n",
            "line 3: row 2: for whom is it? Fill in email or userId, or write none there",
        ),
        ("b.csv", "mail\na\n", "line 1: the columns are email"),
        ("c.ndjson", "{}\n\n{\n", "line 3: "),
        (
            "d.json",
            "{\"people\": []}",
            "must be {\"invites\": […]} or a list",
        ),
        ("e.json", "[]", "there are no invites in it"),
        ("f.txt", "", "which form has the file?"),
    ] {
        let file = alice.file(name, content);
        let refused = alice.run(&["invite", "batch", &file]).expect(2);
        assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
    }
    let both = r#"{"mode": "atomic", "invites": [{"invitee": {"email": "x"}}]}"#;
    let file = alice.file("g.json", both);
    let refused = alice.run(&["invite", "batch", &file]).expect(1);
    assert!(refused.stderr.contains("row 1: "), "{}", refused.stderr);
}
