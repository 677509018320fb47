//! Where things are: the repository, the target directory, and the settings of this run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// The paths and settings that every part of a run shares.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    /// Set by continuous integration: what is skipped there counts as failed.
    pub(crate) is_ci: bool,
    /// Whether generated files are written anew instead of compared.
    pub(crate) renews: bool,
    cargo: OsString,
}

impl Workspace {
    #[expect(
        clippy::disallowed_methods,
        reason = "chores read their few settings here only"
    )]
    pub(crate) fn find() -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
        let renews = std::env::var_os("GUESTLIST_BLESS").is_some();
        let described = Command::new(&cargo)
            .args([
                "metadata",
                "--no-deps",
                "--format-version",
                "1",
                "--manifest-path",
            ])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
            .output()
            .context("cargo metadata could not be run")?;
        ensure!(
            described.status.success(),
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&described.stderr)
        );
        let described: serde_json::Value = serde_json::from_slice(&described.stdout)?;
        let path = |member: &str| -> Result<PathBuf> {
            let text = described.get(member).and_then(serde_json::Value::as_str);
            Ok(PathBuf::from(text.with_context(|| {
                format!("cargo metadata names no {member}")
            })?))
        };
        Ok(Self {
            root: path("workspace_root")?,
            target: path("target_directory")?,
            is_ci,
            renews,
            cargo,
        })
    }

    /// Cargo itself, started in the root of the repository.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        command.current_dir(&self.root);
        if crate::terminal::is_coloured() {
            command.env("CARGO_TERM_COLOR", "always");
        }
        command
    }

    /// A directory below `target/sdks` that exists afterwards.
    pub(crate) fn sdk_directory(&self, name: &str) -> Result<PathBuf> {
        let directory = self.target.join("sdks").join(name);
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("{} cannot be made", directory.display()))?;
        Ok(directory)
    }
}
