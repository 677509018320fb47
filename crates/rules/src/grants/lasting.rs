//! Until when somebody holds what they hold, where several statements give it.

use guestlist_api::roles::Permission;
use guestlist_api::times::Timestamp;

/// A permission somebody holds, and when the first part of it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPermission {
    pub permission: Permission,
    /// Until then all that is said here holds; `None` if nothing of it ends. A part that several
    /// statements give lasts as long as the last of them.
    pub ends: Option<Timestamp>,
}

/// How long something lasts. What lasts longer is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lasts {
    Until(Timestamp),
    Always,
}

/// What statements together say of one action.
#[derive(Debug)]
pub(super) struct Merged {
    permission: Permission,
    /// Of each flag; `None` if nothing gives it.
    lasts: [Option<Lasts>; 3],
}

impl Merged {
    pub(super) fn new(held: &Permission, ends: Option<Timestamp>) -> Self {
        let mut merged = Self {
            permission: held.clone(),
            lasts: [None; 3],
        };
        merged.add(held, ends);
        merged
    }

    /// Takes in what another statement says of the action. It is written as in the first of its
    /// spellings, byte by byte.
    pub(super) fn add(&mut self, held: &Permission, ends: Option<Timestamp>) {
        let known = &mut self.permission;
        known.allow |= held.allow;
        known.grant |= held.grant;
        known.delegate |= held.delegate;
        if held.action.as_str() < known.action.as_str() {
            known.action = held.action.clone();
        }
        let lasts = ends.map_or(Lasts::Always, Lasts::Until);
        let flags = [held.allow, held.grant, held.delegate];
        for (known, flag) in self.lasts.iter_mut().zip(flags) {
            *known = (*known).max(flag.then_some(lasts));
        }
    }

    pub(super) fn held(self) -> HeldPermission {
        let ends = match self.lasts.into_iter().flatten().min() {
            Some(Lasts::Until(instant)) => Some(instant),
            Some(Lasts::Always) | None => None,
        };
        HeldPermission {
            permission: self.permission,
            ends,
        }
    }
}
