//! Cursors: where the next page of a list begins, opaque, signed, and good only for the same caller
//! and the same list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guestlist_api::ids::UserId;
use guestlist_api::limits;

use crate::pepper::{Pepper, Purpose};
use crate::refusal::Refusal;

/// What a cursor belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    pub caller: &'a UserId,
    /// The list with its filters.
    pub list: &'a str,
}

impl Scope<'_> {
    fn signed(&self, position: &str) -> String {
        // Lengths in front, so that no two scopes can be written the same way.
        format!(
            "{}:{}{}:{}{position}",
            self.caller.as_str().len(),
            self.caller,
            self.list.len(),
            self.list
        )
    }
}

/// A cursor for the page after `position`.
pub fn write(pepper: &Pepper, scope: Scope<'_>, position: &str) -> String {
    let signature = pepper.hash(Purpose::Cursor, &scope.signed(position));
    URL_SAFE_NO_PAD.encode(format!("{signature}.{position}"))
}

/// The position in a cursor.
///
/// # Errors
///
/// [`Refusal::BadCursor`] if it was not made here for this caller and list.
pub fn read(pepper: &Pepper, scope: Scope<'_>, cursor: &str) -> Result<String, Refusal> {
    if cursor.len() > limits::CURSOR_LENGTH {
        return Err(Refusal::BadCursor);
    }
    let bytes = URL_SAFE_NO_PAD
        .decode(cursor)
        .map_err(|_| Refusal::BadCursor)?;
    let text = String::from_utf8(bytes).map_err(|_| Refusal::BadCursor)?;
    let (signature, position) = text.split_once('.').ok_or(Refusal::BadCursor)?;
    if pepper.matches(Purpose::Cursor, &scope.signed(position), signature) {
        Ok(position.to_owned())
    } else {
        Err(Refusal::BadCursor)
    }
}
