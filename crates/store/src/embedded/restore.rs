//! A backup becomes the database of a data directory: all of it or nothing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};

use guestlist_rules::changes::Revision;

use super::backup::{BackupError, Existing, tell};
use super::contents::{self, Contents, Progress, Watch};
use super::{LOCK_FILE, OpenError, placing, prepare, reading, schema};

/// Bytes copied between two reports of the progress: 1 MiB.
const CHUNK: usize = 1 << 20;

/// A file that was read from its first to its last byte and is a backup.
#[derive(Debug)]
pub struct BackupFile {
    path: PathBuf,
    contents: Contents,
}

/// A backup that is in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    pub contents: Contents,
    /// The length of the database, in bytes.
    pub bytes: u64,
    /// Where the files are whose place was taken.
    pub replaced: Option<PathBuf>,
}

/// Refuses a directory that a server holds, and changes nothing: for telling so before a long work.
/// What counts is the lock that [`BackupFile::restore`] takes.
pub fn refuse_in_use(directory: &Path) -> Result<(), BackupError> {
    let path = directory.join(LOCK_FILE);
    let lock = match OpenOptions::new().write(true).open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(BackupError::file(&path)(error)),
    };
    match lock.try_lock() {
        Ok(()) => lock.unlock().map_err(BackupError::file(&path)),
        Err(TryLockError::WouldBlock) => Err(BackupError::Directory(OpenError::InUse {
            path: directory.to_owned(),
        })),
        Err(TryLockError::Error(error)) => Err(BackupError::file(&path)(error)),
    }
}

impl BackupFile {
    /// Reads the whole file and refuses what is damaged, newer or no backup. Blocks the thread.
    pub fn check(path: &Path, watch: Watch<'_>) -> Result<Self, BackupError> {
        schema::check_library(rusqlite::version_number())?;
        let metadata = path.metadata().map_err(BackupError::file(path))?;
        if !metadata.is_file() || metadata.len() == 0 {
            return Err(BackupError::NotABackup(path.to_owned()));
        }
        for suffix in ["-wal", "-journal"] {
            let mut beside = path.as_os_str().to_owned();
            beside.push(suffix);
            if length(Path::new(&beside))? > 0 {
                return Err(BackupError::NotSettled(path.to_owned()));
            }
        }
        let contents = contents::check(path, watch)?;
        Ok(Self {
            path: path.to_owned(),
            contents,
        })
    }

    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Puts a copy into a directory, which is made if there is none, and `companions` with it:
    /// files that keep their names and get mode 0600.
    ///
    /// A process that ends in between, or a power cut, leaves the old state or the new one. What is
    /// replaced is kept in a directory beside. Blocks the thread.
    pub fn restore(
        self,
        directory: &Path,
        existing: Existing,
        companions: &[PathBuf],
        watch: Watch<'_>,
    ) -> Result<Restored, BackupError> {
        let path = self.path;
        let expected = self.contents;
        let placed = put_in_place(directory, existing, companions, &mut |database| {
            let bytes = copy(&path, database, watch)?;
            if contents::check(database, watch)? != expected {
                return Err(BackupError::Differs(path.clone()));
            }
            Ok(bytes)
        })?;
        if placed.newest != expected.revision() {
            return Err(BackupError::Differs(path));
        }
        Ok(Restored {
            contents: expected,
            bytes: placed.made,
            replaced: placed.replaced,
        })
    }
}

/// A database that took its place.
pub(super) struct Placed<T> {
    /// What was told of it when it was made.
    pub(super) made: T,
    /// Where the files are whose place was taken.
    pub(super) replaced: Option<PathBuf>,
    /// The newest revision that is read in its place.
    pub(super) newest: Revision,
}

/// Makes a database beside the directory's own, whole and on the disk, and then puts it into its
/// place: a process that ends in between leaves the old state or the new one.
///
/// `build` is told the path of a file that is not there yet.
pub(super) fn put_in_place<T, E: From<BackupError>>(
    directory: &Path,
    existing: Existing,
    companions: &[PathBuf],
    build: &mut dyn FnMut(&Path) -> Result<T, E>,
) -> Result<Placed<T>, E> {
    let _lock = prepare(directory).map_err(BackupError::from)?;
    hand_over(&directory.join(LOCK_FILE), directory)?;
    if existing == Existing::Keep && holds_database(directory)? {
        return Err(BackupError::Occupied(directory.to_owned()).into());
    }
    let made = match gather(directory, existing, companions, build) {
        Ok(made) => made,
        Err(error) => {
            // The first error is the one to tell; what is left means nothing.
            drop(placing::give_up(directory));
            return Err(error);
        }
    };
    let in_directory = BackupError::file(directory);
    placing::commit(directory).map_err(&in_directory)?;
    let replaced = placing::finish(directory).map_err(&in_directory)?;
    if let Some(kept) = &replaced {
        hand_over(kept, directory)?;
    }
    let newest = newest_in_place(&directory.join(schema::FILE))?;
    Ok(Placed {
        made,
        replaced,
        newest,
    })
}

fn newest_in_place(database: &Path) -> Result<Revision, BackupError> {
    let placed = contents::open_still(database)?;
    schema::known_version(&placed, database)?;
    Ok(reading::revision(&placed)?)
}

/// Gathers everything, complete and on the disk.
fn gather<T, E: From<BackupError>>(
    directory: &Path,
    existing: Existing,
    companions: &[PathBuf],
    build: &mut dyn FnMut(&Path) -> Result<T, E>,
) -> Result<T, E> {
    let partial = placing::begin(directory).map_err(BackupError::file(directory))?;
    hand_over(&partial, directory)?;
    for source in companions {
        gather_companion(source, directory, &partial, existing)?;
    }
    let database = partial.join(schema::FILE);
    let made = build(&database)?;
    hand_over(&database, directory)?;
    Ok(made)
}

fn gather_companion(
    source: &Path,
    directory: &Path,
    partial: &Path,
    existing: Existing,
) -> Result<(), BackupError> {
    let Some(name) = source.file_name() else {
        return Err(BackupError::file(source)(ErrorKind::InvalidFilename.into()));
    };
    let place = directory.join(name);
    if place.exists() {
        if is_same(source, &place)? {
            return Ok(());
        }
        if existing == Existing::Keep {
            return Err(BackupError::Exists(place));
        }
    }
    let copied = partial.join(name);
    copy(source, &copied, &mut |_| ControlFlow::Continue(()))?;
    hand_over(&copied, directory)
}

/// What the superuser puts into a directory belongs to whom the directory belongs: their server could
/// not read it otherwise.
fn hand_over(path: &Path, directory: &Path) -> Result<(), BackupError> {
    let owner = directory.metadata().map_err(BackupError::file(directory))?;
    let made = path.metadata().map_err(BackupError::file(path))?;
    if made.uid() == owner.uid() {
        return Ok(());
    }
    chown(path, Some(owner.uid()), Some(owner.gid())).map_err(BackupError::file(path))
}

/// Copies a file to a new one with mode 0600, onto the disk.
fn copy(from: &Path, to: &Path, watch: Watch<'_>) -> Result<u64, BackupError> {
    let mut source = File::open(from).map_err(BackupError::file(from))?;
    let all = source.metadata().map_err(BackupError::file(from))?.len();
    let mut target = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(BackupError::file(to))?;
    let mut chunk = vec![0; CHUNK];
    let mut done = 0;
    loop {
        let read = source.read(&mut chunk).map_err(BackupError::file(from))?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        target.write_all(bytes).map_err(BackupError::file(to))?;
        done += bytes.len() as u64;
        tell(watch, Progress::Copying { done, all })?;
    }
    target.sync_all().map_err(BackupError::file(to))?;
    Ok(done)
}

/// Whether there is anything that a database could be made of.
fn holds_database(directory: &Path) -> Result<bool, BackupError> {
    let database = directory.join(schema::FILE);
    let log = directory.join(format!("{}-wal", schema::FILE));
    Ok(length(&database)? > 0 || length(&log)? > 0)
}

/// The length of a file; 0 if there is none.
fn length(path: &Path) -> Result<u64, BackupError> {
    match path.metadata() {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(BackupError::file(path)(error)),
    }
}

fn is_same(one: &Path, other: &Path) -> Result<bool, BackupError> {
    let read = |path: &Path| fs::read(path).map_err(BackupError::file(path));
    Ok(read(one)? == read(other)?)
}
