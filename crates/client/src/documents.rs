//! Lists read document by document, whatever their documents are: for what must go on where one of
//! them is not what it must be.

use guestlist_api::paging::{Pagination, absent_on_the_last_page};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::client::Client;
use crate::error::{DecodingError, Error};
use crate::pages::Pages;
use crate::paths::Path;

/// A page of which only the frame is known.
#[derive(Deserialize)]
struct Frame {
    #[serde(default, deserialize_with = "absent_on_the_last_page")]
    pagination: Option<Pagination>,
    #[serde(flatten)]
    members: Map<String, Value>,
}

impl Client {
    /// All documents of a list as they are answered, unread: `documents("/v1/roles", "roles")`.
    ///
    /// The typed lists fail as a whole where one document cannot be read. This one is for programs
    /// that go on: an import, a survey. `path` is the list's, `member` the member of an answer in
    /// which the documents are. A list that is `null` is empty; one that is missing is an error.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use guestlist_client::{Client, Credentials};
    /// # let server = guestlist_server::testing::TestServer::start().await?;
    /// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
    /// use guestlist_client::api::roles::Role;
    /// use serde::Deserialize as _;
    ///
    /// let mut roles = client.documents("/v1/roles", "roles").page_limit(1_000);
    /// while let Some(document) = roles.try_next().await? {
    ///     match Role::deserialize(&document) {
    ///         Ok(role) => println!("{}", role.name),
    ///         Err(reason) => println!("not a role: {reason}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn documents(&self, path: &'static str, member: &'static str) -> Pages<Value> {
        Pages::read_by(self, Path::new(path), Vec::new(), move |answer| {
            let frame: Frame = answer.decode("a page of a list")?;
            let mut members = frame.members;
            match members.remove(member) {
                Some(Value::Array(documents)) => Ok((documents, frame.pagination)),
                Some(Value::Null) => Ok((Vec::new(), frame.pagination)),
                Some(_) | None => Err(Error::Decoding(DecodingError {
                    expected: "a page of a list",
                    member: Some(member.to_owned()),
                })),
            }
        })
    }
}
