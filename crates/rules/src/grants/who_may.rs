//! Everybody who may do something on a resource, by whatever covers it.
//!
//! The look-up begins at the resources that cover the one asked about, so it sees only records that
//! name one of them. They can still be many (all that name a parent of everything), so it goes on
//! in steps: whoever asks lets go of the index between two of them.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::ops::ControlFlow::Continue;

use guestlist_api::actions::Action;
use guestlist_api::ids::{RoleId, UserId};
use guestlist_api::resources::ResourceUri;

use super::Grants;
use super::lists::{Page, principal, user_id};
use super::packed::For;
use super::resources::Resource;
use crate::coverage::{contains, needs_built_in};

/// A look-up that has not come to its end: the first users found so far, in the byte order of their
/// ids, and where to go on.
pub struct WhoMay<'a> {
    asked: ResourceUri,
    action: Action,
    page: Page<'a, ()>,
    /// Covering resources without a wildcard on the way that are still to be looked at.
    places: Vec<Resource>,
    /// The last resource with a wildcard on the way that was looked at.
    pattern: Option<Resource>,
    /// Where it is now, and the last record there that was looked at.
    present: Option<(Resource, Option<u32>)>,
}

/// How far a look-up has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// There is more to look at.
    InPart,
    AtAll,
}

/// Where a step looks, and whether only built-in roles reach what is asked about from there.
#[derive(Clone, Copy)]
struct Place {
    resource: Resource,
    only_built_in: bool,
}

/// What is left of a step, counted in names that are looked at.
struct Budget(usize);

impl Budget {
    const fn take(&mut self) {
        self.0 = self.0.saturating_sub(1);
    }

    const fn is_spent(&self) -> bool {
        self.0 == 0
    }
}

/// Which roles allow the action, as far as they were asked for in one step.
struct Roles<'g> {
    grants: &'g Grants,
    known: BTreeMap<u32, Allows>,
}

#[derive(Debug, Clone, Copy)]
struct Allows {
    allows: bool,
    built_in: bool,
}

impl Roles<'_> {
    fn allow(&mut self, role: u32, action: &Action, only_built_in: bool) -> bool {
        let grants = self.grants;
        let known = self.known.entry(role).or_insert_with(|| {
            let role = grants.roles.get(role as usize);
            let permissions = role.into_iter().flat_map(|role| role.permissions.iter());
            Allows {
                allows: permissions
                    .flatten()
                    .any(|held| held.allow && held.action.covers(action)),
                built_in: role.is_some_and(|role| role.built_in),
            }
        });
        known.allows && (known.built_in || !only_built_in)
    }
}

impl WhoMay<'_> {
    /// The users that were found, in the byte order of their ids.
    pub fn users(self) -> Vec<UserId> {
        let principals = self.page.entries.into_keys();
        principals
            .filter_map(|principal| user_id(&principal))
            .collect()
    }
}

impl Grants {
    /// Begins to look up the first `limit` users after `after` who may do `action` on all of
    /// `resource`; [`Self::look`] goes on.
    pub fn who_may<'a>(
        &self,
        resource: &ResourceUri,
        action: &Action,
        after: Option<&'a str>,
        limit: usize,
    ) -> WhoMay<'a> {
        let ancestors = self.resources.ancestors(resource);
        let places = ancestors.exact.into_iter().chain(ancestors.below);
        WhoMay {
            asked: resource.clone(),
            action: action.clone(),
            page: Page::new(after.map(principal), limit),
            places: places.chain([Resource::EVERYTHING]).collect(),
            pattern: None,
            present: None,
        }
    }

    /// Looks at about `names` names (of records, users and members of groups), and at one record
    /// more than that at most.
    ///
    /// Who is found when nothing changes between the steps is exactly whom [`Self::is_allowed`]
    /// says yes to. Otherwise it may be somebody who may no longer do it, and it lacks nobody who
    /// is given it by the same statement from the first step to the last.
    pub fn look(&self, search: &mut WhoMay<'_>, names: usize) -> Looked {
        let mut budget = Budget(names.max(1));
        let mut roles = Roles {
            grants: self,
            known: BTreeMap::new(),
        };
        loop {
            if let Some((resource, last)) = search.present {
                let place = self.place(resource, search);
                for record in self.mentions.of_resource_after(resource, last) {
                    self.look_at(record, place, search, &mut roles, &mut budget);
                    search.present = Some((resource, Some(record)));
                    if budget.is_spent() {
                        return Looked::InPart;
                    }
                }
                search.present = None;
            }
            let next = match search.places.pop() {
                Some(resource) => Some(resource),
                None => self.next_pattern(search, &mut budget),
            };
            match next {
                Some(resource) => search.present = Some((resource, None)),
                None if budget.is_spent() => return Looked::InPart,
                None => return Looked::AtAll,
            }
        }
    }

    fn place(&self, resource: Resource, search: &WhoMay<'_>) -> Place {
        let held = if resource == Resource::EVERYTHING {
            "*"
        } else {
            self.resources.path(resource)
        };
        Place {
            resource,
            only_built_in: needs_built_in(held, search.asked.canonical(), false),
        }
    }

    /// The next resource with a wildcard on the way that covers what is asked about. `None` too when
    /// the budget is spent.
    fn next_pattern(&self, search: &mut WhoMay<'_>, budget: &mut Budget) -> Option<Resource> {
        let from = search.pattern.map_or(Unbounded, Excluded);
        for (resource, _) in self.pattern_resources.range((from, Unbounded)) {
            if budget.is_spent() {
                return None;
            }
            budget.take();
            search.pattern = Some(*resource);
            if contains(self.resources.path(*resource), search.asked.canonical()) {
                return Some(*resource);
            }
        }
        None
    }

    fn look_at(
        &self,
        record: u32,
        place: Place,
        search: &mut WhoMay<'_>,
        roles: &mut Roles<'_>,
        budget: &mut Budget,
    ) {
        budget.take();
        let mut shared = None;
        for statement in self.statements(record) {
            budget.take();
            let mut given = statement.roles.iter();
            let allows = statement.is_on(place.resource)
                && given.any(|role| roles.allow(*role, &search.action, place.only_built_in));
            if !allows {
                continue;
            }
            if statement.own {
                self.add(statement.whom, &mut search.page, budget);
            } else {
                // Whom the record names, many statements of it may be for: once is enough.
                shared = Some(statement.whom);
            }
        }
        if let Some(whom) = shared {
            self.add(whom, &mut search.page, budget);
        }
    }

    fn add(&self, whom: For<'_>, page: &mut Page<'_, ()>, budget: &mut Budget) {
        for holder in whom.holders() {
            for user in self.members(holder) {
                budget.take();
                page.entry(self.users.text(user));
            }
        }
    }

    /// The distinct roles by which `who` may do `action` on all of `resource`, sorted; none if they
    /// may not.
    pub fn roles_that_allow(
        &self,
        who: &UserId,
        resource: &ResourceUri,
        action: &Action,
    ) -> Vec<RoleId> {
        let mut found = Vec::new();
        let _ = self.walk(who, resource, false, &mut |way, held| {
            let allows = held.allow && held.action.covers(action);
            if allows && !found.contains(&way.role) {
                found.push(way.role);
            }
            Continue(())
        });
        let mut roles: Vec<RoleId> = found
            .into_iter()
            .filter_map(|role| self.role_id(role))
            .collect();
        roles.sort_unstable();
        roles
    }
}
