//! What went wrong with the invites of others, tried on this server: one test for each row that
//! applies, named after it. README.md lists all rows.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops at what it did not expect"
)]

#[expect(
    dead_code,
    reason = "the tests of tokens use the rest of the fake issuer"
)]
#[path = "../fake_issuer/mod.rs"]
mod fake_issuer;
#[expect(dead_code, reason = "the tests of the API use the rest of the world")]
#[path = "../api/world.rs"]
mod world;

mod at_once;
mod by_hand;
mod every_step;
mod stores;
