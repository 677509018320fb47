//! The door: HTTP in and out, who is calling, and what a request needs to be answered.
//!
//! It knows no SQL and decides nothing: rules decide, the store keeps.

pub mod clock;
pub mod entropy;
