//! Rows 32 to 38, 41, 42, 44 and 46: who learns what, and what looking does.

use std::path::Path;

use guestlist_server::pepper::{Pepper, Purpose};
use guestlist_server::settings::Settings;
use serde_json::{Value, json};

use crate::by_hand::reference;
use crate::steps::{DAY, accept, made, reads, reads_with, refused};
use crate::webhook_receiver::Receiver;
use crate::world::{Engine, Reply, World, engines};

/// The part of an id that only its holders may know.
fn secret(id: &str) -> &str {
    &id[17..60]
}

#[track_caller]
fn is_silent(what: &str, text: &str, ids: &[String]) {
    for id in ids {
        assert!(!text.contains(secret(id)), "{what} tells an id: {text}");
    }
}

/// Everything in a directory; what is no text in it stays out.
fn dump(directory: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&dump(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    text
}

#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
#[tokio::test]
async fn d32_an_id_is_told_to_who_makes_or_renews_it_and_echoed_to_a_holder_only() {
    let local = |settings: &mut Settings| settings.private_issuers = true;
    let world = World::with(Engine::Embedded, local).await;
    let mut receiver = Receiver::new().await;
    let hook = json!({"url": receiver.url, "eventTypes": ["invite.*"]});
    let hook = world.own("POST", "/v1/webhooks", Some(&hook)).await;
    let hook = hook.expect(201).json()["webhookId"]
        .as_str()
        .unwrap()
        .to_owned();
    let more = json!({"invitee": {"userId": "ann"}, "tags": {"a": "b"}});
    let first = made(&world, "docs/1", &more).await;
    let name = reference(&first);
    let renewals = format!("/v1/invites/{name}/renewals");
    let renewed = world.own("POST", &renewals, None).await.expect(201).json();
    let second = renewed["inviteId"].as_str().unwrap().to_owned();
    let ids = [first.clone(), second.clone()];
    // The control: a holder who may read it is told what they hold.
    let target = format!("/v1/invites/{second}");
    let echo = world.own("GET", &target, None).await.expect(200);
    assert!(echo.text.contains(secret(&second)));
    let ann = world.token("ann");
    let given = json!({"inviteId": second});
    world
        .send("", "POST", "/v1/invites/previews", Some(&given))
        .await
        .expect(200);
    accept(&world, &world.token("bob"), &second)
        .await
        .expect(403);
    let change = reads_with("docs/1", &more);
    let replies: Vec<(&str, &str, String, Option<&Value>)> = vec![
        (
            &world.owner,
            "PUT",
            format!("/v1/invites/{name}"),
            Some(&change),
        ),
        (&world.owner, "GET", format!("/v1/invites/{name}"), None),
        (&world.owner, "GET", "/v1/invites".to_owned(), None),
        (
            &world.owner,
            "GET",
            format!("/v1/invites/{name}/events"),
            None,
        ),
        (
            &world.owner,
            "POST",
            format!("/v1/invites/{name}/effect"),
            Some(&Value::Null),
        ),
        (&ann, "GET", "/v1/users/ann/invites".to_owned(), None),
        (&ann, "GET", target.clone(), None),
        ("", "POST", "/v1/invites/previews".to_owned(), Some(&given)),
        (&ann, "POST", format!("{target}/effect"), None),
        (&ann, "PATCH", target.clone(), None),
        (&world.owner, "GET", target.clone(), None),
        (
            &world.owner,
            "GET",
            format!("/v1/invites/{name}/acceptances"),
            None,
        ),
        (
            &world.owner,
            "DELETE",
            format!("/v1/invites/{name}/grants"),
            None,
        ),
        (&world.owner, "DELETE", target.clone(), None),
        (&ann, "PATCH", format!("/v1/invites/{first}"), None),
        (
            &world.owner,
            "GET",
            "/v1/events?after=0&limit=1000".to_owned(),
            None,
        ),
        (&world.owner, "GET", "/v1/records".to_owned(), None),
        (
            &world.owner,
            "GET",
            format!("/v1/webhooks/{hook}/deliveries"),
            None,
        ),
        ("", "GET", "/metrics".to_owned(), None),
        ("", "GET", "/v1/nothing".to_owned(), None),
    ];
    let mut statuses = Vec::new();
    for (credential, method, target, body) in replies {
        let reply = world.send(credential, method, &target, body).await;
        is_silent(&format!("{method} {target}"), &reply.head, &ids);
        // Who holds an id and reads the invite is told it again, and nobody else.
        is_silent(&format!("{method} {target}"), &reply.text, &ids);
        statuses.push(reply.status);
    }
    let good = statuses.iter().filter(|status| **status < 300).count();
    assert!(good >= 14, "{statuses:?}");
    for event in world.events().await {
        is_silent("the log", &event.to_string(), &ids);
    }
    // Made, renewed, previewed, refused, changed, accepted, undone and withdrawn.
    for _ in 0..8 {
        let sent = receiver.next().await;
        is_silent("a webhook", &String::from_utf8_lossy(&sent.body), &ids);
        is_silent("a webhook", &format!("{:?}", sent.headers), &ids);
    }
    let kept = dump(world.directory.path());
    assert!(kept.contains(&name), "the database is looked at");
    assert!(ids.iter().all(|id| !kept.contains(secret(id))));
}

#[tokio::test]
async fn d33_lists_and_references_never_yield_an_id() {
    for engine in engines() {
        let world = World::new(engine).await;
        let mut ids = Vec::new();
        for number in 0..3 {
            ids.push(made(&world, &format!("docs/{number}"), &json!({})).await);
        }
        let list = world.own("GET", "/v1/invites", None).await.expect(200);
        is_silent("the list", &list.text, &ids);
        for invite in list.json()["invites"].as_array().unwrap() {
            assert_eq!(invite["inviteId"], invite["reference"]);
        }
        for id in &ids {
            assert!(list.text.contains(&reference(id)));
            let target = format!("/v1/invites/{}", reference(id));
            let one = world.own("GET", &target, None).await.expect(200);
            is_silent("a reference", &one.text, &ids);
            // What is told is not enough to accept, not for the owner of the account either.
            let reply = accept(&world, &world.token("bob"), &reference(id)).await;
            refused(&reply, 404, "NotFound");
            accept(&world, &world.token("bob"), id).await.expect(200);
        }
    }
}

#[tokio::test]
async fn d34_the_database_holds_no_id_and_is_worth_nothing_without_the_pepper() {
    let world = World::new(Engine::Embedded).await;
    let mut ids = Vec::new();
    for _ in 0..200 {
        ids.push(made(&world, "docs/1", &json!({})).await);
    }
    let kept = dump(world.directory.path());
    for id in &ids {
        assert!(kept.contains(&reference(id)), "the database is looked at");
        assert!(!kept.contains(secret(id)));
    }
    // What is stored is of the same length and differs; a hash without a key would be found again.
    let stored =
        crate::by_hand::documents(&world.app, guestlist_rules::changes::Kind::Invite).await;
    let hashes: std::collections::BTreeSet<&str> = stored
        .iter()
        .map(|invite| invite["secretHash"].as_str().unwrap())
        .collect();
    assert_eq!(hashes.len(), 200);
    // It is the hash under the pepper, and under no other.
    let purpose = Purpose::InviteSecret;
    let other = Pepper::new(&[9; 32]);
    for id in &ids {
        assert!(hashes.contains(world.app.pepper.hash(purpose, id).as_str()));
        assert!(!hashes.contains(other.hash(purpose, id).as_str()));
    }
    // Nor is what is stored taken for an id.
    for hash in &hashes {
        let encoded = crate::world::encode(hash);
        world.clock.advance(2_000);
        accept(&world, &world.token("bob"), &encoded)
            .await
            .expect(404);
    }
    accept(&world, &world.token("bob"), &ids[0])
        .await
        .expect(200);
}

#[tokio::test]
async fn d35_a_leaked_id_is_recognised_and_ended_by_whoever_finds_it() {
    let world = World::new(Engine::Memory).await;
    for _ in 0..20 {
        let id = made(&world, "docs/1", &json!({})).await;
        // What scanners look for: inv_, 12 characters, 43, and the checksum of all that.
        let parts: Vec<usize> = [4..16, 17..60, 61..67].map(|part| part.len()).to_vec();
        assert_eq!((id.len(), parts), (67, vec![12, 43, 6]));
        assert!(id.starts_with("inv_") && &id[16..17] == "_" && &id[60..61] == "_");
        let mut rest = crc32fast::hash(&id.as_bytes()[..60]);
        let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        for place in id[61..].bytes().rev() {
            assert_eq!(place, alphabet[(rest % 62) as usize], "{id}");
            rest /= 62;
        }
    }
    let id = made(&world, "docs/1", &json!({})).await;
    let report = |id: &str| json!({"inviteId": id});
    let target = "/v1/invites/report-leak";
    // The public half ends nothing.
    for half in [reference(&id), format!("{}x", &id[..66])] {
        let reply = world.send("", "POST", target, Some(&report(&half))).await;
        refused(&reply, 404, "NotFound");
    }
    for _ in 0..2 {
        let reply = world.send("", "POST", target, Some(&report(&id))).await;
        reply.expect(204);
    }
    let reply = accept(&world, &world.token("bob"), &id).await;
    refused(&reply, 404, "InviteRevoked");
}

/// What two answers must have in common: all but ids and times.
fn shape(reply: &Reply) -> (u16, Vec<String>, Vec<String>) {
    let names = reply
        .head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'));
    let names = names.map(|(name, _)| name.to_owned()).collect();
    let body = reply.json();
    let members = body.as_object().into_iter().flatten();
    (
        reply.status,
        names,
        members.map(|(name, _)| name.clone()).collect(),
    )
}

#[tokio::test]
async fn d36_nobody_learns_by_inviting_whether_a_person_is_known() {
    let world = World::new(Engine::Memory).await;
    world
        .give("rec_ann", "ann", &["Authress:Owner"], &["docs"])
        .await;
    let ann = world.token("ann");
    // One who has access, by an invite for the address; one who was deleted; one never heard of.
    for user in ["known", "gone"] {
        let address = format!("{user}@x.test");
        let id = made(&world, "docs/1", &json!({"invitee": {"email": address}})).await;
        let token = world.token_with_email(user, &address);
        accept(&world, &token, &id).await.expect(200);
    }
    world
        .own("DELETE", "/v1/users/gone", None)
        .await
        .expect(202);
    let mut shapes = Vec::new();
    for person in ["known", "gone", "never"] {
        let mut of_person = Vec::new();
        for invitee in [
            json!({"email": format!("{person}@x.test")}),
            json!({"userId": person}),
        ] {
            let body = reads_with("docs/1", &json!({"invitee": invitee}));
            let reply = world.send(&ann, "POST", "/v1/invites", Some(&body)).await;
            of_person.push(shape(&reply));
            let id = reply.expect(201).json()["inviteId"]
                .as_str()
                .unwrap()
                .to_owned();
            let given = json!({"inviteId": id});
            let previews = "/v1/invites/previews";
            of_person.push(shape(&world.send("", "POST", previews, Some(&given)).await));
            let renewals = format!("/v1/invites/{}/renewals", reference(&id));
            of_person.push(shape(&world.send(&ann, "POST", &renewals, None).await));
        }
        shapes.push(of_person);
    }
    assert_eq!(shapes[0], shapes[1]);
    assert_eq!(shapes[0], shapes[2]);
}

#[tokio::test]
async fn d37_an_address_alone_accepts_nothing() {
    let world = World::new(Engine::Memory).await;
    let id = made(
        &world,
        "docs/1",
        &json!({"invitee": {"email": "first.last@corp.test"}}),
    )
    .await;
    let name = reference(&id);
    let mallory = world.token_with_email("mallory", "mallory@corp.test");
    let address = json!({"email": "first.last@corp.test"});
    let mut answers = Vec::new();
    // By the reference, with the address in the body; of an invite that is there and one that is not.
    for name in [name.as_str(), "AAAAAAAAAAAA"] {
        let target = format!("/v1/invites/{name}");
        let reply = world.send(&mallory, "PATCH", &target, Some(&address)).await;
        refused(&reply, 404, "NotFound");
        answers.push(reply.anonymous());
    }
    assert_eq!(answers[0], answers[1]);
    // Nor is the inbox of another shown, or anything but the secret taken without a token.
    let inbox = "/v1/users/first.last@corp.test/invites";
    world.send(&mallory, "GET", inbox, None).await.expect(404);
    for way in ["previews", "declines", "report-leak"] {
        let target = format!("/v1/invites/{way}");
        for body in [
            &address,
            &json!({"inviteId": name}),
            &json!({"inviteId": "first.last@corp.test"}),
        ] {
            let reply = world.send("", "POST", &target, Some(body)).await;
            assert!(matches!(reply.status, 400 | 404), "{}", reply.text);
        }
    }
    assert!(!world.may("mallory", "docs/1", "read").await);
    // A verified address is more than an address.
    let right = world.token_with_email("fl", "first.last@corp.test");
    accept(&world, &right, &name).await.expect(200);
    assert!(world.may("fl", "docs/1", "read").await);
}

#[tokio::test]
async fn d38_no_url_is_made_of_what_a_request_says() {
    let world = World::new(Engine::Memory).await;
    let headers = [
        ("X-Forwarded-Host", "evil.test"),
        ("X-Forwarded-Proto", "gopher"),
        ("Forwarded", "host=evil.test;proto=https"),
        ("Origin", "https://evil.test"),
        ("Referer", "https://evil.test/"),
        ("X-Original-URL", "/v1/evil"),
    ];
    let body = reads("docs/1");
    let owner = &world.owner;
    let made = world
        .send_with(owner, "POST", "/v1/invites", &headers, Some(&body))
        .await
        .expect(201);
    let id = made.json()["inviteId"].as_str().unwrap().to_owned();
    let mut replies = vec![made];
    let given = json!({"inviteId": id});
    for (method, target, body) in [
        ("GET", format!("/v1/invites/{id}"), None),
        ("GET", "/v1/invites?limit=1".to_owned(), None),
        ("POST", "/v1/invites/previews".to_owned(), Some(&given)),
        (
            "POST",
            format!("/v1/invites/{}/renewals", reference(&id)),
            None,
        ),
    ] {
        replies.push(
            world
                .send_with(owner, method, &target, &headers, body)
                .await,
        );
    }
    let host = format!(
        "POST http://evil.test/v1/invites HTTP/1.1\r\nHost: evil.test\r\n\
         Authorization: Bearer {owner}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.to_string().len()
    );
    replies.push(world.raw(host.as_bytes()).await);
    for reply in &replies {
        assert!(reply.status < 300, "{}", reply.text);
        assert!(!reply.text.contains("evil"), "{}", reply.text);
    }
    assert!(
        replies[0]
            .text
            .contains("http://guestlist.test/v1/invites/")
    );
}

#[tokio::test]
async fn d41_budgets_count_people_and_tell_when_there_is_more() {
    let small = |settings: &mut Settings| settings.limits.invite_budget = 10;
    let world = World::with(Engine::Memory, small).await;
    let several = json!({"restrictions": {"maxUses": 9}});
    made(&world, "docs/1", &several).await;
    made(&world, "docs/1", &json!({})).await;
    let reply = world
        .own("POST", "/v1/invites", Some(&reads("docs/1")))
        .await;
    refused(&reply, 429, "TooManyRequests");
    assert!(reply.header("retry-after").is_some());
    world.clock.advance(DAY);
    made(&world, "docs/1", &json!({})).await;
    // A batch of ten is ten people and not one request: one of them is too many.
    let rows = vec![reads("docs/1"); 10];
    let atomic = json!({"mode": "atomic", "invites": rows});
    let all = world.own("POST", "/v1/invites/batch", Some(&atomic)).await;
    let refused_rows = all.expect(422).json()["refusedRows"].clone();
    assert_eq!(refused_rows[0]["row"], 10);
    assert_eq!(refused_rows[0]["refusal"]["errorCode"], "TooManyRequests");
    let best = json!({"invites": rows});
    let some = world.own("POST", "/v1/invites/batch", Some(&best)).await;
    let some = some.expect(200).json();
    assert_eq!(
        (&some["accepted"], &some["refused"]),
        (&json!(9), &json!(1))
    );
    assert_eq!(
        some["results"][9]["refusal"]["errorCode"],
        "TooManyRequests"
    );
}

#[tokio::test]
async fn d42_looking_at_an_invite_uses_nothing_up() {
    let world = World::new(Engine::Memory).await;
    let id = made(&world, "docs/1", &json!({})).await;
    let name = reference(&id);
    let (ann, bob) = (world.token("ann"), world.token("bob"));
    let revision = world.app.revision();
    let mut answered = 0;
    for path in [
        format!("/v1/invites/{id}"),
        format!("/v1/invites/{id}?response=ACCEPT"),
        format!("/v1/invites/{name}"),
        format!("/v1/invites/{name}/events"),
        format!("/v1/invites/{name}/acceptances"),
        format!("/v1/invites/{name}/renewals"),
        format!("/v1/invites/{name}/grants"),
        "/v1/invites/previews".to_owned(),
        "/v1/invites/declines".to_owned(),
        "/v1/invites/report-leak".to_owned(),
    ] {
        for method in ["GET", "HEAD", "OPTIONS"] {
            for credential in ["", &ann, &bob, &world.owner] {
                let headers = [("Purpose", "prefetch"), ("Sec-Purpose", "prefetch")];
                for _ in 0..2 {
                    let reply = world
                        .send_with(credential, method, &path, &headers, None)
                        .await;
                    answered += u32::from(reply.status == 200);
                }
            }
        }
    }
    assert!(answered > 10, "{answered}");
    assert_eq!(world.app.revision(), revision);
    // A preview is told once, and uses nothing up either.
    let given = json!({"inviteId": id});
    for _ in 0..100 {
        let previews = "/v1/invites/previews";
        world
            .send("", "POST", previews, Some(&given))
            .await
            .expect(200);
    }
    assert_eq!(world.count("invite.previewed").await, 1);
    let target = format!("/v1/invites/{name}");
    let invite = world.own("GET", &target, None).await.expect(200).json();
    assert_eq!(
        (&invite["status"], &invite["uses"]["accepted"]),
        (&json!("PENDING"), &json!(0))
    );
    accept(&world, &bob, &id).await.expect(200);
}

#[tokio::test]
async fn d44_what_a_browser_sends_by_itself_is_no_credential() {
    let world = World::new(Engine::Memory).await;
    let id = made(&world, "docs/1", &json!({"invitee": {"userId": "bob"}})).await;
    let name = reference(&id);
    let bob = world.token("bob");
    let cookie = format!("authorization={bob}; Authorization=Bearer {bob}; token={bob}");
    let revision = world.app.revision();
    for (method, target) in [
        ("POST", "/v1/invites".to_owned()),
        ("PATCH", format!("/v1/invites/{id}")),
        ("PATCH", format!("/v1/invites/{name}")),
        ("PATCH", format!("/v1/invites/{id}?access_token={bob}")),
        ("PUT", format!("/v1/invites/{name}")),
        ("DELETE", format!("/v1/invites/{id}")),
        ("POST", format!("/v1/invites/{name}/renewals")),
        ("POST", "/v1/invites/revocations".to_owned()),
        ("DELETE", format!("/v1/invites/{name}/grants")),
    ] {
        let headers = [
            ("Cookie", cookie.as_str()),
            ("Origin", "https://evil.test"),
            ("Content-Type", "text/plain"),
        ];
        let body = reads("docs/1");
        let reply = world
            .send_with("", method, &target, &headers, Some(&body))
            .await;
        assert_eq!(reply.status, 401, "{method} {target}");
        assert_eq!(reply.header("access-control-allow-credentials"), None);
    }
    // A page of another origin is not let through by the preflight either.
    let target = format!("/v1/invites/{id}");
    let asked = [
        ("Origin", "https://evil.test"),
        ("Access-Control-Request-Method", "PATCH"),
    ];
    let reply = world.send_with("", "OPTIONS", &target, &asked, None).await;
    assert_eq!(reply.header("access-control-allow-credentials"), None);
    assert_eq!(world.app.revision(), revision);
    accept(&world, &bob, &id).await.expect(200);
}

#[tokio::test]
async fn d46_a_reference_of_anothers_invite_opens_nothing() {
    for engine in engines() {
        let world = World::new(engine).await;
        for user in ["ann", "eve"] {
            let record = format!("rec_{user}");
            let resource = format!("docs/{user}");
            world
                .give(&record, user, &["Authress:Owner"], &[&resource])
                .await;
        }
        let (ann, eve) = (world.token("ann"), world.token("eve"));
        let id = world.invite(&ann, &reads("docs/ann")).await;
        let name = reference(&id);
        let revision = world.app.revision();
        let mine = reads("docs/eve");
        for (method, path, body) in [
            ("GET", "", None),
            ("PUT", "", Some(&mine)),
            ("PATCH", "", None),
            ("DELETE", "", None),
            ("POST", "/renewals", None),
            ("GET", "/events", None),
            ("POST", "/effect", None),
            ("GET", "/acceptances", None),
            ("DELETE", "/grants", None),
        ] {
            let mut answers = Vec::new();
            for name in [name.as_str(), "AAAAAAAAAAAA"] {
                let target = format!("/v1/invites/{name}{path}");
                let reply = world.send(&eve, method, &target, body).await;
                assert_eq!(reply.status, 404, "{method} {path} {}", reply.text);
                answers.push(reply.anonymous());
            }
            assert_eq!(answers[0], answers[1], "{method} {path}");
        }
        let bulk = json!({"inviterUserId": "ann"});
        let found = world
            .send(&eve, "POST", "/v1/invites/revocations", Some(&bulk))
            .await
            .expect(200);
        assert_eq!(found.json()["revoked"], json!([]));
        let list = world.send(&eve, "GET", "/v1/invites", None).await;
        assert_eq!(list.expect(200).json()["invites"], json!([]));
        assert_eq!(world.app.revision(), revision, "nothing was written");
        // The control: whoever made it does all that.
        let target = format!("/v1/invites/{name}");
        world.send(&ann, "GET", &target, None).await.expect(200);
        world.send(&ann, "DELETE", &target, None).await.expect(204);
    }
}
