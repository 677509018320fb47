//! `guestlist tenant`: partitions of users, usually one for each business customer.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use guestlist_api::ids::{ConnectionId, Domain, TenantId, TenantLookupIdentifier, UserId};
use guestlist_api::tenants::{
    AccessTokenDuration, AuthenticationTokenConfiguration, SessionDuration, Tenant, TenantName,
    TenantRequest,
};

use crate::connection::Session;
use crate::exits::Failure;
use crate::output::{Limit, details, optional};
use crate::{deletion, documents, edit};

/// The commands on tenants.
#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Lists tenants
    #[command(after_help = "Example:\n  guestlist tenant list --filter acme")]
    List {
        /// Only those with this text in their id, name, lookup identifier or domains
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Shows a tenant
    #[command(after_help = "Example:\n  guestlist tenant show acme")]
    Show {
        /// The tenant
        id: TenantId,
    },
    /// Makes a tenant
    #[command(after_help = "\
Examples:
  guestlist tenant create acme --name Acme --domain acme.example --connection con_acme
  guestlist tenant create -f acme.yaml")]
    Create(TenantCreation),
    /// Changes a tenant, in $EDITOR or from a file
    ///
    /// What somebody else changes while you edit is found out just before saving, but tenants have
    /// no condition that the server could check: of two changes within the same moment the later
    /// stays.
    #[command(after_help = "Example:\n  guestlist tenant edit acme")]
    Edit {
        /// The tenant
        id: TenantId,
        /// A file with the tenant as it should be; `-` is standard input
        #[arg(long, short, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Deletes tenants. Their users belong to none from then on
    #[command(after_help = "Example:\n  guestlist tenant delete acme --yes")]
    Delete {
        /// The tenants
        #[arg(required = true)]
        ids: Vec<TenantId>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Puts users into a tenant, and out of the one they are in
    #[command(after_help = "Example:\n  guestlist tenant link acme bob 'google|123'")]
    Link {
        /// The tenant
        id: TenantId,
        /// The users
        #[arg(required = true, value_name = "USER")]
        users: Vec<UserId>,
    },
}

/// A tenant from flags or a file.
#[derive(Debug, Args)]
pub(crate) struct TenantCreation {
    /// Its id [default: made by the server]
    id: Option<TenantId>,
    /// Its name
    #[arg(long)]
    name: Option<TenantName>,
    /// What an application names it by when it begins a sign-in
    #[arg(long, value_name = "TEXT")]
    lookup: Option<TenantLookupIdentifier>,
    /// A domain whose e-mail addresses belong to it; may be given several times
    #[arg(long)]
    domain: Vec<Domain>,
    /// The connection by which its users sign in
    #[arg(long)]
    connection: Option<ConnectionId>,
    /// How long a token of its users lives, as in PT1H
    #[arg(long, value_name = "DURATION")]
    token_duration: Option<AccessTokenDuration>,
    /// How long a session of its users lives, as in P30D
    #[arg(long, value_name = "DURATION")]
    session_duration: Option<SessionDuration>,
    /// A file with the tenant in YAML or JSON; `-` is standard input
    #[arg(long, short, value_name = "FILE", conflicts_with_all = [
        "id", "name", "lookup", "domain", "connection", "token_duration", "session_duration"])]
    file: Option<PathBuf>,
}

impl TenantCreation {
    fn request(self) -> Result<TenantRequest, Failure> {
        if let Some(file) = &self.file {
            return documents::read(file);
        }
        let mut tenant = TenantRequest::new();
        tenant.tenant_id = self.id;
        tenant.tenant_lookup_identifier = self.lookup;
        if let Some(name) = self.name {
            tenant = tenant.name(name);
        }
        for domain in self.domain {
            tenant = tenant.domain(domain);
        }
        if let Some(connection) = self.connection {
            tenant = tenant.connection(connection);
        }
        if self.token_duration.is_some() || self.session_duration.is_some() {
            tenant = tenant.token_configuration(AuthenticationTokenConfiguration {
                access_token_duration: self.token_duration,
                session_duration: self.session_duration,
            });
        }
        Ok(tenant)
    }
}

pub(crate) async fn run(command: TenantCommand, session: &Session) -> Result<(), Failure> {
    let (tenants, output) = (session.client.tenants(), &session.output);
    match command {
        TenantCommand::List { filter, limit } => {
            let pages = match filter {
                Some(filter) => tenants.list().filter(filter),
                None => tenants.list(),
            };
            let headings = ["TENANT", "NAME", "DOMAINS", "CONNECTION", "CREATED"];
            output.list(pages, &limit, &headings, row).await
        }
        TenantCommand::Show { id } => output.show(&tenants.get_tenant(&id).await?, describe),
        TenantCommand::Create(creation) => {
            let tenant = tenants.create_tenant(&creation.request()?).await?;
            output.notice(&format!("Made the tenant {}.", tenant.tenant_id));
            output.show(&tenant, describe)
        }
        TenantCommand::Edit { id, file } => change(session, id, file).await,
        TenantCommand::Delete { ids, yes } => {
            deletion::delete(output, "tenant", &ids, yes, async |id| {
                tenants.delete_tenant(id).await
            })
            .await
        }
        TenantCommand::Link { id, users } => {
            for user in &users {
                tenants.link_tenant_user(&id, user).await?;
                output.notice(&format!("{user} belongs to the tenant {id}."));
            }
            Ok(())
        }
    }
}

async fn change(session: &Session, id: TenantId, file: Option<PathBuf>) -> Result<(), Failure> {
    let (tenants, output) = (session.client.tenants(), &session.output);
    let before = tenants.get_tenant(&id).await?;
    let save = async |tenant: TenantRequest| -> Result<(), Failure> {
        if tenants.get_tenant(&id).await? != before {
            return Err(Failure::conflict(format!(
                "the tenant {id} changed since it was read"
            )));
        }
        let tenant = tenants.update_tenant(&id, &tenant).await?;
        output.notice(&format!("Changed the tenant {id}."));
        output.show(&tenant, describe)
    };
    if let Some(file) = file {
        return save(documents::read(&file)?).await;
    }
    let text = documents::editable(&format!("tenant {id}"), &before, &before.to_request()?)?;
    edit::edit(output, id.as_str(), text, save).await
}

fn name(tenant: &Tenant) -> String {
    let name = tenant.data.as_ref().and_then(|data| data.name.as_ref());
    optional(name)
}

fn connection(tenant: &Tenant) -> String {
    let connection = tenant.connection.as_ref();
    optional(connection.and_then(|connection| connection.connection_id.as_ref()))
}

fn domains(tenant: &Tenant) -> Vec<&str> {
    let domains = tenant.domains.iter();
    domains.map(|domain| domain.domain.as_str()).collect()
}

fn row(tenant: &Tenant) -> Vec<String> {
    vec![
        tenant.tenant_id.to_string(),
        name(tenant),
        domains(tenant).join(", "),
        connection(tenant),
        optional(tenant.created_time.as_ref()),
    ]
}

fn describe(tenant: &Tenant) -> String {
    let lives = tenant.token_configuration.as_ref();
    let token = lives.and_then(|lives| lives.access_token_duration.as_ref());
    let session = lives.and_then(|lives| lives.session_duration.as_ref());
    details([
        ("Tenant", tenant.tenant_id.to_string()),
        ("Name", name(tenant)),
        (
            "Looked up as",
            optional(tenant.tenant_lookup_identifier.as_ref()),
        ),
        ("Domains", domains(tenant).join("\n")),
        ("Connection", connection(tenant)),
        ("Tokens live", optional(token)),
        ("Sessions live", optional(session)),
        ("Created", optional(tenant.created_time.as_ref())),
    ])
}
