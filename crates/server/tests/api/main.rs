//! The server through its API: each file is one subject, and each test a world of its own.

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

mod access_permissions;
mod access_requests;
mod accounts;
mod applications;
mod authorization;
mod bodies;
mod claims;
mod clients;
mod compat;
mod connections;
mod events;
mod explanations;
mod extensions;
mod groups;
mod identities;
mod invite_administration;
mod invite_approvals;
mod invite_batches;
mod invite_effects;
mod invite_grants;
mod invite_lists;
mod invite_notices;
mod invite_statistics;
mod invite_terms;
mod invites;
mod known_users;
mod limits;
mod nodes;
mod noun_permissions;
mod oauth;
mod permissions;
mod rate_limits;
mod record_lists;
mod records;
mod replayed;
mod resource_configurations;
mod roles;
mod strangers;
mod tenants;
mod timeboxed;
mod user_deletion;
mod user_tokens;
mod users;
mod webhook_receiver;
mod webhook_settings;
mod webhooks;
mod who_may;
mod world;
