//! Doing the steps of a plan, one after the other, until one fails or somebody interrupts.

use std::fmt::Write as _;
use std::pin::pin;

use guestlist_api::clients::{Client as ServiceClient, ClientRequest};
use guestlist_api::groups::GroupRequest;
use guestlist_api::identities::{Identity, IdentityRequest};
use guestlist_api::ids::{GroupId, RecordId};
use guestlist_api::records::AccessRecordRequest;
use guestlist_api::roles::{Role, RoleRequest};
use guestlist_api::times::Timestamp;
use guestlist_client::{Client, Error};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::connection::Session;
use crate::exits::Failure;
use crate::output::Output;
use crate::plan::{self, Change, Operation, Step, Version, Work};

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "error", rename_all = "camelCase")]
pub(super) enum Outcome {
    Done,
    /// It was refused, or could not be asked for: nothing was changed by it.
    Failed(String),
    /// It may or may not have been done.
    Unknown(String),
    NotDone,
}

/// What became of all steps.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) outcomes: Vec<Outcome>,
    /// Why not all were done.
    pub(super) failure: Option<Failure>,
}

/// Why a step was not done.
#[derive(Debug)]
pub(super) struct NotDone {
    failure: Failure,
    /// Whether it may have been done all the same.
    unknown: bool,
}

impl From<Failure> for NotDone {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            unknown: false,
        }
    }
}

impl From<Error> for NotDone {
    fn from(error: Error) -> Self {
        Self {
            unknown: error.outcome_unknown(),
            failure: error.into(),
        }
    }
}

/// Does the steps.
pub(super) async fn run(session: &Session, steps: &[Step]) -> Report {
    let output = &session.output;
    let progress = if output.shows_progress() {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}");
        let bar = ProgressBar::new(steps.len() as u64);
        match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    } else {
        ProgressBar::hidden()
    };
    // From here on an interruption ends nothing by itself.
    let mut interrupted = listen();
    let report = run_with(steps, &mut interrupted, output, &progress, async |step| {
        perform(&session.client, &step.work).await
    })
    .await;
    progress.finish_and_clear();
    report
}

/// Every Ctrl-C from now on.
pub(crate) fn listen() -> mpsc::UnboundedReceiver<()> {
    let (tell, told) = mpsc::unbounded_channel();
    if let Ok(mut signals) = signal(SignalKind::interrupt()) {
        tokio::spawn(
            async move { while signals.recv().await.is_some() && tell.send(()).is_ok() {} },
        );
    }
    told
}

async fn run_with(
    steps: &[Step],
    interrupted: &mut mpsc::UnboundedReceiver<()>,
    output: &Output,
    progress: &ProgressBar,
    perform: impl AsyncFn(&Step) -> Result<(), NotDone>,
) -> Report {
    let mut outcomes = Vec::with_capacity(steps.len());
    let mut failure = None;
    for step in steps {
        if interrupted.try_recv().is_ok() {
            failure = Some(Failure::interrupted());
            break;
        }
        progress.set_message(crate::text::plain(&step.subject()).into_owned());
        let mut work = pin!(perform(step));
        let (done, stop) = tokio::select! {
            biased;
            done = &mut work => (done, false),
            Some(()) = interrupted.recv() => {
                progress.suspend(|| output.notice("finishing the step in hand; Ctrl-C again does not wait for it"));
                let done = tokio::select! {
                    done = &mut work => done,
                    Some(()) = interrupted.recv() => Err(NotDone {
                        failure: Failure::interrupted(),
                        unknown: true,
                    }),
                };
                (done, true)
            }
        };
        match done {
            Ok(()) => outcomes.push(Outcome::Done),
            Err(NotDone {
                failure: reason,
                unknown,
            }) => {
                let message = reason.message().to_owned();
                outcomes.push(if unknown {
                    Outcome::Unknown(message)
                } else {
                    Outcome::Failed(message)
                });
                failure = Some(reason.during(&step.subject()));
                break;
            }
        }
        progress.inc(1);
        if stop {
            failure = Some(Failure::interrupted());
            break;
        }
    }
    let done = outcomes.iter().filter(|outcome| **outcome == Outcome::Done);
    let done = done.count();
    // Interrupted during the last one, everything is done all the same.
    let failure = failure.filter(|_| done < steps.len()).map(|failure| {
        failure.hint(format!(
            "{done} of {} steps were done. When this is settled, the same command plans anew and does \
             the rest.",
            steps.len()
        ))
    });
    outcomes.resize(steps.len(), Outcome::NotDone);
    Report { outcomes, failure }
}

impl Report {
    /// That nothing was done.
    pub(super) fn untouched(steps: &[Step]) -> Self {
        Self {
            outcomes: vec![Outcome::NotDone; steps.len()],
            failure: None,
        }
    }

    /// What was done and what not; nothing if nothing was to be done.
    pub(super) fn for_people(&self, steps: &[Step]) -> Option<String> {
        if self
            .outcomes
            .iter()
            .all(|outcome| *outcome == Outcome::NotDone)
            && self.failure.is_none()
        {
            return None;
        }
        if self.failure.is_none() {
            let count = |operation| {
                let steps = steps.iter();
                steps
                    .filter(|step| step.work.operation() == operation)
                    .count()
            };
            return Some(format!(
                "Done: {} created, {} changed, {} deleted.",
                count(Operation::Create),
                count(Operation::Change),
                count(Operation::Delete)
            ));
        }
        let mut text = String::new();
        for (step, outcome) in steps.iter().zip(&self.outcomes) {
            let word = match outcome {
                Outcome::Done => "done",
                Outcome::Failed(_) => "failed",
                Outcome::Unknown(_) => "not known whether it was done",
                Outcome::NotDone => "not done",
            };
            let operation = match step.work.operation() {
                Operation::Create => "create",
                Operation::Change => "change",
                Operation::Delete => "delete",
            };
            let subject = step.subject();
            let subject = crate::text::plain(&subject);
            let _ = writeln!(text, "  {word}: {operation} {subject}");
        }
        Some(text)
    }
}

fn changed() -> NotDone {
    Failure::conflict("it changed since the plan was made").into()
}

fn gone() -> NotDone {
    Failure::conflict("it is no longer there, or you may no longer see it").into()
}

/// An answer about something that was there when the plan was made.
fn still<T>(answer: Result<T, Error>) -> Result<T, NotDone> {
    answer.map_err(|error| match error.status() {
        Some(404 | 410) => gone(),
        Some(412) => changed(),
        Some(_) | None => error.into(),
    })
}

/// Does one step, if what the plan saw is still so.
///
/// Records and groups are compared by the server as it writes. For everything else, and for deletions,
/// the API has no condition: there it is read again just before.
async fn perform(client: &Client, work: &Work) -> Result<(), NotDone> {
    match work {
        Work::Role(change) => role(client, change).await,
        Work::Group(change) => group(client, change).await,
        Work::Client(change) => service_client(client, change).await,
        Work::Identity { seen, wanted } => identity(client, seen.as_deref(), wanted).await,
        Work::Record(change) => record(client, change).await,
    }
}

async fn role(client: &Client, change: &Change<Role, RoleRequest>) -> Result<(), NotDone> {
    let roles = client.roles();
    match change {
        Change::Create(wanted) => roles.create_role(wanted).await.map(drop)?,
        Change::Update(seen, wanted) => {
            same_role(client, seen).await?;
            still(roles.update_role(&seen.role_id, wanted).await)?;
        }
        Change::Delete(seen) => {
            same_role(client, seen).await?;
            still(roles.delete_role(&seen.role_id).await)?;
        }
    }
    Ok(())
}

async fn same_role(client: &Client, seen: &Role) -> Result<(), NotDone> {
    let now = still(client.roles().get_role(&seen.role_id).await)?;
    let form = |role: &Role| role.to_request().map(|role| plan::role_form(&role));
    if form(&now) == form(seen) {
        Ok(())
    } else {
        Err(changed())
    }
}

async fn group(
    client: &Client,
    change: &Change<Version<GroupId>, GroupRequest>,
) -> Result<(), NotDone> {
    let groups = client.groups();
    match change {
        Change::Create(wanted) => groups.create_group(wanted).await.map(drop)?,
        Change::Update(seen, wanted) => {
            let written = groups.update_group(&seen.id, wanted, seen.last_updated);
            still(written.await)?;
        }
        Change::Delete(seen) => {
            let now = still(groups.get_group(&seen.id).await)?;
            same_time(seen.last_updated, now.last_updated)?;
            still(groups.delete_group(&seen.id).await)?;
        }
    }
    Ok(())
}

async fn record(
    client: &Client,
    change: &Change<Version<RecordId>, AccessRecordRequest>,
) -> Result<(), NotDone> {
    let records = client.access_records();
    match change {
        Change::Create(wanted) => records.create_record(wanted).await.map(drop)?,
        Change::Update(seen, wanted) => {
            let written = records.update_record(&seen.id, wanted, seen.last_updated);
            still(written.await)?;
        }
        Change::Delete(seen) => {
            let now = still(records.get_record(&seen.id).await)?;
            same_time(seen.last_updated, now.last_updated)?;
            still(records.delete_record(&seen.id).await)?;
        }
    }
    Ok(())
}

fn same_time(seen: Option<Timestamp>, now: Option<Timestamp>) -> Result<(), NotDone> {
    if seen == now { Ok(()) } else { Err(changed()) }
}

async fn service_client(
    client: &Client,
    change: &Change<ServiceClient, ClientRequest>,
) -> Result<(), NotDone> {
    let clients = client.service_clients();
    match change {
        Change::Create(wanted) => {
            // The server makes the id, so a second one would not be refused.
            let name = wanted.name.as_ref().map(ToString::to_string);
            let mut named = clients.list().filter(name.unwrap_or_default());
            while let Some(other) = named.try_next().await? {
                if other.name == wanted.name {
                    let taken = format!("{} is called so by now", other.client_id);
                    return Err(Failure::conflict(taken).into());
                }
            }
            clients.create_client(wanted).await.map(drop)?;
        }
        Change::Update(seen, wanted) => {
            let now = still(clients.get_client(&seen.client_id).await)?;
            let form = |one: &ServiceClient| one.to_request().map(|one| plan::client_form(&one));
            if form(&now) != form(seen) {
                return Err(changed());
            }
            still(clients.update_client(&seen.client_id, wanted).await)?;
        }
        Change::Delete(seen) => {
            // A key that was made meanwhile means that somebody is about to use it.
            if still(clients.get_client(&seen.client_id).await)? != *seen {
                return Err(changed());
            }
            still(clients.delete_client(&seen.client_id).await)?;
        }
    }
    Ok(())
}

async fn identity(
    client: &Client,
    seen: Option<&Identity>,
    wanted: &IdentityRequest,
) -> Result<(), NotDone> {
    let accounts = client.accounts();
    let linked = accounts.get_account_identities().await?.identities;
    let now = linked.iter().find(|identity| {
        wanted.issuer.as_ref() == Some(&identity.issuer)
            && wanted.preferred_audience.as_ref() == Some(&identity.audience)
    });
    if now != seen {
        return Err(changed());
    }
    accounts.delegate_authentication(wanted).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
