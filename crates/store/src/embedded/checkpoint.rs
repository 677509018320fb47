//! When the write-ahead log is copied into the database, so that it stays small.

use std::time::Duration;

use rusqlite::Connection;

use super::failure::Failure;
use super::schema::BUSY;

/// How long a checkpoint that must empty the log waits for reads that still need it.
const PATIENCE: Duration = Duration::from_millis(200);

/// Frames of the log (one page each) after which it is copied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checkpoints {
    /// When no change waits.
    idle: i64,
    /// In any case.
    due: i64,
    /// A log longer than this is emptied, even if that has to wait for reads.
    longest: i64,
    /// Frames that a checkpoint could not copy because of a read.
    left: i64,
}

impl Checkpoints {
    /// `due` is in frames.
    pub(super) const fn every(due: u32) -> Self {
        let due = due as i64;
        Self {
            idle: due / 4,
            due,
            longest: due * 4,
            left: 0,
        }
    }

    /// Costs a look at the shared memory; no file is read.
    pub(super) fn is_due(&mut self, connection: &Connection, idle: bool) -> bool {
        let Ok((frames, copied)) = checkpoint(connection, "PRAGMA wal_checkpoint(NOOP)") else {
            return false;
        };
        let waiting = frames - copied;
        self.left = self.left.min(waiting);
        waiting - self.left >= if idle { self.idle } else { self.due }
    }

    pub(super) fn make(&mut self, connection: &Connection) -> Result<(), Failure> {
        let (frames, copied) = checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)")
            .map_err(Failure::in_statement)?;
        self.left = frames - copied;
        if frames > self.longest {
            connection
                .busy_timeout(PATIENCE)
                .map_err(Failure::in_statement)?;
            let emptied = checkpoint(connection, "PRAGMA wal_checkpoint(RESTART)");
            connection
                .busy_timeout(BUSY)
                .map_err(Failure::in_statement)?;
            let (frames, copied) = emptied.map_err(Failure::in_statement)?;
            self.left = frames - copied;
        }
        Ok(())
    }

    /// Before the file is closed: the log is emptied, and cut so that a copy of the directory is
    /// small.
    pub(super) fn make_last(connection: &Connection) -> Result<(), Failure> {
        checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)")
            .map(drop)
            .map_err(Failure::in_statement)
    }
}

/// The frames of the log, and how many of them are copied.
fn checkpoint(connection: &Connection, pragma: &str) -> rusqlite::Result<(i64, i64)> {
    connection
        .prepare_cached(pragma)?
        .query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
}
