//! The engine that keeps nothing: everything is gone when the process ends.
//!
//! It is for tests and for trying things out, and it is the plainest reading of the contract.
//! Deliberately absent: any bound on the event log, which grows until the process ends.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use guestlist_rules::changes::{
    Changes, Committed, Document, Expect, Facet, Kind, Mark, Revision, Seen,
};

use crate::admission::admit;
use crate::chain::Head;
use crate::{Applied, Logged, Position, Selection, Store, StoreError, Subscriber};

/// A store in the memory of this process. One lock makes every change and every read one step;
/// subscribers are called under it and so must not call the store.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    documents: BTreeMap<(Kind, String), Seen<Document>>,
    /// Every facet of every document, in the order of [`Selection::Between`].
    facets: BTreeSet<(Kind, Facet, String, String)>,
    log: Vec<Logged>,
    subscribers: Vec<Subscriber>,
    closed: bool,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// A panic under the lock can only come from a subscriber, after the change was complete.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Seen<Document>>, StoreError> {
        Ok(self.state().documents.get(&(kind, id.to_owned())).cloned())
    }

    async fn list(
        &self,
        kind: Kind,
        selection: &Selection,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<Seen<Document>>, StoreError> {
        Ok(self.state().list(kind, selection, after, limit))
    }

    async fn apply(&self, changes: Changes) -> Result<Applied, StoreError> {
        admit(&changes)?;
        let mut state = self.state();
        if state.closed {
            return Err(StoreError::Stopped);
        }
        if let Some((kind, id, expected)) = state.broken_expectation(&changes) {
            return Ok(Applied::Conflict { kind, id, expected });
        }
        let revision = state.write(&changes);
        let committed = Committed {
            revision,
            changes: Arc::new(changes),
        };
        for subscriber in &state.subscribers {
            subscriber(&committed);
        }
        Ok(Applied::Done(revision))
    }

    async fn events_after(
        &self,
        revision: Revision,
        limit: usize,
    ) -> Result<Vec<Logged>, StoreError> {
        let known = usize::try_from(revision.0).unwrap_or(usize::MAX);
        Ok(self
            .state()
            .log
            .iter()
            .skip(known)
            .take(limit)
            .cloned()
            .collect())
    }

    async fn revision(&self) -> Result<Revision, StoreError> {
        Ok(self.state().revision())
    }

    async fn follow(
        &self,
        kinds: &[Kind],
        each: &mut (dyn FnMut(Seen<Document>) + Send),
        sink: Subscriber,
    ) -> Result<Revision, StoreError> {
        let mut state = self.state();
        for document in state.documents.values() {
            if kinds.contains(&document.value.kind) {
                each(document.clone());
            }
        }
        state.subscribers.push(sink);
        Ok(state.revision())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        if self.state().closed {
            Err(StoreError::Stopped)
        } else {
            Ok(())
        }
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.state().closed = true;
        Ok(())
    }

    /// Memory does not fail.
    async fn stopped(&self) {
        std::future::pending::<()>().await;
    }
}

impl State {
    fn revision(&self) -> Revision {
        self.log
            .last()
            .map(|line| line.revision)
            .unwrap_or_default()
    }

    fn broken_expectation(&self, changes: &Changes) -> Option<(Kind, String, Expect)> {
        let holds = |(kind, id, expected): &&(Kind, String, Expect)| {
            let mark = self
                .documents
                .get(&(*kind, id.clone()))
                .map(|seen| seen.mark);
            match expected {
                Expect::At(expected) => mark == Some(*expected),
                Expect::Absent => mark.is_none(),
            }
        };
        changes
            .expect
            .iter()
            .find(|expectation| !holds(expectation))
            .cloned()
    }

    fn write(&mut self, changes: &Changes) -> Revision {
        let newest = self.log.last().map(|line| Head {
            revision: line.revision,
            hash: line.hash,
        });
        let head = newest.unwrap_or_default();
        let Head { revision, hash } = head.followed_by(&changes.event.canonical());
        let mut touched = Vec::with_capacity(changes.write.len() + changes.delete.len());
        for document in &changes.write {
            self.remove(document.kind, &document.id);
            for (facet, value) in &document.facets {
                let row = (document.kind, *facet, value.clone(), document.id.clone());
                self.facets.insert(row);
            }
            let key = (document.kind, document.id.clone());
            touched.push(key.clone());
            let seen = Seen {
                value: document.clone(),
                mark: Mark(revision.0),
            };
            self.documents.insert(key, seen);
        }
        for (kind, id) in &changes.delete {
            self.remove(*kind, id);
            touched.push((*kind, id.clone()));
        }
        self.log.push(Logged {
            revision,
            event: changes.event.clone(),
            touched,
            hash,
        });
        revision
    }

    fn remove(&mut self, kind: Kind, id: &str) {
        let Some(old) = self.documents.remove(&(kind, id.to_owned())) else {
            return;
        };
        for (facet, value) in old.value.facets {
            self.facets.remove(&(kind, facet, value, id.to_owned()));
        }
    }

    fn list(
        &self,
        kind: Kind,
        selection: &Selection,
        after: Option<&Position>,
        limit: usize,
    ) -> Vec<Seen<Document>> {
        let last = after
            .map(|position| position.id.clone())
            .unwrap_or_default();
        match selection {
            Selection::All => {
                let from = Bound::Excluded((kind, last));
                let documents = self.documents.range((from, Bound::Unbounded));
                let of_kind = documents.take_while(|((other, _), _)| *other == kind);
                of_kind.take(limit).map(|(_, seen)| seen.clone()).collect()
            }
            Selection::Equal(facet, value) => {
                let from = (kind, *facet, value.clone(), last);
                self.by_facet(from, limit, |other| other == value)
            }
            Selection::Between(facet, lower, upper) => {
                let passed = after.map(|position| (position.value.clone(), position.id.clone()));
                let (lower, id) = passed
                    .unwrap_or_default()
                    .max((lower.clone(), String::new()));
                let from = (kind, *facet, lower, id);
                self.by_facet(from, limit, |value| value < upper)
            }
        }
    }

    /// The documents whose facet comes after `from`, as long as the value is wanted.
    fn by_facet(
        &self,
        from: (Kind, Facet, String, String),
        limit: usize,
        wanted: impl Fn(&String) -> bool,
    ) -> Vec<Seen<Document>> {
        let (kind, facet) = (from.0, from.1);
        self.facets
            .range((Bound::Excluded(from), Bound::Unbounded))
            .take_while(|row| row.0 == kind && row.1 == facet && wanted(&row.2))
            .take(limit)
            .filter_map(|row| self.documents.get(&(kind, row.3.clone())).cloned())
            .collect()
    }
}
