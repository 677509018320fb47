//! The release-built programs, and on which processors they run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::command;
use crate::workspace::Workspace;

const BUILT_WITHIN: Duration = Duration::from_hours(1);
/// Far more than any single measurement takes.
const MEASURED_WITHIN: Duration = Duration::from_mins(10);

/// Where the programs are, and where they may run.
pub(crate) struct Programs {
    pub(crate) server: PathBuf,
    pub(crate) load: PathBuf,
    memory: PathBuf,
    pub(crate) pinning: Option<Pinning>,
}

/// One processor for what is measured, another for what measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pinning {
    pub(crate) server: String,
    pub(crate) load: String,
}

impl Programs {
    /// Builds them, the server alone first: with the features that it is shipped with.
    pub(crate) fn build(workspace: &Workspace) -> Result<Self> {
        for package in ["guestlist", "guestlist-bench"] {
            let mut build = workspace.cargo();
            build.args(["build", "--release", "--package", package]);
            command::run(&mut build, BUILT_WITHIN)?;
        }
        let built = workspace.target.join("release");
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let can_pin = command::answers("taskset", &["--version"]);
        Ok(Self {
            server: built.join("guestlist"),
            load: built.join("guestlist-bench"),
            memory: built.join("guestlist-bench-memory"),
            pinning: Pinning::among(&status).filter(|_| can_pin),
        })
    }

    /// Runs the load generator, on its own processor if `pinned`, and answers what it measured.
    pub(crate) fn measure(&self, pinned: bool, arguments: &[String]) -> Result<Value> {
        let processor = self.pinning.as_ref().filter(|_| pinned);
        let processor = processor.map(|pinning| pinning.load.as_str());
        let mut command = on(processor, Command::new, &self.load);
        command.args(arguments);
        output(&mut command)
    }

    pub(crate) fn measure_memory(&self, grants: usize) -> Result<Value> {
        let mut command = Command::new(&self.memory);
        command.args(["--grants", &grants.to_string()]);
        output(&mut command)
    }
}

/// A command that runs on one processor, if one is named. `start` makes the command from the program
/// that is started first.
pub(crate) fn on<P: AsRef<Path>>(
    processor: Option<&str>,
    start: impl Fn(PathBuf) -> Command,
    program: P,
) -> Command {
    let program = program.as_ref();
    let Some(processor) = processor else {
        return start(program.to_owned());
    };
    let mut command = start(PathBuf::from("taskset"));
    command.args(["--cpu-list", processor]).arg(program);
    command
}

fn output(command: &mut Command) -> Result<Value> {
    let mut last = String::new();
    let status = command::watch(command, MEASURED_WITHIN, |line| line.clone_into(&mut last))?;
    ensure!(status.success(), "{command:?} failed: {status}");
    serde_json::from_str(&last).with_context(|| format!("not a measurement: {last}"))
}

impl Pinning {
    /// The first and the last processor that this process may use, if there are two.
    fn among(status: &str) -> Option<Self> {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
        let mut processors = line.trim().split([',', '-']);
        let first = processors.next()?;
        let last = processors.next_back()?;
        Some(Self {
            server: first.to_owned(),
            load: last.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Pinning;

    #[test]
    fn two_processors_are_chosen_if_there_are_two() {
        let among = |list: &str| {
            Pinning::among(&format!("Name:\tx\nCpus_allowed_list:\t{list}\n"))
                .map(|pinning| (pinning.server, pinning.load))
        };
        let pair = |server: &str, load: &str| Some((server.to_owned(), load.to_owned()));
        assert_eq!(among("0-1"), pair("0", "1"));
        assert_eq!(among("2,5,8-11"), pair("2", "11"));
        assert_eq!(among("3"), None);
        assert_eq!(Pinning::among(""), None);
    }
}
