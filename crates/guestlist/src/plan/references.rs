//! Whether what manifests name is there: the server refuses unknown roles, and unknown groups have no
//! members.

use std::collections::BTreeSet;

use guestlist_api::ids::RoleId;

use super::{Account, Operation, Plan, access};
use crate::manifests::{Folder, Kind, nearest};

/// Roles that are built in everywhere; our server lists them as well.
const BUILT_IN: &str = "Authress:";

/// Checks the names in records: unknown roles are mistakes, unknown groups are warned of, and so are
/// roles that are deleted while records that stay name them.
pub(super) fn check(
    plan: &mut Plan,
    folder: &Folder,
    account: &Account,
    mistakes: &mut Vec<String>,
) {
    let deleted = |kind: Kind| -> BTreeSet<&str> {
        let deletions = plan
            .steps
            .iter()
            .filter(|step| step.kind == kind && step.work.operation() == Operation::Delete);
        deletions.map(|step| step.id.as_str()).collect()
    };
    let (roles, groups, records) = (
        deleted(Kind::Role),
        deleted(Kind::Group),
        deleted(Kind::Record),
    );
    let mut warnings = Vec::new();
    for (id, manifest) in &folder.records {
        for (position, statement) in manifest.wanted.statements.iter().enumerate() {
            for (index, role) in statement.roles.iter().enumerate() {
                if let Some(what) = unknown_role(role, folder, account, &roles) {
                    let place = format!("statements[{position}].roles[{index}]");
                    mistakes.push(format!("{}: {place}: {what}", manifest.origin));
                }
            }
        }
        for group in access::groups_of(&manifest.wanted) {
            let there = folder.groups.contains_key(group)
                || (account.groups.contains_key(group) || account.other_groups.contains_key(group))
                    && !groups.contains(group.as_str())
                || account.more.contains(&Kind::Group);
            if !there {
                warnings.push(format!(
                    "the record {id} names the group {group}, which is neither in the manifests nor \
                     in the account: it has no members"
                ));
            }
        }
    }
    for role in roles {
        let naming = account
            .other_records
            .iter()
            .filter(|(id, other)| !records.contains(id.as_str()) && other.roles.contains(role));
        let count = naming.count();
        if count > 0 {
            warnings.push(format!(
                "the role {role} is deleted, and {count} of the records that stay name it: they \
                 give nothing by it any more"
            ));
        }
    }
    plan.warnings.extend(warnings);
}

fn unknown_role(
    role: &RoleId,
    folder: &Folder,
    account: &Account,
    deleted: &BTreeSet<&str>,
) -> Option<String> {
    if folder.roles.contains_key(role) || role.as_str().starts_with(BUILT_IN) {
        return None;
    }
    if deleted.contains(role.as_str()) {
        return Some(format!(
            "the role {role} would be deleted by --prune: put it into the manifests too"
        ));
    }
    let held = account.roles.as_ref()?;
    if held.contains_key(role) {
        return None;
    }
    let known = folder.roles.keys().chain(held.keys()).map(RoleId::as_str);
    Some(match nearest(role.as_str(), known) {
        Some(meant) => format!("there is no role {role}; did you mean {meant}?"),
        None => format!("there is no role {role}, neither in the manifests nor in the account"),
    })
}
