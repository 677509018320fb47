//! The whole route table.
//!
//! Matching is on the segments of the raw path, each decoded once; see `paths.rs`.

use http::Method;

use crate::operations::Operation::{self, *};

/// What stands in the variable segments of a path, in their order.
pub type Arguments<'a> = [&'a str; 3];

/// The operation of a method on a path, without the reads of what users hold (they are matched by
/// keyword, see [`crate::paths`], because some SDKs do not encode slashes in user ids).
pub fn operation<'a>(method: &Method, path: &[&'a str]) -> Option<(Operation, Arguments<'a>)> {
    let found = |operation| Some((operation, [""; 3]));
    let with = |operation, id: &'a str| Some((operation, [id, "", ""]));
    let with_two = |operation, id: &'a str, part: &'a str| Some((operation, [id, part, ""]));
    match (method.as_str(), path) {
        ("POST", ["v1", "invites"]) => found(CreateInvite),
        ("GET", ["v1", "invites", id]) => with(GetInvite, id),
        ("PATCH", ["v1", "invites", id]) => with(RespondToInvite, id),
        ("DELETE", ["v1", "invites", id]) => with(DeleteInvite, id),
        ("POST", ["v1", "records"]) => found(CreateRecord),
        ("GET", ["v1", "records"]) => found(GetRecords),
        ("GET", ["v1", "records", id]) => with(GetRecord, id),
        // The C# SDK updates records and groups with POST (contract §0.2 rule 15).
        ("PUT" | "POST", ["v1", "records", id]) => with(UpdateRecord, id),
        ("DELETE", ["v1", "records", id]) => with(DeleteRecord, id),
        ("POST", ["v1", "groups"]) => found(CreateGroup),
        ("GET", ["v1", "groups"]) => found(GetGroups),
        ("GET", ["v1", "groups", id]) => with(GetGroup, id),
        ("PUT" | "POST", ["v1", "groups", id]) => with(UpdateGroup, id),
        ("DELETE", ["v1", "groups", id]) => with(DeleteGroup, id),
        ("POST", ["v1", "roles"]) => found(CreateRole),
        ("GET", ["v1", "roles"]) => found(GetRoles),
        ("GET", ["v1", "roles", id]) => with(GetRole, id),
        ("PUT", ["v1", "roles", id]) => with(UpdateRole, id),
        ("DELETE", ["v1", "roles", id]) => with(DeleteRole, id),
        ("POST", ["v1", "clients"]) => found(CreateClient),
        ("GET", ["v1", "clients"]) => found(GetClients),
        ("GET", ["v1", "clients", id]) => with(GetClient, id),
        ("PUT", ["v1", "clients", id]) => with(UpdateClient, id),
        ("DELETE", ["v1", "clients", id]) => with(DeleteClient, id),
        ("POST", ["v1", "clients", id, "access-keys"]) => with(RequestAccessKey, id),
        ("DELETE", ["v1", "clients", id, "access-keys", key]) => with_two(DeleteAccessKey, id, key),
        ("GET", ["v1", "clients", id, ".well-known", "openid-configuration", "jwks"]) => {
            with(GetClientTokenKeys, id)
        }
        ("GET", ["v1", "accounts"]) => found(GetAccounts),
        ("GET", ["v1", "accounts", id]) => with(GetAccount, id),
        ("GET", ["v1", "identities"]) => found(GetAccountIdentities),
        ("POST", ["v1", "identities"]) => found(DelegateAuthentication),
        ("POST", ["v1", "dev", "tokens"]) => found(CreateDevelopmentToken),
        ("GET", [".well-known", "openid-configuration"]) => found(GetOpenIdConfiguration),
        ("GET", [".well-known", "openid-configuration", "jwks"]) => found(GetUserTokenKeys),
        ("GET", ["healthz"]) => found(GetHealth),
        ("GET", ["readyz"]) => found(GetReadiness),
        ("GET", ["metrics"]) => found(GetMetrics),
        ("GET", ["openapi.json"]) => found(GetOpenApi),
        ("GET", ["docs"]) => found(GetDocumentation),
        ("GET", ["docs", file]) => with(GetDocumentation, file),
        _ => None,
    }
}

/// Methods that some operation has on a path, for `Allow`.
pub fn methods(path: &[&str]) -> Vec<Method> {
    [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE]
        .into_iter()
        .filter(|method| operation(method, path).is_some())
        .collect()
}

/// What the hosted API has and this server does not have yet, by the start of its path. It answers
/// 501: an answer that only pretends would be worse.
pub fn not_built(path: &[&str]) -> Option<&'static str> {
    match path {
        ["v1", "claims", ..] => Some("claims"),
        ["v1", "requests", ..] => Some("access requests"),
        ["v1", "resources"] | ["v1", "resources", _] => Some("resource configurations"),
        ["v1", "users"] | ["v1", "users", _] => Some("the list of users"),
        ["v1", "users", _, "tokens" | "token-configuration", ..] => Some("tokens of users"),
        ["v1", "tenants", ..] => Some("tenants"),
        ["v1", "connections", ..] => Some("connections"),
        ["v1", "applications", ..] => Some("applications"),
        ["v1", "extensions", ..] => Some("extensions"),
        ["api", "authentication" | "session" | "identities", ..] => Some("sign-in"),
        ["login" | "settings" | "logout"] => Some("sign-in pages"),
        _ => None,
    }
}
