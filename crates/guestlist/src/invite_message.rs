//! A message to an invited person, ready to be sent by whoever invites.

use std::fmt::Write as _;
use std::str::FromStr;

use guestlist_api::invites::Invite;
use guestlist_api::text::Malformed;
use serde::Serialize;

use crate::text::plain;

/// Octets of an address (RFC 5321 §4.5.3.1.3).
const ADDRESS_LENGTH: usize = 254;

/// An address for electronic mail, as far as one can be judged by looking at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct EmailAddress(String);

impl FromStr for EmailAddress {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let sound = text.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !local.contains('@')
        });
        let strange = |character: char| {
            character.is_whitespace() || character.is_control() || ",;<>\"()".contains(character)
        };
        if !sound || text.len() > ADDRESS_LENGTH || text.chars().any(strange) {
            return Err(Malformed::new(
                "must be one e-mail address, as in ann@example.com",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Subject and text of a message, and the same as a link that opens a mail program.
#[derive(Clone, Serialize)]
pub(crate) struct Message {
    to: EmailAddress,
    subject: String,
    text: String,
    /// RFC 6068.
    mailto: String,
}

impl Message {
    /// The message with this line by which to accept: the id of the invite, or a link with it.
    pub(crate) fn new(to: EmailAddress, invite: &Invite, way: &str) -> Self {
        let subject = "You are invited".to_owned();
        let mut text = String::from("Hello,\n\nyou are invited. If you accept, you will have:\n\n");
        for statement in &invite.statements {
            let _ = writeln!(text, "  {}", super::invites::given(statement));
        }
        let _ = write!(
            text,
            "\nTo accept, sign in and use this:\n\n  {way}\n\nWhoever has it can accept in your \
             place, so keep it to yourself. It works once"
        );
        if let Some(time) = invite.expiry_time {
            let _ = write!(text, ", until {time}");
        }
        text.push_str(".\n");
        let encode = |text: &str| {
            // Form encoding, but for the space: mail programs do not read a plus as one.
            form_urlencoded::byte_serialize(text.as_bytes())
                .collect::<String>()
                .replace('+', "%20")
        };
        let mailto = format!(
            "mailto:{}?subject={}&body={}",
            encode(&to.0).replace("%40", "@"),
            encode(&subject),
            encode(&text.replace('\n', "\r\n"))
        );
        Self {
            to,
            subject,
            text,
            mailto,
        }
    }

    pub(crate) fn to(&self) -> &str {
        &self.to.0
    }

    /// All of it, for a person.
    pub(crate) fn shown(&self) -> String {
        format!(
            "To: {}\nSubject: {}\n\n{}\n{}\n",
            plain(&self.to.0),
            self.subject,
            plain(&self.text),
            self.mailto
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_address() {
        for good in ["a@x.com", "ann.o'neil+tag@sub.example.com", "ü@example.com"] {
            assert!(good.parse::<EmailAddress>().is_ok(), "{good}");
        }
        let long = format!("{}@x.com", "a".repeat(250));
        for bad in [
            "",
            "a",
            "@x.com",
            "a@",
            "a@b@c",
            "a b@x.com",
            "a@x.com,b@x.com",
            "Ann <a@x.com>",
            "a@x.com\r\nBcc: b@x.com",
            &long,
        ] {
            assert!(bad.parse::<EmailAddress>().is_err(), "{bad}");
        }
    }
}
