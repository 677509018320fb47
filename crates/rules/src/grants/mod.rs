//! Who holds what: every access record, role and group, in memory, laid out for permission checks.
//!
//! A check looks up the resource's ancestors, and for each of them whether a record names it
//! together with the user, or with a group the user is in. Nothing else is looked at, whatever the
//! number of grants. Roles and groups are resolved at that moment, so that a change of either is in
//! force at once.
//!
//! Roles that do not exist (any more) grant nothing, and no list shows them. Groups that do not
//! exist have no members. Built-in roles are always there.

mod check;
mod documents;
mod endings;
mod explain;
mod fingerprints;
mod holders;
mod holding;
mod lasting;
mod lists;
mod mentions;
mod named;
mod names;
mod order;
mod packed;
mod public;
mod resources;
mod who_may;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Mutex;

use guestlist_api::ids::{GroupId, RecordId, RoleId, UserId};
use guestlist_api::records::RecordStatus;
use guestlist_api::roles::Permission;

use self::endings::Endings;
use self::holders::{Audiences, Holder, Memberships};
use self::mentions::Mentions;
use self::names::Names;
use self::order::Order;
use self::packed::Packed;
use self::resources::{Resource, Resources};
use crate::changes::{Expect, Kind, Mark, Revision};

pub use self::explain::Explanation;
pub use self::holding::Holding;
pub use self::lasting::HeldPermission;
pub use self::named::{KnownUsers, Naming};
pub use self::public::Public;
pub use self::who_may::{Looked, WhoMay};

/// Why a decision says yes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Because {
    pub record: RecordId,
    pub role: RoleId,
    /// The group through which the user has it, unless the record names the user.
    pub group: Option<GroupId>,
}

/// What is known of a role.
#[derive(Debug, Clone, Copy)]
pub struct RoleFacts<'a> {
    pub permissions: &'a [Permission],
    /// `None`: it is built in.
    pub mark: Option<Mark>,
}

/// What is known of an access record, deleted ones included.
#[derive(Clone, Copy)]
pub struct RecordFacts<'a> {
    pub mark: Mark,
    pub status: RecordStatus,
    admins: &'a [u32],
    users: &'a Names,
}

impl<'a> RecordFacts<'a> {
    /// The principals who administer it.
    pub fn admins(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let users = self.users;
        self.admins.iter().map(|user| users.text(*user))
    }

    pub fn is_admin(&self, who: &UserId) -> bool {
        self.admins().any(|admin| admin == who.principal())
    }
}

/// What is known of a group.
#[derive(Clone, Copy)]
pub struct GroupFacts<'a> {
    pub mark: Mark,
    members: &'a [u32],
    admins: &'a [u32],
    users: &'a Names,
}

impl<'a> GroupFacts<'a> {
    /// The principals who are in it.
    pub fn members(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let users = self.users;
        self.members.iter().map(|user| users.text(*user))
    }

    /// The principals who administer it.
    pub fn admins(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let users = self.users;
        self.admins.iter().map(|user| users.text(*user))
    }

    pub fn is_admin(&self, who: &UserId) -> bool {
        self.admins().any(|admin| admin == who.principal())
    }
}

/// A role that was seen or is named somewhere.
#[derive(Default)]
struct Role {
    /// When it was last written or deleted; 0 if it is only named, or built in.
    touched: Touched,
    built_in: bool,
    permissions: Option<Box<[Permission]>>,
}

/// A group that was seen or is named somewhere.
#[derive(Default)]
struct Group {
    touched: Touched,
    content: Option<GroupContent>,
}

#[derive(Default)]
struct GroupContent {
    members: Box<[u32]>,
    admins: Box<[u32]>,
}

/// A record that was seen.
#[derive(Default)]
struct Record {
    touched: Touched,
    packed: Packed,
}

/// The revision that last wrote or deleted a document: kept after it is deleted, so that an older
/// version never comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Touched(u64);

impl Touched {
    /// 0 is left to what was never written.
    const fn at(mark: Mark) -> Self {
        Self(mark.0.saturating_add(1))
    }

    const fn mark(self) -> Mark {
        Mark(self.0.saturating_sub(1))
    }
}

/// What a user's statements are like, so that a check looks only for kinds of which there are any.
/// A kind stays marked when the last statement of it goes; it then costs one look-up in vain.
#[derive(Debug, Clone, Copy, Default)]
struct Traits(u8);

impl Traits {
    /// Statements on what is below a resource.
    const BELOW: Self = Self(1);
    /// A statement on `*`.
    const EVERYTHING: Self = Self(2);
    /// Statements with wildcards elsewhere.
    const PATTERN: Self = Self(4);
    /// Membership in groups or audiences.
    const MEMBER: Self = Self(8);
    const ALL: Self = Self(15);

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// The grants index.
pub struct Grants {
    revision: Revision,
    users: Names,
    /// By the number of the user; shorter than `users`, as the rest has none.
    traits: Vec<Traits>,
    role_ids: Names,
    roles: Vec<Role>,
    group_ids: Names,
    groups: Vec<Group>,
    record_ids: Names,
    records: Vec<Record>,
    resources: Resources,
    audiences: Audiences,
    memberships: Memberships,
    mentions: Mentions,
    /// Which statements end, and when.
    endings: Endings,
    /// Statements with wildcards that cannot be looked up, by their record.
    patterns: BTreeSet<(Holder, Resource, u32)>,
    /// The resources of [`Self::patterns`], each with the number of its entries there.
    pattern_resources: BTreeMap<Resource, usize>,
    /// Statements that may reach the service's own resources, by their record.
    reserved: BTreeSet<(Holder, Resource, u32)>,
    /// Records that give the built-in owner role on `*`.
    owning: BTreeSet<u32>,
    /// Who administers which records, deleted ones too.
    record_admins: BTreeSet<(u32, u32)>,
    /// Who administers which groups.
    group_admins: BTreeSet<(u32, u32)>,
    /// When resources were last configured, those that are not `PUBLIC` included.
    configured: BTreeMap<Resource, Touched>,
    /// Resources whose configuration allows something to everybody.
    allowing: BTreeSet<Resource>,
    /// Those of them that everybody may read.
    public: BTreeSet<Resource>,
    /// The users in the order of their ids, made when it is first asked for.
    user_order: Mutex<Order>,
    /// The same for the paths of resources.
    path_order: Mutex<Order>,
    statements: usize,
}

impl fmt::Debug for Grants {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Grants")
            .field("revision", &self.revision)
            .field("statements", &self.statements)
            .finish_non_exhaustive()
    }
}

impl Default for Grants {
    fn default() -> Self {
        Self::new()
    }
}

impl Grants {
    /// The newest revision that is in here; 0 before the first.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Says that everything up to a revision was loaded.
    pub fn set_revision(&mut self, revision: Revision) {
        self.revision = self.revision.max(revision);
    }

    /// Statements of records in force.
    pub fn len(&self) -> usize {
        self.statements
    }

    pub fn is_empty(&self) -> bool {
        self.statements == 0
    }

    /// The role, if it exists.
    pub fn role(&self, id: &RoleId) -> Option<RoleFacts<'_>> {
        let role = self.roles.get(self.role_ids.get(id.as_str())? as usize)?;
        Some(RoleFacts {
            permissions: role.permissions.as_deref()?,
            mark: (!role.built_in).then_some(role.touched.mark()),
        })
    }

    /// The record, if it exists, deleted or not.
    pub fn record(&self, id: &RecordId) -> Option<RecordFacts<'_>> {
        let record = self
            .records
            .get(self.record_ids.get(id.as_str())? as usize)?;
        record.packed.exists().then_some(RecordFacts {
            mark: record.touched.mark(),
            status: if record.packed.is_active() {
                RecordStatus::Active
            } else {
                RecordStatus::Deleted
            },
            admins: record.packed.admins(),
            users: &self.users,
        })
    }

    /// The group, if it exists.
    pub fn group(&self, id: &GroupId) -> Option<GroupFacts<'_>> {
        let group = self.groups.get(self.group_ids.get(id.as_str())? as usize)?;
        let content = group.content.as_ref()?;
        Some(GroupFacts {
            mark: group.touched.mark(),
            members: &content.members,
            admins: &content.admins,
            users: &self.users,
        })
    }

    /// What a decision rests on: the documents behind it as they are now.
    pub fn relied(&self, because: &Because) -> Vec<(Kind, String, Expect)> {
        let at = |mark: Option<Mark>| mark.map_or(Expect::Absent, Expect::At);
        let record = at(self.record(&because.record).map(|record| record.mark));
        let mut relied = vec![(Kind::AccessRecord, because.record.to_string(), record)];
        match self.role(&because.role) {
            Some(RoleFacts { mark: None, .. }) => {}
            role => {
                let role = at(role.and_then(|role| role.mark));
                relied.push((Kind::Role, because.role.to_string(), role));
            }
        }
        if let Some(group) = &because.group {
            let mark = at(self.group(group).map(|group| group.mark));
            relied.push((Kind::Group, group.to_string(), mark));
        }
        relied
    }
}
