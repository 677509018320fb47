//! Every number that bounds what one client can make this server hold or wait for.
//!
//! The limits of the wire format (lengths of ids, sizes of lists) are in `guestlist_api::limits`.
//! There is no limit on the time of a whole request: it is the sum of bounded parts (head, body, the
//! handler's own waits, the answer's way out).

use std::time::Duration;

use crate::addresses::TrustedProxies;
use crate::freshness::FreshnessLimits;

/// What a listener grants to its clients.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Header fields in one request. Every SDK sends fewer than 15; 100 leaves room for proxies.
    pub headers: usize,
    /// Bytes of all header fields of a request. A bearer token has at most 8 KiB; the rest of a
    /// request has room in as much again.
    pub header_block: usize,
    /// Bytes of the request target. The longest legal one is a user id (128) and a resource (512),
    /// each character percent-encoded, and a cursor (2048).
    pub target: usize,
    /// Bytes of a body. The largest legal one is an access record of about 100 KB.
    pub body: usize,
    /// From the first byte of a request to the end of its head; for a new connection, from its
    /// opening. Ten seconds survive two lost packets on a bad mobile network.
    pub header_time: Duration,
    /// From the head to the end of the body: 1 MiB at 35 KB a second.
    pub body_time: Duration,
    /// From the moment the client stops taking an answer until it has taken all of it. Counted from
    /// the first stall, whatever it takes meanwhile, so that a client that reads a byte at a time
    /// gains nothing.
    pub write_time: Duration,
    /// Between two requests on one connection. More than the 60 s for which common proxies keep an
    /// idle connection, so that they close first and never send into a closing one; less than is
    /// worth an attacker's while.
    pub idle_time: Duration,
    /// How long a connection that was ended before its request was read is kept so that the client
    /// can read the answer (RFC 9112 §9.6).
    pub linger_time: Duration,
    /// How many bytes of such a request are thrown away.
    pub linger_bytes: usize,
    /// Open connections. About 12 KB each when idle, 40 KB while a head arrives.
    pub connections: usize,
    /// Open connections from one address (one IPv4 address, one IPv6 /64 network).
    pub connections_per_address: usize,
    /// Proxies, whose connections carry many clients and are not counted by address.
    pub proxies: TrustedProxies,
    /// Names (of records, users and members of groups) looked at for one page of who may do
    /// something: some tenths of a second of work, during which others are answered.
    pub names: usize,
    /// From the shutdown signal until requests in flight are given up.
    pub drain_time: Duration,
    /// How webhooks are delivered.
    pub webhooks: WebhookLimits,
    /// People whom one inviter can invite in a day; 0 for any number. The bounds of the account and of
    /// an address follow from it.
    pub invite_budget: u32,
    /// The rest between two looks for invites that expired or were suspended: how late that is told.
    pub notice_pause: Duration,
    /// What a node among several may miss.
    pub freshness: FreshnessLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            headers: 100,
            header_block: 16 * 1024,
            target: 8 * 1024,
            body: 1024 * 1024,
            header_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            write_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(75),
            linger_time: Duration::from_secs(2),
            linger_bytes: 2 * 1024 * 1024,
            connections: 10_000,
            connections_per_address: 1_000,
            proxies: TrustedProxies::default(),
            names: 2_000_000,
            drain_time: Duration::from_secs(30),
            webhooks: WebhookLimits::default(),
            invite_budget: 10_000,
            notice_pause: Duration::from_secs(5),
            freshness: FreshnessLimits::default(),
        }
    }
}

/// How long a receiver of webhooks is waited for, and how often what was delivered is written down.
#[derive(Debug, Clone)]
pub struct WebhookLimits {
    /// One attempt, from resolving the name to the status of the answer. A receiver that has more to
    /// do answers first.
    pub attempt: Duration,
    /// Pause after the first failed attempt; it doubles with each further one, up to the longest.
    pub first_pause: Duration,
    /// The longest pause: a receiver that comes back waits no longer than this.
    pub longest_pause: Duration,
    /// How long one event is tried before the webhook is disabled: whoever looks once a day is in
    /// time.
    pub give_up: Duration,
    /// How long what was delivered may stay unwritten, and with it what a crash sends again.
    pub save_time: Duration,
    /// How many events that may be.
    pub save_count: usize,
}

impl Default for WebhookLimits {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(10),
            first_pause: Duration::from_secs(5),
            longest_pause: Duration::from_hours(1),
            give_up: Duration::from_hours(24),
            save_time: Duration::from_secs(5),
            save_count: 100,
        }
    }
}

/// Path segments in one request: a resource has at most 15, a user id in the Rust SDK's spelling
/// could have as many as it has characters, but no issuer writes such.
pub const PATH_SEGMENTS: usize = 64;

/// Parameters in one query string. The operation with the most has five.
pub const QUERY_PARAMETERS: usize = 64;

/// JSON values in one body: a record of 100 KB has at most about 25 000 (one-letter strings).
pub const JSON_VALUES: usize = 50_000;

/// Members of one JSON object. No object of the API has more than 20, tags up to 100.
pub const JSON_MEMBERS: usize = 1_000;

/// Characters of a request id taken from the client.
pub const REQUEST_ID_LENGTH: usize = 64;

/// Pause after the first failed `accept`; it doubles with each further one, up to the longest.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(5);
/// The longest pause after a failed `accept`: file descriptors come back as connections end.
pub const ACCEPT_PAUSE_LONGEST: Duration = Duration::from_secs(1);
