//! `guestlist invite statistics`: what became of invites.

use clap::{Args, ValueEnum};
use guestlist_api::invite_statistics::{InviteFunnel, InviteGrouping, InviteStatistics};
use guestlist_client::StatisticsQuery;
use guestlist_server::clock::Clock;

use crate::connection::Session;
use crate::exits::Failure;
use crate::invite_request::Expiry;
use crate::output::{details, table};
use crate::tags::Tag;

/// Of which invites to tell what became.
#[derive(Debug, Args)]
#[command(after_help = "\
Those that you made or may read.

Examples:
  guestlist invite statistics
  guestlist invite statistics --since 7d --by inviter
  guestlist invite statistics --since 2026-01-01T00:00Z --until 2026-02-01T00:00Z --by domain --json")]
pub(crate) struct StatisticsArguments {
    /// Only those made since: for so long (7d) or from a time on (2026-01-02T03:04Z) [default: 30d]
    #[arg(long, value_name = "DURATION|TIME")]
    since: Option<Expiry>,
    /// Only those made before: so long ago, or before a time
    #[arg(long, value_name = "DURATION|TIME")]
    until: Option<Expiry>,
    /// Also for each of these
    #[arg(long, value_name = "WHAT")]
    by: Option<By>,
    /// Only those with this tag
    #[arg(long, value_name = "NAME=VALUE")]
    tag: Option<Tag>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Inviter,
    Role,
    /// Of the e-mail addresses that they are for
    Domain,
}

pub(crate) async fn run(arguments: StatisticsArguments, session: &Session) -> Result<(), Failure> {
    let mut query = StatisticsQuery::new();
    let ago = |expiry: Expiry| {
        let now = Clock::system().now();
        match expiry {
            Expiry::After(milliseconds) => now.plus(-milliseconds),
            Expiry::At(time) => time,
        }
    };
    if let Some(since) = arguments.since {
        query = query.created_after(ago(since));
    }
    if let Some(until) = arguments.until {
        query = query.created_before(ago(until));
    }
    if let Some(by) = arguments.by {
        query = query.group_by(match by {
            By::Inviter => InviteGrouping::Inviter,
            By::Role => InviteGrouping::Role,
            By::Domain => InviteGrouping::Domain,
        });
    }
    if let Some(tag) = &arguments.tag {
        let (name, value) = tag.parts();
        query = query.tag(name, value);
    }
    let invites = session.client.invites();
    let statistics = invites.get_invite_statistics(&query).await?;
    if statistics.incomplete {
        let output = &session.output;
        output.notice("There are more invites than were looked at: ask for a shorter time.");
    }
    session.output.show(&statistics, told)
}

fn told(statistics: &InviteStatistics) -> String {
    let InviteStatistics {
        created_after,
        created_before,
        total,
        groups,
        ..
    } = statistics;
    let made = format!("{} from {created_after} to {created_before}", total.invites);
    let mut lines = vec![("Made", made), ("For", people(total.people))];
    lines.push(("Looked at", total.previewed.to_string()));
    let accepted = format!("{} by {}", share(total), people(total.accepts));
    lines.push(("Accepted", accepted));
    if let Some(delays) = total.seconds_to_accept {
        let took = [delays.median, delays.ninetieth, delays.longest].map(length);
        let [median, ninetieth, longest] = took;
        let took = format!("{median} (half), {ninetieth} (nine of ten), {longest} (all)");
        lines.push(("Within", took));
    }
    lines.push(("Refused to somebody", total.refused.to_string()));
    let states = total.by_status.iter();
    let states: Vec<String> = states
        .map(|(state, count)| format!("{count} {}", state.name().to_lowercase()))
        .collect();
    lines.push(("Now", states.join(", ")));
    let mut text = details(lines);
    if !groups.is_empty() {
        let headings = [
            "NAME",
            "MADE",
            "LOOKED AT",
            "ACCEPTED",
            "BY",
            "WITHIN (HALF)",
        ];
        let rows = groups.iter().map(|group| {
            let funnel = &group.funnel;
            let median = funnel.seconds_to_accept.map(|delays| length(delays.median));
            vec![
                group.name.clone(),
                funnel.invites.to_string(),
                funnel.previewed.to_string(),
                share(funnel),
                people(funnel.accepts),
                median.unwrap_or_default(),
            ]
        });
        text.push('\n');
        text.push_str(&table(&headings, rows));
    }
    if statistics.more_groups {
        text.push_str("\nThere are more than these.\n");
    }
    text
}

fn people(count: u64) -> String {
    if count == 1 {
        "1 person".to_owned()
    } else {
        format!("{count} people")
    }
}

/// How many were accepted, and how many that is of a hundred.
fn share(funnel: &InviteFunnel) -> String {
    let percent = (funnel.accepted * 100).checked_div(funnel.invites);
    match percent {
        Some(percent) => format!("{} ({percent} %)", funnel.accepted),
        None => "0".to_owned(),
    }
}

fn length(seconds: u64) -> String {
    let (value, unit) = match seconds {
        0..120 => (seconds, "s"),
        120..7_200 => (seconds / 60, "min"),
        7_200..172_800 => (seconds / 3_600, "h"),
        172_800.. => (seconds / 86_400, "days"),
    };
    format!("{value} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_the_unit_that_suits_them() {
        for (seconds, told) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_800, "2 days"),
        ] {
            assert_eq!(length(seconds), told);
        }
        let nothing = InviteFunnel::default();
        assert_eq!(share(&nothing), "0");
    }
}
