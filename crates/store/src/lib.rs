//! The memory: one trait, its contract, its engines, and the suite that holds them to it.
//!
//! Engines know documents, conditions and events, and nothing of invites. Deciding is not theirs.

mod admission;
mod chain;
pub mod contract;
mod embedded;
mod following;
mod memory;
mod open;
mod postgres;
#[cfg(feature = "suite")]
pub mod suite;
mod transfer;

pub use chain::Head;
pub use contract::*;
pub use embedded::{
    BackedUp, BackupError, BackupFile, Contents, EmbeddedStore, Existing, ExportFile, HeldWrites,
    OpenError, OpenOptions, Progress, Restored, Synchronous, backup, export, refuse_in_use,
};
pub use memory::MemoryStore;
pub use open::{Address, AddressError, Unopened, open};
pub use postgres::{
    Migrate, Migrated, PostgresAddress, PostgresAddressError, PostgresOpenError, PostgresOptions,
    PostgresStore,
};
pub use transfer::{ExportEnd, ExportHeader, TransferError};
