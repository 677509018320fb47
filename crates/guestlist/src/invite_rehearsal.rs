//! `guestlist invite create --dry-run`: what the server would answer, and what accepting would do.

use guestlist_api::invite_effects::InviteEffect;
use guestlist_api::invites::{InviteRequest, InviteStatement};
use guestlist_api::limits;
use guestlist_api::times::Timestamp;
use guestlist_server::clock::Clock;
use serde::Serialize;

use crate::connection::Session;
use crate::exits::Failure;
use crate::invite_lists::effect_lines;
use crate::invites::{ends, given};
use crate::output::details;

/// What a rehearsal found.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rehearsal<'a> {
    dry_run: bool,
    statements: &'a [InviteStatement],
    /// Chosen, or the server's default from now on.
    expiry_time: Timestamp,
    expiry_chosen: bool,
    effect: InviteEffect,
}

/// Refused as making the invite would be.
pub(crate) async fn run(request: &InviteRequest, session: &Session) -> Result<(), Failure> {
    let now = Clock::system().now();
    let invites = session.client.invites();
    // A server that has no list of invites knows no rehearsal either, and would make the invite.
    invites.list().page_size(1).try_next().await?;
    let effect = invites.try_invite(request).await?;
    let rehearsal = Rehearsal {
        dry_run: true,
        statements: &request.statements,
        expiry_time: request
            .expiry_time
            .unwrap_or_else(|| now.plus(limits::INVITE_LIFETIME)),
        expiry_chosen: request.expiry_time.is_some(),
        effect,
    };
    session
        .output
        .show(&rehearsal, |rehearsal| for_people(rehearsal, now))
}

fn for_people(rehearsal: &Rehearsal<'_>, now: Timestamp) -> String {
    let gives: Vec<String> = rehearsal.statements.iter().map(given).collect();
    let gives = if gives.is_empty() {
        "nothing".to_owned()
    } else {
        gives.join("\n")
    };
    let end = ends(rehearsal.expiry_time, now);
    let end = if rehearsal.expiry_chosen {
        end
    } else {
        format!("about {end}, by the server's default")
    };
    let lines = [("Would give", gives), ("Would end", end)];
    let lines = lines.into_iter().chain(effect_lines(&rehearsal.effect));
    format!("Nothing was made.\n\n{}", details(lines))
}
