//! What a failure of the database means for the change that met it and for those that follow.

use std::fmt;
use std::sync::Arc;

use tokio_postgres::error::{Severity, SqlState};

use crate::StoreError;

/// How far a failure reaches. Unless it came with the commit, nothing of the transaction remains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The transaction met another one; it may be tried again at once.
    Again,
    /// There was no room.
    Full,
    /// This change alone; the next may work.
    Change,
    /// The database did not answer in time, or takes no writes just now. The connection goes on.
    Busy,
    /// The connection is of no more use, or there was none.
    Lost,
    /// What is stored is not what this version writes.
    Damaged,
}

/// Why something was not carried out.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) reach: Reach,
    error: Arc<dyn std::error::Error + Send + Sync>,
    /// The server said that it refused the statement, and will go on answering.
    pub(super) is_refusal: bool,
}

impl Failure {
    pub(super) fn new(
        reach: Reach,
        error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            reach,
            error: Arc::from(error.into()),
            is_refusal: false,
        }
    }

    pub(super) fn damaged(error: impl fmt::Display) -> Self {
        Self::new(Reach::Damaged, error.to_string())
    }

    /// The answer took longer than it may.
    pub(super) fn elapsed() -> Self {
        Self::new(Reach::Lost, "the database did not answer in time")
    }

    pub(super) fn answer(&self) -> StoreError {
        let source = Some(Box::new(Cause(Arc::clone(&self.error))).into());
        match self.reach {
            Reach::Full => StoreError::Full(source),
            Reach::Damaged => StoreError::Damaged(self.to_string()),
            Reach::Again | Reach::Change | Reach::Busy | Reach::Lost => {
                StoreError::Unavailable(source)
            }
        }
    }

    pub(super) fn unknown(&self) -> StoreError {
        StoreError::Unknown(Some(Box::new(Cause(Arc::clone(&self.error))).into()))
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        // The second form is translated, but the only one that every database sends.
        let goes_on = error.as_db_error().is_some_and(|error| {
            error
                .parsed_severity()
                .map_or(error.severity() == "ERROR", |severity| {
                    severity == Severity::Error
                })
        });
        let reach = match error.code() {
            None => Reach::Lost,
            Some(code) => reach_of(code, goes_on),
        };
        Self {
            reach,
            is_refusal: goes_on,
            error: Arc::new(error),
        }
    }
}

/// What a code of <https://www.postgresql.org/docs/current/errcodes-appendix.html> means here.
fn reach_of(code: &SqlState, goes_on: bool) -> Reach {
    const BUSY: [&SqlState; 3] = [
        &SqlState::LOCK_NOT_AVAILABLE,
        &SqlState::QUERY_CANCELED,
        &SqlState::OUT_OF_MEMORY,
    ];
    // After a fail-over the old server may still answer, but only reads.
    if !goes_on || *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return Reach::Lost;
    }
    if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        return Reach::Again;
    }
    if *code == SqlState::DISK_FULL {
        return Reach::Full;
    }
    if BUSY.contains(&code) {
        return Reach::Busy;
    }
    // 08: connection; 57P: shutting down or starting up; 40003: the outcome is not known. A prepared statement that is gone (26000)
    // or whose tables have changed (0A000) is made anew with the connection.
    let text = code.code();
    if ["08", "57P", "26", "0A", "40003"]
        .iter()
        .any(|class| text.starts_with(class))
    {
        return Reach::Lost;
    }
    Reach::Change
}

/// Whether a commit that was answered with this has certainly not happened.
pub(super) fn is_certainly_undone(failure: &Failure) -> bool {
    match failure.reach {
        Reach::Again | Reach::Full | Reach::Change => failure.is_refusal,
        Reach::Busy | Reach::Lost | Reach::Damaged => false,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Cause(Arc::clone(&self.error)).fmt(formatter)
    }
}

/// An error with all its causes in one line: the client's own words say little.
#[derive(Debug)]
struct Cause(Arc<dyn std::error::Error + Send + Sync>);

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(formatter, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl std::error::Error for Cause {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_reach_as_far_as_they_should() {
        let of = |code: &str| reach_of(&SqlState::from_code(code), true);
        for (code, reach) in [
            ("40001", Reach::Again),
            ("40P01", Reach::Again),
            ("40003", Reach::Lost),
            ("53100", Reach::Full),
            ("53200", Reach::Busy),
            ("55P03", Reach::Busy),
            ("57014", Reach::Busy),
            ("25006", Reach::Lost),
            ("57P01", Reach::Lost),
            ("08006", Reach::Lost),
            ("54000", Reach::Change),
        ] {
            assert_eq!(of(code), reach, "{code}");
        }
        assert_eq!(
            reach_of(&SqlState::TOO_MANY_CONNECTIONS, false),
            Reach::Lost
        );
    }
}
