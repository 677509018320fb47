//! `guestlist connection`: identity providers by which users sign in.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use guestlist_api::connections::{
    AuthenticationUrl, ClientSecret, Connection, ConnectionRequest, ConnectionText, ConnectionType,
    EndpointUrl,
};
use guestlist_api::ids::ConnectionId;

use crate::connection::Session;
use crate::exits::Failure;
use crate::output::{Limit, details, optional};
use crate::tags::{Tag, tags, words};
use crate::{deletion, documents, edit};

/// The commands on connections.
#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionCommand {
    /// Lists connections
    #[command(after_help = "Example:\n  guestlist connection list --filter acme")]
    List {
        /// Only those with this text in their id, name, issuer, client or labels
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Shows a connection, without its secret
    #[command(after_help = "Example:\n  guestlist connection show con_acme --yaml")]
    Show {
        /// The connection, as in con_acme
        id: ConnectionId,
    },
    /// Makes a connection
    #[command(after_help = "\
Examples:
  guestlist connection create con_acme --type oauth2 --client-id guestlist \\
    --authentication-url https://login.acme.example/authorize \\
    --token-url https://login.acme.example/token --client-secret-file acme.secret
  guestlist connection create -f acme.yaml --client-secret-file acme.secret")]
    Create(Box<ConnectionCreation>),
    /// Changes a connection, in $EDITOR or from a file
    ///
    /// The secret stays unless another is given; it must be given when the provider changes. What
    /// somebody else changes while you edit is found out just before saving, but connections have no
    /// condition that the server could check: of two changes within the same moment the later stays.
    #[command(after_help = "\
Examples:
  guestlist connection edit con_acme
  guestlist connection edit con_acme -f acme.yaml --client-secret-file new.secret")]
    Edit {
        /// The connection
        id: ConnectionId,
        /// A file with the connection as it should be; `-` is standard input
        #[arg(long, short, value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        secret: SecretFile,
    },
    /// Deletes connections and their secrets
    #[command(after_help = "Example:\n  guestlist connection delete con_acme --yes")]
    Delete {
        /// The connections
        #[arg(required = true)]
        ids: Vec<ConnectionId>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// How a provider signs users in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    #[value(name = "oauth2")]
    OAuth2,
    #[value(name = "saml2")]
    Saml2,
    #[value(name = "webauthn")]
    WebAuthN,
    Password,
    #[value(name = "openid-legacy")]
    OpenIdLegacy,
}

impl From<Kind> for ConnectionType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::OAuth2 => Self::OAuth2,
            Kind::Saml2 => Self::Saml2,
            Kind::WebAuthN => Self::WebAuthN,
            Kind::Password => Self::Password,
            Kind::OpenIdLegacy => Self::OpenIdLegacy,
        }
    }
}

/// Where the secret is. It is never an argument: others on the machine could see it.
#[derive(Debug, Args)]
pub(crate) struct SecretFile {
    /// A file with the secret of the client at the provider; `-` is standard input
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
}

impl SecretFile {
    fn read(&self) -> Result<Option<ClientSecret>, Failure> {
        let secret = |path: &Path| {
            let text = documents::text(path)?;
            // The line feed that editors and `echo` leave is no part of it.
            Ok(text.trim_end_matches(['\n', '\r']).parse()?)
        };
        self.client_secret_file.as_deref().map(secret).transpose()
    }
}

/// A connection from flags or a file.
#[derive(Debug, Args)]
pub(crate) struct ConnectionCreation {
    /// Its id [default: made by the server]
    id: Option<ConnectionId>,
    /// How the provider signs users in
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<Kind>,
    /// Where users sign in
    #[arg(long, value_name = "URL")]
    authentication_url: Option<AuthenticationUrl>,
    /// Where codes are exchanged for tokens
    #[arg(long, value_name = "URL")]
    token_url: Option<EndpointUrl>,
    /// The issuer of the provider's tokens, or its entity id
    #[arg(long, value_name = "TEXT")]
    issuer: Option<ConnectionText>,
    /// As which client this server is known to the provider
    #[arg(long, value_name = "TEXT")]
    client_id: Option<ConnectionText>,
    #[command(flatten)]
    secret: SecretFile,
    /// A label; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    tag: Vec<Tag>,
    /// A file with the connection in YAML or JSON; `-` is standard input
    #[arg(long, short, value_name = "FILE", conflicts_with_all = [
        "id", "kind", "authentication_url", "token_url", "issuer", "client_id", "tag"])]
    file: Option<PathBuf>,
}

impl ConnectionCreation {
    fn request(self) -> Result<ConnectionRequest, Failure> {
        let mut connection: ConnectionRequest = match &self.file {
            Some(file) => documents::read(file)?,
            None => ConnectionRequest {
                connection_id: self.id,
                kind: self.kind.map(ConnectionType::from),
                authentication_url: self.authentication_url,
                token_url: self.token_url,
                issuer_url: self.issuer,
                client_id: self.client_id,
                tags: tags(&self.tag)?,
                ..ConnectionRequest::default()
            },
        };
        if let Some(secret) = self.secret.read()? {
            connection.client_secret = Some(secret);
        }
        Ok(connection)
    }
}

pub(crate) async fn run(command: ConnectionCommand, session: &Session) -> Result<(), Failure> {
    let (connections, output) = (session.client.connections(), &session.output);
    match command {
        ConnectionCommand::List { filter, limit } => {
            let pages = match filter {
                Some(filter) => connections.list().filter(filter),
                None => connections.list(),
            };
            let headings = ["CONNECTION", "TYPE", "NAME", "ISSUER", "CHANGED"];
            output.list(pages, &limit, &headings, row).await
        }
        ConnectionCommand::Show { id } => {
            output.show(&connections.get_connection(&id).await?, describe)
        }
        ConnectionCommand::Create(creation) => {
            let connection = connections.create_connection(&creation.request()?).await?;
            output.notice(&format!(
                "Made the connection {}.",
                connection.connection_id
            ));
            output.show(&connection, describe)
        }
        ConnectionCommand::Edit { id, file, secret } => change(session, id, file, &secret).await,
        ConnectionCommand::Delete { ids, yes } => {
            deletion::delete(output, "connection", &ids, yes, async |id| {
                connections.delete_connection(id).await
            })
            .await
        }
    }
}

async fn change(
    session: &Session,
    id: ConnectionId,
    file: Option<PathBuf>,
    secret: &SecretFile,
) -> Result<(), Failure> {
    let (connections, output) = (session.client.connections(), &session.output);
    let secret = secret.read()?;
    let before = connections.get_connection(&id).await?;
    let save = async |mut connection: ConnectionRequest| -> Result<(), Failure> {
        if connections.get_connection(&id).await? != before {
            return Err(Failure::conflict(format!(
                "the connection {id} changed since it was read"
            )));
        }
        if secret.is_some() {
            connection.client_secret.clone_from(&secret);
        }
        let connection = connections.update_connection(&id, &connection).await?;
        output.notice(&format!("Changed the connection {id}."));
        output.show(&connection, describe)
    };
    if let Some(file) = file {
        return save(documents::read(&file)?).await;
    }
    let text = documents::editable(&format!("connection {id}"), &before, &before.to_request())?;
    edit::edit(output, id.as_str(), text, save).await
}

fn name(connection: &Connection) -> String {
    let name = connection.data.as_ref().and_then(|data| data.name.as_ref());
    optional(name)
}

const fn kind(connection: &Connection) -> &'static str {
    match connection.kind {
        Some(ConnectionType::OAuth2) => "OAUTH2",
        Some(ConnectionType::Saml2) => "SAML2",
        Some(ConnectionType::WebAuthN) => "WebAuthN",
        Some(ConnectionType::Password) => "PASSWORD",
        Some(ConnectionType::OpenIdLegacy) => "OPENID-LEGACY",
        None => "",
    }
}

fn row(connection: &Connection) -> Vec<String> {
    vec![
        connection.connection_id.to_string(),
        kind(connection).to_owned(),
        name(connection),
        optional(connection.issuer_url.as_ref()),
        optional(connection.last_updated.as_ref()),
    ]
}

fn describe(connection: &Connection) -> String {
    let secret = match connection.has_client_secret {
        Some(true) => "kept, encrypted",
        Some(false) => "none",
        None => "",
    };
    details([
        ("Connection", connection.connection_id.to_string()),
        ("Type", kind(connection).to_owned()),
        ("Name", name(connection)),
        (
            "Sign-in at",
            optional(connection.authentication_url.as_ref()),
        ),
        ("Tokens at", optional(connection.token_url.as_ref())),
        ("Issuer", optional(connection.issuer_url.as_ref())),
        ("Client", optional(connection.client_id.as_ref())),
        ("Secret", secret.to_owned()),
        ("Tags", words(&connection.tags)),
        ("Created", optional(connection.created_time.as_ref())),
        ("Changed", optional(connection.last_updated.as_ref())),
    ])
}
