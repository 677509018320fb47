//! Row 29: a fault at every step of an accept, on every engine. After each there is all of it or
//! nothing, and the repeated request completes it.

use std::sync::Arc;

use guestlist_rules::caller::Caller;
use guestlist_rules::changes::Kind;
use serde_json::{Value, json};

use crate::by_hand::{
    Refused, accept, caller, create, documents, gifts, may_read, reference, told_of_invites,
};
use crate::stores::{FAULTS, Fault, Faults, Faulty};
use crate::world::{Engine, World, engines, invite_of, record_of};

/// An accept that asks the store more often than this has been given up on.
const MOST_STEPS: u64 = 50;

/// What the person has before, so that each way to write a record is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    OwnRecord,
    SharedRecord,
}

/// How an accept under a fault ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    Answered(Result<(), Refused>),
    /// The caller had gone.
    Gone,
}

/// How much of an accept there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Nothing,
    All,
    Half,
}

async fn faulty(engine: Engine) -> World {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Faulty::new(engine.open(directory.path()).await));
    World::at(store, directory, |settings| {
        settings.limits.invite_budget = 0;
    })
    .await
}

async fn furnish(world: &World, user: &str, before: Before) {
    let mut record = record_of(user, user, &["Authress:ReadResource"], &["elsewhere"]);
    match before {
        Before::Nothing => return,
        Before::OwnRecord => {}
        Before::SharedRecord => {
            record["users"] = json!([{"userId": user}, {"userId": "neighbour"}]);
        }
    }
    world
        .own("POST", "/v1/records", Some(&record))
        .await
        .expect(201);
}

/// All that an accept leaves: in the invite, in the acceptance, in the records, in the log and in what
/// is answered.
async fn left_by(world: &World, user: &Caller, id: &str, resource: &str) -> Done {
    let (app, reference) = (&world.app, reference(id));
    let invite = app.store.get(Kind::Invite, &reference).await.unwrap();
    let invite: Value = serde_json::from_slice(&invite.unwrap().value.body).unwrap();
    let of_this = |value: &Value| value["reference"] == reference.as_str();
    let acceptances = documents(app, Kind::Acceptance).await;
    let acceptances = acceptances.iter().filter(|value| of_this(value)).count();
    let gifts = gifts(app).await;
    let gifts = gifts.iter().filter(|((_, to), _)| to == resource);
    let gifts: Vec<_> = gifts
        .map(|((user, _), count)| (user.as_str(), *count))
        .collect();
    let told = told_of_invites(app).await;
    let told = told.iter().filter(|(_, of, _)| *of == reference).count();
    let may = may_read(app, &user.user_id, resource);
    let (stands, count) = (invite["status"].as_str().unwrap(), &invite["uses"]);
    match (stands, count.as_u64(), acceptances, told, may) {
        ("PENDING", Some(0), 0, 0, false) if gifts.is_empty() => Done::Nothing,
        ("ACCEPTED", Some(1), 1, 1, true) if gifts == [(user.user_id.as_str(), 1)] => Done::All,
        _ => Done::Half,
    }
}

/// What one try came to, and where.
struct Tried {
    ended: Ended,
    struck: bool,
    done: Done,
}

/// One accept in a world of its own person and invite, with a fault at a step.
async fn attempt(world: &World, name: &str, before: Before, step: u64, fault: Fault) -> Tried {
    furnish(world, name, before).await;
    let (user, owner) = (world.token(name), world.owner.clone());
    let (user, owner) = (caller(world, &user).await, caller(world, &owner).await);
    let resource = format!("docs/{name}");
    let body = invite_of(&["Authress:ReadResource"], &[&resource]);
    let id = create(&world.app, &owner, &body).await;
    let faults = Faults::at(step, fault);
    let accepting = FAULTS.scope(Arc::clone(&faults), accept(&world.app, &user, &id));
    let ended = tokio::select! {
        biased;
        answered = accepting => Ended::Answered(answered),
        () = faults.gone.notified() => Ended::Gone,
    };
    let tried = Tried {
        ended,
        struck: faults.struck(),
        done: left_by(world, &user, &id, &resource).await,
    };
    if tried.done != Done::Half {
        // Whatever it was, the same request again completes it, and a third changes nothing.
        let again = accept(&world.app, &user, &id).await;
        assert_eq!(again, Ok(()), "{name} {fault:?} at {step}");
        let whole = left_by(world, &user, &id, &resource).await;
        assert_eq!(whole, Done::All, "{name} {fault:?} at {step}");
        let revision = world.app.revision();
        accept(&world.app, &user, &id).await.unwrap();
        assert_eq!(world.app.revision(), revision);
    }
    tried
}

/// A fault at each step in turn, until an accept has no more steps; what was written after each.
async fn at_each_step(world: &World, before: Before, fault: Fault) -> Vec<Done> {
    let mut left = Vec::new();
    for step in 0..MOST_STEPS {
        let name = format!("{before:?}-{fault:?}-{step}").to_lowercase();
        let tried = attempt(world, &name, before, step, fault).await;
        if !tried.struck {
            assert_eq!(tried.ended, Ended::Answered(Ok(())), "{name}");
            assert_eq!(tried.done, Done::All, "{name}");
            return left;
        }
        left.push(tried.done);
        match tried.ended {
            Ended::Gone => {}
            // Conflicts are nobody's business but the server's.
            Ended::Answered(Ok(())) => assert_eq!(fault, Fault::Conflict, "{name}"),
            Ended::Answered(Err((status, _))) => {
                assert!(matches!(status, 503 | 507), "{name}: {status}");
            }
        }
    }
    panic!("an accept with {before:?} does not end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d29_a_fault_at_any_step_leaves_all_or_nothing_and_a_repeat_completes() {
    for engine in engines() {
        let world = faulty(engine).await;
        for before in [Before::Nothing, Before::OwnRecord, Before::SharedRecord] {
            for fault in [
                Fault::Unavailable,
                Fault::Full,
                Fault::LostBefore,
                Fault::LostAfter,
                Fault::GoneBefore,
                Fault::GoneAfter,
                Fault::Conflict,
            ] {
                let left = at_each_step(&world, before, fault).await;
                let place = format!("{engine:?} {before:?} {fault:?} {left:?}");
                // The account, the invite, the acceptance and the record are read, and one change
                // is written.
                assert!(left.len() >= 5, "{place}");
                assert!(!left.contains(&Done::Half), "{place}");
                let wrote = left.contains(&Done::All);
                let writes = [Fault::LostAfter, Fault::GoneAfter, Fault::Conflict];
                assert_eq!(wrote, writes.contains(&fault), "{place}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d29_the_control_that_writes_half_is_noticed() {
    for engine in engines() {
        let world = faulty(engine).await;
        for before in [Before::Nothing, Before::OwnRecord, Before::SharedRecord] {
            let mut noticed = 0;
            for step in 0..MOST_STEPS {
                let name = format!("{before:?}-{step}").to_lowercase();
                let tried = attempt(&world, &name, before, step, Fault::Half).await;
                noticed += u32::from(tried.done == Done::Half);
                if !tried.struck {
                    break;
                }
            }
            assert_eq!(noticed, 1, "{engine:?} {before:?}");
        }
    }
}

/// The process ends after the fault, and another one begins on what it left.
#[tokio::test]
async fn d29_what_was_half_way_when_the_process_ended_is_all_or_nothing() {
    for (fault, expected) in [
        (Fault::GoneBefore, Done::Nothing),
        (Fault::GoneAfter, Done::All),
    ] {
        let mut left = Vec::new();
        for step in 0..MOST_STEPS {
            let world = faulty(Engine::Embedded).await;
            let name = format!("user{step}");
            let user = caller(&world, &world.token(&name)).await;
            let resource = format!("docs/{name}");
            let body = invite_of(&["Authress:ReadResource"], &[&resource]);
            let id = world.invite(&world.owner, &body).await;
            let faults = Faults::at(step, fault);
            let accepting = FAULTS.scope(Arc::clone(&faults), accept(&world.app, &user, &id));
            tokio::select! {
                biased;
                answered = accepting => answered.unwrap(),
                () = faults.gone.notified() => {}
            }
            let world = world.restart().await;
            if !faults.struck() {
                break;
            }
            left.push(left_by(&world, &user, &id, &resource).await);
            let target = format!("/v1/invites/{id}");
            world
                .as_user(&name, "PATCH", &target, None)
                .await
                .expect(200);
            assert_eq!(left_by(&world, &user, &id, &resource).await, Done::All);
        }
        assert!(left.len() >= 5 && !left.contains(&Done::Half), "{left:?}");
        assert_eq!(left.last(), Some(&expected), "the write is the last step");
    }
}
