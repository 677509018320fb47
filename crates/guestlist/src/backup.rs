//! `guestlist backup`: the database of a running server in one file, and its secrets apart from it.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use guestlist_api::chain::ChainHash;
use guestlist_server::secret_files;
use guestlist_server::startup::{SECRET_FILES, is_dispensable};
use guestlist_store::{BackupError, Contents, Existing, backup};
use serde::Serialize;

use crate::exits::Failure;
use crate::output::{Output, details};
use crate::progress::watched;
use crate::settings;

/// Copies the database of a data directory into one file, while its server runs
///
/// Works on the files of this machine: run it where the server runs, as the same user. The copy
/// holds every change that was answered before the command began, and is read from its first to
/// its last byte and compared with the original before it appears under its name.
#[derive(Debug, Args)]
#[command(after_help = "\
The file holds no pepper and no keys. Keep those apart from it: with --secrets, they are \
copied too. They never change, so once is enough.

Example:
  guestlist backup --data /var/lib/guestlist /backup/guestlist-$(date +%F).db")]
pub(crate) struct BackupArguments {
    /// The file to make
    file: PathBuf,

    #[command(flatten)]
    data: DataArgument,

    /// Overwrite FILE if it is an older backup
    #[arg(long)]
    force: bool,

    /// Also copy the pepper and the keys into this directory
    #[arg(long, value_name = "DIRECTORY")]
    secrets: Option<PathBuf>,
}

/// Which data directory.
#[derive(Debug, Args)]
pub(crate) struct DataArgument {
    /// The server's data directory [default: the platform's data directory]
    #[arg(long, env = "GUESTLIST_DATA", value_name = "DIRECTORY")]
    data: Option<PathBuf>,
}

impl DataArgument {
    pub(crate) fn directory(self) -> Result<PathBuf, Failure> {
        self.data.map_or_else(
            || settings::default_data().map_err(|error| Failure::invalid(format!("{error:#}"))),
            Ok,
        )
    }
}

/// What a database holds, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    /// By kind.
    pub(crate) documents: BTreeMap<String, u64>,
    pub(crate) events: u64,
    pub(crate) last_revision: u64,
    /// Of the newest event and all before it.
    pub(crate) last_hash: ChainHash,
    pub(crate) schema: u32,
    pub(crate) bytes: u64,
    /// SHA-256 over all documents and events: the same for the same contents.
    pub(crate) hash: String,
}

impl Summary {
    pub(crate) fn new(contents: Contents, bytes: u64) -> Self {
        Self {
            last_revision: contents.revision().0,
            last_hash: contents.head,
            documents: contents.documents,
            events: contents.events,
            schema: contents.schema,
            bytes,
            hash: contents.hash,
        }
    }

    /// As names and values.
    pub(crate) fn lines(&self) -> [(&'static str, String); 5] {
        let all: u64 = self.documents.values().sum();
        let kinds: Vec<String> = self
            .documents
            .iter()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        [
            ("Documents", format!("{all} ({})", kinds.join(", "))),
            (
                "Events",
                format!("{} (to revision {})", self.events, self.last_revision),
            ),
            ("Last hash", self.last_hash.to_string()),
            ("Bytes", self.bytes.to_string()),
            ("Hash", self.hash.clone()),
        ]
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    file: PathBuf,
    #[serde(flatten)]
    summary: Summary,
    /// Secrets that were copied.
    copied_secrets: Vec<PathBuf>,
    /// Secrets that are in no copy that this command made.
    keep_separately: Vec<PathBuf>,
}

pub(crate) fn run(arguments: BackupArguments, output: &Output) -> Result<(), Failure> {
    let BackupArguments {
        file,
        data,
        force,
        secrets,
    } = arguments;
    let data = data.directory()?;
    let existing = if force {
        Existing::Replace
    } else {
        Existing::Keep
    };
    // First, because they are what a backup is useless without; the database may take long.
    let copied_secrets = match &secrets {
        Some(directory) => copy_secrets(&data, directory)?,
        None => Vec::new(),
    };
    let (from, to) = (data.clone(), file.clone());
    let made = watched(output, move |watcher| {
        backup(&from, &to, existing, &mut |progress| {
            watcher.report(progress)
        })
    })?;
    let made = made.map_err(|error| not_made(&error, &data))?;
    let keep_separately = if secrets.is_none() {
        secret_paths(&data).filter(|path| path.exists()).collect()
    } else {
        Vec::new()
    };
    if !keep_separately.is_empty() {
        output.notice(&format!(
            "Not in the backup, and nothing can be restored without them: {}. They never change; \
             keep copies apart from the backup (--secrets DIRECTORY makes them).",
            paths(&keep_separately)
        ));
    }
    let made = Made {
        file,
        summary: Summary::new(made.contents, made.bytes),
        copied_secrets,
        keep_separately,
    };
    output.show(&made, |made| {
        let mut lines = vec![("Backup", made.file.display().to_string())];
        lines.extend(made.summary.lines());
        if !made.copied_secrets.is_empty() {
            lines.push(("Secrets", paths(&made.copied_secrets)));
        }
        details(lines)
    })
}

fn paths(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}

fn secret_paths(directory: &Path) -> impl Iterator<Item = PathBuf> {
    SECRET_FILES.iter().map(|name| directory.join(name))
}

/// Copies the secrets of a data directory. One that is there already is left alone if it is the
/// same, and never overwritten: it may be the last copy of another server's.
fn copy_secrets(data: &Path, directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: secret_files::SecretFileError| Failure::local(error.to_string());
    let mut copies = Vec::new();
    let mut kept = Vec::new();
    for (file, to) in SECRET_FILES.into_iter().zip(secret_paths(directory)) {
        let from = data.join(file);
        let Some(secret) = secret_files::read(&from).map_err(failed)? else {
            // Made by the next start, if nothing is encrypted with it yet.
            if is_dispensable(file, 0) {
                continue;
            }
            return Err(
                Failure::not_found(format!("there is no {}", from.display()))
                    .hint("Is --data the data directory of a server that was started once?"),
            );
        };
        kept.push(to.clone());
        match secret_files::read(&to).map_err(failed)? {
            Some(there) if there == secret => {}
            Some(_) => {
                return Err(Failure::conflict(format!(
                    "{} is there already and is another one",
                    to.display()
                ))
                .hint("Give each server a directory of its own for its secrets."));
            }
            None => copies.push((to, secret)),
        }
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| Failure::local(format!("cannot make {}: {error}", directory.display())))?;
    for (to, secret) in copies {
        secret_files::write(&to, &secret).map_err(failed)?;
    }
    Ok(kept)
}

fn not_made(error: &BackupError, data: &Path) -> Failure {
    let message = error.to_string();
    match error {
        BackupError::Exists(_) => Failure::conflict(message)
            .hint("Choose another name, or overwrite an older backup with --force."),
        BackupError::NoDatabase(_) => Failure::not_found(message)
            .hint("Say where the server keeps its data with --data DIRECTORY."),
        BackupError::NotABackup(_) => Failure::conflict(message)
            .hint("It is left alone, because it may be something else. Choose another name."),
        BackupError::Itself(_) => Failure::conflict(message),
        BackupError::Damaged { .. } => Failure::local(message).hint(format!(
            "The database in {} is damaged itself. Keep your older backups.",
            data.display()
        )),
        BackupError::Cancelled => Failure::interrupted(),
        BackupError::File { .. }
        | BackupError::Occupied(_)
        | BackupError::NotSettled(_)
        | BackupError::Newer { .. }
        | BackupError::Older { .. }
        | BackupError::Differs(_)
        | BackupError::Unfinished(_)
        | BackupError::Locked(_)
        | BackupError::Directory(_)
        | BackupError::Database(_) => Failure::local(message),
    }
}
