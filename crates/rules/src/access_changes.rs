//! Who gains and who loses access to which resources when access records are written, as the log
//! tells it.
//!
//! A pair of user and resource is told when the record begins or ceases to name them together. Which
//! roles it gives them is not told, and neither is what is given to groups: who is in a group changes
//! without the record. Another record may give the same.

use std::collections::BTreeSet;

use guestlist_api::events::{AccessChange, AccessOperation};
use guestlist_api::ids::UserId;
use guestlist_api::limits;
use guestlist_api::resources::ResourceUri;
use guestlist_api::times::Timestamp;
use serde_json::json;

use crate::changes::Changes;
use crate::records::StoredRecord;

type Pairs<'a> = BTreeSet<(&'a UserId, &'a str)>;

impl Changes {
    /// Tells in the event what the change of a record gives and takes. Nothing if that is nothing.
    pub fn tell_access(&mut self, before: Option<&StoredRecord>, after: Option<&StoredRecord>) {
        let now = Timestamp::from_milliseconds(self.event.time);
        let Some(record_id) = after.or(before).map(|record| &record.record_id) else {
            return;
        };
        let looked_at = size(before).saturating_add(size(after));
        let mut found: Vec<AccessChange> = Vec::new();
        let mut more = looked_at > limits::EVENT_ACCESS_PAIRS;
        if !more {
            let (held, holds) = (pairs(before, now), pairs(after, now));
            let operations = [
                (AccessOperation::Removed, held.difference(&holds)),
                (AccessOperation::Added, holds.difference(&held)),
            ];
            for (operation, pairs) in operations {
                found.extend(pairs.filter_map(|(user, resource)| {
                    Some(AccessChange {
                        record_id: record_id.clone(),
                        user_id: (*user).clone(),
                        resource_uri: resource.parse::<ResourceUri>().ok()?,
                        operation: operation.into(),
                    })
                }));
            }
        }
        let Some(members) = self.event.data.as_object_mut() else {
            return;
        };
        if found.is_empty() && !more {
            return;
        }
        let told = members.entry("access").or_insert_with(|| json!([]));
        if let Some(told) = told.as_array_mut() {
            let room = limits::EVENT_ACCESS_CHANGES.saturating_sub(told.len());
            more |= found.len() > room;
            told.extend(found.into_iter().take(room).map(|change| json!(change)));
        }
        if more {
            members.insert("moreAccess".to_owned(), json!(true));
        }
    }
}

/// Pairs that would be looked at.
fn size(record: Option<&StoredRecord>) -> usize {
    let Some(record) = record.filter(|record| record.is_active()) else {
        return 0;
    };
    let statements = record.statements.iter();
    let sizes = statements.map(|statement| {
        let named = statement.users.len() + statement.groups.len();
        let users = if named == 0 {
            record.users.len()
        } else {
            statement.users.len()
        };
        users.saturating_mul(statement.resources.len())
    });
    sizes.fold(0, usize::saturating_add)
}

fn pairs(record: Option<&StoredRecord>, now: Timestamp) -> Pairs<'_> {
    let mut pairs = Pairs::new();
    let Some(record) = record.filter(|record| record.is_active()) else {
        return pairs;
    };
    let mut statements = record.statements.iter();
    let in_force = statements
        .by_ref()
        .filter(|statement| statement.expiry_time.is_none_or(|ends| now < ends));
    for statement in in_force {
        let own = !statement.users.is_empty() || !statement.groups.is_empty();
        let users = if own {
            &*statement.users
        } else {
            &*record.users
        };
        for user in users {
            for resource in statement.resources.iter() {
                pairs.insert((&user.user_id, resource.resource_uri.canonical()));
            }
        }
    }
    pairs
}
