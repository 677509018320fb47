//! The grant ceiling: nobody hands out more than they hold.
//!
//! The one function that every path uses that gives access to somebody: records, invites (when they
//! are made and again when they are accepted), groups, access keys (semantics §3).

use std::collections::BTreeSet;

use guestlist_api::actions::Action;
use guestlist_api::ids::{RoleId, UserId};
use guestlist_api::resources::ResourceUri;
use guestlist_api::times::Timestamp;

use crate::authority::Basis;
use crate::changes::{Expect, Kind};
use crate::grants::Grants;
use crate::refusals::Refusal;

/// Questions asked of the grants index for one request at most: bounds the work that a small
/// request with many roles and many resources can cause.
const QUESTIONS: usize = 20_000;

/// Something to give: the permissions of a role on a resource.
pub type Gift<'a> = (&'a RoleId, &'a ResourceUri);

/// A gift, and when it ends; `None` if it does not.
pub type TimedGift<'a> = (Gift<'a>, Option<Timestamp>);

/// What is asked of the index: the resource, whether the role is built in, whether `delegate` is
/// needed, the action, and until when.
type Question<'a> = (&'a ResourceUri, bool, bool, &'a Action, Option<Timestamp>);

/// Why something may not be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotGiven {
    /// The giver does not hold enough of it.
    TooMuch,
    /// The role does not exist, so nobody can tell what it would give.
    UnknownRole(RoleId),
    /// More combinations of permissions and resources than are judged at once.
    TooMany,
}

impl NotGiven {
    /// The refusal, with the place of an unknown role among the statements that name roles.
    pub(crate) fn at<'a>(self, mut statements: impl Iterator<Item = &'a [RoleId]>) -> Refusal {
        let Self::UnknownRole(unknown) = &self else {
            return self.into();
        };
        let mut number = 0;
        let position = statements.find_map(|roles| {
            let position = roles.iter().position(|role| role == unknown);
            number += usize::from(position.is_none());
            position
        });
        match position {
            Some(position) => Refusal::invalid(
                format!("statements[{number}].roles[{position}]"),
                format!("there is no role {unknown}"),
            ),
            None => self.into(),
        }
    }
}

impl From<NotGiven> for Refusal {
    fn from(reason: NotGiven) -> Self {
        match reason {
            NotGiven::TooMuch => Self::InsufficientGrantAccess,
            NotGiven::UnknownRole(role) => {
                Self::invalid("statements", format!("there is no role {role}"))
            }
            NotGiven::TooMany => Self::TooLarge {
                reason: "it names too many combinations of permissions and resources; spread them \
                         over several requests"
                    .to_owned(),
            },
        }
    }
}

/// Whether `giver` may give all of it, and what that rests on: the records, roles and groups that
/// give the authority, and the roles that are handed out (a role that is widened meanwhile must not
/// slip through).
///
/// To give `allow`, one permission with `grant` or `delegate` must cover the action and the
/// resource; to give `grant` or `delegate`, one with `delegate` must. `allow` alone gives nothing,
/// and narrow permissions do not add up to a wide one. A role without any permission is judged as if
/// it gave everything.
///
/// The gifts do not end, so what the authority rests on must not end either.
pub fn may_hand_out<'a>(
    grants: &Grants,
    giver: &UserId,
    gifts: impl IntoIterator<Item = Gift<'a>>,
) -> Result<Basis, NotGiven> {
    let endless = gifts.into_iter().map(|gift| (gift, None));
    may_hand_out_until(grants, giver, endless)
}

/// As [`may_hand_out`], each gift until its instant: the permission it rests on must not end before.
pub fn may_hand_out_until<'a>(
    grants: &Grants,
    giver: &UserId,
    gifts: impl IntoIterator<Item = TimedGift<'a>>,
) -> Result<Basis, NotGiven> {
    let mut basis = Basis::new();
    let any = anything();
    let mut distinct: BTreeSet<TimedGift<'_>> = BTreeSet::new();
    for (count, gift) in gifts.into_iter().enumerate() {
        if count >= QUESTIONS {
            return Err(NotGiven::TooMany);
        }
        distinct.insert(gift);
    }
    let mut asked: BTreeSet<Question<'_>> = BTreeSet::new();
    for ((role_id, resource), until) in distinct {
        let role = grants
            .role(role_id)
            .ok_or_else(|| NotGiven::UnknownRole(role_id.clone()))?;
        if let Some(mark) = role.mark {
            add(
                &mut basis,
                (Kind::Role, role_id.to_string(), Expect::At(mark)),
            );
        }
        let built_in = role.mark.is_none();
        let mut asks = false;
        for permission in role.permissions {
            let passes_on = permission.grant || permission.delegate;
            if permission.allow || passes_on {
                asks = true;
                asked.insert((resource, built_in, passes_on, &permission.action, until));
            }
        }
        if !asks {
            // It gives nothing now and whatever it is given later, so it is judged as everything.
            asked.insert((
                resource,
                built_in,
                true,
                any.as_ref().ok_or(NotGiven::TooMuch)?,
                until,
            ));
        }
        if asked.len() > QUESTIONS {
            return Err(NotGiven::TooMany);
        }
    }
    for (resource, built_in, needs_delegate, action, until) in asked {
        let because = grants
            .may_give_until(giver, (built_in, action), resource, needs_delegate, until)
            .ok_or(NotGiven::TooMuch)?;
        for condition in grants.relied(&because) {
            add(&mut basis, condition);
        }
    }
    Ok(basis)
}

/// Whether `giver` may give to somebody what others were given already: the members of a group, or a
/// service client. A role that does not exist gives nothing to those either.
pub fn may_share(
    grants: &Grants,
    giver: &UserId,
    held: &[(RoleId, ResourceUri)],
) -> Result<Basis, Refusal> {
    let known = held.iter().filter(|(role, _)| grants.role(role).is_some());
    may_hand_out(
        grants,
        giver,
        known.map(|(role, resource)| (role, resource)),
    )
    .map_err(Refusal::from)
}

/// The action that covers every other.
fn anything() -> Option<Action> {
    "*".parse().ok()
}

fn add(basis: &mut Basis, condition: (Kind, String, Expect)) {
    if !basis.contains(&condition) {
        basis.push(condition);
    }
}
