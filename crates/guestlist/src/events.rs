//! `guestlist events`: the event log of a server, as it is and as it grows.

use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::str::FromStr;

use clap::{Args, Subcommand};
use guestlist_api::events::Event;
use guestlist_client::{Error, Following, Refusal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::connection::Session;
use crate::exits::{Exit, Failure, is_closed_pipe};
use crate::output::{Format, Limit, json_line, yaml};
use crate::text::plain;

/// Events asked for at a time.
const PAGE: u16 = 200;
/// Failures in a row after which it is said that the server does not answer.
const FAILURES: u32 = 3;

/// The commands on the event log.
#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// Lists what changed, oldest first
    #[command(after_help = "\
Examples:
  guestlist events list --last 20
  guestlist events list --after 1200 --json")]
    List(EventList),

    /// Prints every change as it happens, until it is interrupted
    ///
    /// While the server cannot be reached it is asked again and again, and nothing is left out. With
    /// --json there is one object on each line; keep its `revision` to go on after it.
    #[command(after_help = "\
Examples:
  guestlist events follow
  guestlist events follow --after start --json | jq -r .eventType")]
    Follow {
        /// Begin with the first change after this revision; `start` is the first of all, `now` the
        /// next that happens
        #[arg(long, value_name = "REVISION|now|start", default_value = "now")]
        after: After,
    },
}

/// Which part of the log.
#[derive(Debug, Args)]
pub(crate) struct EventList {
    /// Begin with the first change after this revision
    #[arg(long, value_name = "REVISION", default_value_t = 0)]
    after: u64,

    /// Only the newest so many
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["after", "limit", "all"])]
    last: Option<u64>,

    #[command(flatten)]
    limit: Limit,
}

/// Where following begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    Start,
    Revision(u64),
    Now,
}

impl FromStr for After {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "start" => Ok(Self::Start),
            "now" => Ok(Self::Now),
            number => number
                .parse()
                .map(Self::Revision)
                .map_err(|_| "must be a revision (a number), `now` or `start`"),
        }
    }
}

impl EventsCommand {
    /// Whether it goes on until it is interrupted, which is then no failure.
    pub(crate) fn is_endless(&self) -> bool {
        match self {
            Self::List(_) => false,
            Self::Follow { .. } => true,
        }
    }
}

pub(crate) async fn run(command: EventsCommand, session: &Session) -> Result<(), Failure> {
    match command {
        EventsCommand::List(arguments) => list(arguments, session).await,
        EventsCommand::Follow { after } => follow(after, session).await,
    }
}

async fn list(arguments: EventList, session: &Session) -> Result<(), Failure> {
    let mut after = arguments.after;
    if let Some(last) = arguments.last {
        after = newest(session).await?.saturating_sub(last);
    }
    let mut events = Vec::new();
    let mut more = false;
    'pages: loop {
        let page = session.client.events().get_events(after, PAGE).await?;
        for event in page.events {
            if arguments.last.is_none() && arguments.limit.is_reached(events.len()) {
                more = true;
                break 'pages;
            }
            after = event.revision;
            events.push(event);
        }
        if after >= page.last_revision {
            break;
        }
    }
    let output = &session.output;
    output.show_all(
        &events,
        &["REVISION", "TIME", "TYPE", "ACTOR", "SUBJECT", "DETAILS"],
        |event| columns(event).to_vec(),
    )?;
    if more {
        output.notice(&format!(
            "There are more than these {}: --after {after} goes on, --last shows the newest.",
            events.len()
        ));
    }
    Ok(())
}

async fn newest(session: &Session) -> Result<u64, Failure> {
    let page = session.client.events().get_events(0, 1).await?;
    Ok(page.last_revision)
}

async fn follow(after: After, session: &Session) -> Result<(), Failure> {
    // Asked in any case: a wrong URL, or a caller who may not read the log, is told at once.
    let newest = newest(session).await?;
    let after = match after {
        After::Start => 0,
        After::Revision(revision) => revision,
        After::Now => newest,
    };
    let mut lines = Lines::new(session.output.format());
    let following = session.client.events().follow(after).failures(FAILURES);
    tokio::select! {
        ended = print_all(following, &mut lines, session) => ended,
        () = reader_gone() => Ok(()),
    }
}

/// Prints until nobody reads any more.
async fn print_all(
    mut following: Following,
    lines: &mut Lines,
    session: &Session,
) -> Result<(), Failure> {
    let mut told = false;
    loop {
        let event = match following.next_event().await {
            Ok(event) => event,
            Err(error) if passes(&error) => {
                if !told {
                    told = true;
                    let revision = following.revision();
                    session
                        .output
                        .notice(&format!("{error}: trying on, after revision {revision}"));
                }
                continue;
            }
            Err(Error::LostEvents(lost)) => return Err(Failure::conflict(lost.to_string())),
            Err(error) => return Err(error.into()),
        };
        if told {
            told = false;
            session.output.notice("the server answers again");
        }
        match lines.print(&event)? {
            Reader::There => {}
            Reader::Gone => return Ok(()),
        }
    }
}

/// Whether the server may answer later what it does not answer now.
fn passes(error: &Error) -> bool {
    let refused = |refusal: &Refusal| {
        Failure::from(Error::Refused(refusal.clone())).exit() == Exit::Unavailable
    };
    matches!(error, Error::Transport(_)) || error.refusal().is_some_and(refused)
}

/// Ends when standard output is a pipe and its reader has gone, which a write would notice only with
/// the next event.
async fn reader_gone() {
    // A file cannot be waited for, and has no reader.
    if let Ok(stdout) = io::stdout().as_fd().try_clone_to_owned()
        && let Ok(pipe) = watch(stdout)
        && pipe.ready(Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

#[expect(
    deprecated,
    reason = "what replaces it is unsafe to call; a descriptor that is owned meets its conditions"
)]
fn watch(stdout: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(stdout, Interest::ERROR)
}

/// Whether somebody reads standard output.
enum Reader {
    There,
    Gone,
}

/// Events in lines that are printed as they come.
struct Lines {
    format: Format,
    /// Whether people are still to be told what the columns are.
    heading: bool,
}

impl Lines {
    fn new(format: Format) -> Self {
        Self {
            format,
            heading: io::stdout().is_terminal(),
        }
    }

    fn print(&mut self, event: &Event) -> Result<Reader, Failure> {
        let text = match self.format {
            Format::Json => json_line(event)?,
            Format::Yaml => format!("---\n{}", yaml(event)?.trim_end()),
            Format::People => {
                let mut text = String::new();
                if std::mem::take(&mut self.heading) {
                    text = line(&["REVISION", "TIME", "TYPE", "ACTOR", "SUBJECT", "DETAILS"]);
                    text.push('\n');
                }
                text + &line(&columns(event).each_ref().map(String::as_str))
            }
        };
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            Ok(()) => Ok(Reader::There),
            Err(error) if is_closed_pipe(&error) => Ok(Reader::Gone),
            Err(error) => Err(Failure::local(format!(
                "cannot write to standard output: {error}"
            ))),
        }
    }
}

/// Widths that most values fit in: a line cannot know of those that follow.
fn line(columns: &[&str; 6]) -> String {
    let [revision, time, kind, actor, subject, details] = columns.map(plain);
    format!("{revision:>8}  {time:24}  {kind:18}  {actor:24}  {subject:32}  {details}")
        .trim_end()
        .to_owned()
}

fn columns(event: &Event) -> [String; 6] {
    let details: Vec<String> = event
        .data
        .members()
        .filter_map(|name| Some(format!("{name}={}", event.data.text(name)?)))
        .collect();
    [
        event.revision.to_string(),
        event.event_time.to_string(),
        event.event_type.to_string(),
        event.actor.id.to_string(),
        format!("{}/{}", event.subject.kind, event.subject.id),
        details.join(" "),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_following_begins_is_a_revision_or_a_word() {
        assert_eq!("start".parse(), Ok(After::Start));
        assert_eq!("now".parse(), Ok(After::Now));
        assert_eq!("17".parse(), Ok(After::Revision(17)));
        for wrong in ["", "-1", "Now", "1.5", "yesterday"] {
            assert!(wrong.parse::<After>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_line_is_whole_and_harmless() {
        let text = line(&["7", "t", "role.created", "a\u{1b}[31m", "role/r", ""]);
        assert!(text.starts_with("       7  t "), "{text}");
        assert!(
            text.ends_with("role/r") && !text.contains('\u{1b}'),
            "{text}"
        );
    }
}
