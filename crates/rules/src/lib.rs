//! Every decision: who may do what, what an accept writes, who holds what.
//!
//! Pure and synchronous. Facts, the time and fresh ids go in; [`changes::Changes`] or a refusal
//! come out. No clock, no randomness, no waiting, no storage, no HTTP.

pub mod accepting;
mod access_changes;
pub mod access_requests;
pub mod accounts;
pub mod applications;
pub mod authority;
pub mod built_in;
pub mod caller;
pub mod ceiling;
pub mod changes;
pub mod claims;
pub mod clients;
pub mod connections;
pub mod coverage;
pub mod extensions;
pub mod facts;
pub mod grants;
pub mod groups;
pub mod identities;
pub mod invite_administration;
pub mod invite_approvals;
pub mod invite_batches;
pub mod invite_effects;
pub mod invite_notices;
pub mod invite_settings;
pub mod invite_statistics;
pub mod invite_terms;
pub mod invites;
pub mod records;
pub mod refusals;
pub mod resource_configurations;
pub mod roles;
pub mod tenants;
pub mod undoing;
pub mod user_deletion;
pub mod user_tokens;
pub mod users;
pub mod webhooks;
