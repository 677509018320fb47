//! Who is named by a record or a group, as one of whom it is for or as an administrator: the users
//! that are known.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{MutexGuard, PoisonError};

use guestlist_api::ids::{GroupId, RecordId, UserId};

use super::holders::{Holder, Which};
use super::lists::{principal, user_id};
use super::order::Order;
use super::{Grants, Looked};

/// What names a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Naming {
    /// Records in force, and deleted ones whose administrator the user is.
    pub records: Vec<RecordId>,
    pub groups: Vec<GroupId>,
}

/// A piece of the list of known users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownUsers {
    /// In the byte order of their ids.
    pub users: Vec<UserId>,
    /// Where to go on: the last id that was looked at. `None` if there are no more.
    pub last: Option<String>,
}

impl Grants {
    /// What names a principal. The order is that of the index.
    pub fn naming(&self, principal: &str) -> Naming {
        let Some(user) = self.users.get(principal) else {
            return Naming::default();
        };
        let for_them = self.records_for(user);
        let records: BTreeSet<u32> = for_them.chain(self.administered_records(user)).collect();
        let groups: BTreeSet<u32> = self
            .groups_with(user)
            .chain(self.administered_groups(user))
            .collect();
        Naming {
            records: records
                .into_iter()
                .filter_map(|record| self.record_ids.text(record).parse().ok())
                .collect(),
            groups: groups
                .into_iter()
                .filter_map(|group| self.group_ids.text(group).parse().ok())
                .collect(),
        }
    }

    /// Whether a record in force or a group names a principal.
    pub fn is_known(&self, principal: &str) -> bool {
        self.users
            .get(principal)
            .is_some_and(|user| self.is_named_anywhere(user))
    }

    /// Looks at about `names` users to put them in order, so that [`Self::known_users`] finds them
    /// so. Nothing is lost if it is not called: the list does the rest then, in one piece.
    pub fn sort_users(&self, names: usize) -> Looked {
        if self.ordered_users().take_in(&self.users, names) {
            Looked::AtAll
        } else {
            Looked::InPart
        }
    }

    /// The first `limit` known users after an id that are `wanted`, looking at `names` at most.
    pub fn known_users(
        &self,
        after: Option<&str>,
        limit: usize,
        names: usize,
        wanted: &dyn Fn(&str) -> bool,
    ) -> KnownUsers {
        let mut order = self.ordered_users();
        order.take_in(&self.users, usize::MAX);
        let from = after.map_or(Unbounded, |after| Excluded(principal(after)));
        let mut users = Vec::new();
        let mut last = None;
        for (looked_at, user) in order.from(&self.users, from).enumerate() {
            if looked_at >= names || users.len() >= limit {
                return KnownUsers {
                    users,
                    // Not one was looked at: then the next piece begins where this one did.
                    last: Some(last.unwrap_or_else(|| after.unwrap_or_default().to_owned())),
                };
            }
            let id = self.users.text(user);
            last = Some(id.to_owned());
            if wanted(id) && self.is_named_anywhere(user) {
                users.extend(user_id(id));
            }
        }
        KnownUsers { users, last: None }
    }

    fn ordered_users(&self) -> MutexGuard<'_, Order> {
        self.user_order
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn is_named_anywhere(&self, user: u32) -> bool {
        self.records_for(user).next().is_some()
            || self.groups_with(user).next().is_some()
            || self.administered_groups(user).next().is_some()
            || self
                .administered_records(user)
                .any(|record| self.is_in_force(record))
    }

    /// Records in force that name a user as one of whom they are for.
    fn records_for(&self, user: u32) -> impl Iterator<Item = u32> {
        let holder = Holder::user(user);
        self.records_naming(holder).filter(move |record| {
            let record = self.records.get(*record as usize);
            record.is_some_and(|record| {
                let mut statements = record.packed.statements();
                record.packed.whom().names(holder)
                    || statements.any(|statement| statement.whom.names(holder))
            })
        })
    }

    fn groups_with(&self, user: u32) -> impl Iterator<Item = u32> {
        let wholes = self.memberships.of(Holder::user(user)).iter();
        wholes.filter_map(|whole| match whole.which() {
            Which::Group(group) => Some(group),
            Which::User(_) | Which::Audience => None,
        })
    }

    pub(super) fn administered_records(&self, user: u32) -> impl Iterator<Item = u32> {
        let own = self.record_admins.range((user, 0)..=(user, u32::MAX));
        own.map(|(_, record)| *record)
    }

    pub(super) fn administered_groups(&self, user: u32) -> impl Iterator<Item = u32> {
        let own = self.group_admins.range((user, 0)..=(user, u32::MAX));
        own.map(|(_, group)| *group)
    }

    pub(super) fn is_in_force(&self, record: u32) -> bool {
        self.records
            .get(record as usize)
            .is_some_and(|record| record.packed.is_active())
    }
}
