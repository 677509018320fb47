//! Taking back what an invite gave: exactly that, and nothing that is held for another reason.
//!
//! What it gave is what its acceptance says it added. A record does not say who wrote which of its
//! statements: one that an administrator took out and wrote again is, as far as can be told, still
//! the invite's, and is taken. What was replaced by the invite does not come back.

use std::collections::BTreeSet;

use guestlist_api::ids::{RoleId, UserId};
use guestlist_api::invites::InviteStatement;
use guestlist_api::records::{RecordStatus, Statement, User};
use guestlist_api::resources::ResourceUri;
use guestlist_api::text::Bounded;
use serde_json::json;

use crate::accepting::same;
use crate::authority::{Ability, Basis, refuse};
use crate::ceiling::may_hand_out_until;
use crate::changes::{Changes, Expect, Kind, Seen};
use crate::facts::Facts;
use crate::invite_administration::may_revoke;
use crate::invites::{Outcome, StoredAcceptance, StoredInvite, gifts, subject};
use crate::records::{StoredRecord, check_owners, check_size, names, right_to_update};
use crate::refusals::Refusal;

/// One acceptance that is to be undone, and what was found around it.
pub struct Undoing<'a> {
    pub invite: &'a Seen<StoredInvite>,
    pub acceptance: &'a Seen<StoredAcceptance>,
    /// The record that it wrote, if it wrote one and it is still known.
    pub record: Option<&'a Seen<StoredRecord>>,
    /// Acceptances of other invites into the same record that stand, by those whom it names.
    pub others: &'a [Other],
}

/// Those of other acceptances into the record of one that stand for something in it.
///
/// A record that was deleted and made again by an accept holds nothing of what was given before.
/// Records that were made again by hand do not tell when: there what was given before stands.
pub fn standing(
    own: &StoredAcceptance,
    mut others: Vec<Seen<StoredAcceptance>>,
) -> Vec<Seen<StoredAcceptance>> {
    let made = others.iter().map(|seen| &seen.value).chain([own]);
    let made = made.filter(|acceptance| acceptance.outcome == Outcome::Created);
    let begun = made.map(|acceptance| acceptance.time).max();
    others.retain(|Seen { value, .. }| {
        value.undone_time.is_none() && begun.is_none_or(|begun| value.time >= begun)
    });
    others
}

/// Another acceptance, with what its invite holds.
pub struct Other {
    pub acceptance: Seen<StoredAcceptance>,
    pub statements: Vec<InviteStatement>,
}

impl Other {
    /// Whether the other invite gives exactly this too.
    fn gives(&self, statement: &Statement) -> bool {
        let mut held = self.statements.iter();
        let mut added = self.acceptance.value.added.iter();
        statement.expiry_time.is_none() && held.any(|held| same(statement, held))
            || added.any(|added| alike(added, statement))
    }
}

/// What undoing an acceptance comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    pub taken: Vec<Statement>,
    /// Held by another invite too, which stands for it from now on.
    pub kept: Vec<Statement>,
    pub record_deleted: bool,
}

/// Takes back what one acceptance gave. `None` if that was done before.
///
/// Whoever made the invite may, as long as they could give it or may change the record; others need
/// the right to withdraw the invite, and the right to change the record if there is something to
/// take from it.
///
/// # Errors
///
/// [`Refusal::LastOwner`] if nobody who can call would own the account; [`Refusal::TooLarge`] if the
/// record names so many others that it cannot be said without the person.
pub fn undo(facts: Facts<'_>, undoing: &Undoing<'_>) -> Result<Option<(Changes, Undone)>, Refusal> {
    let invite = &undoing.invite.value;
    let acceptance = &undoing.acceptance.value;
    let mut basis = may_revoke(facts, invite)?;
    if acceptance.undone_time.is_some() {
        return Ok(None);
    }
    let who = &acceptance.user_id;
    let record = undoing.record.filter(|seen| seen.value.is_active());
    let (mut taken, mut kept) = (Vec::new(), Vec::new());
    let mut after = record.map(|seen| seen.value.clone());
    let mut heirs: Vec<Seen<StoredAcceptance>> = Vec::new();
    for statement in &acceptance.added {
        let heir = undoing.others.iter().find(|other| other.gives(statement));
        match (&mut after, heir) {
            (Some(after), Some(heir)) if is_held(after, statement, who) => {
                inherit(&mut heirs, heir, statement);
                kept.push(statement.clone());
            }
            (Some(after), None) => {
                if take(after, statement, who, acceptance.outcome)? {
                    taken.push(statement.clone());
                }
            }
            // It is not there any more.
            (None, _) | (Some(_), Some(_)) => {}
        }
    }
    let undone = StoredAcceptance {
        undone_time: Some(facts.now),
        ..acceptance.clone()
    };
    let is_written = after.filter(|_| !taken.is_empty());
    let written = is_written.map(|after| finished(facts, after));
    if let (Some(seen), Some(after)) = (record, &written) {
        basis.extend(may_take(facts, undoing.invite, seen)?);
        check_size(after)?;
        basis.extend(check_owners(facts, after)?);
    }
    let record_deleted = written.as_ref().is_some_and(|after| !after.is_active());
    let data = json!({
        "reference": invite.reference,
        "userId": who,
        "recordId": acceptance.record_id,
        "taken": taken,
        "kept": kept,
        "recordDeleted": record_deleted,
    });
    let mut changes = facts.changes("invite.undone", subject(&invite.reference), data);
    changes.expect.extend(basis);
    // Who made it may change when it is renewed.
    let made = Expect::At(undoing.invite.mark);
    changes.rely_on(Kind::Invite, invite.reference.to_string(), made);
    changes.replace(undoing.acceptance.mark, &undone)?;
    for heir in &heirs {
        changes.replace(heir.mark, &heir.value)?;
    }
    if let Some(record_id) = &acceptance.record_id {
        let seen = undoing.record;
        let expect = seen.map_or(Expect::Absent, |seen| Expect::At(seen.mark));
        changes.rely_on(Kind::AccessRecord, record_id.to_string(), expect);
    }
    if let (Some(seen), Some(after)) = (record, &written) {
        changes.tell_access(Some(&seen.value), Some(after));
        changes.replace(seen.mark, after)?;
    }
    let undone = Undone {
        taken,
        kept,
        record_deleted,
    };
    Ok(Some((changes, undone)))
}

/// What it rests on that the caller may take out of the record what the invite put there.
fn may_take(
    facts: Facts<'_>,
    invite: &Seen<StoredInvite>,
    record: &Seen<StoredRecord>,
) -> Result<Basis, Refusal> {
    if let Some(basis) = right_to_update(facts, facts.who(), record) {
        return Ok(basis);
    }
    // Who could give it no more must not take it either: a dismissed administrator would be able to
    // lock out all whom they ever invited.
    let invite = &invite.value;
    let is_maker = invite.inviter.principal() == facts.who().principal();
    is_maker
        .then(|| {
            let until = invite.access_until(facts.now);
            let given = gifts(&invite.statements, until);
            may_hand_out_until(facts.grants, facts.who(), given).ok()
        })
        .flatten()
        .ok_or_else(|| refuse(facts, Ability::UpdateRecord(&record.value.record_id)))
}

/// The other acceptance stands for the statement from now on, so that undoing it takes it.
fn inherit(heirs: &mut Vec<Seen<StoredAcceptance>>, heir: &Other, statement: &Statement) {
    let id = (
        &heir.acceptance.value.reference,
        &heir.acceptance.value.user_id,
    );
    let known = heirs
        .iter()
        .position(|known| (&known.value.reference, &known.value.user_id) == id);
    let position = known.unwrap_or_else(|| {
        heirs.push(heir.acceptance.clone());
        heirs.len() - 1
    });
    let Some(seen) = heirs.get_mut(position) else {
        return;
    };
    if !seen.value.added.iter().any(|added| alike(added, statement)) {
        let users = Bounded::new(vec![User {
            user_id: seen.value.user_id.clone(),
        }]);
        seen.value.added.push(Statement {
            users: users.unwrap_or_default(),
            ..statement.clone()
        });
    }
}

fn finished(facts: Facts<'_>, record: StoredRecord) -> StoredRecord {
    let status = if record.statements.is_empty() {
        RecordStatus::Deleted
    } else {
        record.status
    };
    StoredRecord {
        status,
        last_updated: facts.now.max(record.last_updated.plus(1)),
        ..record
    }
}

/// Whether two statements give the same, to whomever.
fn alike(one: &Statement, other: &Statement) -> bool {
    fn parts(statement: &Statement) -> (BTreeSet<&RoleId>, BTreeSet<&ResourceUri>) {
        let resources = statement.resources.iter();
        (
            statement.roles.iter().collect(),
            resources.map(|resource| &resource.resource_uri).collect(),
        )
    }
    one.expiry_time == other.expiry_time && parts(one) == parts(other)
}

fn is_held(record: &StoredRecord, wanted: &Statement, who: &UserId) -> bool {
    let mut statements = record.statements.iter();
    statements
        .any(|held| alike(held, wanted) && (names(&record.users, who) || names(&held.users, who)))
}

/// Takes a statement from the person. Says whether the record gave it to them.
fn take(
    record: &mut StoredRecord,
    wanted: &Statement,
    who: &UserId,
    outcome: Outcome,
) -> Result<bool, Refusal> {
    if !is_held(record, wanted, who) {
        return Ok(false);
    }
    if record.names_principals() {
        let others = record.users.iter();
        let mut others = others.filter(|user| user.user_id.principal() != who.principal());
        let are_others = !record.groups.is_empty() || others.next().is_some();
        match outcome {
            // The others have it by this invite as well.
            Outcome::ForceMerged => {}
            Outcome::Created
            | Outcome::Merged
            | Outcome::Generated
            | Outcome::Replaced
            | Outcome::Skipped
            | Outcome::Nothing => {
                if are_others {
                    name_at_statements(record)?;
                }
            }
        }
    }
    if record.names_principals() {
        record.statements.retain(|held| !alike(held, wanted));
        return Ok(true);
    }
    for held in record
        .statements
        .iter_mut()
        .filter(|held| alike(held, wanted))
    {
        let users = held.users.iter();
        let users = users
            .filter(|user| user.user_id.principal() != who.principal())
            .cloned()
            .collect();
        // Fewer users than there were are never too many.
        held.users = Bounded::new(users).unwrap_or_default();
    }
    record
        .statements
        .retain(|held| !(alike(held, wanted) && held.users.is_empty() && held.groups.is_empty()));
    Ok(true)
}

/// Says at each statement for whom it is, instead of at the record: somebody else was added to it
/// since, and they keep what they have.
fn name_at_statements(record: &mut StoredRecord) -> Result<(), Refusal> {
    let too_large = |_| Refusal::TooLarge {
        reason: "the record names too many others to take something from one of them; change the \
                 record itself"
            .to_owned(),
    };
    let users = Bounded::new(record.users.clone()).map_err(too_large)?;
    let groups = Bounded::new(record.groups.clone()).map_err(too_large)?;
    for statement in &mut record.statements {
        statement.users = users.clone();
        statement.groups = groups.clone();
    }
    record.users = Vec::new();
    record.groups = Vec::new();
    Ok(())
}
