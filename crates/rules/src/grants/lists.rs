//! Lists: what a user holds, who holds a resource, what a group is given. Each is sorted, so no
//! answer depends on the order in memory.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow::Continue;

use guestlist_api::actions::Action;
use guestlist_api::ids::{GroupId, RecordId, RoleId, UserId};
use guestlist_api::resources::{ResourceUri, is_reserved};
use guestlist_api::roles::Permission;
use guestlist_api::times::Timestamp;

use super::check::Found;
use super::holders::{Holder, Which};
use super::lasting::{HeldPermission, Merged};
use super::packed::Statement;
use super::resources::Resource;
use super::{Because, Grants};
use crate::built_in;
use crate::coverage::{begins_with_wildcard, common_segment};

impl Grants {
    /// The permissions of `who` on all of `resource`, one for each action with what all statements
    /// together say of it, and until when. Actions are written as in the first of their spellings,
    /// byte by byte.
    pub fn permissions(&self, who: &UserId, resource: &ResourceUri) -> Vec<HeldPermission> {
        let mut merged: BTreeMap<String, Merged> = BTreeMap::new();
        let _ = self.walk(who, resource, false, &mut |found, held| {
            if !gives_anything(held) {
                return Continue(());
            }
            let ends = self.endings.of(found.record, found.statement);
            if let Some(known) = merged.get_mut(held.action.canonical()) {
                known.add(held, ends);
            } else {
                let key = held.action.canonical().to_owned();
                merged.insert(key, Merged::new(held, ends));
            }
            Continue(())
        });
        merged.into_values().map(Merged::held).collect()
    }

    /// The roles that statements give `who` on exactly this resource, sorted, and when each
    /// statement ends. A role comes once for each statement that gives it and each way (directly,
    /// or through a group) it does.
    pub fn explicit_roles(
        &self,
        who: &UserId,
        resource: &ResourceUri,
    ) -> Vec<(RoleId, Option<Timestamp>)> {
        let found = (
            self.users.get(who.principal()),
            self.resources.get(resource),
        );
        let (Some(user), Some(resource)) = found else {
            return Vec::new();
        };
        let ways = self.ways(user, resource).into_iter();
        let known = ways.filter(|way| self.role_exists(way.role));
        let mut roles: Vec<_> = known
            .filter_map(|way| {
                let ends = self.endings.of(way.record, way.statement);
                Some((self.role_id(way.role)?, ends))
            })
            .collect();
        roles.sort_unstable();
        roles
    }

    /// Who is named on exactly this resource, members of the groups that are included, with their
    /// distinct roles; sorted by user id, from after `after` on.
    pub fn users_of(
        &self,
        resource: &ResourceUri,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(UserId, Vec<RoleId>)> {
        let Some(resource) = self.resources.get(resource) else {
            return Vec::new();
        };
        let mut page: Page<'_, BTreeSet<u32>> = Page::new(after.map(principal), limit);
        for record in self.mentions.of_resource(resource) {
            for statement in self
                .statements(record)
                .filter(|statement| statement.is_on(resource))
            {
                let roles = || {
                    statement
                        .roles
                        .iter()
                        .filter(|role| self.role_exists(**role))
                };
                if roles().next().is_none() {
                    continue;
                }
                for holder in statement.whom.holders() {
                    for user in self.members(holder) {
                        if let Some(held) = page.entry(self.users.text(user)) {
                            held.extend(roles());
                        }
                    }
                }
            }
        }
        let entries = page.entries.into_iter();
        entries
            .filter_map(|(principal, roles)| {
                let mut roles: Vec<RoleId> = roles
                    .into_iter()
                    .filter_map(|role| self.role_id(role))
                    .collect();
                roles.sort_unstable();
                Some((user_id(&principal)?, roles))
            })
            .collect()
    }

    /// What `who` holds in a collection (semantics §6): a page of resources, sorted by canonical
    /// text and distinct, from after `after` on.
    ///
    /// Without `nested`, what is named exactly one segment below the collection; with it, all that
    /// is named below, and, if something above is named, the collection with `/*`. `None` is the
    /// collection of everything. A resource that is named with wildcards, or in a collection with
    /// wildcards, is answered as far as both reach. `collection/*` means the same as `collection`.
    ///
    /// With `action`, only what `who` may do it on; otherwise any permission suffices.
    pub fn resources(
        &self,
        who: &UserId,
        collection: Option<&ResourceUri>,
        nested: bool,
        action: Option<&Action>,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<ResourceUri> {
        let Some(user) = self.users.get(who.principal()) else {
            return Vec::new();
        };
        let query = Query::new(collection, nested);
        let mut page: Page<'_, ()> = Page::new(after.map(canonical), limit);
        let mut text = String::new();
        for holder in self.holders_of(user) {
            for record in self.records_naming(holder) {
                for statement in self
                    .statements(record)
                    .filter(|held| held.whom.names(holder))
                {
                    for resource in statement.resources() {
                        self.resources.write(resource, &mut text);
                        let Some(answer) = query.answer(&text) else {
                            continue;
                        };
                        if !page.takes(&answer) {
                            continue;
                        }
                        let only_built_in = begins_with_wildcard(&text) && is_reserved(&answer);
                        if self.qualifies(statement, only_built_in, action) {
                            page.entry(&answer);
                        }
                    }
                }
            }
        }
        page.entries
            .into_keys()
            .filter_map(|answer| query.write(&answer))
            .collect()
    }

    /// Every role on every resource that some record in force gives the group, sorted.
    pub fn statements_of_group(&self, id: &GroupId) -> Vec<(RoleId, ResourceUri)> {
        let group = self.group_ids.get(id.as_str());
        self.given(group.map(Holder::group).as_slice())
    }

    /// Every role on every resource that some record in force gives a principal, directly or
    /// through a group, sorted.
    pub fn statements_of_principal(&self, principal: &str) -> Vec<(RoleId, ResourceUri)> {
        self.users
            .get(principal)
            .map_or_else(Vec::new, |user| self.given(&self.holders_of(user)))
    }

    /// Whether some record in force names a role, which need not exist. It looks at every record.
    pub fn is_named(&self, role: &RoleId) -> bool {
        self.role_ids.get(role.as_str()).is_some_and(|role| {
            let mut records = self.records.iter().map(|record| &record.packed);
            records.any(|packed| {
                packed.is_active()
                    && packed
                        .statements()
                        .any(|statement| statement.roles.contains(&role))
            })
        })
    }

    /// The records in force and the groups that a principal administers.
    pub fn administered_by(&self, principal: &str) -> (Vec<RecordId>, Vec<GroupId>) {
        let Some(user) = self.users.get(principal) else {
            return (Vec::new(), Vec::new());
        };
        let records = self.administered_records(user);
        let in_force = records.filter(|record| self.is_in_force(*record));
        let groups = self.administered_groups(user);
        (
            in_force
                .filter_map(|record| self.record_ids.text(record).parse().ok())
                .collect(),
            groups
                .filter_map(|group| self.group_ids.text(group).parse().ok())
                .collect(),
        )
    }

    /// Who holds [`built_in::OWNER`] on `*`, and why: each principal once for each record and group
    /// through which they do, sorted. One whose ownership ends is not counted: the account must
    /// have an owner when it does.
    pub fn owners(&self) -> Vec<(String, Because)> {
        let mut owners = BTreeSet::new();
        let Some(role) = self.role_ids.get(built_in::OWNER) else {
            return Vec::new();
        };
        for record in &self.owning {
            let owning = |statement: &Statement<'_>| {
                statement.is_on(Resource::EVERYTHING) && statement.roles.contains(&role)
            };
            let all = self.statements(*record).enumerate();
            for (position, statement) in all.filter(|(_, statement)| owning(statement)) {
                if self.endings.of(*record, position).is_some() {
                    continue;
                }
                for holder in statement.whom.holders() {
                    let group = match holder.which() {
                        Which::Group(group) => Some(group),
                        Which::User(_) | Which::Audience => None,
                    };
                    let because = self.because(Found {
                        record: *record,
                        role,
                        group,
                        resource: Resource::EVERYTHING,
                        statement: position,
                    });
                    for user in self.members(holder) {
                        let owner = self.users.text(user).to_owned();
                        owners.extend(because.clone().map(|because| (owner, because)));
                    }
                }
            }
        }
        owners.into_iter().collect()
    }

    /// Records that may name a holder, see [`super::mentions`].
    pub(super) fn records_naming(&self, holder: Holder) -> impl Iterator<Item = u32> {
        self.mentions.of_holder(holder)
    }

    /// The user and their groups.
    fn holders_of(&self, user: u32) -> Vec<Holder> {
        let user = Holder::user(user);
        let wholes = self.memberships.of(user).iter().copied();
        let groups = wholes.filter(|whole| match whole.which() {
            Which::Group(_) => true,
            Which::User(_) | Which::Audience => false,
        });
        [user].into_iter().chain(groups).collect()
    }

    /// The users a holder stands for.
    pub(super) fn members(&self, holder: Holder) -> impl Iterator<Item = u32> {
        let (user, group) = match holder.which() {
            Which::User(user) => (Some(user), None),
            Which::Group(group) => (None, self.groups.get(group as usize)),
            Which::Audience => (None, None),
        };
        let content = group.and_then(|group| group.content.as_ref());
        let members = content.map_or(&[][..], |content| &content.members);
        user.into_iter().chain(members.iter().copied())
    }

    fn qualifies(
        &self,
        statement: Statement<'_>,
        only_built_in: bool,
        action: Option<&Action>,
    ) -> bool {
        let held = statement
            .roles
            .iter()
            .filter_map(|role| self.roles.get(*role as usize));
        held.filter(|role| role.built_in || !only_built_in)
            .flat_map(|role| role.permissions.iter().flatten())
            .any(|held| match action {
                Some(action) => held.allow && held.action.covers(action),
                None => gives_anything(held),
            })
    }

    fn given(&self, holders: &[Holder]) -> Vec<(RoleId, ResourceUri)> {
        let mut given = BTreeSet::new();
        for holder in holders {
            for record in self.records_naming(*holder) {
                for statement in self
                    .statements(record)
                    .filter(|held| held.whom.names(*holder))
                {
                    for resource in statement.resources() {
                        given.extend(statement.roles.iter().map(|role| (*role, resource)));
                    }
                }
            }
        }
        let mut text = String::new();
        let mut given: Vec<(RoleId, ResourceUri)> = given
            .into_iter()
            .filter_map(|(role, resource)| {
                self.resources.write(resource, &mut text);
                Some((self.role_id(role)?, text.parse().ok()?))
            })
            .collect();
        given.sort_unstable();
        given
    }

    fn role_exists(&self, role: u32) -> bool {
        self.roles
            .get(role as usize)
            .is_some_and(|role| role.permissions.is_some())
    }

    pub(super) fn role_id(&self, role: u32) -> Option<RoleId> {
        self.role_ids.text(role).parse().ok()
    }
}

const fn gives_anything(held: &Permission) -> bool {
    held.allow || held.grant || held.delegate
}

/// A user id that means this principal: the principal itself, except where only the long name of a
/// service client does.
pub(super) fn user_id(principal: &str) -> Option<UserId> {
    let same = |id: &UserId| id.principal() == principal;
    let plain = principal.parse().ok().filter(same);
    plain.or_else(|| {
        format!("Authress:ServiceClients/{principal}")
            .parse()
            .ok()
            .filter(same)
    })
}

/// The principal that a user id in a cursor means.
pub(super) fn principal(user_id: &str) -> &str {
    user_id
        .strip_prefix("Authress:ServiceClients/")
        .unwrap_or(user_id)
}

fn canonical(text: &str) -> &str {
    let text = text.strip_prefix('/').unwrap_or(text);
    text.strip_suffix('/').unwrap_or(text)
}

/// The first entries of a sorted list after a text: never holds more than its limit.
pub(super) struct Page<'a, T> {
    after: Option<&'a str>,
    limit: usize,
    pub(super) entries: BTreeMap<String, T>,
}

impl<'a, T: Default> Page<'a, T> {
    pub(super) fn new(after: Option<&'a str>, limit: usize) -> Self {
        Self {
            after,
            limit,
            entries: BTreeMap::new(),
        }
    }

    /// Whether a text belongs on the page as far as is known.
    fn takes(&self, text: &str) -> bool {
        let beyond = || {
            self.entries
                .last_key_value()
                .is_none_or(|(last, _)| text > last.as_str())
        };
        let full = self.entries.len() >= self.limit && beyond();
        !full && self.after.is_none_or(|after| text > after)
    }

    pub(super) fn entry(&mut self, text: &str) -> Option<&mut T> {
        if !self.takes(text) {
            return None;
        }
        if !self.entries.contains_key(text) {
            self.entries.insert(text.to_owned(), T::default());
            if self.entries.len() > self.limit {
                self.entries.pop_last();
            }
        }
        self.entries.get_mut(text)
    }
}

/// A collection that is asked for.
struct Query<'a> {
    /// The canonical text without a trailing `/*`: what is below it is asked for.
    base: &'a str,
    nested: bool,
    /// The answer that all of the collection is held, as the caller wrote it.
    whole: String,
}

impl<'a> Query<'a> {
    fn new(collection: Option<&'a ResourceUri>, nested: bool) -> Self {
        let written = collection.map_or("*", ResourceUri::as_str);
        let written = written.strip_suffix('/').unwrap_or(written);
        let base = collection.map_or("*", ResourceUri::canonical);
        if base == "*" {
            return Self {
                base: "",
                nested,
                whole: written.to_owned(),
            };
        }
        base.strip_suffix("/*").map_or_else(
            || Self {
                base,
                nested,
                whole: format!("{written}/*"),
            },
            |base| Self {
                base,
                nested,
                whole: written.to_owned(),
            },
        )
    }

    /// The canonical text that answers for a resource that is named, if it is part of the answer.
    fn answer(&self, held: &str) -> Option<String> {
        let mut base = self.base.split('/').filter(|segment| !segment.is_empty());
        let mut held = held.split('/').peekable();
        let mut common: Vec<Cow<'_, str>> = Vec::new();
        for segment in base.by_ref() {
            let Some(name) = held.next() else {
                common.push(Cow::Borrowed(segment));
                break;
            };
            common.push(common_segment(name, segment)?);
        }
        if held.peek().is_none() {
            // What is named is the collection itself or above it.
            common.extend(base.map(Cow::Borrowed));
            common.push(Cow::Borrowed("*"));
            return self.nested.then(|| common.join("/"));
        }
        let depth = common.len();
        common.extend(held.map(Cow::Borrowed));
        (self.nested || common.len() == depth + 1).then(|| common.join("/"))
    }

    fn write(&self, answer: &str) -> Option<ResourceUri> {
        if canonical(&self.whole) == answer {
            return self.whole.parse().ok();
        }
        answer.parse().ok()
    }
}
