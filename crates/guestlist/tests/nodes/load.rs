//! Writers and readers at nodes, what they were told, and whether that is what became of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use guestlist_store::Logged;

use crate::http::{Call, Connection, Reply};
use crate::place::{may_read, revision, until, whole_log};
use crate::server::{Server, record_of};

/// How long a writer waits after a refusal, unless the load ends before.
const AFTER_REFUSAL: Duration = Duration::from_millis(20);

/// What a writer was told of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Done,
    /// That it was refused, and nothing was done.
    Nothing,
    /// Nothing, or that the outcome is not known.
    Unclear,
}

/// The records that were asked for, by their ids.
pub(crate) type Ledger = BTreeMap<String, Told>;

#[derive(Default)]
struct Counts {
    done: AtomicUsize,
    refused: AtomicUsize,
    checks: AtomicUsize,
}

#[derive(Default)]
struct End {
    has_come: Mutex<bool>,
    came: Condvar,
}

impl End {
    fn within(&self, duration: Duration) -> bool {
        let guard = self.has_come.lock().unwrap();
        let ended = self.came.wait_timeout_while(guard, duration, |it| !*it);
        *ended.unwrap().0
    }
}

/// What happens at one node until it is ended, or the node is gone.
pub(crate) struct Load {
    end: Arc<End>,
    counts: Arc<Counts>,
    writers: Vec<JoinHandle<Ledger>>,
    reader: Option<JoinHandle<Vec<String>>>,
}

impl Load {
    /// Writers that make records, and a reader that checks.
    pub(crate) fn at(node: &Server, owner: &str, name: &str, writers: usize) -> Self {
        let (end, counts) = (Arc::new(End::default()), Arc::new(Counts::default()));
        let address = node.address;
        let writers = (0..writers).map(|writer| {
            let (end, counts) = (Arc::clone(&end), Arc::clone(&counts));
            let (owner, name) = (owner.to_owned(), format!("{name}-{writer}"));
            thread::spawn(move || write(address, &owner, &name, &end, &counts))
        });
        let writers = writers.collect();
        let (ending, counting, owner) = (Arc::clone(&end), Arc::clone(&counts), owner.to_owned());
        let reader = thread::spawn(move || read(address, &owner, &ending, &counting));
        Self {
            end,
            counts,
            writers,
            reader: Some(reader),
        }
    }

    /// Waits until so many more writes were acknowledged.
    #[track_caller]
    pub(crate) fn writes_go_on(&self, more: usize) -> Duration {
        let enough = self.counts.done.load(Ordering::SeqCst) + more;
        until("writes are acknowledged", || {
            self.counts.done.load(Ordering::SeqCst) >= enough
        })
    }

    /// Waits until so many more writes were refused with the words for it.
    #[track_caller]
    pub(crate) fn writes_are_refused(&self, more: usize) {
        let enough = self.counts.refused.load(Ordering::SeqCst) + more;
        until("writes are refused", || {
            self.counts.refused.load(Ordering::SeqCst) >= enough
        });
    }

    /// Waits until so many more checks were answered, rightly or not: see [`Load::end`].
    #[track_caller]
    pub(crate) fn checks_go_on(&self, more: usize) {
        let enough = self.counts.checks.load(Ordering::SeqCst) + more;
        until("checks are answered", || {
            self.counts.checks.load(Ordering::SeqCst) >= enough
        });
    }

    /// Ends it. Every check must have been answered rightly.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ledger {
        *self.end.has_come.lock().unwrap() = true;
        self.end.came.notify_all();
        let wrong = self.reader.take().unwrap().join().unwrap();
        assert_eq!(wrong, Vec::<String>::new());
        let mut all = Ledger::new();
        for writer in self.writers.drain(..) {
            all.extend(writer.join().unwrap());
        }
        all
    }
}

/// Also when a test has failed, so that its threads end.
impl Drop for Load {
    fn drop(&mut self) {
        *self.end.has_come.lock().unwrap() = true;
        self.end.came.notify_all();
    }
}

/// Makes a record; what came of it.
pub(crate) fn make_record(connection: &mut Connection, owner: &str, id: &str) -> Option<Reply> {
    let record = record_of(id, "someone", "ro_viewer", id).to_string();
    let call = Call {
        credential: owner,
        method: "POST",
        target: "/v1/records",
        body: &record,
        ..Call::default()
    };
    connection.call(call).ok()
}

/// What an answer tells of a write.
pub(crate) fn told(reply: &Reply) -> Told {
    let code = reply.json()["errorCode"].as_str().map(str::to_owned);
    match (reply.status, code.as_deref()) {
        (201, None) => Told::Done,
        (503, Some("StorageUnavailable" | "Busy")) | (507, Some("StorageFull")) => {
            assert!(reply.text.contains("Nothing was done"), "{}", reply.text);
            Told::Nothing
        }
        (503, Some("OutcomeUnknown")) => Told::Unclear,
        _ => panic!("{}\n{}", reply.head, reply.text),
    }
}

fn write(address: SocketAddr, owner: &str, name: &str, end: &End, counts: &Counts) -> Ledger {
    let mut ledger = Ledger::new();
    let mut connection = Connection::open(address).ok();
    for number in 0.. {
        let Some(open) = &mut connection else { break };
        if end.within(Duration::ZERO) {
            break;
        }
        let id = format!("{name}-{number}");
        let reply = make_record(open, owner, &id);
        let outcome = reply.as_ref().map_or(Told::Unclear, told);
        ledger.insert(id, outcome);
        if reply.is_none() {
            connection = Connection::open(address).ok();
        }
        match outcome {
            Told::Done => {
                counts.done.fetch_add(1, Ordering::SeqCst);
            }
            Told::Nothing => {
                counts.refused.fetch_add(1, Ordering::SeqCst);
                end.within(AFTER_REFUSAL);
            }
            Told::Unclear => {}
        }
    }
    ledger
}

/// Checks what never changes; gives the wrong answers.
fn read(address: SocketAddr, owner: &str, end: &End, counts: &Counts) -> Vec<String> {
    let mut wrong = Vec::new();
    let Ok(mut connection) = Connection::open(address) else {
        return wrong;
    };
    while !end.within(Duration::from_millis(1)) {
        for (project, expected) in [("42", 200), ("43", 404)] {
            let target = format!(
                "/v1/users/alice/resources/projects%2F{project}/permissions/documents:write"
            );
            let call = Call {
                credential: owner,
                method: "GET",
                target: &target,
                ..Call::default()
            };
            // The node is gone.
            let Ok(reply) = connection.call(call) else {
                return wrong;
            };
            if reply.status != expected {
                wrong.push(format!("{target}: {} {}", reply.status, reply.text));
            }
        }
        counts.checks.fetch_add(1, Ordering::SeqCst);
    }
    wrong
}

/// How often each record was made, by the log.
fn made(log: &[Logged]) -> BTreeMap<&str, usize> {
    let mut made = BTreeMap::new();
    for line in log {
        if line.event.kind == "access-record.created" {
            let subject = line.event.subject.as_str();
            let id = subject.rsplit('/').next().unwrap_or(subject);
            *made.entry(id).or_default() += 1;
        }
    }
    made
}

/// What differs between what was told and the log.
pub(crate) fn faults(log: &[Logged], ledger: &Ledger) -> Vec<String> {
    let made = made(log);
    let of = |(id, told): (&String, &Told)| {
        let times = made.get(id.as_str()).copied().unwrap_or(0);
        let is_right = match told {
            Told::Done => times == 1,
            Told::Nothing => times == 0,
            Told::Unclear => times <= 1,
        };
        (!is_right).then(|| format!("{id}: {told:?}, and made {times} times"))
    };
    ledger.iter().filter_map(of).collect()
}

/// Everything that was acknowledged is in the log once, what was refused is not, and every node
/// follows the log to its end and answers checks from it.
#[track_caller]
pub(crate) fn nothing_is_lost(address: &str, nodes: &[&Server], owner: &str, ledger: &Ledger) {
    let log = whole_log(address);
    assert_eq!(faults(&log, ledger), Vec::<String>::new());
    let newest = log.last().unwrap().revision.0;
    let made = made(&log);
    for node in nodes {
        until("a node has followed the log", || revision(node) >= newest);
        // A part is enough: what a node follows, it follows in order.
        let every = ledger.len() / 200 + 1;
        for id in ledger.keys().step_by(every) {
            let is_made = made.contains_key(id.as_str());
            assert_eq!(may_read(node, owner, "someone", id), is_made, "{id}");
        }
    }
    the_control(&log, ledger);
}

/// The control: each lie in a ledger is found.
fn the_control(log: &[Logged], ledger: &Ledger) {
    let done = ledger.iter().find(|(_, told)| **told == Told::Done);
    let (done, _) = done.unwrap_or_else(|| panic!("nothing was acknowledged"));
    let lies = [
        ("never-made".to_owned(), Told::Done),
        (done.clone(), Told::Nothing),
    ];
    assert_eq!(faults(log, &lies.into()).len(), 2);
    let line = log.iter().find(|line| line.event.subject.ends_with(done));
    let twice = [line.unwrap().clone(), line.unwrap().clone()];
    let truth = [(done.clone(), Told::Done)];
    assert_eq!(faults(&twice, &truth.into()).len(), 1);
}

/// The number of refused and unclear writes, for the report.
pub(crate) fn summary(ledger: &Ledger) -> String {
    let of = |told| ledger.values().filter(|it| **it == told).count();
    format!(
        "{} acknowledged, {} refused, {} unclear",
        of(Told::Done),
        of(Told::Nothing),
        of(Told::Unclear)
    )
}
