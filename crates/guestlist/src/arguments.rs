//! The whole command line: every command and the arguments all of them share.

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, Parser, Subcommand};

use crate::exits::{EXIT_CODES, Failure};
use crate::output::OutputArguments;
use crate::profiles::ConnectionArguments;
use crate::{
    access_requests, accounts, applications, apply, audit, backup, checks, clients, completions,
    connections, doctor, events, export, extensions, groups, identities, import, invites, keys,
    login, man, profile_commands, pull, records, resources, restore, roles, settings, stores,
    tenants, tokens, users, webhooks,
};

/// A self-hosted authorization server with user invites at its centre, and its command line.
///
/// `guestlist serve` runs a server; `backup`, `restore`, `export` and `import FILE` work on its files.
/// The other commands call a server: say which with --url or a profile, and who you are with
/// --key-file or GUESTLIST_KEY.
#[derive(Parser)]
#[command(name = "guestlist", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,

    #[command(flatten)]
    pub(crate) output: OutputArguments,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be asked of the program, in the order in which its help lists it.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Runs the server
    Serve(settings::ServeArguments),

    /// Invites people
    #[command(subcommand)]
    Invite(invites::InviteCommand),

    #[command(flatten)]
    Call(Call),

    /// The event log: what changed, when and by whom
    #[command(subcommand)]
    Events(events::EventsCommand),

    /// The event log with its hashes, and whether it was tampered with
    #[command(subcommand)]
    Audit(audit::AuditCommand),

    /// Shows what apply would do
    Diff(apply::DiffArguments),

    /// Makes the account match a folder of manifests
    Apply(apply::ApplyArguments),

    /// Writes the account as a folder of manifests
    Pull(pull::PullArguments),

    /// Copies the database of a data directory into one file, while its server runs
    Backup(backup::BackupArguments),

    /// Puts a backup into a data directory
    Restore(restore::RestoreArguments),

    /// Writes everything in a data directory as lines of JSON, while its server runs
    Export(export::ExportArguments),

    /// Takes in an export, or the account of another server
    Import(import::ImportArguments),

    /// What is stored, on its way to a PostgreSQL database
    #[command(subcommand)]
    Store(stores::StoreCommand),

    /// Brings the tables of a PostgreSQL database up to date
    Migrate(stores::MigrateArguments),

    /// Signs in to a server
    Login(login::LoginArguments),

    /// Removes the secrets of a profile
    Logout(login::LogoutArguments),

    /// The servers this machine knows
    #[command(subcommand)]
    Profile(profile_commands::ProfileCommand),

    /// Looks for the reason why something does not work
    Doctor(doctor::DoctorArguments),

    /// Prints a script that completes commands and options in a shell
    Completions(completions::CompletionsArguments),

    /// Prints the manual page of `guestlist`, or writes those of all commands
    Man(man::ManArguments),
}

/// What needs nothing but a server that answers.
#[derive(Subcommand)]
pub(crate) enum Call {
    /// Says whether a user may do something
    Check(checks::CheckArguments),

    /// Lists who may do something
    WhoCan(checks::WhoCanArguments),

    /// Lists what a user may do
    WhatCan(checks::WhatCanArguments),

    /// Access records: who has which roles on which resources
    #[command(subcommand)]
    Record(records::RecordCommand),

    /// Roles: named lists of permissions
    #[command(subcommand)]
    Role(roles::RoleCommand),

    /// Access requests: somebody asks for access, somebody else says yes or no
    #[command(subcommand)]
    Request(access_requests::RequestCommand),

    /// Groups of users who are given access together
    #[command(subcommand)]
    Group(groups::GroupCommand),

    /// Users: the people whom records and groups name
    #[command(subcommand)]
    User(users::UserCommand),

    /// Service clients: the machines that call
    #[command(subcommand)]
    Client(clients::ClientCommand),

    /// Access keys of service clients
    #[command(subcommand)]
    Key(keys::KeyCommand),

    /// Tokens that service clients make for users
    #[command(subcommand)]
    Token(tokens::TokenCommand),

    /// Applications: what users sign in to
    #[command(subcommand)]
    Application(applications::ApplicationCommand),

    /// Extensions: applications of third parties, each with a service client
    #[command(subcommand)]
    Extension(extensions::ExtensionCommand),

    /// Connections: identity providers by which users sign in
    #[command(subcommand)]
    Connection(connections::ConnectionCommand),

    /// Tenants: partitions of users, usually one for each business customer
    #[command(subcommand)]
    Tenant(tenants::TenantCommand),

    /// Webhooks: URLs to which the server sends its events
    #[command(subcommand)]
    Webhook(webhooks::WebhookCommand),

    /// What everybody may do with a resource, whoever they are
    #[command(subcommand)]
    Resource(resources::ResourceCommand),

    /// Makes a resource that is nobody's your own
    Claim(resources::ClaimArguments),

    /// Token issuers whose users may call
    #[command(subcommand)]
    Identity(identities::IdentityCommand),

    /// The account of the server
    #[command(subcommand)]
    Account(accounts::AccountCommand),
}

/// Commands that call no server, so that nothing of how to call one goes with them.
const LOCAL: [&str; 6] = ["serve", "backup", "restore", "export", "completions", "man"];
/// Commands that print what they print, whatever form is asked for.
const UNFORMATTED: [&str; 3] = ["serve", "completions", "man"];

/// The whole command line, each command with only those shared arguments that it heeds.
pub(crate) fn command() -> clap::Command {
    let mut command = Arguments::command();
    // Here the shared arguments are handed down, so here they can be hidden.
    command.build();
    for (commands, heading) in [(LOCAL.as_slice(), "Connection"), (&UNFORMATTED, "Output")] {
        for name in commands {
            command = command.mut_subcommand(name, |local| {
                local.mut_args(|argument| {
                    if argument.get_help_heading() == Some(heading) {
                        argument.hide(true)
                    } else {
                        argument
                    }
                })
            });
        }
    }
    command
}

/// Refuses shared arguments that the command would not heed: silence would look like consent.
pub(crate) fn refuse_unheeded(matches: &ArgMatches) -> Result<(), Failure> {
    let Some((name, given)) = matches.subcommand() else {
        return Ok(());
    };
    let tree = command();
    let hidden = tree.find_subcommand(name).into_iter().flat_map(|command| {
        command
            .get_arguments()
            .filter(|argument| argument.is_hide_set() && argument.is_global_set())
    });
    for argument in hidden {
        if given.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine) {
            let long = argument.get_long().unwrap_or_default();
            return Err(Failure::invalid(format!(
                "--{long} does not go with `guestlist {name}`"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn a_shared_argument_that_would_not_be_heeded_is_refused() {
        let parsed = |arguments: &[&str]| command().try_get_matches_from(arguments).unwrap();
        for ignored in [
            &["guestlist", "--url", "http://a", "serve"][..],
            &["guestlist", "serve", "--json"],
        ] {
            assert!(refuse_unheeded(&parsed(ignored)).is_err(), "{ignored:?}");
        }
        for heeded in [
            &["guestlist", "serve", "--dev"][..],
            &["guestlist", "account", "show", "--json"],
        ] {
            assert!(refuse_unheeded(&parsed(heeded)).is_ok(), "{heeded:?}");
        }
    }
}
