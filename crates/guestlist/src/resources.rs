//! `guestlist resource` and `guestlist claim`: what everybody may do with a resource, and resources
//! that are nobody's.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use guestlist_api::claims::{ClaimRequest, CollectionResource, ResourceId};
use guestlist_api::resource_configurations::{
    ConfiguredAction, PermissionedResource, PermissionedResourceRequest,
};
use guestlist_api::resources::ResourceUri;
use serde::Serialize;

use crate::connection::Session;
use crate::documents;
use crate::exits::Failure;
use crate::output::{Limit, details, optional};

/// The commands on resource configurations.
#[derive(Debug, Subcommand)]
pub(crate) enum ResourceCommand {
    /// Lists the resources for which it is said what everybody may do
    #[command(after_help = "Example:\n  guestlist resource list --filter rooms")]
    List {
        /// Only those with this text in their URI
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Shows what everybody may do with a resource
    #[command(after_help = "Example:\n  guestlist resource show rooms")]
    Show {
        /// The resource
        uri: ResourceUri,
    },
    /// Says what everybody may do with a resource
    ///
    /// What is not said stays as it is. What is newly allowed you must be able to give: the owner role
    /// on the resource for claims, reading it for public.
    #[command(after_help = "\
Examples:
  guestlist resource configure rooms --claim allow
  guestlist resource configure press-releases --public allow
  guestlist resource configure rooms -f rooms.yaml")]
    Configure(Configuration),
}

/// What everybody may do, by flags or from a file.
#[derive(Debug, Args)]
pub(crate) struct Configuration {
    /// The resource, without wildcards
    uri: ResourceUri,
    /// Whether everybody may claim what lies directly below it and is nobody's
    #[arg(long, value_name = "ALLOW", required_unless_present_any = ["public", "file"])]
    claim: Option<Said>,
    /// Whether everybody may read it and what is below it
    #[arg(long, value_name = "ALLOW")]
    public: Option<Said>,
    /// A file with the whole configuration in YAML or JSON; `-` is standard input
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["claim", "public"])]
    file: Option<PathBuf>,
}

/// Whether something is allowed to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Said {
    Allow,
    Deny,
}

impl Said {
    const fn of(allow: bool) -> Self {
        if allow { Self::Allow } else { Self::Deny }
    }

    const fn allows(self) -> bool {
        match self {
            Self::Allow => true,
            Self::Deny => false,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

const ACTIONS: [ConfiguredAction; 2] = [ConfiguredAction::Claim, ConfiguredAction::Public];

pub(crate) async fn run(command: ResourceCommand, session: &Session) -> Result<(), Failure> {
    let (resources, output) = (session.client.resource_permissions(), &session.output);
    match command {
        ResourceCommand::List { filter, limit } => {
            let pages = match filter {
                Some(filter) => resources.list_permissioned_resources().filter(filter),
                None => resources.list_permissioned_resources(),
            };
            let headings = ["RESOURCE", "CLAIM", "PUBLIC"];
            output.list(pages, &limit, &headings, row).await
        }
        ResourceCommand::Show { uri } => {
            let configuration = resources.get_permissioned_resource(&uri).await?;
            output.show(&configuration, describe)
        }
        ResourceCommand::Configure(configuration) => configure(configuration, session).await,
    }
}

async fn configure(configuration: Configuration, session: &Session) -> Result<(), Failure> {
    let (resources, output) = (session.client.resource_permissions(), &session.output);
    let uri = &configuration.uri;
    let request = if let Some(file) = &configuration.file {
        documents::read(file)?
    } else {
        let before = match resources.get_permissioned_resource(uri).await {
            Ok(before) => Some(before),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        changed(&configuration, before.as_ref())?
    };
    resources
        .update_permissioned_resource(uri, &request)
        .await?;
    output.notice(&format!("Configured {uri}."));
    let after = PermissionedResource {
        resource_uri: Some(uri.clone()),
        permissions: request.permissions.into_vec(),
    };
    output.show(&after, describe)
}

/// What was configured before, with what the flags say in its place.
fn changed(
    wanted: &Configuration,
    before: Option<&PermissionedResource>,
) -> Result<PermissionedResourceRequest, Failure> {
    let mut request: Option<PermissionedResourceRequest> = None;
    for action in ACTIONS {
        let flag = match action {
            ConfiguredAction::Claim => wanted.claim,
            ConfiguredAction::Public => wanted.public,
        };
        let Some(said) = flag.or_else(|| before.and_then(|before| said(before, action))) else {
            continue;
        };
        request = Some(match request {
            Some(request) => request.permission(action, said.allows()),
            None => PermissionedResourceRequest::new(action, said.allows()),
        });
    }
    request.ok_or_else(|| Failure::invalid("say --claim or --public"))
}

fn said(configuration: &PermissionedResource, action: ConfiguredAction) -> Option<Said> {
    let mut permissions = configuration.permissions.iter();
    let said = permissions.find(|said| said.action == action)?;
    Some(Said::of(said.allow))
}

fn word(configuration: &PermissionedResource, action: ConfiguredAction) -> String {
    said(configuration, action).map_or_else(String::new, |said| said.word().to_owned())
}

fn row(configuration: &PermissionedResource) -> Vec<String> {
    vec![
        optional(configuration.resource_uri.as_ref()),
        word(configuration, ConfiguredAction::Claim),
        word(configuration, ConfiguredAction::Public),
    ]
}

fn describe(configuration: &PermissionedResource) -> String {
    details([
        ("Resource", optional(configuration.resource_uri.as_ref())),
        ("Claim", word(configuration, ConfiguredAction::Claim)),
        ("Public", word(configuration, ConfiguredAction::Public)),
    ])
}

/// Claims a resource.
#[derive(Debug, Args)]
#[command(after_help = "\
The collection must be configured for claims: guestlist resource configure rooms --claim allow

Example:
  guestlist claim rooms 42")]
pub(crate) struct ClaimArguments {
    /// The collection, without wildcards
    collection: CollectionResource,
    /// What in it: one segment
    id: ResourceId,
}

/// What was claimed, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Claimed {
    resource_uri: ResourceUri,
}

pub(crate) async fn claim(arguments: ClaimArguments, session: &Session) -> Result<(), Failure> {
    let request = ClaimRequest::new(arguments.collection, arguments.id);
    let resource_uri = request
        .resource_uri()
        .map_err(|reason| Failure::invalid(reason.to_string()))?;
    let records = session.client.access_records();
    records.create_claim(&request).await?;
    let claimed = Claimed { resource_uri };
    session.output.show(&claimed, |claimed| {
        format!("{} is yours.", claimed.resource_uri)
    })
}
