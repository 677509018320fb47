//! A command's session: the client for the chosen server, and where to say things.

use std::path::{Path, PathBuf};
use std::time::Duration;

use guestlist_client::{Client, Credentials};

use crate::exits::Failure;
use crate::output::{Output, OutputArguments};
use crate::profiles::{ConnectionArguments, Profile, Profiles};
use crate::secret_input;
use crate::sign_in;

/// What every command that calls a server works with.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) output: Output,
    /// The server's URL as it was given.
    pub(crate) url: String,
}

/// Where a credential comes from, in the order in which they are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CredentialSource {
    KeyFile(PathBuf),
    TokenFile(PathBuf),
    /// Tokens of an OpenID provider.
    SignIn(PathBuf),
    KeyVariable,
    TokenVariable,
    None,
}

impl Session {
    /// The session that arguments, environment and profile describe, in that order.
    pub(crate) fn open(
        connection: &ConnectionArguments,
        output: &OutputArguments,
    ) -> Result<Self, Failure> {
        let output = Output::new(output);
        let (url, source) = server(connection)?;
        let credentials = credentials(&source, &output)?;
        let client = client(&url, credentials, connection)?;
        Ok(Self {
            client,
            output,
            url,
        })
    }
}

/// A client as every command has it.
pub(crate) fn client(
    url: &str,
    credentials: Credentials,
    connection: &ConnectionArguments,
) -> Result<Client, Failure> {
    let client = Client::builder(url, credentials)
        .timeout(Duration::from_secs(connection.timeout))
        .user_agent(concat!("guestlist/", env!("CARGO_PKG_VERSION")))
        .build()?;
    Ok(client)
}

/// Which server, and where its credential is.
pub(crate) fn server(
    connection: &ConnectionArguments,
) -> Result<(String, CredentialSource), Failure> {
    let path = connection.profiles_path()?;
    // A URL without a named profile stands for itself.
    let profile = if connection.url.is_some() && connection.profile.is_none() {
        None
    } else {
        Profiles::read(&path)?.choose(connection.profile.as_deref())?
    };
    let url = connection
        .url
        .clone()
        .or_else(|| profile.as_ref().map(|profile| profile.url.clone()))
        .ok_or_else(|| {
            Failure::invalid("which server?").hint(
                "Name it with --url or GUESTLIST_URL, or make a profile with `guestlist login`.",
            )
        })?;
    let source = match (said(connection), &profile) {
        (Some(source), _) => source,
        (None, Some(profile)) => {
            let source = kept(profile, &path);
            let elsewhere = url.trim_end_matches('/') != profile.url.trim_end_matches('/');
            if elsewhere && source != CredentialSource::None {
                return Err(Failure::invalid(format!(
                    "the profile is for {}, and its credential is not sent to {url}",
                    profile.url
                ))
                .hint(
                    "Leave out --url (is GUESTLIST_URL set?) or --profile, or say who you are \
                     with --key-file or --token-file.",
                ));
            }
            source
        }
        (None, None) => CredentialSource::None,
    };
    Ok((url, source))
}

/// The credential that arguments or the environment name.
fn said(connection: &ConnectionArguments) -> Option<CredentialSource> {
    if let Some(path) = &connection.key_file {
        return Some(CredentialSource::KeyFile(path.clone()));
    }
    if let Some(path) = &connection.token_file {
        return Some(CredentialSource::TokenFile(path.clone()));
    }
    if secret_input::from_environment("GUESTLIST_KEY").is_some() {
        return Some(CredentialSource::KeyVariable);
    }
    if secret_input::from_environment("GUESTLIST_TOKEN").is_some() {
        return Some(CredentialSource::TokenVariable);
    }
    None
}

/// The credential that a profile keeps, in files named relative to that of the profiles.
fn kept(profile: &Profile, profiles: &Path) -> CredentialSource {
    let beside = |path: &PathBuf| profiles.parent().unwrap_or(Path::new(".")).join(path);
    match profile {
        Profile {
            key_file: Some(path),
            ..
        } => CredentialSource::KeyFile(beside(path)),
        Profile {
            token_file: Some(path),
            ..
        } => CredentialSource::TokenFile(beside(path)),
        Profile {
            sign_in_file: Some(path),
            ..
        } => CredentialSource::SignIn(beside(path)),
        _ => CredentialSource::None,
    }
}

/// Reads the credential.
pub(crate) fn credentials(
    source: &CredentialSource,
    output: &Output,
) -> Result<Credentials, Failure> {
    match source {
        CredentialSource::KeyFile(path) => {
            warn_if_open(path, output);
            let key = secret_input::read(path, "the access key")?;
            Ok(Credentials::access_key(key.reveal())?)
        }
        CredentialSource::TokenFile(path) => {
            warn_if_open(path, output);
            let token = secret_input::read(path, "the token")?;
            Ok(Credentials::token(token.reveal()))
        }
        CredentialSource::SignIn(path) => {
            warn_if_open(path, output);
            Ok(sign_in::credentials(path.clone()))
        }
        CredentialSource::KeyVariable => match secret_input::from_environment("GUESTLIST_KEY") {
            Some(key) => Ok(Credentials::access_key(key.reveal())?),
            None => Ok(Credentials::none()),
        },
        CredentialSource::TokenVariable => {
            match secret_input::from_environment("GUESTLIST_TOKEN") {
                Some(token) => Ok(Credentials::token(token.reveal())),
                None => Ok(Credentials::none()),
            }
        }
        CredentialSource::None => Ok(Credentials::none()),
    }
}

pub(crate) fn warn_if_open(path: &Path, output: &Output) {
    if secret_input::others_may_read(path) {
        output.notice(&format!(
            "warning: others on this machine may read {0}: chmod 600 {0}",
            path.display()
        ));
    }
}
