//! `guestlist role`: named lists of permissions.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use guestlist_api::actions::Action;
use guestlist_api::ids::RoleId;
use guestlist_api::roles::{Permission, Role, RoleRequest};
use guestlist_api::text::{Description, Name};

use crate::connection::Session;
use crate::exits::Failure;
use crate::output::{Limit, details, optional};
use crate::{deletion, documents, edit};

/// The commands on roles.
#[derive(Debug, Subcommand)]
pub(crate) enum RoleCommand {
    /// Lists roles
    #[command(after_help = "Example:\n  guestlist role list --filter editor")]
    List {
        /// Only those with this text in their id, name or other text
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Shows a role and its permissions
    #[command(after_help = "Example:\n  guestlist role show ro_editor --yaml")]
    Show {
        /// The role, as in ro_editor
        id: RoleId,
    },
    /// Makes a role
    #[command(after_help = "\
Examples:
  guestlist role create ro_editor --name Editor --allow documents:read --allow documents:write
  guestlist role create -f editor.yaml")]
    Create(RoleCreation),
    /// Changes a role, in $EDITOR or from a file
    ///
    /// What somebody else changes while you edit is found out just before saving, but roles have no
    /// condition that the server could check: of two changes within the same moment the later stays.
    #[command(after_help = "Example:\n  guestlist role edit ro_editor")]
    Edit {
        /// The role
        id: RoleId,
        /// A file with the role as it should be; `-` is standard input
        #[arg(long, short, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Deletes roles. Records that name them give nothing by them any more
    #[command(after_help = "Example:\n  guestlist role delete ro_old --yes")]
    Delete {
        /// The roles
        #[arg(required = true)]
        ids: Vec<RoleId>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// A role from flags or a file.
#[derive(Debug, Args)]
pub(crate) struct RoleCreation {
    /// Its id, `ro_…` by custom [default: made by the server]
    id: Option<RoleId>,
    /// Its name
    #[arg(long, required_unless_present = "file")]
    name: Option<Name>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<Description>,
    /// An action it allows; may be given several times
    #[arg(long, value_name = "ACTION")]
    allow: Vec<Action>,
    /// An action whose right it lets give to others; may be given several times
    #[arg(long, value_name = "ACTION")]
    grant: Vec<Action>,
    /// An action whose right it lets give to others, who may pass it on; may be given several times
    #[arg(long, value_name = "ACTION")]
    delegate: Vec<Action>,
    /// A file with the role in YAML or JSON; `-` is standard input
    #[arg(long, short, value_name = "FILE",
          conflicts_with_all = ["id", "name", "description", "allow", "grant", "delegate"])]
    file: Option<PathBuf>,
}

impl RoleCreation {
    fn request(self) -> Result<RoleRequest, Failure> {
        let name = match (&self.file, &self.name) {
            (Some(file), _) => return documents::read(file),
            (None, Some(name)) => name.as_str(),
            (None, None) => return Err(Failure::invalid("it needs --name or -f")),
        };
        let mut role = RoleRequest::new(name)?;
        role.role_id = self.id;
        if let Some(description) = self.description {
            role = role.description(description);
        }
        // One permission for each action, however many flags name it.
        let mut permissions: BTreeMap<Action, (bool, bool, bool)> = BTreeMap::new();
        for action in self.allow {
            permissions.entry(action).or_default().0 = true;
        }
        for action in self.grant {
            permissions.entry(action).or_default().1 = true;
        }
        for action in self.delegate {
            permissions.entry(action).or_default().2 = true;
        }
        for (action, (allow, grant, delegate)) in permissions {
            role = role.permission(Permission {
                action,
                allow,
                grant,
                delegate,
            });
        }
        Ok(role)
    }
}

pub(crate) async fn run(command: RoleCommand, session: &Session) -> Result<(), Failure> {
    let (roles, output) = (session.client.roles(), &session.output);
    match command {
        RoleCommand::List { filter, limit } => {
            let pages = match filter {
                Some(filter) => roles.list().filter(filter),
                None => roles.list(),
            };
            let headings = ["ROLE", "NAME", "PERMISSIONS"];
            output.list(pages, &limit, &headings, row).await
        }
        RoleCommand::Show { id } => output.show(&roles.get_role(&id).await?, describe),
        RoleCommand::Create(creation) => {
            let role = roles.create_role(&creation.request()?).await?;
            output.notice(&format!("Made the role {}.", role.role_id));
            output.show(&role, describe)
        }
        RoleCommand::Edit { id, file } => change(session, id, file).await,
        RoleCommand::Delete { ids, yes } => {
            deletion::delete(output, "role", &ids, yes, async |id| {
                roles.delete_role(id).await
            })
            .await
        }
    }
}

async fn change(session: &Session, id: RoleId, file: Option<PathBuf>) -> Result<(), Failure> {
    let (roles, output) = (session.client.roles(), &session.output);
    let before = roles.get_role(&id).await?;
    let save = async |role: RoleRequest| -> Result<(), Failure> {
        if roles.get_role(&id).await? != before {
            return Err(Failure::conflict(format!(
                "the role {id} changed since it was read"
            )));
        }
        let role = roles.update_role(&id, &role).await?;
        output.notice(&format!("Changed the role {id}."));
        output.show(&role, describe)
    };
    if let Some(file) = file {
        return save(documents::read(&file)?).await;
    }
    let text = documents::editable(&format!("role {id}"), &before, &before.to_request()?)?;
    edit::edit(output, id.as_str(), text, save).await
}

fn row(role: &Role) -> Vec<String> {
    vec![
        role.role_id.to_string(),
        role.name.to_string(),
        role.permissions.len().to_string(),
    ]
}

fn describe(role: &Role) -> String {
    let permissions: Vec<String> = role.permissions.iter().map(sentence).collect();
    details([
        ("Role", role.role_id.to_string()),
        ("Name", role.name.to_string()),
        ("Description", optional(role.description.as_ref())),
        ("Permissions", permissions.join("\n")),
    ])
}

/// A permission in words: `documents:read (allow, grant)`.
pub(crate) fn sentence(permission: &Permission) -> String {
    let words: Vec<&str> = [
        (permission.allow, "allow"),
        (permission.grant, "grant"),
        (permission.delegate, "delegate"),
    ]
    .into_iter()
    .filter_map(|(given, word)| given.then_some(word))
    .collect();
    format!("{} ({})", permission.action, words.join(", "))
}
