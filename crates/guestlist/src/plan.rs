//! From what manifests want and what an account holds to the steps between them. Nothing here asks
//! or changes anything.

mod access;
mod differences;
mod order;
mod protection;
mod references;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use guestlist_api::clients::{Client, ClientRequest};
use guestlist_api::groups::{Group, GroupRequest};
use guestlist_api::identities::{Identity, IdentityRequest};
use guestlist_api::ids::{ClientId, GroupId, RecordId, RoleId, UserId};
use guestlist_api::records::{AccessRecord, AccessRecordRequest};
use guestlist_api::roles::{Role, RoleRequest};
use guestlist_api::text::Malformed;
use guestlist_api::times::Timestamp;
use serde::Serialize;
use serde::ser::SerializeStruct as _;

use crate::manifests::{Folder, IdentityKey, Kind, Manifest, Origin, WantedClient, identity_name};

pub(crate) use self::access::is_about_administration;
pub(crate) use self::differences::{
    Difference, Form, client as client_form, group as group_form, identity as identity_form,
    record as record_form, role as role_form,
};

/// What an account holds, as far as a plan needs it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    /// `None`: the caller may not read them, and no manifest is of one.
    pub(crate) roles: Option<BTreeMap<RoleId, Role>>,
    /// `None`: the caller may not read them, and no manifest is of one.
    pub(crate) identities: Option<BTreeMap<IdentityKey, Identity>>,
    pub(crate) clients: BTreeMap<ClientId, Client>,
    /// Those that manifests name, and those that say who administers the account.
    pub(crate) groups: BTreeMap<GroupId, Group>,
    /// Those that manifests name, and those that say who administers the account.
    pub(crate) records: BTreeMap<RecordId, AccessRecord>,
    /// All that no manifest names.
    pub(crate) other_groups: BTreeMap<GroupId, Other>,
    /// All that no manifest names.
    pub(crate) other_records: BTreeMap<RecordId, Other>,
    /// Kinds of which there are more than were looked at.
    pub(crate) more: BTreeSet<Kind>,
}

/// What is remembered of an object that no manifest names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Other {
    pub(crate) name: String,
    pub(crate) last_updated: Option<Timestamp>,
    pub(crate) made_by_invite: bool,
    pub(crate) roles: BTreeSet<RoleId>,
}

impl Account {
    /// Takes in a record that was read.
    pub(crate) fn take_record(&mut self, folder: &Folder, record: AccessRecord) {
        let id = record.record_id.clone();
        if folder.records.contains_key(&id) {
            self.records.insert(id, record);
            return;
        }
        let statements = record.statements.iter();
        let other = Other {
            name: record.name.to_string(),
            last_updated: record.last_updated,
            made_by_invite: is_made_by_invite(&record),
            roles: statements
                .flat_map(|statement| statement.roles.iter().cloned())
                .collect(),
        };
        self.other_records.insert(id.clone(), other);
        if is_about_administration(&record.statements) {
            self.records.insert(id, record);
        }
    }

    /// The groups that decide with the records who administers the account: known once all records
    /// were taken in.
    pub(crate) fn deciding_groups(&self, folder: &Folder) -> BTreeSet<GroupId> {
        let wanted = folder
            .records
            .values()
            .map(|manifest| manifest.wanted.clone());
        let held = self
            .records
            .values()
            .filter_map(|record| record.to_request().ok());
        wanted
            .chain(held)
            .filter(|record| is_about_administration(&record.statements))
            .flat_map(|record| access::groups_of(&record).cloned().collect::<Vec<_>>())
            .collect()
    }

    /// Takes in a group that was read.
    pub(crate) fn take_group(
        &mut self,
        folder: &Folder,
        deciding: &BTreeSet<GroupId>,
        group: Group,
    ) {
        let id = group.group_id.clone();
        if !folder.groups.contains_key(&id) {
            let other = Other {
                name: group.name.to_string(),
                last_updated: group.last_updated,
                ..Other::default()
            };
            self.other_groups.insert(id.clone(), other);
            if !deciding.contains(&id) {
                return;
            }
        }
        self.groups.insert(id, group);
    }
}

/// Whether an invite made the record, as the server names those.
pub(crate) fn is_made_by_invite(record: &AccessRecord) -> bool {
    let description = record
        .description
        .as_ref()
        .map(guestlist_api::text::Text::as_str);
    record.name.as_str().starts_with("Invite access for ")
        && description.is_some_and(|text| text.starts_with("Given by invites; "))
}

/// What becomes of what no manifest names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Rest {
    #[default]
    Stays,
    /// Deleted, but for records that invites made: those come and go with people, not with files.
    Pruned,
    /// Deleted, records that invites made as well.
    PrunedWithInvited,
}

/// Whether the caller may lose their own access.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum OwnAccess {
    #[default]
    Protected,
    MayBeLost,
}

/// How to plan.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) rest: Rest,
    pub(crate) own_access: OwnAccess,
    /// Who calls, if that is known.
    pub(crate) caller: Option<UserId>,
}

/// What to do with one object of a kind.
#[derive(Debug, Clone)]
pub(crate) enum Change<Seen, Wanted> {
    Create(Wanted),
    /// In the place of what was seen.
    Update(Seen, Wanted),
    Delete(Seen),
}

/// An object of which the server says when it last changed.
#[derive(Debug, Clone)]
pub(crate) struct Version<Id> {
    pub(crate) id: Id,
    /// Other servers may leave it out; then nothing can be compared.
    pub(crate) last_updated: Option<Timestamp>,
}

/// What a step does.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    Role(Box<Change<Role, RoleRequest>>),
    Group(Box<Change<Version<GroupId>, GroupRequest>>),
    Client(Box<Change<Client, ClientRequest>>),
    /// Linking again replaces what was linked; nothing unlinks.
    Identity {
        seen: Option<Box<Identity>>,
        wanted: Box<IdentityRequest>,
    },
    Record(Box<Change<Version<RecordId>, AccessRecordRequest>>),
}

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Operation {
    Create,
    Change,
    Delete,
}

impl<Seen, Wanted> Change<Seen, Wanted> {
    const fn operation(&self) -> Operation {
        match self {
            Self::Create(_) => Operation::Create,
            Self::Update(..) => Operation::Change,
            Self::Delete(_) => Operation::Delete,
        }
    }
}

impl Work {
    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Role(change) => change.operation(),
            Self::Group(change) => change.operation(),
            Self::Client(change) => change.operation(),
            Self::Identity { seen: None, .. } => Operation::Create,
            Self::Identity { seen: Some(_), .. } => Operation::Change,
            Self::Record(change) => change.operation(),
        }
    }
}

/// One object to create, change or delete.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) kind: Kind,
    /// Its id; the name of a service client that is to be made.
    pub(crate) id: String,
    /// What people call it, if that is not the id.
    pub(crate) name: Option<String>,
    /// Where it is wanted; `None` if it is to be deleted.
    pub(crate) origin: Option<Origin>,
    pub(crate) differences: Vec<Difference>,
    pub(crate) work: Work,
}

impl Serialize for Step {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut step = serializer.serialize_struct("Step", 6)?;
        step.serialize_field("operation", &self.work.operation())?;
        step.serialize_field("kind", &self.kind)?;
        step.serialize_field("id", &self.id)?;
        step.serialize_field("name", &self.name)?;
        step.serialize_field("manifest", &self.origin)?;
        step.serialize_field("differences", &self.differences)?;
        step.end()
    }
}

/// An object that pruning would delete and does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Kept {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    pub(crate) reason: String,
}

/// Objects that no manifest names and that stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Left {
    pub(crate) kind: Kind,
    /// Whether invites made them.
    #[serde(rename = "madeByInvites")]
    pub(crate) made_by_invites: bool,
    pub(crate) count: usize,
    /// Whether there are more than were looked at.
    #[serde(rename = "atLeast")]
    pub(crate) at_least: bool,
    /// The first ones.
    pub(crate) ids: Vec<String>,
}

/// What to do so that the account is as the manifests say.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Plan {
    /// In the order in which they must be done.
    pub(crate) steps: Vec<Step>,
    pub(crate) unchanged: usize,
    pub(crate) left: Vec<Left>,
    pub(crate) kept: Vec<Kept>,
    pub(crate) warnings: Vec<String>,
}

/// Ids that are named of those that stay.
const NAMED: usize = 10;

/// Plans.
///
/// # Errors
///
/// Sentences that say what is wrong with the manifests, or why the plan is refused.
pub(crate) fn plan(
    folder: &Folder,
    account: &Account,
    options: &Options,
) -> Result<Plan, Vec<String>> {
    let mut planner = Planner {
        folder,
        account,
        plan: Plan::default(),
        clients: BTreeSet::new(),
        mistakes: Vec::new(),
    };
    planner.roles();
    planner.groups();
    planner.clients();
    planner.identities();
    planner.records();
    planner.rest(options);
    let Planner {
        mut plan,
        mut mistakes,
        ..
    } = planner;
    protection::protect(&mut plan, account, options, &mut mistakes);
    references::check(&mut plan, folder, account, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    order::arrange(&mut plan.steps, account, options.caller.as_ref());
    Ok(plan)
}

struct Planner<'a> {
    folder: &'a Folder,
    account: &'a Account,
    plan: Plan,
    /// Service clients that manifests name.
    clients: BTreeSet<ClientId>,
    mistakes: Vec<String>,
}

impl Planner<'_> {
    fn compare(
        &mut self,
        kind: Kind,
        id: &impl ToString,
        name: Option<String>,
        origin: &Origin,
        differences: Vec<Difference>,
        work: Work,
    ) {
        if work.operation() == Operation::Change && differences.is_empty() {
            self.plan.unchanged += 1;
            return;
        }
        self.plan.steps.push(Step {
            kind,
            id: id.to_string(),
            name,
            origin: Some(origin.clone()),
            differences,
            work,
        });
    }

    /// What was read cannot be written back: it is longer than our server lets it be.
    fn unreadable(&mut self, origin: &Origin, kind: Kind, id: &impl ToString, reason: &Malformed) {
        self.mistakes.push(format!(
            "{origin}: the {} {} of the account cannot be compared: {reason}",
            kind.noun(),
            id.to_string()
        ));
    }

    fn roles(&mut self) {
        for (id, Manifest { origin, wanted }) in &self.folder.roles {
            let form = differences::role(wanted);
            let seen = self.account.roles.as_ref().and_then(|roles| roles.get(id));
            let (differences, change) = match seen.map(|seen| (seen, seen.to_request())) {
                None => (form.creation(), Change::Create(wanted.clone())),
                Some((seen, Ok(held))) => (
                    form.differences(&differences::role(&held)),
                    Change::Update(seen.clone(), wanted.clone()),
                ),
                Some((_, Err(reason))) => {
                    self.unreadable(origin, Kind::Role, id, &reason);
                    continue;
                }
            };
            let work = Work::Role(Box::new(change));
            let name = Some(wanted.name.to_string());
            self.compare(Kind::Role, id, name, origin, differences, work);
        }
    }

    fn groups(&mut self) {
        for (id, Manifest { origin, wanted }) in &self.folder.groups {
            let form = differences::group(wanted);
            let seen = self.account.groups.get(id);
            let (differences, change) = match seen.map(|seen| (seen, seen.to_request())) {
                None => (form.creation(), Change::Create(wanted.clone())),
                Some((seen, Ok(held))) => {
                    let version = Version {
                        id: id.clone(),
                        last_updated: seen.last_updated,
                    };
                    (
                        form.differences(&differences::group(&held)),
                        Change::Update(version, wanted.clone()),
                    )
                }
                Some((_, Err(reason))) => {
                    self.unreadable(origin, Kind::Group, id, &reason);
                    continue;
                }
            };
            let work = Work::Group(Box::new(change));
            let name = Some(wanted.name.to_string());
            self.compare(Kind::Group, id, name, origin, differences, work);
        }
    }

    fn clients(&mut self) {
        for manifest in &self.folder.clients {
            let Manifest { origin, wanted } = manifest;
            let seen = match find_client(self.account, wanted) {
                Ok(seen) => seen,
                Err(reason) => {
                    self.mistakes.push(format!("{origin}: {reason}"));
                    continue;
                }
            };
            let form = differences::client(&wanted.request);
            let name = wanted.request.name.as_ref().map(ToString::to_string);
            let (id, differences, change) = match seen.map(|seen| (seen, seen.to_request())) {
                None => {
                    let id = name.clone().unwrap_or_default();
                    let change = Change::Create(wanted.request.clone());
                    (id, form.creation(), change)
                }
                Some((seen, Ok(held))) => {
                    if !self.clients.insert(seen.client_id.clone()) {
                        self.mistakes.push(format!(
                            "{origin}: the service client {} is in another manifest too, once by \
                             its id and once by its name",
                            seen.client_id
                        ));
                        continue;
                    }
                    let differences = form.differences(&differences::client(&held));
                    let change = Change::Update(seen.clone(), wanted.request.clone());
                    (seen.client_id.to_string(), differences, change)
                }
                Some((seen, Err(reason))) => {
                    self.unreadable(origin, Kind::Client, &seen.client_id, &reason);
                    continue;
                }
            };
            let work = Work::Client(Box::new(change));
            self.compare(Kind::Client, &id, name, origin, differences, work);
        }
    }

    fn identities(&mut self) {
        let held = self.account.identities.as_ref();
        for (key, Manifest { origin, wanted }) in &self.folder.identities {
            let expression = wanted.user_id_expression.clone().unwrap_or_default();
            let form = differences::identity(&expression);
            let seen = held.and_then(|held| held.get(key));
            let differences = match seen {
                None => form.creation(),
                Some(seen) => form.differences(&differences::identity(&seen.user_id_expression)),
            };
            let work = Work::Identity {
                seen: seen.cloned().map(Box::new),
                wanted: Box::new(wanted.clone()),
            };
            let id = identity_name(key);
            self.compare(Kind::Identity, &id, None, origin, differences, work);
        }
    }

    fn records(&mut self) {
        for (id, Manifest { origin, wanted }) in &self.folder.records {
            let form = differences::record(wanted);
            let seen = self.account.records.get(id);
            let (differences, change) = match seen.map(|seen| (seen, seen.to_request())) {
                None => (form.creation(), Change::Create(wanted.clone())),
                Some((seen, Ok(held))) => {
                    let version = Version {
                        id: id.clone(),
                        last_updated: seen.last_updated,
                    };
                    (
                        form.differences(&differences::record(&held)),
                        Change::Update(version, wanted.clone()),
                    )
                }
                Some((_, Err(reason))) => {
                    self.unreadable(origin, Kind::Record, id, &reason);
                    continue;
                }
            };
            let work = Work::Record(Box::new(change));
            let name = Some(wanted.name.to_string());
            self.compare(Kind::Record, id, name, origin, differences, work);
        }
    }

    /// What no manifest names: deleted, or counted.
    fn rest(&mut self, options: &Options) {
        let account = self.account;
        let folder = self.folder;
        let prunes = options.rest != Rest::Stays;
        let roles = account.roles.iter().flatten();
        let roles = roles.filter(|(id, _)| !folder.roles.contains_key(*id) && !id.is_reserved());
        let roles = roles.map(|(id, role)| {
            let work = Work::Role(Box::new(Change::Delete(role.clone())));
            (id.to_string(), role.name.to_string(), work)
        });
        self.others(Kind::Role, prunes, false, roles.collect());
        let groups = account.other_groups.iter().map(|(id, other)| {
            let version = Version {
                id: id.clone(),
                last_updated: other.last_updated,
            };
            let work = Work::Group(Box::new(Change::Delete(version)));
            (id.to_string(), other.name.clone(), work)
        });
        self.others(Kind::Group, prunes, false, groups.collect());
        let clients = account.clients.iter();
        let clients = clients.filter(|(id, _)| !self.clients.contains(*id));
        let clients = clients.map(|(id, client)| {
            let name = client.name.as_ref().map(ToString::to_string);
            let work = Work::Client(Box::new(Change::Delete(client.clone())));
            (id.to_string(), name.unwrap_or_default(), work)
        });
        let clients = clients.collect();
        self.others(Kind::Client, prunes, false, clients);
        let identities = account.identities.iter().flatten();
        let identities = identities.filter(|(key, _)| !folder.identities.contains_key(*key));
        let identities: Vec<String> = identities.map(|(key, _)| identity_name(key)).collect();
        self.leave(Kind::Identity, false, identities);
        for made_by_invites in [false, true] {
            let records = account.other_records.iter();
            let records = records.filter(|(_, other)| other.made_by_invite == made_by_invites);
            let records = records.map(|(id, other)| {
                let version = Version {
                    id: id.clone(),
                    last_updated: other.last_updated,
                };
                let work = Work::Record(Box::new(Change::Delete(version)));
                (id.to_string(), other.name.clone(), work)
            });
            let prunes = prunes && (!made_by_invites || options.rest == Rest::PrunedWithInvited);
            self.others(Kind::Record, prunes, made_by_invites, records.collect());
        }
    }

    fn others(
        &mut self,
        kind: Kind,
        prunes: bool,
        made_by_invites: bool,
        others: Vec<(String, String, Work)>,
    ) {
        if !prunes {
            let ids = others.into_iter().map(|(id, ..)| id).collect();
            return self.leave(kind, made_by_invites, ids);
        }
        let steps = others.into_iter().map(|(id, name, work)| Step {
            kind,
            name: (!name.is_empty() && name != id).then_some(name),
            id,
            origin: None,
            differences: Vec::new(),
            work,
        });
        self.plan.steps.extend(steps);
    }

    fn leave(&mut self, kind: Kind, made_by_invites: bool, mut ids: Vec<String>) {
        if ids.is_empty() {
            return;
        }
        let count = ids.len();
        ids.truncate(NAMED);
        self.plan.left.push(Left {
            kind,
            made_by_invites,
            count,
            at_least: self.account.more.contains(&kind),
            ids,
        });
    }
}

/// The service client that is meant, if it is there.
fn find_client<'a>(
    account: &'a Account,
    wanted: &WantedClient,
) -> Result<Option<&'a Client>, String> {
    if let Some(id) = &wanted.client_id {
        return account.clients.get(id).map(Some).ok_or_else(|| {
            format!(
                "clientId: there is no service client {id}. The server makes their ids: leave \
                 clientId out, and it is made and found again by its name"
            )
        });
    }
    let same = |client: &&Client| client.name == wanted.request.name;
    let mut found = account.clients.values().filter(same);
    match (found.next(), found.next()) {
        (one, None) => Ok(one),
        (Some(one), Some(other)) => Err(format!(
            "name: {} and {} are both called so: say which one with clientId",
            one.client_id, other.client_id
        )),
        (None, Some(_)) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
