//! `guestlist import --from`: the account of another server, read by its public lists and written to
//! this one. Running it again carries on and doubles nothing.

mod access_requests;
mod applications;
mod carrying;
mod clients;
mod connections;
mod extensions;
mod groups;
mod identities;
mod kinds;
mod origins;
mod records;
mod report;
mod resource_configurations;
mod roles;
mod source;
mod state;
mod steps;
mod tenants;

use std::path::PathBuf;

use clap::Args;
use guestlist_client::Client;
use guestlist_client::api::ids::ClientId;

use self::carrying::Carrier;
use self::kinds::Kind;
use self::report::Report;
use self::source::SourceArguments;
use self::state::State;
use self::steps::Steps;
use crate::apply::listen;
use crate::connection::Session;
use crate::exits::Failure;
use crate::output::{self, Format, Output};
use crate::profiles::ConnectionArguments;
use crate::secret_input::write_private;

/// What to carry, from where, and how.
#[derive(Debug, Args)]
pub(crate) struct AccountArguments {
    #[command(flatten)]
    source: SourceArguments,

    /// Put what the other server says in the place of what differs here. Records that say who
    /// administers this server stay as they are all the same
    #[arg(long)]
    overwrite: bool,

    /// Do not carry these kinds
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    leave_out: Vec<Kind>,

    /// This service client of this server stands for that one of the other; may be given several
    /// times
    #[arg(long = "client", value_name = "THERE=HERE", value_parser = stand_in)]
    clients: Vec<(String, ClientId)>,

    /// Show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not ask
    #[arg(long, short)]
    yes: bool,

    /// Where to keep how far it came [default: a file in the working directory, named after the
    /// other server]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Also write the whole report to this file, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

fn stand_in(text: &str) -> Result<(String, ClientId), String> {
    let (there, here) = text.split_once('=').ok_or("must be THERE=HERE")?;
    let read = |id: &str| id.parse::<ClientId>().map_err(|reason| reason.to_string());
    Ok((read(there)?.into_string(), read(here)?))
}

/// An import whose secrets were read.
pub(crate) struct Import {
    arguments: AccountArguments,
    there: Client,
}

/// Reads the credential for the other server, while nothing waits but the person.
pub(crate) fn prepare(
    arguments: AccountArguments,
    connection: &ConnectionArguments,
    output: &Output,
) -> Result<Import, Failure> {
    let there = source::open(&arguments.source, connection, output)?;
    Ok(Import { arguments, there })
}

pub(crate) async fn run(import: Import, session: &Session) -> Result<(), Failure> {
    let Import { arguments, there } = import;
    let output = &session.output;
    if there.url() == session.client.url() {
        return Err(Failure::invalid(format!(
            "{} is the server that is written to",
            there.url()
        )));
    }
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| !arguments.leave_out.contains(kind))
        .collect();
    let path = arguments
        .state
        .clone()
        .unwrap_or_else(|| source::state_path(&there, &session.client));
    let mut state = State::open(&path, there.url(), session.client.url(), !arguments.dry_run)?;
    for (id, stands_for_it) in &arguments.clients {
        state.made(Kind::Clients, id, stands_for_it.as_str())?;
    }
    if !arguments.dry_run {
        ask(&arguments, &there, session, &kinds).await?;
    }
    let mut report = Report::new(there.url(), session.client.url(), arguments.dry_run);
    let steps = Steps::new(output, kinds.len());
    let mut interrupts = listen();
    let mut carrier = Carrier {
        there: &there,
        here: &session.client,
        state: &mut state,
        report: &mut report,
        steps: &steps,
        overwrites: arguments.overwrite,
        dry_run: arguments.dry_run,
    };
    let ended = tokio::select! {
        biased;
        ended = all(&mut carrier, &kinds) => ended,
        () = steps.interrupts(output, &mut interrupts) => Err(Failure::interrupted()),
    };
    steps.end();
    let ended = ended.and_then(|()| state.ended());
    report.ended = ended.is_ok();
    tell(&report, &arguments, output)?;
    match ended {
        Ok(()) if report.is_whole() => Ok(()),
        Ok(()) => Err(Failure::no()),
        Err(failure) if arguments.dry_run => Err(failure),
        Err(failure) => Err(failure.hint(format!(
            "What was carried is here. When this is settled, the same command carries on: how far it \
             came is in {}.",
            path.display()
        ))),
    }
}

/// Asks whether to write, and says whose tokens would be believed.
async fn ask(
    arguments: &AccountArguments,
    there: &Client,
    session: &Session,
    kinds: &[Kind],
) -> Result<(), Failure> {
    if arguments.yes {
        return Ok(());
    }
    if session.output.format() != Format::People {
        return Err(Failure::invalid(
            "a program cannot be asked: say --yes, or --dry-run to see only what would be done",
        ));
    }
    if kinds.contains(&Kind::Identities)
        && let Ok(linked) = there.accounts().get_account_identities().await
    {
        for identity in linked.identities {
            output::say(&format!(
                "Tokens of {} would be believed, for the audience {}.",
                identity.issuer, identity.audience
            ));
        }
    }
    let question = format!(
        "Carry the account of {} to {}?",
        there.url(),
        session.client.url()
    );
    session.output.confirm(&question, false)
}

/// One kind after the other, those that others name first.
async fn all(carrier: &mut Carrier<'_>, kinds: &[Kind]) -> Result<(), Failure> {
    for kind in kinds {
        match kind {
            Kind::Roles => carrier.carry(roles::Roles).await?,
            Kind::Extensions => carrier.carry(extensions::Extensions::default()).await?,
            Kind::Clients => carrier.carry(clients::Clients::default()).await?,
            Kind::Connections => carrier.carry(connections::Connections).await?,
            Kind::Tenants => carrier.carry(tenants::Tenants).await?,
            Kind::Applications => carrier.carry(applications::Applications::default()).await?,
            Kind::Groups => carrier.carry(groups::Groups).await?,
            Kind::Records => carrier.carry(records::Records).await?,
            Kind::ResourceConfigurations => {
                carrier
                    .carry(resource_configurations::ResourceConfigurations)
                    .await?;
            }
            Kind::Identities => carrier.carry(identities::Identities::default()).await?,
            Kind::AccessRequests => {
                carrier
                    .carry(access_requests::AccessRequests::default())
                    .await?;
            }
        }
        carrier.steps.kind_is_done();
    }
    Ok(())
}

fn tell(report: &Report, arguments: &AccountArguments, output: &Output) -> Result<(), Failure> {
    if let Some(path) = &arguments.report {
        let text = output::json(report)?;
        write_private(path, format!("{text}\n").as_bytes())?;
    }
    output.show(report, Report::for_people)
}
