//! Which records name a holder and a resource together: the one look-up of a permission check.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::holders::Holder;
use super::resources::Resource;

/// A holder, a resource, and the record that names both, or [`MANY`].
#[derive(Debug, Clone, Copy)]
struct Cell {
    holder: Holder,
    resource: Resource,
    record: u32,
}

/// In place of a record: there are several, in [`Cells::many`].
const MANY: u32 = u32::MAX;

/// Pairs of holder and resource with their records.
///
/// Several records of one pair are kept apart: in the hash table they would be a chain that each
/// further one walks, and a thousand records that name the same person and the same resource are
/// nothing unusual.
#[derive(Default)]
pub(super) struct Cells {
    table: HashTable<Cell>,
    many: BTreeSet<(Holder, Resource, u32)>,
    hasher: RandomState,
}

fn hash(hasher: &RandomState, holder: Holder, resource: Resource) -> u64 {
    hasher.hash_one(u64::from(holder.word()) << 32 | u64::from(resource.word()))
}

impl Cells {
    /// The records that name both, in the order of their numbers if there are several.
    pub(super) fn records(&self, holder: Holder, resource: Resource) -> impl Iterator<Item = u32> {
        let found = self
            .table
            .find(hash(&self.hasher, holder, resource), |cell| {
                cell.holder == holder && cell.resource == resource
            });
        let record = found.map(|cell| cell.record);
        let many = (record == Some(MANY)).then(|| self.many_of(holder, resource));
        record
            .filter(|record| *record != MANY)
            .into_iter()
            .chain(many.into_iter().flatten())
    }

    fn many_of(&self, holder: Holder, resource: Resource) -> impl Iterator<Item = u32> {
        let range = (holder, resource, 0)..=(holder, resource, MANY);
        self.many.range(range).map(|(_, _, record)| *record)
    }

    /// Whether the pair is new.
    pub(super) fn add(&mut self, holder: Holder, resource: Resource, record: u32) -> bool {
        let Self {
            table,
            many,
            hasher,
        } = self;
        let entry = table.entry(
            hash(hasher, holder, resource),
            |cell| cell.holder == holder && cell.resource == resource,
            |cell| hash(hasher, cell.holder, cell.resource),
        );
        match entry {
            Entry::Vacant(vacant) => {
                vacant.insert(Cell {
                    holder,
                    resource,
                    record,
                });
                true
            }
            Entry::Occupied(mut occupied) => {
                let cell = occupied.get_mut();
                if cell.record == record {
                    return false;
                }
                if cell.record != MANY {
                    many.insert((holder, resource, cell.record));
                    cell.record = MANY;
                }
                many.insert((holder, resource, record));
                false
            }
        }
    }

    /// Whether the pair is gone.
    pub(super) fn remove(&mut self, holder: Holder, resource: Resource, record: u32) -> bool {
        let Self {
            table,
            many,
            hasher,
        } = self;
        let found = table.find_entry(hash(hasher, holder, resource), |cell| {
            cell.holder == holder && cell.resource == resource
        });
        let Ok(mut occupied) = found else {
            return false;
        };
        if occupied.get().record == MANY {
            many.remove(&(holder, resource, record));
            let mut rest = many.range((holder, resource, 0)..=(holder, resource, MANY));
            let (first, second) = (rest.next().copied(), rest.next());
            if second.is_some() {
                return false;
            }
            if let Some(last) = first {
                occupied.get_mut().record = last.2;
                many.remove(&last);
                return false;
            }
        } else if occupied.get().record != record {
            return false;
        }
        occupied.remove();
        if table.capacity() > 1024 && table.len() < table.capacity() / 8 {
            table.shrink_to(table.len() * 2, |cell| {
                hash(hasher, cell.holder, cell.resource)
            });
        }
        true
    }
}
