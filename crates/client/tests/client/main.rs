//! The client against real servers on loopback, and against scripted ones that misbehave.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on ends there"
)]

mod access_nouns;
mod failures;
mod front_page;
mod hosted;
mod invites;
mod nouns;
mod pages;
mod paths;
mod repeating;
mod revisions;
mod scripted;
mod secrecy;
mod setup;
mod sign_in_nouns;
mod verifier;
mod webhooks;
