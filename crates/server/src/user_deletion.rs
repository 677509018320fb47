//! Deleting a user (contract §1.14): part by part, each a change of its own.

use std::collections::BTreeSet;

use guestlist_api::access_requests::AccessRequestStatus;
use guestlist_api::ids::UserId;
use guestlist_api::invite_terms::Invitee;
use guestlist_rules::access_requests::{StoredAccessRequest, status_word};
use guestlist_rules::authority::Basis;
use guestlist_rules::changes::{Facet, Kind, Seen, Stored};
use guestlist_rules::invites::StoredInvite;
use guestlist_rules::refusals::{Noun, Refusal as Rule};
use guestlist_rules::tenants::StoredTenantUser;
use guestlist_rules::user_deletion::{self as rules, Part};
use guestlist_rules::user_tokens::{StoredTokenConfiguration, StoredUserToken};
use guestlist_store::Selection;
use http::StatusCode;

use crate::answer::Answer;
use crate::ask::{Ask, Decided};
use crate::listing::walk;
use crate::refusal::Refusal;

/// How much one change takes: 24 records and groups, which have at most 100 KB each, or 6 of what can
/// have 1 MiB. The store takes 8 MiB.
const PART: usize = 24;
/// Documents that one request changes at most: some seconds of writing.
const MOST: usize = 10_000;
/// How often it is looked whether others named the user meanwhile.
const ROUNDS: usize = 5;

/// Something that names the user.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Record(String),
    Group(String),
    Invite(String),
    Request(String),
    Token(String),
    /// What the user's tokens say.
    TokenConfiguration(String),
    /// The tenant that the user belongs to.
    TenantUser(String),
}

impl Piece {
    /// How much of [`PART`] it takes.
    const fn weight(&self) -> usize {
        match self {
            Self::Record(_)
            | Self::Group(_)
            | Self::TokenConfiguration(_)
            | Self::TenantUser(_) => 1,
            Self::Invite(_) | Self::Request(_) | Self::Token(_) => 4,
        }
    }

    /// An invite, and the access request that it waits for: both or neither.
    fn of_invite(invite: &StoredInvite) -> Vec<Self> {
        let request = invite.awaiting.as_ref();
        let request = request.map(|awaiting| Self::Request(awaiting.request_id.to_string()));
        [Self::Invite(invite.id())]
            .into_iter()
            .chain(request)
            .collect()
    }

    /// An access request, and the invite that waits for it.
    fn of_request(request: &StoredAccessRequest) -> Vec<Self> {
        let invite = request.invite.as_ref();
        let invite = invite.map(|of| Self::Invite(of.reference.to_string()));
        [Self::Request(request.id())]
            .into_iter()
            .chain(invite)
            .collect()
    }

    /// Whether a decision rests on it.
    fn bears(&self, basis: &Basis) -> bool {
        let (wanted, id) = match self {
            Self::Record(id) => (Kind::AccessRecord, id),
            Self::Group(id) => (Kind::Group, id),
            Self::Invite(id) => (Kind::Invite, id),
            Self::Request(id) => (Kind::AccessRequest, id),
            Self::Token(id) => (Kind::UserToken, id),
            Self::TokenConfiguration(id) => (Kind::TokenConfiguration, id),
            Self::TenantUser(id) => (Kind::TenantUser, id),
        };
        basis
            .iter()
            .any(|(kind, named, _)| *kind == wanted && named == id)
    }
}

/// DELETE `/v1/users/{userId}`: 202 as published, although it is done by then.
///
/// If the process ends in the middle, the rest is still there, and the same request goes on with it.
pub async fn delete_user(ask: Ask<'_>, id: &str) -> Result<Answer, Refusal> {
    let user: UserId = crate::users::parse("userId", id)?;
    for round in 0..ROUNDS {
        let Plan { parts, is_whole } = plan(ask, &user).await?;
        if parts.is_empty() {
            if round == 0 {
                return Err(Rule::NotFound(Noun::User).into());
            }
            return Ok(Answer::empty(StatusCode::ACCEPTED));
        }
        let count = parts.len();
        for (number, pieces) in parts.iter().enumerate() {
            let is_last = number + 1 == count && is_whole;
            change(ask, &user, pieces, is_last).await?;
        }
        if !is_whole {
            return Err(Refusal::Unfinished);
        }
        if ask.caller.user_id.principal() == user.principal() {
            // Nobody is left who may look again: the right to was in the last part.
            return Ok(Answer::empty(StatusCode::ACCEPTED));
        }
    }
    Err(Refusal::Unfinished)
}

async fn change(
    ask: Ask<'_>,
    user: &UserId,
    pieces: &[Piece],
    is_last: bool,
) -> Result<(), Refusal> {
    let changed = ask
        .change(|| async move {
            let part = see(ask, pieces, is_last).await?;
            let changes = ask.decide(|facts| rules::delete(facts, user, &part))?;
            Ok(changes.map_or(Decided::Nothing(()), |changes| Decided::Change(changes, ())))
        })
        .await;
    match changed {
        // Earlier parts may be done.
        Err(Refusal::Busy) => Err(Refusal::Unfinished),
        outcome => outcome,
    }
}

async fn see(ask: Ask<'_>, pieces: &[Piece], is_last: bool) -> Result<Part, Refusal> {
    let mut part = Part {
        is_last,
        ..Part::default()
    };
    let mut known: Vec<&Piece> = Vec::new();
    let mut requests: BTreeSet<String> = BTreeSet::new();
    for piece in pieces {
        if known.contains(&piece) {
            // An invite of theirs that they accepted is found twice.
            continue;
        }
        known.push(piece);
        match piece {
            Piece::Record(id) => part.records.extend(ask.see(id).await?),
            Piece::Group(id) => part.groups.extend(ask.see(id).await?),
            Piece::Invite(id) => {
                let invite: Option<Seen<StoredInvite>> = ask.see(id).await?;
                // It may wait for another request by now than when the parts were planned.
                let awaiting = invite
                    .as_ref()
                    .and_then(|seen| seen.value.awaiting.as_ref());
                requests.extend(awaiting.map(|awaiting| awaiting.request_id.to_string()));
                part.invites.extend(invite);
            }
            Piece::Request(id) => {
                requests.insert(id.clone());
            }
            Piece::Token(id) => part.tokens.extend(ask.see(id).await?),
            Piece::TokenConfiguration(id) => part.configuration = ask.see(id).await?,
            Piece::TenantUser(id) => part.tenant = ask.see(id).await?,
        }
    }
    for id in &requests {
        part.requests.extend(ask.see(id).await?);
    }
    Ok(part)
}

/// What there is to do.
struct Plan {
    parts: Vec<Vec<Piece>>,
    /// Whether that is everything that names the user.
    is_whole: bool,
}

/// Everything that names the user, in parts.
///
/// What the caller's own right rests on comes in the last part: an owner who deletes themself keeps
/// the right until all else is done.
async fn plan(ask: Ask<'_>, user: &UserId) -> Result<Plan, Refusal> {
    let (basis, naming) = ask.decide(|facts| {
        let basis = rules::may_delete(facts, user)?;
        Ok((basis, facts.grants.naming(user.principal())))
    })?;
    let records = naming.records.into_iter();
    let groups = naming.groups.into_iter();
    let named = records
        .map(|id| Piece::Record(id.into_string()))
        .chain(groups.map(|id| Piece::Group(id.into_string())));
    let (bearing, mut others): (Vec<Piece>, Vec<Piece>) =
        named.partition(|piece| piece.bears(&basis));
    let now = ask.app.clock.now();
    let usable = |invite: &StoredInvite| invite.ended(now).is_none();
    let own = Selection::Equal(Facet::Inviter, user.to_string());
    let mut together = found(ask, &own, usable, Piece::of_invite).await?;
    let addressed = Selection::Equal(Facet::Invitee, Invitee::User(user.clone()).key());
    // Not one of their own twice.
    let theirs =
        |invite: &StoredInvite| usable(invite) && invite.inviter.principal() != user.principal();
    together.extend(found(ask, &addressed, theirs, Piece::of_invite).await?);
    let concerned = |request: &StoredAccessRequest| request.concerns(user);
    // Whom a request asks for is no attribute to list by, but what is open is little.
    let open = Selection::Equal(
        Facet::Status,
        status_word(AccessRequestStatus::Open).to_owned(),
    );
    together.extend(found(ask, &open, concerned, Piece::of_request).await?);
    let tokens = Selection::Equal(Facet::Principal, user.principal().to_owned());
    let usable = |token: &StoredUserToken| token.is_usable(now);
    let token = |token: &StoredUserToken| vec![Piece::Token(token.id())];
    let tokens = found(ask, &tokens, usable, token).await?;
    others.extend(tokens.into_iter().flatten());
    let configuration: Option<Seen<StoredTokenConfiguration>> = ask.see(user.as_str()).await?;
    others.extend(configuration.map(|seen| Piece::TokenConfiguration(seen.value.id())));
    let tenant: Option<Seen<StoredTenantUser>> = ask.see(user.as_str()).await?;
    others.extend(tenant.map(|seen| Piece::TenantUser(seen.value.id())));
    let is_whole = others.len() + together.len() <= MOST;
    others.truncate(MOST);
    together.truncate(MOST - others.len());
    let mut parts: Vec<Vec<Piece>> = Vec::new();
    for pieces in together {
        push(&mut parts, pieces);
    }
    for piece in others {
        push(&mut parts, [piece]);
    }
    if is_whole {
        push(&mut parts, bearing);
    }
    Ok(Plan { parts, is_whole })
}

/// Puts pieces that belong together into the last part that has room for them.
fn push(parts: &mut Vec<Vec<Piece>>, together: impl IntoIterator<Item = Piece>) {
    let together: Vec<Piece> = together.into_iter().collect();
    let weight = |pieces: &[Piece]| pieces.iter().map(Piece::weight).sum::<usize>();
    match parts.last_mut() {
        Some(last) if weight(last) + weight(&together) <= PART => last.extend(together),
        Some(_) | None if together.is_empty() => {}
        Some(_) | None => parts.push(together),
    }
}

/// The pieces of the documents of a selection that are `wanted`, up to more than one request changes.
async fn found<T: Stored>(
    ask: Ask<'_>,
    selection: &Selection,
    wanted: impl Fn(&T) -> bool + Copy,
    pieces: impl Fn(&T) -> Vec<Piece>,
) -> Result<Vec<Vec<Piece>>, Refusal> {
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let (seen, next) = walk(ask, selection, after.as_deref(), usize::MAX, wanted).await?;
        ids.extend(seen.iter().map(|seen: &Seen<T>| pieces(&seen.value)));
        after = next;
        if after.is_none() || ids.len() > MOST {
            return Ok(ids);
        }
    }
}
