//! The server to import from: where it is and who calls it. Its secrets come by file, standard input,
//! question or environment, never as an argument.

use std::path::PathBuf;

use clap::Args;
use guestlist_client::{Client, Credentials};

use crate::connection;
use crate::exits::Failure;
use crate::login::warn_of_plain_http;
use crate::output::Output;
use crate::profiles::ConnectionArguments;
use crate::{secret_input, terminal};

const KEY: &str = "GUESTLIST_FROM_KEY";
const TOKEN: &str = "GUESTLIST_FROM_TOKEN";

/// The server to import from.
#[derive(Debug, Args)]
pub(super) struct SourceArguments {
    /// The URL of the Authress-compatible server to read from
    #[arg(long, value_name = "URL", required_unless_present = "file")]
    from: Option<String>,

    /// A file with an access key of a service client of that server; `-` reads it from standard
    /// input. The key itself may be in GUESTLIST_FROM_KEY; without any, it is asked for
    #[arg(long, value_name = "FILE", conflicts_with = "from_token_file")]
    from_key_file: Option<PathBuf>,

    /// A file with a user's token for that server; `-` reads it from standard input. The token itself
    /// may be in GUESTLIST_FROM_TOKEN
    #[arg(long, value_name = "FILE")]
    from_token_file: Option<PathBuf>,
}

/// A client of the server to import from.
pub(super) fn open(
    arguments: &SourceArguments,
    connection: &ConnectionArguments,
    output: &Output,
) -> Result<Client, Failure> {
    let credentials = credentials(arguments, output)?;
    // Asked for by the arguments, unless there is a file.
    let from = arguments.from.as_deref().unwrap_or_default();
    warn_of_plain_http(from, output);
    connection::client(from, credentials, connection).map_err(|failure| failure.during("--from"))
}

fn credentials(arguments: &SourceArguments, output: &Output) -> Result<Credentials, Failure> {
    if let Some(path) = &arguments.from_key_file {
        connection::warn_if_open(path, output);
        let key = secret_input::read(path, "the access key")?;
        return Ok(Credentials::access_key(key.reveal())?);
    }
    if let Some(path) = &arguments.from_token_file {
        connection::warn_if_open(path, output);
        let token = secret_input::read(path, "the token")?;
        return Ok(Credentials::token(token.reveal()));
    }
    if let Some(key) = secret_input::from_environment(KEY) {
        return Ok(Credentials::access_key(key.reveal())?);
    }
    if let Some(token) = secret_input::from_environment(TOKEN) {
        return Ok(Credentials::token(token.reveal()));
    }
    match terminal::ask_secretly("Access key or token of the server to import from: ")? {
        // An access key has four parts, a token three.
        Some(secret) if secret.trim().split('.').count() == 4 => {
            Ok(Credentials::access_key(secret.trim())?)
        }
        Some(secret) if !secret.trim().is_empty() => Ok(Credentials::token(secret.trim())),
        Some(_) | None => Err(Failure::invalid(
            "who reads the account of the other server?",
        )
        .hint(format!(
            "Say it with --from-key-file or --from-token-file, or put the secret in {KEY} or {TOKEN}."
        ))),
    }
}

/// Where the state is kept unless something else was said: by the name of the other server and of
/// this one.
pub(super) fn state_path(there: &Client, here: &Client) -> PathBuf {
    let name = |client: &Client| -> String {
        let url = client.url();
        let (_, rest) = url.split_once("://").unwrap_or(("", url));
        rest.chars()
            .map(|character| match character {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => character,
                _ => '_',
            })
            .take(100)
            .collect()
    };
    PathBuf::from(format!(
        "guestlist-import-{}-to-{}.state",
        name(there),
        name(here)
    ))
}
