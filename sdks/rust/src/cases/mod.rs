//! The cases, by subject; each prints its lines through the report.

pub mod accounts;
pub mod clients;
pub mod connections;
pub mod extensions;
pub mod groups;
pub mod invites;
pub mod later;
pub mod not_built;
pub mod people;
pub mod records;
pub mod requests;
pub mod resources;
pub mod roles;
pub mod tenants;
pub mod users;
