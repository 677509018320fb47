//! Identities: the token issuers whose users may call.

use guestlist_api::identities::{IssuerText, UserIdExpression};
use guestlist_api::ids::UserId;
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authority::{Ability, require_plainly};
use crate::changes::{Changes, Kind, Seen, Stored};
use crate::clients::owns_everything;
use crate::facts::Facts;
use crate::refusals::Refusal;

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
        Self::key(&self.issuer, &self.audience)
    }
}

impl StoredIdentity {
    /// The document id of an issuer and an audience: neither can hold a line feed.
    pub fn key(issuer: &IssuerText, audience: &IssuerText) -> String {
        format!("{issuer}\n{audience}")
    }
}

/// What to link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub issuer: IssuerText,
    pub audience: IssuerText,
    pub user_id_expression: UserIdExpression,
}

/// Links an issuer for an audience; linking it again replaces the user id expression.
pub fn link(
    facts: Facts<'_>,
    link: Link,
    existing: Option<&Seen<StoredIdentity>>,
) -> Result<Changes, Refusal> {
    let mut basis = require_plainly(facts, Ability::UpdateConfiguration)?;
    // Whoever may say which tokens are believed can become anybody, so they must be able to give
    // everything already.
    basis.extend(owns_everything(facts).ok_or(Refusal::InsufficientGrantAccess)?);
    for (path, text) in [
        ("issuer", &link.issuer),
        ("preferredAudience", &link.audience),
    ] {
        if !text.as_str().is_ascii() {
            return Err(Refusal::invalid(path, "must have ASCII characters only"));
        }
    }
    let identity = StoredIdentity {
        issuer: link.issuer,
        audience: link.audience,
        user_id_expression: link.user_id_expression,
        created_time: facts.now,
        created_by: facts.who().clone(),
    };
    let subject = format!("identity/{}", identity.issuer);
    let data = json!({ "issuer": identity.issuer, "audience": identity.audience });
    let mut changes = facts.changes("identity.linked", subject, data);
    changes.expect.extend(basis);
    match existing {
        Some(seen) => changes.replace(seen.mark, &identity)?,
        None => changes.create(&identity)?,
    }
    Ok(changes)
}
