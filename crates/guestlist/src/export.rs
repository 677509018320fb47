//! `guestlist export`: everything in a database as lines of JSON.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use guestlist_api::chain::ChainHash;
use guestlist_store::{
    BackupError, ExportEnd, ExportFile, ExportHeader, OpenError, TransferError, export,
};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::backup::DataArgument;
use crate::exits::Failure;
use crate::output::{Output, details};
use crate::progress::{Watcher, watched};

/// The version of this program, in the first line of an export.
pub(crate) const PRODUCT: &str = env!("CARGO_PKG_VERSION");
/// What every export begins with.
pub(crate) const BEGINNING: &[u8] = b"{\"format\":\"guestlist-export\",";

/// Writes everything in a data directory as lines of JSON, while its server runs
///
/// Works on the files of this machine: run it where the server runs, as the same user. The export
/// holds every change that was answered before the command began: all documents and the whole event
/// log. `guestlist import` makes a database of it again. A file is read again from its first to its
/// last byte before it appears under its name.
#[derive(Debug, Args)]
#[command(after_help = "\
The file holds hashes of invites and public halves of access keys, but no pepper and no key: keep it \
as you keep a backup, and the secret files apart from it (`guestlist backup --secrets`).

Examples:
  guestlist export --data /var/lib/guestlist /backup/guestlist-$(date +%F).ndjson
  guestlist export --data /var/lib/guestlist - | gzip > guestlist.ndjson.gz")]
pub(crate) struct ExportArguments {
    /// The file to make; - for standard output
    file: PathBuf,

    #[command(flatten)]
    data: DataArgument,

    /// Overwrite FILE if it is an older export
    #[arg(long)]
    force: bool,
}

/// What an export holds, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    /// The version of the program that wrote it.
    product: String,
    /// The version of its form.
    format_version: u32,
    account: Option<String>,
    /// By kind.
    documents: BTreeMap<String, u64>,
    events: u64,
    last_revision: u64,
    /// Of the newest event and all before it. Exports of older versions have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_hash: Option<ChainHash>,
    sha256: String,
}

impl Summary {
    pub(crate) fn new(header: &ExportHeader, end: &ExportEnd) -> Self {
        Self {
            product: header.product.clone(),
            format_version: header.version,
            account: header.account.clone(),
            documents: end.documents.clone(),
            events: end.events,
            last_revision: header.revision,
            last_hash: end.head,
            sha256: end.sha256.clone(),
        }
    }

    /// As names and values.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String)> {
        let all: u64 = self.documents.values().sum();
        let kinds: Vec<String> = self
            .documents
            .iter()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        let mut lines = vec![
            ("Account", self.account.clone().unwrap_or_default()),
            ("Documents", format!("{all} ({})", kinds.join(", "))),
            (
                "Events",
                format!("{} (to revision {})", self.events, self.last_revision),
            ),
        ];
        if let Some(hash) = &self.last_hash {
            lines.push(("Last hash", hash.to_string()));
        }
        lines.push(("SHA-256", self.sha256.clone()));
        lines
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    file: PathBuf,
    bytes: u64,
    #[serde(flatten)]
    summary: Summary,
}

/// Why an export was not put under its name.
pub(crate) enum NotMade {
    Export(TransferError),
    Exists,
    NotAnExport,
    File(std::io::Error),
}

impl From<TransferError> for NotMade {
    fn from(error: TransferError) -> Self {
        Self::Export(error)
    }
}

pub(crate) fn run(arguments: ExportArguments, output: &Output) -> Result<(), Failure> {
    let ExportArguments { file, data, force } = arguments;
    let data = data.directory()?;
    if file == Path::new("-") {
        if force {
            return Err(Failure::invalid(
                "--force does not go with standard output: nothing is overwritten",
            ));
        }
        return to_standard_output(data, output);
    }
    let target = file.clone();
    let made = watched(output, move |watcher| {
        to_file(&data, &target, force, watcher)
    })?;
    let (summary, bytes) = made.map_err(|error| not_made(error, &file))?;
    let made = Made {
        file,
        bytes,
        summary,
    };
    output.show(&made, |made| {
        let mut lines = vec![
            ("Export", made.file.display().to_string()),
            ("Bytes", made.bytes.to_string()),
        ];
        lines.extend(made.summary.lines());
        details(lines)
    })
}

/// What is counted goes to standard error: programs read it in the last line.
fn to_standard_output(data: PathBuf, output: &Output) -> Result<(), Failure> {
    let written = watched(output, move |watcher| {
        let mut out = BufWriter::new(std::io::stdout().lock());
        export(&data, PRODUCT, &mut out, &mut |progress| {
            watcher.report(progress)
        })
    })?;
    let (header, end) = written.map_err(|error| refused(&error))?;
    output.notice_details(Summary::new(&header, &end).lines());
    Ok(())
}

/// Makes the file beside its place, reads it again, and then gives it its name.
fn to_file(
    data: &Path,
    file: &Path,
    force: bool,
    watcher: &mut Watcher,
) -> Result<(Summary, u64), NotMade> {
    refuse_target(file, force, BEGINNING)?;
    // Only the owner may read it, from its first byte.
    let draft = tempfile::Builder::new()
        .prefix(".guestlist-export-")
        .suffix(".partial")
        .tempfile_in(home(file))
        .map_err(NotMade::File)?;
    let mut out = BufWriter::with_capacity(1 << 20, draft);
    let written = export(data, PRODUCT, &mut out, &mut |progress| {
        watcher.report(progress)
    })?;
    let draft = out
        .into_inner()
        .map_err(|error| NotMade::File(error.into_error()))?;
    draft.as_file().sync_all().map_err(NotMade::File)?;
    let again = draft.reopen().map_err(NotMade::File)?;
    let read = ExportFile::check(again, &mut |progress| watcher.report(progress))?;
    if (read.header(), read.end()) != (&written.0, &written.1) {
        return Err(TransferError::Differs.into());
    }
    let bytes = draft.as_file().metadata().map_err(NotMade::File)?.len();
    place(draft, file, force)?;
    Ok((Summary::new(&written.0, &written.1), bytes))
}

/// Gives a file that is complete its name.
pub(crate) fn place(draft: NamedTempFile, file: &Path, force: bool) -> Result<(), NotMade> {
    let placed = if force {
        draft.persist(file)
    } else {
        // Not even a file that appeared meanwhile is overwritten.
        draft.persist_noclobber(file)
    };
    placed.map_err(|failed| {
        if failed.error.kind() == ErrorKind::AlreadyExists {
            return NotMade::Exists;
        }
        NotMade::File(failed.error)
    })?;
    File::open(home(file))
        .and_then(|home| home.sync_all())
        .map_err(NotMade::File)
}

/// The directory that a file is in.
pub(crate) fn home(file: &Path) -> &Path {
    let home = file.parent().filter(|home| !home.as_os_str().is_empty());
    home.unwrap_or(Path::new("."))
}

/// Refuses early what must not be overwritten: everything but what begins as an older one does.
pub(crate) fn refuse_target(file: &Path, force: bool, beginning: &[u8]) -> Result<(), NotMade> {
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(NotMade::File(error)),
    };
    if !force {
        return Err(NotMade::Exists);
    }
    // Devices and pipes are empty too, or never end.
    if !metadata.is_file() {
        return Err(NotMade::NotAnExport);
    }
    let mut head = Vec::new();
    let opened = File::open(file).map_err(NotMade::File)?;
    BufReader::new(opened)
        .take(beginning.len() as u64)
        .read_until(b'\n', &mut head)
        .map_err(NotMade::File)?;
    if head.is_empty() || head == beginning {
        return Ok(());
    }
    Err(NotMade::NotAnExport)
}

pub(crate) fn not_made(error: NotMade, file: &Path) -> Failure {
    let file = file.display();
    match error {
        NotMade::Export(error) => refused(&error),
        NotMade::Exists => Failure::conflict(format!("{file} is there already"))
            .hint("Choose another name, or overwrite an older export with --force."),
        NotMade::NotAnExport => {
            Failure::conflict(format!("{file} is not an export made by Guestlist"))
                .hint("It is left alone, because it may be something else. Choose another name.")
        }
        NotMade::File(error) => Failure::local(format!("{file} cannot be used: {error}")),
    }
}

/// How an export or an import ends that was refused.
pub(crate) fn refused(error: &TransferError) -> Failure {
    let message = error.to_string();
    match error {
        TransferError::NotAnExport
        | TransferError::Newer { .. }
        | TransferError::Unknown { .. }
        | TransferError::Line { .. }
        | TransferError::CutOff { .. }
        | TransferError::GoesOn { .. }
        | TransferError::Count { .. }
        | TransferError::Altered { .. }
        | TransferError::Broken { .. } => Failure::invalid(message).hint("Nothing was changed."),
        TransferError::NotEmpty { .. } => Failure::conflict(message).hint("Nothing was changed."),
        TransferError::Differs
        | TransferError::Unreadable(_)
        | TransferError::Unwritable(_)
        | TransferError::Database(_) => Failure::local(message),
        TransferError::Store(error) => store_refused(error),
    }
}

pub(crate) fn store_refused(error: &BackupError) -> Failure {
    let message = error.to_string();
    match error {
        BackupError::NoDatabase(_) => Failure::not_found(message)
            .hint("Say where the server keeps its data with --data DIRECTORY."),
        BackupError::Occupied(_) => Failure::conflict(message)
            .hint("Choose another --data, or replace it with --replace: it is kept beside."),
        BackupError::Exists(_) => Failure::conflict(message)
            .hint("It is not the one in --secrets. Replace it with --replace: it is kept beside."),
        BackupError::Directory(OpenError::InUse { .. }) => {
            Failure::conflict(message).hint("Nothing was changed.")
        }
        BackupError::Cancelled => Failure::interrupted(),
        BackupError::File { .. }
        | BackupError::NotABackup(_)
        | BackupError::NotSettled(_)
        | BackupError::Damaged { .. }
        | BackupError::Newer { .. }
        | BackupError::Older { .. }
        | BackupError::Itself(_)
        | BackupError::Differs(_)
        | BackupError::Unfinished(_)
        | BackupError::Locked(_)
        | BackupError::Directory(_)
        | BackupError::Database(_) => Failure::local(message),
    }
}
