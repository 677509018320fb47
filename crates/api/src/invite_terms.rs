//! For whom an invite is and within which bounds it can be used: extensions of ours (no published
//! model has them).

use serde::{Deserialize, Serialize};

use crate::durations::IsoDuration;
use crate::emails::EmailAddress;
use crate::identities::IssuerText;
use crate::ids::{Domain, RequestId, UserId};
use crate::limits;
use crate::text::{Bounded, Malformed, absent_if_empty, default_if_null};
use crate::times::Timestamp;

/// Whom an invite is for. Absent: whoever holds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Invitee {
    User(UserId),
    /// Whoever signs in with this address, verified by their identity provider.
    Email(EmailAddress),
}

/// As it is written: exactly one of the two.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    user_id: Option<UserId>,
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    email: Option<EmailAddress>,
}

impl TryFrom<Written> for Invitee {
    type Error = Malformed;

    fn try_from(written: Written) -> Result<Self, Malformed> {
        match (written.user_id, written.email) {
            (Some(user), None) => Ok(Self::User(user)),
            (None, Some(email)) => Ok(Self::Email(email)),
            (Some(_), Some(_)) | (None, None) => {
                Err(Malformed::new("must have one of userId and email"))
            }
        }
    }
}

impl From<Invitee> for Written {
    fn from(invitee: Invitee) -> Self {
        match invitee {
            Invitee::User(user) => Self {
                user_id: Some(user),
                email: None,
            },
            Invitee::Email(email) => Self {
                user_id: None,
                email: Some(email),
            },
        }
    }
}

impl Invitee {
    /// As a text that no other invitee has: `user:…` or `email:…`.
    pub fn key(&self) -> String {
        match self {
            Self::User(user) => format!("user:{}", user.principal()),
            Self::Email(email) => format!("email:{email}"),
        }
    }

    /// What somebody else is told of it: enough to know which account to sign in with.
    pub fn masked(&self) -> String {
        match self {
            Self::User(user) => {
                let shown: String = user.as_str().chars().take(2).collect();
                format!("{shown}***")
            }
            Self::Email(email) => email.masked(),
        }
    }
}

/// How long access lasts once an invite is accepted: 5 minutes to 10 years, as in `P30D`.
pub type AccessDuration =
    IsoDuration<{ limits::ACCESS_DURATION_LEAST }, { limits::ACCESS_DURATION_MOST }>;

/// How what an invite holds is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InviteGrant {
    /// Access ends so long after the invite was accepted. Absent, it does not end.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub access_duration: Option<AccessDuration>,
}

impl InviteGrant {
    /// Of access that ends so long after it was accepted; `None` if it does not end.
    pub fn of(access_duration: Option<AccessDuration>) -> Option<Self> {
        access_duration.map(|duration| Self {
            access_duration: Some(duration),
        })
    }
}

/// Whether somebody else must approve what an accept asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InviteApproval {
    /// Accepting gives nothing yet: it opens an access request, and whoever approves that gives it.
    #[serde(default, deserialize_with = "default_if_null")]
    pub required: bool,
    /// The access request that waits for an answer. Not read in requests, so that what was read can
    /// be sent back.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub request_id: Option<RequestId>,
}

impl InviteApproval {
    /// That must be given.
    pub const REQUIRED: Self = Self {
        required: true,
        request_id: None,
    };
}

/// Times an invite can be used: 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct MaxUses(u32);

impl MaxUses {
    pub const ONE: Self = Self(1);

    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for MaxUses {
    type Error = Malformed;

    fn try_from(uses: u32) -> Result<Self, Malformed> {
        if (1..=limits::INVITE_USES).contains(&uses) {
            Ok(Self(uses))
        } else {
            Err(Malformed::new(format!(
                "must be 1 to {}",
                limits::INVITE_USES
            )))
        }
    }
}

impl From<MaxUses> for u32 {
    fn from(uses: MaxUses) -> Self {
        uses.0
    }
}

impl Default for MaxUses {
    fn default() -> Self {
        Self::ONE
    }
}

/// The domains of [`InviteRestrictions`].
pub type InviteDomains = Bounded<Domain, 0, { limits::INVITE_DOMAINS }>;

/// Within which bounds an invite can be used. A member that is not known is refused: a restriction
/// that is passed over would be none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InviteRestrictions {
    /// Only for whoever signs in with a verified e-mail address of one of these domains.
    #[serde(
        default,
        deserialize_with = "default_if_null",
        skip_serializing_if = "no_domains"
    )]
    pub email_domains: InviteDomains,
    /// Only for whoever signs in by this linked token issuer.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub issuer: Option<IssuerText>,
    /// Cannot be used before this instant.
    #[serde(
        default,
        deserialize_with = "absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub not_before: Option<Timestamp>,
    /// How many people can use it: 1 unless given. An invite for several gives no right to give
    /// anything on, and nothing of the service's own resources.
    #[serde(default, deserialize_with = "default_if_null")]
    pub max_uses: MaxUses,
}

fn no_domains(domains: &InviteDomains) -> bool {
    domains.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitee_is_one_of_the_two() {
        let read = |text: &str| serde_json::from_str::<Invitee>(text);
        let user = read(r#"{"userId": "ann"}"#).unwrap();
        assert_eq!(user.key(), "user:ann");
        let email = read(r#"{"email": "Ann@Example.com", "userId": null}"#).unwrap();
        assert_eq!(email.key(), "email:ann@example.com");
        assert_eq!(
            serde_json::to_string(&email).unwrap(),
            r#"{"email":"ann@example.com"}"#
        );
        for text in [
            "{}",
            r#"{"userId": "ann", "email": "a@b.c"}"#,
            r#"{"phone": "1"}"#,
            r#"{"email": "no address"}"#,
            "null",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_restriction_that_is_not_known_is_refused() {
        let read = |text: &str| serde_json::from_str::<InviteRestrictions>(text);
        let whole = r#"{"emailDomains":["b.c"],"issuer":"https://login.example","notBefore":"2026-01-02T03:04:05.000Z","maxUses":5}"#;
        let restrictions = read(whole).unwrap();
        assert_eq!(serde_json::to_string(&restrictions).unwrap(), whole);
        assert_eq!(read("{}").unwrap(), InviteRestrictions::default());
        for text in [
            r#"{"requireMfa": true}"#,
            r#"{"connectionId": "con_1"}"#,
            r#"{"maxUses": 0}"#,
            r#"{"maxUses": 1001}"#,
            r#"{"maxUses": -1}"#,
            r#"{"emailDomains": ["a b"]}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
