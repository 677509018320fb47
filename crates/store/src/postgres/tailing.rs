//! The tasks that go on beside the writer: following what other nodes write, telling them that
//! something was written, and dropping what all nodes have long heard.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use guestlist_rules::changes::Revision;
use tokio::time::Instant;

use super::connecting::{Connector, Purpose, Session, limited};
use super::failure::{Failure, Reach};
use super::rows::{Base, base, line, signed};
use super::statements as sql;
use super::telling::{Rift, Shared, StopOnPanic};
use super::writer::tell_line;
use crate::Head;

/// The channel of notifications. Nothing rests on it: they only shorten the wait.
const LISTEN: &str = "LISTEN guestlist";
/// How long the log is not looked at without a notification.
pub(super) const POLL: Duration = Duration::from_millis(200);
/// The longest wait between two tries to connect.
const SLOWEST: Duration = Duration::from_secs(1);
/// The most lines that are asked for at a time.
const LINES: i64 = 256;
/// How often what is no longer needed is dropped.
const TRIM_EVERY: Duration = Duration::from_secs(15);
/// The most lines dropped by one statement.
const TRIM_AT_ONCE: i64 = 5_000;

/// How many of the newest changes are kept in full for nodes that lag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    /// At least so many, and everything of the last ten minutes.
    pub(super) least: u64,
    /// Never more than so many, however new.
    pub(super) most: u64,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            least: 10_000,
            most: 500_000,
        }
    }
}

/// The task that follows the log.
pub(super) struct Tail {
    pub(super) connector: Arc<Connector>,
    pub(super) shared: Arc<Shared>,
    pub(super) kept: Kept,
}

/// Why following broke off.
enum Broken {
    Failed(Failure),
    Rift(Rift),
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Rift> for Broken {
    fn from(rift: Rift) -> Self {
        Self::Rift(rift)
    }
}

impl Tail {
    /// Follows until the store stops or the task is ended.
    pub(super) async fn run(self) {
        let _stop = StopOnPanic(Arc::clone(&self.shared));
        let mut failed = 0_u32;
        while !self.shared.is_stopped() {
            match self.follow(&mut failed).await {
                Broken::Rift(rift) => self.shared.stop(&rift),
                Broken::Failed(failure) => {
                    failed = failed.saturating_add(1);
                    if failed == 2 {
                        tracing::warn!(%failure, "the log of the database cannot be followed");
                    }
                    let wait = Duration::from_millis(20 << failed.min(6)).min(SLOWEST);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// Follows on one connection, until it fails.
    async fn follow(&self, failed: &mut u32) -> Broken {
        let heard = Some(Arc::clone(&self.shared.wake));
        let session = match self.connector.connect(Purpose::Short, heard).await {
            Ok(session) => session,
            Err(failure) => return failure.into(),
        };
        // A database without notifications: then the log is looked at often enough.
        if let Err(failure) = session.run(LISTEN).await {
            tracing::debug!(%failure, "the database does not notify");
        }
        let mut trimmed = Instant::now();
        loop {
            match self.catch_up(&session).await {
                Ok(()) => *failed = 0,
                Err(broken) => return broken,
            }
            // Following goes before: if the connection is lost, that finds it out.
            if let Err(failure) = self.shared.duty.renew(&session).await {
                tracing::debug!(%failure, "the database was not asked who is on duty");
            }
            if self.shared.is_stopped() {
                return Failure::new(Reach::Lost, "the store has stopped").into();
            }
            if trimmed.elapsed() > TRIM_EVERY {
                trimmed = Instant::now();
                self.trim(&session).await;
            }
            let _polled = tokio::time::timeout(POLL, self.shared.wake.notified()).await;
        }
    }

    /// Leaves what this node does for all, so that another takes over at once.
    pub(super) async fn leave(connector: &Arc<Connector>, shared: &Shared) {
        let left = async {
            let session = connector.connect(Purpose::Short, None).await?;
            shared.duty.leave(&session).await
        };
        // Without it another takes over a few seconds later.
        if let Err(failure) = left.await {
            tracing::debug!(%failure, "the database was not told that this node ends");
        }
    }

    /// Tells the followers of everything up to the head of the database.
    async fn catch_up(&self, session: &Session) -> Result<(), Broken> {
        loop {
            let told = self.shared.head();
            let moment = Instant::now();
            let (found, reached) = self.read(session, told).await?;
            if reached.revision >= found.head.revision {
                if reached.revision == found.head.revision && reached != found.head {
                    return Err(Rift::Replaced(reached.revision).into());
                }
                self.shared.confirm(found, moment);
                return Ok(());
            }
            if reached == told {
                // All lines up to the head that was read before must be there.
                return Err(Rift::LeftBehind(told.revision).into());
            }
        }
    }

    /// Reads the head, and then the lines after those that were told: one round trip. They are told
    /// as they come: however large they are, few are held at a time.
    async fn read(&self, session: &Session, told: Head) -> Result<(Base, Head), Broken> {
        let head = session.prepared(sql::HEAD).await?;
        let lines = session.prepared(sql::LINES).await?;
        let parameters = [signed(told.revision)?, LINES];
        let asked = async {
            tokio::try_join!(
                biased;
                session.client.query(&head, &[]),
                session.client.query_raw(&lines, parameters),
            )
        };
        let (head, rows) = limited(asked).await?;
        let found = base(&head)?;
        Shared::check(told, found.head)?;
        let mut rows = std::pin::pin!(rows);
        let mut reached = told;
        while let Some(row) = limited(rows.try_next()).await? {
            reached = tell_line(&self.shared, reached, line(&row)?)?;
        }
        Ok((found, reached))
    }

    /// Drops recent changes that every node has heard, or must read anew.
    async fn trim(&self, session: &Session) {
        let newest = self.shared.head().revision.0;
        let below = |kept: u64| signed(Revision(newest.saturating_sub(kept)));
        let (Ok(always), Ok(old)) = (below(self.kept.most), below(self.kept.least)) else {
            return;
        };
        loop {
            match session
                .execute(sql::TRIM, &[&always, &old, &TRIM_AT_ONCE])
                .await
            {
                Ok(dropped) if i64::try_from(dropped).is_ok_and(|it| it == TRIM_AT_ONCE) => {}
                Ok(_) => return,
                Err(failure) => {
                    tracing::debug!(%failure, "old recent changes were not dropped");
                    return;
                }
            }
        }
    }
}

/// Tells the other nodes that something was written, after it was committed: several commits while
/// one notification is under way share the next.
pub(super) async fn notify(connector: Arc<Connector>, shared: Arc<Shared>) {
    let notification = connector.notification();
    let mut written = shared.written.subscribe();
    let mut session: Option<Session> = None;
    while written.changed().await.is_ok() {
        let ready = match session.take() {
            Some(session) if !session.is_closed() => Ok(session),
            Some(_) | None => connector.connect(Purpose::Short, None).await,
        };
        let notified = match ready {
            Ok(ready) => {
                let notified = ready.run(&notification).await;
                session = Some(ready);
                notified
            }
            Err(failure) => Err(failure),
        };
        if let Err(failure) = notified {
            tracing::debug!(%failure, "other nodes were not notified: they look by themselves");
            tokio::time::sleep(SLOWEST).await;
        }
    }
}
