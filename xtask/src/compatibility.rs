//! docs/COMPATIBILITY.md: what the suites of the official SDKs found, operation by operation.
//!
//! Each suite names the operations that its SDK has and writes what came of every case. Here that is
//! merged into one table, and a run fails if the table that is checked in says something else.

mod operations;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use self::operations::SUBJECTS;
use crate::report::{Counts, Outcome};
use crate::sdks;
use crate::terminal;
use crate::workspace::Workspace;

/// A suite: the name of its results, and the heading of its column. Where the version is not pinned
/// the heading has none: a new release must not make the table differ when it appears.
const COLUMNS: &[(&str, &str)] = &[
    ("python-3.1.112", "Python 3.1.112"),
    ("python-3.1.120", "Python 3.1.120"),
    ("python-newest", "Python newest"),
    ("javascript", "JavaScript newest"),
    ("rust", "Rust 0.1.66"),
];

/// The line that may change without anything being wrong.
const VERSIONS: &str = "Newest at the time this was written: ";

/// What came of one operation with one SDK.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Passed,
    NotInThatSdk,
    Differs(Vec<String>),
    NotBuilt,
    Failed,
    NotTried,
}

/// One suite's results, of both of its phases.
#[derive(Default)]
struct Suite {
    version: String,
    has: BTreeSet<String>,
    results: Vec<Value>,
}

pub(crate) fn part(workspace: &Workspace) -> Result<Outcome> {
    let mut suites = Vec::new();
    for (name, _) in COLUMNS {
        let Some(suite) = read(workspace, name)? else {
            return Ok(Outcome::Skipped(format!(
                "there are no results of the suite {name}"
            )));
        };
        suites.push(suite);
    }
    let built = described(workspace)?;
    all_listed(&suites, &built)?;
    let fresh = text(&suites, &built);
    let file = workspace.root.join("docs/COMPATIBILITY.md");
    if workspace.renews {
        std::fs::write(&file, &fresh)
            .with_context(|| format!("{} cannot be written", file.display()))?;
        terminal::say("docs/COMPATIBILITY.md is written anew");
        return Ok(Outcome::Ran(Counts::one(true)));
    }
    let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
    let differences = differences(&checked_in, &fresh);
    for difference in &differences {
        terminal::say(difference);
    }
    ensure!(
        differences.is_empty(),
        "docs/COMPATIBILITY.md is not what the suites found; GUESTLIST_BLESS=1 cargo xtask test \
         --only compatibility writes it from the results of the last run"
    );
    Ok(Outcome::Ran(Counts::one(true)))
}

/// What a suite wrote; `None` if it has not run.
fn read(workspace: &Workspace, name: &str) -> Result<Option<Suite>> {
    let mut suite = Suite::default();
    for phase in ["first", "later"] {
        let file = sdks::results(workspace, name, phase)?;
        let Ok(text) = std::fs::read_to_string(&file) else {
            if phase == "first" {
                return Ok(None);
            }
            continue;
        };
        let written: Value = serde_json::from_str(&text)
            .with_context(|| format!("{} is not JSON", file.display()))?;
        let list = |member: &str| written.get(member).and_then(Value::as_array).cloned();
        suite.results.extend(list("results").unwrap_or_default());
        let has = list("operations").unwrap_or_default();
        suite
            .has
            .extend(has.iter().filter_map(Value::as_str).map(str::to_owned));
        let version = written.get("version").and_then(Value::as_str);
        version.unwrap_or_default().clone_into(&mut suite.version);
    }
    Ok(Some(suite))
}

/// The operations of the checked-in description, without extensions of ours and second ways.
fn described(workspace: &Workspace) -> Result<BTreeSet<String>> {
    let file = workspace.root.join("docs/openapi.json");
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    let document: Value = serde_json::from_str(&text)?;
    let paths = document.get("paths").and_then(Value::as_object);
    let ways = paths
        .into_iter()
        .flatten()
        .filter_map(|(_, item)| item.as_object());
    Ok(ways
        .flatten()
        .map(|(_, operation)| operation)
        .filter(|operation| operation.get("x-extension") != Some(&Value::Bool(true)))
        .filter_map(|operation| operation.get("operationId")?.as_str())
        .filter(|id| !id.ends_with("ByPost") && !id.ends_with("ByUser"))
        .map(str::to_owned)
        .collect())
}

fn listed() -> impl Iterator<Item = (&'static str, &'static str)> {
    SUBJECTS
        .iter()
        .flat_map(|subject| subject.operations.iter().copied())
}

/// An operation that the server or an SDK has and the list does not would be missing in the table.
fn all_listed(suites: &[Suite], built: &BTreeSet<String>) -> Result<()> {
    let known: BTreeSet<&str> = listed().map(|(name, _)| name).collect();
    let named = suites
        .iter()
        .flat_map(|suite| suite.has.iter())
        .chain(built);
    let missing: BTreeSet<&str> = named
        .map(String::as_str)
        .filter(|name| !known.contains(name))
        .collect();
    if !missing.is_empty() {
        bail!("xtask/src/compatibility/operations.rs does not list {missing:?}");
    }
    Ok(())
}

impl Suite {
    fn found(&self, operation: &str) -> Found {
        if !self.has.contains(operation) {
            return Found::NotInThatSdk;
        }
        let member = |result: &Value, name: &str| {
            result.get(name).and_then(Value::as_str).map(str::to_owned)
        };
        let of_it = |result: &&Value| member(result, "operation").as_deref() == Some(operation);
        let results: Vec<&Value> = self.results.iter().filter(of_it).collect();
        let outcomes: BTreeSet<String> = results
            .iter()
            .map(|result| member(result, "outcome").unwrap_or_default())
            .collect();
        let differs: Vec<String> = results
            .iter()
            .filter_map(|result| member(result, "differs"))
            .collect();
        let outcomes: Vec<&str> = outcomes.iter().map(String::as_str).collect();
        match outcomes.as_slice() {
            [] => Found::NotTried,
            ["not built"] => Found::NotBuilt,
            ["passed"] if differs.is_empty() => Found::Passed,
            ["passed"] => Found::Differs(differs),
            // An outcome that is not understood is no pass.
            [..] => Found::Failed,
        }
    }
}

/// The notes below the tables, numbered as they are first met.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn number(&mut self, text: &str) -> usize {
        if let Some(position) = self.0.iter().position(|note| note == text) {
            return position + 1;
        }
        self.0.push(text.to_owned());
        self.0.len()
    }
}

fn cell(found: &Found, notes: &mut Notes) -> String {
    match found {
        Found::Passed => "passed".to_owned(),
        Found::NotInThatSdk => "–".to_owned(),
        Found::NotBuilt => "not built".to_owned(),
        Found::Failed => "**failed**".to_owned(),
        Found::NotTried => "**not tried**".to_owned(),
        Found::Differs(texts) => {
            let numbers = texts.iter().map(|text| format!("[{}]", notes.number(text)));
            format!("differs {}", numbers.collect::<Vec<_>>().join(" "))
        }
    }
}

const HEAD: &str = "# Compatibility

The official Authress SDKs, unmodified, against this server: what came of every operation that each of them
has. **Generated** by `cargo xtask test` from what the suites in [sdks](../sdks) found; a run that finds
something else fails. After a change, `GUESTLIST_BLESS=1 cargo xtask test --only compatibility` writes it
from the results of the last run.

| cell | |
|---|---|
| passed | called through the SDK, with at least one success, and all cases of it passed |
| differs | the same, but a user of this SDK meets something that users of others do not; see the note |
| not built | the server answers 501, and the SDK reports that as an error with title, code and id |
| – | that SDK has no method for it |

Suites run against a server with a linked issuer and its own tokens, as owner, as strangers, and as nobody;
Python and JavaScript also with lost answers, and all with a clock moved past the expiry of invites. The
requests of the Go and C# SDKs are replayed byte by byte by tests of the server
(`crates/server/tests/api/`), so they are not in this table.

";

fn text(suites: &[Suite], built: &BTreeSet<String>) -> String {
    let mut notes = Notes::default();
    let mut page = HEAD.to_owned();
    page.push_str(&summary(suites));
    for subject in SUBJECTS {
        let _ = write!(
            page,
            "\n## {}\n\n| operation | request | server |",
            subject.title
        );
        for (_, heading) in COLUMNS {
            let _ = write!(page, " {heading} |");
        }
        page.push_str("\n|---|---|---|");
        page.push_str(&"---|".repeat(COLUMNS.len()));
        page.push('\n');
        for (name, request) in subject.operations {
            let server = if built.contains(*name) {
                "answers"
            } else {
                "501"
            };
            let _ = write!(page, "| {name} | `{request}` | {server} |");
            for suite in suites {
                let _ = write!(page, " {} |", cell(&suite.found(name), &mut notes));
            }
            page.push('\n');
        }
    }
    if !notes.0.is_empty() {
        page.push_str("\n## Notes\n\n");
        for (number, note) in notes.0.iter().enumerate() {
            let _ = writeln!(page, "{}. {note}", number + 1);
        }
    }
    let versions = COLUMNS
        .iter()
        .zip(suites)
        .filter(|((_, heading), _)| heading.ends_with("newest"));
    let versions: Vec<String> = versions
        .map(|((_, heading), suite)| {
            format!("{} {}", heading.trim_end_matches(" newest"), suite.version)
        })
        .collect();
    let _ = write!(page, "\n{VERSIONS}{}.\n", versions.join(", "));
    page
}

/// How many operations each SDK has, and what came of them.
fn summary(suites: &[Suite]) -> String {
    let mut lines = String::from(
        "| SDK | operations | passed | differs | not built |\n|---|---|---|---|---|\n",
    );
    for ((_, heading), suite) in COLUMNS.iter().zip(suites) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, _) in listed() {
            let kind = match suite.found(name) {
                Found::Passed => "passed",
                Found::Differs(_) => "differs",
                Found::NotBuilt => "not built",
                Found::NotInThatSdk => continue,
                Found::Failed | Found::NotTried => "failed",
            };
            *counts.entry(kind).or_default() += 1;
        }
        let count = |kind: &str| counts.get(kind).copied().unwrap_or_default();
        let _ = writeln!(
            lines,
            "| {heading} | {} | {} | {} | {} |",
            suite.has.len(),
            count("passed"),
            count("differs"),
            count("not built")
        );
    }
    lines
}

/// The lines that one has and the other has not, but for the one that may change.
fn differences(checked_in: &str, fresh: &str) -> Vec<String> {
    let counted = |text: &'_ str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with(VERSIONS));
        lines.map(str::to_owned).collect()
    };
    let (old, new) = (counted(checked_in), counted(fresh));
    if old == new {
        return Vec::new();
    }
    let gone = old
        .iter()
        .filter(|line| !new.contains(line))
        .map(|line| format!("- {line}"));
    let come = new
        .iter()
        .filter(|line| !old.contains(line))
        .map(|line| format!("+ {line}"));
    let mut found: Vec<String> = gone.chain(come).collect();
    if found.is_empty() {
        found.push("the same lines stand in another order".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::{COLUMNS, Found, Suite, VERSIONS, all_listed, differences, listed, text};

    fn suite(outcomes: &[(&str, &str, Option<&str>)]) -> Suite {
        let result = |(operation, outcome, differs): &(&str, &str, Option<&str>)| json!({"operation": operation, "outcome": outcome, "differs": differs});
        Suite {
            version: "1".to_owned(),
            has: outcomes
                .iter()
                .map(|(name, ..)| (*name).to_owned())
                .collect(),
            results: outcomes.iter().map(result).collect(),
        }
    }

    #[test]
    fn one_failure_outweighs_any_pass_and_silence_is_told() {
        let mut suite = suite(&[
            ("createInvite", "passed", None),
            ("getInvite", "passed", None),
            ("getInvite", "failed", None),
            ("deleteInvite", "odd", None),
            ("createClaim", "not built", None),
            ("getAccounts", "passed", Some("a list")),
            ("createClient", "passed", None),
            ("createClient", "not built", None),
        ]);
        suite.has.insert("getRecord".to_owned());
        for (operation, expected) in [
            ("createInvite", Found::Passed),
            ("getInvite", Found::Failed),
            ("deleteInvite", Found::Failed),
            ("createClaim", Found::NotBuilt),
            ("getAccounts", Found::Differs(vec!["a list".to_owned()])),
            ("createClient", Found::Failed),
            ("getRecord", Found::NotTried),
            ("getRoles", Found::NotInThatSdk),
        ] {
            assert_eq!(suite.found(operation), expected, "{operation}");
        }
    }

    #[test]
    fn a_new_release_is_no_difference_and_a_lost_operation_is() {
        let built = BTreeSet::from(["createInvite".to_owned()]);
        let suites = |outcome| -> Vec<Suite> {
            let one = |_| suite(&[("createInvite", outcome, None)]);
            COLUMNS.iter().map(one).collect()
        };
        let (old, mut newer) = (suites("passed"), suites("passed"));
        for suite in &mut newer {
            suite.version = "2".to_owned();
        }
        let before = text(&old, &built);
        assert!(before.contains(VERSIONS));
        assert_ne!(before, text(&newer, &built));
        assert!(differences(&before, &text(&newer, &built)).is_empty());
        assert!(!differences(&before, &text(&suites("failed"), &built)).is_empty());
        assert!(!differences(&before, &text(&old, &BTreeSet::new())).is_empty());
        assert!(!differences("", &before).is_empty());
    }

    #[test]
    fn every_operation_is_listed_once_and_an_unlisted_one_is_an_error() {
        let names: Vec<&str> = listed().map(|(name, _)| name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(
            all_listed(
                &[suite(&[("createInvite", "passed", None)])],
                &BTreeSet::new()
            )
            .is_ok()
        );
        assert!(all_listed(&[suite(&[("unheardOf", "passed", None)])], &BTreeSet::new()).is_err());
        assert!(all_listed(&[], &BTreeSet::from(["unheardOf".to_owned()])).is_err());
    }
}
