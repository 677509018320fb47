//! The hash of a line of the event log, and where a chain of lines has come to.

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use guestlist_api::chain::{CanonicalEvent, ChainHash};
use guestlist_rules::changes::Revision;

const _: () = assert!(SHA256_OUTPUT_LEN == ChainHash::BYTES);

/// The newest line of a log, or of the part of it that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub revision: Revision,
    pub hash: ChainHash,
}

impl Head {
    /// Before the first line.
    pub const START: Self = Self {
        revision: Revision(0),
        hash: ChainHash::START,
    };

    /// After one line more.
    #[must_use]
    pub fn followed_by(self, event: &CanonicalEvent) -> Self {
        let revision = Revision(self.revision.0 + 1);
        let hashed = digest(&SHA256, &event.link(self.hash, revision.0));
        let mut bytes = [0; ChainHash::BYTES];
        for (place, byte) in bytes.iter_mut().zip(hashed.as_ref()) {
            *place = *byte;
        }
        Self {
            revision,
            hash: ChainHash::from_bytes(bytes),
        }
    }
}

impl Default for Head {
    fn default() -> Self {
        Self::START
    }
}
