//! What a token says of itself, without anybody having verified it: for messages, never for
//! decisions about access.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guestlist_api::times::Timestamp;
use serde::Deserialize;

/// Claims of a JWT (RFC 7519).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Claims {
    #[serde(default)]
    pub(crate) iss: Option<String>,
    #[serde(default)]
    pub(crate) sub: Option<String>,
    #[serde(default)]
    aud: Option<Audiences>,
    #[serde(default)]
    exp: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Several(Vec<String>),
}

impl Claims {
    /// The claims; `None` if this is no JWT.
    pub(crate) fn of(token: &str) -> Option<Self> {
        let token = token.trim();
        let token = token.strip_prefix("Bearer ").unwrap_or(token);
        let mut parts = token.split('.');
        let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        serde_json::from_slice(&payload).ok()
    }

    /// When the token ends.
    pub(crate) fn ends(&self) -> Option<Timestamp> {
        let milliseconds = self.exp?.saturating_mul(1000);
        Some(Timestamp::from_milliseconds(milliseconds))
    }

    pub(crate) fn audiences(&self) -> String {
        match &self.aud {
            Some(Audiences::One(audience)) => audience.clone(),
            Some(Audiences::Several(audiences)) => audiences.join(", "),
            None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_from_what_is_a_token() {
        let token = |payload: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload));
        let claims = Claims::of(&token(r#"{"iss":"i","sub":"s","aud":["a","b"],"exp":60}"#));
        let claims = claims.unwrap();
        assert_eq!(claims.sub.as_deref(), Some("s"));
        assert_eq!(claims.audiences(), "a, b");
        assert_eq!(claims.ends().unwrap().milliseconds(), 60_000);
        assert!(Claims::of(&token("{}")).is_some());
        for bad in ["", "a.b", "a.b.c", "sc_1.key_1.acc-1.AAAA"] {
            assert_eq!(Claims::of(bad), None, "{bad}");
        }
    }
}
