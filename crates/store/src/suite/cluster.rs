//! A PostgreSQL of the tests' own: made when the first test needs it, on this machine alone, and gone
//! with the process, however that ends. Never a database that happens to run.
#![expect(
    clippy::disallowed_methods,
    reason = "a server says by no event that it is ready or gone: it is asked again, within a bound"
)]

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long a server may take to start or to end.
const PATIENCE: Duration = Duration::from_mins(1);
/// The superuser of the cluster; no password is needed.
const OWNER: &str = "guestlist";

/// Runs the server until it ends, or until the other end of standard input is closed: also when
/// this process is killed. Then the server ends at once, and its files are removed.
const KEEPER: &str = r#"
exec 3<&0
"$0" -D "$1/data" -k "$1" -p "$2" $3 </dev/null >>"$1/log" 2>&1 &
server=$!
( read -r _ <&3
  rm -f "$1/keep"
  kill -QUIT $server 2>/dev/null
  while kill -0 $server 2>/dev/null; do sleep 0.05; done
  rm -rf "$1" ) </dev/null >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait $server
code=$?
[ -d "$1" ] && [ -e "$1/keep" ] && kill $watcher 2>/dev/null
exit $code
"#;

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error("PostgreSQL is not installed: neither on PATH nor in /usr/lib/postgresql")]
    Missing,
    #[error("the cluster cannot be used: {0}")]
    Io(#[from] io::Error),
    #[error("{what} failed: {output}")]
    Failed { what: &'static str, output: String },
}

/// How a server is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// As an operator does: connections are cut, and everything is written (SIGINT).
    Fast,
    /// At once, so that the next start recovers from the log (SIGQUIT).
    Crash,
    /// Without a last word from any of its processes (SIGKILL to all of them).
    Killed,
}

/// What a cluster is made with.
#[derive(Debug, Clone, Default)]
pub struct ClusterOptions {
    settings: Vec<String>,
    files: Vec<(&'static str, Vec<u8>)>,
    /// A copy of this running cluster, which follows it.
    copy_of: Option<(PathBuf, u16)>,
}

impl ClusterOptions {
    /// A setting of the server: `name=value`, without spaces; `{root}` is the directory of its files.
    #[must_use]
    pub fn setting(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// A file for the server alone.
    #[must_use]
    pub fn file(mut self, name: &'static str, contents: &[u8]) -> Self {
        self.files.push((name, contents.to_vec()));
        self
    }

    /// Commits do not wait for the disk: for tests of other things.
    #[must_use]
    pub fn without_fsync(self) -> Self {
        self.setting("fsync=off")
    }

    /// A streaming replica of a cluster.
    #[must_use]
    pub fn replica_of(mut self, primary: &Cluster) -> Self {
        self.copy_of = Some((primary.root.clone(), primary.port));
        self
    }
}

/// A server and its data. It ends when it is dropped, and with the process at the latest.
pub struct Cluster {
    programs: PathBuf,
    root: PathBuf,
    port: u16,
    settings: String,
    keeper: Mutex<Option<Child>>,
    /// Numbers schemas, so that each place has its own.
    schemas: AtomicU32,
}

impl Cluster {
    /// The one that the tests of this process share; made at the first call.
    pub fn shared() -> Result<&'static Self, &'static ClusterError> {
        static SHARED: OnceLock<Result<Cluster, ClusterError>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::make(&ClusterOptions::default()))
            .as_ref()
    }

    /// Makes a cluster and starts it.
    pub fn make(options: &ClusterOptions) -> Result<Self, ClusterError> {
        let programs = programs().ok_or(ClusterError::Missing)?;
        let root = tempfile::Builder::new()
            .prefix("guestlist-postgres-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir()?
            .keep();
        if let Some((user, group)) = other_user() {
            chown(&root, Some(user), Some(group))?;
        }
        // Another process could take the port between here and the start: then the start fails.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            "max_connections=200".to_owned(),
            "wal_level=replica".to_owned(),
            "shared_buffers=64MB".to_owned(),
            "restart_after_crash=on".to_owned(),
        ];
        settings.extend(options.settings.iter().cloned());
        let settings = settings
            .iter()
            .fold(String::new(), |all, setting| all + " -c " + setting)
            .replace("{root}", &root.display().to_string());
        for (name, contents) in &options.files {
            write_private(&root.join(name), contents)?;
        }
        let cluster = Self {
            programs,
            root,
            port,
            settings,
            keeper: Mutex::new(None),
            schemas: AtomicU32::new(0),
        };
        match &options.copy_of {
            None => cluster.initialise()?,
            Some((primary, port)) => cluster.copy(primary, *port)?,
        }
        cluster.start()?;
        Ok(cluster)
    }

    fn initialise(&self) -> Result<(), ClusterError> {
        let mut initdb = self.program("initdb");
        initdb.args(["--auth=trust", "--encoding=UTF8", "--no-sync", "--username"]);
        initdb.arg(OWNER).arg("-D").arg(self.root.join("data"));
        finish(&mut initdb, "initdb")
    }

    fn copy(&self, primary: &Path, port: u16) -> Result<(), ClusterError> {
        let mut copy = self.program("pg_basebackup");
        copy.args(["--no-sync", "--checkpoint=fast", "--wal-method=stream"]);
        copy.args(["--write-recovery-conf", "--username", OWNER, "-h"]);
        copy.arg(primary).args(["-p", &port.to_string(), "-D"]);
        copy.arg(self.root.join("data"));
        finish(&mut copy, "pg_basebackup")
    }

    /// A program of PostgreSQL, as a user that it accepts: it refuses root.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        as_other_user(&mut command);
        command.current_dir(&self.root).stdin(Stdio::null());
        command
    }

    fn keeper(&self) -> MutexGuard<'_, Option<Child>> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the server after it has ended, and waits until it answers.
    pub fn start(&self) -> Result<(), ClusterError> {
        let mut keeper = self.keeper();
        fs::write(self.root.join("keep"), "")?;
        let mut command = Command::new("sh");
        as_other_user(&mut command);
        command
            .args(["-c", KEEPER])
            .arg(self.programs.join("postgres"))
            .arg(&self.root)
            .arg(self.port.to_string())
            .arg(&self.settings)
            .current_dir(&self.root)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn()?;
        let until = Instant::now() + PATIENCE;
        loop {
            let mut ready = self.program("pg_isready");
            ready.arg("-h").arg(&self.root);
            ready.args(["-p", &self.port.to_string(), "-q"]);
            if ready.status()?.success() {
                *keeper = Some(child);
                return Ok(());
            }
            if child.try_wait()?.is_some() || Instant::now() > until {
                return Err(ClusterError::Failed {
                    what: "the start of postgres",
                    output: fs::read_to_string(self.root.join("log")).unwrap_or_default(),
                });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the server and waits until it has ended. Its data stays.
    pub fn end(&self, ending: Ending) -> Result<(), ClusterError> {
        let mut keeper = self.keeper();
        let Some(mut child) = keeper.take() else {
            return Ok(());
        };
        let pid_file = fs::read_to_string(self.root.join("data/postmaster.pid"))?;
        let server = pid_file.lines().next().unwrap_or_default().to_owned();
        let signal = match ending {
            Ending::Fast => "-INT",
            Ending::Crash => "-QUIT",
            Ending::Killed => "-KILL",
        };
        let mut processes = vec![server.clone()];
        if ending == Ending::Killed {
            let children = format!("/proc/{server}/task/{server}/children");
            let children = fs::read_to_string(children).unwrap_or_default();
            processes.extend(children.split_whitespace().map(str::to_owned));
        }
        let mut kill = Command::new("kill");
        kill.arg(signal).args(&processes);
        // A child may have ended by itself.
        let _status = kill.stderr(Stdio::null()).status()?;
        let until = Instant::now() + PATIENCE;
        while child.try_wait()?.is_none() {
            if Instant::now() > until {
                return Err(ClusterError::Failed {
                    what: "the end of postgres",
                    output: String::new(),
                });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        if ending == Ending::Killed {
            // As after the loss of the whole machine.
            let _gone = fs::remove_file(self.root.join("data/postmaster.pid"));
        }
        Ok(())
    }

    /// Whether the server has ended by itself, or was ended. Its data stays.
    pub fn has_ended(&self) -> Result<bool, ClusterError> {
        let mut keeper = self.keeper();
        if let Some(child) = keeper.as_mut() {
            if child.try_wait()?.is_none() {
                return Ok(false);
            }
            *keeper = None;
        }
        Ok(true)
    }

    /// Makes a replica the primary.
    pub fn promote(&self) -> Result<(), ClusterError> {
        let mut promote = self.program("pg_ctl");
        promote.args(["promote", "--wait", "-D"]);
        finish(promote.arg(self.root.join("data")), "pg_ctl promote")
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of the socket and of the log.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The address of a place of its own, empty, by the Unix socket.
    pub fn new_address(&self) -> String {
        let number = self.schemas.fetch_add(1, Ordering::Relaxed);
        self.address_of(&format!("place_{}_{number}", std::process::id()))
    }

    /// The address of a schema, by the Unix socket.
    pub fn address_of(&self, schema: &str) -> String {
        format!(
            "postgres:///postgres?user={OWNER}&host={}&port={}&schema={schema}",
            self.root.display(),
            self.port
        )
    }

    /// The address of a schema, by TCP, at another port if there is something in between.
    pub fn tcp_address_of(&self, schema: &str, port: u16) -> String {
        format!("postgres://{OWNER}@127.0.0.1:{port}/postgres?schema={schema}")
    }

    /// What `tokio_postgres::connect` takes, by the Unix socket.
    pub fn plain_address(&self) -> String {
        format!(
            "host={} port={} user={OWNER} dbname=postgres",
            self.root.display(),
            self.port
        )
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _gone = fs::remove_file(self.root.join("keep"));
        match self.keeper().take() {
            Some(mut child) => {
                // The keeper does the rest.
                drop(child.stdin.take());
                let _status = child.wait();
            }
            None => drop(fs::remove_dir_all(&self.root)),
        }
    }
}

/// The shared cluster, for a test that cannot do without. Where PostgreSQL is missing that is said,
/// and is an error where tests count (`CI=true`).
pub fn shared_or_skip() -> Result<Option<&'static Cluster>, String> {
    match Cluster::shared() {
        Ok(cluster) => Ok(Some(cluster)),
        Err(ClusterError::Missing) => skip().map(|()| None),
        Err(error) => Err(error.to_string()),
    }
}

/// A cluster of the test's own, with the same exception.
pub fn own_or_skip(options: &ClusterOptions) -> Result<Option<Cluster>, String> {
    match Cluster::make(options) {
        Ok(cluster) => Ok(Some(cluster)),
        Err(ClusterError::Missing) => skip().map(|()| None),
        Err(error) => Err(error.to_string()),
    }
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn skip() -> Result<(), String> {
    let text = ClusterError::Missing.to_string();
    if std::env::var_os("CI").is_some_and(|value| value == "true") {
        return Err(text);
    }
    eprintln!("SKIPPED: {text}");
    Ok(())
}

/// Where `initdb` and its neighbours are: of the programs on PATH, or the newest in Debian's place.
fn programs() -> Option<PathBuf> {
    let has_all = |directory: &PathBuf| {
        [
            "initdb",
            "postgres",
            "pg_isready",
            "pg_basebackup",
            "pg_ctl",
        ]
        .iter()
        .all(|name| directory.join(name).is_file())
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) = std::env::split_paths(&path).find(has_all) {
        return Some(found);
    }
    let version = |path: &PathBuf| {
        let name = path.parent()?.file_name()?.to_str()?;
        name.parse::<u32>().ok()
    };
    fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(has_all)
        .max_by_key(version)
}

/// Whom the server runs as when this process is root's: `postgres`, or `nobody` where there is none.
fn other_user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let find = |name: &str| {
        let line = users
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    find("postgres").or_else(|| find("nobody"))
}

/// Writes a file that only the server's user may read.
fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    fs::write(path, contents)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    match other_user() {
        Some((user, group)) => chown(path, Some(user), Some(group)),
        None => Ok(()),
    }
}

fn as_other_user(command: &mut Command) {
    if let Some((user, group)) = other_user() {
        command.uid(user).gid(group);
    }
    command.env("LC_ALL", "C.UTF-8");
}

fn finish(command: &mut Command, what: &'static str) -> Result<(), ClusterError> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(ClusterError::Failed {
        what,
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
