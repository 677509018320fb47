//! From an operation and what stands in the request to its handler.

use bytes::Bytes;
use guestlist_api::clients::AccessKeyRequest;
use guestlist_api::invite_lists::InviteResponse;
use guestlist_api::invites::InviteRequest;
use guestlist_api::limits;
use guestlist_api::times::UnmodifiedSince;
use guestlist_rules::caller::CallerKind;
use guestlist_rules::users::limited;
use http::HeaderMap;
use http::header::IF_UNMODIFIED_SINCE;
use serde::de::DeserializeOwned;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::body;
use crate::invite_batches::InviteBatchGiven;
use crate::invite_headers::InviteHeaders;
use crate::listing::is_absent;
use crate::operations::Operation;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::{
    access_requests, accounts, applications, claims, clients, connections, events, extensions,
    groups, identities, invite_administration, invite_batches, invite_effects, invite_grants,
    invite_lists, invite_settings, invite_statistics, invites, records, resource_configurations,
    roles, tenants, user_deletion, user_tokens, users, webhooks,
};

/// What stands in a request besides its caller.
pub struct Given<'a> {
    pub arguments: [&'a str; 3],
    pub query: &'a Query<'a>,
    pub headers: &'a HeaderMap,
    pub body: Bytes,
}

impl Given<'_> {
    /// The body, which must be there.
    fn body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let parsed = body::parse(&self.body)?;
        parsed.ok_or_else(|| Refusal::malformed("body", "a JSON object is needed"))
    }

    /// What is said to an invite: nothing accepts it, and so does whatever SDKs send that says nothing.
    fn response(&self) -> Result<InviteResponse, Refusal> {
        let said: Option<serde_json::Value> = body::parse(&self.body)?;
        match said {
            Some(serde_json::Value::Object(_)) => {
                let parsed = body::parse(&self.body)?;
                Ok(parsed.unwrap_or_default())
            }
            Some(_) | None => Ok(InviteResponse::default()),
        }
    }

    /// Whether nothing is to be written.
    fn is_dry_run(&self) -> Result<bool, Refusal> {
        match crate::listing::given(self.query, "dryRun")?.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Refusal::malformed("dryRun", "must be true or false")),
        }
    }

    fn unmodified_since(&self) -> Result<Option<UnmodifiedSince>, Refusal> {
        let Some(value) = self.headers.get(IF_UNMODIFIED_SINCE) else {
            return Ok(None);
        };
        // What cannot be read is refused: ignored, it would overwrite what the caller never saw.
        let text = value.to_str().unwrap_or("?");
        if is_absent(text) {
            return Ok(None);
        }
        text.parse()
            .map(Some)
            .map_err(|reason| Refusal::malformed("If-Unmodified-Since", reason))
    }

    /// An invite, of the body and the headers.
    fn invite(&self) -> Result<InviteRequest, Refusal> {
        let mut request = self.body()?;
        InviteHeaders::read(self.headers)?.put_into(&mut request)?;
        Ok(request)
    }

    /// The `Idempotency-Key` header.
    fn idempotency_key(&self) -> Result<Option<&str>, Refusal> {
        let mut values = self.headers.get_all("idempotency-key").iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(Refusal::malformed("Idempotency-Key", "must be sent once"));
        }
        let text = value.to_str().unwrap_or_default();
        if text.is_empty() || text.len() > limits::IDEMPOTENCY_KEY_LENGTH {
            let reason = format!(
                "must have 1 to {} visible ASCII characters",
                limits::IDEMPOTENCY_KEY_LENGTH
            );
            return Err(Refusal::malformed("Idempotency-Key", reason));
        }
        Ok(Some(text))
    }
}

/// Answers an operation that needs to know who asks.
#[expect(
    clippy::too_many_lines,
    reason = "one table, one arm for each operation"
)]
pub async fn dispatch(
    ask: Ask<'_>,
    operation: Operation,
    given: Given<'_>,
) -> Result<Answer, Refusal> {
    let [first, second, third] = given.arguments;
    if let CallerKind::Limited { .. } = ask.caller.kind
        && !operation.is_open_to_limited_tokens()
    {
        return Err(limited().into());
    }
    match operation {
        Operation::CreateInvite if given.is_dry_run()? => {
            invite_effects::try_invite(ask, given.invite()?).await
        }
        Operation::GetInviteEffect => {
            let request = body::parse(&given.body)?.unwrap_or_default();
            invite_effects::get_invite_effect(ask, first, request).await
        }
        Operation::CreateInvite => {
            invites::create_invite(ask, given.invite()?, given.idempotency_key()?).await
        }
        Operation::CreateInvites => {
            let batch = InviteBatchGiven::read(given.query, given.headers, &given.body)?;
            let key = given.idempotency_key()?;
            if given.is_dry_run()? {
                invite_batches::try_invites(ask, batch).await
            } else {
                invite_batches::create_invites(ask, batch, key).await
            }
        }
        Operation::GetInvite => invites::get_invite(ask, first).await,
        Operation::RespondToInvite => {
            invites::respond_to_invite(ask, first, given.response()?).await
        }
        Operation::DeleteInvite => invites::delete_invite(ask, first).await,
        Operation::GetInvites => invite_lists::get_invites(ask, given.query).await,
        Operation::GetInviteEvents => invite_lists::get_invite_events(ask, first).await,
        Operation::GetInviteAcceptances => {
            invite_grants::get_invite_acceptances(ask, first, given.query).await
        }
        Operation::UndoInvite => invite_grants::undo_invite(ask, first, given.query).await,
        Operation::GetInviteStatistics => {
            invite_statistics::get_invite_statistics(ask, given.query).await
        }
        Operation::GetInviteSettings => invite_settings::get_invite_settings(ask).await,
        Operation::SetInviteSettings => {
            invite_settings::set_invite_settings(ask, given.body()?).await
        }
        Operation::GetUserInvites => invite_lists::get_user_invites(ask, first, given.query).await,
        Operation::UpdateInvite => {
            let since = given.unmodified_since()?;
            invite_administration::update_invite(ask, first, given.invite()?, since).await
        }
        Operation::RenewInvite => {
            invite_administration::renew_invite(ask, first, body::parse(&given.body)?).await
        }
        Operation::RevokeInvites => invite_administration::revoke_invites(ask, given.body()?).await,
        Operation::CreateRecord => records::create_record(ask, given.body()?).await,
        Operation::GetRecords => records::get_records(ask, given.query).await,
        Operation::GetRecord => records::get_record(ask, first).await,
        Operation::UpdateRecord => {
            records::update_record(ask, first, given.body()?, given.unmodified_since()?).await
        }
        Operation::DeleteRecord => records::delete_record(ask, first).await,
        Operation::CreateClaim => claims::create_claim(ask, given.body()?).await,
        Operation::CreateRequest => access_requests::create_request(ask, given.body()?).await,
        Operation::GetRequests => access_requests::get_requests(ask, given.query).await,
        Operation::GetRequest => access_requests::get_request(ask, first).await,
        Operation::RespondToAccessRequest => {
            access_requests::respond_to_access_request(ask, first, given.body()?).await
        }
        Operation::DeleteRequest => access_requests::delete_request(ask, first).await,
        Operation::CreateGroup => groups::create_group(ask, given.body()?).await,
        Operation::GetGroups => groups::get_groups(ask, given.query).await,
        Operation::GetGroup => groups::get_group(ask, first).await,
        Operation::UpdateGroup => {
            groups::update_group(ask, first, given.body()?, given.unmodified_since()?).await
        }
        Operation::DeleteGroup => groups::delete_group(ask, first).await,
        Operation::CreateRole => roles::create_role(ask, given.body()?).await,
        Operation::GetRoles => roles::get_roles(ask, given.query).await,
        Operation::GetRole => roles::get_role(ask, first).await,
        Operation::UpdateRole => roles::update_role(ask, first, given.body()?).await,
        Operation::DeleteRole => roles::delete_role(ask, first).await,
        Operation::CreateClient => clients::create_client(ask, given.body()?).await,
        Operation::GetClients => clients::get_clients(ask, given.query).await,
        Operation::GetClient => clients::get_client(ask, first).await,
        Operation::UpdateClient => clients::update_client(ask, first, given.body()?).await,
        Operation::DeleteClient => clients::delete_client(ask, first).await,
        Operation::RequestAccessKey => {
            let request: Option<AccessKeyRequest> = body::parse(&given.body)?;
            clients::request_access_key(ask, first, request.unwrap_or_default()).await
        }
        Operation::DeleteAccessKey => clients::delete_access_key(ask, first, second).await,
        Operation::AuthorizeUser => {
            users::authorize_user(ask, first, second, third, given.query).await
        }
        Operation::GetUserPermissionsForResource => users::get_user_permissions(ask, first, second),
        Operation::GetUserRolesForResource => users::get_user_roles(ask, first, second),
        Operation::GetUserResources => users::get_user_resources(ask, first, given.query),
        Operation::GetResourceUsers => users::get_resource_users(ask, first, given.query).await,
        Operation::GetPermissionedResources => {
            resource_configurations::get_permissioned_resources(ask, given.query).await
        }
        Operation::GetPermissionedResource => {
            resource_configurations::get_permissioned_resource(ask, first).await
        }
        Operation::UpdatePermissionedResource => {
            resource_configurations::update_permissioned_resource(ask, first, given.body()?).await
        }
        Operation::GetUsers => users::get_users(ask, given.query).await,
        Operation::GetUser => users::get_user(ask, first),
        Operation::DeleteUser => user_deletion::delete_user(ask, first).await,
        Operation::GetEvents => events::get_events(ask, given.query, given.headers).await,
        Operation::CreateWebhook => webhooks::create_webhook(ask, given.body()?).await,
        Operation::GetWebhooks => webhooks::get_webhooks(ask, given.query).await,
        Operation::GetWebhook => webhooks::get_webhook(ask, first).await,
        Operation::UpdateWebhook => webhooks::update_webhook(ask, first, given.body()?).await,
        Operation::DeleteWebhook => webhooks::delete_webhook(ask, first).await,
        Operation::RotateWebhookSecret => webhooks::rotate_webhook_secret(ask, first).await,
        Operation::GetWebhookDeliveries => webhooks::get_webhook_deliveries(ask, first),
        Operation::ReplayWebhook => webhooks::replay_webhook(ask, first, given.body()?).await,
        Operation::TestWebhook => webhooks::test_webhook(ask, first).await,
        Operation::GetAccounts => accounts::get_accounts(ask).await,
        Operation::GetAccount => accounts::get_account(ask, first).await,
        Operation::GetAccountIdentities => identities::get_account_identities(ask).await,
        Operation::DelegateAuthentication => {
            identities::delegate_authentication(ask, given.body()?).await
        }
        Operation::CreateConnection => connections::create_connection(ask, given.body()?).await,
        Operation::GetConnections => connections::get_connections(ask, given.query).await,
        Operation::GetConnection => connections::get_connection(ask, first).await,
        Operation::UpdateConnection => {
            connections::update_connection(ask, first, given.body()?).await
        }
        Operation::DeleteConnection => connections::delete_connection(ask, first).await,
        Operation::RequestUserToken => {
            user_tokens::request_user_token(ask, first, given.body()?).await
        }
        Operation::DisableUserToken => user_tokens::disable_user_token(ask, first, second).await,
        Operation::SetUserTokenConfiguration => {
            user_tokens::set_user_token_configuration(ask, first, given.body()?).await
        }
        Operation::CreateApplication => applications::create_application(ask, given.body()?).await,
        Operation::GetApplications => applications::get_applications(ask, given.query).await,
        Operation::GetApplication => applications::get_application(ask, first).await,
        Operation::UpdateApplication => {
            applications::update_application(ask, first, given.body()?).await
        }
        Operation::DeleteApplication => applications::delete_application(ask, first).await,
        Operation::CreateExtension => extensions::create_extension(ask, given.body()?).await,
        Operation::GetExtensions => extensions::get_extensions(ask, given.query).await,
        Operation::GetExtension => extensions::get_extension(ask, first).await,
        Operation::UpdateExtension => extensions::update_extension(ask, first, given.body()?).await,
        Operation::DeleteExtension => extensions::delete_extension(ask, first).await,
        Operation::CreateTenant => tenants::create_tenant(ask, given.body()?).await,
        Operation::GetTenants => tenants::get_tenants(ask, given.query).await,
        Operation::GetTenant => tenants::get_tenant(ask, first).await,
        Operation::UpdateTenant => tenants::update_tenant(ask, first, given.body()?).await,
        Operation::DeleteTenant => tenants::delete_tenant(ask, first).await,
        Operation::LinkTenantUser => tenants::link_tenant_user(ask, first, given.body()?).await,
        Operation::GetOpenIdConfiguration
        | Operation::GetUserTokenKeys
        | Operation::GetClientTokenKeys
        | Operation::PreviewInvite
        | Operation::DeclineInvite
        | Operation::ReportInviteLeak
        | Operation::RequestToken
        | Operation::CreateDevelopmentToken
        | Operation::GetHealth
        | Operation::GetReadiness
        | Operation::GetMetrics
        | Operation::GetOpenApi
        | Operation::GetDocumentation => Err(Refusal::NoSuchPath),
    }
}
