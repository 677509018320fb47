//! Groups: their members are people and service clients, which have other ids here.

use guestlist_client::api::groups::{Group, GroupRequest};
use guestlist_client::api::ids::GroupId;
use guestlist_client::{Client, Error};
use serde_json::Value;

use super::carrying::{Comparison, Noun, Present, Why, found, text};
use super::clients;
use super::kinds::Kind;
use super::state::State;
use crate::plan::group_form;

pub(super) struct Groups;

impl Noun for Groups {
    const KIND: Kind = Kind::Groups;
    const LIST: (&'static str, &'static str) = ("/v1/groups", "groups");
    type Read = Group;
    type Wanted = (GroupId, GroupRequest);
    type Here = Group;

    fn id(document: &Value) -> Option<String> {
        text(document, "groupId")
    }

    fn wanted(&self, mut read: Group, state: &State) -> Result<Self::Wanted, Why> {
        clients::rename(state, read.users.iter_mut().chain(&mut read.admins));
        let request = read.to_request()?;
        Ok((read.group_id, request))
    }

    async fn present(
        &mut self,
        here: &Client,
        _id: &str,
        (id, _): &Self::Wanted,
        _state: &State,
    ) -> Result<Present<Group>, Error> {
        found(here.groups().get_group(id).await)
    }

    fn compare(&self, here: &Group, (_, wanted): &Self::Wanted) -> Comparison {
        let form = here.to_request().map(|here| group_form(&here));
        Comparison::of_forms(form, &group_form(wanted))
    }

    async fn create(&mut self, here: &Client, (_, wanted): &Self::Wanted) -> Result<Group, Error> {
        here.groups().create_group(wanted).await
    }

    async fn replace(
        &mut self,
        here: &Client,
        present: &Group,
        (id, wanted): &Self::Wanted,
    ) -> Result<(), Error> {
        let written = here.groups().update_group(id, wanted, present.last_updated);
        written.await.map(drop)
    }
}
