//! The door: HTTP in and out, who is calling, and what a request needs to be answered.
//!
//! It knows no SQL and decides nothing: rules decide, the store keeps.

pub mod access_keys;
pub mod caller;
pub mod claims;
pub mod clock;
pub mod ed25519;
pub mod entropy;
pub mod issuers;
pub mod jwks;
pub mod known_callers;
pub mod outgoing;
pub mod pepper;
pub mod secret_files;
pub mod token_cache;
pub mod tokens;
pub mod user_tokens;
