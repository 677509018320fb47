//! The database file: how it is made, what its tables are, and which files are refused.

use std::cmp::Ordering;
use std::fs::OpenOptions as FileOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use guestlist_api::chain::CanonicalEvent;
use rusqlite::config::DbConfig;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OpenFlags, Transaction, TransactionBehavior, params};

use super::backup::BackupError;
use super::change::{signed, stored_event};
use super::reading::unsigned;
use super::{OpenError, OpenOptions, Synchronous, facets};
use crate::chain::Head;

pub(super) const FILE: &str = "guestlist.db";

/// SQLite 3.51.3: everything older can damage a database while its WAL is reset
/// (<https://sqlite.org/wal.html>, "the WAL-reset bug").
const OLDEST_LIBRARY: i32 = 3_051_003;

/// `GLst`, so that a file can be told from any other program's database.
const APPLICATION_ID: i32 = 0x474c_7374;

/// How long a statement waits for another process (an operator's `sqlite3`, a backup) to let go.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// The schema, as the steps that lead to it; a database at version n has had the first n. A step
/// that was released is never changed.
///
/// `documents` is a table with a row number and one index, and not `WITHOUT ROWID`: bodies are
/// several hundred bytes, and new rows then fill the last page instead of touching one page each.
/// Facets are kept in the document's row as well, where a write finds the old ones without another
/// index. Events need no index beyond their key.
static MIGRATIONS: [Step; NEWEST as usize] = [
    Step {
        tables: "
    CREATE TABLE documents (
        number INTEGER PRIMARY KEY,
        kind   TEXT NOT NULL,
        id     TEXT NOT NULL,
        mark   INTEGER NOT NULL,
        facets TEXT NOT NULL,
        body   BLOB NOT NULL,
        UNIQUE (kind, id)
    ) STRICT;

    CREATE TABLE facets (
        kind  TEXT NOT NULL,
        facet TEXT NOT NULL,
        value TEXT NOT NULL,
        id    TEXT NOT NULL,
        PRIMARY KEY (kind, facet, value, id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE events (
        revision INTEGER PRIMARY KEY,
        event    TEXT NOT NULL,
        touched  TEXT NOT NULL
    ) STRICT;
",
        fill: |_| Ok(()),
    },
    // Without NOT NULL, which SQLite adds to a table with rows only together with a value for them.
    Step {
        tables: "ALTER TABLE events ADD COLUMN hash BLOB",
        fill: chain_events,
    },
    // Invites were written before they had all their facets, and lists would miss those.
    Step {
        tables: "",
        fill: |transaction| facets::fill(transaction),
    },
];

/// What leads from one version to the next.
struct Step {
    tables: &'static str,
    /// What the new tables and columns hold of the old.
    fill: fn(&Transaction<'_>) -> rusqlite::Result<()>,
}

/// The version this program writes.
const NEWEST: u32 = 3;
/// The first version whose events have hashes.
const CHAINED: u32 = 2;

/// Whether the events of a database of this version have hashes.
pub(super) const fn is_chained(version: u32) -> bool {
    version >= CHAINED
}

/// Refuses a SQLite that can damage what it keeps.
pub(super) fn check_library(version: i32) -> Result<(), OpenError> {
    if version < OLDEST_LIBRARY {
        return Err(OpenError::OldLibrary { version });
    }
    Ok(())
}

/// Opens the one connection that writes, and brings the schema up to date.
pub(super) fn open_writer(
    directory: &Path,
    options: &OpenOptions,
) -> Result<Connection, OpenError> {
    check_library(rusqlite::version_number())?;
    let path = directory.join(FILE);
    create_private(&path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(32);
    // After an I/O error the last frames of the WAL are not to be trusted, and closing must not
    // copy them into the database. An orderly close makes its checkpoint itself.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    refuse_foreign(&connection, &path)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::NoWriteAheadLog { path });
    }
    connection.pragma_update(None, "synchronous", options.synchronous.name())?;
    // The writer makes its checkpoints itself, when no one waits.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    migrate(&mut connection)?;
    if let Some(pages) = options.most_pages {
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    Ok(connection)
}

/// Opens a connection that can only read.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

/// SQLite gives its other files the rights of this one.
pub(super) fn create_private(path: &Path) -> Result<(), OpenError> {
    let mut options = FileOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(OpenError::Directory {
            path: path.to_owned(),
            error,
        }),
    }
}

/// Nothing is changed in a database that is not ours, or that is of a newer version.
fn refuse_foreign(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if id == APPLICATION_ID {
        return missing(version(connection)?).map(drop);
    }
    if id == 0 && tables == 0 {
        return Ok(());
    }
    Err(OpenError::Foreign {
        path: path.to_owned(),
    })
}

/// Applies the steps that are missing, all of them or none.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction
        .execute_batch("CREATE TABLE IF NOT EXISTS schema (version INTEGER PRIMARY KEY) STRICT")?;
    let missing = missing(version(&transaction)?)?;
    if missing.is_empty() {
        return Ok(());
    }
    for step in missing {
        transaction.execute_batch(step.tables)?;
        (step.fill)(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.execute("DELETE FROM schema", [])?;
    transaction.execute("INSERT INTO schema (version) VALUES (?1)", [NEWEST])?;
    transaction.commit()?;
    Ok(())
}

/// Gives every line of the log its hash, in order.
fn chain_events(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    /// Lines read at a time: none is read while one is written.
    const PAGE: i64 = 1000;
    let mut lines = transaction.prepare(
        "SELECT revision, event FROM events WHERE revision > ?1 ORDER BY revision LIMIT ?2",
    )?;
    let mut update = transaction.prepare("UPDATE events SET hash = ?2 WHERE revision = ?1")?;
    let mut head = Head::START;
    loop {
        let after = signed(head.revision.0)?;
        let page = lines.query_map(params![after, PAGE], |row| {
            let event = stored_event(row.get_ref(1)?.as_str()?)?;
            Ok((unsigned(row, 0)?, event.canonical()))
        })?;
        let page: Vec<(u64, CanonicalEvent)> = page.collect::<rusqlite::Result<_>>()?;
        if page.is_empty() {
            return Ok(());
        }
        for (revision, event) in page {
            head = head.followed_by(&event);
            // A gap: the log is not one that this program wrote.
            if head.revision.0 != revision {
                let missing = format!("revision {} is missing from the event log", head.revision);
                return Err(Error::FromSqlConversionFailure(
                    0,
                    Type::Integer,
                    missing.into(),
                ));
            }
            update.execute(params![signed(revision)?, head.hash.as_bytes()])?;
        }
    }
}

/// The version of a database that is certainly one of Guestlist, and none that is newer.
pub(super) fn known_version(connection: &Connection, path: &Path) -> Result<u32, OpenError> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if id != APPLICATION_ID {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
        });
    }
    let found = version(connection)?;
    missing(found)?;
    u32::try_from(found).map_err(|_| OpenError::Newer {
        found,
        known: NEWEST,
    })
}

/// Whether the first bytes of a file are those of a database of Guestlist (the application id
/// stands at byte 68, <https://sqlite.org/fileformat.html>).
pub(super) fn is_ours(head: &[u8]) -> bool {
    head.starts_with(b"SQLite format 3\0")
        && head.get(68..72) == Some(APPLICATION_ID.to_be_bytes().as_slice())
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT coalesce(max(version), 0) FROM schema", [], |row| {
        row.get(0)
    })
}

/// Refuses a database that an older version wrote, or a newer one.
pub(super) fn require_newest(connection: &Connection, path: &Path) -> Result<(), BackupError> {
    let path = path.to_owned();
    let (found, known) = (version(connection)?, NEWEST);
    match found.cmp(&i64::from(known)) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(BackupError::Newer { path, found, known }),
        Ordering::Less => Err(BackupError::Older { path, found, known }),
    }
}

/// The steps after a version.
fn missing(found: i64) -> Result<&'static [Step], OpenError> {
    let done = usize::try_from(found).ok();
    let missing = done.and_then(|done| MIGRATIONS.get(done..));
    missing.ok_or(OpenError::Newer {
        found,
        known: NEWEST,
    })
}

impl Synchronous {
    const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            #[cfg(feature = "suite")]
            Self::Normal => "normal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_with_the_wal_reset_bug_is_refused() {
        assert!(matches!(
            check_library(3_051_002),
            Err(OpenError::OldLibrary { version: 3_051_002 })
        ));
        assert!(check_library(3_051_003).is_ok());
        assert!(check_library(rusqlite::version_number()).is_ok());
    }
}
