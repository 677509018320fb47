//! The one task that writes: changes that arrive together are committed together.

use std::sync::Arc;
use std::time::Duration;

use guestlist_rules::changes::Changes;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::Instant;

use super::change::{Texts, changes};
use super::committing::{Ended, PREPARED, find_out, judged, lock, probe, write};
use super::connecting::{Connector, Purpose, Session};
use super::failure::{Failure, Reach};
use super::judging::{Judged, Known};
use super::rows::{Base, Line, Writer as Token};
use super::telling::{Rift, Shared, StopOnPanic};
use crate::{Applied, StoreError};

/// The most changes of a group, so that the first of it does not wait long for the last.
const LARGEST_GROUP: usize = 256;
/// The most bytes of a group, unless one change alone is larger: 4 MiB.
const LARGEST_GROUP_BYTES: usize = 4 << 20;
/// How often a group is tried again when it meets others, or loses its connection.
const TRIES: u32 = 12;
/// How long a group keeps being tried.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the outcome of a commit that was cut off is looked for.
const FINDING_OUT: Duration = Duration::from_secs(15);
/// How long the head is locked before it is read after other nodes wrote.
const CONTENDED: Duration = Duration::from_millis(250);
/// How long a database that could not be reached is not tried again.
const DOWN: Duration = Duration::from_millis(500);
/// How long a writer waits for the followers to hear what other nodes wrote.
const CATCHING_UP: Duration = Duration::from_secs(5);

/// A change on its way to the database.
pub(super) struct Job {
    pub(super) changes: Arc<Changes>,
    pub(super) texts: Texts,
    /// Its room in the queue.
    pub(super) _room: OwnedSemaphorePermit,
    /// The caller may be gone: the change happens all the same.
    pub(super) answer: oneshot::Sender<Result<Applied, StoreError>>,
}

pub(super) enum Message {
    Apply(Job),
    /// Whether a write would work.
    Ping(oneshot::Sender<Result<(), StoreError>>),
}

/// Owned by the task that writes.
pub(super) struct Writer {
    connector: Arc<Connector>,
    shared: Arc<Shared>,
    queue: mpsc::Receiver<Message>,
    session: Option<Session>,
    /// Until when the head is locked before it is read, because other nodes write.
    contended: Option<Instant>,
    /// Until when nothing is tried, and why.
    down: Option<(Instant, Failure)>,
    /// The last write found no room: a ping must try whether there is some again.
    was_full: bool,
    choices: Choices,
}

/// What only tests choose otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choices {
    /// How long the outcome of a commit that was cut off is looked for.
    pub(super) finding_out: Duration,
    /// Whether the head is locked before it is read even when no other node writes.
    pub(super) always_locks: bool,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            finding_out: FINDING_OUT,
            always_locks: false,
        }
    }
}

/// What became of one try to write a group.
enum Try {
    Written(Vec<Applied>),
    /// Others wrote, or something must be looked at first.
    Again(Failure),
    Failed(Failure),
    /// Some of these may have been written: those that would be.
    Unknown(Vec<Applied>, Failure),
}

impl Writer {
    pub(super) fn new(
        connector: Arc<Connector>,
        shared: Arc<Shared>,
        queue: mpsc::Receiver<Message>,
        choices: Choices,
    ) -> Self {
        Self {
            connector,
            shared,
            queue,
            session: None,
            contended: None,
            down: None,
            was_full: false,
            choices,
        }
    }

    /// Works until every sender of the queue is gone.
    pub(super) async fn run(mut self) {
        // A follower that panics has missed something: then nothing may go on.
        let _stop = StopOnPanic(Arc::clone(&self.shared));
        while let Some(first) = self.queue.recv().await {
            let mut group = Vec::new();
            let mut pings = Vec::new();
            let mut bytes = 0;
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Apply(job) => {
                        bytes += job.texts.bytes;
                        group.push(job);
                    }
                    Message::Ping(answer) => pings.push(answer),
                }
                let room = group.len() < LARGEST_GROUP && bytes < LARGEST_GROUP_BYTES;
                next = if room {
                    self.queue.try_recv().ok()
                } else {
                    None
                };
            }
            self.commit_group(group).await;
            if !pings.is_empty() {
                let answer = self.ping().await;
                for ping in pings {
                    let again = match &answer {
                        Ok(()) => Ok(()),
                        Err(failure) => Err(failure.answer()),
                    };
                    // The caller is gone: then no one needs the answer.
                    drop(ping.send(if self.shared.is_stopped() {
                        Err(StoreError::Stopped)
                    } else {
                        again
                    }));
                }
            }
        }
    }

    /// Commits a group, or each change of it alone if the group cannot be: one bad change does not
    /// fail its neighbours.
    async fn commit_group(&mut self, group: Vec<Job>) {
        if group.is_empty() {
            return;
        }
        match self.attempt(&group).await {
            Err(failure) if failure.reach == Reach::Full || failure.reach == Reach::Change => {
                tracing::warn!(%failure, "a group of changes could not be written");
                for job in group {
                    let group = vec![job];
                    let outcome = self.attempt(&group).await;
                    self.answer(group, outcome);
                }
            }
            outcome => self.answer(group, outcome),
        }
    }

    fn answer(&mut self, group: Vec<Job>, outcome: Result<Try, Failure>) {
        match outcome {
            Ok(Try::Written(outcomes)) => {
                self.was_full = false;
                for (job, outcome) in group.into_iter().zip(outcomes) {
                    drop(job.answer.send(Ok(outcome)));
                }
            }
            Ok(Try::Unknown(outcomes, failure)) => {
                tracing::error!(%failure, "the outcome of writes is not known");
                for (job, outcome) in group.into_iter().zip(outcomes) {
                    let error = match outcome {
                        Applied::Done(_) => failure.unknown(),
                        Applied::Conflict { .. } => failure.answer(),
                    };
                    drop(job.answer.send(Err(error)));
                }
            }
            Ok(Try::Again(failure) | Try::Failed(failure)) | Err(failure) => {
                self.was_full = failure.reach == Reach::Full;
                for job in group {
                    let error = if self.shared.is_stopped() {
                        StoreError::Stopped
                    } else {
                        failure.answer()
                    };
                    drop(job.answer.send(Err(error)));
                }
            }
        }
    }

    /// Tries until the group is written, or judged and told, or there is no hope.
    async fn attempt(&mut self, group: &[Job]) -> Result<Try, Failure> {
        let began = Instant::now();
        let mut tries = 0;
        loop {
            if self.shared.is_stopped() {
                return Err(Failure::new(Reach::Lost, "the store has stopped"));
            }
            tries += 1;
            let outcome = self.attempt_once(group).await;
            if outcome.is_err() {
                // It may be in the middle of a transaction.
                self.session = None;
            }
            match outcome? {
                Try::Again(failure) if tries < TRIES && began.elapsed() < PATIENCE => {
                    tracing::debug!(%failure, "a group of changes is tried again");
                    pause(tries).await;
                }
                Try::Again(failure) | Try::Failed(failure) => return Err(failure),
                done @ (Try::Written(_) | Try::Unknown(..)) => return Ok(done),
            }
        }
    }

    async fn attempt_once(&mut self, group: &[Job]) -> Result<Try, Failure> {
        let is_contended =
            self.choices.always_locks || self.contended.is_some_and(|until| Instant::now() < until);
        let base = self.shared.base().filter(|_| !is_contended);
        let Some(base) = base else {
            return self.under_lock(group).await;
        };
        let Some(judged) = judged(group, base, &Known::Nothing)? else {
            return self.under_lock(group).await;
        };
        // All of one group cannot conflict without one that is applied.
        let token = Token::draw()?;
        let session = self.session().await?;
        match write(session, group, &judged, base, token, true).await {
            Ended::Moved => self.under_lock(group).await,
            ended @ (Ended::Committed | Ended::Failed(_) | Ended::Unclear(_)) => {
                self.settle(ended, group, judged, token).await
            }
        }
    }

    /// Reads under the lock of the head, tells what was missed, and writes: two round trips.
    async fn under_lock(&mut self, group: &[Job]) -> Result<Try, Failure> {
        let shared = Arc::clone(&self.shared);
        let told = shared.head();
        let moment = Instant::now();
        let session = self.session().await?;
        let locked = match lock(session, group, told.revision).await {
            Ok(locked) => locked,
            Err(failure) => return Ok(self.undone(failure).await),
        };
        if locked.base.head.revision > told.revision {
            self.contended = Some(Instant::now() + CONTENDED);
        }
        if let Err(rift) = tell_missed(&shared, told, &locked.base, locked.missed) {
            return self.behind(rift, locked.base).await;
        }
        shared.confirm(locked.base, moment);
        let Some(judged) = judged(group, locked.base, &locked.marks)? else {
            return Err(Failure::damaged(
                "marks that were read contradict each other",
            ));
        };
        // The connection that holds the lock, and no other: a new one would be in no transaction.
        let Some(session) = &self.session else {
            return Err(Failure::elapsed());
        };
        if judged.lines.is_empty() {
            // The connection may be gone: nothing was to be written.
            if session.run("ROLLBACK").await.is_err() {
                self.session = None;
            }
            return Ok(Try::Written(judged.outcomes));
        }
        let token = Token::draw()?;
        let ended = write(session, group, &judged, locked.base, token, false).await;
        self.settle(ended, group, judged, token).await
    }

    /// Gives the head back. Too much to read under the lock is left to the task that follows the
    /// log; another history ends the store.
    async fn behind(&mut self, rift: Rift, base: Base) -> Result<Try, Failure> {
        let given_back = match &self.session {
            Some(session) => session.run("ROLLBACK").await.is_ok(),
            None => false,
        };
        if !given_back {
            self.session = None;
        }
        let failure = Failure::new(Reach::Again, rift.to_string());
        let Rift::LeftBehind(_) = rift else {
            self.shared.stop(&rift);
            return Err(failure);
        };
        let told = self.shared.told(base.head.revision);
        match tokio::time::timeout(CATCHING_UP, told).await {
            Ok(()) => Ok(Try::Again(failure)),
            Err(_elapsed) => Ok(Try::Failed(failure)),
        }
    }

    /// What the end of a transaction means; when it is not clear, it is found out.
    async fn settle(
        &mut self,
        ended: Ended,
        group: &[Job],
        judged: Judged<'_>,
        token: Token,
    ) -> Result<Try, Failure> {
        match ended {
            Ended::Committed => self.publish(group, judged, token),
            // Only a fence of another node comes between the lock and the write.
            Ended::Moved => {
                self.session = None;
                let failure = Failure::new(Reach::Again, "the head has moved");
                Ok(Try::Again(failure))
            }
            Ended::Failed(failure) => Ok(self.undone(failure).await),
            Ended::Unclear(failure) => {
                self.session = None;
                match self.find_out(judged.head.revision, token).await {
                    Ok(true) => self.publish(group, judged, token),
                    Ok(false) => Ok(Try::Again(failure)),
                    Err(unreachable) => {
                        tracing::warn!(%failure, "a commit was cut off");
                        Ok(Try::Unknown(judged.outcomes, unreachable))
                    }
                }
            }
        }
    }

    /// After a transaction of which nothing remains: the connection must be out of it, too.
    async fn undone(&mut self, failure: Failure) -> Try {
        let reusable = match &self.session {
            Some(session) if failure.is_refusal && failure.reach != Reach::Lost => {
                session.run("ROLLBACK").await.is_ok()
            }
            Some(_) | None => false,
        };
        if !reusable {
            self.session = None;
        }
        if failure.reach == Reach::Again {
            // Another node has most likely moved the head.
            self.contended = Some(Instant::now() + CONTENDED);
        }
        match failure.reach {
            // A connection that ended is made anew at once; if that fails, `session` says so.
            Reach::Again | Reach::Lost => Try::Again(failure),
            Reach::Full | Reach::Change | Reach::Busy | Reach::Damaged => Try::Failed(failure),
        }
    }

    /// Tells everyone of what is durable.
    fn publish(&mut self, group: &[Job], judged: Judged<'_>, token: Token) -> Result<Try, Failure> {
        for (head, number) in &judged.lines {
            let Some(job) = group.get(*number) else {
                continue;
            };
            if let Err(rift) = self.shared.tell(*head, Arc::clone(&job.changes)) {
                self.shared.stop(&rift);
                return Err(Failure::new(Reach::Lost, rift.to_string()));
            }
        }
        let base = Base {
            head: judged.head,
            writer: token,
        };
        self.shared.own(base);
        Ok(Try::Written(judged.outcomes))
    }

    /// Looks for the outcome of a commit that was cut off, as long as that may take.
    async fn find_out(
        &mut self,
        newest: guestlist_rules::changes::Revision,
        token: Token,
    ) -> Result<bool, Failure> {
        let until = Instant::now() + self.choices.finding_out;
        let mut tries = 0;
        loop {
            self.down = None;
            let outcome = match self.session().await {
                Ok(session) => find_out(session, newest, token).await,
                Err(failure) => Err(failure),
            };
            match outcome {
                Ok(committed) => return Ok(committed),
                Err(failure) if Instant::now() >= until => return Err(failure),
                Err(failure) => {
                    tracing::debug!(%failure, "the outcome of a commit is still looked for");
                    self.session = None;
                    self.refuse_waiting(&failure);
                    tries += 1;
                    pause(tries.min(7)).await;
                }
            }
        }
    }

    /// Answers those that wait while the database cannot be reached: nothing of theirs was tried.
    fn refuse_waiting(&mut self, failure: &Failure) {
        while let Ok(message) = self.queue.try_recv() {
            match message {
                Message::Apply(job) => drop(job.answer.send(Err(failure.answer()))),
                Message::Ping(answer) => drop(answer.send(Err(failure.answer()))),
            }
        }
    }

    /// The connection, made if there is none.
    async fn session(&mut self) -> Result<&Session, Failure> {
        if self.session.as_ref().is_some_and(Session::is_closed) {
            self.session = None;
        }
        let session = match self.session.take() {
            Some(session) => session,
            None => self.connect().await?,
        };
        Ok(self.session.insert(session))
    }

    async fn connect(&mut self) -> Result<Session, Failure> {
        if let Some((until, failure)) = &self.down
            && Instant::now() < *until
        {
            return Err(failure.clone());
        }
        let connecting = async {
            let session = self.connector.connect(Purpose::Short, None).await?;
            for sql in PREPARED {
                session.prepared(sql).await?;
            }
            Ok(session)
        };
        match connecting.await {
            Ok(session) => {
                if self.down.take().is_some() {
                    tracing::info!("the database can be reached again");
                }
                Ok(session)
            }
            Err(failure) => {
                if self.down.is_none() {
                    tracing::warn!(%failure, "the database cannot be reached");
                }
                self.down = Some((Instant::now() + DOWN, Failure::clone(&failure)));
                Err(failure)
            }
        }
    }

    async fn ping(&mut self) -> Result<(), Failure> {
        if self.shared.is_stopped() {
            return Err(Failure::new(Reach::Lost, "the store has stopped"));
        }
        let writes = self.was_full;
        let session = self.session().await?;
        match probe(session, writes).await {
            Ok(()) => {
                self.was_full = false;
                Ok(())
            }
            Err(failure) => {
                if failure.reach == Reach::Lost {
                    self.session = None;
                }
                Err(failure)
            }
        }
    }
}

/// Tells the followers of what other nodes wrote, all of it, after checking that it follows.
fn tell_missed(
    shared: &Shared,
    told: crate::Head,
    base: &Base,
    missed: Vec<Line>,
) -> Result<(), Rift> {
    Shared::check(told, base.head)?;
    let mut head = told;
    for line in missed {
        head = tell_line(shared, head, line)?;
    }
    if head.revision < base.head.revision {
        return Err(Rift::LeftBehind(head.revision));
    }
    Shared::check(head, base.head)
}

/// Tells the followers of a line that another node wrote, if it follows the ones before it.
pub(super) fn tell_line(
    shared: &Shared,
    before: crate::Head,
    line: Line,
) -> Result<crate::Head, Rift> {
    if line.head.revision.0 != before.revision.0 + 1 {
        return Err(Rift::LeftBehind(before.revision));
    }
    if before.followed_by(&line.event.canonical()) != line.head {
        return Err(Rift::Replaced(line.head.revision));
    }
    let changes = changes(line.event, &line.payload)
        .map_err(|failure| Rift::Unreadable(line.head.revision, failure.to_string()))?;
    shared.tell(line.head, Arc::new(changes))?;
    Ok(line.head)
}

/// Waits a little longer each time, and not in step with others.
async fn pause(tries: u32) {
    // Without chance the wait is merely the same for all.
    let drawn = Token::draw().ok();
    let byte = drawn.and_then(|drawn| drawn.as_bytes().first().copied());
    let longest = 2_u64 << tries.min(8);
    let milliseconds = 1 + longest * u64::from(byte.unwrap_or(128)) / 256;
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}
