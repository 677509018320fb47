//! Rows 28 and 30: very many accepts and deletions at once, on every engine, with controls on one
//! that forgets conditions.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::by_hand::{accept, caller, create, delete, gifts, may_read, reference, told_of_invites};
use crate::stores::{Conditions, Shuffled};
use crate::world::{Engine, World, engines, invite_of};

const RACERS: usize = 64;
const ROUNDS: usize = 200;
const INTERLEAVINGS: usize = 10_000;
/// Interleavings that are under way together, so that an engine writes several at once.
const TOGETHER: usize = 50;

async fn shuffled(engine: Engine, conditions: Conditions) -> (World, Arc<Shuffled>) {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Shuffled::new(
        engine.open(directory.path()).await,
        conditions,
    ));
    let world = World::at(Arc::clone(&store) as _, directory, |settings| {
        settings.limits.invite_budget = 0;
        settings.limits.drain_time = Duration::from_secs(5);
    });
    (world.await, store)
}

/// Who won in which round.
type Winners = BTreeSet<(String, String)>;

/// Races of 64 people for invites that so many can use; who was told that they won.
async fn races(world: &World, most: usize, rounds: usize) -> Winners {
    let app = &world.app;
    let owner = caller(world, &world.owner).await;
    let mut racers = Vec::new();
    for racer in 0..RACERS {
        racers.push(caller(world, &world.token(&format!("racer{racer}"))).await);
    }
    let lost = if most == 1 {
        "InviteAlreadyAccepted"
    } else {
        "InviteExhausted"
    };
    let mut winners = Winners::new();
    for round in 0..rounds {
        let resource = format!("docs/{most}/{round}");
        let mut body = invite_of(&["Authress:ReadResource"], &[&resource]);
        body["restrictions"] = json!({"maxUses": most});
        let id = create(app, &owner, &body).await;
        let barrier = Arc::new(Barrier::new(RACERS));
        let mut tasks = JoinSet::new();
        for racer in &racers {
            let (app, racer, id) = (Arc::clone(app), Arc::clone(racer), id.clone());
            let barrier = Arc::clone(&barrier);
            tasks.spawn(async move {
                barrier.wait().await;
                let accepted = accept(&app, &racer, &id).await;
                (racer.user_id.to_string(), accepted)
            });
        }
        while let Some(ended) = tasks.join_next().await {
            match ended.unwrap() {
                (racer, Ok(())) => drop(winners.insert((racer, resource.clone()))),
                (racer, Err(refused)) => {
                    assert_eq!(refused, (404, lost.to_owned()), "{racer} {resource}");
                }
            }
        }
    }
    winners
}

/// What the winners of these resources hold, and nobody else.
async fn given(world: &World) -> Vec<((String, String), usize)> {
    let gifts = gifts(&world.app).await;
    let of_races = gifts
        .into_iter()
        .filter(|((_, resource), _)| resource.starts_with("docs/"));
    of_races.collect()
}

async fn exactly_so_many(engine: Engine) {
    let (world, store) = shuffled(engine, Conditions::Kept).await;
    let mut all = Winners::new();
    for most in [1, 2, 5] {
        let winners = races(&world, most, ROUNDS).await;
        assert_eq!(winners.len(), most * ROUNDS, "{engine:?}: so many for each");
        for round in 0..ROUNDS {
            let resource = format!("docs/{most}/{round}");
            let of_round = winners.iter().filter(|(_, won)| *won == resource).count();
            assert_eq!(of_round, most, "{engine:?} {resource}");
            for racer in 0..RACERS {
                let racer = format!("racer{racer}");
                let won = winners.contains(&(racer.clone(), resource.clone()));
                let may = may_read(&world.app, &racer.parse().unwrap(), &resource);
                assert_eq!(may, won, "{engine:?} {racer} {resource}");
            }
        }
        all.extend(winners);
    }
    let once: Vec<_> = all.into_iter().map(|gift| (gift, 1)).collect();
    assert_eq!(given(&world).await, once, "{engine:?}: each is given once");
    let told = told_of_invites(&world.app).await;
    assert_eq!(told.len(), once.len(), "{engine:?}: each is told once");
    assert!(store.conflicts() > 0, "{engine:?}: they were not at once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn d28_of_64_at_once_exactly_so_many_as_may_gain_200_times_in_memory() {
    exactly_so_many(Engine::Memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn d28_of_64_at_once_exactly_so_many_as_may_gain_200_times_embedded() {
    exactly_so_many(Engine::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn d28_of_64_at_once_exactly_so_many_as_may_gain_200_times_on_postgresql() {
    if !engines().contains(&Engine::Postgres) {
        return;
    }
    exactly_so_many(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn d28_the_control_without_conditions_lets_too_many_gain() {
    let (world, _) = shuffled(Engine::Memory, Conditions::Forgotten).await;
    for most in [1, 2, 5] {
        let winners = races(&world, most, 3).await;
        assert!(winners.len() > most * 3, "{most}: {}", winners.len());
    }
}

/// What came of an accept and a deletion at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ended {
    accepted: bool,
    /// Whether the user could read in the moment in which the deletion was answered.
    could_read: bool,
    /// Whether the user can read in the end, or somebody else who accepted after the deletion.
    can_read: bool,
}

impl Ended {
    /// Accepted and given, or withdrawn and nothing; and nothing comes after the deletion.
    fn is_right(self) -> bool {
        self.accepted == self.can_read && (self.could_read || !self.can_read)
    }
}

/// One accept and one deletion of one invite, at once.
async fn interleave(world: &World, store: &Shuffled, round: usize) -> Ended {
    let app = &world.app;
    let owner = caller(world, &world.owner).await;
    let user = caller(world, &world.token(&format!("u{round}"))).await;
    let body = invite_of(&["Authress:ReadResource"], &["docs/1"]);
    let id = create(app, &owner, &body).await;
    let accepting = {
        let (app, user, id) = (Arc::clone(app), Arc::clone(&user), id.clone());
        async move { accept(&app, &user, &id).await }
    };
    let deleting = async {
        store.let_others_go().await;
        delete(app, &owner, &id).await.unwrap();
        may_read(app, &user.user_id, "docs/1")
    };
    // Half of them by turns on one thread, half on two.
    let (accepted, could_read) = if round.is_multiple_of(2) {
        tokio::join!(accepting, deleting)
    } else {
        let accepting = tokio::spawn(accepting);
        let could_read = deleting.await;
        (accepting.await.unwrap(), could_read)
    };
    if let Err(refused) = &accepted {
        assert_eq!(*refused, (404, "InviteRevoked".to_owned()), "{round}");
    }
    let later = caller(world, &world.token("later")).await;
    let accepted_later = accept(app, &later, &id).await;
    Ended {
        accepted: accepted.is_ok(),
        could_read,
        can_read: may_read(app, &user.user_id, "docs/1") || accepted_later.is_ok(),
    }
}

/// So many interleavings, some of them under way together.
async fn interleavings(world: World, store: Arc<Shuffled>, count: usize) -> (World, Vec<Ended>) {
    let world = Arc::new(world);
    let mut tasks = JoinSet::new();
    for task in 0..TOGETHER {
        let (world, store) = (Arc::clone(&world), Arc::clone(&store));
        tasks.spawn(async move {
            let mut ended = Vec::new();
            for round in (task..count).step_by(TOGETHER) {
                ended.push(interleave(&world, &store, round).await);
            }
            ended
        });
    }
    let ended = tasks.join_all().await.concat();
    let world = Arc::into_inner(world).unwrap();
    (world, ended)
}

async fn one_or_the_other(engine: Engine) {
    let (world, store) = shuffled(engine, Conditions::Kept).await;
    let (world, ended) = interleavings(world, Arc::clone(&store), INTERLEAVINGS).await;
    assert_eq!(ended.len(), INTERLEAVINGS);
    let wrong = ended.iter().find(|ended| !ended.is_right());
    assert_eq!(wrong, None, "{engine:?}");
    let accepted = ended.iter().filter(|ended| ended.accepted).count();
    let both = 100..=INTERLEAVINGS - 100;
    assert!(both.contains(&accepted), "{engine:?}: {accepted} accepted");
    assert!(store.conflicts() > 0, "{engine:?}: they were not at once");
    assert!(!may_read(&world.app, &"later".parse().unwrap(), "docs/1"));
    // In the log no accept stands behind the deletion of its invite.
    let mut withdrawn = BTreeSet::new();
    let mut told = 0;
    for (kind, reference, actor) in told_of_invites(&world.app).await {
        if kind == "invite.revoked" {
            withdrawn.insert(reference);
        } else {
            assert!(!withdrawn.contains(&reference), "{engine:?} {actor}");
            told += 1;
        }
    }
    assert_eq!((withdrawn.len(), told), (INTERLEAVINGS, accepted));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn d30_no_grant_from_a_deleted_invite_in_10_000_interleavings_in_memory() {
    one_or_the_other(Engine::Memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn d30_no_grant_from_a_deleted_invite_in_10_000_interleavings_embedded() {
    one_or_the_other(Engine::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn d30_no_grant_from_a_deleted_invite_in_10_000_interleavings_on_postgresql() {
    if !engines().contains(&Engine::Postgres) {
        return;
    }
    one_or_the_other(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn d30_the_control_without_conditions_gives_from_deleted_invites() {
    let (world, store) = shuffled(Engine::Memory, Conditions::Forgotten).await;
    let (_world, ended) = interleavings(world, store, 1_000).await;
    let wrong = ended.iter().filter(|ended| !ended.is_right()).count();
    assert!(wrong > 0, "nothing went wrong without conditions");
}

#[tokio::test]
async fn d30_also_through_http_and_by_reference() {
    for engine in engines() {
        let world = World::new(engine).await;
        for round in 0..20 {
            let body = invite_of(&["Authress:ReadResource"], &["docs/1"]);
            let id = world.invite(&world.owner, &body).await;
            let user = format!("u{round}");
            let named = [id.clone(), reference(&id)];
            let (withdrawing, accepting) = (&named[round % 2], &id);
            let withdrawing = format!("/v1/invites/{withdrawing}");
            let accepting = format!("/v1/invites/{accepting}");
            let (deleted, accepted) = tokio::join!(
                world.own("DELETE", &withdrawing, None),
                world.as_user(&user, "PATCH", &accepting, None),
            );
            deleted.expect(204);
            let may = world.may(&user, "docs/1", "read").await;
            assert_eq!(may, accepted.status == 200, "{}", accepted.text);
            let later = world.as_user("later", "PATCH", &accepting, None).await;
            assert!(later.status == 404, "{}", later.text);
        }
    }
}
