//! Documents whose ids a server makes itself: here each has a tag that says of which document of the
//! other server it is the import, so that it is found again without the state file.

use guestlist_client::api::text::{Malformed, Tags};

/// The tag; its value is the id on the other server.
pub(super) const ORIGIN: &str = "guestlist:imported-from";

/// What of this server stands for a document of the other one.
pub(super) enum Found<'a, T> {
    Absent,
    /// It has the same id, or the state file or the caller has said so.
    Same(&'a T),
    /// It says so itself. Whoever may write such documents may have written that.
    Tagged(&'a T),
    Several,
    /// An earlier run made it, and it was deleted since or the caller may not see it: it does not
    /// come back unasked, nor is it made twice.
    Gone,
}

pub(super) const GONE: &str =
    "what an earlier run made of it is not here any more, or you may not see it";

/// The same tags and that of the origin.
pub(super) fn with_origin(tags: &Tags, id: &str) -> Result<Tags, Malformed> {
    without_origin(tags).with(ORIGIN, id)
}

/// The same tags without that of the origin, which makes no difference.
pub(super) fn without_origin(tags: &Tags) -> Tags {
    let others = tags.iter().filter(|(name, _)| *name != ORIGIN);
    others.fold(Tags::new(), |tags, (name, value)| {
        // They are tags already.
        tags.clone().with(name, value).unwrap_or(tags)
    })
}

/// Looks for it among the documents of this server, which are given with their ids.
pub(super) fn find<'a, T>(
    documents: impl IntoIterator<Item = (&'a String, &'a T)>,
    id: &str,
    made_as: Option<&str>,
    tags: impl Fn(&T) -> &Tags,
) -> Found<'a, T> {
    let mut found = Found::Absent;
    for (its_id, document) in documents {
        if its_id == id || made_as == Some(its_id) {
            return Found::Same(document);
        }
        let is_tagged = tags(document)
            .iter()
            .any(|(name, value)| name == ORIGIN && value == id);
        if is_tagged {
            found = match found {
                Found::Absent => Found::Tagged(document),
                Found::Same(_) | Found::Tagged(_) | Found::Several | Found::Gone => Found::Several,
            };
        }
    }
    if made_as.is_some() && matches!(found, Found::Absent) {
        return Found::Gone;
    }
    found
}
