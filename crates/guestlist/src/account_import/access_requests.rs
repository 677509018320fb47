//! Access requests that nobody has answered yet. This server makes their ids itself, and whoever
//! imports them is who asks.

use std::collections::BTreeMap;

use guestlist_client::api::access_requests::{
    AccessRequest, AccessRequestStatus, NewAccessRequest, WantedAccess,
};
use guestlist_client::api::text::Bounded;
use guestlist_client::{Client, Error};
use serde_json::Value;

use super::carrying::{Comparison, MOST, Noun, Present, Why, differing, text};
use super::clients;
use super::kinds::Kind;
use super::origins::{self, Found, with_origin, without_origin};
use super::state::State;

/// The access requests of this server, read once.
#[derive(Default)]
pub(super) struct AccessRequests {
    here: Option<BTreeMap<String, AccessRequest>>,
}

impl Noun for AccessRequests {
    const KIND: Kind = Kind::AccessRequests;
    const LIST: (&'static str, &'static str) = ("/v1/requests", "records");
    type Read = AccessRequest;
    type Wanted = NewAccessRequest;
    type Here = AccessRequest;

    fn id(document: &Value) -> Option<String> {
        text(document, "requestId")
    }

    fn wanted(&self, mut read: AccessRequest, state: &State) -> Result<NewAccessRequest, Why> {
        match read.status.known() {
            // Approved here, it would give what only the invite may give.
            Some(AccessRequestStatus::Open) if read.invite_reference.is_some() => {
                return Err(Why::LeftOut(
                    "it belongs to an invite, which stays where it is",
                ));
            }
            Some(AccessRequestStatus::Open) => {}
            Some(AccessRequestStatus::Approved | AccessRequestStatus::Denied) => {
                return Err(Why::LeftOut("it is answered already"));
            }
            Some(AccessRequestStatus::Deleted) => return Err(Why::LeftOut("it is deleted")),
            None => {
                return Err(Why::Unreadable(format!(
                    "its status is {}, which is not known here",
                    read.status
                )));
            }
        }
        clients::rename(state, read.access.users.iter_mut());
        let mut request = to_request(&read)?;
        request.tags = with_origin(&read.tags, read.request_id.as_str())?;
        Ok(request)
    }

    async fn present(
        &mut self,
        here: &Client,
        id: &str,
        _wanted: &NewAccessRequest,
        state: &State,
    ) -> Result<Present<AccessRequest>, Error> {
        if self.here.is_none() {
            let mut requests = BTreeMap::new();
            let mut pages = here.access_requests().list().page_limit(MOST as u64);
            while let Some(request) = pages.try_next().await? {
                requests.insert(request.request_id.to_string(), request);
            }
            self.here = Some(requests);
        }
        let made_as = state.made_as(Kind::AccessRequests, id);
        let requests = self.here.iter().flatten();
        let found = origins::find(requests, id, made_as, |request| &request.tags);
        Ok(match found {
            Found::Absent => Present::Absent,
            Found::Gone => Present::Doubtful(origins::GONE.to_owned()),
            // It gives nothing until somebody here approves it.
            Found::Same(request) | Found::Tagged(request) => Present::Here(request.clone()),
            Found::Several => {
                Present::Doubtful("several access requests are tagged as its import".to_owned())
            }
        })
    }

    fn made_as(here: &AccessRequest) -> Option<String> {
        Some(here.request_id.to_string())
    }

    fn compare(&self, here: &AccessRequest, wanted: &NewAccessRequest) -> Comparison {
        if here.status != AccessRequestStatus::Open {
            return Comparison::Own(Vec::new(), "it was answered here");
        }
        let plain = |mut request: NewAccessRequest| {
            request.tags = without_origin(&request.tags);
            request
        };
        let differences = match to_request(here) {
            Ok(here) => differing(&plain(here), &plain(wanted.clone())),
            Err(Why::LeftOut(reason)) => vec![reason.to_owned()],
            Err(Why::Unreadable(reason)) => vec![reason],
        };
        if differences.is_empty() {
            Comparison::Same
        } else {
            Comparison::Protected(differences, "a request cannot be changed")
        }
    }

    async fn create(
        &mut self,
        here: &Client,
        wanted: &NewAccessRequest,
    ) -> Result<AccessRequest, Error> {
        here.access_requests().create_request(wanted).await
    }

    /// No server changes a request: [`Self::compare`] never asks for it.
    async fn replace(
        &mut self,
        _here: &Client,
        _present: &AccessRequest,
        _wanted: &NewAccessRequest,
    ) -> Result<(), Error> {
        Ok(())
    }
}

fn to_request(request: &AccessRequest) -> Result<NewAccessRequest, Why> {
    Ok(NewAccessRequest {
        access: WantedAccess {
            users: Bounded::new(request.access.users.clone())?,
            statements: Bounded::new(request.access.statements.clone())?,
        },
        tags: request.tags.clone(),
    })
}
