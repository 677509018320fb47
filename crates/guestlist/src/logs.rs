//! Logs on standard error: for people on a terminal, one JSON object a line otherwise.

use std::io::{self, IsTerminal as _};

use anyhow::{Context as _, bail};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// Starts logging what `filter` lets through.
pub(crate) fn start(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::builder()
        .parse(without_others(filter)?)
        .with_context(|| format!("--log: {filter} is not a level or a filter"))?;
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr);
    if io::stderr().is_terminal() {
        builder.init();
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .init();
    }
    Ok(())
}

/// The filter, with each level that names no part of the program lowered to `info` for what is not
/// ours.
///
/// Libraries below us see requests as they came, and the path of an invite holds its secret: what
/// they would say at `debug` and `trace` is logged only if they are named.
fn without_others(filter: &str) -> anyhow::Result<String> {
    // The start of the names of all our parts.
    const OURS: &str = "guestlist";
    let (mut general, mut named) = (None, Vec::new());
    for part in filter.split(',').map(str::trim) {
        // The empty text would be read as the level error.
        if !part.is_empty()
            && let Ok(level) = part.parse::<LevelFilter>()
        {
            let others = level.min(LevelFilter::INFO);
            general = Some(format!("{others},{OURS}={level}"));
        } else if part.contains('=') {
            named.push(part.to_owned());
        } else {
            bail!("--log: {part:?} is neither a level (info) nor the level of a part (hyper=info)");
        }
    }
    Ok(general
        .into_iter()
        .chain(named)
        .collect::<Vec<_>>()
        .join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s05_a_level_alone_never_opens_the_logs_of_libraries_below_info() {
        let cases = [
            ("warn", "warn,guestlist=warn"),
            ("info", "info,guestlist=info"),
            ("TRACE", "info,guestlist=trace"),
            ("off", "off,guestlist=off"),
            ("5", "info,guestlist=trace"),
            (
                "guestlist_server=debug, debug",
                "info,guestlist=debug,guestlist_server=debug",
            ),
            ("debug,hyper=trace", "info,guestlist=debug,hyper=trace"),
            ("guestlist_store=trace", "guestlist_store=trace"),
        ];
        for (given, expected) in cases {
            assert_eq!(without_others(given).unwrap(), expected, "{given}");
        }
        for bad in ["", "loud", "info,", "hyper", "info,hyper"] {
            assert!(without_others(bad).is_err(), "{bad}");
        }
    }
}
