//! `guestlist identity`: the token issuers whose users may call.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use guestlist_api::identities::{IdentityRequest, IssuerText, UserIdExpression};
use guestlist_api::text::Text;

use crate::connection::Session;
use crate::exits::Failure;
use crate::secret_input;

/// The commands on token issuers.
#[derive(Debug, Subcommand)]
pub(crate) enum IdentityCommand {
    /// Lists the linked issuers
    #[command(after_help = "Example:\n  guestlist identity list")]
    List,
    /// Links an issuer: its users may call with its tokens from then on
    ///
    /// Whoever says which tokens are believed can become anybody: this needs an owner. Linking the
    /// same issuer and audience again replaces the user id expression.
    #[command(after_help = "\
Examples:
  guestlist identity link --issuer https://login.example.com --audience guestlist
  guestlist identity link --sample-token token.txt --user-id 'google|{sub}'")]
    Link(LinkArguments),
}

/// An issuer by name or by a token of it.
#[derive(Debug, Args)]
pub(crate) struct LinkArguments {
    /// The `iss` of its tokens
    #[arg(long, value_name = "URL", required_unless_present = "sample_token")]
    issuer: Option<String>,
    /// The `aud` that its tokens must have; `*` accepts any
    #[arg(long, required_unless_present = "sample_token")]
    audience: Option<String>,
    /// How a user id is made of a token's claims [default: {sub}]
    #[arg(long = "user-id", value_name = "EXPRESSION")]
    user_id: Option<UserIdExpression>,
    /// A file with a valid token, from which issuer and audience are read; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "issuer")]
    sample_token: Option<PathBuf>,
}

pub(crate) async fn run(command: IdentityCommand, session: &Session) -> Result<(), Failure> {
    let (accounts, output) = (session.client.accounts(), &session.output);
    match command {
        IdentityCommand::List => {
            let identities = accounts.get_account_identities().await?.identities;
            let headings = ["ISSUER", "AUDIENCE", "USER ID"];
            output.show_all(&identities, &headings, |identity| {
                vec![
                    identity.issuer.to_string(),
                    identity.audience.to_string(),
                    identity.user_id_expression.as_str().to_owned(),
                ]
            })
        }
        IdentityCommand::Link(arguments) => {
            let token = arguments
                .sample_token
                .map(|path| secret_input::read(&path, "the token"))
                .transpose()?;
            let text = |text: Option<String>| text.map(|text| IssuerText::parse(&text)).transpose();
            let request = IdentityRequest {
                jwt: token.map(|token| Text::parse(token.reveal())).transpose()?,
                issuer: text(arguments.issuer)?,
                preferred_audience: text(arguments.audience)?,
                user_id_expression: arguments.user_id,
            };
            accounts.delegate_authentication(&request).await?;
            output.notice("Linked. Its users may call from now on.");
            Ok(())
        }
    }
}
