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

    /// Whether a statement in force names `resource`, or anything below it, for anybody but `who`.
    ///
    /// Wildcards count where they stand: `rooms/1/*` is below `rooms/1`, and `rooms/*` is not, as
    /// little as `rooms` is. A group counts as somebody else, whoever is in it. So does a role
    /// that does not exist: it may be made again.
    ///
    /// `resource` has no wildcards. It looks at `names` named resources at most.
    pub fn held_by_others(&self, who: &UserId, resource: &ResourceUri, names: usize) -> Holding {
        let who = self.users.get(who.principal()).map(Holder::user);
        let path = resource.canonical();
        let paths = self.resources.names();
        if paths
            .get(path)
            .is_some_and(|number| self.is_others(who, number))
        {
            return Holding::Somebody;
        }
        let below = format!("{path}/");
        let mut order = self.ordered_paths();
        order.take_in(paths, usize::MAX);
        let from = order.from(paths, Included(below.as_str()));
        let inside = from.take_while(|number| paths.text(*number).starts_with(&below));
        for (looked_at, number) in inside.enumerate() {
            if looked_at >= names {
                return Holding::TooManyNames;
            }
            if self.is_others(who, number) {
                return Holding::Somebody;
            }
        }
        Holding::Nobody
    }

    /// Whether a statement names a path, or what is below it, for anybody else.
    fn is_others(&self, who: Option<Holder>, path: u32) -> bool {
        Resource::of_path(path).into_iter().any(|resource| {
            let mut records = self.mentions.of_resource(resource);
            records.any(|record| {
                let mut statements = self.statements(record);
                statements
                    .any(|statement| statement.is_on(resource) && names_others(statement, who))
            })
        })
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
