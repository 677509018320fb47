//! `guestlist webhook`: URLs to which a server sends its events.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use guestlist_api::ids::WebhookId;
use guestlist_api::text::{Bounded, Description};
use guestlist_api::webhooks::{
    Delivery, EventPattern, Webhook, WebhookFormat, WebhookRequest, WebhookSecret, WebhookUrl,
};

use crate::connection::Session;
use crate::exits::Failure;
use crate::keys::new_file;
use crate::output::{Limit, details, optional};
use crate::{deletion, documents, edit};

/// The commands on webhooks.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Lists webhooks
    #[command(after_help = "Example:\n  guestlist webhook list --filter shop")]
    List {
        /// Only those with this text in their id, URL or description
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Shows a webhook, without its secret
    #[command(after_help = "Example:\n  guestlist webhook show whk_1a2b3c")]
    Show {
        /// The webhook, as in whk_1a2b3c
        id: WebhookId,
    },
    /// Makes a webhook, which sends what happens from then on
    ///
    /// Its secret is told once. It goes alone to standard output, or into a file that only you may
    /// read. You must be able to read the event log.
    #[command(after_help = "\
Examples:
  guestlist webhook create https://shop.example/guestlist --event 'invite.*' --out shop.secret
  guestlist webhook create -f shop.yaml --out shop.secret")]
    Create(WebhookCreation),
    /// Changes a webhook, in $EDITOR or from a file
    ///
    /// The secret and the place in the log stay. What somebody else changes while you edit is found
    /// out just before saving, but webhooks have no condition that the server could check: of two
    /// changes within the same moment the later stays.
    #[command(after_help = "\
Examples:
  guestlist webhook edit whk_1a2b3c
  guestlist webhook edit whk_1a2b3c -f shop.yaml
  guestlist webhook edit whk_1a2b3c --disable")]
    Edit {
        /// The webhook
        id: WebhookId,
        /// A file with the webhook as it should be; `-` is standard input
        #[arg(long, short, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Send nothing any more, and keep the place in the log
        #[arg(long, conflicts_with_all = ["file", "enable"])]
        disable: bool,
        /// Go on sending with the next event after the last one delivered
        #[arg(long, conflicts_with = "file")]
        enable: bool,
    },
    /// Deletes webhooks: nothing is sent any more
    #[command(after_help = "Example:\n  guestlist webhook delete whk_1a2b3c --yes")]
    Delete {
        /// The webhooks
        #[arg(required = true)]
        ids: Vec<WebhookId>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Gives a webhook another secret; the one before it signs beside it for 24 hours
    ///
    /// The secret is told once. It goes alone to standard output, or into a file that only you may
    /// read.
    #[command(after_help = "Example:\n  guestlist webhook rotate whk_1a2b3c --out shop.secret")]
    Rotate {
        /// The webhook
        id: WebhookId,
        /// Write the secret into this new file (mode 0600) and nowhere else
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Lists the last attempts to deliver, newest first
    #[command(after_help = "Example:\n  guestlist webhook deliveries whk_1a2b3c")]
    Deliveries {
        /// The webhook
        id: WebhookId,
    },
    /// Sends events again, or passes over them
    #[command(after_help = "\
Examples:
  guestlist webhook replay whk_1a2b3c --after 1200
  guestlist webhook replay whk_1a2b3c --after 0")]
    Replay {
        /// The webhook
        id: WebhookId,
        /// Go on with the first event after this revision; the newest one passes over all there are
        #[arg(long, value_name = "REVISION")]
        after: u64,
    },
    /// Sends a test event, and tells what became of it
    ///
    /// Ends with 1 if it was not delivered.
    #[command(after_help = "Example:\n  guestlist webhook test whk_1a2b3c")]
    Test {
        /// The webhook
        id: WebhookId,
    },
}

/// A webhook from flags or a file.
#[derive(Debug, Args)]
pub(crate) struct WebhookCreation {
    /// Where events are sent, with https
    #[arg(value_name = "URL", required_unless_present = "file")]
    receiver: Option<WebhookUrl>,
    /// A type of event (invite.accepted), or all of a noun ('invite.*'); may be given several times
    /// [default: all events]
    #[arg(long = "event", value_name = "TYPE")]
    events: Vec<EventPattern>,
    /// In which form: each event as the log has it, or as the AccessChanged of the hosted service,
    /// then only those that tell who gained or lost access
    #[arg(long, value_name = "FORM", default_value = "event")]
    format: Format,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<Description>,
    /// Send nothing yet
    #[arg(long)]
    disabled: bool,
    /// A file with the webhook in YAML or JSON; `-` is standard input
    #[arg(long, short, value_name = "FILE", conflicts_with_all = [
        "receiver", "events", "format", "description", "disabled"])]
    file: Option<PathBuf>,
    /// Write the secret into this new file (mode 0600) and nowhere else
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// In which form events are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Event,
    AccessChanged,
}

impl Format {
    const fn format(self) -> WebhookFormat {
        match self {
            Self::Event => WebhookFormat::Event,
            Self::AccessChanged => WebhookFormat::AccessChanged,
        }
    }
}

impl WebhookCreation {
    fn request(&self) -> Result<WebhookRequest, Failure> {
        match (&self.file, &self.receiver) {
            (Some(file), _) => documents::read(file),
            (None, Some(url)) => Ok(WebhookRequest {
                event_types: Bounded::new(self.events.clone())?,
                format: Some(self.format.format()),
                enabled: self.disabled.then_some(false),
                description: self.description.clone(),
                ..WebhookRequest::new(url.clone())
            }),
            (None, None) => Err(Failure::invalid("a URL or a file is needed".to_owned())),
        }
    }
}

pub(crate) async fn run(command: WebhookCommand, session: &Session) -> Result<(), Failure> {
    let (webhooks, output) = (session.client.webhooks(), &session.output);
    match command {
        WebhookCommand::List { filter, limit } => {
            let pages = match filter {
                Some(filter) => webhooks.list().filter(filter),
                None => webhooks.list(),
            };
            let headings = ["WEBHOOK", "URL", "EVENTS", "STATE", "CHANGED"];
            output.list(pages, &limit, &headings, row).await
        }
        WebhookCommand::Show { id } => output.show(&webhooks.get_webhook(&id).await?, describe),
        WebhookCommand::Create(creation) => create(session, &creation).await,
        WebhookCommand::Edit {
            id,
            file,
            disable,
            enable,
        } => {
            let enabled = (disable || enable).then_some(enable);
            change(session, id, file, enabled).await
        }
        WebhookCommand::Delete { ids, yes } => {
            deletion::delete(output, "webhook", &ids, yes, async |id| {
                webhooks.delete_webhook(id).await
            })
            .await
        }
        WebhookCommand::Rotate { id, out } => rotate(session, &id, out).await,
        WebhookCommand::Deliveries { id } => {
            let answer = webhooks.get_deliveries(&id).await?;
            let (delivered, last) = (answer.delivered_revision, answer.last_revision);
            output.notice(&format!("Delivered up to revision {delivered} of {last}."));
            let headings = ["TIME", "REVISION", "EVENT", "ATTEMPT", "OUTCOME"];
            output.show_all(&answer.deliveries, &headings, delivery_row)
        }
        WebhookCommand::Replay { id, after } => {
            webhooks.replay(&id, after).await?;
            output.notice(&format!("The webhook {id} goes on after revision {after}."));
            Ok(())
        }
        WebhookCommand::Test { id } => test(session, &id).await,
    }
}

async fn create(session: &Session, creation: &WebhookCreation) -> Result<(), Failure> {
    let (webhooks, output) = (session.client.webhooks(), &session.output);
    let request = creation.request()?;
    let secret_file = SecretFile::new(creation.out.clone())?;
    let made = match webhooks.create_webhook(&request).await {
        Ok(made) => made,
        Err(error) => return Err(secret_file.unused(error.into())),
    };
    let id = &made.webhook.webhook_id;
    output.notice(&format!("Made the webhook {id}."));
    if secret_file.is_given() {
        secret_file.write(session, id, &made.secret)?;
        return output.show(&made.webhook, describe);
    }
    output.notice(ONLY_TIME);
    output.show(&made, |made| made.secret.reveal().to_owned())
}

const ONLY_TIME: &str = "This is the only time that the secret is told: keep it safe.";

async fn rotate(session: &Session, id: &WebhookId, out: Option<PathBuf>) -> Result<(), Failure> {
    let (webhooks, output) = (session.client.webhooks(), &session.output);
    let secret_file = SecretFile::new(out)?;
    let rotated = match webhooks.rotate_secret(id).await {
        Ok(rotated) => rotated,
        Err(error) => return Err(secret_file.unused(error.into())),
    };
    let until = rotated.previous_secret_expires;
    output.notice(&format!("The secret before it signs too until {until}."));
    if secret_file.is_given() {
        return secret_file.write(session, id, &rotated.secret);
    }
    output.notice(ONLY_TIME);
    output.show(&rotated, |rotated| rotated.secret.reveal().to_owned())
}

/// A file for a secret, made before anything else is: a secret that cannot be written down would be
/// lost.
struct SecretFile(Option<(PathBuf, std::fs::File)>);

impl SecretFile {
    fn new(path: Option<PathBuf>) -> Result<Self, Failure> {
        let open = |path: PathBuf| new_file(&path).map(|file| (path, file));
        path.map(open).transpose().map(Self)
    }

    const fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// Nothing came of it.
    fn unused(self, failure: Failure) -> Failure {
        if let Some((path, _)) = self.0 {
            let _removed = std::fs::remove_file(path);
        }
        failure
    }

    fn write(
        self,
        session: &Session,
        id: &WebhookId,
        secret: &WebhookSecret,
    ) -> Result<(), Failure> {
        let Some((path, mut file)) = self.0 else {
            return Ok(());
        };
        file.write_all(format!("{}\n", secret.reveal()).as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|error| {
                let path = path.display();
                Failure::local(format!("cannot write the secret to {path}: {error}")).hint(format!(
                    "`guestlist webhook rotate {id}` makes another one."
                ))
            })?;
        let notice = format!("The secret is in {}.", path.display());
        session.output.notice(&notice);
        Ok(())
    }
}

async fn change(
    session: &Session,
    id: WebhookId,
    file: Option<PathBuf>,
    enabled: Option<bool>,
) -> Result<(), Failure> {
    let (webhooks, output) = (session.client.webhooks(), &session.output);
    let before = webhooks.get_webhook(&id).await?;
    let save = async |webhook: WebhookRequest| -> Result<(), Failure> {
        if webhooks.get_webhook(&id).await? != before {
            return Err(Failure::conflict(format!(
                "the webhook {id} changed since it was read"
            )));
        }
        let webhook = webhooks.update_webhook(&id, &webhook).await?;
        output.notice(&format!("Changed the webhook {id}."));
        output.show(&webhook, describe)
    };
    if enabled.is_some() {
        let request = WebhookRequest {
            enabled,
            ..before.to_request()
        };
        return save(request).await;
    }
    if let Some(file) = file {
        return save(documents::read(&file)?).await;
    }
    let text = documents::editable(&format!("webhook {id}"), &before, &before.to_request())?;
    edit::edit(output, id.as_str(), text, save).await
}

async fn test(session: &Session, id: &WebhookId) -> Result<(), Failure> {
    let delivery = session.client.webhooks().test(id).await?;
    let delivered = delivery.delivered;
    session.output.show(&delivery, |delivery| {
        details([
            ("Event", delivery.event_id.to_string()),
            ("Outcome", outcome(delivery)),
        ])
    })?;
    if delivered {
        Ok(())
    } else {
        Err(Failure::no())
    }
}

fn outcome(delivery: &Delivery) -> String {
    let told = match (delivery.status, &delivery.error) {
        (Some(status), _) => status.to_string(),
        (None, Some(error)) => error.to_string(),
        (None, None) => String::new(),
    };
    if delivery.delivered {
        format!("delivered ({told})")
    } else {
        format!("not delivered ({told})")
    }
}

fn delivery_row(delivery: &Delivery) -> Vec<String> {
    vec![
        delivery.time.to_string(),
        delivery.revision.to_string(),
        delivery.event_type.to_string(),
        delivery.attempt.to_string(),
        outcome(delivery),
    ]
}

fn events(webhook: &Webhook) -> String {
    if webhook.event_types.is_empty() {
        return "all".to_owned();
    }
    let types = webhook.event_types.iter().map(ToString::to_string);
    types.collect::<Vec<_>>().join(", ")
}

fn state(webhook: &Webhook) -> String {
    match (webhook.enabled, &webhook.disabled_reason) {
        (true, _) => "enabled".to_owned(),
        (false, None) => "disabled".to_owned(),
        (false, Some(reason)) => format!("disabled: {reason}"),
    }
}

fn row(webhook: &Webhook) -> Vec<String> {
    vec![
        webhook.webhook_id.to_string(),
        webhook.url.to_string(),
        events(webhook),
        state(webhook),
        webhook.last_updated.to_string(),
    ]
}

fn describe(webhook: &Webhook) -> String {
    details([
        ("Webhook", webhook.webhook_id.to_string()),
        ("URL", webhook.url.to_string()),
        ("Events", events(webhook)),
        ("Form", webhook.format.to_string()),
        ("State", state(webhook)),
        ("Description", optional(webhook.description.as_ref())),
        ("Created", webhook.created_time.to_string()),
        ("Changed", webhook.last_updated.to_string()),
    ])
}
