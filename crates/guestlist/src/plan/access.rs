//! Who may administer an account, before and after a plan: so that nobody locks themselves out.
//!
//! It is judged by the same rules as the server's, on the part of the account that can reach its own
//! administration.

use std::collections::{BTreeMap, BTreeSet};

use guestlist_api::actions::Action;
use guestlist_api::groups::GroupRequest;
use guestlist_api::ids::{ClientId, GroupId, RecordId, RoleId, UserId};
use guestlist_api::records::{AccessRecordRequest, RecordStatus, Statement};
use guestlist_api::resources::ResourceUri;
use guestlist_api::roles::RoleRequest;
use guestlist_api::times::Timestamp;
use guestlist_rules::changes::{Document, Mark, Seen, Stored};
use guestlist_rules::grants::{Because, Grants};
use guestlist_rules::groups::StoredGroup;
use guestlist_rules::records::StoredRecord;
use guestlist_rules::roles::StoredRole;

/// What is administered, as resources name it.
const COLLECTIONS: [&str; 8] = [
    "AccessRecords",
    "Configuration",
    "Events",
    "Groups",
    "Invites",
    "Roles",
    "ServiceClients",
    "UserPermissions",
];
/// The published verbs, and how scoped actions spell them.
const VERBS: [(&str, &str); 3] = [("READ", "Read"), ("CREATE", "Create"), ("UPDATE", "Update")];
const OWNING: &str = "giving others anything (Authress:Owner on *)";

/// The part of an account that decides who may administer it.
#[derive(Debug, Clone, Default)]
pub(super) struct ControlPlane {
    pub(super) roles: BTreeMap<RoleId, RoleRequest>,
    pub(super) groups: BTreeMap<GroupId, GroupRequest>,
    pub(super) records: BTreeMap<RecordId, AccessRecordRequest>,
    /// Service clients that have an access key: others cannot call.
    pub(super) clients: BTreeSet<ClientId>,
}

/// What the caller may do, and who owns the account; each with what it rests on.
#[derive(Debug, Default)]
pub(super) struct Standing {
    pub(super) abilities: BTreeMap<String, Because>,
    pub(super) owners: BTreeMap<String, Because>,
}

impl Standing {
    /// What is held here and not `later`.
    pub(super) fn lost<'a>(
        &'a self,
        later: &'a Self,
    ) -> impl Iterator<Item = (&'a str, &'a Because)> {
        self.abilities
            .iter()
            .filter(|(ability, _)| !later.abilities.contains_key(*ability))
            .map(|(ability, because)| (ability.as_str(), because))
    }

    /// Whether somebody owns the account here and nobody does `later`.
    pub(super) fn loses_all_owners(&self, later: &Self) -> bool {
        !self.owners.is_empty() && later.owners.is_empty()
    }
}

/// Whether a record can say who administers the account.
pub(crate) fn is_about_administration(statements: &[Statement]) -> bool {
    let reaches = |uri: &ResourceUri| {
        uri.is_reserved()
            || uri
                .segments()
                .next()
                .is_some_and(|first| first.contains('*'))
    };
    statements
        .iter()
        .flat_map(|statement| statement.resources.iter())
        .any(|resource| reaches(&resource.resource_uri))
}

/// The groups that a record names.
pub(crate) fn groups_of(record: &AccessRecordRequest) -> impl Iterator<Item = &GroupId> {
    let statements = record.statements.iter();
    let groups = statements.flat_map(|statement| statement.groups.iter());
    groups
        .chain(record.groups.iter())
        .map(|group| &group.group_id)
}

impl ControlPlane {
    /// Whether a role can matter here.
    pub(super) fn names_role(&self, id: &RoleId) -> bool {
        let mut statements = self
            .records
            .values()
            .flat_map(|record| record.statements.iter());
        statements.any(|statement| statement.roles.contains(id))
    }

    /// Whether a group can matter here.
    pub(super) fn names_group(&self, id: &GroupId) -> bool {
        self.records
            .values()
            .any(|record| groups_of(record).any(|group| group == id))
    }

    /// What `caller` may do here, and who owns the account.
    pub(super) fn standing(&self, caller: Option<&UserId>) -> Standing {
        let grants = self.grants();
        let owners = grants
            .owners()
            .into_iter()
            .filter(|(owner, _)| {
                !owner.starts_with("sc_") || self.clients.iter().any(|id| id.as_str() == owner)
            })
            .collect();
        let abilities = caller.map(|caller| abilities(&grants, caller));
        Standing {
            abilities: abilities.unwrap_or_default(),
            owners,
        }
    }

    fn grants(&self) -> Grants {
        let mut grants = Grants::new();
        for (id, role) in &self.roles {
            load(
                &mut grants,
                &StoredRole {
                    role_id: id.clone(),
                    name: role.name.clone(),
                    description: None,
                    permissions: role.permissions.to_vec(),
                    last_updated: never(),
                },
            );
        }
        for (id, group) in &self.groups {
            load(
                &mut grants,
                &StoredGroup {
                    group_id: id.clone(),
                    name: group.name.clone(),
                    users: group.users.to_vec(),
                    admins: Vec::new(),
                    tags: group.tags.clone(),
                    last_updated: never(),
                },
            );
        }
        for (id, record) in &self.records {
            if let Ok(nobody) = "nobody".parse() {
                load(&mut grants, &stored(id, record, nobody));
            }
        }
        grants
    }
}

/// Times mean nothing here.
fn never() -> Timestamp {
    Timestamp::from_milliseconds(0)
}

fn stored(id: &RecordId, record: &AccessRecordRequest, created_by: UserId) -> StoredRecord {
    StoredRecord {
        record_id: id.clone(),
        name: record.name.clone(),
        description: None,
        users: record.users.to_vec(),
        admins: Vec::new(),
        groups: record.groups.to_vec(),
        statements: record.statements.to_vec(),
        tags: record.tags.clone(),
        status: RecordStatus::Active,
        created_by,
        last_updated: never(),
    }
}

/// What cannot be taken in gives nothing, so that less access is seen rather than more.
fn load<T: Stored>(grants: &mut Grants, value: &T) {
    if let Ok(document) = Document::of(value) {
        let _refused = grants.load(&Seen {
            value: document,
            mark: Mark(1),
        });
    }
}

fn abilities(grants: &Grants, caller: &UserId) -> BTreeMap<String, Because> {
    let mut held = BTreeMap::new();
    for collection in COLLECTIONS {
        let Ok(resource) = format!("Authress:{collection}").parse::<ResourceUri>() else {
            continue;
        };
        for (verb, scoped) in VERBS {
            let because = [verb.to_owned(), format!("{collection}:{scoped}")]
                .iter()
                .filter_map(|action| action.parse::<Action>().ok())
                .find_map(|action| grants.allowed(caller, &resource, &action));
            held.extend(because.map(|because| {
                (
                    format!("{verb} on {resource}", resource = resource.as_str()),
                    because,
                )
            }));
        }
    }
    if let (Ok(everything), Ok(any)) = ("*".parse(), "*".parse()) {
        let owning = grants.may_give(caller, true, &any, &everything, true);
        held.extend(owning.map(|because| (OWNING.to_owned(), because)));
    }
    held
}
