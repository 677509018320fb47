//! What the programs of this package share: time, and the people and things that are measured with.

pub mod clock;
pub mod world;
