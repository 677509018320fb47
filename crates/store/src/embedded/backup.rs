//! A copy of the database in one file, made while a server goes on writing.
//!
//! The pages are copied inside one read transaction: in the write-ahead log a reader stops no
//! writer, and whatever is written meanwhile is not part of the copy. Until the copy ends the log
//! cannot be emptied, so it grows by what is written meanwhile.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::contents::{self, Contents, Progress, Watch};
use super::{OpenError, placing, schema};

/// Pages (4 KiB each) copied between two reports of the progress.
const STEP: i32 = 256;

/// What becomes of what is at the target already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the work is refused.
    Keep,
    /// It makes room: an older backup is overwritten, the files of a data directory are kept
    /// beside under another name.
    Replace,
}

/// Why a backup was not made, or not restored. Unless it says otherwise nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{path} cannot be used: {error}", path = path.display())]
    File {
        path: PathBuf,
        #[source]
        error: io::Error,
    },
    #[error("there is no database of Guestlist in {}", .0.display())]
    NoDatabase(PathBuf),
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    #[error("{} holds a database already", .0.display())]
    Occupied(PathBuf),
    #[error("{} is not a backup made by Guestlist", .0.display())]
    NotABackup(PathBuf),
    #[error("{} is in the way: a backup must not overwrite the database it is made of", .0.display())]
    Itself(PathBuf),
    #[error(
        "{path} has a write-ahead log beside it: it is a database in use and not a backup; make one with \
         `guestlist backup`",
        path = .0.display()
    )]
    NotSettled(PathBuf),
    #[error("{path} is damaged: {problem}", path = path.display())]
    Damaged { path: PathBuf, problem: String },
    #[error(
        "{path} was written by a newer Guestlist (schema {found}, this one knows {known}); use the newer version",
        path = path.display()
    )]
    Newer {
        path: PathBuf,
        found: i64,
        known: u32,
    },
    #[error(
        "{path} was written by an older Guestlist (schema {found}, this one writes {known}); start this version \
         on it once",
        path = path.display()
    )]
    Older {
        path: PathBuf,
        found: i64,
        known: u32,
    },
    #[error("the copy is not the same as {}: the disk cannot be trusted", .0.display())]
    Differs(PathBuf),
    #[error(
        "a restore into {} was broken off when its files were complete: start the server, which finishes it",
        .0.display()
    )]
    Unfinished(PathBuf),
    #[error("{} is locked by another program that does not belong to Guestlist", .0.display())]
    Locked(PathBuf),
    #[error("broken off")]
    Cancelled,
    #[error(transparent)]
    Directory(OpenError),
    #[error("the database cannot be read: {0}")]
    Database(#[from] rusqlite::Error),
}

impl From<OpenError> for BackupError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Foreign { path } => Self::NotABackup(path),
            OpenError::Database(error) => Self::Database(error),
            error @ (OpenError::Newer { .. }
            | OpenError::Directory { .. }
            | OpenError::InUse { .. }
            | OpenError::NoWriteAheadLog { .. }
            | OpenError::OldLibrary { .. }) => Self::Directory(error),
        }
    }
}

impl BackupError {
    pub(super) fn file(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        |error| Self::File {
            path: path.to_owned(),
            error,
        }
    }

    /// Only what is made is written to, so it is that which has no room.
    pub(super) fn at_full_disk(self, home: &Path) -> Self {
        if let Self::Database(error) = &self
            && error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        {
            return Self::file(home)(ErrorKind::StorageFull.into());
        }
        self
    }

    /// What an error of SQLite, or one about a database in a data directory, says of a file.
    pub(super) fn in_file(self, file: &Path) -> Self {
        let path = file.to_owned();
        if let Self::Directory(OpenError::Newer { found, known }) = self {
            return Self::Newer { path, found, known };
        }
        let Self::Database(error) = self else {
            return self;
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotABackup(path),
            Some(ErrorCode::DatabaseCorrupt) | None => Self::Damaged {
                path,
                problem: error.to_string(),
            },
            Some(_) => Self::Database(error),
        }
    }
}

/// A backup that was made and compared with its original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    pub contents: Contents,
    /// The length of the file, in bytes.
    pub bytes: u64,
}

/// Copies the database of a directory, of a running server or not, into one file (mode 0600).
///
/// The copy holds every change that was acknowledged before the call, and is compared with what the
/// transaction sees that it was made in. The file appears under its name when it is complete and on
/// the disk. Blocks the thread; `watch` is told of the progress and can break it off.
pub fn backup(
    directory: &Path,
    file: &Path,
    existing: Existing,
    watch: Watch<'_>,
) -> Result<BackedUp, BackupError> {
    schema::check_library(rusqlite::version_number())?;
    let database = directory.join(schema::FILE);
    if !database.is_file() {
        return Err(BackupError::NoDatabase(directory.to_owned()));
    }
    if placing::is_unfinished(directory) {
        return Err(BackupError::Unfinished(directory.to_owned()));
    }
    refuse_target(file, &database, existing)?;
    let home = parent(file);
    // Only the owner may read it, from its first byte.
    let draft = tempfile::Builder::new()
        .prefix(".guestlist-backup-")
        .suffix(".partial")
        .tempfile_in(home)
        .map_err(BackupError::file(home))?
        .into_temp_path();
    let full = |error: BackupError| error.at_full_disk(home);
    let original = copy(&database, &draft, watch).map_err(full)?;
    settle(&draft).map_err(full)?;
    sync(&draft).map_err(BackupError::file(&draft))?;
    let copied = contents::check(&draft, watch)?;
    if copied != original {
        return Err(BackupError::Differs(database));
    }
    let bytes = draft.metadata().map_err(BackupError::file(&draft))?.len();
    let placed = match existing {
        // Not even a file that appeared meanwhile is overwritten.
        Existing::Keep => draft.persist_noclobber(file),
        Existing::Replace => draft.persist(file),
    };
    placed.map_err(|failed| {
        if failed.error.kind() == ErrorKind::AlreadyExists {
            return BackupError::Exists(file.to_owned());
        }
        BackupError::file(file)(failed.error)
    })?;
    sync(home).map_err(BackupError::file(home))?;
    Ok(BackedUp {
        contents: copied,
        bytes,
    })
}

/// Refuses early what could not be put in place at the end, and what must not be overwritten.
fn refuse_target(file: &Path, database: &Path, existing: Existing) -> Result<(), BackupError> {
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(BackupError::file(file)(error)),
    };
    let original = database.metadata().map_err(BackupError::file(database))?;
    if (metadata.dev(), metadata.ino()) == (original.dev(), original.ino()) {
        return Err(BackupError::Itself(file.to_owned()));
    }
    match existing {
        Existing::Keep => Err(BackupError::Exists(file.to_owned())),
        // Devices and pipes are empty too, or never end.
        Existing::Replace if !metadata.is_file() => Err(BackupError::NotABackup(file.to_owned())),
        Existing::Replace => {
            let mut head = [0; 100];
            let read = File::open(file)
                .and_then(|mut file| file.read(&mut head))
                .map_err(BackupError::file(file))?;
            if read == 0 || schema::is_ours(&head) {
                return Ok(());
            }
            Err(BackupError::NotABackup(file.to_owned()))
        }
    }
}

/// Copies the pages of one moment, and gives what the original holds at that moment.
fn copy(database: &Path, draft: &Path, watch: Watch<'_>) -> Result<Contents, BackupError> {
    let mut source = schema::open_reader(database)?;
    let moment = source.transaction()?;
    // The first statement fixes the moment. Without the transaction SQLite would begin the copy
    // anew after every commit of the server, and never end.
    schema::known_version(&moment, database)?;
    let mut target = open_draft(draft)?;
    target.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
    target.pragma_update(None, "synchronous", "off")?;
    let page: u32 = moment.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = Backup::new(&moment, &mut target)?;
    loop {
        let step = pages.step(STEP)?;
        let now = pages.progress();
        let bytes = |pages: i32| u64::try_from(pages).unwrap_or(0) * u64::from(page);
        let all = bytes(now.pagecount);
        let done = all.saturating_sub(bytes(now.remaining));
        tell(watch, Progress::Copying { done, all })?;
        if step == StepResult::Done {
            break;
        }
        // No one else has either file in a way that could lock it.
        if step != StepResult::More {
            return Err(BackupError::Locked(database.to_owned()));
        }
    }
    drop(pages);
    close(target)?;
    contents::read(&moment, database, watch)
}

fn open_draft(draft: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(draft, flags)
}

/// The copied header asks for a write-ahead log; a backup is one file and needs none.
fn settle(draft: &Path) -> Result<(), BackupError> {
    let connection = open_draft(draft)?;
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "delete", |row| row.get(0))?;
    if mode != "delete" {
        return Err(BackupError::NotSettled(draft.to_owned()));
    }
    Ok(close(connection)?)
}

fn close(connection: Connection) -> rusqlite::Result<()> {
    connection.close().map_err(|(_connection, error)| error)
}

/// Everything written to a file, or every name in a directory, is on the disk.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

pub(super) fn parent(path: &Path) -> &Path {
    let parent = path.parent().filter(|path| !path.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Tells of the progress, and ends the work if whoever is told wants so.
pub(crate) fn tell(watch: Watch<'_>, progress: Progress) -> Result<(), BackupError> {
    match watch(progress) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(BackupError::Cancelled),
    }
}
