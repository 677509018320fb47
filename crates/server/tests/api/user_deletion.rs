//! Deleting a user: nothing names them any more, their invites are void, the account keeps an owner,
//! and others who act at the same moment are either before or after it.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::world::{Engine, World, engines, invite_of, record_of};

const READER: &str = "Authress:ReadResource";

/// Records, groups and an invite that name ann, and others with her.
async fn furnished(engine: Engine) -> (World, String) {
    let world = World::new(engine).await;
    let mut record = record_of("rec_users", "ann", &[READER], &["shelf"]);
    record["users"] = json!([{"userId": "ann"}, {"userId": "bob"}]);
    record["admins"] = json!([{"userId": "ann"}]);
    let statements = json!({
        "recordId": "rec_statements",
        "name": "n",
        "statements": [
            {"roles": [READER], "resources": [{"resourceUri": "a"}], "users": [{"userId": "ann"}]},
            {"roles": [READER], "resources": [{"resourceUri": "b"}],
             "users": [{"userId": "ann"}, {"userId": "bob"}], "groups": [{"groupId": "grp_1"}]},
        ],
    });
    let alone = record_of("rec_alone", "ann", &["Authress:Owner"], &["own"]);
    let mut managed = record_of("rec_managed", "bob", &[READER], &["x"]);
    managed["admins"] = json!([{"userId": "ann"}]);
    for record in [&record, &statements, &alone, &managed] {
        world
            .own("POST", "/v1/records", Some(record))
            .await
            .expect(201);
    }
    let group = json!({"groupId": "grp_1", "name": "n",
        "users": [{"userId": "ann"}, {"userId": "carol"}], "admins": [{"userId": "ann"}]});
    world
        .own("POST", "/v1/groups", Some(&group))
        .await
        .expect(201);
    let invite = world
        .invite(&world.token("ann"), &invite_of(&[READER], &["own/1"]))
        .await;
    (world, invite)
}

fn users(value: &Value) -> Vec<&str> {
    let users = value.as_array().into_iter().flatten();
    users.map(|user| user["userId"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn nothing_names_a_deleted_user_and_others_keep_what_they_have() {
    for engine in engines() {
        let (world, invite) = furnished(engine).await;
        let before = world.app.revision().0;
        world.own("DELETE", "/v1/users/ann", None).await.expect(202);
        assert_eq!(
            world.app.revision().0,
            before + 1,
            "so little is one change"
        );
        let get = async |path: &str| world.own("GET", path, None).await.expect(200).json();
        let record = get("/v1/records/rec_users").await;
        assert_eq!(users(&record["users"]), ["bob"]);
        assert_eq!(users(&record["admins"]), Vec::<&str>::new());
        assert_eq!(record["status"], "ACTIVE");
        let record = get("/v1/records/rec_statements").await;
        assert_eq!(users(&record["statements"][0]["users"]), Vec::<&str>::new());
        assert_eq!(users(&record["statements"][1]["users"]), ["bob"]);
        // A record that names nobody any more is deleted.
        let record = get("/v1/records/rec_alone").await;
        assert_eq!(record["status"], "DELETED");
        assert_eq!(users(&record["users"]), Vec::<&str>::new());
        let group = get("/v1/groups/grp_1").await;
        assert_eq!(
            (users(&group["users"]), users(&group["admins"])),
            (vec!["carol"], vec![])
        );
        for resource in ["shelf", "a", "b", "own", "own/1"] {
            assert!(!world.may("ann", resource, "read").await, "{resource}");
        }
        for (user, resource) in [("bob", "shelf"), ("bob", "b"), ("carol", "b"), ("bob", "x")] {
            assert!(world.may(user, resource, "read").await, "{user} {resource}");
        }
        assert!(
            !world.may("bob", "a", "read").await,
            "a statement for nobody is for nobody"
        );
        let target = format!("/v1/invites/{invite}");
        let reply = world
            .as_user("dave", "PATCH", &target, None)
            .await
            .expect(404);
        assert_eq!(reply.code(), "InviteRevoked");
        world.own("GET", "/v1/users/ann", None).await.expect(404);
        let reply = world.own("DELETE", "/v1/users/ann", None).await.expect(404);
        assert_eq!(reply.code(), "NotFound");
        let events = world.events().await;
        let mut deleted = events.iter().rev();
        let event = deleted.find(|event| event["type"] != "invite.accept-failed");
        let event = event.unwrap();
        assert_eq!(
            (&event["type"], &event["subject"]),
            (&json!("user.deleted"), &json!("user/ann"))
        );
        assert_eq!(event["data"]["records"].as_array().unwrap().len(), 4);
        assert_eq!(event["data"]["groups"], json!(["grp_1"]));
        assert!(!event.to_string().contains(&invite), "no secret");
        // Whoever is given something again begins with nothing else.
        world.give("rec_new", "ann", &[READER], &["new"]).await;
        assert!(world.may("ann", "new", "read").await);
        assert!(!world.may("ann", "shelf", "read").await);
    }
}

#[tokio::test]
async fn the_invites_of_somebody_whom_nothing_names_any_more_are_void_too() {
    let world = World::new(Engine::Memory).await;
    world
        .give("rec_1", "ann", &["Authress:Owner"], &["own"])
        .await;
    let invite = world
        .invite(&world.token("ann"), &invite_of(&[READER], &["own/1"]))
        .await;
    world
        .own("DELETE", "/v1/records/rec_1", None)
        .await
        .expect(204);
    world.own("DELETE", "/v1/users/ann", None).await.expect(202);
    // Who gets the right to give it back does not get the invite back.
    world
        .give("rec_1", "ann", &["Authress:Owner"], &["own"])
        .await;
    let target = format!("/v1/invites/{invite}");
    world
        .as_user("dave", "PATCH", &target, None)
        .await
        .expect(404);
    assert!(!world.may("dave", "own/1", "read").await);
}

#[tokio::test]
async fn invites_for_the_deleted_user_are_void_and_no_others() {
    for engine in engines() {
        let world = World::new(engine).await;
        let offer = |invitee: Value| {
            let mut invite = invite_of(&[READER], &["own/1"]);
            invite["invitee"] = invitee;
            invite
        };
        let theirs = offer(json!({"userId": "ann"}));
        let theirs = world.invite(&world.owner, &theirs).await;
        let other = offer(json!({"userId": "bob"}));
        let other = world.invite(&world.owner, &other).await;
        world.own("DELETE", "/v1/users/ann", None).await.expect(202);
        let target = format!("/v1/invites/{}", &theirs[4..16]);
        let status = world.own("GET", &target, None).await.expect(200).json();
        assert_eq!(status["status"], "REVOKED");
        assert_eq!(status["statusReason"], "whom it was for was deleted");
        let accept = |user: &'static str, id: String| {
            let world = &world;
            async move {
                let target = format!("/v1/invites/{id}");
                world.as_user(user, "PATCH", &target, None).await
            }
        };
        accept("ann", theirs).await.expect(404);
        assert!(!world.may("ann", "own/1", "read").await);
        accept("bob", other).await.expect(200);
        assert!(world.may("bob", "own/1", "read").await);
    }
}

#[tokio::test]
async fn the_last_owner_stays_and_all_that_names_them() {
    let world = World::new(Engine::Memory).await;
    // The client that owned the account makes a person its owner, and goes.
    world
        .give("rec_a", "ann", &["Authress:Owner"], &["*"])
        .await;
    world
        .give("rec_b", "bob", &["Authress:Owner"], &["*"])
        .await;
    world.give("rec_c", "ann", &[READER], &["shelf"]).await;
    let own = format!("/v1/clients/{}", world.owner_id);
    let bob = world.token("bob");
    world.send(&bob, "DELETE", &own, None).await.expect(204);
    world
        .send(&bob, "DELETE", "/v1/users/ann", None)
        .await
        .expect(202);
    world
        .send(&bob, "GET", "/v1/users/ann", None)
        .await
        .expect(404);
    world
        .give_as(&bob, "rec_d", "bob", &[READER], &["shelf"])
        .await;
    let before = world.app.revision();
    let reply = world
        .send(&bob, "DELETE", "/v1/users/bob", None)
        .await
        .expect(409);
    assert_eq!(reply.code(), "LastOwner");
    assert_eq!(world.app.revision(), before);
}

#[tokio::test]
async fn an_owner_who_deletes_themself_is_gone_whole() {
    for records in [1, 60] {
        let world = World::new(Engine::Memory).await;
        world
            .give("rec_a", "ann", &["Authress:Owner"], &["*"])
            .await;
        for number in 0..records {
            let (id, resource) = (format!("z{number}"), format!("shelf/{number}"));
            world.give(&id, "ann", &[READER], &[&resource]).await;
        }
        let ann = world.token("ann");
        let invite = world.invite(&ann, &invite_of(&[READER], &["shelf"])).await;
        world
            .send(&ann, "DELETE", "/v1/users/ann", None)
            .await
            .expect(202);
        world.own("GET", "/v1/users/ann", None).await.expect(404);
        world
            .send(&ann, "GET", "/v1/records/rec_a", None)
            .await
            .expect(404);
        let target = format!("/v1/invites/{invite}");
        world
            .as_user("dave", "PATCH", &target, None)
            .await
            .expect(404);
        // The end of many parts is the one event of its type.
        assert_eq!(world.count("user.deleted").await, 1);
        let parts = world.count("user.deletion-continued").await;
        assert_eq!(parts > 0, records > 24, "{parts}");
    }
}

#[tokio::test]
async fn two_owners_who_delete_each_other_do_not_both_succeed() {
    for _ in 0..20 {
        let world = Arc::new(World::new(Engine::Memory).await);
        world
            .give("rec_a", "ann", &["Authress:Owner"], &["*"])
            .await;
        world
            .give("rec_b", "bob", &["Authress:Owner"], &["*"])
            .await;
        let own = format!("/v1/clients/{}", world.owner_id);
        let ann = world.token("ann");
        world.send(&ann, "DELETE", &own, None).await.expect(204);
        let barrier = Arc::new(Barrier::new(2));
        let go = |who: &'static str, whom: &'static str| {
            let (world, barrier) = (Arc::clone(&world), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                let target = format!("/v1/users/{whom}");
                world.as_user(who, "DELETE", &target, None).await.status
            })
        };
        let (one, other) = (go("ann", "bob"), go("bob", "ann"));
        let statuses = [one.await.unwrap(), other.await.unwrap()];
        assert_eq!(
            statuses.iter().filter(|status| **status == 202).count(),
            1,
            "{statuses:?}"
        );
        let owners = world.app.grants().owners();
        // Records still name the client that is gone.
        let people = owners.iter().filter(|(who, _)| *who != world.owner_id);
        assert_eq!(people.count(), 1);
    }
}

#[tokio::test]
async fn an_invite_that_is_accepted_while_its_maker_is_deleted_was_accepted_or_is_void() {
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..60 {
        let world = Arc::new(World::new(Engine::Memory).await);
        world
            .give("rec_a", "ann", &["Authress:Owner"], &["own"])
            .await;
        let invite = world
            .invite(&world.token("ann"), &invite_of(&[READER], &["own/1"]))
            .await;
        let barrier = Arc::new(Barrier::new(2));
        let accepting = {
            let (world, barrier) = (Arc::clone(&world), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                for _ in 0..round % 3 {
                    tokio::task::yield_now().await;
                }
                let target = format!("/v1/invites/{invite}");
                (world.as_user("dave", "PATCH", &target, None).await, target)
            })
        };
        barrier.wait().await;
        world.own("DELETE", "/v1/users/ann", None).await.expect(202);
        let (reply, target) = accepting.await.unwrap();
        let gives = world.may("dave", "own/1", "read").await;
        match reply.status {
            200 => accepted += 1,
            403 | 404 => refused += 1,
            other => panic!("{other} {}", reply.text),
        }
        assert_eq!(gives, reply.status == 200, "{}", reply.text);
        // Whatever came first, the invite is used up or void, and gives nothing to anybody else.
        world
            .as_user("erin", "PATCH", &target, None)
            .await
            .expect(404);
        assert!(!world.may("ann", "own", "read").await);
        assert_eq!(world.count("user.deleted").await, 1);
    }
    assert!(accepted + refused == 60);
}

#[tokio::test]
async fn many_documents_are_done_in_parts_and_each_part_under_its_conditions() {
    for engine in engines() {
        let world = World::new(engine).await;
        for number in 0..70 {
            let (id, resource) = (format!("rec_{number:03}"), format!("shelf/{number}"));
            world
                .give(&id, "ann", &["Authress:Owner"], &[&resource])
                .await;
        }
        let ann = world.token("ann");
        let mut invites = Vec::new();
        for number in 0..9 {
            let resource = format!("shelf/{number}");
            invites.push(
                world
                    .invite(&ann, &invite_of(&[READER], &[&resource]))
                    .await,
            );
        }
        world.own("DELETE", "/v1/users/ann", None).await.expect(202);
        assert_eq!(world.count("user.deleted").await, 1);
        assert!(world.count("user.deletion-continued").await >= 3);
        world.own("GET", "/v1/users/ann", None).await.expect(404);
        for invite in invites {
            let target = format!("/v1/invites/{invite}");
            let reply = world
                .as_user("dave", "PATCH", &target, None)
                .await
                .expect(404);
            assert_eq!(reply.code(), "InviteRevoked");
        }
        assert!(world.app.grants().naming("ann").records.is_empty());
    }
}
