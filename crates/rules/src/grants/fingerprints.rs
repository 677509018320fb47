//! Numbers found by the hash of what they are the number of: eight bytes each, and one place to look.

use std::collections::BTreeSet;

/// Pairs of a fingerprint (32 bits of a hash) and a number, each pair once.
///
/// Different things may have the same fingerprint, so whoever looks up must compare what was found
/// with what was meant. Numbers below [`LARGEST`] only.
///
/// The pairs are one sorted array with gaps. A pair stands where its fingerprint, as a fraction of
/// all fingerprints, points to, or after it with no gap between (linear probing that keeps the
/// order). So a look-up reads a few neighbours, and growing is one pass over the array. Where one
/// fingerprint has many numbers, they are kept in a set instead, as a long run would be read again
/// for each further one.
#[derive(Default)]
pub(super) struct Fingerprints {
    slots: Vec<Slot>,
    /// Slots that fingerprints point to; those after them take what does not fit before.
    reach: usize,
    used: usize,
    many: BTreeSet<Slot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    fingerprint: u32,
    number: u32,
}

/// Numbers are smaller.
pub(super) const LARGEST: u32 = u32::MAX - 1;
const EMPTY: Slot = Slot {
    fingerprint: 0,
    number: u32::MAX,
};
/// In place of a number: the numbers of this fingerprint are in [`Fingerprints::many`].
const MANY: u32 = LARGEST;
/// Numbers of one fingerprint that may stand side by side.
const RUN: usize = 16;
/// Slots after those that are pointed to.
const TAIL: usize = 64;

impl Slot {
    const fn is_empty(self) -> bool {
        self.number == u32::MAX
    }
}

impl Fingerprints {
    /// The numbers of a fingerprint, in their order.
    pub(super) fn numbers(&self, fingerprint: u32) -> impl Iterator<Item = u32> {
        let run = self.run(fingerprint);
        let is_many = run.first().is_some_and(|slot| slot.number == MANY);
        let run = if is_many { &[] } else { run };
        let many = is_many
            .then(|| self.many_of(fingerprint))
            .into_iter()
            .flatten();
        run.iter().map(|slot| slot.number).chain(many)
    }

    /// The numbers of a fingerprint after one of them, in their order: as quick for the last as for
    /// the first.
    pub(super) fn numbers_after(
        &self,
        fingerprint: u32,
        after: Option<u32>,
    ) -> impl Iterator<Item = u32> {
        let least = after.map_or(0, |after| after.saturating_add(1).min(LARGEST));
        let run = self.run(fingerprint);
        let is_many = run.first().is_some_and(|slot| slot.number == MANY);
        let run = if is_many { &[] } else { run };
        let many = is_many
            .then(|| self.many_from(fingerprint, least))
            .into_iter()
            .flatten();
        let few = run.iter().map(|slot| slot.number);
        few.filter(move |number| *number >= least).chain(many)
    }

    fn many_of(&self, fingerprint: u32) -> impl Iterator<Item = u32> {
        self.many_from(fingerprint, 0)
    }

    fn many_from(&self, fingerprint: u32, number: u32) -> impl Iterator<Item = u32> {
        let least = Slot {
            fingerprint,
            number,
        };
        let most = Slot {
            fingerprint,
            number: LARGEST,
        };
        self.many.range(least..=most).map(|slot| slot.number)
    }

    /// Adds a pair; nothing happens if it is there.
    pub(super) fn add(&mut self, fingerprint: u32, number: u32) {
        let slot = Slot {
            fingerprint,
            number,
        };
        let run = self.run(fingerprint);
        if run.contains(&slot) {
            return;
        }
        if run.first().is_some_and(|slot| slot.number == MANY) {
            self.many.insert(slot);
        } else if run.len() >= RUN {
            let run: Vec<Slot> = run.to_vec();
            for slot in &run {
                self.close(*slot);
            }
            self.open(Slot {
                fingerprint,
                number: MANY,
            });
            self.many.extend(run);
            self.many.insert(slot);
        } else {
            self.open(slot);
        }
    }

    /// Removes a pair, if it is there.
    pub(super) fn remove(&mut self, fingerprint: u32, number: u32) {
        let slot = Slot {
            fingerprint,
            number,
        };
        if self.many.remove(&slot) {
            if self.many_of(fingerprint).next().is_none() {
                self.close(Slot {
                    fingerprint,
                    number: MANY,
                });
            }
        } else {
            self.close(slot);
        }
    }

    /// The slots of a fingerprint.
    fn run(&self, fingerprint: u32) -> &[Slot] {
        let from = self.slots.get(self.home(fingerprint)..).unwrap_or_default();
        let is_before = |slot: &&Slot| !slot.is_empty() && slot.fingerprint < fingerprint;
        let before = from.iter().take_while(is_before).count();
        let rest = from.get(before..).unwrap_or_default();
        let is_this = |slot: &&Slot| !slot.is_empty() && slot.fingerprint == fingerprint;
        let length = rest.iter().take_while(is_this).count();
        rest.get(..length).unwrap_or_default()
    }

    fn home(&self, fingerprint: u32) -> usize {
        ((u64::from(fingerprint) * self.reach as u64) >> 32) as usize
    }

    /// Where a slot is or would be put.
    fn position(&self, slot: Slot) -> usize {
        let home = self.home(slot.fingerprint);
        let from = self.slots.get(home..).unwrap_or_default();
        home + from
            .iter()
            .take_while(|other| !other.is_empty() && **other < slot)
            .count()
    }

    fn open(&mut self, slot: Slot) {
        // At most four fifths are used, so that runs stay short.
        if self.used * 5 >= self.reach * 4 {
            self.resize(self.reach + self.reach / 4 + 16);
        }
        while !self.place(slot) {
            self.resize(self.reach + self.reach / 4 + 16);
        }
        self.used += 1;
    }

    /// Puts a slot where it belongs and moves those after it; not if there is no room to move.
    fn place(&mut self, slot: Slot) -> bool {
        let position = self.position(slot);
        let rest = self.slots.get_mut(position..).unwrap_or_default();
        let Some(gap) = rest.iter().position(|slot| slot.is_empty()) else {
            return false;
        };
        let Some(moved) = rest.get_mut(..=gap) else {
            return false;
        };
        moved.rotate_right(1);
        if let Some(first) = moved.first_mut() {
            *first = slot;
        }
        true
    }

    fn close(&mut self, slot: Slot) {
        let position = self.position(slot);
        if self.slots.get(position) != Some(&slot) {
            return;
        }
        // Those after it that do not stand where they point to move back.
        let after = self.slots.get(position + 1..).unwrap_or_default();
        let stays = |(number, other): &(usize, &Slot)| {
            other.is_empty() || self.home(other.fingerprint) == position + 1 + number
        };
        let moving = after
            .iter()
            .enumerate()
            .find(stays)
            .map_or(after.len(), |(number, _)| number);
        if let Some(moved) = self.slots.get_mut(position..=position + moving) {
            moved.rotate_left(1);
            if let Some(last) = moved.last_mut() {
                *last = EMPTY;
            }
        }
        self.used -= 1;
        if self.reach > 1024 && self.used * 4 < self.reach {
            self.resize(self.used * 2);
        }
    }

    /// Spreads the slots over another number of places. In their order each is put after the one
    /// before it, or where it points to if that is further on.
    fn resize(&mut self, reach: usize) {
        let before = std::mem::take(&mut self.slots);
        self.reach = reach;
        let mut slots = Vec::with_capacity(reach + TAIL);
        for slot in before.into_iter().filter(|slot| !slot.is_empty()) {
            let home = self.home(slot.fingerprint);
            if slots.len() < home {
                slots.resize(home, EMPTY);
            }
            slots.push(slot);
        }
        let length = slots.len().max(reach) + TAIL;
        slots.reserve_exact(length - slots.len());
        slots.resize(length, EMPTY);
        self.slots = slots;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Fingerprints that crowd at both ends and repeat, as hashes hardly ever do.
    fn fingerprint() -> impl Strategy<Value = u32> {
        prop_oneof![
            0..4_u32,
            (u32::MAX - 4)..=u32::MAX,
            any::<u32>(),
            Just(1 << 31)
        ]
    }

    fn check(all: &Fingerprints, model: &BTreeSet<(u32, u32)>) -> Result<(), TestCaseError> {
        let fingerprints: BTreeSet<u32> = model.iter().map(|pair| pair.0).collect();
        for fingerprint in &fingerprints {
            let found: Vec<u32> = all.numbers(*fingerprint).collect();
            let expected = model.range((*fingerprint, 0)..=(*fingerprint, u32::MAX));
            prop_assert_eq!(found, expected.map(|pair| pair.1).collect::<Vec<_>>());
        }
        let slots: Vec<Slot> = all
            .slots
            .iter()
            .filter(|slot| !slot.is_empty())
            .copied()
            .collect();
        prop_assert!(slots.is_sorted());
        prop_assert_eq!(slots.len(), all.used);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn pairs_are_found_until_they_are_removed(
            steps in prop::collection::vec((any::<bool>(), fingerprint(), 0..40_u32), 0..300),
        ) {
            let mut all = Fingerprints::default();
            let mut model = BTreeSet::new();
            for (add, fingerprint, number) in steps {
                if add {
                    all.add(fingerprint, number);
                    model.insert((fingerprint, number));
                } else {
                    all.remove(fingerprint, number);
                    model.remove(&(fingerprint, number));
                }
                prop_assert_eq!(
                    all.numbers(fingerprint).collect::<Vec<_>>(),
                    model.range((fingerprint, 0)..=(fingerprint, u32::MAX)).map(|pair| pair.1)
                        .collect::<Vec<_>>()
                );
            }
            check(&all, &model)?;
        }
    }

    #[test]
    fn many_numbers_of_many_fingerprints_come_and_go() {
        let mut all = Fingerprints::default();
        let mut model = BTreeSet::new();
        let spread = |number: u32| number.wrapping_mul(2_654_435_761);
        for number in 0..20_000 {
            all.add(spread(number), number);
            all.add(7, number);
            model.extend([(spread(number), number), (7, number)]);
        }
        check(&all, &model).unwrap();
        let grown = all.slots.len();
        assert!(grown < 20_000 * 8 / 5, "{grown} slots");
        for number in 0..19_990 {
            all.remove(spread(number), number);
            all.remove(7, number);
            model.remove(&(spread(number), number));
            model.remove(&(7, number));
        }
        check(&all, &model).unwrap();
        assert!(all.slots.len() < grown / 8, "{} slots", all.slots.len());
        for number in 19_990..20_000 {
            all.remove(spread(number), number);
            all.remove(7, number);
        }
        assert_eq!((all.used, all.many.len()), (0, 0));
        assert_eq!(all.numbers(7).next(), None);
    }
}
