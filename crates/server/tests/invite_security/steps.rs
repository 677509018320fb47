//! What the rows have in common: invites to make and to accept, and people of an issuer.

use serde_json::{Value, json};

use crate::fake_issuer::{FakeIssuer, SigningKey};
use crate::world::{Reply, START, World, invite_of};

pub(crate) const DAY: i64 = 24 * 60 * 60 * 1000;
const AUDIENCE: &str = "https://app.example";

/// An invite to read this.
pub(crate) fn reads(resource: &str) -> Value {
    invite_of(&["Authress:ReadResource"], &[resource])
}

/// The same with more members.
pub(crate) fn reads_with(resource: &str, more: &Value) -> Value {
    let mut invite = reads(resource);
    for (name, value) in more.as_object().unwrap() {
        invite[name] = value.clone();
    }
    invite
}

/// An invite of the owner's.
pub(crate) async fn made(world: &World, resource: &str, more: &Value) -> String {
    world
        .invite(&world.owner, &reads_with(resource, more))
        .await
}

pub(crate) async fn accept(world: &World, credential: &str, id: &str) -> Reply {
    let target = format!("/v1/invites/{id}");
    world.send(credential, "PATCH", &target, None).await
}

/// Fails unless accepting is refused so.
#[track_caller]
pub(crate) fn refused(reply: &Reply, status: u16, code: &str) {
    let told = (reply.status, reply.code());
    assert_eq!(told, (status, code.to_owned()), "{}", reply.text);
}

/// What happened to an invite, as its history says.
pub(crate) async fn history(world: &World, reference: &str) -> Vec<String> {
    let target = format!("/v1/invites/{reference}/events");
    let found = world.own("GET", &target, None).await.expect(200).json();
    let events = found["events"].as_array().unwrap().iter();
    events
        .map(|event| event["change"].as_str().unwrap().to_owned())
        .collect()
}

/// A linked issuer, whose people have their `sub` as user id.
pub(crate) struct Linked {
    pub(crate) issuer: FakeIssuer,
    key: SigningKey,
}

impl Linked {
    pub(crate) async fn new(world: &World) -> Self {
        let key = SigningKey::ed25519("k1", 3);
        let issuer = FakeIssuer::start(&[&key]).await;
        let body = json!({"issuer": issuer.name(), "preferredAudience": AUDIENCE,
            "userIdExpression": "{sub}"});
        world
            .own("POST", "/v1/identities", Some(&body))
            .await
            .expect(201);
        Self { issuer, key }
    }

    /// A token with these claims besides the usual ones.
    pub(crate) fn token(&self, subject: &str, more: &Value) -> String {
        let now = START / 1000;
        let mut claims = json!({"iss": self.issuer.name(), "sub": subject, "aud": AUDIENCE,
            "iat": now, "exp": now + 3600});
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.key.token(&claims)
    }
}
