//! The server as its operator has it: the built program, its files, its output and its signals.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod account;
mod backup;
mod ending;
mod events;
mod full_disk;
mod http;
mod killing;
mod logs;
mod secrecy;
mod server;
mod settings;
mod stores;
mod transfer;
mod trial;
mod user_deletion;
mod webhooks;
