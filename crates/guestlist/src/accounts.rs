//! `guestlist account`: the account of the server.

use clap::Subcommand;

use crate::connection::Session;
use crate::exits::Failure;
use crate::output::optional;

/// The commands on the account.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Shows the account of the server
    #[command(after_help = "Example:\n  guestlist account show --json")]
    Show,
}

pub(crate) async fn run(command: AccountCommand, session: &Session) -> Result<(), Failure> {
    match command {
        AccountCommand::Show => {
            let account = session.client.accounts().get_accounts().await?;
            session.output.show_all(
                &account,
                &["ACCOUNT", "NAME", "DOMAIN", "CREATED"],
                |account| {
                    vec![
                        account.account_id.to_string(),
                        optional(account.name.as_ref()),
                        optional(account.domain.as_ref()),
                        optional(account.created_time.as_ref()),
                    ]
                },
            )
        }
    }
}
