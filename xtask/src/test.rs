//! `cargo xtask test`: the parts of a whole test run, their order, and the summary.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use crate::report::{Outcome, Report};
use crate::waiting::Stopwatch;
use crate::workspace::Workspace;
use crate::{cargo_checks, compatibility, deny, fuzz, machine, readme, sdks, server, terminal};

#[derive(Args)]
pub(crate) struct Options {
    /// Run this part only; may be given several times. `--list` names them.
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// Name the parts and end.
    #[arg(long)]
    list: bool,
}

struct Part {
    name: &'static str,
    about: &'static str,
    /// Whether it drives the built server.
    drives_server: bool,
    run: fn(&Workspace) -> Result<Outcome>,
}

const PARTS: &[Part] = &[
    Part {
        name: "format",
        about: "cargo fmt",
        drives_server: false,
        run: cargo_checks::format,
    },
    Part {
        name: "lints",
        about: "cargo clippy",
        drives_server: false,
        run: cargo_checks::lints,
    },
    Part {
        name: "tests",
        about: "cargo test",
        drives_server: false,
        run: cargo_checks::tests,
    },
    Part {
        name: "documentation",
        about: "cargo doc, warnings denied",
        drives_server: false,
        run: cargo_checks::documentation,
    },
    Part {
        name: "sdk-python-3.1.112",
        about: "the official Python SDK, an older version",
        drives_server: true,
        run: sdks::python_older,
    },
    Part {
        name: "sdk-python-3.1.120",
        about: "the official Python SDK, the last with strict models",
        drives_server: true,
        run: sdks::python_strict,
    },
    Part {
        name: "sdk-python-newest",
        about: "the official Python SDK, the newest in the registry",
        drives_server: true,
        run: sdks::python_newest,
    },
    Part {
        name: "sdk-javascript",
        about: "the official JavaScript SDK",
        drives_server: true,
        run: sdks::javascript,
    },
    Part {
        name: "sdk-rust",
        about: "the official Rust SDK",
        drives_server: true,
        run: sdks::rust,
    },
    Part {
        name: "sdk-postgresql",
        about: "the newest official SDKs, on PostgreSQL",
        drives_server: true,
        run: sdks::on_postgresql,
    },
    Part {
        name: "compatibility",
        about: "docs/COMPATIBILITY.md is what the SDKs found",
        drives_server: false,
        run: compatibility::part,
    },
    Part {
        name: "fuzz",
        about: "requests generated from the OpenAPI document",
        drives_server: true,
        run: fuzz::part,
    },
    Part {
        name: "readme",
        about: "the examples of README.md",
        drives_server: true,
        run: readme::part,
    },
    Part {
        name: "dependencies",
        about: "licences, bans and sources",
        drives_server: false,
        run: deny::part,
    },
];

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if options.list {
        for part in PARTS {
            terminal::say(&format!("{:20} {}", part.name, part.about));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let parts = chosen(&options.only)?;
    let workspace = Workspace::find()?;
    terminal::heading("set-up");
    if let Err(error) = machine::set_up() {
        terminal::complain(&format!("{error:#}; what needs it is skipped"));
    }
    let report = run_parts(&workspace, &parts);
    terminal::heading("summary");
    terminal::say(&report.text());
    let is_good = report.is_good(workspace.is_ci);
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn chosen(only: &[String]) -> Result<Vec<&'static Part>> {
    if let Some(unknown) = only
        .iter()
        .find(|name| PARTS.iter().all(|part| part.name != **name))
    {
        bail!("there is no part {unknown}; `cargo xtask test --list` names them");
    }
    let is_wanted = |part: &&Part| only.is_empty() || only.iter().any(|name| name == part.name);
    Ok(PARTS.iter().filter(is_wanted).collect())
}

fn run_parts(workspace: &Workspace, parts: &[&Part]) -> Report {
    let mut report = Report::default();
    let mut is_built = false;
    for (position, part) in parts.iter().enumerate() {
        terminal::heading(&format!(
            "{} of {}: {} ({})",
            position + 1,
            parts.len(),
            part.name,
            part.about
        ));
        let watch = Stopwatch::start();
        let outcome = run_part(workspace, part, &mut is_built);
        match &outcome {
            Ok(Outcome::Ran(_)) => {}
            Ok(Outcome::Skipped(reason)) => terminal::say(&format!("skipped: {reason}")),
            Err(error) => terminal::complain(&format!("{error:#}")),
        }
        report.add(part.name, outcome, watch.elapsed());
    }
    report
}

fn run_part(workspace: &Workspace, part: &Part, is_built: &mut bool) -> Result<Outcome> {
    if part.drives_server && !*is_built {
        server::build(workspace)?;
        *is_built = true;
    }
    (part.run)(workspace)
}

#[cfg(test)]
mod tests {
    use super::{PARTS, chosen};

    #[test]
    fn a_part_is_chosen_by_its_name_and_an_unknown_one_refused() {
        assert_eq!(chosen(&[]).unwrap().len(), PARTS.len());
        assert_eq!(chosen(&["fuzz".to_owned()]).unwrap()[0].name, "fuzz");
        assert!(chosen(&["fuzzy".to_owned()]).is_err());
    }
}
