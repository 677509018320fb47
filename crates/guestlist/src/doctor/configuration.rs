//! Whether profiles, arguments and environment say clearly which server to call, and as whom.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::Findings;
use crate::connection::{self, CredentialSource};
use crate::openid_provider::is_loopback;
use crate::profiles::{ConnectionArguments, Profile, Profiles};
use crate::secret_input;

/// Looks at all of it; which server, and where the credential is, if that is clear.
pub(super) fn examine(
    connection: &ConnectionArguments,
    findings: &mut Findings,
) -> Option<(String, CredentialSource)> {
    let path = match connection.profiles_path() {
        Ok(path) => path,
        Err(failure) => {
            findings.failure("profiles", &failure);
            return None;
        }
    };
    let profiles = profiles(&path, findings)?;
    let (url, source) = match connection::server(connection) {
        Ok(found) => found,
        Err(failure) => {
            findings.failure("server", &failure);
            return None;
        }
    };
    let name = connection
        .profile
        .as_deref()
        .or(profiles.default.as_deref());
    let profile = name.and_then(|name| Some((name, profiles.profile.get(name)?)));
    server(&url, connection, profile, findings);
    credential(&source, connection, profile, findings);
    proxy(&url, findings);
    Some((url, source))
}

fn profiles(path: &Path, findings: &mut Findings) -> Option<Profiles> {
    const CHECK: &str = "profiles";
    let profiles = match Profiles::read(path) {
        Ok(profiles) => profiles,
        Err(failure) => {
            findings.failure(CHECK, &failure);
            return None;
        }
    };
    let place = path.display();
    match fs::metadata(path) {
        Err(_) => findings.ok(CHECK, format!("none yet; they would be in {place}")),
        // No secret is in it, but whoever changes it chooses where keys are sent.
        Ok(metadata) if metadata.mode() & 0o022 != 0 => findings.warning(
            CHECK,
            format!("others on this machine may change {place}"),
            format!("chmod 600 {place}"),
        ),
        Ok(_) => findings.ok(CHECK, format!("{} in {place}", profiles.profile.len())),
    }
    Some(profiles)
}

fn server(
    url: &str,
    connection: &ConnectionArguments,
    profile: Option<(&str, &Profile)>,
    findings: &mut Findings,
) {
    const CHECK: &str = "server";
    let named = connection.profile.is_some();
    let from_variable = connection.url.is_some()
        && secret_input::from_environment("GUESTLIST_URL")
            .is_some_and(|value| Some(value.reveal()) == connection.url.as_deref());
    let differs =
        |profile: &Profile| profile.url.trim_end_matches('/') != url.trim_end_matches('/');
    match (&connection.url, profile) {
        (Some(_), Some((name, profile))) if named && differs(profile) => findings.warning(
            CHECK,
            format!(
                "{url}, though the profile {name} is of {}: nothing of the profile is used",
                profile.url
            ),
            "Leave --url and GUESTLIST_URL out, or do not name the profile.",
        ),
        (Some(_), Some((name, _))) if !named && from_variable => findings.warning(
            CHECK,
            format!("{url}, from GUESTLIST_URL: so the default profile {name} is not used"),
            format!("Unset GUESTLIST_URL, or name the profile: --profile {name}."),
        ),
        (Some(_), _) => findings.ok(
            CHECK,
            if from_variable {
                format!("{url}, from GUESTLIST_URL")
            } else {
                format!("{url}, from --url")
            },
        ),
        (None, Some((name, _))) => findings.ok(CHECK, format!("{url}, of the profile {name}")),
        (None, None) => findings.ok(CHECK, url),
    }
    if reqwest::Url::parse(url).is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url)) {
        findings.warning(
            "encryption",
            "over http:// whoever is on the way can read your tokens",
            "Use https://, with a reverse proxy in front of the server.",
        );
    }
}

/// Everything that could say who calls, in the order in which it is looked for.
fn candidates(connection: &ConnectionArguments, profile: Option<&Profile>) -> Vec<&'static str> {
    let variable = |name| secret_input::from_environment(name).is_some();
    let given = [
        (connection.key_file.is_some(), "--key-file"),
        (connection.token_file.is_some(), "--token-file"),
        (variable("GUESTLIST_KEY"), "GUESTLIST_KEY"),
        (variable("GUESTLIST_TOKEN"), "GUESTLIST_TOKEN"),
        (
            profile.is_some_and(|profile| profile.key_file.is_some()),
            "the profile's key-file",
        ),
        (
            profile.is_some_and(|profile| profile.token_file.is_some()),
            "the profile's token-file",
        ),
        (
            profile.is_some_and(|profile| profile.sign_in_file.is_some()),
            "the profile's sign-in-file",
        ),
    ];
    given
        .into_iter()
        .filter_map(|(given, name)| given.then_some(name))
        .collect()
}

fn credential(
    source: &CredentialSource,
    connection: &ConnectionArguments,
    profile: Option<(&str, &Profile)>,
    findings: &mut Findings,
) {
    const CHECK: &str = "credential from";
    // The default profile says nothing where a URL stands for itself.
    let profile = profile
        .filter(|_| connection.profile.is_some() || connection.url.is_none())
        .map(|(_, profile)| profile);
    let candidates = candidates(connection, profile);
    let place = match source {
        CredentialSource::KeyFile(path)
        | CredentialSource::TokenFile(path)
        | CredentialSource::SignIn(path) => format!(" ({})", path.display()),
        CredentialSource::KeyVariable
        | CredentialSource::TokenVariable
        | CredentialSource::None => String::new(),
    };
    match candidates.split_first() {
        None => findings.problem(
            CHECK,
            "nothing says who calls",
            "Use --key-file, --token-file or GUESTLIST_KEY, or `guestlist login`.",
        ),
        // An argument is meant; a variable may have been forgotten.
        Some((used, shadowed)) if !shadowed.is_empty() && used.starts_with("GUESTLIST_") => {
            findings.warning(
                CHECK,
                format!("{used}, which goes before {}", shadowed.join(" and ")),
                format!("Unset {used} if it is not the one you mean."),
            );
        }
        Some((used, _)) => findings.ok(CHECK, format!("{used}{place}")),
    }
}

/// A proxy that the environment names, without the password it may have.
pub(super) fn proxy_of(url: &str) -> Option<(&'static str, String)> {
    let names: &[&'static str] = if url.starts_with("https:") {
        &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
    } else {
        &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
    };
    names.iter().find_map(|name| {
        let value = secret_input::from_environment(name)?;
        let place = reqwest::Url::parse(value.reveal())
            .ok()
            .and_then(|url| {
                let host = url.host_str()?;
                Some(match url.port() {
                    Some(port) => format!("{host}:{port}"),
                    None => host.to_owned(),
                })
            })
            .unwrap_or_else(|| "what cannot be read as a URL".to_owned());
        Some((*name, place))
    })
}

fn proxy(url: &str, findings: &mut Findings) {
    if let Some((name, place)) = proxy_of(url) {
        findings.ok(
            "proxy",
            format!("{place}, from {name}, unless NO_PROXY excepts the server"),
        );
    }
}
