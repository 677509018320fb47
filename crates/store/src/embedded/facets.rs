//! The facets of invites, for databases and exports of before invites had all of them.

use guestlist_rules::changes::{Document, Kind, Stored as _};
use guestlist_rules::invites::StoredInvite;
use rusqlite::{Connection, Result, params};

use super::change::refacet;

/// Documents read at a time: none is read while one is written.
const PAGE: i64 = 500;

/// Gives every invite the facets that it would have if it were written now. Bodies and marks stay.
///
/// What cannot be read as an invite keeps the facets it has: it is told of when somebody needs it.
pub(super) fn fill(connection: &Connection) -> Result<()> {
    let mut documents = connection.prepare(
        "SELECT number, id, facets, body FROM documents WHERE kind = ?1 AND number > ?2
         ORDER BY number LIMIT ?3",
    )?;
    let kind = Kind::Invite;
    let mut after = i64::MIN;
    loop {
        let page = documents.query_map(params![kind.name(), after, PAGE], |row| {
            let document = Document {
                kind,
                id: row.get(1)?,
                facets: Vec::new(),
                body: row.get(3)?,
            };
            Ok((row.get(0)?, row.get(2)?, document))
        })?;
        let page: Vec<(i64, String, Document)> = page.collect::<Result<_>>()?;
        let Some((last, ..)) = page.last() else {
            return Ok(());
        };
        after = *last;
        for (number, old, mut document) in page {
            if let Ok(invite) = document.read::<StoredInvite>() {
                document.facets = invite.facets();
                refacet(connection, &document, number, &old)?;
            }
        }
    }
}
