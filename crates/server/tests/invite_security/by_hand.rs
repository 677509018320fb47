//! The handlers of invites without HTTP, for tests that call them ten thousand times or stop them
//! half-way; and what the store then holds of an invite.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use guestlist_api::ids::UserId;
use guestlist_api::invite_lists::InviteResponse;
use guestlist_rules::caller::Caller;
use guestlist_rules::changes::{Kind, Revision};
use guestlist_server::app::App;
use guestlist_server::ask::{Ask, Library};
use guestlist_server::invites::{create_invite, delete_invite, respond_to_invite};
use guestlist_server::refusal::Refusal;
use guestlist_store::{Position, Selection};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::Value;

use crate::world::World;

/// Status and code of a refusal, as the caller would be told.
pub(crate) type Refused = (u16, String);

fn told(refusal: &Refusal) -> Refused {
    let told = refusal.for_caller();
    (told.status.as_u16(), told.code.to_string())
}

/// Who has this credential, proved as for a request.
pub(crate) async fn caller(world: &World, credential: &str) -> Arc<Caller> {
    let mut headers = HeaderMap::new();
    let bearer = format!("Bearer {credential}").parse().unwrap();
    headers.insert(AUTHORIZATION, bearer);
    world.app.callers.identify(&headers).await.unwrap()
}

fn ask<'a>(app: &'a App, caller: &'a Caller) -> Ask<'a> {
    Ask {
        app,
        caller,
        request_id: "by-hand",
        now: app.clock.now(),
        library: Library::Other,
        address: Ipv4Addr::LOCALHOST.into(),
    }
}

/// Makes an invite and gives its id.
pub(crate) async fn create(app: &App, caller: &Caller, body: &Value) -> String {
    let request = serde_json::from_value(body.clone()).unwrap();
    let made = create_invite(ask(app, caller), request, None).await;
    let made: Value = serde_json::from_slice(&made.unwrap().body).unwrap();
    made["inviteId"].as_str().unwrap().to_owned()
}

pub(crate) async fn accept(app: &App, caller: &Caller, id: &str) -> Result<(), Refused> {
    let answer = respond_to_invite(ask(app, caller), id, InviteResponse::default()).await;
    answer.map(drop).map_err(|refusal| told(&refusal))
}

pub(crate) async fn delete(app: &App, caller: &Caller, id: &str) -> Result<(), Refused> {
    let answer = delete_invite(ask(app, caller), id).await;
    answer.map(drop).map_err(|refusal| told(&refusal))
}

/// Whether the user may read, as every check is answered from now on.
pub(crate) fn may_read(app: &App, user: &UserId, resource: &str) -> bool {
    let (resource, action) = (resource.parse().unwrap(), "read".parse().unwrap());
    app.grants().is_allowed(user, &resource, &action)
}

/// The public half of an id.
pub(crate) fn reference(id: &str) -> String {
    id[4..16].to_owned()
}

/// All documents of a kind.
pub(crate) async fn documents(app: &App, kind: Kind) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    let mut after = None;
    loop {
        let (all, after_this) = (Selection::All, after.as_ref());
        let page = app.store.list(kind, &all, after_this, 500).await.unwrap();
        let Some(last) = page.last() else {
            return found;
        };
        after = Some(Position {
            value: String::new(),
            id: last.value.id.clone(),
        });
        let bodies = page.iter().map(|seen| &seen.value.body);
        found.extend(bodies.map(|body| serde_json::from_slice(body).unwrap()));
    }
}

/// How often each user is given each resource, by all records that are there.
pub(crate) async fn gifts(app: &App) -> BTreeMap<(String, String), usize> {
    let mut gifts = BTreeMap::new();
    let listed = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for record in documents(app, Kind::AccessRecord).await {
        for statement in listed(&record["statements"]) {
            let users = [&record["users"], &statement["users"]];
            let users: Vec<Value> = users.into_iter().flat_map(listed).collect();
            for resource in listed(&statement["resources"]) {
                for user in &users {
                    let user = user["userId"].as_str().unwrap().to_owned();
                    let resource = resource["resourceUri"].as_str().unwrap().to_owned();
                    *gifts.entry((user, resource)).or_default() += 1;
                }
            }
        }
    }
    gifts
}

/// What was accepted and withdrawn, in the order of the log: the type, the reference and the actor.
pub(crate) async fn told_of_invites(app: &App) -> Vec<(String, String, String)> {
    let mut told = Vec::new();
    let mut newest = Revision(0);
    loop {
        let page = app.store.events_after(newest, 1_000).await.unwrap();
        let Some(last) = page.last() else {
            return told;
        };
        newest = last.revision;
        for line in page {
            if ["invite.accepted", "invite.revoked"].contains(&line.event.kind.as_str()) {
                let reference = line.event.data["reference"].as_str().unwrap().to_owned();
                told.push((line.event.kind, reference, line.event.actor));
            }
        }
    }
}
