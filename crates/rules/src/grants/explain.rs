//! Why a permission check says yes: one reason of all there are, the same one whatever the order in
//! memory.

use std::cmp::Reverse;
use std::ops::ControlFlow::Continue;

use guestlist_api::actions::Action;
use guestlist_api::ids::UserId;
use guestlist_api::resources::ResourceUri;
use guestlist_api::times::Timestamp;

use super::check::Found;
use super::{Because, Grants};

/// What gives somebody a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub because: Because,
    /// The resource that the statement names, in its canonical form.
    pub resource: ResourceUri,
    /// The action of the role's permission, as it is written there.
    pub action: Action,
    /// When the statement ends, if it does.
    pub expiry_time: Option<Timestamp>,
}

/// A reason, with what it is compared by.
struct Reason {
    found: Found,
    resource: String,
    action: Action,
    ends: Option<Timestamp>,
}

impl Grants {
    /// Why `who` may do `action` on all of `resource`: says yes exactly when [`Self::is_allowed`]
    /// does.
    ///
    /// Of several reasons it is one that names the user rather than a group; of these one on the
    /// resource nearest to the root; and of these the one that is least by the texts of its
    /// resource, record, group, role and action, and ends last. So the answer depends on the documents alone. It
    /// looks at every statement that covers the resource, where a check stops at the first.
    pub fn explain(
        &self,
        who: &UserId,
        resource: &ResourceUri,
        action: &Action,
    ) -> Option<Explanation> {
        let mut best: Option<Reason> = None;
        let mut text = String::new();
        let _ = self.walk(who, resource, false, &mut |found, held| {
            if held.allow && held.action.covers(action) {
                self.resources.write(found.resource, &mut text);
                let key = self.key(&found, &text, &held.action);
                let ends = self.endings.of(found.record, found.statement);
                let is_better = best.as_ref().is_none_or(|best| {
                    let known = self.key(&best.found, &best.resource, &best.action);
                    (key, lasts(ends)) < (known, lasts(best.ends))
                });
                if is_better {
                    best = Some(Reason {
                        found,
                        resource: text.clone(),
                        action: held.action.clone(),
                        ends,
                    });
                }
            }
            Continue(())
        });
        let best = best?;
        Some(Explanation {
            because: self.because(best.found)?,
            resource: best.resource.parse().ok()?,
            action: best.action,
            expiry_time: best.ends,
        })
    }

    fn key<'k>(
        &'k self,
        found: &Found,
        resource: &'k str,
        action: &'k Action,
    ) -> (bool, usize, [&'k str; 5]) {
        let group = found.group.map_or("", |group| self.group_ids.text(group));
        let texts = [
            resource,
            self.record_ids.text(found.record),
            group,
            self.role_ids.text(found.role),
            action.as_str(),
        ];
        (found.group.is_some(), resource.split('/').count(), texts)
    }
}

/// What ends later comes first, and what does not end before everything.
fn lasts(ends: Option<Timestamp>) -> Option<Reverse<Timestamp>> {
    ends.map(Reverse)
}
