//! Who may do something with a resource (contract §1.9).

use guestlist_api::paging::Pagination;
use guestlist_api::resources::ResourceUri;
use guestlist_api::users::{ResourceUsersCollection, UserRoleCollection};

use crate::client::Client;
use crate::error::Error;
use crate::pages::{Page, PageQuery, Pages};
use crate::paths::Path;
use crate::transport::Request;

/// Questions about resources. From [`Client::resource_permissions`].
#[derive(Debug, Clone, Copy)]
pub struct ResourcePermissions<'a> {
    pub(crate) client: &'a Client,
}

impl ResourcePermissions<'_> {
    /// One page of the users with access to exactly this resource, members of groups included, and
    /// the roles they have there.
    ///
    /// # Errors
    ///
    /// Refused (403) if the caller may not ask.
    pub async fn get_resource_users(
        &self,
        resource: &ResourceUri,
        query: &PageQuery,
    ) -> Result<ResourceUsersCollection, Error> {
        let request = Request::get(of(resource)).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode(ResourceUsersCollection::NAME)
    }

    /// All of them.
    pub fn list_resource_users(&self, resource: &ResourceUri) -> Pages<UserRoleCollection> {
        Pages::new::<ResourceUsersCollection>(self.client, of(resource), Vec::new())
    }
}

fn of(resource: &ResourceUri) -> Path {
    Path::new("/v1/resources")
        .id(resource.as_str())
        .then("users")
}

impl Page for ResourceUsersCollection {
    type Item = UserRoleCollection;
    const NAME: &'static str = "a list of users of a resource";

    fn into_parts(self) -> (Vec<UserRoleCollection>, Option<Pagination>) {
        (self.users, self.pagination)
    }
}
