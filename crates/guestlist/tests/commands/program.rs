//! The built program, run once: with nothing of this machine's environment, and a home of its own.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use guestlist_server::testing::TestServer;
use serde_json::Value;
use tempfile::TempDir;

/// A person at a shell: their home, and how they call the server.
pub(crate) struct Person {
    pub(crate) home: TempDir,
    variables: Vec<(String, String)>,
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Person {
    /// Somebody who has set nothing up.
    pub(crate) fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
    }

    /// The owner of a server, by GUESTLIST_URL and GUESTLIST_KEY.
    pub(crate) fn owner(server: &TestServer) -> Self {
        Self::new()
            .with("GUESTLIST_URL", server.url())
            .with("GUESTLIST_KEY", server.owner_key())
    }

    /// A user of a server, by GUESTLIST_URL and GUESTLIST_TOKEN.
    pub(crate) fn user(server: &TestServer, user: &str) -> Self {
        Self::new()
            .with("GUESTLIST_URL", server.url())
            .with("GUESTLIST_TOKEN", &server.token(user).unwrap())
    }

    /// With this variable in the environment.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A file in the person's home.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.home.path().join(name);
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).unwrap();
        }
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The command, not started yet.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guestlist"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .envs(self.variables.iter().cloned())
            .current_dir(self.home.path())
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        Ended::of(self.command(words).output().unwrap())
    }

    /// Runs a command to its end, with this on standard input.
    pub(crate) fn run_with(&self, words: &[&str], input: &str) -> Ended {
        let mut child: Child = self.command(words).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that does not read to the end is no failure of the test.
        let _written = stdin.write_all(input.as_bytes());
        drop(stdin);
        Ended::of(child.wait_with_output().unwrap())
    }
}

impl Ended {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// It ended with this exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

/// Whether a file may be read by its owner only.
pub(crate) fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777 == 0o600
}
