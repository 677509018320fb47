//! Identities: the token issuers whose users may call.

use guestlist_api::identities::{IssuerText, UserIdExpression};
use guestlist_api::ids::UserId;
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};

use crate::changes::{Kind, Stored};

/// A linked issuer as it is stored, one per issuer and audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredIdentity {
    pub issuer: IssuerText,
    pub audience: IssuerText,
    pub user_id_expression: UserIdExpression,
    pub created_time: Timestamp,
    pub created_by: UserId,
}

impl Stored for StoredIdentity {
    const KIND: Kind = Kind::Identity;

    fn id(&self) -> String {
        format!("{}\n{}", self.issuer, self.audience)
    }
}
