//! Standard input, which can be one thing only: a credential, an object, or the id of an invite.

use std::io::StdinLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exits::Failure;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// Standard input for whoever asks first. Whoever asks later would find it empty, which reads like
/// a mistake of somebody else.
pub(crate) fn take() -> Result<StdinLock<'static>, Failure> {
    if TAKEN.swap(true, Ordering::AcqRel) {
        return Err(Failure::invalid(
            "standard input cannot be two things at once: put one of them into a file",
        ));
    }
    Ok(std::io::stdin().lock())
}
