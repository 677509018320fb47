//! What the operator has chosen, as the server uses it. Flags, environment and file are read in the
//! binary.

use guestlist_api::ids::AccountId;

use crate::limits::Limits;

/// Settings of a running server.
#[derive(Debug, Clone)]
pub struct Settings {
    pub account_id: AccountId,
    /// The origin under which the server is reached, without a trailing slash. Links and tokens are
    /// made from it and never from a request.
    pub public_url: String,
    /// Development: tokens for any user on request, issuers over http on loopback.
    pub development: bool,
    /// Whether the raw access key is accepted as a bearer, as some SDKs send it (contract §3.3).
    pub raw_access_keys: bool,
    /// Origins that browsers may call from.
    pub allowed_origins: Vec<String>,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Issuers may be at private addresses.
    pub private_issuers: bool,
    /// What one client can make the server hold or wait for.
    pub limits: Limits,
}
