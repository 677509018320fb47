//! Batches of invites: each row as if it had come alone, as much as can be or all or none.

use std::sync::Arc;

use guestlist_server::settings::Settings;
use serde_json::{Value, json};

use crate::world::{Engine, Reply, World, engines, invite_of, statement};

const BATCH: &str = "/v1/invites/batch";

/// Alice may give `ro_editor` on `projects/42`, and no more.
async fn world(engine: Engine) -> World {
    let world = World::new(engine).await;
    prepare(&world).await;
    world
}

async fn prepare(world: &World) {
    world
        .role("ro_admin", &[("secrets:read", true, true, false)])
        .await;
}

fn row(email: &str, role: &str) -> Value {
    json!({ "invitee": {"email": email}, "statements": [statement(&[role], &["projects/42"])] })
}

fn batch(mode: &str, rows: &[Value]) -> Value {
    json!({ "mode": mode, "invites": rows })
}

async fn send(world: &World, user: &str, body: &Value) -> Reply {
    world.as_user(user, "POST", BATCH, Some(body)).await
}

async fn once(world: &World, key: &str, body: &Value) -> Reply {
    let key = [("Idempotency-Key", key)];
    let alice = world.token("alice");
    world
        .send_with(&alice, "POST", BATCH, &key, Some(body))
        .await
}

async fn text(world: &World, query: &str, media: &str, body: &str) -> Reply {
    let request = format!(
        "POST {BATCH}{query} HTTP/1.1\r\nHost: guestlist.test\r\nAuthorization: Bearer {}\r\n\
         Content-Type: {media}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        world.token("alice"),
        body.len()
    );
    world.raw(request.as_bytes()).await
}

fn counts(answer: &Value) -> (u64, u64) {
    let count = |name: &str| answer[name].as_u64().unwrap();
    (count("accepted"), count("refused"))
}

/// Each row: its code if it was refused, `made` or `effect` if not.
fn outcomes(answer: &Value) -> Vec<String> {
    let results = answer["results"].as_array().unwrap();
    let numbered = results.iter().zip(1..).all(|(row, n)| row["row"] == n);
    assert!(numbered, "{answer}");
    let told = results.iter().map(|row| {
        if row["invite"]["inviteId"].is_string() {
            "made".to_owned()
        } else if row["effect"].is_object() {
            "effect".to_owned()
        } else {
            row["refusal"]["errorCode"].as_str().unwrap().to_owned()
        }
    });
    told.collect()
}

#[tokio::test]
async fn the_good_rows_are_made_and_the_bad_ones_told() {
    for engine in engines() {
        let world = world(engine).await;
        let rows = [
            row("a@b.example", "ro_editor"),
            row("c@b.example", "ro_admin"),
            row("nobody", "ro_editor"),
            json!("text"),
            row("a@b.example", "ro_editor"),
            row("d@b.example", "ro_unknown"),
            invite_of(&["ro_editor"], &["projects/42"]),
            invite_of(&["ro_editor"], &["projects/42"]),
        ];
        let answer = send(&world, "alice", &batch("bestEffort", &rows)).await;
        let answer = answer.expect(200).json();
        let expected = [
            "made",
            "InsufficientGrantAccess",
            "InvalidRequest",
            "InvalidRequest",
            "InvalidRequest",
            "InvalidRequest",
            "made",
            "made",
        ];
        assert_eq!(outcomes(&answer), expected);
        assert_eq!(counts(&answer), (3, 5));
        assert_eq!(answer["mode"], "bestEffort");
        let refusal = |row: usize| &answer["results"][row]["refusal"];
        assert_eq!(refusal(1)["status"], 403);
        assert_eq!(refusal(2)["path"], "invitee.email");
        let title = refusal(4)["title"].as_str().unwrap();
        assert!(title.ends_with("is the same as row 1"), "{title}");
        // What it says of a row is what the row says alone.
        let alone = world.as_user("alice", "POST", "/v1/invites", Some(&rows[1]));
        let alone = alone.await.expect(403).json();
        assert_eq!(refusal(1)["title"], alone["title"]);
        assert_eq!(world.count("invite.created").await, 3);
        // The ids are good, and no event holds one.
        let id = answer["results"][6]["invite"]["inviteId"].as_str().unwrap();
        let target = format!("/v1/invites/{id}");
        let accepted = world.as_user("bob", "PATCH", &target, None).await;
        accepted.expect(200);
        assert!(world.may("bob", "projects/42", "documents:read").await);
        let events = json!(world.events().await).to_string();
        assert!(!events.contains(id), "{events}");
    }
}

#[tokio::test]
async fn all_are_made_or_none() {
    for engine in engines() {
        let world = world(engine).await;
        let mut rows = vec![
            row("a@b.example", "ro_editor"),
            row("b@b.example", "ro_admin"),
            row("c@b.example", "ro_editor"),
            row("d", "ro_editor"),
        ];
        let before = world.events().await.len();
        let refused = once(&world, "k", &batch("atomic", &rows)).await;
        let refused = refused.expect(422).json();
        assert_eq!(refused["errorCode"], "BatchRefused");
        let told = refused["refusedRows"].as_array().unwrap();
        let told: Vec<_> = told
            .iter()
            .map(|row| (&row["row"], &row["refusal"]["errorCode"]))
            .collect();
        assert_eq!(
            told,
            [
                (&json!(2), &json!("InsufficientGrantAccess")),
                (&json!(4), &json!("InvalidRequest")),
            ]
        );
        assert_eq!(world.events().await.len(), before);
        let listed = world.as_user("alice", "GET", "/v1/invites", None).await;
        assert_eq!(listed.expect(200).json()["invites"], json!([]));
        // Without the bad rows all of them, in one change.
        rows.retain(|row| row["invitee"]["email"] != "d");
        rows[1] = row("b@b.example", "ro_editor");
        let made = once(&world, "k", &batch("atomic", &rows)).await;
        let made = made.expect(200).json();
        assert_eq!(outcomes(&made), ["made"; 3]);
        assert_eq!(world.events().await.len(), before + 1);
        assert_eq!(world.count("invite.batch-created").await, 1);
        let metrics = world.own("GET", "/metrics", None).await.expect(200).text;
        let created = "guestlist_invite_events_total{event=\"created\"} 3\n";
        assert!(metrics.contains(created), "{metrics}");
        let again = once(&world, "k", &batch("atomic", &rows)).await;
        assert_eq!(again.expect(200).json(), made);
        let other = once(&world, "k", &batch("bestEffort", &rows)).await;
        assert_eq!(other.expect(422).code(), "IdempotencyKeyReused");
        assert_eq!(world.events().await.len(), before + 1);
        let events = json!(world.events().await).to_string();
        for row in made["results"].as_array().unwrap() {
            let invite = &row["invite"];
            assert!(events.contains(invite["reference"].as_str().unwrap()));
            assert!(!events.contains(invite["inviteId"].as_str().unwrap()));
        }
    }
}

#[tokio::test]
async fn a_repeated_batch_is_one_batch() {
    for engine in engines() {
        let world = Arc::new(world(engine).await);
        let rows: Vec<_> = (0..5)
            .map(|number| row(&format!("u{number}@b.example"), "ro_editor"))
            .chain([row("x@b.example", "ro_admin")])
            .collect();
        for mode in ["bestEffort", "atomic"] {
            let rows = if mode == "atomic" { &rows[..5] } else { &rows };
            let body = batch(mode, rows);
            let mut requests = Vec::new();
            for _ in 0..10 {
                let (world, body) = (Arc::clone(&world), body.clone());
                requests.push(tokio::spawn(async move {
                    once(&world, mode, &body).await.expect(200).json()
                }));
            }
            let mut answers = Vec::new();
            for request in requests {
                answers.push(request.await.unwrap());
            }
            answers.dedup();
            assert_eq!(answers.len(), 1, "{mode}");
        }
        assert_eq!(world.count("invite.created").await, 5);
        assert_eq!(world.count("invite.batch-created").await, 1);
        let changed = once(&world, "bestEffort", &batch("bestEffort", &rows[..2])).await;
        assert_eq!(changed.expect(422).code(), "IdempotencyKeyReused");
        // Another caller's key is another key, and an invite has it no more than a batch.
        let key = [("Idempotency-Key", "atomic")];
        let owner = &world.owner;
        let other = batch("bestEffort", &rows[..1]);
        let other = world.send_with(owner, "POST", BATCH, &key, Some(&other));
        assert_eq!(counts(&other.await.expect(200).json()), (1, 0));
        let alice = world.token("alice");
        let alone = world.send_with(&alice, "POST", "/v1/invites", &key, Some(&rows[0]));
        assert_eq!(alone.await.expect(422).code(), "IdempotencyKeyReused");
    }
}

#[tokio::test]
async fn a_batch_goes_on_where_it_ended_and_tells_what_was_renewed() {
    let world = world(Engine::Memory).await;
    let rows = [
        row("a@b.example", "ro_editor"),
        row("b@b.example", "ro_admin"),
    ];
    let body = batch("bestEffort", &rows);
    let first = once(&world, "k", &body).await.expect(200).json();
    assert_eq!(outcomes(&first), ["made", "InsufficientGrantAccess"]);
    world
        .role("ro_giver", &[("secrets:read", true, true, true)])
        .await;
    world
        .give("rec_b", "alice", &["ro_giver"], &["projects/42"])
        .await;
    let second = once(&world, "k", &body).await.expect(200).json();
    assert_eq!(outcomes(&second), ["made", "made"]);
    assert_eq!(first["results"][0], second["results"][0]);
    let reference = first["results"][0]["invite"]["reference"].as_str();
    let renew = format!("/v1/invites/{}/renewals", reference.unwrap());
    let renewed = world.as_user("alice", "POST", &renew, None).await;
    renewed.expect(201);
    let third = once(&world, "k", &body).await.expect(200).json();
    assert_eq!(outcomes(&third), ["InviteRenewed", "made"]);
    assert_eq!(world.count("invite.created").await, 2);
}

#[tokio::test]
async fn lines_and_tables_are_batches_too() {
    let world = world(Engine::Memory).await;
    let lines = format!(
        "{}\r\n\n{}\n",
        row("a@b.example", "ro_editor"),
        row("b@b.example", "ro_admin")
    );
    let answer = text(&world, "", "application/x-ndjson", &lines).await;
    assert_eq!(
        outcomes(&answer.expect(200).json()),
        ["made", "InsufficientGrantAccess"]
    );
    let answer = text(&world, "?mode=atomic", "application/x-ndjson", &lines).await;
    assert_eq!(answer.expect(422).json()["refusedRows"][0]["row"], 2);
    let table = "\u{feff}email,userId,resource,roles,tags,accessDuration,maxUses\r\n\
                 c@b.example,,projects/42 projects/42/a,ro_editor,team=web,P30D,\r\n\
                 ,bob,projects/42,ro_editor;ro_admin,,none,\r\n\
                 none,bob,\"projects/42\",ro_editor,,none,3\r\n";
    let answer = text(&world, "", "Text/CSV; charset=utf-8", table).await;
    let answer = answer.expect(200).json();
    assert_eq!(
        outcomes(&answer),
        ["made", "InsufficientGrantAccess", "InvalidRequest"]
    );
    let invite = &answer["results"][0]["invite"];
    assert_eq!(invite["invitee"], json!({"email": "c@b.example"}));
    assert_eq!(invite["tags"], json!({"team": "web"}));
    assert_eq!(invite["grant"], json!({"accessDuration": "P30D"}));
    let resources = &invite["statements"][0]["resources"];
    assert_eq!(resources[1]["resourceUri"], "projects/42/a");
}

#[tokio::test]
async fn what_is_no_batch_is_refused_with_its_line() {
    let world = world(Engine::Memory).await;
    let (csv, lines) = ("text/csv", "application/x-ndjson");
    let many = "email\n".to_owned() + &"a@b.example\n".repeat(1001);
    for (media, query, body, told) in [
        (csv, "", "email,roles\na,b\na\n", "line 3: has 1 fields"),
        (csv, "", "email\n\"a\n\n", "line 2: a quote is not closed"),
        (
            csv,
            "",
            "email,mail\na,b\n",
            "line 1: the columns are email",
        ),
        (csv, "", "email,email\na,b\n", "line 1: the column email is"),
        (
            csv,
            "",
            "email,roles\na@b.example,a\n,a\n",
            "line 3: row 2: for whom is it? Fill in email",
        ),
        (
            csv,
            "",
            "roles,accessDuration\na,\n",
            "line 2: row 1: accessDuration is empty: fill it in",
        ),
        (csv, "", "email\n", "invites: must have 1 to 1000 items"),
        (csv, "", &many, "line 1002: there are more than 1000 rows"),
        (csv, "?mode=all", "email\na\n", "mode: must be bestEffort"),
        (lines, "", "{}\n\n{\"a\":1,\"a\":2}\n", "line 3: "),
        (
            lines,
            "",
            &"{}\n".repeat(1001),
            "invites: must have 1 to 1000",
        ),
        (lines, "", "", "invites: must have 1 to 1000"),
        (
            "",
            "?mode=atomic",
            "{\"invites\":[{}]}",
            "mode: is a member",
        ),
    ] {
        let reply = text(&world, query, media, body).await.expect(400).json();
        let title = reply["title"].as_str().unwrap();
        let told = format!("InvalidRequest: {told}");
        assert!(title.starts_with(&told), "{title}");
    }
    for body in [
        batch("bestEffort", &[]),
        batch("most", &[json!({})]),
        batch("bestEffort", &vec![json!({}); 1001]),
        json!({"invites": [{}], "dryRun": true}),
        json!([{}]),
    ] {
        let reply = send(&world, "alice", &body).await;
        assert_eq!(reply.expect(400).code(), "InvalidRequest");
    }
    assert_eq!(world.count("invite.created").await, 0);
}

#[tokio::test]
async fn a_thousand_are_made_at_once() {
    for mode in ["bestEffort", "atomic"] {
        let world = world(Engine::Memory).await;
        let rows: Vec<_> = (0..1000)
            .map(|number| row(&format!("u{number}@b.example"), "ro_editor"))
            .collect();
        let answer = send(&world, "alice", &batch(mode, &rows)).await;
        assert_eq!(counts(&answer.expect(200).json()), (1000, 0), "{mode}");
    }
}

#[tokio::test]
async fn d41_a_batch_counts_its_people() {
    let small = |settings: &mut Settings| settings.limits.invite_budget = 5;
    let world = World::with(Engine::Memory, small).await;
    prepare(&world).await;
    let rows: Vec<_> = (0..6)
        .map(|number| row(&format!("u{number}@b.example"), "ro_editor"))
        .collect();
    // None of them is used for what is refused, nor by a rehearsal.
    let refused = send(&world, "alice", &batch("atomic", &rows)).await;
    let refused = refused.expect(422).json();
    assert_eq!(refused["refusedRows"][0]["row"], 6);
    assert_eq!(
        refused["refusedRows"][0]["refusal"]["errorCode"],
        "TooManyRequests"
    );
    let target = format!("{BATCH}?dryRun=true");
    let tried = batch("bestEffort", &rows);
    let tried = world.as_user("alice", "POST", &target, Some(&tried)).await;
    assert_eq!(outcomes(&tried.expect(200).json()), ["effect"; 6]);
    assert_eq!(world.count("invite.created").await, 0);
    let made = once(&world, "k", &batch("bestEffort", &rows)).await;
    let made = made.expect(200);
    let expected = ["made", "made", "made", "made", "made", "TooManyRequests"];
    assert_eq!(outcomes(&made.json()), expected);
    assert_eq!(made.header("ratelimit").unwrap(), "\"inviter\";r=0;t=86400");
    // Repeating it tells the same, though there is nothing left.
    let again = once(&world, "k", &batch("bestEffort", &rows)).await;
    assert_eq!(outcomes(&again.expect(200).json()), expected);
    assert_eq!(world.count("invite.created").await, 5);
}

#[tokio::test]
async fn headers_hold_for_each_row_and_for_rehearsals_and_replacements() {
    let world = world(Engine::Memory).await;
    let alice = world.token("alice");
    let headers = |key| {
        [
            ("Guestlist-Access-Duration", "P1D"),
            ("Guestlist-Approval", "required"),
            ("Idempotency-Key", key),
        ]
    };
    for mode in ["bestEffort", "atomic"] {
        let mut other = row("b@b.example", "ro_editor");
        other["grant"] = json!({"accessDuration": "P1D"});
        let body = batch(mode, &[row("a@b.example", "ro_editor"), other]);
        let given = headers(mode);
        let sent = world.send_with(&alice, "POST", BATCH, &given, Some(&body));
        let made = sent.await.expect(200).json();
        assert_eq!(outcomes(&made), ["made", "made"]);
        for result in made["results"].as_array().unwrap() {
            let invite = &result["invite"];
            assert_eq!(invite["grant"]["accessDuration"], "P1D");
            assert_eq!(invite["approval"], json!({"required": true}));
        }
        // Without the headers it is something else.
        once(&world, mode, &body).await.expect(422);
    }
    let mut longer = row("c@b.example", "ro_editor");
    longer["grant"] = json!({"accessDuration": "P2D"});
    let body = batch("bestEffort", &[row("d@b.example", "ro_editor"), longer]);
    for target in [BATCH.to_owned(), format!("{BATCH}?dryRun=true")] {
        let given = headers("k");
        let sent = world.send_with(&alice, "POST", &target, &given, Some(&body));
        let told = sent.await.expect(200).json();
        assert_eq!(counts(&told), (1, 1), "{target}");
        let refusal = &told["results"][1]["refusal"];
        assert_eq!(refusal["path"], "Guestlist-Access-Duration");
    }
    let bad = [("Guestlist-Approval", "no")];
    let plain = row("e@b.example", "ro_editor");
    let made = world.send(&alice, "POST", "/v1/invites", Some(&plain));
    let made = made.await.expect(201).json();
    let id = made["inviteId"].as_str().unwrap();
    let named = format!("/v1/invites/{}", &id[4..16]);
    for (method, target) in [("POST", "/v1/invites?dryRun=true"), ("PUT", named.as_str())] {
        let sent = world.send_with(&alice, method, target, &bad, Some(&plain));
        sent.await.expect(400);
        let given = headers("n");
        let sent = world.send_with(&alice, method, target, &given, Some(&plain));
        sent.await.expect(200);
    }
    let replaced = world.send(&alice, "GET", &named, None).await.expect(200);
    assert_eq!(replaced.json()["grant"]["accessDuration"], "P1D");
    assert_eq!(replaced.json()["approval"], json!({"required": true}));
}
