//! Requests generated from the server's own OpenAPI document: no 5xx, no undocumented answer.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::command;
use crate::machine::{self, Need};
use crate::report::Outcome;
use crate::sdks;
use crate::server::Server;
use crate::terminal;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_mins(8);

pub(crate) fn part(workspace: &Workspace) -> Result<Outcome> {
    if let Some(reason) = machine::lacking(&[Need::Python]) {
        return Ok(Outcome::Skipped(reason));
    }
    let directory = workspace.sdk_directory("fuzz")?;
    let requirements = workspace.root.join("sdks/fuzz/requirements.txt");
    let python = machine::python_environment(&directory, &requirements)?;
    let data = tempfile::tempdir().context("no temporary directory can be made")?;
    let server = Server::start(workspace, "fuzz", &data.path().join("data"))?;
    let mut fuzz = Command::new(&python);
    fuzz.arg("-B").arg(workspace.root.join("sdks/fuzz/fuzz.py"));
    fuzz.env("GUESTLIST_TEST_URL", server.url());
    fuzz.env("GUESTLIST_TEST_OWNER_KEY", server.owner_key()?);
    fuzz.current_dir(&directory);
    let results = workspace.sdk_directory("results")?.join("fuzz.json");
    let _absent = std::fs::remove_file(&results);
    fuzz.env("GUESTLIST_TEST_RESULTS", &results);
    let status = command::watch(&mut fuzz, LIMIT, terminal::say)?;
    if !status.success() {
        terminal::say(&format!(
            "-- the server's last words:\n{}",
            server.last_words()
        ));
    }
    server.stop()?;
    let counts = sdks::counted(&results)?;
    ensure!(
        status.success() || counts.failed > 0,
        "the fuzz ended with {status}"
    );
    Ok(Outcome::Ran(counts))
}
