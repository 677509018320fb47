//! Statements that end: when each of them does, and what becomes of those whose instant is past.
//!
//! A statement that ended keeps its place in its record and whom it names, and loses its roles and
//! resources: so nothing is found through it, and whoever is deleted is still found in the document.

use std::collections::{BTreeMap, BTreeSet};

use guestlist_api::times::Timestamp;

use super::Grants;
use super::packed::{Numbered, NumberedStatement, Packed};

/// One of the statements of a record that end: its position in the document, and its instant.
pub(super) type Ending = (usize, Timestamp);

/// Which statements in force end, and when. Statements that do not end take no room here.
#[derive(Debug, Default)]
pub(super) struct Endings {
    by_record: BTreeMap<u32, Box<[Ending]>>,
    by_instant: BTreeSet<(Timestamp, u32)>,
    /// The latest time that was told: what had ended by then never comes back, whatever the clock
    /// says later and whatever is loaded.
    passed: Option<Timestamp>,
}

impl Endings {
    /// Whether an instant is past by the latest time that was told.
    pub(super) fn is_past(&self, instant: Timestamp) -> bool {
        self.passed.is_some_and(|passed| instant <= passed)
    }

    pub(super) fn set(&mut self, record: u32, endings: Vec<Ending>) {
        self.remove(record);
        if !endings.is_empty() {
            let instants = endings.iter().map(|(_, instant)| (*instant, record));
            self.by_instant.extend(instants);
            self.by_record.insert(record, endings.into_boxed_slice());
        }
    }

    fn remove(&mut self, record: u32) {
        for (_, instant) in self.by_record.remove(&record).unwrap_or_default() {
            self.by_instant.remove(&(instant, record));
        }
    }

    /// When a statement of a record in force ends.
    pub(super) fn of(&self, record: u32, statement: usize) -> Option<Timestamp> {
        let endings = self.by_record.get(&record)?;
        let found = endings.iter().find(|(position, _)| *position == statement);
        found.map(|(_, instant)| *instant)
    }

    fn next(&self) -> Option<(Timestamp, u32)> {
        self.by_instant.first().copied()
    }
}

impl Grants {
    /// When the next statement ends; `None` if none does.
    pub fn next_ending(&self) -> Option<Timestamp> {
        self.endings.next().map(|(instant, _)| instant)
    }

    /// Ends every statement whose instant is `now` or earlier. No later call with an earlier time
    /// and no load brings one back.
    pub fn pass(&mut self, now: Timestamp) {
        self.endings.passed = self.endings.passed.max(Some(now));
        while let Some((instant, record)) = self.endings.next()
            && self.endings.is_past(instant)
        {
            self.end(record);
        }
    }

    /// Takes the statements of a record that ended out of everything they are found by.
    fn end(&mut self, number: u32) {
        let all = self.endings.by_record.get(&number).cloned();
        let (ended, left): (Vec<Ending>, Vec<Ending>) = all
            .unwrap_or_default()
            .into_iter()
            .partition(|(_, instant)| self.endings.is_past(*instant));
        self.endings.set(number, left);
        let Some(record) = self.records.get_mut(number as usize) else {
            return;
        };
        let before = std::mem::take(&mut record.packed);
        let mut numbered = before.numbered();
        for (position, _) in ended {
            if let Some(statement) = numbered.statements.get_mut(position) {
                statement.end();
            }
        }
        self.forget(number, &before);
        // It is no longer than it was, so it never lacks room; and if it did, it would grant nothing.
        let packed = Packed::new(&numbered, &mut || self.audiences.make()).unwrap_or_default();
        self.remember(number, &packed);
        if let Some(record) = self.records.get_mut(number as usize) {
            record.packed = packed;
        }
    }
}

impl NumberedStatement {
    fn end(&mut self) {
        self.roles.clear();
        self.resources.clear();
    }
}

impl Packed {
    /// The record as it was packed.
    fn numbered(&self) -> Numbered {
        let statements = self.statements().map(|statement| NumberedStatement {
            roles: statement.roles.to_vec(),
            resources: statement.resources().collect(),
            holders: if statement.own {
                statement.whom.holders().collect()
            } else {
                Vec::new()
            },
        });
        Numbered {
            active: self.is_active(),
            admins: self.admins().to_vec(),
            holders: self.whom().holders().collect(),
            statements: statements.collect(),
        }
    }
}
