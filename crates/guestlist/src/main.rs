//! The Guestlist server and its command line. Nothing is built before this file; it only builds and
//! calls.

mod access_requests;
mod account_import;
mod accounts;
mod applications;
mod apply;
mod arguments;
mod audit;
mod audit_verification;
mod backup;
mod checks;
mod clients;
mod completions;
mod connection;
mod connections;
mod deletion;
mod device_grant;
mod doctor;
mod documents;
mod edit;
mod environment;
mod events;
mod exits;
mod export;
mod extensions;
mod file_lock;
mod groups;
mod identities;
mod import;
mod invite_batches;
mod invite_grants;
mod invite_lists;
mod invite_message;
mod invite_rehearsal;
mod invite_request;
mod invite_settings;
mod invite_statistics;
mod invites;
mod keys;
mod login;
mod logs;
mod man;
mod manifests;
mod openid_provider;
mod output;
mod plan;
mod profile_commands;
mod profile_files;
mod profiles;
mod progress;
mod pull;
mod rate_limits;
mod records;
mod resources;
mod restore;
mod roles;
mod secret_input;
mod serve;
mod settings;
mod sign_in;
mod standard_input;
mod stores;
mod tags;
mod tenants;
mod terminal;
mod text;
mod token_claims;
mod tokens;
mod users;
mod webhooks;
mod welcome;

use std::process::ExitCode;

use clap::FromArgMatches as _;

use crate::arguments::{Arguments, Call, Command};
use crate::audit::AuditCommand;
use crate::connection::Session;
use crate::exits::Failure;
use crate::import::Source;
use crate::output::Output;

fn main() -> ExitCode {
    let matches = match arguments::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() && asks_for_json() => {
            return exits::misused(&error).report(true);
        }
        Err(error) => error.exit(),
    };
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    arguments.output.color.choose();
    let for_programs = arguments.output.json;
    let outcome = arguments::refuse_unheeded(&matches).and_then(|()| run(arguments));
    match outcome {
        Ok(code) => code,
        Err(failure) => failure.report(for_programs),
    }
}

/// Whether errors are to be told to programs, where the arguments cannot be read.
fn asks_for_json() -> bool {
    std::env::args_os().any(|argument| argument == "--json")
}

fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let Arguments {
        connection,
        output: form,
        command,
    } = arguments;
    let output = Output::new(&form);
    let session = || Session::open(&connection, &form);
    match command {
        Command::Serve(arguments) => Ok(serve::run(arguments)),
        Command::Invite(command) => {
            let command = invites::prepare(command, &connection, &output)?;
            call(invites::run(command, &session()?))
        }
        Command::Call(command) => call(answer(command, &session()?)),
        Command::Events(command) => {
            let ends = if command.is_endless() {
                Ok(ExitCode::SUCCESS)
            } else {
                Err(Failure::interrupted())
            };
            let session = session()?;
            call_until(events::run(command, &session), ends)
        }
        Command::Audit(AuditCommand::Export(arguments)) => {
            call(audit::export(arguments, &session()?))
        }
        Command::Audit(AuditCommand::Verify(arguments)) => {
            done(audit_verification::run(arguments, &output))
        }
        Command::Diff(arguments) => call(apply::diff(arguments, &session()?)),
        Command::Apply(arguments) => call_to_end(apply::apply(arguments, &session()?)),
        Command::Pull(arguments) => call(pull::run(arguments, &session()?)),
        Command::Backup(arguments) => done(backup::run(arguments, &output)),
        Command::Restore(arguments) => done(restore::run(arguments, &output)),
        Command::Export(arguments) => done(export::run(arguments, &output)),
        Command::Store(command) => done(stores::run(command, &output)),
        Command::Migrate(arguments) => done(stores::migrate(&arguments, &output)),
        Command::Import(arguments) => match arguments.source() {
            Source::File(file) => done(import::run(file, &output)),
            Source::Server(server) => {
                let import = account_import::prepare(server, &connection, &output)?;
                call_to_end(account_import::run(import, &session()?))
            }
        },
        Command::Login(arguments) => {
            let login = login::prepare(arguments, &connection)?;
            call(login::run(login, &connection, &output))
        }
        Command::Logout(_) => call(login::logout(&connection, &output)),
        Command::Profile(command) => call(profile_commands::run(command, &connection, &output)),
        Command::Doctor(arguments) => call(doctor::run(arguments, &connection, &output)),
        Command::Completions(arguments) => done(completions::run(&arguments)),
        Command::Man(arguments) => done(man::run(&arguments)),
    }
}

async fn answer(command: Call, session: &Session) -> Result<(), Failure> {
    match command {
        Call::Check(arguments) => checks::check(arguments, session).await,
        Call::WhoCan(arguments) => checks::who_can(arguments, session).await,
        Call::WhatCan(arguments) => checks::what_can(arguments, session).await,
        Call::Record(command) => records::run(command, session).await,
        Call::Role(command) => roles::run(command, session).await,
        Call::Group(command) => groups::run(command, session).await,
        Call::Client(command) => clients::run(command, session).await,
        Call::Key(command) => keys::run(command, session).await,
        Call::Token(command) => tokens::run(command, session).await,
        Call::Application(command) => applications::run(command, session).await,
        Call::Extension(command) => extensions::run(command, session).await,
        Call::Connection(command) => connections::run(command, session).await,
        Call::Tenant(command) => tenants::run(command, session).await,
        Call::Resource(command) => resources::run(command, session).await,
        Call::Claim(arguments) => resources::claim(arguments, session).await,
        Call::Identity(command) => identities::run(command, session).await,
        Call::Request(command) => access_requests::run(command, session).await,
        Call::User(command) => users::run(command, session).await,
        Call::Webhook(command) => webhooks::run(command, session).await,
        Call::Account(command) => accounts::run(command, session).await,
    }
}

fn done(outcome: Result<(), Failure>) -> Result<ExitCode, Failure> {
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Runs a command that calls a server, until it is done or interrupted.
fn call(command: impl Future<Output = Result<(), Failure>>) -> Result<ExitCode, Failure> {
    call_until(command, Err(Failure::interrupted()))
}

/// The same with what an interrupt means.
fn call_until(
    command: impl Future<Output = Result<(), Failure>>,
    interrupted: Result<ExitCode, Failure>,
) -> Result<ExitCode, Failure> {
    run_to_end(async {
        tokio::select! {
            // First the command: as long as it waits for nobody but the person (a question before
            // anything is sent), an interrupt ends the program as it does any other.
            biased;
            outcome = command => done(outcome),
            _interrupt = tokio::signal::ctrl_c() => interrupted,
        }
    })
}

/// The same for a command that minds interrupts itself.
fn call_to_end(command: impl Future<Output = Result<(), Failure>>) -> Result<ExitCode, Failure> {
    run_to_end(async { done(command.await) })
}

fn run_to_end(
    command: impl Future<Output = Result<ExitCode, Failure>>,
) -> Result<ExitCode, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::local(format!("cannot start: {error}")))?
        .block_on(command)
}
