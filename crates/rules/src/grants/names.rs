//! Texts as small numbers: each distinct text is kept once, and compared as a number afterwards.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// No number is left for another text (or no room in the 4 GiB that numbers reach).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// Texts that were seen, numbered from 0 in the order of their first appearance.
///
/// A text is never forgotten: what grows is the number of distinct ids since the start, not the
/// number of grants.
#[derive(Default)]
pub(super) struct Names {
    text: String,
    /// Where each text ends; it begins where the one before it ends.
    ends: Vec<u32>,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

impl Names {
    /// The text of a number that [`Self::intern`] gave.
    pub(super) fn text(&self, number: u32) -> &str {
        text(&self.text, &self.ends, number)
    }

    pub(super) fn get(&self, name: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(name);
        self.numbers
            .find(hash, |number| self.text(*number) == name)
            .copied()
    }

    pub(super) fn intern(&mut self, name: &str) -> Result<u32, Full> {
        if let Some(number) = self.get(name) {
            return Ok(number);
        }
        // The upper bits are left to what numbers are combined with.
        let number = u32::try_from(self.ends.len())
            .ok()
            .filter(|number| *number < LARGEST);
        let number = number.ok_or(Full)?;
        let end = u32::try_from(self.text.len() + name.len()).map_err(|_| Full)?;
        self.text.push_str(name);
        self.ends.push(end);
        let Self {
            text: all,
            ends,
            numbers,
            hasher,
        } = self;
        numbers.insert_unique(hasher.hash_one(name), number, |number| {
            hasher.hash_one(text(all, ends, *number))
        });
        Ok(number)
    }
}

const LARGEST: u32 = 1 << 30;

fn text<'a>(all: &'a str, ends: &[u32], number: u32) -> &'a str {
    let number = number as usize;
    let before = number
        .checked_sub(1)
        .and_then(|before| ends.get(before))
        .copied();
    let start = before.unwrap_or(0) as usize;
    let end = ends.get(number).copied().unwrap_or(0) as usize;
    all.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_one_number_and_keeps_it() {
        let mut names = Names::default();
        let texts: Vec<String> = (0..5000).map(|number| format!("name-{number}")).collect();
        for (number, text) in texts.iter().enumerate() {
            assert_eq!(names.intern(text), Ok(u32::try_from(number).unwrap()));
        }
        for (number, text) in texts.iter().enumerate() {
            let number = u32::try_from(number).unwrap();
            assert_eq!(names.intern(text), Ok(number));
            assert_eq!(names.get(text), Some(number));
            assert_eq!(names.text(number), text);
        }
        assert_eq!(names.get("name-"), None);
        assert_eq!(names.intern(""), Ok(5000));
        assert_eq!(names.text(5000), "");
    }
}
