//! From the address of a store to its engine.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use crate::{
    EmbeddedStore, MemoryStore, Migrate, OpenError, PostgresAddress, PostgresAddressError,
    PostgresOpenError, PostgresOptions, PostgresStore, Store,
};

/// Where a store is: `memory`, `embedded:/path`, the path of a directory, or
/// `postgres://user@host/database`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// In this process only.
    Memory,
    /// In this directory.
    Embedded(PathBuf),
    /// In this database.
    Postgres(Box<PostgresAddress>),
}

/// Why a text is no address of a store. Says nothing of the text itself: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("the address of the store is empty; give a directory, or `memory`")]
    Empty,
    #[error(transparent)]
    Postgres(#[from] PostgresAddressError),
    #[error(
        "the address of the store names no known engine; give a directory (`embedded:/path`, or a path with a /), \
         `postgres://user@host/database`, or `memory`"
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
            Some("postgres" | "postgresql") => Ok(Self::Postgres(Box::new(path.parse()?))),
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
    #[error(transparent)]
    Postgres(#[from] PostgresOpenError),
}

/// Opens the store at an address. Takes the time of a few reads and writes of the disk, or of
/// connecting to the database. `migrate` is for tables of a database that are older than this
/// program; a directory is always brought up to date.
pub async fn open(address: &str, migrate: Migrate) -> Result<Arc<dyn Store>, Unopened> {
    Ok(match address.parse()? {
        Address::Memory => Arc::new(MemoryStore::new()),
        Address::Embedded(directory) => Arc::new(EmbeddedStore::open(&directory)?),
        Address::Postgres(address) => {
            let options = PostgresOptions::default().migrate(migrate);
            Arc::new(PostgresStore::open(&address, options).await?)
        }
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
            assert!(matches!(address.parse(), Ok(Address::Postgres(_))));
        }
        assert_eq!("mysql://db".parse::<Address>(), Err(AddressError::Unknown));
    }

    #[tokio::test]
    async fn an_error_does_not_repeat_a_password() {
        for (address, words) in [
            (
                "postgres://owner:hunter2@127.0.0.1:1/guestlist",
                "127.0.0.1/guestlist",
            ),
            ("postgres://owner:hunter2@db/x?a=b", "not known"),
            ("postgres://owner:hunter2@db:port/x", "cannot be read"),
        ] {
            let error = open(address, Migrate::Auto).await.err();
            let text = error.map(|it| format!("{it} {it:?}")).unwrap_or_default();
            assert!(text.contains(words) && !text.contains("hunter2"), "{text}");
        }
    }
}
