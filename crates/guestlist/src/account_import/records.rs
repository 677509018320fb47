//! Access records: those in force. What one here says of this server's administration is never
//! overwritten, and one that was deleted here does not come back unasked.

use guestlist_client::api::ids::RecordId;
use guestlist_client::api::records::{AccessRecord, AccessRecordRequest, RecordStatus};
use guestlist_client::api::text::Bounded;
use guestlist_client::{Client, Error};
use serde_json::Value;

use super::carrying::{Comparison, Noun, Present, Why, found, text};
use super::clients;
use super::kinds::Kind;
use super::state::State;
use crate::plan::{is_about_administration, record_form};

pub(super) struct Records;

impl Noun for Records {
    const KIND: Kind = Kind::Records;
    const LIST: (&'static str, &'static str) = ("/v1/records", "records");
    type Read = AccessRecord;
    type Wanted = (RecordId, AccessRecordRequest);
    type Here = AccessRecord;

    fn id(document: &Value) -> Option<String> {
        text(document, "recordId")
    }

    fn wanted(&self, mut read: AccessRecord, state: &State) -> Result<Self::Wanted, Why> {
        match read.status.known() {
            Some(RecordStatus::Active) => {}
            Some(RecordStatus::Deleted) => return Err(Why::LeftOut("it is deleted")),
            None => {
                return Err(Why::Unreadable(format!(
                    "its status is {}, which is not known here",
                    read.status
                )));
            }
        }
        clients::rename(state, read.users.iter_mut().chain(&mut read.admins));
        for statement in &mut read.statements {
            let mut users = statement.users.to_vec();
            clients::rename(state, users.iter_mut());
            statement.users = Bounded::new(users)?;
        }
        let request = read.to_request()?;
        Ok((read.record_id, request))
    }

    async fn present(
        &mut self,
        here: &Client,
        _id: &str,
        (id, _): &Self::Wanted,
        _state: &State,
    ) -> Result<Present<AccessRecord>, Error> {
        found(here.access_records().get_record(id).await)
    }

    fn compare(&self, here: &AccessRecord, (_, wanted): &Self::Wanted) -> Comparison {
        if here.status != RecordStatus::Active {
            return Comparison::Differs(vec!["status (it was deleted here)".to_owned()]);
        }
        let form = here.to_request().map(|here| record_form(&here));
        let comparison = Comparison::of_forms(form, &record_form(wanted));
        if let Comparison::Differs(differences) = comparison {
            return if is_about_administration(&here.statements) {
                Comparison::Own(differences, "here it says who administers this server")
            } else {
                Comparison::Differs(differences)
            };
        }
        comparison
    }

    async fn create(
        &mut self,
        here: &Client,
        (_, wanted): &Self::Wanted,
    ) -> Result<AccessRecord, Error> {
        here.access_records().create_record(wanted).await
    }

    async fn replace(
        &mut self,
        here: &Client,
        present: &AccessRecord,
        (id, wanted): &Self::Wanted,
    ) -> Result<(), Error> {
        let records = here.access_records();
        if present.status != RecordStatus::Active {
            return records.create_record(wanted).await.map(drop);
        }
        records
            .update_record(id, wanted, present.last_updated)
            .await
    }
}
