//! A real server for each test, and clients of it.

use guestlist_client::api::records::{AccessRecordRequest, Statement};
use guestlist_client::{Client, Credentials};
use guestlist_server::testing::TestServer;

/// A server and its owner.
pub(crate) async fn server() -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let key = Credentials::access_key(server.owner_key()).unwrap();
    let owner = Client::new(server.url(), key).unwrap();
    (server, owner)
}

/// A client with a token of a user.
pub(crate) fn user(server: &TestServer, user: &str) -> Client {
    let token = Credentials::token(server.token(user).unwrap());
    Client::new(server.url(), token).unwrap()
}

/// Seconds since the Unix epoch, for servers that have the clock of the machine.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests have no clock to be given"
)]
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// A record that makes a user an editor of a resource.
pub(crate) fn editor(id: &str, user: &str, resource: &str) -> AccessRecordRequest {
    let statement = Statement::new(["ro_editor"], [resource]).unwrap();
    AccessRecordRequest::new(id, [statement])
        .unwrap()
        .record_id(id.parse().unwrap())
        .user(user.parse::<guestlist_client::api::ids::UserId>().unwrap())
}
