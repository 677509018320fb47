//! The whole command line: every command and the arguments all of them share.

use clap::{Parser, Subcommand};

use crate::accounts;
use crate::exits::EXIT_CODES;
use crate::output::OutputArguments;
use crate::profiles::ConnectionArguments;
use crate::settings;

/// A self-hosted authorization server with user invites at its centre, and its command line.
///
/// `guestlist serve` runs a server. Every other command calls one: say which with --url or a
/// profile, and who you are with --key-file or GUESTLIST_KEY.
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

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Runs the server
    Serve(settings::ServeArguments),

    /// The account of the server
    #[command(subcommand)]
    Account(accounts::AccountCommand),
}
