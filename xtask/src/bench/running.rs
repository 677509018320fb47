//! A server, ours or the floor's, as a running process: on a free loopback port, always stopped.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use super::programs::on;
use crate::server::{ended_with_us, is_ready};
use crate::waiting::{self, Stopwatch};

const READY_WITHIN: Duration = Duration::from_mins(1);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
/// What both print when they listen, in front of their address.
const LISTENS: &str = "listens on http://";

/// A running server; stopped, if need be killed, when dropped.
pub(crate) struct Running {
    process: Child,
    pub(crate) address: SocketAddr,
    /// From its start until it was ready.
    pub(crate) ready_after: Duration,
    log: PathBuf,
}

/// How the server is started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// On one processor.
    Pinned,
    /// On all, and with tokens for any user.
    Development,
}

/// The data directory of a part's server.
pub(crate) fn data(bench: &Bench, name: &str) -> PathBuf {
    bench.directory.path().join(name)
}

/// The file that holds the access key of the owner of that data.
pub(crate) fn owner_key(bench: &Bench, name: &str) -> PathBuf {
    data(bench, name).join("owner-access-key")
}

impl Running {
    /// Our server on the data directory `name`.
    pub(crate) fn server(bench: &Bench, name: &str, mode: Mode) -> Result<Self> {
        Self::server_on(bench, name, mode, None)
    }

    /// Our server with the secrets of the data directory `name`, and what is stored at an address.
    pub(crate) fn server_on(
        bench: &Bench,
        name: &str,
        mode: Mode,
        store: Option<&str>,
    ) -> Result<Self> {
        let pinning = bench.programs.pinning.as_ref();
        let pinning = pinning.filter(|_| mode == Mode::Pinned);
        let processor = pinning.map(|pinning| pinning.server.as_str());
        let mut command = on(
            processor,
            |first| ended_with_us(&first),
            &bench.programs.server,
        );
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "warn"]);
        // One inviter makes more in seconds than people do in a year.
        command.args(["--invite-budget", "0"]);
        command.arg("--data").arg(data(bench, name));
        if mode == Mode::Development {
            command.arg("--dev");
        }
        if let Some(store) = store {
            command.args(["--store", store]);
        }
        let running = Self::start(bench, name, command)?;
        ensure!(
            is_ready(running.address),
            "the server listens but is not ready:\n{}",
            running.last_words()
        );
        Ok(running)
    }

    /// Bare hyper, on the processor that our server has.
    pub(crate) fn hyper(bench: &Bench) -> Result<Self> {
        let pinning = bench.programs.pinning.as_ref();
        let processor = pinning.map(|pinning| pinning.server.as_str());
        let mut command = on(
            processor,
            |first| ended_with_us(&first),
            &bench.programs.load,
        );
        command.arg("hyper-floor");
        Self::start(bench, "hyper", command)
    }

    fn start(bench: &Bench, name: &str, mut command: Command) -> Result<Self> {
        let log = data(bench, &format!("{name}.log"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?);
        let watch = Stopwatch::start();
        let mut process = command
            .spawn()
            .with_context(|| format!("{name} could not be started"))?;
        let output = process.stdout.take().map(addresses);
        let mut running = Self {
            process,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            ready_after: Duration::ZERO,
            log,
        };
        let addresses = output.context("standard output is not piped")?;
        running.address = addresses.recv_timeout(READY_WITHIN).with_context(|| {
            format!(
                "{name} did not say where it listens:\n{}",
                running.last_words()
            )
        })?;
        running.ready_after = watch.elapsed();
        Ok(running)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Bytes of memory that the process occupies (`VmRSS`, proc(5)).
    pub(crate) fn resident_bytes(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.id());
        let status = std::fs::read_to_string(&path)?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kibibytes: f64 = kibibytes.context("no VmRSS")?.trim().parse()?;
        Ok(kibibytes * 1024.0)
    }

    fn last_words(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to stop; anything but a clean end in time is an error.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.terminate();
        let ended = waiting::until(STOPPED_WITHIN, || self.process.try_wait().ok().flatten());
        let status = ended.context("the server did not stop")?;
        ensure!(
            status.success(),
            "the server stopped with {status}:\n{}",
            self.last_words()
        );
        Ok(())
    }

    fn terminate(&self) {
        let _gone = Command::new("kill")
            .args(["-TERM", &self.id().to_string()])
            .status();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(Some(_))) {
            return;
        }
        self.terminate();
        let ended = waiting::until(STOPPED_WITHIN, || self.process.try_wait().ok().flatten());
        if ended.is_none() {
            let _gone = self.process.kill();
            let _reaped = self.process.wait();
        }
    }
}

/// The address that is printed; the rest of the output is read too, so that the pipe is never full.
fn addresses(output: ChildStdout) -> Receiver<SocketAddr> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(address) = address_in(&line) {
                let _told = sender.send(address);
            }
        }
    });
    receiver
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once(LISTENS)?;
    address.trim().parse().ok()
}

/// Bytes of all files of a data directory, and how long it takes to read them: the floor of a start.
pub(crate) fn read_all(directory: &Path) -> Result<(u64, Duration)> {
    let watch = Stopwatch::start();
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_file() {
            bytes += std::io::copy(&mut File::open(path)?, &mut Memory::default())?;
        }
    }
    Ok((bytes, watch.elapsed()))
}

/// Takes bytes into memory, unlike `io::sink`, for which the kernel need not copy them.
#[derive(Default)]
struct Memory(Vec<u8>);

impl std::io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.clear();
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::address_in;

    #[test]
    fn the_address_is_found_in_what_is_printed() {
        let expected = "127.0.0.1:40001".parse().ok();
        assert_eq!(
            address_in("Guestlist 0.1.0 listens on http://127.0.0.1:40001"),
            expected
        );
        assert_eq!(address_in("  reference  http://127.0.0.1:40001/docs"), None);
    }
}
