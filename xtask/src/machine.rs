//! What a bare Debian machine lacks for the tests, and how it gets it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::command::{answers, quietly, run};
use crate::terminal;

/// Something outside Cargo's reach that a part of the tests needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Records system calls for the power-cut replay.
    Strace,
    Curl,
    Python,
    Node,
    /// The Rust SDK's own default TLS library and the tool that finds it.
    OpenSsl,
    /// Moves the clock of a process, to see invites expire.
    Faketime,
    /// The server that the tests of the PostgreSQL engine run for themselves.
    Postgres,
}

impl Need {
    const ALL: [Self; 7] = [
        Self::Strace,
        Self::Curl,
        Self::Python,
        Self::Node,
        Self::OpenSsl,
        Self::Faketime,
        Self::Postgres,
    ];

    fn is_met(self) -> bool {
        match self {
            Self::Strace => answers("strace", &["--version"]),
            Self::Curl => answers("curl", &["--version"]),
            Self::Python => answers("python3", &["-c", "import ensurepip, venv"]),
            Self::Node => answers("node", &["--version"]) && answers("npm", &["--version"]),
            Self::OpenSsl => answers("pkg-config", &["--exists", "openssl"]),
            Self::Faketime => faketime_library().is_some(),
            Self::Postgres => answers("initdb", &["--version"]) || postgres_directory().is_some(),
        }
    }

    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Strace => &["strace"],
            Self::Curl => &["curl"],
            Self::Python => &["python3", "python3-venv"],
            Self::Node => &["nodejs", "npm"],
            Self::OpenSsl => &["pkg-config", "libssl-dev"],
            Self::Faketime => &["libfaketime"],
            Self::Postgres => &["postgresql"],
        }
    }
}

/// Installs what is missing where that is possible, and says what it does.
///
/// What stays missing is no error here: the parts that need it say so.
pub(crate) fn set_up() -> Result<()> {
    let missing: Vec<Need> = Need::ALL
        .into_iter()
        .filter(|need| !need.is_met())
        .collect();
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|need| need.packages())
        .copied()
        .collect();
    if packages.is_empty() {
        terminal::say("everything that is needed is installed");
        return Ok(());
    }
    terminal::say(&format!("missing Debian packages: {}", packages.join(" ")));
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout == b"0\n");
    if !is_root || !answers("apt-get", &["--version"]) {
        terminal::say("not installed: that takes root and apt-get; what needs them is skipped");
        return Ok(());
    }
    let limit = Duration::from_mins(5);
    quietly(
        Command::new("apt-get").arg("update"),
        "apt-get update",
        limit,
    )?;
    let mut install = Command::new("apt-get");
    install
        .args(["install", "--yes", "--no-install-recommends"])
        .args(&packages);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    quietly(
        &mut install,
        &format!("apt-get install {}", packages.join(" ")),
        limit,
    )
}

/// Why a part cannot run, if something that it needs is missing.
pub(crate) fn lacking(needs: &[Need]) -> Option<String> {
    let need = needs.iter().find(|need| !need.is_met())?;
    Some(format!("needs Debian's {}", need.packages().join(" and ")))
}

/// The library that moves a process's clock, where Debian puts it.
pub(crate) fn faketime_library() -> Option<PathBuf> {
    let library = |directory: PathBuf| directory.join("faketime/libfaketime.so.1");
    let mut found = std::fs::read_dir("/usr/lib")
        .ok()?
        .flatten()
        .map(|entry| library(entry.path()));
    found.find(|path| path.is_file())
}

/// The programs of PostgreSQL, where Debian puts them.
fn postgres_directory() -> Option<PathBuf> {
    let mut versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    versions
        .find(|version| version.path().join("bin/initdb").is_file())
        .map(|version| version.path().join("bin"))
}

/// A Python environment below `directory` with exactly the packages of a requirements file.
///
/// Without a registry, an environment made earlier from the same file serves as it is.
pub(crate) fn python_environment(directory: &Path, requirements: &Path) -> Result<PathBuf> {
    let python = directory.join("bin/python");
    let name = directory
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let stamp = directory.join("requirements-installed.txt");
    let wanted = std::fs::read_to_string(requirements)
        .with_context(|| format!("{} cannot be read", requirements.display()))?;
    let is_pinned = wanted
        .lines()
        .all(|line| line.contains("==") || line.starts_with('#'));
    let is_current = std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted)
        && answers(&python.to_string_lossy(), &["-c", "import sys"]);
    if is_current && is_pinned {
        return Ok(python);
    }
    if !is_current {
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(directory);
        quietly(
            &mut make,
            &format!("python3 -m venv {name}"),
            Duration::from_mins(3),
        )?;
    }
    let mut install = Command::new(&python);
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--upgrade",
        "--upgrade-strategy",
    ]);
    install
        .args(["only-if-needed", "--disable-pip-version-check", "-r"])
        .arg(requirements);
    let installed = quietly(
        &mut install,
        &format!("pip install in {name}"),
        Duration::from_mins(8),
    );
    match installed {
        Ok(()) => std::fs::write(&stamp, wanted)?,
        Err(error) if is_current => terminal::say(&format!("{name} stays as it was: {error:#}")),
        Err(error) => return Err(error),
    }
    Ok(python)
}

/// Installs exactly the locked npm packages, in `directory`, and answers its `node_modules`.
pub(crate) fn node_modules(source: &Path, directory: &Path) -> Result<PathBuf> {
    let modules = directory.join("node_modules");
    let mut is_current = modules.join(".package-lock.json").is_file();
    for name in ["package.json", "package-lock.json"] {
        let wanted = std::fs::read(source.join(name)).with_context(|| format!("no {name}"))?;
        let copy = directory.join(name);
        is_current &= std::fs::read(&copy).is_ok_and(|installed| installed == wanted);
        std::fs::write(&copy, wanted)?;
    }
    if !is_current {
        let mut install = Command::new("npm");
        install
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(directory);
        quietly(&mut install, "npm ci", Duration::from_mins(5))?;
    }
    Ok(modules)
}

/// Installs a cargo tool below `root`, from source.
pub(crate) fn cargo_install(
    mut cargo: Command,
    name: &str,
    version: &str,
    root: &Path,
) -> Result<()> {
    terminal::say(&format!(
        "installing {name} {version} from source: this takes minutes"
    ));
    cargo
        .args(["install", name, "--version", version, "--locked", "--root"])
        .arg(root);
    run(&mut cargo, Duration::from_mins(40))
}
