//! Profiles: the servers a person works with, in a file, and how to sign in to each.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::exits::Failure;
use crate::file_lock;
use crate::secret_input;

/// Which server to call, and as whom.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArguments {
    /// The profile to use [default: the file's `default`]
    #[arg(long, global = true, env = "GUESTLIST_PROFILE", value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// The file of profiles [default: profiles.toml in the platform's configuration directory]
    #[arg(long, global = true, env = "GUESTLIST_PROFILES", value_name = "FILE")]
    pub(crate) profiles: Option<PathBuf>,

    /// The server's URL, before that of the profile
    #[arg(long, global = true, env = "GUESTLIST_URL", value_name = "URL")]
    pub(crate) url: Option<String>,

    /// A file with an access key; `-` reads it from standard input. The key itself may be in
    /// GUESTLIST_KEY; it is never an argument, since arguments can be seen by others
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        conflicts_with = "token_file"
    )]
    pub(crate) key_file: Option<PathBuf>,

    /// A file with a user's token; `-` reads it from standard input. The token itself may be in
    /// GUESTLIST_TOKEN
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// Seconds to wait for an answer
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) timeout: u64,
}

/// The file of profiles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Profiles {
    /// The profile used when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) profile: BTreeMap<String, Profile>,
}

/// A server and how to sign in. Secrets are in files of their own, never in this one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Profile {
    pub(crate) url: String,
    /// Relative to the directory of the file of profiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key_file: Option<PathBuf>,
    /// Relative to the directory of the file of profiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<PathBuf>,
    /// The tokens of an OpenID provider, which are renewed. Relative to the directory of the file of
    /// profiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sign_in_file: Option<PathBuf>,
}

impl Profiles {
    /// What a file says; nothing if there is none.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(Failure::local(format!(
                    "cannot read the profiles in {}: {error}",
                    path.display()
                )));
            }
        };
        toml::from_str(&text)
            .map_err(|error| Failure::invalid(format!("in {}: {error}", path.display())))
    }

    /// Writes the file, all or nothing, readable by its owner only.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = toml::to_string(self)
            .map_err(|error| Failure::local(format!("cannot write the profiles: {error}")))?;
        secret_input::write_private(path, text.as_bytes())
    }

    /// Changes the file, as no other command does at the same time.
    pub(crate) async fn change(
        path: &Path,
        change: impl FnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let _lock = file_lock::lock(path).await?;
        let mut profiles = Self::read(path)?;
        change(&mut profiles)?;
        profiles.write(path)
    }

    /// The profile to use: the named one, or the default one if there is one.
    pub(crate) fn choose(&self, name: Option<&str>) -> Result<Option<Profile>, Failure> {
        let Some(name) = name.or(self.default.as_deref()) else {
            return Ok(None);
        };
        match self.profile.get(name) {
            Some(profile) => Ok(Some(profile.clone())),
            None => Err(Failure::invalid(format!("there is no profile {name}")).hint(self.names())),
        }
    }

    fn names(&self) -> String {
        if self.profile.is_empty() {
            return "There are none yet: `guestlist login` makes one.".to_owned();
        }
        let names: Vec<&str> = self.profile.keys().map(String::as_str).collect();
        format!("There are: {}.", names.join(", "))
    }
}

impl ConnectionArguments {
    /// Whether the credential is read from standard input, which then cannot be anything else.
    pub(crate) fn reads_standard_input(&self) -> bool {
        [&self.key_file, &self.token_file]
            .into_iter()
            .flatten()
            .any(|path| path == Path::new("-"))
    }

    /// Where the profiles are.
    pub(crate) fn profiles_path(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.profiles {
            return Ok(path.clone());
        }
        directories::ProjectDirs::from("", "", "guestlist")
            .map(|directories| directories.config_dir().join("profiles.toml"))
            .ok_or_else(|| {
                Failure::local("this user has no home directory")
                    .hint("Say where the profiles are with --profiles FILE.")
            })
    }
}
