//! `guestlist doctor`: looks for the reason why something does not work, and says what to do.

mod configuration;
mod credential;
mod data_directory;
mod health;
mod reachability;

use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use clap::Args;
use serde::Serialize;

use crate::exits::Failure;
use crate::output::Output;
use crate::profiles::ConnectionArguments;
use crate::text::plain;

const HELP: &str = "\
Looks in turn at the configuration of this machine, the way to the server, the clocks, the
credential, and the server's health. Nothing is changed, but for a sign-in that has to be renewed;
no secret is printed. Ends with exit code 1 if there is a problem.

Examples:
  guestlist doctor
  guestlist doctor --profile prod --json
  sudo -u guestlist guestlist doctor --data /var/lib/guestlist";

/// What to look at besides.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct DoctorArguments {
    /// Also look at the data directory of a server on this machine: its modes, its secrets, the
    /// space that is left
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Ok,
    /// It works, but something is amiss or may soon be.
    Warning,
    /// It does not work.
    Problem,
    /// What must be right first is not.
    NotChecked,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, check: &'static str, state: State, found: String, advice: Option<String>) {
        self.0.push(Finding {
            check,
            state,
            found,
            advice,
        });
    }

    fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.add(check, State::Ok, found.into(), None);
    }

    fn warning(
        &mut self,
        check: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(check, State::Warning, found.into(), Some(advice.into()));
    }

    fn problem(
        &mut self,
        check: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(check, State::Problem, found.into(), Some(advice.into()));
    }

    /// A problem as a command would have told it.
    fn failure(&mut self, check: &'static str, failure: &Failure) {
        self.add(
            check,
            State::Problem,
            failure.message().to_owned(),
            failure.advice().map(ToOwned::to_owned),
        );
    }

    fn not_checked(&mut self, check: &'static str, found: impl Into<String>) {
        self.add(check, State::NotChecked, found.into(), None);
    }

    fn count(&self, state: State) -> usize {
        self.0
            .iter()
            .filter(|finding| finding.state == state)
            .count()
    }
}

/// What it says to programs.
#[derive(Serialize)]
struct Report<'a> {
    problems: usize,
    warnings: usize,
    checks: &'a [Finding],
}

pub(crate) async fn run(
    arguments: DoctorArguments,
    connection: &ConnectionArguments,
    output: &Output,
) -> Result<(), Failure> {
    let mut findings = Findings::default();
    examine(connection, &mut findings).await;
    if let Some(directory) = &arguments.data {
        data_directory::examine(directory, &mut findings);
    }
    let report = Report {
        problems: findings.count(State::Problem),
        warnings: findings.count(State::Warning),
        checks: &findings.0,
    };
    output.show(&report, shown)?;
    if report.problems == 0 {
        Ok(())
    } else {
        Err(Failure::no())
    }
}

async fn examine(connection: &ConnectionArguments, findings: &mut Findings) {
    let Some((url, source)) = configuration::examine(connection, findings) else {
        findings.not_checked("server", "which one is not known");
        return;
    };
    let credential = credential::read(&source, findings);
    let Some(server) = reachability::examine(&url, connection, findings).await else {
        findings.not_checked("clock", "the server does not answer");
        findings.not_checked("signed in", "the server does not answer");
        return;
    };
    health::clock(&server, findings);
    if let Some(credential) = credential {
        credential::examine(credential, &url, connection, findings).await;
    } else {
        findings.not_checked("signed in", "there is no usable credential");
    }
    if server.is_guestlist {
        health::examine(&url, connection, findings).await;
    }
}

fn shown(report: &Report<'_>) -> String {
    let width = report
        .checks
        .iter()
        .map(|finding| finding.check.len())
        .max()
        .unwrap_or(0);
    let mut lines = Vec::new();
    for finding in report.checks {
        let (word, color) = match finding.state {
            State::Ok => ("ok", Some(AnsiColor::Green)),
            State::Warning => ("warning", Some(AnsiColor::Yellow)),
            State::Problem => ("problem", Some(AnsiColor::Red)),
            State::NotChecked => ("-", None),
        };
        let style = Style::new().fg_color(color.map(Into::into));
        lines.push(format!(
            "{style}{word:7}{style:#}  {:width$}  {}",
            finding.check,
            plain(&finding.found)
        ));
        if let Some(advice) = &finding.advice {
            lines.push(format!("{:7}  {:width$}  {}", "", "", plain(advice)));
        }
    }
    lines.push(String::new());
    lines.push(summary(report.problems, report.warnings));
    lines.join("\n")
}

fn summary(problems: usize, warnings: usize) -> String {
    let counted = |number: usize, noun: &str| match number {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    };
    match (problems, warnings) {
        (0, 0) => "Nothing is wrong.".to_owned(),
        (0, warnings) => format!("{}.", counted(warnings, "warning")),
        (problems, 0) => format!("{}.", counted(problems, "problem")),
        (problems, warnings) => format!(
            "{}, {}.",
            counted(problems, "problem"),
            counted(warnings, "warning")
        ),
    }
}
