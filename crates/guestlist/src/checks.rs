//! `guestlist check`, `who-can` and `what-can`: questions about who may do what.

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _};
use guestlist_api::actions::Action;
use guestlist_api::ids::{RoleId, UserId};
use guestlist_api::resources::ResourceUri;
use guestlist_api::times::Timestamp;
use guestlist_api::users::{
    CollectionConfiguration, Explanation, UserPermission, UserRoleCollection,
};
use guestlist_client::{Error, UserResourcesQuery};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::connection::Session;
use crate::exits::Failure;
use crate::output::{Limit, details, optional};
use crate::roles::sentence;

/// How many resources are asked about at a time.
const AT_ONCE: usize = 8;

const CHECK_HELP: &str = "\
Prints yes and ends with exit code 0, or prints no and ends with 1. Any other exit code means that
there is no answer. Everybody may ask about themselves.

Examples:
  guestlist check ann projects/42 documents:write
  guestlist check ann projects/42 documents:write --why
  if guestlist check --quiet ann projects/42 deploy; then ./deploy; fi";

const WHO_CAN_HELP: &str = "\
Lists everybody, by whatever gives it to them: on the resource or above it, by wildcards, by groups.

Examples:
  guestlist who-can documents:write projects/42
  guestlist who-can '*' '*' --json | jq -r '.[].userId'";

const WHAT_CAN_HELP: &str = "\
Lists the resources on which the user holds something, with the roles given on exactly that resource
and what the user may do there by these and by everything above.

Examples:
  guestlist what-can ann
  guestlist what-can ann --under projects --action documents:write";

/// A question with yes or no as its answer.
#[derive(Debug, Args)]
#[command(after_help = CHECK_HELP)]
pub(crate) struct CheckArguments {
    /// The user, or a service client
    #[arg(value_name = "USER")]
    user: UserId,

    /// The resource
    #[arg(value_name = "RESOURCE")]
    resource: ResourceUri,

    /// What they would do with it
    #[arg(value_name = "ACTION")]
    action: Action,

    /// Also say which record, role, group and invite give it, as far as you may read them
    #[arg(long)]
    why: bool,
}

/// Who may do something.
#[derive(Debug, Args)]
#[command(after_help = WHO_CAN_HELP)]
pub(crate) struct WhoCanArguments {
    /// What they would do
    #[arg(value_name = "ACTION")]
    action: Action,

    /// With which resource
    #[arg(value_name = "RESOURCE")]
    resource: ResourceUri,

    #[command(flatten)]
    limit: Limit,
}

/// What a user may do.
#[derive(Debug, Args)]
#[command(after_help = WHAT_CAN_HELP)]
pub(crate) struct WhatCanArguments {
    /// The user, or a service client
    #[arg(value_name = "USER")]
    user: UserId,

    /// Only what is below this resource
    #[arg(long, value_name = "RESOURCE")]
    under: Option<ResourceUri>,

    /// Only where they may do this
    #[arg(long, value_name = "ACTION")]
    action: Option<Action>,

    #[command(flatten)]
    limit: Limit,
}

/// The answer of `check` for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked<'a> {
    allowed: bool,
    user_id: &'a UserId,
    resource_uri: &'a ResourceUri,
    action: &'a Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<Explanation>,
}

pub(crate) async fn check(arguments: CheckArguments, session: &Session) -> Result<(), Failure> {
    let CheckArguments {
        user,
        resource,
        action,
        why,
    } = &arguments;
    let questions = session.client.user_permissions();
    let (allowed, because) = if *why {
        match questions.explain_permission(user, resource, action).await {
            Ok(because) => (because.is_some(), because),
            Err(Error::Decoding(error)) if error.member() == Some("because") => {
                session
                    .output
                    .notice("This server says yes or no, but not why.");
                (true, None)
            }
            Err(error) => return Err(not_asked(error, user)),
        }
    } else {
        let allowed = questions.is_allowed(user, resource, action).await;
        (allowed.map_err(|error| not_asked(error, user))?, None)
    };
    let checked = Checked {
        allowed,
        user_id: user,
        resource_uri: resource,
        action,
        because,
    };
    session.output.show(&checked, |checked| {
        let answer = if checked.allowed { "yes" } else { "no" };
        match &checked.because {
            Some(because) => format!("{answer}\n\n{}", reason(because)),
            None => answer.to_owned(),
        }
    })?;
    if allowed { Ok(()) } else { Err(Failure::no()) }
}

fn reason(because: &Explanation) -> String {
    if because.public {
        return details([
            ("Everybody", "may read it".to_owned()),
            ("Resource", because.resource_uri.as_str().to_owned()),
            ("Action", because.action.as_str().to_owned()),
        ]);
    }
    let hidden = || "(you may not read it)".to_owned();
    let record = because.record_id.as_ref();
    let mut lines = vec![
        ("Record", record.map_or_else(hidden, ToString::to_string)),
        (
            "Role",
            because
                .role_id
                .as_ref()
                .map_or_else(hidden, ToString::to_string),
        ),
        ("Resource", because.resource_uri.as_str().to_owned()),
        ("Action", because.action.as_str().to_owned()),
        ("Group", optional(because.group_id.as_ref())),
        ("Invite", optional(because.invite_reference.as_ref())),
        ("Accepted", optional(because.accepted_time.as_ref())),
        ("Until", optional(because.expiry_time.as_ref())),
    ];
    lines.retain(|(_, value)| !value.is_empty());
    details(lines)
}

fn not_asked(error: Error, user: &UserId) -> Failure {
    let denied = error.status() == Some(403);
    let failure = Failure::from(error);
    if denied && !failure.message().contains("Authress:UserPermissions") {
        failure.hint(format!(
            "To ask about somebody else, READ on Authress:UserPermissions/{user} is needed."
        ))
    } else {
        failure
    }
}

pub(crate) async fn who_can(arguments: WhoCanArguments, session: &Session) -> Result<(), Failure> {
    let WhoCanArguments {
        action,
        resource,
        limit,
    } = &arguments;
    // Servers that do not know the question answer another one, and would be believed.
    session.client.accounts().get_accounts().await?;
    if session.client.revision().is_none() {
        return Err(Failure::invalid(
            "this server cannot say who may do something: it is no Guestlist server",
        ));
    }
    let users = session
        .client
        .resource_permissions()
        .list_users_who_can(resource, action);
    session
        .output
        .list(users, limit, &["USER", "BY ROLES"], |user| {
            vec![user.user_id.to_string(), roles(user)]
        })
        .await
}

/// What is held, with when it ends.
fn until(held: String, ends: Option<Timestamp>) -> String {
    match ends {
        Some(instant) => format!("{held} until {instant}"),
        None => held,
    }
}

fn roles(user: &UserRoleCollection) -> String {
    let roles: Vec<&str> = user
        .roles
        .iter()
        .map(|role| role.role_id.as_str())
        .collect();
    roles.join(", ")
}

/// One resource of a user.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Held {
    resource_uri: ResourceUri,
    roles: Vec<RoleId>,
    permissions: Vec<UserPermission>,
}

pub(crate) async fn what_can(
    arguments: WhatCanArguments,
    session: &Session,
) -> Result<(), Failure> {
    let WhatCanArguments {
        user,
        under,
        action,
        limit,
    } = &arguments;
    let mut query =
        UserResourcesQuery::new().collection_configuration(CollectionConfiguration::IncludeNested);
    if let Some(collection) = under {
        query = query.resource_uri(collection.clone());
    }
    if let Some(action) = action {
        query = query.permission(action.clone());
    }
    let mut pages = session
        .client
        .user_permissions()
        .list_user_resources(user, &query);
    let mut resources = Vec::new();
    let mut more = false;
    while let Some(resource) = pages
        .try_next()
        .await
        .map_err(|error| not_asked(error, user))?
    {
        if limit.is_reached(resources.len()) {
            more = true;
            break;
        }
        resources.push(resource.resource_uri);
    }
    let progress = progress(session, resources.len());
    let held: Vec<Held> = futures_util::stream::iter(resources)
        .map(|resource| held(user, resource, session))
        .buffered(AT_ONCE)
        .inspect_ok(|_| progress.inc(1))
        .try_collect()
        .await?;
    progress.finish_and_clear();
    let headings = ["RESOURCE", "ROLES", "MAY"];
    session.output.show_all(&held, &headings, |held| {
        let roles: Vec<&str> = held.roles.iter().map(RoleId::as_str).collect();
        let permissions = held.permissions.iter();
        let permissions: Vec<String> = permissions
            .map(|held| until(sentence(&held.permission), held.expiry_time))
            .collect();
        vec![
            held.resource_uri.as_str().to_owned(),
            roles.join(", "),
            permissions.join(", "),
        ]
    })?;
    if more {
        session.output.notice(&format!(
            "There are more than these {}: --limit NUMBER or --all shows them.",
            held.len()
        ));
    }
    Ok(())
}

fn progress(session: &Session, length: usize) -> ProgressBar {
    if !session.output.shows_progress() || length <= AT_ONCE {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX));
    match ProgressStyle::with_template("{pos} of {len} resources {wide_bar} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What is held there now. It may be nothing any more: then the lists are empty.
async fn held(user: &UserId, resource: ResourceUri, session: &Session) -> Result<Held, Failure> {
    let questions = session.client.user_permissions();
    let (roles, permissions) = tokio::join!(
        questions.get_user_roles_for_resource(user, &resource),
        questions.get_user_permissions_for_resource(user, &resource),
    );
    let roles = match roles {
        Ok(held) => held.roles.into_iter().map(|role| role.role_id).collect(),
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let permissions = match permissions {
        Ok(held) => held.permissions,
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    Ok(Held {
        resource_uri: resource,
        roles,
        permissions,
    })
}
