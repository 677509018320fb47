//! Identities: token issuers whose users may call (contract §2.2 Identity).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::limits;
use crate::text::{Malformed, Text, absent_if_empty, default_if_null};

/// An issuer or an audience, compared exactly.
pub type IssuerText = Text<1, { limits::ISSUER_LENGTH }>;

/// A linked issuer as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    pub issuer: IssuerText,
    pub audience: IssuerText,
    #[serde(default, deserialize_with = "default_if_null")]
    pub user_id_expression: UserIdExpression,
}

/// A request to link an issuer, by its name or by a sample token of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityRequest {
    /// A valid token of the issuer.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub jwt: Option<Text<1, { limits::SAMPLE_TOKEN_LENGTH }>>,
    /// The `iss` of its tokens.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub issuer: Option<IssuerText>,
    /// The `aud` its tokens must have; `*` accepts any and must be asked for.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub preferred_audience: Option<IssuerText>,
    /// How a user id is made from the claims; `{sub}` unless given.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub user_id_expression: Option<UserIdExpression>,
}

/// Without the sample token, which is a secret.
impl fmt::Debug for IdentityRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("IdentityRequest")
            .field("issuer", &self.issuer)
            .field("preferred_audience", &self.preferred_audience)
            .field("user_id_expression", &self.user_id_expression)
            .finish_non_exhaustive()
    }
}

impl IdentityRequest {
    /// Tokens of this issuer, for this audience; `*` accepts any audience.
    ///
    /// # Errors
    ///
    /// If one of them is empty or longer than 240 characters.
    pub fn new(issuer: &str, audience: &str) -> Result<Self, Malformed> {
        Ok(Self {
            jwt: None,
            issuer: Some(Text::parse(issuer)?),
            preferred_audience: Some(Text::parse(audience)?),
            user_id_expression: None,
        })
    }

    /// The issuer and the audience of a valid token of it.
    ///
    /// # Errors
    ///
    /// If the text is empty or longer than 8 KiB.
    pub fn sample(token: &str) -> Result<Self, Malformed> {
        Ok(Self {
            jwt: Some(Text::parse(token)?),
            issuer: None,
            preferred_audience: None,
            user_id_expression: None,
        })
    }

    /// How a user id is made from the claims; `{sub}` unless given.
    #[must_use]
    pub fn user_id_expression(mut self, expression: UserIdExpression) -> Self {
        self.user_id_expression = Some(expression);
        self
    }
}

/// All linked issuers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityCollection {
    pub identities: Vec<Identity>,
}

/// Literal text and claims in braces: `google|{sub}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserIdExpression {
    text: String,
    pieces: Vec<Piece>,
}

/// A piece of a [`UserIdExpression`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Literal(String),
    Claim(String),
}

impl UserIdExpression {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }
}

impl Default for UserIdExpression {
    fn default() -> Self {
        Self {
            text: "{sub}".to_owned(),
            pieces: vec![Piece::Claim("sub".to_owned())],
        }
    }
}

impl FromStr for UserIdExpression {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || {
            Malformed::new(
                "a user id expression is text with at least one claim in braces, as in \
                 google|{sub}",
            )
        };
        if text.len() > limits::USER_ID_EXPRESSION_LENGTH {
            return Err(malformed());
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            let (claim, after) = after.split_once('}').ok_or_else(malformed)?;
            let named = !claim.is_empty() && !claim.contains(['{', '}']) && !claim.contains(' ');
            if literal.contains('}') || !named {
                return Err(malformed());
            }
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            pieces.push(Piece::Claim(claim.to_owned()));
            rest = after;
        }
        if pieces.is_empty() || rest.contains('}') {
            return Err(malformed());
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            pieces,
        })
    }
}

impl Serialize for UserIdExpression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for UserIdExpression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_literals_and_claims() {
        let expression: UserIdExpression = "google|{sub}@{hd}!".parse().unwrap();
        assert_eq!(
            expression.pieces(),
            [
                Piece::Literal("google|".to_owned()),
                Piece::Claim("sub".to_owned()),
                Piece::Literal("@".to_owned()),
                Piece::Claim("hd".to_owned()),
                Piece::Literal("!".to_owned()),
            ]
        );
        for bad in [
            "", "sub", "{", "}", "{}", "a}b{sub}", "{sub", "{a{b}}", "{sub}}",
        ] {
            assert!(bad.parse::<UserIdExpression>().is_err(), "{bad}");
        }
    }
}
