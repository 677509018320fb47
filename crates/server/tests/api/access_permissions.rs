//! Who may do what with users and their like: nobody, a stranger, who holds exactly the permission that
//! is published, who holds it on the collection, who holds another one there, and the owner.

use serde_json::{Value, json};

use crate::world::{Engine, World, statement};

/// An operation, and what each of them gets.
struct Row {
    method: &'static str,
    /// `{requestId}` stands for an open request.
    target: &'static str,
    body: Option<Value>,
    /// The action that is needed.
    action: &'static str,
    /// The resource it is needed on, and the collection that belongs to.
    on: [&'static str; 2],
    stranger: u16,
    holder: u16,
    /// Who may do something else there.
    other: u16,
    owner: u16,
}

/// An operation on something that a stranger may not know of.
const fn named(
    method: &'static str,
    target: &'static str,
    action: &'static str,
    on: [&'static str; 2],
    done: u16,
) -> Row {
    Row {
        method,
        target,
        body: None,
        action,
        on,
        stranger: 404,
        holder: done,
        other: 403,
        owner: done,
    }
}

fn rows() -> Vec<Row> {
    const REQUEST: &str = "/v1/requests/{requestId}";
    const OF_REQUEST: [&str; 2] = [
        "Authress:AccessRequests/{requestId}",
        "Authress:AccessRequests",
    ];
    const ALICE: [&str; 2] = ["Authress:Users/alice", "Authress:Users"];
    vec![
        Row {
            stranger: 403,
            ..named(
                "GET",
                "/v1/users",
                "READ",
                ["Authress:Users", "Authress:Users"],
                200,
            )
        },
        named("GET", "/v1/users/alice", "READ", ALICE, 200),
        named("GET", "/v1/users/alice", "Users:Read", ALICE, 200),
        named("DELETE", "/v1/users/alice", "UPDATE", ALICE, 202),
        named("DELETE", "/v1/users/alice", "Users:Update", ALICE, 202),
        named("GET", REQUEST, "AccessRequests:Read", OF_REQUEST, 200),
        named("GET", REQUEST, "READ", OF_REQUEST, 200),
        named("DELETE", REQUEST, "AccessRequests:Update", OF_REQUEST, 204),
        Row {
            body: Some(json!({"status": "DENIED"})),
            ..named("PATCH", REQUEST, "AccessRequests:Update", OF_REQUEST, 200)
        },
        // The right to answer is not the right to give.
        Row {
            body: Some(json!({"status": "APPROVED"})),
            holder: 403,
            ..named("PATCH", REQUEST, "UPDATE", OF_REQUEST, 200)
        },
        Row {
            stranger: 200,
            other: 200,
            ..named("GET", "/v1/requests", "READ", OF_REQUEST, 200)
        },
    ]
}

/// A world of its own for each: what one deletes, another needs.
async fn furnished() -> (World, String) {
    let world = World::new(Engine::Memory).await;
    let request = json!({"access": {"users": [{"userId": "bob"}],
        "statements": [statement(&["ro_viewer"], &["shelf"])]}});
    let made = world
        .own("POST", "/v1/requests", Some(&request))
        .await
        .expect(201);
    let request = made.json()["requestId"].as_str().unwrap().to_owned();
    (world, request)
}

#[tokio::test]
async fn each_operation_takes_its_permission_and_no_other() {
    for row in rows() {
        let [exact, parent] = row.on;
        let holders = [
            ("nobody", None, 401),
            ("stranger", None, row.stranger),
            ("exact", Some((row.action, exact)), row.holder),
            ("parent", Some((row.action, parent)), row.holder),
            ("other", Some(("CREATE", exact)), row.other),
            (
                "elsewhere",
                Some((row.action, "Authress:Elsewhere")),
                row.other,
            ),
            (
                "beside",
                Some((row.action, "Authress:Users/alice2")),
                row.other,
            ),
            ("owner", None, row.owner),
        ];
        for (who, gift, status) in holders {
            let (world, request) = furnished().await;
            let filled = |text: &str| text.replace("{requestId}", &request);
            if let Some((action, resource)) = gift {
                world.role("ro_held", &[(action, true, false, false)]).await;
                world
                    .give("rec_held", who, &["ro_held"], &[&filled(resource)])
                    .await;
            }
            let credential = match who {
                "nobody" => String::new(),
                "owner" => world.owner.clone(),
                user => world.token(user),
            };
            let before = world.app.revision();
            let reply = world
                .send(
                    &credential,
                    row.method,
                    &filled(row.target),
                    row.body.as_ref(),
                )
                .await;
            let what = format!("{} {} as {who} with {gift:?}", row.method, row.target);
            assert_eq!(reply.status, status, "{what}: {}", reply.text);
            if status >= 400 {
                assert_eq!(world.app.revision(), before, "{what}");
            }
        }
    }
}
