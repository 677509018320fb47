//! What became of many invites. Our server's: others have no such thing.

use guestlist_api::invite_statistics::{InviteGrouping, InviteStatistics};
use guestlist_api::times::Timestamp;

use crate::error::Error;
use crate::invites::Invites;
use crate::paths::Path;
use crate::transport::Request;

/// Of which invites to tell what became. Without more: of those of the last 30 days, all together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatisticsQuery {
    created_after: Option<Timestamp>,
    created_before: Option<Timestamp>,
    grouping: Option<InviteGrouping>,
    tag: Option<String>,
}

impl StatisticsQuery {
    /// Those of the last 30 days.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only those made at this instant or later.
    #[must_use]
    pub const fn created_after(mut self, instant: Timestamp) -> Self {
        self.created_after = Some(instant);
        self
    }

    /// Only those made before this instant.
    #[must_use]
    pub const fn created_before(mut self, instant: Timestamp) -> Self {
        self.created_before = Some(instant);
        self
    }

    /// Also for each inviter, role or domain.
    #[must_use]
    pub const fn group_by(mut self, grouping: InviteGrouping) -> Self {
        self.grouping = Some(grouping);
        self
    }

    /// Only those with this tag.
    #[must_use]
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tag = Some(format!("{name}={value}"));
        self
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = Vec::new();
        let mut add = |name, value: Option<String>| {
            parameters.extend(value.map(|value| (name, value)));
        };
        add(
            "createdAfter",
            self.created_after.map(|time| time.to_string()),
        );
        add(
            "createdBefore",
            self.created_before.map(|time| time.to_string()),
        );
        add(
            "groupBy",
            self.grouping.map(|grouping| grouping.name().to_owned()),
        );
        add("tag", self.tag.clone());
        parameters
    }
}

impl Invites<'_> {
    /// What became of the invites that the caller made or may read: how many were looked at and
    /// accepted, where they stand, and how long it took.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use guestlist_client::{Client, Credentials};
    /// # let server = guestlist_server::testing::TestServer::start().await?;
    /// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
    /// use guestlist_client::StatisticsQuery;
    /// use guestlist_client::api::invite_statistics::InviteGrouping;
    ///
    /// let query = StatisticsQuery::new().group_by(InviteGrouping::Inviter);
    /// for inviter in client.invites().get_invite_statistics(&query).await?.groups {
    ///     println!("{}: {} of {}", inviter.name, inviter.funnel.accepted, inviter.funnel.invites);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Refused (400) if the time cannot be read.
    pub async fn get_invite_statistics(
        self,
        query: &StatisticsQuery,
    ) -> Result<InviteStatistics, Error> {
        let path = Path::new("/v1/invites").then("statistics");
        let request = Request::get(path).query(&query.parameters());
        self.client
            .send(request)
            .await?
            .decode("statistics of invites")
    }
}
