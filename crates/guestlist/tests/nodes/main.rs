//! Several nodes as one: built programs on one PostgreSQL, of which the network, the database or one
//! of themselves fails.
//!
//! Each test has a cluster of its own, so that it may end it. `GUESTLIST_ROUNDS` and
//! `GUESTLIST_TRIALS` ask for more of what the normal run does in part (`races.rs`, `carried.rs`).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod busy;
mod carried;
mod clock;
mod cut;
mod fail_over;
mod full;
#[path = "../process/http.rs"]
mod http;
mod killed;
mod load;
mod place;
mod proxy;
mod races;
mod restarted;
#[expect(dead_code, reason = "the tests of one process need more of it")]
#[path = "../process/server.rs"]
mod server;
