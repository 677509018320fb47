//! Cursors: where the next page of a list begins, opaque, and good only for the same caller and the
//! same list.
//!
//! A list passes over what its caller may not see, so a position may be the id of something they may
//! not know of: cursors are encrypted, not only signed.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guestlist_api::ids::UserId;
use guestlist_api::limits;

use crate::pepper::{Pepper, Purpose};
use crate::refusal::Refusal;

/// A cursor that could not be encrypted: the cryptographic library is broken.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("a cursor could not be encrypted")]
pub struct NotSealed;

/// What a cursor belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    pub caller: &'a UserId,
    /// The list with its filters.
    pub list: &'a str,
}

impl Scope<'_> {
    /// A key of its own for each scope: a cursor of another one does not open.
    fn key(&self, pepper: &Pepper) -> Result<LessSafeKey, NotSealed> {
        let parts = [self.caller.as_str(), self.list];
        let bytes = pepper.derive(Purpose::Cursor, &parts, AES_256_GCM_SIV.key_len());
        let key = UnboundKey::new(&AES_256_GCM_SIV, &bytes);
        key.map(LessSafeKey::new).map_err(|_| NotSealed)
    }
}

/// AES-GCM-SIV needs no fresh nonce (RFC 8452): that the same position has the same cursor each time
/// tells nobody anything.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

/// A cursor for the page after `position`.
pub fn write(pepper: &Pepper, scope: Scope<'_>, position: &str) -> Result<String, NotSealed> {
    let mut bytes = position.as_bytes().to_vec();
    scope
        .key(pepper)?
        .seal_in_place_append_tag(nonce(), Aad::empty(), &mut bytes)
        .map_err(|_| NotSealed)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
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
    let mut bytes = URL_SAFE_NO_PAD
        .decode(cursor)
        .map_err(|_| Refusal::BadCursor)?;
    let position = scope
        .key(pepper)?
        .open_in_place(nonce(), Aad::empty(), &mut bytes)
        .map_err(|_| Refusal::BadCursor)?;
    String::from_utf8(position.to_vec()).map_err(|_| Refusal::BadCursor)
}
