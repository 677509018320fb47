//! `cargo xtask bench`: what the server costs beside the floors of the same run.
//!
//! Nothing here passes or fails by a figure: a machine that is busy with something else makes slow
//! figures, not wrong software.

mod checks;
mod database;
mod figures;
mod invites;
mod memory;
mod operation;
mod postgresql;
mod preparing;
mod programs;
mod progress;
mod running;
mod surroundings;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde_json::json;

use self::figures::Section;
use self::programs::Programs;
use crate::terminal;
use crate::waiting::Stopwatch;
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct Options {
    /// A smoke run of about a minute. Its figures mean little.
    #[arg(long)]
    quick: bool,
    /// Measure this part only; may be given several times: checks, invites, memory, operation,
    /// postgresql.
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// Write all figures, those of each round too, to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keep the data of the run below this directory, which must be on a disk [default: below the
    /// target directory].
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

/// How much is measured.
pub(crate) struct Effort {
    pub(crate) check_rounds: usize,
    pub(crate) check_seconds: f64,
    pub(crate) invite_rounds: usize,
    pub(crate) invite_seconds: f64,
    pub(crate) memory_grants: &'static [usize],
    pub(crate) start_rounds: usize,
    /// Grants with which a node on PostgreSQL is started.
    pub(crate) database_grants: &'static [u32],
}

const FULL: Effort = Effort {
    check_rounds: 7,
    check_seconds: 1.5,
    invite_rounds: 7,
    invite_seconds: 2.0,
    memory_grants: &[1_000, 100_000, 1_000_000],
    start_rounds: 7,
    database_grants: &[100_000, 1_000_000],
};

const QUICK: Effort = Effort {
    check_rounds: 2,
    check_seconds: 0.5,
    invite_rounds: 1,
    invite_seconds: 1.0,
    memory_grants: &[1_000, 100_000],
    start_rounds: 2,
    database_grants: &[10_000],
};

/// What every part needs.
pub(crate) struct Bench {
    pub(crate) programs: Programs,
    pub(crate) effort: &'static Effort,
    /// Removed when the run ends, however it ends.
    pub(crate) directory: tempfile::TempDir,
}

struct Part {
    name: &'static str,
    measure: fn(&Bench) -> Result<Section>,
}

const PARTS: &[Part] = &[
    Part {
        name: "checks",
        measure: checks::measure,
    },
    Part {
        name: "invites",
        measure: invites::measure,
    },
    Part {
        name: "memory",
        measure: memory::measure,
    },
    Part {
        name: "operation",
        measure: operation::measure,
    },
    Part {
        name: "postgresql",
        measure: postgresql::measure,
    },
];

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let parts = chosen(&options.only)?;
    let workspace = Workspace::find()?;
    let directory = match &options.directory {
        Some(directory) => directory.clone(),
        None => workspace.target.join("bench"),
    };
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("{} cannot be made", directory.display()))?;
    let kind = surroundings::filesystem(&directory);
    ensure!(
        !["tmpfs", "ramfs"].contains(&kind.as_str()),
        "{} is on {kind}, where nothing is durable: choose a disk with --directory",
        directory.display()
    );
    terminal::heading("building in release mode");
    let bench = Bench {
        programs: Programs::build(&workspace)?,
        effort: if options.quick { &QUICK } else { &FULL },
        directory: tempfile::TempDir::with_prefix_in("run-", &directory)?,
    };
    let surroundings = surroundings::describe(&workspace, &bench)?;
    terminal::heading("measuring");
    let watch = Stopwatch::start();
    let mut sections = Vec::new();
    for part in parts {
        sections.push((part.name, (part.measure)(&bench)?));
    }
    let seconds = watch.elapsed().as_secs();
    terminal::heading("surroundings");
    terminal::say(&surroundings.text());
    for (_, section) in &sections {
        terminal::heading(&section.title);
        terminal::say(&section.text());
    }
    terminal::say(&format!("\nmeasured for {seconds} s"));
    if options.quick {
        terminal::say("a quick run: it shows that everything runs, and little else");
    }
    if let Some(file) = &options.json {
        let mut all = json!({"quick": options.quick, "surroundings": surroundings.json()});
        if let Some(members) = all.as_object_mut() {
            members.extend(
                sections
                    .into_iter()
                    .map(|(name, section)| (name.to_owned(), section.json)),
            );
        }
        std::fs::write(file, format!("{all:#}\n"))
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn chosen(only: &[String]) -> Result<Vec<&'static Part>> {
    if let Some(unknown) = only
        .iter()
        .find(|name| PARTS.iter().all(|part| part.name != **name))
    {
        let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
        bail!("there is no part {unknown}; there are {}", names.join(", "));
    }
    let is_wanted = |part: &&Part| only.is_empty() || only.iter().any(|name| name == part.name);
    Ok(PARTS.iter().filter(is_wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::{PARTS, chosen};

    #[test]
    fn a_part_is_chosen_by_its_name_and_an_unknown_one_refused() {
        assert_eq!(chosen(&[]).unwrap().len(), PARTS.len());
        assert_eq!(chosen(&["memory".to_owned()]).unwrap()[0].name, "memory");
        assert!(chosen(&["memories".to_owned()]).is_err());
    }
}
