//! Connections, without their secrets: no server answers those. One that has its secret here is not
//! overwritten, since the secret would go where the other server says.

use guestlist_client::api::connections::{Connection, ConnectionRequest, ConnectionType};
use guestlist_client::api::ids::ConnectionId;
use guestlist_client::{Client, Error};
use serde_json::Value;

use super::carrying::{Comparison, Noun, Present, Why, differing, found, text};
use super::kinds::Kind;
use super::state::State;

pub(super) struct Connections;

impl Noun for Connections {
    const KIND: Kind = Kind::Connections;
    const LIST: (&'static str, &'static str) = ("/v1/connections", "connections");
    type Read = Connection;
    type Wanted = (ConnectionId, ConnectionRequest);
    type Here = Connection;

    fn id(document: &Value) -> Option<String> {
        text(document, "connectionId")
    }

    fn wanted(&self, read: Connection, _state: &State) -> Result<Self::Wanted, Why> {
        let mut request = read.to_request();
        request.kind.get_or_insert(ConnectionType::default());
        Ok((read.connection_id, request))
    }

    fn left_behind(read: &Connection) -> Option<String> {
        let may_have_one = read.has_client_secret != Some(false) && read.client_id.is_some();
        may_have_one.then(|| "its secret stays behind: enter it again".to_owned())
    }

    async fn present(
        &mut self,
        here: &Client,
        _id: &str,
        (id, _): &Self::Wanted,
        _state: &State,
    ) -> Result<Present<Connection>, Error> {
        found(here.connections().get_connection(id).await)
    }

    fn compare(&self, here: &Connection, (_, wanted): &Self::Wanted) -> Comparison {
        let mut present = here.to_request();
        present.kind.get_or_insert(ConnectionType::default());
        let differences = differing(&present, wanted);
        if !differences.is_empty() && here.has_client_secret != Some(false) {
            return Comparison::Protected(
                differences,
                "it has its secret here, which would go where the other server says: change it by hand",
            );
        }
        Comparison::of(differences)
    }

    async fn create(
        &mut self,
        here: &Client,
        (_, wanted): &Self::Wanted,
    ) -> Result<Connection, Error> {
        here.connections().create_connection(wanted).await
    }

    async fn replace(
        &mut self,
        here: &Client,
        _present: &Connection,
        (id, wanted): &Self::Wanted,
    ) -> Result<(), Error> {
        here.connections()
            .update_connection(id, wanted)
            .await
            .map(drop)
    }
}
