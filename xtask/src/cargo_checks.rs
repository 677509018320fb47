//! What Cargo itself checks: format, lints, tests, documentation.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::command;
use crate::machine::{self, Need};
use crate::report::{Counts, Outcome};
use crate::terminal;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_mins(40);

pub(crate) fn format(workspace: &Workspace) -> Result<Outcome> {
    let mut check = workspace.cargo();
    check.args(["fmt", "--all", "--check"]);
    command::run(&mut check, LIMIT)?;
    let mut check = workspace.cargo();
    check.args(["fmt", "--check", "--manifest-path", "sdks/rust/Cargo.toml"]);
    command::run(&mut check, LIMIT)?;
    Ok(Outcome::Ran(Counts {
        passed: 2,
        ..Counts::default()
    }))
}

pub(crate) fn lints(workspace: &Workspace) -> Result<Outcome> {
    let mut check = workspace.cargo();
    check.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]);
    command::run(&mut check, LIMIT)?;
    Ok(Outcome::Ran(Counts::one(true)))
}

/// All tests that need only Rust; their output is passed on, their counts are added up.
pub(crate) fn tests(workspace: &Workspace) -> Result<Outcome> {
    let mut test = workspace.cargo();
    test.args(["test", "--workspace", "--no-fail-fast"]);
    if terminal::is_coloured() {
        test.args(["--", "--color", "always"]);
    }
    let mut counts = Counts::default();
    let mut ignored = 0;
    let status = command::watch(&mut test, LIMIT, |line| {
        terminal::say(line);
        if let Some(found) = closing_line(&terminal::without_colours(line)) {
            counts.passed += found.passed;
            counts.failed += found.failed;
            ignored += found.ignored;
        }
    })?;
    if ignored > 0 {
        terminal::say(&format!(
            "{ignored} long tests are left to the nightly run (--ignored)"
        ));
    }
    // Those of the engine end at once without it, and cargo counts them as passed.
    if let Some(reason) = machine::lacking(&[Need::Postgres]) {
        terminal::say(&format!("skipped: the PostgreSQL engine {reason}"));
        counts.skipped += 1;
    }
    ensure!(
        status.success() || counts.failed > 0,
        "cargo test failed: {status}"
    );
    Ok(Outcome::Ran(counts))
}

pub(crate) fn documentation(workspace: &Workspace) -> Result<Outcome> {
    let mut check = workspace.cargo();
    check
        .args(["doc", "--workspace", "--no-deps", "--quiet"])
        .env("RUSTDOCFLAGS", "-D warnings");
    command::run(&mut check, LIMIT)?;
    Ok(Outcome::Ran(Counts::one(true)))
}

#[derive(Debug, PartialEq, Eq)]
struct Closing {
    passed: u64,
    failed: u64,
    ignored: u64,
}

/// Reads `test result: ok. 5 passed; 0 failed; 1 ignored; …`, libtest's closing line.
fn closing_line(line: &str) -> Option<Closing> {
    let rest = line.trim().strip_prefix("test result: ")?;
    let (_verdict, rest) = rest.split_once(". ")?;
    let count = |word: &str| -> Option<u64> {
        let part = rest.split(';').find(|part| part.trim().ends_with(word))?;
        part.trim().split(' ').next()?.parse().ok()
    };
    Some(Closing {
        passed: count("passed")?,
        failed: count("failed")?,
        ignored: count("ignored")?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Closing, closing_line};

    #[test]
    fn the_closing_line_of_libtest_is_read() {
        let line = "test result: ok. 15 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.1s";
        assert_eq!(
            closing_line(line),
            Some(Closing {
                passed: 15,
                failed: 2,
                ignored: 1
            })
        );
        assert_eq!(closing_line("test records::a ... ok"), None);
        assert_eq!(closing_line("test result: ok"), None);
    }
}
