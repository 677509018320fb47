//! Keeps two commands from changing one file at the same time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::exits::Failure;

const PAUSE: Duration = Duration::from_millis(50);
/// With the pause: 20 seconds, more than any command holds a lock.
const ATTEMPTS: usize = 400;

/// Waits for the lock of a file, which ends when what is returned is dropped.
///
/// The lock is a file of its own beside it, since the file itself is replaced when it is written.
pub(crate) async fn lock(path: &Path) -> Result<File, Failure> {
    let beside = lock_path(path);
    let failed = |error| Failure::local(format!("cannot lock {}: {error}", beside.display()));
    if let Some(directory) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(failed)?;
    }
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&beside)
        .map_err(failed)?;
    for _ in 0..ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    Err(Failure::local(format!(
        "another command keeps changing {}: try again",
        path.display()
    )))
}

/// Where the lock of a file is.
pub(crate) fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
