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
#[expect(dead_code, reason = "the tests of webhooks use the rest of it")]
#[path = "../api/webhook_receiver.rs"]
mod webhook_receiver;
#[expect(dead_code, reason = "the tests of the API use the rest of the world")]
#[path = "../api/world.rs"]
mod world;

mod at_once;
mod by_hand;
mod every_step;
mod further;
mod leaks;
mod life_cycle;
mod steps;
mod stores;
mod what_may_be_granted;
mod who_may_accept;
