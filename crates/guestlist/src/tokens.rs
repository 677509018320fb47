//! `guestlist token`: tokens that service clients make for users.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use guestlist_api::ids::{ClientId, RoleId, UserId, UserTokenId};
use guestlist_api::invites::InviteStatement;
use guestlist_api::oauth::OAuthTokenRequest;
use guestlist_api::resources::ResourceUri;
use guestlist_api::user_tokens::{TokenRequest, UserToken};
use guestlist_server::clock::Clock;
use serde::Serialize;

use crate::connection::{self, Session};
use crate::documents;
use crate::exits::Failure;
use crate::invite_request::Expiry;
use crate::keys::new_file;
use crate::output::details;
use crate::secret_input;

/// The commands on tokens of users.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Makes a token for a user, as a service client to which this was given
    ///
    /// Whoever has it may ask what the user may do, and is told yes only for what it is limited to.
    /// It is told once: on standard output, or in a file that only you may read.
    #[command(after_help = "\
Examples:
  guestlist token create bob --role ro_viewer --on projects/42 --expires 1h
  guestlist token create bob --everything --out bob.token")]
    Create(TokenCreation),
    /// Disables a token of a user: it is refused from then on
    #[command(after_help = "Example:\n  guestlist token disable bob tok_1a2b3c")]
    Disable {
        /// The user
        user: UserId,
        /// The token's id, as `token create` shows it
        token: UserTokenId,
    },
    /// Gets a token of a service client for its access key, for a program that cannot sign
    ///
    /// The key is sent to the server. The token is told on standard output, and ends with the key.
    #[command(after_help = "Example:\n  guestlist token exchange --client-key-file ci.key")]
    Exchange {
        /// A file with the access key; `-` reads it from standard input
        #[arg(long, value_name = "FILE")]
        client_key_file: PathBuf,
    },
    /// Says what the tokens of a user say besides what all say
    ///
    /// The file has `defaultClaims: {defaultAccessTokenClaims: {…}}` in YAML or JSON.
    #[command(after_help = "Example:\n  guestlist token configure bob -f claims.yaml")]
    Configure {
        /// The user
        user: UserId,
        /// The file; `-` is standard input
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
}

/// A token from flags.
#[derive(Debug, Args)]
pub(crate) struct TokenCreation {
    /// The user
    user: UserId,
    /// A role that it is limited to; may be given several times, and several separated by commas
    #[arg(
        long = "role",
        value_name = "ROLE",
        value_delimiter = ',',
        requires = "resources",
        required_unless_present = "everything"
    )]
    roles: Vec<RoleId>,
    /// A resource that it is limited to; may be given several times, and several separated by commas
    #[arg(
        long = "on",
        value_name = "RESOURCE",
        value_delimiter = ',',
        id = "resources"
    )]
    on: Vec<ResourceUri>,
    /// Limit it to nothing: as good as a token of the user's own
    #[arg(long, conflicts_with_all = ["roles", "resources"])]
    everything: bool,
    /// When it ends, as in 1h or 2026-01-02T03:04Z [default: after 24 hours, or what the tenant says]
    #[arg(long, value_name = "WHEN")]
    expires: Option<Expiry>,
    /// Write it into this new file (mode 0600) and nowhere else
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl TokenCreation {
    fn request(&self) -> Result<TokenRequest, Failure> {
        let statement = if self.everything {
            InviteStatement::new(["Authress:Owner"], ["*"])
        } else {
            InviteStatement::new(self.roles.iter(), self.on.iter().cloned())
        };
        let request = TokenRequest::new([statement?])?;
        Ok(match self.expires {
            Some(expires) => request.expires(expires.end(Clock::system().now())),
            None => request,
        })
    }
}

pub(crate) async fn run(command: TokenCommand, session: &Session) -> Result<(), Failure> {
    let (tokens, output) = (session.client.user_tokens(), &session.output);
    match command {
        TokenCommand::Create(creation) => create(&creation, session).await,
        TokenCommand::Disable { user, token } => {
            tokens.disable_user_token(&user, &token).await?;
            output.notice(&format!("Disabled the token {token} of {user}."));
            Ok(())
        }
        TokenCommand::Exchange { client_key_file } => exchange(&client_key_file, session).await,
        TokenCommand::Configure { user, file } => {
            let configuration = documents::read(&file)?;
            let said = tokens
                .set_user_token_configuration(&user, &configuration)
                .await?;
            output.notice(&format!("Said what the tokens of {user} say."));
            output.show(&said, |said| {
                let claims = said.default_claims.default_access_token_claims.iter();
                let claims: Vec<String> = claims
                    .map(|(name, value)| format!("{name}: {value}"))
                    .collect();
                details([("Claims", claims.join("\n"))])
            })
        }
    }
}

/// What is shown of a token that went into a file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Kept<'a> {
    user_id: &'a UserId,
    token_id: &'a UserTokenId,
}

async fn create(creation: &TokenCreation, session: &Session) -> Result<(), Failure> {
    let (tokens, output) = (session.client.user_tokens(), &session.output);
    let request = creation.request()?;
    // Before anything is made: a token that cannot be written down would be lost.
    let file = creation.out.as_deref().map(new_file).transpose()?;
    let made = tokens.request_user_token(&creation.user, &request).await;
    let token: UserToken = match (made, &creation.out) {
        (Ok(token), _) => token,
        (Err(error), path) => {
            if let Some(path) = path {
                let _removed = std::fs::remove_file(path);
            }
            return Err(error.into());
        }
    };
    output.notice(&format!(
        "Made the token {0} of {1}; `guestlist token disable {1} {0}` disables it.",
        token.token_id, token.user_id
    ));
    let (Some(mut file), Some(path)) = (file, &creation.out) else {
        output.notice("This is the only time that it is told: keep it safe.");
        return output.show(&token, |token| token.token.reveal().to_owned());
    };
    file.write_all(format!("{}\n", token.token.reveal()).as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| {
            Failure::local(format!(
                "cannot write the token to {}: {error}",
                path.display()
            ))
        })?;
    output.notice(&format!("It is in {}.", path.display()));
    let kept = Kept {
        user_id: &token.user_id,
        token_id: &token.token_id,
    };
    output.show(&kept, |kept| {
        details([
            ("User", kept.user_id.to_string()),
            ("Token", kept.token_id.to_string()),
        ])
    })
}

async fn exchange(path: &Path, session: &Session) -> Result<(), Failure> {
    connection::warn_if_open(path, &session.output);
    let key = secret_input::read(path, "the access key")?;
    let client = key.reveal().split('.').next().unwrap_or_default();
    let client: ClientId = client.parse().map_err(|_| {
        Failure::invalid("that is no access key: it does not begin with a client id")
    })?;
    let request = OAuthTokenRequest::client_credentials(&client, key);
    let made = session.client.extensions().request_token(&request).await?;
    session
        .output
        .show(&made, |made| made.access_token.reveal().to_owned())
}
