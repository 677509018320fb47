//! The parameters of the statements that write a group: a column of each table as an array.

use super::change::Texts;
use super::failure::Failure;
use super::judging::{Judged, Key, Left};
use super::rows::signed;

/// A column of bytes.
type Bytes<'a> = Vec<&'a [u8]>;

/// Columns, each an array.
#[derive(Default)]
pub(super) struct Batch<'a> {
    pub(super) assumed: Keyed<'a>,
    pub(super) deleted: Keyed<'a>,
    pub(super) written: Keyed<'a>,
    pub(super) written_facets: Bytes<'a>,
    pub(super) written_bodies: Bytes<'a>,
    pub(super) facets: Keyed<'a>,
    pub(super) facet_names: Bytes<'a>,
    pub(super) facet_values: Bytes<'a>,
    /// Documents of which there may be rows of earlier facets.
    pub(super) rewritten: Keyed<'a>,
    pub(super) revisions: Vec<i64>,
    pub(super) events: Bytes<'a>,
    pub(super) touched: Bytes<'a>,
    pub(super) hashes: Vec<Vec<u8>>,
    pub(super) payloads: Bytes<'a>,
}

/// Documents by name, with a mark.
#[derive(Default)]
pub(super) struct Keyed<'a> {
    pub(super) kinds: Bytes<'a>,
    pub(super) ids: Bytes<'a>,
    pub(super) marks: Vec<i64>,
}

impl<'a> Keyed<'a> {
    fn push(&mut self, (kind, id): Key<'a>, mark: i64) {
        self.kinds.push(kind.name().as_bytes());
        self.ids.push(id.as_bytes());
        self.marks.push(mark);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }
}

impl<'a> Batch<'a> {
    /// What a judged group writes; the texts are those of its changes.
    pub(super) fn of(judged: &Judged<'a>, texts: &[&'a Texts]) -> Result<Self, Failure> {
        let mut batch = Self::default();
        for (key, mark) in &judged.assumed {
            batch.assumed.push(*key, *mark);
        }
        let mut left: Vec<(&Key<'a>, &Left<'a>)> = judged.left.iter().collect();
        // In one order, whoever writes.
        left.sort_unstable_by_key(|(key, _)| **key);
        for (key, left) in left {
            batch.leave(*key, left, judged.is_new(key));
        }
        for (head, number) in &judged.lines {
            let Some(texts) = texts.get(*number) else {
                continue;
            };
            batch.revisions.push(signed(head.revision)?);
            batch.events.push(&texts.event);
            batch.touched.push(&texts.touched);
            batch.hashes.push(head.hash.as_bytes().to_vec());
            batch.payloads.push(&texts.payload);
        }
        Ok(batch)
    }

    fn leave(&mut self, key: Key<'a>, left: &Left<'a>, is_new: bool) {
        if !is_new {
            self.rewritten.push(key, left.mark);
        }
        let Some((document, facets)) = left.document else {
            self.deleted.push(key, 0);
            return;
        };
        self.written.push(key, left.mark);
        self.written_facets.push(facets);
        self.written_bodies.push(&document.body);
        for (facet, value) in &document.facets {
            self.facets.push(key, left.mark);
            self.facet_names.push(facet.name().as_bytes());
            self.facet_values.push(value.as_bytes());
        }
    }
}
