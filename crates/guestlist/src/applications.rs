//! `guestlist application`: what users sign in to.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use guestlist_api::applications::{
    Application, ApplicationAudience, ApplicationRequest, RedirectUrl, SessionType,
};
use guestlist_api::ids::ApplicationId;

use crate::connection::Session;
use crate::exits::Failure;
use crate::output::{Limit, details, optional};
use crate::tags::{Tag, tags, words};
use crate::{deletion, documents, edit};

/// The commands on applications.
#[derive(Debug, Subcommand)]
pub(crate) enum ApplicationCommand {
    /// Lists applications
    #[command(after_help = "Example:\n  guestlist application list --filter shop")]
    List {
        /// Only those with this text in their id, name, redirect URLs or labels
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Shows an application
    #[command(after_help = "Example:\n  guestlist application show app_1a2b3c")]
    Show {
        /// The application, as in app_1a2b3c
        id: ApplicationId,
    },
    /// Makes an application
    #[command(after_help = "\
Examples:
  guestlist application create --name Shop --redirect-url https://shop.example
  guestlist application create -f shop.yaml")]
    Create(ApplicationCreation),
    /// Changes an application, in $EDITOR or from a file
    ///
    /// What somebody else changes while you edit is found out just before saving, but applications
    /// have no condition that the server could check: of two changes within the same moment the
    /// later stays.
    #[command(after_help = "Example:\n  guestlist application edit app_1a2b3c")]
    Edit {
        /// The application
        id: ApplicationId,
        /// A file with the application as it should be; `-` is standard input
        #[arg(long, short, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Deletes applications
    #[command(after_help = "Example:\n  guestlist application delete app_1a2b3c --yes")]
    Delete {
        /// The applications
        #[arg(required = true)]
        ids: Vec<ApplicationId>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// How many sessions a user may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sessions {
    /// One: a new one ends the former
    Single,
    /// Any number
    Multi,
}

impl From<Sessions> for SessionType {
    fn from(sessions: Sessions) -> Self {
        match sessions {
            Sessions::Single => Self::SingleSession,
            Sessions::Multi => Self::MultiSession,
        }
    }
}

/// An application from flags or a file.
#[derive(Debug, Args)]
pub(crate) struct ApplicationCreation {
    /// Its name
    #[arg(long, required_unless_present = "file")]
    name: Option<String>,
    /// A URL to which users may be sent after they signed in; may be given several times
    #[arg(long, value_name = "URL")]
    redirect_url: Vec<RedirectUrl>,
    /// How many sessions a user may have [default: multi]
    #[arg(long)]
    sessions: Option<Sessions>,
    /// An audience of its tokens; may be given several times
    #[arg(long, value_name = "TEXT")]
    audience: Vec<ApplicationAudience>,
    /// A label; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    tag: Vec<Tag>,
    /// A file with the application in YAML or JSON; `-` is standard input
    #[arg(long, short, value_name = "FILE",
          conflicts_with_all = ["name", "redirect_url", "sessions", "audience", "tag"])]
    file: Option<PathBuf>,
}

impl ApplicationCreation {
    fn request(self) -> Result<ApplicationRequest, Failure> {
        if let Some(file) = &self.file {
            return documents::read(file);
        }
        let mut application =
            ApplicationRequest::new(&self.name.unwrap_or_default())?.tags(tags(&self.tag)?);
        for url in self.redirect_url {
            application = application.redirect_url(url);
        }
        for audience in self.audience {
            application = application.audience(audience);
        }
        application.session_type = self.sessions.map(SessionType::from);
        Ok(application)
    }
}

pub(crate) async fn run(command: ApplicationCommand, session: &Session) -> Result<(), Failure> {
    let (applications, output) = (session.client.applications(), &session.output);
    match command {
        ApplicationCommand::List { filter, limit } => {
            let pages = match filter {
                Some(filter) => applications.list().filter(filter),
                None => applications.list(),
            };
            let headings = ["APPLICATION", "NAME", "REDIRECT URLS", "CHANGED"];
            output.list(pages, &limit, &headings, row).await
        }
        ApplicationCommand::Show { id } => {
            output.show(&applications.get_application(&id).await?, describe)
        }
        ApplicationCommand::Create(creation) => {
            let application = applications
                .create_application(&creation.request()?)
                .await?;
            output.notice(&format!(
                "Made the application {}.",
                application.application_id
            ));
            output.show(&application, describe)
        }
        ApplicationCommand::Edit { id, file } => change(session, id, file).await,
        ApplicationCommand::Delete { ids, yes } => {
            deletion::delete(output, "application", &ids, yes, async |id| {
                applications.delete_application(id).await
            })
            .await
        }
    }
}

async fn change(
    session: &Session,
    id: ApplicationId,
    file: Option<PathBuf>,
) -> Result<(), Failure> {
    let (applications, output) = (session.client.applications(), &session.output);
    let before = applications.get_application(&id).await?;
    let save = async |application: ApplicationRequest| -> Result<(), Failure> {
        if applications.get_application(&id).await? != before {
            return Err(Failure::conflict(format!(
                "the application {id} changed since it was read"
            )));
        }
        let application = applications.update_application(&id, &application).await?;
        output.notice(&format!("Changed the application {id}."));
        output.show(&application, describe)
    };
    if let Some(file) = file {
        let (application, basis) = documents::read_change(&file)?;
        let given = basis.application_id.as_deref();
        documents::refuse_other(&file, "application", given, id.as_str())?;
        return save(application).await;
    }
    let text = documents::editable(&format!("application {id}"), &before, &before.to_request()?)?;
    edit::edit(output, id.as_str(), text, save).await
}

/// URLs, one a line.
pub(crate) fn lines(urls: &[RedirectUrl]) -> String {
    let urls: Vec<&str> = urls.iter().map(RedirectUrl::as_str).collect();
    urls.join("\n")
}

fn row(application: &Application) -> Vec<String> {
    vec![
        application.application_id.to_string(),
        application.name.to_string(),
        application.redirect_urls.len().to_string(),
        optional(application.last_updated.as_ref()),
    ]
}

fn describe(application: &Application) -> String {
    let audiences: Vec<&str> = application
        .audiences
        .iter()
        .map(ApplicationAudience::as_str)
        .collect();
    details([
        ("Application", application.application_id.to_string()),
        ("Name", application.name.to_string()),
        ("Redirect URLs", lines(&application.redirect_urls)),
        ("Sessions", application.session_type.to_string()),
        ("Audiences", audiences.join("\n")),
        ("Tags", words(&application.tags)),
        ("Created", optional(application.created_time.as_ref())),
        ("Changed", optional(application.last_updated.as_ref())),
    ])
}
