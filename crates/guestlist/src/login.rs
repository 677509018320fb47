//! `guestlist login` and `guestlist logout`: how this machine gets to know a server and a credential,
//! and forgets it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use guestlist_api::clients::AccessKeyText;
use guestlist_api::ids::AccountId;
use guestlist_api::times::Timestamp;
use guestlist_client::{Client, Credentials};
use serde::Serialize;

use crate::connection;
use crate::device_grant::{self, DeviceRequest};
use crate::exits::{Exit, Failure};
use crate::openid_provider::{Provider, SafeUrl, Tokens, is_loopback};
use crate::output::{Output, details, optional};
use crate::profile_files::{self, ProfileName, Removed};
use crate::profiles::{ConnectionArguments, Profile, Profiles};
use crate::secret_input;
use crate::settings;
use crate::sign_in::{SignIn, TokenKind};
use crate::token_claims::Claims;

/// Where a server on this machine listens unless told otherwise.
const LOCAL_URL: &str = "http://127.0.0.1:8888";
/// Where the first start of a server writes the owner's key.
const OWNER_KEY: &str = "owner-access-key";

const LOGIN_HELP: &str = "\
Ways to sign in:
  --key-file FILE       with the access key of a service client; `-` reads standard input
  --token-file FILE     with a token that you have; it is not renewed when it ends
  --local               as the owner, on the machine of the server, by the key in its data directory
  --issuer URL          at an OpenID provider whose tokens the server accepts (`guestlist identity`):
                        you get a code to enter on any device; the token is renewed by itself

The server has no sign-in page of its own yet. The credential is tried before anything is stored. It
is kept beside the profiles in a file that only you can read; with --local, the profile points to the
server's own file. A profile that is there already is signed in to anew.

Examples:
  guestlist login --local
  guestlist login --url https://auth.example.com --key-file - --profile prod
  guestlist login --url https://auth.example.com --issuer https://login.example.com --client-id cli";

const LOGOUT_HELP: &str = "\
The profile stays, with its URL: `guestlist profile remove` removes it too. Access keys go on being
valid for whoever else has them: `guestlist key delete` ends one.

Example:
  guestlist logout --profile prod";

/// How to sign in.
#[derive(Debug, Args)]
#[command(after_help = LOGIN_HELP)]
pub(crate) struct LoginArguments {
    /// Take the owner's key from the data directory of a server on this machine
    #[arg(long, conflicts_with_all = ["key_file", "token_file", "issuer"])]
    local: bool,

    /// The data directory of that server [default: the platform's data directory]
    #[arg(long, value_name = "DIRECTORY", requires = "local")]
    data: Option<PathBuf>,

    /// Sign in at this OpenID provider by the device authorization grant
    #[arg(long, value_name = "URL", requires = "client_id",
          conflicts_with_all = ["key_file", "token_file"])]
    issuer: Option<String>,

    /// The id under which the provider knows this command line: a public client
    #[arg(long, value_name = "ID", requires = "issuer")]
    client_id: Option<String>,

    /// What to ask the provider for; `offline_access` is for renewing
    #[arg(
        long,
        value_name = "SCOPES",
        requires = "issuer",
        default_value = "openid offline_access"
    )]
    scope: String,

    /// For which audience the provider should make the token, where it wants to be told
    #[arg(long, value_name = "AUDIENCE", requires = "issuer")]
    audience: Option<String>,

    /// Use this profile when none is named; the first one is used anyway
    #[arg(long = "default")]
    make_default: bool,
}

/// Whose secrets to remove.
#[derive(Debug, Args)]
#[command(after_help = LOGOUT_HELP)]
pub(crate) struct LogoutArguments {}

/// A sign-in with everything read that it needs: from here on it can be interrupted.
pub(crate) struct Login {
    name: ProfileName,
    url: String,
    way: Way,
    make_default: bool,
    profiles: PathBuf,
}

enum Way {
    Key(AccessKeyText),
    /// A key that stays where it is.
    KeyIn(PathBuf, AccessKeyText),
    Token(AccessKeyText),
    Device {
        issuer: SafeUrl,
        client_id: String,
        scope: String,
        audience: Option<String>,
    },
}

/// Reads arguments, profiles and secrets.
pub(crate) fn prepare(
    arguments: LoginArguments,
    connection: &ConnectionArguments,
) -> Result<Login, Failure> {
    if !is_any_way(&arguments, connection) {
        return Err(which_way());
    }
    let default_name = if arguments.local { "local" } else { "default" };
    let name = connection.profile.as_deref().unwrap_or(default_name);
    let name: ProfileName = name
        .parse()
        .map_err(|reason: guestlist_api::text::Malformed| Failure::invalid(reason.to_string()))?;
    let path = connection.profiles_path()?;
    let known = Profiles::read(&path)?.profile.remove(name.as_str());
    let local = arguments.local.then(|| LOCAL_URL.to_owned());
    let known_url = known.map(|profile| profile.url);
    let url = connection
        .url
        .clone()
        .or_else(|| known_url.clone())
        .or(local)
        .ok_or_else(|| Failure::invalid("to which server?").hint("Name it with --url."))?;
    if let Some(known) = known_url
        && connection.profile.is_none()
        && known.trim_end_matches('/') != url.trim_end_matches('/')
    {
        return Err(Failure::invalid(format!(
            "the profile {} is of another server, {known}",
            name.as_str()
        ))
        .hint("Give this one a name with --profile NAME, or the same name to replace it."));
    }
    Ok(Login {
        name,
        url,
        make_default: arguments.make_default,
        way: way(arguments, connection)?,
        profiles: path,
    })
}

fn way(arguments: LoginArguments, connection: &ConnectionArguments) -> Result<Way, Failure> {
    if arguments.local {
        return local_key(arguments.data);
    }
    if let (Some(issuer), Some(client_id)) = (arguments.issuer, arguments.client_id) {
        let issuer = SafeUrl::parse(&issuer)
            .map_err(|reason| Failure::invalid(format!("--issuer {reason}")))?;
        return Ok(Way::Device {
            issuer,
            client_id,
            scope: arguments.scope,
            audience: arguments.audience,
        });
    }
    if let Some(path) = &connection.key_file {
        return Ok(Way::Key(secret_input::read(path, "the access key")?));
    }
    if let Some(path) = &connection.token_file {
        return Ok(Way::Token(secret_input::read(path, "the token")?));
    }
    Err(which_way())
}

fn is_any_way(arguments: &LoginArguments, connection: &ConnectionArguments) -> bool {
    arguments.local
        || arguments.issuer.is_some()
        || connection.key_file.is_some()
        || connection.token_file.is_some()
}

fn which_way() -> Failure {
    Failure::invalid("how do you want to sign in?").hint(
        "With an access key: --key-file FILE (`-` reads it from standard input).\n\
         With a token that you have: --token-file FILE.\n\
         As the owner, on the machine of the server: --local.\n\
         At an OpenID provider: --issuer URL --client-id ID.\n\
         The server has no sign-in page of its own yet.",
    )
}

fn local_key(data: Option<PathBuf>) -> Result<Way, Failure> {
    let directory = match data {
        Some(directory) => directory,
        None => settings::default_data().map_err(|error| Failure::local(error.to_string()))?,
    };
    let path = directory.join(OWNER_KEY);
    let path = std::path::absolute(&path).unwrap_or(path);
    // Here, and not where it is read: only here it is known whose file it is.
    if let Err(error) = fs::File::open(&path) {
        let failure = Failure::local(format!(
            "cannot read the owner's key in {}: {error}",
            path.display()
        ));
        return Err(if error.kind() == io::ErrorKind::NotFound {
            failure.hint(
                "The first start of a server writes it into its data directory: name that with \
                 --data. If the key was moved to a safe place, use --key-file.",
            )
        } else if error.kind() == io::ErrorKind::PermissionDenied {
            failure.hint("Do this as the user as which the server runs.")
        } else {
            failure
        });
    }
    let key = secret_input::read(&path, "the owner's key")?;
    Ok(Way::KeyIn(path, key))
}

/// What `login` says to programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedIn {
    profile: String,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<AccountId>,
    /// The client, or what the token says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_in_as: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    renewable: bool,
    default: bool,
}

/// A credential that the server has accepted.
struct Accepted {
    account_id: Option<AccountId>,
    signed_in_as: Option<String>,
    expires: Option<Timestamp>,
    keep: Keep,
}

/// What of it is stored.
enum Keep {
    Key(AccessKeyText),
    KeyIn(PathBuf),
    Token(AccessKeyText),
    SignIn(Box<SignIn>),
}

pub(crate) async fn run(
    login: Login,
    connection: &ConnectionArguments,
    output: &Output,
) -> Result<(), Failure> {
    warn_of_plain_http(&login.url, output);
    let Login {
        name,
        url,
        way,
        make_default,
        profiles,
    } = login;
    let accepted = accepted(way, &url, connection, output).await?;
    let renewable = match &accepted.keep {
        Keep::SignIn(sign_in) => sign_in.can_be_renewed(),
        Keep::Key(_) | Keep::KeyIn(_) => true,
        Keep::Token(_) => false,
    };
    let directory = profiles.parent().unwrap_or(Path::new(".")).to_owned();
    let (mut profile, mut default) = (Profile::default(), false);
    Profiles::change(&profiles, |all| {
        // Here, where nobody else signs in to the profile: the key of one server must not come
        // together with the URL of another.
        profile = store(&name, &url, accepted.keep, &directory)?;
        all.profile
            .insert(name.as_str().to_owned(), profile.clone());
        if make_default || all.profile.len() == 1 || all.default.is_none() {
            all.default = Some(name.as_str().to_owned());
        }
        default = all.default.as_deref() == Some(name.as_str());
        Ok(())
    })
    .await?;
    profile_files::remove_unused(&name, &profile, &directory)?;
    let signed_in = LoggedIn {
        profile: name.as_str().to_owned(),
        url,
        account_id: accepted.account_id,
        signed_in_as: accepted.signed_in_as,
        expires: accepted.expires,
        renewable,
        default,
    };
    output.show(&signed_in, shown)?;
    if !default {
        output.notice(&format!(
            "Use it with --profile {0}, or always with `guestlist profile use {0}`.",
            name.as_str()
        ));
    }
    Ok(())
}

fn shown(signed_in: &LoggedIn) -> String {
    let expires = signed_in.expires.map(|time| {
        if signed_in.renewable {
            format!("{time}, then renewed by itself")
        } else {
            format!("{time}; then sign in again")
        }
    });
    let mut lines = vec![
        ("Profile", signed_in.profile.clone()),
        ("Server", signed_in.url.clone()),
        ("Account", optional(signed_in.account_id.as_ref())),
        ("Signed in as", optional(signed_in.signed_in_as.as_ref())),
        ("Until", expires.unwrap_or_default()),
    ];
    lines.retain(|(_, value)| !value.is_empty());
    details(lines)
}

pub(crate) fn warn_of_plain_http(url: &str, output: &Output) {
    if reqwest::Url::parse(url).is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url)) {
        output.notice(
            "warning: over http:// whoever is on the way can read your tokens: use https:// but on \
             this machine",
        );
    }
}

/// Tries the credential.
async fn accepted(
    way: Way,
    url: &str,
    connection: &ConnectionArguments,
    output: &Output,
) -> Result<Accepted, Failure> {
    match way {
        Way::Key(key) => with_key(&key, Keep::Key(key.clone()), url, connection).await,
        Way::KeyIn(path, key) => with_key(&key, Keep::KeyIn(path), url, connection).await,
        Way::Token(token) => {
            let account_id = account(Credentials::token(token.reveal()), url, connection).await?;
            let claims = Claims::of(token.reveal());
            Ok(Accepted {
                account_id,
                signed_in_as: claims.as_ref().and_then(|claims| claims.sub.clone()),
                expires: claims.as_ref().and_then(Claims::ends),
                keep: Keep::Token(token),
            })
        }
        Way::Device {
            issuer,
            client_id,
            scope,
            audience,
        } => {
            let provider = Provider::new()?;
            let endpoints = provider.discover(&issuer).await?;
            let device = endpoints.device_authorization.as_ref().ok_or_else(|| {
                Failure::unavailable(format!(
                    "the provider {} does not offer the device grant",
                    issuer.as_str()
                ))
            })?;
            let request = DeviceRequest {
                client_id: &client_id,
                scope: &scope,
                audience: audience.as_deref(),
            };
            let tokens =
                device_grant::sign_in(&provider, device, &endpoints.token, &request, output)
                    .await?;
            let sign_in = |kind| SignIn::new(&issuer, &client_id, &endpoints, &tokens, kind);
            with_tokens(&tokens, sign_in, url, connection).await
        }
    }
}

async fn with_key(
    key: &AccessKeyText,
    keep: Keep,
    url: &str,
    connection: &ConnectionArguments,
) -> Result<Accepted, Failure> {
    let credentials = Credentials::access_key(key.reveal())?;
    let client_id = credentials.client_id().map(ToString::to_string);
    let account_id = account(credentials, url, connection).await?;
    Ok(Accepted {
        account_id,
        signed_in_as: client_id,
        expires: None,
        keep,
    })
}

/// Tries the access token, and if the server does not know it the ID token: which of the two is for
/// the server depends on how the issuer was linked.
async fn with_tokens(
    tokens: &Tokens,
    sign_in: impl Fn(TokenKind) -> Option<SignIn>,
    url: &str,
    connection: &ConnectionArguments,
) -> Result<Accepted, Failure> {
    let mut refused = None;
    for kind in [TokenKind::AccessToken, TokenKind::IdToken] {
        let Some(sign_in) = sign_in(kind) else {
            continue;
        };
        let token = sign_in.token().reveal();
        match account(Credentials::token(token), url, connection).await {
            Ok(account_id) => {
                let claims = Claims::of(token);
                return Ok(Accepted {
                    account_id,
                    signed_in_as: claims.and_then(|claims| claims.sub),
                    expires: sign_in.expires(),
                    keep: Keep::SignIn(Box::new(sign_in)),
                });
            }
            Err(failure) if failure.exit() == Exit::Denied => refused = refused.or(Some(failure)),
            Err(failure) => return Err(failure),
        }
    }
    let claims = [Some(&tokens.access_token), tokens.id_token.as_ref()]
        .into_iter()
        .flatten()
        .filter_map(|token| Claims::of(token.reveal()))
        .map(|claims| {
            format!(
                "issuer {} and audience {}",
                claims.iss.as_deref().unwrap_or("(none)"),
                claims.audiences()
            )
        })
        .collect::<Vec<_>>();
    let hint = if claims.is_empty() {
        "Its tokens are no JWTs. Perhaps it makes one if it is told the audience: --audience."
            .to_owned()
    } else {
        format!(
            "An owner of the account must link it, `guestlist identity`: the tokens have {}.",
            claims.join("; ")
        )
    };
    Err(Failure::denied(
        "you are signed in at the provider, but the server does not accept its tokens",
    )
    .hint(hint))
}

/// Which account the credential reaches: a call as whoever it is.
async fn account(
    credentials: Credentials,
    url: &str,
    connection: &ConnectionArguments,
) -> Result<Option<AccountId>, Failure> {
    let of_key = credentials.account_id().cloned();
    let client: Client = connection::client(url, credentials, connection)?;
    let accounts = client.accounts().get_accounts().await.map_err(|error| {
        let refused = error.status() == Some(401);
        let failure = Failure::from(error);
        if refused {
            failure
                .hint(
                    "The server does not accept this: is it of another server, was it revoked, or \
                     has it ended? Nothing was stored.",
                )
                .during("not signed in")
        } else {
            failure.during("not signed in")
        }
    })?;
    let found = accounts
        .into_iter()
        .next()
        .map(|account| account.account_id);
    match (of_key, &found) {
        (Some(of_key), Some(found)) if of_key != *found => Err(Failure::denied(format!(
            "the key is of the account {of_key}, but the server has {found}"
        ))),
        (_, _) => Ok(found),
    }
}

/// Writes the secret, and says how the profile finds it.
fn store(name: &ProfileName, url: &str, keep: Keep, directory: &Path) -> Result<Profile, Failure> {
    let mut profile = Profile {
        url: url.to_owned(),
        ..Profile::default()
    };
    let write = |file: &Path, text: &AccessKeyText| {
        let line = format!("{}\n", text.reveal());
        secret_input::write_private(&directory.join(file), line.as_bytes())
    };
    match keep {
        Keep::Key(key) => {
            write(&name.key_file(), &key)?;
            profile.key_file = Some(name.key_file());
        }
        Keep::KeyIn(path) => profile.key_file = Some(path),
        Keep::Token(token) => {
            write(&name.token_file(), &token)?;
            profile.token_file = Some(name.token_file());
        }
        Keep::SignIn(sign_in) => {
            sign_in.write(&directory.join(name.sign_in_file()))?;
            profile.sign_in_file = Some(name.sign_in_file());
        }
    }
    Ok(profile)
}

/// Removes the secrets of a profile.
pub(crate) async fn logout(
    connection: &ConnectionArguments,
    output: &Output,
) -> Result<(), Failure> {
    let path = connection.profiles_path()?;
    let all = Profiles::read(&path)?;
    let Some(name) = connection.profile.clone().or_else(|| all.default.clone()) else {
        return Err(Failure::invalid("of which profile?").hint("Name it with --profile NAME."));
    };
    let Some(mut profile) = all.choose(Some(&name))? else {
        return Err(Failure::invalid(format!("there is no profile {name}")));
    };
    let directory = path.parent().unwrap_or(Path::new(".")).to_owned();
    let removed = profile_files::remove(&name, &mut profile, &directory).await?;
    Profiles::change(&path, |all| {
        all.profile.insert(name.clone(), profile);
        Ok(())
    })
    .await?;
    report(&name, &removed, output);
    Ok(())
}

/// Says what became of the secrets of a profile.
pub(crate) fn report(name: &str, removed: &Removed, output: &Output) {
    if removed.files.is_empty() && removed.left.is_empty() {
        output.notice(&format!("The profile {name} had no secrets."));
    }
    for file in &removed.files {
        output.notice(&format!("Removed {}.", file.display()));
    }
    for file in &removed.left {
        output.notice(&format!(
            "The profile {name} does not use {} any more. The file is not of `guestlist login` and \
             stays.",
            file.display()
        ));
    }
    match removed.told_provider {
        Some(true) => output.notice("The provider was told that the sign-in is over."),
        Some(false) => output.notice(
            "The provider was not told, or does not want to be: there the sign-in may go on.",
        ),
        None => {}
    }
}
