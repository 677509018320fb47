//! The account and its linked token issuers (contract §1.4).

use guestlist_api::accounts::Account;
use guestlist_api::identities::{IdentityCollection, IdentityRequest};
use guestlist_api::ids::AccountId;
use http::Method;
use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::paths::Path;
use crate::transport::Request;

/// The operations on the account. From [`Client::accounts`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use guestlist_client::{Client, Credentials};
/// # let server = guestlist_server::testing::TestServer::start().await?;
/// # let client = Client::new(server.url(), Credentials::access_key(server.owner_key())?)?;
/// for account in client.accounts().get_accounts().await? {
///     println!("{}", account.account_id);
/// }
/// let linked = client.accounts().get_account_identities().await?;
/// assert!(linked.identities.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Accounts<'a> {
    pub(crate) client: &'a Client,
}

/// One object for typed SDKs, a list for others (contract §2.2).
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Box<Account>),
    Many(Vec<Account>),
}

#[derive(Deserialize)]
struct Answered {
    accounts: OneOrMany,
}

impl Accounts<'_> {
    /// The caller's accounts. Our server has one.
    ///
    /// # Errors
    ///
    /// Refused (401) without valid credentials.
    pub async fn get_accounts(self) -> Result<Vec<Account>, Error> {
        let request = Request::get(Path::new("/v1/accounts"));
        let answered: Answered = self
            .client
            .send(request)
            .await?
            .decode("a list of accounts")?;
        Ok(match answered.accounts {
            OneOrMany::One(account) => vec![*account],
            OneOrMany::Many(accounts) => accounts,
        })
    }

    /// Reads an account.
    ///
    /// # Errors
    ///
    /// Refused (404) if it is another one; (403) without `READ` on `Authress:Configuration`.
    pub async fn get_account(self, id: &AccountId) -> Result<Account, Error> {
        let request = Request::get(Path::new("/v1/accounts").id(id.as_str()));
        self.client.send(request).await?.decode("an account")
    }

    /// All linked token issuers.
    ///
    /// # Errors
    ///
    /// Refused (403) without `READ` on `Authress:Configuration`.
    pub async fn get_account_identities(self) -> Result<IdentityCollection, Error> {
        let request = Request::get(Path::new("/v1/identities"));
        let answer = self.client.send(request).await?;
        answer.decode("a list of identities")
    }

    /// Links a token issuer: whoever has a token of it can call.
    ///
    /// # Errors
    ///
    /// Refused (400 `IssuerNotUsable`) if the issuer is not https or cannot be reached; (403) unless
    /// the caller can give `Authress:Owner` on `*`.
    pub async fn delegate_authentication(self, identity: &IdentityRequest) -> Result<(), Error> {
        let mut request = Request::new(Method::POST, Path::new("/v1/identities")).body(identity)?;
        if let Some(sample) = &identity.jwt {
            request = request.secret(sample.as_str());
        }
        self.client.send(request).await.map(drop)
    }
}
