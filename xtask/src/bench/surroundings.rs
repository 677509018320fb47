//! What the figures depend on: the machine, the file system, the compiler, the commit.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use serde_json::{Map, Value};

use super::Bench;
use crate::workspace::Workspace;

/// Names and values, in the order in which they are shown.
pub(crate) struct Surroundings(Vec<(&'static str, String)>);

pub(crate) fn describe(workspace: &Workspace, bench: &Bench) -> Result<Surroundings> {
    let first = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = std::thread::available_parallelism()?.get();
    let model = first("/proc/cpuinfo")
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned());
    let model = model.unwrap_or_else(|| "unknown processor".to_owned());
    let pinning = match &bench.programs.pinning {
        Some(pinning) => format!(
            "checks: server on processor {}, load on {}; everything else on all",
            pinning.server, pinning.load
        ),
        None => "none: server and load share what there is".to_owned(),
    };
    let root = workspace.root.display().to_string();
    let changed = answer("git", &["-C", &root, "status", "--porcelain"]);
    let mut commit = answer("git", &["-C", &root, "rev-parse", "--short", "HEAD"]);
    if !changed.is_empty() {
        commit.push_str(" with changes");
    }
    Ok(Surroundings(vec![
        ("processor", format!("{processors} × {model}")),
        ("pinning", pinning),
        ("kernel", answer("uname", &["-sr"])),
        ("file system", filesystem(bench.directory.path())),
        ("compiler", answer("rustc", &["--version"])),
        ("commit", commit),
        ("load before", first("/proc/loadavg").trim().to_owned()),
    ]))
}

/// The kind of the file system that a path is on.
pub(crate) fn filesystem(path: &Path) -> String {
    answer(
        "findmnt",
        &["-n", "-o", "FSTYPE", "-T", &path.display().to_string()],
    )
}

/// The first line that a program prints; nothing if it cannot be run.
fn answer(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

impl Surroundings {
    pub(crate) fn text(&self) -> String {
        let lines = self.0.iter();
        let lines = lines.map(|(name, value)| format!("{name:12}  {value}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn json(&self) -> Value {
        let members = self.0.iter();
        let members = members.map(|(name, value)| ((*name).to_owned(), value.clone().into()));
        Value::Object(members.collect::<Map<_, _>>())
    }
}
