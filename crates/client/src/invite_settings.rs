//! What the account decides about all its invites. Our server's: others have no such thing.

use guestlist_api::invite_settings::InviteSettings;
use http::Method;

use crate::error::Error;
use crate::invites::Invites;
use crate::paths::Path;
use crate::transport::Request;

const PATH: &str = "/v1/settings/invites";
const NAME: &str = "the settings of invites";

impl Invites<'_> {
    /// What holds for all invites of the account.
    ///
    /// # Errors
    ///
    /// Refused (403) without the right to read the configuration.
    pub async fn get_invite_settings(self) -> Result<InviteSettings, Error> {
        let request = Request::get(Path::new(PATH));
        self.client.send(request).await?.decode(NAME)
    }

    /// Replaces what holds for all invites: what is not said is as if it was never set.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use guestlist_client::{Client, Credentials};
    /// # let server = guestlist_server::testing::TestServer::start().await?;
    /// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
    /// use guestlist_client::api::invite_settings::LostAuthority;
    ///
    /// let mut settings = client.invites().get_invite_settings().await?;
    /// settings.lost_authority = LostAuthority::Revoke;
    /// client.invites().set_invite_settings(&settings).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Refused (403) without the right to update the configuration.
    pub async fn set_invite_settings(
        self,
        settings: &InviteSettings,
    ) -> Result<InviteSettings, Error> {
        let request = Request::new(Method::PUT, Path::new(PATH)).body(settings)?;
        self.client.send(request).await?.decode(NAME)
    }
}
