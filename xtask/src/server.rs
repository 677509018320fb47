//! The built server as a running process: started on a free loopback port, always stopped.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::terminal;
use crate::waiting;
use crate::workspace::Workspace;

const READY_WITHIN: Duration = Duration::from_mins(1);
const STOPPED_WITHIN: Duration = Duration::from_secs(20);

/// Builds the binary that the suites drive.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let mut build = workspace.cargo();
    build.args(["build", "--package", "guestlist", "--bin", "guestlist"]);
    crate::command::run(&mut build, Duration::from_mins(30))
}

/// A server with a data directory of its own; stopped, if need be killed, when dropped.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
    data: PathBuf,
    log: PathBuf,
}

impl Server {
    /// Starts with `--dev` on a free port and waits until it says that it is ready.
    pub(crate) fn start(workspace: &Workspace, name: &str, data: &Path) -> Result<Self> {
        Self::start_with(workspace, name, data, &[])
    }

    /// The same with additional environment variables, such as another clock.
    pub(crate) fn start_with(
        workspace: &Workspace,
        name: &str,
        data: &Path,
        environment: &[(&str, String)],
    ) -> Result<Self> {
        let mut last = None;
        // Another process may take the free port between our look and the server's start.
        for _attempt in 0..3 {
            match Self::start_once(workspace, name, data, environment) {
                Ok(server) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("the server was never started")))
    }

    fn start_once(
        workspace: &Workspace,
        name: &str,
        data: &Path,
        environment: &[(&str, String)],
    ) -> Result<Self> {
        let binary = workspace.target.join("debug/guestlist");
        ensure!(binary.is_file(), "{} has not been built", binary.display());
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = workspace.sdk_directory("logs")?.join(format!("{name}.log"));
        let output = File::create(&log)?;
        let mut command = ended_with_us(&binary);
        command.arg("serve").arg("--dev");
        command.args(["--listen", &address.to_string()]);
        command.args(["--public-url", &format!("http://{address}")]);
        command.arg("--data").arg(data);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let process = command.spawn().context("the server could not be started")?;
        let mut server = Self {
            process,
            address,
            data: data.to_owned(),
            log,
        };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let address = self.address;
        let ready = waiting::until(READY_WITHIN, || {
            if let Ok(Some(status)) = self.process.try_wait() {
                return Some(Err(anyhow::anyhow!("the server ended by itself: {status}")));
            }
            is_ready(address).then_some(Ok(()))
        });
        let ready = ready.unwrap_or_else(|| {
            Err(anyhow::anyhow!(
                "the server was not ready within {} s",
                READY_WITHIN.as_secs()
            ))
        });
        ready.with_context(|| format!("its last words:\n{}", self.last_words()))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The file that holds the owner's access key, a four-part key on one line.
    pub(crate) fn owner_key_file(&self) -> PathBuf {
        self.data.join("owner-access-key")
    }

    pub(crate) fn owner_key(&self) -> Result<String> {
        let file = self.owner_key_file();
        let key = std::fs::read_to_string(&file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        Ok(key.trim().to_owned())
    }

    /// The end of the server's log, for people who look for the cause of a failure.
    pub(crate) fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let start = lines.len().saturating_sub(30);
        lines.get(start..).unwrap_or_default().join("\n")
    }

    /// Asks it to stop; anything but a clean end in time is an error.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.terminate();
        let status = waiting::until(STOPPED_WITHIN, || self.process.try_wait().ok().flatten());
        let Some(status) = status else {
            bail!(
                "the server did not stop within {} s of SIGTERM",
                STOPPED_WITHIN.as_secs()
            );
        };
        ensure!(
            status.success(),
            "the server stopped with {status}:\n{}",
            self.last_words()
        );
        Ok(())
    }

    fn terminate(&self) {
        let _gone = Command::new("kill")
            .args(["-TERM", &self.process.id().to_string()])
            .status();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(Some(_))) {
            return;
        }
        self.terminate();
        let ended = waiting::until(STOPPED_WITHIN, || self.process.try_wait().ok().flatten());
        if ended.is_none() {
            terminal::complain("the server did not stop, so it is killed");
            let _gone = self.process.kill();
            let _reaped = self.process.wait();
        }
    }
}

/// A command that the kernel ends with us where it can, so that a killed run leaves nothing behind.
pub(crate) fn ended_with_us(binary: &Path) -> Command {
    if crate::command::answers("setpriv", &["--pdeathsig", "TERM", "true"]) {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM"]).arg(binary);
        command
    } else {
        Command::new(binary)
    }
}

pub(crate) fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(&start == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}
