//! The official Authress SDKs, unmodified, driving the built server; each suite is a program of its own.
//!
//! A suite is told where the server is by its environment, prints a line for each operation, and
//! writes what it found as JSON. It runs twice: on a new server, then, with the clock of all
//! processes moved past every expiry, on the restarted server with the same data.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use guestlist_store::suite::cluster::{Cluster, ClusterError, ClusterOptions};
use serde_json::Value;

use crate::command;
use crate::machine::{self, Need};
use crate::report::{Counts, Outcome};
use crate::server::Server;
use crate::terminal;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_mins(5);

/// Past the default life of an invite, seven days. A suite may move the clock on by writing a
/// larger number of seconds to the file that holds this.
const LATER: &str = "+691200";

pub(crate) fn python_older(workspace: &Workspace) -> Result<Outcome> {
    python(workspace, "3.1.112")
}

pub(crate) fn python_strict(workspace: &Workspace) -> Result<Outcome> {
    python(workspace, "3.1.120")
}

pub(crate) fn python_newest(workspace: &Workspace) -> Result<Outcome> {
    python(workspace, "newest")
}

fn python(workspace: &Workspace, version: &str) -> Result<Outcome> {
    python_on(
        workspace,
        version,
        &Stored::in_data(format!("python-{version}")),
    )
}

fn python_on(workspace: &Workspace, version: &str, stored: &Stored) -> Result<Outcome> {
    forget_results(workspace, &stored.name)?;
    if let Some(reason) = machine::lacking(&[Need::Python]) {
        return Ok(Outcome::Skipped(reason));
    }
    let environment = python_environment(workspace, version)?;
    drive(workspace, stored, || {
        let mut suite = Command::new(&environment);
        suite
            .arg("-B")
            .arg(workspace.root.join("sdks/python/suite.py"));
        suite
    })
}

/// The interpreter of the environment that holds this version of the SDK.
pub(crate) fn python_environment(workspace: &Workspace, version: &str) -> Result<PathBuf> {
    let directory = workspace.sdk_directory(&format!("python-{version}"))?;
    let requirements = workspace
        .root
        .join(format!("sdks/python/requirements-{version}.txt"));
    machine::python_environment(&directory, &requirements)
}

pub(crate) fn javascript(workspace: &Workspace) -> Result<Outcome> {
    javascript_on(workspace, &Stored::in_data("javascript"))
}

fn javascript_on(workspace: &Workspace, stored: &Stored) -> Result<Outcome> {
    forget_results(workspace, &stored.name)?;
    if let Some(reason) = machine::lacking(&[Need::Node]) {
        return Ok(Outcome::Skipped(reason));
    }
    let modules = node_modules(workspace)?;
    tell_of_newer_javascript(workspace);
    drive(workspace, stored, || {
        let mut suite = Command::new("node");
        suite
            .arg(workspace.root.join("sdks/javascript/suite.js"))
            .env("NODE_PATH", &modules);
        suite
    })
}

/// The installed packages of the JavaScript suite; kept out of the source tree.
pub(crate) fn node_modules(workspace: &Workspace) -> Result<PathBuf> {
    let directory = workspace.sdk_directory("javascript")?;
    machine::node_modules(&workspace.root.join("sdks/javascript"), &directory)
}

/// The lock file pins the newest release that there was; somebody has to notice the next one.
fn tell_of_newer_javascript(workspace: &Workspace) {
    let lock = std::fs::read_to_string(workspace.root.join("sdks/javascript/package-lock.json"));
    let lock: Option<Value> = lock.ok().and_then(|text| serde_json::from_str(&text).ok());
    let pinned = lock.as_ref().and_then(|lock| {
        lock.pointer("/packages/node_modules~1@authress~1sdk/version")
            .and_then(Value::as_str)
    });
    let mut view = Command::new("npm");
    view.args(["view", "@authress/sdk", "version"])
        .stderr(Stdio::null());
    let mut newest = None;
    // Without a registry there is nothing to tell, and nothing wrong either.
    let asked = command::watch(&mut view, Duration::from_mins(1), |line| {
        newest = Some(line.trim().to_owned());
    });
    if asked.is_ok_and(|status| status.success()) && newest.as_deref() != pinned {
        let (newest, pinned) = (newest.unwrap_or_default(), pinned.unwrap_or("nothing"));
        terminal::say(&format!(
            "note: the registry has @authress/sdk {newest}, tested is {pinned}"
        ));
    }
}

pub(crate) fn rust(workspace: &Workspace) -> Result<Outcome> {
    rust_on(workspace, &Stored::in_data("rust"))
}

fn rust_on(workspace: &Workspace, stored: &Stored) -> Result<Outcome> {
    forget_results(workspace, &stored.name)?;
    if let Some(reason) = machine::lacking(&[Need::OpenSsl]) {
        return Ok(Outcome::Skipped(reason));
    }
    let target = workspace.sdk_directory("rust")?;
    let mut build = workspace.cargo();
    build.args([
        "build",
        "--locked",
        "--manifest-path",
        "sdks/rust/Cargo.toml",
        "--target-dir",
    ]);
    build.arg(&target);
    command::run(&mut build, Duration::from_mins(15))?;
    let suite = target.join("debug/guestlist-sdk-rust");
    drive(workspace, stored, || Command::new(&suite))
}

/// The newest of each on nodes on PostgreSQL.
pub(crate) fn on_postgresql(workspace: &Workspace) -> Result<Outcome> {
    let cluster = match Cluster::make(&ClusterOptions::default().without_fsync()) {
        Ok(cluster) => cluster,
        Err(error @ ClusterError::Missing) => return Ok(Outcome::Skipped(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    let at = |name: &str| Stored {
        name: format!("{name}-postgresql"),
        address: Some(cluster.new_address()),
    };
    let mut counts = Counts::default();
    for outcome in [
        python_on(workspace, "newest", &at("python")),
        javascript_on(workspace, &at("javascript")),
        rust_on(workspace, &at("rust")),
    ] {
        match outcome? {
            Outcome::Ran(found) => counts += found,
            Outcome::Skipped(reason) => {
                terminal::say(&format!("skipped: {reason}"));
                counts.skipped += 1;
            }
        }
    }
    Ok(Outcome::Ran(counts))
}

/// Under which name a suite runs, and where its server keeps what is stored.
struct Stored {
    name: String,
    /// Of a database; the data directory without one.
    address: Option<String>,
}

impl Stored {
    fn in_data(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            address: None,
        }
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let address = self.address.iter();
        address
            .map(|address| ("GUESTLIST_STORE", address.clone()))
            .collect()
    }
}

/// What an earlier run found must not pass for what this one finds.
fn forget_results(workspace: &Workspace, name: &str) -> Result<()> {
    for phase in ["first", "later"] {
        let _absent = std::fs::remove_file(results(workspace, name, phase)?);
    }
    Ok(())
}

/// Where a suite writes what a phase found.
pub(crate) fn results(workspace: &Workspace, name: &str, phase: &str) -> Result<PathBuf> {
    let directory = workspace.sdk_directory("results")?;
    Ok(directory.join(format!("{name}-{phase}.json")))
}

/// Runs one suite in both of its phases, each on a running server.
fn drive(workspace: &Workspace, stored: &Stored, suite: impl Fn() -> Command) -> Result<Outcome> {
    let name = stored.name.as_str();
    let directory = tempfile::tempdir().context("no temporary directory can be made")?;
    let data = directory.path().join("data");
    let state = directory.path().join("state.json");
    let mut counts = Counts::default();
    let log = format!("{name}-first");
    let server = Server::start_with(workspace, &log, &data, &stored.environment())?;
    counts += phase(workspace, &server, name, "first", &state, suite())?;
    server.stop()?;

    let Some(library) = machine::faketime_library() else {
        terminal::say("skipped: a clock past the expiry needs Debian's libfaketime");
        counts.skipped += 1;
        return Ok(Outcome::Ran(counts));
    };
    let moved = directory.path().join("clock");
    std::fs::write(&moved, LATER)?;
    let moved = moved.to_string_lossy().into_owned();
    let clock = [
        ("LD_PRELOAD", library.to_string_lossy().into_owned()),
        ("FAKETIME_TIMESTAMP_FILE", moved.clone()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    let environment: Vec<_> = clock.iter().cloned().chain(stored.environment()).collect();
    let log = format!("{name}-later");
    let server = Server::start_with(workspace, &log, &data, &environment)?;
    let mut later = suite();
    later.envs(clock.iter().map(|(name, value)| (name, value)));
    later.env("GUESTLIST_TEST_CLOCK", moved);
    counts += phase(workspace, &server, name, "later", &state, later)?;
    server.stop()?;
    Ok(Outcome::Ran(counts))
}

fn phase(
    workspace: &Workspace,
    server: &Server,
    name: &str,
    phase: &str,
    state: &Path,
    mut suite: Command,
) -> Result<Counts> {
    let results = results(workspace, name, phase)?;
    suite.env("GUESTLIST_TEST_URL", server.url());
    suite.env("GUESTLIST_TEST_OWNER_KEY_FILE", server.owner_key_file());
    suite.env("GUESTLIST_TEST_PHASE", phase);
    suite.env("GUESTLIST_TEST_STATE", state);
    suite.env("GUESTLIST_TEST_RESULTS", &results);
    let status = command::watch(&mut suite, LIMIT, terminal::say)?;
    let counts = counted(&results);
    if counts.as_ref().map_or(true, |counts| counts.failed > 0) || !status.success() {
        terminal::say(&format!(
            "-- the server's last words:\n{}",
            server.last_words()
        ));
    }
    let counts = counts?;
    ensure!(
        status.success() || counts.failed > 0,
        "the suite ended with {status}"
    );
    Ok(counts)
}

/// Adds up the outcomes in a result file, `{"sdk", "version", "results": [{"outcome", …}]}`.
pub(crate) fn counted(results: &Path) -> Result<Counts> {
    let text = std::fs::read_to_string(results).context("the suite wrote no results")?;
    let found: Value = serde_json::from_str(&text).context("its results are not JSON")?;
    let found = found
        .get("results")
        .and_then(Value::as_array)
        .context("no list of results")?;
    ensure!(!found.is_empty(), "the suite ran no case");
    let mut counts = Counts::default();
    for result in found {
        match result.get("outcome").and_then(Value::as_str) {
            // What is not built has to say so; that it did is a pass.
            Some("passed" | "not built") => counts.passed += 1,
            Some("skipped") => counts.skipped += 1,
            // An outcome that is not understood is no pass.
            Some(_) | None => counts.failed += 1,
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::counted;
    use crate::report::Counts;

    #[test]
    fn outcomes_are_added_up_and_an_unknown_one_is_a_failure() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = r#"{"results": [{"outcome": "passed"}, {"outcome": "odd"}, {"outcome": "skipped"},
            {"outcome": "not built"}]}"#;
        std::fs::write(file.path(), text).unwrap();
        let expected = Counts {
            passed: 2,
            failed: 1,
            skipped: 1,
        };
        assert_eq!(counted(file.path()).unwrap(), expected);
    }

    #[test]
    fn an_empty_result_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"results": []}"#).unwrap();
        assert!(counted(file.path()).is_err());
    }
}
