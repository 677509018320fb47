//! The cases, by subject; each prints its lines through the report.

pub mod accounts;
pub mod clients;
pub mod groups;
pub mod invites;
pub mod later;
pub mod records;
pub mod roles;
pub mod users;
