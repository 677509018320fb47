//! Files that hold secrets: made readable for their owner alone, and refused when they are not.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Largest secret file that is read.
const LARGEST: u64 = 64 * 1024;

/// Why a secret file cannot be used. Each is a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    #[error(
        "{path} can be read by other users of this machine (mode {mode:04o}): make it yours alone \
         with `chmod 600 {path}`, and if others may have read it, replace it"
    )]
    Exposed { path: PathBuf, mode: u32 },
    #[error("{0} is missing, but the account is there: restore it from a backup")]
    Lost(PathBuf),
    #[error("{0} is not a regular file")]
    NotAFile(PathBuf),
    #[error("{path} does not hold {expected}: restore it from a backup")]
    Damaged {
        path: PathBuf,
        expected: &'static str,
    },
    #[error("cannot use {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error(transparent)]
    NoEntropy(#[from] crate::entropy::NoEntropy),
}

fn failed(path: &Path) -> impl Fn(io::Error) -> SecretFileError + '_ {
    |source| SecretFileError::Io {
        path: path.to_owned(),
        source,
    }
}

/// The bytes of the file; `None` if there is none.
///
/// Refused if its group or others have any right to it, and if it is not a regular file.
pub fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, SecretFileError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path)(error)),
    };
    // Of the open file, so that nobody can swap it in between.
    let metadata = file.metadata().map_err(failed(path))?;
    if !metadata.is_file() {
        return Err(SecretFileError::NotAFile(path.to_owned()));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretFileError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    let length = usize::try_from(metadata.len().min(LARGEST)).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(length + 1));
    Read::take(&mut file, LARGEST)
        .read_to_end(&mut bytes)
        .map_err(failed(path))?;
    Ok(Some(bytes))
}

/// Writes a file (mode 0600) whole or not at all, and onto the disk before it returns. A file that
/// is there is replaced.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), SecretFileError> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed(&draft)(error));
        }
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .map_err(failed(&draft))?;
    file.write_all(bytes).map_err(failed(&draft))?;
    file.sync_all().map_err(failed(&draft))?;
    fs::rename(&draft, path).map_err(failed(path))?;
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(failed(directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_file_is_its_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        assert!(read(&path).unwrap().is_none());
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap().unwrap().as_slice(), b"two");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn s07_a_secret_file_that_others_may_read_is_refused_with_the_cure() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        write(&path, b"x").unwrap();
        for mode in [0o640, 0o604, 0o660, 0o601, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = read(&path).unwrap_err();
            assert!(matches!(error, SecretFileError::Exposed { .. }), "{mode:o}");
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(read(&path).unwrap().is_some());
        assert!(matches!(
            read(directory.path()),
            Err(SecretFileError::NotAFile(_))
        ));
    }

    #[test]
    fn what_a_broken_off_write_left_behind_is_no_obstacle() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        fs::write(directory.path().join("secret.new"), b"half").unwrap();
        write(&path, b"whole").unwrap();
        assert_eq!(read(&path).unwrap().unwrap().as_slice(), b"whole");
    }
}
