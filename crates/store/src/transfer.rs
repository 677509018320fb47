//! The form of an export: what each of its lines is, and which lines are refused.
//!
//! It is a form of documents and of the event log, not of this engine's tables, so that it can be
//! carried to another engine. Each line is exactly what [`Line::text`] makes of it: two exports of
//! the same contents are the same bytes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use aws_lc_rs::digest::{Context, SHA256};
use guestlist_api::chain::{CanonicalEvent, ChainHash};
use guestlist_rules::changes::{Document, Event, Facet, Kind};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::chain::Head;
use crate::embedded::{Progress, ROWS, Watch, tell};
use crate::{BackupError, PostgresOpenError};

/// The name that the first line begins with.
pub(crate) const FORMAT: &str = "guestlist-export";
/// The version of the form. One that is higher is refused.
pub(crate) const VERSION: u32 = 2;
/// The first version that tells the hash of the newest event.
const CHAINED: u32 = 2;
/// The most bytes of one line with its end: 64 MiB. One change writes 8 MiB at most, of which each
/// byte takes six where all of them have to be escaped.
pub(crate) const LONGEST_LINE: usize = 64 << 20;

/// Why nothing was exported, or nothing imported.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    #[error("this is not an export made by Guestlist")]
    NotAnExport,
    #[error(
        "the export was written by a newer Guestlist (version {found} of its form, this one knows \
         {known}); use the newer version",
        known = VERSION
    )]
    Newer { found: u32 },
    #[error(
        "line {line}: this version knows no {what} {name:?}; use the version that exported it, or a newer one"
    )]
    Unknown {
        line: u64,
        what: &'static str,
        name: String,
    },
    #[error("line {line}: {problem}")]
    Line { line: u64, problem: String },
    #[error("it ends after line {line}, before its last one: it was cut off")]
    CutOff { line: u64 },
    #[error("line {line} comes after the last one")]
    GoesOn { line: u64 },
    #[error("it says that it holds {said}, but it holds {found}")]
    Count { said: String, found: String },
    #[error("its SHA-256 is {found}, and should be {said}: it was altered")]
    Altered { said: String, found: String },
    #[error(
        "the hash of its newest event is {found}, and should be {said}: the event log was altered"
    )]
    Broken { said: ChainHash, found: ChainHash },
    #[error(
        "what was read back from the new database is not what the export holds: the disk cannot be trusted"
    )]
    Differs,
    #[error("the export cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    #[error("the export cannot be written: {0}")]
    Unwritable(#[source] io::Error),
    #[error(transparent)]
    Store(#[from] BackupError),
    #[error(transparent)]
    Database(#[from] PostgresOpenError),
    #[error(
        "the database at {address} holds something already: name an empty one, or another schema"
    )]
    NotEmpty { address: String },
}

impl From<rusqlite::Error> for TransferError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What an export says of itself in its first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportHeader {
    /// Always `guestlist-export`.
    pub format: String,
    /// The version of the form.
    pub version: u32,
    /// The version of the program that wrote it.
    pub product: String,
    /// The id of the account, if there is one.
    pub account: Option<String>,
    /// The newest revision; 0 if nothing was ever written.
    pub revision: u64,
}

/// What an export holds, as its last line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportEnd {
    /// The number of documents of each kind, by the kind's stored name.
    pub documents: BTreeMap<String, u64>,
    pub events: u64,
    /// The hash of the newest event, which stands for the whole event log. Version 1 has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<ChainHash>,
    /// Of all bytes before this line, in hexadecimal.
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndLine {
    end: ExportEnd,
}

impl ExportEnd {
    pub(crate) fn text(&self) -> serde_json::Result<String> {
        serde_json::to_string(&EndLine { end: self.clone() })
    }

    /// What the last line of this version tells of where the event log ends.
    pub(crate) fn head_in(version: u32, head: Head) -> Option<ChainHash> {
        (version >= CHAINED).then_some(head.hash)
    }

    /// What is counted, for people.
    pub(crate) fn counts(&self) -> String {
        let kinds = self.documents.iter();
        let mut counts: Vec<String> = kinds
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        counts.push(format!("events {}", self.events));
        counts.join(", ")
    }
}

/// A document with its body as the bytes that are stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DocumentLine {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    pub(crate) mark: u64,
    pub(crate) facets: Vec<(Facet, String)>,
    pub(crate) body: String,
}

/// A line of the event log, with the event as the bytes that are stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EventLine {
    pub(crate) revision: u64,
    pub(crate) touched: Vec<(Kind, String)>,
    pub(crate) event: String,
    /// What of the event is hashed.
    pub(crate) canonical: CanonicalEvent,
}

/// A line after the first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Document(DocumentLine),
    Event(EventLine),
    End(ExportEnd),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentHead {
    kind: String,
    id: String,
    mark: u64,
    facets: Vec<(String, String)>,
    #[serde(skip_serializing)]
    #[serde(rename = "value")]
    _value: IgnoredAny,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventHead {
    revision: u64,
    touched: Vec<(String, String)>,
    #[serde(skip_serializing)]
    #[serde(rename = "event")]
    _event: IgnoredAny,
}

impl DocumentLine {
    pub(crate) fn text(&self) -> serde_json::Result<String> {
        let head = DocumentHead {
            kind: self.kind.name().to_owned(),
            id: self.id.clone(),
            mark: self.mark,
            facets: (self.facets.iter())
                .map(|(facet, value)| (facet.name().to_owned(), value.clone()))
                .collect(),
            _value: IgnoredAny,
        };
        with_raw(&head, "value", &self.body)
    }

    /// The order in which documents are exported: by the name of the kind and by id, in bytes.
    pub(crate) fn place(&self) -> (&'static str, String) {
        (self.kind.name(), self.id.clone())
    }
}

/// The document of a line, for whoever checks documents.
impl DocumentLine {
    pub(crate) fn document(&self) -> Document {
        Document {
            kind: self.kind,
            id: self.id.clone(),
            facets: self.facets.clone(),
            body: self.body.clone().into_bytes(),
        }
    }
}

impl EventLine {
    pub(crate) fn text(&self) -> serde_json::Result<String> {
        let head = EventHead {
            revision: self.revision,
            touched: (self.touched.iter())
                .map(|(kind, id)| (kind.name().to_owned(), id.clone()))
                .collect(),
            _event: IgnoredAny,
        };
        with_raw(&head, "event", &self.event)
    }
}

/// An object whose last member is JSON that is kept byte by byte.
fn with_raw(head: &impl Serialize, member: &str, raw: &str) -> serde_json::Result<String> {
    let mut text = serde_json::to_string(head)?;
    text.pop();
    Ok(format!("{text},\"{member}\":{raw}}}"))
}

/// What [`with_raw`] was given, if the line is what it makes of it.
fn raw_of(head: &impl Serialize, member: &str, line: &str) -> Option<String> {
    let whole = with_raw(head, member, "").ok()?;
    let before = whole.strip_suffix('}')?;
    let raw = line.strip_prefix(before)?.strip_suffix('}')?;
    serde_json::from_str::<IgnoredAny>(raw).ok()?;
    Some(raw.to_owned())
}

impl Line {
    /// Reads a line, and refuses every one that an export does not write.
    pub(crate) fn read(number: u64, line: &str) -> Result<Self, TransferError> {
        let problem = |problem: String| TransferError::Line {
            line: number,
            problem,
        };
        let wrong = |error: serde_json::Error| problem(format!("it cannot be read: {error}"));
        let unlike = || problem("it is not in the form that an export has".to_owned());
        if line.starts_with("{\"kind\":") {
            let head: DocumentHead = serde_json::from_str(line).map_err(wrong)?;
            let body = raw_of(&head, "value", line).ok_or_else(unlike)?;
            let facets = head.facets.into_iter().map(|(name, value)| {
                let facet = Facet::from_name(&name);
                let facet = facet.ok_or_else(|| unknown(number, "facet", name))?;
                Ok((facet, value))
            });
            return Ok(Self::Document(DocumentLine {
                facets: facets.collect::<Result<_, TransferError>>()?,
                kind: known(number, head.kind)?,
                id: head.id,
                mark: head.mark,
                body,
            }));
        }
        if line.starts_with("{\"revision\":") {
            let head: EventHead = serde_json::from_str(line).map_err(wrong)?;
            let event = raw_of(&head, "event", line).ok_or_else(unlike)?;
            let canonical = serde_json::from_str::<Event>(&event)
                .map_err(wrong)?
                .canonical();
            let touched = head
                .touched
                .into_iter()
                .map(|(kind, id)| Ok((known(number, kind)?, id)));
            return Ok(Self::Event(EventLine {
                revision: head.revision,
                touched: touched.collect::<Result<_, TransferError>>()?,
                event,
                canonical,
            }));
        }
        let end: EndLine = serde_json::from_str(line).map_err(wrong)?;
        if end.end.text().is_ok_and(|text| text == line) {
            return Ok(Self::End(end.end));
        }
        Err(unlike())
    }
}

fn known(line: u64, name: String) -> Result<Kind, TransferError> {
    Kind::from_name(&name).ok_or_else(|| unknown(line, "kind of document", name))
}

fn unknown(line: u64, what: &'static str, name: String) -> TransferError {
    TransferError::Unknown { line, what, name }
}

/// Why a body or an event cannot be written: everything that the server writes is JSON on one line,
/// and anything else could not be read again.
pub(crate) fn unfit(json: &str) -> Option<String> {
    if json.contains('\n') {
        return Some("a document or an event has more than one line".to_owned());
    }
    let parsed = serde_json::from_str::<IgnoredAny>(json);
    let error = parsed.err()?;
    Some(format!("a document or an event is not JSON: {error}"))
}

/// Writes the lines of an export in their order: documents by the name of their kind and their id,
/// and then the event log.
pub(crate) struct ExportWriter<'a> {
    out: &'a mut dyn Write,
    watch: Watch<'a>,
    hash: Context,
    documents: BTreeMap<String, u64>,
    head: Head,
    done: u64,
    all: u64,
}

fn unwritable(error: serde_json::Error) -> TransferError {
    TransferError::Unwritable(error.into())
}

impl<'a> ExportWriter<'a> {
    /// Writes the first line. `all` documents and events are to follow.
    pub(crate) fn begin(
        header: &ExportHeader,
        all: u64,
        out: &'a mut dyn Write,
        watch: Watch<'a>,
    ) -> Result<Self, TransferError> {
        let mut writer = Self {
            out,
            watch,
            hash: Context::new(&SHA256),
            documents: BTreeMap::new(),
            head: Head::START,
            done: 0,
            all,
        };
        writer.line(serde_json::to_string(header))?;
        Ok(writer)
    }

    pub(crate) fn document(&mut self, line: &DocumentLine) -> Result<(), TransferError> {
        let name = line.kind.name().to_owned();
        *self.documents.entry(name).or_default() += 1;
        self.row(line.text())
    }

    pub(crate) fn event(&mut self, line: &EventLine) -> Result<(), TransferError> {
        self.head = self.head.followed_by(&line.canonical);
        self.row(line.text())
    }

    /// Writes the last line, in the form of a version.
    pub(crate) fn end(self, version: u32) -> Result<ExportEnd, TransferError> {
        let end = ExportEnd {
            documents: self.documents,
            events: self.head.revision.0,
            head: ExportEnd::head_in(version, self.head),
            sha256: hexadecimal(self.hash),
        };
        let text = end.text().map_err(unwritable)?;
        self.out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.write_all(b"\n"))
            .and_then(|()| self.out.flush())
            .map_err(TransferError::Unwritable)?;
        Ok(end)
    }

    fn row(&mut self, text: serde_json::Result<String>) -> Result<(), TransferError> {
        self.line(text)?;
        self.done += 1;
        if self.done.is_multiple_of(ROWS) || self.done == self.all {
            let (done, all) = (self.done, self.all);
            tell(self.watch, Progress::Exporting { done, all })?;
        }
        Ok(())
    }

    fn line(&mut self, text: serde_json::Result<String>) -> Result<(), TransferError> {
        let mut text = text.map_err(unwritable)?;
        text.push('\n');
        if text.len() > LONGEST_LINE {
            return Err(TransferError::Unwritable(io::Error::other(format!(
                "a document or an event takes more than {LONGEST_LINE} bytes"
            ))));
        }
        self.hash.update(text.as_bytes());
        let written = self.out.write_all(text.as_bytes());
        written.map_err(TransferError::Unwritable)
    }
}

/// A SHA-256 in hexadecimal.
pub(crate) fn hexadecimal(hash: Context) -> String {
    let hash = hash.finish();
    let bytes = hash.as_ref().iter();
    let pairs: Vec<String> = bytes.map(|byte| format!("{byte:02x}")).collect();
    pairs.concat()
}
