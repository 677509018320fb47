//! `guestlist apply` and `guestlist diff`: an account made to match a folder of manifests.

mod caller;
mod reading;
mod steps;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

pub(crate) use self::steps::listen;
use self::steps::{Outcome, Report};
use crate::connection::Session;
use crate::exits::Failure;
use crate::manifests::Folder;
use crate::output::{Format, Output};
use crate::plan::{self, Kept, Left, Options, OwnAccess, Plan, Rest, Step};

/// Which manifests, and what becomes of what is in none of them.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// A folder with manifests (*.yaml, *.yml and *.json, also in the folders in it) or one file;
    /// `-` is standard input. May be given several times
    #[arg(long = "file", short = 'f', value_name = "DIR|FILE", required = true)]
    files: Vec<PathBuf>,

    /// Delete what is in no manifest. Built-in roles, your own access, the last owner, records that
    /// invites made and linked issuers stay
    #[arg(long)]
    prune: bool,

    /// With --prune, delete records that invites made as well: whoever accepted an invite loses what
    /// it gave
    #[arg(long, requires = "prune")]
    prune_invited: bool,

    /// Also if it takes away your own access to the account's administration
    #[arg(long)]
    allow_losing_access: bool,
}

/// What to apply, and whether to ask.
#[derive(Debug, Args)]
#[command(after_help = "\
A manifest is an object with its kind:

  kind: Role                    kind: Record
  roleId: ro_editor             recordId: rec_editors
  name: Editor                  name: Editors of project 42
  permissions:                  groups: [{groupId: grp_editors}]
  - action: documents:read      statements:
    allow: true                 - roles: [ro_editor]
    grant: false                  resources: [{resourceUri: projects/42}]
    delegate: false

Kinds are Role, Group, Client, Identity and Record, with the members of the HTTP API; a file may
have several, separated by ---. `guestlist pull DIR` writes those of the present account. Access
keys of service clients are secrets and are in no manifest: `guestlist key` makes them.

The plan is shown first. What somebody else changes after that is not overwritten: the command
stops there, says what was done and what was not, and running it again does the rest. Ctrl-C lets
the step in hand finish; a second one does not.

Examples:
  guestlist apply -f access/                 show the plan, ask, apply
  guestlist apply -f access/ --dry-run       show the plan only
  guestlist apply -f access/ --prune --yes   make the account exactly so, without asking
  guestlist apply -f access/ --yes --json    the plan and the outcome of each step, for programs")]
pub(crate) struct ApplyArguments {
    #[command(flatten)]
    source: Source,

    /// Do not ask
    #[arg(long, short)]
    yes: bool,

    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What to compare.
#[derive(Debug, Args)]
#[command(after_help = "\
The exit code is 0 if there is nothing to do and 1 if there are differences.

Examples:
  guestlist diff -f access/
  guestlist diff -f access/ --prune          also what is in no manifest
  guestlist diff -f access/ --json           the plan, for programs")]
pub(crate) struct DiffArguments {
    #[command(flatten)]
    source: Source,
}

/// A step and what became of it.
#[derive(Serialize)]
struct Done<'a> {
    #[serde(flatten)]
    step: &'a Step,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

/// What programs are told of an application.
#[derive(Serialize)]
struct Applied<'a> {
    steps: Vec<Done<'a>>,
    unchanged: usize,
    left: &'a [Left],
    kept: &'a [Kept],
    warnings: &'a [String],
}

/// `guestlist diff`.
pub(crate) async fn diff(arguments: DiffArguments, session: &Session) -> Result<(), Failure> {
    let plan = make(&arguments.source, session).await?;
    session.output.show(&plan, Plan::for_people)?;
    if plan.steps.is_empty() {
        Ok(())
    } else {
        Err(Failure::no())
    }
}

/// `guestlist apply`.
pub(crate) async fn apply(arguments: ApplyArguments, session: &Session) -> Result<(), Failure> {
    let output = &session.output;
    let for_people = output.format() == Format::People;
    if !for_people && !arguments.yes && !arguments.dry_run {
        return Err(Failure::invalid(
            "a program cannot be asked: say --yes, or --dry-run to see the plan only",
        ));
    }
    let plan = make(&arguments.source, session).await?;
    if for_people {
        output.print(&plan.for_people())?;
    }
    if plan.steps.is_empty() || arguments.dry_run {
        let report = Report::untouched(&plan.steps);
        return show(output, &plan, &report);
    }
    let question = format!("Apply this to {}?", session.url);
    output.confirm(&question, arguments.yes)?;
    let report = steps::run(session, &plan.steps).await;
    show(output, &plan, &report)?;
    match report.failure {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// Shows what became of the steps.
fn show(output: &Output, plan: &Plan, report: &Report) -> Result<(), Failure> {
    if output.format() == Format::People {
        return match report.for_people(&plan.steps) {
            Some(text) => output.print(&text),
            None => Ok(()),
        };
    }
    let steps = plan.steps.iter().zip(&report.outcomes);
    let applied = Applied {
        steps: steps
            .map(|(step, outcome)| Done { step, outcome })
            .collect(),
        unchanged: plan.unchanged,
        left: &plan.left,
        kept: &plan.kept,
        warnings: &plan.warnings,
    };
    output.show(&applied, |_| String::new())
}

/// Reads the manifests and the account, and plans.
async fn make(source: &Source, session: &Session) -> Result<Plan, Failure> {
    let folder = Folder::read(&source.files)?;
    let rest = match (source.prune, source.prune_invited) {
        (true, true) => Rest::PrunedWithInvited,
        (true, false) => Rest::Pruned,
        (false, _) => Rest::Stays,
    };
    let account = reading::read(session, &folder, rest).await?;
    let options = Options {
        rest,
        own_access: if source.allow_losing_access {
            OwnAccess::MayBeLost
        } else {
            OwnAccess::Protected
        },
        caller: caller::of(session.client.credentials(), account.identities.as_ref()).await,
    };
    plan::plan(&folder, &account, &options)
        .map_err(|mistakes| Failure::invalid(mistakes.join("\n")).hint("Nothing was changed."))
}
