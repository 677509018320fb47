//! `guestlist audit`: the event log as a file that shows whether it was tampered with.

use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use guestlist_api::chain::ChainHash;
use guestlist_api::events::Event;
use guestlist_api::limits;
use guestlist_client::{AuditLine, BrokenChain, Chain};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::audit_verification::VerifyArguments;
use crate::connection::Session;
use crate::exits::Failure;
use crate::export::{NotMade, home, not_made, place, refuse_target};
use crate::output::details;

/// What every audit export begins with.
pub(crate) const BEGINNING: &[u8] = b"{\"revision\":";

const EXPORT_HELP: &str = "\
Keep the last hash where nobody who runs the server can change it. Whoever can write to the database can
make another log with other hashes; they cannot make one that leads to a hash that was kept.

Examples:
  guestlist audit export audit-$(date +%F).ndjson
  guestlist audit export --after 1200 - | gzip > audit.ndjson.gz";

/// The commands on the chained event log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Writes the event log with its hashes, one event on each line
    ///
    /// Each event is verified as it comes. It needs `READ` on `Authress:Events`.
    #[command(after_help = EXPORT_HELP)]
    Export(ExportArguments),

    /// Says whether an audit export is unbroken: nothing changed, left out or put in
    Verify(VerifyArguments),
}

/// Which part of the log, and where to.
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The file to make; - for standard output
    file: PathBuf,

    /// Begin with the first event after this revision
    #[arg(long, value_name = "REVISION", default_value_t = 0)]
    after: u64,

    /// Overwrite FILE if it is an older audit export
    #[arg(long)]
    force: bool,
}

/// What was written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    events: u64,
    /// The revision before the first event, and its hash.
    after: u64,
    after_hash: ChainHash,
    last_revision: u64,
    last_hash: ChainHash,
}

impl Written {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        if let Some(file) = &self.file {
            lines.push(("Audit export", file.display().to_string()));
        }
        let (events, after, last) = (self.events, self.after, self.last_revision);
        lines.push((
            "Events",
            format!("{events} (revision {} to {last})", after + 1),
        ));
        if after > 0 {
            lines.push(("Hash before", self.after_hash.to_string()));
        }
        lines.push(("Last hash", self.last_hash.to_string()));
        lines
    }
}

pub(crate) async fn export(arguments: ExportArguments, session: &Session) -> Result<(), Failure> {
    let ExportArguments { file, after, force } = arguments;
    if file == Path::new("-") {
        if force {
            return Err(Failure::invalid(
                "--force does not go with standard output: nothing is overwritten",
            ));
        }
        let mut out = BufWriter::new(io::stdout().lock());
        let written = write(session, after, &mut out).await?;
        session.output.notice_details(written.lines());
        return Ok(());
    }
    let unmade = |error: NotMade| not_made(error, &file);
    refuse_target(&file, force, BEGINNING).map_err(unmade)?;
    let unusable = |error: io::Error| unmade(NotMade::File(error));
    // Only the owner may read it, from its first byte.
    let draft = tempfile::Builder::new()
        .prefix(".guestlist-audit-")
        .suffix(".partial")
        .tempfile_in(home(&file))
        .map_err(unusable)?;
    let mut out = BufWriter::with_capacity(1 << 20, draft);
    let mut written = write(session, after, &mut out).await?;
    let draft = out
        .into_inner()
        .map_err(|error| unusable(error.into_error()))?;
    draft.as_file().sync_all().map_err(unusable)?;
    place(draft, &file, force).map_err(unmade)?;
    written.file = Some(file.clone());
    session
        .output
        .show(&written, |written| details(written.lines()))
}

/// Writes the log up to its newest revision as of now.
async fn write(
    session: &Session,
    after: u64,
    out: &mut impl io::Write,
) -> Result<Written, Failure> {
    let events = session.client.events();
    let most = u16::try_from(limits::EVENTS).unwrap_or(u16::MAX);
    let mut chain = beginning(session, after).await?;
    let mut written = Written {
        file: None,
        events: 0,
        after,
        after_hash: chain.hash(),
        last_revision: after,
        last_hash: chain.hash(),
    };
    let mut page = events.get_events(after, most).await?;
    let until = page.last_revision;
    if until <= after {
        return Err(Failure::not_found(format!(
            "there is no event after revision {after}: the newest revision is {until}"
        )));
    }
    let bar = progress(session, until - after);
    while chain.revision() < until {
        let before = chain.revision();
        for event in page
            .events
            .iter()
            .take_while(|event| event.revision <= until)
        {
            let line = next(&mut chain, event)?;
            writeln!(out, "{line}").map_err(|error| unwritable(&error))?;
        }
        if chain.revision() == before {
            return Err(Failure::conflict(format!(
                "the server has no event after revision {before}, but said that {until} is its newest: \
                 was it restored from a backup?"
            )));
        }
        bar.set_position(chain.revision() - after);
        if chain.revision() < until {
            page = events.get_events(chain.revision(), most).await?;
        }
    }
    out.flush().map_err(|error| unwritable(&error))?;
    bar.finish_and_clear();
    written.events = until - after;
    written.last_revision = chain.revision();
    written.last_hash = chain.hash();
    Ok(written)
}

/// Where the chain begins after a revision: with the hash that the server says it has.
async fn beginning(session: &Session, after: u64) -> Result<Chain, Failure> {
    let Some(before) = after.checked_sub(1) else {
        return Ok(Chain::default());
    };
    let page = session.client.events().get_events(before, 1).await?;
    match page.events.first() {
        Some(event) if event.revision == after => {
            let hash = event.hash.ok_or_else(unchained)?;
            Ok(Chain::after(after, hash))
        }
        Some(_) | None => Err(Failure::not_found(format!(
            "there is no revision {after}: the newest is {}",
            page.last_revision
        ))),
    }
}

fn next(chain: &mut Chain, event: &Event) -> Result<AuditLine, Failure> {
    let line = AuditLine::of(event).ok_or_else(unchained)?;
    chain.follow_line(&line).map_err(|broken: BrokenChain| {
        Failure::answered_no(format!("the log of the server is broken: {broken}")).hint(
            "Nothing was written. Keep what the server answers now: \
             guestlist events list --all --json",
        )
    })?;
    Ok(line)
}

fn unchained() -> Failure {
    Failure::invalid("this server does not chain its events: it is older than this program")
}

fn unwritable(error: &io::Error) -> Failure {
    Failure::local(format!("the audit export cannot be written: {error}"))
}

fn progress(session: &Session, events: u64) -> ProgressBar {
    if !session.output.shows_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(events);
    match ProgressStyle::with_template("{human_pos} of {human_len} events {wide_bar} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
