//! One suite for every engine: each clause of the contract as cases that any engine must pass.
//!
//! An engine is handed in as a function that makes a new, empty [`Place`]; every case gets its own.

pub mod broken;
pub mod cluster;
mod conditions;
mod documents;
mod endings;
mod followers;
pub mod ledger;
mod lists;
mod log;
mod races;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use guestlist_rules::changes::{Changes, Document, Event, Expect, Facet, Kind, Mark, Revision};

use crate::{Applied, Head, Logged, Store, StoreError};

/// How long a case may take before it counts as failed.
const PATIENCE: Duration = Duration::from_mins(2);

/// Where one store lives. Opening it again finds what was kept, if the engine keeps anything.
pub struct Place {
    open: Box<dyn Fn() -> Arc<dyn Store> + Send + Sync>,
    keeps: bool,
}

impl Place {
    /// A place of an engine that keeps what it acknowledged. `open` may be called again when the
    /// store it gave was dropped.
    pub fn lasting(open: impl Fn() -> Arc<dyn Store> + Send + Sync + 'static) -> Self {
        Self {
            open: Box::new(open),
            keeps: true,
        }
    }

    /// A place of an engine that says it keeps nothing.
    pub fn passing(open: impl Fn() -> Arc<dyn Store> + Send + Sync + 'static) -> Self {
        Self {
            open: Box::new(open),
            keeps: false,
        }
    }

    fn open(&self) -> Arc<dyn Store> {
        (self.open)()
    }
}

/// What became of every case.
#[derive(Debug)]
pub struct Report {
    pub passed: Vec<&'static str>,
    pub failed: Vec<(&'static str, String)>,
}

impl Report {
    /// Panics with the list of failures, if there are any.
    pub fn assert(&self) {
        let lines: Vec<String> = self
            .failed
            .iter()
            .map(|(name, why)| format!("  {name}: {why}"))
            .collect();
        assert!(
            lines.is_empty(),
            "{} cases failed:\n{}",
            lines.len(),
            lines.join("\n")
        );
    }
}

/// Runs every case, one after the other, each on a place of its own. Needs tokio's runtime with
/// several threads.
pub async fn run(new_place: impl Fn() -> Place) -> Report {
    let mut report = Report {
        passed: Vec::new(),
        failed: Vec::new(),
    };
    for case in every_case() {
        match case.outcome(new_place()).await {
            Ok(()) => report.passed.push(case.name),
            Err(why) => report.failed.push((case.name, why)),
        }
    }
    report
}

/// Runs the case of this name; nothing if there is none.
pub async fn run_one(name: &str, place: Place) -> Option<Result<(), String>> {
    let case = every_case().find(|case| case.name == name)?;
    Some(case.outcome(place).await)
}

fn every_case() -> impl Iterator<Item = &'static Case> {
    [
        conditions::CASES,
        documents::CASES,
        lists::CASES,
        log::CASES,
        followers::CASES,
        races::CASES,
        endings::CASES,
    ]
    .into_iter()
    .flatten()
}

/// A case and its name.
struct Case {
    name: &'static str,
    run: fn(Place) -> Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

impl Case {
    /// A panic and a lack of progress are failures too.
    async fn outcome(&self, place: Place) -> Result<(), String> {
        match tokio::spawn(tokio::time::timeout(PATIENCE, (self.run)(place))).await {
            Ok(Ok(outcome)) => outcome.map_err(|Failed(why)| why),
            Ok(Err(elapsed)) => Err(elapsed.to_string()),
            Err(panic) => Err(panic.to_string()),
        }
    }
}

/// Lists the cases of a file.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub(super) const CASES: &[super::Case] = &[
            $(super::Case { name: stringify!($name), run: |place| Box::pin($name(place)) }),*
        ];
    };
}

/// Fails the case with a text unless the condition holds.
macro_rules! check {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err(super::Failed(format!($($text)+)));
        }
    };
}

/// Fails the case unless both are equal.
macro_rules! same {
    ($left:expr, $right:expr) => {
        match (&$left, &$right) {
            (left, right) => {
                if left != right {
                    let (what, line) = (stringify!($left), line!());
                    return Err($crate::suite::Failed($crate::suite::shortened(format!(
                        "line {line}: {what} is {left:?}, not {right:?}"
                    ))));
                }
            }
        }
    };
}

use {cases, check, same};

type Outcome<T = ()> = Result<T, Failed>;

/// Why a case failed.
struct Failed(String);

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self(text)
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn shortened(mut text: String) -> String {
    if text.chars().count() > 600 {
        text = text.chars().take(600).collect();
        text.push('…');
    }
    text
}

fn event(kind: &str) -> Event {
    Event {
        kind: kind.to_owned(),
        time: 1_700_000_000_000,
        actor: "user".to_owned(),
        request_id: "request".to_owned(),
        subject: "invite/one".to_owned(),
        data: serde_json::json!({ "from": "suite" }),
    }
}

fn document(kind: Kind, id: &str, body: &str) -> Document {
    Document {
        kind,
        id: id.to_owned(),
        facets: Vec::new(),
        body: body.into(),
    }
}

fn with_facets(mut document: Document, facets: &[(Facet, &str)]) -> Document {
    document.facets = facets
        .iter()
        .map(|(facet, value)| (*facet, (*value).to_owned()))
        .collect();
    document
}

fn writing(documents: impl IntoIterator<Item = Document>) -> Changes {
    let mut changes = Changes::new(event("document.written"));
    changes.write.extend(documents);
    changes
}

fn deleting(kind: Kind, id: &str) -> Changes {
    let mut changes = Changes::new(event("document.deleted"));
    changes.delete.push((kind, id.to_owned()));
    changes
}

fn expecting(mut changes: Changes, kind: Kind, id: &str, expect: Expect) -> Changes {
    changes.expect.push((kind, id.to_owned(), expect));
    changes
}

fn at(revision: Revision) -> Expect {
    Expect::At(Mark(revision.0))
}

/// Applies a change that must work.
async fn done(store: &Arc<dyn Store>, changes: Changes) -> Outcome<Revision> {
    match store.apply(changes).await? {
        Applied::Done(revision) => Ok(revision),
        Applied::Conflict { kind, id, expected } => Err(Failed(format!(
            "a conflict where none should be: {}/{id} {expected:?}",
            kind.name()
        ))),
    }
}

/// Applies a change that must not.
async fn conflict(store: &Arc<dyn Store>, changes: Changes) -> Outcome<(Kind, String, Expect)> {
    match store.apply(changes).await? {
        Applied::Conflict { kind, id, expected } => Ok((kind, id, expected)),
        Applied::Done(revision) => Err(Failed(format!(
            "done at {revision} where a conflict should be"
        ))),
    }
}

/// The body of a document as text.
async fn body(store: &Arc<dyn Store>, kind: Kind, id: &str) -> Outcome<Option<String>> {
    let found = store.get(kind, id).await?;
    Ok(found.map(|seen| String::from_utf8_lossy(&seen.value.body).into_owned()))
}

/// The outcome of tasks that each must succeed.
async fn all<T: 'static>(tasks: Vec<tokio::task::JoinHandle<Outcome<T>>>) -> Outcome<Vec<T>> {
    let mut outcomes = Vec::with_capacity(tasks.len());
    for task in tasks {
        outcomes.push(task.await??);
    }
    Ok(outcomes)
}

/// Dice that give the same numbers every time (xorshift64). The seed must not be zero.
pub struct Dice(pub u64);

impl Dice {
    /// A number from zero to below the bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }
}

/// Fails unless every line of a whole log has the hash of its event and all before it.
fn chained(log: &[Logged]) -> Outcome {
    let mut head = Head::START;
    for line in log {
        head = head.followed_by(&line.event.canonical());
        same!((line.revision, line.hash), (head.revision, head.hash));
    }
    Ok(())
}

/// Whether an answer is the one of a store that takes no writes.
fn is_stopped<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Stopped))
}
