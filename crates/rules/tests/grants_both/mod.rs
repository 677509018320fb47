//! The grants index and the documents side by side: every kind of question, asked of both.

use std::collections::BTreeSet;

use guestlist_api::actions::Action;
use guestlist_api::ids::{GroupId, RecordId, UserId};
use guestlist_api::records::RecordStatus;
use guestlist_api::resources::ResourceUri;
use guestlist_api::roles::Permission;
use guestlist_api::times::Timestamp;
use guestlist_rules::changes::{Document, Expect, Kind, Mark, Seen, Stored};
use guestlist_rules::grants::{Because, Holding, Looked};
use guestlist_rules::groups::StoredGroup;
use proptest::prelude::*;

use crate::grants_naive::{Asked, Held, Naive, Reading};
use crate::grants_steps::{GROUPS, NAMED_ROLES, Question, RECORDS, Step, USERS, record_of};
use crate::grants_world::{World, committed, configuration, group, named, parse, role};

/// An index, and the documents it was told of.
pub(crate) struct Both {
    world: World,
    naive: Naive,
    told: Vec<Told>,
}

/// A change as it was committed.
struct Told {
    revision: u64,
    write: Vec<Document>,
    delete: Vec<(Kind, String)>,
}

impl Both {
    pub(crate) fn new() -> Self {
        Self {
            world: World::new(),
            naive: Naive::new(),
            told: Vec::new(),
        }
    }

    /// Goes on with an index that is built from what is left.
    pub(crate) fn rebuild(&mut self) {
        let records = self
            .naive
            .records
            .values()
            .map(|(mark, one)| (mark, Document::of(one)));
        let groups = self
            .naive
            .groups
            .values()
            .map(|(mark, one)| (mark, Document::of(one)));
        let roles = self
            .naive
            .roles
            .values()
            .map(|(mark, one)| (mark, Document::of(one)));
        let configurations = self
            .naive
            .configurations
            .values()
            .map(|(mark, one)| (mark, Document::of(one)));
        let mut rebuilt = World::new();
        let all = records.chain(groups).chain(roles).chain(configurations);
        for (mark, document) in all {
            let seen = Seen {
                value: document.unwrap(),
                mark: Mark(*mark),
            };
            rebuilt.grants.load(&seen).unwrap();
        }
        rebuilt.grants.pass(self.naive.now);
        self.world = rebuilt;
    }

    pub(crate) fn take(&mut self, step: &Step) {
        let mark = self.world.revision + 1;
        match step {
            Step::Record { id, shape } => {
                let value = record_of(id, shape);
                self.write(&value);
                self.naive.records.insert((*id).to_owned(), (mark, value));
            }
            Step::RecordDeleted(id) => {
                if let Some((_, mut value)) = self.naive.records.remove(*id) {
                    value.status = RecordStatus::Deleted;
                    self.write(&value);
                    self.naive.records.insert((*id).to_owned(), (mark, value));
                }
            }
            Step::RecordGone(id) => {
                self.naive.records.remove(*id);
                self.delete(Kind::AccessRecord, id);
            }
            Step::Group {
                id,
                members,
                admins,
            } => {
                let value = StoredGroup {
                    admins: named(admins),
                    ..group(id, members)
                };
                self.write(&value);
                self.naive.groups.insert((*id).to_owned(), (mark, value));
            }
            Step::GroupGone(id) => {
                self.naive.groups.remove(*id);
                self.delete(Kind::Group, id);
            }
            Step::Role { id, permissions } => {
                let value = role(id, permissions);
                self.write(&value);
                self.naive.roles.insert((*id).to_owned(), (mark, value));
            }
            Step::RoleGone(id) => {
                self.naive.roles.remove(*id);
                self.delete(Kind::Role, id);
            }
            Step::Configured { resource, allow } => {
                let value = configuration(resource, *allow);
                self.write(&value);
                let id = value.resource_uri.canonical().to_owned();
                self.naive.configurations.insert(id, (mark, value));
            }
            Step::ConfigurationGone(resource) => {
                let id = resource.trim_matches('/');
                self.naive.configurations.remove(id);
                self.delete(Kind::ResourceConfiguration, id);
            }
            Step::Clock(instant) => {
                let instant = Timestamp::from_milliseconds(*instant);
                self.world.grants.pass(instant);
                self.naive.now = self.naive.now.max(instant);
            }
            Step::Again(number) => self.tell_again(*number),
        }
        // As the server does before anybody asks.
        if let Some(ending) = self.world.grants.next_ending()
            && ending <= self.naive.now
        {
            self.world.grants.pass(self.naive.now);
        }
    }

    fn write<T: Stored>(&mut self, value: &T) {
        self.world.write(value);
        let write = vec![Document::of(value).unwrap()];
        self.told.push(Told {
            revision: self.world.revision,
            write,
            delete: Vec::new(),
        });
    }

    fn delete(&mut self, kind: Kind, id: &str) {
        self.world.delete(kind, id);
        let delete = vec![(kind, id.to_owned())];
        self.told.push(Told {
            revision: self.world.revision,
            write: Vec::new(),
            delete,
        });
    }

    /// Repeats what is not newer than what is there, so nothing may change.
    fn tell_again(&mut self, number: usize) {
        let Some(told) = self.told.get(number % self.told.len().max(1)) else {
            return;
        };
        for document in &told.write {
            let seen = Seen {
                value: document.clone(),
                mark: Mark(told.revision),
            };
            self.world.grants.load(&seen).unwrap();
        }
        let again = committed(told.revision, told.write.clone(), told.delete.clone());
        self.world.grants.commit(&again).unwrap();
    }

    pub(crate) fn check(&self, questions: &[Question]) -> Result<(), TestCaseError> {
        let reading = self.naive.read();
        for question in questions {
            let who: UserId = parse(question.who);
            let resource: ResourceUri = parse(&question.resource);
            let asked = Asked::new(resource.canonical());
            self.check_decisions(&reading, question, &who, &resource, &asked)?;
            self.check_lists(&reading, question, &who, &resource, &asked)?;
            self.check_resources(&reading, question, &who, &resource)?;
            self.check_explained(&reading, question, &who, &resource, &asked)?;
            self.check_who_may(&reading, question, &resource, &asked)?;
            self.check_public(question, &resource, &asked)?;
            self.check_holding(&reading, &who, &resource)?;
        }
        self.check_named()?;
        self.check_whole(&reading)
    }

    /// What everybody may read, and nothing but that.
    fn check_public(
        &self,
        question: &Question,
        resource: &ResourceUri,
        asked: &Asked,
    ) -> Result<(), TestCaseError> {
        let action: Action = parse(question.action);
        let reads = ["read", "*:read"].map(parse::<Action>);
        let allowed = reads.iter().find(|read| read.covers(&action));
        let expected = allowed.and_then(|read| Some((self.naive.public(asked)?, read.as_str())));
        let grants = &self.world.grants;
        let public = grants.public(resource, &action);
        let found = public.as_ref();
        let found = found.map(|public| (public.resource.as_str(), public.action.as_str()));
        prop_assert_eq!(found, expected);
        prop_assert_eq!(grants.is_public(resource, &action), expected.is_some());
        Ok(())
    }

    /// Whether a resource or anything below it is somebody else's, with the names put in order before
    /// or not.
    fn check_holding(
        &self,
        reading: &Reading<'_>,
        who: &UserId,
        resource: &ResourceUri,
    ) -> Result<(), TestCaseError> {
        if resource.has_wildcard() {
            return Ok(());
        }
        let expected = if reading.is_held_by_others(who.principal(), resource.canonical()) {
            Holding::Somebody
        } else {
            Holding::Nobody
        };
        let grants = &self.world.grants;
        grants.sort_resources(3);
        prop_assert_eq!(grants.held_by_others(who, resource, usize::MAX), expected);
        let bounded = grants.held_by_others(who, resource, 1);
        prop_assert!(bounded == expected || bounded == Holding::TooManyNames);
        Ok(())
    }

    /// Who is named where, and the list of those who are known, in steps and pages of any size.
    fn check_named(&self) -> Result<(), TestCaseError> {
        let grants = &self.world.grants;
        let known = self.naive.known();
        for user in USERS {
            let user: UserId = parse(user);
            let naming = grants.naming(user.principal());
            let records: BTreeSet<&str> = naming.records.iter().map(RecordId::as_str).collect();
            let groups: BTreeSet<&str> = naming.groups.iter().map(GroupId::as_str).collect();
            prop_assert_eq!(naming.records.len(), records.len());
            prop_assert_eq!(naming.groups.len(), groups.len());
            prop_assert_eq!((records, groups), self.naive.naming(user.principal()));
            let principal = user.principal();
            prop_assert_eq!(grants.is_known(principal), known.contains(principal));
            let (records, groups) = grants.administered_by(principal);
            let own: (BTreeSet<_>, BTreeSet<_>) = (
                records.iter().map(RecordId::as_str).collect(),
                groups.iter().map(GroupId::as_str).collect(),
            );
            prop_assert_eq!(own, self.naive.administered_by(principal));
        }
        for (limit, names) in [(100, usize::MAX), (1, 1), (2, 3)] {
            let mut found: Vec<String> = Vec::new();
            let mut after = None;
            loop {
                let page = grants.known_users(after.as_deref(), limit, names, &|id| id != "admin");
                prop_assert!(page.users.len() <= limit);
                found.extend(page.users.iter().map(|user| user.principal().to_owned()));
                after = page.last;
                if after.is_none() {
                    break;
                }
            }
            let expected: Vec<&str> = known.iter().copied().filter(|id| *id != "admin").collect();
            prop_assert_eq!(found, expected, "{} in pieces of {}", limit, names);
        }
        Ok(())
    }

    fn check_decisions(
        &self,
        reading: &Reading<'_>,
        question: &Question,
        who: &UserId,
        resource: &ResourceUri,
        asked: &Asked,
    ) -> Result<(), TestCaseError> {
        let grants = &self.world.grants;
        let action: Action = parse(question.action);
        let ways = |built_in: bool, wanted: &dyn Fn(&Permission) -> bool| {
            reading.ways(
                who.principal(),
                resource.canonical(),
                asked,
                built_in,
                wanted,
            )
        };
        let wanted = |held: &Permission| held.allow && held.action.covers(&action);
        let expected = ways(false, &wanted);
        let because = grants.allowed(who, resource, &action);
        prop_assert_eq!(grants.is_allowed(who, resource, &action), because.is_some());
        self.check_because(because.as_ref(), &expected)?;
        for (built_in, needs_delegate) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            let wanted = |held: &Permission| {
                let gives = if needs_delegate {
                    held.delegate
                } else {
                    held.grant || held.delegate
                };
                gives && held.action.covers(&action)
            };
            let because = grants.may_give(who, built_in, &action, resource, needs_delegate);
            let all = ways(built_in, &wanted);
            self.check_because(because.as_ref(), &all)?;
            for until in [None, Some(2), Some(4)] {
                let until = until.map(Timestamp::from_milliseconds);
                let how = (built_in, &action);
                let because = grants.may_give_until(who, how, resource, needs_delegate, until);
                let mut lasting = all.clone();
                lasting.retain(|held| match (held.ends, until) {
                    (None, _) => true,
                    (Some(_), None) => false,
                    (Some(ends), Some(until)) => until <= ends,
                });
                self.check_because(because.as_ref(), &lasting)?;
            }
        }
        let reserved = reading.holds_reserved(who.principal());
        prop_assert_eq!(grants.holds_reserved(who), reserved);
        Ok(())
    }

    /// A reason that is given is one of those that there are, and rests on what is there now.
    fn check_because(
        &self,
        because: Option<&Because>,
        expected: &[Held<'_>],
    ) -> Result<(), TestCaseError> {
        prop_assert_eq!(
            because.is_some(),
            !expected.is_empty(),
            "{:?} of {:?}",
            because,
            expected
        );
        let Some(because) = because else {
            return Ok(());
        };
        let is_this = |way: &Held<'_>| {
            way.record == because.record.as_str()
                && way.role == because.role.as_str()
                && way.group == because.group.as_ref().map(GroupId::as_str)
        };
        prop_assert!(
            expected.iter().any(is_this),
            "{:?} is none of {:?}",
            because,
            expected
        );
        let record = &self.naive.records[because.record.as_str()];
        let role = self.naive.roles.get(because.role.as_str());
        let group = because
            .group
            .as_ref()
            .map(|id| (id.to_string(), &self.naive.groups[id.as_str()]));
        let at = |kind, id: String, mark: u64| (kind, id, Expect::At(Mark(mark)));
        let mut relied = vec![at(Kind::AccessRecord, because.record.to_string(), record.0)];
        relied.extend(role.map(|role| at(Kind::Role, because.role.to_string(), role.0)));
        relied.extend(group.map(|(id, group)| at(Kind::Group, id, group.0)));
        prop_assert_eq!(self.world.grants.relied(because), relied);
        Ok(())
    }

    /// The reason that is given is the first of all there are, in the order that is promised.
    fn check_explained(
        &self,
        reading: &Reading<'_>,
        question: &Question,
        who: &UserId,
        resource: &ResourceUri,
        asked: &Asked,
    ) -> Result<(), TestCaseError> {
        let action: Action = parse(question.action);
        let wanted = |held: &Permission| held.allow && held.action.covers(&action);
        let ways = reading.ways(who.principal(), resource.canonical(), asked, false, &wanted);
        let reasons = ways.iter().flat_map(|way| {
            let permissions = self.naive.permissions_of_role(way.role).into_iter();
            let covering = permissions.flatten().filter(|held| wanted(held));
            covering.map(move |held| {
                let texts = [
                    way.resource,
                    way.record,
                    way.group.unwrap_or_default(),
                    way.role,
                    held.action.as_str(),
                ];
                let depth = way.resource.split('/').count();
                (way.group.is_some(), depth, texts)
            })
        });
        let explained = self.world.grants.explain(who, resource, &action);
        let explained = explained.as_ref().map(|explanation| {
            let because = &explanation.because;
            let group = because.group.as_ref().map(GroupId::as_str);
            let texts = [
                explanation.resource.as_str(),
                because.record.as_str(),
                group.unwrap_or_default(),
                because.role.as_str(),
                explanation.action.as_str(),
            ];
            let depth = explanation.resource.as_str().split('/').count();
            (group.is_some(), depth, texts)
        });
        prop_assert_eq!(explained, reasons.min());
        Ok(())
    }

    /// Who may do something are those of whom a check says so, in pages and in steps of any size.
    fn check_who_may(
        &self,
        reading: &Reading<'_>,
        question: &Question,
        resource: &ResourceUri,
        asked: &Asked,
    ) -> Result<(), TestCaseError> {
        let grants = &self.world.grants;
        let action: Action = parse(question.action);
        let wanted = |held: &Permission| held.allow && held.action.covers(&action);
        let all: Vec<(String, BTreeSet<String>)> = reading
            .principals()
            .map(|principal| {
                let ways = reading.ways(principal, resource.canonical(), asked, false, &wanted);
                let roles = ways.iter().map(|way| way.role.to_owned()).collect();
                (principal.to_owned(), roles)
            })
            .filter(|(_, roles): &(_, BTreeSet<String>)| !roles.is_empty())
            .collect();
        for (principal, roles) in &all {
            let found = grants.roles_that_allow(&parse(principal), resource, &action);
            prop_assert_eq!(
                found
                    .iter()
                    .map(ToString::to_string)
                    .collect::<BTreeSet<_>>(),
                roles.clone()
            );
            prop_assert_eq!(found.len(), roles.len());
        }
        for (step, limit) in [(1, 100), (usize::MAX, 2), (7, 1)] {
            let mut found: Vec<String> = Vec::new();
            loop {
                let after = found.last().cloned();
                let mut search = grants.who_may(resource, &action, after.as_deref(), limit);
                while grants.look(&mut search, step) == Looked::InPart {}
                let users = search.users();
                prop_assert!(users.len() <= limit);
                found.extend(users.iter().map(ToString::to_string));
                if users.len() < limit {
                    break;
                }
            }
            let expected: Vec<&String> = all.iter().map(|(principal, _)| principal).collect();
            prop_assert_eq!(
                found.iter().collect::<Vec<_>>(),
                expected,
                "in steps of {}",
                step
            );
        }
        Ok(())
    }

    fn check_lists(
        &self,
        reading: &Reading<'_>,
        question: &Question,
        who: &UserId,
        resource: &ResourceUri,
        asked: &Asked,
    ) -> Result<(), TestCaseError> {
        let grants = &self.world.grants;
        let (principal, canonical) = (who.principal(), resource.canonical());
        let permissions: Vec<_> = grants
            .permissions(who, resource)
            .iter()
            .map(|one| {
                let held = &one.permission;
                let flags = [held.allow, held.grant, held.delegate];
                let texts = [held.action.canonical(), held.action.as_str()];
                (texts.map(str::to_owned), flags, one.ends)
            })
            .collect();
        prop_assert_eq!(
            permissions,
            reading.permissions(principal, canonical, asked)
        );
        let roles = grants.explicit_roles(who, resource);
        let roles = roles.iter().map(|(role, ends)| (role.to_string(), *ends));
        let roles: Vec<_> = roles.collect();
        prop_assert_eq!(roles, reading.explicit_roles(principal, canonical));
        let (after, limit) = &question.page;
        let from = after.as_ref().map(|_| "u1");
        let users: Vec<(String, BTreeSet<String>)> = grants
            .users_of(resource, from, *limit)
            .into_iter()
            .map(|(user, roles)| {
                (
                    user.to_string(),
                    roles.iter().map(ToString::to_string).collect(),
                )
            })
            .collect();
        let all = reading.users_of(canonical).into_iter();
        let expected: Vec<_> = all
            .filter(|(user, _)| from.is_none_or(|from| user.as_str() > from))
            .take(*limit)
            .collect();
        prop_assert_eq!(users, expected);
        let given = grants.statements_of_principal(principal);
        let given: BTreeSet<_> = given
            .iter()
            .map(|(role, uri)| (role.to_string(), uri.to_string()))
            .collect();
        let held = reading.held(principal);
        prop_assert_eq!(
            given,
            held.map(|held| (held.role.to_owned(), held.resource.to_owned()))
                .collect()
        );
        Ok(())
    }

    fn check_resources(
        &self,
        reading: &Reading<'_>,
        question: &Question,
        who: &UserId,
        collection: &ResourceUri,
    ) -> Result<(), TestCaseError> {
        let action: Action = parse(question.action);
        let (after, limit) = &question.page;
        let after = after.as_ref().map(|after| parse::<ResourceUri>(after));
        let wanted = |held: &Permission| held.allow && held.action.covers(&action);
        for collection in [Some(collection), None] {
            for (nested, by_action) in [(false, false), (false, true), (true, false), (true, true)]
            {
                let found = self.world.grants.resources(
                    who,
                    collection,
                    nested,
                    by_action.then_some(&action),
                    after.as_ref().map(ResourceUri::as_str),
                    *limit,
                );
                let found: Vec<&str> = found.iter().map(ResourceUri::canonical).collect();
                let all = reading.resources(
                    who.principal(),
                    collection.map(ResourceUri::canonical),
                    nested,
                    by_action.then_some(&wanted as &dyn Fn(&Permission) -> bool),
                );
                let after = after.as_ref().map(ResourceUri::canonical);
                let expected = all
                    .iter()
                    .filter(|uri| after.is_none_or(|after| uri.as_str() > after));
                let expected: Vec<&str> = expected.take(*limit).map(String::as_str).collect();
                prop_assert_eq!(found, expected, "in {:?}, nested {}", collection, nested);
            }
        }
        Ok(())
    }

    fn check_whole(&self, reading: &Reading<'_>) -> Result<(), TestCaseError> {
        let grants = &self.world.grants;
        let owners: BTreeSet<_> = grants
            .owners()
            .into_iter()
            .map(|(owner, because)| {
                let group = because.group.map(|group| group.to_string());
                (owner, because.record.to_string(), group)
            })
            .collect();
        prop_assert_eq!(owners, reading.owners());
        prop_assert_eq!(grants.len(), self.naive.statements());
        for id in GROUPS {
            let known = self.naive.groups.get(id).map(|(mark, group)| {
                let ids = group
                    .users
                    .iter()
                    .map(|user| user.user_id.principal().to_owned());
                (Mark(*mark), ids.collect::<BTreeSet<_>>())
            });
            let found = grants.group(&parse(id)).map(|group| {
                (
                    group.mark,
                    group
                        .members()
                        .map(ToOwned::to_owned)
                        .collect::<BTreeSet<_>>(),
                )
            });
            prop_assert_eq!(found, known);
            let given = grants.statements_of_group(&parse(id));
            let given: BTreeSet<_> = given
                .iter()
                .map(|(role, uri)| (role.to_string(), uri.to_string()))
                .collect();
            let held = reading.held_by_group(id);
            prop_assert_eq!(
                given,
                held.map(|held| (held.role.to_owned(), held.resource.to_owned()))
                    .collect()
            );
        }
        for id in RECORDS {
            let known = self
                .naive
                .records
                .get(id)
                .map(|(mark, record)| (Mark(*mark), record.status));
            let found = grants
                .record(&parse(id))
                .map(|record| (record.mark, record.status));
            prop_assert_eq!(found, known);
        }
        for id in NAMED_ROLES {
            let known = self.naive.permissions_of_role(id);
            let mark = self.naive.roles.get(id).map(|(mark, _)| Mark(*mark));
            let found = grants.role(&parse(id));
            prop_assert_eq!(found.map(|role| role.permissions), known);
            prop_assert_eq!(found.and_then(|role| role.mark), mark);
        }
        Ok(())
    }
}
