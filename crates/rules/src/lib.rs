//! Every decision: who may do what, what an accept writes, who holds what.
//!
//! Pure and synchronous. Facts, the time and fresh ids go in; [`changes::Changes`] or a refusal
//! come out. No clock, no randomness, no waiting, no storage, no HTTP.

pub mod changes;
