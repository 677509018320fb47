//! Which records name a holder, a resource, or both together: the look-ups of checks and lists.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;

use super::fingerprints::Fingerprints;
use super::holders::Holder;
use super::names::fingerprint;
use super::resources::Resource;

/// What records name.
///
/// What comes back are candidates, now and then one too many: the record itself says whether it
/// really names what was asked for.
#[derive(Default)]
pub(super) struct Mentions {
    together: Fingerprints,
    holders: Fingerprints,
    resources: Fingerprints,
    hasher: RandomState,
}

impl Mentions {
    /// Records that may have a statement with both.
    pub(super) fn of(&self, holder: Holder, resource: Resource) -> impl Iterator<Item = u32> {
        self.together.numbers(self.both(holder, resource))
    }

    /// Records that may name a holder.
    pub(super) fn of_holder(&self, holder: Holder) -> impl Iterator<Item = u32> {
        self.holders.numbers(self.one(holder.word()))
    }

    /// Records that may name a resource.
    pub(super) fn of_resource(&self, resource: Resource) -> impl Iterator<Item = u32> {
        self.resources.numbers(self.one(resource.word()))
    }

    /// The same in the order of their numbers, after one of them.
    pub(super) fn of_resource_after(
        &self,
        resource: Resource,
        after: Option<u32>,
    ) -> impl Iterator<Item = u32> {
        self.resources
            .numbers_after(self.one(resource.word()), after)
    }

    pub(super) fn add(&mut self, holder: Holder, resource: Resource, record: u32) {
        self.together.add(self.both(holder, resource), record);
    }

    pub(super) fn add_holder(&mut self, holder: Holder, record: u32) {
        self.holders.add(self.one(holder.word()), record);
    }

    pub(super) fn add_resource(&mut self, resource: Resource, record: u32) {
        self.resources.add(self.one(resource.word()), record);
    }

    /// A record is always removed whole: two pairs of it with one fingerprint go together.
    pub(super) fn remove(&mut self, holder: Holder, resource: Resource, record: u32) {
        self.together.remove(self.both(holder, resource), record);
    }

    pub(super) fn remove_holder(&mut self, holder: Holder, record: u32) {
        self.holders.remove(self.one(holder.word()), record);
    }

    pub(super) fn remove_resource(&mut self, resource: Resource, record: u32) {
        self.resources.remove(self.one(resource.word()), record);
    }

    fn both(&self, holder: Holder, resource: Resource) -> u32 {
        let both = u64::from(holder.word()) << 32 | u64::from(resource.word());
        fingerprint(self.hasher.hash_one(both))
    }

    fn one(&self, word: u32) -> u32 {
        fingerprint(self.hasher.hash_one(word))
    }
}
