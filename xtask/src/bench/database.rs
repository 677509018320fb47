//! The database server of a measurement, and how many commits it can do.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Bench;
use crate::server::ended_with_us;
use crate::waiting;

const STOPPED_WITHIN: Duration = Duration::from_mins(1);
/// The superuser of a throw-away cluster.
const OWNER: &str = "guestlist";

/// A running cluster; gone with its data when dropped.
pub(crate) struct Database {
    process: Child,
    socket: String,
    port: String,
    /// Where the programs of PostgreSQL are.
    programs: PathBuf,
    script: PathBuf,
}

impl Database {
    pub(crate) fn start(bench: &Bench) -> Result<Self> {
        let programs = programs().context("pgbench is not installed: install postgresql")?;
        let mut command = ended_with_us(&bench.programs.load);
        command
            .arg("cluster")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command
            .spawn()
            .context("the cluster could not be started")?;
        let output = process
            .stdout
            .take()
            .context("standard output is not piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let said: Value = serde_json::from_str(&line).context("the cluster did not start")?;
        let socket = said
            .get("socket")
            .and_then(Value::as_str)
            .context("no socket")?;
        let port = said
            .get("port")
            .and_then(Value::as_u64)
            .context("no port")?;
        let database = Self {
            process,
            socket: socket.to_owned(),
            port: port.to_string(),
            programs,
            script: bench.directory.path().join("insert.sql"),
        };
        let insert = "INSERT INTO floor (body) VALUES (repeat('x', 600));\n";
        std::fs::write(&database.script, insert)?;
        let table = "CREATE TABLE floor (id bigserial PRIMARY KEY, body text)";
        database.program("psql", &["-q", "-c", table])?;
        Ok(database)
    }

    /// The address of a place of its own.
    pub(crate) fn address(&self, schema: &str) -> String {
        let (socket, port) = (&self.socket, &self.port);
        format!("postgres:///postgres?user={OWNER}&host={socket}&port={port}&schema={schema}")
    }

    /// Commits a second of so many clients, each of which inserts one row and waits.
    pub(crate) fn commits(&self, clients: usize, seconds: f64) -> Result<f64> {
        let (clients, script) = (clients.to_string(), self.script.display().to_string());
        let seconds = format!("{:.0}", seconds.ceil().max(1.0));
        let arguments = [
            "-n", "-f", &script, "-c", &clients, "-j", "1", "-T", &seconds,
        ];
        let said = self.program("pgbench", &arguments)?;
        let line = said.lines().find_map(|line| line.strip_prefix("tps = "));
        let figure = line.and_then(|line| line.split(' ').next());
        Ok(figure.context("pgbench told no rate")?.parse()?)
    }

    fn program(&self, name: &str, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(self.programs.join(name));
        command.args(["-h", &self.socket, "-p", &self.port, "-U", OWNER]);
        let output = command.args(arguments).arg("postgres").output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{name} failed: {errors}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    pub(crate) fn stop(mut self) -> Result<()> {
        drop(self.process.stdin.take());
        let ended = waiting::until(STOPPED_WITHIN, || self.process.try_wait().ok().flatten());
        let status = ended.context("the cluster did not stop")?;
        ensure!(status.success(), "the cluster stopped with {status}");
        Ok(())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let ended = waiting::until(STOPPED_WITHIN, || self.process.try_wait().ok().flatten());
        if ended.is_none() {
            let _gone = self.process.kill();
            let _reaped = self.process.wait();
        }
    }
}

/// Where pgbench is: of the programs on PATH, or the newest in Debian's place.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").ok();
    let mut versions: Vec<PathBuf> = debian
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    versions.sort();
    let mut places = versions
        .into_iter()
        .rev()
        .chain(std::env::split_paths(&path));
    places.find(|place| place.join("pgbench").is_file() && place.join("psql").is_file())
}
