//! Invites that must be approved: nothing is given until somebody else says yes, and then as if it had
//! been accepted at that moment; and everything that comes between.

use std::sync::Arc;

use guestlist_server::invite_notices::{Look, tell};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::world::{Engine, Reply, World, engines, invite_of, record_of};

const DAY: i64 = 24 * 60 * 60 * 1000;
const READER: &str = "Authress:ReadResource";
const SETTINGS: &str = "/v1/settings/invites";

/// Alice owns the documents; dan does too, and answers access requests.
async fn furnished(engine: Engine) -> World {
    let world = World::new(engine).await;
    let answers = [
        ("AccessRequests:Update", true, false, false),
        ("AccessRequests:Read", true, false, false),
    ];
    world.role("ro_answers", &answers).await;
    for who in ["alice", "dan"] {
        let record = format!("rec_{who}");
        world
            .give(&record, who, &["Authress:Owner"], &["docs"])
            .await;
    }
    answerer(&world, "dan").await;
    world
}

async fn answerer(world: &World, who: &str) {
    let record = format!("rec_answers_{who}");
    let on = ["Authress:AccessRequests"];
    world.give(&record, who, &["ro_answers"], &on).await;
}

fn with_approval() -> Value {
    let mut invite = invite_of(&[READER], &["docs/1"]);
    invite["approval"] = json!({"required": true});
    invite
}

async fn by_alice(world: &World, invite: &Value) -> String {
    world.invite(&world.token("alice"), invite).await
}

async fn accept(world: &World, user: &str, id: &str) -> Reply {
    let target = format!("/v1/invites/{id}");
    world
        .as_user(user, "PATCH", &target, Some(&json!({})))
        .await
}

/// Accepts, and answers the path of the access request.
async fn ask(world: &World, user: &str, id: &str) -> String {
    let asked = accept(world, user, id).await.expect(202).json();
    format!("/v1/requests/{}", asked["requestId"].as_str().unwrap())
}

async fn answer(world: &World, who: &str, request: &str, status: &str) -> Reply {
    let body = json!({ "status": status });
    world.as_user(who, "PATCH", request, Some(&body)).await
}

async fn summary(world: &World, id: &str) -> Value {
    let target = format!("/v1/invites/{}", &id[4..16]);
    world.own("GET", &target, None).await.expect(200).json()
}

async fn changes(world: &World, id: &str) -> Vec<String> {
    let target = format!("/v1/invites/{}/events", &id[4..16]);
    let found = world.own("GET", &target, None).await.expect(200).json();
    let moments = found["events"].as_array().unwrap().iter();
    moments
        .map(|moment| moment["change"].as_str().unwrap().to_owned())
        .collect()
}

async fn status_of(world: &World, request: &str) -> Value {
    let read = world.own("GET", request, None).await.expect(200);
    read.json()["status"].clone()
}

async fn require_for_risk(world: &World) {
    let body = json!({"approval": {"requiredForRisk": true}});
    let set = world.own("PUT", SETTINGS, Some(&body)).await.expect(200);
    assert_eq!(set.json()["approval"], json!({"requiredForRisk": true}));
}

#[tokio::test]
async fn nothing_is_given_until_somebody_approves() {
    for engine in engines() {
        let world = furnished(engine).await;
        let alice = world.token("alice");
        let made = world
            .send(&alice, "POST", "/v1/invites", Some(&with_approval()))
            .await;
        let made = made.expect(201).json();
        assert_eq!(made["approval"], json!({"required": true}));
        let id = made["inviteId"].as_str().unwrap();
        let reference = &id[4..16];
        let asked = accept(&world, "bob", id).await.expect(202);
        assert!(!asked.text.contains(&id[16..]), "the secret is told");
        let asked = asked.json();
        let request_id = asked["requestId"].as_str().unwrap().to_owned();
        assert!(request_id.starts_with(&format!("req_invite_{reference}_")));
        assert_eq!(asked["status"], "OPEN");
        assert_eq!(asked["inviteReference"], reference);
        assert_eq!(asked["access"]["users"], json!([{"userId": "bob"}]));
        let statement = &asked["access"]["statements"][0];
        assert_eq!(statement["roles"], json!([READER]));
        assert_eq!(statement["resources"], json!([{"resourceUri": "docs/1"}]));
        // Repeated, it is the same request; others cannot have it meanwhile.
        let revision = world.app.revision();
        let again = accept(&world, "bob", id).await.expect(202).json();
        assert_eq!(again, asked);
        assert_eq!(world.app.revision(), revision);
        let refused = accept(&world, "carol", id).await.expect(404);
        assert_eq!(refused.code(), "ApprovalPending");
        assert!(!world.may("bob", "docs/1", "read").await);
        let shown = summary(&world, id).await;
        assert_eq!(shown["status"], "AWAITING_APPROVAL");
        assert_eq!(
            shown["approval"],
            json!({"required": true, "requestId": request_id})
        );
        let listed = world
            .own("GET", "/v1/invites?status=AWAITING_APPROVAL", None)
            .await;
        assert_eq!(listed.expect(200).json()["invites"][0], shown);
        let target = format!("/v1/invites/{id}");
        world.send(&alice, "GET", &target, None).await.expect(200);
        let path = format!("/v1/requests/{request_id}");
        world.clock.advance(60_000);
        let approved = answer(&world, "dan", &path, "APPROVED").await.expect(200);
        assert_eq!(approved.json()["status"], "APPROVED");
        answer(&world, "dan", &path, "APPROVED").await.expect(200);
        answer(&world, "dan", &path, "DENIED").await.expect(409);
        assert!(world.may("bob", "docs/1", "read").await);
        assert!(!world.may("bob", "docs", "read").await);
        accept(&world, "bob", id).await.expect(200);
        let refused = accept(&world, "carol", id).await.expect(404);
        assert_eq!(refused.code(), "InviteAlreadyAccepted");
        assert_eq!(summary(&world, id).await["status"], "ACCEPTED");
        told_once(&world, id, &request_id).await;
    }
}

/// What the history and the log say of it.
async fn told_once(world: &World, id: &str, request_id: &str) {
    let expected = [
        "CREATED",
        "APPROVAL_REQUESTED",
        "ACCEPT_FAILED",
        "APPROVED",
        "ACCEPTED",
        "ACCEPT_FAILED",
    ];
    assert_eq!(changes(world, id).await, expected);
    for (kind, count) in [
        ("invite.approval-requested", 1),
        ("invite.approved", 1),
        ("invite.accepted", 0),
        ("access-request.approved", 0),
        ("access-request.created", 0),
    ] {
        assert_eq!(world.count(kind).await, count, "{kind}");
    }
    let events = world.events().await;
    let text = serde_json::to_string(&events).unwrap();
    assert!(!text.contains(&id[16..]), "the log has the secret");
    let mut approved = events.iter();
    let approved = approved.find(|event| event["type"] == "invite.approved");
    let approved = approved.unwrap();
    assert_eq!(approved["actor"], "dan");
    assert_eq!(approved["data"]["userId"], "bob");
    assert_eq!(approved["data"]["requestId"], request_id);
    assert_eq!(approved["data"]["access"][0]["userId"], "bob");
}

#[tokio::test]
async fn what_is_approved_is_given_as_what_is_accepted() {
    let world = furnished(Engine::Memory).await;
    let mut plain = invite_of(&[READER], &["docs/1", "docs/2"]);
    plain["grant"] = json!({"accessDuration": "P1D"});
    let mut guarded = plain.clone();
    guarded["approval"] = json!({"required": true});
    let (plain, guarded) = (
        by_alice(&world, &plain).await,
        by_alice(&world, &guarded).await,
    );
    // Asked for a day before: the duration counts from when it is given.
    let request = ask(&world, "bob", &guarded).await;
    world.clock.advance(DAY);
    accept(&world, "eve", &plain).await.expect(200);
    answer(&world, "dan", &request, "APPROVED")
        .await
        .expect(200);
    let read = async |what: String| {
        let read = world.own("GET", &what, None).await.expect(200);
        let text = read.text.replace("eve", "bob");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let of = |id: &str| format!("/v1/invites/{}/acceptances", &id[4..16]);
    let approved = read(of(&guarded)).await;
    assert_eq!(approved["acceptances"].as_array().unwrap().len(), 1);
    assert_eq!(
        approved["acceptances"],
        read(of(&plain)).await["acceptances"]
    );
    let mut records = [
        read("/v1/records/bob".to_owned()).await,
        read("/v1/records/eve".to_owned()).await,
    ];
    for record in &mut records {
        record.as_object_mut().unwrap().remove("links");
    }
    assert_eq!(records[0], records[1]);
    // And it is taken back alike.
    let grants = format!("/v1/invites/{}/grants", &guarded[4..16]);
    world.own("DELETE", &grants, None).await.expect(200);
    assert!(!world.may("bob", "docs/1", "read").await);
    assert!(world.may("eve", "docs/1", "read").await);
    // It gives nothing again.
    accept(&world, "bob", &guarded).await.expect(200);
    assert!(!world.may("bob", "docs/1", "read").await);
}

#[tokio::test]
async fn who_may_approve() {
    for engine in engines() {
        let world = furnished(engine).await;
        // Bob may answer and give, but it is he who accepted.
        answerer(&world, "bob").await;
        world
            .give("rec_bob", "bob", &["Authress:Owner"], &["docs"])
            .await;
        // Fred may answer, and give nothing; alice gives, and may not answer.
        answerer(&world, "fred").await;
        let id = by_alice(&world, &with_approval()).await;
        let request = ask(&world, "bob", &id).await;
        let refused = answer(&world, "bob", &request, "APPROVED").await;
        assert_eq!(refused.expect(403).code(), "SecondPersonRequired");
        let refused = answer(&world, "fred", &request, "APPROVED").await;
        assert_eq!(refused.expect(403).code(), "InsufficientGrantAccess");
        answer(&world, "alice", &request, "APPROVED")
            .await
            .expect(404);
        answer(&world, "eve", &request, "APPROVED")
            .await
            .expect(404);
        assert_eq!(status_of(&world, &request).await, "OPEN");
        assert_eq!(world.count("invite.approved").await, 0);
        // Unless the account wants two, who made it may look at who took it.
        answerer(&world, "alice").await;
        answer(&world, "alice", &request, "APPROVED")
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn while_the_inviter_could_not_give_it_nobody_approves() {
    for engine in engines() {
        let world = furnished(engine).await;
        let id = by_alice(&world, &with_approval()).await;
        let request = ask(&world, "bob", &id).await;
        let rights = async |role: &str| {
            let record = record_of("rec_alice", "alice", &[role], &["docs"]);
            let put = world.own("PUT", "/v1/records/rec_alice", Some(&record));
            assert!(put.await.status < 300);
        };
        rights(READER).await;
        assert_eq!(summary(&world, &id).await["status"], "SUSPENDED");
        let refused = answer(&world, "dan", &request, "APPROVED").await;
        assert_eq!(refused.expect(403).code(), "InviteNoLongerValid");
        tell(&world.app, Look::AtAll).await.ok().unwrap();
        assert_eq!(status_of(&world, &request).await, "OPEN");
        assert!(!world.may("bob", "docs/1", "read").await);
        rights("Authress:Owner").await;
        assert_eq!(summary(&world, &id).await["status"], "AWAITING_APPROVAL");
        answer(&world, "dan", &request, "APPROVED")
            .await
            .expect(200);
        assert!(world.may("bob", "docs/1", "read").await);
    }
}

#[tokio::test]
async fn whatever_ends_the_invite_closes_the_request() {
    let ways = [
        "delete",
        "delete by reference",
        "revocations",
        "decline",
        "declines",
        "report-leak",
        "lost authority",
        "inviter deleted",
        "invited deleted",
    ];
    for way in ways {
        let world = furnished(Engine::Memory).await;
        let id = by_alice(&world, &with_approval()).await;
        let request = ask(&world, "bob", &id).await;
        end(&world, way, &id).await;
        assert_eq!(status_of(&world, &request).await, "DELETED", "{way}");
        let expected = match way {
            "decline" | "declines" => "DECLINED",
            _ => "REVOKED",
        };
        let shown = summary(&world, &id).await;
        assert_eq!(shown["status"], expected, "{way}");
        assert_eq!(shown["approval"], json!({"required": true}), "{way}");
        answer(&world, "dan", &request, "APPROVED")
            .await
            .expect(404);
        assert!(!world.may("bob", "docs/1", "read").await, "{way}");
        accept(&world, "bob", &id).await.expect(404);
        accept(&world, "carol", &id).await.expect(404);
    }
}

async fn end(world: &World, way: &str, id: &str) {
    let held = json!({ "inviteId": id });
    let whole = format!("/v1/invites/{id}");
    let named = format!("/v1/invites/{}", &id[4..16]);
    let reply = match way {
        "delete" => world.as_user("alice", "DELETE", &whole, None).await,
        "delete by reference" => world.own("DELETE", &named, None).await,
        "revocations" => {
            let body = json!({"inviterUserId": "alice"});
            world
                .own("POST", "/v1/invites/revocations", Some(&body))
                .await
        }
        "decline" => {
            let body = json!({"response": "DECLINE"});
            world.as_user("bob", "PATCH", &whole, Some(&body)).await
        }
        "lost authority" => {
            let body = json!({"lostAuthority": "REVOKE"});
            world.own("PUT", SETTINGS, Some(&body)).await.expect(200);
            let record = record_of("rec_alice", "alice", &[READER], &["docs"]);
            let put = world.own("PUT", "/v1/records/rec_alice", Some(&record));
            let put = put.await;
            // It is suspended at the first look, and withdrawn at the second.
            for _ in 0..2 {
                assert_eq!(tell(&world.app, Look::AtAll).await.ok(), Some(1));
            }
            put
        }
        "inviter deleted" => world.own("DELETE", "/v1/users/alice", None).await,
        "invited deleted" => world.own("DELETE", "/v1/users/bob", None).await,
        by_holder => {
            let target = format!("/v1/invites/{by_holder}");
            world.send("", "POST", &target, Some(&held)).await
        }
    };
    assert!(reply.status < 300, "{way}: {}", reply.text);
}

#[tokio::test]
async fn what_expired_cannot_be_approved_and_may_be_renewed() {
    for engine in engines() {
        let world = furnished(engine).await;
        let alice = world.token("alice");
        let id = by_alice(&world, &with_approval()).await;
        let named = format!("/v1/invites/{}", &id[4..16]);
        let renew = format!("{named}/renewals");
        let request = ask(&world, "bob", &id).await;
        for (method, target) in [("POST", &renew), ("PUT", &named)] {
            let body = with_approval();
            let refused = world.send(&alice, method, target, Some(&body));
            assert_eq!(refused.await.expect(404).code(), "ApprovalPending");
        }
        world.clock.advance(7 * DAY);
        let alice = world.token("alice");
        assert_eq!(summary(&world, &id).await["status"], "EXPIRED");
        let refused = answer(&world, "dan", &request, "APPROVED").await;
        assert_eq!(refused.expect(409).code(), "NothingToApprove");
        let refused = accept(&world, "bob", &id).await.expect(404);
        assert_eq!(refused.code(), "InviteExpired");
        assert_eq!(tell(&world.app, Look::AtEnded).await.ok(), Some(1));
        assert_eq!(tell(&world.app, Look::AtAll).await.ok(), Some(0));
        assert_eq!(status_of(&world, &request).await, "DELETED");
        let renewed = world.send(&alice, "POST", &renew, None).await.expect(201);
        let renewed = renewed.json()["inviteId"].as_str().unwrap().to_owned();
        // Renewed before that was told, it closes the request itself.
        let request = ask(&world, "carol", &renewed).await;
        world.clock.advance(7 * DAY);
        let alice = world.token("alice");
        let renewed = world.send(&alice, "POST", &renew, None).await.expect(201);
        assert_eq!(renewed.json()["approval"], json!({"required": true}));
        assert_eq!(status_of(&world, &request).await, "DELETED");
        assert!(!world.may("bob", "docs/1", "read").await);
        assert!(!world.may("carol", "docs/1", "read").await);
    }
}

#[tokio::test]
async fn a_no_ends_the_invite_and_what_is_taken_back_can_be_asked_again() {
    for engine in engines() {
        let world = furnished(engine).await;
        let id = by_alice(&world, &with_approval()).await;
        let first = ask(&world, "bob", &id).await;
        // Bob takes it back: then carol can have it.
        world
            .as_user("bob", "DELETE", &first, None)
            .await
            .expect(204);
        let shown = summary(&world, &id).await;
        assert_eq!(shown["status"], "PENDING");
        assert_eq!(shown["approval"], json!({"required": true}));
        answer(&world, "dan", &first, "APPROVED").await.expect(404);
        let second = ask(&world, "carol", &id).await;
        assert_ne!(first, second);
        let denied = answer(&world, "dan", &second, "DENIED").await.expect(200);
        assert_eq!(denied.json()["status"], "DENIED");
        answer(&world, "dan", &second, "DENIED").await.expect(200);
        answer(&world, "dan", &second, "APPROVED").await.expect(409);
        let shown = summary(&world, &id).await;
        assert_eq!(shown["status"], "REVOKED");
        assert_eq!(shown["statusReason"], "approval was denied by dan");
        for user in ["bob", "carol"] {
            let refused = accept(&world, user, &id).await.expect(404);
            assert_eq!(refused.code(), "InviteRevoked");
            assert!(!world.may(user, "docs/1", "read").await);
        }
        // No renewal gets round it.
        let renew = format!("/v1/invites/{}/renewals", &id[4..16]);
        let refused = world.as_user("alice", "POST", &renew, None).await;
        assert_eq!(refused.expect(404).code(), "InviteRevoked");
        let expected = [
            "CREATED",
            "APPROVAL_REQUESTED",
            "APPROVAL_WITHDRAWN",
            "APPROVAL_REQUESTED",
            "DENIED",
        ];
        assert_eq!(changes(&world, &id).await[..5], expected);
        assert_eq!(world.count("invite.denied").await, 1);
        assert_eq!(world.count("access-request.denied").await, 0);
        assert_eq!(world.count("access-request.deleted").await, 1);
    }
}

#[tokio::test]
async fn an_account_may_want_two_people_for_what_is_risky() {
    for engine in engines() {
        let world = furnished(engine).await;
        answerer(&world, "alice").await;
        let risky = invite_of(&["Authress:Owner"], &["docs/1"]);
        let harmless = invite_of(&[READER], &["docs/1"]);
        let approval = async |invite: &Value| {
            let tried = world.as_user("alice", "POST", "/v1/invites?dryRun=true", Some(invite));
            tried.await.expect(200).json()["approvalRequired"].clone()
        };
        assert_eq!(approval(&risky).await, false);
        let before = by_alice(&world, &risky).await;
        accept(&world, "zoe", &before).await.expect(200);
        // It also holds for invites of before.
        let id = by_alice(&world, &risky).await;
        require_for_risk(&world).await;
        assert_eq!(approval(&risky).await, true);
        assert_eq!(approval(&harmless).await, false);
        let plain = by_alice(&world, &harmless).await;
        accept(&world, "bob", &plain).await.expect(200);
        let request = ask(&world, "bob", &id).await;
        let refused = answer(&world, "alice", &request, "APPROVED").await;
        assert_eq!(refused.expect(403).code(), "SecondPersonRequired");
        // Not even once the account has thought otherwise: this was asked for under the rule.
        let reset = world.own("PUT", SETTINGS, Some(&json!({}))).await;
        assert_eq!(
            reset.expect(200).json()["approval"],
            json!({"requiredForRisk": false})
        );
        answer(&world, "alice", &request, "APPROVED")
            .await
            .expect(403);
        answer(&world, "dan", &request, "APPROVED")
            .await
            .expect(200);
        assert!(world.may("bob", "docs/1", "read").await);
        // Asked for before there was the rule, it is judged by it.
        let mut guarded = risky.clone();
        guarded["approval"] = json!({"required": true});
        let id = by_alice(&world, &guarded).await;
        let request = ask(&world, "carol", &id).await;
        require_for_risk(&world).await;
        answer(&world, "alice", &request, "APPROVED")
            .await
            .expect(403);
        answer(&world, "dan", &request, "APPROVED")
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn the_second_person_is_no_service_client() {
    for engine in engines() {
        let world = furnished(engine).await;
        let approved = json!({"status": "APPROVED"});
        // The control: where one is enough, a client with the rights may approve.
        let request = ask(&world, "bob", &by_alice(&world, &with_approval()).await).await;
        let by_client = world.own("PATCH", &request, Some(&approved)).await;
        by_client.expect(200);
        // Where there must be two, alice could be both by a client of hers.
        require_for_risk(&world).await;
        let risky = invite_of(&["Authress:Owner"], &["docs/1"]);
        let request = ask(&world, "carol", &by_alice(&world, &risky).await).await;
        let refused = world.own("PATCH", &request, Some(&approved)).await;
        let refused = refused.expect(403);
        assert_eq!(refused.code(), "SecondPersonRequired");
        assert!(
            refused.text.contains("not a service client"),
            "{}",
            refused.text
        );
        assert!(!world.may("carol", "docs/1", "read").await);
        assert_eq!(status_of(&world, &request).await, "OPEN");
        answer(&world, "dan", &request, "APPROVED")
            .await
            .expect(200);
        assert!(world.may("carol", "docs/1", "read").await);
    }
}

#[tokio::test]
async fn every_kind_of_risk_needs_approval() {
    let world = furnished(Engine::Memory).await;
    world.role("ro_all", &[("*", true, false, false)]).await;
    require_for_risk(&world).await;
    for (role, resource) in [
        (READER, "*"),
        ("ro_all", "docs/1"),
        ("Authress:Owner", "docs/1"),
        (READER, "Authress:Roles"),
    ] {
        let id = world
            .invite(&world.owner, &invite_of(&[role], &[resource]))
            .await;
        let request = ask(&world, "bob", &id).await;
        let body = json!({"status": "APPROVED"});
        let refused = world.own("PATCH", &request, Some(&body)).await.expect(403);
        assert_eq!(refused.code(), "SecondPersonRequired", "{role} {resource}");
    }
    // An invite for several people cannot be asked for, so nobody gets it.
    let mut several = invite_of(&["ro_all"], &["docs/1"]);
    several["restrictions"] = json!({"maxUses": 2});
    let id = world.invite(&world.owner, &several).await;
    let refused = accept(&world, "bob", &id).await.expect(403);
    assert_eq!(refused.code(), "InviteNoLongerValid");
    assert!(!world.may("bob", "docs/1", "read").await);
}

#[tokio::test]
async fn how_approval_is_said() {
    let world = furnished(Engine::Memory).await;
    let alice = world.token("alice");
    let mut several = with_approval();
    several["restrictions"] = json!({"maxUses": 2});
    let refused = world
        .send(&alice, "POST", "/v1/invites", Some(&several))
        .await;
    assert_eq!(refused.expect(400).json()["path"], "approval.required");
    let mut unknown = with_approval();
    unknown["approval"] = json!({"required": true, "by": "dan"});
    let refused = world
        .send(&alice, "POST", "/v1/invites", Some(&unknown))
        .await;
    refused.expect(400);
    // For models that have no such member.
    let plain = invite_of(&[READER], &["docs/1"]);
    let with = async |value: &str| {
        let headers = [("Guestlist-Approval", value)];
        world
            .send_with(&alice, "POST", "/v1/invites", &headers, Some(&plain))
            .await
    };
    with("no").await.expect(400);
    let made = with("required").await.expect(201).json();
    assert_eq!(made["approval"], json!({"required": true}));
    // Replaced without the member it stays; it can be taken away and said again.
    let id = made["inviteId"].as_str().unwrap();
    let named = format!("/v1/invites/{}", &id[4..16]);
    let put = async |body: &Value| {
        let put = world.send(&alice, "PUT", &named, Some(body)).await;
        put.expect(200).json()["approval"].clone()
    };
    assert_eq!(put(&plain).await, json!({"required": true}));
    let mut without = plain.clone();
    without["approval"] = json!({"required": false});
    assert_eq!(put(&without).await, Value::Null);
    assert_eq!(put(&with_approval()).await, json!({"required": true}));
    // A library that reads nothing but null is answered null.
    let headers = [("User-Agent", "Authress SDK; Rust; 0.1.66;")];
    let target = format!("/v1/invites/{id}");
    let bob = world.token("bob");
    let asked = world.send_with(&bob, "PATCH", &target, &headers, None);
    assert_eq!(asked.await.expect(202).text, "null");
    assert_eq!(summary(&world, id).await["status"], "AWAITING_APPROVAL");
}

#[tokio::test]
async fn two_who_approve_at_once_give_it_once() {
    for engine in engines() {
        let world = Arc::new(furnished(engine).await);
        answerer(&world, "alice").await;
        for round in 0..10 {
            let id = by_alice(&world, &with_approval()).await;
            let user = format!("user{round}");
            let request = ask(&world, &user, &id).await;
            let barrier = Arc::new(Barrier::new(2));
            let go = |who: &'static str| {
                let (world, barrier) = (Arc::clone(&world), Arc::clone(&barrier));
                let request = request.clone();
                tokio::spawn(async move {
                    barrier.wait().await;
                    answer(&world, who, &request, "APPROVED").await.status
                })
            };
            let (one, other) = (go("alice"), go("dan"));
            assert_eq!((one.await.unwrap(), other.await.unwrap()), (200, 200));
            assert!(world.may(&user, "docs/1", "read").await);
            assert_eq!(world.count("invite.approved").await, round + 1);
            assert_eq!(
                summary(&world, &id).await["uses"],
                json!({"max": 1, "accepted": 1})
            );
        }
    }
}

#[tokio::test]
async fn an_approval_and_a_withdrawal_at_once_are_one_after_the_other() {
    for engine in engines() {
        let world = Arc::new(furnished(engine).await);
        for round in 0..20 {
            let id = by_alice(&world, &with_approval()).await;
            let user = format!("user{round}");
            let request = ask(&world, &user, &id).await;
            let barrier = Arc::new(Barrier::new(2));
            let approving = {
                let (world, barrier) = (Arc::clone(&world), Arc::clone(&barrier));
                let request = request.clone();
                tokio::spawn(async move {
                    barrier.wait().await;
                    answer(&world, "dan", &request, "APPROVED").await.status
                })
            };
            barrier.wait().await;
            for _ in 0..round % 4 {
                tokio::task::yield_now().await;
            }
            let target = format!("/v1/invites/{id}");
            let withdrawn = world.as_user("alice", "DELETE", &target, None).await;
            withdrawn.expect(204);
            let approved = approving.await.unwrap();
            let (may, status) = (
                world.may(&user, "docs/1", "read").await,
                status_of(&world, &request).await,
            );
            match approved {
                200 => assert_eq!((may, status), (true, json!("APPROVED"))),
                404 => assert_eq!((may, status), (false, json!("DELETED"))),
                other => panic!("{other}"),
            }
        }
    }
}

#[tokio::test]
async fn two_who_accept_at_once_ask_once() {
    for engine in engines() {
        let world = Arc::new(furnished(engine).await);
        for _ in 0..10 {
            let id = by_alice(&world, &with_approval()).await;
            let barrier = Arc::new(Barrier::new(2));
            let go = |who: &'static str| {
                let (world, barrier) = (Arc::clone(&world), Arc::clone(&barrier));
                let id = id.clone();
                tokio::spawn(async move {
                    barrier.wait().await;
                    accept(&world, who, &id).await.status
                })
            };
            let (one, other) = (go("bob"), go("carol"));
            let mut statuses = [one.await.unwrap(), other.await.unwrap()];
            statuses.sort_unstable();
            assert_eq!(statuses, [202, 404]);
        }
        assert_eq!(world.count("invite.approval-requested").await, 10);
    }
}
