//! A plan as people read it.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::{Difference, Kept, Left, Operation, Plan, Step};
use crate::manifests::Kind;
use crate::text::plain;

const fn style(operation: Operation) -> Style {
    let color = match operation {
        Operation::Create => AnsiColor::Green,
        Operation::Change => AnsiColor::Yellow,
        Operation::Delete => AnsiColor::Red,
    };
    Style::new().fg_color(Some(anstyle::Color::Ansi(color)))
}

const fn sign(operation: Operation) -> char {
    match operation {
        Operation::Create => '+',
        Operation::Change => '~',
        Operation::Delete => '-',
    }
}

fn line(text: &mut String, operation: Operation, indent: usize, what: &str) {
    let style = style(operation);
    let sign = sign(operation);
    let what = plain(what).replace('\n', "\u{fffd}");
    let _ = writeln!(text, "{:indent$}{style}{sign} {what}{style:#}", "");
}

impl Plan {
    /// All steps with their differences, and what stays.
    pub(crate) fn for_people(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            step.write(&mut text);
        }
        if !self.steps.is_empty() {
            text.push('\n');
        }
        for warning in &self.warnings {
            let _ = writeln!(text, "warning: {}", plain(warning));
        }
        for Kept { kind, id, reason } in &self.kept {
            let _ = writeln!(text, "The {} {} stays: {reason}.", kind.noun(), plain(id));
        }
        for left in &self.left {
            let _ = writeln!(text, "{}", plain(&left.sentence()));
        }
        let _ = writeln!(text, "{}", self.summary());
        text
    }

    /// How much there is to do.
    pub(crate) fn summary(&self) -> String {
        if self.steps.is_empty() {
            return format!(
                "Nothing to do: {} as the manifests say.",
                are(self.unchanged)
            );
        }
        let count = |operation| {
            let steps = self.steps.iter();
            steps
                .filter(|step| step.work.operation() == operation)
                .count()
        };
        format!(
            "{} to create, {} to change, {} to delete, {} unchanged.",
            count(Operation::Create),
            count(Operation::Change),
            count(Operation::Delete),
            self.unchanged
        )
    }
}

fn are(count: usize) -> String {
    if count == 1 {
        "1 object is".to_owned()
    } else {
        format!("{count} objects are")
    }
}

impl Step {
    /// The object, for messages: `role ro_editor`.
    pub(crate) fn subject(&self) -> String {
        format!("{} {}", self.kind.noun(), self.id)
    }

    fn write(&self, text: &mut String) {
        let operation = self.work.operation();
        let mut heading = self.subject();
        if operation == Operation::Delete
            && let Some(name) = &self.name
        {
            let _ = write!(heading, " ({name})");
        }
        if let Some(origin) = &self.origin {
            let _ = write!(heading, "  {origin}");
        }
        line(text, operation, 2, &heading);
        for difference in &self.differences {
            difference.write(text);
        }
    }
}

impl Difference {
    fn write(&self, text: &mut String) {
        match self {
            Self::One {
                member,
                before,
                after,
            } => {
                if is_nothing(before) {
                    line(text, Operation::Create, 6, &format!("{member}: {after}"));
                } else if is_nothing(after) {
                    line(text, Operation::Delete, 6, &format!("{member}: {before}"));
                } else {
                    let what = format!("{member}: {before} → {after}");
                    line(text, Operation::Change, 6, &what);
                }
            }
            Self::Many {
                member,
                added,
                removed,
            } => {
                for (operation, items) in [(Operation::Delete, removed), (Operation::Create, added)]
                {
                    for value in items {
                        line(text, operation, 6, &format!("{member}: {}", item(value)));
                    }
                }
            }
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || *value == Value::Bool(false)
}

/// An item of a set: `alice`, `documents:read (allow, grant)`, `ro_editor on projects/42 for alice`.
fn item(value: &Value) -> String {
    let Value::Object(members) = value else {
        return bare(value);
    };
    let list = |name: &str| -> Vec<String> {
        let items = members.get(name).and_then(Value::as_array);
        items.into_iter().flatten().map(bare).collect()
    };
    if let Some(action) = members.get("action") {
        let held: Vec<&str> = ["allow", "grant", "delegate"]
            .into_iter()
            .filter(|flag| members.get(*flag) == Some(&Value::Bool(true)))
            .collect();
        let held = if held.is_empty() {
            "nothing".to_owned()
        } else {
            held.join(", ")
        };
        return format!("{} ({held})", bare(action));
    }
    if members.contains_key("resources") {
        let groups = list("groups")
            .into_iter()
            .map(|group| format!("group {group}"));
        let whom: Vec<String> = list("users").into_iter().chain(groups).collect();
        let mut text = format!(
            "{} on {}",
            list("roles").join(", "),
            list("resources").join(", ")
        );
        if !whom.is_empty() {
            let _ = write!(text, " for {}", whom.join(", "));
        }
        if let Some(ends) = members.get("expiryTime") {
            let _ = write!(text, " until {}", bare(ends));
        }
        return text;
    }
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{name}={}", bare(value)))
        .collect();
    members.join(" ")
}

fn bare(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

impl Left {
    fn sentence(&self) -> String {
        let Self {
            kind,
            made_by_invites,
            count,
            at_least,
            ids,
        } = self;
        let at_least = if *at_least { "at least " } else { "" };
        let noun = if *count == 1 {
            kind.noun()
        } else {
            kind.nouns()
        };
        let hidden = count.saturating_sub(ids.len());
        let more = if hidden == 0 {
            String::new()
        } else {
            format!(" and {hidden} more")
        };
        let ids = ids.join(", ");
        let (what, how) = match (kind, made_by_invites) {
            (_, true) => (
                " that invites made",
                "--prune with --prune-invited deletes them",
            ),
            (Kind::Identity, false) => ("", "the server cannot unlink an issuer"),
            (Kind::Role | Kind::Group | Kind::Client | Kind::Record, false) => {
                ("", "--prune deletes what is in no manifest")
            }
        };
        format!("Left alone, in no manifest: {at_least}{count} {noun}{what} ({ids}{more}); {how}.")
    }
}
