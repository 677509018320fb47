//! Percent-encoding, taken strictly: every escape must be one, and the result must be text.

use std::borrow::Cow;
use std::fmt;

/// Why percent-encoded bytes are not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotText {
    /// `%` without two hexadecimal digits after it.
    BrokenEscape,
    /// Bytes that are not UTF-8: overlong forms and surrogates too.
    NotUtf8,
    /// NUL, line ends and the other control characters of ASCII and Latin-1.
    ControlCharacter,
}

impl fmt::Display for NotText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::BrokenEscape => "has a % that is not followed by two hexadecimal digits",
            Self::NotUtf8 => "is not UTF-8 once its escapes are decoded",
            Self::ControlCharacter => "has a control character",
        })
    }
}

/// Decodes once. `+` stays `+` (RFC 3986). Borrows when there is nothing to decode.
pub fn decode(encoded: &str) -> Result<Cow<'_, str>, NotText> {
    if encoded
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'%')
    {
        return Ok(Cow::Borrowed(encoded));
    }
    let text = if encoded.bytes().any(|byte| byte == b'%') {
        Cow::Owned(decode_escapes(encoded, |byte| byte)?)
    } else {
        Cow::Borrowed(encoded)
    };
    without_control_characters(text)
}

/// Decodes once, with `+` for a space (the form encoding of the WHATWG URL standard).
pub fn decode_form(encoded: &str) -> Result<Cow<'_, str>, NotText> {
    if !encoded.bytes().any(|byte| byte == b'+') {
        return decode(encoded);
    }
    let text = decode_escapes(encoded, |byte| if byte == b'+' { b' ' } else { byte })?;
    without_control_characters(Cow::Owned(text))
}

fn decode_escapes(encoded: &str, plain: impl Fn(u8) -> u8) -> Result<String, NotText> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = bytes.next().and_then(hexadecimal);
            let low = bytes.next().and_then(hexadecimal);
            let (Some(high), Some(low)) = (high, low) else {
                return Err(NotText::BrokenEscape);
            };
            decoded.push(high << 4 | low);
        } else {
            decoded.push(plain(byte));
        }
    }
    String::from_utf8(decoded).map_err(|_| NotText::NotUtf8)
}

const fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn without_control_characters(text: Cow<'_, str>) -> Result<Cow<'_, str>, NotText> {
    if text.chars().any(char::is_control) {
        return Err(NotText::ControlCharacter);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_escapes_is_borrowed() {
        for text in ["", "a+b", "google-oauth2|1", "grün", "a b"] {
            assert!(matches!(decode(text), Ok(Cow::Borrowed(same)) if same == text));
        }
    }

    #[test]
    fn escapes_are_decoded_once_whatever_their_case() {
        assert_eq!(decode("%2F%2f%7e%7E+").unwrap(), "//~~+");
        assert_eq!(decode("%252F").unwrap(), "%2F");
        assert_eq!(decode("%25%32%46").unwrap(), "%2F");
        assert_eq!(decode("gr%C3%BCn").unwrap(), "grün");
        assert_eq!(decode_form("a+b%2Bc%20d").unwrap(), "a b+c d");
        assert_eq!(decode_form("a/b%2Bc%3D").unwrap(), "a/b+c=");
    }

    #[test]
    fn p05_broken_escapes() {
        for text in ["%", "a%", "a%2", "a%zz", "%2g", "%%", "%+1", "% 1", "%é"] {
            assert_eq!(decode(text), Err(NotText::BrokenEscape), "{text}");
            assert_eq!(
                decode_form(&format!("+{text}")),
                Err(NotText::BrokenEscape),
                "{text}"
            );
        }
    }

    #[test]
    fn p04_control_characters_and_bytes_that_are_not_utf8() {
        for text in [
            "%00", "%0a", "%0d", "%7f", "a%1Bb", "%C2%80", "\u{7f}", "\u{85}",
        ] {
            assert_eq!(decode(text), Err(NotText::ControlCharacter), "{text:?}");
        }
        for text in [
            "%FF",
            "%C0%AF",
            "%ED%A0%80",
            "%F4%90%80%80",
            "%C3",
            "%E2%82",
        ] {
            assert_eq!(decode(text), Err(NotText::NotUtf8), "{text}");
        }
    }
}
