//! Groups: a record that names a group grants to its members.

use std::collections::BTreeSet;

use guestlist_api::groups::GroupRequest;
use guestlist_api::ids::{GroupId, UserId};
use guestlist_api::records::User;
use guestlist_api::text::{Name, Tags};
use guestlist_api::times::{Timestamp, UnmodifiedSince};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authority::{Ability, Basis, holds, refuse, require_plainly, surviving_owner};
use crate::ceiling::may_share;
use crate::changes::{Changes, Expect, Kind, Seen, Stored};
use crate::facts::Facts;
use crate::grants::Because;
use crate::records::names;
use crate::refusals::{Noun, Refusal};

/// A group as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredGroup {
    pub group_id: GroupId,
    pub name: Name,
    pub users: Vec<User>,
    pub admins: Vec<User>,
    pub tags: Tags,
    pub last_updated: Timestamp,
}

impl Stored for StoredGroup {
    const KIND: Kind = Kind::Group;

    fn id(&self) -> String {
        self.group_id.to_string()
    }
}

impl StoredGroup {
    fn principals(users: &[User]) -> BTreeSet<&str> {
        users.iter().map(|user| user.user_id.principal()).collect()
    }

    fn is_admin(&self, who: &UserId) -> bool {
        names(&self.admins, who)
    }
}

fn subject(group: &GroupId) -> String {
    format!("group/{group}")
}

/// Whether the caller may read the group.
pub fn may_read(facts: Facts<'_>, group: &StoredGroup) -> Result<(), Refusal> {
    if group.is_admin(facts.who()) {
        return Ok(());
    }
    let ability = Ability::ReadGroup(&group.group_id);
    holds(facts.grants, facts.who(), ability)
        .map(drop)
        .ok_or_else(|| refuse(facts, ability))
}

fn may_update(facts: Facts<'_>, group: &Seen<StoredGroup>) -> Result<Basis, Refusal> {
    let ability = Ability::UpdateGroup(&group.value.group_id);
    if group.value.is_admin(facts.who()) {
        return Ok(vec![(
            Kind::Group,
            group.value.id(),
            Expect::At(group.mark),
        )]);
    }
    holds(facts.grants, facts.who(), ability).ok_or_else(|| refuse(facts, ability))
}

/// Whether the caller may give new members everything records already give the group.
fn may_add_members(facts: Facts<'_>, group: &GroupId) -> Result<Basis, Refusal> {
    may_share(
        facts.grants,
        facts.who(),
        &facts.grants.statements_of_group(group),
    )
}

/// Makes a group under the id that was asked for, or under `fresh`.
pub fn create(
    facts: Facts<'_>,
    request: GroupRequest,
    fresh: GroupId,
    existing: Option<&Seen<StoredGroup>>,
) -> Result<(Changes, StoredGroup), Refusal> {
    let mut basis = require_plainly(facts, Ability::CreateGroup)?;
    let group_id = request.group_id.clone().unwrap_or(fresh);
    if !group_id.has_prefix() {
        return Err(Refusal::invalid("groupId", "must begin with grp_"));
    }
    if existing.is_some() {
        return Err(Refusal::Taken(Noun::Group));
    }
    if !request.users.is_empty() {
        basis.extend(may_add_members(facts, &group_id)?);
    }
    let group = stored(facts.now, group_id, request);
    let mut changes = facts.changes("group.created", subject(&group.group_id), json!({}));
    changes.expect.extend(basis);
    changes.create(&group)?;
    Ok((changes, group))
}

fn stored(now: Timestamp, group_id: GroupId, request: GroupRequest) -> StoredGroup {
    StoredGroup {
        group_id,
        name: request.name,
        users: request.users.into_vec(),
        admins: request.admins.into_vec(),
        tags: request.tags,
        last_updated: now,
    }
}

/// Replaces a group. Who is added gains what records give the group, so the caller must be able to
/// give that; removing needs nothing more.
pub fn update(
    facts: Facts<'_>,
    group_id: &GroupId,
    request: GroupRequest,
    existing: Option<&Seen<StoredGroup>>,
    unmodified_since: Option<UnmodifiedSince>,
) -> Result<(Changes, StoredGroup), Refusal> {
    let seen = existing.ok_or_else(|| absent(facts, group_id))?;
    let mut basis = may_update(facts, seen)?;
    if request
        .group_id
        .as_ref()
        .is_some_and(|given| given != group_id)
    {
        return Err(Refusal::invalid(
            "groupId",
            format!("must be {group_id}, as in the path"),
        ));
    }
    if unmodified_since.is_some_and(|since| !since.holds(seen.value.last_updated)) {
        return Err(Refusal::Outdated);
    }
    let now = facts.now.max(seen.value.last_updated.plus(1));
    let group = stored(now, group_id.clone(), request);
    let before = StoredGroup::principals(&seen.value.users);
    let after = StoredGroup::principals(&group.users);
    if !after.is_subset(&before) {
        basis.extend(may_add_members(facts, group_id)?);
    }
    let lost: BTreeSet<&str> = before.difference(&after).copied().collect();
    basis.extend(check_owners(facts, group_id, &|principal| {
        lost.contains(principal)
    })?);
    let mut changes = facts.changes("group.updated", subject(group_id), json!({}));
    changes.expect.extend(basis);
    changes.replace(seen.mark, &group)?;
    Ok((changes, group))
}

/// Deletes a group; its members lose what records give it.
pub fn delete(
    facts: Facts<'_>,
    group_id: &GroupId,
    existing: Option<&Seen<StoredGroup>>,
) -> Result<Changes, Refusal> {
    let seen = existing.ok_or_else(|| absent(facts, group_id))?;
    let mut basis = may_update(facts, seen)?;
    basis.extend(check_owners(facts, group_id, &|_| true)?);
    let mut changes = facts.changes("group.deleted", subject(group_id), json!({}));
    changes.expect.extend(basis);
    changes.remove(seen);
    Ok(changes)
}

/// A group that is not there answers as one the caller may not see.
fn absent(facts: Facts<'_>, group_id: &GroupId) -> Refusal {
    let ability = Ability::UpdateGroup(group_id);
    match holds(facts.grants, facts.who(), ability) {
        Some(_) => Refusal::NotFound(Noun::Group),
        None => refuse(facts, ability),
    }
}

/// Refuses a change of a group through which the last owner would lose the account; otherwise what
/// it rests on that one stays.
fn check_owners(
    facts: Facts<'_>,
    group_id: &GroupId,
    loses: &dyn Fn(&str) -> bool,
) -> Result<Basis, Refusal> {
    let lost = |principal: &str, because: &Because| {
        because.group.as_ref() == Some(group_id) && loses(principal)
    };
    if !facts
        .grants
        .owners()
        .iter()
        .any(|(principal, because)| lost(principal, because))
    {
        return Ok(Basis::new());
    }
    surviving_owner(facts, &lost).ok_or(Refusal::LastOwner)
}
