//! The account: there is one in an installation, made at the first start.

use std::collections::BTreeMap;

use guestlist_api::accounts::AccountName;
use guestlist_api::ids::AccountId;
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};

use crate::changes::{Kind, Stored};

/// The account as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredAccount {
    pub account_id: AccountId,
    pub name: AccountName,
    pub created_time: Timestamp,
    /// By which secrets what is stored was written: of each secret file a hash that tells it from
    /// another and nothing else. What was stored before has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
}

impl Stored for StoredAccount {
    const KIND: Kind = Kind::Account;

    /// There is one account, so the store cannot hold two.
    fn id(&self) -> String {
        "account".to_owned()
    }
}
