//! What a plan must not take away: the caller's own access, and the last owner.

use std::collections::BTreeSet;

use guestlist_rules::grants::Because;

use super::access::{ControlPlane, Standing};
use super::{Account, Change, Kept, Options, OwnAccess, Plan, Rest, Work};
use crate::manifests::Kind;

/// Built-in roles are no documents: what cannot be deleted needs no protection.
const CALLS: &str = "it is the service client that calls";
const OWN: &str = "your own access rests on it";
const OWNER: &str = "without it nobody would own the account";

/// Keeps what pruning must not delete, and refuses what changes must not take.
pub(super) fn protect(
    plan: &mut Plan,
    account: &Account,
    options: &Options,
    mistakes: &mut Vec<String>,
) {
    let prunes = options.rest != Rest::Stays;
    let protected = options.own_access == OwnAccess::Protected;
    if prunes && protected && options.caller.is_none() {
        mistakes.push(
            "it cannot be seen from the credentials who calls, so pruning might take away your own \
             access: say --allow-losing-access, or call with an access key"
                .to_owned(),
        );
        return;
    }
    if protected && let Some(caller) = &options.caller {
        keep(plan, CALLS, |step_kind, id| {
            step_kind == Kind::Client && id == caller.principal()
        });
    }
    let caller = options.caller.as_ref().filter(|_| protected);
    let before = plane(account);
    let now = before.standing(caller);
    let mut changed = before;
    for step in &plan.steps {
        if step.origin.is_some() {
            changed.apply(&step.work);
        }
    }
    let then = changed.standing(caller);
    let lost: Vec<&str> = now.lost(&then).map(|(ability, _)| ability).collect();
    if !lost.is_empty() {
        mistakes.push(format!(
            "this would take away your own access: {}. Change the manifests, or say \
             --allow-losing-access",
            lost.join(", ")
        ));
    }
    if now.loses_all_owners(&then) {
        mistakes.push(
            "nobody would own the account any more (Authress:Owner on *, for a person or a service \
             client with an access key); the server would refuse it"
                .to_owned(),
        );
    }
    if mistakes.is_empty() {
        keep_what_is_needed(plan, &changed, &then, options);
    }
}

/// Takes out of the deletions what the caller's access or the last owner rests on, until nothing is
/// lost.
fn keep_what_is_needed(
    plan: &mut Plan,
    changed: &ControlPlane,
    then: &Standing,
    options: &Options,
) {
    let protected = options.own_access == OwnAccess::Protected;
    let caller = options.caller.as_ref().filter(|_| protected);
    // Each round keeps something, so there are no more of them than deletions.
    loop {
        let mut pruned = changed.clone();
        for step in plan.steps.iter().filter(|step| step.origin.is_none()) {
            pruned.apply(&step.work);
        }
        let after = pruned.standing(caller);
        let needed: Vec<&Because> = then.lost(&after).map(|(_, because)| because).collect();
        let mut kept = keep_behind(plan, OWN, &needed);
        if kept == 0 && then.loses_all_owners(&after) {
            let owner = then.owners.iter().next();
            let because: Vec<&Because> = owner.iter().map(|(_, because)| *because).collect();
            kept = keep_behind(plan, OWNER, &because);
            if let Some((owner, _)) = owner {
                kept += keep(plan, OWNER, |kind, id| kind == Kind::Client && id == owner);
            }
        }
        if kept == 0 {
            return;
        }
    }
}

fn keep_behind(plan: &mut Plan, reason: &str, because: &[&Because]) -> usize {
    let mut needed = BTreeSet::new();
    for because in because {
        needed.insert((Kind::Record, because.record.to_string()));
        needed.insert((Kind::Role, because.role.to_string()));
        needed.extend(
            because
                .group
                .iter()
                .map(|group| (Kind::Group, group.to_string())),
        );
    }
    keep(plan, reason, |kind, id| {
        needed.contains(&(kind, id.to_owned()))
    })
}

/// Takes deletions out of the plan.
fn keep(plan: &mut Plan, reason: &str, which: impl Fn(Kind, &str) -> bool) -> usize {
    let before = plan.steps.len();
    let kept = &mut plan.kept;
    plan.steps.retain(|step| {
        let keeps = step.origin.is_none() && which(step.kind, &step.id);
        if keeps {
            kept.push(Kept {
                kind: step.kind,
                id: step.id.clone(),
                reason: reason.to_owned(),
            });
        }
        !keeps
    });
    before - plan.steps.len()
}

/// What of the account decides who administers it.
pub(super) fn plane(account: &Account) -> ControlPlane {
    let roles = account.roles.iter().flatten();
    let roles = roles.filter(|(id, _)| !id.is_reserved());
    let records = account.records.values();
    let clients = account.clients.values();
    ControlPlane {
        roles: roles
            .filter_map(|(id, role)| Some((id.clone(), role.to_request().ok()?)))
            .collect(),
        groups: account
            .groups
            .iter()
            .filter_map(|(id, group)| Some((id.clone(), group.to_request().ok()?)))
            .collect(),
        records: records
            .filter(|record| super::access::is_about_administration(&record.statements))
            .filter_map(|record| Some((record.record_id.clone(), record.to_request().ok()?)))
            .collect(),
        clients: clients
            .filter(|client| !client.verification_keys.is_empty())
            .map(|client| client.client_id.clone())
            .collect(),
    }
}

impl ControlPlane {
    /// What it is after a step.
    pub(super) fn apply(&mut self, work: &Work) {
        match work {
            Work::Role(change) => match &**change {
                Change::Create(wanted) | Change::Update(_, wanted) => {
                    let id = wanted.role_id.clone();
                    self.roles.extend(id.map(|id| (id, wanted.clone())));
                }
                Change::Delete(seen) => {
                    self.roles.remove(&seen.role_id);
                }
            },
            Work::Group(change) => match &**change {
                Change::Create(wanted) | Change::Update(_, wanted) => {
                    let id = wanted.group_id.clone();
                    self.groups.extend(id.map(|id| (id, wanted.clone())));
                }
                Change::Delete(seen) => {
                    self.groups.remove(&seen.id);
                }
            },
            Work::Client(change) => match &**change {
                // Its keys stay, and a new one has none.
                Change::Create(_) | Change::Update(..) => {}
                Change::Delete(seen) => {
                    self.clients.remove(&seen.client_id);
                }
            },
            Work::Identity { .. } => {}
            Work::Record(change) => match &**change {
                Change::Create(wanted) | Change::Update(_, wanted) => {
                    let Some(id) = wanted.record_id.clone() else {
                        return;
                    };
                    if super::access::is_about_administration(&wanted.statements) {
                        self.records.insert(id, wanted.clone());
                    } else {
                        self.records.remove(&id);
                    }
                }
                Change::Delete(seen) => {
                    self.records.remove(&seen.id);
                }
            },
        }
    }
}
