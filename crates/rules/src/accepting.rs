//! What accepting an invite does to the person's access record: the safe merge, and what the
//! conflict resolution strategy says when there is none (semantics §4.4, §4.5).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use guestlist_api::ids::{RecordId, RoleId, UserId};
use guestlist_api::invites::{ConflictResolutionStrategy, InviteStatement};
use guestlist_api::limits;
use guestlist_api::records::{RecordStatus, Statement, User};
use guestlist_api::resources::ResourceUri;
use guestlist_api::text::{Bounded, Description, Malformed, Name, Tags};
use guestlist_api::times::Timestamp;

use crate::authority::Basis;
use crate::ceiling::may_hand_out_until;
use crate::changes::Seen;
use crate::facts::Facts;
use crate::invites::{Outcome, StoredInvite};
use crate::records::{StoredRecord, added, check_owners, check_size, names, right_to_update};
use crate::refusals::Refusal;

/// The id of the record that accepted invites of a user are merged into: the user's id, with
/// characters a record id cannot have as `~` and two hexadecimal digits.
///
/// Ids of more than 100 characters become `~u` (which no escape begins with) and a hash, which the caller makes (`digest` of the
/// user id in hexadecimal).
pub fn record_id_of(
    user: &UserId,
    digest: impl FnOnce(&str) -> String,
) -> Result<RecordId, Malformed> {
    let mut escaped = String::with_capacity(user.as_str().len());
    for character in user.as_str().chars() {
        if character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | ':' | '|') {
            escaped.push(character);
        } else {
            // A user id has ASCII characters only, so that two digits suffice.
            let _ = write!(escaped, "~{:02X}", u32::from(character));
        }
    }
    if escaped.len() > limits::RECORD_ID_LENGTH {
        escaped = format!("~u{}", digest(user.as_str()));
    }
    escaped.parse()
}

/// What an accept does to records.
pub(crate) struct Effect {
    pub(crate) outcome: Outcome,
    /// The record to write, and the one it replaces.
    pub(crate) record: Option<StoredRecord>,
    /// What the record gains for the person and did not hold.
    pub(crate) added: Vec<Statement>,
    /// What else this rests on.
    pub(crate) basis: Basis,
    /// Whether `record` replaces the person's record (otherwise it is a new one).
    pub(crate) replaces: bool,
}

impl Effect {
    fn nothing(outcome: Outcome) -> Self {
        Self {
            outcome,
            record: None,
            added: Vec::new(),
            basis: Basis::new(),
            replaces: false,
        }
    }
}

impl Effect {
    /// What a merge comes to: nothing is written if nobody gains anything.
    fn merged(outcome: Outcome, record: StoredRecord, added: Vec<Statement>) -> Self {
        let gains = !added.is_empty();
        Self {
            outcome,
            record: gains.then_some(record),
            added,
            basis: Basis::new(),
            replaces: gains,
        }
    }
}

/// The ids an accept may need.
pub(crate) struct Places {
    /// The person's own record, see [`record_id_of`].
    pub(crate) own: RecordId,
    /// A random id for a record of its own.
    pub(crate) fresh: RecordId,
}

/// Decides what accepting `invite` does, given the person's record if there is one.
pub(crate) fn effect(
    facts: Facts<'_>,
    invite: &StoredInvite,
    existing: Option<&Seen<StoredRecord>>,
    places: Places,
) -> Result<Effect, Refusal> {
    if invite.statements.is_empty() {
        return Ok(Effect::nothing(Outcome::Nothing));
    }
    let Some(seen) = existing.filter(|seen| seen.value.is_active()) else {
        let mut record = new_record(facts, invite, places.own)?;
        if let Some(deleted) = existing {
            record.last_updated = record.last_updated.max(deleted.value.last_updated.plus(1));
        }
        let added = held_by(&record.statements, facts.who())?;
        return Ok(Effect {
            outcome: Outcome::Created,
            record: Some(record),
            added,
            basis: Basis::new(),
            replaces: existing.is_some(),
        });
    };
    if let Some(merged) = merge_safely(facts, invite, &seen.value)? {
        return Ok(merged);
    }
    // A record that does not name the person is somebody else's, whatever its id is: user ids are
    // not always chosen by those who chose the ids of records.
    match (
        invite.conflict_resolution_strategy,
        seen.value.names(facts.who()),
    ) {
        (ConflictResolutionStrategy::GenerateNewRecord, _)
        | (
            ConflictResolutionStrategy::UnsafeForceMerge
            | ConflictResolutionStrategy::ReplaceRecordData,
            false,
        ) => {
            let record = new_record(facts, invite, places.fresh)?;
            let added = held_by(&record.statements, facts.who())?;
            let outcome = Outcome::Generated;
            let basis = Basis::new();
            Ok(Effect {
                outcome,
                record: Some(record),
                added,
                basis,
                replaces: false,
            })
        }
        (ConflictResolutionStrategy::UnsafeForceMerge, true) => force_merge(facts, invite, seen),
        (ConflictResolutionStrategy::ReplaceRecordData, true) => replace(facts, invite, seen),
        (ConflictResolutionStrategy::SkipChanges, _) => Ok(Effect::nothing(Outcome::Skipped)),
    }
}

fn user(who: &UserId) -> User {
    User {
        user_id: who.clone(),
    }
}

fn impossible(reason: &Malformed) -> Refusal {
    Refusal::TooLarge {
        reason: reason.to_string(),
    }
}

/// The invite's statements without principals, for a record that names the person itself.
fn plain(statement: &InviteStatement, until: Option<Timestamp>) -> Statement {
    Statement {
        roles: statement.roles.clone(),
        resources: statement.resources.clone(),
        users: Bounded::default(),
        groups: Bounded::default(),
        expiry_time: until,
    }
}

/// All that the invite gives to whoever accepts it now.
fn all_of(facts: Facts<'_>, invite: &StoredInvite) -> Vec<Statement> {
    let until = invite.access_until(facts.now);
    let statements = invite.statements.iter();
    statements
        .map(|statement| plain(statement, until))
        .collect()
}

/// The statements as provenance keeps them: each for the person alone.
fn held_by(statements: &[Statement], who: &UserId) -> Result<Vec<Statement>, Refusal> {
    statements
        .iter()
        .map(|statement| {
            let users = Bounded::new(vec![user(who)]).map_err(|reason| impossible(&reason))?;
            Ok(Statement {
                users,
                groups: Bounded::default(),
                ..statement.clone()
            })
        })
        .collect()
}

/// A record that gives the person what the invite holds. It has no administrators: the person must
/// not be able to edit it.
fn new_record(
    facts: Facts<'_>,
    invite: &StoredInvite,
    record_id: RecordId,
) -> Result<StoredRecord, Refusal> {
    let who = facts.who();
    let title: String = format!("Invite access for {who}")
        .chars()
        .take(limits::NAME_LENGTH)
        .collect();
    let description = format!(
        "Given by invites; the first was made by {}.",
        invite.inviter
    );
    Ok(StoredRecord {
        record_id,
        name: Name::parse(&title).map_err(|reason| impossible(&reason))?,
        description: Description::parse(&description).ok(),
        users: vec![user(who)],
        admins: Vec::new(),
        groups: Vec::new(),
        statements: all_of(facts, invite),
        tags: Tags::default(),
        status: RecordStatus::Active,
        created_by: invite.inviter.clone(),
        last_updated: facts.now,
    })
}

/// Adds the statements if only the person gains by it, and only what the invite holds; `None` if
/// that cannot be.
fn merge_safely(
    facts: Facts<'_>,
    invite: &StoredInvite,
    record: &StoredRecord,
) -> Result<Option<Effect>, Refusal> {
    // An administrator other than the inviter could take away or reshape what the invite gives, or
    // could have made the record beforehand to do so.
    let foreign = |admin: &User| admin.user_id.principal() != invite.inviter.principal();
    if record.admins.iter().any(foreign) {
        return Ok(None);
    }
    let others = |given: &User| given.user_id.principal() != facts.who().principal();
    if record.names_principals() && (!record.groups.is_empty() || record.users.iter().any(others)) {
        return Ok(None);
    }
    let (merged, gained) = merge(facts, invite, record)?;
    if has_room(&merged) {
        Ok(Some(Effect::merged(Outcome::Merged, merged, gained)))
    } else {
        Ok(None)
    }
}

/// The record with what the invite holds added for the person, who is named by it if it names
/// anybody; and what the person did not hold by it before.
fn merge(
    facts: Facts<'_>,
    invite: &StoredInvite,
    record: &StoredRecord,
) -> Result<(StoredRecord, Vec<Statement>), Refusal> {
    let who = facts.who();
    let mut merged = record.clone();
    merged.last_updated = facts.now.max(record.last_updated.plus(1));
    let mut gained = Vec::new();
    let until = invite.access_until(facts.now);
    for statement in &invite.statements {
        let is_new = if record.names_principals() {
            add_statement(&mut merged.statements, statement, until)
        } else {
            add_to_statements(&mut merged.statements, statement, until, who)
        };
        if is_new {
            gained.push(plain(statement, until));
        }
    }
    Ok((merged, held_by(&gained, who)?))
}

fn has_room(record: &StoredRecord) -> bool {
    record.statements.len() <= limits::STATEMENTS && record.capacity().is_some()
}

/// Adds a statement to a record that says itself for whom its statements are. Says whether that
/// changed anything.
fn add_statement(
    statements: &mut Vec<Statement>,
    wanted: &InviteStatement,
    until: Option<Timestamp>,
) -> bool {
    let held = |held: &Statement| same(held, wanted) && lasts(held, until);
    let is_new = !statements.iter().any(held);
    if is_new {
        statements.push(plain(wanted, until));
    }
    is_new
}

/// Adds the person to the statement that gives the same, or a statement of their own. Says whether
/// that changed anything.
fn add_to_statements(
    statements: &mut Vec<Statement>,
    wanted: &InviteStatement,
    until: Option<Timestamp>,
    who: &UserId,
) -> bool {
    if statements
        .iter()
        .any(|held| same(held, wanted) && lasts(held, until) && names(&held.users, who))
    {
        return false;
    }
    let is_equal = |held: &&mut Statement| same(held, wanted) && held.expiry_time == until;
    for held in statements.iter_mut().filter(is_equal) {
        let users = held.users.iter().cloned().chain([user(who)]).collect();
        if let Ok(users) = Bounded::new(users) {
            held.users = users;
            return true;
        }
    }
    let mut own = plain(wanted, until);
    if let Ok(users) = Bounded::new(vec![user(who)]) {
        own.users = users;
    }
    statements.push(own);
    true
}

/// Whether a record gives the person by one statement exactly what an invite's statement gives.
fn holds(
    record: &StoredRecord,
    wanted: &InviteStatement,
    until: Option<Timestamp>,
    who: &UserId,
) -> bool {
    let named = |held: &Statement| names(&record.users, who) || names(&held.users, who);
    let mut statements = record.statements.iter();
    statements.any(|held| same(held, wanted) && lasts(held, until) && named(held))
}

/// Whether a statement does not end before `until`; `None` stands for what does not end. So what is
/// held for longer is never shortened, and what is held for less is never taken for enough.
fn lasts(held: &Statement, until: Option<Timestamp>) -> bool {
    held.expiry_time
        .is_none_or(|ends| until.is_some_and(|until| until <= ends))
}

/// Whether a statement gives exactly what an invite's statement gives, however long.
pub(crate) fn same(held: &Statement, wanted: &InviteStatement) -> bool {
    fn roles(roles: &[RoleId]) -> BTreeSet<&RoleId> {
        roles.iter().collect()
    }
    fn resources(resources: &[guestlist_api::records::Resource]) -> BTreeSet<&ResourceUri> {
        resources
            .iter()
            .map(|resource| &resource.resource_uri)
            .collect()
    }
    roles(&held.roles) == roles(&wanted.roles)
        && resources(&held.resources) == resources(&wanted.resources)
}

/// Adds the statements to a record that names the person, whoever else gains by it: under the
/// inviter's authority over the record and over everything that anybody gains.
fn force_merge(
    facts: Facts<'_>,
    invite: &StoredInvite,
    seen: &Seen<StoredRecord>,
) -> Result<Effect, Refusal> {
    let mut basis =
        right_to_update(facts, &invite.inviter, seen).ok_or(Refusal::InviteSuspended)?;
    let (merged, gained) = merge(facts, invite, &seen.value)?;
    if !has_room(&merged) {
        return Err(Refusal::TooLarge {
            reason: "the record of the person has no room for what the invite holds".to_owned(),
        });
    }
    let gifts = added(Some(&seen.value), &merged)?;
    let held = may_hand_out_until(facts.grants, &invite.inviter, gifts)
        .map_err(|_| Refusal::InviteSuspended)?;
    basis.extend(held);
    let effect = Effect::merged(Outcome::ForceMerged, merged, gained);
    Ok(Effect { basis, ..effect })
}

/// Puts the person and the statements in the place of what the record holds.
fn replace(
    facts: Facts<'_>,
    invite: &StoredInvite,
    seen: &Seen<StoredRecord>,
) -> Result<Effect, Refusal> {
    let mut basis =
        right_to_update(facts, &invite.inviter, seen).ok_or(Refusal::InviteSuspended)?;
    let replaced = StoredRecord {
        users: vec![user(facts.who())],
        groups: Vec::new(),
        statements: all_of(facts, invite),
        last_updated: facts.now.max(seen.value.last_updated.plus(1)),
        ..seen.value.clone()
    };
    check_size(&replaced)?;
    basis.extend(check_owners(facts, &replaced)?);
    let until = invite.access_until(facts.now);
    let before = |statement: &&InviteStatement| !holds(&seen.value, statement, until, facts.who());
    let gained = invite.statements.iter().filter(before);
    let gained: Vec<Statement> = gained.map(|statement| plain(statement, until)).collect();
    let added = held_by(&gained, facts.who())?;
    let outcome = Outcome::Replaced;
    Ok(Effect {
        outcome,
        record: Some(replaced),
        added,
        basis,
        replaces: true,
    })
}
