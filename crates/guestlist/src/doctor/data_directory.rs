//! Whether the data directory of a server on this machine is whole, private, and not about to be full.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::Findings;

/// The database, whose presence says that there is an account.
const DATABASE: &str = "guestlist.db";
/// Secrets without which what is stored cannot be used.
const SECRETS: [&str; 2] = ["pepper", "user-token-key"];
/// The key of the secrets of connections. A start makes it as long as there are none.
const SEALING_KEY: &str = "sealing-key";
/// The owner's key, which may have been moved away.
const OWNER_KEY: &str = "owner-access-key";
const MEBIBYTE: u64 = 1024 * 1024;
/// With less, writing may soon fail.
const SPACE_NEEDED: u64 = 100 * MEBIBYTE;
/// With less, it is time to look for more.
const SPACE_WANTED: u64 = 1024 * MEBIBYTE;

pub(super) fn examine(directory: &Path, findings: &mut Findings) {
    if whole(directory, findings) {
        secrets(directory, findings);
    }
    space(directory, findings);
}

/// Whether it can be looked into.
fn whole(directory: &Path, findings: &mut Findings) -> bool {
    const CHECK: &str = "data directory";
    let place = directory.display();
    let metadata = match fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => {
            findings.problem(CHECK, format!("{place} is no directory"), WHICH);
            return false;
        }
        Err(error) => {
            findings.problem(CHECK, format!("cannot look into {place}: {error}"), WHICH);
            return false;
        }
    };
    let mode = metadata.mode() & 0o777;
    if mode & 0o022 != 0 {
        findings.problem(
            CHECK,
            format!("others on this machine may change {place} (mode {mode:04o})"),
            format!("chmod 700 {place}"),
        );
    } else if mode & 0o077 != 0 {
        findings.warning(
            CHECK,
            format!("others on this machine may look into {place} (mode {mode:04o})"),
            format!("chmod 700 {place}"),
        );
    } else {
        findings.ok(CHECK, format!("{place}, private"));
    }
    match fs::metadata(directory.join(DATABASE)) {
        Ok(metadata) if metadata.mode() & 0o077 != 0 => findings.warning(
            "database",
            format!("others may read the database, if they get into {place}"),
            format!("chmod 600 {}", directory.join(DATABASE).display()),
        ),
        Ok(metadata) => findings.ok(
            "database",
            format!("{} MiB", metadata.len().div_ceil(MEBIBYTE)),
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => findings.warning(
            "database",
            format!("there is none in {place}"),
            "The first start of a server makes it, unless it has --store. Is this its --data?",
        ),
        Err(error) => findings.problem("database", error.to_string(), WHICH),
    }
    true
}

const WHICH: &str = "Is it the directory of --data, and do you ask as the user of the server?";

fn secrets(directory: &Path, findings: &mut Findings) {
    const CHECK: &str = "secrets";
    let is_in_use = directory.join(DATABASE).exists();
    let mut sound = true;
    for name in SECRETS.into_iter().chain([SEALING_KEY, OWNER_KEY]) {
        let path = directory.join(name);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.mode() & 0o077 != 0 => {
                sound = false;
                findings.problem(
                    CHECK,
                    format!(
                        "others may read {} (mode {:04o}): the server does not start so",
                        path.display(),
                        metadata.mode() & 0o777
                    ),
                    format!(
                        "chmod 600 {}; if others may have read it, replace it.",
                        path.display()
                    ),
                );
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if is_in_use && SECRETS.contains(&name) {
                    sound = false;
                    findings.problem(
                        CHECK,
                        format!(
                            "{} is missing, and the server does not start so",
                            path.display()
                        ),
                        "Restore it from a backup: a new one would void all invites or tokens.",
                    );
                }
            }
            Err(error) => {
                sound = false;
                findings.problem(CHECK, format!("{}: {error}", path.display()), WHICH);
            }
        }
    }
    if sound && is_in_use {
        let owner = if directory.join(OWNER_KEY).exists() {
            "; the owner's key is still there: keep it in a safer place"
        } else {
            ""
        };
        findings.ok(CHECK, format!("all there and private{owner}"));
    }
}

fn space(directory: &Path, findings: &mut Findings) {
    const CHECK: &str = "space";
    let free = match rustix::fs::statvfs(directory) {
        Ok(system) => system.f_bavail.saturating_mul(system.f_frsize),
        Err(error) => {
            findings.not_checked(CHECK, io::Error::from(error).to_string());
            return;
        }
    };
    let told = format!("{} MiB are left", free / MEBIBYTE);
    if free < SPACE_NEEDED {
        findings.problem(
            CHECK,
            told,
            "Make room: without it the server refuses to write.",
        );
    } else if free < SPACE_WANTED {
        findings.warning(CHECK, told, "Make room in time.");
    } else {
        findings.ok(CHECK, told);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::State;
    use super::*;

    fn states(directory: &Path) -> Vec<(&'static str, State)> {
        let mut findings = Findings::default();
        examine(directory, &mut findings);
        findings
            .0
            .into_iter()
            .filter(|finding| finding.check != "space")
            .map(|finding| (finding.check, finding.state))
            .collect()
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_directory_is_whole_and_private() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path();
        set_mode(directory, 0o700);
        for name in [DATABASE, "pepper", "user-token-key"] {
            fs::write(directory.join(name), "x").unwrap();
            set_mode(&directory.join(name), 0o600);
        }
        let sound = [
            ("data directory", State::Ok),
            ("database", State::Ok),
            ("secrets", State::Ok),
        ];
        assert_eq!(states(directory), sound);

        set_mode(directory, 0o777);
        assert_eq!(states(directory)[0].1, State::Problem);
        set_mode(directory, 0o755);
        assert_eq!(states(directory)[0].1, State::Warning);
        set_mode(directory, 0o700);

        set_mode(&directory.join("pepper"), 0o640);
        assert_eq!(states(directory)[2], ("secrets", State::Problem));
        fs::remove_file(directory.join("pepper")).unwrap();
        assert_eq!(states(directory)[2], ("secrets", State::Problem));

        assert_eq!(
            states(&directory.join("absent")),
            [("data directory", State::Problem)]
        );
    }
}
