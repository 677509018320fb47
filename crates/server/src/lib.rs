//! The door: HTTP in and out, who is calling, and what a request needs to be answered.
//!
//! It knows no SQL and decides nothing: rules decide, the store keeps.

pub mod addresses;
pub mod body;
pub mod clock;
mod connection;
pub mod cors;
pub mod edge_error;
pub mod entropy;
pub mod head;
pub mod limits;
pub mod listener;
pub mod panics;
pub mod paths;
pub mod percent;
mod places;
pub mod query;
pub mod rate;
pub mod request_id;
mod strict_json;
