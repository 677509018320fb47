//! Extensions, each with its application and its service client, which a server makes with it: they
//! come before the lists of those, so that none is made twice.

use std::collections::BTreeMap;

use guestlist_client::api::extensions::{Extension, ExtensionRequest};
use guestlist_client::{Client, Error};
use serde_json::Value;

use super::carrying::{Comparison, MOST, Noun, Present, Why, differing, text};
use super::kinds::Kind;
use super::origins::{self, Found, with_origin, without_origin};
use super::state::State;

/// The extensions of this server, read once.
#[derive(Default)]
pub(super) struct Extensions {
    here: Option<BTreeMap<String, Extension>>,
}

/// What to write, and the ids of what belongs to it on the other server.
pub(super) struct Wanted {
    request: ExtensionRequest,
    application: Option<String>,
    client: Option<String>,
}

impl Noun for Extensions {
    const KIND: Kind = Kind::Extensions;
    const LIST: (&'static str, &'static str) = ("/v1/extensions", "extensions");
    type Read = Extension;
    type Wanted = Wanted;
    type Here = Extension;

    fn id(document: &Value) -> Option<String> {
        text(document, "extensionId")
    }

    fn wanted(&self, read: Extension, _state: &State) -> Result<Wanted, Why> {
        let mut request = read.to_request()?;
        request.tags = with_origin(&read.tags, read.extension_id.as_str())?;
        Ok(Wanted {
            request,
            application: read.application.map(|one| one.application_id.into_string()),
            client: read.client.map(|one| one.client_id.into_string()),
        })
    }

    fn left_behind(read: &Extension) -> Option<String> {
        read.client
            .as_ref()
            .map(|_| "access keys of its service client stay behind".to_owned())
    }

    async fn present(
        &mut self,
        here: &Client,
        id: &str,
        _wanted: &Wanted,
        state: &State,
    ) -> Result<Present<Extension>, Error> {
        if self.here.is_none() {
            let mut extensions = BTreeMap::new();
            let mut pages = here.extensions().list().page_limit(MOST as u64);
            while let Some(extension) = pages.try_next().await? {
                extensions.insert(extension.extension_id.to_string(), extension);
            }
            self.here = Some(extensions);
        }
        let made_as = state.made_as(Kind::Extensions, id);
        let extensions = self.here.iter().flatten();
        let found = origins::find(extensions, id, made_as, |extension| &extension.tags);
        Ok(match found {
            Found::Absent => Present::Absent,
            Found::Gone => Present::Doubtful(origins::GONE.to_owned()),
            Found::Same(extension) => Present::Here(extension.clone()),
            Found::Tagged(extension) => match &extension.client {
                // Whoever may change extensions can write the tag: see service clients.
                Some(client) if has_keys(here, client.client_id.as_str()).await? => {
                    Present::Doubtful(format!(
                        "{} is tagged as its import and its service client has access keys: take the \
                         tag {} away from it, or delete it",
                        extension.extension_id,
                        origins::ORIGIN
                    ))
                }
                Some(_) | None => Present::Here(extension.clone()),
            },
            Found::Several => {
                Present::Doubtful("several extensions are tagged as its import".to_owned())
            }
        })
    }

    fn made_as(here: &Extension) -> Option<String> {
        Some(here.extension_id.to_string())
    }

    fn made_with(here: &Extension, wanted: &Wanted) -> Vec<(Kind, String, String)> {
        let application = here.application.as_ref();
        let client = here.client.as_ref();
        let pairs = [
            (
                Kind::Applications,
                &wanted.application,
                application.map(|one| one.application_id.as_str()),
            ),
            (
                Kind::Clients,
                &wanted.client,
                client.map(|one| one.client_id.as_str()),
            ),
        ];
        let made = pairs.into_iter().filter_map(|(kind, there, here)| {
            let (there, here) = there.as_deref().zip(here)?;
            (there != here).then(|| (kind, there.to_owned(), here.to_owned()))
        });
        made.collect()
    }

    fn compare(&self, here: &Extension, wanted: &Wanted) -> Comparison {
        let plain = |mut request: ExtensionRequest| {
            request.tags = without_origin(&request.tags);
            request
        };
        match here.to_request() {
            Ok(here) => Comparison::of(differing(&plain(here), &plain(wanted.request.clone()))),
            Err(reason) => Comparison::Differs(vec![reason.to_string()]),
        }
    }

    async fn create(&mut self, here: &Client, wanted: &Wanted) -> Result<Extension, Error> {
        here.extensions().create_extension(&wanted.request).await
    }

    async fn replace(
        &mut self,
        here: &Client,
        present: &Extension,
        wanted: &Wanted,
    ) -> Result<(), Error> {
        let extensions = here.extensions();
        let written = extensions.update_extension(&present.extension_id, &wanted.request);
        written.await.map(drop)
    }
}

async fn has_keys(here: &Client, id: &str) -> Result<bool, Error> {
    let Ok(id) = id.parse() else {
        return Ok(true);
    };
    match here.service_clients().get_client(&id).await {
        Ok(client) => Ok(!client.verification_keys.is_empty()),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}
