//! How the index takes documents in: each is read whole first, then it replaces what was there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use guestlist_api::ids::RoleId;
use guestlist_api::records::{self, LinkedGroup, RecordStatus, User};
use guestlist_api::resource_configurations::ConfiguredAction;
use guestlist_api::resources::is_reserved;
use guestlist_api::roles::Permission;

use super::endings::{Ending, Endings};
use super::holders::{Audiences, Holder, Memberships, Which};
use super::mentions::Mentions;
use super::names::{Full, Names};
use super::order::Order;
use super::packed::{For, Numbered, NumberedStatement, Packed};
use super::resources::{Resource, Resources};
use super::{Grants, Group, GroupContent, Role, Touched, Traits};
use crate::built_in;
use crate::changes::{Committed, Document, Kind, Mark, Revision, Seen, Unreadable};
use crate::coverage::begins_with_wildcard;
use crate::groups::StoredGroup;
use crate::records::StoredRecord;
use crate::resource_configurations::{StoredResourceConfiguration, is_configurable};
use crate::roles::StoredRole;

/// A change of one document, read and ready: making it cannot fail.
enum Ready {
    /// The statements of it that end stand beside it.
    Record(u32, Packed, Vec<Ending>),
    Role(u32, Option<Box<[Permission]>>),
    Group(u32, Option<GroupContent>),
    Configuration(Resource, Configured),
}

/// What of a configuration counts here.
#[derive(Debug, Clone, Copy, Default)]
struct Configured {
    /// Everybody may read the resource.
    public: bool,
    /// Everybody may do something with it.
    allows: bool,
}

impl Grants {
    /// An index that holds the built-in roles.
    pub fn new() -> Self {
        let mut grants = Self {
            revision: Revision::default(),
            users: Names::default(),
            traits: Vec::new(),
            role_ids: Names::default(),
            roles: Vec::new(),
            group_ids: Names::default(),
            groups: Vec::new(),
            record_ids: Names::default(),
            records: Vec::new(),
            resources: Resources::default(),
            audiences: Audiences::default(),
            memberships: Memberships::default(),
            mentions: Mentions::default(),
            endings: Endings::default(),
            patterns: BTreeSet::new(),
            pattern_resources: BTreeMap::new(),
            reserved: BTreeSet::new(),
            owning: BTreeSet::new(),
            record_admins: BTreeSet::new(),
            group_admins: BTreeSet::new(),
            configured: BTreeMap::new(),
            allowing: BTreeSet::new(),
            public: BTreeSet::new(),
            user_order: Mutex::new(Order::default()),
            path_order: Mutex::new(Order::default()),
            statements: 0,
        };
        for role in built_in::roles() {
            let number = grants.role_ids.intern(role.role_id.as_str());
            if let Some(place) = number
                .ok()
                .and_then(|number| place(&mut grants.roles, number))
            {
                place.built_in = true;
                place.permissions = Some(role.permissions.into_boxed_slice());
            }
        }
        grants
    }

    /// Takes in a stored document. Kinds that say nothing about access are passed over, and so is a
    /// document of which a newer version is known.
    ///
    /// # Errors
    ///
    /// The document is not what its kind promises; nothing has changed then.
    pub fn load(&mut self, document: &Seen<Document>) -> Result<(), Unreadable> {
        if let Some(ready) = self.read(&document.value)? {
            self.take(Touched::at(document.mark), ready);
        }
        Ok(())
    }

    /// Takes in a committed change: all of it or nothing. Again, or after a newer one of the same
    /// documents, it changes nothing.
    ///
    /// # Errors
    ///
    /// One of its documents is not what its kind promises; nothing has changed then.
    pub fn commit(&mut self, committed: &Committed) -> Result<(), Unreadable> {
        let mut all = Vec::new();
        let written = committed.changes.write.iter();
        let deleted = committed.changes.delete.iter();
        let failed = written
            .map(|document| self.read(document).map(|ready| all.extend(ready)))
            .find_map(Result::err);
        if let Some(unreadable) = failed {
            for ready in all {
                self.drop_unused(&ready);
            }
            return Err(unreadable);
        }
        all.extend(deleted.filter_map(|(kind, id)| self.read_deleted(*kind, id)));
        for ready in all {
            self.take(Touched::at(Mark(committed.revision.0)), ready);
        }
        self.set_revision(committed.revision);
        Ok(())
    }

    fn read(&mut self, document: &Document) -> Result<Option<Ready>, Unreadable> {
        let unreadable = |reason: &str| Unreadable {
            kind: document.kind,
            id: document.id.clone(),
            reason: reason.to_owned(),
        };
        let full = |_: Full| unreadable("the grants index has no room for another id");
        let same_id = |id: &str| {
            let same = id == document.id;
            same.then_some(())
                .ok_or_else(|| unreadable("its id is not the one it is stored under"))
        };
        match document.kind {
            Kind::AccessRecord => {
                let record: StoredRecord = document.read()?;
                same_id(record.record_id.as_str())?;
                self.number_record(&record).map(Some).map_err(full)
            }
            Kind::Role => {
                let role: StoredRole = document.read()?;
                same_id(role.role_id.as_str())?;
                if role.role_id.is_reserved() {
                    return Err(unreadable("built-in roles are not stored"));
                }
                self.number_role(role).map(Some).map_err(full)
            }
            Kind::Group => {
                let group: StoredGroup = document.read()?;
                same_id(group.group_id.as_str())?;
                self.number_group(&group).map(Some).map_err(full)
            }
            Kind::ResourceConfiguration => {
                let configuration: StoredResourceConfiguration = document.read()?;
                let resource = &configuration.resource_uri;
                same_id(resource.canonical())?;
                if !is_configurable(resource) {
                    return Err(unreadable("this resource cannot be configured"));
                }
                let public = configuration.allows(ConfiguredAction::Public);
                let allows = public || configuration.allows(ConfiguredAction::Claim);
                let number = self.resources.intern(resource).map_err(full)?;
                let configured = Configured { public, allows };
                Ok(Some(Ready::Configuration(number, configured)))
            }
            Kind::Account
            | Kind::AccessRequest
            | Kind::Acceptance
            | Kind::Client
            | Kind::IdempotencyKey
            | Kind::Identity
            | Kind::Invite
            | Kind::InviteSettings
            | Kind::Application
            | Kind::Connection
            | Kind::Extension
            | Kind::Tenant
            | Kind::TenantUser
            | Kind::TokenConfiguration
            | Kind::UserToken
            | Kind::Webhook
            | Kind::WebhookProgress => Ok(None),
        }
    }

    /// That it is gone is remembered even if it was never here.
    fn read_deleted(&mut self, kind: Kind, id: &str) -> Option<Ready> {
        match kind {
            Kind::AccessRecord => {
                let number = self.record_ids.intern(id).ok()?;
                Some(Ready::Record(number, Packed::default(), Vec::new()))
            }
            Kind::Role => {
                let number = self.role_ids.intern(id).ok()?;
                let built_in = self
                    .roles
                    .get(number as usize)
                    .is_some_and(|role| role.built_in);
                (!built_in).then_some(Ready::Role(number, None))
            }
            Kind::Group => self
                .group_ids
                .intern(id)
                .ok()
                .map(|number| Ready::Group(number, None)),
            Kind::ResourceConfiguration => {
                let resource = self.resources.intern(&id.parse().ok()?).ok()?;
                Some(Ready::Configuration(resource, Configured::default()))
            }
            Kind::Account
            | Kind::AccessRequest
            | Kind::Acceptance
            | Kind::Client
            | Kind::IdempotencyKey
            | Kind::Identity
            | Kind::Invite
            | Kind::InviteSettings
            | Kind::Application
            | Kind::Connection
            | Kind::Extension
            | Kind::Tenant
            | Kind::TenantUser
            | Kind::TokenConfiguration
            | Kind::UserToken
            | Kind::Webhook
            | Kind::WebhookProgress => None,
        }
    }

    fn number_record(&mut self, record: &StoredRecord) -> Result<Ready, Full> {
        let id = self.record_ids.intern(record.record_id.as_str())?;
        let mut numbered = Numbered {
            active: match record.status {
                RecordStatus::Active => true,
                RecordStatus::Deleted => false,
            },
            admins: number_users(&mut self.users, &record.admins)?,
            ..Numbered::default()
        };
        let mut endings = Vec::new();
        if numbered.active {
            numbered.holders = self.number_holders(&record.users, &record.groups)?;
            for (position, statement) in record.statements.iter().enumerate() {
                let holders = self.number_holders(&statement.users, &statement.groups)?;
                let instant = statement.expiry_time;
                if instant.is_some_and(|instant| self.endings.is_past(instant)) {
                    numbered.statements.push(NumberedStatement {
                        holders,
                        ..NumberedStatement::default()
                    });
                    continue;
                }
                endings.extend(instant.map(|instant| (position, instant)));
                numbered.statements.push(NumberedStatement {
                    roles: self.number_roles(&statement.roles)?,
                    resources: number_resources(&mut self.resources, &statement.resources)?,
                    holders,
                });
            }
        }
        let packed = Packed::new(&numbered, &mut || self.audiences.make())?;
        Ok(Ready::Record(id, packed, endings))
    }

    fn number_holders(
        &mut self,
        users: &[User],
        groups: &[LinkedGroup],
    ) -> Result<Vec<Holder>, Full> {
        let users = number_users(&mut self.users, users)?;
        let mut holders: Vec<Holder> = users.into_iter().map(Holder::user).collect();
        for group in groups {
            let number = self.group_ids.intern(group.group_id.as_str())?;
            holders.push(Holder::group(number));
        }
        holders.sort_unstable();
        holders.dedup();
        Ok(holders)
    }

    fn number_roles(&mut self, roles: &[RoleId]) -> Result<Vec<u32>, Full> {
        let mut numbers = Vec::with_capacity(roles.len());
        for role in roles {
            let number = self.role_ids.intern(role.as_str())?;
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        Ok(numbers)
    }

    fn number_role(&mut self, role: StoredRole) -> Result<Ready, Full> {
        let number = self.role_ids.intern(role.role_id.as_str())?;
        Ok(Ready::Role(
            number,
            Some(role.permissions.into_boxed_slice()),
        ))
    }

    fn number_group(&mut self, group: &StoredGroup) -> Result<Ready, Full> {
        let number = self.group_ids.intern(group.group_id.as_str())?;
        let content = GroupContent {
            members: number_users(&mut self.users, &group.users)?.into_boxed_slice(),
            admins: number_users(&mut self.users, &group.admins)?.into_boxed_slice(),
        };
        Ok(Ready::Group(number, Some(content)))
    }

    fn take(&mut self, touched: Touched, ready: Ready) {
        match ready {
            Ready::Record(number, packed, endings) => {
                self.take_record(touched, number, packed, endings);
            }
            Ready::Role(number, permissions) => {
                let role = place(&mut self.roles, number);
                if let Some(role) = role.filter(|role| role.touched < touched) {
                    *role = Role {
                        touched,
                        built_in: false,
                        permissions,
                    };
                }
            }
            Ready::Group(number, content) => {
                let group = place(&mut self.groups, number);
                if let Some(group) = group.filter(|group| group.touched < touched) {
                    let before = std::mem::replace(group, Group { touched, content });
                    self.change_members(number, before.content.as_ref());
                }
            }
            Ready::Configuration(resource, configured) => {
                let last = self.configured.entry(resource).or_default();
                if *last < touched {
                    *last = touched;
                    set(&mut self.public, resource, configured.public);
                    set(&mut self.allowing, resource, configured.allows);
                }
            }
        }
    }

    fn take_record(&mut self, touched: Touched, number: u32, packed: Packed, endings: Vec<Ending>) {
        let record = place(&mut self.records, number);
        let Some(record) = record.filter(|record| record.touched < touched) else {
            free_audiences(&mut self.audiences, &packed);
            return;
        };
        record.touched = touched;
        let before = std::mem::take(&mut record.packed);
        self.endings.set(number, endings);
        self.forget(number, &before);
        self.remember(number, &packed);
        if let Some(record) = self.records.get_mut(number as usize) {
            record.packed = packed;
        }
    }

    fn drop_unused(&mut self, ready: &Ready) {
        match ready {
            Ready::Record(_, packed, _) => free_audiences(&mut self.audiences, packed),
            Ready::Role(..) | Ready::Group(..) | Ready::Configuration(..) => {}
        }
    }

    fn change_members(&mut self, number: u32, before: Option<&GroupContent>) {
        let group = Holder::group(number);
        for member in before.map_or(&[][..], |content| &content.members) {
            self.memberships.remove(Holder::user(*member), group);
        }
        for admin in before.map_or(&[][..], |content| &content.admins) {
            self.group_admins.remove(&(*admin, number));
        }
        let after = self
            .groups
            .get(number as usize)
            .and_then(|group| group.content.as_ref());
        for member in after.map_or(&[][..], |content| &content.members) {
            self.memberships.add(Holder::user(*member), group);
            mark(&mut self.traits, Holder::user(*member), Traits::MEMBER);
        }
        for admin in after.map_or(&[][..], |content| &content.admins) {
            self.group_admins.insert((*admin, number));
        }
    }

    /// Enters a record everywhere.
    pub(super) fn remember(&mut self, number: u32, packed: &Packed) {
        let owner = self.role_ids.get(built_in::OWNER);
        for statement in packed.statements() {
            self.statements += 1;
            let owning = statement.is_on(Resource::EVERYTHING)
                && owner.is_some_and(|owner| statement.roles.contains(&owner));
            if owning {
                self.owning.insert(number);
            }
            if statement.own {
                self.join(number, statement.whom);
            }
            for resource in statement.resources() {
                self.mentions.add_resource(resource, number);
                for holder in statement.whom.keys() {
                    self.mentions.add(holder, resource, number);
                    self.note(holder, resource, number);
                }
            }
        }
        self.join(number, packed.whom());
        let admins = packed.admins().iter();
        self.record_admins
            .extend(admins.map(|admin| (*admin, number)));
    }

    fn join(&mut self, number: u32, whom: For<'_>) {
        for holder in whom.holders() {
            self.mentions.add_holder(holder, number);
            if let Some(audience) = whom.audience() {
                self.memberships.add(holder, audience);
                mark(&mut self.traits, holder, Traits::MEMBER);
            }
        }
    }

    /// Removes a record from everywhere.
    pub(super) fn forget(&mut self, number: u32, packed: &Packed) {
        self.owning.remove(&number);
        for statement in packed.statements() {
            self.statements -= 1;
            if statement.own {
                self.leave(number, statement.whom);
            }
            for resource in statement.resources() {
                self.mentions.remove_resource(resource, number);
                for holder in statement.whom.keys() {
                    self.mentions.remove(holder, resource, number);
                    self.unnote(holder, resource, number);
                }
            }
        }
        self.leave(number, packed.whom());
        for admin in packed.admins() {
            self.record_admins.remove(&(*admin, number));
        }
        free_audiences(&mut self.audiences, packed);
    }

    fn leave(&mut self, number: u32, whom: For<'_>) {
        for holder in whom.holders() {
            self.mentions.remove_holder(holder, number);
            if let Some(audience) = whom.audience() {
                self.memberships.remove(holder, audience);
            }
        }
    }

    /// Notes what a look-up alone would not find.
    fn note(&mut self, holder: Holder, resource: Resource, record: u32) {
        if self.may_reach_reserved(resource) {
            self.reserved.insert((holder, resource, record));
        }
        if let Some(kind) = self.kind(resource) {
            if kind.has(Traits::PATTERN) && self.patterns.insert((holder, resource, record)) {
                *self.pattern_resources.entry(resource).or_default() += 1;
            }
            mark(&mut self.traits, holder, kind);
        }
    }

    fn unnote(&mut self, holder: Holder, resource: Resource, record: u32) {
        if self.may_reach_reserved(resource) {
            self.reserved.remove(&(holder, resource, record));
        }
        let is_pattern = self
            .kind(resource)
            .is_some_and(|kind| kind.has(Traits::PATTERN));
        if is_pattern && self.patterns.remove(&(holder, resource, record)) {
            self.forget_pattern(resource);
        }
    }

    fn forget_pattern(&mut self, resource: Resource) {
        if let Some(entries) = self.pattern_resources.get_mut(&resource) {
            *entries -= 1;
            if *entries == 0 {
                self.pattern_resources.remove(&resource);
            }
        }
    }

    fn may_reach_reserved(&self, resource: Resource) -> bool {
        let path = self.resources.path(resource);
        resource == Resource::EVERYTHING || is_reserved(path) || begins_with_wildcard(path)
    }

    /// `None` for a resource without wildcards.
    fn kind(&self, resource: Resource) -> Option<Traits> {
        if resource == Resource::EVERYTHING {
            Some(Traits::EVERYTHING)
        } else if resource.is_below() {
            Some(Traits::BELOW)
        } else {
            self.resources
                .path(resource)
                .contains('*')
                .then_some(Traits::PATTERN)
        }
    }
}

/// The place of a number, made if it is not there yet (then `Some`, always). Numbers are dense.
fn place<T: Default>(all: &mut Vec<T>, number: u32) -> Option<&mut T> {
    let number = number as usize;
    if all.len() <= number {
        all.resize_with(number + 1, T::default);
    }
    all.get_mut(number)
}

fn set(all: &mut BTreeSet<Resource>, resource: Resource, is_in: bool) {
    if is_in {
        all.insert(resource);
    } else {
        all.remove(&resource);
    }
}

fn mark(traits: &mut Vec<Traits>, holder: Holder, kind: Traits) {
    let Which::User(user) = holder.which() else {
        return;
    };
    if let Some(traits) = place(traits, user) {
        traits.add(kind);
    }
}

fn number_users(names: &mut Names, users: &[User]) -> Result<Vec<u32>, Full> {
    let mut numbers = Vec::with_capacity(users.len());
    for user in users {
        numbers.push(names.intern(user.user_id.principal())?);
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

fn number_resources(
    resources: &mut Resources,
    named: &[records::Resource],
) -> Result<Vec<Resource>, Full> {
    let mut numbers = Vec::with_capacity(named.len());
    for resource in named {
        numbers.push(resources.intern(&resource.resource_uri)?);
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

fn free_audiences(audiences: &mut Audiences, packed: &Packed) {
    let own = packed.statements().filter(|statement| statement.own);
    let all = own.map(|statement| statement.whom).chain([packed.whom()]);
    for audience in all.filter_map(For::audience) {
        audiences.free(audience);
    }
}
