//! Lists of invites, and invites by reference: for those who administer them and for those for whom
//! they are. Extensions of ours.

use guestlist_api::ids::{InviteReference, InviteSecret, RoleId, TenantId, UserId};
use guestlist_api::invite_lists::{
    InviteCollection, InviteHistory, InviteOrder, InviteState, InviteSummary, InviteUses, Inviter,
};
use guestlist_api::invite_terms::Invitee;
use guestlist_api::limits;
use guestlist_api::resources::ResourceUri;
use guestlist_api::times::Timestamp;
use guestlist_rules::caller::CallerKind;
use guestlist_rules::changes::{Facet, Kind, Seen, Stored as _, sortable, sortable_back};
use guestlist_rules::invite_administration::{is_invitee, may_read_inbox, may_see};
use guestlist_rules::invites::{StoredInvite, may_read};
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_store::{Position, Selection};
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::invites::approval;
use crate::listing::{Listing, Next, given};
use crate::query::Query;
use crate::refusal::Refusal;
use crate::users::{encode, parse};

/// Invites looked at for one page at most. A page may then be shorter than asked for and still have a
/// next one.
const WALK: usize = 1_000;
/// Invites read at once.
const STEP: usize = 50;
/// Parameters that narrow the list.
const NARROWING: [&str; 12] = [
    "status",
    "invitee",
    "inviterUserId",
    "resourceUri",
    "roleId",
    "tenantId",
    "tag",
    "createdAfter",
    "createdBefore",
    "expiresAfter",
    "expiresBefore",
    "sort",
];

/// What a list of invites was narrowed to.
#[derive(Default)]
pub(crate) struct Wanted {
    status: Option<InviteState>,
    invitee: Option<Invitee>,
    inviter: Option<UserId>,
    resource: Option<ResourceUri>,
    role: Option<RoleId>,
    tenant: Option<TenantId>,
    tag: Option<(String, String)>,
    pub(crate) created: (Option<Timestamp>, Option<Timestamp>),
    expires: (Option<Timestamp>, Option<Timestamp>),
    order: InviteOrder,
}

impl Wanted {
    pub(crate) fn read(query: &Query<'_>) -> Result<Self, Refusal> {
        let status = match given(query, "status")? {
            None => None,
            Some(name) => {
                let mut known = InviteState::ALL.into_iter();
                let state = known.find(|state| state.name() == name);
                Some(state.ok_or_else(|| {
                    let names = InviteState::ALL.map(InviteState::name).join(", ");
                    Refusal::malformed("status", format!("must be one of {names}"))
                })?)
            }
        };
        let order = match given(query, "sort")? {
            None => InviteOrder::default(),
            Some(name) => {
                let mut known = InviteOrder::ALL.into_iter();
                let order = known.find(|order| order.name() == name);
                order.ok_or_else(|| {
                    let names = InviteOrder::ALL.map(InviteOrder::name).join(", ");
                    Refusal::malformed("sort", format!("must be one of {names}"))
                })?
            }
        };
        let tag = given(query, "tag")?
            .map(|text| read_tag(&text).ok_or_else(|| Refusal::malformed("tag", TAG)))
            .transpose()?;
        Ok(Self {
            status,
            invitee: parsed(query, "invitee", invitee)?,
            inviter: parsed(query, "inviterUserId", parse_as)?,
            resource: parsed(query, "resourceUri", parse_as)?,
            role: parsed(query, "roleId", parse_as)?,
            tenant: parsed(query, "tenantId", parse_as)?,
            tag,
            created: (
                parsed(query, "createdAfter", parse_as)?,
                parsed(query, "createdBefore", parse_as)?,
            ),
            expires: (
                parsed(query, "expiresAfter", parse_as)?,
                parsed(query, "expiresBefore", parse_as)?,
            ),
            order,
        })
    }

    /// The documents to look among: the fewest that hold all that is wanted.
    fn selection(&self, own: Option<&UserId>) -> Selection {
        let bounds = |(after, before): (Option<Timestamp>, Option<Timestamp>)| {
            (
                after.map_or(i64::MIN, Timestamp::milliseconds),
                before.map_or(i64::MAX, Timestamp::milliseconds),
            )
        };
        match self.order {
            InviteOrder::Reference => {}
            InviteOrder::Expiry => {
                let (after, before) = bounds(self.expires);
                return Selection::Between(Facet::Expires, sortable(after), sortable(before));
            }
            InviteOrder::Created => {
                let (after, before) = bounds(self.created);
                return Selection::Between(Facet::Created, sortable(after), sortable(before));
            }
            InviteOrder::CreatedLast => {
                let (after, before) = bounds(self.created);
                return Selection::Between(
                    Facet::CreatedLast,
                    sortable_back(before),
                    // The end of a selection is not in it, but what was made then is.
                    sortable_back(after.saturating_sub(1)),
                );
            }
        }
        if let Some(invitee) = &self.invitee {
            return Selection::Equal(Facet::Invitee, invitee.key());
        }
        match own.or(self.inviter.as_ref()) {
            Some(inviter) => Selection::Equal(Facet::Inviter, inviter.to_string()),
            None => Selection::All,
        }
    }

    pub(crate) fn is_in(&self, state: InviteState) -> bool {
        self.status.is_none_or(|wanted| wanted == state)
    }

    pub(crate) fn fits(&self, invite: &StoredInvite) -> bool {
        let within = |time: Timestamp, (after, before): (Option<Timestamp>, Option<Timestamp>)| {
            after.is_none_or(|after| time >= after) && before.is_none_or(|before| time < before)
        };
        let terms = &invite.terms;
        let by = self.inviter.as_ref();
        let whom = self.invitee.as_ref();
        let tenant = self.tenant.as_ref();
        by.is_none_or(|wanted| wanted.principal() == invite.inviter.principal())
            && whom.is_none_or(|wanted| terms.invitee.as_ref() == Some(wanted))
            && tenant.is_none_or(|wanted| invite.default_login_tenant_id.as_ref() == Some(wanted))
            && self.resource.as_ref().is_none_or(|uri| invite.is_on(uri))
            && self.role.as_ref().is_none_or(|role| {
                let mut statements = invite.statements.iter();
                statements.any(|statement| statement.roles.contains(role))
            })
            && self.tag.as_ref().is_none_or(|tag| has_tag(invite, tag))
            && within(invite.created_time, self.created)
            && within(invite.expiry_time, self.expires)
    }
}

const TAG: &str = "must be name=value";

/// A tag as it is written in parameters: `name=value`.
pub(crate) fn read_tag(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
}

pub(crate) fn has_tag(invite: &StoredInvite, (name, value): &(String, String)) -> bool {
    let mut tags = invite.tags.iter();
    tags.any(|found| found == (name.as_str(), value.as_str()))
}

fn parsed<T>(
    query: &Query<'_>,
    name: &str,
    read: impl Fn(&str, &str) -> Result<T, Refusal>,
) -> Result<Option<T>, Refusal> {
    given(query, name)?
        .map(|text| read(name, &text))
        .transpose()
}

fn parse_as<T>(name: &str, text: &str) -> Result<T, Refusal>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    parse(name, text)
}

/// A user id, or an e-mail address, which no user id of this form is taken for.
fn invitee(name: &str, text: &str) -> Result<Invitee, Refusal> {
    if let Some(user) = text.strip_prefix("user:") {
        return parse(name, user).map(Invitee::User);
    }
    if let Ok(email) = text.strip_prefix("email:").unwrap_or(text).parse() {
        return Ok(Invitee::Email(email));
    }
    parse(name, text).map(Invitee::User)
}

/// GET `/v1/invites`: those the caller may read. Never a secret.
pub async fn get_invites(ask: Ask<'_>, query: &Query<'_>) -> Result<Answer, Refusal> {
    let wanted = Wanted::read(query)?;
    let listing = Listing::read(ask, query, "invites", limits::LARGE_PAGE, &NARROWING)?;
    let who = &ask.caller.user_id;
    let reads_others = ask.decide(|facts| Ok(facts.grants.holds_reserved(who)))?;
    // Whoever holds nothing of the service reads nothing but what is theirs.
    let own = (!reads_others).then_some(who);
    let selection = wanted.selection(own);
    let (invites, next) = walk(ask, &selection, listing.after(), listing.limit, |invite| {
        let readable = own.is_none_or(|own| own.principal() == invite.inviter.principal())
            && wanted.fits(invite);
        if !readable {
            return None;
        }
        let summary = ask.decide(|facts| {
            may_read(facts, invite)?;
            let state = invite.state(facts);
            Ok(wanted.is_in(state).then(|| summary(ask, invite, state)))
        });
        summary.ok().flatten()
    })
    .await?;
    page(ask, &listing, "/v1/invites", invites, next)
}

fn page(
    ask: Ask<'_>,
    listing: &Listing,
    path: &str,
    invites: Vec<InviteSummary>,
    next: Next,
) -> Result<Answer, Refusal> {
    let (pagination, links) = listing.page(ask, path, next)?;
    let page = InviteCollection {
        invites,
        pagination,
        links,
    };
    Answer::json(StatusCode::OK, &page).map_err(Refusal::from)
}

/// Up to `limit` of what `shown` makes of the invites of a selection. What the next page begins after
/// is the facet's value (empty unless the selection is between two) and the reference.
async fn walk(
    ask: Ask<'_>,
    selection: &Selection,
    after: Option<&str>,
    limit: usize,
    shown: impl Fn(&StoredInvite) -> Option<InviteSummary>,
) -> Result<(Vec<InviteSummary>, Next), Refusal> {
    let mut found = Vec::new();
    let mut after = after.map(ToOwned::to_owned);
    let mut looked_at = 0;
    loop {
        let position = after.as_ref().map(|text| position(text));
        let store = &ask.app.store;
        let step = store
            .list(Kind::Invite, selection, position.as_ref(), STEP)
            .await?;
        // Others are answered between two steps.
        tokio::task::yield_now().await;
        let last = step.len() < STEP;
        for document in step {
            let invite: StoredInvite = document.value.read().map_err(Rule::from)?;
            looked_at += 1;
            if let Some(summary) = shown(&invite) {
                if found.len() == limit {
                    return Ok((found, Some(after.unwrap_or_default())));
                }
                found.push(summary);
            }
            let value = match selection {
                Selection::Between(facet, ..) => {
                    let facets = invite.facets().into_iter();
                    let mut values = facets.filter(|(found, _)| found == facet);
                    values.next().map(|(_, value)| value).unwrap_or_default()
                }
                Selection::All | Selection::Equal(..) => String::new(),
            };
            after = Some(format!("{value} {}", invite.reference));
        }
        if last {
            return Ok((found, None));
        }
        if looked_at >= WALK {
            return Ok((found, after));
        }
    }
}

fn position(text: &str) -> Position {
    let (value, id) = text.split_once(' ').unwrap_or(("", text));
    Position {
        value: value.to_owned(),
        id: id.to_owned(),
    }
}

/// GET `/v1/users/{userId}/invites`: the invites that are for a user and can be used, now or later.
///
/// For the user themself also those that are for the e-mail address which their token proves.
pub async fn get_user_invites(
    ask: Ask<'_>,
    user: &str,
    query: &Query<'_>,
) -> Result<Answer, Refusal> {
    let user_id: UserId = parse("userId", user)?;
    ask.decide(|facts| may_read_inbox(facts, &user_id))?;
    let listing = Listing::read(ask, query, "inbox", limits::PAGE, &[])?;
    let is_own = ask.caller.user_id.principal() == user_id.principal();
    let mut keys = vec![Invitee::User(user_id).key()];
    if let CallerKind::User {
        verified_email: Some(email),
        ..
    } = &ask.caller.kind
        && is_own
    {
        keys.push(Invitee::Email(email.clone()).key());
    }
    // One key after the other: `0 …` is a place among the first, `1 …` among the second.
    let (mut place, mut after) = match listing.after().and_then(|text| text.split_once('|')) {
        Some((place, after)) => (place.parse::<usize>().unwrap_or(0), Some(after.to_owned())),
        None => (0, None),
    };
    let mut invites = Vec::new();
    let mut next = None;
    while let Some(key) = keys.get(place) {
        let selection = Selection::Equal(Facet::Invitee, key.clone());
        let room = listing.limit - invites.len();
        let after_here = after.take();
        let (found, more) = walk(ask, &selection, after_here.as_deref(), room, |invite| {
            ask.decide(|facts| {
                let state = invite.state(facts);
                let mine = !is_own || is_invitee(facts, invite);
                Ok((mine && is_open(state)).then(|| summary(ask, invite, state)))
            })
            .ok()
            .flatten()
        })
        .await?;
        invites.extend(found);
        if let Some(more) = more {
            next = Some(format!("{place}|{more}"));
            break;
        }
        place += 1;
        if invites.len() == listing.limit && keys.get(place).is_some() {
            next = Some(format!("{place}|"));
            break;
        }
    }
    let path = format!("/v1/users/{}/invites", encode(user));
    page(ask, &listing, &path, invites, next)
}

const fn is_open(state: InviteState) -> bool {
    match state {
        InviteState::Pending
        | InviteState::Scheduled
        | InviteState::Suspended
        | InviteState::AwaitingApproval => true,
        InviteState::Expired
        | InviteState::Accepted
        | InviteState::Exhausted
        | InviteState::Declined
        | InviteState::Revoked => false,
    }
}

/// The invite of a reference: told to those who may read it, and to the one for whom it is.
pub(crate) async fn by_reference(
    ask: Ask<'_>,
    reference: &InviteReference,
) -> Result<Seen<StoredInvite>, Refusal> {
    let seen: Option<Seen<StoredInvite>> = ask.see(reference.as_str()).await?;
    let seen = seen.ok_or(Refusal::Rule(Rule::NotFound(Noun::Invite)))?;
    // The same for one that is not there and one that the caller may not know of.
    let visible = ask.decide(|facts| may_see(facts, &seen.value));
    match visible {
        Ok(()) => Ok(seen),
        Err(Refusal::Rule(Rule::Forbidden { .. } | Rule::NotFound(_))) => {
            Err(Refusal::Rule(Rule::NotFound(Noun::Invite)))
        }
        Err(other) => Err(other),
    }
}

/// GET `/v1/invites/{reference}`: an invite in whatever state, without its secret.
pub async fn get_by_reference(
    ask: Ask<'_>,
    reference: &InviteReference,
) -> Result<Answer, Refusal> {
    let seen = by_reference(ask, reference).await?;
    let state = ask.decide(|facts| Ok(seen.value.state(facts)))?;
    Answer::json(StatusCode::OK, &summary(ask, &seen.value, state)).map_err(Refusal::from)
}

/// GET `/v1/invites/{reference}/events`.
pub async fn get_invite_events(ask: Ask<'_>, reference: &str) -> Result<Answer, Refusal> {
    let reference = reference_of(reference)?;
    let seen = by_reference(ask, &reference).await?;
    let history = InviteHistory {
        events: seen.value.moments(),
        links: ask.links(&format!("/v1/invites/{reference}/events")),
    };
    Answer::json(StatusCode::OK, &history).map_err(Refusal::from)
}

/// The reference of an invite, by itself or in its whole id: what the caller may do is judged by who
/// they are. Any other text names no invite.
pub(crate) fn reference_of(text: &str) -> Result<InviteReference, Refusal> {
    let whole = || {
        text.parse::<InviteSecret>()
            .map(|secret| secret.reference())
    };
    text.parse()
        .or_else(|_| whole())
        .map_err(|_| Refusal::Rule(Rule::NotFound(Noun::Invite)))
}

pub(crate) fn summary(ask: Ask<'_>, invite: &StoredInvite, state: InviteState) -> InviteSummary {
    let reference = &invite.reference;
    InviteSummary {
        reference: reference.clone(),
        invite_id: reference.clone(),
        status: state.into(),
        status_reason: invite.status_reason.clone(),
        statements: invite.statements.clone(),
        conflict_resolution_strategy: invite.conflict_resolution_strategy.into(),
        inviter: Inviter {
            user_id: invite.inviter.clone(),
        },
        created_time: invite.created_time,
        expiry_time: invite.expiry_time,
        responded_time: invite.responded_time,
        last_updated: invite.last_updated(),
        invitee: invite.terms.invitee.clone(),
        restrictions: invite.terms.restrictions(invite.max_uses),
        grant: guestlist_api::invite_terms::InviteGrant::of(invite.access_duration.clone()),
        approval: approval(invite),
        uses: InviteUses {
            max: invite.max_uses,
            accepted: invite.uses,
        },
        linked_user_id: invite.linked_user_id.clone(),
        default_login_tenant_id: invite.default_login_tenant_id.clone(),
        tags: invite.tags.clone(),
        links: ask.links(&format!("/v1/invites/{reference}")),
    }
}
