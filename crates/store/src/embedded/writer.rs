//! The one thread that writes: changes that arrive together are made durable together.

use std::sync::Arc;

use guestlist_rules::changes::{Changes, Committed};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::change::{Texts, Tried, try_change};
use super::checkpoint::Checkpoints;
use super::failure::{Failure, Reach};
use crate::admission::size;
use crate::chain::Head;
use crate::following::Followers;
use crate::{Applied, StoreError};

/// The most changes of a group, so that the first of it does not wait long for the last.
const LARGEST_GROUP: usize = 256;
/// The most bytes of a group, unless one change alone is larger: 4 MiB.
const LARGEST_GROUP_BYTES: usize = 4 << 20;

/// Whether a store takes writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Open,
    /// After an orderly end.
    Closed,
    /// After a failure.
    Stopped,
}

/// A change on its way to the disk.
pub(super) struct Job {
    pub(super) changes: Arc<Changes>,
    pub(super) texts: Texts,
    /// The caller may be gone: the change happens all the same.
    pub(super) answer: oneshot::Sender<Result<Applied, StoreError>>,
}

pub(super) enum Message {
    Apply(Job),
    /// Whether a write would work.
    Ping(oneshot::Sender<Result<(), StoreError>>),
}

/// Owned by the thread that writes.
pub(super) struct Writer {
    connection: Connection,
    /// The newest durable line of the log.
    head: Head,
    followers: Arc<Followers>,
    condition: watch::Sender<Condition>,
    checkpoints: Checkpoints,
    /// The last write found no room: a ping must try whether there is some again.
    was_full: bool,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        head: Head,
        followers: Arc<Followers>,
        condition: watch::Sender<Condition>,
        checkpoints: Checkpoints,
    ) -> Self {
        Self {
            connection,
            head,
            followers,
            condition,
            checkpoints,
            was_full: false,
        }
    }

    /// Works until every sender of the queue is gone.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Message>) {
        // A sink that panics leaves a follower that misses something: then nothing may go on.
        let stop_on_panic = StopOnPanic(self.condition.clone());
        while let Some(first) = queue.blocking_recv() {
            let mut group = Vec::new();
            let mut pings = Vec::new();
            let mut bytes = 0;
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Apply(job) => {
                        bytes += job.changes.write.iter().map(size).sum::<usize>();
                        group.push(job);
                    }
                    Message::Ping(answer) => pings.push(answer),
                }
                let room = group.len() < LARGEST_GROUP && bytes < LARGEST_GROUP_BYTES;
                next = if room { queue.try_recv().ok() } else { None };
            }
            self.commit_group(group);
            for answer in pings {
                // The caller is gone: then no one needs the answer.
                drop(answer.send(self.ping()));
            }
            self.checkpoint_if_due(queue.is_empty());
        }
        self.close();
        std::mem::forget(stop_on_panic);
    }

    fn is_stopped(&self) -> bool {
        *self.condition.borrow() == Condition::Stopped
    }

    fn stop(&self, failure: &Failure) {
        tracing::error!(%failure, "the store takes no more writes");
        self.condition.send_replace(Condition::Stopped);
    }

    /// Makes a group durable, or each change of it alone if the group cannot be: one bad change
    /// does not fail its neighbours.
    fn commit_group(&mut self, group: Vec<Job>) {
        if group.is_empty() {
            return;
        }
        if self.is_stopped() {
            return Self::refuse(group, || StoreError::Stopped);
        }
        match self.attempt(&group) {
            Ok((outcomes, head)) => self.publish(group, outcomes, head),
            Err(failure) if failure.reach == Reach::Engine || failure.is_held() => {
                self.fail(group, &failure);
            }
            Err(failure) => {
                if failure.reach == Reach::Full {
                    tracing::warn!(%failure, "there is no room for a write");
                    // Frames that are copied into the database make room for new ones in the log.
                    self.checkpoint();
                }
                for job in group {
                    self.commit_alone(job);
                }
            }
        }
    }

    fn commit_alone(&mut self, job: Job) {
        let group = vec![job];
        if self.is_stopped() {
            return Self::refuse(group, || StoreError::Stopped);
        }
        match self.attempt(&group) {
            Ok((outcomes, head)) => self.publish(group, outcomes, head),
            Err(failure) => self.fail(group, &failure),
        }
    }

    /// Tells everyone of what is durable, and then answers.
    fn publish(&mut self, group: Vec<Job>, outcomes: Vec<Applied>, head: Head) {
        self.was_full = false;
        self.head = head;
        for (job, outcome) in group.iter().zip(&outcomes) {
            if let Applied::Done(revision) = outcome {
                let changes = Arc::clone(&job.changes);
                self.followers.tell(&Committed {
                    revision: *revision,
                    changes,
                });
            }
        }
        for (job, outcome) in group.into_iter().zip(outcomes) {
            drop(job.answer.send(Ok(outcome)));
        }
    }

    fn fail(&mut self, group: Vec<Job>, failure: &Failure) {
        match failure.reach {
            Reach::Full => self.was_full = true,
            Reach::Change => tracing::warn!(%failure, "a change could not be written"),
            Reach::Engine => self.stop(failure),
        }
        Self::refuse(group, || failure.answer());
    }

    fn refuse(group: Vec<Job>, error: impl Fn() -> StoreError) {
        for job in group {
            drop(job.answer.send(Err(error())));
        }
    }

    /// Tries every change in turn; each sees what the ones before it wrote. Gives where the log ends
    /// then. Nothing of the group remains after a failure.
    fn attempt(&self, group: &[Job]) -> Result<(Vec<Applied>, Head), Failure> {
        self.transact(|connection| {
            let mut newest = self.head;
            let outcome_of = |job: &Job| {
                let tried = try_change(connection, newest, &job.changes, &job.texts)?;
                Ok(match tried {
                    Tried::Written(head) => {
                        newest = head;
                        Applied::Done(head.revision)
                    }
                    Tried::Conflict { kind, id, expected } => {
                        Applied::Conflict { kind, id, expected }
                    }
                })
            };
            let outcomes = group
                .iter()
                .map(outcome_of)
                .collect::<rusqlite::Result<_>>()?;
            Ok((outcomes, newest))
        })
    }

    fn transact<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        let statement = |sql| {
            self.connection
                .prepare_cached(sql)
                .and_then(|mut one| one.execute([]))
        };
        let carried_out = || {
            statement("BEGIN IMMEDIATE").map_err(Failure::in_statement)?;
            let value = work(&self.connection).map_err(Failure::in_statement)?;
            statement("COMMIT").map_err(Failure::at_commit)?;
            Ok(value)
        };
        let result = carried_out();
        // SQLite itself ends the transaction after some failures, and not after others.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            return Err(Failure::in_rollback(error, result.err().as_ref()));
        }
        result
    }

    /// Whether a write would work. Only after a full disk is it worth writing something to know.
    fn ping(&mut self) -> Result<(), StoreError> {
        if self.is_stopped() {
            return Err(StoreError::Stopped);
        }
        if !self.was_full {
            return Ok(());
        }
        let probe =
            |connection: &Connection| connection.execute("UPDATE schema SET version = version", []);
        match self.transact(probe) {
            Ok(_) => {
                self.was_full = false;
                Ok(())
            }
            Err(failure) => {
                if failure.reach == Reach::Engine {
                    self.stop(&failure);
                }
                Err(failure.answer())
            }
        }
    }

    fn checkpoint_if_due(&mut self, idle: bool) {
        if !self.is_stopped() && self.checkpoints.is_due(&self.connection, idle) {
            self.checkpoint();
        }
    }

    /// A failure other than a lack of room stops the store: what fsync once refused is never
    /// believed to be on the disk later. Whatever was acknowledged is in the WAL.
    fn checkpoint(&mut self) {
        match self.checkpoints.make(&self.connection) {
            Ok(()) => {}
            Err(failure) if failure.reach == Reach::Engine => self.stop(&failure),
            Err(failure) => tracing::warn!(%failure, "a checkpoint was not made"),
        }
    }

    fn close(&mut self) {
        if self.is_stopped() {
            return;
        }
        self.condition.send_replace(Condition::Closed);
        if let Err(failure) = Checkpoints::make_last(&self.connection) {
            // The WAL holds everything and is read at the next start.
            tracing::warn!(%failure, "the last checkpoint was not made");
        }
    }
}

/// Ends the store for good when the thread that writes ends by a panic.
struct StopOnPanic(watch::Sender<Condition>);

impl Drop for StopOnPanic {
    fn drop(&mut self) {
        tracing::error!("the thread that writes has failed: the store takes no more writes");
        self.0.send_replace(Condition::Stopped);
    }
}
