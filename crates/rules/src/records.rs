//! Access records: who may write them, and what a write does.

use std::collections::{BTreeMap, BTreeSet};

use guestlist_api::ids::{RecordId, UserId};
use guestlist_api::limits;
use guestlist_api::records::{AccessRecordRequest, LinkedGroup, RecordStatus, Statement, User};
use guestlist_api::text::{Description, Name, Tags};
use guestlist_api::times::{Timestamp, UnmodifiedSince};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authority::{Ability, Basis, holds, refuse, surviving_owner};
use crate::ceiling::{Gift, NotGiven, TimedGift, may_hand_out_until};
use crate::changes::{Changes, Document, Expect, Facet, Kind, Seen, Stored};
use crate::facts::Facts;
use crate::grants::Because;
use crate::refusals::{Noun, Refusal};

/// An access record as it is stored.
///
/// A deleted record keeps its content so that it can be read; it grants nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredRecord {
    pub record_id: RecordId,
    pub name: Name,
    pub description: Option<Description>,
    pub users: Vec<User>,
    pub admins: Vec<User>,
    pub groups: Vec<LinkedGroup>,
    pub statements: Vec<Statement>,
    pub tags: Tags,
    pub status: RecordStatus,
    pub created_by: UserId,
    pub last_updated: Timestamp,
}

impl Stored for StoredRecord {
    const KIND: Kind = Kind::AccessRecord;

    fn id(&self) -> String {
        self.record_id.to_string()
    }

    fn facets(&self) -> Vec<(Facet, String)> {
        let status = match self.status {
            RecordStatus::Active => "ACTIVE",
            RecordStatus::Deleted => "DELETED",
        };
        vec![(Facet::Status, status.to_owned())]
    }
}

impl StoredRecord {
    pub fn is_active(&self) -> bool {
        match self.status {
            RecordStatus::Active => true,
            RecordStatus::Deleted => false,
        }
    }

    pub fn is_admin(&self, who: &UserId) -> bool {
        names(&self.admins, who)
    }

    /// How full it is, 0 to 1 in hundredths, rounded up; `None` if it is larger than it may be.
    pub fn capacity(&self) -> Option<f64> {
        let bytes = Document::of(self).ok()?.body.len();
        let hundredths = (bytes * 100).div_ceil(limits::RECORD_BYTES);
        u8::try_from(hundredths)
            .ok()
            .filter(|hundredths| *hundredths <= 100)
            .map(|hundredths| f64::from(hundredths) / 100.0)
    }

    /// Whether the record itself says for whom its statements are.
    pub(crate) fn names_principals(&self) -> bool {
        !self.users.is_empty() || !self.groups.is_empty()
    }

    /// Whether the record or one of its statements names this user.
    pub(crate) fn names(&self, who: &UserId) -> bool {
        let mut statements = self.statements.iter();
        names(&self.users, who) || statements.any(|statement| names(&statement.users, who))
    }

    /// For whom a statement of this record is.
    fn principals_of<'a>(
        &'a self,
        statement: &'a Statement,
    ) -> impl Iterator<Item = (bool, &'a str)> {
        if self.names_principals() {
            principals(&self.users, &self.groups)
        } else {
            principals(&statement.users, &statement.groups)
        }
    }
}

/// Whether a list of users names this one.
pub(crate) fn names(users: &[User], who: &UserId) -> bool {
    users
        .iter()
        .any(|user| user.user_id.principal() == who.principal())
}

pub(crate) fn subject(record: &RecordId) -> String {
    format!("access-record/{record}")
}

/// Whether the caller may read the record.
pub fn may_read(facts: Facts<'_>, record: &StoredRecord) -> Result<(), Refusal> {
    if record.is_admin(facts.who()) {
        return Ok(());
    }
    let ability = Ability::ReadRecord(&record.record_id);
    holds(facts.grants, facts.who(), ability)
        .map(drop)
        .ok_or_else(|| refuse(facts, ability))
}

/// What `who`'s right to change the record rests on.
pub(crate) fn right_to_update(
    facts: Facts<'_>,
    who: &UserId,
    record: &Seen<StoredRecord>,
) -> Option<Basis> {
    if record.value.is_active() && record.value.is_admin(who) {
        return Some(vec![(
            Kind::AccessRecord,
            record.value.id(),
            Expect::At(record.mark),
        )]);
    }
    holds(
        facts.grants,
        who,
        Ability::UpdateRecord(&record.value.record_id),
    )
}

fn may_update(facts: Facts<'_>, record: &Seen<StoredRecord>) -> Result<Basis, Refusal> {
    right_to_update(facts, facts.who(), record)
        .ok_or_else(|| refuse(facts, Ability::UpdateRecord(&record.value.record_id)))
}

/// Makes a record under the id that was asked for, or under `fresh`. A deleted record of that id is
/// replaced; nothing of its content comes back.
pub fn create(
    facts: Facts<'_>,
    request: AccessRecordRequest,
    fresh: RecordId,
    existing: Option<&Seen<StoredRecord>>,
) -> Result<(Changes, StoredRecord), Refusal> {
    check_shape(&request)?;
    let record_id = request.record_id.clone().unwrap_or(fresh);
    let now = existing.map_or(facts.now, |seen| {
        facts.now.max(seen.value.last_updated.plus(1))
    });
    let record = stored(record_id, request, facts.who().clone(), now);
    check_size(&record)?;
    let basis = may_give(facts, facts.who(), None, &record)?;
    if existing.is_some_and(|seen| seen.value.is_active()) {
        return Err(Refusal::Taken(Noun::AccessRecord));
    }
    let mut changes = facts.changes(
        "access-record.created",
        subject(&record.record_id),
        json!({}),
    );
    changes.expect.extend(basis);
    changes.tell_access(None, Some(&record));
    match existing {
        Some(seen) => changes.replace(seen.mark, &record)?,
        None => changes.create(&record)?,
    }
    Ok((changes, record))
}

/// Replaces a record. Only what it newly gives is judged by the ceiling; taking away needs nothing
/// more than the right to update it.
pub fn update(
    facts: Facts<'_>,
    record_id: &RecordId,
    request: AccessRecordRequest,
    existing: Option<&Seen<StoredRecord>>,
    unmodified_since: Option<UnmodifiedSince>,
) -> Result<(Changes, StoredRecord), Refusal> {
    let seen = active(facts, record_id, existing)?;
    let mut basis = may_update(facts, seen)?;
    if request
        .record_id
        .as_ref()
        .is_some_and(|given| given != record_id)
    {
        return Err(Refusal::invalid(
            "recordId",
            format!("must be {record_id}, as in the path"),
        ));
    }
    check_shape(&request)?;
    if unmodified_since.is_some_and(|since| !since.holds(seen.value.last_updated)) {
        return Err(Refusal::Outdated);
    }
    let now = facts.now.max(seen.value.last_updated.plus(1));
    let record = stored(
        record_id.clone(),
        request,
        seen.value.created_by.clone(),
        now,
    );
    check_size(&record)?;
    basis.extend(may_give(facts, facts.who(), Some(&seen.value), &record)?);
    basis.extend(check_owners(facts, &record)?);
    let mut changes = facts.changes("access-record.updated", subject(record_id), json!({}));
    changes.expect.extend(basis);
    changes.tell_access(Some(&seen.value), Some(&record));
    changes.replace(seen.mark, &record)?;
    Ok((changes, record))
}

/// Takes a record out of force; it can still be read.
pub fn delete(
    facts: Facts<'_>,
    record_id: &RecordId,
    existing: Option<&Seen<StoredRecord>>,
) -> Result<Changes, Refusal> {
    let seen = active(facts, record_id, existing)?;
    let mut basis = may_update(facts, seen)?;
    let record = StoredRecord {
        status: RecordStatus::Deleted,
        last_updated: facts.now.max(seen.value.last_updated.plus(1)),
        ..seen.value.clone()
    };
    basis.extend(check_owners(facts, &record)?);
    let mut changes = facts.changes("access-record.deleted", subject(record_id), json!({}));
    changes.expect.extend(basis);
    changes.tell_access(Some(&seen.value), None);
    changes.replace(seen.mark, &record)?;
    Ok(changes)
}

/// The record, if it is in force and the caller may know.
fn active<'a>(
    facts: Facts<'_>,
    record_id: &RecordId,
    existing: Option<&'a Seen<StoredRecord>>,
) -> Result<&'a Seen<StoredRecord>, Refusal> {
    if let Some(seen) = existing.filter(|seen| seen.value.is_active()) {
        return Ok(seen);
    }
    let ability = Ability::UpdateRecord(record_id);
    let may_know = existing.is_some_and(|seen| seen.value.is_admin(facts.who()))
        || holds(facts.grants, facts.who(), ability).is_some();
    Err(if may_know {
        Refusal::NotFound(Noun::AccessRecord)
    } else {
        refuse(facts, ability)
    })
}

fn stored(
    record_id: RecordId,
    request: AccessRecordRequest,
    created_by: UserId,
    now: Timestamp,
) -> StoredRecord {
    StoredRecord {
        record_id,
        name: request.name,
        description: request.description,
        users: request.users.into_vec(),
        admins: request.admins.into_vec(),
        groups: request.groups.into_vec(),
        statements: request.statements.into_vec(),
        tags: request.tags,
        status: RecordStatus::Active,
        created_by,
        last_updated: now,
    }
}

/// Users and groups stand at the record or at its statements, never at both (semantics 5.3).
fn check_shape(request: &AccessRecordRequest) -> Result<(), Refusal> {
    if request.users.is_empty() && request.groups.is_empty() {
        return Ok(());
    }
    let both = request
        .statements
        .iter()
        .position(|statement| !statement.users.is_empty() || !statement.groups.is_empty());
    both.map_or(Ok(()), |position| {
        Err(Refusal::invalid(
            format!("statements[{position}]"),
            "users and groups stand either at the record or at its statements, not at both",
        ))
    })
}

pub(crate) fn check_size(record: &StoredRecord) -> Result<(), Refusal> {
    record
        .capacity()
        .map(drop)
        .ok_or_else(|| Refusal::TooLarge {
            reason: "the record is larger than 100 KB; spread it over several records".to_owned(),
        })
}

/// What `giver`'s right to give what the record newly gives rests on.
fn may_give(
    facts: Facts<'_>,
    giver: &UserId,
    before: Option<&StoredRecord>,
    after: &StoredRecord,
) -> Result<Basis, Refusal> {
    let gifts = added(before, after)?;
    may_hand_out_until(facts.grants, giver, gifts)
        .map_err(|reason| reason.at(after.statements.iter().map(|statement| &*statement.roles)))
}

/// Combinations of role and resource that one record is judged for at most.
const COMBINATIONS: usize = 20_000;

/// The combinations of role, resource and instant of a record, each with the statements that name it.
type Combinations<'a> = BTreeMap<TimedGift<'a>, Vec<&'a Statement>>;

/// What `after` gives to anybody that `before` did not give to them.
pub(crate) fn added<'a>(
    before: Option<&StoredRecord>,
    after: &'a StoredRecord,
) -> Result<Vec<TimedGift<'a>>, Refusal> {
    let new = combinations(after)?;
    let Some(before) = before.filter(|record| record.is_active()) else {
        return Ok(new.into_keys().collect());
    };
    let old = combinations(before)?;
    let both_name = before.names_principals() && after.names_principals();
    let nobody_new = both_name && {
        let held: BTreeSet<_> = principals(&before.users, &before.groups).collect();
        principals(&after.users, &after.groups).all(|principal| held.contains(&principal))
    };
    let is_new = |(gift, until): &TimedGift<'_>, statements: &[&Statement]| {
        // What was held without an end, or to a later one, covers what is held for less.
        let known: Vec<&Statement> = lasting(&old, *gift, *until).collect();
        if known.is_empty() {
            true
        } else if both_name {
            !nobody_new
        } else {
            let held: BTreeSet<_> = known
                .iter()
                .flat_map(|statement| before.principals_of(statement))
                .collect();
            let mut wanted = statements
                .iter()
                .flat_map(|statement| after.principals_of(statement));
            wanted.any(|principal| !held.contains(&principal))
        }
    };
    Ok(new
        .into_iter()
        .filter(|(gift, statements)| is_new(gift, statements))
        .map(|(gift, _)| gift)
        .collect())
}

/// The statements that gave the same until that instant at least.
fn lasting<'c>(
    all: &'c Combinations<'_>,
    gift: Gift<'c>,
    until: Option<Timestamp>,
) -> impl Iterator<Item = &'c Statement> {
    let endless = all.get(&(gift, None));
    let timed = until.map(|until| {
        let latest = Timestamp::from_milliseconds(i64::MAX);
        all.range((gift, Some(until))..=(gift, Some(latest)))
    });
    let timed = timed
        .into_iter()
        .flatten()
        .map(|(_, statements)| statements);
    endless.into_iter().chain(timed).flatten().copied()
}

fn combinations(record: &StoredRecord) -> Result<Combinations<'_>, Refusal> {
    let mut all = Combinations::new();
    for statement in &record.statements {
        for role in statement.roles.iter() {
            for resource in statement.resources.iter() {
                let gift = (role, &resource.resource_uri);
                all.entry((gift, statement.expiry_time))
                    .or_default()
                    .push(statement);
            }
        }
        if all.len() > COMBINATIONS {
            return Err(NotGiven::TooMany.into());
        }
    }
    Ok(all)
}

/// Users and groups as comparable principals: whether it is a group, and its id.
fn principals<'a>(
    users: &'a [User],
    groups: &'a [LinkedGroup],
) -> impl Iterator<Item = (bool, &'a str)> {
    let users = users.iter().map(|user| (false, user.user_id.principal()));
    users.chain(groups.iter().map(|group| (true, group.group_id.as_str())))
}

/// Refuses a change of a record through which the last owner would lose the account; otherwise what
/// it rests on that one stays.
pub(crate) fn check_owners(facts: Facts<'_>, after: &StoredRecord) -> Result<Basis, Refusal> {
    let lost = |_: &str, because: &Because| because.record == after.record_id;
    if !facts
        .grants
        .owners()
        .iter()
        .any(|(principal, because)| lost(principal, because))
    {
        return Ok(Basis::new());
    }
    names_owner(facts, after)
        .or_else(|| surviving_owner(facts, &lost))
        .ok_or(Refusal::LastOwner)
}

/// What it rests on that a record makes somebody who can call an owner of the account; `None`
/// if it does not.
fn names_owner(facts: Facts<'_>, record: &StoredRecord) -> Option<Basis> {
    let owning = |statement: &&Statement| {
        statement
            .roles
            .iter()
            .any(|role| role.as_str() == crate::built_in::OWNER)
            && statement
                .resources
                .iter()
                .any(|resource| resource.resource_uri.as_str() == "*")
            // An owner whose ownership ends would leave none.
            && statement.expiry_time.is_none()
    };
    if !record.is_active() {
        return None;
    }
    let mut principals = record
        .statements
        .iter()
        .filter(owning)
        .flat_map(|statement| record.principals_of(statement));
    principals.find_map(|(is_group, principal)| {
        if !is_group {
            return facts.can_call(principal);
        }
        let id = principal.parse().ok()?;
        let group = facts.grants.group(&id)?;
        let mut basis = group.members().find_map(|member| facts.can_call(member))?;
        basis.push((Kind::Group, principal.to_owned(), Expect::At(group.mark)));
        Some(basis)
    })
}
