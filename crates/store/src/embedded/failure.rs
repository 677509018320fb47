//! What a failure of SQLite means for the change that met it and for those that follow.

use std::sync::Arc;

use rusqlite::{Error, ErrorCode};

use crate::StoreError;

/// How far a failure reaches. In every case the transaction it happened in is rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// There was no room. SQLite writes the frame that ends a transaction last, so a transaction
    /// that met a full disk did not happen.
    Full,
    /// This change alone; the next may work.
    Change,
    /// The disk or the file cannot be trusted any more: no more writes.
    Engine,
}

/// A failure on the way to a durable change.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) reach: Reach,
    /// Whether the transaction was about to be committed, so that it may be found committed when
    /// the file is opened again.
    at_commit: bool,
    error: Arc<Error>,
}

impl Failure {
    /// A statement failed, so the transaction was not committed.
    pub(super) fn in_statement(error: Error) -> Self {
        let reach = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Reach::Full,
            code if is_lasting(code) => Reach::Engine,
            Some(_) | None => Reach::Change,
        };
        Self {
            reach,
            at_commit: false,
            error: Arc::new(error),
        }
    }

    /// The commit failed. Whatever it was, unless there was no room, the WAL may or may not hold
    /// the whole transaction.
    pub(super) fn at_commit(error: Error) -> Self {
        let full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
        let reach = if full { Reach::Full } else { Reach::Engine };
        Self {
            reach,
            at_commit: true,
            error: Arc::new(error),
        }
    }

    /// The transaction could not even be rolled back, after the first failure.
    pub(super) fn in_rollback(error: Error, first: Option<&Self>) -> Self {
        let at_commit = first.is_none_or(|failure| failure.at_commit);
        Self {
            reach: Reach::Engine,
            at_commit,
            error: Arc::new(error),
        }
    }

    /// Another program holds the writes: no change of a group could be written, alone neither.
    pub(super) fn is_held(&self) -> bool {
        !self.at_commit && self.error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
    }

    pub(super) fn answer(&self) -> StoreError {
        if is_unreadable(&self.error) {
            return StoreError::Damaged(self.error.to_string());
        }
        let source = Some(Box::new(Arc::clone(&self.error)).into());
        match (self.reach, self.at_commit) {
            (Reach::Full, _) => StoreError::Full(source),
            (Reach::Engine, true) => StoreError::Unknown(source),
            (Reach::Engine, false) | (Reach::Change, _) => StoreError::Unavailable(source),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(formatter)
    }
}

/// Errors after which nothing good is to be expected of the file.
fn is_lasting(code: Option<ErrorCode>) -> bool {
    matches!(
        code,
        Some(
            ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::InternalMalfunction
        )
    )
}

/// What is stored is not what was expected there.
fn is_unreadable(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    ) || matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
    )
}

/// A read failed.
pub(super) fn of_read(error: Error) -> StoreError {
    if is_unreadable(&error) {
        return StoreError::Damaged(error.to_string());
    }
    StoreError::Unavailable(Some(Box::new(error)))
}
