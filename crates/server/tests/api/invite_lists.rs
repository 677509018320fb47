//! Lists of invites: what they show, to whom, and never a secret.

use serde_json::{Value, json};

use crate::world::{Engine, World, encode, engines, invite_of};

const DAY: i64 = 24 * 60 * 60 * 1000;

async fn listed(world: &World, credential: &str, query: &str) -> Vec<Value> {
    let target = format!("/v1/invites{query}");
    let reply = world
        .send(credential, "GET", &target, None)
        .await
        .expect(200);
    reply.json()["invites"].as_array().unwrap().clone()
}

fn references(invites: &[Value]) -> Vec<String> {
    let mut all: Vec<String> = invites
        .iter()
        .map(|invite| invite["reference"].as_str().unwrap().to_owned())
        .collect();
    all.sort();
    all
}

fn reference(id: &str) -> String {
    id[4..16].to_owned()
}

fn invite_with(resource: &str, more: &Value) -> Value {
    let mut invite = invite_of(&["Authress:ReadResource"], &[resource]);
    for (name, value) in more.as_object().unwrap() {
        invite[name] = value.clone();
    }
    invite
}

async fn made(world: &World, resource: &str, more: &Value) -> String {
    world
        .invite(&world.owner, &invite_with(resource, more))
        .await
}

#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
#[tokio::test]
async fn every_state_is_told_as_it_is_now() {
    for engine in engines() {
        let world = World::new(engine).await;
        world
            .give("rec_1", "alice", &["Authress:Owner"], &["docs"])
            .await;
        let accepted = made(&world, "docs/1", &json!({})).await;
        let target = format!("/v1/invites/{accepted}");
        world
            .as_user("bob", "PATCH", &target, None)
            .await
            .expect(200);
        let declined = made(&world, "docs/1", &json!({})).await;
        let body = json!({"response": "DECLINE", "reason": "no thanks"});
        let target = format!("/v1/invites/{declined}");
        world
            .as_user("bob", "PATCH", &target, Some(&body))
            .await
            .expect(200);
        let revoked = made(&world, "docs/1", &json!({})).await;
        let target = format!("/v1/invites/{revoked}");
        world.own("DELETE", &target, None).await.expect(204);
        let exhausted = made(&world, "docs/1", &json!({"restrictions": {"maxUses": 2}})).await;
        for user in ["bob", "carol"] {
            let target = format!("/v1/invites/{exhausted}");
            world
                .as_user(user, "PATCH", &target, None)
                .await
                .expect(200);
        }
        let begins = json!({"restrictions": {"notBefore": "2026-01-05T00:00:00Z"}});
        let scheduled = made(&world, "docs/1", &begins).await;
        let by_alice = invite_of(&["Authress:ReadResource"], &["docs/2"]);
        let suspended = world.invite(&world.token("alice"), &by_alice).await;
        world
            .own("DELETE", "/v1/records/rec_1", None)
            .await
            .expect(204);
        let short = json!({"expiryTime": "2026-01-02T04:00:00Z"});
        let expired = made(&world, "docs/1", &short).await;
        world.clock.advance(60 * 60 * 1000);
        let pending = made(&world, "docs/1", &json!({})).await;
        let all = [
            ("ACCEPTED", &accepted),
            ("DECLINED", &declined),
            ("REVOKED", &revoked),
            ("EXHAUSTED", &exhausted),
            ("SCHEDULED", &scheduled),
            ("SUSPENDED", &suspended),
            ("EXPIRED", &expired),
            ("PENDING", &pending),
        ];
        for (state, id) in all {
            let found = listed(&world, &world.owner, &format!("?status={state}")).await;
            assert_eq!(references(&found), [reference(id)], "{state}");
            assert_eq!(found[0]["status"], state);
            let target = format!("/v1/invites/{}", reference(id));
            let one = world.own("GET", &target, None).await.expect(200).json();
            assert_eq!(one, found[0]);
        }
        assert_eq!(listed(&world, &world.owner, "").await.len(), 8);
        let found = listed(&world, &world.owner, "?status=DECLINED").await;
        assert_eq!(found[0]["statusReason"], "no thanks");
        world
            .own("GET", "/v1/invites?status=OPEN", None)
            .await
            .expect(400);
        // It stands again when who made it may give it again.
        world
            .give("rec_2", "alice", &["Authress:Owner"], &["docs"])
            .await;
        assert!(
            listed(&world, &world.owner, "?status=SUSPENDED")
                .await
                .is_empty()
        );
        if engine.keeps() {
            let world = world.restart().await;
            assert_eq!(listed(&world, &world.owner, "").await.len(), 8);
        }
    }
}

#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
#[tokio::test]
async fn a_list_is_narrowed_by_everything_that_is_said() {
    let world = World::new(Engine::Memory).await;
    let ann = made(&world, "docs/1", &json!({"invitee": {"userId": "ann"}})).await;
    let mail = made(
        &world,
        "docs/2",
        &json!({"invitee": {"email": "b@example.com"}}),
    )
    .await;
    let tagged = made(
        &world,
        "docs/3",
        &json!({"tags": {"team": "blue"}, "defaultLoginTenantId": "acme"}),
    )
    .await;
    world.clock.advance(DAY);
    let later = made(&world, "docs/1", &json!({})).await;
    world
        .give("rec_1", "alice", &["Authress:Owner"], &["docs"])
        .await;
    let role = invite_of(&["Authress:Admin"], &["docs/9"]);
    let alices = world.invite(&world.token("alice"), &role).await;
    let owner = world.owner.clone();
    let inviter = format!("?inviterUserId={}", world.owner_id);
    for (query, wanted) in [
        ("?invitee=ann", vec![&ann]),
        ("?invitee=user:ann", vec![&ann]),
        ("?invitee=B@Example.com", vec![&mail]),
        ("?invitee=nobody", vec![]),
        ("?resourceUri=docs%2F1", vec![&ann, &later]),
        ("?resourceUri=%2Fdocs%2F3%2F", vec![&tagged]),
        ("?resourceUri=docs", vec![]),
        ("?roleId=Authress:Admin", vec![&alices]),
        ("?tenantId=acme", vec![&tagged]),
        ("?tag=team%3Dblue", vec![&tagged]),
        ("?tag=team%3Dred", vec![]),
        ("?inviterUserId=alice", vec![&alices]),
        (inviter.as_str(), vec![&ann, &mail, &tagged, &later]),
        ("?createdAfter=2026-01-03T00:00:00Z", vec![&later, &alices]),
        (
            "?createdBefore=2026-01-03T00:00:00Z",
            vec![&ann, &mail, &tagged],
        ),
        (
            "?expiresBefore=2026-01-10T00:00:00Z&sort=expiryTime",
            vec![&ann, &mail, &tagged],
        ),
        ("?expiresAfter=2026-01-10T00:00:00Z", vec![&later, &alices]),
        ("?invitee=ann&resourceUri=docs%2F2", vec![]),
        ("?status=PENDING&invitee=ann", vec![&ann]),
    ] {
        let mut wanted: Vec<String> = wanted.iter().map(|id| reference(id)).collect();
        wanted.sort();
        assert_eq!(
            references(&listed(&world, &owner, query).await),
            wanted,
            "{query}"
        );
    }
    for bad in [
        "?sort=name",
        "?sort=-expiryTime",
        "?sort=-reference",
        "?tag=blue",
        "?createdAfter=yesterday",
        "?roleId=a%20b%0A",
        "?resourceUri=a//b",
    ] {
        world
            .own("GET", &format!("/v1/invites{bad}"), None)
            .await
            .expect(400);
    }
    let by_expiry = listed(&world, &owner, "?sort=expiryTime").await;
    let times: Vec<&str> = by_expiry
        .iter()
        .map(|one| one["expiryTime"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted() && times.len() == 5, "{times:?}");
}

/// Pages of two, so that each order is also kept from page to page.
async fn in_order(world: &World, query: &str) -> Vec<String> {
    let mut target = format!("/v1/invites?limit=2&{query}");
    let mut found = Vec::new();
    loop {
        let page = world.own("GET", &target, None).await.expect(200).json();
        let invites = page["invites"].as_array().unwrap().iter();
        found.extend(invites.map(|invite| invite["reference"].as_str().unwrap().to_owned()));
        let Some(next) = page["links"]["next"]["href"].as_str() else {
            return found;
        };
        let next = next.strip_prefix("http://guestlist.test");
        next.unwrap().clone_into(&mut target);
    }
}

#[tokio::test]
async fn lists_go_by_when_invites_were_made_and_back() {
    for engine in engines() {
        let world = World::new(engine).await;
        let mut made_in_order = Vec::new();
        let mut times = Vec::new();
        for number in 0..6 {
            // The later one is made, the sooner it ends.
            times.push(world.clock.now());
            let expiry = world.clock.now().plus((10 - number) * DAY);
            let more = json!({ "expiryTime": expiry });
            let id = made(&world, &format!("docs/{number}"), &more).await;
            made_in_order.push(reference(&id));
            world.clock.advance(60_000);
        }
        // What is written again stays where it was.
        let target = format!("/v1/invites/{}", made_in_order[0]);
        let changed = invite_with("docs/0", &json!({"tags": {"a": "b"}}));
        world.own("PUT", &target, Some(&changed)).await.expect(200);
        let newest: Vec<String> = made_in_order.iter().rev().cloned().collect();
        assert_eq!(in_order(&world, "sort=createdTime").await, made_in_order);
        assert_eq!(in_order(&world, "sort=-createdTime").await, newest);
        // Bounds: the first is in, the second is not.
        let between = format!("createdAfter={}&createdBefore={}", times[1], times[4]);
        let found = in_order(&world, &format!("sort=createdTime&{between}")).await;
        assert_eq!(found, made_in_order[1..4]);
        let found = in_order(&world, &format!("sort=-createdTime&{between}")).await;
        assert_eq!(found, newest[2..5]);
        let own = in_order(&world, "sort=-createdTime&resourceUri=docs/3").await;
        assert_eq!(own, made_in_order[3..4]);
        // A place in one order is none in another.
        let page = world.own("GET", "/v1/invites?limit=2&sort=createdTime", None);
        let next = page.await.expect(200).json()["links"]["next"]["href"].clone();
        let other = next
            .as_str()
            .unwrap()
            .replace("sort=createdTime", "sort=-createdTime");
        let other = other.strip_prefix("http://guestlist.test").unwrap();
        world.own("GET", other, None).await.expect(400);
    }
}

#[tokio::test]
async fn pages_hold_each_invite_once_and_no_secret() {
    let world = World::new(Engine::Memory).await;
    let mut ids = Vec::new();
    for number in 0..130 {
        ids.push(made(&world, &format!("docs/{number}"), &json!({})).await);
    }
    for sort in [
        "",
        "&sort=expiryTime",
        "&sort=createdTime",
        "&sort=-createdTime",
    ] {
        let mut target = format!("/v1/invites?limit=40{sort}");
        let mut found = Vec::new();
        loop {
            let reply = world.own("GET", &target, None).await.expect(200);
            for id in &ids {
                assert!(!reply.text.contains(&id[17..60]), "a secret is in the list");
            }
            found.extend(reply.json()["invites"].as_array().unwrap().clone());
            let Some(next) = reply.json()["links"]["next"]["href"]
                .as_str()
                .map(ToOwned::to_owned)
            else {
                break;
            };
            target = next
                .strip_prefix("http://guestlist.test")
                .unwrap()
                .to_owned();
        }
        let mut wanted: Vec<String> = ids.iter().map(|id| reference(id)).collect();
        wanted.sort();
        assert_eq!(references(&found), wanted, "{sort}");
    }
}

#[tokio::test]
async fn a_caller_sees_what_they_made_or_may_read() {
    let world = World::new(Engine::Memory).await;
    world
        .give("rec_1", "alice", &["Authress:Owner"], &["docs"])
        .await;
    let body = invite_of(&["Authress:ReadResource"], &["docs/1"]);
    let alices = world.invite(&world.token("alice"), &body).await;
    let owners = made(&world, "docs/2", &json!({})).await;
    let own = listed(&world, &world.token("alice"), "").await;
    assert_eq!(references(&own), [reference(&alices)]);
    assert!(
        listed(&world, &world.token("stranger"), "")
            .await
            .is_empty()
    );
    world
        .role("ro_reads", &[("Invites:Read", true, false, false)])
        .await;
    let one = format!("Authress:Invites/{}", reference(&owners));
    world.give("rec_2", "auditor", &["ro_reads"], &[&one]).await;
    let read = listed(&world, &world.token("auditor"), "").await;
    assert_eq!(references(&read), [reference(&owners)]);
    for (user, id, status) in [
        ("alice", &alices, 200),
        ("alice", &owners, 404),
        ("auditor", &owners, 200),
        ("auditor", &alices, 404),
        ("stranger", &alices, 404),
    ] {
        for path in ["", "/events"] {
            let target = format!("/v1/invites/{}{path}", reference(id));
            let reply = world.as_user(user, "GET", &target, None).await;
            assert_eq!(reply.status, status, "{user} {path}");
        }
        // A reference is no secret: nobody accepts with it.
        let target = format!("/v1/invites/{}", reference(id));
        world
            .as_user(user, "PATCH", &target, None)
            .await
            .expect(404);
    }
    world.send("", "GET", "/v1/invites", None).await.expect(401);
}

#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
#[tokio::test]
async fn an_inbox_has_what_is_for_its_user_and_needs_no_secret() {
    for engine in engines() {
        let world = World::new(engine).await;
        let mine = made(&world, "docs/1", &json!({"invitee": {"userId": "ann"}})).await;
        let mail = made(
            &world,
            "docs/2",
            &json!({"invitee": {"email": "ann@example.com"}}),
        )
        .await;
        let bobs = made(&world, "docs/3", &json!({"invitee": {"userId": "bob"}})).await;
        let strict = made(
            &world,
            "docs/4",
            &json!({"invitee": {"userId": "ann"},
            "restrictions": {"issuer": "https://login.example"}}),
        )
        .await;
        let ann = world.token_with_email("ann", "Ann@example.com");
        let inbox = async |credential: &str, query: &str| {
            let target = format!("/v1/users/ann/invites{query}");
            world.send(credential, "GET", &target, None).await
        };
        let found = inbox(&ann, "").await.expect(200).json();
        let found = found["invites"].as_array().unwrap().clone();
        let mut wanted = [reference(&mine), reference(&mail)];
        wanted.sort();
        assert_eq!(references(&found), wanted);
        // Without the address only what is for the id; in pages each once.
        let by_id = inbox(&world.token("ann"), "").await.expect(200).json();
        assert_eq!(
            references(by_id["invites"].as_array().unwrap()),
            [reference(&mine)]
        );
        let first = inbox(&ann, "?limit=1").await.expect(200).json();
        let cursor = first["pagination"]["next"]["cursor"].as_str().unwrap();
        let second = inbox(&ann, &format!("?limit=1&cursor={cursor}"))
            .await
            .expect(200)
            .json();
        let both = [first["invites"][0].clone(), second["invites"][0].clone()];
        assert_eq!(references(&both), wanted);
        let stranger = inbox(&world.token("bob"), "").await;
        assert_eq!(stranger.status, 404);
        let reader = inbox(&world.owner, "").await.expect(200).json();
        let mut for_id = [reference(&mine), reference(&strict)];
        for_id.sort();
        assert_eq!(references(reader["invites"].as_array().unwrap()), for_id);
        // Accepted by reference, by nobody else, and not without the address.
        for (credential, id, status) in [
            (&world.token("bob"), &mine, 404),
            (&world.owner, &mine, 404),
            (&world.token("ann"), &mail, 404),
            (&ann, &bobs, 404),
            (&ann, &strict, 404),
            (&ann, &mine, 200),
            (&ann, &mail, 200),
            (&ann, &mine, 200),
        ] {
            let target = format!("/v1/invites/{}", reference(id));
            let reply = world.send(credential, "PATCH", &target, None).await;
            assert_eq!(reply.status, status, "{}", reply.text);
        }
        assert!(
            world.may("ann", "docs/1", "read").await && world.may("ann", "docs/2", "read").await
        );
        let left = inbox(&ann, "").await.expect(200).json();
        assert_eq!(left["invites"], json!([]));
        let raw = format!("/v1/users/{}/invites", encode("a/b"));
        world.as_user("a/b", "GET", &raw, None).await.expect(200);
        world
            .as_user("a/b", "GET", "/v1/users/a/b/invites", None)
            .await
            .expect(200);
    }
}
