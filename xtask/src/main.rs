//! The project's own chores, one file each; this file only names them.

mod bench;
mod cargo_checks;
mod command;
mod compatibility;
mod deny;
mod fuzz;
mod machine;
mod readme;
mod report;
mod sdks;
mod server;
mod terminal;
mod test;
mod waiting;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own chores")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Set up what the tests need, then run all of them.
    Test(test::Options),
    /// Measure the server beside floors of the same run; minutes.
    Bench(bench::Options),
    /// Check licences, banned crates and sources of every dependency; installs cargo-deny if needed.
    Deny,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Test(options) => test::run(&options),
        Chore::Bench(options) => bench::run(&options),
        Chore::Deny => deny::run(),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            terminal::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
