//! Service clients. This server makes their ids itself, so each gets a new one and a tag that says of
//! which it is the import; whatever names the old id names the new one here.

use std::collections::BTreeMap;

use guestlist_client::api::clients::{Client as ServiceClient, ClientRequest};
use guestlist_client::api::ids::UserId;
use guestlist_client::api::records::User;
use guestlist_client::api::text::{Malformed, Tags};
use guestlist_client::{Client, Error};
use serde_json::Value;

use super::carrying::{Comparison, MOST, Noun, Present, Why, text};
use super::kinds::Kind;
use super::state::State;
use crate::plan::client_form;

/// The tag of what got a new id here: the old one.
pub(super) const ORIGIN: &str = "guestlist:imported-from";

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

/// The same tags and that of the origin.
pub(super) fn with_origin(tags: Tags, id: &str) -> Result<Tags, Malformed> {
    tags.with(ORIGIN, id)
}

/// What the tag of the origin says.
pub(super) fn origin(tags: &Tags) -> Option<&str> {
    tags.iter()
        .find(|(name, _)| *name == ORIGIN)
        .map(|(_, id)| id)
}

/// The same tags without that of the origin, which makes no difference.
pub(super) fn without_origin(tags: &Tags) -> Tags {
    tags.iter()
        .filter(|(name, _)| *name != ORIGIN)
        .fold(Tags::new(), |tags, (name, value)| {
            // They are tags already.
            tags.clone().with(name, value).unwrap_or(tags)
        })
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
        request.tags = with_origin(without_origin(&read.tags), read.client_id.as_str())?;
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
        let clients = self.here.iter().flatten();
        let mut same = None;
        let mut tagged = Vec::new();
        for (its_id, client) in clients {
            if its_id == id || state.made_as(Kind::Clients, id) == Some(its_id) {
                same = Some(client);
            } else if origin(&client.tags) == Some(id) {
                tagged.push(client);
            }
        }
        Ok(match (same, tagged.as_slice()) {
            (Some(client), _) => Present::Here(client.clone()),
            (None, []) => Present::Absent,
            // Whoever may change service clients can write the tag. Without keys it is nobody's yet,
            // and whoever makes it a key must be able to give what it holds.
            (None, [client]) if client.verification_keys.is_empty() => {
                Present::Here((*client).clone())
            }
            (None, [client, ..]) => Present::Doubtful(format!(
                "{} is tagged as its import, and has access keys or is not the only one: if it is to \
                 stand for it, say --client {id}={}",
                client.client_id, client.client_id
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
    ) -> Result<Option<String>, Error> {
        let made = here.service_clients().create_client(wanted).await?;
        Ok(Some(made.client_id.to_string()))
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
