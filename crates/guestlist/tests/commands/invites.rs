//! Invites on the command line: made, shown, accepted, withdrawn, and their ids kept secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use guestlist_server::testing::TestServer;
use serde_json::json;

use crate::program::{Ended, Person, is_private};
use crate::pseudo_terminal::PseudoTerminal;

const GIVES: [&str; 4] = ["--role", "ro_editor", "--on", "projects/42"];

fn words<'a>(start: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [start, more].concat()
}

fn create(person: &Person, more: &[&str]) -> Ended {
    person.run(&words(&words(&["invite", "create"], &GIVES), more))
}

/// The public half of an id.
fn reference(id: &str) -> &str {
    id.split('_').nth(1).unwrap()
}

/// The secret half.
fn secret(id: &str) -> &str {
    id.split('_').nth(2).unwrap()
}

fn revision(person: &Person) -> String {
    let doctor = person.run(&["doctor", "--json"]).json();
    let checks = doctor["checks"].as_array().unwrap().clone();
    let health = checks.iter().find(|check| check["check"] == "health");
    health.unwrap()["found"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_invite_lives_from_create_to_revoke() {
    let server = TestServer::start().await.unwrap();
    let (alice, bob) = (Person::user(&server, "alice"), Person::user(&server, "bob"));
    let question = ["check", "bob", "projects/42", "documents:write"];
    bob.run(&question).expect(1);

    let made = create(&alice, &[]).expect(0);
    let id = made.stdout.trim();
    assert!(id.starts_with("inv_") && id.len() == 67, "{}", made.stdout);
    let reference = reference(id);
    assert!(made.stderr.contains(reference), "{}", made.stderr);
    assert!(
        made.stderr.contains("ro_editor on projects/42"),
        "{}",
        made.stderr
    );
    assert!(made.stderr.contains("(in 7 days)"), "{}", made.stderr);
    assert!(!made.stderr.contains(id), "{}", made.stderr);

    let shown = alice.run_with(&["invite", "show", "-"], id).expect(0);
    assert!(shown.stdout.contains(reference), "{}", shown.stdout);
    assert!(!shown.stdout.contains(id), "{}", shown.stdout);
    let shown = alice
        .run_with(&["invite", "show", "-", "--json"], id)
        .expect(0);
    assert_eq!(shown.json()["reference"], reference);
    assert!(!shown.stdout.contains(id), "{}", shown.stdout);

    // Not by a stranger, and not by a service client.
    bob.run_with(&["invite", "show", "-"], id).expect(3);
    let owner = Person::owner(&server);
    let refused = owner.run_with(&["invite", "accept", "-"], id).expect(4);
    assert!(
        refused.stderr.contains("invited person's own token"),
        "{}",
        refused.stderr
    );

    let file = bob.file("mine.invite", &format!("{id}\n"));
    let accepted = bob
        .run(&["invite", "accept", "--id-file", &file, "--json"])
        .expect(0);
    assert_eq!(accepted.json()["accepted"], true);
    assert_eq!(accepted.json()["reference"], reference);
    assert_eq!(
        accepted.json()["account"]["accountId"],
        server.account_id().as_str()
    );
    // Anybody may read the file, which is worth a word.
    assert!(accepted.stderr.contains("chmod 600"), "{}", accepted.stderr);
    bob.run(&question).expect(0);

    let withdrawn = create(&alice, &[]).expect(0);
    let id = withdrawn.stdout.trim();
    let ended = alice.run_with(&["invite", "revoke", "-"], id).expect(0);
    assert_eq!(ended.stdout, "");
    let gone = bob.run_with(&["invite", "accept", "-"], id).expect(3);
    for ended in [&ended, &gone] {
        assert!(!ended.stderr.contains(id), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_link_stands_for_the_id_in_it_and_a_broken_id_is_told_from_an_unknown_one() {
    let server = TestServer::start().await.unwrap();
    let alice = Person::user(&server, "alice");
    let made = create(
        &alice,
        &["--link-prefix", "https://app.example.com/join#", "--json"],
    );
    let made = made.expect(0).json();
    let (id, link) = (
        made["inviteId"].as_str().unwrap(),
        made["link"].as_str().unwrap(),
    );
    assert_eq!(link, format!("https://app.example.com/join#{id}"));
    alice.run_with(&["invite", "show", "-"], link).expect(0);

    let (cut, _) = id.split_at(60);
    let refused = alice.run_with(&["invite", "show", "-"], cut).expect(3);
    assert!(refused.stderr.contains("not whole"), "{}", refused.stderr);
    assert!(!refused.stderr.contains(cut), "{}", refused.stderr);

    let warned = alice.run(&["invite", "show", id]).expect(0);
    assert!(
        warned.stderr.contains("can be seen by others"),
        "{}",
        warned.stderr
    );
    let quiet = alice.run(&["invite", "show", id, "--quiet"]).expect(0);
    assert_eq!(quiet.stderr, "");
    let nothing = alice.run(&["invite", "show"]).expect(2);
    assert!(nothing.stderr.contains("--id-file"), "{}", nothing.stderr);
    let token = alice.file("token", "x");
    let both = ["invite", "show", "-", "--token-file", "-"];
    let both = alice.run_with(&both, &token).expect(2);
    assert!(both.stderr.contains("at once"), "{}", both.stderr);
}

#[tokio::test]
async fn several_statements_and_a_file() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    let made = owner.run(&[
        "invite",
        "create",
        "--role",
        "ro_editor,ro_viewer",
        "--on",
        "a,b",
        "--on",
        "c",
        "--grant",
        "ro_viewer on d, e",
        "--grant",
        "ro_manager on f",
        "--expires",
        "36h",
        "--strategy",
        "skip-changes",
        "--user-id",
        "ann",
        "--tenant",
        "t1",
        "--json",
    ]);
    let made = made.expect(0).json();
    let statements = made["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 3);
    assert_eq!(statements[0]["roles"].as_array().unwrap().len(), 2);
    assert_eq!(statements[0]["resources"].as_array().unwrap().len(), 3);
    assert_eq!(statements[1]["resources"][1]["resourceUri"], "e");
    assert_eq!(made["conflictResolutionStrategy"], "SKIP_CHANGES");
    assert_eq!(made["linkedUserId"], "ann");
    assert_eq!(made["defaultLoginTenantId"], "t1");

    let text = "statements:\n- roles: [ro_viewer]\n  resources: [{resourceUri: docs}]\n";
    let file = owner.file("invite.yaml", text);
    let made = owner.run(&[
        "invite",
        "create",
        "-f",
        &file,
        "--expires",
        "2 days",
        "--json",
    ]);
    let made = made.expect(0).json();
    assert_eq!(made["statements"][0]["resources"][0]["resourceUri"], "docs");
    // What was answered can be handed in again.
    let again = made.to_string();
    owner
        .run_with(&["invite", "create", "-f", "-"], &again)
        .expect(0);

    let misspelt = format!("{text}expires: 5d\n");
    let refused = owner
        .run_with(&["invite", "create", "-f", "-"], &misspelt)
        .expect(2);
    assert!(refused.stderr.contains("expires"), "{}", refused.stderr);
    let empty = owner.run(&["invite", "create"]).expect(2);
    assert!(empty.stderr.contains("--role"), "{}", empty.stderr);
    let half = owner
        .run(&["invite", "create", "--role", "ro_viewer"])
        .expect(2);
    assert!(half.stderr.contains("--on"), "{}", half.stderr);
}

#[test]
fn an_end_that_no_invite_may_have_is_refused_before_anything_is_sent() {
    // Nothing listens there: had anything been sent, the code would be another one.
    let nobody = Person::new().with("GUESTLIST_URL", "http://127.0.0.1:1");
    for (expires, reason) in [
        ("4m", "5 minutes to 30 days"),
        ("31d", "5 minutes to 30 days"),
        ("2020-01-01T00:00Z", "have ended already"),
        ("2 months", "days or weeks"),
        ("soon", "must be a duration"),
    ] {
        let refused = create(&nobody, &["--expires", expires]).expect(2);
        assert!(
            refused.stderr.contains(reason),
            "{expires}: {}",
            refused.stderr
        );
    }
    create(&nobody, &["--expires", "5m", "--timeout", "2"]).expect(6);
}

#[tokio::test]
async fn a_rehearsal_makes_nothing_and_says_what_it_would_do() {
    let server = TestServer::start().await.unwrap();
    let (owner, alice) = (Person::owner(&server), Person::user(&server, "alice"));
    let before = revision(&owner);
    let shown = create(&owner, &["--dry-run", "--expires", "5d"]).expect(0);
    for text in [
        "Nothing was made",
        "ro_editor on projects/42",
        "documents:write",
        "(in 5 days)",
        "Outcome",
    ] {
        assert!(shown.stdout.contains(text), "{text}: {}", shown.stdout);
    }
    let told = create(&alice, &["--dry-run", "--json"]).expect(0).json();
    assert_eq!(told["dryRun"], true);
    assert_eq!(told["effect"]["gains"][0]["roleId"], "ro_editor");

    // What would be refused is refused.
    let bob = Person::user(&server, "bob");
    let beyond = create(&bob, &["--dry-run"]).expect(4);
    assert!(beyond.stderr.contains("error:"), "{}", beyond.stderr);
    let missing = [
        "invite",
        "create",
        "--role",
        "ro_nope",
        "--on",
        "x",
        "--dry-run",
    ];
    let missing = owner.run(&missing).expect(2);
    assert!(missing.stderr.contains("ro_nope"), "{}", missing.stderr);
    let stranger = Person::new()
        .with("GUESTLIST_URL", server.url())
        .with("GUESTLIST_TOKEN", "nonsense");
    create(&stranger, &["--dry-run"]).expect(4);
    assert_eq!(revision(&owner), before);
    // The control: this is what a change looks like.
    create(&owner, &[]).expect(0);
    assert_ne!(revision(&owner), before);
}

#[tokio::test]
async fn a_message_is_made_and_not_sent() {
    let server = TestServer::start().await.unwrap();
    let alice = Person::user(&server, "alice");
    let more = [
        "--email",
        "ann@example.com",
        "--link-prefix",
        "https://x.example/?invite=",
    ];
    let made = create(&alice, &more).expect(0);
    let id = made.stdout.lines().next().unwrap();
    for text in [
        "To: ann@example.com",
        "Subject: ",
        &format!("  https://x.example/?invite={id}\n"),
        "mailto:ann@example.com?subject=You%20are%20invited&body=",
        &format!("https%3A%2F%2Fx.example%2F%3Finvite%3D{id}"),
    ] {
        assert!(made.stdout.contains(text), "{text}: {}", made.stdout);
    }
    assert!(made.stderr.contains("Nothing was sent"), "{}", made.stderr);
    assert!(!made.stderr.contains(id), "{}", made.stderr);
    let told = create(&alice, &[&more[..], &["--json"]].concat())
        .expect(0)
        .json();
    assert_eq!(told["message"]["to"], "ann@example.com");
    let refused = create(&alice, &["--email", "ann@example.com\nBcc: b@example.com"]);
    refused.expect(2);
}

#[tokio::test]
async fn an_id_can_go_into_a_file_and_nowhere_else() {
    let server = TestServer::start().await.unwrap();
    let alice = Person::user(&server, "alice");
    for form in ["--no-pager", "--json"] {
        let name = format!("ann{form}.invite");
        let made = create(&alice, &["--out", &name, form]).expect(0);
        let path = alice.home.path().join(&name);
        let id = std::fs::read_to_string(&path).unwrap();
        assert!(is_private(&path));
        let secret = secret(&id);
        assert!(!made.stdout.contains(secret), "{}", made.stdout);
        assert!(!made.stderr.contains(secret), "{}", made.stderr);
        alice.run(&["invite", "show", "--id-file", &name]).expect(0);
        // A file that is there is not overwritten, and nothing is made then.
        create(&alice, &["--out", &name]).expect(7);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), id);
    }
    let refused = [
        "invite", "create", "--role", "ro_nope", "--on", "x", "--out", "none",
    ];
    alice.run(&refused).expect(2);
    assert!(!alice.home.path().join("none").exists());
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let server = TestServer::start().await.unwrap();
    let alice = Person::user(&server, "alice");
    let ceiling = alice.run(&[
        "invite",
        "create",
        "--role",
        "ro_editor",
        "--on",
        "projects/43",
    ]);
    let ceiling = ceiling.expect(4);
    assert!(
        ceiling.stderr.contains("more than they may give"),
        "{}",
        ceiling.stderr
    );
    let role = alice.run(&[
        "invite",
        "create",
        "--role",
        "editor",
        "--on",
        "projects/42",
    ]);
    let role = role.expect(2);
    assert!(
        role.stderr.contains("guestlist role list"),
        "{}",
        role.stderr
    );
    let told = create(&alice, &["--expires", "1h", "--json"]).expect(4);
    let error: serde_json::Value = serde_json::from_str(&told.stderr).unwrap();
    assert_eq!(error["error"]["errorCode"], "Forbidden");
}

#[tokio::test]
async fn a_terminal_shows_a_code_takes_the_clipboard_and_hides_what_is_typed() {
    let server = TestServer::start().await.unwrap();
    let alice = Person::user(&server, "alice");
    let terminal = PseudoTerminal::open();
    let made = alice
        .command(&words(
            &words(&["invite", "create"], &GIVES),
            &["--qr", "--copy"],
        ))
        .stderr(terminal.side())
        .output()
        .unwrap();
    let screen = terminal.whole();
    assert!(made.status.success(), "{screen}");
    let id = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let sequence = format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode(&id));
    assert!(screen.contains(&sequence), "{screen}");
    assert!(screen.contains("▀▀"), "{screen}");
    assert!(!screen.contains(&id), "{screen}");

    // Without a terminal it is refused before anything is made.
    let refused = create(&alice, &["--copy"]).expect(2);
    assert!(refused.stderr.contains("terminal"), "{}", refused.stderr);

    let mut terminal = PseudoTerminal::open();
    let child = alice
        .command(&["invite", "show"])
        .stdin(terminal.side())
        .stderr(terminal.side())
        .spawn()
        .unwrap();
    terminal.until("not shown");
    terminal.type_in(&format!("{id}\r"));
    let shown = child.wait_with_output().unwrap();
    let screen = terminal.whole();
    assert!(shown.status.success(), "{screen}");
    assert!(
        String::from_utf8(shown.stdout)
            .unwrap()
            .contains(reference(&id))
    );
    assert!(!screen.contains(secret(&id)), "{screen}");

    let mut terminal = PseudoTerminal::open();
    let child = alice
        .command(&["invite", "show"])
        .stdin(terminal.side())
        .stderr(terminal.side())
        .spawn()
        .unwrap();
    terminal.until("not shown");
    terminal.type_in("inv_abc\u{3}");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    // The terminal shows again what is typed.
    terminal.type_in("echoed");
    terminal.until("echoed");
}

#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
#[tokio::test]
async fn invites_are_listed_changed_renewed_declined_and_withdrawn() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    let give = "invite create --role Authress:ReadResource --on docs/1";
    let made = owner
        .say(&format!("{give} --for Ann@Example.com --tag team=blue --max-uses 3 --email-domain example.com --not-before 1h --json"))
        .expect(0)
        .json();
    assert_eq!(made["invitee"], json!({"email": "ann@example.com"}));
    assert_eq!(made["restrictions"]["maxUses"], 3);
    let reference = made["reference"].as_str().unwrap().to_owned();
    owner.say(&format!("{give} --max-uses 0")).expect(2);
    let list = owner.say("invite list --for ann@example.com").expect(0);
    let lines: Vec<&str> = list.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", list.stdout);
    assert!(lines[0].starts_with("REFERENCE") && lines[1].contains("SCHEDULED"));
    let second = owner.say("invite create --role Authress:ReadResource --on docs/9 --json");
    let second = second.expect(0).json()["reference"].clone();
    for (sort, place) in [("created", 1), ("newest", 0)] {
        let listed = owner.say(&format!("invite list --sort {sort} --json"));
        assert_eq!(
            listed.expect(0).json()[place]["reference"],
            second,
            "{sort}"
        );
    }
    let secret = made["inviteId"].as_str().unwrap();
    assert!(!list.stdout.contains(secret));
    assert_eq!(
        owner
            .say("invite list --status expired --json")
            .expect(0)
            .json(),
        json!([])
    );
    let yaml = owner
        .say(&format!("invite status {reference} --yaml"))
        .expect(0);
    let changed = yaml.stdout.replace("docs/1", "docs/2");
    let change = ["invite", "change", &reference, "-f", "-"];
    owner.run_with(&change, &changed).expect(0);
    owner.run_with(&change, &changed).expect(5);
    let shown = owner.say(&format!("invite status {reference}")).expect(0);
    assert!(shown.stdout.contains("docs/2") && shown.stdout.contains("team=blue"));
    let renewed = owner
        .say(&format!("invite renew {reference} --expires 7d"))
        .expect(0);
    let id = renewed.stdout.trim();
    assert!(id.starts_with(&format!("inv_{reference}_")) && id != secret);
    let preview = owner.run_with(&["invite", "preview", "-"], id).expect(0);
    assert!(
        preview.stdout.contains("a***@example.com"),
        "{}",
        preview.stdout
    );
    let old = owner.run_with(&["invite", "preview", "-"], secret);
    old.expect(3);
    owner
        .run_with(
            &["invite", "decline", "-", "--as-holder", "--reason", "no"],
            id,
        )
        .expect(0);
    let history = owner.say(&format!("invite history {reference}")).expect(0);
    for word in ["created", "updated", "renewed", "declined"] {
        assert!(history.stdout.contains(word), "{}", history.stdout);
    }
    let leaked = owner.say(give).expect(0);
    owner
        .run_with(&["invite", "report-leak", "-"], leaked.stdout.trim())
        .expect(0);
    owner.say(&format!("{give} --for ann")).expect(0);
    let inbox = owner.say("invite inbox ann --json").expect(0).json();
    assert_eq!(inbox.as_array().unwrap().len(), 1);
    owner.say("invite revoke-all --yes").expect(2);
    let gone = owner
        .say("invite revoke-all --on docs/1 --yes --json")
        .expect(0)
        .json();
    assert_eq!(gone["revoked"].as_array().unwrap().len(), 1);
    owner
        .say("invite revoke-all --on docs/1 --yes")
        .expect(0)
        .saying("");
}

#[tokio::test]
async fn what_an_invite_gave_is_listed_and_taken_back() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    let give =
        "invite create --role Authress:ReadResource --on docs/1 --max-uses 2 --access-duration P1D";
    let made = owner.say(give).expect(0);
    let id = made.stdout.trim();
    let reference = reference(id).to_owned();
    for name in ["ann", "ben"] {
        Person::user(&server, name)
            .run_with(&["invite", "accept", "-"], id)
            .expect(0);
    }
    let uses = owner.say(&format!("invite acceptances {reference}"));
    for word in ["ann", "ben", "Authress:ReadResource on docs/1 until"] {
        assert!(uses.stdout.contains(word), "{}", uses.stdout);
    }
    let undo = format!("invite undo {reference}");
    let planned = owner.say(&format!("{undo} --dry-run --json")).expect(0);
    assert_eq!(planned.json()["undone"].as_array().unwrap().len(), 2);
    // Nobody can be asked, so nothing is done; what would be is said.
    let unasked = owner.say(&undo).expect(2);
    assert!(unasked.stderr.contains("docs/1"), "{}", unasked.stderr);
    let check = |user: &str| owner.say(&format!("check {user} docs/1 READ"));
    check("ann").expect(0);
    owner.say(&format!("{undo} --from ann --yes")).expect(0);
    check("ann").expect(1);
    check("ben").expect(0);
    let rest = owner.say(&format!("{undo} --yes --json")).expect(0).json();
    assert_eq!(rest["undone"][0]["userId"], "ben");
    check("ben").expect(1);
    let nothing = owner.say(&format!("{undo} --yes")).expect(0);
    nothing.saying("nothing to take back");
    Person::user(&server, "ann").say(&undo).expect(3);
}

#[tokio::test]
async fn what_became_of_invites_is_told_and_what_holds_for_all_is_set() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    let made = owner.say("invite create --role Authress:ReadResource --on docs/1");
    let id = made.expect(0).stdout.trim().to_owned();
    let all = owner.say("invite statistics --since 7d").expect(0);
    for told in ["1 person", "0 (0 %) by 0 people", "1 pending"] {
        assert!(all.stdout.contains(told), "{}", all.stdout);
    }
    Person::user(&server, "ann")
        .run_with(&["invite", "accept", "-"], &id)
        .expect(0);
    let by = owner.say("invite statistics --by role").expect(0);
    for told in ["Authress:ReadResource", "1 (100 %)", "1 accepted"] {
        assert!(by.stdout.contains(told), "{}", by.stdout);
    }
    let early = "invite statistics --since 2020-01-01T00:00Z --until 2020-02-01T00:00Z --json";
    let early = owner.say(early).expect(0).json();
    assert_eq!(early["total"]["invites"], 0);
    owner
        .say("invite settings")
        .expect(0)
        .saying("are suspended");
    let set = owner
        .say("invite settings --lost-authority revoke")
        .expect(0);
    set.saying("are withdrawn");
    let read = owner.say("invite settings --json").expect(0).json();
    assert_eq!(read["lostAuthority"], "REVOKE");
    Person::user(&server, "ann")
        .say("invite settings")
        .expect(4);
}

#[tokio::test]
async fn what_must_be_approved_is_asked_for_and_given_by_another() {
    let server = TestServer::start().await.unwrap();
    let owner = Person::owner(&server);
    let role = "--role Authress:ReadResource --on docs/1";
    let made = owner.say(&format!("invite create {role} --require-approval"));
    let id = made.expect(0).stdout.trim().to_owned();
    let ann = Person::user(&server, "ann");
    let asked = ann.run_with(&["invite", "accept", "-"], &id).expect(0);
    let asked = asked.saying("awaits approval");
    let check = |expected| owner.say("check ann docs/1 READ").expect(expected);
    check(1);
    let words = asked.stdout + &asked.stderr;
    let request = words
        .split(|character: char| character.is_whitespace())
        .find(|word| word.starts_with("req_invite_"))
        .unwrap()
        .trim_end_matches('.')
        .to_owned();
    ann.say(&format!("request approve {request}")).expect(3);
    owner
        .say("invite list --status awaiting-approval")
        .expect(0)
        .saying("docs/1");
    owner.say(&format!("request approve {request}")).expect(0);
    check(0);
    // What is risky needs another than whoever made it, once the account wants that.
    owner
        .say("invite settings --approval-for-risk true")
        .expect(0)
        .saying("somebody else");
    let made = owner.say("invite create --role Authress:Owner --on docs/2");
    let id = made.expect(0).stdout.trim().to_owned();
    ann.run_with(&["invite", "accept", "-"], &id)
        .expect(0)
        .saying("awaits approval");
    let open = owner.say("request list --json").expect(0).json();
    let mut open = open.as_array().unwrap().iter();
    let open = open.find(|request| request["status"] == "OPEN").unwrap();
    let request = open["requestId"].as_str().unwrap();
    owner
        .say(&format!("request approve {request}"))
        .expect(4)
        .saying("somebody else");
    owner.say(&format!("request deny {request}")).expect(0);
    owner.say("check ann docs/2 READ").expect(1);
    ann.run_with(&["invite", "accept", "-"], &id).expect(3);
}
