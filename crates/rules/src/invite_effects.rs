//! What accepting an invite would do: by the same decision that accepting it makes, without making it.

use std::collections::BTreeSet;

use guestlist_api::ids::{GroupId, RecordId, RoleId, UserId};
use guestlist_api::invite_effects::{EffectiveGrant, NamedGrant, RiskFlag};
use guestlist_api::records::Statement;
use guestlist_api::resources::ResourceUri;
use guestlist_api::roles::Permission;

use crate::accepting::{Places, effect};
use crate::changes::Seen;
use crate::coverage::begins_with_wildcard;
use crate::facts::Facts;
use crate::invite_approvals::{Need, need};
use crate::invite_settings::StoredInviteSettings;
use crate::invites::{Acceptor, Outcome, StoredInvite, gifts, may_accept};
use crate::records::StoredRecord;
use crate::refusals::Refusal;

/// What an accept would do at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Why it would be refused.
    pub refused: Option<Refusal>,
    pub outcome: Outcome,
    pub record_id: Option<RecordId>,
    pub gains: Vec<EffectiveGrant>,
    pub already_held: Vec<EffectiveGrant>,
    pub replaced: Vec<NamedGrant>,
    pub other_users: Vec<UserId>,
    pub other_groups: Vec<GroupId>,
    pub risk_flags: Vec<RiskFlag>,
    pub approval_required: bool,
}

/// What would happen if the caller of these facts accepted the invite.
///
/// # Errors
///
/// It cannot be told, because the record of the person has no room for it.
pub fn preview(
    facts: Facts<'_>,
    invite: &StoredInvite,
    acceptor: Acceptor<'_>,
    settings: Option<&Seen<StoredInviteSettings>>,
) -> Result<Preview, Refusal> {
    let told = preview_of_accept(facts, invite, acceptor)?;
    Ok(Preview {
        approval_required: need(facts, invite, settings) != Need::None,
        ..told
    })
}

fn preview_of_accept(
    facts: Facts<'_>,
    invite: &StoredInvite,
    acceptor: Acceptor<'_>,
) -> Result<Preview, Refusal> {
    let existing = acceptor.record;
    let refused = may_accept(facts, invite).err();
    let own = acceptor.record_id.clone();
    let places = Places {
        own: acceptor.record_id,
        fresh: acceptor.fresh_record_id,
    };
    let (outcome, record) = if acceptor.accepted_before {
        (Outcome::Nothing, None)
    } else {
        match effect(facts, invite, existing, places) {
            Ok(effect) => (effect.outcome, effect.record),
            // The strategy needs rights over the record that the inviter does not have.
            Err(refusal @ Refusal::InviteSuspended) => {
                return Ok(nothing(facts, invite, refused.or(Some(refusal))));
            }
            Err(other) => return Err(other),
        }
    };
    let takes_effect = match outcome {
        Outcome::Created
        | Outcome::Merged
        | Outcome::Generated
        | Outcome::ForceMerged
        | Outcome::Replaced => true,
        Outcome::Skipped | Outcome::Nothing => false,
    };
    let (gains, already_held) = divided(facts, invite, takes_effect);
    let before = existing.filter(|seen| seen.value.is_active());
    let replaced = match outcome {
        Outcome::Replaced => left_out(before, record.as_ref()),
        Outcome::Created
        | Outcome::Merged
        | Outcome::Generated
        | Outcome::ForceMerged
        | Outcome::Skipped
        | Outcome::Nothing => Vec::new(),
    };
    let (other_users, other_groups) = match outcome {
        Outcome::ForceMerged | Outcome::Replaced => others(facts, before),
        Outcome::Created
        | Outcome::Merged
        | Outcome::Generated
        | Outcome::Skipped
        | Outcome::Nothing => (Vec::new(), Vec::new()),
    };
    let mut risk_flags = risks(facts, invite);
    if !other_users.is_empty() || !other_groups.is_empty() {
        risk_flags.insert(RiskFlag::OthersAffected);
    }
    Ok(Preview {
        refused,
        outcome,
        // The id of a record of its own is drawn when it is made.
        record_id: record
            .map(|record| record.record_id)
            .filter(|id| *id == own),
        gains,
        already_held,
        replaced,
        other_users,
        other_groups,
        risk_flags: risk_flags.into_iter().collect(),
        approval_required: invite.approval_required,
    })
}

fn nothing(facts: Facts<'_>, invite: &StoredInvite, refused: Option<Refusal>) -> Preview {
    Preview {
        refused,
        outcome: Outcome::Nothing,
        record_id: None,
        gains: Vec::new(),
        already_held: Vec::new(),
        replaced: Vec::new(),
        other_users: Vec::new(),
        other_groups: Vec::new(),
        risk_flags: risks(facts, invite).into_iter().collect(),
        approval_required: invite.approval_required,
    }
}

/// What the invite holds, divided into what the person does not hold and what they do, flag by flag.
fn divided(
    facts: Facts<'_>,
    invite: &StoredInvite,
    takes_effect: bool,
) -> (Vec<EffectiveGrant>, Vec<EffectiveGrant>) {
    let (mut gains, mut held) = (Vec::new(), Vec::new());
    let distinct: BTreeSet<(&ResourceUri, &RoleId)> = gifts(&invite.statements, None)
        .map(|((role, resource), _)| (resource, role))
        .collect();
    for (resource, role) in distinct {
        let Some(known) = facts.grants.role(role) else {
            continue;
        };
        let built_in = known.mark.is_none();
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for permission in known.permissions {
            let has = held_of(facts, resource, permission, built_in);
            let lacks = Permission {
                allow: permission.allow && !has.allow,
                grant: permission.grant && !has.grant,
                delegate: permission.delegate && !has.delegate,
                ..permission.clone()
            };
            if lacks.allow || lacks.grant || lacks.delegate {
                new.push(lacks);
            }
            if has.allow || has.grant || has.delegate {
                old.push(has);
            }
        }
        let grant = |permissions| EffectiveGrant {
            resource_uri: resource.clone(),
            role_id: role.clone(),
            permissions,
        };
        if !new.is_empty() && takes_effect {
            gains.push(grant(new));
        }
        if !old.is_empty() {
            held.push(grant(old));
        }
    }
    (gains, held)
}

/// Which flags of a permission the person has on all of the resource already, by whatever gives them.
fn held_of(
    facts: Facts<'_>,
    resource: &ResourceUri,
    permission: &Permission,
    built_in: bool,
) -> Permission {
    let (who, action) = (facts.who(), &permission.action);
    let has = |wanted: &dyn Fn(&Permission) -> bool| {
        facts
            .grants
            .find_for_gift(who, resource, built_in, &mut |held| {
                held.action.covers(action) && wanted(held)
            })
            .is_some()
    };
    Permission {
        action: action.clone(),
        allow: permission.allow && has(&|held| held.allow),
        grant: permission.grant && has(&|held| held.grant),
        delegate: permission.delegate && has(&|held| held.delegate),
    }
}

fn pairs(statements: &[Statement]) -> BTreeSet<(&ResourceUri, &RoleId)> {
    let pairs = statements.iter().flat_map(|statement| {
        statement.resources.iter().flat_map(|resource| {
            let roles = statement.roles.iter();
            roles.map(move |role| (&resource.resource_uri, role))
        })
    });
    pairs.collect()
}

/// What the record held and would not.
fn left_out(before: Option<&Seen<StoredRecord>>, after: Option<&StoredRecord>) -> Vec<NamedGrant> {
    let (Some(before), Some(after)) = (before, after) else {
        return Vec::new();
    };
    let after = pairs(&after.statements);
    let before = pairs(&before.value.statements);
    let gone = before.difference(&after);
    gone.map(|(resource, role)| NamedGrant {
        resource_uri: (*resource).clone(),
        role_id: (*role).clone(),
    })
    .collect()
}

fn others(facts: Facts<'_>, before: Option<&Seen<StoredRecord>>) -> (Vec<UserId>, Vec<GroupId>) {
    let Some(record) = before.map(|seen| &seen.value) else {
        return (Vec::new(), Vec::new());
    };
    let statements = || record.statements.iter();
    let users = record
        .users
        .iter()
        .chain(statements().flat_map(|statement| &*statement.users));
    let groups = record
        .groups
        .iter()
        .chain(statements().flat_map(|statement| &*statement.groups));
    let mut users: Vec<UserId> = users
        .map(|user| user.user_id.clone())
        .filter(|user| user.principal() != facts.who().principal())
        .collect();
    let mut groups: Vec<GroupId> = groups.map(|group| group.group_id.clone()).collect();
    users.sort_unstable();
    users.dedup();
    groups.sort_unstable();
    groups.dedup();
    (users, groups)
}

/// What of the invite itself deserves a second look.
pub(crate) fn risks(facts: Facts<'_>, invite: &StoredInvite) -> BTreeSet<RiskFlag> {
    let mut flags = BTreeSet::new();
    for ((role, resource), _) in gifts(&invite.statements, None) {
        if resource.canonical() == "*" {
            flags.insert(RiskFlag::Everything);
        }
        let Some(known) = facts.grants.role(role) else {
            continue;
        };
        let reaches = known.mark.is_none() && begins_with_wildcard(resource.canonical());
        if resource.is_reserved() || reaches {
            flags.insert(RiskFlag::ServiceResources);
        }
        for permission in known.permissions {
            if permission.action.as_str() == "*" {
                flags.insert(RiskFlag::AllActions);
            }
            if permission.grant || permission.delegate {
                flags.insert(RiskFlag::GrantsAccess);
                if invite.terms.invitee.is_none() {
                    flags.insert(RiskFlag::BearerAdmin);
                }
            }
        }
    }
    flags
}
