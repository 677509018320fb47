//! Several invites in one change: each decided as if it were alone, written together or not at all.

use std::collections::HashSet;

use serde_json::json;

use crate::changes::Changes;
use crate::facts::Facts;
use crate::invites::{Remember, StoredInvite, remember, subject};
use crate::refusals::Refusal;

/// Puts what [`create`](crate::invites::create) decided on for each into one change, which rests on
/// all that each of them rests on.
///
/// The log has one line for a change, so it tells of all of them at once: `invite.batch-created`, of
/// which the first is the subject.
/// `None` if there are none.
pub fn together(
    facts: Facts<'_>,
    decided: Vec<(Changes, StoredInvite)>,
    key: Option<Remember>,
) -> Result<Option<(Changes, Vec<StoredInvite>)>, Refusal> {
    let Some((_, first)) = decided.first() else {
        return Ok(None);
    };
    let told: Vec<_> = decided
        .iter()
        .map(|(_, invite)| {
            json!({ "reference": invite.reference, "expiryTime": invite.expiry_time })
        })
        .collect();
    let subject = subject(&first.reference);
    let data = json!({ "invites": told });
    let mut all = facts.changes("invite.batch-created", subject, data);
    let mut invites = Vec::with_capacity(decided.len());
    // Nearly all of them rest on the same few documents.
    let mut relied: HashSet<_> = all.expect.iter().cloned().collect();
    for (changes, invite) in decided {
        for condition in changes.expect {
            if relied.insert(condition.clone()) {
                all.expect.push(condition);
            }
        }
        all.write.extend(changes.write);
        all.delete.extend(changes.delete);
        invites.push(invite);
    }
    remember(&mut all, key)?;
    Ok(Some((all, invites)))
}
