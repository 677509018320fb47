//! The whole route table.
//!
//! Matching is on the segments of the raw path, each decoded once; see `paths.rs`.

use std::borrow::Cow;

use http::Method;
use smallvec::SmallVec;

use crate::operations::Operation;
use crate::paths::{
    Path, ResourcePath, Segment, UserResource, resource_path, subject_and_resource, with_whole_user,
};
use crate::query::Query;
use crate::refusal::Refusal;

/// The operation of a request, and what stands in the variable places of its path.
#[derive(Debug)]
pub struct Routed<'a> {
    pub operation: Operation,
    pub arguments: [Cow<'a, str>; 3],
}

const NONE: Cow<'_, str> = Cow::Borrowed("");
/// HEAD is answered wherever GET is (RFC 9110 §9.3.2).
const READING: [Method; 2] = [Method::GET, Method::HEAD];

/// Finds the operation of a request.
///
/// # Errors
///
/// [`Refusal::NoSuchPath`], [`Refusal::NoSuchMethod`], [`Refusal::NotBuilt`], and the refusal of a
/// path that can be read in two ways.
pub fn route<'a>(method: &Method, path: &'a Path<'_>) -> Result<Routed<'a>, Refusal> {
    let method = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let segments = path.segments();
    let texts: SmallVec<[&str; 10]> = segments.iter().map(Segment::text).collect();
    // Some SDKs write a slash behind the name of a collection (contract §1.0).
    if path.trailing_slash() && !matches!(texts.as_slice(), ["v1", _] | ["docs"]) {
        return Err(Refusal::NoSuchPath);
    }
    if let Some(routed) = by_keyword(method, segments)? {
        return Ok(routed);
    }
    if let Some(whole) = with_whole_user(segments)? {
        let texts: SmallVec<[&str; 10]> = whole.iter().map(AsRef::as_ref).collect();
        let (operation, arguments) = by_table(method, &texts)?;
        return Ok(Routed {
            operation,
            arguments: arguments.map(|argument| Cow::Owned(argument.to_owned())),
        });
    }
    let (operation, arguments) = by_table(method, &texts)?;
    Ok(Routed {
        operation,
        arguments: arguments.map(Cow::Borrowed),
    })
}

/// What the table says of a path, or why there is nothing.
fn by_table<'a>(method: &Method, texts: &[&'a str]) -> Result<(Operation, [&'a str; 3]), Refusal> {
    if let Some(found) = operation(method, texts) {
        return Ok(found);
    }
    let others = methods(texts);
    if !others.is_empty() {
        return Err(Refusal::NoSuchMethod(others));
    }
    Err(not_built(texts).map_or(Refusal::NoSuchPath, Refusal::NotBuilt))
}

/// Whether this is the start of a sign-in, which is told from other requests for `/` by its query
/// (contract §1.7).
///
/// # Errors
///
/// A malformed `client_id`.
pub fn asks_to_sign_in(path: &Path<'_>, query: &Query<'_>) -> Result<bool, Refusal> {
    Ok(path.segments().is_empty() && query.get("client_id")?.is_some())
}

/// What users hold, and who holds something on a resource: matched by keyword, because some SDKs do
/// not encode the slashes of user ids and resources (contract §5).
fn by_keyword<'a>(
    method: &Method,
    segments: &'a [Segment<'_>],
) -> Result<Option<Routed<'a>>, Refusal> {
    let (Some([version, noun]), Some(rest)) = (segments.first_chunk(), segments.get(2..)) else {
        return Ok(None);
    };
    let routed = match (version.text(), noun.text()) {
        ("v1", "users") => subject_and_resource(rest)?.map(|read| {
            let (operation, resource, permission) = match read.asks {
                UserResource::Resources => (Operation::GetUserResources, NONE, NONE),
                UserResource::Permissions { resource } => {
                    (Operation::GetUserPermissionsForResource, resource, NONE)
                }
                UserResource::Permission {
                    resource,
                    permission,
                } => (
                    Operation::AuthorizeUser,
                    resource,
                    Cow::Borrowed(permission),
                ),
                UserResource::Roles { resource } => {
                    (Operation::GetUserRolesForResource, resource, NONE)
                }
            };
            Routed {
                operation,
                arguments: [read.user, resource, permission],
            }
        }),
        ("v1", "resources") => match resource_path(rest) {
            Some(ResourcePath::Users(resource)) => Some(Routed {
                operation: Operation::GetResourceUsers,
                arguments: [resource, NONE, NONE],
            }),
            Some(ResourcePath::Itself(resource)) => {
                let operation = match *method {
                    Method::GET => Operation::GetPermissionedResource,
                    Method::PUT => Operation::UpdatePermissionedResource,
                    _ => {
                        let others = READING.into_iter().chain([Method::PUT]);
                        return Err(Refusal::NoSuchMethod(others.collect()));
                    }
                };
                return Ok(Some(Routed {
                    operation,
                    arguments: [resource, NONE, NONE],
                }));
            }
            None => None,
        },
        _ => None,
    };
    match routed {
        Some(_) if *method != Method::GET => Err(Refusal::NoSuchMethod(READING.to_vec())),
        routed => Ok(routed),
    }
}

/// The table: the operation of a method on a path, but for those matched by keyword.
#[rustfmt::skip]
#[expect(clippy::too_many_lines, reason = "a table with a line for each route")]
fn operation<'a>(method: &Method, path: &[&'a str]) -> Option<(Operation, [&'a str; 3])> {
    let found = |operation| Some((operation, [""; 3]));
    let with = |operation, id: &'a str| Some((operation, [id, "", ""]));
    let with_two = |operation, id: &'a str, part: &'a str| Some((operation, [id, part, ""]));
    match (method.as_str(), path) {
        ("POST", ["v1", "invites"]) => found(Operation::CreateInvite),
        ("GET", ["v1", "invites"]) => found(Operation::GetInvites),
        ("POST", ["v1", "invites", "batch"]) => found(Operation::CreateInvites),
        ("GET", ["v1", "invites", "statistics"]) => found(Operation::GetInviteStatistics),
        ("POST", ["v1", "invites", "revocations"]) => found(Operation::RevokeInvites),
        ("POST", ["v1", "invites", "previews"]) => found(Operation::PreviewInvite),
        ("POST", ["v1", "invites", "declines"]) => found(Operation::DeclineInvite),
        ("POST", ["v1", "invites", "report-leak"]) => found(Operation::ReportInviteLeak),
        ("PUT", ["v1", "invites", reference]) if is_invite(reference) => with(Operation::UpdateInvite, reference),
        ("POST", ["v1", "invites", reference, "renewals"]) => with(Operation::RenewInvite, reference),
        ("POST", ["v1", "invites", id, "effect"]) => with(Operation::GetInviteEffect, id),
        ("GET", ["v1", "invites", reference, "events"]) => with(Operation::GetInviteEvents, reference),
        ("GET", ["v1", "invites", reference, "acceptances"]) => with(Operation::GetInviteAcceptances, reference),
        ("DELETE", ["v1", "invites", reference, "grants"]) => with(Operation::UndoInvite, reference),
        ("GET", ["v1", "invites", id]) if is_invite(id) => with(Operation::GetInvite, id),
        ("PATCH", ["v1", "invites", id]) if is_invite(id) => with(Operation::RespondToInvite, id),
        ("DELETE", ["v1", "invites", id]) if is_invite(id) => with(Operation::DeleteInvite, id),
        ("POST", ["v1", "records"]) => found(Operation::CreateRecord),
        ("GET", ["v1", "records"]) => found(Operation::GetRecords),
        ("GET", ["v1", "records", id]) => with(Operation::GetRecord, id),
        // The C# SDK updates records and groups with POST (contract §0.2 rule 15).
        ("PUT" | "POST", ["v1", "records", id]) => with(Operation::UpdateRecord, id),
        ("DELETE", ["v1", "records", id]) => with(Operation::DeleteRecord, id),
        ("POST", ["v1", "claims"]) => found(Operation::CreateClaim),
        ("POST", ["v1", "requests"]) => found(Operation::CreateRequest),
        ("GET", ["v1", "requests"]) => found(Operation::GetRequests),
        ("GET", ["v1", "requests", id]) => with(Operation::GetRequest, id),
        ("PATCH", ["v1", "requests", id]) => with(Operation::RespondToAccessRequest, id),
        ("DELETE", ["v1", "requests", id]) => with(Operation::DeleteRequest, id),
        ("POST", ["v1", "groups"]) => found(Operation::CreateGroup),
        ("GET", ["v1", "groups"]) => found(Operation::GetGroups),
        ("GET", ["v1", "groups", id]) => with(Operation::GetGroup, id),
        ("PUT" | "POST", ["v1", "groups", id]) => with(Operation::UpdateGroup, id),
        ("DELETE", ["v1", "groups", id]) => with(Operation::DeleteGroup, id),
        ("POST", ["v1", "roles"]) => found(Operation::CreateRole),
        ("GET", ["v1", "roles"]) => found(Operation::GetRoles),
        ("GET", ["v1", "roles", id]) => with(Operation::GetRole, id),
        ("PUT", ["v1", "roles", id]) => with(Operation::UpdateRole, id),
        ("DELETE", ["v1", "roles", id]) => with(Operation::DeleteRole, id),
        ("POST", ["v1", "clients"]) => found(Operation::CreateClient),
        ("GET", ["v1", "clients"]) => found(Operation::GetClients),
        ("GET", ["v1", "clients", id]) => with(Operation::GetClient, id),
        ("PUT", ["v1", "clients", id]) => with(Operation::UpdateClient, id),
        ("DELETE", ["v1", "clients", id]) => with(Operation::DeleteClient, id),
        ("POST", ["v1", "clients", id, "access-keys"]) => with(Operation::RequestAccessKey, id),
        ("DELETE", ["v1", "clients", id, "access-keys", key]) => with_two(Operation::DeleteAccessKey, id, key),
        ("GET", ["v1", "clients", id, ".well-known", "openid-configuration", "jwks"]) => with(Operation::GetClientTokenKeys, id),
        ("GET", ["v1", "users"]) => found(Operation::GetUsers),
        ("GET", ["v1", "users", id, "invites"]) => with(Operation::GetUserInvites, id),
        ("GET", ["v1", "users", id]) => with(Operation::GetUser, id),
        ("DELETE", ["v1", "users", id]) => with(Operation::DeleteUser, id),
        ("GET", ["v1", "settings", "invites"]) => found(Operation::GetInviteSettings),
        ("PUT", ["v1", "settings", "invites"]) => found(Operation::SetInviteSettings),
        ("GET", ["v1", "resources"]) => found(Operation::GetPermissionedResources),
        ("GET", ["v1", "events"]) => found(Operation::GetEvents),
        ("POST", ["v1", "webhooks"]) => found(Operation::CreateWebhook),
        ("GET", ["v1", "webhooks"]) => found(Operation::GetWebhooks),
        ("GET", ["v1", "webhooks", id]) => with(Operation::GetWebhook, id),
        ("PUT", ["v1", "webhooks", id]) => with(Operation::UpdateWebhook, id),
        ("DELETE", ["v1", "webhooks", id]) => with(Operation::DeleteWebhook, id),
        ("POST", ["v1", "webhooks", id, "secret"]) => with(Operation::RotateWebhookSecret, id),
        ("GET", ["v1", "webhooks", id, "deliveries"]) => with(Operation::GetWebhookDeliveries, id),
        ("POST", ["v1", "webhooks", id, "replay"]) => with(Operation::ReplayWebhook, id),
        ("POST", ["v1", "webhooks", id, "test"]) => with(Operation::TestWebhook, id),
        ("GET", ["v1", "accounts"]) => found(Operation::GetAccounts),
        ("GET", ["v1", "accounts", id]) => with(Operation::GetAccount, id),
        ("GET", ["v1", "identities"]) => found(Operation::GetAccountIdentities),
        ("POST", ["v1", "identities"]) => found(Operation::DelegateAuthentication),
        ("POST", ["v1", "connections"]) => found(Operation::CreateConnection),
        ("GET", ["v1", "connections"]) => found(Operation::GetConnections),
        ("GET", ["v1", "connections", id]) => with(Operation::GetConnection, id),
        ("PUT", ["v1", "connections", id]) => with(Operation::UpdateConnection, id),
        ("DELETE", ["v1", "connections", id]) => with(Operation::DeleteConnection, id),
        ("POST", ["v1", "users", id, "tokens"]) => with(Operation::RequestUserToken, id),
        ("DELETE", ["v1", "users", id, "tokens", token]) => with_two(Operation::DisableUserToken, id, token),
        // The JavaScript SDK leaves the last member out (contract §1.14).
        ("PUT", ["v1", "users", id, "token-configuration"] | ["v1", "users", id]) => with(Operation::SetUserTokenConfiguration, id),
        ("POST", ["v1", "applications"]) => found(Operation::CreateApplication),
        ("GET", ["v1", "applications"]) => found(Operation::GetApplications),
        ("GET", ["v1", "applications", id]) => with(Operation::GetApplication, id),
        ("PUT", ["v1", "applications", id]) => with(Operation::UpdateApplication, id),
        ("DELETE", ["v1", "applications", id]) => with(Operation::DeleteApplication, id),
        ("POST", ["v1", "extensions"]) => found(Operation::CreateExtension),
        ("GET", ["v1", "extensions"]) => found(Operation::GetExtensions),
        ("GET", ["v1", "extensions", id]) => with(Operation::GetExtension, id),
        ("PUT", ["v1", "extensions", id]) => with(Operation::UpdateExtension, id),
        ("DELETE", ["v1", "extensions", id]) => with(Operation::DeleteExtension, id),
        ("POST", ["v1", "tenants"]) => found(Operation::CreateTenant),
        ("GET", ["v1", "tenants"]) => found(Operation::GetTenants),
        ("GET", ["v1", "tenants", id]) => with(Operation::GetTenant, id),
        ("PUT", ["v1", "tenants", id]) => with(Operation::UpdateTenant, id),
        ("DELETE", ["v1", "tenants", id]) => with(Operation::DeleteTenant, id),
        ("PATCH", ["v1", "tenants", id, "users"]) => with(Operation::LinkTenantUser, id),
        ("POST", ["api", "authentication", "oauth", "tokens"]) => found(Operation::RequestToken),
        ("POST", ["v1", "dev", "tokens"]) => found(Operation::CreateDevelopmentToken),
        ("GET", [".well-known", "openid-configuration"]) => found(Operation::GetOpenIdConfiguration),
        ("GET", [".well-known", "openid-configuration", "jwks"]) => found(Operation::GetUserTokenKeys),
        ("GET", ["healthz"]) => found(Operation::GetHealth),
        ("GET", ["readyz"]) => found(Operation::GetReadiness),
        ("GET", ["metrics"]) => found(Operation::GetMetrics),
        ("GET", ["openapi.json"]) => found(Operation::GetOpenApi),
        ("GET", ["docs"]) => found(Operation::GetDocumentation),
        ("GET", ["docs", file]) => with(Operation::GetDocumentation, file),
        _ => None,
    }
}

/// Whether this is the place of an invite, and not one of the collections beside them.
fn is_invite(id: &str) -> bool {
    !matches!(
        id,
        "batch" | "revocations" | "previews" | "declines" | "report-leak" | "statistics"
    )
}

/// Methods that some operation has on a path, for `Allow`.
fn methods(path: &[&str]) -> Vec<Method> {
    let has = |method: &Method| operation(method, path).is_some();
    let others = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let reading: &[Method] = if has(&Method::GET) { &READING } else { &[] };
    reading
        .iter()
        .cloned()
        .chain(others.into_iter().filter(has))
        .collect()
}

/// What the hosted API has and this server does not have yet, by the start of its path. It answers
/// 501: an answer that only pretends would be worse.
fn not_built(path: &[&str]) -> Option<&'static str> {
    match path {
        ["v1", "connections", _, "users", .., "credentials"] => {
            Some("the credentials that users get by signing in through a connection")
        }
        ["v1", "applications", _, "users", .., "delegation"] => {
            Some("signing users in to the applications of others")
        }
        ["api", "authentication" | "session" | "identities", ..] => Some("sign-in"),
        ["login" | "settings" | "logout"] => Some("sign-in pages"),
        _ => None,
    }
}
