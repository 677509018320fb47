//! Whether a resource, or anything below it, is somebody's: what a claim asks.

use std::ops::Bound::Included;
use std::sync::{MutexGuard, PoisonError};

use guestlist_api::ids::UserId;
use guestlist_api::resources::ResourceUri;

use super::holders::{Holder, Which};
use super::order::Order;
use super::packed::Statement;
use super::resources::Resource;
use super::{Grants, Looked};

/// Who else has something on a resource or below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    Nobody,
    Somebody,
    /// More resources below it were named at some time than are looked at.
    TooManyNames,
}

impl Grants {
    /// Looks at about `names` resources to put them in order, so that [`Self::held_by_others`] finds
    /// them so. Nothing is lost if it is not called: that does the rest then, in one piece.
    pub fn sort_resources(&self, names: usize) -> Looked {
        if self.ordered_paths().take_in(self.resources.names(), names) {
            Looked::AtAll
        } else {
            Looked::InPart
        }
    }

    /// Whether a statement in force names `resource`, or anything below it, for anybody but `who`, or a
    /// configuration there allows everybody something.
    ///
    /// Wildcards count where they stand: `rooms/1/*` is below `rooms/1`, and `rooms/*` is not, as
    /// little as `rooms` is. A group counts as somebody else, whoever is in it. So does a role
    /// that does not exist: it may be made again. What is configured is in use, and must not become
    /// a way into what somebody makes their own.
    ///
    /// `resource` has no wildcards. It looks at about `names` names (of resources, and statements that
    /// may name them) at most.
    pub fn held_by_others(&self, who: &UserId, resource: &ResourceUri, names: usize) -> Holding {
        let who = self.users.get(who.principal()).map(Holder::user);
        let path = resource.canonical();
        let paths = self.resources.names();
        let mut left = names;
        if let Some(number) = paths.get(path) {
            match self.whose(who, number, &mut left) {
                Holding::Nobody => {}
                found @ (Holding::Somebody | Holding::TooManyNames) => return found,
            }
        }
        let below = format!("{path}/");
        let mut order = self.ordered_paths();
        order.take_in(paths, usize::MAX);
        let from = order.from(paths, Included(below.as_str()));
        for number in from.take_while(|number| paths.text(*number).starts_with(&below)) {
            match self.whose(who, number, &mut left) {
                Holding::Nobody => {}
                found @ (Holding::Somebody | Holding::TooManyNames) => return found,
            }
        }
        Holding::Nobody
    }

    /// Whether a path, or what is below it, is named for anybody else. Counts what it looks at.
    fn whose(&self, who: Option<Holder>, path: u32, left: &mut usize) -> Holding {
        let [itself, below] = Resource::of_path(path);
        if self.allowing.contains(&itself) {
            return Holding::Somebody;
        }
        for resource in [itself, below] {
            for record in self.mentions.of_resource(resource) {
                for statement in self.statements(record) {
                    if *left == 0 {
                        return Holding::TooManyNames;
                    }
                    *left -= 1;
                    if statement.is_on(resource) && names_others(statement, who) {
                        return Holding::Somebody;
                    }
                }
            }
        }
        if *left == 0 {
            return Holding::TooManyNames;
        }
        *left -= 1;
        Holding::Nobody
    }

    fn ordered_paths(&self) -> MutexGuard<'_, Order> {
        self.path_order
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn names_others(statement: Statement<'_>, who: Option<Holder>) -> bool {
    let mut holders = statement.whom.holders();
    holders.any(|holder| match holder.which() {
        Which::User(_) => Some(holder) != who,
        Which::Group(_) => true,
        // A stand-in for those it is made of, who are named beside it.
        Which::Audience => false,
    })
}
