//! Users, and what they hold: permissions, roles and resources (contract §1.13, §1.14, §2.2).

use serde::{Deserialize, Serialize};

use crate::accounts::{AccountReference, absent_if_unnamed};
use crate::actions::Action;
use crate::ids::{GroupId, InviteReference, RecordId, RoleId, UserId};
use crate::paging::{CollectionLinks, Pagination, absent_on_the_last_page};
use crate::records::Resource;
use crate::resources::ResourceUri;
use crate::roles::Permission;
use crate::text::default_if_null;
use crate::times::Timestamp;

/// The answer of a permission check that says yes: SDKs look at the status only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// Why, if that was asked for (`explain=true`, an extension).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Explanation>,
}

/// Why a user has a permission: one reason of all there are.
///
/// It is one that names the user rather than a group, if there is one; of these one on the resource
/// nearest to the root; and of these the least by the texts of resource, record, group, role and
/// action. An id is absent if the caller may not read what it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The access record with the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<RecordId>,
    /// The role of the statement that has the permission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_id: Option<RoleId>,
    /// Nobody was given it: the resource is configured so that everybody may read it and what is
    /// below it (`PUBLIC`). There is no record then.
    #[serde(default, skip_serializing_if = "is_false")]
    pub public: bool,
    /// The resource that the statement names or that is configured, without a slash at either end.
    pub resource_uri: ResourceUri,
    /// The action of the role's permission.
    pub action: Action,
    /// The group that the statement names, if it does not name the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<GroupId>,
    /// The invite by which the user got exactly this role on exactly this resource in this record:
    /// the last one that added it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite_reference: Option<InviteReference>,
    /// When the user accepted that invite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_time: Option<Timestamp>,
    /// When the statement ends, if it does. The same may be held by another reason for longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_time: Option<Timestamp>,
}

/// A permission held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserPermission {
    #[serde(flatten)]
    pub permission: Permission,
    /// When the first part of it ends: until then all of it holds. An extension of ours; absent if
    /// nothing of it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_time: Option<Timestamp>,
}

/// A user's permissions on one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PermissionCollection {
    #[serde(
        default,
        deserialize_with = "absent_if_unnamed",
        skip_serializing_if = "Option::is_none"
    )]
    pub account: Option<AccountReference>,
    pub user_id: UserId,
    pub permissions: Vec<UserPermission>,
}

/// A role held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserRole {
    pub role_id: RoleId,
    /// When the statement that gives it ends. An extension of ours; absent if it does not end, and
    /// in lists of the users of a resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_time: Option<Timestamp>,
}

/// A user's roles on exactly one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserRoleCollection {
    pub user_id: UserId,
    pub roles: Vec<UserRole>,
}

/// A page of the resources a user has access to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserResourcesCollection {
    #[serde(
        default,
        deserialize_with = "absent_if_unnamed",
        skip_serializing_if = "Option::is_none"
    )]
    pub account: Option<AccountReference>,
    pub user_id: UserId,
    #[serde(default, deserialize_with = "default_if_null")]
    pub resources: Vec<Resource>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}

/// Which resources to list below the one asked about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CollectionConfiguration {
    /// Those exactly one segment below.
    #[default]
    TopLevelOnly,
    /// All below.
    IncludeNested,
}

/// A page of the users with explicit access to exactly one resource; or, if an action was named (an
/// extension), of everybody who may do it there, with the roles that allow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceUsersCollection {
    pub users: Vec<UserRoleCollection>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}

/// A user as the account knows them: by what names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserIdentity {
    pub user_id: UserId,
    /// Told only by servers that keep it. Ours keeps nothing of what tokens say of a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A URL. Told only by servers that keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// Told only by servers that keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The ids by which identity providers know the user, where the server keeps them.
    #[serde(default, deserialize_with = "default_if_null")]
    pub linked_identities: Vec<LinkedIdentity>,
}

impl UserIdentity {
    /// A user of whom nothing but the id is known.
    pub fn new(user_id: UserId) -> Self {
        Self {
            user_id,
            name: None,
            picture: None,
            email: None,
            linked_identities: Vec::new(),
        }
    }
}

/// A user at an identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedIdentity {
    pub connection: LinkedConnection,
}

/// The connection to an identity provider, and the user's id there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkedConnection {
    pub connection_id: String,
    pub user_id: String,
}

/// A page of users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserIdentityCollection {
    pub users: Vec<UserIdentity>,
    #[serde(
        default,
        deserialize_with = "absent_on_the_last_page",
        skip_serializing_if = "Option::is_none"
    )]
    pub pagination: Option<Pagination>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: CollectionLinks,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
