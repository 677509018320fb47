//! `guestlist man`: manual pages, made from the whole command line.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;

use crate::arguments;
use crate::completions::print;
use crate::exits::Failure;

/// Prints the manual page of `guestlist`, or writes those of all commands
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  guestlist man | man -l -
  guestlist man --out ~/.local/share/man/man1")]
pub(crate) struct ManArguments {
    /// Write one page for each command into this directory
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,
}

pub(crate) fn run(arguments: &ManArguments) -> Result<(), Failure> {
    let mut command = arguments::command();
    command.build();
    match &arguments.out {
        None => {
            let mut text = Vec::new();
            page(&command)
                .render(&mut text)
                .map_err(|error| Failure::local(format!("cannot make the page: {error}")))?;
            print(&text)
        }
        Some(directory) => fs::create_dir_all(directory)
            .and_then(|()| write_pages(&command, directory))
            .map_err(|error| {
                Failure::local(format!("cannot write to {}: {error}", directory.display()))
            }),
    }
}

/// Writes the page of a command and those of the commands below it.
fn write_pages(command: &Command, directory: &Path) -> io::Result<()> {
    page(command).generate_to(directory)?;
    command
        .get_subcommands()
        .filter(|below| !below.is_hide_set() && below.get_name() != "help")
        .try_for_each(|below| write_pages(below, directory))
}

fn page(command: &Command) -> Man {
    Man::new(command.clone())
        .source(concat!("guestlist ", env!("CARGO_PKG_VERSION")))
        .manual("Guestlist")
}
