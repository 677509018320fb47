//! A token for the secret of a service client (RFC 6749 §4.4, contract §1.7).

use serde::{Deserialize, Serialize};

use crate::clients::AccessKeyText;
use crate::ids::ClientId;
use crate::text::absent_if_empty;
use crate::user_tokens::TokenText;

/// What is asked for at the token endpoint. Names are those of RFC 6749, not of the rest of the API.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OAuthTokenRequest {
    /// Who asks. Any text: one that no client can have is a wrong one, and no other kind of mistake.
    pub client_id: String,
    /// The access key of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<AccessKeyText>,
    /// `client_credentials`, which is also meant by nothing; the others are for signing in.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub grant_type: Option<String>,
}

impl OAuthTokenRequest {
    /// A token of this service client, for its access key.
    pub fn client_credentials(client_id: &ClientId, secret: AccessKeyText) -> Self {
        Self {
            client_id: client_id.to_string(),
            client_secret: Some(secret),
            grant_type: Some("client_credentials".to_owned()),
        }
    }
}

/// A token of a service client (RFC 6749 §5.1).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OAuthTokenResponse {
    pub access_token: TokenText,
    /// `Bearer`. Absent in answers of the hosted service, as far as it is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// Seconds that it is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s05_neither_the_secret_nor_the_token_is_printed() {
        let client = "sc_1".parse().unwrap();
        let secret = AccessKeyText::new("canary".to_owned());
        let request = OAuthTokenRequest::client_credentials(&client, secret);
        assert!(!format!("{request:?}").contains("canary"));
        let answer = OAuthTokenResponse {
            access_token: TokenText::new("canary".to_owned()),
            token_type: None,
            expires_in: None,
        };
        assert!(!format!("{answer:?}").contains("canary"));
    }
}
