//! What became of many invites, added up.

use std::collections::HashMap;

use guestlist_api::ids::Domain;
use guestlist_api::invite_lists::InviteChange;
use guestlist_api::invite_statistics::{InviteDelays, InviteFunnel, InviteGroup, InviteGrouping};
use guestlist_api::invite_terms::Invitee;
use guestlist_api::limits;

use crate::facts::Facts;
use crate::invites::StoredInvite;

/// Numbers to which invites are added one after another.
#[derive(Debug, Default)]
pub struct Tally {
    total: Numbers,
    grouping: Option<InviteGrouping>,
    groups: HashMap<String, Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    funnel: InviteFunnel,
    /// Seconds from making to the first accept, of those that were accepted.
    delays: Vec<u64>,
}

impl Tally {
    pub fn new(grouping: Option<InviteGrouping>) -> Self {
        Self {
            grouping,
            ..Self::default()
        }
    }

    /// Adds an invite as it stands now.
    pub fn add(&mut self, facts: Facts<'_>, invite: &StoredInvite) {
        self.total.add(facts, invite);
        for name in self.grouping.map_or_else(Vec::new, |by| names(invite, by)) {
            self.groups.entry(name).or_default().add(facts, invite);
        }
    }

    /// All together, the groups with most invites, and whether there are more groups.
    pub fn told(self) -> (InviteFunnel, Vec<InviteGroup>, bool) {
        let groups = self.groups.into_iter();
        let mut groups: Vec<InviteGroup> = groups
            .map(|(name, numbers)| InviteGroup {
                name,
                funnel: numbers.told(),
            })
            .collect();
        groups.sort_by(|one, other| {
            let most = other.funnel.invites.cmp(&one.funnel.invites);
            most.then_with(|| one.name.cmp(&other.name))
        });
        let more = groups.len() > limits::INVITE_GROUPS;
        groups.truncate(limits::INVITE_GROUPS);
        (self.total.told(), groups, more)
    }
}

impl Numbers {
    fn add(&mut self, facts: Facts<'_>, invite: &StoredInvite) {
        let funnel = &mut self.funnel;
        let one_if = |is: bool| u64::from(is);
        funnel.invites += 1;
        funnel.people += u64::from(invite.max_uses);
        funnel.previewed += one_if(invite.notices.previewed);
        funnel.refused += one_if(invite.notices.failures > 0);
        funnel.accepted += one_if(invite.uses > 0);
        funnel.accepts += u64::from(invite.uses);
        *funnel.by_status.entry(invite.state(facts)).or_default() += 1;
        self.delays.extend(delay(invite));
    }

    fn told(mut self) -> InviteFunnel {
        self.delays.sort_unstable();
        // The nearest rank: the smallest one that so many are not above.
        let at = |percent: usize| {
            let rank = (self.delays.len() * percent).div_ceil(100);
            self.delays.get(rank.saturating_sub(1)).copied()
        };
        self.funnel.seconds_to_accept =
            at(50)
                .zip(at(90))
                .zip(at(100))
                .map(|((median, ninetieth), longest)| InviteDelays {
                    median,
                    ninetieth,
                    longest,
                });
        self.funnel
    }
}

/// Seconds from making it to the first accept, if there was one and its history still has it.
fn delay(invite: &StoredInvite) -> Option<u64> {
    let moments = invite.moments();
    let accepted = moments.iter().find(|moment| {
        matches!(
            moment.change,
            InviteChange::Accepted | InviteChange::Approved
        )
    })?;
    let taken = accepted.time.milliseconds() - invite.created_time.milliseconds();
    u64::try_from(taken / 1000).ok()
}

/// The groups to which an invite belongs, each once.
fn names(invite: &StoredInvite, by: InviteGrouping) -> Vec<String> {
    let mut names: Vec<String> = match by {
        InviteGrouping::Inviter => vec![invite.inviter.to_string()],
        InviteGrouping::Role => {
            let roles = invite.statements.iter();
            let roles = roles.flat_map(|statement| statement.roles.iter());
            roles.map(ToString::to_string).collect()
        }
        InviteGrouping::Domain => match &invite.terms.invitee {
            Some(Invitee::Email(email)) => vec![email.parts().1.to_owned()],
            Some(Invitee::User(_)) | None => {
                let domains = invite.terms.email_domains.iter();
                domains.map(Domain::to_string).collect()
            }
        },
    };
    names.sort_unstable();
    names.dedup();
    names
}
