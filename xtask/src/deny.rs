//! Licences, banned crates and sources of all dependencies, by cargo-deny and `deny.toml`.
//!
//! Advisories are deliberately not checked here: their database cannot be had from a package
//! registry, and a check that silently lacks its data would only look like one.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use crate::command;
use crate::machine;
use crate::report::{Counts, Outcome};
use crate::workspace::Workspace;

const VERSION: &str = "0.20.2";

/// The chore: installs cargo-deny below the target directory if it is missing, then checks.
pub(crate) fn run() -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    check(&workspace, &tool(&workspace)?)?;
    Ok(ExitCode::SUCCESS)
}

/// The part of a test run. Building cargo-deny takes minutes, so where a person waits it is skipped
/// if it is not at hand; where nothing may be skipped it is built.
pub(crate) fn part(workspace: &Workspace) -> Result<Outcome> {
    if !workspace.is_ci && installed(workspace).is_none() {
        return Ok(Outcome::Skipped(
            "cargo-deny is not installed: cargo xtask deny builds it".to_owned(),
        ));
    }
    check(workspace, &tool(workspace)?)?;
    Ok(Outcome::Ran(Counts {
        passed: 3,
        ..Counts::default()
    }))
}

fn tool(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(tool) = installed(workspace) {
        return Ok(tool);
    }
    let tools = workspace.target.join("tools");
    machine::cargo_install(workspace.cargo(), "cargo-deny", VERSION, &tools)?;
    Ok(tools.join("bin/cargo-deny"))
}

fn installed(workspace: &Workspace) -> Option<PathBuf> {
    let own = workspace.target.join("tools/bin/cargo-deny");
    if own.is_file() {
        return Some(own);
    }
    command::answers("cargo-deny", &["--version"]).then(|| PathBuf::from("cargo-deny"))
}

fn check(workspace: &Workspace, tool: &PathBuf) -> Result<()> {
    let mut check = std::process::Command::new(tool);
    check.current_dir(&workspace.root);
    check.args(["--workspace", "check", "licenses", "bans", "sources"]);
    command::run(&mut check, Duration::from_mins(5))
}
