//! Permission checks: one walk over all statements of a user that cover a resource, on which every
//! decision stands.

use std::collections::BTreeSet;
use std::ops::ControlFlow::{self, Break, Continue};
use std::ops::RangeInclusive;

use guestlist_api::actions::Action;
use guestlist_api::ids::UserId;
use guestlist_api::resources::{ResourceUri, is_reserved};
use guestlist_api::roles::Permission;
use guestlist_api::times::Timestamp;

use super::holders::{Holder, Which};
use super::packed::Statement;
use super::resources::{Ancestors, Resource};
use super::{Because, Grants, Traits};
use crate::coverage::{contains, needs_built_in};

/// A statement's role through which a user holds something, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) record: u32,
    pub(super) role: u32,
    pub(super) group: Option<u32>,
    /// The resource of the statement.
    pub(super) resource: Resource,
    /// The position of the statement in the record.
    pub(super) statement: usize,
}

/// What a walk is for.
struct Question<'a> {
    asked: &'a ResourceUri,
    /// Whether `asked` is meant to reach the service's own resources, see [`crate::coverage`].
    asked_built_in: bool,
    ancestors: Ancestors,
}

/// Called for each permission; breaks off the walk.
type Visitor<'a> = dyn FnMut(Found, &Permission) -> ControlFlow<()> + 'a;

impl Grants {
    /// Why `who` may do `action` on all of `resource`; `None` if they may not.
    pub fn allowed(
        &self,
        who: &UserId,
        resource: &ResourceUri,
        action: &Action,
    ) -> Option<Because> {
        self.find(who, resource, &mut |held| {
            held.allow && held.action.covers(action)
        })
    }

    /// Whether `who` may do `action` on all of `resource`, without the reason: allocates nothing.
    pub fn is_allowed(&self, who: &UserId, resource: &ResourceUri, action: &Action) -> bool {
        let mut wanted = |held: &Permission| held.allow && held.action.covers(action);
        self.search(who, resource, false, &mut wanted).is_some()
    }

    /// The first permission of `who` on all of `resource` that is `wanted`: held directly rather
    /// than through a group, and on the resource nearest to the root.
    pub fn find(
        &self,
        who: &UserId,
        resource: &ResourceUri,
        wanted: &mut dyn FnMut(&Permission) -> bool,
    ) -> Option<Because> {
        self.because(self.search(who, resource, false, wanted)?)
    }

    /// Why `who` may give others `action` on all of `resource`: by one permission with `grant` or
    /// `delegate`, or with `delegate` if they are to pass it on (semantics §3).
    ///
    /// A built-in role on a wildcard reaches the service's own resources, so what is given by one
    /// can only be covered by one.
    pub fn may_give(
        &self,
        who: &UserId,
        role_is_built_in: bool,
        action: &Action,
        resource: &ResourceUri,
        needs_delegate: bool,
    ) -> Option<Because> {
        let mut wanted = |held: &Permission| {
            (held.delegate || held.grant && !needs_delegate) && held.action.covers(action)
        };
        self.because(self.search(who, resource, role_is_built_in, &mut wanted)?)
    }

    /// The first permission of `who` on all of `resource` that is `wanted`, where the resource may be
    /// meant to reach the service's own because a built-in role is given on it.
    pub(crate) fn find_for_gift(
        &self,
        who: &UserId,
        resource: &ResourceUri,
        role_is_built_in: bool,
        wanted: &mut dyn FnMut(&Permission) -> bool,
    ) -> Option<Because> {
        self.because(self.search(who, resource, role_is_built_in, wanted)?)
    }

    /// As [`Self::may_give`], by a statement that does not end before `until`: what is given never
    /// outlives the right to give it. `None` stands for what does not end.
    pub fn may_give_until(
        &self,
        who: &UserId,
        (role_is_built_in, action): (bool, &Action),
        resource: &ResourceUri,
        needs_delegate: bool,
        until: Option<Timestamp>,
    ) -> Option<Because> {
        let mut first = None;
        let _ = self.walk(who, resource, role_is_built_in, &mut |found, held| {
            let gives = held.delegate || held.grant && !needs_delegate;
            let lasts = || {
                let ending = self.endings.of(found.record, found.statement);
                ending.is_none_or(|ending| until.is_some_and(|until| until <= ending))
            };
            if gives && held.action.covers(action) && lasts() {
                first = Some(found);
                return Break(());
            }
            Continue(())
        });
        self.because(first?)
    }

    /// Whether `who` holds any permission on any of the service's own resources: decides whether
    /// they are told "forbidden" or "not found" (semantics, decision 33).
    pub fn holds_reserved(&self, who: &UserId) -> bool {
        let Some(user) = self.users.get(who.principal()) else {
            return false;
        };
        let found = self.each_holder(user, &mut |holder, group| {
            for (_, resource, record) in self.reserved.range(all_of(holder)) {
                let only_built_in = !is_reserved(self.resources.path(*resource));
                let place = Place {
                    record: *record,
                    resource: *resource,
                    holder,
                    group,
                };
                self.visit_record(place, only_built_in, &mut |_, held| {
                    if held.allow || held.grant || held.delegate {
                        Break(())
                    } else {
                        Continue(())
                    }
                })?;
            }
            Continue(())
        });
        found.is_break()
    }

    /// Fails closed: ids that were taken in are well formed, so none is ever refused here.
    pub(super) fn because(&self, found: Found) -> Option<Because> {
        let group = match found.group {
            Some(group) => Some(self.group_ids.text(group).parse().ok()?),
            None => None,
        };
        Some(Because {
            record: self.record_ids.text(found.record).parse().ok()?,
            role: self.role_ids.text(found.role).parse().ok()?,
            group,
        })
    }

    fn search(
        &self,
        who: &UserId,
        asked: &ResourceUri,
        asked_built_in: bool,
        wanted: &mut dyn FnMut(&Permission) -> bool,
    ) -> Option<Found> {
        let mut first = None;
        let _ = self.walk(who, asked, asked_built_in, &mut |found, held| {
            if wanted(held) {
                first = Some(found);
                return Break(());
            }
            Continue(())
        });
        first
    }

    /// Visits each permission that `who` holds on all of `asked`.
    pub(super) fn walk(
        &self,
        who: &UserId,
        asked: &ResourceUri,
        asked_built_in: bool,
        visitor: &mut Visitor<'_>,
    ) -> ControlFlow<()> {
        let Some(user) = self.users.get(who.principal()) else {
            return Continue(());
        };
        let ancestors = self.resources.ancestors(asked);
        let question = Question {
            asked,
            asked_built_in,
            ancestors,
        };
        self.each_holder(user, &mut |holder, group| {
            self.walk_holder(&question, holder, group, visitor)
        })
    }

    /// Visits the user, and the groups and audiences they are in.
    pub(super) fn each_holder(
        &self,
        user: u32,
        visit: &mut dyn FnMut(Holder, Option<u32>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let user = Holder::user(user);
        visit(user, None)?;
        if !self.traits(user).has(Traits::MEMBER) {
            return Continue(());
        }
        let wholes = self.memberships.of(user);
        for whole in wholes {
            if whole.which() == Which::Audience {
                visit(*whole, None)?;
            }
        }
        for whole in wholes {
            if let Which::Group(group) = whole.which() {
                visit(*whole, Some(group))?;
                for audience in self.memberships.of(*whole) {
                    visit(*audience, Some(group))?;
                }
            }
        }
        Continue(())
    }

    fn walk_holder(
        &self,
        question: &Question<'_>,
        holder: Holder,
        group: Option<u32>,
        visitor: &mut Visitor<'_>,
    ) -> ControlFlow<()> {
        let asked = question.asked.canonical();
        let only_built_in = |held: &str| needs_built_in(held, asked, question.asked_built_in);
        let traits = self.traits(holder);
        if traits.has(Traits::EVERYTHING) {
            self.visit(
                holder,
                Resource::EVERYTHING,
                group,
                only_built_in("*"),
                visitor,
            )?;
        }
        for resource in &question.ancestors.exact {
            self.visit(holder, *resource, group, false, visitor)?;
        }
        if traits.has(Traits::BELOW) {
            for resource in &question.ancestors.below {
                self.visit(holder, *resource, group, false, visitor)?;
            }
        }
        if traits.has(Traits::PATTERN) {
            for (_, resource, record) in self.patterns.range(all_of(holder)) {
                let held = self.resources.path(*resource);
                if contains(held, asked) {
                    let place = Place {
                        record: *record,
                        resource: *resource,
                        holder,
                        group,
                    };
                    self.visit_record(place, only_built_in(held), visitor)?;
                }
            }
        }
        Continue(())
    }

    fn traits(&self, holder: Holder) -> Traits {
        match holder.which() {
            Which::User(user) => self.traits.get(user as usize).copied().unwrap_or_default(),
            Which::Group(_) | Which::Audience => Traits::ALL,
        }
    }

    /// Visits the permissions of all statements that name exactly this holder and this resource.
    fn visit(
        &self,
        holder: Holder,
        resource: Resource,
        group: Option<u32>,
        only_built_in: bool,
        visitor: &mut Visitor<'_>,
    ) -> ControlFlow<()> {
        for record in self.mentions.of(holder, resource) {
            let place = Place {
                record,
                resource,
                holder,
                group,
            };
            self.visit_record(place, only_built_in, visitor)?;
        }
        Continue(())
    }

    fn visit_record(
        &self,
        place: Place,
        only_built_in: bool,
        visitor: &mut Visitor<'_>,
    ) -> ControlFlow<()> {
        self.visit_roles(place, &mut |statement, role| {
            let held = self
                .roles
                .get(role as usize)
                .filter(|held| held.built_in || !only_built_in);
            let permissions = held.and_then(|held| held.permissions.as_deref());
            for permission in permissions.into_iter().flatten() {
                let found = Found {
                    record: place.record,
                    role,
                    group: place.group,
                    resource: place.resource,
                    statement,
                };
                visitor(found, permission)?;
            }
            Continue(())
        })
    }

    /// Visits the position and the roles of the statements of a record that name exactly a holder
    /// and a resource. If there are none, the record was only a candidate.
    fn visit_roles(
        &self,
        place: Place,
        visitor: &mut dyn FnMut(usize, u32) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for (position, statement) in self.statements(place.record).enumerate() {
            if statement.is_on(place.resource) && statement.whom.names(place.holder) {
                for role in statement.roles {
                    visitor(position, *role)?;
                }
            }
        }
        Continue(())
    }

    /// Every way in which a user has a role on exactly this resource.
    pub(super) fn ways(&self, user: u32, resource: Resource) -> BTreeSet<Way> {
        let mut ways = BTreeSet::new();
        let _ = self.each_holder(user, &mut |holder, group| {
            for record in self.mentions.of(holder, resource) {
                let place = Place {
                    record,
                    resource,
                    holder,
                    group,
                };
                self.visit_roles(place, &mut |statement, role| {
                    ways.insert(Way {
                        role,
                        record,
                        statement,
                        group,
                    });
                    Continue(())
                })?;
            }
            Continue(())
        });
        ways
    }

    /// The statements of a record, if it is in force.
    pub(super) fn statements(&self, record: u32) -> impl Iterator<Item = Statement<'_>> {
        let record = self.records.get(record as usize);
        record
            .into_iter()
            .flat_map(|record| record.packed.statements())
    }
}

/// Where a statement is looked for.
#[derive(Debug, Clone, Copy)]
struct Place {
    record: u32,
    resource: Resource,
    holder: Holder,
    group: Option<u32>,
}

/// A role by one statement of a record, directly or through a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Way {
    pub(super) role: u32,
    pub(super) record: u32,
    pub(super) statement: usize,
    group: Option<u32>,
}

type Noted = (Holder, Resource, u32);

fn all_of(holder: Holder) -> RangeInclusive<Noted> {
    (holder, Resource::FIRST, 0)..=(holder, Resource::LAST, u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::Looked;
    use super::*;
    use crate::changes::{Document, Kind, Mark, Seen};

    fn load(grants: &mut Grants, kind: Kind, id: &str, mark: u64, body: &serde_json::Value) {
        let body = serde_json::to_vec(body).unwrap();
        let value = Document {
            kind,
            id: id.to_owned(),
            facets: Vec::new(),
            body,
        };
        grants
            .load(&Seen {
                value,
                mark: Mark(mark),
            })
            .unwrap();
    }

    /// One record for each user, on a resource of their own.
    fn load_records(grants: &mut Grants, mark: u64, users: usize, moved: usize) {
        for user in 0..users {
            let body = serde_json::json!({
                "recordId": format!("rec{user}"),
                "name": "record",
                "description": null,
                "users": [{ "userId": format!("u{user}") }],
                "admins": [],
                "groups": [],
                "statements": [{
                    "roles": ["Authress:ReadResource"],
                    "resources": [{ "resourceUri": format!("docs/{}", user + moved) }],
                }],
                "tags": {},
                "status": "ACTIVE",
                "createdBy": "creator",
                "lastUpdated": "2026-01-01T00:00:00Z",
            });
            load(
                grants,
                Kind::AccessRecord,
                &format!("rec{user}"),
                mark,
                &body,
            );
        }
    }

    #[test]
    fn equal_fingerprints_never_make_a_yes() {
        let mut grants = Grants::new();
        let (users, action) = (60, "read".parse().unwrap());
        for moved in 0..3 {
            load_records(
                &mut grants,
                moved + 1,
                users,
                usize::try_from(moved).unwrap(),
            );
            for user in 0..users {
                let who: UserId = format!("u{user}").parse().unwrap();
                for resource in 0..users + 3 {
                    let uri = format!("docs/{resource}/page").parse().unwrap();
                    let own = resource == user + usize::try_from(moved).unwrap();
                    assert_eq!(
                        grants.is_allowed(&who, &uri, &action),
                        own,
                        "{user} {resource}"
                    );
                    let users_of =
                        grants.users_of(&format!("docs/{resource}").parse().unwrap(), None, 9);
                    assert_eq!(users_of.iter().any(|(found, _)| *found == who), own);
                    let mut search = grants.who_may(&uri, &action, None, 9);
                    while grants.look(&mut search, 2) == Looked::InPart {}
                    assert_eq!(search.users().contains(&who), own);
                }
                assert_eq!(grants.resources(&who, None, true, None, None, 9).len(), 1);
            }
        }
    }
}
