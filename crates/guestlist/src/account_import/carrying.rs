//! One kind of documents after the other, from the other server's list to this server: what each noun
//! says of its documents, and the loop they have in common.

use guestlist_client::api::text::Malformed;
use guestlist_client::{Client, Error};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::kinds::Kind;
use super::report::{Entry, Outcome, Report};
use super::state::State;
use super::steps::Steps;
use crate::exits::Failure;
use crate::plan::Form;

/// Documents of a kind at most, and pages: a list that has more is not read to its end.
pub(super) const MOST: usize = 100_000;
/// Characters that are shown of what stands for an id in a document that cannot be read.
const SHOWN: usize = 128;

/// Why a document is not written.
#[derive(Debug)]
pub(super) enum Why {
    /// It is not for carrying.
    LeftOut(&'static str),
    Unreadable(String),
}

impl From<Malformed> for Why {
    fn from(reason: Malformed) -> Self {
        Self::Unreadable(reason.to_string())
    }
}

/// How what is here compares with what is wanted.
#[derive(Debug)]
pub(super) enum Comparison {
    Same,
    Differs(Vec<String>),
    /// It differs, and is not overwritten for this reason, whatever was asked for.
    Protected(Vec<String>, &'static str),
    /// It is each server's own: here it says something else, and that is as it must be.
    Own(Vec<String>, &'static str),
}

impl Comparison {
    /// By what is here in its normal form; what has none differs.
    pub(super) fn of_forms(here: Result<Form, Malformed>, wanted: &Form) -> Self {
        match here {
            Ok(here) => Self::of(wanted.differing(&here)),
            Err(reason) => Self::Differs(vec![reason.to_string()]),
        }
    }

    /// By the members that say something else.
    pub(super) fn of(differences: Vec<String>) -> Self {
        if differences.is_empty() {
            Self::Same
        } else {
            Self::Differs(differences)
        }
    }
}

/// What is here under a document's id.
#[derive(Debug)]
pub(super) enum Present<T> {
    Absent,
    Here(T),
    /// Something is here that may be it or not: nothing is written, for this reason.
    Doubtful(String),
}

/// A kind of documents.
pub(super) trait Noun {
    const KIND: Kind;
    /// Where the other server lists them, and the member of a page that has them.
    const LIST: (&'static str, &'static str);
    /// As the other server answers them.
    type Read: DeserializeOwned;
    /// As they are written here.
    type Wanted;
    /// As they are here.
    type Here;

    /// What a document is called, as far as it can be read at all.
    fn id(document: &Value) -> Option<String>;

    /// What to write, or why nothing.
    fn wanted(&self, read: Self::Read, state: &State) -> Result<Self::Wanted, Why>;

    /// What of it stays behind although it is carried.
    fn left_behind(_read: &Self::Read) -> Option<String> {
        None
    }

    /// What is here under its id.
    async fn present(
        &mut self,
        here: &Client,
        id: &str,
        wanted: &Self::Wanted,
        state: &State,
    ) -> Result<Present<Self::Here>, Error>;

    /// Its id here, for documents whose ids a server makes itself.
    fn made_as(_here: &Self::Here) -> Option<String> {
        None
    }

    /// What was made with it: kind, id on the other server, id here.
    fn made_with(_here: &Self::Here, _wanted: &Self::Wanted) -> Vec<(Kind, String, String)> {
        Vec::new()
    }

    fn compare(&self, here: &Self::Here, wanted: &Self::Wanted) -> Comparison;

    /// Makes it.
    async fn create(&mut self, here: &Client, wanted: &Self::Wanted) -> Result<Self::Here, Error>;

    /// Puts it in the place of what is here, if that has not changed meanwhile.
    async fn replace(
        &mut self,
        here: &Client,
        present: &Self::Here,
        wanted: &Self::Wanted,
    ) -> Result<(), Error>;
}

/// What an import works with.
pub(super) struct Carrier<'a> {
    pub(super) there: &'a Client,
    pub(super) here: &'a Client,
    pub(super) state: &'a mut State,
    pub(super) report: &'a mut Report,
    pub(super) steps: &'a Steps,
    pub(super) overwrites: bool,
    pub(super) dry_run: bool,
}

impl Carrier<'_> {
    /// Carries all documents of a kind. A list or a document that cannot be read is told and does not
    /// stop the rest; a server that fails does.
    pub(super) async fn carry<N: Noun>(&mut self, mut noun: N) -> Result<(), Failure> {
        self.report.begin(N::KIND);
        let (path, member) = N::LIST;
        let mut documents = self.there.documents(path, member).page_limit(MOST as u64);
        let mut number = 0_usize;
        loop {
            self.steps
                .goes_on(&format!("{}: {number}", N::KIND.nouns()))?;
            let document = match documents.try_next().await {
                Ok(Some(document)) => document,
                Ok(None) => return Ok(()),
                Err(error) => {
                    let reason = unread(error).map_err(|failure| {
                        failure.during(&format!(
                            "reading the {} of {}",
                            N::KIND.nouns(),
                            self.there.url()
                        ))
                    })?;
                    self.report.unread(N::KIND, reason);
                    return Ok(());
                }
            };
            number += 1;
            if number > MOST {
                let reason = format!("it has more than {MOST} documents");
                self.report.unread(N::KIND, reason);
                return Ok(());
            }
            let id = N::id(&document).map_or_else(
                || format!("number {number}"),
                |id| id.chars().take(SHOWN).collect(),
            );
            let entry = self.one(&mut noun, &id, &document).await;
            let entry =
                entry.map_err(|failure| failure.during(&format!("{} {id}", N::KIND.noun())))?;
            self.report.take(entry);
        }
    }

    async fn one<N: Noun>(
        &mut self,
        noun: &mut N,
        id: &str,
        document: &Value,
    ) -> Result<Entry, Failure> {
        let entry = |outcome| Entry::new(N::KIND, id, outcome);
        let read = match read::<N::Read>(document) {
            Ok(read) => read,
            Err(reason) => return Ok(entry(Outcome::Unreadable).because(reason)),
        };
        let left_behind = N::left_behind(&read);
        if self.state.is_done(N::KIND, id) {
            let mut entry = entry(Outcome::Earlier);
            entry.made_as = self.state.made_as(N::KIND, id).map(ToOwned::to_owned);
            entry.left_behind = left_behind;
            return Ok(entry);
        }
        let wanted = match noun.wanted(read, self.state) {
            Ok(wanted) => wanted,
            Err(Why::LeftOut(reason)) => return Ok(entry(Outcome::LeftOut).because(reason)),
            Err(Why::Unreadable(reason)) => return Ok(entry(Outcome::Unreadable).because(reason)),
        };
        let mut written = match self.write(noun, id, &wanted).await {
            Ok(written) => written,
            Err(error) => return Ok(entry(Outcome::Refused).because(refused(error)?)),
        };
        for (kind, there, here) in std::mem::take(&mut written.ids) {
            self.state.made(kind, &there, &here)?;
        }
        let mut told = written.entry;
        match told.outcome {
            Outcome::Created | Outcome::Overwritten | Outcome::Same => {
                told.left_behind = left_behind;
                self.state.done(N::KIND, id)?;
            }
            Outcome::Differs
            | Outcome::Earlier
            | Outcome::Refused
            | Outcome::Unreadable
            | Outcome::LeftOut => {}
        }
        Ok(told)
    }

    async fn write<N: Noun>(
        &mut self,
        noun: &mut N,
        id: &str,
        wanted: &N::Wanted,
    ) -> Result<Written, Error> {
        let entry = |outcome| Entry::new(N::KIND, id, outcome);
        let entry = match noun.present(self.here, id, wanted, self.state).await? {
            Present::Doubtful(reason) => entry(Outcome::Differs).because(reason),
            Present::Absent if self.dry_run => entry(Outcome::Created),
            Present::Absent => {
                let made = noun.create(self.here, wanted).await?;
                return Ok(Written::with_ids::<N>(
                    entry(Outcome::Created),
                    &made,
                    wanted,
                ));
            }
            Present::Here(present) => {
                let mut entry = entry(Outcome::Same);
                match noun.compare(&present, wanted) {
                    Comparison::Same => {}
                    Comparison::Protected(differences, reason) => {
                        entry.outcome = Outcome::Differs;
                        entry.reason = Some(reason.to_owned());
                        entry.differences = differences;
                    }
                    Comparison::Own(differences, reason) => {
                        entry.outcome = Outcome::LeftOut;
                        entry.reason = Some(reason.to_owned());
                        entry.differences = differences;
                    }
                    Comparison::Differs(differences) => {
                        entry.outcome = Outcome::Differs;
                        entry.differences = differences;
                        if self.overwrites {
                            if !self.dry_run {
                                noun.replace(self.here, &present, wanted).await?;
                            }
                            entry.outcome = Outcome::Overwritten;
                        }
                    }
                }
                return Ok(Written::with_ids::<N>(entry, &present, wanted));
            }
        };
        Ok(Written {
            entry,
            ids: Vec::new(),
        })
    }
}

/// What became of a document, and which ids it and what belongs to it have here.
struct Written {
    entry: Entry,
    ids: Vec<(Kind, String, String)>,
}

impl Written {
    fn with_ids<N: Noun>(mut entry: Entry, here: &N::Here, wanted: &N::Wanted) -> Self {
        let mut ids = N::made_with(here, wanted);
        let made_as = N::made_as(here).filter(|made_as| *made_as != entry.id);
        if let Some(made_as) = &made_as {
            ids.push((N::KIND, entry.id.clone(), made_as.clone()));
        }
        entry.made_as = made_as;
        Self { entry, ids }
    }
}

/// Reads a document; what `serde` says of it quotes it, so only the place is kept.
fn read<T: DeserializeOwned>(document: &Value) -> Result<T, String> {
    serde_path_to_error::deserialize(document).map_err(|error| {
        let path = error.path().to_string();
        if path == "." {
            "it is not such a document, or a member of it is missing".to_owned()
        } else {
            format!("{path} is missing or not what it must be")
        }
    })
}

/// Why a list could not be read to its end, unless the whole server is to be given up.
fn unread(error: Error) -> Result<String, Failure> {
    let is_too_large = matches!(&error, Error::Transport(error) if error.is_too_large());
    if is_an_answer(&error) || is_too_large || matches!(error, Error::Decoding(_)) {
        Ok(error.to_string())
    } else {
        Err(error.into())
    }
}

/// Why this server does not take a document, unless it takes none at this moment.
fn refused(error: Error) -> Result<String, Failure> {
    // Configuration: its id does not go into a path.
    if is_an_answer(&error) || matches!(error, Error::Configuration(_)) {
        Ok(error.to_string())
    } else {
        Err(error.into())
    }
}

/// Whether a refusal is about what was asked for: not about who asks, or when.
fn is_an_answer(error: &Error) -> bool {
    error.status().is_some_and(|status| {
        matches!(status, 400..=499 | 501) && !matches!(status, 401 | 408 | 429)
    })
}

/// What is here, by an answer to reading it. Who may not read it may be able to make it all the same,
/// and making never overwrites.
pub(super) fn found<T>(answer: Result<T, Error>) -> Result<Present<T>, Error> {
    match answer {
        Ok(here) => Ok(Present::Here(here)),
        Err(error) if matches!(error.status(), Some(403 | 404)) => Ok(Present::Absent),
        Err(error) => Err(error),
    }
}

/// A text member of a document.
pub(super) fn text(document: &Value, member: &str) -> Option<String> {
    document.get(member)?.as_str().map(ToOwned::to_owned)
}

/// The members in which two objects differ, for nouns whose JSON says all of them.
pub(super) fn differing(
    here: &impl serde::Serialize,
    wanted: &impl serde::Serialize,
) -> Vec<String> {
    let object = |value: serde_json::Result<Value>| match value {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => serde_json::Map::new(),
    };
    let here = object(serde_json::to_value(here));
    let wanted = object(serde_json::to_value(wanted));
    let names: std::collections::BTreeSet<&String> = here.keys().chain(wanted.keys()).collect();
    names
        .into_iter()
        .filter(|name| here.get(*name) != wanted.get(*name))
        .cloned()
        .collect()
}
