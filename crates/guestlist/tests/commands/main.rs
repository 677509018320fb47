//! The commands as a person or a script starts them, against a server of their own.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod access_nouns;
mod account_import;
mod account_import_faults;
mod apply;
mod apply_meanwhile;
mod audit;
mod between;
mod checks;
mod doctor;
mod editor;
mod fake_provider;
mod fake_server;
mod hygiene;
mod invite_batches;
mod invites;
mod login;
mod noun_files;
mod noun_lists;
mod nouns;
mod program;
mod pseudo_terminal;
mod pull;
mod sign_in_nouns;
mod webhooks;
