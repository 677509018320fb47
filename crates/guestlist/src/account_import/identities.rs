//! Identities: the issuers whose tokens are believed. This server looks at each before it links it.

use guestlist_client::api::identities::{Identity, IdentityRequest};
use guestlist_client::{Client, Error};
use serde_json::Value;

use super::carrying::{Comparison, Noun, Present, Why, text};
use super::kinds::Kind;
use super::state::State;
use crate::plan::identity_form;

/// The identities of this server, read once.
#[derive(Default)]
pub(super) struct Identities {
    here: Option<Vec<Identity>>,
}

impl Noun for Identities {
    const KIND: Kind = Kind::Identities;
    const LIST: (&'static str, &'static str) = ("/v1/identities", "identities");
    type Read = Identity;
    type Wanted = Identity;
    type Here = Identity;

    fn id(document: &Value) -> Option<String> {
        let issuer = text(document, "issuer")?;
        Some(match text(document, "audience") {
            Some(audience) => format!("{issuer} for {audience}"),
            None => issuer,
        })
    }

    fn wanted(&self, read: Identity, _state: &State) -> Result<Identity, Why> {
        Ok(read)
    }

    async fn present(
        &mut self,
        here: &Client,
        _id: &str,
        wanted: &Identity,
        _state: &State,
    ) -> Result<Present<Identity>, Error> {
        if self.here.is_none() {
            let answer = here.accounts().get_account_identities().await?;
            self.here = Some(answer.identities);
        }
        let mut linked = self.here.iter().flatten();
        let same = linked.find(|identity| {
            identity.issuer == wanted.issuer && identity.audience == wanted.audience
        });
        Ok(same.map_or(Present::Absent, |same| Present::Here(same.clone())))
    }

    fn compare(&self, here: &Identity, wanted: &Identity) -> Comparison {
        let here = identity_form(&here.user_id_expression);
        Comparison::of(identity_form(&wanted.user_id_expression).differing(&here))
    }

    async fn create(&mut self, here: &Client, wanted: &Identity) -> Result<Identity, Error> {
        let request = IdentityRequest {
            jwt: None,
            issuer: Some(wanted.issuer.clone()),
            preferred_audience: Some(wanted.audience.clone()),
            user_id_expression: Some(wanted.user_id_expression.clone()),
        };
        here.accounts().delegate_authentication(&request).await?;
        Ok(wanted.clone())
    }

    async fn replace(
        &mut self,
        here: &Client,
        _present: &Identity,
        wanted: &Identity,
    ) -> Result<(), Error> {
        self.create(here, wanted).await.map(drop)
    }
}
