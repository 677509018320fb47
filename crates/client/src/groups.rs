//! Groups of users (contract §1.8).

use guestlist_api::groups::{Group, GroupCollection, GroupRequest};
use guestlist_api::ids::GroupId;
use guestlist_api::paging::Pagination;
use guestlist_api::times::Timestamp;
use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::pages::{Page, PageQuery, Pages};
use crate::paths::Path;
use crate::transport::{IF_UNMODIFIED_SINCE, Request};

/// The operations on groups. From [`Client::groups`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// use guestlist_client::api::groups::GroupRequest;
/// use guestlist_client::api::ids::UserId;
///
/// let bob: UserId = "bob".parse()?;
/// let groups = client.groups();
/// let team = groups.create_group(&GroupRequest::new("Team")?.user(bob)).await?;
/// let carol: UserId = "carol".parse()?;
/// let larger = team.to_request()?.user(carol);
/// groups.update_group(&team.group_id, &larger, team.last_updated).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Groups<'a> {
    pub(crate) client: &'a Client,
}

impl Groups<'_> {
    /// Makes a group. Its id begins with `grp_`.
    ///
    /// # Errors
    ///
    /// Refused (409 `GroupAlreadyExists`) if there is one with its id; (403) without `CREATE` on
    /// `Authress:Groups`, or if its members would get more than the caller may give.
    pub async fn create_group(self, group: &GroupRequest) -> Result<Group, Error> {
        let request = Request::new(Method::POST, Path::new(ALL)).body(group)?;
        self.client.send(request).await?.decode(ONE)
    }

    /// Reads a group.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn get_group(self, id: &GroupId) -> Result<Group, Error> {
        self.client.send(Request::get(one(id))).await?.decode(ONE)
    }

    /// Puts this in the place of the whole group.
    ///
    /// With the `last_updated` that was read as `expected`, a group that changed meanwhile is not
    /// overwritten.
    ///
    /// # Errors
    ///
    /// Refused (412 `PreconditionFailed`) if it changed since `expected`; (403) if new members would
    /// get more than the caller may give.
    pub async fn update_group(
        self,
        id: &GroupId,
        group: &GroupRequest,
        expected: Option<Timestamp>,
    ) -> Result<Group, Error> {
        let mut request = Request::new(Method::PUT, one(id)).body(group)?;
        if let Some(expected) = expected {
            request = request.header(IF_UNMODIFIED_SINCE, &expected.to_string())?;
        }
        self.client.send(request).await?.decode(ONE)
    }

    /// Deletes a group. Its members lose what records give the group.
    ///
    /// # Errors
    ///
    /// Refused (404) if there is none.
    pub async fn delete_group(self, id: &GroupId) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, one(id));
        self.client.send(request).await.map(drop)
    }

    /// One page of the groups the caller may read.
    ///
    /// # Errors
    ///
    /// Refused (400) if the cursor is not one of this list.
    pub async fn get_groups(self, query: &PageQuery) -> Result<GroupCollection, Error> {
        let request = Request::get(Path::new(ALL)).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(GroupCollection::NAME)
    }

    /// All groups the caller may read.
    pub fn list(self) -> Pages<Group> {
        Pages::new::<GroupCollection>(self.client, Path::new(ALL), Vec::new())
    }
}

const ALL: &str = "/v1/groups";
const ONE: &str = "a group";

fn one(id: &GroupId) -> Path {
    Path::new(ALL).id(id.as_str())
}

impl Page for GroupCollection {
    type Item = Group;
    const NAME: &'static str = "a list of groups";

    fn into_parts(self) -> (Vec<Group>, Option<Pagination>) {
        (self.groups, self.pagination)
    }
}

impl Pages<Group> {
    /// Only groups with this text in their id, name or other text, in any case.
    pub fn filter(self, filter: impl Into<String>) -> Self {
        self.parameter("filter", filter.into())
    }
}
