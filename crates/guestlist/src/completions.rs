//! `guestlist completions`: scripts for shells, made from the whole command line.

use std::io::{self, Write as _};

use clap::Args;
use clap_complete::Shell;

use crate::arguments;
use crate::exits::{Failure, is_closed_pipe};

/// Prints a script that completes commands and options in a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Where the script belongs:
  bash  guestlist completions bash > ~/.local/share/bash-completion/completions/guestlist
  zsh   guestlist completions zsh > ~/.zfunc/_guestlist    (a directory of $fpath)
  fish  guestlist completions fish > ~/.config/fish/completions/guestlist.fish")]
pub(crate) struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(arguments: &CompletionsArguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    let mut command = arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "guestlist", &mut script);
    print(&script)
}

/// Prints bytes that are data for another program: no pager, no colours.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if !is_closed_pipe(&error) => Err(Failure::local(format!(
            "cannot write to standard output: {error}"
        ))),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;

    /// What stands for itself: an option that every command has, and the list of commands.
    const OF_CLAP: [&str; 2] = ["help", "version"];

    fn without_help(command: &Command, path: &str, found: &mut Vec<String>) {
        let path = format!("{path} {}", command.get_name());
        if command.get_about().is_none() {
            found.push(path.clone());
        }
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            if argument.get_help().is_none() && !OF_CLAP.contains(&id) {
                found.push(format!("{path} <{id}>"));
            }
        }
        for below in command.get_subcommands() {
            if below.get_name() != "help" {
                without_help(below, &path, found);
            }
        }
    }

    #[test]
    fn every_command_and_every_argument_has_a_help_text() {
        let mut found = Vec::new();
        without_help(&arguments::command(), "", &mut found);
        assert!(found.is_empty(), "{found:#?}");
        // The control.
        let silent = Command::new("silent").arg(clap::Arg::new("option"));
        without_help(&silent, "", &mut found);
        assert_eq!(found, [" silent", " silent <option>"]);
    }
}
