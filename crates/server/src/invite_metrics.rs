//! What happened to invites since the start, counted for operators as the changes are taken in.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use guestlist_api::times::Timestamp;
use guestlist_rules::changes::{Committed, Kind, published};
use serde::Deserialize;

/// What can happen to an invite, as in the types of events (`invite.accepted`).
const EVENTS: [&str; 16] = [
    "created",
    "updated",
    "renewed",
    "previewed",
    "accepted",
    "accept-failed",
    "approval-requested",
    "approved",
    "denied",
    "declined",
    "revoked",
    "undone",
    "suspended",
    "resumed",
    "expired",
    "exhausted",
];
/// Those by which somebody gained what the invite holds.
const GAINED: [&str; 2] = ["accepted", "approved"];

/// Seconds from making an invite to an accept: a minute, ten, an hour, six, a day, three, seven, thirty.
const BOUNDS: [u64; 8] = [60, 600, 3_600, 21_600, 86_400, 259_200, 604_800, 2_592_000];

/// The counters.
#[derive(Debug, Default)]
pub struct InviteMetrics {
    events: [AtomicU64; EVENTS.len()],
    /// How many accepts took at most as long as the bound of the same place.
    within: [AtomicU64; BOUNDS.len()],
    accepts: AtomicU64,
    seconds: AtomicU64,
}

/// The one member that is needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    created_time: Timestamp,
}

impl InviteMetrics {
    /// Counts a change, if it is one of an invite.
    pub(crate) fn commit(&self, committed: &Committed) {
        let changes = &committed.changes;
        let Some(event) = published(&changes.event.kind).strip_prefix("invite.") else {
            return;
        };
        // Those of a batch that is made as a whole are one event.
        let (event, times) = if event == "batch-created" {
            let written = changes.write.iter();
            let invites = written.filter(|document| document.kind == Kind::Invite);
            ("created", invites.count() as u64)
        } else {
            (event, 1)
        };
        let known = EVENTS.iter().zip(&self.events);
        for (_, counter) in known.filter(|(name, _)| **name == event) {
            counter.fetch_add(times, Ordering::Relaxed);
        }
        if !GAINED.contains(&event) {
            return;
        }
        let mut written = changes.write.iter();
        let invite = written.find(|document| document.kind == Kind::Invite);
        let made = invite.and_then(|invite| serde_json::from_slice::<Made>(&invite.body).ok());
        let Some(made) = made else {
            return;
        };
        let taken = changes.event.time - made.created_time.milliseconds();
        let seconds = u64::try_from(taken / 1000).unwrap_or(0);
        for (_, counter) in BOUNDS
            .iter()
            .zip(&self.within)
            .filter(|(most, _)| seconds <= **most)
        {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.accepts.fetch_add(1, Ordering::Relaxed);
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Adds them in the Prometheus text format.
    pub(crate) fn write(&self, text: &mut String) {
        text.push_str(
            "# HELP guestlist_invite_events_total What happened to invites since the start.\n\
             # TYPE guestlist_invite_events_total counter\n",
        );
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        for (event, counter) in EVENTS.iter().zip(&self.events) {
            let count = count(counter);
            let _ = writeln!(
                text,
                "guestlist_invite_events_total{{event=\"{event}\"}} {count}"
            );
        }
        text.push_str(
            "# HELP guestlist_invite_accept_seconds From making an invite to each accept.\n\
             # TYPE guestlist_invite_accept_seconds histogram\n",
        );
        let name = "guestlist_invite_accept_seconds";
        for (most, counter) in BOUNDS.iter().zip(&self.within) {
            let _ = writeln!(text, "{name}_bucket{{le=\"{most}\"}} {}", count(counter));
        }
        let (accepts, seconds) = (count(&self.accepts), count(&self.seconds));
        let _ = write!(
            text,
            "{name}_bucket{{le=\"+Inf\"}} {accepts}\n{name}_sum {seconds}\n{name}_count {accepts}\n"
        );
    }
}
