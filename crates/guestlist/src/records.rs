//! `guestlist record`: access records, who has which roles on which resources.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use guestlist_api::ids::{GroupId, RecordId, RoleId, UserId};
use guestlist_api::records::{
    AccessRecord, AccessRecordRequest, LinkedGroup, RecordStatus, Statement, User,
};
use guestlist_api::resources::ResourceUri;
use guestlist_api::text::{Description, Name};

use crate::connection::Session;
use crate::exits::Failure;
use crate::groups::lines;
use crate::output::{Limit, details, optional};
use crate::tags::{Tag, tags, words};
use crate::{deletion, documents, edit};

/// The commands on access records.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordCommand {
    /// Lists access records
    #[command(after_help = "Example:\n  guestlist record list --filter billing --status deleted")]
    List {
        /// Only those with this text in their id, name or other text
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
        /// Only those in this state [default: active]
        #[arg(long)]
        status: Option<Status>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Shows an access record, a deleted one too
    #[command(after_help = "Example:\n  guestlist record show rec_billing --yaml")]
    Show {
        /// The record, as in rec_billing
        id: RecordId,
    },
    /// Makes an access record: gives users and groups roles on resources
    #[command(after_help = "\
Examples:
  guestlist record create rec_billing --name Billing --user bob --group grp_team \\
    --role ro_editor --on projects/42
  guestlist record create -f billing.yaml

Several statements with different roles need a file.")]
    Create(RecordCreation),
    /// Changes a record, in $EDITOR or from a file; refused if somebody else changed it meanwhile
    #[command(after_help = "Example:\n  guestlist record edit rec_billing")]
    Edit {
        /// The record
        id: RecordId,
        /// A file with the record as it should be; `-` is standard input
        #[arg(long, short, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Deletes records: they give nothing any more, and can still be read
    #[command(after_help = "Example:\n  guestlist record delete rec_billing --yes")]
    Delete {
        /// The records
        #[arg(required = true)]
        ids: Vec<RecordId>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// The states to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Status {
    /// In force
    Active,
    /// Grants nothing; kept so that it can be read
    Deleted,
}

impl From<Status> for RecordStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Deleted => Self::Deleted,
        }
    }
}

/// An access record from flags or a file.
#[derive(Debug, Args)]
pub(crate) struct RecordCreation {
    /// Its id [default: made by the server]
    id: Option<RecordId>,
    /// Its name
    #[arg(long, required_unless_present = "file")]
    name: Option<Name>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<Description>,
    /// A user it gives access to; may be given several times
    #[arg(long, value_name = "USER")]
    user: Vec<UserId>,
    /// A group it gives access to; may be given several times
    #[arg(long, value_name = "GROUP")]
    group: Vec<GroupId>,
    /// A user who may change the record; may be given several times
    #[arg(long, value_name = "USER")]
    admin: Vec<UserId>,
    /// A role it gives; may be given several times
    #[arg(long, value_name = "ROLE", required_unless_present = "file")]
    role: Vec<RoleId>,
    /// A resource it gives the roles on; may be given several times
    #[arg(long, value_name = "RESOURCE", required_unless_present = "file")]
    on: Vec<ResourceUri>,
    /// A label; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    tag: Vec<Tag>,
    /// A file with the record in YAML or JSON; `-` is standard input
    #[arg(long, short, value_name = "FILE", conflicts_with_all =
          ["id", "name", "description", "user", "group", "admin", "role", "on", "tag"])]
    file: Option<PathBuf>,
}

impl RecordCreation {
    fn request(self) -> Result<AccessRecordRequest, Failure> {
        let name = match (&self.file, &self.name) {
            (Some(file), _) => return documents::read(file),
            (None, Some(name)) => name.as_str(),
            (None, None) => return Err(Failure::invalid("it needs --name or -f")),
        };
        let statement = Statement::new(self.role, self.on)?;
        let mut record = AccessRecordRequest::new(name, [statement])?.tags(tags(&self.tag)?);
        record.record_id = self.id;
        if let Some(description) = self.description {
            record = record.description(description);
        }
        for user_id in self.user {
            record = record.user(User { user_id });
        }
        for group_id in self.group {
            record = record.group(LinkedGroup { group_id });
        }
        for user_id in self.admin {
            record = record.admin(User { user_id });
        }
        Ok(record)
    }
}

pub(crate) async fn run(command: RecordCommand, session: &Session) -> Result<(), Failure> {
    let (records, output) = (session.client.access_records(), &session.output);
    match command {
        RecordCommand::List {
            filter,
            status,
            limit,
        } => {
            let mut pages = records.list();
            if let Some(filter) = filter {
                pages = pages.filter(filter);
            }
            if let Some(status) = status {
                pages = pages.status(status.into());
            }
            let headings = ["RECORD", "NAME", "STATUS", "USERS", "STATEMENTS", "CHANGED"];
            output.list(pages, &limit, &headings, row).await
        }
        RecordCommand::Show { id } => output.show(&records.get_record(&id).await?, describe),
        RecordCommand::Create(creation) => {
            let record = records.create_record(&creation.request()?).await?;
            output.notice(&format!("Made the record {}.", record.record_id));
            output.show(&record, describe)
        }
        RecordCommand::Edit { id, file } => change(session, id, file).await,
        RecordCommand::Delete { ids, yes } => {
            deletion::delete(output, "record", &ids, yes, async |id| {
                records.delete_record(id).await
            })
            .await
        }
    }
}

async fn change(session: &Session, id: RecordId, file: Option<PathBuf>) -> Result<(), Failure> {
    let (records, output) = (session.client.access_records(), &session.output);
    let before = records.get_record(&id).await?;
    let write = async |record: AccessRecordRequest, expected| -> Result<(), Failure> {
        records.update_record(&id, &record, expected).await?;
        output.notice(&format!("Changed the record {id}."));
        output.show(&records.get_record(&id).await?, describe)
    };
    if let Some(file) = file {
        let (record, basis) = documents::read_change(&file)?;
        // A file that says what it was made from must not undo what happened since then.
        let expected = basis.last_updated.or(before.last_updated);
        let written = write(record, expected).await;
        return written.map_err(|failure| edit::from_file(failure, basis.last_updated));
    }
    let save = async |record| write(record, before.last_updated).await;
    let text = documents::editable(&format!("record {id}"), &before, &before.to_request()?)?;
    edit::edit(output, id.as_str(), text, save).await
}

fn row(record: &AccessRecord) -> Vec<String> {
    vec![
        record.record_id.to_string(),
        record.name.to_string(),
        record.status.to_string(),
        record.users.len().to_string(),
        record.statements.len().to_string(),
        optional(record.last_updated.as_ref()),
    ]
}

/// A statement in words: `ro_editor, ro_viewer on projects/42 for bob`.
pub(crate) fn sentence(statement: &Statement) -> String {
    let list = |items: Vec<&str>| items.join(", ");
    let roles = list(statement.roles.iter().map(RoleId::as_str).collect());
    let resources = statement.resources.iter();
    let resources = list(
        resources
            .map(|resource| resource.resource_uri.as_str())
            .collect(),
    );
    let users = statement.users.iter().map(|user| user.user_id.as_str());
    let groups = statement.groups.iter().map(|group| group.group_id.as_str());
    let who: Vec<&str> = users.chain(groups).collect();
    if who.is_empty() {
        format!("{roles} on {resources}")
    } else {
        format!("{roles} on {resources} for {}", list(who))
    }
}

fn describe(record: &AccessRecord) -> String {
    let groups = record.groups.iter().map(|group| group.group_id.as_str());
    let groups: Vec<&str> = groups.collect();
    let statements: Vec<String> = record.statements.iter().map(sentence).collect();
    let full = record.capacity.map(|part| format!("{:.0} %", part * 100.0));
    details([
        ("Record", record.record_id.to_string()),
        ("Name", record.name.to_string()),
        ("Description", optional(record.description.as_ref())),
        ("Status", record.status.to_string()),
        ("Users", lines(&record.users)),
        ("Groups", groups.join("\n")),
        ("Admins", lines(&record.admins)),
        ("Statements", statements.join("\n")),
        ("Tags", words(&record.tags)),
        ("Full", optional(full.as_ref())),
        ("Changed", optional(record.last_updated.as_ref())),
    ])
}
