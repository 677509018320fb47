//! The byte order of texts, kept for those who list them and not for those who check.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Bound::{self, Excluded, Included, Unbounded};

use super::names::Names;

/// The numbers of names, sorted by their texts in runs: run `n` has the numbers from `n * RUN` on.
///
/// Names are never forgotten, so only the last run ever grows, and taking in a name costs the same
/// however many there are. Nothing is kept for names until somebody lists them.
#[derive(Default)]
pub(super) struct Order {
    runs: Vec<Vec<u32>>,
    /// Numbers before this one are in.
    taken: u32,
}

/// Numbers of a run: sorting one takes about a millisecond.
const RUN: u32 = 8_192;

impl Order {
    /// Takes in about `most` of the names that were made since. Says whether all of them are in.
    pub(super) fn take_in(&mut self, names: &Names, most: usize) -> bool {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let until = names.len().min(self.taken.saturating_add(most));
        while self.taken < until {
            let place = self.taken / RUN;
            let end = until.min((place + 1) * RUN);
            if self.runs.len() <= place as usize {
                self.runs.push(Vec::new());
            }
            let Some(run) = self.runs.last_mut() else {
                break;
            };
            run.extend(self.taken..end);
            // Stable, because that is quick where most of it is in order already.
            run.sort_by(|one, other| names.text(*one).cmp(names.text(*other)));
            self.taken = end;
        }
        self.taken == names.len()
    }

    /// The numbers of the names from a text on that were taken in, in the order of the texts.
    pub(super) fn from<'a>(
        &'a self,
        names: &'a Names,
        from: Bound<&str>,
    ) -> impl Iterator<Item = u32> + use<'a> {
        let before = |number: &u32| match from {
            Included(from) => names.text(*number) < from,
            Excluded(from) => names.text(*number) <= from,
            Unbounded => false,
        };
        let mut next: BinaryHeap<_> = self
            .runs
            .iter()
            .filter_map(|run| {
                let (_, rest) = run.split_at_checked(run.partition_point(before))?;
                let (first, rest) = rest.split_first()?;
                Some(Reverse((names.text(*first), *first, rest)))
            })
            .collect();
        std::iter::from_fn(move || {
            let Reverse((_, number, rest)) = next.pop()?;
            if let Some((first, rest)) = rest.split_first() {
                next.push(Reverse((names.text(*first), *first, rest)));
            }
            Some(number)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed<'a>(order: &Order, names: &'a Names, from: Bound<&str>) -> Vec<&'a str> {
        order
            .from(names, from)
            .map(|number| names.text(number))
            .collect()
    }

    #[test]
    fn names_come_in_order_however_they_were_taken_in() {
        for most in [1, 7, 1_000, usize::MAX] {
            let (mut names, mut order) = (Names::default(), Order::default());
            let mut all: Vec<String> = Vec::new();
            for round in 0..3 {
                for number in 0..9_000_u32 {
                    // Scattered over the runs.
                    let name = format!("n{}", (number * 7 + round) % 20_011);
                    names.intern(&name).unwrap();
                    all.push(name);
                }
                if most > 7 {
                    while !order.take_in(&names, most) {}
                }
            }
            while !order.take_in(&names, most.max(500)) {}
            all.sort_unstable();
            all.dedup();
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            assert!(all.len() > usize::try_from(RUN).unwrap());
            assert_eq!(listed(&order, &names, Unbounded), all);
            let from = all.partition_point(|name| *name < "n15");
            assert_eq!(listed(&order, &names, Included("n15")), all[from..]);
            assert_eq!(listed(&order, &names, Excluded("n15")), all[from + 1..]);
            assert_eq!(listed(&order, &names, Excluded("n150!")).len(), {
                all.len() - all.partition_point(|name| *name <= "n150!")
            });
            assert!(listed(&order, &names, Excluded("o")).is_empty());
        }
    }
}
