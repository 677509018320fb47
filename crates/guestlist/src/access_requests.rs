//! `guestlist request`: access requests, asked for by somebody and answered by somebody else.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use guestlist_api::access_requests::{
    AccessRequest, AccessRequestAnswer, AccessRequestStatus, NewAccessRequest,
};
use guestlist_api::ids::{RequestId, RoleId, UserId};
use guestlist_api::records::{Statement, User};
use guestlist_api::resources::ResourceUri;

use crate::connection::Session;
use crate::exits::Failure;
use crate::groups::lines;
use crate::output::{Limit, details, optional};
use crate::records::sentence;
use crate::tags::{Tag, tags, words};
use crate::{deletion, documents};

/// The commands on access requests.
#[derive(Debug, Subcommand)]
pub(crate) enum RequestCommand {
    /// Lists access requests: your own, and those you may answer
    #[command(after_help = "Example:\n  guestlist request list --status open")]
    List {
        /// Only those in this state [default: all but deleted]
        #[arg(long)]
        status: Option<Status>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Shows an access request, an answered or deleted one too
    #[command(after_help = "Example:\n  guestlist request show req_7fH2 --yaml")]
    Show {
        /// The request, as in req_7fH2
        id: RequestId,
    },
    /// Asks for access: for yourself, or for others if you could give it to them
    #[command(after_help = "\
Examples:
  guestlist request create --user bob --role ro_viewer --on projects/42
  guestlist request create -f request.yaml

Several statements with different roles need a file.")]
    Create(RequestCreation),
    /// Gives what was asked for, under your authority, in a record of its own
    #[command(after_help = "Example:\n  guestlist request approve req_7fH2")]
    Approve {
        /// The request
        id: RequestId,
    },
    /// Refuses what was asked for: nothing is given
    #[command(after_help = "Example:\n  guestlist request deny req_7fH2")]
    Deny {
        /// The request
        id: RequestId,
    },
    /// Takes access requests back. What was approved stays given
    #[command(after_help = "Example:\n  guestlist request delete req_7fH2 --yes")]
    Delete {
        /// The requests
        #[arg(required = true)]
        ids: Vec<RequestId>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// The states to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Status {
    /// Nobody has answered it
    Open,
    /// What it asks for was given
    Approved,
    /// Somebody said no
    Denied,
    /// Taken back
    Deleted,
}

impl From<Status> for AccessRequestStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Open => Self::Open,
            Status::Approved => Self::Approved,
            Status::Denied => Self::Denied,
            Status::Deleted => Self::Deleted,
        }
    }
}

/// An access request from flags or a file.
#[derive(Debug, Args)]
pub(crate) struct RequestCreation {
    /// For whom; may be given several times
    #[arg(long, value_name = "USER", required_unless_present = "file")]
    user: Vec<UserId>,
    /// A role to ask for; may be given several times
    #[arg(long, value_name = "ROLE", required_unless_present = "file")]
    role: Vec<RoleId>,
    /// A resource to ask for the roles on; may be given several times
    #[arg(long, value_name = "RESOURCE", required_unless_present = "file")]
    on: Vec<ResourceUri>,
    /// A label; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    tag: Vec<Tag>,
    /// A file with the request in YAML or JSON; `-` is standard input
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["user", "role", "on", "tag"])]
    file: Option<PathBuf>,
}

impl RequestCreation {
    fn request(self) -> Result<NewAccessRequest, Failure> {
        if let Some(file) = &self.file {
            return documents::read(file);
        }
        let mut users = self.user.into_iter();
        let Some(first) = users.next() else {
            return Err(Failure::invalid("it needs --user or -f"));
        };
        let statement = Statement::new(self.role, self.on)?;
        let request = NewAccessRequest::new(first, [statement])?.tags(tags(&self.tag)?);
        Ok(users.fold(request, |request, user_id| request.user(User { user_id })))
    }
}

pub(crate) async fn run(command: RequestCommand, session: &Session) -> Result<(), Failure> {
    let (requests, output) = (session.client.access_requests(), &session.output);
    match command {
        RequestCommand::List { status, limit } => {
            let pages = match status {
                Some(status) => requests.list().status(status.into()),
                None => requests.list(),
            };
            let headings = ["REQUEST", "STATUS", "USERS", "ASKS FOR", "CHANGED"];
            output.list(pages, &limit, &headings, row).await
        }
        RequestCommand::Show { id } => output.show(&requests.get_request(&id).await?, describe),
        RequestCommand::Create(creation) => {
            let request = requests.create_request(&creation.request()?).await?;
            output.notice(&format!("Made the access request {}.", request.request_id));
            output.show(&request, describe)
        }
        RequestCommand::Approve { id } => {
            answer(session, &id, AccessRequestAnswer::Approved, "Approved").await
        }
        RequestCommand::Deny { id } => {
            answer(session, &id, AccessRequestAnswer::Denied, "Denied").await
        }
        RequestCommand::Delete { ids, yes } => {
            deletion::delete(output, "access request", &ids, yes, async |id| {
                requests.delete_request(id).await
            })
            .await
        }
    }
}

async fn answer(
    session: &Session,
    id: &RequestId,
    answer: AccessRequestAnswer,
    done: &str,
) -> Result<(), Failure> {
    let requests = session.client.access_requests();
    let request = requests.respond_to_access_request(id, answer).await?;
    session
        .output
        .notice(&format!("{done} the access request {id}."));
    session.output.show(&request, describe)
}

fn row(request: &AccessRequest) -> Vec<String> {
    vec![
        request.request_id.to_string(),
        request.status.to_string(),
        lines(&request.access.users).replace('\n', ", "),
        statements(request).join("; "),
        optional(request.last_updated.as_ref()),
    ]
}

fn statements(request: &AccessRequest) -> Vec<String> {
    request.access.statements.iter().map(sentence).collect()
}

fn describe(request: &AccessRequest) -> String {
    details([
        ("Request", request.request_id.to_string()),
        ("Status", request.status.to_string()),
        ("Users", lines(&request.access.users)),
        ("Asks for", statements(request).join("\n")),
        ("Invite", optional(request.invite_reference.as_ref())),
        ("Tags", words(&request.tags)),
        ("Changed", optional(request.last_updated.as_ref())),
    ])
}
