//! Which changes of a group are applied, in their order: decided in memory.
//!
//! On the way that takes one round trip nothing is read before: what the first change expects of a
//! document is assumed, and the database writes the whole group only if every assumption holds. On
//! the other way the marks were read, under the lock of the head.

use std::collections::HashMap;

use guestlist_rules::changes::{Changes, Document, Expect, Kind};

use super::change::Texts;
use super::failure::Failure;
use super::rows::signed;
use crate::Applied;
use crate::chain::Head;

/// A document's name.
pub(super) type Key<'a> = (Kind, &'a str);

/// What is known of the documents before the group. A mark of 0: there is no such document.
pub(super) enum Known {
    Nothing,
    Marks(HashMap<(Kind, String), i64>),
}

/// What a group comes to.
pub(super) struct Judged<'a> {
    /// One for each change.
    pub(super) outcomes: Vec<Applied>,
    /// The lines of those that are applied, and the number of each within the group.
    pub(super) lines: Vec<(Head, usize)>,
    /// How each touched document is left.
    pub(super) left: HashMap<Key<'a>, Left<'a>>,
    /// What must hold in the database: a mark for each document.
    pub(super) assumed: HashMap<Key<'a>, i64>,
    /// Where the log ends then.
    pub(super) head: Head,
}

/// What a group leaves of a document: it, its facets as stored and its mark; nothing if deleted.
pub(super) struct Left<'a> {
    pub(super) document: Option<(&'a Document, &'a [u8])>,
    pub(super) mark: i64,
}

/// The mark that fulfils an expectation; one that no document ever has if none does.
fn wanted(expect: Expect) -> i64 {
    match expect {
        Expect::Absent => 0,
        Expect::At(mark) => i64::try_from(mark.0)
            .ok()
            .filter(|mark| *mark > 0)
            .unwrap_or(-1),
    }
}

/// Judges a group. `None` if two changes expect what cannot both be, so that the marks are needed.
pub(super) fn judge<'a>(
    group: impl Iterator<Item = (&'a Changes, &'a Texts)>,
    base: Head,
    known: &Known,
) -> Result<Option<Judged<'a>>, Failure> {
    let mut judged = Judged {
        outcomes: Vec::new(),
        lines: Vec::new(),
        left: HashMap::new(),
        assumed: HashMap::new(),
        head: base,
    };
    for (number, (changes, texts)) in group.enumerate() {
        let Some(broken) = judged.broken(changes, known) else {
            return Ok(None);
        };
        if let Some((kind, id, expected)) = broken {
            let id = id.clone();
            judged
                .outcomes
                .push(Applied::Conflict { kind, id, expected });
            continue;
        }
        judged.apply(number, changes, texts)?;
    }
    Ok(Some(judged))
}

/// An expectation that does not hold, if there is one.
type Broken<'a> = Option<(Kind, &'a String, Expect)>;

impl<'a> Judged<'a> {
    /// Compares the expectations of a change; `None` if what was assumed contradicts them.
    fn broken(&mut self, changes: &'a Changes, known: &Known) -> Option<Broken<'a>> {
        let mut assumed: Vec<(Key<'a>, i64)> = Vec::new();
        for (kind, id, expected) in &changes.expect {
            let key = (*kind, id.as_str());
            let wanted = wanted(*expected);
            let found = match (self.left.get(&key), known) {
                (Some(left), _) => left.mark,
                (None, Known::Marks(marks)) => {
                    marks.get(&(*kind, id.clone())).copied().unwrap_or(0)
                }
                (None, Known::Nothing) => {
                    let before = assumed.iter().find(|(other, _)| *other == key);
                    let before = before.map(|(_, mark)| *mark);
                    match before.or_else(|| self.assumed.get(&key).copied()) {
                        Some(mark) if mark == wanted => {}
                        Some(_) => return None,
                        None => assumed.push((key, wanted)),
                    }
                    continue;
                }
            };
            if found != wanted {
                return Some(Some((*kind, id, *expected)));
            }
        }
        // Of a change that is not applied nothing is assumed: its conflict does not rest on it.
        self.assumed.extend(assumed);
        Some(None)
    }

    fn apply(
        &mut self,
        number: usize,
        changes: &'a Changes,
        texts: &'a Texts,
    ) -> Result<(), Failure> {
        self.head = self.head.followed_by(&texts.canonical);
        let mark = signed(self.head.revision)?;
        for (document, facets) in changes.write.iter().zip(&texts.facets) {
            let left = Left {
                document: Some((document, facets)),
                mark,
            };
            self.left.insert((document.kind, &document.id), left);
        }
        for (kind, id) in &changes.delete {
            let left = Left {
                document: None,
                mark: 0,
            };
            self.left.insert((*kind, id), left);
        }
        self.lines.push((self.head, number));
        self.outcomes.push(Applied::Done(self.head.revision));
        Ok(())
    }

    /// Whether the document was certainly not there before the group.
    pub(super) fn is_new(&self, key: &Key<'a>) -> bool {
        self.assumed.get(key) == Some(&0)
    }
}
