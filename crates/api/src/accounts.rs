//! The account (contract §2.2 Account).

use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::AccountId;
use crate::paging::Links;
use crate::text::{Text, default_if_null};
use crate::times::Timestamp;

/// The name of an account: short, since an SDK refuses more than 32 characters.
pub type AccountName = Text<1, 32>;

/// Which account an object belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountReference {
    pub account_id: AccountId,
}

/// Reads which account an answer belongs to, where `{}` is as good as nothing (contract §2.2).
pub fn absent_if_unnamed<'de, D>(deserializer: D) -> Result<Option<AccountReference>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Given {
        #[serde(default)]
        account_id: Option<AccountId>,
    }
    let given = Option::<Given>::deserialize(deserializer)?;
    let account_id = given.and_then(|given| given.account_id);
    Ok(account_id.map(|account_id| AccountReference { account_id }))
}

/// The free-form description of the company: always empty here, and required by some SDKs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Company {}

/// One customer's isolated space; there is one in an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub account_id: AccountId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_time: Option<Timestamp>,
    /// Not bounded here: other servers have longer names than [`AccountName`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "default_if_null")]
    pub company: Company,
    /// Host (and port) under which the account is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The same, as the Terraform provider reads it (contract §7.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_host_fqdn: Option<String>,
    #[serde(default, deserialize_with = "default_if_null")]
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
