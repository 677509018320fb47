//! Tenants. Which users belong to one is in no list.

use guestlist_client::api::ids::TenantId;
use guestlist_client::api::tenants::{Tenant, TenantRequest};
use guestlist_client::{Client, Error};
use serde_json::Value;

use super::carrying::{Comparison, Noun, Present, Why, differing, found, text};
use super::kinds::Kind;
use super::state::State;

pub(super) struct Tenants;

impl Noun for Tenants {
    const KIND: Kind = Kind::Tenants;
    const LIST: (&'static str, &'static str) = ("/v1/tenants", "tenants");
    type Read = Tenant;
    type Wanted = (TenantId, TenantRequest);
    type Here = Tenant;

    fn id(document: &Value) -> Option<String> {
        text(document, "tenantId")
    }

    fn wanted(&self, read: Tenant, _state: &State) -> Result<Self::Wanted, Why> {
        let request = read.to_request()?;
        Ok((read.tenant_id, request))
    }

    async fn present(
        &mut self,
        here: &Client,
        _id: &str,
        (id, _): &Self::Wanted,
        _state: &State,
    ) -> Result<Present<Tenant>, Error> {
        found(here.tenants().get_tenant(id).await)
    }

    fn compare(&self, here: &Tenant, (_, wanted): &Self::Wanted) -> Comparison {
        match here.to_request() {
            Ok(here) => Comparison::of(differing(&here, wanted)),
            Err(reason) => Comparison::Differs(vec![reason.to_string()]),
        }
    }

    async fn create(&mut self, here: &Client, (_, wanted): &Self::Wanted) -> Result<Tenant, Error> {
        here.tenants().create_tenant(wanted).await
    }

    async fn replace(
        &mut self,
        here: &Client,
        _present: &Tenant,
        (id, wanted): &Self::Wanted,
    ) -> Result<(), Error> {
        here.tenants().update_tenant(id, wanted).await.map(drop)
    }
}
