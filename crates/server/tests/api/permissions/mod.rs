//! The permission matrix: every operation as every kind of caller, each cell tried against a server,
//! and the columns of docs/API.md that say the same.

mod page;
mod table;

use std::collections::BTreeSet;

use guestlist_server::operations::Operation;
use serde_json::{Value, json};

use self::table::access::LIMITED;
use self::table::service::{APPLICATION, CONNECTION, NAME, TENANT, WEBHOOK};
use self::table::{Holds, Right, Row, TABLE};
use crate::world::{ACCOUNT, Engine, World, engines, invite_of, record_of};

/// A world with one of everything, and what stands in the braces of paths and resources.
struct Furnished {
    world: World,
    places: Vec<(&'static str, String)>,
}

impl Furnished {
    async fn new(engine: Engine, row: &Row) -> Self {
        let world = World::new(engine).await;
        world.role("ro_x", &[("x:read", true, false, false)]).await;
        world
            .role("ro_reader", &[("READ", true, false, false)])
            .await;
        let elsewhere = ["Authress:Elsewhere"];
        world
            .give("rec_neighbour", "neighbour", &["ro_reader"], &elsewhere)
            .await;
        let made = |reply: crate::world::Reply| reply.expect(201).json();
        let record = record_of("rec_x", "holder", &["ro_x"], &["things/1"]);
        made(world.own("POST", "/v1/records", Some(&record)).await);
        let group = json!({"groupId": "grp_x", "name": "x", "users": [], "admins": []});
        made(world.own("POST", "/v1/groups", Some(&group)).await);
        let client = json!({"name": "x"});
        let client = made(world.own("POST", "/v1/clients", Some(&client)).await);
        let client = text(&client["clientId"]);
        let keys = format!("/v1/clients/{client}/access-keys");
        let key = made(world.own("POST", &keys, None).await);
        let invite = invite_of(&["ro_x"], &["things/1"]);
        let invite = world.invite(&world.owner, &invite).await;
        let reference = invite[4..16].to_owned();
        let request = json!({"access": {"users": [{"userId": "holder"}],
            "statements": invite_of(&["ro_x"], &["things/1"])["statements"]}});
        let request = made(world.own("POST", "/v1/requests", Some(&request)).await);
        let places = vec![
            ("{requestId}", text(&request["requestId"])),
            ("{recordId}", "rec_x".to_owned()),
            ("{groupId}", "grp_x".to_owned()),
            ("{roleId}", "ro_x".to_owned()),
            ("{clientId}", client),
            ("{keyId}", text(&key["keyId"])),
            ("{inviteId}", invite),
            ("{reference}", reference),
            ("{userId}", "holder".to_owned()),
            ("{resourceUri}", "things%2F1".to_owned()),
            ("{permission}", "x:read".to_owned()),
            ("{accountId}", ACCOUNT.to_owned()),
        ];
        let configuration = json!({"permissions": [{"action": "CLAIM", "allow": true}]});
        let configured = world.own("PUT", "/v1/resources/things%2F1", Some(&configuration));
        configured.await.expect(200);
        let mut furnished = Self { world, places };
        furnished.make_nouns().await;
        furnished.make_token().await;
        if let Some([exact, parent]) = row.holds {
            furnished.hold("exact", exact).await;
            furnished.hold("parent", parent).await;
        }
        furnished
    }

    /// One of each of what is simply made under its collection, where the server has it.
    async fn make_nouns(&mut self) {
        for (operation, path, body, place, id) in [
            ("createTenant", "tenants", TENANT, "{tenantId}", "tenantId"),
            (
                "createConnection",
                "connections",
                CONNECTION,
                "{connectionId}",
                "connectionId",
            ),
            (
                "createApplication",
                "applications",
                APPLICATION,
                "{applicationId}",
                "applicationId",
            ),
            (
                "createWebhook",
                "webhooks",
                WEBHOOK,
                "{webhookId}",
                "webhookId",
            ),
            (
                "createExtension",
                "extensions",
                NAME,
                "{extensionId}",
                "extensionId",
            ),
        ] {
            if is_built(operation) {
                let body: Value = serde_json::from_str(body).unwrap();
                let path = format!("/v1/{path}");
                let made = self.world.own("POST", &path, Some(&body)).await.expect(201);
                self.places.push((place, text(&made.json()[id])));
            }
        }
    }

    /// A token of the user, by a service client that may make some.
    async fn make_token(&mut self) {
        let client = json!({"name": "maker", "options": {"grantTokenGeneration": true}});
        let client = self.world.own("POST", "/v1/clients", Some(&client)).await;
        let keys = format!(
            "/v1/clients/{}/access-keys",
            text(&client.expect(201).json()["clientId"])
        );
        let key = self.world.own("POST", &keys, None).await.expect(201).json();
        let body: Value = serde_json::from_str(LIMITED).unwrap();
        let target = self.filled("/v1/users/{userId}/tokens");
        let key = text(&key["accessKey"]);
        let made = self.world.send(&key, "POST", &target, Some(&body)).await;
        let token = text(&made.expect(201).json()["tokenId"]);
        self.places.push(("{tokenId}", token));
    }

    /// Gives a user of that name a role that has this permission and no other.
    async fn hold(&self, user: &str, holds: Holds) {
        let role = format!("ro_{user}");
        let (action, right) = (holds.action, holds.right);
        let flags = [Right::Use, Right::Give, Right::PassOn].map(|flag| flag == right);
        let [allow, grant, delegate] = flags;
        self.world
            .role(&role, &[(action, allow, grant, delegate)])
            .await;
        // A path has the slashes of a resource encoded; a grant does not.
        let resource = self.filled(holds.on).replace("%2F", "/");
        let record = format!("rec_{user}");
        self.world.give(&record, user, &[&role], &[&resource]).await;
    }

    /// A body may name the invite.
    fn body(&self, template: &str) -> Value {
        let invite = self.filled("{inviteId}");
        serde_json::from_str(&template.replace("{inviteId}", &invite)).unwrap()
    }

    fn filled(&self, template: &str) -> String {
        let filled = self
            .places
            .iter()
            .fold(template.to_owned(), |text, (place, value)| {
                text.replace(place, value)
            });
        assert!(
            !filled.contains('{'),
            "nothing is known for a place of {filled}"
        );
        filled
    }

    fn credential(&self, who: &str) -> String {
        match who {
            "nobody" => String::new(),
            "owner" => self.world.owner.clone(),
            user => self.world.token(user),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn is_built(operation: &str) -> bool {
    Operation::ALL
        .into_iter()
        .any(|built| built.name() == operation)
}

/// The rows of the operations that the server has.
fn rows() -> impl Iterator<Item = &'static Row> {
    let all = TABLE.iter().copied().flatten();
    all.filter(|row| is_built(row.operation))
}

/// The callers of a row, in the order of the columns, and what each is answered.
fn cells(row: &Row) -> Vec<(&'static str, u16)> {
    let expected = row.expected;
    let mut cells = vec![
        ("nobody", expected.nobody),
        ("stranger", expected.stranger),
        ("neighbour", expected.neighbour),
    ];
    if let Some([exact, parent]) = expected.holders {
        cells.extend([("exact", exact), ("parent", parent)]);
    }
    cells.push(("owner", expected.owner));
    cells
}

#[test]
fn every_operation_has_a_row() {
    let listed: Vec<String> = rows().map(|row| row.operation.to_owned()).collect();
    let distinct: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(distinct.len(), listed.len(), "an operation has two rows");
    let all: BTreeSet<String> = Operation::ALL.map(Operation::name).into_iter().collect();
    assert_eq!(distinct, all, "every operation belongs into the table");
    for row in rows() {
        assert_eq!(
            row.holds.is_some(),
            row.expected.holders.is_some(),
            "{}: a permission has holders",
            row.operation
        );
    }
}

#[tokio::test]
async fn a01_every_cell_of_the_permission_matrix() {
    every_cell(Engine::Memory).await;
}

#[tokio::test]
async fn a01_every_cell_of_the_permission_matrix_on_postgresql() {
    if engines().contains(&Engine::Postgres) {
        every_cell(Engine::Postgres).await;
    }
}

async fn every_cell(engine: Engine) {
    for row in rows() {
        let (method, path) = row.request.split_once(' ').unwrap();
        let body: Option<&str> = match row.body {
            "" => None,
            body => Some(body),
        };
        let mut furnished = Furnished::new(engine, row).await;
        for (who, status) in cells(row) {
            let (world, target) = (&furnished.world, furnished.filled(path));
            let body = body.map(|body| furnished.body(body));
            let before = world.app.revision();
            let credential = furnished.credential(who);
            let reply = world
                .send(&credential, method, &target, body.as_ref())
                .await;
            let cell = format!("{} as {who}", row.operation);
            assert_eq!(reply.status, status, "{cell}: {}", reply.text);
            if status >= 400 {
                assert_eq!(world.app.revision(), before, "{cell}");
                for member in ["title", "errorCode", "errorId"] {
                    assert!(reply.json()[member].is_string(), "{cell}: {member}");
                }
            }
            if status == 401 {
                assert_eq!(reply.header("www-authenticate").as_deref(), Some("Bearer"));
            }
            // What one caller deleted, the next one needs.
            if world.app.revision() != before {
                furnished = Furnished::new(engine, row).await;
            }
        }
    }
}
