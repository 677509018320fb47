//! `guestlist invite create --dry-run`: what can truthfully be said of an invite before it is made.

use std::collections::BTreeSet;

use guestlist_api::ids::RoleId;
use guestlist_api::invites::{InviteRequest, InviteStatement};
use guestlist_api::limits;
use guestlist_api::roles::Permission;
use guestlist_api::times::Timestamp;
use guestlist_client::{Error, PageQuery};
use guestlist_server::clock::Clock;
use serde::Serialize;

use crate::connection::Session;
use crate::exits::Failure;
use crate::invites::{ends, given};
use crate::output::details;
use crate::roles::sentence;

/// Said in every rehearsal, because a "would do" that hides this would be believed.
const NOT_CHECKED: [&str; 2] = [
    "whether you may give this to others (the grant ceiling)",
    "whether you may choose its end, or make an invite that gives nothing (Invites:Create)",
];

/// What a rehearsal found.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rehearsal<'a> {
    dry_run: bool,
    statements: &'a [InviteStatement],
    /// Chosen, or the server's default from now on.
    expiry_time: Timestamp,
    expiry_chosen: bool,
    roles: Vec<RoleFound>,
    not_checked: [&'static str; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RoleFound {
    role_id: RoleId,
    found: Found,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Vec<Permission>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Found {
    Yes,
    /// There is no such role: the server would refuse the invite.
    No,
    /// The caller may not read it, or may not know whether it is there.
    Hidden,
}

pub(crate) async fn run(request: &InviteRequest, session: &Session) -> Result<(), Failure> {
    let now = Clock::system().now();
    // Whether the server knows the caller at all.
    let account = session.client.accounts().get_accounts().await?;
    let ids: BTreeSet<&RoleId> = request
        .statements
        .iter()
        .flat_map(|statement| statement.roles.iter())
        .collect();
    let mut roles = Vec::new();
    for id in ids {
        roles.push(role(id, session).await?);
    }
    let rehearsal = Rehearsal {
        dry_run: true,
        statements: &request.statements,
        expiry_time: request
            .expiry_time
            .unwrap_or_else(|| now.plus(limits::INVITE_LIFETIME)),
        expiry_chosen: request.expiry_time.is_some(),
        roles,
        not_checked: NOT_CHECKED,
    };
    session.output.show(&rehearsal, |rehearsal| {
        let account = account
            .first()
            .map(|account| account.account_id.to_string())
            .unwrap_or_default();
        for_people(rehearsal, &account, now)
    })?;
    let missing: Vec<&str> = rehearsal
        .roles
        .iter()
        .filter(|role| role.found == Found::No)
        .map(|role| role.role_id.as_str())
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid(format!(
            "the server would refuse this: there is no role {}",
            missing.join(", ")
        ))
        .hint("`guestlist role list` shows the roles there are."))
    }
}

async fn role(id: &RoleId, session: &Session) -> Result<RoleFound, Failure> {
    let found = |found, permissions| RoleFound {
        role_id: id.clone(),
        found,
        permissions,
    };
    match session.client.roles().get_role(id).await {
        Ok(role) => Ok(found(Found::Yes, Some(role.permissions))),
        Err(error) if error.status() == Some(403) => Ok(found(Found::Hidden, None)),
        Err(error) if error.is_not_found() => {
            // Not there, or not for this caller's eyes: only who may list roles can tell.
            let query = PageQuery::new().limit(1);
            match session.client.roles().get_roles(&query).await {
                Ok(_page) => Ok(found(Found::No, None)),
                Err(Error::Refused(_)) => Ok(found(Found::Hidden, None)),
                Err(error) => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn for_people(rehearsal: &Rehearsal<'_>, account: &str, now: Timestamp) -> String {
    let gives: Vec<String> = rehearsal.statements.iter().map(given).collect();
    let end = if rehearsal.expiry_chosen {
        ends(rehearsal.expiry_time, now)
    } else {
        format!(
            "about {}, by the server's default",
            ends(rehearsal.expiry_time, now)
        )
    };
    let mut lines = vec![
        ("Account", account.to_owned()),
        (
            "Would give",
            if gives.is_empty() {
                "nothing".to_owned()
            } else {
                gives.join("\n")
            },
        ),
        ("Would end", end),
    ];
    let roles: Vec<String> = rehearsal.roles.iter().map(role_line).collect();
    if !roles.is_empty() {
        lines.push(("Roles", roles.join("\n")));
    }
    lines.push(("Not checked", rehearsal.not_checked.join("\n")));
    format!("Nothing was made.\n\n{}", details(lines))
}

fn role_line(role: &RoleFound) -> String {
    let id = &role.role_id;
    match (role.found, &role.permissions) {
        (Found::Yes, Some(permissions)) if !permissions.is_empty() => {
            let permissions: Vec<String> = permissions.iter().map(sentence).collect();
            format!("{id}: {}", permissions.join(", "))
        }
        (Found::Yes, _) => format!("{id}: no permissions yet"),
        (Found::No, _) => format!("{id}: there is no such role"),
        (Found::Hidden, _) => format!("{id}: you may not read it, so it may not be there either"),
    }
}
