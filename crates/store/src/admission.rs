//! What a change must look like before an engine takes it: the preconditions of the contract.
//!
//! A breach is a defect of the caller, never a conflict, so it is refused before anything is
//! compared or written, and alike in every engine.

use std::collections::HashSet;

use guestlist_rules::changes::{Changes, Document, Facet};

use crate::StoreError;

/// The most bytes an id has.
const LONGEST_ID: usize = 512;
/// The most bytes of ids, facet values and bodies that one change writes: 8 MiB.
const LARGEST_CHANGE: usize = 8 << 20;

/// Why a change is not one that the contract allows.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Inadmissible {
    #[error("the change names {0} more than once")]
    NamedTwice(String),
    #[error("the id of a document is empty, longer than {LONGEST_ID} bytes, or has a NUL in it")]
    BadId,
    #[error("{0} has two values for one facet")]
    FacetTwice(String),
    #[error("the change is larger than {LARGEST_CHANGE} bytes")]
    TooLarge,
}

impl From<Inadmissible> for StoreError {
    fn from(error: Inadmissible) -> Self {
        Self::Unavailable(Some(Box::new(error)))
    }
}

/// Checks everything that can be known without looking at what is stored.
pub(crate) fn admit(changes: &Changes) -> Result<(), Inadmissible> {
    let written = changes
        .write
        .iter()
        .map(|document| (document.kind, document.id.as_str()));
    let deleted = changes.delete.iter().map(|(kind, id)| (*kind, id.as_str()));
    let mut named = HashSet::with_capacity(changes.write.len() + changes.delete.len());
    for (kind, id) in written.chain(deleted) {
        admit_id(id)?;
        if !named.insert((kind, id)) {
            return Err(Inadmissible::NamedTwice(format!("{}/{id}", kind.name())));
        }
    }
    if changes.write.iter().map(size).sum::<usize>() > LARGEST_CHANGE {
        return Err(Inadmissible::TooLarge);
    }
    changes.write.iter().try_for_each(one_value_per_facet)
}

/// Checks the id of a document.
pub(crate) fn admit_id(id: &str) -> Result<(), Inadmissible> {
    if id.is_empty() || id.len() > LONGEST_ID || id.contains('\0') {
        return Err(Inadmissible::BadId);
    }
    Ok(())
}

/// The bytes that count against [`LARGEST_CHANGE`].
pub(crate) fn size(document: &Document) -> usize {
    let facets: usize = document.facets.iter().map(|(_, value)| value.len()).sum();
    document.id.len() + facets + document.body.len()
}

/// Checks the facets of a document.
pub(crate) fn one_value_per_facet(document: &Document) -> Result<(), Inadmissible> {
    let mut seen: HashSet<Facet> = HashSet::with_capacity(document.facets.len());
    if document.facets.iter().all(|(facet, _)| seen.insert(*facet)) {
        return Ok(());
    }
    Err(Inadmissible::FacetTwice(format!(
        "{}/{}",
        document.kind.name(),
        document.id
    )))
}
