//! Loads and floors: each subcommand measures one thing and prints one line
//! of JSON. `cargo xtask bench` decides what runs against what, how often, and what is compared.

mod access_key;
mod calls;
mod checks;
mod cluster;
mod connection;
mod disk;
mod floor;
mod invites;
mod lag;
mod load;
mod preparation;
mod process;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "guestlist-bench", about = "Driven by `cargo xtask bench`")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answers every request with `{}` through bare hyper until it is ended.
    HyperFloor,
    /// Gives grants to users through the API of a running server.
    Prepare(preparation::Options),
    /// Asks a running server whether users may do something.
    Checks(checks::Options),
    /// Creates invites, and accepts each as another user.
    Invites(invites::Options),
    /// Creates so many invites a second.
    Writes(invites::PacedOptions),
    /// Runs a throw-away PostgreSQL until standard input ends.
    Cluster,
    /// Writes to one node, and asks another until it knows.
    Lag(lag::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::HyperFloor => floor::serve(),
        Command::Prepare(options) => preparation::run(&options).and_then(|done| print(&done)),
        Command::Checks(options) => checks::run(&options).and_then(|measured| print(&measured)),
        Command::Invites(options) => invites::run(&options).and_then(|measured| print(&measured)),
        Command::Writes(options) => {
            invites::run_paced(&options).and_then(|measured| print(&measured))
        }
        Command::Cluster => cluster::serve(),
        Command::Lag(options) => lag::run(&options).and_then(|measured| print(&measured)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        #[expect(clippy::print_stderr, reason = "the reason is for whoever started it")]
        Err(error) => {
            eprintln!("guestlist-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn print(measured: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, measured)?;
    writeln!(out)?;
    Ok(())
}
