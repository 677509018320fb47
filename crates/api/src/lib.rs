//! The words: what goes over the wire, as values that are valid because they were parsed.
//!
//! No I/O, no clock, and no rule beyond "well formed". What may be done with these values is decided
//! in `guestlist-rules`.

pub mod access_requests;
pub mod accounts;
pub mod actions;
pub mod applications;
pub mod chain;
pub mod claims;
pub mod clients;
pub mod connections;
pub mod csv;
pub mod durations;
pub mod emails;
pub mod events;
pub mod extensions;
pub mod groups;
pub mod identities;
pub mod ids;
pub mod invite_batches;
pub mod invite_effects;
pub mod invite_grants;
pub mod invite_lists;
pub mod invite_settings;
pub mod invite_statistics;
pub mod invite_terms;
pub mod invites;
pub mod limits;
pub mod oauth;
pub mod paging;
pub mod problems;
pub mod records;
pub mod resource_configurations;
pub mod resources;
pub mod roles;
pub mod tenants;
pub mod text;
pub mod times;
pub mod user_tokens;
pub mod users;
pub mod webhooks;
