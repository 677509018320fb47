//! A whole life with the log at its most verbose, and then a search for every secret in everything
//! that the server wrote, said or answered.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use guestlist_rules::changes::{Kind, Revision};
use guestlist_store::{EmbeddedStore, Selection, Store as _};
use serde_json::{Value, json};

use crate::http::{Call, Reply};
use crate::server::{Server, invite_of, record_of, text_of};

/// Bytes of a secret that tell it from anything else, and are found wherever it is.
const ENOUGH: usize = 16;

/// Something that must be found nowhere: what it is, and enough of it to tell it from anything else.
struct Needle {
    what: String,
    bytes: Vec<u8>,
}

/// A place that is searched.
struct Place {
    what: String,
    bytes: Vec<u8>,
}

/// The server, every secret it and its callers had, and every answer that may hold none.
struct Life {
    server: Server,
    owner: String,
    needles: Vec<Needle>,
    answers: Vec<u8>,
}

impl Life {
    fn new(data: &Path) -> Self {
        let server = Server::new(data, &["--dev", "--log", "trace"]);
        let owner = server.owner();
        let mut life = Self {
            server,
            owner,
            needles: Vec::new(),
            answers: Vec::new(),
        };
        life.hide_key(&life.owner.clone());
        let pepper = fs::read(data.join("pepper")).unwrap();
        let mut hex = String::new();
        for byte in &pepper {
            write!(hex, "{byte:02x}").unwrap();
        }
        life.hide(
            "the pepper in base64",
            STANDARD.encode(&pepper).get(..40).unwrap(),
        );
        life.hide("the pepper in hexadecimal", &hex);
        life.needles.push(Needle {
            what: "the pepper".to_owned(),
            bytes: pepper,
        });
        let sealing = fs::read(data.join("sealing-key")).unwrap();
        life.hide(
            "the sealing key in base64",
            STANDARD.encode(&sealing).get(..40).unwrap(),
        );
        life.needles.push(Needle {
            what: "the sealing key".to_owned(),
            bytes: sealing,
        });
        let signing = fs::read_to_string(data.join("user-token-key")).unwrap();
        let encoded = signing.lines().nth(1).unwrap();
        life.hide(
            "the key that signs user tokens",
            encoded.get(24..44).unwrap(),
        );
        life
    }

    fn hide(&mut self, what: &str, text: &str) {
        assert!(text.len() >= ENOUGH, "{what}");
        self.needles.push(Needle {
            what: what.to_owned(),
            bytes: text.as_bytes().to_vec(),
        });
    }

    /// An invite: already a third of its secret half is too much.
    fn hide_invite(&mut self, id: &str) {
        let (_, secret) = id.split_at("inv_123456789012_".len());
        self.hide(&format!("the secret of {id}"), secret.get(..16).unwrap());
        self.hide(&format!("the end of {id}"), secret.get(24..).unwrap());
    }

    /// An access key: its last part, without what all PKCS#8 begins with.
    fn hide_key(&mut self, key: &str) {
        let private = key.rsplit_once('.').unwrap().1;
        self.hide("an access key", private.get(24..44).unwrap());
    }

    /// A token: without its signature it is not one.
    fn hide_token(&mut self, token: &str) {
        let signature = token.rsplit_once('.').unwrap().1;
        self.hide("a token", signature.get(..20).unwrap());
    }

    /// A secret in a place where none belongs.
    fn canary(&mut self, what: &str) -> String {
        let number = u64::try_from(self.needles.len()).unwrap() + 1;
        let unlike_others = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let text = format!("canary{:042}{unlike_others:016x}", 0);
        self.hide(what, text.get(48..).unwrap());
        text
    }

    /// Sends a request whose answer may hold no secret at all.
    fn send(&mut self, credential: &str, method: &str, target: &str, body: &Value) -> Reply {
        let body = text_of(body);
        self.call(Call {
            credential,
            method,
            target,
            body: &body,
            ..Call::default()
        })
    }

    fn call(&mut self, call: Call<'_>) -> Reply {
        let reply = self.server.call(call);
        self.answers.extend_from_slice(reply.head.as_bytes());
        self.answers.extend_from_slice(reply.text.as_bytes());
        reply
    }

    fn token(&mut self, user: &str) -> String {
        let token = self.server.token(user);
        self.hide_token(&token);
        token
    }

    /// Makes an invite. Its answer is the one that tells the secret.
    fn invite(&mut self, credential: &str, headers: &[(&str, &str)]) -> String {
        let body = invite_of("ro_editor", "projects/42").to_string();
        let reply = self.server.call(Call {
            credential,
            method: "POST",
            target: "/v1/invites",
            headers,
            body: &body,
        });
        let id = reply.expect(201).member("inviteId");
        self.hide_invite(&id);
        id
    }

    fn invites(&mut self) {
        let (alice, bob) = (self.token("alice"), self.token("bob"));
        for _ in 0..100 {
            self.invite(&alice, &[]);
        }
        let key = self.canary("an idempotency key");
        let headers = [("Idempotency-Key", key.as_str())];
        let first = self.invite(&alice, &headers);
        assert_eq!(self.invite(&alice, &headers), first);
        let other = self.call(Call {
            credential: &alice,
            method: "POST",
            target: "/v1/invites",
            headers: &headers,
            body: &invite_of("ro_editor", "projects/42/other").to_string(),
        });
        other.expect(422);
        let target = format!("/v1/invites/{first}");
        // An echo to whoever has it already.
        self.server
            .send(&alice, "GET", &target, &Value::Null)
            .expect(200);
        let owner = self.owner.clone();
        self.send(&owner, "PATCH", &target, &Value::Null)
            .expect(403);
        self.send(&bob, "PATCH", &target, &Value::Null).expect(200);
        self.send(&bob, "PATCH", &target, &Value::Null).expect(200);
        self.send(&alice, "PATCH", &target, &Value::Null)
            .expect(404);
        self.send(&alice, "GET", &target, &Value::Null).expect(404);
        self.send("", "GET", &target, &Value::Null).expect(401);
        self.send(&alice, "POST", &target, &Value::Null).expect(405);
        self.send(&alice, "GET", &format!("{target}/x"), &Value::Null)
            .expect(404);
        self.send(&alice, "GET", &format!("{target}%0A"), &Value::Null)
            .expect(400);
        self.send(&alice, "GET", &format!("{target}%zz"), &Value::Null)
            .expect(400);
        self.send(
            &alice,
            "GET",
            &format!("{target}?a={first}&{first}=b"),
            &Value::Null,
        );
        let ended = self.invite(&alice, &[]);
        let target = format!("/v1/invites/{ended}");
        self.send(&alice, "DELETE", &target, &Value::Null)
            .expect(204);
        self.send(&bob, "PATCH", &target, &Value::Null).expect(404);
        // In places of others, where something may be repeated.
        for place in ["records", "roles", "groups", "clients", "accounts"] {
            self.send(&owner, "GET", &format!("/v1/{place}/{ended}"), &Value::Null)
                .expect(404);
        }
        for place in ["users", "resources", "no-such-place"] {
            let target = format!("/v1/{place}/{ended}/{ended}/{ended}");
            self.send(&owner, "GET", &target, &Value::Null);
        }
        let cursor = format!("/v1/records?cursor={ended}&filter={ended}");
        self.send(&owner, "GET", &cursor, &Value::Null).expect(400);
    }

    fn keys(&mut self) {
        let owner = self.owner.clone();
        let made = self.send(&owner, "POST", "/v1/clients", &json!({ "name": "Worker" }));
        let client = made.expect(201).member("clientId");
        let keys = format!("/v1/clients/{client}/access-keys");
        let made = self
            .server
            .send(&owner, "POST", &keys, &json!({}))
            .expect(201);
        let key = made.member("accessKey");
        self.hide_key(&key);
        self.send(&key, "GET", "/v1/accounts", &Value::Null);
        let target = format!("{keys}/{}", made.member("keyId"));
        self.send(&owner, "DELETE", &target, &Value::Null)
            .expect(204);
        self.send(&key, "GET", "/v1/accounts", &Value::Null)
            .expect(401);
        // The key is base64, and a path with an empty segment is no path.
        let status = if key.contains("//") { 400 } else { 404 };
        self.send(&owner, "GET", &format!("/v1/clients/{key}"), &Value::Null)
            .expect(status);
        self.send(&owner, "POST", &keys, &json!({ "publicKey": key }))
            .expect(400);
        self.send(
            &owner,
            "GET",
            &format!("/v1/records?cursor={key}"),
            &Value::Null,
        )
        .expect(400);
        for target in [
            "/v1/clients",
            &format!("/v1/clients/{client}"),
            "/v1/records",
        ] {
            self.send(&owner, "GET", target, &Value::Null).expect(200);
        }
    }

    /// Secrets that the server must be able to use again.
    fn connections(&mut self) {
        let owner = self.owner.clone();
        let (first, second) = (self.canary("a client secret"), self.canary("another"));
        let connection = |secret: &str| json!({"connectionId": "con_1", "clientSecret": secret});
        let all = "/v1/connections";
        let one = "/v1/connections/con_1";
        self.send(&owner, "POST", all, &connection(&first))
            .expect(201);
        self.send(&owner, "POST", all, &connection(&second))
            .expect(409);
        self.send(&owner, "PUT", one, &connection(&second))
            .expect(200);
        let mut moved = connection("");
        moved["tokenUrl"] = json!("https://other.example/token");
        self.send(&owner, "PUT", one, &moved).expect(400);
        let wrong = json!({"clientSecret": [first]});
        self.send(&owner, "PUT", one, &wrong).expect(400);
        let mallory = self.token("mallory");
        self.send(&mallory, "POST", all, &connection(&first))
            .expect(403);
        self.send(&mallory, "PUT", one, &connection(&first))
            .expect(404);
        for target in [all, one] {
            self.send(&owner, "GET", target, &Value::Null).expect(200);
        }
        self.send(
            &owner,
            "GET",
            &format!("{one}/users/u/credentials"),
            &Value::Null,
        )
        .expect(501);
    }

    /// A webhook whose receiver cannot be reached, which is where errors would tell of it.
    fn webhooks(&mut self) {
        let owner = self.owner.clone();
        let body = json!({"url": "http://127.0.0.1:9999/", "eventTypes": ["role.*"]});
        let hide = |life: &mut Self, reply: Reply| {
            let secret = reply.expect(201).member("secret");
            let encoded = secret.strip_prefix("whsec_").unwrap();
            life.hide("the secret of a webhook", encoded.get(4..36).unwrap());
            life.needles.push(Needle {
                what: "the key of a webhook".to_owned(),
                bytes: STANDARD.decode(encoded).unwrap(),
            });
        };
        let made = self.server.send(&owner, "POST", "/v1/webhooks", &body);
        let one = format!("/v1/webhooks/{}", made.member("webhookId"));
        hide(self, made);
        let rotate = format!("{one}/secret");
        let rotated = self.server.send(&owner, "POST", &rotate, &Value::Null);
        hide(self, rotated);
        let role = json!({"roleId": "ro_hooked", "name": "x", "permissions": []});
        self.send(&owner, "POST", "/v1/roles", &role).expect(201);
        let test = format!("{one}/test");
        self.send(&owner, "POST", &test, &Value::Null).expect(200);
        self.send(&owner, "PUT", &one, &body).expect(200);
        let wrong = json!({"url": "http://10.0.0.1/"});
        self.send(&owner, "PUT", &one, &wrong).expect(400);
        let mallory = self.token("mallory");
        self.send(&mallory, "POST", &rotate, &Value::Null)
            .expect(404);
        let deliveries = format!("{one}/deliveries");
        for target in ["/v1/webhooks", &one, &deliveries] {
            self.send(&owner, "GET", target, &Value::Null).expect(200);
        }
    }

    /// Tokens that a service client makes for users.
    fn user_tokens(&mut self) {
        let owner = self.owner.clone();
        let options = json!({ "options": { "grantTokenGeneration": true } });
        let made = self.send(&owner, "POST", "/v1/clients", &options);
        let client = made.expect(201).member("clientId");
        let keys = format!("/v1/clients/{client}/access-keys");
        let made = self.server.send(&owner, "POST", &keys, &json!({}));
        let key = made.expect(201).member("accessKey");
        self.hide_key(&key);
        for role in ["ro_editor", "Authress:Owner"] {
            let resource = if role == "ro_editor" {
                "projects/42"
            } else {
                "*"
            };
            let statements = invite_of(role, resource);
            let target = "/v1/users/alice/tokens";
            let made = self
                .server
                .send(&key, "POST", target, &statements)
                .expect(201);
            let token = made.member("token");
            self.hide_token(&token);
            let check = "/v1/users/alice/resources/projects%2F42/permissions/documents:read";
            self.send(&token, "GET", check, &Value::Null).expect(200);
            self.send(&token, "GET", "/v1/events", &Value::Null)
                .expect(403);
            let target = format!("{target}/{}", made.member("tokenId"));
            self.send(&owner, "DELETE", &target, &Value::Null)
                .expect(204);
            self.send(&token, "GET", check, &Value::Null).expect(401);
            self.send(
                &owner,
                "DELETE",
                &format!("/v1/users/alice/tokens/{token}"),
                &Value::Null,
            )
            .expect(404);
        }
    }

    fn tokens(&mut self) {
        let token = self.token("mallory");
        let broken = format!("{}AAAA", token.get(..token.len() - 4).unwrap());
        self.send(&broken, "GET", "/v1/accounts", &Value::Null)
            .expect(401);
        self.send(&format!("{token}."), "GET", "/v1/accounts", &Value::Null)
            .expect(401);
        for form in ["Basic ", "Token ", "", "Bearer Bearer ", "Bearer  x"] {
            let reply = self.call(Call {
                method: "GET",
                target: "/v1/accounts",
                headers: &[("Authorization", &format!("{form}{token}"))],
                ..Call::default()
            });
            reply.expect(401);
        }
        let owner = self.owner.clone();
        for body in [
            json!({ "jwt": broken }),
            json!({ "issuer": broken, "preferredAudience": "*" }),
            json!({ "jwt": [broken] }),
        ] {
            self.send(&owner, "POST", "/v1/identities", &body)
                .expect(400);
        }
        self.send(
            &owner,
            "GET",
            &format!("/v1/users/{token}/resources"),
            &Value::Null,
        );
    }

    /// Secrets in bodies that are refused.
    fn stray_in_bodies(&mut self) {
        let owner = self.owner.clone();
        let canary = self.canary("a stray value");
        let bodies = [
            json!({ "name": 5, canary.clone(): 1 }).to_string(),
            format!("{{\"{canary}\":1,\"{canary}\":2}}"),
            format!("{{\"x\":{{\"{canary}\":{{\"y\":1,\"y\":2}}}}}}"),
            json!({ "name": [canary] }).to_string(),
            json!({ "statements": canary }).to_string(),
            json!({ "statements": [{ "roles": [canary], "resources": canary }] }).to_string(),
            json!({ "conflictResolutionStrategy": canary }).to_string(),
            json!({ "expiryTime": canary, "statements": [] }).to_string(),
            json!({ "users": [{ "userId": format!("{canary}\n") }] }).to_string(),
            json!({ "name": "n", "statements": [], "tags": { canary.clone(): 5 } }).to_string(),
            json!({ "recordId": format!("{canary}/{canary}"), "name": 5 }).to_string(),
            json!({ "groupId": format!("{canary} "), "roleId": canary }).to_string(),
            canary.clone(),
            format!("\"{canary}\""),
            format!("[\"{canary}\"]"),
        ];
        for body in &bodies {
            for target in [
                "/v1/invites",
                "/v1/records",
                "/v1/groups",
                "/v1/roles",
                "/v1/identities",
            ] {
                let reply = self.call(Call {
                    credential: &owner,
                    method: "POST",
                    target,
                    body,
                    ..Call::default()
                });
                assert!(
                    reply.status >= 400 || target == "/v1/invites",
                    "{target} {body}"
                );
            }
        }
    }

    /// Secrets in header fields and targets where none belongs.
    fn stray_in_heads(&mut self) {
        let owner = self.owner.clone();
        let canary = self.canary("a stray header");
        let with_control = format!("{canary}\u{e9}\"");
        for (name, value) in [
            ("User-Agent", &canary),
            ("Referer", &canary),
            ("Cookie", &canary),
            ("Origin", &canary),
            ("X-Request-Id", &with_control),
            ("X-Forwarded-For", &canary),
            ("If-Unmodified-Since", &canary),
            ("Expect", &canary),
            ("Content-Encoding", &canary),
            ("Content-Type", &canary),
            ("Host", &with_control),
            ("Transfer-Encoding", &canary),
        ] {
            let body = record_of("stray", "u", "Authress:Owner", "stray").to_string();
            self.call(Call {
                credential: &owner,
                method: "PUT",
                target: "/v1/records/no-such-record",
                headers: &[(name, value)],
                body: &body,
            });
        }
        let canary = self.canary("a stray in the target");
        for target in [
            format!("/{canary}"),
            format!("/v1/{canary}"),
            format!("/v1/records?cursor={canary}"),
            format!("/v1/records?limit={canary}"),
            format!("/v1/records?status={canary}"),
            format!("/v1/records?{canary}=1&limit=1&limit=2"),
            format!("/v1/records/{canary}"),
            format!("/v1/roles/{canary}%2F.."),
            format!("/v1/clients/sc_1/access-keys/{canary}"),
            format!("/v1/users/u/resources/{canary}/permissions/{canary}"),
            format!("/v1/users/u/resources?collectionConfiguration={canary}"),
            format!("http://{canary}/v1/records"),
        ] {
            self.send(&owner, "GET", &target, &Value::Null);
        }
        self.send(&owner, &canary, "/v1/records", &Value::Null);
    }
}

/// Every document and every event, as text: what a file may keep in pieces is whole here.
fn dump(data: &Path) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = EmbeddedStore::open(data).unwrap();
        let mut text = String::new();
        for kind in Kind::ALL {
            let documents = store
                .list(kind, &Selection::All, None, 10_000)
                .await
                .unwrap();
            for seen in documents {
                writeln!(
                    text,
                    "{:?} {}",
                    seen.value.facets,
                    String::from_utf8_lossy(&seen.value.body)
                )
                .unwrap();
                writeln!(text, "{}", seen.value.id).unwrap();
            }
        }
        for line in store.events_after(Revision(0), 10_000).await.unwrap() {
            let event = serde_json::to_string(&line.event).unwrap();
            writeln!(text, "{event} {:?}", line.touched).unwrap();
        }
        store.close().await.unwrap();
        text
    })
}

fn files(data: &Path, when: &str) -> Vec<Place> {
    let secret = [
        "pepper",
        "user-token-key",
        "sealing-key",
        "owner-access-key",
    ];
    let entries = fs::read_dir(data).unwrap().map(Result::unwrap);
    entries
        .filter(|entry| !secret.contains(&entry.file_name().to_str().unwrap()))
        .map(|entry| Place {
            what: format!("{} {when}", entry.path().display()),
            bytes: fs::read(entry.path()).unwrap(),
        })
        .collect()
}

fn holds(place: &Place, needle: &[u8]) -> bool {
    place
        .bytes
        .windows(needle.len())
        .any(|window| window == needle)
}

/// Which needles are where: one pass over each place.
fn leaks(needles: &[Needle], places: &[Place]) -> BTreeSet<String> {
    let starts: HashMap<&[u8], &str> = needles
        .iter()
        .map(|needle| (needle.bytes.get(..ENOUGH).unwrap(), needle.what.as_str()))
        .collect();
    let in_place = |place: &Place| -> Vec<String> {
        let windows = place.bytes.windows(ENOUGH);
        let found = windows.filter_map(|window| starts.get(window));
        found
            .map(|what| format!("{what} in {}", place.what))
            .collect()
    };
    places.iter().flat_map(in_place).collect()
}

/// All that was left behind, once the server has ended.
fn places(life: Life, data: &Path) -> (Vec<Needle>, Vec<Place>) {
    let Life {
        server,
        owner,
        needles,
        mut answers,
    } = life;
    for target in ["/metrics", "/openapi.json", "/healthz", "/readyz", "/docs"] {
        answers.extend(
            server
                .send(&owner, "GET", target, &Value::Null)
                .text
                .into_bytes(),
        );
    }
    let mut places = files(data, "while it runs");
    let log = server.stop();
    places.extend(files(data, "after the end"));
    for (what, text) in [("the log", log), ("documents and events", dump(data))] {
        places.push(Place {
            what: what.to_owned(),
            bytes: text.into_bytes(),
        });
    }
    places.push(Place {
        what: "the answers".to_owned(),
        bytes: answers,
    });
    (needles, places)
}

#[test]
fn s05_i14_a_whole_life_leaves_no_secret_behind() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let mut life = Life::new(data);
    life.invites();
    life.keys();
    life.connections();
    life.webhooks();
    life.user_tokens();
    life.tokens();
    life.stray_in_bodies();
    life.stray_in_heads();
    // The control: what may be found is found, in every place where it is.
    let owner = life.owner.clone();
    let planted = life.call(Call {
        credential: &owner,
        method: "POST",
        target: "/v1/records",
        headers: &[("X-Request-Id", "planted-request-id-0001")],
        body: &record_of("planted-record-0001", "u", "ro_editor", "planted").to_string(),
    });
    planted.expect(201);
    let (needles, places) = places(life, data);
    let found = |needle: &str| -> Vec<&str> {
        let found = places
            .iter()
            .filter(|place| holds(place, needle.as_bytes()));
        found.map(|place| place.what.as_str()).collect()
    };
    let with_id = found("planted-request-id-0001");
    let with_record = found("planted-record-0001");
    for place in ["the log", "documents and events", "the answers"] {
        assert!(with_id.contains(&place), "{place}: {with_id:?}");
    }
    for file in ["guestlist.db-wal while", "guestlist.db after"] {
        assert!(
            with_record.iter().any(|place| place.contains(file)),
            "{file}: {with_record:?}"
        );
    }
    assert_eq!(leaks(&needles, &places), BTreeSet::new());
    let known = Needle {
        what: "known".to_owned(),
        bytes: b"planted-record-0001".to_vec(),
    };
    assert!(!leaks(&[known], &places).is_empty());
    let searched: usize = places.iter().map(|place| place.bytes.len()).sum();
    println!(
        "{} secrets, {} places, {searched} bytes",
        needles.len(),
        places.len()
    );
}
