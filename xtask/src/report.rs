//! What the parts of a test run found, and the summary at its end.

use std::ops::AddAssign;
use std::time::Duration;

/// How many single tests or checks of a part passed, failed, or could not be run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    /// One check that either passed or failed.
    pub(crate) fn one(passed: bool) -> Self {
        Self {
            passed: u64::from(passed),
            failed: u64::from(!passed),
            skipped: 0,
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// How one part ended.
pub(crate) enum Outcome {
    Ran(Counts),
    /// It could not run here, with the reason for people.
    Skipped(String),
}

struct Line {
    part: String,
    counts: Counts,
    note: String,
    took: Duration,
}

/// Everything a run found, in the order in which it was found.
#[derive(Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

impl Report {
    pub(crate) fn add(&mut self, part: &str, outcome: anyhow::Result<Outcome>, took: Duration) {
        let (counts, note) = match outcome {
            Ok(Outcome::Ran(counts)) => (counts, String::new()),
            Ok(Outcome::Skipped(reason)) => (
                Counts {
                    skipped: 1,
                    ..Counts::default()
                },
                reason,
            ),
            Err(error) => (Counts::one(false), format!("{error:#}")),
        };
        self.lines.push(Line {
            part: part.to_owned(),
            counts,
            note,
            took,
        });
    }

    pub(crate) fn total(&self) -> Counts {
        let mut total = Counts::default();
        for line in &self.lines {
            total += line.counts;
        }
        total
    }

    /// The table, one line a part, and the plain closing line.
    pub(crate) fn text(&self) -> String {
        let width = self
            .lines
            .iter()
            .map(|line| line.part.len())
            .max()
            .unwrap_or(0)
            .max(4);
        let [passed, failed, skipped, seconds] = ["passed", "failed", "skipped", "seconds"];
        let mut rows = vec![format!(
            "{:width$}  {passed:>7} {failed:>7} {skipped:>7} {seconds:>8}",
            "part"
        )];
        rows.extend(self.lines.iter().map(|line| {
            let Counts {
                passed,
                failed,
                skipped,
            } = line.counts;
            let seconds = line.took.as_secs_f64();
            let note = line.note.lines().next().unwrap_or_default();
            let part = &line.part;
            format!("{part:width$}  {passed:>7} {failed:>7} {skipped:>7} {seconds:>8.1}  {note}")
                .trim_end()
                .to_owned()
        }));
        let Counts {
            passed,
            failed,
            skipped,
        } = self.total();
        rows.push(format!(
            "\n{passed} passed, {failed} failed, {skipped} skipped"
        ));
        rows.join("\n")
    }

    /// Whether the run is good: nothing failed, and where `strict` nothing was skipped either.
    pub(crate) fn is_good(&self, strict: bool) -> bool {
        let total = self.total();
        total.failed == 0 && (total.skipped == 0 || !strict) && total.passed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Outcome, Report};
    use std::time::Duration;

    fn report(outcomes: Vec<anyhow::Result<Outcome>>) -> Report {
        let mut report = Report::default();
        for outcome in outcomes {
            report.add("a part", outcome, Duration::ZERO);
        }
        report
    }

    #[test]
    fn the_last_line_is_the_plain_sum() {
        let counts = Counts {
            passed: 3,
            failed: 1,
            skipped: 0,
        };
        let report = report(vec![
            Ok(Outcome::Ran(counts)),
            Err(anyhow::anyhow!("broke")),
            Ok(Outcome::Skipped("no such tool".to_owned())),
        ]);
        assert_eq!(
            report.text().lines().last(),
            Some("3 passed, 2 failed, 1 skipped")
        );
    }

    #[test]
    fn what_is_skipped_fails_only_where_that_is_strict() {
        let one = || Ok(Outcome::Ran(Counts::one(true)));
        let skipped = report(vec![one(), Ok(Outcome::Skipped("no tool".to_owned()))]);
        assert!(skipped.is_good(false));
        assert!(!skipped.is_good(true));
        assert!(report(vec![one()]).is_good(true));
    }

    #[test]
    fn a_run_of_nothing_is_not_good() {
        assert!(!report(vec![]).is_good(false));
        assert!(!report(vec![Ok(Outcome::Ran(Counts::default()))]).is_good(false));
    }
}
