//! `guestlist audit verify`: whether a file with the event log is what was once written.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use guestlist_api::chain::ChainHash;
use guestlist_client::{AuditLine, Chain};
use guestlist_store::{ExportFile, Progress, TransferError};
use serde::Serialize;

use crate::audit::BEGINNING;
use crate::exits::Failure;
use crate::export;
use crate::output::{Output, details};
use crate::progress::{Watcher, watched};
use crate::standard_input;

/// The most bytes of one line with its end: 64 MiB, as in an export.
const LONGEST_LINE: u64 = 64 << 20;
/// Lines between two reports of the progress.
const LINES: u64 = 1000;

const VERIFY_HELP: &str = "\
Calls no server. FILE is what `guestlist audit export` wrote, or `guestlist export`. The exit code is 1 if
it is broken, or if a hash that was kept is not in it.

Without --head it shows that the file holds together, and not who made it: somebody who can write to the
server's database can make another log that holds together. --head shows that nothing was changed up to
that hash.

Examples:
  guestlist audit verify audit.ndjson --head \"$(cat /safe/last-hash)\"
  guestlist audit verify later.ndjson --after-hash \"$(cat /safe/last-hash)\" --json";

/// What to verify, and by which hashes that were kept.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_HELP)]
pub(crate) struct VerifyArguments {
    /// The file; - for standard input
    file: PathBuf,

    /// A hash that was kept: it must be that of an event in the file. Several times for several
    #[arg(long, value_name = "HASH")]
    head: Vec<ChainHash>,

    /// The hash of the event before the first one in the file, where that is not revision 1
    #[arg(long, value_name = "HASH")]
    after_hash: Option<ChainHash>,
}

/// What became of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    intact: bool,
    /// The first revision that is not what it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_revision: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// How many events were verified.
    events: u64,
    /// The newest one that was verified.
    last_revision: u64,
    last_hash: ChainHash,
    /// The hashes that were kept, in the order of the arguments.
    heads: Vec<KeptHash>,
}

#[derive(Debug, Clone, Serialize)]
struct KeptHash {
    hash: ChainHash,
    /// Whose it is; `null` if it is none of the file's.
    revision: Option<u64>,
}

impl Verdict {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        let verdict = match (&self.problem, self.intact) {
            (Some(problem), _) => format!("no: {problem}"),
            (None, true) => "yes".to_owned(),
            (None, false) => "no".to_owned(),
        };
        lines.push(("Unbroken", verdict));
        let (events, last) = (self.events, self.last_revision);
        lines.push(("Verified", format!("{events} events, to revision {last}")));
        lines.push(("Last hash", self.last_hash.to_string()));
        for kept in &self.heads {
            let whose = match kept.revision {
                Some(revision) => format!("that of revision {revision}: {}", kept.hash),
                None => format!("none of these events has it: {}", kept.hash),
            };
            lines.push(("Kept hash", whose));
        }
        lines
    }
}

/// What is verified, how far it is, and which kept hashes were met.
struct Verification {
    chain: Chain,
    events: u64,
    heads: Vec<KeptHash>,
}

/// What was found to be wrong.
struct Broken {
    revision: Option<u64>,
    problem: String,
}

/// Why there is no verdict, or which.
enum Ended {
    Broken(Broken),
    Failed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Verification {
    fn new(chain: Chain, heads: &[ChainHash]) -> Self {
        let unmet = |hash: &ChainHash| KeptHash {
            hash: *hash,
            revision: None,
        };
        let mut verification = Self {
            chain,
            events: 0,
            heads: heads.iter().map(unmet).collect(),
        };
        verification.meet();
        verification
    }

    /// Compares the newest hash with those that were kept.
    fn meet(&mut self) {
        let (revision, hash) = (self.chain.revision(), self.chain.hash());
        for kept in self.heads.iter_mut().filter(|kept| kept.hash == hash) {
            kept.revision = Some(revision);
        }
    }

    fn line(&mut self, text: &str) -> Result<(), Broken> {
        let expected = self.chain.revision() + 1;
        let broken = |problem: String| Broken {
            revision: Some(expected),
            problem,
        };
        let line = text.parse::<AuditLine>();
        let line = line.map_err(|error| {
            broken(format!(
                "where revision {expected} belongs there is something else: {error}"
            ))
        })?;
        let followed = self.chain.follow_line(&line);
        followed.map_err(|error| broken(error.to_string()))?;
        self.events += 1;
        self.meet();
        Ok(())
    }

    fn verdict(self, broken: Option<Broken>) -> Verdict {
        let missing = self.heads.iter().any(|kept| kept.revision.is_none());
        let broken = broken.or_else(|| {
            missing.then(|| Broken {
                revision: None,
                problem:
                    "a hash that was kept is not that of any event: the log was written anew, \
                          or it ends or begins elsewhere"
                        .to_owned(),
            })
        });
        let (broken_revision, problem) = match broken {
            Some(broken) => (broken.revision, Some(broken.problem)),
            None => (None, None),
        };
        Verdict {
            intact: problem.is_none(),
            broken_revision,
            problem,
            events: self.events,
            last_revision: self.chain.revision(),
            last_hash: self.chain.hash(),
            heads: self.heads,
        }
    }
}

pub(crate) fn run(arguments: VerifyArguments, output: &Output) -> Result<(), Failure> {
    if arguments.file == Path::new("-") {
        // Locked again where it is read, on another thread.
        drop(standard_input::take()?);
    }
    let verdict = watched(output, move |watcher| verify(&arguments, watcher))??;
    output.show(&verdict, |verdict| details(verdict.lines()))?;
    if verdict.intact {
        Ok(())
    } else {
        Err(Failure::no())
    }
}

fn verify(arguments: &VerifyArguments, watcher: &mut Watcher) -> Result<Verdict, Failure> {
    let path = &arguments.file;
    if path == Path::new("-") {
        let mut input = BufReader::new(io::stdin().lock());
        return lines(&mut input, arguments, 0, watcher);
    }
    let unusable = |error: io::Error| {
        let message = format!("{} cannot be used: {error}", path.display());
        if error.kind() == io::ErrorKind::NotFound {
            return Failure::not_found(message);
        }
        Failure::local(message)
    };
    let mut file = File::open(path).map_err(unusable)?;
    let metadata = file.metadata().map_err(unusable)?;
    if !metadata.is_file() {
        return lines(&mut BufReader::new(file), arguments, 0, watcher);
    }
    let mut head = Vec::new();
    (&mut file)
        .take(export::BEGINNING.len() as u64)
        .read_to_end(&mut head)
        .and_then(|_| file.rewind())
        .map_err(unusable)?;
    if head == export::BEGINNING {
        return whole_export(file, arguments, watcher);
    }
    let mut reader = BufReader::with_capacity(1 << 20, file);
    lines(&mut reader, arguments, metadata.len(), watcher)
}

/// Verifies an audit export; `all` is how many bytes it has, or 0 if that is not known.
fn lines(
    reader: &mut dyn BufRead,
    arguments: &VerifyArguments,
    all: u64,
    watcher: &mut Watcher,
) -> Result<Verdict, Failure> {
    let Some(first) = next(reader)? else {
        return Err(Failure::invalid("it is empty: there is nothing to verify"));
    };
    let mut verification = begin(&first, arguments)?;
    let mut done = 0;
    let mut text = Some(first);
    while let Some(line) = text {
        if let Err(broken) = check(&mut verification, &line) {
            return Ok(verification.verdict(Some(broken)));
        }
        done += line.len() as u64 + 1;
        if verification.events.is_multiple_of(LINES)
            && watcher.report(Progress::Reading { done, all }) == ControlFlow::Break(())
        {
            return Err(Failure::interrupted());
        }
        text = next(reader)?;
    }
    Ok(verification.verdict(None))
}

fn check(verification: &mut Verification, line: &[u8]) -> Result<(), Broken> {
    // What is no UTF-8 is no line either.
    verification.line(&String::from_utf8_lossy(line))
}

/// Where the first line says that the file begins.
fn begin(first: &[u8], arguments: &VerifyArguments) -> Result<Verification, Failure> {
    let not_one = || {
        Failure::invalid("this is not an audit export made by Guestlist")
            .hint("Make one with `guestlist audit export`.")
    };
    if first.starts_with(export::BEGINNING) {
        return Err(Failure::invalid(
            "an export must be given as a file: it is read twice",
        ));
    }
    if !first.starts_with(BEGINNING) {
        return Err(not_one());
    }
    let revision = first
        .iter()
        .skip(BEGINNING.len())
        .take_while(|byte| byte.is_ascii_digit());
    let digits: String = revision.map(|digit| char::from(*digit)).collect();
    let revision: u64 = digits.parse().map_err(|_| not_one())?;
    let before = revision.checked_sub(1).ok_or_else(not_one)?;
    let hash = match (before, arguments.after_hash) {
        (_, Some(hash)) => hash,
        (0, None) => ChainHash::START,
        (_, None) => {
            return Err(Failure::invalid(format!(
                "it begins with revision {revision}, and cannot be verified without the hash of revision {before}"
            ))
            .hint("Say that hash with --after-hash: the one that was kept of the export before."));
        }
    };
    Ok(Verification::new(
        Chain::after(before, hash),
        &arguments.head,
    ))
}

/// The next line without its end.
fn next(reader: &mut dyn BufRead) -> Result<Option<Vec<u8>>, Failure> {
    let mut line = Vec::new();
    let read = reader.take(LONGEST_LINE).read_until(b'\n', &mut line);
    let read = read.map_err(|error| Failure::local(format!("it cannot be read: {error}")))?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(Some(line))
}

/// Verifies the event log in what `guestlist export` wrote. It has one hash, that of the newest event.
fn whole_export(
    file: File,
    arguments: &VerifyArguments,
    watcher: &mut Watcher,
) -> Result<Verdict, Failure> {
    if arguments.after_hash.is_some() {
        return Err(Failure::invalid(
            "--after-hash does not go with this export: it holds the whole log",
        ));
    }
    let mut verification = Verification::new(Chain::default(), &arguments.head);
    match read_export(file, &mut verification, watcher) {
        Ok(true) => Ok(verification.verdict(None)),
        Ok(false) if !arguments.head.is_empty() => Ok(verification.verdict(None)),
        Ok(false) => Err(Failure::invalid(
            "it was written by an older Guestlist and has no hash of its events",
        )
        .hint("Say one that was kept with --head.")),
        Err(Ended::Broken(broken)) => Ok(verification.verdict(Some(broken))),
        Err(Ended::Failed(failure)) => Err(failure),
    }
}

/// Whether the export has a hash itself.
fn read_export(
    file: File,
    verification: &mut Verification,
    watcher: &mut Watcher,
) -> Result<bool, Ended> {
    let checked = ExportFile::check(file, &mut |progress| watcher.report(progress));
    let mut export = checked.map_err(|error| export_refused(&error))?;
    let followed = export.follow_log(&mut |head| {
        verification.chain = Chain::after(head.revision.0, head.hash);
        verification.events += 1;
        verification.meet();
    });
    followed.map_err(|error| export_refused(&error))?;
    Ok(export.end().head.is_some())
}

fn export_refused(error: &TransferError) -> Ended {
    match error {
        TransferError::Line { .. }
        | TransferError::CutOff { .. }
        | TransferError::GoesOn { .. }
        | TransferError::Count { .. }
        | TransferError::Altered { .. }
        | TransferError::Broken { .. }
        | TransferError::Differs => Ended::Broken(Broken {
            revision: None,
            problem: error.to_string(),
        }),
        TransferError::NotAnExport
        | TransferError::Newer { .. }
        | TransferError::Unknown { .. }
        | TransferError::Unreadable(_)
        | TransferError::Unwritable(_)
        | TransferError::Store(_)
        | TransferError::Database(_)
        | TransferError::NotEmpty { .. } => Ended::Failed(export::refused(error)),
    }
}
