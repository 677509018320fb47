//! The log: one line for each request, whatever it holds; and one event for each change, with who
//! did it and under which request.

use std::collections::HashMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guestlist_rules::changes::{Changes, Document, Event, Kind, Revision};
use guestlist_store::{EmbeddedStore, Logged, Store as _};
use serde_json::{Value, json};

use crate::http::{Call, Connection, Reply};
use crate::server::{Server, invite_of, record_of, text_of};

/// Bytes of the longest line that is ever written for a request.
const LONGEST_LINE: usize = 1024;

/// The lines of a log, each of them one JSON object of a bounded length.
fn lines(log: &str) -> Vec<Value> {
    let each = log.lines().map(|line| {
        assert!(line.len() <= LONGEST_LINE, "{} bytes: {line}", line.len());
        assert!(!line.chars().any(char::is_control), "{line:?}");
        let object: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?}"));
        assert!(object.is_object() && object["level"].is_string(), "{line}");
        object
    });
    each.collect()
}

/// The lines about requests, by request id.
fn requests(log: &str) -> HashMap<String, Vec<Value>> {
    let mut requests: HashMap<String, Vec<Value>> = HashMap::new();
    for line in lines(log) {
        if let Some(id) = line["request_id"].as_str() {
            requests.entry(id.to_owned()).or_default().push(line);
        }
    }
    requests
}

fn with_store<T>(data: &Path, work: impl AsyncFnOnce(&EmbeddedStore) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = EmbeddedStore::open(data).unwrap();
        let outcome = work(&store).await;
        store.close().await.unwrap();
        outcome
    })
}

fn events(data: &Path) -> Vec<Logged> {
    with_store(data, async |store| {
        store.events_after(Revision(0), 10_000).await.unwrap()
    })
}

/// A token that nobody has signed.
fn token(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.AAAA", part(header), part(claims))
}

/// Escape sequences, line ends, and what would pass for a line of the log.
const CROOKED: &str = "\u{1b}[31m\r\n{\"level\":\"ERROR\"}";

#[test]
fn l01_whatever_a_request_holds_is_one_bounded_line() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::new(directory.path(), &["--dev", "--log", "trace"]);
    let owner = server.owner();
    let long = "x".repeat(10_000);
    let mut ids = Vec::new();
    let mut send = |credential: &str, method: &str, target: &str, headers: &[(&str, &str)]| {
        let mut connection = Connection::open(server.address).unwrap();
        let call = Call {
            credential,
            method,
            target,
            headers,
            body: "{\"\\u001b[31m\\r\\n\":1,\"\\u001b[31m\\r\\n\":2}",
        };
        let reply = connection.call(call).unwrap();
        ids.push(reply.header("x-request-id").unwrap());
        assert!(
            reply.text.chars().all(|c| !c.is_control()),
            "{:?}",
            reply.text
        );
    };
    let short = "y".repeat(3000);
    for claims in [
        json!({ "iss": CROOKED, "sub": CROOKED, "aud": CROOKED }),
        json!({ "iss": short, "sub": short }),
        json!({ "iss": ["a", CROOKED] }),
    ] {
        for header in [
            json!({ "alg": "EdDSA", "kid": CROOKED, "typ": CROOKED }),
            json!({ "alg": CROOKED, "kid": short }),
            json!({ "alg": "RS256", "kid": "a" }),
        ] {
            send(&token(&header, &claims), "GET", "/v1/accounts", &[]);
        }
    }
    for (name, value) in [
        ("User-Agent", long.as_str()),
        (
            "User-Agent",
            "a\tb \"quoted\" \u{9b}31m {\"level\":\"ERROR\"}",
        ),
        ("X-Request-Id", "a b\"} {\"level\":\"ERROR\""),
        ("X-Request-Id", &short),
        ("Referer", &long),
    ] {
        send(&owner, "GET", "/v1/records", &[(name, value)]);
    }
    for target in [
        "/v1/records/%0D%0A%1B%5B31m",
        "/v1/records?cursor=%0D%0A%1B%5B31m&filter=%00",
        "/v1/invites/%22%7D%7B",
        &format!("/v1/records/{}", "z".repeat(7000)),
        &format!("/{}", "a/".repeat(60)),
        &format!(
            "/v1/users/{}/resources/%1B/permissions/%0A",
            "u".repeat(3000)
        ),
    ] {
        send(&owner, "GET", target, &[]);
    }
    for target in ["/v1/invites", "/v1/records", "/v1/roles", "/v1/identities"] {
        send(&owner, "POST", target, &[]);
    }
    send(&owner, &"M".repeat(5000), "/v1/records", &[]);
    let requests = requests(&server.stop());
    for id in &ids {
        assert_eq!(requests[id].len(), 1, "{id}: {:?}", requests.get(id));
    }
    println!("{} crooked requests, each one line", ids.len());
}

#[test]
fn l01_a_filter_that_names_libraries_still_writes_lines() {
    let directory = tempfile::tempdir().unwrap();
    let filter = "guestlist_server=info,hyper=trace,mio=trace";
    let server = Server::new(directory.path(), &["--log", filter]);
    server.send("", "GET", "/healthz", &Value::Null).expect(200);
    let log = server.stop();
    let objects = log.lines().map(serde_json::from_str::<Value>);
    assert!(objects.count() > 0);
    assert!(
        log.lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok()),
        "{log}"
    );
}

/// A change that is asked for twice: by somebody who may not make it, and by somebody who may.
struct Asked {
    event: &'static str,
    operation: &'static str,
    method: &'static str,
    target: String,
    body: Value,
    /// Who may, and their name.
    by: (String, String),
    /// What becomes of it when somebody else asks.
    refused: u16,
}

/// Asks under an id.
fn ask(server: &Server, credential: &str, asked: &Asked, id: &str) -> Reply {
    let body = text_of(&asked.body);
    let reply = server.call(Call {
        credential,
        method: asked.method,
        target: &asked.target,
        headers: &[("X-Request-Id", id)],
        body: &body,
    });
    assert_eq!(reply.header("x-request-id").as_deref(), Some(id));
    reply
}

/// Every change there is, refused and then made.
struct Trail {
    server: Server,
    owner: (String, String),
    stranger: String,
    /// The event, its operation, its actor, and both request ids.
    made: Vec<(Asked, String, String)>,
}

impl Trail {
    fn make(&mut self, asked: Asked) -> Reply {
        let number = self.made.len();
        let (refused_id, made_id) = (format!("refused-{number}"), format!("made-{number}"));
        // A service client is nobody to accept an invite.
        let other = match asked.operation {
            "RespondToInvite" => &self.owner.0,
            _ => &self.stranger,
        };
        let refused = ask(&self.server, other, &asked, &refused_id);
        assert_eq!(
            refused.status, asked.refused,
            "{} {}",
            asked.event, refused.text
        );
        assert_eq!(refused.json()["errorId"], refused_id.as_str());
        let made = ask(&self.server, &asked.by.0, &asked, &made_id);
        assert!(
            (200..300).contains(&made.status),
            "{} {}",
            asked.event,
            made.text
        );
        self.made.push((asked, refused_id, made_id));
        made
    }

    fn own(
        &mut self,
        event: &'static str,
        operation: &'static str,
        (method, target): (&'static str, &str),
        body: Value,
        refused: u16,
    ) -> Reply {
        let by = self.owner.clone();
        self.make(Asked {
            event,
            operation,
            method,
            target: target.to_owned(),
            body,
            by,
            refused,
        })
    }

    /// A thing with an id of its caller's choice: made, changed, and deleted.
    fn thing(
        &mut self,
        events: [&'static str; 3],
        operations: [&'static str; 3],
        (path, id): (&str, &str),
        body: &Value,
    ) {
        let one = format!("{path}/{id}");
        let calls = [
            (("POST", path), body.clone(), 403),
            (("PUT", &one), body.clone(), 404),
            (("DELETE", &one), Value::Null, 404),
        ];
        for ((event, operation), (call, body, refused)) in
            events.into_iter().zip(operations).zip(calls)
        {
            self.own(event, operation, call, body, refused);
        }
    }

    fn things(&mut self) {
        let record = record_of("rec_1", "u", "ro_viewer", "a");
        let events = [
            "access-record.created",
            "access-record.updated",
            "access-record.deleted",
        ];
        let operations = ["CreateRecord", "UpdateRecord", "DeleteRecord"];
        self.thing(events, operations, ("/v1/records", "rec_1"), &record);
        let group = json!({ "groupId": "grp_1", "name": "Group", "users": [{ "userId": "u" }] });
        let events = ["group.created", "group.updated", "group.deleted"];
        let operations = ["CreateGroup", "UpdateGroup", "DeleteGroup"];
        self.thing(events, operations, ("/v1/groups", "grp_1"), &group);
        let permission =
            json!({ "action": "a:b", "allow": true, "grant": false, "delegate": false });
        let role = json!({ "roleId": "ro_1", "name": "Role", "permissions": [permission] });
        let events = ["role.created", "role.updated", "role.deleted"];
        let operations = ["CreateRole", "UpdateRole", "DeleteRole"];
        self.thing(events, operations, ("/v1/roles", "ro_1"), &role);
        let identity = json!({ "issuer": "https://issuer.example", "preferredAudience": "app" });
        let target = ("POST", "/v1/identities");
        self.own(
            "identity.linked",
            "DelegateAuthentication",
            target,
            identity,
            403,
        );
    }

    fn clients(&mut self) {
        let body = json!({ "name": "Worker" });
        let made = self.own(
            "client.created",
            "CreateClient",
            ("POST", "/v1/clients"),
            body.clone(),
            403,
        );
        let client = format!("/v1/clients/{}", made.member("clientId"));
        self.own(
            "client.updated",
            "UpdateClient",
            ("PUT", &client),
            body,
            404,
        );
        let keys = format!("{client}/access-keys");
        let made = self.own(
            "client.key-created",
            "RequestAccessKey",
            ("POST", &keys),
            json!({}),
            404,
        );
        let key = format!("{keys}/{}", made.member("keyId"));
        self.own(
            "client.key-deleted",
            "DeleteAccessKey",
            ("DELETE", &key),
            Value::Null,
            404,
        );
        self.own(
            "client.deleted",
            "DeleteClient",
            ("DELETE", &client),
            Value::Null,
            404,
        );
    }

    fn invites(&mut self) {
        let body = invite_of("ro_editor", "projects/42");
        let target = ("POST", "/v1/invites");
        let made = self.own("invite.created", "CreateInvite", target, body.clone(), 403);
        let invite = format!("/v1/invites/{}", made.member("inviteId"));
        let bob = (self.server.token("bob"), "bob".to_owned());
        self.make(Asked {
            event: "invite.accepted",
            operation: "RespondToInvite",
            method: "PATCH",
            target: invite,
            body: Value::Null,
            by: bob,
            refused: 403,
        });
        let made = self.own("invite.created", "CreateInvite", target, body, 403);
        let invite = format!("/v1/invites/{}", made.member("inviteId"));
        self.own(
            "invite.revoked",
            "DeleteInvite",
            ("DELETE", &invite),
            Value::Null,
            404,
        );
    }
}

#[test]
fn l02_each_change_is_one_event_and_each_refusal_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let server = Server::new(data, &["--dev"]);
    let key = server.owner();
    let name = key.split('.').next().unwrap().to_owned();
    let mut trail = Trail {
        stranger: server.token("stranger"),
        server,
        owner: (key, name),
        made: Vec::new(),
    };
    trail.things();
    trail.clients();
    trail.invites();
    let Trail { server, made, .. } = trail;
    let requests = requests(&server.stop());
    let events = events(data);
    assert_eq!(
        events.len(),
        1 + made.len(),
        "the account, and one event for each change"
    );
    for (asked, refused, made) in &made {
        let who = &asked.by.1;
        let of: Vec<&Logged> = events
            .iter()
            .filter(|line| line.event.request_id == *made)
            .collect();
        let [line] = of.as_slice() else {
            panic!("{} has {of:?}", asked.event);
        };
        let event = &line.event;
        assert_eq!((event.kind.as_str(), &event.actor), (asked.event, who));
        let (noun, id) = event.subject.split_once('/').unwrap();
        assert!(
            !noun.is_empty() && !id.is_empty() && event.time > 1_700_000_000_000,
            "{event:?}"
        );
        assert!(!line.touched.is_empty(), "{event:?}");
        assert!(events.iter().all(|line| line.event.request_id != *refused));
        let [line] = requests[made].as_slice() else {
            panic!("{:?}", requests[made]);
        };
        assert_eq!(
            (&line["message"], &line["caller"]),
            (&json!("answered"), &json!(who))
        );
        assert_eq!(line["operation"], asked.operation);
        let [line] = requests[refused].as_slice() else {
            panic!("{:?}", requests[refused]);
        };
        assert_eq!(
            (&line["message"], &line["status"]),
            (&json!("refused"), &json!(asked.refused))
        );
        assert_eq!(line["operation"], asked.operation);
        assert!(
            line["caller"].is_string() && line["code"].is_string(),
            "{line}"
        );
        assert!(!line["cause"].as_str().unwrap().is_empty(), "{line}");
    }
    versions_can_be_walked(data, &events);
}

/// The log leads to every version: the mark of each document is the last line that touched it.
fn versions_can_be_walked(data: &Path, events: &[Logged]) {
    let mut last: HashMap<(Kind, &str), u64> = HashMap::new();
    for line in events {
        for (kind, id) in &line.touched {
            last.insert((*kind, id.as_str()), line.revision.0);
        }
    }
    let gaps = events
        .iter()
        .zip(1..)
        .filter(|(line, expected)| line.revision.0 != *expected);
    assert_eq!(gaps.count(), 0);
    with_store(data, async |store| {
        for ((kind, id), revision) in last {
            if let Some(seen) = store.get(kind, id).await.unwrap() {
                assert_eq!(seen.mark.0, revision, "{kind:?} {id}");
            }
        }
    });
}

/// What a refusal never holds: something of the inside.
fn tells_of_the_inside(text: &str, data: &Path) -> Option<&'static str> {
    let data = data.to_str().unwrap();
    if text.contains(data) {
        return Some("a path");
    }
    let words = [
        "SELECT",
        "INSERT",
        "sqlite",
        "SQLITE",
        "guestlist.db",
        ".rs:",
        "panicked",
        "src/",
        "crates/",
        "Error(",
        "Some(",
        "None",
        "unwrap",
        "backtrace",
        "serde",
        "rusqlite",
        "hyper",
        "tokio",
        "the stored",
    ];
    words.into_iter().find(|word| text.contains(word))
}

/// Puts in the place of an invite what no version of the server has written.
fn damage(data: &Path, invite: &str) {
    let event = Event {
        kind: "test.damaged".to_owned(),
        time: 0,
        actor: "test".to_owned(),
        request_id: String::new(),
        subject: "test/damaged".to_owned(),
        data: Value::Null,
    };
    let mut changes = Changes::new(event);
    changes.write.push(Document {
        kind: Kind::Invite,
        id: invite.split('_').nth(1).unwrap().to_owned(),
        facets: Vec::new(),
        body: b"{\"the stored\":\"inside\"}".to_vec(),
    });
    with_store(data, async |store| store.apply(changes).await.unwrap());
}

/// What even the owner is refused: the method, the target, the body.
const REFUSED: [(&str, &str, &str); 13] = [
    ("GET", "/v1/nothing", ""),
    ("GET", "/api/session", ""),
    ("PATCH", "/v1/records", ""),
    ("POST", "/v1/records", "{"),
    ("POST", "/v1/records", "[]"),
    ("POST", "/v1/records", "{\"name\":5}"),
    (
        "POST",
        "/v1/roles",
        "{\"roleId\":\"ro_viewer\",\"name\":\"n\",\"permissions\":[]}",
    ),
    ("GET", "/v1/records/rec_none", ""),
    ("GET", "/v1/records?cursor=x", ""),
    ("GET", "/v1/records/%ZZ", ""),
    ("DELETE", "/v1/roles/Authress:Owner", ""),
    ("PATCH", "/v1/invites/inv_0", ""),
    (
        "POST",
        "/v1/identities",
        "{\"issuer\":\"http://10.0.0.1\",\"preferredAudience\":\"a\"}",
    ),
];

#[test]
fn l04_a_refusal_tells_nothing_of_the_inside_and_its_id_leads_to_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let server = Server::new(data, &["--dev"]);
    let owner = server.owner();
    let made = server.send(&owner, "POST", "/v1/invites", &invite_of("ro_editor", "a"));
    let invite = made.expect(201).member("inviteId");
    server.stop();
    damage(data, &invite);
    let invite = format!("/v1/invites/{invite}");
    let server = Server::new(data, &["--dev"]);
    let mut statuses = std::collections::BTreeMap::new();
    let calls = REFUSED.map(|(method, target, body)| (owner.as_str(), method, target, body));
    let others = [
        ("", "GET", "/v1/records", ""),
        ("not.a.token", "GET", "/v1/records", ""),
        (&owner, "GET", &invite, ""),
    ];
    let mut refused = Vec::new();
    for (credential, method, target, body) in calls.into_iter().chain(others) {
        let reply = server.call(Call {
            credential,
            method,
            target,
            body,
            ..Call::default()
        });
        let id = reply.header("x-request-id").unwrap();
        let told = reply.json();
        assert!(reply.status >= 400, "{method} {target}: {}", reply.text);
        assert_eq!(told["errorId"], id.as_str());
        assert_eq!(
            tells_of_the_inside(&reply.text, data),
            None,
            "{}",
            reply.text
        );
        *statuses.entry(reply.status).or_insert(0) += 1;
        refused.push((id, reply.status, told["errorCode"].clone()));
    }
    let log = server.stop();
    let requests = requests(&log);
    for (id, status, code) in refused {
        let [line] = requests[&id].as_slice() else {
            panic!("{:?}", requests[&id]);
        };
        assert_eq!((&line["status"], &line["code"]), (&json!(status), &code));
        let loud = line["level"] == "ERROR";
        assert_eq!(loud, status >= 500 && status != 501, "{line}");
    }
    for status in [400, 401, 403, 404, 405, 409, 500, 501] {
        assert!(
            statuses.contains_key(&status),
            "{status} is not among {statuses:?}"
        );
    }
    // The control: the log does tell of the inside, and that is seen.
    assert!(tells_of_the_inside(&log, data).is_some(), "{log}");
}
