//! `guestlist invite batch`: makes the invites of a file.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use guestlist_api::invite_batches::{
    BatchFormat, BatchMode, BatchOutcome, BatchRow, InviteBatch, InviteBatchRequest, table,
};
use guestlist_api::invite_terms::Invitee;
use guestlist_api::limits;
use guestlist_api::text::Bounded;
use guestlist_client::Error;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::Value;

use crate::connection::Session;
use crate::documents;
use crate::exits::Failure;

pub(crate) const BATCH_HELP: &str = "\
FILE is JSON ({\"invites\": […]} or a list), a line of JSON for each invite, or a table (CSV) with any of
the columns email, userId, resource, roles, expiryTime, accessDuration, approvalRequired, tags, maxUses,
emailDomains, issuer, notBefore, conflictResolutionStrategy, linkedUserId and tenantId. roles and
emailDomains take several with blanks or `;` between them, resource with blanks, tags (name=value)
with `;`. A cell of email or userId, emailDomains or accessDuration must not be empty if there is such
a column: write none for an invite that whoever holds it may accept, or for access that does not end.

What can be made is made, more than 1,000 in several requests; with --atomic all or none, 1,000 at
most. The ids are secrets: they are printed on standard output, each after its row and whom it is for,
and nowhere else. Rows that were refused are on standard error, and the exit code is then 1.

Running the same file again within 24 hours invites nobody twice: it prints the same ids, and tries
again what was refused. --key makes it another batch.

Examples:
  guestlist invite batch people.csv > people.invites
  guestlist invite batch people.ndjson --atomic --json
  guestlist invite batch people.csv --dry-run
  psql -c 'copy (…) to stdout csv header' | guestlist invite batch - --format csv";

/// More rows than one would want to have in one file.
const ROWS: usize = 100_000;
/// Bytes of rows in one request: a server takes 1 MiB unless it is set otherwise.
const BYTES: usize = 960 * 1024;

/// The invites to make.
#[derive(Debug, Args)]
pub(crate) struct BatchArguments {
    /// The file with the invites; `-` is standard input
    pub(crate) file: PathBuf,
    /// Make all or none
    #[arg(long)]
    atomic: bool,
    /// In which form the file is [default: by its extension]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Form>,
    /// Make nothing: ask the server what each would do
    #[arg(long)]
    dry_run: bool,
    /// A name for this batch instead of one made of its content
    #[arg(long, value_name = "TEXT", conflicts_with = "dry_run", value_parser = key)]
    key: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    Json,
    Ndjson,
    Csv,
}

fn key(text: &str) -> Result<String, String> {
    // The number of the request is put behind it.
    let sound = (1..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if sound {
        Ok(text.to_owned())
    } else {
        Err("must have 1 to 200 visible ASCII characters".to_owned())
    }
}

/// What was read of the file.
#[derive(Debug)]
pub(crate) struct Prepared {
    mode: BatchMode,
    rows: Vec<Value>,
    key: String,
    dry_run: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    List(Vec<Value>),
    Batch(Batch),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    #[serde(default)]
    mode: BatchMode,
    invites: Vec<Value>,
}

impl BatchArguments {
    pub(crate) fn prepare(self) -> Result<Prepared, Failure> {
        let format = self.format()?;
        let text = documents::text(&self.file)?;
        let (said, rows) = rows(format, &text).map_err(|reason| {
            Failure::invalid(format!("{}: {reason}", documents::name(&self.file)))
        })?;
        let mode = if self.atomic { BatchMode::Atomic } else { said };
        if rows.is_empty() {
            return Err(Failure::invalid("there are no invites in it"));
        }
        if mode == BatchMode::Atomic && rows.len() > limits::INVITE_BATCH {
            return Err(Failure::invalid(format!(
                "there are {} invites, and at most {} are made as a whole",
                rows.len(),
                limits::INVITE_BATCH
            ))
            .hint("Without --atomic they are made in several requests."));
        }
        let key = self.key.unwrap_or_else(|| content_key(mode, &rows));
        let dry_run = self.dry_run;
        Ok(Prepared {
            mode,
            rows,
            key,
            dry_run,
        })
    }

    fn format(&self) -> Result<BatchFormat, Failure> {
        match self.format {
            Some(Form::Json) => return Ok(BatchFormat::Json),
            Some(Form::Ndjson) => return Ok(BatchFormat::NdJson),
            Some(Form::Csv) => return Ok(BatchFormat::Csv),
            None => {}
        }
        let extension = self.file.extension().and_then(|text| text.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("json") => Ok(BatchFormat::Json),
            Some("ndjson" | "jsonl") => Ok(BatchFormat::NdJson),
            Some("csv") => Ok(BatchFormat::Csv),
            Some(_) | None => Err(Failure::invalid(
                "which form has the file? Say --format json, ndjson or csv",
            )),
        }
    }

    pub(crate) fn reads_standard_input(&self) -> bool {
        self.file == Path::new("-")
    }
}

fn rows(format: BatchFormat, text: &str) -> Result<(BatchMode, Vec<Value>), String> {
    let (mode, rows) = match format {
        BatchFormat::Json => match serde_json::from_str(text) {
            Ok(Written::List(rows)) => (BatchMode::default(), rows),
            Ok(Written::Batch(batch)) => (batch.mode, batch.invites),
            Err(error) if error.is_data() => {
                return Err("must be {\"invites\": […]} or a list".to_owned());
            }
            Err(error) => return Err(error.to_string()),
        },
        BatchFormat::NdJson => {
            let lines = (1..).zip(text.lines());
            let filled = lines.filter(|(_, line)| !line.trim().is_empty());
            let rows = filled.map(|(number, line): (usize, _)| {
                serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))
            });
            (BatchMode::default(), rows.collect::<Result<_, _>>()?)
        }
        BatchFormat::Csv => {
            let rows = table(text, ROWS).map_err(|error| error.to_string())?;
            (BatchMode::default(), rows)
        }
    };
    if rows.len() > ROWS {
        return Err(format!("there are more than {ROWS} invites in it"));
    }
    Ok((mode, rows))
}

/// The same for the same invites, so that a command that is given again invites nobody twice.
fn content_key(mode: BatchMode, rows: &[Value]) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    context.update(match mode {
        BatchMode::BestEffort => b"bestEffort",
        BatchMode::Atomic => b"atomic",
    });
    for row in rows {
        let text = row.to_string();
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    let digest = context.finish();
    let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    format!("batch-{}", digits.collect::<String>())
}

pub(crate) async fn run(batch: Prepared, session: &Session) -> Result<(), Failure> {
    let bar = progress(session, batch.rows.len());
    let mut all = InviteBatch {
        mode: batch.mode,
        accepted: 0,
        refused: 0,
        results: Vec::with_capacity(batch.rows.len()),
    };
    let mut failed = None;
    let mut sent = 0;
    for (number, rows) in (1..).zip(requests(&batch.rows)) {
        match send(&batch, number, rows, session).await {
            Ok(answer) => take(&mut all, answer, sent),
            Err(failure) => {
                failed = Some(failure);
                break;
            }
        }
        sent += rows.len();
        bar.set_position(sent as u64);
    }
    bar.finish_and_clear();
    // What was made is told whatever became of the rest: it is told nowhere else.
    if !all.results.is_empty() || failed.is_none() {
        show(&all, &batch, session)?;
    }
    match failed {
        Some(failure) if sent > 0 => Err(failure
            .during(&format!("rows {} to {}", sent + 1, batch.rows.len()))
            .hint("The rows before are made. Run it again to go on: nobody is invited twice.")),
        Some(failure) => Err(failure),
        None if all.refused > 0 => Err(Failure::answered_no(match batch.mode {
            BatchMode::BestEffort => {
                format!("{} of {} rows were refused", all.refused, batch.rows.len())
            }
            BatchMode::Atomic => format!(
                "{} of {} rows were refused, so no invite was made",
                all.refused,
                batch.rows.len()
            ),
        })),
        None => Ok(()),
    }
}

/// The rows in requests of as many as the server takes, by their number and by their bytes.
fn requests(mut rows: &[Value]) -> impl Iterator<Item = &[Value]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |row: &&Value| {
            bytes += row.to_string().len() + 1;
            bytes <= BYTES
        };
        // One that is too large alone is sent alone, so that the server says so.
        let count = rows.iter().take(limits::INVITE_BATCH).take_while(fits);
        let (now, later) = rows.split_at_checked(count.count().max(1))?;
        rows = later;
        Some(now)
    })
}

async fn send(
    batch: &Prepared,
    number: usize,
    rows: &[Value],
    session: &Session,
) -> Result<InviteBatch, Failure> {
    let request = InviteBatchRequest {
        mode: batch.mode,
        invites: Bounded::new(rows.to_vec())?,
    };
    let invites = session.client.invites();
    let answer = if batch.dry_run {
        invites.try_invites(&request).await
    } else {
        let key = format!("{}-{number}", batch.key);
        invites.create_invites_once(&request, &key).await
    };
    match answer {
        Err(Error::Refused(refusal)) => match refusal.problem.as_deref() {
            Some(problem) if !problem.refused_rows.is_empty() => {
                let rows = problem.refused_rows.iter().cloned();
                let results: Vec<_> = rows
                    .map(|row| BatchRow {
                        row: row.row,
                        outcome: BatchOutcome::Refusal(row.refusal),
                    })
                    .collect();
                Ok(InviteBatch {
                    mode: batch.mode,
                    accepted: 0,
                    refused: u32::try_from(results.len()).unwrap_or(u32::MAX),
                    results,
                })
            }
            Some(_) | None => Err(Error::Refused(refusal).into()),
        },
        other => Ok(other?),
    }
}

/// Adds the answer to one request, with the rows as the file counts them.
fn take(all: &mut InviteBatch, answer: InviteBatch, before: usize) {
    let before = u32::try_from(before).unwrap_or(u32::MAX);
    all.accepted = all.accepted.saturating_add(answer.accepted);
    all.refused = all.refused.saturating_add(answer.refused);
    all.results
        .extend(answer.results.into_iter().map(|result| BatchRow {
            row: result.row.saturating_add(before),
            ..result
        }));
}

fn show(all: &InviteBatch, batch: &Prepared, session: &Session) -> Result<(), Failure> {
    session.output.show(all, |all| {
        let lines = all.results.iter().filter_map(line);
        lines.collect::<Vec<_>>().join("\n")
    })?;
    if session.output.format() != crate::output::Format::People {
        return Ok(());
    }
    for result in &all.results {
        if let BatchOutcome::Refusal(refusal) = &result.outcome {
            let text = format!("row {}: {}", result.row, refusal.title);
            session.output.notice(&text);
        }
    }
    let what = if batch.dry_run {
        "would be made"
    } else {
        "were made"
    };
    session.output.notice(&format!(
        "{} of {} invites {what}.",
        all.accepted,
        batch.rows.len()
    ));
    Ok(())
}

/// The row, whom it is for, and the id, as a program can read them again.
fn line(result: &BatchRow) -> Option<String> {
    let row = result.row;
    match &result.outcome {
        BatchOutcome::Invite(invite) => {
            let whom = match &invite.invitee {
                Some(Invitee::User(user)) => user.to_string(),
                Some(Invitee::Email(address)) => address.to_string(),
                None => "-".to_owned(),
            };
            Some(format!("{row}\t{whom}\t{}", invite.invite_id.reveal()))
        }
        BatchOutcome::Effect(effect) => {
            let risks = effect.risk_flags.len();
            Some(format!("{row}\twould be made\t{risks} risk flags"))
        }
        BatchOutcome::Refusal(_) => None,
    }
}

fn progress(session: &Session, length: usize) -> ProgressBar {
    if !session.output.shows_progress() || length <= limits::INVITE_BATCH {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length as u64);
    match ProgressStyle::with_template("{pos} of {len} invites {wide_bar} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_as_many_rows_as_a_server_takes() {
        let small = vec![serde_json::json!({"a": 1}); 2_500];
        let counts: Vec<_> = requests(&small).map(<[Value]>::len).collect();
        assert_eq!(counts, [1000, 1000, 500]);
        let text = "x".repeat(BYTES / 2);
        let mut large = vec![Value::from(text); 3];
        large.push(Value::from("x".repeat(2 * BYTES)));
        large.push(Value::from("y"));
        let counts: Vec<_> = requests(&large).map(<[Value]>::len).collect();
        assert_eq!(counts, [1, 1, 1, 1, 1]);
        assert_eq!(requests(&[]).count(), 0);
    }
}
