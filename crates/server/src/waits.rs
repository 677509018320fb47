//! Requests that wait for the next change: how many at a time, and when each wait is over.
//!
//! A wait holds neither a thread nor a connection of the store: only its request, a timer and a
//! place. Whoever finds no place is answered at once, as without a wait.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use guestlist_api::ids::UserId;
use guestlist_rules::changes::Revision;

use crate::app::App;

/// Waits at a time. Each keeps a connection of the 10,000 there may be.
const PLACES: usize = 256;
/// Waits of one caller at a time, so that one cannot take the places of all others.
const PLACES_OF_ONE: usize = 16;

/// Who is waiting.
#[derive(Default)]
pub struct Waits {
    by_caller: Mutex<HashMap<UserId, usize>>,
}

/// A place, until it is dropped.
struct Place<'a> {
    waits: &'a Waits,
    who: &'a UserId,
}

impl Waits {
    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.by_caller
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn take<'a>(&'a self, who: &'a UserId) -> Option<Place<'a>> {
        let mut by_caller = self.lock();
        let taken: usize = by_caller.values().sum();
        let own = by_caller.get(who).copied().unwrap_or_default();
        if taken >= PLACES || own >= PLACES_OF_ONE {
            return None;
        }
        by_caller.insert(who.clone(), own + 1);
        Some(Place { waits: self, who })
    }

    /// How many wait now.
    pub fn len(&self) -> usize {
        self.lock().values().sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Entry::Occupied(mut own) = self.waits.lock().entry(self.who.clone()) {
            *own.get_mut() -= 1;
            if *own.get() == 0 {
                own.remove();
            }
        }
    }
}

impl App {
    /// Waits until there is a change after a revision, the time is over, or the server begins to
    /// end. Returns at once if too many wait already.
    pub async fn wait_for_change(&self, who: &UserId, after: Revision, time: Duration) {
        // Before the place: a change from here on is not missed.
        let mut revisions = self.revisions();
        let Some(_place) = self.waits.take(who) else {
            return;
        };
        tokio::select! {
            // The sender is part of what `self` holds, so it never ends.
            _newer = revisions.wait_for(|revision| *revision > after) => {}
            () = self.draining.begun() => {}
            () = tokio::time::sleep(time) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: usize) -> UserId {
        format!("user{number}").parse().unwrap()
    }

    #[test]
    fn there_are_so_many_places_and_so_many_for_one() {
        let waits = Waits::default();
        let callers: Vec<UserId> = (0..=PLACES / PLACES_OF_ONE).map(user).collect();
        let mut places = Vec::new();
        for caller in &callers[1..] {
            for _ in 0..PLACES_OF_ONE {
                places.push(waits.take(caller).unwrap());
            }
            assert!(waits.take(caller).is_none(), "one more of {caller}");
        }
        assert_eq!(waits.len(), PLACES);
        assert!(waits.take(&callers[0]).is_none(), "one more of all");
        places.pop();
        let again = waits.take(&callers[0]);
        assert!(again.is_some());
        drop((again, places));
        assert!(waits.is_empty() && waits.lock().is_empty());
    }
}
