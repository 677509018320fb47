//! Who is asking, once it is proved.

use guestlist_api::clients::ClientOptions;
use guestlist_api::identities::IssuerText;
use guestlist_api::ids::{ClientId, UserId};

/// A caller whose credentials were verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The principal that records name.
    pub user_id: UserId,
    pub kind: CallerKind,
}

/// What kind of caller it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallerKind {
    /// A person, by a token of a linked issuer.
    User { issuer: IssuerText },
    /// A program of the account.
    Client {
        client_id: ClientId,
        options: ClientOptions,
    },
}
