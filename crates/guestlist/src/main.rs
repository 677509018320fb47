//! The Guestlist server and its command line. Nothing is built before this file; it only builds and
//! calls.

mod accounts;
mod arguments;
mod backup;
mod checks;
mod clients;
mod completions;
mod connection;
mod device_grant;
mod doctor;
mod documents;
mod edit;
mod events;
mod exits;
mod file_lock;
mod groups;
mod identities;
mod invite_message;
mod invite_rehearsal;
mod invite_request;
mod invites;
mod keys;
mod login;
mod logs;
mod man;
mod openid_provider;
mod output;
mod profile_commands;
mod profile_files;
mod profiles;
mod progress;
mod records;
mod restore;
mod roles;
mod secret_input;
mod serve;
mod settings;
mod sign_in;
mod tags;
mod terminal;
mod text;
mod token_claims;
mod welcome;

use std::process::ExitCode;

use clap::FromArgMatches as _;

use crate::arguments::{Arguments, Command};
use crate::connection::Session;
use crate::exits::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let matches = arguments::command().get_matches();
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

fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let Arguments {
        connection,
        output,
        command,
    } = arguments;
    match command {
        Command::Serve(arguments) => Ok(serve::run(arguments)),
        Command::Backup(arguments) => done(backup::run(arguments, &Output::new(&output))),
        Command::Restore(arguments) => done(restore::run(arguments, &Output::new(&output))),
        Command::Completions(arguments) => done(completions::run(&arguments)),
        Command::Man(arguments) => done(man::run(&arguments)),
        Command::Record(command) => {
            call(async { records::run(command, &Session::open(&connection, &output)?).await })
        }
        Command::Role(command) => {
            call(async { roles::run(command, &Session::open(&connection, &output)?).await })
        }
        Command::Group(command) => {
            call(async { groups::run(command, &Session::open(&connection, &output)?).await })
        }
        Command::Client(command) => {
            call(async { clients::run(command, &Session::open(&connection, &output)?).await })
        }
        Command::Key(command) => {
            call(async { keys::run(command, &Session::open(&connection, &output)?).await })
        }
        Command::Identity(command) => {
            call(async { identities::run(command, &Session::open(&connection, &output)?).await })
        }
        Command::Events(command) => {
            let ends = if command.is_endless() {
                Ok(ExitCode::SUCCESS)
            } else {
                Err(Failure::interrupted())
            };
            let following =
                async { events::run(command, &Session::open(&connection, &output)?).await };
            call_until(following, ends)
        }
        Command::Account(command) => {
            call(async { accounts::run(command, &Session::open(&connection, &output)?).await })
        }
        Command::Invite(command) => {
            let command = invites::prepare(command, &connection, &Output::new(&output))?;
            let session = Session::open(&connection, &output)?;
            call(invites::run(command, &session))
        }
        Command::Check(arguments) => {
            let session = Session::open(&connection, &output)?;
            call(checks::check(arguments, &session))
        }
        Command::WhoCan(arguments) => {
            let session = Session::open(&connection, &output)?;
            call(checks::who_can(arguments, &session))
        }
        Command::WhatCan(arguments) => {
            let session = Session::open(&connection, &output)?;
            call(checks::what_can(arguments, &session))
        }
        Command::Login(arguments) => {
            let login = login::prepare(arguments, &connection)?;
            call(login::run(login, &connection, &Output::new(&output)))
        }
        Command::Logout(_) => call(login::logout(&connection, &Output::new(&output))),
        Command::Doctor(arguments) => {
            call(doctor::run(arguments, &connection, &Output::new(&output)))
        }
        Command::Profile(command) => {
            let output = Output::new(&output);
            call(profile_commands::run(command, &connection, &output))
        }
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
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::local(format!("cannot start: {error}")))?;
    runtime.block_on(async {
        tokio::select! {
            outcome = command => outcome.map(|()| ExitCode::SUCCESS),
            _interrupt = tokio::signal::ctrl_c() => interrupted,
        }
    })
}
