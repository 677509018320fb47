//! `guestlist invite list` and what else is done with invites by those who do not use them.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use guestlist_api::ids::{Domain, GroupId, InviteReference, RoleId, UserId};
use guestlist_api::invite_effects::{EffectiveGrant, InviteEffect};
use guestlist_api::invite_lists::{
    InviteMoment, InviteOrder, InviteReason, InviteRevocation, InviteState, InviteSummary,
};
use guestlist_api::invite_terms::Invitee;
use guestlist_api::invites::InviteRequest;
use guestlist_api::resources::ResourceUri;
use guestlist_server::clock::Clock;
use serde::Serialize;

use crate::connection::Session;
use crate::documents;
use crate::exits::Failure;
use crate::invite_grants::{self, InviteGrantCommand};
use crate::invite_request::Expiry;
use crate::invite_settings::{self, SettingsArguments};
use crate::invite_statistics::{self, StatisticsArguments};
use crate::output::{Limit, details, optional};
use crate::roles::sentence;
use crate::tags::{Tag, words};

/// The commands that name invites by reference, or none in particular.
#[derive(Debug, Subcommand)]
pub(crate) enum InviteListCommand {
    /// Lists the invites that you made or may read, whatever became of them
    #[command(after_help = "\
Examples:
  guestlist invite list --status pending
  guestlist invite list --for ann@example.com --all
  guestlist invite list --sort newest --limit 10
  guestlist invite list --by alice --on projects/42 --json")]
    List(Narrowed),
    /// Shows where an invite stands, by its reference
    #[command(after_help = "Example:\n  guestlist invite status 7Q2m9fK3xP4a")]
    Status {
        /// The reference: the public half of the id
        reference: InviteReference,
    },
    /// Shows what happened to an invite
    #[command(after_help = "Example:\n  guestlist invite history 7Q2m9fK3xP4a")]
    History {
        /// The reference: the public half of the id
        reference: InviteReference,
    },
    /// Tells what accepting an invite would do for a user, without doing it
    #[command(after_help = "Example:\n  guestlist invite effect 7Q2m9fK3xP4a ann")]
    Effect {
        /// The reference: the public half of the id
        reference: InviteReference,
        /// The user
        user: UserId,
    },
    /// Gives an invite another id and more time; the old id is dead at once
    #[command(after_help = "\
Also for an invite that expired or was declined. The new id is printed on standard output and nowhere
else.

Example:
  guestlist invite renew 7Q2m9fK3xP4a --expires 5d > ann.invite")]
    Renew {
        /// The reference: the public half of the id
        reference: InviteReference,
        /// When it ends: after a time (36h, 5d) or at a time (2026-01-02T03:04Z) [default: 7 days]
        #[arg(long, value_name = "DURATION|TIME")]
        expires: Option<Expiry>,
    },
    /// Replaces what a pending invite holds, under the same id
    #[command(after_help = "\
Example:
  guestlist invite status 7Q2m9fK3xP4a --yaml > invite.yaml
  guestlist invite change 7Q2m9fK3xP4a -f invite.yaml")]
    Change {
        /// The reference: the public half of the id
        reference: InviteReference,
        /// A file with the invite as it should be, in YAML or JSON; `-` is standard input. With a
        /// `lastUpdated` it is changed only if it was last updated then
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
    /// Withdraws all invites that fit and can still be used
    #[command(after_help = "\
Examples:
  guestlist invite revoke-all --by alice
  guestlist invite revoke-all --on projects/42 --reason 'project ended' --yes")]
    RevokeAll(RevokeAll),
    /// Lists the invites that are for a user by name: for you, or for one of whom you may ask
    #[command(after_help = "\
What is for you by name is accepted by its reference: guestlist invite accept 7Q2m9fK3xP4a

Example:
  guestlist invite inbox ann")]
    Inbox {
        /// The user
        user: UserId,
        #[command(flatten)]
        limit: Limit,
    },
    /// Tells what became of invites: how many were accepted, how soon, and where they stand
    Statistics(StatisticsArguments),
    /// Shows what holds for all invites of the account, or sets it
    Settings(SettingsArguments),
    #[command(flatten)]
    Grants(InviteGrantCommand),
}

/// Which invites to list.
#[derive(Debug, Args)]
pub(crate) struct Narrowed {
    /// Only those that stand so now
    #[arg(long, value_name = "STATUS")]
    status: Option<State>,
    /// Only those for this user id or e-mail address
    #[arg(long = "for", value_name = "USER|ADDRESS", value_parser = invitee)]
    invitee: Option<Invitee>,
    /// Only those of this inviter
    #[arg(long = "by", value_name = "USER")]
    inviter: Option<UserId>,
    /// Only those that give something on exactly this resource
    #[arg(long = "on", value_name = "RESOURCE")]
    resource: Option<ResourceUri>,
    /// Only those with this tag
    #[arg(long, value_name = "NAME=VALUE")]
    tag: Option<Tag>,
    /// The order [default: reference]
    #[arg(long, value_name = "ORDER")]
    sort: Option<Order>,
    #[command(flatten)]
    limit: Limit,
}

/// The order of a list, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    /// By reference
    Reference,
    /// Those that end first
    Expiry,
    /// Those that were made first
    Created,
    /// Those that were made last
    Newest,
}

impl Order {
    const fn order(self) -> InviteOrder {
        match self {
            Self::Reference => InviteOrder::Reference,
            Self::Expiry => InviteOrder::Expiry,
            Self::Created => InviteOrder::Created,
            Self::Newest => InviteOrder::CreatedLast,
        }
    }
}

/// Which invites to withdraw.
#[derive(Debug, Args)]
pub(crate) struct RevokeAll {
    /// Those for this user id or e-mail address
    #[arg(long = "for", value_name = "USER|ADDRESS", value_parser = invitee,
        required_unless_present_any = ["inviter", "resource", "tag"])]
    invitee: Option<Invitee>,
    /// Those of this inviter
    #[arg(long = "by", value_name = "USER")]
    inviter: Option<UserId>,
    /// Those that give something on exactly this resource
    #[arg(long = "on", value_name = "RESOURCE")]
    resource: Option<ResourceUri>,
    /// Those with this tag
    #[arg(long, value_name = "NAME=VALUE")]
    tag: Option<Tag>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<InviteReason>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Where an invite stands, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    Pending,
    Scheduled,
    Suspended,
    AwaitingApproval,
    Expired,
    Accepted,
    Exhausted,
    Declined,
    Revoked,
}

impl State {
    const fn state(self) -> InviteState {
        match self {
            Self::Pending => InviteState::Pending,
            Self::Scheduled => InviteState::Scheduled,
            Self::Suspended => InviteState::Suspended,
            Self::AwaitingApproval => InviteState::AwaitingApproval,
            Self::Expired => InviteState::Expired,
            Self::Accepted => InviteState::Accepted,
            Self::Exhausted => InviteState::Exhausted,
            Self::Declined => InviteState::Declined,
            Self::Revoked => InviteState::Revoked,
        }
    }
}

/// An e-mail address, or a user id.
pub(crate) fn invitee(text: &str) -> Result<Invitee, guestlist_api::text::Malformed> {
    if let Ok(email) = text.parse() {
        return Ok(Invitee::Email(email));
    }
    text.parse().map(Invitee::User)
}

pub(crate) async fn run(command: InviteListCommand, session: &Session) -> Result<(), Failure> {
    let (invites, output) = (session.client.invites(), &session.output);
    match command {
        InviteListCommand::List(narrowed) => {
            let mut pages = invites.list();
            if let Some(status) = narrowed.status {
                pages = pages.status(status.state());
            }
            if let Some(invitee) = &narrowed.invitee {
                pages = pages.invitee(invitee);
            }
            if let Some(inviter) = &narrowed.inviter {
                pages = pages.inviter(inviter);
            }
            if let Some(resource) = &narrowed.resource {
                pages = pages.resource(resource);
            }
            if let Some(tag) = &narrowed.tag {
                let (name, value) = tag.parts();
                pages = pages.tag(name, value);
            }
            if let Some(sort) = narrowed.sort {
                pages = pages.sorted(sort.order());
            }
            output.list(pages, &narrowed.limit, &HEADINGS, row).await
        }
        InviteListCommand::Status { reference } => {
            let invite = invites.get_invite_by_reference(&reference).await?;
            output.show(&invite, describe)
        }
        InviteListCommand::History { reference } => {
            let moments = invites.get_invite_events(&reference).await?;
            let headings = ["TIME", "WHAT", "BY", "WHY"];
            output.show_all(&moments, &headings, moment)
        }
        InviteListCommand::Effect { reference, user } => {
            let effect = invites.get_invite_effect_for(&reference, &user).await?;
            output.show(&effect, told)
        }
        InviteListCommand::Renew { reference, expires } => {
            let now = Clock::system().now();
            let expiry = expires.map(|expiry| expiry.from(now)).transpose()?;
            let invite = invites.renew_invite(&reference, expiry).await?;
            output.notice(&format!(
                "Renewed {reference}: the id that was passed on before is dead."
            ));
            output.show(&invite, |invite| invite.invite_id.reveal().to_owned())
        }
        InviteListCommand::Change { reference, file } => change(session, &reference, &file).await,
        InviteListCommand::RevokeAll(which) => revoke_all(which, session).await,
        InviteListCommand::Inbox { user, limit } => {
            let pages = invites.list_for(&user);
            output.list(pages, &limit, &HEADINGS, row).await
        }
        InviteListCommand::Statistics(arguments) => {
            invite_statistics::run(arguments, session).await
        }
        InviteListCommand::Settings(arguments) => invite_settings::run(arguments, session).await,
        InviteListCommand::Grants(command) => invite_grants::run(command, session).await,
    }
}

async fn change(
    session: &Session,
    reference: &InviteReference,
    file: &Path,
) -> Result<(), Failure> {
    let (request, basis): (InviteRequest, _) = documents::read_change(file)?;
    let invites = session.client.invites();
    let invite = invites
        .update_invite(reference, &request, basis.last_updated)
        .await?;
    session.output.notice(&format!("Changed {reference}."));
    session.output.show(&invite, describe)
}

/// What was withdrawn, for programs.
#[derive(Serialize)]
struct Revoked {
    revoked: Vec<InviteReference>,
}

async fn revoke_all(which: RevokeAll, session: &Session) -> Result<(), Failure> {
    let (invites, output) = (session.client.invites(), &session.output);
    if !which.yes {
        output.confirm("Withdraw all invites that fit?", false)?;
    }
    let revocation = InviteRevocation {
        inviter_user_id: which.inviter,
        invitee: which.invitee,
        resource_uri: which.resource,
        tag: which.tag.map(|tag| {
            let (name, value) = tag.parts();
            format!("{name}={value}")
        }),
        reason: which.reason,
    };
    let mut revoked = Vec::new();
    loop {
        let part = invites.revoke_invites(&revocation).await?;
        let nothing = part.revoked.is_empty();
        revoked.extend(part.revoked);
        if !part.more || nothing {
            break;
        }
        output.notice(&format!("Withdrew {} so far.", revoked.len()));
    }
    output.show(&Revoked { revoked }, |found| {
        let lines: Vec<String> = found.revoked.iter().map(ToString::to_string).collect();
        if lines.is_empty() {
            "Nothing fits that can still be used.".to_owned()
        } else {
            lines.join("\n")
        }
    })
}

const HEADINGS: [&str; 6] = ["REFERENCE", "STATUS", "GIVES", "FOR", "BY", "EXPIRES"];

fn gives(invite: &InviteSummary) -> String {
    let statements = invite.statements.iter().map(|statement| {
        let roles: Vec<&str> = statement.roles.iter().map(RoleId::as_str).collect();
        let resources: Vec<&str> = statement
            .resources
            .iter()
            .map(|resource| resource.resource_uri.as_str())
            .collect();
        format!("{} on {}", roles.join(","), resources.join(","))
    });
    statements.collect::<Vec<_>>().join("; ")
}

fn whom(invite: &InviteSummary) -> String {
    match &invite.invitee {
        Some(Invitee::User(user)) => user.to_string(),
        Some(Invitee::Email(email)) => email.to_string(),
        None if invite.uses.max > 1 => format!("{} of {}", invite.uses.accepted, invite.uses.max),
        None => String::new(),
    }
}

fn row(invite: &InviteSummary) -> Vec<String> {
    vec![
        invite.reference.to_string(),
        invite.status.to_string(),
        gives(invite),
        whom(invite),
        invite.inviter.user_id.to_string(),
        invite.expiry_time.to_string(),
    ]
}

fn approval(invite: &InviteSummary) -> String {
    let approval = invite.approval.as_ref();
    approval.map_or_else(String::new, |approval| match &approval.request_id {
        Some(request) => format!("asked for by {request}"),
        None => "required".to_owned(),
    })
}

pub(crate) fn describe(invite: &InviteSummary) -> String {
    let restrictions = &invite.restrictions;
    let domains: Vec<&str> = restrictions
        .email_domains
        .iter()
        .map(Domain::as_str)
        .collect();
    details([
        ("Reference", invite.reference.to_string()),
        ("Status", invite.status.to_string()),
        ("Why", optional(invite.status_reason.as_ref())),
        ("Gives", gives(invite)),
        ("For", whom(invite)),
        ("Domains", domains.join(", ")),
        ("Issuer", optional(restrictions.issuer.as_ref())),
        ("Not before", optional(restrictions.not_before.as_ref())),
        (
            "Used",
            format!("{} of {}", invite.uses.accepted, invite.uses.max),
        ),
        ("Approval", approval(invite)),
        ("Inviter", invite.inviter.user_id.to_string()),
        ("Made", invite.created_time.to_string()),
        ("Expires", invite.expiry_time.to_string()),
        ("Ended", optional(invite.responded_time.as_ref())),
        ("Tags", words(&invite.tags)),
    ])
}

fn granted(grants: &[EffectiveGrant]) -> String {
    let lines = grants.iter().map(|grant| {
        let permissions: Vec<String> = grant.permissions.iter().map(sentence).collect();
        format!(
            "{} on {}: {}",
            grant.role_id,
            grant.resource_uri,
            permissions.join(", ")
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn told(effect: &InviteEffect) -> String {
    details(effect_lines(effect))
}

/// What accepting would do, for people. What there is nothing to say of is left out.
pub(crate) fn effect_lines(effect: &InviteEffect) -> Vec<(&'static str, String)> {
    let replaced = effect.replaced.iter();
    let replaced: Vec<String> = replaced
        .map(|grant| format!("{} on {}", grant.role_id, grant.resource_uri))
        .collect();
    let users: Vec<&str> = effect.other_users.iter().map(UserId::as_str).collect();
    let groups: Vec<&str> = effect.other_groups.iter().map(GroupId::as_str).collect();
    let risks: Vec<&str> = effect.risk_flags.iter().map(|flag| flag.name()).collect();
    let gains = match granted(&effect.gains) {
        gains if gains.is_empty() => "nothing".to_owned(),
        gains => gains,
    };
    let lines = [
        ("Outcome", effect.outcome.to_string()),
        ("Refused", optional(effect.error_code.as_ref())),
        ("Record", optional(effect.record_id.as_ref())),
        ("Gains", gains),
        ("Has already", granted(&effect.already_held)),
        ("Loses", replaced.join("\n")),
        ("Others", [users, groups].concat().join(", ")),
        ("Look twice", risks.join(", ")),
        (
            "Approval",
            if effect.approval_required {
                "required"
            } else {
                ""
            }
            .to_owned(),
        ),
    ];
    let lines = lines.into_iter();
    lines.filter(|(_, said)| !said.is_empty()).collect()
}

fn moment(moment: &InviteMoment) -> Vec<String> {
    let what = serde_json::to_value(moment.change)
        .ok()
        .and_then(|value| value.as_str().map(str::to_lowercase))
        .unwrap_or_default();
    vec![
        moment.time.to_string(),
        what,
        optional(moment.user_id.as_ref()),
        optional(moment.reason.as_ref()),
    ]
}
