//! `guestlist import`: an export becomes the database of a data directory.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use guestlist_store::{Existing, ExportFile, TransferError, refuse_in_use};
use serde::Serialize;

use crate::backup::DataArgument;
use crate::exits::Failure;
use crate::export::{Summary, refused};
use crate::output::{Output, details};
use crate::progress::{Watcher, watched};
use crate::{restore, standard_input};

/// Makes the database of a data directory from an export
///
/// The server of the directory must not run. The whole export is read and compared with its counts
/// and its SHA-256 before anything is touched, and the new database must give the same export before
/// it takes its place. If the command ends early, the directory is as it was or as it should become.
/// Start the server afterwards: access keys and tokens go on working.
#[derive(Debug, Args)]
#[command(after_help = "\
The SHA-256 tells damage, not intent: import only what you trust. An export brings back access that \
was taken away after it was made.

Examples:
  guestlist import --data /var/lib/guestlist --secrets /safe/guestlist /backup/guestlist.ndjson
  gunzip -c guestlist.ndjson.gz | guestlist import --data /var/lib/guestlist -")]
pub(crate) struct ImportArguments {
    /// The export; - for standard input
    file: PathBuf,

    #[command(flatten)]
    data: DataArgument,

    /// Replace the database that is there. It is kept beside, in a directory replaced-1, …
    #[arg(long)]
    replace: bool,

    /// The directory with the pepper and the keys that belong to the export. Without it they must be
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

pub(crate) fn run(arguments: ImportArguments, output: &Output) -> Result<(), Failure> {
    let ImportArguments {
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
