//! Limits on failures: counted by whoever really asks, and never on what succeeds.

use guestlist_server::settings::Settings;
use serde_json::{Value, json};

use crate::world::{ACCOUNT, Engine, Reply, World, invite_of};

/// More failures than any limit lets through at one instant.
const ENOUGH: usize = 1_000;

/// An invite id of the right shape that is nobody's.
fn nobodys(world: &World) -> String {
    let random: [u8; 256] = world.app.entropy.bytes().unwrap();
    let secret = guestlist_api::ids::InviteSecret::generate(&random).unwrap();
    format!("/v1/invites/{}", secret.reveal())
}

fn forwarded(number: usize) -> String {
    format!("198.51.{}.{}", number / 250, number % 250 + 1)
}

#[track_caller]
fn is_too_many(reply: &Reply) {
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (429, "TooManyRequests"),
        "{}",
        reply.text
    );
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
}

/// Sends bad credentials, each time from another address as the header has it, until refused.
async fn fail_until_refused(world: &World) -> Option<Reply> {
    for number in 0..ENOUGH {
        let headers = [("X-Forwarded-For", &*forwarded(number))];
        let reply = world
            .send_with("not.a.token", "GET", "/v1/records", &headers, None)
            .await;
        if reply.status != 401 {
            return Some(reply);
        }
        assert!(reply.header("retry-after").is_none());
    }
    None
}

#[tokio::test]
async fn d08_a_rotated_x_forwarded_for_stays_in_one_bucket() {
    let world = World::new(Engine::Memory).await;
    let known = world.token("alice");
    let target = format!("/v1/users/alice/resources/a/permissions/{ACCOUNT}:read");
    world.send(&known, "GET", &target, None).await.expect(404);
    is_too_many(&fail_until_refused(&world).await.unwrap());
    // Whoever has proved who they are is not kept out by others at their address.
    world.send(&known, "GET", &target, None).await.expect(404);
    // What is counted against the bad is given back with time.
    world.clock.advance(60_000);
    world
        .send("not.a.token", "GET", "/v1/records", None)
        .await
        .expect(401);
}

#[tokio::test]
async fn d08_the_word_of_a_trusted_proxy_counts() {
    let world = World::with(Engine::Memory, |settings| {
        settings.trusted_proxies = vec!["127.0.0.0/8".to_owned()];
    })
    .await;
    assert!(
        fail_until_refused(&world).await.is_none(),
        "each address has a bucket of its own"
    );
    let headers = [("X-Forwarded-For", "6.6.6.6, 203.0.113.9")];
    let mut last = None;
    for _ in 0..ENOUGH {
        last = Some(
            world
                .send_with("not.a.token", "GET", "/v1/records", &headers, None)
                .await,
        );
    }
    is_too_many(&last.unwrap());
    // The bucket is that of the right-most address; what the client wrote before it is nobody's.
    let rotated = [("X-Forwarded-For", "7.7.7.7, 203.0.113.9")];
    is_too_many(
        &world
            .send_with("not.a.token", "GET", "/v1/records", &rotated, None)
            .await,
    );
    let other = [("X-Forwarded-For", "6.6.6.6, 203.0.113.10")];
    let reply = world
        .send_with("not.a.token", "GET", "/v1/records", &other, None)
        .await;
    reply.expect(401);
}

/// Looks for invites that are not there until refused; gives how often it was told 404.
async fn guess_until_refused(
    world: &World,
    user: &str,
    address: impl Fn(usize) -> String,
) -> usize {
    let token = world.token(user);
    for number in 0..ENOUGH {
        let method = ["GET", "PATCH", "DELETE"][number % 3];
        let headers = [("X-Forwarded-For", &*address(number))];
        let reply = world
            .send_with(&token, method, &nobodys(world), &headers, None)
            .await;
        if reply.status != 404 {
            is_too_many(&reply);
            return number;
        }
    }
    panic!("{user} guessed {ENOUGH} times");
}

#[tokio::test]
async fn d08_who_guesses_invites_is_slowed_down_by_name_and_by_address() {
    let world = World::with(Engine::Memory, |settings| {
        settings.trusted_proxies = vec!["127.0.0.0/8".to_owned()];
    })
    .await;
    // From many addresses: by name.
    let by_name = guess_until_refused(&world, "mallory", forwarded).await;
    // Under many names: by address.
    let mut by_address = 0;
    for number in 0..ENOUGH {
        let token = world.token(&format!("mallory{number}"));
        let headers = [("X-Forwarded-For", "203.0.113.9")];
        let reply = world
            .send_with(&token, "GET", &nobodys(&world), &headers, None)
            .await;
        if reply.status == 429 {
            is_too_many(&reply);
            break;
        }
        reply.expect(404);
        by_address += 1;
    }
    assert_eq!((by_name, by_address), (60, 600));
    // Refused before anything is looked at: a right invite is not used up, and works later.
    let invite = world
        .invite(&world.owner, &invite_of(&["Authress:Owner"], &["a"]))
        .await;
    let target = format!("/v1/invites/{invite}");
    let elsewhere = [("X-Forwarded-For", "203.0.113.200")];
    let mallory = world.token("mallory");
    let reply = world
        .send_with(&mallory, "PATCH", &target, &elsewhere, None)
        .await;
    is_too_many(&reply);
    world.clock.advance(1_000);
    let reply = world
        .send_with(&mallory, "PATCH", &target, &elsewhere, None)
        .await;
    reply.expect(200);
    // Others, elsewhere, were never slowed down.
    let alice = world.token("alice");
    let reply = world
        .send_with(&alice, "GET", &nobodys(&world), &elsewhere, None)
        .await;
    reply.expect(404);
}

#[tokio::test]
async fn d08_what_succeeds_is_never_counted() {
    let world = World::new(Engine::Memory).await;
    let invite = world
        .invite(&world.owner, &invite_of(&["Authress:Owner"], &["a"]))
        .await;
    let target = format!("/v1/invites/{invite}");
    for _ in 0..ENOUGH {
        world.own("GET", &target, None).await.expect(200);
    }
    for _ in 0..ENOUGH {
        world
            .as_user("bob", "PATCH", &target, None)
            .await
            .expect(200);
    }
    // Nor is a check that says no.
    let check = crate::world::check("bob", "b", "documents:read");
    for _ in 0..ENOUGH {
        world.own("GET", &check, None).await.expect(404);
    }
    // The control: the next failures are.
    assert_eq!(
        guess_until_refused(&world, "bob", |_| String::new()).await,
        60
    );
}

#[tokio::test]
async fn requests_without_a_credential_are_nobodys_failure() {
    let world = World::new(Engine::Memory).await;
    for _ in 0..400 {
        world
            .send("", "GET", "/v1/accounts", None)
            .await
            .expect(401);
    }
    world
        .as_user("alice", "GET", "/v1/accounts", None)
        .await
        .expect(200);
}

#[tokio::test]
async fn d41_a_budget_counts_the_people_who_are_invited() {
    let small = |settings: &mut Settings| settings.limits.invite_budget = 5;
    let world = World::with(Engine::Memory, small).await;
    let invite = invite_of(&["Authress:ReadResource"], &["docs/1"]);
    let make = |invite: Value, key: &'static str| {
        let world = &world;
        async move {
            let headers: &[(&str, &str)] = if key.is_empty() {
                &[]
            } else {
                &[("Idempotency-Key", key)]
            };
            let owner = &world.owner;
            world
                .send_with(owner, "POST", "/v1/invites", headers, Some(&invite))
                .await
        }
    };
    let left = |reply: &Reply| reply.header("ratelimit").unwrap();
    let first = make(invite.clone(), "once").await.expect(201);
    assert_eq!(left(&first), "\"inviter\";r=4;t=17280");
    assert_eq!(
        first.header("ratelimit-policy").unwrap(),
        "\"inviter\";q=5;w=86400"
    );
    assert!(first.header("retry-after").is_none());
    // Neither what is repeated nor what is refused takes anything.
    let repeated = make(invite.clone(), "once").await.expect(201);
    assert_eq!(left(&repeated), left(&first));
    let unknown = invite_of(&["ro_unknown"], &["docs/1"]);
    make(unknown, "").await.expect(400);
    let mut for_three = invite.clone();
    for_three["restrictions"] = json!({"maxUses": 3});
    let second = make(for_three.clone(), "").await.expect(201);
    assert_eq!(left(&second), "\"inviter\";r=1;t=69120");
    // There is one left, and three are more than that.
    let refused = make(for_three, "").await;
    is_too_many(&refused);
    assert_eq!(left(&refused), "\"inviter\";r=0;t=34560");
    let before = world.count("invite.created").await;
    make(invite.clone(), "").await.expect(201);
    is_too_many(&make(invite.clone(), "").await);
    assert_eq!(world.count("invite.created").await, before + 1);
    // A rehearsal invites nobody.
    let rehearsed = world.own("POST", "/v1/invites?dryRun=true", Some(&invite));
    rehearsed.await.expect(200);
    world.clock.advance(17_280_000);
    make(invite.clone(), "").await.expect(201);
    is_too_many(&make(invite, "").await);
}

#[tokio::test]
async fn d41_a_recipient_is_not_flooded_and_nobody_learns_who_invited_them() {
    let small = |settings: &mut Settings| settings.limits.invite_budget = 10;
    let world = World::with(Engine::Memory, small).await;
    world
        .give("rec_a", "ann", &["Authress:Owner"], &["docs"])
        .await;
    world
        .give("rec_b", "ben", &["Authress:Owner"], &["docs"])
        .await;
    let mut invite = invite_of(&["Authress:ReadResource"], &["docs/1"]);
    invite["invitee"] = json!({"email": "Eve@Example.com"});
    let (ann, ben) = (world.token("ann"), world.token("ben"));
    for number in 0..10 {
        let inviter = if number % 2 == 0 { &ann } else { &ben };
        world.invite(inviter, &invite).await;
        invite["invitee"] = json!({"email": "eve@example.com"});
    }
    let refused = world.send(&ann, "POST", "/v1/invites", Some(&invite)).await;
    is_too_many(&refused);
    assert!(refused.text.contains("Too many people were invited"));
    assert!(refused.header("ratelimit").is_none());
    // Others can be invited as before.
    invite["invitee"] = json!({"email": "bob@example.com"});
    world.invite(&ann, &invite).await;
}

/// What was made is told again however little is left, and who may not invite uses up nothing.
#[tokio::test]
async fn d41_what_was_made_is_told_again_and_strangers_use_up_nothing() {
    let one = |settings: &mut Settings| settings.limits.invite_budget = 1;
    let world = World::with(Engine::Memory, one).await;
    world
        .give("rec_a", "ann", &["Authress:Owner"], &["docs"])
        .await;
    let mut invite = invite_of(&["Authress:ReadResource"], &["docs/1"]);
    invite["invitee"] = json!({"email": "eve@example.com"});
    let (ann, mallory) = (world.token("ann"), world.token("mallory"));
    // Eve can be invited once. Mallory, who may not, does not take that away, nor learns of it.
    for _ in 0..3 {
        let refused = world.send(&mallory, "POST", "/v1/invites", Some(&invite));
        refused.await.expect(403);
    }
    let keyed = [("Idempotency-Key", "once")];
    let make = || world.send_with(&ann, "POST", "/v1/invites", &keyed, Some(&invite));
    let first = make().await.expect(201);
    let again = make().await.expect(201);
    assert_eq!(again.json(), first.json());
    is_too_many(&world.send(&ann, "POST", "/v1/invites", Some(&invite)).await);
    let refused = world.send(&mallory, "POST", "/v1/invites", Some(&invite));
    refused.await.expect(403);
}
