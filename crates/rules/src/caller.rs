//! Who is asking, once it is proved.

use std::sync::Arc;

use guestlist_api::clients::ClientOptions;
use guestlist_api::emails::EmailAddress;
use guestlist_api::identities::IssuerText;
use guestlist_api::ids::{ClientId, UserId};
use guestlist_api::invites::InviteStatement;

/// Who does what nobody else did: the server itself, as the event log names it.
pub const SERVICE: &str = "Authress:Service";

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
    /// A person, by a token of a linked issuer, or by one that was made for them and gives all that
    /// they have.
    User {
        issuer: IssuerText,
        /// The e-mail address that the issuer says it verified.
        verified_email: Option<EmailAddress>,
    },
    /// Somebody with a token that was made for a person and is limited to these statements. It serves
    /// to ask what the person may do within them, and for nothing else.
    Limited { statements: Arc<[InviteStatement]> },
    /// A program of the account.
    Client {
        client_id: ClientId,
        options: ClientOptions,
    },
}
