//! Whether the server is well, and whether its clock agrees with ours.

use guestlist_client::Credentials;
use serde::Deserialize;

use super::Findings;
use super::reachability::Reached;
use crate::connection;
use crate::exits::Failure;
use crate::invite_request::length;
use crate::profiles::ConnectionArguments;

/// Milliseconds by which clocks may differ before it is worth a word. A server allows 60 seconds.
const DIFFERENCE: i64 = 30_000;
/// A date of HTTP is cut to the second: on average half of one is missing.
const CUT: i64 = 500;

/// Compares the clocks.
pub(super) fn clock(server: &Reached, findings: &mut Findings) {
    const CHECK: &str = "clock";
    let Some(date) = server.date else {
        findings.not_checked(CHECK, "the server does not tell the time");
        return;
    };
    let ahead = server.here.milliseconds() - (date.milliseconds() + CUT);
    if ahead.abs() <= DIFFERENCE {
        findings.ok(CHECK, "agrees with that of the server");
        return;
    }
    let way = if ahead > 0 { "ahead of" } else { "behind" };
    findings.warning(
        CHECK,
        format!(
            "the clock of this machine is {} {way} that of the server",
            length(ahead.abs())
        ),
        "One of them is wrong. Tokens are judged by time: set the clock, best by NTP.",
    );
}

#[derive(Deserialize)]
struct Description {
    info: Info,
}

#[derive(Deserialize)]
struct Info {
    version: String,
}

/// Asks whether it can take requests, and which version it is.
pub(super) async fn examine(url: &str, connection: &ConnectionArguments, findings: &mut Findings) {
    const CHECK: &str = "health";
    // Nobody's affair who asks.
    let client = match connection::client(url, Credentials::none(), connection) {
        Ok(client) => client,
        Err(failure) => return findings.failure(CHECK, &failure),
    };
    match client.server().get_readiness().await {
        Ok(health) => {
            let revision = health
                .revision
                .map(|revision| format!(", at revision {revision}"))
                .unwrap_or_default();
            findings.ok(CHECK, format!("{}{revision}", health.status));
        }
        Err(error) if error.status() == Some(503) => findings.problem(
            CHECK,
            Failure::from(error).message(),
            "It is ending, or its storage cannot be reached: its log says which.",
        ),
        Err(error) => findings.failure(CHECK, &Failure::from(error)),
    }
    let description = client.server().get_open_api().await.ok();
    let description: Option<Description> =
        description.and_then(|text| serde_json::from_str(&text).ok());
    let ours = env!("CARGO_PKG_VERSION");
    match description {
        Some(Description { info }) if same_interface(&info.version, ours) => {
            findings.ok("version", info.version);
        }
        Some(Description { info }) => findings.warning(
            "version",
            format!("the server is {}, this command line {ours}", info.version),
            "Use the same version of both: one may not know what the other does.",
        ),
        None => findings.not_checked("version", "the server does not tell its version"),
    }
}

/// Versions that differ in no more than corrections (Semantic Versioning 2.0).
fn same_interface(one: &str, other: &str) -> bool {
    let interface = |version: &str| {
        let mut parts = version.split('.');
        Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
    };
    interface(one).is_some() && interface(one) == interface(other)
}

#[cfg(test)]
mod tests {
    use guestlist_api::times::Timestamp;

    use super::super::State;
    use super::*;

    #[test]
    fn clocks_that_differ_by_more_than_half_a_minute_are_told() {
        let state = |here: i64| {
            let mut findings = Findings::default();
            let server = Reached {
                is_guestlist: true,
                date: Some(Timestamp::from_milliseconds(1_000_000)),
                here: Timestamp::from_milliseconds(here),
            };
            clock(&server, &mut findings);
            (findings.0[0].state, findings.0[0].found.clone())
        };
        assert_eq!(state(1_000_000).0, State::Ok);
        assert_eq!(state(1_030_000).0, State::Ok);
        assert_eq!(state(971_000).0, State::Ok);
        let (ahead, text) = state(1_040_500);
        assert_eq!(ahead, State::Warning);
        assert!(text.contains("40 seconds ahead of"), "{text}");
        let (behind, text) = state(600_500);
        assert_eq!(behind, State::Warning);
        assert!(text.contains("7 minutes behind"), "{text}");
    }

    #[test]
    fn corrections_do_not_change_the_interface() {
        assert!(same_interface("0.1.0", "0.1.7"));
        assert!(!same_interface("0.1.0", "0.2.0"));
        assert!(!same_interface("", ""));
    }
}
