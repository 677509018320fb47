//! Who a statement can be for, as numbers, and who belongs to whom.

use foldhash::quality::RandomState;
use hashbrown::HashMap;

/// A user or client, a group, or an audience.
///
/// An audience is everybody that a record or one of its statements names, taken together. It stands
/// in their place where many are given many resources, so that the index never grows with the
/// product of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Holder(u32);

/// What a holder is, with its number among those of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    User(u32),
    Group(u32),
    Audience,
}

const KIND: u32 = 3 << 30;
const GROUP: u32 = 1 << 30;
const AUDIENCE: u32 = 2 << 30;

impl Holder {
    pub(super) const fn user(number: u32) -> Self {
        Self(number)
    }

    pub(super) const fn group(number: u32) -> Self {
        Self(number | GROUP)
    }

    pub(super) const fn which(self) -> Which {
        match self.0 & KIND {
            0 => Which::User(self.0),
            GROUP => Which::Group(self.0 & !KIND),
            _ => Which::Audience,
        }
    }

    pub(super) const fn word(self) -> u32 {
        self.0
    }

    pub(super) const fn from_word(word: u32) -> Self {
        Self(word)
    }
}

/// Numbers for audiences: those of audiences that are gone are used again.
#[derive(Default)]
pub(super) struct Audiences {
    made: u32,
    free: Vec<Holder>,
}

impl Audiences {
    /// `None` if there are too many.
    pub(super) fn make(&mut self) -> Option<Holder> {
        if let Some(audience) = self.free.pop() {
            return Some(audience);
        }
        let number = self.made;
        if number >= GROUP {
            return None;
        }
        self.made += 1;
        Some(Holder(number | AUDIENCE))
    }

    pub(super) fn free(&mut self, audience: Holder) {
        self.free.push(audience);
    }
}

/// Which groups and audiences each holder is in.
#[derive(Default)]
pub(super) struct Memberships {
    of: HashMap<Holder, Vec<Holder>, RandomState>,
}

impl Memberships {
    pub(super) fn of(&self, member: Holder) -> &[Holder] {
        self.of.get(&member).map_or(&[], Vec::as_slice)
    }

    /// The member must not be in it already.
    pub(super) fn add(&mut self, member: Holder, whole: Holder) {
        self.of.entry(member).or_default().push(whole);
    }

    pub(super) fn remove(&mut self, member: Holder, whole: Holder) {
        let Some(wholes) = self.of.get_mut(&member) else {
            return;
        };
        if let Some(position) = wholes.iter().position(|held| *held == whole) {
            wholes.swap_remove(position);
        }
        if wholes.is_empty() {
            self.of.remove(&member);
        }
    }
}
