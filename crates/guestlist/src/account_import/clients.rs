//! Service clients. This server makes their ids itself, so each gets a new one and a tag that says of
//! which it is the import; whatever names the old id names the new one here.

use std::collections::BTreeMap;

use guestlist_client::api::clients::{Client as ServiceClient, ClientRequest};
use guestlist_client::api::ids::UserId;
use guestlist_client::api::records::User;
use guestlist_client::{Client, Error};
use serde_json::Value;

use super::carrying::{Comparison, MOST, Noun, Present, Why, text};
use super::kinds::Kind;
use super::origins::{self, Found, with_origin, without_origin};
use super::state::State;
use crate::plan::client_form;

/// The service clients of this server, read once.
#[derive(Default)]
pub(super) struct Clients {
    here: Option<BTreeMap<String, ServiceClient>>,
}

/// Puts the new ids of service clients in the place of the old ones.
pub(super) fn rename<'a>(state: &State, users: impl IntoIterator<Item = &'a mut User>) {
    for user in users {
        let made_as = state.made_as(Kind::Clients, user.user_id.principal());
        if let Some(made_as) = made_as.and_then(|id| id.parse::<UserId>().ok()) {
            user.user_id = made_as;
        }
    }
}

impl Noun for Clients {
    const KIND: Kind = Kind::Clients;
    const LIST: (&'static str, &'static str) = ("/v1/clients", "clients");
    type Read = ServiceClient;
    type Wanted = ClientRequest;
    type Here = ServiceClient;

    fn id(document: &Value) -> Option<String> {
        text(document, "clientId")
    }

    fn wanted(&self, read: ServiceClient, _state: &State) -> Result<ClientRequest, Why> {
        let mut request = read.to_request()?;
        request.tags = with_origin(&read.tags, read.client_id.as_str())?;
        Ok(request)
    }

    fn left_behind(read: &ServiceClient) -> Option<String> {
        let keys = read.verification_keys.len();
        (keys > 0).then(|| format!("its {keys} access keys stay behind: make it a new one"))
    }

    async fn present(
        &mut self,
        here: &Client,
        id: &str,
        _wanted: &ClientRequest,
        state: &State,
    ) -> Result<Present<ServiceClient>, Error> {
        if self.here.is_none() {
            let mut clients = BTreeMap::new();
            let mut pages = here.service_clients().list().page_limit(MOST as u64);
            while let Some(client) = pages.try_next().await? {
                clients.insert(client.client_id.to_string(), client);
            }
            self.here = Some(clients);
        }
        let made_as = state.made_as(Kind::Clients, id);
        let clients = self.here.iter().flatten();
        let found = origins::find(clients, id, made_as, |client| &client.tags);
        Ok(match found {
            // Whoever may change service clients can write the tag. Without keys it is nobody's yet,
            // and whoever makes it a key must be able to give what it holds.
            Found::Tagged(client) if !client.verification_keys.is_empty() => {
                Present::Doubtful(format!(
                    "{0} is tagged as its import and has access keys: if it is to stand for it, say \
                     --client {id}={0}",
                    client.client_id
                ))
            }
            Found::Absent => Present::Absent,
            Found::Gone => Present::Doubtful(origins::GONE.to_owned()),
            Found::Same(client) | Found::Tagged(client) => Present::Here(client.clone()),
            Found::Several => Present::Doubtful(format!(
                "several service clients are tagged as its import: say which with --client {id}=…"
            )),
        })
    }

    fn made_as(here: &ServiceClient) -> Option<String> {
        Some(here.client_id.to_string())
    }

    fn compare(&self, here: &ServiceClient, wanted: &ClientRequest) -> Comparison {
        let form = |mut request: ClientRequest| {
            request.tags = without_origin(&request.tags);
            client_form(&request)
        };
        Comparison::of_forms(here.to_request().map(form), &form(wanted.clone()))
    }

    async fn create(
        &mut self,
        here: &Client,
        wanted: &ClientRequest,
    ) -> Result<ServiceClient, Error> {
        here.service_clients().create_client(wanted).await
    }

    async fn replace(
        &mut self,
        here: &Client,
        present: &ServiceClient,
        wanted: &ClientRequest,
    ) -> Result<(), Error> {
        let written = here.service_clients();
        let written = written.update_client(&present.client_id, wanted);
        written.await.map(drop)
    }
}
