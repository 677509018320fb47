//! How restored files take the place of others: from the moment they are complete they win, also
//! when the process ends in between, because whoever opens the directory next goes on.
//!
//! A restore gathers its files in `restore.partial`. That name becomes `restore.ready` in one step
//! when all of them are complete and on the disk; before it, the directory is as it was. After it,
//! every file that is displaced goes to `restore.ready/replaced`, every new one to its place, and
//! at the end the displaced ones are kept as `replaced-1`, `replaced-2`, …

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::backup::sync;
use super::schema;

/// Where a restore gathers its files. Means nothing, and is removed by the next restore.
pub(super) const PARTIAL: &str = "restore.partial";
/// What it becomes when they are complete.
const READY: &str = "restore.ready";
const REPLACED: &str = "replaced";
/// The most sets of displaced files in one directory.
const MOST_REPLACED: u32 = 10_000;

/// Whether files wait to be put in place.
pub(super) fn is_unfinished(directory: &Path) -> bool {
    directory.join(READY).exists()
}

/// Makes an empty place to gather files in.
pub(super) fn begin(directory: &Path) -> io::Result<PathBuf> {
    let partial = directory.join(PARTIAL);
    give_up(directory)?;
    DirBuilder::new().mode(0o700).create(&partial)?;
    Ok(partial)
}

/// Removes what was gathered.
pub(super) fn give_up(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory.join(PARTIAL)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The one step from the old state to the new one. Everything gathered is on the disk already.
pub(super) fn commit(directory: &Path) -> io::Result<()> {
    sync(&directory.join(PARTIAL))?;
    fs::rename(directory.join(PARTIAL), directory.join(READY))?;
    sync(directory)
}

/// Puts the files that wait in place, if there are any, and gives the directory in which those are
/// that they displaced. Needs the lock of the directory. May be repeated after it broke off.
pub(super) fn finish(directory: &Path) -> io::Result<Option<PathBuf>> {
    let ready = directory.join(READY);
    if !ready.exists() {
        return Ok(None);
    }
    let replaced = ready.join(REPLACED);
    match DirBuilder::new().mode(0o700).create(&replaced) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let names = fs::read_dir(&ready)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<Vec<OsString>>>()?;
    for name in names.into_iter().filter(|name| name != REPLACED) {
        for old in displaced_by(&name) {
            move_if_there(&directory.join(&old), &replaced.join(&old))?;
        }
        // A log that is still in the old place would be read into the new database.
        sync(&replaced)?;
        sync(directory)?;
        fs::rename(ready.join(&name), directory.join(&name))?;
    }
    sync(&ready)?;
    sync(directory)?;
    let kept = keep(directory, &replaced)?;
    fs::remove_dir(&ready)?;
    sync(directory)?;
    Ok(kept)
}

/// The files that must be gone before one is put in place.
fn displaced_by(name: &OsStr) -> Vec<OsString> {
    let mut names = vec![name.to_owned()];
    if name == schema::FILE {
        for suffix in ["-wal", "-shm", "-journal"] {
            let mut beside = name.to_owned();
            beside.push(suffix);
            names.push(beside);
        }
    }
    names
}

fn move_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Gives the displaced files a name of their own.
fn keep(directory: &Path, replaced: &Path) -> io::Result<Option<PathBuf>> {
    if fs::read_dir(replaced)?.next().is_none() {
        fs::remove_dir(replaced)?;
        return Ok(None);
    }
    let kept = (1..=MOST_REPLACED)
        .map(|number| directory.join(format!("{REPLACED}-{number}")))
        .find(|path| !path.exists());
    let kept = kept.ok_or_else(|| io::Error::other("too many replaced databases are kept"))?;
    fs::rename(replaced, &kept)?;
    Ok(Some(kept))
}
