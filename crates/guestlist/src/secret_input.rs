//! Secrets from files, standard input and the environment: never from arguments, which others see.

use std::fs::{self, DirBuilder, File};
use std::io::{Read, StdinLock, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use guestlist_api::clients::AccessKeyText;

use crate::environment;
use crate::exits::Failure;

/// No access key or token is longer.
const LONGEST: u64 = 16 * 1024;

/// A secret from a file, or from standard input if the file is `-`; without the line's end.
pub(crate) fn read(path: &Path, what: &str) -> Result<AccessKeyText, Failure> {
    let read = if path == Path::new("-") {
        read_from(standard_input()?)
    } else {
        File::open(path).and_then(read_from)
    };
    let text = read.map_err(|error| {
        Failure::local(format!("cannot read {what} in {}: {error}", path.display()))
    })?;
    let text = text.trim();
    if text.is_empty() {
        return Err(Failure::invalid(format!(
            "{what} in {} is empty",
            path.display()
        )));
    }
    Ok(AccessKeyText::new(text.to_owned()))
}

/// Standard input, once: who comes second would find nothing in it, and take that for what was meant.
pub(crate) fn standard_input() -> Result<StdinLock<'static>, Failure> {
    static IS_READ: AtomicBool = AtomicBool::new(false);
    if IS_READ.swap(true, Ordering::Relaxed) {
        return Err(Failure::invalid(
            "standard input cannot be two things at once: put one of them into a file",
        ));
    }
    Ok(std::io::stdin().lock())
}

fn read_from(source: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    source.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// A secret from the environment.
pub(crate) fn from_environment(name: &str) -> Option<AccessKeyText> {
    environment::variable(name).map(|text| AccessKeyText::new(text.trim().to_owned()))
}

/// Whether others than its owner may read a file: worth a word, since a key is in it.
pub(crate) fn others_may_read(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o077 != 0)
}

/// Writes a file that only its owner may read, all or nothing.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let write = || -> std::io::Result<()> {
        let directory = path
            .parent()
            .filter(|directory| !directory.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(directory)?.sync_all()
    };
    write().map_err(|error| Failure::local(format!("cannot write {}: {error}", path.display())))
}
