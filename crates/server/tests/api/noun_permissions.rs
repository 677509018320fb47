//! Who may do what with tenants and their like: nobody, a stranger, who holds exactly the permission
//! that is published, who holds it on the collection, and the owner.

use serde_json::{Value, json};

use crate::world::{Engine, World};

/// What each of them gets.
struct Row {
    method: &'static str,
    target: String,
    body: Option<Value>,
    /// The permission, and the resource it is needed on.
    needs: (&'static str, String),
    /// The collection that resource belongs to.
    parent: &'static str,
    nobody: u16,
    stranger: u16,
    /// Whoever holds it, and whoever holds another permission there.
    holder: u16,
    other: u16,
}

/// A world with one of everything, and the ids that the server has made. They are the same in each.
struct Furnished {
    world: World,
    application: String,
    extension: String,
}

async fn furnished() -> Furnished {
    let world = World::new(Engine::Memory).await;
    for (id, action) in [
        ("ro_create", "CREATE"),
        ("ro_read", "READ"),
        ("ro_update", "UPDATE"),
    ] {
        world.role(id, &[(action, true, false, false)]).await;
    }
    let made = async |collection: &str, body: Value, id: &str| {
        let target = format!("/v1/{collection}");
        let reply = world.own("POST", &target, Some(&body)).await.expect(201);
        reply.json()[id].as_str().unwrap().to_owned()
    };
    let application = made("applications", json!({"name": "n"}), "applicationId").await;
    let extension = made("extensions", json!({}), "extensionId").await;
    made(
        "connections",
        json!({"connectionId": "con_1"}),
        "connectionId",
    )
    .await;
    made("tenants", json!({"tenantId": "t1"}), "tenantId").await;
    Furnished {
        world,
        application,
        extension,
    }
}

/// The five operations on a noun that is made, read, listed, replaced and deleted.
fn usual(collection: &'static str, parent: &'static str, id: &str, body: &Value) -> Vec<Row> {
    let (all, one) = (
        format!("/v1/{collection}"),
        format!("/v1/{collection}/{id}"),
    );
    let own = format!("{parent}/{id}");
    let row =
        |method, target: &str, body: Option<&Value>, needs, own: &str, stranger, holder, other| {
            Row {
                method,
                target: target.to_owned(),
                body: body.cloned(),
                needs: (needs, own.to_owned()),
                parent,
                nobody: 401,
                stranger,
                holder,
                other,
            }
        };
    vec![
        row("POST", &all, Some(body), "CREATE", parent, 403, 201, 403),
        row("GET", &one, None, "READ", &own, 404, 200, 403),
        row("GET", &all, None, "READ", &own, 200, 200, 200),
        row("PUT", &one, Some(body), "UPDATE", &own, 404, 200, 403),
        row("DELETE", &one, None, "UPDATE", &own, 404, 204, 403),
    ]
}

fn rows(world: &Furnished) -> Vec<Row> {
    let mut rows = usual("tenants", "Authress:Tenants", "t1", &json!({}));
    // Tenants stood among the connections before.
    let older = usual("tenants", "Authress:Connections", "t1", &json!({}));
    rows.extend(older);
    let connections = "Authress:Connections";
    let application = json!({"name": "n"});
    rows.extend(usual(
        "applications",
        "Authress:Applications",
        &world.application,
        &application,
    ));
    rows.extend(usual(
        "extensions",
        "Authress:Extensions",
        &world.extension,
        &json!({}),
    ));
    rows.extend(usual("connections", connections, "con_1", &json!({})));
    for target in ["/v1/users/u/token-configuration", "/v1/users/u"] {
        rows.push(Row {
            method: "PUT",
            target: target.to_owned(),
            body: Some(json!({})),
            needs: ("UPDATE", "Authress:Users/u".to_owned()),
            parent: "Authress:Users",
            nobody: 401,
            stranger: 404,
            holder: 200,
            other: 403,
        });
    }
    rows.push(Row {
        method: "PATCH",
        target: "/v1/tenants/t1/users".to_owned(),
        body: Some(json!({"userId": "alice"})),
        needs: ("UPDATE", "Authress:Tenants/t1".to_owned()),
        parent: "Authress:Tenants",
        nobody: 401,
        stranger: 404,
        holder: 204,
        other: 403,
    });
    rows
}

#[tokio::test]
async fn each_operation_takes_its_permission_and_no_other() {
    let roles = ["CREATE", "READ", "UPDATE"];
    for row in rows(&furnished().await) {
        let (needed, resource) = &row.needs;
        let role_of = |action: &str| format!("ro_{}", action.to_lowercase());
        let mut others: Vec<&str> = roles.into_iter().filter(|one| one != needed).collect();
        others.push("");
        let holders = [
            ("nobody", None, row.nobody),
            ("stranger", None, row.stranger),
            (
                "exact",
                Some((role_of(needed), resource.clone())),
                row.holder,
            ),
            (
                "parent",
                Some((role_of(needed), row.parent.to_owned())),
                row.holder,
            ),
            (
                "other",
                Some((role_of(others[0]), resource.clone())),
                row.other,
            ),
            (
                "other",
                Some((role_of(others[1]), resource.clone())),
                row.other,
            ),
            (
                "elsewhere",
                Some((role_of(needed), "Authress:Elsewhere".to_owned())),
                row.other,
            ),
            ("owner", None, row.holder),
        ];
        for (who, gift, status) in holders {
            // A world of its own for each: what one deletes, another needs.
            let world = furnished().await.world;
            if let Some((role, resource)) = &gift {
                world.give("rec_holder", who, &[role], &[resource]).await;
            }
            let credential = match who {
                "nobody" => String::new(),
                "owner" => world.owner.clone(),
                user => world.token(user),
            };
            let before = world.app.revision();
            let reply = world
                .send(&credential, row.method, &row.target, row.body.as_ref())
                .await;
            assert_eq!(
                reply.status, status,
                "{} {} as {who} with {gift:?}: {}",
                row.method, row.target, reply.text
            );
            if status >= 400 {
                assert_eq!(world.app.revision(), before, "{} as {who}", row.target);
            }
        }
    }
}

#[tokio::test]
async fn lists_show_what_may_be_read_and_nothing_else() {
    for (collection, list, id, parent) in [
        ("tenants", "tenants", "t1", "Authress:Tenants"),
        (
            "applications",
            "applications",
            "app",
            "Authress:Applications",
        ),
        ("extensions", "extensions", "ext", "Authress:Extensions"),
        (
            "connections",
            "connections",
            "con_1",
            "Authress:Connections",
        ),
    ] {
        let Furnished {
            world,
            application,
            extension,
        } = furnished().await;
        let id = match id {
            "app" => application.as_str(),
            "ext" => extension.as_str(),
            chosen => chosen,
        };
        let own = format!("{parent}/{id}");
        world
            .give("rec_exact", "exact", &["ro_read"], &[&own])
            .await;
        world
            .give("rec_parent", "parent", &["ro_read"], &[parent])
            .await;
        world
            .give("rec_update", "update", &["ro_update"], &[parent])
            .await;
        let target = format!("/v1/{collection}");
        // An extension has an application of its own.
        let all = if collection == "applications" { 2 } else { 1 };
        for (user, count) in [
            ("exact", 1),
            ("parent", all),
            ("update", 0),
            ("stranger", 0),
        ] {
            let page = world.as_user(user, "GET", &target, None).await.expect(200);
            let found = page.json()[list].as_array().unwrap().len();
            assert_eq!(found, count, "{collection} as {user}");
        }
    }
}
