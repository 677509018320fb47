//! Ids and secrets: made by parsing, never a bare `String` afterwards.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::limits;
use crate::text::Malformed;

macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $what:literal, $length:expr, $allowed:literal, $is_allowed:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let is_allowed: fn(char) -> bool = $is_allowed;
                if text.is_empty() || text.len() > $length || !text.chars().all(is_allowed) {
                    return Err(Malformed::new(format!(
                        "{} must have 1 to {} of the characters {}",
                        $what, $length, $allowed
                    )));
                }
                Self::check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;

            fn try_from(text: String) -> Result<Self, Malformed> {
                text.parse()
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Malformed;

            fn try_from(text: &str) -> Result<Self, Malformed> {
                text.parse()
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

/// Gives an id type no rule beyond its characters and length.
macro_rules! no_further_rule {
    ($($name:ident),*) => {$(
        impl $name {
            fn check(_text: &str) -> Result<(), Malformed> {
                Ok(())
            }
        }
    )*};
}

const fn word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

id!(
    /// Who holds access: the subject of a token, or the id of a service client.
    ///
    /// Case matters. Spaces are allowed inside (RX-USER of contract §1.0), never at the ends, and
    /// no other white space anywhere: it would only serve to forge log lines.
    UserId, "a user id", limits::USER_ID_LENGTH, "A-Z a-z 0-9 + . _ | / ~ : @ - and space",
    |character| word(character)
        || matches!(character, '+' | '.' | '|' | '/' | '~' | ':' | '@' | ' ')
);

impl UserId {
    fn check(text: &str) -> Result<(), Malformed> {
        if text.trim() == text {
            Ok(())
        } else {
            Err(Malformed::new(
                "a user id must not begin or end with a space",
            ))
        }
    }

    /// A service client as it is named in records: `Authress:ServiceClients/{clientId}` and the
    /// bare client id mean the same principal (semantics §5).
    pub fn principal(&self) -> &str {
        self.0
            .strip_prefix("Authress:ServiceClients/")
            .unwrap_or(&self.0)
    }
}

impl UserId {
    /// Whether it can be a person's: not one that reads like a service client or like anything of
    /// the server's own, whatever its case (semantics §8).
    pub fn is_person(&self) -> bool {
        let begins = |start: &str| {
            self.0
                .get(..start.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(start))
        };
        !begins("sc_") && !begins("authress:")
    }
}

impl From<ClientId> for UserId {
    fn from(client: ClientId) -> Self {
        Self(client.0)
    }
}

id!(
    /// A role: `ro_…` by custom, `Authress:…` for the built-in ones.
    RoleId, "a role id", limits::ID_LENGTH, "A-Z a-z 0-9 - . _ : @",
    |character| word(character) || matches!(character, '.' | ':' | '@')
);

impl RoleId {
    /// Whether the id belongs to the built-in roles, whatever its case: nobody may make a role that
    /// reads like one of them.
    pub fn is_reserved(&self) -> bool {
        self.0
            .get(..9)
            .is_some_and(|start| start.eq_ignore_ascii_case("authress:"))
    }
}

id!(
    /// An access record.
    RecordId, "a record id", limits::RECORD_ID_LENGTH, "A-Z a-z 0-9 - _ : | ~",
    |character| word(character) || matches!(character, ':' | '|' | '~')
);

id!(
    /// An access request, `req_…`.
    RequestId, "a request id", limits::RECORD_ID_LENGTH, "A-Z a-z 0-9 - _ : | ~",
    |character| word(character) || matches!(character, ':' | '|' | '~')
);

id!(
    /// A group of users, `grp_…`.
    GroupId, "a group id", limits::ID_LENGTH, "A-Z a-z 0-9 - _", word
);

id!(
    /// A service client, `sc_…`. Without dots, since access keys are split at them.
    ClientId, "a client id", limits::ID_LENGTH, "A-Z a-z 0-9 - _", word
);

id!(
    /// An access key of a service client: the `kid` of what it signs.
    KeyId, "a key id", limits::ID_LENGTH, "A-Z a-z 0-9 - _", word
);

id!(
    /// The account, `acc-…`. Without dots, since access keys are split at them.
    AccountId, "an account id", limits::ID_LENGTH, "A-Z a-z 0-9 - _", word
);

id!(
    /// A tenant: a partition of users with its own way to sign in.
    TenantId, "a tenant id", limits::TENANT_ID_LENGTH, "A-Z a-z 0-9 - _ . :",
    |character| word(character) || matches!(character, '.' | ':')
);

id!(
    /// What an application names a tenant by when it begins a sign-in, such as a subdomain.
    TenantLookupIdentifier, "a tenant lookup identifier", limits::ID_LENGTH, "A-Z a-z 0-9 - _ . :",
    |character| word(character) || matches!(character, '.' | ':')
);

id!(
    /// The domain of e-mail addresses, in lower case.
    Domain, "a domain", limits::DOMAIN_LENGTH, "a-z 0-9 . -",
    |character| character.is_ascii_lowercase() || character.is_ascii_digit()
        || matches!(character, '.' | '-')
);

id!(
    /// A connection to an identity provider: `con_…` by custom.
    ConnectionId, "a connection id", limits::ID_LENGTH, "A-Z a-z 0-9 - _ . :",
    |character| word(character) || matches!(character, '.' | ':')
);

id!(
    /// An application that users sign in to: `app_…`.
    ApplicationId, "an application id", limits::ID_LENGTH, "A-Z a-z 0-9 - _", word
);

id!(
    /// An extension, the application of a third party: `ext_…`.
    ExtensionId, "an extension id", limits::ID_LENGTH, "A-Z a-z 0-9 - _", word
);

id!(
    /// A token that was made for a user: the `jti` of it, and no secret.
    UserTokenId, "a token id", limits::ID_LENGTH, "A-Z a-z 0-9 - _", word
);

id!(
    /// A webhook: `whk_…`.
    WebhookId, "a webhook id", limits::ID_LENGTH, "A-Z a-z 0-9 - _", word
);

id!(
    /// The user id a person should get if they sign up through an invite.
    LinkedUserId, "a linked user id", 32, "A-Z a-z 0-9 - _", word
);

id!(
    /// The public half of an invite's id: for lists, logs, events and support.
    InviteReference, "an invite reference", 12, "A-Z a-z 0-9",
    |character| character.is_ascii_alphanumeric()
);

id!(
    /// A line of the event log, `evt_…`: the same each time it is read, and no other line's.
    EventId, "an event id", limits::ID_LENGTH, "A-Z a-z 0-9 - _", word
);

no_further_rule!(
    EventId,
    RoleId,
    RecordId,
    RequestId,
    GroupId,
    ClientId,
    KeyId,
    AccountId,
    ApplicationId,
    Domain,
    ExtensionId,
    LinkedUserId,
    UserTokenId,
    WebhookId
);

/// Gives an id type that may hold full stops the rule of paths: `.` and `..` cannot stand in one.
macro_rules! not_dots {
    ($($name:ident),*) => {$(
        impl $name {
            fn check(text: &str) -> Result<(), Malformed> {
                if matches!(text, "." | "..") {
                    return Err(Malformed::new("must not be . or .."));
                }
                Ok(())
            }
        }
    )*};
}

not_dots!(TenantId, TenantLookupIdentifier, ConnectionId);

impl InviteReference {
    fn check(text: &str) -> Result<(), Malformed> {
        if text.len() == REFERENCE_LENGTH {
            Ok(())
        } else {
            Err(Malformed::new("an invite reference has 12 characters"))
        }
    }
}

impl EventId {
    /// The id that stands for a digest of the event.
    pub fn from_digest(digest: [u8; 16]) -> Self {
        Self(format!("evt_{:032x}", u128::from_be_bytes(digest)))
    }
}

impl GroupId {
    /// Whether a new group may have this id: SDKs and the published texts expect the prefix.
    pub fn has_prefix(&self) -> bool {
        self.0.starts_with("grp_") && self.0.len() > 4
    }
}

const REFERENCE_LENGTH: usize = 12;
const SECRET_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The whole id of an invite, which is a secret: whoever holds it may accept the invite.
///
/// `inv_{12-character reference}_{43 characters, 256 bits}_{6-character checksum}`, all base62. The
/// checksum (CRC-32 of everything before it) tells a mistyped id from an unknown one without a
/// look-up, and lets secret scanners find leaked ones.
///
/// It prints as `inv_{reference}_…` and has no comparison: what is stored is a keyed hash, compared
/// in constant time. Serialized it is whole: only answers to its holder are allowed to hold it.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct InviteSecret(String);

impl InviteSecret {
    /// Makes a new id from `random` bytes that nobody can guess; `None` if they do not suffice
    /// (bytes that would favour some characters are passed over, so hand in 256 or more).
    pub fn generate(random: &[u8]) -> Option<Self> {
        let mut characters = random
            .iter()
            .filter(|byte| **byte < 248)
            .filter_map(|byte| {
                ALPHABET
                    .get(usize::from(byte % 62))
                    .copied()
                    .map(char::from)
            });
        let reference: String = characters.by_ref().take(REFERENCE_LENGTH).collect();
        let secret: String = characters.take(SECRET_LENGTH).collect();
        Self::of(&reference, &secret)
    }

    /// The same with another secret: that of an invite that is renewed.
    pub fn regenerate(reference: &InviteReference, random: &[u8]) -> Option<Self> {
        let fresh = Self::generate(random)?;
        let secret = fresh.0.get(5 + REFERENCE_LENGTH..)?.get(..SECRET_LENGTH)?;
        Self::of(reference.as_str(), secret)
    }

    fn of(reference: &str, secret: &str) -> Option<Self> {
        if secret.len() < SECRET_LENGTH {
            return None;
        }
        let body = format!("inv_{reference}_{secret}");
        Some(Self(format!("{body}_{}", checksum(&body))))
    }

    /// The public half.
    pub fn reference(&self) -> InviteReference {
        InviteReference(
            self.0
                .get(4..4 + REFERENCE_LENGTH)
                .unwrap_or_default()
                .to_owned(),
        )
    }

    /// The secret itself: for hashing it and for answering its holder, nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for InviteSecret {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new("not an invite id");
        let (body, found) = text.rsplit_once('_').ok_or_else(malformed)?;
        let mut parts = body.split('_');
        let shape = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some("inv"), Some(reference), Some(secret), None) = shape else {
            return Err(malformed());
        };
        let alphanumeric = body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let lengths = reference.len() == REFERENCE_LENGTH && secret.len() == SECRET_LENGTH;
        if alphanumeric && lengths && found == checksum(body) {
            Ok(Self(text.to_owned()))
        } else {
            Err(malformed())
        }
    }
}

/// The id of an invite as its holder has it: whole, and so a secret.
///
/// Opaque, because every server makes its own: 1 to 256 characters without control characters. Only
/// the server that made it knows its shape ([`InviteSecret`] is ours). It has no comparison, and it
/// prints `inv_{reference}_…` if it has our shape, and nothing of itself otherwise. Serialized it is
/// whole.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct InviteId(String);

impl InviteId {
    /// The secret itself: for asking the server and for handing it to the invited person.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The public half, for lists and logs; `None` if the id is not of our shape.
    pub fn reference(&self) -> Option<InviteReference> {
        let secret: InviteSecret = self.0.parse().ok()?;
        Some(secret.reference())
    }
}

impl FromStr for InviteId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let length = text.chars().count();
        if length == 0 || length > limits::INVITE_ID_LENGTH || text.chars().any(char::is_control) {
            return Err(Malformed::new(format!(
                "an invite id must have 1 to {} characters",
                limits::INVITE_ID_LENGTH
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl From<InviteSecret> for InviteId {
    fn from(secret: InviteSecret) -> Self {
        Self(secret.0)
    }
}

/// Prints the public half at most.
impl fmt::Display for InviteId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reference() {
            Some(reference) => write!(formatter, "inv_{reference}_…"),
            None => formatter.write_str("(an invite id)"),
        }
    }
}

/// Prints the public half at most.
impl fmt::Debug for InviteId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl<'de> Deserialize<'de> for InviteId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl fmt::Debug for InviteSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "inv_{}_…", self.reference())
    }
}

impl<'de> Deserialize<'de> for InviteSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

fn checksum(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut characters = [b'0'; CHECKSUM_LENGTH];
    for character in characters.iter_mut().rev() {
        *character = ALPHABET.get((rest % 62) as usize).copied().unwrap_or(b'0');
        rest /= 62;
    }
    characters.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> InviteSecret {
        let random: Vec<u8> = (0..=255).collect();
        InviteSecret::generate(&random).unwrap()
    }

    #[test]
    fn an_invite_id_has_its_published_shape() {
        let secret = secret();
        assert_eq!(secret.reveal().len(), 67);
        assert!(secret.reveal().starts_with("inv_0123456789AB_"));
        assert_eq!(secret.reference().as_str(), "0123456789AB");
        let again: InviteSecret = secret.reveal().parse().unwrap();
        assert_eq!(again.reveal(), secret.reveal());
    }

    #[test]
    fn too_little_randomness_makes_no_invite_id() {
        assert!(InviteSecret::generate(&[1; 54]).is_none());
        assert!(InviteSecret::generate(&[1; 55]).is_some());
        assert!(InviteSecret::generate(&[255; 1000]).is_none());
    }

    #[test]
    fn any_changed_character_breaks_the_checksum() {
        let good = secret();
        for position in 0..good.reveal().len() {
            for replacement in ['0', 'Z', '_', '%', ' '] {
                let changed: String = good
                    .reveal()
                    .chars()
                    .enumerate()
                    .map(|(at, character)| {
                        if at == position {
                            replacement
                        } else {
                            character
                        }
                    })
                    .collect();
                if changed != good.reveal() {
                    assert!(changed.parse::<InviteSecret>().is_err(), "{changed}");
                }
            }
        }
        for length in 0..good.reveal().len() {
            let part = good.reveal().get(..length).unwrap();
            assert!(part.parse::<InviteSecret>().is_err());
        }
        assert!(
            format!("{}0", good.reveal())
                .parse::<InviteSecret>()
                .is_err()
        );
    }

    #[test]
    fn printing_an_invite_id_shows_only_its_reference() {
        assert_eq!(format!("{:?}", secret()), "inv_0123456789AB_…");
    }

    #[test]
    fn what_a_holder_has_is_opaque_and_prints_at_most_the_reference() {
        let ours: InviteId = secret().into();
        assert_eq!(
            format!("{ours} {ours:?}"),
            "inv_0123456789AB_… inv_0123456789AB_…"
        );
        assert_eq!(ours.reveal(), secret().reveal());
        assert_eq!(ours.reference().unwrap().as_str(), "0123456789AB");
        let theirs: InviteId = "0a1b/2c|3d".parse().unwrap();
        assert_eq!(
            format!("{theirs} {theirs:?}"),
            "(an invite id) (an invite id)"
        );
        assert_eq!(theirs.reveal(), "0a1b/2c|3d");
        assert!(theirs.reference().is_none());
        let long = "a".repeat(257);
        for bad in ["", "a\nb", long.as_str()] {
            assert!(bad.parse::<InviteId>().is_err());
        }
    }

    #[test]
    fn user_ids_are_those_that_sdks_send() {
        for good in [
            "google-oauth2|1095/36@x+y",
            "a",
            "sc_1",
            "Authress:ServiceClients/sc_1",
            "a b",
        ] {
            assert!(good.parse::<UserId>().is_ok(), "{good}");
        }
        let long = "a".repeat(129);
        for bad in [
            "",
            " a",
            "a ",
            "a\nb",
            "a\tb",
            "a#b",
            "ä",
            "a\0",
            "a%b",
            long.as_str(),
        ] {
            assert!(bad.parse::<UserId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_client_in_a_record_is_one_principal_under_both_names() {
        let long: UserId = "Authress:ServiceClients/sc_1".parse().unwrap();
        assert_eq!(long.principal(), "sc_1");
        let user: UserId = "sc_1".parse().unwrap();
        assert_eq!(user.principal(), "sc_1");
    }

    #[test]
    fn ids_that_read_like_built_in_roles_are_reserved() {
        for reserved in [
            "Authress:Owner",
            "authress:owner",
            "AUTHRESS:x",
            "authress:",
        ] {
            assert!(reserved.parse::<RoleId>().unwrap().is_reserved());
        }
        assert!(!"ro_authress:x".parse::<RoleId>().unwrap().is_reserved());
        assert!(!"Authress".parse::<RoleId>().unwrap().is_reserved());
    }
}
