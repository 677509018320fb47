//! Service clients and their access keys.

use guestlist_api::clients::{ClientOptions, ClientRateLimit, PublicKeyText};
use guestlist_api::ids::{ClientId, KeyId, UserId};
use guestlist_api::text::{Name, Tags};
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};

use crate::changes::{Kind, Stored};

/// A service client as it is stored, with its keys: one document, so that no race can give it more
/// keys than allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredClient {
    pub client_id: ClientId,
    pub created_time: Timestamp,
    pub created_by: UserId,
    pub name: Option<Name>,
    pub options: ClientOptions,
    pub rate_limits: Vec<ClientRateLimit>,
    pub tags: Tags,
    pub keys: Vec<StoredKey>,
}

/// The public half of an access key. The private half is never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredKey {
    pub key_id: KeyId,
    pub generation_date: Timestamp,
    /// base64 of SPKI DER, byte for byte as it was handed in (standard base64 if made here).
    pub public_key: PublicKeyText,
    /// Whether the client made the key itself: the raw key then never comes here, and is not
    /// accepted as a bearer.
    pub handed_in: bool,
}

impl Stored for StoredClient {
    const KIND: Kind = Kind::Client;

    fn id(&self) -> String {
        self.client_id.to_string()
    }
}
