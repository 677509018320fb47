//! Permission checks in the same process, against the floor of one look-up in one flat hash table.
//!
//! A program of its own, because its allocator counts, which would slow the HTTP floor down.

use std::alloc::System;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use guestlist_api::actions::Action;
use guestlist_api::ids::UserId;
use guestlist_api::records::{AccessRecordRequest, RecordStatus};
use guestlist_api::resources::ResourceUri;
use guestlist_api::roles::RoleRequest;
use guestlist_api::times::Timestamp;
use guestlist_bench::clock::{Stopwatch, unix_seconds};
use guestlist_bench::world::{self, ACTION, GRANTS_EACH, Numbers, ROLES, User};
use guestlist_rules::changes::{Document, Mark, Seen};
use guestlist_rules::grants::Grants;
use guestlist_rules::records::StoredRecord;
use guestlist_rules::roles::StoredRole;
use hashbrown::HashTable;
use serde::Serialize;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Different questions in a cold pass, at most: more than caches hold the answers to.
const COLD: usize = 200_000;
/// Different questions that are asked again and again in a hot pass.
const HOT: usize = 64;
/// Questions in a hot pass, together.
const HOT_PASS: usize = 200_000;

#[derive(Parser)]
#[command(about = "Driven by `cargo xtask bench`")]
struct Options {
    #[arg(long)]
    grants: usize,
    /// Passes over the questions, the floor's and the index's in turn; the median counts.
    #[arg(long, default_value_t = 7)]
    passes: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    grants: usize,
    bytes_a_grant: f64,
    floor_bytes_a_grant: f64,
    /// Of taking in the stored records, JSON included.
    loaded_a_second: f64,
    hot: Nanoseconds,
    cold: Nanoseconds,
    /// About documents below the granted projects.
    below_hot: f64,
    below_cold: f64,
}

/// A check on average: half of them granted, half not.
#[derive(Serialize)]
struct Nanoseconds {
    index: f64,
    floor: f64,
    /// The median of the ratios of neighbouring passes.
    ratio: f64,
}

struct Question {
    user: UserId,
    resource: ResourceUri,
}

fn main() -> ExitCode {
    match run(&Options::parse()).and_then(|measured| Ok(serde_json::to_string(&measured)?)) {
        #[expect(clippy::print_stdout, reason = "the result")]
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        #[expect(clippy::print_stderr, reason = "the reason is for whoever started it")]
        Err(error) => {
            eprintln!("guestlist-bench-memory: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<Measured> {
    let users = world::users(options.grants);
    let before = allocated();
    let (index, loading) = load(users)?;
    let index_bytes = allocated() - before;
    let before = allocated();
    let flat = Flat::new(users);
    let flat_bytes = allocated() - before;
    let grants = users * GRANTS_EACH;
    // One statement for each role.
    ensure!(index.len() == users * ROLES.len(), "not all was taken in");

    let action: Action = ACTION.parse()?;
    let ask_index = |question: &Question| {
        let Question { user, resource } = question;
        index.is_allowed(user, resource, &action)
    };
    let ask_flat = |question: &Question| {
        let Question { user, resource } = question;
        flat.holds(user.as_str(), resource.canonical(), ACTION)
    };
    let cold = questions(users, COLD.min(grants * 2))?;
    let hot = cold.get(..HOT.min(cold.len())).unwrap_or_default();
    let below = documents_below(users, COLD.min(grants * 2))?;
    let below_hot = below.get(..HOT.min(below.len())).unwrap_or_default();
    let again = HOT_PASS.div_ceil(HOT);
    let pairs = |questions: &[Question], again| {
        compare(options.passes, questions, again, ask_index, ask_flat)
    };
    let alone = |questions: &[Question], again| {
        let passes = (0..options.passes).map(|_| pass(questions, again, ask_index));
        passes.collect::<Result<Vec<f64>>>().map(median)
    };
    Ok(Measured {
        grants,
        bytes_a_grant: ratio(index_bytes, grants),
        floor_bytes_a_grant: ratio(flat_bytes, grants),
        loaded_a_second: ratio(grants, 1) / loading.as_secs_f64(),
        hot: pairs(hot, again)?,
        cold: pairs(&cold, 1)?,
        below_hot: alone(below_hot, again)?,
        below_cold: alone(&below, 1)?,
    })
}

/// Bytes that are allocated at this moment.
fn allocated() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// The index with every user's record, and the time it took to take them in.
fn load(users: usize) -> Result<(Grants, Duration)> {
    let mut grants = Grants::new();
    let mut loading = Duration::ZERO;
    let now = Timestamp::from_milliseconds(i64::try_from(unix_seconds())? * 1000);
    let mut mark = 0;
    let mut take = |document: Document, loading: &mut Duration| {
        mark += 1;
        let seen = Seen {
            value: document,
            mark: Mark(mark),
        };
        let watch = Stopwatch::start();
        let taken = grants.load(&seen);
        *loading += watch.elapsed();
        taken
    };
    for role in ROLES {
        take(role_document(role, now)?, &mut loading)?;
    }
    for user in (0..users).map(User) {
        take(record_document(user, now)?, &mut loading)?;
    }
    Ok((grants, loading))
}

fn role_document(role: (&str, &[&str]), now: Timestamp) -> Result<Document> {
    let request: RoleRequest = serde_json::from_value(world::role(role))?;
    Ok(Document::of(&StoredRole {
        role_id: role.0.parse()?,
        name: request.name,
        description: request.description,
        permissions: request.permissions.into_vec(),
        last_updated: now,
    })?)
}

fn record_document(user: User, now: Timestamp) -> Result<Document> {
    let request: AccessRecordRequest = serde_json::from_value(user.record())?;
    let record_id = request
        .record_id
        .ok_or_else(|| anyhow::anyhow!("a record without an id"))?;
    Ok(Document::of(&StoredRecord {
        record_id,
        name: request.name,
        description: request.description,
        users: request.users.into_vec(),
        admins: request.admins.into_vec(),
        groups: request.groups.into_vec(),
        statements: request.statements.into_vec(),
        tags: request.tags,
        status: RecordStatus::Active,
        created_by: "sc_bench".parse()?,
        last_updated: now,
    })?)
}

/// In no order; every second one is granted.
fn questions(users: usize, count: usize) -> Result<Vec<Question>> {
    let mut numbers = Numbers::new(1);
    let one = |number: usize| {
        let user = User(numbers.below(users));
        let which = numbers.below(GRANTS_EACH);
        let project = if number.is_multiple_of(2) {
            user.project(which)
        } else {
            user.strange_project(which)
        };
        Ok(Question {
            user: user.to_string().parse()?,
            resource: project.to_string().parse()?,
        })
    };
    (0..count).map(one).collect()
}

/// The same, about documents: what is granted is granted by a statement on the project above.
fn documents_below(users: usize, count: usize) -> Result<Vec<Question>> {
    let below = |(number, question): (usize, Question)| {
        let resource = format!("{}/documents/{number}", question.resource.canonical());
        Ok(Question {
            user: question.user,
            resource: resource.parse()?,
        })
    };
    let questions = questions(users, count)?;
    questions.into_iter().enumerate().map(below).collect()
}

/// Asks everything `again` times. Nanoseconds a question.
///
/// # Errors
///
/// The answers are wrong: not every second one was a yes.
fn pass(questions: &[Question], again: usize, ask: impl Fn(&Question) -> bool) -> Result<f64> {
    let mut granted = 0;
    let watch = Stopwatch::start();
    for _ in 0..again {
        for question in std::hint::black_box(questions) {
            granted += usize::from(ask(question));
        }
    }
    let took = watch.elapsed();
    let asked = again * questions.len();
    ensure!(granted * 2 == asked, "{granted} of {asked} were granted");
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    Ok(took.as_secs_f64() * 1e9 / asked as f64)
}

/// The floor's pass and the index's in turn, so that what else the machine does hits both.
fn compare(
    passes: usize,
    questions: &[Question],
    again: usize,
    index: impl Fn(&Question) -> bool,
    floor: impl Fn(&Question) -> bool,
) -> Result<Nanoseconds> {
    let (mut of_index, mut of_floor) = (Vec::new(), Vec::new());
    for _ in 0..passes {
        of_floor.push(pass(questions, again, &floor)?);
        of_index.push(pass(questions, again, &index)?);
    }
    let ratios = of_index.iter().zip(&of_floor).map(|(a, b)| a / b).collect();
    Ok(Nanoseconds {
        index: median(of_index),
        floor: median(of_floor),
        ratio: median(ratios),
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn ratio(count: usize, of: usize) -> f64 {
    count as f64 / of as f64
}

/// The least that a correct answer can cost when every answer is precomputed: one look-up by the
/// hash of user, resource and action, and a comparison with the whole key. It knows nothing of what
/// is below a resource, of wildcards, groups or changing roles.
struct Flat {
    keys: HashTable<Box<str>>,
    hasher: foldhash::fast::FixedState,
}

impl Flat {
    fn new(users: usize) -> Self {
        let hasher = foldhash::fast::FixedState::with_seed(1);
        let mut keys = HashTable::with_capacity(users * GRANTS_EACH);
        let rehash = |key: &str| {
            let mut parts = key.split(' ');
            let mut part = || parts.next().unwrap_or_default();
            hash_of(&hasher, part(), part(), part())
        };
        for user in (0..users).map(User) {
            for which in 0..GRANTS_EACH {
                let key = format!("{user} {} {ACTION}", user.project(which)).into_boxed_str();
                keys.insert_unique(rehash(&key), key, |key| rehash(key));
            }
        }
        Self { keys, hasher }
    }

    fn holds(&self, user: &str, resource: &str, action: &str) -> bool {
        let is_it = |key: &str| {
            let rest = key
                .strip_prefix(user)
                .and_then(|rest| rest.strip_prefix(' '));
            let rest = rest.and_then(|rest| rest.strip_prefix(resource));
            rest.and_then(|rest| rest.strip_prefix(' ')) == Some(action)
        };
        self.keys
            .find(hash_of(&self.hasher, user, resource, action), |key| {
                is_it(key)
            })
            .is_some()
    }
}

fn hash_of(hasher: &foldhash::fast::FixedState, user: &str, resource: &str, action: &str) -> u64 {
    use std::hash::BuildHasher as _;
    hasher.hash_one((user, resource, action))
}
