//! `delete`: several objects, one after the other.

use std::fmt::Display;

use guestlist_client::Error;

use crate::exits::Failure;
use crate::output::Output;

/// Deletes all of these after a question, unless `yes` was said before.
///
/// The first that fails ends it, because the reason is mostly the same for those after it. It is
/// told which are left.
pub(crate) async fn delete<Id: Display>(
    output: &Output,
    what: &str,
    ids: &[Id],
    yes: bool,
    delete: impl AsyncFn(&Id) -> Result<(), Error>,
) -> Result<(), Failure> {
    let names = |ids: &[Id]| {
        let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
        names.join(", ")
    };
    output.confirm(&format!("Delete the {what} {}?", names(ids)), yes)?;
    let mut left = ids;
    while let [id, after @ ..] = left {
        if let Err(error) = delete(id).await {
            let failure = Failure::from(error).during(&format!("cannot delete the {what} {id}"));
            return Err(if after.is_empty() {
                failure
            } else {
                failure.hint(format!("Not deleted either: {}.", names(after)))
            });
        }
        output.notice(&format!("Deleted the {what} {id}."));
        left = after;
    }
    Ok(())
}
