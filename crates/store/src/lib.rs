//! The memory: one trait, its contract, its engines, and the suite that holds them to it.
//!
//! Engines know documents, conditions and events, and nothing of invites. Deciding is not theirs.

pub mod contract;

pub use contract::*;
