//! The only reader of flags, environment and settings file: in that order of precedence.

use std::fs;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use guestlist_api::ids::AccountId;
use guestlist_server::addresses::TrustedProxies;
use guestlist_server::cors::Cors;
use serde::Deserialize;

/// Flags of `guestlist serve`. Each can also be set as `GUESTLIST_…` in the environment and in the
/// file that `--config` names.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ServeArguments {
    /// Address and port to listen on [default: 127.0.0.1:8888]
    #[arg(long, env = "GUESTLIST_LISTEN", value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,

    /// The origin under which applications and browsers reach the server, as in
    /// `https://auth.example.com`. Links and tokens are made from it, never from a request [default:
    /// http:// and the address listened on]
    #[arg(long, env = "GUESTLIST_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<String>,

    /// The id of the account that the first start makes [default: generated]
    #[arg(long, env = "GUESTLIST_ACCOUNT_ID", value_name = "ID", value_parser = account_id)]
    pub(crate) account_id: Option<AccountId>,

    /// Directory of the database and the secrets [default: the platform's data directory]
    #[arg(long, env = "GUESTLIST_DATA", value_name = "DIRECTORY")]
    pub(crate) data: Option<PathBuf>,

    /// Where to keep what is stored: `embedded` (a database in the data directory), `memory` (lost
    /// at the end), or `postgres://user@host/database`, which several nodes can share; a password is
    /// better in a file (`?password_file=…`) [default: embedded]
    #[arg(
        long,
        env = "GUESTLIST_STORE",
        hide_env_values = true,
        value_name = "STORE"
    )]
    pub(crate) store: Option<String>,

    /// What a start does about tables of a PostgreSQL database that are older than this version: bring
    /// them up to date, or refuse [default: auto]
    #[arg(
        long,
        env = "GUESTLIST_MIGRATE",
        value_enum,
        value_name = "auto|check",
        hide_possible_values = true
    )]
    pub(crate) migrate: Option<OlderTables>,

    /// Development: sample roles and users, tokens for any user on request, issuers over http on
    /// loopback. Never for real data
    #[arg(long, env = "GUESTLIST_DEV", num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    pub(crate) dev: Option<bool>,

    /// What to log: error, warn, info, debug, trace, or a filter as in
    /// info,guestlist_server=debug. Below info, only Guestlist's own parts are logged. Libraries
    /// are if they are named as in hyper=trace; then the log may hold secrets [default: info]
    #[arg(long, env = "GUESTLIST_LOG", value_name = "LEVEL")]
    pub(crate) log: Option<String>,

    /// Browsers of this origin may call the server; may be given several times
    #[arg(
        long = "allowed-origin",
        env = "GUESTLIST_ALLOWED_ORIGINS",
        value_delimiter = ',',
        value_name = "ORIGIN"
    )]
    #[serde(default, rename = "allowed-origin")]
    pub(crate) allowed_origins: Vec<String>,

    /// Believe X-Forwarded-For from this network (as in 10.0.0.0/8); may be given several times
    #[arg(
        long = "trusted-proxy",
        env = "GUESTLIST_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_name = "NETWORK"
    )]
    #[serde(default, rename = "trusted-proxy")]
    pub(crate) trusted_proxies: Vec<String>,

    /// People whom one inviter can invite in a day: an invite for several counts as several. The
    /// account has ten times as many, one address five times; 0 for any number [default: 10000]
    #[arg(long, env = "GUESTLIST_INVITE_BUDGET", value_name = "PEOPLE")]
    pub(crate) invite_budget: Option<u32>,

    /// Seconds after which a node that cannot tell whether it misses changes of other nodes is not
    /// ready any more [default: 10]
    #[arg(long, env = "GUESTLIST_STALE_AFTER", value_name = "SECONDS")]
    pub(crate) stale_after: Option<u64>,

    /// What such a node does: answer by what it has, or refuse [default: answer]
    #[arg(
        long,
        env = "GUESTLIST_WHEN_STALE",
        value_enum,
        value_name = "answer|refuse",
        hide_possible_values = true
    )]
    pub(crate) when_stale: Option<Stale>,

    /// Token issuers and receivers of webhooks may be at private addresses (for those in the same
    /// network)
    #[arg(long, env = "GUESTLIST_PRIVATE_ISSUERS", num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    pub(crate) private_issuers: Option<bool>,

    /// Accept the raw access key as a bearer token, as the Go, Rust, Ruby and Kotlin SDKs send it
    /// [default: true]
    #[arg(long, env = "GUESTLIST_RAW_ACCESS_KEYS", num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    pub(crate) raw_access_keys: Option<bool>,

    /// Seconds between the signal to end and the end of listening, in which /readyz already says
    /// that the server is ending: for load balancers [default: 0]
    #[arg(long, env = "GUESTLIST_DRAIN_DELAY", value_name = "SECONDS")]
    pub(crate) drain_delay: Option<u64>,

    /// A TOML file with these settings, named as the flags are (drain-delay = 5, dev = true); what
    /// may be given several times is a list. A flag goes before the environment, and both before
    /// the file
    #[arg(long, env = "GUESTLIST_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub(crate) config: Option<PathBuf>,
}

fn account_id(text: &str) -> Result<AccountId, String> {
    text.parse()
        .map_err(|reason: guestlist_api::text::Malformed| reason.to_string())
}

/// What a start does about tables of an older version.
#[derive(Debug, Clone, Copy, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OlderTables {
    #[default]
    Auto,
    Check,
}

/// What a node does that does not know whether it is up to date.
#[derive(Debug, Clone, Copy, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stale {
    Answer,
    Refuse,
}

/// Settings with nothing left open.
#[derive(Debug)]
pub(crate) struct ServeSettings {
    pub(crate) listen: SocketAddr,
    pub(crate) public_url: Option<String>,
    pub(crate) account_id: Option<AccountId>,
    pub(crate) data: PathBuf,
    pub(crate) store: String,
    pub(crate) migrate: OlderTables,
    pub(crate) development: bool,
    pub(crate) log: String,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) trusted_proxies: Vec<String>,
    pub(crate) invite_budget: Option<u32>,
    pub(crate) stale_after: Option<u64>,
    pub(crate) when_stale: Option<Stale>,
    pub(crate) private_issuers: bool,
    pub(crate) raw_access_keys: bool,
    pub(crate) drain_delay: u64,
}

impl ServeArguments {
    /// Adds what the settings file says and the defaults.
    pub(crate) fn complete(self) -> anyhow::Result<ServeSettings> {
        let file = match &self.config {
            Some(path) => read(path)?,
            None => Self::default(),
        };
        let data = match self.data.or(file.data) {
            Some(data) => data,
            None => default_data()?,
        };
        let either = |flags: Vec<String>, file: Vec<String>| {
            if flags.is_empty() { file } else { flags }
        };
        let public_url = self
            .public_url
            .or(file.public_url)
            .map(|url| public_url(&url))
            .transpose()?;
        let allowed_origins = either(self.allowed_origins, file.allowed_origins);
        Cors::new(allowed_origins.iter().map(String::as_str)).context("--allowed-origin")?;
        let trusted_proxies = either(self.trusted_proxies, file.trusted_proxies);
        TrustedProxies::new(trusted_proxies.iter().map(String::as_str))
            .context("--trusted-proxy")?;
        Ok(ServeSettings {
            listen: self.listen.or(file.listen).unwrap_or_else(default_listen),
            public_url,
            account_id: self.account_id.or(file.account_id),
            data,
            store: self
                .store
                .or(file.store)
                .unwrap_or_else(|| "embedded".to_owned()),
            migrate: self.migrate.or(file.migrate).unwrap_or_default(),
            development: self.dev.or(file.dev).unwrap_or(false),
            log: self.log.or(file.log).unwrap_or_else(|| "info".to_owned()),
            allowed_origins,
            trusted_proxies,
            invite_budget: self.invite_budget.or(file.invite_budget),
            stale_after: self.stale_after.or(file.stale_after),
            when_stale: self.when_stale.or(file.when_stale),
            private_issuers: self
                .private_issuers
                .or(file.private_issuers)
                .unwrap_or(false),
            raw_access_keys: self
                .raw_access_keys
                .or(file.raw_access_keys)
                .unwrap_or(true),
            drain_delay: self.drain_delay.or(file.drain_delay).unwrap_or(0),
        })
    }
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8888))
}

/// Where a server keeps its data unless told otherwise.
pub(crate) fn default_data() -> anyhow::Result<PathBuf> {
    let directories = directories::ProjectDirs::from("", "", "guestlist")
        .context("this user has no home directory: say where to keep data with --data")?;
    Ok(directories.data_dir().to_owned())
}

fn read(path: &Path) -> anyhow::Result<ServeArguments> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the settings file {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("in the settings file {}", path.display()))
}

fn public_url(text: &str) -> anyhow::Result<String> {
    let origin = text.trim_end_matches('/');
    let host = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    if !host.is_some_and(is_authority) {
        bail!("--public-url must be an origin, as in https://auth.example.com, but is {text}");
    }
    Ok(origin.to_owned())
}

/// Whether a text is a host, perhaps with a port.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        Some(_) | None => (text, None),
    };
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_host = if let Some(address) = bracketed {
        address.parse::<Ipv6Addr>().is_ok()
    } else {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        !host.is_empty() && host.bytes().all(allowed)
    };
    is_host && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_a_host_with_or_without_a_port() {
        for good in [
            "a.example",
            "localhost:8888",
            "127.0.0.1",
            "[::1]",
            "[::1]:8888",
        ] {
            assert!(is_authority(good), "{good}");
        }
        for bad in [
            "", ":80", "a:b", "a:", "a:65536", "[::1", "::1", "a/b", "a b", "ü", "a@b", "[a]",
        ] {
            assert!(!is_authority(bad), "{bad}");
        }
    }
}
