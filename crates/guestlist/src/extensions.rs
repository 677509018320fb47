//! `guestlist extension`: applications of third parties, each with a service client.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use guestlist_api::applications::RedirectUrl;
use guestlist_api::extensions::{Extension, ExtensionRequest};
use guestlist_api::ids::ExtensionId;
use guestlist_api::text::Name;

use crate::applications::lines;
use crate::connection::Session;
use crate::exits::Failure;
use crate::output::{Limit, details, optional};
use crate::rate_limits::RateLimit;
use crate::tags::{Tag, tags, words};
use crate::{deletion, documents, edit, rate_limits};

/// The commands on extensions.
#[derive(Debug, Subcommand)]
pub(crate) enum ExtensionCommand {
    /// Lists extensions
    #[command(after_help = "Example:\n  guestlist extension list")]
    List {
        /// Only those with this text in their id, name, application, client or labels
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Shows an extension
    #[command(after_help = "Example:\n  guestlist extension show ext_1a2b3c")]
    Show {
        /// The extension, as in ext_1a2b3c
        id: ExtensionId,
    },
    /// Makes an extension with its application and its service client
    ///
    /// The client has no access key: `guestlist key create` makes one.
    #[command(after_help = "\
Examples:
  guestlist extension create --name Weather --redirect-url https://weather.example \\
    --rate-limit 1000/1h
  guestlist extension create -f weather.yaml")]
    Create(ExtensionCreation),
    /// Changes an extension, in $EDITOR or from a file
    ///
    /// What somebody else changes while you edit is found out just before saving, but extensions have
    /// no condition that the server could check: of two changes within the same moment the later
    /// stays.
    #[command(after_help = "Example:\n  guestlist extension edit ext_1a2b3c")]
    Edit {
        /// The extension
        id: ExtensionId,
        /// A file with the extension as it should be; `-` is standard input
        #[arg(long, short, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Deletes extensions with their applications, service clients and access keys
    #[command(after_help = "Example:\n  guestlist extension delete ext_1a2b3c --yes")]
    Delete {
        /// The extensions
        #[arg(required = true)]
        ids: Vec<ExtensionId>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// An extension from flags or a file.
#[derive(Debug, Args)]
pub(crate) struct ExtensionCreation {
    /// Its name
    #[arg(long)]
    name: Option<Name>,
    /// A URL to which users may be sent after they signed in; may be given several times
    #[arg(long, value_name = "URL")]
    redirect_url: Vec<RedirectUrl>,
    /// How many requests its client may make: 100, 1000, 100000 or 1000000 in 5m, 1h, 1d or 1mo
    #[arg(long, value_name = "REQUESTS/TIME")]
    rate_limit: Option<RateLimit>,
    /// A label; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    tag: Vec<Tag>,
    /// A file with the extension in YAML or JSON; `-` is standard input
    #[arg(long, short, value_name = "FILE",
          conflicts_with_all = ["name", "redirect_url", "rate_limit", "tag"])]
    file: Option<PathBuf>,
}

impl ExtensionCreation {
    fn request(self) -> Result<ExtensionRequest, Failure> {
        if let Some(file) = &self.file {
            return documents::read(file);
        }
        let mut extension = ExtensionRequest::new().tags(tags(&self.tag)?);
        extension.name = self.name;
        for url in self.redirect_url {
            extension = extension.redirect_url(url);
        }
        if let Some(limit) = self.rate_limit {
            extension = extension.rate_limit(limit.into());
        }
        Ok(extension)
    }
}

pub(crate) async fn run(command: ExtensionCommand, session: &Session) -> Result<(), Failure> {
    let (extensions, output) = (session.client.extensions(), &session.output);
    match command {
        ExtensionCommand::List { filter, limit } => {
            let pages = match filter {
                Some(filter) => extensions.list().filter(filter),
                None => extensions.list(),
            };
            let headings = ["EXTENSION", "NAME", "APPLICATION", "CLIENT", "CREATED"];
            output.list(pages, &limit, &headings, row).await
        }
        ExtensionCommand::Show { id } => {
            output.show(&extensions.get_extension(&id).await?, describe)
        }
        ExtensionCommand::Create(creation) => {
            let extension = extensions.create_extension(&creation.request()?).await?;
            output.notice(&format!("Made the extension {}.", extension.extension_id));
            output.show(&extension, describe)
        }
        ExtensionCommand::Edit { id, file } => change(session, id, file).await,
        ExtensionCommand::Delete { ids, yes } => {
            deletion::delete(output, "extension", &ids, yes, async |id| {
                extensions.delete_extension(id).await
            })
            .await
        }
    }
}

async fn change(session: &Session, id: ExtensionId, file: Option<PathBuf>) -> Result<(), Failure> {
    let (extensions, output) = (session.client.extensions(), &session.output);
    let before = extensions.get_extension(&id).await?;
    let save = async |extension: ExtensionRequest| -> Result<(), Failure> {
        if extensions.get_extension(&id).await? != before {
            return Err(Failure::conflict(format!(
                "the extension {id} changed since it was read"
            )));
        }
        let extension = extensions.update_extension(&id, &extension).await?;
        output.notice(&format!("Changed the extension {id}."));
        output.show(&extension, describe)
    };
    if let Some(file) = file {
        let (extension, basis) = documents::read_change(&file)?;
        let given = basis.extension_id.as_deref();
        documents::refuse_other(&file, "extension", given, id.as_str())?;
        return save(extension).await;
    }
    let text = documents::editable(&format!("extension {id}"), &before, &before.to_request()?)?;
    edit::edit(output, id.as_str(), text, save).await
}

fn application(extension: &Extension) -> String {
    let application = extension.application.as_ref();
    optional(application.map(|application| &application.application_id))
}

fn client(extension: &Extension) -> String {
    optional(extension.client.as_ref().map(|client| &client.client_id))
}

fn row(extension: &Extension) -> Vec<String> {
    vec![
        extension.extension_id.to_string(),
        optional(extension.name.as_ref()),
        application(extension),
        client(extension),
        optional(extension.created_time.as_ref()),
    ]
}

fn describe(extension: &Extension) -> String {
    let urls = extension.application.as_ref();
    let urls = urls.map(|application| lines(&application.redirect_urls));
    let limits = extension.client.as_ref();
    let limits = limits.map(|client| rate_limits::words(&client.rate_limits));
    details([
        ("Extension", extension.extension_id.to_string()),
        ("Name", optional(extension.name.as_ref())),
        ("Application", application(extension)),
        ("Redirect URLs", urls.unwrap_or_default()),
        ("Client", client(extension)),
        ("Rate limit", limits.unwrap_or_default()),
        ("Tags", words(&extension.tags)),
        ("Created", optional(extension.created_time.as_ref())),
    ])
}
