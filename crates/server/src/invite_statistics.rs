//! What became of many invites, in numbers. An extension of ours.

use guestlist_api::invite_statistics::{InviteGrouping, InviteStatistics};
use guestlist_api::times::Timestamp;
use guestlist_rules::changes::{Facet, Kind, sortable};
use guestlist_rules::invite_statistics::Tally;
use guestlist_rules::invites::{StoredInvite, may_read};
use guestlist_rules::refusals::Refusal as Rule;
use guestlist_store::{Position, Selection};
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::invite_lists::Wanted;
use crate::listing::given;
use crate::query::Query;
use crate::refusal::Refusal;

/// The time that is looked at unless said otherwise: 30 days, in milliseconds.
const TIME: i64 = 30 * 24 * 60 * 60 * 1000;
/// Invites looked at for one answer: about a second of work, during which others are answered.
const MOST: usize = 50_000;
/// Invites read at once.
const STEP: usize = 100;

/// GET `/v1/invites/statistics`: of those that the caller may read and the list would have.
pub async fn get_invite_statistics(ask: Ask<'_>, query: &Query<'_>) -> Result<Answer, Refusal> {
    let mut wanted = Wanted::read(query)?;
    let mut tally = Tally::new(grouping(query)?);
    let before = wanted.created.1.unwrap_or(ask.now.plus(1));
    let after = wanted.created.0.unwrap_or(before.plus(-TIME));
    wanted.created = (Some(after), Some(before));
    let who = &ask.caller.user_id;
    // Whoever holds nothing of the service reads nothing but what is theirs.
    let own = !ask.decide(|facts| Ok(facts.grants.holds_reserved(who)))?;
    let selection = if own {
        Selection::Equal(Facet::Inviter, who.to_string())
    } else {
        // Nothing expires before it is made.
        let after = sortable(after.milliseconds());
        Selection::Between(Facet::Expires, after, sortable(i64::MAX))
    };
    let complete = each(ask, &selection, |invite| {
        if wanted.fits(invite) {
            let counted = ask.decide(|facts| {
                may_read(facts, invite)?;
                if wanted.is_in(invite.state(facts)) {
                    tally.add(facts, invite);
                }
                Ok(())
            });
            // What may not be read is not counted.
            drop(counted);
        }
    })
    .await?;
    let (total, groups, more_groups) = tally.told();
    let statistics = InviteStatistics {
        created_after: after,
        created_before: before,
        total,
        groups,
        more_groups,
        incomplete: !complete,
    };
    Answer::json(StatusCode::OK, &statistics).map_err(Refusal::from)
}

fn grouping(query: &Query<'_>) -> Result<Option<InviteGrouping>, Refusal> {
    let Some(name) = given(query, "groupBy")? else {
        return Ok(None);
    };
    let mut known = InviteGrouping::ALL.into_iter();
    let found = known.find(|grouping| grouping.name() == name);
    found.map(Some).ok_or_else(|| {
        let names = InviteGrouping::ALL.map(InviteGrouping::name).join(", ");
        Refusal::malformed("groupBy", format!("must be one of {names}"))
    })
}

/// Shows the invites of a selection one after another; whether it was all of them.
async fn each(
    ask: Ask<'_>,
    selection: &Selection,
    mut show: impl FnMut(&StoredInvite),
) -> Result<bool, Refusal> {
    let mut after = None;
    let mut looked_at = 0;
    loop {
        let store = &ask.app.store;
        let step = store
            .list(Kind::Invite, selection, after.as_ref(), STEP)
            .await?;
        // Others are answered between two steps.
        tokio::task::yield_now().await;
        let is_last = step.len() < STEP;
        looked_at += step.len();
        for document in step {
            let invite: StoredInvite = document.value.read().map_err(Rule::from)?;
            show(&invite);
            after = Some(place(selection, &invite));
        }
        if is_last {
            return Ok(true);
        }
        if looked_at >= MOST {
            return Ok(false);
        }
    }
}

fn place(selection: &Selection, invite: &StoredInvite) -> Position {
    let expires: fn(Timestamp) -> String = |time| sortable(time.milliseconds());
    Position {
        value: match selection {
            Selection::Between(..) => expires(invite.expiry_time),
            Selection::All | Selection::Equal(..) => String::new(),
        },
        id: invite.reference.to_string(),
    }
}
