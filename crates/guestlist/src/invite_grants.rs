//! `guestlist invite acceptances` and `invite undo`: what an invite gave, and taking it back.

use clap::{Args, Subcommand};
use guestlist_api::ids::{InviteReference, RoleId, UserId};
use guestlist_api::invite_grants::{InviteAcceptance, InviteUndoing, InviteUndone};
use guestlist_api::records::Statement;

use crate::connection::Session;
use crate::exits::Failure;
use crate::output::{Limit, optional, table};

/// The commands about the access that an invite gave.
#[derive(Debug, Subcommand)]
pub(crate) enum InviteGrantCommand {
    /// Lists who accepted an invite, when, and exactly what that gave them
    #[command(after_help = "Example:\n  guestlist invite acceptances 7Q2m9fK3xP4a --json")]
    Acceptances {
        /// The reference: the public half of the id
        reference: InviteReference,
        #[command(flatten)]
        limit: Limit,
    },
    /// Takes back exactly what an invite gave, and nothing that is held for another reason
    #[command(after_help = "\
Shows what would be taken and asks; --yes does not ask. The invite itself is not withdrawn by this: see
guestlist invite revoke.

Examples:
  guestlist invite undo 7Q2m9fK3xP4a --dry-run
  guestlist invite undo 7Q2m9fK3xP4a --from ann --yes")]
    Undo(UndoArguments),
}

/// What to take back.
#[derive(Debug, Args)]
pub(crate) struct UndoArguments {
    /// The reference: the public half of the id
    reference: InviteReference,
    /// From this user only [default: from everybody who accepted it]
    #[arg(long, value_name = "USER")]
    from: Option<UserId>,
    /// Only show what would be taken
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(crate) async fn run(command: InviteGrantCommand, session: &Session) -> Result<(), Failure> {
    match command {
        InviteGrantCommand::Acceptances { reference, limit } => {
            let pages = session.client.invites().acceptances(&reference);
            let headings = ["USER", "TIME", "OUTCOME", "RECORD", "GAVE", "TAKEN BACK"];
            session.output.list(pages, &limit, &headings, row).await
        }
        InviteGrantCommand::Undo(arguments) => undo(&arguments, session).await,
    }
}

async fn undo(arguments: &UndoArguments, session: &Session) -> Result<(), Failure> {
    let (invites, output) = (session.client.invites(), &session.output);
    let (reference, user) = (&arguments.reference, arguments.from.as_ref());
    if !arguments.yes {
        let planned = invites.undo_invite(reference, user, true).await?;
        if arguments.dry_run {
            return output.show(&planned, told);
        }
        if planned.undone.is_empty() {
            return output.show(&planned, told);
        }
        output.notice(&told(&planned));
        output.confirm("Take this back?", false)?;
    }
    let mut done = invites.undo_invite(reference, user, false).await?;
    while done.more {
        output.notice(&format!(
            "Taken back from {} so far.",
            people(done.undone.len())
        ));
        let next = invites.undo_invite(reference, user, false).await?;
        done.more = next.more && !next.undone.is_empty();
        done.undone.extend(next.undone);
    }
    output.show(&done, told)
}

fn people(count: usize) -> String {
    if count == 1 {
        "1 person".to_owned()
    } else {
        format!("{count} people")
    }
}

fn row(acceptance: &InviteAcceptance) -> Vec<String> {
    vec![
        acceptance.user_id.to_string(),
        acceptance.time.to_string(),
        acceptance.outcome.to_string(),
        optional(acceptance.record_id.as_ref()),
        given(&acceptance.added),
        optional(acceptance.undone_time.as_ref()),
    ]
}

fn given(statements: &[Statement]) -> String {
    let lines = statements.iter().map(|statement| {
        let roles: Vec<&str> = statement.roles.iter().map(RoleId::as_str).collect();
        let resources = statement.resources.iter();
        let resources: Vec<&str> = resources
            .map(|resource| resource.resource_uri.as_str())
            .collect();
        let until = statement.expiry_time.as_ref();
        let until = until.map_or_else(String::new, |instant| format!(" until {instant}"));
        format!("{} on {}{until}", roles.join(","), resources.join(","))
    });
    lines.collect::<Vec<_>>().join("; ")
}

fn told(undoing: &InviteUndoing) -> String {
    if undoing.undone.is_empty() {
        return "There is nothing to take back.".to_owned();
    }
    let count = people(undoing.undone.len());
    let first = match (undoing.dry_run, undoing.more) {
        (true, true) => format!("Would be taken back, from {count} and more:"),
        (true, false) => format!("Would be taken back, from {count}:"),
        (false, _) => format!("Taken back, from {count}:"),
    };
    let headings = ["USER", "RECORD", "TAKEN", "STAYS"];
    format!(
        "{first}\n{}",
        table(&headings, undoing.undone.iter().map(taken))
    )
}

fn taken(undone: &InviteUndone) -> Vec<String> {
    let record = optional(undone.record_id.as_ref());
    vec![
        undone.user_id.to_string(),
        if undone.record_deleted {
            format!("{record} (deleted)")
        } else {
            record
        },
        given(&undone.taken),
        given(&undone.kept),
    ]
}
