//! `guestlist invite settings`: what the account decides about all its invites.

use clap::{Args, ValueEnum};
use guestlist_api::invite_settings::{InviteSettings, LostAuthority};

use crate::connection::Session;
use crate::exits::Failure;
use crate::output::{details, optional};

/// What to set; nothing shows what is set.
#[derive(Debug, Args)]
#[command(after_help = "\
Without options it shows what is set.

Examples:
  guestlist invite settings
  guestlist invite settings --lost-authority revoke
  guestlist invite settings --approval-for-risk true")]
pub(crate) struct SettingsArguments {
    /// What becomes of invites whose inviter may no longer give what they hold
    #[arg(long, value_name = "POLICY")]
    lost_authority: Option<Policy>,

    /// Whether invites that deserve a second look (something on *, every action, the right to give
    /// something on, the service's own resources) must be approved, by somebody else than whoever
    /// made them
    #[arg(long, value_name = "BOOLEAN", action = clap::ArgAction::Set)]
    approval_for_risk: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Policy {
    /// Nobody can accept them until the inviter may give that again
    Suspend,
    /// They are withdrawn for good
    Revoke,
}

pub(crate) async fn run(arguments: SettingsArguments, session: &Session) -> Result<(), Failure> {
    let invites = session.client.invites();
    let mut settings = invites.get_invite_settings().await?;
    if let Some(policy) = arguments.lost_authority {
        settings.lost_authority = match policy {
            Policy::Suspend => LostAuthority::Suspend,
            Policy::Revoke => LostAuthority::Revoke,
        };
    }
    if let Some(required) = arguments.approval_for_risk {
        settings.approval.required_for_risk = required;
    }
    if arguments.lost_authority.is_some() || arguments.approval_for_risk.is_some() {
        settings = invites.set_invite_settings(&settings).await?;
    }
    session
        .output
        .show(&settings, |settings| details(lines(settings)))
}

fn lines(settings: &InviteSettings) -> Vec<(&'static str, String)> {
    let lost = match settings.lost_authority {
        LostAuthority::Suspend => "invites of who may no longer give what they hold are suspended",
        LostAuthority::Revoke => "invites of who may no longer give what they hold are withdrawn",
    };
    let approval = if settings.approval.required_for_risk {
        "invites that deserve a second look must be approved by somebody else"
    } else {
        "only invites that say so must be approved"
    };
    vec![
        ("Approval", approval.to_owned()),
        ("Lost authority", lost.to_owned()),
        ("Last updated", optional(settings.last_updated.as_ref())),
    ]
}
