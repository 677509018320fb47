//! What the documents say, read one by one and without any index: the model the grants index is
//! held to. It shares no code with it.

use std::collections::{BTreeMap, BTreeSet};

use guestlist_api::records::{RecordStatus, User};
use guestlist_api::resource_configurations::ConfiguredAction;
use guestlist_api::roles::Permission;
use guestlist_api::times::Timestamp;
use guestlist_rules::groups::StoredGroup;
use guestlist_rules::records::StoredRecord;
use guestlist_rules::resource_configurations::StoredResourceConfiguration;
use guestlist_rules::roles::StoredRole;

use crate::grants_world::permission;

/// The documents, by id, with their marks.
pub(crate) struct Naive {
    built_in: BTreeMap<&'static str, Vec<Permission>>,
    /// The latest time that the clock said.
    pub(crate) now: Timestamp,
    pub(crate) records: BTreeMap<String, (u64, StoredRecord)>,
    pub(crate) groups: BTreeMap<String, (u64, StoredGroup)>,
    pub(crate) roles: BTreeMap<String, (u64, StoredRole)>,
    /// Those that are `PUBLIC` and those that are not.
    pub(crate) configurations: BTreeMap<String, (u64, StoredResourceConfiguration)>,
}

/// A role on a resource that somebody has by a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held<'a> {
    pub(crate) record: &'a str,
    pub(crate) statement: usize,
    pub(crate) role: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) group: Option<&'a str>,
    pub(crate) ends: Option<Timestamp>,
}

/// The documents, read from beginning to end: what each principal and each group has.
pub(crate) struct Reading<'a> {
    naive: &'a Naive,
    users: BTreeMap<&'a str, Vec<Held<'a>>>,
    groups: BTreeMap<&'a str, Vec<Held<'a>>>,
}

/// Something to ask about: a canonical resource, and concrete resources that stand for all it may
/// mean. Names in them that occur nowhere else stand for every name.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    examples: Vec<String>,
    reserved_examples: Vec<String>,
}

impl Asked {
    pub(crate) fn new(canonical: &str) -> Self {
        let mut all = vec![String::new()];
        for (position, segment) in canonical.split('/').enumerate() {
            let parts: Vec<&str> = segment.split(':').collect();
            let mut names: Vec<Vec<String>> = vec![vec![]];
            for (number, part) in parts.iter().enumerate() {
                let fresh = |count: usize| {
                    (0..count)
                        .map(|more| format!("fresh{position}-{number}-{more}"))
                        .collect()
                };
                let choices: Vec<Vec<String>> = match (*part, number + 1 == parts.len()) {
                    ("*", true) if number == 0 => {
                        vec![
                            fresh(1),
                            fresh(2),
                            fresh(3),
                            reserved(),
                            [reserved(), fresh(1)].concat(),
                        ]
                    }
                    ("*", true) => vec![fresh(1), fresh(2)],
                    ("*", false) if number == 0 => vec![fresh(1), vec!["Authress".to_owned()]],
                    ("*", false) => vec![fresh(1)],
                    (literal, _) => vec![vec![literal.to_owned()]],
                };
                names = names
                    .iter()
                    .flat_map(|name| choices.iter().map(|more| [&name[..], &more[..]].concat()))
                    .collect();
            }
            all = all
                .iter()
                .flat_map(|above| {
                    names
                        .iter()
                        .map(move |name| format!("{above}/{}", name.join(":")))
                })
                .collect();
        }
        let all = all
            .iter()
            .map(|example| example.trim_start_matches('/').to_owned());
        let (reserved_examples, examples) = all.partition(|example: &String| is_reserved(example));
        Self {
            examples,
            reserved_examples,
        }
    }
}

fn reserved() -> Vec<String> {
    vec!["Authress".to_owned(), "fresh".to_owned()]
}

pub(crate) fn is_reserved(canonical: &str) -> bool {
    canonical.starts_with("Authress:")
}

fn is_built_in(role: &str) -> bool {
    role.starts_with("Authress:")
}

/// Whether a resource that is held stands for a concrete one.
fn stands_for(held: &str, concrete: &str) -> bool {
    match (held.split_once('/'), concrete.split_once('/')) {
        (None, None) => segment_stands_for(held, concrete),
        (None, Some((name, _))) => segment_stands_for(held, name),
        (Some(_), None) => false,
        (Some((segment, rest)), Some((name, below))) => {
            segment_stands_for(segment, name) && stands_for(rest, below)
        }
    }
}

fn segment_stands_for(held: &str, name: &str) -> bool {
    match (held.split_once(':'), name.split_once(':')) {
        (None, None) => held == "*" || held == name,
        (None, Some(_)) => held == "*",
        (Some(_), None) => false,
        (Some((first, rest)), Some((part, tail))) => {
            (first == "*" || first == part) && segment_stands_for(rest, tail)
        }
    }
}

fn covers(held: Held<'_>, asked: &Asked, whole_asked: &str, asked_built_in: bool) -> bool {
    let reaches = is_built_in(held.role) || !held.resource.starts_with('*');
    let includes_reserved = is_reserved(whole_asked) || asked_built_in;
    asked
        .examples
        .iter()
        .all(|example| stands_for(held.resource, example))
        && (!includes_reserved
            || asked
                .reserved_examples
                .iter()
                .all(|example| reaches && stands_for(held.resource, example)))
}

/// What two resources have in common, as far as both are long.
fn meet(one: &str, other: &str) -> Option<String> {
    fn parts<'a>(one: &[&'a str], other: &[&'a str]) -> Option<Vec<&'a str>> {
        match (one, other) {
            ([], []) => Some(vec![]),
            (["*"], [_, ..]) => Some(other.to_vec()),
            ([_, ..], ["*"]) => Some(one.to_vec()),
            ([first, rest @ ..], [part, tail @ ..]) => {
                let common = match (*first, *part) {
                    ("*", part) => part,
                    (first, "*") => first,
                    (first, part) if first == part => first,
                    _ => return None,
                };
                Some([vec![common], parts(rest, tail)?].concat())
            }
            _ => None,
        }
    }
    let (one, other): (Vec<_>, Vec<_>) = (one.split(':').collect(), other.split(':').collect());
    parts(&one, &other).map(|parts| parts.join(":"))
}

/// What an answer to "what in this collection" says of a resource that is held.
fn answer(held: &str, collection: Option<&str>, nested: bool) -> Option<String> {
    let collection = collection
        .filter(|collection| *collection != "*")
        .unwrap_or("");
    let base = collection.strip_suffix("/*").unwrap_or(collection);
    let base: Vec<&str> = base
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let held: Vec<&str> = held.split('/').collect();
    let mut common: Vec<String> = Vec::new();
    for position in 0..base.len().max(held.len()) {
        common.push(match (base.get(position), held.get(position)) {
            (Some(base), Some(held)) => meet(base, held)?,
            (Some(one), None) | (None, Some(one)) => (*one).to_owned(),
            (None, None) => return None,
        });
    }
    if held.len() <= base.len() {
        common.push("*".to_owned());
        return nested.then(|| common.join("/"));
    }
    (nested || held.len() == base.len() + 1).then(|| common.join("/"))
}

fn gives_anything(held: &Permission) -> bool {
    held.allow || held.grant || held.delegate
}

impl Naive {
    pub(crate) fn new() -> Self {
        let built_in = [
            ("Authress:Owner", &[("*", "agd")][..]),
            ("Authress:Admin", &[("*", "ag")]),
            ("Authress:ReadResource", &[("read", "a"), ("*:read", "a")]),
            ("Authress:AuthenticateUser", &[("authenticate-user", "a")]),
        ];
        let permissions = |of: &[(&str, &str)]| of.iter().copied().map(permission).collect();
        Self {
            built_in: built_in
                .into_iter()
                .map(|(id, of)| (id, permissions(of)))
                .collect(),
            now: Timestamp::from_milliseconds(i64::MIN),
            records: BTreeMap::new(),
            groups: BTreeMap::new(),
            roles: BTreeMap::new(),
            configurations: BTreeMap::new(),
        }
    }

    pub(crate) fn permissions_of_role(&self, role: &str) -> Option<&[Permission]> {
        let custom = || self.roles.get(role).map(|(_, role)| &role.permissions);
        self.built_in.get(role).or_else(custom).map(Vec::as_slice)
    }

    /// The resource nearest to the root by which everybody may read all of what is asked about.
    pub(crate) fn public(&self, asked: &Asked) -> Option<&str> {
        if !asked.reserved_examples.is_empty() {
            return None;
        }
        let public = self.configurations.values().filter(|(_, configuration)| {
            let mut said = configuration.permissions.iter();
            said.any(|said| said.action == ConfiguredAction::Public && said.allow)
        });
        let configured = public.map(|(_, one)| one.resource_uri.canonical());
        configured
            .filter(|held| {
                let mut examples = asked.examples.iter();
                examples.all(|example| stands_for(held, example))
            })
            .min_by_key(|held| held.len())
    }

    pub(crate) fn statements(&self) -> usize {
        self.active().map(|record| record.statements.len()).sum()
    }

    fn active(&self) -> impl Iterator<Item = &StoredRecord> {
        let records = self.records.values().map(|(_, record)| record);
        records.filter(|record| record.status == RecordStatus::Active)
    }

    fn members(&self, group: &str) -> impl Iterator<Item = &str> {
        let group = self.groups.get(group);
        let members = group.into_iter().flat_map(|(_, group)| &group.users);
        members.map(|member| member.user_id.principal())
    }

    /// The records and the groups that name a principal.
    pub(crate) fn naming(&self, principal: &str) -> (BTreeSet<&str>, BTreeSet<&str>) {
        let names = |users: &[User]| {
            users
                .iter()
                .any(|user| user.user_id.principal() == principal)
        };
        let records = self.records.values().map(|(_, record)| record);
        let records = records.filter(|record| {
            let mut statements = record.statements.iter();
            let for_them =
                names(&record.users) || statements.any(|statement| names(&statement.users));
            names(&record.admins) || record.status == RecordStatus::Active && for_them
        });
        let groups = self.groups.values().map(|(_, group)| group);
        let groups = groups.filter(|group| names(&group.users) || names(&group.admins));
        (
            records.map(|record| record.record_id.as_str()).collect(),
            groups.map(|group| group.group_id.as_str()).collect(),
        )
    }

    /// The records in force and the groups that a principal administers.
    pub(crate) fn administered_by(&self, principal: &str) -> (BTreeSet<&str>, BTreeSet<&str>) {
        let names = |users: &[User]| {
            users
                .iter()
                .any(|user| user.user_id.principal() == principal)
        };
        let groups = self.groups.values().map(|(_, group)| group);
        let records = self.active().filter(|record| names(&record.admins));
        (
            records.map(|record| record.record_id.as_str()).collect(),
            groups
                .filter(|group| names(&group.admins))
                .map(|group| group.group_id.as_str())
                .collect(),
        )
    }

    /// Whom a record in force or a group names.
    pub(crate) fn known(&self) -> BTreeSet<&str> {
        let of_records = self.active().flat_map(|record| {
            let statements = record.statements.iter();
            let in_statements = statements.flat_map(|statement| statement.users.iter());
            let own = record.users.iter().chain(&record.admins);
            own.chain(in_statements)
        });
        let groups = self.groups.values().map(|(_, group)| group);
        let of_groups = groups.flat_map(|group| group.users.iter().chain(&group.admins));
        let all = of_records.chain(of_groups);
        all.map(|user| user.user_id.principal()).collect()
    }

    pub(crate) fn read(&self) -> Reading<'_> {
        let mut reading = Reading {
            naive: self,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
        };
        for record in self.active() {
            for (position, statement) in record.statements.iter().enumerate() {
                if statement.expiry_time.is_some_and(|ends| ends <= self.now) {
                    continue;
                }
                let own = !statement.users.is_empty() || !statement.groups.is_empty();
                let (users, groups) = if own {
                    (&statement.users[..], &statement.groups[..])
                } else {
                    (&record.users[..], &record.groups[..])
                };
                for (role, resource) in statement
                    .roles
                    .iter()
                    .flat_map(|role| statement.resources.iter().map(move |uri| (role, uri)))
                {
                    let held = Held {
                        record: record.record_id.as_str(),
                        statement: position,
                        role: role.as_str(),
                        resource: resource.resource_uri.canonical(),
                        group: None,
                        ends: statement.expiry_time,
                    };
                    for user in users {
                        let user = user.user_id.principal();
                        reading.users.entry(user).or_default().push(held);
                    }
                    for group in groups {
                        let group = group.group_id.as_str();
                        reading.groups.entry(group).or_default().push(held);
                        for member in self.members(group) {
                            let held = Held {
                                group: Some(group),
                                ..held
                            };
                            reading.users.entry(member).or_default().push(held);
                        }
                    }
                }
            }
        }
        for held in reading
            .users
            .values_mut()
            .chain(reading.groups.values_mut())
        {
            held.sort_unstable();
            held.dedup();
        }
        reading
    }
}

impl<'a> Reading<'a> {
    /// Whether a statement names this resource, or anything below it, for anybody but `who`.
    pub(crate) fn is_held_by_others(&self, who: &str, resource: &str) -> bool {
        let inside = |held: &Held<'_>| {
            let path = held.resource.strip_suffix("/*").unwrap_or(held.resource);
            path == resource || path.starts_with(&format!("{resource}/"))
        };
        let mut users = self.users.iter().filter(|(user, _)| **user != who);
        let by_users = users.any(|(_, held)| {
            let mut own = held.iter().filter(|held| held.group.is_none());
            own.any(inside)
        });
        let configured = self
            .naive
            .configurations
            .values()
            .any(|(_, configuration)| {
                let mut said = configuration.permissions.iter();
                let path = configuration.resource_uri.canonical();
                let is_inside = path == resource || path.starts_with(&format!("{resource}/"));
                is_inside && said.any(|said| said.allow)
            });
        configured || by_users || self.groups.values().flatten().any(inside)
    }

    /// Everybody who has anything, in the byte order of their ids.
    pub(crate) fn principals(&self) -> impl Iterator<Item = &'a str> + use<'_, 'a> {
        self.users.keys().copied()
    }

    pub(crate) fn held(&self, principal: &str) -> impl Iterator<Item = Held<'a>> {
        self.users.get(principal).into_iter().flatten().copied()
    }

    pub(crate) fn held_by_group(&self, group: &str) -> impl Iterator<Item = Held<'a>> {
        self.groups.get(group).into_iter().flatten().copied()
    }

    fn permissions_of(&self, held: Held<'_>) -> impl Iterator<Item = &'a Permission> + use<'a> {
        self.naive
            .permissions_of_role(held.role)
            .into_iter()
            .flatten()
    }

    /// Every way in which `principal` has a permission that is wanted on all that is asked.
    pub(crate) fn ways(
        &self,
        principal: &str,
        whole_asked: &str,
        asked: &Asked,
        asked_built_in: bool,
        wanted: &dyn Fn(&Permission) -> bool,
    ) -> Vec<Held<'a>> {
        self.held(principal)
            .filter(|held| self.permissions_of(*held).any(wanted))
            .filter(|held| covers(*held, asked, whole_asked, asked_built_in))
            .collect()
    }

    /// Action in lower case without a trailing `:*`, its text, the three flags, and the first of
    /// the last instants of what is true.
    pub(crate) fn permissions(
        &self,
        principal: &str,
        whole_asked: &str,
        asked: &Asked,
    ) -> Vec<([String; 2], [bool; 3], Option<Timestamp>)> {
        type Lasts = Vec<Option<Timestamp>>;
        let mut merged: BTreeMap<String, (String, [Lasts; 3])> = BTreeMap::new();
        for held in self
            .held(principal)
            .filter(|held| covers(*held, asked, whole_asked, false))
        {
            for one in self.permissions_of(held).filter(|one| gives_anything(one)) {
                let text = one.action.as_str();
                let key = text.to_ascii_lowercase();
                let key = key.strip_suffix(":*").unwrap_or(&key);
                let key = if text == "*" { "" } else { key };
                let fresh = || (text.to_owned(), Default::default());
                let known = merged.entry(key.to_owned()).or_insert_with(fresh);
                known.0 = known.0.clone().min(text.to_owned());
                let flags = [one.allow, one.grant, one.delegate];
                for (lasts, _) in known.1.iter_mut().zip(flags).filter(|(_, flag)| *flag) {
                    lasts.push(held.ends);
                }
            }
        }
        merged
            .into_iter()
            .map(|(key, (text, lasts))| {
                let flags = lasts.each_ref().map(|lasts| !lasts.is_empty());
                let given = lasts.iter().filter(|lasts| !lasts.is_empty());
                let limited = given.filter(|lasts| lasts.iter().all(Option::is_some));
                let ends = limited.map(|lasts| lasts.iter().flatten().max().copied());
                ([key, text], flags, ends.min().flatten())
            })
            .collect()
    }

    pub(crate) fn explicit_roles(
        &self,
        principal: &str,
        canonical: &str,
    ) -> Vec<(String, Option<Timestamp>)> {
        let held = self
            .held(principal)
            .filter(|held| held.resource == canonical);
        let known = held.filter(|held| self.naive.permissions_of_role(held.role).is_some());
        let mut roles: Vec<_> = known
            .map(|held| (held.role.to_owned(), held.ends))
            .collect();
        roles.sort_unstable();
        roles
    }

    pub(crate) fn resources(
        &self,
        principal: &str,
        collection: Option<&str>,
        nested: bool,
        wanted: Option<&dyn Fn(&Permission) -> bool>,
    ) -> BTreeSet<String> {
        self.held(principal)
            .filter_map(|held| {
                let answer = answer(held.resource, collection, nested)?;
                let barred = is_reserved(&answer) && held.resource.starts_with('*');
                let is_enough = |one| wanted.map_or(gives_anything(one), |is| is(one));
                let enough = self.permissions_of(held).any(is_enough);
                (enough && (!barred || is_built_in(held.role))).then_some(answer)
            })
            .collect()
    }

    pub(crate) fn users_of(&self, canonical: &str) -> BTreeMap<String, BTreeSet<String>> {
        let users = self.users.keys().map(|principal| {
            let roles = self.explicit_roles(principal, canonical).into_iter();
            (
                (*principal).to_owned(),
                roles.map(|(role, _)| role).collect::<BTreeSet<String>>(),
            )
        });
        users.filter(|(_, roles)| !roles.is_empty()).collect()
    }

    pub(crate) fn holds_reserved(&self, principal: &str) -> bool {
        self.held(principal).any(|held| {
            let through_wildcard = held.resource.starts_with('*') && is_built_in(held.role);
            (is_reserved(held.resource) || through_wildcard)
                && self.permissions_of(held).any(gives_anything)
        })
    }

    pub(crate) fn owners(&self) -> BTreeSet<(String, String, Option<String>)> {
        let all = self.users.iter();
        let all = all.flat_map(|(user, held)| held.iter().map(move |held| (*user, held)));
        all.filter(|(_, held)| held.role == "Authress:Owner" && held.resource == "*")
            .filter(|(_, held)| held.ends.is_none())
            .map(|(user, held)| {
                (
                    user.to_owned(),
                    held.record.to_owned(),
                    held.group.map(ToOwned::to_owned),
                )
            })
            .collect()
    }
}
