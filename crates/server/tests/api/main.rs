//! The server through its API: each file is one subject, and each test a world of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops at what it did not expect"
)]

mod authorization;
mod bodies;
mod invites;
mod limits;
mod strangers;
mod world;
