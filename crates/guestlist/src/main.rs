//! The Guestlist server and its command line. Nothing is built before this file; it only builds and
//! calls.

mod logs;
mod serve;
mod settings;
mod welcome;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A self-hosted authorization server with user invites at its centre.
#[derive(Parser)]
#[command(name = "guestlist", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server.
    Serve(settings::ServeArguments),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(arguments) => serve::run(arguments),
    }
}
