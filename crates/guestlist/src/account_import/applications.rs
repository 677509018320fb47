//! Applications. This server makes their ids itself. Those of extensions came with their extensions.

use std::collections::BTreeMap;

use guestlist_client::api::applications::{Application, ApplicationRequest};
use guestlist_client::{Client, Error};
use serde_json::Value;

use super::carrying::{Comparison, MOST, Noun, Present, Why, differing, text};
use super::kinds::Kind;
use super::origins::{self, Found, with_origin, without_origin};
use super::state::State;

/// The applications of this server, read once.
#[derive(Default)]
pub(super) struct Applications {
    here: Option<BTreeMap<String, Application>>,
}

impl Noun for Applications {
    const KIND: Kind = Kind::Applications;
    const LIST: (&'static str, &'static str) = ("/v1/applications", "applications");
    type Read = Application;
    type Wanted = ApplicationRequest;
    type Here = Application;

    fn id(document: &Value) -> Option<String> {
        text(document, "applicationId")
    }

    fn wanted(&self, read: Application, _state: &State) -> Result<ApplicationRequest, Why> {
        let mut request = read.to_request()?;
        request.tags = with_origin(&read.tags, read.application_id.as_str())?;
        Ok(request)
    }

    async fn present(
        &mut self,
        here: &Client,
        id: &str,
        _wanted: &ApplicationRequest,
        state: &State,
    ) -> Result<Present<Application>, Error> {
        if self.here.is_none() {
            let mut applications = BTreeMap::new();
            let mut pages = here.applications().list().page_limit(MOST as u64);
            while let Some(application) = pages.try_next().await? {
                applications.insert(application.application_id.to_string(), application);
            }
            self.here = Some(applications);
        }
        let made_as = state.made_as(Kind::Applications, id);
        let applications = self.here.iter().flatten();
        let found = origins::find(applications, id, made_as, |application| &application.tags);
        Ok(match found {
            Found::Absent => Present::Absent,
            Found::Gone => Present::Doubtful(origins::GONE.to_owned()),
            // Nobody holds anything by being an application.
            Found::Same(application) | Found::Tagged(application) => {
                Present::Here(application.clone())
            }
            Found::Several => {
                Present::Doubtful("several applications are tagged as its import".to_owned())
            }
        })
    }

    fn made_as(here: &Application) -> Option<String> {
        Some(here.application_id.to_string())
    }

    fn compare(&self, here: &Application, wanted: &ApplicationRequest) -> Comparison {
        let plain = |mut request: ApplicationRequest| {
            request.tags = without_origin(&request.tags);
            request
        };
        match here.to_request() {
            Ok(here) => Comparison::of(differing(&plain(here), &plain(wanted.clone()))),
            Err(reason) => Comparison::Differs(vec![reason.to_string()]),
        }
    }

    async fn create(
        &mut self,
        here: &Client,
        wanted: &ApplicationRequest,
    ) -> Result<Application, Error> {
        here.applications().create_application(wanted).await
    }

    async fn replace(
        &mut self,
        here: &Client,
        present: &Application,
        wanted: &ApplicationRequest,
    ) -> Result<(), Error> {
        let applications = here.applications();
        let written = applications.update_application(&present.application_id, wanted);
        written.await.map(drop)
    }
}
