//! Roles: all but the built-in ones, which every server has.

use guestlist_client::api::ids::RoleId;
use guestlist_client::api::roles::{Role, RoleRequest};
use guestlist_client::{Client, Error};
use serde_json::Value;

use super::carrying::{Comparison, Noun, Present, Why, found, text};
use super::kinds::Kind;
use super::state::State;
use crate::plan::role_form;

pub(super) struct Roles;

impl Noun for Roles {
    const KIND: Kind = Kind::Roles;
    const LIST: (&'static str, &'static str) = ("/v1/roles", "roles");
    type Read = Role;
    type Wanted = (RoleId, RoleRequest);
    type Here = Role;

    fn id(document: &Value) -> Option<String> {
        text(document, "roleId")
    }

    fn wanted(&self, read: Role, _state: &State) -> Result<Self::Wanted, Why> {
        if read.role_id.is_reserved() {
            return Err(Why::LeftOut("it is built in"));
        }
        let request = read.to_request()?;
        Ok((read.role_id, request))
    }

    async fn present(
        &mut self,
        here: &Client,
        _id: &str,
        (id, _): &Self::Wanted,
        _state: &State,
    ) -> Result<Present<Role>, Error> {
        found(here.roles().get_role(id).await)
    }

    fn compare(&self, here: &Role, (_, wanted): &Self::Wanted) -> Comparison {
        Comparison::of_forms(
            here.to_request().map(|here| role_form(&here)),
            &role_form(wanted),
        )
    }

    async fn create(&mut self, here: &Client, (_, wanted): &Self::Wanted) -> Result<Role, Error> {
        here.roles().create_role(wanted).await
    }

    async fn replace(
        &mut self,
        here: &Client,
        _present: &Role,
        (id, wanted): &Self::Wanted,
    ) -> Result<(), Error> {
        here.roles().update_role(id, wanted).await.map(drop)
    }
}
