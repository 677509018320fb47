//! An account carried from one server to another: whole, in parts, again, and not what must not be.

use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use guestlist_client::api::clients::{AccessKeyRequest, ClientRequest};
use guestlist_client::api::extensions::ExtensionRequest;
use guestlist_client::api::ids::{GroupId, UserId};
use guestlist_client::api::records::{AccessRecordRequest, Statement};
use guestlist_client::api::text::Name;
use guestlist_client::{Client, Credentials};
use guestlist_server::testing::TestServer;
use serde_json::{Value, json};

use crate::apply;
use crate::between::Between;
use crate::program::{Person, is_private};

/// How often a test looks whether a program has ended.
const LOOK: Duration = Duration::from_millis(50);

/// A server with one or more of everything that is carried.
pub(crate) struct Other {
    pub(crate) server: TestServer,
    robot: String,
    /// An open access request, and one that was approved.
    asked: [String; 2],
    extension_client: String,
}

fn client(server: &TestServer) -> Client {
    let key = Credentials::access_key(server.owner_key()).unwrap();
    Client::new(server.url(), key).unwrap()
}

pub(crate) async fn other() -> Other {
    let server = TestServer::start().await.unwrap();
    apply::owner(&server).say("apply -f access --yes").expect(0);
    let owner = client(&server);
    let name = |text: &str| Name::parse(text).unwrap();
    let robot = owner
        .service_clients()
        .create_client(&ClientRequest::new().name(name("Night robot")))
        .await
        .unwrap();
    let key = AccessKeyRequest::new();
    let clients = owner.service_clients();
    clients
        .request_access_key(&robot.client_id, &key)
        .await
        .unwrap();
    let weather = ExtensionRequest::new()
        .name(name("Weather"))
        .redirect_url("https://weather.example".parse().unwrap());
    let weather = owner.extensions().create_extension(&weather).await.unwrap();
    let machine = weather.client.unwrap().client_id;
    let statement = |resource: &str| Statement::new(["ro_reader"], [resource]).unwrap();
    let record = AccessRecordRequest::new(
        "Machines",
        [
            statement("notes/2").user(UserId::from(robot.client_id.clone())),
            statement("notes/3").user(
                format!("Authress:ServiceClients/{machine}")
                    .parse::<UserId>()
                    .unwrap(),
            ),
        ],
    )
    .unwrap()
    .record_id("rec_machines".parse().unwrap());
    owner.access_records().create_record(&record).await.unwrap();
    let writers: GroupId = "grp_writers".parse().unwrap();
    let group = owner.groups().get_group(&writers).await.unwrap();
    let group = group
        .to_request()
        .unwrap()
        .user(UserId::from(robot.client_id.clone()));
    owner
        .groups()
        .update_group(&writers, &group, None)
        .await
        .unwrap();
    let asked = asked_and_signed_in_by(&Person::owner(&server));
    Other {
        asked,
        robot: robot.client_id.to_string(),
        extension_client: machine.to_string(),
        server,
    }
}

const CONNECTION: &str = r#"{"connectionId": "con_1", "clientId": "abc", "clientSecret": "hush-hush-hush",
    "authenticationUrl": "https://login.example/authorize", "tokenUrl": "https://login.example/token"}"#;

/// Makes what users sign in by, and two access requests of which one is approved.
fn asked_and_signed_in_by(shop: &Person) -> [String; 2] {
    let tenant = r#"{"tenantId": "acme", "data": {"name": "Acme"}}"#;
    shop.run_with(&["tenant", "create", "-f", "-"], tenant)
        .expect(0);
    shop.run_with(&["connection", "create", "-f", "-"], CONNECTION)
        .expect(0);
    shop.say("resource configure notes/10 --claim allow")
        .expect(0);
    let application = r#"{"name": "Shop", "redirectUrls": ["https://shop.example"]}"#;
    shop.run_with(&["application", "create", "-f", "-"], application)
        .expect(0);
    let asked = ["notes/8", "notes/9"].map(|resource| {
        let access = format!(
            r#"{{"access": {{"users": [{{"userId": "grace"}}], "statements":
                [{{"roles": ["ro_reader"], "resources": [{{"resourceUri": "{resource}"}}]}}]}}}}"#
        );
        let asked = shop
            .run_with(&["request", "create", "--json", "-f", "-"], &access)
            .expect(0);
        asked.json()["requestId"].as_str().unwrap().to_owned()
    });
    shop.say(&format!("request approve {}", asked[1])).expect(0);
    asked
}

/// The owner of this server, who may read the other one.
fn person(here: &TestServer, other: &TestServer) -> Person {
    Person::owner(here).with("GUESTLIST_FROM_KEY", other.owner_key())
}

pub(crate) fn import(url: &str, more: &str) -> String {
    format!("import --from {url} --json --yes --state import.state {more}")
        .trim()
        .to_owned()
}

/// The documents of a report with this outcome: kind and id.
pub(crate) fn with_outcome(report: &Value, outcome: &str) -> Vec<(String, String)> {
    let documents = report["documents"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    documents
        .filter(|entry| entry["outcome"] == outcome)
        .map(|entry| (text(&entry["kind"]), text(&entry["id"])))
        .collect()
}

pub(crate) fn document<'a>(report: &'a Value, kind: &str, id: &str) -> &'a Value {
    let mut documents = report["documents"].as_array().unwrap().iter();
    let found = documents.find(|entry| entry["kind"] == kind && entry["id"] == id);
    found.unwrap_or_else(|| panic!("{kind} {id}: {report:#}"))
}

/// What is listed here, as it is shown to programs, without what differs by nature.
fn listed(person: &Person, noun: &str) -> Vec<Value> {
    let listed = person.say(&format!("{noun} list --json --all")).expect(0);
    listed.json().as_array().unwrap().clone()
}

fn is_created(report: &Value, other: &Other) {
    let created = with_outcome(report, "created");
    for (kind, id) in [
        ("roles", "ro_reader"),
        ("groups", "grp_writers"),
        ("records", "rec_machines"),
        ("records", "rec_writers"),
        ("clients", other.robot.as_str()),
        ("tenants", "acme"),
        ("connections", "con_1"),
        ("resourceConfigurations", "notes/10"),
        ("identities", "http://127.0.0.1:9999 for notes"),
    ] {
        assert!(
            created.contains(&(kind.to_owned(), id.to_owned())),
            "{kind} {id}: {report:#}"
        );
    }
}

/// Who held something there holds it here: service clients under their new ids.
fn holds_what_it_held(owner: &Person, other: &Other, robot: &str) {
    assert_ne!(robot, other.robot);
    owner.say("check erin notes/1 notes:read").expect(0);
    owner.say("check carol notes/7 notes:write").expect(0);
    owner
        .say(&format!("check {robot} notes/2 notes:read"))
        .expect(0);
    owner
        .say(&format!("check {robot} notes/7 notes:write"))
        .expect(0);
    let weather = owner.say("extension list --json").expect(0).json();
    let weather = weather[0]["client"]["clientId"]
        .as_str()
        .unwrap()
        .to_owned();
    owner
        .say(&format!("check {weather} notes/3 notes:read"))
        .expect(0);
    for old in [&other.robot, &other.extension_client] {
        owner
            .say(&format!("check {old} notes/2 notes:read"))
            .expect(1);
        owner
            .say(&format!("check {old} notes/3 notes:read"))
            .expect(1);
    }
}

#[tokio::test]
async fn a_whole_account_is_carried() {
    let other = other().await;
    let here = TestServer::start().await.unwrap();
    let owner = person(&here, &other.server);
    let report = owner.say(&import(other.server.url(), "--report report.json"));
    let report = report.expect(0).json();
    assert_eq!(report["ended"], true);
    is_created(&report, &other);
    assert!(with_outcome(&report, "refused").is_empty(), "{report:#}");
    // The record that makes each its own server's owner is there under the same id on both.
    assert!(with_outcome(&report, "differs").is_empty(), "{report:#}");
    let left = with_outcome(&report, "leftOut").into_iter();
    let own: Vec<_> = left
        .filter(|(_, id)| !id.starts_with("Authress:"))
        .collect();
    let own: Vec<_> = own
        .into_iter()
        .filter(|(kind, _)| kind == "records")
        .collect();
    assert_eq!(own.len(), 1, "{own:?}");
    let asked = |id| {
        document(&report, "accessRequests", id)["outcome"]
            .as_str()
            .unwrap()
    };
    assert_eq!(
        other.asked.each_ref().map(|id| asked(id)),
        ["created", "leftOut"]
    );
    let why = document(&report, "records", &own[0].1)["reason"]
        .as_str()
        .unwrap();
    assert!(why.contains("who administers this server"), "{why}");
    let robot = document(&report, "clients", &other.robot);
    assert!(
        robot["leftBehind"]
            .as_str()
            .unwrap()
            .contains("access keys")
    );
    assert!(document(&report, "connections", "con_1")["leftBehind"].is_string());

    holds_what_it_held(&owner, &other, robot["madeAs"].as_str().unwrap());
    // Nothing is there twice: an extension's application and client came with it.
    let there = Person::owner(&other.server);
    for noun in [
        "role",
        "client",
        "extension",
        "application",
        "tenant",
        "connection",
        "resource",
        "group",
    ] {
        let more = usize::from(noun == "client");
        let (here, there) = (listed(&owner, noun).len(), listed(&there, noun).len());
        assert_eq!(
            here,
            there + more,
            "{noun}: its own owner, and that of the other server"
        );
    }
}

#[tokio::test]
async fn a_second_time_nothing_is_carried_and_nothing_deleted_comes_back() {
    let other = other().await;
    let here = TestServer::start().await.unwrap();
    let owner = person(&here, &other.server);
    let report = owner.say(&import(other.server.url(), "--report report.json"));
    let report = report.expect(0).json();
    let robot = document(&report, "clients", &other.robot)["madeAs"]
        .as_str()
        .unwrap()
        .to_owned();
    let state = owner.home.path().join("import.state");
    assert!(is_private(&state) && is_private(&owner.home.path().join("report.json")));
    for told in [state, owner.home.path().join("report.json")] {
        let told = std::fs::read_to_string(told).unwrap();
        for secret in [other.server.owner_key(), here.owner_key(), "hush-hush-hush"] {
            assert!(!told.contains(secret));
        }
    }

    // What was deleted here does not come back unasked.
    owner.say(&format!("client delete {robot} --yes")).expect(0);
    let report = owner.say(&import(other.server.url(), "")).expect(1).json();
    let gone = document(&report, "clients", &other.robot);
    assert!(
        gone["reason"]
            .as_str()
            .unwrap()
            .contains("not here any more"),
        "{gone}"
    );
    std::fs::remove_file(owner.home.path().join("import.state")).unwrap();
    owner
        .say(&import(other.server.url(), "--overwrite"))
        .expect(0);

    // Again, with the state file and without it.
    let before: Vec<_> = ["client", "application", "request", "record"]
        .map(|noun| listed(&owner, noun))
        .into();
    for forgets in [false, true] {
        if forgets {
            std::fs::remove_file(owner.home.path().join("import.state")).unwrap();
        }
        let again = owner.say(&import(other.server.url(), "")).expect(0).json();
        for outcome in ["created", "overwritten", "refused", "unreadable"] {
            assert!(with_outcome(&again, outcome).is_empty(), "{again:#}");
        }
        let after: Vec<_> = ["client", "application", "request", "record"]
            .map(|noun| listed(&owner, noun))
            .into();
        assert_eq!(after, before);
    }
}

#[tokio::test]
async fn a_dry_run_shows_it_and_changes_nothing() {
    let other = other().await;
    let here = TestServer::start().await.unwrap();
    let owner = person(&here, &other.server);
    let url = other.server.url();
    let seen = |noun| listed(&owner, noun);
    let before = ["role", "client", "group", "record", "tenant", "resource"].map(seen);
    let shown = owner.say(&import(url, "--dry-run")).expect(0).json();
    assert_eq!(shown["dryRun"], true);
    assert!(with_outcome(&shown, "created").contains(&("groups".into(), "grp_writers".into())));
    let told = owner
        .say(&format!("import --from {url} --dry-run"))
        .expect(0);
    told.saying("Nothing was changed. This would be done:")
        .saying("access keys of service clients: their private halves cannot be read")
        .saying("invites: there is no list of open invites");
    assert_eq!(
        ["role", "client", "group", "record", "tenant", "resource"].map(seen),
        before
    );
    let files = std::fs::read_dir(owner.home.path()).unwrap();
    let states = files
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().contains("state"));
    assert_eq!(states.count(), 0);
    // Without a person to ask, nothing is written either.
    owner
        .say(&format!("import --from {url}"))
        .expect(2)
        .saying("say it with --yes");
    assert_eq!(
        ["role", "client", "group", "record", "tenant", "resource"].map(seen),
        before
    );
}

#[tokio::test]
async fn what_differs_is_left_unless_it_may_be_overwritten() {
    let other = other().await;
    let here = TestServer::start().await.unwrap();
    let owner = person(&here, &other.server);
    let url = other.server.url();
    owner
        .say("role create ro_reader --name Mine --allow mine:read")
        .expect(0);
    owner.say("record delete rec_sample --yes").expect(0);
    let report = owner.say(&import(url, "")).expect(1).json();
    let role = document(&report, "roles", "ro_reader");
    assert_eq!(role["outcome"], "differs");
    assert_eq!(role["differences"], json!(["name", "permissions"]));
    // What was deleted here does not come back unasked.
    assert_eq!(
        document(&report, "records", "rec_sample")["outcome"],
        "differs"
    );
    assert_eq!(
        owner.say("role show ro_reader --json").expect(0).json()["name"],
        "Mine"
    );
    let owners = |person: &Person| {
        let records = listed(person, "record");
        records
            .into_iter()
            .filter(|record| record.to_string().contains("Authress:Owner"))
            .collect()
    };
    let before: Vec<Value> = owners(&owner);

    let report = owner.say(&import(url, "--overwrite")).expect(0).json();
    assert_eq!(
        document(&report, "roles", "ro_reader")["outcome"],
        "overwritten"
    );
    assert_eq!(
        document(&report, "records", "rec_sample")["outcome"],
        "overwritten"
    );
    assert_eq!(
        owner.say("role show ro_reader --json").expect(0).json()["name"],
        "Reader"
    );
    // But for who owns this server.
    assert_eq!(owners(&owner), before);
    assert!(!before.is_empty());
    let report = owner.say(&import(url, "--overwrite")).expect(0).json();
    assert!(
        with_outcome(&report, "overwritten").is_empty(),
        "{report:#}"
    );
}

#[tokio::test]
async fn after_an_interruption_the_same_command_carries_on() {
    let other = other().await;
    let here = TestServer::start().await.unwrap();
    let owner = person(&here, &other.server);
    // The process is killed at its third write, before and after it was passed on.
    for write in [
        "POST /v1/clients",
        "POST /v1/groups",
        "POST /v1/records",
        "POST /v1/applications",
    ] {
        let (tell, told) = mpsc::channel();
        let between = Between::new(here.url(), move |line| {
            if line.starts_with(write) {
                let _nobody = tell.send(());
            }
        });
        let line = import(other.server.url(), &format!("--url {}", between.url));
        let mut child = owner
            .command(
                &line
                    .replace("import.state", "killed.state")
                    .split(' ')
                    .collect::<Vec<_>>(),
            )
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // What an earlier run made is not made again, so that it may end by itself.
        while told.recv_timeout(LOOK).is_err() && child.try_wait().unwrap().is_none() {}
        let _ended = child.kill();
        child.wait().unwrap();
        // Each has another address in front of the same server.
        let _none = std::fs::remove_file(owner.home.path().join("killed.state"));
    }
    let report = owner.say(&import(other.server.url(), "")).expect(0).json();
    assert_eq!(report["ended"], true);
    assert!(with_outcome(&report, "refused").is_empty(), "{report:#}");
    let there = Person::owner(&other.server);
    for noun in ["role", "client", "extension", "application", "group"] {
        let more = usize::from(noun == "client");
        assert_eq!(
            listed(&owner, noun).len(),
            listed(&there, noun).len() + more,
            "{noun}"
        );
    }
    owner.say("check erin notes/1 notes:read").expect(0);
}

#[tokio::test]
async fn whoever_may_not_give_it_is_told_so_for_each_document() {
    let other = other().await;
    let here = TestServer::start().await.unwrap();
    let owner = apply::owner(&here);
    owner
        .say("apply -f access/roles.yaml -f access/people --yes")
        .expect(0);
    let role = r#"{"roleId": "ro_clerk", "name": "Clerk", "permissions":
        [{"action": "notes:read", "allow": true, "grant": true, "delegate": false}]}"#;
    owner
        .run_with(&["role", "create", "-f", "-"], role)
        .expect(0);
    let record = r#"{"recordId": "rec_clerk", "name": "Clerk", "users": [{"userId": "clerk"}],
        "statements": [{"roles": ["ro_clerk"], "resources": [{"resourceUri": "notes/1"}]}]}"#;
    owner
        .run_with(&["record", "create", "-f", "-"], record)
        .expect(0);
    let clerk = Person::user(&here, "clerk").with("GUESTLIST_FROM_KEY", other.server.owner_key());
    let report = clerk.say(&import(other.server.url(), "")).expect(1).json();
    assert_eq!(report["ended"], true);
    // What the clerk may give is given, and nothing else.
    assert_eq!(
        document(&report, "records", "rec_readers")["outcome"],
        "created"
    );
    for record in ["rec_writers", "rec_machines"] {
        let refused = document(&report, "records", record);
        assert_eq!(refused["outcome"], "refused");
        let reason = refused["reason"].as_str().unwrap();
        assert!(reason.contains("InsufficientGrantAccess"), "{reason}");
        owner.say(&format!("record show {record}")).expect(3);
    }
    assert_eq!(
        document(&report, "roles", "ro_reader")["outcome"],
        "refused"
    );
    owner.say("check erin notes/1 notes:read").expect(0);
}

#[tokio::test]
async fn a_service_client_that_only_says_it_is_the_import_is_given_nothing() {
    let other = other().await;
    let here = TestServer::start().await.unwrap();
    let owner = person(&here, &other.server);
    let url = other.server.url();
    let liar = format!(
        r#"{{"name": "Night robot", "tags": {{"guestlist:imported-from": "{}"}}}}"#,
        other.robot
    );
    let liar = owner
        .run_with(&["client", "create", "--json", "-f", "-"], &liar)
        .expect(0)
        .json();
    let liar = liar["clientId"].as_str().unwrap().to_owned();
    owner.say(&format!("key create {liar} --json")).expect(0);
    let report = owner.say(&import(url, "")).expect(1).json();
    let robot = document(&report, "clients", &other.robot);
    assert_eq!(robot["outcome"], "differs");
    assert!(
        robot["reason"]
            .as_str()
            .unwrap()
            .contains("has access keys"),
        "{robot}"
    );
    owner
        .say(&format!("check {liar} notes/2 notes:read"))
        .expect(1);
    // Whoever means it says so.
    std::fs::remove_file(owner.home.path().join("import.state")).unwrap();
    owner.say("record delete rec_machines --yes").expect(0);
    let more = format!("--overwrite --client {}={liar}", other.robot);
    let report = owner.say(&import(url, &more)).expect(0).json();
    assert_eq!(
        document(&report, "records", "rec_machines")["outcome"],
        "overwritten"
    );
    owner
        .say(&format!("check {liar} notes/2 notes:read"))
        .expect(0);
}

#[tokio::test]
async fn credentials_for_the_other_server_are_read_as_all_others_are() {
    let other = TestServer::start().await.unwrap();
    let here = TestServer::start().await.unwrap();
    let owner = Person::owner(&here);
    let url = other.url();
    owner
        .say(&import(url, ""))
        .expect(2)
        .saying("who reads the account of the other server?");
    let key = other.owner_key();
    owner.file("other.key", key);
    let words = |more: &str| import(url, &format!("--dry-run {more}"));
    owner.say(&words("--from-key-file other.key")).expect(0);
    let line = words("--from-key-file -");
    owner
        .run_with(&line.split(' ').collect::<Vec<_>>(), key)
        .expect(0);
    let nobody = owner.with("GUESTLIST_FROM_TOKEN", "a.b.c");
    nobody
        .say(&words(""))
        .expect(4)
        .saying("reading the roles of");
    // The same server on both sides is a mistake.
    person(&here, &here)
        .say(&import(here.url(), ""))
        .expect(2)
        .saying("is the server that is written to");
    // Who may not read lists is told so, and the rest is done.
    let guest = Person::owner(&here).with("GUESTLIST_FROM_TOKEN", &other.token("guest").unwrap());
    let report = guest.say(&import(url, "")).json();
    assert!(report["ended"].as_bool().unwrap());
}

#[tokio::test]
async fn a_connection_that_has_its_secret_here_is_not_sent_elsewhere() {
    let other = other().await;
    let here = TestServer::start().await.unwrap();
    let owner = person(&here, &other.server);
    let url = other.server.url();
    let moved = CONNECTION.replace("login.example/token", "elsewhere.example/token");
    let edit = |person: &Person, connection: &str| {
        person
            .run_with(&["connection", "edit", "con_1", "-f", "-"], connection)
            .expect(0);
    };
    owner.say(&import(url, "")).expect(0);
    // The control: without its secret it may be overwritten.
    edit(&Person::owner(&other.server), &moved);
    let report = owner.say(&import(url, "--overwrite")).expect(0).json();
    let overwritten = document(&report, "connections", "con_1");
    assert_eq!(overwritten["outcome"], "overwritten");
    assert_eq!(overwritten["differences"], json!(["tokenUrl"]));
    edit(&owner, CONNECTION);
    let report = owner.say(&import(url, "--overwrite")).expect(1).json();
    let left = document(&report, "connections", "con_1");
    assert_eq!(left["outcome"], "differs");
    assert!(
        left["reason"].as_str().unwrap().contains("secret"),
        "{left}"
    );
    let shown = owner.say("connection show con_1 --json").expect(0).json();
    assert_eq!(shown["tokenUrl"], "https://login.example/token");
}
