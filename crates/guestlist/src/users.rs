//! `guestlist user`: the users that are known.

use clap::Subcommand;
use guestlist_api::ids::{TenantId, UserId};
use guestlist_api::users::UserIdentity;
use guestlist_client::Error;

use crate::connection::Session;
use crate::deletion;
use crate::exits::Failure;
use crate::output::{Limit, details, optional};

const DELETE_HELP: &str = "\
Takes them out of every record and group, and voids the invites that they made and nobody has used.
What others accepted of their invites stays. The last owner of the account cannot be deleted.

Example:
  guestlist user delete 'google|123' --yes";

/// The commands on users.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Lists the users whom records and groups name
    #[command(after_help = "Example:\n  guestlist user list --filter @example.com --all")]
    List {
        /// Only those with this text in their id
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
        /// Only those who were put into this tenant, whether anything else names them or not
        #[arg(long, value_name = "ID")]
        tenant: Option<TenantId>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Shows a user
    #[command(after_help = "Example:\n  guestlist user show 'google|123'")]
    Show {
        /// The user
        id: UserId,
    },
    /// Deletes users: nothing names them any more
    #[command(after_help = DELETE_HELP)]
    Delete {
        /// The users
        #[arg(required = true)]
        ids: Vec<UserId>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

pub(crate) async fn run(command: UserCommand, session: &Session) -> Result<(), Failure> {
    let (users, output) = (session.client.users(), &session.output);
    match command {
        UserCommand::List {
            filter,
            tenant,
            limit,
        } => {
            let mut pages = users.list();
            if let Some(filter) = filter {
                pages = pages.filter(filter);
            }
            if let Some(tenant) = tenant {
                pages = pages.tenant(&tenant);
            }
            let headings = ["USER", "NAME", "E-MAIL"];
            output.list(pages, &limit, &headings, row).await
        }
        UserCommand::Show { id } => output.show(&users.get_user(&id).await?, describe),
        UserCommand::Delete { ids, yes } => {
            deletion::delete(output, "user", &ids, yes, async |id| {
                delete(session, id).await
            })
            .await
        }
    }
}

/// Requests that one deletion may take: our server does ten thousand documents in each.
const REQUESTS: usize = 1_000;

/// Goes on as long as the server says that a part is done.
async fn delete(session: &Session, user: &UserId) -> Result<(), Error> {
    let users = session.client.users();
    for _ in 1..REQUESTS {
        match users.delete_user(user).await {
            Err(error) if error.error_code() == Some("Unfinished") => {}
            done => return done,
        }
    }
    users.delete_user(user).await
}

fn row(user: &UserIdentity) -> Vec<String> {
    vec![
        user.user_id.to_string(),
        optional(user.name.as_ref()),
        optional(user.email.as_ref()),
    ]
}

fn describe(user: &UserIdentity) -> String {
    details([
        ("User", user.user_id.to_string()),
        ("Name", optional(user.name.as_ref())),
        ("E-mail", optional(user.email.as_ref())),
        ("Picture", optional(user.picture.as_ref())),
    ])
}
