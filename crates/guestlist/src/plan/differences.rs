//! Objects in a normal form, and what differs between two of them: the order of lists that are sets,
//! the case of actions, other spellings of a resource or a user, and defaults make no difference.

use std::collections::{BTreeMap, BTreeSet};

use guestlist_api::clients::ClientRequest;
use guestlist_api::groups::GroupRequest;
use guestlist_api::identities::UserIdExpression;
use guestlist_api::records::{AccessRecordRequest, LinkedGroup, Statement, User};
use guestlist_api::roles::RoleRequest;
use guestlist_api::text::{Description, Name, Tags};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A member of an object.
#[derive(Debug, Clone)]
enum Member {
    /// One value, or `null`.
    One(Value),
    /// A set: each item under what makes it the same item, as it is shown.
    Many(BTreeMap<String, Value>),
}

impl PartialEq for Member {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(one), Self::One(other)) => one == other,
            // As they are shown, the same items may differ in their spelling.
            (Self::Many(items), Self::Many(others)) => items.keys().eq(others.keys()),
            (Self::One(_), Self::Many(_)) | (Self::Many(_), Self::One(_)) => false,
        }
    }
}

impl Eq for Member {}

/// An object in its normal form: its members in the order in which people read them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form(Vec<(&'static str, Member)>);

/// What differs in a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Difference {
    One {
        member: &'static str,
        before: Value,
        after: Value,
    },
    Many {
        member: &'static str,
        added: Vec<Value>,
        removed: Vec<Value>,
    },
}

impl Form {
    /// The members in which the two are not the same.
    pub(crate) fn differing(&self, other: &Self) -> Vec<String> {
        let pairs = self.0.iter().zip(&other.0);
        pairs
            .filter(|(one, other)| one != other)
            .map(|((name, _), _)| (*name).to_owned())
            .collect()
    }

    /// What must change for `before` to become this.
    pub(crate) fn differences(&self, before: &Self) -> Vec<Difference> {
        let pairs = self.0.iter().zip(&before.0);
        pairs
            .filter(|(after, before)| after != before)
            .map(|((member, after), (_, before))| difference(member, before, after))
            .collect()
    }

    /// What it takes to make this from nothing.
    pub(crate) fn creation(&self) -> Vec<Difference> {
        let blank = self.0.iter().map(|(member, value)| {
            let empty = match value {
                Member::One(Value::Bool(_)) => Member::One(Value::Bool(false)),
                Member::One(_) => Member::One(Value::Null),
                Member::Many(_) => Member::Many(BTreeMap::new()),
            };
            (*member, empty)
        });
        self.differences(&Self(blank.collect()))
    }
}

fn difference(member: &'static str, before: &Member, after: &Member) -> Difference {
    let without = |items: &BTreeMap<String, Value>, others: &BTreeMap<String, Value>| {
        let left = items.iter().filter(|(key, _)| !others.contains_key(*key));
        left.map(|(_, item)| item.clone()).collect()
    };
    match (before, after) {
        (Member::Many(before), Member::Many(after)) => Difference::Many {
            member,
            added: without(after, before),
            removed: without(before, after),
        },
        // A member is always of one kind.
        (before, after) => Difference::One {
            member,
            before: one(before),
            after: one(after),
        },
    }
}

fn one(member: &Member) -> Value {
    match member {
        Member::One(value) => value.clone(),
        Member::Many(items) => Value::Array(items.values().cloned().collect()),
    }
}

fn set(items: impl IntoIterator<Item = (String, Value)>) -> Member {
    Member::Many(items.into_iter().collect())
}

fn name(name: &Name) -> Member {
    Member::One(json!(name))
}

/// An empty description says as much as none.
fn description(description: Option<&Description>) -> Member {
    let text = description.filter(|text| !text.as_str().is_empty());
    Member::One(json!(text))
}

/// `Authress:ServiceClients/sc_1` and `sc_1` are the same.
fn users(users: &[User]) -> Member {
    set(users.iter().map(|user| {
        let principal = user.user_id.principal();
        (principal.to_owned(), json!(principal))
    }))
}

fn groups(groups: &[LinkedGroup]) -> Member {
    set(groups
        .iter()
        .map(|group| (group.group_id.to_string(), json!(group.group_id))))
}

fn tags(tags: &Tags) -> Member {
    set(tags.iter().map(|(name, value)| {
        let tag = Map::from_iter([(name.to_owned(), json!(value))]);
        // No name of a tag has a control character.
        (format!("{name}\n{value}"), Value::Object(tag))
    }))
}

/// The form of a role.
pub(crate) fn role(role: &RoleRequest) -> Form {
    let permissions = role.permissions.iter().map(|held| {
        let key = format!(
            "{} {} {} {}",
            held.action.canonical(),
            held.allow,
            held.grant,
            held.delegate
        );
        (key, json!(held))
    });
    Form(vec![
        ("name", name(&role.name)),
        ("description", description(role.description.as_ref())),
        ("permissions", set(permissions)),
    ])
}

/// The form of a group.
pub(crate) fn group(group: &GroupRequest) -> Form {
    Form(vec![
        ("name", name(&group.name)),
        ("users", users(&group.users)),
        ("admins", users(&group.admins)),
        ("tags", tags(&group.tags)),
    ])
}

/// The form of a service client.
pub(crate) fn client(client: &ClientRequest) -> Form {
    let limits = client.rate_limits.iter().map(|limit| {
        let limit = json!(limit);
        (limit.to_string(), limit)
    });
    let options = client.options;
    Form(vec![
        ("name", Member::One(json!(client.name))),
        (
            "options.grantUserPermissionsAccess",
            Member::One(json!(options.grant_user_permissions_access)),
        ),
        (
            "options.grantTokenGeneration",
            Member::One(json!(options.grant_token_generation)),
        ),
        ("rateLimits", set(limits)),
        ("tags", tags(&client.tags)),
    ])
}

/// The form of an identity, whose issuer and audience are its id.
pub(crate) fn identity(expression: &UserIdExpression) -> Form {
    Form(vec![("userIdExpression", Member::One(json!(expression)))])
}

/// The form of an access record.
pub(crate) fn record(record: &AccessRecordRequest) -> Form {
    let statements = record.statements.iter().map(|given| {
        let given = statement(given);
        (given.to_string(), given)
    });
    Form(vec![
        ("name", name(&record.name)),
        ("description", description(record.description.as_ref())),
        ("users", users(&record.users)),
        ("groups", groups(&record.groups)),
        ("statements", set(statements)),
        ("admins", users(&record.admins)),
        ("tags", tags(&record.tags)),
    ])
}

fn statement(statement: &Statement) -> Value {
    let roles: BTreeSet<_> = statement.roles.iter().collect();
    let resources: BTreeSet<_> = statement
        .resources
        .iter()
        .map(|resource| match resource.resource_uri.canonical() {
            // Never: a resource has a segment. It keeps what was written if it ever had none.
            "" => resource.resource_uri.as_str(),
            canonical => canonical,
        })
        .collect();
    let mut form = json!({ "roles": roles, "resources": resources });
    if let (Some(form), Member::Many(users), Member::Many(groups)) = (
        form.as_object_mut(),
        users(&statement.users),
        groups(&statement.groups),
    ) {
        for (member, items) in [("users", users), ("groups", groups)] {
            if !items.is_empty() {
                let items = items.into_values().collect();
                form.insert(member.to_owned(), Value::Array(items));
            }
        }
        if let Some(ends) = statement.expiry_time {
            form.insert("expiryTime".to_owned(), json!(ends));
        }
    }
    form
}
