//! Ids that are made of a hash, where what they stand for may be too long or of other characters.

use std::fmt::Write as _;

use aws_lc_rs::digest::SHA256;

/// SHA-256 in hexadecimal.
pub(crate) fn digest(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&SHA256, text.as_bytes());
    digest
        .as_ref()
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
