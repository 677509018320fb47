//! Texts as small numbers: each distinct text is kept once, and compared as a number afterwards.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;

use super::fingerprints::Fingerprints;

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
    numbers: Fingerprints,
    hasher: RandomState,
}

/// Numbers are smaller: the upper bits are left to what numbers are combined with.
const LARGEST: u32 = 1 << 30;

impl Names {
    /// The text of a number that [`Self::intern`] gave.
    pub(super) fn text(&self, number: u32) -> &str {
        let number = number as usize;
        let before = number
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied();
        let start = before.unwrap_or(0) as usize;
        let end = self.ends.get(number).copied().unwrap_or(0) as usize;
        self.text.get(start..end).unwrap_or_default()
    }

    /// How many there are; their numbers are those before.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(LARGEST)
    }

    pub(super) fn get(&self, name: &str) -> Option<u32> {
        self.find(self.fingerprint(name), name)
    }

    pub(super) fn intern(&mut self, name: &str) -> Result<u32, Full> {
        let fingerprint = self.fingerprint(name);
        if let Some(number) = self.find(fingerprint, name) {
            return Ok(number);
        }
        let number = u32::try_from(self.ends.len())
            .ok()
            .filter(|number| *number < LARGEST);
        let number = number.ok_or(Full)?;
        let end = u32::try_from(self.text.len() + name.len()).map_err(|_| Full)?;
        self.text.push_str(name);
        self.ends.push(end);
        self.numbers.add(fingerprint, number);
        Ok(number)
    }

    fn find(&self, fingerprint: u32, name: &str) -> Option<u32> {
        self.numbers
            .numbers(fingerprint)
            .find(|number| self.text(*number) == name)
    }

    fn fingerprint(&self, name: &str) -> u32 {
        fingerprint(self.hasher.hash_one(name))
    }
}

/// The upper half of a hash. In the tests of this crate only four bits differ, so that there most
/// of what a look-up finds is not what was meant.
pub(super) const fn fingerprint(hash: u64) -> u32 {
    let upper = (hash >> 32) as u32;
    if cfg!(test) {
        upper & 0xF000_0000
    } else {
        upper
    }
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
