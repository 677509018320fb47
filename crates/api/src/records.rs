//! Access records: who has which roles on which resources (contract §2.2 AccessRecord).

use serde::{Deserialize, Serialize};

use crate::accounts::{AccountReference, absent_if_unnamed};
use crate::ids::{GroupId, RecordId, RoleId, UserId};
use crate::limits;
use crate::paging::{CollectionLinks, Links, Pagination, absent_on_the_last_page};
use crate::resources::ResourceUri;
use crate::text::{
    Bounded, Description, Malformed, Name, OpenEnum, Tags, absent_if_empty, default_if_null,
};
use crate::times::Timestamp;

/// A user named in a record or group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub user_id: UserId,
}

/// A group named in a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkedGroup {
    pub group_id: GroupId,
}

/// A resource named in a statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    pub resource_uri: ResourceUri,
}

impl<T: Into<UserId>> From<T> for User {
    fn from(user_id: T) -> Self {
        Self {
            user_id: user_id.into(),
        }
    }
}

impl<T: Into<GroupId>> From<T> for LinkedGroup {
    fn from(group_id: T) -> Self {
        Self {
            group_id: group_id.into(),
        }
    }
}

impl<T: Into<ResourceUri>> From<T> for Resource {
    fn from(resource_uri: T) -> Self {
        Self {
            resource_uri: resource_uri.into(),
        }
    }
}

/// Reads texts, or takes values, as the roles of a statement.
pub(crate) fn roles_of<R>(
    roles: impl IntoIterator<Item = R>,
) -> Result<Bounded<RoleId, 1, { limits::STATEMENT_ROLES }>, Malformed>
where
    R: TryInto<RoleId>,
    Malformed: From<R::Error>,
{
    let roles: Result<Vec<_>, _> = roles.into_iter().map(TryInto::try_into).collect();
    Bounded::new(roles?)
}

/// Reads texts, or takes values, as the resources of a statement.
pub(crate) fn resources_of<U>(
    resources: impl IntoIterator<Item = U>,
) -> Result<Bounded<Resource, 1, { limits::STATEMENT_RESOURCES }>, Malformed>
where
    U: TryInto<ResourceUri>,
    Malformed: From<U::Error>,
{
    let resources: Result<Vec<_>, U::Error> = resources
        .into_iter()
        .map(|uri| uri.try_into().map(Resource::from))
        .collect();
    Bounded::new(resources?)
}

/// Roles on resources, and for whom unless the record itself says for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    pub roles: Bounded<RoleId, 1, { limits::STATEMENT_ROLES }>,
    pub resources: Bounded<Resource, 1, { limits::STATEMENT_RESOURCES }>,
    #[serde(
        default,
        deserialize_with = "default_if_null",
        skip_serializing_if = "is_empty"
    )]
    pub users: Bounded<User, 0, { limits::STATEMENT_USERS }>,
    #[serde(
        default,
        deserialize_with = "default_if_null",
        skip_serializing_if = "is_empty"
    )]
    pub groups: Bounded<LinkedGroup, 0, { limits::STATEMENT_GROUPS }>,
    /// When the statement ends: from this instant on it grants nothing. An extension of ours;
    /// absent, it does not end.
    #[serde(
        rename = "expiryTime",
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub expiry_time: Option<Timestamp>,
}

impl Statement {
    /// These roles on these resources, given as values or as texts. For whom is said by the record,
    /// or by [`Statement::user`] and [`Statement::group`].
    ///
    /// # Errors
    ///
    /// If a text is not what it must be, or there are none or more than 100 of either.
    pub fn new<R, U>(
        roles: impl IntoIterator<Item = R>,
        resources: impl IntoIterator<Item = U>,
    ) -> Result<Self, Malformed>
    where
        R: TryInto<RoleId>,
        U: TryInto<ResourceUri>,
        Malformed: From<R::Error> + From<U::Error>,
    {
        Ok(Self {
            roles: roles_of(roles)?,
            resources: resources_of(resources)?,
            users: Bounded::default(),
            groups: Bounded::default(),
            expiry_time: None,
        })
    }

    /// Only before this instant.
    #[must_use]
    pub fn expires(mut self, at: Timestamp) -> Self {
        self.expiry_time = Some(at);
        self
    }

    /// Also for this user. At most 100, which the server checks.
    #[must_use]
    pub fn user(mut self, user: impl Into<User>) -> Self {
        self.users = self.users.with(user.into());
        self
    }

    /// Also for the members of this group. At most 10, which the server checks.
    #[must_use]
    pub fn group(mut self, group: impl Into<LinkedGroup>) -> Self {
        self.groups = self.groups.with(group.into());
        self
    }
}

fn is_empty<T>(items: &[T]) -> bool {
    items.is_empty()
}

/// Whether a record is in force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordStatus {
    #[default]
    Active,
    /// Grants nothing; kept so that it can be read.
    Deleted,
}

/// An access record as it is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessRecord {
    pub record_id: RecordId,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// How full the record is, 0 to 1 of its 100 KB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<f64>,
    /// When it last changed: the value for `If-Unmodified-Since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<Timestamp>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub status: OpenEnum<RecordStatus>,
    #[serde(
        default,
        deserialize_with = "absent_if_unnamed",
        skip_serializing_if = "Option::is_none"
    )]
    pub account: Option<AccountReference>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub users: Vec<User>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub admins: Vec<User>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub groups: Vec<LinkedGroup>,
    pub statements: Vec<Statement>,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: Links,
}

/// An access record as it is written. Read-only members are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessRecordRequest {
    /// Made by the server if absent.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub record_id: Option<RecordId>,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub users: Bounded<User, 0, { limits::RECORD_USERS }>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub admins: Bounded<User, 0, { limits::ADMINS }>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub groups: Bounded<LinkedGroup, 0, { limits::RECORD_GROUPS }>,
    pub statements: Bounded<Statement, 1, { limits::STATEMENTS }>,
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

impl AccessRecordRequest {
    /// A record with this name and these statements, of which there must be 1 to 100.
    ///
    /// # Errors
    ///
    /// If the name or the number of statements is not what it must be.
    pub fn new(
        name: &str,
        statements: impl IntoIterator<Item = Statement>,
    ) -> Result<Self, Malformed> {
        Ok(Self {
            record_id: None,
            name: Name::parse(name)?,
            description: None,
            users: Bounded::default(),
            admins: Bounded::default(),
            groups: Bounded::default(),
            statements: Bounded::new(statements.into_iter().collect())?,
            tags: Tags::default(),
        })
    }

    /// Under this id. With an id, creating the record twice is refused the second time.
    #[must_use]
    pub fn record_id(mut self, record_id: RecordId) -> Self {
        self.record_id = Some(record_id);
        self
    }

    /// What it is for.
    #[must_use]
    pub fn description(mut self, description: Description) -> Self {
        self.description = Some(description);
        self
    }

    /// All statements also for this user. At most 1000, which the server checks.
    #[must_use]
    pub fn user(mut self, user: impl Into<User>) -> Self {
        self.users = self.users.with(user.into());
        self
    }

    /// All statements also for the members of this group. At most 100, which the server checks.
    #[must_use]
    pub fn group(mut self, group: impl Into<LinkedGroup>) -> Self {
        self.groups = self.groups.with(group.into());
        self
    }

    /// Lets this user change the record. At most 100, which the server checks.
    #[must_use]
    pub fn admin(mut self, admin: impl Into<User>) -> Self {
        self.admins = self.admins.with(admin.into());
        self
    }

    /// One more statement. At most 100, which the server checks.
    #[must_use]
    pub fn statement(mut self, statement: Statement) -> Self {
        self.statements = self.statements.with(statement);
        self
    }

    /// These labels in place of those it has.
    #[must_use]
    pub fn tags(mut self, tags: Tags) -> Self {
        self.tags = tags;
        self
    }
}

impl AccessRecord {
    /// The same as a request: for changing what was read.
    ///
    /// # Errors
    ///
    /// If a list is longer than a request may have it, which our server never answers.
    pub fn to_request(&self) -> Result<AccessRecordRequest, Malformed> {
        Ok(AccessRecordRequest {
            record_id: Some(self.record_id.clone()),
            name: self.name.clone(),
            description: self.description.clone(),
            users: Bounded::new(self.users.clone())?,
            admins: Bounded::new(self.admins.clone())?,
            groups: Bounded::new(self.groups.clone())?,
            statements: Bounded::new(self.statements.clone())?,
            tags: self.tags.clone(),
        })
    }
}

/// A page of access records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessRecordCollection {
    pub records: Vec<AccessRecord>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_composed_from_values_and_texts() {
        let bob: UserId = "bob".parse().unwrap();
        let group: GroupId = "grp_1".parse().unwrap();
        let role: RoleId = "ro_editor".parse().unwrap();
        let statement = Statement::new([&role], ["projects/1"])
            .unwrap()
            .user(&bob)
            .group(&group);
        let request = AccessRecordRequest::new("Editors", [statement.clone()])
            .unwrap()
            .statement(Statement::new(["ro_viewer"], ["projects/2", "projects/3"]).unwrap())
            .user(bob)
            .admin("carol".parse::<UserId>().unwrap())
            .group(group);
        let written = serde_json::to_string(&request).unwrap();
        let read: AccessRecordRequest = serde_json::from_str(&written).unwrap();
        assert_eq!(read, request);
        assert_eq!(read.statements.len(), 2);
        assert_eq!(read.statements.first(), Some(&statement));
    }

    #[test]
    fn what_is_malformed_is_not_composed() {
        let none: [&str; 0] = [];
        assert!(Statement::new(none, ["projects/1"]).is_err());
        assert!(Statement::new(["ro_editor"], none).is_err());
        assert!(Statement::new(["no role"], ["projects/1"]).is_err());
        assert!(Statement::new(["ro_editor"], ["a*"]).is_err());
        assert!(Statement::new(vec!["ro_editor"; 101], ["projects/1"]).is_err());
        assert!(AccessRecordRequest::new("Editors", []).is_err());
        let statement = Statement::new(["ro_editor"], ["projects/1"]).unwrap();
        assert!(AccessRecordRequest::new("", [statement]).is_err());
    }

    #[test]
    fn too_long_a_list_is_refused_by_whoever_reads_it() {
        let mut statement = Statement::new(["ro_editor"], ["projects/1"]).unwrap();
        for number in 0..=limits::STATEMENT_GROUPS {
            let group: GroupId = format!("grp_{number}").parse().unwrap();
            statement = statement.group(group);
        }
        let written = serde_json::to_string(&statement).unwrap();
        let refused = serde_json::from_str::<Statement>(&written).unwrap_err();
        assert!(refused.to_string().contains("0 to 10 items"), "{refused}");
    }
}
