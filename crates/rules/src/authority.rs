//! What each operation of the service itself needs: the published permissions (semantics §2).

use guestlist_api::actions::Action;
use guestlist_api::ids::{
    ApplicationId, ClientId, ConnectionId, ExtensionId, GroupId, InviteReference, KeyId, RecordId,
    RequestId, RoleId, TenantId, UserId, WebhookId,
};
use guestlist_api::resources::ResourceUri;

use crate::changes::{Expect, Kind};
use crate::facts::Facts;
use crate::grants::{Because, Grants};
use crate::refusals::{Noun, Refusal};

/// Documents a decision rests on, for [`crate::changes::Changes::expect`].
pub type Basis = Vec<(Kind, String, Expect)>;

/// Something only some callers may do.
#[derive(Debug, Clone, Copy)]
pub enum Ability<'a> {
    ReadUserPermissions(&'a UserId),
    ReadAllUserPermissions,
    ReadRecord(&'a RecordId),
    UpdateRecord(&'a RecordId),
    ChooseInviteExpiry,
    ReadInvite(&'a InviteReference),
    DeleteInvite(&'a InviteReference),
    UpdateInvite(&'a InviteReference),
    ReadInvites,
    CreateGroup,
    ReadGroup(&'a GroupId),
    UpdateGroup(&'a GroupId),
    ListRoles,
    CreateRole,
    ReadRole(&'a RoleId),
    UpdateRole(&'a RoleId),
    CreateClient,
    ReadClient(&'a ClientId),
    UpdateClient(&'a ClientId),
    CreateAccessKey(&'a ClientId),
    DeleteAccessKey(&'a ClientId, &'a KeyId),
    ReadConfiguration,
    UpdateConfiguration,
    ReadEvents,
    CreateConnection,
    ReadConnection(&'a ConnectionId),
    UpdateConnection(&'a ConnectionId),
    UpdateUser(&'a UserId),
    CreateApplication,
    ReadApplication(&'a ApplicationId),
    UpdateApplication(&'a ApplicationId),
    CreateExtension,
    ReadExtension(&'a ExtensionId),
    UpdateExtension(&'a ExtensionId),
    CreateTenant,
    ReadTenant(&'a TenantId),
    UpdateTenant(&'a TenantId),
    ListUsers,
    ReadUser(&'a UserId),
    DeleteUser(&'a UserId),
    ReadRequest(&'a RequestId),
    UpdateRequest(&'a RequestId),
    ReadResourceConfiguration(&'a ResourceUri),
    CreateWebhook,
    ReadWebhook(&'a WebhookId),
    UpdateWebhook(&'a WebhookId),
}

impl Ability<'_> {
    /// The published verb and its scoped alias: either suffices.
    pub const fn actions(&self) -> [&'static str; 2] {
        match self {
            Self::ReadUserPermissions(_) | Self::ReadAllUserPermissions => {
                ["READ", "UserPermissions:Read"]
            }
            Self::ReadRecord(_) => ["READ", "AccessRecords:Read"],
            Self::UpdateRecord(_) => ["UPDATE", "AccessRecords:Update"],
            Self::ChooseInviteExpiry => ["Invites:Create", "CREATE"],
            Self::ReadInvite(_) | Self::ReadInvites => ["Invites:Read", "READ"],
            Self::DeleteInvite(_) => ["Invites:Delete", "UPDATE"],
            Self::UpdateInvite(_) => ["Invites:Update", "UPDATE"],
            Self::CreateGroup => ["CREATE", "Groups:Create"],
            Self::ReadGroup(_) => ["READ", "Groups:Read"],
            Self::UpdateGroup(_) => ["UPDATE", "Groups:Update"],
            Self::ListRoles | Self::ReadRole(_) => ["READ", "Roles:Read"],
            Self::CreateRole => ["CREATE", "Roles:Create"],
            Self::UpdateRole(_) => ["UPDATE", "Roles:Update"],
            Self::CreateClient => ["CREATE", "ServiceClients:Create"],
            Self::ReadClient(_) => ["READ", "ServiceClients:Read"],
            Self::UpdateClient(_) | Self::CreateAccessKey(_) | Self::DeleteAccessKey(..) => {
                ["UPDATE", "ServiceClients:Update"]
            }
            Self::ReadConfiguration => ["READ", "Configuration:Read"],
            Self::UpdateConfiguration => ["UPDATE", "Configuration:Update"],
            Self::ReadEvents => ["READ", "Events:Read"],
            Self::CreateConnection => ["CREATE", "Connections:Create"],
            Self::ReadConnection(_) => ["READ", "Connections:Read"],
            Self::UpdateConnection(_) => ["UPDATE", "Connections:Update"],
            Self::CreateApplication => ["CREATE", "Applications:Create"],
            Self::ReadApplication(_) => ["READ", "Applications:Read"],
            Self::UpdateApplication(_) => ["UPDATE", "Applications:Update"],
            Self::CreateExtension => ["CREATE", "Extensions:Create"],
            Self::ReadExtension(_) => ["READ", "Extensions:Read"],
            Self::UpdateExtension(_) => ["UPDATE", "Extensions:Update"],
            Self::CreateTenant => ["CREATE", "Tenants:Create"],
            Self::ReadTenant(_) => ["READ", "Tenants:Read"],
            Self::UpdateTenant(_) => ["UPDATE", "Tenants:Update"],
            Self::ListUsers | Self::ReadUser(_) => ["READ", "Users:Read"],
            Self::UpdateUser(_) | Self::DeleteUser(_) => ["UPDATE", "Users:Update"],
            Self::ReadRequest(_) => ["AccessRequests:Read", "READ"],
            Self::UpdateRequest(_) => ["AccessRequests:Update", "UPDATE"],
            Self::ReadResourceConfiguration(_) => ["READ", "ResourcePermissions:Read"],
            Self::CreateWebhook => ["CREATE", "Webhooks:Create"],
            Self::ReadWebhook(_) => ["READ", "Webhooks:Read"],
            Self::UpdateWebhook(_) => ["UPDATE", "Webhooks:Update"],
        }
    }

    /// The collection of the resource, and what in it.
    fn place(&self) -> (&'static str, Option<String>) {
        match self {
            Self::ReadUserPermissions(user) => ("UserPermissions", Some(user.to_string())),
            Self::ReadAllUserPermissions => ("UserPermissions", None),
            Self::ReadRecord(record) | Self::UpdateRecord(record) => {
                ("AccessRecords", Some(record.to_string()))
            }
            Self::ChooseInviteExpiry | Self::ReadInvites => ("Invites", None),
            Self::ReadInvite(reference)
            | Self::DeleteInvite(reference)
            | Self::UpdateInvite(reference) => ("Invites", Some(reference.to_string())),
            Self::CreateGroup => ("Groups", None),
            Self::ReadGroup(group) | Self::UpdateGroup(group) => {
                ("Groups", Some(group.to_string()))
            }
            Self::ListRoles | Self::CreateRole => ("Roles", None),
            Self::ReadRole(role) | Self::UpdateRole(role) => ("Roles", Some(role.to_string())),
            Self::CreateClient => ("ServiceClients", None),
            Self::ReadClient(client) | Self::UpdateClient(client) => {
                ("ServiceClients", Some(client.to_string()))
            }
            Self::CreateAccessKey(client) => {
                ("ServiceClients", Some(format!("{client}/access-keys")))
            }
            Self::DeleteAccessKey(client, key) => (
                "ServiceClients",
                Some(format!("{client}/access-keys/{key}")),
            ),
            Self::ReadConfiguration | Self::UpdateConfiguration => ("Configuration", None),
            Self::ReadEvents => ("Events", None),
            Self::CreateConnection => ("Connections", None),
            Self::ReadConnection(connection) | Self::UpdateConnection(connection) => {
                ("Connections", Some(connection.to_string()))
            }
            Self::CreateApplication => ("Applications", None),
            Self::ReadApplication(application) | Self::UpdateApplication(application) => {
                ("Applications", Some(application.to_string()))
            }
            Self::CreateExtension => ("Extensions", None),
            Self::ReadExtension(extension) | Self::UpdateExtension(extension) => {
                ("Extensions", Some(extension.to_string()))
            }
            Self::CreateTenant => ("Tenants", None),
            Self::ReadTenant(tenant) | Self::UpdateTenant(tenant) => {
                ("Tenants", Some(tenant.to_string()))
            }
            Self::ListUsers => ("Users", None),
            Self::ReadUser(user) | Self::UpdateUser(user) | Self::DeleteUser(user) => {
                ("Users", Some(user.to_string()))
            }
            Self::ReadRequest(request) | Self::UpdateRequest(request) => {
                ("AccessRequests", Some(request.to_string()))
            }
            Self::ReadResourceConfiguration(resource) => {
                ("ResourcePermissions", Some(resource.canonical().to_owned()))
            }
            Self::CreateWebhook => ("Webhooks", None),
            Self::ReadWebhook(webhook) | Self::UpdateWebhook(webhook) => {
                ("Webhooks", Some(webhook.to_string()))
            }
        }
    }

    /// The collection it stood in before it had one of its own, which counts too (semantics §2).
    const fn older_collection(&self) -> Option<&'static str> {
        match self {
            Self::CreateTenant | Self::ReadTenant(_) | Self::UpdateTenant(_) => Some("Connections"),
            Self::ReadUserPermissions(_)
            | Self::ReadAllUserPermissions
            | Self::ReadRecord(_)
            | Self::UpdateRecord(_)
            | Self::ChooseInviteExpiry
            | Self::ReadInvite(_)
            | Self::DeleteInvite(_)
            | Self::UpdateInvite(_)
            | Self::ReadInvites
            | Self::CreateGroup
            | Self::ReadGroup(_)
            | Self::UpdateGroup(_)
            | Self::ListRoles
            | Self::CreateRole
            | Self::ReadRole(_)
            | Self::UpdateRole(_)
            | Self::CreateClient
            | Self::ReadClient(_)
            | Self::UpdateClient(_)
            | Self::CreateAccessKey(_)
            | Self::DeleteAccessKey(..)
            | Self::ReadConfiguration
            | Self::UpdateConfiguration
            | Self::ReadEvents
            | Self::UpdateUser(_)
            | Self::CreateConnection
            | Self::ReadConnection(_)
            | Self::UpdateConnection(_)
            | Self::CreateApplication
            | Self::ReadApplication(_)
            | Self::UpdateApplication(_)
            | Self::CreateExtension
            | Self::ReadExtension(_)
            | Self::UpdateExtension(_)
            | Self::ListUsers
            | Self::ReadUser(_)
            | Self::DeleteUser(_)
            | Self::ReadRequest(_)
            | Self::UpdateRequest(_)
            | Self::ReadResourceConfiguration(_)
            | Self::CreateWebhook
            | Self::ReadWebhook(_)
            | Self::UpdateWebhook(_) => None,
        }
    }

    /// The resources of which a permission on any suffices, as a grant names them:
    /// `Authress:AccessRecords/rec_1`.
    ///
    /// An id that cannot stand in a resource URI (a user id with a space) can only be reached by a
    /// grant on its whole collection.
    fn resources(&self) -> impl Iterator<Item = ResourceUri> {
        let (collection, member) = self.place();
        [Some(collection), self.older_collection()]
            .into_iter()
            .flatten()
            .filter_map(move |collection| {
                let own = member.as_ref();
                own.and_then(|member| format!("Authress:{collection}/{member}").parse().ok())
                    .or_else(|| format!("Authress:{collection}").parse().ok())
            })
    }

    /// For people: `READ on Authress:AccessRecords/rec_1`.
    pub fn describe(&self) -> String {
        let [action, _] = self.actions();
        let (collection, member) = self.place();
        match member {
            Some(member) => format!("{action} on Authress:{collection}/{member}"),
            None => format!("{action} on Authress:{collection}"),
        }
    }

    /// What a caller who may not even know of it is told is missing.
    const fn noun(&self) -> Noun {
        match self {
            Self::ReadUserPermissions(_)
            | Self::ReadAllUserPermissions
            | Self::ListUsers
            | Self::ReadUser(_)
            | Self::UpdateUser(_)
            | Self::DeleteUser(_) => Noun::User,
            Self::ReadRequest(_) | Self::UpdateRequest(_) => Noun::AccessRequest,
            Self::ReadRecord(_) | Self::UpdateRecord(_) => Noun::AccessRecord,
            Self::ChooseInviteExpiry
            | Self::ReadInvite(_)
            | Self::DeleteInvite(_)
            | Self::UpdateInvite(_)
            | Self::ReadInvites => Noun::Invite,
            Self::CreateGroup | Self::ReadGroup(_) | Self::UpdateGroup(_) => Noun::Group,
            Self::ListRoles | Self::CreateRole | Self::ReadRole(_) | Self::UpdateRole(_) => {
                Noun::Role
            }
            Self::CreateClient | Self::ReadClient(_) | Self::UpdateClient(_) => Noun::Client,
            Self::CreateAccessKey(_) | Self::DeleteAccessKey(..) => Noun::AccessKey,
            Self::ReadConfiguration | Self::UpdateConfiguration | Self::ReadEvents => Noun::Account,
            Self::CreateConnection | Self::ReadConnection(_) | Self::UpdateConnection(_) => {
                Noun::Connection
            }
            Self::CreateApplication | Self::ReadApplication(_) | Self::UpdateApplication(_) => {
                Noun::Application
            }
            Self::CreateExtension | Self::ReadExtension(_) | Self::UpdateExtension(_) => {
                Noun::Extension
            }
            Self::CreateTenant | Self::ReadTenant(_) | Self::UpdateTenant(_) => Noun::Tenant,
            Self::ReadResourceConfiguration(_) => Noun::ResourceConfiguration,
            Self::CreateWebhook | Self::ReadWebhook(_) | Self::UpdateWebhook(_) => Noun::Webhook,
        }
    }
}

/// Whether `who` has an ability, and what that rests on.
pub fn holds(grants: &Grants, who: &UserId, ability: Ability<'_>) -> Option<Basis> {
    ability.resources().find_map(|resource| {
        ability.actions().iter().find_map(|action| {
            let action: Action = action.parse().ok()?;
            let because = grants.allowed(who, &resource, &action)?;
            Some(grants.relied(&because))
        })
    })
}

/// What it rests on that the caller could give everything on a resource: on the resource itself, or
/// on what stands for its rules (`GRANT *` on `Authress:ResourcePermissions/{resource}`).
pub fn gives_everything(facts: Facts<'_>, resource: &ResourceUri) -> Option<Basis> {
    let any: Action = "*".parse().ok()?;
    let rules = "Authress:ResourcePermissions";
    let named = format!("{rules}/{}", resource.canonical());
    // Of a resource with as many segments as there can be, only those for all can be held.
    let rules = named.parse().or_else(|_| rules.parse()).ok();
    [Some(resource), rules.as_ref()]
        .into_iter()
        .flatten()
        .find_map(|resource| {
            let because = facts
                .grants
                .may_give(facts.who(), false, &any, resource, false)?;
            Some(facts.grants.relied(&because))
        })
}

/// What the caller's ability rests on.
///
/// # Errors
///
/// [`Refusal::Forbidden`] for a caller who holds something else of the service, and
/// [`Refusal::NotFound`] for one who holds nothing of it and so may not know what exists.
pub fn require(facts: Facts<'_>, ability: Ability<'_>) -> Result<Basis, Refusal> {
    holds(facts.grants, facts.who(), ability).ok_or_else(|| refuse(facts, ability))
}

/// The refusal of an ability the caller does not have (semantics 33).
pub fn refuse(facts: Facts<'_>, ability: Ability<'_>) -> Refusal {
    if facts.grants.holds_reserved(facts.who()) {
        Refusal::Forbidden {
            needs: ability.describe(),
        }
    } else {
        Refusal::NotFound(ability.noun())
    }
}

/// For operations that name nothing that could be missing (create, list): always "forbidden".
pub fn require_plainly(facts: Facts<'_>, ability: Ability<'_>) -> Result<Basis, Refusal> {
    holds(facts.grants, facts.who(), ability).ok_or_else(|| Refusal::Forbidden {
        needs: ability.describe(),
    })
}

/// What it rests on that somebody who can call will own the account without what `loses` says
/// is lost; `None` if nobody will.
///
/// `loses` is asked for each owner and why they are one. The answer belongs into the change: two
/// owners who remove each other at once must not both succeed.
pub fn surviving_owner(facts: Facts<'_>, loses: &dyn Fn(&str, &Because) -> bool) -> Option<Basis> {
    facts
        .grants
        .owners()
        .iter()
        .find_map(|(principal, because)| {
            let mut basis = facts.can_call(principal)?;
            if loses(principal, because) {
                return None;
            }
            basis.extend(facts.grants.relied(because));
            Some(basis)
        })
}
