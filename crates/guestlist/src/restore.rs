//! `guestlist restore`: a backup becomes the database of a data directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use guestlist_rules::changes::Kind;
use guestlist_server::startup::{self, SECRET_FILES};
use guestlist_store::{BackupError, BackupFile, Existing, OpenError, refuse_in_use};
use serde::Serialize;

use crate::backup::{DataArgument, Summary};
use crate::exits::Failure;
use crate::output::{Output, details};
use crate::progress::watched;

/// Puts a backup into a data directory
///
/// The server of the directory must not run. The file is read from its first to its last byte
/// before anything is touched. If the command ends early, the directory is as it was or as it
/// should become. Start the server afterwards: access keys and tokens go on working.
#[derive(Debug, Args)]
#[command(after_help = "\
A backup brings back access that was taken away after it was made. Look through it afterwards.

Example:
  guestlist restore --data /var/lib/guestlist --secrets /safe/guestlist /backup/guestlist.db")]
pub(crate) struct RestoreArguments {
    /// The backup
    file: PathBuf,

    #[command(flatten)]
    data: DataArgument,

    /// Replace the database that is there. It is kept beside, in a directory replaced-1, …
    #[arg(long)]
    replace: bool,

    /// The directory with the pepper and the keys that belong to the backup. Without it they must be
    /// in the data directory already
    #[arg(long, value_name = "DIRECTORY")]
    secrets: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct InPlace {
    data: PathBuf,
    #[serde(flatten)]
    summary: Summary,
    /// Where the files are whose place was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<PathBuf>,
}

pub(crate) fn run(arguments: RestoreArguments, output: &Output) -> Result<(), Failure> {
    let RestoreArguments {
        file,
        data,
        replace,
        secrets,
    } = arguments;
    let data = data.directory()?;
    let existing = if replace {
        Existing::Replace
    } else {
        Existing::Keep
    };
    refuse_in_use(&data).map_err(|error| not_restored(&error))?;
    let checked = watched(output, move |watcher| {
        BackupFile::check(&file, &mut |progress| watcher.report(progress))
    })?;
    let checked = checked.map_err(|error| not_restored(&error))?;
    let companions = companions(secrets.as_deref(), &data, &checked.contents().documents)?;
    let to = data.clone();
    let restored = watched(output, move |watcher| {
        checked.restore(&to, existing, &companions, &mut |progress| {
            watcher.report(progress)
        })
    })?;
    let restored = restored.map_err(|error| not_restored(&error))?;
    if secrets.is_none() {
        output.notice(&format!(
            "The pepper and the keys in {} stay as they are. If they are not those of the backup, \
             pending invites, the secrets of connections and the server's own tokens are void.",
            data.display()
        ));
    }
    let in_place = InPlace {
        data,
        summary: Summary::new(restored.contents, restored.bytes),
        replaced: restored.replaced,
    };
    output.show(&in_place, |in_place| {
        let mut lines = vec![("Restored to", in_place.data.display().to_string())];
        lines.extend(in_place.summary.lines());
        if let Some(replaced) = &in_place.replaced {
            lines.push(("Kept in", replaced.display().to_string()));
        }
        details(lines)
    })
}

/// The secrets that come with so many documents of each kind, from the directory of `--secrets`.
/// Refuses them, or those in the data directory, if one is missing.
pub(crate) fn companions(
    secrets: Option<&Path>,
    data: &Path,
    documents: &BTreeMap<String, u64>,
) -> Result<Vec<PathBuf>, Failure> {
    if secrets.is_some() || documents.contains_key(Kind::Account.name()) {
        let counted = startup::SEALED_KINDS.map(|kind| documents.get(kind.name()).copied());
        let sealed = counted.into_iter().flatten().sum();
        require_secrets(secrets.unwrap_or(data), data, sealed)?;
    }
    let Some(directory) = secrets else {
        return Ok(Vec::new());
    };
    let secrets = SECRET_FILES.map(|name| directory.join(name));
    // Those that must be there were asked for.
    Ok(secrets.into_iter().filter(|path| path.exists()).collect())
}

/// The check of a start, before anything is touched: without its pepper the data cannot be served.
fn require_secrets(directory: &Path, data: &Path, sealed: u64) -> Result<(), Failure> {
    startup::require_secrets(directory, sealed).map_err(|error| {
        Failure::local(error.to_string()).hint(format!(
            "Nothing was changed. Say with --secrets DIRECTORY where the pepper and the keys \
             of the backup are, or put them into {} with mode 0600.",
            data.display()
        ))
    })
}

fn not_restored(error: &BackupError) -> Failure {
    let message = error.to_string();
    match error {
        BackupError::Occupied(_) => Failure::conflict(message)
            .hint("Choose another --data, or replace it with --replace: it is kept beside."),
        BackupError::Exists(_) => Failure::conflict(message)
            .hint("It is not the one in --secrets. Replace it with --replace: it is kept beside."),
        BackupError::Directory(OpenError::InUse { .. }) => {
            Failure::conflict(message).hint("Nothing was changed.")
        }
        BackupError::NotABackup(_)
        | BackupError::NotSettled(_)
        | BackupError::Damaged { .. }
        | BackupError::Newer { .. }
        | BackupError::Older { .. } => Failure::invalid(message).hint("Nothing was changed."),
        BackupError::Cancelled => Failure::interrupted(),
        BackupError::File { .. }
        | BackupError::NoDatabase(_)
        | BackupError::Itself(_)
        | BackupError::Differs(_)
        | BackupError::Unfinished(_)
        | BackupError::Locked(_)
        | BackupError::Directory(_)
        | BackupError::Database(_) => Failure::local(message),
    }
}
