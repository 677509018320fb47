//! From the address of a store to its engine.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use crate::{EmbeddedStore, MemoryStore, OpenError, Store};

/// Where a store is: `memory`, `embedded:/path`, or the path of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// In this process only.
    Memory,
    /// In this directory.
    Embedded(PathBuf),
}

/// Why a text is no address of a store. Says nothing of the text itself: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("the address of the store is empty; give a directory, or `memory`")]
    Empty,
    #[error("PostgreSQL is not built yet; give a directory (`embedded:/path`), or `memory`")]
    PostgreSql,
    #[error(
        "the address of the store names no known engine; give a directory (`embedded:/path`, or a path with a /), \
         or `memory`"
    )]
    Unknown,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        let path = text.strip_prefix("embedded:").unwrap_or(text);
        match path.split_once("://").map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => Err(AddressError::PostgreSql),
            Some(_) => Err(AddressError::Unknown),
            None if path.is_empty() => Err(AddressError::Empty),
            // A word that was meant to name an engine must not become a directory.
            None if path == text && !path.contains('/') => Err(AddressError::Unknown),
            None => Ok(Self::Embedded(PathBuf::from(path))),
        }
    }
}

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum Unopened {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error(transparent)]
    Embedded(#[from] OpenError),
}

/// Opens the store at an address. Takes the time of a few reads and writes of the disk.
pub fn open(address: &str) -> Result<Arc<dyn Store>, Unopened> {
    Ok(match address.parse()? {
        Address::Memory => Arc::new(MemoryStore::new()),
        Address::Embedded(directory) => Arc::new(EmbeddedStore::open(&directory)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_their_engine() {
        let embedded = |path: &str| Ok(Address::Embedded(PathBuf::from(path)));
        assert_eq!("memory".parse(), Ok(Address::Memory));
        assert_eq!(
            "embedded:/var/lib/guestlist".parse(),
            embedded("/var/lib/guestlist")
        );
        assert_eq!("./data".parse(), embedded("./data"));
        assert_eq!("embedded:memory".parse(), embedded("memory"));
        assert_eq!("".parse::<Address>(), Err(AddressError::Empty));
        assert_eq!("embedded:".parse::<Address>(), Err(AddressError::Empty));
        for address in ["postgres://u:secret@db/x", "postgresql://db"] {
            assert_eq!(address.parse::<Address>(), Err(AddressError::PostgreSql));
        }
        assert_eq!("mysql://db".parse::<Address>(), Err(AddressError::Unknown));
    }

    #[test]
    fn an_error_does_not_repeat_a_password() {
        let error = open("postgres://owner:hunter2@db/guestlist")
            .err()
            .map(|it| it.to_string());
        assert!(error.is_some_and(|text| {
            text.contains("PostgreSQL is not built yet") && !text.contains("hunter2")
        }));
    }
}
