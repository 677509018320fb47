//! An OpenID provider with the device grant (RFC 8628) that follows a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::fake_server::{Asked, FakeServer, Reply};

/// What the token endpoint says, one after the other.
type Script = Arc<Mutex<VecDeque<(u16, Value)>>>;

pub(crate) struct FakeProvider {
    server: FakeServer,
    script: Script,
}

/// Members of the discovery document that a test wants to be otherwise; `null` leaves one out.
pub(crate) fn provider(otherwise: Value) -> FakeProvider {
    let script = Script::default();
    let told = Arc::clone(&script);
    // The name is known only when it listens.
    let place: Arc<Mutex<String>> = Arc::default();
    let name = Arc::clone(&place);
    let server = FakeServer::start(move |asked: &Asked| {
        let name = name.lock().unwrap().clone();
        match asked.path.as_str() {
            "/.well-known/openid-configuration" => Reply::json(200, &discovery(&name, &otherwise)),
            "/device" => Reply::json(
                200,
                &json!({
                    "device_code": "device-code-secret",
                    "user_code": "WDJB-MJHT",
                    "verification_uri": format!("{name}/activate"),
                    "verification_uri_complete": format!("{name}/activate?code=WDJB-MJHT"),
                    "expires_in": 60,
                    "interval": 1,
                }),
            ),
            "/token" => match told.lock().unwrap().pop_front() {
                Some((status, body)) => Reply::json(status, &body),
                None => Reply::json(400, &json!({ "error": "invalid_grant" })),
            },
            "/revoke" => Reply::json(200, &json!({})),
            _ => Reply::json(404, &json!({})),
        }
    });
    *place.lock().unwrap() = server.url();
    FakeProvider { server, script }
}

fn discovery(name: &str, otherwise: &Value) -> Value {
    let mut document = json!({
        "issuer": name,
        "jwks_uri": format!("{name}/keys"),
        "token_endpoint": format!("{name}/token"),
        "device_authorization_endpoint": format!("{name}/device"),
        "revocation_endpoint": format!("{name}/revoke"),
    });
    for (member, value) in otherwise.as_object().into_iter().flatten() {
        if value.is_null() {
            document.as_object_mut().unwrap().remove(member);
        } else {
            document[member] = value.clone();
        }
    }
    document
}

impl FakeProvider {
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// The next answer of the token endpoint.
    pub(crate) fn then(&self, status: u16, body: Value) -> &Self {
        self.script.lock().unwrap().push_back((status, body));
        self
    }

    pub(crate) fn then_error(&self, error: &str) -> &Self {
        self.then(400, json!({ "error": error }))
    }

    /// Every form with which this endpoint was asked.
    pub(crate) fn forms(&self, path: &str) -> Vec<Asked> {
        let asked = self.server.asked();
        asked
            .into_iter()
            .filter(|asked| asked.path == path)
            .collect()
    }

    /// How often a token was to be renewed.
    pub(crate) fn renewals(&self) -> usize {
        let forms = self.forms("/token");
        let renewals = forms.iter().filter(|asked| {
            asked.form.get("grant_type").map(String::as_str) == Some("refresh_token")
        });
        renewals.count()
    }
}
