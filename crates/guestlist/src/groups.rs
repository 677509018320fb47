//! `guestlist group`: users who are given access together.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use guestlist_api::groups::{Group, GroupRequest};
use guestlist_api::ids::{GroupId, UserId};
use guestlist_api::records::User;
use guestlist_api::text::Name;

use crate::connection::Session;
use crate::exits::Failure;
use crate::output::{Limit, details, optional};
use crate::tags::{Tag, tags, words};
use crate::{deletion, documents, edit};

/// The commands on groups.
#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// Lists groups
    #[command(after_help = "Example:\n  guestlist group list --filter team")]
    List {
        /// Only those with this text in their id, name or other text
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Shows a group and its members
    #[command(after_help = "Example:\n  guestlist group show grp_team --yaml")]
    Show {
        /// The group, as in grp_team
        id: GroupId,
    },
    /// Makes a group
    #[command(after_help = "\
Examples:
  guestlist group create grp_team --name Team --user bob --user 'google|123' --admin alice
  guestlist group create -f team.yaml")]
    Create(GroupCreation),
    /// Changes a group, in $EDITOR or from a file; refused if somebody else changed it meanwhile
    #[command(after_help = "Example:\n  guestlist group edit grp_team")]
    Edit {
        /// The group
        id: GroupId,
        /// A file with the group as it should be; `-` is standard input
        #[arg(long, short, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Deletes groups. What they gave is lost to their members
    #[command(after_help = "Example:\n  guestlist group delete grp_team --yes")]
    Delete {
        /// The groups
        #[arg(required = true)]
        ids: Vec<GroupId>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// A group from flags or a file.
#[derive(Debug, Args)]
pub(crate) struct GroupCreation {
    /// Its id, which begins with grp_ [default: made by the server]
    id: Option<GroupId>,
    /// Its name
    #[arg(long, required_unless_present = "file")]
    name: Option<Name>,
    /// A member; may be given several times
    #[arg(long, value_name = "USER")]
    user: Vec<UserId>,
    /// A user who may change the group; may be given several times
    #[arg(long, value_name = "USER")]
    admin: Vec<UserId>,
    /// A label; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    tag: Vec<Tag>,
    /// A file with the group in YAML or JSON; `-` is standard input
    #[arg(long, short, value_name = "FILE",
          conflicts_with_all = ["id", "name", "user", "admin", "tag"])]
    file: Option<PathBuf>,
}

impl GroupCreation {
    fn request(self) -> Result<GroupRequest, Failure> {
        let name = match (&self.file, &self.name) {
            (Some(file), _) => return documents::read(file),
            (None, Some(name)) => name.as_str(),
            (None, None) => return Err(Failure::invalid("it needs --name or -f")),
        };
        let mut group = GroupRequest::new(name)?.tags(tags(&self.tag)?);
        group.group_id = self.id;
        for user_id in self.user {
            group = group.user(User { user_id });
        }
        for user_id in self.admin {
            group = group.admin(User { user_id });
        }
        Ok(group)
    }
}

pub(crate) async fn run(command: GroupCommand, session: &Session) -> Result<(), Failure> {
    let (groups, output) = (session.client.groups(), &session.output);
    match command {
        GroupCommand::List { filter, limit } => {
            let pages = match filter {
                Some(filter) => groups.list().filter(filter),
                None => groups.list(),
            };
            let headings = ["GROUP", "NAME", "USERS", "ADMINS", "CHANGED"];
            output.list(pages, &limit, &headings, row).await
        }
        GroupCommand::Show { id } => output.show(&groups.get_group(&id).await?, describe),
        GroupCommand::Create(creation) => {
            let group = groups.create_group(&creation.request()?).await?;
            output.notice(&format!("Made the group {}.", group.group_id));
            output.show(&group, describe)
        }
        GroupCommand::Edit { id, file } => change(session, id, file).await,
        GroupCommand::Delete { ids, yes } => {
            deletion::delete(output, "group", &ids, yes, async |id| {
                groups.delete_group(id).await
            })
            .await
        }
    }
}

async fn change(session: &Session, id: GroupId, file: Option<PathBuf>) -> Result<(), Failure> {
    let (groups, output) = (session.client.groups(), &session.output);
    let before = groups.get_group(&id).await?;
    let write = async |group: GroupRequest, expected| -> Result<(), Failure> {
        let group = groups.update_group(&id, &group, expected).await?;
        output.notice(&format!("Changed the group {id}."));
        output.show(&group, describe)
    };
    if let Some(file) = file {
        let (group, basis) = documents::read_change(&file)?;
        // A file that says what it was made from must not undo what happened since then.
        let expected = basis.last_updated.or(before.last_updated);
        let written = write(group, expected).await;
        return written.map_err(|failure| edit::from_file(failure, basis.last_updated));
    }
    let save = async |group| write(group, before.last_updated).await;
    let text = documents::editable(&format!("group {id}"), &before, &before.to_request()?)?;
    edit::edit(output, id.as_str(), text, save).await
}

fn row(group: &Group) -> Vec<String> {
    vec![
        group.group_id.to_string(),
        group.name.to_string(),
        group.users.len().to_string(),
        group.admins.len().to_string(),
        optional(group.last_updated.as_ref()),
    ]
}

/// Users, one a line.
pub(crate) fn lines(users: &[User]) -> String {
    let users: Vec<&str> = users.iter().map(|user| user.user_id.as_str()).collect();
    users.join("\n")
}

fn describe(group: &Group) -> String {
    details([
        ("Group", group.group_id.to_string()),
        ("Name", group.name.to_string()),
        ("Users", lines(&group.users)),
        ("Admins", lines(&group.admins)),
        ("Tags", words(&group.tags)),
        ("Changed", optional(group.last_updated.as_ref())),
    ])
}
