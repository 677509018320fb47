//! Which users are known, and who may ask about them and what they hold.

use guestlist_api::actions::Action;
use guestlist_api::ids::UserId;
use guestlist_api::resources::ResourceUri;

use crate::authority::{Ability, gives_everything, holds, require, require_plainly};
use crate::caller::CallerKind;
use crate::facts::Facts;
use crate::grants::Because;
use crate::refusals::{Noun, Refusal};
use crate::user_tokens;

/// Whether the caller may ask what `user` holds: everybody may ask about themselves. The answer is
/// the same whether the user exists or not.
pub fn may_ask(facts: Facts<'_>, user: &UserId) -> Result<(), Refusal> {
    if facts.who().principal() == user.principal() {
        return Ok(());
    }
    match &facts.caller.kind {
        CallerKind::Client { options, .. } if options.grant_user_permissions_access => {
            return Ok(());
        }
        CallerKind::Limited { .. } => return Err(limited()),
        CallerKind::Client { .. } | CallerKind::User { .. } => {}
    }
    let ability = Ability::ReadUserPermissions(user);
    holds(facts.grants, facts.who(), ability)
        .map(drop)
        .ok_or_else(|| Refusal::Forbidden {
            needs: ability.describe(),
        })
}

/// What a token that is limited to statements is not good for.
pub fn limited() -> Refusal {
    Refusal::Forbidden {
        needs: "a token that is not limited to statements".to_owned(),
    }
}

/// Whether `user` may do something, as the caller is to be told. A token that is limited to
/// statements learns only what is within them.
pub fn may_do(facts: Facts<'_>, user: &UserId, resource: &ResourceUri, action: &Action) -> bool {
    let within = match &facts.caller.kind {
        CallerKind::Limited { statements } => {
            user_tokens::within(facts.grants, statements, resource, action)
        }
        CallerKind::Client { .. } | CallerKind::User { .. } => true,
    };
    within
        && (facts.grants.is_allowed(user, resource, action)
            || facts.grants.is_public(resource, action))
}

/// Which of the documents behind a decision the caller may read, by the rules of reading each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MayRead {
    pub record: bool,
    pub role: bool,
    pub group: bool,
}

/// What the caller may be told of why somebody has a permission.
pub fn may_read_reason(facts: Facts<'_>, because: &Because) -> MayRead {
    let who = facts.who();
    let may = |ability| holds(facts.grants, who, ability).is_some();
    let record = facts.grants.record(&because.record);
    let group = because.group.as_ref().is_some_and(|id| {
        let group = facts.grants.group(id);
        group.is_some_and(|group| group.is_admin(who)) || may(Ability::ReadGroup(id))
    });
    MayRead {
        record: record.is_some_and(|record| record.is_admin(who))
            || may(Ability::ReadRecord(&because.record)),
        role: may(Ability::ReadRole(&because.role)),
        group,
    }
}

/// Whether the caller may list who holds something on a resource: whoever may read everybody's
/// permissions, and whoever could give everything on it.
pub fn may_list_users(facts: Facts<'_>, resource: &ResourceUri) -> Result<(), Refusal> {
    let ability = Ability::ReadAllUserPermissions;
    if holds(facts.grants, facts.who(), ability).is_some()
        || gives_everything(facts, resource).is_some()
    {
        return Ok(());
    }
    Err(Refusal::Forbidden {
        needs: ability.describe(),
    })
}

/// Whether an id can be a person's: not one that reads like a service client or like anything of the
/// server's own, whatever its case (semantics §8).
pub fn is_person(id: &str) -> bool {
    let begins = |start: &str| {
        id.get(..start.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(start))
    };
    !begins("sc_") && !begins("authress:")
}

/// Whether the caller may read that a user is known. Whoever calls is known by that, and may always
/// read themself.
pub fn may_read_user(facts: Facts<'_>, user: &UserId) -> Result<(), Refusal> {
    if facts.who().principal() == user.principal() && facts.is_user() {
        return Ok(());
    }
    require(facts, Ability::ReadUser(user))?;
    if is_person(user.as_str()) && facts.grants.is_known(user.principal()) {
        Ok(())
    } else {
        Err(Refusal::NotFound(Noun::User))
    }
}

/// Whether the caller may list the known users.
pub fn may_list(facts: Facts<'_>) -> Result<(), Refusal> {
    require_plainly(facts, Ability::ListUsers).map(drop)
}
