//! The small program that the tests kill, trace and feed with errors: it writes the changes of the
//! suite's ledger to an embedded store, or as one of several nodes to a database, and tells on
//! standard output what became of each.
//!
//! It is a binary of this crate, behind the feature `suite`, because those tests need a process of
//! their own, and only a binary is built for every integration test without asking for it.
//!
//! `store-ledger DIRECTORY [tasks=8] [changes=100000] [sessions=1] [checkpoint=3000] [normal] [lie]`
//!
//! `store-ledger postgres://… [tasks=8] [changes=100000] [first=1]`
//!
//! One line for each change, in one write: `done NUMBER REVISION`, `full NUMBER`, `unknown NUMBER`,
//! `unavailable NUMBER`, `stopped NUMBER`. `lie` acknowledges what failed, for the control.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use guestlist_rules::changes::{Kind, Revision};
use guestlist_store::suite::ledger;
use guestlist_store::{
    Applied, EmbeddedStore, Migrate, OpenOptions, Store, StoreError, Synchronous, open,
};

/// A run that takes longer hangs.
const PATIENCE: Duration = Duration::from_mins(1);

struct Plan {
    place: String,
    /// The first number, where it does not follow from the log.
    first: Option<u64>,
    tasks: u64,
    changes: u64,
    sessions: u64,
    options: OpenOptions,
    lies: bool,
}

fn main() -> ExitCode {
    let Some(plan) = read_plan() else {
        tell("the arguments are not understood");
        return ExitCode::from(2);
    };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let Ok(runtime) = builder.worker_threads(2).enable_all().build() else {
        return ExitCode::from(2);
    };
    let work = async { tokio::time::timeout(PATIENCE, sessions(plan)).await };
    runtime.block_on(work).unwrap_or_else(|_| {
        tell("hangs");
        ExitCode::from(4)
    })
}

fn read_plan() -> Option<Plan> {
    let mut arguments = std::env::args().skip(1);
    let mut plan = Plan {
        place: arguments.next()?,
        first: None,
        tasks: 8,
        changes: 100_000,
        sessions: 1,
        options: OpenOptions::default(),
        lies: false,
    };
    for argument in arguments {
        match argument.split_once('=') {
            Some(("tasks", value)) => plan.tasks = value.parse().ok()?,
            Some(("changes", value)) => plan.changes = value.parse().ok()?,
            Some(("first", value)) => plan.first = Some(value.parse().ok()?),
            Some(("sessions", value)) => plan.sessions = value.parse().ok()?,
            Some(("checkpoint", value)) => {
                plan.options = plan.options.checkpoint(value.parse().ok()?);
            }
            None if argument == "normal" => {
                plan.options = plan.options.synchronous(Synchronous::Normal);
            }
            None if argument == "lie" => plan.lies = true,
            Some(_) | None => return None,
        }
    }
    Some(plan)
}

/// One write of the operating system for each line, so that a line is there or not.
fn tell(line: &str) {
    // Whoever listened is gone: then this process is about to be killed.
    drop(
        std::io::stdout()
            .lock()
            .write_all(format!("{line}\n").as_bytes()),
    );
}

async fn sessions(plan: Plan) -> ExitCode {
    for _ in 0..plan.sessions {
        let store = match opened(&plan).await {
            Ok(store) => store,
            Err(error) => {
                tell(&format!("unopened {error}"));
                return ExitCode::from(3);
            }
        };
        let first = match plan.first {
            Some(first) => Ok(first),
            None => next_number(&store).await,
        };
        let Ok(first) = first else {
            tell("unreadable");
            return ExitCode::from(3);
        };
        tell(&format!("opened {first}"));
        write(&store, first, &plan).await;
        if store
            .ping()
            .await
            .is_err_and(|error| matches!(error, StoreError::Stopped))
        {
            told_of_the_stop(&store).await;
        }
        if store.close().await.is_err() {
            tell("unclosed");
        }
    }
    ExitCode::SUCCESS
}

async fn opened(plan: &Plan) -> Result<Arc<dyn Store>, String> {
    if plan.place.starts_with("postgres://") {
        let store = open(&plan.place, Migrate::Auto).await;
        return store.map_err(|error| error.to_string());
    }
    match EmbeddedStore::open_with(Path::new(&plan.place), &plan.options) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(error.to_string()),
    }
}

/// The number after the highest in the log, which need not be the newest: tasks overtake another.
async fn next_number(store: &Arc<dyn Store>) -> Result<u64, StoreError> {
    let mut highest = 0;
    let mut newest = Revision(0);
    loop {
        let page = store.events_after(newest, 500).await?;
        let Some(last) = page.last() else {
            return Ok(highest + 1);
        };
        newest = last.revision;
        let numbers = page.iter().filter_map(|line| line.event.data.as_u64());
        highest = highest.max(numbers.max().unwrap_or(0));
    }
}

async fn write(store: &Arc<dyn Store>, first: u64, plan: &Plan) {
    let next = Arc::new(AtomicU64::new(first));
    let (end, lies) = (first + plan.changes, plan.lies);
    let tasks: Vec<_> = (0..plan.tasks)
        .map(|_| {
            let (store, next) = (Arc::clone(store), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        break;
                    }
                    let outcome = store.apply(ledger::change(number)).await;
                    tell(&line_of(number, &outcome, lies));
                }
            })
        })
        .collect();
    for task in tasks {
        if task.await.is_err() {
            tell("a task has failed");
        }
    }
}

fn line_of(number: u64, outcome: &Result<Applied, StoreError>, lies: bool) -> String {
    match outcome {
        Ok(Applied::Done(revision)) => format!("done {number} {revision}"),
        Err(_) if lies => format!("done {number} {number}"),
        Ok(Applied::Conflict { .. }) => format!("conflict {number}"),
        Err(StoreError::Full(_)) => format!("full {number}"),
        Err(StoreError::Unknown(_)) => format!("unknown {number}"),
        Err(StoreError::Unavailable(_)) => format!("unavailable {number}"),
        Err(StoreError::Stopped) => format!("stopped {number}"),
        Err(StoreError::Damaged(_)) => format!("damaged {number}"),
    }
}

/// A store that stopped says so to the server, and still reads.
async fn told_of_the_stop(store: &Arc<dyn Store>) {
    let told = tokio::time::timeout(Duration::from_secs(10), store.stopped()).await;
    let reads = store.get(Kind::AccessRecord, "r-1").await;
    tell(if told.is_ok() && reads.is_ok() {
        "stop told, reads go on"
    } else {
        "stop not told"
    });
}
