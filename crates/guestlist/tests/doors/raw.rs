//! The door of raw HTTP: what the contract says, byte by byte, without our types.

use serde_json::{Value, json};

use crate::calls::{Call, Came};
use crate::{Credential, Outcome, Scene};

/// Everything but unreserved characters, percent-encoded.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn statement(role: &str, resource: &str) -> Value {
    json!({"roles": [role], "resources": [{"resourceUri": resource}]})
}

/// Method, target and body of a call.
fn request(scene: &Scene, call: &Call) -> (&'static str, String, Option<Value>) {
    let get = |path: String| ("GET", path, None);
    let delete = |path: String| ("DELETE", path, None);
    let post = |path: &str, body: Value| ("POST", path.to_owned(), Some(body));
    let invite = format!("/v1/invites/{}", scene.invite);
    let client = format!("/v1/clients/{}", scene.client);
    match call {
        Call::CreateRole { id, allow } => post(
            "/v1/roles",
            json!({"roleId": id, "name": id, "permissions":
                [{"action": allow, "allow": true, "grant": false, "delegate": false}]}),
        ),
        Call::ShowRole(id) => get(format!("/v1/roles/{id}")),
        Call::DeleteRole(id) => delete(format!("/v1/roles/{id}")),
        Call::CreateGroup { id, user } => post(
            "/v1/groups",
            json!({"groupId": id, "name": id, "users": [{"userId": user}]}),
        ),
        Call::ShowGroup(id) => get(format!("/v1/groups/{id}")),
        Call::DeleteGroup(id) => delete(format!("/v1/groups/{id}")),
        Call::CreateRecord {
            id,
            user,
            role,
            resource,
        } => post(
            "/v1/records",
            json!({"recordId": id, "name": id, "users": [{"userId": user}],
                "statements": [statement(role, resource)]}),
        ),
        Call::ShowRecord(id) => get(format!("/v1/records/{id}")),
        Call::ListRecords => get("/v1/records".to_owned()),
        Call::DeleteRecord(id) => delete(format!("/v1/records/{id}")),
        Call::CreateInvite { role, resource } => post(
            "/v1/invites",
            json!({"statements": [statement(role, resource)]}),
        ),
        Call::ShowInvite => get(invite),
        Call::AcceptInvite => ("PATCH", invite, None),
        Call::RevokeInvite => delete(invite),
        Call::Check {
            user,
            resource,
            action,
        } => get(format!(
            "/v1/users/{}/resources/{}/permissions/{}",
            encoded(user),
            encoded(resource),
            encoded(action)
        )),
        Call::WhoCan { action, resource } => get(format!(
            "/v1/resources/{}/users?permission={}",
            encoded(resource),
            encoded(action)
        )),
        Call::CreateClient { name } => post("/v1/clients", json!({"name": name})),
        Call::ShowClient => get(client),
        Call::CreateKey => ("POST", format!("{client}/access-keys"), None),
        Call::DeleteKey => delete(format!("{client}/access-keys/{}", scene.key.0)),
        Call::DeleteClient => delete(client),
        Call::ListIdentities => get("/v1/identities".to_owned()),
        Call::ShowAccount => get("/v1/accounts".to_owned()),
    }
}

/// What a list holds, where the other doors tell the items alone.
fn unwrapped(call: &Call, mut body: Value) -> Value {
    match call {
        Call::ListRecords => body["records"].take(),
        Call::WhoCan { .. } => body["users"].take(),
        Call::ListIdentities => body["identities"].take(),
        Call::ShowAccount => match body["accounts"].take() {
            Value::Array(accounts) => Value::Array(accounts),
            account => json!([account]),
        },
        _ => body,
    }
}

pub(crate) fn came(status: u16, call: &Call) -> Came {
    match status {
        200..=299 => Came::Done,
        400 | 413 | 422 => Came::Invalid,
        401 | 403 => Came::Denied,
        404 if matches!(call, Call::Check { .. }) => Came::No,
        404 => Came::NotFound,
        409 | 412 => Came::Conflict,
        other => panic!("{call:?} answered {other}"),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is another program, so to say, and calls loopback only"
)]
pub(crate) async fn call(scene: &Scene, credential: &Credential, call: &Call) -> Outcome {
    let (method, target, body) = request(scene, call);
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let mut request =
        reqwest::Client::new().request(method, format!("{}{target}", scene.server.url()));
    // The key itself is taken as a bearer token too.
    if let Credential::Key(secret) | Credential::Token(secret) = credential {
        request = request.bearer_auth(secret);
    }
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    let came = came(answer.status().as_u16(), call);
    let text = answer.text().await.unwrap();
    let data = if came == Came::Done {
        unwrapped(call, serde_json::from_str(&text).unwrap_or_default())
    } else {
        Value::Null
    };
    Outcome {
        came,
        data: crate::calls::told(call, data),
    }
}
