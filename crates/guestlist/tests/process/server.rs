//! The built program as a child process, which always ends with its test.

use std::io::{BufRead as _, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};

use serde_json::{Value, json};

use crate::http::{Call, Connection, PATIENCE, Reply};

/// `guestlist serve` on a free port of loopback, without anything from the environment.
pub(crate) fn serve(data: &Path) -> Command {
    let mut command = bare();
    command
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(data);
    command
}

/// `guestlist serve` with nothing set.
pub(crate) fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guestlist"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .arg("serve");
    command
}

/// A port that was free a moment ago, for settings that must name one.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// What a stream of the program says, line by line.
pub(crate) struct Output {
    coming: Receiver<String>,
    seen: Vec<String>,
}

impl Output {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (told, coming) = mpsc::channel();
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream
                .read_until(b'\n', &mut line)
                .is_ok_and(|read| read > 0)
            {
                let text = String::from_utf8_lossy(&line).into_owned();
                line.clear();
                if told.send(text).is_err() {
                    return;
                }
            }
        });
        Self {
            coming,
            seen: Vec::new(),
        }
    }

    /// Waits for a line with this text; `None` if the program ended without it.
    pub(crate) fn until(&mut self, text: &str) -> Option<String> {
        loop {
            match self.coming.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return Some(line);
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    panic!("{text:?} never came after {}", self.seen.concat())
                }
            }
        }
    }

    /// Everything, when the program has ended.
    pub(crate) fn whole(&mut self) -> String {
        assert_eq!(self.until("\0 never said"), None);
        self.seen.concat()
    }

    /// What was said so far.
    pub(crate) fn so_far(&mut self) -> String {
        self.seen.extend(self.coming.try_iter());
        self.seen.concat()
    }
}

/// A start that came to nothing.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program to its end, which must come by itself.
pub(crate) fn run(mut command: Command) -> Ended {
    let mut child = Running(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut stdout = Output::of(child.0.stdout.take().unwrap());
    let mut stderr = Output::of(child.0.stderr.take().unwrap());
    Ended {
        stdout: stdout.whole(),
        stderr: stderr.whole(),
        status: child.0.wait().unwrap(),
    }
}

/// Runs a start that must be refused with one sentence that holds these texts.
#[track_caller]
pub(crate) fn refused(command: Command, says: &[&str]) -> String {
    let ended = run(command);
    let Ended { stdout, stderr, .. } = &ended;
    assert!(!ended.status.success(), "{stdout}{stderr}");
    assert_eq!(stdout, "", "{stderr}");
    for text in says {
        assert!(stderr.contains(text), "{text:?} is not in {stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
    ended.stderr
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// A server that answers.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    child: Running,
    data: PathBuf,
}

impl Server {
    /// Starts on a directory and waits until the server is ready.
    pub(crate) fn new(data: &Path, arguments: &[&str]) -> Self {
        let mut command = serve(data);
        command.args(arguments);
        Self::start(command, data)
    }

    /// Starts a command and waits until the server is ready.
    pub(crate) fn start(command: Command, data: &Path) -> Self {
        let (child, mut stdout, mut stderr) = spawn(command);
        let Some(line) = stdout.until("listens on ") else {
            panic!("did not start: {}", stderr.whole());
        };
        let address = line.split_once("http://").unwrap().1.trim();
        let address = address.parse().unwrap();
        stdout.until("reference ").unwrap();
        let server = Self {
            address,
            stdout,
            stderr,
            child,
            data: data.to_owned(),
        };
        let ready = server.send("", "GET", "/readyz", &Value::Null);
        assert_eq!(ready.expect(200).json()["status"], "ready");
        server
    }

    /// A request on a connection of its own.
    pub(crate) fn call(&self, call: Call<'_>) -> Reply {
        let mut connection = Connection::open(self.address).unwrap();
        connection.call(call).unwrap()
    }

    /// A request with a credential and perhaps a body.
    pub(crate) fn send(&self, credential: &str, method: &str, target: &str, body: &Value) -> Reply {
        let body = text_of(body);
        self.call(Call {
            credential,
            method,
            target,
            body: &body,
            ..Call::default()
        })
    }

    /// The owner's access key, from its file.
    pub(crate) fn owner(&self) -> String {
        let key = std::fs::read_to_string(self.data.join("owner-access-key")).unwrap();
        key.trim().to_owned()
    }

    /// A token of a user. Only with `--dev`.
    pub(crate) fn token(&self, user: &str) -> String {
        let body = json!({ "userId": user });
        let reply = self.send("", "POST", "/v1/dev/tokens", &body).expect(200);
        reply.member("accessToken")
    }

    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.0.id().to_string();
        let sent = Command::new("kill").args([name, &process]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends the server at once, as the machine would for want of memory.
    pub(crate) fn kill(mut self) {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
    }

    /// Waits for the end, which must come by itself: the status and all that was logged.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        self.stdout.whole();
        let log = self.stderr.whole();
        (self.child.0.wait().unwrap(), log)
    }

    /// Ends the server in good order, and gives its log.
    pub(crate) fn stop(self) -> String {
        self.signal("-TERM");
        let (status, log) = self.wait();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }
}

fn spawn(mut command: Command) -> (Running, Output, Output) {
    let mut child = Running(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let stdout = Output::of(child.0.stdout.take().unwrap());
    let stderr = Output::of(child.0.stderr.take().unwrap());
    (child, stdout, stderr)
}

/// A body as it is sent; nothing for `null`.
pub(crate) fn text_of(body: &Value) -> String {
    if body.is_null() {
        String::new()
    } else {
        body.to_string()
    }
}

/// Roles on resources, as a statement.
pub(crate) fn statement(role: &str, resource: &str) -> Value {
    json!({ "roles": [role], "resources": [{ "resourceUri": resource }] })
}

/// An invite that holds a role on a resource.
pub(crate) fn invite_of(role: &str, resource: &str) -> Value {
    json!({ "statements": [statement(role, resource)] })
}

/// A record that gives a user a role on a resource.
pub(crate) fn record_of(id: &str, user: &str, role: &str, resource: &str) -> Value {
    json!({
        "recordId": id,
        "name": id,
        "users": [{ "userId": user }],
        "statements": [statement(role, resource)],
    })
}
