//! Who calls, as far as the credentials tell.

use std::collections::BTreeMap;

use guestlist_api::identities::{Identity, Piece, UserIdExpression};
use guestlist_api::ids::UserId;
use guestlist_client::Credentials;

use crate::manifests::IdentityKey;

/// The principal that records name: the service client of an access key, or the user that the linked
/// identities make of a token.
pub(super) async fn of(
    credentials: &Credentials,
    identities: Option<&BTreeMap<IdentityKey, Identity>>,
) -> Option<UserId> {
    if let Some(client) = credentials.client_id() {
        return Some(client.clone().into());
    }
    let issuer = credentials.token_claim("iss").await?;
    let audience = credentials.token_claim("aud").await;
    let linked = identities.into_iter().flat_map(BTreeMap::values);
    // The identity for the token's audience goes before the one for any.
    let rank = |identity: &&Identity| match identity.audience.as_str() {
        own if audience.as_deref() == Some(own) => 0,
        "*" => 1,
        _ => 2,
    };
    let expression = linked
        .filter(|identity| identity.issuer.as_str() == issuer)
        .min_by_key(rank)
        .map(|identity| identity.user_id_expression.clone());
    evaluate(&expression.unwrap_or_default(), credentials).await
}

async fn evaluate(expression: &UserIdExpression, credentials: &Credentials) -> Option<UserId> {
    let mut text = String::new();
    for piece in expression.pieces() {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Claim(name) => text.push_str(&credentials.token_claim(name).await?),
        }
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{"iss":"https://issuer.example","aud":"app","sub":"alice","hd":"example.com"}`
    const TOKEN: &str = "e30.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoiYXBwIiwic3ViIjoiYWxpY2UiLCJoZCI6ImV4YW1wbGUuY29tIn0.x";

    fn linked(audience: &str, expression: &str) -> (IdentityKey, Identity) {
        let identity = Identity {
            issuer: "https://issuer.example".parse().unwrap(),
            audience: audience.parse().unwrap(),
            user_id_expression: expression.parse().unwrap(),
        };
        let key = (identity.issuer.clone(), identity.audience.clone());
        (key, identity)
    }

    #[tokio::test]
    async fn a_token_is_of_whom_its_identity_says() {
        let given = || async { Ok::<_, std::io::Error>(TOKEN.to_owned()) };
        for credentials in [Credentials::token(TOKEN), Credentials::provider(given)] {
            let of = async |identities: &[_]| {
                let identities = identities.iter().cloned().collect();
                of(&credentials, Some(&identities))
                    .await
                    .unwrap()
                    .to_string()
            };
            assert_eq!(of(&[]).await, "alice");
            let any = linked("*", "any|{sub}");
            assert_eq!(of(std::slice::from_ref(&any)).await, "any|alice");
            let own = linked("app", "{sub}@{hd}");
            let other = linked("another", "other|{sub}");
            assert_eq!(of(&[any, own, other]).await, "alice@example.com");
        }
    }

    #[tokio::test]
    async fn credentials_without_a_readable_token_are_nobodys() {
        for credentials in [
            Credentials::none(),
            Credentials::token("opaque"),
            Credentials::token("a.b.c"),
        ] {
            assert_eq!(of(&credentials, None).await, None);
        }
    }
}
