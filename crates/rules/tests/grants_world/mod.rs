//! Short ways to write records, roles and groups as documents, and to hand them to an index.

use std::sync::Arc;

use guestlist_api::records::{LinkedGroup, RecordStatus, Resource, Statement, User};
use guestlist_api::resource_configurations::{ConfiguredAction, ResourcePermission};
use guestlist_api::roles::Permission;
use guestlist_api::text::{Bounded, Name, Tags};
use guestlist_api::times::Timestamp;
use guestlist_rules::changes::{Changes, Committed, Document, Event, Kind, Revision, Stored};
use guestlist_rules::grants::Grants;
use guestlist_rules::groups::StoredGroup;
use guestlist_rules::records::StoredRecord;
use guestlist_rules::resource_configurations::StoredResourceConfiguration;
use guestlist_rules::roles::StoredRole;

pub(crate) fn parse<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse()
        .unwrap_or_else(|error| panic!("{text:?}: {error:?}"))
}

/// Users of these ids.
pub(crate) fn named(ids: &[&str]) -> Vec<User> {
    ids.iter().map(|id| User { user_id: parse(id) }).collect()
}

fn groups(ids: &[&str]) -> Vec<LinkedGroup> {
    ids.iter()
        .map(|id| LinkedGroup {
            group_id: parse(id),
        })
        .collect()
}

/// Roles on resources for whom the record says.
pub(crate) fn statement(roles: &[&str], resources: &[&str]) -> Statement {
    statement_for(roles, resources, &[], &[])
}

/// Roles on resources for users and groups.
pub(crate) fn statement_for(
    roles: &[&str],
    resources: &[&str],
    user_ids: &[&str],
    group_ids: &[&str],
) -> Statement {
    let resource = |uri: &&str| Resource {
        resource_uri: parse(uri),
    };
    Statement {
        roles: Bounded::new(roles.iter().map(|role| parse(role)).collect()).unwrap(),
        resources: Bounded::new(resources.iter().map(resource).collect()).unwrap(),
        users: Bounded::new(named(user_ids)).unwrap(),
        groups: Bounded::new(groups(group_ids)).unwrap(),
        expiry_time: None,
    }
}

pub(crate) fn record(
    id: &str,
    user_ids: &[&str],
    group_ids: &[&str],
    statements: Vec<Statement>,
) -> StoredRecord {
    StoredRecord {
        record_id: parse(id),
        name: Name::parse("record").unwrap(),
        description: None,
        users: named(user_ids),
        admins: named(&["admin"]),
        groups: groups(group_ids),
        statements,
        tags: Tags::default(),
        status: RecordStatus::Active,
        created_by: parse("creator"),
        last_updated: Timestamp::from_milliseconds(0),
    }
}

/// A permission, written as its action and which of `a`, `g`, `d` it has: `("read", "ag")`.
pub(crate) fn permission((action, flags): (&str, &str)) -> Permission {
    Permission {
        action: parse(action),
        allow: flags.contains('a'),
        grant: flags.contains('g'),
        delegate: flags.contains('d'),
    }
}

pub(crate) fn role(id: &str, permissions: &[(&str, &str)]) -> StoredRole {
    StoredRole {
        role_id: parse(id),
        name: Name::parse("role").unwrap(),
        description: None,
        permissions: permissions.iter().copied().map(permission).collect(),
        last_updated: Timestamp::from_milliseconds(0),
    }
}

pub(crate) fn group(id: &str, members: &[&str]) -> StoredGroup {
    StoredGroup {
        group_id: parse(id),
        name: Name::parse("group").unwrap(),
        users: named(members),
        admins: named(&["admin"]),
        tags: Tags::default(),
        last_updated: Timestamp::from_milliseconds(0),
    }
}

/// That everybody may read a resource, or not; claims say nothing about that.
pub(crate) fn configuration(resource: &str, public: bool) -> StoredResourceConfiguration {
    let said = |action, allow| ResourcePermission { action, allow };
    StoredResourceConfiguration {
        resource_uri: parse(resource),
        permissions: vec![
            said(ConfiguredAction::Claim, !public && resource.len() % 2 == 1),
            said(ConfiguredAction::Public, public),
        ],
        last_updated: Timestamp::from_milliseconds(0),
    }
}

/// An index, and the revision it is at.
pub(crate) struct World {
    pub(crate) grants: Grants,
    pub(crate) revision: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            grants: Grants::new(),
            revision: 0,
        }
    }

    pub(crate) fn write<T: Stored>(&mut self, value: &T) {
        self.commit(vec![Document::of(value).unwrap()], Vec::new());
    }

    pub(crate) fn delete(&mut self, kind: Kind, id: &str) {
        self.commit(Vec::new(), vec![(kind, id.to_owned())]);
    }

    pub(crate) fn commit(&mut self, write: Vec<Document>, delete: Vec<(Kind, String)>) {
        self.revision += 1;
        let committed = committed(self.revision, write, delete);
        self.grants.commit(&committed).unwrap();
    }
}

pub(crate) fn committed(
    revision: u64,
    write: Vec<Document>,
    delete: Vec<(Kind, String)>,
) -> Committed {
    let mut changes = Changes::new(Event {
        kind: "test.changed".to_owned(),
        time: 0,
        actor: "tester".to_owned(),
        request_id: String::new(),
        subject: "test/1".to_owned(),
        data: serde_json::Value::Null,
    });
    changes.write = write;
    changes.delete = delete;
    Committed {
        revision: Revision(revision),
        changes: Arc::new(changes),
    }
}
