//! The commands as a person or a script starts them, against a server of their own.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod editor;
mod hygiene;
mod nouns;
mod program;
