//! What an import carried, and what it did not and why: for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::kinds::Kind;
use crate::output;
use crate::text::plain;

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Outcome {
    Created,
    Overwritten,
    /// It was here already, and says the same.
    Same,
    /// A run before this one carried it.
    Earlier,
    /// It was here already, says something else, and was left as it is.
    Differs,
    /// This server does not take it.
    Refused,
    /// It is not what it must be.
    Unreadable,
    /// It is not for carrying.
    LeftOut,
}

impl Outcome {
    /// Whether something should be here that is not.
    const fn is_missing(self) -> bool {
        match self {
            Self::Differs | Self::Refused | Self::Unreadable => true,
            Self::Created | Self::Overwritten | Self::Same | Self::Earlier | Self::LeftOut => false,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Overwritten => "overwritten",
            Self::Same | Self::Earlier => "here already",
            Self::Differs => "differs here",
            Self::Refused => "refused",
            Self::Unreadable => "cannot be read",
            Self::LeftOut => "left out",
        }
    }
}

/// One document and what became of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) outcome: Outcome,
    /// Its id here, where this server made a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) made_as: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// Members that say something else here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) differences: Vec<String>,
    /// What of it stays behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) left_behind: Option<String>,
}

impl Entry {
    pub(super) fn new(kind: Kind, id: impl Into<String>, outcome: Outcome) -> Self {
        Self {
            kind,
            id: id.into(),
            outcome,
            made_as: None,
            reason: None,
            differences: Vec::new(),
            left_behind: None,
        }
    }

    pub(super) fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// A kind whose list could not be read, or not to its end.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Unread {
    pub(super) kind: Kind,
    pub(super) reason: String,
}

/// What no list of any server tells.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct NeverCarried {
    what: &'static str,
    reason: &'static str,
}

const NEVER_CARRIED: [NeverCarried; 7] = [
    NeverCarried {
        what: "invites",
        reason: "there is no list of open invites: invite those people anew",
    },
    NeverCarried {
        what: "access keys of service clients",
        reason: "their private halves cannot be read from a server: make new ones with `guestlist \
                 key create`",
    },
    NeverCarried {
        what: "secrets of connections",
        reason: "a server never answers them: enter them again with `guestlist connection edit`",
    },
    NeverCarried {
        what: "sign-ins, sessions and passwords of users",
        reason: "there is no list of them: people sign in anew",
    },
    NeverCarried {
        what: "which tenant a user is in",
        reason: "it is not carried: say it anew with `guestlist tenant link`",
    },
    NeverCarried {
        what: "users by themselves",
        reason: "a user is here as soon as a record or a token names them",
    },
    NeverCarried {
        what: "times of creation and change",
        reason: "this server writes when it took the documents in",
    },
];

/// Everything that is told at the end.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    from: String,
    to: String,
    dry_run: bool,
    /// Whether the run came to its end.
    pub(super) ended: bool,
    counts: BTreeMap<Kind, BTreeMap<Outcome, usize>>,
    unread: Vec<Unread>,
    /// All documents but those that were here already.
    documents: Vec<Entry>,
    never_carried: [NeverCarried; 7],
}

impl Report {
    pub(super) fn new(from: &str, to: &str, dry_run: bool) -> Self {
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            dry_run,
            ended: false,
            counts: BTreeMap::new(),
            unread: Vec::new(),
            documents: Vec::new(),
            never_carried: NEVER_CARRIED,
        }
    }

    pub(super) fn begin(&mut self, kind: Kind) {
        self.counts.entry(kind).or_default();
    }

    pub(super) fn take(&mut self, entry: Entry) {
        let counts = self.counts.entry(entry.kind).or_default();
        *counts.entry(entry.outcome).or_default() += 1;
        let is_told = match entry.outcome {
            Outcome::Same | Outcome::Earlier => entry.left_behind.is_some(),
            Outcome::Created
            | Outcome::Overwritten
            | Outcome::Differs
            | Outcome::Refused
            | Outcome::Unreadable
            | Outcome::LeftOut => true,
        };
        if is_told {
            self.documents.push(entry);
        }
    }

    pub(super) fn unread(&mut self, kind: Kind, reason: String) {
        self.unread.push(Unread { kind, reason });
    }

    /// Whether all that can be carried is here now.
    pub(super) fn is_whole(&self) -> bool {
        self.ended
            && self.unread.is_empty()
            && !self
                .documents
                .iter()
                .any(|entry| entry.outcome.is_missing())
    }

    pub(super) fn for_people(&self) -> String {
        let mut text = String::new();
        if self.dry_run {
            text.push_str("Nothing was changed. This would be done:\n\n");
        }
        text.push_str(&self.table());
        text.push('\n');
        for unread in &self.unread {
            let reason = plain(&unread.reason);
            let _ = writeln!(
                text,
                "\n{} not read to the end: {reason}",
                unread.kind.nouns()
            );
        }
        let told: Vec<&Entry> = self
            .documents
            .iter()
            .filter(|entry| is_shown(entry))
            .collect();
        if !told.is_empty() {
            text.push('\n');
        }
        for entry in told {
            let _ = writeln!(text, "{}", line(entry));
        }
        text.push_str("\nNever carried:\n");
        for never in self.never_carried {
            let _ = writeln!(text, "  {}: {}", never.what, never.reason);
        }
        text
    }

    fn table(&self) -> String {
        let columns = [
            ("CREATED", &[Outcome::Created][..]),
            ("OVERWRITTEN", &[Outcome::Overwritten]),
            ("HERE ALREADY", &[Outcome::Same, Outcome::Earlier]),
            ("DIFFERS", &[Outcome::Differs]),
            ("REFUSED", &[Outcome::Refused]),
            ("UNREADABLE", &[Outcome::Unreadable]),
            ("LEFT OUT", &[Outcome::LeftOut]),
        ];
        let mut headings = vec!["KIND"];
        headings.extend(columns.iter().map(|(heading, _)| *heading));
        let rows = self.counts.iter().map(|(kind, counts)| {
            let mut row = vec![kind.nouns().to_owned()];
            row.extend(columns.iter().map(|(_, outcomes)| {
                let number = |outcome| counts.get(outcome).copied().unwrap_or_default();
                outcomes.iter().map(number).sum::<usize>().to_string()
            }));
            row
        });
        output::table(&headings, rows)
    }
}

/// What people are told by name: what went as it should is in the counts.
fn is_shown(entry: &Entry) -> bool {
    entry.outcome.is_missing()
        || entry.outcome == Outcome::LeftOut
        || entry.made_as.is_some()
        || entry.left_behind.is_some()
}

fn line(entry: &Entry) -> String {
    let mut line = format!(
        "{}: {} {}",
        entry.outcome.word(),
        entry.kind.noun(),
        entry.id
    );
    if let Some(made_as) = &entry.made_as {
        let _ = write!(line, " as {made_as}");
    }
    if !entry.differences.is_empty() {
        let _ = write!(line, ": {}", entry.differences.join(", "));
    }
    for text in [&entry.reason, &entry.left_behind].into_iter().flatten() {
        let _ = write!(line, ": {text}");
    }
    plain(&line).replace('\n', "\n  ")
}
