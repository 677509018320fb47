//! The order of steps: what is named before what names it, deletions last and the other way round,
//! and last of all what takes away the access with which the rest is done.

use std::cmp::Reverse;

use guestlist_api::ids::UserId;

use super::access::{ControlPlane, Standing};
use super::protection::plane;
use super::{Account, Change, Operation, Step, Work};
use crate::manifests::Kind;

/// Puts steps in the order in which they must be done.
pub(super) fn arrange(steps: &mut [Step], account: &Account, caller: Option<&UserId>) {
    let before = plane(account);
    let now = before.standing(caller);
    steps.sort_by_cached_key(|step| {
        let takes = takes_access(&before, &now, &step.work, caller);
        let (phase, kind) = match (step.work.operation(), takes) {
            (Operation::Create | Operation::Change, false) => (0, Ordered::Forth(step.kind)),
            (Operation::Create | Operation::Change, true) => (1, Ordered::Forth(step.kind)),
            (Operation::Delete, false) => (2, Ordered::Back(Reverse(step.kind))),
            (Operation::Delete, true) => (3, Ordered::Back(Reverse(step.kind))),
        };
        (phase, kind, step.id.clone())
    });
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Ordered {
    Forth(Kind),
    Back(Reverse<Kind>),
}

/// Whether this step alone takes something from the caller, or makes somebody no owner any more: what
/// gives it again must be done before.
fn takes_access(
    before: &ControlPlane,
    now: &Standing,
    work: &Work,
    caller: Option<&UserId>,
) -> bool {
    let matters = match work {
        Work::Role(change) => match &**change {
            Change::Create(_) => false,
            Change::Update(seen, _) | Change::Delete(seen) => before.names_role(&seen.role_id),
        },
        Work::Group(change) => match &**change {
            Change::Create(_) => false,
            Change::Update(seen, _) | Change::Delete(seen) => before.names_group(&seen.id),
        },
        Work::Client(change) => match &**change {
            Change::Create(_) | Change::Update(..) => false,
            Change::Delete(seen) => {
                before.clients.contains(&seen.client_id)
                    || caller.is_some_and(|caller| caller.principal() == seen.client_id.as_str())
            }
        },
        Work::Identity { .. } => false,
        Work::Record(change) => match &**change {
            Change::Create(_) => false,
            Change::Update(seen, _) | Change::Delete(seen) => before.records.contains_key(&seen.id),
        },
    };
    if !matters {
        return false;
    }
    if let Work::Client(_) = work {
        // Whoever deletes themselves does it last.
        return true;
    }
    let mut after = before.clone();
    after.apply(work);
    let then = after.standing(caller);
    now.lost(&then).next().is_some()
        || now
            .owners
            .keys()
            .any(|owner| !then.owners.contains_key(owner))
}
