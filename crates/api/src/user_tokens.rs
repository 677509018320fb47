//! Tokens that a service client makes for a user, and what the tokens of a user say (contract §1.14).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

use crate::accounts::AccountReference;
use crate::ids::{UserId, UserTokenId};
use crate::invites::InviteStatement;
use crate::limits;
use crate::paging::Links;
use crate::text::{Bounded, Malformed, Text, absent_if_empty, default_if_null};
use crate::times::Timestamp;

/// A request for a token of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRequest {
    /// What the token is limited to: of what the user may do, what is in these statements.
    pub statements: Bounded<InviteStatement, 1, { limits::STATEMENTS }>,
    /// When it ends: 24 hours from now unless given, or what the user's tenant says.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires: Option<Timestamp>,
    /// The newer name of `expires`; if both are given they must agree.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub expiry_time: Option<Timestamp>,
}

impl TokenRequest {
    /// A token that is limited to these statements.
    ///
    /// # Errors
    ///
    /// If there are none, or more than 100.
    pub fn new(statements: impl IntoIterator<Item = InviteStatement>) -> Result<Self, Malformed> {
        Ok(Self {
            statements: Bounded::new(statements.into_iter().collect())?,
            expires: None,
            expiry_time: None,
        })
    }

    /// Until then.
    #[must_use]
    pub fn expires(mut self, expires: Timestamp) -> Self {
        self.expires = Some(expires);
        self
    }
}

/// The text of a token. A secret: it has no comparison and prints nothing.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenText(String);

impl TokenText {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself: for whoever it was made for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenText(…)")
    }
}

/// A token of a user in the answer that makes it: the only time that it is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserToken {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountReference>,
    pub user_id: UserId,
    /// What to disable it by.
    pub token_id: UserTokenId,
    pub token: TokenText,
    #[serde(default, deserialize_with = "default_if_null")]
    pub links: Links,
}

/// What the tokens that are made for a user say besides what all tokens say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserTokenConfiguration {
    #[serde(default, deserialize_with = "default_if_null")]
    pub default_claims: UserDefaultClaims,
}

/// Claims by the kind of token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserDefaultClaims {
    #[serde(default, deserialize_with = "default_if_null")]
    pub default_access_token_claims: TokenClaims,
}

/// Claims that tokens have already, or that say who somebody is or what they may do (RFC 7519 §4.1,
/// RFC 9068 §2.2, RFC 8693 §4, RFC 7800 §3, RFC 9396 §9).
const TAKEN: [&str; 23] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "azp",
    "scope",
    "scopes",
    "act",
    "may_act",
    "cnf",
    "auth_time",
    "acr",
    "amr",
    "roles",
    "groups",
    "entitlements",
    "authorization_details",
    "sid",
    "statements",
];

/// Claims of the caller's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct TokenClaims(Map<String, Value>);

impl TokenClaims {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more, or with another value for it.
    ///
    /// # Errors
    ///
    /// If its name is empty, longer than 128 characters or that of a claim that tokens have already,
    /// or if they would be more than 50 or longer than 2 KiB.
    pub fn with(mut self, name: &str, value: Value) -> Result<Self, Malformed> {
        Text::<1, { limits::TAG_LENGTH }>::parse(name)?;
        if TAKEN.contains(&name) {
            return Err(Malformed::new(format!(
                "must not have the claim {name}, which tokens have already or which means access"
            )));
        }
        self.0.insert(name.to_owned(), value);
        let length = serde_json::to_string(&self.0).map_or(usize::MAX, |text| text.len());
        if self.0.len() > limits::TOKEN_CLAIMS || length > limits::TOKEN_CLAIMS_BYTES {
            return Err(Malformed::new(format!(
                "must have at most {} claims, and {} bytes as JSON",
                limits::TOKEN_CLAIMS,
                limits::TOKEN_CLAIMS_BYTES
            )));
        }
        Ok(self)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<'de> Deserialize<'de> for TokenClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Map::<String, Value>::deserialize(deserializer)?;
        if given.len() > limits::TOKEN_CLAIMS {
            return Err(de::Error::custom(format!(
                "must have at most {} claims",
                limits::TOKEN_CLAIMS
            )));
        }
        given
            .into_iter()
            .try_fold(Self::new(), |all, (name, value)| all.with(&name, value))
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_that_mean_something_already_are_not_taken() {
        for taken in TAKEN {
            let claims = json!({ taken: "x" });
            assert!(
                serde_json::from_value::<TokenClaims>(claims).is_err(),
                "{taken}"
            );
        }
        let claims = json!({"plan": "gold", "seats": 5, "flags": {"beta": [true]}});
        let read: TokenClaims = serde_json::from_value(claims.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), claims);
        for bad in [
            json!({"": 1}),
            json!({"a": "x".repeat(limits::TOKEN_CLAIMS_BYTES)}),
            json!([1]),
            json!("a"),
        ] {
            assert!(serde_json::from_value::<TokenClaims>(bad).is_err());
        }
    }

    #[test]
    fn s05_a_token_prints_nothing() {
        let token = TokenText::new("canary".to_owned());
        assert_eq!(format!("{token:?}"), "TokenText(…)");
    }
}
