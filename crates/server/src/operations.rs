//! Every operation the server answers, by the name the official SDKs give it.

/// An operation of the API (contract §1), or one of the server's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    CreateInvite,
    CreateInvites,
    GetInvite,
    RespondToInvite,
    DeleteInvite,
    GetInvites,
    UpdateInvite,
    RenewInvite,
    GetInviteEvents,
    GetInviteAcceptances,
    UndoInvite,
    RevokeInvites,
    GetInviteEffect,
    GetUserInvites,
    GetInviteStatistics,
    GetInviteSettings,
    SetInviteSettings,
    PreviewInvite,
    DeclineInvite,
    ReportInviteLeak,
    CreateRecord,
    GetRecords,
    GetRecord,
    UpdateRecord,
    DeleteRecord,
    CreateClaim,
    CreateRequest,
    GetRequests,
    GetRequest,
    RespondToAccessRequest,
    DeleteRequest,
    CreateGroup,
    GetGroups,
    GetGroup,
    UpdateGroup,
    DeleteGroup,
    CreateRole,
    GetRoles,
    GetRole,
    UpdateRole,
    DeleteRole,
    CreateClient,
    GetClients,
    GetClient,
    UpdateClient,
    DeleteClient,
    RequestAccessKey,
    DeleteAccessKey,
    AuthorizeUser,
    GetUserPermissionsForResource,
    GetUserRolesForResource,
    GetUserResources,
    GetResourceUsers,
    GetPermissionedResources,
    GetPermissionedResource,
    UpdatePermissionedResource,
    GetUsers,
    GetUser,
    DeleteUser,
    GetEvents,
    CreateWebhook,
    GetWebhooks,
    GetWebhook,
    UpdateWebhook,
    DeleteWebhook,
    RotateWebhookSecret,
    GetWebhookDeliveries,
    ReplayWebhook,
    TestWebhook,
    GetAccounts,
    GetAccount,
    GetAccountIdentities,
    DelegateAuthentication,
    CreateConnection,
    GetConnections,
    GetConnection,
    UpdateConnection,
    DeleteConnection,
    RequestUserToken,
    DisableUserToken,
    SetUserTokenConfiguration,
    CreateApplication,
    GetApplications,
    GetApplication,
    UpdateApplication,
    DeleteApplication,
    CreateExtension,
    GetExtensions,
    GetExtension,
    UpdateExtension,
    DeleteExtension,
    CreateTenant,
    GetTenants,
    GetTenant,
    UpdateTenant,
    DeleteTenant,
    LinkTenantUser,
    GetOpenIdConfiguration,
    GetUserTokenKeys,
    GetClientTokenKeys,
    RequestToken,
    CreateDevelopmentToken,
    GetHealth,
    GetReadiness,
    GetMetrics,
    GetOpenApi,
    GetDocumentation,
}

impl Operation {
    pub const ALL: [Self; 107] = [
        Self::CreateInvite,
        Self::CreateInvites,
        Self::GetInvite,
        Self::RespondToInvite,
        Self::DeleteInvite,
        Self::GetInvites,
        Self::UpdateInvite,
        Self::RenewInvite,
        Self::GetInviteEvents,
        Self::GetInviteAcceptances,
        Self::UndoInvite,
        Self::RevokeInvites,
        Self::GetInviteEffect,
        Self::GetUserInvites,
        Self::GetInviteStatistics,
        Self::GetInviteSettings,
        Self::SetInviteSettings,
        Self::PreviewInvite,
        Self::DeclineInvite,
        Self::ReportInviteLeak,
        Self::CreateRecord,
        Self::GetRecords,
        Self::GetRecord,
        Self::UpdateRecord,
        Self::DeleteRecord,
        Self::CreateClaim,
        Self::CreateRequest,
        Self::GetRequests,
        Self::GetRequest,
        Self::RespondToAccessRequest,
        Self::DeleteRequest,
        Self::CreateGroup,
        Self::GetGroups,
        Self::GetGroup,
        Self::UpdateGroup,
        Self::DeleteGroup,
        Self::CreateRole,
        Self::GetRoles,
        Self::GetRole,
        Self::UpdateRole,
        Self::DeleteRole,
        Self::CreateClient,
        Self::GetClients,
        Self::GetClient,
        Self::UpdateClient,
        Self::DeleteClient,
        Self::RequestAccessKey,
        Self::DeleteAccessKey,
        Self::AuthorizeUser,
        Self::GetUserPermissionsForResource,
        Self::GetUserRolesForResource,
        Self::GetUserResources,
        Self::GetResourceUsers,
        Self::GetPermissionedResources,
        Self::GetPermissionedResource,
        Self::UpdatePermissionedResource,
        Self::GetUsers,
        Self::GetUser,
        Self::DeleteUser,
        Self::GetEvents,
        Self::CreateWebhook,
        Self::GetWebhooks,
        Self::GetWebhook,
        Self::UpdateWebhook,
        Self::DeleteWebhook,
        Self::RotateWebhookSecret,
        Self::GetWebhookDeliveries,
        Self::ReplayWebhook,
        Self::TestWebhook,
        Self::GetAccounts,
        Self::GetAccount,
        Self::GetAccountIdentities,
        Self::DelegateAuthentication,
        Self::CreateConnection,
        Self::GetConnections,
        Self::GetConnection,
        Self::UpdateConnection,
        Self::DeleteConnection,
        Self::RequestUserToken,
        Self::DisableUserToken,
        Self::SetUserTokenConfiguration,
        Self::CreateApplication,
        Self::GetApplications,
        Self::GetApplication,
        Self::UpdateApplication,
        Self::DeleteApplication,
        Self::CreateExtension,
        Self::GetExtensions,
        Self::GetExtension,
        Self::UpdateExtension,
        Self::DeleteExtension,
        Self::CreateTenant,
        Self::GetTenants,
        Self::GetTenant,
        Self::UpdateTenant,
        Self::DeleteTenant,
        Self::LinkTenantUser,
        Self::GetOpenIdConfiguration,
        Self::GetUserTokenKeys,
        Self::GetClientTokenKeys,
        Self::RequestToken,
        Self::CreateDevelopmentToken,
        Self::GetHealth,
        Self::GetReadiness,
        Self::GetMetrics,
        Self::GetOpenApi,
        Self::GetDocumentation,
    ];

    /// The name official SDKs and the description give it.
    pub fn name(self) -> String {
        let debug = format!("{self:?}");
        let mut characters = debug.chars();
        let first = characters.next().map(|first| first.to_ascii_lowercase());
        first.into_iter().chain(characters).collect()
    }

    /// Whether it is answered without knowing who asks.
    #[expect(
        clippy::too_many_lines,
        reason = "one list, one line for each operation"
    )]
    pub const fn is_public(self) -> bool {
        match self {
            Self::GetOpenIdConfiguration
            | Self::PreviewInvite
            | Self::DeclineInvite
            | Self::ReportInviteLeak
            | Self::GetUserTokenKeys
            | Self::GetClientTokenKeys
            | Self::RequestToken
            | Self::CreateDevelopmentToken
            | Self::GetHealth
            | Self::GetReadiness
            | Self::GetMetrics
            | Self::GetOpenApi
            | Self::GetDocumentation => true,
            Self::CreateInvite
            | Self::CreateInvites
            | Self::GetInvite
            | Self::RespondToInvite
            | Self::DeleteInvite
            | Self::GetInvites
            | Self::UpdateInvite
            | Self::RenewInvite
            | Self::GetInviteEvents
            | Self::GetInviteAcceptances
            | Self::UndoInvite
            | Self::RevokeInvites
            | Self::GetInviteEffect
            | Self::GetUserInvites
            | Self::GetInviteStatistics
            | Self::GetInviteSettings
            | Self::SetInviteSettings
            | Self::CreateRecord
            | Self::GetRecords
            | Self::GetRecord
            | Self::UpdateRecord
            | Self::DeleteRecord
            | Self::CreateClaim
            | Self::CreateRequest
            | Self::GetRequests
            | Self::GetRequest
            | Self::RespondToAccessRequest
            | Self::DeleteRequest
            | Self::CreateGroup
            | Self::GetGroups
            | Self::GetGroup
            | Self::UpdateGroup
            | Self::DeleteGroup
            | Self::CreateRole
            | Self::GetRoles
            | Self::GetRole
            | Self::UpdateRole
            | Self::DeleteRole
            | Self::CreateClient
            | Self::GetClients
            | Self::GetClient
            | Self::UpdateClient
            | Self::DeleteClient
            | Self::RequestAccessKey
            | Self::DeleteAccessKey
            | Self::AuthorizeUser
            | Self::GetUserPermissionsForResource
            | Self::GetUserRolesForResource
            | Self::GetUserResources
            | Self::GetResourceUsers
            | Self::GetPermissionedResources
            | Self::GetPermissionedResource
            | Self::UpdatePermissionedResource
            | Self::GetUsers
            | Self::GetUser
            | Self::DeleteUser
            | Self::GetEvents
            | Self::CreateWebhook
            | Self::GetWebhooks
            | Self::GetWebhook
            | Self::UpdateWebhook
            | Self::DeleteWebhook
            | Self::RotateWebhookSecret
            | Self::GetWebhookDeliveries
            | Self::ReplayWebhook
            | Self::TestWebhook
            | Self::GetAccounts
            | Self::GetAccount
            | Self::GetAccountIdentities
            | Self::DelegateAuthentication
            | Self::CreateConnection
            | Self::GetConnections
            | Self::GetConnection
            | Self::UpdateConnection
            | Self::DeleteConnection
            | Self::RequestUserToken
            | Self::DisableUserToken
            | Self::SetUserTokenConfiguration
            | Self::CreateApplication
            | Self::GetApplications
            | Self::GetApplication
            | Self::UpdateApplication
            | Self::DeleteApplication
            | Self::CreateExtension
            | Self::GetExtensions
            | Self::GetExtension
            | Self::UpdateExtension
            | Self::DeleteExtension
            | Self::CreateTenant
            | Self::GetTenants
            | Self::GetTenant
            | Self::UpdateTenant
            | Self::DeleteTenant
            | Self::LinkTenantUser => false,
        }
    }

    /// Whether it is open to tokens that are limited to statements. They serve to ask what their user
    /// may do, and for nothing else.
    pub const fn is_open_to_limited_tokens(self) -> bool {
        matches!(self, Self::AuthorizeUser)
    }
}
