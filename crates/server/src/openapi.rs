//! The description of the API in OpenAPI 3.1, made from the operations and their limits.
//!
//! Every operation is described: one that is not does not compile. The file of a noun has its
//! operations and their bodies. Schemas are written down rather than derived, since the wire types
//! accept more than they should promise; tests hold the two together.

use bytes::Bytes;
use utoipa::openapi::path::{HttpMethod, PathItem, Paths};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::server::ServerBuilder;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};

use crate::operations::Operation;

mod access_requests;
mod accounts;
mod applications;
mod claims;
mod clients;
mod codes;
mod connections;
mod description;
mod events;
mod extensions;
mod groups;
mod invite_batches;
mod invite_effects;
mod invite_grants;
mod invite_lists;
mod invite_settings;
mod invite_statistics;
mod invites;
mod parameters;
mod permissions;
mod records;
mod resource_configurations;
mod roles;
mod server;
mod shapes;
mod tenants;
mod user_tokens;
mod users;
mod webhooks;

use description::{BEARER, Description, Tag, bearer, problem};

/// What holds for all operations.
const ABOUT: &str = "\
Who may do what on which resource, and invites that hand it on.\n\n\
**Answers.** Bodies are `application/links+json`; a refusal is `application/problem+json` with a \
`title` for a person and an `errorCode` for programs. Every answer has `X-Request-Id` and \
`Guestlist-Revision`, the newest change it takes into account; a request with `Guestlist-Min-Revision` \
waits for that one (two seconds at most, then 503). `HEAD` is answered as `GET` without \
the body.\n\n\
**Requests.** Bodies are JSON, whatever `Content-Type` says. Members and query parameters that are \
not listed are ignored, read-only ones too. An optional id, name, time or key may also be sent as `\"\"` \
and an optional query parameter as nothing, `null` or `undefined`: it then counts as left out.\n\n\
**Paths.** Ids and resources are percent-encoded, each as one segment. Empty segments, `.` and \
`..` are refused.\n\n\
**Lists.** Pass `pagination.next.cursor` as `cursor`, or follow `links.next.href`, until there is \
none.\n\n\
**Marks.** `x-extension`: the published API does not have it. `x-development-only`: it is there \
only when the server runs for development.";

/// The ways to an operation; the first is the one to use.
#[expect(
    clippy::too_many_lines,
    reason = "one table, one arm for each operation"
)]
fn describe(operation: Operation) -> Vec<Description> {
    match operation {
        Operation::CreateInvite => vec![invites::create()],
        Operation::CreateInvites => vec![invite_batches::create()],
        Operation::GetInvite => vec![invites::get()],
        Operation::RespondToInvite => vec![invites::respond()],
        Operation::DeleteInvite => vec![invites::delete()],
        Operation::GetInvites => vec![invite_lists::get_all()],
        Operation::UpdateInvite => vec![invite_lists::update()],
        Operation::RenewInvite => vec![invite_lists::renew()],
        Operation::GetInviteEvents => vec![invite_lists::events()],
        Operation::GetInviteEffect => vec![invite_effects::get()],
        Operation::GetInviteAcceptances => vec![invite_grants::acceptances()],
        Operation::UndoInvite => vec![invite_grants::undo()],
        Operation::RevokeInvites => vec![invite_lists::revoke()],
        Operation::GetInviteStatistics => vec![invite_statistics::get()],
        Operation::GetInviteSettings => vec![invite_settings::get()],
        Operation::SetInviteSettings => vec![invite_settings::set()],
        Operation::GetUserInvites => vec![invite_lists::inbox()],
        Operation::PreviewInvite => vec![invite_lists::preview()],
        Operation::DeclineInvite => vec![invite_lists::decline()],
        Operation::ReportInviteLeak => vec![invite_lists::report_leak()],
        Operation::CreateRecord => vec![records::create()],
        Operation::GetRecords => vec![records::get_all()],
        Operation::GetRecord => vec![records::get()],
        Operation::UpdateRecord => vec![records::update(), records::update().by_post()],
        Operation::DeleteRecord => vec![records::delete()],
        Operation::CreateClaim => vec![claims::create()],
        Operation::CreateRequest => vec![access_requests::create()],
        Operation::GetRequests => vec![access_requests::get_all()],
        Operation::GetRequest => vec![access_requests::get()],
        Operation::RespondToAccessRequest => vec![access_requests::respond()],
        Operation::DeleteRequest => vec![access_requests::delete()],
        Operation::CreateGroup => vec![groups::create()],
        Operation::GetGroups => vec![groups::get_all()],
        Operation::GetGroup => vec![groups::get()],
        Operation::UpdateGroup => vec![groups::update(), groups::update().by_post()],
        Operation::DeleteGroup => vec![groups::delete()],
        Operation::CreateRole => vec![roles::create()],
        Operation::GetRoles => vec![roles::get_all()],
        Operation::GetRole => vec![roles::get()],
        Operation::UpdateRole => vec![roles::update()],
        Operation::DeleteRole => vec![roles::delete()],
        Operation::CreateClient => vec![clients::create()],
        Operation::GetClients => vec![clients::get_all()],
        Operation::GetClient => vec![clients::get()],
        Operation::UpdateClient => vec![clients::update()],
        Operation::DeleteClient => vec![clients::delete()],
        Operation::RequestAccessKey => vec![clients::request_key()],
        Operation::DeleteAccessKey => vec![clients::delete_key()],
        Operation::AuthorizeUser => vec![permissions::authorize()],
        Operation::GetUserPermissionsForResource => vec![permissions::get_permissions()],
        Operation::GetUserRolesForResource => vec![permissions::get_roles()],
        Operation::GetUserResources => vec![permissions::get_resources()],
        Operation::GetResourceUsers => vec![permissions::get_users()],
        Operation::GetPermissionedResources => vec![resource_configurations::get_all()],
        Operation::GetPermissionedResource => vec![resource_configurations::get()],
        Operation::UpdatePermissionedResource => vec![resource_configurations::update()],
        Operation::GetUsers => vec![users::get_all()],
        Operation::GetUser => vec![users::get()],
        Operation::DeleteUser => vec![users::delete()],
        Operation::GetEvents => vec![events::get()],
        Operation::CreateWebhook => vec![webhooks::create()],
        Operation::GetWebhooks => vec![webhooks::get_all()],
        Operation::GetWebhook => vec![webhooks::get()],
        Operation::UpdateWebhook => vec![webhooks::update()],
        Operation::DeleteWebhook => vec![webhooks::delete()],
        Operation::RotateWebhookSecret => vec![webhooks::rotate_secret()],
        Operation::GetWebhookDeliveries => vec![webhooks::get_deliveries()],
        Operation::ReplayWebhook => vec![webhooks::replay()],
        Operation::TestWebhook => vec![webhooks::test()],
        Operation::GetAccounts => vec![accounts::get_all()],
        Operation::GetAccount => vec![accounts::get()],
        Operation::GetAccountIdentities => vec![accounts::get_identities()],
        Operation::DelegateAuthentication => vec![accounts::link_identity()],
        Operation::CreateConnection => vec![connections::create()],
        Operation::GetConnections => vec![connections::get_all()],
        Operation::GetConnection => vec![connections::get()],
        Operation::UpdateConnection => vec![connections::update()],
        Operation::DeleteConnection => vec![connections::delete()],
        Operation::RequestUserToken => vec![user_tokens::request()],
        Operation::DisableUserToken => vec![user_tokens::disable()],
        Operation::SetUserTokenConfiguration => {
            vec![user_tokens::configure(), user_tokens::configure_by_user()]
        }
        Operation::CreateApplication => vec![applications::create()],
        Operation::GetApplications => vec![applications::get_all()],
        Operation::GetApplication => vec![applications::get()],
        Operation::UpdateApplication => vec![applications::update()],
        Operation::DeleteApplication => vec![applications::delete()],
        Operation::CreateExtension => vec![extensions::create()],
        Operation::GetExtensions => vec![extensions::get_all()],
        Operation::GetExtension => vec![extensions::get()],
        Operation::UpdateExtension => vec![extensions::update()],
        Operation::DeleteExtension => vec![extensions::delete()],
        Operation::CreateTenant => vec![tenants::create()],
        Operation::GetTenants => vec![tenants::get_all()],
        Operation::GetTenant => vec![tenants::get()],
        Operation::UpdateTenant => vec![tenants::update()],
        Operation::DeleteTenant => vec![tenants::delete()],
        Operation::LinkTenantUser => vec![tenants::link_user()],
        Operation::GetOpenIdConfiguration => vec![server::get_configuration()],
        Operation::GetUserTokenKeys => vec![server::get_user_keys()],
        Operation::GetClientTokenKeys => vec![server::get_client_keys()],
        Operation::RequestToken => vec![server::request_token()],
        Operation::CreateDevelopmentToken => vec![server::create_development_token()],
        Operation::GetHealth => vec![server::get_health()],
        Operation::GetReadiness => vec![server::get_readiness()],
        Operation::GetMetrics => vec![server::get_metrics()],
        Operation::GetOpenApi => vec![server::get_openapi()],
        Operation::GetDocumentation => {
            vec![
                server::get_documentation(),
                server::get_documentation_file(),
            ]
        }
    }
}

/// The document. `public_url` is the origin under which the server is reached.
fn document(public_url: &str) -> OpenApi {
    let mut paths = Paths::new();
    for operation in Operation::ALL {
        for description in describe(operation) {
            let Some(method) = method(&description.method) else {
                continue;
            };
            let item = PathItem::new(method, description.described(operation));
            match paths.paths.get_mut(description.path) {
                Some(known) => known.merge_operations(item),
                None => {
                    paths.paths.insert(description.path.to_owned(), item);
                }
            }
        }
    }
    let tags = Tag::ALL.map(|tag| {
        TagBuilder::new()
            .name(tag.name())
            .description(Some(tag.meaning()))
            .build()
    });
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Guestlist")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT))
                .build(),
        )
        .servers(Some([ServerBuilder::new().url(public_url).build()]))
        .paths(paths)
        .components(Some(components()))
        .security(Some([bearer()]))
        .tags(Some(tags))
        .build()
}

/// The document as it is served and checked in: members in a fixed order.
///
/// `public_url` is the origin under which the server is reached.
pub fn description(public_url: &str) -> Bytes {
    // By way of a value, because the maps of the document have no order. It cannot fail: every key
    // is a text and every number is finite.
    let value = serde_json::to_value(document(public_url)).unwrap_or_default();
    Bytes::from(value.to_string())
}

/// The names of methods are those of HTTP; `None` for one that no operation has.
fn method(method: &http::Method) -> Option<HttpMethod> {
    match method.as_str() {
        "GET" => Some(HttpMethod::Get),
        "POST" => Some(HttpMethod::Post),
        "PUT" => Some(HttpMethod::Put),
        "PATCH" => Some(HttpMethod::Patch),
        "DELETE" => Some(HttpMethod::Delete),
        _ => None,
    }
}

fn components() -> Components {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
        "A token of a linked issuer, a token that a service client signed with its access key, or \
         the access key itself.",
    ));
    let schemas = [
        shapes::schemas(),
        invites::schemas(),
        invite_lists::schemas(),
        invite_settings::schemas(),
        invite_statistics::schemas(),
        invite_effects::schemas(),
        invite_batches::schemas(),
        invite_grants::schemas(),
        records::schemas(),
        claims::schemas(),
        access_requests::schemas(),
        groups::schemas(),
        roles::schemas(),
        clients::schemas(),
        permissions::schemas(),
        resource_configurations::schemas(),
        users::schemas(),
        events::schemas(),
        webhooks::schemas(),
        accounts::schemas(),
        user_tokens::schemas(),
        applications::schemas(),
        extensions::schemas(),
        connections::schemas(),
        tenants::schemas(),
        server::schemas(),
    ];
    let builder = schemas.into_iter().flatten().fold(
        ComponentsBuilder::new().security_scheme(BEARER, SecurityScheme::Http(bearer.build())),
        |builder, (name, schema)| builder.schema(name, schema),
    );
    codes::SHARED
        .iter()
        .fold(builder, |builder, (name, shared)| {
            builder.response(*name, problem(shared))
        })
        .build()
}
