//! The control of the suite: an engine with one planted fault, which the suite must find.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use guestlist_rules::changes::{Changes, Document, Expect, Facet, Kind, Revision, Seen};

use crate::{
    Applied, Head, Logged, MemoryStore, Position, Selection, Store, StoreError, Subscriber,
};

/// What is wrong with a [`BrokenStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Compares only what the change writes.
    ForgetsTheUnwritten,
    /// Takes every mark for the newest.
    TakesAnyMark,
    /// Looks first and writes later.
    LooksThenWrites,
    /// Writes each document by itself.
    WritesInParts,
    /// Gives a conflict a line in the log.
    CountsConflicts,
    /// Folds the case of ids.
    FoldsCase,
    /// Trims ids.
    Trims,
    /// Gives one document more than asked for.
    ExceedsLimits,
    /// Takes the upper end of a range as well.
    TakesTheUpperEnd,
    /// Begins a page after the value, not after the document.
    SkipsTies,
    /// Lists a document under facets it no longer has.
    KeepsOldFacets,
    /// Answers from what it read once.
    ServesOldReads,
    /// Begins the chain anew with every line.
    BreaksTheChain,
    /// Names no documents in the log.
    ForgetsTheTouched,
    /// Tells subscribers after the answer.
    TellsLate,
    /// Tells subscribers twice.
    TellsTwice,
    /// Takes the snapshot and subscribes a little later.
    FollowsWithAGap,
    /// Takes writes after it was closed.
    NeverCloses,
}

impl Fault {
    /// Every fault, with a case that must fail because of it.
    pub const ALL: [(Self, &'static str); 18] = [
        (
            Self::ForgetsTheUnwritten,
            "an_unwritten_document_is_compared_too",
        ),
        (Self::TakesAnyMark, "a_mark_holds_until_the_next_write"),
        (
            Self::LooksThenWrites,
            "of_64_racers_for_one_document_one_wins",
        ),
        (Self::WritesInParts, "a_reader_never_sees_half_a_change"),
        (Self::CountsConflicts, "a_conflict_takes_no_revision"),
        (Self::FoldsCase, "ids_differ_by_case"),
        (Self::Trims, "ids_are_not_trimmed"),
        (Self::ExceedsLimits, "a_limit_is_never_exceeded"),
        (
            Self::TakesTheUpperEnd,
            "between_takes_its_lower_end_and_not_its_upper",
        ),
        (Self::SkipsTies, "ties_are_paged_by_id"),
        (Self::KeepsOldFacets, "facets_follow_an_update"),
        (Self::ServesOldReads, "reads_see_what_was_acknowledged"),
        (
            Self::BreaksTheChain,
            "each_line_is_hashed_with_all_before_it",
        ),
        (Self::ForgetsTheTouched, "a_line_names_what_was_touched"),
        (Self::TellsLate, "a_follower_hears_before_the_answer"),
        (Self::TellsTwice, "a_follower_hears_in_order_and_once"),
        (
            Self::FollowsWithAGap,
            "a_snapshot_and_what_follows_join_while_others_write",
        ),
        (Self::NeverCloses, "a_closed_store_takes_no_writes"),
    ];
}

type Read = HashMap<(Kind, String), Option<Seen<Document>>>;

/// A memory engine with one fault.
pub struct BrokenStore {
    inner: MemoryStore,
    fault: Fault,
    /// What was read once, for [`Fault::ServesOldReads`].
    read: Mutex<Read>,
    /// Every facet any document ever had, for [`Fault::KeepsOldFacets`].
    had: Mutex<Vec<(Kind, String, Facet, String)>>,
}

impl BrokenStore {
    pub fn new(fault: Fault) -> Self {
        let (read, had) = (Mutex::default(), Mutex::default());
        Self {
            inner: MemoryStore::new(),
            fault,
            read,
            had,
        }
    }

    fn id(&self, id: &str) -> String {
        if self.fault == Fault::FoldsCase {
            return id.to_lowercase();
        }
        let id = if self.fault == Fault::Trims {
            id.trim()
        } else {
            id
        };
        id.to_owned()
    }

    /// The change as this engine takes it.
    async fn misread(&self, mut changes: Changes) -> Result<Changes, StoreError> {
        for document in &mut changes.write {
            document.id = self.id(&document.id);
        }
        if self.fault == Fault::ForgetsTheUnwritten {
            let written: Vec<_> = changes
                .write
                .iter()
                .map(|document| (document.kind, document.id.clone()))
                .collect();
            changes
                .expect
                .retain(|(kind, id, _)| written.contains(&(*kind, id.clone())));
        }
        if self.fault == Fault::TakesAnyMark {
            for (kind, id, expected) in &mut changes.expect {
                if let (Expect::At(mark), Some(seen)) = (expected, self.inner.get(*kind, id).await?)
                {
                    *mark = seen.mark;
                }
            }
        }
        Ok(changes)
    }

    async fn look_then_write(&self, mut changes: Changes) -> Result<Applied, StoreError> {
        let mut look = Changes::new(changes.event.clone());
        look.expect = std::mem::take(&mut changes.expect);
        for (kind, id, expected) in look.expect {
            let mark = self.inner.get(kind, &id).await?.map(|seen| seen.mark);
            if mark.map_or(Expect::Absent, Expect::At) != expected {
                return Ok(Applied::Conflict { kind, id, expected });
            }
        }
        tokio::task::yield_now().await;
        self.inner.apply(changes).await
    }

    async fn write_in_parts(&self, mut changes: Changes) -> Result<Applied, StoreError> {
        let documents = std::mem::take(&mut changes.write);
        let event = changes.event.clone();
        let mut applied = self.inner.apply(changes).await?;
        for document in documents {
            if let Applied::Conflict { .. } = applied {
                return Ok(applied);
            }
            tokio::task::yield_now().await;
            let mut part = Changes::new(event.clone());
            part.write.push(document);
            applied = self.inner.apply(part).await?;
        }
        Ok(applied)
    }
}

#[async_trait]
impl Store for BrokenStore {
    async fn get(&self, kind: Kind, id: &str) -> Result<Option<Seen<Document>>, StoreError> {
        let key = (kind, self.id(id));
        let found = self.inner.get(kind, &key.1).await?;
        if self.fault != Fault::ServesOldReads {
            return Ok(found);
        }
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(read.entry(key).or_insert(found).clone())
    }

    async fn list(
        &self,
        kind: Kind,
        selection: &Selection,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Vec<Seen<Document>>, StoreError> {
        let (mut selection, mut after, mut limit) = (selection.clone(), after.cloned(), limit);
        if self.fault == Fault::ExceedsLimits {
            limit = limit.saturating_add(1);
        }
        if let (Fault::TakesTheUpperEnd, Selection::Between(_, _, until)) =
            (self.fault, &mut selection)
        {
            until.push('\0');
        }
        if let (Fault::SkipsTies, Selection::Between(..), Some(position)) =
            (self.fault, &selection, &mut after)
        {
            position.id = String::from("\u{10ffff}");
        }
        let mut page = self
            .inner
            .list(kind, &selection, after.as_ref(), limit)
            .await?;
        if let (Fault::KeepsOldFacets, Selection::Equal(facet, value)) = (self.fault, &selection) {
            let had = self
                .had
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            for (_, id, _, _) in had
                .iter()
                .filter(|row| row.0 == kind && row.2 == *facet && row.3 == *value)
            {
                let known = page.iter().any(|seen| seen.value.id == *id);
                if let (false, Some(seen)) = (known, self.inner.get(kind, id).await?) {
                    page.push(seen);
                }
            }
        }
        Ok(page)
    }

    async fn apply(&self, changes: Changes) -> Result<Applied, StoreError> {
        let changes = self.misread(changes).await?;
        if self.fault == Fault::KeepsOldFacets {
            let mut had = self.had.lock().unwrap_or_else(PoisonError::into_inner);
            for document in &changes.write {
                for (facet, value) in &document.facets {
                    had.push((document.kind, document.id.clone(), *facet, value.clone()));
                }
            }
        }
        if self.fault == Fault::LooksThenWrites {
            return self.look_then_write(changes).await;
        }
        if self.fault == Fault::WritesInParts {
            return self.write_in_parts(changes).await;
        }
        let event = changes.event.clone();
        let applied = self.inner.apply(changes).await?;
        if let (Fault::CountsConflicts, Applied::Conflict { .. }) = (self.fault, &applied) {
            self.inner.apply(Changes::new(event)).await?;
        }
        Ok(applied)
    }

    async fn events_after(
        &self,
        revision: Revision,
        limit: usize,
    ) -> Result<Vec<Logged>, StoreError> {
        let mut log = self.inner.events_after(revision, limit).await?;
        if self.fault == Fault::ForgetsTheTouched {
            for line in &mut log {
                line.touched.clear();
            }
        }
        if self.fault == Fault::BreaksTheChain {
            for line in &mut log {
                line.hash = Head::START.followed_by(&line.event.canonical()).hash;
            }
        }
        Ok(log)
    }

    async fn revision(&self) -> Result<Revision, StoreError> {
        self.inner.revision().await
    }

    async fn follow(
        &self,
        kinds: &[Kind],
        each: &mut (dyn FnMut(Seen<Document>) + Send),
        sink: Subscriber,
    ) -> Result<Revision, StoreError> {
        let runtime = tokio::runtime::Handle::current();
        let fault = self.fault;
        let sink: Subscriber = Arc::new(move |committed| {
            if fault == Fault::TellsLate {
                let (sink, committed) = (Arc::clone(&sink), committed.clone());
                runtime.spawn(async move { sink(&committed) });
                return;
            }
            sink(committed);
            if fault == Fault::TellsTwice {
                sink(committed);
            }
        });
        if self.fault == Fault::FollowsWithAGap {
            let revision = self.inner.follow(kinds, each, Arc::new(|_| {})).await?;
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            self.inner.follow(&[], &mut |_| {}, sink).await?;
            return Ok(revision);
        }
        self.inner.follow(kinds, each, sink).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        if self.fault == Fault::NeverCloses {
            Ok(())
        } else {
            self.inner.close().await
        }
    }

    async fn stopped(&self) {
        self.inner.stopped().await;
    }
}
