//! Keeping a running server from writing while its store is carried elsewhere: it answers reads, and
//! refuses writes for that time.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::backup::BackupError;
use super::reading;
use super::schema;
use guestlist_rules::changes::Revision;

/// How long a change that is being written is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a retired store says to every write. A program that knows nothing of it is stopped by it too.
const RETIRE: &str = "
    CREATE TRIGGER IF NOT EXISTS guestlist_retired BEFORE INSERT ON events
    BEGIN SELECT RAISE(ABORT, 'this store was carried elsewhere and takes no more writes'); END";

/// Holds the writes of a database until it is dropped, however the process ends.
pub struct HeldWrites {
    connection: Connection,
}

impl HeldWrites {
    /// Waits until the write that is under way has ended. The database must be of this version.
    pub fn hold(directory: &Path) -> Result<Self, BackupError> {
        schema::check_library(rusqlite::version_number())?;
        let database = directory.join(schema::FILE);
        if !database.is_file() {
            return Err(BackupError::NoDatabase(directory.to_owned()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&database, flags)?;
        connection.busy_timeout(PATIENCE)?;
        schema::require_newest(&connection, &database)?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Self { connection })
    }

    /// The newest revision, which stays that as long as this is held.
    pub fn revision(&self) -> Result<Revision, BackupError> {
        Ok(reading::revision(&self.connection)?)
    }

    /// Lets go, and leaves a store that takes no more writes, from anybody. Reads go on.
    pub fn retire(self) -> Result<(), BackupError> {
        self.connection.execute_batch(RETIRE)?;
        Ok(self.connection.execute_batch("COMMIT")?)
    }

    /// Lets go, and takes back that the store was retired. Whether it was.
    pub fn revive(self) -> Result<bool, BackupError> {
        let retired = "SELECT count(*) FROM sqlite_schema WHERE name = 'guestlist_retired'";
        let count: i64 = self.connection.query_row(retired, [], |row| row.get(0))?;
        self.connection
            .execute_batch("DROP TRIGGER IF EXISTS guestlist_retired; COMMIT")?;
        Ok(count > 0)
    }
}
