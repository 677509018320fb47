//! Roles: the built-in ones and those of the account.

use guestlist_api::ids::RoleId;
use guestlist_api::roles::{Permission, RoleRequest};
use guestlist_api::text::{Description, Name};
use guestlist_api::times::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authority::{Ability, require, require_plainly};
use crate::changes::{Changes, Kind, Seen, Stored};
use crate::facts::Facts;
use crate::refusals::{Noun, Refusal};

/// A role as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredRole {
    pub role_id: RoleId,
    pub name: Name,
    pub description: Option<Description>,
    pub permissions: Vec<Permission>,
    pub last_updated: Timestamp,
}

impl Stored for StoredRole {
    const KIND: Kind = Kind::Role;

    fn id(&self) -> String {
        self.role_id.to_string()
    }
}

fn subject(role: &RoleId) -> String {
    format!("role/{role}")
}

fn stored(facts: Facts<'_>, role_id: RoleId, request: RoleRequest) -> StoredRole {
    StoredRole {
        role_id,
        name: request.name,
        description: request.description,
        permissions: request.permissions.into_vec(),
        last_updated: facts.now,
    }
}

/// Makes a role under the id that was asked for, or under `fresh`.
///
/// Records may still name a role of this id that was deleted: whom they name it for would gain at
/// once what it gives, so that is an update of the role.
pub fn create(
    facts: Facts<'_>,
    request: RoleRequest,
    fresh: RoleId,
    existing: Option<&Seen<StoredRole>>,
) -> Result<(Changes, StoredRole), Refusal> {
    let mut basis = require_plainly(facts, Ability::CreateRole)?;
    let role_id = request.role_id.clone().unwrap_or(fresh);
    if role_id.is_reserved() {
        return Err(Refusal::invalid(
            "roleId",
            "ids that begin with Authress: belong to the built-in roles; use ro_… instead",
        ));
    }
    if existing.is_some() {
        return Err(Refusal::Taken(Noun::Role));
    }
    if facts.grants.is_named(&role_id) {
        basis.extend(require_plainly(facts, Ability::UpdateRole(&role_id))?);
    }
    let role = stored(facts, role_id, request);
    let mut changes = facts.changes("role.created", subject(&role.role_id), json!({}));
    changes.expect.extend(basis);
    changes.create(&role)?;
    Ok((changes, role))
}

/// Replaces a role. Whoever may do this is an administrator: the role's holders gain at once what it
/// gains (semantics §6, decision 39).
pub fn update(
    facts: Facts<'_>,
    role_id: &RoleId,
    request: RoleRequest,
    existing: Option<&Seen<StoredRole>>,
) -> Result<(Changes, StoredRole), Refusal> {
    let basis = require(facts, Ability::UpdateRole(role_id))?;
    if role_id.is_reserved() {
        return Err(Refusal::BuiltInRole);
    }
    if request
        .role_id
        .as_ref()
        .is_some_and(|given| given != role_id)
    {
        return Err(Refusal::invalid(
            "roleId",
            format!("must be {role_id}, as in the path"),
        ));
    }
    let seen = existing.ok_or(Refusal::NotFound(Noun::Role))?;
    let role = stored(facts, role_id.clone(), request);
    let mut changes = facts.changes("role.updated", subject(role_id), json!({}));
    changes.expect.extend(basis);
    changes.replace(seen.mark, &role)?;
    Ok((changes, role))
}

/// Deletes a role. Records that name it are left alone and grant nothing through it.
pub fn delete(
    facts: Facts<'_>,
    role_id: &RoleId,
    existing: Option<&Seen<StoredRole>>,
) -> Result<Changes, Refusal> {
    let basis = require(facts, Ability::UpdateRole(role_id))?;
    if role_id.is_reserved() {
        return Err(Refusal::BuiltInRole);
    }
    let seen = existing.ok_or(Refusal::NotFound(Noun::Role))?;
    let mut changes = facts.changes("role.deleted", subject(role_id), json!({}));
    changes.expect.extend(basis);
    changes.remove(seen);
    Ok(changes)
}
