//! The resources that statements name, as numbers, and the ancestors of a resource among them.

use guestlist_api::limits;
use guestlist_api::resources::{ResourceUri, Shape};
use smallvec::SmallVec;

use super::names::{Full, Names};

/// A resource that a statement names: the number of a path, and whether the statement names what is
/// below the path only (`path/*`). `*` is what is below the empty path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Resource(u32);

impl Resource {
    /// `*`: below the empty path, which has no number.
    pub(super) const EVERYTHING: Self = Self(1);
    /// The ends of the order of numbers.
    pub(super) const FIRST: Self = Self(0);
    pub(super) const LAST: Self = Self(u32::MAX);

    const fn new(path: u32, below: bool) -> Self {
        Self((path + 1) << 1 | below as u32)
    }

    pub(super) const fn is_below(self) -> bool {
        self.0 & 1 == 1
    }

    /// The resources with this path: itself, and what is below it.
    pub(super) const fn of_path(path: u32) -> [Self; 2] {
        [Self::new(path, false), Self::new(path, true)]
    }

    pub(super) const fn word(self) -> u32 {
        self.0
    }

    pub(super) const fn from_word(word: u32) -> Self {
        Self(word)
    }
}

/// The paths of all resources that statements name.
#[derive(Default)]
pub(super) struct Resources {
    paths: Names,
}

/// Those resources on the way down to one that cover it: at most 15 of each.
pub(super) struct Ancestors {
    pub(super) exact: SmallVec<[Resource; limits::RESOURCE_URI_SEGMENTS]>,
    pub(super) below: SmallVec<[Resource; limits::RESOURCE_URI_SEGMENTS]>,
}

impl Resources {
    pub(super) fn intern(&mut self, uri: &ResourceUri) -> Result<Resource, Full> {
        let Some((path, below)) = parts(uri) else {
            return Ok(Resource::EVERYTHING);
        };
        Ok(Resource::new(self.paths.intern(path)?, below))
    }

    /// Their paths, which are never forgotten.
    pub(super) const fn names(&self) -> &Names {
        &self.paths
    }

    pub(super) fn get(&self, uri: &ResourceUri) -> Option<Resource> {
        let Some((path, below)) = parts(uri) else {
            return Some(Resource::EVERYTHING);
        };
        Some(Resource::new(self.paths.get(path)?, below))
    }

    /// The path, without the `/*` of a resource that is below it.
    pub(super) fn path(&self, resource: Resource) -> &str {
        (resource.0 >> 1)
            .checked_sub(1)
            .map_or("", |path| self.paths.text(path))
    }

    /// The canonical text.
    pub(super) fn write(&self, resource: Resource, text: &mut String) {
        text.clear();
        text.push_str(self.path(resource));
        if resource.is_below() {
            text.push_str(if text.is_empty() { "*" } else { "/*" });
        }
    }

    /// Every named resource without a wildcard on the way that covers `uri`, except `*`.
    ///
    /// Of a `uri` with wildcards that is what covers all it stands for: the resources on the way
    /// to its first wildcard.
    pub(super) fn ancestors(&self, uri: &ResourceUri) -> Ancestors {
        let mut ancestors = Ancestors {
            exact: SmallVec::new(),
            below: SmallVec::new(),
        };
        let text = uri.canonical();
        let mut end = 0;
        for segment in text.split('/') {
            end += segment.len();
            if uri.has_wildcard() && segment.contains('*') {
                break;
            }
            if let Some(path) = text.get(..end).and_then(|path| self.paths.get(path)) {
                ancestors.exact.push(Resource::new(path, false));
                if end < text.len() {
                    ancestors.below.push(Resource::new(path, true));
                }
            }
            end += 1;
        }
        ancestors
    }
}

/// The path, and whether what is below it is meant. `None`: `*`.
fn parts(uri: &ResourceUri) -> Option<(&str, bool)> {
    match uri.shape() {
        Shape::Everything => None,
        Shape::Below => uri.parent_of_wildcard().map(|path| (path, true)),
        Shape::Exact | Shape::Pattern => Some((uri.canonical(), false)),
    }
}
