//! Permission checks in the same process, against the floor of one look-up in one flat hash table.
//!
//! A program of its own, because its allocator counts, which would slow the HTTP floor down.

use std::alloc::System;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
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

/// Questions of a pass: a pass must be so short that most are over before the kernel lets something
/// else run. The median of all passes counts.
const PASS: usize = 1024;
/// Passes, at least.
const PASSES: usize = 200;
/// Different questions of all hot passes.
const HOT: usize = 64;
/// Different questions of all cold passes, at most: caches do not hold what answers them, unless
/// there are few grants.
const COLD: usize = 400 * PASS;

#[derive(Parser)]
#[command(about = "Driven by `cargo xtask bench`")]
struct Options {
    #[arg(long)]
    grants: usize,
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
    document_hot: f64,
    document_cold: f64,
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
    let count = COLD.min(grants * 2);
    let (projects, documents) = (questions(users, count)?, documents_below(users, count)?);
    let hot_of = |questions: &[Question]| -> Result<Nanoseconds> {
        let few = questions.get(..HOT).context("too few grants")?;
        compare(&vec![few; PASSES], PASS / HOT, ask_index, ask_flat)
    };
    let cold_of = |questions: &[Question]| {
        let all = questions.chunks_exact(PASS.min(count / 2));
        let passes: Vec<&[Question]> = all.clone().cycle().take(all.len().max(PASSES)).collect();
        compare(&passes, 1, ask_index, ask_flat)
    };
    Ok(Measured {
        grants,
        bytes_a_grant: ratio(index_bytes, grants),
        floor_bytes_a_grant: ratio(flat_bytes, grants),
        loaded_a_second: ratio(grants, 1) / loading.as_secs_f64(),
        hot: hot_of(&projects)?,
        cold: cold_of(&projects)?,
        document_hot: hot_of(&documents)?.index,
        document_cold: cold_of(&documents)?.index,
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

/// Asks everything `again` times. Nanoseconds a question, and how many were granted.
fn pass(questions: &[Question], again: usize, ask: impl Fn(&Question) -> bool) -> (f64, usize) {
    let mut granted = 0;
    let watch = Stopwatch::start();
    for _ in 0..again {
        for question in std::hint::black_box(questions) {
            granted += usize::from(ask(question));
        }
    }
    let nanoseconds = watch.elapsed().as_secs_f64() * 1e9;
    (nanoseconds / ratio(again * questions.len(), 1), granted)
}

/// The floor and the index in turn, so that what else the machine does hits both. The floor is asked
/// the questions of the pass after, so that it does not warm up those of the index.
///
/// # Errors
///
/// The index is wrong: not every second answer was a yes.
fn compare(
    passes: &[&[Question]],
    again: usize,
    index: impl Fn(&Question) -> bool,
    floor: impl Fn(&Question) -> bool,
) -> Result<Nanoseconds> {
    let (mut of_index, mut of_floor) = (Vec::new(), Vec::new());
    for (ours, floors) in passes.iter().zip(passes.iter().cycle().skip(1)) {
        let (took, _) = pass(floors, again, &floor);
        of_floor.push(took);
        let (took, granted) = pass(ours, again, &index);
        of_index.push(took);
        let asked = again * ours.len();
        ensure!(granted * 2 == asked, "{granted} of {asked} were granted");
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
