//! Imports from servers that answer in another shape, fail in the middle, or lie; and interrupts.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use guestlist_server::testing::TestServer;
use serde_json::{Value, json};

use crate::account_import::{document, import, other, with_outcome};
use crate::between::Between;
use crate::fake_server::{FakeServer, Reply};
use crate::program::Person;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_mins(1);

fn group(id: &str) -> Value {
    json!({"groupId": id, "name": id, "users": [{"userId": "bob"}], "admins": null, "links": {"self": null}})
}

/// An empty list of every kind, in the frame of the hosted service.
fn empty(path: &str) -> Value {
    let noun = path.split(['/', '?']).nth(2).unwrap_or_default();
    let noun = if noun == "requests" { "records" } else { noun };
    json!({ noun: [], "pagination": {"next": null}, "links": {"self": {"href": "https://a.example"}} })
}

/// A server whose lists are empty but for what this function answers.
fn scripted(answer: impl Fn(&str) -> Option<Reply> + Send + 'static) -> FakeServer {
    FakeServer::start(move |asked| {
        answer(&asked.path).unwrap_or_else(|| Reply::json(200, &empty(&asked.path)))
    })
}

/// What a server answers to a path, if it is about that.
type Lie = Box<dyn Fn(&str) -> Option<Reply> + Send>;

/// The owner of this server, with a token for the other one.
fn person(here: &TestServer) -> Person {
    Person::owner(here).with("GUESTLIST_FROM_TOKEN", "a.b.c")
}

fn hosted(path: &str) -> Option<Reply> {
    let permissions =
        json!([{"action": "notes:read", "allow": true, "grant": false, "delegate": false}]);
    let body = match path {
        "/v1/roles" => json!({
            "roles": [
                {"roleId": "Authress:Owner", "name": "Owner", "description": null, "permissions": []},
                {"roleId": "ro_reader", "name": "Reader", "description": null,
                 "permissions": permissions, "somethingNew": {"a": [1]}},
                {"name": "no id"},
                "no object",
                {"roleId": "ro_broken", "name": "Broken", "permissions": [{"action": "a b"}]},
            ],
            "pagination": {"next": {"cursor": "c 2"}},
            "links": {"self": {"href": "https://a.example/v1/roles"}, "next": {"href": "https://evil.example"}},
        }),
        "/v1/roles?cursor=c+2" => json!({
            "roles": [{"roleId": "ro_second", "name": "\u{1b}[31mRed\u{202e}", "permissions": []}],
            "pagination": {"next": null}, "links": null,
        }),
        "/v1/clients" => json!({
            "clients": [{"clientId": "sc_Hosted1", "name": null, "options": null, "rateLimits": null,
                "verificationKeys": [{"keyId": "k1", "publicKey": null}], "tags": null}],
        }),
        "/v1/resources" => json!({"resources": [
            {"permissions": [{"action": "CLAIM", "allow": true}]},
            {"resourceUri": "notes/*", "permissions": [{"action": "PUBLIC", "allow": true}]},
            {"resourceUri": "/open", "permissions": [{"action": "PUBLIC", "allow": true}]},
        ]}),
        "/v1/tenants" => json!({"tenants": null}),
        "/v1/records" => json!({"records": [
            {"recordId": "rec:of|all~", "name": "All", "account": {"accountId": "acc-1"},
             "users": null, "admins": null, "groups": null, "capacity": 0,
             "lastUpdated": "2026-01-02T03:04:05.1234567Z", "status": "ACTIVE",
             "statements": [{"roles": ["ro_reader"], "resources": [{"resourceUri": "/notes/*"}],
                "users": [{"userId": "auth0|7"}, {"userId": "sc_Hosted1"}], "groups": null}]},
            {"recordId": "rec_deleted", "name": "Gone", "status": "DELETED", "statements": []},
            {"recordId": "rec_archived", "name": "Old", "status": "ARCHIVED", "statements": []},
            {"recordId": "rec_empty", "name": "None", "status": null, "statements": []},
        ]}),
        "/v1/identities" => json!({"identities": [
            {"issuer": "http://unsafe.example", "audience": "*", "userIdExpression": "{sub}"},
            {"issuer": "https://issuer.invalid\u{1b}]0;a", "audience": "*"},
        ]}),
        "/v1/extensions" => return Some(Reply::json(403, &json!({"title": "No."}))),
        "/v1/applications" => return Some(Reply::json(404, &json!({}))),
        "/v1/connections" => return Some(Reply::json(501, &json!({"title": "Later"}))),
        _ => return None,
    };
    Some(Reply::json(200, &body))
}

#[tokio::test]
async fn the_hosted_shape_is_read_and_what_cannot_be_is_told_document_by_document() {
    let there = scripted(hosted);
    let here = TestServer::start().await.unwrap();
    let owner = person(&here);
    let report = owner.say(&import(&there.url(), "")).expect(1).json();
    let outcome = |kind, id| {
        document(&report, kind, id)["outcome"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(outcome("roles", "Authress:Owner"), "leftOut");
    assert_eq!(outcome("roles", "ro_reader"), "created");
    assert_eq!(outcome("roles", "number 3"), "unreadable");
    assert_eq!(outcome("roles", "number 4"), "unreadable");
    let broken = document(&report, "roles", "ro_broken")["reason"]
        .as_str()
        .unwrap();
    assert!(broken.starts_with("permissions[0].action"), "{broken}");
    assert_eq!(outcome("clients", "sc_Hosted1"), "created");
    assert_eq!(outcome("records", "rec:of|all~"), "created");
    assert_eq!(outcome("records", "rec_deleted"), "leftOut");
    // The published model has no URI, and ours takes no wildcards.
    assert_eq!(outcome("resourceConfigurations", "number 1"), "unreadable");
    assert_eq!(outcome("resourceConfigurations", "notes/*"), "refused");
    assert_eq!(outcome("resourceConfigurations", "/open"), "created");
    assert_eq!(outcome("records", "rec_archived"), "unreadable");
    assert_eq!(outcome("records", "rec_empty"), "unreadable");
    let unsafe_one = document(&report, "identities", "http://unsafe.example for *");
    assert_eq!(unsafe_one["outcome"], "refused");
    assert!(
        unsafe_one["reason"]
            .as_str()
            .unwrap()
            .contains("IssuerNotUsable"),
        "{unsafe_one}"
    );
    let unread = report["unread"].as_array().unwrap().iter();
    let unread: Vec<&str> = unread.map(|list| list["kind"].as_str().unwrap()).collect();
    assert_eq!(unread, ["extensions", "connections", "applications"]);

    let robot = document(&report, "clients", "sc_Hosted1")["madeAs"]
        .as_str()
        .unwrap()
        .to_owned();
    for user in ["auth0|7", robot.as_str()] {
        owner
            .say(&format!("check {user} notes/1 notes:read"))
            .expect(0);
    }
    // The order of the lists is that of what names what, and links are not followed.
    let asked = there.asked();
    let first = |path: &str| {
        asked
            .iter()
            .position(|one| one.path.starts_with(path))
            .unwrap()
    };
    assert!(first("/v1/clients") < first("/v1/groups"));
    assert!(first("/v1/groups") < first("/v1/records"));

    // Nothing of it moves the cursor of whoever reads the report.
    let line = format!("import --from {} --dry-run --color always", there.url());
    let people = owner.say(&line).expect(1);
    let harmless = people
        .stdout
        .replace("\u{1b}[1m", "")
        .replace("\u{1b}[0m", "");
    assert!(!harmless.contains(['\u{1b}', '\u{202e}']), "{harmless:?}");
    assert!(
        harmless.contains("refused: identity") || harmless.contains("cannot be read: identity")
    );
}

#[tokio::test]
async fn a_server_that_lies_about_a_list_is_not_followed_and_the_other_kinds_go_on() {
    let huge = "x".repeat(9 * 1024 * 1024);
    let circle = |path: &str| {
        path.starts_with("/v1/roles").then(|| {
            let body = json!({"roles": [], "pagination": {"next": {"cursor": "again"}}});
            Reply::json(200, &body)
        })
    };
    let plain = |body: String| Reply {
        status: 200,
        headers: vec![("Content-Type", "application/json".to_owned())],
        body,
    };
    let roles = |body: String| -> Lie {
        Box::new(move |path| path.starts_with("/v1/roles").then(|| plain(body.clone())))
    };
    let deep = format!("{{\"roles\": {}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let lies: Vec<(Lie, &str)> = vec![
        (Box::new(circle), "a list whose cursor moves on"),
        (roles(format!("{{\"roles\": [\"{huge}\"]}}")), "too large"),
        (roles("{\"roles\": [".to_owned()), "is not a page of a list"),
        (roles("[]".to_owned()), "is not a page of a list"),
        (roles("{}".to_owned()), "roles is missing"),
        (roles(deep), "is not a page of a list"),
    ];
    for (lie, expected) in lies {
        let there = scripted(move |path| {
            lie(path).or_else(|| {
                path.starts_with("/v1/groups")
                    .then(|| Reply::json(200, &json!({"groups": [group("grp_after")]})))
            })
        });
        let here = TestServer::start().await.unwrap();
        let report = person(&here)
            .say(&import(&there.url(), ""))
            .expect(1)
            .json();
        let unread = &report["unread"][0];
        assert_eq!(unread["kind"], "roles");
        let reason = unread["reason"].as_str().unwrap();
        assert!(reason.contains(expected), "{expected}: {reason}");
        assert_eq!(
            document(&report, "groups", "grp_after")["outcome"],
            "created"
        );
        assert!(there.asked().len() < 30);
    }
    // The control: the same without a lie is whole.
    let honest = scripted(|path| {
        path.starts_with("/v1/groups").then(|| {
            Reply::json(
                200,
                &json!({"groups": [group("grp_after"), group("grp_after")]}),
            )
        })
    });
    let here = TestServer::start().await.unwrap();
    let report = person(&here)
        .say(&import(&honest.url(), ""))
        .expect(0)
        .json();
    assert_eq!(with_outcome(&report, "created").len(), 1);
    assert_eq!(
        report["counts"]["groups"],
        json!({"created": 1, "earlier": 1})
    );
}

#[tokio::test]
async fn a_server_that_fails_in_the_middle_is_asked_again_and_nothing_is_made_twice() {
    let runs = Arc::new(AtomicUsize::new(0));
    let run = Arc::clone(&runs);
    let there = scripted(move |path| match path {
        "/v1/clients" => Some(Reply::json(
            200,
            &json!({"clients": [{"clientId": "sc_1"}], "pagination": {"next": {"cursor": "2"}}}),
        )),
        "/v1/clients?cursor=2" if run.load(Ordering::SeqCst) == 0 => {
            Some(Reply::json(503, &json!({"title": "Away."})))
        }
        "/v1/clients?cursor=2" => Some(Reply::json(
            200,
            &json!({"clients": [{"clientId": "sc_2"}]}),
        )),
        _ => None,
    });
    let here = TestServer::start().await.unwrap();
    let owner = person(&here);
    let line = import(&there.url(), "");
    let failed = owner
        .say(&line)
        .expect(6)
        .saying("reading the service clients of")
        .saying("the same command carries on");
    assert_eq!(failed.json()["ended"], false);
    assert_eq!(with_outcome(&failed.json(), "created").len(), 1);
    runs.store(1, Ordering::SeqCst);
    let report = owner.say(&line).expect(0).json();
    assert_eq!(
        report["counts"]["clients"],
        json!({"created": 1, "earlier": 1})
    );
    let clients = owner.say("client list --json").expect(0).json();
    assert_eq!(
        clients.as_array().unwrap().len(),
        3,
        "the owner and two: {clients:#}"
    );
    // The whole of it once more looks at everything again.
    let report = owner.say(&line).expect(0).json();
    assert_eq!(report["counts"]["clients"], json!({"same": 2}));
}

#[tokio::test]
async fn killed_between_two_documents_it_carries_on_and_asks_the_other_server_for_lists_only() {
    let other = other().await;
    let here = TestServer::start().await.unwrap();
    let (tell, told) = mpsc::channel();
    let between = Between::new(other.server.url(), move |line| {
        if line.starts_with("GET /v1/records") {
            let _nobody = tell.send(());
        }
    });
    let owner = Person::owner(&here).with("GUESTLIST_FROM_KEY", other.server.owner_key());
    let line = import(&between.url, "");
    let mut child = owner
        .command(&line.split(' ').collect::<Vec<_>>())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    told.recv_timeout(PATIENCE).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let report = owner.say(&line).expect(0).json();
    let earlier = |kind: &str| report["counts"][kind]["earlier"].as_u64();
    assert!(
        earlier("groups").is_some() && earlier("clients").is_some(),
        "{report:#}"
    );
    assert!(
        report["counts"]["clients"]["created"].is_null(),
        "{report:#}"
    );
    // The new id of a service client was kept: records name it.
    let clients = owner.say("client list --json").expect(0).json();
    let mut clients = clients.as_array().unwrap().iter();
    let robot = clients.find(|one| one["name"] == "Night robot").unwrap();
    let robot = robot["clientId"].as_str().unwrap();
    owner
        .say(&format!("check {robot} notes/2 notes:read"))
        .expect(0);
    assert!(
        between
            .requests()
            .iter()
            .all(|line| line.starts_with("GET /v1/"))
    );
}

#[tokio::test]
async fn interrupted_it_finishes_the_document_in_hand_and_says_how_to_carry_on() {
    let other = other().await;
    let here = TestServer::start().await.unwrap();
    let (tell_process, process) = mpsc::channel::<u32>();
    let (tell_noticed, noticed) = mpsc::channel::<()>();
    let waits = Mutex::new((process, noticed));
    // The first group is held until the program has noticed the interruption.
    let between = Between::new(here.url(), move |request| {
        if request.starts_with("POST /v1/groups") {
            let waits = waits.lock().unwrap();
            // Only the first run is interrupted.
            let Ok(process) = waits.0.recv_timeout(PATIENCE) else {
                return;
            };
            let sent = Command::new("kill")
                .args(["-INT", &process.to_string()])
                .status();
            assert!(sent.unwrap().success());
            waits.1.recv_timeout(PATIENCE).unwrap();
        }
    });
    let owner = Person::owner(&here)
        .with("GUESTLIST_URL", &between.url)
        .with("GUESTLIST_FROM_KEY", other.server.owner_key());
    let line = import(other.server.url(), "");
    let mut child = owner
        .command(&line.split(' ').collect::<Vec<_>>())
        .spawn()
        .unwrap();
    tell_process.send(child.id()).unwrap();
    drop(tell_process);
    let mut stderr = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.contains("finishing the document in hand") {
            tell_noticed.send(()).unwrap();
        }
        stderr.push_str(&line);
    }
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("the same command carries on"), "{stderr}");
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(report["ended"], false);
    assert_eq!(
        with_outcome(&report, "created").last().unwrap().1,
        "grp_writers"
    );
    assert!(report["counts"]["records"].is_null());
    let report = owner.say(&line).expect(0).json();
    assert_eq!(report["counts"]["groups"], json!({"earlier": 1}));
}

#[tokio::test]
async fn two_imports_with_one_state_file_and_files_of_other_imports_are_refused() {
    let there = scripted(|_| None);
    let here = TestServer::start().await.unwrap();
    let owner = person(&here);
    owner.say(&import(&there.url(), "")).expect(0);
    owner.say(&import(&there.url(), "")).expect(0);
    let another = scripted(|_| None);
    owner
        .say(&import(&another.url(), ""))
        .expect(5)
        .saying("is the state of an import from");
    owner.file("import.state", "something else\n");
    owner.say(&import(&there.url(), "")).expect(2);
    let kept = std::fs::read_to_string(owner.home.path().join("import.state")).unwrap();
    assert_eq!(kept, "something else\n");
}
