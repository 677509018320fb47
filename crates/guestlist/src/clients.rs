//! `guestlist client`: service clients, the machines that call.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use guestlist_api::clients::{Client, ClientOptions, ClientRequest};
use guestlist_api::ids::ClientId;
use guestlist_api::text::Name;

use crate::connection::Session;
use crate::exits::Failure;
use crate::output::{Limit, details, optional};
use crate::rate_limits::RateLimit;
use crate::tags::{Tag, tags, words};
use crate::{deletion, documents, edit, rate_limits};

/// The commands on service clients.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Lists service clients
    #[command(after_help = "Example:\n  guestlist client list --filter billing --json")]
    List {
        /// Only those with this text in their id or name; the hosted service shows all
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Shows a service client and the ids of its access keys
    #[command(after_help = "Example:\n  guestlist client show sc_1a2b3c")]
    Show {
        /// The client, as in sc_1a2b3c
        id: ClientId,
    },
    /// Makes a service client, without an access key: `guestlist key create` makes one
    #[command(after_help = "\
Examples:
  guestlist client create --name Billing
  guestlist client create -f billing.yaml")]
    Create(ClientCreation),
    /// Changes a client, in $EDITOR or from a file
    ///
    /// What somebody else changes while you edit is found out just before saving, but clients have
    /// no condition that the server could check: of two changes within the same moment the later
    /// stays. Access keys are not changed.
    #[command(after_help = "Example:\n  guestlist client edit sc_1a2b3c")]
    Edit {
        /// The client
        id: ClientId,
        /// A file with the client as it should be; `-` is standard input
        #[arg(long, short, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Deletes clients. Their access keys are refused from then on
    #[command(after_help = "Example:\n  guestlist client delete sc_1a2b3c --yes")]
    Delete {
        /// The clients
        #[arg(required = true)]
        ids: Vec<ClientId>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// What a client may do besides what records give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClientOption {
    /// Ask for the permissions of any user
    GrantUserPermissionsAccess,
    /// Make tokens in the name of users
    GrantTokenGeneration,
}

/// A service client from flags or a file.
#[derive(Debug, Args)]
pub(crate) struct ClientCreation {
    /// Its name
    #[arg(long)]
    name: Option<Name>,
    /// What it may do besides what records give it; may be given several times
    #[arg(long = "option", value_name = "OPTION")]
    options: Vec<ClientOption>,
    /// How many requests it may make: 100, 1000, 100000 or 1000000 in 5m, 1h, 1d or 1mo
    #[arg(long, value_name = "REQUESTS/TIME")]
    rate_limit: Option<RateLimit>,
    /// A label; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    tag: Vec<Tag>,
    /// A file with the client in YAML or JSON; `-` is standard input
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["name", "options", "rate_limit", "tag"])]
    file: Option<PathBuf>,
}

impl ClientCreation {
    fn request(self) -> Result<ClientRequest, Failure> {
        if let Some(file) = &self.file {
            return documents::read(file);
        }
        let options = ClientOptions {
            grant_user_permissions_access: self
                .options
                .contains(&ClientOption::GrantUserPermissionsAccess),
            grant_token_generation: self.options.contains(&ClientOption::GrantTokenGeneration),
        };
        let mut client = ClientRequest::new().options(options).tags(tags(&self.tag)?);
        if let Some(name) = self.name {
            client = client.name(name);
        }
        if let Some(limit) = self.rate_limit {
            client = client.rate_limit(limit.into());
        }
        Ok(client)
    }
}

pub(crate) async fn run(command: ClientCommand, session: &Session) -> Result<(), Failure> {
    let (clients, output) = (session.client.service_clients(), &session.output);
    match command {
        ClientCommand::List { filter, limit } => {
            let pages = match filter {
                Some(filter) => clients.list().filter(filter),
                None => clients.list(),
            };
            let headings = ["CLIENT", "NAME", "KEYS", "CREATED"];
            output.list(pages, &limit, &headings, row).await
        }
        ClientCommand::Show { id } => output.show(&clients.get_client(&id).await?, describe),
        ClientCommand::Create(creation) => {
            let client = clients.create_client(&creation.request()?).await?;
            output.notice(&format!(
                "Made the client {0}; `guestlist key create {0}` makes an access key for it.",
                client.client_id
            ));
            output.show(&client, describe)
        }
        ClientCommand::Edit { id, file } => change(session, id, file).await,
        ClientCommand::Delete { ids, yes } => {
            deletion::delete(output, "client", &ids, yes, async |id| {
                clients.delete_client(id).await
            })
            .await
        }
    }
}

async fn change(session: &Session, id: ClientId, file: Option<PathBuf>) -> Result<(), Failure> {
    let (clients, output) = (session.client.service_clients(), &session.output);
    let before = clients.get_client(&id).await?;
    let save = async |client: ClientRequest| -> Result<(), Failure> {
        if clients.get_client(&id).await? != before {
            return Err(Failure::conflict(format!(
                "the client {id} changed since it was read"
            )));
        }
        let client = clients.update_client(&id, &client).await?;
        output.notice(&format!("Changed the client {id}."));
        output.show(&client, describe)
    };
    if let Some(file) = file {
        let (client, basis) = documents::read_change(&file)?;
        documents::refuse_other(&file, "client", basis.client_id.as_deref(), id.as_str())?;
        return save(client).await;
    }
    let text = documents::editable(&format!("client {id}"), &before, &before.to_request()?)?;
    edit::edit(output, id.as_str(), text, save).await
}

fn row(client: &Client) -> Vec<String> {
    vec![
        client.client_id.to_string(),
        optional(client.name.as_ref()),
        client.verification_keys.len().to_string(),
        optional(client.created_time.as_ref()),
    ]
}

fn describe(client: &Client) -> String {
    let keys = client.verification_keys.iter();
    let keys: Vec<String> = keys
        .map(|key| format!("{} {}", key.key_id, optional(key.generation_date.as_ref())))
        .collect();
    let options: Vec<&str> = [
        (
            client.options.grant_user_permissions_access,
            "may ask for the permissions of any user",
        ),
        (
            client.options.grant_token_generation,
            "may make tokens in the name of users",
        ),
    ]
    .into_iter()
    .filter_map(|(given, words)| given.then_some(words))
    .collect();
    details([
        ("Client", client.client_id.to_string()),
        ("Name", optional(client.name.as_ref())),
        ("Options", options.join("\n")),
        ("Rate limit", rate_limits::words(&client.rate_limits)),
        ("Keys", keys.join("\n")),
        ("Tags", words(&client.tags)),
        ("Created", optional(client.created_time.as_ref())),
    ])
}
