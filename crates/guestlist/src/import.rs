//! `guestlist import FILE`: an export becomes the database of a data directory.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use guestlist_store::{Existing, ExportFile, TransferError, refuse_in_use};
use serde::Serialize;

use crate::account_import::AccountArguments;
use crate::backup::DataArgument;
use crate::exits::Failure;
use crate::export::{Summary, refused};
use crate::output::{Output, details};
use crate::progress::{Watcher, watched};
use crate::{restore, standard_input};

/// Takes in an export, or the account of another server
///
/// With FILE it makes the database of a data directory from an export. The server of the directory
/// must not run. The whole export is read and compared with its counts and its SHA-256 before
/// anything is touched, and the new database must give the same export before it takes its place.
/// If the command ends early, the directory is as it was or as it should become. Start the server
/// afterwards: access keys and tokens go on working.
///
/// With --from it reads an account by the API of another server and writes it to this one.
#[derive(Debug, Args)]
#[command(after_help = "\
With FILE: the SHA-256 tells damage, not intent: import only what you trust. An export brings back
access that was taken away after it was made.

With --from: documents keep their ids. What is here already and says the same is passed over; what says something
else is reported and left, unless --overwrite is said. Service clients get new ids, because a server
makes these itself; groups and records name the new ones here.

How far it came is written to the state file as it goes. After an interrupt or a failure the same
command carries on; nothing is made twice. The state file has ids in it and no secrets.

Some things cannot be read from a server and are never carried: access keys, secrets of connections,
open invites. The report lists them, and everything that was not carried with its reason.

Whoever owns the other server decides what you take in: who holds what, and whose tokens are believed.
--dry-run shows it first.

The exit code is 1 if something could be read that is not here now, or a list could not be read.

Examples:
  guestlist import --data /var/lib/guestlist --secrets /safe/guestlist /backup/guestlist.ndjson
  gunzip -c guestlist.ndjson.gz | guestlist import --data /var/lib/guestlist -
  guestlist import --from https://acc-1.api.authress.io --from-key-file old.key --dry-run
  guestlist import --from https://acc-1.api.authress.io --from-key-file old.key
  guestlist import --from https://old.example.com --leave-out identities --yes --report report.json")]
pub(crate) struct ImportArguments {
    /// The export; - for standard input
    #[arg(conflicts_with_all = ["from", "from_key_file", "from_token_file", "overwrite", "leave_out", "clients", "dry_run", "yes", "state", "report"])]
    file: Option<PathBuf>,

    #[command(flatten)]
    data: DataArgument,

    /// Replace the database that is there. It is kept beside, in a directory replaced-1, …
    #[arg(long, conflicts_with = "from")]
    replace: bool,

    /// The directory with the pepper and the keys that belong to the export. Without it they must be
    /// in the data directory already
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "from")]
    secrets: Option<PathBuf>,

    #[command(flatten)]
    account: AccountArguments,
}

/// What to take in.
pub(crate) enum Source {
    File(FileImport),
    Server(AccountArguments),
}

/// An export, and where it goes.
pub(crate) struct FileImport {
    file: PathBuf,
    data: DataArgument,
    replace: bool,
    secrets: Option<PathBuf>,
}

impl ImportArguments {
    pub(crate) fn source(self) -> Source {
        match self.file {
            Some(file) => Source::File(FileImport {
                file,
                data: self.data,
                replace: self.replace,
                secrets: self.secrets,
            }),
            None => Source::Server(self.account),
        }
    }
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

pub(crate) fn run(import: FileImport, output: &Output) -> Result<(), Failure> {
    let FileImport {
        file,
        data,
        replace,
        secrets,
    } = import;
    let data = data.directory()?;
    let existing = if replace {
        Existing::Replace
    } else {
        Existing::Keep
    };
    refuse_in_use(&data).map_err(|error| refused(&error.into()))?;
    if file == Path::new("-") {
        // Locked again where it is read, on another thread.
        drop(standard_input::take()?);
    }
    let checked = watched(output, move |watcher| check(&file, watcher))??;
    let companions = restore::companions(secrets.as_deref(), &data, &checked.end().documents)?;
    let summary = Summary::new(checked.header(), checked.end());
    let to = data.clone();
    let imported = watched(output, move |watcher| {
        checked.import(&to, existing, &companions, &mut |progress| {
            watcher.report(progress)
        })
    })?;
    let replaced = imported.map_err(|error| refused(&error))?;
    if secrets.is_none() {
        output.notice(&format!(
            "The pepper and the keys in {} stay as they are. If they are not those of the export, \
             pending invites, the secrets of connections and the server's own tokens are void.",
            data.display()
        ));
    }
    let in_place = InPlace {
        data,
        summary,
        replaced,
    };
    output.show(&in_place, |in_place| {
        let mut lines = vec![("Imported to", in_place.data.display().to_string())];
        lines.extend(in_place.summary.lines());
        if let Some(replaced) = &in_place.replaced {
            lines.push(("Kept in", replaced.display().to_string()));
        }
        details(lines)
    })
}

fn check(path: &Path, watcher: &mut Watcher) -> Result<ExportFile, Failure> {
    let unusable = |error: io::Error| {
        let message = format!("{} cannot be used: {error}", path.display());
        if error.kind() == io::ErrorKind::NotFound {
            return Failure::not_found(message);
        }
        Failure::local(message)
    };
    let file = if path == Path::new("-") {
        kept(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut file| {
            if file.metadata()?.is_file() {
                return Ok(file);
            }
            kept(&mut file)
        })
    };
    let file = file.map_err(unusable)?;
    ExportFile::check(file, &mut |progress| watcher.report(progress))
        .map_err(|error: TransferError| refused(&error))
}

/// What can be read but once, in a file without a name (mode 0600) that ends with the program: an
/// export is read twice, first to check it and then to import it.
fn kept(from: &mut dyn io::Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(from, &mut file)?;
    Ok(file)
}
