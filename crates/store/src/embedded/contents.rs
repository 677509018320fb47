//! What a database holds, and whether it holds together: for comparing a copy with its original.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use guestlist_api::chain::ChainHash;
use guestlist_rules::changes::Revision;
use rusqlite::{Connection, OpenFlags, Row};

use super::backup::BackupError;
use super::change::{stored_event, stored_facets, stored_hash};
use super::reading::{revision, unsigned};
use super::schema;
use crate::chain::Head;

/// Rows between two reports of the progress.
pub(crate) const ROWS: u64 = 1000;

/// How far a copy has come. Whoever is told may break it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Bytes copied, of all.
    Copying { done: u64, all: u64 },
    /// Documents and events compared, of all. Begins anew for each file that is read.
    Checking { done: u64, all: u64 },
    /// Bytes of an export read, of all.
    Reading { done: u64, all: u64 },
    /// Documents and events written to an export, of all.
    Exporting { done: u64, all: u64 },
    /// Documents and events written to a new database, of all.
    Importing { done: u64, all: u64 },
}

/// Is told of the progress; breaks the work off by `Break`.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// What a database holds. Two with the same contents are equal, however their files differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The version of the tables.
    pub schema: u32,
    /// The number of documents of each kind, by the kind's stored name.
    pub documents: BTreeMap<String, u64>,
    /// The number of lines of the event log, which is also its newest revision.
    pub events: u64,
    /// SHA-256 over all documents and events in their order, in hexadecimal.
    pub hash: String,
    /// Of the newest line of the event log, which stands for all of it.
    pub head: ChainHash,
}

impl Contents {
    /// The newest revision; 0 if nothing was ever written.
    pub fn revision(&self) -> Revision {
        Revision(self.events)
    }

    /// The number of all documents.
    pub fn all_documents(&self) -> u64 {
        self.documents.values().sum()
    }
}

/// Opens a database that no one writes, whatever its journal, and leaves no file beside it.
pub(super) fn open_still(path: &Path) -> Result<Connection, BackupError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(still_uri(path), flags)?)
}

/// As <https://sqlite.org/uri.html>. `immutable` spares the shared memory of the write-ahead log,
/// which could not be made on a medium that is read only.
fn still_uri(path: &Path) -> PathBuf {
    let escape = |byte: &u8| {
        if byte.is_ascii_alphanumeric() || b"/.-_".contains(byte) {
            char::from(*byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    let bytes = path.as_os_str().as_encoded_bytes();
    let escaped: String = bytes.iter().map(escape).collect();
    // What follows two slashes would be read as a host.
    let authority = if escaped.starts_with('/') { "//" } else { "" };
    PathBuf::from(format!("file:{authority}{escaped}?immutable=1"))
}

/// Reads everything in a database that no one writes, and refuses what is damaged.
pub(super) fn check(path: &Path, watch: Watch<'_>) -> Result<Contents, BackupError> {
    let connection = open_still(path)?;
    let looked = look(&connection, path, watch);
    // SQLite says of a file that it is no database also when its first page is damaged.
    looked.map_err(|error| error.in_file(path))
}

fn look(connection: &Connection, path: &Path, watch: Watch<'_>) -> Result<Contents, BackupError> {
    // Before the check of its pages, which takes long: what is not ours, or newer, is told at once.
    schema::known_version(connection, path)?;
    let pragma = |name| connection.pragma_query_value(None, name, |row| unsigned(row, 0));
    let expected = pragma("page_count")? * pragma("page_size")?;
    let found = path.metadata().map_err(BackupError::file(path))?.len();
    if expected != found {
        return Err(BackupError::Damaged {
            path: path.to_owned(),
            problem: format!("it has {found} bytes, and should have {expected}"),
        });
    }
    let problem: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if problem != "ok" {
        return Err(BackupError::Damaged {
            path: path.to_owned(),
            problem,
        });
    }
    read(connection, path, watch)
}

/// Reads everything in a database, as the connection sees it.
pub(super) fn read(
    connection: &Connection,
    path: &Path,
    watch: Watch<'_>,
) -> Result<Contents, BackupError> {
    let damaged = |problem: String| BackupError::Damaged {
        path: path.to_owned(),
        problem,
    };
    let schema = schema::known_version(connection, path)?;
    let newest = revision(connection)?;
    let events = count(connection, "SELECT count(*) FROM events")?;
    if events != newest.0 {
        return Err(damaged(format!(
            "the event log has {events} lines, but its newest revision is {newest}"
        )));
    }
    let rows = count(connection, "SELECT count(*) FROM documents")?;
    let mut reading = Reading {
        connection,
        hash: Context::new(&SHA256),
        documents: BTreeMap::new(),
        facets: 0,
        head: Head::START,
        done: 0,
        all: rows + events,
        watch,
    };
    reading
        .read_documents(newest)
        .map_err(|failed| failed.told(damaged))?;
    let facets = count(connection, "SELECT count(*) FROM facets")?;
    if facets != reading.facets {
        return Err(damaged(format!(
            "there are {facets} indexed facets, but the documents have {}",
            reading.facets
        )));
    }
    reading
        .read_events(schema::is_chained(schema))
        .map_err(|failed| failed.told(damaged))?;
    let hash = reading.hash.finish();
    let hash = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
    Ok(Contents {
        schema,
        documents: reading.documents,
        events,
        hash: hash.collect(),
        head: reading.head.hash,
    })
}

/// Why reading ended early.
enum Failed {
    Problem(String),
    Other(BackupError),
}

impl Failed {
    fn told(self, damaged: impl FnOnce(String) -> BackupError) -> BackupError {
        match self {
            Self::Problem(problem) => damaged(problem),
            Self::Other(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Other(error.into())
    }
}

struct Reading<'a> {
    connection: &'a Connection,
    hash: Context,
    documents: BTreeMap<String, u64>,
    facets: u64,
    head: Head,
    done: u64,
    all: u64,
    watch: Watch<'a>,
}

impl Reading<'_> {
    fn read_documents(&mut self, newest: Revision) -> Result<(), Failed> {
        let mut statement = self
            .connection
            .prepare("SELECT kind, id, mark, facets, body FROM documents ORDER BY kind, id")?;
        let mut indexed = self.connection.prepare(
            "SELECT count(*) FROM facets WHERE kind = ?1 AND id = ?2 AND facet = ?3 AND value = ?4",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, id): (String, String) = (row.get(0)?, row.get(1)?);
            let mark = unsigned(row, 2)?;
            if mark == 0 || mark > newest.0 {
                return Err(Failed::Problem(format!(
                    "a document ({kind}) was written at revision {mark}, which is not in the event log"
                )));
            }
            for (facet, value) in
                stored_facets(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?)?
            {
                let found: i64 =
                    indexed.query_row((&kind, &id, facet.name(), &value), |row| row.get(0))?;
                if found != 1 {
                    return Err(Failed::Problem(format!(
                        "the facet {} of a document ({kind}) is not indexed",
                        facet.name()
                    )));
                }
                self.facets += 1;
            }
            self.hash.update(b"document");
            for column in 0..5 {
                self.hash_column(row, column)?;
            }
            *self.documents.entry(kind).or_default() += 1;
            self.step()?;
        }
        Ok(())
    }

    /// Computes the hash of every line, and compares it where the database holds hashes.
    fn read_events(&mut self, chained: bool) -> Result<(), Failed> {
        let query = if chained {
            "SELECT revision, event, touched, hash FROM events ORDER BY revision"
        } else {
            "SELECT revision, event, touched FROM events ORDER BY revision"
        };
        let mut statement = self.connection.prepare(query)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        let mut expected = 1;
        while let Some(row) = rows.next()? {
            let revision = unsigned(row, 0)?;
            if revision != expected {
                return Err(Failed::Problem(format!(
                    "revision {expected} is missing from the event log"
                )));
            }
            expected += 1;
            let event = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            let event = stored_event(event).map_err(|error| {
                Failed::Problem(format!("the event of revision {revision}: {error}"))
            })?;
            self.head = self.head.followed_by(&event.canonical());
            if chained && stored_hash(row, 3).ok() != Some(self.head.hash) {
                return Err(Failed::Problem(format!(
                    "the hash of revision {revision} is not that of its event and all before it: \
                     the event log was altered"
                )));
            }
            self.hash.update(b"event");
            for column in 0..columns {
                self.hash_column(row, column)?;
            }
            self.step()?;
        }
        Ok(())
    }

    /// Each value with its length before it, so that no two rows are ever the same bytes.
    fn hash_column(&mut self, row: &Row<'_>, column: usize) -> Result<(), Failed> {
        let value = row.get_ref(column)?;
        if let Ok(number) = value.as_i64() {
            self.hash.update(&number.to_be_bytes());
        } else {
            let bytes = value.as_bytes().map_err(rusqlite::Error::from)?;
            self.hash.update(&(bytes.len() as u64).to_be_bytes());
            self.hash.update(bytes);
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Failed> {
        self.done += 1;
        if !self.done.is_multiple_of(ROWS) && self.done != self.all {
            return Ok(());
        }
        let (done, all) = (self.done, self.all);
        match (self.watch)(Progress::Checking { done, all }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Failed::Other(BackupError::Cancelled)),
        }
    }
}

fn count(connection: &Connection, query: &str) -> rusqlite::Result<u64> {
    connection.query_row(query, [], |row| unsigned(row, 0))
}
