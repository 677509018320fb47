//! The account (contract §2.2 Account).

use serde::{Deserialize, Serialize};

use crate::ids::AccountId;
use crate::paging::Links;
use crate::text::Text;
use crate::times::Timestamp;

/// The name of an account: short, since an SDK refuses more than 32 characters.
pub type AccountName = Text<1, 32>;

/// Which account an object belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountReference {
    pub account_id: AccountId,
}

/// The free-form description of the company: always empty here, and required by some SDKs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Company {}

/// One customer's isolated space; there is one in an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub account_id: AccountId,
    pub created_time: Timestamp,
    pub name: AccountName,
    pub company: Company,
    /// Host (and port) under which the account is reached.
    pub domain: String,
    /// The same, as the Terraform provider reads it (contract §7.2).
    pub web_host_fqdn: String,
    pub links: Links,
}

/// The caller's accounts: an object with one account for typed SDKs (contract §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCollection {
    pub accounts: Account,
}

/// The caller's accounts as the JavaScript SDK types them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountList {
    pub accounts: Vec<Account>,
}
